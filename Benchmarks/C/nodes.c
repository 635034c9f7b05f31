/* SPDX-License-Identifier: Apache-2.0
 *
 * What it costs to run a job on a node instead of here: the same measurements of a pool of processes, of nodes that are
 * this machine and reached through a pipe, and, where SLURM_CONF is set, of nodes that srun starts. Prints a table. */
#define _GNU_SOURCE
#include "pools.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define NODES 2
#define WORKERS 2 /* of each */
#define BEAT INT64_C(1000000)
#define NEVER INT64_C(60000000000)

enum engine { LOCAL, PIPES, SLURM, ENGINES };
static const char *const names[ENGINES] = {"processes", "nodes, a pipe", "nodes, srun"};

struct figures {
    double up_ms, trip_us, trip_p99_us, jobs_per_second;
    double host_us, helpers_us; /* CPU time for each job: of this process, of srun and slurmstepd */
    double mib_per_second;
    double beat_us;  /* CPU time of this process for a beat that comes and one that goes */
    long node_kb;    /* resident memory of a node's srun processes */
};

static pebble_pool *open_engine(enum engine engine, int64_t beat)
{
    static const char *const command[] = {"env", NULL}, *const labels[NODES] = {"n1", "n2"};
    const struct pebble_pool_config config = {.max_workers = engine == LOCAL ? NODES * WORKERS : WORKERS};
    const struct pebble_nodes nodes = {
        .command = command, .names = labels, .count = NODES, .beat = beat, .lost_after = NEVER};
    const struct pebble_slurm slurm = {.nodes = NODES, .beat = beat, .lost_after = NEVER};
    pebble_pool *pool;
    int rc = engine == LOCAL   ? pebble_pool_new(&config, &pool)
             : engine == PIPES ? pebble_node_pool_new(&config, &nodes, &pool)
                               : pebble_slurm_pool_new(&config, &slurm, &pool);
    bench_check(rc == 0, "a pool");
    return pool;
}

static int nap(pebble_call *call)
{
    (void)call;
    return nanosleep(&(struct timespec){.tv_nsec = 300 * 1000 * 1000}, NULL);
}

/* Until all workers of all nodes have had a job. */
static void warm(pebble_pool *pool)
{
    pebble_future *jobs[NODES * WORKERS];
    for (size_t i = 0; i < NODES * WORKERS; i++)
        jobs[i] = begin(pool, nap, NULL, 0, NULL);
    for (size_t i = 0; i < NODES * WORKERS; i++)
        finish(jobs[i]), pebble_future_unref(jobs[i]);
}

static double own_cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* us of CPU time of the processes with these names; and the resident kB of the first. */
static double cpu_of(const char *first, const char *second, long *ret_kb)
{
    DIR *processes = opendir("/proc");
    double ticks = 0;
    *ret_kb = 0;
    for (struct dirent *entry; processes && (entry = readdir(processes));) {
        char path[300], comm[64];
        unsigned long user, system;
        long pages;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = atoi(entry->d_name) > 0 ? fopen(path, "r") : NULL;
        if (!file) continue;
        if (fscanf(file, "%*d (%63[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u "
                         "%*u %ld", comm, &user, &system, &pages) == 4) {
            bool is_first = strcmp(comm, first) == 0;
            if (is_first || strcmp(comm, second) == 0) ticks += (double)(user + system);
            if (is_first) *ret_kb += pages * (sysconf(_SC_PAGESIZE) / 1024);
        }
        fclose(file);
    }
    closedir(processes);
    return ticks * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static int earlier(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

static void measure_trips(pebble_pool *pool, struct figures *figures)
{
    const long count = bench_count(5000, 500);
    int64_t *times = allocate((size_t)count * sizeof *times);
    for (long i = 0; i < count; i++) {
        int64_t start = bench_now();
        call(pool, do_nothing);
        times[i] = bench_now() - start;
    }
    qsort(times, (size_t)count, sizeof *times, earlier);
    figures->trip_us = (double)times[count / 2] / 1e3;
    figures->trip_p99_us = (double)times[count * 99 / 100] / 1e3;
    free(times);
}

static void measure_throughput(pebble_pool *pool, struct figures *figures)
{
    const long count = bench_count(50000, 5000);
    long kb;
    pebble_future **jobs = allocate((size_t)count * sizeof *jobs);
    double own = own_cpu(), helpers = cpu_of("srun", "slurmstepd", &kb);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++)
        jobs[i] = begin(pool, do_nothing, NULL, 0, NULL);
    for (long i = 0; i < count; i++)
        finish(jobs[i]);
    figures->jobs_per_second = per_second(count, start);
    figures->host_us = (own_cpu() - own) / (double)count;
    figures->helpers_us = (cpu_of("srun", "slurmstepd", &kb) - helpers) / (double)count;
    figures->node_kb = kb / NODES;
    for (long i = 0; i < count; i++)
        pebble_future_unref(jobs[i]);
    free(jobs);
}

static void measure_bulk(pebble_pool *pool, struct figures *figures)
{
    const long count = bench_count(20, 5);
    const size_t size = (size_t)1 << 20;
    void *data = allocate(size);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        pebble_future *job = begin(pool, echo, data, size, NULL);
        bench_check(finish(job)->length == size, "an echo");
        pebble_future_unref(job);
    }
    figures->mib_per_second = 2 * per_second(count, start); /* there and back */
    free(data);
}

/* Two nodes that have nothing to do but to say so. */
static void measure_beats(enum engine engine, struct figures *figures)
{
    pebble_pool *pool = open_engine(engine, BEAT);
    warm(pool);
    double own = own_cpu();
    int64_t start = bench_now();
    nanosleep(&(struct timespec){.tv_sec = bench_count(3, 1)}, NULL);
    figures->beat_us = (own_cpu() - own) / ((double)(bench_now() - start) / (double)BEAT * NODES);
    close_pool(pool);
}

static struct figures measure(enum engine engine)
{
    struct figures figures = {0};
    int64_t start = bench_now();
    pebble_pool *pool = open_engine(engine, 0);
    call(pool, do_nothing);
    figures.up_ms = (double)(bench_now() - start) / 1e6;
    warm(pool);
    measure_trips(pool, &figures);
    measure_throughput(pool, &figures);
    measure_bulk(pool, &figures);
    close_pool(pool);
    if (engine != LOCAL) measure_beats(engine, &figures);
    return figures;
}

static void print_or_none(const char *format, double value, bool there)
{
    if (there)
        printf(format, value);
    else
        printf("%s", strchr(format, '\n') ? "- |\n" : "- | ");
}

int main(void)
{
    printf("| | first outcome | round trip, p50 | p99 | jobs/s | CPU of the program, a job | of srun and slurmstepd "
           "| 1 MiB, there and back | CPU of the program, a beat | memory of srun, a node |\n"
           "|---|---|---|---|---|---|---|---|---|---|\n");
    for (int engine = LOCAL; engine < (getenv("SLURM_CONF") ? ENGINES : SLURM); engine++) {
        struct figures f = measure((enum engine)engine);
        printf("| %s | %.0f ms | %.0f us | %.0f us | %.0f | %.1f us | ", names[engine], f.up_ms, f.trip_us, f.trip_p99_us,
               f.jobs_per_second, f.host_us);
        print_or_none("%.1f us | ", f.helpers_us, engine == SLURM);
        printf("%.0f MiB/s | ", f.mib_per_second);
        print_or_none("%.1f us | ", f.beat_us, engine != LOCAL);
        print_or_none("%.1f MB |\n", (double)f.node_kb / 1000, engine == SLURM);
    }
    return 0;
}
