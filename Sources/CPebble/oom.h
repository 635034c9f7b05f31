/* SPDX-License-Identifier: Apache-2.0
 * How often the kernel has killed for want of memory. */
#ifndef PB_OOM_H
#define PB_OOM_H

#include "compat.h"

/* Unset: all zero. One thread at a time. */
struct pb_oom {
    int64_t looked; /* when, last; 0: never */
    uint64_t kills; /* that there had been then */
    int64_t grown;  /* when more of them were seen than the time before; 0: never */
    uint64_t open;  /* of those seen since the first look, which no death has been put down to */
};

PB_HIDDEN_BEGIN

/* Looks how many there have been: in this process's control group, or where that
 * cannot be read, on the whole machine; unless it has less than `age` ns ago. */
void pb_oom_look(struct pb_oom *oom, int64_t now, int64_t age);

/* What a look finds. */
void pb_oom_found(struct pb_oom *oom, int64_t now, uint64_t kills);

/* Whether a death may be put down to one: it was not known when the dead one
 * began, and no other death was put down to it, which from now on this one is. */
bool pb_oom_explains(struct pb_oom *oom, int64_t began);

/* That number in the text of memory.events, memory.oom_control or /proc/vmstat; 0: it is not there. */
uint64_t pb_oom_count_in(const char *text);

PB_HIDDEN_END
#endif
