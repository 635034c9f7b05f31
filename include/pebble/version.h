/* SPDX-License-Identifier: Apache-2.0
 * The version, in this one place: the Makefile and the packages read it here. */
#ifndef PEBBLE_VERSION_H
#define PEBBLE_VERSION_H

#include "defs.h"

#define PEBBLE_VERSION "0.1.0"

PEBBLE_BEGIN_DECLS

/* The version of the library that is loaded, e.g. "0.1.0"; static storage. */
PEBBLE_API const char *PEBBLE_NONNULL pebble_version(void);

PEBBLE_END_DECLS
#endif
