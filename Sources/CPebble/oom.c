/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "oom.h"
#include "cpus.h"
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

/* From one hierarchy of control groups; the root of them all has no such file in version 2. */
static bool read_group(const char *groups, const char *controller, const char *mount, const char *file, char *text,
                       size_t size)
{
    char path[PATH_MAX + 64];
    size_t length;
    const char *group = pb_cpus_cgroup(groups, controller, &length);
    if (!group) return false;
    snprintf(path, sizeof path, "%s%.*s/%s", mount, (int)length, group, file);
    return pb_read_file(path, text, size) > 0;
}

static bool read_own(char *text, size_t size)
{
    char groups[PATH_MAX];
    return pb_read_file("/proc/self/cgroup", groups, sizeof groups) > 0 &&
           (read_group(groups, "memory", "/sys/fs/cgroup/memory", "memory.oom_control", text, size) ||
            read_group(groups, "", "/sys/fs/cgroup", "memory.events", text, size));
}

void pb_oom_look(struct pb_oom *oom, int64_t now, int64_t age)
{
    if (oom->looked && now - oom->looked < age) return;
    char text[16 * 1024];
    if (read_own(text, sizeof text) || pb_read_file("/proc/vmstat", text, sizeof text) > 0)
        pb_oom_found(oom, now, pb_oom_count_in(text));
}

void pb_oom_found(struct pb_oom *oom, int64_t now, uint64_t kills)
{
    if (oom->looked && kills > oom->kills) {
        oom->grown = now;
        oom->open += kills - oom->kills;
    }
    oom->looked = now;
    oom->kills = kills;
}

bool pb_oom_explains(struct pb_oom *oom, int64_t began)
{
    if (oom->grown < began || oom->open == 0) return false;
    oom->open--;
    return true;
}
