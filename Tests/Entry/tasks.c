/* SPDX-License-Identifier: Apache-2.0
 * Tasks in a library of their own. Two such libraries have the same names for
 * their functions, and differ in ENTRY_PLUS alone. */
#include "entry.h"

#ifndef ENTRY_PLUS
#define ENTRY_PLUS 0
#endif

long plus(long number);
int square(pebble_call *call);
int crash(pebble_call *call);
int square_plus(pebble_call *call);

long plus(long number)
{
    return number + ENTRY_PLUS;
}

int square(pebble_call *call)
{
    return entry_square(call);
}

int crash(pebble_call *call)
{
    return entry_crash(call);
}

int square_plus(pebble_call *call)
{
    size_t length;
    long number = *(long *)pebble_call_input(call, &length);
    number = plus(number * number);
    return pebble_call_write(call, &number, sizeof number);
}
