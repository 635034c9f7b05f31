/* SPDX-License-Identifier: Apache-2.0
 * The agent of a node: this program, started there for a pool elsewhere. It
 * has a pool of worker processes of its own, does with it what it is told
 * (agent.c), and tells what becomes of the jobs (agentjobs.c). It ends, and
 * with it every worker, when it was told to and all is done; or at once, when
 * it has not heard from the other side for too long. */
#ifndef PB_AGENT_H
#define PB_AGENT_H

#include "compat.h"
#include "messages.h"
#include "wire.h"
#include "pebble/future.h"
#include "pebble/pool.h"
#include "pebble/queue.h"

#include <poll.h>
#include <pthread.h>

struct pb_agent;

/* A job. */
struct pb_agent_job {
    struct pb_agent *agent;
    uint64_t number;        /* 0: none */
    pebble_future *future;  /* NULL: it is not known yet */
    pebble_queue *updates;  /* NULL: not wanted */
};

struct pb_agent {
    /* the main thread's */
    int in, wake; /* wake: an eventfd, rung by who left bytes to be sent */
    struct pb_wire_in incoming;
    int64_t heard;
    int64_t beat, lost_after;
    bool ending; /* the pool is closed or stopped, and joined */
    struct pollfd *polled; /* one for each place, and three more */

    pebble_pool *pool; /* NULL: not set up */
    unsigned slots, places;

    pthread_mutex_t lock; /* of what follows; the pool's may be held when it is taken, not the other way round */
    pthread_cond_t sent;  /* fewer bytes wait */
    int out;
    struct pb_wire_out outgoing;
    int64_t said; /* when something was sent */
    bool done;    /* BYE is among what waits: nothing follows it */
    struct pb_agent_job *jobs; /* one for each place */
};

PB_HIDDEN_BEGIN

/* Ends this process, and with it the workers. */
_Noreturn void pb_agent_leave(void);

/* With the lock: sends what can be, and has the main thread see to the rest. */
void pb_agent_flush(struct pb_agent *agent);

/* What comes for jobs. False: it is not valid, or there is no memory. */
bool pb_agent_submit(struct pb_agent *agent, const struct pb_wire_frame *frame);
bool pb_agent_cancel(struct pb_agent *agent, const struct pb_wire_frame *frame);

/* With the lock: sends what a job has had to say. */
void pb_agent_forward(struct pb_agent_job *job);

/* The pool's function for lines. */
void pb_agent_on_output(const struct pebble_output_line *line, void *agent);

PB_HIDDEN_END
#endif
