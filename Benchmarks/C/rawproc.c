/* SPDX-License-Identifier: Apache-2.0
 *
 * The machine's limits, without any library: processes that come and go.
 *
 * usage: rawproc fork|vfork per-call|per-call-256m|max-tasks-1|crashes
 *        rawproc fork timeout|cancel|cancel-overlapped|memory|idle */
#define _GNU_SOURCE
#include "bench.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE 64
#define LIMIT (20 * INT64_C(1000000))

extern char **environ;

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    bench_check(memory, "no memory");
    return memory;
}

static pid_t start_forever(void)
{
    pid_t pid = fork();
    bench_check(pid >= 0, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) pause();
    }
    return pid;
}

static pid_t start_and_exit(void)
{
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    return pid;
}

static pid_t start_and_die(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        kill(getpid(), SIGKILL);
        pause();
    }
    return pid;
}

static pid_t start_and_exec(void)
{
    char path[] = "/bin/true", *const arguments[] = {path, NULL};
    pid_t pid = vfork();
    if (pid == 0) {
        execve(path, arguments, environ);
        _exit(127);
    }
    return pid;
}

/* So many at a time. */
static void measure_rate(pid_t (*start)(void), long count, long parallel)
{
    long begun = 0, ended = 0;
    bench_begin();
    int64_t begin = bench_now();
    while (ended < count) {
        for (; begun < count && begun - ended < parallel; begun++)
            bench_check(start() > 0, "fork");
        waitpid(-1, NULL, 0);
        ended++;
    }
    bench_emit("rate", (double)count / ((double)(bench_now() - begin) / 1e9), "calls/s");
    bench_end(count);
}

/* A whole call: fork, 64 bytes back through a pipe, reap. */
static pid_t fork_and_call(void)
{
    char message[MESSAGE] = {0};
    int ends[2];
    bench_check(pipe(ends) == 0, "pipe");
    pid_t pid = fork();
    if (pid == 0) _exit(write(ends[1], message, sizeof message) < 0);
    close(ends[1]);
    bench_check(read(ends[0], message, sizeof message) == sizeof message, "read");
    close(ends[0]);
    return pid;
}

static int open_pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* --- limits: 2 processes that never end, each with a timer; from the end of its time until it is reaped --- */

struct limited {
    pid_t pid;
    int pidfd, timer;
    int64_t deadline;
};

