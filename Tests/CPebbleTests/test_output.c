/* SPDX-License-Identifier: Apache-2.0
 * What workers write, where it is captured. */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what is heard --- */

#define KEPT 64

static struct {
    pthread_mutex_t lock;
    size_t count, bytes;
    struct heard {
        int stream, pid;
        char job[16], text[256]; /* the first bytes */
        size_t length;
        bool partial;
    } lines[KEPT]; /* the first ones */
} heard = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void listen(const struct pebble_output_line *line, void *arg)
{
    (void)arg;
    pthread_mutex_lock(&heard.lock);
    if (heard.count < KEPT) {
        struct heard *kept = &heard.lines[heard.count];
        *kept = (struct heard){
            .stream = line->stream, .pid = line->pid, .length = line->length, .partial = line->partial};
        snprintf(kept->job, sizeof kept->job, "%s", line->job);
        memcpy(kept->text, line->text, line->length < 255 ? line->length : 255);
        must(line->text[line->length] == '\0');
    }
    heard.count++;
    heard.bytes += line->length + !line->partial;
    pthread_mutex_unlock(&heard.lock);
}

static void expect_line(size_t number, int stream, const char *job, const char *text, bool partial)
{
    ck_assert_uint_gt(heard.count, number);
    const struct heard *line = &heard.lines[number];
    ck_assert_int_eq(line->stream, stream);
    ck_assert_str_eq(line->job, job);
    ck_assert_str_eq(line->text, text);
    ck_assert_uint_eq(line->length, strlen(text));
    ck_assert_int_eq(line->partial, partial);
}

static struct pebble_pool_config capturing(int method, unsigned workers)
{
    return (struct pebble_pool_config){.max_workers = workers,
                                       .start_method = (enum pebble_start_method)method,
                                       .stdout_to = PEBBLE_CAPTURE,
                                       .stderr_to = PEBBLE_CAPTURE,
                                       .on_output = listen};
}

static pebble_pool *listened(int method, unsigned workers)
{
    struct pebble_pool_config config = capturing(method, workers);
    return pool_of(&config);
}

static pebble_future *schedule_named(pebble_pool *pool, pebble_function function, const char *name, const char *input)
{
    pebble_future *future;
    struct pebble_job_options options = {.name = name};
    ck_assert_int_eq(pebble_pool_schedule(pool, function, input, strlen(input) + 1, &options, &future), 0);
    return future;
}

static void write_all(int fd, const void *bytes, size_t length)
{
    for (const char *next = bytes; length;) {
        ssize_t n = write(fd, next, length);
        if (n < 0) _exit(94);
        next += n;
        length -= (size_t)n;
    }
}

/* --- lines --- */

static const char *text_of(pebble_call *call)
{
    size_t length;
    return pebble_call_input(call, &length);
}

static int job_say(pebble_call *call)
{
    fputs(text_of(call), stdout);
    return reply_number(call, getpid());
}

static int job_complain(pebble_call *call)
{
    fputs(text_of(call), stderr);
    return 0;
}

START_TEST(lines_of_both_streams_come_with_stream_pid_and_job)
{
    pebble_pool *pool = listened(_i, 1);
    int64_t pid = number_from(schedule_named(pool, job_say, "talk", "one\ntwo\n"));
    expect_and_drop(schedule_named(pool, job_complain, "moan", "three\n"), PEBBLE_SUCCESS);
    close_pool(pool);
    ck_assert_uint_eq(heard.count, 3);
    expect_line(0, 1, "talk", "one", false);
    expect_line(1, 1, "talk", "two", false);
    expect_line(2, 2, "moan", "three", false);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(heard.lines[i].pid, pid);
}
END_TEST

START_TEST(what_a_job_leaves_unfinished_ends_with_it)
{
    pebble_pool *pool = listened(_i, 1);
    expect_and_drop(schedule_named(pool, job_say, "a", "first\nhalf"), PEBBLE_SUCCESS);
    expect_and_drop(schedule_named(pool, job_say, "b", " a line\n"), PEBBLE_SUCCESS);
    expect_and_drop(schedule(pool, job_nothing), PEBBLE_SUCCESS);
    close_pool(pool);
    ck_assert_uint_eq(heard.count, 3);
    expect_line(0, 1, "a", "first", false);
    expect_line(1, 1, "a", "half", true);
    expect_line(2, 1, "b", " a line", false);
}
END_TEST

