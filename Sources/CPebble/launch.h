/* SPDX-License-Identifier: Apache-2.0
 * Starts this program as an agent, through a command that the user gives. */
#ifndef PB_LAUNCH_H
#define PB_LAUNCH_H

#include "compat.h"
#include "proc.h"

/* A process, no child of this one, and the near end of its stdin and stdout. */
struct pb_launched {
    struct pb_proc proc;
    int socket; /* close-on-exec and nonblocking */
};

PB_HIDDEN_BEGIN

/* Executes the command, with each %n in its words the name of a node, and behind
 * them what makes `program` an agent. `command` ends with NULL. 0, or -errno,
 * that of the exec among them. */
int pb_launch(const char *const *command, const char *node, const char *program, unsigned slots,
              struct pb_launched *ret_launched);

PB_HIDDEN_END
#endif
