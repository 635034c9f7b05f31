/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "engine.h"

bool pb_engine_no_fill(struct pebble_pool *pool, struct pebble_future *job, int64_t now)
{
    (void)pool, (void)job, (void)now;
    return false; /* no worker is in pool->open */
}

struct pebble_future *pb_engine_no_steal(struct pebble_pool *pool, int64_t now)
{
    (void)pool, (void)now;
    return NULL;
}

void pb_engine_no_look(struct pebble_pool *pool, struct pebble_future *job)
{
    (void)pool, (void)job;
}

bool pb_engine_no_take_back(struct pebble_pool *pool, struct pebble_future *job)
{
    (void)pool, (void)job;
    return false;
}

bool pb_engine_alone(struct pebble_pool *pool, struct pebble_future *job)
{
    (void)pool, (void)job;
    return true;
}

void pb_engine_no_wait(struct pebble_pool *pool, struct pebble_future *job, int64_t deadline)
{
    (void)pool, (void)job, (void)deadline;
}

void pb_engine_no_leave(struct pebble_pool *pool)
{
    (void)pool;
}
