/* SPDX-License-Identifier: Apache-2.0
 * The annex of a link: memory behind its mapping, for what is too large for that.
 * It costs neither memory nor address space before it is mapped, and both ends map
 * it through their mapping of the link: no descriptor need be kept. */
#ifndef PB_ANNEX_H
#define PB_ANNEX_H

#include "compat.h"
#include "shared.h"

PB_HIDDEN_BEGIN

/* How large the file of a link is to be: with an annex, where this process may make files of that size. */
size_t pb_annex_file_size(void);

/* Maps the annex of a link that has one: inputs at its beginning, replies at PB_ANNEX_REPLIES. NULL: it cannot be. */
char *pb_annex_map(struct pb_shared *shared);

/* Unmaps it. NULL is ignored. */
void pb_annex_unmap(char *annex);

/* Gives its pages back to the system: it reads as zeros, at both ends. 0 or -errno. */
int pb_annex_empty(char *annex);

PB_HIDDEN_END
#endif
