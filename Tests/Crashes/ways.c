/* SPDX-License-Identifier: Apache-2.0
 * The line in which one crashes names its row: run.sh wants it in the report. */
#define _GNU_SOURCE
#include "ways.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAY __attribute__((noinline, noclone)) /* a frame of its own, under its own name */

/* What the compiler is not to know. */
static int *volatile nowhere;
static void (*volatile nothing)(void);
static volatile int zero, result;

static WAY void write_nowhere(void)
{
    *nowhere = 1; /* null dereference */
    result++;
}

static WAY void call_nothing(void)
{
    nothing(); /* call of a null function */
    result++;
}

static WAY void assert_in_vain(void)
{
    assert(zero == 1); /* assert */
    result++;
}

static WAY void give_up(void)
{
    abort(); /* abort */
}

#ifdef __x86_64__ /* elsewhere it gives a result */
static WAY void divide_by_zero(void)
{
    result = 7 / zero; /* division by zero */
    result++;
}
#endif

static WAY void get_where_nobody_gets(void)
{
    __builtin_trap(); /* trap */
}

static WAY void free_twice(void)
{
    char *volatile memory = malloc(24);
    free(memory);
    free(memory); /* double free */
    result++;
}

static WAY int descend(volatile int depth)
{
    volatile char room[512];
    room[depth % 512] = 1;
    if (depth < 0) return 0;
    return descend(depth + 1) + room[0]; /* stack overflow */
}

static WAY void overflow_the_stack(void)
{
    result = descend(0);
}

static void *descend_there(void *unused)
{
    result = descend(0);
    return unused;
}

static WAY void overflow_a_threads_stack(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, descend_there, NULL);
    pthread_join(thread, NULL);
}

static WAY void use_up_memory(void)
{
    for (;;)
        *(volatile char *)malloc(16 << 20) = 1; /* out of memory under a limit */
}

static void exit_with_0(void)
{
    exit(0);
}

static void exit_with_7(void)
{
    exit(7);
}

static void exit_at_once(void)
{
    _exit(7);
}

static void be_killed(void)
{
    pid_t self = getpid();
    if (fork() == 0) {
        kill(self, SIGKILL);
        _exit(0);
    }
    for (;;)
        pause();
}

const struct way ways[] = {
    {"null dereference", "write_nowhere", write_nowhere},
    {"call of a null function", "call_nothing", call_nothing},
    {"assert", "assert_in_vain", assert_in_vain},
    {"abort", "give_up", give_up},
#ifdef __x86_64__
    {"division by zero", "divide_by_zero", divide_by_zero},
#endif
    {"trap", "get_where_nobody_gets", get_where_nobody_gets},
    {"double free", "free_twice", free_twice},
    {"stack overflow", "descend", overflow_the_stack},
    {"stack overflow of a thread", NULL, overflow_a_threads_stack},
    {"exit(0)", NULL, exit_with_0},
    {"exit(7)", NULL, exit_with_7},
    {"_exit(7)", NULL, exit_at_once},
    {"SIGKILL from outside", NULL, be_killed},
    {"out of memory under a limit", "use_up_memory", use_up_memory},
    {NULL, NULL, NULL},
};

const struct way *way(const char *row)
{
    for (const struct way *way = ways; way->row; way++)
        if (strcmp(way->row, row) == 0) return way;
    return NULL;
}
