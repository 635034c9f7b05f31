/* SPDX-License-Identifier: Apache-2.0
 * What goes between a pool and an agent, without either: frames in pieces,
 * messages there and back, and what must be refused. */
#include "messages.h"
#include "tests.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define BOUND (UINT64_C(1) << 20)

/* Gives the reader bytes, as many at a time as it has room for. */
static void feed(struct pb_wire_in *in, const void *bytes, size_t length)
{
    while (length) {
        size_t room, count;
        void *place = pb_wire_in_room(in, &room);
        ck_assert_ptr_nonnull(place);
        ck_assert_uint_gt(room, 0);
        count = length < room ? length : room;
        memcpy(place, bytes, count);
        pb_wire_in_filled(in, count);
        bytes = (const char *)bytes + count;
        length -= count;
    }
}

/* The reader gets all that is to be sent. */
static void pass(struct pb_wire_out *out, struct pb_wire_in *in)
{
    size_t length;
    const void *bytes = pb_wire_out_bytes(out, &length);
    ck_assert(!out->failed);
    feed(in, bytes, length);
    pb_wire_out_sent(out, length);
}

/* The one frame that was written, in memory of its own size, where a step beyond it is seen. */
static struct pb_wire_frame only_frame(struct pb_wire_out *out, enum pb_wire_kind kind, uint64_t job)
{
    struct pb_wire_in in = {.max_body = BOUND, .greeted = true};
    struct pb_wire_frame frame, none;
    pass(out, &in);
    ck_assert_int_eq(pb_wire_in_next(&in, &frame), 1);
    ck_assert_int_eq(pb_wire_in_next(&in, &none), 0);
    ck_assert_int_eq(frame.kind, kind);
    ck_assert_uint_eq(frame.job, job);
    unsigned char *body = malloc(frame.length ? frame.length : 1);
    frame.body = memcpy(body, frame.body, frame.length);
    pb_wire_in_done(&in);
    pb_wire_out_done(out);
    return frame;
}

static void drop(struct pb_wire_frame *frame)
{
    free((void *)(uintptr_t)frame->body);
}

/* --- frames --- */

START_TEST(frames_come_whole_however_they_are_cut)
{
    struct pb_wire_out out = {0};
    struct pb_wire_in in = {.max_body = BOUND};
    pb_wire_greet(&out);
    for (uint64_t job = 1; job <= 20; job++)
        pb_update_write(&out, job, "twenty and more bytes", (size_t)job);
    size_t length;
    const char *bytes = pb_wire_out_bytes(&out, &length);
    uint64_t seen = 0;
    for (size_t i = 0; i < length; i++) {
        struct pb_wire_frame frame;
        const void *data;
        size_t size;
        feed(&in, bytes + i, 1);
        if (pb_wire_in_next(&in, &frame) != 1) continue;
        ck_assert_uint_eq(frame.job, ++seen);
        ck_assert(pb_update_read(&frame, &data, &size));
        ck_assert_uint_eq(size, seen);
        ck_assert_mem_eq(data, "twenty and more bytes", size);
    }
    ck_assert_uint_eq(seen, 20);
    pb_wire_in_done(&in);
    pb_wire_out_done(&out);
}
END_TEST

START_TEST(what_is_sent_in_pieces_stays_in_order)
{
    struct pb_wire_out out = {0};
    struct pb_wire_in in = {.max_body = BOUND, .greeted = true};
    struct pb_wire_frame frame;
    uint64_t written = 0, seen = 0;
    for (int round = 0; round < 2000; round++) {
        for (int i = 0; i < 3; i++)
            pb_wire_say(&out, PB_WIRE_CANCEL, ++written);
        size_t length;
        const void *bytes = pb_wire_out_bytes(&out, &length);
        size_t some = (size_t)round * 37 % (length + 1);
        feed(&in, bytes, some);
        pb_wire_out_sent(&out, some);
        while (pb_wire_in_next(&in, &frame) == 1)
            ck_assert_uint_eq(frame.job, ++seen);
    }
    pass(&out, &in);
    while (pb_wire_in_next(&in, &frame) == 1)
        ck_assert_uint_eq(frame.job, ++seen);
    ck_assert_uint_eq(seen, written);
    pb_wire_in_done(&in);
    pb_wire_out_done(&out);
}
END_TEST

