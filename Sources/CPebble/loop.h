/* SPDX-License-Identifier: Apache-2.0
 * The loop of a pool: one thread that owns its queue, timers and workers. */
#ifndef PB_LOOP_H
#define PB_LOOP_H

#include "compat.h"
#include "poolstate.h"

PB_HIDDEN_BEGIN

/* Opens what the loop waits on and starts its thread. 0 or -errno (nothing is left open). */
int pb_loop_start(struct pebble_pool *pool);

/* Whether the calling thread is the loop of the pool. */
bool pb_loop_is_self(const struct pebble_pool *pool);

/* For the crew: watch a descriptor; `tag` comes back with its events. */
int pb_loop_watch(struct pebble_pool *pool, int fd, void *tag);
void pb_loop_watch_writable(struct pebble_pool *pool, int fd, void *tag, bool writable);
void pb_loop_unwatch(struct pebble_pool *pool, int fd);

/* For the crew: arms an alarm. */
void pb_loop_arm(struct pebble_pool *pool, struct pb_alarm *alarm, int64_t deadline);

/* For the crew: settles a job, to be delivered at the end of the turn. False: it was settled already. */
bool pb_loop_settle(struct pebble_pool *pool, struct pebble_future *job, enum pebble_status status);

/* For the crew: its worker is done with a settled job. */
void pb_loop_release(struct pebble_pool *pool, struct pebble_future *job);

/* Every waiting job ends with PEBBLE_NOT_RUN. */
void pb_loop_refuse_queue(struct pebble_pool *pool, enum pebble_cause cause, int error);

PB_HIDDEN_END
#endif
