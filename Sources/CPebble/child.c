/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "child.h"
#include "call.h"
#include "debugger.h"
#include "fd.h"
#include "forkserver.h"
#include "childlink.h"
#include "confine.h"
#include "crash.h"
#include "dump.h"
#include "rlimits.h"
#include "sig.h"
#include "spawn.h"
#include "throws.h"
#include "unwind.h"
#include "pebble/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Written once, before any job runs. */
static bool in_worker;

bool pebble_in_worker(void)
{
    return in_worker;
}

/* What runs, for who does not have the call: 1 + its number; 0: nothing. */
static struct pb_childlink *host;
static _Atomic uint64_t running;

bool pebble_job_cancelled(void)
{
    uint64_t job = atomic_load(&running);
    return pb_call_current_is_unwanted() || (job && pb_childlink_cancelled(host, job - 1));
}

struct child {
    struct pb_childlink link;
    const struct pb_boot *boot;
    int resumption; /* an eventfd, of each call in turn */
    /* the function called last: most workers call one again and again */
    struct pb_image_id image;
    uint64_t offset;
    pebble_function function;
    char path[UINT16_MAX + 1]; /* of its image */
    char shown[256]; /* what the title says that it does; not terminated */
    size_t shown_length; /* 0: nothing */
};

/* What it does, in its title. Jobs of one name follow each other: that is written when it changes. */
static void show(struct child *child, const char *job, size_t job_length)
{
    int length = (int)(job_length < sizeof child->shown ? job_length : sizeof child->shown);
    if (child->shown_length == (size_t)length && memcmp(child->shown, job, (size_t)length) == 0) return;
    child->shown_length = (size_t)length;
    memcpy(child->shown, job, (size_t)length);
    if (length)
        setproctitle("-pebble: %s worker %u: %.*s", child->boot->pool, child->boot->number, length, job);
    else
        setproctitle("-pebble: %s worker %u", child->boot->pool, child->boot->number);
}

static void wait_for_debugger(struct child *child)
{
    static const char doing[] = "waiting for a debugger";
    int64_t time = child->link.shared->debugger_time;
    if (time <= 0) return;
    show(child, doing, sizeof doing - 1);
    pb_debugger_await(time);
}

static void set_up(unsigned depth)
{
    in_worker = true;
    char text[16];
    snprintf(text, sizeof text, "%u", depth);
    setenv("PEBBLE_DEPTH", text, 1);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* see serve.c */
    prctl(PR_SET_NAME, "pebble-worker");
    pb_sig_ignore(SIGINT); /* a Ctrl-C is for the host, which ends us */
    setvbuf(stdout, NULL, _IOLBF, 0);
    pb_forkserver_inherit(PB_BOOT_EXTRA_FD);
}

static _Noreturn void leave(void)
{
    fflush(NULL);
    _exit(0);
}

static pebble_function function_of(struct child *child, const struct pb_claimed *job)
{
    const struct pb_slot *slot = job->slot;
    bool same = child->function && child->offset == slot->offset &&
                memcmp(&child->image, &slot->image, sizeof child->image) == 0;
    if (!same) {
        size_t length = slot->path_length;
        memcpy(child->path, job->path, length);
        child->path[length] = '\0';
        child->function = pb_image_resolve(&slot->image, slot->offset, child->path);
        child->image = slot->image;
        child->offset = slot->offset;
    }
    return child->function;
}

/* Before anything that is not trusted runs. No worker goes on that should be confined and is not. */
static void confine(struct child *child)
{
    struct pb_shared *shared = child->link.shared;
    if (!shared->confined) return;
    int rc = pb_forkserver_disinherit();
    if (rc == 0) rc = pb_confine(shared->readable);
    if (rc == 0) return;
    atomic_store(&shared->unconfined, (uint32_t)-rc);
    leave();
}

/* The link is all that ties us to the host: without it there is nothing to do. */
static void run(struct child *child, struct pb_claimed *job)
{
    pebble_function function = function_of(child, job);
    struct pebble_call call = {.input = job->input,
                               .input_length = (size_t)job->input_length,
                               .resumption = child->resumption,
                               .link = &child->link,
                               .number = job->number};
    enum pb_answer answer = PB_ANSWER_NO_FUNCTION;
    int code = 0;
    if (function) {
        call.reply = call.room = pb_childlink_reply_room(&child->link, &call.reply_capacity);
        show(child, job->name, job->slot->name_length);
        atomic_store_explicit(&running, job->number + 1, memory_order_relaxed);
        pb_throws_forget();
        code = pb_unwind_root(function, &call);
        atomic_store_explicit(&running, 0, memory_order_relaxed);
        if (job->number == 0 && child->link.shared->initialized && code == 0) confine(child);
        fflush(stdout); /* what it printed is seen before its outcome is */
        answer = call.out_of_memory ? PB_ANSWER_NO_MEMORY : PB_ANSWER_REPLY;
    }
    pb_childlink_tell_resident(&child->link);
    size_t length = answer == PB_ANSWER_REPLY ? call.reply_length : 0;
    if (!pb_childlink_answer(&child->link, job, answer, code, call.reply, length)) leave();
    pb_call_done(&call);
}

void pb_child_become(const struct pb_control *request, const int *fds, int inner, unsigned depth, pid_t server)
{
    struct pb_boot boot = {.role = PB_BOOT_WORKER, .number = request->number,
                           .backtracer = request->swift_backtrace != 0};
    strlcpy(boot.pool, request->pool, sizeof boot.pool);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* the server has one thread, so this means the server */
    if (getppid() != server) _exit(0);
    pb_fd_put(request->capture, fds + 1);
    pb_spawn_place_fds(fds[0], inner);
    pb_fd_discard(request->discard);
    pb_sig_unblock_all(); /* dispositions are the server's */
    pb_rlimits_apply(&request->limits);
    if (request->spawn) {
        struct pb_boot_env env;
        if (pb_boot_env(&boot, depth, &env) == 0) pb_spawn_exec_self(&env);
        _exit(PB_EXIT_NO_MEANS);
    }
    pb_set_cloexec(PB_BOOT_CHANNEL_FD, true);
    pb_set_cloexec(PB_BOOT_EXTRA_FD, true);
    pb_child_main(&boot, depth);
}

void pb_child_main(const struct pb_boot *boot, unsigned depth)
{
    set_up(depth);
    static struct child child;
    child.boot = boot;
    child.resumption = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pb_childlink_adopt(&child.link, PB_BOOT_CHANNEL_FD) < 0) leave();
    pb_crash_install(child.link.shared);
    pb_dump_install(&child.link.shared->dump);
    if (child.link.shared->remember_throws) pb_throws_install();
    host = &child.link;
    wait_for_debugger(&child);
    child.shown_length = 1; /* the title is the server's still */
    show(&child, "", 0);
    if (!child.link.shared->initialized) confine(&child);
    if (!pb_childlink_ready(&child.link)) leave();
    struct pb_claimed job;
    while (pb_childlink_next(&child.link, &job)) {
        run(&child, &job);
        if (!pb_childlink_has_work(&child.link)) show(&child, "", 0);
    }
    leave();
}
