/* SPDX-License-Identifier: Apache-2.0
 * The marker in the environment. */
#include "boot.h"
#include "pebble.h"
#include "tests.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* What a process with that marker takes itself for. "%d" in it becomes the pid. */
static struct pb_boot taken(const char *format)
{
    char marker[256];
    const char *pid = strstr(format, "%d");
    snprintf(marker, sizeof marker, "%.*s%d%s", (int)(pid - format), format, getpid(), pid + 2);
    setenv("PEBBLE_BOOT", marker, 1);
    struct pb_boot boot;
    pb_boot_take(&boot);
    ck_assert_ptr_null(getenv("PEBBLE_BOOT"));
    return boot;
}

START_TEST(an_ordinary_process_has_no_role)
{
    struct pb_boot boot;
    unsetenv("PEBBLE_BOOT");
    pb_boot_take(&boot);
    ck_assert_int_eq(boot.role, PB_BOOT_NONE);
}
END_TEST

START_TEST(a_marker_of_a_server_is_understood)
{
    ck_assert_int_eq(taken("s%d").role, PB_BOOT_SERVER);
    ck_assert_int_eq(taken("s000%d").role, PB_BOOT_SERVER);
}
END_TEST

START_TEST(a_marker_of_a_worker_is_understood)
{
    struct pb_boot boot = taken("w%d:7:images");
    ck_assert_int_eq(boot.role, PB_BOOT_WORKER);
    ck_assert_uint_eq(boot.number, 7);
    ck_assert_str_eq(boot.pool, "images");
}
END_TEST

START_TEST(a_marker_of_another_process_means_nothing)
{
    struct pb_boot boot;
    const char *const markers[] = {"s1", "w1:1:pool", "s-1", "s0"};
    for (size_t i = 0; i < PB_COUNT(markers); i++) {
        setenv("PEBBLE_BOOT", markers[i], 1);
        pb_boot_take(&boot);
        ck_assert_int_eq(boot.role, PB_BOOT_NONE);
        ck_assert_ptr_null(getenv("PEBBLE_BOOT"));
    }
}
END_TEST

START_TEST(other_markers_mean_nothing)
{
    const char *const markers[] = {"%d", "x%d", "s%d:", "s%dx", "w%d", "w%d:", "w%d:x:pool", "w%d7:1"};
    for (size_t i = 0; i < PB_COUNT(markers); i++)
        ck_assert_int_eq(taken(markers[i]).role, PB_BOOT_NONE);
}
END_TEST

static const char *variable(const struct pb_boot_env *env, const char *name)
{
    size_t length = strlen(name);
    for (char **next = env->variables; *next; next++)
        if (strncmp(*next, name, length) == 0 && (*next)[length] == '=') return *next + length + 1;
    return NULL;
}

/* Makes an environment, puts it in place, and takes the marker from it. */
static struct pb_boot round_trip(const struct pb_boot *boot, unsigned depth)
{
    static struct pb_boot_env envs[2], *env = envs; /* not freed: strings of them may be in use */
    ck_assert_int_eq(pb_boot_env(boot, depth, env), 0);
    pb_boot_env_stamp(env);
    environ = env->variables;
    env = env == envs ? envs + 1 : envs;
    struct pb_boot back;
    pb_boot_take(&back);
    return back;
}

START_TEST(what_is_made_for_a_server_makes_a_server)
{
    ck_assert_int_eq(round_trip(&(struct pb_boot){.role = PB_BOOT_SERVER}, 1).role, PB_BOOT_SERVER);
    ck_assert_uint_eq(pb_boot_depth(), 1);
}
END_TEST

START_TEST(what_is_made_for_a_worker_makes_that_worker)
{
    static const char *const names[] = {"pool", "\n", ":", "a:b\nc %d%n", "1234567890123456789012345678901"};
    struct pb_boot boot = {.role = PB_BOOT_WORKER, .number = UINT32_MAX};
    strlcpy(boot.pool, names[_i], sizeof boot.pool);
    struct pb_boot back = round_trip(&boot, 3);
    ck_assert_int_eq(back.role, PB_BOOT_WORKER);
    ck_assert_uint_eq(back.number, UINT32_MAX);
    ck_assert_str_eq(back.pool, names[_i]);
    ck_assert_uint_eq(pb_boot_depth(), 3);
}
END_TEST

