/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "hiring.h"
#include "clock.h"
#include "control.h"
#include "crew.h"
#include "fd.h"
#include "forkserver.h"
#include "output.h"
#include "starting.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int connect_server(struct pebble_pool *pool)
{
    if (pool->channel >= 0) return 0;
    int rc = pb_forkserver_connect(&pool->channel, &pool->fresh, &pool->server);
    if (rc < 0 || (rc = pb_watch_add(pool, pool->channel, &pool->channel)) == 0) return rc;
    if (pool->fresh) pb_forkserver_kill(pool->server); /* nobody else would find out that it hangs */
    pb_crew_leave(pool);
    return rc;
}

/* A bit for each of its descriptors that goes there. */
static uint16_t bits_to(const struct pebble_pool *pool, enum pebble_output where)
{
    unsigned out = pool->config.stdout_to == where ? 1U << STDOUT_FILENO : 0;
    unsigned err = pool->config.stderr_to == where ? 1U << STDERR_FILENO : 0;
    return (uint16_t)(out | err);
}

static int ask_server(struct pebble_pool *pool, struct pb_worker *worker)
{
    int theirs[PB_CONTROL_FDS] = {-1, -1, -1};
    int rc = pb_hostlink_open(&worker->link, pool->config.max_payload, pool->config.max_memory != 0, &theirs[0]);
    worker->link.blocks = &pool->blocks;
    worker->link.wakes = &pool->wakes;
    int pipes = rc == 0 ? pb_output_attach(pool, worker, theirs + 1) : rc;
    if (pipes < 0) {
        pb_close(&theirs[0]);
        return pipes;
    }
    pb_start_instruct(pool, worker->link.shared);
    struct pb_control request = {.kind = PB_CONTROL_START,
                                 .worker = worker->id,
                                 .number = (uint32_t)worker->id,
                                 .spawn = pool->config.start_method == PEBBLE_SPAWN,
                                 .swift_backtrace = pool->config.swift_backtrace,
                                 .discard = bits_to(pool, PEBBLE_DISCARD),
                                 .capture = bits_to(pool, PEBBLE_CAPTURE),
                                 .limits = pool->config.limits};
    strlcpy(request.pool, pool->name, sizeof request.pool);
    rc = pb_watch_add(pool, worker->link.stream.fd, worker); /* before the server has made what would be left over */
    if (rc == 0) rc = pb_control_send_all(pool->channel, &request, theirs, 1 + (size_t)pipes);
    pb_control_close(theirs);
    return rc;
}

void pb_hire(struct pebble_pool *pool, int64_t now)
{
    int rc = connect_server(pool);
    struct pb_worker *worker = rc == 0 ? calloc(1, sizeof *worker) : NULL;
    if (rc == 0 && !worker) rc = -ENOMEM;
    if (rc == 0) {
        worker->proc = PB_PROC_NONE;
        worker->link.stream.fd = -1;
        worker->alarm.kind = PB_ALARM_WORKER;
        worker->look.kind = PB_ALARM_LOOK;
        worker->id = ++pool->next_worker;
        worker->born = now;
        rc = ask_server(pool, worker);
    }
    if (rc < 0) {
        if (worker) {
            pb_output_detach(worker);
            /* A process that another thread makes just now, and that has not got to its exec, keeps what is closed
             * open: without this, events could still come of it. */
            pb_watch_remove(pool, worker->link.stream.fd);
            pb_hostlink_done(&worker->link);
        }
        free(worker);
        pb_start_failed(pool, PEBBLE_CAUSE_START, -rc, NULL, now);
        return;
    }
    pool->by_state[PB_WORKER_STARTING]++;
    TAILQ_INSERT_TAIL(&pool->workers, worker, link_in_pool);
    atomic_fetch_add(&pool->count.workers, 1);
    atomic_fetch_add(&pool->count.started, 1);
    int64_t undisturbed = pb_after(now, pool->config.start_timeout);
    pb_watch_arm(pool, &worker->alarm, pb_after(undisturbed, pool->config.debugger_time));
}
