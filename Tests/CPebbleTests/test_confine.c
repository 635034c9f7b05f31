/* SPDX-License-Identifier: Apache-2.0
 * What confined workers cannot do, and what they still can. */
#include "support.h"
#include "boot.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *const some[] = {"/etc/passwd", "/usr", NULL};

static struct pebble_pool_config confined(int method, const char *const *readable)
{
    return (struct pebble_pool_config){.max_workers = 1,
                                       .start_method = (enum pebble_start_method)method,
                                       .confined = true,
                                       .readable_paths = readable};
}

static pebble_pool *pool_confined(int method, const char *const *readable)
{
    struct pebble_pool_config config = confined(method, readable);
    return pool_of(&config);
}

/* --- what is refused --- */

struct attempt {
    const char *what;
    long number, arguments[6];
    int expected;
};

#define PATH(text) (long)(uintptr_t)(text)
#define HOST -1000 /* the pid of the test */

static char room[256];
static struct iovec part = {room, sizeof room};
static struct rlimit limit = {10, 10};

/* Calls by their numbers: what glibc makes of them is not what counts. */
static const struct attempt refused[] = {
    {"create a file", SYS_openat, {AT_FDCWD, PATH("/tmp/pebble-hostile"), O_CREAT | O_RDWR, 0600}, EPERM},
    {"truncate one", SYS_openat, {AT_FDCWD, PATH("/etc/passwd"), O_RDONLY | O_TRUNC}, EPERM},
    {"write one", SYS_openat, {AT_FDCWD, PATH("/dev/null"), O_WRONLY}, EPERM},
    {"create one without a name", SYS_openat, {AT_FDCWD, PATH("/tmp"), O_TMPFILE | O_RDWR, 0600}, EPERM},
    {"open the other way", SYS_openat2, {AT_FDCWD, PATH("/etc/passwd"), PATH(room), 24}, ENOSYS},
    {"open by handle", SYS_open_by_handle_at, {AT_FDCWD, PATH(room), 0}, EPERM},
    {"remove", SYS_unlinkat, {AT_FDCWD, PATH("/tmp/pebble-hostile"), 0}, EPERM},
    {"rename", SYS_renameat2, {AT_FDCWD, PATH("/tmp/a"), AT_FDCWD, PATH("/tmp/b"), 0}, EPERM},
    {"make a directory", SYS_mkdirat, {AT_FDCWD, PATH("/tmp/pebble-hostile"), 0700}, EPERM},
    {"make a device", SYS_mknodat, {AT_FDCWD, PATH("/tmp/pebble-hostile"), S_IFCHR | 0600, 0x103}, EPERM},
    {"link", SYS_linkat, {AT_FDCWD, PATH("/etc/passwd"), AT_FDCWD, PATH("/tmp/pebble-hostile"), 0}, EPERM},
    {"link by name", SYS_symlinkat, {PATH("/etc"), AT_FDCWD, PATH("/tmp/pebble-hostile")}, EPERM},
    {"change the mode", SYS_fchmodat, {AT_FDCWD, PATH("/etc/passwd"), 0644}, EPERM},
    {"change the mode of what is open", SYS_fchmod, {STDERR_FILENO, 0666}, EPERM},
    {"change the owner", SYS_fchownat, {AT_FDCWD, PATH("/etc/passwd"), 0, 0, 0}, EPERM},
    {"cut a file short", SYS_ftruncate, {STDERR_FILENO, 0}, EPERM},
    {"change an attribute", SYS_setxattr, {PATH("/etc/passwd"), PATH("user.a"), PATH("b"), 1, 0}, EPERM},
    {"change the directory", SYS_chdir, {PATH("/")}, EPERM},
    {"change the root", SYS_chroot, {PATH("/")}, EPERM},
    {"mount", SYS_mount, {PATH("none"), PATH("/proc"), PATH("tmpfs"), 0, 0}, EPERM},
    {"watch files", SYS_inotify_init1, {0}, EPERM},
    {"run a program", SYS_execve, {PATH("/bin/true"), 0, 0}, EPERM},
    {"run what is open", SYS_execveat, {STDERR_FILENO, PATH(""), 0, 0, AT_EMPTY_PATH}, EPERM},
    {"fork", SYS_clone, {SIGCHLD, 0, 0, 0, 0}, EPERM},
    {"fork the other way", SYS_clone3, {PATH(room), 64}, ENOSYS},
    {"leave its namespaces", SYS_unshare, {CLONE_NEWUSER}, EPERM},
    {"enter others", SYS_setns, {STDERR_FILENO, 0}, EPERM},
    {"signal the host", SYS_kill, {HOST, 0}, EPERM},
    {"signal everybody", SYS_kill, {-1, 0}, EPERM},
    {"signal a thread of the host", SYS_tgkill, {HOST, HOST, 0}, EPERM},
    {"signal any thread", SYS_tkill, {HOST, 0}, EPERM},
    {"open the host", SYS_pidfd_open, {HOST, 0}, EPERM},
    {"trace", SYS_ptrace, {PTRACE_TRACEME, 0, 0, 0}, EPERM},
    {"read the memory of the host", SYS_process_vm_readv, {HOST, PATH(&part), 1, PATH(&part), 1, 0}, EPERM},
    {"write it", SYS_process_vm_writev, {HOST, PATH(&part), 1, PATH(&part), 1, 0}, EPERM},
    {"compare the host", SYS_kcmp, {HOST, HOST, 0, 0, 0}, EPERM},
    {"limit the host", SYS_prlimit64, {HOST, RLIMIT_NOFILE, 0, PATH(&limit)}, EPERM},
    {"change its limits", SYS_prlimit64, {0, RLIMIT_NOFILE, PATH(&limit), 0}, EPERM},
    {"change its priority", SYS_setpriority, {PRIO_PROCESS, 0, 0}, EPERM},
    {"change the host's processors", SYS_sched_setaffinity, {HOST, sizeof room, PATH(room)}, EPERM},
    {"have another user", SYS_setuid, {0}, EPERM},
    {"have another group", SYS_setgid, {0}, EPERM},
    {"have other groups", SYS_setgroups, {0, 0}, EPERM},
    {"have other capabilities", SYS_capset, {PATH(room), PATH(room)}, EPERM},
    {"outlive the server", SYS_prctl, {PR_SET_PDEATHSIG, 0, 0, 0, 0}, EPERM},
    {"leave its group", SYS_setpgid, {0, HOST}, EPERM},
    {"leave its session", SYS_setsid, {0}, EPERM},
    {"be traced", SYS_prctl, {PR_SET_PTRACER, HOST, 0, 0, 0}, EPERM},
    {"be filtered otherwise", SYS_seccomp, {1, 0, 0}, EPERM},
    {"have a socket", SYS_socket, {AF_INET, SOCK_STREAM, 0}, EPERM},
    {"have a local one", SYS_socket, {AF_UNIX, SOCK_DGRAM, 0}, EPERM},
    {"have a pair", SYS_socketpair, {AF_UNIX, SOCK_DGRAM, 0, PATH(room)}, EPERM},
    {"connect", SYS_connect, {PB_BOOT_CHANNEL_FD, PATH(room), 16}, EPERM},
    {"send to somebody else", SYS_sendto, {PB_BOOT_CHANNEL_FD, PATH(""), 0, 0, PATH(room), 16}, EPERM},
    {"have signals go to the host", SYS_fcntl, {PB_BOOT_CHANNEL_FD, F_SETOWN, HOST}, EPERM},
    {"choose which", SYS_fcntl, {PB_BOOT_CHANNEL_FD, F_SETSIG, SIGKILL}, EPERM},
    {"lock", SYS_fcntl, {STDERR_FILENO, F_SETLK, PATH(room)}, EPERM},
    {"type into a terminal", SYS_ioctl, {STDERR_FILENO, TIOCSTI, PATH("x")}, EPERM},
    {"have signals go elsewhere", SYS_ioctl, {PB_BOOT_CHANNEL_FD, FIOSETOWN, PATH(room)}, EPERM},
    {"use keys", SYS_keyctl, {0, -3, 0, 0, 0}, EPERM},
    {"load a program into the kernel", SYS_bpf, {0, PATH(room), sizeof room}, EPERM},
    {"have a ring", SYS_io_uring_setup, {1, PATH(room)}, EPERM},
    {"measure", SYS_perf_event_open, {PATH(room), 0, -1, -1, 0}, EPERM},
    {"handle faults", SYS_userfaultfd, {0}, EPERM},
    {"have a file in memory", SYS_memfd_create, {PATH("x"), 0}, EPERM},
    {"share memory by name", SYS_shmget, {0, 4096, 0600}, EPERM},
    {"have a message queue", SYS_msgget, {0, 0600}, EPERM},
    {"load a module", SYS_init_module, {PATH(room), sizeof room, PATH("")}, EPERM},
    {"load a kernel", SYS_kexec_load, {0, 0, 0, 0}, EPERM},
    {"start anew", SYS_reboot, {0, 0, 0, 0}, EPERM},
    {"set the clock", SYS_clock_settime, {CLOCK_REALTIME, 0}, EPERM},
    {"rename the machine", SYS_sethostname, {PATH("x"), 1}, EPERM},
    {"splice", SYS_splice, {0, 0, 1, 0, 1, 0}, EPERM},
    {"do what is not invented yet", 1000, {0}, ENOSYS},
};

