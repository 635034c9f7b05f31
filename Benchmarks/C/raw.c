/* SPDX-License-Identifier: Apache-2.0
 *
 * The machine's limits, without any library: messages between two processes.
 *
 * usage: raw pipe|socketpair|futex|thread trip-one-cpu|trip-two-cpus|trip-free
 *        raw ring|socketpair|batches throughput
 *        raw socketpair map-1m|map-50k|echo-1m|echo-64m
 *        raw shared echo-1m|echo-64m */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE 64
#define MEGABYTE (1L << 20)

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* --- processes and memory --- */

static pid_t start(void)
{
    pid_t pid = fork();
    bench_check(pid >= 0, "fork");
    if (pid == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void *share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bench_check(memory != MAP_FAILED, "mmap");
    return memory;
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    bench_check(memory, "no memory");
    return memory;
}

static void wait_while(_Atomic uint32_t *word, uint32_t value)
{
    while (atomic_load(word) == value)
        syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static void wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* All of it; the end of the other side ends this process. */
static void transfer(int fd, void *data, size_t length, bool out)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = out ? write(fd, (char *)data + done, length - done) : read(fd, (char *)data + done, length - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) _exit(0);
        done += (size_t)n;
    }
}

/* --- a process that echoes what it reads --- */

struct echo {
    pid_t pid;
    int in, out;
};

