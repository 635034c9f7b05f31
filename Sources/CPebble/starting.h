/* SPDX-License-Identifier: Apache-2.0
 * Starts of workers that fail. With the pool's lock held. */
#ifndef PB_STARTING_H
#define PB_STARTING_H

#include "compat.h"
#include "poolstate.h"

PB_HIDDEN_BEGIN

/* A worker could not be started: the next start waits, and after several in a
 * row with no other worker alive, or when there can be no workers at all, the
 * waiting jobs are told why. `why`, unless NULL, is the outcome of the initializer. */
void pb_start_failed(struct pebble_pool *pool, enum pebble_cause cause, int error, const struct pebble_outcome *why,
                     int64_t now);

PB_HIDDEN_END
#endif