static int attempt(const struct attempt *attempt, pid_t host)
{
    long a[6];
    for (size_t i = 0; i < PB_COUNT(a); i++)
        a[i] = attempt->arguments[i] == HOST ? host : attempt->arguments[i];
    return syscall(attempt->number, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 ? errno : 0;
}

/* The first that is not refused: its number; fails with -1 when there is none. */
static int job_attempt_all(pebble_call *call)
{
    for (size_t i = 0; i < PB_COUNT(refused); i++) {
        int error = attempt(&refused[i], order_of(call)->host);
        if (error == refused[i].expected) continue;
        int64_t found[] = {(int64_t)i, error};
        return pebble_call_write(call, found, sizeof found);
    }
    return -1;
}

static void all_is_refused(int method, const char *const *readable)
{
    pebble_pool *pool = pool_confined(method, readable);
    pebble_future *future = schedule_order(pool, job_attempt_all, (struct order){.host = getpid()});
    const struct pebble_outcome *outcome = outcome_of(future);
    if (outcome->status == PEBBLE_SUCCESS) {
        const int64_t *found = outcome->data;
        ck_abort_msg("it can %s: %s", refused[found[0]].what, found[1] ? strerror((int)found[1]) : "done");
    }
    ck_assert_int_eq(outcome->code, -1);
    pebble_future_unref(future);
    close_pool(pool);
}

START_TEST(a_worker_that_computes_cannot_do_anything_else)
{
    all_is_refused(_i, NULL);
}
END_TEST

START_TEST(a_worker_that_reads_cannot_either)
{
    all_is_refused(_i, some);
}
END_TEST

static int error_of_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    char byte;
    int error = read(fd, &byte, 1) < 0 && errno != EISDIR ? errno : 0;
    close(fd);
    return error;
}

