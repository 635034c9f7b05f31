/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "ending.h"
#include "autopsy.h"
#include "clock.h"
#include "dumping.h"
#include "output.h"
#include "queue.h"
#include "shipping.h"

#include <signal.h>

#define SUSPICIONS 3

static void settle_expired(struct pebble_pool *pool, struct pb_worker *worker, struct pebble_future *job,
                           int64_t began, const struct pb_exit *how)
{
    if (!pb_queue_settle(pool, job, PEBBLE_EXPIRED, began, how->pid ? how->pid : worker->proc.pid)) return;
    struct pebble_outcome *outcome = &job->outcome;
    outcome->poisonous = job->retries && job->deaths >= pool->config.max_deaths;
    outcome->exit_code = how->code;
    outcome->exit_signal = how->signal;
    outcome->cpu_time = how->cpu_time;
    outcome->peak_memory = how->peak_memory;
    pb_output_tell(worker, outcome);
    outcome->crash = pb_autopsy_of(&worker->link.shared->crash, how->signal);
    if (how->signal != SIGKILL || worker->condemned) return;
    pb_oom_look(&pool->oom, pb_now(), 0);
    outcome->likely_oom = pb_oom_explains(&pool->oom, began);
}

void pb_ending_suspect(struct pb_worker *worker)
{
    struct pebble_future *next = pb_hostlink_tag(&worker->link, 0);
    if (next && next->suspected < SUSPICIONS) next->suspected++;
}

/* A job never began, as its worker says: but not even that is for the worker
 * to say again and again, and take one worker after the other with it. */
static void requeue(struct pebble_pool *pool, struct pb_worker *worker, struct pebble_future *job)
{
    if (job->suspected == SUSPICIONS && !job->settled) {
        atomic_fetch_add(&pool->count.expired, 1);
        settle_expired(pool, worker, job, pb_now(), &(struct pb_exit){.code = -1});
    }
    job->worker = NULL;
    if (job->procedure) pb_queue_settle(pool, job, PEBBLE_NOT_RUN, 0, 0);
    if (job->settled)
        pb_queue_release(pool, job);
    else
        pb_queue_put_first(pool, job);
}

void pb_ending_take_back(struct pebble_pool *pool, struct pb_worker *worker)
{
    struct pebble_future *job;
    while ((job = pb_hostlink_revoke_last(&worker->link)))
        requeue(pool, worker, job);
    pb_shipping_call_off(worker);
}

void pb_ending_give_back(struct pebble_pool *pool, struct pb_worker *worker, bool used)
{
    if (used) pool->live -= worker->link.live;
    pb_ending_take_back(pool, worker);
}

/* Its worker died in it: it runs again, or has expired. */
static void end_with_worker(struct pebble_pool *pool, struct pb_worker *worker, struct pebble_future *job,
                            int64_t began, const struct pb_exit *how, int64_t now)
{
    if (!job->settled && job->dump_until) { /* it was over its limit before */
        enum pebble_limit limit;
        pb_job_limit(job, began, &limit);
        pb_queue_settle_timeout(pool, job, began, how->pid ? how->pid : worker->proc.pid, limit);
        pb_output_tell(worker, &job->outcome);
        pb_dumping_tell(worker, job);
    }
    if (!job->settled) {
        job->deaths++;
        if (!job->procedure) atomic_fetch_add(&pool->count.expired, 1);
        bool again = job->retries && job->deaths < pool->config.max_deaths;
        if (again && atomic_load(&pool->phase) != PB_POOL_STOPPED) {
            job->retries--;
            pb_queue_put_again(pool, job, now);
            return;
        }
        settle_expired(pool, worker, job, began, how);
    }
    pb_queue_release(pool, job);
}

/* What it answered before it died stands; what it had begun died with it; what it had not goes back. */
void pb_ending_settle_left(struct pebble_pool *pool, struct pb_worker *worker, const struct pb_exit *how, int64_t now)
{
    struct pebble_future *job;
    bool lost;
    while ((job = pb_hostlink_tag(&worker->link, 0))) {
        int64_t began = pb_hostlink_started(&worker->link, job, now);
        if (!job->settled) job->progress = pb_hostlink_progress(&worker->link, job); /* who reads it later has no lock */
        pb_hostlink_next_left(&worker->link, &lost);
        if (lost) {
            end_with_worker(pool, worker, job, began ? began : now, how, now);
        } else {
            requeue(pool, worker, job);
        }
    }
    if (worker->procedure) pb_output_tell(worker, &worker->procedure->outcome); /* why it failed, when it did */
}
