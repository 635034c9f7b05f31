/* SPDX-License-Identifier: Apache-2.0
 * The host's side of the annex of a link: when it has it, and the copies. */
#ifndef PB_HOSTANNEX_H
#define PB_HOSTANNEX_H

#include "compat.h"
#include "hostlink.h"

PB_HIDDEN_BEGIN

/* Takes part in it, where the worker does. False: nothing may go there. */
bool pb_hostannex_open(struct pb_hostlink *link);

/* Empties it, when no job is under way. True: the worker is to be woken, to leave it as well. */
bool pb_hostannex_close(struct pb_hostlink *link);

/* One more piece, or all of it. True: it is complete. */
bool pb_hostannex_copy(struct pb_copy *copy, bool all);

PB_HIDDEN_END
#endif
