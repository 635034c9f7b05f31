/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "cpus.h"
#include "fd.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH 4096

static unsigned affinity(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
    if (count > 0) return (unsigned)count;
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* more CPUs than a cpu_set_t holds */
    return online > 0 ? (unsigned)online : 1;
}

unsigned pb_cpus_of_quota(const char *cpu_max)
{
    long long quota, period;
    if (sscanf(cpu_max, "%lld %lld", &quota, &period) != 2 || quota <= 0 || period <= 0) return UINT_MAX;
    long long cpus = quota / period + (quota % period != 0);
    return cpus < UINT_MAX ? (unsigned)cpus : UINT_MAX;
}

/* Whether the first `length` bytes of `list`, between commas, have `name` among them. */
static bool lists(const char *list, size_t length, const char *name)
{
    const char *end = list + length;
    for (const char *at = list; at <= end; at++) {
        size_t part = strcspn(at, ",:");
        if (part == strlen(name) && strncmp(at, name, part) == 0) return true;
        at += part;
    }
    return false;
}

const char *pb_cpus_cgroup(const char *cgroups, const char *controller, size_t *ret_length)
{
    for (const char *line = cgroups; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *list = line + strcspn(line, ":\n");
        if (*list++ != ':') continue;
        size_t length = strcspn(list, ":\n");
        const char *path = list + length + 1;
        if (list[length] != ':' || *path != '/' || !lists(list, length, controller)) continue;
        const char *outside = strstr(path, "/.."); /* of another namespace */
        *ret_length = strcspn(path, "\n");
        return outside && outside < path + *ret_length ? NULL : path;
    }
    return NULL;
}

static unsigned quota_in(const char *directory)
{
    char path[PATH + 128], text[128];
    snprintf(path, sizeof path, "%s/cpu.max", directory);
    if (pb_read_file(path, text, sizeof text) >= 0) return pb_cpus_of_quota(text);
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", directory);
    long length = pb_read_file(path, text, sizeof text / 2);
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", directory);
    if (length < 0 || pb_read_file(path, text + length, sizeof text / 2) < 0) return UINT_MAX;
    return pb_cpus_of_quota(text);
}

/* The smallest quota of this process's group in a hierarchy, and of those above it. */
static unsigned quota(const char *cgroups, const char *controller, const char *mount)
{
    char directory[PATH + 64];
    size_t length;
    const char *group = pb_cpus_cgroup(cgroups, controller, &length);
    if (!group) return UINT_MAX;
    unsigned least = UINT_MAX;
    for (;; length--) {
        if (length == 0 || group[length] == '\n' || group[length] == '\0' || group[length] == '/') {
            snprintf(directory, sizeof directory, "%s%.*s", mount, (int)length, group);
            unsigned cpus = quota_in(directory);
            if (cpus < least) least = cpus;
        }
        if (length == 0) return least;
    }
}

unsigned pb_cpus(void)
{
    char cgroups[PATH];
    unsigned least = affinity();
    if (pb_read_file("/proc/self/cgroup", cgroups, sizeof cgroups) < 0) return least;
    unsigned two = quota(cgroups, "", "/sys/fs/cgroup"), one = quota(cgroups, "cpu", "/sys/fs/cgroup/cpu");
    if (two < least) least = two;
    return one < least ? one : least;
}
