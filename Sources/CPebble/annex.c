/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "annex.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define DOOR sizeof(((struct pb_shared *)0)->door)

static_assert(offsetof(struct pb_shared, door) + DOOR == sizeof(struct pb_shared), "the annex is behind the door");

/* To make a larger one would end the process, with SIGXFSZ. */
size_t pb_annex_file_size(void)
{
    const size_t whole = sizeof(struct pb_shared) + PB_ANNEX_SIZE;
    struct rlimit limit;
    bool allowed = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur >= whole;
    return allowed ? whole : sizeof(struct pb_shared);
}

/* Of a shared mapping, an old size of 0 asks for another one of the same file, and how much of that is free to choose
 * (valgrind's mremap cannot do that: there is no annex then).
 * It is not to get all of its pages at once: neither where the process locks what it maps, nor for a core file. */
char *pb_annex_map(struct pb_shared *shared)
{
    munlock(shared->door, DOOR);
    char *door = mremap(shared->door, 0, DOOR + PB_ANNEX_SIZE, MREMAP_MAYMOVE);
    if (door == MAP_FAILED) return NULL;
    madvise(door, DOOR + PB_ANNEX_SIZE, MADV_DONTDUMP);
    return door + DOOR;
}

void pb_annex_unmap(char *annex)
{
    if (annex) munmap(annex - DOOR, DOOR + PB_ANNEX_SIZE);
}

int pb_annex_empty(char *annex)
{
    return madvise(annex, PB_ANNEX_SIZE, MADV_REMOVE) < 0 ? -errno : 0;
}
