/* SPDX-License-Identifier: Apache-2.0
 * One document, from its file to its summary. */
#ifndef INGEST_DOCUMENT_H
#define INGEST_DOCUMENT_H

#include "order.h"

/* Reads, parses and checks a file. False when it is invalid; `reason` then says
 * why, truncated to `size` bytes. */
bool document_ingest(const char *path, struct summary *ret_summary, char *reason, size_t size);

#endif
