/* SPDX-License-Identifier: Apache-2.0
 * What a host notices of its pools, and they of it. */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Some of everything that makes workers come and go. */
static void use_a_pool(int method)
{
    pebble_pool *pool = pool_with(method, 2);
    expect_and_drop(schedule(pool, job_nothing), PEBBLE_SUCCESS);
    expect_and_drop(schedule_order(pool, job_exit, (struct order){.number = 1}), PEBBLE_EXPIRED);
    pebble_future *future = schedule(pool, job_hang);
    pebble_future_cancel(future);
    expect_and_drop(future, PEBBLE_CANCELLED);
    pebble_future_unref(schedule(pool, job_nothing));
    close_pool(pool);
}

static void expect_no_children(void)
{
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1);
    ck_assert_int_eq(errno, ECHILD);
}

START_TEST(a_host_has_no_children)
{
    struct scene scene;
    scene_open(&scene);
    expect_no_children();
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_meet, order_in(&scene, 0));
    hear(&scene);
    expect_no_children();
    let_go(&scene, 0);
    expect_and_drop(future, PEBBLE_SUCCESS);
    use_a_pool(_i);
    close_pool(pool);
    expect_no_children();
}
END_TEST

static atomic_int signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

START_TEST(a_host_gets_no_sigchld)
{
    signal(SIGCHLD, count_signal);
    use_a_pool(_i);
    ck_assert_int_eq(signals, 0);
}
END_TEST

START_TEST(a_host_may_ignore_sigchld)
{
    signal(SIGCHLD, SIG_IGN);
    use_a_pool(_i);
    use_a_pool(_i);
}
END_TEST

START_TEST(a_host_may_have_children_of_its_own)
{
    pid_t pid = fork();
    if (pid == 0) _exit(17);
    use_a_pool(_i);
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(WEXITSTATUS(status), 17);
}
END_TEST

START_TEST(signal_settings_of_a_host_are_left_alone)
{
    struct sigaction before[NSIG] = {0}, after[NSIG] = {0};
    sigset_t mask, mask_after;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    for (int number = 1; number < NSIG; number++)
        sigaction(number, NULL, &before[number]);
    use_a_pool(_i);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    for (int number = 1; number < NSIG; number++) {
        sigaction(number, NULL, &after[number]);
        ck_assert(before[number].sa_handler == after[number].sa_handler);
        ck_assert_int_eq(sigismember(&mask, number), sigismember(&mask_after, number));
    }
}
END_TEST

/* A thread that is no longer needed may take a moment to end. */
static void expect_soon(int (*count)(void), int expected)
{
    time_t until = time(NULL) + PATIENCE / SECOND;
    while (count() != expected && time(NULL) < until)
        sched_yield();
    ck_assert_int_eq(count(), expected);
}

START_TEST(pools_leave_no_descriptors_and_no_threads)
{
    use_a_pool(_i); /* the link to the fork server stays */
    expect_soon(count_threads, 1);
    int descriptors = count_descriptors();
    for (int i = 0; i < 50; i++)
        use_a_pool(_i);
    expect_soon(count_threads, 1);
    expect_soon(count_descriptors, descriptors);
}
END_TEST

/* How many descriptors a program would inherit. */
static int count_inheritable(void)
{
    int count = 0;
    for (int fd = 0; fd < 1000; fd++) {
        int flags = fcntl(fd, F_GETFD);
        count += flags >= 0 && !(flags & FD_CLOEXEC);
    }
    return count;
}

START_TEST(descriptors_of_a_host_are_close_on_exec)
{
    struct scene scene;
    scene_open(&scene);
    int before = count_inheritable();
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_meet, order_in(&scene, 0));
    hear(&scene);
    ck_assert_int_eq(count_inheritable(), before);
    let_go(&scene, 0);
    expect_and_drop(future, PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

/* --- a host without descriptors left --- */

/* Leaves room for so many new descriptors; returns the limit there was. */
static rlim_t leave_room(int descriptors)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t before = limit.rlim_cur;
    int lowest = dup(STDERR_FILENO);
    close(lowest);
    limit.rlim_cur = (rlim_t)(lowest + descriptors);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

static void restore_room(rlim_t before)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = before;
    setrlimit(RLIMIT_NOFILE, &limit);
}

START_TEST(a_pool_without_descriptors_says_so_and_recovers)
{
    pebble_pool *pool = pool_with(_i, 2), *none = NULL;
    rlim_t before = leave_room(0);
    ck_assert_int_eq(pebble_pool_new(NULL, &none), -EMFILE);
    pebble_future *future = schedule(pool, job_nothing);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_NOT_RUN);
    ck_assert_int_eq(outcome->cause, PEBBLE_CAUSE_START);
    ck_assert_int_eq(outcome->error, EMFILE);
    pebble_future_unref(future);
    restore_room(before);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

START_TEST(a_pool_with_few_descriptors_can_end_all_its_workers)
{
    pebble_pool *pool = pool_with(_i, 8);
    run(pool, job_pid);
    rlim_t before = leave_room(6);
    pebble_future *futures[8];
    for (int i = 0; i < 8; i++)
        futures[i] = schedule_limited(pool, job_hang, (struct order){0},
                                      (struct pebble_job_options){.timeout = 100 * MILLISECOND});
    for (int i = 0; i < 8; i++) {
        expect(futures[i], PEBBLE_TIMEOUT);
        wait_gone(futures[i]);
        pebble_future_unref(futures[i]);
    }
    restore_room(before);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

Suite *host_suite(void)
{
    Suite *suite = suite_create("host");
    TCase *tests = group(suite, "host", 60);
    both(tests, a_host_has_no_children);
    both(tests, a_host_may_ignore_sigchld);
    both(tests, a_host_may_have_children_of_its_own);
    both(tests, descriptors_of_a_host_are_close_on_exec);
    tests = group_without(suite, "not-valgrind", "precise", 60);
    both(tests, a_host_gets_no_sigchld);
    both(tests, a_pool_without_descriptors_says_so_and_recovers);
    both(tests, a_pool_with_few_descriptors_can_end_all_its_workers);
    TCase *bare = group_without(suite, "not-tsan", "bare", 60);
    both(bare, signal_settings_of_a_host_are_left_alone);
    both(bare, pools_leave_no_descriptors_and_no_threads);
    return suite;
}
