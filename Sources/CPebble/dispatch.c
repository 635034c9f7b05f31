/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "dispatch.h"
#include "clock.h"

#define BACKOFF_FIRST (20 * PB_MILLISECOND)
#define BACKOFF_DOUBLINGS 7 /* up to 2.56 s */

#define WINDOW_TIME (100 * 1000) /* ns of work to have with a worker */
#define WINDOW_MAX 96           /* jobs: fewer than a link has slots */
#define STEAL_TIME (50 * 1000)  /* ns: less is not worth waking a worker for */

static bool lacks_spare(const struct pb_dispatch *pool, unsigned workers)
{
    return !pool->closing && pool->may_start && pool->idle + pool->starting < pool->spares &&
           workers < pool->max_workers + pool->spares;
}

enum pb_action pb_dispatch_next(const struct pb_dispatch *pool)
{
    unsigned workers = pool->idle + pool->busy + pool->starting;
    bool idle = pool->idle && pool->busy < pool->max_workers; /* else it is spare */
    if (pool->idle && workers > pool->max_workers + pool->spares) return PB_RETIRE;
    if (pool->queued == 0) {
        if (idle && pool->ahead) return PB_STEAL;
        if (pool->closing && pool->idle) return PB_RETIRE;
        if (pool->closing && pool->starting && !pool->busy && pool->may_drop) return PB_DROP;
        return lacks_spare(pool, workers) ? PB_START : PB_REST;
    }
    if (idle) return PB_ASSIGN;
    bool wanted = pool->starting < pool->queued && workers < pool->max_workers;
    if (wanted && pool->may_start) return PB_START;
    /* With workers to come nothing is put behind a job that may be long. */
    if (pool->open && pool->busy == pool->max_workers) return PB_FILL;
    return lacks_spare(pool, workers) ? PB_START : PB_REST;
}

unsigned pb_dispatch_window(int64_t average)
{
    if (average <= 0 || average >= WINDOW_TIME) return 1;
    int64_t jobs = WINDOW_TIME / average;
    return jobs < WINDOW_MAX ? (unsigned)jobs : WINDOW_MAX;
}

bool pb_dispatch_worth_stealing(unsigned jobs, int64_t average, int64_t running)
{
    return running >= STEAL_TIME || (int64_t)jobs * average >= STEAL_TIME;
}

int64_t pb_dispatch_backoff(unsigned failures)
{
    unsigned doublings = failures - 1 < BACKOFF_DOUBLINGS ? failures - 1 : BACKOFF_DOUBLINGS;
    return BACKOFF_FIRST << doublings;
}
