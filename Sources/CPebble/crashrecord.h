/* SPDX-License-Identifier: Apache-2.0
 * What a crashing worker leaves behind in the memory that it shares with its
 * host. The worker writes it in its signal handler, in the order of the fields;
 * the host reads it when the worker is dead, copies it once, and believes
 * nothing of it that it has not checked (autopsy.c). */
#ifndef PB_CRASHRECORD_H
#define PB_CRASHRECORD_H

#include "compat.h"
#include "tracerecord.h"

#include <stdatomic.h>

#define PB_CRASH_MESSAGE 1024

struct pb_crash_record {
    _Atomic uint32_t written; /* 1: up to stack_overflow, what follows may be cut short by a second fault */
    int32_t signal, code, thread;
    uint64_t address;
    uint32_t main_thread, stack_overflow;

    char message[PB_CRASH_MESSAGE]; /* terminated when it is whole */
    struct pb_trace_record trace;
};

#endif
