/* SPDX-License-Identifier: Apache-2.0
 * The monotonic clock in nanoseconds, and arithmetic on it that cannot overflow. */
#ifndef PB_CLOCK_H
#define PB_CLOCK_H

#include "compat.h"

#include <time.h>

#define PB_MILLISECOND INT64_C(1000000)
#define PB_SECOND INT64_C(1000000000)

PB_HIDDEN_BEGIN

/* Now, on CLOCK_MONOTONIC. */
int64_t pb_now(void);

/* The moment `duration` (>= 0) after `start`, INT64_MAX when that is beyond it. */
int64_t pb_after(int64_t start, int64_t duration);

struct timespec pb_timespec(int64_t nanoseconds);

PB_HIDDEN_END
#endif
