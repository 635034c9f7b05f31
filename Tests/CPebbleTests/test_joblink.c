/* SPDX-License-Identifier: Apache-2.0
 * The link between a host and a worker, over a socket of its own. */
#include "joblink.h"
#include "fd.h"
#include "tests.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BOUND (UINT64_C(1) << 30)

static struct pb_link host, worker;

static void open_links(uint64_t bound)
{
    int fd;
    ck_assert_int_eq(pb_link_open(&host, bound, &fd), 0);
    pb_link_adopt(&worker, fd);
}

static void close_links(void)
{
    pb_link_done(&host);
    pb_link_done(&worker);
    pb_link_done(&host);
}

static struct pb_frame job_frame(uint64_t length, const char *path, const char *name)
{
    return (struct pb_frame){.kind = PB_FRAME_JOB,
                             .job = 5,
                             .length = length,
                             .path_length = (uint16_t)strlen(path),
                             .name_length = (uint16_t)strlen(name)};
}

START_TEST(a_job_arrives_with_payload_path_and_name)
{
    struct pb_message message;
    struct pb_frame frame = job_frame(4, "/lib/a.so", "resize");
    open_links(BOUND);
    ck_assert_int_eq(pb_link_send(&host, &frame, "data", "/lib/a.so", "resize"), 1);
    ck_assert(!pb_link_sending(&host));
    ck_assert_int_eq(pb_link_receive(&worker, &message), 1);
    ck_assert_uint_eq(message.head.job, 5);
    ck_assert_mem_eq(message.block, "data", 4);
    ck_assert_str_eq(message.path, "/lib/a.so");
    ck_assert_str_eq(message.name, "resize");
    free(message.block);
    ck_assert_int_eq(pb_link_receive(&worker, &message), 0);
    close_links();
}
END_TEST

START_TEST(a_frame_without_a_body_has_no_block)
{
    struct pb_message message;
    open_links(BOUND);
    ck_assert_int_eq(pb_link_send(&worker, &(struct pb_frame){.kind = PB_FRAME_READY}, NULL, NULL, NULL), 1);
    ck_assert_int_eq(pb_link_receive(&host, &message), 1);
    ck_assert_int_eq(message.head.kind, PB_FRAME_READY);
    ck_assert_ptr_null(message.block);
    ck_assert_str_eq(message.path, "");
    ck_assert_str_eq(message.name, "");
    close_links();
}
END_TEST

START_TEST(every_mixture_of_empty_parts_arrives)
{
    open_links(BOUND);
    for (int mixture = 0; mixture < 8; mixture++) {
        struct pb_message message;
        const char *path = mixture & 1 ? "p" : "", *name = mixture & 2 ? "nn" : "";
        struct pb_frame frame = job_frame(mixture & 4 ? 3 : 0, path, name);
        ck_assert_int_eq(pb_link_send(&host, &frame, "abc", path, name), 1);
        ck_assert_int_eq(pb_link_receive(&worker, &message), 1);
        ck_assert_uint_eq(message.head.length, frame.length);
        if (frame.length) ck_assert_mem_eq(message.block, "abc", 3);
        ck_assert_str_eq(message.path, path);
        ck_assert_str_eq(message.name, name);
        free(message.block);
    }
    close_links();
}
END_TEST

START_TEST(a_frame_arrives_byte_by_byte)
{
    struct pb_message message;
    struct pb_frame frame = {.magic = PB_FRAME_MAGIC, .kind = PB_FRAME_REPLY, .code = 9, .length = 10};
    char bytes[sizeof frame + 10];
    memcpy(bytes, &frame, sizeof frame);
    memcpy(bytes + sizeof frame, "0123456789", 10);
    open_links(BOUND);
    for (size_t i = 0; i < sizeof bytes; i++) {
        ck_assert_int_eq(pb_link_receive(&host, &message), 0);
        ck_assert_int_eq(write(worker.fd, bytes + i, 1), 1);
    }
    ck_assert_int_eq(pb_link_receive(&host, &message), 1);
    ck_assert_int_eq(message.head.code, 9);
    ck_assert_mem_eq(message.block, "0123456789", 10);
    free(message.block);
    close_links();
}
END_TEST

