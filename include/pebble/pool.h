/* SPDX-License-Identifier: Apache-2.0
 * Process pools. */
#ifndef PEBBLE_POOL_H
#define PEBBLE_POOL_H

#include "defs.h"
#include "function.h"
#include "future.h"
#include "queue.h"
#include "update.h"

PEBBLE_BEGIN_DECLS

/* Reference-counted; every call is safe from any thread of the process that
 * made the pool. Dropping the last reference stops it. */
typedef struct pebble_pool pebble_pool;

/* How workers come to be. Under both, a worker is a child of the fork server,
 * never of the program: wait(2) and SIGCHLD know nothing of it. */
enum pebble_start_method {
    PEBBLE_FORK_SERVER, /* forked, ready in a fraction of a millisecond */
    PEBBLE_SPAWN,       /* a fresh exec of the program for each, for code that cannot live in a forked image */
};

/* What becomes of what workers write to their stdout or stderr. */
enum pebble_output {
    PEBBLE_INHERIT, /* it goes where the program's own goes */
    PEBBLE_DISCARD, /* it goes to /dev/null */
    PEBBLE_CAPTURE, /* it is read: on_output, output_tail */
};

/* What a worker wrote. Valid during the call; fields are only added at the end. */
struct pebble_output_line {
    int stream;                     /* 1: stdout; 2: stderr */
    int pid;
    const char *PEBBLE_NONNULL job; /* the name of the job that ran; "" between jobs, and for one without a name */
    const char *PEBBLE_NONNULL text; /* without its newline, with a NUL behind; there may be others in it */
    size_t length;
    bool partial; /* no newline came behind it: it is longer than 64 KiB and goes on, or its job ended there */
};

typedef void (*pebble_output_function)(const struct pebble_output_line *PEBBLE_NONNULL line,
                                       void *PEBBLE_NULLABLE arg);

/* A task function to be run when a worker starts or leaves; none when it is NULL. */
struct pebble_procedure {
    pebble_function PEBBLE_NULLABLE function;
    const void *PEBBLE_NULLABLE input; /* copied when the pool is made */
    size_t length;
};

/* What a worker process may use, besides what the program itself may not: a
 * limit is never raised. Zero in a field: no further limit. What a job starts
 * inherits them, but for core_size. */
struct pebble_worker_limits {
    uint64_t address_space; /* bytes (RLIMIT_AS): of all it has mapped, the program's own libraries among it */
    uint64_t cpu_time;      /* s of processor time in its whole life (RLIMIT_CPU): it ends with SIGXCPU */
    uint64_t open_files;    /* descriptors (RLIMIT_NOFILE) */
    /* Bytes of a core file; zero: none is written. It is the worker's own limit, set (RLIMIT_CORE) as it crashes: what
     * a job starts has the program's. It does not hold where no crash can be recorded: see pebble/crash.h. */
    uint64_t core_size;
    int nice;               /* 0 to 19, added to the program's own */
    bool no_new_privileges; /* it cannot gain any by an exec (PR_SET_NO_NEW_PRIVS) */
};

#define PEBBLE_NO_SPARES (-1)

/* Zero in a field means its default. */
struct pebble_pool_config {
    unsigned max_workers;    /* that work at once; default: the CPUs that this process may use */
    uint64_t max_tasks;      /* jobs after which a worker is replaced; default: no limit */
    int64_t max_age;         /* ns after which it is, when it has no job; default: no limit */
    uint64_t max_memory;     /* bytes of resident memory above which it is, after a job; default: no limit */
    int64_t idle_timeout;    /* ns after which a worker without a job is let go; default: never */
    const char *PEBBLE_NULLABLE name; /* shown in process titles, copied; default: "pool" */
    enum pebble_start_method start_method;
    uint64_t max_payload;    /* bytes that an input or a reply may have; default: 16 GiB */
    unsigned max_deaths;     /* workers that one job may take with it, whatever its retries; default: 3 */
    int64_t start_timeout;   /* ns a worker may take from its start to being ready; default: 10 s */
    size_t max_queued;       /* jobs that may wait; default: as many as there is memory for */
    int64_t full_timeout;    /* ns that pebble_pool_schedule waits for room among them; default: it does not */
    /* ns that a job which has timed out, was cancelled or stopped may have to return
     * before its worker is sent SIGTERM, and from then until SIGKILL. It has its
     * outcome already; in the function pebble_call_cancelled is true. A worker whose
     * function returns before SIGTERM takes jobs again; meanwhile it does not count
     * among max_workers. Default: none, the worker is killed at once. */
    int64_t grace;
    enum pebble_output stdout_to, stderr_to; /* default: inherited */

