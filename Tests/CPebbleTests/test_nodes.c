/* SPDX-License-Identifier: Apache-2.0
 * Pools with nodes: agents that are started here by plain commands. */
#include "support.h"
#include "chance.h"
#include "image.h"
#include "loop.h"
#include "node.h"

#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- nodes --- */

/* Each agent tells its pid, and what it and its workers print goes nowhere. */
struct cluster {
    struct scene scene;
    char script[1024];
    const char *command[4];
    const char *names[3];
    struct pebble_nodes nodes;
};

/* Words for a shell that tells its pid, as jobs do, with `mark` in the upper half. */
static void write_telling(char *words, size_t size, pid_t host, int fd, int mark)
{
    snprintf(words, size,
             "p=$(($$ | %d << 32)); f=; for i in 1 2 3 4 5 6 7 8; do f=\"$f\\\\$(printf %%03o $((p & 255)))\"; "
             "p=$((p >> 8)); done; printf \"$f\" >/proc/%d/fd/%d",
             mark, host, fd);
}

static void set_command(struct cluster *cluster)
{
    const char *const command[] = {"sh", "-c", cluster->script, NULL};
    memcpy(cluster->command, command, sizeof command);
}

/* A command that tells its pid and becomes the one behind it. */
static void write_script(struct cluster *cluster, pid_t host, int fd)
{
    char telling[256];
    write_telling(telling, sizeof telling, host, fd, 0);
    snprintf(cluster->script, sizeof cluster->script, "%s; exec 2>/dev/null \"$0\" \"$@\"", telling);
    set_command(cluster);
}

/* One with a process in each direction of the link, which tell their pids too, marked with 1 and 2. */
static void write_relay(struct cluster *cluster)
{
    char telling[3][256];
    for (int i = 0; i < 3; i++)
        write_telling(telling[i], sizeof telling[i], getpid(), cluster->scene.told[1], i);
    snprintf(cluster->script, sizeof cluster->script,
             "sh -c '%s; exec cat' | sh -c '%s; exec 2>/dev/null \"$0\" \"$@\"' \"$0\" \"$@\" | sh -c '%s; exec cat'",
             telling[1], telling[0], telling[2]);
    set_command(cluster);
}

static void cluster_open(struct cluster *cluster, size_t count)
{
    scene_open(&cluster->scene);
    write_script(cluster, getpid(), cluster->scene.told[1]);
    cluster->names[0] = "n1";
    cluster->names[1] = "n2";
    cluster->names[2] = "n3";
    cluster->nodes = (struct pebble_nodes){.command = cluster->command, .names = cluster->names, .count = count};
}

static pebble_pool *pool_on(const struct cluster *cluster, const struct pebble_pool_config *config)
{
    pebble_pool *pool;
    ck_assert_int_eq(pebble_node_pool_new(config, &cluster->nodes, &pool), 0);
    return pool;
}

static pebble_pool *pool_of_nodes(struct cluster *cluster, size_t count, int method, unsigned workers)
{
    cluster_open(cluster, count);
    return pool_on(cluster, &(struct pebble_pool_config){.max_workers = workers,
                                                        .start_method = (enum pebble_start_method)method});
}

static struct pebble_node_statistics statistics_of_node(const pebble_pool *pool, size_t index)
{
    struct pebble_node_statistics statistics;
    ck_assert_int_eq(pebble_pool_get_node_statistics(pool, index, &statistics), 0);
    return statistics;
}

static void cluster_close(struct cluster *cluster)
{
    scene_close(&cluster->scene);
}

/* A pool whose one node is what `script` does. What becomes of a job in it. */
static struct pebble_outcome outcome_with(const char *script, int64_t join_timeout)
{
    const char *const command[] = {"sh", "-c", script, NULL};
    const struct pebble_nodes nodes = {.command = command, .count = 1, .join_timeout = join_timeout};
    pebble_pool *pool;
    ck_assert_int_eq(pebble_node_pool_new(NULL, &nodes, &pool), 0);
    pebble_future *future = schedule(pool, job_nothing);
    struct pebble_outcome outcome = *outcome_of(future);
    pebble_future_unref(future);
    stop_pool(pool);
    return outcome;
}

/* --- jobs there --- */

static int job_shout(pebble_call *call)
{
    for (int i = 0; i < 2000; i++)
        printf("%d bytes that are no frame\n", i);
    fflush(stdout);
    char byte;
    return reply_number(call, read(STDIN_FILENO, &byte, 1));
}

static int job_say(pebble_call *call)
{
    (void)call;
    printf("out\n");
    fflush(stdout);
    fprintf(stderr, "err\n");
    return 0;
}

static int job_say_and_crash(pebble_call *call)
{
    job_say(call);
    raise(SIGSEGV);
    return 0;
}

static int job_report(pebble_call *call)
{
    for (int64_t i = 0; i < 100; i++)
        pebble_call_update(call, &i, sizeof i);
    return 0;
}

static int set_up(pebble_call *call)
{
    size_t length;
    const char *input = pebble_call_input(call, &length);
    setenv("NODES_TEST", input, 1);
    return 0;
}

