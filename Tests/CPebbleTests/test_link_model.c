/* SPDX-License-Identifier: Apache-2.0
 * Both ends of a link on one thread, step by step, compared with a list of the
 * jobs under way: which can be submitted, taken, revoked and collected, where
 * inputs and replies lie, and what is on the stream. */
#include "chance.h"
#include "ends.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define LIFE 3000          /* steps, until there is a new worker */
#define NOW INT64_C(12345) /* for the host: no time passes */
#define BULK (32U * 1024)
#define NAMES 14    /* bytes of path and name, see ends.c */
#define UNREAD 40   /* frames to the host that the socket is sure to take, each of up to: */
#define LARGE 40000U
#define PATTERN 64

static struct ends ends;
static char pattern[LARGE + PATTERN];

/* A stretch of an arena, in units of its alignment. */
struct stretch {
    unsigned at, length;
    unsigned skipped; /* at the end of the arena, since this one did not fit there */
};

enum stage { WAITING, RUNNING, ANSWERED, REVOKED };

static struct job {
    uint64_t number;
    enum stage stage;
    bool done; /* the worker went on from it */
    bool bulk, bulk_reply, large_reply;
    struct stretch input, output;
    const char *reply;
    size_t reply_length;
    int code;
    enum pb_answer answer;
    unsigned sent, received; /* updates */
} jobs[PB_SLOTS]; /* in order */

static unsigned count; /* of them */
static uint64_t submitted;
static bool wants_bell;
static uint64_t bell_at;
static struct pb_claimed claimed; /* what the worker has; slot is NULL: nothing */

/* What the host has not read. */
static struct frame {
    enum pb_frame_kind kind;
    uint64_t job;
    const char *payload;
    size_t length;
} unread[UNREAD + 2];
static unsigned unread_count;
static bool has_bulk; /* read, and not collected */

static const char *any_bytes(void)
{
    return pattern + chance(PATTERN);
}

/* --- where there is room in an arena --- */

#define UNITS (PB_ARENA_SIZE / PB_ARENA_ALIGNMENT)

static unsigned units(size_t length)
{
    return (unsigned)((length + PB_ARENA_ALIGNMENT - 1) / PB_ARENA_ALIGNMENT);
}

static struct stretch *stretch_of(struct job *job, bool output)
{
    return output ? &job->output : &job->input;
}

/* From there on, to the next stretch that is taken, or to the end. */
static unsigned room_at(unsigned at, bool output)
{
    unsigned end = UNITS;
    for (unsigned i = 0; i < count; i++) {
        const struct stretch *taken = stretch_of(&jobs[i], output);
        if (taken->length && taken->at <= at && at < taken->at + taken->length) return 0;
        if (taken->length && taken->at >= at && taken->at < end) end = taken->at;
        if (taken->skipped && UNITS - taken->skipped < end) end = UNITS - taken->skipped;
    }
    return end > at ? end - at : 0;
}

static unsigned heads[2]; /* after what was taken last, of inputs and outputs */

/* At the start when nothing is taken. */
static unsigned head_of(bool output)
{
    bool empty = true;
    for (unsigned i = 0; i < count; i++) {
        const struct stretch *taken = stretch_of(&jobs[i], output);
        empty &= !taken->length && !taken->skipped;
    }
    return empty ? 0 : heads[output];
}

/* Takes what was taken, which is where a naive arena has it: nobody else's. */
static void take_room(struct job *job, bool output, size_t offset, size_t length)
{
    unsigned head = head_of(output);
    struct stretch taken = {.at = (unsigned)(offset / PB_ARENA_ALIGNMENT), .length = units(length)};
    must(offset % PB_ARENA_ALIGNMENT == 0);
    must(taken.at == head || taken.at == 0);
    must(taken.length <= room_at(taken.at, output));
    if (taken.at != head) taken.skipped = UNITS - head;
    heads[output] = (taken.at + taken.length) % UNITS;
    *stretch_of(job, output) = taken;
}

/* --- the host --- */

