/* SPDX-License-Identifier: Apache-2.0
 * Durations counted by length. */
#include "histogram.h"
#include "chance.h"

#include <stdlib.h>
#include <string.h>

START_TEST(an_empty_one_has_no_quantiles)
{
    static struct pb_histogram histogram;
    ck_assert_int_eq(pb_histogram_quantile(&histogram, 0.5), 0);
    ck_assert_int_eq(histogram.max, 0);
}
END_TEST

START_TEST(small_values_are_exact)
{
    static struct pb_histogram histogram;
    for (int64_t value = 1; value <= 31; value++)
        pb_histogram_add(&histogram, value);
    ck_assert_int_eq(pb_histogram_quantile(&histogram, 0), 1);
    ck_assert_int_eq(pb_histogram_quantile(&histogram, 0.5), 16);
    ck_assert_int_eq(pb_histogram_quantile(&histogram, 1), 31);
}
END_TEST

START_TEST(the_ends_of_the_range_have_a_place)
{
    static struct pb_histogram histogram;
    pb_histogram_add(&histogram, INT64_MIN);
    pb_histogram_add(&histogram, INT64_MAX);
    ck_assert_int_eq(pb_histogram_quantile(&histogram, 0.5), 0);
    int64_t high = pb_histogram_quantile(&histogram, 1);
    ck_assert_int_ge(high, INT64_MAX - INT64_MAX / 32);
    ck_assert_int_eq(histogram.max, INT64_MAX);
}
END_TEST

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

#define VALUES 20000

START_TEST(random_values_agree_with_a_sorted_list)
{
    static struct pb_histogram histogram;
    static int64_t values[VALUES];
    chance_begin(7);
    for (size_t round = 0, rounds = chance_steps() / VALUES; round < rounds; round++) {
        memset(&histogram, 0, sizeof histogram);
        for (int i = 0; i < VALUES; i++) {
            values[i] = (int64_t)(chance_bits() >> (1 + chance(60)));
            pb_histogram_add(&histogram, values[i]);
        }
        qsort(values, VALUES, sizeof *values, ascending);
        must(histogram.max == values[VALUES - 1]);
        for (int share = 1; share <= 100; share++) {
            int64_t exact = values[VALUES / 100 * share - 1];
            int64_t found = pb_histogram_quantile(&histogram, share / 100.0);
            must(llabs(found - exact) <= exact / 32 + 1);
        }
    }
}
END_TEST

Suite *histogram_suite(void)
{
    Suite *suite = suite_create("histogram");
    TCase *tests = group(suite, "histogram", 60);
    tcase_add_test(tests, an_empty_one_has_no_quantiles);
    tcase_add_test(tests, small_values_are_exact);
    tcase_add_test(tests, the_ends_of_the_range_have_a_place);
    tcase_add_test(tests, random_values_agree_with_a_sorted_list);
    return suite;
}
