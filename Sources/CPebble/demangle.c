/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "demangle.h"

#include <string.h>

/* Both answer NULL for what is no name of theirs, and else memory to be freed. */
extern char *swift_demangle(const char *symbol, size_t length, char *buffer, size_t *size, uint32_t flags)
    __attribute__((weak));
extern char *__cxa_demangle(const char *symbol, char *buffer, size_t *size, int *ret_status) __attribute__((weak));

char *pb_demangle(const char *symbol)
{
    char *name = NULL;
    if (swift_demangle && strncmp(symbol, "$s", 2) == 0) name = swift_demangle(symbol, strlen(symbol), NULL, NULL, 0);
    if (__cxa_demangle && strncmp(symbol, "_Z", 2) == 0) name = __cxa_demangle(symbol, NULL, NULL, NULL);
    return name ? name : strdup(symbol);
}
