/* SPDX-License-Identifier: Apache-2.0
 * The engine of pools whose jobs run on several machines. */
#ifndef PB_NODES_H
#define PB_NODES_H

#include "compat.h"
#include "engine.h"

struct pb_cluster;

PB_HIDDEN_BEGIN

extern const struct pb_engine pb_nodes;

/* Before the pool begins: its nodes are down. */
void pb_nodes_init(struct pebble_pool *pool);

/* NULL is ignored. */
void pb_nodes_free(struct pb_cluster *cluster);

PB_HIDDEN_END
#endif
