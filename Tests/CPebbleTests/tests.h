/* SPDX-License-Identifier: Apache-2.0
 * The suites, one a file, and how a file fills its own. */
#ifndef TESTS_H
#define TESTS_H

#include <check.h>

/* A new group of tests in the suite; each test has `seconds` before it counts as hung. */
TCase *group(Suite *suite, const char *name, int seconds);

/* The same, of tests that cannot work under some tool: `tools` is one or more of
 * "not-asan", "not-tsan" and "not-valgrind". README.md has the reasons. */
TCase *group_without(Suite *suite, const char *tools, const char *name, int seconds);

/* Adds a test of a pool, which is run once for each start method: it is `_i` in the test. */
#define both(tcase, test) tcase_add_loop_test(tcase, test, PEBBLE_FORK_SERVER, PEBBLE_SPAWN + 1)

/* ck_assert for what is asserted millions of times: check(3) writes each of its own down. */
#define must(condition) ((condition) ? (void)0 : must_fail(#condition, __FILE__, __LINE__))
_Noreturn void must_fail(const char *condition, const char *file, int line);

/* pure */
Suite *frame_suite(void);
Suite *wire_suite(void);
Suite *hostlist_suite(void);
Suite *worker_suite(void);
Suite *dispatch_suite(void);
Suite *latch_suite(void);
Suite *inbox_suite(void);
Suite *image_suite(void);
Suite *boot_suite(void);
Suite *stream_suite(void);
Suite *stream_model_suite(void);
Suite *arena_suite(void);
Suite *blocks_suite(void);
Suite *annex_suite(void);
Suite *large_suite(void);
Suite *lines_suite(void);
Suite *link_suite(void);
Suite *link_replies_suite(void);
Suite *link_model_suite(void);
Suite *link_race_suite(void);
Suite *distrust_suite(void);
Suite *control_suite(void);
Suite *call_suite(void);
Suite *chunk_suite(void);
Suite *outcome_suite(void);
Suite *autopsy_suite(void);
Suite *backtrace_suite(void);
Suite *wheel_suite(void);
Suite *turns_model_suite(void);
Suite *queue_suite(void);
Suite *wait_queues_suite(void);
Suite *wait_threads_suite(void);

/* with processes */
Suite *pool_suite(void);
Suite *window_suite(void);
Suite *ahead_suite(void);
Suite *payload_suite(void);
Suite *procedures_suite(void);
Suite *batch_suite(void);
Suite *map_suite(void);
Suite *wait_futures_suite(void);
Suite *threads_suite(void);
Suite *nodes_suite(void);
Suite *room_suite(void);
Suite *histogram_suite(void);
Suite *statistics_suite(void);
Suite *retries_suite(void);
Suite *priorities_suite(void);
Suite *size_suite(void);
Suite *spare_suite(void);
Suite *cpus_suite(void);
Suite *rlimits_suite(void);
Suite *confine_suite(void);
Suite *scarce_suite(void);
Suite *clocks_suite(void);
Suite *debugger_suite(void);
Suite *limits_suite(void);
Suite *cancel_suite(void);
Suite *grace_suite(void);
Suite *updates_suite(void);
Suite *callbacks_suite(void);
Suite *callbacks_pool_suite(void);
Suite *output_suite(void);
Suite *flood_suite(void);
Suite *life_suite(void);
Suite *stop_suite(void);
Suite *death_suite(void);
Suite *crash_suite(void);
Suite *dump_suite(void);
Suite *garbage_suite(void);
Suite *scribble_suite(void);
Suite *hostile_suite(void);
Suite *kin_suite(void);
Suite *nesting_suite(void);
Suite *surroundings_suite(void);
Suite *host_suite(void);
Suite *coexist_suite(void);
Suite *forks_suite(void);
Suite *server_suite(void);
Suite *entry_suite(void);
Suite *crowd_suite(void);
Suite *wait_suite(void);
Suite *signals_suite(void);
Suite *signals_read_suite(void);

#endif
