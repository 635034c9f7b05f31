/* SPDX-License-Identifier: Apache-2.0
 * What goes between a pool and the agent of a node: a greeting of the agent's,
 * then frames both ways. Pure: bytes in, frames out, and the other way round;
 * who has the descriptors moves them.
 *
 *   magic, kind   32 bits each
 *   job           64 bits: its number; 0 where the frame is of none
 *   length        64 bits: bytes of the body that follows
 *
 * Numbers are little-endian. Whatever comes may come from a program that is no
 * agent of ours, so all of it is checked. */
#ifndef PB_WIRE_H
#define PB_WIRE_H

#include "compat.h"

#define PB_WIRE_VERSION 1
#define PB_WIRE_GREETING "\n\001pebble-agent\002\n" /* 16 bytes, before the agent's first frame */
#define PB_WIRE_NOISE ((size_t)64 << 10) /* bytes that may come before it: what a login shell says */
#define PB_WIRE_OVERHEAD ((uint64_t)64 << 10) /* of a body, besides the user's bytes in it */

enum pb_wire_kind {
    PB_WIRE_HELLO = 1, /* of the agent: version, which program, where */
    PB_WIRE_SETUP,     /* of the pool: its configuration */
    PB_WIRE_SUBMIT,    /* of the pool: a job */
    PB_WIRE_CANCEL,    /* of the pool: end that job */
    PB_WIRE_UPDATE,    /* of the agent: what that job has to say */
    PB_WIRE_OUTPUT,    /* of the agent: a line that a worker wrote */
    PB_WIRE_RESULT,    /* of the agent: what became of that job */
    PB_WIRE_GONE,      /* of the agent: nothing is left of that job, which had its result */
    PB_WIRE_BEAT,      /* of both, when there was nothing else to say for a while */
    PB_WIRE_CLOSE,     /* of the pool: no more jobs */
    PB_WIRE_STOP,      /* of the pool: end all that there are */
    PB_WIRE_BYE,       /* of the agent, the last: every job has its result, every worker is gone */
    PB_WIRE_KINDS,
};

/* A received frame. The body is valid until more bytes are asked for. */
struct pb_wire_frame {
    enum pb_wire_kind kind;
    uint64_t job;
    const unsigned char *body;
    size_t length;
};

/* Bytes that come in. Zeroed, with max_body set, it is empty. */
struct pb_wire_in {
    uint64_t max_body;
    bool greeted; /* there is no greeting to wait for, or it has come */
    unsigned char *bytes;
    size_t taken, filled, capacity; /* what is before `taken` was given out */
    size_t skipped;                 /* bytes before the greeting */
};

/* Bytes that go out. Zeroed it is empty. */
struct pb_wire_out {
    unsigned char *bytes;
    size_t sent, filled, capacity;
    size_t begun; /* where the frame is that is being put together */
    bool failed;  /* there was no memory: the link is of no more use */
};

/* A body that is being read. */
struct pb_wire_body {
    const unsigned char *at;
    size_t left;
    bool bad; /* more was asked for than there is */
};

PB_HIDDEN_BEGIN

/* --- coming in --- */

/* Where the next bytes go, and how many fit: more than 0, NULL: no memory. */
void *pb_wire_in_room(struct pb_wire_in *in, size_t *ret_size);
void pb_wire_in_filled(struct pb_wire_in *in, size_t count);

/* The next whole frame. 1: *ret_frame; 0: not here yet; -EPROTO: what came is
 * none, or no greeting; -EFBIG: its body is above max_body. */
int pb_wire_in_next(struct pb_wire_in *in, struct pb_wire_frame *ret_frame);

void pb_wire_in_done(struct pb_wire_in *in);

/* --- going out --- */

void pb_wire_greet(struct pb_wire_out *out);

/* Begins a frame, whose body is put after it, and ends it. */
void pb_wire_begin(struct pb_wire_out *out, enum pb_wire_kind kind, uint64_t job);
void pb_wire_put(struct pb_wire_out *out, uint64_t number);
void pb_wire_put_bytes(struct pb_wire_out *out, const void *bytes, size_t length); /* with their length */
void pb_wire_end(struct pb_wire_out *out);

/* A frame without a body. */
void pb_wire_say(struct pb_wire_out *out, enum pb_wire_kind kind, uint64_t job);

/* What is to be sent, and how many bytes; that so many of them were. */
const void *pb_wire_out_bytes(const struct pb_wire_out *out, size_t *ret_length);
void pb_wire_out_sent(struct pb_wire_out *out, size_t count);

void pb_wire_out_done(struct pb_wire_out *out);

/* --- a body --- */

struct pb_wire_body pb_wire_body_of(const struct pb_wire_frame *frame);

/* 0 and NULL once it is bad. Bytes are borrowed from the frame. */
uint64_t pb_wire_take(struct pb_wire_body *body);
const void *pb_wire_take_bytes(struct pb_wire_body *body, size_t *ret_length);

/* Whether all of it was read, and there was as much. */
bool pb_wire_body_is_read(const struct pb_wire_body *body);

PB_HIDDEN_END
#endif
