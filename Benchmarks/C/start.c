/* SPDX-License-Identifier: Apache-2.0
 *
 * What it costs to begin: a process with Pebble in it and without, the first use of a pool, a worker.
 *
 * usage: start FOLDER, of the programs hello-plain, hello-static, hello-shared */
#define _GNU_SOURCE
#include "pools.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

static int64_t median(int64_t *times, long count)
{
    for (long i = 1; i < count; i++)
        for (long k = i; k > 0 && times[k] < times[k - 1]; k--) {
            int64_t time = times[k];
            times[k] = times[k - 1], times[k - 1] = time;
        }
    return times[count / 2];
}

static int64_t time_of_process(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *const arguments[] = {path, NULL};
    pid_t pid;
    int status;
    int64_t start = bench_now();
    bench_check(posix_spawn(&pid, path, NULL, NULL, arguments, environ) == 0, "posix_spawn");
    waitpid(pid, &status, 0);
    bench_check(status == 0, "a program failed");
    return bench_now() - start;
}

static void measure_processes(const char *folder)
{
    static const char *const names[] = {"hello-plain", "hello-static", "hello-shared"};
    static const char *const metrics[] = {"process without Pebble", "process with libcpebble.a",
                                          "process with libcpebble.so"};
    static int64_t times[3][200];
    long count = bench_count(200, 50);
    for (long i = 0; i < count; i++)
        for (int k = 0; k < 3; k++)
            times[k][i] = time_of_process(folder, names[k]);
    for (int k = 0; k < 3; k++)
        bench_emit(metrics[k], (double)median(times[k], count) / 1e6, "ms");
}

/* The first result of a pool, with the first start of the server, and one of the next pools. */
static void measure_first_use(void)
{
    int64_t start = bench_now();
    pebble_pool *pool = open_pool(NULL), *next;
    call(pool, do_nothing);
    bench_emit("first result of the first pool", (double)(bench_now() - start) / 1e6, "ms");
    static int64_t times[50];
    for (int i = 0; i < 50; i++) {
        start = bench_now();
        next = open_pool(NULL);
        call(next, do_nothing);
        times[i] = bench_now() - start;
        close_pool(next);
    }
    bench_emit("first result of a later pool", (double)median(times, 50) / 1e6, "ms");
    close_pool(pool);
}

/* A worker for each job: the next one is started when the job before is done. */
static void measure_workers(enum pebble_start_method method, const char *metric)
{
    static int64_t times[200];
    long count = bench_count(200, 50);
    pebble_pool *pool = open_pool(&(struct pebble_pool_config){
        .max_workers = 1, .max_tasks = 1, .spare_workers = PEBBLE_NO_SPARES, .start_method = method});
    for (long i = -2; i < count; i++) {
        int64_t start = bench_now();
        call(pool, do_nothing);
        if (i >= 0) times[i] = bench_now() - start;
    }
    bench_emit(metric, (double)median(times, count) / 1e6, "ms");
    close_pool(pool);
}

int main(int argc, char **argv)
{
    bench_check(argc == 2, "usage: start FOLDER");
    measure_first_use();
    measure_processes(argv[1]);
    measure_workers(PEBBLE_FORK_SERVER, "a worker from the fork server, and a job");
    measure_workers(PEBBLE_SPAWN, "a spawned worker, and a job");
    return 0;
}
