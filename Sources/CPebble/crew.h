/* SPDX-License-Identifier: Apache-2.0
 * The workers of a pool, as its loop handles them: starting, giving jobs,
 * hearing replies, killing, burying. All of it on the loop thread. */
#ifndef PB_CREW_H
#define PB_CREW_H

#include "compat.h"
#include "poolstate.h"

PB_HIDDEN_BEGIN

/* Starts one more worker, or notes a failed start. */
void pb_crew_start(struct pebble_pool *pool, int64_t now);

/* Gives a job, which leaves the queue, to an idle worker. There must be one. */
void pb_crew_assign(struct pebble_pool *pool, struct pebble_future *job, int64_t now);

/* Tells an idle worker to go. There must be one. */
void pb_crew_retire(struct pebble_pool *pool);

/* SIGKILL, at once or as soon as its pidfd is here. */
void pb_crew_kill(struct pebble_pool *pool, struct pb_worker *worker);
void pb_crew_kill_all(struct pebble_pool *pool);

/* Events: its link is readable or writable; packets of the server; its alarm. */
void pb_crew_on_link(struct pebble_pool *pool, struct pb_worker *worker, uint32_t events);
void pb_crew_on_channel(struct pebble_pool *pool);
void pb_crew_on_alarm(struct pebble_pool *pool, struct pb_worker *worker);

/* Frees the workers that are gone. At the end of a turn, when no event can name them any more. */
void pb_crew_free_gone(struct pebble_pool *pool);

/* Leaves the server. All workers must be gone. */
void pb_crew_leave(struct pebble_pool *pool);

PB_HIDDEN_END
#endif
