/* SPDX-License-Identifier: Apache-2.0
 * Which jobs ran, and how often: written by the jobs themselves into memory
 * that they share with their test. Cheap, for tests of very short jobs. */
#ifndef LEDGER_H
#define LEDGER_H

#include "support.h"

#include <stdatomic.h>

#define LEDGER_ENTRIES 100000

struct ledger {
    int memory;
    atomic_uint *ran; /* LEDGER_ENTRIES counters */
};

void ledger_open(struct ledger *ledger);

/* The order of the job that is to note its number. */
struct order order_to_note(const struct ledger *ledger, int64_t number);

/* --- jobs --- */

int job_note(pebble_call *call);       /* counts itself; replies with its pid */
int job_note_often(pebble_call *call); /* the same, after 10 us of work */
int job_note_die(pebble_call *call);   /* the same, and kills itself */

/* --- pools whose jobs are known to be short, so that several are shipped at once --- */

/* Runs short jobs until they are. */
void make_brisk(pebble_pool *pool);

/* Whether a job is with a worker, begun or not. */
bool shipped(pebble_pool *pool, pebble_future *future);

/* A brisk pool of one worker in the middle of a job that meets its test. */
struct stage {
    struct scene scene;
    struct ledger ledger;
    pebble_pool *pool;
    pebble_future *running;
    int64_t pid;
};

void set_stage(struct stage *stage, int method);

#endif
