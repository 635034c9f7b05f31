/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "loop.h"
#include "clock.h"
#include "dispatch.h"
#include "nodes.h"
#include "output.h"
#include "queue.h"
#include "sig.h"
#include "watch.h"

#include <pthread.h>
#include <sys/epoll.h>

#define EVENTS 64

static void time_out(struct pebble_pool *pool, struct pebble_future *job, int64_t began, enum pebble_limit limit)
{
    pb_queue_settle_timeout(pool, job, began, pool->engine->pid(job), limit);
    if (began) {
        pool->engine->end(pool, job);
        return;
    }
    pb_queue_release(pool, job);
}

/* A limit may have struck: of a job that was shipped, only its worker knows since when it runs. */
static void on_limit(struct pebble_pool *pool, struct pebble_future *job, int64_t now)
{
    const struct pb_engine *engine = pool->engine;
    if (pb_job_is_held(job)) engine->look(pool, job);
    if (job->settled) return;
    enum pebble_limit limit;
    int64_t began = engine->began(job, now);
    bool struck = pb_job_limit(job, began, &limit) <= now;
    if (struck && !began && pb_job_is_held(job) && !engine->take_back(pool, job)) {
        began = engine->began(job, now); /* it began this moment, or will when its input is sent */
        if (!began) began = now;
        struck = pb_job_limit(job, began, &limit) <= now;
    }
    if (struck && began && !engine->single_out(pool, job)) return;
    if (struck && began && engine->awaits_dump && engine->awaits_dump(pool, job, now)) return;
    if (struck)
        time_out(pool, job, began, limit);
    else
        pb_queue_arm_limit(pool, job, began, now);
}

static void run_timers(struct pebble_pool *pool, int64_t now)
{
    pb_wheel_advance(&pool->wheel, now);
    struct pb_timer *timer;
    while ((timer = pb_wheel_expired(&pool->wheel))) {
        struct pb_alarm *alarm = (struct pb_alarm *)timer;
        switch (alarm->kind) {
        case PB_ALARM_JOB: {
            struct pebble_future *job = pebble_future_ref(PB_ALARM_OWNER(alarm, struct pebble_future, alarm));
            on_limit(pool, job, now);
            pebble_future_unref(job);
            break;
        }
        case PB_ALARM_LOOK:
        case PB_ALARM_THRIFT:
        case PB_ALARM_WORKER: pool->engine->on_alarm(pool, alarm); break;
        case PB_ALARM_BACKOFF:
        case PB_ALARM_STEAL: break; /* that it is disarmed is the message to dispatch */
        }
    }
}

/* --- the turn --- */

/* After a failed start one is tried at a time, when it is known what became of those under way. */
static bool may_start(const struct pebble_pool *pool)
{
    bool open_question = pool->stillborn || (pool->failures && pool->by_state[PB_WORKER_STARTING]);
    return !atomic_load(&pool->broken) && !pb_timer_armed(&pool->backoff.timer) && !open_question;
}

static enum pb_action next_action(struct pebble_pool *pool)
{
    const struct pb_dispatch view = {
        .queued = pool->queued,
        .idle = pool->by_state[PB_WORKER_IDLE],
        .busy = pool->by_state[PB_WORKER_BUSY],
        .starting = pool->by_state[PB_WORKER_STARTING],
        .max_workers = atomic_load_explicit(&pool->max_workers, memory_order_relaxed),
        .spares = pool->keeps_spares ? (unsigned)pool->config.spare_workers : 0,
        .ahead = pool->live - pool->by_state[PB_WORKER_BUSY],
        .open = !TAILQ_EMPTY(&pool->open),
        .closing = atomic_load(&pool->phase) != PB_POOL_OPEN,
        .may_start = may_start(pool),
        .may_drop = pool->engine->drop != NULL,
    };
    return pb_dispatch_next(&view);
}

/* Ships the first job of the queue. False: it could not be. */
static bool ship_first(struct pebble_pool *pool, enum pb_action action, int64_t now)
{
    struct pebble_future *job = pb_queue_first(pool);
    pb_queue_remove(pool, job);
    if (action == PB_ASSIGN ? pool->engine->assign(pool, job, now) : pool->engine->fill(pool, job, now)) return true;
    pb_queue_put_first(pool, job);
    return false;
}

/* Only the loop thread starts workers, which takes a while: another thread
 * leaves that to it. */
