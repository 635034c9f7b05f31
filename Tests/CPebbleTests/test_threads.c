/* SPDX-License-Identifier: Apache-2.0
 * Pools of threads. */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pebble_pool *threads_of(struct pebble_thread_pool_config config)
{
    pebble_pool *pool;
    ck_assert_int_eq(pebble_thread_pool_new(&config, &pool), 0);
    return pool;
}

static pebble_pool *threads(unsigned count)
{
    return threads_of((struct pebble_thread_pool_config){.max_workers = count});
}

static int job_thread(pebble_call *call)
{
    return reply_number(call, gettid());
}

static int job_meet_in_thread(pebble_call *call)
{
    tell(order_of(call), gettid());
    await_go(order_of(call));
    return reply_number(call, gettid());
}

/* Runs until nobody wants it any more, and counts then. */
static int job_until_unwanted(pebble_call *call)
{
    struct board *board = board_of(order_of(call));
    tell(order_of(call), gettid());
    while (!pebble_call_cancelled(call))
        sched_yield();
    if (pebble_job_cancelled()) atomic_fetch_add(&board->count, 1);
    return 0;
}

/* --- jobs --- */

START_TEST(a_job_runs_on_a_thread_of_this_process)
{
    pebble_pool *pool = threads(1);
    ck_assert_int_eq(run(pool, job_pid), getpid());
    int64_t thread = run(pool, job_thread);
    ck_assert_int_ne(thread, gettid());
    ck_assert(!pebble_in_worker());
    pebble_future *future = schedule(pool, job_nothing);
    ck_assert_int_eq(expect(future, PEBBLE_SUCCESS)->pid, thread);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(many_jobs_give_each_its_own_value)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = threads(3);
    enum { JOBS = 2000 };
    static pebble_future *futures[JOBS];
    for (int i = 0; i < JOBS; i++)
        futures[i] = schedule_order(pool, job_number, order_in(&scene, i));
    for (int i = 0; i < JOBS; i++)
        ck_assert_int_eq(number_from(futures[i]), i);
    ck_assert_uint_eq(statistics_of(pool).done, JOBS);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(an_error_keeps_its_code_and_harms_no_other_job)
{
    pebble_pool *pool = threads(1);
    pebble_future *future = schedule(pool, job_fail);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_FAILURE);
    ck_assert_int_eq(outcome->code, 7);
    ck_assert_mem_eq(outcome->data, "sorry", 5);
    pebble_future_unref(future);
    run(pool, job_thread);
    close_pool(pool);
}
END_TEST

START_TEST(two_threads_are_two)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = threads(2);
    pebble_future *first = schedule_order(pool, job_meet_in_thread, order_in(&scene, 0));
    pebble_future *second = schedule_order(pool, job_meet_in_thread, order_in(&scene, 0));
    ck_assert_int_ne(hear(&scene), hear(&scene));
    let_go(&scene, 0);
    let_go(&scene, 0);
    ck_assert_int_ne(number_from(first), number_from(second));
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_thread_is_replaced_after_max_tasks)
{
    pebble_pool *pool = threads_of((struct pebble_thread_pool_config){.max_workers = 1, .max_tasks = 2});
    for (int i = 0; i < 4; i++)
        run(pool, job_thread); /* a thread's number may come again: how many there were is what counts */
    ck_assert_uint_eq(statistics_of(pool).started, 2);
    close_pool(pool);
}
END_TEST

START_TEST(large_data_makes_the_round_trip)
{
    pebble_pool *pool = threads(1);
    size_t length = 100 << 20;
    char *bytes = malloc(length);
    memset(bytes, 7, length);
    pebble_future *future = schedule_bytes(pool, job_echo, bytes, length);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    ck_assert_uint_eq(outcome->length, length);
    ck_assert_mem_eq(outcome->data, bytes, length);
    pebble_future_unref(future);
    free(bytes);
    close_pool(pool);
}
END_TEST

