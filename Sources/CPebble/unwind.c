/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "unwind.h"

#include <unwind.h>

struct walk {
    pb_unwind_step step;
    void *arg;
    uintptr_t interrupted; /* where it begins; 0: above `frame` */
    uintptr_t frame;
    bool began;
};

/* The return address itself, where it is known to lie below the caller's frame. */
static const uintptr_t *place_of(struct _Unwind_Context *context, uintptr_t address)
{
#ifdef __x86_64__
    const uintptr_t *place = (const uintptr_t *)_Unwind_GetCFA(context) - 1;
    return *place == address ? place : NULL;
#else
    (void)context, (void)address;
    return NULL;
#endif
}

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *arg)
{
    struct walk *walk = arg;
    int interrupted; /* by a signal: not a return address */
    uintptr_t address = _Unwind_GetIPInfo(context, &interrupted);
    if (!walk->began && walk->interrupted) {
        walk->began = interrupted && address == walk->interrupted;
        return _URC_NO_REASON;
    }
    walk->began = walk->began || _Unwind_GetCFA(context) > walk->frame;
    if (!walk->began) return _URC_NO_REASON;
    if (!address || _Unwind_GetRegionStart(context) == (uintptr_t)pb_unwind_root) return _URC_END_OF_STACK;
    const uintptr_t *place = interrupted ? NULL : place_of(context, address);
    return walk->step(walk->arg, address, place) ? _URC_NO_REASON : _URC_END_OF_STACK;
}

uintptr_t *pb_unwind_pc(ucontext_t *context)
{
#ifdef __x86_64__
    return (uintptr_t *)&context->uc_mcontext.gregs[REG_RIP];
#else
    return (uintptr_t *)&context->uc_mcontext.pc;
#endif
}

static _Unwind_Reason_Code stop(struct _Unwind_Context *context, void *arg)
{
    (void)context, (void)arg;
    return _URC_END_OF_STACK;
}

void pb_unwind_prepare(void)
{
    _Unwind_Backtrace(stop, NULL);
}

void pb_unwind_interrupted(uintptr_t address, pb_unwind_step step, void *arg)
{
    struct walk walk = {.step = step, .arg = arg, .interrupted = address};
    _Unwind_Backtrace(on_frame, &walk);
}

void pb_unwind_above(uintptr_t frame, pb_unwind_step step, void *arg)
{
    struct walk walk = {.step = step, .arg = arg, .frame = frame};
    _Unwind_Backtrace(on_frame, &walk);
}

#if __has_attribute(noclone)
__attribute__((noclone))
#endif
__attribute__((noinline)) int pb_unwind_root(pebble_function function, pebble_call *call)
{
    int code = function(call);
    __asm__ volatile(""); /* not a jump: this is to be on the stack */
    return code;
}
