/* SPDX-License-Identifier: Apache-2.0
 * Single threads, and waiting for several at once. */
#include "support.h"
#include "clock.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define MANY 40 /* more than can be waited for without an allocation */

/* Each thread stays until it is let go, and writes something then. */
static pebble_thread *threads[MANY];
static sem_t gates[MANY];
static int written[MANY];
static bool ended[MANY];

static void pass_gate(void *gate)
{
    while (sem_wait(gate) < 0)
        continue;
    written[(sem_t *)gate - gates] = 1;
}

static void start_threads(size_t count)
{
    memset(ended, 0x55, sizeof ended);
    for (size_t i = 0; i < count; i++) {
        written[i] = 0;
        sem_init(&gates[i], 0, 0);
        ck_assert_int_eq(pebble_thread_start(pass_gate, &gates[i], NULL, &threads[i]), 0);
    }
}

static void release(size_t i)
{
    sem_post(&gates[i]);
}

static void await_end(pebble_thread *thread)
{
    bool has;
    ck_assert_int_eq(pebble_wait_threads(&thread, 1, PATIENCE, &has), 1);
    ck_assert(has && pebble_thread_has_ended(thread));
}

static void end_threads(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        release(i);
        await_end(threads[i]);
        pebble_thread_unref(threads[i]);
    }
}

/* --- single ones --- */

struct portrait {
    pid_t id;
    char name[16];
};

static void portray(void *arg)
{
    struct portrait *portrait = arg;
    portrait->id = gettid();
    pthread_getname_np(pthread_self(), portrait->name, sizeof portrait->name);
}

static struct portrait portrait_of(const char *name)
{
    pebble_thread *thread;
    struct portrait portrait;
    ck_assert_int_eq(pebble_thread_start(portray, &portrait, name, &thread), 0);
    await_end(thread);
    ck_assert_int_eq(pebble_thread_tid(thread), portrait.id);
    pebble_thread_unref(thread);
    return portrait;
}

START_TEST(a_thread_has_its_name_and_its_id)
{
    char own[16];
    pthread_getname_np(pthread_self(), own, sizeof own);
    ck_assert_str_eq(portrait_of("reader").name, "reader");
    ck_assert_str_eq(portrait_of("a name that is too long").name, "a name that is ");
    ck_assert_str_eq(portrait_of(NULL).name, own);
    ck_assert_int_ne(portrait_of(NULL).id, gettid());
}
END_TEST

START_TEST(the_id_is_known_while_it_runs)
{
    start_threads(2);
    pid_t id = pebble_thread_tid(threads[0]);
    ck_assert_int_gt(id, 0);
    ck_assert_int_ne(id, pebble_thread_tid(threads[1]));
    ck_assert_int_eq(id, pebble_thread_tid(threads[0]));
    ck_assert(!pebble_thread_has_ended(threads[0]));
    end_threads(2);
}
END_TEST

static void leave_by_exit(void *arg)
{
    pthread_exit(arg);
}

START_TEST(a_thread_that_exits_has_ended)
{
    pebble_thread *thread;
    ck_assert_int_eq(pebble_thread_start(leave_by_exit, NULL, NULL, &thread), 0);
    await_end(thread);
    pebble_thread_unref(thread);
}
END_TEST

static atomic_bool ran_on;

static void run_on(void *gate)
{
    pass_gate(gate);
    ran_on = true;
}

START_TEST(a_thread_runs_on_without_its_handle)
{
    sem_init(&gates[0], 0, 0);
    ck_assert_int_eq(pebble_thread_start(run_on, &gates[0], NULL, &threads[0]), 0);
    pebble_thread_unref(threads[0]);
    pebble_thread_unref(NULL);
    ck_assert(!ran_on);
    release(0);
    while (!ran_on) /* the test's time is the bound */
        sched_yield();
}
END_TEST

START_TEST(a_handle_outlives_its_thread)
{
    start_threads(1);
    ck_assert_ptr_eq(pebble_thread_ref(threads[0]), threads[0]);
    end_threads(1);
    ck_assert(pebble_thread_has_ended(threads[0]));
    pebble_thread_unref(threads[0]);
}
END_TEST

/* --- several --- */

START_TEST(the_one_that_has_ended_is_told)
{
    start_threads(3);
    release(1);
    ck_assert_int_eq(pebble_wait_threads(threads, 3, PATIENCE, ended), 1);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(ended[i], i == 1);
    ck_assert_int_eq(written[1], 1);
    ck_assert_int_eq(pebble_wait_threads(threads, 3, 0, ended), 1); /* and again */
    end_threads(3);
}
END_TEST

START_TEST(all_that_have_ended_are_told_in_order)
{
    start_threads(6);
    for (size_t i = 5; i-- > 0;) {
        release(i);
        await_end(threads[i]);
    }
    ck_assert_int_eq(pebble_wait_threads(threads, 6, PEBBLE_FOREVER, ended), 5);
    for (size_t i = 0; i < 6; i++)
        ck_assert_int_eq(ended[i], i < 5);
    end_threads(6);
}
END_TEST

