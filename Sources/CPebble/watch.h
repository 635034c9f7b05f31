/* SPDX-License-Identifier: Apache-2.0
 * What a pool waits on: descriptors (epoll), and alarms (a wheel behind one
 * timerfd). All of it with the pool's lock held. */
#ifndef PB_WATCH_H
#define PB_WATCH_H

#include "compat.h"
#include "poolstate.h"

PB_HIDDEN_BEGIN

/* 0 or -errno (nothing is left open). */
int pb_watch_open(struct pebble_pool *pool);
void pb_watch_close(struct pebble_pool *pool);

/* Watches a descriptor for reading; `tag` comes back with its events. 0 or -errno. */
int pb_watch_add(struct pebble_pool *pool, int fd, void *tag);
void pb_watch_writable(struct pebble_pool *pool, int fd, void *tag, bool writable);
void pb_watch_remove(struct pebble_pool *pool, int fd);

/* Arms an alarm; INT64_MAX disarms it. */
void pb_watch_arm(struct pebble_pool *pool, struct pb_alarm *alarm, int64_t deadline);

/* Sets the timer to the next alarm; before the lock is given back. */
void pb_watch_set_timer(struct pebble_pool *pool);

/* The timer (tag &pool->timer) has gone off. */
void pb_watch_on_timer(struct pebble_pool *pool);

PB_HIDDEN_END
#endif
