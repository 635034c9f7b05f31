/* SPDX-License-Identifier: Apache-2.0
 * Which frames are valid. */
#include "frame.h"
#include "chance.h"

#include <check.h>

#define BOUND UINT64_C(1000)

static int checked(uint32_t kind, uint64_t job, uint64_t length, uint64_t bound)
{
    struct pb_frame frame = {.magic = PB_FRAME_MAGIC, .kind = kind, .job = job, .length = length};
    return pb_frame_check(&frame, bound);
}

START_TEST(a_bell_has_no_job_and_no_payload)
{
    ck_assert_int_eq(checked(PB_FRAME_BELL, 0, 0, BOUND), 0);
    ck_assert_int_eq(checked(PB_FRAME_BELL, 1, 0, BOUND), -EPROTO);
    ck_assert_int_eq(checked(PB_FRAME_BELL, 0, 1, BOUND), -EPROTO);
}
END_TEST

START_TEST(a_payload_is_bounded)
{
    const uint32_t kinds[] = {PB_FRAME_BULK, PB_FRAME_UPDATE};
    for (size_t i = 0; i < PB_COUNT(kinds); i++) {
        ck_assert_int_eq(checked(kinds[i], 7, 0, BOUND), 0);
        ck_assert_int_eq(checked(kinds[i], 7, BOUND, BOUND), 0);
        ck_assert_int_eq(checked(kinds[i], 7, BOUND + 1, BOUND), -EFBIG);
        ck_assert_int_eq(checked(kinds[i], 7, UINT64_MAX, UINT64_MAX), -EFBIG);
    }
}
END_TEST

START_TEST(other_kinds_are_refused)
{
    const uint32_t kinds[] = {0, PB_FRAME_KINDS, PB_FRAME_KINDS + 1, 256 + PB_FRAME_BULK, UINT32_MAX};
    for (size_t i = 0; i < PB_COUNT(kinds); i++)
        ck_assert_int_eq(checked(kinds[i], 0, 0, BOUND), -EPROTO);
}
END_TEST

START_TEST(the_magic_must_match)
{
    struct pb_frame frame = {.kind = PB_FRAME_BELL};
    for (int bit = 0; bit < 32; bit++) {
        frame.magic = PB_FRAME_MAGIC ^ UINT32_C(1) << bit;
        ck_assert_int_eq(pb_frame_check(&frame, BOUND), -EPROTO);
    }
}
END_TEST

/* Whatever comes, what is accepted keeps every promise that the receiver relies on. */
START_TEST(random_frames_are_never_accepted_wrongly)
{
    chance_begin(7);
    for (size_t round = 0, rounds = chance_steps(); round < rounds; round++) {
        struct pb_frame frame = {.magic = PB_FRAME_MAGIC, .kind = chance(5)};
        unsigned char *bytes = (unsigned char *)&frame;
        if (round % 2)
            for (size_t i = 0; i < sizeof frame; i++)
                bytes[i] = (unsigned char)chance(256);
        for (unsigned flips = chance(3); flips > 0; flips--)
            bytes[chance(sizeof frame)] ^= (unsigned char)(1 << chance(8));
        if (pb_frame_check(&frame, BOUND) != 0) continue;
        must(frame.magic == PB_FRAME_MAGIC);
        must(frame.kind >= PB_FRAME_BELL && frame.kind < PB_FRAME_KINDS);
        must(frame.length <= (frame.kind == PB_FRAME_BELL ? 0 : BOUND));
    }
}
END_TEST

Suite *frame_suite(void)
{
    Suite *suite = suite_create("frame");
    TCase *tests = group(suite, "frame", 30);
    tcase_add_test(tests, a_bell_has_no_job_and_no_payload);
    tcase_add_test(tests, a_payload_is_bounded);
    tcase_add_test(tests, other_kinds_are_refused);
    tcase_add_test(tests, the_magic_must_match);
    tcase_add_test(tests, random_frames_are_never_accepted_wrongly);
    return suite;
}
