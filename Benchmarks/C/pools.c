/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pools.h"

#include <stdlib.h>
#include <unistd.h>

void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    bench_check(memory, "no memory");
    return memory;
}

pebble_future *begin(pebble_pool *pool, pebble_function function, const void *input, size_t length,
                     const struct pebble_job_options *options)
{
    pebble_future *job;
    bench_check(pebble_pool_schedule(pool, function, input, length, options, &job) == 0, "not scheduled");
    return job;
}

const struct pebble_outcome *finish(pebble_future *job)
{
    pebble_future_wait(job, PEBBLE_FOREVER);
    return pebble_future_outcome(job);
}

void call(pebble_pool *pool, pebble_function function)
{
    pebble_future *job = begin(pool, function, NULL, 0, NULL);
    bench_check(finish(job)->status == PEBBLE_SUCCESS, "a job failed");
    pebble_future_unref(job);
}

pebble_pool *open_pool(const struct pebble_pool_config *config)
{
    pebble_pool *pool;
    bench_check(pebble_pool_new(config, &pool) == 0, "no pool");
    return pool;
}

pebble_pool *open_warm(unsigned workers)
{
    pebble_pool *pool = open_pool(&(struct pebble_pool_config){.max_workers = workers});
    pebble_future **jobs = allocate(workers * sizeof *jobs);
    int64_t length = 2000000;
    for (unsigned i = 0; i < workers; i++)
        jobs[i] = begin(pool, compute, &length, sizeof length, NULL);
    for (unsigned i = 0; i < workers; i++)
        finish(jobs[i]), pebble_future_unref(jobs[i]);
    free(jobs);
    for (int i = 0; i < 200; i++)
        call(pool, do_nothing);
    return pool;
}

void close_pool(pebble_pool *pool)
{
    pebble_pool_stop(pool);
    pebble_pool_join(pool, PEBBLE_FOREVER);
    pebble_pool_unref(pool);
}

double per_second(long count, int64_t since)
{
    return (double)count / ((double)(bench_now() - since) / 1e9);
}

int do_nothing(pebble_call *call)
{
    (void)call;
    return 0;
}

int echo(pebble_call *call)
{
    size_t length;
    void *input = pebble_call_input(call, &length);
    return pebble_call_write(call, input, length);
}

int compute(pebble_call *call)
{
    size_t length;
    int64_t *ns = pebble_call_input(call, &length), end = bench_now() + *ns;
    while (bench_now() < end)
        continue;
    return 0;
}

int sleep_for_ever(pebble_call *call)
{
    pebble_call_update(call, NULL, 0);
    for (;;) pause();
    return 0;
}
