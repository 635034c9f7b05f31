/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "room.h"
#include "clock.h"
#include "futex.h"

#include <stdlib.h>

void pb_room_init(struct pb_room *room, size_t places)
{
    atomic_init(&room->places, places);
}

static bool try(struct pb_room *room)
{
    size_t places = atomic_load(&room->places);
    while (places)
        if (atomic_compare_exchange_weak(&room->places, &places, places - 1)) return true;
    return false;
}

int pb_room_take(struct pb_room *room, int64_t timeout)
{
    if (try(room)) return 0;
    if (timeout == 0) return -EAGAIN;
    int64_t deadline = pb_after(pb_now(), timeout);
    int rc = 0;
    atomic_fetch_add(&room->waiting, 1);
    for (;;) {
        uint32_t turn = atomic_load(&room->turn);
        bool closed = atomic_load(&room->closed);
        if (closed || try(room)) {
            rc = closed ? -ESHUTDOWN : 0;
            break;
        }
        if (rc == -ETIMEDOUT) break; /* and that was the last look */
        rc = pb_futex_wait(&room->turn, turn, deadline);
    }
    atomic_fetch_sub(&room->waiting, 1);
    return rc;
}

static void tell(struct pb_room *room)
{
    atomic_fetch_add(&room->turn, 1);
    pb_futex_wake_all(&room->turn);
}

void pb_room_give(struct pb_room *room)
{
    atomic_fetch_add(&room->places, 1);
    if (atomic_load(&room->waiting)) tell(room);
}

void pb_room_close(struct pb_room *room)
{
    atomic_store(&room->closed, true);
    tell(room);
}

/* Who gives a place looks for askers after that, who asks looks for places
 * after that: so one of them sees the other. */
int pb_room_ask(struct pb_room *room, void (*function)(void *arg), void *arg)
{
    struct pb_asker *asker = malloc(sizeof *asker);
    if (!asker) return -ENOMEM;
    *asker = (struct pb_asker){.next = atomic_load(&room->askers), .function = function, .arg = arg};
    while (!atomic_compare_exchange_weak(&room->askers, &asker->next, asker))
        continue;
    return 0;
}

bool pb_room_owes_call(struct pb_room *room)
{
    return atomic_load(&room->askers) && (atomic_load(&room->places) || atomic_load(&room->closed));
}

void pb_room_call(struct pb_room *room)
{
    atomic_fetch_add(&room->calling, 1);
    struct pb_asker *asker = atomic_exchange(&room->askers, NULL), *ordered = NULL, *next;
    for (; asker; asker = next) {
        next = asker->next;
        asker->next = ordered;
        ordered = asker;
    }
    for (; ordered; ordered = next) {
        next = ordered->next;
        ordered->function(ordered->arg);
        free(ordered);
    }
    atomic_fetch_sub(&room->calling, 1);
}

bool pb_room_is_quiet(struct pb_room *room)
{
    return !atomic_load(&room->askers) && atomic_load(&room->calling) == 0; /* in this order: see pb_room_call */
}
