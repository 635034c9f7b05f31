/* SPDX-License-Identifier: Apache-2.0
 * A pool over an engine that is a model: which job is next, where those go that
 * come back, what strikes whom, and how many may wait, compared with a list that
 * is searched. The pool's loop thread and limits are real, its workers are not. */
#include "chance.h"
#include "poolstate.h"
#include "loop.h"
#include "queue.h"
#include "support.h"

#include <stdatomic.h>
#include <string.h>

#define LIFE 5000 /* steps, until there is a new pool */
#define WORKERS 3
#define WINDOW 3  /* jobs that a worker may have */
#define PLACES 12 /* for jobs that wait */
#define JOBS 64
#define MAX_DEATHS 3
#define SHORT (20 * 1000) /* ns */

enum stage { NONE, IN_LINE, AHEAD, RUNNING, OVER };

/* A job as the model knows it. All of the model is guarded by the pool's lock. */
static struct job {
    enum stage stage;
    pebble_future *future;
    int priority;
    unsigned retries, deaths;
    bool placed, impatient, brief; /* its limits are so short that they strike at once */
    enum pebble_status status;     /* when it is over */
    bool began;                    /* before it was */
    atomic_int calls;
} jobs[JOBS];

static struct job *line[JOBS]; /* those that wait with the pool, the oldest first */
static unsigned line_length;

static struct model_worker {
    struct pb_worker worker; /* first; only its address, and its place in pool->open, count */
    struct job *jobs[WINDOW]; /* the first runs */
    struct pebble_future *futures[WINDOW];
    unsigned count;
    int64_t began;
    bool gone;
} workers[WORKERS];

static pebble_pool *pool;
static unsigned asked;
static atomic_uint asked_back;

/* --- the line --- */

static struct job *best(void)
{
    struct job *found = NULL;
    for (unsigned i = 0; i < line_length; i++)
        if (!found || line[i]->priority > found->priority) found = line[i];
    return found;
}

static void put_at(struct job *job, unsigned at)
{
    memmove(line + at + 1, line + at, (line_length++ - at) * sizeof *line);
    line[at] = job;
    job->stage = IN_LINE;
}

static void leave_line(const struct job *job)
{
    unsigned i = 0;
    while (line[i] != job)
        must(++i < line_length);
    memmove(line + i, line + i + 1, (--line_length - i) * sizeof *line);
}

static void end_as(struct job *job, enum pebble_status status)
{
    job->began = job->stage == RUNNING;
    job->stage = OVER;
    job->status = status;
    job->placed = false;
}

/* --- the engine --- */

static struct job *model_of(const struct pebble_future *future)
{
    unsigned i;
    memcpy(&i, future->input, sizeof i);
    return &jobs[i];
}

static struct model_worker *worker_of(const struct pebble_future *future)
{
    return (struct model_worker *)future->worker;
}

/* Into the list of those that may have one more, or out of it, and busy or idle. */
static void update(struct model_worker *worker, unsigned before)
{
    bool was_open = before && before < WINDOW, is_open = worker->count && worker->count < WINDOW;
    if (was_open && !is_open) TAILQ_REMOVE(&pool->open, &worker->worker, link_in_open);
    if (!was_open && is_open) TAILQ_INSERT_TAIL(&pool->open, &worker->worker, link_in_open);
    if (!before == !worker->count) return;
    pool->by_state[worker->count ? PB_WORKER_IDLE : PB_WORKER_BUSY]--;
    pool->by_state[worker->count ? PB_WORKER_BUSY : PB_WORKER_IDLE]++;
}

static void begin_first(struct model_worker *worker, int64_t now)
{
    worker->jobs[0]->stage = RUNNING;
    worker->jobs[0]->placed = false;
    worker->began = now;
    pb_queue_give_place(pool, worker->futures[0]);
    pb_queue_arm_limit(pool, worker->futures[0], now, now);
}

static void give(struct model_worker *worker, struct pebble_future *future, int64_t now)
{
    struct job *job = model_of(future);
    must(job == best());
    leave_line(job);
    worker->jobs[worker->count] = job;
    worker->futures[worker->count] = future;
    future->worker = &worker->worker;
    pool->live++;
    job->stage = AHEAD;
    if (worker->count++ == 0)
        begin_first(worker, now);
    else
        pb_queue_arm_limit(pool, future, 0, now);
    update(worker, worker->count - 1);
}

static struct pebble_future *take(struct model_worker *worker, unsigned n)
{
    struct pebble_future *future = worker->futures[n];
    unsigned before = worker->count--;
    memmove(worker->jobs + n, worker->jobs + n + 1, (worker->count - n) * sizeof *worker->jobs);
    memmove(worker->futures + n, worker->futures + n + 1, (worker->count - n) * sizeof *worker->futures);
    future->worker = NULL;
    pool->live--;
    update(worker, before);
    return future;
}

