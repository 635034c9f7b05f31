/* SPDX-License-Identifier: Apache-2.0
 * Where Swift errors are thrown in this worker. */
#ifndef PB_THROWS_H
#define PB_THROWS_H

#include "compat.h"

PB_HIDDEN_BEGIN

/* From now on the backtrace of each throw is remembered; nothing where there is no Swift. */
void pb_throws_install(void);

/* Forgets them: another job begins. */
void pb_throws_forget(void);

PB_HIDDEN_END
#endif