static bool is_live(const struct job *job)
{
    return job->stage != REVOKED;
}

static unsigned live_count(void)
{
    unsigned live = 0;
    for (unsigned i = 0; i < count; i++)
        live += is_live(&jobs[i]);
    return live;
}

static void submit_one(void)
{
    bool bulk = once_in(20);
    size_t length = bulk ? BULK + 1 + chance(LARGE - BULK - 1) : once_in(4) ? chance(BULK + 1) : chance(200);
    const char *input = any_bytes();
    size_t placed = (bulk ? 0 : length) + NAMES;
    unsigned head = head_of(false), live = live_count();
    bool room = units(placed) <= room_at(head, false) || units(placed) <= room_at(0, false);
    bool may = count < PB_SLOTS && !pb_hostlink_sending(&ends.host) && !(bulk && live) && room;
    must(submit(&ends, submitted, input, length) == may);
    if (!may) return;
    const struct pb_slot *slot = &ends.host.shared->slots[submitted % PB_SLOTS];
    struct job job = {.number = submitted++, .bulk = bulk};
    take_room(&job, false, slot->input_at, placed);
    job.reply = input;
    job.reply_length = length; /* until there is one */
    if (live == 0) wants_bell = true, bell_at = submitted - count;
    jobs[count++] = job;
}

static void forget(unsigned i)
{
    memmove(jobs + i, jobs + i + 1, (--count - i) * sizeof *jobs);
}

static void revoke_one(void)
{
    unsigned i = chance(count);
    if (once_in(2)) {
        for (i = count; i > 0 && !is_live(&jobs[i - 1]);)
            i--;
        bool may = i > 0 && jobs[i - 1].stage == WAITING && !(pb_hostlink_sending(&ends.host) && i == count);
        must(pb_hostlink_revoke_last(&ends.host) == (may ? tag_of(jobs[i - 1].number) : NULL));
        if (may) jobs[i - 1].stage = REVOKED;
    } else {
        bool may = jobs[i].stage == WAITING && !(pb_hostlink_sending(&ends.host) && i + 1 == count);
        must(pb_hostlink_revoke(&ends.host, tag_of(jobs[i].number)) == may);
        if (may) jobs[i].stage = REVOKED;
    }
}

/* The first job that is not stepped over; NULL: there is none. */
static struct job *first_to_collect(void)
{
    while (count && jobs[0].done && jobs[0].stage == REVOKED)
        forget(0);
    return count && jobs[0].done ? &jobs[0] : NULL;
}

static void collect_all(void)
{
    struct pb_collected found;
    for (;;) {
        const struct job *job = first_to_collect();
        bool there = job && job->sent == job->received && (!job->bulk_reply || has_bulk);
        must(pb_hostlink_collect(&ends.host, NOW, &found) == there);
        if (!there) must(pb_hostlink_awaits_rest(&ends.host) == (job != NULL));
        if (!there) return;
        must(found.tag == tag_of(job->number));
        must(found.answer == job->answer && found.code == job->code);
        must(found.length == job->reply_length);
        must(!found.length || memcmp(found.data, job->reply, found.length) == 0);
        must(found.started <= found.finished && found.finished <= NOW);
        free(found.data);
        if (job->bulk_reply) has_bulk = false;
        forget(0);
    }
}

static void read_update(const struct frame *frame)
{
    struct pb_news news;
    struct job *job = jobs;
    while (job->number != frame->job)
        must(++job < jobs + count);
    job->received++;
    must(pb_hostlink_take_update(&ends.host, &news));
    must(news.tag == tag_of(frame->job) && news.length == frame->length);
    must(!news.length || memcmp(news.data, frame->payload, news.length) == 0);
    free(news.data);
}

static void read_one(void)
{
    struct pb_news none;
    if (has_bulk) collect_all();
    must(pb_hostlink_read(&ends.host) == (unread_count > 0));
    if (unread_count) {
        struct frame frame = unread[0];
        memmove(unread, unread + 1, --unread_count * sizeof *unread);
        if (frame.kind == PB_FRAME_UPDATE) read_update(&frame);
        if (frame.kind == PB_FRAME_BULK) has_bulk = true;
    }
    must(!pb_hostlink_take_update(&ends.host, &none));
}