START_TEST(noise_before_the_greeting_is_passed_over)
{
    const char *noise = "Welcome to n1\n\001pebble-agent\nLast login: never\n";
    struct pb_wire_out out = {0};
    struct pb_wire_in in = {.max_body = BOUND};
    struct pb_wire_frame frame;
    feed(&in, noise, strlen(noise));
    ck_assert_int_eq(pb_wire_in_next(&in, &frame), 0);
    pb_wire_greet(&out);
    pb_wire_say(&out, PB_WIRE_BEAT, 0);
    pass(&out, &in);
    ck_assert_int_eq(pb_wire_in_next(&in, &frame), 1);
    ck_assert_int_eq(frame.kind, PB_WIRE_BEAT);
    pb_wire_in_done(&in);
    pb_wire_out_done(&out);
}
END_TEST

START_TEST(noise_without_end_is_refused)
{
    struct pb_wire_in in = {.max_body = BOUND};
    struct pb_wire_frame frame;
    char line[1024];
    memset(line, 'x', sizeof line);
    int rc = 0;
    size_t said = 0;
    while (rc == 0 && said < 2 * PB_WIRE_NOISE) {
        feed(&in, line, sizeof line);
        said += sizeof line;
        rc = pb_wire_in_next(&in, &frame);
    }
    ck_assert_int_eq(rc, -EPROTO);
    pb_wire_in_done(&in);
}
END_TEST

/* What a frame begins with, changed in one byte. */
static int changed_head(size_t place, unsigned char byte)
{
    struct pb_wire_out out = {0};
    struct pb_wire_in in = {.max_body = BOUND, .greeted = true};
    struct pb_wire_frame frame;
    pb_wire_say(&out, PB_WIRE_BYE, 0);
    out.bytes[place] = byte;
    pass(&out, &in);
    int rc = pb_wire_in_next(&in, &frame);
    pb_wire_in_done(&in);
    pb_wire_out_done(&out);
    return rc;
}

START_TEST(heads_of_no_frame_are_refused)
{
    for (size_t place = 0; place < 4; place++)
        ck_assert_int_eq(changed_head(place, 'x'), -EPROTO);
    ck_assert_int_eq(changed_head(4, 0), -EPROTO);
    ck_assert_int_eq(changed_head(4, PB_WIRE_KINDS), -EPROTO);
    ck_assert_int_eq(changed_head(7, 1), -EPROTO);
    for (size_t place = 16; place < 19; place++) /* a body that is long, and still to come */
        ck_assert_int_eq(changed_head(place, 1), 0);
    ck_assert_int_eq(changed_head(18, 17), -EFBIG);
    for (size_t place = 19; place < 24; place++)
        ck_assert_int_eq(changed_head(place, 255), -EFBIG);
}
END_TEST

START_TEST(memory_grows_with_what_comes_not_with_what_is_said)
{
    struct pb_wire_out out = {0};
    struct pb_wire_in in = {.max_body = UINT64_C(1) << 40, .greeted = true};
    struct pb_wire_frame frame;
    pb_wire_say(&out, PB_WIRE_RESULT, 1);
    out.bytes[16 + 4] = 1; /* 4 GiB */
    pass(&out, &in);
    ck_assert_int_eq(pb_wire_in_next(&in, &frame), 0);
    size_t room;
    ck_assert_ptr_nonnull(pb_wire_in_room(&in, &room));
    ck_assert_uint_lt(in.capacity, (size_t)1 << 16);
    pb_wire_in_done(&in);
    pb_wire_out_done(&out);
}
END_TEST

/* --- messages --- */

static const struct pb_wire_function place = {.id = {"0123456789abcdefghi"}, .offset = 0x1234, .path = "/usr/lib/x.so"};

static void write_hello(struct pb_wire_out *out)
{
    pb_hello_write(out, &(struct pb_hello){
                            .version = PB_WIRE_VERSION, .program = place.id, .pid = 4711, .slots = 64, .host = "n1"});
}

static bool read_hello(const struct pb_wire_frame *frame)
{
    struct pb_hello hello;
    if (!pb_hello_read(frame, &hello)) return false;
    if (hello.version != PB_WIRE_VERSION) return true;
    ck_assert(hello.slots >= 1 && hello.slots <= PB_SLOTS_MAX && strlen(hello.host) < frame->length);
    return true;
}

