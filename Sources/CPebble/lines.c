/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "lines.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 128

void pb_lines_give(struct pb_lines *lines, char *bytes, size_t length)
{
    lines->bytes = bytes;
    lines->left = length;
}

static void uncut(struct pb_lines *lines)
{
    if (lines->cut) *lines->cut = lines->under;
    lines->cut = NULL;
}

/* Whether there is room for so many more bytes, and a NUL. */
static bool make_room(struct pb_lines *lines, size_t more)
{
    size_t needed = lines->length + more + 1;
    if (needed <= lines->room) return true;
    size_t room = lines->room ? lines->room : ROOM_FIRST;
    while (room < needed)
        room *= 2;
    char *begun = realloc(lines->begun, room);
    if (!begun) return false;
    lines->begun = begun;
    lines->room = room;
    return true;
}

static void keep(struct pb_lines *lines, size_t count)
{
    if (count) memcpy(lines->begun + lines->length, lines->bytes, count);
    lines->length += count;
    lines->bytes += count;
    lines->left -= count;
}

bool pb_lines_rest(struct pb_lines *lines, struct pb_line *ret_line)
{
    if (lines->length == 0) return false;
    lines->begun[lines->length] = '\0';
    *ret_line = (struct pb_line){lines->begun, lines->length, true};
    lines->length = 0;
    return true;
}

/* A line, or a piece, that lies in the bytes as a whole. */
static void give_in_place(struct pb_lines *lines, size_t count, bool partial, struct pb_line *ret_line)
{
    char *end = lines->bytes + count;
    *ret_line = (struct pb_line){lines->bytes, count, partial};
    lines->cut = end;
    lines->under = *end;
    *end = '\0';
    lines->bytes += count + !partial;
    lines->left -= count + !partial;
}

bool pb_lines_next(struct pb_lines *lines, struct pb_line *ret_line)
{
    uncut(lines);
    size_t most = lines->max - lines->length;
    char *newline = lines->left ? memchr(lines->bytes, '\n', lines->left <= most ? lines->left : most + 1) : NULL;
    bool ends = newline || lines->left > most;
    size_t count = newline ? (size_t)(newline - lines->bytes) : lines->left > most ? most : lines->left;
    if (ends && lines->length == 0) {
        give_in_place(lines, count, !newline, ret_line);
        return true;
    }
    if (count && !make_room(lines, count)) { /* for want of memory in smaller pieces */
        if (pb_lines_rest(lines, ret_line)) return true;
        give_in_place(lines, count, true, ret_line);
        return true;
    }
    keep(lines, count);
    if (!ends) return false;
    pb_lines_rest(lines, ret_line);
    ret_line->partial = !newline;
    lines->bytes += newline != NULL;
    lines->left -= newline != NULL;
    return true;
}

void pb_lines_done(struct pb_lines *lines)
{
    free(lines->begun);
    lines->begun = NULL;
    lines->length = lines->room = 0;
}
