/* SPDX-License-Identifier: Apache-2.0
 * A worker's recorder of its own crash: what happened is written where the host
 * reads it, then the signal takes its course. Costs nothing until then. */
#ifndef PB_CRASH_H
#define PB_CRASH_H

#include "compat.h"
#include "shared.h"

PB_HIDDEN_BEGIN

/* Makes ready what an installation needs, on the main thread; inherited by forks. */
void pb_crash_prepare(void);

/* From now on crashes of this process are recorded there, those for which the
 * program has a handler of its own excepted, unless they are to be passed on to
 * it; and no core file is larger than is said there. On the main thread: it
 * alone gets a second stack, so that it can record the overflow of the first. */
void pb_crash_install(struct pb_shared *shared);

PB_HIDDEN_END
#endif
