/* SPDX-License-Identifier: Apache-2.0
 * The host's side of a worker's crash: what its record says, checked. */
#ifndef PB_AUTOPSY_H
#define PB_AUTOPSY_H

#include "compat.h"
#include "crashrecord.h"
#include "pebble/crash.h"

PB_HIDDEN_BEGIN

/* What a worker that ended by that signal has recorded. A reference; NULL:
 * nothing, or nothing that can be, or there is no memory. */
const struct pebble_crash *pb_autopsy_of(const struct pb_crash_record *record, int signal);

/* The record, as it was checked; for whoever has to pass it on. NULL of NULL. */
const struct pb_crash_record *pb_autopsy_record(const struct pebble_crash *crash);

/* Both ignore NULL. */
const struct pebble_crash *pb_autopsy_ref(const struct pebble_crash *crash);
void pb_autopsy_unref(const struct pebble_crash *crash);

PB_HIDDEN_END
#endif
