/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "courier.h"
#include "clock.h"
#include "poolstate.h"
#include "sig.h"

int pb_courier_init(struct pb_courier *courier, struct pebble_pool *pool, const char *name)
{
    courier->pool = pool;
    courier->name = name;
    courier->last = &courier->first;
    pthread_condattr_t monotonic;
    int rc = pthread_condattr_init(&monotonic);
    if (rc) return -rc;
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    rc = pthread_cond_init(&courier->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (rc) return -rc;
    return -pthread_mutex_init(&courier->lock, NULL);
}

void pb_courier_done(struct pb_courier *courier)
{
    pthread_cond_destroy(&courier->changed);
    pthread_mutex_destroy(&courier->lock);
}

static void *thread_main(void *arg)
{
    struct pb_courier *courier = arg;
    struct pebble_pool *pool = courier->pool;
    pthread_setname_np(pthread_self(), courier->name);
    pthread_mutex_lock(&courier->lock);
    for (;;) {
        struct pb_errand *errand = courier->first;
        if (!errand && courier->resting) break;
        if (!errand) {
            pthread_cond_wait(&courier->changed, &courier->lock);
            continue;
        }
        if (!(courier->first = errand->next)) courier->last = &courier->first;
        courier->running = true;
        pthread_mutex_unlock(&courier->lock);
        errand->run(errand);
        pthread_mutex_lock(&courier->lock);
        courier->running = false;
        if (!courier->first) pthread_cond_broadcast(&courier->changed);
    }
    courier->exists = false;
    pthread_mutex_unlock(&courier->lock);
    pb_pool_let_go(pool);
    return NULL;
}

/* With the lock held. */
static int ensure_exists(struct pb_courier *courier)
{
    if (courier->exists) return 0;
    pb_pool_hold(courier->pool);
    sigset_t old;
    pb_sig_block_all(&old);
    int rc = pthread_create(&courier->thread, NULL, thread_main, courier);
    pb_sig_restore(&old);
    if (rc) {
        pb_pool_let_go(courier->pool);
        return -rc;
    }
    pthread_detach(courier->thread);
    courier->exists = true;
    return 0;
}

int pb_courier_prepare(struct pb_courier *courier)
{
    pthread_mutex_lock(&courier->lock);
    int rc = courier->resting ? 0 : ensure_exists(courier);
    pthread_mutex_unlock(&courier->lock);
    return rc;
}

/* With the lock held. */
static void append(struct pb_courier *courier, struct pb_errand *errand)
{
    errand->next = NULL;
    *courier->last = errand;
    courier->last = &errand->next;
    pthread_cond_broadcast(&courier->changed);
}

int pb_courier_post(struct pb_courier *courier, struct pb_errand *errand)
{
    pthread_mutex_lock(&courier->lock);
    int rc = ensure_exists(courier);
    if (rc == 0) append(courier, errand);
    pthread_mutex_unlock(&courier->lock);
    return rc;
}

bool pb_courier_follow(struct pb_courier *courier, struct pb_errand *errand)
{
    pthread_mutex_lock(&courier->lock);
    bool follows = courier->first || courier->running;
    if (follows) append(courier, errand);
    pthread_mutex_unlock(&courier->lock);
    return follows;
}

void pb_courier_rest(struct pb_courier *courier)
{
    pthread_mutex_lock(&courier->lock);
    courier->resting = true;
    pthread_cond_broadcast(&courier->changed);
    pthread_mutex_unlock(&courier->lock);
}

int pb_courier_drain(struct pb_courier *courier, int64_t deadline)
{
    struct timespec until = pb_timespec(deadline);
    int rc = 0;
    pthread_mutex_lock(&courier->lock);
    while (rc == 0 && (courier->first || courier->running))
        rc = pthread_cond_timedwait(&courier->changed, &courier->lock, &until);
    pthread_mutex_unlock(&courier->lock);
    return -rc;
}

bool pb_courier_is_self(struct pb_courier *courier)
{
    pthread_mutex_lock(&courier->lock);
    bool is_self = courier->exists && pthread_equal(courier->thread, pthread_self());
    pthread_mutex_unlock(&courier->lock);
    return is_self;
}
