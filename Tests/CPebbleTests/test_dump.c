/* SPDX-License-Identifier: Apache-2.0
 * Jobs that are stuck, and where. */
#include "dumprecord.h"
#include "jobs.h"
#include "stacks.h"
#include "support.h"
#include "tests.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_ENOUGH (INT64_C(20) * 1000 * 1000 * 1000) /* for a dump, on any machine */
#define LIMIT (50 * 1000 * 1000)

static pebble_pool *dumping_pool(int method, int64_t stack_dump)
{
    return pool_of(&(struct pebble_pool_config){
        .max_workers = 1, .start_method = (enum pebble_start_method)method, .stack_dump = stack_dump});
}

static pebble_future *schedule_short(pebble_pool *pool, pebble_function function)
{
    pebble_future *future = NULL;
    struct pebble_job_options options = {.timeout = LIMIT, .retries = 3};
    ck_assert_int_eq(pebble_pool_schedule(pool, function, NULL, 0, &options, &future), 0);
    return future;
}

/* Its outcome is a timeout, and the pool goes on. */
static pebble_future *time_out(pebble_pool *pool, pebble_function function)
{
    pebble_future *future = schedule_short(pool, function);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_TIMEOUT);
    ck_assert_int_eq(outcome->limit, PEBBLE_LIMIT_TIMEOUT);
    ck_assert_int_eq(outcome->limit_length, LIMIT);
    ck_assert_int_eq(pebble_future_wait_gone(future, PEBBLE_FOREVER), 0);
    ck_assert_int_gt(run(pool, job_pid), 0);
    return future;
}

static bool is_in(const struct pebble_stack *stack, const char *function)
{
    struct pebble_frame frame;
    for (size_t n = 0; pebble_backtrace_frame(stack->backtrace, n, &frame) == 0; n++)
        if (frame.function && strcmp(frame.function, function) == 0) return true;
    return false;
}

__attribute__((noinline)) static void spin_here(void)
{
    for (volatile unsigned n = 0;; n++)
        continue;
}

static int job_spin_here(pebble_call *call)
{
    (void)call;
    spin_here();
    return 0;
}

START_TEST(a_busy_job_tells_where_it_is)
{
    pebble_pool *pool = dumping_pool(_i, LONG_ENOUGH);
    pebble_future *future = time_out(pool, job_spin_here);
    const struct pebble_outcome *outcome = outcome_of(future);
    ck_assert_uint_eq(outcome->stack_count, 1);
    const struct pebble_stack *stack = outcome->stacks;
    struct pebble_frame frame;
    ck_assert(stack->main_thread);
    ck_assert_int_eq(stack->thread, outcome->pid);
    ck_assert_str_eq(stack->name, "pebble-worker");
    ck_assert_int_eq(pebble_backtrace_frame(stack->backtrace, 0, &frame), 0);
    ck_assert_str_eq(frame.function, "spin_here");
    ck_assert(frame.interrupted);
    ck_assert_int_eq(pebble_backtrace_frame(stack->backtrace, 1, &frame), 0);
    ck_assert_str_eq(frame.function, "job_spin_here");
    ck_assert_uint_eq(pebble_backtrace_length(stack->backtrace), 2);
    char text[2048];
    pebble_outcome_report(outcome, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "timed out: timeout of 50 ms\n  thread "));
    ck_assert_ptr_nonnull(strstr(text, " (main) \"pebble-worker\":\n    spin_here + "));
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

static pthread_barrier_t together;

__attribute__((noinline)) static void *sleep_here(void *arg)
{
    pthread_setname_np(pthread_self(), arg);
    pthread_barrier_wait(&together);
    for (;;)
        pause();
    return NULL;
}

static void *sleep_deaf(void *arg)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    return sleep_here(arg);
}

static int job_with_threads(pebble_call *call)
{
    (void)call;
    pthread_t thread;
    pthread_barrier_init(&together, NULL, 4);
    pthread_create(&thread, NULL, sleep_here, "one");
    pthread_create(&thread, NULL, sleep_here, "two");
    pthread_create(&thread, NULL, sleep_deaf, "deaf");
    pthread_barrier_wait(&together);
    return job_spin_here(call);
}

