/* SPDX-License-Identifier: Apache-2.0
 * Bytes that come in pieces, cut into lines: where they are cut does not depend
 * on where the pieces were. Pure data. */
#ifndef PB_LINES_H
#define PB_LINES_H

#include "compat.h"

/* Zeroed, but for `max`: nothing has come. */
struct pb_lines {
    size_t max;  /* bytes that are given at once */
    char *begun; /* a line, or the rest of one, whose end has not come */
    size_t length, room;
    char *bytes; /* what has not been looked at */
    size_t left;
    char *cut, under; /* where a NUL was put, and over what */
};

/* Belongs to the splitter, until the next call. */
struct pb_line {
    const char *text; /* with a NUL behind */
    size_t length;
    bool partial; /* no newline came behind it */
};

PB_HIDDEN_BEGIN

/* More bytes, when the last ones are used up. One behind them must exist, and
 * all are written to, until pb_lines_next has answered false. */
void pb_lines_give(struct pb_lines *lines, char *bytes, size_t length);

/* The next line; of a longer one than `max` the next `max` bytes. False: its end has not come. */
bool pb_lines_next(struct pb_lines *lines, struct pb_line *ret_line);

/* What was begun, as it will not go on. False: nothing was. */
bool pb_lines_rest(struct pb_lines *lines, struct pb_line *ret_line);

void pb_lines_done(struct pb_lines *lines);

PB_HIDDEN_END
#endif
