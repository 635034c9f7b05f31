/* SPDX-License-Identifier: Apache-2.0
 * Replies, and what is left of the jobs of a worker that died, on a link whose
 * ends are driven by one thread. */
#include "ends.h"
#include "clock.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define LARGE 60000U
#define BULK (PB_LARGE_SIZE + 1) /* goes over the stream */

static struct ends ends;
static char large[2 * PB_LARGE_SIZE];

static void set_up(void)
{
    ends_open(&ends, BOUND);
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * 31 >> 3);
}

static void tear_down(void)
{
    ends_close(&ends);
}

static int try_to_collect(void)
{
    struct pb_collected collected;
    return pb_hostlink_collect(&ends.host, pb_now(), &collected);
}

/* The reply to that job, which may be on the stream behind bells. */
static void expect_reply(uint64_t number, const void *reply, size_t length)
{
    struct pb_collected collected;
    int rc;
    while ((rc = pb_hostlink_collect(&ends.host, pb_now(), &collected)) == 0)
        ck_assert_int_eq(pb_hostlink_read(&ends.host), 1);
    ck_assert_int_eq(rc, 1);
    ck_assert_ptr_eq(collected.tag, tag_of(number));
    ck_assert_int_eq(collected.answer, PB_ANSWER_REPLY);
    ck_assert_uint_eq(collected.length, length);
    if (length) ck_assert_mem_eq(collected.data, reply, length);
    free(collected.data);
}

static struct pb_claimed begin(uint64_t number)
{
    ck_assert_int_eq(submit(&ends, number, NULL, 0), 1);
    return claim_next(&ends);
}

START_TEST(a_reply_is_written_in_place)
{
    size_t capacity;
    struct pb_claimed job = begin(0);
    char *room = pb_childlink_reply_room(&ends.worker, &capacity);
    ck_assert_uint_eq(capacity, PB_ARENA_SIZE);
    ck_assert_ptr_eq(room, ends.worker.shared->outputs);
    memcpy(room, large, capacity);
    ck_assert(pb_childlink_answer(&ends.worker, &job, PB_ANSWER_REPLY, 0, room, capacity));
    expect_reply(0, large, capacity);
}
END_TEST

START_TEST(code_and_kind_of_an_answer_arrive)
{
    const enum pb_answer kinds[] = {PB_ANSWER_REPLY, PB_ANSWER_NO_FUNCTION, PB_ANSWER_NO_MEMORY};
    for (uint64_t n = 0; n < PB_COUNT(kinds); n++) {
        struct pb_claimed job = begin(n);
        ck_assert(pb_childlink_answer(&ends.worker, &job, kinds[n], -7, NULL, 0));
        struct pb_collected collected = collect(&ends, n);
        ck_assert_int_eq(collected.answer, kinds[n]);
        ck_assert_int_eq(collected.code, -7);
        ck_assert_ptr_null(collected.data);
    }
}
END_TEST

START_TEST(a_reply_that_outgrows_the_room_goes_over_the_stream)
{
    size_t length = PB_ARENA_SIZE + 1;
    struct pb_claimed job = begin(0);
    answer(&ends, &job, large, length);
    ck_assert_int_eq(try_to_collect(), 0);
    ck_assert(pb_hostlink_awaits_rest(&ends.host));
    ck_assert_int_eq(pb_hostlink_read(&ends.host), 1);
    ck_assert(!pb_hostlink_awaits_rest(&ends.host));
    expect_reply(0, large, length);
    ck_assert_int_eq(pb_hostlink_read(&ends.host), 0);
}
END_TEST

/* Written into the large room. */
static void answer_in_large_room(struct pb_claimed *job, const void *reply, size_t length)
{
    size_t capacity;
    pb_childlink_reply_room(&ends.worker, &capacity);
    char *room = pb_childlink_large_room(&ends.worker);
    ck_assert_ptr_eq(room, ends.worker.shared->large_output);
    memcpy(room, reply, length);
    ck_assert(pb_childlink_answer(&ends.worker, job, PB_ANSWER_REPLY, 0, room, length));
}

START_TEST(a_large_reply_is_written_in_place)
{
    for (uint64_t n = 0; n < 3; n++) {
        struct pb_claimed job = begin(n);
        answer_in_large_room(&job, large + n, PB_LARGE_SIZE);
        ck_assert_uint_eq(job.slot->answer, PB_ANSWER_LARGE);
        expect_reply(n, large + n, PB_LARGE_SIZE);
    }
}
END_TEST

