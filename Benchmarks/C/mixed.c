/* SPDX-License-Identifier: Apache-2.0
 *
 * 100,000 jobs of mixed lengths, 1 us to 100 ms, each decade as often as the others, in 64 workers. One in twenty is
 * over its limit, one in twenty is cancelled while the others go on. How long it all takes, against an ideal schedule:
 * the same running times, one after the other, each in the worker that is free first, without any time in between.
 * Long jobs sleep, so that two CPUs are enough for 64 of them. */
#define _GNU_SOURCE
#include "pools.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#define WORKERS 64
#define SHORT 20000 /* ns: up to there a job computes */

struct job {
    pebble_future *future;
    int64_t length, limit;
    bool cancel;
};

static int be_punctual(pebble_call *call)
{
    (void)call;
    return prctl(PR_SET_TIMERSLACK, 1);
}

static int work(pebble_call *call)
{
    size_t length;
    int64_t *ns = pebble_call_input(call, &length), end = bench_now() + *ns;
    struct timespec until = {end / 1000000000, end % 1000000000};
    if (*ns > SHORT) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    while (bench_now() < end)
        continue;
    return 0;
}

static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static double random_share(void)
{
    return (double)(next_random() >> 11) / (double)(UINT64_C(1) << 53);
}

struct all {
    struct job *jobs;
    long count;
};

/* Those that are to be cancelled, each once the one before it in the queue is done. */
static void *cancel_some(void *arg)
{
    const struct all *all = arg;
    for (long i = 1; i < all->count; i++)
        if (all->jobs[i].cancel) {
            finish(all->jobs[i - 1].future);
            pebble_future_cancel(all->jobs[i].future);
        }
    return NULL;
}

static void schedule_all(pebble_pool *pool, struct all *all)
{
    for (long i = 0; i < all->count; i++) {
        struct job *job = &all->jobs[i];
        job->length = (int64_t)(1000 * pow(1e5, random_share()));
        job->limit = next_random() % 20 == 0 && job->length > 1000 ? job->length / 2 : 0;
        job->cancel = next_random() % 20 == 0;
        const struct pebble_job_options options = {.timeout = job->limit};
        job->future = begin(pool, work, &job->length, sizeof job->length, &options);
    }
}

/* When the last job would end. */
static double ideal(const struct all *all, long *ret_ended_early)
{
    double free_at[WORKERS] = {0}, end = 0;
    for (long i = 0; i < all->count; i++) {
        const struct pebble_outcome *outcome = pebble_future_outcome(all->jobs[i].future);
        int worker = 0;
        for (int k = 1; k < WORKERS; k++)
            if (free_at[k] < free_at[worker]) worker = k;
        double length = outcome->status == PEBBLE_SUCCESS   ? (double)all->jobs[i].length
                        : outcome->status == PEBBLE_TIMEOUT ? (double)all->jobs[i].limit
                                                            : (double)outcome->run_time;
        *ret_ended_early += outcome->status != PEBBLE_SUCCESS;
        free_at[worker] += length;
        if (free_at[worker] > end) end = free_at[worker];
    }
    return end;
}

int main(void)
{
    struct all all = {.count = bench_count(100000, 10000)};
    all.jobs = allocate((size_t)all.count * sizeof *all.jobs);
    pebble_pool *pool = open_pool(&(struct pebble_pool_config){
        .max_workers = WORKERS, .spare_workers = 8, .initializer.function = be_punctual});
    pebble_future *first[WORKERS];
    int64_t length = 30000000;
    for (int i = 0; i < WORKERS; i++)
        first[i] = begin(pool, work, &length, sizeof length, NULL);
    for (int i = 0; i < WORKERS; i++)
        finish(first[i]);

    int64_t start = bench_now();
    schedule_all(pool, &all);
    pthread_t canceller;
    bench_check(pthread_create(&canceller, NULL, cancel_some, &all) == 0, "no thread");
    for (long i = 0; i < all.count; i++)
        finish(all.jobs[i].future);
    double took = (double)(bench_now() - start);
    pthread_join(canceller, NULL);
    long ended_early = 0;
    double best = ideal(&all, &ended_early);
    bench_emit("took", took / 1e9, "s");
    bench_emit("ideal", best / 1e9, "s");
    bench_emit("ratio", took / best, "x");
    bench_emit("ended early", (double)ended_early, "jobs");
    close_pool(pool);
    return 0;
}
