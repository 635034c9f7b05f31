/* SPDX-License-Identifier: Apache-2.0
 * The life of a worker: every state and event. */
#include "worker.h"
#include "tests.h"

#include <check.h>
#include <stdlib.h>

#define KILL {PB_WORKER_DYING, true}
#define TO(state) {PB_WORKER_##state, false}

START_TEST(every_event_has_its_consequence_in_every_state)
{
    static const struct {
        enum pb_worker_state state;
        struct pb_worker_step steps[PB_WORKER_EVENTS];
    } rows[] = {
        /* READY ASSIGNED FINISHED BROKEN RETIRED STOPPED KILLED EXITED */
        {PB_WORKER_STARTING, {TO(IDLE), KILL, KILL, KILL, KILL, KILL, KILL, TO(GONE)}},
        {PB_WORKER_IDLE, {KILL, TO(BUSY), KILL, KILL, TO(LEAVING), KILL, KILL, TO(GONE)}},
        {PB_WORKER_BUSY, {KILL, KILL, TO(IDLE), KILL, KILL, TO(STOPPING), KILL, TO(GONE)}},
        {PB_WORKER_STOPPING, {KILL, KILL, TO(IDLE), KILL, KILL, TO(STOPPING), KILL, TO(GONE)}},
        {PB_WORKER_LEAVING, {KILL, KILL, KILL, TO(LEAVING), TO(LEAVING), KILL, KILL, TO(GONE)}},
        {PB_WORKER_DYING, {TO(DYING), TO(DYING), TO(DYING), TO(DYING), TO(DYING), TO(DYING), TO(DYING), TO(GONE)}},
        {PB_WORKER_GONE, {TO(GONE), TO(GONE), TO(GONE), TO(GONE), TO(GONE), TO(GONE), TO(GONE), TO(GONE)}},
    };
    ck_assert_uint_eq(PB_COUNT(rows), PB_WORKER_STATES);
    for (size_t i = 0; i < PB_COUNT(rows); i++)
        for (int event = 0; event < PB_WORKER_EVENTS; event++) {
            struct pb_worker_step step = pb_worker_step(rows[i].state, (enum pb_worker_event)event);
            ck_assert_int_eq(step.next, rows[i].steps[event].next);
            ck_assert_int_eq(step.kill, rows[i].steps[event].kill);
        }
}
END_TEST

START_TEST(random_lives_keep_the_rules)
{
    srand(11);
    for (int life = 0; life < 20000; life++) {
        enum pb_worker_state state = PB_WORKER_STARTING;
        int kills = 0, readies = 0;
        for (int i = 0; i < 30; i++) {
            enum pb_worker_event event = (enum pb_worker_event)(rand() % PB_WORKER_EVENTS);
            struct pb_worker_step step = pb_worker_step(state, event);
            kills += step.kill;
            readies += state == PB_WORKER_STARTING && step.next == PB_WORKER_IDLE;
            if (event == PB_WORKER_EXITED) must(step.next == PB_WORKER_GONE);
            if (step.kill) must(step.next == PB_WORKER_DYING);
            if (state == PB_WORKER_DYING && event != PB_WORKER_EXITED) must(step.next == PB_WORKER_DYING);
            if (state == PB_WORKER_GONE) must(step.next == PB_WORKER_GONE);
            if (state == PB_WORKER_LEAVING) must(step.next != PB_WORKER_IDLE && step.next != PB_WORKER_BUSY);
            if (step.next == PB_WORKER_STOPPING) must(state == PB_WORKER_BUSY || state == PB_WORKER_STOPPING);
            if (step.next == PB_WORKER_BUSY) must(state == PB_WORKER_IDLE && event == PB_WORKER_ASSIGNED);
            state = step.next;
        }
        must(kills <= 1);
        must(readies <= 1);
    }
}
END_TEST

Suite *worker_suite(void)
{
    Suite *suite = suite_create("worker");
    TCase *tests = group(suite, "worker", 30);
    tcase_add_test(tests, every_event_has_its_consequence_in_every_state);
    tcase_add_test(tests, random_lives_keep_the_rules);
    return suite;
}
