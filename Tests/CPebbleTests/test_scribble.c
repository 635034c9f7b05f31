/* SPDX-License-Identifier: Apache-2.0
 * Workers that write what they must not into the memory that they share with
 * their host: each fails alone, and none escapes the limit of its job. */
#include "support.h"
#include "boot.h"
#include "frame.h"
#include "shared.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static _Noreturn void wait_for_the_end(void)
{
    for (;;)
        pause();
}

/* Has the host look at the memory. */
static void ring(void)
{
    const struct pb_frame bell = {.magic = PB_FRAME_MAGIC, .kind = PB_FRAME_BELL};
    if (send(PB_BOOT_CHANNEL_FD, &bell, sizeof bell, MSG_NOSIGNAL) < 0) _exit(94);
}

/* The memory that this worker shares with its host. */
static struct pb_shared *shared_memory(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    void *start = NULL;
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "memfd:pebble-link")) sscanf(line, "%p", &start);
    if (!start) _exit(95);
    fclose(maps);
    return start;
}

static int job_scribble(pebble_call *call)
{
    (void)call;
    memset((void *)shared_memory(), 0xa5, sizeof(struct pb_shared));
    ring();
    wait_for_the_end();
}

START_TEST(a_job_that_scribbles_over_the_shared_memory_fails_alone)
{
    fails_alone(_i, job_scribble);
}
END_TEST

static int job_answer_too_much(pebble_call *call)
{
    (void)call;
    struct pb_shared *shared = shared_memory();
    atomic_store(&shared->completed, atomic_load(&shared->submitted) + 1);
    ring();
    wait_for_the_end();
}

START_TEST(a_job_that_answers_what_was_not_asked_fails_alone)
{
    fails_alone(_i, job_answer_too_much);
}
END_TEST

static int job_answer_from_outside(pebble_call *call)
{
    (void)call;
    struct pb_shared *shared = shared_memory();
    uint32_t completed = atomic_load(&shared->completed);
    struct pb_slot *slot = &shared->slots[completed % PB_SLOTS];
    slot->answer = PB_ANSWER_REPLY;
    slot->output_at = UINT32_MAX;
    slot->output_length = PB_ARENA_SIZE;
    atomic_store(&shared->completed, completed + 1);
    ring();
    wait_for_the_end();
}

START_TEST(a_reply_outside_of_the_shared_memory_fails_alone)
{
    fails_alone(_i, job_answer_from_outside);
}
END_TEST

/* Random damage, with a bell for the host to look at it. */
static int job_damage(pebble_call *call)
{
    unsigned seed = (unsigned)order_of(call)->number;
    bool to_all = seed % 2, returns = seed % 3;
    unsigned count = 20 + seed % 5 * 50;
    size_t size = to_all ? offsetof(struct pb_shared, large_input) : offsetof(struct pb_shared, slots) + 4 * sizeof(struct pb_slot);
    volatile unsigned char *bytes = (unsigned char *)shared_memory();
    for (unsigned i = 0; i < count; i++)
        bytes[(size_t)rand_r(&seed) % size] = (unsigned char)rand_r(&seed);
    ring();
    if (returns) return 0;
    wait_for_the_end();
}

START_TEST(no_damage_to_the_shared_memory_reaches_the_host)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 2);
    pebble_future *steady = schedule_order(pool, job_meet, order_in(&scene, 0));
    int64_t keeper = hear(&scene);
    for (int64_t round = 0; round < 60; round++) {
        pebble_future *future = schedule_limited(pool, job_damage, (struct order){.number = round},
                                                 (struct pebble_job_options){.timeout = 50 * MILLISECOND});
        outcome_of(future); /* one there is */
        wait_gone(future);
        pebble_future_unref(future);
    }
    let_go(&scene, 0);
    ck_assert_int_eq(number_from(steady), keeper);
    stop_pool(pool);
}
END_TEST

/* --- a worker that lies about what it does must not escape the limit of its job --- */

static struct pb_slot *slot_of_this_job(void)
{
    struct pb_shared *shared = shared_memory();
    return &shared->slots[atomic_load(&shared->completed) % PB_SLOTS];
}

static int job_start_in_the_future(pebble_call *call)
{
    (void)call;
    atomic_store(&slot_of_this_job()->started, INT64_MAX);
    wait_for_the_end();
}

static int job_deny_the_start(pebble_call *call)
{
    (void)call;
    atomic_store(&slot_of_this_job()->claim, PB_CLAIM_QUEUED);
    wait_for_the_end();
}

static int job_spoil_the_claim(pebble_call *call)
{
    (void)call;
    atomic_store(&slot_of_this_job()->claim, 77);
    wait_for_the_end();
}

static const pebble_function liars[] = {job_start_in_the_future, job_deny_the_start, job_spoil_the_claim};

START_TEST(no_lie_outlasts_the_limit)
{
    pebble_pool *pool = pool_with(PEBBLE_FORK_SERVER, 1);
    expect_and_drop(schedule_limited(pool, liars[_i], (struct order){0},
                                     (struct pebble_job_options){.timeout = 50 * MILLISECOND}),
                    PEBBLE_TIMEOUT);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

START_TEST(a_worker_that_does_not_take_its_job_does_not_outlast_the_limit)
{
    pebble_pool *pool = pool_with(_i, 1);
    kill((pid_t)run(pool, job_pid), SIGSTOP);
    expect_and_drop(schedule_limited(pool, job_nothing, (struct order){0},
                                     (struct pebble_job_options){.timeout = 50 * MILLISECOND}),
                    PEBBLE_TIMEOUT);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

static int job_deny_and_die(pebble_call *call)
{
    (void)call;
    atomic_store(&slot_of_this_job()->claim, PB_CLAIM_QUEUED);
    raise(SIGKILL);
    return 0;
}

START_TEST(a_job_cannot_take_one_worker_after_the_other_with_it)
{
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){.max_workers = 1,
                                                             .spare_workers = PEBBLE_NO_SPARES,
                                                             .start_method = (enum pebble_start_method)_i});
    expect_and_drop(schedule(pool, job_deny_and_die), PEBBLE_EXPIRED);
    ck_assert_uint_le(statistics_of(pool).started, 4);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

Suite *scribble_suite(void)
{
    Suite *suite = suite_create("scribble");
    TCase *tests = group(suite, "scribble", 60);
    both(tests, a_job_that_scribbles_over_the_shared_memory_fails_alone);
    both(tests, a_job_that_answers_what_was_not_asked_fails_alone);
    both(tests, a_reply_outside_of_the_shared_memory_fails_alone);
    both(tests, no_damage_to_the_shared_memory_reaches_the_host);
    both(tests, a_worker_that_does_not_take_its_job_does_not_outlast_the_limit);
    both(tests, a_job_cannot_take_one_worker_after_the_other_with_it);
    tcase_add_loop_test(tests, no_lie_outlasts_the_limit, 0, PB_COUNT(liars));
    return suite;
}
