/* SPDX-License-Identifier: Apache-2.0
 * Hosts that the system refuses processes, memory or room: errors that say so,
 * no job lost, and pools that work when there is some again. What single calls
 * may fail with is tested in Tests/Faults; this is the kernel's own doing. */
#include "support.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534
#define SOME 8 /* workers */

/* One worker for each job, so that there is always a next one to be started. */
static pebble_pool *pool_restless(int method)
{
    return pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                .max_tasks = 1,
                                                .spare_workers = PEBBLE_NO_SPARES,
                                                .start_method = (enum pebble_start_method)method});
}

/* Has it run a job, and waits until nothing of the worker is left. */
static pid_t server_of(pebble_pool *pool)
{
    pid_t server = (pid_t)run(pool, job_server);
    while (statistics_of(pool).workers > 0)
        sched_yield();
    return server;
}

static void refused_with(pebble_pool *pool, int error)
{
    pebble_future *future = schedule(pool, job_nothing);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_NOT_RUN);
    ck_assert_int_eq(outcome->cause, PEBBLE_CAUSE_START);
    ck_assert_int_eq(outcome->error, error);
    pebble_future_unref(future);
}

static int descriptors;

/* A pool's threads end somewhat later than it comes to rest, and give back what is left. */
static int descriptors_at_rest(void)
{
    while (count_pool_threads() > 0)
        sched_yield();
    return count_descriptors();
}

/* Before the first pool, when one was closed already; and behind the last. */
static void note_holdings(int method)
{
    pebble_pool *pool = pool_with(method, 1);
    run(pool, job_pid);
    close_pool(pool);
    descriptors = descriptors_at_rest();
}

static void expect_nothing_kept(void)
{
    ck_assert_int_eq(descriptors_at_rest(), descriptors);
    ck_assert_int_eq(children_of(getpid()), 0);
}

/* --- RLIMIT_NPROC --- */

/* It does not hold for root. */
static void become_nobody(void)
{
    if (geteuid() != 0) return;
    ck_assert_int_eq(setgroups(0, NULL), 0);
    ck_assert_int_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
    ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* else /proc/self is root's still */
}

/* Whether a process may have further ones; 0: this one. */
static void allow_processes(pid_t pid, bool allowed)
{
    struct rlimit limit;
    ck_assert_int_eq(prlimit(pid, RLIMIT_NPROC, NULL, &limit), 0);
    limit.rlim_cur = allowed ? limit.rlim_max : 1;
    ck_assert_int_eq(prlimit(pid, RLIMIT_NPROC, &limit, NULL), 0);
}

START_TEST(a_user_without_processes_left_has_no_server)
{
    become_nobody();
    note_holdings(_i);
    pebble_pool *pool = pool_restless(_i), *none;
    kill(server_of(pool), SIGKILL);
    allow_processes(0, false);
    ck_assert_int_eq(pebble_pool_new(NULL, &none), -EAGAIN);
    refused_with(pool, EAGAIN);
    refused_with(pool, EAGAIN);
    allow_processes(0, true);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
    expect_nothing_kept();
}
END_TEST

START_TEST(a_user_without_processes_left_has_no_more_workers)
{
    become_nobody();
    note_holdings(_i);
    pebble_pool *pool = pool_restless(_i);
    pid_t server = server_of(pool);
    allow_processes(server, false);
    refused_with(pool, EAGAIN);
    refused_with(pool, EAGAIN);
    allow_processes(server, true);
    ck_assert_int_eq(run(pool, job_server), server);
    close_pool(pool);
    expect_nothing_kept();
}
END_TEST

/* --- control groups --- */

static char group_path[PATH_MAX];
static bool unified;

static bool write_file(const char *directory, const char *file, const char *text)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", directory, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) close(fd);
    return written;
}

static long read_number(const char *file)
{
    char path[PATH_MAX + 64], text[32] = "";
    snprintf(path, sizeof path, "%s/%s", group_path, file);
    FILE *stream = fopen(path, "re");
    ck_assert_ptr_nonnull(stream);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, stream));
    fclose(stream);
    return atol(text);
}