START_TEST(a_payload_above_its_bound_is_refused)
{
    pebble_pool *pool = threads_of((struct pebble_thread_pool_config){.max_payload = 4});
    pebble_future *future;
    ck_assert_int_eq(pebble_pool_schedule(pool, job_echo, "12345", 5, NULL, &future), -EFBIG);
    future = schedule(pool, job_thread);
    ck_assert_int_eq(expect(future, PEBBLE_FAILURE)->code, -EFBIG);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(a_pointer_stays_one)
{
    pebble_pool *pool = threads(1);
    int number = 5, *place = &number;
    pebble_future *future = schedule_bytes(pool, job_echo, &place, sizeof place);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    memcpy(&place, outcome->data, sizeof place);
    ck_assert_int_eq(*place, 5);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

/* --- limits, cancel --- */

START_TEST(a_queued_job_that_is_cancelled_never_runs)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = threads(1);
    pebble_future *running = schedule_order(pool, job_meet_in_thread, order_in(&scene, 0));
    hear(&scene);
    pebble_future *waiting = schedule_order(pool, job_count, order_in(&scene, 0));
    ck_assert_int_eq(pebble_future_cancel(waiting), PEBBLE_CANCEL_NEVER_STARTED);
    expect_and_drop(waiting, PEBBLE_CANCELLED);
    let_go(&scene, 0);
    expect_and_drop(running, PEBBLE_SUCCESS);
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 0);
    scene_close(&scene);
}
END_TEST

/* Its outcome is there at once; its function learns of it, and wait_gone waits for that. */
static void ends_unwanted(pebble_future *future, enum pebble_status status, struct scene *scene)
{
    const struct pebble_outcome *outcome = expect(future, status);
    ck_assert(outcome->started);
    wait_gone(future);
    ck_assert_int_eq(scene->board->count, 1);
    pebble_future_unref(future);
}

START_TEST(a_running_job_that_is_cancelled_is_told)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = threads(1);
    pebble_future *future = schedule_order(pool, job_until_unwanted, order_in(&scene, 0));
    hear(&scene);
    ck_assert(pebble_future_running(future));
    ck_assert_int_eq(pebble_future_cancel(future), PEBBLE_CANCEL_WAS_RUNNING);
    ck_assert_int_eq(pebble_future_cancel(future), PEBBLE_CANCEL_TOO_LATE);
    ends_unwanted(future, PEBBLE_CANCELLED, &scene);
    run(pool, job_thread);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_job_over_its_timeout_is_told)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = threads(1);
    ends_unwanted(schedule_limited(pool, job_until_unwanted, order_in(&scene, 0),
                                   (struct pebble_job_options){.timeout = 20 * MILLISECOND}),
                  PEBBLE_TIMEOUT, &scene);
    ck_assert_uint_eq(statistics_of(pool).started, 1); /* the thread went on */
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_job_over_its_queue_timeout_never_runs)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = threads(1);
    pebble_future *running = schedule_order(pool, job_meet_in_thread, order_in(&scene, 0));
    hear(&scene);
    expect_and_drop(schedule_limited(pool, job_count, order_in(&scene, 0),
                                     (struct pebble_job_options){.queue_timeout = 20 * MILLISECOND}),
                    PEBBLE_TIMEOUT);
    let_go(&scene, 0);
    expect_and_drop(running, PEBBLE_SUCCESS);
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 0);
    scene_close(&scene);
}
END_TEST

START_TEST(a_thread_is_taken_until_its_function_returns)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = threads(1);
    pebble_future *future = schedule_order(pool, job_meet_in_thread, order_in(&scene, 0));
    hear(&scene);
    pebble_future_cancel(future);
    ck_assert_int_eq(pebble_future_wait_gone(future, 10 * MILLISECOND), -ETIMEDOUT);
    pebble_future *next = schedule_order(pool, job_tell, order_in(&scene, 0));
    ck_assert(silent(&scene));
    let_go(&scene, 0);
    hear(&scene);
    expect_and_drop(next, PEBBLE_SUCCESS);
    expect_and_drop(future, PEBBLE_CANCELLED);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

/* --- initializer and finalizer --- */

static _Thread_local int of_this_thread;

static int set_number(pebble_call *call)
{
    size_t length;
    memcpy(&of_this_thread, pebble_call_input(call, &length), sizeof of_this_thread);
    return 0;
}

