/* SPDX-License-Identifier: Apache-2.0
 * Runs each way to crash in workers of both kinds, and prints what its outcome
 * says: its name, the line that describes it, where it was. */
#include "ways.h"

#include <pebble.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY (UINT64_C(1) << 30)

static int crash(pebble_call *call)
{
    size_t length;
    ways[*(const size_t *)pebble_call_input(call, &length)].run();
    return 0;
}

/* Whether the backtrace has it: "-" when there is none. */
static const char *place_of(const struct pebble_outcome *outcome, const char *function)
{
    struct pebble_frame frame;
    if (!outcome->crash) return "-";
    for (size_t n = 0; pebble_backtrace_frame(outcome->crash->backtrace, n, &frame) == 0; n++)
        if (frame.function && function && strcmp(frame.function, function) == 0) return function;
    return "not found";
}

static void show(pebble_pool *pool, size_t number)
{
    pebble_future *job;
    char text[512];
    if (pebble_pool_schedule(pool, crash, &number, sizeof number, NULL, &job) < 0) exit(1);
    pebble_future_wait(job, PEBBLE_FOREVER);
    const struct pebble_outcome *outcome = pebble_future_outcome(job);
    pebble_outcome_describe(outcome, text, sizeof text);
    printf("%s\t%s\t%s\n", ways[number].row, text, place_of(outcome, ways[number].function));
    pebble_future_unref(job);
}

int main(void)
{
    for (int method = PEBBLE_FORK_SERVER; method <= PEBBLE_SPAWN; method++) {
        pebble_pool *pool;
        if (pebble_pool_new(&(struct pebble_pool_config){.max_workers = 1,
                                                         .start_method = (enum pebble_start_method)method,
                                                         .stderr_to = PEBBLE_DISCARD,
                                                         .limits.address_space = MEMORY},
                            &pool) < 0)
            return 1;
        for (size_t n = 0; ways[n].row; n++)
            show(pool, n);
        pebble_pool_close(pool);
        pebble_pool_unref(pool);
    }
}
