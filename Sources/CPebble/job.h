/* SPDX-License-Identifier: Apache-2.0
 * A job, which is what a future points to: its call, its limits, and its one
 * outcome. Two latches order its life:
 *
 *   state   WAITING -> RUNNING -> SETTLING -> DONE    (any may be left for SETTLING)
 *   hold    HELD -> FREE                              (the pool is done with it)
 *
 * Whoever moves it to SETTLING, the loop or a thread that cancels, writes the
 * outcome: hence there is exactly one. Until FREE the loop owns the fields so
 * marked, whatever the state. */
#ifndef PB_JOB_H
#define PB_JOB_H

#include "compat.h"
#include "alarm.h"
#include "image.h"
#include "latch.h"
#include "pebble/future.h"
#include "pebble/pool.h"

enum pb_job_state { PB_JOB_WAITING, PB_JOB_RUNNING, PB_JOB_SETTLING, PB_JOB_DONE };
enum pb_job_hold { PB_JOB_HELD, PB_JOB_FREE };

struct pb_worker;
struct pb_callback;

struct pebble_future {
    atomic_uint refs;
    struct pb_latch state;
    struct pb_latch hold;
    struct pebble_pool *pool; /* its memory is kept */
    _Atomic(struct pb_callback *) callbacks;

    /* of the inbox */
    struct pebble_future *next;
    atomic_bool posted;

    /* set before it is posted */
    struct pb_function_ref function;
    int64_t timeout, queue_timeout, deadline; /* ns; 0: none */
    int64_t scheduled;                        /* when */
    char *name;                               /* NULL: none */
    void *input;
    size_t input_length;

    /* the loop's */
    bool admitted;
    bool queued;
    int64_t begun; /* written before RUNNING */
    atomic_int pid; /* 0 while not known */
    uint64_t number;
    struct pb_worker *worker;
    struct pb_alarm alarm;
    TAILQ_ENTRY(pebble_future) link; /* of the queue, then of the deliveries */

    struct pebble_outcome outcome; /* of who settles it; of everybody once DONE */
};

TAILQ_HEAD(pb_job_list, pebble_future);

PB_HIDDEN_BEGIN

/* A job with one reference, a hold on the pool's memory, and copies of input
 * and name. NULL: no memory. */
struct pebble_future *pb_job_new(struct pebble_pool *pool, const struct pb_function_ref *function,
                                 const void *input, size_t length, const struct pebble_job_options *options);

/* A worker begins it now. False: it is settled already. */
bool pb_job_begin(struct pebble_future *job, int pid, int64_t now);

/* Claims the right to settle it, which exactly one caller ever gets, and fills
 * in what is common to all outcomes. False: somebody else has it. */
bool pb_job_settle(struct pebble_future *job, enum pebble_status status, int64_t now);

/* For who settled it: wakes the waiters and sends the callbacks out. */
void pb_job_publish(struct pebble_future *job);

/* The loop lets go of a job that is settled: frees its input and drops the loop's reference. */
void pb_job_release(struct pebble_future *job);

/* When its limit strikes, INT64_MAX for never; *ret_limit is which. */
int64_t pb_job_limit(const struct pebble_future *job, enum pebble_limit *ret_limit);

PB_HIDDEN_END
#endif
