/* SPDX-License-Identifier: Apache-2.0
 *
 * What one operation of the timing wheel costs with n timers outstanding, the
 * median of a few rounds, in JSON lines. Deadlines are random, 1 min to 61 min away.
 *
 *   insert       arm each
 *   churn        disarm and arm again, in random order: the life of a task's limit
 *   cancel       disarm each, in random order
 *   expire       one advance past all of them, and take them out
 *   expire_next  advance to pb_wheel_next again and again, as an idle loop would
 *
 * usage: wheel [N] */
#include "wheel.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum row { INSERT, CHURN, CANCEL, EXPIRE, EXPIRE_NEXT, ROWS };
static const char *const names[ROWS] = {"insert", "churn", "cancel", "expire", "expire_next"};

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define MAX_ROUNDS 201

struct bench {
    size_t n;
    struct pb_timer *timers;
    int64_t *deadlines;
    size_t *order; /* a random permutation */
    struct pb_wheel wheel;
};

static int64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static uint64_t random_next(void)
{
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) abort();
    return memory;
}

static void shuffle(struct bench *bench)
{
    for (size_t i = 0; i < bench->n; i++) {
        size_t j = random_next() % (i + 1);
        bench->order[i] = bench->order[j];
        bench->order[j] = i;
        bench->deadlines[i] = bench->wheel.now + MINUTE + (int64_t)(random_next() % (60 * MINUTE));
    }
}

static void insert(struct bench *bench)
{
    for (size_t i = 0; i < bench->n; i++)
        pb_wheel_arm(&bench->wheel, &bench->timers[i], bench->deadlines[i]);
}

static void churn(struct bench *bench)
{
    for (size_t i = 0; i < bench->n; i++) {
        size_t k = bench->order[i];
        pb_wheel_disarm(&bench->wheel, &bench->timers[k]);
        pb_wheel_arm(&bench->wheel, &bench->timers[k], bench->deadlines[k]);
    }
}

static void cancel(struct bench *bench)
{
    for (size_t i = 0; i < bench->n; i++)
        pb_wheel_disarm(&bench->wheel, &bench->timers[bench->order[i]]);
}

static void advance_and_take(struct bench *bench, int64_t now)
{
    pb_wheel_advance(&bench->wheel, now);
    while (pb_wheel_expired(&bench->wheel))
        ;
}

static void expire(struct bench *bench)
{
    advance_and_take(bench, bench->wheel.now + 61 * MINUTE);
    if (pb_wheel_count(&bench->wheel)) abort();
}

static void expire_next(struct bench *bench)
{
    while (pb_wheel_count(&bench->wheel))
        advance_and_take(bench, pb_wheel_next(&bench->wheel));
}

static double timed(void (*operation)(struct bench *), struct bench *bench)
{
    int64_t start = clock_now();
    operation(bench);
    return (double)(clock_now() - start) / (double)bench->n;
}

static void run_round(struct bench *bench, double ret_ns[ROWS])
{
    pb_wheel_init(&bench->wheel, clock_now());
    shuffle(bench);
    ret_ns[INSERT] = timed(insert, bench);
    ret_ns[CHURN] = timed(churn, bench);
    ret_ns[CANCEL] = timed(cancel, bench);
    insert(bench);
    ret_ns[EXPIRE] = timed(expire, bench);
    shuffle(bench);
    insert(bench);
    ret_ns[EXPIRE_NEXT] = timed(expire_next, bench);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(size_t n, double ns[][ROWS], size_t rounds)
{
    for (int row = 0; row < ROWS; row++) {
        double column[MAX_ROUNDS];
        for (size_t i = 0; i < rounds; i++)
            column[i] = ns[i][row];
        qsort(column, rounds, sizeof(*column), compare);
        printf("{\"metric\": \"%s\", \"x\": %zu, \"value\": %.2f, \"unit\": \"ns\"}\n", names[row], n,
               column[rounds / 2]);
    }
    fflush(stdout);
}

static void run(size_t n)
{
    static double ns[MAX_ROUNDS][ROWS];
    static struct bench bench;
    size_t rounds = n < 10000 ? MAX_ROUNDS : 7;
    bench.n = n;
    bench.timers = allocate(n, sizeof(*bench.timers));
    bench.deadlines = allocate(n, sizeof(*bench.deadlines));
    bench.order = allocate(n, sizeof(*bench.order));
    run_round(&bench, ns[0]); /* page faults are not what is measured */
    for (size_t i = 0; i < rounds; i++)
        run_round(&bench, ns[i]);
    report(n, ns, rounds);
    free(bench.timers);
    free(bench.deadlines);
    free(bench.order);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        run((size_t)atol(argv[1]));
        return 0;
    }
    run(1000);
    run(100000);
    run(1000000);
    return 0;
}
