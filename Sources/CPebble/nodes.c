/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "nodes.h"
#include "clock.h"
#include "node.h"
#include "output.h"
#include "queue.h"

#include <stdlib.h>

void pb_nodes_init(struct pebble_pool *pool)
{
    struct pb_cluster *cluster = pool->cluster;
    TAILQ_INIT(&cluster->down);
    TAILQ_INIT(&cluster->ready);
    for (size_t i = 0; i < cluster->count; i++)
        pb_node_init(&cluster->nodes[i], pool);
}

void pb_nodes_free(struct pb_cluster *cluster)
{
    if (!cluster) return;
    for (size_t i = 0; cluster->nodes && i < cluster->count; i++)
        pb_node_done(&cluster->nodes[i]);
    for (struct pb_host *host = cluster->hosts, *next; host; host = next) {
        next = host->next;
        free(host);
    }
    for (char **word = cluster->command; word && *word; word++)
        free(*word);
    free(cluster->command);
    free(cluster->program);
    free(cluster->nodes);
    free(cluster);
}

/* --- jobs --- */

static bool assign(struct pebble_pool *pool, struct pebble_future *job, int64_t now)
{
    pb_node_assign(TAILQ_FIRST(&pool->cluster->ready), job, now);
    return true;
}

static void end(struct pebble_pool *pool, struct pebble_future *job)
{
    (void)pool;
    job->outcome.node = job->node->host;
    pb_node_cancel(job->node, job);
}

static int64_t began(struct pebble_future *job, int64_t now)
{
    (void)now;
    return job->node ? pb_node_began(job->node, job) : 0;
}

static int pid(const struct pebble_future *job)
{
    (void)job;
    return 0;
}

/* --- nodes --- */

static void start(struct pebble_pool *pool, int64_t now)
{
    pb_node_start(TAILQ_FIRST(&pool->cluster->down), now);
}

static void retire(struct pebble_pool *pool)
{
    pb_node_retire_slot(TAILQ_FIRST(&pool->cluster->ready), pb_now());
}

static void drop(struct pebble_pool *pool)
{
    struct pb_cluster *cluster = pool->cluster;
    for (size_t i = 0; i < cluster->count; i++)
        if (cluster->nodes[i].state == PB_NODE_STARTING) {
            pb_node_lose(&cluster->nodes[i], PEBBLE_CAUSE_STOPPED, 0, pb_now());
            return;
        }
}

static void stop(struct pebble_pool *pool, int64_t now)
{
    struct pb_cluster *cluster = pool->cluster;
    for (size_t i = 0; i < cluster->count; i++)
        pb_node_stop(&cluster->nodes[i], now);
    pb_queue_refuse(pool, PEBBLE_CAUSE_STOPPED, 0, NULL);
}

static bool at_rest(struct pebble_pool *pool)
{
    return pool->cluster->running == 0;
}

static void on_event(struct pebble_pool *pool, void *tag, uint32_t events)
{
    (void)events;
    const struct pb_node_tag *of = tag;
    enum pebble_cause cause;
    if (tag == &pool->output) return; /* no pipe of ours is in that set */
    if (of->launcher) {
        if (of->node->state == PB_NODE_ENDING) pb_node_on_launcher(of->node, pb_now());
    } else if (of->node->launched.socket >= 0 && !of->node->paused) {
        if (of->node->writing) pb_node_send(of->node);
        if (!pb_node_receive(of->node, &cause)) pb_node_lose(of->node, cause, 0, pb_now());
    }
}

static void on_alarm(struct pebble_pool *pool, struct pb_alarm *alarm)
{
    (void)pool;
    pb_node_on_alarm(PB_ALARM_OWNER(alarm, struct pb_node, alarm), pb_now());
}

static void tidy(struct pebble_pool *pool)
{
    struct pb_cluster *cluster = pool->cluster;
    if (!cluster->paused || pb_output_is_clogged(pool)) return;
    for (size_t i = 0; i < cluster->count; i++)
        if (cluster->nodes[i].paused) pb_node_resume(&cluster->nodes[i]);
}

const struct pb_engine pb_nodes = {
    .sizes_itself = true,
    PB_ENGINE_ONE_AT_A_TIME,
    .assign = assign,
    .end = end,
    .began = began,
    .pid = pid,
    .start = start,
    .retire = retire,
    .drop = drop,
    .stop = stop,
    .at_rest = at_rest,
    .on_event = on_event,
    .on_alarm = on_alarm,
    .tidy = tidy,
};
