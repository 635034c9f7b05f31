/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "node.h"
#include "clock.h"
#include "fd.h"
#include "output.h"
#include "watch.h"

#include <sys/socket.h>
#include <unistd.h>

#define READS 16 /* in one turn: other nodes wait too */

void pb_node_send(struct pb_node *node)
{
    struct pebble_pool *pool = node->pool;
    size_t length;
    const void *bytes;
    bool broken = node->out.failed;
    while (!broken && (bytes = pb_wire_out_bytes(&node->out, &length))) {
        ssize_t n = send(node->launched.socket, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        broken = n <= 0;
        if (broken) break;
        pb_wire_out_sent(&node->out, (size_t)n);
        node->said = pb_now();
    }
    if (broken) shutdown(node->launched.socket, SHUT_RDWR); /* the loop reads its end */
    pb_wire_out_bytes(&node->out, &length);
    bool writing = length && !broken;
    if (writing != node->writing && !node->paused) pb_watch_writable(pool, node->launched.socket, &node->link, writing);
    node->writing = writing;
}

static bool take(struct pb_node *node, const struct pb_wire_frame *frame, enum pebble_cause *ret_cause)
{
    struct pebble_output_line line;
    if (node->state == PB_NODE_STARTING)
        return frame->kind == PB_WIRE_HELLO && pb_node_on_hello(node, frame, ret_cause);
    switch (frame->kind) {
    case PB_WIRE_BEAT: return true;
    case PB_WIRE_RESULT: return pb_node_on_result(node, frame);
    case PB_WIRE_GONE: return pb_node_on_gone(node, frame);
    case PB_WIRE_UPDATE: return pb_node_on_update(node, frame);
    case PB_WIRE_OUTPUT:
        if (!pb_line_read(frame, &line)) return false;
        pb_node_post_line(node->pool, &line);
        return true;
    case PB_WIRE_BYE:
        node->in_peace = node->state == PB_NODE_LEAVING && !pb_node_owes(node);
        return false;
    default: return false;
    }
}

static void pause_reading(struct pb_node *node)
{
    pb_watch_remove(node->pool, node->launched.socket);
    node->paused = true;
    node->pool->cluster->paused++;
}

bool pb_node_receive(struct pb_node *node, enum pebble_cause *ret_cause)
{
    *ret_cause = PEBBLE_CAUSE_NODE;
    for (int i = 0; i < READS; i++) {
        size_t room;
        void *place = pb_wire_in_room(&node->in, &room);
        ssize_t n = place ? read(node->launched.socket, place, room) : 0;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return true;
        if (n <= 0) return false;
        node->heard = pb_now();
        pb_wire_in_filled(&node->in, (size_t)n);
        struct pb_wire_frame frame;
        int rc;
        while ((rc = pb_wire_in_next(&node->in, &frame)) > 0)
            if (!take(node, &frame, ret_cause)) return false;
        if (rc < 0) return false;
        if (pb_output_is_clogged(node->pool)) {
            pause_reading(node);
            return true;
        }
        if ((size_t)n < room) return true;
    }
    return true;
}

void pb_node_resume(struct pb_node *node)
{
    node->paused = false;
    node->pool->cluster->paused--;
    node->heard = pb_now();
    pb_watch_add(node->pool, node->launched.socket, &node->link);
    if (node->writing) pb_watch_writable(node->pool, node->launched.socket, &node->link, true);
}

void pb_node_close(struct pb_node *node)
{
    if (node->paused)
        node->pool->cluster->paused--;
    else
        pb_watch_remove(node->pool, node->launched.socket);
    pb_close(&node->launched.socket);
    pb_wire_in_done(&node->in);
    pb_wire_out_done(&node->out);
    node->writing = node->paused = false;
}
