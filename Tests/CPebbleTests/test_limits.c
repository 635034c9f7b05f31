/* SPDX-License-Identifier: Apache-2.0
 * Limits of a job's running and waiting time. */
#include "support.h"

#include <signal.h>
#include <unistd.h>

/* A job that would never end, with a limit on its running time. */
static pebble_future *limited(pebble_pool *pool, pebble_function function, const struct scene *scene)
{
    return schedule_limited(pool, function, order_in(scene, 0),
                            (struct pebble_job_options){.timeout = 100 * MILLISECOND});
}

START_TEST(a_job_over_its_timeout_times_out)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = limited(pool, job_hang, &scene);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_TIMEOUT);
    ck_assert_int_eq(outcome->limit, PEBBLE_LIMIT_TIMEOUT);
    ck_assert_int_eq(outcome->limit_length, 100 * MILLISECOND);
    ck_assert_int_ge(outcome->run_time, 100 * MILLISECOND);
    ck_assert(outcome->started);
    ck_assert_int_eq(outcome->pid, hear(&scene));
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

static void killed_by_its_timeout(int method, pebble_function function)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(method, 1);
    int process = watch_process((pid_t)run(pool, job_pid)); /* before there is a limit, which may strike at once */
    pebble_future *future = limited(pool, function, &scene);
    expect(future, PEBBLE_TIMEOUT);
    wait_gone(future);
    ck_assert(!alive(process));
    pebble_future_unref(future);
    expect_dead(process);
    close_pool(pool);
}

START_TEST(a_job_that_ignores_signals_is_killed)
{
    killed_by_its_timeout(_i, job_resist);
}
END_TEST

START_TEST(a_busy_job_is_killed)
{
    killed_by_its_timeout(_i, job_spin);
}
END_TEST

static int job_stop_itself(pebble_call *call)
{
    tell(order_of(call), getpid());
    raise(SIGSTOP);
    return 0;
}

START_TEST(a_stopped_job_is_killed)
{
    killed_by_its_timeout(_i, job_stop_itself);
}
END_TEST

START_TEST(a_worker_is_replaced_after_a_timeout)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    int64_t before = run(pool, job_pid);
    expect_and_drop(limited(pool, job_hang, &scene), PEBBLE_TIMEOUT);
    ck_assert_int_ne(run(pool, job_pid), before);
    ck_assert_uint_eq(statistics_of(pool).killed, 1);
    close_pool(pool);
}
END_TEST

START_TEST(waiting_does_not_count_as_running)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *before = schedule_order(pool, job_nap, order_in(&scene, 300 * MILLISECOND));
    pebble_future *future = schedule_limited(pool, job_nothing, order_in(&scene, 0),
                                             (struct pebble_job_options){.timeout = 200 * MILLISECOND});
    expect_and_drop(before, PEBBLE_SUCCESS);
    expect_and_drop(future, PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

START_TEST(a_limit_ends_with_its_job)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    int64_t pid = run(pool, job_pid);
    for (int i = 0; i < 5; i++)
        expect_and_drop(schedule_limited(pool, job_nothing, order_in(&scene, 0),
                                         (struct pebble_job_options){.timeout = SECOND, .deadline = SECOND}),
                        PEBBLE_SUCCESS);
    expect_and_drop(schedule_order(pool, job_nap, order_in(&scene, 1200 * MILLISECOND)), PEBBLE_SUCCESS);
    ck_assert_int_eq(run(pool, job_pid), pid);
    close_pool(pool);
}
END_TEST

/* A job that waits behind one which does not end, with limits; its outcome must be PEBBLE_TIMEOUT. */
static void expires_waiting(int method, struct pebble_job_options options, enum pebble_limit limit)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(method, 1);
    pebble_future *before = schedule_order(pool, job_meet, order_in(&scene, 0));
    pebble_future *future = schedule_limited(pool, job_count, order_in(&scene, 0), options);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_TIMEOUT);
    ck_assert_int_eq(outcome->limit, limit);
    ck_assert_int_eq(outcome->limit_length, 50 * MILLISECOND);
    ck_assert_int_ge(outcome->wait_time, 50 * MILLISECOND);
    ck_assert(!outcome->started);
    ck_assert_int_eq(outcome->run_time, 0);
    ck_assert_int_eq(outcome->pid, 0);
    wait_gone(future);
    pebble_future_unref(future);
    let_go(&scene, 0);
    expect_and_drop(before, PEBBLE_SUCCESS);
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 0);
}

START_TEST(a_job_over_its_queue_timeout_never_runs)
{
    expires_waiting(_i, (struct pebble_job_options){.queue_timeout = 50 * MILLISECOND},
                    PEBBLE_LIMIT_QUEUE_TIMEOUT);
}
END_TEST

