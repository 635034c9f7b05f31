/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "reopen.h"
#include "mainqueue.h"
#include "sig.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define OF_SECCOMP 1 /* si_code: SYS_SECCOMP, which glibc does not have */
#define PATH_SIZE 64

static struct sigaction before;

bool pb_reopen_is_needed(void)
{
    return pb_mainqueue_exists();
}

/* Of the system call that was stopped: its arguments, and where its result goes. */
static void read_call(const ucontext_t *context, unsigned long arguments[4])
{
#if defined(__x86_64__)
    static const int registers[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10};
    for (size_t i = 0; i < PB_COUNT(registers); i++)
        arguments[i] = (unsigned long)context->uc_mcontext.gregs[registers[i]];
#else
    for (size_t i = 0; i < 4; i++)
        arguments[i] = context->uc_mcontext.regs[i];
#endif
}

static void write_result(ucontext_t *context, long result)
{
#if defined(__x86_64__)
    context->uc_mcontext.gregs[REG_RAX] = result;
#else
    context->uc_mcontext.regs[0] = (unsigned long)result;
#endif
}

/* "/proc/ID/stat" as "/proc/self/task/ID/stat"; other paths as they are. */
static const char *path_of(const char *path, char room[PATH_SIZE])
{
    static const char root[] = "/proc/", file[] = "/stat";
    if (strncmp(path, root, sizeof root - 1) != 0) return path;
    const char *id = path + sizeof root - 1;
    size_t digits = strspn(id, "0123456789");
    if (digits == 0 || digits > 10 || strcmp(id + digits, file) != 0) return path;
    strlcpy(room, "/proc/self/task/", PATH_SIZE);
    strlcat(room, id, PATH_SIZE);
    return room;
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    if (info->si_code == OF_SECCOMP && info->si_syscall == SYS_openat) {
        int saved = errno;
        char room[PATH_SIZE];
        unsigned long call[4];
        read_call(context, call);
        const char *path = path_of((const char *)call[1], room);
        long fd = syscall(SYS_openat, call[0], path, call[2], call[3], 0UL, (unsigned long)PB_REOPENED);
        write_result(context, fd < 0 ? -errno : fd);
        errno = saved;
    } else if (before.sa_flags & SA_SIGINFO) {
        before.sa_sigaction(signal, info, context);
    } else {
        pb_sig_default(signal);
        pb_sig_again(signal, info);
    }
}

void pb_reopen_install(void)
{
    pb_sig_catch(SIGSYS, on_signal, &before);
}
