/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread of a pool is told by an order what to do, and sleeps until there is
 * one. It takes the pool's lock after each job, to settle it and to do a turn,
 * in which it may well be given the next. */
#include "compat.h"
#include "threads.h"
#include "call.h"
#include "clock.h"
#include "futex.h"
#include "loop.h"
#include "queue.h"
#include "sig.h"
#include "starting.h"
#include "updates.h"
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Thread_local const struct pb_thread *self;

bool pb_threads_is_self(const struct pebble_pool *pool)
{
    return self && self->pool == pool;
}

/* --- orders --- */

static void give_order(struct pb_thread *thread, enum pb_order order)
{
    if (atomic_exchange(&thread->order, order) == PB_NO_ORDER_ASLEEP) pb_futex_wake_all(&thread->order);
}

static enum pb_order take_order(struct pb_thread *thread)
{
    uint32_t none = PB_NO_ORDER;
    atomic_compare_exchange_strong(&thread->order, &none, PB_NO_ORDER_ASLEEP);
    while (atomic_load(&thread->order) == PB_NO_ORDER_ASLEEP)
        pb_futex_wait(&thread->order, PB_NO_ORDER_ASLEEP, INT64_MAX);
    return (enum pb_order)atomic_exchange(&thread->order, PB_NO_ORDER);
}

/* --- with the lock: where it is in its life --- */

static void enter(struct pb_thread *thread, enum pb_worker_state next)
{
    struct pebble_pool *pool = thread->pool;
    pool->by_state[thread->state]--;
    pool->by_state[next]++;
    if (thread->state == PB_WORKER_IDLE) {
        TAILQ_REMOVE(&pool->idle_threads, thread, link_in_state);
        pb_wheel_disarm(&pool->wheel, &thread->alarm.timer);
    }
    if (next == PB_WORKER_IDLE) {
        TAILQ_INSERT_HEAD(&pool->idle_threads, thread, link_in_state); /* the warmest first */
        if (pool->config.idle_timeout) pb_watch_arm(pool, &thread->alarm, pb_after(pb_now(), pool->config.idle_timeout));
    }
    thread->state = next;
    atomic_store_explicit(&pool->count.running, pool->by_state[PB_WORKER_BUSY], memory_order_relaxed);
}

static void let_leave(struct pb_thread *thread)
{
    enter(thread, PB_WORKER_LEAVING);
    give_order(thread, PB_ORDER_LEAVE);
}

/* After the start, or a job. */
static void go_on(struct pb_thread *thread)
{
    uint64_t max_tasks = thread->pool->config.max_tasks;
    enter(thread, PB_WORKER_IDLE);
    if (thread->leaves || (max_tasks && thread->served >= max_tasks)) let_leave(thread);
}

/* --- without the lock: calls --- */

/* Without a turn, and so without callbacks, in the middle of the user's function. */
static int say(void *teller, const void *data, size_t length)
{
    struct pb_thread *thread = teller;
    struct pebble_pool *pool = thread->pool;
    if (!thread->job || !thread->says) return 0;
    if (length > pool->config.max_payload) return -EFBIG;
    void *copy = length ? malloc(length) : NULL;
    if (length && !copy) return -ENOMEM;
    if (length) memcpy(copy, data, length);
    pb_loop_lock(pool);
    pb_updates_put(thread->job, copy, length);
    pb_loop_release(pool);
    return 0;
}

static int call_with(struct pb_thread *thread, pebble_function function, void *input, size_t length,
                     struct pebble_outcome *ret_reply)
{
    struct pebble_call call = {
        .input = input,
        .input_length = length,
        .resumption = -1,
        .unwanted = &thread->unwanted,
        .say = say,
        .teller = thread,
    };
    pb_call_enter(&call);
    int code = function(&call);
    pb_call_enter(NULL);
    if (call.out_of_memory) code = -ENOMEM;
    if (call.reply_length > thread->pool->config.max_payload) code = -EFBIG;
    if (code == -ENOMEM || code == -EFBIG || !call.reply_length) pb_call_done(&call);
    ret_reply->code = code;
    ret_reply->data = call.reply;
    ret_reply->length = call.reply ? call.reply_length : 0;
    return code;
}

