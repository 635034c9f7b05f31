/* SPDX-License-Identifier: Apache-2.0
 * Accounting under fire: threads schedule jobs of every kind in several pools,
 * with random limits, sizes and cancels, while workers and the fork server are
 * killed and pools are stopped under way. At the end every job must have had
 * one outcome that agrees with what the workers noted, and nothing may be left.
 *
 *   soak [--seconds N] [--seed N]
 *
 * What each thread schedules follows from the seed alone; what is killed when
 * depends on the machine as well. */
#define _GNU_SOURCE
#include "jobs.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POOLS 3
#define THREADS 6
#define WINDOW 48
#define LARGE (3U << 20)
#define MILLISECOND INT64_C(1000000)

static struct {
    int64_t until;
    uint64_t seed;
    pthread_mutex_t lock; /* of the pools */
    pebble_pool *pools[POOLS];
    uint64_t started, expired, killed; /* of pools that are gone */
    atomic_uint next_job;
    atomic_ulong outcomes[6], refused, callbacks, kills, server_kills, stops;
    atomic_bool over, failed;
} soak = {.lock = PTHREAD_MUTEX_INITIALIZER, .next_job = 1};

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static uint64_t roll(uint64_t *state) /* xorshift */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void wrong(uint32_t job, const char *kind, const struct pebble_outcome *outcome, const char *what)
{
    char text[200];
    pebble_outcome_describe(outcome, text, sizeof text);
    fprintf(stderr, "soak: job %" PRIu32 " (%s): %s; it began %d times; outcome: %s\n", job, kind, what,
            board->runs[job], text);
    atomic_store(&soak.failed, true);
}

/* --- pools --- */

static pebble_pool *make_pool(uint64_t *state)
{
    const struct pebble_pool_config config = {
        .max_workers = 1 + (unsigned)(roll(state) % 4),
        .max_tasks = roll(state) % 3 ? 0 : 1 + roll(state) % 50,
        .start_method = roll(state) % 3 ? PEBBLE_FORK_SERVER : PEBBLE_SPAWN,
        .stdout_to = PEBBLE_DISCARD,
        .stderr_to = PEBBLE_DISCARD,
        .name = "soak",
    };
    pebble_pool *pool;
    int rc = pebble_pool_new(&config, &pool);
    if (rc == 0) return pool;
    fprintf(stderr, "soak: no pool: %s\n", strerror(-rc));
    exit(1);
}

static void finish_pool(pebble_pool *pool, bool stop)
{
    struct pebble_pool_statistics counts;
    if (stop)
        pebble_pool_stop(pool);
    else
        pebble_pool_close(pool);
    if (pebble_pool_join(pool, 120 * 1000 * MILLISECOND) < 0) {
        fprintf(stderr, "soak: a pool does not come to rest\n");
        atomic_store(&soak.failed, true);
    }
    pebble_pool_get_statistics(pool, &counts);
    soak.started += counts.started;
    soak.expired += counts.expired;
    soak.killed += counts.killed;
    pebble_pool_unref(pool);
}

/* --- jobs and what became of them --- */

struct entry {
    pebble_future *future;
    uint32_t job;
    const struct kind *kind;
    char *input;
    size_t length;
    bool limited;
};

static void check(const struct entry *entry)
{
    const struct pebble_outcome *outcome = pebble_future_outcome(entry->future);
    unsigned runs = atomic_load(&board->runs[entry->job]);
    const char *kind = entry->kind->name;
    atomic_fetch_add(&soak.outcomes[outcome->status], 1);
    if (runs > 1) wrong(entry->job, kind, outcome, "began more than once");
    if (!outcome->started && runs) wrong(entry->job, kind, outcome, "ran, and is said not to have begun");
    switch (outcome->status) {
    case PEBBLE_SUCCESS:
        if (!runs) wrong(entry->job, kind, outcome, "succeeded without running");
        if (entry->kind->endless) wrong(entry->job, kind, outcome, "cannot succeed");
        if (entry->kind == &kinds[0] &&
            (outcome->length != entry->length || memcmp(outcome->data, entry->input, entry->length) != 0))
            wrong(entry->job, kind, outcome, "came back changed");
        break;
    case PEBBLE_TIMEOUT:
        if (!entry->limited) wrong(entry->job, kind, outcome, "had no limit");
        break;
    case PEBBLE_NOT_RUN:
        if (outcome->cause != PEBBLE_CAUSE_STOPPED && outcome->cause != PEBBLE_CAUSE_START)
            wrong(entry->job, kind, outcome, "was refused for no good cause");
        break;
    default: break;
    }
}

static void finish(struct entry *entry)
{
    int rc = pebble_future_wait(entry->future, 120 * 1000 * MILLISECOND);
    if (rc < 0) {
        fprintf(stderr, "soak: job %" PRIu32 " (%s) has no outcome\n", entry->job, entry->kind->name);
        abort(); /* for a look at it */
    }
    check(entry);
    pebble_future_unref(entry->future);
    free(entry->input);
    entry->future = NULL;
}

