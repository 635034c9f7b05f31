/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "readable.h"

#include <string.h>

int pb_readable_copy(const struct pebble_pool_config *config, struct pb_readable *ret_readable)
{
    const char *const *given = config->readable_paths;
    size_t count = 0, used = 0;
    *ret_readable = (struct pb_readable){0};
    for (; given && given[count]; count++) {
        size_t size = strlen(given[count]) + 1;
        if (count == PB_READABLE_COUNT || size >= PB_READABLE_SIZE - used || *given[count] != '/') return -EINVAL;
        ret_readable->paths[count] = memcpy(ret_readable->text + used, given[count], size);
        used += size;
    }
    return count && !config->confined ? -EINVAL : 0;
}
