/* SPDX-License-Identifier: Apache-2.0
 * The runner.
 *
 *   check-faults          single calls, a wall clock that jumps, then a sweep over some of all
 *   check-faults all      over all of them
 *   check-faults spawn host malloc 17 [on]    one case, or from there on
 *   check-faults spawn host malloc all [on]   all of one call */
#include "suites.h"
#include "sweep.h"

#include <stdlib.h>

static bool run_suites(void)
{
    SRunner *runner = srunner_create(single_suite());
    srunner_add_suite(runner, wall_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0;
}

int main(int count, char **arguments)
{
    if (count > 4) return !sweep_named(count - 1, arguments + 1);
    bool suites = run_suites(), swept = sweep_all(count > 1);
    return suites && swept ? EXIT_SUCCESS : EXIT_FAILURE;
}
