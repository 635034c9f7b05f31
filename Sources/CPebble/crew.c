/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "crew.h"
#include "boot.h"
#include "clock.h"
#include "control.h"
#include "ending.h"
#include "fd.h"
#include "forkserver.h"
#include "output.h"
#include "queue.h"
#include "shipping.h"
#include "starting.h"
#include "watch.h"

#include <stdlib.h>

#define LEAVE_TIME (3 * PB_SECOND) /* for a worker that was told to go */

/* --- one worker's life --- */

static void count_state(struct pebble_pool *pool, struct pb_worker *worker, enum pb_worker_state next)
{
    pool->by_state[worker->state]--;
    pool->by_state[next]++;
    if (worker->state == PB_WORKER_IDLE) TAILQ_REMOVE(&pool->idle, worker, link_in_state);
    bool warm = worker->served > 0; /* the warmest first: a spare that gets ready waits behind them */
    if (next == PB_WORKER_IDLE && warm) TAILQ_INSERT_HEAD(&pool->idle, worker, link_in_state);
    if (next == PB_WORKER_IDLE && !warm) TAILQ_INSERT_TAIL(&pool->idle, worker, link_in_state);
    worker->state = next;
    atomic_store_explicit(&pool->count.running, pool->by_state[PB_WORKER_BUSY], memory_order_relaxed);
}

/* Without a pidfd the server has to do it: for want of a descriptor here, or when it is still to tell. */
static void ask_to_kill(struct pebble_pool *pool, const struct pb_worker *worker, bool terminate)
{
    struct pb_control request = {.kind = PB_CONTROL_KILL, .worker = worker->id, .terminate = terminate};
    pb_control_send(pool->channel, &request, -1);
}

/* The alarm sees to it that it was done, and told. */
static void kill_process(struct pebble_pool *pool, struct pb_worker *worker)
{
    if (worker->proc.pidfd >= 0)
        pb_proc_kill(&worker->proc);
    else
        ask_to_kill(pool, worker, false);
    if (!pool->fresh) pb_watch_arm(pool, &worker->alarm, pb_after(pb_now(), LEAVE_TIME));
}

/* An idle worker is let go when it has been so for long, or is old. */
static void arm_idle(struct pebble_pool *pool, struct pb_worker *worker)
{
    const struct pebble_pool_config *config = &pool->config;
    if (!config->idle_timeout && !config->max_age) return;
    int64_t bored = config->idle_timeout ? pb_after(pb_now(), config->idle_timeout) : INT64_MAX;
    int64_t old = config->max_age ? pb_after(worker->born, config->max_age) : INT64_MAX;
    pb_watch_arm(pool, &worker->alarm, bored < old ? bored : old);
}