START_TEST(all_threads_are_told_of)
{
    pebble_pool *pool = dumping_pool(_i, INT64_C(1000) * 1000 * 1000); /* for which the deaf one is waited for, by half */
    pebble_future *future = time_out(pool, job_with_threads);
    const struct pebble_outcome *outcome = outcome_of(future);
    ck_assert_uint_eq(outcome->stack_count, 4);
    ck_assert(is_in(&outcome->stacks[0], "spin_here"));
    static const char *const names[] = {"one", "two", "deaf"};
    for (size_t n = 0; n < 3; n++) {
        const struct pebble_stack *stack = &outcome->stacks[n + 1];
        ck_assert_str_eq(stack->name, names[n]);
        ck_assert(!stack->main_thread);
        if (n < 2) ck_assert(is_in(stack, "sleep_here"));
    }
    ck_assert_uint_eq(pebble_backtrace_length(outcome->stacks[3].backtrace), 0);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(a_worker_that_ignores_it_is_killed_all_the_same)
{
    pebble_pool *pool = dumping_pool(_i, 20 * 1000 * 1000);
    pebble_future *future = time_out(pool, job_resist);
    ck_assert_ptr_null(outcome_of(future)->stacks);
    ck_assert_uint_eq(outcome_of(future)->stack_count, 0);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

static void leave_with_5(int signal)
{
    (void)signal;
    _exit(5);
}

static int job_that_leaves_when_asked(pebble_call *call)
{
    signal(SIGPROF, leave_with_5);
    return job_spin_here(call);
}

START_TEST(one_that_dies_of_it_has_timed_out)
{
    pebble_pool *pool = dumping_pool(_i, LONG_ENOUGH);
    pebble_future *future = time_out(pool, job_that_leaves_when_asked);
    struct pebble_pool_statistics statistics;
    pebble_pool_get_statistics(pool, &statistics);
    ck_assert_ptr_null(outcome_of(future)->stacks);
    ck_assert_uint_eq(statistics.retried, 0);
    ck_assert_uint_eq(statistics.expired, 0);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(a_cancel_does_not_wait_for_it)
{
    pebble_pool *pool = dumping_pool(_i, PEBBLE_FOREVER);
    pebble_future *future = schedule_short(pool, job_resist);
    while (pebble_future_cancel(future) != PEBBLE_CANCEL_WAS_RUNNING && !pebble_future_outcome(future))
        continue;
    ck_assert_int_eq(outcome_of(future)->status, PEBBLE_CANCELLED);
    ck_assert_int_eq(pebble_future_wait_gone(future, PEBBLE_FOREVER), 0);
    pebble_future_unref(future);

    future = schedule_short(pool, job_resist); /* in time, or while it is waited for */
    ck_assert_int_eq(pebble_future_wait(future, 4 * LIMIT), -ETIMEDOUT);
    pebble_pool_stop(pool);
    expect(future, PEBBLE_CANCELLED);
    pebble_future_unref(future);
    ck_assert_int_eq(pebble_pool_join(pool, PEBBLE_FOREVER), 0);
    pebble_pool_unref(pool);
}
END_TEST

static int job_profile(pebble_call *call)
{
    (void)call;
    raise(SIGPROF);
    return 0;
}

START_TEST(the_signal_means_what_it_did_when_nobody_asks)
{
    for (int64_t dump = 0; dump <= LONG_ENOUGH; dump += LONG_ENOUGH) {
        pebble_pool *pool = dumping_pool(_i, dump);
        pebble_future *future = schedule(pool, job_profile);
        ck_assert_int_eq(expect(future, PEBBLE_EXPIRED)->exit_signal, SIGPROF);
        pebble_future_unref(future);
        close_pool(pool);
    }
}
END_TEST

START_TEST(without_the_option_there_is_none)
{
    pebble_pool *pool = dumping_pool(_i, 0);
    pebble_future *future = time_out(pool, job_spin_here);
    ck_assert_ptr_null(outcome_of(future)->stacks);
    pebble_future_unref(future);
    close_pool(pool);
    ck_assert_int_eq(pebble_pool_new(&(struct pebble_pool_config){.stack_dump = -1}, &pool), -EINVAL);
}
END_TEST

/* Whatever is in it, it is refused, or can be looked at. */
START_TEST(no_dump_harms_the_host)
{
    static struct pb_dump_record record;
    unsigned seed = 3, told = 0;
    size_t count = 0;
    ck_assert_ptr_null(pb_stacks_of(&record, 1, &count));
    for (int round = 0; round < 400; round++) {
        unsigned char *bytes = (unsigned char *)record.threads;
        for (size_t n = 0; n < 4 * sizeof *record.threads; n++)
            bytes[n] = (unsigned char)(rand_r(&seed) & (round % 2 ? 0xff : 1));
        for (size_t n = 0; n < 4; n++) {
            record.threads[n].trace.frame_count = (uint32_t)rand_r(&seed) % (PB_TRACE_FRAMES + 2);
            record.threads[n].trace.image_count = (uint32_t)rand_r(&seed) % (PB_TRACE_IMAGES + 2);
        }
        atomic_store(&record.thread_count, round % 100 == 99 ? UINT32_MAX : (uint32_t)round % 6);
        struct pebble_stack *stacks = pb_stacks_of(&record, 1, &count);
        for (size_t n = 0; stacks && n < count; n++) {
            struct pebble_frame frame;
            must(strlen(stacks[n].name) < PB_DUMP_NAME);
            for (size_t k = 0; pebble_backtrace_frame(stacks[n].backtrace, k, &frame) == 0; k++)
                must(strlen(frame.image) < 4096);
            told++;
        }
        if (stacks) pb_stacks_free(stacks, count);
    }
    ck_assert_uint_gt(told, 100);
    pb_stacks_free(NULL, 0);
}
END_TEST

Suite *dump_suite(void)
{
    Suite *suite = suite_create("dump");
    TCase *tests = group(suite, "dump", 120);
    both(tests, a_worker_that_ignores_it_is_killed_all_the_same);
    both(tests, a_cancel_does_not_wait_for_it);
    both(tests, the_signal_means_what_it_did_when_nobody_asks);
    both(tests, without_the_option_there_is_none);
    tcase_add_test(tests, no_dump_harms_the_host);
    tests = group_without(suite, "not-tsan", "busy", 120);
    both(tests, a_busy_job_tells_where_it_is);
    both(tests, all_threads_are_told_of);
    both(tests, one_that_dies_of_it_has_timed_out);
    return suite;
}
