/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "shipping.h"
#include "clock.h"
#include "crew.h"
#include "dispatch.h"
#include "ending.h"
#include "output.h"
#include "queue.h"
#include "thrift.h"
#include "updates.h"
#include "watch.h"

#include <stdlib.h>
#include <sys/epoll.h>

#define MANY 8                   /* jobs with a worker, of which answers may add up for one bell */
#define LOOK_AGAIN (200 * 1000)  /* ns for which they may at most */
#define FRAMES 1024              /* more than a socket holds */

/* Whether it is among those that may be shipped one more job. */
void pb_shipping_update(struct pebble_pool *pool, struct pb_worker *worker)
{
    unsigned window = worker->output ? 1 : pb_dispatch_window(pool->average); /* what it writes is of one job */
    uint64_t left = pool->config.max_tasks ? pool->config.max_tasks - worker->served : UINT64_MAX;
    bool open = worker->state == PB_WORKER_BUSY && worker->link.live < window && worker->link.live < left &&
                !worker->link.leaves && !pb_hostlink_sending(&worker->link);
    if (open == worker->open) return;
    worker->open = open;
    if (open)
        TAILQ_INSERT_TAIL(&pool->open, worker, link_in_open);
    else
        TAILQ_REMOVE(&pool->open, worker, link_in_open);
}

/* --- jobs to workers --- */

/* Whether it is to be replaced. */
static bool has_done_enough(const struct pebble_pool *pool, struct pb_worker *worker)
{
    const struct pebble_pool_config *config = &pool->config;
    return (config->max_tasks && worker->served >= config->max_tasks) ||
           (config->max_memory && pb_hostlink_resident(&worker->link) > config->max_memory) ||
           (config->max_age && pb_now() - worker->born >= config->max_age);
}

bool pb_shipping_has_jobs(const struct pb_worker *worker)
{
    return worker->state == PB_WORKER_BUSY || worker->state == PB_WORKER_STOPPING;
}

/* After its last job: idle, or at the end of its tasks. */
static void finish_if_empty(struct pebble_pool *pool, struct pb_worker *worker)
{
    if (worker->link.live == 0) pb_thrift_idle(pool, worker);
    if (pb_shipping_has_jobs(worker) && worker->link.live == 0) {
        pb_crew_step(pool, worker, PB_WORKER_FINISHED);
        if (has_done_enough(pool, worker) || worker->terminated || worker->link.leaves) {
            pool->keeps_spares = true;
            pb_crew_step(pool, worker, PB_WORKER_RETIRED);
        }
    }
    pb_shipping_update(pool, worker);
}

static void watch_writable(struct pebble_pool *pool, struct pb_worker *worker)
{
    bool sending = pb_hostlink_sending(&worker->link);
    if (sending != worker->writing) pb_watch_writable(pool, worker->link.stream.fd, worker, sending);
    worker->writing = sending;
}

/* Whether the worker, which has it, is to have no other, and can leave behind it without being told. */
static bool is_last(const struct pebble_pool *pool, const struct pb_worker *worker, const struct pebble_future *job)
{
    uint64_t tasks = pool->config.max_tasks;
    return tasks && worker->served + worker->link.live == tasks && !job->procedure && !pool->finalizer.given;
}

static bool ship(struct pebble_pool *pool, struct pb_worker *worker, struct pebble_future *job, int64_t now)
{
    const struct pb_submission submission = {
        .tag = job,
        .offset = job->function.offset,
        .image = &job->function.image->id,
        .path = job->function.image->path,
        .name = job->name ? job->name : "",
        .input = job->input,
        .input_length = job->input_length,
        .updates = job->updates != NULL,
    };
    pb_queue_give_place(pool, job); /* before it can be seen to run */
    pb_output_begin_job(pool, worker);
    pb_oom_look(&pool->oom, now, PB_SECOND); /* so that what was before is not put down to its job */
    bool owed = worker->link.owes_bell;
    int rc = pb_hostlink_submit(&worker->link, &submission, now);
    if (rc == 0) return false;
    if (worker->link.owes_bell && !owed) TAILQ_INSERT_TAIL(&pool->owed, worker, link_in_owed);
    pool->live += !job->procedure;
    pb_thrift_used(pool, job->input_length);
    job->worker = worker;
    if (is_last(pool, worker, job)) pb_hostlink_leave_after(&worker->link);
    pb_queue_arm_limit(pool, job, 0, now);
    if (worker->state == PB_WORKER_IDLE) pb_crew_step(pool, worker, PB_WORKER_ASSIGNED);
    if (rc < 0) pb_crew_step(pool, worker, PB_WORKER_BROKEN);
    if (rc > 0) watch_writable(pool, worker);
    pb_shipping_update(pool, worker);
    return true;
}

