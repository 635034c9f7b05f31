/* SPDX-License-Identifier: Apache-2.0
 * Several elements as the input of one job, and their results as its reply.
 * What comes from a worker is checked. */
#ifndef PB_CHUNK_H
#define PB_CHUNK_H

#include "compat.h"
#include "image.h"

/* Elements as they are gathered: bytes for a job's input. */
struct pb_chunk {
    char *bytes;
    size_t length, capacity;
    size_t count;
    size_t last; /* where the head of the last run is; 0: there is none */
};

/* The elements of a chunk, or the results of a reply, one after the other. */
struct pb_pieces {
    const char *bytes;
    size_t length, at;
    /* of those that come next */
    uint64_t each;
    uint32_t left;
    int32_t code;
};

/* One of them. */
struct pb_piece {
    int32_t code; /* of a result */
    const void *data; /* NULL when length is 0 */
    size_t length;
};

PB_HIDDEN_BEGIN

/* Begins a chunk for a function: found by its place in an image, or, when that
 * is NULL, by its address in this process. 0 or -ENOMEM. */
int pb_chunk_begin(struct pb_chunk *chunk, const struct pb_function_ref *place, pebble_function function);

/* Adds an element. 0 or -ENOMEM. */
int pb_chunk_add(struct pb_chunk *chunk, const void *data, size_t length);

struct pb_pieces pb_chunk_elements(const struct pb_chunk *chunk);

void pb_chunk_done(struct pb_chunk *chunk);

/* The task function of a job whose input is a chunk. */
int pb_chunk_run(pebble_call *call);

struct pb_pieces pb_chunk_results(const void *reply, size_t length);

/* The next one. False: there is none, or not the whole of it. */
bool pb_pieces_next(struct pb_pieces *pieces, struct pb_piece *ret_piece);

PB_HIDDEN_END
#endif
