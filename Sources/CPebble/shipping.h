/* SPDX-License-Identifier: Apache-2.0
 * Jobs to workers and answers from them. All of it with the pool's lock held. */
#ifndef PB_SHIPPING_H
#define PB_SHIPPING_H

#include "compat.h"
#include "poolstate.h"

PB_HIDDEN_BEGIN

/* Ships a job, which has left the queue, to an idle worker, or to one that may
 * have one more. There must be one. False: it could not be, and must wait. */
bool pb_shipping_assign(struct pebble_pool *pool, struct pebble_future *job, int64_t now);
bool pb_shipping_fill(struct pebble_pool *pool, struct pebble_future *job, int64_t now);

/* Wakes workers for what they were shipped in this turn. */
void pb_shipping_ring(struct pebble_pool *pool);

/* Has a starting or leaving worker run a procedure of the pool: worker->procedure, whose outcome tells. */
void pb_shipping_run_procedure(struct pebble_pool *pool, struct pb_worker *worker, const struct pb_procedure *procedure,
                               int64_t now);

/* Takes back a job that waits behind others: NULL when there is none, or when it is not worth it yet. */
struct pebble_future *pb_shipping_steal(struct pebble_pool *pool, int64_t now);

/* Takes a shipped job back. True: it never began. */
bool pb_shipping_revoke(struct pebble_pool *pool, struct pebble_future *job);

/* When a shipped job began, 0: it has not. */
int64_t pb_shipping_began(struct pebble_future *job, int64_t now);

/* Of a job that has begun, before its worker is killed for it: takes back what
 * is behind it, and looks again. False: the job has ended. */
bool pb_shipping_single_out(struct pebble_pool *pool, struct pebble_future *job);

/* Its answers were to add up for one bell, and have taken too long. */
void pb_shipping_on_slow(struct pebble_pool *pool, struct pb_worker *worker);

/* Takes the answers that are there, with replies that are on the stream. */
void pb_shipping_look(struct pebble_pool *pool, struct pb_worker *worker);

/* Of a dead worker: takes all that is on its stream, updates of its last job among it. */
void pb_shipping_drain(struct pebble_pool *pool, struct pb_worker *worker);

/* All answers that are there; then a bell on the stream is asked for. */
void pb_shipping_collect(struct pebble_pool *pool, struct pb_worker *worker);

/* Asks for a bell. False: there are answers already. */
bool pb_shipping_want_bell(struct pebble_pool *pool, struct pb_worker *worker, enum pb_bell bell);

/* Whether it may have some. */
bool pb_shipping_has_jobs(const struct pb_worker *worker);

/* Without the lock (awaiting.c): waits until the job is done or `deadline` has passed. While
 * the job is with a worker, this thread takes that worker's answers itself,
 * without a hop over the loop thread. */
void pb_shipping_wait(struct pebble_pool *pool, struct pebble_future *job, int64_t deadline);

/* The worker has ended, or a job was taken from it or its answer taken by another
 * thread than the one that sleeps for it: wakes that one. */
void pb_shipping_call_off(struct pb_worker *worker);

/* The worker's link is readable or writable (on the loop thread). */
void pb_shipping_on_link(struct pebble_pool *pool, struct pb_worker *worker, uint32_t events);

/* The worker's state or load has changed: may it be shipped more? */
void pb_shipping_update(struct pebble_pool *pool, struct pb_worker *worker);

PB_HIDDEN_END
#endif
