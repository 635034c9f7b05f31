/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "tracerecord.h"
#include "pebble/backtrace.h"

#include <string.h>

/* --- writing --- */

static uint32_t image_index(struct pb_trace_record *record, const struct pb_image_spot *spot)
{
    uint32_t n = 0;
    while (n < record->image_count && memcmp(&record->images[n].id, &spot->id, sizeof spot->id) != 0)
        n++;
    if (n == PB_TRACE_IMAGES) return PB_TRACE_NO_IMAGE;
    if (n < record->image_count) return n;
    record->images[n].id = spot->id;
    strlcpy(record->images[n].path, spot->name, PB_TRACE_PATH);
    record->image_count++;
    return n;
}

bool pb_trace_add(struct pb_trace_record *record, uintptr_t address)
{
    if (record->frame_count == PB_TRACE_FRAMES) {
        record->truncated = 1;
        return false;
    }
    struct pb_image_spot spot;
    uint32_t image = pb_image_at(address, &spot) ? image_index(record, &spot) : PB_TRACE_NO_IMAGE;
    record->frames[record->frame_count].image = image;
    record->frames[record->frame_count].offset = image == PB_TRACE_NO_IMAGE ? address : address - spot.base;
    record->frame_count++;
    return true;
}

bool pb_trace_is_sound(const struct pb_trace_record *record)
{
    if (record->frame_count > PB_TRACE_FRAMES || record->image_count > PB_TRACE_IMAGES) return false;
    for (uint32_t n = 0; n < record->frame_count; n++)
        if (record->frames[n].image >= record->image_count && record->frames[n].image != PB_TRACE_NO_IMAGE) return false;
    return true;
}

/* --- as bytes --- */

/* Four numbers of 32 bits; of each frame its image and offset; of each image its
 * id, the length of its path, and that. All of it as it lies in memory: both
 * sides run the same program. */
struct header {
    uint32_t frame_count, image_count, truncated, interrupted;
};

#define FRAME_SIZE (sizeof(uint32_t) + sizeof(uint64_t))
#define IMAGE_SIZE (sizeof(struct pb_image_id) + sizeof(uint32_t))

static_assert(sizeof(struct header) + PB_TRACE_FRAMES * FRAME_SIZE + PB_TRACE_IMAGES * (IMAGE_SIZE + PB_TRACE_PATH) <=
                  PEBBLE_BACKTRACE_SIZE,
              "what the header promises");

struct bytes {
    char *at;
    size_t left;
};

static bool put(struct bytes *bytes, const void *data, size_t size)
{
    if (bytes->left < size) return false;
    memcpy(bytes->at, data, size);
    bytes->at += size;
    bytes->left -= size;
    return true;
}

static bool take(struct bytes *bytes, void *data, size_t size)
{
    if (bytes->left < size) return false;
    memcpy(data, bytes->at, size);
    bytes->at += size;
    bytes->left -= size;
    return true;
}

size_t pb_trace_encode(const struct pb_trace_record *record, void *buffer, size_t size)
{
    struct bytes bytes = {buffer, size};
    const struct header header = {record->frame_count, record->image_count, record->truncated, record->interrupted};
    bool fits = put(&bytes, &header, sizeof header);
    for (uint32_t n = 0; n < record->frame_count; n++) {
        fits = fits && put(&bytes, &record->frames[n].image, sizeof record->frames[n].image);
        fits = fits && put(&bytes, &record->frames[n].offset, sizeof record->frames[n].offset);
    }
    for (uint32_t n = 0; n < record->image_count; n++) {
        uint32_t length = (uint32_t)strlen(record->images[n].path);
        fits = fits && put(&bytes, &record->images[n].id, sizeof record->images[n].id);
        fits = fits && put(&bytes, &length, sizeof length) && put(&bytes, record->images[n].path, length);
    }
    return fits ? size - bytes.left : 0;
}

static bool take_image(struct bytes *bytes, struct pb_image_id *ret_id, char *ret_path)
{
    uint32_t length;
    if (!take(bytes, ret_id, sizeof *ret_id) || !take(bytes, &length, sizeof length)) return false;
    return length < PB_TRACE_PATH && take(bytes, ret_path, length);
}

bool pb_trace_decode(const void *data, size_t length, struct pb_trace_record *ret_record)
{
    struct bytes bytes = {(char *)(uintptr_t)data, length};
    struct header header;
    if (!take(&bytes, &header, sizeof header)) return false;
    if (header.frame_count > PB_TRACE_FRAMES || header.image_count > PB_TRACE_IMAGES) return false;
    memset(ret_record, 0, sizeof *ret_record); /* so paths are terminated */
    ret_record->frame_count = header.frame_count;
    ret_record->image_count = header.image_count;
    ret_record->truncated = header.truncated;
    ret_record->interrupted = header.interrupted;
    for (uint32_t n = 0; n < header.frame_count; n++)
        if (!take(&bytes, &ret_record->frames[n].image, sizeof ret_record->frames[n].image) ||
            !take(&bytes, &ret_record->frames[n].offset, sizeof ret_record->frames[n].offset))
            return false;
    for (uint32_t n = 0; n < header.image_count; n++)
        if (!take_image(&bytes, &ret_record->images[n].id, ret_record->images[n].path)) return false;
    return bytes.left == 0 && pb_trace_is_sound(ret_record);
}
