/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "updates.h"
#include "pebble/update.h"

#include <stdlib.h>

void pebble_update_free(void *item)
{
    struct pebble_update *update = item;
    if (!update) return;
    free(update->data);
    free(update);
}

/* Once the job is settled its queue is for who publishes it. */
void pb_updates_put(struct pebble_future *job, void *data, size_t length)
{
    struct pebble_update *update = job->settled ? NULL : malloc(sizeof *update);
    if (!update) {
        job->lost_updates++;
        free(data);
        return;
    }
    *update = (struct pebble_update){.data = data, .length = length};
    if (pebble_queue_put(job->updates, update, 0) == 0) return;
    job->lost_updates++;
    pebble_update_free(update);
}
