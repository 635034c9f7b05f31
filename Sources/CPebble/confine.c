/* SPDX-License-Identifier: Apache-2.0
 *
 * A seccomp filter that lets through what is listed here and refuses all else:
 * what a kernel of tomorrow adds among it. It sees numbers and arguments, but
 * nothing that those point to: so it refuses all calls with paths, but for
 * opening a file to read it, and Landlock judges which.
 *
 * The list is what glibc, the Swift runtime, libdispatch and this library need
 * to compute, to have threads and to use the descriptors that are there. Of the
 * calls that name a process only those are let through that name this one. */
#include "compat.h"
#include "confine.h"
#include "proc.h"
#include "reopen.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#if __has_include(<linux/landlock.h>)
#include <linux/landlock.h>
#endif

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* Half an argument: the kernel takes most from the low one alone. */
#define LOW(argument) (uint8_t)(2 * (argument))
#define HIGH(argument) (uint8_t)(2 * (argument) + 1)

#define ALL UINT32_MAX
#define TESTS 3

struct test {
    uint8_t half;
    uint32_t mask, value; /* of the bits in `mask` */
    bool own_pid;         /* and not `value` */
};

/* A call is let through when all tests hold, of one of the rules for its number. */
struct rule {
    unsigned number;
    bool caught; /* by pb_reopen instead */
    unsigned count;
    struct test tests[TESTS];
};

#define CALL(name) {.number = SYS_##name}
#define CALL_IF(name, argument, bits, is) \
    {.number = SYS_##name, .count = 1, .tests = {{.half = LOW(argument), .mask = (bits), .value = (is)}}}
#define CALL_FOR_OWN(name) {.number = SYS_##name, .count = 1, .tests = {{.half = LOW(0), .mask = ALL, .own_pid = true}}}

#define OTHER_THAN_THREADS                                                                               \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET | CLONE_PTRACE)
#define VMA_NAMES 0x53564d41 /* PR_SET_VMA: glibc names its arenas */

#define WRITING (uint32_t)(O_ACCMODE | O_CREAT | O_TRUNC)

static const struct rule computing[] = {
    CALL(futex),
    CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64), CALL(lseek), CALL(close),
    CALL(close_range), CALL(dup), CALL(dup3), CALL(fstat), CALL(pipe2), CALL(eventfd2),
    CALL(ppoll), CALL(pselect6), CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_pwait), CALL(signalfd4),
    CALL(timerfd_create), CALL(timerfd_settime), CALL(timerfd_gettime),
    CALL(sendmsg), CALL(recvmsg), CALL(recvfrom), /* on what is there; there is no datagram socket to send elsewhere with */
    {.number = SYS_sendto, .count = 2, .tests = {{LOW(4), ALL, 0, false}, {HIGH(4), ALL, 0, false}}}, /* to nobody else */
    /* an empty path: it means the descriptor */
    CALL_IF(newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH), CALL_IF(statx, 2, AT_EMPTY_PATH, AT_EMPTY_PATH),
    /* no owner that a signal would go to, no locks */
    CALL_IF(fcntl, 1, ALL, F_DUPFD), CALL_IF(fcntl, 1, ALL, F_DUPFD_CLOEXEC), CALL_IF(fcntl, 1, ALL, F_GETFD),
    CALL_IF(fcntl, 1, ALL, F_SETFD), CALL_IF(fcntl, 1, ALL, F_GETFL), CALL_IF(fcntl, 1, ALL, F_SETFL),
    /* nothing that feeds or changes a terminal */
    CALL_IF(ioctl, 1, ALL, TCGETS), CALL_IF(ioctl, 1, ALL, TIOCGWINSZ), CALL_IF(ioctl, 1, ALL, FIONREAD),
    CALL_IF(ioctl, 1, ALL, FIONBIO),

    CALL(mmap), CALL(munmap), CALL(mprotect), CALL(mremap), CALL(madvise), CALL(brk), CALL(mincore), CALL(msync),
    CALL(membarrier), CALL(getdents64),

    CALL_IF(clone, 0, CLONE_THREAD | OTHER_THAN_THREADS, CLONE_THREAD),
    CALL(set_robust_list), CALL(rseq), CALL(set_tid_address), CALL(exit), CALL(exit_group), CALL(sched_yield),
    CALL(sched_getaffinity), CALL(sched_getparam), CALL(sched_getscheduler), CALL(sched_get_priority_max),
    CALL(sched_get_priority_min), CALL(getpriority), CALL(getcpu),
    CALL_IF(prctl, 0, ALL, PR_SET_NAME), CALL_IF(prctl, 0, ALL, PR_GET_NAME), CALL_IF(prctl, 0, ALL, VMA_NAMES),

    CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(rt_sigpending), CALL(rt_sigtimedwait),
    CALL(rt_sigsuspend), CALL(sigaltstack), CALL(restart_syscall),
    CALL_FOR_OWN(kill), CALL_FOR_OWN(tgkill), CALL_FOR_OWN(rt_sigqueueinfo), CALL_FOR_OWN(rt_tgsigqueueinfo),

    CALL(clock_gettime), CALL(clock_getres), CALL(gettimeofday), CALL(nanosleep), CALL(clock_nanosleep), CALL(times),
    CALL(getrusage), CALL(getitimer), CALL(setitimer), CALL(timer_create), CALL(timer_settime), CALL(timer_gettime),
    CALL(timer_getoverrun), CALL(timer_delete),

    CALL(getpid), CALL(getppid), CALL(gettid), CALL(getpgid), CALL(getsid), CALL(getuid), CALL(geteuid), CALL(getgid),
    CALL(getegid), CALL(getresuid), CALL(getresgid), CALL(getgroups), CALL(uname), CALL(sysinfo), CALL(getrandom),
    CALL(getrlimit),
    /* asked for, not set; but for that of core files, which the crash recorder sets */
    {.number = SYS_prlimit64, .count = 2, .tests = {{LOW(0), ALL, 0, false}, {LOW(1), ALL, RLIMIT_CORE, false}}},
    {.number = SYS_prlimit64,
     .count = 3,
     .tests = {{LOW(0), ALL, 0, false}, {LOW(2), ALL, 0, false}, {HIGH(2), ALL, 0, false}}},
