/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "joblink.h"
#include "fd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A block grows with the bytes that really come, so that a worker cannot make
 * the host allocate what it merely announces. */
#define FIRST_CAPACITY (UINT64_C(1) << 20)

static void init(struct pb_link *link, int fd, enum pb_frame_sender peer, uint64_t max_payload)
{
    memset(link, 0, offsetof(struct pb_link, buffer));
    link->fd = fd;
    link->peer = peer;
    link->max_payload = max_payload;
}

int pb_link_open(struct pb_link *link, uint64_t max_payload, int *ret_worker_fd)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    init(link, ends[0], PB_FROM_WORKER, max_payload);
    *ret_worker_fd = ends[1];
    return 0;
}

void pb_link_adopt(struct pb_link *link, int fd)
{
    init(link, fd, PB_FROM_HOST, UINT64_MAX);
}

void pb_link_done(struct pb_link *link)
{
    pb_close(&link->fd);
    free(link->block);
    link->block = NULL;
}

void pb_link_finish(struct pb_link *link)
{
    if (link->fd >= 0) shutdown(link->fd, SHUT_WR);
}

bool pb_link_sending(const struct pb_link *link)
{
    return link->first < link->count;
}

static void add_piece(struct pb_link *link, const void *data, size_t length)
{
    if (length) link->pieces[link->count++] = (struct iovec){(void *)(uintptr_t)data, length};
}

int pb_link_send(struct pb_link *link, const struct pb_frame *frame, const void *payload, const char *path,
                 const char *name)
{
    assert(!pb_link_sending(link));
    link->head = *frame;
    link->head.magic = PB_FRAME_MAGIC;
    link->first = link->count = 0;
    add_piece(link, &link->head, sizeof link->head);
    add_piece(link, payload, frame->length);
    add_piece(link, path, frame->path_length);
    add_piece(link, name, frame->name_length);
    return pb_link_flush(link);
}

int pb_link_flush(struct pb_link *link)
{
    while (pb_link_sending(link)) {
        struct msghdr message = {.msg_iov = link->pieces + link->first,
                                 .msg_iovlen = (size_t)(link->count - link->first)};
        ssize_t n = sendmsg(link->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EAGAIN ? 0 : -errno;
        for (size_t sent = (size_t)n; sent > 0;) {
            struct iovec *piece = &link->pieces[link->first];
            size_t part = sent < piece->iov_len ? sent : piece->iov_len;
            piece->iov_base = (char *)piece->iov_base + part;
            piece->iov_len -= part;
            sent -= part;
            if (piece->iov_len == 0) link->first++;
        }
    }
    return 1;
}

/* Up to `size` bytes of the stream. Their number, 0: none now, -errno. */
static ssize_t read_some(struct pb_link *link, void *into, size_t size)
{
    ssize_t n;
    do
        n = recv(link->fd, into, size, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0) return errno == EAGAIN ? 0 : -EPIPE;
    return n == 0 ? -EPIPE : n;
}

static int begin_body(struct pb_link *link)
{
    memcpy(&link->in_head, link->buffer + link->start, sizeof link->in_head);
    link->start += sizeof link->in_head;
    int rc = pb_frame_check(&link->in_head, link->peer, link->max_payload);
    if (rc < 0) return rc;
    uint64_t length = pb_frame_body_length(&link->in_head);
    link->in_body = true;
    link->filled = 0;
    link->capacity = length < FIRST_CAPACITY ? length : FIRST_CAPACITY;
    link->block = length ? malloc(link->capacity + 2) : NULL; /* and the NULs of path and name */
    return length && !link->block ? -ENOMEM : 0;
}

static int grow_block(struct pb_link *link, uint64_t length)
{
    uint64_t capacity = link->capacity > length / 2 ? length : link->capacity * 2;
    char *block = realloc(link->block, capacity + 2);
    if (!block) return -ENOMEM;
    link->block = block;
    link->capacity = capacity;
    return 0;
}

/* 1: the body is whole; 0: not yet; -errno. */
static int fill_body(struct pb_link *link)
{
    uint64_t length = pb_frame_body_length(&link->in_head);
    while (link->filled < length) {
        if (link->filled == link->capacity) {
            int rc = grow_block(link, length);
            if (rc < 0) return rc;
        }
        uint64_t room = link->capacity - link->filled;
        size_t buffered = link->end - link->start;
        if (buffered) {
            size_t part = buffered < room ? buffered : (size_t)room;
            memcpy(link->block + link->filled, link->buffer + link->start, part);
            link->start += part;
            link->filled += part;
            continue;
        }
        ssize_t n = read_some(link, link->block + link->filled, (size_t)room);
        if (n <= 0) return (int)n;
        link->filled += (uint64_t)n;
    }
    return 1;
}

/* Path and name, which follow the payload, become strings: the name moves up
 * by one to make room for the NUL of the path. */
static void hand_over(struct pb_link *link, struct pb_message *message)
{
    const struct pb_frame *head = &link->in_head;
    *message = (struct pb_message){.head = *head, .block = link->block, .path = "", .name = ""};
    if (link->block) {
        char *path = link->block + head->length, *name = path + head->path_length + 1;
        memmove(name, name - 1, head->name_length);
        name[-1] = name[head->name_length] = '\0';
        message->path = path;
        message->name = name;
    }
    link->block = NULL;
    link->in_body = false;
}

int pb_link_receive(struct pb_link *link, struct pb_message *ret_message)
{
    if (link->fd < 0) return -EPIPE;
    while (!link->in_body) {
        if (link->end - link->start >= sizeof(struct pb_frame)) {
            int rc = begin_body(link);
            if (rc < 0) return rc;
            break;
        }
        memmove(link->buffer, link->buffer + link->start, link->end - link->start);
        link->end -= link->start;
        link->start = 0;
        ssize_t n = read_some(link, link->buffer + link->end, sizeof link->buffer - link->end);
        if (n <= 0) return (int)n;
        link->end += (size_t)n;
    }
    int rc = fill_body(link);
    if (rc > 0) hand_over(link, ret_message);
    return rc;
}
