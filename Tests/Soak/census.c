/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "soak.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Those that the lasting pool may have more than before: up to seven, each with a link and its pipes. */
#define WORKERS 7
#define BLOCKS (4 * 2304L * 1024) /* that it keeps, once large payloads came by: PB_BLOCKS and PB_BLOCK_MAX of blocks.h */
#define MORE_USED (BLOCKS + WORKERS * 96L * 1024)
#define MORE_RESIDENT (16L << 20) /* what of it is no one's any more differs by as much from one moment to the next */
#define MORE_DESCRIPTORS (WORKERS * 4)
#define MORE_MAPPINGS (WORKERS + 4)

/* Whose processes they are cannot be seen: where several soaks run, none looks. */
static bool only_one;

void census_open(void)
{
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    only_one = self >= 0 && flock(self, LOCK_EX | LOCK_NB) == 0;
    if (!only_one) puts("soak: another one runs, so it is not seen whether processes are left");
}

static int entries_of(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    while (directory && readdir(directory))
        count++;
    if (directory) closedir(directory);
    return count - 2; /* . and .. */
}

/* Of memory without a file, neighbours count as one: within what malloc has, large
 * blocks are advised to lie in huge pages, and keep a line of their own for good. */
static int count_mappings(void)
{
    FILE *file = fopen("/proc/self/maps", "re");
    char line[4352], access[5], before[5] = "";
    unsigned long start, end, last = 0, inode;
    int count = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%lx-%lx %4s %*x %*x:%*x %lu", &start, &end, access, &inode) != 4) continue;
        bool goes_on = start == last && inode == 0 && strcmp(access, before) == 0;
        count += !goes_on;
        last = inode == 0 ? end : 0;
        memcpy(before, access, sizeof before);
    }
    if (file) fclose(file);
    return count;
}

static long anonymous_bytes(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    long kilobytes = 0;
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "RssAnon: %ld", &kilobytes);
    if (file) fclose(file);
    return kilobytes * 1024;
}

struct census take_census(void)
{
    malloc_trim(0);
    struct mallinfo2 info = mallinfo2();
    return (struct census){
        .used = (long)(info.uordblks + info.hblkhd),
        .resident = anonymous_bytes(),
        .descriptors = entries_of("/proc/self/fd") - 1,
        .mappings = count_mappings(),
        .threads = entries_of("/proc/self/task"),
    };
}

void print_census(const char *when, const struct census *census)
{
    printf("soak: %s: %ld kB allocated, %ld kB resident, %d descriptors, %d mappings, %d threads\n", when,
           census->used / 1024, census->resident / 1024, census->descriptors, census->mappings, census->threads);
}

bool has_not_grown(const struct census *before, const struct census *after)
{
    return after->used <= before->used + MORE_USED && after->resident <= before->resident + MORE_RESIDENT &&
           after->descriptors <= before->descriptors + MORE_DESCRIPTORS &&
           after->mappings <= before->mappings + MORE_MAPPINGS && after->threads <= THREADS_AT_REST;
}

/* How many others run this very file; one of them. */
static int count_kin(pid_t *ret_one)
{
    DIR *processes = opendir("/proc");
    struct stat self, other;
    int count = 0;
    if (stat("/proc/self/exe", &self) < 0) return -1;
    for (struct dirent *entry; processes && (entry = readdir(processes));) {
        char path[300];
        snprintf(path, sizeof path, "/proc/%s/exe", entry->d_name);
        if (atoi(entry->d_name) <= 0 || atoi(entry->d_name) == getpid() || stat(path, &other) < 0) continue;
        if (other.st_ino != self.st_ino || other.st_dev != self.st_dev) continue;
        *ret_one = atoi(entry->d_name);
        count++;
    }
    if (processes) closedir(processes);
    return count;
}

void expect_to_be_alone(void)
{
    int64_t until = now() + 30 * SECOND; /* the server stays for five, what it left behind when it was killed for ten */
    int count = 0;
    pid_t one;
    while (only_one && (count = count_kin(&one)) > 0 && now() < until) {
        struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, one, 0), .events = POLLIN};
        if (end.fd < 0) continue; /* gone already */
        poll(&end, 1, (int)((until - now()) / MILLISECOND) + 1);
        close(end.fd);
    }
    if (only_one && count) complain("%d processes are left", count);
    if (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD) complain("the host has children");
}
