/* SPDX-License-Identifier: Apache-2.0
 * Walking the calling thread's stack outwards. Takes no memory; on glibc 2.35
 * and newer no lock, so that a signal handler may do it wherever it came. */
#ifndef PB_UNWIND_H
#define PB_UNWIND_H

#include "compat.h"
#include "pebble/function.h"

#include <ucontext.h>

/* A frame's address, and where on the stack it lies as a return address (NULL:
 * unknown). False ends the walk. */
typedef bool (*pb_unwind_step)(void *arg, uintptr_t address, const uintptr_t *place);

PB_HIDDEN_BEGIN

/* What is bound and set up at the first walk, is now. */
void pb_unwind_prepare(void);

/* Where a signal came: its handler's third argument. */
uintptr_t *pb_unwind_pc(ucontext_t *context);

/* In a signal handler: from what the signal interrupted there, that frame left out. */
void pb_unwind_interrupted(uintptr_t address, pb_unwind_step step, void *arg);

/* From the caller of the function with that __builtin_frame_address. */
void pb_unwind_above(uintptr_t frame, pb_unwind_step step, void *arg);

/* Calls a task function; no walk goes further than this. */
int pb_unwind_root(pebble_function function, pebble_call *call);

PB_HIDDEN_END
#endif
