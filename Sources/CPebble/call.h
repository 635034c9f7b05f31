/* SPDX-License-Identifier: Apache-2.0
 * One call in its worker: the input, and the reply as it grows. */
#ifndef PB_CALL_H
#define PB_CALL_H

#include "compat.h"
#include "pebble/function.h"

struct pebble_call {
    void *input;
    size_t input_length;
    char *reply; /* `room` as long as it suffices, then memory of its own */
    char *room;
    size_t reply_length, reply_capacity;
    bool out_of_memory;
    int resumption; /* an eventfd: what pebble_call_suspend waits for; -1: there is none */
};

PB_HIDDEN_BEGIN

/* Frees the reply; the input stays its owner's. */
void pb_call_done(struct pebble_call *call);

PB_HIDDEN_END
#endif
