/* SPDX-License-Identifier: Apache-2.0
 * Queues between threads. */
#ifndef PEBBLE_QUEUE_H
#define PEBBLE_QUEUE_H

#include "defs.h"

PEBBLE_BEGIN_DECLS

/* First in, first out, for any number of putting and getting threads, each of
 * which is served in the order in which it came to wait. Items are pointers,
 * NULL among them; who puts one passes over what it points to, who gets it
 * has it. Reference-counted; every call is safe from any thread that has a
 * reference. In a fork without exec, a queue of the parent must not be used. */
typedef struct pebble_queue pebble_queue;

/* Frees an item that nobody got. */
typedef void (*pebble_free_function)(void *PEBBLE_NULLABLE item);

/* Makes a queue for up to `capacity` items, 0: for as many as there is memory.
 * `free_item` is called for each item that is left when the last reference
 * goes, oldest first; NULL: nothing is. 0, or -ENOMEM. */
PEBBLE_API int pebble_queue_new(size_t capacity, pebble_free_function PEBBLE_NULLABLE free_item,
                                pebble_queue *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_queue);

/* Adds a reference and returns the queue. */
PEBBLE_API pebble_queue *PEBBLE_NONNULL pebble_queue_ref(pebble_queue *PEBBLE_NONNULL queue);

/* Gives back a reference; the last one frees the queue. NULL is ignored. */
PEBBLE_API void pebble_queue_unref(pebble_queue *PEBBLE_NULLABLE queue);

/* Puts an item, waiting up to `timeout` ns for room; 0 polls. On failure the
 * item stays the caller's.
 *   -EAGAIN     `timeout` is 0, and the queue is full
 *   -ETIMEDOUT  it was full all that time
 *   -ESHUTDOWN  the queue is closed, or was while this waited
 *   -EINVAL     `timeout` is negative
 *   -ENOMEM */
PEBBLE_API int pebble_queue_put(pebble_queue *PEBBLE_NONNULL queue, void *PEBBLE_NULLABLE item, int64_t timeout);

/* Takes the oldest item, waiting up to `timeout` ns for one; 0 polls.
 *   -EAGAIN     `timeout` is 0, and the queue is empty
 *   -ETIMEDOUT  it was empty all that time
 *   -EPIPE      the queue is closed, or was while this waited, and nothing is left in it
 *   -EINVAL     `timeout` is negative */
PEBBLE_API int pebble_queue_get(pebble_queue *PEBBLE_NONNULL queue, int64_t timeout,
                                void *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_item);

/* No more items; those there are can still be taken. Whoever waits in a put or
 * for an item is woken. Repeating it is harmless. */
PEBBLE_API void pebble_queue_close(pebble_queue *PEBBLE_NONNULL queue);

/* How many items are in it at this moment. */
PEBBLE_API size_t pebble_queue_size(pebble_queue *PEBBLE_NONNULL queue);

/* A descriptor that is readable exactly while the queue is ready: it has an
 * item or is closed. For poll(2) and epoll(7) only, and neither to be read nor
 * closed: it is the queue's, and lives as long. A queue that was never asked
 * for it has none. Or:
 *   -EMFILE, -ENFILE, -ENOMEM  no descriptor or memory left */
PEBBLE_API int pebble_queue_fd(pebble_queue *PEBBLE_NONNULL queue);

/* Waits up to `timeout` ns until at least one of the queues is ready (has an
 * item or is closed); 0 polls. Takes nothing. Returns how many are, and in
 * ret_ready, an array of `count` too, which; 0 when the time is over. Needs no
 * descriptors. Where other threads take from a queue, they may be faster than
 * the caller, whose pebble_queue_get then had better poll. A failure leaves the
 * array as it was.
 *   -EINVAL  `timeout` is negative, or `count` is 0 or more than INT_MAX
 *   -ENOMEM  (never for 16 queues or less) */
PEBBLE_API int pebble_wait_queues(pebble_queue *PEBBLE_NONNULL const *PEBBLE_NONNULL queues, size_t count,
                                  int64_t timeout, bool *PEBBLE_NONNULL ret_ready);

PEBBLE_END_DECLS
#endif
