/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "stacks.h"
#include "backtrace.h"

#include <stdlib.h>
#include <string.h>

/* With its name behind: as many follow the stacks as there are. */
typedef char thread_name[PB_DUMP_NAME];

static bool read_thread(const struct pb_dump_thread *thread, struct pb_trace_record *trace, thread_name name,
                        struct pebble_stack *ret_stack)
{
    memcpy(name, thread->name, sizeof thread->name);
    pb_backtrace_tame(name, sizeof thread->name);
    memset(trace, 0, sizeof *trace);
    if (atomic_load_explicit(&thread->traced, memory_order_acquire)) memcpy(trace, &thread->trace, sizeof *trace);
    pebble_backtrace *backtrace = pb_backtrace_new(trace);
    if (!backtrace) return false;
    *ret_stack = (struct pebble_stack){.thread = atomic_load(&thread->thread), .name = name, .backtrace = backtrace};
    return true;
}

struct pebble_stack *pb_stacks_of(const struct pb_dump_record *record, int pid, size_t *ret_count)
{
    uint32_t there = atomic_load_explicit(&record->thread_count, memory_order_acquire);
    if (there == 0 || there > PB_DUMP_THREADS) return NULL;
    struct pebble_stack *stacks = calloc(there, sizeof *stacks + sizeof(thread_name));
    struct pb_trace_record *trace = malloc(sizeof *trace);
    thread_name *names = (thread_name *)(stacks + there);
    size_t count = 0;
    for (uint32_t n = 0; stacks && trace && n < there; n++)
        count += read_thread(&record->threads[n], trace, names[count], &stacks[count]);
    for (size_t n = 0; n < count; n++)
        stacks[n].main_thread = stacks[n].thread == pid;
    free(trace);
    if (count == 0) {
        free(stacks);
        return NULL;
    }
    *ret_count = count;
    return stacks;
}

void pb_stacks_free(const struct pebble_stack *stacks, size_t count)
{
    for (size_t n = 0; n < count; n++)
        pebble_backtrace_free((pebble_backtrace *)(uintptr_t)stacks[n].backtrace);
    free((void *)(uintptr_t)stacks);
}
