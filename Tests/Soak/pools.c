/* SPDX-License-Identifier: Apache-2.0
 * Pools of all sorts. */
#include "soak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_output(const struct pebble_output_line *line, void *arg)
{
    (void)arg;
    if (atomic_fetch_add(&soak.lines, 1) % 64 == 0) sleep_for(MILLISECOND); /* so that pipes fill */
    for (size_t i = 0; i < line->length; i++)
        if (line->text[i] != 'x') {
            complain("a line of a worker came changed: %.40s", line->text);
            return;
        }
}

static enum pebble_output some_output(uint64_t *state)
{
    return roll(state) % 3 ? PEBBLE_DISCARD : PEBBLE_CAPTURE;
}

pebble_pool *make_pool(uint64_t *state, bool lasting)
{
    const struct pebble_pool_config config = {
        .max_workers = 1 + (unsigned)(roll(state) % 4),
        .max_tasks = roll(state) % 3 ? 0 : 1 + roll(state) % 50,
        .start_method = roll(state) % 3 ? PEBBLE_FORK_SERVER : PEBBLE_SPAWN,
        .idle_timeout = roll(state) % 4 ? 0 : 10 * MILLISECOND,
        .max_memory = roll(state) % 8 ? 0 : 8 << 20,
        .grace = roll(state) % 2 ? 0 : 3 * MILLISECOND,
        .stdout_to = some_output(state),
        .stderr_to = some_output(state),
        .on_output = on_output,
        .initializer.function = roll(state) % 8 || lasting ? NULL : stumble,
        .spare_workers = roll(state) % 4 ? 0 : PEBBLE_NO_SPARES,
        .name = "soak",
    };
    pebble_pool *pool;
    int rc = pebble_pool_new(&config, &pool);
    if (rc == 0) return pool;
    fprintf(stderr, "soak: no pool: %s\n", strerror(-rc));
    exit(1);
}

pebble_pool *borrow_pool(unsigned number)
{
    pthread_mutex_lock(&soak.lock);
    pebble_pool *pool = pebble_pool_ref(soak.pools[number]);
    pthread_mutex_unlock(&soak.lock);
    return pool;
}

void finish_pool(pebble_pool *pool, bool stop)
{
    struct pebble_pool_statistics counts;
    if (stop)
        pebble_pool_stop(pool);
    else
        pebble_pool_close(pool);
    if (pebble_pool_join(pool, PATIENCE) < 0) complain("a pool does not come to rest");
    pebble_pool_get_statistics(pool, &counts);
    soak.started += counts.started;
    soak.expired += counts.expired;
    soak.killed += counts.killed;
    soak.retried += counts.retried;
    pebble_pool_unref(pool);
}

static void replace_one(uint64_t *state)
{
    unsigned which = 1 + (unsigned)(roll(state) % (POOLS - 1));
    pebble_pool *made = make_pool(state, false);
    pthread_mutex_lock(&soak.lock);
    pebble_pool *old = soak.pools[which];
    soak.pools[which] = made;
    pthread_mutex_unlock(&soak.lock);
    atomic_fetch_add(&soak.replacements, 1);
    finish_pool(old, roll(state) % 2);
}

static void resize_one(uint64_t *state)
{
    pebble_pool *pool = borrow_pool((unsigned)(roll(state) % POOLS));
    pebble_pool_resize(pool, 1 + (unsigned)(roll(state) % 5));
    pebble_pool_unref(pool);
    atomic_fetch_add(&soak.resizes, 1);
}

void *shuffle(void *unused)
{
    (void)unused;
    uint64_t state = dice_of(THREADS + 2);
    while (!atomic_load(&soak.over)) {
        sleep_for((int64_t)(roll(&state) % 200) * MILLISECOND);
        if (roll(&state) % 2)
            resize_one(&state);
        else
            replace_one(&state);
    }
    return NULL;
}
