/* SPDX-License-Identifier: Apache-2.0 */
#include "document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bytes of a file, to be freed; NULL with errno set. */
static char *read_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "re");
    if (!file) return NULL;
    char *text = NULL;
    size_t length = 0, room = 0, count;
    do {
        if (length == room) {
            room = room ? room * 2 : 4096;
            char *larger = realloc(text, room);
            if (!larger) break;
            text = larger;
        }
        count = fread(text + length, 1, room - length, file);
        length += count;
    } while (count > 0);

    int error = feof(file) ? 0 : errno;
    fclose(file);
    if (error) {
        free(text);
        text = NULL;
    }
    errno = error;
    *ret_length = length;
    return text;
}

static bool is_utf8(const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + length;
    while (at < end) {
        int more = *at < 0x80 ? 0 : *at < 0xc2 ? -1 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : *at < 0xf5 ? 3 : -1;
        if (more < 0 || end - at <= more) return false;
        /* No second spelling of a character, no surrogate, nothing above U+10FFFF. */
        unsigned char low = *at == 0xe0 ? 0xa0 : *at == 0xf0 ? 0x90 : 0x80;
        unsigned char high = *at == 0xed ? 0x9f : *at == 0xf4 ? 0x8f : 0xbf;
        if (more > 0 && (at[1] < low || at[1] > high)) return false;
        for (int i = 2; i <= more; i++)
            if ((at[i] & 0xc0) != 0x80) return false;
        at += more + 1;
    }
    return true;
}

static struct json *parse(const char *text, size_t length, char *reason, size_t size)
{
    struct json_error error;
    struct json *document = NULL;
    if (length == 0)
        snprintf(reason, size, "empty");
    else if (!is_utf8(text, length))
        snprintf(reason, size, "not UTF-8");
    else if (!(document = json_parse(text, length, &error)))
        snprintf(reason, size, "%s at byte %zu", error.reason, error.offset);
    return document;
}

bool document_ingest(const char *path, struct summary *ret_summary, char *reason, size_t size)
{
    size_t length;
    char *text = read_file(path, &length);
    if (!text) {
        snprintf(reason, size, "cannot be read: %s", strerror(errno));
        return false;
    }
    struct json *document = parse(text, length, reason, size);
    free(text);
    if (!document) return false;

    const char *problem = order_problem(document);
    if (problem)
        snprintf(reason, size, "%s", problem);
    else
        *ret_summary = order_summary(document);
    json_free(document);
    return !problem;
}
