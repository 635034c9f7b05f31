/* SPDX-License-Identifier: Apache-2.0
 * Hosts that do to the whole process what Pebble must stand, or notice. */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void use_a_pool(int method)
{
    pebble_pool *pool = pool_with(method, 2);
    ck_assert_int_gt(run(pool, job_pid), 0);
    expect_and_drop(schedule_order(pool, job_exit, (struct order){.number = 1}), PEBBLE_EXPIRED);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}

/* --- wait --- */

static void *wait_for_any(void *arg)
{
    int *ret_seen = arg, status;
    while (wait(&status) > 0)
        ret_seen[WEXITSTATUS(status)]++;
    return NULL;
}

START_TEST(a_host_that_waits_for_any_child_gets_its_own)
{
    int go[2], seen[256] = {0};
    pthread_t waiter;
    ck_assert_int_eq(pipe(go), 0);
    if (fork() == 0) {
        char byte;
        close(go[1]);
        _exit(read(go[0], &byte, 1) == 0 ? 17 : 1);
    }
    pthread_create(&waiter, NULL, wait_for_any, seen);
    use_a_pool(_i); /* while wait is called */
    close(go[1]);
    pthread_join(waiter, NULL);
    seen[17]--;
    for (int status = 0; status < 256; status++)
        ck_assert_int_eq(seen[status], 0);
}
END_TEST

/* A subreaper is given what has lost its parent: the server, as any other. */
START_TEST(a_host_that_is_a_subreaper_has_the_server_as_a_child)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pebble_pool *pool = pool_with(_i, 1);
    pid_t server = (pid_t)run(pool, job_server);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0);
    ck_assert_int_eq(children_of(getpid()), 1);
    kill(server, SIGKILL);
    ck_assert_int_eq(waitpid(-1, NULL, 0), server); /* whoever takes it away, the pool goes on */
    ck_assert_int_ne(run(pool, job_server), server);
    close_pool(pool);
    while (waitpid(-1, NULL, 0) > 0) /* workers that the first server left behind; the second one leaves when it is unused */
        continue;
    ck_assert_int_eq(errno, ECHILD);
    use_a_pool(_i);
}
END_TEST

/* --- signals --- */

/* What is in the way of a long input when its reader is gone. */
START_TEST(a_host_with_sigpipe_as_it_is_by_default_survives_its_workers)
{
    static char large[4 << 20];
    signal(SIGPIPE, SIG_DFL);
    pebble_pool *pool = pool_with(_i, 1);
    for (int i = 0; i < 20; i++) {
        pebble_future *future = schedule_bytes(pool, job_echo, large, sizeof large);
        kill((pid_t)run(pool, job_pid), SIGKILL);
        outcome_of(future);
        pebble_future_unref(future);
    }
    close_pool(pool);
}
END_TEST

START_TEST(a_host_may_block_or_ignore_every_signal)
{
    sigset_t all;
    sigfillset(&all);
    if (_i / 2) {
        for (int number = 1; number < NSIG; number++)
            signal(number, SIG_IGN);
    } else {
        pthread_sigmask(SIG_SETMASK, &all, NULL);
    }
    use_a_pool(_i % 2);
}
END_TEST

/* --- where it is --- */

static int job_folder(pebble_call *call)
{
    char folder[512];
    return getcwd(folder, sizeof folder) ? pebble_call_write(call, folder, strlen(folder)) : 1;
}

static void expect_folder(pebble_pool *pool, const char *expected)
{
    pebble_future *future = schedule(pool, job_folder);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    ck_assert_uint_eq(outcome->length, strlen(expected));
    ck_assert_mem_eq(outcome->data, expected, outcome->length);
    pebble_future_unref(future);
}

START_TEST(workers_stay_where_the_host_was_when_its_first_pool_began)
{
    ck_assert_int_eq(chdir("/usr"), 0);
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = 1, .max_tasks = 1, .start_method = (enum pebble_start_method)_i});
    expect_folder(pool, "/usr");
    ck_assert_int_eq(chdir("/"), 0);
    expect_folder(pool, "/usr");
    close_pool(pool);
}
END_TEST

