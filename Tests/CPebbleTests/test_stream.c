/* SPDX-License-Identifier: Apache-2.0
 * Frames over a stream socket. */
#include "stream.h"
#include "tests.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BOUND (UINT64_C(1) << 30)

static struct pb_stream host, worker;

static void open_streams(uint64_t bound)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    pb_stream_init(&host, ends[0], bound);
    pb_stream_init(&worker, ends[1], bound);
}

static void close_streams(void)
{
    pb_stream_done(&host);
    pb_stream_done(&worker);
    pb_stream_done(&host);
}

static struct pb_frame bulk(uint64_t job, uint64_t length)
{
    return (struct pb_frame){.magic = PB_FRAME_MAGIC, .kind = PB_FRAME_BULK, .job = job, .length = length};
}

START_TEST(a_frame_without_a_payload_arrives)
{
    struct pb_message message;
    open_streams(BOUND);
    ck_assert_int_eq(pb_stream_send(&worker, &(struct pb_frame){.kind = PB_FRAME_BELL}, NULL), 1);
    ck_assert_int_eq(pb_stream_receive(&host, &message), 1);
    ck_assert_int_eq(message.head.kind, PB_FRAME_BELL);
    ck_assert_ptr_null(message.payload);
    ck_assert_int_eq(pb_stream_receive(&host, &message), 0);
    close_streams();
}
END_TEST

START_TEST(a_frame_arrives_byte_by_byte)
{
    struct pb_message message;
    struct pb_frame frame = bulk(9, 10);
    char bytes[sizeof frame + 10];
    memcpy(bytes, &frame, sizeof frame);
    memcpy(bytes + sizeof frame, "0123456789", 10);
    open_streams(BOUND);
    for (size_t i = 0; i < sizeof bytes; i++) {
        ck_assert_int_eq(pb_stream_receive(&host, &message), 0);
        ck_assert_int_eq(write(worker.fd, bytes + i, 1), 1);
    }
    ck_assert_int_eq(pb_stream_receive(&host, &message), 1);
    ck_assert_uint_eq(message.head.job, 9);
    ck_assert_mem_eq(message.payload, "0123456789", 10);
    free(message.payload);
    close_streams();
}
END_TEST

START_TEST(frames_that_come_at_once_are_told_apart)
{
    open_streams(BOUND);
    for (uint64_t i = 0; i < 100; i++) {
        struct pb_frame frame = bulk(i, i);
        char payload[100];
        memset(payload, (int)i, sizeof payload);
        ck_assert_int_eq(pb_stream_send(&worker, &frame, payload), 1);
    }
    for (uint64_t i = 0; i < 100; i++) {
        struct pb_message message;
        ck_assert_int_eq(pb_stream_receive(&host, &message), 1);
        ck_assert_uint_eq(message.head.job, i);
        ck_assert_uint_eq(message.head.length, i);
        for (uint64_t k = 0; k < i; k++)
            ck_assert_int_eq(((char *)message.payload)[k], (int)i);
        free(message.payload);
    }
    close_streams();
}
END_TEST

/* The sender has made it as large as it can, and the payload is larger. */
START_TEST(a_huge_payload_goes_through_a_smaller_socket)
{
    size_t length = 50 * 1000 * 1000, steps = 0;
    unsigned char *payload = malloc(length);
    for (size_t i = 0; i < length; i++)
        payload[i] = (unsigned char)(i * 7 >> 2);
    struct pb_frame frame = bulk(1, length);
    struct pb_message message;
    int received = 0;
    open_streams(BOUND);
    int sent = pb_stream_send(&host, &frame, payload);
    ck_assert_int_eq(sent, 0);
    ck_assert(pb_stream_sending(&host));
    while (!received) {
        received = pb_stream_receive(&worker, &message);
        if (!sent) sent = pb_stream_flush(&host);
        steps++;
    }
    ck_assert_int_eq(received, 1);
    ck_assert_int_eq(sent, 1);
    ck_assert(!pb_stream_sending(&host));
    ck_assert_uint_gt(steps, 10);
    ck_assert(memcmp(message.payload, payload, length) == 0);
    free(message.payload);
    free(payload);
    close_streams();
}
END_TEST

START_TEST(what_was_sent_before_the_end_is_received)
{
    struct pb_message message;
    struct pb_frame frame = bulk(0, 100000);
    char *payload = calloc(1, frame.length);
    open_streams(BOUND);
    ck_assert_int_eq(pb_stream_send(&worker, &frame, payload), 1);
    pb_stream_done(&worker);
    ck_assert_int_eq(pb_stream_receive(&host, &message), 1);
    ck_assert_uint_eq(message.head.length, frame.length);
    free(message.payload);
    ck_assert_int_eq(pb_stream_receive(&host, &message), -EPIPE);
    free(payload);
    close_streams();
}
END_TEST

