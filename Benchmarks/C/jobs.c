/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of the table for the C library.
 *
 * usage: jobs processes ROW
 *        jobs threads trip-one-cpu|trip-free|throughput */
#define _GNU_SOURCE
#include "pools.h"

#include <pebble/threads.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEGABYTE ((size_t)1 << 20)
#define LIMIT (20 * INT64_C(1000000))

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* --- what workers run, besides what pools.h has --- */

static int die(pebble_call *call)
{
    (void)call;
    kill(getpid(), SIGKILL);
    pause();
    return 0;
}

static int tell_pid(pebble_call *call)
{
    int pid = getpid();
    return pebble_call_write(call, &pid, sizeof pid);
}

static int move_to_other_cpu(pebble_call *call)
{
    (void)call;
    bench_pin(1);
    return 0;
}

/* --- rows --- */

static bool in_threads;

static pebble_pool *open_threads(unsigned workers)
{
    pebble_pool *pool;
    const struct pebble_thread_pool_config config = {.max_workers = workers};
    bench_check(pebble_thread_pool_new(&config, &pool) == 0, "no pool");
    return pool;
}

static void measure_trips(const char *row)
{
    bool two_cpus = is(row, "trip-two-cpus");
    if (!is(row, "trip-free")) bench_pin(0);
    struct pebble_pool_config config = {.max_workers = 1, .name = "trips"};
    if (two_cpus) config.initializer.function = move_to_other_cpu;
    pebble_pool *pool = in_threads ? open_threads(1) : open_pool(&config);
    long count = bench_count(20000, 4000);
    int64_t *times = allocate((size_t)count * sizeof *times);
    for (int i = 0; i < 200; i++)
        call(pool, do_nothing);
    bench_begin();
    for (long i = 0; i < count; i++) {
        int64_t start = bench_now();
        call(pool, do_nothing);
        times[i] = bench_now() - start;
    }
    bench_end(count);
    bench_emit_quantiles(times, (size_t)count, 1000, "us");
    close_pool(pool);
}

static void measure_throughput(void)
{
    long count = bench_count(400000, 100000);
    pebble_pool *pool = in_threads ? open_threads(2) : open_warm(2);
    pebble_future **jobs = allocate((size_t)count * sizeof *jobs);
    bench_begin();
    int64_t start = bench_now();
    for (long i = 0; i < count; i++)
        jobs[i] = begin(pool, do_nothing, NULL, 0, NULL);
    for (long i = 0; i < count; i++)
        finish(jobs[i]), pebble_future_unref(jobs[i]);
    bench_emit("rate", per_second(count, start), "jobs/s");
    bench_end(count);
    close_pool(pool);
}

struct numbers {
    int64_t next, count;
};

static int give_number(void *arg, const void **ret_data, size_t *ret_length)
{
    struct numbers *numbers = arg;
    static int64_t number;
    if (numbers->next == numbers->count) return 0;
    number = numbers->next++;
    *ret_data = &number;
    *ret_length = sizeof number;
    return 1;
}

static void measure_map(int64_t count, size_t chunk_size)
{
    pebble_pool *pool = open_warm(2);
    struct numbers numbers = {0, count};
    const struct pebble_map_options options = {.chunk_size = chunk_size};
    pebble_map *map;
    struct pebble_map_result result;
    int64_t sum = 0, number;
    bench_begin();
    int64_t start = bench_now();
    bench_check(pebble_map_new(pool, echo, give_number, &numbers, &options, &map) == 0, "no map");
    while (pebble_map_next(map, PEBBLE_FOREVER, &result) == 1) {
        memcpy(&number, result.outcome.data, sizeof number);
        sum += number;
    }
    bench_emit("time", (double)(bench_now() - start) / 1e6, "ms");
    bench_end(count);
    bench_check(sum == count * (count - 1) / 2, "wrong sum");
    pebble_map_free(map);
    close_pool(pool);
}

/* Of large payloads the first goes another way than those that follow, and the second gets their pages. */
static void measure_echo(size_t size, long count)
{
    pebble_pool *pool = open_warm(2);
    char *data = allocate(size);
    memset(data, 1, size);
    int64_t start = 0;
    for (long i = -2; i < count; i++) {
        if (i == 0) bench_begin(), start = bench_now();
        pebble_future *job = begin(pool, echo, data, size, NULL);
        bench_check(finish(job)->length == size, "a reply is missing");
        pebble_future_unref(job);
    }
    bench_emit("rate", (double)size / 1e6 * per_second(count, start), "MB/s");
    bench_end(count);
    close_pool(pool);
}

static void measure_calls(long count)
{
    pebble_pool *pool = open_pool(&(struct pebble_pool_config){.max_workers = 1, .max_tasks = 1});
    for (int i = 0; i < 5; i++)
        call(pool, do_nothing);
    bench_begin();
    int64_t start = bench_now();
    for (long i = 0; i < count; i++)
        call(pool, do_nothing);
    bench_emit("rate", per_second(count, start), "calls/s");
    bench_end(count);
    close_pool(pool);
}

/* Jobs that cost their worker, scheduled at once. */
static void measure_replacements(long count, uint64_t max_tasks, pebble_function function)
{
    pebble_pool *pool = open_pool(&(struct pebble_pool_config){.max_workers = 2, .max_tasks = max_tasks});
    pebble_future **jobs = allocate((size_t)count * sizeof *jobs);
    call(pool, do_nothing);
    bench_begin();
    int64_t start = bench_now();
    for (long i = 0; i < count; i++)
        jobs[i] = begin(pool, function, NULL, 0, NULL);
    for (long i = 0; i < count; i++)
        finish(jobs[i]), pebble_future_unref(jobs[i]);
    bench_emit("rate", per_second(count, start), "calls/s");
    bench_end(count);
    close_pool(pool);
}

