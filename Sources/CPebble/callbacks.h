/* SPDX-License-Identifier: Apache-2.0
 * Done callbacks: each future's list of them, and the thread of a pool on
 * which those that may block are called. */
#ifndef PB_CALLBACKS_H
#define PB_CALLBACKS_H

#include "compat.h"
#include "pebble/future.h"

#include <pthread.h>

struct pb_callback {
    struct pb_callback *next;
    pebble_callback function;
    void *arg;
    struct pebble_future *future; /* referenced */
    bool here;                    /* call it on the completing thread */
};

/* The thread is made for the first callback and ends when the pool has come
 * to rest; later callbacks get one of their own for as long as there are any. */
struct pb_callback_thread {
    struct pebble_pool *pool;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct pb_callback *first, **last;
    pthread_t thread;
    bool exists, calling, resting;
};

PB_HIDDEN_BEGIN

int pb_callback_thread_init(struct pb_callback_thread *thread, struct pebble_pool *pool);
void pb_callback_thread_done(struct pb_callback_thread *thread);

/* The pool has come to rest: the thread ends when it has nothing left to call. */
void pb_callback_thread_rest(struct pb_callback_thread *thread);

/* Waits until every callback posted so far has returned. 0 or -ETIMEDOUT. */
int pb_callback_thread_drain(struct pb_callback_thread *thread, int64_t deadline);

/* Whether the calling thread is it. */
bool pb_callback_thread_is_self(struct pb_callback_thread *thread);

/* Adds a callback to a future, or calls or posts it at once when the future is
 * done. 0, -ENOMEM, -EAGAIN (no thread). */
int pb_callback_add(struct pebble_future *future, pebble_callback function, void *arg, bool here);

/* The future is done: calls and posts what was added, and closes its list. */
void pb_callback_fire(struct pebble_future *future);

PB_HIDDEN_END
#endif
