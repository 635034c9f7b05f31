/* SPDX-License-Identifier: Apache-2.0
 *
 * All of this runs in the handler of a signal that can come at any instruction:
 * it takes no lock and no memory, and whatever it reads may fault once more.
 * Then the handler finds itself under way, and lets the process die with what
 * is written already. */
#include "compat.h"
#include "crash.h"
#include "sig.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#define STACK_SIZE (64 * 1024)
#define RED_ZONE 4096         /* below the stack pointer, that a function may touch before it moves it */
#define LARGE_FRAME (1 << 20) /* above it: not touched yet after it was moved */
#define NAP (1000 * 1000)     /* ns */
#define NAPS 1000             /* that another thread may take to record its crash */

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};

/* Absent where there is no Swift, and in programs linked statically. */
extern const char **swift_getFatalErrorMessageBuffer(void) __attribute__((weak));
#pragma weak dlvsym

/* glibc's, of abort and assert. */
struct abort_message {
    unsigned size;
    char text[];
};

/* Written before any job runs, but for the thread. */
static struct {
    bool prepared;
    pid_t pid;
    struct pb_crash_record *record;
    const char **swift_message;
    struct abort_message **abort_message;
    _Atomic pid_t thread; /* that records its crash; 0: none does */
} recorder;

/* --- where a thread stands --- */

static uintptr_t *pc_of(ucontext_t *context)
{
#ifdef __x86_64__
    return (uintptr_t *)&context->uc_mcontext.gregs[REG_RIP];
#else
    return (uintptr_t *)&context->uc_mcontext.pc;
#endif
}

static uintptr_t *sp_of(ucontext_t *context)
{
#ifdef __x86_64__
    return (uintptr_t *)&context->uc_mcontext.gregs[REG_RSP];
#else
    return (uintptr_t *)&context->uc_mcontext.sp;
#endif
}

/* Of a call to where there is no code: steps back to the caller. */
static void step_back(ucontext_t *context)
{
#ifdef __x86_64__
    *pc_of(context) = *(const uintptr_t *)*sp_of(context);
    *sp_of(context) += sizeof(uintptr_t);
#else
    *pc_of(context) = context->uc_mcontext.regs[30];
#endif
}

/* --- frames --- */

static uint32_t image_index(struct pb_crash_record *record, const struct pb_image_spot *spot)
{
    uint32_t n = 0;
    while (n < record->image_count && memcmp(&record->images[n].id, &spot->id, sizeof spot->id) != 0)
        n++;
    if (n == PB_CRASH_IMAGES) return PB_CRASH_NO_IMAGE;
    if (n < record->image_count) return n;
    record->images[n].id = spot->id;
    strlcpy(record->images[n].path, spot->name, PB_CRASH_PATH);
    record->image_count++;
    return n;
}

static void add_frame(struct pb_crash_record *record, uintptr_t address)
{
    struct pb_image_spot spot;
    uint32_t image = pb_image_at(address, &spot) ? image_index(record, &spot) : PB_CRASH_NO_IMAGE;
    record->frames[record->frame_count].image = image;
    record->frames[record->frame_count].offset = image == PB_CRASH_NO_IMAGE ? address : address - spot.base;
    record->frame_count++;
}

struct walk {
    struct pb_crash_record *record;
    uintptr_t start; /* where the signal came: the frames before that are the handler's own */
    bool began;
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *arg)
{
    struct walk *walk = arg;
    int interrupted; /* by the signal: not a return address */
    uintptr_t address = _Unwind_GetIPInfo(context, &interrupted);
    if (!walk->began) {
        walk->began = interrupted && address == walk->start;
        return _URC_NO_REASON; /* that frame is recorded already */
    }
    if (!address || _Unwind_GetRegionStart(context) == (uintptr_t)pb_crash_guarded_call) return _URC_END_OF_STACK;
    if (walk->record->frame_count == PB_CRASH_FRAMES) {
        walk->record->truncated = 1;
        return _URC_END_OF_STACK;
    }
    add_frame(walk->record, address);
    return _URC_NO_REASON;
}