void pb_shipping_ring(struct pebble_pool *pool)
{
    struct pb_worker *worker;
    while ((worker = TAILQ_FIRST(&pool->owed))) {
        TAILQ_REMOVE(&pool->owed, worker, link_in_owed);
        pb_hostlink_ring(&worker->link);
        watch_writable(pool, worker);
        pb_shipping_update(pool, worker);
    }
}

void pb_shipping_run_procedure(struct pebble_pool *pool, struct pb_worker *worker, const struct pb_procedure *procedure,
                               int64_t now)
{
    const struct pebble_part input = {procedure->input, procedure->length};
    struct pebble_future *job =
        pb_job_new(pool, &procedure->function, &input, input.length, &(struct pebble_job_options){0});
    pebble_future_unref(worker->procedure); /* of the beginning, when this is the end */
    worker->procedure = job;
    if (!job) {
        worker->start_error = ENOMEM;
        pb_crew_step(pool, worker, PB_WORKER_BROKEN);
        return;
    }
    job->procedure = true;
    ship(pool, worker, pebble_future_ref(job), now); /* into an empty link */
}

bool pb_shipping_assign(struct pebble_pool *pool, struct pebble_future *job, int64_t now)
{
    return ship(pool, TAILQ_FIRST(&pool->idle), job, now);
}

bool pb_shipping_fill(struct pebble_pool *pool, struct pebble_future *job, int64_t now)
{
    struct pb_worker *worker = TAILQ_FIRST(&pool->open);
    TAILQ_REMOVE(&pool->open, worker, link_in_open); /* to the end: each in its turn */
    worker->open = false;
    return ship(pool, worker, job, now);
}

bool pb_shipping_revoke(struct pebble_pool *pool, struct pebble_future *job)
{
    struct pb_worker *worker = job->worker;
    if (!pb_hostlink_revoke(&worker->link, job)) return false;
    if (worker->state == PB_WORKER_BUSY) pool->live--;
    job->worker = NULL;
    pb_shipping_call_off(worker);
    finish_if_empty(pool, worker);
    return true;
}

int64_t pb_shipping_began(struct pebble_future *job, int64_t now)
{
    return job->worker ? pb_hostlink_started(&job->worker->link, job, now) : 0;
}

/* --- answers from workers --- */

static void learn(struct pebble_pool *pool, int64_t ran)
{
    pool->average = pool->average ? pool->average + (ran - pool->average) / 8 : ran + 1;
}

static void settle_answer(struct pebble_pool *pool, struct pb_worker *worker, struct pb_collected *collected)
{
    struct pebble_future *job = collected->tag;
    struct pebble_outcome *outcome = &job->outcome;
    if (collected->answer == PB_ANSWER_NO_FUNCTION) {
        if (!pb_queue_settle(pool, job, PEBBLE_NOT_RUN, 0, 0)) return;
        outcome->cause = PEBBLE_CAUSE_NO_FUNCTION;
        outcome->error = ENOEXEC;
        return;
    }
    int code = collected->answer == PB_ANSWER_NO_MEMORY   ? -ENOMEM
               : collected->answer == PB_ANSWER_TOO_LARGE ? -EFBIG
                                                          : collected->code;
    enum pebble_status status = code == 0 ? PEBBLE_SUCCESS : PEBBLE_FAILURE;
    if (!pb_queue_settle_at(pool, job, status, collected->started, worker->proc.pid, collected->finished)) return;
    outcome->code = code;
    outcome->data = collected->data;
    outcome->length = (size_t)collected->length;
    collected->data = NULL;
}

static void on_answer(struct pebble_pool *pool, struct pb_worker *worker, struct pb_collected *collected)
{
    bool procedure = ((struct pebble_future *)collected->tag)->procedure;
    pb_thrift_used(pool, collected->length);
    if (!procedure) learn(pool, collected->finished - collected->started);
    pb_output_end_job(pool, worker, collected->tag);
    settle_answer(pool, worker, collected);
    free(collected->data);
    pb_queue_release(pool, collected->tag);
    pool->live -= !procedure && worker->state != PB_WORKER_STOPPING;
    worker->served += !procedure;
}

/* What is above its bound, or for which there is no memory, fails its job, and costs
 * the worker, who is not to be read any further. */
static void distrust(struct pebble_pool *pool, struct pb_worker *worker, int error)
{
    struct pebble_future *job = pb_hostlink_tag(&worker->link, 0);
    int64_t now = pb_now(), began = job ? pb_shipping_began(job, now) : 0;
    bool fails = job && (error == -EFBIG || error == -ENOMEM);
    if (fails && pb_queue_settle(pool, job, PEBBLE_FAILURE, began ? began : now, worker->proc.pid))
        job->outcome.code = error;
    pb_output_take(pool, worker);
    worker->condemned = true;
    pb_crew_step(pool, worker, PB_WORKER_BROKEN);
}

/* Answers that are seen to be there at one time. */
struct batch {
    uint64_t end;
    int64_t now;
};

