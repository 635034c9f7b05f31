/* SPDX-License-Identifier: Apache-2.0
 * Single calls that fail, and what must follow. */
#include "faults.h"
#include "suites.h"
#include "support.h"
#include "clock.h"
#include "fd.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* --- what comes between two steps --- */

static int no_more_than_many(void *arg, const void **ret_data, size_t *ret_length)
{
    *ret_data = "";
    *ret_length = 0;
    return (*(int *)arg)++ < MANY;
}

static void finish_all(void *pool)
{
    for (int i = 0; i < MANY; i++)
        sem_post(&gate);
    close_pool(pool);
}

/* Which takes memory for so many, after it has looked for results and before it looks for what to wait for. */
START_TEST(results_that_come_while_a_map_looks_for_them_are_found)
{
    faults_open();
    sem_init(&gate, 0, 0);
    pebble_pool *pool;
    pebble_map *map;
    struct pebble_map_result result;
    int taken = 0;
    const struct pebble_map_options options = {.window = MANY, .as_completed = true};
    ck_assert_int_eq(pebble_thread_pool_new(NULL, &pool), 0);
    ck_assert_int_eq(pebble_map_new(pool, wait_at_gate, no_more_than_many, &taken, &options, &map), 0);
    ck_assert_int_eq(pebble_map_next(map, 0, &result), -ETIMEDOUT); /* all are scheduled */
    faults_before(FAULT_MALLOC, finish_all, pool);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(pebble_map_next(map, PATIENCE, &result), 1);
    ck_assert_int_eq(pebble_map_next(map, PATIENCE, &result), 0);
    pebble_map_free(map);
}
END_TEST

/* --- starts that fail --- */

/* Waits until so many calls have failed, while the job has no outcome. */
static void await_hits(unsigned hits, pebble_future *future)
{
    int64_t end = pb_now() + PATIENCE;
    while (faults_hits() < hits && pb_now() < end)
        ck_assert_int_eq(pebble_future_wait(future, MILLISECOND), -ETIMEDOUT);
    ck_assert_uint_ge(faults_hits(), hits);
}

static const struct fault no_link = {.role = FAULT_HOST, .kind = FAULT_SOCKETPAIR, .nth = 1, .and_on = true};

START_TEST(jobs_wait_for_what_a_dying_worker_still_holds)
{
    struct scene scene;
    faults_open();
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 2);
    pid_t server = (pid_t)run(pool, job_server);
    pebble_future *holds = schedule_order(pool, job_hang, order_in(&scene, 0));
    hear(&scene);
    faults_arm(&no_link);
    pebble_future *waits = schedule(pool, job_pid);
    await_hits(3, waits); /* more than are refused when there is no other worker */
    kill(server, SIGSTOP); /* the worker dies, and cannot be gone */
    pebble_future_cancel(holds);
    expect_and_drop(holds, PEBBLE_CANCELLED);
    await_hits(5, waits);
    faults_arm(NULL);
    kill(server, SIGCONT);
    ck_assert_int_gt(number_from(waits), 0);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(starts_that_fail_beside_a_worker_do_not_count_when_it_is_gone)
{
    struct scene scene;
    faults_open();
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 2);
    run(pool, job_pid);
    pebble_future *holds = schedule_order(pool, job_hang, order_in(&scene, 0));
    hear(&scene);
    faults_arm(&no_link);
    pebble_future *waits = schedule(pool, job_pid);
    await_hits(4, waits);
    faults_arm(&no_link);
    pebble_future_cancel(holds);
    const struct pebble_outcome *outcome = expect(waits, PEBBLE_NOT_RUN);
    ck_assert_int_eq(outcome->cause, PEBBLE_CAUSE_START);
    ck_assert_int_eq(outcome->error, EMFILE);
    ck_assert_uint_ge(faults_hits(), 3);
    faults_arm(NULL);
    pebble_future_unref(waits);
    pebble_future_unref(holds);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

/* As a process has it that another thread is about to make, until its exec: the host's end of the link that is new. */
#define SOCKETS 100
static bool was_there[SOCKETS];
static int held = -1;

static void hold_new_link(void)
{
    for (int fd = 0; fd < SOCKETS && held < 0; fd++) /* that end is made first */
        if (!was_there[fd] && pb_is_unix_socket(fd, SOCK_STREAM)) held = fcntl(fd, F_DUPFD_CLOEXEC, SOCKETS);
}

