/* SPDX-License-Identifier: Apache-2.0
 * What a job finds around it: the process that it runs in. */
#include "support.h"
#include "boot.h"
#include "fd.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A job that checks something and replies with nothing: it fails with the line where it was not so. */
#define CHECK(condition)                                                                                       \
    do {                                                                                                       \
        if (!(condition)) return __LINE__;                                                                     \
    } while (0)

static void passes_in(int method, pebble_function function)
{
    pebble_pool *pool = pool_with(method, 1);
    pebble_future *future = schedule(pool, function);
    const struct pebble_outcome *outcome = outcome_of(future);
    ck_assert_msg(outcome->status == PEBBLE_SUCCESS, "line %d", outcome->code);
    pebble_future_unref(future);
    close_pool(pool);
}

static int job_check_environment(pebble_call *call)
{
    (void)call;
    CHECK(pebble_in_worker());
    CHECK(!getenv("PEBBLE_BOOT"));
    CHECK(strcmp(getenv("PEBBLE_TEST"), "kept") == 0);
    CHECK(strcmp(getenv("SWIFT_BACKTRACE"), "enable=yes") == 0);
    CHECK(!getenv("PEBBLE_SWIFT_BACKTRACE"));
    return 0;
}

START_TEST(a_worker_has_the_environment_of_its_host_without_the_marker)
{
    ck_assert(!pebble_in_worker());
    setenv("PEBBLE_TEST", "kept", 1);
    setenv("SWIFT_BACKTRACE", "enable=yes", 1);
    setenv("PEBBLE_BOOT", "w1:1:pool", 1); /* means nothing */
    passes_in(_i, job_check_environment);
}
END_TEST

static int job_check_descriptors(pebble_call *call)
{
    struct stat null, in;
    (void)call;
    for (int fd = 0; fd < PB_BOOT_FDS_END; fd++)
        CHECK(fcntl(fd, F_GETFD) >= 0);
    for (int fd = PB_BOOT_CHANNEL_FD; fd < PB_BOOT_FDS_END; fd++)
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(PB_BOOT_FDS_END, F_GETFD) & FD_CLOEXEC); /* what pebble_call_suspend waits on */
    for (int fd = PB_BOOT_FDS_END + 1; fd < 1000; fd++)
        CHECK(fcntl(fd, F_GETFD) < 0);
    CHECK(fstat(STDIN_FILENO, &in) == 0 && stat("/dev/null", &null) == 0);
    CHECK(in.st_rdev == null.st_rdev);
    return 0;
}

START_TEST(a_worker_has_its_own_descriptors_only_and_an_empty_stdin)
{
    for (int fd = 50; fd < 60; fd++)
        dup2(STDERR_FILENO, fd);
    passes_in(_i, job_check_descriptors);
}
END_TEST

static int job_check_output(pebble_call *call)
{
    struct stat out;
    for (int fd = 0; fd < 3; fd++)
        CHECK(fstat(fd, &out) == 0 && S_ISCHR(out.st_mode));
    return job_check_descriptors(call);
}

START_TEST(a_host_without_standard_descriptors_has_sound_workers)
{
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    passes_in(_i, job_check_output);
}
END_TEST

static int job_count_nowhere(pebble_call *call)
{
    struct stat null, out;
    int bits = 0;
    CHECK(stat("/dev/null", &null) == 0);
    for (int fd = 0; fd < 3; fd++) {
        CHECK(fstat(fd, &out) == 0);
        if (out.st_rdev == null.st_rdev && S_ISCHR(out.st_mode)) bits |= 1 << fd;
    }
    return pebble_call_write(call, &bits, sizeof bits);
}

/* Which of its descriptors 0 to 2 lead nowhere. */
static int nowhere(struct pebble_pool_config config)
{
    pebble_pool *pool = pool_of(&config);
    pebble_future *future = schedule(pool, job_count_nowhere);
    const struct pebble_outcome *outcome = outcome_of(future);
    ck_assert_int_eq(outcome->status, PEBBLE_SUCCESS);
    int bits = *(const int *)outcome->data;
    pebble_future_unref(future);
    close_pool(pool);
    return bits;
}

