/* SPDX-License-Identifier: Apache-2.0
 * Accounting under fire: threads schedule jobs of every kind in several pools,
 * with random limits, sizes, retries and cancels, while workers and the fork
 * server are killed and stopped, and pools resized and replaced. Every job must
 * have one outcome that agrees with what the workers noted.
 *
 *   soak [--seconds N] [--seed N] [--epoch N]
 *
 * A run is made of epochs, a tenth of it each, and a minute at most. At the end
 * of each all jobs are over, and all pools but one gone: then is counted what the
 * host holds, which must not be more at the end than after the first.
 *
 * What each thread schedules, and what is to be done to the processes and
 * pools, follows from seed and epoch alone; so does a job's number. At which
 * moment it hits which process depends on the machine as well. */
#define _GNU_SOURCE
#include "soak.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define WINDOW 48
#define LARGE (3U << 20)
#define EPOCHS 10

struct soak soak = {.lock = PTHREAD_MUTEX_INITIALIZER};

int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

void sleep_for(int64_t ns)
{
    nanosleep(&(struct timespec){.tv_sec = (time_t)(ns / SECOND), .tv_nsec = (long)(ns % SECOND)}, NULL);
}

uint64_t roll(uint64_t *state) /* xorshift */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

uint64_t dice_of(unsigned thread)
{
    uint64_t state = soak.seed * 7919 + soak.epoch * 104729 + thread + 1;
    for (int i = 0; i < 8; i++) /* away from its likes */
        roll(&state);
    return state ? state : 1;
}

void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char text[500];
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "soak: seed %" PRIu64 ", epoch %u, at %.3f s: %s\n", soak.seed, soak.epoch,
            (double)(now() - soak.began) / 1e9, text);
    if (!atomic_exchange(&soak.failed, true)) print_events();
}

/* --- jobs and what became of them --- */

struct entry {
    pebble_future *future;
    pebble_queue *updates;
    const struct kind *kind;
    char *input;
    size_t length;
    uint32_t job;
    struct pebble_job_options options;
};

static void wrong(const struct entry *entry, const char *what)
{
    char text[200];
    pebble_outcome_describe(pebble_future_outcome(entry->future), text, sizeof text);
    complain("job %" PRIu32 " (%s, timeout %" PRId64 " ms): %s; it began %d times; outcome: %s", entry->job,
             entry->kind->name, entry->options.timeout / MILLISECOND, what, board->runs[entry->job], text);
}

static void check_success(const struct entry *entry, const struct pebble_outcome *outcome, unsigned runs)
{
    if (!runs) wrong(entry, "succeeded without running");
    if (entry->kind->endless) wrong(entry, "cannot succeed");
    if (entry->kind->echoes &&
        (outcome->length != entry->length || memcmp(outcome->data, entry->input, entry->length) != 0))
        wrong(entry, "came back changed");
    if (entry->kind->tells && runs == 1 &&
        pebble_queue_size(entry->updates) + outcome->lost_updates != how_many_updates((struct order *)entry->input))
        wrong(entry, "has not as many updates as it sent");
}

static void check(const struct entry *entry)
{
    const struct pebble_outcome *outcome = pebble_future_outcome(entry->future);
    const struct pebble_job_options *options = &entry->options;
    unsigned runs = atomic_load(&board->runs[entry->job]);
    atomic_fetch_add(&soak.outcomes[outcome->status], 1);
    if (runs > 1 + options->retries) wrong(entry, "began more often than it may");
    if (!outcome->started && runs && !options->retries) wrong(entry, "ran, and is said not to have begun");
    switch (outcome->status) {
    case PEBBLE_SUCCESS: check_success(entry, outcome, runs); break;
    case PEBBLE_TIMEOUT:
        if (!options->timeout && !options->queue_timeout && !options->deadline) wrong(entry, "had no limit");
        break;
    case PEBBLE_NOT_RUN:
        if (outcome->cause != PEBBLE_CAUSE_STOPPED && outcome->cause != PEBBLE_CAUSE_START &&
            outcome->cause != PEBBLE_CAUSE_INITIALIZER)
            wrong(entry, "was refused for no good cause");
        break;
    default: break;
    }
}

