/* SPDX-License-Identifier: Apache-2.0
 * What code can ask of the worker that it runs in. */
#ifndef PEBBLE_WORKER_H
#define PEBBLE_WORKER_H

#include "backtrace.h"
#include "defs.h"
#include "function.h"

PEBBLE_BEGIN_DECLS

/* Whether this process is one of Pebble's workers. */
PEBBLE_API bool pebble_in_worker(void);

/* pebble_call_cancelled for code that does not have the call: of the job that
 * this process runs, or, in a thread of a pool, of the one that this thread
 * runs. False where there is none. From any thread. */
PEBBLE_API bool pebble_job_cancelled(void);

/* For task functions that wait for asynchronous work: serves the program's
 * main dispatch queue, where there is one, until pebble_call_resume is called
 * for the call, before or after. On the worker's main thread. 0, or
 *   -EMFILE  no descriptor was left for it when the worker began; always in a thread
 *   others   of poll(2) */
PEBBLE_API int pebble_call_suspend(pebble_call *PEBBLE_NONNULL call);

/* Ends the pebble_call_suspend of a call, once; from any thread. */
PEBBLE_API void pebble_call_resume(pebble_call *PEBBLE_NONNULL call);

typedef void (*pebble_cancel_callback)(void *PEBBLE_NULLABLE arg);

/* Has `callback` called once when pebble_call_cancelled has become true, on the
 * worker's main thread and during a pebble_call_suspend of the call only, which
 * goes on until it is resumed. Replaces the one before; NULL: none. */
PEBBLE_API void pebble_call_on_cancel(pebble_call *PEBBLE_NONNULL call,
                                      pebble_cancel_callback PEBBLE_NULLABLE callback, void *PEBBLE_NULLABLE arg);

/* Where a Swift error was thrown in the job that runs, as
 * pebble_backtrace_encode writes it: the one in that box, or else the last of
 * that type (its metadata) that was thrown before it had a box. Returns the
 * length, 0 when it is not known: not in a worker, not with no_throw_backtraces,
 * nor of an error that was not thrown of late. */
PEBBLE_API size_t pebble_thrown(const void *PEBBLE_NONNULL box, const void *PEBBLE_NONNULL type,
                                void *PEBBLE_NONNULL buffer, size_t size);

PEBBLE_END_DECLS
#endif
