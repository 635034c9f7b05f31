/* SPDX-License-Identifier: Apache-2.0
 *
 * A peer, where it is installed: libuv's pool of threads, and its timers.
 *
 * usage: uv trip-one-cpu|trip-free|throughput|wheel */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define TIMERS 1000000

static uv_loop_t *loop;
static long left;

static void work(uv_work_t *request)
{
    (void)request;
}

static void after_work(uv_work_t *request, int status)
{
    (void)request;
    (void)status;
    left--;
}

static void measure_trips(void)
{
    long count = bench_count(20000, 4000);
    int64_t *times = malloc((size_t)count * sizeof *times);
    bench_check(times, "no memory");
    for (long i = -200; i < count; i++) {
        uv_work_t request;
        int64_t start = bench_now();
        uv_queue_work(loop, &request, work, after_work);
        uv_run(loop, UV_RUN_DEFAULT);
        if (i >= 0) times[i] = bench_now() - start;
    }
    bench_emit_quantiles(times, (size_t)count, 1000, "us");
}

static void measure_throughput(void)
{
    long count = left = bench_count(200000, 50000);
    uv_work_t *requests = calloc((size_t)count, sizeof *requests);
    bench_check(requests, "no memory");
    bench_begin();
    int64_t start = bench_now();
    for (long i = 0; i < count; i++)
        uv_queue_work(loop, &requests[i], work, after_work);
    uv_run(loop, UV_RUN_DEFAULT);
    bench_emit("rate", (double)count / ((double)(bench_now() - start) / 1e9), "jobs/s");
    bench_end(count);
    bench_check(left == 0, "work is left");
}

/* --- timers: as wheel.c --- */

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    left++;
}

static void measure_timers(void)
{
    uv_timer_t *timers = calloc(TIMERS, sizeof *timers);
    uint64_t *after = malloc(TIMERS * sizeof *after);
    bench_check(timers && after, "no memory");
    for (long i = 0; i < TIMERS; i++) {
        after[i] = 60000 + (uint64_t)rand() % 3600000;
        uv_timer_init(loop, &timers[i]);
    }
    int64_t start = bench_now();
    for (long i = 0; i < TIMERS; i++)
        uv_timer_start(&timers[i], on_timer, after[i], 0);
    bench_emit("insert", (double)(bench_now() - start) / TIMERS, "ns");
    start = bench_now();
    for (long i = 0; i < TIMERS; i++) {
        long k = (i * 7919) % TIMERS; /* each once, in an order that is not that of their making */
        uv_timer_stop(&timers[k]);
        uv_timer_start(&timers[k], on_timer, after[i], 0);
    }
    bench_emit("churn", (double)(bench_now() - start) / TIMERS, "ns");
    start = bench_now();
    for (long i = 0; i < TIMERS; i++)
        uv_timer_stop(&timers[(i * 7919) % TIMERS]);
    bench_emit("cancel", (double)(bench_now() - start) / TIMERS, "ns");
    for (long i = 0; i < TIMERS; i++)
        uv_timer_start(&timers[i], on_timer, 1 + after[i] % 200, 0);
    usleep(205000);
    uv_update_time(loop);
    start = bench_now();
    uv_run(loop, UV_RUN_NOWAIT);
    bench_emit("expire", (double)(bench_now() - start) / TIMERS, "ns");
    bench_check(left == TIMERS, "timers are left");
}

int main(int argc, char **argv)
{
    bench_check(argc == 2, "usage: uv ROW");
    setenv("UV_THREADPOOL_SIZE", "2", 1);
    bench_open_costs();
    if (strcmp(argv[1], "trip-one-cpu") == 0) bench_pin(0);
    loop = uv_default_loop();
    if (strcmp(argv[1], "throughput") == 0)
        measure_throughput();
    else if (strcmp(argv[1], "wheel") == 0)
        measure_timers();
    else
        measure_trips();
    return 0;
}