    /* Called for each line of what is captured, one at a time, on a thread of the
     * pool of its own: for those of a job before the callbacks of
     * pebble_future_on_done, and for all before pebble_pool_join returns. When it
     * falls behind by 1 MiB of what a worker wrote, that worker waits in its
     * writing, and no job begins while it is as far behind with all of them. So it
     * may block, but it must not wait for a job of the pool. Without it only the
     * tail of stderr is kept. */
    pebble_output_function PEBBLE_NULLABLE on_output;
    void *PEBBLE_NULLABLE output_arg;
    size_t output_tail; /* bytes of a job's stderr that are kept for its outcome, up to 16 MiB; default: 4096 */

    /* Run in each worker before its first job, within start_timeout. When it
     * returns something else than 0, or its worker dies in it, that is a failed
     * start: it is tried again, ever more slowly, and after three in a row with
     * no other worker left the waiting jobs end with PEBBLE_CAUSE_INITIALIZER. */
    struct pebble_procedure initializer;
    /* Run in each worker that leaves in peace (because of max_tasks, or as the
     * pool is closed), for up to 3 s; not in one that is killed or dies. */
    struct pebble_procedure finalizer;

    struct pebble_worker_limits limits;

    /* Workers to have ready besides those at work, even beyond max_workers: so
     * that a job need not wait until one that died, was killed or has done its
     * tasks is replaced. Kept from the first time that this happens, until one
     * was let go because of idle_timeout or max_age, or could not be started;
     * then until the next time. Default: 1; PEBBLE_NO_SPARES: none. */
    int spare_workers;

    /* Workers do not remember where Swift errors are thrown (pebble_thrown). To
     * do so costs some 20 ns a throw, and some microseconds where the throw
     * before was another. */
    bool no_throw_backtraces;

    /* ns that a job which is over its timeout or deadline may be left for a dump
     * of the stacks of its worker's threads (`stacks` in the outcome): the limit
     * strikes when that is complete, mostly within 2 ms, and after this time at
     * the latest. When it returns meanwhile, that counts. Workers are sent SIGPROF
     * for it, which interrupts system calls; one that blocks it, or catches it,
     * gives none. Default: no dump, limits strike at once. */
    int64_t stack_dump;

    /* The Swift runtime's own crash reporter is left in workers as the program's
     * environment has it (SWIFT_BACKTRACE), instead of off. It writes to stderr,
     * after the library has recorded the crash, and takes 10 to 30 ms or more.
     * With PEBBLE_SPAWN only: it belongs to the start of a program. */
    bool swift_backtrace;

    /* Keeps jobs, for ever and with all their threads, from all that the program's
     * user may but computing takes: files; other programs and processes (fork, exec,
     * signals, tracing); sockets; changes of its rights, limits or surroundings; pools
     * of worker processes of its own. For code that decodes what others send, and may
     * be taken over by it. A worker can still compute, have threads, and use what it
     * has open; crash records, captured output, limits and cancels work as ever. What
     * is refused fails with EPERM, EACCES, or ENOSYS where libraries have another way.
     *
     * It holds from the end of the initializer on, which so may open files and load
     * libraries: functions of jobs must be in images that are loaded by then. It must
     * leave no threads behind, nor use pools of processes. The finalizer is confined. */
    bool confined;
    /* Absolute paths, ended with NULL, that confined jobs can read, with what is below
     * them; names and sizes of other files they can then ask for too. Up to 32, of up
     * to 4095 bytes together; copied. Default: none. */
    const char *PEBBLE_NULLABLE const *PEBBLE_NULLABLE readable_paths;

    /* ns that each worker waits for a debugger, besides start_timeout, before it
     * does anything else. It goes on when one is attached, or the time is over.
     * Meanwhile its title ends in "waiting for a debugger":
     *     gdb -p $(pgrep -nf 'waiting for a debugger')
     * Whoever debugs takes time, so jobs should have no limits then. Default: what
     * the environment's PEBBLE_DEBUGGER_TIME says, in seconds (1 to 86400); or no
     * time at all. */
    int64_t debugger_time;
};

/* Higher ones are begun first, equal ones in the order of their scheduling. */
#define PEBBLE_PRIORITY_MIN (-16)
#define PEBBLE_PRIORITY_MAX 15

