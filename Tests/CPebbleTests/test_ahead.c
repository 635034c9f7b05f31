/* SPDX-License-Identifier: Apache-2.0
 * Cancels and limits of jobs that are shipped ahead, and of those beside them. */
#include "ledger.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define LARGE (8U << 20)

static void let_pass(int64_t length)
{
    nanosleep(&(struct timespec){length / SECOND, length % SECOND}, NULL);
}

/* The long job is unharmed, and so is its worker. */
static void end_stage(struct stage *stage)
{
    let_go(&stage->scene, 0);
    ck_assert_int_eq(number_from(stage->running), stage->pid);
    ck_assert_int_eq(run(stage->pool, job_pid), stage->pid);
    ck_assert_uint_eq(statistics_of(stage->pool).killed, 0);
    close_pool(stage->pool);
}

/* --- cancels --- */

START_TEST(what_is_cancelled_ahead_never_runs)
{
    struct stage stage;
    set_stage(&stage, _i);
    for (int i = 0; i < 1000; i++) {
        pebble_future *future = schedule_order(stage.pool, job_note, order_to_note(&stage.ledger, i));
        ck_assert_int_eq(pebble_future_cancel(future), PEBBLE_CANCEL_NEVER_STARTED);
        ck_assert(!expect(future, PEBBLE_CANCELLED)->started);
        wait_gone(future);
        pebble_future_unref(future);
    }
    end_stage(&stage);
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_eq(stage.ledger.ran[i], 0);
}
END_TEST

START_TEST(a_large_input_can_be_cancelled_behind_a_long_job)
{
    struct stage stage;
    void *data = calloc(1, LARGE);
    set_stage(&stage, _i);
    for (int i = 0; i < 10; i++) {
        pebble_future *future = schedule_bytes(stage.pool, job_echo, data, LARGE);
        ck_assert_int_eq(pebble_future_cancel(future), PEBBLE_CANCEL_NEVER_STARTED);
        pebble_future_unref(future);
    }
    free(data);
    end_stage(&stage);
}
END_TEST

/* --- cancels that race with the worker --- */

#define BURST 10
#define ROUNDS 50

struct round {
    pebble_future *futures[BURST];
    enum pebble_cancellation found[BURST];
    bool cancelled[BURST];
};

static atomic_int outcomes[LEDGER_ENTRIES];

static void count_outcome(pebble_future *future, void *arg)
{
    (void)future;
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void schedule_burst(struct round *round, pebble_pool *pool, const struct ledger *ledger, int64_t first)
{
    *round = (struct round){0};
    for (int i = 0; i < BURST; i++) {
        round->futures[i] = schedule_order(pool, job_note_often, order_to_note(ledger, first + i));
        ck_assert_int_eq(pebble_future_on_done_inline(round->futures[i], count_outcome, &outcomes[first + i]), 0);
    }
}

/* Cancels some of them, while the worker is somewhere in the middle. */
static void cancel_some(struct round *round, unsigned *seed)
{
    for (volatile int turns = rand_r(seed) % 30000; turns > 0; turns--)
        continue;
    for (int i = 0; i < BURST; i++) {
        if (rand_r(seed) % 4) continue;
        round->cancelled[i] = true;
        round->found[i] = pebble_future_cancel(round->futures[i]);
    }
}

/* Every job has one outcome, which agrees with its cancel and with how often it ran. */
static void check_burst(struct round *round, const struct ledger *ledger, int64_t first)
{
    for (int i = 0; i < BURST; i++) {
        enum pebble_cancellation found = round->found[i];
        bool ended = round->cancelled[i] && found != PEBBLE_CANCEL_TOO_LATE;
        const struct pebble_outcome *outcome = expect(round->futures[i], ended ? PEBBLE_CANCELLED : PEBBLE_SUCCESS);
        if (ended) ck_assert(outcome->started == (found == PEBBLE_CANCEL_WAS_RUNNING));
        wait_gone(round->futures[i]);
        unsigned ran = ledger->ran[first + i];
        if (!ended) ck_assert_uint_eq(ran, 1);
        if (ended) ck_assert_uint_le(ran, found == PEBBLE_CANCEL_WAS_RUNNING);
        pebble_future_unref(round->futures[i]);
    }
}

/* When all callbacks have returned: every job had exactly one outcome, and no other job was harmed. */
static void check_pool(pebble_pool *pool, int jobs)
{
    ck_assert_uint_eq(statistics_of(pool).expired + statistics_of(pool).idle_deaths, 0);
    close_pool(pool);
    for (int i = 0; i < jobs; i++)
        ck_assert_int_eq(outcomes[i], 1);
}

static void race(int method, unsigned workers, int rounds, uint64_t max_tasks)
{
    struct ledger ledger;
    struct round round;
    unsigned seed = 11;
    ledger_open(&ledger);
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = workers, .max_tasks = max_tasks, .start_method = (enum pebble_start_method)method});
    make_brisk(pool);
    for (int i = 0; i < rounds; i++) {
        schedule_burst(&round, pool, &ledger, i * BURST);
        cancel_some(&round, &seed);
        check_burst(&round, &ledger, i * BURST);
    }
    check_pool(pool, rounds * BURST);
}

