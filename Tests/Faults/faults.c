/* SPDX-License-Identifier: Apache-2.0
 *
 * Host, server and workers share a page, which tells what is to fail and counts
 * what came by. A fork inherits it; a fresh exec finds it by its path in the
 * environment, in a constructor that comes before the library's. */
#define _GNU_SOURCE
#include "faults.h"
#include "wall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define VARIABLE "PEBBLE_TEST_FAULTS"

static struct page {
    atomic_bool armed;
    struct fault fault;
    atomic_uint calls, hits;
    atomic_long blocks[FAULT_ROLES];
    atomic_ulong clock_uses[2];
} * page;

static enum fault_role role = FAULT_HOST;

static _Thread_local struct {
    enum fault_kind kind;
    void (*function)(void *);
    void *arg;
} before;

static const struct {
    const char *name;
    int error; /* that is most likely in life */
} kinds[FAULT_KINDS] = {
    [FAULT_MALLOC] = {"malloc", ENOMEM},
    [FAULT_FORK] = {"fork", EAGAIN},
    [FAULT_CLONE] = {"clone", EAGAIN},
    [FAULT_EXECVE] = {"execve", ENOMEM},
    [FAULT_SOCKETPAIR] = {"socketpair", EMFILE},
    [FAULT_PIPE] = {"pipe", EMFILE},
    [FAULT_MEMFD] = {"memfd", EMFILE},
    [FAULT_FTRUNCATE] = {"ftruncate", ENOMEM},
    [FAULT_MMAP] = {"mmap", ENOMEM},
    [FAULT_MREMAP] = {"mremap", ENOMEM},
    [FAULT_EVENTFD] = {"eventfd", EMFILE},
    [FAULT_EPOLL_CREATE] = {"epoll-create", EMFILE},
    [FAULT_EPOLL_ADD] = {"epoll-add", ENOSPC},
    [FAULT_TIMERFD] = {"timerfd", EMFILE},
    [FAULT_SIGNALFD] = {"signalfd", EMFILE},
    [FAULT_PIDFD_OPEN] = {"pidfd-open", EMFILE},
    [FAULT_PTHREAD_CREATE] = {"pthread-create", EAGAIN},
    [FAULT_SENDMSG] = {"sendmsg", ENOBUFS},
    [FAULT_RECEIVE] = {"receive", 0},
    [FAULT_OPEN] = {"open", EMFILE},
};

static const char *const role_names[FAULT_ROLES] = {"host", "server", "worker"};

const char *fault_role_name(enum fault_role of)
{
    return role_names[of];
}

const char *fault_kind_name(enum fault_kind kind)
{
    return kinds[kind].name;
}

/* --- the page --- */

static struct page *map(int fd)
{
    void *memory = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

__attribute__((constructor(101))) static void find_page(void)
{
    const char *path = getenv(VARIABLE), *marker = getenv("PEBBLE_BOOT");
    int fd = path && marker ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return; /* what it was of is gone already */
    page = map(fd);
    close(fd);
    role = *marker == 's' ? FAULT_SERVER : FAULT_WORKER;
    if (page && role == FAULT_SERVER) atomic_store(&page->blocks[role], 0); /* what an earlier one held went with it */
}

void faults_open(void)
{
    char path[64];
    int fd = memfd_create("faults", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, sizeof(struct page)) < 0 || !(page = map(fd))) abort();
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), fd); /* which stays open */
    setenv(VARIABLE, path, 1);
}

void faults_arm(const struct fault *fault)
{
    atomic_store(&page->armed, false);
    if (!fault) return;
    page->fault = *fault;
    atomic_store(&page->calls, 0);
    atomic_store(&page->hits, 0);
    atomic_store(&page->armed, true);
}

void faults_before(enum fault_kind kind, void (*function)(void *), void *arg)
{
    before.kind = kind;
    before.function = function;
    before.arg = arg;
}

