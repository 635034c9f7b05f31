/* SPDX-License-Identifier: Apache-2.0
 *
 * What a crash costs: its recorder, in each worker; from the fault to the outcome; the names of the frames.
 *
 * usage: crash pebble|fork */
#define _GNU_SOURCE
#include "pools.h"

#include "crash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define AHEAD INT64_C(300000) /* ns */

static int *volatile nowhere;

/* At a time that was told before. */
static void crash_at(int64_t time)
{
    while (bench_now() < time)
        continue;
    *nowhere = 1;
}

static int job_crash(pebble_call *call)
{
    int64_t time = bench_now() + AHEAD;
    pebble_call_update(call, &time, sizeof time);
    crash_at(time);
    return 0;
}

static double median(int64_t *times, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k > 0 && times[k] < times[k - 1]; k--) {
            int64_t time = times[k];
            times[k] = times[k - 1], times[k - 1] = time;
        }
    return (double)times[count / 2];
}

static int64_t time_of(pebble_queue *updates)
{
    int64_t time;
    void *item;
    bench_check(pebble_queue_get(updates, 0, &item) == 0, "no update");
    memcpy(&time, ((struct pebble_update *)item)->data, sizeof time);
    pebble_update_free(item);
    return time;
}

static void measure_crashes(void)
{
    size_t count = (size_t)bench_count(300, 100);
    int64_t *outcomes = allocate(count * sizeof *outcomes), *names = allocate(count * sizeof *names);
    pebble_pool *pool = open_pool(&(struct pebble_pool_config){.max_workers = 1});
    call(pool, do_nothing);
    for (size_t i = 0; i < count; i++) {
        pebble_queue *updates;
        bench_check(pebble_queue_new(0, pebble_update_free, &updates) == 0, "no queue");
        pebble_future *job = begin(pool, job_crash, NULL, 0, &(struct pebble_job_options){.updates = updates});
        const struct pebble_outcome *outcome = finish(job);
        int64_t now = bench_now();
        outcomes[i] = now - time_of(updates);
        struct pebble_frame frame;
        bench_check(outcome->crash && pebble_backtrace_frame(outcome->crash->backtrace, 0, &frame) == 0, "no record");
        names[i] = bench_now() - now;
        bench_check(frame.function, "no name");
        pebble_future_unref(job);
        pebble_queue_unref(updates);
    }
    bench_emit("to the outcome", median(outcomes, count) / 1000, "us");
    bench_emit("names", median(names, count) / 1000, "us");
    close_pool(pool);
}

static void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bench_check(memory != MAP_FAILED, "no memory");
    return memory;
}

/* What a worker does, forked by a server that has made ready for it. */
static void measure_recorder(void)
{
    size_t count = (size_t)bench_count(300, 100);
    int64_t *times = allocate(count * sizeof *times), *time = shared_memory(sizeof *time);
    struct pb_shared *shared = shared_memory(sizeof *shared);
    pb_crash_prepare();
    for (size_t i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            int64_t start = bench_now();
            pb_crash_install(shared);
            *time = bench_now() - start;
            _exit(0);
        }
        waitpid(pid, NULL, 0);
        times[i] = *time;
    }
    bench_emit("recorder", median(times, count) / 1000, "us");
}

/* A child of one's own, and nothing recorded. */
static void measure_children(void)
{
    size_t count = (size_t)bench_count(300, 100);
    int64_t *times = allocate(count * sizeof *times), *time = shared_memory(sizeof *time);
    for (size_t i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid == 0) crash_at(*time = bench_now() + AHEAD);
        waitpid(pid, NULL, 0);
        times[i] = bench_now() - *time;
    }
    bench_emit("to the outcome", median(times, count) / 1000, "us");
}

int main(int argc, char **argv)
{
    bench_check(argc == 2, "usage: crash pebble|fork");
    if (strcmp(argv[1], "fork") == 0) {
        measure_children();
        return 0;
    }
    measure_crashes();
    measure_recorder();
    return 0;
}
