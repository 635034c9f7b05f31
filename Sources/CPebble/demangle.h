/* SPDX-License-Identifier: Apache-2.0
 * Names of functions as their language writes them. */
#ifndef PB_DEMANGLE_H
#define PB_DEMANGLE_H

#include "compat.h"

PB_HIDDEN_BEGIN

/* The name demangled, when it is one of Swift's or C++'s and the program has
 * that language's runtime, else as it is. To be freed; NULL: no memory. */
char *pb_demangle(const char *symbol);

PB_HIDDEN_END
#endif
