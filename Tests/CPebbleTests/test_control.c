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
    int fd;
    ck_assert_int_eq(pb_control_send(ends[0], &message, -1), 0);
    ck_assert_int_eq(pb_control_receive(ends[1], &message, &fd), 1);
    return message;
}

/* The next packet is refused, and no descriptor stays open for it. */
static void expect_refused(int descriptors)
{
    struct pb_control message = {.worker = 77};
    int fd = -7;
    ck_assert_int_eq(pb_control_receive(ends[1], &message, &fd), -EPROTO);
    ck_assert_uint_eq(message.worker, 77);
    ck_assert_int_eq(count_descriptors(), descriptors);
}

START_TEST(a_packet_arrives_whole)
{
    struct pb_control message = {.kind = PB_CONTROL_EXITED, .worker = 9, .exit = {.pid = 3, .code = -1, .signal = 11}};
    int fd = -7;
    open_ends();
    ck_assert_int_eq(pb_control_send(ends[0], &message, -1), 0);
    message = (struct pb_control){0};
    ck_assert_int_eq(pb_control_receive(ends[1], &message, &fd), 1);
    ck_assert_int_eq(message.kind, PB_CONTROL_EXITED);
    ck_assert_uint_eq(message.worker, 9);
    ck_assert_int_eq(message.exit.signal, 11);
    ck_assert_int_eq(fd, -1);
    ck_assert_int_eq(pb_control_receive(ends[1], &message, &fd), 0);
    close_ends();
}
END_TEST

START_TEST(a_descriptor_comes_along_and_is_close_on_exec)
{
    struct pb_control message = {.kind = PB_CONTROL_STARTED};
    struct stat sent, received;
    int fd, null = open("/dev/null", O_RDONLY);
    open_ends();
    ck_assert_int_eq(pb_control_send(ends[0], &message, null), 0);
    ck_assert_int_eq(pb_control_receive(ends[1], &message, &fd), 1);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ne(fd, null);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    ck_assert(fstat(null, &sent) == 0 && fstat(fd, &received) == 0 && sent.st_rdev == received.st_rdev);
    close(fd);
    close(null);
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

START_TEST(descriptors_beyond_the_first_do_not_stay_open)
{
    open_ends();
    struct pb_control message = packet_of(PB_CONTROL_START);
    int descriptors = count_descriptors(), fd = -1;
    send_raw(&message, sizeof message, ends[0], 4);
    int rc = pb_control_receive(ends[1], &message, &fd);
    ck_assert(rc == 1 || rc == -EPROTO);
    if (rc == 1) pb_close(&fd);
    ck_assert_int_eq(count_descriptors(), descriptors);
    close_ends();
}
END_TEST

START_TEST(a_pool_name_ends_with_a_nul)
{
    open_ends();
    struct pb_control message = packet_of(PB_CONTROL_START);
    int fd;
    memset(message.pool, 'x', sizeof message.pool);
    send_raw(&message, sizeof message, -1, 0);
    ck_assert_int_eq(pb_control_receive(ends[1], &message, &fd), 1);
    ck_assert_uint_eq(strlen(message.pool), sizeof message.pool - 1);
    close_ends();
}
END_TEST

START_TEST(a_full_channel_says_so_and_goes_on_later)
{
    struct pb_control message = {.kind = PB_CONTROL_START};
    int sent = 0, received = 0, rc, fd;
    open_ends();
    while ((rc = pb_control_send(ends[0], &message, -1)) == 0)
        message.worker = (uint64_t)++sent;
    ck_assert_int_eq(rc, -EAGAIN);
    while ((rc = pb_control_receive(ends[1], &message, &fd)) == 1)
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
    int fd;
    open_ends();
    ck_assert_int_eq(pb_control_send(ends[0], &message, -1), 0);
    pb_close(&ends[0]);
    ck_assert_int_eq(pb_control_receive(ends[1], &message, &fd), 1);
    ck_assert_int_eq(pb_control_receive(ends[1], &message, &fd), -EPIPE);
    ck_assert_int_eq(pb_control_send(ends[1], &message, -1), -EPIPE);
    close_ends();
}
END_TEST

Suite *control_suite(void)
{
    Suite *suite = suite_create("control");
    TCase *tests = group(suite, "control", 30);
    tcase_add_test(tests, a_packet_arrives_whole);
    tcase_add_test(tests, a_descriptor_comes_along_and_is_close_on_exec);
    tcase_add_test(tests, a_packet_of_another_size_is_refused);
    tcase_add_test(tests, a_packet_of_no_kind_is_refused);
    tcase_add_test(tests, a_packet_without_the_magic_is_refused);
    tcase_add_test(tests, descriptors_beyond_the_first_do_not_stay_open);
    tcase_add_test(tests, a_pool_name_ends_with_a_nul);
    tcase_add_test(tests, a_full_channel_says_so_and_goes_on_later);
    tcase_add_test(tests, the_end_of_the_other_side_shows);
    return suite;
}
