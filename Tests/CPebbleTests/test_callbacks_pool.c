/* SPDX-License-Identifier: Apache-2.0
 * What callbacks may do to their pool. */
#include "support.h"

#include <stdlib.h>
#include <unistd.h>

/* What a callback works with and leaves. */
struct notes {
    atomic_int calls;
    pebble_pool *pool;
    int pipe[2];
    int result;
};

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
    if (write(notes->pipe[1], "x", 1) != 1) abort(); /* after which the notes may be gone */
}

START_TEST(a_callback_is_called_though_the_pool_is_gone)
{
    struct notes inlined = {0}, notes = {0};
    ck_assert_int_eq(pipe(inlined.pipe), 0);
    ck_assert_int_eq(pipe(notes.pipe), 0);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_nothing);
    close_pool(pool);
    ck_assert_int_eq(pebble_future_on_done_inline(future, send_byte, &inlined), 0);
    wait_readable(inlined.pipe[0]);
    ck_assert_int_eq(pebble_future_on_done(future, send_byte, &notes), 0);
    wait_readable(notes.pipe[0]);
    pebble_future_unref(future);
}
END_TEST

Suite *callbacks_pool_suite(void)
{
    Suite *suite = suite_create("callbacks_pool");
    TCase *tests = group(suite, "callbacks_pool", 60);
    both(tests, a_blocking_callback_does_not_stall_the_pool);
    both(tests, a_callback_may_schedule);
    both(tests, a_callback_may_stop_the_pool);
    both(tests, a_callback_cannot_join_the_pool);
    both(tests, an_inline_callback_cannot_join_the_pool);
    both(tests, a_callback_may_drop_the_pool);
    both(tests, a_callback_is_called_though_the_pool_is_gone);
    return suite;
}
