/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "control.h"
#include "fd.h"

#include <string.h>
#include <sys/socket.h>

#define MAGIC UINT32_C(0x50424331) /* "PBC1": also the version of this protocol */

int pb_control_pair(int ret_ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_ends) < 0 ? -errno : 0;
}

int pb_control_send(int channel, struct pb_control *message, int fd)
{
    message->magic = MAGIC;
    struct iovec bytes = {message, sizeof *message};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr packet = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (fd >= 0) {
        packet.msg_control = control.space;
        packet.msg_controllen = sizeof control.space;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    }
    ssize_t n;
    do
        n = sendmsg(channel, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

/* The descriptor of a received packet, or -1. More than one never comes: there
 * is no room for a second, and the kernel closes what does not fit. */
static int taken_fd(struct msghdr *packet)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(packet);
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return -1;
    if (header->cmsg_len != CMSG_LEN(sizeof(int))) return -1;
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

int pb_control_receive(int channel, struct pb_control *ret_message, int *ret_fd)
{
    struct pb_control message;
    struct iovec bytes = {&message, sizeof message};
    union {
        struct cmsghdr header;
        char space[CMSG_LEN(sizeof(int))];
    } control = {0};
    struct msghdr packet = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    ssize_t n;
    do
        n = recvmsg(channel, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0) return errno == EAGAIN ? 0 : -EPIPE;
    if (n == 0) return -EPIPE;
    int fd = taken_fd(&packet);
    if (n != sizeof message || message.magic != MAGIC || message.kind == 0 || message.kind >= PB_CONTROL_KINDS ||
        (packet.msg_flags & MSG_TRUNC)) {
        pb_close(&fd);
        return -EPROTO;
    }
    message.pool[sizeof message.pool - 1] = '\0';
    *ret_message = message;
    *ret_fd = fd;
    return 1;
}
