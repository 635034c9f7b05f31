/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "wire.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC UINT32_C(0x50425701) /* "PBW", and the version of the frames */
#define HEAD 24                    /* bytes before a body */
#define FIRST ((size_t)4 << 10)    /* bytes of a new buffer */
#define KEPT ((size_t)1 << 20)     /* a buffer that is larger is not kept when it is empty */
#define GREETING_LENGTH (sizeof PB_WIRE_GREETING - 1)

static uint64_t read_64(const unsigned char *from)
{
    uint64_t number;
    memcpy(&number, from, sizeof number);
    return le64toh(number);
}

static uint32_t read_32(const unsigned char *from)
{
    uint32_t number;
    memcpy(&number, from, sizeof number);
    return le32toh(number);
}

static void write_64(unsigned char *to, uint64_t number)
{
    number = htole64(number);
    memcpy(to, &number, sizeof number);
}

static void write_32(unsigned char *to, uint32_t number)
{
    number = htole32(number);
    memcpy(to, &number, sizeof number);
}

/* --- coming in --- */

/* Whether a head is one of ours; its body is not there yet. */
static int check(const struct pb_wire_in *in, const unsigned char *head)
{
    uint32_t kind = read_32(head + 4);
    if (read_32(head) != MAGIC || kind == 0 || kind >= PB_WIRE_KINDS) return -EPROTO;
    uint64_t length = read_64(head + 16);
    return length > in->max_body || length > SIZE_MAX / 4 ? -EFBIG : 0;
}

/* Room for half as much again, at least: so it grows with what comes, not with what is said to come. */
void *pb_wire_in_room(struct pb_wire_in *in, size_t *ret_size)
{
    size_t left = in->filled - in->taken;
    if (in->taken) memmove(in->bytes, in->bytes + in->taken, left);
    in->taken = 0;
    in->filled = left;
    if (left == 0 && in->capacity > KEPT) pb_wire_in_done(in);
    if (in->capacity - left < FIRST / 2 || in->capacity - left < left / 2) {
        size_t capacity = in->capacity ? 2 * in->capacity : FIRST;
        unsigned char *bytes = realloc(in->bytes, capacity);
        if (!bytes) return NULL;
        in->bytes = bytes;
        in->capacity = capacity;
    }
    *ret_size = in->capacity - left;
    return in->bytes + left;
}

void pb_wire_in_filled(struct pb_wire_in *in, size_t count)
{
    in->filled += count;
}

void pb_wire_in_done(struct pb_wire_in *in)
{
    free(in->bytes);
    in->bytes = NULL;
    in->taken = in->filled = in->capacity = 0;
}

/* Passes over what is said before the greeting. As pb_wire_in_next. */
static int find_greeting(struct pb_wire_in *in)
{
    size_t there = in->filled - in->taken;
    const unsigned char *start = in->bytes + in->taken;
    const unsigned char *found = there ? memmem(start, there, PB_WIRE_GREETING, GREETING_LENGTH) : NULL;
    size_t passed = found                     ? (size_t)(found - start)
                    : there < GREETING_LENGTH ? 0
                                              : there - GREETING_LENGTH + 1;
    in->skipped += passed;
    in->taken += passed;
    if (in->skipped > PB_WIRE_NOISE) return -EPROTO;
    if (!found) return 0;
    in->taken += GREETING_LENGTH;
    in->greeted = true;
    return 1;
}

int pb_wire_in_next(struct pb_wire_in *in, struct pb_wire_frame *ret_frame)
{
    int rc = in->greeted ? 1 : find_greeting(in);
    if (rc <= 0) return rc;
    if (in->filled - in->taken < HEAD) return 0;
    const unsigned char *head = in->bytes + in->taken;
    if ((rc = check(in, head)) < 0) return rc;
    size_t length = (size_t)read_64(head + 16);
    if (in->filled - in->taken - HEAD < length) return 0;
    in->taken += HEAD + length;
    *ret_frame = (struct pb_wire_frame){
        .kind = (enum pb_wire_kind)read_32(head + 4), .job = read_64(head + 8), .body = head + HEAD, .length = length};
    return 1;
}

