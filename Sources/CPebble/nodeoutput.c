/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "node.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

/* A line on its way to the pool's function. */
struct line {
    struct pb_errand errand;
    struct pebble_pool *pool;
    size_t cost;
    struct pebble_output_line told;
    char bytes[]; /* the name of the job, then the text */
};

static void run(struct pb_errand *errand)
{
    struct line *line = (struct line *)errand;
    struct pebble_pool *pool = line->pool;
    pool->config.on_output(&line->told, pool->config.output_arg);
    if (pb_output_less_waits(pool, line->cost)) pb_inbox_ring(&pool->inbox);
    free(line);
}

void pb_node_post_line(struct pebble_pool *pool, const struct pebble_output_line *told)
{
    size_t named = strlen(told->job) + 1, cost = sizeof(struct line) + named + told->length + 1;
    struct line *line = pool->config.on_output ? malloc(cost) : NULL;
    if (!line) return;
    *line = (struct line){.errand.run = run, .pool = pool, .cost = cost, .told = *told};
    line->told.job = memcpy(line->bytes, told->job, named);
    line->told.text = memcpy(line->bytes + named, told->text, told->length + 1);
    atomic_fetch_add(&pool->output.waiting, cost);
    pb_courier_post(&pool->output.lines, &line->errand); /* the thread exists: it was prepared */
}
