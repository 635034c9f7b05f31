/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "pebble/version.h"

const char *pebble_version(void)
{
    return PEBBLE_VERSION;
}
