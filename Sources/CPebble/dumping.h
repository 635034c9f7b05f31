/* SPDX-License-Identifier: Apache-2.0
 * Dumps of the stacks of workers whose job is over its limit. With the pool's
 * lock held. */
#ifndef PB_DUMPING_H
#define PB_DUMPING_H

#include "compat.h"
#include "poolstate.h"

PB_HIDDEN_BEGIN

/* Whether the job, which has begun and is over its limit, is to wait for a dump,
 * which is asked for the first time. Its alarm is armed for when to look again. */
bool pb_dumping_awaits(struct pebble_pool *pool, struct pebble_future *job, int64_t now);

/* Gives the outcome of the worker's job what there is of a dump. */
void pb_dumping_tell(const struct pb_worker *worker, struct pebble_future *job);

PB_HIDDEN_END
#endif
