/* SPDX-License-Identifier: Apache-2.0
 *
 * CLOCK_REALTIME and the clocks that follow it when it is set are the wall; all
 * others count as monotonic. */
#define _GNU_SOURCE
#include "wall.h"
#include "faults.h"

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

#define HOUR 3600

unsigned long wall_uses(void)
{
    return faults_clock_uses(true);
}

unsigned long wall_monotonic_uses(void)
{
    return faults_clock_uses(false);
}

/* Whether it is the wall clock that is used. */
static bool uses_wall(clockid_t clock)
{
    bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI;
    faults_count_clock_use(wall);
    return wall;
}

/* Seconds, others each time. */
static time_t jump(void)
{
    static atomic_uint_fast64_t jumps;
    uint64_t mixed = (atomic_fetch_add(&jumps, 1) + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return (time_t)(mixed >> 32) % (10 * HOUR) - 5 * HOUR;
}

static struct timespec moved(const struct timespec *moment)
{
    struct timespec other = *moment;
    other.tv_sec += jump();
    return other;
}

/* --- asking --- */

int fault_clock_gettime(clockid_t clock, struct timespec *ret_now);
int fault_clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    int rc = clock_gettime(clock, ret_now);
    if (uses_wall(clock)) *ret_now = moved(ret_now);
    return rc;
}

int fault_timespec_get(struct timespec *ret_now, int base);
int fault_timespec_get(struct timespec *ret_now, int base)
{
    fault_clock_gettime(CLOCK_REALTIME, ret_now);
    return base;
}

int fault_gettimeofday(struct timeval *ret_now, void *zone);
int fault_gettimeofday(struct timeval *ret_now, void *zone)
{
    (void)zone;
    struct timespec now;
    fault_clock_gettime(CLOCK_REALTIME, &now);
    *ret_now = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t fault_time(time_t *ret_now);
time_t fault_time(time_t *ret_now)
{
    struct timespec now;
    fault_clock_gettime(CLOCK_REALTIME, &now);
    if (ret_now) *ret_now = now.tv_sec;
    return now.tv_sec;
}

/* --- waiting until a moment --- */

#define CONDITIONS 1024
static _Atomic(pthread_cond_t *) monotonic[CONDITIONS]; /* those that wait on that clock */

static bool is_monotonic(pthread_cond_t *condition)
{
    for (int i = 0; i < CONDITIONS; i++)
        if (atomic_load(&monotonic[i]) == condition) return true;
    return false;
}

static void replace(pthread_cond_t *old, pthread_cond_t *new)
{
    for (int i = 0; i < CONDITIONS; i++) {
        pthread_cond_t *expected = old;
        if (atomic_compare_exchange_strong(&monotonic[i], &expected, new)) return;
    }
    if (!old) abort(); /* more than the table has room for */
}

int fault_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes);
int fault_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes)
{
    clockid_t clock = CLOCK_REALTIME;
    if (attributes) pthread_condattr_getclock(attributes, &clock);
    if (clock == CLOCK_MONOTONIC) replace(NULL, condition);
    return pthread_cond_init(condition, attributes);
}

int fault_pthread_cond_destroy(pthread_cond_t *condition);
int fault_pthread_cond_destroy(pthread_cond_t *condition)
{
    replace(condition, NULL);
    return pthread_cond_destroy(condition);
}

int fault_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until);
int fault_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
    bool wall = uses_wall(is_monotonic(condition) ? CLOCK_MONOTONIC : CLOCK_REALTIME);
    struct timespec other = wall ? moved(until) : *until;
    return pthread_cond_timedwait(condition, mutex, &other);
}

int fault_pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until);
int fault_pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
    struct timespec other = uses_wall(clock) ? moved(until) : *until;
    return pthread_cond_clockwait(condition, mutex, clock, &other);
}

int fault_sem_timedwait(sem_t *semaphore, const struct timespec *until);
int fault_sem_timedwait(sem_t *semaphore, const struct timespec *until)
{
    uses_wall(CLOCK_REALTIME);
    struct timespec other = moved(until);
    return sem_timedwait(semaphore, &other);
}

int fault_pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until);
int fault_pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until)
{
    uses_wall(CLOCK_REALTIME);
    struct timespec other = moved(until);
    return pthread_mutex_timedlock(mutex, &other);
}

int fault_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left);
int fault_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    bool jumps = uses_wall(clock) && flags == TIMER_ABSTIME;
    struct timespec other = jumps ? moved(time) : *time;
    return clock_nanosleep(clock, flags, &other, left);
}

void wall_count_timer(clockid_t clock)
{
    uses_wall(clock);
}

struct timespec wall_futex_until(long operation, const struct timespec *until)
{
    return uses_wall(operation & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC) ? moved(until) : *until;
}
