/* SPDX-License-Identifier: Apache-2.0
 * How many CPUs this process may use. */
#ifndef PB_CPUS_H
#define PB_CPUS_H

#include "compat.h"

#include <limits.h>

PB_HIDDEN_BEGIN

/* By its affinity and by the quota of its control groups, rounded up; at least 1. */
unsigned pb_cpus(void);

/* Pure. What the text of a cpu.max, or of a version 1 quota and its period, allows; UINT_MAX: it sets no limit, or is none. */
unsigned pb_cpus_of_quota(const char *cpu_max);

/* Pure. In the text of a /proc/self/cgroup the path of the group for a controller
 * of version 1, or of version 2 (""); NULL: there is none to be found below its mount. */
const char *pb_cpus_cgroup(const char *cgroups, const char *controller, size_t *ret_length);

PB_HIDDEN_END
#endif
