/* SPDX-License-Identifier: Apache-2.0
 * What code can ask of the worker that it runs in. */
#ifndef PEBBLE_WORKER_H
#define PEBBLE_WORKER_H

#include "defs.h"
#include "function.h"

PEBBLE_BEGIN_DECLS

/* Whether this process is one of Pebble's workers. */
PEBBLE_API bool pebble_in_worker(void);

/* For task functions that wait for asynchronous work: serves the program's
 * main dispatch queue, where there is one, until pebble_call_resume is called
 * for the call, before or after. On the worker's main thread. 0, or a negative
 * errno of eventfd(2) or poll(2). */
PEBBLE_API int pebble_call_suspend(pebble_call *PEBBLE_NONNULL call);

/* Ends the pebble_call_suspend of a call, once; from any thread. */
PEBBLE_API void pebble_call_resume(pebble_call *PEBBLE_NONNULL call);

PEBBLE_END_DECLS
#endif
