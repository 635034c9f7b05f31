/* SPDX-License-Identifier: Apache-2.0
 * A wall clock that jumps. The library is linked with the calls that ask a clock,
 * or wait until a moment on one, replaced by those of wall.c. Whoever asks the
 * wall clock, in host, fork server or worker, is told a time up to five hours
 * before or after the last it was told; who waits on it waits until such a time. */
#ifndef WALL_H
#define WALL_H

#include <time.h>

/* How often the wall clock, and how often the monotonic clock, was asked, waited
 * on or chosen since faults_open, in all processes. */
unsigned long wall_uses(void);
unsigned long wall_monotonic_uses(void);

/* For faults.c: a timer on that clock is made; and until when a futex is to be waited for. */
void wall_count_timer(clockid_t clock);
struct timespec wall_futex_until(long operation, const struct timespec *until);

#endif
