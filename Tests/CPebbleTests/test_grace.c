/* SPDX-License-Identifier: Apache-2.0
 * Pools that give a job which is not wanted any more some time to return:
 * told, then SIGTERM, then SIGKILL. */
#include "support.h"

#include <signal.h>
#include <time.h>

#define NEVER (INT64_C(3600) * SECOND) /* longer than any test */
#define SHORT (10 * MILLISECOND)
#define RETURNS 4711 /* told by a job before it does */

static pebble_pool *pool_graceful(int method, int64_t grace)
{
    return pool_of(&(struct pebble_pool_config){
        .max_workers = 1, .start_method = (enum pebble_start_method)method, .grace = grace});
}

static void await_cancelled(pebble_call *call)
{
    while (!pebble_call_cancelled(call))
        nanosleep(&(struct timespec){.tv_nsec = MILLISECOND}, NULL);
}

static int job_polite(pebble_call *call)
{
    job_tell(call);
    await_cancelled(call);
    tell(order_of(call), pebble_job_cancelled() ? RETURNS : 0);
    return reply_number(call, 1);
}

static int job_is_cancelled(pebble_call *call)
{
    return reply_number(call, pebble_call_cancelled(call) || pebble_job_cancelled());
}

/* The pid of a worker that has returned from a job which is not wanted, and takes the next. */
static void expect_alive(pebble_pool *pool, const struct scene *scene, int64_t pid, pebble_future *unwanted)
{
    ck_assert_int_eq(hear(scene), RETURNS);
    wait_gone(unwanted);
    ck_assert_int_eq(run(pool, job_pid), pid);
    ck_assert_int_eq(run(pool, job_is_cancelled), 0);
    ck_assert_uint_eq(statistics_of(pool).killed, 0);
    ck_assert_uint_eq(statistics_of(pool).started, 1);
}

START_TEST(a_worker_that_returns_lives_on)
{
    struct scene scene;
    scene_open(&scene);
    ck_assert(!pebble_job_cancelled());
    pebble_pool *pool = pool_graceful(_i, NEVER);
    pebble_future *future = schedule_order(pool, job_polite, order_in(&scene, 0));
    int64_t pid = hear(&scene);
    ck_assert_int_eq(pebble_future_cancel(future), PEBBLE_CANCEL_WAS_RUNNING);
    ck_assert_int_eq(pebble_future_outcome(future)->status, PEBBLE_CANCELLED);
    ck_assert_uint_eq(pebble_future_outcome(future)->length, 0);
    expect_alive(pool, &scene, pid, future);
    expect_and_drop(future, PEBBLE_CANCELLED);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_job_that_has_timed_out_is_told)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_graceful(_i, NEVER);
    pebble_future *future =
        schedule_limited(pool, job_polite, order_in(&scene, 0), (struct pebble_job_options){.timeout = SHORT});
    int64_t pid = hear(&scene);
    expect(future, PEBBLE_TIMEOUT);
    expect_alive(pool, &scene, pid, future);
    expect_and_drop(future, PEBBLE_TIMEOUT);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_stopped_pool_waits_for_those_that_return)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_graceful(_i, NEVER);
    pebble_future *running = schedule_order(pool, job_polite, order_in(&scene, 0));
    pebble_future *waiting = schedule(pool, job_nothing);
    hear(&scene);
    pebble_pool_stop(pool);
    expect_and_drop(running, PEBBLE_CANCELLED);
    expect_and_drop(waiting, PEBBLE_NOT_RUN);
    ck_assert_int_eq(hear(&scene), RETURNS);
    stop_pool(pool);
    scene_close(&scene);
}
END_TEST

/* --- those that do not return --- */

static volatile sig_atomic_t terminated;

static void on_terminate(int number)
{
    (void)number;
    terminated = 1;
}

/* Returns only when it was sent SIGTERM, and says so. */
static int job_stubborn(pebble_call *call)
{
    sigset_t blocked, old;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &old);
    signal(SIGTERM, on_terminate);
    job_tell(call);
    while (!terminated)
        sigsuspend(&old);
    tell(order_of(call), pebble_call_cancelled(call) ? RETURNS : 0);
    return 0;
}

