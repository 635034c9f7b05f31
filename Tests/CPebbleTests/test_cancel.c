/* SPDX-License-Identifier: Apache-2.0
 * Cancelling jobs. */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

START_TEST(a_running_job_can_be_cancelled)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_hang, order_in(&scene, 0));
    int64_t pid = hear(&scene);
    ck_assert(pebble_future_running(future));
    ck_assert_int_eq(pebble_future_cancel(future), PEBBLE_CANCEL_WAS_RUNNING);
    ck_assert(!pebble_future_running(future));
    const struct pebble_outcome *outcome = pebble_future_outcome(future);
    ck_assert_ptr_nonnull(outcome); /* from this moment on */
    ck_assert_int_eq(outcome->status, PEBBLE_CANCELLED);
    ck_assert(outcome->started);
    ck_assert_int_eq(outcome->pid, pid);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(a_worker_is_replaced_after_a_cancel)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_hang, order_in(&scene, 0));
    int64_t before = hear(&scene);
    pebble_future_cancel(future);
    pebble_future_unref(future);
    ck_assert_int_ne(run(pool, job_pid), before);
    close_pool(pool);
}
END_TEST

START_TEST(wait_gone_waits_until_the_process_is_gone)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_resist, order_in(&scene, 0));
    int process = watch_process((pid_t)hear(&scene));
    ck_assert_int_eq(pebble_future_wait_gone(future, 10 * MILLISECOND), -ETIMEDOUT);
    ck_assert_int_eq(pebble_future_wait_gone(future, -1), -EINVAL);
    pebble_future_cancel(future);
    wait_gone(future);
    ck_assert(!alive(process));
    expect_dead(process);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(a_cancelled_waiting_job_never_runs)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *before = schedule_order(pool, job_meet, order_in(&scene, 0));
    hear(&scene);
    static pebble_future *futures[1000];
    for (int i = 0; i < 1000; i++)
        futures[i] = schedule_order(pool, job_count, order_in(&scene, 0));
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(pebble_future_cancel(futures[i]), PEBBLE_CANCEL_NEVER_STARTED);
    let_go(&scene, 0);
    expect_and_drop(before, PEBBLE_SUCCESS);
    for (int i = 0; i < 1000; i++) {
        ck_assert(!expect(futures[i], PEBBLE_CANCELLED)->started);
        pebble_future_unref(futures[i]);
    }
    expect_and_drop(schedule(pool, job_nothing), PEBBLE_SUCCESS);
    ck_assert_uint_eq(statistics_of(pool).killed, 0);
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 0);
}
END_TEST

START_TEST(a_job_cancelled_at_once_runs_wholly_or_never)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    long may_have_run = 0;
    for (int i = 0; i < 100; i++) {
        pebble_future *future = schedule_order(pool, job_count, order_in(&scene, 0));
        may_have_run += pebble_future_cancel(future) != PEBBLE_CANCEL_NEVER_STARTED;
        pebble_future_unref(future);
    }
    close_pool(pool);
    ck_assert_int_le(scene.board->count, may_have_run);
}
END_TEST

START_TEST(a_done_job_cannot_be_cancelled)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_nothing);
    expect(future, PEBBLE_SUCCESS);
    ck_assert_int_eq(pebble_future_cancel(future), PEBBLE_CANCEL_TOO_LATE);
    ck_assert_int_eq(pebble_future_outcome(future)->status, PEBBLE_SUCCESS);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(a_job_is_cancelled_once)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_hang);
    ck_assert_int_ne(pebble_future_cancel(future), PEBBLE_CANCEL_TOO_LATE);
    ck_assert_int_eq(pebble_future_cancel(future), PEBBLE_CANCEL_TOO_LATE);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(a_cancel_harms_no_other_job)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 2);
    pebble_future *steady = schedule_order(pool, job_meet, order_in(&scene, 0));
    int64_t pid = hear(&scene);
    for (int i = 0; i < 10; i++) {
        pebble_future *future = schedule_order(pool, job_hang, order_in(&scene, 0));
        hear(&scene);
        pebble_future_cancel(future);
        pebble_future_unref(future);
    }
    let_go(&scene, 0);
    ck_assert_int_eq(number_from(steady), pid);
    close_pool(pool);
}
END_TEST