static void write_setup(struct pb_wire_out *out)
{
    static const char *const readable[] = {"/usr", "/etc/services", NULL};
    const struct pb_setup setup = {
        .config = {.max_tasks = 1,
                   .confined = true,
                   .readable_paths = readable,
                   .max_age = 2,
                   .max_memory = 3,
                   .idle_timeout = 4,
                   .name = "pool",
                   .start_method = PEBBLE_SPAWN,
                   .max_payload = 5,
                   .start_timeout = 6,
                   .grace = 7,
                   .stdout_to = PEBBLE_CAPTURE,
                   .stderr_to = PEBBLE_DISCARD,
                   .output_tail = 8,
                   .spare_workers = PEBBLE_NO_SPARES,
                   .no_throw_backtraces = true,
                   .swift_backtrace = true,
                   .limits = {.address_space = 9, .cpu_time = 10, .open_files = 11, .core_size = 12, .nice = 13,
                              .no_new_privileges = true}},
        .lines = true,
        .beat = 14,
        .lost_after = 15,
        .initializer = {.given = true, .place = place, .input = "in", .length = 2},
    };
    pb_setup_write(out, &setup);
}

static bool read_setup(const struct pb_wire_frame *frame)
{
    struct pb_setup setup;
    if (!pb_setup_read(frame, &setup)) return false;
    ck_assert(setup.config.start_method <= PEBBLE_SPAWN && setup.config.stdout_to <= PEBBLE_CAPTURE);
    ck_assert(setup.beat > 0 && setup.lost_after > 0 && setup.config.grace >= 0);
    ck_assert_uint_le(setup.initializer.length, frame->length);
    for (size_t i = 0; setup.config.readable_paths[i]; i++)
        ck_assert_uint_lt(strlen(setup.config.readable_paths[i]), frame->length);
    return true;
}

static void write_submit(struct pb_wire_out *out)
{
    pb_submit_write(out, 7, &(struct pb_submit){.place = place, .name = "job", .timeout = 1, .deadline = 2,
                                                .updates = true, .input = "input", .length = 5});
}

static bool read_submit(const struct pb_wire_frame *frame)
{
    struct pb_submit submit;
    if (!pb_submit_read(frame, &submit)) return false;
    ck_assert(submit.timeout >= 0 && submit.deadline >= 0 && submit.length <= frame->length);
    ck_assert_uint_lt(strlen(submit.name) + strlen(submit.place.path), frame->length);
    return true;
}

static void write_line(struct pb_wire_out *out)
{
    pb_line_write(out, &(struct pebble_output_line){
                           .stream = 2, .pid = 9, .job = "job", .text = "a\0b", .length = 3, .partial = true});
}

static bool read_line(const struct pb_wire_frame *frame)
{
    struct pebble_output_line line;
    if (!pb_line_read(frame, &line)) return false;
    ck_assert(line.text[line.length] == '\0' && line.stream >= 1 && line.stream <= 2);
    return true;
}

static struct pb_crash_record record = {.written = 1, .signal = 11};

static void write_result(struct pb_wire_out *out)
{
    const struct pb_result result = {
        .outcome = {.status = PEBBLE_EXPIRED, .code = -3, .started = true, .run_time = 4, .pid = 5,
                    .limit = PEBBLE_LIMIT_DEADLINE, .limit_length = 6, .cause = PEBBLE_CAUSE_STOPPED, .error = 7,
                    .exit_code = -1, .exit_signal = 11, .cpu_time = 8, .peak_memory = 9, .lost_updates = 10,
                    .likely_oom = true, .output_tail = "tail", .output_tail_length = 4, .data = "data", .length = 4},
        .crash = &record,
        .progress = 12,
        .gone = true,
    };
    pb_result_write(out, 7, &result);
}

static bool read_result(const struct pb_wire_frame *frame)
{
    struct pb_result result;
    if (!pb_result_read(frame, &result)) return false;
    ck_assert(result.outcome.status <= PEBBLE_NOT_RUN && result.outcome.cause <= PEBBLE_CAUSE_NO_FUNCTION);
    ck_assert(result.outcome.run_time >= 0 && result.outcome.length <= frame->length);
    return true;
}

static const struct message {
    enum pb_wire_kind kind;
    uint64_t job;
    void (*write)(struct pb_wire_out *out);
    bool (*read)(const struct pb_wire_frame *frame);
} messages[] = {
    {PB_WIRE_HELLO, 0, write_hello, read_hello},   {PB_WIRE_SETUP, 0, write_setup, read_setup},
    {PB_WIRE_SUBMIT, 7, write_submit, read_submit}, {PB_WIRE_OUTPUT, 0, write_line, read_line},
    {PB_WIRE_RESULT, 7, write_result, read_result},
};

static struct pb_wire_frame message(const struct message *kind)
{
    struct pb_wire_out out = {0};
    kind->write(&out);
    return only_frame(&out, kind->kind, kind->job);
}

