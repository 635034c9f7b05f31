/* SPDX-License-Identifier: Apache-2.0
 * The link between a host and one worker, and all that either knows of it: its
 * data path may change behind this header. Nothing is shared between workers.
 *
 * Today it is a stream socket. The host never blocks on it; the worker may. */
#ifndef PB_JOBLINK_H
#define PB_JOBLINK_H

#include "compat.h"
#include "frame.h"

#include <sys/uio.h>

#define PB_LINK_BUFFER 4096

/* A received frame. The block is the receiver's: freed with free(3). */
struct pb_message {
    struct pb_frame head;
    void *block;      /* payload, path, name; NULL when all are empty */
    const char *path; /* NUL-terminated copies inside the block; "" when absent */
    const char *name;
};

struct pb_link {
    int fd;
    enum pb_frame_sender peer;
    uint64_t max_payload;
    /* going out: pieces[first...] are still to be sent */
    struct pb_frame head;
    struct iovec pieces[4];
    int first, count;
    /* coming in */
    size_t start, end; /* of what `buffer` holds */
    bool in_body;
    struct pb_frame in_head;
    char *block;
    uint64_t filled, capacity; /* of the block */
    char buffer[PB_LINK_BUFFER];
};

PB_HIDDEN_BEGIN

/* The host's end of a new link; *ret_worker_fd is the other, to be passed on. 0 or -errno. */
int pb_link_open(struct pb_link *link, uint64_t max_payload, int *ret_worker_fd);

/* The worker's end. */
void pb_link_adopt(struct pb_link *link, int fd);

/* Closes this end and frees what was half received. Harmless when done before. */
void pb_link_done(struct pb_link *link);

/* Lets the other side see the end of the link; what it sent can still be received. */
void pb_link_finish(struct pb_link *link);

/* Begins to send a frame; `frame` is copied, payload, path and name are
 * borrowed until it is sent. The last one must have been sent. As pb_link_flush. */
int pb_link_send(struct pb_link *link, const struct pb_frame *frame, const void *payload, const char *path,
                 const char *name);

/* Goes on sending. 1: all sent; 0: full, try again when it is writable; -errno: broken. */
int pb_link_flush(struct pb_link *link);

/* Whether a frame is partly sent. */
bool pb_link_sending(const struct pb_link *link);

/* The next whole frame. 1: *ret_message; 0: not here yet; -EPIPE: the other
 * side is gone; -EPROTO, -EFBIG: what it sent is no frame, or too large a one;
 * -ENOMEM. After an error the link is of no more use. */
int pb_link_receive(struct pb_link *link, struct pb_message *ret_message);

PB_HIDDEN_END
#endif