static int job_number_of_thread(pebble_call *call)
{
    return reply_number(call, of_this_thread);
}

START_TEST(every_thread_is_set_up)
{
    int number = 42;
    pebble_pool *pool = threads_of((struct pebble_thread_pool_config){
        .max_workers = 1, .max_tasks = 1, .initializer = {set_number, &number, sizeof number}});
    number = 0; /* it was copied */
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(run(pool, job_number_of_thread), 42);
    close_pool(pool);
}
END_TEST

START_TEST(jobs_are_told_of_a_failing_initializer)
{
    pebble_pool *pool =
        threads_of((struct pebble_thread_pool_config){.max_workers = 2, .initializer = {.function = job_fail}});
    pebble_future *futures[] = {schedule(pool, job_thread), schedule(pool, job_thread)};
    for (int i = 0; i < 2; i++) {
        const struct pebble_outcome *outcome = expect(futures[i], PEBBLE_NOT_RUN);
        ck_assert_int_eq(outcome->cause, PEBBLE_CAUSE_INITIALIZER);
        ck_assert_int_eq(outcome->code, 7);
        ck_assert_mem_eq(outcome->data, "sorry", 5);
        pebble_future_unref(futures[i]);
    }
    close_pool(pool);
}
END_TEST

START_TEST(a_finalizer_runs_in_each_thread)
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pebble_pool *pool = threads_of((struct pebble_thread_pool_config){
        .max_workers = 1, .max_tasks = 2, .finalizer = {job_count, &order, sizeof order}});
    for (int i = 0; i < 4; i++)
        run(pool, job_thread);
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 2);
    scene_close(&scene);
}
END_TEST

/* --- life --- */

START_TEST(a_closed_pool_finishes_every_job)
{
    pebble_pool *pool = threads(2);
    pebble_future *futures[10];
    for (int i = 0; i < 10; i++)
        futures[i] = schedule(pool, job_thread);
    ck_assert(pebble_pool_active(pool));
    ck_assert_int_eq(pebble_pool_join(pool, 0), -EBUSY);
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    ck_assert(!pebble_pool_active(pool));
    pebble_future *more;
    ck_assert_int_eq(pebble_pool_schedule(pool, job_thread, NULL, 0, NULL, &more), -ESHUTDOWN);
    for (int i = 0; i < 10; i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
    pebble_pool_unref(pool);
}
END_TEST

START_TEST(a_stopped_pool_resolves_every_future)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = threads(1);
    pebble_future *running = schedule_order(pool, job_until_unwanted, order_in(&scene, 0)), *waiting[5];
    hear(&scene);
    for (int i = 0; i < 5; i++)
        waiting[i] = schedule_order(pool, job_count, order_in(&scene, 0));
    stop_pool(pool);
    expect_and_drop(running, PEBBLE_CANCELLED);
    for (int i = 0; i < 5; i++)
        expect_and_drop(waiting[i], PEBBLE_NOT_RUN);
    ck_assert_int_eq(scene.board->count, 1); /* the running one, as it ended */
    scene_close(&scene);
}
END_TEST

START_TEST(a_join_that_timed_out_can_be_followed_by_stop_and_join)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = threads(1);
    pebble_future *future = schedule_order(pool, job_until_unwanted, order_in(&scene, 0));
    hear(&scene);
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, 20 * MILLISECOND), -ETIMEDOUT);
    stop_pool(pool);
    expect_and_drop(future, PEBBLE_CANCELLED);
    scene_close(&scene);
}
END_TEST

static pebble_pool *own_pool;

static int job_stop_own_pool(pebble_call *call)
{
    (void)call;
    pebble_pool_stop(own_pool);
    return 0;
}

START_TEST(a_task_may_stop_its_pool)
{
    own_pool = threads(1);
    pebble_future *future = schedule(own_pool, job_stop_own_pool);
    const struct pebble_outcome *outcome = outcome_of(future);
    ck_assert(outcome->status == PEBBLE_SUCCESS || outcome->status == PEBBLE_CANCELLED); /* as the race goes */
    pebble_future_unref(future);
    ck_assert_int_eq(pebble_pool_join(own_pool, PATIENCE), 0);
    pebble_pool_unref(own_pool);
}
END_TEST