static bool make_in(const char *parent, const char *controller)
{
    char enable[32], file[PATH_MAX + 64];
    snprintf(group_path, sizeof group_path, "%s/pebble-test-%d", parent, (int)getpid());
    snprintf(enable, sizeof enable, "+%s", controller);
    snprintf(file, sizeof file, "%s/%s.%s", group_path, controller,
             unified || strcmp(controller, "pids") == 0 ? "max" : "limit_in_bytes");
    if (unified) write_file(parent, "cgroup.subtree_control", enable);
    if (mkdir(group_path, 0755) < 0) return false;
    if (access(file, W_OK) == 0) return true;
    rmdir(group_path);
    return false;
}

/* A group of its own for this process. False: there can be none here. */
static bool enter_group(const char *controller)
{
    char parent[64];
    snprintf(parent, sizeof parent, "/sys/fs/cgroup/%s", controller);
    unified = false;
    bool made = make_in(parent, controller);
    if (!made) unified = true, made = make_in("/sys/fs/cgroup", controller);
    if (made && write_file(group_path, "cgroup.procs", "0")) return true;
    if (made) rmdir(group_path);
    fprintf(stderr, "scarce: not tested: no control group for %s can be made here\n", controller);
    return false;
}

static void leave_group(void)
{
    char parent[PATH_MAX];
    strlcpy(parent, group_path, sizeof parent);
    *strrchr(parent, '/') = '\0';
    ck_assert(write_file(parent, "cgroup.procs", "0"));
    while (rmdir(group_path) < 0) { /* until the last process is gone from it */
        ck_assert_int_eq(errno, EBUSY);
        sched_yield();
    }
}

/* How many more processes and threads there may be; -1: any number. */
static void allow_more(int count)
{
    char text[32] = "max";
    if (count >= 0) snprintf(text, sizeof text, "%ld", read_number("pids.current") + count);
    ck_assert(write_file(group_path, "pids.max", text));
}

/* It would linger for some seconds. */
static void end_server(int method)
{
    pebble_pool *pool = pool_with(method, 1);
    pid_t pid = (pid_t)run(pool, job_server);
    int server = watch_process(pid);
    close_pool(pool);
    kill(pid, SIGKILL);
    expect_dead(server);
}

START_TEST(a_group_that_is_full_of_processes)
{
    if (!enter_group("pids")) return;
    note_holdings(_i);
    pebble_pool *pool = pool_restless(_i), *none;
    server_of(pool);
    allow_more(0);
    ck_assert_int_eq(pebble_pool_new(NULL, &none), -EAGAIN);
    refused_with(pool, EAGAIN);
    allow_more(-1);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
    expect_nothing_kept();
    end_server(_i);
    leave_group();
}
END_TEST

