/* SPDX-License-Identifier: Apache-2.0
 *
 * The server owes its hosts two things: a packet for every worker started
 * (STARTED) and ended (EXITED), and that no process outlives its worker, nor a
 * worker its host. It never blocks on a host: what does not fit the channel is
 * kept with the worker until the channel is writable.
 *
 * A worker is a subreaper too, so processes that were left behind by a job stay
 * below it while it lives and come to us when it dies: whatever is our child
 * and no worker was left behind by a dead one, and is killed. */
#include "compat.h"
#include "serve.h"
#include "boot.h"
#include "child.h"
#include "crash.h"
#include "control.h"
#include "fd.h"
#include "proc.h"
#include "sig.h"
#include "spawn.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#define LINGER_MS 5000 /* how long an unused server stays for a next pool */
#define BUCKETS 256
#define PACKETS 32 /* of one channel at a time */

struct channel {
    int fd;
    unsigned depth; /* of the workers started through it */
    bool pool;      /* asked for with CONNECT; else only more of them can be asked for here */
    bool writing;   /* waiting until it is writable */
    TAILQ_HEAD(, worker) owed;
    LIST_HEAD(, worker) workers;
    TAILQ_ENTRY(channel) link;
};

struct worker {
    pid_t pid;
    uint64_t id;
    struct channel *channel; /* NULL: its host is gone */
    struct channel *inner;   /* for the pools of its jobs; NULL: closed */
    int pidfd;               /* to send with STARTED */
    int error;
    bool owes_started, owes_exited, queued;
    struct pb_exit exit;
    LIST_ENTRY(worker) bucket, sibling;
    TAILQ_ENTRY(worker) owed;
};

static struct {
    pid_t pid;
    int epoll, signals, host;
    unsigned pools; /* channels that are */
    bool host_done; /* the first channel is closed: no more pools will come from the host itself */
    struct channel *first;
    TAILQ_HEAD(, channel) channels;
    LIST_HEAD(, worker) buckets[BUCKETS];
} serving;

/* --- channels --- */

static int watch(int fd, uint32_t events, void *tag)
{
    struct epoll_event event = {.events = events, .data.ptr = tag};
    return epoll_ctl(serving.epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* NULL, with errno: it could not be, and the descriptor stays the caller's. */
static struct channel *open_channel(int fd, unsigned depth, bool pool)
{
    struct channel *channel = calloc(1, sizeof *channel);
    if (!channel || watch(fd, EPOLLIN, channel) < 0) {
        free(channel);
        return NULL;
    }
    channel->fd = fd;
    channel->depth = depth;
    channel->pool = pool;
    TAILQ_INIT(&channel->owed);
    TAILQ_INSERT_TAIL(&serving.channels, channel, link);
    serving.pools += pool;
    return channel;
}

static void free_worker(struct worker *worker)
{
    pb_close(&worker->pidfd);
    free(worker);
}

/* Its workers die with a channel. They are forgotten when they are reaped. */
static void close_channel(struct channel *channel)
{
    struct worker *worker, *next;
    LIST_FOREACH_SAFE(worker, &channel->workers, sibling, next) {
        worker->channel = NULL;
        worker->queued = false;
        if (worker->pid) {
            kill(-worker->pid, SIGKILL);
            kill(worker->pid, SIGKILL);
        } else {
            free_worker(worker);
        }
    }
    epoll_ctl(serving.epoll, EPOLL_CTL_DEL, channel->fd, NULL);
    pb_close(&channel->fd);
    TAILQ_REMOVE(&serving.channels, channel, link);
    serving.pools -= channel->pool;
    if (channel == serving.first) {
        serving.first = NULL;
        serving.host_done = true;
    }
    free(channel);
}

/* --- what is owed to hosts --- */

/* Sends what the worker owes. 0: all of it; -EAGAIN: not yet; else its host is gone. */
static int pay(struct worker *worker)
{
    int rc = 0;
    if (worker->owes_started) {
        struct pb_control message = {
            .kind = PB_CONTROL_STARTED, .worker = worker->id, .pid = worker->pid, .error = worker->error};
        rc = pb_control_send(worker->channel->fd, &message, worker->pidfd);
        if (rc == -ETOOMANYREFS) rc = pb_control_send(worker->channel->fd, &message, -1); /* it can ask us to kill */
        if (rc < 0) return rc;
        worker->owes_started = false;
        pb_close(&worker->pidfd);
    }
    if (worker->owes_exited) {
        struct pb_control message = {.kind = PB_CONTROL_EXITED, .worker = worker->id, .exit = worker->exit};
        if ((rc = pb_control_send(worker->channel->fd, &message, -1)) < 0) return rc;
        worker->owes_exited = false;
    }
    return 0;
}

static void want_writable(struct channel *channel, bool writing)
{
    if (channel->writing == writing) return;
    channel->writing = writing;
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0U), .data.ptr = channel};
    epoll_ctl(serving.epoll, EPOLL_CTL_MOD, channel->fd, &event);
}

