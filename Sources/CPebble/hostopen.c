/* SPDX-License-Identifier: Apache-2.0
 * How the host's end of a link is opened and closed; the rest is hostlink.c. */
#include "compat.h"
#include "hostlink.h"
#include "annex.h"
#include "fd.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_ERROR 4095 /* that an errno value can be */

/* Sealed, so that no worker can cut it short under the host's reads. */
static int open_memory(size_t size, struct pb_shared **ret_shared)
{
    int fd = memfd_create("pebble-link", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -errno;
    void *memory = MAP_FAILED;
    if (ftruncate(fd, (off_t)size) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        memory = mmap(NULL, sizeof(struct pb_shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        int error = errno;
        close(fd);
        return -error;
    }
    *ret_shared = memory;
    return fd;
}

int pb_hostlink_open(struct pb_hostlink *link, uint64_t max_payload, bool tell_resident, int *ret_worker_fd)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    *link = (struct pb_hostlink){.max_payload = max_payload};
    pb_stream_init(&link->stream, ends[0], max_payload);
    size_t size = pb_annex_file_size();
    int memory = open_memory(size, &link->shared);
    int rc = memory < 0 ? memory : pb_stream_send_fd(link->stream.fd, memory);
    if (memory >= 0) close(memory);
    if (rc < 0) {
        pb_close(&ends[1]);
        pb_hostlink_done(link);
        return rc;
    }
    pb_arena_init(&link->inputs, PB_ARENA_SIZE);
    link->shared->max_payload = max_payload;
    link->shared->tell_resident = tell_resident;
    link->shared->has_annex = link->has_annex = size > sizeof(struct pb_shared);
    atomic_store(&link->shared->wants_bell, PB_BELL_ON_STREAM); /* for READY */
    *ret_worker_fd = ends[1];
    return 0;
}

int pb_hostlink_unconfined(const struct pb_hostlink *link)
{
    uint32_t error = atomic_load(&link->shared->unconfined);
    return error <= MAX_ERROR ? (int)error : EPROTO;
}

void pb_hostlink_done(struct pb_hostlink *link)
{
    pb_stream_done(&link->stream);
    free(link->bulk);
    free(link->update.data);
    free(link->reply_data);
    link->bulk = link->update.data = NULL;
    link->reply_data = NULL;
    pb_annex_unmap(link->annex);
    link->annex = NULL;
    if (link->shared) munmap(link->shared, sizeof *link->shared);
    link->shared = NULL;
}

void pb_hostlink_leave_after(struct pb_hostlink *link)
{
    link->leaves = true;
    atomic_store(&link->shared->leave, 1);
}
