/* SPDX-License-Identifier: Apache-2.0
 * Both ends of the link between a host and a worker, driven by one thread. */
#include "ends.h"
#include "clock.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define LARGE 40000U         /* too large for the arena */
#define BULK (PB_LARGE_SIZE + 1) /* goes over the stream */

static struct ends ends;
static char large[BULK];

static void set_up(void)
{
    ends_open(&ends, BOUND);
    for (size_t i = 0; i < BULK; i++)
        large[i] = (char)(i * 31 >> 3);
}

static void tear_down(void)
{
    ends_close(&ends);
}

static int none_to_collect(void)
{
    struct pb_collected collected;
    return pb_hostlink_collect(&ends.host, pb_now(), &collected);
}

/* Whether the host's stream has a bell. */
static bool rung(void)
{
    struct pb_message message;
    int rc = pb_stream_receive(&ends.host.stream, &message);
    ck_assert_int_ge(rc, 0);
    if (rc) ck_assert_int_eq(message.head.kind, PB_FRAME_BELL);
    return rc;
}

/* --- jobs --- */

START_TEST(a_job_arrives_with_input_path_and_name)
{
    ck_assert_int_eq(submit(&ends, 7, "input", 5), 1);
    struct pb_claimed job = claim_next(&ends);
    ck_assert_uint_eq(job.slot->offset, 7);
    ck_assert_uint_eq(job.input_length, 5);
    ck_assert_mem_eq(job.input, "input", 5);
    ck_assert_uint_eq((uintptr_t)job.input % 16, 0);
    ck_assert_uint_eq(job.slot->path_length, 10);
    ck_assert_mem_eq(job.path, "/lib/it.so", 10);
    ck_assert_uint_eq(job.slot->name_length, 4);
    ck_assert_mem_eq(job.name, "name", 4);
}
END_TEST

START_TEST(jobs_come_and_answers_go_in_order)
{
    for (uint64_t n = 0; n < 10; n++)
        ck_assert_int_eq(submit(&ends, n, &n, sizeof n), 1);
    for (uint64_t n = 0; n < 10; n++) {
        struct pb_claimed job = claim_next(&ends);
        ck_assert_mem_eq(job.input, &n, sizeof n);
        answer(&ends, &job, &n, sizeof n);
    }
    for (uint64_t n = 0; n < 10; n++) {
        struct pb_collected collected = collect(&ends, n);
        ck_assert_int_eq(collected.answer, PB_ANSWER_REPLY);
        ck_assert_mem_eq(collected.data, &n, sizeof n);
        ck_assert_int_gt(collected.started, 0);
        ck_assert_int_ge(collected.finished, collected.started);
        free(collected.data);
    }
    ck_assert_int_eq(none_to_collect(), 0);
}
END_TEST

START_TEST(there_is_room_for_as_many_jobs_as_slots)
{
    for (uint64_t n = 0; n < PB_SLOTS; n++)
        ck_assert_int_eq(submit(&ends, n, NULL, 0), 1);
    ck_assert_int_eq(submit(&ends, PB_SLOTS, NULL, 0), 0);
    struct pb_claimed job = claim_next(&ends);
    answer(&ends, &job, NULL, 0);
    ck_assert_int_eq(submit(&ends, PB_SLOTS, NULL, 0), 0); /* until it is collected */
    ck_assert_ptr_null(collect(&ends, 0).data);
    ck_assert_int_eq(submit(&ends, PB_SLOTS, NULL, 0), 1);
}
END_TEST

START_TEST(there_is_room_for_as_many_inputs_as_fit)
{
    uint64_t n = 0;
    while (submit(&ends, n, large, 20000) == 1)
        n++;
    ck_assert_uint_eq(n, PB_ARENA_SIZE / 20000);
    struct pb_claimed job = claim_next(&ends);
    answer(&ends, &job, NULL, 0);
    collect(&ends, 0);
    ck_assert_int_eq(submit(&ends, n, large, 20000), 1);
}
END_TEST

START_TEST(jobs_go_on_when_the_counters_wrap)
{
    ends_age(&ends, (UINT64_C(1) << 32) - 100);
    for (uint64_t n = 0; n < 200; n++) {
        ck_assert_int_eq(submit(&ends, n, &n, sizeof n), 1);
        if (n % 3 == 0) ck_assert(pb_hostlink_revoke(&ends.host, tag_of(n)));
        if (n % 3 != 1) continue;
        struct pb_claimed job = claim_next(&ends);
        ck_assert_mem_eq(job.input, &n, sizeof n);
        answer(&ends, &job, &n, sizeof n);
        struct pb_collected collected = collect(&ends, n);
        ck_assert_mem_eq(collected.data, &n, sizeof n);
        free(collected.data);
        n++;
        ck_assert_int_eq(submit(&ends, n, NULL, 0), 1);
        job = claim_next(&ends);
        answer(&ends, &job, NULL, 0);
        collect(&ends, n);
    }
    ck_assert_uint_gt(ends.host.collected, UINT64_C(1) << 32);
}
END_TEST

/* --- taking jobs back --- */

