/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "watch.h"
#include "clock.h"
#include "fd.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

int pb_watch_open(struct pebble_pool *pool)
{
    pool->timer_at = INT64_MAX;
    pb_wheel_init(&pool->wheel, pb_now());
    pool->timer = pool->epoll = -1;
    int rc = 0;
    if ((pool->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0) rc = -errno;
    if (rc == 0 && (pool->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) < 0) rc = -errno;
    if (rc == 0) rc = pb_watch_add(pool, pool->timer, &pool->timer);
    if (rc < 0) pb_watch_close(pool);
    return rc;
}

void pb_watch_close(struct pebble_pool *pool)
{
    pb_close(&pool->timer);
    pb_close(&pool->epoll);
}

int pb_watch_add(struct pebble_pool *pool, int fd, void *tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};
    return epoll_ctl(pool->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void pb_watch_writable(struct pebble_pool *pool, int fd, void *tag, bool writable)
{
    struct epoll_event event = {.events = EPOLLIN | (writable ? EPOLLOUT : 0U), .data.ptr = tag};
    epoll_ctl(pool->epoll, EPOLL_CTL_MOD, fd, &event);
}

void pb_watch_remove(struct pebble_pool *pool, int fd)
{
    if (fd >= 0) epoll_ctl(pool->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void pb_watch_arm(struct pebble_pool *pool, struct pb_alarm *alarm, int64_t deadline)
{
    if (deadline == INT64_MAX)
        pb_wheel_disarm(&pool->wheel, &alarm->timer);
    else
        pb_wheel_arm(&pool->wheel, &alarm->timer, deadline);
}

/* Only an earlier moment is worth a system call; a later one costs a wake-up
 * that finds nothing to do, at most one. */
void pb_watch_set_timer(struct pebble_pool *pool)
{
    if (pool->timer < 0) return; /* the pool has come to rest */
    int64_t next = pb_wheel_next(&pool->wheel);
    if (next >= pool->timer_at) return;
    pool->timer_at = next;
    struct itimerspec at = {.it_value = pb_timespec(next > 0 ? next : 1)};
    timerfd_settime(pool->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

void pb_watch_on_timer(struct pebble_pool *pool)
{
    uint64_t count;
    while (read(pool->timer, &count, sizeof count) < 0 && errno == EINTR)
        continue;
    pool->timer_at = INT64_MAX;
}
