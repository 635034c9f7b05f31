/* SPDX-License-Identifier: Apache-2.0
 * Signals that are handled on a thread, and guards. */
#include "support.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a handler leaves for its test. */
struct notes {
    sem_t called;
    atomic_int calls, last;
    pthread_t thread;
    bool thread_blocks_all;
    pebble_signal_handler *handler;
};

static void note(int signal, void *arg)
{
    struct notes *notes = arg;
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    notes->thread_blocks_all = sigismember(&mask, signal) && sigismember(&mask, SIGINT) &&
                               sigismember(&mask, SIGRTMAX);
    notes->thread = pthread_self();
    notes->last = signal;
    notes->calls++;
    sem_post(&notes->called);
}

static pebble_signal_handler *handle_with(pebble_signal_function function, void *arg, int signal)
{
    pebble_signal_handler *handler;
    ck_assert_int_eq(pebble_signal_handle(&signal, 1, function, arg, &handler), 0);
    return handler;
}

static void note_signals(struct notes *notes, const int signals[], size_t count)
{
    memset(notes, 0, sizeof *notes);
    sem_init(&notes->called, 0, 0);
    ck_assert_int_eq(pebble_signal_handle(signals, count, note, notes, &notes->handler), 0);
}

static void note_signal(struct notes *notes, int signal)
{
    note_signals(notes, &signal, 1);
}

static void await_call(struct notes *notes)
{
    while (sem_wait(&notes->called) < 0)
        ck_assert_int_eq(errno, EINTR);
}

static struct sigaction disposition_of(int signal)
{
    struct sigaction action = {.sa_handler = SIG_ERR};
    sigaction(signal, NULL, &action);
    return action;
}

static bool blocked(int signal)
{
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    return sigismember(&mask, signal);
}

/* --- calls --- */

static void strike_by_timer(void)
{
    struct itimerval timer = {.it_value.tv_usec = 1000};
    ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

START_TEST(a_handler_runs_on_a_thread_of_its_own_when_a_timer_strikes)
{
    struct notes notes;
    note_signal(&notes, SIGALRM);
    strike_by_timer();
    await_call(&notes);
    ck_assert_int_eq(notes.last, SIGALRM);
    ck_assert(!pthread_equal(notes.thread, pthread_self()));
    ck_assert(notes.thread_blocks_all);
    pebble_signal_forget(notes.handler);
    ck_assert_int_eq(notes.calls, 1);
}
END_TEST

START_TEST(a_handler_runs_for_what_is_sent_and_what_is_raised)
{
    struct notes notes;
    note_signal(&notes, SIGUSR1);
    kill(getpid(), SIGUSR1);
    await_call(&notes);
    raise(SIGUSR1);
    await_call(&notes);
    pthread_kill(pthread_self(), SIGUSR1);
    await_call(&notes);
    pebble_signal_forget(notes.handler);
    ck_assert_int_eq(notes.calls, 3);
}
END_TEST

START_TEST(one_handler_may_be_for_several_signals)
{
    struct notes notes;
    note_signals(&notes, (const int[]){SIGFPE, SIGIO, SIGIO}, 3);
    kill(getpid(), SIGFPE);
    await_call(&notes);
    ck_assert_int_eq(notes.last, SIGFPE);
    kill(getpid(), SIGIO);
    await_call(&notes);
    ck_assert_int_eq(notes.last, SIGIO);
    pebble_signal_forget(notes.handler);
    ck_assert_int_eq(notes.calls, 2);
    ck_assert(disposition_of(SIGIO).sa_handler == SIG_DFL);
}
END_TEST

static int calls_in_order[2], order;

static void first_in_order(int signal, void *arg)
{
    (void)signal;
    (void)arg;
    calls_in_order[0] = ++order;
}

static void second_in_order(int signal, void *arg)
{
    (void)signal;
    (void)arg;
    calls_in_order[1] = ++order;
}

START_TEST(all_handlers_for_a_signal_are_called_in_order)
{
    struct notes notes, other;
    pebble_signal_handler *first = handle_with(first_in_order, NULL, SIGUSR1);
    pebble_signal_handler *second = handle_with(second_in_order, NULL, SIGUSR1);
    note_signal(&other, SIGUSR2);
    note_signal(&notes, SIGUSR1);
    raise(SIGUSR1);
    await_call(&notes);
    ck_assert_int_eq(calls_in_order[0], 1);
    ck_assert_int_eq(calls_in_order[1], 2);
    ck_assert_int_eq(other.calls, 0);
    pebble_signal_forget(first);
    pebble_signal_forget(second);
    raise(SIGUSR1);
    await_call(&notes);
    ck_assert_int_eq(order, 2);
    pebble_signal_forget(notes.handler);
    pebble_signal_forget(other.handler);
}
END_TEST

#define BURST 10000

/* On the thread that gets it, each is delivered before the next is raised. */
START_TEST(each_delivery_is_one_call)
{
    struct notes notes;
    note_signal(&notes, SIGUSR1);
    for (int i = 0; i < BURST; i++)
        raise(SIGUSR1);
    for (int i = 0; i < BURST; i++)
        await_call(&notes);
    pebble_signal_forget(notes.handler);
    ck_assert_int_eq(notes.calls, BURST);
}
END_TEST

static void *kill_often(void *arg)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    for (int i = 0; i < BURST; i++)
        kill(getpid(), SIGUSR1);
    return arg;
}

