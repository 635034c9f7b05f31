/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "autopsy.h"
#include "demangle.h"
#include "symbols.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_MODULE "$s6Pebble" /* what the names of the Swift module Pebble begin with */

struct autopsy {
    struct pebble_crash crash; /* first: all that others see */
    atomic_uint refs;
    struct pb_crash_record record; /* a checked copy */
    pthread_mutex_t lock;
    bool named; /* under the lock, as what follows */
    struct pebble_frame frames[PB_CRASH_FRAMES];
    char *paths[PB_CRASH_IMAGES];
};

/* --- what the record says --- */

/* Terminates a text of the worker's and takes out what could play tricks on a terminal. */
static void tame(char *text, size_t size)
{
    size_t length = strnlen(text, size - 1);
    while (length && (text[length - 1] == '\n' || text[length - 1] == ' '))
        length--;
    text[length] = '\0';
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\n' && text[i] != '\t') || text[i] == 0x7f) text[i] = '?';
}

static bool is_sound(const struct pb_crash_record *record, int signal)
{
    if (atomic_load_explicit(&record->written, memory_order_relaxed) != 1 || record->signal != signal) return false;
    if (record->frame_count > PB_CRASH_FRAMES || record->image_count > PB_CRASH_IMAGES) return false;
    for (uint32_t n = 0; n < record->frame_count; n++)
        if (record->frames[n].image >= record->image_count && record->frames[n].image != PB_CRASH_NO_IMAGE) return false;
    return true;
}

const struct pebble_crash *pb_autopsy_of(const struct pb_crash_record *record, int signal)
{
    if (!signal || atomic_load_explicit(&record->written, memory_order_acquire) != 1) return NULL;
    struct autopsy *autopsy = calloc(1, sizeof *autopsy);
    if (!autopsy) return NULL;
    struct pb_crash_record *copy = &autopsy->record;
    memcpy(copy, (const void *)record, sizeof *copy);
    if (!is_sound(copy, signal)) {
        free(autopsy);
        return NULL;
    }
    tame(copy->message, sizeof copy->message);
    for (uint32_t n = 0; n < copy->image_count; n++)
        tame(copy->images[n].path, sizeof copy->images[n].path);
    atomic_init(&autopsy->refs, 1);
    pthread_mutex_init(&autopsy->lock, NULL);
    autopsy->crash = (struct pebble_crash){
        .signal = copy->signal,
        .code = copy->code,
        .address = copy->address,
        .thread = copy->thread,
        .main_thread = copy->main_thread != 0,
        .stack_overflow = copy->stack_overflow != 0,
        .message = copy->message,
        .frame_count = copy->frame_count,
        .truncated = copy->truncated != 0,
    };
    return &autopsy->crash;
}

static struct autopsy *autopsy_of(const struct pebble_crash *crash)
{
    return (struct autopsy *)(uintptr_t)crash;
}

const struct pb_crash_record *pb_autopsy_record(const struct pebble_crash *crash)
{
    return crash ? &autopsy_of(crash)->record : NULL;
}

const struct pebble_crash *pb_autopsy_ref(const struct pebble_crash *crash)
{
    if (crash) atomic_fetch_add_explicit(&autopsy_of(crash)->refs, 1, memory_order_relaxed);
    return crash;
}

void pb_autopsy_unref(const struct pebble_crash *crash)
{
    struct autopsy *autopsy = autopsy_of(crash);
    if (!crash || atomic_fetch_sub_explicit(&autopsy->refs, 1, memory_order_acq_rel) != 1) return;
    for (size_t n = 0; n < PB_CRASH_FRAMES; n++)
        free((void *)(uintptr_t)autopsy->frames[n].function);
    for (size_t n = 0; n < PB_CRASH_IMAGES; n++)
        free(autopsy->paths[n]);
    pthread_mutex_destroy(&autopsy->lock);
    free(autopsy);
}

/* --- frames --- */

static uint64_t looked_up(const struct pb_crash_record *record, size_t number)
{
    /* A return address may lie behind the function that calls. */
    return record->frames[number].offset - (number > 0 && record->frames[number].offset);
}

