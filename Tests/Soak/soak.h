/* SPDX-License-Identifier: Apache-2.0
 * What the parts of the soak share: its state, and its dice. */
#ifndef SOAK_H
#define SOAK_H

#include "jobs.h"

#include <inttypes.h>
#include <pthread.h>
#include <time.h>

#define MILLISECOND INT64_C(1000000)
#define SECOND INT64_C(1000000000)

#define POOLS 4 /* the first lives as long as the soak, the others come and go */
#define THREADS 6
#define PATIENCE (120 * SECOND) /* who has waited so long has lost something */

extern struct soak {
    uint64_t seed;
    unsigned epoch;
    int64_t began, until;      /* of the epoch */
    pthread_mutex_t lock;      /* of the pools */
    pebble_pool *pools[POOLS];
    uint64_t started, expired, killed, retried; /* of pools that are gone */
    atomic_ulong scheduled, outcomes[6], refused, called, to_be_called, updates, lines;
    atomic_ulong kills, stops, resizes, replacements, server_kills, server_stops, servers_left_stopped;
    atomic_bool over, failed;
} soak;

int64_t now(void);
uint64_t roll(uint64_t *state);
void sleep_for(int64_t ns);

/* Where the dice of one thread start in one epoch, so that each can be played again by itself. */
uint64_t dice_of(unsigned thread);

/* Says what went wrong, and fails the soak. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- pools.c --- */

pebble_pool *make_pool(uint64_t *state, bool lasting);
pebble_pool *borrow_pool(unsigned number);
void finish_pool(pebble_pool *pool, bool stop);

/* Pools are resized, and replaced under way, until the epoch is over. */
void *shuffle(void *unused);

/* --- chaos.c --- */

/* What is done to the processes from outside, until the epoch is over. */
void *rage(void *unused);

/* Prints what was done last. */
void print_events(void);

/* --- census.c --- */

#define THREADS_AT_REST 4 /* this one, and those of the lasting pool: its loop, for callbacks, for lines */

/* What a host holds on to. */
struct census {
    long used;     /* bytes allocated with malloc */
    long resident; /* bytes of anonymous memory, without what malloc could give back */
    int descriptors, mappings, threads;
};

/* Before anything else. */
void census_open(void);

struct census take_census(void);
void print_census(const char *when, const struct census *census);

/* Whether there is no more of anything than before, but for what a few workers need that happen to be there. */
bool has_not_grown(const struct census *before, const struct census *after);

/* Complains unless all processes of this program but this one end soon, or if it has children. */
void expect_to_be_alone(void);

#endif
