/* SPDX-License-Identifier: Apache-2.0
 * What the outcome of a crashed job tells. */
#include "support.h"
#include "crash.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEPT __attribute__((noinline, noclone)) /* a frame of its own in a backtrace */
#define WRONG __attribute__((no_sanitize("undefined"))) /* on purpose */

/* --- ways to die --- */

static KEPT WRONG int read_null(volatile const int *place)
{
    return *place + 1;
}

static int job_null(pebble_call *call)
{
    size_t length;
    const void *input = pebble_call_input(call, &length);
    return read_null(length ? input : NULL) + 1;
}

static int job_abort(pebble_call *call)
{
    (void)call;
    abort();
}

static int job_assert(pebble_call *call)
{
    size_t length;
    pebble_call_input(call, &length);
    assert(length == 77);
    return 0;
}

static KEPT WRONG int divide(int a, volatile int b)
{
    return a / b + 1;
}

static int job_divide(pebble_call *call)
{
    size_t length;
    pebble_call_input(call, &length);
    return divide(7, (int)length) + 1;
}

static int job_trap(pebble_call *call)
{
    (void)call;
    __builtin_trap();
}

static KEPT long descend(volatile long depth)
{
    volatile char room[512];
    room[depth % 512] = 1;
    if (depth < 0) return 0;
    return descend(depth + 1) + room[0];
}

static int job_descend(pebble_call *call)
{
    return reply_number(call, descend(0));
}

static int job_call_nothing(pebble_call *call)
{
    size_t length;
    int (*volatile function)(void) = NULL;
    pebble_call_input(call, &length);
    return function() + 1;
}

static void *thread_of(void *arg)
{
    return (void *)(intptr_t)((pebble_function)(uintptr_t)arg)(NULL);
}

static int job_of_thread(pebble_function function)
{
    pthread_t thread;
    pthread_create(&thread, NULL, thread_of, (void *)(uintptr_t)function);
    pthread_join(thread, NULL);
    return 0;
}

static int job_thread_abort(pebble_call *call)
{
    (void)call;
    return job_of_thread(job_abort);
}

static int descend_there(pebble_call *call)
{
    (void)call;
    return (int)descend(0);
}

static int job_thread_descend(pebble_call *call)
{
    (void)call;
    return job_of_thread(descend_there);
}

/* --- what is told --- */

/* Runs a job that dies by that signal. The outcome is the future's. */
static pebble_future *crash_of(int method, pebble_function function, int signal)
{
    pebble_pool *pool = pool_with(method, 1);
    pebble_future *future = schedule(pool, function);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_int_eq(outcome->exit_code, -1);
    ck_assert_int_eq(outcome->exit_signal, signal);
    ck_assert(!outcome->likely_oom);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
    return future;
}

static const struct pebble_crash *crash_in(pebble_future *future)
{
    const struct pebble_outcome *outcome = outcome_of(future);
    ck_assert_ptr_nonnull(outcome->crash);
    ck_assert_int_eq(outcome->crash->signal, outcome->exit_signal);
    return outcome->crash;
}

static void described_with(pebble_future *future, const char *part)
{
    char text[512];
    pebble_outcome_describe(outcome_of(future), text, sizeof text);
    ck_assert_msg(strstr(text, part) != NULL, "%s: not in \"%s\"", part, text);
}

/* The frame is in that function, in this program, at an address that this process can use. */
static void frame_is_in(const struct pebble_crash *crash, size_t number, const char *function, uintptr_t start)
{
    struct pebble_frame frame;
    Dl_info here;
    ck_assert_int_eq(pebble_backtrace_frame(crash->backtrace, number, &frame), 0);
    ck_assert_ptr_nonnull(frame.function);
    ck_assert_str_eq(frame.function, function);
    ck_assert_uint_eq((uintptr_t)frame.address - frame.function_offset, start);
    ck_assert_int_ne(dladdr(frame.address, &here), 0);
    ck_assert_uint_eq((uintptr_t)frame.address - (uintptr_t)here.dli_fbase, frame.offset);
    ck_assert_str_eq(strrchr(frame.image, '/'), "/check-c");
    ck_assert(!frame.machinery);
}