START_TEST(frames_that_come_at_once_are_told_apart)
{
    struct pb_frame frame = {.kind = PB_FRAME_REPLY};
    open_links(BOUND);
    for (uint64_t i = 0; i < 100; i++) {
        frame.job = frame.length = i;
        char payload[100];
        memset(payload, (int)i, sizeof payload);
        ck_assert_int_eq(pb_link_send(&worker, &frame, payload, NULL, NULL), 1);
    }
    for (uint64_t i = 0; i < 100; i++) {
        struct pb_message message;
        ck_assert_int_eq(pb_link_receive(&host, &message), 1);
        ck_assert_uint_eq(message.head.job, i);
        ck_assert_uint_eq(message.head.length, i);
        for (uint64_t k = 0; k < i; k++)
            ck_assert_int_eq(((char *)message.block)[k], (int)i);
        free(message.block);
    }
    close_links();
}
END_TEST

START_TEST(a_huge_payload_goes_through_a_small_socket)
{
    size_t length = (size_t)50 << 20, steps = 0;
    unsigned char *payload = malloc(length);
    for (size_t i = 0; i < length; i++)
        payload[i] = (unsigned char)(i * 7 >> 2);
    struct pb_frame frame = job_frame(length, "path", "name");
    struct pb_message message;
    int small = 4096, sent, received = 0;
    open_links(BOUND);
    setsockopt(host.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    sent = pb_link_send(&host, &frame, payload, "path", "name");
    ck_assert_int_eq(sent, 0);
    ck_assert(pb_link_sending(&host));
    while (!received) {
        received = pb_link_receive(&worker, &message);
        if (!sent) sent = pb_link_flush(&host);
        steps++;
    }
    ck_assert_int_eq(received, 1);
    ck_assert_int_eq(sent, 1);
    ck_assert_uint_gt(steps, 10);
    ck_assert(memcmp(message.block, payload, length) == 0);
    ck_assert_str_eq(message.path, "path");
    ck_assert_str_eq(message.name, "name");
    free(message.block);
    free(payload);
    close_links();
}
END_TEST

START_TEST(what_was_sent_before_the_end_is_received)
{
    struct pb_message message;
    struct pb_frame frame = {.kind = PB_FRAME_REPLY, .length = 100000};
    char *payload = calloc(1, frame.length);
    open_links(BOUND);
    ck_assert_int_eq(pb_link_send(&worker, &frame, payload, NULL, NULL), 1);
    pb_link_done(&worker);
    ck_assert_int_eq(pb_link_receive(&host, &message), 1);
    ck_assert_uint_eq(message.head.length, frame.length);
    free(message.block);
    ck_assert_int_eq(pb_link_receive(&host, &message), -EPIPE);
    free(payload);
    close_links();
}
END_TEST

START_TEST(a_finished_link_can_still_receive)
{
    struct pb_message message;
    open_links(BOUND);
    pb_link_finish(&host);
    ck_assert_int_eq(pb_link_receive(&worker, &message), -EPIPE);
    ck_assert_int_eq(pb_link_send(&worker, &(struct pb_frame){.kind = PB_FRAME_READY}, NULL, NULL, NULL), 1);
    ck_assert_int_eq(pb_link_receive(&host, &message), 1);
    close_links();
}
END_TEST

START_TEST(half_a_frame_and_the_end_are_an_error)
{
    struct pb_frame frame = {.magic = PB_FRAME_MAGIC, .kind = PB_FRAME_REPLY, .length = 10};
    char bytes[sizeof frame + 9] = {0};
    memcpy(bytes, &frame, sizeof frame);
    for (size_t length = 0; length < sizeof bytes; length++) {
        struct pb_message message = {.path = "untouched"};
        open_links(BOUND);
        ck_assert_int_eq(write(worker.fd, bytes, length), (ssize_t)length);
        pb_link_done(&worker);
        ck_assert_int_eq(pb_link_receive(&host, &message), -EPIPE);
        ck_assert_str_eq(message.path, "untouched");
        close_links();
    }
}
END_TEST

START_TEST(noise_is_refused)
{
    srand(5);
    for (int round = 0; round < 500; round++) {
        struct pb_message message;
        unsigned char noise[256];
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (unsigned char)rand();
        open_links(BOUND);
        ck_assert_int_eq(write(worker.fd, noise, sizeof noise), sizeof noise);
        ck_assert_int_eq(pb_link_receive(&host, &message), -EPROTO);
        close_links();
    }
}
END_TEST

START_TEST(a_payload_above_the_bound_is_refused_before_it_comes)
{
    struct pb_message message;
    struct pb_frame frame = {.magic = PB_FRAME_MAGIC, .kind = PB_FRAME_REPLY, .length = 1001};
    open_links(1000);
    ck_assert_int_eq(write(worker.fd, &frame, sizeof frame), sizeof frame);
    ck_assert_int_eq(pb_link_receive(&host, &message), -EFBIG);
    close_links();
}
END_TEST

static long resident_kilobytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

START_TEST(an_announced_length_allocates_nothing)
{
    struct pb_message message;
    struct pb_frame frame = {.magic = PB_FRAME_MAGIC, .kind = PB_FRAME_REPLY, .length = UINT64_C(1) << 60};
    open_links(UINT64_MAX);
    long before = resident_kilobytes();
    ck_assert_int_eq(write(worker.fd, &frame, sizeof frame), sizeof frame);
    ck_assert_int_eq(write(worker.fd, "some", 4), 4);
    ck_assert_int_eq(pb_link_receive(&host, &message), 0); /* it would be -ENOMEM if it had been believed */
    ck_assert_uint_le(host.capacity, 1 << 20);
    ck_assert_int_le(resident_kilobytes() - before, 4096);
    pb_link_done(&worker);
    ck_assert_int_eq(pb_link_receive(&host, &message), -EPIPE);
    close_links();
}
END_TEST

START_TEST(sending_to_nobody_is_an_error_and_no_signal)
{
    open_links(BOUND);
    pb_link_done(&worker);
    struct pb_frame frame = job_frame(0, "", "");
    ck_assert_int_eq(pb_link_send(&host, &frame, NULL, "", ""), -EPIPE);
    close_links();
}
END_TEST

START_TEST(a_closed_link_receives_nothing)
{
    struct pb_message message;
    open_links(BOUND);
    close_links();
    ck_assert_int_eq(pb_link_receive(&host, &message), -EPIPE);
    pb_link_finish(&host);
}
END_TEST

static void *echo(void *arg)
{
    struct pb_message message;
    for (int left = 300; left > 0;) {
        int rc = pb_link_receive(&worker, &message);
        if (rc < 0) return "receive";
        if (rc == 0) continue;
        struct pb_frame frame = {.kind = PB_FRAME_REPLY, .job = message.head.job, .length = message.head.length};
        for (rc = pb_link_send(&worker, &frame, message.block, NULL, NULL); rc == 0;)
            rc = pb_link_flush(&worker);
        if (rc < 0) return "send";
        free(message.block);
        left--;
    }
    return arg;
}

START_TEST(frames_of_all_sizes_go_there_and_back)
{
    pthread_t thread;
    char *payload = malloc(1 << 20);
    open_links(BOUND);
    pthread_create(&thread, NULL, echo, NULL);
    for (uint64_t i = 0; i < 300; i++) {
        struct pb_message message;
        struct pb_frame frame = job_frame(i < 200 ? i * 41 : (i - 199) * 9973, "", "x");
        frame.job = i;
        memset(payload, (int)i, frame.length);
        int rc = pb_link_send(&host, &frame, payload, "", "x");
        while (rc == 0)
            rc = pb_link_flush(&host);
        ck_assert_int_eq(rc, 1);
        while ((rc = pb_link_receive(&host, &message)) == 0)
            continue;
        ck_assert_int_eq(rc, 1);
        ck_assert_uint_eq(message.head.job, i);
        ck_assert(memcmp(message.block ? message.block : "", payload, frame.length) == 0);
        free(message.block);
    }
    void *failure;
    pthread_join(thread, &failure);
    ck_assert_ptr_null(failure);
    free(payload);
    close_links();
}
END_TEST

Suite *joblink_suite(void)
{
    Suite *suite = suite_create("joblink");
    TCase *tests = group(suite, "joblink", 60);
    tcase_add_test(tests, a_job_arrives_with_payload_path_and_name);
    tcase_add_test(tests, a_frame_without_a_body_has_no_block);
    tcase_add_test(tests, every_mixture_of_empty_parts_arrives);
    tcase_add_test(tests, a_frame_arrives_byte_by_byte);
    tcase_add_test(tests, frames_that_come_at_once_are_told_apart);
    tcase_add_test(tests, a_huge_payload_goes_through_a_small_socket);
    tcase_add_test(tests, what_was_sent_before_the_end_is_received);
    tcase_add_test(tests, a_finished_link_can_still_receive);
    tcase_add_test(tests, half_a_frame_and_the_end_are_an_error);
    tcase_add_test(tests, noise_is_refused);
    tcase_add_test(tests, a_payload_above_the_bound_is_refused_before_it_comes);
    tcase_add_test(tests, an_announced_length_allocates_nothing);
    tcase_add_test(tests, sending_to_nobody_is_an_error_and_no_signal);
    tcase_add_test(tests, a_closed_link_receives_nothing);
    tcase_add_test(tests, frames_of_all_sizes_go_there_and_back);
    return suite;
}
