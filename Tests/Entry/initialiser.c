/* SPDX-License-Identifier: Apache-2.0
 * A program that wants results before main. The initialiser would run in every
 * process started for it, and want results there: it must end there. */
#include "entry.h"

static int square(pebble_call *call)
{
    return entry_square(call);
}

static void make_pool(void)
{
    entry_main_entered();
    pebble_pool *pool = entry_pool(PEBBLE_FORK_SERVER);
    pebble_future *future;
    if (pool && entry_call(pool, square, 7, &future) == 0) {
        const struct pebble_outcome *outcome = pebble_future_outcome(future);
        bool refused = outcome->status == PEBBLE_NOT_RUN && outcome->cause == PEBBLE_CAUSE_NO_ENTRY;
        pebble_future_unref(future);
        if (entry_finish(pool) == 0 && refused) fprintf(stderr, "entry ok\n");
    }
}

#ifdef ENTRY_EARLY
__attribute__((constructor(101)))
#else
__attribute__((constructor(65535)))
#endif
static void initialiser(void)
{
    make_pool();
}

int main(void)
{
    return 0;
}

