/* SPDX-License-Identifier: Apache-2.0
 * Messages between a host and its fork server: whole, fixed-size packets on a
 * SOCK_SEQPACKET pair, with up to three descriptors. Both sides check what
 * they receive; neither ever blocks on the other. */
#ifndef PB_CONTROL_H
#define PB_CONTROL_H

#include "compat.h"
#include "proc.h"
#include "pebble/pool.h"

#define PB_CONTROL_FDS 3 /* that a packet may have */

enum pb_control_kind {
    PB_CONTROL_SPAWNED = 1, /* to host, from whoever exec'd the server: pid, error; its pidfd */
    PB_CONTROL_HELLO,       /* to host: the server reached its entry point and serves this channel */
    PB_CONTROL_CONNECT,     /* to server: serve one more channel; the channel's far end */
    PB_CONTROL_START,       /* to server: start a worker: worker, number, spawn, pool; its end of the link,
                             * and the pipes of what is captured */
    PB_CONTROL_KILL,        /* to server: worker, terminate: kill it: for a host that had no descriptor left for its pidfd */
    PB_CONTROL_STARTED,     /* to host: worker, pid, error; its pidfd */
    PB_CONTROL_EXITED,      /* to host: worker, exit */
    PB_CONTROL_KINDS,
};

struct pb_control {
    uint32_t magic;
    uint32_t kind;
    uint64_t worker;     /* the host's name for it */
    uint32_t number;     /* START: shown in its title */
    uint16_t terminate;  /* KILL: SIGTERM instead of SIGKILL */
    uint16_t spawn;      /* START: exec it afresh instead of forking */
    uint32_t swift_backtrace; /* START: leave Swift's crash reporter as the program's environment has it */
    uint16_t discard;    /* START: a bit for each of its descriptors 0 to 2 that is to be /dev/null */
    uint16_t capture;    /* START: a bit for each of 1 and 2 that is to be a pipe that came along, in this order */
    int32_t pid;
    int32_t error;       /* an errno value, 0 for none */
    struct pb_exit exit; /* EXITED */
    char pool[32];       /* START: shown in its title */
    struct pebble_worker_limits limits; /* START */
};

PB_HIDDEN_BEGIN

/* A connected pair of channels, both close-on-exec and nonblocking. 0 or -errno. */
int pb_control_pair(int ret_ends[2]);

/* Sends one packet, with `fd` unless it is -1 (it stays the caller's).
 * 0, -EAGAIN (full, or no memory: try again when writable), -EPIPE and others (the other side is gone). */
int pb_control_send(int channel, struct pb_control *message, int fd);

/* The same with `count` descriptors, up to PB_CONTROL_FDS. */
int pb_control_send_all(int channel, struct pb_control *message, const int *fds, size_t count);

/* Receives one packet; ret_fds are the descriptors that came with it, then -1.
 * Only START has more than one. 1; 0: none now; -EPIPE: the other side is gone;
 * -EPROTO: what came is no packet of ours (nothing is left open). */
int pb_control_receive(int channel, struct pb_control *ret_message, int ret_fds[PB_CONTROL_FDS]);

/* Whether all descriptors of a START came. */
bool pb_control_is_complete(const struct pb_control *start, const int fds[PB_CONTROL_FDS]);

/* Closes those that are left of them. */
void pb_control_close(int fds[PB_CONTROL_FDS]);

PB_HIDDEN_END
#endif
