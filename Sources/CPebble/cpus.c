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

const char *pb_cpus_cgroup(char *cgroups)
{
    char *at = strncmp(cgroups, "0::", 3) == 0 ? cgroups : strstr(cgroups, "\n0::");
    if (!at) return NULL;
    at = strchr(at, '/');
    if (!at) return NULL;
    at[strcspn(at, "\n")] = '\0';
    return strstr(at, "/..") ? NULL : at; /* of another namespace */
}

/* The smallest quota of this process's cgroup (version 2) and those above it. */
static unsigned quota(void)
{
    char cgroups[PATH], path[PATH + 64], text[64];
    if (pb_read_file("/proc/self/cgroup", cgroups, sizeof cgroups) < 0) return UINT_MAX;
    const char *group = pb_cpus_cgroup(cgroups);
    unsigned least = UINT_MAX;
    for (size_t length = group ? strlen(group) : 0; length; length--) {
        if (group[length] != '\0' && group[length] != '/') continue;
        snprintf(path, sizeof path, "/sys/fs/cgroup%.*s/cpu.max", (int)length, group);
        if (pb_read_file(path, text, sizeof text) < 0) continue;
        unsigned cpus = pb_cpus_of_quota(text);
        if (cpus < least) least = cpus;
    }
    return least;
}

unsigned pb_cpus(void)
{
    unsigned allowed = affinity(), paid = quota();
    return allowed < paid ? allowed : paid;
}
