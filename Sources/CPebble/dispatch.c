/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "dispatch.h"
#include "clock.h"

#define BACKOFF_FIRST (20 * PB_MILLISECOND)
#define BACKOFF_DOUBLINGS 7 /* up to 2.56 s */

enum pb_action pb_dispatch_next(const struct pb_dispatch *pool)
{
    if (pool->queued == 0) return pool->closing && pool->idle ? PB_RETIRE : PB_REST;
    if (pool->idle) return PB_ASSIGN;
    unsigned workers = pool->busy + pool->starting;
    bool wanted = pool->starting < pool->queued && workers < pool->max_workers;
    return wanted && pool->may_start ? PB_START : PB_REST;
}

int64_t pb_dispatch_backoff(unsigned failures)
{
    unsigned doublings = failures - 1 < BACKOFF_DOUBLINGS ? failures - 1 : BACKOFF_DOUBLINGS;
    return BACKOFF_FIRST << doublings;
}
