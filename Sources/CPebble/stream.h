/* SPDX-License-Identifier: Apache-2.0
 * Frames over a stream socket, in both directions, without ever blocking. */
#ifndef PB_STREAM_H
#define PB_STREAM_H

#include "compat.h"
#include "frame.h"

#include <sys/uio.h>

/* A received frame. The payload is the receiver's: freed with free(3). */
struct pb_message {
    struct pb_frame head;
    void *payload; /* NULL when its length is 0 */
};

struct pb_stream {
    int fd;
    uint64_t max_payload; /* to be received */
    /* going out: pieces[first...] are still to be sent */
    struct pb_frame out;
    struct iovec pieces[2];
    int first, count;
    bool wide; /* for payloads that are large */
    int broken; /* 0; or -errno: nothing more can be sent */
    /* coming in */
    struct pb_frame in;
    size_t in_filled;          /* bytes of `in` */
    char *block;               /* its payload */
    uint64_t filled, capacity; /* of the block */
};

PB_HIDDEN_BEGIN

/* Takes over a connected socket. */
void pb_stream_init(struct pb_stream *stream, int fd, uint64_t max_payload);

/* Closes it and frees what was half received. Harmless when done before. */
void pb_stream_done(struct pb_stream *stream);

/* Begins to send a frame; the payload is borrowed until it is sent. The last
 * one must have been sent. As pb_stream_flush. */
int pb_stream_send(struct pb_stream *stream, const struct pb_frame *frame, const void *payload);

/* Goes on sending. 1: all sent; 0: full, try again when it is writable; -errno: broken. */
int pb_stream_flush(struct pb_stream *stream);

/* Whether a frame is partly sent. */
bool pb_stream_sending(const struct pb_stream *stream);

/* The next whole frame. 1: *ret_message; 0: not here yet; -EPIPE: the other
 * side is gone; -EPROTO, -EFBIG: what it sent is no frame, or too large a one;
 * -ENOMEM. After an error the stream is of no more use. */
int pb_stream_receive(struct pb_stream *stream, struct pb_message *ret_message);

/* Sends a descriptor with one byte, or receives it; before any frame. The
 * receiver blocks. The descriptor, or 0; -errno. */
int pb_stream_send_fd(int socket, int fd);
int pb_stream_receive_fd(int socket);

PB_HIDDEN_END
#endif
