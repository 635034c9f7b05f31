/* SPDX-License-Identifier: Apache-2.0
 * A job, which is what a future points to: its call, its limits, and its one
 * outcome. Two latches tell the world of its life:
 *
 *   state   PENDING -> DONE    it has its outcome
 *   hold    HELD -> FREE       the pool, and any process, is done with it
 *
 * All else between its making and DONE is for who holds the pool's lock. */
#ifndef PB_JOB_H
#define PB_JOB_H

#include "compat.h"
#include "alarm.h"
#include "image.h"
#include "latch.h"
#include "watchers.h"
#include "pebble/future.h"
#include "pebble/pool.h"

enum pb_job_state { PB_JOB_PENDING, PB_JOB_DONE };
enum pb_job_hold { PB_JOB_HELD, PB_JOB_FREE };

struct pb_worker;
struct pb_thread;
struct pb_node;
struct pb_callback;

struct pebble_future {
    atomic_uint refs;
    struct pb_latch state;
    struct pb_latch hold;
    bool settled; /* the outcome is decided, and perhaps not published yet */
    bool queued;
    bool placed; /* it has a place among the jobs that wait */
    unsigned char level; /* its priority, from 0 */
    bool procedure; /* it is not a user's, but sets a worker up or ends it */
    unsigned char suspected; /* how often a worker died with this as the next job to begin */
    struct pebble_pool *pool; /* its memory is kept */
    struct pb_watchers watchers;
    _Atomic(struct pb_callback *) callbacks;
    struct pebble_future *next; /* in the inbox */
    struct pb_worker *worker;   /* that it was shipped to */
    struct pb_thread *thread;   /* that runs it */
    struct pb_node *node;       /* that it was sent to */
    unsigned place;             /* there */

    struct pb_function_ref function; /* where it is, for another process */
    pebble_function entry;           /* here */
    int64_t timeout, queue_timeout, deadline; /* ns; 0: none */
    int64_t scheduled, queued_at;             /* when, at first and for its last try */
    int64_t dump_until, dump_pause;           /* over its limit, it waits for a dump; until it is looked for again */
    unsigned retries, deaths;                 /* left; so far */
    pebble_queue *updates;                    /* referenced until it is published; NULL: none */
    uint64_t lost_updates;
    char *name;                               /* NULL: none */
    void *input;
    size_t input_length;
    void (*on_free)(void *arg); /* see pb_job_on_free; NULL: nothing */
    void *on_free_arg;
    uint32_t progress; /* elements of a chunk that were done when its worker died, as that said */

    struct pb_alarm alarm;
    TAILQ_ENTRY(pebble_future) link; /* of the queue, then of the deliveries */
    struct pebble_outcome outcome;
    /* followed by the input, where that is small */
};

TAILQ_HEAD(pb_job_list, pebble_future);

/* Whether a worker has it, begun or not. */
static inline bool pb_job_is_held(const struct pebble_future *job)
{
    return job->worker || job->thread || job->node;
}

PB_HIDDEN_BEGIN

/* The bytes of all parts, SIZE_MAX when they are more. */
size_t pb_parts_length(const struct pebble_part *parts, size_t count);

/* A job with one reference, a hold on the pool's memory, and copies of name and
 * input, which is these parts, of so many bytes. NULL: no memory. */
struct pebble_future *pb_job_new(struct pebble_pool *pool, const struct pb_function_ref *function,
                                 const struct pebble_part *parts, size_t length,
                                 const struct pebble_job_options *options);

/* Decides its outcome, once: false when that was done before. `began` is when
 * the worker with that pid began it, or 0. The rest of the outcome is then for
 * the caller to fill in. */
bool pb_job_settle(struct pebble_future *job, enum pebble_status status, int64_t began, int pid, int64_t now);

/* Without the lock: a settled job is DONE; then wakes who waits for it, and sends the callbacks out. */
void pb_job_publish(struct pebble_future *job);
void pb_job_announce(struct pebble_future *job);

/* The pool lets go of a settled job: frees its input and drops the pool's reference. */
void pb_job_release(struct pebble_future *job);

/* With the pool's lock: has `told` called, with the lock too, when the job
 * becomes FREE. False: it is already. */
bool pb_job_on_free(struct pebble_future *job, void (*told)(void *arg), void *arg);

/* When its limit strikes, INT64_MAX for never; *ret_limit is which. `began` as above. */
int64_t pb_job_limit(const struct pebble_future *job, int64_t began, enum pebble_limit *ret_limit);

PB_HIDDEN_END
#endif
