/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "job.h"
#include "autopsy.h"
#include "callbacks.h"
#include "clock.h"
#include "poolstate.h"
#include "stacks.h"

#include <stdlib.h>
#include <string.h>

#define SMALL_INPUT 256 /* bytes that lie behind their job */
#define JOB_SIZE ((sizeof(struct pebble_future) + 15) & ~(size_t)15) /* so that they are aligned */

static void *behind(struct pebble_future *job)
{
    return (char *)job + JOB_SIZE;
}

static void free_input(struct pebble_future *job)
{
    if (job->input != behind(job)) pb_blocks_give(&job->pool->blocks, job->input);
    job->input = NULL;
}

size_t pb_parts_length(const struct pebble_part *parts, size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        if (__builtin_add_overflow(length, parts[i].length, &length)) return SIZE_MAX;
    return length;
}

static void copy_parts(char *to, const struct pebble_part *parts, size_t length)
{
    for (; length; length -= parts++->length) {
        if (!parts->length) continue;
        memcpy(to, parts->data, parts->length);
        to += parts->length;
    }
}

struct pebble_future *pb_job_new(struct pebble_pool *pool, const struct pb_function_ref *function,
                                 const struct pebble_part *parts, size_t length,
                                 const struct pebble_job_options *options)
{
    struct pebble_future *job = calloc(1, JOB_SIZE + (length <= SMALL_INPUT ? length : 0));
    if (!job) return NULL;
    job->pool = pool;
    if (length && length <= SMALL_INPUT) job->input = behind(job);
    if (length > SMALL_INPUT && !(job->input = pb_blocks_take(&pool->blocks, length))) goto no_input;
    if (options->name && *options->name && !(job->name = strdup(options->name))) goto no_name;
    copy_parts(job->input, parts, length);
    atomic_init(&job->refs, 1);
    pb_watchers_init(&job->watchers);
    pb_pool_hold(pool);
    job->function = *function;
    job->input_length = length;
    job->timeout = options->timeout;
    job->queue_timeout = options->queue_timeout;
    job->deadline = options->deadline;
    job->level = (unsigned char)(options->priority - PEBBLE_PRIORITY_MIN);
    job->alarm.kind = PB_ALARM_JOB;
    job->retries = options->retries;
    if (options->updates) job->updates = pebble_queue_ref(options->updates);
    job->scheduled = job->queued_at = pb_now();
    return job;
no_name:
    free_input(job);
no_input:
    free(job);
    return NULL;
}

pebble_future *pebble_future_ref(pebble_future *job)
{
    atomic_fetch_add_explicit(&job->refs, 1, memory_order_relaxed);
    return job;
}

void pebble_future_unref(pebble_future *job)
{
    if (!job || atomic_fetch_sub_explicit(&job->refs, 1, memory_order_acq_rel) != 1) return;
    struct pebble_pool *pool = job->pool;
    pebble_queue_unref(job->updates);
    pb_blocks_give(&pool->blocks, (void *)(uintptr_t)job->outcome.data);
    free((void *)(uintptr_t)job->outcome.output_tail);
    pb_autopsy_unref(job->outcome.crash);
    pb_stacks_free(job->outcome.stacks, job->outcome.stack_count);
    free_input(job);
    free(job->name);
    pb_watchers_done(&job->watchers);
    free(job);
    pb_pool_let_go(pool);
}

bool pb_job_settle(struct pebble_future *job, enum pebble_status status, int64_t began, int pid, int64_t now)
{
    if (job->settled) return false;
    job->settled = true;
    job->outcome = (struct pebble_outcome){
        .status = status,
        .started = began != 0,
        .wait_time = (began ? began : now) - job->scheduled,
        .run_time = began ? now - began : 0,
        .pid = began ? pid : 0,
        .exit_code = -1,
        .deaths = job->deaths,
        .lost_updates = job->lost_updates,
    };
    return true;
}

void pb_job_publish(struct pebble_future *job)
{
    pb_latch_put(&job->state, PB_JOB_DONE);
}

void pb_job_announce(struct pebble_future *job)
{
    pebble_queue *updates = job->updates;
    job->updates = NULL;
    pb_latch_wake(&job->state);
    pb_watchers_tell(&job->watchers);
    pebble_queue_unref(updates); /* here: it may free items, with code of the user's */
    pb_callback_fire(job);
}

void pb_job_release(struct pebble_future *job)
{
    free_input(job);
    pb_latch_set(&job->hold, PB_JOB_FREE);
    if (job->on_free) job->on_free(job->on_free_arg);
    pebble_future_unref(job);
}

bool pb_job_on_free(struct pebble_future *job, void (*told)(void *arg), void *arg)
{
    if (pb_latch_state(&job->hold) == PB_JOB_FREE) return false;
    job->on_free = told;
    job->on_free_arg = arg;
    return true;
}

int64_t pb_job_limit(const struct pebble_future *job, int64_t began, enum pebble_limit *ret_limit)
{
    int64_t own = began ? job->timeout : job->queue_timeout;
    int64_t at = own ? pb_after(began ? began : job->queued_at, own) : INT64_MAX;
    int64_t end = job->deadline ? pb_after(job->scheduled, job->deadline) : INT64_MAX;
    *ret_limit = at > end ? PEBBLE_LIMIT_DEADLINE : began ? PEBBLE_LIMIT_TIMEOUT : PEBBLE_LIMIT_QUEUE_TIMEOUT;
    return at <= end ? at : end;
}

int pebble_future_wait(pebble_future *job, int64_t timeout)
{
    if (timeout < 0) return -EINVAL;
    if (timeout == 0 || pb_latch_state(&job->state) == PB_JOB_DONE) return pb_latch_wait(&job->state, PB_JOB_DONE, 0);
    int64_t deadline = timeout == PEBBLE_FOREVER ? INT64_MAX : pb_after(pb_now(), timeout);
    pb_pool_help(job->pool, job, deadline);
    int64_t left = deadline == INT64_MAX ? PEBBLE_FOREVER : deadline - pb_now();
    return pb_latch_wait(&job->state, PB_JOB_DONE, left > 0 ? left : 0);
}

int pebble_future_wait_gone(pebble_future *job, int64_t timeout)
{
    int64_t start = pb_now();
    int rc = pb_latch_wait(&job->state, PB_JOB_DONE, timeout);
    if (rc < 0 || timeout == PEBBLE_FOREVER) return rc < 0 ? rc : pb_latch_wait(&job->hold, PB_JOB_FREE, timeout);
    int64_t left = timeout - (pb_now() - start);
    return pb_latch_wait(&job->hold, PB_JOB_FREE, left > 0 ? left : 0);
}

const struct pebble_outcome *pebble_future_outcome(const pebble_future *job)
{
    return pb_latch_state(&job->state) == PB_JOB_DONE ? &job->outcome : NULL;
}

int pebble_future_on_done(pebble_future *job, pebble_callback callback, void *arg)
{
    return pb_callback_add(job, callback, arg, false);
}

int pebble_future_on_done_inline(pebble_future *job, pebble_callback callback, void *arg)
{
    return pb_callback_add(job, callback, arg, true);
}
