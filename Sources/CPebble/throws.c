/* SPDX-License-Identifier: Apache-2.0
 *
 * The Swift runtime calls a hook with each error that is thrown: with its box,
 * or, where the type of the errors is declared, with its type before there is a
 * box. Either is the key by which its backtrace is found when it leaves the job.
 *
 * A program may throw a million times a second, and an unwinder takes
 * microseconds. But who throws so often does it at the same place: as long as
 * the same return addresses lie at the same places of the same stack, the
 * backtrace is the one before. */
#include "compat.h"
#include "throws.h"
#include "tracerecord.h"
#include "unwind.h"
#include "pebble/backtrace.h"
#include "pebble/worker.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define SLOTS 32
#define HEADER 16 /* bytes that every object begins with */
#define CONTENT 80
#define EXISTENTIAL 0x303 /* the kind of a type like `any Error`, in its metadata */

/* A throw. What two threads want at one moment, one of them goes without. */
struct slot {
    atomic_bool taken;
    const void *key; /* NULL: empty */
    size_t size; /* of a box: as much of it as tells it from others; 0: there is none */
    char content[CONTENT];
    unsigned job, number; /* which of all throws */
    pthread_t thread;
    uintptr_t frame; /* where on that thread's stack */
    size_t count;
    bool truncated, placed;
    uintptr_t addresses[PB_TRACE_FRAMES];
    const uintptr_t *places[PB_TRACE_FRAMES]; /* of all of them on the stack, when `placed` */
};

typedef void (*throw_hook)(void *box);
typedef void (*typed_throw_hook)(void *value, const void *type, const void *conformance);

/* Absent where there is no Swift. */
extern _Atomic(throw_hook) _swift_willThrow __attribute__((weak));
extern _Atomic(typed_throw_hook) _swift_willThrowTypedImpl __attribute__((weak));

static struct slot slots[SLOTS];
static atomic_uint last, job, count;
static throw_hook next_hook; /* what was there before */
static typed_throw_hook next_typed_hook;

static bool take(struct slot *slot)
{
    return !atomic_exchange_explicit(&slot->taken, true, memory_order_acquire);
}

static void give(struct slot *slot)
{
    atomic_store_explicit(&slot->taken, false, memory_order_release);
}

