/* SPDX-License-Identifier: Apache-2.0
 * A backtrace as a worker writes it, in memory that it shares with its host or
 * in a reply: places in images. The host reads it into a backtrace.c of its
 * own, and believes nothing of it that it has not checked. */
#ifndef PB_TRACERECORD_H
#define PB_TRACERECORD_H

#include "compat.h"
#include "image.h"

#define PB_TRACE_FRAMES 64
#define PB_TRACE_IMAGES 16
#define PB_TRACE_PATH 256
#define PB_TRACE_NO_IMAGE UINT32_MAX

struct pb_trace_record {
    uint32_t frame_count, image_count;
    uint32_t truncated;   /* there are more, outer, frames */
    uint32_t interrupted; /* the first frame is where a signal came; all others are return addresses */
    struct {
        uint64_t offset; /* in that image; without one, the address itself */
        uint32_t image;
    } frames[PB_TRACE_FRAMES]; /* the innermost first */
    struct {
        struct pb_image_id id;
        char path[PB_TRACE_PATH]; /* "" for the executable; terminated when it is whole */
    } images[PB_TRACE_IMAGES];
};

PB_HIDDEN_BEGIN

/* Adds a frame. False: it is full, and now truncated. Async-signal-safe as pb_image_at is. */
bool pb_trace_add(struct pb_trace_record *record, uintptr_t address);

/* Whether its numbers are within their bounds. Texts may still be anything. */
bool pb_trace_is_sound(const struct pb_trace_record *record);

/* The record in as few bytes as possible, at most PEBBLE_BACKTRACE_SIZE; their number, 0 when there is no room. */
size_t pb_trace_encode(const struct pb_trace_record *record, void *buffer, size_t size);

/* False: the bytes, which may come from anywhere, are not those of a record. */
bool pb_trace_decode(const void *bytes, size_t length, struct pb_trace_record *ret_record);

PB_HIDDEN_END
#endif