static int job_write_long(pebble_call *call)
{
    (void)call;
    char *bytes = malloc(150000);
    memset(bytes, 'l', 150000);
    write_all(STDOUT_FILENO, bytes, 150000);
    write_all(STDOUT_FILENO, "\nshort\n", 7);
    free(bytes);
    return 0;
}

START_TEST(a_long_line_comes_in_pieces)
{
    pebble_pool *pool = listened(_i, 1);
    expect_and_drop(schedule(pool, job_write_long), PEBBLE_SUCCESS);
    close_pool(pool);
    ck_assert_uint_eq(heard.count, 4);
    const size_t lengths[] = {65536, 65536, 150000 - 2 * 65536};
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(heard.lines[i].length, lengths[i]);
        ck_assert_int_eq(heard.lines[i].partial, i < 2);
    }
    expect_line(3, 1, "", "short", false);
}
END_TEST

static int job_write_bytes(pebble_call *call)
{
    char bytes[257];
    (void)call;
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)(i == '\n' ? 0 : i);
    bytes[256] = '\n';
    write_all(STDERR_FILENO, bytes, sizeof bytes);
    return 0;
}

START_TEST(a_line_may_have_any_bytes)
{
    pebble_pool *pool = listened(_i, 1);
    expect_and_drop(schedule(pool, job_write_bytes), PEBBLE_SUCCESS);
    close_pool(pool);
    ck_assert_uint_eq(heard.count, 1);
    ck_assert_uint_eq(heard.lines[0].length, 256);
    for (int i = 0; i < 255; i++)
        ck_assert_int_eq((unsigned char)heard.lines[0].text[i], i == '\n' ? 0 : i);
}
END_TEST

#define COUNTED 3000

static int job_write_in_bits(pebble_call *call)
{
    char line[64];
    for (int i = 0; i < COUNTED; i++) {
        int length = snprintf(line, sizeof line, "%d says %d, and no more\n", (int)getpid(), i);
        write_all(STDOUT_FILENO, line, 7);
        write_all(STDOUT_FILENO, line + 7, (size_t)length - 7);
    }
    return reply_number(call, getpid());
}

static struct {
    int pid, next; /* of one or both jobs: the second worker may be up too late for one */
} speakers[2];

static void count_up(const struct pebble_output_line *line, void *arg)
{
    (void)arg;
    int speaker = speakers[0].pid && speakers[0].pid != line->pid;
    char wanted[64];
    if (!speakers[speaker].pid) speakers[speaker].pid = line->pid;
    snprintf(wanted, sizeof wanted, "%d says %d, and no more", line->pid, speakers[speaker].next++ % COUNTED);
    must(!line->partial && strcmp(line->text, wanted) == 0);
}

START_TEST(lines_of_two_workers_stay_whole_and_in_order)
{
    struct pebble_pool_config config = capturing(_i, 2);
    config.on_output = count_up;
    pebble_pool *pool = pool_of(&config);
    pebble_future *one = schedule(pool, job_write_in_bits), *other = schedule(pool, job_write_in_bits);
    number_from(one);
    number_from(other);
    close_pool(pool);
    ck_assert_int_eq(speakers[0].next + speakers[1].next, 2 * COUNTED);
}
END_TEST

static int set_up_loudly(pebble_call *call)
{
    (void)call;
    puts("set up");
    return 0;
}

START_TEST(an_initializer_is_heard_between_jobs)
{
    struct pebble_pool_config config = capturing(_i, 1);
    config.initializer.function = set_up_loudly;
    pebble_pool *pool = pool_of(&config);
    number_from(schedule_named(pool, job_say, "talk", "now\n"));
    close_pool(pool);
    expect_line(0, 1, "", "set up", false);
    expect_line(1, 1, "talk", "now", false);
}
END_TEST

