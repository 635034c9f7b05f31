/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "scenario.h"
#include "pebble.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MILLISECOND INT64_C(1000000)
#define SECOND INT64_C(1000000000)
#define PATIENCE (20 * SECOND)
#define LARGE 100000          /* bytes: more than lies with others in the shared memory */
#define LARGER (3 * 1024 * 1024) /* more than lies there at all */
#define CROWD 18     /* more futures, queues or threads than can be waited for without an allocation */

static const struct fault *tolerated; /* NULL: nothing may fail */

_Noreturn void scenario_fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char text[512];
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    fprintf(stderr, "    %s\n", text);
    _exit(1);
}

/* Whether the call worked. It may have failed with one of these, which end with 0. */
static bool worked(const char *call, int rc, const int errors[])
{
    if (rc >= 0) return true;
    if (tolerated)
        for (; *errors; errors++)
            if (rc == -*errors) return false;
    scenario_fail("%s: %s", call, strerror(-rc));
}

#define ERRORS(...) ((const int[]){__VA_ARGS__, 0})
#define NO_MEMORY ERRORS(ENOMEM)
#define NO_DESCRIPTOR ERRORS(ENOMEM, EMFILE, ENFILE)
#define NOTHING_LEFT ERRORS(ENOMEM, EMFILE, ENFILE, EAGAIN, ENOSPC)

/* --- outcomes --- */

/* Whether it may have this outcome instead of the one that was meant. */
static bool follows(const struct pebble_outcome *outcome)
{
    if (!tolerated) return false;
    bool memory = tolerated->kind == FAULT_MALLOC;
    bool worker = tolerated->role == FAULT_WORKER || tolerated->kind == FAULT_SENDMSG;
    switch (outcome->status) {
    case PEBBLE_NOT_RUN:
        return (outcome->cause == PEBBLE_CAUSE_START && outcome->error > 0) ||
               (outcome->cause == PEBBLE_CAUSE_INITIALIZER && tolerated->role == FAULT_WORKER);
    case PEBBLE_FAILURE: return memory && outcome->code == -ENOMEM && outcome->length == 0;
    case PEBBLE_EXPIRED: return worker;
    default: return false;
    }
}

/* Waits for the outcome, and gives the future back. Whether it is the one that was meant. */
static bool ended(const char *job, pebble_future *future, enum pebble_status meant)
{
    if (!future) return false;
    if (pebble_future_wait(future, PATIENCE) < 0) scenario_fail("%s has no outcome", job);
    if (pebble_future_wait_gone(future, PATIENCE) < 0) scenario_fail("%s does not go", job);
    const struct pebble_outcome *outcome = pebble_future_outcome(future);
    bool as_meant = outcome->status == meant;
    char text[256];
    pebble_outcome_describe(outcome, text, sizeof text);
    if (!as_meant && !follows(outcome)) scenario_fail("%s: %s", job, text);
    pebble_future_unref(future);
    return as_meant;
}

/* --- jobs --- */

static int job_echo(pebble_call *call)
{
    size_t length;
    const void *input = pebble_call_input(call, &length);
    return pebble_call_write(call, input, length);
}

static int job_print(pebble_call *call)
{
    (void)call;
    printf("out\n");
    fprintf(stderr, "err\n");
    return 0;
}

static int job_update(pebble_call *call)
{
    char said = 0; /* in a thread there may be no memory */
    for (int i = 0; i < 3; i++)
        said = (char)(said + (pebble_call_update(call, "news", 4) == 0));
    return pebble_call_write(call, &said, 1);
}

static int job_exit(pebble_call *call)
{
    (void)call;
    _exit(3);
}

static int job_hang(pebble_call *call)
{
    while (!pebble_call_cancelled(call)) /* for threads, which cannot be killed */
        poll(NULL, 0, 1);
    return 0;
}

static int job_suspend(pebble_call *call)
{
    pebble_call_resume(call);
    int rc = pebble_call_suspend(call);
    return rc == 0 || rc == -EMFILE ? 0 : 1;
}

