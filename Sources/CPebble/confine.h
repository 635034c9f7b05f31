/* SPDX-License-Identifier: Apache-2.0
 * What a confined worker can still ask of the kernel. */
#ifndef PB_CONFINE_H
#define PB_CONFINE_H

#include "compat.h"

PB_HIDDEN_BEGIN

/* Whether this kernel can confine a process so. 0 or -ENOTSUP. */
int pb_confine_supported(void);

/* Confines this process for ever, with the threads that it will have: what it has
 * open stays open. `readable` are paths, each with its NUL, and an empty one behind.
 *   -EBUSY    it has further threads already
 *   -ENOTSUP  the kernel cannot
 *   others    of opening one of the paths */
int pb_confine(const char *readable);

PB_HIDDEN_END
#endif
