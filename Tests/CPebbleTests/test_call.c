/* SPDX-License-Identifier: Apache-2.0
 * A call in its worker: the reply as it grows. */
#include "call.h"
#include "tests.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct pebble_call call;

START_TEST(the_input_is_what_was_given)
{
    char input[] = "input";
    size_t length = 0;
    call = (struct pebble_call){.input = input, .input_length = 5};
    ck_assert_ptr_eq(pebble_call_input(&call, &length), input);
    ck_assert_uint_eq(length, 5);
}
END_TEST

START_TEST(writes_add_up)
{
    ck_assert_int_eq(pebble_call_write(&call, "one ", 4), 0);
    ck_assert_int_eq(pebble_call_write(&call, NULL, 0), 0);
    ck_assert_int_eq(pebble_call_write(&call, "two", 3), 0);
    ck_assert_uint_eq(call.reply_length, 7);
    ck_assert_mem_eq(call.reply, "one two", 7);
    pb_call_done(&call);
    ck_assert_ptr_null(call.reply);
}
END_TEST

START_TEST(a_reply_grows_without_losing_anything)
{
    for (unsigned i = 0; i < 100000; i++)
        ck_assert_int_eq(pebble_call_write(&call, &i, sizeof i), 0);
    ck_assert_uint_eq(call.reply_length, 100000 * sizeof(unsigned));
    for (unsigned i = 0; i < 100000; i++) {
        unsigned value;
        memcpy(&value, call.reply + i * sizeof value, sizeof value);
        ck_assert_uint_eq(value, i);
    }
    pb_call_done(&call);
}
END_TEST

START_TEST(reserved_bytes_are_part_of_the_reply)
{
    pebble_call_write(&call, "<", 1);
    memcpy(pebble_call_reserve(&call, 1000), "reserved", 8);
    pebble_call_write(&call, ">", 1);
    ck_assert_uint_eq(call.reply_length, 1002);
    ck_assert_mem_eq(call.reply, "<reserved", 9);
    ck_assert_int_eq(call.reply[1001], '>');
    pb_call_done(&call);
}
END_TEST

START_TEST(reserving_nothing_is_no_failure)
{
    ck_assert_ptr_nonnull(pebble_call_reserve(&call, 0));
    ck_assert_uint_eq(call.reply_length, 0);
    ck_assert(!call.out_of_memory);
    pb_call_done(&call);
}
END_TEST

START_TEST(the_end_of_a_reply_can_be_taken_back)
{
    pebble_call_write(&call, "abcdef", 6);
    pebble_call_unwrite(&call, 2);
    ck_assert_uint_eq(call.reply_length, 4);
    pebble_call_write(&call, "x", 1);
    ck_assert_mem_eq(call.reply, "abcdx", 5);
    pebble_call_unwrite(&call, 0);
    ck_assert_uint_eq(call.reply_length, 5);
    pebble_call_unwrite(&call, SIZE_MAX);
    ck_assert_uint_eq(call.reply_length, 0);
    pebble_call_unwrite(&call, 1);
    ck_assert_uint_eq(call.reply_length, 0);
    pb_call_done(&call);
}
END_TEST

START_TEST(what_does_not_fit_is_refused_and_remembered)
{
    pebble_call_write(&call, "kept", 4);
    ck_assert_ptr_null(pebble_call_reserve(&call, SIZE_MAX)); /* with what there is, more than a size_t holds */
    ck_assert_int_eq(pebble_call_write(&call, "", SIZE_MAX / 2), -ENOMEM);
    ck_assert(call.out_of_memory);
    ck_assert_uint_eq(call.reply_length, 4);
    ck_assert_mem_eq(call.reply, "kept", 4);
    pb_call_done(&call);
}
END_TEST

Suite *call_suite(void)
{
    Suite *suite = suite_create("call");
    TCase *tests = group(suite, "call", 30);
    tcase_add_test(tests, the_input_is_what_was_given);
    tcase_add_test(tests, writes_add_up);
    tcase_add_test(tests, a_reply_grows_without_losing_anything);
    tcase_add_test(tests, reserved_bytes_are_part_of_the_reply);
    tcase_add_test(tests, reserving_nothing_is_no_failure);
    tcase_add_test(tests, the_end_of_a_reply_can_be_taken_back);
    tcase_add_test(tests, what_does_not_fit_is_refused_and_remembered);
    return suite;
}
