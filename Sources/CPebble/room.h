/* SPDX-License-Identifier: Apache-2.0
 * Places for a bounded number of things, which threads take and wait for. */
#ifndef PB_ROOM_H
#define PB_ROOM_H

#include "compat.h"

#include <stdatomic.h>

struct pb_room {
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

PB_HIDDEN_END
#endif
