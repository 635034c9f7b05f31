/* SPDX-License-Identifier: Apache-2.0
 * How a fresh exec of the program becomes a server or a worker before main. */
#ifndef PB_ENTRY_H
#define PB_ENTRY_H

#include "compat.h"

PB_HIDDEN_BEGIN

/* Ends a process that was started to be a server or worker but runs the
 * program's main instead: it would start processes without end. */
void pb_entry_refuse_unless_entered(void);

/* Whether this process is to be, or is, a server or worker. At any time, also in an initialiser before ours. */
bool pb_entry_is_marked(void);

PB_HIDDEN_END
#endif
