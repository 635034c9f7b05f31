/* SPDX-License-Identifier: Apache-2.0
 * What an order must look like, and a checksum over its numbers. */
#ifndef INGEST_ORDER_H
#define INGEST_ORDER_H

#include "json.h"

struct summary {
    int64_t lines;
    int64_t checksum;
};

/* What is wrong with the order, in words; NULL when it is valid. */
const char *order_problem(const struct json *order);

/* For a valid order. */
struct summary order_summary(const struct json *order);

#endif
