/* SPDX-License-Identifier: Apache-2.0
 *
 * Time is counted in ticks of 2^16 ns, and a tick number is eight digits of six
 * bits. A timer lies in the row of the highest digit in which its tick differs
 * from now's, in the slot which that digit of its own tick names. Hence
 *
 *  - eight rows hold every int64_t: nothing is out of range;
 *  - all of a row comes before the next row, and in a row slots are in order of
 *    time: the earliest slot is the lowest bit of the lowest row in use;
 *  - a timer's slot follows from now and the deadline alone, so equal deadlines
 *    always share one, and a list appended to keeps them in order of arming;
 *  - when now moves, its highest digit to change tells all: the rows below are
 *    past, its own row is past up to the new digit, the rows above stand. Only in
 *    the slot of the new digit can timers be left over, and they move down.
 *
 * Nobody is woken just to move timers down: a slot knows a lower bound of its
 * deadlines, kept by arm and not by disarm, which would have to search. */
#include "wheel.h"

enum {
    TICK_BITS = 16,
    DIGIT_BITS = 6,
    EXPIRED = PB_WHEEL_ROWS * PB_WHEEL_SLOTS,
};

_Static_assert(1 << DIGIT_BITS == PB_WHEEL_SLOTS, "a digit names a slot");
_Static_assert(TICK_BITS + PB_WHEEL_ROWS * DIGIT_BITS == 64, "the rows cover all of time");

/* The order of int64_t is kept: INT64_MIN is in tick 0. */
static uint64_t tick_of(int64_t moment)
{
    return ((uint64_t)moment ^ UINT64_C(1) << 63) >> TICK_BITS;
}

/* The highest digit in which they differ; 0 when they do not. */
static unsigned row_of(uint64_t tick, uint64_t now)
{
    return (63 - (unsigned)__builtin_clzll((tick ^ now) | 1)) / DIGIT_BITS;
}

static unsigned digit_of(uint64_t tick, unsigned row)
{
    return (unsigned)(tick >> row * DIGIT_BITS) % PB_WHEEL_SLOTS;
}

static unsigned slot_of(const struct pb_wheel *wheel, int64_t deadline)
{
    uint64_t tick = tick_of(deadline), now = tick_of(wheel->now);
    if (tick < now) tick = now;
    unsigned row = row_of(tick, now);
    return row * PB_WHEEL_SLOTS + digit_of(tick, row);
}

static uint64_t bit_of(unsigned index)
{
    return UINT64_C(1) << index % PB_WHEEL_SLOTS;
}

static void vacate(struct pb_wheel *wheel, unsigned index)
{
    struct pb_wheel_slot *slot = &wheel->slots[index];
    slot->first = NULL;
    slot->last = &slot->first;
    slot->earliest = INT64_MAX;
    wheel->occupied[index / PB_WHEEL_SLOTS] &= ~bit_of(index);
}

static void append(struct pb_wheel *wheel, struct pb_timer *timer, unsigned index)
{
    struct pb_wheel_slot *slot = &wheel->slots[index];
    timer->next = NULL;
    timer->link = slot->last;
    timer->slot = (uint16_t)index;
    *slot->last = timer;
    slot->last = &timer->next;
    if (timer->deadline < slot->earliest) slot->earliest = timer->deadline;
    wheel->occupied[index / PB_WHEEL_SLOTS] |= bit_of(index);
}

/* Takes the slot's timers to where they belong now. */
static void empty(struct pb_wheel *wheel, unsigned index)
{
    struct pb_timer *timer = wheel->slots[index].first, *next;
    vacate(wheel, index);
    for (; timer; timer = next) {
        next = timer->next;
        append(wheel, timer, timer->deadline <= wheel->now ? EXPIRED : slot_of(wheel, timer->deadline));
    }
}

/* Empties those slots of the row that now has reached. */
static void sweep(struct pb_wheel *wheel, unsigned row, uint64_t reached)
{
    for (uint64_t left = wheel->occupied[row] & reached; left; left &= left - 1) {
        unsigned index = row * PB_WHEEL_SLOTS + (unsigned)__builtin_ctzll(left);
        /* Of the tick we are in, nothing may be due yet: then all of it would stay. */
        if (row == 0 && wheel->slots[index].earliest > wheel->now) continue;
        empty(wheel, index);
    }
}

