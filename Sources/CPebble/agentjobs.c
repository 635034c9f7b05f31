/* SPDX-License-Identifier: Apache-2.0
 *
 * A job is known from its SUBMIT until its RESULT, or, where its process is
 * still to be got rid of then, until its GONE. */
#include "compat.h"
#include "agent.h"
#include "autopsy.h"
#include "clock.h"
#include "job.h"
#include "loop.h"
#include "pebble/update.h"

#include <stdlib.h>
#include <string.h>

#define BEHIND ((size_t)4 << 20) /* bytes to be sent at which workers that write have to wait */

/* With the lock. */
static void forget(struct pb_agent_job *job)
{
    pebble_future_unref(job->future);
    pebble_queue_unref(job->updates);
    *job = (struct pb_agent_job){.agent = job->agent};
}

void pb_agent_forward(struct pb_agent_job *job)
{
    void *item;
    while (job->updates && pebble_queue_get(job->updates, 0, &item) == 0) {
        struct pebble_update *update = item;
        pb_update_write(&job->agent->outgoing, job->number, update->data, update->length);
        pebble_update_free(update);
    }
}

/* With the pool's lock. */
static void on_free(void *arg)
{
    struct pb_agent_job *job = arg;
    struct pb_agent *agent = job->agent;
    pthread_mutex_lock(&agent->lock);
    pb_wire_say(&agent->outgoing, PB_WIRE_GONE, job->number);
    forget(job);
    pb_agent_flush(agent);
    pthread_mutex_unlock(&agent->lock);
}

/* On the pool's thread for callbacks, behind the lines that the job has written. */
static void on_done(pebble_future *future, void *arg)
{
    struct pb_agent_job *job = arg;
    struct pb_agent *agent = job->agent;
    struct pb_result result = {
        .outcome = *pebble_future_outcome(future),
        .crash = pb_autopsy_record(pebble_future_outcome(future)->crash),
        .progress = future->progress,
        .gone = pb_latch_state(&future->hold) == PB_JOB_FREE,
    };
    pthread_mutex_lock(&agent->lock);
    pb_agent_forward(job);
    pb_result_write(&agent->outgoing, job->number, &result);
    if (result.gone) forget(job);
    pb_agent_flush(agent);
    pthread_mutex_unlock(&agent->lock);
    if (result.gone) return;
    pb_loop_lock(agent->pool);
    if (!pb_job_on_free(future, on_free, job)) on_free(job);
    pb_loop_release(agent->pool);
}

/* The pool would not take it: nothing but that is to be said of it. */
static void refuse(struct pb_agent *agent, uint64_t number, enum pebble_cause cause, int error)
{
    const struct pb_result result = {
        .outcome = {.status = PEBBLE_NOT_RUN, .cause = cause, .error = error, .exit_code = -1}, .gone = true};
    pthread_mutex_lock(&agent->lock);
    pb_result_write(&agent->outgoing, number, &result);
    pb_agent_flush(agent);
    pthread_mutex_unlock(&agent->lock);
}

static int schedule(struct pb_agent *agent, const struct pb_submit *submit, pebble_function function,
                    pebble_queue *updates, pebble_future **ret_future)
{
    const struct pebble_job_options options = {
        .name = submit->name, .timeout = submit->timeout, .deadline = submit->deadline, .updates = updates};
    return pebble_pool_schedule(agent->pool, function, submit->input, submit->length, &options, ret_future);
}

static bool begin(struct pb_agent *agent, uint64_t number, const struct pb_submit *submit, pebble_function function)
{
    struct pb_agent_job *job = &agent->jobs[PB_PLACE_OF(number)];
    pebble_queue *updates = NULL;
    pebble_future *future;
    if (submit->updates && pebble_queue_new(0, pebble_update_free, &updates) < 0) return false;
    if (updates && pebble_queue_fd(updates) < 0) {
        pebble_queue_unref(updates);
        return false;
    }
    int rc = schedule(agent, submit, function, updates, &future);
    if (rc < 0) {
        pebble_queue_unref(updates);
        refuse(agent, number, rc == -ESHUTDOWN ? PEBBLE_CAUSE_STOPPED : PEBBLE_CAUSE_START, -rc);
        return true;
    }
    pthread_mutex_lock(&agent->lock);
    job->number = number;
    job->future = future;
    job->updates = updates;
    pebble_future_ref(future); /* for the call that follows */
    pthread_mutex_unlock(&agent->lock);
    rc = pebble_future_on_done(future, on_done, job);
    pebble_future_unref(future);
    return rc == 0;
}

bool pb_agent_submit(struct pb_agent *agent, const struct pb_wire_frame *frame)
{
    struct pb_submit submit;
    if (!agent->pool || !frame->job || !pb_submit_read(frame, &submit)) return false;
    if (PB_PLACE_OF(frame->job) >= agent->places) return false;
    pthread_mutex_lock(&agent->lock);
    bool taken = agent->jobs[PB_PLACE_OF(frame->job)].number != 0;
    pthread_mutex_unlock(&agent->lock);
    if (taken) return false;
    pebble_function function = pb_image_resolve(&submit.place.id, submit.place.offset, submit.place.path);
    if (function) return begin(agent, frame->job, &submit, function);
    refuse(agent, frame->job, PEBBLE_CAUSE_NO_FUNCTION, 0);
    return true;
}

/* One that is not known any more has its result already, which is on its way. */
bool pb_agent_cancel(struct pb_agent *agent, const struct pb_wire_frame *frame)
{
    if (!frame->job || frame->length || PB_PLACE_OF(frame->job) >= agent->places) return false;
    struct pb_agent_job *job = &agent->jobs[PB_PLACE_OF(frame->job)];
    pthread_mutex_lock(&agent->lock);
    pebble_future *future = job->number == frame->job ? pebble_future_ref(job->future) : NULL;
    pthread_mutex_unlock(&agent->lock);
    if (future) pebble_future_cancel(future);
    pebble_future_unref(future);
    return true;
}

void pb_agent_on_output(const struct pebble_output_line *line, void *arg)
{
    struct pb_agent *agent = arg;
    size_t waiting;
    pthread_mutex_lock(&agent->lock);
    for (;;) {
        pb_wire_out_bytes(&agent->outgoing, &waiting);
        if (waiting < BEHIND) break;
        pthread_cond_wait(&agent->sent, &agent->lock);
    }
    pb_line_write(&agent->outgoing, line);
    pb_agent_flush(agent);
    pthread_mutex_unlock(&agent->lock);
}