/* A failed send for another reason than lack of room means that the host is
 * gone; the hang-up that comes with it closes the channel. */
static void pay_all(struct channel *channel)
{
    struct worker *worker;
    while ((worker = TAILQ_FIRST(&channel->owed))) {
        if (pay(worker) == -EAGAIN) break;
        TAILQ_REMOVE(&channel->owed, worker, owed);
        worker->queued = false;
        if (worker->pid == 0) { /* ended, or never began */
            LIST_REMOVE(worker, sibling);
            free_worker(worker);
        }
    }
    want_writable(channel, !TAILQ_EMPTY(&channel->owed));
}

static void owe(struct worker *worker)
{
    if (!worker->queued) TAILQ_INSERT_TAIL(&worker->channel->owed, worker, owed);
    worker->queued = true;
    pay_all(worker->channel);
}

/* --- starting workers --- */

static int start_process(struct worker *worker, const struct pb_control *request, const int *fds)
{
    if (!pb_control_is_complete(request, fds)) return -EINVAL;
    if (!request->spawn && !pb_single_threaded()) return -ENOTSUP;
    int ends[2];
    int rc = pb_control_pair(ends);
    if (rc < 0) return rc;
    unsigned depth = worker->channel->depth;
    struct channel *inner = open_channel(ends[0], depth + 1, false);
    pid_t pid = inner ? pb_spawn_fork() : -1;
    if (pid == 0) pb_child_become(request, fds, ends[1], depth, serving.pid);
    int error = errno;
    pb_close(&ends[1]);
    if (pid < 0) {
        if (inner)
            close_channel(inner);
        else
            pb_close(&ends[0]);
        return -error;
    }
    setpgid(pid, pid); /* here as well: whichever of the two comes first */
    worker->pid = pid;
    worker->inner = inner;
    worker->pidfd = pb_pidfd_open(pid);
    LIST_INSERT_HEAD(&serving.buckets[(unsigned)pid % BUCKETS], worker, bucket);
    return 0;
}

static void start_worker(struct channel *channel, const struct pb_control *request, const int *fds)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker) {
        struct pb_control message = {.kind = PB_CONTROL_STARTED, .worker = request->worker, .error = ENOMEM};
        pb_control_send(channel->fd, &message, -1); /* else the host's own limit on the start ends the wait */
        return;
    }
    worker->pidfd = -1;
    worker->id = request->worker;
    worker->channel = channel;
    LIST_INSERT_HEAD(&channel->workers, worker, sibling);
    int rc = start_process(worker, request, fds);
    worker->error = rc < 0 ? -rc : 0;
    worker->owes_started = true;
    owe(worker);
}

/* What the host cannot do itself for want of a pidfd. */
static void kill_worker(struct channel *channel, const struct pb_control *request)
{
    struct worker *worker;
    LIST_FOREACH(worker, &channel->workers, sibling)
        if (worker->id == request->worker && worker->pid) kill(worker->pid, request->terminate ? SIGTERM : SIGKILL);
}

/* --- ends --- */

static struct worker *worker_of(pid_t pid)
{
    struct worker *worker;
    LIST_FOREACH(worker, &serving.buckets[(unsigned)pid % BUCKETS], bucket)
        if (worker->pid == pid) return worker;
    return NULL;
}

static bool is_worker(pid_t pid)
{
    return worker_of(pid) != NULL;
}

static void bury(struct worker *worker, const struct pb_exit *how)
{
    LIST_REMOVE(worker, bucket);
    worker->pid = 0;
    worker->exit = *how;
    if (worker->inner) close_channel(worker->inner);
    if (!worker->channel) {
        free_worker(worker);
        return;
    }
    worker->owes_exited = true;
    owe(worker);
}

static void reap(void)
{
    pb_sig_drain(serving.signals);
    bool any = false;
    for (pid_t pid; (pid = pb_child_ended()) > 0; any = true) {
        struct worker *worker = worker_of(pid);
        if (worker) kill(-pid, SIGKILL); /* its group, while the pid is still its own */
        struct pb_exit how;
        if (pb_child_reap(pid, &how) == 0 && worker) bury(worker, &how);
    }
    if (any) pb_children_kill(is_worker); /* the rest was left behind by the dead */
}

