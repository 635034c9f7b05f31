/* SPDX-License-Identifier: Apache-2.0
 * Room that is taken and given back in order. */
#include "arena.h"
#include "chance.h"

#include <check.h>
#include <string.h>

static struct pb_arena arena;

static void set_up(void)
{
    pb_arena_init(&arena, 1024);
}

START_TEST(what_is_taken_is_aligned_and_follows_what_was_taken_before)
{
    ck_assert_int_eq(pb_arena_take(&arena, 1), 0);
    ck_assert_int_eq(pb_arena_take(&arena, 16), 16);
    ck_assert_int_eq(pb_arena_take(&arena, 17), 32);
    ck_assert_int_eq(pb_arena_take(&arena, 0), 64);
}
END_TEST

START_TEST(all_of_it_can_be_taken_and_no_more)
{
    ck_assert_int_eq(pb_arena_take(&arena, 1025), -1);
    ck_assert_int_eq(pb_arena_take(&arena, UINT64_MAX), -1);
    ck_assert_int_eq(pb_arena_take(&arena, 1024), 0);
    ck_assert_int_eq(pb_arena_take(&arena, 1), -1);
}
END_TEST

START_TEST(what_was_given_back_can_be_taken_again)
{
    ck_assert_int_eq(pb_arena_take(&arena, 512), 0);
    uint64_t mark = pb_arena_mark(&arena);
    ck_assert_int_eq(pb_arena_take(&arena, 256), 512);
    ck_assert_int_eq(pb_arena_take(&arena, 400), -1);
    pb_arena_give_back(&arena, mark);
    ck_assert_int_eq(pb_arena_take(&arena, 400), 0); /* the end was too small */
    ck_assert_int_eq(pb_arena_take(&arena, 400), -1);
}
END_TEST

START_TEST(an_arena_that_got_everything_back_has_all_its_room)
{
    for (int round = 0; round < 100; round++) {
        ck_assert_int_ge(pb_arena_take(&arena, 16), 0);
        uint64_t mark = pb_arena_mark(&arena);
        ck_assert_int_ge(pb_arena_take(&arena, 0), 0);
        uint64_t same = pb_arena_mark(&arena);
        pb_arena_give_back(&arena, mark);
        pb_arena_give_back(&arena, same); /* of nothing */
        ck_assert_int_eq(pb_arena_take(&arena, 1024), 0);
        pb_arena_give_back(&arena, pb_arena_mark(&arena));
    }
}
END_TEST

START_TEST(the_most_can_be_taken_and_partly_kept)
{
    uint32_t length;
    ck_assert_int_eq(pb_arena_take_most(&arena, &length), 0);
    ck_assert_uint_eq(length, 1024);
    pb_arena_keep(&arena, 0, 100);
    ck_assert_int_eq(pb_arena_take_most(&arena, &length), 112);
    ck_assert_uint_eq(length, 912);
    pb_arena_keep(&arena, 112, 912);
    ck_assert_int_eq(pb_arena_take_most(&arena, &length), -1);
}
END_TEST

/* --- against a model: every block of 16 bytes by itself --- */

#define BLOCKS 64
#define ITEMS 256

struct item {
    uint64_t mark;
    unsigned first, count; /* its blocks */
    unsigned skipped;      /* blocks at the end that were left out for it */
};

static struct {
    bool used[BLOCKS];
    unsigned head; /* the block after the last one taken */
    struct item items[ITEMS];
    unsigned oldest, newest;
} model;

static unsigned run_from(unsigned block)
{
    unsigned end = block;
    while (end < BLOCKS && !model.used[end])
        end++;
    return end - block;
}

static bool in_use(void)
{
    return memchr(model.used, true, sizeof model.used) != NULL;
}

static void note_taken(int64_t offset, unsigned count)
{
    struct item *item = &model.items[model.newest++ % ITEMS];
    must(offset % PB_ARENA_ALIGNMENT == 0);
    *item = (struct item){.mark = pb_arena_mark(&arena), .first = (unsigned)offset / 16, .count = count};
    if (item->first != model.head % BLOCKS) {
        must(item->first == 0);
        item->skipped = BLOCKS - model.head;
        memset(model.used + model.head, true, item->skipped);
    }
    for (unsigned block = item->first; block < item->first + count; block++) {
        must(block < BLOCKS);
        must(!model.used[block]); /* nothing overlaps */
        model.used[block] = true;
    }
    model.head = (item->first + count) % BLOCKS;
}

static void take(unsigned length)
{
    unsigned count = (length + 15) / 16;
    bool room = count <= run_from(model.head) || count <= run_from(0);
    int64_t offset = pb_arena_take(&arena, length);
    must((offset >= 0) == room);
    if (room) note_taken(offset, count);
}

static void take_most(void)
{
    uint32_t length = 0;
    unsigned here = run_from(model.head), there = run_from(0), most = here > there ? here : there;
    int64_t offset = pb_arena_take_most(&arena, &length);
    must((offset >= 0) == (most > 0));
    if (offset < 0) return;
    must(length == most * 16);
    uint32_t kept = chance(length + 1);
    pb_arena_keep(&arena, offset, kept);
    note_taken(offset, (kept + 15) / 16);
}

static void give_back(void)
{
    struct item *item = &model.items[model.oldest++ % ITEMS];
    pb_arena_give_back(&arena, item->mark);
    memset(model.used + item->first, false, item->count);
    if (item->skipped) memset(model.used + BLOCKS - item->skipped, false, item->skipped);
    if (!in_use()) model.head = 0;
}

START_TEST(random_steps_agree_with_a_model)
{
    chance_begin(1 + (uint64_t)_i);
    for (size_t step = 0, steps = chance_steps(); step < steps; step++) {
        unsigned items = model.newest - model.oldest;
        unsigned choice = chance(8);
        if (items && (choice < 4 || items == ITEMS))
            give_back();
        else if (choice < 5)
            take_most();
        else
            take(chance(choice == 5 ? 1100 : choice == 6 ? 100 : 2));
        must(arena.head - arena.tail <= arena.size);
    }
}
END_TEST

Suite *arena_suite(void)
{
    Suite *suite = suite_create("arena");
    TCase *tests = group(suite, "arena", 60);
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, what_is_taken_is_aligned_and_follows_what_was_taken_before);
    tcase_add_test(tests, all_of_it_can_be_taken_and_no_more);
    tcase_add_test(tests, what_was_given_back_can_be_taken_again);
    tcase_add_test(tests, an_arena_that_got_everything_back_has_all_its_room);
    tcase_add_test(tests, the_most_can_be_taken_and_partly_kept);
    tcase_add_loop_test(tests, random_steps_agree_with_a_model, 0, 3);
    return suite;
}
