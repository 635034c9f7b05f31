/* SPDX-License-Identifier: Apache-2.0
 * Latches: states that can be waited for. */
#include "latch.h"
#include "clock.h"
#include "tests.h"

#include <check.h>
#include <pthread.h>

#define THREADS 4
#define ROUNDS 5000

START_TEST(a_zeroed_latch_is_in_its_first_state)
{
    struct pb_latch latch = {0};
    ck_assert_uint_eq(pb_latch_state(&latch), 0);
    ck_assert_int_eq(pb_latch_wait(&latch, 0, 0), 0);
}
END_TEST

START_TEST(a_step_is_taken_from_the_right_state_only)
{
    struct pb_latch latch = {0};
    ck_assert(!pb_latch_step(&latch, 1, 2));
    ck_assert(pb_latch_step(&latch, 0, 1));
    ck_assert(!pb_latch_step(&latch, 0, 1));
    ck_assert_uint_eq(pb_latch_state(&latch), 1);
}
END_TEST

START_TEST(a_wait_is_for_a_state_or_a_later_one)
{
    struct pb_latch latch = {0};
    pb_latch_set(&latch, 2);
    ck_assert_int_eq(pb_latch_wait(&latch, 1, 0), 0);
    ck_assert_int_eq(pb_latch_wait(&latch, 2, PB_SECOND), 0);
    ck_assert_int_eq(pb_latch_wait(&latch, 3, 0), -ETIMEDOUT);
}
END_TEST

START_TEST(a_wait_ends_with_its_time)
{
    struct pb_latch latch = {0};
    int64_t before = pb_now();
    ck_assert_int_eq(pb_latch_wait(&latch, 1, 10 * PB_MILLISECOND), -ETIMEDOUT);
    ck_assert_int_ge(pb_now() - before, 10 * PB_MILLISECOND);
    ck_assert_int_eq(pb_latch_wait(&latch, 1, -1), -EINVAL);
    ck_assert_uint_eq(pb_latch_state(&latch), 0); /* that somebody waited does not show */
    ck_assert(pb_latch_step(&latch, 0, 1));
}
END_TEST

struct shared {
    struct pb_latch latch;
    atomic_int winners;
    pthread_barrier_t barrier;
};

static void *step_once(void *arg)
{
    struct shared *shared = arg;
    pthread_barrier_wait(&shared->barrier);
    shared->winners += pb_latch_step(&shared->latch, 0, 1);
    return NULL;
}

START_TEST(of_many_threads_one_takes_the_step)
{
    for (int round = 0; round < 200; round++) {
        struct shared shared = {.winners = 0};
        pthread_t threads[THREADS];
        pthread_barrier_init(&shared.barrier, NULL, THREADS);
        for (int i = 0; i < THREADS; i++)
            pthread_create(&threads[i], NULL, step_once, &shared);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        ck_assert_int_eq(shared.winners, 1);
        pthread_barrier_destroy(&shared.barrier);
    }
}
END_TEST

static struct pb_latch row[ROUNDS];

static void *wait_for_each(void *arg)
{
    for (int i = 0; i < ROUNDS; i++)
        if (pb_latch_wait(&row[i], 2, INT64_MAX) != 0) return "a wait failed";
    return arg;
}

/* A lost wake-up would leave a thread waiting for ever. */
START_TEST(every_waiter_is_woken)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, wait_for_each, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        pb_latch_step(&row[i], 0, 1); /* must not lose the mark of a waiter */
        pb_latch_set(&row[i], 2);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failure;
        pthread_join(threads[i], &failure);
        ck_assert_ptr_null(failure);
    }
}
END_TEST

Suite *latch_suite(void)
{
    Suite *suite = suite_create("latch");
    TCase *tests = group(suite, "latch", 30);
    tcase_add_test(tests, a_zeroed_latch_is_in_its_first_state);
    tcase_add_test(tests, a_step_is_taken_from_the_right_state_only);
    tcase_add_test(tests, a_wait_is_for_a_state_or_a_later_one);
    tcase_add_test(tests, a_wait_ends_with_its_time);
    tcase_add_test(tests, of_many_threads_one_takes_the_step);
    tcase_add_test(tests, every_waiter_is_woken);
    return suite;
}
