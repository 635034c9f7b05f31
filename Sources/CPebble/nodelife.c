/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "node.h"
#include "clock.h"
#include "fd.h"
#include "starting.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

#define FAREWELL (3 * PB_SECOND) /* that a launcher has to end, before it is told to; and then until it is killed */
#define REST_FIRST (250 * PB_MILLISECOND) /* before a node is tried again */
#define REST_DOUBLINGS 8 /* up to 64 s */

void pb_node_done(struct pb_node *node)
{
    free(node->places);
    free(node->name);
}

/* --- what it counts as --- */

static unsigned share(const struct pb_node *node)
{
    switch (node->state) {
    case PB_NODE_DOWN:
    case PB_NODE_STARTING: return 1; /* at least so many slots may come */
    case PB_NODE_UP: return node->idle + node->busy;
    default: return node->busy;
    }
}

static bool is_listed(const struct pb_node *node)
{
    return node->state == PB_NODE_DOWN || (node->state == PB_NODE_UP && node->idle);
}

static struct pb_node_list *list_of(const struct pb_node *node)
{
    struct pb_cluster *cluster = node->pool->cluster;
    return node->state == PB_NODE_DOWN ? &cluster->down : &cluster->ready;
}

static bool runs(const struct pb_node *node)
{
    return node->state != PB_NODE_DOWN && node->state != PB_NODE_RESTING;
}

static void tally(struct pb_node *node, bool in)
{
    struct pebble_pool *pool = node->pool;
    struct pb_cluster *cluster = pool->cluster;
    int sign = in ? 1 : -1;
    unsigned up = node->state == PB_NODE_UP ? node->idle : 0;
    cluster->capacity += (unsigned)sign * share(node);
    cluster->running += (unsigned)sign * runs(node);
    pool->by_state[PB_WORKER_STARTING] += (unsigned)sign * (node->state == PB_NODE_STARTING);
    pool->by_state[PB_WORKER_IDLE] += (unsigned)sign * up;
    pool->by_state[PB_WORKER_BUSY] += (unsigned)sign * node->busy;
    pool->live += (unsigned)sign * node->busy;
    atomic_fetch_add(&pool->count.workers, (uint64_t)(int64_t)(sign * (int)(up + node->busy)));
    if (in) {
        atomic_store(&pool->max_workers, cluster->capacity);
        atomic_store_explicit(&pool->count.running, pool->by_state[PB_WORKER_BUSY], memory_order_relaxed);
        if (is_listed(node)) TAILQ_INSERT_TAIL(list_of(node), node, link_in_state);
    } else if (is_listed(node)) {
        TAILQ_REMOVE(list_of(node), node, link_in_state);
    }
}

void pb_node_init(struct pb_node *node, struct pebble_pool *pool)
{
    node->pool = pool;
    node->state = PB_NODE_DOWN;
    node->host = "";
    node->launched = (struct pb_launched){.proc = PB_PROC_NONE, .socket = -1};
    node->link = (struct pb_node_tag){.node = node};
    node->launcher = (struct pb_node_tag){.node = node, .launcher = true};
    node->alarm.kind = PB_ALARM_WORKER;
    tally(node, true);
}

void pb_node_enter(struct pb_node *node, enum pb_node_state state)
{
    tally(node, false);
    node->state = state;
    tally(node, true);
}

void pb_node_count(struct pb_node *node, int idle, int busy)
{
    tally(node, false);
    node->idle += (unsigned)idle;
    node->busy += (unsigned)busy;
    tally(node, true);
}

/* --- coming --- */

static void rest(struct pb_node *node, int64_t now)
{
    unsigned doublings = node->failures < REST_DOUBLINGS ? node->failures : REST_DOUBLINGS;
    node->failures++;
    pb_node_enter(node, PB_NODE_RESTING);
    pb_watch_arm(node->pool, &node->alarm, pb_after(now, REST_FIRST << doublings));
}

/* Of a frame: the user's bytes, the tail of his stderr, and the rest. */
static uint64_t max_body(const struct pebble_pool *pool)
{
    uint64_t rest = PB_WIRE_OVERHEAD + pool->config.output_tail, most = SIZE_MAX / 4;
    return pool->config.max_payload < most - rest ? pool->config.max_payload + rest : most;
}

