/* SPDX-License-Identifier: Apache-2.0
 * Packets between a host and the fork server. */
#include "control.h"
#include "fd.h"
#include "support.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int ends[2];

static void open_ends(void)
{
    ck_assert_int_eq(pb_control_pair(ends), 0);
}

static void close_ends(void)
{
    pb_close(&ends[0]);
    pb_close(&ends[1]);
}

/* Sends bytes with `count` copies of a descriptor, past pb_control_send. */
static void send_raw(const void *bytes, size_t length, int fd, size_t count)
{
    struct iovec piece = {(void *)(uintptr_t)bytes, length};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(4 * sizeof(int))];
    } control = {0};
    struct msghdr packet = {.msg_iov = &piece, .msg_iovlen = 1};
    if (count) {
        packet.msg_control = control.space;
        packet.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        for (size_t i = 0; i < count; i++)
            memcpy(CMSG_DATA(&control.header) + i * sizeof fd, &fd, sizeof fd);
    }
    ck_assert_int_eq(sendmsg(ends[0], &packet, 0), (ssize_t)length);
}

/* A packet as it looks on the wire. */
static struct pb_control packet_of(enum pb_control_kind kind)
{
    struct pb_control message = {.kind = kind};
    int fds[PB_CONTROL_FDS];
    ck_assert_int_eq(pb_control_send(ends[0], &message, -1), 0);
    ck_assert_int_eq(pb_control_receive(ends[1], &message, fds), 1);
    return message;
}

/* The next packet is refused, and no descriptor stays open for it. */
static void expect_refused(int descriptors)
{
    struct pb_control message = {.worker = 77};
    int fds[PB_CONTROL_FDS];
    ck_assert_int_eq(pb_control_receive(ends[1], &message, fds), -EPROTO);
    ck_assert_uint_eq(message.worker, 77);
    ck_assert_int_eq(count_descriptors(), descriptors);
}

START_TEST(a_packet_arrives_whole)
{
    struct pb_control message = {.kind = PB_CONTROL_EXITED, .worker = 9, .exit = {.pid = 3, .code = -1, .signal = 11}};
    int fds[PB_CONTROL_FDS] = {-7, -7, -7};
    open_ends();
    ck_assert_int_eq(pb_control_send(ends[0], &message, -1), 0);
    message = (struct pb_control){0};
    ck_assert_int_eq(pb_control_receive(ends[1], &message, fds), 1);
    ck_assert_int_eq(message.kind, PB_CONTROL_EXITED);
    ck_assert_uint_eq(message.worker, 9);
    ck_assert_int_eq(message.exit.signal, 11);
    for (size_t i = 0; i < PB_CONTROL_FDS; i++)
        ck_assert_int_eq(fds[i], -1);
    ck_assert_int_eq(pb_control_receive(ends[1], &message, fds), 0);
    close_ends();
}
END_TEST

static void expect_same(int sent, int received)
{
    struct stat a, b;
    ck_assert_int_ge(received, 0);
    ck_assert_int_ne(received, sent);
    ck_assert(fcntl(received, F_GETFD) & FD_CLOEXEC);
    ck_assert(fstat(sent, &a) == 0 && fstat(received, &b) == 0 && a.st_rdev == b.st_rdev);
}

START_TEST(a_descriptor_comes_along_and_is_close_on_exec)
{
    struct pb_control message = {.kind = PB_CONTROL_STARTED};
    int fds[PB_CONTROL_FDS], null = open("/dev/null", O_RDONLY);
    open_ends();
    ck_assert_int_eq(pb_control_send(ends[0], &message, null), 0);
    ck_assert_int_eq(pb_control_receive(ends[1], &message, fds), 1);
    expect_same(null, fds[0]);
    ck_assert(fds[1] == -1 && fds[2] == -1);
    close(fds[0]);
    close(null);
    close_ends();
}
END_TEST

START_TEST(three_descriptors_come_in_order)
{
    struct pb_control message = {.kind = PB_CONTROL_START, .capture = 1 << 1 | 1 << 2};
    int sent[PB_CONTROL_FDS] = {open("/dev/null", O_RDONLY), open("/dev/zero", O_RDONLY), open("/dev/full", O_RDONLY)};
    int fds[PB_CONTROL_FDS];
    open_ends();
    int descriptors = count_descriptors();
    ck_assert_int_eq(pb_control_send_all(ends[0], &message, sent, PB_CONTROL_FDS), 0);
    ck_assert_int_eq(pb_control_receive(ends[1], &message, fds), 1);
    for (size_t i = 0; i < PB_CONTROL_FDS; i++)
        expect_same(sent[i], fds[i]);
    ck_assert(pb_control_is_complete(&message, fds));
    pb_close(&fds[2]);
    ck_assert(!pb_control_is_complete(&message, fds));
    pb_control_close(fds);
    ck_assert_int_eq(count_descriptors(), descriptors);
    close_ends();
}
END_TEST

START_TEST(only_a_start_has_more_than_one_descriptor)
{
    open_ends();
    int descriptors = count_descriptors();
    for (uint32_t kind = 1; kind < PB_CONTROL_KINDS; kind++) {
        if (kind == PB_CONTROL_START) continue;
        struct pb_control message = {.kind = kind};
        ck_assert_int_eq(pb_control_send_all(ends[0], &message, ends, 2), 0);
        expect_refused(descriptors);
    }
    close_ends();
}
END_TEST

