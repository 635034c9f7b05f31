/* SPDX-License-Identifier: Apache-2.0
 * Task functions for the tests, and what they are told: how they reach the
 * test that scheduled them. */
#ifndef JOBS_H
#define JOBS_H

#include "pebble.h"

#include <stdatomic.h>
#include <sys/types.h>

/* The input of most jobs. The descriptors are those of the host. */
struct order {
    pid_t host;
    int tell, wait, memory;
    int64_t number;
};

/* Memory that a test shares with its jobs. */
struct board {
    atomic_long count;
    _Atomic pid_t pids[64];
};

/* --- inside jobs --- */

const struct order *order_of(pebble_call *call);
void tell(const struct order *order, int64_t number);
int64_t await_go(const struct order *order);
struct board *board_of(const struct order *order);
int reply_number(pebble_call *call, int64_t number);
void stay_busy(void);

/* --- jobs; each replies with a number unless said otherwise --- */

int job_nothing(pebble_call *call); /* no reply */
int job_echo(pebble_call *call);    /* its input */
int job_number(pebble_call *call);  /* the number in its order */
int job_pid(pebble_call *call);     /* its pid */
int job_server(pebble_call *call);  /* the pid of its parent, the fork server */
int job_fail(pebble_call *call);    /* fails with 7 and "sorry" */
int job_count(pebble_call *call);   /* adds one to the count on the board; no reply */
int job_tell(pebble_call *call);    /* tells its pid; no reply */
int job_meet(pebble_call *call);    /* tells its pid, waits for the go, replies with its pid */
int job_hang(pebble_call *call);    /* tells its pid when it has an order, and never returns */
int job_spin(pebble_call *call);    /* the same, burning processor time */
int job_resist(pebble_call *call);  /* the same, with every signal blocked and ignored */
int job_exit(pebble_call *call);    /* exit(3) with the number in its order */
int job_nap(pebble_call *call);     /* sleeps for as many ns as its order says; no reply */

#endif
