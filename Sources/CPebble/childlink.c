/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "childlink.h"
#include "annex.h"
#include "clock.h"
#include "fd.h"
#include "futex.h"
#include "mainqueue.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define SPIN 64 /* looks before going to sleep: less than a microsecond */

int pb_childlink_adopt(struct pb_childlink *link, int fd)
{
    *link = (struct pb_childlink){0};
    pb_stream_init(&link->stream, fd, UINT64_MAX);
    int memory = pb_stream_receive_fd(fd);
    if (memory < 0) return memory;
    void *shared = mmap(NULL, sizeof(struct pb_shared), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    int error = errno;
    close(memory);
    if (shared == MAP_FAILED) return -error;
    link->shared = shared;
    pb_arena_init(&link->outputs, PB_ARENA_SIZE);
    link->room_at = -1;
    /* Opened while it can be: a confined worker cannot open anything. */
    link->memory_use = link->shared->tell_resident ? open("/proc/self/statm", O_RDONLY | O_CLOEXEC) : -1;
    return 0;
}

/* --- waking each other --- */

/* Waits for the stream to be readable or writable. */
static bool wait_stream(struct pb_childlink *link, short events)
{
    struct pollfd polled = {.fd = link->stream.fd, .events = events};
    return poll(&polled, 1, -1) >= 0 || errno == EINTR;
}

static bool send_all(struct pb_childlink *link, const struct pb_frame *frame, const void *payload)
{
    int rc = pb_stream_send(&link->stream, frame, payload);
    while (rc == 0) {
        if (!wait_stream(link, POLLOUT)) return false;
        rc = pb_stream_flush(&link->stream);
    }
    return rc > 0;
}

static bool ring(struct pb_childlink *link)
{
    return send_all(link, &(struct pb_frame){.kind = PB_FRAME_BELL}, NULL);
}

/* When enough answers are there, or no more will come for now. */
static bool bell_is_due(const struct pb_childlink *link)
{
    const struct pb_shared *shared = link->shared;
    if (atomic_load(&shared->wants_bell) == PB_NO_BELL) return false;
    int32_t missing = (int32_t)(atomic_load(&shared->bell_at) - (uint32_t)link->taken);
    return missing <= 0 || atomic_load(&shared->submitted) == (uint32_t)link->taken;
}

static bool ring_if_wanted(struct pb_childlink *link)
{
    if (!bell_is_due(link)) return true;
    link->free_since = 0;
    uint32_t wanted = atomic_exchange(&link->shared->wants_bell, PB_NO_BELL);
    if (wanted == PB_BELL_ON_STREAM) return ring(link);
    if (wanted == PB_BELL_ON_WORD) pb_futex_wake_shared(&link->shared->wants_bell);
    return true;
}

bool pb_childlink_ready(struct pb_childlink *link)
{
    atomic_store(&link->shared->ready, 1);
    return ring_if_wanted(link);
}

bool pb_childlink_has_work(const struct pb_childlink *link)
{
    return atomic_load(&link->shared->submitted) != (uint32_t)link->taken || atomic_load(&link->shared->leave);
}

static void drop_bulk(struct pb_childlink *link)
{
    free(link->bulk);
    link->bulk = NULL;
}

/* --- the annex --- */

/* Where address space is limited, that is the job's. */
static bool may_map_annex(const struct pb_childlink *link)
{
    struct rlimit limit;
    return link->shared->has_annex && getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

/* After something of that length went over the stream. */
static void open_annex(struct pb_childlink *link, uint64_t length)
{
    if (link->annex || length <= PB_LARGE_SIZE || length > PB_ANNEX_HALF || !may_map_annex(link)) return;
    link->annex = pb_annex_map(link->shared);
    if (link->annex) atomic_store(&link->shared->annex, PB_ANNEX_OPEN);
}

static bool annex_is_unwanted(const struct pb_childlink *link)
{
    return atomic_load(&link->shared->annex) == PB_ANNEX_UNWANTED;
}

/* With nothing to do, and hence nothing in it. */
static void leave_annex(struct pb_childlink *link)
{
    uint32_t unwanted = PB_ANNEX_UNWANTED;
    if (!atomic_compare_exchange_strong(&link->shared->annex, &unwanted, PB_ANNEX_CLOSED)) return;
    pb_annex_unmap(link->annex);
    link->annex = NULL;
}

/* --- sleep --- */

/* A bulk input may come before we look for it; what is older than the next job
 * was taken back, and bells have done their work once they were seen. */
static bool read_stream(struct pb_childlink *link)
{
    struct pb_message message;
    int rc = 0;
    if (link->bulk_job < link->taken) drop_bulk(link);
    while (!link->bulk && (rc = pb_stream_receive(&link->stream, &message)) > 0) {
        if (message.head.kind == PB_FRAME_BULK && message.head.job >= link->taken) {
            link->bulk = message.payload;
            link->bulk_job = message.head.job;
        } else {
            free(message.payload);
        }
    }
    return rc >= 0;
}

/* False: the host is gone. */
static bool sleep_once(struct pb_childlink *link)
{
    bool on_word = !pb_mainqueue_exists();
    atomic_store(&link->shared->asleep, on_word ? PB_SLEEPS_ON_WORD : PB_SLEEPS_ON_STREAM);
    bool alive = true;
    if (!pb_childlink_has_work(link) && !annex_is_unwanted(link)) {
        if (on_word)
            pb_futex_wait_shared(&link->shared->asleep, PB_SLEEPS_ON_WORD, INT64_MAX);
        else
            alive = pb_mainqueue_serve_until(link->stream.fd, POLLIN, -1) == 0 && read_stream(link);
    }
    atomic_store(&link->shared->asleep, PB_AWAKE);
    return alive;
}

static bool wait_for_work(struct pb_childlink *link)
{
    if (pb_childlink_has_work(link)) return true;
    link->free_since = 0;
    for (int i = 0; i < SPIN; i++)
        if (pb_childlink_has_work(link)) return true;
    while (!pb_childlink_has_work(link)) {
        leave_annex(link);
        if (!sleep_once(link)) return false;
    }
    return true;
}

bool pb_childlink_cancelled(const struct pb_childlink *link, uint64_t number)
{
    return atomic_load(&link->shared->cancelled) == number + 1;
}

/* What was rung so far is read first: else it would add up with those who never read. */
int pb_childlink_doorbell(struct pb_childlink *link)
{
    if (!read_stream(link)) return -1;
    atomic_store(&link->shared->asleep, PB_SLEEPS_ON_STREAM);
    return link->stream.fd;
}

void pb_childlink_awake(struct pb_childlink *link)
{
    atomic_store(&link->shared->asleep, PB_AWAKE);
}

/* --- jobs --- */

static void complete(struct pb_childlink *link)
{
    atomic_store(&link->shared->completed, (uint32_t)link->taken);
}

/* A job that was there when the one before ended begins at that moment: the clock need not be read again. */
static bool claim(struct pb_childlink *link, struct pb_slot *slot)
{
    uint32_t queued = PB_CLAIM_QUEUED;
    int64_t now = link->free_since ? link->free_since : pb_now();
    link->free_since = 0;
    atomic_store_explicit(&slot->started, now, memory_order_relaxed);
    return atomic_compare_exchange_strong(&slot->claim, &queued, PB_CLAIM_RUNNING);
}

/* The input of the job that was just claimed. False: the host is gone. */
static bool fetch_bulk(struct pb_childlink *link, struct pb_claimed *job)
{
    while (!link->bulk || link->bulk_job != job->number) {
        drop_bulk(link); /* of a job that was taken back */
        if (!read_stream(link)) return false;
        if (!link->bulk && !wait_stream(link, POLLIN)) return false;
    }
    job->input = job->block = link->bulk;
    link->bulk = NULL;
    open_annex(link, job->input_length);
    return true;
}

bool pb_childlink_next(struct pb_childlink *link, struct pb_claimed *ret_job)
{
    for (;;) {
        if (!wait_for_work(link)) return false;
        if (atomic_load(&link->shared->submitted) == (uint32_t)link->taken) return false; /* leave */
        struct pb_slot *slot = &link->shared->slots[link->taken % PB_SLOTS];
        struct pb_claimed job = {.number = link->taken, .slot = slot, .input_length = slot->input_length};
        if (claim(link, slot)) {
            char *at = link->shared->inputs + slot->input_at;
            bool in_arena = slot->input_place == PB_IN_ARENA;
            job.input = in_arena ? at : slot->input_place == PB_IN_ANNEX ? link->annex : link->shared->large_input;
            job.path = at + (in_arena ? slot->input_length : 0);
            job.name = job.path + slot->path_length;
            if (slot->input_place == PB_ON_STREAM && !fetch_bulk(link, &job)) return false;
            link->taken++;
            *ret_job = job;
            return true;
        }
        slot->answer = PB_ANSWER_NONE;
        link->outputs_mark[link->taken % PB_SLOTS] = pb_arena_mark(&link->outputs);
        link->taken++;
        complete(link);
        if (!ring_if_wanted(link)) return false;
    }
}

int pb_childlink_update(struct pb_childlink *link, uint64_t number, const void *data, size_t length)
{
    struct pb_slot *slot = &link->shared->slots[number % PB_SLOTS];
    if (!slot->wants_updates) return 0;
    if (length > link->shared->max_payload) return -EFBIG;
    struct pb_frame frame = {.kind = PB_FRAME_UPDATE, .job = number, .length = length};
    if (!send_all(link, &frame, data)) return -EPIPE;
    slot->updates++; /* it can be seen to be done only after that */
    return 0;
}

/* --- answers --- */

void pb_childlink_progress(struct pb_childlink *link, uint64_t number, uint32_t done)
{
    atomic_store_explicit(&link->shared->slots[number % PB_SLOTS].progress, done, memory_order_relaxed);
}

void pb_childlink_tell_resident(struct pb_childlink *link)
{
    char text[128] = "";
    unsigned long long size, resident;
    if (link->memory_use < 0 || pread(link->memory_use, text, sizeof text - 1, 0) <= 0) return;
    if (sscanf(text, "%llu %llu", &size, &resident) == 2)
        atomic_store_explicit(&link->shared->resident, resident * (unsigned long)sysconf(_SC_PAGESIZE),
                              memory_order_relaxed);
}

static void reclaim_outputs(struct pb_childlink *link)
{
    uint32_t collected = atomic_load(&link->shared->collected);
    for (; (uint32_t)link->freed != collected; link->freed++)
        pb_arena_give_back(&link->outputs, link->outputs_mark[link->freed % PB_SLOTS]);
}

char *pb_childlink_reply_room(struct pb_childlink *link, size_t *ret_capacity)
{
    uint32_t capacity = 0;
    reclaim_outputs(link);
    link->room_at = pb_arena_take_most(&link->outputs, &capacity);
    *ret_capacity = capacity;
    return link->room_at < 0 ? NULL : link->shared->outputs + link->room_at;
}

char *pb_childlink_large_room(struct pb_childlink *link)
{
    reclaim_outputs(link);
    return link->freed < link->large_until ? NULL : link->shared->large_output;
}

char *pb_childlink_annex_room(struct pb_childlink *link)
{
    reclaim_outputs(link);
    bool free = link->annex && atomic_load(&link->shared->annex_replies) && link->freed >= link->annex_until;
    return free ? link->annex + PB_ANNEX_REPLIES : NULL;
}

bool pb_childlink_answer(struct pb_childlink *link, struct pb_claimed *job, enum pb_answer answer, int code,
                         const char *reply, size_t length)
{
    if (answer == PB_ANSWER_REPLY && length > link->shared->max_payload) {
        answer = PB_ANSWER_TOO_LARGE;
        length = 0;
    }
    bool in_place = link->room_at >= 0 && reply == link->shared->outputs + link->room_at;
    bool large = reply == link->shared->large_output && length;
    bool in_annex = link->annex && reply == link->annex + PB_ANNEX_REPLIES && length;
    bool bulk = answer == PB_ANSWER_REPLY && length && !in_place && !large && !in_annex;
    if (link->room_at >= 0) pb_arena_keep(&link->outputs, link->room_at, in_place ? (uint32_t)length : 0);
    struct pb_slot *slot = job->slot;
    slot->code = code;
    slot->answer = bulk ? PB_ANSWER_BULK : large ? PB_ANSWER_LARGE : in_annex ? PB_ANSWER_ANNEX : (uint32_t)answer;
    if (large) link->large_until = job->number + 1;
    if (in_annex) link->annex_until = job->number + 1;
    if (bulk) open_annex(link, length);
    slot->output_at = in_place ? (uint32_t)link->room_at : 0;
    slot->output_length = length;
    slot->finished = link->free_since = pb_now();
    link->outputs_mark[job->number % PB_SLOTS] = pb_arena_mark(&link->outputs);
    link->room_at = -1;
    free(job->block);
    complete(link);
    if (!bulk) return ring_if_wanted(link);
    struct pb_frame frame = {.kind = PB_FRAME_BULK, .job = job->number, .length = length};
    return send_all(link, &frame, reply);
}
