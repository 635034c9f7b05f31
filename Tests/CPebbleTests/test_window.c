/* SPDX-License-Identifier: Apache-2.0
 * Jobs that are shipped ahead, behind the one that runs: nobody can tell,
 * except that it is fast. */
#include "ledger.h"
#include "chance.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD 8

static pebble_future *ahead[AHEAD];

static void ship_ahead(struct stage *stage)
{
    for (int i = 0; i < AHEAD; i++) {
        ahead[i] = schedule_order(stage->pool, job_note, order_to_note(&stage->ledger, i));
        ck_assert(shipped(stage->pool, ahead[i]));
    }
}

static void end_the_long_job(struct stage *stage)
{
    let_go(&stage->scene, 0);
    ck_assert_int_eq(number_from(stage->running), stage->pid);
}

/* --- many short jobs --- */

static void many(int method, unsigned workers, int64_t count)
{
    pebble_pool *pool = pool_with(method, workers);
    pebble_future **futures = malloc((size_t)count * sizeof *futures);
    for (int64_t i = 0; i < count; i++)
        futures[i] = schedule_order(pool, job_number, (struct order){.number = i * 7});
    for (int64_t i = 0; i < count; i++)
        ck_assert_int_eq(number_from(futures[i]), i * 7);
    struct pebble_pool_statistics statistics = statistics_of(pool);
    ck_assert_uint_eq(statistics.done, (uint64_t)count);
    ck_assert_uint_eq(statistics.expired + statistics.killed + statistics.idle_deaths, 0);
    ck_assert_uint_le(statistics.started, workers);
    close_pool(pool);
    free(futures);
}

START_TEST(many_short_jobs_through_one_worker_are_all_answered)
{
    many(_i, 1, (int64_t)chance_steps() / 20);
}
END_TEST

START_TEST(many_short_jobs_through_two_workers_are_all_answered)
{
    many(_i, 2, (int64_t)chance_steps() / 20);
}
END_TEST

START_TEST(who_waits_for_one_short_job_after_another_is_always_woken)
{
    pebble_pool *pool = pool_with(_i, 1);
    int64_t pid = run(pool, job_pid);
    for (size_t i = 0; i < chance_steps() / 50; i++)
        ck_assert_int_eq(run(pool, job_pid), pid);
    close_pool(pool);
}
END_TEST

static void *wait_for_number(void *future)
{
    return (void *)(intptr_t)number_from(future);
}

START_TEST(who_waits_for_a_job_that_is_moved_is_woken_by_its_end)
{
    struct scene long_scene, short_scene;
    scene_open(&long_scene);
    scene_open(&short_scene);
    pebble_pool *pool = pool_with(_i, 2);
    pthread_t threads[AHEAD];
    make_brisk(pool);
    pebble_future *a = schedule_order(pool, job_meet, order_in(&long_scene, 0));
    pebble_future *b = schedule_order(pool, job_meet, order_in(&short_scene, 0));
    int64_t pid = hear(&long_scene);
    hear(&short_scene);
    for (int i = 0; i < AHEAD; i++)
        pthread_create(&threads[i], NULL, wait_for_number, schedule(pool, job_pid));
    let_go(&short_scene, 0);
    expect_and_drop(b, PEBBLE_SUCCESS);
    for (int i = 0; i < AHEAD; i++) {
        void *number;
        pthread_join(threads[i], &number);
        ck_assert_int_ne((intptr_t)number, pid);
    }
    let_go(&long_scene, 0);
    ck_assert_int_eq(number_from(a), pid);
    close_pool(pool);
}
END_TEST

/* Short jobs, one that takes long after all, and short ones behind it: many are with the worker, so it
 * need not ring for each answer. */
START_TEST(what_was_done_before_a_long_job_is_told_while_that_runs)
{
    struct stage stage;
    struct scene gate, second;
    pebble_future *first[AHEAD + 1], *behind[4 * AHEAD];
    set_stage(&stage, _i);
    scene_open(&gate);
    scene_open(&second);
    first[0] = schedule_order(stage.pool, job_meet, order_in(&gate, 0));
    for (int i = 1; i < AHEAD; i++)
        first[i] = schedule_order(stage.pool, job_note_often, order_to_note(&stage.ledger, i));
    first[AHEAD] = schedule_order(stage.pool, job_meet, order_in(&second, 0));
    for (int i = 0; i < 4 * AHEAD; i++)
        behind[i] = schedule_order(stage.pool, job_note, order_to_note(&stage.ledger, AHEAD + i));
    end_the_long_job(&stage);
    hear(&gate);
    let_go(&gate, 0);
    ck_assert_int_ge(pebble_wait_futures(first, AHEAD + 1, AHEAD, PEBBLE_FOREVER, NULL), AHEAD);
    ck_assert_ptr_null(pebble_future_outcome(first[AHEAD]));
    hear(&second);
    let_go(&second, 0);
    for (int i = 0; i <= AHEAD; i++)
        expect_and_drop(first[i], PEBBLE_SUCCESS);
    for (int i = 0; i < 4 * AHEAD; i++)
        expect_and_drop(behind[i], PEBBLE_SUCCESS);
    close_pool(stage.pool);
}
END_TEST