static void watch(int epoll, int fd, uint32_t tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = tag};
    bench_check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void start_limited(struct limited *limited, int epoll, uint32_t number)
{
    limited->pid = start_forever();
    limited->deadline = bench_now() + LIMIT;
    limited->pidfd = open_pidfd(limited->pid);
    watch(epoll, limited->pidfd, 2 + number);
    struct itimerspec at = {.it_value = {limited->deadline / 1000000000, limited->deadline % 1000000000}};
    timerfd_settime(limited->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void measure_limits(void)
{
    long count = bench_count(100, 40), begun = 0, ended = 0;
    int64_t *times = allocate((size_t)count * sizeof *times);
    struct limited limited[2];
    int epoll = epoll_create1(0);
    for (uint32_t i = 0; i < 2; i++, begun++) {
        limited[i].timer = timerfd_create(CLOCK_MONOTONIC, 0);
        watch(epoll, limited[i].timer, i);
        start_limited(&limited[i], epoll, i);
    }
    while (ended < count) {
        struct epoll_event event;
        if (epoll_wait(epoll, &event, 1, -1) != 1) continue;
        struct limited *one = &limited[event.data.u32 % 2];
        uint64_t expirations;
        if (event.data.u32 < 2) {
            if (read(one->timer, &expirations, sizeof expirations) > 0) kill(one->pid, SIGKILL);
            continue;
        }
        waitpid(one->pid, NULL, 0);
        times[ended++] = bench_now() - one->deadline;
        epoll_ctl(epoll, EPOLL_CTL_DEL, one->pidfd, NULL); /* the other process has inherited it */
        close(one->pidfd);
        if (begun++ < count) start_limited(one, epoll, event.data.u32 % 2);
    }
    bench_emit_quantiles(times, (size_t)count, 1e6, "ms");
}

/* --- kill one, and hear from the next; with `overlap`, while the killed one still dies --- */

static pid_t start_echo(int *ret_out, int *ret_in)
{
    int there[2], back[2];
    bench_check(pipe(there) == 0 && pipe(back) == 0, "pipe");
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(there[1]);
        char byte;
        while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
            continue;
        _exit(0);
    }
    close(there[0]), close(back[1]);
    *ret_out = there[1], *ret_in = back[0];
    return pid;
}

static void measure_cancel(bool overlap)
{
    long count = bench_count(200, 50);
    int64_t *times = allocate((size_t)count * sizeof *times);
    for (long i = 0; i < count; i++) {
        int out, in;
        char byte = 0;
        pid_t victim = start_forever();
        struct pollfd gone = {.fd = open_pidfd(victim), .events = POLLIN};
        usleep(500);
        int64_t begin = bench_now();
        kill(victim, SIGKILL);
        if (!overlap) poll(&gone, 1, -1), waitpid(victim, NULL, 0);
        pid_t next = start_echo(&out, &in);
        bench_check(write(out, &byte, 1) == 1 && read(in, &byte, 1) == 1, "echo");
        times[i] = bench_now() - begin;
        if (overlap) waitpid(victim, NULL, 0);
        close(out), close(in), close(gone.fd);
        waitpid(next, NULL, 0);
    }
    bench_emit_quantiles(times, (size_t)count, 1e6, "ms");
}

static void measure_memory(void)
{
    int out, in;
    char byte = 0;
    pid_t pid = start_echo(&out, &in);
    bench_check(write(out, &byte, 1) == 1 && read(in, &byte, 1) == 1, "echo");
    bench_emit("worker", (double)bench_memory(pid, "Private_Dirty"), "kB");
    long count = bench_count(200000, 50000), before = bench_memory(getpid(), "Rss");
    void **jobs = allocate((size_t)count * sizeof *jobs);
    for (long i = 0; i < count; i++)
        memset(jobs[i] = allocate(128), 1, 128);
    bench_emit("queued", (double)(bench_memory(getpid(), "Rss") - before) * 1024 / (double)count, "B/job");
    close(out);
}

/* A process that sleeps, with one timer far away. */
static void measure_idle(void)
{
    pid_t pid = fork();
    bench_check(pid >= 0, "fork");
    if (pid == 0) {
        int epoll = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
        struct itimerspec far = {.it_value = {600, 0}};
        watch(epoll, timer, 0);
        timerfd_settime(timer, 0, &far, NULL);
        struct epoll_event event;
        _exit(epoll_wait(epoll, &event, 1, -1) < 0);
    }
    usleep(300000);
    long seconds = bench_count(2, 1), before = bench_sleeps();
    sleep((unsigned)seconds);
    bench_emit("idle", (double)(bench_sleeps() - before) / (double)seconds, "/s");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
    bench_check(argc == 3, "usage: rawproc KIND ROW");
    const char *kind = argv[1], *row = argv[2];
    pid_t (*start)(void) = is(kind, "vfork") ? start_and_exec : is(row, "max-tasks-1") ? start_and_exit : fork_and_call;
    bench_open_costs();
    if (is(row, "per-call-256m")) memset(allocate(256 << 20), 1, 256 << 20);
    if (is(row, "per-call") || is(row, "per-call-256m"))
        measure_rate(start, is(row, "per-call") ? bench_count(500, 150) : bench_count(60, 20), 1);
    else if (is(row, "max-tasks-1"))
        measure_rate(start, bench_count(1000, 200), 2);
    else if (is(row, "crashes"))
        measure_rate(start_and_die, bench_count(1000, 200), 2);
    else if (is(row, "timeout"))
        measure_limits();
    else if (is(row, "memory"))
        measure_memory();
    else if (is(row, "idle"))
        measure_idle();
    else
        measure_cancel(is(row, "cancel-overlapped"));
    return 0;
}
