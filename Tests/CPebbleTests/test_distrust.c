/* SPDX-License-Identifier: Apache-2.0
 * A worker that writes what it likes into its link, seen from the host's end:
 * each lie is noticed, or harmless. */
#include "ends.h"
#include "chance.h"
#include "clock.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static struct ends ends;

static void set_up(void)
{
    ends_open(&ends, 100000);
    for (uint64_t n = 0; n < 3; n++)
        ck_assert_int_eq(submit(&ends, n, "input", 5), 1);
}

static void tear_down(void)
{
    ends_close(&ends);
}

static int collected_with(struct pb_collected *collected)
{
    *collected = (struct pb_collected){0};
    return pb_hostlink_collect(&ends.host, pb_now(), collected);
}

/* What the host finds when the first job, which runs, is completed with these fields. */
static int completed_with(uint32_t kind, uint32_t at, uint64_t length)
{
    struct pb_collected collected;
    struct pb_slot *slot = claim_next(&ends).slot;
    slot->answer = kind;
    slot->output_at = at;
    slot->output_length = length;
    atomic_store(&ends.worker.shared->completed, 1);
    int rc = collected_with(&collected);
    free(collected.data);
    return rc;
}

START_TEST(only_answers_that_exist_are_taken)
{
    static const uint32_t kinds[] = {PB_ANSWER_NONE, PB_ANSWER_ANNEX + 1, 255, INT32_MAX, UINT32_MAX};
    ck_assert_int_eq(completed_with(kinds[_i], 0, 0), -EPROTO);
}
END_TEST

START_TEST(a_reply_outside_of_the_memory_is_refused)
{
    static const struct {
        uint32_t at;
        uint64_t length;
    } places[] = {
        {PB_ARENA_SIZE, 1}, {PB_ARENA_SIZE - 1, 2},         {UINT32_MAX, 0},         {UINT32_MAX, 1},
        {1, PB_ARENA_SIZE}, {0, PB_ARENA_SIZE + 1},         {0, UINT64_C(1) << 63},  {0, UINT64_MAX},
        {16, UINT64_MAX},   {UINT32_MAX, PB_ARENA_SIZE},    {UINT32_MAX, UINT64_MAX}, {2, UINT64_C(1) << 32},
    };
    ck_assert_int_eq(completed_with(PB_ANSWER_REPLY, places[_i].at, places[_i].length), -EPROTO);
}
END_TEST

START_TEST(a_large_reply_that_is_larger_than_its_memory_is_refused)
{
    static const uint64_t lengths[] = {PB_LARGE_SIZE + 1, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX};
    ends.host.max_payload = UINT64_MAX;
    ck_assert_int_eq(completed_with(PB_ANSWER_LARGE, 0, lengths[_i]), -EPROTO);
}
END_TEST

START_TEST(a_large_reply_above_the_bound_is_refused_though_it_lies_there)
{
    ck_assert_int_eq(completed_with(PB_ANSWER_LARGE, 0, 100001), -EFBIG);
}
END_TEST

START_TEST(a_reply_at_the_very_end_of_the_memory_is_taken)
{
    ck_assert_int_eq(completed_with(PB_ANSWER_REPLY, PB_ARENA_SIZE - 5, 5), 1);
}
END_TEST

START_TEST(a_reply_above_the_bound_is_refused_though_it_lies_there)
{
    ck_assert_int_eq(completed_with(PB_ANSWER_REPLY, 0, 100001), -EFBIG);
}
END_TEST

START_TEST(a_count_that_cannot_be_is_refused)
{
    static const uint32_t counts[] = {4, 5, PB_SLOTS, PB_SLOTS + 1, INT32_MAX, UINT32_MAX, UINT32_MAX - 1};
    struct pb_collected collected;
    claim_next(&ends);
    atomic_store(&ends.worker.shared->completed, counts[_i]);
    ck_assert_int_eq(collected_with(&collected), -EPROTO);
}
END_TEST