START_TEST(the_environment_is_passed_on_once)
{
    struct pb_boot_env env;
    clearenv();
    setenv("HOME", "/home/pebble", 1);
    setenv("PEBBLE_BOOT", "old", 1);
    setenv("PEBBLE_DEPTH", "5", 1);
    setenv("PEBBLE_BOOTS", "not ours", 1);
    ck_assert_int_eq(pb_boot_env(&(struct pb_boot){.role = PB_BOOT_SERVER}, 6, &env), 0);
    size_t count = 0;
    while (env.variables[count])
        count++;
    ck_assert_uint_eq(count, 5);
    ck_assert_str_eq(variable(&env, "HOME"), "/home/pebble");
    ck_assert_str_eq(variable(&env, "PEBBLE_BOOTS"), "not ours");
    ck_assert_str_eq(variable(&env, "PEBBLE_DEPTH"), "6");
    ck_assert_str_ne(variable(&env, "PEBBLE_BOOT"), "old");
    ck_assert_str_eq(variable(&env, "SWIFT_BACKTRACE"), "enable=no");
    pb_boot_env_done(&env);
}
END_TEST

START_TEST(the_setting_for_backtraces_comes_back)
{
    clearenv();
    setenv("SWIFT_BACKTRACE", "enable=tty,color=yes", 1);
    ck_assert_int_eq(round_trip(&(struct pb_boot){.role = PB_BOOT_SERVER}, 1).role, PB_BOOT_SERVER);
    ck_assert_str_eq(getenv("SWIFT_BACKTRACE"), "enable=tty,color=yes");
    unsetenv("SWIFT_BACKTRACE");
    ck_assert_int_eq(round_trip(&(struct pb_boot){.role = PB_BOOT_SERVER}, 1).role, PB_BOOT_SERVER);
    ck_assert_ptr_null(getenv("SWIFT_BACKTRACE"));
}
END_TEST

START_TEST(a_worker_may_be_left_the_setting_for_backtraces)
{
    struct pb_boot_env env;
    const struct pb_boot worker = {.role = PB_BOOT_WORKER, .backtracer = true};
    clearenv();
    ck_assert_int_eq(pb_boot_env(&worker, 1, &env), 0);
    ck_assert_ptr_null(variable(&env, "SWIFT_BACKTRACE"));
    pb_boot_env_done(&env);
    setenv("SWIFT_BACKTRACE", "enable=yes", 1);
    ck_assert_int_eq(pb_boot_env(&worker, 1, &env), 0);
    ck_assert_str_eq(variable(&env, "SWIFT_BACKTRACE"), "enable=yes");
    pb_boot_env_done(&env);
    ck_assert_int_eq(round_trip(&worker, 1).role, PB_BOOT_WORKER);
    ck_assert_str_eq(getenv("SWIFT_BACKTRACE"), "enable=yes");
    ck_assert_int_eq(pebble_pool_new(&(struct pebble_pool_config){.swift_backtrace = true}, &(pebble_pool *){0}), -EINVAL);
}
END_TEST

START_TEST(an_empty_environment_will_do)
{
    environ = NULL;
    ck_assert_int_eq(round_trip(&(struct pb_boot){.role = PB_BOOT_SERVER}, 1).role, PB_BOOT_SERVER);
}
END_TEST

START_TEST(a_depth_that_is_no_number_is_none)
{
    unsetenv("PEBBLE_DEPTH");
    ck_assert_uint_eq(pb_boot_depth(), 0);
    setenv("PEBBLE_DEPTH", "abc", 1);
    ck_assert_uint_eq(pb_boot_depth(), 0);
}
END_TEST

Suite *boot_suite(void)
{
    Suite *suite = suite_create("boot");
    TCase *tests = group(suite, "boot", 30);
    tcase_add_test(tests, an_ordinary_process_has_no_role);
    tcase_add_test(tests, a_marker_of_a_server_is_understood);
    tcase_add_test(tests, a_marker_of_a_worker_is_understood);
    tcase_add_test(tests, a_marker_of_another_process_means_nothing);
    tcase_add_test(tests, other_markers_mean_nothing);
    tcase_add_test(tests, what_is_made_for_a_server_makes_a_server);
    tcase_add_loop_test(tests, what_is_made_for_a_worker_makes_that_worker, 0, 5);
    tcase_add_test(tests, the_environment_is_passed_on_once);
    tcase_add_test(tests, the_setting_for_backtraces_comes_back);
    tcase_add_test(tests, a_worker_may_be_left_the_setting_for_backtraces);
    tcase_add_test(tests, an_empty_environment_will_do);
    tcase_add_test(tests, a_depth_that_is_no_number_is_none);
    return suite;
}
