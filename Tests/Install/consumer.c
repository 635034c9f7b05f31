/* SPDX-License-Identifier: Apache-2.0
 * A program of somebody who has installed Pebble, and knows nothing else of it:
 * a pool, a job that answers and a job that crashes, under both start methods. */
#include <pebble.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define EXPECT(condition) \
    do \
        if (!(condition)) return fprintf(stderr, "consumer.c:%d: not so: %s\n", __LINE__, #condition), 1; \
    while (0)

static const int64_t patience = INT64_C(20000000000);

static int doubled(pebble_call *call)
{
    size_t length;
    int number;
    memcpy(&number, pebble_call_input(call, &length), sizeof number);
    number *= 2;
    return pebble_call_write(call, &number, sizeof number);
}

static int crash(pebble_call *call)
{
    (void)call;
    return raise(SIGKILL);
}

/* The outcome of function(21), which belongs to *ret_future. */
static const struct pebble_outcome *outcome(pebble_pool *pool, pebble_function function, pebble_future **ret_future)
{
    const int number = 21;
    if (pebble_pool_schedule(pool, function, &number, sizeof number, NULL, ret_future) < 0) return NULL;
    return pebble_future_wait(*ret_future, patience) < 0 ? NULL : pebble_future_outcome(*ret_future);
}

static int use(enum pebble_start_method method)
{
    struct pebble_pool_config config;
    pebble_pool *pool;
    pebble_future *answer = NULL, *death = NULL;
    const struct pebble_outcome *answered, *died;

    memset(&config, 0, sizeof config);
    config.max_workers = 1;
    config.start_method = method;
    EXPECT(pebble_pool_new(&config, &pool) == 0);

    answered = outcome(pool, doubled, &answer);
    EXPECT(answered && answered->status == PEBBLE_SUCCESS && answered->length == sizeof(int));
    EXPECT(*(const int *)answered->data == 42);

    died = outcome(pool, crash, &death);
    EXPECT(died && died->status == PEBBLE_EXPIRED && died->exit_signal == SIGKILL);

    pebble_future_unref(answer);
    pebble_future_unref(death);
    pebble_pool_close(pool);
    EXPECT(pebble_pool_join(pool, patience) == 0);
    pebble_pool_unref(pool);
    return 0;
}

int main(void)
{
    EXPECT(strcmp(pebble_version(), PEBBLE_VERSION) == 0);
    if (use(PEBBLE_FORK_SERVER) || use(PEBBLE_SPAWN)) return 1;
    puts("consumer ok");
    return 0;
}