static int procedure(pebble_call *call)
{
    size_t length;
    return memcmp(pebble_call_input(call, &length), "set up", 7);
}

static pebble_future *schedule(pebble_pool *pool, pebble_function function, const void *input, size_t length,
                               const struct pebble_job_options *options)
{
    pebble_future *future = NULL;
    worked("schedule", pebble_pool_schedule(pool, function, input, length, options, &future), NO_MEMORY);
    return future;
}

static void echo(pebble_pool *pool, const char *bytes, size_t length)
{
    pebble_future *future = schedule(pool, job_echo, bytes, length, &(struct pebble_job_options){.name = "echo"});
    if (!future) return;
    pebble_future_ref(future);
    const struct pebble_outcome *outcome = NULL;
    if (ended("an echo", future, PEBBLE_SUCCESS)) outcome = pebble_future_outcome(future);
    if (outcome && (outcome->length != length || memcmp(outcome->data, bytes, length) != 0))
        scenario_fail("an echo is another than what it was given");
    pebble_future_unref(future);
}

/* --- pools --- */

static atomic_uint called, lines;

static void count_call(pebble_future *future, void *arg)
{
    (void)arg;
    if (!pebble_future_outcome(future)) scenario_fail("a callback came before its outcome");
    atomic_fetch_add(&called, 1);
}

static void count_line(const struct pebble_output_line *line, void *arg)
{
    (void)arg;
    if (line->length != 3) scenario_fail("a line is damaged: %.60s", line->text);
    atomic_fetch_add(&lines, 1);
}

static void finish(pebble_pool *pool, void (*end)(pebble_pool *))
{
    end(pool);
    int rc = pebble_pool_join(pool, PATIENCE);
    if (rc < 0) scenario_fail("a pool cannot be joined: %s", strerror(-rc));
    struct pebble_pool_statistics statistics;
    pebble_pool_get_statistics(pool, &statistics);
    if (statistics.queued || statistics.running || statistics.workers) scenario_fail("a pool at rest is not at rest");
    pebble_pool_unref(pool);
}

static pebble_pool *pool_of(int method, enum pebble_output output)
{
    const struct pebble_procedure set_up = {procedure, "set up", 7};
    const struct pebble_pool_config config = {
        .max_workers = 2,
        .start_method = (enum pebble_start_method)method,
        .start_timeout = 5 * SECOND,
        .name = "faults",
        .stdout_to = output,
        .stderr_to = output,
        .on_output = count_line,
        .initializer = set_up,
        .finalizer = set_up,
    };
    pebble_pool *pool = NULL;
    worked("a pool", pebble_pool_new(&config, &pool), NOTHING_LEFT);
    return pool;
}

static void receive_updates(pebble_pool *pool)
{
    pebble_queue *queue;
    if (!worked("a queue", pebble_queue_new(0, pebble_update_free, &queue), NO_MEMORY)) return;
    pebble_future *future = schedule(pool, job_update, NULL, 0, &(struct pebble_job_options){.updates = queue});
    if (future) pebble_future_ref(future);
    if (ended("a job with updates", future, PEBBLE_SUCCESS)) {
        const struct pebble_outcome *outcome = pebble_future_outcome(future);
        size_t came = pebble_queue_size(queue), lost = (size_t)outcome->lost_updates, said = *(const unsigned char *)outcome->data;
        if (came + lost != said || (came != 3 && !tolerated))
            scenario_fail("of 3 updates %zu were said, %zu came and %zu were lost", said, came, lost);
    }
    pebble_future_unref(future);
    pebble_queue_unref(queue);
}

