/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "thrift.h"
#include "clock.h"
#include "watch.h"

#define KEEP PB_SECOND /* after the last large payload */

static void arm(struct pebble_pool *pool)
{
    if (!pb_timer_armed(&pool->thrift.timer)) pb_watch_arm(pool, &pool->thrift, pb_after(pb_now(), KEEP));
}

void pb_thrift_used(struct pebble_pool *pool, uint64_t length)
{
    if (length <= PB_LARGE_SIZE) return;
    pool->large_at = pb_now();
    pb_blocks_keep_large(&pool->blocks, true);
    arm(pool);
}

void pb_thrift_idle(struct pebble_pool *pool, const struct pb_worker *worker)
{
    if (worker->link.annex) arm(pool);
}

/* What a worker has that is at work is given back after that. */
void pb_thrift_on_alarm(struct pebble_pool *pool)
{
    int64_t until = pb_after(pool->large_at, KEEP);
    if (pb_now() < until) {
        pb_watch_arm(pool, &pool->thrift, until);
        return;
    }
    pb_blocks_keep_large(&pool->blocks, false);
    struct pb_worker *worker;
    TAILQ_FOREACH(worker, &pool->workers, link_in_pool)
        pb_hostlink_give_back(&worker->link);
}

void pb_thrift_end(struct pebble_pool *pool)
{
    pb_blocks_keep_large(&pool->blocks, false);
}
