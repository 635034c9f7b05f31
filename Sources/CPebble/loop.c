/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "loop.h"
#include "clock.h"
#include "crew.h"
#include "dispatch.h"
#include "fd.h"
#include "sig.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EVENTS 64

/* --- what it waits on --- */

int pb_loop_watch(struct pebble_pool *pool, int fd, void *tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};
    return epoll_ctl(pool->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void pb_loop_watch_writable(struct pebble_pool *pool, int fd, void *tag, bool writable)
{
    struct epoll_event event = {.events = EPOLLIN | (writable ? EPOLLOUT : 0U), .data.ptr = tag};
    epoll_ctl(pool->epoll, EPOLL_CTL_MOD, fd, &event);
}

void pb_loop_unwatch(struct pebble_pool *pool, int fd)
{
    if (fd >= 0) epoll_ctl(pool->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void pb_loop_arm(struct pebble_pool *pool, struct pb_alarm *alarm, int64_t deadline)
{
    if (deadline == INT64_MAX)
        pb_wheel_disarm(&pool->wheel, &alarm->timer);
    else
        pb_wheel_arm(&pool->wheel, &alarm->timer, deadline);
}

/* Only an earlier moment is worth a system call; a later one costs a wake-up
 * that finds nothing to do, at most one. */
static void set_timer(struct pebble_pool *pool)
{
    int64_t next = pb_wheel_next(&pool->wheel);
    if (next >= pool->timer_at) return;
    pool->timer_at = next;
    struct itimerspec at = {.it_value = pb_timespec(next > 0 ? next : 1)};
    timerfd_settime(pool->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void on_timer(struct pebble_pool *pool)
{
    uint64_t count;
    while (read(pool->timer, &count, sizeof count) < 0 && errno == EINTR)
        continue;
    pool->timer_at = INT64_MAX;
}

/* --- jobs --- */

bool pb_loop_settle(struct pebble_pool *pool, struct pebble_future *job, enum pebble_status status)
{
    if (!pb_job_settle(job, status, pb_now())) return false;
    pb_wheel_disarm(&pool->wheel, &job->alarm.timer);
    pb_pool_count_done(pool);
    pebble_future_ref(job);
    TAILQ_INSERT_TAIL(&pool->deliveries, job, link);
    return true;
}

void pb_loop_release(struct pebble_pool *pool, struct pebble_future *job)
{
    pb_wheel_disarm(&pool->wheel, &job->alarm.timer);
    job->worker = NULL;
    pb_job_release(job);
}

static void enqueue(struct pebble_pool *pool, struct pebble_future *job)
{
    TAILQ_INSERT_TAIL(&pool->queue, job, link);
    job->queued = true;
    pool->queued++;
}

static void dequeue(struct pebble_pool *pool, struct pebble_future *job)
{
    TAILQ_REMOVE(&pool->queue, job, link);
    job->queued = false;
    pool->queued--;
}

static void refuse(struct pebble_pool *pool, struct pebble_future *job, enum pebble_cause cause, int error)
{
    if (pb_loop_settle(pool, job, PEBBLE_NOT_RUN)) {
        job->outcome.cause = cause;
        job->outcome.error = error;
    }
    pb_loop_release(pool, job);
}

void pb_loop_refuse_queue(struct pebble_pool *pool, enum pebble_cause cause, int error)
{
    struct pebble_future *job;
    while ((job = TAILQ_FIRST(&pool->queue))) {
        dequeue(pool, job);
        refuse(pool, job, cause, error);
    }
}

static void admit(struct pebble_pool *pool, struct pebble_future *job)
{
    enum pebble_limit limit;
    job->admitted = true;
    if (atomic_load(&pool->phase) == PB_POOL_STOPPED) {
        refuse(pool, job, PEBBLE_CAUSE_STOPPED, 0);
    } else if (atomic_load(&pool->broken)) {
        refuse(pool, job, PEBBLE_CAUSE_NO_ENTRY, ENOEXEC);
    } else if (pb_latch_state(&job->state) != PB_JOB_WAITING) {
        pb_loop_release(pool, job); /* cancelled before it got here */
    } else {
        enqueue(pool, job);
        pb_loop_arm(pool, &job->alarm, pb_job_limit(job, &limit));
    }
}

/* Settled by another thread: it need not wait or run any longer. */
static void drop(struct pebble_pool *pool, struct pebble_future *job)
{
    if (job->queued) {
        dequeue(pool, job);
        pb_loop_release(pool, job);
    } else if (job->worker) {
        pb_crew_kill(pool, job->worker);
    }
    pebble_future_unref(job);
}

static void read_inbox(struct pebble_pool *pool)
{
    struct pebble_future *job = pb_inbox_take(&pool->inbox);
    while (job) {
        struct pebble_future *next = job->next;
        atomic_store(&job->posted, false); /* from here on it may be posted again */
        if (job->admitted)
            drop(pool, job);
        else
            admit(pool, job);
        job = next;
    }
}

static void on_limit(struct pebble_pool *pool, struct pebble_future *job)
{
    enum pebble_limit limit;
    pb_job_limit(job, &limit);
    bool waited = job->queued;
    if (waited) dequeue(pool, job);
    if (pb_loop_settle(pool, job, PEBBLE_TIMEOUT)) {
        job->outcome.limit = limit;
        job->outcome.limit_length = limit == PEBBLE_LIMIT_TIMEOUT         ? job->timeout
                                    : limit == PEBBLE_LIMIT_QUEUE_TIMEOUT ? job->queue_timeout
                                                                          : job->deadline;
        if (job->worker) pb_crew_kill(pool, job->worker);
    } /* else it was cancelled, and its post is in the inbox */
    if (waited) pb_loop_release(pool, job);
}

static void run_timers(struct pebble_pool *pool, int64_t now)
{
    pb_wheel_advance(&pool->wheel, now);
    struct pb_timer *timer;
    while ((timer = pb_wheel_expired(&pool->wheel))) {
        struct pb_alarm *alarm = (struct pb_alarm *)timer;
        switch (alarm->kind) {
        case PB_ALARM_JOB: on_limit(pool, PB_ALARM_OWNER(alarm, struct pebble_future, alarm)); break;
        case PB_ALARM_WORKER: pb_crew_on_alarm(pool, PB_ALARM_OWNER(alarm, struct pb_worker, alarm)); break;
        case PB_ALARM_BACKOFF: break; /* that it is disarmed is the message */
        }
    }
}

/* --- the turn --- */

static void on_events(struct pebble_pool *pool, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        void *tag = events[i].data.ptr;
        if (tag == &pool->inbox)
            pb_inbox_hush(&pool->inbox);
        else if (tag == &pool->timer)
            on_timer(pool);
        else if (tag == &pool->channel)
            pb_crew_on_channel(pool);
        else
            pb_crew_on_link(pool, tag, events[i].events);
    }
}

static void stop_now(struct pebble_pool *pool)
{
    struct pb_worker *worker;
    pb_loop_refuse_queue(pool, PEBBLE_CAUSE_STOPPED, 0);
    TAILQ_FOREACH(worker, &pool->workers, link_in_pool)
        if (worker->job) pb_loop_settle(pool, worker->job, PEBBLE_CANCELLED);
    pb_crew_kill_all(pool);
}

static void dispatch(struct pebble_pool *pool, int64_t now)
{
    if (atomic_load(&pool->phase) == PB_POOL_STOPPED) {
        stop_now(pool);
        return;
    }
    for (;;) {
        const struct pb_dispatch view = {
            .queued = pool->queued,
            .idle = pool->by_state[PB_WORKER_IDLE],
            .busy = pool->by_state[PB_WORKER_BUSY],
            .starting = pool->by_state[PB_WORKER_STARTING],
            .max_workers = pool->config.max_workers,
            .closing = atomic_load(&pool->phase) != PB_POOL_OPEN,
            .may_start = !atomic_load(&pool->broken) && !pb_timer_armed(&pool->backoff.timer) && !pool->stillborn,
        };
        switch (pb_dispatch_next(&view)) {
        case PB_ASSIGN: {
            struct pebble_future *job = TAILQ_FIRST(&pool->queue);
            dequeue(pool, job);
            pb_crew_assign(pool, job, now);
            break;
        }
        case PB_START: pb_crew_start(pool, now); break;
        case PB_RETIRE: pb_crew_retire(pool); break;
        case PB_REST: return;
        }
    }
}

static void deliver(struct pebble_pool *pool)
{
    struct pebble_future *job;
    while ((job = TAILQ_FIRST(&pool->deliveries))) {
        TAILQ_REMOVE(&pool->deliveries, job, link);
        pb_job_publish(job);
        pebble_future_unref(job);
    }
}

/* A job that is being cancelled may be settled and not published yet: its post will wake the loop. */
static bool at_rest(struct pebble_pool *pool)
{
    return atomic_load(&pool->phase) != PB_POOL_OPEN && pool->queued == 0 && TAILQ_EMPTY(&pool->workers) &&
           atomic_load(&pool->count.published) == atomic_load(&pool->count.scheduled) &&
           pb_inbox_close(&pool->inbox);
}

/* One turn. What a step finds to do for an earlier one waits for the next turn;
 * nothing waits for anything but the next event. */
static void turn(struct pebble_pool *pool)
{
    struct epoll_event events[EVENTS];
    set_timer(pool);
    int count = epoll_wait(pool->epoll, events, EVENTS, -1);
    if (count < 0) return; /* EINTR: no signal is for this thread, but a debugger may stop it */
    int64_t now = pb_now();
    on_events(pool, events, count); /* 1. replies, and packets of the server */
    read_inbox(pool);               /* 2. jobs that came, and jobs that were cancelled */
    run_timers(pool, now);          /* 3. limits */
    dispatch(pool, now);            /* 4. jobs to workers */
    deliver(pool);                  /* 5. outcomes to their futures */
    pb_crew_free_gone(pool);        /* 6. what no event can name any more */
}

static void close_all(struct pebble_pool *pool)
{
    pb_close(&pool->timer);
    pb_close(&pool->epoll);
}

/* The pool whose loop this thread is. */
static _Thread_local const struct pebble_pool *self;

bool pb_loop_is_self(const struct pebble_pool *pool)
{
    return self == pool;
}

static void *loop_main(void *arg)
{
    struct pebble_pool *pool = arg;
    self = pool;
    pthread_setname_np(pthread_self(), "pebble-loop");
    while (!at_rest(pool))
        turn(pool);
    pb_crew_leave(pool);
    close_all(pool);
    pb_callback_thread_rest(&pool->callbacks);
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
    TAILQ_INIT(&pool->queue);
    TAILQ_INIT(&pool->deliveries);
    TAILQ_INIT(&pool->workers);
    TAILQ_INIT(&pool->idle);
    TAILQ_INIT(&pool->gone);
    pool->channel = pool->server.pidfd = pool->timer = pool->epoll = -1;
    pool->timer_at = INT64_MAX;
    pool->backoff.kind = PB_ALARM_BACKOFF;
    pb_wheel_init(&pool->wheel, pb_now());

    int rc;
    if ((pool->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0) return -errno;
    if ((pool->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) < 0) {
        rc = -errno;
        goto fail;
    }
    if ((rc = pb_loop_watch(pool, pool->timer, &pool->timer)) < 0) goto fail;
    if ((rc = pb_loop_watch(pool, pool->inbox.bell, &pool->inbox)) < 0) goto fail;
    if ((rc = start_thread(pool)) < 0) goto fail;
    return 0;
fail:
    close_all(pool);
    return rc;
}
