/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "child.h"
#include "call.h"
#include "fd.h"
#include "forkserver.h"
#include "joblink.h"
#include "mainqueue.h"
#include "sig.h"
#include "pebble/worker.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Written once, before any job runs. */
static bool in_worker;

bool pebble_in_worker(void)
{
    return in_worker;
}

struct child {
    struct pb_link link;
    const struct pb_boot *boot;
    int resumption; /* an eventfd, of each call in turn */
    /* the function called last: most workers call one again and again */
    struct pb_image_id image;
    uint64_t offset;
    pebble_function function;
};

static void show(const struct child *child, const char *job)
{
    if (*job)
        setproctitle("-pebble: %s worker %u: %s", child->boot->pool, child->boot->number, job);
    else
        setproctitle("-pebble: %s worker %u", child->boot->pool, child->boot->number);
}

static void set_up(unsigned depth)
{
    in_worker = true;
    char text[16];
    snprintf(text, sizeof text, "%u", depth);
    setenv("PEBBLE_DEPTH", text, 1);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* see serve.c */
    prctl(PR_SET_NAME, "pebble-worker");
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    pb_sig_ignore(SIGINT); /* a Ctrl-C is for the host, which ends us */
    setvbuf(stdout, NULL, _IOLBF, 0);
    pb_forkserver_inherit(PB_BOOT_EXTRA_FD);
}

static _Noreturn void leave(void)
{
    fflush(NULL);
    _exit(0);
}

/* The link is all that ties us to the host: without it there is nothing to do. */
static void send_all(struct child *child, const struct pb_frame *frame, const void *payload)
{
    int rc = pb_link_send(&child->link, frame, payload, NULL, NULL);
    while (rc == 0) {
        struct pollfd polled = {.fd = child->link.fd, .events = POLLOUT};
        poll(&polled, 1, -1);
        rc = pb_link_flush(&child->link);
    }
    if (rc < 0) leave();
}

static void next_job(struct child *child, struct pb_message *ret_job)
{
    int rc;
    while ((rc = pb_link_receive(&child->link, ret_job)) == 0)
        if (pb_mainqueue_serve_until(child->link.fd, POLLIN) < 0) leave();
    if (rc < 0) leave();
}

static pebble_function function_of(struct child *child, const struct pb_message *job)
{
    bool same = child->function && child->offset == job->head.offset &&
                memcmp(&child->image, &job->head.image, sizeof child->image) == 0;
    if (!same) {
        child->function = pb_image_resolve(&job->head.image, job->head.offset, job->path);
        child->image = job->head.image;
        child->offset = job->head.offset;
    }
    return child->function;
}

static void run(struct child *child, struct pb_message *job)
{
    pebble_function function = function_of(child, job);
    struct pb_frame answer = {.kind = PB_FRAME_NO_FUNCTION, .job = job->head.job};
    static max_align_t nothing; /* an input without bytes is an address too */
    struct pebble_call call = {.input = job->block ? job->block : &nothing,
                               .input_length = (size_t)job->head.length,
                               .resumption = child->resumption};
    if (function) {
        if (*job->name) show(child, job->name);
        answer.code = function(&call);
        fflush(stdout); /* what it printed is seen before its outcome is */
        if (*job->name) show(child, "");
        answer.kind = call.out_of_memory ? PB_FRAME_NO_MEMORY : PB_FRAME_REPLY;
        if (!call.out_of_memory) answer.length = call.reply_length;
    }
    send_all(child, &answer, call.reply);
    pb_call_done(&call);
    free(job->block);
}

void pb_child_main(const struct pb_boot *boot, unsigned depth)
{
    set_up(depth);
    static struct child child;
    child.boot = boot;
    child.resumption = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pb_link_adopt(&child.link, PB_BOOT_CHANNEL_FD);
    show(&child, "");
    send_all(&child, &(struct pb_frame){.kind = PB_FRAME_READY}, NULL);
    for (;;) {
        struct pb_message job;
        next_job(&child, &job);
        run(&child, &job);
    }
}
