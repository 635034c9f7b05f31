/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "fd.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void pb_close(int *fd)
{
    if (*fd < 0) return;
    int saved = errno;
    close(*fd); /* on Linux the descriptor is gone even after EINTR */
    *fd = -1;
    errno = saved;
}

static int set_flag(int fd, int get, int set, int flag, bool on)
{
    int flags = fcntl(fd, get);
    if (flags < 0) return -errno;
    int wanted = on ? flags | flag : flags & ~flag;
    if (wanted != flags && fcntl(fd, set, wanted) < 0) return -errno;
    return 0;
}

int pb_set_cloexec(int fd, bool on)
{
    return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int pb_set_nonblocking(int fd, bool on)
{
    return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

bool pb_is_unix_socket(int fd, int type)
{
    int value;
    socklen_t length = sizeof value;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &length) < 0 || value != AF_UNIX) return false;
    length = sizeof value;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length) == 0 && value == type;
}

uint64_t pb_socket_name(int fd)
{
    struct stat info;
    return fd >= 0 && fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode) ? (uint64_t)info.st_ino : 0;
}

void pb_close_from(unsigned first)
{
    close_range(first, ~0U, 0);
}

void pb_cloexec_from(unsigned first)
{
    if (close_range(first, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
    /* Before Linux 5.11 there is no such flag. */
    long limit = sysconf(_SC_OPEN_MAX);
    for (long fd = (long)first; fd < limit; fd++)
        fcntl((int)fd, F_SETFD, FD_CLOEXEC);
}

void pb_fd_fill_stdio(void)
{
    int null;
    do
        null = open("/dev/null", O_RDWR);
    while (null >= 0 && null <= STDERR_FILENO);
    if (null >= 0) dup2(null, STDIN_FILENO);
    pb_close(&null);
}

void pb_fd_put(unsigned bits, const int *fds)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (bits & 1U << fd) dup2(*fds++, fd);
}

void pb_fd_discard(unsigned bits)
{
    int null = bits ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
    for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
        if (bits & 1U << fd) dup2(null, fd);
    pb_close(&null);
}

size_t pb_fd_bytes_there(int fd)
{
    int count = 0;
    return ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? (size_t)count : 0;
}

long pb_read_file(const char *path, char *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    size_t length = 0;
    while (length < size - 1) {
        ssize_t n = read(fd, buffer + length, size - 1 - length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            int error = errno;
            close(fd);
            return -error;
        }
        if (n == 0) break;
        length += (size_t)n;
    }
    close(fd);
    buffer[length] = '\0';
    return (long)length;
}
