/* SPDX-License-Identifier: Apache-2.0
 * The inbox of a loop: many producers, one consumer. */
#include "inbox.h"
#include "job.h"
#include "tests.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#define PRODUCERS 4
#define JOBS 20000

static struct pb_inbox inbox;

static void open_inbox(void)
{
    ck_assert_int_eq(pb_inbox_init(&inbox), 0);
}

static bool rings(int timeout)
{
    struct pollfd polled = {.fd = inbox.bell, .events = POLLIN};
    return poll(&polled, 1, timeout) == 1;
}

START_TEST(jobs_are_taken_oldest_first)
{
    struct pebble_future jobs[5] = {0};
    open_inbox();
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(pb_inbox_push(&inbox, &jobs[i]), 0);
    struct pebble_future *job = pb_inbox_take(&inbox);
    for (int i = 0; i < 5; i++, job = job->next)
        ck_assert_ptr_eq(job, &jobs[i]);
    ck_assert_ptr_null(job);
    ck_assert_ptr_null(pb_inbox_take(&inbox));
    pb_inbox_done(&inbox);
}
END_TEST

START_TEST(it_is_empty_until_a_job_comes_and_after_it_is_taken)
{
    struct pebble_future jobs[2] = {0};
    open_inbox();
    ck_assert(pb_inbox_empty(&inbox));
    pb_inbox_push(&inbox, &jobs[0]);
    pb_inbox_push(&inbox, &jobs[1]);
    ck_assert(!pb_inbox_empty(&inbox));
    ck_assert(!rings(0));
    pb_inbox_take(&inbox);
    ck_assert(pb_inbox_empty(&inbox));
    pb_inbox_done(&inbox);
}
END_TEST

START_TEST(the_bell_can_be_rung_without_a_job)
{
    open_inbox();
    pb_inbox_ring(&inbox);
    ck_assert(rings(0));
    pb_inbox_hush(&inbox);
    ck_assert_ptr_null(pb_inbox_take(&inbox));
    pb_inbox_done(&inbox);
}
END_TEST

START_TEST(only_an_empty_inbox_can_be_closed)
{
    struct pebble_future job = {0};
    open_inbox();
    pb_inbox_push(&inbox, &job);
    ck_assert(!pb_inbox_close(&inbox));
    ck_assert_ptr_eq(pb_inbox_take(&inbox), &job);
    ck_assert(pb_inbox_close(&inbox));
    pb_inbox_done(&inbox);
}
END_TEST

START_TEST(a_closed_inbox_takes_no_job)
{
    struct pebble_future job = {0};
    open_inbox();
    ck_assert(pb_inbox_close(&inbox));
    ck_assert_int_eq(pb_inbox_push(&inbox, &job), -ESHUTDOWN);
    ck_assert_int_eq(pb_inbox_push(&inbox, &job), -ESHUTDOWN);
    pb_inbox_done(&inbox);
}
END_TEST

static struct pebble_future jobs[PRODUCERS][JOBS];

static void *produce(void *arg)
{
    struct pebble_future *own = arg;
    for (int i = 0; i < JOBS; i++) {
        own[i].scheduled = i;
        if (pb_inbox_push(&inbox, &own[i]) < 0) abort();
    }
    return NULL;
}

/* The consumer takes what there is again and again: a lost job would end the test by its timeout. */
START_TEST(nothing_is_lost_and_each_producer_keeps_its_order)
{
    pthread_t threads[PRODUCERS];
    uint64_t next[PRODUCERS] = {0};
    open_inbox();
    for (int i = 0; i < PRODUCERS; i++)
        pthread_create(&threads[i], NULL, produce, jobs[i]);
    for (int taken = 0; taken < PRODUCERS * JOBS;) {
        struct pebble_future *job = pb_inbox_take(&inbox);
        for (; job; job = job->next, taken++) {
            size_t producer = (size_t)(job - jobs[0]) / JOBS;
            ck_assert_int_eq(job->scheduled, (int64_t)next[producer]++);
        }
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert(pb_inbox_close(&inbox));
    pb_inbox_done(&inbox);
}
END_TEST

Suite *inbox_suite(void)
{
    Suite *suite = suite_create("inbox");
    TCase *tests = group(suite, "inbox", 60);
    tcase_add_test(tests, jobs_are_taken_oldest_first);
    tcase_add_test(tests, it_is_empty_until_a_job_comes_and_after_it_is_taken);
    tcase_add_test(tests, the_bell_can_be_rung_without_a_job);
    tcase_add_test(tests, only_an_empty_inbox_can_be_closed);
    tcase_add_test(tests, a_closed_inbox_takes_no_job);
    tcase_add_test(tests, nothing_is_lost_and_each_producer_keeps_its_order);
    return suite;
}
