/* SPDX-License-Identifier: Apache-2.0
 * What a pool does next. */
#include "dispatch.h"
#include "clock.h"
#include "shared.h"
#include "chance.h"

#include <check.h>

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

START_TEST(workers_above_the_number_there_may_be_go_when_they_are_idle)
{
    ck_assert_int_eq(next(view(0, 1, 4, 0)), PB_RETIRE);
    ck_assert_int_eq(next(view(9, 1, 4, 0)), PB_RETIRE);
    ck_assert_int_eq(next(view(0, 5, 0, 0)), PB_RETIRE);
    ck_assert_int_eq(next(view(0, 4, 0, 0)), PB_REST);
    struct pb_dispatch pool = view(9, 0, 5, 0); /* and are shipped nothing more until then */
    pool.open = true;
    ck_assert_int_eq(next(pool), PB_REST);
    pool.busy = 4;
    ck_assert_int_eq(next(pool), PB_FILL);
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

START_TEST(a_worker_that_is_still_starting_is_not_waited_for_at_the_end)
{
    struct pb_dispatch pool = view(0, 0, 0, 1);
    ck_assert_int_eq(next(pool), PB_REST);
    pool.closing = true;
    ck_assert_int_eq(next(pool), PB_REST); /* a thread */
    pool.may_drop = true;
    ck_assert_int_eq(next(pool), PB_DROP);
    pool.busy = 1; /* which may have a job to be run again */
    ck_assert_int_eq(next(pool), PB_REST);
    pool.busy = 0;
    pool.queued = 1;
    ck_assert_int_eq(next(pool), PB_REST);
}
END_TEST

static struct pb_dispatch view_with_spare(size_t queued, unsigned idle, unsigned busy, unsigned starting)
{
    struct pb_dispatch pool = view(queued, idle, busy, starting);
    pool.spares = 1;
    return pool;
}

START_TEST(a_spare_is_started_without_a_job_for_it)
{
    ck_assert_int_eq(next(view_with_spare(0, 0, 0, 0)), PB_START);
    ck_assert_int_eq(next(view_with_spare(0, 0, 4, 0)), PB_START); /* beyond the number that may be busy */
    ck_assert_int_eq(next(view_with_spare(9, 0, 4, 0)), PB_START);
    ck_assert_int_eq(next(view_with_spare(0, 0, 5, 0)), PB_REST);
    struct pb_dispatch pool = view_with_spare(0, 0, 4, 0);
    pool.may_start = false;
    ck_assert_int_eq(next(pool), PB_REST);
    pool.may_start = pool.closing = true;
    ck_assert_int_eq(next(pool), PB_REST);
}
END_TEST

START_TEST(any_worker_without_a_job_is_a_spare)
{
    ck_assert_int_eq(next(view_with_spare(0, 1, 3, 0)), PB_REST);
    ck_assert_int_eq(next(view_with_spare(0, 0, 3, 1)), PB_REST);
    ck_assert_int_eq(next(view_with_spare(0, 1, 4, 0)), PB_REST); /* and this one stays */
    ck_assert_int_eq(next(view_with_spare(0, 2, 4, 0)), PB_RETIRE);
}
END_TEST

START_TEST(a_spare_is_given_no_job_while_the_others_are_busy)
{
    struct pb_dispatch pool = view_with_spare(9, 1, 4, 0);
    ck_assert_int_eq(next(pool), PB_REST);
    pool.open = true;
    ck_assert_int_eq(next(pool), PB_FILL);
    pool.queued = 0;
    pool.ahead = 3;
    ck_assert_int_eq(next(pool), PB_REST); /* nor one that waits with another */
    pool.busy = 3;
    ck_assert_int_eq(next(pool), PB_STEAL);
    pool.queued = 9;
    ck_assert_int_eq(next(pool), PB_ASSIGN); /* at once, when one of them is gone */
}
END_TEST

START_TEST(jobs_are_shipped_before_a_spare_is_started)
{
    struct pb_dispatch pool = view_with_spare(1, 0, 4, 0);
    pool.open = true;
    ck_assert_int_eq(next(pool), PB_FILL);
    pool.open = false;
    ck_assert_int_eq(next(pool), PB_START);
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

START_TEST(when_all_workers_are_busy_a_job_is_shipped_behind_another)
{
    struct pb_dispatch pool = view(1, 0, 4, 0);
    ck_assert_int_eq(next(pool), PB_REST); /* none may have one more */
    pool.open = true;
    ck_assert_int_eq(next(pool), PB_FILL);
    pool.queued = 0;
    ck_assert_int_eq(next(pool), PB_REST);
}
END_TEST

START_TEST(nothing_is_shipped_behind_another_while_there_is_a_worker_for_it)
{
    struct pb_dispatch pool = view(1, 1, 3, 0);
    pool.open = true;
    ck_assert_int_eq(next(pool), PB_ASSIGN);
    pool.idle = 0;
    ck_assert_int_eq(next(pool), PB_START);
    pool.starting = 1;
    ck_assert_int_eq(next(pool), PB_REST); /* it will be there soon */
    pool.starting = 0;
    pool.may_start = false;
    ck_assert_int_eq(next(pool), PB_REST);
}
END_TEST

START_TEST(an_idle_worker_is_given_what_was_shipped_behind_others)
{
    struct pb_dispatch pool = view(0, 1, 3, 0);
    pool.ahead = 1;
    ck_assert_int_eq(next(pool), PB_STEAL);
    pool.closing = true;
    ck_assert_int_eq(next(pool), PB_STEAL); /* before it goes */
    pool.queued = 1;
    ck_assert_int_eq(next(pool), PB_ASSIGN);
    pool.idle = 0;
    ck_assert_int_eq(next(pool), PB_START);
    pool.queued = 0;
    ck_assert_int_eq(next(pool), PB_REST);
}
END_TEST

START_TEST(the_window_is_wide_for_short_jobs_only)
{
    unsigned before = pb_dispatch_window(1);
    ck_assert_uint_gt(before, 10);
    ck_assert_uint_lt(before, PB_SLOTS);
    for (int64_t average = 2; average < 10 * PB_MILLISECOND; average += 1 + average / 16) {
        unsigned window = pb_dispatch_window(average);
        ck_assert_uint_ge(window, 1);
        ck_assert_uint_le(window, before);
        before = window;
    }
    ck_assert_uint_eq(pb_dispatch_window(PB_MILLISECOND), 1);
    ck_assert_uint_eq(pb_dispatch_window(INT64_MAX), 1);
    ck_assert_uint_eq(pb_dispatch_window(0), 1); /* nothing is known yet */
    ck_assert_uint_eq(pb_dispatch_window(-1), 1);
}
END_TEST

START_TEST(jobs_are_moved_when_they_would_wait_for_long)
{
    ck_assert(!pb_dispatch_worth_stealing(1, 100, 100));
    ck_assert(pb_dispatch_worth_stealing(1, 100, PB_MILLISECOND)); /* behind a long one */
    ck_assert(pb_dispatch_worth_stealing(1, PB_MILLISECOND, 0));
    ck_assert(pb_dispatch_worth_stealing(1000, 1000, 0)); /* behind many short ones */
}
END_TEST

/* --- against a model --- */

#define WINDOW 3

/* A pool, and how many jobs each busy worker has. */
struct model {
    struct pb_dispatch view;
    unsigned jobs[8];
};

static void update(struct model *model)
{
    model->view.open = false;
    model->view.ahead = 0;
    for (unsigned i = 0; i < model->view.busy; i++) {
        model->view.open |= model->jobs[i] < WINDOW;
        model->view.ahead += model->jobs[i] - 1;
    }
}

static unsigned workers_of(const struct pb_dispatch *pool)
{
    return pool->idle + pool->busy + pool->starting;
}

/* Whether a worker that was started just now is. */
static bool is_for_a_job(const struct pb_dispatch *pool)
{
    return !pool->idle && pool->starting <= pool->queued && workers_of(pool) <= pool->max_workers;
}

static bool is_a_spare(const struct pb_dispatch *pool)
{
    return !pool->closing && pool->idle + pool->starting <= pool->spares &&
           workers_of(pool) <= pool->max_workers + pool->spares;
}

static bool has_too_many(const struct pb_dispatch *pool)
{
    return pool->idle && workers_of(pool) > pool->max_workers + pool->spares;
}

static bool may_end(const struct pb_dispatch *pool)
{
    if (!pool->closing || pool->queued) return false;
    bool of_use = pool->ahead && pool->busy < pool->max_workers;
    return pool->idle ? !of_use : pool->starting && !pool->busy;
}

/* Performs an action, as the loop does. */
static void perform(struct model *model, enum pb_action action)
{
    struct pb_dispatch *pool = &model->view;
    unsigned i = 0;
    switch (action) {
    case PB_ASSIGN:
        must(pool->queued && pool->idle && pool->busy < pool->max_workers);
        pool->queued--, pool->idle--;
        model->jobs[pool->busy++] = 1;
        break;
    case PB_START:
        must(pool->may_start);
        pool->starting++;
        must(is_for_a_job(pool) || is_a_spare(pool));
        break;
    case PB_RETIRE:
        must(pool->idle && (has_too_many(pool) || may_end(pool)));
        pool->idle--;
        break;
    case PB_DROP:
        must(pool->starting && pool->may_drop && may_end(pool));
        pool->starting--;
        break;
    case PB_FILL:
        must(pool->queued && pool->busy == pool->max_workers);
        while (model->jobs[i] == WINDOW)
            i++;
        must(i < pool->busy);
        pool->queued--, model->jobs[i]++;
        break;
    case PB_STEAL:
        must(!pool->queued && pool->idle && pool->ahead && pool->busy < pool->max_workers);
        while (model->jobs[i] == 1)
            i++;
        must(i < pool->busy);
        pool->queued++, model->jobs[i]--;
        break;
    case PB_REST: break;
    }
    update(model);
}

/* A busy worker, by chance, has done one job, or died with all of them. */
static void end_jobs(struct model *model, bool dies)
{
    struct pb_dispatch *pool = &model->view;
    if (!pool->busy) return;
    unsigned i = chance(pool->busy);
    if (dies) pool->queued += model->jobs[i] - 1;
    if (!dies && --model->jobs[i] > 0) return;
    model->jobs[i] = model->jobs[--pool->busy];
    pool->idle += !dies;
}

static void something_happens(struct model *model)
{
    struct pb_dispatch *pool = &model->view;
    switch (chance(8)) {
    case 0: pool->queued += pool->closing ? 0 : chance(9); break;
    case 1: if (pool->starting) pool->starting--, pool->idle++; break;
    case 2: end_jobs(model, false); break;
    case 3: end_jobs(model, true); break;
    case 4: if (pool->starting) pool->starting--; break;
    case 5: if (pool->idle) pool->idle--; break;
    case 6: pool->may_start = !once_in(3); break;
    case 7: pool->spares = chance(3); break;
    }
    update(model);
}

START_TEST(random_pools_keep_the_rules)
{
    chance_begin(3);
    for (size_t life = 0, lives = chance_steps() / 200; life < lives; life++) {
        struct model model = {.view = {.max_workers = 1 + chance(6), .may_start = true, .may_drop = once_in(2)}};
        const struct pb_dispatch *pool = &model.view;
        for (int i = 0; i < 200; i++) {
            if (i == 150) model.view.closing = true;
            something_happens(&model);
            enum pb_action action;
            int turns = 0;
            while ((action = pb_dispatch_next(pool)) != PB_REST) {
                perform(&model, action);
                must(++turns < 10000);
            }
            must(pool->busy <= pool->max_workers);
            bool idle = pool->idle && pool->busy < pool->max_workers;
            must(!idle || (!pool->queued && !pool->ahead)); /* at rest no job waits beside an idle worker */
            must(workers_of(pool) <= pool->max_workers + pool->spares || !pool->idle);
            bool room = workers_of(pool) < pool->max_workers && pool->starting < pool->queued;
            must(!room || !pool->may_start);
            bool lacking = pool->idle + pool->starting < pool->spares && !pool->closing;
            must(!lacking || !pool->may_start || workers_of(pool) >= pool->max_workers + pool->spares);
            must(!pool->queued || !pool->open || pool->busy < pool->max_workers);
            must(!pool->closing || pool->queued || !pool->idle);
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
    tcase_add_test(tests, workers_above_the_number_there_may_be_go_when_they_are_idle);
    tcase_add_test(tests, idle_workers_go_when_no_more_jobs_will_come);
    tcase_add_test(tests, a_worker_that_is_still_starting_is_not_waited_for_at_the_end);
    tcase_add_test(tests, a_spare_is_started_without_a_job_for_it);
    tcase_add_test(tests, any_worker_without_a_job_is_a_spare);
    tcase_add_test(tests, a_spare_is_given_no_job_while_the_others_are_busy);
    tcase_add_test(tests, jobs_are_shipped_before_a_spare_is_started);
    tcase_add_test(tests, while_backing_off_jobs_are_assigned_but_no_worker_is_started);
    tcase_add_test(tests, when_all_workers_are_busy_a_job_is_shipped_behind_another);
    tcase_add_test(tests, nothing_is_shipped_behind_another_while_there_is_a_worker_for_it);
    tcase_add_test(tests, an_idle_worker_is_given_what_was_shipped_behind_others);
    tcase_add_test(tests, the_window_is_wide_for_short_jobs_only);
    tcase_add_test(tests, jobs_are_moved_when_they_would_wait_for_long);
    tcase_add_test(tests, random_pools_keep_the_rules);
    tcase_add_test(tests, each_failed_start_in_a_row_waits_longer_up_to_a_bound);
    return suite;
}
