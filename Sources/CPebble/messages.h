/* SPDX-License-Identifier: Apache-2.0
 * What the frames between a pool and an agent say (wire.h): each as a struct,
 * and as a body. Whoever reads one that is not valid is told so, and may
 * believe each field of one that is to be one of its values; what they mean
 * together is for him to judge. Bytes and strings that were read are borrowed
 * from the frame. */
#ifndef PB_MESSAGES_H
#define PB_MESSAGES_H

#include "compat.h"
#include "crashrecord.h"
#include "image.h"
#include "readable.h"
#include "wire.h"
#include "pebble/outcome.h"
#include "pebble/pool.h"

#define PB_SLOTS_MAX 65536 /* of a node */
/* On both sides jobs are kept in a table with places for as many again: for
 * those that have their result, while their processes are still got rid of. */
#define PB_PLACES(slots) ((slots) < PB_SLOTS_MAX / 2 ? 2 * (slots) : PB_SLOTS_MAX)
#define PB_PLACE_OF(job) ((job) % PB_SLOTS_MAX) /* of the job with that number */

struct pb_hello {
    uint64_t version;
    struct pb_image_id program; /* its executable */
    int pid;
    unsigned slots; /* jobs that it may run at once, 1 to PB_SLOTS_MAX */
    const char *host;
};

/* A function, by its place; `id` and `path` are those of its image. */
struct pb_wire_function {
    struct pb_image_id id;
    uint64_t offset;
    const char *path;
};

struct pb_setup {
    struct pebble_pool_config config; /* what holds for each node of its own; no functions in it */
    const char *readable_paths[PB_READABLE_COUNT + 1]; /* what config.readable_paths of one that was read points to */
    bool lines; /* lines of what is captured are wanted */
    int64_t beat, lost_after;         /* ns */
    struct pb_setup_procedure {
        bool given;
        struct pb_wire_function place;
        const void *input;
        size_t length;
    } initializer, finalizer;
};

struct pb_submit {
    struct pb_wire_function place;
    const char *name;
    int64_t timeout, deadline; /* ns from its arrival; 0: none */
    bool updates;
    const void *input;
    size_t length;
};

struct pb_result {
    struct pebble_outcome outcome; /* without `crash` */
    const void *crash;             /* a struct pb_crash_record, not aligned; NULL: none */
    uint32_t progress;
    bool gone; /* nothing is left of the job: no GONE will come */
};

PB_HIDDEN_BEGIN

void pb_hello_write(struct pb_wire_out *out, const struct pb_hello *hello);
void pb_setup_write(struct pb_wire_out *out, const struct pb_setup *setup);
void pb_submit_write(struct pb_wire_out *out, uint64_t job, const struct pb_submit *submit);
void pb_update_write(struct pb_wire_out *out, uint64_t job, const void *data, size_t length);
void pb_line_write(struct pb_wire_out *out, const struct pebble_output_line *line);
void pb_result_write(struct pb_wire_out *out, uint64_t job, const struct pb_result *result);

/* Each false: the frame is not valid. */
bool pb_hello_read(const struct pb_wire_frame *frame, struct pb_hello *ret_hello);
bool pb_setup_read(const struct pb_wire_frame *frame, struct pb_setup *ret_setup);
bool pb_submit_read(const struct pb_wire_frame *frame, struct pb_submit *ret_submit);
bool pb_update_read(const struct pb_wire_frame *frame, const void **ret_data, size_t *ret_length);
bool pb_line_read(const struct pb_wire_frame *frame, struct pebble_output_line *ret_line);
bool pb_result_read(const struct pb_wire_frame *frame, struct pb_result *ret_result);

PB_HIDDEN_END
#endif
