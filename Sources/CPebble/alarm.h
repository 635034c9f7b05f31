/* SPDX-License-Identifier: Apache-2.0
 * A timer of the wheel that knows what it is for. */
#ifndef PB_ALARM_H
#define PB_ALARM_H

#include "compat.h"
#include "wheel.h"

enum pb_alarm_kind {
    PB_ALARM_JOB,     /* a limit of a job */
    PB_ALARM_WORKER,  /* the time a worker may take to start, or to leave */
    PB_ALARM_LOOK,    /* answers of a worker that it need not announce at once may have waited for too long */
    PB_ALARM_THRIFT,  /* memory for large payloads may be given back */
    PB_ALARM_BACKOFF, /* workers may be started again */
    PB_ALARM_STEAL,   /* jobs that wait behind others may have waited for too long */
};

struct pb_alarm {
    struct pb_timer timer; /* first: the wheel hands out timers */
    enum pb_alarm_kind kind;
};

/* The object of `type` in which the alarm is the field of that name. */
#define PB_ALARM_OWNER(alarm, type, field) ((type *)((char *)(alarm)-offsetof(type, field)))

#endif
