/* SPDX-License-Identifier: Apache-2.0
 * The host's end of the link to one worker: jobs go in, answers come out, and
 * what never began can be taken back. Nothing is shared between workers.
 *
 * One thread at a time. What the memory holds is checked before it is used:
 * whatever the worker writes, the host neither crashes, nor hangs, nor
 * allocates more than the bounds allow. */
#ifndef PB_HOSTLINK_H
#define PB_HOSTLINK_H

#include "compat.h"
#include "arena.h"
#include "blocks.h"
#include "futex.h"
#include "shared.h"
#include "stream.h"

/* A job as it is submitted. All of it is copied or sent before the answer,
 * and `input` is borrowed until then. */
struct pb_submission {
    void *tag; /* comes back with the answer; not NULL */
    uint64_t offset;
    const struct pb_image_id *image;
    const char *path, *name;
    const void *input;
    uint64_t input_length;
    bool updates; /* whether what it has to say while it runs is wanted */
};

/* What a job has to say while it runs. */
struct pb_news {
    void *tag;
    void *data; /* the receiver's, freed with free(3); NULL when length is 0 */
    uint64_t length;
};

/* What became of a submitted job. */
struct pb_collected {
    void *tag;
    enum pb_answer answer; /* REPLY (wherever it came from), NO_FUNCTION, NO_MEMORY or TOO_LARGE */
    int32_t code;
    void *data; /* the receiver's, freed with free(3); NULL when length is 0 */
    uint64_t length;
    int64_t started, finished; /* as the worker says, within what is possible */
};

/* A copy to the annex, or out of it, that is done a piece at a time: no lock is held for long. */
struct pb_copy {
    const char *from;
    char *to;
    uint64_t left; /* 0: there is nothing to copy */
};

struct pb_hostlink {
    struct pb_stream stream;
    struct pb_shared *shared; /* NULL: not open */
    uint64_t max_payload;
    struct pb_wakes *wakes;   /* for those of the worker; NULL: at once */
    bool owes_bell;           /* the worker sleeps on the stream, and has a job: see pb_hostlink_ring */
    struct pb_blocks *blocks; /* for replies; NULL: malloc alone */
    uint64_t submitted, collected; /* never wrap */
    struct pb_arena inputs;
    struct {
        void *tag; /* NULL: revoked */
        uint64_t inputs_mark;
        int64_t submitted_at;
        bool wants_updates;
        uint32_t updates; /* received */
        int64_t began; /* when, as first seen; 0: not yet. What the worker says later does not change it */
    } jobs[PB_SLOTS];
    int64_t first_since; /* when the last answer was taken: the next job may have been the first since */
    void *bulk; /* a reply that came over the stream, to be collected */
    uint64_t bulk_job, bulk_length;
    bool has_bulk;
    bool has_annex; /* there is one, and nothing speaks against it so far */
    char *annex;    /* NULL: not mapped */
    struct pb_copy input;          /* of the job submitted last: the worker does not know of that before it is there */
    struct pb_copy reply;          /* of the next answer */
    char *reply_data;              /* what the copy is to become; NULL: none is under way */
    uint64_t reply_length;
    bool hurries;                  /* replies are copied at once */
    struct pb_news update; /* tag is NULL: there is none */
    bool ready;
    bool leaves; /* it was told to */
    unsigned live; /* jobs submitted and neither collected nor revoked */
};

PB_HIDDEN_BEGIN

/* Opens a link; *ret_worker_fd is the worker's end, to be passed on. 0 or -errno. */
int pb_hostlink_open(struct pb_hostlink *link, uint64_t max_payload, bool tell_resident, int *ret_worker_fd);

/* Closes it. Harmless when done before. */
void pb_hostlink_done(struct pb_hostlink *link);

/* Submits a job. 1: done; 0: there is no room now; -errno: the link is broken.
 * There is room for a large input only when the worker has nothing else to do:
 * half sent behind a job that takes long, it could not be taken back. */
int pb_hostlink_submit(struct pb_hostlink *link, const struct pb_submission *job, int64_t now);

