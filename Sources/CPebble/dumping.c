/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker cannot ring when its dump is there: the handlers that write it may
 * have interrupted whatever rings. So it is looked for, ever more seldom, for as
 * long as the pool waits for it; a worker that ignores it gains no more. */
#include "compat.h"
#include "dumping.h"
#include "clock.h"
#include "dump.h"
#include "stacks.h"
#include "watch.h"

#include <signal.h>

#define FIRST_LOOK (200 * 1000) /* ns */

static bool ask(struct pebble_pool *pool, struct pebble_future *job, int64_t now)
{
    struct pb_worker *worker = job->worker;
    if (!pool->config.stack_dump || !worker || worker->state != PB_WORKER_BUSY) return false;
    job->dump_until = pb_after(now, pool->config.stack_dump);
    job->dump_pause = FIRST_LOOK;
    atomic_store(&worker->link.shared->dump.wanted, 1);
    return pb_proc_signal(&worker->proc, PB_DUMP_SIGNAL) == 0;
}

bool pb_dumping_awaits(struct pebble_pool *pool, struct pebble_future *job, int64_t now)
{
    if (!job->dump_until) {
        if (!ask(pool, job, now)) return false;
    } else if (now >= job->dump_until || !job->worker || atomic_load(&job->worker->link.shared->dump.written)) {
        return false;
    }
    int64_t next = pb_after(now, job->dump_pause);
    job->dump_pause *= 2;
    pb_watch_arm(pool, &job->alarm, next < job->dump_until ? next : job->dump_until);
    return true;
}

void pb_dumping_tell(const struct pb_worker *worker, struct pebble_future *job)
{
    if (!job->dump_until) return;
    job->outcome.stacks = pb_stacks_of(&worker->link.shared->dump, worker->proc.pid, &job->outcome.stack_count);
}
