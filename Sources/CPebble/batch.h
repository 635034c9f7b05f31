/* SPDX-License-Identifier: Apache-2.0
 * Jobs of one thread that are taken in together. */
#ifndef PB_BATCH_H
#define PB_BATCH_H

#include "compat.h"

struct pebble_pool;

PB_HIDDEN_BEGIN

/* This thread left a job in the inbox, a moment ago, at `now`: it is taken in, or waits for others of its batch. */
void pb_batch_notice(struct pebble_pool *pool, int64_t now);

/* What waits for others is taken in. False: nothing does. */
bool pb_batch_flush(struct pebble_pool *pool);

PB_HIDDEN_END
#endif
