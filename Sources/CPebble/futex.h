/* SPDX-License-Identifier: Apache-2.0
 * Sleeping on a 32-bit word, of this process or shared with another. */
#ifndef PB_FUTEX_H
#define PB_FUTEX_H

#include "compat.h"

#include <stdatomic.h>

PB_HIDDEN_BEGIN

/* Sleeps while *word is `expected`, until `deadline` (CLOCK_MONOTONIC, ns;
 * INT64_MAX: for ever). 0: woken, or the word differs, or for no reason; -ETIMEDOUT. */
int pb_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline);

void pb_futex_wake_all(_Atomic uint32_t *word);

/* The same for a word in memory that processes share. */
void pb_futex_wait_shared(_Atomic uint32_t *word, uint32_t expected, int64_t deadline);
void pb_futex_wake_shared(_Atomic uint32_t *word);

PB_HIDDEN_END
#endif
