/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "scenario.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static long count_entries(const char *path)
{
    long count = 0;
    DIR *folder = opendir(path);
    while (folder && readdir(folder))
        count++;
    if (folder) closedir(folder);
    return count;
}

static long count_lines_with(const char *path, const char *text)
{
    long count = 0;
    char line[512];
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        count += strstr(line, text) != NULL;
    if (file) fclose(file);
    return count;
}

static bool is_dead(int pid)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'Z';
    if (file) fclose(file);
    return state == 'Z';
}

/* The server is a child of the sweep, as this process is; workers are its children. */
static void count_processes(struct holdings *holdings)
{
    char path[64];
    int child, grandchild;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)getppid(), (int)getppid());
    FILE *children = fopen(path, "r");
    while (children && fscanf(children, "%d", &child) == 1) {
        if (child == getpid() || is_dead(child)) continue;
        holdings->counts[SERVERS]++;
        snprintf(path, sizeof path, "/proc/%d/task/%d/children", child, child);
        FILE *grandchildren = fopen(path, "r");
        while (grandchildren && fscanf(grandchildren, "%d", &grandchild) == 1)
            holdings->counts[WORKERS]++;
        if (grandchildren) fclose(grandchildren);
    }
    if (children) fclose(children);
}

struct holdings holdings_now(void)
{
    struct holdings holdings = {.counts = {
        [DESCRIPTORS] = count_entries("/proc/self/fd"),
        [THREADS] = count_entries("/proc/self/task"),
        [LINKS] = count_lines_with("/proc/self/maps", "pebble-link"),
        [BLOCKS] = faults_blocks(FAULT_HOST),
        [SERVER_BLOCKS] = faults_blocks(FAULT_SERVER),
    }};
    count_processes(&holdings);
    return holdings;
}

/* The first that there is too much of. */
static enum holding excess(const struct holdings *holdings, const struct holdings *most)
{
    enum holding of = 0;
    while (of < HOLDINGS && holdings->counts[of] <= most->counts[of])
        of++;
    return of;
}

void holdings_expect(const struct holdings *most)
{
    static const char *const names[HOLDINGS] = {
        "descriptors", "threads", "links", "servers", "workers", "blocks", "blocks in the server"};
    struct holdings holdings = holdings_now();
    enum holding of = excess(&holdings, most);
    for (int patience = 20000; of < HOLDINGS && patience; patience--) {
        poll(NULL, 0, 1);
        holdings = holdings_now();
        of = excess(&holdings, most);
    }
    if (of < HOLDINGS) scenario_fail("%ld %s are left, instead of %ld", holdings.counts[of], names[of], most->counts[of]);
}