static void (*_Atomic on_hit)(void);

void faults_on_hit(void (*function)(void))
{
    atomic_store(&on_hit, function);
}

unsigned faults_hits(void)
{
    return atomic_load(&page->hits);
}

long faults_blocks(enum fault_role of)
{
    return atomic_load(&page->blocks[of]);
}

void faults_count_clock_use(bool wall)
{
    if (page) atomic_fetch_add(&page->clock_uses[wall], 1);
}

unsigned long faults_clock_uses(bool wall)
{
    return atomic_load(&page->clock_uses[wall]);
}

/* Whether this call is to fail; errno is set then. */
static bool fails(enum fault_kind kind)
{
    void (*function)(void *) = before.function;
    if (function && before.kind == kind) {
        before.function = NULL;
        function(before.arg);
    }
    if (!page || !atomic_load(&page->armed) || page->fault.role != role || page->fault.kind != kind) return false;
    unsigned number = atomic_fetch_add(&page->calls, 1) + 1;
    if (number < page->fault.nth || (number > page->fault.nth && !page->fault.and_on)) return false;
    void (*hit)(void) = atomic_load(&on_hit);
    if (hit) hit();
    atomic_fetch_add(&page->hits, 1);
    errno = page->fault.error ? page->fault.error : kinds[kind].error;
    return true;
}

/* --- memory --- */

static void *counted(void *block)
{
    if (page && block) atomic_fetch_add(&page->blocks[role], 1);
    return block;
}

void *fault_malloc(size_t size);
void *fault_malloc(size_t size)
{
    return fails(FAULT_MALLOC) ? NULL : counted(malloc(size));
}

void *fault_calloc(size_t count, size_t size);
void *fault_calloc(size_t count, size_t size)
{
    return fails(FAULT_MALLOC) ? NULL : counted(calloc(count, size));
}

void *fault_realloc(void *block, size_t size);
void *fault_realloc(void *block, size_t size)
{
    if (fails(FAULT_MALLOC)) return NULL;
    return block ? realloc(block, size) : counted(malloc(size));
}

void *fault_reallocarray(void *block, size_t count, size_t size);
void *fault_reallocarray(void *block, size_t count, size_t size)
{
    if (fails(FAULT_MALLOC)) return NULL;
    return block ? reallocarray(block, count, size) : counted(reallocarray(NULL, count, size));
}

char *fault_strdup(const char *text);
char *fault_strdup(const char *text)
{
    return fails(FAULT_MALLOC) ? NULL : counted(strdup(text));
}

char *fault_strndup(const char *text, size_t most);
char *fault_strndup(const char *text, size_t most)
{
    return fails(FAULT_MALLOC) ? NULL : counted(strndup(text, most));
}

void fault_free(void *block);
void fault_free(void *block)
{
    if (page && block) atomic_fetch_sub(&page->blocks[role], 1);
    free(block);
}

/* --- processes and threads --- */

pid_t fault_fork(void);
pid_t fault_fork(void)
{
    if (fails(FAULT_FORK)) return -1;
    pid_t pid = fork();
    if (pid == 0) role = FAULT_WORKER; /* the library forks for nothing else */
    return pid;
}

int fault_clone(int (*function)(void *), void *stack, int flags, void *arg, ...);
int fault_clone(int (*function)(void *), void *stack, int flags, void *arg, ...)
{
    return fails(FAULT_CLONE) ? -1 : clone(function, stack, flags, arg);
}

int fault_execve(const char *path, char *const arguments[], char *const variables[]);
int fault_execve(const char *path, char *const arguments[], char *const variables[])
{
    return fails(FAULT_EXECVE) ? -1 : execve(path, arguments, variables);
}

