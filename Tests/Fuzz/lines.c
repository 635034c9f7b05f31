/* SPDX-License-Identifier: Apache-2.0
 * What a worker writes, cut into lines: where they are cut must not depend on
 * the pieces in which it came, and nothing is lost. */
#include "fuzz.h"
#include "lines.h"

struct result {
    char *bytes; /* all lines, each behind its length and whether it is partial */
    size_t length;
};

static void add(struct result *result, const struct pb_line *line, size_t max)
{
    must(line->length <= max && line->text[line->length] == '\0');
    result->bytes = realloc(result->bytes, result->length + line->length + 2);
    must(result->bytes);
    memcpy(result->bytes + result->length, line->text, line->length);
    result->length += line->length;
    if (!line->partial) result->bytes[result->length++] = '\n';
    result->bytes[result->length] = '\0';
}

static struct result cut(const uint8_t *data, size_t size, size_t max, struct bytes *pieces)
{
    struct pb_lines lines = {.max = max};
    struct pb_line line;
    struct result result = {0};
    while (size) {
        size_t piece = pieces->left ? 1U + take_byte(pieces) % 64 : size;
        if (piece > size) piece = size;
        char *bytes = text_of(data, piece);
        pb_lines_give(&lines, bytes, piece);
        while (pb_lines_next(&lines, &line))
            add(&result, &line, max);
        must(memcmp(bytes, data, piece) == 0); /* it was put back */
        free(bytes);
        data += piece;
        size -= piece;
    }
    if (pb_lines_rest(&lines, &line)) add(&result, &line, max);
    must(!pb_lines_rest(&lines, &line));
    pb_lines_done(&lines);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = {data, size}, none = {0};
    size_t max = 1 + take_byte(&bytes);
    struct bytes pieces = {bytes.at, bytes.left < 16 ? bytes.left : 16};
    struct result whole = cut(bytes.at, bytes.left, max, &none), pieced = cut(bytes.at, bytes.left, max, &pieces);
    must(whole.length == bytes.left && pieced.length == bytes.left);
    if (bytes.left) must(memcmp(whole.bytes, bytes.at, bytes.left) == 0 && memcmp(pieced.bytes, bytes.at, bytes.left) == 0);
    free(whole.bytes);
    free(pieced.bytes);
    return 0;
}
