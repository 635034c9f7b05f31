/* SPDX-License-Identifier: Apache-2.0
 * A word that goes up through a few states and can be waited for: the system
 * is called only when somebody waits. */
#ifndef PB_LATCH_H
#define PB_LATCH_H

#include "compat.h"

#include <stdatomic.h>

/* The states are the caller's, 0 to 255, starting at 0. */
struct pb_latch {
    _Atomic uint32_t word;
};

PB_HIDDEN_BEGIN

unsigned pb_latch_state(const struct pb_latch *latch);

/* From one state to another. False when it is not in `from`. */
bool pb_latch_step(struct pb_latch *latch, unsigned from, unsigned to);

/* To `state`, from whichever, waking who waits for it. */
void pb_latch_set(struct pb_latch *latch, unsigned state);

/* The same in two steps: the second may come later. */
void pb_latch_put(struct pb_latch *latch, unsigned state);
void pb_latch_wake(struct pb_latch *latch);

/* Waits up to `timeout` ns until the state is at least `state`. 0, -ETIMEDOUT, -EINVAL (negative). */
int pb_latch_wait(struct pb_latch *latch, unsigned state, int64_t timeout);

PB_HIDDEN_END
#endif
