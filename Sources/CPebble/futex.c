/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "futex.h"
#include "clock.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Without FUTEX_PRIVATE_FLAG in `flags` the word may be another process's as well. */
static int wait(_Atomic uint32_t *word, int flags, uint32_t expected, int64_t deadline)
{
    struct timespec until = pb_timespec(deadline);
    long rc = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | flags, expected, deadline == INT64_MAX ? NULL : &until,
                      NULL, FUTEX_BITSET_MATCH_ANY);
    return rc < 0 && errno == ETIMEDOUT ? -ETIMEDOUT : 0;
}

int pb_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline)
{
    return wait(word, FUTEX_PRIVATE_FLAG, expected, deadline);
}

void pb_futex_wake_all(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void pb_futex_wait_shared(_Atomic uint32_t *word, uint32_t expected, int64_t deadline)
{
    wait(word, 0, expected, deadline);
}

void pb_futex_wake_shared(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void pb_wakes_add(struct pb_wakes *wakes, _Atomic uint32_t *word)
{
    if (wakes && wakes->count < PB_WAKES)
        wakes->words[wakes->count++] = word;
    else
        pb_futex_wake_shared(word);
}

void pb_wakes_do(const struct pb_wakes *wakes)
{
    for (unsigned i = 0; i < wakes->count; i++)
        pb_futex_wake_shared(wakes->words[i]);
}
