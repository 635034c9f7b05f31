/* SPDX-License-Identifier: Apache-2.0
 * What a test that compares with a model does by chance: the same for the same
 * seed, which is PEBBLE_SEED where that is set, and told when a `must` fails. */
#ifndef CHANCE_H
#define CHANCE_H

#include "tests.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begins anew. */
void chance_begin(uint64_t usual_seed);

/* How many steps to take: a million, or PEBBLE_STEPS. */
size_t chance_steps(void);

/* A number below the bound. */
unsigned chance(unsigned bound);

/* True once in so many times. */
bool once_in(unsigned times);

/* A length up to the bound: of every order of magnitude, zero and the bound themselves among them. */
size_t chance_length(size_t bound);

/* 64 bits. */
uint64_t chance_bits(void);

#endif