static void dispatch(struct pebble_pool *pool, bool is_loop, int64_t now)
{
    if (atomic_load(&pool->phase) == PB_POOL_STOPPED) {
        pool->engine->stop(pool, now);
        return;
    }
    bool none = pool->by_state[PB_WORKER_STARTING] + pool->by_state[PB_WORKER_IDLE] + pool->by_state[PB_WORKER_BUSY] == 0;
    if (atomic_load(&pool->broken) && none) pb_queue_refuse(pool, PEBBLE_CAUSE_NO_ENTRY, ENOEXEC, NULL);
    if (pb_output_is_clogged(pool)) return; /* who makes it less rings */
    for (;;) {
        enum pb_action action = next_action(pool);
        switch (action) {
        case PB_ASSIGN:
        case PB_FILL:
            if (!ship_first(pool, action, now) && action == PB_ASSIGN) return; /* its worker will ring */
            break;
        case PB_START:
            if (!is_loop) {
                pb_inbox_ring(&pool->inbox);
                return;
            }
            pool->engine->start(pool, now);
            break;
        case PB_RETIRE: pool->engine->retire(pool); break;
        case PB_DROP: pool->engine->drop(pool); break;
        case PB_STEAL: {
            struct pebble_future *job = pool->engine->steal(pool, now);
            if (!job) return;
            pb_queue_put_first(pool, job);
            break;
        }
        case PB_REST: return;
        }
    }
}

/* --- the lock --- */

void pb_loop_lock(struct pebble_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
}

/* Gives it back, and then wakes the workers that were given something. */
static void give_back(struct pebble_pool *pool)
{
    const struct pb_wakes wakes = pool->wakes;
    pool->wakes.count = 0;
    pthread_mutex_unlock(&pool->lock);
    pb_wakes_do(&wakes);
}

/* The pool for which this thread is calling back. */
static _Thread_local const struct pebble_pool *delivering;

bool pb_loop_is_delivering(const struct pebble_pool *pool)
{
    return delivering == pool;
}

static void deliver(struct pebble_pool *pool, struct pb_job_list *deliveries)
{
    const struct pebble_pool *outer = delivering;
    delivering = pool;
    struct pebble_future *job, *next;
    uint64_t published = 0;
    /* Whoever is woken for one of them finds all done, and needs not wait for the next. */
    TAILQ_FOREACH(job, deliveries, link)
        pb_job_publish(job);
    TAILQ_FOREACH_SAFE(job, deliveries, link, next) {
        pb_job_announce(job);
        pebble_future_unref(job);
        published++;
    }
    if (published) atomic_fetch_add(&pool->count.published, published);
    delivering = outer;
    /* The loop may wait for just this to come to rest. */
    if (!TAILQ_EMPTY(deliveries) && atomic_load(&pool->phase) != PB_POOL_OPEN) pb_inbox_ring(&pool->inbox);
}

void pb_loop_call_askers(struct pebble_pool *pool)
{
    if (!pb_room_owes_call(&pool->room)) return;
    const struct pebble_pool *outer = delivering;
    delivering = pool;
    pb_room_call(&pool->room);
    delivering = outer;
    if (atomic_load(&pool->phase) != PB_POOL_OPEN) pb_inbox_ring(&pool->inbox); /* as above */
}

/* Whether there is something in the inbox, and this thread got the lock to see to it. */
static bool take_lock_for_inbox(struct pebble_pool *pool)
{
    atomic_thread_fence(memory_order_seq_cst);
    return !pb_inbox_empty(&pool->inbox) && pthread_mutex_trylock(&pool->lock) == 0;
}

static void unlock(struct pebble_pool *pool, bool is_loop, int64_t now)
{
    for (;;) {
        pb_queue_read_inbox(pool);
        dispatch(pool, is_loop, now);
        if (pool->engine->ring) pool->engine->ring(pool);
        pb_watch_set_timer(pool);
        struct pb_job_list deliveries = TAILQ_HEAD_INITIALIZER(deliveries);
        TAILQ_CONCAT(&deliveries, &pool->deliveries, link);
        give_back(pool);
        deliver(pool, &deliveries);
        pb_loop_call_askers(pool);
        if (!take_lock_for_inbox(pool)) return;
        now = pb_now();
    }
}

void pb_loop_unlock(struct pebble_pool *pool)
{
    unlock(pool, false, pb_now());
}

