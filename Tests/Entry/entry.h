/* SPDX-License-Identifier: Apache-2.0
 * What every program here does, whatever it is linked like: a job that returns
 * and a job that crashes under both start methods, and no child to show for it. */
#ifndef ENTRY_H
#define ENTRY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <pebble.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS(n) ((n) * INT64_C(1000000000))

#define EXPECT(condition)                                                                \
    do {                                                                                 \
        if (condition) break;                                                            \
        fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
        return 1;                                                                        \
    } while (0)

/* Counts how often main is entered: a line in a file for each time. */
static inline void entry_main_entered(void)
{
    const char *path = getenv("ENTRY_LOG");
    int log = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (log < 0 || write(log, "main\n", 5) != 5) fprintf(stderr, "no ENTRY_LOG\n");
    close(log);
}

/* The body of a task. Its line of output must appear exactly once. */
static inline int entry_square(pebble_call *call)
{
    size_t length;
    long number = *(long *)pebble_call_input(call, &length);
    puts("in a job");
    number *= number;
    return pebble_call_write(call, &number, sizeof number);
}

static inline int entry_crash(pebble_call *call)
{
    (void)call;
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
    return 0;
}

static inline int entry_call(pebble_pool *pool, pebble_function function, long number,
                             pebble_future **ret_future)
{
    EXPECT(pebble_pool_schedule(pool, function, &number, sizeof number, NULL, ret_future) == 0);
    EXPECT(pebble_future_wait(*ret_future, SECONDS(20)) == 0);
    return 0;
}

/* function(number) in a worker must be `value`. */
static inline int entry_expect_value(pebble_pool *pool, pebble_function function, long number, long value)
{
    pebble_future *future;
    if (entry_call(pool, function, number, &future)) return 1;
    const struct pebble_outcome *outcome = pebble_future_outcome(future);
    char text[200];
    pebble_outcome_describe(outcome, text, sizeof text);
    if (outcome->status != PEBBLE_SUCCESS) fprintf(stderr, "%s\n", text);
    EXPECT(outcome->status == PEBBLE_SUCCESS);
    EXPECT(outcome->length == sizeof value && memcmp(outcome->data, &value, sizeof value) == 0);
    EXPECT(outcome->pid != getpid());
    pebble_future_unref(future);
    return 0;
}

static inline int entry_expect_crash(pebble_pool *pool, pebble_function function)
{
    pebble_future *future;
    if (entry_call(pool, function, 0, &future)) return 1;
    const struct pebble_outcome *outcome = pebble_future_outcome(future);
    EXPECT(outcome->status == PEBBLE_EXPIRED && outcome->exit_signal == SIGSEGV);
    pebble_future_unref(future);
    return 0;
}

static inline int entry_expect_no_child(void)
{
    EXPECT(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    EXPECT(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
    return 0;
}

static inline pebble_pool *entry_pool(enum pebble_start_method method)
{
    struct pebble_pool_config config;
    memset(&config, 0, sizeof config);
    config.max_workers = 1;
    config.start_method = method;
    config.name = "entry";
    pebble_pool *pool = NULL;
    int rc = pebble_pool_new(&config, &pool);
    if (rc < 0) fprintf(stderr, "no pool: %s\n", strerror(-rc));
    return pool;
}

static inline int entry_finish(pebble_pool *pool)
{
    pebble_pool_close(pool);
    EXPECT(pebble_pool_join(pool, SECONDS(10)) == 0);
    pebble_pool_unref(pool);
    return entry_expect_no_child();
}

static inline int entry_method(enum pebble_start_method method, pebble_function square, pebble_function crash)
{
    pebble_pool *pool = entry_pool(method);
    EXPECT(pool);
    if (entry_expect_value(pool, square, 7, 49)) return 1;
    if (entry_expect_crash(pool, crash)) return 1;
    return entry_finish(pool);
}

/* The exit status of main. It is reported on stderr, since some programs here have no stdout. */
static inline int entry_check(pebble_function square, pebble_function crash)
{
    if (entry_method(PEBBLE_FORK_SERVER, square, crash)) return 1;
    if (entry_method(PEBBLE_SPAWN, square, crash)) return 1;
    fprintf(stderr, "entry ok\n");
    return 0;
}

#endif
