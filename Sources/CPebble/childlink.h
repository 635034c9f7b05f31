/* SPDX-License-Identifier: Apache-2.0
 * The worker's end of its link: jobs come out, answers go in. The worker may
 * block here: it has nothing else to do. */
#ifndef PB_CHILDLINK_H
#define PB_CHILDLINK_H

#include "compat.h"
#include "arena.h"
#include "shared.h"
#include "stream.h"

/* A job that this worker has claimed. */
struct pb_claimed {
    uint64_t number;
    struct pb_slot *slot;
    void *input; /* valid until the job is answered */
    uint64_t input_length;
    const char *path, *name; /* not terminated: see the slot for their lengths */
    void *block;             /* what `input` points to when it came over the stream */
};

struct pb_childlink {
    struct pb_stream stream;
    struct pb_shared *shared;
    int memory_use; /* /proc/self/statm; -1: nobody wants to know */
    uint64_t taken; /* jobs seen so far; never wraps */
    int64_t free_since; /* when it ended the last job, if it did nothing else since then; else 0 */
    void *bulk;     /* an input that came before it was looked for */
    uint64_t bulk_job;
    struct pb_arena outputs;
    int64_t room_at; /* of the reply that is being written; -1: none */
    uint64_t outputs_mark[PB_SLOTS];
    uint64_t freed; /* jobs whose room in `outputs` was given back */
    uint64_t large_until; /* when so many jobs were collected, nothing is in `large_output` */
    char *annex;          /* NULL: not mapped */
    uint64_t annex_until; /* when so many jobs were collected, no reply is in it */
};

PB_HIDDEN_BEGIN

/* Tells the host how far a job has come that has several elements. */
void pb_childlink_progress(struct pb_childlink *link, uint64_t number, uint32_t done);

/* Tells the host how much memory is resident, if it wants to know; before an answer. */
void pb_childlink_tell_resident(struct pb_childlink *link);

/* Takes over the socket, and the memory that is sent through it. 0 or -errno. */
int pb_childlink_adopt(struct pb_childlink *link, int fd);

/* Says that jobs may come. False: the host is gone. */
bool pb_childlink_ready(struct pb_childlink *link);

/* Whether the next job, or the end, is there already. */
bool pb_childlink_has_work(const struct pb_childlink *link);

/* Waits for the next job and claims it. False: there will be none any more. */
bool pb_childlink_next(struct pb_childlink *link, struct pb_claimed *ret_job);

/* Whether the host does not want that job any more; from any thread. */
bool pb_childlink_cancelled(const struct pb_childlink *link, uint64_t number);

/* During a job that waits: a descriptor that is readable when the host has
 * something new to say, until pb_childlink_awake. -1: the host is gone. To be
 * asked for again after each time that it was readable. */
int pb_childlink_doorbell(struct pb_childlink *link);
void pb_childlink_awake(struct pb_childlink *link);

/* The largest room in the shared memory for a reply, to be built in place:
 * NULL when there is none. At most one at a time, until the answer. */
char *pb_childlink_reply_room(struct pb_childlink *link, size_t *ret_capacity);

/* The room for a reply that outgrows that one, PB_LARGE_SIZE of it; NULL: an
 * earlier reply is still in it. May be given up for other memory. */
char *pb_childlink_large_room(struct pb_childlink *link);

/* The room for a reply that outgrows that one too, PB_ANNEX_HALF of it; NULL: there
 * is none, or an earlier reply is still in it. May be given up for other memory. */
char *pb_childlink_annex_room(struct pb_childlink *link);

/* Sends what the job claimed last has to say, if anybody wants to know. 0;
 * -EFBIG: it is larger than a payload may be; -EPIPE: the host is gone. */
int pb_childlink_update(struct pb_childlink *link, uint64_t number, const void *data, size_t length);

/* Answers the job claimed last. `reply` is either room, or any other
 * memory. False: the host is gone. */
bool pb_childlink_answer(struct pb_childlink *link, struct pb_claimed *job, enum pb_answer answer, int code,
                         const char *reply, size_t length);

PB_HIDDEN_END
#endif
