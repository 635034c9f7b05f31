/* SPDX-License-Identifier: Apache-2.0
 * Hosts that are suspended, and numbers that have become large. The wheel of
 * timers is tested at both ends of time in wheel, the counters of a link where
 * they wrap in link; a wall clock that jumps is in Tests/Faults/test_wall.c. */
#include "support.h"
#include "clock.h"
#include "fd.h"
#include "poolstate.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- suspended hosts --- */

static bool is_stopped(pid_t pid)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (pb_read_file(path, text, sizeof text) < 0) return false;
    const char *state = strrchr(text, ')');
    return state && state[1] == ' ' && state[2] == 'T';
}

/* A child of the host's that suspends it once a job has begun, lets that job end,
 * and wakes the host when `until` is over. */
static pid_t suspend_host(const struct scene *scene, int64_t until)
{
    pid_t host = getpid(), child = fork();
    if (child != 0) return child;
    hear(scene);
    kill(host, SIGSTOP);
    while (!is_stopped(host))
        sched_yield();
    let_go(scene, 0);
    struct timespec moment = pb_timespec(until);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL) != 0)
        continue;
    kill(host, SIGCONT);
    _exit(0);
}

static void reap(pid_t child)
{
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Limits go on meanwhile. But what the worker has answered in time is an answer in time, whenever it is read. */
START_TEST(a_job_that_was_done_in_time_is_when_the_host_was_suspended)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 2);
    int64_t server = run(pool, job_server), limit = 3 * SECOND;
    pid_t child = suspend_host(&scene, pb_after(pb_now(), limit + SECOND / 2));
    pebble_future *hangs = schedule_limited(pool, job_hang, (struct order){0},
                                            (struct pebble_job_options){.timeout = SECOND});
    pebble_future *done = schedule_limited(pool, job_meet, order_in(&scene, 0),
                                           (struct pebble_job_options){.timeout = limit});
    expect_and_drop(done, PEBBLE_SUCCESS);
    ck_assert_int_ge(expect(hangs, PEBBLE_TIMEOUT)->run_time, SECOND);
    pebble_future_unref(hangs);
    reap(child);
    ck_assert_int_eq(run(pool, job_server), server); /* nor is the server taken for one that hangs */
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

/* --- large numbers --- */

START_TEST(a_pool_may_have_had_any_number_of_workers)
{
    static const uint64_t had[] = {UINT32_MAX - 3, INT64_MAX - 3, UINT64_MAX - 3};
    for (size_t i = 0; i < PB_COUNT(had); i++) {
        pebble_pool *pool = pool_of(&(struct pebble_pool_config){
            .max_workers = 2, .max_tasks = 1, .start_method = (enum pebble_start_method)_i});
        pool->next_worker = had[i];
        for (int n = 0; n < 8; n++)
            ck_assert_int_gt(run(pool, job_pid), 0);
        pebble_future *future = schedule_limited(pool, job_hang, (struct order){0},
                                                 (struct pebble_job_options){.timeout = 10 * MILLISECOND});
        expect(future, PEBBLE_TIMEOUT);
        wait_gone(future);
        pebble_future_unref(future);
        close_pool(pool);
    }
}
END_TEST

START_TEST(limits_may_be_as_long_as_time)
{
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                             .max_age = INT64_MAX,
                                                             .idle_timeout = INT64_MAX,
                                                             .start_timeout = INT64_MAX,
                                                             .grace = INT64_MAX,
                                                             .start_method = (enum pebble_start_method)_i});
    const struct pebble_job_options options = {
        .timeout = INT64_MAX, .queue_timeout = INT64_MAX, .deadline = INT64_MAX};
    pebble_future *future = schedule_limited(pool, job_pid, (struct order){0}, options);
    ck_assert_int_eq(pebble_future_wait(future, INT64_MAX), 0);
    ck_assert_int_gt(number_from(future), 0);
    close_pool(pool);
}
END_TEST

Suite *clocks_suite(void)
{
    Suite *suite = suite_create("clocks");
    TCase *tests = group(suite, "clocks", 60);
    both(tests, a_job_that_was_done_in_time_is_when_the_host_was_suspended);
    both(tests, a_pool_may_have_had_any_number_of_workers);
    both(tests, limits_may_be_as_long_as_time);
    return suite;
}