static int job_open(pebble_call *call)
{
    size_t length;
    return reply_number(call, error_of_open(pebble_call_input(call, &length)));
}

static int error_in(pebble_pool *pool, const char *path)
{
    return (int)number_from(schedule_bytes(pool, job_open, path, strlen(path) + 1));
}

START_TEST(a_worker_that_computes_can_read_nothing)
{
    pebble_pool *pool = pool_confined(_i, NULL);
    ck_assert_int_eq(error_in(pool, "/etc/passwd"), EACCES);
    ck_assert_int_eq(error_in(pool, "/proc/self/environ"), EACCES);
    ck_assert_int_eq(error_in(pool, "/proc/1/stat"), EACCES);
    ck_assert_int_eq(error_in(pool, "/dev/shm"), EACCES);
    close_pool(pool);
}
END_TEST

START_TEST(a_worker_that_reads_can_read_what_it_may)
{
    pebble_pool *pool = pool_confined(_i, some);
    ck_assert_int_eq(error_in(pool, "/etc/passwd"), 0);
    ck_assert_int_eq(error_in(pool, "/usr/include/stdio.h"), 0);
    ck_assert_int_eq(error_in(pool, "/usr/no/such/file"), ENOENT);
    ck_assert_int_eq(error_in(pool, "/etc/group"), EACCES);
    ck_assert_int_eq(error_in(pool, "/usr/../etc/group"), EACCES);
    ck_assert_int_eq(error_in(pool, "/etc"), EACCES);
    ck_assert_int_eq(error_in(pool, "/proc/self/mem"), EACCES);
    close_pool(pool);
}
END_TEST