void pb_wheel_init(struct pb_wheel *wheel, int64_t now)
{
    *wheel = (struct pb_wheel){.now = now};
    for (unsigned index = 0; index <= EXPIRED; index++)
        vacate(wheel, index);
}

void pb_wheel_arm(struct pb_wheel *wheel, struct pb_timer *timer, int64_t deadline)
{
    pb_wheel_disarm(wheel, timer);
    timer->deadline = deadline;
    append(wheel, timer, slot_of(wheel, deadline));
    wheel->count++;
}

void pb_wheel_disarm(struct pb_wheel *wheel, struct pb_timer *timer)
{
    if (!pb_timer_armed(timer)) return;
    struct pb_wheel_slot *slot = &wheel->slots[timer->slot];
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    else
        slot->last = timer->link;
    if (!slot->first) vacate(wheel, timer->slot);
    timer->next = NULL;
    timer->link = NULL;
    wheel->count--;
}

bool pb_timer_armed(const struct pb_timer *timer)
{
    return timer->link != NULL;
}

int64_t pb_timer_deadline(const struct pb_timer *timer)
{
    return timer->deadline;
}

void pb_wheel_advance(struct pb_wheel *wheel, int64_t now)
{
    if (now < wheel->now) return;
    uint64_t tick = tick_of(now);
    unsigned row = row_of(tick, tick_of(wheel->now));
    wheel->now = now;
    /* Upwards, since this is the order of time. What is left over from the last
     * slot goes to rows already swept. */
    for (unsigned below = 0; below < row; below++)
        sweep(wheel, below, UINT64_MAX);
    sweep(wheel, row, UINT64_MAX >> (PB_WHEEL_SLOTS - 1 - digit_of(tick, row)));
}

struct pb_timer *pb_wheel_expired(struct pb_wheel *wheel)
{
    struct pb_timer *timer = wheel->slots[EXPIRED].first;
    if (timer) pb_wheel_disarm(wheel, timer);
    return timer;
}

int64_t pb_wheel_next(const struct pb_wheel *wheel)
{
    int64_t expired = wheel->slots[EXPIRED].earliest;
    for (unsigned row = 0; row < PB_WHEEL_ROWS; row++) {
        uint64_t occupied = wheel->occupied[row];
        if (!occupied) continue;
        unsigned index = row * PB_WHEEL_SLOTS + (unsigned)__builtin_ctzll(occupied);
        int64_t earliest = wheel->slots[index].earliest;
        return earliest < expired ? earliest : expired; /* one armed in the past can be earlier */
    }
    return expired;
}

size_t pb_wheel_count(const struct pb_wheel *wheel)
{
    return wheel->count;
}

static bool timer_check(const struct pb_wheel *wheel, const struct pb_timer *timer, unsigned index)
{
    bool placed = index == EXPIRED ? timer->deadline <= wheel->now : index == slot_of(wheel, timer->deadline);
    return placed && timer->slot == index && wheel->slots[index].earliest <= timer->deadline;
}

/* Adds the slot's timers to *count. A cycle ends it too, since not all its links can be right. */
static bool slot_check(const struct pb_wheel *wheel, unsigned index, size_t *count)
{
    const struct pb_wheel_slot *slot = &wheel->slots[index];
    struct pb_timer *const *link = &slot->first;
    for (; *link; link = &(*link)->next, ++*count)
        if ((*link)->link != link || !timer_check(wheel, *link, index)) return false;
    if (!slot->first && slot->earliest != INT64_MAX) return false;
    bool occupied = wheel->occupied[index / PB_WHEEL_SLOTS] & bit_of(index);
    return slot->last == link && occupied == (slot->first != NULL);
}

bool pb_wheel_check(const struct pb_wheel *wheel)
{
    size_t count = 0;
    for (unsigned index = 0; index <= EXPIRED; index++)
        if (!slot_check(wheel, index, &count)) return false;
    return count == wheel->count;
}
