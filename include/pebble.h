/* SPDX-License-Identifier: Apache-2.0
 *
 * libcpebble: functions of this program, run in killable worker processes.
 *
 * Reading order:
 *   pebble/function.h  what a task function is: bytes in, bytes out, one call
 *   pebble/pool.h      a pool of worker processes: schedule, close, stop, join
 *   pebble/nodes.h     the same on several machines
 *   pebble/slurm.h     the same on a cluster that Slurm runs
 *   pebble/threads.h   the same on threads of this process
 *   pebble/future.h    the handle of one scheduled job: wait, cancel, callbacks
 *   pebble/outcome.h   what became of a job; every job gets exactly one outcome
 *   pebble/crash.h     what a worker could record of its crash
 *   pebble/backtrace.h  where it was, with names
 *   pebble/map.h       a function over many inputs
 *   pebble/worker.h    what code can ask about the process that it runs in
 *   pebble/queue.h     queues between threads, and waiting for several at once
 *   pebble/thread.h    single threads, and waiting for several at once
 *   pebble/update.h    what jobs say while they run
 *   pebble/sig.h       signals on an ordinary thread, or from a descriptor
 *   pebble/version.h   which library this is
 *
 * Conventions. Every fallible call returns 0 (or a positive answer) or a
 * negative errno value; it never prints, exits, raises a signal or touches the
 * program's own children. Out-parameters come last, are named ret_x, and are
 * written only on success. Times are int64_t nanoseconds on CLOCK_MONOTONIC;
 * PEBBLE_FOREVER waits without limit. Unless a declaration says otherwise a
 * function may be called from any thread, but from no signal handler. */
#ifndef PEBBLE_H
#define PEBBLE_H

#include "pebble/defs.h"
#include "pebble/version.h"
#include "pebble/function.h"
#include "pebble/backtrace.h"
#include "pebble/crash.h"
#include "pebble/outcome.h"
#include "pebble/future.h"
#include "pebble/pool.h"
#include "pebble/nodes.h"
#include "pebble/slurm.h"
#include "pebble/threads.h"
#include "pebble/map.h"
#include "pebble/worker.h"
#include "pebble/queue.h"
#include "pebble/thread.h"
#include "pebble/update.h"
#include "pebble/sig.h"

#endif
