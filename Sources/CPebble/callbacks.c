/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "callbacks.h"
#include "clock.h"
#include "job.h"
#include "poolstate.h"
#include "sig.h"

#include <stdlib.h>

/* What a future's list holds once the future is done. */
static struct pb_callback closed;

static void call(struct pb_callback *callback)
{
    callback->function(callback->future, callback->arg);
    pebble_future_unref(callback->future);
    free(callback);
}

int pb_callback_thread_init(struct pb_callback_thread *thread, struct pebble_pool *pool)
{
    thread->pool = pool;
    thread->last = &thread->first;
    pthread_condattr_t monotonic;
    int rc = pthread_condattr_init(&monotonic);
    if (rc) return -rc;
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    rc = pthread_cond_init(&thread->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (rc) return -rc;
    return -pthread_mutex_init(&thread->lock, NULL);
}

void pb_callback_thread_done(struct pb_callback_thread *thread)
{
    pthread_cond_destroy(&thread->changed);
    pthread_mutex_destroy(&thread->lock);
}

static void *thread_main(void *arg)
{
    struct pb_callback_thread *thread = arg;
    struct pebble_pool *pool = thread->pool;
    pthread_setname_np(pthread_self(), "pebble-calls");
    pthread_mutex_lock(&thread->lock);
    for (;;) {
        struct pb_callback *callback = thread->first;
        if (!callback && thread->resting) break;
        if (!callback) {
            pthread_cond_wait(&thread->changed, &thread->lock);
            continue;
        }
        if (!(thread->first = callback->next)) thread->last = &thread->first;
        thread->calling = true;
        pthread_mutex_unlock(&thread->lock);
        call(callback);
        pthread_mutex_lock(&thread->lock);
        thread->calling = false;
        if (!thread->first) pthread_cond_broadcast(&thread->changed);
    }
    thread->exists = false;
    pthread_mutex_unlock(&thread->lock);
    pb_pool_let_go(pool);
    return NULL;
}

/* With the lock held. */
static int ensure_exists(struct pb_callback_thread *thread)
{
    if (thread->exists) return 0;
    pb_pool_hold(thread->pool);
    sigset_t old;
    pb_sig_block_all(&old);
    int rc = pthread_create(&thread->thread, NULL, thread_main, thread);
    pb_sig_restore(&old);
    if (rc) {
        pb_pool_let_go(thread->pool);
        return -rc;
    }
    pthread_detach(thread->thread);
    thread->exists = true;
    return 0;
}

static int post(struct pb_callback_thread *thread, struct pb_callback *callback)
{
    pthread_mutex_lock(&thread->lock);
    int rc = ensure_exists(thread);
    if (rc == 0) {
        callback->next = NULL;
        *thread->last = callback;
        thread->last = &callback->next;
        pthread_cond_broadcast(&thread->changed);
    }
    pthread_mutex_unlock(&thread->lock);
    return rc;
}

void pb_callback_thread_rest(struct pb_callback_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    thread->resting = true;
    pthread_cond_broadcast(&thread->changed);
    pthread_mutex_unlock(&thread->lock);
}

int pb_callback_thread_drain(struct pb_callback_thread *thread, int64_t deadline)
{
    struct timespec until = pb_timespec(deadline);
    int rc = 0;
    pthread_mutex_lock(&thread->lock);
    while (rc == 0 && (thread->first || thread->calling))
        rc = pthread_cond_timedwait(&thread->changed, &thread->lock, &until);
    pthread_mutex_unlock(&thread->lock);
    return -rc;
}

bool pb_callback_thread_is_self(struct pb_callback_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    bool is_self = thread->exists && pthread_equal(thread->thread, pthread_self());
    pthread_mutex_unlock(&thread->lock);
    return is_self;
}

/* Makes sure that there will be a thread to call it on, while that can still be refused. */
static int prepare(struct pebble_future *future)
{
    struct pb_callback_thread *thread = &future->pool->callbacks;
    pthread_mutex_lock(&thread->lock);
    int rc = thread->resting ? 0 : ensure_exists(thread);
    pthread_mutex_unlock(&thread->lock);
    return rc;
}

int pb_callback_add(struct pebble_future *future, pebble_callback function, void *arg, bool here)
{
    int rc = here ? 0 : prepare(future);
    if (rc < 0) return rc;
    struct pb_callback *callback = malloc(sizeof *callback);
    if (!callback) return -ENOMEM;
    *callback = (struct pb_callback){
        .function = function, .arg = arg, .future = pebble_future_ref(future), .here = here};
    struct pb_callback *head = atomic_load(&future->callbacks);
    while (head != &closed) {
        callback->next = head;
        if (atomic_compare_exchange_weak(&future->callbacks, &head, callback)) return 0;
    }
    if (here) {
        call(callback);
        return 0;
    }
    if ((rc = post(&future->pool->callbacks, callback)) < 0) {
        pebble_future_unref(future);
        free(callback);
    }
    return rc;
}

void pb_callback_fire(struct pebble_future *future)
{
    struct pb_callback *added = atomic_exchange(&future->callbacks, &closed), *ordered = NULL;
    while (added) { /* the newest is first */
        struct pb_callback *next = added->next;
        added->next = ordered;
        ordered = added;
        added = next;
    }
    while (ordered) {
        struct pb_callback *next = ordered->next;
        if (ordered->here)
            call(ordered);
        else
            post(&future->pool->callbacks, ordered); /* the thread exists: see prepare */
        ordered = next;
    }
}
