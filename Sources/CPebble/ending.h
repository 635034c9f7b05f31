/* SPDX-License-Identifier: Apache-2.0
 * What becomes of the jobs of a worker that ends: they go back, run again, or
 * have expired. All of it with the pool's lock held. */
#ifndef PB_ENDING_H
#define PB_ENDING_H

#include "compat.h"
#include "poolstate.h"

PB_HIDDEN_BEGIN

/* What the worker has not begun goes back to where it was: at the head of the queue. */
void pb_ending_take_back(struct pebble_pool *pool, struct pb_worker *worker);

/* Of a worker that ended by itself: the job that it was to begin next may have had a hand in it. */
void pb_ending_suspect(struct pb_worker *worker);

/* Of a worker that is to die: what it has not begun goes back to the head of
 * the queue. `used`: it had the pool's jobs, not a procedure. */
void pb_ending_give_back(struct pebble_pool *pool, struct pb_worker *worker, bool used);

/* Of a dead worker: what it had begun died with it. */
void pb_ending_settle_left(struct pebble_pool *pool, struct pb_worker *worker, const struct pb_exit *how,
                             int64_t now);

PB_HIDDEN_END
#endif