START_TEST(a_hello_comes_over)
{
    struct pb_wire_frame frame = message(&messages[0]);
    struct pb_hello hello;
    ck_assert(pb_hello_read(&frame, &hello));
    ck_assert_uint_eq(hello.version, PB_WIRE_VERSION);
    ck_assert_mem_eq(&hello.program, &place.id, sizeof place.id);
    ck_assert_int_eq(hello.pid, 4711);
    ck_assert_uint_eq(hello.slots, 64);
    ck_assert_str_eq(hello.host, "n1");
    drop(&frame);
}
END_TEST

START_TEST(another_version_is_told_whatever_follows_it)
{
    struct pb_wire_out out = {0};
    struct pb_hello hello;
    pb_wire_begin(&out, PB_WIRE_HELLO, 0);
    pb_wire_put(&out, PB_WIRE_VERSION + 1);
    pb_wire_put_bytes(&out, "new", 3);
    pb_wire_end(&out);
    struct pb_wire_frame frame = only_frame(&out, PB_WIRE_HELLO, 0);
    ck_assert(pb_hello_read(&frame, &hello));
    ck_assert_uint_eq(hello.version, PB_WIRE_VERSION + 1);
    drop(&frame);
}
END_TEST

START_TEST(a_setup_comes_over)
{
    struct pb_wire_frame frame = message(&messages[1]);
    struct pb_setup setup;
    ck_assert(pb_setup_read(&frame, &setup));
    const struct pebble_pool_config *config = &setup.config;
    ck_assert_uint_eq(config->max_tasks, 1);
    ck_assert_int_eq(config->max_age, 2);
    ck_assert_uint_eq(config->max_memory, 3);
    ck_assert_int_eq(config->idle_timeout, 4);
    ck_assert_str_eq(config->name, "pool");
    ck_assert_int_eq(config->start_method, PEBBLE_SPAWN);
    ck_assert_uint_eq(config->max_payload, 5);
    ck_assert_int_eq(config->start_timeout, 6);
    ck_assert_int_eq(config->grace, 7);
    ck_assert_int_eq(config->stdout_to, PEBBLE_CAPTURE);
    ck_assert_int_eq(config->stderr_to, PEBBLE_DISCARD);
    ck_assert_uint_eq(config->output_tail, 8);
    ck_assert_int_eq(config->spare_workers, PEBBLE_NO_SPARES);
    ck_assert(config->no_throw_backtraces && config->swift_backtrace);
    const uint64_t limits[] = {config->limits.address_space, config->limits.cpu_time, config->limits.open_files,
                               config->limits.core_size, (uint64_t)config->limits.nice};
    for (size_t i = 0; i < PB_COUNT(limits); i++)
        ck_assert_uint_eq(limits[i], 9 + i);
    ck_assert(config->limits.no_new_privileges && setup.lines && config->confined);
    ck_assert_str_eq(config->readable_paths[0], "/usr");
    ck_assert_str_eq(config->readable_paths[1], "/etc/services");
    ck_assert_ptr_null(config->readable_paths[2]);
    ck_assert_int_eq(setup.beat, 14);
    ck_assert_int_eq(setup.lost_after, 15);
    ck_assert(setup.initializer.given && !setup.finalizer.given);
    ck_assert_str_eq(setup.initializer.place.path, place.path);
    ck_assert_mem_eq(setup.initializer.input, "in", 2);
    drop(&frame);
}
END_TEST

START_TEST(a_job_comes_over)
{
    struct pb_wire_frame frame = message(&messages[2]);
    struct pb_submit submit;
    ck_assert(pb_submit_read(&frame, &submit));
    ck_assert_mem_eq(&submit.place.id, &place.id, sizeof place.id);
    ck_assert_uint_eq(submit.place.offset, place.offset);
    ck_assert_str_eq(submit.name, "job");
    ck_assert_int_eq(submit.timeout, 1);
    ck_assert_int_eq(submit.deadline, 2);
    ck_assert(submit.updates);
    ck_assert_uint_eq(submit.length, 5);
    ck_assert_mem_eq(submit.input, "input", 5);
    drop(&frame);
}
END_TEST

START_TEST(a_line_comes_over)
{
    struct pb_wire_frame frame = message(&messages[3]);
    struct pebble_output_line line;
    ck_assert(pb_line_read(&frame, &line));
    ck_assert_int_eq(line.stream, 2);
    ck_assert_int_eq(line.pid, 9);
    ck_assert_str_eq(line.job, "job");
    ck_assert_uint_eq(line.length, 3);
    ck_assert_mem_eq(line.text, "a\0b", 4);
    ck_assert(line.partial);
    drop(&frame);
}
END_TEST

