/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "hostlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LENGTH 255 /* of a host */
#define DIGITS 9

/* The names so far: bytes, each with a NUL behind. */
struct names {
    char *bytes;
    size_t length, capacity;
    int count, most;
};

static int add(struct names *names, const char *name)
{
    size_t size = strlen(name) + 1;
    if (size == 1 || names->count == names->most) return -EINVAL;
    if (names->capacity - names->length < size) {
        size_t capacity = 2 * names->capacity + size;
        char *bytes = realloc(names->bytes, capacity);
        if (!bytes) return -ENOMEM;
        names->bytes = bytes;
        names->capacity = capacity;
    }
    memcpy(names->bytes + names->length, name, size);
    names->length += size;
    names->count++;
    return 0;
}

/* "7", "07" or "7-12" at *at, which is moved behind it. False: there is none. */
static bool read_range(const char **at, unsigned *ret_first, unsigned *ret_last, int *ret_width)
{
    size_t width = strspn(*at, "0123456789");
    if (width == 0 || width > DIGITS) return false;
    *ret_first = *ret_last = (unsigned)strtoul(*at, NULL, 10);
    *ret_width = (int)width;
    *at += width;
    if (**at != '-') return true;
    size_t other = strspn(++*at, "0123456789");
    if (other == 0 || other > DIGITS) return false;
    *ret_last = (unsigned)strtoul(*at, NULL, 10);
    *at += other;
    return *ret_last >= *ret_first;
}

static int expand(struct names *names, const char *begun, const char *rest, const char *end);

/* `begun`, each number of the brackets at `open`, and what follows. */
static int expand_brackets(struct names *names, const char *begun, const char *open, const char *end)
{
    const char *close = memchr(open, ']', (size_t)(end - open));
    if (!close) return -EINVAL;
    for (const char *at = open + 1;; at++) {
        unsigned first, last;
        int width;
        if (!read_range(&at, &first, &last, &width) || at > close) return -EINVAL;
        for (unsigned number = first; number <= last; number++) {
            char name[NAME_MAX_LENGTH + 1];
            int length = snprintf(name, sizeof name, "%s%0*u", begun, width, number);
            int rc = length < (int)sizeof name ? expand(names, name, close + 1, end) : -EINVAL;
            if (rc < 0) return rc;
        }
        if (at == close) return 0;
        if (*at != ',') return -EINVAL;
    }
}

/* The names that begin so, and go on with [rest, end). */
static int expand(struct names *names, const char *begun, const char *rest, const char *end)
{
    char name[NAME_MAX_LENGTH + 1];
    const char *open = memchr(rest, '[', (size_t)(end - rest));
    const char *plain = open ? open : end;
    int length = snprintf(name, sizeof name, "%s%.*s", begun, (int)(plain - rest), rest);
    if (length >= (int)sizeof name || memchr(rest, ']', (size_t)(plain - rest))) return -EINVAL;
    return open ? expand_brackets(names, name, open, end) : add(names, name);
}

/* Where the first element of a list ends: at a comma outside of brackets. */
static const char *element_end(const char *list)
{
    bool inside = false;
    for (; *list && (inside || *list != ','); list++)
        inside = *list == '[' || (inside && *list != ']');
    return list;
}

int pb_hostlist_expand(const char *list, int most, char ***ret_names)
{
    struct names names = {.most = most};
    int rc = 0;
    for (const char *end; rc == 0; list = end + 1) {
        end = element_end(list);
        rc = expand(&names, "", list, end);
        if (!*end) break;
    }
    char **array = rc == 0 ? malloc(((size_t)names.count + 1) * sizeof *array + names.length) : NULL;
    if (array) {
        char *bytes = memcpy(array + names.count + 1, names.bytes, names.length);
        for (int i = 0; i < names.count; i++, bytes += strlen(bytes) + 1)
            array[i] = bytes;
        array[names.count] = NULL;
        *ret_names = array;
    }
    free(names.bytes);
    return rc < 0 ? rc : array ? names.count : -ENOMEM;
}
