/* SPDX-License-Identifier: Apache-2.0
 * The jobs of the soak: what they are told, and what they leave for the host to check. */
#ifndef SOAK_JOBS_H
#define SOAK_JOBS_H

#include <pebble.h>

#include <stdatomic.h>
#include <sys/types.h>

#define MAX_JOBS (UINT32_C(1) << 26)
#define MAX_PIDS 256

/* Memory that all processes share. */
struct board {
    _Atomic uint8_t runs[MAX_JOBS];    /* how often each job of this epoch began */
    _Atomic pid_t workers[MAX_PIDS];   /* who ran something of late */
    _Atomic pid_t server;
};

/* The start of every input; what follows is filler, to be echoed. */
struct order {
    uint32_t number; /* of the job, in `runs` */
    uint32_t chance; /* for those that need some */
};

/* The host makes the board, workers find it by their environment. */
void board_open(void);
void board_clear(void);
extern struct board *board;

struct kind {
    const char *name;
    pebble_function function;
    unsigned weight; /* how often, out of the sum */
    bool endless;    /* it needs a limit */
    bool echoes;     /* its input comes back */
    bool tells;      /* how_many_updates */
};

extern const struct kind kinds[];
extern const size_t kind_count;

unsigned how_many_updates(const struct order *order);

/* An initializer that fails now and then. */
int stumble(pebble_call *call);

#endif
