/* SPDX-License-Identifier: Apache-2.0
 * Sleeping on a 32-bit word, of this process or shared with another. */
#ifndef PB_FUTEX_H
#define PB_FUTEX_H

#include "compat.h"

#include <stdatomic.h>

/* Shared words whose wakes are put off until a lock is given back: who is woken
 * may take this CPU from the holder, or want the lock. Zeroed: none. */
#define PB_WAKES 16
struct pb_wakes {
    unsigned count;
    _Atomic uint32_t *words[PB_WAKES];
};

PB_HIDDEN_BEGIN

/* Sleeps while *word is `expected`, until `deadline` (CLOCK_MONOTONIC, ns;
 * INT64_MAX: for ever). 0: woken, or the word differs, or for no reason; -ETIMEDOUT. */
int pb_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline);

void pb_futex_wake_all(_Atomic uint32_t *word);

/* The same for a word in memory that processes share. */
void pb_futex_wait_shared(_Atomic uint32_t *word, uint32_t expected, int64_t deadline);
void pb_futex_wake_shared(_Atomic uint32_t *word);

/* Puts a wake off; what does not fit is done at once, and all where `wakes` is NULL. */
void pb_wakes_add(struct pb_wakes *wakes, _Atomic uint32_t *word);

/* Does those that were put off. A word may be unmapped meanwhile, or be another: nobody minds a wake too many. */
void pb_wakes_do(const struct pb_wakes *wakes);

PB_HIDDEN_END
#endif
