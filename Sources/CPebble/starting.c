/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "starting.h"
#include "clock.h"
#include "dispatch.h"
#include "queue.h"
#include "watch.h"

#include <string.h>

#define START_TRIES 3 /* in a row, before the waiting jobs are refused */

void pb_start_instruct(const struct pebble_pool *pool, struct pb_shared *shared)
{
    shared->remember_throws = !pool->config.no_throw_backtraces;
    shared->core_size = pool->config.limits.core_size;
    shared->pass_crashes_on = pool->config.swift_backtrace;
    shared->dump.patience = pool->config.stack_dump;
    shared->confined = pool->config.confined;
    shared->initialized = pool->initializer.given;
    if (pool->readable) memcpy(shared->readable, pool->readable->text, sizeof shared->readable);
    shared->debugger_time = pool->config.debugger_time;
}

void pb_start_failed(struct pebble_pool *pool, enum pebble_cause cause, int error,
                     const struct pebble_outcome *why, int64_t born)
{
    pool->keeps_spares = false;
    if (born >= pool->failed_at) { /* else it is one more of those that were under way when the first failed */
        pool->failures++;
        pool->failed_at = pb_now();
        pb_watch_arm(pool, &pool->backoff, pb_after(pool->failed_at, pb_dispatch_backoff(pool->failures)));
    }
    unsigned others = 0; /* even those that are dying hold what a start may have lacked */
    for (enum pb_worker_state state = 0; state < PB_WORKER_GONE; state++)
        others += pool->by_state[state];
    if (cause == PEBBLE_CAUSE_NO_ENTRY) {
        atomic_store(&pool->broken, true);
        pb_room_close(&pool->room);
        pb_queue_refuse(pool, cause, error, NULL);
    } else if (!others && pool->failures >= START_TRIES) {
        pb_queue_refuse(pool, cause, error, why);
    }
}

void pb_start_again(struct pebble_pool *pool)
{
    pool->failures = 0;
    pb_wheel_disarm(&pool->wheel, &pool->backoff.timer);
}
