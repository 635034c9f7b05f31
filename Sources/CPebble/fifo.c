/* SPDX-License-Identifier: Apache-2.0
 *
 * An item goes straight to the getter that has slept longest, and the room
 * that a get makes to the putter that has. A sleeper is served under the lock
 * by whoever takes it off its list, and told after that; so being woken is
 * always an answer, nobody is overtaken, and while the lock is free
 *   getters sleep only at an open queue that is empty,
 *   putters sleep only at an open queue that is full. */
#include "compat.h"
#include "clock.h"
#include "fd.h"
#include "latch.h"
#include "pebble/queue.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SLOTS_MIN 16
#define SLOTS_KEPT 1024 /* by a queue without bounds that has run empty */
#define FEW 16          /* queues that can be waited for without an allocation */

/* A thread in a put or get; on its stack. */
struct sleeper {
    TAILQ_ENTRY(sleeper) link;
    struct pb_latch told; /* 1: the answer is there, and nobody else looks at this any more */
    bool listed;          /* under the lock */
    int answer;
    void *item;           /* to be put, or that was got */
};

TAILQ_HEAD(sleepers, sleeper);

/* One of the queues that a thread waits for. */
struct watch {
    TAILQ_ENTRY(watch) link;
    struct pb_latch *bell; /* set to 1 when the queue becomes ready */
};

struct pebble_queue {
    atomic_uint references;
    pthread_mutex_t lock; /* of all that follows */
    void **ring;
    size_t slots, first, count; /* slots is a power of two, or 0 */
    size_t capacity;            /* SIZE_MAX: without bounds */
    bool closed;
    int fd; /* -1: never asked for */
    struct sleepers getters, putters;
    TAILQ_HEAD(, watch) watches;
    pebble_free_function free_item;
};

int pebble_queue_new(size_t capacity, pebble_free_function free_item, pebble_queue **ret_queue)
{
    struct pebble_queue *queue = calloc(1, sizeof *queue);
    if (!queue) return -ENOMEM;
    atomic_init(&queue->references, 1);
    pthread_mutex_init(&queue->lock, NULL);
    queue->capacity = capacity ? capacity : SIZE_MAX;
    queue->fd = -1;
    queue->free_item = free_item;
    TAILQ_INIT(&queue->getters);
    TAILQ_INIT(&queue->putters);
    TAILQ_INIT(&queue->watches);
    *ret_queue = queue;
    return 0;
}

pebble_queue *pebble_queue_ref(pebble_queue *queue)
{
    atomic_fetch_add_explicit(&queue->references, 1, memory_order_relaxed);
    return queue;
}

/* --- the ring --- */

static void **slot(struct pebble_queue *queue, size_t i)
{
    return &queue->ring[(queue->first + i) & (queue->slots - 1)];
}

static int grow(struct pebble_queue *queue)
{
    size_t slots = queue->slots ? queue->slots * 2 : SLOTS_MIN;
    void **ring = reallocarray(NULL, slots, sizeof *ring);
    if (!ring) return -ENOMEM;
    for (size_t i = 0; i < queue->count; i++)
        ring[i] = *slot(queue, i);
    free(queue->ring);
    queue->ring = ring;
    queue->slots = slots;
    queue->first = 0;
    return 0;
}

static int append(struct pebble_queue *queue, void *item)
{
    int rc = queue->count == queue->slots ? grow(queue) : 0;
    if (rc == 0) *slot(queue, queue->count++) = item;
    return rc;
}

static void *take_first(struct pebble_queue *queue)
{
    void *item = *slot(queue, 0);
    queue->first++;
    if (--queue->count == 0 && queue->capacity == SIZE_MAX && queue->slots > SLOTS_KEPT) {
        free(queue->ring);
        queue->ring = NULL;
        queue->slots = 0;
    }
    return item;
}

