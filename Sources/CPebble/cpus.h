/* SPDX-License-Identifier: Apache-2.0
 * How many processors this process may use. */
#ifndef PB_CPUS_H
#define PB_CPUS_H

#include "compat.h"

PB_HIDDEN_BEGIN

/* By the affinity of the calling thread; at least 1. */
unsigned pb_cpus(void);

PB_HIDDEN_END
#endif
