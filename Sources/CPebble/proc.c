/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "proc.h"
#include "clock.h"
#include "fd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNAL_PROCESS_GROUP (1U << 2) /* PIDFD_SIGNAL_PROCESS_GROUP */

int pb_pidfd_open(pid_t pid)
{
    long fd = syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : (int)fd;
}

static int send_signal(const struct pb_proc *proc, int signal, unsigned flags)
{
    if (proc->pidfd < 0) return -ESRCH;
    return syscall(SYS_pidfd_send_signal, proc->pidfd, signal, NULL, flags) < 0 ? -errno : 0;
}

int pb_proc_signal(const struct pb_proc *proc, int signal)
{
    return send_signal(proc, signal, 0);
}

/* By the pidfd: the number may be another group's when the process was reaped. */
int pb_proc_kill_group(const struct pb_proc *proc)
{
    return send_signal(proc, SIGKILL, SIGNAL_PROCESS_GROUP);
}

int pb_proc_kill(const struct pb_proc *proc)
{
    return pb_proc_signal(proc, SIGKILL);
}

int pb_proc_terminate(const struct pb_proc *proc)
{
    return pb_proc_signal(proc, SIGTERM);
}

bool pb_proc_has_ended(const struct pb_proc *proc)
{
    struct pollfd polled = {.fd = proc->pidfd, .events = POLLIN};
    return poll(&polled, 1, 0) == 1;
}

void pb_proc_done(struct pb_proc *proc)
{
    pb_close(&proc->pidfd);
    proc->pid = 0;
}

pid_t pb_child_ended(void)
{
    siginfo_t info = {0};
    int rc;
    do
        rc = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL);
    while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : info.si_pid;
}

int pb_child_reap(pid_t pid, struct pb_exit *ret_exit)
{
    siginfo_t info = {0};
    struct rusage usage = {0};
    long rc;
    do /* the system call, since the function does not give the resource usage */
        rc = syscall(SYS_waitid, P_PID, pid, &info, WEXITED | __WALL, &usage);
    while (rc < 0 && errno == EINTR);
    if (rc < 0) return -errno;
    bool exited = info.si_code == CLD_EXITED;
    int64_t seconds = (int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
    int64_t microseconds = (int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    *ret_exit = (struct pb_exit){
        .pid = pid,
        .code = exited ? info.si_status : -1,
        .signal = exited ? 0 : info.si_status,
        .cpu_time = seconds * PB_SECOND + microseconds * 1000,
        .peak_memory = (int64_t)usage.ru_maxrss * 1024,
    };
    return 0;
}

/* A descriptor of the list of our children, which is kept: it is read at each death. */
static int list_of_children(void)
{
    static int list = -1;
    static pid_t owner;
    if (list >= 0 && owner == getpid()) return list;
    char path[64];
    owner = getpid();
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)owner);
    return list = open(path, O_RDONLY | O_CLOEXEC);
}

bool pb_children_kill(bool (*spared)(pid_t pid))
{
    static char text[64 * 1024]; /* more children than fit are seen the next time */
    long length = pread(list_of_children(), text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    bool any = false;
    char *next = text, *end;
    for (pid_t pid; length > 0 && (pid = (pid_t)strtol(next, &end, 10)) > 0 && *end == ' '; next = end) {
        any = true;
        if (!spared || !spared(pid)) kill(pid, SIGKILL);
    }
    return any;
}

bool pb_single_threaded(void)
{
    struct stat tasks;
    return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink == 3;
}
