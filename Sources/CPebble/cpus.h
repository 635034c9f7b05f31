/* SPDX-License-Identifier: Apache-2.0
 * How many CPUs this process may use. */
#ifndef PB_CPUS_H
#define PB_CPUS_H

#include "compat.h"

#include <limits.h>

PB_HIDDEN_BEGIN

/* By its affinity and by the quota of its control groups, rounded up; at least 1. */
unsigned pb_cpus(void);

/* Pure. What the text of a cpu.max allows; UINT_MAX: it sets no limit, or is none. */
unsigned pb_cpus_of_quota(const char *cpu_max);

/* Pure. The path of the version 2 group in the text of a /proc/self/cgroup,
 * which is written to; NULL: there is none to be found below /sys/fs/cgroup. */
const char *pb_cpus_cgroup(char *cgroups);

PB_HIDDEN_END
#endif
