/* SPDX-License-Identifier: Apache-2.0
 * Updates: what jobs say while they run. */
#ifndef PEBBLE_UPDATE_H
#define PEBBLE_UPDATE_H

#include "defs.h"

PEBBLE_BEGIN_DECLS

/* An item of the queue given as `updates` in pebble_job_options: the bytes of
 * one pebble_call_update. Belongs to who gets it. */
struct pebble_update {
    void *PEBBLE_NULLABLE data; /* aligned for any type; NULL when length is 0 */
    size_t length;
};

/* Frees an update; NULL is ignored. Fits pebble_queue_new, for those that nobody got. */
PEBBLE_API void pebble_update_free(void *PEBBLE_NULLABLE update);

PEBBLE_END_DECLS
#endif
