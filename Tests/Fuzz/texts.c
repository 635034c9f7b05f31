/* SPDX-License-Identifier: Apache-2.0
 * Texts of the kernel's and the environment's, and names of functions. */
#include "fuzz.h"
#include "boot.h"
#include "cpus.h"
#include "demangle.h"
#include "oom.h"

#include <stdio.h>
#include <unistd.h>

static void cgroups(const char *text)
{
    static const char *const controllers[] = {"", "cpu", "cpuset"};
    size_t length;
    for (size_t n = 0; n < PB_COUNT(controllers); n++) {
        const char *path = pb_cpus_cgroup(text, controllers[n], &length);
        if (path) must(*path == '/' && path >= text && length <= strlen(path));
    }
}

static void demangled(const char *text)
{
    char symbol[2000];
    snprintf(symbol, sizeof symbol, "_Z%s", text);
    free(pb_demangle(symbol));
    free(pb_demangle(text));
}

static void marker(const char *text)
{
    char value[2000];
    struct pb_boot boot;
    snprintf(value, sizeof value, "%c%d%s", *text, (int)getpid(), *text ? text + 1 : "");
    setenv("PEBBLE_BOOT", value, 1);
    pb_boot_take(&boot);
    must(memchr(boot.pool, 0, sizeof boot.pool) && !getenv("PEBBLE_BOOT"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = {data, size};
    uint8_t kind = take_byte(&bytes);
    char *text = text_of(bytes.at, bytes.left);
    switch (kind % 5) {
    case 0: must(pb_cpus_of_quota(text) >= 1); break;
    case 1: cgroups(text); break;
    case 2: pb_oom_count_in(text); break;
    case 3: demangled(text); break;
    case 4: marker(text); break;
    }
    free(text);
    return 0;
}
