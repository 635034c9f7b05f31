/* SPDX-License-Identifier: Apache-2.0
 * Functions by image and offset. */
#include "image.h"
#include "tests.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static int a_function(pebble_call *call)
{
    return call ? 1 : 2;
}

static int another_function(pebble_call *call)
{
    return call ? 3 : 4;
}

static pebble_function function_at(const void *address)
{
    pebble_function function;
    memcpy(&function, &address, sizeof function);
    return function;
}

static struct pb_function_ref located(pebble_function function)
{
    struct pb_function_ref ref;
    ck_assert_int_eq(pb_image_locate(function, &ref), 0);
    return ref;
}

START_TEST(a_static_function_is_found_again)
{
    struct pb_function_ref ref = located(a_function);
    pebble_function found = pb_image_resolve(&ref.image->id, ref.offset, ref.image->path);
    ck_assert(found == a_function);
    ck_assert_int_eq(found(NULL), 2);
    ck_assert_str_eq(ref.image->path, "");
}
END_TEST

START_TEST(functions_of_one_image_differ_by_offset)
{
    struct pb_function_ref one = located(a_function), other = located(another_function);
    ck_assert_ptr_eq(one.image, other.image);
    ck_assert_uint_ne(one.offset, other.offset);
    ck_assert(pb_image_resolve(&other.image->id, other.offset, "") == another_function);
}
END_TEST

START_TEST(a_function_of_a_shared_library_is_found_again)
{
    struct pb_function_ref ref = located((pebble_function)(uintptr_t)abort);
    ck_assert_str_ne(ref.image->path, "");
    ck_assert(pb_image_resolve(&ref.image->id, ref.offset, ref.image->path) == (pebble_function)(uintptr_t)abort);
}
END_TEST

START_TEST(data_is_no_function)
{
    static char variable;
    char local;
    static const char constant[] = "text";
    void *heap = malloc(1);
    struct pb_function_ref ref = {.offset = 1};
    const void *const addresses[] = {&variable, &local, constant, heap, NULL, (void *)UINTPTR_MAX};
    for (size_t i = 0; i < PB_COUNT(addresses); i++)
        ck_assert_int_eq(pb_image_locate(function_at(addresses[i]), &ref), -EFAULT);
    ck_assert_uint_eq(ref.offset, 1);
    free(heap);
}
END_TEST

START_TEST(an_unknown_image_has_no_functions)
{
    struct pb_function_ref ref = located(a_function);
    for (int i = 0; i < PB_IMAGE_ID_SIZE; i++) {
        struct pb_image_id wrong = ref.image->id;
        wrong.bytes[i] ^= 1;
        ck_assert(!pb_image_resolve(&wrong, ref.offset, ""));
        ck_assert(!pb_image_resolve(&wrong, ref.offset, "/no/such/library.so"));
    }
}
END_TEST

START_TEST(an_offset_outside_of_the_code_is_no_function)
{
    static char variable;
    struct pb_function_ref ref = located(a_function);
    const uint64_t offsets[] = {0, UINT64_MAX, UINT64_MAX / 2, ref.image->high - ref.image->base,
                                (uintptr_t)&variable - ref.image->base};
    for (size_t i = 0; i < PB_COUNT(offsets); i++)
        ck_assert(!pb_image_resolve(&ref.image->id, offsets[i], ""));
}
END_TEST

START_TEST(the_executable_is_told_from_libraries)
{
    static char variable;
    ck_assert(pb_image_is_main(&variable));
    ck_assert(!pb_image_is_main((void *)(uintptr_t)abort));
    ck_assert(!pb_image_is_main(NULL));
}
END_TEST

Suite *image_suite(void)
{
    Suite *suite = suite_create("image");
    TCase *tests = group(suite, "image", 30);
    tcase_add_test(tests, a_static_function_is_found_again);
    tcase_add_test(tests, functions_of_one_image_differ_by_offset);
    tcase_add_test(tests, a_function_of_a_shared_library_is_found_again);
    tcase_add_test(tests, data_is_no_function);
    tcase_add_test(tests, an_unknown_image_has_no_functions);
    tcase_add_test(tests, an_offset_outside_of_the_code_is_no_function);
    tcase_add_test(tests, the_executable_is_told_from_libraries);
    return suite;
}