static void record_frames(struct pb_crash_record *record, ucontext_t *context, uintptr_t fault)
{
    uintptr_t pc = *pc_of(context), sp = *sp_of(context);
    add_frame(record, pc);
    bool lost = pc == fault && record->frames[0].image == PB_CRASH_NO_IMAGE;
    if (lost) {
        step_back(context); /* the unwinder goes on from there */
        add_frame(record, *pc_of(context));
    }
    struct walk walk = {.record = record, .start = *pc_of(context)};
    _Unwind_Backtrace(on_frame, &walk);
    *pc_of(context) = pc;
    *sp_of(context) = sp;
}

/* --- the record --- */

/* A fault of the stack pointer's surroundings: below a stack there is a guard, or nothing. */
static bool is_stack_overflow(uintptr_t fault, uintptr_t sp)
{
    return fault + RED_ZONE >= sp && fault < sp + LARGE_FRAME;
}

static void record_message(struct pb_crash_record *record)
{
    const char *message = recorder.swift_message ? *recorder.swift_message : NULL;
    if (!message && recorder.abort_message && *recorder.abort_message) message = (*recorder.abort_message)->text;
    if (message) strlcpy(record->message, message, sizeof record->message);
}

static void write_record(int signal, const siginfo_t *info, ucontext_t *context, pid_t thread)
{
    struct pb_crash_record *record = recorder.record;
    bool faulted = info->si_code > 0 && signal != SIGSYS;
    uintptr_t fault = faulted ? (uintptr_t)info->si_addr : 0;
    record->signal = signal;
    record->code = info->si_code;
    record->thread = thread;
    record->address = fault;
    record->main_thread = thread == recorder.pid;
    record->stack_overflow = signal == SIGSEGV && faulted && is_stack_overflow(fault, *sp_of(context));
    atomic_store_explicit(&record->written, 1, memory_order_release);
    record_message(record);
    record_frames(record, context, signal == SIGSEGV && faulted ? fault : UINTPTR_MAX);
}

/* The crash that came first is the one to tell of: other threads give it time. */
static void record_once(int signal, const siginfo_t *info, ucontext_t *context)
{
    pid_t self = (pid_t)syscall(SYS_gettid), other = 0;
    if (atomic_compare_exchange_strong(&recorder.thread, &other, self)) {
        write_record(signal, info, context, self);
        return;
    }
    for (int naps = 0; other != self && naps < NAPS; naps++)
        nanosleep(&(struct timespec){.tv_nsec = NAP}, NULL);
}

/* Whether the instruction is to be run again, and does the same again. */
static bool happens_again(int signal, const siginfo_t *info)
{
    return info->si_code > 0 && (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    int saved = errno;
    if (getpid() == recorder.pid) record_once(signal, info, context); /* else this is a child of the job's */
    pb_sig_default(signal);
    if (!happens_again(signal, info)) pb_sig_again(signal, info);
    errno = saved;
}

/* --- setting it up --- */

static void give_second_stack(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), least = (size_t)sysconf(_SC_MINSIGSTKSZ);
    size_t size = STACK_SIZE + (least + page - 1) / page * page;
    char *memory = mmap(NULL, page + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return; /* then an overflow is not recorded */
    mprotect(memory, page, PROT_NONE);
    sigaltstack(&(stack_t){.ss_sp = memory + page, .ss_size = size}, NULL);
}

static _Unwind_Reason_Code stop(struct _Unwind_Context *context, void *arg)
{
    (void)context, (void)arg;
    return _URC_END_OF_STACK;
}

void pb_crash_prepare(void)
{
    if (recorder.prepared) return;
    recorder.prepared = true;
    give_second_stack();
    _Unwind_Backtrace(stop, NULL); /* what is bound and set up at its first use, is now */
    if (swift_getFatalErrorMessageBuffer) recorder.swift_message = swift_getFatalErrorMessageBuffer();
    if (dlvsym) recorder.abort_message = dlvsym(RTLD_DEFAULT, "__abort_msg", "GLIBC_PRIVATE");
}

void pb_crash_install(struct pb_crash_record *record)
{
    pb_crash_prepare();
    recorder.record = record;
    recorder.pid = getpid();
    for (size_t i = 0; i < PB_COUNT(signals); i++)
        pb_sig_catch_crash(signals[i], on_signal);
}

#if __has_attribute(noclone)
__attribute__((noclone))
#endif
__attribute__((noinline)) int pb_crash_guarded_call(pebble_function function, pebble_call *call)
{
    int code = function(call);
    __asm__ volatile(""); /* not a jump: this is to be on the stack */
    return code;
}
