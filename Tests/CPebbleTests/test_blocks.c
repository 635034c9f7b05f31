/* SPDX-License-Identifier: Apache-2.0
 * Large blocks of memory that are kept. */
#include "blocks.h"
#include "tests.h"

#include <check.h>
#include <malloc.h>
#include <stdlib.h>

#define LENGTH (PB_BLOCK_MIN * 4)

static struct pb_blocks blocks;

static void set_up(void)
{
    pb_blocks_init(&blocks);
}

static void tear_down(void)
{
    pb_blocks_done(&blocks);
}

static size_t kept(void)
{
    size_t count = 0;
    for (size_t i = 0; i < PB_BLOCKS; i++)
        count += blocks.kept[i] != NULL;
    return count;
}

START_TEST(a_block_that_was_given_is_taken_again)
{
    void *block = pb_blocks_take(&blocks, LENGTH);
    pb_blocks_give(&blocks, block);
    ck_assert_uint_eq(kept(), 1);
    void *again = pb_blocks_take(&blocks, LENGTH - 100);
    ck_assert_ptr_eq(again, block);
    ck_assert_uint_eq(kept(), 0);
    pb_blocks_give(&blocks, again);
}
END_TEST

START_TEST(a_block_is_not_taken_for_what_is_longer_or_much_shorter)
{
    static const size_t lengths[] = {LENGTH * 2, PB_BLOCK_MIN};
    pb_blocks_give(&blocks, pb_blocks_take(&blocks, _i ? PB_BLOCK_MAX - 4096 : LENGTH));
    void *other = pb_blocks_take(&blocks, lengths[_i]);
    ck_assert_uint_eq(kept(), 1);
    ck_assert_uint_ge(malloc_usable_size(other), lengths[_i]);
    free(other);
}
END_TEST

START_TEST(small_and_very_large_ones_are_not_kept)
{
    pb_blocks_give(&blocks, pb_blocks_take(&blocks, 1));
    pb_blocks_give(&blocks, pb_blocks_take(&blocks, PB_BLOCK_MIN / 2));
    pb_blocks_give(&blocks, pb_blocks_take(&blocks, PB_BLOCK_MAX + 1));
    pb_blocks_give(&blocks, NULL);
    ck_assert_uint_eq(kept(), 0);
}
END_TEST

START_TEST(no_more_than_a_few_are_kept)
{
    void *taken[PB_BLOCKS + 2];
    for (size_t i = 0; i < PB_BLOCKS + 2; i++)
        taken[i] = pb_blocks_take(&blocks, LENGTH);
    for (size_t i = 0; i < PB_BLOCKS + 2; i++)
        pb_blocks_give(&blocks, taken[i]);
    ck_assert_uint_eq(kept(), PB_BLOCKS);
}
END_TEST

START_TEST(without_a_place_for_them_they_are_those_of_malloc)
{
    void *block = pb_blocks_take(NULL, LENGTH);
    ck_assert_uint_ge(malloc_usable_size(block), LENGTH);
    free(block);
}
END_TEST

Suite *blocks_suite(void)
{
    Suite *suite = suite_create("blocks");
    TCase *tests = group(suite, "blocks", 10);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_block_that_was_given_is_taken_again);
    tcase_add_loop_test(tests, a_block_is_not_taken_for_what_is_longer_or_much_shorter, 0, 2);
    tcase_add_test(tests, small_and_very_large_ones_are_not_kept);
    tcase_add_test(tests, no_more_than_a_few_are_kept);
    tcase_add_test(tests, without_a_place_for_them_they_are_those_of_malloc);
    return suite;
}
