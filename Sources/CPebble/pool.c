/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "poolstate.h"
#include "clock.h"
#include "confine.h"
#include "batch.h"
#include "cpus.h"
#include "debugger.h"
#include "entry.h"
#include "boot.h"
#include "forkserver.h"
#include "loop.h"
#include "nodes.h"
#include "output.h"
#include "queue.h"
#include "threads.h"

#include "pebble/threads.h"

#include <stdlib.h>
#include <string.h>

#define MAX_WORKERS 65536
#define DEFAULT_MAX_PAYLOAD (UINT64_C(16) << 30)
#define DEFAULT_MAX_DEATHS 3
#define DEFAULT_SPARES 1
#define DEFAULT_OUTPUT_TAIL 4096
#define MAX_OUTPUT_TAIL ((size_t)16 << 20)
#define DEFAULT_START_TIME (10 * PB_SECOND)

/* --- memory --- */

void pb_pool_hold(struct pebble_pool *pool)
{
    atomic_fetch_add_explicit(&pool->holds, 1, memory_order_relaxed);
}

static void free_memory(struct pebble_pool *pool)
{
    free(pool->readable);
    free(pool->initializer.input);
    free(pool->finalizer.input);
    pb_nodes_free(pool->cluster);
    pb_blocks_done(&pool->blocks);
    free(pool);
}

void pb_pool_let_go(struct pebble_pool *pool)
{
    if (atomic_fetch_sub_explicit(&pool->holds, 1, memory_order_acq_rel) != 1) return;
    pb_output_done(pool);
    pb_courier_done(&pool->callbacks);
    pb_inbox_done(&pool->inbox);
    pthread_mutex_destroy(&pool->lock);
    free_memory(pool);
}

pebble_pool *pebble_pool_ref(pebble_pool *pool)
{
    atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
    return pool;
}

void pebble_pool_unref(pebble_pool *pool)
{
    if (!pool || atomic_fetch_sub_explicit(&pool->refs, 1, memory_order_acq_rel) != 1) return;
    pebble_pool_stop(pool);
    pb_pool_let_go(pool);
}

/* --- making --- */

static int fill_in(struct pebble_pool_config *config)
{
    if (config->max_workers > MAX_WORKERS || config->start_timeout < 0) return -EINVAL;
    if (config->max_age < 0 || config->idle_timeout < 0 || config->full_timeout < 0 || config->grace < 0 || config->stack_dump < 0) return -EINVAL;
    if (config->debugger_time < 0) return -EINVAL;
    if (config->start_method != PEBBLE_FORK_SERVER && config->start_method != PEBBLE_SPAWN) return -EINVAL;
    if (config->swift_backtrace && config->start_method != PEBBLE_SPAWN) return -EINVAL;
    if (config->limits.nice < 0 || config->limits.nice > 19) return -EINVAL;
    if (config->spare_workers < PEBBLE_NO_SPARES || config->spare_workers > MAX_WORKERS) return -EINVAL;
    if (config->stdout_to > PEBBLE_CAPTURE || config->stderr_to > PEBBLE_CAPTURE) return -EINVAL;
    if (config->output_tail > MAX_OUTPUT_TAIL) return -EINVAL;
    if (config->stdout_to == PEBBLE_CAPTURE && !config->on_output) config->stdout_to = PEBBLE_DISCARD;
    if (!config->output_tail) config->output_tail = DEFAULT_OUTPUT_TAIL;
    if (!config->max_workers) config->max_workers = pb_cpus();
    if (!config->max_deaths) config->max_deaths = DEFAULT_MAX_DEATHS;
    if (!config->spare_workers) config->spare_workers = DEFAULT_SPARES;
    if (config->spare_workers == PEBBLE_NO_SPARES) config->spare_workers = 0;
    if (!config->max_payload) config->max_payload = DEFAULT_MAX_PAYLOAD;
    if (!config->start_timeout) config->start_timeout = DEFAULT_START_TIME;
    if (!config->debugger_time) config->debugger_time = pb_debugger_time();
    if (!config->name || !*config->name) config->name = "pool";
    return 0;
}

static int take_procedure(const struct pebble_pool *pool, const struct pebble_procedure *given,
                          struct pb_procedure *ret_procedure)
{
    if (!given->function) return 0;
    if (given->length > pool->config.max_payload) return -EFBIG;
    int rc = pool->engine->here ? 0 : pb_image_locate(given->function, &ret_procedure->function);
    if (rc < 0) return rc;
    ret_procedure->entry = given->function;
    if (!(ret_procedure->input = malloc(given->length ? given->length : 1))) return -ENOMEM;
    if (given->length) memcpy(ret_procedure->input, given->input, given->length);
    ret_procedure->length = given->length;
    ret_procedure->given = true;
    return 0;
}

