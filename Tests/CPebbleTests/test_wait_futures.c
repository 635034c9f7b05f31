/* SPDX-License-Identifier: Apache-2.0
 * Waiting for one of several futures, for all of them, and with poll(2). */
#include "support.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#define JOBS 5

/* Jobs that each wait for a go, which ends the one that gets it. */
static void schedule_meetings(pebble_pool *pool, const struct scene *scene, pebble_future *futures[], int count)
{
    for (int i = 0; i < count; i++)
        futures[i] = schedule_order(pool, job_meet, order_in(scene, i));
    for (int i = 0; i < count; i++)
        hear(scene);
}

static void drop(pebble_future *futures[], int count)
{
    for (int i = 0; i < count; i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
}

START_TEST(the_first_to_be_done_ends_the_wait)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, JOBS);
    pebble_future *futures[JOBS];
    bool done[JOBS];
    schedule_meetings(pool, &scene, futures, JOBS);
    ck_assert_int_eq(pebble_wait_futures(futures, JOBS, 1, 0, done), 0);
    ck_assert_int_eq(pebble_wait_futures(futures, JOBS, 1, MILLISECOND, done), 0);
    let_go(&scene, 0);
    int sum = 0;
    ck_assert_int_eq(pebble_wait_futures(futures, JOBS, 1, PATIENCE, done), 1);
    for (int i = 0; i < JOBS; i++) {
        sum += done[i];
        ck_assert_int_eq(done[i], pebble_future_outcome(futures[i]) != NULL);
    }
    ck_assert_int_eq(sum, 1);
    for (int i = 1; i < JOBS; i++)
        let_go(&scene, 0);
    ck_assert_int_eq(pebble_wait_futures(futures, JOBS, JOBS, PATIENCE, NULL), JOBS);
    drop(futures, JOBS);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(some_of_them_may_be_enough)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, JOBS);
    pebble_future *futures[JOBS];
    schedule_meetings(pool, &scene, futures, JOBS);
    for (int i = 0; i < 3; i++)
        let_go(&scene, 0);
    ck_assert_int_eq(pebble_wait_futures(futures, JOBS, 3, PATIENCE, NULL), 3);
    ck_assert_int_eq(pebble_wait_futures(futures, JOBS, 4, MILLISECOND, NULL), 3);
    ck_assert_int_eq(pebble_wait_futures(futures, JOBS, JOBS, MILLISECOND, NULL), 3);
    let_go(&scene, 0);
    let_go(&scene, 0);
    drop(futures, JOBS);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(many_and_repeated_futures_can_be_waited_for)
{
    enum { MANY = 500 };
    pebble_pool *pool = pool_with(_i, 2);
    static pebble_future *futures[2 * MANY];
    for (int i = 0; i < MANY; i++)
        futures[i] = futures[MANY + i] = schedule(pool, job_nothing);
    for (size_t need = 1; need < 2 * MANY; need += 37)
        ck_assert_int_ge(pebble_wait_futures(futures, 2 * MANY, need, PATIENCE, NULL), (int)need);
    ck_assert_int_eq(pebble_wait_futures(futures, 2 * MANY, 2 * MANY, PATIENCE, NULL), 2 * MANY);
    drop(futures, MANY);
    close_pool(pool);
}
END_TEST

START_TEST(what_cannot_be_waited_for_is_refused)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_nothing);
    ck_assert_int_eq(pebble_wait_futures(&future, 1, 1, -1, NULL), -EINVAL);
    ck_assert_int_eq(pebble_wait_futures(&future, 1, 0, 0, NULL), -EINVAL);
    ck_assert_int_eq(pebble_wait_futures(&future, 1, 2, 0, NULL), -EINVAL);
    expect_and_drop(future, PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

static bool readable(int fd, int timeout)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return poll(&polled, 1, timeout) == 1;
}

START_TEST(a_descriptor_is_readable_once_the_outcome_is_there)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_meet, order_in(&scene, 0));
    hear(&scene);
    int fd = pebble_future_fd(future);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pebble_future_fd(future), fd);
    ck_assert(!readable(fd, 0));
    let_go(&scene, 0);
    ck_assert(readable(fd, (int)(PATIENCE / MILLISECOND)));
    expect(future, PEBBLE_SUCCESS);
    ck_assert(readable(fd, 0)); /* and stays so */
    pebble_future_unref(future);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_descriptor_of_what_is_done_is_readable_and_goes_with_the_future)
{
    pebble_pool *pool = pool_with(_i, 1);
    run(pool, job_pid);
    int before = count_descriptors();
    for (int i = 0; i < 100; i++) {
        pebble_future *future = schedule(pool, job_nothing);
        if (i % 2) outcome_of(future);
        int fd = pebble_future_fd(future);
        ck_assert(readable(fd, (int)(PATIENCE / MILLISECOND)));
        wait_gone(future);
        pebble_future_unref(future);
    }
    while (count_descriptors() > before)
        sched_yield(); /* until the pool has let go of the last; the test's time is the bound */
    close_pool(pool);
}
END_TEST

#define WAITERS 4
#define ROUNDS 300

static pebble_future *shared[JOBS];
static pthread_barrier_t barrier;

static void *wait_for_first(void *arg)
{
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&barrier);
        for (size_t need = 1; need < JOBS; need++)
            must(pebble_wait_futures(shared, JOBS, need, PATIENCE, NULL) >= (int)need);
        pthread_barrier_wait(&barrier);
    }
    return arg;
}

START_TEST(no_news_is_lost_among_many_threads)
{
    pebble_pool *pool = pool_with(_i, 2);
    pthread_t threads[WAITERS];
    pthread_barrier_init(&barrier, NULL, WAITERS + 1);
    for (int i = 0; i < WAITERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_first, NULL), 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < JOBS; i++)
            shared[i] = schedule(pool, job_nothing);
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        drop(shared, JOBS);
    }
    for (int i = 0; i < WAITERS; i++)
        pthread_join(threads[i], NULL);
    close_pool(pool);
}
END_TEST

Suite *wait_futures_suite(void)
{
    Suite *suite = suite_create("wait_futures");
    TCase *tests = group(suite, "wait_futures", 60);
    both(tests, the_first_to_be_done_ends_the_wait);
    both(tests, some_of_them_may_be_enough);
    both(tests, many_and_repeated_futures_can_be_waited_for);
    both(tests, what_cannot_be_waited_for_is_refused);
    both(tests, a_descriptor_is_readable_once_the_outcome_is_there);
    both(tests, a_descriptor_of_what_is_done_is_readable_and_goes_with_the_future);
    both(tests, no_news_is_lost_among_many_threads);
    return suite;
}