/* The next of them. As pb_hostlink_collect. */
static int collect_one(struct pb_hostlink *link, struct batch *batch, struct pb_collected *ret_collected)
{
    if (link->collected >= batch->end) {
        uint32_t due = pb_hostlink_due(link);
        if (due == 0) return 0;
        *batch = (struct batch){link->collected + due, pb_now()};
    }
    return pb_hostlink_collect(link, batch->now, ret_collected);
}

/* Where a worker has many jobs, which are then short ones, it rings when half of
 * them are done: nobody is woken for each, and it does not run out of work. If one
 * of them takes long after all, the alarm finds what was done before it. */
bool pb_shipping_want_bell(struct pebble_pool *pool, struct pb_worker *worker, enum pb_bell bell)
{
    unsigned live = worker->link.live;
    bool many = worker->state == PB_WORKER_BUSY && live >= MANY && !worker->slow;
    if (many) pb_watch_arm(pool, &worker->look, pb_now() + LOOK_AGAIN);
    return pb_hostlink_want_bell(&worker->link, bell, many ? live / 2 : 1);
}

void pb_shipping_collect(struct pebble_pool *pool, struct pb_worker *worker)
{
    struct pb_collected collected;
    struct batch batch = {0};
    for (bool again = true; again;) {
        int rc;
        while ((rc = collect_one(&worker->link, &batch, &collected)) > 0)
            on_answer(pool, worker, &collected);
        if (rc < 0) {
            distrust(pool, worker, rc);
            return;
        }
        /* An answer whose reply is still on the stream makes that readable, and to be copied, writable. */
        again = !pb_shipping_want_bell(pool, worker, PB_BELL_ON_STREAM) && !pb_hostlink_awaits_rest(&worker->link);
    }
    watch_writable(pool, worker);
    finish_if_empty(pool, worker);
}

/* The next answer rings, whenever it comes. */
void pb_shipping_on_slow(struct pebble_pool *pool, struct pb_worker *worker)
{
    worker->slow = true;
    pb_shipping_look(pool, worker);
    worker->slow = false;
}

/* --- looking --- */

static void take_answers(struct pebble_pool *pool, struct pb_worker *worker)
{
    bool used = pb_shipping_has_jobs(worker) || worker->state == PB_WORKER_IDLE;
    bool in_procedure = worker->state != PB_WORKER_DYING && worker->procedure && !worker->procedure->settled;
    if (used || in_procedure) pb_shipping_collect(pool, worker);
    pb_shipping_call_off(worker);
}

/* A frame of its stream, if there is one. */
static bool read_frame(struct pebble_pool *pool, struct pb_worker *worker)
{
    struct pb_news update;
    int rc = pb_hostlink_read(&worker->link);
    if (pb_hostlink_take_update(&worker->link, &update)) pb_updates_put(update.tag, update.data, (size_t)update.length);
    worker->ready_once |= pb_hostlink_ready(&worker->link);
    worker->link.hurries |= rc < 0; /* it is the last look at it */
    take_answers(pool, worker);
    pb_crew_on_ready(pool, worker);
    if (rc >= 0) return rc > 0;
    pb_watch_remove(pool, worker->link.stream.fd);
    if (rc == -EPIPE)
        pb_crew_step(pool, worker, PB_WORKER_BROKEN);
    else
        distrust(pool, worker, rc);
    return false;
}

/* What it said before it died, and before that was found out. */
void pb_shipping_drain(struct pebble_pool *pool, struct pb_worker *worker)
{
    worker->link.hurries = true;
    take_answers(pool, worker);
    for (unsigned n = 0; n < FRAMES && pb_shipping_has_jobs(worker); n++)
        if (!read_frame(pool, worker)) return;
}

/* The reply of the next answer may lie on the stream, behind updates and bells. */
static void look(struct pebble_pool *pool, struct pb_worker *worker)
{
    take_answers(pool, worker);
    for (unsigned n = 0; n < FRAMES && worker->state != PB_WORKER_DYING && worker->state != PB_WORKER_GONE; n++)
        if (!pb_hostlink_awaits_rest(&worker->link) || !read_frame(pool, worker)) return;
}

void pb_shipping_look(struct pebble_pool *pool, struct pb_worker *worker)
{
    worker->link.hurries = true;
    look(pool, worker);
    worker->link.hurries = false;
}

void pb_shipping_on_link(struct pebble_pool *pool, struct pb_worker *worker, uint32_t events)
{
    if (worker->state == PB_WORKER_GONE || worker->state == PB_WORKER_DYING) return;
    if (events & ~(uint32_t)EPOLLOUT) read_frame(pool, worker); /* what is left makes it readable again */
    if ((events & EPOLLOUT) && worker->state != PB_WORKER_DYING) {
        if (pb_hostlink_flush(&worker->link) < 0) {
            pb_crew_step(pool, worker, PB_WORKER_BROKEN);
            return;
        }
        if (worker->link.reply_data) pb_shipping_collect(pool, worker);
        watch_writable(pool, worker);
        pb_shipping_update(pool, worker);
    }
}
