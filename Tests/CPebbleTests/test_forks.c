/* SPDX-License-Identifier: Apache-2.0
 * Hosts that fork, and hosts that end. */
#include "support.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int exit_code_of(pid_t pid)
{
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int try_in_a_fork(pebble_pool *pool)
{
    pebble_future *future;
    pid_t pid = fork();
    if (pid == 0) {
        if (pebble_pool_schedule(pool, job_pid, NULL, 0, NULL, &future) != -ECHILD) _exit(1);
        pebble_pool_close(pool);
        if (pebble_pool_join(pool, SECOND) != -ECHILD) _exit(2);
        pebble_pool_unref(pool);
        _exit(0);
    }
    return exit_code_of(pid);
}

START_TEST(a_fork_of_a_host_cannot_use_its_pool)
{
    pebble_pool *pool = pool_with(_i, 1);
    run(pool, job_pid);
    ck_assert_int_eq(try_in_a_fork(pool), 0);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

START_TEST(a_fork_of_a_host_cannot_use_its_pool_that_had_no_job)
{
    pebble_pool *pool = pool_with(_i, 1);
    ck_assert_int_eq(try_in_a_fork(pool), 0);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

START_TEST(a_fork_of_a_host_may_have_its_own_pool)
{
    pebble_pool *pool = pool_with(_i, 1);
    run(pool, job_pid);
    pid_t pid = fork();
    if (pid == 0) {
        pebble_pool *own = pool_with(_i, 1);
        run(own, job_pid);
        close_pool(own);
        _exit(0);
    }
    ck_assert_int_eq(exit_code_of(pid), 0);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

static void be_killed(void)
{
    kill(getpid(), SIGKILL);
}

static void be_done(void)
{
    exit(0);
}

static void be_another_program(void)
{
    execl("/bin/sleep", "sleep", "60", (char *)NULL);
}

/* A host, with workers in busy loops and waiting for jobs, ends: all its processes go with it. */
static void takes_its_workers_along(int method, void (*end)(void))
{
    struct scene scene;
    scene_open(&scene);
    struct order order = order_in(&scene, 0);
    pid_t host = fork();
    if (host == 0) {
        pebble_pool *pool = pool_with(method, 4);
        tell(&order, run(pool, job_server));
        tell(&order, run(pool, job_pid));
        for (int i = 0; i < 2; i++)
            schedule_order(pool, i ? job_resist : job_spin, order);
        await_go(&order);
        end();
    }
    int processes[4];
    for (int i = 0; i < 4; i++)
        processes[i] = watch_process((pid_t)hear(&scene));
    let_go(&scene, 0);
    for (int i = 0; i < 4; i++)
        expect_dead(processes[i]);
    kill(host, SIGKILL);
    ck_assert_int_eq(waitpid(host, NULL, 0), host);
}

START_TEST(the_workers_of_a_killed_host_are_gone)
{
    takes_its_workers_along(_i, be_killed);
}
END_TEST

START_TEST(the_workers_of_a_host_that_exits_are_gone)
{
    takes_its_workers_along(_i, be_done);
}
END_TEST

START_TEST(the_workers_of_a_host_that_becomes_another_program_are_gone)
{
    takes_its_workers_along(_i, be_another_program);
}
END_TEST

Suite *forks_suite(void)
{
    Suite *suite = suite_create("forks");
    TCase *tests = group(suite, "forks", 60);
    both(tests, a_fork_of_a_host_cannot_use_its_pool);
    both(tests, a_fork_of_a_host_cannot_use_its_pool_that_had_no_job);
    both(tests, a_fork_of_a_host_may_have_its_own_pool);
    both(tests, the_workers_of_a_killed_host_are_gone);
    both(tests, the_workers_of_a_host_that_exits_are_gone);
    both(tests, the_workers_of_a_host_that_becomes_another_program_are_gone);
    return suite;
}