static int run_procedure(struct pb_thread *thread, const struct pb_procedure *procedure,
                         struct pebble_outcome *ret_reply)
{
    *ret_reply = (struct pebble_outcome){.exit_code = -1};
    if (!procedure->given) return 0;
    return call_with(thread, procedure->entry, procedure->input, procedure->length, ret_reply);
}

static void drop(struct pebble_outcome *reply)
{
    free((void *)(uintptr_t)reply->data);
}

/* --- a thread's life --- */

/* With the lock. */
static void set_up(struct pb_thread *thread)
{
    struct pebble_pool *pool = thread->pool;
    struct pebble_outcome reply;
    pb_loop_unlock(pool);
    int code = run_procedure(thread, &pool->initializer, &reply);
    pb_loop_lock(pool);
    thread->usable = code == 0;
    if (thread->usable) {
        pool->failures = 0;
        go_on(thread);
    } else {
        enter(thread, PB_WORKER_GONE);
        pb_start_failed(pool, PEBBLE_CAUSE_INITIALIZER, 0, &reply, thread->born);
    }
    drop(&reply);
}

static void run_job(struct pb_thread *thread)
{
    struct pebble_pool *pool = thread->pool;
    struct pebble_future *job = thread->job;
    struct pebble_outcome reply;
    int code = call_with(thread, job->entry, job->input, job->input_length, &reply);

    pb_loop_lock(pool);
    if (pb_queue_settle(pool, job, code == 0 ? PEBBLE_SUCCESS : PEBBLE_FAILURE, thread->began, thread->id)) {
        job->outcome.code = reply.code;
        job->outcome.data = reply.data;
        job->outcome.length = reply.length;
    } else {
        drop(&reply);
    }
    thread->job = NULL;
    thread->served++;
    pool->live--;
    pb_queue_release(pool, job);
    go_on(thread);
    pb_loop_unlock(pool);
}