START_TEST(a_null_dereference_tells_where)
{
    pebble_future *future = crash_of(_i, job_null, SIGSEGV);
    const struct pebble_crash *crash = crash_in(future);
    ck_assert_int_eq(crash->code, SEGV_MAPERR);
    ck_assert_uint_eq(crash->address, 0);
    ck_assert(crash->main_thread);
    ck_assert_int_eq(crash->thread, outcome_of(future)->pid);
    ck_assert(!crash->stack_overflow);
    ck_assert_str_eq(crash->message, "");
    ck_assert(!pebble_backtrace_truncated(crash->backtrace));
    frame_is_in(crash, 0, "read_null", (uintptr_t)read_null);
    frame_is_in(crash, 1, "job_null", (uintptr_t)job_null);
    ck_assert_uint_eq(pebble_backtrace_length(crash->backtrace), 2); /* and nothing of the library's own */
    described_with(future, "SIGSEGV after ");
    described_with(future, ": no memory at address 0");
    pebble_future_unref(future);
}
END_TEST

START_TEST(abort_tells_who_called_it)
{
    pebble_future *future = crash_of(_i, job_abort, SIGABRT);
    const struct pebble_crash *crash = crash_in(future);
    ck_assert_int_eq(crash->code, SI_TKILL);
    frame_is_in(crash, pebble_backtrace_length(crash->backtrace) - 1, "job_abort", (uintptr_t)job_abort);
    pebble_future_unref(future);
}
END_TEST

START_TEST(assert_tells_its_message)
{
    pebble_future *future = crash_of(_i, job_assert, SIGABRT);
    const struct pebble_crash *crash = crash_in(future);
    ck_assert_ptr_nonnull(strstr(crash->message, "job_assert: Assertion `length == 77' failed."));
    described_with(future, "job_assert: Assertion `length == 77' failed.");
    frame_is_in(crash, pebble_backtrace_length(crash->backtrace) - 1, "job_assert", (uintptr_t)job_assert);
    pebble_future_unref(future);
}
END_TEST

#ifdef __x86_64__ /* elsewhere it gives a result */
START_TEST(a_division_by_zero_says_so)
{
    pebble_future *future = crash_of(_i, job_divide, SIGFPE);
    ck_assert_int_eq(crash_in(future)->code, FPE_INTDIV);
    frame_is_in(crash_in(future), 0, "divide", (uintptr_t)divide);
    described_with(future, ": integer division by zero");
    pebble_future_unref(future);
}
END_TEST
#endif

START_TEST(a_trap_tells_where)
{
#ifdef __x86_64__
    pebble_future *future = crash_of(_i, job_trap, SIGILL);
#else
    pebble_future *future = crash_of(_i, job_trap, SIGTRAP);
#endif
    frame_is_in(crash_in(future), 0, "job_trap", (uintptr_t)job_trap);
    ck_assert_uint_eq(pebble_backtrace_length(crash_in(future)->backtrace), 1);
    described_with(future, ": a trap");
    pebble_future_unref(future);
}
END_TEST

START_TEST(a_call_of_nothing_tells_its_caller)
{
    pebble_future *future = crash_of(_i, job_call_nothing, SIGSEGV);
    const struct pebble_crash *crash = crash_in(future);
    ck_assert_uint_eq(pebble_backtrace_length(crash->backtrace), 2);
    frame_is_in(crash, 1, "job_call_nothing", (uintptr_t)job_call_nothing);
    pebble_future_unref(future);
}
END_TEST

START_TEST(a_stack_overflow_is_recorded)
{
    pebble_future *future = crash_of(_i, job_descend, SIGSEGV);
    const struct pebble_crash *crash = crash_in(future);
    ck_assert(crash->stack_overflow);
    ck_assert(pebble_backtrace_truncated(crash->backtrace));
    ck_assert_uint_eq(pebble_backtrace_length(crash->backtrace), 64);
    frame_is_in(crash, 63, "descend", (uintptr_t)descend);
    described_with(future, ": stack overflow");
    pebble_future_unref(future);
}
END_TEST

START_TEST(a_crash_of_another_thread_is_recorded)
{
    pebble_future *future = crash_of(_i, job_thread_abort, SIGABRT);
    const struct pebble_crash *crash = crash_in(future);
    ck_assert(!crash->main_thread);
    ck_assert_int_ne(crash->thread, outcome_of(future)->pid);
    bool seen = false;
    struct pebble_frame frame;
    for (size_t n = 0; pebble_backtrace_frame(crash->backtrace, n, &frame) == 0; n++)
        seen |= frame.function && strcmp(frame.function, "job_abort") == 0;
    ck_assert(seen);
    pebble_future_unref(future);
}
END_TEST

