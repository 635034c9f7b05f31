/* SPDX-License-Identifier: Apache-2.0
 *
 * loop: one poll(2) for everything that a program with Pebble may wait for:
 * lines that another thread puts into a queue, jobs, and signals.
 *
 * Each line is a number, and each number a job: how many steps it takes to 1,
 * when n becomes n / 2 if it is even, and 3 n + 1 if not. For 0 that is for
 * ever, which costs its worker, and nothing else. SIGINT and SIGTERM cancel
 * what is left.
 *
 *   cc -o loop loop.c $(pkg-config --cflags --libs cpebble)
 *   printf '27\n0\nten\n' | ./loop */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <pebble.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOBS 8 /* at once: what comes meanwhile waits in the queue */
#define LIMIT INT64_C(2000000000) /* ns that a job may run */

static _Noreturn void give_up(const char *what, int error)
{
    fprintf(stderr, "loop: %s: %s\n", what, strerror(-error));
    exit(EXIT_FAILURE);
}

/* A call of the library, which must not fail. */
static int must(const char *what, int rc)
{
    if (rc < 0) give_up(what, rc);
    return rc;
}

/* ---- The job: runs in a worker ---- */

static int count_steps(pebble_call *call)
{
    size_t length;
    const char *text = pebble_call_input(call, &length);
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (end == text || *end) return pebble_call_write(call, "not a number", 12) < 0 ? ENOMEM : EINVAL;
    unsigned long steps = 0;
    for (; n != 1; steps++)
        n = n % 2 ? 3 * n + 1 : n / 2;
    return pebble_call_write(call, &steps, sizeof steps);
}

/* ---- The thread that reads ---- */

static void *read_lines(void *queue)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (pebble_queue_put(queue, line, PEBBLE_FOREVER) < 0) break;
        line = NULL; /* who gets it frees it */
    }
    free(line);
    pebble_queue_close(queue);
    pebble_queue_unref(queue);
    return NULL;
}

static void start_reading(pebble_queue *queue)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, read_lines, pebble_queue_ref(queue));
    if (error) give_up("thread", -error);
    pthread_detach(thread);
}

/* ---- The loop ---- */

struct job {
    pebble_future *future; /* NULL: none */
    char *line;
};

static void begin(pebble_pool *pool, struct job *job, char *line)
{
    const struct pebble_job_options options = {.timeout = LIMIT, .name = line};
    job->line = line;
    must("schedule", pebble_pool_schedule(pool, count_steps, line, strlen(line) + 1, &options, &job->future));
}

static void report(struct job *job)
{
    const struct pebble_outcome *outcome = pebble_future_outcome(job->future);
    char text[256];
    unsigned long steps;
    if (outcome->status == PEBBLE_SUCCESS) {
        memcpy(&steps, outcome->data, sizeof steps);
        printf("%s: %lu steps\n", job->line, steps);
    } else if (outcome->status == PEBBLE_FAILURE) {
        printf("%s: %.*s\n", job->line, (int)outcome->length, (const char *)outcome->data);
    } else {
        pebble_outcome_describe(outcome, text, sizeof text);
        printf("%s: %s\n", job->line, text);
    }
    pebble_future_unref(job->future);
    free(job->line);
    *job = (struct job){0};
}

/* Begins a job for each line that is there, as long as there is room. False: there will be no more. */
static bool take_lines(pebble_pool *pool, pebble_queue *lines, struct job jobs[])
{
    void *line;
    for (int i = 0; i < JOBS; i++) {
        if (jobs[i].future) continue;
        int rc = pebble_queue_get(lines, 0, &line);
        if (rc < 0) return rc != -EPIPE;
        begin(pool, &jobs[i], line);
    }
    return true;
}

static void run(pebble_pool *pool, pebble_queue *lines, pebble_signal_handler *signals)
{
    struct job jobs[JOBS] = {{0}};
    struct pollfd polled[JOBS + 2];
    bool more = true;
    for (;;) {
        int busy = 0;
        for (int i = 0; i < JOBS; i++) {
            int fd = jobs[i].future ? must("descriptor", pebble_future_fd(jobs[i].future)) : -1;
            polled[i] = (struct pollfd){.fd = fd, .events = POLLIN};
            busy += fd >= 0;
        }
        if (!more && busy == 0) return;
        int lines_fd = more && busy < JOBS ? must("descriptor", pebble_queue_fd(lines)) : -1;
        polled[JOBS] = (struct pollfd){.fd = lines_fd, .events = POLLIN};
        polled[JOBS + 1] = (struct pollfd){.fd = pebble_signal_fd(signals), .events = POLLIN};
        if (poll(polled, JOBS + 2, -1) < 0 && errno != EINTR) give_up("poll", -errno);

        for (int signal; pebble_signal_read(signals, &signal) == 0; more = false)
            for (int i = 0; i < JOBS; i++)
                if (jobs[i].future) pebble_future_cancel(jobs[i].future);
        for (int i = 0; i < JOBS; i++)
            if (jobs[i].future && pebble_future_outcome(jobs[i].future)) report(&jobs[i]);
        if (more) more = take_lines(pool, lines, jobs);
    }
}

int main(void)
{
    pebble_pool *pool;
    pebble_queue *lines;
    pebble_signal_handler *signals;
    must("pool", pebble_pool_new(&(struct pebble_pool_config){.name = "steps"}, &pool));
    must("queue", pebble_queue_new(JOBS, free, &lines));
    must("signals", pebble_signal_open((const int[]){SIGINT, SIGTERM}, 2, &signals));
    start_reading(lines);
    run(pool, lines, signals);

    pebble_signal_forget(signals);
    pebble_queue_close(lines);
    pebble_queue_unref(lines);
    pebble_pool_close(pool);
    must("join", pebble_pool_join(pool, PEBBLE_FOREVER));
    pebble_pool_unref(pool);
    return EXIT_SUCCESS;
}