/* What waits behind the first goes back, and keeps its order. */
static void take_others_back(struct model_worker *worker)
{
    while (worker->count > 1) {
        struct pebble_future *future = take(worker, worker->count - 1);
        put_at(model_of(future), 0);
        pb_queue_put_first(pool, future);
    }
}

static bool assign(struct pebble_pool *its, struct pebble_future *future, int64_t now)
{
    struct model_worker *worker = workers;
    must(its == pool);
    while (worker->count || worker->gone)
        must(++worker < workers + WORKERS);
    give(worker, future, now);
    return true;
}

static bool fill(struct pebble_pool *its, struct pebble_future *future, int64_t now)
{
    must(its == pool);
    for (int i = 0; i < WORKERS; i++)
        must(workers[i].gone || workers[i].count); /* else it was for the idle one */
    give((struct model_worker *)TAILQ_FIRST(&pool->open), future, now);
    return true;
}

static struct pebble_future *steal(struct pebble_pool *its, int64_t now)
{
    (void)its, (void)now;
    struct model_worker *worker = workers;
    must(line_length == 0);
    while (worker->count < 2)
        must(++worker < workers + WORKERS);
    struct pebble_future *future = take(worker, worker->count - 1);
    put_at(model_of(future), 0);
    return future;
}

static void look(struct pebble_pool *its, struct pebble_future *future)
{
    (void)its, (void)future;
}

static bool take_back(struct pebble_pool *its, struct pebble_future *future)
{
    (void)its;
    struct model_worker *worker = worker_of(future);
    unsigned n = 0;
    while (worker->futures[n] != future)
        n++;
    if (n) take(worker, n);
    return n;
}

static bool single_out(struct pebble_pool *its, struct pebble_future *future)
{
    (void)its;
    take_others_back(worker_of(future));
    return true;
}

static void end(struct pebble_pool *its, struct pebble_future *future)
{
    struct job *job = model_of(future);
    must(its == pool && worker_of(future)->futures[0] == future);
    end_as(job, job->brief ? PEBBLE_TIMEOUT : PEBBLE_CANCELLED);
    take(worker_of(future), 0);
    pb_queue_release(pool, future);
}

static int64_t began(struct pebble_future *future, int64_t now)
{
    (void)now;
    struct model_worker *worker = worker_of(future);
    return worker && worker->futures[0] == future ? worker->began : 0;
}

static int pid(const struct pebble_future *future)
{
    return future->worker ? 1 : 0;
}

static void wait_for(struct pebble_pool *its, struct pebble_future *future, int64_t deadline)
{
    (void)its, (void)future, (void)deadline;
}

static void start(struct pebble_pool *its, int64_t now)
{
    (void)its, (void)now;
    must(!"all workers are there");
}

static void retire(struct pebble_pool *its)
{
    struct model_worker *worker = workers;
    must(its == pool && line_length == 0);
    while (worker->count || worker->gone)
        must(++worker < workers + WORKERS);
    worker->gone = true;
    pool->by_state[PB_WORKER_IDLE]--;
}

static void stop(struct pebble_pool *its, int64_t now)
{
    (void)now;
    must(its == pool);
    for (struct model_worker *worker = workers; worker < workers + WORKERS; worker++) {
        if (worker->gone) continue;
        take_others_back(worker);
        if (worker->count) {
            pb_queue_settle(pool, worker->futures[0], PEBBLE_CANCELLED, worker->began, 1);
            worker->jobs[0]->brief = false;
            end(pool, worker->futures[0]);
        }
        worker->gone = true;
        pool->by_state[PB_WORKER_IDLE]--;
    }
    while (line_length) {
        end_as(line[0], PEBBLE_NOT_RUN);
        leave_line(line[0]);
    }
    pb_queue_refuse(pool, PEBBLE_CAUSE_STOPPED, 0, NULL);
}

static bool at_rest(struct pebble_pool *its)
{
    (void)its;
    return pool->by_state[PB_WORKER_IDLE] + pool->by_state[PB_WORKER_BUSY] == 0;
}

static void on_event(struct pebble_pool *its, void *tag, uint32_t events)
{
    (void)its, (void)tag, (void)events;
}

static void on_alarm(struct pebble_pool *its, struct pb_alarm *alarm)
{
    (void)its, (void)alarm;
}

static void nothing(struct pebble_pool *its)
{
    (void)its;
}

static const struct pb_engine model_engine = {
    .here = true,
    .assign = assign,
    .fill = fill,
    .steal = steal,
    .look = look,
    .take_back = take_back,
    .single_out = single_out,
    .end = end,
    .began = began,
    .pid = pid,
    .wait = wait_for,
    .start = start,
    .retire = retire,
    .stop = stop,
    .at_rest = at_rest,
    .on_event = on_event,
    .on_alarm = on_alarm,
    .tidy = nothing,
    .leave = nothing,
};

