/* SPDX-License-Identifier: Apache-2.0
 * The order in which jobs are begun. */
#include "support.h"

#define JOBS 12

static int job_number_told(pebble_call *call)
{
    tell(order_of(call), order_of(call)->number);
    return 0;
}

/* With its only worker busy, a pool is given jobs of these priorities; the worker then begins them in this order. */
static void begins(int method, const int priorities[], int count, const int order[])
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(method, 1);
    pebble_future *futures[JOBS], *before = schedule_order(pool, job_meet, order_in(&scene, 0));
    hear(&scene);
    for (int i = 0; i < count; i++)
        futures[i] = schedule_limited(pool, job_number_told, order_in(&scene, i),
                                      (struct pebble_job_options){.priority = priorities[i]});
    let_go(&scene, 0);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(hear(&scene), order[i]);
    expect_and_drop(before, PEBBLE_SUCCESS);
    for (int i = 0; i < count; i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
    close_pool(pool);
    scene_close(&scene);
}

START_TEST(a_higher_priority_is_begun_first)
{
    begins(_i, (int[]){0, -16, 15, 3, -1}, 5, (int[]){2, 3, 0, 4, 1});
}
END_TEST

START_TEST(equal_priorities_are_begun_in_their_order)
{
    begins(_i, (int[]){0, 1, 0, 1, 0, 1}, 6, (int[]){1, 3, 5, 0, 2, 4});
}
END_TEST

START_TEST(a_cancelled_job_leaves_its_level)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *before = schedule_order(pool, job_meet, order_in(&scene, 0));
    hear(&scene);
    struct pebble_job_options high = {.priority = 5};
    pebble_future *gone = schedule_limited(pool, job_count, order_in(&scene, 0), high);
    pebble_future *low = schedule_order(pool, job_number, order_in(&scene, 7));
    ck_assert_int_eq(pebble_future_cancel(gone), PEBBLE_CANCEL_NEVER_STARTED);
    let_go(&scene, 0);
    ck_assert_int_eq(number_from(low), 7);
    expect_and_drop(gone, PEBBLE_CANCELLED);
    expect_and_drop(before, PEBBLE_SUCCESS);
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 0);
    scene_close(&scene);
}
END_TEST

START_TEST(a_stopped_pool_refuses_jobs_of_every_priority)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *futures[JOBS], *before = schedule_order(pool, job_hang, order_in(&scene, 0));
    hear(&scene);
    for (int i = 0; i < JOBS; i++)
        futures[i] = schedule_limited(pool, job_count, order_in(&scene, 0),
                                      (struct pebble_job_options){.priority = PEBBLE_PRIORITY_MIN + 2 * i});
    stop_pool(pool);
    expect_and_drop(before, PEBBLE_CANCELLED);
    for (int i = 0; i < JOBS; i++)
        expect_and_drop(futures[i], PEBBLE_NOT_RUN);
    ck_assert_int_eq(scene.board->count, 0);
    scene_close(&scene);
}
END_TEST

START_TEST(a_priority_out_of_range_is_refused)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future;
    struct pebble_job_options high = {.priority = PEBBLE_PRIORITY_MAX + 1}, low = {.priority = PEBBLE_PRIORITY_MIN - 1};
    ck_assert_int_eq(pebble_pool_schedule(pool, job_nothing, NULL, 0, &high, &future), -EINVAL);
    ck_assert_int_eq(pebble_pool_schedule(pool, job_nothing, NULL, 0, &low, &future), -EINVAL);
    close_pool(pool);
}
END_TEST

Suite *priorities_suite(void)
{
    Suite *suite = suite_create("priorities");
    TCase *tests = group(suite, "priorities", 60);
    both(tests, a_higher_priority_is_begun_first);
    both(tests, equal_priorities_are_begun_in_their_order);
    both(tests, a_cancelled_job_leaves_its_level);
    both(tests, a_stopped_pool_refuses_jobs_of_every_priority);
    both(tests, a_priority_out_of_range_is_refused);
    return suite;
}
