/* SPDX-License-Identifier: Apache-2.0
 * For compilers without libFuzzer, and for runs that are to be the same each
 * time: gives the fuzzer every file of its corpus, and then `rounds` of them
 * damaged at random from a seed.
 *
 *   <fuzzer> corpus rounds [seed] */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>

#define FILES 256
#define SIZE 65536

static struct {
    uint8_t *bytes;
    size_t size;
} files[FILES];
static size_t file_count;
static unsigned seed;

static size_t up_to(size_t end)
{
    return end ? ((size_t)rand_r(&seed) << 15 ^ (size_t)rand_r(&seed)) % end : 0;
}

static void read_corpus(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char name[1024];
        snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        FILE *file = entries[i]->d_name[0] != '.' && file_count < FILES ? fopen(name, "rb") : NULL;
        if (file) {
            uint8_t *bytes = malloc(SIZE);
            must(bytes);
            files[file_count].size = fread(bytes, 1, SIZE, file);
            files[file_count++].bytes = bytes;
            fclose(file);
        }
        free(entries[i]);
    }
    if (count >= 0) free(entries);
}

/* From an allocation of just that size, so that one byte too many is noticed. */
static void give(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    must(copy);
    if (size) memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static size_t damage(uint8_t *bytes, size_t size)
{
    static const uint64_t odd[] = {0, 1, 63, 64, 255, 65535, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};
    uint64_t number = odd[up_to(sizeof odd / sizeof *odd)] + up_to(3) - 1;
    size_t at = up_to(size), length = up_to(size - at) % 64, other = up_to(file_count);
    switch (up_to(8)) {
    case 0: bytes[at] ^= (uint8_t)(1 << up_to(8)); break;
    case 1: bytes[at] = (uint8_t)up_to(256); break;
    case 2: bytes[at] = (uint8_t)up_to(12); break;
    case 3: memcpy(bytes + at, &number, size - at < 8 ? size - at : 8); break;
    case 4: return at;
    case 5: memmove(bytes + at, bytes + at + length, size - at - length); return size - length;
    case 6:
        if (size + length > SIZE) break;
        memmove(bytes + at + length, bytes + at, size - at);
        return size + length;
    case 7: memcpy(bytes + at, files[other].bytes, size - at < files[other].size ? size - at : files[other].size); break;
    }
    return size;
}

int main(int argc, char **argv)
{
    static uint8_t bytes[SIZE];
    if (argc < 3) return 2;
    read_corpus(argv[1]);
    if (!file_count) return 2;
    unsigned first = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1;
    unsigned long rounds = strtoul(argv[2], NULL, 10);
    for (size_t i = 0; i < file_count; i++)
        give(files[i].bytes, files[i].size);
    for (unsigned long round = 0; round < rounds; round++) {
        seed = first + (unsigned)round;
        size_t which = up_to(file_count), size = files[which].size;
        memcpy(bytes, files[which].bytes, size);
        for (size_t n = 1 + up_to(8); n > 0 && size; n--)
            size = damage(bytes, size);
        give(bytes, size);
    }
    for (size_t i = 0; i < file_count; i++)
        free(files[i].bytes);
    printf("%s: %zu files, %lu rounds from seed %u\n", argv[0], file_count, rounds, first);
    return 0;
}
