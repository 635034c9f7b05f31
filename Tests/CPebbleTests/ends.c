/* SPDX-License-Identifier: Apache-2.0 */
#include "ends.h"
#include "clock.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void ends_open(struct ends *ends, uint64_t max_payload)
{
    int fd;
    ck_assert_int_eq(pb_hostlink_open(&ends->host, max_payload, false, &fd), 0);
    ck_assert_int_eq(pb_childlink_adopt(&ends->worker, fd), 0);
}

void ends_close(struct ends *ends)
{
    pb_hostlink_done(&ends->host);
    pb_hostlink_done(&ends->host);
    pb_stream_done(&ends->worker.stream);
    free(ends->worker.bulk);
    munmap(ends->worker.shared, sizeof *ends->worker.shared);
}

void ends_age(struct ends *ends, uint64_t jobs)
{
    ends->host.submitted = ends->host.collected = ends->worker.taken = ends->worker.freed = jobs;
    ends->host.shared->submitted = ends->host.shared->collected = ends->host.shared->completed = (uint32_t)jobs;
}

void *tag_of(uint64_t number)
{
    return (void *)(uintptr_t)(number + 1);
}

int submit(struct ends *ends, uint64_t number, const void *input, size_t length)
{
    static const struct pb_image_id image;
    const struct pb_submission job = {.tag = tag_of(number),
                                      .offset = number,
                                      .image = &image,
                                      .path = "/lib/it.so",
                                      .name = "name",
                                      .input = input,
                                      .input_length = length,
                                      .updates = number % 2 == 0};
    return pb_hostlink_submit(&ends->host, &job, pb_now());
}

void pump(struct ends *ends)
{
    while (pb_hostlink_sending(&ends->host)) {
        ck_assert_int_ge(pb_hostlink_flush(&ends->host), 0);
        ck_assert_int_ge(pb_childlink_doorbell(&ends->worker), 0);
    }
    pb_childlink_awake(&ends->worker);
}

struct pb_claimed claim_next(struct ends *ends)
{
    struct pb_claimed job;
    ck_assert(pb_childlink_next(&ends->worker, &job));
    return job;
}

void answer(struct ends *ends, struct pb_claimed *job, const void *reply, size_t length)
{
    size_t capacity;
    char *room = pb_childlink_reply_room(&ends->worker, &capacity);
    if (room && length <= capacity) {
        if (length) memcpy(room, reply, length);
        reply = room;
    }
    ck_assert(pb_childlink_answer(&ends->worker, job, PB_ANSWER_REPLY, 0, reply, length));
}

struct pb_collected collect(struct ends *ends, uint64_t number)
{
    struct pb_collected collected;
    ck_assert_int_eq(pb_hostlink_collect(&ends->host, pb_now(), &collected), 1);
    ck_assert_ptr_eq(collected.tag, tag_of(number));
    return collected;
}