START_TEST(a_revoked_job_is_stepped_over)
{
    for (uint64_t n = 0; n < 3; n++)
        submit(&ends, n, NULL, 0);
    ck_assert(pb_hostlink_revoke(&ends.host, tag_of(1)));
    ck_assert(!pb_hostlink_revoke(&ends.host, tag_of(1)));
    ck_assert_uint_eq(ends.host.live, 2);
    for (uint64_t n = 0; n < 3; n += 2) {
        struct pb_claimed job = claim_next(&ends);
        ck_assert_uint_eq(job.slot->offset, n);
        answer(&ends, &job, NULL, 0);
    }
    collect(&ends, 0);
    collect(&ends, 2);
    ck_assert_int_eq(none_to_collect(), 0);
    ck_assert_uint_eq(ends.host.live, 0);
}
END_TEST

START_TEST(a_job_that_has_begun_cannot_be_revoked)
{
    submit(&ends, 0, NULL, 0);
    ck_assert_int_eq(pb_hostlink_started(&ends.host, tag_of(0), pb_now()), 0);
    struct pb_claimed job = claim_next(&ends);
    ck_assert(!pb_hostlink_revoke(&ends.host, tag_of(0)));
    ck_assert_int_gt(pb_hostlink_started(&ends.host, tag_of(0), pb_now()), 0);
    answer(&ends, &job, NULL, 0);
    ck_assert(!pb_hostlink_revoke(&ends.host, tag_of(0)));
    collect(&ends, 0);
    ck_assert(!pb_hostlink_revoke(&ends.host, tag_of(0)));
}
END_TEST

START_TEST(the_room_of_revoked_jobs_comes_back)
{
    for (uint64_t n = 0; n < 100;) {
        while (submit(&ends, n, large, 20000) == 1)
            ck_assert(pb_hostlink_revoke(&ends.host, tag_of(n++)));
        ck_assert_uint_ge(n, 6);
        ck_assert_int_eq(submit(&ends, n, NULL, 0), 1);
        struct pb_claimed job = claim_next(&ends);
        answer(&ends, &job, NULL, 0);
        collect(&ends, n++);
        ck_assert_uint_eq(ends.host.inputs.head, ends.host.inputs.tail);
    }
}
END_TEST

START_TEST(jobs_are_taken_back_from_the_end)
{
    for (uint64_t n = 0; n < 5; n++)
        submit(&ends, n, NULL, 0);
    claim_next(&ends);
    ck_assert(pb_hostlink_revoke(&ends.host, tag_of(3)));
    ck_assert_ptr_eq(pb_hostlink_revoke_last(&ends.host), tag_of(4));
    ck_assert_ptr_eq(pb_hostlink_revoke_last(&ends.host), tag_of(2));
    ck_assert_ptr_eq(pb_hostlink_tag(&ends.host, 0), tag_of(0));
    ck_assert_ptr_eq(pb_hostlink_tag(&ends.host, 1), tag_of(1));
    ck_assert_ptr_null(pb_hostlink_tag(&ends.host, 2));
    ck_assert_ptr_eq(pb_hostlink_revoke_last(&ends.host), tag_of(1));
    ck_assert_ptr_null(pb_hostlink_revoke_last(&ends.host)); /* it has begun */
}
END_TEST

/* --- large inputs --- */

static const size_t lengths[] = {LARGE, PB_LARGE_SIZE, BULK};

START_TEST(a_large_input_has_memory_of_its_own_or_goes_over_the_stream)
{
    for (uint64_t n = 0; n < 3; n++) {
        ck_assert_int_eq(submit(&ends, n, large + n, lengths[_i] - n), 1);
        ck_assert(pb_hostlink_sending(&ends.host) == (lengths[_i] - n > PB_LARGE_SIZE));
        pump(&ends);
        struct pb_claimed job = claim_next(&ends);
        ck_assert_uint_eq(job.input_length, lengths[_i] - n);
        ck_assert_mem_eq(job.input, large + n, lengths[_i] - n);
        ck_assert_mem_eq(job.path, "/lib/it.so", 10);
        ck_assert_mem_eq(job.name, "name", 4);
        answer(&ends, &job, NULL, 0);
        collect(&ends, n);
    }
}
END_TEST

START_TEST(a_large_input_is_taken_only_by_a_worker_with_nothing_else_to_do)
{
    submit(&ends, 0, NULL, 0);
    ck_assert_int_eq(submit(&ends, 1, large, LARGE), 0);
    struct pb_claimed job = claim_next(&ends);
    ck_assert_int_eq(submit(&ends, 1, large, LARGE), 0);
    answer(&ends, &job, NULL, 0);
    collect(&ends, 0);
    ck_assert_int_eq(submit(&ends, 1, large, LARGE), 1);
    ck_assert_int_eq(submit(&ends, 2, NULL, 0), 1); /* others may follow it */
}
END_TEST

