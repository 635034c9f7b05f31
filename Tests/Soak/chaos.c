/* SPDX-License-Identifier: Apache-2.0
 * What is done to the processes: SIGKILL at any moment, SIGSTOP for a while, or,
 * of the fork server, for good. */
#define _GNU_SOURCE
#include "soak.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOM 16    /* for processes that are stopped at one time */
#define EVENTS 64  /* that are remembered */
#define LONG_EPOCH (30 * SECOND) /* in which a server may be left stopped: that takes up to 16 s */

/* --- what was done --- */

static struct {
    int64_t at;
    const char *what;
    pid_t pid;
} events[EVENTS];
static unsigned event_count;

static void note(const char *what, pid_t pid)
{
    events[event_count % EVENTS].at = now() - soak.began;
    events[event_count % EVENTS].what = what;
    events[event_count++ % EVENTS].pid = pid;
}

void print_events(void)
{
    for (unsigned n = event_count > EVENTS ? event_count - EVENTS : 0; n < event_count; n++)
        fprintf(stderr, "soak: at %.3f s of epoch %u: %s %d\n", (double)events[n % EVENTS].at / 1e9, soak.epoch,
                events[n % EVENTS].what, (int)events[n % EVENTS].pid);
}

/* --- signals, by pidfd: the number may mean another process by now --- */

static pid_t parent_of(pid_t pid)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    pid_t parent = 0;
    if (file && fgets(line, sizeof line, file)) {
        char *end = strrchr(line, ')');
        if (end) sscanf(end + 1, " %*c %d", &parent);
    }
    if (file) fclose(file);
    return parent;
}

static bool has_title(pid_t pid, const char *expected)
{
    char path[64], title[64] = "";
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    FILE *file = fopen(path, "re");
    bool same = file && fgets(title, sizeof title, file) && strcmp(title, expected) == 0;
    if (file) fclose(file);
    return same;
}

static bool send_signal(int pidfd, int signal)
{
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0;
}

/* A worker is a child of the server; the server is nobody's that we know, but
 * its title says what it is. A descriptor, or -1. */
static int open_victim(pid_t server, pid_t worker)
{
    pid_t pid = worker ? worker : server;
    int pidfd = server > 1 && pid > 1 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    bool right = pidfd >= 0 && (worker ? parent_of(worker) == server : has_title(server, "pebble: fork server"));
    if (right || pidfd < 0) return pidfd;
    close(pidfd);
    return -1;
}

static bool strike(pid_t server, pid_t worker)
{
    int pidfd = open_victim(server, worker);
    if (pidfd < 0) return false;
    bool sent = send_signal(pidfd, SIGKILL);
    close(pidfd);
    return sent;
}

/* --- those that are stopped --- */

static struct stopped {
    int pidfd; /* 0: none */
    pid_t pid;
    int64_t until;
} stopped[ROOM];

static bool stop(pid_t server, pid_t worker, int64_t time)
{
    struct stopped *place = stopped;
    while (place < stopped + ROOM && place->pidfd)
        place++;
    int pidfd = place < stopped + ROOM ? open_victim(server, worker) : -1;
    if (pidfd < 0) return false;
    if (!send_signal(pidfd, SIGSTOP)) {
        close(pidfd);
        return false;
    }
    *place = (struct stopped){pidfd, worker ? worker : server, now() + time};
    return true;
}

static void resume(int64_t time)
{
    for (struct stopped *place = stopped; place < stopped + ROOM; place++) {
        if (!place->pidfd || place->until > time) continue;
        note("resumed", place->pid);
        send_signal(place->pidfd, SIGCONT);
        close(place->pidfd);
        place->pidfd = 0;
    }
}

/* --- the dice --- */

static pid_t some_worker(pid_t server, uint64_t *state)
{
    unsigned at = (unsigned)(roll(state) % MAX_PIDS);
    for (unsigned n = 0; n < MAX_PIDS; n++) {
        pid_t worker = atomic_load(&board->workers[(at + n) % MAX_PIDS]);
        if (worker && parent_of(worker) == server) return worker;
    }
    return 0;
}

static void act(uint64_t *state, unsigned dice)
{
    pid_t server = atomic_load(&board->server), worker = some_worker(server, state);
    int64_t time = (int64_t)(1 + roll(state) % 200) * MILLISECOND;
    if (dice < 300 && worker && strike(server, worker)) {
        note("killed worker", worker);
        atomic_fetch_add(&soak.kills, 1);
    } else if (dice >= 300 && dice < 500 && worker && stop(server, worker, time)) {
        note("stopped worker", worker);
        atomic_fetch_add(&soak.stops, 1);
    } else if (dice >= 500 && dice < 506 && strike(server, 0)) {
        note("killed server", server);
        atomic_fetch_add(&soak.server_kills, 1);
    } else if (dice >= 510 && dice < 515 && stop(server, 0, time)) {
        note("stopped server", server);
        atomic_fetch_add(&soak.server_stops, 1);
    }
}

/* Once in a long epoch the server is stopped and left so: its host has to notice. */
static bool leave_server_stopped(int64_t at)
{
    bool due = soak.until - soak.began >= LONG_EPOCH && at < soak.until - LONG_EPOCH / 2 && now() >= at;
    pid_t server = atomic_load(&board->server);
    if (!due || !stop(server, 0, PATIENCE)) return false;
    note("stopped server for good", server);
    atomic_fetch_add(&soak.servers_left_stopped, 1);
    return true;
}

void *rage(void *unused)
{
    (void)unused;
    uint64_t state = dice_of(THREADS);
    int64_t left_stopped_at = soak.began + (int64_t)(roll(&state) % (uint64_t)(soak.until - soak.began + 1));
    bool left_stopped = false;
    event_count = 0;
    while (now() < soak.until && !atomic_load(&soak.failed)) {
        sleep_for((int64_t)(roll(&state) % 20) * MILLISECOND); /* some moment */
        resume(now());
        act(&state, (unsigned)(roll(&state) % 1000));
        if (!left_stopped) left_stopped = leave_server_stopped(left_stopped_at);
    }
    resume(INT64_MAX);
    atomic_store(&soak.over, true);
    return NULL;
}
