/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "inbox.h"
#include "fd.h"
#include "job.h"

#include <sys/eventfd.h>
#include <unistd.h>

static struct pebble_future closed;

int pb_inbox_init(struct pb_inbox *inbox)
{
    inbox->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return inbox->bell < 0 ? -errno : 0;
}

void pb_inbox_done(struct pb_inbox *inbox)
{
    pb_close(&inbox->bell);
}

void pb_inbox_ring(struct pb_inbox *inbox)
{
    uint64_t one = 1;
    while (write(inbox->bell, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

void pb_inbox_hush(struct pb_inbox *inbox)
{
    uint64_t count;
    while (read(inbox->bell, &count, sizeof count) < 0 && errno == EINTR)
        continue;
}

int pb_inbox_push(struct pb_inbox *inbox, struct pebble_future *job)
{
    struct pebble_future *newest = atomic_load_explicit(&inbox->newest, memory_order_relaxed);
    do {
        if (newest == &closed) return -ESHUTDOWN;
        job->next = newest;
    } while (!atomic_compare_exchange_weak(&inbox->newest, &newest, job));
    return 0;
}

bool pb_inbox_empty(const struct pb_inbox *inbox)
{
    struct pebble_future *newest = atomic_load(&inbox->newest);
    return !newest || newest == &closed;
}

struct pebble_future *pb_inbox_take(struct pb_inbox *inbox)
{
    if (pb_inbox_empty(inbox)) return NULL;
    struct pebble_future *job = atomic_exchange(&inbox->newest, NULL), *oldest = NULL;
    while (job) {
        struct pebble_future *next = job->next;
        job->next = oldest;
        oldest = job;
        job = next;
    }
    return oldest;
}

bool pb_inbox_close(struct pb_inbox *inbox)
{
    struct pebble_future *none = NULL;
    return atomic_compare_exchange_strong(&inbox->newest, &none, &closed);
}
