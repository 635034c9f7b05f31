/* SPDX-License-Identifier: Apache-2.0
 * The runner. Each test is a process of its own, and a host of its own where it
 * makes pools; a test that hangs is ended by check(3). */
#include "tests.h"

#include <signal.h>
#include <stdlib.h>

static Suite *(*const suites[])(void) = {
    frame_suite,
    wire_suite,
    hostlist_suite,
    worker_suite,
    dispatch_suite,
    latch_suite,
    inbox_suite,
    image_suite,
    boot_suite,
    stream_suite,
    stream_model_suite,
    arena_suite,
    blocks_suite,
    annex_suite,
    large_suite,
    lines_suite,
    link_suite,
    link_replies_suite,
    link_model_suite,
    link_race_suite,
    distrust_suite,
    control_suite,
    call_suite,
    chunk_suite,
    outcome_suite,
    autopsy_suite,
    backtrace_suite,
    wheel_suite,
    turns_model_suite,
    queue_suite,
    wait_queues_suite,
    wait_threads_suite,
    pool_suite,
    window_suite,
    ahead_suite,
    payload_suite,
    procedures_suite,
    batch_suite,
    map_suite,
    wait_futures_suite,
    threads_suite,
    nodes_suite,
    room_suite,
    histogram_suite,
    statistics_suite,
    priorities_suite,
    retries_suite,
    rlimits_suite,
    confine_suite,
    scarce_suite,
    clocks_suite,
    debugger_suite,
    size_suite,
    cpus_suite,
    limits_suite,
    cancel_suite,
    grace_suite,
    updates_suite,
    callbacks_suite,
    callbacks_pool_suite,
    output_suite,
    flood_suite,
    life_suite,
    stop_suite,
    death_suite,
    crash_suite,
    dump_suite,
    garbage_suite,
    scribble_suite,
    hostile_suite,
    kin_suite,
    nesting_suite,
    surroundings_suite,
    host_suite,
    coexist_suite,
    forks_suite,
    server_suite,
    entry_suite,
    crowd_suite,
    wait_suite,
    spare_suite,
    signals_suite,
    signals_read_suite,
};

int main(void)
{
    signal(SIGHUP, SIG_DFL); /* which nohup(1) ignores */
    SRunner *runner = srunner_create(suites[0]());
    for (size_t i = 1; i < sizeof suites / sizeof *suites; i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