START_TEST(a_job_over_its_deadline_in_the_queue_never_runs)
{
    expires_waiting(_i, (struct pebble_job_options){.deadline = 50 * MILLISECOND}, PEBBLE_LIMIT_DEADLINE);
}
END_TEST

START_TEST(a_deadline_ends_a_running_job)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    run(pool, job_pid);
    pebble_future *future =
        schedule_limited(pool, job_hang, order_in(&scene, 0),
                         (struct pebble_job_options){.timeout = 10 * SECOND, .deadline = 100 * MILLISECOND});
    const struct pebble_outcome *outcome = expect(future, PEBBLE_TIMEOUT);
    ck_assert_int_eq(outcome->limit, PEBBLE_LIMIT_DEADLINE);
    ck_assert_int_ge(outcome->wait_time + outcome->run_time, 100 * MILLISECOND);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(a_queue_timeout_does_not_limit_the_running_time)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    run(pool, job_pid);
    expect_and_drop(schedule_limited(pool, job_nap, order_in(&scene, 1200 * MILLISECOND),
                                     (struct pebble_job_options){.queue_timeout = SECOND}),
                    PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

START_TEST(a_limit_may_be_without_end)
{
    pebble_pool *pool = pool_with(_i, 1);
    expect_and_drop(schedule_limited(pool, job_nothing, (struct order){0},
                                     (struct pebble_job_options){.timeout = PEBBLE_FOREVER,
                                                                 .queue_timeout = PEBBLE_FOREVER,
                                                                 .deadline = PEBBLE_FOREVER}),
                    PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

START_TEST(a_negative_limit_is_refused)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = NULL;
    const struct pebble_job_options wrong[] = {{.timeout = -1}, {.queue_timeout = -1}, {.deadline = -1}};
    for (size_t i = 0; i < PB_COUNT(wrong); i++)
        ck_assert_int_eq(pebble_pool_schedule(pool, job_nothing, NULL, 0, &wrong[i], &future), -EINVAL);
    ck_assert_ptr_null(future);
    close_pool(pool);
}
END_TEST

START_TEST(jobs_of_another_worker_run_on_while_one_is_killed)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 2);
    int64_t pid = run(pool, job_pid);
    for (int i = 0; i < 5; i++) {
        pebble_future *steady = schedule_order(pool, job_meet, order_in(&scene, 0));
        int64_t keeper = hear(&scene);
        pebble_future *victim = limited(pool, job_resist, &scene);
        ck_assert_int_ne(hear(&scene), keeper);
        expect_and_drop(victim, PEBBLE_TIMEOUT);
        let_go(&scene, 0);
        ck_assert_int_eq(number_from(steady), keeper);
    }
    ck_assert_int_gt(pid, 0);
    close_pool(pool);
}
END_TEST

START_TEST(many_timeouts_at_once_are_each_their_own)
{
    pebble_pool *pool = pool_with(_i, 4);
    pebble_future *futures[40];
    for (int i = 0; i < 40; i++)
        futures[i] = schedule_limited(pool, i % 2 ? job_hang : job_nothing, (struct order){0},
                                      (struct pebble_job_options){.timeout = i % 2 ? 20 * MILLISECOND : 0});
    for (int i = 0; i < 40; i++) {
        expect(futures[i], i % 2 ? PEBBLE_TIMEOUT : PEBBLE_SUCCESS);
        wait_gone(futures[i]);
        pebble_future_unref(futures[i]);
    }
    ck_assert_uint_eq(statistics_of(pool).killed, 20);
    close_pool(pool);
}
END_TEST

Suite *limits_suite(void)
{
    Suite *suite = suite_create("limits");
    TCase *tests = group(suite, "limits", 60);
    both(tests, a_job_over_its_timeout_times_out);
    both(tests, a_job_that_ignores_signals_is_killed);
    both(tests, a_busy_job_is_killed);
    both(tests, a_stopped_job_is_killed);
    both(tests, a_worker_is_replaced_after_a_timeout);
    both(tests, waiting_does_not_count_as_running);
    both(tests, a_limit_ends_with_its_job);
    both(tests, a_job_over_its_queue_timeout_never_runs);
    both(tests, a_job_over_its_deadline_in_the_queue_never_runs);
    both(tests, a_deadline_ends_a_running_job);
    both(tests, a_queue_timeout_does_not_limit_the_running_time);
    both(tests, a_limit_may_be_without_end);
    both(tests, a_negative_limit_is_refused);
    both(tests, jobs_of_another_worker_run_on_while_one_is_killed);
    both(tests, many_timeouts_at_once_are_each_their_own);
    return suite;
}