START_TEST(half_a_frame_and_the_end_are_an_error)
{
    struct pb_frame frame = bulk(0, 10);
    char bytes[sizeof frame + 9] = {0};
    memcpy(bytes, &frame, sizeof frame);
    for (size_t length = 0; length < sizeof bytes; length++) {
        struct pb_message message = {.payload = bytes};
        open_streams(BOUND);
        ck_assert_int_eq(write(worker.fd, bytes, length), (ssize_t)length);
        pb_stream_done(&worker);
        ck_assert_int_eq(pb_stream_receive(&host, &message), -EPIPE);
        ck_assert_ptr_eq(message.payload, bytes);
        close_streams();
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
        open_streams(BOUND);
        ck_assert_int_eq(write(worker.fd, noise, sizeof noise), sizeof noise);
        ck_assert_int_eq(pb_stream_receive(&host, &message), -EPROTO);
        close_streams();
    }
}
END_TEST

START_TEST(a_payload_above_the_bound_is_refused_before_it_comes)
{
    struct pb_message message;
    struct pb_frame frame = bulk(0, 1001);
    open_streams(1000);
    ck_assert_int_eq(write(worker.fd, &frame, sizeof frame), sizeof frame);
    ck_assert_int_eq(pb_stream_receive(&host, &message), -EFBIG);
    close_streams();
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
    struct pb_frame frame = bulk(0, UINT64_C(1) << 60);
    open_streams(UINT64_MAX);
    long before = resident_kilobytes();
    ck_assert_int_eq(write(worker.fd, &frame, sizeof frame), sizeof frame);
    ck_assert_int_eq(write(worker.fd, "some", 4), 4);
    ck_assert_int_eq(pb_stream_receive(&host, &message), 0); /* it would be -ENOMEM if it had been believed */
    ck_assert_uint_le(host.capacity, 1 << 20);
    ck_assert_int_le(resident_kilobytes() - before, 4096);
    pb_stream_done(&worker);
    ck_assert_int_eq(pb_stream_receive(&host, &message), -EPIPE);
    close_streams();
}
END_TEST

START_TEST(sending_to_nobody_is_an_error_and_no_signal)
{
    open_streams(BOUND);
    pb_stream_done(&worker);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pb_stream_send(&host, &(struct pb_frame){.kind = PB_FRAME_BELL}, NULL), -EPIPE);
    close_streams();
}
END_TEST

START_TEST(a_descriptor_goes_ahead_of_the_frames)
{
    struct pb_message message;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    open_streams(BOUND);
    ck_assert_int_eq(pb_stream_send_fd(host.fd, ends[1]), 0);
    ck_assert_int_eq(pb_stream_send(&host, &(struct pb_frame){.kind = PB_FRAME_BELL}, NULL), 1);
    int received = pb_stream_receive_fd(worker.fd);
    ck_assert_int_ge(received, 0);
    ck_assert_int_eq(write(received, "x", 1), 1);
    char byte;
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    ck_assert_int_eq(pb_stream_receive(&worker, &message), 1);
    close_streams();
}
END_TEST

START_TEST(where_a_descriptor_is_missing_there_is_an_error)
{
    open_streams(BOUND);
    ck_assert_int_eq(write(host.fd, "x", 1), 1);
    ck_assert_int_lt(pb_stream_receive_fd(worker.fd), 0);
    pb_stream_done(&host);
    ck_assert_int_lt(pb_stream_receive_fd(worker.fd), 0);
    close_streams();
}
END_TEST

Suite *stream_suite(void)
{
    Suite *suite = suite_create("stream");
    TCase *tests = group(suite, "stream", 60);
    tcase_add_test(tests, a_frame_without_a_payload_arrives);
    tcase_add_test(tests, a_frame_arrives_byte_by_byte);
    tcase_add_test(tests, frames_that_come_at_once_are_told_apart);
    tcase_add_test(tests, a_huge_payload_goes_through_a_smaller_socket);
    tcase_add_test(tests, what_was_sent_before_the_end_is_received);
    tcase_add_test(tests, half_a_frame_and_the_end_are_an_error);
    tcase_add_test(tests, noise_is_refused);
    tcase_add_test(tests, a_payload_above_the_bound_is_refused_before_it_comes);
    tcase_add_test(tests, an_announced_length_allocates_nothing);
    tcase_add_test(tests, sending_to_nobody_is_an_error_and_no_signal);
    tcase_add_test(tests, a_descriptor_goes_ahead_of_the_frames);
    tcase_add_test(tests, where_a_descriptor_is_missing_there_is_an_error);
    return suite;
}