/* --- what happens --- */

static void lock_model(void)
{
    pthread_mutex_lock(&pool->lock); /* and no turn at the end */
}

static void unlock_model(void)
{
    pthread_mutex_unlock(&pool->lock);
}

static unsigned places_taken(void)
{
    unsigned taken = 0;
    for (int i = 0; i < JOBS; i++)
        taken += jobs[i].placed;
    return taken;
}

static void count_call(pebble_future *future, void *calls)
{
    (void)future;
    atomic_fetch_add((atomic_int *)calls, 1);
}

static void count_answer(void *arg)
{
    (void)arg;
    atomic_fetch_add(&asked_back, 1);
}

static int job_never_called(pebble_call *call)
{
    (void)call;
    return 1;
}

static void schedule_one(void)
{
    unsigned i = 0;
    while (jobs[i].stage != NONE)
        must(++i < JOBS);
    struct job *job = &jobs[i];
    lock_model();
    bool room = places_taken() < PLACES;
    memset(job, 0, sizeof *job);
    job->priority = once_in(2) ? 0 : (int)chance(PB_LEVELS) + PEBBLE_PRIORITY_MIN;
    job->retries = once_in(2) ? 0 : chance(4);
    job->impatient = once_in(100) && !job->retries;
    job->brief = once_in(100) && !job->retries && !job->impatient;
    job->placed = room;
    if (room) put_at(job, line_length);
    unlock_model();
    const struct pebble_job_options options = {
        .priority = job->priority,
        .retries = job->retries,
        .queue_timeout = job->impatient ? 1 : 0,
        .timeout = job->brief ? SHORT : 0,
    };
    must(pebble_pool_schedule(pool, job_never_called, &i, sizeof i, &options, &job->future) == (room ? 0 : -EAGAIN));
    if (room) must(pebble_future_on_done_inline(job->future, count_call, &job->calls) == 0);
}

static struct model_worker *any_busy(void)
{
    struct model_worker *worker = &workers[chance(WORKERS)];
    return worker->count ? worker : NULL;
}

static void after_first(struct model_worker *worker)
{
    if (worker->count) begin_first(worker, worker->began + 1);
}

static void finish_one(void)
{
    pb_loop_lock(pool);
    struct model_worker *worker = any_busy();
    if (worker) {
        struct job *job = worker->jobs[0];
        must(pb_queue_settle(pool, worker->futures[0], PEBBLE_SUCCESS, worker->began, 1));
        end_as(job, PEBBLE_SUCCESS);
        pb_queue_release(pool, take(worker, 0));
        after_first(worker);
    }
    pb_loop_unlock(pool);
}

/* A worker dies, and another is there at once. */
static void kill_one(void)
{
    pb_loop_lock(pool);
    struct model_worker *worker = any_busy();
    if (worker) {
        take_others_back(worker);
        struct job *job = worker->jobs[0];
        struct pebble_future *future = take(worker, 0);
        future->deaths++;
        if (job->retries && ++job->deaths < MAX_DEATHS) {
            job->retries--;
            future->retries--;
            put_at(job, line_length);
            pb_queue_put_again(pool, future, worker->began);
        } else {
            must(pb_queue_settle(pool, future, PEBBLE_EXPIRED, worker->began, 1));
            end_as(job, PEBBLE_EXPIRED);
            pb_queue_release(pool, future);
        }
    }
    pb_loop_unlock(pool);
}

static void cancel_one(void)
{
    struct job *job = &jobs[chance(JOBS)];
    if (job->stage == NONE || job->stage == OVER) return;
    enum stage stage = job->stage;
    lock_model();
    if (stage == IN_LINE) leave_line(job);
    if (stage != RUNNING) end_as(job, PEBBLE_CANCELLED);
    unlock_model();
    enum pebble_cancellation wanted = stage == RUNNING ? PEBBLE_CANCEL_WAS_RUNNING : PEBBLE_CANCEL_NEVER_STARTED;
    must(pebble_future_cancel(job->future) == wanted);
    must(pebble_future_cancel(job->future) == PEBBLE_CANCEL_TOO_LATE);
}

