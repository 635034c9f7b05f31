/* SPDX-License-Identifier: Apache-2.0
 * The annex of a link, from both of its ends. */
#include "ends.h"
#include "annex.h"
#include "clock.h"
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define LENGTH (PB_LARGE_SIZE * 2 + 77) /* copied in several pieces */

static struct ends ends;
static char *data; /* different everywhere */

static void set_up(void)
{
    ends_open(&ends, BOUND);
    data = malloc(LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        data[i] = (char)(i * 31 >> 3);
}

static void tear_down(void)
{
    free(data);
    pb_annex_unmap(ends.worker.annex);
    ends_close(&ends);
}

static int try_to_collect(struct pb_collected *collected)
{
    return pb_hostlink_collect(&ends.host, pb_now(), collected);
}

/* An input that goes over the stream, and is taken. */
static void input_over_the_stream(uint64_t number)
{
    ck_assert_int_eq(submit(&ends, number, data, LENGTH), 1);
    pump(&ends);
    struct pb_claimed job = claim_next(&ends);
    ck_assert_uint_eq(job.slot->input_place, PB_ON_STREAM);
    answer(&ends, &job, "", 0);
    collect(&ends, number);
}

static void open_annex(void)
{
    input_over_the_stream(0);
    ck_assert_ptr_nonnull(ends.worker.annex);
    ck_assert_uint_eq(ends.host.shared->annex, PB_ANNEX_OPEN);
}

static void copy_input(void)
{
    while (ends.host.input.left)
        ck_assert_int_ge(pb_hostlink_flush(&ends.host), 0);
}

/* With the input in the annex. */
static struct pb_claimed begin(uint64_t number)
{
    ck_assert_int_eq(submit(&ends, number, data, LENGTH), 1);
    copy_input();
    return claim_next(&ends);
}

static void answer_in_annex(struct pb_claimed *job)
{
    char *room = pb_childlink_annex_room(&ends.worker);
    ck_assert_ptr_eq(room, ends.worker.annex + PB_ANNEX_REPLIES);
    memcpy(room, job->input, LENGTH);
    ck_assert(pb_childlink_answer(&ends.worker, job, PB_ANSWER_REPLY, 3, room, LENGTH));
    ck_assert_uint_eq(job->slot->answer, PB_ANSWER_ANNEX);
}

static void expect_data(uint64_t number)
{
    struct pb_collected collected;
    int rc;
    while ((rc = try_to_collect(&collected)) == 0)
        ck_assert(pb_hostlink_awaits_rest(&ends.host) && pb_hostlink_sending(&ends.host));
    ck_assert_int_eq(rc, 1);
    ck_assert_ptr_eq(collected.tag, tag_of(number));
    ck_assert_int_eq(collected.answer, PB_ANSWER_REPLY);
    ck_assert_int_eq(collected.code, 3);
    ck_assert_uint_eq(collected.length, LENGTH);
    ck_assert(memcmp(collected.data, data, LENGTH) == 0);
    ck_assert(!pb_hostlink_sending(&ends.host));
    free(collected.data);
}

/* Pages of the annex that there are, mapped or not. */
static size_t pages(void)
{
    static unsigned char there[PB_ANNEX_SIZE / 4096];
    size_t count = 0;
    char *annex = pb_annex_map(ends.host.shared);
    ck_assert_ptr_nonnull(annex);
    ck_assert_int_eq(mincore(annex, PB_ANNEX_SIZE, there), 0);
    for (size_t i = 0; i < sizeof there; i++)
        count += there[i] & 1;
    pb_annex_unmap(annex);
    return count;
}

START_TEST(what_comes_first_goes_over_the_stream_and_what_follows_through_the_annex)
{
    ck_assert_uint_eq(pages(), 0);
    open_annex();
    for (uint64_t n = 1; n < 5; n++) {
        struct pb_claimed job = begin(n);
        ck_assert_uint_eq(job.slot->input_place, PB_IN_ANNEX);
        ck_assert(memcmp(job.input, data, LENGTH) == 0);
        answer_in_annex(&job);
        expect_data(n);
    }
    ck_assert_uint_le(pages(), 2 * (LENGTH / 4096 + 1));
}
END_TEST

static void *answer_over_the_stream(void *job)
{
    ck_assert(pb_childlink_answer(&ends.worker, job, PB_ANSWER_REPLY, 0, data, PB_LARGE_SIZE + 1));
    return NULL;
}

START_TEST(replies_alone_open_it_as_well)
{
    struct pb_collected collected;
    pthread_t thread;
    submit(&ends, 0, "", 0);
    struct pb_claimed job = claim_next(&ends);
    ck_assert_ptr_null(pb_childlink_annex_room(&ends.worker));
    pthread_create(&thread, NULL, answer_over_the_stream, &job);
    while (try_to_collect(&collected) == 0) {
        wait_readable(ends.host.stream.fd);
        ck_assert_int_ge(pb_hostlink_read(&ends.host), 0);
    }
    pthread_join(thread, NULL);
    free(collected.data);
    submit(&ends, 1, "", 0);
    job = claim_next(&ends);
    ck_assert_ptr_nonnull(pb_childlink_annex_room(&ends.worker));
}
END_TEST

START_TEST(a_worker_does_not_know_of_an_input_that_is_not_all_there)
{
    open_annex();
    submit(&ends, 1, data, LENGTH);
    ck_assert(pb_hostlink_sending(&ends.host));
    ck_assert_uint_eq(ends.worker.shared->submitted, 1);
    ck_assert_int_eq(submit(&ends, 2, "", 0), 0);
    copy_input();
    ck_assert_uint_eq(ends.worker.shared->submitted, 2);
}
END_TEST

START_TEST(an_input_can_be_taken_back_while_it_is_copied)
{
    open_annex();
    submit(&ends, 1, data, LENGTH);
    ck_assert(pb_hostlink_revoke(&ends.host, tag_of(1)));
    ck_assert(!pb_hostlink_sending(&ends.host));
    struct pb_claimed job = begin(2);
    ck_assert_uint_eq(job.number, 2);
    answer_in_annex(&job);
    expect_data(2);
}
END_TEST

START_TEST(of_a_dead_worker_an_input_that_was_copied_never_began)
{
    bool began;
    open_annex();
    submit(&ends, 1, data, LENGTH);
    ck_assert_ptr_eq(pb_hostlink_next_left(&ends.host, &began), tag_of(1));
    ck_assert(!began);
    ck_assert(!pb_hostlink_sending(&ends.host));
}
END_TEST

START_TEST(a_host_in_a_hurry_copies_a_reply_at_once)
{
    struct pb_collected collected;
    open_annex();
    struct pb_claimed job = begin(1);
    answer_in_annex(&job);
    ck_assert_int_eq(try_to_collect(&collected), 0);
    ends.host.hurries = true;
    ck_assert_int_eq(try_to_collect(&collected), 1);
    ck_assert(memcmp(collected.data, data, LENGTH) == 0);
    free(collected.data);
}
END_TEST

START_TEST(there_is_no_room_until_the_reply_in_it_is_collected)
{
    open_annex();
    struct pb_claimed job = begin(1);
    submit(&ends, 2, "", 0);
    answer_in_annex(&job);
    job = claim_next(&ends);
    ck_assert_ptr_null(pb_childlink_annex_room(&ends.worker));
    expect_data(1);
    ck_assert_ptr_nonnull(pb_childlink_annex_room(&ends.worker));
}
END_TEST

START_TEST(what_is_larger_than_the_annex_goes_over_the_stream)
{
    open_annex();
    size_t length = (size_t)PB_ANNEX_HALF + 1;
    char *zeros = mmap(NULL, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_int_eq(submit(&ends, 1, zeros, length), 1);
    ck_assert_uint_eq(ends.worker.shared->slots[1].input_place, PB_ON_STREAM);
    munmap(zeros, length);
}
END_TEST

static void *await_job(void *job)
{
    *(struct pb_claimed *)job = claim_next(&ends);
    return NULL;
}

/* It is woken for it, or sees it before it sleeps. */
START_TEST(a_worker_with_nothing_to_do_leaves_an_annex_that_is_given_back)
{
    pthread_t thread;
    struct pb_claimed job;
    open_annex();
    job = begin(1);
    answer_in_annex(&job);
    expect_data(1);
    pthread_create(&thread, NULL, await_job, &job);
    pb_hostlink_give_back(&ends.host);
    while (atomic_load(&ends.host.shared->annex) != PB_ANNEX_CLOSED)
        sched_yield();
    submit(&ends, 2, "", 0);
    pthread_join(thread, NULL);
    ck_assert_ptr_null(ends.worker.annex);
    answer(&ends, &job, "", 0);
    collect(&ends, 2);
    input_over_the_stream(3);
    job = begin(4);
    answer_in_annex(&job);
    expect_data(4);
}
END_TEST

START_TEST(its_pages_are_given_back)
{
    open_annex();
    struct pb_claimed job = begin(1);
    pb_hostlink_give_back(&ends.host);
    ck_assert_ptr_nonnull(ends.host.annex); /* not while a job is under way */
    answer_in_annex(&job);
    expect_data(1);
    ck_assert_uint_ge(pages(), 2 * (LENGTH / 4096));
    pb_hostlink_give_back(&ends.host);
    ck_assert_uint_eq(pages(), 0);
    ck_assert_ptr_null(ends.host.annex);
    ck_assert_uint_eq(ends.host.shared->annex, PB_ANNEX_UNWANTED);
    pb_hostlink_give_back(&ends.host);
}
END_TEST

START_TEST(it_is_there_again_for_a_host_that_is_faster_than_the_worker)
{
    open_annex();
    struct pb_claimed job = begin(1);
    answer_in_annex(&job);
    expect_data(1);
    pb_hostlink_give_back(&ends.host);
    job = begin(2);
    ck_assert_uint_eq(job.slot->input_place, PB_IN_ANNEX);
    ck_assert(memcmp(job.input, data, LENGTH) == 0);
    answer_in_annex(&job);
    expect_data(2);
}
END_TEST

static bool may_lock_gigabytes(void)
{
    struct rlimit limit;
    return geteuid() == 0 || (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur >= (rlim_t)4 << 30);
}

/* Each end would get half a gigabyte of them. */
START_TEST(a_process_that_locks_its_memory_gets_no_pages_that_are_not_used)
{
    struct ends locked;
    if (!may_lock_gigabytes() || mlockall(MCL_FUTURE) < 0) return;
    ends_open(&locked, BOUND);
    char *annex = pb_annex_map(locked.host.shared);
    munlockall();
    ck_assert_ptr_nonnull(annex);
    static unsigned char there[PB_ANNEX_SIZE / 4096];
    ck_assert_int_eq(mincore(annex, PB_ANNEX_SIZE, there), 0);
    for (size_t i = 0; i < sizeof there; i++)
        must(!(there[i] & 1));
    pb_annex_unmap(annex);
    ends_close(&locked);
}
END_TEST

/* To be written, its pages would have to be got. */
START_TEST(it_is_left_out_of_core_files)
{
    char line[512], flags[16];
    unsigned long begin, end, size = 0;
    char *annex = pb_annex_map(ends.host.shared);
    FILE *maps = fopen("/proc/self/smaps", "r");
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx ", &begin, &end) == 2) size = begin <= (uintptr_t)annex && (uintptr_t)annex < end ? end - begin : 0;
        if (size && sscanf(line, "VmFlags: %15s", flags) == 1) break;
    }
    fclose(maps);
    ck_assert_uint_ge(size, PB_ANNEX_SIZE);
    ck_assert_ptr_nonnull(strstr(line, " dd"));
    pb_annex_unmap(annex);
}
END_TEST

START_TEST(a_worker_with_limited_address_space_has_none)
{
    struct rlimit limit = {.rlim_cur = UINT64_C(1) << 46, .rlim_max = UINT64_C(1) << 46};
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    for (uint64_t n = 0; n < 3; n++)
        input_over_the_stream(n);
    ck_assert_ptr_null(ends.worker.annex);
}
END_TEST

START_TEST(a_host_that_may_make_no_large_files_has_none)
{
    struct ends limited;
    struct rlimit limit = {.rlim_cur = sizeof(struct pb_shared), .rlim_max = RLIM_INFINITY};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ends_open(&limited, BOUND);
    ck_assert(!limited.host.has_annex && !limited.host.shared->has_annex);
    ends_close(&limited);
}
END_TEST

/* --- workers that lie --- */

/* What comes of a reply there, as the worker says. */
static int replied(uint64_t length)
{
    struct pb_collected collected = {0};
    struct pb_claimed job = claim_next(&ends);
    job.slot->answer = PB_ANSWER_ANNEX;
    job.slot->output_length = length;
    atomic_fetch_add(&ends.worker.shared->completed, 1);
    int rc = try_to_collect(&collected);
    free(collected.data);
    return rc;
}

START_TEST(a_reply_in_an_annex_that_the_host_does_not_have_is_refused)
{
    submit(&ends, 0, "", 0);
    ck_assert_int_eq(replied(1), -EPROTO);
}
END_TEST

START_TEST(a_reply_that_does_not_lie_in_the_annex_is_refused)
{
    static const uint64_t lengths[] = {0, (uint64_t)PB_ANNEX_HALF + 1, UINT32_MAX, UINT64_C(1) << 63, UINT64_MAX};
    open_annex();
    submit(&ends, 1, data, LENGTH);
    copy_input();
    ends.host.max_payload = UINT64_MAX;
    ck_assert_int_eq(replied(lengths[_i]), -EPROTO);
}
END_TEST

START_TEST(a_reply_above_the_bound_is_refused_though_it_lies_there)
{
    open_annex();
    submit(&ends, 1, data, LENGTH);
    copy_input();
    ends.host.max_payload = LENGTH;
    ck_assert_int_eq(replied(LENGTH + 1), -EFBIG);
}
END_TEST

START_TEST(what_is_being_copied_is_not_changed_by_what_the_slot_says_then)
{
    struct pb_collected collected;
    open_annex();
    struct pb_claimed job = begin(1);
    answer_in_annex(&job);
    ck_assert_int_eq(try_to_collect(&collected), 0);
    job.slot->output_length = UINT64_MAX;
    job.slot->answer = PB_ANSWER_LARGE;
    job.slot->updates = 7;
    atomic_store(&job.slot->claim, PB_CLAIM_FREE);
    expect_data(1);
}
END_TEST

/* Its input would be given back while it is sent, or copied. */
START_TEST(a_job_whose_input_is_on_its_way_cannot_have_an_answer)
{
    struct pb_collected collected;
    if (_i) open_annex();
    submit(&ends, (uint64_t)_i, data, LENGTH);
    ck_assert(pb_hostlink_sending(&ends.host));
    ck_assert((ends.host.input.left != 0) == (_i != 0));
    struct pb_slot *slot = &ends.worker.shared->slots[_i];
    atomic_store(&slot->claim, PB_CLAIM_RUNNING);
    slot->answer = PB_ANSWER_NO_MEMORY;
    atomic_fetch_add(&ends.worker.shared->completed, 1);
    ck_assert_int_eq(try_to_collect(&collected), -EPROTO);
}
END_TEST

START_TEST(an_annex_that_the_worker_does_not_have_is_its_own_loss)
{
    atomic_store(&ends.worker.shared->annex, PB_ANNEX_OPEN);
    submit(&ends, 0, data, LENGTH);
    copy_input();
    ck_assert_uint_eq(ends.worker.shared->submitted, 1);
    atomic_store(&ends.worker.shared->annex, 77);
    pb_hostlink_revoke(&ends.host, tag_of(0));
    pb_hostlink_give_back(&ends.host);
    ck_assert_uint_eq(pages(), 0);
    submit(&ends, 1, data, LENGTH);
    ck_assert_uint_eq(ends.host.input.left, 0);
}
END_TEST

Suite *annex_suite(void)
{
    Suite *suite = suite_create("annex");
    TCase *tests = group_without(suite, "not-valgrind", "annex", 20); /* its mremap maps nothing twice */
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_comes_first_goes_over_the_stream_and_what_follows_through_the_annex);
    tcase_add_test(tests, replies_alone_open_it_as_well);
    tcase_add_test(tests, a_worker_does_not_know_of_an_input_that_is_not_all_there);
    tcase_add_test(tests, an_input_can_be_taken_back_while_it_is_copied);
    tcase_add_test(tests, of_a_dead_worker_an_input_that_was_copied_never_began);
    tcase_add_test(tests, a_host_in_a_hurry_copies_a_reply_at_once);
    tcase_add_test(tests, there_is_no_room_until_the_reply_in_it_is_collected);
    tcase_add_test(tests, what_is_larger_than_the_annex_goes_over_the_stream);
    tcase_add_test(tests, a_worker_with_nothing_to_do_leaves_an_annex_that_is_given_back);
    tcase_add_test(tests, its_pages_are_given_back);
    tcase_add_test(tests, it_is_there_again_for_a_host_that_is_faster_than_the_worker);
    tcase_add_test(tests, a_process_that_locks_its_memory_gets_no_pages_that_are_not_used);
    tcase_add_test(tests, it_is_left_out_of_core_files);
    tcase_add_test(tests, a_host_that_may_make_no_large_files_has_none);
    tcase_add_test(tests, a_reply_in_an_annex_that_the_host_does_not_have_is_refused);
    tcase_add_loop_test(tests, a_reply_that_does_not_lie_in_the_annex_is_refused, 0, 5);
    tcase_add_test(tests, a_reply_above_the_bound_is_refused_though_it_lies_there);
    tcase_add_test(tests, what_is_being_copied_is_not_changed_by_what_the_slot_says_then);
    tcase_add_loop_test(tests, a_job_whose_input_is_on_its_way_cannot_have_an_answer, 0, 2);
    tcase_add_test(tests, an_annex_that_the_worker_does_not_have_is_its_own_loss);
    tests = group_without(suite, "not-valgrind not-tsan", "address space", 20); /* they lack it then themselves */
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_worker_with_limited_address_space_has_none);
    return suite;
}
