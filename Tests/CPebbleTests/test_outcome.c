/* SPDX-License-Identifier: Apache-2.0
 * Outcomes in words, and arithmetic on moments. */
#include "compat.h"
#include "clock.h"
#include "tests.h"
#include "pebble.h"

#include <check.h>
#include <signal.h>
#include <string.h>

static void described_as(struct pebble_outcome outcome, const char *expected)
{
    char text[256];
    int length = pebble_outcome_describe(&outcome, text, sizeof text);
    ck_assert_str_eq(text, expected);
    ck_assert_int_eq(length, (int)strlen(expected));
}

START_TEST(each_outcome_has_a_line)
{
    described_as((struct pebble_outcome){.status = PEBBLE_SUCCESS, .run_time = 12 * PB_MILLISECOND},
                 "success after 12 ms");
    described_as((struct pebble_outcome){.status = PEBBLE_FAILURE, .code = 7, .run_time = 2 * PB_SECOND},
                 "failure 7 after 2 s");
    described_as((struct pebble_outcome){.status = PEBBLE_TIMEOUT,
                                         .limit = PEBBLE_LIMIT_QUEUE_TIMEOUT,
                                         .limit_length = 1500 * PB_MILLISECOND},
                 "timed out: queue timeout of 1.5 s");
    described_as((struct pebble_outcome){.status = PEBBLE_CANCELLED}, "cancelled before it began");
    described_as((struct pebble_outcome){.status = PEBBLE_CANCELLED, .started = true}, "cancelled while it ran");
    described_as((struct pebble_outcome){.status = PEBBLE_EXPIRED,
                                         .pid = 4711,
                                         .exit_code = -1,
                                         .exit_signal = SIGSEGV,
                                         .run_time = 12 * PB_MILLISECOND},
                 "worker 4711 crashed: SIGSEGV after 12 ms: nothing recorded: probably a stack overflow on a thread that "
                 "the job had started");
    described_as((struct pebble_outcome){.status = PEBBLE_EXPIRED,
                                         .pid = 4711,
                                         .exit_code = -1,
                                         .exit_signal = SIGKILL,
                                         .run_time = 12 * PB_MILLISECOND},
                 "worker 4711 crashed: SIGKILL after 12 ms");
    described_as((struct pebble_outcome){.status = PEBBLE_EXPIRED,
                                         .pid = 4711,
                                         .exit_code = -1,
                                         .exit_signal = SIGKILL,
                                         .likely_oom = true,
                                         .run_time = 12 * PB_MILLISECOND},
                 "worker 4711 crashed: SIGKILL after 12 ms: probably for want of memory");
    described_as((struct pebble_outcome){.status = PEBBLE_EXPIRED, .pid = 4711, .exit_code = 0, .run_time = 1000},
                 "worker 4711 exited with code 0 after 1 us");
    described_as((struct pebble_outcome){.status = PEBBLE_EXPIRED, .pid = 4711, .exit_code = -1, .run_time = 1000},
                 "worker 4711 was lost with the fork server after 1 us");
    described_as((struct pebble_outcome){.status = PEBBLE_NOT_RUN, .cause = PEBBLE_CAUSE_STOPPED},
                 "not run: the pool was stopped");
    described_as((struct pebble_outcome){.status = PEBBLE_NOT_RUN, .cause = PEBBLE_CAUSE_START, .error = EMFILE},
                 "not run: no worker could be started: Too many open files");
}
END_TEST

START_TEST(a_line_is_truncated_to_the_buffer)
{
    struct pebble_outcome outcome = {.status = PEBBLE_CANCELLED, .started = true};
    char text[10];
    int whole = (int)strlen("cancelled while it ran");
    ck_assert_int_eq(pebble_outcome_describe(&outcome, text, sizeof text), whole);
    ck_assert_str_eq(text, "cancelled");
    ck_assert_int_eq(pebble_outcome_describe(&outcome, NULL, 0), whole);
}
END_TEST

START_TEST(signals_have_their_names)
{
    ck_assert_str_eq(pebble_signal_name(SIGSEGV), "SIGSEGV");
    ck_assert_str_eq(pebble_signal_name(SIGKILL), "SIGKILL");
    ck_assert_str_eq(pebble_signal_name(SIGSYS), "SIGSYS");
    for (int number = 1; number < 32; number++) {
        const char *abbreviation = sigabbrev_np(number);
        if (number == SIGIO || number == SIGSTKFLT) continue; /* of two names */
        ck_assert_str_eq(pebble_signal_name(number) + 3, abbreviation);
    }
    ck_assert_str_eq(pebble_signal_name(0), "SIG?");
    ck_assert_str_eq(pebble_signal_name(-1), "SIG?");
    ck_assert_str_eq(pebble_signal_name(1000), "SIG?");
}
END_TEST

START_TEST(statuses_and_causes_have_words)
{
    for (int status = PEBBLE_SUCCESS; status <= PEBBLE_NOT_RUN; status++)
        ck_assert_str_ne(pebble_status_string((enum pebble_status)status), "unknown");
    for (int cause = PEBBLE_CAUSE_NONE; cause <= PEBBLE_CAUSE_NO_FUNCTION; cause++)
        ck_assert_str_ne(pebble_cause_string((enum pebble_cause)cause), "unknown");
    ck_assert_str_eq(pebble_status_string((enum pebble_status)99), "unknown");
    ck_assert_str_eq(pebble_cause_string((enum pebble_cause)99), "unknown");
}
END_TEST

START_TEST(the_version_is_that_of_the_header)
{
    ck_assert_str_eq(pebble_version(), PEBBLE_VERSION);
}
END_TEST

START_TEST(a_moment_beyond_all_time_is_never)
{
    ck_assert_int_eq(pb_after(5, 7), 12);
    ck_assert_int_eq(pb_after(5, INT64_MAX), INT64_MAX);
    ck_assert_int_eq(pb_after(INT64_MAX, INT64_MAX), INT64_MAX);
    ck_assert_int_eq(pb_timespec(3 * PB_SECOND + 7).tv_sec, 3);
    ck_assert_int_eq(pb_timespec(3 * PB_SECOND + 7).tv_nsec, 7);
}
END_TEST

START_TEST(time_does_not_go_back)
{
    int64_t before = pb_now();
    for (int i = 0; i < 10000; i++) {
        int64_t now = pb_now();
        ck_assert_int_ge(now, before);
        before = now;
    }
}
END_TEST

Suite *outcome_suite(void)
{
    Suite *suite = suite_create("outcome");
    TCase *tests = group(suite, "outcome", 30);
    tcase_add_test(tests, each_outcome_has_a_line);
    tcase_add_test(tests, a_line_is_truncated_to_the_buffer);
    tcase_add_test(tests, signals_have_their_names);
    tcase_add_test(tests, statuses_and_causes_have_words);
    tcase_add_test(tests, the_version_is_that_of_the_header);
    tcase_add_test(tests, a_moment_beyond_all_time_is_never);
    tcase_add_test(tests, time_does_not_go_back);
    return suite;
}
