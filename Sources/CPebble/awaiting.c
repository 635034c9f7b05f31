/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "shipping.h"
#include "clock.h"
#include "loop.h"

void pb_shipping_call_off(struct pb_worker *worker)
{
    if (worker->awaited) pb_hostlink_call_off(&worker->link);
}

/* With the lock: whether this thread is now the one that the worker's next
 * answer wakes. If not, what there is was taken, and the loop thread is woken. */
static bool await(struct pebble_pool *pool, struct pebble_future *job)
{
    struct pb_worker *worker;
    while (!job->settled && (worker = job->worker) && worker->state == PB_WORKER_BUSY && !worker->awaited) {
        if (pb_shipping_want_bell(pool, worker, PB_BELL_ON_WORD)) {
            worker->awaited = true;
            return true;
        }
        pb_shipping_collect(pool, worker); /* asks for a bell on the stream again */
        if (worker->state == PB_WORKER_BUSY && pb_hostlink_awaits_rest(&worker->link)) return false;
    }
    return false;
}

void pb_shipping_wait(struct pebble_pool *pool, struct pebble_future *job, int64_t deadline)
{
    while (pb_latch_state(&job->state) != PB_JOB_DONE && pb_now() < deadline) {
        pb_loop_lock(pool);
        struct pb_worker *worker = job->worker;
        bool awaits = await(pool, job);
        pb_loop_unlock(pool);
        if (!awaits) return;

        /* It is not freed while it is awaited. The word is the worker's as well: it must not be able to keep us. */
        int64_t soon = pb_after(pb_now(), PB_SECOND);
        pb_hostlink_wait_bell(&worker->link, soon < deadline ? soon : deadline);
        pb_loop_lock(pool);
        worker->awaited = false;
        if (pb_shipping_has_jobs(worker)) pb_shipping_collect(pool, worker);
        if (worker->state == PB_WORKER_GONE) pb_inbox_ring(&pool->inbox); /* now it can be freed */
        pb_loop_unlock(pool);
    }
}
