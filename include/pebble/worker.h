/* SPDX-License-Identifier: Apache-2.0
 * What code can ask about the process that it runs in. */
#ifndef PEBBLE_WORKER_H
#define PEBBLE_WORKER_H

#include "defs.h"

PEBBLE_BEGIN_DECLS

/* Whether this process is one of Pebble's workers. */
PEBBLE_API bool pebble_in_worker(void);

/* In a worker, on its main thread: serves the main dispatch queue, when the
 * program has one, until `descriptor` is readable. 0, or a negative errno of
 * poll(2). For bindings whose task functions wait for asynchronous work. */
PEBBLE_API int pebble_worker_serve_until(int descriptor);

PEBBLE_END_DECLS
#endif
