/* SPDX-License-Identifier: Apache-2.0
 * Workers that wait for a debugger, which the tests play. */
#include "support.h"
#include "clock.h"
#include "fd.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Who traces this process: a pid, or 0. */
static int job_tracer(pebble_call *call)
{
    static const char key[] = "TracerPid:";
    char text[4096];
    if (pb_read_file("/proc/self/status", text, sizeof text) < 0) return 1;
    const char *line = strstr(text, key);
    return line ? reply_number(call, atoll(line + sizeof key - 1)) : 1;
}

static pebble_pool *debugged(int method, const char *name, int64_t time)
{
    return pool_of(&(struct pebble_pool_config){
        .max_workers = 1, .start_method = (enum pebble_start_method)method, .name = name, .debugger_time = time});
}

static bool title_is(const char *pid, const char *title)
{
    char path[300], text[4096];
    snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
    return pb_read_file(path, text, sizeof text) > 0 && strcmp(text, title) == 0;
}

/* The worker that says so in its title, as pgrep(1) finds it. */
static pid_t who_waits(const char *pool)
{
    char title[128];
    snprintf(title, sizeof title, "pebble: %s worker 1: waiting for a debugger", pool);
    for (int64_t end = pb_after(pb_now(), PATIENCE); pb_now() < end; sched_yield()) {
        DIR *processes = opendir("/proc");
        ck_assert_ptr_nonnull(processes);
        pid_t found = 0;
        for (struct dirent *entry; !found && (entry = readdir(processes));)
            if (title_is(entry->d_name, title)) found = atoi(entry->d_name);
        closedir(processes);
        if (found) return found;
    }
    ck_abort_msg("nobody waits for a debugger");
}

/* It says that it waits a moment before it lets everybody attach. */
static void attach(pid_t pid)
{
    int64_t end = pb_after(pb_now(), PATIENCE);
    while (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0) {
        ck_assert_msg(errno == EPERM && pb_now() < end, "%s", strerror(errno));
        sched_yield();
    }
}

static void detach(pid_t pid)
{
    ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, __WALL), pid);
    ck_assert_int_eq(ptrace(PTRACE_DETACH, pid, NULL, NULL), 0);
}

static void goes_on_when_attached(pebble_pool *pool, const char *name)
{
    pebble_future *future = schedule(pool, job_tracer);
    pid_t worker = who_waits(name);
    ck_assert_ptr_null(pebble_future_outcome(future));
    attach(worker);
    ck_assert_int_eq(number_from(future), getpid());
    detach(worker);
    close_pool(pool);
}

START_TEST(a_worker_goes_on_when_a_debugger_is_attached)
{
    char name[32];
    snprintf(name, sizeof name, "attached-%d", getpid());
    goes_on_when_attached(debugged(_i, name, 1000 * SECOND), name);
}
END_TEST

START_TEST(the_environment_can_tell_all_workers_to_wait)
{
    char name[32];
    snprintf(name, sizeof name, "told-%d", getpid());
    setenv("PEBBLE_DEBUGGER_TIME", "1000", 1);
    goes_on_when_attached(debugged(_i, name, 0), name);
}
END_TEST

START_TEST(without_a_debugger_it_goes_on_in_the_end_and_has_its_whole_time_to_start)
{
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                             .start_method = (enum pebble_start_method)_i,
                                                             .start_timeout = 2 * SECOND,
                                                             .debugger_time = 5 * SECOND / 2});
    int64_t begin = pb_now();
    ck_assert_int_eq(run(pool, job_tracer), 0);
    ck_assert_int_ge(pb_now() - begin, 5 * SECOND / 2);
    ck_assert_uint_eq(statistics_of(pool).started, 1);
    close_pool(pool);
}
END_TEST

START_TEST(what_the_environment_says_must_be_a_number_of_seconds)
{
    static const char *const nothing[] = {"", "0", "-1", "yes", "10s", "86401", "99999999999999999999"};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        setenv("PEBBLE_DEBUGGER_TIME", nothing[i], 1);
        pebble_pool *pool = pool_with(PEBBLE_FORK_SERVER, 1);
        ck_assert_int_eq(run(pool, job_tracer), 0);
        close_pool(pool);
    }
    pebble_pool *pool;
    ck_assert_int_eq(pebble_pool_new(&(struct pebble_pool_config){.debugger_time = -1}, &pool), -EINVAL);
}
END_TEST

Suite *debugger_suite(void)
{
    Suite *suite = suite_create("debugger");
    TCase *tests = group(suite, "debugger", 60);
    both(tests, a_worker_goes_on_when_a_debugger_is_attached);
    both(tests, the_environment_can_tell_all_workers_to_wait);
    both(tests, without_a_debugger_it_goes_on_in_the_end_and_has_its_whole_time_to_start);
    tcase_add_test(tests, what_the_environment_says_must_be_a_number_of_seconds);
    return suite;
}