/* --- going out --- */

/* Room for so many more bytes; NULL, for ever: no memory. */
static unsigned char *room_for(struct pb_wire_out *out, size_t count)
{
    if (out->failed) return NULL;
    if (count > SIZE_MAX / 4 || out->filled > SIZE_MAX / 4) {
        out->failed = true;
        return NULL;
    }
    if (out->capacity - out->filled < count) {
        size_t capacity = out->capacity ? 2 * out->capacity : FIRST;
        if (capacity < out->filled + count) capacity = out->filled + count;
        unsigned char *bytes = realloc(out->bytes, capacity);
        out->failed = !bytes;
        if (!bytes) return NULL;
        out->bytes = bytes;
        out->capacity = capacity;
    }
    out->filled += count;
    return out->bytes + out->filled - count;
}

void pb_wire_greet(struct pb_wire_out *out)
{
    unsigned char *room = room_for(out, GREETING_LENGTH);
    if (room) memcpy(room, PB_WIRE_GREETING, GREETING_LENGTH);
}

void pb_wire_begin(struct pb_wire_out *out, enum pb_wire_kind kind, uint64_t job)
{
    out->begun = out->filled;
    unsigned char *head = room_for(out, HEAD);
    if (!head) return;
    write_32(head, MAGIC);
    write_32(head + 4, kind);
    write_64(head + 8, job);
}

void pb_wire_put(struct pb_wire_out *out, uint64_t number)
{
    unsigned char *room = room_for(out, sizeof number);
    if (room) write_64(room, number);
}

void pb_wire_put_bytes(struct pb_wire_out *out, const void *bytes, size_t length)
{
    pb_wire_put(out, length);
    unsigned char *room = room_for(out, length);
    if (room && length) memcpy(room, bytes, length);
}

void pb_wire_end(struct pb_wire_out *out)
{
    if (!out->failed) write_64(out->bytes + out->begun + 16, out->filled - out->begun - HEAD);
}

void pb_wire_say(struct pb_wire_out *out, enum pb_wire_kind kind, uint64_t job)
{
    pb_wire_begin(out, kind, job);
    pb_wire_end(out);
}

const void *pb_wire_out_bytes(const struct pb_wire_out *out, size_t *ret_length)
{
    *ret_length = out->filled - out->sent;
    return *ret_length ? out->bytes + out->sent : NULL;
}

void pb_wire_out_sent(struct pb_wire_out *out, size_t count)
{
    out->sent += count;
    size_t left = out->filled - out->sent;
    if (left > out->sent) return; /* a byte is moved once at most for each that was sent */
    if (left) memmove(out->bytes, out->bytes + out->sent, left);
    out->filled = left;
    out->sent = 0;
    if (left == 0 && out->capacity > KEPT) pb_wire_out_done(out);
}

void pb_wire_out_done(struct pb_wire_out *out)
{
    free(out->bytes);
    out->bytes = NULL;
    out->sent = out->filled = out->capacity = 0;
}

/* --- a body --- */

struct pb_wire_body pb_wire_body_of(const struct pb_wire_frame *frame)
{
    return (struct pb_wire_body){.at = frame->body, .left = frame->length};
}

static const unsigned char *take(struct pb_wire_body *body, size_t count)
{
    if (body->bad || body->left < count) {
        body->bad = true;
        return NULL;
    }
    body->at += count;
    body->left -= count;
    return body->at - count;
}

uint64_t pb_wire_take(struct pb_wire_body *body)
{
    const unsigned char *from = take(body, sizeof(uint64_t));
    return from ? read_64(from) : 0;
}

const void *pb_wire_take_bytes(struct pb_wire_body *body, size_t *ret_length)
{
    uint64_t length = pb_wire_take(body);
    const unsigned char *from = length > SIZE_MAX ? take(body, SIZE_MAX) : take(body, (size_t)length);
    *ret_length = from ? (size_t)length : 0;
    return from;
}

bool pb_wire_body_is_read(const struct pb_wire_body *body)
{
    return !body->bad && body->left == 0;
}
