/* SPDX-License-Identifier: Apache-2.0
 * What a worker does to the memory and the stream of its link, between what its
 * host does with them: no job is lost, none comes twice, and nothing is larger
 * than the bounds. */
#include "fuzz.h"
#include "childlink.h"
#include "clock.h"
#include "hostlink.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BOUND 100000
#define LARGE (PB_LARGE_SIZE + 1) /* goes through the annex */
#define MAX_STEPS 400

static struct pb_hostlink host;
static struct pb_shared *shared;
static int worker;
static uint64_t next; /* job */

static void *tag_of(uint64_t number)
{
    return (void *)(uintptr_t)(number + 1);
}

static int submit(size_t length)
{
    static const struct pb_image_id image;
    static const char input[LARGE];
    const struct pb_submission job = {.tag = tag_of(next),
                                      .image = &image,
                                      .path = "/lib/it.so",
                                      .name = "name",
                                      .input = input,
                                      .input_length = length % 64 == 63 ? LARGE : length % 64,
                                      .updates = next % 2 == 0};
    int rc = pb_hostlink_submit(&host, &job, pb_now());
    next += rc > 0;
    return rc;
}

static int collect(void)
{
    struct pb_collected collected = {0};
    int rc = pb_hostlink_collect(&host, pb_now(), &collected);
    must(rc <= 0 || (collected.started <= collected.finished && collected.length <= BOUND && collected.tag));
    if (rc > 0 && collected.length) must(memchr(collected.data, 0, collected.length) || true);
    free(collected.data);
    return rc;
}

static void take_update(void)
{
    struct pb_news update;
    if (!pb_hostlink_take_update(&host, &update)) return;
    must(update.length <= BOUND && update.tag);
    free(update.data);
}

/* One step of the host. Negative: it has had enough of this worker. */
static int use(struct bytes *bytes)
{
    uint64_t number = take_number(bytes);
    switch (take_byte(bytes) % 13) {
    case 0: return submit(number);
    case 1: return pb_hostlink_read(&host);
    case 2: take_update(); return 0;
    case 3: return collect();
    case 4: pb_hostlink_revoke(&host, tag_of(number)); return 0;
    case 5: pb_hostlink_revoke_last(&host); return 0;
    case 6: pb_hostlink_started(&host, pb_hostlink_tag(&host, (unsigned)number % 4), pb_now()); return 0;
    case 7: pb_hostlink_want_bell(&host, (unsigned)number % 3, (uint32_t)(number / 3)); return 0;
    case 8: pb_hostlink_progress(&host, tag_of(number)); return 0;
    case 9: pb_hostlink_awaits_rest(&host); return 0;
    case 10: if (host.live) pb_hostlink_cancel(&host); return 0;
    case 11: pb_hostlink_give_back(&host); return 0;
    default: return pb_hostlink_sending(&host) ? pb_hostlink_flush(&host) : 0;
    }
}

static void send_bytes(struct bytes *bytes)
{
    char payload[512];
    struct pb_frame frame = {.magic = PB_FRAME_MAGIC, .kind = take_byte(bytes) % 5, .job = take_number(bytes)};
    frame.length = take_number(bytes);
    size_t length = frame.length < sizeof payload ? (size_t)frame.length : take_byte(bytes);
    take(bytes, payload, length);
    send(worker, &frame, sizeof frame, MSG_NOSIGNAL | MSG_DONTWAIT);
    send(worker, payload, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* One step of the worker. */
static void damage(struct bytes *bytes)
{
    uint64_t number = take_number(bytes);
    struct pb_slot *slot = &shared->slots[take_byte(bytes) % 4];
    switch (take_byte(bytes) % 13) {
    case 0: atomic_fetch_add(&shared->completed, (uint32_t)number % 4); break;
    case 1: atomic_store(&shared->completed, (uint32_t)number); break;
    case 2: slot->answer = (uint32_t)number % 10; break;
    case 3: atomic_store(&slot->claim, (uint32_t)number % 6); break;
    case 4: slot->output_length = number; break;
    case 5: slot->output_at = (uint32_t)number; break;
    case 6: slot->updates = (uint32_t)number; break;
    case 7: atomic_store(&slot->started, (int64_t)number); break;
    case 8: slot->finished = (int64_t)number; break;
    case 9: ((volatile uint8_t *)shared)[number % offsetof(struct pb_shared, crash)] = take_byte(bytes); break;
    case 10: send_bytes(bytes); break;
    case 12: atomic_store(&shared->annex, (uint32_t)number % 4); break;
    case 11: madvise(shared, sizeof *shared, MADV_REMOVE); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = {data, size};
    bool began;
    next = 0;
    must(pb_hostlink_open(&host, BOUND, true, &worker) == 0);
    shared = host.shared;
    host.submitted = host.collected = take_number(&bytes) & (UINT64_MAX >> 1); /* however old the link is */
    shared->submitted = shared->collected = shared->completed = (uint32_t)host.submitted;
    for (unsigned n = take_byte(&bytes) % 8; n > 0; n--)
        submit(0);
    for (unsigned steps = 0; bytes.left && steps < MAX_STEPS; steps++)
        if (take_byte(&bytes) % 2)
            damage(&bytes);
        else if (use(&bytes) < 0)
            break;
    unsigned left = host.live;
    while (pb_hostlink_next_left(&host, &began))
        left--;
    must(left == 0 && host.live == 0);
    pb_hostlink_done(&host);
    close(worker);
    return 0;
}
