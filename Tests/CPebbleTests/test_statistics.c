/* SPDX-License-Identifier: Apache-2.0
 * What a pool tells of its jobs. */
#include "support.h"

START_TEST(outcomes_are_counted_by_their_kind)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    for (int i = 0; i < 3; i++)
        expect_and_drop(schedule(pool, job_nothing), PEBBLE_SUCCESS);
    expect_and_drop(schedule(pool, job_fail), PEBBLE_FAILURE);
    expect_and_drop(schedule_order(pool, job_exit, order_in(&scene, 1)), PEBBLE_EXPIRED);
    expect_and_drop(schedule_limited(pool, job_hang, order_in(&scene, 0),
                                     (struct pebble_job_options){.timeout = 20 * MILLISECOND}),
                    PEBBLE_TIMEOUT);
    hear(&scene);
    pebble_future *running = schedule_order(pool, job_hang, order_in(&scene, 0));
    hear(&scene);
    pebble_future *waiting = schedule(pool, job_nothing);
    pebble_pool_stop(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    expect_and_drop(running, PEBBLE_CANCELLED);
    expect_and_drop(waiting, PEBBLE_NOT_RUN);
    struct pebble_pool_statistics statistics = statistics_of(pool);
    ck_assert_uint_eq(statistics.outcomes[PEBBLE_SUCCESS], 3);
    for (int status = PEBBLE_FAILURE; status <= PEBBLE_NOT_RUN; status++)
        ck_assert_uint_eq(statistics.outcomes[status], 1);
    ck_assert_uint_eq(statistics.done, 8);
    pebble_pool_unref(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(times_of_jobs_are_told_by_their_quantiles)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    for (int i = 0; i < 20; i++)
        expect_and_drop(schedule(pool, job_nothing), PEBBLE_SUCCESS);
    pebble_future *future = schedule_order(pool, job_nap, order_in(&scene, 200 * MILLISECOND));
    int64_t longest = expect(future, PEBBLE_SUCCESS)->run_time;
    pebble_future_unref(future);
    struct pebble_quantiles times = statistics_of(pool).run;
    ck_assert_int_eq(times.max, longest);
    ck_assert_int_lt(times.p50, 200 * MILLISECOND);
    ck_assert_int_ge(times.p99, longest - longest / 32);
    ck_assert_int_le(times.p50, times.p90);
    ck_assert_int_le(times.p90, times.p99);
    ck_assert_int_gt(statistics_of(pool).wait.p50, 0);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

Suite *statistics_suite(void)
{
    Suite *suite = suite_create("statistics");
    TCase *tests = group(suite, "statistics", 60);
    both(tests, outcomes_are_counted_by_their_kind);
    both(tests, times_of_jobs_are_told_by_their_quantiles);
    return suite;
}