START_TEST(cancels_that_race_with_one_worker_end_those_jobs_alone)
{
    race(_i, 1, _i == PEBBLE_SPAWN ? 300 : 1000, 0);
}
END_TEST

START_TEST(cancels_that_race_with_two_workers_end_those_jobs_alone)
{
    race(_i, 2, _i == PEBBLE_SPAWN ? 300 : 1000, 0);
}
END_TEST

START_TEST(a_worker_whose_last_job_is_cancelled_is_replaced_like_others)
{
    race(_i, 1, _i == PEBBLE_SPAWN ? 50 : 300, 7);
}
END_TEST

struct crowd {
    pebble_pool *pool;
    struct ledger *ledger;
    int64_t first;
};

static void *schedule_and_cancel(void *arg)
{
    struct crowd *crowd = arg;
    unsigned seed = (unsigned)crowd->first;
    struct round round;
    for (int i = 0; i < ROUNDS; i++) {
        schedule_burst(&round, crowd->pool, crowd->ledger, crowd->first + i * BURST);
        cancel_some(&round, &seed);
        check_burst(&round, crowd->ledger, crowd->first + i * BURST);
    }
    return NULL;
}

START_TEST(of_sixteen_threads_that_cancel_at_random_each_job_has_one_outcome)
{
    struct ledger ledger;
    struct crowd crowds[16];
    pthread_t threads[16];
    ledger_open(&ledger);
    pebble_pool *pool = pool_with(_i, 2);
    make_brisk(pool);
    for (int i = 0; i < 16; i++) {
        crowds[i] = (struct crowd){pool, &ledger, i * ROUNDS * BURST};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, schedule_and_cancel, &crowds[i]), 0);
    }
    for (int i = 0; i < 16; i++)
        pthread_join(threads[i], NULL);
    check_pool(pool, 16 * ROUNDS * BURST);
}
END_TEST

/* --- limits --- */

START_TEST(a_timeout_counts_from_the_start_and_not_from_the_shipping)
{
    struct stage stage;
    set_stage(&stage, _i);
    pebble_future *behind = schedule_limited(stage.pool, job_nap, (struct order){.number = MILLISECOND},
                                             (struct pebble_job_options){.timeout = 700 * MILLISECOND});
    ck_assert(shipped(stage.pool, behind));
    let_pass(SECOND);
    let_go(&stage.scene, 0);
    ck_assert_int_eq(number_from(stage.running), stage.pid);
    expect_and_drop(behind, PEBBLE_SUCCESS);
    close_pool(stage.pool);
}
END_TEST

