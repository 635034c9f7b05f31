/* SPDX-License-Identifier: Apache-2.0
 * Pools on the Slurm cluster of two nodes that `cluster run` has made: SLURM_CONF
 * is set. What is measured is printed. */
#define _GNU_SOURCE
#include <pebble.h>

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define PATIENCE (60 * SECOND)

/* --- jobs --- */

static int job_nothing(pebble_call *call)
{
    (void)call;
    return 0;
}

static int job_echo(pebble_call *call)
{
    size_t length;
    const void *input = pebble_call_input(call, &length);
    return pebble_call_write(call, input, length);
}

static int job_node(pebble_call *call)
{
    const char *name = getenv("SLURMD_NODENAME");
    nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
    return name ? pebble_call_write(call, name, strlen(name)) : -ENOENT;
}

/* Says its pid, as an update, and never returns. */
static int job_hang(pebble_call *call)
{
    pid_t pid = getpid();
    pebble_call_update(call, &pid, sizeof pid);
    return pause();
}

static int job_crash(pebble_call *call)
{
    (void)call;
    abort();
}

/* --- what tests share --- */

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

static pebble_pool *pool_on(unsigned nodes, unsigned workers, const char *const *options)
{
    const struct pebble_slurm slurm = {
        .nodes = nodes, .options = options, .beat = SECOND / 5, .lost_after = 3 * SECOND};
    const struct pebble_pool_config config = {.max_workers = workers};
    pebble_pool *pool;
    ck_assert_int_eq(pebble_slurm_pool_new(&config, &slurm, &pool), 0);
    return pool;
}

static void close_pool(pebble_pool *pool)
{
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    pebble_pool_unref(pool);
}

static pebble_future *schedule(pebble_pool *pool, pebble_function function, const void *input, size_t length)
{
    pebble_future *future;
    ck_assert_int_eq(pebble_pool_schedule(pool, function, input, length, NULL, &future), 0);
    return future;
}

static const struct pebble_outcome *expect(pebble_future *future, enum pebble_status status)
{
    char text[200];
    ck_assert_int_eq(pebble_future_wait(future, PATIENCE), 0);
    const struct pebble_outcome *outcome = pebble_future_outcome(future);
    pebble_outcome_describe(outcome, text, sizeof text);
    ck_assert_msg(outcome->status == status, "%s, instead of %s", text, pebble_status_string(status));
    return outcome;
}

/* A job that hangs: the pid of its worker. */
static pid_t hang(pebble_pool *pool, pebble_future **ret_future)
{
    pebble_queue *updates;
    void *item;
    ck_assert_int_eq(pebble_queue_new(0, pebble_update_free, &updates), 0);
    const struct pebble_job_options options = {.updates = updates};
    ck_assert_int_eq(pebble_pool_schedule(pool, job_hang, NULL, 0, &options, ret_future), 0);
    ck_assert_int_eq(pebble_queue_get(updates, PATIENCE, &item), 0);
    pid_t pid;
    memcpy(&pid, ((struct pebble_update *)item)->data, sizeof pid);
    pebble_update_free(item);
    pebble_queue_unref(updates);
    return pid;
}

/* Waits until a process has ended. */
static void expect_dead(pid_t pid)
{
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0) return;
    struct pollfd ended = {.fd = process, .events = POLLIN};
    ck_assert_int_eq(poll(&ended, 1, (int)(PATIENCE / 1000000)), 1);
    close(process);
}

/* Of the file /proc/PID/NAME the line that begins so, what follows that. */
static bool read_line(pid_t pid, const char *name, const char *begin, char *text, size_t size)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    FILE *file = fopen(path, "r");
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        found = strncmp(line, begin, strlen(begin)) == 0;
        if (found) snprintf(text, size, "%s", line + strlen(begin));
    }
    if (file) fclose(file);
    return found;
}

static pid_t parent(pid_t pid)
{
    char text[64];
    return read_line(pid, "status", "PPid:", text, sizeof text) ? (pid_t)atoi(text) : 0;
}

/* Whether a process belongs to this cluster. */
static bool is_ours(pid_t pid)
{
    static char environment[1 << 17];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    FILE *file = fopen(path, "r");
    size_t length = file ? fread(environment, 1, sizeof environment, file) : 0;
    if (file) fclose(file);
    return memmem(environment, length, getenv("SLURM_CONF"), strlen(getenv("SLURM_CONF")));
}

/* A signal for what carries the link: srun, and the helper that it has forked. */
static void signal_sruns(int signal)
{
    DIR *processes = opendir("/proc");
    char text[64];
    int found = 0;
    for (struct dirent *entry; (entry = readdir(processes));) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid <= 0 || !read_line(pid, "comm", "srun", text, sizeof text)) continue;
        if (!is_ours(pid)) continue;
        found += kill(pid, signal) == 0;
    }
    closedir(processes);
    ck_assert_msg(found, "no srun");
}

