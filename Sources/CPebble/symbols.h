/* SPDX-License-Identifier: Apache-2.0
 * The names of functions, read from the symbol table of an executable or shared
 * library. The file need not be well formed, nor stay as it is while it is read:
 * the worst that it can do is to have no names, or wrong ones. */
#ifndef PB_SYMBOLS_H
#define PB_SYMBOLS_H

#include "compat.h"
#include "image.h"

struct pb_symbol {
    uint64_t address; /* to be looked up: as the image is linked */
    uint64_t start;   /* of the function that it lies in */
    char *name;       /* as it is in the table; the caller frees it; NULL: unknown */
};

PB_HIDDEN_BEGIN

/* Looks up all addresses in one reading of the file. -ENOEXEC: it is no such
 * file; -ESTALE: it is another image than the one with that id; other errors of
 * reading; -ENOMEM. */
int pb_symbols_find(const char *path, const struct pb_image_id *id, struct pb_symbol *symbols, size_t count);

PB_HIDDEN_END
#endif
