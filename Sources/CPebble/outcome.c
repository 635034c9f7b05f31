/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "clock.h"
#include "pebble/outcome.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

const char *pebble_status_string(enum pebble_status status)
{
    switch (status) {
    case PEBBLE_SUCCESS: return "success";
    case PEBBLE_FAILURE: return "failure";
    case PEBBLE_TIMEOUT: return "timed out";
    case PEBBLE_CANCELLED: return "cancelled";
    case PEBBLE_EXPIRED: return "expired";
    case PEBBLE_NOT_RUN: return "not run";
    case PEBBLE_NODE_LOST: return "node lost";
    }
    return "unknown";
}

const char *pebble_cause_string(enum pebble_cause cause)
{
    switch (cause) {
    case PEBBLE_CAUSE_NONE: return "no cause";
    case PEBBLE_CAUSE_STOPPED: return "the pool was stopped";
    case PEBBLE_CAUSE_START: return "no worker could be started";
    case PEBBLE_CAUSE_NO_ENTRY: return "the worker never reached Pebble's entry point";
    case PEBBLE_CAUSE_INITIALIZER: return "the workers' initializer failed";
    case PEBBLE_CAUSE_NO_FUNCTION: return "the worker does not have the function";
    case PEBBLE_CAUSE_NODE: return "no node could be started";
    case PEBBLE_CAUSE_OTHER_PROGRAM: return "another build of the program was started on a node";
    case PEBBLE_CAUSE_CONFINEMENT: return "no worker could be confined";
    }
    return "unknown";
}

const char *pebble_signal_name(int signal)
{
    static const char *const names[] = {
        "SIG0",    "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
        "SIGFPE",  "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
        "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
        "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS",
    };
    return signal > 0 && (size_t)signal < PB_COUNT(names) ? names[signal] : "SIG?";
}

/* A duration for people: three digits are enough. */
static const char *duration(int64_t nanoseconds, char *buffer, size_t size)
{
    double ns = (double)nanoseconds;
    if (nanoseconds < PB_MILLISECOND)
        snprintf(buffer, size, "%.3g us", ns / 1e3);
    else if (nanoseconds < PB_SECOND)
        snprintf(buffer, size, "%.3g ms", ns / 1e6);
    else
        snprintf(buffer, size, "%.4g s", ns / 1e9);
    return buffer;
}

/* What is known of a crash besides its signal; "": nothing. */
static const char *explanation(const struct pebble_outcome *outcome, char *buffer, size_t size)
{
    if (outcome->crash) {
        pebble_crash_describe(outcome->crash, buffer, size);
        return buffer;
    }
    if (outcome->likely_oom) return "probably for want of memory";
    if (outcome->exit_signal == SIGSEGV)
        return "nothing recorded: probably a stack overflow on a thread that the job had started";
    return "";
}

static int describe_end(const struct pebble_outcome *outcome, char *buffer, size_t size)
{
    char ran[32], text[1024], on[128] = "";
    duration(outcome->run_time, ran, sizeof ran);
    if (outcome->node) snprintf(on, sizeof on, " on %s", outcome->node);
    if (outcome->exit_signal) {
        const char *why = explanation(outcome, text, sizeof text);
        return snprintf(buffer, size, "worker %d%s crashed: %s after %s%s%s", outcome->pid, on,
                        pebble_signal_name(outcome->exit_signal), ran, *why ? ": " : "", why);
    }
    if (outcome->exit_code >= 0)
        return snprintf(buffer, size, "worker %d%s exited with code %d after %s", outcome->pid, on, outcome->exit_code,
                        ran);
    return snprintf(buffer, size, "worker %d%s was lost with the fork server after %s", outcome->pid, on, ran);
}

static int describe_refusal(const struct pebble_outcome *outcome, char *buffer, size_t size)
{
    const char *cause = pebble_cause_string(outcome->cause);
    char text[128] = "";
    if (!outcome->error) return snprintf(buffer, size, "not run: %s", cause);
    return snprintf(buffer, size, "not run: %s: %s", cause, strerror_r(outcome->error, text, sizeof text));
}

int pebble_outcome_describe(const struct pebble_outcome *outcome, char *buffer, size_t size)
{
    static const char *const limits[] = {"", "timeout", "queue timeout", "deadline"};
    char limit[32], ran[32];
    switch (outcome->status) {
    case PEBBLE_SUCCESS:
        return snprintf(buffer, size, "success after %s", duration(outcome->run_time, ran, sizeof ran));
    case PEBBLE_FAILURE:
        return snprintf(buffer, size, "failure %d after %s", outcome->code,
                        duration(outcome->run_time, ran, sizeof ran));
    case PEBBLE_TIMEOUT:
        return snprintf(buffer, size, "timed out: %s of %s", limits[outcome->limit],
                        duration(outcome->limit_length, limit, sizeof limit));
    case PEBBLE_CANCELLED:
        return snprintf(buffer, size, "cancelled %s", outcome->started ? "while it ran" : "before it began");
    case PEBBLE_EXPIRED: return describe_end(outcome, buffer, size);
    case PEBBLE_NOT_RUN: return describe_refusal(outcome, buffer, size);
    case PEBBLE_NODE_LOST:
        return snprintf(buffer, size, "node %s was lost after %s", outcome->node ? outcome->node : "?",
                        duration(outcome->run_time, ran, sizeof ran));
    }
    return snprintf(buffer, size, "unknown outcome");
}
