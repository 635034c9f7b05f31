/* SPDX-License-Identifier: Apache-2.0
 * Payloads that are too large for the memory of a link, in pools: what goes
 * through its annex, and what becomes of that. */
#include "annex.h"
#include "loop.h"
#include "poolstate.h"
#include "support.h"
#include "thrift.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LENGTH ((size_t)5 * 1024 * 1024 + 123)

static char *data;

static void set_up(void)
{
    data = malloc(LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        data[i] = (char)(i * 31 >> 3);
}

static void tear_down(void)
{
    free(data);
}

static void echo(pebble_pool *pool)
{
    pebble_future *future = schedule_bytes(pool, job_echo, data, LENGTH);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    ck_assert_uint_eq(outcome->length, LENGTH);
    ck_assert(memcmp(outcome->data, data, LENGTH) == 0);
    pebble_future_unref(future);
}

/* Workers whose annex the host has. */
static int annexes(pebble_pool *pool)
{
    int count = 0;
    struct pb_worker *worker;
    pb_loop_lock(pool);
    TAILQ_FOREACH(worker, &pool->workers, link_in_pool)
        count += worker->link.annex != NULL;
    pb_loop_unlock(pool);
    return count;
}

/* A pool of one worker, which has used its annex. */
static pebble_pool *used(const struct pebble_pool_config *config)
{
    pebble_pool *pool = pool_of(config);
    for (int i = 0; i < 3; i++)
        echo(pool);
    ck_assert_int_eq(annexes(pool), 1);
    return pool;
}

static pebble_pool *used_with(int method)
{
    return used(&(struct pebble_pool_config){.max_workers = 1, .start_method = (enum pebble_start_method)method});
}

START_TEST(payloads_of_several_workers_keep_their_content)
{
    enum { JOBS = 30 };
    pebble_future *futures[JOBS];
    pebble_pool *pool = pool_with(_i, 3);
    for (int i = 0; i < JOBS; i++)
        futures[i] = schedule_bytes(pool, job_echo, data + i, LENGTH - (size_t)i * 100000);
    for (int i = 0; i < JOBS; i++) {
        const struct pebble_outcome *outcome = expect(futures[i], PEBBLE_SUCCESS);
        ck_assert_uint_eq(outcome->length, LENGTH - (size_t)i * 100000);
        ck_assert(memcmp(outcome->data, data + i, outcome->length) == 0);
        pebble_future_unref(futures[i]);
    }
    ck_assert_int_ge(annexes(pool), 1);
    close_pool(pool);
}
END_TEST

/* Spoils its input. Of those that begin with x, one dies then in each worker that has had others. */
static int job_spoil(pebble_call *call)
{
    static bool has_had_others;
    size_t length;
    char *input = pebble_call_input(call, &length);
    bool dies = input[0] == 'x' && has_had_others;
    has_had_others = true;
    pebble_call_write(call, input, length);
    memset(input, 'y', length);
    if (dies) kill(getpid(), SIGKILL);
    return 0;
}

START_TEST(a_job_that_is_tried_again_has_its_input_as_it_was)
{
    pebble_pool *pool = pool_with(_i, 1);
    memset(data, 'z', LENGTH);
    for (int i = 0; i < 3; i++) {
        pebble_future *future = schedule_bytes(pool, job_spoil, data, LENGTH);
        expect_and_drop(future, PEBBLE_SUCCESS);
    }
    ck_assert_int_eq(annexes(pool), 1);
    memset(data, 'x', LENGTH);
    const struct pebble_job_options options = {.retries = 1};
    pebble_future *future;
    ck_assert_int_eq(pebble_pool_schedule(pool, job_spoil, data, LENGTH, &options, &future), 0);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    ck_assert_uint_eq(outcome->deaths, 1);
    ck_assert_uint_eq(outcome->length, LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        if (((const char *)outcome->data)[i] != 'x') ck_abort_msg("spoilt");
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

static int job_wait_for_ever(pebble_call *call)
{
    pebble_call_update(call, "", 0);
    pause();
    return 0;
}

START_TEST(a_large_job_can_be_cancelled_and_time_out_and_the_next_one_works)
{
    pebble_pool *pool = used_with(_i);
    for (int i = 0; i < 4; i++) {
        pebble_future *future;
        const struct pebble_job_options options = {.timeout = i % 2 ? 0 : MILLISECOND};
        ck_assert_int_eq(pebble_pool_schedule(pool, job_wait_for_ever, data, LENGTH, &options, &future), 0);
        if (i % 2) pebble_future_cancel(future);
        expect_and_drop(future, i % 2 ? PEBBLE_CANCELLED : PEBBLE_TIMEOUT);
        echo(pool);
        echo(pool);
    }
    close_pool(pool);
}
END_TEST

/* As if the last large payload were long ago. */
static void let_time_pass(pebble_pool *pool)
{
    pb_loop_lock(pool);
    pool->large_at = 0;
    pb_wheel_disarm(&pool->wheel, &pool->thrift.timer);
    pb_thrift_on_alarm(pool);
    pb_loop_unlock(pool);
}

/* The annex of the only worker of a pool. */
static struct pb_shared *link_of(pebble_pool *pool)
{
    return TAILQ_FIRST(&pool->workers)->link.shared;
}

static size_t pages_of(struct pb_shared *shared)
{
    static unsigned char there[PB_ANNEX_SIZE / 4096];
    size_t count = 0;
    char *annex = pb_annex_map(shared);
    ck_assert_ptr_nonnull(annex);
    ck_assert_int_eq(mincore(annex, PB_ANNEX_SIZE, there), 0);
    for (size_t i = 0; i < sizeof there; i++)
        count += there[i] & 1;
    pb_annex_unmap(annex);
    return count;
}

START_TEST(memory_for_large_payloads_is_given_back)
{
    pebble_pool *pool = used_with(_i);
    struct pb_shared *shared = link_of(pool);
    ck_assert_uint_ge(pages_of(shared), 2 * (LENGTH / 4096));
    ck_assert_uint_gt(pool->blocks.large_size, LENGTH);
    let_time_pass(pool);
    ck_assert_uint_eq(pages_of(shared), 0);
    ck_assert_uint_eq(pool->blocks.large_size, 0);
    ck_assert_int_eq(annexes(pool), 0);
    while (atomic_load(&shared->annex) != PB_ANNEX_CLOSED) /* bounded by the test's time */
        sched_yield();
    for (int i = 0; i < 3; i++)
        echo(pool);
    ck_assert_int_eq(annexes(pool), 1);
    close_pool(pool);
}
END_TEST

START_TEST(that_happens_by_itself)
{
    pebble_pool *pool = used_with(_i);
    struct pb_shared *shared = link_of(pool);
    while (atomic_load(&shared->annex) != PB_ANNEX_CLOSED) /* bounded by the test's time */
        sched_yield();
    ck_assert_uint_eq(pages_of(shared), 0);
    close_pool(pool);
}
END_TEST

START_TEST(what_a_worker_at_work_has_is_given_back_after_it)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = used_with(_i);
    struct pb_shared *shared = link_of(pool);
    pebble_future *future = schedule_order(pool, job_meet, order_in(&scene, 0));
    hear(&scene);
    let_time_pass(pool);
    ck_assert_uint_ge(pages_of(shared), 2 * (LENGTH / 4096));
    let_go(&scene, 0);
    expect_and_drop(future, PEBBLE_SUCCESS);
    while (atomic_load(&shared->annex) != PB_ANNEX_CLOSED) /* bounded by the test's time */
        sched_yield();
    ck_assert_uint_eq(pages_of(shared), 0);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_pool_at_rest_keeps_none)
{
    pebble_pool *pool = used_with(_i);
    pebble_future *future = schedule_bytes(pool, job_echo, data, LENGTH);
    expect(future, PEBBLE_SUCCESS);
    pebble_pool_ref(pool);
    close_pool(pool);
    ck_assert_uint_eq(pool->blocks.large_size, 0);
    pebble_future_unref(future);
    ck_assert_uint_eq(pool->blocks.large_size, 0);
    pebble_pool_unref(pool);
}
END_TEST

START_TEST(confined_workers_have_it_too)
{
    pebble_pool *pool = used(&(struct pebble_pool_config){
        .max_workers = 1, .confined = true, .start_method = (enum pebble_start_method)_i});
    close_pool(pool);
}
END_TEST

START_TEST(workers_with_limited_address_space_do_without)
{
    struct pebble_pool_config config = {.max_workers = 1, .start_method = (enum pebble_start_method)_i};
    config.limits.address_space = UINT64_C(1) << 40;
    pebble_pool *pool = pool_of(&config);
    for (int i = 0; i < 3; i++)
        echo(pool);
    ck_assert_int_eq(annexes(pool), 0);
    close_pool(pool);
}
END_TEST

Suite *large_suite(void)
{
    Suite *suite = suite_create("large");
    TCase *tests = group_without(suite, "not-valgrind", "large", 60); /* its mremap maps nothing twice */
    tcase_add_checked_fixture(tests, set_up, tear_down);
    both(tests, payloads_of_several_workers_keep_their_content);
    both(tests, a_job_that_is_tried_again_has_its_input_as_it_was);
    both(tests, a_large_job_can_be_cancelled_and_time_out_and_the_next_one_works);
    both(tests, memory_for_large_payloads_is_given_back);
    both(tests, that_happens_by_itself);
    both(tests, what_a_worker_at_work_has_is_given_back_after_it);
    both(tests, a_pool_at_rest_keeps_none);
    tests = group_without(suite, "not-tsan not-valgrind", "confined", 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    both(tests, confined_workers_have_it_too);
    tests = group_without(suite, "not-asan not-tsan", "address space", 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    both(tests, workers_with_limited_address_space_do_without);
    return suite;
}
