/* SPDX-License-Identifier: Apache-2.0
 * What a pool does next. */
#include "dispatch.h"
#include "clock.h"
#include "tests.h"

#include <check.h>
#include <stdlib.h>

static struct pb_dispatch view(size_t queued, unsigned idle, unsigned busy, unsigned starting)
{
    return (struct pb_dispatch){
        .queued = queued, .idle = idle, .busy = busy, .starting = starting, .max_workers = 4, .may_start = true};
}

static enum pb_action next(struct pb_dispatch pool)
{
    return pb_dispatch_next(&pool);
}

START_TEST(without_jobs_there_is_nothing_to_do)
{
    ck_assert_int_eq(next(view(0, 0, 0, 0)), PB_REST);
    ck_assert_int_eq(next(view(0, 3, 1, 0)), PB_REST);
}
END_TEST

START_TEST(a_job_goes_to_an_idle_worker_before_another_is_started)
{
    ck_assert_int_eq(next(view(1, 1, 0, 0)), PB_ASSIGN);
    ck_assert_int_eq(next(view(9, 1, 3, 0)), PB_ASSIGN);
    ck_assert_int_eq(next(view(2, 0, 1, 0)), PB_START);
}
END_TEST

START_TEST(no_more_workers_are_started_than_jobs_wait)
{
    ck_assert_int_eq(next(view(2, 0, 0, 1)), PB_START);
    ck_assert_int_eq(next(view(2, 0, 0, 2)), PB_REST);
}
END_TEST

START_TEST(no_more_workers_are_started_than_there_may_be)
{
    ck_assert_int_eq(next(view(9, 0, 2, 1)), PB_START);
    ck_assert_int_eq(next(view(9, 0, 2, 2)), PB_REST);
    ck_assert_int_eq(next(view(9, 0, 4, 0)), PB_REST);
}
END_TEST

START_TEST(idle_workers_go_when_no_more_jobs_will_come)
{
    struct pb_dispatch pool = view(0, 2, 1, 0);
    pool.closing = true;
    ck_assert_int_eq(next(pool), PB_RETIRE);
    pool.queued = 1;
    ck_assert_int_eq(next(pool), PB_ASSIGN);
    pool.queued = pool.idle = 0;
    ck_assert_int_eq(next(pool), PB_REST);
}
END_TEST

START_TEST(while_backing_off_jobs_are_assigned_but_no_worker_is_started)
{
    struct pb_dispatch pool = view(2, 0, 0, 0);
    pool.may_start = false;
    ck_assert_int_eq(next(pool), PB_REST);
    pool.idle = 1;
    ck_assert_int_eq(next(pool), PB_ASSIGN);
}
END_TEST

/* Performs an action on a model of a pool, as the loop does. */
static void perform(struct pb_dispatch *pool, enum pb_action action)
{
    switch (action) {
    case PB_ASSIGN:
        ck_assert(pool->queued && pool->idle);
        pool->queued--, pool->idle--, pool->busy++;
        break;
    case PB_START:
        ck_assert(pool->queued && !pool->idle && pool->may_start);
        pool->starting++;
        ck_assert_uint_le(pool->idle + pool->busy + pool->starting, pool->max_workers);
        ck_assert_uint_le(pool->starting, pool->queued);
        break;
    case PB_RETIRE:
        ck_assert(pool->closing && pool->idle && !pool->queued);
        pool->idle--;
        break;
    case PB_FILL:
    case PB_STEAL: ck_abort_msg("nothing was shipped ahead");
    case PB_REST: break;
    }
}

static void something_happens(struct pb_dispatch *pool)
{
    switch (rand() % 7) {
    case 0: pool->queued += pool->closing ? 0 : (size_t)rand() % 5; break;
    case 1: if (pool->starting) pool->starting--, pool->idle++; break;
    case 2: if (pool->busy) pool->busy--, pool->idle++; break;
    case 3: if (pool->busy) pool->busy--; break;
    case 4: if (pool->starting) pool->starting--; break;
    case 5: if (pool->idle) pool->idle--; break;
    case 6: pool->may_start = rand() % 3; break;
    }
}

START_TEST(random_pools_keep_the_rules)
{
    srand(3);
    for (int life = 0; life < 2000; life++) {
        struct pb_dispatch pool = {.max_workers = 1 + (unsigned)rand() % 6, .may_start = true};
        for (int i = 0; i < 200; i++) {
            if (i == 150) pool.closing = true;
            something_happens(&pool);
            enum pb_action action;
            int turns = 0;
            while ((action = pb_dispatch_next(&pool)) != PB_REST) {
                perform(&pool, action);
                ck_assert_int_lt(++turns, 10000);
            }
            ck_assert(!pool.queued || !pool.idle); /* at rest no job waits beside an idle worker */
            unsigned workers = pool.busy + pool.starting;
            bool room = workers < pool.max_workers && pool.starting < pool.queued;
            ck_assert(!room || !pool.may_start);
            ck_assert(!pool.closing || !pool.idle);
        }
    }
}
END_TEST

START_TEST(each_failed_start_in_a_row_waits_longer_up_to_a_bound)
{
    int64_t before = 0;
    for (unsigned failures = 1; failures < 100; failures++) {
        int64_t wait = pb_dispatch_backoff(failures);
        ck_assert_int_ge(wait, before);
        ck_assert_int_gt(wait, 0);
        ck_assert_int_le(wait, 5 * PB_SECOND);
        before = wait;
    }
    ck_assert_int_gt(pb_dispatch_backoff(3), pb_dispatch_backoff(1));
    ck_assert_int_eq(pb_dispatch_backoff(UINT32_MAX), before);
}
END_TEST

Suite *dispatch_suite(void)
{
    Suite *suite = suite_create("dispatch");
    TCase *tests = group(suite, "dispatch", 30);
    tcase_add_test(tests, without_jobs_there_is_nothing_to_do);
    tcase_add_test(tests, a_job_goes_to_an_idle_worker_before_another_is_started);
    tcase_add_test(tests, no_more_workers_are_started_than_jobs_wait);
    tcase_add_test(tests, no_more_workers_are_started_than_there_may_be);
    tcase_add_test(tests, idle_workers_go_when_no_more_jobs_will_come);
    tcase_add_test(tests, while_backing_off_jobs_are_assigned_but_no_worker_is_started);
    tcase_add_test(tests, random_pools_keep_the_rules);
    tcase_add_test(tests, each_failed_start_in_a_row_waits_longer_up_to_a_bound);
    return suite;
}