void pb_crew_step(struct pebble_pool *pool, struct pb_worker *worker, enum pb_worker_event event)
{
    struct pb_worker_step to = pb_worker_step(worker->state, event);
    if (to.next == worker->state && !to.kill) return;
    bool used = worker->state == PB_WORKER_IDLE || worker->state == PB_WORKER_BUSY;
    bool stopping = worker->state == PB_WORKER_STOPPING;
    bool worked = worker->served || worker->state != PB_WORKER_IDLE;
    worker->stillborn |= worker->state == PB_WORKER_STARTING && to.next == PB_WORKER_DYING;
    pool->stillborn += worker->stillborn && to.next == PB_WORKER_DYING;
    pool->stillborn -= worker->stillborn && to.next == PB_WORKER_GONE;
    count_state(pool, worker, to.next);
    worker->condemned |= event == PB_WORKER_KILLED;
    if (to.kill) kill_process(pool, worker);
    if (to.kill && (stopping || event == PB_WORKER_KILLED)) atomic_fetch_add(&pool->count.killed, 1);
    switch (to.next) {
    case PB_WORKER_IDLE:
        if (stopping) pb_wheel_disarm(&pool->wheel, &worker->alarm.timer);
        arm_idle(pool, worker);
        break;
    case PB_WORKER_BUSY: pb_wheel_disarm(&pool->wheel, &worker->alarm.timer); break;
    case PB_WORKER_STOPPING:
        pb_ending_give_back(pool, worker, used);
        pb_hostlink_cancel(&worker->link);
        pb_watch_arm(pool, &worker->alarm, pb_after(pb_now(), pool->config.grace));
        break;
    case PB_WORKER_LEAVING:
        pb_watch_arm(pool, &worker->alarm, pb_after(pb_now(), LEAVE_TIME));
        if (pool->finalizer.given)
            pb_shipping_run_procedure(pool, worker, &pool->finalizer, pb_now());
        else
            pb_watch_remove(pool, worker->link.stream.fd); /* there is nothing more to say, and the server tells of its end */
        pb_hostlink_leave(&worker->link); /* when it has done that */
        break;
    case PB_WORKER_DYING:
        pb_watch_remove(pool, worker->link.stream.fd);
        if (used || stopping) pool->keeps_spares = worked; /* one that dies unused would die again and again */
        if (event == PB_WORKER_BROKEN) pb_ending_suspect(worker);
        pb_shipping_call_off(worker);
        pb_ending_give_back(pool, worker, used);
        if (used && event == PB_WORKER_BROKEN && worker->link.live == 0) atomic_fetch_add(&pool->count.idle_deaths, 1);
        break;
    case PB_WORKER_GONE:
        pb_watch_remove(pool, worker->link.stream.fd);
        pb_wheel_disarm(&pool->wheel, &worker->alarm.timer);
        pb_wheel_disarm(&pool->wheel, &worker->look.timer);
        TAILQ_REMOVE(&pool->workers, worker, link_in_pool);
        TAILQ_INSERT_TAIL(&pool->gone, worker, link_in_pool);
        atomic_fetch_sub(&pool->count.workers, 1);
        break;
    default:
        break;
    }
    pb_shipping_update(pool, worker);
}

void pb_crew_kill(struct pebble_pool *pool, struct pb_worker *worker)
{
    pb_crew_step(pool, worker, PB_WORKER_KILLED);
}

void pb_crew_end(struct pebble_pool *pool, struct pb_worker *worker)
{
    bool graceful = pool->config.grace && (worker->state == PB_WORKER_BUSY || worker->state == PB_WORKER_STOPPING);
    pb_crew_step(pool, worker, graceful ? PB_WORKER_STOPPED : PB_WORKER_KILLED);
}

/* The grace is over, for the first or the second time. */
static void press(struct pebble_pool *pool, struct pb_worker *worker)
{
    pb_shipping_look(pool, worker);
    if (worker->state != PB_WORKER_STOPPING) return;
    if (worker->terminated) {
        pb_crew_kill(pool, worker);
        return;
    }
    worker->terminated = true;
    if (pb_proc_terminate(&worker->proc) < 0) ask_to_kill(pool, worker, true);
    pb_watch_arm(pool, &worker->alarm, pb_after(pb_now(), pool->config.grace));
}

void pb_crew_free_gone(struct pebble_pool *pool)
{
    struct pb_worker *worker, *next;
    TAILQ_FOREACH_SAFE(worker, &pool->gone, link_in_pool, next) {
        if (worker->awaited) continue; /* who awaits it will ring */
        TAILQ_REMOVE(&pool->gone, worker, link_in_pool);
        pb_output_detach(worker);
        if (worker->link.owes_bell) TAILQ_REMOVE(&pool->owed, worker, link_in_owed);
        pb_hostlink_done(&worker->link);
        pb_proc_done(&worker->proc);
        pebble_future_unref(worker->procedure);
        if (worker->usable_once) pb_start_again(pool);
        free(worker);
    }
}

/* --- events --- */

void pb_crew_retire(struct pebble_pool *pool)
{
    pb_crew_step(pool, TAILQ_FIRST(&pool->idle), PB_WORKER_RETIRED);
}

void pb_crew_drop(struct pebble_pool *pool)
{
    struct pb_worker *worker;
    TAILQ_FOREACH(worker, &pool->workers, link_in_pool)
        if (worker->state == PB_WORKER_STARTING) break;
    pb_crew_step(pool, worker, PB_WORKER_RETIRED);
}

