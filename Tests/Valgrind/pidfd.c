/* SPDX-License-Identifier: Apache-2.0
 * Opens a pidfd for somebody who cannot: pidfd PID, with a socket for stdin. */
#include "stream.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long fd = argc == 2 ? syscall(SYS_pidfd_open, atoi(argv[1]), 0) : -1;
    return fd < 0 || pb_stream_send_fd(STDIN_FILENO, (int)fd) < 0;
}
