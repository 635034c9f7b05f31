/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "clock.h"

int64_t pb_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * PB_SECOND + now.tv_nsec;
}

int64_t pb_after(int64_t start, int64_t duration)
{
    int64_t sum;
    return __builtin_add_overflow(start, duration, &sum) ? INT64_MAX : sum;
}

struct timespec pb_timespec(int64_t nanoseconds)
{
    return (struct timespec){.tv_sec = nanoseconds / PB_SECOND, .tv_nsec = nanoseconds % PB_SECOND};
}
