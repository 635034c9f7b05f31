/* SPDX-License-Identifier: Apache-2.0
 * What a pool's jobs run on: worker processes, threads, or other machines. The pool's turns
 * (loop.c) and verbs (pool.c) decide; the engine does. All of it with the pool's
 * lock held, save `wait`. */
#ifndef PB_ENGINE_H
#define PB_ENGINE_H

#include "compat.h"
#include "alarm.h"

struct pebble_pool;
struct pebble_future;

struct pb_engine {
    /* Its functions run in this process, and are called by their address. */
    bool here;
    bool sizes_itself; /* how many workers there may be is its own to say */

    /* --- jobs --- */

    /* Gives a job, which has left the queue, to an idle worker, or to one that
     * may have one more; there must be one. False: it could not be, and must wait. */
    bool (*assign)(struct pebble_pool *pool, struct pebble_future *job, int64_t now);
    bool (*fill)(struct pebble_pool *pool, struct pebble_future *job, int64_t now);

    /* Takes back a job that waits behind others: NULL when there is none, or when it is not worth it yet. */
    struct pebble_future *(*steal)(struct pebble_pool *pool, int64_t now);

    /* Of a job that a worker has (pb_job_is_held). Takes the answers that are
     * there, its own perhaps among them. */
    void (*look)(struct pebble_pool *pool, struct pebble_future *job);

    /* Takes it back. True: it never began. */
    bool (*take_back)(struct pebble_pool *pool, struct pebble_future *job);

    /* When it has begun and is to be ended: sees to it that nothing else is. False: it has ended by itself. */
    bool (*single_out)(struct pebble_pool *pool, struct pebble_future *job);

    /* When it has begun and is over its limit: whether it is to wait for a dump of its worker's stacks. NULL: never. */
    bool (*awaits_dump)(struct pebble_pool *pool, struct pebble_future *job, int64_t now);

    /* Ends it, as far as that is possible. It is settled. */
    void (*end)(struct pebble_pool *pool, struct pebble_future *job);

    /* Of any job: when it began, 0: it has not; and who has it, for people; 0: nobody. */
    int64_t (*began)(struct pebble_future *job, int64_t now);
    int (*pid)(const struct pebble_future *job);

    /* Wakes workers for all that they were given in this turn. NULL: they need not be. */
    void (*ring)(struct pebble_pool *pool);

    /* Without the lock: helps it to its end until `deadline`; may return before. */
    void (*wait)(struct pebble_pool *pool, struct pebble_future *job, int64_t deadline);

    /* --- workers --- */

    void (*start)(struct pebble_pool *pool, int64_t now);  /* one more; on the loop thread */
    void (*retire)(struct pebble_pool *pool);              /* lets an idle one go; there must be one */
    void (*drop)(struct pebble_pool *pool);                /* ends one that is starting; NULL: it cannot be done */
    void (*stop)(struct pebble_pool *pool, int64_t now);   /* ends every job, and every worker */
    bool (*at_rest)(struct pebble_pool *pool);             /* whether none is left */

    /* On the loop thread: something that was watched happened; an alarm of a
     * worker; the end of a turn, when no event can name what is gone; the last call. */
    void (*on_event)(struct pebble_pool *pool, void *tag, uint32_t events);
    void (*on_alarm)(struct pebble_pool *pool, struct pb_alarm *alarm);
    void (*tidy)(struct pebble_pool *pool);
    void (*leave)(struct pebble_pool *pool);
};

/* The part of an engine whose workers have one job at a time, each begun when it
 * is assigned: there is nothing behind it, to look at, or to take back. */
#define PB_ENGINE_ONE_AT_A_TIME                                                                                       \
    .fill = pb_engine_no_fill, .steal = pb_engine_no_steal, .look = pb_engine_no_look,                                 \
    .take_back = pb_engine_no_take_back, .single_out = pb_engine_alone, .wait = pb_engine_no_wait,                     \
    .leave = pb_engine_no_leave

PB_HIDDEN_BEGIN

bool pb_engine_no_fill(struct pebble_pool *pool, struct pebble_future *job, int64_t now);
struct pebble_future *pb_engine_no_steal(struct pebble_pool *pool, int64_t now);
void pb_engine_no_look(struct pebble_pool *pool, struct pebble_future *job);
bool pb_engine_no_take_back(struct pebble_pool *pool, struct pebble_future *job);
bool pb_engine_alone(struct pebble_pool *pool, struct pebble_future *job);
void pb_engine_no_wait(struct pebble_pool *pool, struct pebble_future *job, int64_t deadline);
void pb_engine_no_leave(struct pebble_pool *pool);

/* Worker processes (processes.c). */
extern const struct pb_engine pb_processes;

PB_HIDDEN_END
#endif
