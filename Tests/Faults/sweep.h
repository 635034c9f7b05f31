/* SPDX-License-Identifier: Apache-2.0
 * Every call that the library makes, failing. */
#ifndef SWEEP_H
#define SWEEP_H

#include "faults.h"

/* All of them, and then with all that follow; or, without `all`, single ones, ever
 * fewer of those that come later. Whether all is well; what is not is on stderr. */
bool sweep_all(bool all);

/* START-METHOD ROLE KIND NTH [on]: that one, or every NTH for "all". Whether all is well. */
bool sweep_named(int count, char **names);

#endif
