/* SPDX-License-Identifier: Apache-2.0
 * The loop of a pool, and the lock under which it does its turns.
 *
 * A turn is done by whoever finds work and gets the lock: the loop thread when
 * an event comes, or a thread that schedules or cancels. A thread that leaves a
 * job in the inbox and does not get the lock need not wait: who has it looks at
 * the inbox again after giving it back. */
#ifndef PB_LOOP_H
#define PB_LOOP_H

#include "compat.h"
#include "poolstate.h"

PB_HIDDEN_BEGIN

/* Opens what the loop waits on and starts its thread. 0 or -errno (nothing is left open). */
int pb_loop_start(struct pebble_pool *pool);

/* Takes the lock. */
void pb_loop_lock(struct pebble_pool *pool);

/* Does what came of the change, gives the lock back, and delivers outcomes. */
void pb_loop_unlock(struct pebble_pool *pool);

/* Gives the lock back where nothing has changed, without a turn. */
void pb_loop_release(struct pebble_pool *pool);

/* Whether this thread is calling back for the pool, which therefore waits for it. */
bool pb_loop_is_delivering(const struct pebble_pool *pool);

/* Without the lock: calls those who asked for room, when there is some or there will be none any more. */
void pb_loop_call_askers(struct pebble_pool *pool);

/* A job was left in the inbox, a moment ago, at `now`. */
void pb_loop_notice(struct pebble_pool *pool, int64_t now);

PB_HIDDEN_END
#endif
