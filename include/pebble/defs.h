/* SPDX-License-Identifier: Apache-2.0
 * Visibility and nullability macros, and the unit of time. Nothing else. */
#ifndef PEBBLE_DEFS_H
#define PEBBLE_DEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__linux__) || !(defined(__x86_64__) || defined(__aarch64__))
#error "Pebble runs on Linux on x86-64 and arm64"
#endif

#ifdef __clang__ /* nullability is an extension, and one that is wanted here */
#define PEBBLE_QUIET _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wnullability-extension\"")
#define PEBBLE_LOUD _Pragma("clang diagnostic pop")
#else
#define PEBBLE_QUIET
#define PEBBLE_LOUD
#endif

#ifdef __cplusplus
#define PEBBLE_BEGIN_DECLS PEBBLE_QUIET extern "C" {
#define PEBBLE_END_DECLS } PEBBLE_LOUD
#else
#define PEBBLE_BEGIN_DECLS PEBBLE_QUIET
#define PEBBLE_END_DECLS PEBBLE_LOUD
#endif

#define PEBBLE_API __attribute__((visibility("default")))

#ifdef __clang__
#define PEBBLE_NONNULL _Nonnull
#define PEBBLE_NULLABLE _Nullable
#else
#define PEBBLE_NONNULL
#define PEBBLE_NULLABLE
#endif

/* A time without end, in nanoseconds. */
#define PEBBLE_FOREVER INT64_MAX

#endif