static void make_channel(const char *kind, int buffer, int *ours, int *theirs)
{
    if (is(kind, "pipe")) {
        int there[2], back[2];
        bench_check(pipe(there) == 0 && pipe(back) == 0, "pipe");
        ours[0] = back[0], ours[1] = there[1], theirs[0] = there[0], theirs[1] = back[1];
        return;
    }
    int pair[2];
    bench_check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    for (int i = 0; buffer && i < 2; i++) {
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
        setsockopt(pair[i], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    }
    ours[0] = ours[1] = pair[0], theirs[0] = theirs[1] = pair[1];
}

static struct echo start_echo(const char *kind, size_t message, int buffer, int cpu)
{
    int ours[2], theirs[2];
    make_channel(kind, buffer, ours, theirs);
    struct echo echo = {start(), ours[0], ours[1]};
    if (echo.pid == 0) {
        close(ours[1]);
        if (cpu >= 0) bench_pin(cpu);
        for (char *data = allocate(message);;) {
            transfer(theirs[0], data, message, false);
            transfer(theirs[1], data, message, true);
        }
    }
    close(theirs[0]);
    if (theirs[1] != theirs[0]) close(theirs[1]);
    return echo;
}

static void end_echo(struct echo echo)
{
    end(echo.pid);
    close(echo.in);
    if (echo.out != echo.in) close(echo.out);
}

/* --- round trips --- */

typedef void (*trip_function)(void *context, long number);

static void measure_trips(trip_function trip, void *context)
{
    long count = bench_count(20000, 4000);
    int64_t *times = allocate((size_t)count * sizeof *times);
    long number = 0;
    while (number < 200)
        trip(context, ++number);
    bench_begin();
    for (long i = 0; i < count; i++) {
        int64_t begin = bench_now();
        trip(context, ++number);
        times[i] = bench_now() - begin;
    }
    bench_end(count);
    bench_emit_quantiles(times, (size_t)count, 1000, "us");
    free(times);
}

static void echo_trip(void *context, long number)
{
    struct echo *echo = context;
    char message[MESSAGE] = {(char)number};
    transfer(echo->out, message, sizeof message, true);
    transfer(echo->in, message, sizeof message, false);
}

struct words {
    _Alignas(64) _Atomic uint32_t there;
    _Alignas(64) _Atomic uint32_t back;
    int cpu;
};

static void *answer(void *arg)
{
    struct words *words = arg;
    if (words->cpu >= 0) bench_pin(words->cpu);
    for (uint32_t n = 0;; n++) {
        wait_while(&words->there, n);
        atomic_store(&words->back, n + 1);
        wake(&words->back);
    }
    return NULL;
}

static void futex_trip(void *context, long number)
{
    struct words *words = context;
    atomic_store(&words->there, (uint32_t)number);
    wake(&words->there);
    wait_while(&words->back, (uint32_t)number - 1);
}

static void run_trips(const char *kind, const char *row)
{
    int there = is(row, "trip-two-cpus") ? 1 : is(row, "trip-one-cpu") ? 0 : -1;
    if (there >= 0) bench_pin(0);
    if (is(kind, "pipe") || is(kind, "socketpair")) {
        struct echo echo = start_echo(kind, MESSAGE, 0, there);
        measure_trips(echo_trip, &echo);
        end_echo(echo);
        return;
    }
    struct words *words = share(sizeof *words);
    words->cpu = there;
    pthread_t thread;
    pid_t pid = 0;
    if (is(kind, "thread"))
        bench_check(pthread_create(&thread, NULL, answer, words) == 0, "pthread_create");
    else if ((pid = start()) == 0)
        answer(words);
    measure_trips(futex_trip, words);
    if (pid) end(pid);
}

/* --- throughput: 2 workers --- */

/* Socket pairs with 64 messages in flight each, read in batches, and written one by one or in batches. */
static double socket_rate(long count, bool batches)
{
    enum { DEPTH = 64 };
    static char data[DEPTH * MESSAGE];
    struct echo echo[2];
    long sent = 0, got = 0, busy[2] = {0}, part[2] = {0};
    int epoll = epoll_create1(0);
    for (int i = 0; i < 2; i++) {
        echo[i] = start_echo("socketpair", MESSAGE, 1 << 20, -1);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(epoll, EPOLL_CTL_ADD, echo[i].in, &event);
    }
    bench_begin();
    int64_t begin = bench_now();
    while (got < count) {
        for (int i = 0; i < 2; i++) {
            long more = DEPTH - busy[i] < count - sent ? DEPTH - busy[i] : count - sent;
            if (more <= 0 || (batches && more < DEPTH / 2 && sent + more < count)) continue;
            long at_once = batches ? more : 1;
            for (long k = 0; k < more; k += at_once)
                transfer(echo[i].out, data, (size_t)at_once * MESSAGE, true);
            sent += more, busy[i] += more;
        }
        struct epoll_event events[2];
        int ready = epoll_wait(epoll, events, 2, -1);
        for (int k = 0; k < ready; k++) {
            uint32_t i = events[k].data.u32;
            ssize_t n = read(echo[i].in, data, sizeof data);
            bench_check(n > 0, "read");
            part[i] += n;
            busy[i] -= part[i] / MESSAGE, got += part[i] / MESSAGE;
            part[i] %= MESSAGE;
        }
    }
    double seconds = (double)(bench_now() - begin) / 1e9;
    bench_end(count);
    end_echo(echo[0]);
    end_echo(echo[1]);
    close(epoll);
    return (double)count / seconds;
}

#define SLOTS 1024
struct ring {
    _Alignas(64) _Atomic uint32_t head, head_awaited;
    _Alignas(64) _Atomic uint32_t tail, tail_awaited;
    char slots[SLOTS][MESSAGE];
};

static void sleep_on(_Atomic uint32_t *word, _Atomic uint32_t *awaited, uint32_t value)
{
    atomic_store(awaited, 1);
    if (atomic_load(word) == value) syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
    atomic_store(awaited, 0);
}

static bool put(struct ring *ring, const char *message, bool block)
{
    uint32_t head = atomic_load(&ring->head), tail;
    while (head - (tail = atomic_load(&ring->tail)) == SLOTS) {
        if (!block) return false;
        sleep_on(&ring->tail, &ring->tail_awaited, tail);
    }
    memcpy(ring->slots[head % SLOTS], message, MESSAGE);
    atomic_store(&ring->head, head + 1);
    if (atomic_load(&ring->head_awaited)) wake(&ring->head);
    return true;
}

static bool take(struct ring *ring, char *message, bool block)
{
    uint32_t tail = atomic_load(&ring->tail), head;
    while ((head = atomic_load(&ring->head)) == tail) {
        if (!block) return false;
        sleep_on(&ring->head, &ring->head_awaited, head);
    }
    memcpy(message, ring->slots[tail % SLOTS], MESSAGE);
    atomic_store(&ring->tail, tail + 1);
    if (atomic_load(&ring->tail_awaited)) wake(&ring->tail);
    return true;
}

/* Two rings to each worker and back; when there is nothing to do, it sleeps until one of them says something. */
static double ring_rate(long count)
{
    struct ring *rings = share(4 * sizeof *rings);
    char message[MESSAGE] = {0};
    pid_t workers[2];
    for (int i = 0; i < 2; i++)
        if ((workers[i] = start()) == 0)
            for (;;) {
                take(&rings[i], message, true);
                put(&rings[2 + i], message, true);
            }
    long sent[2] = {0}, got[2] = {0};
    bench_begin();
    int64_t begin = bench_now();
    while (got[0] + got[1] < count) {
        bool idle = true;
        for (int i = 0; i < 2; i++) {
            for (; sent[0] + sent[1] < count && put(&rings[i], message, false); idle = false)
                sent[i]++;
            for (; take(&rings[2 + i], message, false); idle = false)
                got[i]++;
        }
        int other = sent[0] > got[0] ? 0 : 1;
        if (idle && take(&rings[2 + other], message, true)) got[other]++;
    }
    double seconds = (double)(bench_now() - begin) / 1e9;
    bench_end(count);
    end(workers[0]);
    end(workers[1]);
    return (double)count / seconds;
}

/* --- map: 8 chunks of numbers through 2 workers --- */

static void map_chunks(void)
{
    long count = bench_count(1000000, 1000000), chunk = count / 8;
    size_t bytes = (size_t)chunk * sizeof(int64_t);
    int64_t *in = allocate(8 * bytes), *out = allocate(8 * bytes), sum = 0;
    struct echo workers[2] = {start_echo("socketpair", bytes, 0, -1), start_echo("socketpair", bytes, 0, -1)};
    bench_begin();
    int64_t begin = bench_now();
    for (long i = 0; i < count; i++)
        in[i] = i;
    for (long c = 0; c < 8; c += 2) {
        for (int i = 0; i < 2; i++)
            transfer(workers[i].out, in + (c + i) * chunk, bytes, true);
        for (int i = 0; i < 2; i++)
            transfer(workers[i].in, out + (c + i) * chunk, bytes, false);
    }
    for (long i = 0; i < count; i++)
        sum += out[i];
    bench_emit("time", (double)(bench_now() - begin) / 1e6, "ms");
    bench_end(count);
    bench_check(sum == count * (count - 1) / 2, "wrong sum");
    end_echo(workers[0]);
    end_echo(workers[1]);
}

/* --- payloads --- */

static void echo_socket(size_t size, long count)
{
    struct echo echo = start_echo("socketpair", size, 4 << 20, -1);
    char *data = allocate(size);
    memset(data, 1, size);
    int64_t begin = 0;
    for (long i = -1; i < count; i++) {
        if (i == 0) bench_begin(), begin = bench_now();
        transfer(echo.out, data, size, true);
        transfer(echo.in, data, size, false);
    }
    bench_emit("rate", (double)size * (double)count / 1e6 / ((double)(bench_now() - begin) / 1e9), "MB/s");
    bench_end(count);
    end_echo(echo);
}

/* Copied in, copied by the worker, copied out; a futex for a bell. */
static void echo_shared(size_t size, long count)
{
    char *memory = share(2 * size), *data = allocate(size);
    memset(data, 1, size);
    struct words *words = share(sizeof *words);
    pid_t pid = start();
    if (pid == 0)
        for (uint32_t n = 0;; n++) {
            wait_while(&words->there, n);
            memcpy(memory + size, memory, size);
            atomic_store(&words->back, n + 1);
            wake(&words->back);
        }
    int64_t begin = 0;
    for (long i = -1; i < count; i++) {
        if (i == 0) bench_begin(), begin = bench_now();
        memcpy(memory, data, size);
        futex_trip(words, i + 2);
        memcpy(data, memory + size, size);
    }
    bench_emit("rate", (double)size * (double)count / 1e6 / ((double)(bench_now() - begin) / 1e9), "MB/s");
    bench_end(count);
    end(pid);
}

int main(int argc, char **argv)
{
    bench_check(argc == 3, "usage: raw KIND ROW");
    const char *kind = argv[1], *row = argv[2];
    bench_open_costs();
    bool big = is(row, "echo-64m");
    size_t size = (size_t)(big ? 64 : 1) * MEGABYTE;
    long times = big ? bench_count(6, 2) : bench_count(300, 60);
    if (strncmp(row, "trip-", 5) == 0)
        run_trips(kind, row);
    else if (is(row, "throughput") && is(kind, "ring"))
        bench_emit("rate", ring_rate(bench_count(1000000, 200000)), "jobs/s");
    else if (is(row, "throughput"))
        bench_emit("rate", socket_rate(bench_count(200000, 50000), is(kind, "batches")), "jobs/s");
    else if (is(row, "map-1m"))
        map_chunks();
    else if (is(row, "map-50k"))
        bench_emit("time", 50000 / socket_rate(50000, false) * 1000, "ms");
    else if (is(kind, "shared"))
        echo_shared(size, times);
    else
        echo_socket(size, times);
    return 0;
}
