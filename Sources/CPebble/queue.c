/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "queue.h"
#include "autopsy.h"
#include "clock.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

void pb_queue_give_place(struct pebble_pool *pool, struct pebble_future *job)
{
    if (job->placed) pb_room_give(&pool->room);
    job->placed = false;
}

bool pb_queue_settle_at(struct pebble_pool *pool, struct pebble_future *job, enum pebble_status status, int64_t began,
                        int pid, int64_t now)
{
    if (!pb_job_settle(job, status, began, pid, now)) return false;
    if (job->queued) pb_queue_remove(pool, job);
    pb_queue_give_place(pool, job);
    pb_wheel_disarm(&pool->wheel, &job->alarm.timer);
    if (job->procedure) return true; /* nobody waits for it */
    pool->outcomes[status]++;
    uint64_t done = atomic_load_explicit(&pool->count.done, memory_order_relaxed) + 1;
    atomic_store_explicit(&pool->count.done, done, memory_order_relaxed); /* only with the lock */
    pebble_future_ref(job);
    TAILQ_INSERT_TAIL(&pool->deliveries, job, link);
    return true;
}

bool pb_queue_settle(struct pebble_pool *pool, struct pebble_future *job, enum pebble_status status, int64_t began,
                     int pid)
{
    return pb_queue_settle_at(pool, job, status, began, pid, pb_now());
}

static int64_t length_of(const struct pebble_future *job, enum pebble_limit limit)
{
    return limit == PEBBLE_LIMIT_TIMEOUT         ? job->timeout
           : limit == PEBBLE_LIMIT_QUEUE_TIMEOUT ? job->queue_timeout
                                                 : job->deadline;
}

bool pb_queue_settle_timeout(struct pebble_pool *pool, struct pebble_future *job, int64_t began, int pid,
                             enum pebble_limit limit)
{
    if (!pb_queue_settle(pool, job, PEBBLE_TIMEOUT, began, pid)) return false;
    job->outcome.limit = limit;
    job->outcome.limit_length = length_of(job, limit);
    return true;
}

void pb_queue_release(struct pebble_pool *pool, struct pebble_future *job)
{
    pb_wheel_disarm(&pool->wheel, &job->alarm.timer);
    job->worker = NULL;
    job->thread = NULL;
    job->node = NULL;
    if (job->outcome.started && !job->procedure) {
        pb_histogram_add(&pool->wait_times, job->outcome.wait_time);
        pb_histogram_add(&pool->run_times, job->outcome.run_time);
    }
    pb_job_release(job);
}

void pb_queue_arm_limit(struct pebble_pool *pool, struct pebble_future *job, int64_t began, int64_t now)
{
    enum pebble_limit limit;
    int64_t at = pb_job_limit(job, began, &limit);
    if (job->worker && !began) {
        int64_t running = pb_job_limit(job, now, &limit);
        if (running < at) at = running;
    }
    pb_watch_arm(pool, &job->alarm, at);
}

void pb_queue_init(struct pebble_pool *pool)
{
    for (size_t level = 0; level < PB_LEVELS; level++)
        TAILQ_INIT(&pool->queue[level]);
}

struct pebble_future *pb_queue_first(const struct pebble_pool *pool)
{
    return pool->waiting ? TAILQ_FIRST(&pool->queue[31 - __builtin_clz(pool->waiting)]) : NULL;
}

static void queued(struct pebble_pool *pool, struct pebble_future *job)
{
    job->queued = true;
    pool->queued++;
    pool->waiting |= UINT32_C(1) << job->level;
    pb_queue_arm_limit(pool, job, 0, 0);
}

void pb_queue_put_first(struct pebble_pool *pool, struct pebble_future *job)
{
    TAILQ_INSERT_HEAD(&pool->queue[job->level], job, link);
    queued(pool, job);
}

static void put_last(struct pebble_pool *pool, struct pebble_future *job)
{
    TAILQ_INSERT_TAIL(&pool->queue[job->level], job, link);
    queued(pool, job);
}

void pb_queue_put_again(struct pebble_pool *pool, struct pebble_future *job, int64_t now)
{
    job->worker = NULL;
    job->node = NULL;
    job->suspected = 0;
    job->queued_at = now;
    atomic_fetch_add_explicit(&pool->count.retried, 1, memory_order_relaxed);
    put_last(pool, job);
}

void pb_queue_remove(struct pebble_pool *pool, struct pebble_future *job)
{
    TAILQ_REMOVE(&pool->queue[job->level], job, link);
    if (TAILQ_EMPTY(&pool->queue[job->level])) pool->waiting &= ~(UINT32_C(1) << job->level);
    job->queued = false;
    pool->queued--;
}

static void *copy_of(const void *data, size_t length)
{
    void *copy = length ? malloc(length) : NULL;
    return copy ? memcpy(copy, data, length) : NULL;
}

/* Its bytes are dropped when there is no memory for one more copy. */
static void tell_why(struct pebble_outcome *outcome, const struct pebble_outcome *why)
{
    outcome->code = why->code;
    outcome->pid = why->pid;
    outcome->exit_code = why->exit_code;
    outcome->exit_signal = why->exit_signal;
    outcome->crash = pb_autopsy_ref(why->crash);
    outcome->likely_oom = why->likely_oom;
    outcome->data = copy_of(why->data, why->length);
    outcome->length = outcome->data ? why->length : 0;
    outcome->output_tail = why->output_tail ? copy_of(why->output_tail, why->output_tail_length + 1) : NULL;
    outcome->output_tail_length = outcome->output_tail ? why->output_tail_length : 0;
}

static void refuse(struct pebble_pool *pool, struct pebble_future *job, enum pebble_cause cause, int error,
                   const struct pebble_outcome *why)
{
    if (pb_queue_settle(pool, job, PEBBLE_NOT_RUN, 0, 0)) {
        job->outcome.cause = cause;
        job->outcome.error = error;
        if (why) tell_why(&job->outcome, why);
    }
    pb_queue_release(pool, job);
}

void pb_queue_refuse(struct pebble_pool *pool, enum pebble_cause cause, int error, const struct pebble_outcome *why)
{
    struct pebble_future *job;
    while ((job = pb_queue_first(pool))) {
        pb_queue_remove(pool, job);
        refuse(pool, job, cause, error, why);
    }
}

static void admit(struct pebble_pool *pool, struct pebble_future *job)
{
    if (atomic_load(&pool->phase) == PB_POOL_STOPPED) {
        refuse(pool, job, PEBBLE_CAUSE_STOPPED, 0, NULL);
    } else if (atomic_load(&pool->broken)) {
        refuse(pool, job, PEBBLE_CAUSE_NO_ENTRY, ENOEXEC, NULL);
    } else if (job->settled) {
        pb_queue_release(pool, job); /* cancelled before it got here */
    } else {
        put_last(pool, job);
    }
}

void pb_queue_read_inbox(struct pebble_pool *pool)
{
    struct pebble_future *job = pb_inbox_take(&pool->inbox);
    while (job) {
        struct pebble_future *next = job->next;
        admit(pool, job);
        job = next;
    }
}
