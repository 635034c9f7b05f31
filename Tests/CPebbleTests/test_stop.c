/* SPDX-License-Identifier: Apache-2.0
 * Ending a pool, whatever it is about. */
#include "support.h"
#include "chance.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* Four workers, some idle and some busy; then `end`: none is left. */
static void leaves_no_worker(int method, void (*end)(pebble_pool *))
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *other = pool_with(method, 1), *pool = pool_with(method, 4);
    int server = (int)run(other, job_server);
    pebble_future *futures[4];
    int processes[4];
    for (int i = 0; i < 4; i++)
        futures[i] = schedule_order(pool, job_meet, order_in(&scene, 0));
    for (int i = 0; i < 4; i++)
        processes[i] = watch_process((pid_t)hear(&scene));
    for (int i = 0; i < 4; i++)
        let_go(&scene, 0);
    for (int i = 0; i < 4; i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
    ck_assert_uint_eq(statistics_of(pool).workers, 4);
    ck_assert_int_eq(children_of(server), 5);
    end(pool);
    for (int i = 0; i < 4; i++) {
        ck_assert(!alive(processes[i]));
        expect_dead(processes[i]);
    }
    ck_assert_int_eq(children_of(server), 1);
    close_pool(other);
    ck_assert_int_eq(children_of(server), 0);
}

START_TEST(no_worker_is_left_after_close_and_join)
{
    leaves_no_worker(_i, close_pool);
}
END_TEST

START_TEST(no_worker_is_left_after_stop_and_join)
{
    leaves_no_worker(_i, stop_pool);
}
END_TEST

START_TEST(a_pool_can_be_stopped_while_its_workers_start)
{
    for (int i = 0; i < 10; i++) {
        pebble_pool *pool = pool_with(_i, 4);
        pebble_future *futures[8];
        for (int k = 0; k < 8; k++)
            futures[k] = schedule(pool, job_hang);
        stop_pool(pool);
        for (int k = 0; k < 8; k++) {
            enum pebble_status status = outcome_of(futures[k])->status;
            ck_assert(status == PEBBLE_CANCELLED || status == PEBBLE_NOT_RUN);
            pebble_future_unref(futures[k]);
        }
    }
}
END_TEST

START_TEST(a_pool_can_be_stopped_with_large_data_in_flight)
{
    size_t length = 107 * chance_steps();
    void *data = calloc(1, length);
    pebble_pool *pool = pool_with(_i, 2);
    run(pool, job_pid);
    pebble_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = schedule_bytes(pool, job_echo, data, length);
    stop_pool(pool);
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(pebble_future_outcome(futures[i]));
        pebble_future_unref(futures[i]);
    }
    free(data);
}
END_TEST

START_TEST(large_jobs_can_be_cancelled_and_their_pool_stopped)
{
    size_t length = 30 * chance_steps();
    void *data = calloc(1, length);
    pebble_pool *pool = pool_with(_i, 2);
    pebble_future *futures[10];
    for (int i = 0; i < 10; i++)
        futures[i] = schedule_bytes(pool, job_echo, data, length);
    expect(futures[0], PEBBLE_SUCCESS);
    for (int i = 0; i < 10; i++)
        pebble_future_cancel(futures[i]);
    stop_pool(pool);
    for (int i = 0; i < 10; i++) {
        ck_assert_ptr_nonnull(pebble_future_outcome(futures[i]));
        pebble_future_unref(futures[i]);
    }
    free(data);
}
END_TEST

static void *stop_and_join(void *pool)
{
    pebble_pool_stop(pool);
    return (void *)(intptr_t)pebble_pool_join(pool, PATIENCE);
}

START_TEST(threads_may_stop_and_join_at_once)
{
    for (int i = 0; i < 10; i++) {
        pebble_pool *pool = pool_with(_i, 2);
        pthread_t threads[3];
        for (int k = 0; k < 4; k++)
            pebble_future_unref(schedule(pool, job_hang));
        for (int k = 0; k < 3; k++)
            pthread_create(&threads[k], NULL, stop_and_join, pool);
        for (int k = 0; k < 3; k++) {
            void *rc;
            pthread_join(threads[k], &rc);
            ck_assert_ptr_null(rc);
        }
        pebble_pool_unref(pool);
    }
}
END_TEST

Suite *stop_suite(void)
{
    Suite *suite = suite_create("stop");
    TCase *tests = group(suite, "stop", 60);
    both(tests, no_worker_is_left_after_close_and_join);
    both(tests, no_worker_is_left_after_stop_and_join);
    both(tests, a_pool_can_be_stopped_while_its_workers_start);
    both(tests, a_pool_can_be_stopped_with_large_data_in_flight);
    both(tests, large_jobs_can_be_cancelled_and_their_pool_stopped);
    both(tests, threads_may_stop_and_join_at_once);
    return suite;
}