/* The one agent of this user's that runs: a process of that name, not yet reaped ones aside. */
static pid_t agent(void)
{
    DIR *processes = opendir("/proc");
    pid_t found = 0;
    char text[64];
    for (struct dirent *entry; (entry = readdir(processes));) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid <= 0 || !read_line(pid, "comm", "pebble-agent", text, sizeof text)) continue;
        if (!read_line(pid, "status", "State:", text, sizeof text) || strchr(text, 'Z')) continue;
        ck_assert_msg(!found, "more than one agent");
        found = pid;
    }
    closedir(processes);
    ck_assert_msg(found, "no agent");
    return found;
}

static void expect_loss(pebble_future *future, const char *of, int64_t since)
{
    const char *node = expect(future, PEBBLE_NODE_LOST)->node;
    printf("%s: the job is told after %.0f ms that %s was lost\n", of, (double)(now() - since) / 1e6, node);
    pebble_future_unref(future);
}

/* --- tests --- */

START_TEST(both_nodes_work)
{
    pebble_pool *pool = pool_on(2, 2, NULL); /* all CPUs of both, or one would do */
    int64_t start = now();
    pebble_future *futures[200];
    int on[2] = {0};
    for (size_t i = 0; i < 200; i++)
        futures[i] = schedule(pool, job_node, NULL, 0);
    for (size_t i = 0; i < 200; i++) {
        const struct pebble_outcome *outcome = expect(futures[i], PEBBLE_SUCCESS);
        ck_assert_uint_eq(outcome->length, 2);
        ck_assert_mem_eq(outcome->node, outcome->data, 2); /* it ran where it is said to have run */
        on[outcome->node[1] == '2']++;
        if (i == 0) printf("first outcome: after %.0f ms\n", (double)(now() - start) / 1e6);
        pebble_future_unref(futures[i]);
    }
    printf("200 jobs: %d on n1, %d on n2\n", on[0], on[1]);
    ck_assert(on[0] && on[1]);
    close_pool(pool);
}
END_TEST

START_TEST(bytes_come_through_srun_as_they_are)
{
    pebble_pool *pool = pool_on(1, 1, NULL);
    const size_t length = (size_t)3 << 20;
    char *data = malloc(length);
    uint64_t state = 7;
    for (size_t i = 0; i < length; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407U;
        data[i] = (char)(state >> 56);
    }
    int64_t start = now();
    pebble_future *future = schedule(pool, job_echo, data, length);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    printf("3 MiB there and back: %.0f ms\n", (double)(now() - start) / 1e6);
    ck_assert_uint_eq(outcome->length, length);
    ck_assert(memcmp(outcome->data, data, length) == 0);
    pebble_future_unref(future);
    free(data);
    close_pool(pool);
}
END_TEST

static void measure(pebble_pool *pool, const char *what)
{
    enum { TRIPS = 500, JOBS = 5000 };
    static pebble_future *futures[JOBS];
    pebble_future *first = schedule(pool, job_nothing, NULL, 0); /* until it is up */
    expect(first, PEBBLE_SUCCESS);
    pebble_future_unref(first);
    int64_t start = now();
    for (int i = 0; i < TRIPS; i++) {
        pebble_future *future = schedule(pool, job_nothing, NULL, 0);
        expect(future, PEBBLE_SUCCESS);
        pebble_future_unref(future);
    }
    int64_t middle = now();
    for (int i = 0; i < JOBS; i++)
        futures[i] = schedule(pool, job_nothing, NULL, 0);
    for (int i = 0; i < JOBS; i++) {
        expect(futures[i], PEBBLE_SUCCESS);
        pebble_future_unref(futures[i]);
    }
    printf("%s: round trip %.0f us, %.0f jobs/s\n", what, (double)(middle - start) / 1e3 / TRIPS,
           JOBS / ((double)(now() - middle) / 1e9));
}

START_TEST(it_is_measured_against_the_local_engine)
{
    pebble_pool *pool = pool_on(2, 2, NULL), *local;
    measure(pool, "two nodes of two workers");
    close_pool(pool);
    ck_assert_int_eq(pebble_pool_new(&(struct pebble_pool_config){.max_workers = 4}, &local), 0);
    measure(local, "four local workers");
    close_pool(local);
}
END_TEST

