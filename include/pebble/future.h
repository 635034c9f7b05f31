/* SPDX-License-Identifier: Apache-2.0
 * Futures: the handle of one scheduled job. */
#ifndef PEBBLE_FUTURE_H
#define PEBBLE_FUTURE_H

#include "defs.h"
#include "outcome.h"

PEBBLE_BEGIN_DECLS

/* Reference-counted; every call is safe from any thread. A future outlives its
 * pool. It may be dropped at any time: the job runs on. */
typedef struct pebble_future pebble_future;

/* What pebble_future_cancel found. */
enum pebble_cancellation {
    PEBBLE_CANCEL_NEVER_STARTED, /* it was waiting and will never run */
    PEBBLE_CANCEL_WAS_RUNNING,   /* its worker is being killed, or has the pool's grace to return */
    PEBBLE_CANCEL_TOO_LATE,      /* it has its outcome already, which stays */
};

/* A done callback. `arg` is as given; the future is borrowed for the call. */
typedef void (*pebble_callback)(pebble_future *PEBBLE_NONNULL future, void *PEBBLE_NULLABLE arg);

/* Adds a reference and returns the future. */
PEBBLE_API pebble_future *PEBBLE_NONNULL pebble_future_ref(pebble_future *PEBBLE_NONNULL future);

/* Gives back a reference; the last one frees the outcome. NULL is ignored. */
PEBBLE_API void pebble_future_unref(pebble_future *PEBBLE_NULLABLE future);

/* Waits up to `timeout` ns for the outcome. 0: it is there; -ETIMEDOUT: not
 * yet; -EINVAL: `timeout` is negative. A timeout of 0 polls. */
PEBBLE_API int pebble_future_wait(pebble_future *PEBBLE_NONNULL future, int64_t timeout);

/* Waits up to `timeout` ns until at least `need` of the futures have their
 * outcomes: 1 for the first, `count` for all; 0 polls. Returns how many have,
 * which is less than `need` when the time is over, and in ret_done, an array of
 * `count` too unless it is NULL, which. A future that is listed twice counts
 * twice. Leaves nothing behind in the futures, however often it is called; and
 * the array as it was when it fails.
 *   -EINVAL  `timeout` is negative, `need` is 0 or more than `count`, or that more than INT_MAX
 *   -ENOMEM  (never for 16 futures or less, nor for all) */
PEBBLE_API int pebble_wait_futures(pebble_future *PEBBLE_NONNULL const *PEBBLE_NONNULL futures, size_t count,
                                   size_t need, int64_t timeout, bool *PEBBLE_NULLABLE ret_done);

/* A descriptor that is readable once the outcome is there, for poll(2) and
 * epoll(7); neither to be read nor closed: it is the future's, and lives as
 * long. A future that was never asked for it has none. Or:
 *   -EMFILE, -ENFILE, -ENOMEM  no descriptor or memory left */
PEBBLE_API int pebble_future_fd(pebble_future *PEBBLE_NONNULL future);

/* The outcome, owned by the future; NULL while there is none yet. */
PEBBLE_API const struct pebble_outcome *PEBBLE_NULLABLE pebble_future_outcome(const pebble_future *PEBBLE_NONNULL future);

/* Whether a worker has begun it and it has no outcome yet. */
PEBBLE_API bool pebble_future_running(pebble_future *PEBBLE_NONNULL future);

/* Ends the job: one that waits never runs, one that runs loses its worker,
 * unless it returns within the pool's grace. The outcome is PEBBLE_CANCELLED from this moment on; the process is gone a
 * little later (pebble_future_wait_gone). */
PEBBLE_API enum pebble_cancellation pebble_future_cancel(pebble_future *PEBBLE_NONNULL future);

/* Waits up to `timeout` ns until the job has its outcome and the process that
 * ran it can do no more for it: it has returned, or is dead and reaped.
 * 0, -ETIMEDOUT or -EINVAL as pebble_future_wait. */
PEBBLE_API int pebble_future_wait_gone(pebble_future *PEBBLE_NONNULL future, int64_t timeout);

/* Has `callback` called once when the outcome is there (at once when it is
 * already) on a thread that the pool keeps for callbacks: it may block without
 * harm to the pool, may stop the pool, but must not join it.
 *   -ENOMEM, -EAGAIN  no memory or thread left */
PEBBLE_API int pebble_future_on_done(pebble_future *PEBBLE_NONNULL future,
                                     pebble_callback PEBBLE_NONNULL callback, void *PEBBLE_NULLABLE arg);

/* Like pebble_future_on_done, but the callback runs on the very thread that
 * completes the job (or on this one when it is done), and so must not block:
 * for handing over to an event loop or a continuation. 0, or -ENOMEM. */
PEBBLE_API int pebble_future_on_done_inline(pebble_future *PEBBLE_NONNULL future,
                                            pebble_callback PEBBLE_NONNULL callback, void *PEBBLE_NULLABLE arg);

PEBBLE_END_DECLS
#endif