START_TEST(there_is_no_large_room_until_the_reply_in_it_is_collected)
{
    ends_age(&ends, _i ? (UINT64_C(1) << 32) - 1 : 0); /* also where the counters begin anew */
    uint64_t first = ends.host.submitted;
    for (uint64_t n = first; n < first + 3; n++)
        submit(&ends, n, NULL, 0);
    struct pb_claimed jobs[3];
    jobs[0] = claim_next(&ends);
    answer_in_large_room(&jobs[0], large, PB_LARGE_SIZE);
    jobs[1] = claim_next(&ends);
    ck_assert_ptr_null(pb_childlink_large_room(&ends.worker));
    answer(&ends, &jobs[1], "small", 5);
    expect_reply(first, large, PB_LARGE_SIZE);
    jobs[2] = claim_next(&ends);
    answer_in_large_room(&jobs[2], large + 1, PB_LARGE_SIZE);
    expect_reply(first + 1, "small", 5);
    expect_reply(first + 2, large + 1, PB_LARGE_SIZE);
}
END_TEST

START_TEST(large_and_small_replies_stay_in_order)
{
    for (uint64_t n = 0; n < 6; n++)
        submit(&ends, n, NULL, 0);
    ck_assert(pb_hostlink_revoke(&ends.host, tag_of(2)));
    for (uint64_t n = 0; n < 6; n++) {
        if (n == 2) continue;
        struct pb_claimed job = claim_next(&ends);
        bool is_large = n == 1 || n == 3 || n == 4;
        ck_assert(pb_childlink_answer(&ends.worker, &job, PB_ANSWER_REPLY, 0, large + n, is_large ? 40000 + n : 0));
    }
    for (uint64_t n = 0; n < 6; n++)
        if (n != 2) expect_reply(n, large + n, n == 1 || n == 3 || n == 4 ? 40000 + n : 0);
}
END_TEST

START_TEST(a_large_reply_may_arrive_before_the_answers_before_it_are_collected)
{
    for (uint64_t n = 0; n < 3; n++)
        submit(&ends, n, NULL, 0);
    ck_assert(pb_hostlink_want_bell(&ends.host, PB_BELL_ON_WORD, 1)); /* so no bell precedes it */
    for (uint64_t n = 0; n < 3; n++) {
        struct pb_claimed job = claim_next(&ends);
        answer(&ends, &job, large, n == 2 ? PB_ARENA_SIZE + 1 : n);
    }
    ck_assert_int_eq(pb_hostlink_read(&ends.host), 1);
    for (uint64_t n = 0; n < 2; n++)
        expect_reply(n, large, n);
    expect_reply(2, large, PB_ARENA_SIZE + 1);
}
END_TEST

START_TEST(replies_that_are_not_collected_fill_the_memory_and_then_the_stream)
{
    size_t capacity;
    for (uint64_t n = 0; n < 10; n++)
        submit(&ends, n, NULL, 0);
    for (uint64_t n = 0; n < 10; n++) {
        struct pb_claimed job = claim_next(&ends);
        answer(&ends, &job, large + n, 20000);
    }
    ck_assert_uint_lt(pb_childlink_reply_room(&ends.worker, &capacity) ? capacity : 0, 20000);
    for (uint64_t n = 0; n < 10; n++)
        expect_reply(n, large + n, 20000);
}
END_TEST

START_TEST(replies_of_nothing_take_no_room)
{
    for (uint64_t n = 0; n < 20; n += 2) {
        submit(&ends, n, NULL, 0);
        submit(&ends, n + 1, NULL, 0);
        struct pb_claimed first = claim_next(&ends);
        answer(&ends, &first, "x", 1);
        struct pb_claimed second = claim_next(&ends);
        answer(&ends, &second, NULL, 0);
        expect_reply(n, "x", 1);
        expect_reply(n + 1, NULL, 0);
    }
    size_t capacity;
    pb_childlink_reply_room(&ends.worker, &capacity);
    ck_assert_uint_eq(capacity, PB_ARENA_SIZE);
}
END_TEST

START_TEST(a_reply_above_the_bound_is_not_sent)
{
    ends_close(&ends);
    ends_open(&ends, 1000);
    for (uint64_t n = 0; n < 3; n++) {
        const size_t lengths[] = {1000, 1001, LARGE};
        struct pb_claimed job = begin(n);
        answer(&ends, &job, large, lengths[n]);
        struct pb_collected collected = collect(&ends, n);
        ck_assert_int_eq(collected.answer, n ? PB_ANSWER_TOO_LARGE : PB_ANSWER_REPLY);
        ck_assert_uint_eq(collected.length, n ? 0 : 1000);
        free(collected.data);
    }
}
END_TEST

/* --- what a dead worker leaves --- */

static void expect_left(uint64_t number, bool expected)
{
    bool began;
    ck_assert_ptr_eq(pb_hostlink_next_left(&ends.host, &began), tag_of(number));
    ck_assert(began == expected);
}

