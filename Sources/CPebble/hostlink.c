/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "hostlink.h"
#include "hostannex.h"
#include "hostreply.h"
#include "clock.h"
#include "futex.h"

#include <stdlib.h>
#include <string.h>

#define TAKE_TIME PB_SECOND /* in which a worker claims its first job, or may be taken to have done so */
#define SMALL (32U * 1024) /* what is larger does not go into the arena */

/* --- jobs to the worker --- */

/* A worker that sleeps on the stream is woken by any frame: by the job's input when that goes there. */
static int wake(struct pb_hostlink *link, bool bulk_follows, bool may_owe)
{
    if (atomic_load(&link->shared->asleep) == PB_AWAKE) return 1;
    uint32_t slept = atomic_exchange(&link->shared->asleep, PB_AWAKE);
    if (slept == PB_SLEEPS_ON_WORD) pb_wakes_add(link->wakes, &link->shared->asleep);
    if (slept != PB_SLEEPS_ON_STREAM || bulk_follows || pb_stream_sending(&link->stream)) return 1;
    if (may_owe) return link->owes_bell = true;
    return pb_stream_send(&link->stream, &(struct pb_frame){.kind = PB_FRAME_BELL}, NULL);
}

static enum pb_place place_of(struct pb_hostlink *link, uint64_t length)
{
    if (length <= SMALL) return PB_IN_ARENA;
    if (length <= PB_LARGE_SIZE) return PB_IN_LARGE;
    return length <= PB_ANNEX_HALF && !link->live && pb_hostannex_open(link) ? PB_IN_ANNEX : PB_ON_STREAM;
}

/* Copies what goes into the arena: where it is, or -1. */
static int64_t place(struct pb_hostlink *link, const struct pb_submission *job, enum pb_place where, size_t path, size_t name)
{
    size_t input = where == PB_IN_ARENA ? (size_t)job->input_length : 0;
    int64_t at = pb_arena_take(&link->inputs, input + path + name);
    if (at < 0) return -1;
    char *memory = link->shared->inputs + at;
    if (input) memcpy(memory, job->input, input);
    memcpy(memory + input, job->path, path);
    memcpy(memory + input + path, job->name, name);
    return at;
}

static size_t bounded(const char *text)
{
    size_t length = strlen(text);
    return length < UINT16_MAX / 4 ? length : 0;
}

static void want_bell(struct pb_hostlink *link, enum pb_bell bell, uint32_t answers)
{
    atomic_store(&link->shared->bell_at, (uint32_t)link->collected + answers);
    atomic_store(&link->shared->wants_bell, bell);
}

/* Tells the worker of all that was submitted. As pb_stream_send. */
static int publish(struct pb_hostlink *link, bool bulk_follows, bool may_owe)
{
    atomic_store(&link->shared->submitted, (uint32_t)link->submitted);
    return wake(link, bulk_follows, may_owe);
}

int pb_hostlink_submit(struct pb_hostlink *link, const struct pb_submission *job, int64_t now)
{
    if (link->submitted - link->collected == PB_SLOTS || pb_hostlink_sending(link)) return 0;
    enum pb_place where = place_of(link, job->input_length);
    if (where != PB_IN_ARENA && link->live) return 0;
    size_t path = bounded(job->path), name = bounded(job->name);
    int64_t at = place(link, job, where, path, name);
    if (at < 0) return 0;
    if (where == PB_IN_LARGE) memcpy(link->shared->large_input, job->input, (size_t)job->input_length);

    struct pb_slot *slot = &link->shared->slots[link->submitted % PB_SLOTS];
    slot->input_at = (uint32_t)at;
    slot->input_length = job->input_length;
    slot->offset = job->offset;
    slot->image = *job->image;
    slot->path_length = (uint16_t)path;
    slot->name_length = (uint16_t)name;
    slot->input_place = where;
    slot->wants_updates = job->updates;
    slot->updates = 0;
    atomic_store_explicit(&slot->started, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->progress, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->claim, PB_CLAIM_QUEUED, memory_order_relaxed);
    size_t index = link->submitted % PB_SLOTS;
    link->jobs[index].tag = job->tag;
    link->jobs[index].inputs_mark = pb_arena_mark(&link->inputs);
    link->jobs[index].submitted_at = now;
    link->jobs[index].wants_updates = job->updates;
    link->jobs[index].updates = 0;
    link->jobs[index].began = 0;

    uint64_t number = link->submitted++;
    if (link->live++ == 0) want_bell(link, PB_BELL_ON_STREAM, 1);
    if (where == PB_IN_ANNEX) {
        link->input = (struct pb_copy){job->input, link->annex, job->input_length};
        int rc = pb_hostlink_flush(link);
        return rc < 0 ? rc : 1;
    }
    int rc = publish(link, where == PB_ON_STREAM, link->wakes != NULL);
    if (rc >= 0 && where == PB_ON_STREAM) {
        struct pb_frame frame = {.kind = PB_FRAME_BULK, .job = number, .length = job->input_length};
        rc = pb_stream_send(&link->stream, &frame, job->input);
    }
    return rc < 0 ? rc : 1;
}

