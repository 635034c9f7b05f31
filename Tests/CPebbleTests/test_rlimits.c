/* SPDX-License-Identifier: Apache-2.0
 * What workers may use. */
#include "support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

struct found {
    struct rlimit address_space, cpu_time, open_files, core_size;
    int nice, no_new_privileges;
};

static void find(struct found *found)
{
    getrlimit(RLIMIT_AS, &found->address_space);
    getrlimit(RLIMIT_CPU, &found->cpu_time);
    getrlimit(RLIMIT_NOFILE, &found->open_files);
    getrlimit(RLIMIT_CORE, &found->core_size);
    found->nice = getpriority(PRIO_PROCESS, 0);
    found->no_new_privileges = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static int job_find(pebble_call *call)
{
    struct found found;
    find(&found);
    return pebble_call_write(call, &found, sizeof found);
}

static pebble_pool *pool_limited(int method, struct pebble_worker_limits limits)
{
    return pool_of(&(struct pebble_pool_config){
        .max_workers = 1, .start_method = (enum pebble_start_method)method, .limits = limits});
}

static struct found found_by_a_job(pebble_pool *pool)
{
    struct found found;
    pebble_future *future = schedule(pool, job_find);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    ck_assert_uint_eq(outcome->length, sizeof found);
    memcpy(&found, outcome->data, sizeof found);
    pebble_future_unref(future);
    return found;
}

START_TEST(a_worker_has_the_limits_of_its_pool)
{
    pebble_pool *pool = pool_limited(_i, (struct pebble_worker_limits){.address_space = UINT64_C(1) << 40,
                                                                       .cpu_time = 1000,
                                                                       .open_files = 100,
                                                                       .core_size = 4096,
                                                                       .nice = 3,
                                                                       .no_new_privileges = true});
    struct found here, there = found_by_a_job(pool);
    find(&here);
    ck_assert_uint_eq(there.address_space.rlim_cur, UINT64_C(1) << 40);
    ck_assert_uint_eq(there.address_space.rlim_max, UINT64_C(1) << 40);
    ck_assert_uint_eq(there.cpu_time.rlim_cur, 1000);
    ck_assert_uint_eq(there.open_files.rlim_max, 100);
    ck_assert_int_eq(there.nice, here.nice + 3);
    ck_assert_int_eq(there.no_new_privileges, 1);
    ck_assert_uint_ne(here.address_space.rlim_cur, UINT64_C(1) << 40);
    ck_assert_int_eq(here.no_new_privileges, 0);
    close_pool(pool);
}
END_TEST

START_TEST(without_limits_a_worker_has_those_of_the_program)
{
    pebble_pool *pool = pool_with(_i, 1);
    struct found here, there = found_by_a_job(pool);
    find(&here);
    ck_assert_mem_eq(&here, &there, sizeof here);
    close_pool(pool);
}
END_TEST

START_TEST(a_limit_is_never_raised)
{
    struct rlimit low = {50, 60};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    pebble_pool *pool = pool_limited(_i, (struct pebble_worker_limits){.open_files = 10000});
    struct found there = found_by_a_job(pool);
    ck_assert_uint_eq(there.open_files.rlim_cur, 50);
    ck_assert_uint_eq(there.open_files.rlim_max, 60);
    close_pool(pool);
}
END_TEST

static int job_map_much(pebble_call *call)
{
    (void)call;
    return mmap(NULL, (size_t)1 << 36, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? 1 : 0;
}

START_TEST(a_job_cannot_map_more_than_its_worker_may)
{
    pebble_pool *pool = pool_with(_i, 1);
    expect_and_drop(schedule(pool, job_map_much), PEBBLE_SUCCESS);
    close_pool(pool);
    pool = pool_limited(_i, (struct pebble_worker_limits){.address_space = UINT64_C(1) << 34});
    expect_and_drop(schedule(pool, job_map_much), PEBBLE_FAILURE);
    close_pool(pool);
}
END_TEST

START_TEST(a_job_that_burns_its_processor_time_ends_with_sigxcpu)
{
    pebble_pool *pool = pool_limited(_i, (struct pebble_worker_limits){.cpu_time = 1});
    pebble_future *future = schedule(pool, job_spin);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    char text[256];
    ck_assert_int_eq(outcome->exit_signal, SIGXCPU);
    ck_assert_ptr_nonnull(outcome->crash);
    pebble_outcome_describe(outcome, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, ": its processor time is used up"));
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

/* --- core files --- */

static struct sigaction recorder;
static struct order crashing;

static void tell_core_limit(int signal, siginfo_t *info, void *context)
{
    struct rlimit core;
    recorder.sa_sigaction(signal, info, context);
    getrlimit(RLIMIT_CORE, &core);
    tell(&crashing, (int64_t)core.rlim_cur);
}

/* Tells the limit that it has, and the one it has when its crash is recorded. */
static int job_crash(pebble_call *call)
{
    struct rlimit core;
    crashing = *order_of(call);
    getrlimit(RLIMIT_CORE, &core);
    tell(&crashing, (int64_t)core.rlim_cur);
    struct sigaction ours = {.sa_sigaction = tell_core_limit, .sa_flags = SA_SIGINFO};
    sigaction(SIGABRT, &ours, &recorder);
    abort();
}

START_TEST(a_core_file_has_a_limit_that_children_of_the_job_have_not)
{
    enum { PROGRAMS = 1 << 20 };
    struct rlimit core;
    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
    if (core.rlim_max < PROGRAMS) return;
    core.rlim_cur = PROGRAMS;
    ck_assert_int_eq(setrlimit(RLIMIT_CORE, &core), 0);
    char folder[] = "/tmp/pebble-core-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    for (uint64_t size = 0; size < 2 * PROGRAMS; size = size * 512 + 1) { /* up to one that is above the program's */
        struct scene scene;
        scene_open(&scene);
        pebble_pool *pool = pool_limited(_i, (struct pebble_worker_limits){.core_size = size});
        pebble_future *future = schedule_order(pool, job_crash, order_in(&scene, 0));
        ck_assert_int_eq(hear(&scene), PROGRAMS);
        ck_assert_int_eq(hear(&scene), size < PROGRAMS ? (int64_t)size : PROGRAMS);
        expect_and_drop(future, PEBBLE_EXPIRED);
        close_pool(pool);
        /* A core would be in it, where the system does not put it elsewhere. The larger ones find no folder. */
        if (size == 0) ck_assert_int_eq(rmdir(folder), 0);
    }
}
END_TEST

START_TEST(a_nice_value_out_of_range_is_refused)
{
    pebble_pool *pool;
    ck_assert_int_eq(pebble_pool_new(&(struct pebble_pool_config){.limits.nice = 20}, &pool), -EINVAL);
    ck_assert_int_eq(pebble_pool_new(&(struct pebble_pool_config){.limits.nice = -1}, &pool), -EINVAL);
}
END_TEST

Suite *rlimits_suite(void)
{
    Suite *suite = suite_create("rlimits");
    TCase *tests = group(suite, "rlimits", 60);
    both(tests, a_core_file_has_a_limit_that_children_of_the_job_have_not);
    tcase_add_test(tests, a_nice_value_out_of_range_is_refused);

    TCase *program = group_without(suite, "not-valgrind", "of the program", 60);
    both(program, without_limits_a_worker_has_those_of_the_program);
    both(program, a_limit_is_never_raised);

    TCase *processor = group_without(suite, "not-tsan", "processor time", 60);
    both(processor, a_job_that_burns_its_processor_time_ends_with_sigxcpu);

    TCase *address_space = group_without(suite, "not-asan not-tsan", "address space", 60);
    both(address_space, a_worker_has_the_limits_of_its_pool);
    both(address_space, a_job_cannot_map_more_than_its_worker_may);
    return suite;
}
