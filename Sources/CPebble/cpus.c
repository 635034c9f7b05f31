/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "cpus.h"

#include <sched.h>
#include <unistd.h>

unsigned pb_cpus(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
    if (count > 0) return (unsigned)count;
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* more CPUs than a cpu_set_t holds */
    return online > 0 ? (unsigned)online : 1;
}
