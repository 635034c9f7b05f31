/* SPDX-License-Identifier: Apache-2.0
 *
 * The thread that the host's signal comes to passes it on to all others. Each
 * writes where it was in a place of its own; the first waits for them for half
 * of the time that the host does. A thread that blocks the signal, or sleeps
 * where no signal wakes it, has no frames. */
#include "compat.h"
#include "dump.h"
#include "clock.h"
#include "fd.h"
#include "sig.h"
#include "unwind.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NAP (100 * 1000) /* ns */

/* Written before any job runs, but for `begun`. */
static struct {
    pid_t pid;
    struct pb_dump_record *record;
    atomic_bool begun;
} dumper;

/* As getdents64(2) fills it in. */
struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

/* --- one thread --- */

static bool on_frame(void *arg, uintptr_t address, const uintptr_t *place)
{
    (void)place;
    return pb_trace_add(arg, address);
}

static void record_self(ucontext_t *context)
{
    struct pb_dump_record *record = dumper.record;
    pid_t self = (pid_t)syscall(SYS_gettid);
    uint32_t count = atomic_load(&record->thread_count), n = 0;
    while (n < count && n < PB_DUMP_THREADS && atomic_load(&record->threads[n].thread) != self)
        n++;
    if (n == count || n == PB_DUMP_THREADS) return;
    struct pb_trace_record *trace = &record->threads[n].trace;
    uintptr_t pc = *pb_unwind_pc(context);
    trace->interrupted = 1;
    pb_trace_add(trace, pc);
    pb_unwind_interrupted(pc, on_frame, trace);
    atomic_store(&record->threads[n].traced, 1);
}

/* --- all of them --- */

static void add_thread(const char *digits)
{
    struct pb_dump_record *record = dumper.record;
    uint32_t n = atomic_load(&record->thread_count);
    if (*digits < '0' || *digits > '9' || n == PB_DUMP_THREADS) return;
    char path[64] = "/proc/self/task/";
    strlcat(path, digits, sizeof path);
    strlcat(path, "/comm", sizeof path);
    pb_read_file(path, record->threads[n].name, PB_DUMP_NAME);
    pid_t thread = 0;
    while (*digits >= '0' && *digits <= '9')
        thread = thread * 10 + (*digits++ - '0');
    atomic_store(&record->threads[n].thread, thread);
    atomic_store(&record->thread_count, n + 1);
}

static void list_threads(void)
{
    int fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    _Alignas(struct entry) char entries[2048];
    long length;
    while ((length = syscall(SYS_getdents64, fd, entries, sizeof entries)) > 0)
        for (long at = 0; at < length; at += ((struct entry *)(entries + at))->length)
            add_thread(((struct entry *)(entries + at))->name);
    close(fd);
}

static bool all_are_traced(const struct pb_dump_record *record)
{
    uint32_t count = atomic_load(&record->thread_count);
    for (uint32_t n = 0; n < count && n < PB_DUMP_THREADS; n++)
        if (!atomic_load(&record->threads[n].traced)) return false;
    return true;
}

static void dump(ucontext_t *context)
{
    struct pb_dump_record *record = dumper.record;
    int64_t deadline = pb_after(pb_now(), record->patience / 2);
    list_threads();
    pid_t self = (pid_t)syscall(SYS_gettid);
    for (uint32_t n = 0; n < atomic_load(&record->thread_count); n++) {
        pid_t thread = atomic_load(&record->threads[n].thread);
        if (thread != self) syscall(SYS_tgkill, dumper.pid, thread, PB_DUMP_SIGNAL);
    }
    record_self(context);
    while (!all_are_traced(record) && pb_now() < deadline)
        nanosleep(&(struct timespec){.tv_nsec = NAP}, NULL);
    atomic_store(&record->written, 1);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    int saved = errno;
    bool ours = getpid() == dumper.pid && atomic_load(&dumper.record->wanted);
    if (!ours) { /* a child of the job's, or a profiler's: as if we were not there */
        pb_sig_default(signal);
        pb_sig_again(signal, info);
    } else if (!atomic_exchange(&dumper.begun, true)) {
        dump(context);
    } else {
        record_self(context);
    }
    errno = saved;
}

void pb_dump_install(struct pb_dump_record *record)
{
    if (!record->patience) return;
    dumper.record = record;
    dumper.pid = getpid();
    struct sigaction before;
    pb_sig_catch(PB_DUMP_SIGNAL, on_signal, &before);
}
