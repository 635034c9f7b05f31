/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "watchers.h"
#include "clock.h"
#include "fd.h"
#include "futex.h"
#include "job.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FEW 16 /* things that can be waited for without an allocation */

/* One thing of those that a thread waits for. */
struct pb_watcher {
    LIST_ENTRY(pb_watcher) link;
    _Atomic uint32_t *news; /* goes up with each of them that is done; the thread sleeps on it */
};

/* Of all lists and descriptors: held for a few instructions, by those who wait for several. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void pb_watchers_init(struct pb_watchers *watchers)
{
    LIST_INIT(&watchers->list);
    watchers->fd = -1;
}

/* By whoever makes the thing done after the caller will have looked at it. */
static void be_seen(struct pb_watchers *watchers)
{
    atomic_store(&watchers->any, true);
    atomic_thread_fence(memory_order_seq_cst);
}

void pb_watchers_tell(struct pb_watchers *watchers)
{
    if (!atomic_load(&watchers->any)) return;
    struct pb_watcher *watcher;
    uint64_t one = 1;
    pthread_mutex_lock(&lock);
    LIST_FOREACH(watcher, &watchers->list, link) {
        atomic_fetch_add(watcher->news, 1);
        pb_futex_wake_all(watcher->news);
    }
    while (watchers->fd >= 0 && write(watchers->fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    pthread_mutex_unlock(&lock);
}

void pb_watchers_done(struct pb_watchers *watchers)
{
    pb_close(&watchers->fd);
}

int pebble_future_fd(pebble_future *job)
{
    struct pb_watchers *watchers = &job->watchers;
    pthread_mutex_lock(&lock);
    if (watchers->fd < 0) {
        watchers->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        be_seen(watchers);
        uint64_t one = 1;
        if (watchers->fd >= 0 && pb_latch_state(&job->state) == PB_JOB_DONE) /* twice does no harm */
            while (write(watchers->fd, &one, sizeof one) < 0 && errno == EINTR)
                continue;
    }
    int rc = watchers->fd < 0 ? -errno : watchers->fd;
    pthread_mutex_unlock(&lock);
    return rc;
}

/* --- waiting for several --- */

static void watch(const struct pb_watched *all, struct pb_watcher *watchers, _Atomic uint32_t *news)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < all->count; i++) {
        struct pb_watchers *of_one = all->watchers(all->things, i);
        watchers[i].news = news;
        LIST_INSERT_HEAD(&of_one->list, &watchers[i], link);
        be_seen(of_one);
    }
    pthread_mutex_unlock(&lock);
}

static void unwatch(struct pb_watcher *watchers, size_t count)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < count; i++)
        LIST_REMOVE(&watchers[i], link);
    pthread_mutex_unlock(&lock);
}

static size_t count_done(const struct pb_watched *all, bool ret_done[])
{
    size_t done = 0;
    for (size_t i = 0; i < all->count; i++) {
        bool is_done = all->is_done(all->things, i);
        if (ret_done) ret_done[i] = is_done;
        done += is_done;
    }
    return done;
}

int pb_watchers_wait(const struct pb_watched *all, size_t need, int64_t timeout, bool *ret_done)
{
    int64_t deadline = timeout == PEBBLE_FOREVER ? INT64_MAX : pb_after(pb_now(), timeout);
    if (timeout == 0 || count_done(all, NULL) >= need) return (int)count_done(all, ret_done);

    struct pb_watcher few[FEW];
    struct pb_watcher *watchers = all->count > FEW ? reallocarray(NULL, all->count, sizeof *watchers) : few;
    if (!watchers) return -ENOMEM;
    _Atomic uint32_t news = 0;
    size_t done;
    bool expired = false;
    watch(all, watchers, &news);
    for (;;) {
        uint32_t known = atomic_load(&news);
        done = count_done(all, ret_done);
        if (done >= need || expired) break;
        expired = pb_futex_wait(&news, known, deadline) == -ETIMEDOUT;
    }
    unwatch(watchers, all->count);
    if (watchers != few) free(watchers);
    return (int)done;
}

/* --- futures --- */

static bool has_outcome(const void *futures, size_t i)
{
    return pb_latch_state(&((struct pebble_future *const *)futures)[i]->state) == PB_JOB_DONE;
}

static struct pb_watchers *watchers_of(const void *futures, size_t i)
{
    return &((struct pebble_future *const *)futures)[i]->watchers;
}

static int wait_for_all(const struct pb_watched *all, struct pebble_future *const futures[], int64_t timeout,
                        bool ret_done[])
{
    int64_t deadline = timeout == PEBBLE_FOREVER ? INT64_MAX : pb_after(pb_now(), timeout);
    for (size_t i = 0; i < all->count; i++) {
        int64_t left = deadline == INT64_MAX ? PEBBLE_FOREVER : deadline - pb_now();
        if (pebble_future_wait(futures[i], left > 0 ? left : 0) < 0) break;
    }
    return (int)count_done(all, ret_done);
}

int pebble_wait_futures(pebble_future *const *futures, size_t count, size_t need, int64_t timeout, bool *ret_done)
{
    if (timeout < 0 || need == 0 || need > count || count > INT_MAX) return -EINVAL;
    struct pb_watched all = {.things = futures, .count = count, .is_done = has_outcome, .watchers = watchers_of};
    return need == count ? wait_for_all(&all, futures, timeout, ret_done)
                         : pb_watchers_wait(&all, need, timeout, ret_done);
}