START_TEST(a_packet_of_another_size_is_refused)
{
    open_ends();
    struct pb_control message[2] = {packet_of(PB_CONTROL_START)};
    const size_t sizes[] = {1, 4, sizeof *message - 1, sizeof *message + 1, sizeof message};
    int descriptors = count_descriptors();
    for (size_t i = 0; i < PB_COUNT(sizes); i++) {
        send_raw(message, sizes[i], ends[0], i % 2);
        expect_refused(descriptors);
    }
    close_ends();
}
END_TEST

START_TEST(a_packet_of_no_kind_is_refused)
{
    open_ends();
    struct pb_control message = packet_of(PB_CONTROL_START);
    const uint32_t kinds[] = {0, PB_CONTROL_KINDS, UINT32_MAX};
    int descriptors = count_descriptors();
    for (size_t i = 0; i < PB_COUNT(kinds); i++) {
        message.kind = kinds[i];
        send_raw(&message, sizeof message, ends[0], 1);
        expect_refused(descriptors);
    }
    close_ends();
}
END_TEST

START_TEST(a_packet_without_the_magic_is_refused)
{
    open_ends();
    struct pb_control message = packet_of(PB_CONTROL_START);
    int descriptors = count_descriptors();
    message.magic ^= 1;
    send_raw(&message, sizeof message, ends[0], 1);
    expect_refused(descriptors);
    close_ends();
}
END_TEST

START_TEST(descriptors_beyond_the_third_do_not_stay_open)
{
    open_ends();
    struct pb_control message = packet_of(PB_CONTROL_START);
    int descriptors = count_descriptors(), fds[PB_CONTROL_FDS];
    send_raw(&message, sizeof message, ends[0], 4);
    int rc = pb_control_receive(ends[1], &message, fds);
    ck_assert(rc == 1 || rc == -EPROTO);
    if (rc == 1) pb_control_close(fds);
    ck_assert_int_eq(count_descriptors(), descriptors);
    close_ends();
}
END_TEST

START_TEST(a_pool_name_ends_with_a_nul)
{
    open_ends();
    struct pb_control message = packet_of(PB_CONTROL_START);
    int fds[PB_CONTROL_FDS];
    memset(message.pool, 'x', sizeof message.pool);
    send_raw(&message, sizeof message, -1, 0);
    ck_assert_int_eq(pb_control_receive(ends[1], &message, fds), 1);
    ck_assert_uint_eq(strlen(message.pool), sizeof message.pool - 1);
    close_ends();
}
END_TEST

START_TEST(a_full_channel_says_so_and_goes_on_later)
{
    struct pb_control message = {.kind = PB_CONTROL_START};
    int sent = 0, received = 0, rc, fds[PB_CONTROL_FDS];
    open_ends();
    while ((rc = pb_control_send(ends[0], &message, -1)) == 0)
        message.worker = (uint64_t)++sent;
    ck_assert_int_eq(rc, -EAGAIN);
    while ((rc = pb_control_receive(ends[1], &message, fds)) == 1)
        ck_assert_uint_eq(message.worker, (uint64_t)received++);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(sent, received);
    ck_assert_int_eq(pb_control_send(ends[0], &message, -1), 0);
    close_ends();
}
END_TEST

START_TEST(the_end_of_the_other_side_shows)
{
    struct pb_control message = {.kind = PB_CONTROL_HELLO};
    int fds[PB_CONTROL_FDS];
    open_ends();
    ck_assert_int_eq(pb_control_send(ends[0], &message, -1), 0);
    pb_close(&ends[0]);
    ck_assert_int_eq(pb_control_receive(ends[1], &message, fds), 1);
    ck_assert_int_eq(pb_control_receive(ends[1], &message, fds), -EPIPE);
    ck_assert_int_eq(pb_control_send(ends[1], &message, -1), -EPIPE);
    close_ends();
}
END_TEST

START_TEST(what_was_sent_before_the_end_arrives_though_more_was_there_to_read)
{
    struct pb_control message = {.kind = PB_CONTROL_HELLO};
    int fds[PB_CONTROL_FDS];
    open_ends();
    ck_assert_int_eq(pb_control_send(ends[0], &message, -1), 0);
    ck_assert_int_eq(pb_control_send(ends[1], &message, -1), 0);
    pb_close(&ends[1]); /* the kernel says first that the connection was reset */
    ck_assert_int_eq(pb_control_receive(ends[0], &message, fds), 1);
    ck_assert_int_eq(pb_control_receive(ends[0], &message, fds), -EPIPE);
    close_ends();
}
END_TEST

Suite *control_suite(void)
{
    Suite *suite = suite_create("control");
    TCase *tests = group(suite, "control", 30);
    tcase_add_test(tests, a_packet_arrives_whole);
    tcase_add_test(tests, a_descriptor_comes_along_and_is_close_on_exec);
    tcase_add_test(tests, three_descriptors_come_in_order);
    tcase_add_test(tests, only_a_start_has_more_than_one_descriptor);
    tcase_add_test(tests, a_packet_of_another_size_is_refused);
    tcase_add_test(tests, a_packet_of_no_kind_is_refused);
    tcase_add_test(tests, a_packet_without_the_magic_is_refused);
    tcase_add_test(tests, descriptors_beyond_the_third_do_not_stay_open);
    tcase_add_test(tests, a_pool_name_ends_with_a_nul);
    tcase_add_test(tests, a_full_channel_says_so_and_goes_on_later);
    tcase_add_test(tests, the_end_of_the_other_side_shows);
    tcase_add_test(tests, what_was_sent_before_the_end_arrives_though_more_was_there_to_read);
    return suite;
}
