/* SPDX-License-Identifier: Apache-2.0
 * Backtraces: where a worker crashed, was stuck, or threw an error. */
#ifndef PEBBLE_BACKTRACE_H
#define PEBBLE_BACKTRACE_H

#include "defs.h"

PEBBLE_BEGIN_DECLS

/* Read-only, and safe from any thread. It holds places in images (executables
 * and shared libraries), not addresses, and so means the same in all processes
 * of a program. */
typedef struct pebble_backtrace pebble_backtrace;

/* A frame of a backtrace. Strings belong to the backtrace. */
struct pebble_frame {
    const char *PEBBLE_NULLABLE function; /* demangled; NULL when the symbol table of the image has none */
    uint64_t function_offset;             /* from where that begins */
    const char *PEBBLE_NONNULL image;     /* the path of the executable or shared library; "" when in none */
    uint64_t offset;                      /* in it, as addr2line(1) takes it; without an image, the address itself */
    const void *PEBBLE_NULLABLE address;  /* the same place in this process; NULL when it has not loaded the image */
    bool machinery;                       /* it is of Pebble itself, or of the runtime's throwing */
    bool interrupted;                     /* it is where a signal came, not a return address */
};

/* How many frames it has: 0 to 64. */
PEBBLE_API size_t pebble_backtrace_length(const pebble_backtrace *PEBBLE_NONNULL backtrace);

/* Whether there were more, outer, frames. */
PEBBLE_API bool pebble_backtrace_truncated(const pebble_backtrace *PEBBLE_NONNULL backtrace);

/* The frame with that number, the innermost first, up to the task function. The
 * first call for a backtrace reads the symbol tables of the images, of those
 * that this process has loaded too.
 *   -EINVAL  there is no such frame */
PEBBLE_API int pebble_backtrace_frame(const pebble_backtrace *PEBBLE_NONNULL backtrace, size_t number,
                                      struct pebble_frame *PEBBLE_NONNULL ret_frame);

/* A thread of a worker that was stuck. Belongs to its outcome; fields are only added at the end. */
struct pebble_stack {
    int thread;       /* the kernel's id of it */
    bool main_thread; /* whether it is the one that runs task functions */
    const char *PEBBLE_NONNULL name;
    const pebble_backtrace *PEBBLE_NONNULL backtrace; /* empty when it did not answer in time */
};

#define PEBBLE_BACKTRACE_SIZE 8192 /* bytes, more than any encoded backtrace has */

/* Writes return addresses, the innermost first, such as those of backtrace(3),
 * as bytes that another process of the program can decode: for a task function
 * that tells where its error arose. Those above 64 are left out. Returns the
 * length, 0 when `size` does not suffice. */
PEBBLE_API size_t pebble_backtrace_encode(void *PEBBLE_NONNULL const *PEBBLE_NONNULL addresses, size_t count,
                                          void *PEBBLE_NONNULL buffer, size_t size);

/* The backtrace in such bytes, which may come from anywhere. The caller owns it.
 *   -EBADMSG  they are not those of a backtrace
 *   -ENOMEM */
PEBBLE_API int pebble_backtrace_decode(const void *PEBBLE_NONNULL bytes, size_t length,
                                       pebble_backtrace *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_backtrace);

/* Frees a backtrace of pebble_backtrace_decode. NULL is ignored. */
PEBBLE_API void pebble_backtrace_free(pebble_backtrace *PEBBLE_NULLABLE backtrace);

PEBBLE_END_DECLS
#endif
