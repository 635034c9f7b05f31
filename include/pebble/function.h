/* SPDX-License-Identifier: Apache-2.0
 * Task functions: what runs in a worker. */
#ifndef PEBBLE_FUNCTION_H
#define PEBBLE_FUNCTION_H

#include "defs.h"

PEBBLE_BEGIN_DECLS

/* One call as its worker sees it. Lives until the task function returns; only
 * the thread that was given it may use it. */
typedef struct pebble_call pebble_call;

/* A task function: an ordinary function of the program or of one of its shared
 * libraries. Nothing is registered: on the wire it is (build-id of its image,
 * offset in it), so a `static` function will do. It runs on the worker's main
 * thread. Returns 0 for success; any other value makes the outcome
 * PEBBLE_FAILURE with that code, and what was written then describes the error. */
typedef int (*pebble_function)(pebble_call *PEBBLE_NONNULL call);

/* The bytes that the job was scheduled with, aligned for any type that fits into
 * them. They belong to the call and may be modified. Never NULL, even when *ret_length is 0. */
PEBBLE_API void *PEBBLE_NONNULL pebble_call_input(pebble_call *PEBBLE_NONNULL call,
                                                  size_t *PEBBLE_NONNULL ret_length);

/* Appends bytes to the reply (copied). 0, or -ENOMEM. */
PEBBLE_API int pebble_call_write(pebble_call *PEBBLE_NONNULL call, const void *PEBBLE_NULLABLE data,
                                 size_t length);

/* Appends `length` bytes to the reply for the caller to fill in, and returns
 * where; valid until the next write or reserve of this call. NULL: out of memory. */
PEBBLE_API void *PEBBLE_NULLABLE pebble_call_reserve(pebble_call *PEBBLE_NONNULL call, size_t length);

/* Takes back the last `length` bytes of the reply (all of it when longer). */
PEBBLE_API void pebble_call_unwrite(pebble_call *PEBBLE_NONNULL call, size_t length);

/* Sends bytes to whoever scheduled the job, while it runs (see `updates` in
 * pebble_job_options); without a queue for them it does nothing. Blocks while
 * the stream to the host is full, never for want of somebody who reads the queue.
 *   -EFBIG  larger than max_payload
 *   -EPIPE  the host is gone
 *   -ENOMEM (in a thread) */
PEBBLE_API int pebble_call_update(pebble_call *PEBBLE_NONNULL call, const void *PEBBLE_NULLABLE data,
                                  size_t length);

/* Whether nobody waits for this call any more: it was cancelled, its time is
 * over, or its pool stopped, and the pool gives it some grace (see
 * pebble_pool_config) to return, as a thread pool always does. What it returns
 * is not looked at. */
PEBBLE_API bool pebble_call_cancelled(const pebble_call *PEBBLE_NONNULL call);

PEBBLE_END_DECLS
#endif