/* Futures waited for together, with descriptors and callbacks. */
static void wait_for_many(pebble_pool *pool)
{
    pebble_future *futures[CROWD];
    bool done[CROWD];
    size_t count = 0;
    unsigned added = 0, before = atomic_load(&called);
    for (size_t i = 0; i < CROWD; i++)
        if ((futures[count] = schedule(pool, job_echo, "x", 1, NULL))) count++;
    if (count < CROWD && !tolerated) scenario_fail("a job is missing");
    for (size_t i = 0; i < count && i < 3; i++) {
        added += worked("on_done", pebble_future_on_done(futures[i], count_call, NULL), ERRORS(ENOMEM, EAGAIN));
        added += worked("on_done_inline", pebble_future_on_done_inline(futures[i], count_call, NULL), NO_MEMORY);
        int fd = pebble_future_fd(futures[i]);
        if (!worked("a future's descriptor", fd, NO_DESCRIPTOR)) continue;
        if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 20000) != 1) scenario_fail("a descriptor is not readable");
    }
    if (count) worked("wait_futures", pebble_wait_futures(futures, count, 1, PATIENCE, done), NO_MEMORY);
    for (size_t i = 0; i < count; i++)
        ended("one of many", futures[i], PEBBLE_SUCCESS);
    int64_t patience = 20000;
    while (atomic_load(&called) - before < added && patience--)
        poll(NULL, 0, 1);
    if (atomic_load(&called) - before != added) scenario_fail("%u calls, of %u", atomic_load(&called) - before, added);
}

static int elements(void *arg, const void **ret_data, size_t *ret_length)
{
    int *left = arg;
    *ret_data = left;
    *ret_length = sizeof *left;
    return (*left)-- > 0;
}

static void map(pebble_pool *pool, bool as_completed)
{
    int left = 7, rc;
    const struct pebble_map_options options = {.chunk_size = 2, .as_completed = as_completed};
    pebble_map *map;
    if (!worked("a map", pebble_map_new(pool, job_echo, elements, &left, &options, &map), NO_MEMORY)) return;
    unsigned seen = 0;
    struct pebble_map_result result;
    while ((rc = pebble_map_next(map, PATIENCE, &result)) > 0) {
        if (result.index > 6 || seen & 1U << result.index) scenario_fail("an element has two results");
        seen |= 1U << result.index;
        if (result.outcome.status != PEBBLE_SUCCESS && !follows(&result.outcome)) scenario_fail("an element failed");
    }
    if (worked("map_next", rc, NO_MEMORY) && seen != 127) scenario_fail("elements are missing");
    pebble_map_free(map);
}

static void jobs(pebble_pool *pool, bool processes)
{
    static char large[LARGER];
    memset(large, 'x', sizeof large);
    echo(pool, "small", 5);
    echo(pool, large, LARGE);
    for (int i = 0; i < 3; i++) /* over the stream, then through the annex */
        echo(pool, large, LARGER);
    receive_updates(pool);
    if (processes) {
        unsigned before = atomic_load(&lines);
        bool printed = ended("a job that prints", schedule(pool, job_print, NULL, 0, NULL), PEBBLE_SUCCESS);
        for (int i = 0; printed && !tolerated && atomic_load(&lines) < before + 2 && i < 20000; i++)
            poll(NULL, 0, 1);
        if (printed && !tolerated && atomic_load(&lines) != before + 2) scenario_fail("a line is missing");
        ended("a job that suspends itself", schedule(pool, job_suspend, NULL, 0, NULL), PEBBLE_SUCCESS);
        ended("a job that exits", schedule(pool, job_exit, NULL, 0, NULL), PEBBLE_EXPIRED);
    }
    const struct pebble_job_options limited = {.timeout = 10 * MILLISECOND};
    ended("a job with a limit", schedule(pool, job_hang, NULL, 0, &limited), PEBBLE_TIMEOUT);
    pebble_future *unwanted = schedule(pool, job_hang, NULL, 0, NULL);
    if (unwanted) pebble_future_cancel(unwanted);
    ended("a cancelled job", unwanted, PEBBLE_CANCELLED);
    wait_for_many(pool);
    map(pool, false);
    map(pool, true);
}

