/* SPDX-License-Identifier: Apache-2.0
 * What jobs say while they run. */
#include "support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pebble_queue *queue_for(size_t capacity)
{
    pebble_queue *queue;
    ck_assert_int_eq(pebble_queue_new(capacity, pebble_update_free, &queue), 0);
    return queue;
}

static pebble_future *schedule_saying(pebble_pool *pool, pebble_function function, struct order order,
                                      pebble_queue *updates)
{
    return schedule_limited(pool, function, order, (struct pebble_job_options){.updates = updates});
}

/* The next update, which is there or comes: a number. */
static int64_t next_number(pebble_queue *queue, int64_t timeout)
{
    void *item;
    int64_t number;
    must(pebble_queue_get(queue, timeout, &item) == 0);
    struct pebble_update *update = item;
    must(update->length == sizeof number);
    memcpy(&number, update->data, sizeof number);
    pebble_update_free(update);
    return number;
}

static void expect_no_more(pebble_queue *queue)
{
    void *item;
    ck_assert_int_eq(pebble_queue_get(queue, 0, &item), -EAGAIN);
}

/* As many numbers as its order says. */
static int job_say(pebble_call *call)
{
    int64_t count = order_of(call)->number;
    for (int64_t i = 0; i < count; i++) {
        int rc = pebble_call_update(call, &i, sizeof i);
        if (rc < 0) return rc;
    }
    return 0;
}

START_TEST(updates_come_in_order_and_before_the_outcome)
{
    pebble_pool *pool = pool_with(_i, 2);
    for (int64_t count = 1; count <= 3000; count = count * 3 / 2 + 1) {
        pebble_queue *queue = queue_for(0);
        pebble_future *future = schedule_saying(pool, job_say, (struct order){.number = count}, queue);
        ck_assert_uint_eq(expect(future, PEBBLE_SUCCESS)->lost_updates, 0);
        for (int64_t i = 0; i < count; i++)
            must(next_number(queue, 0) == i);
        expect_no_more(queue);
        pebble_future_unref(future);
        pebble_queue_unref(queue);
    }
    close_pool(pool);
}
END_TEST

static int job_say_and_meet(pebble_call *call)
{
    int64_t number = 42;
    int rc = pebble_call_update(call, &number, sizeof number);
    return rc < 0 ? rc : (int)await_go(order_of(call));
}

START_TEST(updates_come_while_the_job_runs)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_queue *queue = queue_for(0);
    pebble_future *future = schedule_saying(pool, job_say_and_meet, order_in(&scene, 0), queue);
    ck_assert_int_eq(next_number(queue, PATIENCE), 42);
    ck_assert_ptr_null(pebble_future_outcome(future));
    let_go(&scene, 0);
    expect_and_drop(future, PEBBLE_SUCCESS);
    expect_no_more(queue);
    pebble_queue_unref(queue);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

/* Small ones, so many that several are shipped at once, and all into one queue. */
START_TEST(jobs_that_are_shipped_together_keep_their_updates_apart)
{
    enum { JOBS = 500 };
    pebble_pool *pool = pool_with(_i, 1);
    pebble_queue *queues[JOBS];
    pebble_future *futures[JOBS];
    for (int i = 0; i < JOBS; i++) {
        queues[i] = i % 3 ? queue_for(0) : NULL;
        futures[i] = schedule_saying(pool, job_say, (struct order){.number = i % 4}, queues[i]);
    }
    for (int i = 0; i < JOBS; i++) {
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
        for (int64_t n = 0; queues[i] && n < i % 4; n++)
            must(next_number(queues[i], 0) == n);
        if (queues[i]) expect_no_more(queues[i]);
        pebble_queue_unref(queues[i]);
    }
    close_pool(pool);
}
END_TEST

#define LARGE (3U << 20)

static int job_say_much(pebble_call *call)
{
    char *data = malloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        data[i] = (char)(i * 31 >> 5);
    int rc = pebble_call_update(call, data, LARGE);
    if (rc == 0) rc = pebble_call_update(call, NULL, 0);
    if (rc == 0) rc = pebble_call_write(call, data, LARGE); /* behind them on the stream */
    free(data);
    return rc;
}

