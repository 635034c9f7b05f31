/* SPDX-License-Identifier: Apache-2.0
 * The engine of thread pools, and one thread of such a pool. */
#ifndef PB_THREADS_H
#define PB_THREADS_H

#include "compat.h"
#include "poolstate.h"

#include <pthread.h>

/* What a thread is told to do next. */
enum pb_order {
    PB_NO_ORDER,
    PB_NO_ORDER_ASLEEP, /* and is to be woken for one */
    PB_ORDER_RUN,       /* `job` */
    PB_ORDER_LEAVE,
};

/* Of the pool's, with its lock, but for the atomic ones. */
struct pb_thread {
    struct pebble_pool *pool;
    pthread_t thread;
    pid_t id;
    enum pb_worker_state state;
    _Atomic uint32_t order;
    atomic_bool unwanted;      /* nobody waits for its job any more */
    struct pebble_future *job; /* that it runs */
    bool says;                 /* whether the updates of that are wanted */
    int64_t began;             /* when it was given that */
    uint64_t served;
    int64_t born;              /* when it was asked for */
    bool usable;               /* it was set up */
    bool leaves;               /* it is to go as soon as it can */
    struct pb_alarm alarm;
    TAILQ_ENTRY(pb_thread) link_in_pool, link_in_state;
};

PB_HIDDEN_BEGIN

extern const struct pb_engine pb_threads;

/* Whether the calling thread is one of the pool's. */
bool pb_threads_is_self(const struct pebble_pool *pool);

PB_HIDDEN_END
#endif
