/* SPDX-License-Identifier: Apache-2.0
 * Pools whose workers are on several machines: the same verbs and outcomes. */
#ifndef PEBBLE_NODES_H
#define PEBBLE_NODES_H

#include "defs.h"
#include "pool.h"

PEBBLE_BEGIN_DECLS

/* How nodes are reached. Zero in a field means its default. All of it is copied. */
struct pebble_nodes {
    /* Words, ended with NULL: a command that is executed for each node, found
     * as the shell finds it, with each %n in its words replaced by the node's
     * name. Behind them come further words: `env` with a few settings, and
     * `program`. The command is to execute those there, with its own stdin and
     * stdout for theirs, unaltered and without holding anything back; its
     * stderr is the host's. E.g. {"ssh", "-T", "%n", NULL}. */
    const char *PEBBLE_NULLABLE const *PEBBLE_NONNULL command;
    const char *PEBBLE_NONNULL const *PEBBLE_NULLABLE names; /* of the nodes; default: they have none */
    size_t count;         /* of them, 1 to 65536 */
    const char *PEBBLE_NULLABLE program; /* its path there; default: that of this program's executable */
    int64_t join_timeout; /* ns that a node may take from the command to its first word; default: 60 s */
    int64_t beat;         /* ns of silence after which each side says that it is there; default: 2 s */
    int64_t lost_after;   /* ns of silence after which a side takes the other for lost; default: 10 s */
};

/* Makes a pool whose jobs run on other machines. On each node the same program
 * is started as an agent, which has a pool of worker processes of its own and
 * runs there what it is sent: so limits, kills, crashes and captured output are
 * as in a pool of processes, and stay on the node. The agent never reaches the
 * program's main; what its workers inherit as stdout is the command's stderr.
 * What differs:
 *
 * - config->max_workers is that of each node; default: the CPUs that the agent
 *   may use there, and no more than Slurm granted, where Slurm started it.
 *   pebble_pool_max_workers is what all nodes that are up have, and one for
 *   each that may still come; pebble_pool_resize gives -ENOTSUP. Of the
 *   statistics, workers and started count jobs that can run at once, and killed
 *   those that were ended while they ran.
 * - Nodes are started when there is work for them, and stay until the pool is
 *   closed. One that cannot be reached is tried again, after 250 ms and ever more
 *   slowly, up to 64 s; after three such failures in a row with no other node
 *   up, the waiting jobs end with PEBBLE_CAUSE_NODE or PEBBLE_CAUSE_OTHER_PROGRAM.
 * - A node is lost when its link ends without a goodbye, carries what it must
 *   not, or is silent for `lost_after`. The jobs it had end with
 *   PEBBLE_NODE_LOST, or run again elsewhere where they have retries; the others
 *   go on, on the nodes that are left, and the lost one is tried again. An agent
 *   that hears nothing for as long kills its workers: until then a job of a lost
 *   node may still be running.
 * - A job that was sent to a node counts as begun. So one that is cancelled or
 *   stopped before it arrives there has outcome->started all the same; the pid
 *   of one that was cancelled or stopped is 0. pebble_future_wait_gone waits
 *   until the node has told that the process is gone.
 * - outcome->node is the node's name, or what it calls itself; outcome->pid that
 *   of the worker there.
 * - A node whose kernel cannot confine workers, where they are to be, does not come up.
 * - A job that is over its limit there gives no stacks: config->stack_dump does nothing.
 * - When on_output falls behind, all workers of a node have to wait.
 * - Only the executable is compared; shared libraries must be the same ones too,
 *   or their functions are not found (PEBBLE_CAUSE_NO_FUNCTION).
 * - Nodes that are up wake this process each `beat`.
 *
 *   -EINVAL  a time is negative, lost_after is not longer than beat, count is 0 or above 65536, the command
 *            has no word, or as for pebble_pool_new
 *   -EFAULT, -EFBIG, -ENOMEM, -EMFILE, -ENFILE, -EAGAIN, -ELOOP, -ECHILD  as for pebble_pool_new */
PEBBLE_API int pebble_node_pool_new(const struct pebble_pool_config *PEBBLE_NULLABLE config,
                                    const struct pebble_nodes *PEBBLE_NONNULL nodes,
                                    pebble_pool *PEBBLE_NULLABLE *PEBBLE_NONNULL ret_pool);

enum pebble_node_state {
    PEBBLE_NODE_DOWN,     /* it was not needed yet, or has left in peace */
    PEBBLE_NODE_STARTING, /* its command runs, and it has not said a word: it may wait in a queue of Slurm's */
    PEBBLE_NODE_UP,
    PEBBLE_NODE_LEAVING,  /* it gets no more jobs; its link or its command has not ended */
    PEBBLE_NODE_RESTING,  /* it was lost, or could not be reached, and is tried again later */
};

/* Of one node: counts since the pool was made, and of now. Fields are only added at the end. */
struct pebble_node_statistics {
    const char *PEBBLE_NONNULL name; /* as in outcome->node, "" until it said it; as long as the pool is there */
    enum pebble_node_state state;
    unsigned slots;     /* jobs that it can have at once, now */
    unsigned running;   /* jobs that it has, now */
    uint64_t done;      /* jobs that came back from it, whatever became of them there */
    uint64_t lost_jobs; /* that it had when it was lost; those that ran again elsewhere are among them */
    uint64_t joined;    /* times that it came up */
    uint64_t losses;    /* of those, that it was lost again */
    int64_t silence;    /* ns since it was last heard, now; 0: it is not up */
};

/* Those of the node with this index, in the order of the names that the pool
 * was given. A snapshot of one moment.
 *   -ENOENT  the pool has not so many nodes
 *   -ECHILD  this process is a fork of the one that made the pool */
PEBBLE_API int pebble_pool_get_node_statistics(const pebble_pool *PEBBLE_NONNULL pool, size_t index,
                                               struct pebble_node_statistics *PEBBLE_NONNULL ret_statistics);

PEBBLE_END_DECLS
#endif
