/* SPDX-License-Identifier: Apache-2.0
 * How a pool gets one more worker process: its link and its pipes are made, and
 * the fork server is asked. What becomes of that is for the crew. */
#ifndef PB_HIRING_H
#define PB_HIRING_H

#include "compat.h"
#include "poolstate.h"

PB_HIDDEN_BEGIN

/* Starts one more worker, or notes a failed start. With the pool's lock held, on
 * the loop thread. */
void pb_hire(struct pebble_pool *pool, int64_t now);

PB_HIDDEN_END
#endif
