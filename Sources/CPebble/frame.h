/* SPDX-License-Identifier: Apache-2.0
 * The frames on the stream beside the shared memory of a link: bells, and what
 * is too large for the memory. This file knows their layout and validity;
 * stream.c moves them.
 *
 * Both sides are the same program on the same machine, so the layout is the
 * struct's own; what comes from a worker is still checked field by field. */
#ifndef PB_FRAME_H
#define PB_FRAME_H

#include "compat.h"

#define PB_FRAME_MAGIC UINT32_C(0x50424c32) /* "PBL2": also the version of this protocol */

enum pb_frame_kind {
    PB_FRAME_BELL = 1, /* look at the shared memory */
    PB_FRAME_BULK,     /* to worker: the input of `job`; to host: its reply */
    PB_FRAME_UPDATE,   /* to host: what `job` has to say while it runs */
    PB_FRAME_KINDS,
};

struct pb_frame {
    uint32_t magic;
    uint32_t kind;
    uint64_t job;    /* its number on this link; 0 in BELL */
    uint64_t length; /* of the payload that follows, in bytes; 0 in BELL */
};

PB_HIDDEN_BEGIN

/* 0; -EPROTO: it is no frame; -EFBIG: its payload is above the bound. */
int pb_frame_check(const struct pb_frame *frame, uint64_t max_payload);

PB_HIDDEN_END
#endif