void pb_hostlink_ring(struct pb_hostlink *link)
{
    link->owes_bell = false;
    if (!pb_stream_sending(&link->stream)) pb_stream_send(&link->stream, &(struct pb_frame){.kind = PB_FRAME_BELL}, NULL);
}

bool pb_hostlink_sending(const struct pb_hostlink *link)
{
    return pb_stream_sending(&link->stream) || link->input.left || link->reply_data;
}

int pb_hostlink_flush(struct pb_hostlink *link)
{
    if (link->input.left) {
        if (!pb_hostannex_copy(&link->input, false)) return 0;
        int rc = publish(link, false, false);
        if (rc < 0) return rc;
    }
    return pb_stream_flush(&link->stream);
}

void pb_hostlink_leave(struct pb_hostlink *link)
{
    pb_hostlink_leave_after(link);
    wake(link, false, false); /* a broken stream ends it as well */
}

void pb_hostlink_give_back(struct pb_hostlink *link)
{
    if (!link->live && pb_hostannex_close(link)) wake(link, false, false); /* it unmaps it; a broken stream ends it as well */
}

void pb_hostlink_cancel(struct pb_hostlink *link)
{
    uint64_t number = link->collected;
    while (number != link->submitted && !link->jobs[number % PB_SLOTS].tag)
        number++;
    atomic_store(&link->shared->cancelled, number + 1);
    wake(link, false, false); /* it may be suspended, see pb_childlink_doorbell; a broken stream is found by others */
}

/* --- answers from the worker --- */

uint32_t pb_hostlink_due(const struct pb_hostlink *link)
{
    return atomic_load(&link->shared->completed) - (uint32_t)link->collected;
}

/* Of a job that says that it runs, and that may say more; else it is refused. */
static int take_in_update(struct pb_hostlink *link, const struct pb_message *message)
{
    size_t index = message->head.job % PB_SLOTS;
    bool under_way = message->head.job - link->collected < link->submitted - link->collected;
    if (!under_way || !link->jobs[index].tag || !link->jobs[index].wants_updates ||
        atomic_load(&link->shared->slots[index].claim) != PB_CLAIM_RUNNING) {
        free(message->payload);
        return -EPROTO;
    }
    free(link->update.data); /* which nobody took */
    link->update = (struct pb_news){link->jobs[index].tag, message->payload, message->head.length};
    link->jobs[index].updates++;
    return 1;
}

bool pb_hostlink_take_update(struct pb_hostlink *link, struct pb_news *ret_update)
{
    if (!link->update.tag) return false;
    *ret_update = link->update;
    link->update = (struct pb_news){0};
    return true;
}

/* A worker announces a bulk reply before it sends it: whatever comes unannounced is none. */
int pb_hostlink_read(struct pb_hostlink *link)
{
    struct pb_message message;
    if (link->has_bulk) return -EPROTO; /* it was announced, and then it was not the reply */
    int rc = pb_stream_receive(&link->stream, &message);
    if (rc <= 0 || message.head.kind == PB_FRAME_BELL) return rc;
    if (message.head.kind == PB_FRAME_UPDATE) return take_in_update(link, &message);
    if (message.head.job - link->collected >= pb_hostlink_due(link)) {
        free(message.payload);
        return -EPROTO;
    }
    link->bulk = message.payload;
    link->bulk_job = message.head.job;
    link->bulk_length = message.head.length;
    link->has_bulk = true;
    return 1;
}

bool pb_hostlink_ready(struct pb_hostlink *link)
{
    if (!link->ready) link->ready = atomic_load(&link->shared->ready) != 0;
    return link->ready;
}

uint64_t pb_hostlink_resident(const struct pb_hostlink *link)
{
    return atomic_load_explicit(&link->shared->resident, memory_order_relaxed);
}

bool pb_hostlink_want_bell(struct pb_hostlink *link, enum pb_bell bell, uint32_t answers)
{
    want_bell(link, bell, answers);
    uint32_t due = pb_hostlink_due(link);
    return due == 0 || (due < answers && due < link->submitted - link->collected);
}

void pb_hostlink_wait_bell(struct pb_hostlink *link, int64_t deadline)
{
    pb_futex_wait_shared(&link->shared->wants_bell, PB_BELL_ON_WORD, deadline);
}

void pb_hostlink_call_off(struct pb_hostlink *link)
{
    atomic_store(&link->shared->wants_bell, PB_BELL_ON_STREAM);
    pb_futex_wake_shared(&link->shared->wants_bell);
}

/* A worker's clock is the host's, but its word is not: start and end lie
 * between the submission and now. */
static int64_t plausible(int64_t moment, int64_t earliest, int64_t now)
{
    if (moment < earliest) moment = earliest;
    return moment < now ? moment : now;
}

static void forget_first(struct pb_hostlink *link)
{
    size_t index = link->collected % PB_SLOTS;
    pb_arena_give_back(&link->inputs, link->jobs[index].inputs_mark);
    link->live -= link->jobs[index].tag != NULL;
    link->jobs[index].tag = NULL;
    link->collected++;
    atomic_store(&link->shared->collected, (uint32_t)link->collected);
}