/* Sends the bell that is owed for what was submitted with `wakes`, as far as it goes. A broken stream is found by others. */
void pb_hostlink_ring(struct pb_hostlink *link);

/* Whether bytes wait to be sent, or copied, when the stream is writable: pb_hostlink_flush, and
 * pb_hostlink_collect, which returns 0 until its reply is copied. */
bool pb_hostlink_sending(const struct pb_hostlink *link);
int pb_hostlink_flush(struct pb_hostlink *link);

/* Reads one frame of the stream, to be followed by pb_hostlink_take_update and pb_hostlink_collect. 1: done;
 * 0: there is none now; -errno: the stream ended (-EPIPE), or carried what it
 * must not (-EPROTO, -EFBIG), or -ENOMEM. */
int pb_hostlink_read(struct pb_hostlink *link);

/* What the frame read last brought. False: no update. */
bool pb_hostlink_take_update(struct pb_hostlink *link, struct pb_news *ret_update);

/* How many answers there are, as the worker says. */
uint32_t pb_hostlink_due(const struct pb_hostlink *link);

/* The next answer. 1: *ret; 0: none yet; -EPROTO, -EFBIG, -ENOMEM: the worker is not to be trusted any more. */
int pb_hostlink_collect(struct pb_hostlink *link, int64_t now, struct pb_collected *ret_collected);

/* Asks for a bell, on the stream or on the word, when so many answers are there, or when there
 * are some and the worker has nothing more to do. False: it is so already. */
bool pb_hostlink_want_bell(struct pb_hostlink *link, enum pb_bell bell, uint32_t answers);

/* Without the lock that guards the link: waits until `deadline` for the bell on
 * the word, or until it is called off. May return for no reason. */
void pb_hostlink_wait_bell(struct pb_hostlink *link, int64_t deadline);

/* Calls the bell on the word off: who waits for it returns. */
void pb_hostlink_call_off(struct pb_hostlink *link);

/* Whether the next answer is there, and its reply or an update before it still on its way. */
bool pb_hostlink_awaits_rest(struct pb_hostlink *link);

/* Whether the worker has said that it is ready. */
bool pb_hostlink_ready(struct pb_hostlink *link);

/* Of a worker that has ended since it could not be confined, the errno value, as it says; 0: it could be. */
int pb_hostlink_unconfined(const struct pb_hostlink *link);

/* The worker's resident memory in bytes, as it says, when it is to tell. */
uint64_t pb_hostlink_resident(const struct pb_hostlink *link);

/* The tags of the jobs that are under way, in order: n from 0; NULL at the end. */
void *pb_hostlink_tag(const struct pb_hostlink *link, unsigned n);

/* Takes back the job with that tag. True: it never ran and will not. False: it has begun. */
bool pb_hostlink_revoke(struct pb_hostlink *link, const void *tag);

/* Takes back the job submitted last that has not begun: its tag, or NULL. */
void *pb_hostlink_revoke_last(struct pb_hostlink *link);

/* When the worker began the job with that tag; 0: it has not. */
int64_t pb_hostlink_started(struct pb_hostlink *link, const void *tag, int64_t now);

/* How many elements of the job with that tag are done, as the worker said. */
uint32_t pb_hostlink_progress(struct pb_hostlink *link, const void *tag);

/* Of a dead worker, when nothing is left to collect: the next job that it took
 * with it, or that never began (*ret_began). NULL at the end. */
void *pb_hostlink_next_left(struct pb_hostlink *link, bool *ret_began);

/* Tells the worker that the first job that is under way is not wanted any more. */
void pb_hostlink_cancel(struct pb_hostlink *link);

/* Tells the worker to end when it has nothing left to do: at once, where it has
 * nothing; or before it may have begun what was submitted last, without waking it. */
void pb_hostlink_leave(struct pb_hostlink *link);
void pb_hostlink_leave_after(struct pb_hostlink *link);

/* When no job is under way: gives the memory of the annex back, until it is needed again. */
void pb_hostlink_give_back(struct pb_hostlink *link);

PB_HIDDEN_END
#endif
