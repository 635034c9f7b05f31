/* SPDX-License-Identifier: Apache-2.0
 * Calls and their values. */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEBIBYTE (UINT64_C(1) << 20)

static int job_sum(pebble_call *call)
{
    size_t length;
    const int64_t *numbers = pebble_call_input(call, &length);
    int64_t sum = 0;
    for (size_t i = 0; i < length / sizeof *numbers; i++)
        sum += numbers[i];
    return reply_number(call, sum);
}

START_TEST(a_future_gives_the_value)
{
    pebble_pool *pool = pool_with(_i, 1);
    const int64_t numbers[] = {30, 12};
    ck_assert_int_eq(number_from(schedule_bytes(pool, job_sum, numbers, sizeof numbers)), 42);
    close_pool(pool);
}
END_TEST

START_TEST(many_futures_give_each_its_own_value)
{
    pebble_pool *pool = pool_with(_i, 2);
    pebble_future *futures[50];
    for (int64_t i = 0; i < 50; i++)
        futures[i] = schedule_order(pool, job_number, (struct order){.number = i});
    for (int64_t i = 0; i < 50; i++)
        ck_assert_int_eq(number_from(futures[i]), i);
    close_pool(pool);
}
END_TEST

START_TEST(a_job_may_have_neither_input_nor_reply)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_nothing);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    ck_assert_uint_eq(outcome->length, 0);
    ck_assert_ptr_null(outcome->data);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

static int job_check_empty_input(pebble_call *call)
{
    size_t length = 1;
    void *input = pebble_call_input(call, &length);
    return !input || length != 0 || (uintptr_t)input % _Alignof(max_align_t) != 0;
}

START_TEST(an_empty_input_is_not_null_and_aligned)
{
    pebble_pool *pool = pool_with(_i, 1);
    expect_and_drop(schedule(pool, job_check_empty_input), PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

START_TEST(the_input_is_copied)
{
    pebble_pool *pool = pool_with(_i, 1);
    int64_t number = 1;
    pebble_future *future = schedule_bytes(pool, job_sum, &number, sizeof number);
    number = 2;
    ck_assert_int_eq(number_from(future), 1);
    close_pool(pool);
}
END_TEST

START_TEST(an_input_may_come_in_parts)
{
    const struct pebble_part parts[] = {{"one ", 4}, {NULL, 0}, {"two", 4}};
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future;
    ck_assert_int_eq(pebble_pool_schedule_parts(pool, job_echo, parts, 3, NULL, &future), 0);
    ck_assert_int_eq(pebble_future_wait(future, PEBBLE_FOREVER), 0);
    ck_assert_uint_eq(pebble_future_outcome(future)->length, 8);
    ck_assert_str_eq(pebble_future_outcome(future)->data, "one two");
    pebble_future_unref(future);
    ck_assert_int_eq(pebble_pool_schedule_parts(pool, job_echo, NULL, 0, NULL, &future), 0);
    ck_assert_int_eq(pebble_future_wait(future, PEBBLE_FOREVER), 0);
    ck_assert_uint_eq(pebble_future_outcome(future)->length, 0);
    pebble_future_unref(future);
    const struct pebble_part endless[] = {{"", SIZE_MAX / 2}, {"", SIZE_MAX / 2}, {"", 2}};
    ck_assert_int_eq(pebble_pool_schedule_parts(pool, job_echo, endless, 3, NULL, &future), -EFBIG);
    close_pool(pool);
}
END_TEST

START_TEST(an_error_keeps_its_code_and_its_bytes)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_fail);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_FAILURE);
    ck_assert_int_eq(outcome->code, 7);
    ck_assert_uint_eq(outcome->length, 5);
    ck_assert_mem_eq(outcome->data, "sorry", 5);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(an_error_does_not_harm_the_next_job)
{
    pebble_pool *pool = pool_with(_i, 1);
    int64_t pid = run(pool, job_pid);
    expect_and_drop(schedule(pool, job_fail), PEBBLE_FAILURE);
    ck_assert_int_eq(run(pool, job_pid), pid);
    close_pool(pool);
}
END_TEST

START_TEST(two_workers_are_two_processes)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 2);
    pebble_future *futures[5];
    for (int i = 0; i < 5; i++)
        futures[i] = schedule_order(pool, job_meet, order_in(&scene, 0));
    int64_t one = hear(&scene), other = hear(&scene);
    ck_assert_int_ne(one, other);
    ck_assert_int_ne(one, getpid());
    ck_assert_int_ne(other, getpid());
    for (int i = 0; i < 5; i++)
        let_go(&scene, 0);
    for (int i = 0; i < 5; i++) {
        int64_t pid = number_from(futures[i]);
        ck_assert(pid == one || pid == other);
    }
    close_pool(pool);
}
END_TEST

