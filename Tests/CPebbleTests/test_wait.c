/* SPDX-License-Identifier: Apache-2.0
 * Threads that wait for jobs take the answers themselves: none may be missed. */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>

#define THREADS 4
#define CALLS 20000

static int job_double(pebble_call *call)
{
    size_t length;
    int *n = pebble_call_input(call, &length);
    *n *= 2;
    return pebble_call_write(call, n, sizeof *n);
}

static void call_again_and_again(pebble_pool *pool, int calls)
{
    for (int i = 0; i < calls; i++) {
        pebble_future *future;
        ck_assert_int_eq(pebble_pool_schedule(pool, job_double, &i, sizeof i, NULL, &future), 0);
        ck_assert_int_eq(pebble_future_wait(future, 30 * INT64_C(1000000000)), 0);
        const struct pebble_outcome *outcome = pebble_future_outcome(future);
        if (outcome->status != PEBBLE_SUCCESS || *(const int *)outcome->data != 2 * i) ck_abort_msg("call %d", i);
        pebble_future_unref(future);
    }
}

START_TEST(no_answer_is_missed_by_a_thread_that_waits_for_it)
{
    pebble_pool *pool = pool_with(_i, 2);
    call_again_and_again(pool, 3 * CALLS);
    close_pool(pool);
}
END_TEST

static void *call_in_a_thread(void *pool)
{
    call_again_and_again(pool, CALLS);
    return NULL;
}

START_TEST(no_answer_is_missed_when_several_threads_wait_for_one_worker)
{
    pebble_pool *pool = pool_with(_i, 1);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, call_in_a_thread, pool);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    close_pool(pool);
}
END_TEST

/* The waiter of the first takes the answers of the others as well, until its own comes. */
START_TEST(a_thread_may_wait_for_the_last_of_many)
{
    pebble_pool *pool = pool_with(_i, 1);
    enum { MANY = 200 };
    for (int round = 0; round < 100; round++) {
        pebble_future *futures[MANY];
        for (int i = 0; i < MANY; i++)
            ck_assert_int_eq(pebble_pool_schedule(pool, job_double, &i, sizeof i, NULL, &futures[i]), 0);
        for (int i = MANY; i-- > 0;) {
            ck_assert_int_eq(pebble_future_wait(futures[i], 30 * INT64_C(1000000000)), 0);
            pebble_future_unref(futures[i]);
        }
    }
    close_pool(pool);
}
END_TEST

Suite *wait_suite(void)
{
    Suite *suite = suite_create("wait");
    TCase *tests = group(suite, "wait", 120);
    both(tests, no_answer_is_missed_by_a_thread_that_waits_for_it);
    both(tests, no_answer_is_missed_when_several_threads_wait_for_one_worker);
    both(tests, a_thread_may_wait_for_the_last_of_many);
    return suite;
}
