/* SPDX-License-Identifier: Apache-2.0
 * Where the threads of a worker are that has run for too long, in the memory
 * that it shares with its host. The host asks for it; the worker's signal
 * handlers write it; the host copies what is there when it is complete, or when
 * it will not wait any longer, and believes nothing of it that it has not
 * checked (stacks.c). */
#ifndef PB_DUMPRECORD_H
#define PB_DUMPRECORD_H

#include "compat.h"
#include "tracerecord.h"

#include <stdatomic.h>

#define PB_DUMP_THREADS 64
#define PB_DUMP_NAME 16

struct pb_dump_record {
    /* the host's */
    int64_t patience;         /* ns that it waits for it; 0: it never asks; set before the worker is there */
    _Atomic uint32_t wanted;

    /* the worker's */
    _Atomic uint32_t written; /* all threads have, or had the time to */
    _Atomic uint32_t thread_count;
    struct pb_dump_thread {
        _Atomic uint32_t traced; /* the trace is whole */
        _Atomic int32_t thread;
        char name[PB_DUMP_NAME]; /* terminated when it is whole */
        struct pb_trace_record trace;
    } threads[PB_DUMP_THREADS];
};

#endif
