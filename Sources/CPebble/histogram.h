/* SPDX-License-Identifier: Apache-2.0
 * How often durations of which length came: fixed memory, whatever comes.
 * Sixteen buckets for each power of two, so a bucket is at most 1/16 wide of
 * what is in it. Pure data. */
#ifndef PB_HISTOGRAM_H
#define PB_HISTOGRAM_H

#include "compat.h"

#define PB_HISTOGRAM_STEPS 16
#define PB_HISTOGRAM_BUCKETS (PB_HISTOGRAM_STEPS * 60)

/* Zeroed: empty. */
struct pb_histogram {
    uint64_t count;
    int64_t max;
    uint64_t buckets[PB_HISTOGRAM_BUCKETS];
};

PB_HIDDEN_BEGIN

/* Adds a value; a negative one counts as 0. O(1). */
void pb_histogram_add(struct pb_histogram *histogram, int64_t value);

/* A value that `share` (0 to 1) of those added do not exceed, at most 1/32 away
 * from the smallest such; 0 when there is none. */
int64_t pb_histogram_quantile(const struct pb_histogram *histogram, double share);

PB_HIDDEN_END
#endif
