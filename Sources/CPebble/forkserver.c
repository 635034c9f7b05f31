/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "forkserver.h"
#include "boot.h"
#include "control.h"
#include "entry.h"
#include "fd.h"
#include "proc.h"
#include "spawn.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* The one process-wide state of the library: the server is shared by all pools. */
static struct {
    pthread_mutex_t lock;
    int channel;    /* where CONNECT goes; -1: no server known */
    uint64_t name;  /* of that socket */
    bool inherited; /* it is our own parent and cannot be restarted */
    bool used;      /* of an inherited one: pools of this process were served */
    bool refused;   /* it was inherited, and then taken away */
    struct pb_proc process;
    unsigned number; /* of those that this process has started */
    pthread_once_t once;
    atomic_uint generation;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER, .channel = -1, .process = {0, -1}, .once = PTHREAD_ONCE_INIT};

/* A program may have closed all descriptors that it does not know, and opened others since: these are not ours to use,
 * nor to close. */
static void forget_what_was_closed(void)
{
    if (server.channel < 0 || pb_socket_name(server.channel) == server.name) return;
    server.channel = -1;
    server.process = PB_PROC_NONE;
}

static void before_fork(void)
{
    pthread_mutex_lock(&server.lock);
}

static void after_fork_parent(void)
{
    pthread_mutex_unlock(&server.lock);
}

/* A fork without exec is a process of its own: its first pool starts a server. */
static void after_fork_child(void)
{
    forget_what_was_closed();
    pb_close(&server.channel);
    pb_proc_done(&server.process);
    server.inherited = false;
    atomic_fetch_add(&server.generation, 1);
    pthread_mutex_unlock(&server.lock);
}

static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

unsigned pb_forkserver_generation(void)
{
    pthread_once(&server.once, watch_forks); /* from the first pool on, every fork counts */
    return atomic_load_explicit(&server.generation, memory_order_relaxed);
}

void pb_forkserver_inherit(int channel)
{
    server.channel = channel;
    server.name = pb_socket_name(channel);
    server.inherited = true;
}

int pb_forkserver_disinherit(void)
{
    pthread_mutex_lock(&server.lock);
    int rc = server.used ? -EBUSY : 0;
    if (rc == 0) pb_close(&server.channel);
    server.refused = rc == 0;
    pthread_mutex_unlock(&server.lock);
    return rc;
}

/* A new channel to the server that listens at the other end of this one. */
static int ask_for_channel(int channel, int *ret_channel)
{
    int ends[2];
    int rc = pb_control_pair(ends);
    if (rc < 0) return rc;
    rc = pb_control_send(channel, &(struct pb_control){.kind = PB_CONTROL_CONNECT}, ends[1]);
    pb_close(&ends[1]);
    if (rc < 0)
        pb_close(&ends[0]);
    else
        *ret_channel = ends[0];
    return rc;
}

/* The new server is asked for a channel before it runs: if it ends at once, it
 * is that channel which shows it, as with one that ends later. */
static int start(int *ret_channel)
{
    struct pb_boot_env env = {0};
    int ends[2] = {-1, -1}, self = -1, asked = -1;
    int rc = pb_boot_env(&(struct pb_boot){.role = PB_BOOT_SERVER}, pb_boot_depth() + 1, &env);
    if (rc < 0) return rc;
    if ((rc = pb_control_pair(ends)) < 0) goto out;
    if ((rc = self = pb_pidfd_open(getpid())) < 0) goto out;
    if ((rc = ask_for_channel(ends[0], &asked)) < 0) goto out;
    if ((rc = pb_spawn_detached(&env, ends[1], self)) < 0) goto out;
    if ((rc = pb_spawn_report(ends[0], &server.process)) < 0) goto out;
    server.channel = ends[0];
    server.name = pb_socket_name(server.channel);
    server.number++;
    *ret_channel = asked;
    ends[0] = asked = -1;
out:
    pb_close(&asked);
    pb_close(&self);
    pb_close(&ends[0]);
    pb_close(&ends[1]);
    pb_boot_env_done(&env);
    return rc;
}

int pb_forkserver_connect(int *ret_channel, bool *ret_fresh, unsigned *ret_server)
{
    pb_entry_refuse_unless_entered();
    if (pb_boot_depth() >= PB_DEPTH_MAX) return -ELOOP;

    bool fresh = false;
    pthread_mutex_lock(&server.lock);
    forget_what_was_closed();
    int rc = server.channel >= 0 ? ask_for_channel(server.channel, ret_channel) : -EPIPE;
    if ((rc == -EPIPE || rc == -ECONNRESET) && !server.inherited) {
        pb_close(&server.channel); /* it ended, as it does when idle for long */
        pb_proc_done(&server.process);
        rc = start(ret_channel);
        fresh = rc == 0;
    }
    if (rc == 0) *ret_server = server.number;
    if (rc == 0) server.used = true;
    if (server.refused) rc = -EPERM;
    pthread_mutex_unlock(&server.lock);
    if (rc == 0) *ret_fresh = fresh;
    return rc;
}

void pb_forkserver_kill(unsigned number)
{
    pthread_mutex_lock(&server.lock);
    forget_what_was_closed();
    if (server.number == number && !server.inherited) {
        pb_proc_kill(&server.process);
        pb_proc_done(&server.process);
        pb_close(&server.channel); /* who connects from now on is not to meet the dying one */
    }
    pthread_mutex_unlock(&server.lock);
}