/* It is ready when it says so, the server has told its pid, which outcomes are to name, and it is set up. */
void pb_crew_on_ready(struct pebble_pool *pool, struct pb_worker *worker)
{
    if (worker->proc.pid == 0 || !worker->ready_once || worker->state != PB_WORKER_STARTING) return;
    if (pool->initializer.given) {
        if (!worker->procedure) pb_shipping_run_procedure(pool, worker, &pool->initializer, pb_now());
        if (!worker->procedure || !worker->procedure->settled) return;
        if (worker->procedure->outcome.status != PEBBLE_SUCCESS) {
            pb_crew_step(pool, worker, PB_WORKER_BROKEN);
            return;
        }
    }
    worker->usable_once = true;
    pool->failures = 0;
    pb_wheel_disarm(&pool->wheel, &worker->alarm.timer);
    pb_crew_step(pool, worker, PB_WORKER_READY);
}

/* What has not begun never will; what runs is cancelled; the workers die, or return first. */
void pb_crew_stop(struct pebble_pool *pool, int64_t now)
{
    struct pb_worker *worker;
    struct pebble_future *job;
    TAILQ_FOREACH(worker, &pool->workers, link_in_pool) {
        pb_shipping_look(pool, worker);
        pb_output_take(pool, worker);
        pb_crew_end(pool, worker);
        if (worker->state == PB_WORKER_STOPPING && worker->link.live == 0) pb_crew_kill(pool, worker);
        for (unsigned n = 0; (job = pb_hostlink_tag(&worker->link, n)); n++) {
            int64_t began = pb_shipping_began(job, now);
            pb_queue_settle(pool, job, PEBBLE_CANCELLED, began ? began : now, worker->proc.pid);
        }
    }
    pb_queue_refuse(pool, PEBBLE_CAUSE_STOPPED, 0, NULL);
}

/* The worker is no more, however it ended. */
static void bury(struct pebble_pool *pool, struct pb_worker *worker, const struct pb_exit *how, int64_t now)
{
    pb_shipping_drain(pool, worker);
    pb_shipping_look(pool, worker);
    if (worker->state == PB_WORKER_BUSY || worker->state == PB_WORKER_IDLE || worker->state == PB_WORKER_STOPPING)
        pb_crew_step(pool, worker, PB_WORKER_BROKEN);
    pb_output_end(pool, worker);
    pb_ending_settle_left(pool, worker, how, now);
    pb_crew_step(pool, worker, PB_WORKER_EXITED);
    if (worker->usable_once || atomic_load(&pool->phase) == PB_POOL_STOPPED) return;
    int unconfined = pb_hostlink_unconfined(&worker->link);
    if (unconfined) {
        pb_start_failed(pool, PEBBLE_CAUSE_CONFINEMENT, unconfined, NULL, worker->born);
        return;
    }
    if (worker->procedure) {
        const struct pebble_outcome *why = &worker->procedure->outcome;
        pb_start_failed(pool, PEBBLE_CAUSE_INITIALIZER, worker->start_error, why, worker->born);
        return;
    }

    bool spawn = pool->config.start_method == PEBBLE_SPAWN;
    bool lost = how->code == PB_EXIT_NO_ENTRY || (spawn && worker->proc.pid && worker->start_error == ETIMEDOUT);
    int error = worker->start_error ? worker->start_error : lost ? ENOEXEC : ECHILD;
    pb_start_failed(pool, lost ? PEBBLE_CAUSE_NO_ENTRY : PEBBLE_CAUSE_START, error, NULL, worker->born);
}

void pb_crew_leave(struct pebble_pool *pool)
{
    if (pool->channel >= 0) pb_watch_remove(pool, pool->channel);
    pb_close(&pool->channel);
    pool->fresh = false;
}

/* The server is gone, and with it, by the kernel's hand, all workers. What their
 * jobs have started is for us to end, as far as it can be reached. */
