/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "autopsy.h"
#include "backtrace.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct autopsy {
    struct pebble_crash crash; /* first: all that others see */
    atomic_uint refs;
    pebble_backtrace *backtrace;
    struct pb_crash_record record; /* a checked copy */
};

/* --- what the record says --- */

/* Of the copy in it. False: it is not sound, or there is no memory. */
static bool read_record(struct autopsy *autopsy, int signal)
{
    struct pb_crash_record *copy = &autopsy->record;
    if (atomic_load_explicit(&copy->written, memory_order_relaxed) != 1 || copy->signal != signal) return false;
    if (!(autopsy->backtrace = pb_backtrace_new(&copy->trace))) return false;
    pb_backtrace_tame(copy->message, sizeof copy->message);
    atomic_init(&autopsy->refs, 1);
    autopsy->crash = (struct pebble_crash){
        .signal = copy->signal,
        .code = copy->code,
        .address = copy->address,
        .thread = copy->thread,
        .main_thread = copy->main_thread != 0,
        .stack_overflow = copy->stack_overflow != 0,
        .message = copy->message,
        .backtrace = autopsy->backtrace,
    };
    return true;
}

const struct pebble_crash *pb_autopsy_of(const struct pb_crash_record *record, int signal)
{
    if (!signal || atomic_load_explicit(&record->written, memory_order_acquire) != 1) return NULL;
    struct autopsy *autopsy = calloc(1, sizeof *autopsy);
    if (!autopsy) return NULL;
    memcpy(&autopsy->record, (const void *)record, sizeof autopsy->record);
    if (!read_record(autopsy, signal)) {
        free(autopsy);
        return NULL;
    }
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
    pebble_backtrace_free(autopsy->backtrace);
    free(autopsy);
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
    if (crash->code > 0 && crash->signal == SIGXCPU) words = "its processor time is used up";
    if (crash->code > 0 && crash->signal == SIGXFSZ) words = "a file larger than it may write";
    if (crash->code > 0 && crash->signal == SIGSYS) words = "a system call that is not allowed";
    if (crash->code > 0 && (crash->signal == SIGILL || crash->signal == SIGTRAP))
        words = "a trap, or what is no instruction";
    return snprintf(buffer, size, "%s", words);
}
