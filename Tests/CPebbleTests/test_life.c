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
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_hang, order_in(&scene, 0));
    hear(&scene);
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, 50 * MILLISECOND), -ETIMEDOUT);
    ck_assert_int_eq(pebble_pool_join(pool, 0), -ETIMEDOUT);
    stop_pool(pool);
    expect_and_drop(future, PEBBLE_CANCELLED);
    scene_close(&scene);
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
    both(tests, dropping_the_last_reference_stops_the_pool);
    both(tests, a_future_outlives_its_pool);
    both(tests, a_wait_times_out);
    return suite;
}