static int take_readable(struct pebble_pool *pool)
{
    struct pebble_pool_config *config = &pool->config;
    if (!config->readable_paths) return 0;
    if (!(pool->readable = malloc(sizeof *pool->readable))) return -ENOMEM;
    int rc = pb_readable_copy(config, pool->readable);
    config->readable_paths = pool->readable->paths;
    return rc;
}

int pebble_pool_new(const struct pebble_pool_config *config, pebble_pool **ret_pool)
{
    pb_entry_refuse_unless_entered();
    return pb_boot_depth() >= PB_DEPTH_MAX ? -ELOOP : pb_pool_make(&pb_processes, config, NULL, ret_pool);
}

int pb_pool_make(const struct pb_engine *engine, const struct pebble_pool_config *config, struct pb_cluster *cluster,
                 pebble_pool **ret_pool)
{
    struct pebble_pool_config filled = config ? *config : (struct pebble_pool_config){0};
    int rc = fill_in(&filled);
    if (rc < 0) return rc;

    struct pebble_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return -ENOMEM;
    pool->engine = engine;
    pool->config = filled;
    strlcpy(pool->name, filled.name, sizeof pool->name);
    pool->config.name = pool->name;
    pool->generation = pb_forkserver_generation();
    atomic_init(&pool->refs, 1);
    atomic_init(&pool->holds, 1);
    atomic_init(&pool->max_workers, filled.max_workers);
    pb_room_init(&pool->room, filled.max_queued ? filled.max_queued : SIZE_MAX);
    pthread_mutex_init(&pool->lock, NULL);
    pb_blocks_init(&pool->blocks);
    if (filled.confined && engine == &pb_processes && (rc = pb_confine_supported()) < 0) goto no_inbox;
    if ((rc = take_readable(pool)) < 0 || (rc = take_procedure(pool, &filled.initializer, &pool->initializer)) < 0 ||
        (rc = take_procedure(pool, &filled.finalizer, &pool->finalizer)) < 0)
        goto no_inbox;
    if ((rc = pb_inbox_init(&pool->inbox)) < 0) goto no_inbox;
    if ((rc = pb_courier_init(&pool->callbacks, pool, "pebble-calls")) < 0) goto no_callbacks;
    if ((rc = pb_output_init(pool)) < 0) goto no_output;
    pool->cluster = cluster;
    if ((rc = pb_loop_start(pool)) < 0) goto no_loop;
    *ret_pool = pool;
    return 0;
no_loop:
    pool->cluster = NULL;
    pb_output_done(pool);
no_output:
    pb_courier_done(&pool->callbacks);
no_callbacks:
    pb_inbox_done(&pool->inbox);
no_inbox:
    free_memory(pool);
    return rc;
}

int pebble_thread_pool_new(const struct pebble_thread_pool_config *config, pebble_pool **ret_pool)
{
    static const struct pebble_thread_pool_config none;
    if (!config) config = &none;
    const struct pebble_pool_config filled = {
        .name = config->name,
        .max_workers = config->max_workers,
        .max_tasks = config->max_tasks,
        .idle_timeout = config->idle_timeout,
        .max_payload = config->max_payload,
        .max_queued = config->max_queued,
        .full_timeout = config->full_timeout,
        .initializer = config->initializer,
        .finalizer = config->finalizer,
    };
    return pb_pool_make(&pb_threads, &filled, NULL, ret_pool);
}

/* --- jobs --- */

/* A place among the jobs that may wait. */
static int take_place(struct pebble_pool *pool)
{
    if (!pool->config.max_queued) return 0;
    int rc = pb_room_take(&pool->room, 0);
    if (rc < 0 && pb_batch_flush(pool)) rc = pb_room_take(&pool->room, 0); /* those it waited with may have begun */
    if (rc == 0 || !pool->config.full_timeout) return rc;
    if (pb_loop_is_delivering(pool)) return -EDEADLK;
    rc = pb_room_take(&pool->room, pool->config.full_timeout);
    return rc == -ESHUTDOWN && atomic_load(&pool->broken) ? -ENOEXEC : rc;
}

