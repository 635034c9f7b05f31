/* SPDX-License-Identifier: Apache-2.0
 * Workers that are ready before one has to be replaced. */
#include "support.h"

#include <sched.h>
#include <signal.h>

/* A pool whose workers tell their pid when they are there. */
static pebble_pool *telling_pool(int method, const struct order *order, struct pebble_pool_config config)
{
    config.start_method = (enum pebble_start_method)method;
    config.initializer = (struct pebble_procedure){job_tell, order, sizeof *order};
    return pool_of(&config);
}

static void cancel(pebble_future *future)
{
    ck_assert_int_eq(pebble_future_cancel(future), PEBBLE_CANCEL_WAS_RUNNING);
    expect_and_drop(future, PEBBLE_CANCELLED);
}

/* Starts a job that hangs, and sees its worker and itself tell their pid. */
static pebble_future *hang_in_new_worker(pebble_pool *pool, const struct scene *scene)
{
    pebble_future *future = schedule_order(pool, job_hang, order_in(scene, 0));
    ck_assert_int_eq(hear(scene), hear(scene));
    return future;
}

START_TEST(there_is_no_spare_before_a_worker_was_replaced)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = telling_pool(_i, &order, (struct pebble_pool_config){.max_workers = 1});
    for (int i = 0; i < 20; i++)
        run(pool, job_pid);
    hear(&scene);
    close_pool(pool);
    ck_assert(silent(&scene));
    scene_close(&scene);
}
END_TEST

START_TEST(after_a_kill_a_worker_is_ready_without_a_job_for_it)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = telling_pool(_i, &order, (struct pebble_pool_config){.max_workers = 1});
    cancel(hang_in_new_worker(pool, &scene));
    int64_t next = hear(&scene); /* nothing was scheduled */
    ck_assert_int_eq(run(pool, job_pid), next);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(while_all_are_busy_a_spare_is_ready)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = telling_pool(_i, &order, (struct pebble_pool_config){.max_workers = 1});
    cancel(hang_in_new_worker(pool, &scene));
    int64_t second = hear(&scene);
    for (int i = 0; i < 3; i++) {
        pebble_future *future = schedule_order(pool, job_hang, order_in(&scene, 0));
        int64_t one = hear(&scene), other = hear(&scene); /* the job, and the worker beside it */
        ck_assert(one == second || other == second);
        cancel(future);
        second = one == second ? other : one;
    }
    ck_assert_int_eq(run(pool, job_pid), second);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_spare_runs_nothing_while_the_others_are_busy)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = telling_pool(_i, &order, (struct pebble_pool_config){.max_workers = 1});
    cancel(hang_in_new_worker(pool, &scene));
    hear(&scene);
    pebble_future *first = schedule_order(pool, job_meet, order_in(&scene, 0));
    int64_t one = hear(&scene), other = hear(&scene);
    pebble_future *second = schedule(pool, job_pid);
    ck_assert_uint_eq(statistics_of(pool).running, 1);
    ck_assert(!pebble_future_running(second));
    let_go(&scene, 0);
    int64_t pid = number_from(first);
    ck_assert(pid == one || pid == other);
    ck_assert_int_eq(number_from(second), pid); /* the warmest */
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

static int job_count_the_others(pebble_call *call)
{
    struct board *board = board_of(order_of(call));
    long others = atomic_fetch_add(&board->count, 1);
    for (int i = 0; i < 100; i++)
        sched_yield();
    atomic_fetch_sub(&board->count, 1);
    return reply_number(call, others);
}

