/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "stream.h"
#include "blocks.h"
#include "fd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LARGE (UINT64_C(2) << 20) /* payloads that may fill more than a socket usually holds */
#define WIDE (1 << 20)            /* what it holds for them */

/* A block grows with the bytes that really come, so that a worker cannot make
 * the host allocate what it merely announces. */
#define FIRST_CAPACITY (UINT64_C(1) << 20)

void pb_stream_init(struct pb_stream *stream, int fd, uint64_t max_payload)
{
    *stream = (struct pb_stream){.fd = fd, .max_payload = max_payload};
}

void pb_stream_done(struct pb_stream *stream)
{
    pb_close(&stream->fd);
    free(stream->block);
    stream->block = NULL;
}

bool pb_stream_sending(const struct pb_stream *stream)
{
    return stream->first < stream->count;
}

static void add_piece(struct pb_stream *stream, const void *data, size_t length)
{
    if (length) stream->pieces[stream->count++] = (struct iovec){(void *)(uintptr_t)data, length};
}

/* So that the two sides change places less often. What the system refuses, it does without. */
static void widen(struct pb_stream *stream)
{
    const int size = WIDE;
    setsockopt(stream->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    stream->wide = true;
}

int pb_stream_send(struct pb_stream *stream, const struct pb_frame *frame, const void *payload)
{
    assert(!pb_stream_sending(stream));
    if (stream->broken) return stream->broken; /* maybe in the middle of a frame */
    stream->out = *frame;
    stream->out.magic = PB_FRAME_MAGIC;
    stream->first = stream->count = 0;
    add_piece(stream, &stream->out, sizeof stream->out);
    add_piece(stream, payload, frame->length);
    if (frame->length >= LARGE && !stream->wide) widen(stream);
    return pb_stream_flush(stream);
}

int pb_stream_flush(struct pb_stream *stream)
{
    while (pb_stream_sending(stream)) {
        struct msghdr message = {.msg_iov = stream->pieces + stream->first,
                                 .msg_iovlen = (size_t)(stream->count - stream->first)};
        ssize_t n = sendmsg(stream->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return 0;
        if (n < 0) {
            stream->broken = -errno;
            stream->first = stream->count = 0;
            return stream->broken;
        }
        for (size_t sent = (size_t)n; sent > 0;) {
            struct iovec *piece = &stream->pieces[stream->first];
            size_t part = sent < piece->iov_len ? sent : piece->iov_len;
            piece->iov_base = (char *)piece->iov_base + part;
            piece->iov_len -= part;
            sent -= part;
            if (piece->iov_len == 0) stream->first++;
        }
    }
    return 1;
}

/* Up to `size` bytes of the stream. Their number, 0: none now, -errno. */
static ssize_t read_some(struct pb_stream *stream, void *into, size_t size)
{
    ssize_t n;
    do
        n = recv(stream->fd, into, size, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0) return errno == EAGAIN ? 0 : -EPIPE;
    return n == 0 ? -EPIPE : n;
}

/* 1: the header is whole and valid; 0: not yet; -errno. */
static int fill_header(struct pb_stream *stream)
{
    while (stream->in_filled < sizeof stream->in) {
        ssize_t n = read_some(stream, (char *)&stream->in + stream->in_filled, sizeof stream->in - stream->in_filled);
        if (n <= 0) return (int)n;
        stream->in_filled += (size_t)n;
        if (stream->in_filled < sizeof stream->in) continue;
        int rc = pb_frame_check(&stream->in, stream->max_payload);
        if (rc < 0) return rc;
        uint64_t length = stream->in.length;
        stream->filled = 0;
        stream->capacity = length < FIRST_CAPACITY ? length : FIRST_CAPACITY;
        stream->block = length ? malloc(stream->capacity) : NULL;
        if (length && !stream->block) return -ENOMEM;
    }
    return 1;
}

static int grow_block(struct pb_stream *stream)
{
    uint64_t length = stream->in.length;
    uint64_t capacity = stream->capacity > length / 2 ? length : stream->capacity * 2;
    char *block = realloc(stream->block, capacity);
    if (!block) return -ENOMEM;
    pb_block_advise(block, capacity);
    stream->block = block;
    stream->capacity = capacity;
    return 0;
}

/* 1: the payload is whole; 0: not yet; -errno. */
static int fill_payload(struct pb_stream *stream)
{
    while (stream->filled < stream->in.length) {
        int rc = stream->filled == stream->capacity ? grow_block(stream) : 0;
        if (rc < 0) return rc;
        ssize_t n = read_some(stream, stream->block + stream->filled, stream->capacity - stream->filled);
        if (n <= 0) return (int)n;
        stream->filled += (uint64_t)n;
    }
    return 1;
}

int pb_stream_receive(struct pb_stream *stream, struct pb_message *ret_message)
{
    if (stream->fd < 0) return -EPIPE;
    int rc = fill_header(stream);
    if (rc > 0) rc = fill_payload(stream);
    if (rc <= 0) return rc;
    *ret_message = (struct pb_message){stream->in, stream->block};
    stream->block = NULL;
    stream->in_filled = 0;
    return 1;
}

int pb_stream_send_fd(int socket, int fd)
{
    char byte = 0;
    struct iovec bytes = {&byte, 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int pb_stream_receive_fd(int socket)
{
    char byte;
    struct iovec bytes = {&byte, 1};
    union {
        struct cmsghdr header;
        char space[CMSG_LEN(sizeof(int))];
    } control = {0};
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    ssize_t n;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    struct cmsghdr *header = n == 1 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int))) return -EPROTO;
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}
