/* SPDX-License-Identifier: Apache-2.0
 * How many workers a pool has, and how long each stays. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

START_TEST(a_pool_can_grow)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *first = schedule_order(pool, job_meet, order_in(&scene, 0));
    pebble_future *second = schedule_order(pool, job_meet, order_in(&scene, 0));
    int64_t one = hear(&scene);
    ck_assert_int_eq(pebble_pool_resize(pool, 2), 0);
    ck_assert_uint_eq(pebble_pool_max_workers(pool), 2);
    ck_assert_int_ne(hear(&scene), one); /* while the first runs */
    let_go(&scene, 0);
    let_go(&scene, 0);
    expect_and_drop(first, PEBBLE_SUCCESS);
    expect_and_drop(second, PEBBLE_SUCCESS);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_pool_can_shrink_without_harm_to_what_runs)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 3);
    pebble_future *futures[3];
    int64_t pids[3];
    int processes[3];
    for (int i = 0; i < 3; i++)
        futures[i] = schedule_order(pool, job_meet, order_in(&scene, 0));
    for (int i = 0; i < 3; i++) {
        pids[i] = hear(&scene);
        processes[i] = watch_process((pid_t)pids[i]);
    }
    ck_assert_int_eq(pebble_pool_resize(pool, 1), 0);
    for (int i = 0; i < 3; i++)
        let_go(&scene, 0);
    for (int i = 0; i < 3; i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
    int64_t survivor = run(pool, job_pid);
    ck_assert_int_eq(run(pool, job_pid), survivor);
    int left = 0;
    for (int i = 0; i < 3; i++) {
        left += pids[i] == survivor;
        if (pids[i] != survivor) expect_dead(processes[i]);
    }
    ck_assert_int_eq(left, 1);
    ck_assert_uint_eq(statistics_of(pool).killed, 0);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_size_that_is_none_is_refused)
{
    pebble_pool *pool = pool_with(_i, 2);
    ck_assert_int_eq(pebble_pool_resize(pool, 0), -EINVAL);
    ck_assert_int_eq(pebble_pool_resize(pool, 65537), -EINVAL);
    ck_assert_uint_eq(pebble_pool_max_workers(pool), 2);
    close_pool(pool);
}
END_TEST

START_TEST(an_idle_worker_is_let_go)
{
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                             .start_method = (enum pebble_start_method)_i,
                                                             .idle_timeout = 50 * MILLISECOND});
    int64_t pid = run(pool, job_pid);
    expect_ended((pid_t)pid);
    ck_assert_int_ne(run(pool, job_pid), pid);
    ck_assert_uint_eq(statistics_of(pool).killed, 0);
    ck_assert_uint_eq(statistics_of(pool).idle_deaths, 0);
    close_pool(pool);
}
END_TEST

START_TEST(a_busy_worker_is_not_idle)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                             .start_method = (enum pebble_start_method)_i,
                                                             .idle_timeout = 20 * MILLISECOND});
    expect_and_drop(schedule_order(pool, job_nap, order_in(&scene, 200 * MILLISECOND)), PEBBLE_SUCCESS);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(an_old_worker_is_replaced)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = 1, .start_method = (enum pebble_start_method)_i, .max_age = 200 * MILLISECOND});
    int64_t pid = run(pool, job_pid);
    expect_and_drop(schedule_order(pool, job_nap, order_in(&scene, 250 * MILLISECOND)), PEBBLE_SUCCESS);
    ck_assert_int_ne(run(pool, job_pid), pid);
    expect_ended((pid_t)pid);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(an_old_worker_goes_when_it_is_idle)
{
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = 1, .start_method = (enum pebble_start_method)_i, .max_age = 200 * MILLISECOND});
    expect_ended((pid_t)run(pool, job_pid));
    close_pool(pool);
}
END_TEST

static int job_leak(pebble_call *call)
{
    (void)call;
    char *leak = malloc(64 << 20);
    memset(leak, 1, 64 << 20);
    __asm__ volatile("" : : "r"(leak) : "memory");
    return 0;
}

START_TEST(a_worker_that_has_grown_large_is_replaced)
{
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = 1, .start_method = (enum pebble_start_method)_i, .max_memory = 60 << 20});
    int64_t pid = run(pool, job_pid);
    ck_assert_int_eq(run(pool, job_pid), pid);
    int process = watch_process((pid_t)pid);
    expect_and_drop(schedule(pool, job_leak), PEBBLE_SUCCESS);
    ck_assert_int_ne(run(pool, job_pid), pid);
    expect_dead(process);
    ck_assert_uint_eq(statistics_of(pool).killed, 0);
    close_pool(pool);
}
END_TEST

Suite *size_suite(void)
{
    Suite *suite = suite_create("size");
    TCase *tests = group(suite, "size", 60);
    both(tests, a_pool_can_grow);
    both(tests, a_pool_can_shrink_without_harm_to_what_runs);
    both(tests, a_size_that_is_none_is_refused);
    both(tests, an_idle_worker_is_let_go);
    both(tests, a_busy_worker_is_not_idle);
    both(tests, an_old_worker_is_replaced);
    both(tests, an_old_worker_goes_when_it_is_idle);
    both(tests, a_worker_that_has_grown_large_is_replaced);
    return suite;
}
