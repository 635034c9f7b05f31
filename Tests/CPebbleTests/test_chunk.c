/* SPDX-License-Identifier: Apache-2.0
 * Elements of a map in one job, and their results, against what was put in. */
#include "call.h"
#include "chance.h"
#include "chunk.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MOST 200 /* elements of a chunk */
#define LONGEST 300

struct element {
    size_t length;
    unsigned char bytes[LONGEST];
};

static struct element elements[MOST];
static size_t count;

/* What the function makes of an element: its bytes backwards, half of them, and a code of its length. */
static size_t expected_length(const struct element *element)
{
    return element->length > 9 ? element->length / 2 : element->length;
}

static int expected_code(const struct element *element)
{
    return element->length % 4 == 3 ? -(int)element->length : 0;
}

static size_t seen; /* elements */

static bool is_aligned(const void *data, size_t length)
{
    size_t alignment = length == 1 || length == 2 || length == 4 || length == 8 ? length : 16;
    return (uintptr_t)data % alignment == 0;
}

static int backwards(pebble_call *call)
{
    struct element element;
    const unsigned char *input = pebble_call_input(call, &element.length);
    must(element.length == elements[seen].length && memcmp(input, elements[seen].bytes, element.length) == 0);
    must(is_aligned(input, element.length));
    size_t length = expected_length(&element);
    for (size_t i = 0; i < length; i++)
        must(pebble_call_write(call, input + element.length - 1 - i, 1) == 0);
    seen++;
    return expected_code(&element);
}

/* Those of one length follow one another, mostly. */
static void choose_elements(void)
{
    static const size_t lengths[] = {0, 1, 2, 3, 4, 8, 8, 12, 16, 24, 64, 65, 128, 131, LONGEST};
    size_t length = 8;
    count = chance(MOST + 1);
    for (size_t i = 0; i < count; i++) {
        if (once_in(8)) length = lengths[chance(sizeof lengths / sizeof *lengths)];
        elements[i].length = length;
        for (size_t j = 0; j < length; j++)
            elements[i].bytes[j] = (unsigned char)chance(256);
    }
}

static void gather(struct pb_chunk *chunk)
{
    must(pb_chunk_begin(chunk, NULL, backwards) == 0);
    for (size_t i = 0; i < count; i++)
        must(pb_chunk_add(chunk, elements[i].bytes, elements[i].length) == 0);
    must(chunk->count == count);
}

static void expect_elements(const struct pb_chunk *chunk)
{
    struct pb_pieces pieces = pb_chunk_elements(chunk);
    struct pb_piece piece;
    for (size_t i = 0; i < count; i++) {
        must(pb_pieces_next(&pieces, &piece) && piece.length == elements[i].length);
        must(piece.length == 0 || memcmp(piece.data, elements[i].bytes, piece.length) == 0);
    }
    must(!pb_pieces_next(&pieces, &piece));
}

/* Of a reply that ends early those that are whole. Returns how many. */
static size_t expect_results(const char *reply, size_t length)
{
    struct pb_pieces pieces = pb_chunk_results(reply, length);
    struct pb_piece piece;
    size_t i = 0;
    for (; i < count && pb_pieces_next(&pieces, &piece); i++) {
        must(piece.code == expected_code(&elements[i]) && piece.length == expected_length(&elements[i]));
        must((piece.data == NULL) == (piece.length == 0));
        for (size_t j = 0; j < piece.length; j++)
            must(((const unsigned char *)piece.data)[j] == elements[i].bytes[elements[i].length - 1 - j]);
    }
    must(i < count || !pb_pieces_next(&pieces, &piece));
    return i;
}

START_TEST(every_element_is_seen_and_every_result_comes_back)
{
    chance_begin(18);
    for (size_t steps = 0; steps < chance_steps(); steps += count + 1) {
        choose_elements();
        struct pb_chunk chunk;
        gather(&chunk);
        expect_elements(&chunk);
        seen = 0;
        struct pebble_call call = {.input = chunk.bytes, .input_length = chunk.length, .resumption = -1};
        must(pb_chunk_run(&call) == 0 && seen == count);
        must(expect_results(call.reply, call.reply_length) == count);
        if (call.reply_length) { /* a copy, so that reading beyond its end is found */
            size_t cut = chance((unsigned)call.reply_length);
            char *copy = malloc(cut ? cut : 1);
            memcpy(copy, call.reply, cut);
            expect_results(copy, cut);
            free(copy);
        }
        pb_call_done(&call);
        pb_chunk_done(&chunk);
    }
}
END_TEST

static int nothing(pebble_call *call)
{
    (void)call;
    return 0;
}

START_TEST(small_elements_take_little_more_than_their_bytes)
{
    struct pb_chunk chunk;
    ck_assert_int_eq(pb_chunk_begin(&chunk, NULL, nothing), 0);
    for (int64_t i = 0; i < 1000; i++)
        ck_assert_int_eq(pb_chunk_add(&chunk, &i, sizeof i), 0);
    ck_assert_uint_lt(chunk.length, 8000 + 200);
    struct pebble_call call = {.input = chunk.bytes, .input_length = chunk.length, .resumption = -1};
    ck_assert_int_eq(pb_chunk_run(&call), 0);
    ck_assert_uint_lt(call.reply_length, 100);
    pb_call_done(&call);
    pb_chunk_done(&chunk);
}
END_TEST

Suite *chunk_suite(void)
{
    Suite *suite = suite_create("chunk");
    TCase *pure = tcase_create("pure");
    tcase_set_timeout(pure, 60);
    tcase_add_test(pure, every_element_is_seen_and_every_result_comes_back);
    tcase_add_test(pure, small_elements_take_little_more_than_their_bytes);
    suite_add_tcase(suite, pure);
    return suite;
}
