/* SPDX-License-Identifier: Apache-2.0
 * What a worker's answer says, and its reply, copied out from wherever it is. */
#ifndef PB_HOSTREPLY_H
#define PB_HOSTREPLY_H

#include "compat.h"
#include "hostlink.h"

PB_HIDDEN_BEGIN

/* The answer in that slot, to the job that is next to be collected. 1: *collected, but for
 * its tag; 0: part of it is still on its way; -EPROTO, -EFBIG: it is not to be believed. */
int pb_hostreply_take(struct pb_hostlink *link, const volatile struct pb_slot *slot, struct pb_collected *collected);

PB_HIDDEN_END
#endif
