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

void pb_sig_ignore(int signal);

/* Blocks SIGCHLD in this thread. A signalfd for it (close-on-exec, nonblocking), or -errno. */
int pb_sig_child_fd(void);

/* Empties what pb_sig_child_fd returned. */
void pb_sig_drain(int fd);

PB_HIDDEN_END
#endif