/* Whether the input of the job submitted last is still on its way, and needed for that: whatever
 * the worker says, it has no answer to it. */
static bool unsent(const struct pb_hostlink *link)
{
    return link->input.left || (pb_stream_sending(&link->stream) && link->stream.out.kind == PB_FRAME_BULK);
}

int pb_hostlink_collect(struct pb_hostlink *link, int64_t now, struct pb_collected *ret_collected)
{
    for (;;) {
        uint32_t done = pb_hostlink_due(link);
        if (done > link->submitted - link->collected - unsent(link)) return -EPROTO;
        if (done == 0) return 0;
        size_t index = link->collected % PB_SLOTS;
        struct pb_collected collected = {.tag = link->jobs[index].tag};
        if (collected.tag) {
            int rc = pb_hostreply_take(link, &link->shared->slots[index], &collected);
            if (rc <= 0) return rc;
            int64_t earliest = link->jobs[index].submitted_at;
            collected.started = plausible(collected.started, earliest, now);
            collected.finished = plausible(collected.finished, collected.started, now);
            *ret_collected = collected;
        }
        forget_first(link);
        link->first_since = now;
        if (collected.tag) return 1;
    }
}

/* --- what is not answered --- */

void *pb_hostlink_tag(const struct pb_hostlink *link, unsigned n)
{
    for (uint64_t number = link->collected; number != link->submitted; number++) {
        void *tag = link->jobs[number % PB_SLOTS].tag;
        if (tag && n-- == 0) return tag;
    }
    return NULL;
}

/* The job's slot, or NULL. Every tag is there at most once. */
static struct pb_slot *slot_of(struct pb_hostlink *link, const void *tag, size_t *ret_index)
{
    for (uint64_t number = link->collected; number != link->submitted; number++) {
        size_t index = number % PB_SLOTS;
        if (link->jobs[index].tag != tag) continue;
        *ret_index = index;
        return &link->shared->slots[index];
    }
    return NULL;
}

/* A job whose input is half sent cannot be taken back: the stream needs it. */
static bool take_back(struct pb_hostlink *link, size_t index)
{
    if (pb_stream_sending(&link->stream) && index == (link->submitted - 1) % PB_SLOTS) return false;
    if (link->jobs[index].began) return false;
    uint32_t expected = PB_CLAIM_QUEUED;
    if (!atomic_compare_exchange_strong(&link->shared->slots[index].claim, &expected, PB_CLAIM_REVOKED)) return false;
    link->jobs[index].tag = NULL;
    link->live--;
    if (link->input.left && index == (link->submitted - 1) % PB_SLOTS) {
        link->input.left = 0;
        publish(link, false, false); /* a broken stream is found by others */
    }
    return true;
}

bool pb_hostlink_revoke(struct pb_hostlink *link, const void *tag)
{
    size_t index;
    return slot_of(link, tag, &index) && take_back(link, index);
}

void *pb_hostlink_revoke_last(struct pb_hostlink *link)
{
    for (uint64_t number = link->submitted; number != link->collected; number--) {
        size_t index = (number - 1) % PB_SLOTS;
        void *tag = link->jobs[index].tag;
        if (tag) return take_back(link, index) ? tag : NULL;
    }
    return NULL;
}

/* A worker that never takes its first job, or says so, must not escape the job's limits. */
int64_t pb_hostlink_started(struct pb_hostlink *link, const void *tag, int64_t now)
{
    size_t index;
    struct pb_slot *slot = slot_of(link, tag, &index);
    if (!slot || link->jobs[index].began) return slot ? link->jobs[index].began : 0;
    int64_t began = link->jobs[index].submitted_at;
    uint32_t claim = atomic_load(&slot->claim);
    if (claim == PB_CLAIM_RUNNING) {
        began = plausible(atomic_load_explicit(&slot->started, memory_order_relaxed), began, now);
    } else {
        if (began < link->first_since) began = link->first_since;
        bool overdue = index == link->collected % PB_SLOTS && now - began > TAKE_TIME;
        if (claim == PB_CLAIM_QUEUED && !overdue) return 0;
    }
    return link->jobs[index].began = began;
}

uint32_t pb_hostlink_progress(struct pb_hostlink *link, const void *tag)
{
    size_t index;
    struct pb_slot *slot = slot_of(link, tag, &index);
    return slot ? atomic_load_explicit(&slot->progress, memory_order_relaxed) : 0;
}

void *pb_hostlink_next_left(struct pb_hostlink *link, bool *ret_began)
{
    link->input.left = 0;
    while (link->collected != link->submitted) {
        size_t index = link->collected % PB_SLOTS;
        void *tag = link->jobs[index].tag;
        *ret_began = link->jobs[index].began != 0 || atomic_load(&link->shared->slots[index].claim) != PB_CLAIM_QUEUED;
        forget_first(link);
        if (tag) return tag;
    }
    return NULL;
}