static void finish(struct entry *entry)
{
    if (pebble_future_wait(entry->future, PATIENCE) < 0) {
        complain("job %" PRIu32 " (%s) has no outcome", entry->job, entry->kind->name);
        abort(); /* for a look at it */
    }
    check(entry);
    pebble_future_unref(entry->future);
    if (entry->updates) atomic_fetch_add(&soak.updates, pebble_queue_size(entry->updates));
    pebble_queue_unref(entry->updates);
    free(entry->input);
    entry->future = NULL;
}

static void count_callback(pebble_future *future, void *arg)
{
    (void)future, (void)arg;
    atomic_fetch_add(&soak.called, 1);
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

static int64_t some_limit(uint64_t *state, bool wanted, unsigned milliseconds)
{
    int64_t limit = (int64_t)(1 + roll(state) % milliseconds) * MILLISECOND;
    return wanted ? limit : 0;
}

static void fill(struct entry *entry, uint32_t number, uint64_t *state)
{
    *entry = (struct entry){.kind = some_kind(state), .length = some_length(state), .job = number};
    entry->input = malloc(entry->length);
    for (size_t i = 0; i < entry->length; i++)
        entry->input[i] = (char)(entry->job + i);
    const struct order order = {entry->job, (uint32_t)roll(state)};
    memcpy(entry->input, &order, sizeof order);
    entry->options.timeout = some_limit(state, entry->kind->endless || roll(state) % 10 == 0, 30);
    entry->options.queue_timeout = some_limit(state, roll(state) % 20 == 0, 30);
    entry->options.deadline = some_limit(state, roll(state) % 20 == 0, 60);
    entry->options.retries = roll(state) % 15 ? 0 : 1 + (unsigned)(roll(state) % 2);
    entry->options.priority = roll(state) % 10 ? 0 : (int)(roll(state) % 32) + PEBBLE_PRIORITY_MIN;
    if (entry->kind->tells && pebble_queue_new(1 + roll(state) % 40, pebble_update_free, &entry->updates) < 0) abort();
    entry->options.updates = entry->updates;
}

static void schedule(struct entry *entry, uint32_t number, uint64_t *state)
{
    fill(entry, number, state);
    pebble_pool *pool = borrow_pool((unsigned)(roll(state) % POOLS));
    bool called = roll(state) % 8 == 0;
    int rc = pebble_pool_schedule(pool, entry->kind->function, entry->input, entry->length, &entry->options, &entry->future);
    pebble_pool_unref(pool);
    if (rc == 0) {
        atomic_fetch_add(&soak.scheduled, 1);
        if (called && pebble_future_on_done(entry->future, count_callback, NULL) == 0)
            atomic_fetch_add(&soak.to_be_called, 1);
        return;
    }
    pebble_queue_unref(entry->updates);
    free(entry->input);
    entry->future = NULL;
    atomic_fetch_add(&soak.refused, 1);
    if (rc != -ESHUTDOWN) complain("scheduling: %s", strerror(-rc)); /* the pool was replaced meanwhile */
}

static void *submit(void *arg)
{
    uint32_t thread = (uint32_t)(uintptr_t)arg, number = 1 + thread; /* 0 is that of jobs inside jobs */
    uint64_t state = dice_of(thread);
    struct entry window[WINDOW] = {0};
    for (; !atomic_load(&soak.over) && number < MAX_JOBS; number += THREADS) {
        struct entry *entry = &window[roll(&state) % WINDOW], *other = &window[roll(&state) % WINDOW];
        if (entry->future) finish(entry);
        schedule(entry, number, &state);
        if (roll(&state) % 12 == 0 && other->future) pebble_future_cancel(other->future);
    }
    for (size_t i = 0; i < WINDOW; i++)
        if (window[i].future) finish(&window[i]);
    return NULL;
}

/* --- epochs --- */

/* Of pools that came to rest, threads may still be on their last lines; of the one that lasts, workers are
 * still ended, callbacks called, and what large payloads lay in is given back after a second. */
static struct census settle(const struct census *before)
{
    struct pebble_pool_statistics counts;
    int64_t until = now() + 10 * SECOND;
    struct census census;
    do {
        sleep_for(10 * MILLISECOND);
        pebble_pool_get_statistics(soak.pools[0], &counts);
        census = take_census();
    } while ((counts.workers > counts.running + 6 || census.threads > THREADS_AT_REST ||
              atomic_load(&soak.called) < atomic_load(&soak.to_be_called) ||
              (before && !has_not_grown(before, &census))) &&
             now() < until);
    return census;
}

static struct census run_epoch(int64_t length, const struct census *before)
{
    uint64_t state = dice_of(THREADS + 1);
    board_clear();
    atomic_store(&soak.over, false);
    soak.began = now();
    soak.until = soak.began + length;
    for (size_t i = soak.pools[0] ? 1 : 0; i < POOLS; i++)
        soak.pools[i] = make_pool(&state, i == 0);

    pthread_t threads[THREADS], rager, shuffler;
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, submit, (void *)i);
    pthread_create(&rager, NULL, rage, NULL);
    pthread_create(&shuffler, NULL, shuffle, NULL);
    pthread_join(rager, NULL);
    pthread_join(shuffler, NULL);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 1; i < POOLS; i++)
        finish_pool(soak.pools[i], false);
    return settle(before);
}