/* Inputs and replies of a size: both are as long as what is echoed. */
static size_t size_of_echo(int i)
{
    static const size_t sizes[] = {0, 1, 100, 5000, 32768, 32769, 70000, 130000, 131073, 300000, 3000000};
    return sizes[(i * 7 + i / 11) % (int)PB_COUNT(sizes)];
}

START_TEST(large_inputs_among_small_ones_keep_their_content)
{
    pebble_future *futures[1000];
    unsigned char *data = malloc(3000000);
    pebble_pool *pool = pool_with(_i, 2);
    make_brisk(pool);
    for (int i = 0; i < 1000; i++) {
        memset(data, i, size_of_echo(i));
        futures[i] = schedule_bytes(pool, job_echo, data, size_of_echo(i));
    }
    for (int i = 0; i < 1000; i++) {
        const struct pebble_outcome *outcome = expect(futures[i], PEBBLE_SUCCESS);
        ck_assert_uint_eq(outcome->length, size_of_echo(i));
        memset(data, i, outcome->length);
        ck_assert(outcome->length == 0 || memcmp(outcome->data, data, outcome->length) == 0);
        pebble_future_unref(futures[i]);
    }
    free(data);
    close_pool(pool);
}
END_TEST

/* The count of jobs that this process has run. */
static int job_age(pebble_call *call)
{
    static int64_t age;
    return reply_number(call, ++age);
}

START_TEST(no_worker_has_more_jobs_than_max_tasks)
{
    enum { JOBS = 10000 };
    static pebble_future *futures[JOBS];
    const int64_t most = _i == PEBBLE_SPAWN ? 90 : 30;
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = 2, .max_tasks = (uint64_t)most, .start_method = (enum pebble_start_method)_i});
    int64_t firsts = 0;
    for (int i = 0; i < JOBS; i++)
        futures[i] = schedule(pool, job_age);
    for (int i = 0; i < JOBS; i++) {
        int64_t age = number_from(futures[i]);
        ck_assert_int_le(age, most);
        firsts += age == 1;
    }
    ck_assert_int_ge(firsts, JOBS / most);
    ck_assert_uint_eq(statistics_of(pool).expired, 0);
    close_pool(pool);
}
END_TEST

/* --- behind a long job --- */

START_TEST(an_idle_worker_takes_what_waits_behind_a_long_job)
{
    struct scene long_scene, short_scene;
    scene_open(&long_scene);
    scene_open(&short_scene);
    pebble_pool *pool = pool_with(_i, 2);
    pebble_future *futures[2 * AHEAD];
    make_brisk(pool);
    pebble_future *a = schedule_order(pool, job_meet, order_in(&long_scene, 0));
    pebble_future *b = schedule_order(pool, job_meet, order_in(&short_scene, 0));
    int64_t pid = hear(&long_scene);
    hear(&short_scene);
    for (int i = 0; i < 2 * AHEAD; i++) {
        futures[i] = schedule(pool, job_pid);
        ck_assert(shipped(pool, futures[i]));
    }
    let_go(&short_scene, 0);
    expect_and_drop(b, PEBBLE_SUCCESS);
    for (int i = 0; i < 2 * AHEAD; i++)
        ck_assert_int_ne(number_from(futures[i]), pid);
    let_go(&long_scene, 0);
    ck_assert_int_eq(number_from(a), pid);
    close_pool(pool);
}
END_TEST

