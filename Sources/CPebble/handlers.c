/* SPDX-License-Identifier: Apache-2.0
 *
 * A signal is counted where it strikes, and a semaphore posted, which is the
 * one way of waking a thread that POSIX allows there and needs no descriptor.
 * The thread takes the counts, and calls the handlers once for each, or counts
 * it for those whose signals are read. */
#include "compat.h"
#include "entry.h"
#include "fd.h"
#include "latch.h"
#include "sig.h"
#include "pebble/sig.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static_assert(ATOMIC_INT_LOCK_FREE == 2, "on_signal needs it");
static_assert(NSIG <= 65, "the signals fit into a guard");

struct pebble_signal_handler {
    TAILQ_ENTRY(pebble_signal_handler) link;
    sigset_t signals;
    pebble_signal_function function; /* NULL: its signals are read */
    void *arg;
    uint64_t number; /* in the order of making */
    bool listed;     /* not so in a fork */
    bool awaited;    /* pebble_signal_forget waits for `returned` */
    struct pb_latch returned;
    int fd;                /* without a function: readable while `unread` is not 0 */
    unsigned unread;       /* the sum of `came` */
    unsigned came[NSIG];
};

/* Process-wide, as dispositions are. */
static struct {
    pthread_mutex_t lock; /* of all that follows, but what is atomic; not held in calls */
    TAILQ_HEAD(, pebble_signal_handler) handlers;
    struct pebble_signal_handler *running;
    uint64_t made;
    unsigned users[NSIG];             /* handlers for each signal */
    struct sigaction previous[NSIG];  /* valid while there are any */
    bool watches_forks, has_thread;
    pthread_t thread;
    sigset_t mask; /* of the thread that forks, meanwhile */
    sem_t bell;
    atomic_uint arrived[NSIG], forks;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .handlers = TAILQ_HEAD_INITIALIZER(all.handlers)};

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (number == SIGFPE && info->si_code > 0) { /* from the kernel: the instruction at fault is tried again */
        pb_sig_give_back(number, on_signal, &all.previous[number]);
        return;
    }
    int saved = errno;
    if (atomic_fetch_add(&all.arrived[number], 1) == 0) sem_post(&all.bell);
    errno = saved;
}

/* --- the thread --- */

/* How often the signal came, and the last handler that was made by then: a later one has no part in it. */
static unsigned take(int signal, uint64_t *ret_last)
{
    pthread_mutex_lock(&all.lock);
    unsigned count = atomic_exchange(&all.arrived[signal], 0);
    *ret_last = all.made;
    pthread_mutex_unlock(&all.lock);
    return count;
}

/* With the lock held. Neither call can block: the value is 0 or 1. */
static void show(const struct pebble_signal_handler *handler, bool readable)
{
    uint64_t value = 1;
    ssize_t length = readable ? write(handler->fd, &value, sizeof value) : read(handler->fd, &value, sizeof value);
    assert(length == sizeof value);
    (void)length;
}

static void add_to_read(struct pebble_signal_handler *handler, int signal)
{
    handler->came[signal]++;
    if (handler->unread++ == 0) show(handler, true);
}

/* Calls the first handler for the signal that was made after *number, which becomes its own, and up to `last`. */
static bool call_next(int signal, uint64_t *number, uint64_t last)
{
    struct pebble_signal_handler *handler;
    pthread_mutex_lock(&all.lock);
    TAILQ_FOREACH(handler, &all.handlers, link)
        if (handler->number > *number && sigismember(&handler->signals, signal)) break;
    if (!handler || handler->number > last) {
        pthread_mutex_unlock(&all.lock);
        return false;
    }
    *number = handler->number;
    if (!handler->function) {
        add_to_read(handler, signal);
        pthread_mutex_unlock(&all.lock);
        return true;
    }
    all.running = handler;
    pebble_signal_function function = handler->function;
    void *arg = handler->arg;
    pthread_mutex_unlock(&all.lock);

    function(signal, arg);

    pthread_mutex_lock(&all.lock);
    handler = all.running; /* NULL when it was forgotten from within */
    all.running = NULL;
    if (handler && handler->awaited) pb_latch_set(&handler->returned, 1);
    pthread_mutex_unlock(&all.lock);
    return true;
}

static void call_all(int signal)
{
    uint64_t last;
    for (unsigned count = take(signal, &last); count; count--)
        for (uint64_t number = 0; call_next(signal, &number, last);)
            continue;
}

static void *thread_main(void *arg)
{
    unsigned forks = atomic_load(&all.forks);
    pthread_setname_np(pthread_self(), "pebble-signals");
    while (forks == atomic_load(&all.forks)) { /* in a fork that a handler made and came back from, all ends here */
        while (sem_wait(&all.bell) < 0)
            continue;
        for (int signal = 1; signal < NSIG; signal++)
            call_all(signal);
    }
    return arg;
}

/* --- forks --- */

/* All signals are blocked, so that one that comes to the child before its
 * dispositions are back is not taken for the parent's. */
static void before_fork(void)
{
    sigset_t mask;
    pb_sig_block_all(&mask);
    pthread_mutex_lock(&all.lock);
    all.mask = mask;
}

static void after_fork(void)
{
    sigset_t mask = all.mask;
    pthread_mutex_unlock(&all.lock);
    pb_sig_restore(&mask);
}

static void after_fork_child(void)
{
    struct pebble_signal_handler *handler, *next;
    TAILQ_FOREACH_SAFE(handler, &all.handlers, link, next) {
        TAILQ_REMOVE(&all.handlers, handler, link);
        handler->listed = false;
    }
    for (int signal = 1; signal < NSIG; signal++) {
        if (all.users[signal]) pb_sig_give_back(signal, on_signal, &all.previous[signal]);
        all.users[signal] = 0;
        atomic_store(&all.arrived[signal], 0);
    }
    all.running = NULL;
    all.has_thread = false;
    atomic_fetch_add(&all.forks, 1);
    after_fork();
}

