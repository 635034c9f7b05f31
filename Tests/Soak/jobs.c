/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "jobs.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct board *board;

void board_open(void)
{
    const char *place = getenv("SOAK_BOARD");
    int fd = place ? open(place, O_RDWR | O_CLOEXEC) : memfd_create("soak-board", MFD_CLOEXEC);
    if (fd < 0 || (!place && ftruncate(fd, sizeof *board) < 0)) abort();
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (board == MAP_FAILED) abort();
    if (place) {
        close(fd);
        return;
    }
    char text[64];
    snprintf(text, sizeof text, "/proc/%d/fd/%d", (int)getpid(), fd);
    setenv("SOAK_BOARD", text, 1);
}

void board_clear(void)
{
    memset((void *)board->runs, 0, sizeof board->runs);
}

static const struct order *begin(pebble_call *call)
{
    size_t length;
    const struct order *order = pebble_call_input(call, &length);
    if (!board) board_open();
    if (order->number) atomic_fetch_add(&board->runs[order->number], 1);
    atomic_store(&board->workers[(unsigned)getpid() % MAX_PIDS], getpid());
    atomic_store(&board->server, getppid());
    return order;
}

static _Noreturn void wait_for_the_end(void)
{
    for (;;) pause();
}

static void pause_for(uint32_t us)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)us * 1000}, NULL);
}

static int echo(pebble_call *call)
{
    begin(call);
    size_t length;
    const void *input = pebble_call_input(call, &length);
    return pebble_call_write(call, input, length);
}

static int nap(pebble_call *call)
{
    pause_for(begin(call)->chance % 20000);
    return 0;
}

static int fail(pebble_call *call)
{
    begin(call);
    return 7;
}

static int hang(pebble_call *call)
{
    begin(call);
    wait_for_the_end();
}

static int spin(pebble_call *call)
{
    begin(call);
    for (volatile unsigned n = 0; n < 2; n ^= 1) continue;
    return 1;
}

static int stop_itself(pebble_call *call)
{
    begin(call);
    raise(SIGSTOP);
    wait_for_the_end();
}

static int crash(pebble_call *call)
{
    begin(call);
    raise(SIGSEGV);
    return 1;
}

static int kill_itself(pebble_call *call)
{
    begin(call);
    return kill(getpid(), SIGKILL);
}

static int leave(pebble_call *call)
{
    const struct order *order = begin(call);
    _exit((int)(order->number % 3));
}

/* --- ends in odd places --- */

static void *leave_from_thread(void *arg)
{
    _exit(*(int *)arg);
}

static int leave_from_a_thread(pebble_call *call)
{
    int code = (int)(begin(call)->chance % 3);
    pthread_t thread;
    if (pthread_create(&thread, NULL, leave_from_thread, &code)) return 1;
    wait_for_the_end();
}

static void die(void)
{
    raise(SIGKILL);
}

static int die_in_exit(pebble_call *call)
{
    begin(call);
    atexit(die);
    exit(0);
}

static void leave_on_signal(int signal)
{
    _exit(signal);
}

static int leave_in_a_handler(pebble_call *call)
{
    begin(call);
    signal(SIGSEGV, leave_on_signal);
    raise(SIGSEGV);
    return 1;
}

static int become_another_program(pebble_call *call)
{
    begin(call);
    execl("/bin/true", "true", NULL);
    return 1;
}

/* In the middle of its own reply, or of what only looks like one. */
static int die_replying(pebble_call *call)
{
    static const char noise[4096] = "PBF";
    uint32_t chance = begin(call)->chance;
    if (chance % 2) {
        for (int fd = 3; fd < 6; fd++)
            send(fd, noise, chance % sizeof noise, MSG_NOSIGNAL | MSG_DONTWAIT);
        die();
    }
    struct itimerval soon = {.it_value.tv_usec = 1 + chance % 3000};
    setitimer(ITIMER_REAL, &soon, NULL); /* SIGALRM ends it, or the job after it */
    void *reply = pebble_call_reserve(call, 4 << 20);
    if (reply) memset(reply, 1, 4 << 20);
    return 0;
}

