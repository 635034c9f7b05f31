/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger.h"
#include "clock.h"
#include "dispatch.h"
#include "poolstate.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (LEDGER_ENTRIES * sizeof(atomic_uint))

void ledger_open(struct ledger *ledger)
{
    ledger->memory = memfd_create("ledger", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(ledger->memory, SIZE), 0);
    ledger->ran = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ledger->memory, 0);
    ck_assert_ptr_ne(ledger->ran, MAP_FAILED);
}

struct order order_to_note(const struct ledger *ledger, int64_t number)
{
    return (struct order){.host = getpid(), .memory = ledger->memory, .number = number};
}

/* Mapped once in each worker: a test has one ledger. */
static atomic_uint *map(const struct order *order)
{
    static atomic_uint *ran;
    if (ran) return ran;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)order->host, order->memory);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ran = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (ran == MAP_FAILED) _exit(93);
    close(fd);
    return ran;
}

int job_note(pebble_call *call)
{
    const struct order *order = order_of(call);
    atomic_fetch_add(&map(order)[order->number], 1);
    return reply_number(call, getpid());
}

int job_note_often(pebble_call *call)
{
    for (int64_t end = pb_now() + 10000; pb_now() < end;)
        continue;
    return job_note(call);
}

int job_note_die(pebble_call *call)
{
    job_note(call);
    return kill(getpid(), SIGKILL);
}

bool shipped(pebble_pool *pool, pebble_future *future)
{
    pthread_mutex_lock(&pool->lock);
    bool with_worker = future->worker != NULL;
    pthread_mutex_unlock(&pool->lock);
    return with_worker;
}

static unsigned window_of(pebble_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    unsigned window = pb_dispatch_window(pool->average);
    pthread_mutex_unlock(&pool->lock);
    return window;
}

void make_brisk(pebble_pool *pool)
{
    for (int round = 0; round < 1000; round++) {
        for (int i = 0; i < 20; i++)
            expect_and_drop(schedule(pool, job_nothing), PEBBLE_SUCCESS);
        if (window_of(pool) > 12) return;
    }
    ck_abort_msg("jobs that do nothing take long");
}

void set_stage(struct stage *stage, int method)
{
    scene_open(&stage->scene);
    ledger_open(&stage->ledger);
    stage->pool = pool_with(method, 1);
    make_brisk(stage->pool);
    stage->running = schedule_order(stage->pool, job_meet, order_in(&stage->scene, 0));
    stage->pid = hear(&stage->scene);
}