START_TEST(one_stream_can_be_captured_alone)
{
    struct pebble_pool_config config = capturing(_i, 1);
    config.stdout_to = PEBBLE_DISCARD;
    pebble_pool *pool = pool_of(&config);
    number_from(schedule_named(pool, job_say, "talk", "lost\n"));
    expect_and_drop(schedule_named(pool, job_complain, "moan", "heard\n"), PEBBLE_SUCCESS);
    close_pool(pool);
    ck_assert_uint_eq(heard.count, 1);
    expect_line(0, 2, "moan", "heard", false);
}
END_TEST

/* --- tails --- */

static int job_complain_and_crash(pebble_call *call)
{
    fputs(text_of(call), stderr);
    raise(SIGKILL);
    return 0;
}

static int job_complain_and_hang(pebble_call *call)
{
    fputs(text_of(call), stderr);
    return job_hang(call);
}

START_TEST(a_crash_has_the_tail_of_its_own_stderr)
{
    struct pebble_pool_config config = capturing(_i, 1);
    config.on_output = NULL;
    pebble_pool *pool = pool_of(&config);
    expect_and_drop(schedule_named(pool, job_complain, "", "of another job\n"), PEBBLE_SUCCESS);
    pebble_future *future = schedule_named(pool, job_complain_and_crash, "", "last words\nwithout an end");
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_ptr_nonnull(outcome->output_tail);
    ck_assert_str_eq(outcome->output_tail, "last words\nwithout an end");
    ck_assert_uint_eq(outcome->output_tail_length, strlen(outcome->output_tail));
    close_pool(pool);
    pebble_future_unref(future); /* to which it belongs */
}
END_TEST

START_TEST(a_timeout_has_the_tail_too)
{
    pebble_pool *pool = listened(_i, 1);
    pebble_future *future;
    struct pebble_job_options options = {.timeout = SECOND, .name = "slow"};
    ck_assert_int_eq(pebble_pool_schedule(pool, job_complain_and_hang, "stuck\n", 7, &options, &future), 0);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_TIMEOUT);
    ck_assert_ptr_nonnull(outcome->output_tail);
    ck_assert_str_eq(outcome->output_tail, "stuck\n");
    pebble_future_unref(future);
    close_pool(pool);
    expect_line(0, 2, "slow", "stuck", false);
}
END_TEST

static int fail_loudly(pebble_call *call)
{
    (void)call;
    fputs("no table\n", stderr);
    return 4;
}

static int die_loudly(pebble_call *call)
{
    fail_loudly(call);
    raise(SIGKILL);
    return 0;
}

START_TEST(a_failed_initializer_is_heard_in_the_outcomes_of_the_jobs)
{
    static const pebble_function initializers[] = {fail_loudly, die_loudly};
    for (size_t n = 0; n < PB_COUNT(initializers); n++) {
        struct pebble_pool_config config = capturing(_i, 1);
        config.initializer.function = initializers[n];
        pebble_pool *pool = pool_of(&config);
        pebble_future *jobs[] = {schedule(pool, job_nothing), schedule(pool, job_nothing)};
        for (size_t k = 0; k < PB_COUNT(jobs); k++) {
            const struct pebble_outcome *outcome = expect(jobs[k], PEBBLE_NOT_RUN);
            ck_assert_ptr_nonnull(outcome->output_tail);
            ck_assert_str_eq(outcome->output_tail, "no table\n");
            ck_assert_uint_eq(outcome->output_tail_length, strlen("no table\n"));
            pebble_future_unref(jobs[k]);
        }
        close_pool(pool);
    }
}
END_TEST

static int job_complain_at_length(pebble_call *call)
{
    (void)call;
    for (int i = 0; i < 100000; i++)
        fprintf(stderr, "%d,", i);
    raise(SIGKILL);
    return 0;
}

START_TEST(a_tail_has_the_length_that_was_asked_for)
{
    struct pebble_pool_config config = capturing(_i, 1);
    config.output_tail = 11;
    pebble_pool *pool = pool_of(&config);
    pebble_future *future = schedule(pool, job_complain_at_length);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_uint_eq(outcome->output_tail_length, 11);
    ck_assert_str_eq(outcome->output_tail, "9998,99999,");
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

START_TEST(what_is_not_captured_has_no_tail)
{
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){.start_method = (enum pebble_start_method)_i,
                                                             .stdout_to = PEBBLE_CAPTURE,
                                                             .stderr_to = PEBBLE_DISCARD});
    pebble_future *future = schedule_named(pool, job_complain_and_crash, "", "words");
    ck_assert_ptr_null(expect(future, PEBBLE_EXPIRED)->output_tail);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

