/* SPDX-License-Identifier: Apache-2.0
 * What running jobs say, on its way into the queues of those who asked. */
#ifndef PB_UPDATES_H
#define PB_UPDATES_H

#include "compat.h"
#include "job.h"

PB_HIDDEN_BEGIN

/* With the pool's lock held: puts an update of the job, unless it has its
 * outcome, or counts it as lost. `data` is passed over. */
void pb_updates_put(struct pebble_future *job, void *data, size_t length);

PB_HIDDEN_END
#endif
