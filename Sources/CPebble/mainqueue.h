/* SPDX-License-Identifier: Apache-2.0
 * libdispatch's main queue, where the program has libdispatch: what makes
 * DispatchQueue.main and @MainActor work in a worker. */
#ifndef PB_MAINQUEUE_H
#define PB_MAINQUEUE_H

#include "compat.h"

PB_HIDDEN_BEGIN

/* Whether the program has one. */
bool pb_mainqueue_exists(void);

/* On the main thread: serves the main queue until `fd` has one of the poll(2)
 * `events`, or an error or hang-up (0), or `other`, unless it is -1, is readable
 * (1). Or -errno. */
int pb_mainqueue_serve_until(int fd, short events, int other);

PB_HIDDEN_END
#endif
