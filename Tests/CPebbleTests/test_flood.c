/* SPDX-License-Identifier: Apache-2.0
 * Workers that write more than anybody wants to read. */
#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEGABYTE (INT64_C(1) << 20)
#define FLOOD 256 /* megabytes, where they are read */

static struct {
    atomic_llong bytes;
    int gate[2];         /* the first line waits until a byte can be read, when it is there */
    atomic_bool blocked; /* it does */
    pebble_pool *pool;
    int joined;
} reader;

static void count(const struct pebble_output_line *line, void *arg)
{
    (void)arg;
    atomic_fetch_add(&reader.bytes, (long long)line->length + !line->partial);
}

static void block(const struct pebble_output_line *line, void *arg)
{
    char byte;
    if (!atomic_exchange(&reader.blocked, true)) must(read(reader.gate[0], &byte, 1) == 1);
    count(line, arg);
}

static void unblock(void)
{
    ck_assert_int_eq(write(reader.gate[1], "x", 1), 1);
}

static pebble_pool *pool_read_by(int method, unsigned workers, pebble_output_function function)
{
    ck_assert_int_eq(pipe(reader.gate), 0);
    return pool_of(&(struct pebble_pool_config){.max_workers = workers,
                                                .start_method = (enum pebble_start_method)method,
                                                .stdout_to = PEBBLE_CAPTURE,
                                                .stderr_to = PEBBLE_CAPTURE,
                                                .on_output = function});
}

/* The most memory that this process has had, in megabytes. */
static long peak(void)
{
    char line[256];
    long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld kB", &kilobytes) == 1) break;
    fclose(file);
    ck_assert_int_gt(kilobytes, 0);
    return kilobytes / 1024;
}

/* Writes so many lines of 1 KiB to stderr, or without end when its number is negative. */
static int job_flood(pebble_call *call)
{
    const struct order *order = order_of(call);
    char bytes[65536];
    memset(bytes, 'f', sizeof bytes);
    for (size_t i = 1023; i < sizeof bytes; i += 1024)
        bytes[i] = '\n';
    if (order->host) tell(order, getpid());
    for (int64_t left = order->number; left;) {
        size_t part = left > 0 && left < 64 ? (size_t)left : 64;
        if (write(STDERR_FILENO, bytes, part * 1024) != (ssize_t)part * 1024) _exit(94);
        if (left > 0) left -= (int64_t)part;
    }
    return 0;
}

START_TEST(a_flood_is_read_whole_in_little_memory_while_others_work)
{
    pebble_pool *pool = pool_read_by(_i, 2, count);
    run(pool, job_pid);
    long before = peak();
    pebble_future *flood = schedule_order(pool, job_flood, (struct order){.number = FLOOD * 1024});
    int others = 0;
    while (!pebble_future_outcome(flood) || others < 100) {
        run(pool, job_pid);
        others++;
    }
    expect_and_drop(flood, PEBBLE_SUCCESS);
    close_pool(pool);
    ck_assert_int_eq(reader.bytes, FLOOD * MEGABYTE);
    ck_assert_int_le(peak() - before, 16);
}
END_TEST

START_TEST(a_flood_that_nobody_reads_leaves_its_tail)
{
    pebble_pool *pool = pool_read_by(_i, 1, NULL);
    run(pool, job_pid);
    long before = peak();
    expect_and_drop(schedule_order(pool, job_flood, (struct order){.number = FLOOD * 1024}), PEBBLE_SUCCESS);
    pebble_future *flood = schedule_limited(pool, job_flood, (struct order){.number = -1},
                                            (struct pebble_job_options){.timeout = SECOND});
    ck_assert_uint_eq(expect(flood, PEBBLE_TIMEOUT)->output_tail_length, 4096);
    pebble_future_unref(flood);
    close_pool(pool);
    ck_assert_int_le(peak() - before, 16);
}
END_TEST

START_TEST(a_function_that_blocks_stops_the_flood_and_nobody_else)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_read_by(_i, 2, block);
    run(pool, job_pid);
    long before = peak();
    pebble_future *flood = schedule_order(pool, job_flood, order_in(&scene, -1));
    int worker = watch_process((pid_t)hear(&scene));
    for (int i = 0; i < 200; i++)
        run(pool, job_pid);
    ck_assert_int_eq(pebble_future_cancel(flood), PEBBLE_CANCEL_WAS_RUNNING); /* blocked or not */
    expect_dead(worker);
    wait_gone(flood);
    pebble_future_unref(flood);
    expect_and_drop(schedule_limited(pool, job_flood, (struct order){.number = -1},
                                     (struct pebble_job_options){.timeout = 50 * MILLISECOND}),
                    PEBBLE_TIMEOUT);
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, 50 * MILLISECOND), -ETIMEDOUT); /* lines wait */
    unblock();
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    pebble_pool_unref(pool);
    ck_assert_int_gt(reader.bytes, 0);
    ck_assert_int_le(peak() - before, 16);
}
END_TEST

