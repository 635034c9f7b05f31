/* SPDX-License-Identifier: Apache-2.0
 * Pools in which only so many jobs may wait. */
#include "support.h"
#include "room.h"

#include <pthread.h>
#include <sched.h>

START_TEST(places_are_taken_and_given)
{
    struct pb_room room = {0};
    pb_room_init(&room, 2);
    ck_assert_int_eq(pb_room_take(&room, 0), 0);
    ck_assert_int_eq(pb_room_take(&room, 0), 0);
    ck_assert_int_eq(pb_room_take(&room, 0), -EAGAIN);
    ck_assert_int_eq(pb_room_take(&room, MILLISECOND), -ETIMEDOUT);
    pb_room_give(&room);
    ck_assert_int_eq(pb_room_take(&room, PATIENCE), 0);
}
END_TEST

#define THREADS 4
#define ROUNDS 20000

static struct pb_room crowded;
static atomic_int inside;

static void *come_and_go(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        must(pb_room_take(&crowded, PATIENCE) == 0);
        must(atomic_fetch_add(&inside, 1) < 2);
        atomic_fetch_sub(&inside, 1);
        pb_room_give(&crowded);
    }
    return NULL;
}

START_TEST(no_more_threads_than_places_are_ever_in)
{
    pthread_t threads[THREADS];
    pb_room_init(&crowded, 2);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(crowded.places, 2);
}
END_TEST

static pebble_pool *pool_bounded(int method, size_t max_queued, int64_t full_timeout)
{
    return pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                .start_method = (enum pebble_start_method)method,
                                                .max_queued = max_queued,
                                                .full_timeout = full_timeout});
}

static int try(pebble_pool *pool, pebble_future **ret_future)
{
    return pebble_pool_schedule(pool, job_nothing, NULL, 0, NULL, ret_future);
}

START_TEST(a_full_pool_refuses_a_job)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_bounded(_i, 2, 0);
    pebble_future *running = schedule_order(pool, job_meet, order_in(&scene, 0)), *waiting[2], *more;
    hear(&scene); /* it waits no longer */
    ck_assert_int_eq(try(pool, &waiting[0]), 0);
    ck_assert_int_eq(try(pool, &waiting[1]), 0);
    ck_assert_int_eq(try(pool, &more), -EAGAIN);
    ck_assert_int_eq(pebble_future_cancel(waiting[0]), PEBBLE_CANCEL_NEVER_STARTED);
    ck_assert_int_eq(try(pool, &more), 0);
    let_go(&scene, 0);
    expect_and_drop(running, PEBBLE_SUCCESS);
    expect_and_drop(waiting[0], PEBBLE_CANCELLED);
    expect_and_drop(waiting[1], PEBBLE_SUCCESS);
    expect_and_drop(more, PEBBLE_SUCCESS);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(there_is_an_end_to_the_wait_for_room)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_bounded(_i, 1, 10 * MILLISECOND);
    pebble_future *running = schedule_order(pool, job_meet, order_in(&scene, 0)), *waiting, *more;
    hear(&scene);
    ck_assert_int_eq(try(pool, &waiting), 0);
    ck_assert_int_eq(try(pool, &more), -ETIMEDOUT);
    let_go(&scene, 0);
    expect_and_drop(running, PEBBLE_SUCCESS);
    expect_and_drop(waiting, PEBBLE_SUCCESS);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_thousand_jobs_pass_through_a_small_queue)
{
    pebble_pool *pool = pool_bounded(_i, 3, PATIENCE);
    pebble_future *futures[1000];
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(try(pool, &futures[i]), 0);
    for (int i = 0; i < 1000; i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

struct waiter {
    pebble_pool *pool;
    int rc;
};

static void *wait_for_room(void *arg)
{
    struct waiter *waiter = arg;
    pebble_future *future;
    waiter->rc = try(waiter->pool, &future);
    return NULL;
}

START_TEST(who_waits_for_room_in_a_pool_that_is_stopped_is_told)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_bounded(_i, 1, PEBBLE_FOREVER);
    pebble_future *running = schedule_order(pool, job_hang, order_in(&scene, 0)), *waiting;
    hear(&scene);
    ck_assert_int_eq(try(pool, &waiting), 0);
    struct waiter waiter = {.pool = pool};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_room, &waiter), 0);
    pebble_pool_stop(pool); /* before it waits, or while it does */
    pthread_join(thread, NULL);
    ck_assert_int_eq(waiter.rc, -ESHUTDOWN);
    expect_and_drop(running, PEBBLE_CANCELLED);
    expect_and_drop(waiting, PEBBLE_NOT_RUN);
    stop_pool(pool);
    scene_close(&scene);
}
END_TEST

static atomic_int answer_in_callback;

static void schedule_more(pebble_future *future, void *arg)
{
    (void)future;
    pebble_future *more;
    atomic_store(&answer_in_callback, try(arg, &more));
}