static int job_environment(pebble_call *call)
{
    const char *value = getenv("NODES_TEST");
    return pebble_call_write(call, value ? value : "", value ? strlen(value) : 0);
}

static int fail_to_set_up(pebble_call *call)
{
    pebble_call_write(call, "no disk", 7);
    return 5;
}

static int job_abort(pebble_call *call)
{
    (void)call;
    abort();
}

/* --- as in a pool of processes --- */

START_TEST(jobs_run_on_nodes)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 1, _i, 1);
    pebble_future *future = schedule(pool, job_server);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    ck_assert_str_eq(outcome->node, "n1");
    ck_assert(outcome->started);
    ck_assert_int_ne(outcome->pid, getpid());
    ck_assert_int_ne(hear(&cluster.scene), getpid());
    pebble_future_unref(future);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(two_nodes_share_the_work)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 2, _i, 2);
    pebble_future *futures[4];
    bool first = false, second = false;
    for (size_t i = 0; i < PB_COUNT(futures); i++)
        futures[i] = schedule_order(pool, job_meet, order_in(&cluster.scene, 0));
    for (size_t i = 0; i < PB_COUNT(futures) + 2; i++) /* the agents tell theirs too */
        hear(&cluster.scene);
    ck_assert_uint_eq(pebble_pool_max_workers(pool), 4);
    ck_assert_uint_eq(statistics_of(pool).running, 4);
    for (size_t i = 0; i < 2; i++) {
        struct pebble_node_statistics of = statistics_of_node(pool, i);
        ck_assert_str_eq(of.name, cluster.names[i]);
        ck_assert_int_eq(of.state, PEBBLE_NODE_UP);
        ck_assert(of.slots == 2 && of.running == 2 && of.done == 0 && of.joined == 1 && of.silence >= 0);
    }
    for (size_t i = 0; i < PB_COUNT(futures); i++)
        let_go(&cluster.scene, 0);
    for (size_t i = 0; i < PB_COUNT(futures); i++) {
        const char *node = expect(futures[i], PEBBLE_SUCCESS)->node;
        first |= strcmp(node, "n1") == 0;
        second |= strcmp(node, "n2") == 0;
        pebble_future_unref(futures[i]);
    }
    ck_assert(first && second);
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    for (size_t i = 0; i < 2; i++) {
        struct pebble_node_statistics of = statistics_of_node(pool, i);
        ck_assert_int_eq(of.state, PEBBLE_NODE_DOWN);
        ck_assert(of.slots == 0 && of.running == 0 && of.done == 2 && of.losses == 0 && of.silence == 0);
    }
    pebble_pool_unref(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(many_jobs_give_each_its_own_value)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 2, PEBBLE_FORK_SERVER, 2);
    pebble_future *futures[2000];
    for (int64_t i = 0; i < 2000; i++)
        futures[i] = schedule_order(pool, job_number, order_in(&cluster.scene, i));
    for (int64_t i = 0; i < 2000; i++)
        ck_assert_int_eq(number_from(futures[i]), i);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(an_error_keeps_its_code_and_its_bytes)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 1, PEBBLE_FORK_SERVER, 1);
    pebble_future *future = schedule(pool, job_fail);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_FAILURE);
    ck_assert_int_eq(outcome->code, 7);
    ck_assert_mem_eq(outcome->data, "sorry", 5);
    pebble_future_unref(future);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(large_data_makes_the_round_trip)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 1, PEBBLE_FORK_SERVER, 1);
    const size_t length = 20 * chance_steps();
    char *data = malloc(length);
    for (size_t i = 0; i < length; i++)
        data[i] = (char)(i * 7 + i / 4096);
    pebble_future *future = schedule_bytes(pool, job_echo, data, length);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    ck_assert_uint_eq(outcome->length, length);
    ck_assert(memcmp(outcome->data, data, length) == 0);
    pebble_future_unref(future);
    free(data);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(what_a_job_prints_and_reads_is_no_frame)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 1, _i, 1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(run(pool, job_shout), 0);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(a_crash_explains_itself)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 1, _i, 1);
    pebble_future *future = schedule(pool, job_abort);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    char report[4096];
    ck_assert_int_eq(outcome->exit_signal, SIGABRT);
    ck_assert_ptr_nonnull(outcome->crash);
    pebble_outcome_report(outcome, report, sizeof report);
    ck_assert_msg(strstr(report, " on n1 crashed: SIGABRT") && strstr(report, "job_abort"), "%s", report);
    pebble_future_unref(future);
    ck_assert_int_eq(run(pool, job_pid) > 0, 1);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(a_job_over_its_timeout_is_killed_there)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 1, _i, 1);
    pebble_future *future = schedule_limited(pool, job_hang, order_in(&cluster.scene, 0),
                                             (struct pebble_job_options){.timeout = 300 * MILLISECOND});
    hear(&cluster.scene);
    int process = watch_process((pid_t)hear(&cluster.scene));
    const struct pebble_outcome *outcome = expect(future, PEBBLE_TIMEOUT);
    ck_assert_int_eq(outcome->limit, PEBBLE_LIMIT_TIMEOUT);
    ck_assert_int_eq(outcome->limit_length, 300 * MILLISECOND);
    ck_assert(outcome->run_time >= 300 * MILLISECOND);
    wait_gone(future);
    expect_dead(process);
    pebble_future_unref(future);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(a_deadline_counts_the_waiting_here)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 1, PEBBLE_FORK_SERVER, 1);
    pebble_future *future = schedule_limited(pool, job_hang, order_in(&cluster.scene, 0),
                                             (struct pebble_job_options){.deadline = 300 * MILLISECOND});
    const struct pebble_outcome *outcome = expect(future, PEBBLE_TIMEOUT);
    ck_assert_int_eq(outcome->limit, PEBBLE_LIMIT_DEADLINE);
    ck_assert_int_eq(outcome->limit_length, 300 * MILLISECOND);
    pebble_future_unref(future);
    stop_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(a_running_job_can_be_cancelled)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 1, _i, 1);
    pebble_future *future = schedule_order(pool, job_hang, order_in(&cluster.scene, 0));
    hear(&cluster.scene);
    int process = watch_process((pid_t)hear(&cluster.scene));
    ck_assert_int_eq(pebble_future_cancel(future), PEBBLE_CANCEL_WAS_RUNNING);
    ck_assert_str_eq(expect(future, PEBBLE_CANCELLED)->node, "n1");
    wait_gone(future);
    expect_dead(process);
    pebble_future_unref(future);
    ck_assert_int_gt(run(pool, job_pid), 0); /* its slot is free again */
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(a_waiting_job_that_is_cancelled_never_runs)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 1, PEBBLE_FORK_SERVER, 1);
    pebble_future *running = schedule_order(pool, job_meet, order_in(&cluster.scene, 0));
    pebble_future *waiting = schedule_order(pool, job_count, order_in(&cluster.scene, 0));
    hear(&cluster.scene);
    hear(&cluster.scene);
    ck_assert_int_eq(pebble_future_cancel(waiting), PEBBLE_CANCEL_NEVER_STARTED);
    let_go(&cluster.scene, 0);
    expect_and_drop(running, PEBBLE_SUCCESS);
    expect_and_drop(waiting, PEBBLE_CANCELLED);
    close_pool(pool);
    ck_assert_int_eq(atomic_load(&cluster.scene.board->count), 0);
    cluster_close(&cluster);
}
END_TEST