#ifdef __x86_64__
    CALL(poll), CALL(select), CALL(epoll_create), CALL(epoll_wait), CALL(pipe), CALL(dup2), CALL(eventfd),
    CALL(getpgrp), CALL(alarm), CALL(pause), CALL(time), CALL_IF(open, 1, WRITING, O_RDONLY),
#endif
};

static const struct rule opening[] = {CALL_IF(openat, 2, WRITING, O_RDONLY)};
static const struct rule reopening[] = {
    {.number = SYS_openat, .count = 2, .tests = {{LOW(2), WRITING, O_RDONLY, false}, {LOW(5), ALL, PB_REOPENED, false}}},
    {.number = SYS_openat, .caught = true, .count = 1, .tests = {{LOW(2), WRITING, O_RDONLY, false}}},
};

/* For who may read something: what tells of names and sizes, of all files. */
static const struct rule reading[] = {
    CALL(newfstatat), CALL(statx), CALL(readlinkat),
    CALL(faccessat), CALL(statfs), CALL(fstatfs), CALL(fadvise64), CALL(getcwd),
#ifdef SYS_faccessat2
    CALL(faccessat2),
#endif
#ifdef __x86_64__
    CALL(stat), CALL(lstat), CALL(readlink), CALL(access),
#endif
};

/* Their arguments are in memory: what wants them does without, as on a kernel that has not got them. */
static const unsigned opaque[] = {435 /* clone3 */, 437 /* openat2 */};
#define FIRST_UNKNOWN 451 /* as do those that came after this list */

/* --- the filter --- */

#define TEST_LENGTH 3 /* instructions */
#define RULE_LENGTH (TESTS * TEST_LENGTH + 3)
#define INSTRUCTIONS ((PB_COUNT(computing) + PB_COUNT(reopening) + PB_COUNT(reading) + PB_COUNT(opaque)) * RULE_LENGTH + 16) /* at most */

struct filter {
    size_t length;
    struct sock_filter code[INSTRUCTIONS];
};

static void add(struct filter *filter, unsigned code, uint32_t operand, size_t if_true, size_t if_false)
{
    filter->code[filter->length++] =
        (struct sock_filter){(uint16_t)code, (uint8_t)if_true, (uint8_t)if_false, operand};
}

static void load(struct filter *filter, size_t offset)
{
    add(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct filter *filter, uint32_t action)
{
    add(filter, BPF_RET | BPF_K, action, 0, 0);
}

/* Goes on behind `others` further instructions unless the value is the one wanted. */
static void unless_equal_skip(struct filter *filter, uint32_t wanted, size_t others)
{
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, wanted, 0, others);
}

