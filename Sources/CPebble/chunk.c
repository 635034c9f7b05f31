/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "chunk.h"
#include "call.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT ((size_t)16) /* for any type, as the input of a call is */

/* Both sides are the same program on the same machine: the layouts are the structs' own. */
struct head {
    struct pb_image_id image;
    uint32_t path_length; /* of the text that follows */
    uint64_t offset;      /* in the image; or, with `here`, the function's address */
    uint64_t here;
};

struct piece {
    uint64_t length; /* of the bytes that follow, padded to the alignment */
    int64_t code;    /* of a result */
};

static_assert(sizeof(struct piece) % ALIGNMENT == 0, "pieces keep what follows aligned");

static size_t padded(size_t length)
{
    return (length + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/* --- elements, in the host --- */

static void *append(struct pb_chunk *chunk, size_t length)
{
    size_t needed;
    if (length > SIZE_MAX / 4 || __builtin_add_overflow(chunk->length, padded(length), &needed)) return NULL;
    if (needed > chunk->capacity) {
        size_t capacity = needed < 256 ? 256 : needed > SIZE_MAX / 4 ? needed : needed * 2;
        char *bytes = realloc(chunk->bytes, capacity);
        if (!bytes) return NULL;
        chunk->bytes = bytes;
        chunk->capacity = capacity;
    }
    char *place = chunk->bytes + chunk->length;
    memset(place + length, 0, padded(length) - length);
    chunk->length = needed;
    return place;
}

int pb_chunk_begin(struct pb_chunk *chunk, const struct pb_function_ref *place, pebble_function function)
{
    struct head head = {.here = !place};
    const char *path = place ? place->image->path : "";
    if (place) {
        head.image = place->image->id;
        head.offset = place->offset;
        head.path_length = (uint32_t)strlen(path);
    } else {
        memcpy(&head.offset, &function, sizeof function);
    }
    *chunk = (struct pb_chunk){0};
    char *at = append(chunk, sizeof head + head.path_length);
    if (!at) return -ENOMEM;
    memcpy(at, &head, sizeof head);
    memcpy(at + sizeof head, path, head.path_length);
    return 0;
}

int pb_chunk_add(struct pb_chunk *chunk, const void *data, size_t length)
{
    char *at = length > SIZE_MAX / 4 ? NULL : append(chunk, sizeof(struct piece) + length);
    if (!at) return -ENOMEM;
    memcpy(at, &(struct piece){.length = length}, sizeof(struct piece));
    if (length) memcpy(at + sizeof(struct piece), data, length);
    chunk->count++;
    return 0;
}

void pb_chunk_done(struct pb_chunk *chunk)
{
    free(chunk->bytes);
    chunk->bytes = NULL;
}

/* --- both ways --- */

/* The piece at *at, which moves behind it. False: there is none, or not the whole of it. */
static bool next_piece(const char *bytes, size_t length, size_t *at, struct piece *ret_piece, const char **ret_data)
{
    if (length < *at || length - *at < sizeof *ret_piece) return false;
    memcpy(ret_piece, bytes + *at, sizeof *ret_piece);
    size_t left = length - *at - sizeof *ret_piece;
    if (ret_piece->length > left || padded(ret_piece->length) > left) return false;
    *ret_data = bytes + *at + sizeof *ret_piece;
    *at += sizeof *ret_piece + padded(ret_piece->length);
    return true;
}

static size_t head_length(const char *bytes)
{
    struct head head;
    memcpy(&head, bytes, sizeof head);
    return padded(sizeof head + head.path_length);
}

bool pb_chunk_element(const struct pb_chunk *chunk, size_t *at, const void **ret_data, size_t *ret_length)
{
    struct piece piece;
    const char *data;
    if (*at == 0) *at = head_length(chunk->bytes);
    if (!next_piece(chunk->bytes, chunk->length, at, &piece, &data)) return false;
    *ret_data = data;
    *ret_length = piece.length;
    return true;
}

bool pb_chunk_result(const void *reply, size_t length, size_t *at, struct pb_chunk_result *ret_result)
{
    struct piece piece;
    const char *data;
    if (!next_piece(reply, length, at, &piece, &data)) return false;
    *ret_result = (struct pb_chunk_result){
        .code = (int32_t)piece.code, .data = piece.length ? data : NULL, .length = piece.length};
    return true;
}

/* --- in the worker --- */

static int find_function(const char *input, pebble_function *ret_function)
{
    struct head head;
    memcpy(&head, input, sizeof head);
    if (head.here) {
        memcpy(ret_function, &head.offset, sizeof *ret_function);
        return 0;
    }
    char *path = strndup(input + sizeof head, head.path_length);
    if (!path) return -ENOMEM;
    *ret_function = pb_image_resolve(&head.image, head.offset, path);
    free(path);
    return *ret_function ? 0 : -ENOEXEC;
}

/* Has the function write its reply behind those before it, under a head that is filled in afterwards. */
static bool run_element(struct pebble_call *call, pebble_function function)
{
    size_t head = call->reply_length;
    if (!pebble_call_reserve(call, sizeof(struct piece))) return false;
    call->reply_base = call->reply_length;
    struct piece piece = {.code = function(call)};
    if (call->out_of_memory) {
        call->out_of_memory = false;
        call->reply_length = call->reply_base;
        piece.code = -ENOMEM;
    }
    piece.length = call->reply_length - call->reply_base;
    size_t padding = padded(piece.length) - piece.length;
    char *pad = padding ? pebble_call_reserve(call, padding) : call->reply;
    if (!pad) return false;
    if (padding) memset(pad, 0, padding);
    memcpy(call->reply + head, &piece, sizeof piece);
    return true;
}

int pb_chunk_run(pebble_call *call)
{
    char *input = call->input;
    size_t length = call->input_length, at = head_length(input);
    pebble_function function;
    int rc = find_function(input, &function);
    if (rc < 0) return rc;
    struct piece piece;
    const char *data;
    for (uint32_t done = 0; next_piece(input, length, &at, &piece, &data); done++) {
        if (call->link) pb_childlink_progress(call->link, call->number, done);
        call->input = input + (data - input);
        call->input_length = piece.length;
        if (!run_element(call, function)) return -ENOMEM;
    }
    return 0;
}
