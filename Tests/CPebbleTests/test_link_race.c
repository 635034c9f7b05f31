/* SPDX-License-Identifier: Apache-2.0
 * Both ends of a link on two threads: every job is answered once or revoked
 * once, and nobody sleeps through what is there for him. */
#include "ends.h"
#include "chance.h"
#include "clock.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MOST_JOBS 1000000U
#define MOST (PB_LARGE_SIZE + 400000U) /* bytes in an input or a reply */

enum fate { PENDING, ANSWERED, REVOKED };

static struct ends ends;
static unsigned char fates[MOST_JOBS], ran[MOST_JOBS]; /* the host's, the worker's */
static uint64_t jobs;
static uint64_t submitted, live[PB_SLOTS];
static unsigned live_count;
static bool with_large; /* the bells are on the stream, and some inputs and replies as well */
static char bytes[MOST];

/* How long the input and the reply of a job are; both begin with its number. */
static size_t input_length(uint64_t number)
{
    if (with_large && number % 1009 == 5) return 40000 + number % 360000;
    if (with_large && number % 10007 == 6) return PB_LARGE_SIZE + 1 + number % 300000;
    return 8 + (number % 97 == 0 ? number % 20000 : number % 64);
}

static size_t reply_length(uint64_t number)
{
    if (with_large && number % 1511 == 7) return PB_ARENA_SIZE + number % 200000;
    if (with_large && number % 10009 == 8) return PB_LARGE_SIZE + 1 + number % 300000;
    return number % 5 ? 8 + (number % 89 == 0 ? number % 50000 : number % 300) : 0;
}

/* --- the worker --- */

static void *work(void *arg)
{
    struct pb_claimed job;
    char *own = calloc(1, MOST);
    while (pb_childlink_next(&ends.worker, &job)) {
        uint64_t number;
        memcpy(&number, job.input, sizeof number);
        must(number < jobs && job.input_length == input_length(number) && job.slot->offset == number);
        must(ran[number]++ == 0);
        size_t capacity, length = reply_length(number);
        char *room = pb_childlink_reply_room(&ends.worker, &capacity);
        char *reply = room && capacity >= length ? room : own;
        char *large = reply == own && length <= PB_LARGE_SIZE ? pb_childlink_large_room(&ends.worker) : NULL;
        if (large) reply = large;
        if (length) memcpy(reply, &number, sizeof number);
        must(pb_childlink_answer(&ends.worker, &job, PB_ANSWER_REPLY, (int)number, reply, length));
    }
    free(own);
    return arg;
}

/* --- the host --- */

static void settle(uint64_t number, enum fate fate)
{
    unsigned i = 0;
    while (i < live_count && live[i] != number)
        i++;
    must(i < live_count && fates[number] == PENDING);
    memmove(live + i, live + i + 1, (--live_count - i) * sizeof *live);
    fates[number] = (unsigned char)fate;
}

static bool submit_next(void)
{
    if (pb_hostlink_sending(&ends.host)) return false; /* `bytes` is still borrowed */
    memcpy(bytes, &submitted, sizeof submitted);
    int rc = submit(&ends, submitted, bytes, input_length(submitted));
    must(rc >= 0);
    if (rc > 0) live[live_count++] = submitted++;
    return rc > 0;
}

static void collect_all(void)
{
    struct pb_collected collected;
    int rc;
    while ((rc = pb_hostlink_collect(&ends.host, pb_now(), &collected)) > 0) {
        uint64_t number = (uintptr_t)collected.tag - 1;
        must(number == live[0]); /* in order */
        must(collected.code == (int)number && collected.length == reply_length(number));
        must(!collected.length || memcmp(collected.data, &number, sizeof number) == 0);
        free(collected.data);
        settle(number, ANSWERED);
    }
    must(rc == 0);
}

/* Sleeps until there is an answer, or the stream can take more. */
static void wait_for_the_worker(void)
{
    uint32_t answers = with_large ? 1 : 1 + (uint32_t)(submitted % 3);
    if (!pb_hostlink_want_bell(&ends.host, with_large ? PB_BELL_ON_STREAM : PB_BELL_ON_WORD, answers) &&
        !pb_hostlink_awaits_rest(&ends.host))
        return;
    if (!with_large) {
        pb_hostlink_wait_bell(&ends.host, INT64_MAX);
        while (pb_hostlink_read(&ends.host) > 0) /* bells from before it was the word's turn */
            continue;
        return;
    }
    struct pollfd polled = {.fd = ends.host.stream.fd, .events = POLLIN};
    if (pb_hostlink_sending(&ends.host)) polled.events |= POLLOUT;
    must(poll(&polled, 1, -1) == 1);
    if (polled.revents & POLLOUT) must(pb_hostlink_flush(&ends.host) >= 0);
    if (polled.revents & POLLIN) must(pb_hostlink_read(&ends.host) >= 0);
}

static void revoke_some(void)
{
    uint64_t number = live[chance(live_count)];
    if (once_in(2)) {
        if (pb_hostlink_revoke(&ends.host, tag_of(number))) settle(number, REVOKED);
    } else {
        void *tag = pb_hostlink_revoke_last(&ends.host);
        must(!tag || tag == tag_of(live[live_count - 1]));
        if (tag) settle(live[live_count - 1], REVOKED);
    }
}

static void drive(void)
{
    while (submitted < jobs || live_count) {
        unsigned wanted = 1U << chance(7); /* from one at a time to all at once */
        for (unsigned i = 0; i < wanted && submitted < jobs; i++)
            if (!submit_next()) break;
        for (unsigned i = chance(4); i > 0 && live_count; i--)
            revoke_some();
        collect_all();
        while (live_count >= wanted) {
            wait_for_the_worker();
            collect_all();
        }
        if (live_count == 0 && pb_hostlink_sending(&ends.host)) wait_for_the_worker();
    }
}

static void race(bool counters_wrap)
{
    pthread_t thread;
    chance_begin(5);
    ends_open(&ends, BOUND);
    jobs = chance_steps() < MOST_JOBS ? chance_steps() : MOST_JOBS;
    ends_age(&ends, counters_wrap ? (UINT64_C(1) << 32) - jobs / 2 : 0);
    pb_childlink_ready(&ends.worker);
    ck_assert_int_eq(pthread_create(&thread, NULL, work, NULL), 0);
    drive();
    pb_hostlink_leave(&ends.host);
    pthread_join(thread, NULL);
    unsigned answered = 0;
    for (uint64_t n = 0; n < jobs; n++) {
        must(fates[n] == (ran[n] ? ANSWERED : REVOKED));
        answered += fates[n] == ANSWERED;
    }
    ck_assert_uint_gt(answered, jobs / 10);
    ck_assert_uint_lt(answered, jobs);
    ends_close(&ends);
}

START_TEST(with_bells_on_the_stream_each_job_is_answered_or_revoked_once)
{
    with_large = true;
    race(false);
}
END_TEST

START_TEST(with_bells_on_the_word_each_job_is_answered_or_revoked_once)
{
    race(true);
}
END_TEST

Suite *link_race_suite(void)
{
    Suite *suite = suite_create("link_race");
    TCase *tests = group(suite, "link_race", 120);
    tcase_add_test(tests, with_bells_on_the_stream_each_job_is_answered_or_revoked_once);
    tcase_add_test(tests, with_bells_on_the_word_each_job_is_answered_or_revoked_once);
    return suite;
}
