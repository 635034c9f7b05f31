/* SPDX-License-Identifier: Apache-2.0
 * Pools on a cluster that Slurm runs. */
#ifndef PEBBLE_SLURM_H
#define PEBBLE_SLURM_H

#include "defs.h"
#include "nodes.h"

PEBBLE_BEGIN_DECLS

/* Zero in a field means its default. All of it is copied. */
struct pebble_slurm {
    unsigned nodes; /* how many; default: in an allocation all that it has, else 1 */
    const char *PEBBLE_NULLABLE const *PEBBLE_NULLABLE options; /* more words for srun(1), ended with NULL; default: none */
    const char *PEBBLE_NULLABLE program; /* as in struct pebble_nodes, as are the following */
    int64_t join_timeout; /* default: in an allocation 60 s, else PEBBLE_FOREVER: a job may wait in Slurm's queue */
    int64_t beat;
    int64_t lost_after;
};

/* Makes a pool whose jobs run on nodes of a Slurm cluster, as those of
 * pebble_node_pool_new do. Agents are started with srun(1), which must be in
 * PATH; nothing else of Slurm is needed. The program must be found under the
 * same path on the nodes. `slurm` may be NULL: all defaults.
 *
 * - In an allocation (of salloc or sbatch; SLURM_JOB_ID is set) each of its
 *   nodes gets a step, with all CPUs that the allocation has there for slots,
 *   unless config->max_workers says how many.
 * - Elsewhere each node is an allocation of its own, asked for when there is
 *   work for it, and given up when the pool is closed, or the node is lost. It
 *   has config->max_workers CPUs, or as many as the options ask for, or 1. Which
 *   partition and for how long is for the options to say, e.g.
 *   {"--partition=short", "--time=60", NULL}.
 *
 * What goes between the program and its agents passes through srun: some 13
 * MB/s, so large data are better passed as paths in a file system that the
 * nodes share.
 *   -EINVAL  as for pebble_node_pool_new, or there are fewer nodes in the allocation
 *   -EPROTO  SLURM_JOB_NODELIST is no list of hosts
 *   -EFAULT, -EFBIG, -ENOMEM, -EMFILE, -ENFILE, -EAGAIN, -ELOOP, -ECHILD  as for pebble_pool_new */
PEBBLE_API int pebble_slurm_pool_new(const struct pebble_pool_config *PEBBLE_NULLABLE config,
                                     const struct pebble_slurm *PEBBLE_NULLABLE slurm,
                                     pebble_pool *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_pool);

PEBBLE_END_DECLS
#endif
