/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "oom.h"
#include "clock.h"
#include "fd.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t pb_oom_count_in(const char *text)
{
    static const char key[] = "oom_kill ";
    const char *line = text;
    while (line && strncmp(line, key, sizeof key - 1) != 0) {
        line = strchr(line, '\n');
        line += line != NULL;
    }
    return line ? strtoull(line + sizeof key - 1, NULL, 10) : 0;
}

/* memory.events of this process's group; the root of them all has none. */
static long read_group(char *text, size_t size)
{
    char groups[PATH_MAX], path[PATH_MAX + 64];
    if (pb_read_file("/proc/self/cgroup", groups, sizeof groups) < 0) return -ENOENT;
    const char *group = strncmp(groups, "0::", 3) == 0 ? groups : strstr(groups, "\n0::");
    if (!group) return -ENOENT;
    group = strchr(group, '/');
    if (!group) return -ENOENT;
    snprintf(path, sizeof path, "/sys/fs/cgroup%.*s/memory.events", (int)strcspn(group, "\n"), group);
    return pb_read_file(path, text, size);
}

uint64_t pb_oom_kills(struct pb_oom *oom, int64_t age)
{
    int64_t now = pb_now();
    if (oom->looked && now - oom->looked < age) return oom->kills;
    char text[16 * 1024];
    bool found = read_group(text, sizeof text) > 0 || pb_read_file("/proc/vmstat", text, sizeof text) > 0;
    oom->looked = now;
    oom->kills = found ? pb_oom_count_in(text) : 0;
    return oom->kills;
}
