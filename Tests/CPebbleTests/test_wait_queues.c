/* SPDX-License-Identifier: Apache-2.0
 * Waiting for several queues at once. */
#include "support.h"
#include "clock.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define MANY 2000

static pebble_queue *queues[MANY];
static bool is_ready[MANY];

static void make_queues(size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(pebble_queue_new(0, NULL, &queues[i]), 0);
    memset(is_ready, 0x55, sizeof is_ready);
}

static void drop_queues(size_t count)
{
    for (size_t i = 0; i < count; i++)
        pebble_queue_unref(queues[i]);
}

static void put(pebble_queue *queue)
{
    ck_assert_int_eq(pebble_queue_put(queue, NULL, 0), 0);
}

static int get(pebble_queue *queue)
{
    void *item;
    return pebble_queue_get(queue, 0, &item);
}

START_TEST(a_queue_with_an_item_is_ready_and_keeps_it)
{
    make_queues(1);
    put(queues[0]);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pebble_wait_queues(queues, 1, PEBBLE_FOREVER, is_ready), 1);
        ck_assert(is_ready[0]);
    }
    ck_assert_uint_eq(pebble_queue_size(queues[0]), 1);
    drop_queues(1);
}
END_TEST

START_TEST(all_that_are_ready_are_told)
{
    make_queues(5);
    put(queues[1]);
    put(queues[4]);
    pebble_queue_close(queues[2]);
    ck_assert_int_eq(pebble_wait_queues(queues, 5, PEBBLE_FOREVER, is_ready), 3);
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(is_ready[i], i == 1 || i == 2 || i == 4);
    get(queues[1]);
    ck_assert_int_eq(pebble_wait_queues(queues, 5, 0, is_ready), 2);
    ck_assert(!is_ready[1]);
    drop_queues(5);
}
END_TEST

START_TEST(none_is_ready_when_the_time_is_over)
{
    make_queues(3);
    int64_t start = pb_now();
    ck_assert_int_eq(pebble_wait_queues(queues, 3, 0, is_ready), 0);
    ck_assert_int_eq(pebble_wait_queues(queues, 3, 5 * MILLISECOND, is_ready), 0);
    ck_assert_int_ge(pb_now() - start, 5 * MILLISECOND);
    for (size_t i = 0; i < 3; i++)
        ck_assert(!is_ready[i]);
    drop_queues(3);
}
END_TEST

START_TEST(a_wait_leaves_no_trace)
{
    make_queues(20);
    put(queues[10]);
    int descriptors = count_descriptors();
    ck_assert_int_eq(pebble_wait_queues(queues, 20, 0, is_ready), 1);
    get(queues[10]);
    ck_assert_int_eq(pebble_wait_queues(queues, 20, 1, is_ready), 0);
    ck_assert_int_eq(count_descriptors(), descriptors);
    for (size_t i = 0; i < 20; i++) { /* nobody is told that has left */
        put(queues[i]);
        ck_assert_int_eq(get(queues[i]), 0);
    }
    drop_queues(20); /* asserts that nobody watches */
}
END_TEST

START_TEST(what_cannot_be_waited_for_is_refused)
{
    make_queues(1);
    ck_assert_int_eq(pebble_wait_queues(queues, 0, 0, is_ready), -EINVAL);
    ck_assert_int_eq(pebble_wait_queues(queues, (size_t)INT32_MAX + 1, 0, is_ready), -EINVAL);
    ck_assert_int_eq(pebble_wait_queues(queues, 1, -1, is_ready), -EINVAL);
    drop_queues(1);
}
END_TEST

START_TEST(a_queue_may_be_named_twice)
{
    make_queues(1);
    pebble_queue *twice[2] = {queues[0], queues[0]};
    ck_assert_int_eq(pebble_wait_queues(twice, 2, 1, is_ready), 0);
    put(queues[0]);
    ck_assert_int_eq(pebble_wait_queues(twice, 2, PEBBLE_FOREVER, is_ready), 2);
    drop_queues(1);
}
END_TEST

/* --- threads --- */

struct waiter {
    size_t count;
    pthread_t thread;
    bool ready[MANY];
    int answer;
    atomic_bool *allowed, was_allowed;
};

static void *wait_forever(void *arg)
{
    struct waiter *waiter = arg;
    waiter->answer = pebble_wait_queues(queues, waiter->count, PEBBLE_FOREVER, waiter->ready);
    waiter->was_allowed = waiter->allowed && *waiter->allowed;
    return NULL;
}

static void start(struct waiter *waiter, size_t count, atomic_bool *allowed)
{
    waiter->count = count;
    waiter->allowed = allowed;
    ck_assert_int_eq(pthread_create(&waiter->thread, NULL, wait_forever, waiter), 0);
}

/* It found the one queue ready, and not before it was. */
static void found(struct waiter *waiter, size_t queue)
{
    pthread_join(waiter->thread, NULL);
    ck_assert_int_eq(waiter->answer, 1);
    ck_assert(waiter->was_allowed);
    for (size_t i = 0; i < waiter->count; i++)
        ck_assert_int_eq(waiter->ready[i], i == queue);
}

static struct waiter first, second;

START_TEST(a_put_or_a_close_ends_the_wait)
{
    for (size_t round = 0; round < 300; round++) {
        atomic_bool done = false;
        make_queues(3);
        start(&first, 3, &done);
        if (round % 2) sched_yield();
        done = true;
        if (round % 4 < 2)
            put(queues[round % 3]);
        else
            pebble_queue_close(queues[round % 3]);
        found(&first, round % 3);
        drop_queues(3);
    }
}
END_TEST

