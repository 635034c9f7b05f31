/* SPDX-License-Identifier: Apache-2.0
 * Where every thread leaves jobs for the pool: a list without a lock; and a
 * bell (an eventfd) that wakes the loop thread. */
#ifndef PB_INBOX_H
#define PB_INBOX_H

#include "compat.h"

#include <stdatomic.h>

struct pebble_future;

struct pb_inbox {
    _Atomic(struct pebble_future *) newest;
    int bell;
};

PB_HIDDEN_BEGIN

/* 0 or -errno. */
int pb_inbox_init(struct pb_inbox *inbox);
void pb_inbox_done(struct pb_inbox *inbox);

/* Leaves a job, linked by its `next`. 0; -ESHUTDOWN: the inbox is closed. */
int pb_inbox_push(struct pb_inbox *inbox, struct pebble_future *job);

bool pb_inbox_empty(const struct pb_inbox *inbox);

/* Wakes the loop thread. */
void pb_inbox_ring(struct pb_inbox *inbox);

/* Silences the bell. */
void pb_inbox_hush(struct pb_inbox *inbox);

/* Takes all jobs, oldest first. */
struct pebble_future *pb_inbox_take(struct pb_inbox *inbox);

/* Closes an empty inbox. False: it is not empty. */
bool pb_inbox_close(struct pb_inbox *inbox);

PB_HIDDEN_END
#endif