long fault_syscall(long number, ...);
long fault_syscall(long number, ...)
{
    if (number == SYS_pidfd_open && fails(FAULT_PIDFD_OPEN)) return -1;
    va_list list;
    va_start(list, number);
    long arguments[6];
    for (int i = 0; i < 6; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    struct timespec until;
    bool waits = number == SYS_futex && (arguments[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET && arguments[3];
    if (waits) {
        until = wall_futex_until(arguments[1], (const struct timespec *)arguments[3]);
        arguments[3] = (long)&until;
    }
    return syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

int fault_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg);
int fault_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg)
{
    return fails(FAULT_PTHREAD_CREATE) ? errno : pthread_create(thread, attributes, function, arg);
}

/* --- descriptors and mappings --- */

int fault_socketpair(int domain, int type, int protocol, int ends[2]);
int fault_socketpair(int domain, int type, int protocol, int ends[2])
{
    return fails(FAULT_SOCKETPAIR) ? -1 : socketpair(domain, type, protocol, ends);
}

int fault_pipe2(int ends[2], int flags);
int fault_pipe2(int ends[2], int flags)
{
    return fails(FAULT_PIPE) ? -1 : pipe2(ends, flags);
}

int fault_memfd_create(const char *name, unsigned flags);
int fault_memfd_create(const char *name, unsigned flags)
{
    return fails(FAULT_MEMFD) ? -1 : memfd_create(name, flags);
}

int fault_ftruncate(int fd, off_t length);
int fault_ftruncate(int fd, off_t length)
{
    return fails(FAULT_FTRUNCATE) ? -1 : ftruncate(fd, length);
}

void *fault_mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset);
void *fault_mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    return fails(FAULT_MMAP) ? MAP_FAILED : mmap(address, length, protection, flags, fd, offset);
}

/* The library never says where to. */
void *fault_mremap(void *address, size_t old_length, size_t length, int flags, ...);
void *fault_mremap(void *address, size_t old_length, size_t length, int flags, ...)
{
    return fails(FAULT_MREMAP) ? MAP_FAILED : mremap(address, old_length, length, flags);
}

int fault_eventfd(unsigned value, int flags);
int fault_eventfd(unsigned value, int flags)
{
    return fails(FAULT_EVENTFD) ? -1 : eventfd(value, flags);
}

int fault_epoll_create1(int flags);
int fault_epoll_create1(int flags)
{
    return fails(FAULT_EPOLL_CREATE) ? -1 : epoll_create1(flags);
}

int fault_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int fault_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    return operation == EPOLL_CTL_ADD && fails(FAULT_EPOLL_ADD) ? -1 : epoll_ctl(epoll, operation, fd, event);
}

int fault_timerfd_create(int clock, int flags);
int fault_timerfd_create(int clock, int flags)
{
    wall_count_timer(clock);
    return fails(FAULT_TIMERFD) ? -1 : timerfd_create(clock, flags);
}

int fault_signalfd(int fd, const sigset_t *set, int flags);
int fault_signalfd(int fd, const sigset_t *set, int flags)
{
    return fails(FAULT_SIGNALFD) ? -1 : signalfd(fd, set, flags);
}

int fault_open(const char *path, int flags, ...);
int fault_open(const char *path, int flags, ...)
{
    return fails(FAULT_OPEN) ? -1 : open(path, flags); /* the library makes no files */
}

ssize_t fault_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t fault_sendmsg(int fd, const struct msghdr *message, int flags)
{
    return fails(FAULT_SENDMSG) ? -1 : sendmsg(fd, message, flags);
}

ssize_t fault_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t fault_recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t n = recvmsg(fd, message, flags);
    struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(message) : NULL;
    if (!header || header->cmsg_type != SCM_RIGHTS || !fails(FAULT_RECEIVE)) return n;
    for (size_t at = CMSG_LEN(0); at < header->cmsg_len; at += sizeof(int)) {
        int received;
        memcpy(&received, (char *)header + at, sizeof received);
        close(received);
    }
    message->msg_controllen = 0;
    message->msg_flags |= MSG_CTRUNC;
    return n;
}