#define JOBS 400

START_TEST(no_job_begins_while_too_much_waits)
{
    pebble_pool *pool = pool_read_by(_i, 1, block);
    pebble_future *jobs[JOBS];
    run(pool, job_pid);
    long before = peak();
    for (int i = 0; i < JOBS; i++) /* each fits into a pipe */
        jobs[i] = schedule_order(pool, job_flood, (struct order){.number = 60});
    expect(jobs[8], PEBBLE_SUCCESS);
    ck_assert_int_eq(pebble_future_wait(jobs[JOBS - 1], 200 * MILLISECOND), -ETIMEDOUT);
    unblock();
    for (int i = 0; i < JOBS; i++)
        expect_and_drop(jobs[i], PEBBLE_SUCCESS);
    close_pool(pool);
    ck_assert_int_eq(reader.bytes, JOBS * 60 * 1024);
    ck_assert_int_le(peak() - before, 12);
}
END_TEST

static int job_write_and_die(pebble_call *call)
{
    job_flood(call);
    raise(SIGKILL);
    return 0;
}

START_TEST(no_worker_starts_while_too_much_waits)
{
    pebble_pool *pool = pool_read_by(_i, 1, block);
    pebble_future *jobs[JOBS / 4];
    long before = peak();
    for (int i = 0; i < JOBS / 4; i++)
        jobs[i] = schedule_order(pool, job_write_and_die, (struct order){.number = 60});
    expect(jobs[8], PEBBLE_EXPIRED);
    ck_assert_int_eq(pebble_future_wait(jobs[JOBS / 4 - 1], 200 * MILLISECOND), -ETIMEDOUT);
    unblock();
    for (int i = 0; i < JOBS / 4; i++)
        expect_and_drop(jobs[i], PEBBLE_EXPIRED);
    close_pool(pool);
    ck_assert_int_eq(reader.bytes, JOBS / 4 * 60 * 1024);
    ck_assert_int_le(peak() - before, 12);
}
END_TEST

START_TEST(a_pool_can_be_stopped_while_workers_flood)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_read_by(_i, 2, count);
    pebble_future *one = schedule_order(pool, job_flood, order_in(&scene, -1));
    pebble_future *other = schedule_order(pool, job_flood, order_in(&scene, -1));
    hear(&scene);
    hear(&scene);
    stop_pool(pool);
    expect_and_drop(one, PEBBLE_CANCELLED);
    expect_and_drop(other, PEBBLE_CANCELLED);
}
END_TEST

/* --- the function and the pool --- */

static void note_bytes(pebble_future *future, void *arg)
{
    (void)future;
    *(long long *)arg = reader.bytes;
}

START_TEST(lines_come_before_the_callbacks_of_their_job)
{
    long long then = -1;
    pebble_pool *pool = pool_read_by(_i, 1, block);
    pebble_future *future = schedule_order(pool, job_flood, (struct order){.number = 5});
    pebble_future_on_done(future, note_bytes, &then);
    expect(future, PEBBLE_SUCCESS); /* which does not wait for them */
    for (int i = 0; i < 20; i++)
        run(pool, job_pid);
    unblock();
    close_pool(pool);
    ck_assert_int_eq(then, 5 * 1024);
    pebble_future_unref(future);
}
END_TEST

static void join_and_schedule(const struct pebble_output_line *line, void *arg)
{
    (void)arg;
    pebble_future *future;
    must(line->length == 1023);
    if (pebble_pool_schedule(reader.pool, job_nothing, NULL, 0, NULL, &future) == 0) pebble_future_unref(future);
    pebble_pool_close(reader.pool);
    reader.joined = pebble_pool_join(reader.pool, PATIENCE);
}

START_TEST(the_function_may_use_its_pool_but_not_join_it)
{
    pebble_pool *pool = reader.pool = pool_read_by(_i, 1, join_and_schedule);
    expect_and_drop(schedule_order(pool, job_flood, (struct order){.number = 2}), PEBBLE_SUCCESS);
    close_pool(pool);
    ck_assert_int_eq(reader.joined, -EDEADLK);
}
END_TEST

Suite *flood_suite(void)
{
    Suite *suite = suite_create("flood");
    TCase *tests = group(suite, "flood", 120);
    both(tests, a_flood_is_read_whole_in_little_memory_while_others_work);
    both(tests, a_flood_that_nobody_reads_leaves_its_tail);
    both(tests, a_function_that_blocks_stops_the_flood_and_nobody_else);
    both(tests, no_job_begins_while_too_much_waits);
    both(tests, no_worker_starts_while_too_much_waits);
    both(tests, a_pool_can_be_stopped_while_workers_flood);
    both(tests, lines_come_before_the_callbacks_of_their_job);
    both(tests, the_function_may_use_its_pool_but_not_join_it);
    return suite;
}
