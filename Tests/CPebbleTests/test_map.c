/* SPDX-License-Identifier: Apache-2.0
 * A function over many inputs. */
#include "support.h"
#include "chance.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Numbers from `next` up to `end`, of which some are of a kind. */
struct numbers {
    int64_t next, end;
    int64_t current;
};

static int give_number(void *arg, const void **ret_data, size_t *ret_length)
{
    struct numbers *numbers = arg;
    if (numbers->next == numbers->end) return 0;
    numbers->current = numbers->next++;
    *ret_data = &numbers->current;
    *ret_length = sizeof numbers->current;
    return 1;
}

static int64_t number_in(pebble_call *call)
{
    size_t length;
    int64_t number;
    const void *input = pebble_call_input(call, &length);
    if ((uintptr_t)input % sizeof number) _exit(98); /* it is to be aligned for any type that fits into it */
    memcpy(&number, input, sizeof number);
    return number;
}

static int job_double(pebble_call *call)
{
    return reply_number(call, 2 * number_in(call));
}

/* Fails on 3, ends its worker on 7, and hangs on 11. */
static int job_mixed(pebble_call *call)
{
    int64_t number = number_in(call);
    if (number == 3) {
        pebble_call_write(call, "three", 5);
        return 33;
    }
    if (number == 7) _exit(77);
    while (number == 11)
        pause();
    pebble_call_write(call, "taken back", 10);
    pebble_call_unwrite(call, 1000); /* of this element's reply only */
    return reply_number(call, 2 * number);
}

static pebble_map *map_of(pebble_pool *pool, pebble_function function, struct numbers *numbers,
                          struct pebble_map_options options)
{
    pebble_map *map;
    ck_assert_int_eq(pebble_map_new(pool, function, give_number, numbers, &options, &map), 0);
    return map;
}

static struct pebble_map_result next_of(pebble_map *map)
{
    struct pebble_map_result result;
    ck_assert_int_eq(pebble_map_next(map, PATIENCE, &result), 1);
    return result;
}

static void ends(pebble_map *map)
{
    struct pebble_map_result result;
    ck_assert_int_eq(pebble_map_next(map, PATIENCE, &result), 0);
    pebble_map_free(map);
}

static int64_t number_of(const struct pebble_map_result *result)
{
    int64_t number;
    must(result->outcome.status == PEBBLE_SUCCESS && result->outcome.length == sizeof number);
    memcpy(&number, result->outcome.data, sizeof number);
    return number;
}

static void doubles_in_order(pebble_pool *pool, int64_t count, struct pebble_map_options options)
{
    struct numbers numbers = {.end = count};
    pebble_map *map = map_of(pool, job_double, &numbers, options);
    for (int64_t i = 0; i < count; i++) {
        struct pebble_map_result result = next_of(map);
        must(result.index == (uint64_t)i && number_of(&result) == 2 * i);
    }
    ends(map);
}

START_TEST(results_come_in_the_order_of_the_elements)
{
    pebble_pool *pool = pool_with(_i, 2);
    doubles_in_order(pool, 0, (struct pebble_map_options){0});
    doubles_in_order(pool, 1, (struct pebble_map_options){0});
    doubles_in_order(pool, 100, (struct pebble_map_options){0});
    doubles_in_order(pool, 100, (struct pebble_map_options){.chunk_size = 1});
    doubles_in_order(pool, 100, (struct pebble_map_options){.chunk_size = 7, .window = 1});
    doubles_in_order(pool, 100, (struct pebble_map_options){.chunk_size = 1000});
    close_pool(pool);
}
END_TEST

START_TEST(a_million_elements_pass_in_chunks)
{
    pebble_pool *pool = pool_with(_i, 2);
    doubles_in_order(pool, (int64_t)chance_steps(), (struct pebble_map_options){.chunk_size = chance_steps() / 100});
    close_pool(pool);
}
END_TEST

