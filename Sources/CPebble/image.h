/* SPDX-License-Identifier: Apache-2.0
 * What a function is called in another process of the same program: the image
 * (executable or shared library) it lies in, and its offset there. */
#ifndef PB_IMAGE_H
#define PB_IMAGE_H

#include "compat.h"
#include "pebble/function.h"

#define PB_IMAGE_ID_SIZE 20

/* An image by its content: its GNU build-id, or where the linker made none, a
 * fingerprint of its program headers. */
struct pb_image_id {
    unsigned char bytes[PB_IMAGE_ID_SIZE];
};

/* One executable segment of a loaded image. Never changes, never freed. */
struct pb_image {
    struct pb_image *next;
    uintptr_t base, low, high;
    struct pb_image_id id;
    char path[]; /* as the loader knows it; "" for the executable */
};

struct pb_function_ref {
    const struct pb_image *image;
    uint64_t offset;
};

PB_HIDDEN_BEGIN

/* 0; -EFAULT: the address lies in no executable segment; -ENOMEM. An image
 * whose functions were located must stay loaded. */
int pb_image_locate(pebble_function function, struct pb_function_ref *ret_ref);

/* The function in this process, or NULL when no image loaded here, nor one
 * that can be loaded from `path`, has that id and such an offset. */
pebble_function pb_image_resolve(const struct pb_image_id *id, uint64_t offset, const char *path);

/* Whether the address lies in the executable itself. */
bool pb_image_is_main(const void *address);

PB_HIDDEN_END
#endif