START_TEST(a_job_that_was_shipped_ahead_does_not_outlast_its_timeout)
{
    struct stage stage;
    set_stage(&stage, _i);
    pebble_future *behind = schedule_limited(stage.pool, job_hang, (struct order){0},
                                             (struct pebble_job_options){.timeout = 50 * MILLISECOND});
    pebble_future *last = schedule_order(stage.pool, job_note, order_to_note(&stage.ledger, 0));
    ck_assert(shipped(stage.pool, last));
    let_pass(100 * MILLISECOND);
    ck_assert_ptr_null(pebble_future_outcome(behind));
    let_go(&stage.scene, 0);
    const struct pebble_outcome *outcome = expect(behind, PEBBLE_TIMEOUT);
    ck_assert_int_eq(outcome->limit, PEBBLE_LIMIT_TIMEOUT);
    ck_assert(outcome->started);
    ck_assert_int_ge(outcome->run_time, 50 * MILLISECOND);
    ck_assert_int_ge(outcome->wait_time, 100 * MILLISECOND);
    ck_assert_int_eq(number_from(stage.running), stage.pid);
    ck_assert_int_ne(number_from(last), stage.pid);
    ck_assert_uint_eq(stage.ledger.ran[0], 1);
    pebble_future_unref(behind);
    close_pool(stage.pool);
}
END_TEST

static void strikes_ahead(int method, struct pebble_job_options options, enum pebble_limit limit)
{
    struct stage stage;
    set_stage(&stage, method);
    pebble_future *behind = schedule_limited(stage.pool, job_note, order_to_note(&stage.ledger, 0), options);
    ck_assert(shipped(stage.pool, behind));
    const struct pebble_outcome *outcome = expect(behind, PEBBLE_TIMEOUT);
    ck_assert_int_eq(outcome->limit, limit);
    ck_assert(!outcome->started);
    pebble_future_unref(behind);
    end_stage(&stage);
    ck_assert_uint_eq(stage.ledger.ran[0], 0);
}

START_TEST(a_queue_timeout_strikes_a_job_that_was_shipped_ahead)
{
    strikes_ahead(_i, (struct pebble_job_options){.queue_timeout = 20 * MILLISECOND}, PEBBLE_LIMIT_QUEUE_TIMEOUT);
}
END_TEST

START_TEST(a_deadline_strikes_a_job_that_was_shipped_ahead)
{
    strikes_ahead(_i, (struct pebble_job_options){.deadline = 20 * MILLISECOND}, PEBBLE_LIMIT_DEADLINE);
}
END_TEST

START_TEST(a_queue_timeout_strikes_a_large_input_behind_a_long_job)
{
    struct stage stage;
    pebble_future *future;
    void *data = calloc(1, LARGE);
    set_stage(&stage, _i);
    const struct pebble_job_options options = {.queue_timeout = 20 * MILLISECOND};
    ck_assert_int_eq(pebble_pool_schedule(stage.pool, job_echo, data, LARGE, &options, &future), 0);
    ck_assert_int_eq(expect(future, PEBBLE_TIMEOUT)->limit, PEBBLE_LIMIT_QUEUE_TIMEOUT);
    wait_gone(future);
    pebble_future_unref(future);
    free(data);
    end_stage(&stage);
}
END_TEST

Suite *ahead_suite(void)
{
    Suite *suite = suite_create("ahead");
    TCase *tests = group(suite, "ahead", 60);
    both(tests, what_is_cancelled_ahead_never_runs);
    both(tests, a_large_input_can_be_cancelled_behind_a_long_job);
    both(tests, cancels_that_race_with_one_worker_end_those_jobs_alone);
    both(tests, cancels_that_race_with_two_workers_end_those_jobs_alone);
    both(tests, a_worker_whose_last_job_is_cancelled_is_replaced_like_others);
    both(tests, of_sixteen_threads_that_cancel_at_random_each_job_has_one_outcome);
    both(tests, a_timeout_counts_from_the_start_and_not_from_the_shipping);
    both(tests, a_job_that_was_shipped_ahead_does_not_outlast_its_timeout);
    both(tests, a_queue_timeout_strikes_a_job_that_was_shipped_ahead);
    both(tests, a_deadline_strikes_a_job_that_was_shipped_ahead);
    both(tests, a_queue_timeout_strikes_a_large_input_behind_a_long_job);
    return suite;
}