static struct {
    atomic_int count; /* which the thread for callbacks reads as well */
    int at_callback;
    char text[8][16];
} heard;

static void listen(const struct pebble_output_line *line, void *arg)
{
    (void)arg;
    if (heard.count < 8) snprintf(heard.text[heard.count++], 16, "%d %s %s", line->stream, line->job, line->text);
}

static void see_lines(pebble_future *future, void *arg)
{
    (void)future, (void)arg;
    heard.at_callback = heard.count;
}

START_TEST(what_workers_write_is_captured)
{
    struct cluster cluster;
    cluster_open(&cluster, 1);
    pebble_pool *pool = pool_on(&cluster, &(struct pebble_pool_config){.max_workers = 1,
                                                                      .stdout_to = PEBBLE_CAPTURE,
                                                                      .stderr_to = PEBBLE_CAPTURE,
                                                                      .on_output = listen});
    struct order order = order_in(&cluster.scene, 0);
    pebble_future *future = schedule_limited(pool, job_say, order, (struct pebble_job_options){.name = "a"});
    ck_assert_int_eq(pebble_future_on_done(future, see_lines, NULL), 0);
    expect_and_drop(future, PEBBLE_SUCCESS);
    future = schedule_limited(pool, job_say_and_crash, order, (struct pebble_job_options){.name = "b"});
    ck_assert_str_eq(expect(future, PEBBLE_EXPIRED)->output_tail, "err\n");
    pebble_future_unref(future);
    close_pool(pool);
    ck_assert_int_eq(heard.count, 4);
    ck_assert_int_ge(heard.at_callback, 2); /* those of the next job may have come before it is called */
    int outs = 0, errs = 0;
    for (int i = 0; i < 4; i++) {
        outs += strcmp(heard.text[i], i < 2 ? "1 a out" : "1 b out") == 0;
        errs += strcmp(heard.text[i], i < 2 ? "2 a err" : "2 b err") == 0;
    }
    ck_assert_int_eq(outs, 2);
    ck_assert_int_eq(errs, 2);
    cluster_close(&cluster);
}
END_TEST

/* --- lines that are taken in slowly --- */

#define MANY_LINES 4096
#define LINE 1023 /* bytes, without the newline */

static struct {
    sem_t go;
    int count, at_callback;
} slow;

static void listen_slowly(const struct pebble_output_line *line, void *arg)
{
    (void)arg;
    if (slow.count == 0)
        while (sem_wait(&slow.go) < 0)
            continue;
    slow.count += line->length == LINE;
}

static void see_slow_lines(pebble_future *future, void *arg)
{
    (void)future, (void)arg;
    slow.at_callback = slow.count;
}

static int job_say_much(pebble_call *call)
{
    (void)call;
    for (int i = 0; i < MANY_LINES; i++)
        printf("%0*d\n", LINE, i);
    return 0;
}

static bool is_held_up(pebble_pool *pool)
{
    pb_loop_lock(pool);
    bool paused = pool->cluster->paused > 0;
    pb_loop_unlock(pool);
    return paused;
}

