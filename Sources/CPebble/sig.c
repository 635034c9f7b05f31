/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "sig.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

void pb_sig_block_all(sigset_t *ret_old)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, ret_old);
}

void pb_sig_restore(const sigset_t *old)
{
    pthread_sigmask(SIG_SETMASK, old, NULL);
}

void pb_sig_reset(void)
{
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction action;
        /* Fails for SIGKILL, SIGSTOP and the two of the C library: they stay. */
        if (sigaction(signal, NULL, &action) < 0 || action.sa_handler == SIG_DFL) continue;
        action = (struct sigaction){.sa_handler = SIG_DFL};
        sigaction(signal, &action, NULL);
    }
    pb_sig_unblock_all();
}

void pb_sig_unblock_all(void)
{
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

void pb_sig_ignore(int signal)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigaction(signal, &action, NULL);
}

void pb_sig_block(const sigset_t *set, sigset_t *ret_old)
{
    pthread_sigmask(SIG_BLOCK, set, ret_old);
}

void pb_sig_unblock(const sigset_t *set)
{
    pthread_sigmask(SIG_UNBLOCK, set, NULL);
}

void pb_sig_catch(int signal, pb_sig_catcher catcher, struct sigaction *ret_previous)
{
    struct sigaction action = {.sa_sigaction = catcher, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    sigfillset(&action.sa_mask);
    sigaction(signal, NULL, ret_previous);
    sigaction(signal, &action, NULL);
}

void pb_sig_give_back(int signal, pb_sig_catcher catcher, const struct sigaction *previous)
{
    struct sigaction action;
    sigaction(signal, NULL, &action);
    if (action.sa_flags & SA_SIGINFO && action.sa_sigaction == catcher) sigaction(signal, previous, NULL);
}

void pb_sig_catch_crash(int signal, pb_sig_catcher catcher, bool over, struct sigaction *ret_previous)
{
    if (sigaction(signal, NULL, ret_previous) < 0 || ret_previous->sa_handler == SIG_IGN) return;
    if (ret_previous->sa_handler != SIG_DFL && !over) return;
    /* Caught even while it is being caught: a crash in the catcher is to end it. */
    struct sigaction action = {.sa_sigaction = catcher, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigaction(signal, &action, NULL);
}

void pb_sig_put_back(int signal, const struct sigaction *previous)
{
    sigaction(signal, previous, NULL);
}

void pb_sig_default(int signal)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(signal, &action, NULL);
}

void pb_sig_again(int signal, siginfo_t *info)
{
    pid_t thread = (pid_t)syscall(SYS_gettid);
    if (syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, signal, info) < 0)
        syscall(SYS_tgkill, getpid(), thread, signal);
}

int pb_sig_child_fd(void)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &child, NULL);
    int fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void pb_sig_drain(int fd)
{
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) > 0)
        continue;
}
