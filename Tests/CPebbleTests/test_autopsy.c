/* SPDX-License-Identifier: Apache-2.0
 * Records of crashes that were not written by us, files that are no images, and
 * counts of the kernel's. */
#include "autopsy.h"
#include "oom.h"
#include "symbols.h"
#include "tests.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A record of one frame in this program: this function's own. */
static void sound(struct pb_crash_record *record)
{
    struct pb_image_spot spot;
    ck_assert(pb_image_at((uintptr_t)sound, &spot));
    *record = (struct pb_crash_record){.signal = SIGILL, .code = ILL_ILLOPN, .thread = 5, .main_thread = 1};
    strlcpy(record->message, "it broke\n", sizeof record->message);
    record->trace.frame_count = record->trace.image_count = 1;
    record->trace.interrupted = 1;
    record->trace.frames[0].offset = (uintptr_t)sound - spot.base;
    record->trace.images[0].id = spot.id;
    atomic_store(&record->written, 1);
}

static void refused(const struct pb_crash_record *record, int signal)
{
    ck_assert_ptr_null(pb_autopsy_of(record, signal));
}

START_TEST(a_sound_record_is_told)
{
    static struct pb_crash_record record;
    struct pebble_frame frame;
    char text[64];
    sound(&record);
    const struct pebble_crash *crash = pb_autopsy_of(&record, SIGILL);
    memset((void *)&record, 0xa5, sizeof record); /* there is a copy */
    ck_assert_ptr_nonnull(crash);
    ck_assert_str_eq(crash->message, "it broke");
    ck_assert_int_eq(pebble_crash_describe(crash, text, sizeof text), 8);
    ck_assert_str_eq(text, "it broke");
    ck_assert_int_eq(pebble_crash_describe(crash, NULL, 0), 8);
    ck_assert_int_eq(pebble_backtrace_frame(crash->backtrace, 0, &frame), 0);
    ck_assert_str_eq(frame.function, "sound");
    ck_assert_uint_eq((uintptr_t)frame.address, (uintptr_t)sound);
    ck_assert_uint_eq(frame.function_offset, 0);
    ck_assert_ptr_eq(pb_autopsy_ref(crash), crash);
    pb_autopsy_unref(crash);
    pb_autopsy_unref(crash);
    pb_autopsy_unref(NULL);
    ck_assert_ptr_null(pb_autopsy_ref(NULL));
}
END_TEST

START_TEST(an_unsound_record_is_none)
{
    static struct pb_crash_record record;
    refused(&record, SIGILL); /* nothing written */
    sound(&record);
    refused(&record, SIGSEGV); /* by another signal */
    refused(&record, 0);
    atomic_store(&record.written, 77);
    refused(&record, SIGILL);
    sound(&record);
    record.trace.frame_count = PB_TRACE_FRAMES + 1;
    refused(&record, SIGILL);
    sound(&record);
    record.trace.image_count = PB_TRACE_IMAGES + 1;
    refused(&record, SIGILL);
    sound(&record);
    record.trace.frames[0].image = 1;
    refused(&record, SIGILL);
}
END_TEST

START_TEST(texts_of_a_record_are_bounded_and_tamed)
{
    static struct pb_crash_record record;
    struct pebble_frame frame;
    sound(&record);
    memset(record.message, 'x', sizeof record.message);
    memcpy(record.message, "\033[2J", 4);
    memset(record.trace.images[0].path, 'y', sizeof record.trace.images[0].path);
    record.trace.images[0].id.bytes[0] ^= 1; /* not loaded here */
    const struct pebble_crash *crash = pb_autopsy_of(&record, SIGILL);
    ck_assert_uint_eq(strlen(crash->message), sizeof record.message - 1);
    ck_assert_int_eq(strncmp(crash->message, "?[2Jx", 5), 0);
    ck_assert_int_eq(pebble_backtrace_frame(crash->backtrace, 0, &frame), 0);
    ck_assert_uint_eq(strlen(frame.image), sizeof record.trace.images[0].path - 1);
    ck_assert_ptr_null(frame.function);
    ck_assert_ptr_null(frame.address);
    pb_autopsy_unref(crash);
}
END_TEST