START_TEST(a_host_may_be_in_a_folder_that_is_gone)
{
    char folder[] = "/tmp/pebble-gone-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    use_a_pool(_i);
}
END_TEST

/* --- descriptors --- */

/* All but those that there were: check(3) has its own. */
static bool known[500];

static void learn_descriptors(void)
{
    for (int fd = 0; fd < 500; fd++)
        known[fd] = fcntl(fd, F_GETFD) >= 0;
}

static void close_the_others(void)
{
    for (int fd = 0; fd < 500; fd++)
        if (!known[fd]) close(fd);
}

static int job_flags_of_3(pebble_call *call)
{
    return reply_number(call, fcntl(3, F_GETFD));
}

/* The server that was left lives on what has been closed; what took the number is not touched. */
START_TEST(a_host_may_close_all_descriptors_between_pools)
{
    learn_descriptors();
    pebble_pool *pool = pool_with(_i, 1);
    pid_t server = (pid_t)run(pool, job_server);
    int process = fcntl(watch_process(server), F_DUPFD_CLOEXEC, 500);
    close_pool(pool);
    while (count_pool_threads() > 0) /* the loop's last lines */
        sched_yield();
    close_the_others();
    int ends[40][2];
    for (int i = 0; i < 40; i++) /* of the same kind as what was there */
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends[i]), 0);
    expect_dead(process); /* its host has left it */
    pool = pool_with(_i, 1);
    ck_assert_int_ne(run(pool, job_server), server);
    ck_assert_int_ge(run(pool, job_flags_of_3), 0);
    close_pool(pool);
    for (int i = 0; i < 40; i++) {
        char byte;
        ck_assert_int_eq(recv(ends[i][0], &byte, 1, 0), -1);
        ck_assert_int_eq(errno, EAGAIN); /* nothing was sent, and it is open */
        ck_assert_int_eq(recv(ends[i][1], &byte, 1, 0), -1);
        ck_assert_int_eq(errno, EAGAIN);
    }
}
END_TEST

/* Its pool is lost, and what it knows of it: but nobody hangs without asking for it, no
 * worker is left, and others are not harmed. */
START_TEST(a_host_that_closes_the_descriptors_of_a_pool_loses_that_pool_alone)
{
    learn_descriptors();
    pebble_pool *pool = pool_with(_i, 1);
    int server = fcntl(watch_process((pid_t)run(pool, job_server)), F_DUPFD_CLOEXEC, 500);
    int worker = fcntl(watch_process((pid_t)run(pool, job_pid)), F_DUPFD_CLOEXEC, 500);
    close_the_others();
    expect_dead(worker);
    expect_dead(server);
    pebble_future *future;
    if (pebble_pool_schedule(pool, job_nothing, NULL, 0, NULL, &future) == 0) {
        ck_assert_int_eq(pebble_future_wait(future, 50 * MILLISECOND), -ETIMEDOUT);
        pebble_future_unref(future);
    }
    use_a_pool(_i);
}
END_TEST

Suite *coexist_suite(void)
{
    Suite *suite = suite_create("coexist");
    TCase *tests = group(suite, "coexist", 60);
    both(tests, a_host_with_sigpipe_as_it_is_by_default_survives_its_workers);
    tcase_add_loop_test(tests, a_host_may_block_or_ignore_every_signal, 0, 4);
    both(tests, workers_stay_where_the_host_was_when_its_first_pool_began);
    both(tests, a_host_may_be_in_a_folder_that_is_gone);
    both(tests, a_host_may_close_all_descriptors_between_pools);
    TCase *children = group_without(suite, "not-valgrind", "children", 60);
    both(children, a_host_that_waits_for_any_child_gets_its_own);
    both(children, a_host_that_is_a_subreaper_has_the_server_as_a_child);
    TCase *careless = group_without(suite, "not-tsan", "careless", 60);
    both(careless, a_host_that_closes_the_descriptors_of_a_pool_loses_that_pool_alone);
    return suite;
}