START_TEST(none_has_ended_when_the_time_is_over)
{
    start_threads(3);
    int64_t start = pb_now();
    ck_assert_int_eq(pebble_wait_threads(threads, 3, 0, ended), 0);
    ck_assert_int_eq(pebble_wait_threads(threads, 3, 5 * MILLISECOND, ended), 0);
    ck_assert_int_ge(pb_now() - start, 5 * MILLISECOND);
    for (size_t i = 0; i < 3; i++)
        ck_assert(!ended[i]);
    end_threads(3);
}
END_TEST

START_TEST(a_wait_leaves_no_trace)
{
    start_threads(MANY);
    int descriptors = count_descriptors();
    ck_assert_int_eq(pebble_wait_threads(threads, MANY, 1, ended), 0);
    ck_assert_int_eq(count_descriptors(), descriptors);
    release(MANY - 1);
    ck_assert_int_eq(pebble_wait_threads(threads, MANY, PATIENCE, ended), 1);
    ck_assert(ended[MANY - 1]);
    end_threads(MANY); /* would tell who has left, on a stack that is gone */
}
END_TEST

START_TEST(what_cannot_be_waited_for_is_refused)
{
    start_threads(1);
    ck_assert_int_eq(pebble_wait_threads(threads, 0, 0, ended), -EINVAL);
    ck_assert_int_eq(pebble_wait_threads(threads, (size_t)INT32_MAX + 1, 0, ended), -EINVAL);
    ck_assert_int_eq(pebble_wait_threads(threads, 1, -1, ended), -EINVAL);
    end_threads(1);
}
END_TEST

START_TEST(a_thread_may_be_named_twice)
{
    start_threads(1);
    pebble_thread *twice[2] = {threads[0], threads[0]};
    ck_assert_int_eq(pebble_wait_threads(twice, 2, 1, ended), 0);
    release(0);
    ck_assert_int_eq(pebble_wait_threads(twice, 2, PATIENCE, ended), 2);
    end_threads(1);
}
END_TEST

/* --- waiting threads --- */

struct waiter {
    pthread_t thread;
    bool ended[3];
    int answer;
    atomic_bool *allowed, was_allowed;
};

static struct waiter first, second;

static void *wait_forever(void *arg)
{
    struct waiter *waiter = arg;
    waiter->answer = pebble_wait_threads(threads, 3, PEBBLE_FOREVER, waiter->ended);
    waiter->was_allowed = *waiter->allowed;
    return NULL;
}

static void start_waiter(struct waiter *waiter, atomic_bool *allowed)
{
    waiter->allowed = allowed;
    ck_assert_int_eq(pthread_create(&waiter->thread, NULL, wait_forever, waiter), 0);
}

/* It found the one thread ended, and not before it was let go. */
static void found(struct waiter *waiter, size_t thread)
{
    pthread_join(waiter->thread, NULL);
    ck_assert_int_eq(waiter->answer, 1);
    ck_assert(waiter->was_allowed);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(waiter->ended[i], i == thread);
}

/* A wake-up that was lost would leave a thread waiting for ever. */
START_TEST(two_may_wait_for_the_same_threads)
{
    for (size_t round = 0; round < 300; round++) {
        atomic_bool allowed = false;
        start_threads(3);
        start_waiter(&first, &allowed);
        start_waiter(&second, &allowed);
        if (round % 2) sched_yield();
        allowed = true;
        release(round % 3);
        found(&first, round % 3);
        found(&second, round % 3);
        end_threads(3);
    }
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
    atomic_bool allowed = false;
    struct sigaction action = {.sa_handler = on_interrupt};
    sem_init(&interrupted, 0, 0);
    sigaction(SIGUSR1, &action, NULL);
    start_threads(3);
    start_waiter(&first, &allowed);
    for (int i = 0; i < 1000; i++) {
        pthread_kill(first.thread, SIGUSR1);
        while (sem_wait(&interrupted) < 0)
            continue;
    }
    allowed = true;
    release(2);
    found(&first, 2);
    end_threads(3);
}
END_TEST

Suite *wait_threads_suite(void)
{
    Suite *suite = suite_create("wait_threads");
    TCase *tests = group(suite, "wait_threads", 120);
    tcase_add_test(tests, a_thread_has_its_name_and_its_id);
    tcase_add_test(tests, the_id_is_known_while_it_runs);
    tcase_add_test(tests, a_thread_that_exits_has_ended);
    tcase_add_test(tests, a_thread_runs_on_without_its_handle);
    tcase_add_test(tests, a_handle_outlives_its_thread);
    tcase_add_test(tests, the_one_that_has_ended_is_told);
    tcase_add_test(tests, all_that_have_ended_are_told_in_order);
    tcase_add_test(tests, none_has_ended_when_the_time_is_over);
    tcase_add_test(tests, a_wait_leaves_no_trace);
    tcase_add_test(tests, what_cannot_be_waited_for_is_refused);
    tcase_add_test(tests, a_thread_may_be_named_twice);
    tcase_add_test(tests, two_may_wait_for_the_same_threads);
    TCase *signals = group_without(suite, "not-tsan", "signals", 120);
    tcase_add_test(signals, being_woken_for_nothing_does_not_end_the_wait);
    return suite;
}
