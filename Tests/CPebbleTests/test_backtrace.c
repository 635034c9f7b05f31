/* SPDX-License-Identifier: Apache-2.0
 * Backtraces as bytes: from a task function to its host, and from anywhere. */
#include "jobs.h"
#include "support.h"
#include "tests.h"

#include <execinfo.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noinline)) static int fail_here(pebble_call *call)
{
    void *addresses[16];
    unsigned char bytes[PEBBLE_BACKTRACE_SIZE];
    int count = backtrace(addresses, PB_COUNT(addresses));
    size_t length = pebble_backtrace_encode(addresses, (size_t)count, bytes, sizeof bytes);
    pebble_call_write(call, bytes, length);
    return 3;
}

static int job_tell_where(pebble_call *call)
{
    int code = fail_here(call);
    __asm__ volatile(""); /* not a jump: this is to be on the stack */
    return code;
}

START_TEST(a_job_can_tell_where_it_failed)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_tell_where);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_FAILURE);
    pebble_backtrace *backtrace = NULL;
    struct pebble_frame frame;
    ck_assert_int_eq(pebble_backtrace_decode(outcome->data, outcome->length, &backtrace), 0);
    ck_assert_uint_ge(pebble_backtrace_length(backtrace), 2);
    ck_assert(!pebble_backtrace_truncated(backtrace));
    ck_assert_int_eq(pebble_backtrace_frame(backtrace, 0, &frame), 0);
    ck_assert_str_eq(frame.function, "fail_here");
    ck_assert(!frame.interrupted);
    ck_assert_int_eq(pebble_backtrace_frame(backtrace, 1, &frame), 0);
    ck_assert_str_eq(frame.function, "job_tell_where");
    ck_assert_uint_eq((uintptr_t)frame.address - frame.function_offset, (uintptr_t)job_tell_where);
    pebble_backtrace_free(backtrace);
    pebble_backtrace_free(NULL);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(what_does_not_fit_is_left_out)
{
    void *addresses[100];
    unsigned char bytes[PEBBLE_BACKTRACE_SIZE];
    pebble_backtrace *backtrace = NULL;
    for (size_t n = 0; n < PB_COUNT(addresses); n++)
        addresses[n] = (void *)(n % 2 ? (uintptr_t)fail_here + n : n);
    ck_assert_uint_eq(pebble_backtrace_encode(addresses, PB_COUNT(addresses), bytes, 64), 0);
    size_t length = pebble_backtrace_encode(addresses, PB_COUNT(addresses), bytes, sizeof bytes);
    ck_assert_uint_gt(length, 0);
    ck_assert_uint_eq(pebble_backtrace_encode(addresses, PB_COUNT(addresses), bytes, length - 1), 0);
    ck_assert_int_eq(pebble_backtrace_decode(bytes, length, &backtrace), 0);
    ck_assert_uint_eq(pebble_backtrace_length(backtrace), 64);
    ck_assert(pebble_backtrace_truncated(backtrace));
    struct pebble_frame frame;
    ck_assert_int_eq(pebble_backtrace_frame(backtrace, 2, &frame), 0);
    ck_assert_str_eq(frame.image, "");
    ck_assert_uint_eq(frame.offset, 2);
    ck_assert_int_eq(pebble_backtrace_frame(backtrace, 64, &frame), -EINVAL);
    pebble_backtrace_free(backtrace);
}
END_TEST

START_TEST(none_is_one_too)
{
    unsigned char bytes[PEBBLE_BACKTRACE_SIZE];
    pebble_backtrace *backtrace = NULL;
    size_t length = pebble_backtrace_encode((void *[]){NULL}, 0, bytes, sizeof bytes);
    ck_assert_int_eq(pebble_backtrace_decode(bytes, length, &backtrace), 0);
    ck_assert_uint_eq(pebble_backtrace_length(backtrace), 0);
    pebble_backtrace_free(backtrace);
}
END_TEST

/* Whatever is in them, they are refused, or can be looked at. */
START_TEST(no_bytes_harm_the_host)
{
    void *addresses[] = {(void *)(uintptr_t)fail_here, (void *)8, (void *)(uintptr_t)job_tell_where};
    unsigned char sound[PEBBLE_BACKTRACE_SIZE], bytes[PEBBLE_BACKTRACE_SIZE];
    size_t length = pebble_backtrace_encode(addresses, PB_COUNT(addresses), sound, sizeof sound);
    unsigned seed = 7, told = 0;
    for (size_t cut = 0; cut < length; cut++)
        must(pebble_backtrace_decode(sound, cut, &(pebble_backtrace *){0}) == -EBADMSG);
    for (int round = 0; round < 3000; round++) {
        memcpy(bytes, sound, length);
        for (int n = 0; n <= round % 8; n++)
            bytes[(size_t)rand_r(&seed) % (round % 2 ? length : 16)] = (unsigned char)rand_r(&seed);
        pebble_backtrace *backtrace = NULL;
        struct pebble_frame frame;
        if (pebble_backtrace_decode(bytes, length, &backtrace) < 0) continue;
        told++;
        for (size_t n = 0; round % 50 == 0 && pebble_backtrace_frame(backtrace, n, &frame) == 0; n++)
            must(strlen(frame.image) < 4096);
        pebble_backtrace_free(backtrace);
    }
    ck_assert_uint_gt(told, 100);
}
END_TEST

Suite *backtrace_suite(void)
{
    Suite *suite = suite_create("backtrace");
    TCase *tests = group(suite, "backtrace", 60);
    TCase *glibc = group_without(suite, "not-asan not-tsan", "backtrace of glibc", 60);
    both(glibc, a_job_can_tell_where_it_failed);
    tcase_add_test(tests, what_does_not_fit_is_left_out);
    tcase_add_test(tests, none_is_one_too);
    tcase_add_test(tests, no_bytes_harm_the_host);
    return suite;
}
