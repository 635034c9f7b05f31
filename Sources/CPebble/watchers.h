/* SPDX-License-Identifier: Apache-2.0
 * Who watches a thing that is done at some time (a future, a thread), besides
 * those that wait for it alone: threads that wait for several, and a future's
 * descriptor. A thing that nobody watches pays one load. */
#ifndef PB_WATCHERS_H
#define PB_WATCHERS_H

#include "compat.h"

#include <stdatomic.h>

struct pb_watcher;

/* Part of the thing. `any` is set before the state is looked at, and looked at
 * after that is set; the rest is guarded by a lock of all watchers. */
struct pb_watchers {
    atomic_bool any;
    LIST_HEAD(, pb_watcher) list;
    int fd; /* -1: none */
};

/* Several things of one kind, and how to look at the one at `i`. */
struct pb_watched {
    const void *things;
    size_t count;
    bool (*is_done)(const void *things, size_t i);
    struct pb_watchers *(*watchers)(const void *things, size_t i);
};

PB_HIDDEN_BEGIN

void pb_watchers_init(struct pb_watchers *watchers);

/* The thing is done, and says so when it is looked at. */
void pb_watchers_tell(struct pb_watchers *watchers);

/* Of a thing that nobody has any more. */
void pb_watchers_done(struct pb_watchers *watchers);

/* Waits up to `timeout` ns until at least `need` of them are done. How many are,
 * and in ret_done, unless it is NULL, which; or -ENOMEM (never for 16 or less), and nothing there. */
int pb_watchers_wait(const struct pb_watched *all, size_t need, int64_t timeout, bool *ret_done);

PB_HIDDEN_END
#endif
