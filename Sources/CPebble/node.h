/* SPDX-License-Identifier: Apache-2.0
 * A pool's view of the machines that its jobs run on: each has an agent
 * (agent.h), which takes as many jobs at once as it has slots. All of it with
 * the pool's lock held; agents come and go on the loop thread.
 *
 *   nodelink.c  the bytes     nodejobs.c  the jobs     nodelife.c  the rest */
#ifndef PB_NODE_H
#define PB_NODE_H

#include "compat.h"
#include "alarm.h"
#include "launch.h"
#include "messages.h"
#include "poolstate.h"
#include "wire.h"

enum pb_node_state {
    PB_NODE_DOWN,     /* may be started */
    PB_NODE_STARTING, /* has not said hello */
    PB_NODE_UP,
    PB_NODE_LEAVING,  /* was told to go; has not said goodbye */
    PB_NODE_ENDING,   /* its link is closed; what it was launched with still runs */
    PB_NODE_RESTING,  /* it was lost, and is left alone for a while */
};

/* What is watched of a node, and so comes back with an event. */
struct pb_node_tag {
    struct pb_node *node;
    bool launcher; /* the process, not the link */
};

struct pb_node_place {
    uint64_t number;           /* 0: free */
    struct pebble_future *job; /* NULL: it runs elsewhere again */
    bool answered;             /* it has its result, and is not gone */
    bool let_go;               /* and does not count as busy */
    int64_t sent;
    unsigned next;             /* of those that are free */
};

/* A name of a host that outcomes speak of. */
struct pb_host {
    struct pb_host *next;
    char name[];
};

struct pb_node {
    struct pebble_pool *pool;
    enum pb_node_state state;
    char *name;
    const char *host; /* that it said it is on; "": it never did */

    struct pb_launched launched;
    struct pb_node_tag link, launcher;
    struct pb_wire_in in;
    struct pb_wire_out out;
    bool writing;  /* the loop waits until the link is writable */
    bool paused;   /* it is not read: too many lines wait */
    bool in_peace; /* it said goodbye */
    int64_t born; /* when it was started */
    int64_t heard, said;

    struct pb_node_place *places;
    unsigned place_count;
    unsigned first_free;
    unsigned idle, busy; /* slots; what is neither was given up */
    unsigned spare;      /* places that are free besides those of the idle slots */
    uint64_t last_number;
    uint64_t done, lost_jobs, joined, losses; /* so far */

    unsigned failures; /* in a row */
    struct pb_alarm alarm;
    TAILQ_ENTRY(pb_node) link_in_state; /* of those that are down, or have an idle slot */
};

TAILQ_HEAD(pb_node_list, pb_node);

/* What a pool has nodes of. */
struct pb_cluster {
    char **command; /* ends with NULL */
    char *program;
    unsigned slots; /* asked for, of each; 0: what it may have */
    int64_t join_timeout, beat, lost_after;
    struct pb_image_id image; /* of the program */
    size_t count;
    struct pb_node *nodes;
    struct pb_node_list down, ready;
    unsigned paused;     /* nodes that are */
    unsigned running;    /* nodes that are neither down nor resting */
    unsigned capacity;   /* slots that there are, and one for each node that may come */
    struct pb_host *hosts;
};

PB_HIDDEN_BEGIN

/* --- nodelink.c --- */

/* Sends what can be; what is left goes when it is writable. One whose link is broken is found by the loop. */
void pb_node_send(struct pb_node *node);

/* Takes what has come. False: the link is of no more use; *ret_cause is why. */
bool pb_node_receive(struct pb_node *node, enum pebble_cause *ret_cause);

/* Lines wait no longer: it is read again. */
void pb_node_resume(struct pb_node *node);
void pb_node_close(struct pb_node *node);

/* --- nodejobs.c --- */

/* Gives a job to an idle slot. */
void pb_node_assign(struct pb_node *node, struct pebble_future *job, int64_t now);
void pb_node_cancel(struct pb_node *node, const struct pebble_future *job);
int64_t pb_node_began(const struct pb_node *node, const struct pebble_future *job);

/* What comes for jobs. False: it is not valid. */
bool pb_node_on_result(struct pb_node *node, const struct pb_wire_frame *frame);
bool pb_node_on_gone(struct pb_node *node, const struct pb_wire_frame *frame);
bool pb_node_on_update(struct pb_node *node, const struct pb_wire_frame *frame);

/* Each job that it has gets its outcome: cancelled, or lost with the node. */
void pb_node_cancel_jobs(struct pb_node *node);
void pb_node_lose_jobs(struct pb_node *node);

/* Whether a job of it has none yet. */
bool pb_node_owes(const struct pb_node *node);

/* --- nodelife.c --- */

void pb_node_init(struct pb_node *node, struct pebble_pool *pool);
void pb_node_done(struct pb_node *node);

/* It has one of those states, or these slots, from now on. */
void pb_node_enter(struct pb_node *node, enum pb_node_state state);
void pb_node_count(struct pb_node *node, int idle, int busy);

void pb_node_start(struct pb_node *node, int64_t now);
bool pb_node_on_hello(struct pb_node *node, const struct pb_wire_frame *frame, enum pebble_cause *ret_cause);

/* Gives up an idle slot; with the last one the node is told to go. */
void pb_node_retire_slot(struct pb_node *node, int64_t now);
void pb_node_stop(struct pb_node *node, int64_t now);

/* It is gone: in peace, or lost. `cause` and `error` are for one that was starting. */
void pb_node_lose(struct pb_node *node, enum pebble_cause cause, int error, int64_t now);

void pb_node_on_launcher(struct pb_node *node, int64_t now);
void pb_node_on_alarm(struct pb_node *node, int64_t now);

/* --- nodeoutput.c --- */

/* A line that a worker wrote goes to the pool's function. */
void pb_node_post_line(struct pebble_pool *pool, const struct pebble_output_line *line);

PB_HIDDEN_END
#endif
