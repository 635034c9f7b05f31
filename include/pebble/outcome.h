/* SPDX-License-Identifier: Apache-2.0
 * Outcomes: what became of a job. Every job gets exactly one. */
#ifndef PEBBLE_OUTCOME_H
#define PEBBLE_OUTCOME_H

#include "crash.h"
#include "defs.h"

PEBBLE_BEGIN_DECLS

enum pebble_status {
    PEBBLE_SUCCESS,   /* the function returned 0: data, length */
    PEBBLE_FAILURE,   /* it returned something else: code, data, length */
    PEBBLE_TIMEOUT,   /* a limit expired: limit, limit_length */
    PEBBLE_CANCELLED, /* by pebble_future_cancel: started tells whether it had begun */
    PEBBLE_EXPIRED,   /* the worker died in it: exit_code or exit_signal, pid, crash, cpu_time, peak_memory */
    PEBBLE_NOT_RUN,   /* it never began: cause, error */
    PEBBLE_NODE_LOST, /* the node that had it was lost, and nobody knows what became of it there: node */
};
#define PEBBLE_STATUSES 7 /* how many there are */

/* Which limit of pebble_job_options ended a job. */
enum pebble_limit {
    PEBBLE_LIMIT_NONE,
    PEBBLE_LIMIT_TIMEOUT,       /* the running time */
    PEBBLE_LIMIT_QUEUE_TIMEOUT, /* the waiting time */
    PEBBLE_LIMIT_DEADLINE,      /* both together */
};

/* Why a job never began. */
enum pebble_cause {
    PEBBLE_CAUSE_NONE,
    PEBBLE_CAUSE_STOPPED,     /* the pool was stopped first */
    PEBBLE_CAUSE_START,       /* no worker could be started; error: the errno value */
    PEBBLE_CAUSE_NO_ENTRY,    /* the worker never reached Pebble's entry point: see pebble(3), "Limitations" */
    PEBBLE_CAUSE_INITIALIZER, /* the workers' initializer fails; code, data, or pid and exit_code or exit_signal, are its own */
    PEBBLE_CAUSE_NO_FUNCTION, /* the worker does not have the function: its image differs from the host's */
    PEBBLE_CAUSE_NODE,        /* no node could be started, or it did not speak; error: the errno value, or 0 */
    PEBBLE_CAUSE_OTHER_PROGRAM, /* what is started on a node is another build of the program */
    PEBBLE_CAUSE_CONFINEMENT, /* no worker could be confined; error: that of opening one of readable_paths, EBUSY (the
                               * initializer has left threads behind, or used a pool of processes), or ENOTSUP */
};

/* Read-only; fields are only ever added at the end. Belongs to its future. */
struct pebble_outcome {
    enum pebble_status status;
    int code;                /* FAILURE: what the function returned; or, with no data, -ENOMEM or -EFBIG:
                              * what it sent did not fit into memory, the worker's or this process's, or into max_payload */
    const void *PEBBLE_NULLABLE data; /* SUCCESS, FAILURE: the reply; NULL when length is 0 */
    size_t length;           /* bytes of data */
    bool started;            /* whether a worker had begun to run it */
    int64_t wait_time;       /* ns from schedule to its (last) start, or to its end when it never began */
    int64_t run_time;        /* ns from its start to its end, as the host saw it; 0 when it never began */
    int pid;                 /* of the worker that ran it; 0 when it never began */
    enum pebble_limit limit; /* TIMEOUT */
    int64_t limit_length;    /* TIMEOUT: that limit, in ns */
    enum pebble_cause cause; /* NOT_RUN */
    int error;               /* NOT_RUN: an errno value (positive), or 0 */
    int exit_code;           /* EXPIRED: what it exited with, 0 included; -1 when a signal ended it, or unknown */
    int exit_signal;         /* EXPIRED: the signal that ended it; 0 when it exited, or unknown */
    int64_t cpu_time;        /* EXPIRED: ns of CPU the worker used in its whole life, user and system */
    int64_t peak_memory;     /* EXPIRED: bytes, the worker's largest resident set */
    unsigned deaths;         /* workers that died in it by themselves, the last of EXPIRED among them; and nodes */
    bool poisonous;          /* EXPIRED, NODE_LOST: it was given up with retries left, after max_deaths */
    const struct pebble_crash *PEBBLE_NULLABLE crash; /* EXPIRED by a signal: what the worker recorded of it; NULL: nothing.
                              * For SIGSEGV that is likely a stack overflow on a thread that the job had started */
    uint64_t lost_updates;   /* for which there was no room in their queue, or no memory */
    bool likely_oom;         /* EXPIRED by SIGKILL: Pebble sent none, and since at most a second before it began the kernel
                              * killed for want of memory, in the host's control group (where that cannot be read: on the
                              * machine). Whom is not told; each such kill counts for one job of the pool at most */
    const char *PEBBLE_NULLABLE output_tail; /* EXPIRED, TIMEOUT: what it last wrote to its stderr, with a NUL behind, where
                              * that is captured and it had begun; with CAUSE_INITIALIZER what that wrote; else NULL */
    size_t output_tail_length;
    const char *PEBBLE_NULLABLE node; /* where it was, in a pool with nodes; NULL: on this machine, or nowhere */
    const struct pebble_stack *PEBBLE_NULLABLE stacks; /* TIMEOUT, of a job that had begun, where the pool has a stack_dump:
                              * the threads of its worker, up to 64, the main one first; NULL: it gave none in time */
    size_t stack_count;
};

/* "success", "timed out", ...; static storage. */
PEBBLE_API const char *PEBBLE_NONNULL pebble_status_string(enum pebble_status status);

/* A cause in words; static storage. */
PEBBLE_API const char *PEBBLE_NONNULL pebble_cause_string(enum pebble_cause cause);

/* "SIGSEGV" for 11, ...; "SIG?" for a number that is none; static storage. */
PEBBLE_API const char *PEBBLE_NONNULL pebble_signal_name(int signal);

/* Writes one line about the outcome, e.g. "worker 4711 crashed: SIGABRT after
 * 12 ms: division.c:7: divide: Assertion `b' failed.", truncated to `size`
 * bytes with its NUL. Returns the length of the whole line, as snprintf(3) does. */
PEBBLE_API int pebble_outcome_describe(const struct pebble_outcome *PEBBLE_NONNULL outcome,
                                       char *PEBBLE_NULLABLE buffer, size_t size);

/* The same, followed by a line for each frame of the backtrace, or of the stacks,
 * where there are any: without those of Pebble itself. It ends without a newline. */
PEBBLE_API int pebble_outcome_report(const struct pebble_outcome *PEBBLE_NONNULL outcome,
                                     char *PEBBLE_NULLABLE buffer, size_t size);

PEBBLE_END_DECLS
#endif