/* Limits that strike at once do, on the loop thread. */
static void await_limits(void)
{
    for (int i = 0; i < JOBS; i++) {
        struct job *job = &jobs[i];
        lock_model();
        enum stage stage = job->stage;
        unlock_model();
        bool waits = stage == IN_LINE || stage == AHEAD;
        if (!(job->impatient && waits) && !(job->brief && stage == RUNNING)) continue;
        must(pebble_future_wait(job->future, PATIENCE) == 0);
        const struct pebble_outcome *outcome = pebble_future_outcome(job->future);
        must(outcome->limit == (job->brief ? PEBBLE_LIMIT_TIMEOUT : PEBBLE_LIMIT_QUEUE_TIMEOUT));
        lock_model();
        if (job->stage == IN_LINE) leave_line(job);
        if (job->stage != OVER) end_as(job, PEBBLE_TIMEOUT);
        unlock_model();
        i = -1; /* it may have made room for another */
    }
}

static void reap(void)
{
    for (struct job *job = jobs; job < jobs + JOBS; job++) {
        if (job->stage != OVER) continue;
        must(pebble_future_wait(job->future, PATIENCE) == 0);
        const struct pebble_outcome *outcome = pebble_future_outcome(job->future);
        must(outcome->status == job->status && outcome->started == job->began);
        must(outcome->deaths == job->deaths + (job->status == PEBBLE_EXPIRED && !job->retries));
        must(pebble_future_wait_gone(job->future, PATIENCE) == 0);
        while (!atomic_load(&job->calls)) /* the other thread is about to */
            sched_yield();
        must(job->calls == 1);
        pebble_future_unref(job->future);
        job->stage = NONE;
    }
}

/* What no turn leaves behind. */
static void check_rest(void)
{
    unsigned busy = 0, idle = 0, ahead = 0;
    bool open = false;
    for (int i = 0; i < WORKERS; i++) {
        busy += workers[i].count > 0;
        idle += !workers[i].count && !workers[i].gone;
        ahead += workers[i].count > 1;
        open |= workers[i].count && workers[i].count < WINDOW;
    }
    must(!idle || (line_length == 0 && ahead == 0));
    must(!line_length || !open);
    must(pool->queued == line_length);
    must(pb_queue_first(pool) == (line_length ? best()->future : NULL));
    must(pb_wheel_check(&pool->wheel));
}

static void check(void)
{
    await_limits();
    reap();
    pb_loop_lock(pool);
    pb_loop_unlock(pool); /* whatever was left in the inbox */
    lock_model();
    check_rest();
    bool room = places_taken() < PLACES;
    unlock_model();
    if (!room) return;
    while (atomic_load(&asked_back) != asked) /* the other thread may be calling */
        sched_yield();
}

static void ask_for_room(void)
{
    must(pebble_pool_on_room(pool, count_answer, NULL) == 0);
    asked++;
    must(atomic_load(&asked_back) <= asked);
}

static void step(void)
{
    switch (chance(16)) {
    case 0: case 1: case 2: case 3: case 4: case 5: schedule_one(); break;
    case 6: case 7: case 8: case 9: case 10: finish_one(); break;
    case 11: case 12: kill_one(); break;
    case 13: case 14: cancel_one(); break;
    case 15: ask_for_room(); break;
    }
    check();
}

static void begin(void)
{
    const struct pebble_pool_config config = {
        .max_workers = WORKERS, .spare_workers = PEBBLE_NO_SPARES, .max_queued = PLACES, .max_deaths = MAX_DEATHS};
    memset(workers, 0, sizeof workers);
    must(pb_pool_make(&model_engine, &config, NULL, &pool) == 0);
    lock_model();
    pool->by_state[PB_WORKER_IDLE] = WORKERS;
    unlock_model();
    asked = asked_back = 0;
}

static void finish(void)
{
    pebble_future *future;
    if (once_in(2))
        pebble_pool_stop(pool);
    else
        pebble_pool_close(pool);
    must(pebble_pool_schedule(pool, job_never_called, NULL, 0, NULL, &future) == -ESHUTDOWN);
    for (;;) {
        lock_model();
        bool busy = workers[0].count + workers[1].count + workers[2].count + line_length;
        unlock_model();
        if (!busy) break;
        finish_one();
        await_limits();
    }
    must(pebble_pool_join(pool, PATIENCE) == 0);
    must(asked_back == asked);
    reap();
    for (int i = 0; i < WORKERS; i++)
        must(workers[i].gone);
    must(statistics_of(pool).queued == 0 && statistics_of(pool).running == 0);
    pebble_pool_unref(pool);
}

START_TEST(random_turns_agree_with_a_list_that_is_searched)
{
    chance_begin(1);
    for (size_t done = 0, steps = chance_steps(); done < steps;) {
        begin();
        for (unsigned life = chance(2 * LIFE); life > 0; life--, done++)
            step();
        finish();
    }
}
END_TEST

Suite *turns_model_suite(void)
{
    Suite *suite = suite_create("turns_model");
    TCase *tests = group(suite, "turns_model", 120);
    tcase_add_test(tests, random_turns_agree_with_a_list_that_is_searched);
    return suite;
}
