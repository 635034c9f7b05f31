/* SPDX-License-Identifier: Apache-2.0
 * What a crashing worker leaves behind in the memory that it shares with its
 * host. The worker writes it in its signal handler, in the order of the fields;
 * the host reads it when the worker is dead, copies it once, and believes
 * nothing of it that it has not checked (autopsy.c). */
#ifndef PB_CRASHRECORD_H
#define PB_CRASHRECORD_H

#include "compat.h"
#include "image.h"

#include <stdatomic.h>

#define PB_CRASH_MESSAGE 1024
#define PB_CRASH_FRAMES 64
#define PB_CRASH_IMAGES 16
#define PB_CRASH_PATH 256
#define PB_CRASH_NO_IMAGE UINT32_MAX

struct pb_crash_record {
    _Atomic uint32_t written; /* 1: up to stack_overflow, what follows may be cut short by a second fault */
    int32_t signal, code, thread;
    uint64_t address;
    uint32_t main_thread, stack_overflow;

    char message[PB_CRASH_MESSAGE]; /* terminated, as are paths, when it is whole */
    uint32_t frame_count, image_count, truncated;
    struct {
        uint64_t offset; /* in that image; without one, the address itself */
        uint32_t image;
    } frames[PB_CRASH_FRAMES]; /* where it happened, then return addresses, the innermost first */
    struct {
        struct pb_image_id id;
        char path[PB_CRASH_PATH]; /* "" for the executable */
    } images[PB_CRASH_IMAGES];
};

#endif
