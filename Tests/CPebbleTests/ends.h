/* SPDX-License-Identifier: Apache-2.0
 * Both ends of a link in one process. */
#ifndef ENDS_H
#define ENDS_H

#include "childlink.h"
#include "hostlink.h"
#include "tests.h"

#define BOUND (UINT64_C(1) << 30)

struct ends {
    struct pb_hostlink host;
    struct pb_childlink worker;
};

void ends_open(struct ends *ends, uint64_t max_payload);
void ends_close(struct ends *ends);

/* As if so many jobs had been through the link before. */
void ends_age(struct ends *ends, uint64_t jobs);

/* Submits a job; its tag is that of the number, and an even one may send updates. As pb_hostlink_submit. */
int submit(struct ends *ends, uint64_t number, const void *input, size_t length);
void *tag_of(uint64_t number);

/* Sends what is still to be sent, to a worker that reads it without looking at its jobs. */
void pump(struct ends *ends);

/* The job that the worker gets next, which is there. */
struct pb_claimed claim_next(struct ends *ends);

/* The worker answers a job: in the shared memory when the reply fits there. */
void answer(struct ends *ends, struct pb_claimed *job, const void *reply, size_t length);

/* The answer that is there, to that job; its data is the caller's. */
struct pb_collected collect(struct ends *ends, uint64_t number);

#endif