START_TEST(two_may_wait_for_the_same_queues)
{
    for (size_t round = 0; round < 300; round++) {
        atomic_bool done = false;
        make_queues(3);
        start(&first, 3, &done);
        start(&second, 2, &done);
        done = true;
        put(queues[1]);
        found(&first, 1);
        found(&second, 1);
        ck_assert_uint_eq(pebble_queue_size(queues[1]), 1);
        drop_queues(3);
    }
}
END_TEST

START_TEST(two_thousand_queues_need_no_descriptor)
{
    atomic_bool done = false;
    struct rlimit usual, none;
    make_queues(MANY);
    getrlimit(RLIMIT_NOFILE, &usual);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = usual.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    start(&first, MANY, &done);
    done = true;
    put(queues[MANY - 1]);
    found(&first, MANY - 1);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &usual), 0);
    drop_queues(MANY);
}
END_TEST

static sem_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    sem_post(&interrupted);
}

START_TEST(being_woken_for_nothing_does_not_end_the_wait)
{
    atomic_bool done = false;
    struct sigaction action = {.sa_handler = on_interrupt};
    sem_init(&interrupted, 0, 0);
    sigaction(SIGUSR1, &action, NULL);
    make_queues(2);
    start(&first, 2, &done);
    for (int i = 0; i < 1000; i++) {
        pthread_kill(first.thread, SIGUSR1);
        while (sem_wait(&interrupted) < 0)
            continue;
    }
    done = true;
    put(queues[1]);
    found(&first, 1);
    drop_queues(2);
}
END_TEST

#define ROUNDS 50000

static void *wait_until_closed(void *arg)
{
    bool ready[2];
    do
        if (pebble_wait_queues(queues, 2, PEBBLE_FOREVER, ready) < 1) return "a wait ended for nothing";
    while (!ready[1]);
    return arg;
}

/* The first queue is made ready and unready faster than anybody can look. */
START_TEST(an_item_that_another_took_does_not_end_the_wait)
{
    void *failure;
    pthread_t threads[2];
    make_queues(2);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, wait_until_closed, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        put(queues[0]);
        ck_assert_int_eq(get(queues[0]), 0);
    }
    pebble_queue_close(queues[1]);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &failure);
        ck_assert_ptr_null(failure);
    }
    drop_queues(2);
}
END_TEST

#define SOURCES 4
#define TAKERS 3

static atomic_uint taken;

static void *fill(void *arg)
{
    for (int i = 0; i < ROUNDS; i++)
        if (pebble_queue_put(arg, NULL, PEBBLE_FOREVER) != 0) return "a put failed";
    pebble_queue_close(arg);
    return NULL;
}

/* Takes what is ready until all queues are closed and empty. */
static void *take_from_all(void *arg)
{
    bool ready[SOURCES];
    pebble_queue *open[SOURCES];
    size_t count = SOURCES;
    memcpy(open, queues, sizeof open);
    while (count) {
        if (pebble_wait_queues(open, count, PEBBLE_FOREVER, ready) < 1) return "a wait ended for nothing";
        for (size_t i = count; i-- > 0;) {
            int rc = ready[i] ? get(open[i]) : -EAGAIN;
            if (rc == 0) atomic_fetch_add(&taken, 1);
            if (rc == -EPIPE) open[i] = open[--count];
        }
    }
    return arg;
}

/* A wake-up that was lost would leave a thread waiting for ever. */
START_TEST(many_threads_wait_for_the_same_queues_and_lose_nothing)
{
    void *failure;
    pthread_t sources[SOURCES], takers[TAKERS];
    for (size_t i = 0; i < SOURCES; i++)
        ck_assert_int_eq(pebble_queue_new(i ? 8 : 0, NULL, &queues[i]), 0);
    for (size_t i = 0; i < TAKERS; i++)
        pthread_create(&takers[i], NULL, take_from_all, NULL);
    for (size_t i = 0; i < SOURCES; i++)
        pthread_create(&sources[i], NULL, fill, queues[i]);
    for (size_t i = 0; i < SOURCES + TAKERS; i++) {
        pthread_join(i < SOURCES ? sources[i] : takers[i - SOURCES], &failure);
        ck_assert_ptr_null(failure);
    }
    ck_assert_uint_eq(taken, SOURCES * ROUNDS);
    drop_queues(SOURCES);
}
END_TEST

Suite *wait_queues_suite(void)
{
    Suite *suite = suite_create("wait_queues");
    TCase *tests = group(suite, "wait_queues", 120);
    tcase_add_test(tests, a_queue_with_an_item_is_ready_and_keeps_it);
    tcase_add_test(tests, all_that_are_ready_are_told);
    tcase_add_test(tests, none_is_ready_when_the_time_is_over);
    tcase_add_test(tests, a_wait_leaves_no_trace);
    tcase_add_test(tests, what_cannot_be_waited_for_is_refused);
    tcase_add_test(tests, a_queue_may_be_named_twice);
    tcase_add_test(tests, a_put_or_a_close_ends_the_wait);
    tcase_add_test(tests, two_may_wait_for_the_same_queues);
    tcase_add_test(tests, two_thousand_queues_need_no_descriptor);
    tcase_add_test(tests, an_item_that_another_took_does_not_end_the_wait);
    tcase_add_test(tests, many_threads_wait_for_the_same_queues_and_lose_nothing);
    TCase *signals = group_without(suite, "not-tsan", "signals", 120);
    tcase_add_test(signals, being_woken_for_nothing_does_not_end_the_wait);
    return suite;
}
