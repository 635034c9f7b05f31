/* SPDX-License-Identifier: Apache-2.0
 * Linked around a few calls, so that what servers and workers have counted is not
 * lost when they leave by _exit, exec or a crash. Then they count anew: a process
 * that shares memory with its parent until it execs leaves the parent's alone. */
#include <fcntl.h>
#include <gcov.h>
#include <stdbool.h>
#include <unistd.h>

_Noreturn void __wrap__exit(int code);
_Noreturn void __real__exit(int code);
int __wrap_execve(const char *path, char *const arguments[], char *const variables[]);
int __real_execve(const char *path, char *const arguments[], char *const variables[]);
int __wrap_execvp(const char *file, char *const arguments[]);
int __real_execvp(const char *file, char *const arguments[]);
void __wrap_pb_sig_default(int signal);
void __real_pb_sig_default(int signal);

/* A confined worker cannot, and would say so where a test reads what it writes. */
static bool can_save(void)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static void save(void)
{
    if (!can_save()) return;
    __gcov_dump();
    __gcov_reset();
}

void __wrap__exit(int code)
{
    save();
    __real__exit(code);
}

int __wrap_execve(const char *path, char *const arguments[], char *const variables[])
{
    save();
    return __real_execve(path, arguments, variables);
}

int __wrap_execvp(const char *file, char *const arguments[])
{
    save();
    return __real_execvp(file, arguments);
}

/* What a worker does last when it crashes. */
void __wrap_pb_sig_default(int signal)
{
    save();
    __real_pb_sig_default(signal);
}