static void *thread_main(void *arg)
{
    struct pb_thread *thread = arg;
    struct pebble_pool *pool = thread->pool;
    self = thread;
    pb_loop_lock(pool);
    thread->id = gettid();
    set_up(thread);
    pb_loop_unlock(pool);
    while (thread->usable && take_order(thread) == PB_ORDER_RUN)
        run_job(thread);

    struct pebble_outcome reply;
    if (thread->usable) {
        run_procedure(thread, &pool->finalizer, &reply);
        drop(&reply);
    }
    pthread_mutex_lock(&pool->lock); /* no turn: from here on the loop thread may wait for our end */
    enter(thread, PB_WORKER_GONE);
    TAILQ_REMOVE(&pool->threads, thread, link_in_pool);
    TAILQ_INSERT_TAIL(&pool->gone_threads, thread, link_in_pool);
    atomic_fetch_sub(&pool->count.workers, 1);
    pb_inbox_ring(&pool->inbox);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* --- the engine --- */

static void start(struct pebble_pool *pool, int64_t now)
{
    struct pb_thread *thread = calloc(1, sizeof *thread);
    int rc = thread ? 0 : ENOMEM;
    if (thread) {
        thread->pool = pool;
        thread->born = now;
        thread->alarm.kind = PB_ALARM_WORKER;
        sigset_t old;
        pb_sig_block_all(&old);
        rc = pthread_create(&thread->thread, NULL, thread_main, thread);
        pb_sig_restore(&old);
    }
    if (rc) {
        free(thread);
        pb_start_failed(pool, PEBBLE_CAUSE_START, rc, NULL, now);
        return;
    }
    char name[16];
    snprintf(name, sizeof name, "%.9s-%u", pool->name, (unsigned)(++pool->next_worker % 100000));
    pthread_setname_np(thread->thread, name);
    pool->by_state[PB_WORKER_STARTING]++;
    TAILQ_INSERT_TAIL(&pool->threads, thread, link_in_pool);
    atomic_fetch_add(&pool->count.workers, 1);
    atomic_fetch_add(&pool->count.started, 1);
}

static bool assign(struct pebble_pool *pool, struct pebble_future *job, int64_t now)
{
    struct pb_thread *thread = TAILQ_FIRST(&pool->idle_threads);
    thread->job = job;
    thread->says = job->updates != NULL;
    thread->began = now > job->scheduled ? now : job->scheduled;
    atomic_store(&thread->unwanted, false);
    job->thread = thread;
    pool->live++;
    enter(thread, PB_WORKER_BUSY);
    pb_queue_give_place(pool, job);
    pb_queue_arm_limit(pool, job, thread->began, now);
    give_order(thread, PB_ORDER_RUN);
    return true;
}

static void retire(struct pebble_pool *pool)
{
    let_leave(TAILQ_FIRST(&pool->idle_threads));
}

static void end(struct pebble_pool *pool, struct pebble_future *job)
{
    (void)pool;
    atomic_store(&job->thread->unwanted, true);
}

static void stop(struct pebble_pool *pool, int64_t now)
{
    (void)now;
    struct pb_thread *thread;
    TAILQ_FOREACH(thread, &pool->threads, link_in_pool) {
        thread->leaves = true;
        if (thread->state == PB_WORKER_IDLE) let_leave(thread);
        if (!thread->job) continue;
        pb_queue_settle(pool, thread->job, PEBBLE_CANCELLED, thread->began, thread->id);
        end(pool, thread->job);
    }
    pb_queue_refuse(pool, PEBBLE_CAUSE_STOPPED, 0, NULL);
}

static void on_alarm(struct pebble_pool *pool, struct pb_alarm *alarm)
{
    (void)pool;
    struct pb_thread *thread = PB_ALARM_OWNER(alarm, struct pb_thread, alarm);
    if (thread->state == PB_WORKER_IDLE) let_leave(thread);
}

/* What threads do at their end, destructors among it, may need the lock. */
static void tidy(struct pebble_pool *pool)
{
    struct pb_thread_list gone = TAILQ_HEAD_INITIALIZER(gone);
    if (TAILQ_EMPTY(&pool->gone_threads)) return;
    TAILQ_CONCAT(&gone, &pool->gone_threads, link_in_pool);
    pthread_mutex_unlock(&pool->lock);
    bool worked = false;
    struct pb_thread *thread, *next;
    TAILQ_FOREACH_SAFE(thread, &gone, link_in_pool, next) {
        pthread_join(thread->thread, NULL);
        worked |= thread->usable;
        free(thread);
    }
    pthread_mutex_lock(&pool->lock);
    if (worked) pb_start_again(pool);
}

static bool at_rest(struct pebble_pool *pool)
{
    return TAILQ_EMPTY(&pool->threads) && TAILQ_EMPTY(&pool->gone_threads);
}

static int64_t began(struct pebble_future *job, int64_t now)
{
    (void)now;
    return job->thread ? job->thread->began : 0;
}

static int pid(const struct pebble_future *job)
{
    return job->thread ? job->thread->id : 0;
}

static void on_event(struct pebble_pool *pool, void *tag, uint32_t events)
{
    (void)pool, (void)tag, (void)events;
}

const struct pb_engine pb_threads = {
    .here = true,
    PB_ENGINE_ONE_AT_A_TIME,
    .assign = assign,
    .end = end,
    .began = began,
    .pid = pid,
    .start = start,
    .retire = retire,
    .stop = stop,
    .at_rest = at_rest,
    .on_event = on_event,
    .on_alarm = on_alarm,
    .tidy = tidy,
};
