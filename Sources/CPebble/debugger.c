/* SPDX-License-Identifier: Apache-2.0
 * The kernel tells a process of no debugger, so it looks now and then. */
#include "compat.h"
#include "debugger.h"
#include "clock.h"
#include "fd.h"
#include "futex.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define LOOK_EVERY (20 * PB_MILLISECOND)
#define LONGEST (24 * 60 * 60)

int64_t pb_debugger_time(void)
{
    const char *text = getenv("PEBBLE_DEBUGGER_TIME");
    char *end;
    long seconds = text ? strtol(text, &end, 10) : 0;
    if (seconds <= 0 || seconds > LONGEST || *end) return 0;
    return seconds * PB_SECOND;
}

static bool is_traced(void)
{
    static const char key[] = "\nTracerPid:\t";
    char text[4096];
    if (pb_read_file("/proc/self/status", text, sizeof text) < 0) return false;
    const char *tracer = strstr(text, key);
    return tracer && tracer[sizeof key - 1] != '0';
}

void pb_debugger_await(int64_t time)
{
    int64_t end = pb_after(pb_now(), time);
    _Atomic uint32_t nobody = 0;
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* a debugger is no ancestor of ours, which Yama asks for */
    while (!is_traced() && pb_now() < end) {
        int64_t next = pb_after(pb_now(), LOOK_EVERY);
        pb_futex_wait(&nobody, 0, next < end ? next : end);
    }
    prctl(PR_SET_PTRACER, 0);
}