START_TEST(a_crash_and_a_timeout_cost_one_job_each)
{
    pebble_pool *pool = pool_on(1, 1, NULL);
    pebble_future *crash = schedule(pool, job_crash, NULL, 0), *late;
    const struct pebble_job_options options = {.timeout = SECOND / 2};
    ck_assert_int_eq(pebble_pool_schedule(pool, job_hang, NULL, 0, &options, &late), 0);
    pebble_future *next = schedule(pool, job_node, NULL, 0);
    ck_assert_int_eq(expect(crash, PEBBLE_EXPIRED)->exit_signal, SIGABRT);
    ck_assert_ptr_nonnull(pebble_future_outcome(crash)->crash);
    expect(late, PEBBLE_TIMEOUT);
    expect(next, PEBBLE_SUCCESS);
    pebble_future_unref(crash);
    pebble_future_unref(late);
    pebble_future_unref(next);
    close_pool(pool);
}
END_TEST

START_TEST(a_killed_agent_is_noticed)
{
    pebble_pool *pool = pool_on(1, 1, NULL);
    pebble_future *future;
    pid_t worker = hang(pool, &future), it = agent();
    pebble_future *next = schedule(pool, job_node, NULL, 0);
    int64_t start = now();
    ck_assert_int_eq(kill(it, SIGKILL), 0);
    expect_loss(future, "kill -9 of an agent", start);
    expect_dead(worker);
    expect(next, PEBBLE_SUCCESS);
    pebble_future_unref(next);
    printf("kill -9 of an agent: the next job is done after %.0f ms\n", (double)(now() - start) / 1e6);
    close_pool(pool);
}
END_TEST