struct limited {
    int64_t scheduled, done;
};

static void note_time(pebble_future *job, void *arg)
{
    (void)job;
    ((struct limited *)arg)->done = bench_now();
}

static void measure_limits(void)
{
    long count = bench_count(100, 40);
    pebble_pool *pool = open_warm(2);
    struct limited *limited = allocate((size_t)count * sizeof *limited);
    pebble_future **jobs = allocate((size_t)count * sizeof *jobs);
    int64_t *times = allocate((size_t)count * sizeof *times);
    for (long i = 0; i < count; i++) {
        limited[i].scheduled = bench_now();
        jobs[i] = begin(pool, sleep_for_ever, NULL, 0, &(struct pebble_job_options){.timeout = LIMIT});
        pebble_future_on_done_inline(jobs[i], note_time, &limited[i]);
    }
    for (long i = 0; i < count; i++) {
        const struct pebble_outcome *outcome = finish(jobs[i]);
        bench_check(outcome->status == PEBBLE_TIMEOUT, "no timeout");
        pebble_future_wait_gone(jobs[i], PEBBLE_FOREVER);
        times[i] = limited[i].done - limited[i].scheduled - outcome->wait_time - LIMIT;
    }
    bench_emit_quantiles(times, (size_t)count, 1e6, "ms");
    close_pool(pool);
}

static void measure_cancel(void)
{
    long count = bench_count(200, 50);
    pebble_pool *pool = open_pool(&(struct pebble_pool_config){.max_workers = 1});
    int64_t *times = allocate((size_t)count * sizeof *times);
    call(pool, do_nothing);
    for (long i = -3; i < count; i++) {
        pebble_queue *updates;
        void *update;
        bench_check(pebble_queue_new(0, pebble_update_free, &updates) == 0, "no queue");
        pebble_future *job = begin(pool, sleep_for_ever, NULL, 0, &(struct pebble_job_options){.updates = updates});
        bench_check(pebble_queue_get(updates, PEBBLE_FOREVER, &update) == 0, "no update");
        pebble_update_free(update);
        usleep(1000); /* a spare worker needs that long */
        int64_t start = bench_now();
        pebble_future_cancel(job);
        call(pool, do_nothing);
        if (i >= 0) times[i] = bench_now() - start;
        pebble_future_wait_gone(job, PEBBLE_FOREVER);
        pebble_future_unref(job);
        pebble_queue_unref(updates);
    }
    bench_emit_quantiles(times, (size_t)count, 1e6, "ms");
    close_pool(pool);
}

static void measure_memory(void)
{
    pebble_pool *pool = open_warm(1);
    pebble_future *job = begin(pool, tell_pid, NULL, 0, NULL);
    int pid;
    memcpy(&pid, finish(job)->data, sizeof pid);
    usleep(10000);
    bench_emit("worker", (double)bench_memory(pid, "Private_Dirty"), "kB");
    begin(pool, sleep_for_ever, NULL, 0, NULL);
    long count = bench_count(200000, 50000);
    pebble_future **jobs = allocate((size_t)count * sizeof *jobs);
    memset(jobs, 1, (size_t)count * sizeof *jobs);
    usleep(10000);
    long before = bench_memory(getpid(), "Rss");
    for (long i = 0; i < count; i++)
        jobs[i] = begin(pool, do_nothing, NULL, 0, NULL);
    bench_emit("queued", (double)(bench_memory(getpid(), "Rss") - before) * 1024 / (double)count, "B/job");
    close_pool(pool);
}

static void measure_sleeps(const char *metric)
{
    long seconds = bench_count(2, 1);
    usleep(300000);
    long before = bench_sleeps();
    sleep((unsigned)seconds);
    bench_emit(metric, (double)(bench_sleeps() - before) / (double)seconds, "/s");
}

static void measure_idle(void)
{
    pebble_pool *pool = open_warm(2);
    measure_sleeps("idle");
    for (int64_t i = 0; i < 10000; i++) {
        const struct pebble_job_options options = {.deadline = (600 + i) * 1000000000};
        pebble_future_unref(begin(pool, sleep_for_ever, NULL, 0, &options));
    }
    measure_sleeps("limits armed");
    close_pool(pool);
}

int main(int argc, char **argv)
{
    bench_check(argc == 3, "usage: jobs processes|threads ROW");
    const char *row = argv[2];
    in_threads = is(argv[1], "threads");
    bench_open_costs();
    if (is(row, "per-call-256m")) memset(allocate(256 * MEGABYTE), 1, 256 * MEGABYTE);
    if (strncmp(row, "trip-", 5) == 0)
        measure_trips(row);
    else if (is(row, "throughput"))
        measure_throughput();
    else if (is(row, "map-1m"))
        measure_map(1000000, 125000);
    else if (is(row, "map-50k"))
        measure_map(50000, 1);
    else if (is(row, "echo-1m"))
        measure_echo(MEGABYTE, bench_count(300, 60));
    else if (is(row, "echo-64m"))
        measure_echo(64 * MEGABYTE, bench_count(6, 2));
    else if (is(row, "per-call") || is(row, "per-call-256m"))
        measure_calls(bench_count(500, 150));
    else if (is(row, "max-tasks-1"))
        measure_replacements(bench_count(1000, 200), 1, do_nothing);
    else if (is(row, "crashes"))
        measure_replacements(bench_count(1000, 200), 0, die);
    else if (is(row, "timeout"))
        measure_limits();
    else if (is(row, "cancel"))
        measure_cancel();
    else if (is(row, "memory"))
        measure_memory();
    else if (is(row, "idle"))
        measure_idle();
    else
        bench_check(false, "no such row");
    return 0;
}