/* Zero in a field means no limit, no name. */
struct pebble_job_options {
    int64_t timeout;       /* ns it may run */
    int64_t queue_timeout; /* ns it may wait for a worker */
    int64_t deadline;      /* ns it may wait and run together */
    const char *PEBBLE_NULLABLE name; /* shown in process titles while it runs; copied */
    /* How often it may be run again when its worker died in it (PEBBLE_EXPIRED)
     * or its node was lost, behind the jobs that wait then. timeout and queue_timeout begin anew each
     * time, deadline does not. For functions that may be run more than once. */
    unsigned retries;
    /* Where what the job says while it runs (pebble_call_update) is put: struct
     * pebble_update each, in order, all of them before the job has its outcome,
     * also when its worker dies after it. A reference is taken until then; the
     * queue is not closed. One that is full or closed does not hold the job up:
     * the update is dropped and counted (lost_updates). Nothing comes after a
     * limit, cancel or stop has ended the job. Each try sends its own. */
    pebble_queue *PEBBLE_NULLABLE updates;
    int priority;          /* PEBBLE_PRIORITY_MIN to PEBBLE_PRIORITY_MAX, of the jobs that wait */
};

/* Makes a pool. Workers are started when there is work for them.
 * `config` may be NULL: all defaults.
 *   -EINVAL  a limit is negative, max_workers is above 65536, spare_workers is not -1 to 65536, output_tail
 *            is above 16 MiB, limits.nice is not 0 to 19, swift_backtrace is without PEBBLE_SPAWN,
 *            readable_paths are not as they must be, or an enum has none of its values
 *   -ENOTSUP  this kernel cannot confine workers (it has no seccomp(2), or no landlock(7): Linux 5.13)
 *   -EFAULT  initializer or finalizer lies in no image of this process
 *   -EFBIG   the input of one of them is larger than max_payload
 *   -ENOMEM, -EMFILE, -ENFILE, -EAGAIN, -ENOSPC  no memory, descriptor, thread or epoll(7) watch left
 *   -ELOOP   pools inside jobs are nested too deep (8)
 *   -ECHILD  this process was forked, without exec, from one that uses Pebble */
PEBBLE_API int pebble_pool_new(const struct pebble_pool_config *PEBBLE_NULLABLE config,
                               pebble_pool *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_pool);

/* Adds a reference and returns the pool. */
PEBBLE_API pebble_pool *PEBBLE_NONNULL pebble_pool_ref(pebble_pool *PEBBLE_NONNULL pool);

/* Gives back a reference; the last one stops the pool as pebble_pool_stop does
 * and returns without waiting. NULL is ignored. */
PEBBLE_API void pebble_pool_unref(pebble_pool *PEBBLE_NULLABLE pool);

/* Schedules function(input) and returns at once. The input is copied.
 * `options` may be NULL. The caller owns *ret_future.
 *   -EINVAL   a limit is negative, or the priority out of its range
 *   -EFAULT   `function` lies in no image of this process
 *   -EFBIG    the input is larger than max_payload
 *   -ESHUTDOWN  the pool is closed or stopped, or was while this waited for room
 *   -EAGAIN   max_queued jobs wait, and full_timeout is 0
 *   -ETIMEDOUT  there was no room in full_timeout
 *   -EDEADLK  there is none, and an inline callback of the pool cannot wait for it
 *   -ENOEXEC  the pool is broken: its workers cannot reach Pebble's entry point
 *   -ECHILD   this process is a fork of the one that made the pool
 *   -ENOMEM */
PEBBLE_API int pebble_pool_schedule(pebble_pool *PEBBLE_NONNULL pool, pebble_function PEBBLE_NONNULL function,
                                    const void *PEBBLE_NULLABLE input, size_t length,
                                    const struct pebble_job_options *PEBBLE_NULLABLE options,
                                    pebble_future *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_future);

/* Bytes that a caller has somewhere. */
struct pebble_part {
    const void *PEBBLE_NULLABLE data;
    size_t length;
};

/* The same, with an input that is these parts one after the other, as a caller
 * has them who would else copy them into one place first. `parts` may be NULL
 * when there are none. The errors of pebble_pool_schedule. */
PEBBLE_API int pebble_pool_schedule_parts(pebble_pool *PEBBLE_NONNULL pool, pebble_function PEBBLE_NONNULL function,
                                          const struct pebble_part *PEBBLE_NULLABLE parts, size_t count,
                                          const struct pebble_job_options *PEBBLE_NULLABLE options,
                                          pebble_future *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_future);

