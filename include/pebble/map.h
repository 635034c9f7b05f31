/* SPDX-License-Identifier: Apache-2.0
 * A function over many inputs. */
#ifndef PEBBLE_MAP_H
#define PEBBLE_MAP_H

#include "defs.h"
#include "function.h"
#include "pool.h"

PEBBLE_BEGIN_DECLS

/* A function that is being called for each of many elements in a pool, of
 * processes or of threads. Elements are taken from a source only as results are
 * asked for, a window ahead, so there may be any number of them. For one thread
 * at a time. */
typedef struct pebble_map pebble_map;

/* Gives the next element: its bytes, which are copied before the next call.
 * 1; 0: there are no more; a negative errno value ends the map with that, after
 * the results of what came before. Where several inputs belong together, the
 * source puts them into one element. */
typedef int (*pebble_source)(void *PEBBLE_NULLABLE arg, const void *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_data,
                             size_t *PEBBLE_NONNULL ret_length);

/* Zero in a field means its default. */
struct pebble_map_options {
    size_t chunk_size; /* elements that one job takes; default: 1. More of them cost less each */
    size_t window;     /* jobs scheduled ahead of the results; default: two for each worker, and one; up to 64 for each
                        * where they take less than 100 us, but half of max_queued at most */
    bool as_completed; /* results come as they are there, not in the order of their elements */
    struct pebble_job_options job; /* of each job: limits are those of a whole chunk */
};

/* What became of one element. `outcome` is as for a job of its own, save that
 * its times are those of the chunk; it belongs to the map and is valid until
 * the next pebble_map_next or the end of the map. */
struct pebble_map_result {
    uint64_t index; /* of the element, from 0 in the order of the source */
    struct pebble_outcome outcome;
};

/* Makes a map of `function`, which sees each element as the input of a call of
 * its own. Nothing is begun before the first pebble_map_next. The pool is
 * referenced, the options are copied, their name among them; `arg` must be
 * valid as long as the map.
 *
 * Every element has a result of its own, whatever becomes of the others:
 * - An element that fails fails alone.
 * - When a worker dies in a chunk, the element that it was at has PEBBLE_EXPIRED.
 *   Those before it, whose results died with the worker, are run again, those
 *   behind it for the first time. When the pool takes no more jobs, all of them
 *   have PEBBLE_EXPIRED.
 * - When a chunk runs into a limit, is cancelled or does not begin, each of its
 *   elements has that outcome.
 *
 *   -EINVAL  a limit is negative, or the priority out of its range
 *   -EFAULT  `function` lies in no image of this process
 *   -ENOMEM */
PEBBLE_API int pebble_map_new(pebble_pool *PEBBLE_NONNULL pool, pebble_function PEBBLE_NONNULL function,
                              pebble_source PEBBLE_NONNULL source, void *PEBBLE_NULLABLE arg,
                              const struct pebble_map_options *PEBBLE_NULLABLE options,
                              pebble_map *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_map);

/* The next result, waiting up to `timeout` ns for it. 1; 0: there are no more.
 *   -ETIMEDOUT  it is not there yet; may be called again
 *   -EAGAIN     the pool's queue is full, and no job of this map is under way; may be called again
 *   -EINVAL     `timeout` is negative
 *   others      what the source, or pebble_pool_schedule, failed with: no more elements are taken; said
 *               again by each further call */
PEBBLE_API int pebble_map_next(pebble_map *PEBBLE_NONNULL map, int64_t timeout,
                               struct pebble_map_result *PEBBLE_NONNULL ret_result);

/* Takes no more elements, and cancels the jobs there are: the elements that
 * they were to compute have PEBBLE_CANCELLED. */
PEBBLE_API void pebble_map_cancel(pebble_map *PEBBLE_NONNULL map);

/* Cancels what is left, and frees the map without waiting. NULL is ignored. */
PEBBLE_API void pebble_map_free(pebble_map *PEBBLE_NULLABLE map);

PEBBLE_END_DECLS
#endif
