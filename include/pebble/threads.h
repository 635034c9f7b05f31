/* SPDX-License-Identifier: Apache-2.0
 * Thread pools: the same verbs and outcomes, without processes. */
#ifndef PEBBLE_THREADS_H
#define PEBBLE_THREADS_H

#include "defs.h"
#include "pool.h"

PEBBLE_BEGIN_DECLS

/* Zero in a field means its default; each is as in struct pebble_pool_config,
 * with threads for workers. */
struct pebble_thread_pool_config {
    const char *PEBBLE_NULLABLE name; /* of the threads, with a number; up to 15 bytes are seen; default: "pool" */
    unsigned max_workers;
    uint64_t max_tasks;
    int64_t idle_timeout;
    uint64_t max_payload;
    size_t max_queued;
    int64_t full_timeout;
    struct pebble_procedure initializer, finalizer;
};

/* Makes a pool whose jobs run on threads of this process. Everything that can
 * be done with a pool and its futures can be done with it; what differs follows
 * from threads being no processes:
 *
 * - What a function does to the process it does to the program: a crash ends it.
 *   There is no PEBBLE_EXPIRED, and retries mean nothing.
 * - A thread cannot be killed. A running job that is cancelled, over a limit, or
 *   in a pool that is stopped has its outcome at once, and
 *   pebble_call_cancelled becomes true for it; but its function runs on until it
 *   returns, its thread is taken until then, pebble_future_wait_gone waits for
 *   that, and so does pebble_pool_join.
 * - The input is copied as for processes, the reply is not copied again. A
 *   pointer in either means the same on both sides.
 * - Functions need not lie in an image. pebble_call_suspend gives -EMFILE.
 * - outcome->pid is the thread's id (gettid(2)).
 * - A task may close and stop its own pool; pebble_pool_join gives it -EDEADLK.
 *
 * All signals are blocked in the threads.
 *   -EINVAL  a time is negative, or max_workers is above 65536
 *   -EFBIG   the input of initializer or finalizer is larger than max_payload
 *   -ENOMEM, -EMFILE, -ENFILE, -EAGAIN, -ENOSPC  no memory, descriptor, thread or epoll(7) watch left */
PEBBLE_API int pebble_thread_pool_new(const struct pebble_thread_pool_config *PEBBLE_NULLABLE config,
                                      pebble_pool *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_pool);

PEBBLE_END_DECLS
#endif