START_TEST(a_result_comes_over)
{
    struct pb_wire_frame frame = message(&messages[4]);
    struct pb_result result;
    ck_assert(pb_result_read(&frame, &result));
    const struct pebble_outcome *outcome = &result.outcome;
    ck_assert_int_eq(outcome->status, PEBBLE_EXPIRED);
    ck_assert_int_eq(outcome->code, -3);
    ck_assert(outcome->started && outcome->likely_oom && result.gone);
    ck_assert_int_eq(outcome->run_time, 4);
    ck_assert_int_eq(outcome->pid, 5);
    ck_assert_int_eq(outcome->limit, PEBBLE_LIMIT_DEADLINE);
    ck_assert_int_eq(outcome->limit_length, 6);
    ck_assert_int_eq(outcome->cause, PEBBLE_CAUSE_STOPPED);
    ck_assert_int_eq(outcome->error, 7);
    ck_assert_int_eq(outcome->exit_code, -1);
    ck_assert_int_eq(outcome->exit_signal, 11);
    ck_assert_int_eq(outcome->cpu_time, 8);
    ck_assert_int_eq(outcome->peak_memory, 9);
    ck_assert_uint_eq(outcome->lost_updates, 10);
    ck_assert_uint_eq(result.progress, 12);
    ck_assert_mem_eq(outcome->output_tail, "tail", outcome->output_tail_length);
    ck_assert_mem_eq(outcome->data, "data", outcome->length);
    ck_assert_mem_eq(result.crash, &record, sizeof record);
    drop(&frame);
}
END_TEST

/* A body that ends too early, or too late, is none. */
START_TEST(bodies_of_another_length_are_refused)
{
    for (size_t i = 0; i < PB_COUNT(messages); i++) {
        struct pb_wire_frame frame = message(&messages[i]), cut = frame;
        ck_assert(messages[i].read(&frame));
        for (size_t length = 0; length < frame.length; length++) {
            unsigned char *body = malloc(length ? length : 1);
            cut.body = memcpy(body, frame.body, length);
            cut.length = length;
            ck_assert_msg(!messages[i].read(&cut), "kind %u, cut to %zu bytes", frame.kind, length);
            free(body);
        }
        unsigned char *body = calloc(1, frame.length + 1);
        cut.body = memcpy(body, frame.body, frame.length);
        cut.length = frame.length + 1;
        ck_assert_msg(!messages[i].read(&cut), "kind %u, and a byte more", frame.kind);
        free(body);
        drop(&frame);
    }
}
END_TEST

/* Whatever a body has in it, what is read keeps every promise. */
START_TEST(changed_bodies_are_refused_or_sound)
{
    srand(7);
    for (size_t i = 0; i < PB_COUNT(messages); i++) {
        struct pb_wire_frame frame = message(&messages[i]);
        unsigned char *body = malloc(frame.length);
        struct pb_wire_frame changed = frame;
        changed.body = body;
        for (int round = 0; round < 20000; round++) {
            memcpy(body, frame.body, frame.length);
            for (int n = rand() % 4; n >= 0; n--)
                body[(size_t)rand() % (frame.length < 400 ? frame.length : 400)] = (unsigned char)(rand() % 3 ? rand() : 255);
            messages[i].read(&changed);
        }
        free(body);
        drop(&frame);
    }
}
END_TEST

Suite *wire_suite(void)
{
    Suite *suite = suite_create("wire");
    TCase *tests = tcase_create("wire");
    tcase_add_test(tests, frames_come_whole_however_they_are_cut);
    tcase_add_test(tests, what_is_sent_in_pieces_stays_in_order);
    tcase_add_test(tests, noise_before_the_greeting_is_passed_over);
    tcase_add_test(tests, noise_without_end_is_refused);
    tcase_add_test(tests, heads_of_no_frame_are_refused);
    tcase_add_test(tests, memory_grows_with_what_comes_not_with_what_is_said);
    tcase_add_test(tests, a_hello_comes_over);
    tcase_add_test(tests, another_version_is_told_whatever_follows_it);
    tcase_add_test(tests, a_setup_comes_over);
    tcase_add_test(tests, a_job_comes_over);
    tcase_add_test(tests, a_line_comes_over);
    tcase_add_test(tests, a_result_comes_over);
    tcase_add_test(tests, bodies_of_another_length_are_refused);
    tcase_add_test(tests, changed_bodies_are_refused_or_sound);
    suite_add_tcase(suite, tests);
    return suite;
}
