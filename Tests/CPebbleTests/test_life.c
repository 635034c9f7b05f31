/* SPDX-License-Identifier: Apache-2.0
 * The life of a pool: open, closed, stopped, at rest. */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

START_TEST(a_pool_with_work_is_active)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    ck_assert(pebble_pool_active(pool));
    pebble_future *future = schedule_order(pool, job_meet, order_in(&scene, 0));
    ck_assert(pebble_pool_active(pool));
    pebble_pool_close(pool);
    ck_assert(pebble_pool_active(pool)); /* there is still work */
    let_go(&scene, 0);
    expect_and_drop(future, PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

START_TEST(a_closed_pool_at_rest_is_not_active)
{
    pebble_pool *pool = pool_with(_i, 1);
    run(pool, job_pid);
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    ck_assert(!pebble_pool_active(pool));
    pebble_pool_unref(pool);
}
END_TEST

START_TEST(a_stopped_pool_is_not_active)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future_unref(schedule(pool, job_hang));
    pebble_pool_stop(pool);
    ck_assert(!pebble_pool_active(pool));
    stop_pool(pool);
}
END_TEST

START_TEST(a_closed_pool_finishes_every_job)
{
    pebble_pool *pool = pool_with(_i, 2);
    pebble_future *futures[10];
    for (int i = 0; i < 10; i++)
        futures[i] = schedule_order(pool, job_nap, (struct order){.number = 5 * MILLISECOND});
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    for (int i = 0; i < 10; i++) {
        ck_assert_ptr_nonnull(pebble_future_outcome(futures[i]));
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
    }
    pebble_pool_unref(pool);
}
END_TEST

START_TEST(a_stopped_pool_resolves_every_future)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 2);
    pebble_future *futures[12];
    for (int i = 0; i < 2; i++)
        futures[i] = schedule_order(pool, job_hang, order_in(&scene, 0));
    hear(&scene), hear(&scene);
    for (int i = 2; i < 12; i++)
        futures[i] = schedule_order(pool, job_count, order_in(&scene, 0));
    pebble_pool_stop(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    for (int i = 0; i < 12; i++) {
        const struct pebble_outcome *outcome = pebble_future_outcome(futures[i]);
        ck_assert_ptr_nonnull(outcome);
        ck_assert_int_eq(outcome->status, i < 2 ? PEBBLE_CANCELLED : PEBBLE_NOT_RUN);
        ck_assert_int_eq(outcome->cause, i < 2 ? PEBBLE_CAUSE_NONE : PEBBLE_CAUSE_STOPPED);
        ck_assert_int_eq(outcome->started, i < 2);
        pebble_future_unref(futures[i]);
    }
    ck_assert_int_eq(scene.board->count, 0);
    pebble_pool_unref(pool);
}
END_TEST

static void refuses(pebble_pool *pool)
{
    pebble_future *future = NULL;
    ck_assert_int_eq(pebble_pool_schedule(pool, job_nothing, NULL, 0, NULL, &future), -ESHUTDOWN);
    ck_assert_ptr_null(future);
}

START_TEST(a_closed_pool_takes_no_job)
{
    pebble_pool *pool = pool_with(_i, 1);
    run(pool, job_pid);
    pebble_pool_close(pool);
    refuses(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    refuses(pool);
    pebble_pool_unref(pool);
}
END_TEST

START_TEST(a_stopped_pool_takes_no_job)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_pool_stop(pool);
    refuses(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    refuses(pool);
    pebble_pool_unref(pool);
}
END_TEST

START_TEST(an_open_pool_cannot_be_joined)
{
    pebble_pool *pool = pool_with(_i, 1);
    ck_assert_int_eq(pebble_pool_join(pool, 0), -EBUSY);
    ck_assert_int_eq(pebble_pool_join(pool, -1), -EINVAL);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

START_TEST(a_pool_that_never_had_a_job_can_be_joined)
{
    close_pool(pool_with(_i, 1));
    stop_pool(pool_with(_i, 1));
}
END_TEST

START_TEST(a_join_that_timed_out_can_be_followed_by_stop_and_join)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_hang);
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, 50 * MILLISECOND), -ETIMEDOUT);
    ck_assert_int_eq(pebble_pool_join(pool, 0), -ETIMEDOUT);
    stop_pool(pool);
    expect_and_drop(future, PEBBLE_CANCELLED);
}
END_TEST

