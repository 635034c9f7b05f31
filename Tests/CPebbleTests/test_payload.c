/* SPDX-License-Identifier: Apache-2.0
 * How large inputs and replies may be. */
#include "ledger.h"
#include "chance.h"
#include "poolstate.h"

#include <stdlib.h>
#include <string.h>

#define MEBIBYTE (UINT64_C(1) << 20)

START_TEST(large_data_makes_the_round_trip)
{
    pebble_pool *pool = pool_with(_i, 1);
    size_t length = 107 * chance_steps() + 3;
    unsigned char *data = malloc(length);
    for (size_t i = 0; i < length; i++)
        data[i] = (unsigned char)(i * 31 >> 3);
    pebble_future *future = schedule_bytes(pool, job_echo, data, length);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    ck_assert_uint_eq(outcome->length, length);
    ck_assert(memcmp(outcome->data, data, length) == 0);
    pebble_future_unref(future);
    free(data);
    close_pool(pool);
}
END_TEST

static pebble_pool *small_payloads(int method)
{
    return pool_of(&(struct pebble_pool_config){
        .max_workers = 1, .max_payload = 1000, .start_method = (enum pebble_start_method)method});
}

static int job_reply_with_size(pebble_call *call)
{
    size_t size = (size_t)order_of(call)->number;
    char *place = pebble_call_reserve(call, size);
    if (place) memset(place, 'x', size);
    return 0;
}

START_TEST(an_input_above_the_bound_is_refused)
{
    pebble_pool *pool = small_payloads(_i);
    pebble_future *future = NULL;
    char input[1001] = {0};
    ck_assert_int_eq(pebble_pool_schedule(pool, job_echo, input, 1001, NULL, &future), -EFBIG);
    ck_assert_ptr_null(future);
    expect_and_drop(schedule_bytes(pool, job_echo, input, 1000), PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

START_TEST(a_reply_above_the_bound_fails_its_job_alone)
{
    pebble_pool *pool = small_payloads(_i);
    pebble_future *future = schedule_order(pool, job_reply_with_size, (struct order){.number = 1001});
    ck_assert_int_eq(expect(future, PEBBLE_FAILURE)->code, -EFBIG);
    ck_assert_ptr_null(pebble_future_outcome(future)->data);
    pebble_future_unref(future);
    expect_and_drop(schedule_order(pool, job_reply_with_size, (struct order){.number = 1000}), PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

START_TEST(a_reply_that_does_not_fit_into_memory_fails_its_job_alone)
{
    pebble_pool *pool = pool_with(_i, 1);
    int64_t pid = run(pool, job_pid);
    pebble_future *future = schedule_order(pool, job_reply_with_size, (struct order){.number = INT64_MAX / 2});
    ck_assert_int_eq(expect(future, PEBBLE_FAILURE)->code, -ENOMEM);
    ck_assert_uint_eq(pebble_future_outcome(future)->length, 0);
    pebble_future_unref(future);
    ck_assert_int_eq(run(pool, job_pid), pid);
    close_pool(pool);
}
END_TEST

START_TEST(a_reply_above_the_bound_costs_neither_its_worker_nor_the_jobs_behind_it)
{
    pebble_pool *pool = small_payloads(_i);
    make_brisk(pool);
    int64_t pid = run(pool, job_pid);
    for (int i = 0; i < 50; i++) {
        pebble_future *future = schedule_order(pool, job_reply_with_size, (struct order){.number = 900 + i * 5000});
        pebble_future *behind = schedule(pool, job_pid);
        expect_and_drop(future, i ? PEBBLE_FAILURE : PEBBLE_SUCCESS);
        ck_assert_int_eq(number_from(behind), pid);
    }
    close_pool(pool);
}
END_TEST

START_TEST(a_large_reply_stands_though_its_worker_died_before_it_was_read)
{
    struct stage stage;
    set_stage(&stage, _i);
    int process = watch_process((pid_t)stage.pid);
    const int64_t length = 140000; /* fits into the socket, and not into the shared memory */
    pebble_future *large = schedule_order(stage.pool, job_reply_with_size, (struct order){.number = length});
    pebble_future *deadly = schedule_order(stage.pool, job_note_die, order_to_note(&stage.ledger, 0));
    ck_assert(shipped(stage.pool, deadly));
    pthread_mutex_lock(&stage.pool->lock); /* nobody reads */
    let_go(&stage.scene, 0);
    expect_dead(process);
    pthread_mutex_unlock(&stage.pool->lock);
    ck_assert_int_eq(number_from(stage.running), stage.pid);
    ck_assert_uint_eq(expect(large, PEBBLE_SUCCESS)->length, (size_t)length);
    expect_and_drop(deadly, PEBBLE_EXPIRED);
    pebble_future_unref(large);
    close_pool(stage.pool);
}
END_TEST

Suite *payload_suite(void)
{
    Suite *suite = suite_create("payload");
    TCase *tests = group(suite, "payload", 60);
    both(tests, large_data_makes_the_round_trip);
    both(tests, an_input_above_the_bound_is_refused);
    both(tests, a_reply_above_the_bound_fails_its_job_alone);
    both(tests, a_reply_that_does_not_fit_into_memory_fails_its_job_alone);
    both(tests, a_reply_above_the_bound_costs_neither_its_worker_nor_the_jobs_behind_it);
    both(tests, a_large_reply_stands_though_its_worker_died_before_it_was_read);
    return suite;
}