START_TEST(results_may_come_as_they_are_there)
{
    pebble_pool *pool = pool_with(_i, 2);
    static bool seen[1000];
    struct numbers numbers = {.end = 1000};
    pebble_map *map = map_of(pool, job_double, &numbers, (struct pebble_map_options){.chunk_size = 3, .as_completed = true});
    for (int i = 0; i < 1000; i++) {
        struct pebble_map_result result = next_of(map);
        must(number_of(&result) == 2 * (int64_t)result.index && !seen[result.index]);
        seen[result.index] = true;
    }
    ends(map);
    close_pool(pool);
}
END_TEST

/* Of numbers 0 to 9 all are doubled but for 3, which fails, and 7, which takes its worker with it. */
static void mixed(pebble_pool *pool, size_t chunk_size, bool as_completed)
{
    struct numbers numbers = {.end = 10};
    pebble_map *map = map_of(pool, job_mixed, &numbers,
                             (struct pebble_map_options){.chunk_size = chunk_size, .as_completed = as_completed});
    bool seen[10] = {0};
    for (uint64_t i = 0; i < 10; i++) {
        struct pebble_map_result result = next_of(map);
        if (!as_completed) ck_assert_uint_eq(result.index, i);
        ck_assert(!seen[result.index]);
        seen[result.index] = true;
        if (result.index == 3) {
            ck_assert_int_eq(result.outcome.status, PEBBLE_FAILURE);
            ck_assert_int_eq(result.outcome.code, 33);
            ck_assert_uint_eq(result.outcome.length, 5);
            ck_assert_mem_eq(result.outcome.data, "three", 5);
        } else if (result.index == 7) {
            ck_assert_int_eq(result.outcome.status, PEBBLE_EXPIRED);
            ck_assert_int_eq(result.outcome.exit_code, 77);
        } else {
            ck_assert_int_eq(number_of(&result), 2 * (int64_t)result.index);
        }
    }
    ends(map);
}

START_TEST(elements_keep_their_own_errors_and_deaths)
{
    pebble_pool *pool = pool_with(_i, 2);
    for (size_t chunk_size = 1; chunk_size <= 11; chunk_size++) {
        mixed(pool, chunk_size, false);
        mixed(pool, chunk_size, true);
    }
    close_pool(pool);
}
END_TEST

START_TEST(only_the_guilty_element_takes_a_worker_with_it)
{
    pebble_pool *pool = pool_with(_i, 1);
    mixed(pool, 10, false);
    ck_assert_uint_eq(statistics_of(pool).expired, 1); /* it was known at once */
    close_pool(pool);
}
END_TEST

START_TEST(a_chunk_over_its_limit_gives_each_of_its_elements_that)
{
    pebble_pool *pool = pool_with(_i, 2);
    struct numbers numbers = {.next = 9, .end = 15};
    pebble_map *map = map_of(pool, job_mixed, &numbers,
                             (struct pebble_map_options){.chunk_size = 3, .job.timeout = 100 * MILLISECOND});
    for (int i = 0; i < 3; i++) ck_assert_int_eq(next_of(map).outcome.status, PEBBLE_TIMEOUT); /* 11 is among them */
    for (int64_t i = 12; i < 15; i++) {
        struct pebble_map_result result = next_of(map);
        ck_assert_int_eq(number_of(&result), 2 * i);
    }
    ends(map);
    close_pool(pool);
}
END_TEST

START_TEST(what_is_left_can_be_cancelled)
{
    pebble_pool *pool = pool_with(_i, 1);
    struct numbers numbers = {.next = 10, .end = 15};
    pebble_map *map = map_of(pool, job_mixed, &numbers, (struct pebble_map_options){.window = 10});
    struct pebble_map_result result = next_of(map);
    ck_assert_int_eq(number_of(&result), 20);
    ck_assert_int_eq(pebble_map_next(map, 10 * MILLISECOND, &result), -ETIMEDOUT); /* 11 hangs */
    pebble_map_cancel(map);
    for (uint64_t i = 1; i < 5; i++) {
        result = next_of(map);
        ck_assert_uint_eq(result.index, i);
        ck_assert_int_eq(result.outcome.status, PEBBLE_CANCELLED);
    }
    ends(map);
    close_pool(pool);
}
END_TEST

