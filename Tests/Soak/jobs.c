/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "jobs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

static const struct order *begin(pebble_call *call)
{
    size_t length;
    const struct order *order = pebble_call_input(call, &length);
    if (!board) board_open();
    atomic_fetch_add(&board->runs[order->number], 1);
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
    pause_for(begin(call)->pause);
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

static int close_all(pebble_call *call)
{
    begin(call);
    for (int fd = 0; fd < 256; fd++)
        close(fd);
    return 0;
}

/* A process that is to be ended with the worker that started it. Where the fork
 * server is killed nobody is left to do that, so it has a minute of its own. */
static int leave_child(pebble_call *call)
{
    begin(call);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        alarm(60);
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
    {"echo", echo, 600, false, false},
    {"nap", nap, 150, false, false},
    {"fail", fail, 60, false, false},
    {"crash", crash, 20, false, true},
    {"kill itself", kill_itself, 15, false, true},
    {"exit", leave, 20, false, true},
    {"close all", close_all, 10, false, true},
    {"hang", hang, 15, true, false},
    {"spin", spin, 10, true, false},
    {"stop itself", stop_itself, 8, true, false},
    {"leave a child", leave_child, 10, false, false},
    {"nested", nested, 4, false, false},
};
const size_t kind_count = sizeof kinds / sizeof *kinds;
