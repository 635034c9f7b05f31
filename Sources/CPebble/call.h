/* SPDX-License-Identifier: Apache-2.0
 * One call in its worker: the input, and the reply as it grows. */
#ifndef PB_CALL_H
#define PB_CALL_H

#include "compat.h"
#include "childlink.h"
#include "pebble/function.h"
#include "pebble/worker.h"

#include <stdatomic.h>

struct pebble_call {
    void *input;
    size_t input_length;
    char *reply; /* `room` as long as it suffices, then memory of its own */
    char *room;  /* shared with the host: the small one, then the large one, then the annex */
    size_t reply_length, reply_capacity;
    size_t reply_base; /* of what is in the reply, so much is not this element's */
    bool out_of_memory;
    const atomic_bool *unwanted; /* of a thread: whether nobody waits for it any more; NULL: in a worker process */
    int (*say)(void *teller, const void *data, size_t length); /* of a thread: its pebble_call_update; NULL: none */
    void *teller;
    int resumption; /* an eventfd: what pebble_call_suspend waits for; -1: there is none */
    struct pb_childlink *link; /* that it came through; NULL: none */
    uint64_t number;           /* on that */
    pebble_cancel_callback on_cancel; /* NULL: none, or it was called */
    void *on_cancel_arg;
};

PB_HIDDEN_BEGIN

/* In a thread of a pool: the call that it is in from now on; NULL: none. */
void pb_call_enter(struct pebble_call *call);

/* Whether the calling thread is in one that nobody waits for. */
bool pb_call_current_is_unwanted(void);

/* Frees the reply; the input stays its owner's. */
void pb_call_done(struct pebble_call *call);

PB_HIDDEN_END
#endif
