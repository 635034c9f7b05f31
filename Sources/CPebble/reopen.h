/* SPDX-License-Identifier: Apache-2.0
 * libdispatch in a confined process: it looks its threads up as /proc/ID/stat,
 * and ends the process when it cannot. There no rule for files can tell them from
 * those of others; in /proc/self/task, where they are too, it can. So calls that
 * open a file come to a signal handler first (SIGSYS), which looks that way. It
 * is a courtesy: what may be opened is judged elsewhere. */
#ifndef PB_REOPEN_H
#define PB_REOPEN_H

#include "compat.h"

#define PB_REOPENED 0x5042u /* the unused sixth argument of an openat(2) that is the handler's */

PB_HIDDEN_BEGIN

/* Whether that is needed: the program has libdispatch. */
bool pb_reopen_is_needed(void);

void pb_reopen_install(void);

PB_HIDDEN_END
#endif