START_TEST(a_stack_overflow_of_another_thread_is_guessed)
{
    pebble_future *future = crash_of(_i, job_thread_descend, SIGSEGV);
    ck_assert_ptr_null(outcome_of(future)->crash);
    described_with(future, ": nothing recorded: probably a stack overflow on a thread");
    pebble_future_unref(future);
}
END_TEST

static int job_kill_itself(pebble_call *call)
{
    (void)call;
    return kill(getpid(), SIGKILL);
}

START_TEST(sigkill_leaves_no_record)
{
    pebble_future *future = crash_of(_i, job_kill_itself, SIGKILL);
    ck_assert_ptr_null(outcome_of(future)->crash);
    described_with(future, "crashed: SIGKILL after ");
    pebble_future_unref(future);
}
END_TEST

START_TEST(a_signal_from_outside_is_told_as_one)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule_order(pool, job_hang, order_in(&scene, 0));
    ck_assert_int_eq(kill((pid_t)hear(&scene), SIGSEGV), 0);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_int_eq(outcome->exit_signal, SIGSEGV);
    ck_assert_int_eq(crash_in(future)->code, SI_USER);
    ck_assert_uint_eq(crash_in(future)->address, 0);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

/* --- handlers of the job's own --- */

static struct sigaction ours;

static void leave_with_5(int signal)
{
    (void)signal;
    _exit(5);
}

static int job_with_handler(pebble_call *call)
{
    signal(SIGSEGV, leave_with_5);
    return job_null(call);
}

START_TEST(a_handler_of_the_job_rules)
{
    pebble_pool *pool = pool_with(_i, 1);
    pebble_future *future = schedule(pool, job_with_handler);
    const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
    ck_assert_int_eq(outcome->exit_code, 5);
    ck_assert_ptr_null(outcome->crash);
    pebble_future_unref(future);
    close_pool(pool);
}
END_TEST

static void pass_on(int signal, siginfo_t *info, void *context)
{
    ours.sa_sigaction(signal, info, context);
}

static int job_with_handler_that_passes_on(pebble_call *call)
{
    struct sigaction theirs = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &theirs, &ours);
    return job_null(call);
}

START_TEST(a_handler_that_passes_on_gets_a_record)
{
    pebble_future *future = crash_of(_i, job_with_handler_that_passes_on, SIGSEGV);
    frame_is_in(crash_in(future), 0, "read_null", (uintptr_t)read_null);
    pebble_future_unref(future);
}
END_TEST

START_TEST(a_handler_that_was_there_comes_after_the_record_when_asked)
{
    struct pb_shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    for (uint32_t pass = 0; pass < 2; pass++) {
        shared->pass_crashes_on = pass;
        pid_t child = fork();
        if (child == 0) {
            signal(SIGSEGV, leave_with_5);
            pb_crash_install(shared);
            read_null(NULL);
        }
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 5);
        ck_assert_uint_eq(atomic_load(&shared->crash.written), pass);
    }
    ck_assert_int_eq(shared->crash.signal, SIGSEGV);
}
END_TEST

/* --- whose crash it is --- */

static int job_with_child_that_crashes(pebble_call *call)
{
    pid_t child = fork();
    if (child == 0) abort();
    int status;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? job_kill_itself(call) : 0;
}

static int job_with_child_that_aborts_first(pebble_call *call)
{
    pid_t child = fork();
    if (child == 0) abort();
    waitpid(child, NULL, 0);
    return job_null(call);
}

START_TEST(a_crash_of_a_child_of_the_job_is_not_the_workers)
{
    pebble_future *future = crash_of(_i, job_with_child_that_crashes, SIGKILL);
    ck_assert_ptr_null(outcome_of(future)->crash);
    pebble_future_unref(future);
    future = crash_of(_i, job_with_child_that_aborts_first, SIGSEGV);
    frame_is_in(crash_in(future), 0, "read_null", (uintptr_t)read_null);
    pebble_future_unref(future);
}
END_TEST

