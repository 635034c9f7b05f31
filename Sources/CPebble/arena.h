/* SPDX-License-Identifier: Apache-2.0
 * Room in a fixed stretch of memory, taken and given back in the same order.
 * Knows offsets only; the memory is somebody else's. */
#ifndef PB_ARENA_H
#define PB_ARENA_H

#include "compat.h"

#define PB_ARENA_ALIGNMENT 16

/* Positions only grow; a position's offset is its remainder by `size`. */
struct pb_arena {
    uint32_t size;       /* a multiple of the alignment */
    uint64_t head, tail; /* taken: [tail, head) */
};

PB_HIDDEN_BEGIN

void pb_arena_init(struct pb_arena *arena, uint32_t size);

/* The offset of `length` contiguous bytes, or -1 when there is no such room now. */
int64_t pb_arena_take(struct pb_arena *arena, uint64_t length);

/* Takes the largest contiguous room that there is: its offset, with its length
 * in *ret_length, or -1 when there is none at all. */
int64_t pb_arena_take_most(struct pb_arena *arena, uint32_t *ret_length);

/* Gives back all but `length` bytes of what was taken last, at `offset`. */
void pb_arena_keep(struct pb_arena *arena, int64_t offset, uint32_t length);

/* Stands for all that was taken so far. */
uint64_t pb_arena_mark(const struct pb_arena *arena);

/* Gives back what a mark stands for. */
void pb_arena_give_back(struct pb_arena *arena, uint64_t mark);

PB_HIDDEN_END
#endif