START_TEST(a_burst_that_is_faster_than_delivery_is_at_least_one_call)
{
    struct notes notes;
    pthread_t thread;
    note_signal(&notes, SIGUSR1);
    pthread_create(&thread, NULL, kill_often, NULL);
    pthread_join(thread, NULL);
    await_call(&notes);
    pebble_signal_forget(notes.handler);
    ck_assert_int_ge(notes.calls, 1);
    ck_assert_int_le(notes.calls, BURST);
}
END_TEST

START_TEST(no_real_time_signal_is_lost)
{
    struct notes notes;
    struct pebble_signal_guard guard;
    int signal = SIGRTMIN + 1;
    note_signal(&notes, signal);
    ck_assert_int_eq(pebble_signals_block(&signal, 1, &guard), 0);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(sigqueue(getpid(), signal, (union sigval){.sival_int = i}), 0);
    ck_assert_int_eq(notes.calls, 0);
    pebble_signals_restore(&guard);
    for (int i = 0; i < 100; i++)
        await_call(&notes);
    pebble_signal_forget(notes.handler);
    ck_assert_int_eq(notes.calls, 100);
}
END_TEST

static void write_byte(int signal, void *arg)
{
    ck_assert_int_eq(write(*(int *)arg, &signal, 1), 1);
}

START_TEST(a_system_call_of_the_program_goes_on)
{
    int ends[2];
    char byte;
    ck_assert_int_eq(pipe(ends), 0);
    pebble_signal_handler *handler = handle_with(write_byte, &ends[1], SIGALRM);
    for (int i = 0; i < 20; i++) {
        strike_by_timer();
        ck_assert_int_eq(read(ends[0], &byte, 1), 1);
        ck_assert_int_eq(byte, SIGALRM);
    }
    pebble_signal_forget(handler);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(children_that_end_can_be_handled_while_a_pool_runs)
{
    struct notes notes;
    note_signal(&notes, SIGCHLD);
    pebble_pool *pool = pool_with(_i, 2);
    ck_assert_int_gt(run(pool, job_pid), 0);
    expect_and_drop(schedule_order(pool, job_exit, (struct order){.number = 3}), PEBBLE_EXPIRED);
    ck_assert_int_eq(notes.calls, 0); /* no worker is a child of this */
    pid_t child = fork();
    if (child == 0) _exit(3);
    await_call(&notes);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WEXITSTATUS(status), 3);
    ck_assert_int_gt(run(pool, job_pid), 0);
    close_pool(pool);
    pebble_signal_forget(notes.handler);
    ck_assert_int_eq(notes.calls, 1);
}
END_TEST