static void give_place(struct pebble_pool *pool)
{
    if (!pool->config.max_queued) return;
    pb_room_give(&pool->room);
    pb_loop_call_askers(pool);
}

int pebble_pool_on_room(pebble_pool *pool, pebble_room_callback callback, void *arg)
{
    if (pool->generation != pb_forkserver_generation()) return -ECHILD;
    int rc = pb_room_ask(&pool->room, callback, arg);
    if (rc == 0) pb_loop_call_askers(pool);
    return rc;
}

int pebble_pool_schedule(pebble_pool *pool, pebble_function function, const void *input, size_t length,
                         const struct pebble_job_options *options, pebble_future **ret_future)
{
    return pebble_pool_schedule_parts(pool, function, &(struct pebble_part){input, length}, 1, options, ret_future);
}

int pebble_pool_schedule_parts(pebble_pool *pool, pebble_function function, const struct pebble_part *parts,
                               size_t count, const struct pebble_job_options *options, pebble_future **ret_future)
{
    static const struct pebble_job_options none;
    size_t length = pb_parts_length(parts, count);
    if (!options) options = &none;
    if (options->timeout < 0 || options->queue_timeout < 0 || options->deadline < 0) return -EINVAL;
    if (options->priority < PEBBLE_PRIORITY_MIN || options->priority > PEBBLE_PRIORITY_MAX) return -EINVAL;
    if (length > pool->config.max_payload) return -EFBIG;
    if (pool->generation != pb_forkserver_generation()) return -ECHILD;
    if (atomic_load(&pool->phase) != PB_POOL_OPEN) return -ESHUTDOWN;
    if (atomic_load(&pool->broken)) return -ENOEXEC;
    struct pb_function_ref ref = {0};
    int rc = pool->engine->here ? 0 : pb_image_locate(function, &ref);
    if (rc < 0) return rc;

    if ((rc = take_place(pool)) < 0) return rc;
    struct pebble_future *job = pb_job_new(pool, &ref, parts, length, options);
    if (!job) {
        give_place(pool);
        return -ENOMEM;
    }
    int64_t now = job->scheduled;
    job->entry = function;
    job->placed = pool->config.max_queued != 0;
    pebble_future_ref(job); /* the pool's, until it releases the job */
    atomic_fetch_add(&pool->count.scheduled, 1);
    if ((rc = pb_inbox_push(&pool->inbox, job)) < 0) {
        atomic_fetch_sub(&pool->count.scheduled, 1);
        pebble_future_unref(job);
        pebble_future_unref(job);
        return rc;
    }
    *ret_future = job;
    pb_batch_notice(pool, now);
    return 0;
}

void pb_pool_help(struct pebble_pool *pool, struct pebble_future *job, int64_t deadline)
{
    if (pool->generation == pb_forkserver_generation()) pool->engine->wait(pool, job, deadline);
}

static enum pebble_cancellation cancel(struct pebble_pool *pool, struct pebble_future *job)
{
    const struct pb_engine *engine = pool->engine;
    bool held = pb_job_is_held(job);
    bool admitted = held || job->queued; /* else it is in the inbox, and will be let go of there */
    bool running = held && !engine->take_back(pool, job);
    if (running && !engine->single_out(pool, job)) return PEBBLE_CANCEL_TOO_LATE;
    int64_t now = pb_now(), began = running ? engine->began(job, now) : 0;
    pb_queue_settle(pool, job, PEBBLE_CANCELLED, running && !began ? now : began, engine->pid(job));
    if (running)
        engine->end(pool, job);
    else if (admitted)
        pb_queue_release(pool, job);
    return running ? PEBBLE_CANCEL_WAS_RUNNING : PEBBLE_CANCEL_NEVER_STARTED;
}

enum pebble_cancellation pebble_future_cancel(pebble_future *job)
{
    struct pebble_pool *pool = job->pool;
    if (pb_latch_state(&job->state) == PB_JOB_DONE || pool->generation != pb_forkserver_generation())
        return PEBBLE_CANCEL_TOO_LATE;
    pb_loop_lock(pool);
    if (pb_job_is_held(job)) pool->engine->look(pool, job);
    enum pebble_cancellation answer = job->settled ? PEBBLE_CANCEL_TOO_LATE : cancel(pool, job);
    pb_loop_unlock(pool);
    return answer;
}

