/* SPDX-License-Identifier: Apache-2.0
 * A worker's dump of the stacks of all its threads, when its host asks. Costs
 * nothing until then. */
#ifndef PB_DUMP_H
#define PB_DUMP_H

#include "compat.h"
#include "dumprecord.h"

/* By which the host asks, and threads are. Of the signals that may be caught it
 * is the one that the threads of libdispatch and of Swift leave unblocked. */
#define PB_DUMP_SIGNAL SIGPROF

PB_HIDDEN_BEGIN

/* From now on the dump goes there. Nothing when the host will never ask. */
void pb_dump_install(struct pb_dump_record *record);

PB_HIDDEN_END
#endif