/* Whatever is in it, it is refused, or can be looked at. */
START_TEST(no_record_harms_the_host)
{
    static struct pb_crash_record record;
    unsigned seed = 1, told = 0;
    for (int round = 0; round < 3000; round++) {
        sound(&record);
        unsigned char *bytes = (unsigned char *)&record;
        for (int n = 0; n < 1 + round % 40; n++)
            bytes[(size_t)rand_r(&seed) % (round % 2 ? sizeof record : 64)] = (unsigned char)rand_r(&seed);
        if (round % 3 == 0) record.trace.frame_count = (uint32_t)rand_r(&seed) % (PB_TRACE_FRAMES + 2);
        const struct pebble_crash *crash = pb_autopsy_of(&record, SIGILL);
        struct pebble_frame frame;
        char text[64];
        if (!crash) continue;
        told++;
        pebble_crash_describe(crash, text, sizeof text);
        for (size_t n = 0; round % 50 == 0 && pebble_backtrace_frame(crash->backtrace, n, &frame) == 0; n++)
            must(strlen(frame.image) < 4096);
        pb_autopsy_unref(crash);
    }
    ck_assert_uint_gt(told, 300);
}
END_TEST

/* --- files --- */

static struct pb_image_id own_id(uint64_t *ret_offset)
{
    struct pb_image_spot spot;
    ck_assert(pb_image_at((uintptr_t)own_id, &spot));
    *ret_offset = (uintptr_t)own_id - spot.base;
    return spot.id;
}

START_TEST(symbols_have_their_names)
{
    uint64_t offset;
    struct pb_image_id id = own_id(&offset);
    struct pb_symbol symbols[] = {{.address = offset}, {.address = offset + 1}, {.address = 1}, {.address = UINT64_MAX}};
    ck_assert_int_eq(pb_symbols_find("/proc/self/exe", &id, symbols, PB_COUNT(symbols)), 0);
    for (int n = 0; n < 2; n++) {
        ck_assert_str_eq(symbols[n].name, "own_id");
        ck_assert_uint_eq(symbols[n].start, offset);
        free(symbols[n].name);
    }
    ck_assert_ptr_null(symbols[2].name);
    ck_assert_ptr_null(symbols[3].name);
}
END_TEST

START_TEST(what_is_no_image_has_no_symbols)
{
    uint64_t offset;
    struct pb_image_id id = own_id(&offset);
    struct pb_symbol symbol = {.address = offset};
    ck_assert_int_eq(pb_symbols_find("/dev/null", &id, &symbol, 1), -ENOEXEC);
    ck_assert_int_eq(pb_symbols_find("/", &id, &symbol, 1), -ENOEXEC);
    ck_assert_int_eq(pb_symbols_find("/does/not/exist", &id, &symbol, 1), -ENOENT);
    id.bytes[0] ^= 1;
    ck_assert_int_eq(pb_symbols_find("/proc/self/exe", &id, &symbol, 1), -ESTALE);
}
END_TEST