START_TEST(jobs_are_told_of_the_crash_of_the_initializer)
{
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){
        .max_workers = 1, .start_method = (enum pebble_start_method)_i, .initializer = {.function = job_null}});
    pebble_future *jobs[] = {schedule(pool, job_nothing), schedule(pool, job_nothing)};
    for (size_t n = 0; n < PB_COUNT(jobs); n++) {
        const struct pebble_outcome *outcome = expect(jobs[n], PEBBLE_NOT_RUN);
        ck_assert_int_eq(outcome->exit_signal, SIGSEGV);
        frame_is_in(crash_in(jobs[n]), 0, "read_null", (uintptr_t)read_null);
        pebble_future_unref(jobs[n]);
    }
    close_pool(pool);
}
END_TEST

START_TEST(a_report_has_a_line_for_each_frame)
{
    pebble_future *future = crash_of(_i, job_null, SIGSEGV);
    const struct pebble_outcome *outcome = outcome_of(future);
    char text[2048], line[512];
    int length = pebble_outcome_report(outcome, text, sizeof text);
    ck_assert_int_eq(length, (int)strlen(text));
    pebble_outcome_describe(outcome, line, sizeof line);
    ck_assert_int_eq(strncmp(text, line, strlen(line)), 0);
    const char *frames = text + strlen(line);
    ck_assert_int_eq(strncmp(frames, "\n    read_null + ", 16), 0);
    ck_assert_ptr_nonnull(strstr(frames, "\n    job_null + "));
    ck_assert_ptr_nonnull(strstr(frames, "/check-c+0x"));
    ck_assert_int_eq(pebble_outcome_report(outcome, NULL, 0), length);
    char shorter[64];
    ck_assert_int_eq(pebble_outcome_report(outcome, shorter, sizeof shorter), length);
    ck_assert_int_eq(strncmp(shorter, text, sizeof shorter - 1), 0);
    ck_assert_int_eq(pebble_backtrace_frame(outcome->crash->backtrace, 2, &(struct pebble_frame){0}), -EINVAL);
    pebble_future_unref(future);
}
END_TEST

static void *look(void *arg)
{
    frame_is_in(arg, 1, "job_null", (uintptr_t)job_null);
    return NULL;
}

START_TEST(threads_may_look_at_one_crash)
{
    pebble_future *future = crash_of(_i, job_null, SIGSEGV);
    pthread_t threads[8];
    for (size_t n = 0; n < PB_COUNT(threads); n++)
        pthread_create(&threads[n], NULL, look, (void *)(uintptr_t)crash_in(future));
    for (size_t n = 0; n < PB_COUNT(threads); n++)
        pthread_join(threads[n], NULL);
    pebble_future_unref(future);
}
END_TEST

START_TEST(an_ordinary_process_has_no_handlers)
{
    close_pool(pool_with(_i, 1));
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS};
    for (size_t n = 0; n < PB_COUNT(signals); n++) {
        struct sigaction action;
        sigaction(signals[n], NULL, &action);
        ck_assert(action.sa_handler == SIG_DFL);
    }
}
END_TEST

Suite *crash_suite(void)
{
    Suite *suite = suite_create("crash");
    TCase *tests = group(suite, "crash", 60);
    both(tests, a_null_dereference_tells_where);
    both(tests, abort_tells_who_called_it);
    both(tests, assert_tells_its_message);
#ifdef __x86_64__
    both(tests, a_division_by_zero_says_so);
#endif
    both(tests, a_trap_tells_where);
    both(tests, a_call_of_nothing_tells_its_caller);
    both(tests, a_stack_overflow_is_recorded);
    both(tests, a_crash_of_another_thread_is_recorded);
    both(tests, a_stack_overflow_of_another_thread_is_guessed);
    both(tests, sigkill_leaves_no_record);
    both(tests, a_signal_from_outside_is_told_as_one);
    both(tests, a_handler_of_the_job_rules);
    both(tests, a_handler_that_passes_on_gets_a_record);
    both(tests, a_crash_of_a_child_of_the_job_is_not_the_workers);
    both(tests, jobs_are_told_of_the_crash_of_the_initializer);
    both(tests, a_report_has_a_line_for_each_frame);
    both(tests, threads_may_look_at_one_crash);
    both(tests, an_ordinary_process_has_no_handlers);
    tests = group_without(suite, "not-valgrind", "no workers", 60);
    tcase_add_test(tests, a_handler_that_was_there_comes_after_the_record_when_asked);
    return suite;
}