static atomic_int join_answer;

static int job_join_own_pool(pebble_call *call)
{
    (void)call;
    pebble_pool_close(own_pool);
    atomic_store(&join_answer, pebble_pool_join(own_pool, PATIENCE));
    return 0;
}

START_TEST(a_task_cannot_join_its_pool)
{
    own_pool = threads(1);
    expect_and_drop(schedule(own_pool, job_join_own_pool), PEBBLE_SUCCESS);
    ck_assert_int_eq(join_answer, -EDEADLK);
    close_pool(own_pool);
}
END_TEST

static void stop_in_callback(pebble_future *future, void *arg)
{
    atomic_store(&join_answer, (int)pebble_future_outcome(future)->status);
    pebble_pool_stop(arg);
}

START_TEST(a_callback_sees_the_outcome_and_may_stop_the_pool)
{
    pebble_pool *pool = threads(1);
    pebble_future *future = schedule(pool, job_fail);
    ck_assert_int_eq(pebble_future_on_done(future, stop_in_callback, pool), 0);
    expect_and_drop(future, PEBBLE_FAILURE);
    while (pebble_pool_join(pool, PATIENCE) == -EBUSY)
        sched_yield(); /* until the callback has stopped it */
    ck_assert_int_eq(join_answer, PEBBLE_FAILURE);
    ck_assert(!pebble_pool_active(pool));
    pebble_pool_unref(pool);
}
END_TEST

START_TEST(no_thread_and_no_descriptor_is_left)
{
    close_pool(threads(1)); /* what is made once */
    int threads_before = count_threads(), descriptors = count_descriptors();
    for (int i = 0; i < 20; i++) {
        pebble_pool *pool = threads(4);
        pebble_future *futures[8];
        for (int j = 0; j < 8; j++)
            futures[j] = schedule(pool, job_thread);
        for (int j = 0; j < 8; j++)
            expect_and_drop(futures[j], PEBBLE_SUCCESS);
        if (i % 2) close_pool(pool); else stop_pool(pool);
    }
    while (count_threads() > threads_before || count_descriptors() > descriptors)
        sched_yield(); /* the last lines of loop threads; the test's time is the bound */
}
END_TEST

START_TEST(an_unused_pool_can_be_joined)
{
    close_pool(threads(2));
    stop_pool(threads(2));
}
END_TEST

START_TEST(an_idle_thread_is_let_go)
{
    pebble_pool *pool = threads_of((struct pebble_thread_pool_config){.max_workers = 1, .idle_timeout = MILLISECOND});
    run(pool, job_thread);
    while (statistics_of(pool).workers)
        sched_yield();
    run(pool, job_thread);
    ck_assert_uint_eq(statistics_of(pool).started, 2);
    close_pool(pool);
}
END_TEST

START_TEST(a_pool_can_grow_and_shrink)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = threads(1);
    pebble_future *first = schedule_order(pool, job_meet_in_thread, order_in(&scene, 0));
    pebble_future *second = schedule_order(pool, job_meet_in_thread, order_in(&scene, 0));
    hear(&scene);
    ck_assert_int_eq(pebble_pool_resize(pool, 2), 0);
    hear(&scene);
    ck_assert_int_eq(pebble_pool_resize(pool, 1), 0);
    let_go(&scene, 0);
    let_go(&scene, 0);
    expect_and_drop(first, PEBBLE_SUCCESS);
    expect_and_drop(second, PEBBLE_SUCCESS);
    while (statistics_of(pool).workers > 1)
        sched_yield();
    run(pool, job_thread);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

/* Whether signals are blocked where it runs. */
static int job_mask(pebble_call *call)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return reply_number(call, sigismember(&mask, SIGTERM) && sigismember(&mask, SIGALRM));
}

START_TEST(signals_go_to_other_threads)
{
    pebble_pool *pool = threads(1);
    ck_assert_int_eq(run(pool, job_mask), 1);
    close_pool(pool);
}
END_TEST