/* Copies of this program with damage to its headers and tables, or without an end. */
START_TEST(no_file_harms_who_reads_it)
{
    uint64_t offset;
    struct pb_image_id id = own_id(&offset);
    int program = open("/proc/self/exe", O_RDONLY);
    struct stat info;
    ck_assert_int_eq(fstat(program, &info), 0);
    size_t size = (size_t)info.st_size;
    unsigned char *bytes = malloc(size);
    ck_assert_int_eq(read(program, bytes, size), (ssize_t)size);
    uint64_t sections;
    memcpy(&sections, bytes + 40, sizeof sections); /* e_shoff */
    ck_assert_uint_lt(sections, size);
    char path[] = "/tmp/pebble-test-XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, bytes, size), (ssize_t)size);
    unsigned seed = 7;
    for (int round = 0; round < 400; round++) {
        struct pb_symbol symbol = {.address = offset};
        uint64_t from = round % 2 ? 0 : sections, span = round % 2 ? 1024 : size - sections;
        uint64_t at = from + (uint64_t)rand_r(&seed) % span;
        unsigned char damage = (unsigned char)rand_r(&seed);
        bool cut = round % 10 == 9;
        if (cut) ck_assert_int_eq(ftruncate(file, (off_t)at), 0);
        else ck_assert_int_eq(pwrite(file, &damage, 1, (off_t)at), 1);
        pb_symbols_find(path, &id, &symbol, 1);
        free(symbol.name);
        if (cut || round % 4 == 3) ck_assert_int_eq(pwrite(file, bytes, size, 0), (ssize_t)size);
    }
    unlink(path);
    close(file);
    free(bytes);
}
END_TEST

START_TEST(kills_are_counted)
{
    ck_assert_uint_eq(pb_oom_count_in("low 0\nmax 3\noom 2\noom_kill 17\noom_group_kill 1\n"), 17);
    ck_assert_uint_eq(pb_oom_count_in("oom_kill 1"), 1);
    ck_assert_uint_eq(pb_oom_count_in("oom_kills 1\n"), 0);
    ck_assert_uint_eq(pb_oom_count_in(""), 0);
    struct pb_oom oom = {0};
    pb_oom_look(&oom, 1000, 50);
    ck_assert_int_eq(oom.looked, 1000);
    pb_oom_look(&oom, 1049, 50);
    ck_assert_int_eq(oom.looked, 1000);
    pb_oom_look(&oom, 1050, 50);
    ck_assert_int_eq(oom.looked, 1050);
}
END_TEST

START_TEST(a_kill_counts_for_one_death_of_its_time)
{
    struct pb_oom oom = {0};
    pb_oom_found(&oom, 100, 7);
    ck_assert(!pb_oom_explains(&oom, 50)); /* they may be of any time */
    pb_oom_found(&oom, 200, 8);
    ck_assert(!pb_oom_explains(&oom, 201)); /* it began later */
    ck_assert(pb_oom_explains(&oom, 150));
    ck_assert(!pb_oom_explains(&oom, 150));
    pb_oom_found(&oom, 300, 8);
    ck_assert(!pb_oom_explains(&oom, 150));
    pb_oom_found(&oom, 400, 9);
    pb_oom_found(&oom, 500, 10);
    ck_assert(pb_oom_explains(&oom, 350));
    ck_assert(pb_oom_explains(&oom, 350));
    ck_assert(!pb_oom_explains(&oom, 350));
    pb_oom_found(&oom, 600, 2); /* of another group, where there were fewer */
    ck_assert(!pb_oom_explains(&oom, 550));
    pb_oom_found(&oom, 700, 3);
    ck_assert(pb_oom_explains(&oom, 650));
}
END_TEST

Suite *autopsy_suite(void)
{
    Suite *suite = suite_create("autopsy");
    TCase *tests = group(suite, "autopsy", 60);
    tcase_add_test(tests, a_sound_record_is_told);
    tcase_add_test(tests, an_unsound_record_is_none);
    tcase_add_test(tests, texts_of_a_record_are_bounded_and_tamed);
    tcase_add_test(tests, no_record_harms_the_host);
    tcase_add_test(tests, symbols_have_their_names);
    tcase_add_test(tests, what_is_no_image_has_no_symbols);
    tcase_add_test(tests, no_file_harms_who_reads_it);
    tcase_add_test(tests, kills_are_counted);
    tcase_add_test(tests, a_kill_counts_for_one_death_of_its_time);
    return suite;
}
