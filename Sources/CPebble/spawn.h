/* SPDX-License-Identifier: Apache-2.0
 * New processes: the one place that forks, clones and execs. */
#ifndef PB_SPAWN_H
#define PB_SPAWN_H

#include "compat.h"
#include "boot.h"
#include "proc.h"

#include <sys/types.h>

PB_HIDDEN_BEGIN

/* Execs this program's own image as a fork server that is no child of this
 * process: neither wait(2) nor SIGCHLD will know of it. It gets `channel` and
 * `extra` as its boot descriptors and no other above stderr. A
 * PB_CONTROL_SPAWNED packet with its pid and pidfd, or with the error of the
 * exec, is sent through `channel` for this process to read at the other end.
 * 0, or -errno when not even that could be started. Safe in a threaded process. */
int pb_spawn_detached(struct pb_boot_env *env, int channel, int extra);

/* The report that came by then through `channel`, the other end of what a
 * pb_spawn_ was given. 0, or -errno, that of the exec among them. */
int pb_spawn_report(int channel, struct pb_proc *ret_proc);

/* Executes a command, found as the shell finds it, in the same way: with `stdio`,
 * which must be above stderr, for stdin and stdout, and no other descriptor
 * above stderr. The same report is sent through `channel`. */
int pb_spawn_command(char *const words[], int stdio, int channel);

/* fork(2). For the single-threaded server only. */
pid_t pb_spawn_fork(void);

/* In a new process: makes a and b the boot descriptors and closes all others above stderr. */
void pb_spawn_place_fds(int a, int b);

/* In a new process whose boot descriptors are in place: execs this program's
 * image as env says. Returns only on failure: -errno. */
int pb_spawn_exec_self(struct pb_boot_env *env);

PB_HIDDEN_END
#endif