static int launch(struct pb_node *node)
{
    struct pebble_pool *pool = node->pool;
    const struct pb_cluster *cluster = pool->cluster;
    int rc = pool->config.on_output ? pb_courier_prepare(&pool->output.lines) : 0;
    if (rc == 0)
        rc = pb_launch((const char *const *)cluster->command, node->name, cluster->program, cluster->slots, &node->launched);
    if (rc < 0) return rc;
    node->in = (struct pb_wire_in){.max_body = max_body(pool)};
    node->out = (struct pb_wire_out){0};
    node->in_peace = false;
    return pb_watch_add(pool, node->launched.socket, &node->link);
}

void pb_node_start(struct pb_node *node, int64_t now)
{
    int rc = launch(node);
    node->born = now;
    if (rc < 0) {
        pb_close(&node->launched.socket);
        pb_proc_terminate(&node->launched.proc);
        pb_proc_done(&node->launched.proc);
        rest(node, now);
        pb_start_failed(node->pool, PEBBLE_CAUSE_NODE, -rc, NULL, now);
        return;
    }
    node->heard = node->said = now;
    pb_node_enter(node, PB_NODE_STARTING);
    pb_watch_arm(node->pool, &node->alarm, pb_after(now, node->pool->cluster->join_timeout));
}

static void set_up(struct pb_node *node)
{
    const struct pebble_pool *pool = node->pool;
    const struct pb_cluster *cluster = pool->cluster;
    struct pb_setup setup = {
        .config = pool->config, .lines = pool->config.on_output, .beat = cluster->beat, .lost_after = cluster->lost_after};
    if (!setup.config.spare_workers) setup.config.spare_workers = PEBBLE_NO_SPARES;
    const struct pb_procedure *given[] = {&pool->initializer, &pool->finalizer};
    struct pb_setup_procedure *told[] = {&setup.initializer, &setup.finalizer};
    for (size_t i = 0; i < PB_COUNT(given); i++) {
        if (!given[i]->given) continue;
        const struct pb_function_ref *function = &given[i]->function;
        *told[i] = (struct pb_setup_procedure){
            .given = true,
            .place = {.id = function->image->id, .offset = function->offset, .path = function->image->path},
            .input = given[i]->input,
            .length = given[i]->length,
        };
    }
    pb_setup_write(&node->out, &setup);
    pb_node_send(node);
}

/* The same name for as long as outcomes may speak of it. NULL: no memory. */
static const char *name_of(struct pb_cluster *cluster, const char *name)
{
    for (const struct pb_host *host = cluster->hosts; host; host = host->next)
        if (strcmp(host->name, name) == 0) return host->name;
    size_t size = strlen(name) + 1;
    struct pb_host *host = malloc(sizeof *host + size);
    if (!host) return NULL;
    host->next = cluster->hosts;
    cluster->hosts = host;
    return memcpy(host->name, name, size);
}

static bool make_places(struct pb_node *node, unsigned slots)
{
    unsigned count = PB_PLACES(slots);
    struct pb_node_place *made = calloc(count, sizeof *made);
    if (!made) return false;
    free(node->places);
    node->places = made;
    node->place_count = count;
    node->spare = count - slots;
    node->first_free = 0;
    for (unsigned i = 0; i < count; i++)
        made[i].next = i + 1;
    return true;
}

bool pb_node_on_hello(struct pb_node *node, const struct pb_wire_frame *frame, enum pebble_cause *ret_cause)
{
    struct pebble_pool *pool = node->pool;
    struct pb_cluster *cluster = pool->cluster;
    struct pb_hello hello;
    if (!pb_hello_read(frame, &hello)) return false;
    if (hello.version != PB_WIRE_VERSION || memcmp(&hello.program, &cluster->image, sizeof cluster->image) != 0) {
        *ret_cause = PEBBLE_CAUSE_OTHER_PROGRAM;
        return false;
    }
    const char *host = name_of(cluster, *node->name ? node->name : hello.host);
    if (!host || !make_places(node, hello.slots)) return false;
    node->host = host;
    node->failures = pool->failures = 0;
    pb_node_enter(node, PB_NODE_UP);
    pb_node_count(node, (int)hello.slots, 0);
    atomic_fetch_add(&pool->count.started, hello.slots);
    node->joined++;
    pb_watch_arm(pool, &node->alarm, pb_after(pb_now(), cluster->beat));
    set_up(node);
    return true;
}

