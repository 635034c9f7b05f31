/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "latch.h"
#include "clock.h"
#include "futex.h"

#define WAITED UINT32_C(0x100) /* somebody sleeps */
#define STATE UINT32_C(0xff)

unsigned pb_latch_state(const struct pb_latch *latch)
{
    return atomic_load_explicit(&latch->word, memory_order_acquire) & STATE;
}

bool pb_latch_step(struct pb_latch *latch, unsigned from, unsigned to)
{
    uint32_t word = atomic_load_explicit(&latch->word, memory_order_relaxed);
    do
        if ((word & STATE) != from) return false;
    while (!atomic_compare_exchange_weak(&latch->word, &word, to | (word & WAITED)));
    return true;
}

void pb_latch_set(struct pb_latch *latch, unsigned state)
{
    if (atomic_exchange(&latch->word, state) & WAITED) pb_futex_wake_all(&latch->word);
}

void pb_latch_put(struct pb_latch *latch, unsigned state)
{
    uint32_t word = atomic_load_explicit(&latch->word, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&latch->word, &word, state | (word & WAITED)))
        continue;
}

void pb_latch_wake(struct pb_latch *latch)
{
    if (atomic_load(&latch->word) & WAITED) pb_futex_wake_all(&latch->word);
}

int pb_latch_wait(struct pb_latch *latch, unsigned state, int64_t timeout)
{
    if (timeout < 0) return -EINVAL;
    uint32_t word = atomic_load_explicit(&latch->word, memory_order_acquire);
    if ((word & STATE) >= state) return 0;
    if (timeout == 0) return -ETIMEDOUT;
    int64_t deadline = timeout == INT64_MAX ? INT64_MAX : pb_after(pb_now(), timeout);
    for (;;) {
        word = atomic_load_explicit(&latch->word, memory_order_acquire);
        if ((word & STATE) >= state) return 0;
        if (!(word & WAITED) && !atomic_compare_exchange_weak(&latch->word, &word, word | WAITED)) continue;
        if (pb_futex_wait(&latch->word, word | WAITED, deadline) == -ETIMEDOUT)
            return pb_latch_state(latch) >= state ? 0 : -ETIMEDOUT;
    }
}
