/* SPDX-License-Identifier: Apache-2.0
 * The engine of process pools: the crew, and what is shipped to it. */
#include "compat.h"
#include "engine.h"
#include "crew.h"
#include "dumping.h"
#include "hiring.h"
#include "output.h"
#include "shipping.h"
#include "thrift.h"

static void look(struct pebble_pool *pool, struct pebble_future *job)
{
    pb_shipping_look(pool, job->worker);
}

static void end(struct pebble_pool *pool, struct pebble_future *job)
{
    pb_output_take(pool, job->worker);
    if (job->outcome.status == PEBBLE_TIMEOUT) {
        pb_output_tell(job->worker, &job->outcome);
        pb_dumping_tell(job->worker, job);
    }
    pb_crew_end(pool, job->worker);
}

static int pid(const struct pebble_future *job)
{
    return job->worker ? job->worker->proc.pid : 0;
}

static bool at_rest(struct pebble_pool *pool)
{
    return TAILQ_EMPTY(&pool->workers) && TAILQ_EMPTY(&pool->gone);
}

static void on_event(struct pebble_pool *pool, void *tag, uint32_t events)
{
    if (tag == &pool->channel)
        pb_crew_on_channel(pool);
    else if (tag == &pool->output)
        pb_output_on_ready(pool);
    else
        pb_shipping_on_link(pool, tag, events);
}

static void on_alarm(struct pebble_pool *pool, struct pb_alarm *alarm)
{
    if (alarm->kind == PB_ALARM_THRIFT)
        pb_thrift_on_alarm(pool);
    else if (alarm->kind == PB_ALARM_LOOK)
        pb_shipping_on_slow(pool, PB_ALARM_OWNER(alarm, struct pb_worker, look));
    else
        pb_crew_on_alarm(pool, PB_ALARM_OWNER(alarm, struct pb_worker, alarm));
}

static void tidy(struct pebble_pool *pool)
{
    pb_output_resume(pool);
    pb_crew_free_gone(pool);
}

static void leave(struct pebble_pool *pool)
{
    pb_crew_leave(pool);
    pb_thrift_end(pool);
}

const struct pb_engine pb_processes = {
    .assign = pb_shipping_assign,
    .fill = pb_shipping_fill,
    .steal = pb_shipping_steal,
    .look = look,
    .take_back = pb_shipping_revoke,
    .single_out = pb_shipping_single_out,
    .awaits_dump = pb_dumping_awaits,
    .end = end,
    .began = pb_shipping_began,
    .pid = pid,
    .ring = pb_shipping_ring,
    .wait = pb_shipping_wait,
    .start = pb_hire,
    .retire = pb_crew_retire,
    .drop = pb_crew_drop,
    .stop = pb_crew_stop,
    .at_rest = at_rest,
    .on_event = on_event,
    .on_alarm = on_alarm,
    .tidy = tidy,
    .leave = leave,
};
