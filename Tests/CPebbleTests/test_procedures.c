/* SPDX-License-Identifier: Apache-2.0
 * Initializers and finalizers of workers. */
#include "support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char what_was_set[32];

static int set_up(pebble_call *call)
{
    size_t length;
    const char *text = pebble_call_input(call, &length);
    memcpy(what_was_set, text, length);
    return 0;
}

static int tell_what_was_set(pebble_call *call)
{
    return pebble_call_write(call, what_was_set, strlen(what_was_set));
}

static pebble_pool *pool_set_up_by(int method, pebble_function initializer, const void *input, size_t length)
{
    return pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                .start_method = (enum pebble_start_method)method,
                                                .initializer = {initializer, input, length}});
}

START_TEST(jobs_see_what_the_initializer_did)
{
    char text[] = "set up";
    pebble_pool *pool = pool_set_up_by(_i, set_up, text, strlen(text));
    memset(text, 'x', sizeof text - 1); /* it was copied */
    pebble_future *future = schedule(pool, tell_what_was_set);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    ck_assert_uint_eq(outcome->length, 6);
    ck_assert_mem_eq(outcome->data, "set up", 6);
    ck_assert_str_eq(what_was_set, ""); /* here it did nothing */
    pebble_future_unref(future);
    struct pebble_pool_statistics statistics = statistics_of(pool);
    ck_assert_uint_eq(statistics.done, 1);
    ck_assert_uint_eq(statistics.running, 0);
    close_pool(pool);
}
END_TEST

START_TEST(every_worker_is_set_up)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                             .max_tasks = 1,
                                                             .spare_workers = PEBBLE_NO_SPARES,
                                                             .start_method = (enum pebble_start_method)_i,
                                                             .initializer = {job_count, &order, sizeof order}});
    for (long n = 1; n <= 5; n++) {
        run(pool, job_pid);
        ck_assert_int_ge(scene.board->count, n);
    }
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 5);
    scene_close(&scene);
}
END_TEST

static char large[1 << 20];

static int check_large(pebble_call *call)
{
    size_t length;
    const char *bytes = pebble_call_input(call, &length);
    if (length != sizeof large) return 1;
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != (char)i) return 2;
    return 0;
}

START_TEST(an_initializer_may_have_a_large_input)
{
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)i;
    pebble_pool *pool = pool_set_up_by(_i, check_large, large, sizeof large);
    run(pool, job_pid);
    close_pool(pool);
}
END_TEST

/* All of several jobs are told why there is no worker for them. Gives the pool back. */
static void all_are_refused(pebble_pool *pool, void (*check)(const struct pebble_outcome *))
{
    pebble_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = schedule(pool, job_pid);
    for (int i = 0; i < 3; i++) {
        const struct pebble_outcome *outcome = expect(futures[i], PEBBLE_NOT_RUN);
        ck_assert_int_eq(outcome->cause, PEBBLE_CAUSE_INITIALIZER);
        ck_assert(!outcome->started);
        check(outcome);
        pebble_future_unref(futures[i]);
    }
    ck_assert_uint_le(statistics_of(pool).started, 6); /* never hot */
    close_pool(pool);
}

static void says_sorry(const struct pebble_outcome *outcome)
{
    ck_assert_int_eq(outcome->code, 7);
    ck_assert_uint_eq(outcome->length, 5);
    ck_assert_mem_eq(outcome->data, "sorry", 5);
}

START_TEST(jobs_are_told_what_a_failing_initializer_said)
{
    all_are_refused(pool_set_up_by(_i, job_fail, NULL, 0), says_sorry);
}
END_TEST

static int job_abort(pebble_call *call)
{
    (void)call;
    raise(SIGABRT);
    return 0;
}

static void says_sigabrt(const struct pebble_outcome *outcome)
{
    ck_assert_int_eq(outcome->exit_signal, SIGABRT);
    ck_assert_int_gt(outcome->pid, 0);
}

START_TEST(jobs_are_told_how_a_worker_died_in_its_initializer)
{
    all_are_refused(pool_set_up_by(_i, job_abort, NULL, 0), says_sigabrt);
}
END_TEST

static void says_timed_out(const struct pebble_outcome *outcome)
{
    ck_assert_int_eq(outcome->error, ETIMEDOUT);
}

START_TEST(an_initializer_that_hangs_is_ended)
{
    all_are_refused(pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                         .start_method = (enum pebble_start_method)_i,
                                                         .start_timeout = 2 * SECOND,
                                                         .initializer = {.function = job_resist}}),
                    says_timed_out);
}
END_TEST

