/* SPDX-License-Identifier: Apache-2.0
 * Slurm's lists of hosts. */
#include "hostlist.h"
#include "tests.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* The names of a list, with a blank between. */
static void expect_names(const char *list, const char *names)
{
    char **array, text[256] = "";
    int count = pb_hostlist_expand(list, 100, &array);
    ck_assert_msg(count > 0, "%s: %d", list, count);
    for (int i = 0; i < count; i++) {
        if (i) strlcat(text, " ", sizeof text);
        strlcat(text, array[i], sizeof text);
    }
    ck_assert_ptr_null(array[count]);
    ck_assert_str_eq(text, names);
    free(array);
}

START_TEST(lists_are_expanded)
{
    expect_names("login", "login");
    expect_names("n1,n2", "n1 n2");
    expect_names("n[1-3]", "n1 n2 n3");
    expect_names("n[08-11]", "n08 n09 n10 n11");
    expect_names("a,n[1-2,5],b", "a n1 n2 n5 b");
    expect_names("rack[0-1]n[1-2]", "rack0n1 rack0n2 rack1n1 rack1n2");
    expect_names("n[1]-ib.example", "n1-ib.example");
    expect_names("[1-2]", "1 2");
}
END_TEST

START_TEST(what_is_no_list_is_refused)
{
    const char *const lists[] = {"",     ",",      "n1,",     ",n1",    "n[",     "n]",           "n[]",      "n[1-]",
                                 "n[-1]", "n[2-1]", "n[1,]",   "n[1,,2]", "n[a]",  "n[1-2",        "n[1]]",    "n[[1]]",
                                 "n[1-2-3]", "n[0000000001]", "n[0-4000000000]"};
    char **names;
    for (size_t i = 0; i < PB_COUNT(lists); i++)
        ck_assert_msg(pb_hostlist_expand(lists[i], 100, &names) == -EINVAL, "%s", lists[i]);
}
END_TEST

START_TEST(their_number_is_bounded)
{
    char **names;
    ck_assert_int_eq(pb_hostlist_expand("n[1-100]", 100, &names), 100);
    free(names);
    ck_assert_int_eq(pb_hostlist_expand("n[1-101]", 100, &names), -EINVAL);
    ck_assert_int_eq(pb_hostlist_expand("n[0-999999999]", 100, &names), -EINVAL);
    ck_assert_int_eq(pb_hostlist_expand("n[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]", 100, &names), -EINVAL);
}
END_TEST

START_TEST(long_names_are_refused)
{
    char list[600], **names;
    memset(list, 'n', sizeof list);
    strlcpy(list + 250, "[1-2]", sizeof list - 250);
    ck_assert_int_eq(pb_hostlist_expand(list, 100, &names), 2);
    free(names);
    memset(list, 'n', sizeof list);
    strlcpy(list + 255, "[1-2]", sizeof list - 255);
    ck_assert_int_eq(pb_hostlist_expand(list, 100, &names), -EINVAL);
}
END_TEST

Suite *hostlist_suite(void)
{
    Suite *suite = suite_create("hostlist");
    TCase *tests = tcase_create("hostlist");
    tcase_add_test(tests, lists_are_expanded);
    tcase_add_test(tests, what_is_no_list_is_refused);
    tcase_add_test(tests, their_number_is_bounded);
    tcase_add_test(tests, long_names_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
