/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "callbacks.h"
#include "job.h"
#include "poolstate.h"

#include <stdlib.h>

struct pb_callback {
    struct pb_errand errand;
    struct pb_callback *next;
    pebble_callback function;
    void *arg;
    struct pebble_future *future; /* referenced */
    bool here;                    /* call it on the completing thread */
};

/* What a future's list holds once the future is done. */
static struct pb_callback closed;

static void call(struct pb_callback *callback)
{
    callback->function(callback->future, callback->arg);
    pebble_future_unref(callback->future);
    free(callback);
}

static void run(struct pb_errand *errand)
{
    call((struct pb_callback *)errand);
}

/* The thread for callbacks takes over. If it has ended meanwhile and cannot be made again, this one does it. */
static void pass_on(struct pb_errand *errand)
{
    struct pebble_pool *pool = ((struct pb_callback *)errand)->future->pool;
    errand->run = run;
    if (pb_courier_post(&pool->callbacks, errand) < 0) run(errand);
}

/* Behind what the job has written. */
static int post(struct pebble_pool *pool, struct pb_callback *callback)
{
    callback->errand.run = pass_on;
    if (pb_courier_follow(&pool->output.lines, &callback->errand)) return 0;
    callback->errand.run = run;
    return pb_courier_post(&pool->callbacks, &callback->errand);
}

int pb_callback_add(struct pebble_future *future, pebble_callback function, void *arg, bool here)
{
    /* Makes sure that there will be a thread to call it on, while that can still be refused. */
    int rc = here ? 0 : pb_courier_prepare(&future->pool->callbacks);
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
    if ((rc = post(future->pool, callback)) < 0) {
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
            post(future->pool, ordered); /* the thread exists: it was prepared */
        ordered = next;
    }
}