START_TEST(a_job_can_be_cancelled_while_its_input_is_sent)
{
    size_t length = 64 << 20;
    void *data = calloc(1, length);
    pebble_pool *pool = pool_with(_i, 1);
    for (int i = 0; i < 10; i++) {
        pebble_future *future = schedule_bytes(pool, job_echo, data, length);
        if (i % 2) run(pool, job_pid); /* behind it, so it was begun */
        pebble_future_cancel(future);
        expect(future, i % 2 ? PEBBLE_SUCCESS : PEBBLE_CANCELLED);
        wait_gone(future);
        pebble_future_unref(future);
    }
    free(data);
    close_pool(pool);
}
END_TEST

START_TEST(a_dropped_future_does_not_stop_its_job)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future_unref(schedule_order(pool, job_meet, order_in(&scene, 0)));
    pebble_future_unref(schedule_order(pool, job_count, order_in(&scene, 0)));
    hear(&scene);
    let_go(&scene, 0);
    close_pool(pool);
    ck_assert_int_eq(scene.board->count, 1);
}
END_TEST

/* --- cancel against completion --- */

#define ROUNDS 3000

struct race {
    atomic_int callbacks;
    atomic_int seen;
    enum pebble_status expected;
};

static void note(pebble_future *future, void *arg)
{
    struct race *race = arg;
    race->seen = (int)pebble_future_outcome(future)->status;
    atomic_fetch_add(&race->callbacks, 1);
}

static void spin(int turns)
{
    for (volatile int i = 0; i < turns; i++)
        continue;
}

START_TEST(a_cancel_that_races_with_the_end_leaves_one_outcome)
{
    static struct race races[ROUNDS];
    pebble_pool *pool = pool_with(_i, 2);
    int killed = 0, rounds = _i == PEBBLE_SPAWN ? ROUNDS / 10 : ROUNDS;
    run(pool, job_pid);
    for (int i = 0; i < rounds; i++) {
        pebble_future *future = schedule(pool, job_nothing);
        ck_assert_int_eq(pebble_future_on_done(future, note, &races[i]), 0);
        spin((i * 37) % 20000);
        enum pebble_cancellation found = pebble_future_cancel(future);
        enum pebble_status status = outcome_of(future)->status;
        ck_assert_int_eq(status, found == PEBBLE_CANCEL_TOO_LATE ? PEBBLE_SUCCESS : PEBBLE_CANCELLED);
        killed += found == PEBBLE_CANCEL_WAS_RUNNING;
        races[i].expected = status;
        pebble_future_unref(future);
    }
    expect_and_drop(schedule(pool, job_nothing), PEBBLE_SUCCESS);
    ck_assert_uint_le(statistics_of(pool).killed, (unsigned)killed);
    ck_assert_uint_eq(statistics_of(pool).expired, 0);
    close_pool(pool);
    for (int i = 0; i < rounds; i++)
        ck_assert(races[i].callbacks == 1 && races[i].seen == (int)races[i].expected);
}
END_TEST

static void *cancel(void *arg)
{
    return (void *)(uintptr_t)pebble_future_cancel(arg);
}

START_TEST(of_many_cancels_at_once_one_succeeds)
{
    pebble_pool *pool = pool_with(_i, 1);
    for (int i = 0; i < 50; i++) {
        pthread_t threads[4];
        pebble_future *future = schedule(pool, job_hang);
        int succeeded = 0;
        for (int k = 0; k < 4; k++)
            pthread_create(&threads[k], NULL, cancel, future);
        for (int k = 0; k < 4; k++) {
            void *found;
            pthread_join(threads[k], &found);
            succeeded += (uintptr_t)found != PEBBLE_CANCEL_TOO_LATE;
        }
        ck_assert_int_eq(succeeded, 1);
        expect_and_drop(future, PEBBLE_CANCELLED);
    }
    close_pool(pool);
}
END_TEST

Suite *cancel_suite(void)
{
    Suite *suite = suite_create("cancel");
    TCase *tests = group(suite, "cancel", 60);
    both(tests, a_running_job_can_be_cancelled);
    both(tests, a_worker_is_replaced_after_a_cancel);
    both(tests, wait_gone_waits_until_the_process_is_gone);
    both(tests, a_cancelled_waiting_job_never_runs);
    both(tests, a_job_cancelled_at_once_runs_wholly_or_never);
    both(tests, a_done_job_cannot_be_cancelled);
    both(tests, a_job_is_cancelled_once);
    both(tests, a_cancel_harms_no_other_job);
    both(tests, a_job_can_be_cancelled_while_its_input_is_sent);
    both(tests, a_dropped_future_does_not_stop_its_job);
    both(tests, a_cancel_that_races_with_the_end_leaves_one_outcome);
    both(tests, of_many_cancels_at_once_one_succeeds);
    return suite;
}