void pebble_queue_unref(pebble_queue *queue)
{
    if (!queue || atomic_fetch_sub(&queue->references, 1) > 1) return;
    assert(TAILQ_EMPTY(&queue->getters) && TAILQ_EMPTY(&queue->putters) && TAILQ_EMPTY(&queue->watches));
    while (queue->count) {
        void *item = take_first(queue);
        if (queue->free_item) queue->free_item(item);
    }
    free(queue->ring);
    pb_close(&queue->fd);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

/* --- readiness --- */

static bool is_ready(const struct pebble_queue *queue)
{
    return queue->count || queue->closed;
}

/* After a change: makes known what it made of the queue. The only system
 * calls under the lock, and only for those who asked. */
static void show(struct pebble_queue *queue, bool was_ready)
{
    bool ready = is_ready(queue);
    if (ready == was_ready) return;
    struct watch *watch;
    if (ready) TAILQ_FOREACH(watch, &queue->watches, link) pb_latch_set(watch->bell, 1);
    if (queue->fd < 0) return;
    uint64_t value = 1;
    ssize_t length = ready ? write(queue->fd, &value, sizeof value) : read(queue->fd, &value, sizeof value);
    assert(length == sizeof value);
    (void)length;
}

int pebble_queue_fd(pebble_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->fd < 0) queue->fd = eventfd(is_ready(queue), EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = queue->fd < 0 ? -errno : queue->fd;
    pthread_mutex_unlock(&queue->lock);
    return rc;
}

size_t pebble_queue_size(pebble_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}

/* --- sleepers --- */

/* With the lock held: who has slept longest, off the list and still to be told; or NULL. */
static struct sleeper *call_up(struct sleepers *sleepers)
{
    struct sleeper *sleeper = TAILQ_FIRST(sleepers);
    if (!sleeper) return NULL;
    TAILQ_REMOVE(sleepers, sleeper, link);
    sleeper->listed = false;
    return sleeper;
}

static void tell(struct sleeper *sleeper, int answer)
{
    sleeper->answer = answer;
    pb_latch_set(&sleeper->told, 1);
}

/* Called with the lock held, which it gives back. */
static int sleep_in(struct pebble_queue *queue, struct sleepers *sleepers, struct sleeper *self, int64_t timeout)
{
    TAILQ_INSERT_TAIL(sleepers, self, link);
    self->listed = true;
    pthread_mutex_unlock(&queue->lock);
    if (pb_latch_wait(&self->told, 1, timeout) == 0) return self->answer;

    pthread_mutex_lock(&queue->lock);
    bool listed = self->listed;
    if (listed) TAILQ_REMOVE(sleepers, self, link);
    pthread_mutex_unlock(&queue->lock);
    if (listed) return -ETIMEDOUT;
    pb_latch_wait(&self->told, 1, PEBBLE_FOREVER); /* just being told */
    return self->answer;
}

int pebble_queue_put(pebble_queue *queue, void *item, int64_t timeout)
{
    if (timeout < 0) return -EINVAL;
    struct sleeper self = {.item = item}, *getter = NULL;
    int rc = 0;
    pthread_mutex_lock(&queue->lock);
    if (queue->closed) {
        rc = -ESHUTDOWN;
    } else if ((getter = call_up(&queue->getters))) {
        getter->item = item;
    } else if (queue->count < queue->capacity) {
        bool was_ready = is_ready(queue);
        rc = append(queue, item);
        show(queue, was_ready);
    } else if (timeout == 0) {
        rc = -EAGAIN;
    } else {
        return sleep_in(queue, &queue->putters, &self, timeout);
    }
    pthread_mutex_unlock(&queue->lock);
    if (getter) tell(getter, 0);
    return rc;
}

int pebble_queue_get(pebble_queue *queue, int64_t timeout, void **ret_item)
{
    if (timeout < 0) return -EINVAL;
    struct sleeper self = {.item = NULL}, *putter = NULL;
    int rc = 0;
    pthread_mutex_lock(&queue->lock);
    if (queue->count) {
        *ret_item = take_first(queue);
        if ((putter = call_up(&queue->putters))) append(queue, putter->item); /* there is a slot for it */
        show(queue, true);
    } else if (queue->closed) {
        rc = -EPIPE;
    } else if (timeout == 0) {
        rc = -EAGAIN;
    } else {
        rc = sleep_in(queue, &queue->getters, &self, timeout);
        if (rc == 0) *ret_item = self.item;
        return rc;
    }
    pthread_mutex_unlock(&queue->lock);
    if (putter) tell(putter, 0);
    return rc;
}

static void call_up_all(struct sleepers *sleepers, struct sleepers *ret_called)
{
    struct sleeper *sleeper;
    TAILQ_INIT(ret_called);
    while ((sleeper = call_up(sleepers)))
        TAILQ_INSERT_TAIL(ret_called, sleeper, link);
}

static void tell_all(struct sleepers *called, int answer)
{
    struct sleeper *sleeper, *next; /* who was told is gone */
    TAILQ_FOREACH_SAFE(sleeper, called, link, next) tell(sleeper, answer);
}

void pebble_queue_close(pebble_queue *queue)
{
    struct sleepers getters, putters;
    pthread_mutex_lock(&queue->lock);
    bool was_ready = is_ready(queue);
    queue->closed = true;
    call_up_all(&queue->getters, &getters);
    call_up_all(&queue->putters, &putters);
    show(queue, was_ready);
    pthread_mutex_unlock(&queue->lock);
    tell_all(&getters, -EPIPE);
    tell_all(&putters, -ESHUTDOWN);
}

/* --- waiting for several --- */

/* Watches the queues up to the first that is ready. How many are watched. */
static size_t watch_queues(struct pebble_queue *const queues[], size_t count, struct watch *watches,
                           struct pb_latch *bell)
{
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&queues[i]->lock);
        bool ready = is_ready(queues[i]);
        watches[i].bell = bell;
        if (!ready) TAILQ_INSERT_TAIL(&queues[i]->watches, &watches[i], link);
        pthread_mutex_unlock(&queues[i]->lock);
        if (ready) return i;
    }
    return count;
}

