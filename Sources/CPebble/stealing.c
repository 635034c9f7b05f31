/* SPDX-License-Identifier: Apache-2.0
 * How jobs that wait behind others are taken from their worker; the rest is shipping.c. */
#include "compat.h"
#include "shipping.h"
#include "dispatch.h"
#include "ending.h"
#include "watch.h"

#define STEAL_AGAIN (200 * 1000) /* ns until jobs that wait behind others are looked at again */

static struct pb_worker *most_loaded(struct pebble_pool *pool)
{
    struct pb_worker *worker, *most = NULL;
    TAILQ_FOREACH(worker, &pool->workers, link_in_pool)
        if (worker->state == PB_WORKER_BUSY && (!most || worker->link.live > most->link.live)) most = worker;
    return most;
}

struct pebble_future *pb_shipping_steal(struct pebble_pool *pool, int64_t now)
{
    struct pb_worker *worker = most_loaded(pool);
    if (!worker || worker->link.live < 2) return NULL;
    struct pebble_future *first = pb_hostlink_tag(&worker->link, 0);
    int64_t began = pb_shipping_began(first, now);
    if (!pb_dispatch_worth_stealing(worker->link.live - 1, pool->average, began ? now - began : 0)) {
        if (!pb_timer_armed(&pool->steal.timer)) pb_watch_arm(pool, &pool->steal, now + STEAL_AGAIN);
        return NULL;
    }
    struct pebble_future *job = pb_hostlink_revoke_last(&worker->link);
    if (!job) return NULL;
    pool->live--;
    job->worker = NULL;
    pb_shipping_call_off(worker);
    pb_shipping_update(pool, worker);
    return job;
}

/* The worker goes on from one job to the next by itself: without this the kill
 * might hit the next. */
bool pb_shipping_single_out(struct pebble_pool *pool, struct pebble_future *job)
{
    struct pb_worker *worker = job->worker;
    if (worker->state != PB_WORKER_BUSY) return true;
    unsigned before = worker->link.live;
    pb_ending_take_back(pool, worker);
    pool->live -= before - worker->link.live;
    pb_shipping_look(pool, worker);
    return !job->settled;
}