START_TEST(updates_may_be_large_or_empty)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_queue *queue = queue_for(0);
    pebble_future *future = schedule_saying(pool, job_say_much, (struct order){0}, queue);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    void *item;
    ck_assert_int_eq(pebble_queue_get(queue, 0, &item), 0);
    struct pebble_update *update = item;
    ck_assert_uint_eq(update->length, LARGE);
    ck_assert_uint_eq(outcome->length, LARGE);
    ck_assert(memcmp(update->data, outcome->data, LARGE) == 0);
    pebble_update_free(update);
    ck_assert_int_eq(pebble_queue_get(queue, 0, &item), 0);
    update = item;
    ck_assert_uint_eq(update->length, 0);
    ck_assert_ptr_null(update->data);
    pebble_update_free(update);
    pebble_future_unref(future);
    pebble_queue_unref(queue);
    close_pool(pool);
}
END_TEST

static int job_say_too_much(pebble_call *call)
{
    static char data[1001];
    return pebble_call_update(call, data, sizeof data) == -EFBIG ? pebble_call_update(call, data, 1000) : 1;
}

START_TEST(an_update_above_the_bound_is_refused_in_the_worker)
{
    pebble_pool *pool =
        pool_of(&(struct pebble_pool_config){.start_method = (enum pebble_start_method)_i, .max_payload = 1000});
    pebble_queue *queue = queue_for(0);
    pebble_future *future = schedule_saying(pool, job_say_too_much, (struct order){0}, queue);
    expect_and_drop(future, PEBBLE_SUCCESS);
    ck_assert_uint_eq(pebble_queue_size(queue), 1);
    pebble_queue_unref(queue); /* with what is in it */
    close_pool(pool);
}
END_TEST

START_TEST(a_full_or_closed_queue_loses_updates_and_holds_nobody_up)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_queue *queue = queue_for(2);
    pebble_future *future = schedule_saying(pool, job_say, (struct order){.number = 2000}, queue);
    ck_assert_uint_eq(expect(future, PEBBLE_SUCCESS)->lost_updates, 1998);
    pebble_future_unref(future);
    ck_assert_int_eq(next_number(queue, 0), 0);
    ck_assert_int_eq(next_number(queue, 0), 1);
    expect_no_more(queue);
    pebble_queue_close(queue);
    future = schedule_saying(pool, job_say, (struct order){.number = 5}, queue);
    ck_assert_uint_eq(expect(future, PEBBLE_SUCCESS)->lost_updates, 5);
    pebble_future_unref(future);
    pebble_queue_unref(queue);
    close_pool(pool);
}
END_TEST

static int job_say_and_die(pebble_call *call)
{
    job_say(call);
    kill(getpid(), SIGKILL);
    return 0;
}

START_TEST(what_was_said_before_a_death_arrives)
{
    pebble_pool *pool = pool_with(_i, 2);
    for (int64_t count = 1; count <= 200; count += 37) {
        pebble_queue *queue = queue_for(0);
        pebble_future *future = schedule_saying(pool, job_say_and_die, (struct order){.number = count}, queue);
        expect_and_drop(future, PEBBLE_EXPIRED);
        for (int64_t i = 0; i < count; i++)
            ck_assert_int_eq(next_number(queue, 0), i);
        expect_no_more(queue);
        pebble_queue_unref(queue);
    }
    close_pool(pool);
}
END_TEST

START_TEST(each_try_says_its_own)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_queue *queue = queue_for(0);
    struct pebble_job_options options = {.updates = queue, .retries = 2};
    expect_and_drop(schedule_limited(pool, job_say_and_die, (struct order){.number = 2}, options), PEBBLE_EXPIRED);
    for (int64_t i = 0; i < 6; i++)
        ck_assert_int_eq(next_number(queue, 0), i % 2);
    expect_no_more(queue);
    pebble_queue_unref(queue);
    close_pool(pool);
}
END_TEST

