/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "call.h"
#include "blocks.h"
#include "mainqueue.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *pebble_call_input(pebble_call *call, size_t *ret_length)
{
    *ret_length = call->input_length;
    return call->input;
}

/* From one room to a larger one. False: that is not large enough, or not free. */
static bool move_to_room(struct pebble_call *call, size_t needed, char *larger(struct pb_childlink *), size_t capacity)
{
    if (!call->link || call->reply != call->room || needed > capacity) return false;
    char *room = larger(call->link);
    if (!room || room == call->room) return false;
    if (call->reply_length) memcpy(room, call->room, call->reply_length);
    call->reply = call->room = room;
    call->reply_capacity = capacity;
    return true;
}

static bool make_room(struct pebble_call *call, size_t length)
{
    size_t needed;
    if (__builtin_add_overflow(call->reply_length, length, &needed) || needed > PTRDIFF_MAX) return false;
    if (needed <= call->reply_capacity && call->reply) return true;
    if (move_to_room(call, needed, pb_childlink_large_room, PB_LARGE_SIZE) ||
        move_to_room(call, needed, pb_childlink_annex_room, PB_ANNEX_HALF))
        return true;
    size_t capacity = call->reply_capacity < 256 ? 256 : call->reply_capacity;
    while (capacity < needed)
        capacity = capacity > PTRDIFF_MAX / 2 ? needed : capacity * 2;
    bool in_room = call->reply == call->room;
    char *reply = realloc(in_room ? NULL : call->reply, capacity);
    if (!reply) return false;
    pb_block_advise(reply, capacity);
    if (in_room && call->reply_length) memcpy(reply, call->room, call->reply_length);
    call->reply = reply;
    call->reply_capacity = capacity;
    return true;
}

void *pebble_call_reserve(pebble_call *call, size_t length)
{
    if (!make_room(call, length)) {
        call->out_of_memory = true;
        return NULL;
    }
    void *place = call->reply + call->reply_length;
    call->reply_length += length;
    return place;
}

int pebble_call_write(pebble_call *call, const void *data, size_t length)
{
    void *place = pebble_call_reserve(call, length);
    if (!place) return -ENOMEM;
    if (length) memcpy(place, data, length);
    return 0;
}

void pebble_call_unwrite(pebble_call *call, size_t length)
{
    size_t own = call->reply_length - call->reply_base;
    call->reply_length -= length < own ? length : own;
}

/* That the calling thread is in, where it is one of a pool. */
static _Thread_local const struct pebble_call *current;

void pb_call_enter(struct pebble_call *call)
{
    current = call;
}

bool pb_call_current_is_unwanted(void)
{
    return current && pebble_call_cancelled(current);
}

int pebble_call_update(pebble_call *call, const void *data, size_t length)
{
    if (call->say) return call->say(call->teller, data, length);
    return call->link ? pb_childlink_update(call->link, call->number, data, length) : 0;
}

bool pebble_call_cancelled(const pebble_call *call)
{
    if (call->unwanted) return atomic_load(call->unwanted);
    return call->link && pb_childlink_cancelled(call->link, call->number);
}

void pebble_call_on_cancel(pebble_call *call, pebble_cancel_callback callback, void *arg)
{
    call->on_cancel = callback;
    call->on_cancel_arg = arg;
}

static void tell_cancelled(struct pebble_call *call)
{
    pebble_cancel_callback callback = call->on_cancel;
    if (!callback || !pebble_call_cancelled(call)) return;
    call->on_cancel = NULL;
    callback(call->on_cancel_arg);
}

/* Serves until the call is resumed, while it listens for being cancelled. */
static int serve(struct pebble_call *call)
{
    int rc;
    do {
        int doorbell = call->on_cancel && call->link ? pb_childlink_doorbell(call->link) : -1;
        tell_cancelled(call); /* after listening: what comes later rings */
        rc = pb_mainqueue_serve_until(call->resumption, POLLIN, doorbell);
        if (doorbell >= 0) pb_childlink_awake(call->link);
    } while (rc == 1);
    return rc;
}

int pebble_call_suspend(pebble_call *call)
{
    if (call->resumption < 0) return -EMFILE;
    int rc = serve(call);
    uint64_t count;
    while (rc == 0 && read(call->resumption, &count, sizeof count) < 0 && errno == EINTR)
        continue;
    return rc;
}

void pebble_call_resume(pebble_call *call)
{
    uint64_t one = 1;
    while (write(call->resumption, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

void pb_call_done(struct pebble_call *call)
{
    if (call->reply != call->room) free(call->reply);
    call->reply = NULL;
}