static int fail_once(pebble_call *call)
{
    struct board *board = board_of(order_of(call));
    return atomic_fetch_add(&board->count, 1) == 0;
}

START_TEST(a_failed_initializer_is_tried_again)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = pool_set_up_by(_i, fail_once, &order, sizeof order);
    run(pool, job_pid);
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 2);
    scene_close(&scene);
}
END_TEST

START_TEST(a_pool_can_be_stopped_in_its_initializer)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = pool_set_up_by(_i, job_hang, &order, sizeof order);
    pebble_future *future = schedule(pool, job_pid);
    int process = watch_process((pid_t)hear(&scene));
    pebble_pool_stop(pool);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_NOT_RUN);
    ck_assert_int_eq(outcome->cause, PEBBLE_CAUSE_STOPPED);
    pebble_future_unref(future);
    stop_pool(pool);
    expect_dead(process);
    scene_close(&scene);
}
END_TEST

static pebble_pool *pool_ended_by(int method, pebble_function finalizer, const struct order *order, uint64_t max_tasks)
{
    return pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                .max_tasks = max_tasks,
                                                .spare_workers = PEBBLE_NO_SPARES,
                                                .start_method = (enum pebble_start_method)method,
                                                .finalizer = {finalizer, order, sizeof *order}});
}

START_TEST(a_finalizer_runs_as_the_pool_is_closed)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = pool_ended_by(_i, job_count, &order, 0);
    run(pool, job_pid);
    run(pool, job_pid);
    ck_assert_int_eq(scene.board->count, 0);
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 1);
    scene_close(&scene);
}
END_TEST

START_TEST(a_finalizer_runs_in_each_worker_that_has_done_its_tasks)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = pool_ended_by(_i, job_count, &order, 2);
    for (int i = 0; i < 6; i++)
        run(pool, job_pid);
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 3);
    scene_close(&scene);
}
END_TEST

START_TEST(a_finalizer_does_not_run_in_a_worker_that_is_killed)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = pool_ended_by(_i, job_count, &order, 0);
    expect_and_drop(schedule_limited(pool, job_hang, order,
                                     (struct pebble_job_options){.timeout = 50 * MILLISECOND}),
                    PEBBLE_TIMEOUT);
    run(pool, job_pid);
    stop_pool(pool);
    ck_assert_int_eq(scene.board->count, 0);
    scene_close(&scene);
}
END_TEST

START_TEST(a_finalizer_cannot_keep_the_pool_from_its_rest)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = pool_ended_by(_i, job_resist, &order, 0);
    run(pool, job_pid);
    close_pool(pool); /* within PATIENCE: a leaving worker has three seconds */
    scene_close(&scene);
}
END_TEST

START_TEST(a_procedure_must_be_a_function_of_the_program)
{
    pebble_pool *pool;
    char *somewhere = malloc(1);
    struct pebble_pool_config config = {0};
    memcpy(&config.initializer.function, &somewhere, sizeof somewhere);
    ck_assert_int_eq(pebble_pool_new(&config, &pool), -EFAULT);
    config = (struct pebble_pool_config){.max_payload = 10, .finalizer = {job_echo, large, 11}};
    ck_assert_int_eq(pebble_pool_new(&config, &pool), -EFBIG);
    free(somewhere);
}
END_TEST

Suite *procedures_suite(void)
{
    Suite *suite = suite_create("procedures");
    TCase *tests = group(suite, "procedures", 60);
    both(tests, jobs_see_what_the_initializer_did);
    both(tests, every_worker_is_set_up);
    both(tests, an_initializer_may_have_a_large_input);
    both(tests, jobs_are_told_what_a_failing_initializer_said);
    both(tests, jobs_are_told_how_a_worker_died_in_its_initializer);
    both(tests, an_initializer_that_hangs_is_ended);
    both(tests, a_failed_initializer_is_tried_again);
    both(tests, a_pool_can_be_stopped_in_its_initializer);
    both(tests, a_finalizer_runs_as_the_pool_is_closed);
    both(tests, a_finalizer_runs_in_each_worker_that_has_done_its_tasks);
    both(tests, a_finalizer_does_not_run_in_a_worker_that_is_killed);
    both(tests, a_finalizer_cannot_keep_the_pool_from_its_rest);
    tcase_add_test(tests, a_procedure_must_be_a_function_of_the_program);
    return suite;
}
