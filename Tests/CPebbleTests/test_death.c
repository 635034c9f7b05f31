/* SPDX-License-Identifier: Apache-2.0
 * Workers that die, in a job or between jobs. */
#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int job_exit_at_once(pebble_call *call)
{
    _exit((int)order_of(call)->number);
}

static int job_abort(pebble_call *call)
{
    (void)call;
    abort();
}

static int job_fault(pebble_call *call)
{
    (void)call;
    volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page[0];
}

static int job_kill_itself(pebble_call *call)
{
    return kill(getpid(), (int)order_of(call)->number);
}

static int job_burn(pebble_call *call)
{
    size_t size = 32 << 20;
    char *memory = malloc(size);
    for (volatile long turns = 0; turns < 20000000; turns++)
        continue;
    memset(memory, 1, size);
    return job_exit(call) + memory[size / 2];
}

/* The job dies: with that exit code, or if it is -1, by that signal; the pool goes on. */
static void dies(int method, pebble_function function, int64_t number, int exit_code, int exit_signal)
{
    pebble_pool *pool = pool_with(method, 1);
    int64_t pid = run(pool, job_pid);
    pebble_future *future = schedule_order(pool, function, (struct order){.number = number});
    pebble_future *next = schedule(pool, job_pid);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_int_eq(outcome->exit_code, exit_code);
    ck_assert_int_eq(outcome->exit_signal, exit_signal);
    ck_assert_int_eq(outcome->pid, pid);
    ck_assert(outcome->started);
    pebble_future_unref(future);
    ck_assert_int_ne(number_from(next), pid);
    ck_assert_uint_eq(statistics_of(pool).expired, 1);
    ck_assert_uint_eq(statistics_of(pool).killed, 0);
    close_pool(pool);
}

START_TEST(exit_1_in_a_job_expires_it_with_code_and_pid)
{
    dies(_i, job_exit, 1, 1, 0);
}
END_TEST

START_TEST(exit_123_in_a_job_expires_it)
{
    dies(_i, job_exit, 123, 123, 0);
}
END_TEST

START_TEST(exit_0_in_a_job_expires_it_too)
{
    dies(_i, job_exit, 0, 0, 0);
}
END_TEST

START_TEST(_exit_in_a_job_expires_it)
{
    dies(_i, job_exit_at_once, 9, 9, 0);
}
END_TEST

START_TEST(an_exit_code_of_pebbles_own_is_one_like_others_in_a_job)
{
    dies(_i, job_exit_at_once, 97, 97, 0);
}
END_TEST

START_TEST(abort_in_a_job_expires_it)
{
    dies(_i, job_abort, 0, -1, SIGABRT);
}
END_TEST

START_TEST(a_bad_access_in_a_job_expires_it)
{
    dies(_i, job_fault, 0, -1, SIGSEGV);
}
END_TEST

START_TEST(a_job_that_kills_itself_expires)
{
    dies(_i, job_kill_itself, SIGKILL, -1, SIGKILL);
}
END_TEST

START_TEST(sigterm_ends_a_worker)
{
    dies(_i, job_kill_itself, SIGTERM, -1, SIGTERM);
}
END_TEST

START_TEST(a_worker_killed_from_outside_expires_its_job)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_hang, order_in(&scene, 0));
    pid_t pid = (pid_t)hear(&scene);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_int_eq(outcome->exit_code, -1);
    ck_assert_int_eq(outcome->exit_signal, SIGKILL);
    ck_assert_int_eq(outcome->pid, pid);
    wait_gone(future);
    pebble_future_unref(future);
    ck_assert_int_ne(run(pool, job_pid), pid);
    close_pool(pool);
}
END_TEST

START_TEST(an_expired_outcome_tells_what_the_worker_used)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_burn, (struct order){.number = 1});
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_int_gt(outcome->cpu_time, MILLISECOND);
    ck_assert_int_gt(outcome->peak_memory, 32 << 20);
    ck_assert_int_gt(outcome->run_time, MILLISECOND);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(a_death_harms_no_other_job)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 2);
    pebble_future *steady = schedule_order(pool, job_meet, order_in(&scene, 0));
    int64_t pid = hear(&scene);
    for (int i = 0; i < 20; i++)
        expect_and_drop(schedule(pool, i % 2 ? job_abort : job_fault), PEBBLE_EXPIRED);
    let_go(&scene, 0);
    ck_assert_int_eq(number_from(steady), pid);
    close_pool(pool);
}
END_TEST