START_TEST(never_more_than_max_workers_are_busy_at_once)
{
    enum { JOBS = 60, WORKERS = 2 };
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){.max_workers = WORKERS,
                                                             .max_tasks = 2,
                                                             .spare_workers = 3,
                                                             .start_method = (enum pebble_start_method)_i});
    pebble_future *futures[JOBS];
    for (int i = 0; i < JOBS; i++)
        futures[i] = schedule_order(pool, job_count_the_others, order_in(&scene, 0));
    for (int i = 0; i < JOBS; i++)
        ck_assert_int_lt(number_from(futures[i]), WORKERS);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(spares_are_kept_after_crashes_and_at_the_end_of_tasks)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = telling_pool(_i, &order, (struct pebble_pool_config){.max_workers = 1});
    expect_and_drop(schedule_order(pool, job_exit, order), PEBBLE_EXPIRED);
    hear(&scene);
    hear(&scene); /* though nothing waits */
    close_pool(pool);

    pool = telling_pool(_i, &order, (struct pebble_pool_config){.max_workers = 1, .max_tasks = 1});
    int64_t pid = run(pool, job_pid);
    ck_assert_int_eq(hear(&scene), pid);
    pid = hear(&scene);
    ck_assert_int_eq(run(pool, job_pid), pid);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(there_can_be_several_spares_or_none)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = telling_pool(_i, &order, (struct pebble_pool_config){.max_workers = 1, .spare_workers = 3});
    cancel(hang_in_new_worker(pool, &scene));
    for (int i = 0; i < 3; i++)
        hear(&scene);
    close_pool(pool);
    ck_assert(silent(&scene));

    pool = telling_pool(_i, &order, (struct pebble_pool_config){.max_workers = 1, .spare_workers = PEBBLE_NO_SPARES});
    cancel(hang_in_new_worker(pool, &scene));
    int64_t pid = run(pool, job_pid);
    ck_assert_int_eq(hear(&scene), pid);
    close_pool(pool);
    ck_assert(silent(&scene));
    scene_close(&scene);
}
END_TEST

START_TEST(a_spare_that_nobody_needed_goes_and_is_not_replaced)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool =
        telling_pool(_i, &order, (struct pebble_pool_config){.max_workers = 1, .idle_timeout = 50 * MILLISECOND});
    cancel(hang_in_new_worker(pool, &scene));
    expect_ended((pid_t)hear(&scene));
    pebble_future *future = hang_in_new_worker(pool, &scene); /* for itself only */
    ck_assert(silent(&scene));
    cancel(future);
    hear(&scene); /* now there is one again */
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_spare_that_dies_unused_is_not_replaced)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = telling_pool(_i, &order, (struct pebble_pool_config){.max_workers = 1});
    cancel(hang_in_new_worker(pool, &scene));
    kill((pid_t)hear(&scene), SIGKILL);
    while (statistics_of(pool).workers > 0) /* else it would be, as often as it dies */
        sched_yield();
    ck_assert_uint_eq(statistics_of(pool).started, 2);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_closed_pool_does_not_wait_for_a_spare_to_be_set_up)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                             .start_method = (enum pebble_start_method)_i,
                                                             .start_timeout = 10 * PATIENCE,
                                                             .initializer = {job_meet, &order, sizeof order}});
    pebble_future *future = schedule_order(pool, job_hang, order);
    ck_assert_int_gt(hear(&scene), 0);
    let_go(&scene, 0);
    ck_assert_int_gt(hear(&scene), 0);
    cancel(future);
    int spare = watch_process((pid_t)hear(&scene)); /* it would wait for ever */
    close_pool(pool);
    expect_dead(spare);
    scene_close(&scene);
}
END_TEST

START_TEST(a_number_of_spares_that_is_none_is_refused)
{
    pebble_pool *pool;
    ck_assert_int_eq(pebble_pool_new(&(struct pebble_pool_config){.spare_workers = -2}, &pool), -EINVAL);
    ck_assert_int_eq(pebble_pool_new(&(struct pebble_pool_config){.spare_workers = 65537}, &pool), -EINVAL);
}
END_TEST

Suite *spare_suite(void)
{
    Suite *suite = suite_create("spare");
    TCase *tests = group(suite, "spare", 60);
    both(tests, there_is_no_spare_before_a_worker_was_replaced);
    both(tests, after_a_kill_a_worker_is_ready_without_a_job_for_it);
    both(tests, while_all_are_busy_a_spare_is_ready);
    both(tests, a_spare_runs_nothing_while_the_others_are_busy);
    both(tests, never_more_than_max_workers_are_busy_at_once);
    both(tests, spares_are_kept_after_crashes_and_at_the_end_of_tasks);
    both(tests, there_can_be_several_spares_or_none);
    both(tests, a_spare_that_nobody_needed_goes_and_is_not_replaced);
    both(tests, a_spare_that_dies_unused_is_not_replaced);
    both(tests, a_closed_pool_does_not_wait_for_a_spare_to_be_set_up);
    tcase_add_test(tests, a_number_of_spares_that_is_none_is_refused);
    return suite;
}