START_TEST(a_pool_in_a_full_group_goes_on_with_the_workers_it_has)
{
    if (!enter_group("pids")) return;
    struct scene scene;
    scene_open(&scene);
    note_holdings(_i);
    pebble_pool *pool = pool_with(_i, SOME);
    run(pool, job_pid);
    allow_more(1);
    pebble_future *futures[200];
    for (size_t i = 0; i < PB_COUNT(futures); i++)
        futures[i] = schedule(pool, job_nothing);
    for (size_t i = 0; i < PB_COUNT(futures); i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
    allow_more(-1);
    for (size_t i = 0; i < SOME; i++)
        futures[i] = schedule_order(pool, job_meet, order_in(&scene, 0));
    for (size_t i = 0; i < SOME; i++)
        hear(&scene); /* all at once: as many as were asked for */
    for (size_t i = 0; i < SOME; i++)
        let_go(&scene, 0);
    for (size_t i = 0; i < SOME; i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
    close_pool(pool);
    expect_nothing_kept();
    end_server(_i);
    leave_group();
    scene_close(&scene);
}
END_TEST

static int job_devour(pebble_call *call)
{
    size_t size = 16 << 20;
    for (;;) {
        char *bytes = malloc(size);
        if (!bytes) return 1;
        memset(bytes, 1, size);
        if (pebble_call_update(call, bytes, 1) < 0) return 2; /* so that it is used */
    }
}

static bool enter_small_group(int method)
{
    if (!enter_group("memory")) return false;
    note_holdings(method);
    ck_assert(write_file(group_path, unified ? "memory.max" : "memory.limit_in_bytes", "134217728"));
    if (unified) write_file(group_path, "memory.swap.max", "0");
    return true;
}

START_TEST(a_job_that_takes_more_memory_than_its_group_has)
{
    if (!enter_small_group(_i)) return;
    pebble_pool *pool = pool_with(_i, 2);
    for (int i = 0; i < 3; i++) {
        pebble_future *future = schedule(pool, job_devour);
        const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
        ck_assert_int_eq(outcome->exit_signal, SIGKILL);
        ck_assert(outcome->likely_oom);
        ck_assert_int_gt(outcome->peak_memory, 64 << 20);
        pebble_future_unref(future);
        ck_assert_int_gt(run(pool, job_pid), 0);
    }
    close_pool(pool);
    expect_nothing_kept();
    end_server(_i);
    leave_group();
}
END_TEST

/* Somebody kills the worker of a job that hangs. */
static void expect_killed(pebble_future *future, struct scene *scene)
{
    kill((pid_t)hear(scene), SIGKILL);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_int_eq(outcome->exit_signal, SIGKILL);
    ck_assert(!outcome->likely_oom);
    pebble_future_unref(future);
}

START_TEST(what_was_killed_beside_it_was_not_for_want_of_memory)
{
    if (!enter_small_group(_i)) return;
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 2);
    pebble_future *beside = schedule_order(pool, job_hang, order_in(&scene, 0)), *future = schedule(pool, job_devour);
    ck_assert(expect(future, PEBBLE_EXPIRED)->likely_oom);
    pebble_future_unref(future);
    expect_killed(beside, &scene);
    expect_killed(schedule_order(pool, job_hang, order_in(&scene, 0)), &scene);
    close_pool(pool);
    scene_close(&scene);
    expect_nothing_kept();
    end_server(_i);
    leave_group();
}
END_TEST

/* --- limits of the host --- */

static rlim_t lower(int resource, rlim_t to)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit((__rlimit_resource_t)resource, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = to;
    ck_assert_int_eq(setrlimit((__rlimit_resource_t)resource, &limit), 0);
    return before;
}

START_TEST(a_host_that_may_map_no_more)
{
    note_holdings(_i);
    pebble_pool *pool = pool_restless(_i);
    server_of(pool);
    unsigned long pages;
    FILE *statm = fopen("/proc/self/statm", "re");
    ck_assert_int_eq(fscanf(statm, "%lu", &pages), 1);
    fclose(statm);
    rlim_t before = lower(RLIMIT_AS, pages * (rlim_t)sysconf(_SC_PAGESIZE) + (1 << 20));
    refused_with(pool, ENOMEM);
    refused_with(pool, ENOMEM);
    lower(RLIMIT_AS, before);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
    expect_nothing_kept();
}
END_TEST

/* The memory of a link is a file without a name; SIGXFSZ is not to end the host. */
START_TEST(a_host_that_may_write_no_large_files)
{
    note_holdings(_i);
    pebble_pool *pool = pool_restless(_i);
    server_of(pool);
    rlim_t before = lower(RLIMIT_FSIZE, 1 << 20);
    refused_with(pool, EFBIG);
    refused_with(pool, EFBIG);
    lower(RLIMIT_FSIZE, before);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
    expect_nothing_kept();
}
END_TEST

Suite *scarce_suite(void)
{
    Suite *suite = suite_create("scarce");
    TCase *tests = group(suite, "scarce", 60);
    both(tests, a_host_that_may_write_no_large_files);
    tests = group_without(suite, "not-valgrind", "users", 60);
    both(tests, a_user_without_processes_left_has_no_server);
    both(tests, a_user_without_processes_left_has_no_more_workers);
    tests = group(suite, "groups", 60);
    both(tests, a_group_that_is_full_of_processes);
    both(tests, a_pool_in_a_full_group_goes_on_with_the_workers_it_has);
    tests = group_without(suite, "not-asan not-tsan", "memory", 60);
    both(tests, a_job_that_takes_more_memory_than_its_group_has);
    both(tests, what_was_killed_beside_it_was_not_for_want_of_memory);
    both(tests, a_host_that_may_map_no_more);
    return suite;
}