START_TEST(after_the_grace_comes_sigterm)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_graceful(_i, 3 * SECOND); /* until SIGKILL: time enough to tell, on any machine */
    pebble_future *future = schedule_order(pool, job_stubborn, order_in(&scene, 0));
    int64_t pid = hear(&scene);
    pebble_future_cancel(future);
    ck_assert_int_eq(hear(&scene), RETURNS);
    wait_gone(future);
    ck_assert_int_ne(run(pool, job_pid), pid); /* the signal might have come later */
    expect_and_drop(future, PEBBLE_CANCELLED);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(after_twice_the_grace_comes_sigkill)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_graceful(_i, SHORT);
    pebble_future *future = schedule_order(pool, job_resist, order_in(&scene, 0));
    int process = watch_process((pid_t)hear(&scene));
    pebble_future_cancel(future);
    expect_dead(process);
    wait_gone(future);
    ck_assert_uint_eq(statistics_of(pool).killed, 1);
    ck_assert_uint_eq(statistics_of(pool).idle_deaths, 0);
    expect_and_drop(future, PEBBLE_CANCELLED);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(a_stopped_pool_comes_to_rest_whoever_resists)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_graceful(_i, SHORT);
    pebble_future *future = schedule_order(pool, job_resist, order_in(&scene, 0));
    int process = watch_process((pid_t)hear(&scene));
    stop_pool(pool);
    expect_dead(process);
    expect_and_drop(future, PEBBLE_CANCELLED);
    scene_close(&scene);
}
END_TEST

START_TEST(who_resists_delays_nobody)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_graceful(_i, NEVER);
    pid_t resisting[3];
    pebble_future *futures[3];
    for (int i = 0; i < 3; i++) { /* each in the place of the one before, of which there is one */
        futures[i] = schedule_order(pool, job_resist, order_in(&scene, 0));
        resisting[i] = (pid_t)hear(&scene);
        pebble_future_cancel(futures[i]);
        ck_assert_int_eq(pebble_future_wait_gone(futures[i], 0), -ETIMEDOUT);
    }
    ck_assert_int_gt(run(pool, job_pid), 0);
    ck_assert_uint_eq(statistics_of(pool).running, 0);
    ck_assert_uint_eq(statistics_of(pool).workers, 4);
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, SHORT), -ETIMEDOUT);
    for (int i = 0; i < 3; i++) {
        kill(resisting[i], SIGKILL);
        wait_gone(futures[i]);
        expect_and_drop(futures[i], PEBBLE_CANCELLED);
    }
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

static int job_late(pebble_call *call)
{
    job_meet(call);
    return pebble_call_cancelled(call) ? 0 : 1;
}

START_TEST(who_returns_to_a_pool_that_is_full_again_is_let_go)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_graceful(_i, NEVER);
    pebble_future *late = schedule_order(pool, job_late, order_in(&scene, 0));
    int process = watch_process((pid_t)hear(&scene));
    pebble_future_cancel(late);
    pebble_future *running = schedule_order(pool, job_hang, order_in(&scene, 0)); /* in its place */
    pid_t second = (pid_t)hear(&scene);
    let_go(&scene, 0);
    wait_gone(late);
    expect_dead(process);
    expect_and_drop(late, PEBBLE_CANCELLED);
    kill(second, SIGKILL);
    expect_and_drop(running, PEBBLE_EXPIRED);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

/* A death in the grace is nothing but a death: the outcome is there, and no retry follows. */
START_TEST(who_dies_in_the_grace_is_not_run_again)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_graceful(_i, NEVER);
    pebble_future *future =
        schedule_limited(pool, job_hang, order_in(&scene, 0), (struct pebble_job_options){.retries = 5});
    pid_t pid = (pid_t)hear(&scene);
    pebble_future_cancel(future);
    kill(pid, SIGKILL);
    wait_gone(future);
    ck_assert_int_ne(run(pool, job_pid), pid);
    ck_assert_uint_eq(statistics_of(pool).retried, 0);
    ck_assert_uint_eq(statistics_of(pool).expired, 0);
    ck_assert(silent(&scene));
    expect_and_drop(future, PEBBLE_CANCELLED);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