START_TEST(what_workers_write_can_be_discarded)
{
    int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    ck_assert_int_ge(file, 0);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    struct pebble_pool_config config = {.start_method = (enum pebble_start_method)_i};
    ck_assert_int_eq(nowhere(config), 1);
    config.stdout_to = PEBBLE_DISCARD;
    ck_assert_int_eq(nowhere(config), 1 | 2);
    config.stderr_to = PEBBLE_DISCARD;
    ck_assert_int_eq(nowhere(config), 1 | 2 | 4);
}
END_TEST

/* What a descriptor leads to, when that is something with a name that others could open. */
static bool has_name(const char *processes_descriptor, char *target, size_t size)
{
    static const char *const nameless[] = {"socket:[", "pipe:[", "anon_inode:", "/memfd:", "/dev/null"};
    ssize_t length = readlink(processes_descriptor, target, size - 1);
    if (length < 0) return false;
    target[length] = '\0';
    for (size_t i = 0; i < PB_COUNT(nameless); i++)
        if (strncmp(target, nameless[i], strlen(nameless[i])) == 0) return false;
    return true;
}

/* The descriptors of a process from `first` on. */
static void expect_nameless(pid_t pid, int first)
{
    for (int fd = first; fd < 200; fd++) {
        char path[64], target[256];
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
        ck_assert_msg(!has_name(path, target, sizeof target), "%s is %s", path, target);
    }
}

/* UNIX sockets of this machine with a name: "... inode path". */
static int named_sockets(void)
{
    char line[512];
    int count = 0;
    FILE *file = fopen("/proc/net/unix", "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file))
        count += strstr(line, "pebble") != NULL;
    fclose(file);
    return count;
}

START_TEST(nothing_of_a_pool_has_a_name)
{
    struct scene scene;
    int first = open("/dev/null", O_RDONLY | O_CLOEXEC);
    scene_open(&scene);
    struct pebble_pool_config config = {.max_workers = 1,
                                        .start_method = (enum pebble_start_method)_i,
                                        .stdout_to = PEBBLE_CAPTURE,
                                        .stderr_to = PEBBLE_CAPTURE};
    pebble_pool *pool = pool_of(&config);
    int64_t server = run(pool, job_server);
    pebble_future *future = schedule_order(pool, job_meet, order_in(&scene, 0));
    pid_t worker = (pid_t)hear(&scene);
    expect_nameless(getpid(), first);
    expect_nameless((pid_t)server, STDERR_FILENO + 1);
    expect_nameless(worker, STDERR_FILENO + 1);
    ck_assert_int_eq(named_sockets(), 0);
    let_go(&scene, 0);
    expect_and_drop(future, PEBBLE_SUCCESS);
    close_pool(pool);
    scene_close(&scene);
    close(first);
}
END_TEST

static void ignore(int number)
{
    (void)number;
}

/* Those that the worker records before they end it. */
static bool is_crash(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE || number == SIGABRT ||
           number == SIGTRAP || number == SIGSYS || number == SIGQUIT || number == SIGXCPU || number == SIGXFSZ;
}

static int job_check_signals(pebble_call *call)
{
    sigset_t mask;
    (void)call;
    CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        CHECK(sigismember(&mask, number) != 1);
        if (sigaction(number, NULL, &action) < 0) continue;
        if (is_crash(number))
            CHECK(action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN && action.sa_handler != ignore);
        else
            CHECK(action.sa_handler == (number == SIGINT ? SIG_IGN : SIG_DFL));
    }
    return 0;
}

START_TEST(a_worker_has_default_signals_whatever_its_host_does)
{
    for (int number = 1; number < NSIG; number++)
        if (number != SIGCHLD) signal(number, number % 2 ? SIG_IGN : ignore);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    passes_in(_i, job_check_signals);
}
END_TEST

static int job_check_process(pebble_call *call)
{
    int subreaper = 0;
    CHECK(getpgrp() == getpid());
    CHECK(prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper == 1);
    CHECK(kill(getpid(), SIGINT) == 0);
    return reply_number(call, getsid(0)) < 0;
}

START_TEST(a_worker_is_in_a_group_and_session_of_its_own_and_outlives_ctrl_c)
{
    pebble_pool *pool = pool_with(_i, 1);
    ck_assert_int_ne(run(pool, job_check_process), getsid(0));
    close_pool(pool);
}
END_TEST

