/* SPDX-License-Identifier: Apache-2.0
 * Done callbacks. */
#include "support.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* What a callback leaves for its test. */
struct notes {
    atomic_int calls;
    struct pebble_outcome outcome;
    int64_t number;
    pthread_t thread;
    pebble_pool *pool;
    int pipe[2];
    int result;
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

static void block(pebble_future *future, void *arg)
{
    struct notes *notes = arg;
    char byte;
    (void)future;
    notes->result = (int)read(notes->pipe[0], &byte, 1);
}

START_TEST(a_blocking_callback_does_not_stall_the_pool)
{
    struct notes notes = {0};
    ck_assert_int_eq(pipe(notes.pipe), 0);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_nothing);
    pebble_future_on_done(future, block, &notes);
    for (int i = 0; i < 20; i++)
        ck_assert_int_gt(run(pool, job_pid), 0);
    expect_and_drop(schedule_limited(pool, job_hang, (struct order){0},
                                     (struct pebble_job_options){.timeout = 10 * MILLISECOND}),
                    PEBBLE_TIMEOUT);
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, 100 * MILLISECOND), -ETIMEDOUT); /* the callback has not returned */
    ck_assert_int_eq(write(notes.pipe[1], "x", 1), 1);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    ck_assert_int_eq(notes.result, 1);
    pebble_future_unref(future);
    pebble_pool_unref(pool);
}
END_TEST

static void schedule_another(pebble_future *future, void *arg)
{
    struct notes *notes = arg;
    (void)future;
    pebble_future *another;
    notes->result = pebble_pool_schedule(notes->pool, job_nothing, NULL, 0, NULL, &another);
    if (notes->result < 0) return;
    if (atomic_fetch_add(&notes->calls, 1) < 20) pebble_future_on_done(another, schedule_another, notes);
    pebble_future_unref(another);
}

START_TEST(a_callback_may_schedule)
{
    pebble_pool *pool = pool_with(_i, 1);
    struct notes notes = {.pool = pool};
    pebble_future *future = schedule(pool, job_nothing);
    pebble_future_on_done(future, schedule_another, &notes);
    while (notes.calls <= 20)
        run(pool, job_pid); /* jobs in between */
    close_pool(pool);
    ck_assert_int_eq(notes.result, 0);
    pebble_future_unref(future);
}
END_TEST

static void stop_and_try(pebble_future *future, void *arg)
{
    struct notes *notes = arg;
    pebble_pool_stop(notes->pool);
    notes->result = pebble_pool_schedule(notes->pool, job_nothing, NULL, 0, NULL, &future);
    atomic_fetch_add(&notes->calls, 1);
}

START_TEST(a_callback_may_stop_the_pool)
{
    pebble_pool *pool = pool_with(_i, 1);
    struct notes notes = {.pool = pool};
    pebble_future *first = schedule(pool, job_nothing), *second = schedule(pool, job_hang);
    pebble_future_on_done(first, stop_and_try, &notes);
    ck_assert(outcome_of(second)->status == PEBBLE_CANCELLED || outcome_of(second)->status == PEBBLE_NOT_RUN);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    ck_assert_int_eq(notes.result, -ESHUTDOWN);
    ck_assert(!pebble_pool_active(pool));
    pebble_future_unref(first);
    pebble_future_unref(second);
    pebble_pool_unref(pool);
}
END_TEST

static void stop_and_join(pebble_future *future, void *arg)
{
    struct notes *notes = arg;
    (void)future;
    pebble_pool_stop(notes->pool);
    notes->result = pebble_pool_join(notes->pool, PATIENCE);
}

START_TEST(a_callback_cannot_join_the_pool)
{
    pebble_pool *pool = pool_with(_i, 1);
    struct notes notes = {.pool = pool};
    pebble_future *future = schedule(pool, job_nothing);
    pebble_future_on_done(future, stop_and_join, &notes);
    expect_and_drop(future, PEBBLE_SUCCESS);
    stop_pool(pool);
    ck_assert_int_eq(notes.result, -EDEADLK);
}
END_TEST

START_TEST(an_inline_callback_cannot_join_the_pool)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    struct notes notes = {.pool = pool};
    pebble_future *future = schedule_order(pool, job_meet, order_in(&scene, 0));
    hear(&scene);
    pebble_future_on_done_inline(future, stop_and_join, &notes);
    let_go(&scene, 0);
    expect_and_drop(future, PEBBLE_SUCCESS);
    stop_pool(pool);
    ck_assert_int_eq(notes.result, -EDEADLK);
}
END_TEST

static void drop_pool(pebble_future *future, void *arg)
{
    struct notes *notes = arg;
    (void)future;
    pebble_pool_unref(notes->pool);
    ck_assert_int_eq(write(notes->pipe[1], "x", 1), 1);
}

START_TEST(a_callback_may_drop_the_pool)
{
    pebble_pool *pool = pool_with(_i, 1);
    struct notes notes = {.pool = pool};
    ck_assert_int_eq(pipe(notes.pipe), 0);
    pebble_future *future = schedule(pool, job_nothing);
    pebble_future_on_done(future, drop_pool, &notes);
    wait_readable(notes.pipe[0]);
    expect_and_drop(future, PEBBLE_SUCCESS);
}
END_TEST

static void send_byte(pebble_future *future, void *arg)
{
    struct notes *notes = arg;
    (void)future;
    notes->result = (int)write(notes->pipe[1], "x", 1);
}

START_TEST(a_callback_is_called_though_the_pool_is_gone)
{
    struct notes inlined = {0}, notes = {0};
    ck_assert_int_eq(pipe(notes.pipe), 0);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_nothing);
    close_pool(pool);
    ck_assert_int_eq(pebble_future_on_done_inline(future, note, &inlined), 0);
    ck_assert_int_eq(inlined.calls, 1);
    ck_assert_int_eq(pebble_future_on_done(future, send_byte, &notes), 0);
    wait_readable(notes.pipe[0]);
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
    both(tests, a_blocking_callback_does_not_stall_the_pool);
    both(tests, a_callback_may_schedule);
    both(tests, a_callback_may_stop_the_pool);
    both(tests, a_callback_cannot_join_the_pool);
    both(tests, an_inline_callback_cannot_join_the_pool);
    both(tests, a_callback_may_drop_the_pool);
    both(tests, a_callback_is_called_though_the_pool_is_gone);
    return suite;
}
