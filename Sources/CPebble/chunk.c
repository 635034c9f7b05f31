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

/* Elements of one length (and results of one code) stand behind one head, which
 * would be larger than the small ones. Heads are aligned as the whole is. */
struct run {
    uint64_t length; /* of each */
    uint32_t count;
    int32_t code; /* of results */
};

static_assert(sizeof(struct run) % ALIGNMENT == 0, "heads keep what follows aligned");

static size_t padded(size_t length)
{
    return (length + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/* From one element to the next. Nothing that is as short as 1, 2, 4 or 8 bytes
 * can want a larger alignment than that. */
static size_t stride(size_t length)
{
    bool is_own_alignment = length <= 8 && (length & (length - 1)) == 0;
    return is_own_alignment ? length : padded(length);
}

/* --- elements, in the host --- */

/* Room for so many bytes behind what there is; what is between them is zero. */
static void *append(struct pb_chunk *chunk, size_t at, size_t length)
{
    size_t needed;
    if (__builtin_add_overflow(at, length, &needed) || needed > SIZE_MAX / 4) return NULL;
    if (needed > chunk->capacity) {
        size_t capacity = needed < 256 ? 256 : needed * 2;
        char *bytes = realloc(chunk->bytes, capacity);
        if (!bytes) return NULL;
        chunk->bytes = bytes;
        chunk->capacity = capacity;
    }
    memset(chunk->bytes + chunk->length, 0, at - chunk->length);
    chunk->length = needed;
    return chunk->bytes + at;
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
    char *at = append(chunk, 0, sizeof head + head.path_length);
    if (!at) return -ENOMEM;
    memcpy(at, &head, sizeof head);
    memcpy(at + sizeof head, path, head.path_length);
    return 0;
}

/* Room for one more element in the last run. NULL: there is no memory, or it does not fit into the run. */
static char *extend(struct pb_chunk *chunk, size_t length)
{
    struct run run;
    if (!chunk->last) return NULL;
    memcpy(&run, chunk->bytes + chunk->last, sizeof run);
    if (run.length != length || run.count == UINT32_MAX) return NULL;
    char *at = append(chunk, chunk->last + sizeof run + run.count * stride(length), length);
    if (!at) return NULL;
    run.count++;
    memcpy(chunk->bytes + chunk->last, &run, sizeof run);
    return at;
}

int pb_chunk_add(struct pb_chunk *chunk, const void *data, size_t length)
{
    char *at = length > SIZE_MAX / 4 ? NULL : extend(chunk, length);
    if (!at) {
        const struct run run = {.length = length, .count = 1};
        size_t head = padded(chunk->length);
        if (length > SIZE_MAX / 4 || !(at = append(chunk, head, sizeof run + length))) return -ENOMEM;
        memcpy(at, &run, sizeof run);
        at += sizeof run;
        chunk->last = head;
    }
    if (length) memcpy(at, data, length);
    chunk->count++;
    return 0;
}

void pb_chunk_done(struct pb_chunk *chunk)
{
    free(chunk->bytes);
    chunk->bytes = NULL;
}

/* --- both ways --- */

bool pb_pieces_next(struct pb_pieces *pieces, struct pb_piece *ret_piece)
{
    struct run run;
    if (pieces->left == 0) {
        size_t at = padded(pieces->at);
        if (pieces->length < at || pieces->length - at < sizeof run) return false;
        memcpy(&run, pieces->bytes + at, sizeof run);
        if (run.count == 0) return false;
        pieces->at = at + sizeof run;
        pieces->each = run.length;
        pieces->left = run.count;
        pieces->code = run.code;
    }
    if (pieces->length < pieces->at || pieces->each > pieces->length - pieces->at) return false;
    *ret_piece = (struct pb_piece){
        .code = pieces->code, .data = pieces->each ? pieces->bytes + pieces->at : NULL, .length = pieces->each};
    pieces->at += stride(pieces->each);
    pieces->left--;
    return true;
}

static size_t head_length(const char *bytes)
{
    struct head head;
    memcpy(&head, bytes, sizeof head);
    return padded(sizeof head + head.path_length);
}

struct pb_pieces pb_chunk_elements(const struct pb_chunk *chunk)
{
    return (struct pb_pieces){.bytes = chunk->bytes, .length = chunk->length, .at = head_length(chunk->bytes)};
}

struct pb_pieces pb_chunk_results(const void *reply, size_t length)
{
    return (struct pb_pieces){.bytes = reply, .length = length};
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

/* The last run of results in a reply. */
struct results {
    struct run run;
    size_t head; /* where it is */
};

#define SMALL 64 /* bytes: to move a larger result costs more than a head of its own */

static size_t end_of(const struct results *last)
{
    return last->head + sizeof last->run + last->run.count * stride(last->run.length);
}

static bool belongs_to(const struct results *last, int code, size_t length)
{
    const struct run *run = &last->run;
    return run->count && run->count < UINT32_MAX && run->length == length && run->code == code && length <= SMALL;
}

/* Has the function write its reply behind those before it, with room for a head in front, which it may not need. */
static bool run_element(struct pebble_call *call, pebble_function function, struct results *last)
{
    size_t end = call->reply_length, head = padded(end);
    if (!pebble_call_reserve(call, head + sizeof(struct run) - end)) return false;
    memset(call->reply + end, 0, head - end);
    call->reply_base = call->reply_length;
    int code = function(call);
    if (call->out_of_memory) {
        call->out_of_memory = false;
        call->reply_length = call->reply_base;
        code = -ENOMEM;
    }
    size_t length = call->reply_length - call->reply_base;
    if (belongs_to(last, code, length)) {
        size_t place = end_of(last);
        if (length) memmove(call->reply + place, call->reply + call->reply_base, length);
        call->reply_length = place + length;
    } else {
        *last = (struct results){{.length = length, .code = code}, head};
    }
    last->run.count++;
    memcpy(call->reply + last->head, &last->run, sizeof last->run);
    return true;
}

int pb_chunk_run(pebble_call *call)
{
    char *input = call->input;
    struct pb_pieces elements = {.bytes = input, .length = call->input_length, .at = head_length(input)};
    pebble_function function;
    int rc = find_function(input, &function);
    if (rc < 0) return rc;
    struct pb_piece element;
    struct results last = {0};
    for (uint32_t done = 0; pb_pieces_next(&elements, &element); done++) {
        if (call->link) pb_childlink_progress(call->link, call->number, done);
        call->input = element.data ? input + ((const char *)element.data - input) : input;
        call->input_length = element.length;
        if (!run_element(call, function, &last)) return -ENOMEM;
    }
    return 0;
}
