/* SPDX-License-Identifier: Apache-2.0
 * What a worker process may use. */
#ifndef PB_RLIMITS_H
#define PB_RLIMITS_H

#include "compat.h"
#include "pebble/pool.h"

PB_HIDDEN_BEGIN

/* In a new worker: lowers its limits, but that of core files. Those of the program that are lower stay. */
void pb_rlimits_apply(const struct pebble_worker_limits *limits);

/* In a process that is about to die: its core file is not to be larger. Async-signal-safe. */
void pb_rlimits_cap_core(uint64_t size);

PB_HIDDEN_END
#endif
