/* SPDX-License-Identifier: Apache-2.0
 * Calls of the library that fail when a test says so: in its host, in the fork
 * server, in workers. The library is linked with the names in faults.syms
 * replaced by those of faults.c, which count what comes by. */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdatomic.h>
#include <stdbool.h>

enum fault_role { FAULT_HOST, FAULT_SERVER, FAULT_WORKER, FAULT_ROLES };

enum fault_kind {
    FAULT_MALLOC, /* and calloc, realloc, strdup and the like */
    FAULT_FORK,
    FAULT_CLONE,
    FAULT_EXECVE,
    FAULT_SOCKETPAIR,
    FAULT_PIPE,
    FAULT_MEMFD,
    FAULT_FTRUNCATE,
    FAULT_MMAP,
    FAULT_MREMAP,
    FAULT_EVENTFD,
    FAULT_EPOLL_CREATE,
    FAULT_EPOLL_ADD, /* epoll_ctl with EPOLL_CTL_ADD: the others need nothing that could be lacking */
    FAULT_TIMERFD,
    FAULT_SIGNALFD,
    FAULT_PIDFD_OPEN,
    FAULT_PTHREAD_CREATE,
    FAULT_SENDMSG,
    FAULT_RECEIVE, /* recvmsg of a message with descriptors: it comes without them, as where none is free */
    FAULT_OPEN,
    FAULT_KINDS,
};

/* What is to fail. */
struct fault {
    enum fault_role role;
    enum fault_kind kind;
    unsigned nth;  /* since it was armed, from 1, in all processes of that role together */
    bool and_on;   /* those after it fail as well */
    int error;     /* 0: one that the call is documented to fail with */
};

/* Makes the calls of this process, and of servers and workers started after
 * this, countable. Once in a process; nothing fails yet. */
void faults_open(void);

/* From now on this fails, and nothing else; counting starts anew. NULL: nothing does. */
void faults_arm(const struct fault *fault);

/* Calls that function once, before this thread's next call of that kind: for what comes between two steps of it. */
void faults_before(enum fault_kind kind, void (*function)(void *), void *arg);

/* Calls that function in every call of this process that is made to fail. NULL: none. */
void faults_on_hit(void (*function)(void));

/* How many calls failed since something was armed. */
unsigned faults_hits(void);

/* How many blocks of memory the library holds, in all processes of that role. */
long faults_blocks(enum fault_role role);

/* For wall.c: counts that a clock is used, in whatever process, and how often one was. */
void faults_count_clock_use(bool wall);
unsigned long faults_clock_uses(bool wall);

const char *fault_role_name(enum fault_role role);
const char *fault_kind_name(enum fault_kind kind);

#endif
