/* SPDX-License-Identifier: Apache-2.0
 * Single calls that fail, and what must follow. */
#include "faults.h"
#include "suites.h"
#include "support.h"

#include <semaphore.h>
#include <string.h>

/* --- outputs of calls that fail --- */

#define MANY 40 /* more than can be waited for without an allocation */

static const struct fault no_memory = {.role = FAULT_HOST, .kind = FAULT_MALLOC, .nth = 1, .and_on = true};

static sem_t gate;

static int wait_at_gate(pebble_call *call)
{
    (void)call;
    while (sem_wait(&gate) < 0)
        continue;
    return 0;
}

static void pass_gate(void *arg)
{
    (void)arg;
    wait_at_gate(NULL);
}

static void mark(bool flags[MANY])
{
    memset(flags, 0x5a, MANY * sizeof *flags);
}

static void expect_marked(const bool flags[MANY])
{
    bool marked[MANY];
    mark(marked);
    ck_assert_mem_eq(flags, marked, sizeof marked);
}

START_TEST(a_wait_for_futures_without_memory_leaves_the_array_alone)
{
    faults_open();
    sem_init(&gate, 0, 0);
    pebble_pool *pool;
    ck_assert_int_eq(pebble_thread_pool_new(NULL, &pool), 0);
    pebble_future *futures[MANY], *done = schedule(pool, job_nothing), *waits = schedule(pool, wait_at_gate);
    ck_assert_int_eq(pebble_future_wait(done, PATIENCE), 0);
    for (int i = 0; i < MANY; i++)
        futures[i] = i ? waits : done;
    bool flags[MANY];
    mark(flags);
    faults_arm(&no_memory);
    int rc = pebble_wait_futures(futures, MANY, 2, PATIENCE, flags);
    faults_arm(NULL);
    ck_assert_int_eq(rc, -ENOMEM);
    expect_marked(flags);
    sem_post(&gate);
    expect_and_drop(waits, PEBBLE_SUCCESS);
    expect_and_drop(done, PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

START_TEST(a_wait_for_threads_without_memory_leaves_the_array_alone)
{
    faults_open();
    sem_init(&gate, 0, 0);
    pebble_thread *threads[MANY], *thread;
    ck_assert_int_eq(pebble_thread_start(pass_gate, NULL, NULL, &thread), 0);
    for (int i = 0; i < MANY; i++)
        threads[i] = thread;
    bool flags[MANY];
    mark(flags);
    faults_arm(&no_memory);
    int rc = pebble_wait_threads(threads, MANY, PATIENCE, flags);
    faults_arm(NULL);
    ck_assert_int_eq(rc, -ENOMEM);
    expect_marked(flags);
    sem_post(&gate);
    ck_assert_int_eq(pebble_wait_threads(&thread, 1, PATIENCE, flags), 1);
    pebble_thread_unref(thread);
}
END_TEST

START_TEST(a_wait_for_queues_without_memory_leaves_the_array_alone)
{
    faults_open();
    pebble_queue *queues[MANY], *queue;
    ck_assert_int_eq(pebble_queue_new(0, NULL, &queue), 0);
    for (int i = 0; i < MANY; i++)
        queues[i] = queue;
    bool flags[MANY];
    mark(flags);
    faults_arm(&no_memory);
    int rc = pebble_wait_queues(queues, MANY, PATIENCE, flags);
    faults_arm(NULL);
    ck_assert_int_eq(rc, -ENOMEM);
    expect_marked(flags);
    pebble_queue_unref(queue);
}
END_TEST

Suite *single_suite(void)
{
    Suite *suite = suite_create("single");
    TCase *tests = group(suite, "single", 60);
    tcase_add_test(tests, a_wait_for_futures_without_memory_leaves_the_array_alone);
    tcase_add_test(tests, a_wait_for_threads_without_memory_leaves_the_array_alone);
    tcase_add_test(tests, a_wait_for_queues_without_memory_leaves_the_array_alone);
    return suite;
}
