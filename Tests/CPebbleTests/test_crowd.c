/* SPDX-License-Identifier: Apache-2.0
 * Many pools, many threads, many jobs at once. */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 8

/* Runs `body` on as many threads at once, each with its own copy of the crowd. */
struct crowd {
    int method;
    pebble_pool *pool;
    int64_t number;
    long refused, done;
};

static void on_threads(void *(*body)(void *), struct crowd *crowds, const struct crowd *first)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        crowds[i] = *first;
        crowds[i].number = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, body, &crowds[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void *use_a_pool(void *arg)
{
    struct crowd *crowd = arg;
    for (int round = 0; round < 3; round++) {
        pebble_pool *pool = pool_with(crowd->method, 2);
        pebble_future *futures[10];
        for (int64_t i = 0; i < 10; i++)
            futures[i] = schedule_order(pool, job_number, (struct order){.number = i});
        for (int64_t i = 0; i < 10; i++)
            crowd->done += number_from(futures[i]) == i;
        if (crowd->number % 2)
            close_pool(pool);
        else
            stop_pool(pool);
    }
    return NULL;
}

START_TEST(many_pools_may_be_used_at_once)
{
    struct crowd crowds[THREADS];
    on_threads(use_a_pool, crowds, &(struct crowd){.method = _i});
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(crowds[i].done, 30);
}
END_TEST

START_TEST(many_pools_may_live_side_by_side)
{
    pebble_pool *pools[20];
    pebble_future *futures[20];
    for (int i = 0; i < 20; i++) {
        pools[i] = pool_with(_i, 1);
        futures[i] = schedule_order(pools[i], job_number, (struct order){.number = i});
    }
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(number_from(futures[i]), i);
    for (int i = 0; i < 20; i++)
        close_pool(pools[i]);
}
END_TEST

static void *schedule_many(void *arg)
{
    struct crowd *crowd = arg;
    pebble_future *futures[100];
    for (int64_t i = 0; i < 100; i++)
        futures[i] = schedule_order(crowd->pool, job_number, (struct order){.number = crowd->number * 100 + i});
    for (int64_t i = 0; i < 100; i++)
        crowd->done += number_from(futures[i]) == crowd->number * 100 + i;
    return NULL;
}

START_TEST(many_threads_may_schedule_at_once)
{
    struct crowd crowds[THREADS];
    pebble_pool *pool = pool_with(_i, 3);
    on_threads(schedule_many, crowds, &(struct crowd){.pool = pool});
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(crowds[i].done, 100);
    ck_assert_uint_eq(statistics_of(pool).done, 100 * THREADS);
    close_pool(pool);
}
END_TEST

static int job_tell_number(pebble_call *call)
{
    tell(order_of(call), order_of(call)->number);
    return 0;
}

START_TEST(jobs_begin_in_the_order_of_scheduling)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    for (int64_t i = 0; i < 200; i++)
        pebble_future_unref(schedule_order(pool, job_tell_number, order_in(&scene, i)));
    for (int64_t i = 0; i < 200; i++)
        ck_assert_int_eq(hear(&scene), i);
    close_pool(pool);
}
END_TEST

static void *schedule_until_refused(void *arg)
{
    struct crowd *crowd = arg;
    for (;;) {
        pebble_future *future;
        int rc = pebble_pool_schedule(crowd->pool, job_nothing, NULL, 0, NULL, &future);
        if (rc == -ESHUTDOWN) return NULL;
        ck_assert_int_eq(rc, 0);
        enum pebble_status status = outcome_of(future)->status;
        crowd->done += status == PEBBLE_SUCCESS;
        crowd->refused += status == PEBBLE_NOT_RUN || status == PEBBLE_CANCELLED;
        ck_assert(status == PEBBLE_SUCCESS || status == PEBBLE_NOT_RUN || status == PEBBLE_CANCELLED);
        pebble_future_unref(future);
    }
}

static void end_while_scheduling(int method, void (*end)(pebble_pool *))
{
    for (int round = 0; round < 5; round++) {
        pthread_t threads[4];
        struct crowd crowds[4];
        pebble_pool *pool = pool_with(method, 2);
        for (int i = 0; i < 4; i++) {
            crowds[i] = (struct crowd){.pool = pebble_pool_ref(pool)};
            pthread_create(&threads[i], NULL, schedule_until_refused, &crowds[i]);
        }
        for (int i = 0; i < round * 10; i++)
            run(pool, job_pid);
        end(pool);
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            if (end == close_pool) ck_assert_int_eq(crowds[i].refused, 0);
            pebble_pool_unref(pool);
        }
    }
}

START_TEST(a_pool_may_be_closed_while_threads_schedule)
{
    end_while_scheduling(_i, close_pool);
}
END_TEST

START_TEST(a_pool_may_be_stopped_while_threads_schedule)
{
    end_while_scheduling(_i, stop_pool);
}
END_TEST

#define JOBS 40

static void count_call(pebble_future *future, void *arg)
{
    (void)future;
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void *cancel_all(void *arg)
{
    pebble_future **futures = arg;
    for (int i = 0; i < JOBS; i++)
        pebble_future_cancel(futures[i]);
    return NULL;
}

START_TEST(after_a_join_every_future_has_its_outcome_though_others_cancel)
{
    pebble_future *futures[JOBS];
    for (int round = 0; round < 100; round++) {
        pthread_t thread;
        atomic_int calls = 0;
        pebble_pool *pool = pool_with(_i, 1);
        for (int i = 0; i < JOBS; i++) {
            futures[i] = schedule(pool, job_hang);
            pebble_future_on_done_inline(futures[i], count_call, &calls);
        }
        pthread_create(&thread, NULL, cancel_all, futures);
        pebble_pool_stop(pool);
        ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
        for (int i = 0; i < JOBS; i++)
            ck_assert_ptr_nonnull(pebble_future_outcome(futures[i]));
        ck_assert_int_eq(calls, JOBS);
        pthread_join(thread, NULL);
        for (int i = 0; i < JOBS; i++)
            pebble_future_unref(futures[i]);
        pebble_pool_unref(pool);
    }
}
END_TEST

static void *wait_for(void *future)
{
    pebble_future_wait(future, PATIENCE);
    return (void *)(uintptr_t)pebble_future_outcome(future);
}

START_TEST(many_threads_may_wait_for_one_future)
{
    struct scene scene;
    scene_open(&scene);
    pthread_t threads[THREADS];
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_meet, order_in(&scene, 0));
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, wait_for, future);
    let_go(&scene, 0);
    for (int i = 0; i < THREADS; i++) {
        void *outcome;
        pthread_join(threads[i], &outcome);
        ck_assert_ptr_eq(outcome, pebble_future_outcome(future));
    }
    expect_and_drop(future, PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

Suite *crowd_suite(void)
{
    Suite *suite = suite_create("crowd");
    TCase *tests = group(suite, "crowd", 60);
    both(tests, many_pools_may_be_used_at_once);
    both(tests, many_pools_may_live_side_by_side);
    both(tests, many_threads_may_schedule_at_once);
    both(tests, jobs_begin_in_the_order_of_scheduling);
    both(tests, a_pool_may_be_closed_while_threads_schedule);
    both(tests, a_pool_may_be_stopped_while_threads_schedule);
    both(tests, after_a_join_every_future_has_its_outcome_though_others_cancel);
    both(tests, many_threads_may_wait_for_one_future);
    return suite;
}
