/* SPDX-License-Identifier: Apache-2.0
 * What became of each document, and the table of it. */
#ifndef INGEST_REPORT_H
#define INGEST_REPORT_H

#include "order.h"

enum verdict { PARSED, INVALID, TIMED_OUT, CRASHED, VERDICTS };

struct report {
    const char *file;
    enum verdict verdict;
    struct summary summary; /* PARSED */
    char reason[160];       /* otherwise */
};

/* Prints the counts, and each document that was not parsed with its reason. */
void report_print(const struct report *reports, size_t count);

#endif