static void count_callback(pebble_future *future, void *arg)
{
    (void)future, (void)arg;
    atomic_fetch_add(&soak.callbacks, 1);
}

static const struct kind *some_kind(uint64_t *state)
{
    unsigned sum = 0;
    for (size_t i = 0; i < kind_count; i++)
        sum += kinds[i].weight;
    unsigned at = (unsigned)(roll(state) % sum);
    const struct kind *kind = kinds;
    for (; at >= kind->weight; kind++)
        at -= kind->weight;
    return kind;
}

static size_t some_length(uint64_t *state)
{
    unsigned size = (unsigned)(roll(state) % 100);
    return sizeof(struct order) + (size < 90 ? roll(state) % 300 : size < 98 ? roll(state) % 100000 : roll(state) % LARGE);
}

/* False: the pool was stopped meanwhile. */
static bool schedule(struct entry *entry, uint64_t *state)
{
    *entry = (struct entry){.kind = some_kind(state), .length = some_length(state)};
    entry->job = atomic_fetch_add(&soak.next_job, 1);
    if (entry->job >= MAX_JOBS) return false;
    entry->input = malloc(entry->length);
    for (size_t i = 0; i < entry->length; i++)
        entry->input[i] = (char)(entry->job + i);
    const struct order order = {entry->job, (uint32_t)(roll(state) % 20000)};
    memcpy(entry->input, &order, sizeof order);
    struct pebble_job_options options = {0};
    if (entry->kind->endless || roll(state) % 10 == 0)
        options.timeout = (int64_t)(1 + roll(state) % 30) * MILLISECOND;
    if (roll(state) % 20 == 0) options.queue_timeout = (int64_t)(1 + roll(state) % 30) * MILLISECOND;
    if (roll(state) % 20 == 0) options.deadline = (int64_t)(1 + roll(state) % 60) * MILLISECOND;
    entry->limited = options.timeout || options.queue_timeout || options.deadline;
    bool called = roll(state) % 8 == 0;

    pthread_mutex_lock(&soak.lock);
    pebble_pool *pool = pebble_pool_ref(soak.pools[roll(state) % POOLS]);
    pthread_mutex_unlock(&soak.lock);
    int rc = pebble_pool_schedule(pool, entry->kind->function, entry->input, entry->length, &options, &entry->future);
    pebble_pool_unref(pool);
    if (rc == 0 && called) pebble_future_on_done(entry->future, count_callback, NULL);
    if (rc == 0) return true;
    free(entry->input);
    entry->future = NULL;
    atomic_fetch_add(&soak.refused, 1);
    if (rc != -ESHUTDOWN) {
        fprintf(stderr, "soak: scheduling: %s\n", strerror(-rc));
        atomic_store(&soak.failed, true);
    }
    return false;
}

static void *submit(void *arg)
{
    uint64_t state = soak.seed * 7919 + (uintptr_t)arg + 1;
    struct entry window[WINDOW] = {0};
    while (!atomic_load(&soak.over)) {
        struct entry *entry = &window[roll(&state) % WINDOW];
        if (entry->future) finish(entry);
        if (!schedule(entry, &state)) continue;
        struct entry *other = &window[roll(&state) % WINDOW];
        if (other->future && roll(&state) % 12 == 0) pebble_future_cancel(other->future);
    }
    for (size_t i = 0; i < WINDOW; i++)
        if (window[i].future) finish(&window[i]);
    return NULL;
}

/* --- chaos --- */

static pid_t parent_of(pid_t pid)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    pid_t parent = 0;
    if (file && fgets(line, sizeof line, file)) {
        char *end = strrchr(line, ')');
        if (end) sscanf(end + 1, " %*c %d", &parent);
    }
    if (file) fclose(file);
    return parent;
}

/* Kills by pidfd, after a look at whose child it is: the number may mean another by now. */
static bool kill_child_of(pid_t parent, pid_t pid, int signal)
{
    int pidfd = pid > 1 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (pidfd < 0) return false;
    bool ours = parent > 1 && parent_of(pid) == parent;
    bool sent = ours && syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0;
    close(pidfd);
    return sent;
}

/* The server is nobody's child that we know; its title says what it is. */
static void kill_server(pid_t server)
{
    char path[64], title[64] = "";
    int pidfd = server > 1 ? (int)syscall(SYS_pidfd_open, server, 0) : -1;
    if (pidfd < 0) return;
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)server);
    FILE *file = fopen(path, "re");
    if (file && fgets(title, sizeof title, file) && strcmp(title, "pebble: fork server") == 0 &&
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0)
        atomic_fetch_add(&soak.server_kills, 1);
    if (file) fclose(file);
    close(pidfd);
}

