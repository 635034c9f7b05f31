/* SPDX-License-Identifier: Apache-2.0
 * The frames of the link between a host and a worker: a fixed header, then a
 * body. This file knows their layout and validity; joblink.c moves them.
 *
 *   body = payload, path, name   (path and name only in PB_FRAME_JOB)
 *
 * Both sides are the same program on the same machine, so the layout is the
 * struct's own; what comes from a worker is still checked field by field. */
#ifndef PB_FRAME_H
#define PB_FRAME_H

#include "compat.h"
#include "image.h"

#define PB_FRAME_MAGIC UINT32_C(0x50424c31) /* "PBL1": also the version of this protocol */
#define PB_FRAME_TEXT_MAX 4096              /* of a path or a name, in bytes */

enum pb_frame_kind {
    PB_FRAME_READY = 1,   /* worker: send me a job */
    PB_FRAME_JOB,         /* host: run this */
    PB_FRAME_REPLY,       /* worker: it returned `code`; payload is what it wrote */
    PB_FRAME_NO_FUNCTION, /* worker: there is no such function here */
    PB_FRAME_NO_MEMORY,   /* worker: the reply did not fit into memory */
    PB_FRAME_KINDS,
};

struct pb_frame {
    uint32_t magic;
    uint16_t kind;
    uint16_t path_length;
    uint16_t name_length;
    uint16_t reserved; /* 0 */
    int32_t code;
    uint64_t job;    /* the host's number of the job; 0 in READY */
    uint64_t length; /* of the payload, in bytes */
    uint64_t offset; /* JOB: the function */
    struct pb_image_id image;
    uint32_t reserved_too; /* 0 */
};

/* Who sent a frame. */
enum pb_frame_sender { PB_FROM_HOST, PB_FROM_WORKER };

PB_HIDDEN_BEGIN

/* 0; -EPROTO: no frame that this sender may send; -EFBIG: its payload is above the bound. */
int pb_frame_check(const struct pb_frame *frame, enum pb_frame_sender sender, uint64_t max_payload);

/* Bytes that follow the header of a valid frame. */
uint64_t pb_frame_body_length(const struct pb_frame *frame);

PB_HIDDEN_END
#endif
