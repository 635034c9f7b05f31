/* SPDX-License-Identifier: Apache-2.0
 * Slurm's lists of hosts: "login,n[1-3,07],rack[0-1]n[1-2]". */
#ifndef PB_HOSTLIST_H
#define PB_HOSTLIST_H

#include "compat.h"

PB_HIDDEN_BEGIN

/* Pure. The names in a list, in order, in memory of the caller's: an array that
 * ends with NULL, freed as one. How many, up to `most`; -EINVAL: it is no list,
 * or has none or more; -ENOMEM. */
int pb_hostlist_expand(const char *list, int most, char ***ret_names);

PB_HIDDEN_END
#endif
