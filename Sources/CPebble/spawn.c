/* SPDX-License-Identifier: Apache-2.0
 *
 * A detached exec in a threaded host, after which the host has no new child:
 *
 *   host -- clone(VM|VFORK, no exit signal) --> middle -- vfork --> exec
 *
 * The middle does not exec, so it stays invisible to wait(2) (only __WALL sees
 * it) and the host can reap it by pid at once; its death orphans the server,
 * which init, or the nearest subreaper, adopts. Both children share the host's
 * memory while the host is suspended, so they call async-signal-safe functions
 * only. */
#include "compat.h"
#include "spawn.h"
#include "control.h"
#include "fd.h"
#include "sig.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE (64 * 1024)

/* clone(2) by the other name it has in glibc: ThreadSanitizer puts a function of
 * its own in the place of the usual one, which takes what we do for a fork. */
extern int __clone(int (*function)(void *), void *stack, int flags, void *arg, ...);

struct detached {
    struct pb_boot_env *env; /* of a server; of a command: NULL */
    int channel, extra;
    char *const *words; /* of a command */
    int stdio;
    char *stack; /* of the process to exec */
    int error;   /* errno of a failed exec */
};

void pb_spawn_place_fds(int a, int b)
{
    /* First b out of the way of a: over what is there, since no descriptor may be free. */
    int spare = a == PB_BOOT_FDS_END ? PB_BOOT_FDS_END + 1 : PB_BOOT_FDS_END;
    dup2(b, spare);
    dup2(a, PB_BOOT_CHANNEL_FD);
    dup2(spare, PB_BOOT_EXTRA_FD);
    pb_set_cloexec(PB_BOOT_CHANNEL_FD, false); /* which it keeps if it was there already */
    pb_close_from(PB_BOOT_FDS_END);
}

int pb_spawn_exec_self(struct pb_boot_env *env)
{
    /* The program's name, for messages, and room for the title that setproctitle will write over both. */
    static char room[] = "                                                                                "
                         "                                                                                ";
    char *const arguments[] = {program_invocation_short_name, room, NULL};
    pb_boot_env_stamp(env);
    /* The link to the image, not its path: the file may have been replaced. */
    execve("/proc/self/exe", arguments, env->variables);
    return -errno;
}

/* From the start, for the threads that initialisers of the program may start:
 * one that did not block it would take it from the server. */
static void block_sigchld(void)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &child, NULL);
}

/* Not by _exit, where tools have a last look at a process: at the memory of the host, here. */
static _Noreturn void leave(int code)
{
    for (;;)
        syscall(SYS_exit_group, code);
}

/* AddressSanitizer must not look at the stacks of these two: it does not know them. */
#define ON_FOREIGN_STACK __attribute__((no_sanitize("address")))

ON_FOREIGN_STACK static void exec_command(struct detached *detached)
{
    dup2(detached->stdio, STDIN_FILENO);
    dup2(detached->stdio, STDOUT_FILENO);
    pb_close_from(STDERR_FILENO + 1);
    pb_sig_reset();
    execvp(detached->words[0], detached->words);
    detached->error = errno;
}

ON_FOREIGN_STACK static int exec_detached(void *arg)
{
    struct detached *detached = arg;
    setsid(); /* away from the terminal's signals */
    if (detached->words) {
        exec_command(detached);
        leave(127);
    }
    pb_spawn_place_fds(detached->channel, detached->extra);
    pb_sig_reset();
    block_sigchld();
    detached->error = -pb_spawn_exec_self(detached->env);
    leave(127);
}

ON_FOREIGN_STACK static int middle(void *arg)
{
    struct detached *detached = arg;
    struct pb_control report = {.kind = PB_CONTROL_SPAWNED};
    report.pid = __clone(exec_detached, detached->stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, detached);
    report.error = report.pid < 0 ? errno : detached->error;
    /* Its pid cannot be reused yet: nobody reaps it before we exit. */
    int pidfd = report.pid > 0 ? pb_pidfd_open(report.pid) : -1;
    if (pidfd < 0 && report.error == 0) report.error = -pidfd;
    pb_control_send(detached->channel, &report, pidfd);
    leave(0);
}

static int spawn(struct detached *detached)
{
    char *stacks = malloc((size_t)2 * STACK_SIZE);
    if (!stacks) return -ENOMEM;
    detached->stack = stacks;

    sigset_t old;
    pb_sig_block_all(&old);
    int pid = __clone(middle, stacks + 2 * STACK_SIZE, CLONE_VM | CLONE_VFORK, detached);
    int rc = pid < 0 ? -errno : 0;
    if (pid > 0)
        while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
            continue;
    pb_sig_restore(&old);
    free(stacks);
    return rc;
}

int pb_spawn_detached(struct pb_boot_env *env, int channel, int extra)
{
    return spawn(&(struct detached){.env = env, .channel = channel, .extra = extra});
}

int pb_spawn_command(char *const words[], int stdio, int channel)
{
    return spawn(&(struct detached){.words = words, .stdio = stdio, .channel = channel});
}

/* It was sent before the middle process ended, and that was waited for: it is
 * there, unless the middle could not send it. */
int pb_spawn_report(int channel, struct pb_proc *ret_proc)
{
    struct pb_control report;
    int fds[PB_CONTROL_FDS], rc = pb_control_receive(channel, &report, fds);
    if (rc <= 0 || report.kind != PB_CONTROL_SPAWNED) return rc < 0 ? rc : -EPROTO;
    if (report.error) {
        pb_control_close(fds);
        return -report.error;
    }
    *ret_proc = (struct pb_proc){report.pid, fds[0]};
    return 0;
}

pid_t pb_spawn_fork(void)
{
    return fork();
}