/* Between these two, jobs that the calling thread schedules in the pool one right
 * after the other are taken in together, which costs fewer wake-ups: up to 32 of
 * them, and no later than at the end, so whatever takes its time does not belong
 * in between. Batches of one pool may be nested; of several pools, only the first
 * one's jobs are taken in so. The pool must be valid until the end. */
PEBBLE_API void pebble_pool_begin_batch(pebble_pool *PEBBLE_NONNULL pool);
PEBBLE_API void pebble_pool_end_batch(pebble_pool *PEBBLE_NONNULL pool);

typedef void (*pebble_room_callback)(void *PEBBLE_NULLABLE arg);

/* Has `callback` called once, as soon as fewer than max_queued jobs wait or the
 * pool takes no more of them: at once on this thread, or on the one that makes
 * the room. Like that of pebble_future_on_done_inline it must not block. For
 * event loops, after a pebble_pool_schedule that answered -EAGAIN; others may be
 * faster, so it may do so again. 0, -ENOMEM, or
 *   -ECHILD  this process is a fork of the one that made the pool */
PEBBLE_API int pebble_pool_on_room(pebble_pool *PEBBLE_NONNULL pool, pebble_room_callback PEBBLE_NONNULL callback,
                                   void *PEBBLE_NULLABLE arg);

/* Whether the pool takes or still has work: true until it is stopped, broken,
 * or closed with nothing left to do. */
PEBBLE_API bool pebble_pool_active(const pebble_pool *PEBBLE_NONNULL pool);

/* No more jobs; those there are run to their end. Repeating it is harmless. */
PEBBLE_API void pebble_pool_close(pebble_pool *PEBBLE_NONNULL pool);

/* No more jobs, running ones are killed after the pool's grace (PEBBLE_CANCELLED), waiting ones never
 * run (PEBBLE_NOT_RUN, PEBBLE_CAUSE_STOPPED). Returns without waiting for the
 * processes. Repeating it is harmless. */
PEBBLE_API void pebble_pool_stop(pebble_pool *PEBBLE_NONNULL pool);

/* Waits up to `timeout` ns until a closed or stopped pool has come to rest:
 * every job has its outcome, every worker is gone, every callback has returned.
 *   -EBUSY      the pool was neither closed nor stopped
 *   -ETIMEDOUT  not yet; it may be joined again, or stopped and joined
 *   -EDEADLK    called from one of the pool's own callbacks
 *   -EINVAL     `timeout` is negative
 *   -ECHILD     this process is a fork of the one that made the pool */
PEBBLE_API int pebble_pool_join(pebble_pool *PEBBLE_NONNULL pool, int64_t timeout);

/* Changes the most workers that work at one time. Those above it, and above the
 * spares, end when they have no job; nothing that runs is disturbed.
 * 0, -EINVAL (0, or above 65536), or -ENOTSUP (a pool with nodes). */
PEBBLE_API int pebble_pool_resize(pebble_pool *PEBBLE_NONNULL pool, unsigned max_workers);

/* The most workers that work at one time, with the default filled in. */
PEBBLE_API unsigned pebble_pool_max_workers(const pebble_pool *PEBBLE_NONNULL pool);

/* What half, 90 % and 99 % of some durations do not exceed, to within 1/32, and the longest; ns. */
struct pebble_quantiles {
    int64_t p50, p90, p99, max;
};

/* Counts since the pool was made, and of now. Fields are only added at the end. */
struct pebble_pool_statistics {
    uint64_t queued, running;            /* jobs, now */
    uint64_t done;                       /* outcomes so far, of all kinds */
    uint64_t workers;                    /* processes, now */
    uint64_t started;                    /* workers started so far */
    uint64_t expired;                    /* of those, died in a job by themselves */
    uint64_t killed;                     /* of those, killed for a timeout, a cancel or a stop */
    uint64_t idle_deaths;                /* of those, died between jobs */
    uint64_t retried;                    /* times that a job was to run again */
    uint64_t outcomes[PEBBLE_STATUSES];  /* of those done, by enum pebble_status */
    struct pebble_quantiles wait, run;   /* wait_time and run_time of the jobs that began and have ended */
};

/* A snapshot of one moment. */
PEBBLE_API void pebble_pool_get_statistics(const pebble_pool *PEBBLE_NONNULL pool,
                                           struct pebble_pool_statistics *PEBBLE_NONNULL ret_statistics);

PEBBLE_END_DECLS
#endif
