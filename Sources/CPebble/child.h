/* SPDX-License-Identifier: Apache-2.0
 * A worker's own life: take a job off the link, run it, reply. */
#ifndef PB_CHILD_H
#define PB_CHILD_H

#include "compat.h"
#include "boot.h"
#include "control.h"

#include <sys/types.h>

PB_HIDDEN_BEGIN

/* In a fork of the server: becomes the worker that a START asks for, by an exec
 * or as it is. `fds` are those that came with it, `inner` is for the pools of its
 * jobs. */
_Noreturn void pb_child_become(const struct pb_control *request, const int *fds, int inner, unsigned depth,
                               pid_t server);

/* Serves jobs from the boot descriptors until the host closes the link, then
 * ends the process. Called on the main thread of a new process. */
_Noreturn void pb_child_main(const struct pb_boot *boot, unsigned depth);

PB_HIDDEN_END
#endif
