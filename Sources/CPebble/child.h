/* SPDX-License-Identifier: Apache-2.0
 * A worker's own life: take a job off the link, run it, reply. */
#ifndef PB_CHILD_H
#define PB_CHILD_H

#include "compat.h"
#include "boot.h"

PB_HIDDEN_BEGIN

/* Serves jobs from the boot descriptors until the host closes the link, then
 * ends the process. Called on the main thread of a new process. */
_Noreturn void pb_child_main(const struct pb_boot *boot, unsigned depth);

PB_HIDDEN_END
#endif