static unsigned done_count(void)
{
    unsigned done = 0;
    for (unsigned i = 0; i < count; i++)
        done += jobs[i].done;
    return done;
}

static void ask_for_bell(void)
{
    unsigned due = done_count();
    uint32_t answers = 1 + chance(3);
    bool wait = due == 0 || (due < answers && due < count);
    must(pb_hostlink_want_bell(&ends.host, PB_BELL_ON_STREAM, answers) == wait);
    bell_at = submitted - count + answers;
    wants_bell = true;
}

static void look_at_one(void)
{
    unsigned n = chance(count), live = 0;
    for (unsigned i = 0; i < n; i++)
        live += is_live(&jobs[i]);
    void *tag = tag_of(jobs[n].number);
    if (is_live(&jobs[n])) must(pb_hostlink_tag(&ends.host, live) == tag);
    must(pb_hostlink_tag(&ends.host, live_count()) == NULL);
    must((pb_hostlink_started(&ends.host, tag, NOW) != 0) == (jobs[n].stage == RUNNING || jobs[n].stage == ANSWERED));
    must(ends.host.live == live_count());
}

static void cancel_first(void)
{
    unsigned first = 0;
    while (first < count && !is_live(&jobs[first]))
        first++;
    pb_hostlink_cancel(&ends.host);
    for (unsigned i = 0; i < count; i++)
        must(pb_childlink_cancelled(&ends.worker, jobs[i].number) == (i == first));
}

/* --- the worker --- */

static void note_frame(struct frame frame)
{
    must(unread_count < PB_COUNT(unread));
    unread[unread_count++] = frame;
}

static void note_bell(void)
{
    unsigned done = done_count();
    if (!wants_bell || (submitted - count + done < bell_at && done < count)) return;
    note_frame((struct frame){.kind = PB_FRAME_BELL});
    wants_bell = false;
}

/* Takes the next job; where there is none, it learns that, and steps over what was revoked. */
static void take_one(void)
{
    struct job *job = jobs;
    if (pb_hostlink_sending(&ends.host)) return; /* it would wait for the rest */
    for (; job < jobs + count && (job->done || job->stage == REVOKED); job++) {
        if (job->done) continue;
        job->done = true;
        note_bell();
    }
    atomic_store(&ends.worker.shared->leave, 1);
    bool taken = pb_childlink_next(&ends.worker, &claimed);
    atomic_store(&ends.worker.shared->leave, 0);
    must(taken == (job < jobs + count));
    if (!taken) {
        claimed.slot = NULL;
        return;
    }
    must(claimed.number == job->number && claimed.slot->offset == job->number);
    must(claimed.input_length == job->reply_length && memcmp(claimed.input, job->reply, job->reply_length) == 0);
    must(memcmp(claimed.path, "/lib/it.so", 10) == 0 && memcmp(claimed.name, "name", 4) == 0);
    job->stage = RUNNING;
}

static struct job *running(void)
{
    struct job *job = jobs;
    while (job->number != claimed.number)
        job++;
    return job;
}

static void say_something(void)
{
    struct job *job = running();
    struct frame frame = {PB_FRAME_UPDATE, job->number, any_bytes(), chance(500)};
    must(pb_childlink_update(&ends.worker, job->number, frame.payload, frame.length) == 0);
    if (job->number % 2) return; /* nobody wants to know */
    job->sent++;
    note_frame(frame);
}

/* The large room, which is there unless an earlier reply is in it. */
static char *large_room(void)
{
    bool taken = false;
    for (unsigned i = 0; i < count; i++)
        taken |= jobs[i].large_reply;
    char *room = pb_childlink_large_room(&ends.worker);
    must((room == NULL) == taken);
    return room;
}