/* As libdispatch does. */
START_TEST(it_can_look_its_own_threads_up)
{
    pebble_pool *pool = pool_confined(_i, NULL);
    ck_assert_int_eq(error_in(pool, "/proc/thread-self/stat"), 0);
    ck_assert_int_eq(error_in(pool, "/proc/self/task"), 0);
    ck_assert_int_eq(error_in(pool, "/proc/self/task/../stat"), EACCES);
    ck_assert_int_eq(error_in(pool, "/proc/thread-self/root/etc/group"), EACCES);
    ck_assert_int_eq(error_in(pool, "/proc/thread-self/cwd"), EACCES);
    ck_assert_int_eq(error_in(pool, "/proc/thread-self/exe"), EACCES);
    close_pool(pool);
}
END_TEST

static int job_ask_for_a_size(pebble_call *call)
{
    struct stat status;
    return reply_number(call, stat("/etc/group", &status) < 0 ? errno : 0);
}

START_TEST(names_and_sizes_are_told_to_who_may_read_something)
{
    pebble_pool *pool = pool_confined(_i, NULL);
    ck_assert_int_eq(run(pool, job_ask_for_a_size), EPERM);
    close_pool(pool);
    pool = pool_confined(_i, some);
    ck_assert_int_eq(run(pool, job_ask_for_a_size), 0);
    close_pool(pool);
}
END_TEST

START_TEST(a_worker_that_is_not_confined_can)
{
    pebble_pool *pool = pool_with(_i, 1);
    ck_assert_int_eq(error_in(pool, "/etc/group"), 0);
    close_pool(pool);
    ck_assert_int_eq(error_of_open("/etc/group"), 0); /* nor is this process, in all these tests */
}
END_TEST

static void *open_there(void *arg)
{
    *(int *)arg = error_of_open("/etc/group");
    return NULL;
}

static int job_open_in_a_thread(pebble_call *call)
{
    pthread_t thread;
    int error = -1;
    if (pthread_create(&thread, NULL, open_there, &error) != 0) return 1;
    pthread_join(thread, NULL);
    return reply_number(call, error);
}

START_TEST(its_threads_are_confined_as_it_is)
{
    pebble_pool *pool = pool_confined(_i, NULL);
    ck_assert_int_eq(run(pool, job_open_in_a_thread), EACCES);
    close_pool(pool);
    pool = pool_confined(_i, some);
    ck_assert_int_eq(run(pool, job_open_in_a_thread), EACCES);
    close_pool(pool);
}
END_TEST

static int job_make_a_pool(pebble_call *call)
{
    pebble_pool *pool;
    pebble_future *future;
    if (fcntl(PB_BOOT_EXTRA_FD, F_GETFD) >= 0) return 1; /* the way to the server */
    if (pebble_pool_new(NULL, &pool) < 0) return 2;
    if (pebble_pool_schedule(pool, job_nothing, NULL, 0, NULL, &future) < 0) return 3;
    if (pebble_future_wait(future, PATIENCE) < 0) return 4;
    const struct pebble_outcome *outcome = pebble_future_outcome(future);
    if (outcome->status != PEBBLE_NOT_RUN || outcome->cause != PEBBLE_CAUSE_START) return 5;
    return reply_number(call, outcome->error);
}

START_TEST(it_has_no_workers_of_its_own)
{
    pebble_pool *pool = pool_confined(_i, NULL);
    ck_assert_int_eq(run(pool, job_make_a_pool), EPERM);
    close_pool(pool);
}
END_TEST