/* With the call's number loaded, and so it is behind it. */
static void add_rule(struct filter *filter, const struct rule *rule, uint32_t pid)
{
    size_t left = rule->count ? rule->count * TEST_LENGTH + 2 : 1;
    unless_equal_skip(filter, rule->number, left);
    for (size_t i = 0; i < rule->count; i++) {
        const struct test *test = &rule->tests[i];
        left -= TEST_LENGTH;
        load(filter, offsetof(struct seccomp_data, args) + test->half * sizeof(uint32_t));
        add(filter, BPF_ALU | BPF_AND | BPF_K, test->mask, 0, 0);
        unless_equal_skip(filter, test->own_pid ? pid : test->value, left - 1);
    }
    answer(filter, rule->caught ? SECCOMP_RET_TRAP : SECCOMP_RET_ALLOW);
    if (rule->count) load(filter, offsetof(struct seccomp_data, nr));
}

static void add_rules(struct filter *filter, const struct rule *rules, size_t count)
{
    uint32_t pid = (uint32_t)getpid();
    for (size_t i = 0; i < count; i++)
        add_rule(filter, &rules[i], pid);
}

static void build(struct filter *filter, bool reopens, bool reads)
{
    filter->length = 0;
    load(filter, offsetof(struct seccomp_data, arch));
    unless_equal_skip(filter, ARCHITECTURE, 1);
    add(filter, BPF_JMP | BPF_JA, 1, 0, 0);
    answer(filter, SECCOMP_RET_ERRNO | ENOSYS);
    load(filter, offsetof(struct seccomp_data, nr));
    add_rules(filter, computing, PB_COUNT(computing));
    if (reopens)
        add_rules(filter, reopening, PB_COUNT(reopening));
    else
        add_rules(filter, opening, PB_COUNT(opening));
    if (reads) add_rules(filter, reading, PB_COUNT(reading));
    for (size_t i = 0; i < PB_COUNT(opaque); i++) {
        unless_equal_skip(filter, opaque[i], 1);
        answer(filter, SECCOMP_RET_ERRNO | ENOSYS);
    }
    add(filter, BPF_JMP | BPF_JGE | BPF_K, FIRST_UNKNOWN, 0, 1);
    answer(filter, SECCOMP_RET_ERRNO | ENOSYS);
    answer(filter, SECCOMP_RET_ERRNO | EPERM);
}

static int refuse_calls(bool reads)
{
    struct filter filter;
    bool reopens = pb_reopen_is_needed();
    if (reopens) pb_reopen_install();
    build(&filter, reopens, reads);
    struct sock_fprog program = {(unsigned short)filter.length, filter.code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -ENOTSUP : 0;
}

/* --- files --- */

#ifdef LANDLOCK_ACCESS_FS_READ_FILE

#define READING (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define EVERYTHING ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) /* that the first version knows; writing is refused above */

/* Where libdispatch must be able to look them up: see reopen.h. */
#define OWN_THREADS "/proc/self/task"

/* Allows reading that and what is below it. A descriptor of it, or -errno. */
static int allow(int rules, const char *path)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return -errno;
    struct stat status;
    int rc = fstat(fd, &status);
    struct landlock_path_beneath_attr beneath = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = fd};
    if (rc == 0 && S_ISDIR(status.st_mode)) beneath.allowed_access = READING;
    if (rc == 0) rc = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    if (rc == 0) return fd;
    rc = -errno;
    close(fd);
    return rc;
}

static int refuse_files_but(const char *readable)
{
    struct landlock_ruleset_attr handled = {.handled_access_fs = EVERYTHING};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (rules < 0) return -ENOTSUP;
    int rc = allow(rules, OWN_THREADS); /* stays open: else the kernel may forget which directory it was */
    for (const char *path = readable; rc >= 0 && *path; path += strlen(path) + 1)
        if ((rc = allow(rules, path)) >= 0) close(rc);
    if (rc >= 0) rc = syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? -ENOTSUP : 0;
    close(rules);
    return rc;
}

static bool tells_files_apart(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

#else

static int refuse_files_but(const char *readable)
{
    (void)readable;
    return -ENOTSUP;
}

static bool tells_files_apart(void)
{
    return false;
}

#endif

int pb_confine_supported(void)
{
    uint32_t action = SECCOMP_RET_ERRNO;
    return tells_files_apart() && syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 ? 0 : -ENOTSUP;
}

int pb_confine(const char *readable)
{
    if (!pb_single_threaded()) return -EBUSY; /* it would hold for this thread alone */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -ENOTSUP;
    int rc = refuse_files_but(readable);
    return rc < 0 ? rc : refuse_calls(*readable != '\0');
}
