/* SPDX-License-Identifier: Apache-2.0
 * Crashes: what a worker could still record when a signal ended it. */
#ifndef PEBBLE_CRASH_H
#define PEBBLE_CRASH_H

#include "defs.h"

PEBBLE_BEGIN_DECLS

/* Read-only; fields are only ever added at the end. Belongs to its outcome.
 * A worker records SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP and SIGSYS,
 * unless the job has installed a handler of its own that does not pass them on. */
struct pebble_crash {
    int signal;
    int code;             /* what kind of it: si_code of sigaction(2); 0 and less when a process sent it */
    uint64_t address;     /* that it is about, of the worker's memory or code; 0: none */
    int thread;           /* the kernel's id of the thread that crashed */
    bool main_thread;     /* whether that is the one that runs task functions */
    bool stack_overflow;  /* whether that thread's stack was used up */
    const char *PEBBLE_NONNULL message; /* what the Swift runtime, abort(3) or assert(3) said; "" when nothing */
    size_t frame_count;   /* of the backtrace; 0 to 64 */
    bool truncated;       /* whether there are more, outer, frames */
};

/* A frame of a backtrace. Strings belong to the outcome. */
struct pebble_frame {
    const char *PEBBLE_NULLABLE function; /* demangled; NULL when the symbol table of the image has none */
    uint64_t function_offset;             /* from where that begins */
    const char *PEBBLE_NONNULL image;     /* the path of the executable or shared library; "" when in none */
    uint64_t offset;                      /* in it, as addr2line(1) takes it; without an image, the address itself */
    const void *PEBBLE_NULLABLE address;  /* the same place in this process; NULL when it has not loaded the image */
    bool machinery;                       /* it is of Pebble itself */
};

/* Writes what a crash comes down to: the message, its first line, or what signal
 * and code mean; "" when the signal says it all. Truncated to `size` bytes with
 * the NUL; returns the length of the whole, as snprintf(3) does. */
PEBBLE_API int pebble_crash_describe(const struct pebble_crash *PEBBLE_NONNULL crash, char *PEBBLE_NULLABLE buffer,
                                     size_t size);

/* The frame with that number: 0 is where the signal came; what follows are
 * return addresses, up to the task function. The first call for a crash reads
 * the symbol tables of the images, of those that this process has loaded too.
 *   -EINVAL  there is no such frame */
PEBBLE_API int pebble_crash_frame(const struct pebble_crash *PEBBLE_NONNULL crash, size_t number,
                                  struct pebble_frame *PEBBLE_NONNULL ret_frame);

PEBBLE_END_DECLS
#endif
