/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "backtrace.h"
#include "demangle.h"
#include "symbols.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct pebble_backtrace {
    struct pb_trace_record record;
    pthread_mutex_t lock;
    bool named; /* under the lock, as what follows */
    struct pebble_frame frames[PB_TRACE_FRAMES];
    char *paths[PB_TRACE_IMAGES];
};

void pb_backtrace_tame(char *text, size_t size)
{
    size_t length = strnlen(text, size - 1);
    while (length && (text[length - 1] == '\n' || text[length - 1] == ' '))
        length--;
    text[length] = '\0';
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\n' && text[i] != '\t') || text[i] == 0x7f) text[i] = '?';
}

pebble_backtrace *pb_backtrace_new(const struct pb_trace_record *record)
{
    if (!pb_trace_is_sound(record)) return NULL;
    pebble_backtrace *backtrace = calloc(1, sizeof *backtrace);
    if (!backtrace) return NULL;
    backtrace->record = *record;
    for (uint32_t n = 0; n < record->image_count; n++)
        pb_backtrace_tame(backtrace->record.images[n].path, PB_TRACE_PATH);
    pthread_mutex_init(&backtrace->lock, NULL);
    return backtrace;
}

void pebble_backtrace_free(pebble_backtrace *backtrace)
{
    if (!backtrace) return;
    for (size_t n = 0; n < PB_TRACE_FRAMES; n++)
        free((void *)(uintptr_t)backtrace->frames[n].function);
    for (size_t n = 0; n < PB_TRACE_IMAGES; n++)
        free(backtrace->paths[n]);
    pthread_mutex_destroy(&backtrace->lock);
    free(backtrace);
}

size_t pebble_backtrace_length(const pebble_backtrace *backtrace)
{
    return backtrace->record.frame_count;
}

bool pebble_backtrace_truncated(const pebble_backtrace *backtrace)
{
    return backtrace->record.truncated != 0;
}

/* --- names --- */

static bool is_machinery(const char *name)
{
    /* What the names of the Swift module Pebble begin with, and of what the runtime does for a throw. */
    static const char *const own[] = {"$s6Pebble", "swift_willThrow"};
    for (size_t n = 0; n < PB_COUNT(own); n++)
        if (strncmp(name, own[n], strlen(own[n])) == 0) return true;
    return false;
}

static bool is_interrupted(const struct pb_trace_record *record, size_t number)
{
    return number == 0 && record->interrupted;
}

static uint64_t looked_up(const struct pb_trace_record *record, size_t number)
{
    /* A return address may lie behind the function that calls. */
    return record->frames[number].offset - (!is_interrupted(record, number) && record->frames[number].offset);
}

/* Of an image that this process has loaded too: the functions, and where they lie here. Without
 * memory, or when the file is not to be read, they stay without names. */
static void name_frames(pebble_backtrace *backtrace, uint32_t image, uintptr_t base)
{
    const struct pb_trace_record *record = &backtrace->record;
    struct pb_symbol symbols[PB_TRACE_FRAMES];
    size_t numbers[PB_TRACE_FRAMES], count = 0;
    for (size_t n = 0; n < record->frame_count; n++) {
        if (record->frames[n].image != image) continue;
        backtrace->frames[n].address = (const void *)(base + record->frames[n].offset);
        symbols[count].address = looked_up(record, n);
        numbers[count++] = n;
    }
    /* The link, since the file may have been replaced. */
    const char *path = *record->images[image].path ? backtrace->paths[image] : "/proc/self/exe";
    pb_symbols_find(path, &record->images[image].id, symbols, count);
    for (size_t k = 0; k < count; k++) {
        struct pebble_frame *frame = &backtrace->frames[numbers[k]];
        if (!symbols[k].name) continue;
        frame->function_offset = frame->offset - symbols[k].start;
        frame->machinery = is_machinery(symbols[k].name);
        frame->function = pb_demangle(symbols[k].name);
        free(symbols[k].name);
    }
}

static void name(pebble_backtrace *backtrace)
{
    const struct pb_trace_record *record = &backtrace->record;
    for (size_t n = 0; n < record->frame_count; n++)
        backtrace->frames[n] = (struct pebble_frame){
            .image = "", .offset = record->frames[n].offset, .interrupted = is_interrupted(record, n)};
    for (uint32_t image = 0; image < record->image_count; image++) {
        uintptr_t base = 0;
        bool here = pb_image_find(&record->images[image].id, &base, &backtrace->paths[image]) == 0;
        for (size_t n = 0; n < record->frame_count; n++)
            if (record->frames[n].image == image)
                backtrace->frames[n].image = here ? backtrace->paths[image] : record->images[image].path;
        if (here) name_frames(backtrace, image, base);
    }
}

int pebble_backtrace_frame(const pebble_backtrace *given, size_t number, struct pebble_frame *ret_frame)
{
    pebble_backtrace *backtrace = (pebble_backtrace *)(uintptr_t)given;
    if (number >= backtrace->record.frame_count) return -EINVAL;
    pthread_mutex_lock(&backtrace->lock);
    if (!backtrace->named) name(backtrace);
    backtrace->named = true;
    *ret_frame = backtrace->frames[number];
    pthread_mutex_unlock(&backtrace->lock);
    return 0;
}

/* --- as bytes --- */

size_t pebble_backtrace_encode(void *const *addresses, size_t count, void *buffer, size_t size)
{
    struct pb_trace_record record = {0};
    for (size_t n = 0; n < count && pb_trace_add(&record, (uintptr_t)addresses[n]);)
        n++;
    return pb_trace_encode(&record, buffer, size);
}

int pebble_backtrace_decode(const void *bytes, size_t length, pebble_backtrace **ret_backtrace)
{
    struct pb_trace_record record;
    if (!pb_trace_decode(bytes, length, &record)) return -EBADMSG;
    pebble_backtrace *backtrace = pb_backtrace_new(&record);
    if (!backtrace) return -ENOMEM;
    *ret_backtrace = backtrace;
    return 0;
}
