/* SPDX-License-Identifier: Apache-2.0
 * Files of executables and libraries, of which symbols are read. */
#include "fuzz.h"
#include "symbols.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    char path[64];
    struct pb_image_id id = {0};
    struct pb_symbol symbols[4] = {{.address = 0}, {.address = 0x1000}, {.address = 0x1234}, {.address = UINT64_MAX}};
    if (file < 0) file = memfd_create("symbols", MFD_CLOEXEC);
    must(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    pb_symbols_find(path, &id, symbols, PB_COUNT(symbols));
    for (size_t n = 0; n < PB_COUNT(symbols); n++) {
        if (symbols[n].name) must(symbols[n].start <= symbols[n].address);
        free(symbols[n].name);
    }
    char *notes = text_of(data, size);
    pb_image_id_in_notes(notes, size, &id);
    free(notes);
    return 0;
}