/* What is closed is open elsewhere for a moment: nothing may come of that. */
START_TEST(a_start_that_fails_while_another_process_is_made_leaves_no_events)
{
    const struct fault no_message = {.role = FAULT_HOST, .kind = FAULT_SENDMSG, .nth = 2}; /* behind that of the memory */
    struct scene scene;
    faults_open();
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 2);
    run(pool, job_pid);
    pebble_future *holds = schedule_order(pool, job_hang, order_in(&scene, 0));
    hear(&scene);
    for (int fd = 0; fd < SOCKETS; fd++)
        was_there[fd] = pb_is_unix_socket(fd, SOCK_STREAM);
    faults_on_hit(hold_new_link);
    faults_arm(&no_message);
    ck_assert_int_gt(run(pool, job_pid), 0); /* in the worker that was started then */
    ck_assert_uint_eq(faults_hits(), 1);
    struct pollfd link = {.fd = held, .events = POLLIN};
    ck_assert_int_eq(poll(&link, 1, 0), 1);
    ck_assert_int_ne(link.revents & POLLHUP, 0); /* it was the host's end, whose other end is closed */
    close(held);
    pebble_future_cancel(holds);
    expect_and_drop(holds, PEBBLE_CANCELLED);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(threads_that_fail_beside_another_do_not_count_when_it_is_gone)
{
    static const struct fault no_thread = {.role = FAULT_HOST, .kind = FAULT_PTHREAD_CREATE, .nth = 1, .and_on = true};
    faults_open();
    sem_init(&gate, 0, 0);
    pebble_pool *pool;
    const struct pebble_thread_pool_config config = {.max_workers = 2, .max_tasks = 1};
    ck_assert_int_eq(pebble_thread_pool_new(&config, &pool), 0);
    pebble_future *holds = schedule(pool, wait_at_gate);
    while (!pebble_future_running(holds))
        sched_yield();
    faults_arm(&no_thread);
    pebble_future *waits = schedule(pool, job_nothing);
    await_hits(4, waits);
    faults_arm(&no_thread);
    sem_post(&gate);
    expect_and_drop(holds, PEBBLE_SUCCESS);
    const struct pebble_outcome *outcome = expect(waits, PEBBLE_NOT_RUN);
    ck_assert_int_eq(outcome->error, EAGAIN);
    ck_assert_uint_ge(faults_hits(), 3);
    faults_arm(NULL);
    pebble_future_unref(waits);
    expect_and_drop(schedule(pool, job_nothing), PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

/* A call that fails once, in the server or in a worker of the second start method, and a pool that does not mind. */
static void recovers_from(int method, enum fault_role role, enum fault_kind kind, unsigned nth)
{
    faults_open();
    faults_arm(&(struct fault){.role = role, .kind = kind, .nth = nth});
    pebble_pool *pool = pool_with(method, 1);
    ck_assert_int_gt(run(pool, job_pid), 0);
    ck_assert_uint_eq(faults_hits(), 1);
    close_pool(pool);
}

START_TEST(a_server_that_lacks_a_descriptor_to_begin_with_breaks_no_pool)
{
    recovers_from(_i, FAULT_SERVER, FAULT_EPOLL_CREATE, 1);
}
END_TEST

START_TEST(a_server_that_lacks_memory_for_its_first_channel_breaks_no_pool)
{
    recovers_from(_i, FAULT_SERVER, FAULT_MALLOC, 1);
}
END_TEST

START_TEST(a_server_that_lacks_memory_for_a_pool_does_not_break_it)
{
    recovers_from(_i, FAULT_SERVER, FAULT_MALLOC, 2);
}
END_TEST

START_TEST(a_server_that_lacks_memory_for_a_worker_says_so)
{
    recovers_from(_i, FAULT_SERVER, FAULT_MALLOC, 3);
}
END_TEST

START_TEST(an_exec_of_a_worker_that_fails_breaks_no_pool)
{
    recovers_from(PEBBLE_SPAWN, FAULT_WORKER, FAULT_EXECVE, 1);
}
END_TEST

Suite *single_suite(void)
{
    Suite *suite = suite_create("single");
    TCase *tests = group(suite, "single", 60);
    tcase_add_test(tests, a_wait_for_futures_without_memory_leaves_the_array_alone);
    tcase_add_test(tests, a_wait_for_threads_without_memory_leaves_the_array_alone);
    tcase_add_test(tests, a_wait_for_queues_without_memory_leaves_the_array_alone);
    tcase_add_test(tests, results_that_come_while_a_map_looks_for_them_are_found);
    both(tests, jobs_wait_for_what_a_dying_worker_still_holds);
    both(tests, starts_that_fail_beside_a_worker_do_not_count_when_it_is_gone);
    both(tests, a_start_that_fails_while_another_process_is_made_leaves_no_events);
    tcase_add_test(tests, threads_that_fail_beside_another_do_not_count_when_it_is_gone);
    both(tests, a_server_that_lacks_a_descriptor_to_begin_with_breaks_no_pool);
    both(tests, a_server_that_lacks_memory_for_its_first_channel_breaks_no_pool);
    both(tests, a_server_that_lacks_memory_for_a_pool_does_not_break_it);
    both(tests, a_server_that_lacks_memory_for_a_worker_says_so);
    tcase_add_test(tests, an_exec_of_a_worker_that_fails_breaks_no_pool);
    return suite;
}