static int job_with_threads(pebble_call *call)
{
    pebble_pool *pool;
    if (pebble_thread_pool_new(NULL, &pool) < 0) return 1;
    pebble_future *future;
    int rc = pebble_pool_schedule(pool, job_pid, NULL, 0, NULL, &future);
    if (rc < 0) return 2;
    pebble_future_wait(future, PEBBLE_FOREVER);
    const struct pebble_outcome *outcome = pebble_future_outcome(future);
    rc = pebble_call_write(call, outcome->data, outcome->length);
    pebble_future_unref(future);
    pebble_pool_close(pool);
    pebble_pool_join(pool, PEBBLE_FOREVER);
    pebble_pool_unref(pool);
    return rc;
}

START_TEST(a_job_in_a_process_may_have_threads)
{
    pebble_pool *pool = pool_with(_i, 1);
    int64_t pid = run(pool, job_pid);
    ck_assert_int_eq(run(pool, job_with_threads), pid);
    close_pool(pool);
}
END_TEST

#define CALLERS 4
#define ROUNDS 3000

static void *schedule_and_wait(void *arg)
{
    uint64_t state = (uintptr_t)&state | 1;
    for (int i = 0; i < ROUNDS; i++) {
        pebble_future *future;
        must(pebble_pool_schedule(arg, job_nothing, NULL, 0, NULL, &future) == 0);
        state = state * 6364136223846793005U + 1442695040888963407U;
        if (state >> 60 == 0) pebble_future_cancel(future);
        must(pebble_future_wait(future, PATIENCE) == 0);
        pebble_future_unref(future);
    }
    return NULL;
}

START_TEST(many_threads_may_use_one_pool)
{
    pebble_pool *pool = threads(3);
    pthread_t callers[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        ck_assert_int_eq(pthread_create(&callers[i], NULL, schedule_and_wait, pool), 0);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(callers[i], NULL);
    ck_assert_uint_eq(statistics_of(pool).done, CALLERS * ROUNDS);
    close_pool(pool);
}
END_TEST

Suite *threads_suite(void)
{
    Suite *suite = suite_create("threads");
    TCase *tests = group(suite, "threads", 60);
    tcase_add_test(tests, a_job_runs_on_a_thread_of_this_process);
    tcase_add_test(tests, many_jobs_give_each_its_own_value);
    tcase_add_test(tests, an_error_keeps_its_code_and_harms_no_other_job);
    tcase_add_test(tests, two_threads_are_two);
    tcase_add_test(tests, a_thread_is_replaced_after_max_tasks);
    tcase_add_test(tests, large_data_makes_the_round_trip);
    tcase_add_test(tests, a_payload_above_its_bound_is_refused);
    tcase_add_test(tests, a_pointer_stays_one);
    tcase_add_test(tests, a_queued_job_that_is_cancelled_never_runs);
    tcase_add_test(tests, a_running_job_that_is_cancelled_is_told);
    tcase_add_test(tests, a_job_over_its_timeout_is_told);
    tcase_add_test(tests, a_job_over_its_queue_timeout_never_runs);
    tcase_add_test(tests, a_thread_is_taken_until_its_function_returns);
    tcase_add_test(tests, every_thread_is_set_up);
    tcase_add_test(tests, jobs_are_told_of_a_failing_initializer);
    tcase_add_test(tests, a_finalizer_runs_in_each_thread);
    tcase_add_test(tests, a_closed_pool_finishes_every_job);
    tcase_add_test(tests, a_stopped_pool_resolves_every_future);
    tcase_add_test(tests, a_join_that_timed_out_can_be_followed_by_stop_and_join);
    tcase_add_test(tests, a_task_may_stop_its_pool);
    tcase_add_test(tests, a_task_cannot_join_its_pool);
    tcase_add_test(tests, a_callback_sees_the_outcome_and_may_stop_the_pool);
    tcase_add_test(tests, no_thread_and_no_descriptor_is_left);
    tcase_add_test(tests, an_unused_pool_can_be_joined);
    tcase_add_test(tests, an_idle_thread_is_let_go);
    tcase_add_test(tests, a_pool_can_grow_and_shrink);
    tcase_add_test(tests, signals_go_to_other_threads);
    both(tests, a_job_in_a_process_may_have_threads);
    tcase_add_test(tests, many_threads_may_use_one_pool);
    return suite;
}
