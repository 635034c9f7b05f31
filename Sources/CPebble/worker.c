/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "worker.h"

/* Stay where it is; go to another state; go there and kill. */
#define STAY(state) {PB_WORKER_##state, false}
#define TO(state) {PB_WORKER_##state, false}
#define KILL {PB_WORKER_DYING, true}

/* A worker may say READY once, and answer what it was given; what it says besides
 * is a reason to kill it. ASSIGNED, FINISHED and STOPPED are ours. */
static const struct pb_worker_step steps[PB_WORKER_STATES][PB_WORKER_EVENTS] = {
    /*                        READY        ASSIGNED     FINISHED     BROKEN         RETIRED        STOPPED         KILLED       EXITED */
    [PB_WORKER_STARTING] = {TO(IDLE),    KILL,        KILL,        KILL,          KILL,          KILL,           KILL,        TO(GONE)},
    [PB_WORKER_IDLE] =     {KILL,        TO(BUSY),    KILL,        KILL,          TO(LEAVING),   KILL,           KILL,        TO(GONE)},
    [PB_WORKER_BUSY] =     {KILL,        KILL,        TO(IDLE),    KILL,          KILL,          TO(STOPPING),   KILL,        TO(GONE)},
    [PB_WORKER_STOPPING] = {KILL,        KILL,        TO(IDLE),    KILL,          KILL,          STAY(STOPPING), KILL,        TO(GONE)},
    [PB_WORKER_LEAVING] =  {KILL,        KILL,        KILL,        STAY(LEAVING), STAY(LEAVING), KILL,           KILL,        TO(GONE)},
    [PB_WORKER_DYING] =    {STAY(DYING), STAY(DYING), STAY(DYING), STAY(DYING),   STAY(DYING),   STAY(DYING),    STAY(DYING), TO(GONE)},
    [PB_WORKER_GONE] =     {STAY(GONE),  STAY(GONE),  STAY(GONE),  STAY(GONE),    STAY(GONE),    STAY(GONE),     STAY(GONE),  STAY(GONE)},
};

struct pb_worker_step pb_worker_step(enum pb_worker_state state, enum pb_worker_event event)
{
    return steps[state][event];
}