START_TEST(an_inline_callback_cannot_wait_for_room)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 5 * MILLISECOND);
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                             .start_method = (enum pebble_start_method)_i,
                                                             .max_queued = 1,
                                                             .full_timeout = PEBBLE_FOREVER,
                                                             .initializer = {job_meet, &order, sizeof order}});
    pebble_future *running = schedule_order(pool, job_nap, order), *waiting;
    hear(&scene); /* in the initializer */
    let_go(&scene, 0); /* to a job so long that none is shipped behind the next */
    expect_and_drop(running, PEBBLE_SUCCESS);
    running = schedule_order(pool, job_hang, order);
    hear(&scene);
    ck_assert_int_eq(pebble_future_on_done_inline(running, schedule_more, pool), 0);
    ck_assert_int_eq(try(pool, &waiting), 0);
    pebble_future_cancel(running); /* calls back; no worker takes what waits before the initializer may go on */
    ck_assert_int_eq(answer_in_callback, -EDEADLK);
    let_go(&scene, 0);
    expect_and_drop(running, PEBBLE_CANCELLED);
    expect_and_drop(waiting, PEBBLE_SUCCESS);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

static void count_call(void *count)
{
    atomic_fetch_add((atomic_int *)count, 1);
}

START_TEST(who_asks_for_room_is_called_once_when_there_is_some)
{
    struct pb_room room = {0};
    atomic_int calls = 0;
    pb_room_init(&room, 1);
    ck_assert_int_eq(pb_room_take(&room, 0), 0);
    ck_assert_int_eq(pb_room_ask(&room, count_call, &calls), 0);
    ck_assert(!pb_room_owes_call(&room) && !pb_room_is_quiet(&room));
    pb_room_give(&room);
    ck_assert(pb_room_owes_call(&room));
    pb_room_call(&room);
    pb_room_call(&room);
    ck_assert_int_eq(calls, 1);
    ck_assert(!pb_room_owes_call(&room) && pb_room_is_quiet(&room));
}
END_TEST

/* An event loop: as many jobs as there is room for, and the rest when it is called. */
struct feeder {
    pebble_pool *pool;
    struct scene *scene;
    atomic_int left, refused;
};

static void feed(void *arg)
{
    struct feeder *feeder = arg;
    while (feeder->left) {
        pebble_future *future;
        struct order order = order_in(feeder->scene, 0);
        int rc = pebble_pool_schedule(feeder->pool, job_count, &order, sizeof order, NULL, &future);
        if (rc == -EAGAIN) {
            feeder->refused++;
            must(pebble_pool_on_room(feeder->pool, feed, feeder) == 0);
            return;
        }
        must(rc == 0);
        feeder->left--;
        pebble_future_unref(future);
    }
    pebble_pool_close(feeder->pool);
}

START_TEST(an_event_loop_is_called_when_there_is_room)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_bounded(_i, 2, 0);
    struct feeder feeder = {.pool = pool, .scene = &scene, .left = 200};
    feed(&feeder);
    ck_assert_int_gt(feeder.refused, 0);
    int rc;
    while ((rc = pebble_pool_join(pool, PATIENCE)) == -EBUSY)
        sched_yield(); /* it is closed by the last call */
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(scene.board->count, 200);
    pebble_pool_unref(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(who_asks_a_pool_with_room_is_called_at_once)
{
    pebble_pool *pool = pool_bounded(_i, 0, 0);
    atomic_int calls = 0;
    ck_assert_int_eq(pebble_pool_on_room(pool, count_call, &calls), 0);
    ck_assert_int_eq(calls, 1);
    close_pool(pool);
}
END_TEST

START_TEST(who_asks_a_pool_that_is_closed_is_called)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_bounded(_i, 1, 0);
    pebble_future *running = schedule_order(pool, job_meet, order_in(&scene, 0)), *waiting;
    hear(&scene);
    ck_assert_int_eq(try(pool, &waiting), 0);
    atomic_int calls = 0;
    ck_assert_int_eq(pebble_pool_on_room(pool, count_call, &calls), 0);
    ck_assert_int_eq(calls, 0);
    pebble_pool_close(pool);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(pebble_pool_on_room(pool, count_call, &calls), 0);
    ck_assert_int_eq(calls, 2);
    let_go(&scene, 0);
    expect_and_drop(running, PEBBLE_SUCCESS);
    expect_and_drop(waiting, PEBBLE_SUCCESS);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

Suite *room_suite(void)
{
    Suite *suite = suite_create("room");
    TCase *tests = group(suite, "room", 60);
    tcase_add_test(tests, places_are_taken_and_given);
    tcase_add_test(tests, no_more_threads_than_places_are_ever_in);
    both(tests, a_full_pool_refuses_a_job);
    both(tests, there_is_an_end_to_the_wait_for_room);
    both(tests, a_thousand_jobs_pass_through_a_small_queue);
    both(tests, who_waits_for_room_in_a_pool_that_is_stopped_is_told);
    both(tests, an_inline_callback_cannot_wait_for_room);
    tcase_add_test(tests, who_asks_for_room_is_called_once_when_there_is_some);
    both(tests, an_event_loop_is_called_when_there_is_room);
    both(tests, who_asks_a_pool_with_room_is_called_at_once);
    both(tests, who_asks_a_pool_that_is_closed_is_called);
    return suite;
}
