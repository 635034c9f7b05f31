/* SPDX-License-Identifier: Apache-2.0
 *
 * The thread has a reference to its own handle until it has told that it ended. */
#include "compat.h"
#include "clock.h"
#include "latch.h"
#include "watchers.h"
#include "pebble/thread.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A thread's states, in their order. */
enum {
    STARTING,
    RUNNING, /* its id is known */
    ENDED,
};

struct pebble_thread {
    atomic_uint references;
    struct pb_latch state;
    struct pb_watchers watchers;
    pid_t id;
    char name[16]; /* "": it keeps the one that it was started with */
    pebble_thread_function function;
    void *arg;
};

pebble_thread *pebble_thread_ref(pebble_thread *thread)
{
    atomic_fetch_add_explicit(&thread->references, 1, memory_order_relaxed);
    return thread;
}

void pebble_thread_unref(pebble_thread *thread)
{
    if (!thread || atomic_fetch_sub(&thread->references, 1) > 1) return;
    pb_watchers_done(&thread->watchers);
    free(thread);
}

/* --- in the thread --- */

static void end(void *arg)
{
    struct pebble_thread *self = arg;
    pb_latch_set(&self->state, ENDED);
    pb_watchers_tell(&self->watchers);
    pebble_thread_unref(self);
}

static void *thread_main(void *arg)
{
    struct pebble_thread *self = arg;
    pthread_cleanup_push(end, self); /* however it leaves */
    self->id = gettid();
    if (*self->name) pthread_setname_np(pthread_self(), self->name);
    pb_latch_set(&self->state, RUNNING);
    self->function(self->arg);
    pthread_cleanup_pop(1);
    return NULL;
}

/* --- for others --- */

static int start_detached(struct pebble_thread *thread)
{
    pthread_t unused;
    pthread_attr_t attributes;
    int rc = pthread_attr_init(&attributes);
    if (rc) return -rc;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    rc = pthread_create(&unused, &attributes, thread_main, thread);
    pthread_attr_destroy(&attributes);
    return -rc;
}

int pebble_thread_start(pebble_thread_function function, void *arg, const char *name, pebble_thread **ret_thread)
{
    struct pebble_thread *thread = calloc(1, sizeof *thread);
    if (!thread) return -ENOMEM;
    atomic_init(&thread->references, 2);
    pb_watchers_init(&thread->watchers);
    if (name) memcpy(thread->name, name, strnlen(name, sizeof thread->name - 1));
    thread->function = function;
    thread->arg = arg;
    int rc = start_detached(thread);
    if (rc == 0)
        *ret_thread = thread;
    else
        free(thread);
    return rc;
}

bool pebble_thread_has_ended(const pebble_thread *thread)
{
    return pb_latch_state(&thread->state) == ENDED;
}

pid_t pebble_thread_tid(pebble_thread *thread)
{
    pb_latch_wait(&thread->state, RUNNING, PEBBLE_FOREVER);
    return thread->id;
}

/* --- waiting for several --- */

static bool has_ended(const void *threads, size_t i)
{
    return pebble_thread_has_ended(((struct pebble_thread *const *)threads)[i]);
}

static struct pb_watchers *watchers_of(const void *threads, size_t i)
{
    return &((struct pebble_thread *const *)threads)[i]->watchers;
}

int pebble_wait_threads(pebble_thread *const *threads, size_t count, int64_t timeout, bool *ret_ended)
{
    if (timeout < 0 || count == 0 || count > INT_MAX) return -EINVAL;
    struct pb_watched all = {.things = threads, .count = count, .is_done = has_ended, .watchers = watchers_of};
    return pb_watchers_wait(&all, 1, timeout, ret_ended);
}