static void answer_one(void)
{
    struct job *job = running();
    size_t capacity, length = once_in(10) ? chance(LARGE) : chance(300);
    unsigned here = room_at(head_of(true), true), there = room_at(0, true), most = here > there ? here : there;
    char *room = once_in(10) ? NULL : pb_childlink_reply_room(&ends.worker, &capacity);
    const char *reply = job->reply = any_bytes();
    job->answer = once_in(30) ? PB_ANSWER_NO_FUNCTION + chance(3) : PB_ANSWER_REPLY;
    if (job->answer != PB_ANSWER_REPLY) length = 0;
    if (room) {
        must(capacity == (size_t)most * PB_ARENA_ALIGNMENT);
        if (length > capacity && once_in(2)) length = capacity;
        bool fits = length <= capacity;
        take_room(job, true, (size_t)(room - ends.worker.shared->outputs), fits ? length : 0);
        if (fits) reply = memcpy(room, reply, length);
    }
    job->code = (int)chance(1000) - 500;
    job->reply_length = length;
    char *large = length && reply == job->reply && once_in(2) ? large_room() : NULL;
    if (large) reply = memcpy(large, reply, length);
    job->large_reply = large != NULL;
    job->bulk_reply = length && reply == job->reply;
    job->stage = ANSWERED;
    job->done = true;
    must(pb_childlink_answer(&ends.worker, &claimed, job->answer, job->code, reply, length));
    claimed.slot = NULL;
    if (job->bulk_reply)
        note_frame((struct frame){PB_FRAME_BULK, job->number, job->reply, length});
    else
        note_bell();
}

/* --- both --- */

static void begin(void)
{
    ends_open(&ends, BOUND);
    submitted = once_in(2) ? 0 : (UINT64_C(1) << 32) - chance(500); /* and the counters wrap */
    ends_age(&ends, submitted);
    count = unread_count = 0;
    has_bulk = false;
    claimed.slot = NULL;
    wants_bell = true;
    pb_childlink_ready(&ends.worker);
    note_bell();
}

/* The worker dies: what it has answered stands, and the rest is known for what it is. */
static void end(void)
{
    while (unread_count)
        read_one();
    collect_all();
    for (;;) {
        bool began;
        while (count && !is_live(&jobs[0]))
            forget(0);
        void *tag = pb_hostlink_next_left(&ends.host, &began);
        must(tag == (count ? tag_of(jobs[0].number) : NULL));
        if (!tag) break;
        must(began == (jobs[0].stage != WAITING));
        forget(0);
    }
    free(claimed.slot ? claimed.block : NULL);
    ends_close(&ends);
}

static void step(void)
{
    bool host = once_in(2);
    while (unread_count >= UNREAD / 4)
        read_one();
    if (!host && claimed.slot) {
        if (once_in(5)) say_something(); else answer_one();
    } else if (!host) {
        if (once_in(10) && pb_childlink_doorbell(&ends.worker) >= 0) pb_childlink_awake(&ends.worker);
        take_one();
    } else {
        switch (chance(12)) {
        case 0: case 1: case 2: case 3: case 4: submit_one(); break;
        case 5: if (count) revoke_one(); break;
        case 6: read_one(); break;
        case 7: case 8: collect_all(); break;
        case 9: ask_for_bell(); break;
        case 10: if (count) look_at_one(); break;
        case 11: cancel_first(); break;
        }
        if (pb_hostlink_sending(&ends.host)) must(pb_hostlink_flush(&ends.host) >= 0);
    }
}

START_TEST(random_steps_agree_with_a_list_of_jobs)
{
    chance_begin(1);
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (char)chance(128);
    for (size_t done = 0, steps = chance_steps(); done < steps;) {
        begin();
        for (unsigned life = chance(2 * LIFE); life > 0; life--, done++)
            step();
        end();
    }
}
END_TEST

Suite *link_model_suite(void)
{
    Suite *suite = suite_create("link_model");
    TCase *tests = group(suite, "link_model", 60);
    tcase_add_test(tests, random_steps_agree_with_a_list_of_jobs);
    return suite;
}
