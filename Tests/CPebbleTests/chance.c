/* SPDX-License-Identifier: Apache-2.0 */
#include "chance.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

static uint64_t seed, state, drawn;
static bool begun;

void chance_begin(uint64_t usual_seed)
{
    const char *given = getenv("PEBBLE_SEED");
    seed = state = given ? strtoull(given, NULL, 10) : usual_seed;
    drawn = 0;
    begun = true;
}

size_t chance_steps(void)
{
    const char *given = getenv("PEBBLE_STEPS");
    return given ? strtoull(given, NULL, 10) : 1000000;
}

uint64_t chance_bits(void)
{
    drawn++;
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

unsigned chance(unsigned bound)
{
    return (unsigned)(chance_bits() % bound);
}

bool once_in(unsigned times)
{
    return chance(times) == 0;
}

size_t chance_length(size_t bound)
{
    if (once_in(64)) return bound;
    size_t length = (size_t)chance_bits() >> chance(64);
    return length > bound ? length % (bound + 1) : length;
}

void must_fail(const char *condition, const char *file, int line)
{
    if (begun)
        ck_abort_msg("%s:%d: %s; after %" PRIu64 " draws with PEBBLE_SEED=%" PRIu64, file, line, condition, drawn, seed);
    ck_abort_msg("%s:%d: %s", file, line, condition);
}
