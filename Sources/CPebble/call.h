/* SPDX-License-Identifier: Apache-2.0
 * One call in its worker: the input, and the reply as it grows. */
#ifndef PB_CALL_H
#define PB_CALL_H

#include "compat.h"
#include "childlink.h"
#include "pebble/function.h"
#include "pebble/worker.h"

struct pebble_call {
    void *input;
    size_t input_length;
    char *reply; /* `room` as long as it suffices, then memory of its own */
    char *room;
    size_t reply_length, reply_capacity;
    bool out_of_memory;
    int resumption; /* an eventfd: what pebble_call_suspend waits for; -1: there is none */
    struct pb_childlink *link; /* that it came through; NULL: none */
    uint64_t number;           /* on that */
    pebble_cancel_callback on_cancel; /* NULL: none, or it was called */
    void *on_cancel_arg;
};

PB_HIDDEN_BEGIN

/* Frees the reply; the input stays its owner's. */
void pb_call_done(struct pebble_call *call);

PB_HIDDEN_END
#endif
