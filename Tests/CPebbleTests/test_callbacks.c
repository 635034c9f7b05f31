/* SPDX-License-Identifier: Apache-2.0
 * Done callbacks. */
#include "support.h"

#include <pthread.h>
#include <string.h>

/* What a callback leaves for its test. */
struct notes {
    atomic_int calls;
    struct pebble_outcome outcome;
    int64_t number;
    pthread_t thread;
};

static void note(pebble_future *future, void *arg)
{
    struct notes *notes = arg;
    notes->outcome = *pebble_future_outcome(future);
    if (notes->outcome.length == sizeof notes->number)
        memcpy(&notes->number, notes->outcome.data, sizeof notes->number);
    notes->thread = pthread_self();
    atomic_fetch_add(&notes->calls, 1);
}

START_TEST(a_callback_sees_the_value)
{
    struct notes notes = {0};
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_number, (struct order){.number = 42});
    ck_assert_int_eq(pebble_future_on_done(future, note, &notes), 0);
    pebble_future_unref(future);
    close_pool(pool);
    ck_assert_int_eq(notes.calls, 1);
    ck_assert_int_eq(notes.outcome.status, PEBBLE_SUCCESS);
    ck_assert_int_eq(notes.number, 42);
}
END_TEST

START_TEST(a_callback_sees_the_error)
{
    struct notes notes = {0};
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_fail);
    pebble_future_on_done(future, note, &notes);
    close_pool(pool);
    ck_assert_int_eq(notes.outcome.status, PEBBLE_FAILURE);
    ck_assert_int_eq(notes.outcome.code, 7);
    pebble_future_unref(future);
}
END_TEST

START_TEST(a_callback_sees_the_timeout)
{
    struct notes notes = {0};
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_limited(pool, job_hang, (struct order){0},
                                             (struct pebble_job_options){.timeout = 20 * MILLISECOND});
    pebble_future_on_done(future, note, &notes);
    close_pool(pool);
    ck_assert_int_eq(notes.calls, 1);
    ck_assert_int_eq(notes.outcome.status, PEBBLE_TIMEOUT);
    pebble_future_unref(future);
}
END_TEST

START_TEST(a_callback_sees_the_cancel_of_a_running_job)
{
    struct notes notes = {0};
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_hang, order_in(&scene, 0));
    pebble_future_on_done(future, note, &notes);
    hear(&scene);
    pebble_future_cancel(future);
    close_pool(pool);
    ck_assert_int_eq(notes.calls, 1);
    ck_assert_int_eq(notes.outcome.status, PEBBLE_CANCELLED);
    ck_assert(notes.outcome.started);
    pebble_future_unref(future);
}
END_TEST

START_TEST(a_callback_sees_the_death_of_the_worker)
{
    struct notes notes = {0};
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_exit, (struct order){.number = 5});
    pebble_future_on_done(future, note, &notes);
    close_pool(pool);
    ck_assert_int_eq(notes.outcome.status, PEBBLE_EXPIRED);
    ck_assert_int_eq(notes.outcome.exit_code, 5);
    pebble_future_unref(future);
}
END_TEST

START_TEST(a_callback_runs_on_no_thread_of_the_caller)
{
    struct notes before = {0}, after = {0};
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_nothing);
    pebble_future_on_done(future, note, &before);
    expect(future, PEBBLE_SUCCESS);
    pebble_future_on_done(future, note, &after);
    close_pool(pool);
    ck_assert_int_eq(before.calls + after.calls, 2);
    ck_assert(!pthread_equal(before.thread, pthread_self()));
    ck_assert(!pthread_equal(after.thread, pthread_self()));
    pebble_future_unref(future);
}
END_TEST

START_TEST(an_inline_callback_runs_on_the_cancelling_thread)
{
    struct notes notes = {0}, late = {0};
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_hang);
    pebble_future_on_done_inline(future, note, &notes);
    pebble_future_cancel(future);
    ck_assert_int_eq(notes.calls, 1);
    ck_assert(pthread_equal(notes.thread, pthread_self()));
    pebble_future_on_done_inline(future, note, &late);
    ck_assert_int_eq(late.calls, 1);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

static char written[16], *place = written;

static void append(pebble_future *future, void *arg)
{
    (void)future;
    *place++ = *(const char *)arg;
}

START_TEST(callbacks_of_a_future_are_called_in_order)
{
    pebble_pool *pool = pool_with(_i, 1);
    struct scene scene;
    scene_open(&scene);
    pebble_future *future = schedule_order(pool, job_meet, order_in(&scene, 0));
    for (const char *letter = "abcd"; *letter; letter++)
        pebble_future_on_done(future, append, (void *)(uintptr_t)letter);
    let_go(&scene, 0);
    close_pool(pool);
    ck_assert_str_eq(written, "abcd");
    pebble_future_unref(future);
}
END_TEST

Suite *callbacks_suite(void)
{
    Suite *suite = suite_create("callbacks");
    TCase *tests = group(suite, "callbacks", 60);
    both(tests, a_callback_sees_the_value);
    both(tests, a_callback_sees_the_error);
    both(tests, a_callback_sees_the_timeout);
    both(tests, a_callback_sees_the_cancel_of_a_running_job);
    both(tests, a_callback_sees_the_death_of_the_worker);
    both(tests, a_callback_runs_on_no_thread_of_the_caller);
    both(tests, an_inline_callback_runs_on_the_cancelling_thread);
    both(tests, callbacks_of_a_future_are_called_in_order);
    return suite;
}
