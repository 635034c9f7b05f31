/* SPDX-License-Identifier: Apache-2.0
 * Places for a bounded number of things, which threads take and wait for, or
 * ask to be called about. */
#ifndef PB_ROOM_H
#define PB_ROOM_H

#include "compat.h"

#include <stdatomic.h>

/* Somebody who asked, to be called once. */
struct pb_asker {
    struct pb_asker *next;
    void (*function)(void *arg);
    void *arg;
};

struct pb_room {
    _Atomic(struct pb_asker *) askers; /* the newest first */
    atomic_uint calling;    /* threads that call them */
    atomic_size_t places;   /* free */
    atomic_uint waiting;    /* threads */
    _Atomic uint32_t turn;  /* changes when there may be news for them */
    atomic_bool closed;
};

PB_HIDDEN_BEGIN

/* So many are free. */
void pb_room_init(struct pb_room *room, size_t places);

/* Takes a place, waiting up to `timeout` ns for it. 0; -EAGAIN: `timeout` is 0
 * and none is free; -ETIMEDOUT; -ESHUTDOWN: closed, before or meanwhile. */
int pb_room_take(struct pb_room *room, int64_t timeout);

/* Gives a place back. */
void pb_room_give(struct pb_room *room);

/* Nobody waits any more. */
void pb_room_close(struct pb_room *room);

/* Adds an asker, to be called by the next pb_room_call that finds a place free,
 * or the room closed. 0, or -ENOMEM. */
int pb_room_ask(struct pb_room *room, void (*function)(void *arg), void *arg);

/* Whether askers are to be called: after places were given, or the room closed, or one was added. */
bool pb_room_owes_call(struct pb_room *room);

/* Calls them, the oldest first, on this thread. */
void pb_room_call(struct pb_room *room);

/* Whether nobody asks, and nobody is being called. */
bool pb_room_is_quiet(struct pb_room *room);

PB_HIDDEN_END
#endif
