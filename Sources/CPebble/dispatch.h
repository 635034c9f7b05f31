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
    unsigned max_workers;
    bool closing;   /* no more jobs will come */
    bool may_start; /* not backing off after a failed start */
};

enum pb_action {
    PB_REST,   /* nothing, until something happens */
    PB_ASSIGN, /* give the first job to an idle worker */
    PB_START,  /* start a worker */
    PB_RETIRE, /* let an idle worker go */
};

PB_HIDDEN_BEGIN

/* The next action; asked again after each until it is PB_REST. */
enum pb_action pb_dispatch_next(const struct pb_dispatch *pool);

/* How long to wait after `failures` (>= 1) failed starts in a row, in ns. */
int64_t pb_dispatch_backoff(unsigned failures);

PB_HIDDEN_END
#endif
