/* SPDX-License-Identifier: Apache-2.0
 * A process as one value: its pid for people, its pidfd for the kernel. */
#ifndef PB_PROC_H
#define PB_PROC_H

#include "compat.h"

#include <sys/types.h>

/* Unset: {0, -1}. A pidfd, once there, cannot come to mean another process. */
struct pb_proc {
    pid_t pid;
    int pidfd;
};
#define PB_PROC_NONE ((struct pb_proc){0, -1})

/* How a child ended, and what it used. */
struct pb_exit {
    pid_t pid;
    int code;            /* what it exited with; -1 when a signal ended it */
    int signal;          /* the signal; 0 when it exited */
    int64_t cpu_time;    /* ns, user and system */
    int64_t peak_memory; /* bytes */
};

PB_HIDDEN_BEGIN

/* A new pidfd (close-on-exec), or -errno. */
int pb_pidfd_open(pid_t pid);

/* SIGKILL, or SIGTERM. 0, or -ESRCH when it is unset or gone. */
int pb_proc_kill(const struct pb_proc *proc);
int pb_proc_terminate(const struct pb_proc *proc);

/* Sends another signal. The same. */
int pb_proc_signal(const struct pb_proc *proc, int signal);

/* Sends SIGKILL to its process group as well, also when it is gone itself. -EINVAL: the kernel is older than 6.9. */
int pb_proc_kill_group(const struct pb_proc *proc);

/* Whether it has ended, reaped or not; of one that is set. */
bool pb_proc_has_ended(const struct pb_proc *proc);

/* Closes the pidfd. */
void pb_proc_done(struct pb_proc *proc);

/* A child that has ended but is not reaped, without waiting. Its pid, 0 when
 * there is none, -errno (-ECHILD: no children). */
pid_t pb_child_ended(void);

/* Reaps that child: fills in *ret_exit. 0 or -errno. */
int pb_child_reap(pid_t pid, struct pb_exit *ret_exit);

/* Whether this process has one thread only, and so may go on after a fork as if nothing happened. */
bool pb_single_threaded(void);

/* In a process with one thread: sends SIGKILL to its children, but for those
 * that `spared`, unless NULL, spares. Whether it has any. */
bool pb_children_kill(bool (*spared)(pid_t pid));

PB_HIDDEN_END
#endif
