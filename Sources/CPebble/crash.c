/* SPDX-License-Identifier: Apache-2.0
 *
 * All of this runs in the handler of a signal that can come at any instruction:
 * it takes no lock and no memory, and whatever it reads may fault once more.
 * Then the handler finds itself under way, and lets the process die with what
 * is written already. */
#include "compat.h"
#include "crash.h"
#include "rlimits.h"
#include "sig.h"
#include "unwind.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE (64 * 1024)
#define RED_ZONE 4096         /* below the stack pointer, that a function may touch before it moves it */
#define LARGE_FRAME (1 << 20) /* above it: not touched yet after it was moved */
#define NAP (1000 * 1000)     /* ns */
#define NAPS 1000             /* that another thread may take to record its crash */

/* All that a core file may be written for. */
static const int signals[] = {SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,  SIGABRT,
                              SIGTRAP, SIGSYS, SIGQUIT, SIGXCPU, SIGXFSZ};

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
    uint64_t core_size;
    struct sigaction before[PB_COUNT(signals)]; /* what there was for each of them */
    const char **swift_message;
    struct abort_message **abort_message;
    _Atomic pid_t thread; /* that records its crash; 0: none does */
} recorder;

/* --- where a thread stands --- */

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
    *pb_unwind_pc(context) = *(const uintptr_t *)*sp_of(context);
    *sp_of(context) += sizeof(uintptr_t);
#else
    *pb_unwind_pc(context) = context->uc_mcontext.regs[30];
#endif
}

/* --- frames --- */

static bool on_frame(void *arg, uintptr_t address, const uintptr_t *place)
{
    (void)place;
    return pb_trace_add(arg, address);
}

static void record_frames(struct pb_trace_record *trace, ucontext_t *context, uintptr_t fault)
{
    uintptr_t pc = *pb_unwind_pc(context), sp = *sp_of(context);
    trace->interrupted = 1;
    pb_trace_add(trace, pc);
    bool lost = pc == fault && trace->frames[0].image == PB_TRACE_NO_IMAGE;
    if (lost) {
        step_back(context); /* the unwinder goes on from there */
        pb_trace_add(trace, *pb_unwind_pc(context));
    }
    pb_unwind_interrupted(*pb_unwind_pc(context), on_frame, trace);
    *pb_unwind_pc(context) = pc;
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

/* Whether the kernel says an address with it. */
static bool is_fault(int signal, const siginfo_t *info)
{
    bool may_be = signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE || signal == SIGTRAP;
    return info->si_code > 0 && may_be;
}

static void write_record(int signal, const siginfo_t *info, ucontext_t *context, pid_t thread)
{
    struct pb_crash_record *record = recorder.record;
    bool faulted = is_fault(signal, info);
    uintptr_t fault = faulted ? (uintptr_t)info->si_addr : 0;
    record->signal = signal;
    record->code = info->si_code;
    record->thread = thread;
    record->address = fault;
    record->main_thread = thread == recorder.pid;
    record->stack_overflow = signal == SIGSEGV && faulted && is_stack_overflow(fault, *sp_of(context));
    atomic_store_explicit(&record->written, 1, memory_order_release);
    record_message(record);
    record_frames(&record->trace, context, signal == SIGSEGV && faulted ? fault : UINTPTR_MAX);
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
    return is_fault(signal, info) && signal != SIGTRAP;
}

static void put_back(int signal)
{
    for (size_t i = 0; i < PB_COUNT(signals); i++)
        if (signals[i] == signal) pb_sig_put_back(signal, &recorder.before[i]);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    int saved = errno;
    if (getpid() == recorder.pid) { /* else this is a child of the job's */
        record_once(signal, info, context);
        pb_rlimits_cap_core(recorder.core_size); /* so late, for the job's children are not to have it */
    }
    put_back(signal);
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

void pb_crash_prepare(void)
{
    if (recorder.prepared) return;
    recorder.prepared = true;
    give_second_stack();
    pb_unwind_prepare();
    if (swift_getFatalErrorMessageBuffer) recorder.swift_message = swift_getFatalErrorMessageBuffer();
    if (dlvsym) recorder.abort_message = dlvsym(RTLD_DEFAULT, "__abort_msg", "GLIBC_PRIVATE");
}

void pb_crash_install(struct pb_shared *shared)
{
    pb_crash_prepare();
    recorder.record = &shared->crash;
    recorder.core_size = shared->core_size;
    recorder.pid = getpid();
    for (size_t i = 0; i < PB_COUNT(signals); i++)
        pb_sig_catch_crash(signals[i], on_signal, shared->pass_crashes_on, &recorder.before[i]);
}
