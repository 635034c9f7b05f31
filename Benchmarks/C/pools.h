/* SPDX-License-Identifier: Apache-2.0
 * Short words for what the programs do with pools; whatever fails ends the program. */
#ifndef POOLS_H
#define POOLS_H

#include "bench.h"

#include <pebble.h>

void *allocate(size_t size); /* zeroed */

pebble_future *begin(pebble_pool *pool, pebble_function function, const void *input, size_t length,
                     const struct pebble_job_options *options);

/* Waits for it. */
const struct pebble_outcome *finish(pebble_future *job);

/* A job without input that must succeed. */
void call(pebble_pool *pool, pebble_function function);

pebble_pool *open_pool(const struct pebble_pool_config *config);

/* A pool whose workers are all there. */
pebble_pool *open_warm(unsigned workers);

void close_pool(pebble_pool *pool);

double per_second(long count, int64_t since);

/* --- functions of jobs --- */

int do_nothing(pebble_call *call);
int echo(pebble_call *call);
int compute(pebble_call *call);        /* for as many ns as its input, an int64_t, says */
int sleep_for_ever(pebble_call *call); /* after one update */

#endif
