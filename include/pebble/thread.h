/* SPDX-License-Identifier: Apache-2.0
 * Single threads that can be waited for, several at once. */
#ifndef PEBBLE_THREAD_H
#define PEBBLE_THREAD_H

#include "defs.h"

#include <sys/types.h>

PEBBLE_BEGIN_DECLS

/* The handle of a thread of this process. Reference-counted; every call is safe
 * from any thread that has a reference. It may be dropped at any time: the
 * thread runs on. In a fork without exec, a handle of the parent must not be used. */
typedef struct pebble_thread pebble_thread;

typedef void (*pebble_thread_function)(void *PEBBLE_NULLABLE arg);

/* Starts a thread that calls function(arg). `name` is shown as the thread's, up
 * to 15 bytes of it, and copied; NULL: that of the calling thread. So is the
 * mask of signals. The thread is detached: there is nothing to join, and nothing
 * is left of it when it has ended. The caller owns *ret_thread.
 *   -EAGAIN  no more threads
 *   -ENOMEM */
PEBBLE_API int pebble_thread_start(pebble_thread_function PEBBLE_NONNULL function, void *PEBBLE_NULLABLE arg,
                                   const char *PEBBLE_NULLABLE name,
                                   pebble_thread *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_thread);

/* Adds a reference and returns the handle. */
PEBBLE_API pebble_thread *PEBBLE_NONNULL pebble_thread_ref(pebble_thread *PEBBLE_NONNULL thread);

/* Gives back a reference; the last one frees the handle, once the thread has
 * ended. NULL is ignored. */
PEBBLE_API void pebble_thread_unref(pebble_thread *PEBBLE_NULLABLE thread);

/* Whether it has ended: its function has returned, or left by pthread_exit(3).
 * What it wrote until then is seen by who has learnt of it. Destructors of its
 * thread-local variables may still be running. */
PEBBLE_API bool pebble_thread_has_ended(const pebble_thread *PEBBLE_NONNULL thread);

/* Its id (gettid(2)), which another thread may have when it has ended. Waits
 * for the moment that a new thread needs to say it. */
PEBBLE_API pid_t pebble_thread_tid(pebble_thread *PEBBLE_NONNULL thread);

/* Waits up to `timeout` ns until at least one of the threads has ended; 0 polls.
 * Returns how many have, and in ret_ended, an array of `count` too, which; 0
 * when the time is over. Changes nothing in them: they can be waited for again,
 * by any number of threads, and one that is listed twice counts twice. One that
 * lists itself never finds itself ended. A failure leaves the array as it was.
 *   -EINVAL  `timeout` is negative, or `count` is 0 or more than INT_MAX
 *   -ENOMEM  (never for 16 threads or less) */
PEBBLE_API int pebble_wait_threads(pebble_thread *PEBBLE_NONNULL const *PEBBLE_NONNULL threads, size_t count,
                                   int64_t timeout, bool *PEBBLE_NONNULL ret_ended);

PEBBLE_END_DECLS
#endif
