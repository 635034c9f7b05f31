/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "histogram.h"

/* Values below the number of steps have a bucket each; then 16 buckets an octave. */
static unsigned bucket_of(uint64_t value)
{
    if (value < PB_HISTOGRAM_STEPS) return (unsigned)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - 4; /* leaves 5 bits, of which the first is 1 */
    return PB_HISTOGRAM_STEPS * shift + (unsigned)(value >> shift);
}

/* The middle of what is in a bucket. */
static int64_t middle_of(unsigned bucket)
{
    if (bucket < 2 * PB_HISTOGRAM_STEPS) return (int64_t)bucket;
    unsigned shift = bucket / PB_HISTOGRAM_STEPS - 1;
    uint64_t low = (uint64_t)(bucket - PB_HISTOGRAM_STEPS * shift) << shift;
    return (int64_t)(low + (UINT64_C(1) << (shift - 1)));
}

void pb_histogram_add(struct pb_histogram *histogram, int64_t value)
{
    if (value < 0) value = 0;
    histogram->count++;
    if (value > histogram->max) histogram->max = value;
    histogram->buckets[bucket_of((uint64_t)value)]++;
}

int64_t pb_histogram_quantile(const struct pb_histogram *histogram, double share)
{
    if (!histogram->count) return 0;
    double wanted = share * (double)histogram->count;
    uint64_t rank = (uint64_t)wanted, below = 0;
    if (wanted - (double)rank > 1e-6 || rank == 0) rank++; /* more than what rounding may have added */
    for (unsigned bucket = 0; bucket < PB_HISTOGRAM_BUCKETS; bucket++) {
        below += histogram->buckets[bucket];
        if (below < rank) continue;
        int64_t middle = middle_of(bucket);
        return middle < histogram->max ? middle : histogram->max;
    }
    return histogram->max;
}
