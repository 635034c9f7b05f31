/* SPDX-License-Identifier: Apache-2.0
 * What the fuzzers share. Each file beside this one is one of them: a decoder of
 * what comes from a worker, or from a file, in a process of its own with
 * AddressSanitizer and UndefinedBehaviorSanitizer. */
#ifndef FUZZ_H
#define FUZZ_H

#include "compat.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's name for it. 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever came. */
#define must(condition) ((condition) ? (void)0 : __builtin_trap())

/* The bytes of an input, one after the other; zeros behind its end. */
struct bytes {
    const uint8_t *at;
    size_t left;
};

static inline void take(struct bytes *bytes, void *into, size_t size)
{
    size_t there = bytes->left < size ? bytes->left : size;
    memset(into, 0, size);
    if (there) memcpy(into, bytes->at, there);
    bytes->at += there;
    bytes->left -= there;
}

static inline uint8_t take_byte(struct bytes *bytes)
{
    uint8_t byte;
    take(bytes, &byte, 1);
    return byte;
}

/* Another byte says how many of the eight count: small numbers are as likely as large ones. */
static inline uint64_t take_number(struct bytes *bytes)
{
    uint64_t number = 0;
    take(bytes, &number, take_byte(bytes) % 9);
    return number;
}

/* The bytes as a string of their own, to be freed: reading behind it is noticed. */
static inline char *text_of(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    must(text);
    if (size) memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
