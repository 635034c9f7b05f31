/* SPDX-License-Identifier: Apache-2.0
 * Processes and pools that jobs make. */
#include "support.h"
#include "boot.h"
#include "proc.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int job_with_child(pebble_call *call)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) _exit(23);
    if (waitpid(pid, &status, 0) != pid) return 1;
    return reply_number(call, WEXITSTATUS(status));
}

START_TEST(a_job_may_start_and_wait_for_a_child)
{
    pebble_pool *pool = pool_with(_i, 1);
    ck_assert_int_eq(run(pool, job_with_child), 23);
    close_pool(pool);
}
END_TEST

static int job_with_program(pebble_call *call)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) execl("/bin/sh", "sh", "-c", "read line; exit 24", (char *)NULL); /* stdin is empty */
    if (waitpid(pid, &status, 0) != pid) return 1;
    return reply_number(call, WEXITSTATUS(status));
}

START_TEST(a_job_may_run_a_program)
{
    pebble_pool *pool = pool_with(_i, 1);
    ck_assert_int_eq(run(pool, job_with_program), 24);
    close_pool(pool);
}
END_TEST

/* Tells the pids of five processes that a job may leave behind: a plain child,
 * a child of that, one of another group, one of another session, a daemon. */
static void leave_kin(const struct order *order)
{
    if (fork() == 0) {
        if (fork() == 0) {
            tell(order, getpid());
            stay_busy();
        }
        tell(order, getpid());
        stay_busy();
    }
    if (fork() == 0) {
        setpgid(0, 0);
        tell(order, getpid());
        stay_busy();
    }
    if (fork() == 0) {
        setsid();
        signal(SIGTERM, SIG_IGN);
        tell(order, getpid());
        stay_busy();
    }
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            tell(order, getpid());
            stay_busy();
        }
        _exit(0);
    }
}
#define KIN 5

static int job_leave_kin(pebble_call *call)
{
    const struct order *order = order_of(call);
    leave_kin(order);
    await_go(order);
    if (order->number >= 0) _exit((int)order->number);
    for (;;)
        pause();
}

/* Every process of the job is gone when `end` has ended it. */
static void takes_its_kin_along(int method, int64_t number, void (*end)(pebble_pool *, pebble_future *))
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(method, 1);
    pebble_future *future = schedule_order(pool, job_leave_kin, order_in(&scene, number));
    int processes[KIN];
    for (int i = 0; i < KIN; i++)
        processes[i] = watch_process((pid_t)hear(&scene));
    let_go(&scene, 0);
    end(pool, future);
    for (int i = 0; i < KIN; i++)
        expect_dead(processes[i]);
    pebble_future_unref(future);
    stop_pool(pool);
}

static void by_cancel(pebble_pool *pool, pebble_future *future)
{
    (void)pool;
    pebble_future_cancel(future);
}

static void by_stop(pebble_pool *pool, pebble_future *future)
{
    (void)future;
    pebble_pool_stop(pool);
}

static void by_itself(pebble_pool *pool, pebble_future *future)
{
    (void)pool;
    ck_assert_int_eq(expect(future, PEBBLE_EXPIRED)->exit_code, 3);
}

START_TEST(all_processes_of_a_cancelled_job_are_killed)
{
    takes_its_kin_along(_i, -1, by_cancel);
}
END_TEST

START_TEST(all_processes_of_a_stopped_job_are_killed)
{
    takes_its_kin_along(_i, -1, by_stop);
}
END_TEST

START_TEST(all_processes_of_an_expired_job_are_killed)
{
    takes_its_kin_along(_i, 3, by_itself);
}
END_TEST

static int job_daemonize(pebble_call *call)
{
    const struct order *order = order_of(call);
    if (fork() == 0) {
        setsid();
        if (fork() > 0) _exit(0);
        tell(order, getpid());
        stay_busy();
    }
    return 0;
}

START_TEST(what_a_job_left_behind_goes_with_its_worker)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    expect_and_drop(schedule_order(pool, job_daemonize, order_in(&scene, 0)), PEBBLE_SUCCESS);
    int process = watch_process((pid_t)hear(&scene));
    close_pool(pool);
    expect_dead(process);
}
END_TEST

/* Whether this kernel lets a process group be named by a pidfd. */
static bool can_name_groups(void)
{
    struct pb_proc self = {getpid(), pb_pidfd_open(getpid())};
    bool can = syscall(SYS_pidfd_send_signal, self.pidfd, 0, NULL, 1U << 2) == 0;
    pb_proc_done(&self);
    return can;
}

/* Nobody knows of the others then: see Limitations. */
START_TEST(when_the_server_is_killed_the_groups_of_its_workers_are)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pid_t server = (pid_t)run(pool, job_server), worker = (pid_t)run(pool, job_pid);
    pebble_future *future = schedule_order(pool, job_leave_kin, order_in(&scene, -1));
    pid_t pids[KIN];
    int processes[KIN], in_group = 0;
    for (int i = 0; i < KIN; i++)
        processes[i] = watch_process(pids[i] = (pid_t)hear(&scene));
    bool reached[KIN];
    for (int i = 0; i < KIN; i++)
        in_group += reached[i] = can_name_groups() && getpgid(pids[i]) == worker;
    ck_assert_int_eq(in_group, can_name_groups() ? 2 : 0);
    kill(server, SIGKILL);
    expect_and_drop(future, PEBBLE_EXPIRED);
    for (int i = 0; i < KIN; i++) {
        if (!reached[i]) kill(pids[i], SIGKILL);
        expect_dead(processes[i]);
    }
    stop_pool(pool);
    scene_close(&scene);
}
END_TEST

Suite *kin_suite(void)
{
    Suite *suite = suite_create("kin");
    TCase *tests = group(suite, "kin", 60);
    both(tests, a_job_may_start_and_wait_for_a_child);
    both(tests, a_job_may_run_a_program);
    both(tests, all_processes_of_a_cancelled_job_are_killed);
    both(tests, all_processes_of_a_stopped_job_are_killed);
    both(tests, all_processes_of_an_expired_job_are_killed);
    both(tests, what_a_job_left_behind_goes_with_its_worker);
    both(tests, when_the_server_is_killed_the_groups_of_its_workers_are);
    return suite;
}