START_TEST(one_worker_serves_job_after_job)
{
    pebble_pool *pool = pool_with(_i, 1);
    int64_t pid = run(pool, job_pid);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(run(pool, job_pid), pid);
    ck_assert_uint_eq(statistics_of(pool).started, 1);
    close_pool(pool);
}
END_TEST

START_TEST(a_worker_is_replaced_after_max_tasks)
{
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = 1, .max_tasks = 2, .start_method = (enum pebble_start_method)_i});
    int64_t pids[4];
    for (int i = 0; i < 4; i++)
        pids[i] = run(pool, job_pid);
    ck_assert_int_eq(pids[0], pids[1]);
    ck_assert_int_ne(pids[1], pids[2]);
    ck_assert_int_eq(pids[2], pids[3]);
    close_pool(pool);
}
END_TEST

START_TEST(an_outcome_names_the_worker_even_of_its_first_job)
{
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = 2, .max_tasks = 1, .start_method = (enum pebble_start_method)_i});
    pebble_future *futures[60];
    for (int i = 0; i < 60; i++)
        futures[i] = schedule(pool, job_pid);
    for (int i = 0; i < 60; i++) {
        int pid = expect(futures[i], PEBBLE_SUCCESS)->pid;
        ck_assert_int_eq(number_from(futures[i]), pid);
    }
    close_pool(pool);
}
END_TEST

START_TEST(what_is_no_function_is_refused)
{
    static char data[64];
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = NULL;
    pebble_function function;
    void *address = data;
    memcpy(&function, &address, sizeof function);
    ck_assert_int_eq(pebble_pool_schedule(pool, function, NULL, 0, NULL, &future), -EFAULT);
    ck_assert_ptr_null(future);
    close_pool(pool);
}
END_TEST

START_TEST(settings_out_of_range_are_refused)
{
    pebble_pool *pool = NULL;
    const struct pebble_pool_config wrong[] = {
        {.max_workers = 65537}, {.start_timeout = -1}, {.start_method = (enum pebble_start_method)2}};
    for (size_t i = 0; i < PB_COUNT(wrong); i++)
        ck_assert_int_eq(pebble_pool_new(&wrong[i], &pool), -EINVAL);
    ck_assert_ptr_null(pool);
}
END_TEST

START_TEST(all_settings_have_defaults)
{
    pebble_pool *pool = pool_of(NULL);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

START_TEST(statistics_count_every_job_once)
{
    pebble_pool *pool = pool_with(_i, 1);
    struct scene scene;
    scene_open(&scene);
    pebble_future *running = schedule_order(pool, job_meet, order_in(&scene, 0));
    pebble_future *waiting = schedule(pool, job_nothing);
    hear(&scene);
    struct pebble_pool_statistics now = statistics_of(pool);
    ck_assert_uint_eq(now.running, 1);
    ck_assert_uint_eq(now.queued, 1);
    ck_assert_uint_eq(now.done, 0);
    ck_assert_uint_eq(now.workers, 1);
    let_go(&scene, 0);
    expect_and_drop(running, PEBBLE_SUCCESS);
    expect_and_drop(waiting, PEBBLE_SUCCESS);
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    now = statistics_of(pool);
    ck_assert_uint_eq(now.running + now.queued + now.workers, 0);
    ck_assert_uint_eq(now.done, 2);
    ck_assert_uint_eq(now.started, 1);
    ck_assert_uint_eq(now.expired + now.killed + now.idle_deaths, 0);
    pebble_pool_unref(pool);
}
END_TEST

Suite *pool_suite(void)
{
    Suite *suite = suite_create("pool");
    TCase *tests = group(suite, "values", 60);
    both(tests, a_future_gives_the_value);
    both(tests, many_futures_give_each_its_own_value);
    both(tests, a_job_may_have_neither_input_nor_reply);
    both(tests, an_empty_input_is_not_null_and_aligned);
    both(tests, the_input_is_copied);
    both(tests, an_input_may_come_in_parts);
    both(tests, an_error_keeps_its_code_and_its_bytes);
    both(tests, an_error_does_not_harm_the_next_job);
    both(tests, two_workers_are_two_processes);
    both(tests, one_worker_serves_job_after_job);
    both(tests, a_worker_is_replaced_after_max_tasks);
    both(tests, an_outcome_names_the_worker_even_of_its_first_job);
    both(tests, what_is_no_function_is_refused);
    tcase_add_test(tests, settings_out_of_range_are_refused);
    tcase_add_test(tests, all_settings_have_defaults);
    both(tests, statistics_count_every_job_once);
    return suite;
}