/* --- when it begins --- */

static int opened = -1;
/* Opens a file for the jobs. */
static int prepare(pebble_call *call)
{
    (void)call;
    opened = open("/etc/group", O_RDONLY | O_CLOEXEC);
    return opened < 0 ? 1 : 0;
}

static void *stay(void *arg)
{
    pause();
    return arg;
}

static int leave_a_thread(pebble_call *call)
{
    pthread_t thread;
    (void)call;
    return pthread_create(&thread, NULL, stay, NULL);
}

static int job_read_what_is_open(pebble_call *call)
{
    char byte;
    return reply_number(call, read(opened, &byte, 1));
}

static pebble_pool *pool_prepared(int method, const char *const *readable, pebble_function initializer)
{
    struct pebble_pool_config config = confined(method, readable);
    config.initializer.function = initializer;
    return pool_of(&config);
}

START_TEST(the_initializer_is_not_confined_and_what_it_opened_stays_open)
{
    const char *const *const readable[] = {NULL, some};
    for (size_t i = 0; i < PB_COUNT(readable); i++) {
        pebble_pool *pool = pool_prepared(_i, readable[i], prepare);
        ck_assert_int_eq(run(pool, job_read_what_is_open), 1);
        ck_assert_int_eq(error_in(pool, "/etc/group"), EACCES);
        close_pool(pool);
    }
}
END_TEST

/* Workers of that pool are not to start. */
static void fails_with(pebble_pool *pool, int error)
{
    pebble_future *future = schedule(pool, job_nothing);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_NOT_RUN);
    ck_assert_int_eq(outcome->cause, PEBBLE_CAUSE_CONFINEMENT);
    ck_assert_int_eq(outcome->error, error);
    pebble_future_unref(future);
    close_pool(pool);
}

START_TEST(a_worker_that_cannot_be_confined_runs_nothing)
{
    static const char *const missing[] = {"/usr", "/no/such/directory", NULL};
    struct pebble_pool_config config = confined(_i, some);
    config.readable_paths = missing;
    fails_with(pool_of(&config), ENOENT);
    config.initializer.function = job_nothing;
    fails_with(pool_of(&config), ENOENT);
    fails_with(pool_prepared(_i, some, leave_a_thread), EBUSY);
}
END_TEST

static int use_a_pool(pebble_call *call)
{
    pebble_pool *pool;
    pebble_future *future;
    (void)call;
    if (pebble_pool_new(NULL, &pool) < 0) return 1;
    if (pebble_pool_schedule(pool, job_nothing, NULL, 0, NULL, &future) < 0) return 2;
    return pebble_future_wait(future, PATIENCE) < 0 ? 3 : 0;
}

START_TEST(an_initializer_cannot_leave_a_way_out)
{
    fails_with(pool_prepared(_i, NULL, use_a_pool), EBUSY);
}
END_TEST

