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

int pb_control_send_all(int channel, struct pb_control *message, const int *fds, size_t count)
{
    message->magic = MAGIC;
    struct iovec bytes = {message, sizeof *message};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(PB_CONTROL_FDS * sizeof(int))];
    } control = {0};
    struct msghdr packet = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (count) {
        packet.msg_control = control.space;
        packet.msg_controllen = CMSG_SPACE(count * sizeof *fds);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof *fds);
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof *fds);
    }
    ssize_t n;
    do
        n = sendmsg(channel, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == ENOBUFS || errno == ENOMEM)) return -EAGAIN; /* as if there was no room */
    return n < 0 ? -errno : 0;
}

int pb_control_send(int channel, struct pb_control *message, int fd)
{
    return pb_control_send_all(channel, message, &fd, fd >= 0);
}

/* The descriptors of a received packet. More than fit never come: there is no
 * room for another, and the kernel closes what does not fit. How many there are. */
static size_t take_fds(struct msghdr *packet, int ret_fds[PB_CONTROL_FDS])
{
    memset(ret_fds, -1, PB_CONTROL_FDS * sizeof *ret_fds);
    struct cmsghdr *header = CMSG_FIRSTHDR(packet);
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return 0;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof *ret_fds;
    memcpy(ret_fds, CMSG_DATA(header), count * sizeof *ret_fds);
    return count;
}

int pb_control_receive(int channel, struct pb_control *ret_message, int ret_fds[PB_CONTROL_FDS])
{
    struct pb_control message;
    struct iovec bytes = {&message, sizeof message};
    union {
        struct cmsghdr header;
        char space[CMSG_LEN(PB_CONTROL_FDS * sizeof(int))];
    } control = {0};
    struct msghdr packet = {.msg_iov = &bytes,
                            .msg_iovlen = 1,
                            .msg_control = control.space,
                            .msg_controllen = CMSG_LEN(PB_CONTROL_FDS * sizeof(int))};
    ssize_t n;
    do
        n = recvmsg(channel, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (n < 0 && (errno == EINTR || errno == ECONNRESET)); /* told once, before what was sent and not read */
    if (n < 0) return errno == EAGAIN ? 0 : -EPIPE;
    if (n == 0) return -EPIPE;
    size_t count = take_fds(&packet, ret_fds);
    if (n != sizeof message || message.magic != MAGIC || message.kind == 0 || message.kind >= PB_CONTROL_KINDS ||
        (packet.msg_flags & MSG_TRUNC) || (count > 1 && message.kind != PB_CONTROL_START)) {
        pb_control_close(ret_fds);
        return -EPROTO;
    }
    message.pool[sizeof message.pool - 1] = '\0';
    *ret_message = message;
    return 1;
}

bool pb_control_is_complete(const struct pb_control *start, const int fds[PB_CONTROL_FDS])
{
    int pipes = __builtin_popcount(start->capture);
    return pipes < PB_CONTROL_FDS && fds[pipes] >= 0;
}

void pb_control_close(int fds[PB_CONTROL_FDS])
{
    for (size_t i = 0; i < PB_CONTROL_FDS; i++)
        pb_close(&fds[i]);
}