START_TEST(a_large_input_does_not_wait_behind_a_long_job)
{
    struct scene long_scene, short_scene;
    scene_open(&long_scene);
    scene_open(&short_scene);
    size_t length = 8 << 20;
    void *data = calloc(1, length);
    pebble_pool *pool = pool_with(_i, 2);
    pebble_future *futures[4];
    make_brisk(pool);
    pebble_future *a = schedule_order(pool, job_meet, order_in(&long_scene, 0));
    pebble_future *b = schedule_order(pool, job_meet, order_in(&short_scene, 0));
    int64_t pid = hear(&long_scene);
    hear(&short_scene);
    for (size_t i = 0; i < PB_COUNT(futures); i++)
        futures[i] = schedule_bytes(pool, job_echo, data, length);
    let_go(&short_scene, 0);
    expect_and_drop(b, PEBBLE_SUCCESS);
    for (size_t i = 0; i < PB_COUNT(futures); i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
    let_go(&long_scene, 0);
    ck_assert_int_eq(number_from(a), pid);
    free(data);
    close_pool(pool);
}
END_TEST

START_TEST(when_a_worker_dies_in_one_job_those_behind_it_run_elsewhere_once)
{
    struct stage stage;
    pebble_future *before[AHEAD];
    set_stage(&stage, _i);
    for (int i = 0; i < AHEAD / 2; i++)
        before[i] = schedule_order(stage.pool, job_note, order_to_note(&stage.ledger, 100 + i));
    pebble_future *killer = schedule_order(stage.pool, job_note_die, order_to_note(&stage.ledger, 99));
    for (int i = 0; i < AHEAD / 2; i++)
        ahead[i] = schedule_order(stage.pool, job_note, order_to_note(&stage.ledger, i));
    ck_assert(shipped(stage.pool, ahead[AHEAD / 2 - 1]));
    end_the_long_job(&stage);
    for (int i = 0; i < AHEAD / 2; i++)
        ck_assert_int_eq(number_from(before[i]), stage.pid);
    ck_assert_int_eq(expect(killer, PEBBLE_EXPIRED)->exit_signal, SIGKILL);
    ck_assert_int_eq(pebble_future_outcome(killer)->pid, stage.pid);
    for (int i = 0; i < AHEAD / 2; i++) {
        ck_assert_int_ne(number_from(ahead[i]), stage.pid);
        ck_assert_uint_eq(stage.ledger.ran[i], 1);
        ck_assert_uint_eq(stage.ledger.ran[100 + i], 1);
    }
    ck_assert_uint_eq(stage.ledger.ran[99], 1);
    pebble_future_unref(killer);
    close_pool(stage.pool);
}
END_TEST

START_TEST(stopping_a_pool_cancels_what_runs_and_never_begins_what_was_shipped_ahead)
{
    struct stage stage;
    set_stage(&stage, _i);
    ship_ahead(&stage);
    pebble_pool_stop(stage.pool);
    ck_assert(expect(stage.running, PEBBLE_CANCELLED)->started);
    for (int i = 0; i < AHEAD; i++) {
        const struct pebble_outcome *outcome = expect(ahead[i], PEBBLE_NOT_RUN);
        ck_assert_int_eq(outcome->cause, PEBBLE_CAUSE_STOPPED);
        ck_assert(!outcome->started);
        pebble_future_unref(ahead[i]);
    }
    stop_pool(stage.pool);
    for (int i = 0; i < AHEAD; i++)
        ck_assert_uint_eq(stage.ledger.ran[i], 0);
    pebble_future_unref(stage.running);
}
END_TEST

START_TEST(closing_a_pool_runs_what_was_shipped_ahead)
{
    struct stage stage;
    set_stage(&stage, _i);
    ship_ahead(&stage);
    pebble_pool_close(stage.pool);
    end_the_long_job(&stage);
    for (int i = 0; i < AHEAD; i++)
        ck_assert_int_eq(number_from(ahead[i]), stage.pid);
    close_pool(stage.pool);
}
END_TEST

Suite *window_suite(void)
{
    Suite *suite = suite_create("window");
    TCase *tests = group(suite, "window", 60);
    both(tests, many_short_jobs_through_one_worker_are_all_answered);
    both(tests, many_short_jobs_through_two_workers_are_all_answered);
    both(tests, who_waits_for_one_short_job_after_another_is_always_woken);
    both(tests, who_waits_for_a_job_that_is_moved_is_woken_by_its_end);
    both(tests, what_was_done_before_a_long_job_is_told_while_that_runs);
    both(tests, large_inputs_among_small_ones_keep_their_content);
    both(tests, no_worker_has_more_jobs_than_max_tasks);
    both(tests, an_idle_worker_takes_what_waits_behind_a_long_job);
    both(tests, a_large_input_does_not_wait_behind_a_long_job);
    both(tests, when_a_worker_dies_in_one_job_those_behind_it_run_elsewhere_once);
    both(tests, stopping_a_pool_cancels_what_runs_and_never_begins_what_was_shipped_ahead);
    both(tests, closing_a_pool_runs_what_was_shipped_ahead);
    return suite;
}