START_TEST(without_a_queue_nothing_is_sent)
{
    pebble_pool *pool = pool_with(_i, 1);
    expect_and_drop(schedule_order(pool, job_say, (struct order){.number = 100}), PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

/* Says for as long as it is let. */
static int job_chatter(pebble_call *call)
{
    int64_t number = 0;
    while (pebble_call_update(call, &number, sizeof number) == 0)
        number++;
    return 0;
}

START_TEST(a_job_that_never_stops_talking_can_be_ended)
{
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = 2, .start_method = (enum pebble_start_method)_i, .grace = _i ? 10 * MILLISECOND : 0});
    pebble_queue *queue = queue_for(100);
    pebble_future *future = schedule_saying(pool, job_chatter, (struct order){0}, queue);
    ck_assert_int_eq(next_number(queue, PATIENCE), 0);
    ck_assert_int_gt(run(pool, job_pid), 0); /* another worker is not held up */
    ck_assert_int_eq(pebble_future_cancel(future), PEBBLE_CANCEL_WAS_RUNNING);
    size_t left = pebble_queue_size(queue);
    while (left--) {
        void *item;
        ck_assert_int_eq(pebble_queue_get(queue, 0, &item), 0);
        pebble_update_free(item);
    }
    wait_gone(future);
    expect_no_more(queue); /* none came after the outcome */
    expect_and_drop(future, PEBBLE_CANCELLED);
    pebble_queue_unref(queue);
    close_pool(pool);
}
END_TEST

/* --- threads --- */

static pebble_pool *thread_pool(void)
{
    pebble_pool *pool;
    ck_assert_int_eq(pebble_thread_pool_new(&(struct pebble_thread_pool_config){.max_payload = 1000}, &pool), 0);
    return pool;
}

START_TEST(threads_have_their_say_as_well)
{
    pebble_pool *pool = thread_pool();
    pebble_queue *queue = queue_for(500), *closed = queue_for(0);
    pebble_queue_close(closed);
    pebble_future *future = schedule_saying(pool, job_say, (struct order){.number = 600}, queue);
    ck_assert_uint_eq(expect(future, PEBBLE_SUCCESS)->lost_updates, 100);
    pebble_future_unref(future);
    for (int64_t i = 0; i < 500; i++)
        ck_assert_int_eq(next_number(queue, 0), i);
    expect_no_more(queue);
    future = schedule_saying(pool, job_say, (struct order){.number = 7}, closed);
    ck_assert_uint_eq(expect(future, PEBBLE_SUCCESS)->lost_updates, 7);
    pebble_future_unref(future);
    expect_and_drop(schedule_saying(pool, job_say_too_much, (struct order){0}, queue), PEBBLE_SUCCESS);
    expect_and_drop(schedule_order(pool, job_say, (struct order){.number = 5}), PEBBLE_SUCCESS);
    pebble_queue_unref(queue);
    pebble_queue_unref(closed);
    close_pool(pool);
}
END_TEST

static int job_chatter_until_cancelled(pebble_call *call)
{
    int64_t number = 0;
    while (!pebble_call_cancelled(call))
        pebble_call_update(call, &number, sizeof number);
    return pebble_call_update(call, &number, sizeof number);
}

START_TEST(a_thread_says_nothing_after_the_outcome)
{
    pebble_pool *pool = thread_pool();
    pebble_queue *queue = queue_for(10);
    pebble_future *future = schedule_saying(pool, job_chatter_until_cancelled, (struct order){0}, queue);
    ck_assert_int_eq(next_number(queue, PATIENCE), 0);
    ck_assert_int_eq(pebble_future_cancel(future), PEBBLE_CANCEL_WAS_RUNNING);
    for (size_t left = pebble_queue_size(queue); left; left--)
        ck_assert_int_eq(next_number(queue, 0), 0);
    wait_gone(future);
    expect_no_more(queue);
    expect_and_drop(future, PEBBLE_CANCELLED);
    pebble_queue_unref(queue);
    close_pool(pool);
}
END_TEST

Suite *updates_suite(void)
{
    Suite *suite = suite_create("updates");
    TCase *tests = group(suite, "updates", 60);
    both(tests, updates_come_in_order_and_before_the_outcome);
    both(tests, updates_come_while_the_job_runs);
    both(tests, jobs_that_are_shipped_together_keep_their_updates_apart);
    both(tests, updates_may_be_large_or_empty);
    both(tests, an_update_above_the_bound_is_refused_in_the_worker);
    both(tests, a_full_or_closed_queue_loses_updates_and_holds_nobody_up);
    both(tests, what_was_said_before_a_death_arrives);
    both(tests, each_try_says_its_own);
    both(tests, without_a_queue_nothing_is_sent);
    both(tests, a_job_that_never_stops_talking_can_be_ended);
    tcase_add_test(tests, threads_have_their_say_as_well);
    tcase_add_test(tests, a_thread_says_nothing_after_the_outcome);
    return suite;
}
