/* SPDX-License-Identifier: Apache-2.0
 * Signals that are read from a descriptor. */
#include "support.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pebble_signal_handler *open_for(const int signals[], size_t count)
{
    pebble_signal_handler *handler;
    ck_assert_int_eq(pebble_signal_open(signals, count, &handler), 0);
    return handler;
}

static pebble_signal_handler *open_one(int signal)
{
    return open_for(&signal, 1);
}

static bool readable(const pebble_signal_handler *handler)
{
    struct pollfd polled = {.fd = pebble_signal_fd(handler), .events = POLLIN};
    return poll(&polled, 1, 0) == 1;
}

static void expect_signal(pebble_signal_handler *handler, int expected)
{
    int signal = 0;
    wait_readable(pebble_signal_fd(handler));
    ck_assert_int_eq(pebble_signal_read(handler, &signal), 0);
    ck_assert_int_eq(signal, expected);
}

static void expect_nothing(pebble_signal_handler *handler)
{
    int signal = -7;
    ck_assert(!readable(handler));
    ck_assert_int_eq(pebble_signal_read(handler, &signal), -EAGAIN);
    ck_assert_int_eq(signal, -7);
}

static bool is_default(int signal)
{
    struct sigaction action;
    sigaction(signal, NULL, &action);
    return action.sa_handler == SIG_DFL;
}

START_TEST(a_signal_makes_the_descriptor_readable_and_can_be_read_once)
{
    pebble_signal_handler *handler = open_for((const int[]){SIGUSR1, SIGWINCH}, 2);
    expect_nothing(handler);
    for (int i = 0; i < 100; i++) {
        int signal = i % 2 ? SIGUSR1 : SIGWINCH;
        kill(getpid(), signal);
        expect_signal(handler, signal);
        expect_nothing(handler);
    }
    pebble_signal_forget(handler);
    ck_assert(is_default(SIGUSR1) && is_default(SIGWINCH));
}
END_TEST

START_TEST(each_real_time_signal_is_read)
{
    pebble_signal_handler *handler = open_one(SIGRTMIN);
    for (int i = 0; i < 200; i++)
        ck_assert_int_eq(sigqueue(getpid(), SIGRTMIN, (union sigval){0}), 0);
    for (int i = 0; i < 200; i++)
        expect_signal(handler, SIGRTMIN);
    expect_nothing(handler);
    pebble_signal_forget(handler);
}
END_TEST

static void count(int signal, void *arg)
{
    (void)signal;
    atomic_fetch_add((atomic_int *)arg, 1);
}

START_TEST(all_who_are_for_a_signal_get_it)
{
    atomic_int calls = 0;
    int signal = SIGUSR2;
    pebble_signal_handler *first = open_one(signal), *function, *last;
    ck_assert_int_eq(pebble_signal_handle(&signal, 1, count, &calls, &function), 0);
    last = open_one(signal);
    kill(getpid(), signal);
    expect_signal(last, signal); /* called in the order of their making */
    ck_assert_int_eq(calls, 1);
    expect_signal(first, signal);
    pebble_signal_forget(first);
    kill(getpid(), signal);
    expect_signal(last, signal);
    ck_assert_int_eq(calls, 2);
    pebble_signal_forget(function);
    ck_assert(!is_default(signal));
    pebble_signal_forget(last);
    ck_assert(is_default(signal));
}
END_TEST

static void save_dispositions(void (*ret_handlers[SIGSYS + 1])(int))
{
    for (int signal = 1; signal <= SIGSYS; signal++) {
        struct sigaction action;
        sigaction(signal, NULL, &action);
        ret_handlers[signal] = action.sa_handler;
    }
}

START_TEST(nothing_else_is_touched_and_nothing_is_left)
{
    void (*usual[SIGSYS + 1])(int), (*now[SIGSYS + 1])(int);
    save_dispositions(usual);
    int before = count_descriptors();
    for (int i = 0; i < 50; i++) {
        pebble_signal_handler *handler = open_one(SIGHUP);
        ck_assert_int_eq(count_descriptors(), before + 1);
        save_dispositions(now);
        for (int signal = 1; signal <= SIGSYS; signal++)
            ck_assert_int_eq(now[signal] == usual[signal], signal != SIGHUP);
        kill(getpid(), SIGHUP);
        if (i % 2) wait_readable(pebble_signal_fd(handler)); /* and is forgotten unread */
        pebble_signal_forget(handler);
        ck_assert(is_default(SIGHUP));
    }
    ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

START_TEST(what_cannot_be_read_is_refused)
{
    int kill_signal = SIGKILL, fault = SIGSEGV, usual = SIGUSR1, signal;
    pebble_signal_handler *handler = NULL;
    int before = count_descriptors();
    ck_assert_int_eq(pebble_signal_open(&kill_signal, 1, &handler), -EINVAL);
    ck_assert_int_eq(pebble_signal_open(&fault, 1, &handler), -EINVAL);
    ck_assert_int_eq(pebble_signal_open(&usual, 0, &handler), -EINVAL);
    ck_assert_int_eq(count_descriptors(), before);

    struct rlimit limit, none;
    getrlimit(RLIMIT_NOFILE, &limit);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    int rc = pebble_signal_open(&usual, 1, &handler);
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert_int_eq(rc, -EMFILE);
    ck_assert_ptr_null(handler);
    ck_assert(is_default(usual));

    atomic_int calls = 0;
    ck_assert_int_eq(pebble_signal_handle(&usual, 1, count, &calls, &handler), 0);
    ck_assert_int_eq(pebble_signal_fd(handler), -EINVAL);
    ck_assert_int_eq(pebble_signal_read(handler, &signal), -EINVAL);
    pebble_signal_forget(handler);
}
END_TEST

START_TEST(a_fork_has_nothing_to_read)
{
    pebble_signal_handler *handler = open_one(SIGUSR1);
    kill(getpid(), SIGUSR1);
    wait_readable(pebble_signal_fd(handler));
    pid_t child = fork();
    if (child == 0) {
        int signal, rc = pebble_signal_read(handler, &signal);
        pebble_signal_forget(handler);
        _exit(rc == -ECHILD && is_default(SIGUSR1) ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    expect_signal(handler, SIGUSR1);
    pebble_signal_forget(handler);
}
END_TEST

Suite *signals_read_suite(void)
{
    Suite *suite = suite_create("signals_read");
    TCase *tests = group(suite, "signals_read", 60);
    tcase_add_test(tests, a_signal_makes_the_descriptor_readable_and_can_be_read_once);
    tcase_add_test(tests, each_real_time_signal_is_read);
    tcase_add_test(tests, all_who_are_for_a_signal_get_it);
    tcase_add_test(tests, nothing_else_is_touched_and_nothing_is_left);
    tcase_add_test(tests, what_cannot_be_read_is_refused);
    tcase_add_test(tests, a_fork_has_nothing_to_read);
    return suite;
}