bool pebble_future_running(pebble_future *job)
{
    struct pebble_pool *pool = job->pool;
    if (pb_latch_state(&job->state) == PB_JOB_DONE || pool->generation != pb_forkserver_generation()) return false;
    pb_loop_lock(pool);
    bool running = !job->settled && pool->engine->began(job, pb_now()) != 0;
    pb_loop_unlock(pool);
    return running;
}

/* --- life --- */

static void raise_phase(struct pebble_pool *pool, int phase)
{
    int now = atomic_load(&pool->phase);
    while (now < phase)
        if (atomic_compare_exchange_weak(&pool->phase, &now, phase)) {
            pb_room_close(&pool->room);
            if (pool->generation != pb_forkserver_generation()) return;
            pb_inbox_ring(&pool->inbox);
            pb_loop_call_askers(pool);
            return;
        }
}

void pebble_pool_close(pebble_pool *pool)
{
    raise_phase(pool, PB_POOL_CLOSED);
}

void pebble_pool_stop(pebble_pool *pool)
{
    raise_phase(pool, PB_POOL_STOPPED);
}

bool pebble_pool_active(const pebble_pool *pool)
{
    if (atomic_load(&pool->broken)) return false;
    int phase = atomic_load(&pool->phase);
    bool work_left = atomic_load(&pool->count.done) < atomic_load(&pool->count.scheduled);
    return phase == PB_POOL_OPEN || (phase == PB_POOL_CLOSED && work_left);
}

int pebble_pool_join(pebble_pool *pool, int64_t timeout)
{
    if (timeout < 0) return -EINVAL;
    if (pool->generation != pb_forkserver_generation()) return -ECHILD;
    if (atomic_load(&pool->phase) == PB_POOL_OPEN) return -EBUSY;
    if (pb_loop_is_delivering(pool) || pb_threads_is_self(pool)) return -EDEADLK;
    if (pb_courier_is_self(&pool->callbacks) || pb_courier_is_self(&pool->output.lines)) return -EDEADLK;
    int64_t deadline = timeout == PEBBLE_FOREVER ? INT64_MAX : pb_after(pb_now(), timeout);
    int rc = pb_latch_wait(&pool->rest, PB_POOL_RESTING, timeout);
    if (rc == 0) rc = pb_courier_drain(&pool->output.lines, deadline); /* which posts callbacks */
    return rc < 0 ? rc : pb_courier_drain(&pool->callbacks, deadline);
}

unsigned pebble_pool_max_workers(const pebble_pool *pool)
{
    return atomic_load(&pool->max_workers);
}

int pebble_pool_resize(pebble_pool *pool, unsigned max_workers)
{
    if (max_workers == 0 || max_workers > MAX_WORKERS) return -EINVAL;
    if (pool->engine->sizes_itself) return -ENOTSUP;
    atomic_store(&pool->max_workers, max_workers);
    if (pool->generation == pb_forkserver_generation()) pb_inbox_ring(&pool->inbox);
    return 0;
}

static struct pebble_quantiles quantiles(const struct pb_histogram *histogram)
{
    return (struct pebble_quantiles){
        .p50 = pb_histogram_quantile(histogram, 0.5),
        .p90 = pb_histogram_quantile(histogram, 0.9),
        .p99 = pb_histogram_quantile(histogram, 0.99),
        .max = histogram->max,
    };
}

void pebble_pool_get_statistics(const pebble_pool *pool, struct pebble_pool_statistics *ret_statistics)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&pool->lock;
    if (pool->generation == pb_forkserver_generation()) pthread_mutex_lock(lock);
    uint64_t running = atomic_load(&pool->count.running);
    uint64_t done = atomic_load(&pool->count.done), scheduled = atomic_load(&pool->count.scheduled);
    uint64_t open = scheduled > done ? scheduled - done : 0;
    *ret_statistics = (struct pebble_pool_statistics){
        .queued = open > running ? open - running : 0,
        .running = running,
        .done = done,
        .workers = atomic_load(&pool->count.workers),
        .started = atomic_load(&pool->count.started),
        .expired = atomic_load(&pool->count.expired),
        .killed = atomic_load(&pool->count.killed),
        .idle_deaths = atomic_load(&pool->count.idle_deaths),
        .retried = atomic_load(&pool->count.retried),
        .wait = quantiles(&pool->wait_times),
        .run = quantiles(&pool->run_times),
    };
    memcpy(ret_statistics->outcomes, pool->outcomes, sizeof pool->outcomes);
    if (pool->generation == pb_forkserver_generation()) pthread_mutex_unlock(lock);
}
