/* SPDX-License-Identifier: Apache-2.0
 * Ways to crash in C, for the programs in C and in Swift. */
#ifndef WAYS_H
#define WAYS_H

struct way {
    const char *row;      /* its name in the table */
    const char *function; /* that is to be found in its backtrace; NULL: there is none */
    void (*run)(void);
};

/* The last one has no row. */
extern const struct way ways[];

/* That of a row; NULL: there is none. */
const struct way *way(const char *row);

#endif
