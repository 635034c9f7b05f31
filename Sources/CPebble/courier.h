/* SPDX-License-Identifier: Apache-2.0
 * A thread of a pool that runs errands, one after the other, in the order in
 * which they were posted: what may block, and so must not run on the loop. */
#ifndef PB_COURIER_H
#define PB_COURIER_H

#include "compat.h"

#include <pthread.h>

/* The first member of what is to be done. It may be freed by its own `run`. */
struct pb_errand {
    struct pb_errand *next;
    void (*run)(struct pb_errand *errand);
};

/* The thread is made for the first errand and ends when the pool has come to
 * rest; later errands get one of their own for as long as there are any. */
struct pb_courier {
    struct pebble_pool *pool;
    const char *name; /* of the thread */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct pb_errand *first, **last;
    pthread_t thread;
    bool exists, running, resting;
};

PB_HIDDEN_BEGIN

/* 0 or -errno. `name` is kept. */
int pb_courier_init(struct pb_courier *courier, struct pebble_pool *pool, const char *name);
void pb_courier_done(struct pb_courier *courier);

/* Makes sure that there is a thread to post to, which is there until the pool
 * has come to rest. 0 or -EAGAIN. */
int pb_courier_prepare(struct pb_courier *courier);

/* Posts an errand. 0; -EAGAIN: no thread. */
int pb_courier_post(struct pb_courier *courier, struct pb_errand *errand);

/* Posts an errand if others are still to be run, or running. False: none is. */
bool pb_courier_follow(struct pb_courier *courier, struct pb_errand *errand);

/* The pool has come to rest: the thread ends when it has nothing left to do. */
void pb_courier_rest(struct pb_courier *courier);

/* Waits until every errand posted so far has been run. 0 or -ETIMEDOUT. */
int pb_courier_drain(struct pb_courier *courier, int64_t deadline);

/* Whether the calling thread is it. */
bool pb_courier_is_self(struct pb_courier *courier);

PB_HIDDEN_END
#endif