/* --- dispositions --- */

static void on_usr1(int signal)
{
    (void)signal;
}

START_TEST(the_disposition_from_before_comes_back)
{
    struct notes one, two;
    struct sigaction before = {.sa_handler = on_usr1, .sa_flags = SA_NODEFER};
    sigaddset(&before.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &before, NULL);
    note_signal(&one, SIGUSR1);
    note_signal(&two, SIGUSR1);
    ck_assert(disposition_of(SIGUSR1).sa_handler != on_usr1);
    pebble_signal_forget(one.handler);
    ck_assert(disposition_of(SIGUSR1).sa_handler != on_usr1); /* the other is still there */
    pebble_signal_forget(two.handler);
    struct sigaction after = disposition_of(SIGUSR1);
    ck_assert(after.sa_handler == on_usr1);
    ck_assert_int_eq(after.sa_flags & SA_NODEFER, SA_NODEFER);
    ck_assert_int_eq(after.sa_flags & (SA_SIGINFO | SA_RESTART), 0);
    ck_assert(sigismember(&after.sa_mask, SIGUSR2) && !sigismember(&after.sa_mask, SIGINT));
}
END_TEST

START_TEST(a_signal_can_be_handled_again_and_again)
{
    for (int i = 0; i < 20; i++) {
        struct notes notes;
        note_signal(&notes, SIGUSR2);
        raise(SIGUSR2);
        await_call(&notes);
        pebble_signal_forget(notes.handler);
        ck_assert_int_eq(notes.calls, 1);
        ck_assert(disposition_of(SIGUSR2).sa_handler == SIG_DFL);
    }
}
END_TEST

START_TEST(a_disposition_that_the_program_changed_meanwhile_stays)
{
    struct notes notes;
    note_signal(&notes, SIGUSR1);
    signal(SIGUSR1, on_usr1);
    pebble_signal_forget(notes.handler);
    ck_assert(disposition_of(SIGUSR1).sa_handler == on_usr1);
}
END_TEST

START_TEST(nothing_is_touched_that_was_not_asked_for)
{
    void (*before[NSIG])(int);
    sigset_t mask_before, mask_after;
    struct notes notes;
    int descriptors = count_descriptors();
    for (int number = 1; number < NSIG; number++)
        before[number] = disposition_of(number).sa_handler;
    pthread_sigmask(SIG_BLOCK, NULL, &mask_before);
    note_signals(&notes, (const int[]){SIGHUP, SIGWINCH}, 2);
    for (int number = 1; number < NSIG; number++)
        ck_assert_int_eq(disposition_of(number).sa_handler == before[number], number != SIGHUP && number != SIGWINCH);
    pthread_sigmask(SIG_BLOCK, NULL, &mask_after);
    for (int number = 1; number < NSIG; number++)
        ck_assert_int_eq(sigismember(&mask_before, number), sigismember(&mask_after, number));
    ck_assert_int_eq(count_descriptors(), descriptors);
    pebble_signal_forget(notes.handler);
    for (int number = 1; number < NSIG; number++)
        ck_assert(disposition_of(number).sa_handler == before[number]);
}
END_TEST

START_TEST(what_cannot_be_handled_is_refused_and_nothing_is_touched)
{
    static const int refused[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGSYS, SIGABRT,
                                  0,       -1,      NSIG,    1000,   32};
    pebble_signal_handler *handler;
    int threads = count_threads();
    for (size_t i = 0; i < PB_COUNT(refused); i++) {
        int signals[] = {SIGUSR1, refused[i]};
        ck_assert_int_eq(pebble_signal_handle(signals, 2, note, NULL, &handler), -EINVAL);
    }
    ck_assert_int_eq(pebble_signal_handle(refused, 0, note, NULL, &handler), -EINVAL);
    ck_assert(disposition_of(SIGUSR1).sa_handler == SIG_DFL);
    ck_assert_int_eq(count_threads(), threads);
    pebble_signal_forget(NULL);
}
END_TEST