START_TEST(what_waits_behind_it_is_run_elsewhere)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_graceful(_i, NEVER);
    for (int i = 0; i < 100; i++) /* so short that many are shipped at once */
        pebble_future_unref(schedule(pool, job_nothing));
    pebble_future *late = schedule_order(pool, job_late, order_in(&scene, 0)), *behind[20];
    for (int i = 0; i < 20; i++)
        behind[i] = schedule(pool, job_nothing);
    hear(&scene);
    pebble_future_cancel(late);
    for (int i = 0; i < 20; i++)
        expect_and_drop(behind[i], PEBBLE_SUCCESS);
    let_go(&scene, 0);
    wait_gone(late);
    expect_and_drop(late, PEBBLE_CANCELLED);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

/* --- those that are suspended --- */

struct suspended {
    pebble_call *call;
    int calls;
};

static void resume(void *arg)
{
    struct suspended *suspended = arg;
    suspended->calls++;
    pebble_call_resume(suspended->call);
}

static int suspend(pebble_call *call)
{
    struct suspended suspended = {.call = call};
    pebble_call_on_cancel(call, resume, &suspended);
    int rc = pebble_call_suspend(call);
    tell(order_of(call), rc == 0 && suspended.calls == 1 && pebble_call_cancelled(call) ? RETURNS : rc);
    return rc;
}

static int job_suspended(pebble_call *call)
{
    job_tell(call);
    return suspend(call);
}

static int job_suspended_late(pebble_call *call)
{
    job_meet(call);
    return suspend(call);
}

START_TEST(who_is_suspended_is_called)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_graceful(_i, NEVER);
    int64_t pid = 0;
    for (int i = 0; i < 300; i++) { /* and nothing is left on the stream that would fill it */
        bool late = i % 3 == 0;
        pebble_future *future =
            schedule_order(pool, late ? job_suspended_late : job_suspended, order_in(&scene, 0));
        int64_t now = hear(&scene);
        ck_assert(i == 0 || now == pid);
        pid = now;
        pebble_future_cancel(future);
        if (late) let_go(&scene, 0);
        ck_assert_int_eq(hear(&scene), RETURNS);
        wait_gone(future);
        expect_and_drop(future, PEBBLE_CANCELLED);
    }
    ck_assert_int_eq(run(pool, job_pid), pid);
    close_pool(pool);
    scene_close(&scene);
}
END_TEST

static int job_resumes_itself(pebble_call *call)
{
    struct suspended suspended = {.call = call};
    pebble_call_on_cancel(call, resume, &suspended);
    pebble_call_resume(call);
    int rc = pebble_call_suspend(call);
    return rc < 0 ? rc : suspended.calls;
}

START_TEST(who_is_wanted_is_not_called)
{
    pebble_pool *pool = pool_graceful(_i, NEVER);
    pebble_future *futures[100];
    for (int i = 0; i < 100; i++)
        futures[i] = schedule(pool, job_resumes_itself);
    for (int i = 0; i < 100; i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
    close_pool(pool);
}
END_TEST

START_TEST(without_grace_nobody_is_told)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_graceful(_i, 0);
    pebble_future *future = schedule_order(pool, job_polite, order_in(&scene, 0));
    int process = watch_process((pid_t)hear(&scene));
    pebble_future_cancel(future);
    expect_dead(process);
    ck_assert(silent(&scene));
    expect_and_drop(future, PEBBLE_CANCELLED);
    close_pool(pool);
    pebble_pool *none = NULL;
    ck_assert_int_eq(pebble_pool_new(&(struct pebble_pool_config){.grace = -1}, &none), -EINVAL);
    scene_close(&scene);
}
END_TEST

Suite *grace_suite(void)
{
    Suite *suite = suite_create("grace");
    TCase *tests = group(suite, "grace", 60);
    both(tests, a_worker_that_returns_lives_on);
    both(tests, a_job_that_has_timed_out_is_told);
    both(tests, a_stopped_pool_waits_for_those_that_return);
    both(tests, after_the_grace_comes_sigterm);
    both(tests, after_twice_the_grace_comes_sigkill);
    both(tests, a_stopped_pool_comes_to_rest_whoever_resists);
    both(tests, who_resists_delays_nobody);
    both(tests, who_returns_to_a_pool_that_is_full_again_is_let_go);
    both(tests, who_dies_in_the_grace_is_not_run_again);
    both(tests, what_waits_behind_it_is_run_elsewhere);
    both(tests, who_is_suspended_is_called);
    both(tests, who_is_wanted_is_not_called);
    both(tests, without_grace_nobody_is_told);
    return suite;
}
