/* SPDX-License-Identifier: Apache-2.0
 * A backtrace that a worker has recorded, in the host: a checked copy, whose
 * frames get their names when somebody asks. */
#ifndef PB_BACKTRACE_H
#define PB_BACKTRACE_H

#include "compat.h"
#include "tracerecord.h"
#include "pebble/backtrace.h"

PB_HIDDEN_BEGIN

/* Of a record that nobody else can change any more. NULL: it is not sound, or there is no memory. */
pebble_backtrace *pb_backtrace_new(const struct pb_trace_record *record);

/* Terminates a text of a worker's and takes out what could play tricks on a terminal. */
void pb_backtrace_tame(char *text, size_t size);

PB_HIDDEN_END
#endif
