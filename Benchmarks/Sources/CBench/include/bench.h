/* SPDX-License-Identifier: Apache-2.0
 * What the benchmark programs share: time, JSON lines, and what a piece of work costs the machine.
 *
 * A program measures one row, named by its argument, and writes lines {"metric", "value", "unit"}; run.py adds which
 * row, whose, and which repetition it was. */
#ifndef BENCH_H
#define BENCH_H

#ifdef __clang__
#pragma clang diagnostic ignored "-Wnullability-completeness"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CLOCK_MONOTONIC, ns. */
int64_t bench_now(void);

/* `full`, or `quick` in a quick run (BENCH_QUICK=1). */
long bench_count(long full, long quick);

void bench_emit(const char *metric, double value, const char *unit);

/* A point of a curve. */
void bench_emit_point(const char *curve, double x, double value, const char *unit);

/* Sorts the times (ns) and emits p50 and p99 of them, divided by `divisor`. */
void bench_emit_quantiles(int64_t *times, size_t count, double divisor, const char *unit);

/* The calling thread, and what it starts from now on, runs on this CPU only; negative: on any. */
void bench_pin(int cpu);

/* In a run that measures costs (BENCH_COST=1) instead of times: counts CPU time, context switches and, where the kernel
 * lets it, system calls of this process and of whatever it starts from now on. To be called before anything is started. */
void bench_open_costs(void);

/* From here to bench_end the work is done that is measured. */
void bench_begin(void);

/* Emits what each of `jobs` has cost since bench_begin, in a run that measures that. */
void bench_end(long jobs);

/* kB of a value in /proc/PID/smaps_rollup, such as "Private_Dirty"; negative: there is none. */
long bench_memory(int pid, const char *key);

/* How often the threads of all processes of this program, but for the calling one, have gone to sleep so far. */
long bench_sleeps(void);

/* Ends the program, with the reason, when it is false. */
void bench_check(bool condition, const char *reason);

#endif
