/* SPDX-License-Identifier: Apache-2.0
 * What a pool should do next, from what it looks like: pure, so that it can be
 * tested without a process. */
#ifndef PB_DISPATCH_H
#define PB_DISPATCH_H

#include "compat.h"

/* A pool at one moment. */
struct pb_dispatch {
    size_t queued;                 /* jobs that wait */
    unsigned idle, busy, starting; /* workers */
    unsigned max_workers;          /* that may be busy */
    unsigned spares;               /* to have ready besides, even beyond max_workers */
    unsigned ahead; /* jobs that were shipped to busy workers behind the one that runs */
    bool open;      /* a busy worker may be shipped one more */
    bool closing;   /* no more jobs will come */
    bool may_start; /* not backing off after a failed start */
    bool may_drop;  /* a worker that is starting can be ended */
};

enum pb_action {
    PB_REST,   /* nothing, until something happens */
    PB_ASSIGN, /* give the first job to an idle worker */
    PB_START,  /* start a worker, for a job that waits or as a spare */
    PB_FILL,   /* ship the first job to a busy worker, behind what it has */
    PB_STEAL,  /* take a job that waits with a busy worker back, for an idle one */
    PB_RETIRE, /* let an idle worker go */
    PB_DROP,   /* end one that is starting */
};

PB_HIDDEN_BEGIN

/* The next action; asked again after each until it is PB_REST. */
enum pb_action pb_dispatch_next(const struct pb_dispatch *pool);

/* How many jobs a worker may have at once when they run for `average` ns: more
 * than one only when they are so short that waiting for the host would cost. */
unsigned pb_dispatch_window(int64_t average);

/* Whether jobs that wait behind each other are worth moving to an idle worker. */
bool pb_dispatch_worth_stealing(unsigned jobs, int64_t average, int64_t running);

/* How long to wait after `failures` (>= 1) failed starts in a row, in ns. */
int64_t pb_dispatch_backoff(unsigned failures);

PB_HIDDEN_END
#endif