static void report(void)
{
    static const char *const names[] = {"success", "failure", "timeout", "cancelled", "expired", "not run"};
    unsigned long sum = 0;
    for (size_t i = 0; i < 6; i++) {
        printf("%s %lu  ", names[i], atomic_load(&soak.outcomes[i]));
        sum += atomic_load(&soak.outcomes[i]);
    }
    printf("\nsoak: jobs %lu, outcomes %lu, refused %lu, retried %" PRIu64 ", callbacks %lu, updates %lu, lines %lu\n",
           atomic_load(&soak.scheduled), sum, atomic_load(&soak.refused), soak.retried, atomic_load(&soak.called),
           atomic_load(&soak.updates), atomic_load(&soak.lines));
    printf("soak: workers %" PRIu64 ", expired %" PRIu64 ", killed %" PRIu64 "; from outside: killed %lu, stopped %lu; "
           "servers killed %lu, stopped %lu, left stopped %lu; pools replaced %lu, resized %lu\n",
           soak.started, soak.expired, soak.killed, atomic_load(&soak.kills), atomic_load(&soak.stops),
           atomic_load(&soak.server_kills), atomic_load(&soak.server_stops), atomic_load(&soak.servers_left_stopped),
           atomic_load(&soak.replacements), atomic_load(&soak.resizes));
    if (sum != atomic_load(&soak.scheduled)) complain("%lu jobs, %lu outcomes", atomic_load(&soak.scheduled), sum);
    if (atomic_load(&soak.called) != atomic_load(&soak.to_be_called))
        complain("%lu callbacks were called, of %lu", atomic_load(&soak.called), atomic_load(&soak.to_be_called));
}

static void run(int64_t seconds, unsigned first)
{
    int64_t length = seconds * SECOND / EPOCHS;
    if (length > 60 * SECOND) length = 60 * SECOND;
    unsigned last = first + (unsigned)(seconds * SECOND / length) - 1;
    struct census early, late;
    for (soak.epoch = first; soak.epoch <= last && !atomic_load(&soak.failed); soak.epoch++) {
        late = run_epoch(length, soak.epoch == first ? NULL : &early);
        if (soak.epoch == first) early = late;
        if (length >= SECOND * 10) {
            print_census("after an epoch", &late);
            fflush(stdout);
        }
    }
    finish_pool(soak.pools[0], false);
    report();
    print_census("after the first epoch", &early);
    print_census("after the last epoch", &late);
    if (!has_not_grown(&early, &late)) complain("the host holds more than before");
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seconds", required_argument, NULL, 's'},
                                            {"seed", required_argument, NULL, 'r'},
                                            {"epoch", required_argument, NULL, 'e'},
                                            {0}};
    int64_t seconds = 10;
    unsigned first = 0;
    soak.seed = (uint64_t)now();
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 's')
            seconds = strtoll(optarg, NULL, 10);
        else if (option == 'r')
            soak.seed = strtoull(optarg, NULL, 10);
        else if (option == 'e')
            first = (unsigned)strtoul(optarg, NULL, 10);
        else
            return 2;
    }
    if (seconds < 1) return 2;
    mallopt(M_ARENA_MAX, 2); /* this and the next, so that what is held can be compared */
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    census_open();
    board_open();
    printf("soak: %" PRId64 " s, seed %" PRIu64 "\n", seconds, soak.seed);
    fflush(stdout);
    run(seconds, first);
    expect_to_be_alone();
    bool failed = atomic_load(&soak.failed);
    if (failed) fprintf(stderr, "soak: again: make soak SOAK_SECONDS=%" PRId64 " SEED=%" PRIu64 "\n", seconds, soak.seed);
    puts(failed ? "soak: FAILED" : "soak: nothing lost");
    return failed;
}