int stumble(pebble_call *call)
{
    (void)call;
    unsigned chance = (unsigned)getpid() * 2654435761U >> 29;
    if (chance == 0) _exit(3);
    return chance == 1;
}

/* --- descriptors and pipes --- */

static int close_some(pebble_call *call)
{
    close((int)(begin(call)->chance % 16));
    return 0;
}

/* More than a pipe holds. */
static int shout(pebble_call *call)
{
    static const char line[100] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n";
    uint32_t count = begin(call)->chance % 3000;
    for (uint32_t n = 0; n < count; n++)
        if (write(1 + (int)(n % 2), line, sizeof line) < 0) return 2;
    return 0;
}

unsigned how_many_updates(const struct order *order)
{
    return order->chance % 40;
}

static int report(pebble_call *call)
{
    static char bytes[5000];
    const struct order *order = begin(call);
    for (unsigned n = 0; n < how_many_updates(order); n++)
        if (pebble_call_update(call, bytes, order->chance % sizeof bytes) < 0) return 2;
    return 0;
}

static int wait_to_be_unwanted(pebble_call *call)
{
    begin(call);
    while (!pebble_call_cancelled(call))
        pause_for(200);
    return 0;
}

static int close_all(pebble_call *call)
{
    begin(call);
    for (int fd = 0; fd < 256; fd++)
        close(fd);
    return 0;
}

/* A process that is to be ended with the worker that started it. Where the fork
 * server is killed nobody is left to do that, so it has ten seconds of its own. */
static int leave_child(pebble_call *call)
{
    begin(call);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        alarm(10);
        wait_for_the_end();
    }
    return child < 0;
}

static int nested(pebble_call *call)
{
    begin(call);
    struct order inner = {.number = 0}; /* job 0 is the one that is not counted */
    pebble_pool *pool;
    pebble_future *future;
    if (pebble_pool_new(&(struct pebble_pool_config){.max_workers = 1, .name = "inner"}, &pool) < 0) return 1;
    int rc = pebble_pool_schedule(pool, echo, &inner, sizeof inner, NULL, &future);
    if (rc == 0) {
        pebble_future_wait(future, PEBBLE_FOREVER);
        rc = pebble_future_outcome(future)->status != PEBBLE_SUCCESS;
        pebble_future_unref(future);
    }
    pebble_pool_close(pool);
    pebble_pool_join(pool, PEBBLE_FOREVER);
    pebble_pool_unref(pool);
    return rc;
}

const struct kind kinds[] = {
    {.name = "echo", .function = echo, .weight = 600, .echoes = true},
    {.name = "nap", .function = nap, .weight = 150},
    {.name = "fail", .function = fail, .weight = 60},
    {.name = "report", .function = report, .weight = 40, .tells = true},
    {.name = "shout", .function = shout, .weight = 20},
    {.name = "crash", .function = crash, .weight = 20},
    {.name = "kill itself", .function = kill_itself, .weight = 15},
    {.name = "exit", .function = leave, .weight = 20},
    {.name = "exit from a thread", .function = leave_from_a_thread, .weight = 6},
    {.name = "die in exit", .function = die_in_exit, .weight = 6},
    {.name = "exit in a handler", .function = leave_in_a_handler, .weight = 6},
    {.name = "become another program", .function = become_another_program, .weight = 6},
    {.name = "die replying", .function = die_replying, .weight = 10},
    {.name = "close all", .function = close_all, .weight = 10},
    {.name = "close some", .function = close_some, .weight = 10},
    {.name = "hang", .function = hang, .weight = 15, .endless = true},
    {.name = "spin", .function = spin, .weight = 10, .endless = true},
    {.name = "stop itself", .function = stop_itself, .weight = 8, .endless = true},
    {.name = "wait to be unwanted", .function = wait_to_be_unwanted, .weight = 10, .endless = true},
    {.name = "leave a child", .function = leave_child, .weight = 10},
    {.name = "nested", .function = nested, .weight = 4},
};
const size_t kind_count = sizeof kinds / sizeof *kinds;
