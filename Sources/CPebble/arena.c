/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "arena.h"

static uint64_t aligned(uint64_t length)
{
    return (length + PB_ARENA_ALIGNMENT - 1) & ~(uint64_t)(PB_ARENA_ALIGNMENT - 1);
}

void pb_arena_init(struct pb_arena *arena, uint32_t size)
{
    *arena = (struct pb_arena){.size = size};
}

static uint64_t offset_of(const struct pb_arena *arena, uint64_t position)
{
    return position % arena->size;
}

static uint64_t next_lap(const struct pb_arena *arena)
{
    return arena->head - offset_of(arena, arena->head) + arena->size;
}

/* Contiguous room at the head. */
static uint64_t room_here(const struct pb_arena *arena)
{
    uint64_t to_end = arena->size - offset_of(arena, arena->head);
    uint64_t room = arena->size - (arena->head - arena->tail);
    return room < to_end ? room : to_end;
}

/* Contiguous room at the start of the next lap. */
static uint64_t room_there(const struct pb_arena *arena)
{
    uint64_t used = next_lap(arena) - arena->tail;
    return used < arena->size ? arena->size - used : 0;
}

int64_t pb_arena_take(struct pb_arena *arena, uint64_t length)
{
    if (length > arena->size) return -1;
    length = aligned(length);
    if (length > room_here(arena)) {
        if (length > room_there(arena)) return -1;
        arena->head = next_lap(arena);
    }
    uint64_t offset = offset_of(arena, arena->head);
    arena->head += length;
    return (int64_t)offset;
}

int64_t pb_arena_take_most(struct pb_arena *arena, uint32_t *ret_length)
{
    uint64_t here = room_here(arena), there = room_there(arena);
    uint64_t most = here >= there ? here : there;
    if (most == 0) return -1;
    *ret_length = (uint32_t)most;
    return pb_arena_take(arena, most);
}

void pb_arena_keep(struct pb_arena *arena, int64_t offset, uint32_t length)
{
    uint64_t back = offset_of(arena, arena->head + arena->size - (uint64_t)offset); /* taken, or 0 for a whole lap */
    uint64_t taken = back ? back : arena->size;
    arena->head -= taken - aligned(length);
}

uint64_t pb_arena_mark(const struct pb_arena *arena)
{
    return arena->head;
}

void pb_arena_give_back(struct pb_arena *arena, uint64_t mark)
{
    if (mark <= arena->tail) return; /* of nothing, or given back with what was before it */
    arena->tail = mark;
    /* Empty: begin at offset 0 again, so that a quiet worker touches few pages. */
    if (arena->tail == arena->head && offset_of(arena, arena->head)) arena->head = arena->tail = next_lap(arena);
}