START_TEST(a_hundred_crashes_are_survived)
{
    pebble_pool *pool = pool_with(_i, 2);
    pebble_future *futures[100];
    for (int i = 0; i < 100; i++)
        futures[i] = schedule_order(pool, job_kill_itself, (struct order){.number = SIGKILL});
    for (int i = 0; i < 100; i++)
        expect_and_drop(futures[i], PEBBLE_EXPIRED);
    ck_assert_int_gt(run(pool, job_pid), 0);
    ck_assert_uint_eq(statistics_of(pool).expired, 100);
    close_pool(pool);
}
END_TEST

START_TEST(a_worker_that_dies_idle_is_replaced_silently)
{
    pebble_pool *pool = pool_with(_i, 1);
    for (unsigned i = 1; i <= 5; i++) {
        pid_t pid = (pid_t)run(pool, job_pid);
        int process = watch_process(pid);
        kill(pid, SIGKILL);
        expect_dead(process);
        ck_assert_int_ne(run(pool, job_pid), pid);
        ck_assert_uint_eq(statistics_of(pool).idle_deaths, i);
    }
    ck_assert_uint_eq(statistics_of(pool).expired, 0);
    close_pool(pool);
}
END_TEST

START_TEST(an_idle_death_harms_no_running_job)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 2);
    pebble_future *steady = schedule_order(pool, job_meet, order_in(&scene, 0));
    int64_t keeper = hear(&scene);
    pid_t pid = (pid_t)run(pool, job_pid);
    ck_assert_int_ne(pid, keeper);
    int process = watch_process(pid);
    kill(pid, SIGKILL);
    expect_dead(process);
    let_go(&scene, 0);
    ck_assert_int_eq(number_from(steady), keeper);
    close_pool(pool);
}
END_TEST

static int job_reply_much(pebble_call *call)
{
    (void)call;
    size_t size = 8 << 20;
    char *place = pebble_call_reserve(call, size);
    if (place) memset(place, 1, size);
    return 0;
}

START_TEST(a_worker_killed_as_it_replies_gives_one_outcome)
{
    pebble_pool *pool = pool_with(_i, 1);
    for (int i = 0; i < 30; i++) {
        pid_t pid = (pid_t)run(pool, job_pid);
        pebble_future *future = schedule(pool, job_reply_much);
        for (volatile int turns = 0; turns < i * 100000; turns++)
            continue;
        kill(pid, SIGKILL);
        const struct pebble_outcome *outcome = outcome_of(future);
        ck_assert(outcome->status == PEBBLE_EXPIRED || outcome->status == PEBBLE_SUCCESS);
        if (outcome->status == PEBBLE_SUCCESS) ck_assert_uint_eq(outcome->length, 8 << 20);
        pebble_future_unref(future);
        /* killed, but perhaps not seen yet: a job given to it may expire */
        pebble_future *next = schedule(pool, job_pid);
        outcome_of(next);
        pebble_future_unref(next);
    }
    close_pool(pool);
}
END_TEST

Suite *death_suite(void)
{
    Suite *suite = suite_create("death");
    TCase *tests = group(suite, "death", 60);
    both(tests, exit_1_in_a_job_expires_it_with_code_and_pid);
    both(tests, exit_123_in_a_job_expires_it);
    both(tests, exit_0_in_a_job_expires_it_too);
    both(tests, _exit_in_a_job_expires_it);
    both(tests, an_exit_code_of_pebbles_own_is_one_like_others_in_a_job);
    both(tests, abort_in_a_job_expires_it);
    both(tests, a_bad_access_in_a_job_expires_it);
    both(tests, a_job_that_kills_itself_expires);
    both(tests, sigterm_ends_a_worker);
    both(tests, a_worker_killed_from_outside_expires_its_job);
    both(tests, an_expired_outcome_tells_what_the_worker_used);
    both(tests, a_death_harms_no_other_job);
    both(tests, a_hundred_crashes_are_survived);
    both(tests, a_worker_that_dies_idle_is_replaced_silently);
    both(tests, an_idle_death_harms_no_running_job);
    both(tests, a_worker_killed_as_it_replies_gives_one_outcome);
    return suite;
}
