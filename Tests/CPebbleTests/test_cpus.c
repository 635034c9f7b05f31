/* SPDX-License-Identifier: Apache-2.0
 * How many CPUs there are for this process. */
#include "cpus.h"
#include "tests.h"

#include <sched.h>
#include <string.h>

START_TEST(a_quota_is_rounded_up_to_whole_cpus)
{
    ck_assert_uint_eq(pb_cpus_of_quota("100000 100000\n"), 1);
    ck_assert_uint_eq(pb_cpus_of_quota("150000 100000\n"), 2);
    ck_assert_uint_eq(pb_cpus_of_quota("1000 100000\n"), 1);
    ck_assert_uint_eq(pb_cpus_of_quota("6400000 100000\n"), 64);
}
END_TEST

START_TEST(what_is_no_quota_sets_no_limit)
{
    ck_assert_uint_eq(pb_cpus_of_quota("max 100000\n"), UINT_MAX);
    ck_assert_uint_eq(pb_cpus_of_quota(""), UINT_MAX);
    ck_assert_uint_eq(pb_cpus_of_quota("0 100000"), UINT_MAX);
    ck_assert_uint_eq(pb_cpus_of_quota("100000 0"), UINT_MAX);
    ck_assert_uint_eq(pb_cpus_of_quota("-1 -1"), UINT_MAX);
    ck_assert_uint_eq(pb_cpus_of_quota("9223372036854775807 1"), UINT_MAX);
}
END_TEST

static void has_group(const char *cgroups, const char *controller, const char *path)
{
    size_t length = 0;
    const char *group = pb_cpus_cgroup(cgroups, controller, &length);
    ck_assert_int_eq(group != NULL, path != NULL);
    if (!path) return;
    ck_assert_uint_eq(length, strlen(path));
    ck_assert_mem_eq(group, path, length);
}

START_TEST(the_group_is_the_one_of_version_2)
{
    has_group("0::/user.slice/a\n", "", "/user.slice/a");
    has_group("4:cpu:/x\n1:name=systemd:/y\n0::/z\n", "", "/z");
    has_group("0::/z", "", "/z");
    has_group("0::/\n", "", "/");
    has_group("4:cpu:/x\n", "", NULL);
    has_group("0::/../../other\n", "", NULL);
    has_group("0::/z\n4:cpu:/../x\n", "", "/z");
    has_group("", "", NULL);
    has_group("0::\n0:\n0\n\n", "", NULL);
}
END_TEST

START_TEST(the_group_of_version_1_is_that_of_its_controller)
{
    has_group("4:cpu:/x\n0::/z\n", "cpu", "/x");
    has_group("4:cpu,cpuacct:/x\n", "cpu", "/x");
    has_group("4:cpuacct,cpu:/x:y\n", "cpu", "/x:y");
    has_group("3:cpuset:/a\n2:cpuacct:/b\n0::/cpu\n", "cpu", NULL);
    has_group("4:cpu:/../x\n", "cpu", NULL);
    ck_assert_uint_eq(pb_cpus_of_quota("150000\n100000\n"), 2);
    ck_assert_uint_eq(pb_cpus_of_quota("-1\n100000\n"), UINT_MAX);
}
END_TEST

START_TEST(affinity_is_honoured)
{
    cpu_set_t set;
    ck_assert_int_eq(sched_getaffinity(0, sizeof set, &set), 0);
    size_t first = 0;
    while (!CPU_ISSET(first, &set))
        first++;
    CPU_ZERO(&set);
    CPU_SET(first, &set);
    ck_assert_int_eq(sched_setaffinity(0, sizeof set, &set), 0);
    ck_assert_uint_eq(pb_cpus(), 1);
}
END_TEST

Suite *cpus_suite(void)
{
    Suite *suite = suite_create("cpus");
    TCase *tests = group(suite, "cpus", 10);
    tcase_add_test(tests, a_quota_is_rounded_up_to_whole_cpus);
    tcase_add_test(tests, what_is_no_quota_sets_no_limit);
    tcase_add_test(tests, the_group_is_the_one_of_version_2);
    tcase_add_test(tests, the_group_of_version_1_is_that_of_its_controller);
    tcase_add_test(tests, affinity_is_honoured);
    return suite;
}