#ifdef __x86_64__
/* Ends by SIGFPE. */
START_TEST(a_computation_that_fails_kills_all_the_same)
{
    struct notes notes;
    note_signal(&notes, SIGFPE);
    kill(getpid(), SIGFPE);
    await_call(&notes);
    __asm__ volatile("xorl %%edx, %%edx\n\tdivl %%edx" : : : "eax", "edx", "cc");
}
END_TEST
#endif

/* --- forgetting --- */

static void forget_self(int signal, void *arg)
{
    struct notes *notes = arg;
    pebble_signal_forget(notes->handler);
    note(signal, arg);
}

START_TEST(a_handler_may_forget_itself)
{
    struct notes notes = {0}, last;
    sem_init(&notes.called, 0, 0);
    notes.handler = handle_with(forget_self, &notes, SIGUSR1);
    note_signal(&last, SIGUSR1);
    raise(SIGUSR1);
    await_call(&last);
    raise(SIGUSR1);
    await_call(&last);
    ck_assert_int_eq(notes.calls, 1);
    pebble_signal_forget(last.handler);
}
END_TEST

START_TEST(a_handler_may_forget_the_next)
{
    struct notes notes = {0}, next, last;
    sem_init(&notes.called, 0, 0);
    pebble_signal_handler *handler = handle_with(forget_self, &notes, SIGUSR1);
    note_signal(&next, SIGUSR1);
    note_signal(&last, SIGUSR1);
    notes.handler = next.handler;
    raise(SIGUSR1);
    await_call(&last);
    ck_assert_int_eq(notes.calls, 1);
    ck_assert_int_eq(next.calls, 0);
    pebble_signal_forget(handler);
    pebble_signal_forget(last.handler);
}
END_TEST

struct slow {
    sem_t entered, go;
    atomic_bool left;
};

static void enter_and_wait(int signal, void *arg)
{
    (void)signal;
    struct slow *slow = arg;
    sem_post(&slow->entered);
    while (sem_wait(&slow->go) < 0)
        continue;
    slow->left = true;
}

static void *let_leave(void *arg)
{
    struct slow *slow = arg;
    sem_post(&slow->go);
    return NULL;
}

START_TEST(forgetting_waits_for_the_call_that_is_going_on)
{
    for (int i = 0; i < 200; i++) {
        struct slow slow = {.left = false};
        pthread_t thread;
        sem_init(&slow.entered, 0, 0);
        sem_init(&slow.go, 0, 0);
        pebble_signal_handler *handler = handle_with(enter_and_wait, &slow, SIGUSR1);
        raise(SIGUSR1);
        while (sem_wait(&slow.entered) < 0)
            continue;
        pthread_create(&thread, NULL, let_leave, &slow);
        pebble_signal_forget(handler);
        ck_assert(slow.left);
        pthread_join(thread, NULL);
    }
}
END_TEST

static void note_alive(int signal, void *arg)
{
    (void)signal;
    atomic_int *alive_now = arg;
    ck_assert_int_eq(*alive_now, 1);
}

START_TEST(there_is_no_call_after_forgetting)
{
    pthread_t thread;
    struct notes always;
    note_signal(&always, SIGUSR1);
    pthread_create(&thread, NULL, kill_often, NULL);
    for (int i = 0; i < 500; i++) {
        atomic_int alive_now = 1;
        pebble_signal_handler *handler = handle_with(note_alive, &alive_now, SIGUSR1);
        pebble_signal_forget(handler);
        alive_now = 0;
    }
    pthread_join(thread, NULL);
    pebble_signal_forget(always.handler);
}
END_TEST