/* --- around it --- */

static int job_count_pipes(pebble_call *call)
{
    int pipes = 0;
    for (int fd = 0; fd < 1000; fd++) {
        struct stat status;
        pipes += fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
    }
    return reply_number(call, pipes);
}

START_TEST(a_worker_has_no_pipes_but_its_own_and_nothing_stays_open)
{
    struct scene scene;
    pebble_future *jobs[3];
    expect_and_drop(schedule(pool_with(_i, 1), job_nothing), PEBBLE_SUCCESS); /* there is a server now */
    scene_open(&scene);
    int descriptors = count_descriptors(), threads = count_threads();
    pebble_pool *pool = listened(_i, 4);
    for (int i = 0; i < 3; i++)
        jobs[i] = schedule_order(pool, job_meet, order_in(&scene, 0));
    for (int i = 0; i < 3; i++)
        hear(&scene);
    ck_assert_int_eq(run(pool, job_count_pipes), 2);
    for (int i = 0; i < 3; i++)
        let_go(&scene, 0);
    for (int i = 0; i < 3; i++)
        number_from(jobs[i]);
    expect_and_drop(schedule_named(pool, job_complain_and_crash, "", "words"), PEBBLE_EXPIRED);
    close_pool(pool);
    while (count_threads() > threads) /* the last to end closes what is left */
        sched_yield();
    ck_assert_int_le(count_descriptors(), descriptors);
}
END_TEST

static int job_leave_a_child(pebble_call *call)
{
    (void)call;
    if (fork() == 0) {
        setsid();
        for (;;)
            pause();
    }
    puts("left");
    return 0;
}

START_TEST(a_child_that_keeps_the_pipes_changes_nothing)
{
    pebble_pool *pool = listened(_i, 1);
    expect_and_drop(schedule(pool, job_leave_a_child), PEBBLE_SUCCESS);
    expect_and_drop(schedule_named(pool, job_complain_and_crash, "", "words\n"), PEBBLE_EXPIRED);
    number_from(schedule_named(pool, job_say, "", "said\n"));
    close_pool(pool);
    ck_assert_uint_eq(heard.count, 3);
}
END_TEST

START_TEST(what_cannot_be_captured_is_refused)
{
    pebble_pool *pool;
    struct pebble_pool_config config = {.stdout_to = (enum pebble_output)(PEBBLE_CAPTURE + 1)};
    ck_assert_int_eq(pebble_pool_new(&config, &pool), -EINVAL);
    config = (struct pebble_pool_config){.stderr_to = PEBBLE_CAPTURE, .output_tail = ((size_t)16 << 20) + 1};
    ck_assert_int_eq(pebble_pool_new(&config, &pool), -EINVAL);
}
END_TEST

Suite *output_suite(void)
{
    Suite *suite = suite_create("output");
    TCase *tests = group(suite, "output", 60);
    both(tests, lines_of_both_streams_come_with_stream_pid_and_job);
    both(tests, what_a_job_leaves_unfinished_ends_with_it);
    both(tests, a_long_line_comes_in_pieces);
    both(tests, a_line_may_have_any_bytes);
    both(tests, lines_of_two_workers_stay_whole_and_in_order);
    both(tests, an_initializer_is_heard_between_jobs);
    both(tests, one_stream_can_be_captured_alone);
    both(tests, a_crash_has_the_tail_of_its_own_stderr);
    both(tests, a_failed_initializer_is_heard_in_the_outcomes_of_the_jobs);
    both(tests, a_timeout_has_the_tail_too);
    both(tests, a_tail_has_the_length_that_was_asked_for);
    both(tests, what_is_not_captured_has_no_tail);
    both(tests, a_worker_has_no_pipes_but_its_own_and_nothing_stays_open);
    both(tests, a_child_that_keeps_the_pipes_changes_nothing);
    tcase_add_test(tests, what_cannot_be_captured_is_refused);
    return suite;
}
