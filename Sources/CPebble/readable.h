/* SPDX-License-Identifier: Apache-2.0
 * The paths that confined workers can read. */
#ifndef PB_READABLE_H
#define PB_READABLE_H

#include "compat.h"
#include "pebble/pool.h"

#define PB_READABLE_COUNT 32 /* paths */
#define PB_READABLE_SIZE 4096 /* of all of them, each with its NUL, and an empty one behind */

struct pb_readable {
    const char *paths[PB_READABLE_COUNT + 1]; /* in `text`; ended with NULL */
    char text[PB_READABLE_SIZE];
};

PB_HIDDEN_BEGIN

/* Copies those of the configuration. 0; -EINVAL: there are too many, one is not
 * absolute, or workers are not confined to them. */
int pb_readable_copy(const struct pebble_pool_config *config, struct pb_readable *ret_readable);

PB_HIDDEN_END
#endif
