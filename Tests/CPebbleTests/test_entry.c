/* SPDX-License-Identifier: Apache-2.0
 * Servers and workers that never reach Pebble's entry point. */
#include "support.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the tests here ask of the servers ("s...") or spawned workers ("w...")
 * of their pools: to hang, or to exit, before the library can take over; with
 * the path of a pipe, each when it has read a byte. */
#define STRAY "PEBBLE_TEST_STRAY"
#define GO "PEBBLE_TEST_GO"

__attribute__((constructor(200))) static void go_astray(void)
{
    const char *stray = getenv(STRAY), *marker = getenv("PEBBLE_BOOT");
    if (!stray || !marker || stray[0] != marker[0]) return;
    char byte;
    int go = getenv(GO) ? open(getenv(GO), O_RDONLY | O_CLOEXEC) : -1;
    if (go >= 0 && read(go, &byte, 1) < 0) _exit(6);
    if (strcmp(stray + 1, "exit") == 0) _exit(5);
    alarm(60); /* if nobody kills it */
    for (;;)
        pause();
}

static pebble_pool *impatient_pool(int method)
{
    return pool_of(&(struct pebble_pool_config){.max_workers = 2,
                                                .start_timeout = 300 * MILLISECOND,
                                                .start_method = (enum pebble_start_method)method});
}

static void expect_refusal(pebble_future *future, enum pebble_cause cause)
{
    const struct pebble_outcome *outcome = expect(future, PEBBLE_NOT_RUN);
    ck_assert_int_eq(outcome->cause, cause);
    ck_assert(!outcome->started);
    pebble_future_unref(future);
}

/* The pool finds out that its workers cannot be reached, says so, and can be joined. */
static void breaks(pebble_pool *pool)
{
    pebble_future *futures[3], *none;
    for (int i = 0; i < 3; i++)
        futures[i] = schedule(pool, job_nothing);
    for (int i = 0; i < 3; i++)
        expect_refusal(futures[i], PEBBLE_CAUSE_NO_ENTRY);
    ck_assert(!pebble_pool_active(pool));
    ck_assert_int_eq(pebble_pool_schedule(pool, job_nothing, NULL, 0, NULL, &none), -ENOEXEC);
    close_pool(pool);
}

START_TEST(a_server_that_hangs_breaks_the_pool)
{
    setenv(STRAY, "shang", 1);
    breaks(impatient_pool(_i));
}
END_TEST

START_TEST(a_server_that_exits_breaks_the_pool)
{
    setenv(STRAY, "sexit", 1);
    breaks(pool_with(_i, 2));
}
END_TEST

START_TEST(a_spawned_worker_that_hangs_breaks_the_pool)
{
    setenv(STRAY, "whang", 1);
    breaks(impatient_pool(PEBBLE_SPAWN));
}
END_TEST

/* A pool of spawned workers that exit, each when a byte was written to the scene's pipe. */
static pebble_pool *pool_of_strays(struct scene *scene, unsigned workers)
{
    char path[64];
    scene_open(scene);
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), scene->go[0]);
    setenv(GO, path, 1);
    setenv(STRAY, "wexit", 1);
    return pool_with(PEBBLE_SPAWN, workers);
}

START_TEST(spawned_workers_that_exit_are_tried_again_and_reported)
{
    struct scene scene;
    unsigned workers = (unsigned)_i;
    pebble_pool *pool = pool_of_strays(&scene, workers);
    for (int round = 0; round < 2; round++) {
        pebble_future *futures[3];
        for (int i = 0; i < 3; i++)
            futures[i] = schedule(pool, job_nothing);
        while (statistics_of(pool).started < workers)
            sched_yield();
        /* As many workers as there may be, and after their failure one at a time: twice, and once. */
        for (unsigned left = round ? 1 : workers + 2; left; left--)
            ck_assert_int_eq(write(scene.go[1], "", 1), 1);
        for (int i = 0; i < 3; i++)
            expect_refusal(futures[i], PEBBLE_CAUSE_START);
    }
    ck_assert_uint_eq(statistics_of(pool).started, workers + 3);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

/* They end one by one, each when it was time enough for another start. */
START_TEST(after_a_failed_start_one_worker_is_tried_at_a_time)
{
    enum { WORKERS = 3, TRIES = 3 };
    struct scene scene;
    pebble_pool *pool = pool_of_strays(&scene, WORKERS);
    pebble_future *futures[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        futures[i] = schedule(pool, job_nothing);
    for (unsigned ended = 0; ended < WORKERS + TRIES - 1; ended++) {
        while (statistics_of(pool).started < (ended < WORKERS ? WORKERS : ended + 1))
            ck_assert_int_eq(pebble_future_wait(futures[0], MILLISECOND), -ETIMEDOUT);
        ck_assert_int_eq(pebble_future_wait(futures[0], 100 * MILLISECOND), -ETIMEDOUT);
        ck_assert_uint_eq(statistics_of(pool).started, ended < WORKERS ? WORKERS : ended + 1);
        ck_assert_int_eq(write(scene.go[1], "", 1), 1);
    }
    for (int i = 0; i < WORKERS; i++)
        expect_refusal(futures[i], PEBBLE_CAUSE_START);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_broken_pool_harms_no_later_one)
{
    setenv(STRAY, "shang", 1);
    breaks(impatient_pool(_i));
    unsetenv(STRAY);
    pebble_pool *pool = pool_with(_i, 1);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

START_TEST(a_pool_can_be_stopped_while_its_server_hangs)
{
    setenv(STRAY, "shang", 1);
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .start_timeout = 2 * SECOND, .start_method = (enum pebble_start_method)_i});
    pebble_future *future = schedule(pool, job_nothing);
    ck_assert_int_eq(pebble_future_wait(future, 50 * MILLISECOND), -ETIMEDOUT); /* it has begun to start one */
    stop_pool(pool);
    expect_refusal(future, PEBBLE_CAUSE_STOPPED);
}
END_TEST

START_TEST(pools_that_share_a_server_that_hangs_are_all_resolved)
{
    setenv(STRAY, "shang", 1);
    pebble_pool *pools[3];
    pebble_future *futures[3];
    for (int i = 0; i < 3; i++) {
        pools[i] = impatient_pool(_i);
        futures[i] = schedule(pools[i], job_nothing);
    }
    for (int i = 0; i < 3; i++) {
        expect_and_drop(futures[i], PEBBLE_NOT_RUN);
        stop_pool(pools[i]);
    }
}
END_TEST

Suite *entry_suite(void)
{
    Suite *suite = suite_create("entry");
    TCase *tests = group(suite, "entry", 60);
    both(tests, a_server_that_hangs_breaks_the_pool);
    both(tests, a_server_that_exits_breaks_the_pool);
    tcase_add_test(tests, a_spawned_worker_that_hangs_breaks_the_pool);
    tcase_add_loop_test(tests, spawned_workers_that_exit_are_tried_again_and_reported, 1, 4);
    tcase_add_test(tests, after_a_failed_start_one_worker_is_tried_at_a_time);
    both(tests, a_broken_pool_harms_no_later_one);
    both(tests, a_pool_can_be_stopped_while_its_server_hangs);
    both(tests, pools_that_share_a_server_that_hangs_are_all_resolved);
    return suite;
}