static void replace_pool(uint64_t *state)
{
    pebble_pool *made = make_pool(state);
    unsigned which = (unsigned)(roll(state) % POOLS);
    pthread_mutex_lock(&soak.lock);
    pebble_pool *old = soak.pools[which];
    soak.pools[which] = made;
    pthread_mutex_unlock(&soak.lock);
    atomic_fetch_add(&soak.stops, 1);
    finish_pool(old, roll(state) % 2);
}

static void *rage(void *arg)
{
    (void)arg;
    uint64_t state = soak.seed * 104729 + 99;
    while (now() < soak.until && !atomic_load(&soak.failed)) {
        nanosleep(&(struct timespec){.tv_nsec = (long)(roll(&state) % 20) * 1000000}, NULL); /* some moment */
        pid_t server = atomic_load(&board->server);
        unsigned dice = (unsigned)(roll(&state) % 100);
        pid_t victim = atomic_load(&board->workers[roll(&state) % MAX_PIDS]);
        if (dice < 80 && kill_child_of(server, victim, SIGKILL)) atomic_fetch_add(&soak.kills, 1);
        if (dice == 80) kill_server(server);
        if (dice > 95) replace_pool(&state);
    }
    atomic_store(&soak.over, true);
    return NULL;
}

/* --- what is left --- */

static int entries_of(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    while (directory && readdir(directory))
        count++;
    if (directory) closedir(directory);
    return count;
}

/* Of the pools that came to rest, threads may still be on their last lines: up to ten seconds for those. */
static int settled_entries_of(const char *path, int expected)
{
    int count = entries_of(path);
    for (int tries = 0; count > expected && tries < 1000; tries++) {
        nanosleep(&(struct timespec){.tv_nsec = 10 * MILLISECOND}, NULL);
        count = entries_of(path);
    }
    return count;
}

static long resident_kilobytes(void)
{
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%ld %ld", &size, &resident) != 2) resident = 0;
    if (file) fclose(file);
    return resident * sysconf(_SC_PAGESIZE) / 1024;
}

static bool report(int descriptors)
{
    static const char *const names[] = {"success", "failure", "timeout", "cancelled", "expired", "not run"};
    unsigned long sum = 0, scheduled = atomic_load(&soak.next_job) - 1 - atomic_load(&soak.refused);
    for (size_t i = 0; i < 6; i++) {
        printf("%s %lu  ", names[i], atomic_load(&soak.outcomes[i]));
        sum += atomic_load(&soak.outcomes[i]);
    }
    printf("\njobs %lu, outcomes %lu, refused %lu; workers %" PRIu64 ", expired %" PRIu64 ", killed %" PRIu64
           "; killed from outside %lu, servers killed %lu, pools replaced %lu; resident %ld kB\n",
           scheduled, sum, atomic_load(&soak.refused), soak.started, soak.expired, soak.killed,
           atomic_load(&soak.kills), atomic_load(&soak.server_kills), atomic_load(&soak.stops), resident_kilobytes());
    bool children = waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD;
    int threads = settled_entries_of("/proc/self/task", 3);             /* ., .., and this one */
    int descriptors_left = settled_entries_of("/proc/self/fd", descriptors + 2); /* the way to the server, and the server */
    if (sum != scheduled) fprintf(stderr, "soak: %lu jobs, %lu outcomes\n", scheduled, sum);
    if (children) fprintf(stderr, "soak: the host has children\n");
    if (threads > 3) fprintf(stderr, "soak: %d threads are left\n", threads - 3);
    if (descriptors_left > descriptors + 2)
        fprintf(stderr, "soak: %d descriptors before, %d after\n", descriptors, descriptors_left);
    return sum == scheduled && !children && threads <= 3 && descriptors_left <= descriptors + 2 && !atomic_load(&soak.failed);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"seconds", required_argument, NULL, 's'}, {"seed", required_argument, NULL, 'r'}, {0}};
    int64_t seconds = 10;
    soak.seed = (uint64_t)now();
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 's')
            seconds = strtoll(optarg, NULL, 10);
        else if (option == 'r')
            soak.seed = strtoull(optarg, NULL, 10);
        else
            return 2;
    }
    board_open();
    printf("soak: %" PRId64 " s, seed %" PRIu64 "\n", seconds, soak.seed);
    fflush(stdout);
    int descriptors = entries_of("/proc/self/fd");
    soak.until = now() + seconds * 1000 * MILLISECOND;
    uint64_t state = soak.seed + 1;
    for (size_t i = 0; i < POOLS; i++)
        soak.pools[i] = make_pool(&state);

    pthread_t threads[THREADS], rager;
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, submit, (void *)i);
    pthread_create(&rager, NULL, rage, NULL);
    pthread_join(rager, NULL);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < POOLS; i++)
        finish_pool(soak.pools[i], false);
    bool good = report(descriptors);
    puts(good ? "soak: nothing lost" : "soak: FAILED");
    return !good;
}