static unsigned slot_of(const void *key)
{
    return (unsigned)(((uintptr_t)key >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 59);
}
static_assert(SLOTS == 1U << (64 - 59), "the bits that are left");

/* --- remembering --- */

/* From the innermost outwards: it is our stack as far as it is the same. */
static bool is_same(const struct slot *slot, pthread_t self, uintptr_t frame)
{
    if (!slot->placed || slot->frame != frame || !pthread_equal(slot->thread, self)) return false;
    for (size_t n = 0; n < slot->count; n++)
        if (*slot->places[n] != slot->addresses[n]) return false;
    return true;
}

static bool on_frame(void *arg, uintptr_t address, const uintptr_t *place)
{
    struct slot *slot = arg;
    if (slot->count == PB_TRACE_FRAMES) {
        slot->truncated = true;
        return false;
    }
    slot->addresses[slot->count] = address;
    slot->places[slot->count++] = place;
    slot->placed = slot->placed && place;
    return true;
}

static void walk(struct slot *slot, pthread_t self, uintptr_t frame)
{
    slot->thread = self;
    slot->frame = frame;
    slot->count = 0;
    slot->truncated = false;
    slot->placed = true;
    pb_unwind_above(frame, on_frame, slot);
}

static bool copy_if_same(struct slot *slot, struct slot *from, pthread_t self, uintptr_t frame)
{
    if (!take(from)) return false;
    bool same = is_same(from, self, frame);
    if (same) {
        slot->thread = self;
        slot->frame = frame;
        slot->count = from->count;
        slot->truncated = from->truncated;
        slot->placed = true;
        memcpy(slot->addresses, from->addresses, from->count * sizeof *from->addresses);
        memcpy(slot->places, from->places, from->count * sizeof *from->places);
    }
    give(from);
    return same;
}

/* The error and its type, as far as they go. */
static size_t content_size(const void *box)
{
    size_t size = malloc_usable_size((void *)(uintptr_t)box) - HEADER;
    return size < CONTENT ? size : CONTENT;
}

static void note_content(struct slot *slot, const void *box)
{
    slot->size = box ? content_size(box) : 0;
    if (slot->size) memcpy(slot->content, (const char *)box + HEADER, slot->size);
}

static bool has_content(const struct slot *slot, const void *box)
{
    return slot->size == content_size(box) && memcmp(slot->content, (const char *)box + HEADER, slot->size) == 0;
}

struct callers {
    size_t count;
    const uintptr_t *places[3];
};

static bool on_caller(void *arg, uintptr_t address, const uintptr_t *place)
{
    (void)address;
    struct callers *callers = arg;
    callers->places[callers->count++] = place;
    return callers->count < PB_COUNT(callers->places);
}

/* The same error in the same box, from further in of the function that throws it now (or that has it thrown, as a
 * result does): it was caught and is thrown on, and where it began counts. */
static bool is_thrown_on(const struct slot *slot, const void *box, pthread_t self, uintptr_t frame)
{
    if (slot->key != box || slot->frame >= frame || !slot->placed || !pthread_equal(slot->thread, self)) return false;
    if (!has_content(slot, box) || slot->job != atomic_load_explicit(&job, memory_order_relaxed)) return false;
    struct callers callers = {0};
    pb_unwind_above(frame, on_caller, &callers);
    for (size_t k = 1; k < callers.count; k++)
        for (size_t n = 0; callers.places[k] && n < slot->count; n++)
            if (slot->places[n] == callers.places[k] && *slot->places[n] == slot->addresses[n]) return true;
    return false;
}

static void remember(const void *key, bool boxed, uintptr_t frame)
{
    unsigned number = slot_of(key), before = atomic_load_explicit(&last, memory_order_relaxed);
    struct slot *slot = &slots[number];
    if (!take(slot)) return;
    pthread_t self = pthread_self();
    if (boxed && is_thrown_on(slot, key, self, frame)) {
        give(slot);
        return;
    }
    slot->key = key;
    slot->number = atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    note_content(slot, boxed ? key : NULL);
    slot->job = atomic_load_explicit(&job, memory_order_relaxed);
    bool same = is_same(slot, self, frame) || (before != number && copy_if_same(slot, &slots[before], self, frame));
    if (!same) walk(slot, self, frame);
    if (before != number) atomic_store_explicit(&last, number, memory_order_relaxed);
    give(slot);
}

__attribute__((noinline)) static void on_throw(void *box)
{
    remember(box, true, (uintptr_t)__builtin_frame_address(0));
    if (next_hook) next_hook(box);
}

__attribute__((noinline)) static void on_typed_throw(void *value, const void *type, const void *conformance)
{
    bool boxed = *(const uintptr_t *)type == EXISTENTIAL; /* a value of the type `any Error` is a box */
    remember(boxed ? *(void **)value : type, boxed, (uintptr_t)__builtin_frame_address(0));
    if (next_typed_hook) next_typed_hook(value, type, conformance);
}

void pb_throws_install(void)
{
    if (!&_swift_willThrow || !&_swift_willThrowTypedImpl) return;
    pb_unwind_prepare();
    next_hook = atomic_load(&_swift_willThrow);
    next_typed_hook = atomic_load(&_swift_willThrowTypedImpl);
    atomic_store(&_swift_willThrow, on_throw);
    atomic_store(&_swift_willThrowTypedImpl, on_typed_throw);
}

void pb_throws_forget(void)
{
    atomic_fetch_add_explicit(&job, 1, memory_order_relaxed);
}

/* --- telling --- */

/* The throw with that key, if it was in this job. */
static bool find(const void *key, struct pb_trace_record *ret_trace, unsigned *ret_number)
{
    struct slot *slot = &slots[slot_of(key)];
    if (!take(slot)) return false;
    bool found = slot->key == key && slot->job == atomic_load_explicit(&job, memory_order_relaxed);
    memset(ret_trace, 0, sizeof *ret_trace);
    for (size_t n = 0; found && n < slot->count; n++)
        pb_trace_add(ret_trace, slot->addresses[n]);
    ret_trace->truncated = slot->truncated;
    *ret_number = slot->number;
    give(slot);
    return found;
}

size_t pebble_thrown(const void *box, const void *type, void *buffer, size_t size)
{
    struct pb_trace_record boxed, typed;
    unsigned box_number = 0, type_number = 0;
    bool in_box = find(box, &boxed, &box_number), of_type = find(type, &typed, &type_number);
    if (in_box && of_type) in_box = (int)(box_number - type_number) > 0; /* the box may have been another error's */
    return in_box || of_type ? pb_trace_encode(in_box ? &boxed : &typed, buffer, size) : 0;
}