static int job_read_title(pebble_call *call)
{
    char title[256] = "";
    long length = pb_read_file("/proc/self/cmdline", title, sizeof title);
    return length < 0 ? 1 : pebble_call_write(call, title, strlen(title));
}

/* The title of the process of a job in a pool of that name. */
static void title_is(int method, const char *pool_name, const char *job_name, const char *expected)
{
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = 1, .name = pool_name, .start_method = (enum pebble_start_method)method});
    for (int i = 0; i < 2; i++) {
        pebble_future *future = schedule_limited(pool, job_read_title, (struct order){0},
                                                 (struct pebble_job_options){.name = job_name});
        const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
        ck_assert_msg(outcome->length == strlen(expected) && memcmp(outcome->data, expected, outcome->length) == 0,
                      "%.*s, instead of %s", (int)outcome->length, (const char *)outcome->data, expected);
        pebble_future_unref(future);
    }
    close_pool(pool);
}

START_TEST(the_title_names_pool_worker_and_job)
{
    title_is(_i, "images", "thumbnail", "pebble: images worker 1: thumbnail");
    title_is(_i, "images", NULL, "pebble: images worker 1");
    title_is(_i, NULL, NULL, "pebble: pool worker 1");
}
END_TEST

START_TEST(a_pool_may_have_any_name)
{
    title_is(_i, "\n", NULL, "pebble: \n worker 1");
    title_is(_i, "a:b %s\nc", NULL, "pebble: a:b %s\nc worker 1");
    title_is(_i, "a name of more than thirty-one letters", NULL, "pebble: a name of more than thirty-one  worker 1");
}
END_TEST

static int job_print(pebble_call *call)
{
    (void)call;
    printf("one line\nand a half");
    return 0;
}

START_TEST(what_a_job_prints_is_out_before_its_outcome)
{
    int ends[2];
    char text[64] = "";
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    dup2(ends[1], STDOUT_FILENO);
    pebble_pool *pool = pool_with(_i, 1);
    expect_and_drop(schedule(pool, job_print), PEBBLE_SUCCESS);
    ck_assert_int_gt(read(ends[0], text, sizeof text - 1), 0);
    ck_assert_str_eq(text, "one line\nand a half");
    close_pool(pool);
}
END_TEST

static void *nothing(void *arg)
{
    return arg;
}

static int job_use_threads(pebble_call *call)
{
    (void)call;
    for (int i = 0; i < 10; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0);
    }
    return 0;
}

START_TEST(a_job_may_use_threads)
{
    passes_in(_i, job_use_threads);
}
END_TEST

static void *resume(void *call)
{
    pebble_call_resume(call);
    return NULL;
}

static int job_suspend(pebble_call *call)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, resume, call) == 0);
    CHECK(pebble_call_suspend(call) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    return 0;
}

static int job_resume_before(pebble_call *call)
{
    pebble_call_resume(call);
    return pebble_call_suspend(call);
}

START_TEST(a_suspended_call_is_resumed_by_another_thread)
{
    passes_in(_i, job_suspend);
}
END_TEST

START_TEST(a_call_may_be_resumed_before_it_is_suspended)
{
    passes_in(_i, job_resume_before);
}
END_TEST

Suite *surroundings_suite(void)
{
    Suite *suite = suite_create("surroundings");
    TCase *tests = group(suite, "surroundings", 60);
    both(tests, a_worker_has_the_environment_of_its_host_without_the_marker);
    both(tests, a_worker_has_its_own_descriptors_only_and_an_empty_stdin);
    both(tests, a_host_without_standard_descriptors_has_sound_workers);
    both(tests, what_workers_write_can_be_discarded);
    both(tests, nothing_of_a_pool_has_a_name);
    both(tests, a_worker_has_default_signals_whatever_its_host_does);
    both(tests, a_worker_is_in_a_group_and_session_of_its_own_and_outlives_ctrl_c);
    both(tests, the_title_names_pool_worker_and_job);
    both(tests, a_pool_may_have_any_name);
    both(tests, what_a_job_prints_is_out_before_its_outcome);
    both(tests, a_job_may_use_threads);
    both(tests, a_suspended_call_is_resumed_by_another_thread);
    both(tests, a_call_may_be_resumed_before_it_is_suspended);
    return suite;
}
