/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "starting.h"
#include "clock.h"
#include "dispatch.h"
#include "queue.h"
#include "watch.h"

#define START_TRIES 3 /* in a row, before the waiting jobs are refused */

void pb_start_failed(struct pebble_pool *pool, enum pebble_cause cause, int error,
                     const struct pebble_outcome *why, int64_t now)
{
    pool->keeps_spares = false;
    if (!pb_timer_armed(&pool->backoff.timer)) { /* several at once are one failure */
        pool->failures++;
        pb_watch_arm(pool, &pool->backoff, pb_after(now, pb_dispatch_backoff(pool->failures)));
    }
    bool others = pool->by_state[PB_WORKER_STARTING] + pool->by_state[PB_WORKER_IDLE] +
                      pool->by_state[PB_WORKER_BUSY] > 0;
    if (cause == PEBBLE_CAUSE_NO_ENTRY) {
        atomic_store(&pool->broken, true);
        pb_room_close(&pool->room);
        pb_queue_refuse(pool, cause, error, NULL);
    } else if (!others && pool->failures >= START_TRIES) {
        pb_queue_refuse(pool, cause, error, why);
    }
}
