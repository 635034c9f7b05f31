/* SPDX-License-Identifier: Apache-2.0
 * The fork server's own life. */
#ifndef PB_SERVE_H
#define PB_SERVE_H

#include "compat.h"

PB_HIDDEN_BEGIN

/* Serves the channel in the boot descriptor until the host is gone, or has had
 * no pool for a while. Single-threaded; the parent and subreaper of all workers. */
_Noreturn void pb_serve(void);

PB_HIDDEN_END
#endif
