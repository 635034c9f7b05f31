/* SPDX-License-Identifier: Apache-2.0
 * Progress on stderr: a bar on a terminal, else a line for each tenth. */
#ifndef INGEST_PROGRESS_H
#define INGEST_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    size_t total;
    size_t done;
    bool terminal;
    int64_t drawn_at; /* ns */
};

void progress_start(struct progress *progress, size_t total);

/* Tells how many are done; draws at most ten times a second. */
void progress_show(struct progress *progress, size_t done);

#endif
