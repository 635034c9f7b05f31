/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "boot.h"
#include "clock.h"
#include "entry.h"
#include "forkserver.h"
#include "node.h"
#include "nodes.h"
#include "pebble/nodes.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_NODES 65536
#define DEFAULT_JOIN_TIMEOUT (60 * PB_SECOND)
#define DEFAULT_BEAT (2 * PB_SECOND)
#define DEFAULT_LOST_AFTER (10 * PB_SECOND)

static int fill_in(struct pebble_nodes *nodes)
{
    if (nodes->join_timeout < 0 || nodes->beat < 0 || nodes->lost_after < 0) return -EINVAL;
    if (nodes->count == 0 || nodes->count > MAX_NODES || !nodes->command[0]) return -EINVAL;
    if (!nodes->join_timeout) nodes->join_timeout = DEFAULT_JOIN_TIMEOUT;
    if (!nodes->beat) nodes->beat = DEFAULT_BEAT;
    if (!nodes->lost_after) nodes->lost_after = DEFAULT_LOST_AFTER;
    return nodes->lost_after > nodes->beat ? 0 : -EINVAL;
}

/* To be freed; NULL: no memory, or it cannot be told. */
static char *own_path(void)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    return length > 0 ? strndup(path, (size_t)length) : NULL;
}

static bool copy_command(struct pb_cluster *cluster, const char *const *command)
{
    size_t count = 0;
    while (command[count])
        count++;
    cluster->command = calloc(count + 1, sizeof *cluster->command);
    for (size_t i = 0; cluster->command && i < count; i++)
        if (!(cluster->command[i] = strdup(command[i]))) return false;
    return cluster->command;
}

static bool copy_names(struct pb_cluster *cluster, const struct pebble_nodes *nodes)
{
    cluster->nodes = calloc(nodes->count, sizeof *cluster->nodes);
    for (size_t i = 0; cluster->nodes && i < nodes->count; i++)
        if (!(cluster->nodes[i].name = strdup(nodes->names ? nodes->names[i] : ""))) return false;
    return cluster->nodes;
}

static struct pb_cluster *make_cluster(const struct pebble_nodes *nodes, unsigned slots)
{
    struct pb_cluster *cluster = calloc(1, sizeof *cluster);
    if (!cluster) return NULL;
    cluster->count = nodes->count;
    cluster->slots = slots;
    cluster->join_timeout = nodes->join_timeout;
    cluster->beat = nodes->beat;
    cluster->lost_after = nodes->lost_after;
    pb_image_program(&cluster->image);
    cluster->program = nodes->program ? strdup(nodes->program) : own_path();
    if (cluster->program && copy_command(cluster, nodes->command) && copy_names(cluster, nodes)) return cluster;
    pb_nodes_free(cluster);
    return NULL;
}

int pebble_node_pool_new(const struct pebble_pool_config *config, const struct pebble_nodes *nodes,
                         pebble_pool **ret_pool)
{
    struct pebble_pool_config each = config ? *config : (struct pebble_pool_config){0};
    struct pebble_nodes filled = *nodes;
    pb_entry_refuse_unless_entered();
    if (pb_boot_depth() >= PB_DEPTH_MAX) return -ELOOP;
    int rc = each.max_workers > PB_SLOTS_MAX ? -EINVAL : fill_in(&filled);
    if (rc < 0) return rc;
    struct pb_cluster *cluster = make_cluster(&filled, each.max_workers);
    if (!cluster) return -ENOMEM;
    each.max_workers = (unsigned)filled.count; /* until they say what they have */
    rc = pb_pool_make(&pb_nodes, &each, cluster, ret_pool);
    if (rc < 0) pb_nodes_free(cluster);
    return rc;
}

/* --- statistics --- */

static enum pebble_node_state state_of(const struct pb_node *node)
{
    switch (node->state) {
    case PB_NODE_DOWN: return PEBBLE_NODE_DOWN;
    case PB_NODE_STARTING: return PEBBLE_NODE_STARTING;
    case PB_NODE_UP: return PEBBLE_NODE_UP;
    case PB_NODE_RESTING: return PEBBLE_NODE_RESTING;
    default: return PEBBLE_NODE_LEAVING;
    }
}

static struct pebble_node_statistics describe(const struct pb_node *node)
{
    bool up = node->state == PB_NODE_UP;
    return (struct pebble_node_statistics){
        .name = *node->name ? node->name : node->host,
        .state = state_of(node),
        .slots = up ? node->idle + node->busy : 0,
        .running = node->busy,
        .done = node->done,
        .lost_jobs = node->lost_jobs,
        .joined = node->joined,
        .losses = node->losses,
        .silence = up ? pb_now() - node->heard : 0,
    };
}

int pebble_pool_get_node_statistics(const pebble_pool *pool, size_t index,
                                    struct pebble_node_statistics *ret_statistics)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&pool->lock;
    if (!pool->cluster || index >= pool->cluster->count) return -ENOENT;
    if (pool->generation != pb_forkserver_generation()) return -ECHILD;
    pthread_mutex_lock(lock);
    *ret_statistics = describe(&pool->cluster->nodes[index]);
    pthread_mutex_unlock(lock);
    return 0;
}
