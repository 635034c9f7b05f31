/* SPDX-License-Identifier: Apache-2.0
 * The host's side of a dump: what the record says, checked. */
#ifndef PB_STACKS_H
#define PB_STACKS_H

#include "compat.h"
#include "dumprecord.h"
#include "pebble/backtrace.h"

PB_HIDDEN_BEGIN

/* What is there of a dump, whose worker may still be writing. To be freed; NULL:
 * nothing, or nothing that can be, or there is no memory. The worker's main
 * thread has its pid. */
struct pebble_stack *pb_stacks_of(const struct pb_dump_record *record, int pid, size_t *ret_count);

/* Ignores NULL. */
void pb_stacks_free(const struct pebble_stack *stacks, size_t count);

PB_HIDDEN_END
#endif
