/* SPDX-License-Identifier: Apache-2.0
 * A pool's inside, and who owns which part of it: what is atomic belongs to
 * everybody, the rest to whoever holds the lock (see loop.h). */
#ifndef PB_POOLSTATE_H
#define PB_POOLSTATE_H

#include "compat.h"
#include "blocks.h"
#include "courier.h"
#include "engine.h"
#include "futex.h"
#include "histogram.h"
#include "inbox.h"
#include "job.h"
#include "latch.h"
#include "oom.h"
#include "proc.h"
#include "readable.h"
#include "room.h"
#include "wheel.h"
#include "worker.h"
#include "pebble/pool.h"

#define PB_LEVELS (PEBBLE_PRIORITY_MAX - PEBBLE_PRIORITY_MIN + 1)
static_assert(PB_LEVELS <= 32, "a bit for each");

struct pb_cluster;

TAILQ_HEAD(pb_thread_list, pb_thread);

enum pb_pool_phase { PB_POOL_OPEN, PB_POOL_CLOSED, PB_POOL_STOPPED };
enum pb_pool_rest { PB_POOL_AWAKE, PB_POOL_RESTING };

struct pebble_pool {
    atomic_uint refs;  /* the users'; the last one stops the pool */
    atomic_uint holds; /* on its memory: of the users as one, the loop thread, each job, the callback thread */

    /* never change */
    const struct pb_engine *engine;
    struct pebble_pool_config config; /* without defaults to fill in */
    char name[32];
    struct pb_readable *readable; /* by workers that are confined; NULL: nothing */
    unsigned generation; /* of the process that made it */
    struct pb_procedure {
        struct pb_function_ref function;
        pebble_function entry;
        void *input;
        size_t length;
        bool given;
    } initializer, finalizer;

    /* everybody's */
    atomic_int phase;
    atomic_uint max_workers;
    atomic_bool broken;      /* its workers cannot reach their entry point */
    struct pb_latch rest;
    struct pb_inbox inbox;
    struct pb_room room; /* for jobs that wait, when they are bounded */
    struct pb_courier callbacks; /* calls them */
    struct pb_blocks blocks;     /* for inputs and replies */
    struct {
        atomic_uint_least64_t scheduled, running, done, published, workers, started, expired, killed, idle_deaths, retried;
    } count;

    pthread_mutex_t lock;
    struct pb_wakes wakes; /* of workers, when it is given back */

    /* what the loop waits on */
    int epoll, timer;
    int64_t timer_at; /* what the timerfd is set to; INT64_MAX: not at all */
    struct pb_wheel wheel;
    struct pb_job_list queue[PB_LEVELS]; /* by priority, the lowest first */
    uint32_t waiting;                    /* a bit for each level that is not empty */
    size_t queued;                       /* in all of them */
    struct pb_job_list deliveries;

    /* about workers: see crew.c */
    int channel;           /* to the fork server; -1: none */
    bool fresh;            /* the server was started for this pool and has not said hello */
    unsigned server;       /* which one it is, see forkserver.h */
    struct pb_worker_list workers, idle, open, gone;
    struct pb_worker_list owed; /* a bell each, when this turn ends */
    struct pb_thread_list threads, idle_threads, gone_threads; /* about threads: see threads.c */
    struct pb_cluster *cluster; /* about nodes: see node.h; NULL: there are none */
    unsigned by_state[PB_WORKER_STATES];
    unsigned live;   /* jobs with workers that can still answer */
    int64_t average; /* ns that jobs run for, of late */
    uint64_t next_worker;
    struct pb_oom oom;
    uint64_t outcomes[PEBBLE_STATUSES];
    struct pb_histogram wait_times, run_times; /* of jobs that are over */
    struct {
        int epoll;             /* of the pipes; -1: nothing is captured */
        unsigned stopped;      /* workers whose pipes are not read */
        atomic_size_t waiting; /* bytes for the function */
        atomic_bool clogged;   /* no job begins until fewer wait */
        struct pb_courier lines;
    } output; /* see output.c */
    unsigned failures; /* starts in a row, of those at once only the first */
    int64_t failed_at; /* the last of these */
    bool keeps_spares; /* a worker had to be replaced, and since then no spare was too many */
    unsigned stillborn; /* workers that are dying so: the next start waits for what is learnt from them */
    struct pb_alarm backoff, steal, thrift;
    int64_t large_at; /* when a large payload last came or went: see thrift.h */
};

PB_HIDDEN_BEGIN

/* Makes a pool of this engine, from a configuration that has its defaults to be
 * filled in. `cluster`, where not NULL, is the pool's from then on. As pebble_pool_new. */
int pb_pool_make(const struct pb_engine *engine, const struct pebble_pool_config *config,
                 struct pb_cluster *cluster, struct pebble_pool **ret_pool);

/* Keeps the memory of the pool, or lets it go. */
void pb_pool_hold(struct pebble_pool *pool);
void pb_pool_let_go(struct pebble_pool *pool);

/* Helps a job of the pool to its end, as far as that is possible, until `deadline`. */
void pb_pool_help(struct pebble_pool *pool, struct pebble_future *job, int64_t deadline);


PB_HIDDEN_END
#endif
