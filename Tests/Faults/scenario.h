/* SPDX-License-Identifier: Apache-2.0
 * Some of everything that the library does, for any of its calls to fail in. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "faults.h"

/* Makes pools of that start method, threads, queues and signal handlers, uses
 * them, and gives all of it back. With a fault, which it arms in the beginning
 * and disarms before the end, a call may fail as its header says, and a job may
 * have the outcome that this leads to; but each has one, and whatever was made
 * works again in the end. Without one, nothing may fail. Ends the process with a
 * message when it is otherwise. Returns how many calls failed. */
unsigned scenario_run(int method, const struct fault *fault);

/* What the process has. */
enum holding {
    DESCRIPTORS,
    THREADS,
    LINKS, /* that are mapped */
    SERVERS,
    WORKERS,
    BLOCKS, /* of memory, of the library's */
    SERVER_BLOCKS,
    HOLDINGS,
};

struct holdings {
    long counts[HOLDINGS];
};

struct holdings holdings_now(void);

/* Waits until it has no more than that of anything, for what is on its way to an
 * end; and ends the process with a message when it still has. */
void holdings_expect(const struct holdings *most);

/* Ends the process with a message. */
_Noreturn void scenario_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