static void on_server_gone(struct pebble_pool *pool, int64_t now)
{
    bool never_entered = pool->fresh;
    if (never_entered) pb_forkserver_kill(pool->server);
    pb_crew_leave(pool);
    struct pb_worker *worker, *next;
    TAILQ_FOREACH_SAFE(worker, &pool->workers, link_in_pool, next) {
        pb_proc_kill(&worker->proc);
        pb_proc_kill_group(&worker->proc);
        struct pb_exit unknown = {.pid = worker->proc.pid, .code = never_entered ? PB_EXIT_NO_ENTRY : -1};
        bury(pool, worker, &unknown, now);
    }
    if (never_entered) pb_start_failed(pool, PEBBLE_CAUSE_NO_ENTRY, ENOEXEC, NULL, now);
}

static struct pb_worker *worker_by_id(struct pebble_pool *pool, uint64_t id)
{
    struct pb_worker *worker;
    TAILQ_FOREACH(worker, &pool->workers, link_in_pool)
        if (worker->id == id) return worker;
    return NULL;
}

static void on_started(struct pebble_pool *pool, struct pb_worker *worker, const struct pb_control *message,
                       int *pidfd, int64_t now)
{
    if (message->error) {
        worker->start_error = message->error;
        bury(pool, worker, &(struct pb_exit){.code = -1}, now);
        return;
    }
    worker->proc = (struct pb_proc){message->pid, *pidfd};
    *pidfd = -1;
    int rc = pb_output_watch(pool, worker);
    if (worker->state == PB_WORKER_DYING) kill_process(pool, worker);
    if (rc < 0) {
        worker->start_error = -rc;
        pb_crew_step(pool, worker, PB_WORKER_BROKEN);
    }
    pb_crew_on_ready(pool, worker);
}

void pb_crew_on_channel(struct pebble_pool *pool)
{
    int64_t now = pb_now();
    struct pb_control message;
    int fds[PB_CONTROL_FDS], rc;
    while ((rc = pb_control_receive(pool->channel, &message, fds)) > 0) {
        struct pb_worker *worker = worker_by_id(pool, message.worker);
        pool->fresh = false; /* whatever it says, it says hello */
        if (message.kind == PB_CONTROL_STARTED && worker) {
            on_started(pool, worker, &message, &fds[0], now);
        } else if (message.kind == PB_CONTROL_EXITED && worker) {
            bury(pool, worker, &message.exit, now);
        }
        pb_control_close(fds);
    }
    if (rc < 0) on_server_gone(pool, now);
}

/* Whether the server has not told, twice in a row, what it must know: it hangs,
 * or is stopped. Twice, since a host that was stopped itself finds its alarm
 * gone off before anybody had time to answer. */
static bool server_is_deaf(struct pebble_pool *pool, struct pb_worker *worker)
{
    pb_crew_on_channel(pool); /* it may just have told */
    if (worker->state != PB_WORKER_DYING) return false;
    bool owes = worker->proc.pidfd < 0 ? !worker->proc.pid : pb_proc_has_ended(&worker->proc);
    worker->silences = owes ? worker->silences + 1 : 0;
    return worker->silences == 2;
}

void pb_crew_on_alarm(struct pebble_pool *pool, struct pb_worker *worker)
{
    if (pool->fresh) {
        on_server_gone(pool, pb_now()); /* it never said hello */
        return;
    }
    if (worker->state == PB_WORKER_IDLE) {
        pool->keeps_spares = false;
        pb_crew_step(pool, worker, PB_WORKER_RETIRED);
        return;
    }
    if (worker->state == PB_WORKER_STOPPING) {
        press(pool, worker);
        return;
    }
    if (worker->state == PB_WORKER_STARTING) worker->start_error = ETIMEDOUT;
    if (worker->state == PB_WORKER_DYING) {
        if (server_is_deaf(pool, worker)) {
            pb_forkserver_kill(pool->server);
            on_server_gone(pool, pb_now());
        } else if (worker->state == PB_WORKER_DYING) {
            kill_process(pool, worker);
        }
        return;
    }
    pb_crew_kill(pool, worker);
}