START_TEST(a_map_may_be_freed_at_any_moment)
{
    pebble_pool *pool = pool_with(_i, 1);
    struct numbers numbers = {.next = 9, .end = 100};
    pebble_map_free(map_of(pool, job_mixed, &numbers, (struct pebble_map_options){0}));
    ck_assert_int_eq(numbers.next, 9); /* nothing was begun */
    pebble_map *map = map_of(pool, job_mixed, &numbers, (struct pebble_map_options){.chunk_size = 2});
    next_of(map); /* the next chunk hangs */
    pebble_map_free(map);
    pebble_map_free(NULL);
    run(pool, job_pid);
    close_pool(pool);
}
END_TEST

START_TEST(a_source_without_end_is_read_a_window_ahead)
{
    pebble_pool *pool = pool_with(_i, 2);
    struct numbers numbers = {.end = -1};
    pebble_map *map = map_of(pool, job_double, &numbers, (struct pebble_map_options){.chunk_size = 4, .window = 3});
    for (int64_t i = 0; i < 10000; i++) {
        struct pebble_map_result result = next_of(map);
        must(number_of(&result) == 2 * i);
        must(numbers.next <= i + 4 + 3 * 4);
    }
    pebble_map_free(map);
    close_pool(pool);
}
END_TEST

/* Results of jobs that take next to no time are not waited for one by one: more
 * jobs are ahead of them, and those are still so many at most. */
START_TEST(short_jobs_are_sent_further_ahead)
{
    pebble_pool *pool = pool_with(_i, 2);
    struct numbers numbers = {.end = -1};
    pebble_map *map = map_of(pool, job_double, &numbers, (struct pebble_map_options){0});
    int64_t most = 0;
    for (int64_t i = 0; i < 10000; i++) {
        struct pebble_map_result result = next_of(map);
        must(number_of(&result) == 2 * i);
        if (numbers.next - i > most) most = numbers.next - i;
    }
    ck_assert_int_gt(most, 2 * 2 + 1);
    ck_assert_int_le(most, 2 * 64 + 2);
    pebble_map_free(map);
    close_pool(pool);
}
END_TEST

static int fail_at_5(void *arg, const void **ret_data, size_t *ret_length)
{
    struct numbers *numbers = arg;
    return numbers->next == 5 ? -EIO : give_number(arg, ret_data, ret_length);
}

START_TEST(the_error_of_a_source_comes_behind_what_it_gave)
{
    pebble_pool *pool = pool_with(_i, 2);
    struct numbers numbers = {.end = 10};
    pebble_map *map;
    struct pebble_map_options options = {.chunk_size = 3};
    ck_assert_int_eq(pebble_map_new(pool, job_double, fail_at_5, &numbers, &options, &map), 0);
    struct pebble_map_result result;
    for (int64_t i = 0; i < 5; i++) {
        result = next_of(map);
        ck_assert_int_eq(number_of(&result), 2 * i);
    }
    ck_assert_int_eq(pebble_map_next(map, PATIENCE, &result), -EIO);
    ck_assert_int_eq(pebble_map_next(map, PATIENCE, &result), -EIO);
    pebble_map_free(map);
    close_pool(pool);
}
END_TEST

START_TEST(a_pool_that_is_stopped_ends_its_maps)
{
    pebble_pool *pool = pool_with(_i, 1);
    struct numbers numbers = {.next = 11, .end = 1000000};
    pebble_map *map = map_of(pool, job_mixed, &numbers, (struct pebble_map_options){0});
    struct pebble_map_result result;
    ck_assert_int_eq(pebble_map_next(map, 10 * MILLISECOND, &result), -ETIMEDOUT);
    pebble_pool_stop(pool);
    int rc, count = 0;
    while ((rc = pebble_map_next(map, PATIENCE, &result)) == 1)
        count++;
    ck_assert_int_eq(rc, -ESHUTDOWN);
    ck_assert_int_le(count, 10); /* what was in the window */
    pebble_map_free(map);
    stop_pool(pool);
}
END_TEST