START_TEST(a_job_that_was_not_begun_cannot_be_answered)
{
    struct pb_collected collected;
    struct pb_claimed job = claim_next(&ends);
    answer(&ends, &job, NULL, 0);
    ends.worker.shared->slots[1].answer = PB_ANSWER_REPLY;
    atomic_store(&ends.worker.shared->completed, 2);
    collect(&ends, 0);
    ck_assert_int_eq(collected_with(&collected), -EPROTO);
    ck_assert(pb_hostlink_revoke(&ends.host, tag_of(1)));
}
END_TEST

START_TEST(times_are_put_between_submission_and_now)
{
    static const int64_t moments[] = {INT64_MIN, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    int64_t earliest = ends.host.jobs[0].submitted_at;
    struct pb_claimed job = claim_next(&ends);
    answer(&ends, &job, NULL, 0);
    atomic_store(&job.slot->started, moments[_i % 6]);
    job.slot->finished = moments[_i / 6];
    struct pb_collected collected = collect(&ends, 0);
    ck_assert_int_ge(collected.started, earliest);
    ck_assert_int_ge(collected.finished, collected.started);
    ck_assert_int_le(collected.finished, pb_now());
}
END_TEST

/* --- the stream --- */

static void send_frame(struct pb_frame frame)
{
    static char payload[100000];
    if (!pb_stream_sending(&ends.worker.stream)) must(pb_stream_send(&ends.worker.stream, &frame, payload) >= 0);
}

START_TEST(a_reply_that_was_not_announced_is_refused)
{
    static const uint64_t jobs[] = {0, 1, 3, PB_SLOTS, UINT64_C(1) << 32, UINT64_MAX};
    claim_next(&ends);
    send_frame((struct pb_frame){.kind = PB_FRAME_BULK, .job = jobs[_i], .length = 4});
    ck_assert_int_eq(pb_hostlink_read(&ends.host), -EPROTO);
}
END_TEST

START_TEST(a_reply_to_another_job_than_the_announced_is_refused)
{
    struct pb_collected collected;
    claim_next(&ends);
    claim_next(&ends);
    ends.worker.shared->slots[0].answer = ends.worker.shared->slots[1].answer = PB_ANSWER_BULK;
    atomic_store(&ends.worker.shared->completed, 2);
    send_frame((struct pb_frame){.kind = PB_FRAME_BULK, .job = 1, .length = 4});
    ck_assert_int_eq(pb_hostlink_read(&ends.host), 1);
    ck_assert_int_eq(collected_with(&collected), -EPROTO);
}
END_TEST

START_TEST(a_reply_that_is_denied_after_it_was_sent_is_not_kept)
{
    claim_next(&ends);
    atomic_store(&ends.worker.shared->completed, 1);
    send_frame((struct pb_frame){.kind = PB_FRAME_BULK, .length = 4});
    ck_assert_int_eq(pb_hostlink_read(&ends.host), 1);
    atomic_store(&ends.worker.shared->completed, 0);
    ck_assert_int_eq(pb_hostlink_read(&ends.host), -EPROTO); /* and not 0 for ever, with more to read */
}
END_TEST

START_TEST(a_reply_on_the_stream_above_the_bound_is_refused_before_it_comes)
{
    struct pb_frame frame = {.magic = PB_FRAME_MAGIC, .kind = PB_FRAME_BULK, .length = 100001};
    ck_assert_int_eq(completed_with(PB_ANSWER_BULK, 0, 0), 0);
    ck_assert_int_eq(write(ends.worker.stream.fd, &frame, sizeof frame), sizeof frame);
    ck_assert_int_eq(pb_hostlink_read(&ends.host), -EFBIG);
}
END_TEST

START_TEST(a_worker_cannot_change_the_size_of_the_memory)
{
    struct pb_hostlink host;
    int end;
    ck_assert_int_eq(pb_hostlink_open(&host, 1000, false, &end), 0);
    int memory = pb_stream_receive_fd(end);
    ck_assert_int_ge(memory, 0);
    ck_assert_int_eq(ftruncate(memory, 0), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(ftruncate(memory, 1 << 30), -1);
    ck_assert_int_eq(fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE), -1);
    ck_assert_int_eq(fcntl(memory, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
    close(memory);
    close(end);
    pb_hostlink_done(&host);
}
END_TEST

/* --- updates --- */

START_TEST(an_update_is_refused_unless_the_job_runs_and_may_send_one)
{
    static const uint64_t jobs[] = {1, 2, 3, 4, PB_SLOTS, PB_SLOTS + 2, UINT64_C(1) << 32, UINT64_MAX};
    struct pb_news update;
    claim_next(&ends); /* 0; next is 1, which may not, and 2 has not begun */
    send_frame((struct pb_frame){.kind = PB_FRAME_UPDATE, .job = jobs[_i], .length = 4});
    ck_assert_int_eq(pb_hostlink_read(&ends.host), -EPROTO);
    ck_assert(!pb_hostlink_take_update(&ends.host, &update));
}
END_TEST

START_TEST(an_update_of_a_job_that_was_taken_back_or_answered_is_refused)
{
    atomic_store(&ends.worker.shared->wants_bell, PB_NO_BELL);
    if (_i) {
        struct pb_claimed job = claim_next(&ends);
        answer(&ends, &job, NULL, 0);
        collect(&ends, 0);
    } else {
        ck_assert(pb_hostlink_revoke(&ends.host, tag_of(0)));
    }
    send_frame((struct pb_frame){.kind = PB_FRAME_UPDATE, .length = 4});
    ck_assert_int_eq(pb_hostlink_read(&ends.host), -EPROTO);
}
END_TEST

START_TEST(updates_that_were_not_sent_are_waited_for_and_too_many_refused)
{
    struct pb_collected collected;
    struct pb_claimed job = claim_next(&ends);
    atomic_store(&ends.worker.shared->wants_bell, PB_NO_BELL);
    job.slot->updates = 1;
    answer(&ends, &job, NULL, 0);
    ck_assert_int_eq(collected_with(&collected), 0);
    ck_assert(pb_hostlink_awaits_rest(&ends.host));
    send_frame((struct pb_frame){.kind = PB_FRAME_UPDATE, .length = 4});
    send_frame((struct pb_frame){.kind = PB_FRAME_UPDATE, .length = 4});
    ck_assert_int_eq(pb_hostlink_read(&ends.host), 1);
    ck_assert_int_eq(pb_hostlink_read(&ends.host), 1);
    ck_assert_int_eq(collected_with(&collected), -EPROTO);
}
END_TEST

/* --- everything at random --- */

static unsigned seed;

static unsigned up_to(unsigned end)
{
    return (unsigned)rand_r(&seed) % end;
}

static void damage(void)
{
    volatile unsigned char *memory = (unsigned char *)ends.worker.shared;
    size_t head = offsetof(struct pb_shared, slots) + 4 * sizeof(struct pb_slot);
    struct pb_slot *slot = &ends.worker.shared->slots[up_to(4)];
    switch (up_to(10)) {
    case 0: memory[up_to((unsigned)head)] = (unsigned char)rand_r(&seed); break;
    case 1: atomic_fetch_add(&ends.worker.shared->completed, up_to(3)); break;
    case 2: slot->answer = up_to(8); break;
    case 3: atomic_store(&slot->claim, up_to(6)); break;
    case 4: slot->output_length = (uint64_t)rand_r(&seed) << up_to(34); break;
    case 5: slot->output_at = (uint32_t)rand_r(&seed) >> up_to(32); break;
    case 6: send_frame((struct pb_frame){.kind = PB_FRAME_BULK, .job = up_to(4), .length = up_to(100000)}); break;
    case 8: send_frame((struct pb_frame){.kind = PB_FRAME_UPDATE, .job = up_to(4), .length = up_to(1000)}); break;
    case 9: slot->updates = up_to(3); break;
    case 7: madvise(ends.worker.shared, sizeof(struct pb_shared), MADV_REMOVE); break;
    }
}

/* What a host may do next; false: it has had enough of this worker. */
static bool use(uint64_t *next)
{
    struct pb_collected collected;
    struct pb_news update;
    int rc = 0;
    switch (up_to(8)) {
    case 0: rc = submit(&ends, *next, "input", 5); *next += rc > 0; break;
    case 1: pb_hostlink_revoke(&ends.host, tag_of(up_to((unsigned)*next))); break;
    case 2: pb_hostlink_revoke_last(&ends.host); break;
    case 3: pb_hostlink_started(&ends.host, pb_hostlink_tag(&ends.host, up_to(4)), pb_now()); break;
    case 4: rc = pb_hostlink_read(&ends.host); break;
    case 5: pb_hostlink_want_bell(&ends.host, up_to(3), up_to(3)); break;
    case 7:
        if (!pb_hostlink_take_update(&ends.host, &update)) break;
        must(update.length <= 1000);
        free(update.data);
        break;
    case 6:
        rc = collected_with(&collected);
        must(rc <= 0 || (collected.started <= collected.finished && collected.length <= 100000));
        free(collected.data);
        break;
    }
    return rc >= 0;
}

START_TEST(no_damage_confuses_the_host)
{
    const char *given = getenv("PEBBLE_SEED");
    unsigned first = given ? (unsigned)strtoul(given, NULL, 10) : 1;
    unsigned lives = given ? 1 : (unsigned)(chance_steps() / 50);
    tear_down();
    for (unsigned life = 0; life < lives; life++) {
        uint64_t next = 3;
        bool began;
        seed = first + life;
        set_up();
        for (unsigned steps = up_to(60); steps > 0 && use(&next); steps--)
            damage();
        unsigned left = ends.host.live;
        while (pb_hostlink_next_left(&ends.host, &began))
            left--;
        if (left || ends.host.live) ck_abort_msg("PEBBLE_SEED=%u: a job was lost, or came twice", seed);
        if (life + 1 < lives) tear_down();
    }
}
END_TEST

Suite *distrust_suite(void)
{
    Suite *suite = suite_create("distrust");
    TCase *tests = group(suite, "distrust", 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, only_answers_that_exist_are_taken, 0, 5);
    tcase_add_loop_test(tests, a_reply_outside_of_the_memory_is_refused, 0, 12);
    tcase_add_loop_test(tests, a_large_reply_that_is_larger_than_its_memory_is_refused, 0, 4);
    tcase_add_test(tests, a_large_reply_above_the_bound_is_refused_though_it_lies_there);
    tcase_add_test(tests, a_reply_at_the_very_end_of_the_memory_is_taken);
    tcase_add_test(tests, a_reply_above_the_bound_is_refused_though_it_lies_there);
    tcase_add_loop_test(tests, a_count_that_cannot_be_is_refused, 0, 7);
    tcase_add_test(tests, a_job_that_was_not_begun_cannot_be_answered);
    tcase_add_loop_test(tests, times_are_put_between_submission_and_now, 0, 36);
    tcase_add_loop_test(tests, a_reply_that_was_not_announced_is_refused, 0, 6);
    tcase_add_test(tests, a_reply_to_another_job_than_the_announced_is_refused);
    tcase_add_test(tests, a_reply_that_is_denied_after_it_was_sent_is_not_kept);
    tcase_add_test(tests, a_reply_on_the_stream_above_the_bound_is_refused_before_it_comes);
    tcase_add_loop_test(tests, an_update_is_refused_unless_the_job_runs_and_may_send_one, 0, 8);
    tcase_add_loop_test(tests, an_update_of_a_job_that_was_taken_back_or_answered_is_refused, 0, 2);
    tcase_add_test(tests, updates_that_were_not_sent_are_waited_for_and_too_many_refused);
    tcase_add_test(tests, a_worker_cannot_change_the_size_of_the_memory);
    tcase_add_test(tests, no_damage_confuses_the_host);
    return suite;
}