START_TEST(closing_and_stopping_again_is_harmless)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_pool_close(pool);
    pebble_pool_close(pool);
    pebble_pool_stop(pool);
    pebble_pool_stop(pool);
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    ck_assert_int_eq(pebble_pool_join(pool, 0), 0);
    pebble_pool_stop(pool);
    pebble_pool_unref(pool);
}
END_TEST

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
    size_t length = 107 << 20;
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
    size_t length = 30 << 20;
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

START_TEST(dropping_the_last_reference_stops_the_pool)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_pool_ref(pool);
    pebble_future *future = schedule_order(pool, job_hang, order_in(&scene, 0));
    int process = watch_process((pid_t)hear(&scene));
    pebble_pool_unref(pool);
    ck_assert(pebble_pool_active(pool));
    pebble_pool_unref(pool);
    expect(future, PEBBLE_CANCELLED);
    wait_gone(future);
    expect_dead(process);
    pebble_future_unref(future);
    pebble_pool_unref(NULL);
    pebble_future_unref(NULL);
}
END_TEST

START_TEST(a_future_outlives_its_pool)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_bytes(pool, job_echo, "pebble", 6);
    close_pool(pool);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    ck_assert_mem_eq(outcome->data, "pebble", 6);
    ck_assert_int_eq(pebble_future_cancel(future), PEBBLE_CANCEL_TOO_LATE);
    wait_gone(future);
    pebble_future_unref(pebble_future_ref(future));
    pebble_future_unref(future);
}
END_TEST

START_TEST(a_wait_times_out)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_hang);
    ck_assert_int_eq(pebble_future_wait(future, 0), -ETIMEDOUT);
    ck_assert_int_eq(pebble_future_wait(future, 20 * MILLISECOND), -ETIMEDOUT);
    ck_assert_int_eq(pebble_future_wait(future, -1), -EINVAL);
    ck_assert_ptr_null(pebble_future_outcome(future));
    stop_pool(pool);
    ck_assert_int_eq(pebble_future_wait(future, 0), 0);
    pebble_future_unref(future);
}
END_TEST

Suite *life_suite(void)
{
    Suite *suite = suite_create("life");
    TCase *tests = group(suite, "life", 60);
    both(tests, a_pool_with_work_is_active);
    both(tests, a_closed_pool_at_rest_is_not_active);
    both(tests, a_stopped_pool_is_not_active);
    both(tests, a_closed_pool_finishes_every_job);
    both(tests, a_stopped_pool_resolves_every_future);
    both(tests, a_closed_pool_takes_no_job);
    both(tests, a_stopped_pool_takes_no_job);
    both(tests, an_open_pool_cannot_be_joined);
    both(tests, a_pool_that_never_had_a_job_can_be_joined);
    both(tests, a_join_that_timed_out_can_be_followed_by_stop_and_join);
    both(tests, closing_and_stopping_again_is_harmless);
    both(tests, no_worker_is_left_after_close_and_join);
    both(tests, no_worker_is_left_after_stop_and_join);
    both(tests, a_pool_can_be_stopped_while_its_workers_start);
    both(tests, a_pool_can_be_stopped_with_large_data_in_flight);
    both(tests, large_jobs_can_be_cancelled_and_their_pool_stopped);
    both(tests, threads_may_stop_and_join_at_once);
    both(tests, dropping_the_last_reference_stops_the_pool);
    both(tests, a_future_outlives_its_pool);
    both(tests, a_wait_times_out);
    return suite;
}
