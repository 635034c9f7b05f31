/* SPDX-License-Identifier: Apache-2.0
 * Both ends of a stream, and one end against bytes cut anywhere, compared with a
 * list of the frames that were sent. */
#include "chance.h"
#include "fd.h"
#include "stream.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIFE 2000    /* steps, until there is a new socket */
#define BOUND 2500000 /* of a payload; more than a socket takes, or a block has, at once */
#define PATTERN 256  /* payloads begin anywhere in so many bytes of it */
#define MOST 4096    /* frames under way */

static unsigned char pattern[BOUND + 1 + PATTERN];

/* One direction: what was sent, and how far it was received. */
struct way {
    struct sent {
        struct pb_frame frame;
        const unsigned char *payload;
        uint64_t end; /* of its bytes among all bytes */
    } frames[MOST];
    unsigned first, next;   /* frames[first...] are still to be received */
    uint64_t bytes, handed; /* of all frames; of those, given to the socket */
    bool broken;            /* the last of them is none, and `will` is what the receiver is told */
    int will;
};

static struct way ways[2];
static struct pb_stream streams[2];
static bool raw; /* the first end is not a stream, but writes its bytes as it likes */

static void begin(void)
{
    int ends[2], small = 8192;
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    for (int i = 0; i < 2; i++) {
        setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        pb_stream_init(&streams[i], ends[i], BOUND);
        ways[i].first = ways[i].next = 0;
        ways[i].bytes = ways[i].handed = 0;
        ways[i].broken = false;
    }
    raw = once_in(2);
}

static void end(void)
{
    pb_stream_done(&streams[0]);
    pb_stream_done(&streams[1]);
}

static struct sent *any_frame(void)
{
    struct sent frame = {.frame = {.magic = PB_FRAME_MAGIC, .kind = 1 + chance(PB_FRAME_KINDS - 1)}};
    if (frame.frame.kind != PB_FRAME_BELL) {
        frame.frame.job = chance_bits() >> chance(64);
        frame.frame.length = once_in(50) ? chance_length(BOUND) : chance(300);
    }
    frame.payload = pattern + chance(PATTERN);
    static struct sent made;
    made = frame;
    return &made;
}

/* Makes something of it that no receiver may accept. */
static int spoil(struct pb_frame *frame)
{
    switch (chance(4)) {
    case 0: frame->magic ^= UINT32_C(1) << chance(32); return -EPROTO;
    case 1: frame->kind = PB_FRAME_KINDS + chance(1000); return -EPROTO;
    case 2: frame->kind = PB_FRAME_BULK, frame->length = BOUND + 1 + (once_in(2) ? 0 : chance_bits() >> chance(64)); return -EFBIG;
    default: frame->kind = PB_FRAME_BELL, frame->length = 1 + chance(9); return -EPROTO;
    }
}

static void note_sent(struct way *way, const struct sent *sent)
{
    struct sent *noted = &way->frames[way->next++ % MOST];
    *noted = *sent;
    way->bytes += sizeof noted->frame + (way->broken ? 0 : noted->frame.length);
    noted->end = way->bytes;
}

/* What the stream has not given to the socket yet. */
static uint64_t left_in(const struct pb_stream *stream)
{
    uint64_t left = 0;
    for (int i = stream->first; i < stream->count; i++)
        left += stream->pieces[i].iov_len;
    return left;
}

static void send_frame(int i)
{
    struct way *way = &ways[i];
    int rc;
    if (pb_stream_sending(&streams[i])) {
        rc = pb_stream_flush(&streams[i]);
    } else if (way->next - way->first < MOST) {
        struct sent *frame = any_frame();
        note_sent(way, frame);
        frame->frame.magic = (uint32_t)chance_bits(); /* is not the sender's business */
        rc = pb_stream_send(&streams[i], &frame->frame, frame->payload);
    } else {
        return;
    }
    must(rc == !pb_stream_sending(&streams[i]));
    way->handed = way->bytes - left_in(&streams[i]);
}

/* The bytes from `handed` on: some of those of one frame, its head or its payload. */
static void write_some(struct way *way)
{
    unsigned n = way->first;
    while (way->frames[n % MOST].end <= way->handed)
        n++;
    const struct sent *sent = &way->frames[n % MOST];
    uint64_t payload = way->broken && n + 1 == way->next ? 0 : sent->frame.length;
    uint64_t left = sent->end - way->handed;
    const unsigned char *from = left > payload ? (const unsigned char *)&sent->frame + sizeof sent->frame - (left - payload)
                                               : sent->payload + (payload - left);
    if (left > payload) left -= payload;
    if (!once_in(4)) left = 1 + chance_length(left - 1);
    ssize_t n_written = send(streams[0].fd, from, left, MSG_DONTWAIT);
    must(n_written > 0 || errno == EAGAIN);
    if (n_written > 0) way->handed += (uint64_t)n_written;
}

static void send_raw(void)
{
    struct way *way = &ways[0];
    if (way->handed < way->bytes) {
        write_some(way);
    } else if (!way->broken && way->next - way->first < MOST) {
        struct sent *frame = any_frame();
        if (once_in(200)) {
            way->will = spoil(&frame->frame);
            way->broken = true;
        }
        note_sent(way, frame);
    }
}

/* False: this was the last that can come. */
static bool receive(int i)
{
    struct way *way = &ways[!i];
    struct pb_message message = {.payload = pattern};
    int rc = pb_stream_receive(&streams[i], &message);
    const struct sent *sent = &way->frames[way->first % MOST];
    bool is_there = way->first != way->next && sent->end <= way->handed;
    bool is_wrong = is_there && way->broken && way->first + 1 == way->next;
    must(rc == (is_wrong ? way->will : is_there));
    if (rc <= 0) {
        must(message.payload == pattern);
        return rc == 0;
    }
    way->first++;
    must(memcmp(&message.head, &sent->frame, sizeof message.head) == 0);
    must(!message.payload == !message.head.length);
    must(!message.payload || memcmp(message.payload, sent->payload, message.head.length) == 0);
    free(message.payload);
    return true;
}

/* The first end goes away: the second gets every whole frame, and then no more. */
static void close_one(void)
{
    struct way *way = &ways[0];
    pb_close(&streams[0].fd);
    while (way->first != way->next && way->frames[way->first % MOST].end <= way->handed)
        if (!receive(1)) return;
    struct pb_message message;
    must(pb_stream_receive(&streams[1], &message) == -EPIPE);
    must(pb_stream_receive(&streams[1], &message) == -EPIPE);
}

START_TEST(random_frames_arrive_whole_and_in_order)
{
    chance_begin(1);
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (unsigned char)chance_bits();
    for (size_t step = 0, steps = chance_steps(); step < steps;) {
        bool lives = true;
        begin();
        for (unsigned life = chance(2 * LIFE); lives && life > 0; life--, step++) {
            int i = (int)chance(2);
            if (once_in(2))
                lives = receive(i);
            else if (raw && i == 0)
                send_raw();
            else
                send_frame(i);
        }
        if (lives) close_one();
        end();
    }
}
END_TEST

Suite *stream_model_suite(void)
{
    Suite *suite = suite_create("stream_model");
    TCase *tests = group(suite, "stream_model", 60);
    tcase_add_test(tests, random_frames_arrive_whole_and_in_order);
    return suite;
}
