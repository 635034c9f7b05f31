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
};

/* One element's result in a reply. */
struct pb_chunk_result {
    int32_t code;
    const void *data;
    size_t length;
};

PB_HIDDEN_BEGIN

/* Begins a chunk for a function: found by its place in an image, or, when that
 * is NULL, by its address in this process. 0 or -ENOMEM. */
int pb_chunk_begin(struct pb_chunk *chunk, const struct pb_function_ref *place, pebble_function function);

/* Adds an element. 0 or -ENOMEM. */
int pb_chunk_add(struct pb_chunk *chunk, const void *data, size_t length);

/* The elements one after the other: *at is 0 first. False: there are no more. */
bool pb_chunk_element(const struct pb_chunk *chunk, size_t *at, const void **ret_data, size_t *ret_length);

void pb_chunk_done(struct pb_chunk *chunk);

/* The task function of a job whose input is a chunk. */
int pb_chunk_run(pebble_call *call);

/* The results of a reply one after the other: *at is 0 first. False: there is no such result. */
bool pb_chunk_result(const void *reply, size_t length, size_t *at, struct pb_chunk_result *ret_result);

PB_HIDDEN_END
#endif
