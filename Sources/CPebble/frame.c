/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "frame.h"

int pb_frame_check(const struct pb_frame *frame, uint64_t max_payload)
{
    if (frame->magic != PB_FRAME_MAGIC) return -EPROTO;
    switch (frame->kind) {
    case PB_FRAME_BELL: return frame->job || frame->length ? -EPROTO : 0;
    case PB_FRAME_BULK:
    case PB_FRAME_UPDATE: return frame->length > max_payload || frame->length > SIZE_MAX / 2 ? -EFBIG : 0;
    default: return -EPROTO;
    }
}
