/* SPDX-License-Identifier: Apache-2.0
 * Crashes: what a worker could still record when a signal ended it. */
#ifndef PEBBLE_CRASH_H
#define PEBBLE_CRASH_H

#include "backtrace.h"
#include "defs.h"

PEBBLE_BEGIN_DECLS

/* Read-only; fields are only ever added at the end. Belongs to its outcome.
 * A worker records SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS,
 * SIGQUIT, SIGXCPU and SIGXFSZ, unless the job has installed a handler of its own
 * that does not pass them on; and not the overflow of the stack of a thread that
 * the job has started. */
struct pebble_crash {
    int signal;
    int code;             /* what kind of it: si_code of sigaction(2); 0 and less when a process sent it */
    uint64_t address;     /* that it is about, of the worker's memory or code; 0: none */
    int thread;           /* the kernel's id of the thread that crashed */
    bool main_thread;     /* whether that is the one that runs task functions */
    bool stack_overflow;  /* whether that thread's stack was used up */
    const char *PEBBLE_NONNULL message; /* what the Swift runtime, abort(3) or assert(3) said; "" when nothing */
    const pebble_backtrace *PEBBLE_NONNULL backtrace; /* from where the signal came; it may be empty */
};

/* Writes what a crash comes down to: the message, its first line, or what signal
 * and code mean; "" when the signal says it all. Truncated to `size` bytes with
 * the NUL; returns the length of the whole, as snprintf(3) does. */
PEBBLE_API int pebble_crash_describe(const struct pebble_crash *PEBBLE_NONNULL crash, char *PEBBLE_NULLABLE buffer,
                                     size_t size);

PEBBLE_END_DECLS
#endif