START_TEST(a_node_is_held_up_while_its_lines_are_not_taken_in_and_loses_none)
{
    struct cluster cluster;
    cluster_open(&cluster, 1);
    sem_init(&slow.go, 0, 0);
    pebble_pool *pool = pool_on(&cluster, &(struct pebble_pool_config){
                                              .max_workers = 1, .stdout_to = PEBBLE_CAPTURE, .on_output = listen_slowly});
    pebble_future *future = schedule(pool, job_say_much);
    ck_assert_int_eq(pebble_future_on_done(future, see_slow_lines, NULL), 0);
    while (!is_held_up(pool))
        sched_yield();
    ck_assert_int_eq(pebble_future_wait(future, 0), -ETIMEDOUT);
    sem_post(&slow.go);
    expect_and_drop(future, PEBBLE_SUCCESS);
    close_pool(pool);
    ck_assert_int_eq(slow.at_callback, MANY_LINES);
    cluster_close(&cluster);
}
END_TEST

START_TEST(updates_come_in_order_before_the_outcome)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 1, PEBBLE_FORK_SERVER, 1);
    pebble_queue *updates;
    ck_assert_int_eq(pebble_queue_new(0, pebble_update_free, &updates), 0);
    for (int round = 0; round < 20; round++) {
        pebble_future *future = schedule_limited(pool, job_report, order_in(&cluster.scene, 0),
                                                 (struct pebble_job_options){.updates = updates});
        ck_assert_uint_eq(expect(future, PEBBLE_SUCCESS)->lost_updates, 0);
        pebble_future_unref(future);
        for (int64_t i = 0; i < 100; i++) {
            void *item;
            ck_assert_int_eq(pebble_queue_get(updates, 0, &item), 0);
            struct pebble_update *update = item;
            ck_assert_uint_eq(update->length, sizeof i);
            ck_assert_mem_eq(update->data, &i, sizeof i);
            pebble_update_free(update);
        }
    }
    close_pool(pool);
    pebble_queue_unref(updates);
    cluster_close(&cluster);
}
END_TEST

START_TEST(workers_of_nodes_are_set_up)
{
    struct cluster cluster;
    cluster_open(&cluster, 1);
    pebble_pool *pool = pool_on(&cluster, &(struct pebble_pool_config){
                                              .max_workers = 1, .initializer = {set_up, "ready", sizeof "ready"}});
    pebble_future *future = schedule(pool, job_environment);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    ck_assert_uint_eq(outcome->length, 5);
    ck_assert_mem_eq(outcome->data, "ready", 5);
    pebble_future_unref(future);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(jobs_are_told_what_a_failing_initializer_said)
{
    struct cluster cluster;
    cluster_open(&cluster, 1);
    pebble_pool *pool = pool_on(&cluster, &(struct pebble_pool_config){.max_workers = 1, .initializer = {fail_to_set_up, NULL, 0}});
    pebble_future *future = schedule(pool, job_nothing);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_NOT_RUN);
    ck_assert_int_eq(outcome->cause, PEBBLE_CAUSE_INITIALIZER);
    ck_assert_int_eq(outcome->code, 5);
    ck_assert_mem_eq(outcome->data, "no disk", 7);
    pebble_future_unref(future);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

/* Elements of a map: the third crashes. */
static int source(void *arg, const void **ret_data, size_t *ret_length)
{
    static int64_t next;
    int64_t *most = arg;
    if (next == *most) return 0;
    next++;
    *ret_data = &next;
    *ret_length = sizeof next;
    return 1;
}

static int job_third(pebble_call *call)
{
    size_t length;
    int64_t *number = pebble_call_input(call, &length);
    if (*number == 3) abort();
    return reply_number(call, *number);
}

START_TEST(a_map_runs_on_nodes)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 2, PEBBLE_FORK_SERVER, 2);
    int64_t most = 40;
    pebble_map *map;
    struct pebble_map_result result;
    const struct pebble_map_options options = {.chunk_size = 8};
    ck_assert_int_eq(pebble_map_new(pool, job_third, source, &most, &options, &map), 0);
    for (int64_t i = 1; i <= most; i++) {
        ck_assert_int_eq(pebble_map_next(map, PATIENCE, &result), 1);
        ck_assert_int_eq(result.outcome.status, i == 3 ? PEBBLE_EXPIRED : PEBBLE_SUCCESS);
        if (i != 3) ck_assert_mem_eq(result.outcome.data, &i, sizeof i);
    }
    ck_assert_int_eq(pebble_map_next(map, PATIENCE, &result), 0);
    pebble_map_free(map);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

/* --- their ends --- */

START_TEST(a_closed_pool_leaves_no_agent)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 2, _i, 1);
    pebble_future *futures[2];
    int agents[2];
    for (size_t i = 0; i < 2; i++)
        futures[i] = schedule_order(pool, job_nap, order_in(&cluster.scene, 1));
    for (size_t i = 0; i < 2; i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
    agents[0] = watch_process((pid_t)hear(&cluster.scene));
    agents[1] = watch_process((pid_t)hear(&cluster.scene));
    close_pool(pool);
    for (size_t i = 0; i < 2; i++) {
        ck_assert(!alive(agents[i]));
        close(agents[i]);
    }
    cluster_close(&cluster);
}
END_TEST

