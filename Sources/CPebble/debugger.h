/* SPDX-License-Identifier: Apache-2.0
 * Waiting for a debugger. */
#ifndef PB_DEBUGGER_H
#define PB_DEBUGGER_H

#include "compat.h"

PB_HIDDEN_BEGIN

/* How long the environment says that workers wait: PEBBLE_DEBUGGER_TIME, in
 * seconds, up to a day; 0 when it says nothing of the kind. */
int64_t pb_debugger_time(void);

/* In a worker: waits until this process is traced, or `time` ns are over. */
void pb_debugger_await(int64_t time);

PB_HIDDEN_END
#endif
