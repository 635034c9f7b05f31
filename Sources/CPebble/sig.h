/* SPDX-License-Identifier: Apache-2.0
 * Signal masks and dispositions. */
#ifndef PB_SIG_H
#define PB_SIG_H

#include "compat.h"

#include <signal.h>

PB_HIDDEN_BEGIN

/* Blocks every signal in this thread; pb_sig_restore undoes it. */
void pb_sig_block_all(sigset_t *ret_old);
void pb_sig_restore(const sigset_t *old);

/* Gives every signal its default disposition, and this thread an empty mask.
 * Async-signal-safe: for a new process. */
void pb_sig_reset(void);

/* The mask alone: in a fork of a process whose dispositions are the default ones. */
void pb_sig_unblock_all(void);

void pb_sig_ignore(int signal);

/* Blocks signals in this thread; unblocks them. Async-signal-safe. */
void pb_sig_block(const sigset_t *set, sigset_t *ret_old);
void pb_sig_unblock(const sigset_t *set);

typedef void (*pb_sig_catcher)(int signal, siginfo_t *info, void *context);

/* Has a signal caught by a function that is async-signal-safe. *ret_previous
 * is written before it can be called. */
void pb_sig_catch(int signal, pb_sig_catcher catcher, struct sigaction *ret_previous);

/* Brings back a disposition unless `catcher` is no longer there. Async-signal-safe. */
void pb_sig_give_back(int signal, pb_sig_catcher catcher, const struct sigaction *previous);

/* Has a signal that means a crash caught, on the thread's second stack where it
 * has one, unless the program does something else about it than to die; `over` a
 * handler of the program's too. *ret_previous is what there was. */
void pb_sig_catch_crash(int signal, pb_sig_catcher catcher, bool over, struct sigaction *ret_previous);

/* Gives a signal its default disposition; one that there was. Async-signal-safe. */
void pb_sig_default(int signal);
void pb_sig_put_back(int signal, const struct sigaction *previous);

/* Sends this thread a signal once more, as it came. Async-signal-safe. */
void pb_sig_again(int signal, siginfo_t *info);

/* Blocks SIGCHLD in this thread. A signalfd for it (close-on-exec, nonblocking), or -errno. */
int pb_sig_child_fd(void);

/* Empties what pb_sig_child_fd returned. */
void pb_sig_drain(int fd);

PB_HIDDEN_END
#endif