static _Noreturn void leave(void)
{
    struct worker *worker;
    for (size_t i = 0; i < BUCKETS; i++)
        LIST_FOREACH(worker, &serving.buckets[i], bucket) kill(-worker->pid, SIGKILL);
    /* Each death may bring us the children of the dead. */
    while (pb_children_kill(NULL)) {
        sigset_t child;
        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        struct pb_exit how;
        pid_t pid;
        while ((pid = pb_child_ended()) == 0)
            sigwaitinfo(&child, NULL);
        if (pid > 0) pb_child_reap(pid, &how);
    }
    _exit(0);
}

/* --- the loop --- */

static void say_hello(int channel)
{
    pb_control_send(channel, &(struct pb_control){.kind = PB_CONTROL_HELLO}, -1);
}

static void connect_pool(struct channel *from, int fd)
{
    if (fd < 0) return;
    bool deep = from->depth > PB_DEPTH_MAX;
    if (!deep) say_hello(fd); /* first: what fails then is no fault of the program's */
    if (deep || !open_channel(fd, from->depth, true)) pb_close(&fd);
}

/* The inner channel of a worker is closed by the worker, or with it. */
static void forget_inner(struct channel *channel)
{
    struct worker *worker;
    for (size_t i = 0; i < BUCKETS; i++)
        LIST_FOREACH(worker, &serving.buckets[i], bucket)
            if (worker->inner == channel) worker->inner = NULL;
}

/* A few packets at a time: who sends without end holds up nobody else. */
static void receive(struct channel *channel)
{
    struct pb_control message;
    int fds[PB_CONTROL_FDS], rc = 0;
    for (int n = 0; n < PACKETS && (rc = pb_control_receive(channel->fd, &message, fds)) > 0; n++) {
        if (message.kind == PB_CONTROL_CONNECT && !channel->pool) {
            connect_pool(channel, fds[0]);
            continue;
        }
        if (message.kind == PB_CONTROL_START && channel->pool) start_worker(channel, &message, fds);
        if (message.kind == PB_CONTROL_KILL && channel->pool) kill_worker(channel, &message);
        pb_control_close(fds);
    }
    if (rc >= 0) return;
    if (!channel->pool) forget_inner(channel);
    close_channel(channel);
}

/* Who has asked for a channel already is to try again, and not to take the
 * program for one without an entry point. */
static _Noreturn void give_up(void)
{
    struct pb_control message;
    int fds[PB_CONTROL_FDS];
    while (pb_control_receive(PB_BOOT_CHANNEL_FD, &message, fds) > 0) {
        if (fds[0] >= 0) say_hello(fds[0]);
        pb_control_close(fds);
    }
    _exit(PB_EXIT_NO_MEANS);
}

static void set_up(void)
{
    serving.pid = getpid();
    pb_sig_reset(); /* of what initialisers of the program have set: for the workers */
    TAILQ_INIT(&serving.channels);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_NAME, "pebble-server");
    setproctitle("-pebble: fork server");
    pb_fd_fill_stdio();
    pb_crash_prepare(); /* for the workers */
    serving.host = PB_BOOT_EXTRA_FD;
    serving.signals = pb_sig_child_fd();
    serving.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (serving.signals < 0 || serving.epoll < 0 || watch(serving.signals, EPOLLIN, &serving.signals) < 0 ||
        watch(serving.host, EPOLLIN, &serving.host) < 0)
        give_up();
    serving.first = open_channel(PB_BOOT_CHANNEL_FD, pb_boot_depth(), false);
    if (!serving.first) give_up();
}

void pb_serve(void)
{
    set_up();
    for (;;) {
        /* One event at a time: a handler may close the channel of the next. */
        struct epoll_event event;
        int n = epoll_wait(serving.epoll, &event, 1, serving.pools ? -1 : LINGER_MS);
        if (n < 0 && errno != EINTR) leave();
        if (n == 0 && !serving.pools) leave();
        if (n <= 0) continue;
        if (event.data.ptr == &serving.host) leave();
        if (event.data.ptr == &serving.signals) {
            reap();
        } else {
            struct channel *channel = event.data.ptr;
            if (event.events & EPOLLOUT) pay_all(channel);
            if (event.events & ~(uint32_t)EPOLLOUT) receive(channel);
        }
        if (serving.host_done && !serving.pools) leave();
    }
}