START_TEST(a_job_is_lost_only_when_it_had_begun)
{
    bool began;
    for (uint64_t n = 0; n < 6; n++)
        submit(&ends, n, NULL, 0);
    ck_assert(pb_hostlink_revoke(&ends.host, tag_of(4)));
    struct pb_claimed job = claim_next(&ends);
    answer(&ends, &job, "reply", 5);
    claim_next(&ends);
    expect_reply(0, "reply", 5); /* what it answered stands */
    ck_assert_int_eq(try_to_collect(), 0);
    expect_left(1, true);
    expect_left(2, false);
    expect_left(3, false);
    expect_left(5, false);
    ck_assert_ptr_null(pb_hostlink_next_left(&ends.host, &began));
    ck_assert_uint_eq(ends.host.live, 0);
}
END_TEST

START_TEST(a_reply_that_was_announced_and_never_sent_is_lost)
{
    submit(&ends, 0, NULL, 0);
    submit(&ends, 1, NULL, 0);
    struct pb_claimed job = claim_next(&ends);
    job.slot->answer = PB_ANSWER_BULK;
    atomic_store(&ends.worker.shared->completed, 1);
    pb_stream_done(&ends.worker.stream);
    ck_assert_int_eq(try_to_collect(), 0);
    ck_assert(pb_hostlink_awaits_rest(&ends.host));
    ck_assert_int_eq(pb_hostlink_read(&ends.host), -EPIPE);
    expect_left(0, true);
    expect_left(1, false);
}
END_TEST

START_TEST(a_worker_that_is_to_leave_does_its_jobs_first)
{
    struct pb_claimed job;
    submit(&ends, 0, NULL, 0);
    pb_hostlink_leave(&ends.host);
    job = claim_next(&ends);
    answer(&ends, &job, NULL, 0);
    ck_assert(!pb_childlink_next(&ends.worker, &job));
}
END_TEST

START_TEST(a_worker_that_sleeps_on_the_stream_is_sent_one_frame)
{
    struct pb_message message;
    int rc;
    atomic_store(&ends.worker.shared->asleep, PB_SLEEPS_ON_STREAM);
    submit(&ends, 0, NULL, 0);
    ck_assert_int_eq(ends.worker.shared->asleep, PB_AWAKE);
    submit(&ends, 1, NULL, 0);
    ck_assert_int_eq(pb_stream_receive(&ends.worker.stream, &message), 1);
    ck_assert_int_eq(message.head.kind, PB_FRAME_BELL);
    ck_assert_int_eq(pb_stream_receive(&ends.worker.stream, &message), 0);
    pb_hostlink_revoke_last(&ends.host);
    pb_hostlink_revoke_last(&ends.host);
    atomic_store(&ends.worker.shared->asleep, PB_SLEEPS_ON_STREAM);
    submit(&ends, 2, large, BULK);
    while ((rc = pb_stream_receive(&ends.worker.stream, &message)) == 0)
        pb_hostlink_flush(&ends.host);
    ck_assert_int_eq(rc, 1);
    ck_assert_int_eq(message.head.kind, PB_FRAME_BULK);
    ck_assert_int_eq(pb_stream_receive(&ends.worker.stream, &(struct pb_message){0}), 0);
    free(message.payload);
}
END_TEST

Suite *link_replies_suite(void)
{
    Suite *suite = suite_create("link_replies");
    TCase *tests = group(suite, "link_replies", 30);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_reply_is_written_in_place);
    tcase_add_test(tests, code_and_kind_of_an_answer_arrive);
    tcase_add_test(tests, a_reply_that_outgrows_the_room_goes_over_the_stream);
    tcase_add_test(tests, a_large_reply_is_written_in_place);
    tcase_add_loop_test(tests, there_is_no_large_room_until_the_reply_in_it_is_collected, 0, 2);
    tcase_add_test(tests, large_and_small_replies_stay_in_order);
    tcase_add_test(tests, a_large_reply_may_arrive_before_the_answers_before_it_are_collected);
    tcase_add_test(tests, replies_that_are_not_collected_fill_the_memory_and_then_the_stream);
    tcase_add_test(tests, replies_of_nothing_take_no_room);
    tcase_add_test(tests, a_reply_above_the_bound_is_not_sent);
    tcase_add_test(tests, a_job_is_lost_only_when_it_had_begun);
    tcase_add_test(tests, a_reply_that_was_announced_and_never_sent_is_lost);
    tcase_add_test(tests, a_worker_that_is_to_leave_does_its_jobs_first);
    tcase_add_test(tests, a_worker_that_sleeps_on_the_stream_is_sent_one_frame);
    return suite;
}
