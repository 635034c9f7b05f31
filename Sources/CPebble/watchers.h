/* SPDX-License-Identifier: Apache-2.0
 * Who watches a future besides those that wait for it alone: threads that wait
 * for several, and its descriptor. A future that nobody watches pays one load. */
#ifndef PB_WATCHERS_H
#define PB_WATCHERS_H

#include "compat.h"

#include <stdatomic.h>

struct pb_watcher;
struct pebble_future;

/* Part of a future. `any` is set before the state is looked at, and looked at
 * after that is set; the rest is guarded by a lock of all watchers. */
struct pb_watchers {
    atomic_bool any;
    LIST_HEAD(, pb_watcher) list;
    int fd; /* -1: none */
};

PB_HIDDEN_BEGIN

void pb_watchers_init(struct pb_watchers *watchers);

/* The future has its outcome. */
void pb_watchers_tell(struct pb_watchers *watchers);

/* Of a future that nobody has any more. */
void pb_watchers_done(struct pb_watchers *watchers);

PB_HIDDEN_END
#endif
