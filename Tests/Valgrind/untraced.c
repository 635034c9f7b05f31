/* SPDX-License-Identifier: Apache-2.0
 * Linked around a few calls of the host when it runs under valgrind, so that its
 * servers and workers do not: valgrind (3.19) refuses system calls about pidfds,
 * and what it takes for the link to the running image is valgrind itself. */
#include "stream.h"

#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <valgrind/valgrind.h>

long __wrap_syscall(long number, ...);
long __real_syscall(long number, ...);
int __wrap_execve(const char *path, char *const arguments[], char *const variables[]);
int __real_execve(const char *path, char *const arguments[], char *const variables[]);
_Noreturn void __wrap__exit(int code);
_Noreturn void __real__exit(int code);

static char image[PATH_MAX];

__attribute__((constructor)) static void find_image(void)
{
    if (readlink("/proc/self/exe", image, sizeof image - 1) < 0) image[0] = '\0';
}

/* By a program that valgrind does not run. */
static int open_pidfd(pid_t pid)
{
    int ends[2];
    char text[16], name[] = PIDFD_HELPER, *arguments[] = {name, text, NULL};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return -1;
    snprintf(text, sizeof text, "%d", pid);
    pid_t helper = _Fork(); /* without the handlers of the library, which has its lock */
    if (helper == 0) {
        dup2(ends[1], STDIN_FILENO);
        execv(name, arguments);
        kill(getpid(), SIGKILL);
    }
    close(ends[1]);
    int fd = pb_stream_receive_fd(ends[0]);
    close(ends[0]);
    waitpid(helper, NULL, 0);
    errno = ESRCH;
    return fd < 0 ? -1 : fd;
}

static long send_signal(int pidfd, int signal, long flags)
{
    char path[64], line[64];
    int pid = -1;
    errno = EINVAL;
    if (flags) return -1; /* to a group: as kernels before 6.9 */
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    FILE *info = fopen(path, "re");
    while (info && pid < 0 && fgets(line, sizeof line, info))
        sscanf(line, "Pid: %d", &pid);
    if (info) fclose(info);
    errno = ESRCH;
    return pid > 0 ? kill(pid, signal) : -1;
}

/* In a fork, in which what other threads of its parent held is lost. */
static void look_for_no_leaks(void)
{
    if (RUNNING_ON_VALGRIND) VALGRIND_CLO_CHANGE("--leak-check=no");
}

long __wrap_syscall(long number, ...)
{
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (RUNNING_ON_VALGRIND && number == SYS_pidfd_open) return open_pidfd((pid_t)a[0]);
    if (RUNNING_ON_VALGRIND && number == SYS_pidfd_send_signal) return send_signal((int)a[0], (int)a[1], a[3]);
    if (number == SYS_exit_group) look_for_no_leaks(); /* a process between the host and its server, to valgrind a fork */
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

void __wrap__exit(int code)
{
    look_for_no_leaks();
    __real__exit(code);
}

int __wrap_execve(const char *path, char *const arguments[], char *const variables[])
{
    bool self = RUNNING_ON_VALGRIND && strcmp(path, "/proc/self/exe") == 0;
    return __real_execve(self ? image : path, arguments, variables);
}