static void stop(pebble_pool *pool)
{
    pebble_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = schedule(pool, job_hang, NULL, 0, NULL);
    finish(pool, pebble_pool_stop);
    for (int i = 0; i < 3; i++) {
        if (!futures[i]) continue;
        const struct pebble_outcome *outcome = pebble_future_outcome(futures[i]);
        if (!outcome) scenario_fail("a job of a stopped pool has no outcome");
        bool stopped = outcome->status == PEBBLE_CANCELLED || outcome->cause == PEBBLE_CAUSE_STOPPED;
        if (!stopped && !follows(outcome)) scenario_fail("a job of a stopped pool has a strange outcome");
        pebble_future_unref(futures[i]);
    }
}

/* --- the rest --- */

static void use_queues(void)
{
    pebble_queue *queues[CROWD] = {NULL};
    bool ready[CROWD], made = true;
    for (size_t i = 0; i < CROWD && made; i++)
        made = worked("a queue", pebble_queue_new(0, NULL, &queues[i]), NO_MEMORY);
    if (made && worked("put", pebble_queue_put(queues[3], ready, 0), NO_MEMORY)) {
        void *item;
        int rc = pebble_wait_queues(queues, CROWD, PATIENCE, ready);
        if (worked("wait_queues", rc, NO_MEMORY) && (rc != 1 || !ready[3])) scenario_fail("a queue is not ready");
        worked("a queue's descriptor", pebble_queue_fd(queues[3]), NO_DESCRIPTOR);
        if (pebble_queue_get(queues[3], 0, &item) < 0 || item != ready) scenario_fail("an item is lost");
    }
    for (size_t i = 0; i < CROWD; i++)
        pebble_queue_unref(queues[i]);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void use_threads(void)
{
    pebble_thread *threads[CROWD];
    bool over[CROWD];
    size_t count = 0;
    for (size_t i = 0; i < CROWD; i++)
        count += worked("a thread", pebble_thread_start(nothing, NULL, "fault", &threads[count]), ERRORS(ENOMEM, EAGAIN));
    if (count) worked("wait_threads", pebble_wait_threads(threads, count, PATIENCE, over), NO_MEMORY);
    for (size_t i = 0; i < count; i++) {
        if (pebble_wait_threads(&threads[i], 1, PATIENCE, over) != 1) scenario_fail("a thread does not end");
        pebble_thread_unref(threads[i]);
    }
}

static void use_signals(void)
{
    const int signals[] = {SIGUSR1};
    pebble_signal_handler *handler;
    if (!worked("a signal handler", pebble_signal_open(signals, 1, &handler), ERRORS(ENOMEM, EMFILE, ENFILE, EAGAIN))) return;
    kill(getpid(), SIGUSR1);
    int came = 0;
    struct pollfd polled = {.fd = pebble_signal_fd(handler), .events = POLLIN};
    if (poll(&polled, 1, 20000) != 1 || pebble_signal_read(handler, &came) < 0 || came != SIGUSR1)
        scenario_fail("a signal is lost");
    pebble_signal_forget(handler);
}

static void use_thread_pool(void)
{
    pebble_pool *pool;
    const struct pebble_thread_pool_config config = {.max_workers = 2, .initializer = {procedure, "set up", 7}};
    if (!worked("a thread pool", pebble_thread_pool_new(&config, &pool), NOTHING_LEFT)) return;
    jobs(pool, false);
    stop(pool);
}

unsigned scenario_run(int method, const struct fault *fault)
{
    if (fault) faults_arm(fault);
    tolerated = fault;
    pebble_pool *kept = pool_of(method, PEBBLE_INHERIT), *pool = pool_of(method, PEBBLE_CAPTURE);
    if (kept) echo(kept, "first", 5);
    if (pool) {
        jobs(pool, true);
        finish(pool, pebble_pool_close);
    }
    if ((pool = pool_of(method, PEBBLE_DISCARD))) stop(pool);
    use_thread_pool();
    use_queues();
    use_threads();
    use_signals();
    unsigned hits = fault ? faults_hits() : 0;
    faults_arm(NULL);
    tolerated = NULL;
    if (kept) {
        echo(kept, "again", 5);
        finish(kept, pebble_pool_close);
    }
    return hits;
}