/* Ends the first `watched` watches, and sees which of all queues are ready. How many are. */
static int look(struct pebble_queue *const queues[], size_t count, struct watch *watches, size_t watched,
                bool ret_ready[])
{
    int sum = 0;
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&queues[i]->lock);
        if (i < watched) TAILQ_REMOVE(&queues[i]->watches, &watches[i], link);
        ret_ready[i] = is_ready(queues[i]);
        pthread_mutex_unlock(&queues[i]->lock);
        sum += ret_ready[i];
    }
    return sum;
}

static int64_t time_left(int64_t deadline)
{
    if (deadline == PEBBLE_FOREVER) return PEBBLE_FOREVER;
    int64_t left = deadline - pb_now();
    return left > 0 ? left : 0;
}

int pebble_wait_queues(pebble_queue *const *queues, size_t count, int64_t timeout, bool *ret_ready)
{
    if (timeout < 0 || count == 0 || count > INT_MAX) return -EINVAL;
    struct watch few[FEW], *watches = count > FEW ? reallocarray(NULL, count, sizeof *watches) : few;
    if (!watches) return -ENOMEM;
    int64_t deadline = pb_after(pb_now(), timeout);
    bool expired = false;
    int ready;
    do { /* again when others have taken everything by the time that this thread looks */
        struct pb_latch bell = {0};
        size_t watched = watch_queues(queues, count, watches, &bell);
        if (watched == count) expired = pb_latch_wait(&bell, 1, time_left(deadline)) < 0;
        ready = look(queues, count, watches, watched, ret_ready);
    } while (ready == 0 && !expired);
    if (watches != few) free(watches);
    return ready;
}