/* --- going --- */

static void tell_to_go(struct pb_node *node, enum pb_wire_kind how, int64_t now)
{
    pb_node_enter(node, PB_NODE_LEAVING);
    node->heard = now;
    pb_wire_say(&node->out, how, 0);
    pb_node_send(node);
}

void pb_node_retire_slot(struct pb_node *node, int64_t now)
{
    pb_node_count(node, -1, 0);
    if (node->idle + node->busy == 0) tell_to_go(node, PB_WIRE_CLOSE, now);
}

void pb_node_stop(struct pb_node *node, int64_t now)
{
    if (node->state == PB_NODE_STARTING) pb_node_lose(node, PEBBLE_CAUSE_STOPPED, 0, now);
    if (node->state != PB_NODE_UP) return;
    pb_node_cancel_jobs(node);
    pb_node_count(node, -(int)node->idle, 0);
    tell_to_go(node, PB_WIRE_STOP, now);
}

static void await_launcher(struct pb_node *node, int64_t now)
{
    struct pebble_pool *pool = node->pool;
    if (!node->in_peace) pb_proc_terminate(&node->launched.proc);
    pb_node_enter(node, PB_NODE_ENDING);
    pb_watch_arm(pool, &node->alarm, pb_after(now, FAREWELL));
    if (node->launched.proc.pidfd < 0 || pb_watch_add(pool, node->launched.proc.pidfd, &node->launcher) < 0)
        pb_node_on_launcher(node, now);
}

void pb_node_lose(struct pb_node *node, enum pebble_cause cause, int error, int64_t now)
{
    bool starting = node->state == PB_NODE_STARTING;
    if (!starting && !node->in_peace) node->losses++;
    pb_node_close(node);
    pb_node_enter(node, PB_NODE_LEAVING);
    pb_node_lose_jobs(node);
    pb_node_count(node, -(int)node->idle, 0);
    await_launcher(node, now);
    if (starting && cause != PEBBLE_CAUSE_STOPPED) pb_start_failed(node->pool, cause, error, NULL, node->born);
}

void pb_node_on_launcher(struct pb_node *node, int64_t now)
{
    pb_watch_remove(node->pool, node->launched.proc.pidfd);
    pb_proc_done(&node->launched.proc);
    pb_watch_arm(node->pool, &node->alarm, INT64_MAX);
    if (node->in_peace)
        pb_node_enter(node, PB_NODE_DOWN);
    else
        rest(node, now);
}

/* --- time --- */

static void beat(struct pb_node *node, int64_t now)
{
    const struct pb_cluster *cluster = node->pool->cluster;
    if (node->paused) node->heard = now; /* it may have said something */
    if (now - node->heard >= cluster->lost_after) {
        pb_node_lose(node, PEBBLE_CAUSE_NODE, 0, now);
        return;
    }
    if (now - node->said >= cluster->beat) {
        node->said = now;
        pb_wire_say(&node->out, PB_WIRE_BEAT, 0);
        pb_node_send(node);
    }
    pb_watch_arm(node->pool, &node->alarm, pb_after(now, cluster->beat));
}

void pb_node_on_alarm(struct pb_node *node, int64_t now)
{
    switch (node->state) {
    case PB_NODE_STARTING: pb_node_lose(node, PEBBLE_CAUSE_NODE, ETIMEDOUT, now); break;
    case PB_NODE_UP:
    case PB_NODE_LEAVING: beat(node, now); break;
    case PB_NODE_ENDING:
        if (node->in_peace)
            pb_proc_terminate(&node->launched.proc);
        else
            pb_proc_kill(&node->launched.proc);
        node->in_peace = false;
        pb_watch_arm(node->pool, &node->alarm, pb_after(now, FAREWELL));
        break;
    case PB_NODE_RESTING: pb_node_enter(node, PB_NODE_DOWN); break;
    case PB_NODE_DOWN: break;
    }
}
