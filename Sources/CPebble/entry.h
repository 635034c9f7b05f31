/* SPDX-License-Identifier: Apache-2.0
 * How a fresh exec of the program becomes a server, a worker or an agent before main. */
#ifndef PB_ENTRY_H
#define PB_ENTRY_H

#include "compat.h"

PB_HIDDEN_BEGIN

/* Ends a process that was started to be a server or worker but runs the
 * program's main instead: it would start processes without end. */
void pb_entry_refuse_unless_entered(void);

/* What an agent does from then on: agent.c, which is of a higher layer. Its link is two descriptors. */
_Noreturn void pb_agent_main(int in, int out, unsigned slots);

/* Whether this process is to be, or is, a server, worker or agent. At any time, also in an initialiser before ours. */
bool pb_entry_is_marked(void);

PB_HIDDEN_END
#endif
