/* SPDX-License-Identifier: Apache-2.0
 * File descriptors: closing them once, their flags, and small reads of /proc. */
#ifndef PB_FD_H
#define PB_FD_H

#include "compat.h"

PB_HIDDEN_BEGIN

/* Closes *fd unless it is -1, and sets it to -1. Keeps errno. */
void pb_close(int *fd);

/* 0 or -errno. */
int pb_set_cloexec(int fd, bool on);
int pb_set_nonblocking(int fd, bool on);

/* Whether fd is a UNIX-domain socket of the given type (SOCK_...). */
bool pb_is_unix_socket(int fd, int type);

/* A number that no other socket has at the same time; 0: fd is no socket. */
uint64_t pb_socket_name(int fd);

/* Closes every descriptor from `first` up. */
void pb_close_from(unsigned first);

/* Marks every descriptor from `first` up close-on-exec. */
void pb_cloexec_from(unsigned first);

/* How many bytes a pipe has to be read. */
size_t pb_fd_bytes_there(int fd);

/* Puts /dev/null in the place of stdin, and of those of the first three that are
 * not there: no other descriptor of ours may take their place. */
void pb_fd_fill_stdio(void);

/* Puts `fds` in the place of those of the descriptors 0 to 2 whose bit is set, in order. */
void pb_fd_put(unsigned bits, const int *fds);

/* Makes those of the descriptors 0 to 2 whose bit is set write to nowhere. */
void pb_fd_discard(unsigned bits);

/* Reads a small file into `buffer` as a string. Its length, or -errno. */
long pb_read_file(const char *path, char *buffer, size_t size);

PB_HIDDEN_END
#endif
