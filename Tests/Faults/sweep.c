/* SPDX-License-Identifier: Apache-2.0
 * Every call that the library makes, in host, server and workers, failing once,
 * or failing from there on: each in a process of its own, and none left of it. */
#define _GNU_SOURCE
#include "sweep.h"
#include "scenario.h"
#include "pebble.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT 60 /* s for a process, and for what it leaves to be gone */

static struct shared {
    struct holdings clean; /* after two runs without a fault */
    unsigned hits;
} * shared;

static const char *const methods[] = {"fork-server", "spawn"};

/* A process that says nothing at all, however often it tries, is one that hangs, and
 * taken for such: that is tested elsewhere. And a server whose first channel does
 * not come cannot say hello: it is taken for a program without an entry point. */
static bool is_hopeless(const struct fault *fault)
{
    return (fault->kind == FAULT_SENDMSG && fault->role == FAULT_SERVER && fault->and_on) ||
           (fault->kind == FAULT_RECEIVE && fault->role == FAULT_SERVER && fault->nth == 1);
}

/* Without a fault: learns what is left of the scenario when all is well. */
static void run_here(int method, const struct fault *fault)
{
    alarm(LIMIT);
    faults_open();
    shared->hits = scenario_run(method, fault);
    scenario_run(method, NULL);
    if (fault) {
        holdings_expect(&shared->clean);
        return;
    }
    poll(NULL, 0, 1000); /* for what is on its way to an end */
    shared->clean = holdings_now();
}

/* Ends when there is no child any more, and nothing that came to us from one. */
static bool all_gone(void)
{
    const struct timespec soon = {.tv_sec = 1};
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (int left = LIMIT; left; left--) {
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            left = LIMIT;
        if (pid < 0) return true;
        sigtimedwait(&child, NULL, &soon);
    }
    return false;
}

static bool run_case(int method, const struct fault *fault)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        run_here(method, fault);
        _exit(0);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    bool gone = all_gone(), passed = status == 0 && gone;
    if (!passed && fault)
        fprintf(stderr, "%s %s %s %u%s: %s %d%s\n", methods[method], fault_role_name(fault->role),
                fault_kind_name(fault->kind), fault->nth, fault->and_on ? " on" : "",
                WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                gone ? "" : ", and processes are left");
    return passed;
}

/* Some of all, or of those that fail from there on, which take long: ever fewer of those that come later. */
static unsigned next_of(unsigned nth, bool and_on, bool all)
{
    return and_on ? 2 * nth : all ? nth + 1 : nth + 1 + nth / 2;
}

/* The fault at one call after the other, until a run does not come to it. */
static unsigned run_kind(int method, enum fault_role role, enum fault_kind kind, bool and_on, bool all)
{
    unsigned failed = 0, cases = 0;
    /* Doubled often enough, it is 0: so ends a kind that is hopeless at every number. */
    for (unsigned nth = 1; nth != 0; nth = next_of(nth, and_on, all)) {
        const struct fault fault = {.role = role, .kind = kind, .nth = nth, .and_on = and_on};
        if (is_hopeless(&fault)) continue;
        shared->hits = UINT32_MAX;
        failed += !run_case(method, &fault);
        if (shared->hits == 0) break;
        cases++;
    }
    if (cases)
        printf("%s %s %s%s: %u cases, %u failed\n", methods[method], fault_role_name(role), fault_kind_name(kind),
               and_on ? " on" : "", cases, failed);
    return failed;
}

/* Whether all is well without a fault. */
static bool begin(int method)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    bool passed = run_case(method, NULL);
    if (!passed) fprintf(stderr, "%s: fails without a fault\n", methods[method]);
    return passed;
}

/* Most of the time is spent waiting, so there are many of these side by side. */
static unsigned sweep(int method, enum fault_role role, bool and_on, bool all)
{
    if (!begin(method)) return 1;
    unsigned failed = 0;
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        failed += run_kind(method, role, (enum fault_kind)kind, and_on, all);
    return failed;
}

static bool share(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared != MAP_FAILED;
}

bool sweep_all(bool all)
{
    fflush(NULL);
    for (int lane = 0; lane < 2 * 2 * FAULT_ROLES; lane++) {
        if ((!all && lane & 2) || fork() != 0) continue;
        bool passed = share() && sweep(lane & 1, (enum fault_role)(lane / 4), lane & 2, all) == 0;
        fflush(NULL);
        _exit(!passed);
    }
    int status;
    bool passed = true;
    while (waitpid(-1, &status, 0) > 0)
        passed &= status == 0;
    return passed;
}

static int number_of(const char *name, const char *(*name_of)(int), int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(name, name_of(i)) == 0) return i;
    fprintf(stderr, "%s?\n", name);
    exit(2);
}

static const char *method_name(int method)
{
    return methods[method];
}

static const char *role_name(int role)
{
    return fault_role_name((enum fault_role)role);
}

static const char *kind_name(int kind)
{
    return fault_kind_name((enum fault_kind)kind);
}

bool sweep_named(int count, char **names)
{
    const struct fault fault = {
        .role = (enum fault_role)number_of(names[1], role_name, FAULT_ROLES),
        .kind = (enum fault_kind)number_of(names[2], kind_name, FAULT_KINDS),
        .nth = (unsigned)atoi(names[3]),
        .and_on = count > 4,
    };
    int method = number_of(names[0], method_name, 2);
    if (!share() || !begin(method)) return false;
    if (strcmp(names[3], "all") == 0) return run_kind(method, fault.role, fault.kind, fault.and_on, true) == 0;
    if (!run_case(method, &fault)) return false;
    printf("passed; %u calls failed\n", shared->hits);
    return true;
}
