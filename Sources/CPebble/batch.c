/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "batch.h"
#include "clock.h"
#include "loop.h"
#include "pebble/pool.h"

#define MOST 32                 /* jobs that are taken in together */
#define LONGEST (50 * 1000)     /* ns that the first of them waits for more, when more come */

static _Thread_local struct {
    const struct pebble_pool *pool; /* NULL: there is no batch */
    unsigned depth;
    unsigned jobs; /* that wait */
    int64_t since; /* when the first of them came */
} batch;

void pb_batch_notice(struct pebble_pool *pool, int64_t now)
{
    if (batch.pool == pool) {
        if (batch.jobs++ == 0) batch.since = now;
        if (batch.jobs < MOST && now - batch.since < LONGEST) return;
        batch.jobs = 0;
    }
    pb_loop_notice(pool, now);
}

bool pb_batch_flush(struct pebble_pool *pool)
{
    if (batch.pool != pool || batch.jobs == 0) return false;
    batch.jobs = 0;
    pb_loop_notice(pool, pb_now());
    return true;
}

void pebble_pool_begin_batch(pebble_pool *pool)
{
    if (!batch.pool) batch.pool = pool;
    batch.depth += batch.pool == pool;
}

void pebble_pool_end_batch(pebble_pool *pool)
{
    if (batch.pool != pool || --batch.depth) return;
    pb_batch_flush(pool);
    batch.pool = NULL;
}
