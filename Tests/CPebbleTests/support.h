/* SPDX-License-Identifier: Apache-2.0
 * What the tests of pools share. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "compat.h"
#include "jobs.h"
#include "tests.h"
#include "pebble.h"

#include <check.h>
#include <sys/types.h>

#define MILLISECOND INT64_C(1000000)
#define SECOND INT64_C(1000000000)

/* Longer than anything takes here, however busy the machine: who has waited for it has failed. */
#define PATIENCE (20 * SECOND)

/* --- pools --- */

pebble_pool *pool_with(int method, unsigned workers);
pebble_pool *pool_of(const struct pebble_pool_config *config);

/* Both wait until the pool is at rest, and give it back. */
void close_pool(pebble_pool *pool);
void stop_pool(pebble_pool *pool);

struct pebble_pool_statistics statistics_of(pebble_pool *pool);

/* --- jobs --- */

pebble_future *schedule(pebble_pool *pool, pebble_function function);
pebble_future *schedule_bytes(pebble_pool *pool, pebble_function function, const void *input, size_t length);
pebble_future *schedule_order(pebble_pool *pool, pebble_function function, struct order order);
pebble_future *schedule_limited(pebble_pool *pool, pebble_function function, struct order order,
                                struct pebble_job_options options);

/* Waits for the outcome. */
const struct pebble_outcome *outcome_of(pebble_future *future);

/* Waits for the outcome, which must have that status. */
const struct pebble_outcome *expect(pebble_future *future, enum pebble_status status);

/* The same, and gives the future back. */
void expect_and_drop(pebble_future *future, enum pebble_status status);

/* The number that a job replied with. Gives the future back. */
int64_t number_from(pebble_future *future);

/* Schedules, and waits for the number. */
int64_t run(pebble_pool *pool, pebble_function function);

/* Waits until the job's process can do no more for it. */
void wait_gone(pebble_future *future);

/* The job misbehaves in a way that its pool has to end: it expires by SIGKILL,
 * again and again, and neither a job beside it nor the next is harmed. */
void fails_alone(int method, pebble_function function);

/* --- between a test and its jobs --- */

/* What jobs of a test reach through an order: two pipes and some shared memory. */
struct scene {
    int told[2], go[2], memory;
    struct board *board;
};

void scene_open(struct scene *scene);
void scene_close(struct scene *scene);
struct order order_in(const struct scene *scene, int64_t number);

/* The next number that a job tells. */
int64_t hear(const struct scene *scene);

/* Whether no job has told anything that was not heard. */
bool silent(const struct scene *scene);

/* Lets one job go on that waits in await_go. */
void let_go(const struct scene *scene, int64_t number);

/* --- processes, descriptors, threads --- */

/* A descriptor of a process that exists, to be waited for with expect_dead. */
int watch_process(pid_t pid);

/* Waits until it has ended. Closes the descriptor. */
void expect_dead(int pidfd);

/* Whether it has not. */
bool alive(int pidfd);

/* Waits until there is no such process, which may be gone already. */
void expect_ended(pid_t pid);

/* How many children a process has. */
int children_of(pid_t pid);

int count_descriptors(void);
int count_threads(void);

/* Those that pools have named: without the threads that a tool has. */
int count_pool_threads(void);

/* Waits until a descriptor is readable or hung up. */
void wait_readable(int fd);

#endif
