/* SPDX-License-Identifier: Apache-2.0
 * The jobs of a pool that wait, and what ends a job's stay. All of it with the
 * pool's lock held. */
#ifndef PB_QUEUE_H
#define PB_QUEUE_H

#include "compat.h"
#include "poolstate.h"

PB_HIDDEN_BEGIN

/* Takes in what was left in the inbox. */
void pb_queue_read_inbox(struct pebble_pool *pool);

/* The queue is made empty. */
void pb_queue_init(struct pebble_pool *pool);

/* The job that is next; NULL: none waits. */
struct pebble_future *pb_queue_first(const struct pebble_pool *pool);

/* Puts a job that was taken back at the head of its priority; takes one out. */
void pb_queue_put_first(struct pebble_pool *pool, struct pebble_future *job);
void pb_queue_remove(struct pebble_pool *pool, struct pebble_future *job);

/* It waits no longer, and gives its place to another; one that comes back later needs none. */
void pb_queue_give_place(struct pebble_pool *pool, struct pebble_future *job);

/* Puts a job that is to run once more behind those that wait. */
void pb_queue_put_again(struct pebble_pool *pool, struct pebble_future *job, int64_t now);

/* Every waiting job ends with PEBBLE_NOT_RUN. `why`, unless NULL, is the
 * outcome of the initializer, of which each gets a copy. */
void pb_queue_refuse(struct pebble_pool *pool, enum pebble_cause cause, int error, const struct pebble_outcome *why);

/* Arms a job's alarm for the next of its limits. `began` is 0 for one that
 * waits, in the queue or behind others in a worker; the alarm of the latter
 * asks again when it could have run for too long. */
void pb_queue_arm_limit(struct pebble_pool *pool, struct pebble_future *job, int64_t began, int64_t now);

/* Settles a job, waiting or not, to be delivered when the lock is given back.
 * False: it was settled already. See pb_job_settle. */
bool pb_queue_settle(struct pebble_pool *pool, struct pebble_future *job, enum pebble_status status, int64_t began,
                     int pid);

/* The same; its end was at that moment. */
bool pb_queue_settle_at(struct pebble_pool *pool, struct pebble_future *job, enum pebble_status status, int64_t began,
                        int pid, int64_t now);

/* The same for a limit that struck. */
bool pb_queue_settle_timeout(struct pebble_pool *pool, struct pebble_future *job, int64_t began, int pid,
                             enum pebble_limit limit);

/* The pool is done with a settled job. */
void pb_queue_release(struct pebble_pool *pool, struct pebble_future *job);

PB_HIDDEN_END
#endif
