/* SPDX-License-Identifier: Apache-2.0
 * Signals, handled on an ordinary thread or read from a descriptor; and kept away from a thread for a while. */
#ifndef PEBBLE_SIG_H
#define PEBBLE_SIG_H

#include "defs.h"

PEBBLE_BEGIN_DECLS

/* A function or a descriptor, and the signals that come to it. */
typedef struct pebble_signal_handler pebble_signal_handler;

/* Called with the number of the signal and `arg` as given, on a thread that
 * Pebble keeps for this alone: it may lock, allocate, print and block, but
 * while it runs no other handler does. A fork that it makes must exec or exit. */
typedef void (*pebble_signal_function)(int signal, void *PEBBLE_NULLABLE arg);

/* Has `function` called whenever one of these signals comes to the process, be
 * it sent, or raised by a thread or a timer. Every delivery is one call; but of
 * a standard signal that is sent again before it is delivered Unix delivers
 * one only, as always. Real-time signals are all delivered.
 *
 * The dispositions of these signals are replaced (with SA_RESTART, so that no
 * system call of the program is interrupted that can be resumed) until the last
 * handler for each is forgotten; no other is touched, and what was there before
 * is not called in between. Of several handlers for one signal all are called,
 * in the order in which they were made; one that is made while a signal waits
 * for its call may be called for that. Some thread of the program must not
 * block the signal: those of Pebble block all.
 *
 * SIGFPE is handled when somebody sent it; one that comes from a computation
 * finds the disposition that was there before, and kills.
 *
 * In a fork without exec the former dispositions are back, no handler is
 * called, and it may make handlers of its own.
 *
 * The caller owns *ret_handler, and gives it back with pebble_signal_forget.
 *   -EINVAL  `count` is 0; or there is something among the signals that is none,
 *            belongs to the C library, cannot be caught (SIGKILL, SIGSTOP), or
 *            tells of a fault in the thread that gets it and is of no use to any
 *            other (SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGSYS, SIGABRT)
 *   -ENOMEM, -EAGAIN  no memory or thread left */
PEBBLE_API int pebble_signal_handle(const int *PEBBLE_NONNULL signals, size_t count,
                                    pebble_signal_function PEBBLE_NONNULL function, void *PEBBLE_NULLABLE arg,
                                    pebble_signal_handler *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_handler);

/* The same for event loops: a handler without a function, whose signals are
 * read. Every delivery is one signal to read; other handlers for it are called,
 * or have it to read, as well. Errors as pebble_signal_handle, and
 *   -EMFILE, -ENFILE  no descriptor left */
PEBBLE_API int pebble_signal_open(const int *PEBBLE_NONNULL signals, size_t count,
                                  pebble_signal_handler *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_handler);

/* A descriptor that is readable exactly while there is a signal to read. For
 * poll(2) and epoll(7) only, and neither to be read nor closed: it is the
 * handler's, and lives as long. -EINVAL: the handler has a function. */
PEBBLE_API int pebble_signal_fd(const pebble_signal_handler *PEBBLE_NONNULL handler);

/* Takes one of the signals that came, those with lower numbers first, and never waits.
 *   -EAGAIN  there is none
 *   -EINVAL  the handler has a function
 *   -ECHILD  this process is a fork of the one that made the handler */
PEBBLE_API int pebble_signal_read(pebble_signal_handler *PEBBLE_NONNULL handler, int *PEBBLE_NONNULL ret_signal);

/* For constructors, which come before main in every process of a program: as
 * pebble_signal_handle for one signal, with a handler that stays as long as the
 * process. In Pebble's own processes, servers and workers, it does nothing: 0. */
PEBBLE_API int pebble_signal_declare(int signal, pebble_signal_function PEBBLE_NONNULL function);

/* Ends a handler: gives each of its signals that no other handler is for the
 * disposition from before, unless the program has changed it meanwhile; waits
 * for the call that is going on, if there is one and this is not called from
 * it; and frees the handler. There are no calls any more when it returns. NULL
 * is ignored. */
PEBBLE_API void pebble_signal_forget(pebble_signal_handler *PEBBLE_NULLABLE handler);

/* What pebble_signals_block did, for pebble_signals_restore. */
struct pebble_signal_guard {
    uint64_t blocked; /* private */
};

/* Blocks these signals in the calling thread, and so in threads that it makes
 * until pebble_signals_restore. May be nested.
 *   -EINVAL  something among the signals is none, belongs to the C library, or
 *            cannot be blocked (SIGKILL, SIGSTOP) */
PEBBLE_API int pebble_signals_block(const int *PEBBLE_NONNULL signals, size_t count,
                                    struct pebble_signal_guard *PEBBLE_NONNULL ret_guard);

/* In the same thread: unblocks those which were not blocked before. What came
 * meanwhile is delivered now. */
PEBBLE_API void pebble_signals_restore(const struct pebble_signal_guard *PEBBLE_NONNULL guard);

PEBBLE_END_DECLS
#endif
