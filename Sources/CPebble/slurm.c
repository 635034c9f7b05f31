/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "hostlist.h"
#include "pebble/slurm.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_NODES 65536

/* Unbuffered, or frames would wait for more to come. */
#define SRUN "srun", "--unbuffered", "--quiet", "--nodes=1", "--ntasks=1"
static const char *const step[] = {SRUN, "--overlap", "--nodelist=%n", NULL};
static const char *const allocation[] = {SRUN, NULL};

static size_t count_words(const char *const *words)
{
    size_t count = 0;
    while (words && words[count])
        count++;
    return count;
}

/* An array, to be freed, of words that are borrowed. NULL: no memory. */
static const char **join_words(const char *const *first, const char *second, const char *const *third)
{
    const char **words = calloc(count_words(first) + 1 + count_words(third) + 1, sizeof *words);
    size_t n = 0;
    if (!words) return NULL;
    for (size_t i = 0; first[i]; i++)
        words[n++] = first[i];
    if (*second) words[n++] = second;
    for (size_t i = 0; third && third[i]; i++)
        words[n++] = third[i];
    return words;
}

int pebble_slurm_pool_new(const struct pebble_pool_config *config, const struct pebble_slurm *slurm,
                          pebble_pool **ret_pool)
{
    static const struct pebble_slurm none;
    if (!slurm) slurm = &none;
    const char *list = getenv("SLURM_JOB_ID") ? getenv("SLURM_JOB_NODELIST") : NULL;
    char **names = NULL, cpus[32] = "";
    int there = list ? pb_hostlist_expand(list, MAX_NODES, &names) : MAX_NODES;
    if (there < 0) return there == -EINVAL ? -EPROTO : there;
    struct pebble_nodes nodes = {
        .names = (const char *const *)names,
        .count = slurm->nodes ? slurm->nodes : list ? (size_t)there : 1,
        .program = slurm->program,
        .join_timeout = slurm->join_timeout ? slurm->join_timeout : list ? 0 : PEBBLE_FOREVER,
        .beat = slurm->beat,
        .lost_after = slurm->lost_after,
    };
    if (!list && config && config->max_workers) snprintf(cpus, sizeof cpus, "--cpus-per-task=%u", config->max_workers);
    const char **command = join_words(list ? step : allocation, cpus, slurm->options);
    nodes.command = command;
    int rc = !command ? -ENOMEM : nodes.count > (size_t)there ? -EINVAL : pebble_node_pool_new(config, &nodes, ret_pool);
    free(command);
    free(names);
    return rc;
}
