/* SPDX-License-Identifier: Apache-2.0
 * A hierarchical timing wheel: which timers are due, and when to look again.
 * Pure data: no clock, no allocation. A moment is nanoseconds (int64_t, all of
 * its range) on whatever clock the caller keeps to. */
#ifndef PB_WHEEL_H
#define PB_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PB_WHEEL_ROWS 8
#define PB_WHEEL_SLOTS 64

/* Owned by the caller, who keeps it in place while it is armed. Zeroed: disarmed. */
struct pb_timer {
    struct pb_timer *next;
    struct pb_timer **link; /* what points here; NULL when disarmed */
    int64_t deadline;
    uint16_t slot;
};

struct pb_wheel_slot {
    struct pb_timer *first, **last;
    int64_t earliest; /* no timer in it is due before; INT64_MAX when empty */
};

/* Owned by the caller, and not to be moved. The slot after the rows holds what has expired. */
struct pb_wheel {
    int64_t now;
    size_t count;
    uint64_t occupied[PB_WHEEL_ROWS + 1]; /* a bit for each slot */
    struct pb_wheel_slot slots[PB_WHEEL_ROWS * PB_WHEEL_SLOTS + 1];
};

#pragma GCC visibility push(hidden)

/* An empty wheel whose time is now. */
void pb_wheel_init(struct pb_wheel *wheel, int64_t now);

/* Arms the timer, or moves one already armed. A deadline in the past expires at
 * the next advance. O(1). */
void pb_wheel_arm(struct pb_wheel *wheel, struct pb_timer *timer, int64_t deadline);

/* Legal whatever the timer's state: it may be expired, or not armed. O(1). */
void pb_wheel_disarm(struct pb_wheel *wheel, struct pb_timer *timer);

/* True from arm until disarm, or until pb_wheel_expired has handed the timer out. */
bool pb_timer_armed(const struct pb_timer *timer);

/* What it was last armed for. */
int64_t pb_timer_deadline(const struct pb_timer *timer);

/* Tells the time: every timer with deadline <= now is expired after it, and no
 * other. A now earlier than the last is ignored. O(slots + timers moved). */
void pb_wheel_advance(struct pb_wheel *wheel, int64_t now);

/* Takes one expired timer, which is then disarmed; NULL when there is none. Equal
 * deadlines come in the order of arming, others in no order to rely on. Arming and
 * disarming anything between two calls is legal. */
struct pb_timer *pb_wheel_expired(struct pb_wheel *wheel);

/* The moment to call advance at, never after the earliest deadline; INT64_MAX when
 * empty. It is that deadline exactly, save that it may still be the deadline of a
 * timer since disarmed: each such timer costs at most one call too many. O(1). */
int64_t pb_wheel_next(const struct pb_wheel *wheel);

/* Timers armed, those expired and not yet taken among them. */
size_t pb_wheel_count(const struct pb_wheel *wheel);

/* Whether the wheel is consistent. O(slots + timers), for tests. */
bool pb_wheel_check(const struct pb_wheel *wheel);

#pragma GCC visibility pop
#endif
