/* SPDX-License-Identifier: Apache-2.0
 * Jobs that are run again when their worker died in them. */
#include "support.h"

#include <signal.h>
#include <unistd.h>

/* Dies until the board has counted as many tries as the order says; then replies with their number. */
static int job_die_at_first(pebble_call *call)
{
    const struct order *order = order_of(call);
    long tries = atomic_fetch_add(&board_of(order)->count, 1) + 1;
    if (tries < order->number) kill(getpid(), SIGKILL);
    return reply_number(call, tries);
}

static pebble_future *schedule_dying(pebble_pool *pool, const struct scene *scene, int64_t tries, unsigned retries)
{
    return schedule_limited(pool, job_die_at_first, order_in(scene, tries),
                            (struct pebble_job_options){.retries = retries});
}

START_TEST(a_job_is_run_again_when_its_worker_died)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_dying(pool, &scene, 3, 2);
    ck_assert_uint_eq(expect(future, PEBBLE_SUCCESS)->deaths, 2);
    ck_assert_int_eq(number_from(future), 3);
    struct pebble_pool_statistics statistics = statistics_of(pool);
    ck_assert_uint_eq(statistics.retried, 2);
    ck_assert_uint_eq(statistics.expired, 2);
    ck_assert_uint_eq(statistics.done, 1);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(without_retries_a_job_runs_once)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_dying(pool, &scene, 3, 0);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_uint_eq(outcome->deaths, 1);
    ck_assert(!outcome->poisonous);
    pebble_future_unref(future);
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 1);
    scene_close(&scene);
}
END_TEST

START_TEST(a_job_has_no_more_tries_than_it_was_given)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_dying(pool, &scene, 100, 1);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_uint_eq(outcome->deaths, 2);
    ck_assert(!outcome->poisonous);
    ck_assert_int_eq(outcome->exit_signal, SIGKILL);
    pebble_future_unref(future);
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 2);
    scene_close(&scene);
}
END_TEST

START_TEST(a_poisonous_job_is_given_up)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_dying(pool, &scene, 1000, 100);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_uint_eq(outcome->deaths, 3);
    ck_assert(outcome->poisonous);
    pebble_future_unref(future);
    run(pool, job_pid);
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 3);
    scene_close(&scene);
}
END_TEST

START_TEST(other_jobs_come_before_a_second_try)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *before = schedule_order(pool, job_meet, order_in(&scene, 0));
    hear(&scene);
    pebble_future *dying = schedule_dying(pool, &scene, 2, 1);
    pebble_future *other = schedule_order(pool, job_tell, order_in(&scene, 0));
    let_go(&scene, 0);
    hear(&scene);
    ck_assert_int_eq(number_from(dying), 2);
    expect_and_drop(before, PEBBLE_SUCCESS);
    expect_and_drop(other, PEBBLE_SUCCESS);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_job_that_times_out_is_not_run_again)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    expect_and_drop(schedule_limited(pool, job_hang, order_in(&scene, 0),
                                     (struct pebble_job_options){.timeout = 50 * MILLISECOND, .retries = 5}),
                    PEBBLE_TIMEOUT);
    ck_assert_uint_eq(statistics_of(pool).retried, 0);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_stopped_pool_runs_nothing_again)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_limited(pool, job_hang, order_in(&scene, 0),
                                             (struct pebble_job_options){.retries = 5});
    hear(&scene);
    stop_pool(pool);
    expect_and_drop(future, PEBBLE_CANCELLED);
    scene_close(&scene);
}
END_TEST

Suite *retries_suite(void)
{
    Suite *suite = suite_create("retries");
    TCase *tests = group(suite, "retries", 60);
    both(tests, a_job_is_run_again_when_its_worker_died);
    both(tests, without_retries_a_job_runs_once);
    both(tests, a_job_has_no_more_tries_than_it_was_given);
    both(tests, a_poisonous_job_is_given_up);
    both(tests, other_jobs_come_before_a_second_try);
    both(tests, a_job_that_times_out_is_not_run_again);
    both(tests, a_stopped_pool_runs_nothing_again);
    return suite;
}
