/* SPDX-License-Identifier: Apache-2.0
 * The workers of a pool: how they start, live and end. All of it with the
 * pool's lock held; starting, events and freeing on the loop thread only. */
#ifndef PB_CREW_H
#define PB_CREW_H

#include "compat.h"
#include "poolstate.h"

PB_HIDDEN_BEGIN

/* Something happened to a worker: does what its state table says. */
void pb_crew_step(struct pebble_pool *pool, struct pb_worker *worker, enum pb_worker_event event);

/* It has said that it is ready, or the server has told its pid. */
void pb_crew_on_ready(struct pebble_pool *pool, struct pb_worker *worker);

/* Tells an idle worker to go; ends one that is starting. There must be one. */
void pb_crew_retire(struct pebble_pool *pool);
void pb_crew_drop(struct pebble_pool *pool);

/* Kills the worker; jobs that it has not begun go back to the queue. */
void pb_crew_kill(struct pebble_pool *pool, struct pb_worker *worker);

/* The worker's job, the only one it has begun, has its outcome: it has the
 * pool's grace to return from it, or is killed when there is none. */
void pb_crew_end(struct pebble_pool *pool, struct pb_worker *worker);

/* Ends every job and every worker. */
void pb_crew_stop(struct pebble_pool *pool, int64_t now);

/* Packets of the server; a worker's alarm. */
void pb_crew_on_channel(struct pebble_pool *pool);
void pb_crew_on_alarm(struct pebble_pool *pool, struct pb_worker *worker);

/* Frees the workers that are gone. At the end of a turn, when no event can name them any more. */
void pb_crew_free_gone(struct pebble_pool *pool);

/* Leaves the server. All workers must be gone. */
void pb_crew_leave(struct pebble_pool *pool);

PB_HIDDEN_END
#endif
