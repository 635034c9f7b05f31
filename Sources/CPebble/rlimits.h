/* SPDX-License-Identifier: Apache-2.0
 * What a worker process may use. */
#ifndef PB_RLIMITS_H
#define PB_RLIMITS_H

#include "compat.h"
#include "pebble/pool.h"

PB_HIDDEN_BEGIN

/* In a new worker: lowers its limits. Those of the program that are lower stay. */
void pb_rlimits_apply(const struct pebble_worker_limits *limits);

PB_HIDDEN_END
#endif