START_TEST(a_large_input_that_was_revoked_is_never_seen)
{
    uint64_t n = 0;
    for (; n < 3; n++) {
        ck_assert_int_eq(submit(&ends, n, large, lengths[_i]), 1);
        ck_assert(pb_hostlink_revoke(&ends.host, tag_of(n)));
    }
    memset(large, 'x', lengths[_i]);
    ck_assert_int_eq(submit(&ends, n, large, lengths[_i] - 1), 1);
    struct pb_claimed job = claim_next(&ends);
    ck_assert_uint_eq(job.input_length, lengths[_i] - 1);
    ck_assert_mem_eq(job.input, large, lengths[_i] - 1);
    answer(&ends, &job, NULL, 0);
    collect(&ends, n);
}
END_TEST

START_TEST(a_half_sent_input_cannot_be_taken_back)
{
    size_t length = 8 << 20;
    char *input = calloc(1, length);
    ck_assert_int_eq(submit(&ends, 0, input, length), 1);
    ck_assert(pb_hostlink_sending(&ends.host));
    ck_assert(!pb_hostlink_revoke(&ends.host, tag_of(0)));
    ck_assert_ptr_null(pb_hostlink_revoke_last(&ends.host));
    ck_assert_int_eq(submit(&ends, 1, NULL, 0), 0);
    free(input);
}
END_TEST

/* --- bells --- */

START_TEST(a_bell_is_rung_once_and_only_when_wanted)
{
    pb_childlink_ready(&ends.worker);
    ck_assert(rung());
    ck_assert(pb_hostlink_ready(&ends.host));
    for (uint64_t n = 0; n < 3; n++)
        submit(&ends, n, NULL, 0);
    for (uint64_t n = 0; n < 3; n++) {
        struct pb_claimed job = claim_next(&ends);
        answer(&ends, &job, NULL, 0);
        ck_assert(rung() == (n == 0));
    }
    ck_assert(!pb_hostlink_want_bell(&ends.host, PB_BELL_ON_STREAM, 1)); /* there are answers */
    for (uint64_t n = 0; n < 3; n++)
        collect(&ends, n);
    ck_assert(pb_hostlink_want_bell(&ends.host, PB_BELL_ON_WORD, 1));
    submit(&ends, 3, NULL, 0);
    ck_assert(pb_hostlink_want_bell(&ends.host, PB_BELL_ON_WORD, 1));
    struct pb_claimed job = claim_next(&ends);
    answer(&ends, &job, NULL, 0);
    ck_assert(!rung());
    ck_assert_int_eq(ends.host.shared->wants_bell, PB_NO_BELL);
}
END_TEST

START_TEST(a_bell_for_several_answers_is_rung_when_they_are_there_or_no_more_will_come)
{
    for (uint64_t n = 0; n < 6; n++)
        submit(&ends, n, NULL, 0);
    ck_assert(pb_hostlink_want_bell(&ends.host, PB_BELL_ON_STREAM, 3));
    for (uint64_t n = 0; n < 3; n++) {
        struct pb_claimed job = claim_next(&ends);
        answer(&ends, &job, NULL, 0);
        ck_assert(rung() == (n == 2));
    }
    ck_assert(!pb_hostlink_want_bell(&ends.host, PB_BELL_ON_STREAM, 3));
    ck_assert(pb_hostlink_want_bell(&ends.host, PB_BELL_ON_STREAM, 7));
    for (uint64_t n = 3; n < 6; n++) {
        struct pb_claimed job = claim_next(&ends);
        answer(&ends, &job, NULL, 0);
        ck_assert(rung() == (n == 5));
    }
    ck_assert(!pb_hostlink_want_bell(&ends.host, PB_BELL_ON_STREAM, 7)); /* there are all that there will be */
}
END_TEST

Suite *link_suite(void)
{
    Suite *suite = suite_create("link");
    TCase *tests = group(suite, "link", 30);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_job_arrives_with_input_path_and_name);
    tcase_add_test(tests, jobs_come_and_answers_go_in_order);
    tcase_add_test(tests, there_is_room_for_as_many_jobs_as_slots);
    tcase_add_test(tests, there_is_room_for_as_many_inputs_as_fit);
    tcase_add_test(tests, jobs_go_on_when_the_counters_wrap);
    tcase_add_test(tests, a_revoked_job_is_stepped_over);
    tcase_add_test(tests, a_job_that_has_begun_cannot_be_revoked);
    tcase_add_test(tests, the_room_of_revoked_jobs_comes_back);
    tcase_add_test(tests, jobs_are_taken_back_from_the_end);
    tcase_add_loop_test(tests, a_large_input_has_memory_of_its_own_or_goes_over_the_stream, 0, 3);
    tcase_add_test(tests, a_large_input_is_taken_only_by_a_worker_with_nothing_else_to_do);
    tcase_add_loop_test(tests, a_large_input_that_was_revoked_is_never_seen, 0, 2);
    tcase_add_test(tests, a_half_sent_input_cannot_be_taken_back);
    tcase_add_test(tests, a_bell_is_rung_once_and_only_when_wanted);
    tcase_add_test(tests, a_bell_for_several_answers_is_rung_when_they_are_there_or_no_more_will_come);
    return suite;
}