START_TEST(a_bounded_pool_is_waited_for)
{
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = 2, .start_method = (enum pebble_start_method)_i, .max_queued = 1});
    doubles_in_order(pool, 500, (struct pebble_map_options){.chunk_size = 2, .window = 8});
    mixed(pool, 10, false);
    mixed(pool, 4, true);
    close_pool(pool);
}
END_TEST

/* One element of a few megabytes, three times. */
static int give_large(void *arg, const void **ret_data, size_t *ret_length)
{
    static char large[3 << 20];
    int *left = arg;
    if (!*left) return 0;
    memset(large, 'a' + --*left, sizeof large);
    *ret_data = large;
    *ret_length = sizeof large;
    return 1;
}

START_TEST(large_elements_make_the_round_trip)
{
    pebble_pool *pool = pool_with(_i, 2);
    int left = 3;
    pebble_map *map;
    struct pebble_map_options options = {.chunk_size = 2};
    ck_assert_int_eq(pebble_map_new(pool, job_echo, give_large, &left, &options, &map), 0);
    for (int i = 2; i >= 0; i--) {
        struct pebble_map_result result = next_of(map);
        const char *data = result.outcome.data;
        ck_assert_uint_eq(result.outcome.length, 3 << 20);
        ck_assert(data[0] == 'a' + i && memcmp(data, data + 1, (3 << 20) - 1) == 0);
    }
    ends(map);
    close_pool(pool);
}
END_TEST

START_TEST(threads_map_too)
{
    pebble_pool *pool;
    ck_assert_int_eq(pebble_thread_pool_new(&(struct pebble_thread_pool_config){.max_workers = 2}, &pool), 0);
    doubles_in_order(pool, 10000, (struct pebble_map_options){.chunk_size = 10});
    doubles_in_order(pool, 1000, (struct pebble_map_options){0});
    close_pool(pool);
}
END_TEST

START_TEST(wrong_limits_are_refused)
{
    pebble_pool *pool = pool_with(_i, 1);
    struct numbers numbers = {0};
    pebble_map *map;
    struct pebble_map_options negative = {.job.timeout = -1}, high = {.job.priority = 16};
    ck_assert_int_eq(pebble_map_new(pool, job_double, give_number, &numbers, &negative, &map), -EINVAL);
    ck_assert_int_eq(pebble_map_new(pool, job_double, give_number, &numbers, &high, &map), -EINVAL);
    close_pool(pool);
}
END_TEST

Suite *map_suite(void)
{
    Suite *suite = suite_create("map");
    TCase *tests = group(suite, "map", 60);
    both(tests, results_come_in_the_order_of_the_elements);
    both(tests, a_million_elements_pass_in_chunks);
    both(tests, results_may_come_as_they_are_there);
    both(tests, elements_keep_their_own_errors_and_deaths);
    both(tests, only_the_guilty_element_takes_a_worker_with_it);
    both(tests, a_chunk_over_its_limit_gives_each_of_its_elements_that);
    both(tests, what_is_left_can_be_cancelled);
    both(tests, a_map_may_be_freed_at_any_moment);
    both(tests, a_source_without_end_is_read_a_window_ahead);
    both(tests, short_jobs_are_sent_further_ahead);
    both(tests, the_error_of_a_source_comes_behind_what_it_gave);
    both(tests, a_pool_that_is_stopped_ends_its_maps);
    both(tests, a_bounded_pool_is_waited_for);
    both(tests, large_elements_make_the_round_trip);
    tcase_add_test(tests, threads_map_too);
    both(tests, wrong_limits_are_refused);
    return suite;
}
