/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "frame.h"

static bool may_send(enum pb_frame_sender sender, uint16_t kind)
{
    switch (kind) {
    case PB_FRAME_JOB: return sender == PB_FROM_HOST;
    case PB_FRAME_READY:
    case PB_FRAME_REPLY:
    case PB_FRAME_NO_FUNCTION:
    case PB_FRAME_NO_MEMORY: return sender == PB_FROM_WORKER;
    default: return false;
    }
}

int pb_frame_check(const struct pb_frame *frame, enum pb_frame_sender sender, uint64_t max_payload)
{
    if (frame->magic != PB_FRAME_MAGIC || !may_send(sender, frame->kind)) return -EPROTO;
    if (frame->reserved != 0 || frame->reserved_too != 0) return -EPROTO;
    if (frame->path_length > PB_FRAME_TEXT_MAX || frame->name_length > PB_FRAME_TEXT_MAX) return -EPROTO;
    if (frame->kind != PB_FRAME_JOB && (frame->path_length || frame->name_length)) return -EPROTO;
    if (frame->kind != PB_FRAME_JOB && frame->kind != PB_FRAME_REPLY && frame->length) return -EPROTO;
    if (frame->length > max_payload || frame->length > SIZE_MAX / 2) return -EFBIG;
    return 0;
}

uint64_t pb_frame_body_length(const struct pb_frame *frame)
{
    return frame->length + frame->path_length + frame->name_length;
}
