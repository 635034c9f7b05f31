/* SPDX-License-Identifier: Apache-2.0
 * Bytes cut into lines. */
#include "lines.h"
#include "chance.h"

#include <string.h>

static struct pb_lines lines;

static void set_up(void)
{
    lines = (struct pb_lines){.max = 8};
}

static void tear_down(void)
{
    pb_lines_done(&lines);
}

static void give(const char *text)
{
    static char bytes[64];
    strcpy(bytes, text);
    pb_lines_give(&lines, bytes, strlen(text));
}

static void expect_line(const char *text, bool partial)
{
    struct pb_line line;
    ck_assert(pb_lines_next(&lines, &line));
    ck_assert_str_eq(line.text, text);
    ck_assert_uint_eq(line.length, strlen(text));
    ck_assert_int_eq(line.partial, partial);
}

static void expect_none(void)
{
    struct pb_line line;
    ck_assert(!pb_lines_next(&lines, &line));
}

START_TEST(lines_come_one_by_one)
{
    give("one\n\nthree\n");
    expect_line("one", false);
    expect_line("", false);
    expect_line("three", false);
    expect_none();
}
END_TEST

START_TEST(a_line_may_come_in_pieces)
{
    struct pb_line line;
    give("be");
    expect_none();
    give("gun");
    expect_none();
    give("\nrest");
    expect_line("begun", false);
    expect_none();
    ck_assert(pb_lines_rest(&lines, &line));
    ck_assert_str_eq(line.text, "rest");
    ck_assert(line.partial);
    ck_assert(!pb_lines_rest(&lines, &line));
}
END_TEST

START_TEST(a_line_of_the_most_bytes_is_whole_and_a_longer_one_is_not)
{
    give("12345678\n123456789\n");
    expect_line("12345678", false);
    expect_line("12345678", true);
    expect_line("9", false);
    expect_none();
    give("12345678");
    expect_none();
    give("\n");
    expect_line("12345678", false);
    expect_none();
}
END_TEST

/* --- against a model: one byte after the other --- */

struct model {
    char line[64];
    size_t length, max;
};

/* Whether the byte makes the model give a line: before it was taken in (partial), or with it. */
static bool model_takes(struct model *model, char byte, struct pb_line *ret_line, char *text)
{
    bool ends = byte == '\n', full = !ends && model->length == model->max;
    if (ends || full) {
        memcpy(text, model->line, model->length);
        *ret_line = (struct pb_line){text, model->length, full};
        model->length = 0;
    }
    if (!ends) model->line[model->length++] = byte;
    return ends || full;
}

static void must_agree(const struct pb_line *found, const struct pb_line *wanted)
{
    must(found->length == wanted->length);
    must(found->partial == wanted->partial);
    must(memcmp(found->text, wanted->text, wanted->length) == 0);
    must(found->text[found->length] == '\0');
}

START_TEST(random_bytes_agree_with_a_model)
{
    chance_begin(1 + (uint64_t)_i);
    struct model model = {.max = 1 + (size_t)_i * 5};
    char bytes[201], text[64];
    struct pb_line found, wanted;
    lines.max = model.max;
    for (size_t step = 0, steps = chance_steps(); step < steps;) {
        size_t length = chance(once_in(4) ? 200 : 6);
        for (size_t i = 0; i < length; i++)
            bytes[i] = (char)(once_in(7) ? '\n' : (char)chance(5));
        char copy[201];
        memcpy(copy, bytes, length);
        bytes[length] = 'x'; /* what lies behind is put back */
        pb_lines_give(&lines, bytes, length);
        for (size_t i = 0; i < length; i++, step++)
            if (model_takes(&model, copy[i], &wanted, text)) {
                must(pb_lines_next(&lines, &found));
                must_agree(&found, &wanted);
            }
        must(!pb_lines_next(&lines, &found));
        must(bytes[length] == 'x' && memcmp(bytes, copy, length) == 0);
        if (!once_in(8)) continue;
        bool rest = pb_lines_rest(&lines, &found);
        must(rest == (model.length > 0));
        if (rest) must_agree(&found, &(struct pb_line){model.line, model.length, true});
        model.length = 0;
    }
}
END_TEST

Suite *lines_suite(void)
{
    Suite *suite = suite_create("lines");
    TCase *tests = group(suite, "lines", 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, lines_come_one_by_one);
    tcase_add_test(tests, a_line_may_come_in_pieces);
    tcase_add_test(tests, a_line_of_the_most_bytes_is_whole_and_a_longer_one_is_not);
    tcase_add_loop_test(tests, random_bytes_agree_with_a_model, 0, 4);
    return suite;
}
