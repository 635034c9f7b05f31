/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "pebble/outcome.h"

#include <stdio.h>

/* A text in a buffer that may be too small: as with snprintf(3), what would be there counts. */
struct text {
    char *buffer;
    size_t size, length;
};

static char *rest_of(const struct text *text, size_t *ret_size)
{
    *ret_size = text->length < text->size ? text->size - text->length : 0;
    return *ret_size ? text->buffer + text->length : NULL;
}

static void add_place(struct text *text, const struct pebble_frame *frame)
{
    size_t size;
    char *end = rest_of(text, &size);
    const char *image = *frame->image ? frame->image : "?";
    unsigned long long offset = frame->offset, from_start = frame->function_offset;
    int length = frame->function
                     ? snprintf(end, size, "\n    %s + %llu (%s+%#llx)", frame->function, from_start, image, offset)
                     : snprintf(end, size, "\n    %s+%#llx", image, offset);
    text->length += length > 0 ? (size_t)length : 0;
}

static void add_note(struct text *text, const char *note)
{
    size_t size;
    char *end = rest_of(text, &size);
    int length = snprintf(end, size, "\n    %s", note);
    text->length += length > 0 ? (size_t)length : 0;
}

static void add_backtrace(struct text *text, const pebble_backtrace *backtrace)
{
    struct pebble_frame frame;
    for (size_t n = 0; pebble_backtrace_frame(backtrace, n, &frame) == 0; n++)
        if (!frame.machinery) add_place(text, &frame);
    if (pebble_backtrace_truncated(backtrace)) add_note(text, "... and more");
}

static void add_stack(struct text *text, const struct pebble_stack *stack)
{
    size_t size;
    char *end = rest_of(text, &size);
    int length = snprintf(end, size, "\n  thread %d%s \"%s\"%s", stack->thread, stack->main_thread ? " (main)" : "",
                          stack->name, pebble_backtrace_length(stack->backtrace) ? ":" : ": did not answer");
    text->length += length > 0 ? (size_t)length : 0;
    add_backtrace(text, stack->backtrace);
}

int pebble_outcome_report(const struct pebble_outcome *outcome, char *buffer, size_t size)
{
    int length = pebble_outcome_describe(outcome, buffer, size);
    if (length < 0) return length;
    struct text text = {buffer, size, (size_t)length};
    if (outcome->crash) add_backtrace(&text, outcome->crash->backtrace);
    for (size_t n = 0; n < outcome->stack_count; n++)
        add_stack(&text, &outcome->stacks[n]);
    return (int)text.length;
}
