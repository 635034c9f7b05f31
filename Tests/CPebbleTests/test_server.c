/* SPDX-License-Identifier: Apache-2.0
 * The fork server as seen from a host. */
#include "support.h"

#include <signal.h>
#include <unistd.h>

START_TEST(one_server_serves_all_pools)
{
    pebble_pool *one = pool_with(_i, 1), *other = pool_with(1 - _i, 1);
    int64_t server = run(one, job_server);
    ck_assert_int_eq(run(other, job_server), server);
    close_pool(one);
    close_pool(other);
    one = pool_with(_i, 1);
    ck_assert_int_eq(run(one, job_server), server);
    close_pool(one);
}
END_TEST

START_TEST(when_the_server_is_killed_running_jobs_expire_and_waiting_ones_run)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 2);
    pid_t server = (pid_t)run(pool, job_server);
    pebble_future *running[2], *waiting[3];
    int processes[2];
    for (int i = 0; i < 2; i++)
        running[i] = schedule_order(pool, job_spin, order_in(&scene, 0));
    for (int i = 0; i < 2; i++)
        processes[i] = watch_process((pid_t)hear(&scene));
    for (int i = 0; i < 3; i++)
        waiting[i] = schedule(pool, job_server);
    ck_assert_int_eq(kill(server, SIGKILL), 0);
    for (int i = 0; i < 2; i++) {
        const struct pebble_outcome *outcome = expect(running[i], PEBBLE_EXPIRED);
        ck_assert_int_eq(outcome->exit_code, -1);
        ck_assert_int_eq(outcome->exit_signal, 0);
        ck_assert_int_ne(outcome->pid, 0);
        pebble_future_unref(running[i]);
        expect_dead(processes[i]);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_ne(number_from(waiting[i]), server);
    close_pool(pool);
}
END_TEST

START_TEST(when_the_server_is_killed_between_jobs_nobody_notices)
{
    pebble_pool *one = pool_with(_i, 1), *other = pool_with(_i, 1);
    for (int i = 0; i < 3; i++) {
        pid_t server = (pid_t)run(one, job_server);
        ck_assert_int_eq(run(other, job_server), server);
        int process = watch_process(server);
        kill(server, SIGKILL);
        expect_dead(process);
        ck_assert_int_ne(run(one, job_server), server);
        ck_assert_int_eq(run(other, job_server), run(one, job_server));
    }
    close_pool(one);
    close_pool(other);
}
END_TEST

START_TEST(a_pool_can_be_stopped_when_the_server_is_dead)
{
    pebble_pool *pool = pool_with(_i, 2);
    kill((pid_t)run(pool, job_server), SIGKILL);
    stop_pool(pool);
}
END_TEST

START_TEST(a_stopped_server_holds_up_nothing_but_starts)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pid_t server = (pid_t)run(pool, job_server);
    kill(server, SIGSTOP);
    ck_assert_int_gt(run(pool, job_pid), 0);
    pebble_future *future = schedule_order(pool, job_hang, order_in(&scene, 0));
    int process = watch_process((pid_t)hear(&scene));
    pebble_future_cancel(future);
    expect(future, PEBBLE_CANCELLED);
    expect_dead(process);
    kill(server, SIGCONT);
    wait_gone(future);
    pebble_future_unref(future);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

/* Its running job expires, though nobody tells how; its waiting one runs. */
START_TEST(a_server_that_stays_stopped_is_replaced_when_a_worker_dies)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pid_t server = (pid_t)run(pool, job_server);
    pebble_future *future = schedule_order(pool, job_hang, order_in(&scene, 0));
    pid_t worker = (pid_t)hear(&scene);
    pebble_future *waiting = schedule(pool, job_server);
    int process = watch_process(server);
    kill(server, SIGSTOP);
    kill(worker, SIGKILL);
    ck_assert_int_eq(expect(future, PEBBLE_EXPIRED)->pid, worker);
    pebble_future_unref(future);
    expect_dead(process);
    ck_assert_int_ne(number_from(waiting), server);
    close_pool(pool);
}
END_TEST

START_TEST(a_server_that_stays_stopped_is_replaced_when_a_worker_is_wanted)
{
    pebble_pool *first = pool_with(_i, 1), *pool;
    pid_t server = (pid_t)run(first, job_server);
    kill(server, SIGSTOP);
    pool = pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                .start_method = (enum pebble_start_method)_i,
                                                .start_timeout = SECOND});
    ck_assert_int_ne(run(pool, job_server), server);
    ck_assert_int_ne(run(first, job_server), server);
    close_pool(first);
    close_pool(pool);
}
END_TEST

START_TEST(an_unused_server_goes_and_comes_back)
{
    pebble_pool *pool = pool_with(PEBBLE_FORK_SERVER, 1);
    pid_t server = (pid_t)run(pool, job_server);
    int process = watch_process(server);
    close_pool(pool);
    ck_assert(alive(process));
    expect_dead(process);
    pool = pool_with(PEBBLE_FORK_SERVER, 1);
    ck_assert_int_ne(run(pool, job_server), server);
    close_pool(pool);
}
END_TEST

START_TEST(pools_go_on_whatever_moment_the_server_is_killed_at)
{
    pebble_pool *pool = pool_with(_i, 2);
    pid_t server = (pid_t)run(pool, job_server);
    for (int i = 0; i < 20; i++) {
        pebble_future *futures[4];
        for (int k = 0; k < 4; k++)
            futures[k] = schedule(pool, job_server);
        for (volatile int turns = 0; turns < i * 50000; turns++)
            continue;
        kill(server, SIGKILL);
        for (int k = 0; k < 4; k++) {
            const struct pebble_outcome *outcome = outcome_of(futures[k]);
            ck_assert(outcome->status == PEBBLE_SUCCESS || outcome->status == PEBBLE_EXPIRED);
            pebble_future_unref(futures[k]);
        }
        pebble_future *future;
        while (outcome_of(future = schedule(pool, job_server))->status != PEBBLE_SUCCESS)
            pebble_future_unref(future);
        server = (pid_t)number_from(future);
    }
    close_pool(pool);
}
END_TEST

Suite *server_suite(void)
{
    Suite *suite = suite_create("server");
    TCase *tests = group(suite, "server", 60);
    both(tests, one_server_serves_all_pools);
    both(tests, when_the_server_is_killed_running_jobs_expire_and_waiting_ones_run);
    both(tests, when_the_server_is_killed_between_jobs_nobody_notices);
    both(tests, a_pool_can_be_stopped_when_the_server_is_dead);
    both(tests, a_stopped_server_holds_up_nothing_but_starts);
    both(tests, a_server_that_stays_stopped_is_replaced_when_a_worker_dies);
    both(tests, a_server_that_stays_stopped_is_replaced_when_a_worker_is_wanted);
    tcase_add_test(tests, an_unused_server_goes_and_comes_back);
    both(tests, pools_go_on_whatever_moment_the_server_is_killed_at);
    return suite;
}
