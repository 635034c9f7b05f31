/* SPDX-License-Identifier: Apache-2.0
 * Which frames are valid. */
#include "frame.h"
#include "tests.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define BOUND UINT64_C(1000)

static struct pb_frame frame_of(enum pb_frame_kind kind)
{
    return (struct pb_frame){.magic = PB_FRAME_MAGIC, .kind = (uint16_t)kind};
}

static enum pb_frame_sender sender_of(int kind)
{
    return kind == PB_FRAME_JOB ? PB_FROM_HOST : PB_FROM_WORKER;
}

START_TEST(a_frame_is_valid_from_its_sender_only)
{
    struct pb_frame frame = frame_of((enum pb_frame_kind)_i);
    enum pb_frame_sender sender = sender_of(_i);
    ck_assert_int_eq(pb_frame_check(&frame, sender, BOUND), 0);
    ck_assert_int_eq(pb_frame_check(&frame, sender == PB_FROM_HOST ? PB_FROM_WORKER : PB_FROM_HOST, BOUND), -EPROTO);
}
END_TEST

START_TEST(other_kinds_are_refused)
{
    const int kinds[] = {0, PB_FRAME_KINDS, PB_FRAME_KINDS + 1, 255, 256 + PB_FRAME_REPLY, UINT16_MAX};
    for (size_t i = 0; i < PB_COUNT(kinds); i++) {
        struct pb_frame frame = frame_of((enum pb_frame_kind)kinds[i]);
        ck_assert_int_eq(pb_frame_check(&frame, PB_FROM_HOST, BOUND), -EPROTO);
        ck_assert_int_eq(pb_frame_check(&frame, PB_FROM_WORKER, BOUND), -EPROTO);
    }
}
END_TEST

START_TEST(the_magic_must_match)
{
    struct pb_frame frame = frame_of((enum pb_frame_kind)_i);
    for (int bit = 0; bit < 32; bit++) {
        frame.magic = PB_FRAME_MAGIC ^ UINT32_C(1) << bit;
        ck_assert_int_eq(pb_frame_check(&frame, sender_of(_i), BOUND), -EPROTO);
    }
}
END_TEST

START_TEST(reserved_fields_must_be_zero)
{
    struct pb_frame frame = frame_of((enum pb_frame_kind)_i);
    frame.reserved = 1;
    ck_assert_int_eq(pb_frame_check(&frame, sender_of(_i), BOUND), -EPROTO);
    frame.reserved = 0;
    frame.reserved_too = UINT32_C(1) << 31;
    ck_assert_int_eq(pb_frame_check(&frame, sender_of(_i), BOUND), -EPROTO);
}
END_TEST

START_TEST(only_a_job_has_path_and_name_and_both_are_bounded)
{
    struct pb_frame frame = frame_of((enum pb_frame_kind)_i);
    int expected = _i == PB_FRAME_JOB ? 0 : -EPROTO;
    frame.path_length = PB_FRAME_TEXT_MAX;
    ck_assert_int_eq(pb_frame_check(&frame, sender_of(_i), BOUND), expected);
    frame.path_length = PB_FRAME_TEXT_MAX + 1;
    ck_assert_int_eq(pb_frame_check(&frame, sender_of(_i), BOUND), -EPROTO);
    frame.path_length = 0;
    frame.name_length = PB_FRAME_TEXT_MAX;
    ck_assert_int_eq(pb_frame_check(&frame, sender_of(_i), BOUND), expected);
    frame.name_length = UINT16_MAX;
    ck_assert_int_eq(pb_frame_check(&frame, sender_of(_i), BOUND), -EPROTO);
}
END_TEST

START_TEST(only_job_and_reply_have_a_payload_and_it_is_bounded)
{
    struct pb_frame frame = frame_of((enum pb_frame_kind)_i);
    bool may = _i == PB_FRAME_JOB || _i == PB_FRAME_REPLY;
    frame.length = BOUND;
    ck_assert_int_eq(pb_frame_check(&frame, sender_of(_i), BOUND), may ? 0 : -EPROTO);
    frame.length = BOUND + 1;
    ck_assert_int_eq(pb_frame_check(&frame, sender_of(_i), BOUND), may ? -EFBIG : -EPROTO);
    frame.length = UINT64_MAX;
    ck_assert_int_eq(pb_frame_check(&frame, sender_of(_i), UINT64_MAX), may ? -EFBIG : -EPROTO);
}
END_TEST

START_TEST(the_body_is_payload_path_and_name)
{
    struct pb_frame frame = frame_of(PB_FRAME_JOB);
    frame.length = (UINT64_C(1) << 40) + 1;
    frame.path_length = 20;
    frame.name_length = 300;
    ck_assert_uint_eq(pb_frame_body_length(&frame), (UINT64_C(1) << 40) + 321);
}
END_TEST

/* Whatever comes, what is accepted keeps every promise that the receiver relies on. */
static void keeps_its_promises(const struct pb_frame *frame, enum pb_frame_sender sender)
{
    if (pb_frame_check(frame, sender, BOUND) != 0) return;
    ck_assert_uint_eq(frame->magic, PB_FRAME_MAGIC);
    ck_assert(frame->kind >= PB_FRAME_READY && frame->kind < PB_FRAME_KINDS);
    ck_assert_int_eq(sender_of(frame->kind), sender);
    ck_assert_uint_le(frame->length, BOUND);
    ck_assert_uint_le(frame->path_length, PB_FRAME_TEXT_MAX);
    ck_assert_uint_le(frame->name_length, PB_FRAME_TEXT_MAX);
    ck_assert_uint_le(pb_frame_body_length(frame), BOUND + 2 * PB_FRAME_TEXT_MAX);
    if (sender == PB_FROM_WORKER) ck_assert_uint_eq(frame->path_length + frame->name_length, 0);
}

START_TEST(random_frames_are_never_accepted_wrongly)
{
    srand(7);
    for (int round = 0; round < 200000; round++) {
        struct pb_frame frame;
        unsigned char *bytes = (unsigned char *)&frame;
        for (size_t i = 0; i < sizeof frame; i++)
            bytes[i] = (unsigned char)rand();
        keeps_its_promises(&frame, round % 2 ? PB_FROM_HOST : PB_FROM_WORKER);
        frame = frame_of((enum pb_frame_kind)(rand() % 7)); /* nearly right */
        for (int flips = rand() % 3; flips > 0; flips--)
            bytes[(size_t)rand() % sizeof frame] ^= (unsigned char)(1 << rand() % 8);
        keeps_its_promises(&frame, round % 2 ? PB_FROM_HOST : PB_FROM_WORKER);
    }
}
END_TEST

Suite *frame_suite(void)
{
    Suite *suite = suite_create("frame");
    TCase *tests = group(suite, "frame", 30);
    tcase_add_loop_test(tests, a_frame_is_valid_from_its_sender_only, 1, PB_FRAME_KINDS);
    tcase_add_test(tests, other_kinds_are_refused);
    tcase_add_loop_test(tests, the_magic_must_match, 1, PB_FRAME_KINDS);
    tcase_add_loop_test(tests, reserved_fields_must_be_zero, 1, PB_FRAME_KINDS);
    tcase_add_loop_test(tests, only_a_job_has_path_and_name_and_both_are_bounded, 1, PB_FRAME_KINDS);
    tcase_add_loop_test(tests, only_job_and_reply_have_a_payload_and_it_is_bounded, 1, PB_FRAME_KINDS);
    tcase_add_test(tests, the_body_is_payload_path_and_name);
    tcase_add_test(tests, random_frames_are_never_accepted_wrongly);
    return suite;
}
