/* SPDX-License-Identifier: Apache-2.0
 * The memory that a pool keeps for large payloads, so that their pages are used
 * again, and gives back when there were none for a while: blocks of its own, and
 * the annexes of its links. All of it with the pool's lock held. */
#ifndef PB_THRIFT_H
#define PB_THRIFT_H

#include "compat.h"
#include "poolstate.h"

PB_HIDDEN_BEGIN

/* A payload of that length has come, or gone. */
void pb_thrift_used(struct pebble_pool *pool, uint64_t length);

/* The worker has nothing to do any more. */
void pb_thrift_idle(struct pebble_pool *pool, const struct pb_worker *worker);

/* The alarm pool->thrift. */
void pb_thrift_on_alarm(struct pebble_pool *pool);

/* Keeps nothing from now on: there are no more alarms. */
void pb_thrift_end(struct pebble_pool *pool);

PB_HIDDEN_END
#endif