/* Of an image that this process has loaded too: the functions, and where they lie here. Without
 * memory, or when the file is not to be read, they stay without names. */
static void name_frames(struct autopsy *autopsy, uint32_t image, uintptr_t base)
{
    const struct pb_crash_record *record = &autopsy->record;
    struct pb_symbol symbols[PB_CRASH_FRAMES];
    size_t numbers[PB_CRASH_FRAMES], count = 0;
    for (size_t n = 0; n < record->frame_count; n++) {
        if (record->frames[n].image != image) continue;
        autopsy->frames[n].address = (const void *)(base + record->frames[n].offset);
        symbols[count].address = looked_up(record, n);
        numbers[count++] = n;
    }
    /* The link, since the file may have been replaced. */
    const char *path = *record->images[image].path ? autopsy->paths[image] : "/proc/self/exe";
    pb_symbols_find(path, &record->images[image].id, symbols, count);
    for (size_t k = 0; k < count; k++) {
        struct pebble_frame *frame = &autopsy->frames[numbers[k]];
        if (!symbols[k].name) continue;
        frame->function_offset = frame->offset - symbols[k].start;
        frame->machinery = strncmp(symbols[k].name, OWN_MODULE, strlen(OWN_MODULE)) == 0;
        frame->function = pb_demangle(symbols[k].name);
        free(symbols[k].name);
    }
}

static void name(struct autopsy *autopsy)
{
    const struct pb_crash_record *record = &autopsy->record;
    for (uint32_t image = 0; image < record->image_count; image++) {
        uintptr_t base = 0;
        bool here = pb_image_find(&record->images[image].id, &base, &autopsy->paths[image]) == 0;
        for (size_t n = 0; n < record->frame_count; n++)
            if (record->frames[n].image == image)
                autopsy->frames[n].image = here ? autopsy->paths[image] : record->images[image].path;
        if (here) name_frames(autopsy, image, base);
    }
}

int pebble_crash_frame(const struct pebble_crash *crash, size_t number, struct pebble_frame *ret_frame)
{
    struct autopsy *autopsy = autopsy_of(crash);
    if (number >= crash->frame_count) return -EINVAL;
    pthread_mutex_lock(&autopsy->lock);
    if (!autopsy->named) {
        for (size_t n = 0; n < crash->frame_count; n++)
            autopsy->frames[n] = (struct pebble_frame){.image = "", .offset = autopsy->record.frames[n].offset};
        name(autopsy);
    }
    autopsy->named = true;
    *ret_frame = autopsy->frames[number];
    pthread_mutex_unlock(&autopsy->lock);
    return 0;
}

/* --- words --- */

static int describe_fault(const struct pebble_crash *crash, char *buffer, size_t size)
{
    const char *what = crash->signal == SIGBUS        ? "memory without a page behind it"
                       : crash->code == SEGV_ACCERR ? "no such access to memory"
                                                    : "no memory";
    if (crash->signal == SIGSEGV && crash->code == SI_KERNEL) /* the kernel does not tell it */
        return snprintf(buffer, size, "a wild address");
    return snprintf(buffer, size, "%s at address %#llx", what, (unsigned long long)crash->address);
}

int pebble_crash_describe(const struct pebble_crash *crash, char *buffer, size_t size)
{
    if (*crash->message)
        return snprintf(buffer, size, "%.*s", (int)strcspn(crash->message, "\n"), crash->message);
    if (crash->stack_overflow) return snprintf(buffer, size, "stack overflow");
    if (crash->code > 0 && (crash->signal == SIGSEGV || crash->signal == SIGBUS))
        return describe_fault(crash, buffer, size);
    const char *words = "";
    if (crash->code > 0 && crash->signal == SIGFPE && crash->code == FPE_INTDIV) words = "integer division by zero";
    if (crash->code > 0 && crash->signal == SIGSYS) words = "a system call that is not allowed";
    if (crash->code > 0 && (crash->signal == SIGILL || crash->signal == SIGTRAP))
        words = "a trap, or what is no instruction";
    return snprintf(buffer, size, "%s", words);
}