START_TEST(an_initializer_that_fails_is_the_cause_all_the_same)
{
    pebble_pool *pool = pool_prepared(_i, NULL, job_fail);
    pebble_future *future = schedule(pool, job_nothing);
    ck_assert_int_eq(expect(future, PEBBLE_NOT_RUN)->cause, PEBBLE_CAUSE_INITIALIZER);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

static int say_where(pebble_call *call)
{
    (void)call;
    fprintf(stderr, "the finalizer: %d\n", error_of_open("/etc/group"));
    return 0;
}

static char said[64];

static void on_line(const struct pebble_output_line *line, void *arg)
{
    (void)arg;
    snprintf(said, sizeof said, "%s", line->text);
}

START_TEST(the_finalizer_is_confined)
{
    char expected[64];
    struct pebble_pool_config config = confined(_i, NULL);
    config.finalizer.function = say_where;
    config.stderr_to = PEBBLE_CAPTURE;
    config.on_output = on_line;
    pebble_pool *pool = pool_of(&config);
    run(pool, job_pid);
    close_pool(pool);
    snprintf(expected, sizeof expected, "the finalizer: %d", EACCES);
    ck_assert_str_eq(said, expected);
}
END_TEST

START_TEST(wrong_paths_are_refused)
{
    static const char *const none[] = {NULL}, *const relative[] = {"usr", NULL};
    static const char *many[34], *long_ones[3];
    static char long_path[2048];
    for (size_t i = 0; i < PB_COUNT(many) - 1; i++)
        many[i] = "/usr";
    memset(long_path, '/', sizeof long_path - 1);
    long_ones[0] = long_ones[1] = long_path;
    const struct pebble_pool_config wrong[] = {
        {.confined = true, .readable_paths = relative}, {.confined = true, .readable_paths = many},
        {.confined = true, .readable_paths = long_ones}, {.readable_paths = some}};
    for (size_t i = 0; i < PB_COUNT(wrong); i++) {
        pebble_pool *pool;
        ck_assert_int_eq(pebble_pool_new(&wrong[i], &pool), -EINVAL);
    }
    struct pebble_pool_config config = confined(PEBBLE_FORK_SERVER, none);
    pebble_pool *pool = pool_of(&config);
    ck_assert_int_eq(error_in(pool, "/usr"), EACCES);
    close_pool(pool);
}
END_TEST

/* --- what goes on as ever --- */

__attribute__((no_sanitize("undefined"))) static int job_crash(pebble_call *call)
{
    static int *volatile nowhere;
    (void)call;
    fprintf(stderr, "last words\n");
    return *nowhere;
}

static int job_abort(pebble_call *call)
{
    (void)call;
    abort();
}

START_TEST(a_crash_is_recorded)
{
    struct pebble_pool_config config = confined(_i, NULL);
    config.stderr_to = PEBBLE_CAPTURE;
    pebble_pool *pool = pool_of(&config);
    pebble_future *future = schedule(pool, job_crash);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_int_eq(outcome->exit_signal, SIGSEGV);
    ck_assert_ptr_nonnull(outcome->crash);
    ck_assert_uint_gt(pebble_backtrace_length(outcome->crash->backtrace), 0);
    ck_assert_str_eq(outcome->output_tail, "last words\n");
    pebble_future_unref(future);
    future = schedule(pool, job_abort);
    outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_int_eq(outcome->exit_signal, SIGABRT);
    ck_assert_int_eq(outcome->crash->code, SI_TKILL);
    pebble_future_unref(future);
    ck_assert_int_eq(error_in(pool, "/etc/group"), EACCES); /* those that took its place are confined too */
    close_pool(pool);
}
END_TEST

START_TEST(limits_and_cancels_end_jobs)
{
    pebble_pool *pool = pool_confined(_i, NULL);
    pebble_future *future = schedule_limited(pool, job_hang, (struct order){0},
                                             (struct pebble_job_options){.timeout = 20 * MILLISECOND});
    expect_and_drop(future, PEBBLE_TIMEOUT);
    future = schedule_limited(pool, job_resist, (struct order){0}, (struct pebble_job_options){0});
    while (!pebble_future_running(future))
        sched_yield();
    pebble_future_cancel(future);
    expect_and_drop(future, PEBBLE_CANCELLED);
    close_pool(pool);
}
END_TEST

START_TEST(a_stuck_job_tells_where_it_is)
{
    struct pebble_pool_config config = confined(_i, NULL);
    config.stack_dump = PATIENCE;
    pebble_pool *pool = pool_of(&config);
    pebble_future *future = schedule_limited(pool, job_spin, (struct order){0},
                                             (struct pebble_job_options){.timeout = 20 * MILLISECOND});
    const struct pebble_outcome *outcome = expect(future, PEBBLE_TIMEOUT);
    ck_assert_uint_eq(outcome->stack_count, 1);
    ck_assert_uint_gt(pebble_backtrace_length(outcome->stacks[0].backtrace), 0);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

static int job_until_cancelled(pebble_call *call)
{
    while (!pebble_call_cancelled(call))
        sched_yield();
    return 0;
}

START_TEST(a_job_may_return_within_the_grace)
{
    struct pebble_pool_config config = confined(_i, NULL);
    config.grace = PATIENCE;
    pebble_pool *pool = pool_of(&config);
    pebble_future *future = schedule(pool, job_until_cancelled);
    while (!pebble_future_running(future))
        sched_yield();
    pebble_future_cancel(future);
    expect(future, PEBBLE_CANCELLED);
    wait_gone(future);
    pebble_future_unref(future);
    ck_assert_uint_eq(statistics_of(pool).killed, 0);
    close_pool(pool);
}
END_TEST

static int job_use_all(pebble_call *call)
{
    size_t length;
    const char *input = pebble_call_input(call, &length);
    printf("%zu bytes\n", length); /* has the C library look at what stdout is */
    if (pebble_call_update(call, "update", 6) < 0) return 1;
    return pebble_call_write(call, input, length);
}

START_TEST(inputs_replies_and_updates_of_any_size_go_over)
{
    pebble_queue *updates;
    ck_assert_int_eq(pebble_queue_new(100, pebble_update_free, &updates), 0);
    struct pebble_pool_config config = confined(_i, NULL);
    config.max_memory = UINT64_C(1) << 40; /* has it look at its own memory */
    config.stdout_to = PEBBLE_DISCARD;
    pebble_pool *pool = pool_of(&config);
    for (size_t length = 10; length < 20000000; length *= 10) {
        char *bytes = calloc(1, length);
        pebble_future *future;
        const struct pebble_job_options options = {.updates = updates};
        ck_assert_int_eq(pebble_pool_schedule(pool, job_use_all, bytes, length, &options, &future), 0);
        ck_assert_uint_eq(expect(future, PEBBLE_SUCCESS)->length, length);
        pebble_future_unref(future);
        free(bytes);
        void *update;
        ck_assert_int_eq(pebble_queue_get(updates, 0, &update), 0);
        pebble_update_free(update);
    }
    close_pool(pool);
    pebble_queue_unref(updates);
}
END_TEST

static int job_grow(pebble_call *call)
{
    char *bytes = malloc(64 << 20);
    if (!bytes) return 1;
    memset(bytes, 1, 64 << 20);
    return pebble_call_write(call, bytes + 1000, 1);
}

START_TEST(one_that_has_grown_is_replaced)
{
    struct pebble_pool_config config = confined(_i, NULL);
    config.max_memory = 32 << 20;
    pebble_pool *pool = pool_of(&config);
    int64_t pid = run(pool, job_pid);
    expect_and_drop(schedule(pool, job_grow), PEBBLE_SUCCESS);
    ck_assert_int_ne(run(pool, job_pid), pid);
    close_pool(pool);
}
END_TEST

Suite *confine_suite(void)
{
    Suite *suite = suite_create("confine");
    TCase *tests = group_without(suite, "not-tsan not-valgrind", "confine", 60);
    both(tests, a_worker_that_computes_cannot_do_anything_else);
    both(tests, a_worker_that_reads_cannot_either);
    both(tests, a_worker_that_computes_can_read_nothing);
    both(tests, a_worker_that_reads_can_read_what_it_may);
    both(tests, a_worker_that_is_not_confined_can);
    both(tests, names_and_sizes_are_told_to_who_may_read_something);
    both(tests, its_threads_are_confined_as_it_is);
    both(tests, it_has_no_workers_of_its_own);
    both(tests, the_initializer_is_not_confined_and_what_it_opened_stays_open);
    both(tests, it_can_look_its_own_threads_up);
    both(tests, a_worker_that_cannot_be_confined_runs_nothing);
    both(tests, an_initializer_cannot_leave_a_way_out);
    both(tests, an_initializer_that_fails_is_the_cause_all_the_same);
    both(tests, the_finalizer_is_confined);
    tcase_add_test(tests, wrong_paths_are_refused);
    both(tests, a_crash_is_recorded);
    both(tests, limits_and_cancels_end_jobs);
    both(tests, a_stuck_job_tells_where_it_is);
    both(tests, a_job_may_return_within_the_grace);
    both(tests, inputs_replies_and_updates_of_any_size_go_over);
    both(tests, one_that_has_grown_is_replaced);
    return suite;
}
