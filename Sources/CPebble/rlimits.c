/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "rlimits.h"

#include <sys/prctl.h>
#include <sys/resource.h>

/* Between `soft`, which warns, and `hard`, which ends. Lowering a limit is always allowed. */
static void lower(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0) return;
    if (hard < limit.rlim_max) limit.rlim_max = hard;
    if (soft < limit.rlim_cur) limit.rlim_cur = soft;
    setrlimit(resource, &limit);
}

void pb_rlimits_cap_core(uint64_t size)
{
    lower(RLIMIT_CORE, size, RLIM_INFINITY);
}

void pb_rlimits_apply(const struct pebble_worker_limits *limits)
{
    if (limits->address_space) lower(RLIMIT_AS, limits->address_space, limits->address_space);
    if (limits->cpu_time) lower(RLIMIT_CPU, limits->cpu_time, limits->cpu_time + 1);
    if (limits->open_files) lower(RLIMIT_NOFILE, limits->open_files, limits->open_files);
    if (limits->nice) setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + limits->nice);
    if (limits->no_new_privileges) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