START_TEST(a_handler_is_not_called_for_what_an_earlier_one_has_handled)
{
    for (int i = 0; i < 2000; i++) {
        struct notes notes, late;
        note_signal(&notes, SIGUSR1);
        raise(SIGUSR1);
        await_call(&notes);
        pebble_signal_forget(notes.handler);
        note_signal(&late, SIGUSR1);
        pebble_signal_forget(late.handler);
        ck_assert_int_eq(notes.calls, 1);
        ck_assert_int_eq(late.calls, 0);
    }
}
END_TEST

/* --- forks --- */

static int exit_code_of(pid_t child)
{
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

START_TEST(a_fork_has_the_dispositions_from_before)
{
    struct notes notes;
    signal(SIGUSR2, SIG_IGN);
    note_signals(&notes, (const int[]){SIGHUP, SIGUSR2}, 2);
    pid_t child = fork();
    if (child == 0) {
        raise(SIGUSR2);
        raise(SIGHUP);
        _exit(1);
    }
    ck_assert_int_eq(exit_code_of(child), -SIGHUP);
    ck_assert_int_eq(notes.calls, 0);
    raise(SIGHUP);
    await_call(&notes);
    pebble_signal_forget(notes.handler);
    ck_assert_int_eq(notes.calls, 1);
}
END_TEST

/* Whenever in its life it comes: before the dispositions are back it waits. */
START_TEST(a_fork_dies_of_what_its_parent_handles)
{
    struct notes notes;
    note_signal(&notes, SIGHUP);
    for (int i = 0; i < 200; i++) {
        pid_t child = fork();
        if (child == 0)
            for (;;)
                pause();
        kill(child, SIGHUP);
        ck_assert_int_eq(exit_code_of(child), -SIGHUP);
    }
    ck_assert(!blocked(SIGHUP));
    pebble_signal_forget(notes.handler);
    ck_assert_int_eq(notes.calls, 0);
}
END_TEST

START_TEST(a_fork_may_have_handlers_of_its_own)
{
    struct notes notes, own;
    note_signal(&notes, SIGUSR1);
    raise(SIGUSR1);
    await_call(&notes);
    pid_t child = fork();
    if (child == 0) {
        pebble_signal_forget(notes.handler);
        note_signal(&own, SIGUSR1);
        raise(SIGUSR1);
        await_call(&own);
        pebble_signal_forget(own.handler);
        _exit(notes.calls == 1 && own.calls == 1 && disposition_of(SIGUSR1).sa_handler == SIG_DFL ? 0 : 1);
    }
    ck_assert_int_eq(exit_code_of(child), 0);
    pebble_signal_forget(notes.handler);
}
END_TEST

/* --- guards --- */

START_TEST(a_guard_restores_the_mask)
{
    struct pebble_signal_guard outer, inner;
    const int signals[] = {SIGUSR1, SIGTERM, SIGRTMAX}, more[] = {SIGUSR1, SIGINT};
    ck_assert_int_eq(pebble_signals_block(signals, 3, &outer), 0);
    ck_assert_int_eq(pebble_signals_block(more, 2, &inner), 0);
    ck_assert(blocked(SIGUSR1) && blocked(SIGTERM) && blocked(SIGRTMAX) && blocked(SIGINT));
    pebble_signals_restore(&inner);
    ck_assert(blocked(SIGUSR1) && blocked(SIGTERM) && blocked(SIGRTMAX) && !blocked(SIGINT));
    pebble_signals_restore(&outer);
    for (int number = 1; number < NSIG; number++)
        ck_assert(!blocked(number));
}
END_TEST

START_TEST(a_guard_leaves_alone_what_others_blocked)
{
    struct pebble_signal_guard guard;
    sigset_t other;
    sigemptyset(&other);
    sigaddset(&other, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &other, NULL);
    ck_assert_int_eq(pebble_signals_block((const int[]){SIGHUP, SIGINT}, 2, &guard), 0);
    sigaddset(&other, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &other, NULL);
    pebble_signals_restore(&guard);
    ck_assert(blocked(SIGHUP) && blocked(SIGUSR2) && !blocked(SIGINT));
}
END_TEST

static volatile sig_atomic_t delivered;

static void count_delivery(int signal)
{
    (void)signal;
    delivered++;
}

START_TEST(what_came_meanwhile_is_delivered_by_the_restore)
{
    struct pebble_signal_guard guard;
    signal(SIGUSR1, count_delivery);
    ck_assert_int_eq(pebble_signals_block((const int[]){SIGUSR1}, 1, &guard), 0);
    raise(SIGUSR1);
    ck_assert_int_eq(delivered, 0);
    pebble_signals_restore(&guard);
    ck_assert_int_eq(delivered, 1);
}
END_TEST

START_TEST(what_cannot_be_blocked_is_refused)
{
    struct pebble_signal_guard guard;
    static const int refused[] = {SIGKILL, SIGSTOP, 0, -1, NSIG, 32};
    for (size_t i = 0; i < PB_COUNT(refused); i++)
        ck_assert_int_eq(pebble_signals_block((const int[]){SIGUSR1, refused[i]}, 2, &guard), -EINVAL);
    ck_assert(!blocked(SIGUSR1));
    ck_assert_int_eq(pebble_signals_block(refused, 0, &guard), 0);
    pebble_signals_restore(&guard);
}
END_TEST

static void add_handler_tests(TCase *tests)
{
    tcase_add_test(tests, a_handler_runs_on_a_thread_of_its_own_when_a_timer_strikes);
    tcase_add_test(tests, a_handler_runs_for_what_is_sent_and_what_is_raised);
    tcase_add_test(tests, one_handler_may_be_for_several_signals);
    tcase_add_test(tests, all_handlers_for_a_signal_are_called_in_order);
    tcase_add_test(tests, each_delivery_is_one_call);
    tcase_add_test(tests, a_burst_that_is_faster_than_delivery_is_at_least_one_call);
    tcase_add_test(tests, the_disposition_from_before_comes_back);
    tcase_add_test(tests, a_signal_can_be_handled_again_and_again);
    tcase_add_test(tests, a_disposition_that_the_program_changed_meanwhile_stays);
    tcase_add_test(tests, nothing_is_touched_that_was_not_asked_for);
    tcase_add_test(tests, what_cannot_be_handled_is_refused_and_nothing_is_touched);
#ifdef __x86_64__
    tcase_add_test_raise_signal(tests, a_computation_that_fails_kills_all_the_same, SIGFPE);
#endif
    tcase_add_test(tests, a_handler_may_forget_itself);
    tcase_add_test(tests, a_handler_may_forget_the_next);
    tcase_add_test(tests, forgetting_waits_for_the_call_that_is_going_on);
    tcase_add_test(tests, there_is_no_call_after_forgetting);
    tcase_add_test(tests, a_handler_is_not_called_for_what_an_earlier_one_has_handled);
    tcase_add_test(tests, a_fork_has_the_dispositions_from_before);
    tcase_add_test(tests, a_fork_dies_of_what_its_parent_handles);
}

static void add_asynchronous_tests(TCase *tests)
{
    tcase_add_test(tests, no_real_time_signal_is_lost);
    tcase_add_test(tests, a_system_call_of_the_program_goes_on);
    tcase_add_test(tests, a_fork_may_have_handlers_of_its_own);
}

Suite *signals_suite(void)
{
    Suite *suite = suite_create("signals");
    add_handler_tests(group(suite, "handlers", 60));
    add_asynchronous_tests(group_without(suite, "not-tsan", "asynchronous", 60));
    TCase *tests = group_without(suite, "not-tsan not-valgrind", "children", 60);
    both(tests, children_that_end_can_be_handled_while_a_pool_runs);
    tests = group(suite, "guards", 10);
    tcase_add_test(tests, a_guard_restores_the_mask);
    tcase_add_test(tests, a_guard_leaves_alone_what_others_blocked);
    tcase_add_test(tests, what_came_meanwhile_is_delivered_by_the_restore);
    tcase_add_test(tests, what_cannot_be_blocked_is_refused);
    return suite;
}