void pb_loop_release(struct pebble_pool *pool)
{
    give_back(pool);
    atomic_thread_fence(memory_order_seq_cst);
    if (!pb_inbox_empty(&pool->inbox)) pb_inbox_ring(&pool->inbox); /* who left it there may have found the lock taken */
}

void pb_loop_notice(struct pebble_pool *pool, int64_t now)
{
    if (take_lock_for_inbox(pool)) unlock(pool, false, now);
}

/* --- the thread --- */

static void on_events(struct pebble_pool *pool, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        void *tag = events[i].data.ptr;
        if (tag == &pool->inbox)
            pb_inbox_hush(&pool->inbox);
        else if (tag == &pool->timer)
            pb_watch_on_timer(pool);
        else
            pool->engine->on_event(pool, tag, events[i].events);
    }
}

/* One turn. What a step finds to do for an earlier one waits for the next turn;
 * nothing waits for anything but the next event. */
static void turn(struct pebble_pool *pool)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(pool->epoll, events, EVENTS, -1);
    if (count < 0 && errno == EINTR) return; /* no signal is for this thread, but a debugger may stop it */
    while (count < 0) /* the program has closed what is ours, and what has its number now is not */
        pause();
    pb_loop_lock(pool);
    on_events(pool, events, count); /* 1. answers, and packets of the server */
    run_timers(pool, pb_now());     /* 2. limits */
    pool->engine->tidy(pool);       /* 3. what no event can name any more */
    unlock(pool, true, pb_now());   /* 4. the inbox  5. jobs to workers  6. outcomes to their futures */
}

static bool at_rest(struct pebble_pool *pool)
{
    if (atomic_load(&pool->phase) == PB_POOL_OPEN) return false;
    pb_loop_lock(pool);
    pool->engine->tidy(pool);
    bool rest = pool->queued == 0 && pool->engine->at_rest(pool) &&
                atomic_load(&pool->count.published) == atomic_load(&pool->count.scheduled) &&
                pb_room_is_quiet(&pool->room) &&
                pb_inbox_close(&pool->inbox);
    give_back(pool);
    return rest;
}

static void *loop_main(void *arg)
{
    struct pebble_pool *pool = arg;
    pthread_setname_np(pthread_self(), "pebble-loop");
    while (!at_rest(pool))
        turn(pool);
    pb_loop_lock(pool); /* a thread that cancelled may still be in there */
    pool->engine->leave(pool);
    pb_output_close(pool);
    pb_watch_close(pool);
    give_back(pool);
    pb_courier_rest(&pool->callbacks);
    pb_courier_rest(&pool->output.lines);
    pb_latch_set(&pool->rest, PB_POOL_RESTING);
    pb_pool_let_go(pool);
    return NULL;
}

static int start_thread(struct pebble_pool *pool)
{
    sigset_t old;
    pthread_t thread;
    pb_pool_hold(pool);
    pb_sig_block_all(&old);
    int rc = pthread_create(&thread, NULL, loop_main, pool);
    pb_sig_restore(&old);
    if (rc == 0) pthread_detach(thread);
    if (rc) pb_pool_let_go(pool);
    return -rc;
}

int pb_loop_start(struct pebble_pool *pool)
{
    pb_queue_init(pool);
    TAILQ_INIT(&pool->deliveries);
    TAILQ_INIT(&pool->workers);
    TAILQ_INIT(&pool->idle);
    TAILQ_INIT(&pool->open);
    TAILQ_INIT(&pool->owed);
    TAILQ_INIT(&pool->gone);
    TAILQ_INIT(&pool->threads);
    TAILQ_INIT(&pool->idle_threads);
    TAILQ_INIT(&pool->gone_threads);
    pool->channel = -1;
    if (pool->cluster) pb_nodes_init(pool);
    pool->backoff.kind = PB_ALARM_BACKOFF;
    pool->steal.kind = PB_ALARM_STEAL;
    pool->thrift.kind = PB_ALARM_THRIFT;
    int rc = pb_watch_open(pool);
    if (rc < 0) return rc;
    if ((rc = pb_output_open(pool)) < 0 || (rc = pb_watch_add(pool, pool->inbox.bell, &pool->inbox)) < 0 ||
        (rc = start_thread(pool)) < 0) {
        pb_output_close(pool);
        pb_watch_close(pool);
    }
    return rc;
}
