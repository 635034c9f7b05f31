/* SPDX-License-Identifier: Apache-2.0
 * How often the kernel has killed for want of memory. */
#ifndef PB_OOM_H
#define PB_OOM_H

#include "compat.h"

/* Unset: all zero. One thread at a time. */
struct pb_oom {
    int64_t looked; /* when */
    uint64_t kills;
};

PB_HIDDEN_BEGIN

/* The kills so far: in this process's control group (v2), or where that cannot
 * be read, on the whole machine. What was found less than `age` ns ago will do. */
uint64_t pb_oom_kills(struct pb_oom *oom, int64_t age);

/* That number in the text of memory.events or /proc/vmstat; 0: it is not there. */
uint64_t pb_oom_count_in(const char *text);

PB_HIDDEN_END
#endif
