/* SPDX-License-Identifier: Apache-2.0
 * A host's view of one worker: where it is in its life, and what an event
 * means there. */
#ifndef PB_WORKER_H
#define PB_WORKER_H

#include "compat.h"
#include "alarm.h"
#include "hostlink.h"
#include "proc.h"

enum pb_worker_state {
    PB_WORKER_STARTING, /* asked for; has not said that it is ready */
    PB_WORKER_IDLE,
    PB_WORKER_BUSY,
    PB_WORKER_STOPPING, /* told that its job is not wanted any more; has not returned from it */
    PB_WORKER_LEAVING, /* told to go */
    PB_WORKER_DYING,   /* killed, or of no more use and about to be */
    PB_WORKER_GONE,    /* reaped */
    PB_WORKER_STATES,
};

enum pb_worker_event {
    PB_WORKER_READY,    /* it said so */
    PB_WORKER_ASSIGNED, /* it was given a job, and had none */
    PB_WORKER_FINISHED, /* it has none left */
    PB_WORKER_BROKEN,   /* its link ended, or carried what it must not */
    PB_WORKER_RETIRED,  /* it is not needed any more */
    PB_WORKER_STOPPED,  /* its job has its outcome already, and it may have some time to return */
    PB_WORKER_KILLED,   /* it must end now */
    PB_WORKER_EXITED,   /* it was reaped */
    PB_WORKER_EVENTS,
};

/* What follows from an event. */
struct pb_worker_step {
    enum pb_worker_state next;
    bool kill; /* send it SIGKILL */
};

struct pb_worker {
    enum pb_worker_state state;
    bool ready_once;           /* it did reach its entry point */
    bool usable_once;          /* it was idle, set up and waiting for jobs */
    bool stillborn;            /* it dies, or died, before it could be used */
    bool condemned;            /* we kill it, it does not die by itself */
    unsigned silences;         /* how often in a row the server owed news of it when its alarm came */
    int start_error;           /* the errno value of a failed start */
    uint64_t id;
    uint64_t served;           /* jobs */
    int64_t born;              /* when it was asked for */
    struct pb_proc proc;       /* unset until the server has told */
    bool terminated;           /* it was sent SIGTERM: whenever that strikes, it is to hit no other job */
    bool awaited;              /* a thread that waits for a job of it sleeps on the link's bell */
    bool writing;              /* the loop waits until its stream is writable */
    bool slow;                 /* the next answer is waited for by itself, not in a batch */
    bool open;                 /* it is in the list of those that may be shipped more */
    struct pb_output *output;  /* what it writes, where that is captured; else NULL */
    struct pebble_future *procedure; /* what sets it up, or ends it; referenced; NULL: none so far */
    struct pb_alarm alarm;
    struct pb_alarm look; /* while its answers add up for one bell */
    TAILQ_ENTRY(pb_worker) link_in_state;
    TAILQ_ENTRY(pb_worker) link_in_pool;
    TAILQ_ENTRY(pb_worker) link_in_open;
    TAILQ_ENTRY(pb_worker) link_in_owed; /* while the link owes a bell */
    struct pb_hostlink link;
};

TAILQ_HEAD(pb_worker_list, pb_worker);

PB_HIDDEN_BEGIN

/* Pure: every state has an answer to every event. */
struct pb_worker_step pb_worker_step(enum pb_worker_state state, enum pb_worker_event event);

PB_HIDDEN_END
#endif