/* Of which srun says nothing for a long time. */
START_TEST(a_killed_slurmstepd_is_noticed)
{
    pebble_pool *pool = pool_on(1, 1, NULL);
    pebble_future *future;
    pid_t worker = hang(pool, &future), stepd = parent(agent());
    int64_t start = now();
    ck_assert_int_eq(kill(stepd, SIGKILL), 0);
    expect_loss(future, "kill -9 of a slurmstepd", start);
    expect_dead(worker);
    pebble_pool_stop(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    pebble_pool_unref(pool);
}
END_TEST

START_TEST(a_stopped_agent_is_noticed)
{
    pebble_pool *pool = pool_on(1, 1, NULL);
    pebble_future *future;
    pid_t worker = hang(pool, &future), it = agent();
    int64_t start = now();
    ck_assert_int_eq(kill(it, SIGSTOP), 0);
    expect_loss(future, "SIGSTOP of an agent", start);
    kill(it, SIGCONT);
    expect_dead(worker);
    close_pool(pool);
}
END_TEST

/* Both sides live, and nothing comes through between them. */
START_TEST(a_link_that_is_cut_is_noticed_on_both_sides)
{
    pebble_pool *pool = pool_on(1, 1, NULL);
    struct pebble_pool_statistics all;
    struct pebble_node_statistics node;
    pebble_future *future, *others[20];
    pid_t worker = hang(pool, &future), it = agent();
    for (size_t i = 0; i < 20; i++)
        others[i] = schedule(pool, job_nothing, NULL, 0);
    int64_t start = now();
    signal_sruns(SIGSTOP);
    expect_loss(future, "a link that is cut", start);
    expect_dead(it);
    printf("a link that is cut: the agent has ended after %.0f ms\n", (double)(now() - start) / 1e6);
    expect_dead(worker);
    signal_sruns(SIGCONT);
    for (size_t i = 0; i < 20; i++) {
        expect(others[i], PEBBLE_SUCCESS);
        pebble_future_unref(others[i]);
    }
    pebble_pool_get_statistics(pool, &all);
    ck_assert_int_eq(pebble_pool_get_node_statistics(pool, 0, &node), 0);
    printf("of 21 jobs: %d succeeded, %d lost\n", (int)all.outcomes[PEBBLE_SUCCESS], (int)all.outcomes[PEBBLE_NODE_LOST]);
    ck_assert(all.done == 21 && all.outcomes[PEBBLE_SUCCESS] == 20 && all.outcomes[PEBBLE_NODE_LOST] == 1);
    ck_assert(node.losses == 1 && node.lost_jobs == 1 && node.done == 20);
    close_pool(pool);
}
END_TEST

/* The daemon of the node: what it started goes on. */
START_TEST(jobs_survive_a_killed_slurmd)
{
    char path[512];
    snprintf(path, sizeof path, "%s", getenv("SLURM_CONF"));
    snprintf(strrchr(path, '/'), 32, "/slurmd-n1.pid");
    FILE *file = fopen(path, "r");
    int pid;
    ck_assert(file && fscanf(file, "%d", &pid) == 1);
    fclose(file);
    const char *const options[] = {"--nodelist=n1", NULL};
    pebble_pool *pool = pool_on(1, 1, options);
    pebble_future *future = schedule(pool, job_node, NULL, 0);
    expect(future, PEBBLE_SUCCESS);
    pebble_future_unref(future);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    for (int i = 0; i < 100; i++) {
        future = schedule(pool, job_node, NULL, 0);
        expect(future, PEBBLE_SUCCESS);
        pebble_future_unref(future);
    }
    close_pool(pool);
    ck_assert_int_eq(system("slurmd -N n1"), 0); /* for those that follow */
}
END_TEST

START_TEST(a_cancelled_allocation_is_noticed)
{
    pebble_pool *pool = pool_on(1, 1, NULL);
    pebble_future *future;
    pid_t worker = hang(pool, &future);
    int64_t start = now();
    ck_assert_int_eq(system("scancel --me"), 0);
    expect_loss(future, "scancel", start);
    expect_dead(worker);
    close_pool(pool);
}
END_TEST

START_TEST(what_srun_refuses_is_reported)
{
    const char *const options[] = {"--partition=none", NULL};
    pebble_pool *pool = pool_on(1, 1, options);
    pebble_future *future = schedule(pool, job_nothing, NULL, 0);
    ck_assert_int_eq(expect(future, PEBBLE_NOT_RUN)->cause, PEBBLE_CAUSE_NODE);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

/* A job may wait in Slurm's queue; a pool that is stopped meanwhile takes it out of that. */
START_TEST(a_pool_that_waits_for_its_nodes_can_be_stopped)
{
    const char *const options[] = {"--exclusive", NULL};
    pebble_pool *first = pool_on(2, 2, options), *second = pool_on(1, 2, options);
    pebble_future *holders[4];
    for (size_t i = 0; i < 4; i++)
        hang(first, &holders[i]);
    pebble_future *future = schedule(second, job_nothing, NULL, 0);
    ck_assert_int_eq(pebble_future_wait(future, SECOND / 2), -ETIMEDOUT);
    pebble_pool_stop(second);
    ck_assert_int_eq(pebble_pool_join(second, PATIENCE), 0);
    ck_assert_int_eq(expect(future, PEBBLE_NOT_RUN)->cause, PEBBLE_CAUSE_STOPPED);
    pebble_future_unref(future);
    pebble_pool_unref(second);
    pebble_pool_stop(first);
    ck_assert_int_eq(pebble_pool_join(first, PATIENCE), 0);
    pebble_pool_unref(first);
    for (size_t i = 0; i < 4; i++)
        pebble_future_unref(holders[i]);
}
END_TEST

/* Run by salloc: in an allocation of both nodes. */
START_TEST(an_allocation_gives_its_nodes)
{
    const struct pebble_slurm none = {.nodes = 3};
    pebble_pool *pool;
    ck_assert_int_eq(pebble_slurm_pool_new(NULL, &none, &pool), -EINVAL);
    pool = pool_on(0, 0, NULL);
    pebble_future *futures[4];
    for (size_t i = 0; i < 4; i++)
        hang(pool, &futures[i]); /* the CPUs of both */
    ck_assert_uint_eq(pebble_pool_max_workers(pool), 4);
    pebble_pool_stop(pool);
    for (size_t i = 0; i < 4; i++) {
        expect(futures[i], PEBBLE_CANCELLED);
        pebble_future_unref(futures[i]);
    }
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    pebble_pool_unref(pool);
    setenv("SLURM_JOB_NODELIST", "n[1-", 1);
    ck_assert_int_eq(pebble_slurm_pool_new(NULL, NULL, &pool), -EPROTO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cluster");
    TCase *tests = tcase_create("cluster");
    setvbuf(stdout, NULL, _IOLBF, 0);
    tcase_set_timeout(tests, 90);
    suite_add_tcase(suite, tests);
    if (getenv("SLURM_JOB_ID")) {
        tcase_add_test(tests, an_allocation_gives_its_nodes);
    } else {
        tcase_add_test(tests, both_nodes_work);
        tcase_add_test(tests, bytes_come_through_srun_as_they_are);
        tcase_add_test(tests, it_is_measured_against_the_local_engine);
        tcase_add_test(tests, a_crash_and_a_timeout_cost_one_job_each);
        tcase_add_test(tests, a_killed_agent_is_noticed);
        tcase_add_test(tests, a_killed_slurmstepd_is_noticed);
        tcase_add_test(tests, a_stopped_agent_is_noticed);
        tcase_add_test(tests, a_link_that_is_cut_is_noticed_on_both_sides);
        tcase_add_test(tests, jobs_survive_a_killed_slurmd);
        tcase_add_test(tests, a_cancelled_allocation_is_noticed);
        tcase_add_test(tests, what_srun_refuses_is_reported);
        tcase_add_test(tests, a_pool_that_waits_for_its_nodes_can_be_stopped);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