/* With the lock held. */
static int prepare(void)
{
    if (!all.watches_forks) {
        int rc = pthread_atfork(before_fork, after_fork, after_fork_child);
        if (rc) return -rc;
        all.watches_forks = true;
    }
    if (all.has_thread) return 0;
    sigset_t old;
    sem_init(&all.bell, 0, 0);
    pb_sig_block_all(&old);
    int rc = pthread_create(&all.thread, NULL, thread_main, NULL);
    pb_sig_restore(&old);
    if (rc) return -rc;
    pthread_detach(all.thread);
    all.has_thread = true;
    return 0;
}

/* --- handlers --- */

static int set_of(const int signals[], size_t count, sigset_t *ret_set)
{
    sigemptyset(ret_set);
    for (size_t i = 0; i < count; i++)
        if (signals[i] == SIGKILL || signals[i] == SIGSTOP || sigaddset(ret_set, signals[i]) < 0) return -EINVAL;
    return 0;
}

static bool tells_of_fault(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGTRAP || signal == SIGSYS ||
           signal == SIGABRT;
}

static int handle(const int signals[], size_t count, pebble_signal_function function, void *arg, int fd,
                  pebble_signal_handler **ret_handler)
{
    sigset_t set;
    if (count == 0 || set_of(signals, count, &set) < 0) return -EINVAL;
    for (size_t i = 0; i < count; i++)
        if (tells_of_fault(signals[i])) return -EINVAL;
    struct pebble_signal_handler *handler = malloc(sizeof *handler);
    if (!handler) return -ENOMEM;
    *handler = (struct pebble_signal_handler){.signals = set, .function = function, .arg = arg, .fd = fd, .listed = true};

    pthread_mutex_lock(&all.lock);
    int rc = prepare();
    if (rc == 0) {
        handler->number = ++all.made;
        TAILQ_INSERT_TAIL(&all.handlers, handler, link);
        for (int signal = 1; signal < NSIG; signal++) {
            if (!sigismember(&set, signal) || all.users[signal]++) continue;
            atomic_store(&all.arrived[signal], 0); /* what an earlier handler has left */
            pb_sig_catch(signal, on_signal, &all.previous[signal]);
        }
    }
    pthread_mutex_unlock(&all.lock);
    if (rc == 0)
        *ret_handler = handler;
    else
        free(handler);
    return rc;
}

int pebble_signal_handle(const int *signals, size_t count, pebble_signal_function function, void *arg,
                         pebble_signal_handler **ret_handler)
{
    return handle(signals, count, function, arg, -1, ret_handler);
}

int pebble_signal_open(const int *signals, size_t count, pebble_signal_handler **ret_handler)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return -errno;
    int rc = handle(signals, count, NULL, NULL, fd, ret_handler);
    if (rc < 0) pb_close(&fd);
    return rc;
}

int pebble_signal_fd(const pebble_signal_handler *handler)
{
    return handler->fd < 0 ? -EINVAL : handler->fd;
}

int pebble_signal_read(pebble_signal_handler *handler, int *ret_signal)
{
    if (handler->fd < 0) return -EINVAL;
    pthread_mutex_lock(&all.lock);
    int rc = !handler->listed ? -ECHILD : handler->unread == 0 ? -EAGAIN : 0;
    if (rc == 0) {
        int signal = 1;
        while (!handler->came[signal])
            signal++;
        handler->came[signal]--;
        if (--handler->unread == 0) show(handler, false);
        *ret_signal = signal;
    }
    pthread_mutex_unlock(&all.lock);
    return rc;
}

int pebble_signal_declare(int signal, pebble_signal_function function)
{
    struct pebble_signal_handler *listed;
    return pb_entry_is_marked() ? 0 : pebble_signal_handle(&signal, 1, function, NULL, &listed);
}

/* With the lock held. */
static void unlist(struct pebble_signal_handler *handler)
{
    TAILQ_REMOVE(&all.handlers, handler, link);
    for (int signal = 1; signal < NSIG; signal++)
        if (sigismember(&handler->signals, signal) && --all.users[signal] == 0)
            pb_sig_give_back(signal, on_signal, &all.previous[signal]);
}

void pebble_signal_forget(pebble_signal_handler *handler)
{
    if (!handler) return;
    pthread_mutex_lock(&all.lock);
    if (handler->listed) unlist(handler);
    if (all.running == handler && pthread_equal(all.thread, pthread_self())) all.running = NULL;
    handler->awaited = all.running == handler;
    pthread_mutex_unlock(&all.lock);
    if (handler->awaited) pb_latch_wait(&handler->returned, 1, PEBBLE_FOREVER);
    pb_close(&handler->fd);
    free(handler);
}

/* --- guards --- */

#define BIT(signal) (UINT64_C(1) << ((signal) - 1))

int pebble_signals_block(const int *signals, size_t count, struct pebble_signal_guard *ret_guard)
{
    sigset_t set, old;
    if (set_of(signals, count, &set) < 0) return -EINVAL;
    pb_sig_block(&set, &old);
    ret_guard->blocked = 0;
    for (int signal = 1; signal < NSIG; signal++)
        if (sigismember(&set, signal) && !sigismember(&old, signal)) ret_guard->blocked |= BIT(signal);
    return 0;
}

void pebble_signals_restore(const struct pebble_signal_guard *guard)
{
    sigset_t set;
    sigemptyset(&set);
    for (int signal = 1; signal < NSIG; signal++)
        if (guard->blocked & BIT(signal)) sigaddset(&set, signal);
    pb_sig_unblock(&set);
}
