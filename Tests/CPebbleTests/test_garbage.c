/* SPDX-License-Identifier: Apache-2.0
 * Workers that misuse their end of the link: each fails alone. */
#include "support.h"
#include "boot.h"
#include "fd.h"
#include "frame.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static void send_bytes(const void *bytes, size_t length)
{
    if (send(PB_BOOT_CHANNEL_FD, bytes, length, MSG_NOSIGNAL) < 0) _exit(94);
}

static _Noreturn void wait_for_the_end(void)
{
    for (;;)
        pause();
}

static int job_close_everything(pebble_call *call)
{
    (void)call;
    pb_close_from(0);
    wait_for_the_end();
}

START_TEST(a_job_that_closes_all_descriptors_fails_alone)
{
    fails_alone(_i, job_close_everything);
}
END_TEST

static int job_write_noise(pebble_call *call)
{
    (void)call;
    char noise[4096];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 37 + 11);
    send_bytes(noise, sizeof noise);
    wait_for_the_end();
}

START_TEST(a_job_that_writes_noise_into_its_link_fails_alone)
{
    fails_alone(_i, job_write_noise);
}
END_TEST

static int job_shut_the_link(pebble_call *call)
{
    (void)call;
    shutdown(PB_BOOT_CHANNEL_FD, SHUT_WR);
    wait_for_the_end();
}

START_TEST(a_job_that_shuts_its_link_fails_alone)
{
    fails_alone(_i, job_shut_the_link);
}
END_TEST

static void send_frame(struct pb_frame frame)
{
    frame.magic = PB_FRAME_MAGIC;
    send_bytes(&frame, sizeof frame);
}

static int job_send_unwanted_update(pebble_call *call)
{
    (void)call;
    send_frame((struct pb_frame){.kind = PB_FRAME_UPDATE, .length = 4});
    send_bytes("four", 4);
    wait_for_the_end();
}

START_TEST(a_job_that_sends_updates_nobody_asked_for_fails_alone)
{
    fails_alone(_i, job_send_unwanted_update);
}
END_TEST

static int job_send_two_replies(pebble_call *call)
{
    (void)call;
    for (uint64_t job = 0; job < 2; job++) {
        send_frame((struct pb_frame){.kind = PB_FRAME_BULK, .job = job, .length = 4});
        send_bytes("four", 4);
    }
    wait_for_the_end();
}

START_TEST(a_job_that_sends_replies_of_others_fails_alone)
{
    fails_alone(_i, job_send_two_replies);
}
END_TEST

static int job_announce_much(pebble_call *call)
{
    (void)call;
    send_frame((struct pb_frame){.kind = PB_FRAME_BULK, .length = UINT64_C(1) << 33});
    send_bytes("only this", 9);
    wait_for_the_end();
}

START_TEST(a_frame_that_never_ends_does_not_outlast_the_limit)
{
    pebble_pool *pool = pool_with(_i, 1);
    expect_and_drop(schedule_limited(pool, job_announce_much, (struct order){0},
                                     (struct pebble_job_options){.timeout = 50 * MILLISECOND}),
                    PEBBLE_TIMEOUT);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

static int job_announce_and_die(pebble_call *call)
{
    struct pb_frame frame = {.magic = PB_FRAME_MAGIC, .kind = PB_FRAME_BULK, .length = 100};
    send_bytes(&frame, sizeof frame - (size_t)order_of(call)->number);
    _exit(0);
}

START_TEST(half_a_frame_and_death_expire_the_job)
{
    pebble_pool *pool = pool_with(_i, 1);
    for (int64_t missing = 0; missing < (int64_t)sizeof(struct pb_frame); missing += 5)
        expect_and_drop(schedule_order(pool, job_announce_and_die, (struct order){.number = missing}),
                        PEBBLE_EXPIRED);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
}
END_TEST

/* Floods its link between jobs, from a child that kept the descriptor. */
static int job_leave_a_flooder(pebble_call *call)
{
    if (fork() == 0) {
        char noise[512] = "noise";
        for (;;)
            if (send(PB_BOOT_CHANNEL_FD, noise, sizeof noise, MSG_NOSIGNAL) < 0) _exit(0);
    }
    return reply_number(call, getpid());
}

START_TEST(noise_between_jobs_costs_only_that_worker)
{
    pebble_pool *pool = pool_with(_i, 1);
    for (int i = 0; i < 3; i++) {
        pebble_future *future = schedule(pool, job_leave_a_flooder);
        outcome_of(future); /* it may be cut short by its own noise */
        pebble_future_unref(future);
    }
    for (int i = 0; i < 20; i++) { /* one of the first may meet the noise */
        pebble_future *future = schedule(pool, job_pid);
        bool succeeded = outcome_of(future)->status == PEBBLE_SUCCESS;
        pebble_future_unref(future);
        if (succeeded && i > 3) break;
        ck_assert_int_lt(i, 19);
    }
    close_pool(pool);
}
END_TEST

Suite *garbage_suite(void)
{
    Suite *suite = suite_create("garbage");
    TCase *tests = group(suite, "garbage", 60);
    both(tests, a_job_that_closes_all_descriptors_fails_alone);
    both(tests, a_job_that_writes_noise_into_its_link_fails_alone);
    both(tests, a_job_that_shuts_its_link_fails_alone);
    both(tests, a_job_that_sends_updates_nobody_asked_for_fails_alone);
    both(tests, a_job_that_sends_replies_of_others_fails_alone);
    both(tests, a_frame_that_never_ends_does_not_outlast_the_limit);
    both(tests, half_a_frame_and_death_expire_the_job);
    both(tests, noise_between_jobs_costs_only_that_worker);
    return suite;
}
