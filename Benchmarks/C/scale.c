/* SPDX-License-Identifier: Apache-2.0
 *
 * What a job costs against what there is of something: curves, whose points a cliff would show in.
 *
 * usage: scale workers|queued|timers|payload|submitters|length */
#define _GNU_SOURCE
#include "pools.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static double each(int64_t since, long count)
{
    return (double)(bench_now() - since) / 1000 / (double)count;
}

static void run_many(pebble_pool *pool, pebble_function function, const void *input, size_t length, long count)
{
    pebble_future **jobs = allocate((size_t)count * sizeof *jobs);
    for (long i = 0; i < count; i++)
        jobs[i] = begin(pool, function, input, length, NULL);
    for (long i = 0; i < count; i++)
        finish(jobs[i]), pebble_future_unref(jobs[i]);
    free(jobs);
}

static void against_workers(void)
{
    long count = bench_count(100000, 20000);
    for (unsigned workers = 1; workers <= 64; workers *= 2) {
        pebble_pool *pool = open_warm(workers);
        int64_t start = bench_now();
        run_many(pool, do_nothing, NULL, 0, count);
        bench_emit_point("workers", workers, each(start, count), "us/job");
        close_pool(pool);
    }
}

/* Jobs behind one that does not end, until it is cancelled. */
static void against_queued(void)
{
    long most = bench_count(1000000, 100000);
    for (long count = 1; count <= most; count *= 10) {
        pebble_pool *pool = open_warm(1);
        pebble_future **jobs = allocate((size_t)count * sizeof *jobs);
        pebble_future *first = begin(pool, sleep_for_ever, NULL, 0, NULL);
        int64_t start = bench_now();
        for (long i = 0; i < count; i++)
            jobs[i] = begin(pool, do_nothing, NULL, 0, NULL);
        bench_emit_point("queued: schedule", (double)count, each(start, count), "us/job");
        pebble_future_cancel(first);
        finish(jobs[0]);
        start = bench_now();
        for (long i = 0; i < count; i++)
            finish(jobs[i]), pebble_future_unref(jobs[i]);
        bench_emit_point("queued: run", (double)count, each(start, count), "us/job");
        pebble_future_unref(first);
        free(jobs);
        close_pool(pool);
    }
}

/* A job with a limit comes and is cancelled, while as many others have limits that are armed. */
static void against_timers(void)
{
    long most = bench_count(1000000, 100000), pairs = bench_count(20000, 5000);
    for (long count = 1; count <= most; count *= 10) {
        pebble_pool *pool = open_warm(1);
        pebble_future *first = begin(pool, sleep_for_ever, NULL, 0, NULL);
        for (long i = 0; i < count; i++) {
            const struct pebble_job_options options = {.deadline = (600 + i % 3600) * INT64_C(1000000000) + i * 997};
            pebble_future_unref(begin(pool, do_nothing, NULL, 0, &options));
        }
        int64_t start = bench_now();
        for (long i = 0; i < pairs; i++) {
            const struct pebble_job_options options = {.deadline = (600 + i % 3600) * INT64_C(1000000000)};
            pebble_future *job = begin(pool, do_nothing, NULL, 0, &options);
            pebble_future_cancel(job);
            pebble_future_unref(job);
        }
        bench_emit_point("timers", (double)count, each(start, pairs), "us/job");
        pebble_future_unref(first);
        close_pool(pool);
    }
}

static void against_payload(void)
{
    pebble_pool *pool = open_warm(1);
    size_t most = (size_t)bench_count(1L << 30, 1L << 26);
    char *data = allocate(most);
    memset(data, 1, most);
    for (size_t size = 1; size <= most; size *= 4) {
        long count = size < 65536 ? bench_count(2000, 500) : size < 1 << 24 ? 20 : 2;
        pebble_future *job;
        int64_t start = 0;
        for (long i = -1; i < count; i++) {
            if (i == 0) start = bench_now();
            job = begin(pool, echo, data, size, NULL);
            bench_check(finish(job)->length == size, "a reply is missing");
            pebble_future_unref(job);
        }
        bench_emit_point("payload", (double)size, each(start, count), "us/job");
    }
    free(data);
    close_pool(pool);
}

struct submitter {
    pthread_t thread;
    pebble_pool *pool;
    long count;
};

static void *submit(void *arg)
{
    const struct submitter *submitter = arg;
    for (long i = 0; i < submitter->count; i++)
        call(submitter->pool, do_nothing);
    return NULL;
}

static void *submit_all(void *arg)
{
    const struct submitter *submitter = arg;
    run_many(submitter->pool, do_nothing, NULL, 0, submitter->count);
    return NULL;
}

static void measure_submitters(const char *curve, void *(*body)(void *), long count)
{
    for (long threads = 1; threads <= 64; threads *= 2) {
        pebble_pool *pool = open_warm(2);
        struct submitter submitters[64];
        int64_t start = bench_now();
        for (long i = 0; i < threads; i++) {
            submitters[i] = (struct submitter){.pool = pool, .count = count / threads};
            bench_check(pthread_create(&submitters[i].thread, NULL, body, &submitters[i]) == 0, "no thread");
        }
        for (long i = 0; i < threads; i++)
            pthread_join(submitters[i].thread, NULL);
        bench_emit_point(curve, (double)threads, each(start, count), "us/job");
        close_pool(pool);
    }
}

static void against_submitters(void)
{
    measure_submitters("submitters: one job each at a time", submit, bench_count(20000, 4000));
    measure_submitters("submitters: all jobs at once", submit_all, bench_count(100000, 20000));
}

/* What two workers get done of what two CPUs could. */
static void against_length(void)
{
    for (int64_t length = 100; length <= 10000000; length *= 10) {
        pebble_pool *pool = open_warm(2);
        long count = (long)(bench_count(200000000, 40000000) / length);
        if (count > 50000) count = 50000;
        int64_t start = bench_now();
        run_many(pool, compute, &length, sizeof length, count);
        double ideal = (double)length * (double)count / 2, took = (double)(bench_now() - start);
        bench_emit_point("length: rate", (double)length / 1000, (double)count / took * 1e9, "jobs/s");
        bench_emit_point("length: efficiency", (double)length / 1000, 100 * ideal / took, "%");
        close_pool(pool);
    }
}

int main(int argc, char **argv)
{
    bench_check(argc == 2, "usage: scale CURVE");
    const char *curve = argv[1];
    if (is(curve, "workers")) against_workers();
    else if (is(curve, "queued")) against_queued();
    else if (is(curve, "timers")) against_timers();
    else if (is(curve, "payload")) against_payload();
    else if (is(curve, "submitters")) against_submitters();
    else if (is(curve, "length")) against_length();
    else bench_check(false, "no such curve");
    return 0;
}
