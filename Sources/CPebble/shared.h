/* SPDX-License-Identifier: Apache-2.0
 * The memory that a host and one worker share, and its protocol.
 *
 * Jobs are numbered from 0 in the order in which they are submitted; job n has
 * slot n % PB_SLOTS. The worker takes them in that order and completes them in
 * that order, so three counters order everything:
 *
 *   collected <= completed <= submitted <= collected + PB_SLOTS
 *   (host)       (worker)     (host)
 *
 * A job belongs to whoever moves its claim: QUEUED to RUNNING is the worker's
 * move, QUEUED to REVOKED the host's; each is one compare-and-swap, so a job
 * that was revoked provably never ran, and one that was not has run or runs.
 * The worker completes a revoked job by stepping over it.
 *
 * Each side sleeps only after it said so and looked once more, and is woken
 * only when it said so: `asleep` is the worker's word, `wants_bell` the host's.
 * Both pairs (say, look) and (publish, ask) are sequentially consistent. Of many
 * answers the host may want to be told only when some have come together, at
 * `bell_at`; it is told before that when nothing more is to come.
 *
 * The host trusts nothing in here: it keeps its own counters and its own copy
 * of what it submitted, copies out what the worker wrote, and checks the copy. */
#ifndef PB_SHARED_H
#define PB_SHARED_H

#include "compat.h"
#include "crashrecord.h"
#include "dumprecord.h"
#include "image.h"
#include "readable.h"

#include <stdalign.h>
#include <stdatomic.h>

#define PB_SLOTS 128U
#define PB_ARENA_SIZE (128U * 1024) /* of inputs, and of replies */
#define PB_LARGE_SIZE (2U * 1024 * 1024) /* of one input, and of one reply, that are too large for the arenas */
#define PB_ANNEX_HALF (256U * 1024 * 1024) /* of one input, and of one reply, that are too large for that, in the annex */
#define PB_ANNEX_SIZE ((size_t)2 * PB_ANNEX_HALF)
#define PB_ANNEX_REPLIES PB_ANNEX_HALF /* where in the annex replies are */

enum pb_claim { PB_CLAIM_FREE, PB_CLAIM_QUEUED, PB_CLAIM_RUNNING, PB_CLAIM_REVOKED };

/* Where an input is. */
enum pb_place {
    PB_IN_ARENA,
    PB_IN_LARGE,  /* at the beginning of `large_input`: no other job has one there until this is answered */
    PB_ON_STREAM,
    PB_IN_ANNEX,  /* as in `large_input`, at the beginning of the annex */
};

enum pb_answer {
    PB_ANSWER_NONE,        /* revoked */
    PB_ANSWER_REPLY,       /* the function returned `code`; the reply is in the arena */
    PB_ANSWER_LARGE,       /* the same; the reply is at the beginning of `large_output`, until it is collected */
    PB_ANSWER_BULK,        /* the same; the reply is on the stream */
    PB_ANSWER_NO_FUNCTION, /* there is no such function here */
    PB_ANSWER_NO_MEMORY,   /* the reply did not fit into memory */
    PB_ANSWER_TOO_LARGE,   /* the reply is larger than max_payload */
    PB_ANSWER_ANNEX,       /* the function returned `code`; the reply is in the annex, until it is collected */
};

/* The annex is mapped when something first went over the stream that it has room for:
 * what comes once is not worth its pages. The worker moves CLOSED to OPEN, and UNWANTED
 * to CLOSED, when it has nothing to do; the host moves between the other two, when the
 * worker has nothing of it. Each of the latter is one compare-and-swap. */
enum pb_annex_state {
    PB_ANNEX_CLOSED,
    PB_ANNEX_OPEN,     /* the worker has it: inputs may go there */
    PB_ANNEX_UNWANTED, /* the worker still has it */
};

/* Whether and how the host is to be told of the next answer. */
enum pb_bell {
    PB_NO_BELL,
    PB_BELL_ON_STREAM, /* a frame, for its loop thread */
    PB_BELL_ON_WORD,   /* a futex, for a thread that waits for a job: `wants_bell` itself */
};

/* How the worker sleeps, and so must be woken. */
enum pb_sleep {
    PB_AWAKE,
    PB_SLEEPS_ON_WORD,   /* a futex: `asleep` itself */
    PB_SLEEPS_ON_STREAM, /* it polls the stream, and the main queue */
};

struct pb_slot {
    /* the host's; input, path, name lie in the input arena one after the other */
    alignas(64) _Atomic uint32_t claim;
    uint32_t input_at;
    uint64_t input_length;
    uint64_t offset;
    struct pb_image_id image;
    uint16_t path_length, name_length;
    uint32_t input_place; /* enum pb_place; path and name are in the arena */
    uint32_t wants_updates;

    /* the worker's */
    alignas(64) _Atomic int64_t started; /* CLOCK_MONOTONIC, ns; written before the claim */
    int64_t finished;
    int32_t code;
    uint32_t answer;
    uint32_t output_at;
    uint32_t updates; /* sent on the stream before the answer */
    uint64_t output_length;
    _Atomic uint32_t progress; /* elements of a chunk that are done */
};

struct pb_shared {
    /* the host's */
    alignas(64) _Atomic uint32_t submitted;
    _Atomic uint32_t collected;
    _Atomic uint32_t leave; /* end when nothing is left to do */
    _Atomic uint64_t cancelled; /* 1 + the number of the job that is not wanted any more; never goes back */
    uint64_t max_payload;   /* of a reply; set before the worker is there */
    uint32_t tell_resident; /* whether the worker is to; set before it is there */
    uint32_t remember_throws; /* the same */
    uint32_t pass_crashes_on; /* the same: to handlers that were there before the library's */
    uint64_t core_size;       /* of its core file, at most; set before it is there */
    uint32_t confined;      /* whether it is to be; the same */
    uint32_t initialized;   /* whether its first job is the initializer, behind which it is; the same */
    int64_t debugger_time;    /* how long it waits for one; the same */
    uint32_t has_annex;     /* whether there is one; the same */
    _Atomic uint32_t annex_replies; /* whether the host has it: replies may go there; taken back while no job is under way */
    _Atomic uint32_t bell_at; /* how many jobs are to be completed for the bell that is wanted */
    /* the worker's */
    alignas(64) _Atomic uint32_t completed;
    _Atomic uint32_t ready;
    _Atomic uint32_t unconfined; /* it ends since it could not be confined: the errno value */
    _Atomic uint64_t resident; /* bytes, after its last job */
    /* both sides' */
    alignas(64) _Atomic uint32_t asleep;
    alignas(64) _Atomic uint32_t wants_bell;
    _Atomic uint32_t annex; /* enum pb_annex_state */
    struct pb_slot slots[PB_SLOTS];
    alignas(64) char inputs[PB_ARENA_SIZE];
    alignas(64) char outputs[PB_ARENA_SIZE];
    /* pages that cost nothing before they are used */
    alignas(4096) char large_input[PB_LARGE_SIZE];
    alignas(4096) char large_output[PB_LARGE_SIZE];
    /* the host's, what it can read when it is confined; set before the worker is there */
    alignas(4096) char readable[PB_READABLE_SIZE];
    /* the worker's, when it crashes; pages of its own, which no worker touches that does not */
    alignas(4096) struct pb_crash_record crash;
    /* the same, when the host asks where it is */
    alignas(4096) struct pb_dump_record dump;
    /* nobody's: the annex is behind it, in the same file */
    alignas(4096) char door[4096];
};

#endif
