/* SPDX-License-Identifier: Apache-2.0
 * Done callbacks: each future's list of them. Those that may block are called
 * by a courier of the pool. */
#ifndef PB_CALLBACKS_H
#define PB_CALLBACKS_H

#include "compat.h"
#include "pebble/future.h"

PB_HIDDEN_BEGIN

/* Adds a callback to a future, or calls or posts it at once when the future is
 * done; `here`: it is to be called on the completing thread. 0, -ENOMEM,
 * -EAGAIN (no thread). */
int pb_callback_add(struct pebble_future *future, pebble_callback function, void *arg, bool here);

/* The future is done: calls and posts what was added, and closes its list. */
void pb_callback_fire(struct pebble_future *future);

PB_HIDDEN_END
#endif
