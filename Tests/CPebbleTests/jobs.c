/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "jobs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* --- what jobs do --- */

const struct order *order_of(pebble_call *call)
{
    size_t length;
    const struct order *order = pebble_call_input(call, &length);
    return length == sizeof *order ? order : NULL;
}

/* Opens a descriptor of the host once more. */
static int open_of_host(const struct order *order, int fd, int mode)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)order->host, fd);
    int ours = open(path, mode | O_CLOEXEC);
    if (ours < 0) _exit(90);
    return ours;
}

void tell(const struct order *order, int64_t number)
{
    int fd = open_of_host(order, order->tell, O_WRONLY);
    if (write(fd, &number, sizeof number) != sizeof number) _exit(91);
    close(fd);
}

int64_t await_go(const struct order *order)
{
    int64_t number;
    int fd = open_of_host(order, order->wait, O_RDONLY);
    if (read(fd, &number, sizeof number) != sizeof number) _exit(92);
    close(fd);
    return number;
}

struct board *board_of(const struct order *order)
{
    int fd = open_of_host(order, order->memory, O_RDWR);
    struct board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (board == MAP_FAILED) _exit(93);
    close(fd);
    return board;
}

int reply_number(pebble_call *call, int64_t number)
{
    return pebble_call_write(call, &number, sizeof number);
}

void stay_busy(void)
{
    for (volatile unsigned long turns = 0;; turns++)
        continue;
}

static void tell_pid(pebble_call *call)
{
    const struct order *order = order_of(call);
    if (order && order->host) tell(order, getpid());
}

/* --- jobs --- */

int job_nothing(pebble_call *call)
{
    (void)call;
    return 0;
}

int job_echo(pebble_call *call)
{
    size_t length;
    const void *input = pebble_call_input(call, &length);
    return pebble_call_write(call, input, length);
}

int job_number(pebble_call *call)
{
    return reply_number(call, order_of(call)->number);
}

int job_pid(pebble_call *call)
{
    return reply_number(call, getpid());
}

int job_server(pebble_call *call)
{
    return reply_number(call, getppid());
}

int job_fail(pebble_call *call)
{
    pebble_call_write(call, "sorry", 5);
    return 7;
}

int job_count(pebble_call *call)
{
    struct board *board = board_of(order_of(call));
    atomic_fetch_add(&board->count, 1);
    munmap(board, sizeof *board);
    return 0;
}

int job_tell(pebble_call *call)
{
    tell_pid(call);
    return 0;
}

int job_meet(pebble_call *call)
{
    tell_pid(call);
    await_go(order_of(call));
    return reply_number(call, getpid());
}

int job_hang(pebble_call *call)
{
    tell_pid(call);
    for (;;)
        pause();
}

int job_spin(pebble_call *call)
{
    tell_pid(call);
    stay_busy();
    return 0;
}

int job_resist(pebble_call *call)
{
    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        signal(signal_number, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    return job_hang(call);
}

int job_exit(pebble_call *call)
{
    exit((int)order_of(call)->number);
}

int job_nap(pebble_call *call)
{
    int64_t length = order_of(call)->number;
    nanosleep(&(struct timespec){length / 1000000000, length % 1000000000}, NULL);
    return 0;
}
