/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value == '1';
}

void bench_check(bool condition, const char *reason)
{
    if (condition) return;
    fprintf(stderr, "benchmark: %s (errno: %s)\n", reason, strerror(errno));
    exit(1);
}

int64_t bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

long bench_count(long full, long quick)
{
    return is_set("BENCH_QUICK") ? quick : full;
}

void bench_emit(const char *metric, double value, const char *unit)
{
    printf("{\"metric\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"}\n", metric, value, unit);
    fflush(stdout);
}

void bench_emit_point(const char *curve, double x, double value, const char *unit)
{
    printf("{\"metric\": \"%s\", \"x\": %.10g, \"value\": %.6g, \"unit\": \"%s\"}\n", curve, x, value, unit);
    fflush(stdout);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void bench_emit_quantiles(int64_t *times, size_t count, double divisor, const char *unit)
{
    static const struct {
        const char *name;
        size_t permille;
    } quantiles[] = {{"p10", 100}, {"p50", 500}, {"p90", 900}, {"p99", 990}};
    qsort(times, count, sizeof *times, compare);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        bench_emit(quantiles[i].name, (double)times[count * quantiles[i].permille / 1000] / divisor, unit);
}

void bench_pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (cpu < 0 || i == cpu) CPU_SET((size_t)i, &set);
    bench_check(sched_setaffinity(0, sizeof set, &set) == 0, "there is no such CPU");
}

/* --- costs --- */

static struct counter {
    const char *metric, *unit;
    double divisor;
    uint32_t type;
    uint64_t event;
    int fd;
    uint64_t start;
} counters[] = {
    {"cpu", "us/job", 1000, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, -1, 0},
    {"switches", "/job", 1, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, -1, 0},
    {"syscalls", "/job", 1, PERF_TYPE_TRACEPOINT, 0, -1, 0},
};
#define COUNTERS (sizeof counters / sizeof *counters)

static uint64_t id_of_syscalls(void)
{
    unsigned long long id = 0;
    FILE *file = fopen("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id", "r");
    if (file && fscanf(file, "%llu", &id) != 1) id = 0;
    if (file) fclose(file);
    return id;
}

static void open_counter(struct counter *counter)
{
    struct perf_event_attr attributes = {
        .type = counter->type, .size = sizeof attributes, .config = counter->event, .inherit = 1};
    counter->fd = (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

void bench_open_costs(void)
{
    if (!is_set("BENCH_COST")) return;
    counters[COUNTERS - 1].event = id_of_syscalls();
    for (size_t i = 0; i < COUNTERS; i++)
        if (counters[i].type != PERF_TYPE_TRACEPOINT || counters[i].event) open_counter(&counters[i]);
}

static uint64_t value_of(const struct counter *counter)
{
    uint64_t value = 0;
    return counter->fd >= 0 && read(counter->fd, &value, sizeof value) == sizeof value ? value : 0;
}

void bench_begin(void)
{
    for (size_t i = 0; i < COUNTERS; i++)
        counters[i].start = value_of(&counters[i]);
}

void bench_end(long jobs)
{
    for (size_t i = 0; i < COUNTERS; i++) {
        const struct counter *counter = &counters[i];
        if (counter->fd < 0) continue;
        double count = (double)(value_of(counter) - counter->start);
        bench_emit(counter->metric, count / counter->divisor / (double)jobs, counter->unit);
    }
}

/* --- /proc --- */

/* The number behind "KEY:" in a file; negative: there is none. */
static long read_key(const char *path, const char *key)
{
    char line[256];
    long value = -1;
    size_t length = strlen(key);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, length) == 0 && line[length] == ':') value = atol(line + length + 1);
    if (file) fclose(file);
    return value;
}

long bench_memory(int pid, const char *key)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    return read_key(path, key);
}

static bool is_ours(const char *pid)
{
    static char own[PATH_MAX];
    char path[64], exe[PATH_MAX] = "";
    if (!*own && readlink("/proc/self/exe", own, sizeof own - 1) < 0) return false;
    snprintf(path, sizeof path, "/proc/%.20s/exe", pid);
    return readlink(path, exe, sizeof exe - 1) > 0 && strcmp(exe, own) == 0;
}

static long sleeps_of_process(const char *pid)
{
    char path[128];
    long sum = 0;
    snprintf(path, sizeof path, "/proc/%.20s/task", pid);
    DIR *tasks = opendir(path);
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        if (*task->d_name == '.' || atoi(task->d_name) == gettid()) continue;
        snprintf(path, sizeof path, "/proc/%.20s/task/%.20s/status", pid, task->d_name);
        long sleeps = read_key(path, "voluntary_ctxt_switches");
        sum += sleeps > 0 ? sleeps : 0;
    }
    if (tasks) closedir(tasks);
    return sum;
}

long bench_sleeps(void)
{
    long sum = 0;
    DIR *processes = opendir("/proc");
    for (struct dirent *process; processes && (process = readdir(processes));)
        if (process->d_name[0] >= '1' && process->d_name[0] <= '9' && is_ours(process->d_name))
            sum += sleeps_of_process(process->d_name);
    if (processes) closedir(processes);
    return sum;
}
