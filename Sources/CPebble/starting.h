/* SPDX-License-Identifier: Apache-2.0
 * Starts of workers that fail. With the pool's lock held. */
#ifndef PB_STARTING_H
#define PB_STARTING_H

#include "compat.h"
#include "poolstate.h"
#include "shared.h"

PB_HIDDEN_BEGIN

/* Writes into the memory of a worker that is not there yet what it is to do besides jobs. */
void pb_start_instruct(const struct pebble_pool *pool, struct pb_shared *shared);

/* A worker that was asked for at `born` could not be started: the next start
 * waits, and after several in a row, when no other worker is left, or when there
 * can be no workers at all, the waiting jobs are told why. `why`, unless NULL, is
 * the outcome of the initializer. */
void pb_start_failed(struct pebble_pool *pool, enum pebble_cause cause, int error, const struct pebble_outcome *why,
                     int64_t born);

/* A worker that worked is gone. Starts may have failed for want of what it held:
 * the next one need not wait, and what failed beside it no longer counts. */
void pb_start_again(struct pebble_pool *pool);

PB_HIDDEN_END
#endif
