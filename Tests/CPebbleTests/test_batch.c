/* SPDX-License-Identifier: Apache-2.0
 * Jobs that are taken in together. */
#include "inbox.h"
#include "poolstate.h"
#include "support.h"

#define MANY 200

static pebble_future *futures[MANY];

static void schedule_some(pebble_pool *pool, int count)
{
    for (int i = 0; i < count; i++)
        futures[i] = schedule(pool, job_pid);
}

static void expect_some(int count)
{
    for (int i = 0; i < count; i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
}

/* Nothing but the thread of the batch may look at the inbox meanwhile. */
static bool some_wait(pebble_pool *pool)
{
    return !pb_inbox_empty(&pool->inbox);
}

START_TEST(jobs_of_a_batch_wait_for_its_end)
{
    pebble_pool *pool = pool_with(_i, 2);
    pebble_pool_begin_batch(pool);
    schedule_some(pool, 1);
    pebble_pool_begin_batch(pool);
    bool waited = some_wait(pool);
    pebble_pool_end_batch(pool);
    ck_assert(waited == some_wait(pool));
    pebble_pool_end_batch(pool);
    ck_assert(waited && !some_wait(pool));
    expect_some(1);
    schedule_some(pool, 1);
    ck_assert(!some_wait(pool));
    expect_some(1);
    close_pool(pool);
}
END_TEST

START_TEST(no_more_than_some_wait)
{
    pebble_pool *pool = pool_with(_i, 2);
    pebble_pool_begin_batch(pool);
    schedule_some(pool, MANY);
    ck_assert_int_eq(pebble_wait_futures(futures, 1, 1, PATIENCE, NULL), 1); /* which takes nothing in */
    pebble_pool_end_batch(pool);
    expect_some(MANY);
    close_pool(pool);
}
END_TEST

START_TEST(who_waits_for_one_of_a_batch_takes_it_in)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_pool_begin_batch(pool);
    schedule_some(pool, 3);
    expect_some(3);
    pebble_pool_end_batch(pool);
    close_pool(pool);
}
END_TEST

START_TEST(jobs_in_other_pools_do_not_wait)
{
    pebble_pool *pool = pool_with(_i, 1), *other = pool_with(_i, 1);
    pebble_pool_begin_batch(pool);
    pebble_pool_begin_batch(other);
    schedule_some(other, 1);
    ck_assert(!some_wait(other));
    pebble_pool_end_batch(other);
    expect_some(1);
    schedule_some(pool, 1);
    pebble_pool_end_batch(pool);
    expect_some(1);
    close_pool(pool);
    close_pool(other);
}
END_TEST

/* Those that wait have the places for which the next one waits, or of which the caller is told that there are none. */
START_TEST(a_batch_that_fills_its_pool_is_taken_in)
{
    struct pebble_pool_config config = {
        .max_workers = 1, .max_queued = 2, .full_timeout = PATIENCE, .start_method = (enum pebble_start_method)_i};
    pebble_pool *pool = pool_of(&config);
    pebble_pool_begin_batch(pool);
    schedule_some(pool, 20);
    pebble_pool_end_batch(pool);
    expect_some(20);
    close_pool(pool);

    config.full_timeout = 0;
    pool = pool_of(&config);
    run(pool, job_pid);
    pebble_future *hangs = schedule(pool, job_hang);
    pebble_pool_begin_batch(pool);
    int count = 0, rc = 0;
    while (count < MANY && (rc = pebble_pool_schedule(pool, job_pid, NULL, 0, NULL, &futures[count])) == 0)
        count++;
    ck_assert_int_eq(rc, -EAGAIN);
    ck_assert(!some_wait(pool));
    pebble_pool_end_batch(pool);
    pebble_future_cancel(hangs);
    expect_and_drop(hangs, PEBBLE_CANCELLED);
    expect_some(count);
    close_pool(pool);
}
END_TEST

START_TEST(a_pool_may_be_closed_or_stopped_in_a_batch)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_pool_begin_batch(pool);
    schedule_some(pool, 3);
    pebble_pool_close(pool);
    expect_some(3);
    pebble_pool_end_batch(pool);
    close_pool(pool);

    pool = pool_with(_i, 1);
    pebble_pool_begin_batch(pool);
    schedule_some(pool, 3);
    pebble_pool_stop(pool);
    for (int i = 0; i < 3; i++)
        expect_and_drop(futures[i], PEBBLE_NOT_RUN);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    pebble_pool_end_batch(pool);
    pebble_pool_unref(pool);
}
END_TEST

START_TEST(threads_take_batches_too)
{
    pebble_pool *pool;
    ck_assert_int_eq(pebble_thread_pool_new(&(struct pebble_thread_pool_config){.max_workers = 2}, &pool), 0);
    pebble_pool_begin_batch(pool);
    schedule_some(pool, MANY);
    pebble_pool_end_batch(pool);
    expect_some(MANY);
    close_pool(pool);
}
END_TEST

Suite *batch_suite(void)
{
    Suite *suite = suite_create("batch");
    TCase *tests = group(suite, "batch", 60);
    both(tests, jobs_of_a_batch_wait_for_its_end);
    both(tests, no_more_than_some_wait);
    both(tests, who_waits_for_one_of_a_batch_takes_it_in);
    both(tests, jobs_in_other_pools_do_not_wait);
    both(tests, a_batch_that_fills_its_pool_is_taken_in);
    both(tests, a_pool_may_be_closed_or_stopped_in_a_batch);
    tcase_add_test(tests, threads_take_batches_too);
    return suite;
}
