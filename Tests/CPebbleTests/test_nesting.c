/* SPDX-License-Identifier: Apache-2.0
 * Pools inside jobs. */
#include "support.h"
#include "boot.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs itself in a pool of its own until `number` is 0; replies with the number
 * of processes that took part, or fails with an errno value. */
static int job_nest(pebble_call *call)
{
    struct order order = *order_of(call);
    if (order.number == 0) return reply_number(call, 1);
    order.number--;
    pebble_pool *pool;
    pebble_future *future;
    int rc = pebble_pool_new(&(struct pebble_pool_config){.max_workers = 1}, &pool);
    if (rc < 0) return rc;
    if ((rc = pebble_pool_schedule(pool, job_nest, &order, sizeof order, NULL, &future)) < 0) return rc;
    pebble_future_wait(future, PEBBLE_FOREVER);
    const struct pebble_outcome *outcome = pebble_future_outcome(future);
    int64_t number = 0;
    if (outcome->status == PEBBLE_SUCCESS) memcpy(&number, outcome->data, sizeof number);
    rc = outcome->status == PEBBLE_SUCCESS ? 0 : outcome->status == PEBBLE_FAILURE ? outcome->code : 1000;
    pebble_future_unref(future);
    pebble_pool_close(pool);
    if (pebble_pool_join(pool, PATIENCE) < 0) return 1001;
    pebble_pool_unref(pool);
    return rc ? rc : reply_number(call, number + 1);
}

START_TEST(a_job_may_run_a_pool)
{
    pebble_pool *pool = pool_with(_i, 1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(number_from(schedule_order(pool, job_nest, (struct order){.number = 1})), 2);
    close_pool(pool);
}
END_TEST

START_TEST(a_job_of_a_job_may_run_a_pool)
{
    pebble_pool *pool = pool_with(_i, 2);
    ck_assert_int_eq(number_from(schedule_order(pool, job_nest, (struct order){.number = 2})), 3);
    close_pool(pool);
}
END_TEST

START_TEST(nesting_is_bounded)
{
    pebble_pool *pool = pool_with(_i, 1);
    ck_assert_int_eq(number_from(schedule_order(pool, job_nest, (struct order){.number = PB_DEPTH_MAX - 1})),
                     PB_DEPTH_MAX);
    pebble_future *future = schedule_order(pool, job_nest, (struct order){.number = 1000});
    ck_assert_int_eq(expect(future, PEBBLE_FAILURE)->code, -ELOOP);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

static int job_hang_in_a_pool(pebble_call *call)
{
    pebble_pool *pool;
    pebble_future *future;
    const struct order *order = order_of(call);
    if (pebble_pool_new(&(struct pebble_pool_config){.max_workers = 1}, &pool) < 0) return 1;
    if (pebble_pool_schedule(pool, job_resist, order, sizeof *order, NULL, &future) < 0) return 1;
    tell(order, getpid());
    return pebble_future_wait(future, PEBBLE_FOREVER);
}

START_TEST(pools_inside_a_job_die_with_it)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_hang_in_a_pool, order_in(&scene, 0));
    int one = watch_process((pid_t)hear(&scene)), other = watch_process((pid_t)hear(&scene));
    pebble_future_cancel(future);
    expect_dead(one);
    expect_dead(other);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

static int job_forget_a_pool(pebble_call *call)
{
    pebble_pool *pool;
    pebble_future *future;
    if (pebble_pool_new(NULL, &pool) < 0) return 1;
    if (pebble_pool_schedule(pool, job_pid, NULL, 0, NULL, &future) < 0) return 1;
    pebble_future_wait(future, PEBBLE_FOREVER);
    return job_pid(call);
}

START_TEST(a_job_may_forget_its_pool)
{
    pebble_pool *pool = pool_with(_i, 1);
    int server = (int)run(pool, job_server);
    int64_t pid = run(pool, job_forget_a_pool);
    ck_assert_int_eq(run(pool, job_pid), pid);
    close_pool(pool);
    /* The worker of the forgotten pool dies with ours; wait by starting another after it. */
    pool = pool_with(_i, 1);
    while (children_of(server) > 1)
        run(pool, job_pid);
    close_pool(pool);
}
END_TEST

static int job_fork_and_use_a_pool(pebble_call *call)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        pebble_pool *pool;
        pebble_future *future;
        if (pebble_pool_new(&(struct pebble_pool_config){.max_workers = 1}, &pool) < 0) _exit(1);
        if (pebble_pool_schedule(pool, job_pid, NULL, 0, NULL, &future) < 0) _exit(2);
        pebble_future_wait(future, PEBBLE_FOREVER);
        _exit(pebble_future_outcome(future)->status == PEBBLE_SUCCESS ? 25 : 3);
    }
    if (waitpid(pid, &status, 0) != pid) return 1;
    return reply_number(call, WEXITSTATUS(status));
}

START_TEST(a_child_of_a_job_may_run_a_pool)
{
    pebble_pool *pool = pool_with(_i, 1);
    ck_assert_int_eq(run(pool, job_fork_and_use_a_pool), 25);
    close_pool(pool);
}
END_TEST

Suite *nesting_suite(void)
{
    Suite *suite = suite_create("nesting");
    TCase *tests = group(suite, "nesting", 60);
    both(tests, a_job_may_run_a_pool);
    both(tests, a_job_of_a_job_may_run_a_pool);
    both(tests, nesting_is_bounded);
    both(tests, pools_inside_a_job_die_with_it);
    both(tests, a_job_may_forget_its_pool);
    both(tests, a_child_of_a_job_may_run_a_pool);
    return suite;
}
