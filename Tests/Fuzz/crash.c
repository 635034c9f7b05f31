/* SPDX-License-Identifier: Apache-2.0
 * The record of a crash, and what is said of it. */
#include "fuzz.h"
#include "autopsy.h"
#include "crashrecord.h"
#include "pebble/outcome.h"

static void look_at(const struct pebble_crash *crash, bool named)
{
    char text[300], one[2];
    struct pebble_frame frame;
    size_t frames = pebble_backtrace_length(crash->backtrace);
    must(frames <= PB_TRACE_FRAMES && strlen(crash->message) < PB_CRASH_MESSAGE);
    for (const char *at = crash->message; *at; at++)
        must((unsigned char)*at >= ' ' || *at == '\n' || *at == '\t');
    must(pebble_crash_describe(crash, text, sizeof text) >= 0 && pebble_crash_describe(crash, one, sizeof one) >= 0);
    if (!named) return; /* which takes a while */
    for (size_t n = 0; n <= frames; n++)
        must((pebble_backtrace_frame(crash->backtrace, n, &frame) == 0) == (n < frames));
    struct pebble_outcome outcome = {
        .status = PEBBLE_EXPIRED, .started = true, .exit_code = -1, .exit_signal = crash->signal, .crash = crash};
    must(pebble_outcome_report(&outcome, text, sizeof text) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pb_crash_record record;
    struct pb_image_spot spot;
    struct bytes bytes = {data, size};
    uint8_t form = take_byte(&bytes);
    take(&bytes, &record, sizeof record);
    int signal = record.signal;
    if (form % 2) atomic_store(&record.written, 1);
    if (form % 32 == 1 && pb_image_at((uintptr_t)LLVMFuzzerTestOneInput, &spot)) record.trace.images[0].id = spot.id;
    const struct pebble_crash *crash = pb_autopsy_of(&record, form % 64 == 2 ? signal + 1 : signal);
    memset((void *)&record, 0x55, sizeof record);
    if (crash) look_at(crash, form % 32 == 1 || form % 4 == 3);
    pb_autopsy_unref(crash);
    return 0;
}