START_TEST(a_stopped_pool_ends_its_jobs_there)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 1, _i, 1);
    pebble_future *running = schedule_order(pool, job_resist, order_in(&cluster.scene, 0));
    pebble_future *waiting = schedule(pool, job_nothing);
    int agent = watch_process((pid_t)hear(&cluster.scene));
    int worker = watch_process((pid_t)hear(&cluster.scene));
    stop_pool(pool);
    ck_assert(!alive(agent) && !alive(worker));
    close(agent);
    close(worker);
    expect_and_drop(running, PEBBLE_CANCELLED);
    ck_assert_int_eq(expect(waiting, PEBBLE_NOT_RUN)->cause, PEBBLE_CAUSE_STOPPED);
    pebble_future_unref(waiting);
    cluster_close(&cluster);
}
END_TEST

START_TEST(a_pool_without_work_starts_no_node)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 3, PEBBLE_FORK_SERVER, 1);
    ck_assert_uint_eq(pebble_pool_max_workers(pool), 3);
    close_pool(pool);
    ck_assert(silent(&cluster.scene));
    cluster_close(&cluster);
}
END_TEST

/* --- nodes that are lost --- */

START_TEST(jobs_of_a_killed_agent_are_lost_and_others_go_elsewhere)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 1, _i, 1);
    pebble_future *running = schedule_order(pool, job_hang, order_in(&cluster.scene, 0));
    pid_t agent = (pid_t)hear(&cluster.scene);
    int worker = watch_process((pid_t)hear(&cluster.scene));
    pebble_future *waiting = schedule(pool, job_pid);
    kill(agent, SIGKILL);
    const struct pebble_outcome *outcome = expect(running, PEBBLE_NODE_LOST);
    ck_assert_str_eq(outcome->node, "n1");
    ck_assert(outcome->started);
    char text[128];
    pebble_outcome_describe(outcome, text, sizeof text);
    ck_assert_msg(strstr(text, "node n1 was lost"), "%s", text);
    pebble_future_unref(running);
    expect_dead(worker);
    ck_assert_int_gt(number_from(waiting), 0); /* on the same node, which is tried again */
    ck_assert_uint_eq(statistics_of(pool).outcomes[PEBBLE_NODE_LOST], 1);
    struct pebble_node_statistics of = statistics_of_node(pool, 0);
    ck_assert(of.joined == 2 && of.losses == 1 && of.lost_jobs == 1 && of.done == 1);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(the_pool_goes_on_with_the_nodes_that_are_left)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 2, PEBBLE_FORK_SERVER, 1);
    pebble_future *lost = schedule_order(pool, job_hang, order_in(&cluster.scene, 0));
    pid_t agent = (pid_t)hear(&cluster.scene);
    hear(&cluster.scene);
    pebble_future *other = schedule_order(pool, job_meet, order_in(&cluster.scene, 0));
    hear(&cluster.scene);
    hear(&cluster.scene);
    kill(agent, SIGKILL);
    expect_and_drop(lost, PEBBLE_NODE_LOST);
    let_go(&cluster.scene, 0);
    expect_and_drop(other, PEBBLE_SUCCESS);
    for (int i = 0; i < 20; i++)
        ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(a_lost_job_with_retries_runs_again)
{
    struct cluster cluster;
    pebble_pool *pool = pool_of_nodes(&cluster, 2, PEBBLE_FORK_SERVER, 1);
    pebble_future *future = schedule_limited(pool, job_meet, order_in(&cluster.scene, 0),
                                             (struct pebble_job_options){.retries = 1});
    pid_t agent = (pid_t)hear(&cluster.scene);
    pid_t first = (pid_t)hear(&cluster.scene);
    kill(agent, SIGKILL);
    hear(&cluster.scene); /* the other agent */
    pid_t second = (pid_t)hear(&cluster.scene);
    ck_assert_int_ne(first, second);
    let_go(&cluster.scene, 0);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    ck_assert_uint_eq(outcome->deaths, 1);
    ck_assert_str_eq(outcome->node, "n2");
    pebble_future_unref(future);
    ck_assert_uint_eq(statistics_of(pool).retried, 1);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(a_silent_agent_is_lost)
{
    struct cluster cluster;
    cluster_open(&cluster, 1);
    cluster.nodes.beat = 50 * MILLISECOND;
    cluster.nodes.lost_after = 500 * MILLISECOND;
    pebble_pool *pool = pool_on(&cluster, &(struct pebble_pool_config){.max_workers = 1});
    pebble_future *future = schedule_order(pool, job_hang, order_in(&cluster.scene, 0));
    pid_t pid = (pid_t)hear(&cluster.scene);
    int agent = watch_process(pid), worker = watch_process((pid_t)hear(&cluster.scene));
    kill(pid, SIGSTOP);
    expect_and_drop(future, PEBBLE_NODE_LOST);
    stop_pool(pool); /* waits until the launcher is killed */
    expect_dead(agent);
    expect_dead(worker);
    cluster_close(&cluster);
}
END_TEST

START_TEST(a_quiet_agent_is_not)
{
    struct cluster cluster;
    cluster_open(&cluster, 1);
    cluster.nodes.beat = 50 * MILLISECOND;
    cluster.nodes.lost_after = 2 * SECOND;
    pebble_pool *pool = pool_on(&cluster, &(struct pebble_pool_config){.max_workers = 1});
    pebble_future *future = schedule_order(pool, job_nap, order_in(&cluster.scene, 3 * SECOND));
    expect_and_drop(future, PEBBLE_SUCCESS);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

/* Neither side hears the other any more, and both live. */
START_TEST(a_link_that_is_cut_costs_what_runs_there)
{
    struct cluster cluster;
    cluster_open(&cluster, 1);
    write_relay(&cluster);
    cluster.nodes.beat = 50 * MILLISECOND;
    cluster.nodes.lost_after = 500 * MILLISECOND;
    pebble_pool *pool = pool_on(&cluster, &(struct pebble_pool_config){.max_workers = 2});
    pebble_future *lost[2], *others[10];
    pid_t pids[3];
    int agent, workers[2];
    for (size_t i = 0; i < PB_COUNT(lost); i++)
        lost[i] = schedule_order(pool, job_hang, order_in(&cluster.scene, 0));
    for (size_t i = 0; i < PB_COUNT(others); i++)
        others[i] = schedule(pool, job_pid);
    for (size_t i = 0; i < PB_COUNT(pids); i++) {
        int64_t told = hear(&cluster.scene);
        ck_assert(told >> 32 >= 0 && told >> 32 < 3);
        pids[told >> 32] = (pid_t)told;
    }
    agent = watch_process(pids[0]);
    for (size_t i = 0; i < PB_COUNT(workers); i++)
        workers[i] = watch_process((pid_t)hear(&cluster.scene));
    ck_assert(kill(pids[1], SIGSTOP) == 0 && kill(pids[2], SIGSTOP) == 0);
    for (size_t i = 0; i < PB_COUNT(lost); i++)
        expect_and_drop(lost[i], PEBBLE_NODE_LOST);
    expect_dead(agent);
    for (size_t i = 0; i < PB_COUNT(workers); i++)
        expect_dead(workers[i]);
    ck_assert(kill(pids[1], SIGKILL) == 0 && kill(pids[2], SIGKILL) == 0);
    for (size_t i = 0; i < PB_COUNT(others); i++)
        expect_and_drop(others[i], PEBBLE_SUCCESS); /* when it is tried again */
    struct pebble_node_statistics of = statistics_of_node(pool, 0);
    ck_assert(of.joined == 2 && of.losses == 1 && of.lost_jobs == 2 && of.done == 10);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(a_node_that_can_be_reached_later_joins)
{
    struct cluster cluster;
    char flag[] = "/tmp/pebble-node-XXXXXX";
    int fd = mkstemp(flag);
    ck_assert_int_ge(fd, 0);
    close(fd);
    cluster_open(&cluster, 2);
    snprintf(cluster.script, sizeof cluster.script, "[ %%n = n1 ] || [ ! -e %s ] || exit 1; exec \"$0\" \"$@\"", flag);
    pebble_pool *pool = pool_on(&cluster, &(struct pebble_pool_config){.max_workers = 1});
    pebble_future *futures[2];
    for (size_t i = 0; i < 2; i++)
        futures[i] = schedule_order(pool, job_meet, order_in(&cluster.scene, 0));
    hear(&cluster.scene);
    ck_assert_int_eq(unlink(flag), 0);
    hear(&cluster.scene);
    struct pebble_node_statistics of = statistics_of_node(pool, 1);
    ck_assert(of.state == PEBBLE_NODE_UP && of.running == 1 && of.joined == 1 && of.losses == 0);
    for (size_t i = 0; i < 2; i++)
        let_go(&cluster.scene, 0);
    for (size_t i = 0; i < 2; i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(a_pool_that_is_closed_waits_for_no_node_that_has_not_come)
{
    struct cluster cluster;
    cluster_open(&cluster, 2);
    cluster.nodes.join_timeout = PATIENCE * 60;
    snprintf(cluster.script, sizeof cluster.script, "[ %%n = n1 ] || exec sleep 1000; exec \"$0\" \"$@\"");
    pebble_pool *pool = pool_on(&cluster, &(struct pebble_pool_config){.max_workers = 1});
    pebble_future *futures[2];
    for (size_t i = 0; i < 2; i++)
        futures[i] = schedule_order(pool, job_meet, order_in(&cluster.scene, 0));
    hear(&cluster.scene);
    while (statistics_of_node(pool, 1).state != PEBBLE_NODE_STARTING)
        sched_yield();
    for (size_t i = 0; i < 2; i++)
        let_go(&cluster.scene, 0);
    for (size_t i = 0; i < 2; i++)
        expect_and_drop(futures[i], PEBBLE_SUCCESS);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

START_TEST(statistics_are_of_nodes_that_there_are)
{
    struct cluster cluster;
    struct pebble_node_statistics of;
    pebble_pool *pool = pool_of_nodes(&cluster, 3, PEBBLE_FORK_SERVER, 1), *local = pool_with(PEBBLE_FORK_SERVER, 1);
    of = statistics_of_node(pool, 2);
    ck_assert_str_eq(of.name, "n3");
    ck_assert(of.state == PEBBLE_NODE_DOWN && of.slots == 0 && of.joined == 0);
    ck_assert_int_eq(pebble_pool_get_node_statistics(pool, 3, &of), -ENOENT);
    ck_assert_int_eq(pebble_pool_get_node_statistics(local, 0, &of), -ENOENT);
    close_pool(local);
    close_pool(pool);
    cluster_close(&cluster);
}
END_TEST

/* Is the host of an agent: tells its own pid, the agent's and that of the agent's worker. */
static int job_be_host(pebble_call *call)
{
    static struct cluster cluster;
    const struct order *order = order_of(call);
    write_script(&cluster, order->host, order->tell);
    const struct pebble_nodes nodes = {
        .command = cluster.command, .count = 1, .beat = 50 * MILLISECOND, .lost_after = 500 * MILLISECOND};
    pebble_pool *pool;
    pebble_future *future;
    tell(order, getpid());
    must(pebble_node_pool_new(&(struct pebble_pool_config){.max_workers = 1}, &nodes, &pool) == 0);
    must(pebble_pool_schedule(pool, job_hang, order, sizeof *order, NULL, &future) == 0);
    pause();
    return 0;
}

/* `signal` for the host of an agent: the agent and its worker end. */
static void end_with(int signal, int method)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(method, 1);
    pebble_future *future = schedule_order(pool, job_be_host, order_in(&scene, 0));
    pid_t host = (pid_t)hear(&scene);
    int agent = watch_process((pid_t)hear(&scene)), worker = watch_process((pid_t)hear(&scene));
    ck_assert_int_eq(kill(host, signal), 0);
    expect_dead(agent);
    expect_dead(worker);
    pebble_future_cancel(future);
    pebble_future_unref(future);
    close_pool(pool);
    scene_close(&scene);
}

START_TEST(agents_end_with_their_host)
{
    end_with(SIGKILL, _i);
}
END_TEST

START_TEST(agents_that_hear_nothing_end)
{
    end_with(SIGSTOP, _i);
}
END_TEST

/* --- what is no agent --- */

START_TEST(a_command_that_cannot_be_executed_is_reported)
{
    const char *const command[] = {"/nowhere/at/all", NULL};
    const struct pebble_nodes nodes = {.command = command, .count = 1};
    pebble_pool *pool;
    ck_assert_int_eq(pebble_node_pool_new(NULL, &nodes, &pool), 0);
    pebble_future *future = schedule(pool, job_nothing);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_NOT_RUN);
    ck_assert_int_eq(outcome->cause, PEBBLE_CAUSE_NODE);
    ck_assert_int_eq(outcome->error, ENOENT);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(a_command_that_ends_is_reported)
{
    struct pebble_outcome outcome = outcome_with("exit 3", 0);
    ck_assert_int_eq(outcome.status, PEBBLE_NOT_RUN);
    ck_assert_int_eq(outcome.cause, PEBBLE_CAUSE_NODE);
    ck_assert_int_eq(outcome.error, 0);
}
END_TEST

START_TEST(a_command_that_says_nothing_is_reported)
{
    struct pebble_outcome outcome = outcome_with("exec sleep 1000", 100 * MILLISECOND);
    ck_assert_int_eq(outcome.cause, PEBBLE_CAUSE_NODE);
    ck_assert_int_eq(outcome.error, ETIMEDOUT);
}
END_TEST

START_TEST(a_command_that_says_something_else_is_reported)
{
    struct pebble_outcome outcome =
        outcome_with("printf '\\n\\001pebble-agent\\002\\nHTTP/1.1 400 Bad Request'; exec sleep 1000", 0);
    ck_assert_int_eq(outcome.cause, PEBBLE_CAUSE_NODE);
    ck_assert_int_eq(outcome.error, 0);
}
END_TEST

START_TEST(a_greeting_of_the_shell_is_passed_over)
{
    const char *const command[] = {"sh", "-c", "echo Welcome to %n; exec \"$0\" \"$@\"", NULL};
    const struct pebble_nodes nodes = {.command = command, .count = 1};
    pebble_pool *pool;
    ck_assert_int_eq(pebble_node_pool_new(NULL, &nodes, &pool), 0);
    pebble_future *future = schedule(pool, job_nothing);
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    ck_assert_str_eq(expect(future, PEBBLE_SUCCESS)->node, host);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

/* The program with another build-id, in a file. */
static void write_other_program(const char *path)
{
    struct pb_image_id id;
    pb_image_program(&id);
    FILE *from = fopen("/proc/self/exe", "rb"), *to = fopen(path, "wb");
    fseek(from, 0, SEEK_END);
    size_t size = (size_t)ftell(from);
    char *bytes = malloc(size);
    rewind(from);
    ck_assert_uint_eq(fread(bytes, 1, size, from), size);
    char *place = memmem(bytes, size, id.bytes, sizeof id.bytes);
    ck_assert_ptr_nonnull(place);
    place[0] ^= 1;
    ck_assert_uint_eq(fwrite(bytes, 1, size, to), size);
    free(bytes);
    fclose(from);
    fclose(to);
    chmod(path, 0700);
}

START_TEST(another_build_of_the_program_is_refused)
{
    char path[] = "/tmp/pebble-other-XXXXXX";
    close(mkstemp(path));
    write_other_program(path);
    const char *const command[] = {"env", NULL};
    const struct pebble_nodes nodes = {.command = command, .count = 1, .program = path};
    pebble_pool *pool;
    ck_assert_int_eq(pebble_node_pool_new(NULL, &nodes, &pool), 0);
    pebble_future *future = schedule(pool, job_nothing);
    ck_assert_int_eq(expect(future, PEBBLE_NOT_RUN)->cause, PEBBLE_CAUSE_OTHER_PROGRAM);
    pebble_future_unref(future);
    close_pool(pool);
    unlink(path);
}
END_TEST

START_TEST(arguments_are_checked)
{
    const char *const command[] = {"env", NULL}, *const none[] = {NULL};
    const struct pebble_nodes wrong[] = {
        {.command = command, .count = 0},
        {.command = command, .count = 65537},
        {.command = none, .count = 1},
        {.command = command, .count = 1, .beat = -1},
        {.command = command, .count = 1, .lost_after = 1 * SECOND},
        {.command = command, .count = 1, .join_timeout = -1},
    };
    pebble_pool *pool;
    for (size_t i = 0; i < PB_COUNT(wrong); i++)
        ck_assert_int_eq(pebble_node_pool_new(NULL, &wrong[i], &pool), -EINVAL);
    const struct pebble_nodes right = {.command = command, .count = 1};
    ck_assert_int_eq(pebble_node_pool_new(&(struct pebble_pool_config){.grace = -1}, &right, &pool), -EINVAL);
    ck_assert_int_eq(pebble_node_pool_new(NULL, &right, &pool), 0);
    ck_assert_int_eq(pebble_pool_resize(pool, 2), -ENOTSUP);
    close_pool(pool);
}
END_TEST

Suite *nodes_suite(void)
{
    Suite *suite = suite_create("nodes");
    TCase *jobs = group(suite, "jobs", 60);
    both(jobs, jobs_run_on_nodes);
    both(jobs, two_nodes_share_the_work);
    tcase_add_test(jobs, many_jobs_give_each_its_own_value);
    tcase_add_test(jobs, an_error_keeps_its_code_and_its_bytes);
    tcase_add_test(jobs, large_data_makes_the_round_trip);
    both(jobs, what_a_job_prints_and_reads_is_no_frame);
    both(jobs, a_crash_explains_itself);
    both(jobs, a_job_over_its_timeout_is_killed_there);
    tcase_add_test(jobs, a_deadline_counts_the_waiting_here);
    both(jobs, a_running_job_can_be_cancelled);
    tcase_add_test(jobs, a_waiting_job_that_is_cancelled_never_runs);
    tcase_add_test(jobs, what_workers_write_is_captured);
    tcase_add_test(jobs, a_node_is_held_up_while_its_lines_are_not_taken_in_and_loses_none);
    tcase_add_test(jobs, updates_come_in_order_before_the_outcome);
    tcase_add_test(jobs, workers_of_nodes_are_set_up);
    tcase_add_test(jobs, jobs_are_told_what_a_failing_initializer_said);
    tcase_add_test(jobs, a_map_runs_on_nodes);
    TCase *ends = group(suite, "ends", 60);
    both(ends, a_closed_pool_leaves_no_agent);
    both(ends, a_stopped_pool_ends_its_jobs_there);
    tcase_add_test(ends, a_pool_that_is_closed_waits_for_no_node_that_has_not_come);
    tcase_add_test(ends, a_pool_without_work_starts_no_node);
    TCase *losses = group(suite, "losses", 60);
    both(losses, jobs_of_a_killed_agent_are_lost_and_others_go_elsewhere);
    tcase_add_test(losses, the_pool_goes_on_with_the_nodes_that_are_left);
    tcase_add_test(losses, a_lost_job_with_retries_runs_again);
    tcase_add_test(losses, a_silent_agent_is_lost);
    tcase_add_test(losses, a_quiet_agent_is_not);
    tcase_add_test(losses, a_link_that_is_cut_costs_what_runs_there);
    tcase_add_test(losses, a_node_that_can_be_reached_later_joins);
    tcase_add_test(losses, statistics_are_of_nodes_that_there_are);
    both(losses, agents_end_with_their_host);
    both(losses, agents_that_hear_nothing_end);
    TCase *none = group(suite, "none", 60);
    tcase_add_test(none, a_command_that_ends_is_reported);
    tcase_add_test(none, a_command_that_says_nothing_is_reported);
    tcase_add_test(none, a_command_that_says_something_else_is_reported);
    tcase_add_test(none, a_greeting_of_the_shell_is_passed_over);
    tcase_add_test(none, another_build_of_the_program_is_refused);
    tcase_add_test(none, arguments_are_checked);
    TCase *failed = group_without(suite, "not-valgrind", "none that can be executed", 60);
    tcase_add_test(failed, a_command_that_cannot_be_executed_is_reported);
    return suite;
}
