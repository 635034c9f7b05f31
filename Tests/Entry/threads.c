/* SPDX-License-Identifier: Apache-2.0
 * An initialiser starts a thread. A server with threads cannot fork workers,
 * and says so; it can spawn them. */
#include "entry.h"

#include <pthread.h>

static int square(pebble_call *call)
{
    return entry_square(call);
}

static int crash(pebble_call *call)
{
    return entry_crash(call);
}

static void *idle(void *arg)
{
    for (;;)
        pause();
    return arg;
}

__attribute__((constructor)) static void initialiser(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, idle, NULL) == 0) pthread_detach(thread);
}

static int expect_refusal(void)
{
    pebble_pool *pool = entry_pool(PEBBLE_FORK_SERVER);
    pebble_future *future;
    EXPECT(pool);
    if (entry_call(pool, square, 7, &future)) return 1;
    EXPECT(pebble_future_outcome(future)->status == PEBBLE_NOT_RUN);
    EXPECT(pebble_future_outcome(future)->cause == PEBBLE_CAUSE_START);
    EXPECT(pebble_future_outcome(future)->error == ENOTSUP);
    pebble_future_unref(future);
    return entry_finish(pool);
}

int main(void)
{
    entry_main_entered();
    if (expect_refusal()) return 1;
    if (entry_method(PEBBLE_SPAWN, square, crash)) return 1;
    fprintf(stderr, "entry ok\n");
    return 0;
}
