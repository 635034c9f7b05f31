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

/* The loaded image that an address lies in. */
struct pb_image_spot {
    uintptr_t base;
    struct pb_image_id id;
    const char *name; /* as the loader knows it; "" for the executable; valid while it is loaded */
};

PB_HIDDEN_BEGIN

/* 0; -EFAULT: the address lies in no executable segment; -ENOMEM. An image
 * whose functions were located must stay loaded. */
int pb_image_locate(pebble_function function, struct pb_function_ref *ret_ref);

/* The function in this process, or NULL when no image loaded here, nor one
 * that can be loaded from `path`, has that id and such an offset. */
pebble_function pb_image_resolve(const struct pb_image_id *id, uint64_t offset, const char *path);

/* The image of an address; false when there is none. Where the C library allows
 * for it (glibc 2.35) async-signal-safe, else it takes a lock of the loader's. */
bool pb_image_at(uintptr_t address, struct pb_image_spot *ret_spot);

/* The image with that id, if it is loaded in this process: its base, and the
 * path of its file, which the caller frees. 0, -ENOENT or -ENOMEM. */
int pb_image_find(const struct pb_image_id *id, uintptr_t *ret_base, char **ret_path);

/* The build-id in the notes of an image, which need not be well formed. */
bool pb_image_id_in_notes(const char *notes, size_t size, struct pb_image_id *ret_id);

/* The id of the executable. */
void pb_image_program(struct pb_image_id *ret_id);

/* Whether the address lies in the executable itself. */
bool pb_image_is_main(const void *address);

PB_HIDDEN_END
#endif
