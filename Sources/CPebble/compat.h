/* SPDX-License-Identifier: Apache-2.0
 * What every file of the core starts from: the feature macro, the one include
 * site of libbsd, and the marker of declarations that stay inside the library. */
#ifndef PB_COMPAT_H
#define PB_COMPAT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__linux__) || !(defined(__x86_64__) || defined(__aarch64__)) || !defined(__GLIBC__)
#error "Pebble runs on Linux with glibc, on x86-64 and arm64"
#endif
#if !__has_include(<bsd/string.h>)
#error "Pebble needs libbsd: sudo apt-get install libbsd-dev (or: make deps)"
#endif
#include <bsd/string.h>     /* strlcpy */
#include <bsd/sys/queue.h>  /* TAILQ, with the _SAFE forms */
#include <bsd/unistd.h>     /* setproctitle, setproctitle_init */

/* Declarations between these two are not visible outside the library. */
#define PB_HIDDEN_BEGIN _Pragma("GCC visibility push(hidden)")
#define PB_HIDDEN_END _Pragma("GCC visibility pop")

#define PB_COUNT(array) (sizeof(array) / sizeof(*(array)))

#endif
