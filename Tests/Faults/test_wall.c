/* SPDX-License-Identifier: Apache-2.0
 * Times, while the wall clock jumps by hours whenever anybody asks it. A limit that
 * were measured by it would strike at once, or never. */
#include "faults.h"
#include "scenario.h"
#include "suites.h"
#include "support.h"
#include "wall.h"
#include "clock.h"

#include <string.h>

#define HOUR (3600 * SECOND)
#define SHORT (20 * MILLISECOND)

/* The clock of the test itself, which is not the library's. */
static int64_t now(void)
{
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return moment.tv_sec * SECOND + moment.tv_nsec;
}

/* Nobody has asked it; and the calls that could have are those that are counted. */
static void expect_no_wall(void)
{
    ck_assert_uint_eq(wall_uses(), 0);
    ck_assert_uint_gt(wall_monotonic_uses(), 0);
}

static void expect_limit(pebble_future *future, enum pebble_limit limit, int64_t begin)
{
    const struct pebble_outcome *outcome = expect(future, PEBBLE_TIMEOUT);
    ck_assert_int_eq(outcome->limit, limit);
    ck_assert_int_ge(outcome->wait_time + outcome->run_time, SHORT);
    ck_assert_int_le(outcome->wait_time + outcome->run_time, now() - begin);
    pebble_future_unref(future);
}

START_TEST(limits_strike_when_they_should_and_no_others)
{
    struct scene scene;
    faults_open();
    scene_open(&scene);
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                             .idle_timeout = HOUR,
                                                             .max_age = HOUR,
                                                             .start_timeout = HOUR,
                                                             .grace = HOUR,
                                                             .start_method = (enum pebble_start_method)_i});
    const struct pebble_job_options patient = {.timeout = HOUR, .queue_timeout = HOUR, .deadline = HOUR};
    int64_t begin = now();
    pebble_future *first = schedule_limited(pool, job_meet, order_in(&scene, 0), patient);
    pebble_future *behind = schedule_limited(pool, job_pid, (struct order){0}, patient);
    pebble_future *waits = schedule_limited(pool, job_pid, (struct order){0},
                                            (struct pebble_job_options){.queue_timeout = SHORT});
    pebble_future *late = schedule_limited(pool, job_pid, (struct order){0},
                                           (struct pebble_job_options){.deadline = SHORT});
    expect_limit(waits, PEBBLE_LIMIT_QUEUE_TIMEOUT, begin);
    expect_limit(late, PEBBLE_LIMIT_DEADLINE, begin);
    let_go(&scene, 0);
    int64_t pid = number_from(first);
    ck_assert_int_eq(number_from(behind), pid); /* which is neither old nor bored */
    close_pool(pool);
    scene_close(&scene);
    expect_no_wall();
}
END_TEST

START_TEST(a_job_is_over_its_limit_when_it_is)
{
    faults_open();
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = 2, .grace = SHORT, .start_method = (enum pebble_start_method)_i});
    int64_t begin = now();
    expect_limit(schedule_limited(pool, job_resist, (struct order){0}, (struct pebble_job_options){.timeout = SHORT}),
                 PEBBLE_LIMIT_TIMEOUT, begin);
    close_pool(pool); /* when the graces are over too */
    expect_no_wall();
}
END_TEST

START_TEST(a_worker_is_let_go_when_it_was_idle_for_so_long)
{
    faults_open();
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = 1, .idle_timeout = SHORT, .start_method = (enum pebble_start_method)_i});
    int process = watch_process((pid_t)run(pool, job_pid));
    expect_dead(process);
    close_pool(pool);
    expect_no_wall();
}
END_TEST

static void wait_slowly(pebble_future *future, void *arg)
{
    (void)future;
    ck_assert_int_eq(pebble_queue_put(arg, arg, HOUR), 0); /* until there is room */
}

START_TEST(waits_end_when_they_should)
{
    struct scene scene;
    faults_open();
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_queue *queue;
    ck_assert_int_eq(pebble_queue_new(1, NULL, &queue), 0);
    void *item;
    bool flag;
    ck_assert_int_eq(pebble_queue_get(queue, SHORT, &item), -ETIMEDOUT);
    ck_assert_int_eq(pebble_queue_put(queue, queue, 0), 0);

    pebble_future *job = schedule_order(pool, job_meet, order_in(&scene, 0));
    ck_assert_int_eq(pebble_future_on_done(job, wait_slowly, queue), 0);
    ck_assert_int_eq(pebble_future_wait(job, SHORT), -ETIMEDOUT);
    ck_assert_int_eq(pebble_wait_futures(&job, 1, 1, SHORT, &flag), 0);
    let_go(&scene, 0);
    ck_assert_int_eq(pebble_future_wait(job, HOUR), 0);
    pebble_future_unref(job);
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, SHORT), -ETIMEDOUT); /* its callback is still at it */
    ck_assert_int_eq(pebble_queue_get(queue, HOUR, &item), 0);
    ck_assert_int_eq(pebble_pool_join(pool, HOUR), 0);
    pebble_pool_unref(pool);
    pebble_queue_unref(queue);
    scene_close(&scene);
    expect_no_wall();
}
END_TEST

START_TEST(nothing_that_the_library_does_asks_the_wall_clock)
{
    faults_open();
    scenario_run(_i, NULL);
    expect_no_wall();
}
END_TEST

Suite *wall_suite(void)
{
    Suite *suite = suite_create("wall");
    TCase *tests = group(suite, "wall", 60);
    both(tests, limits_strike_when_they_should_and_no_others);
    both(tests, a_job_is_over_its_limit_when_it_is);
    both(tests, a_worker_is_let_go_when_it_was_idle_for_so_long);
    both(tests, waits_end_when_they_should);
    both(tests, nothing_that_the_library_does_asks_the_wall_clock);
    return suite;
}
