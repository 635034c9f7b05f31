/* SPDX-License-Identifier: Apache-2.0
 * What workers write to their stdout and stderr, where it is captured: read as
 * it comes, kept in part for outcomes, and given in lines to the pool's
 * function, on a courier. With the pool's lock held, save pb_output_init and
 * pb_output_done; none of it blocks. */
#ifndef PB_OUTPUT_H
#define PB_OUTPUT_H

#include "compat.h"
#include "poolstate.h"

PB_HIDDEN_BEGIN

/* Of a new pool; before its memory is freed. 0 or -errno. */
int pb_output_init(struct pebble_pool *pool);
void pb_output_done(struct pebble_pool *pool);

/* The set of the pipes, which is a tag of the loop: &pool->output. 0 or -errno. */
int pb_output_open(struct pebble_pool *pool);
void pb_output_close(struct pebble_pool *pool);

/* Pipes for a new worker, and their far ends for it. How many, or -errno (then none). */
int pb_output_attach(struct pebble_pool *pool, struct pb_worker *worker, int ret_ends[2]);
void pb_output_detach(struct pb_worker *worker);

/* The worker's pid is known: reads from now on. 0; or -errno: it could not be
 * read, and must not be left to write. */
int pb_output_watch(struct pebble_pool *pool, struct pb_worker *worker);

/* Pipes are readable; a worker's lines that had waited may have become fewer. */
void pb_output_on_ready(struct pebble_pool *pool);
void pb_output_resume(struct pebble_pool *pool);

/* Whether so much waits for the pool's function that no job is to begin. */
bool pb_output_is_clogged(struct pebble_pool *pool);

/* From any thread: so many bytes fewer wait. Whether jobs may begin again. */
bool pb_output_less_waits(struct pebble_pool *pool, size_t count);

/* Takes what the worker has written up to now: its job did it; before it is
 * given one; when that has ended; when it is dead. */
void pb_output_take(struct pebble_pool *pool, struct pb_worker *worker);
void pb_output_begin_job(struct pebble_pool *pool, struct pb_worker *worker);
void pb_output_end_job(struct pebble_pool *pool, struct pb_worker *worker, const struct pebble_future *job);
void pb_output_end(struct pebble_pool *pool, struct pb_worker *worker);

/* Gives the outcome of the worker's job the tail of its stderr, where that is captured, unless it has one. */
void pb_output_tell(const struct pb_worker *worker, struct pebble_outcome *outcome);

PB_HIDDEN_END
#endif
