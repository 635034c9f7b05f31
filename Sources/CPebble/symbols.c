/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "symbols.h"
#include "fd.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTIONS_MAX 65536
#define NOTES_MAX (16 * 1024)
#define NAME_MAX_SIZE (8 * 1024)
#define UNSIZED_MAX 4096 /* a function that does not tell its size is taken for a short one */
#define BATCH 1024 /* symbols read at a time */

struct file {
    int fd;
    uint64_t size;
    ElfW(Ehdr) header;
};

/* Reads all of it, or -ENOEXEC: the file has no such place. */
static int read_at(const struct file *file, uint64_t offset, void *buffer, size_t size)
{
    if (offset > file->size || size > file->size - offset) return -ENOEXEC;
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(file->fd, (char *)buffer + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (n == 0) return -ENOEXEC; /* it was cut short meanwhile */
        done += (size_t)n;
    }
    return 0;
}

static int open_file(const char *path, struct file *ret_file)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return -errno;
    *ret_file = (struct file){.fd = fd};
    int rc = fstat(fd, &info) < 0 ? -errno : S_ISREG(info.st_mode) ? 0 : -ENOEXEC;
    if (rc == 0) {
        ret_file->size = (uint64_t)info.st_size;
        rc = read_at(ret_file, 0, &ret_file->header, sizeof ret_file->header);
    }
    const ElfW(Ehdr) *header = &ret_file->header;
    if (rc == 0 && (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
                    header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_shentsize != sizeof(ElfW(Shdr)) ||
                    header->e_phentsize != sizeof(ElfW(Phdr))))
        rc = -ENOEXEC;
    if (rc < 0) pb_close(&ret_file->fd);
    return rc;
}

/* A file without a build-id is taken for what its path says. */
static int check_id(const struct file *file, const struct pb_image_id *id)
{
    static const struct pb_image_id none;
    for (unsigned i = 0; i < file->header.e_phnum; i++) {
        ElfW(Phdr) segment;
        char notes[NOTES_MAX];
        struct pb_image_id found = none;
        int rc = read_at(file, file->header.e_phoff + i * sizeof segment, &segment, sizeof segment);
        if (rc < 0) return rc;
        if (segment.p_type != PT_NOTE || segment.p_filesz > sizeof notes) continue;
        if ((rc = read_at(file, segment.p_offset, notes, segment.p_filesz)) < 0) return rc;
        if (!pb_image_id_in_notes(notes, segment.p_filesz, &found)) continue;
        return memcmp(&found, id, sizeof found) == 0 ? 0 : -ESTALE;
    }
    return 0;
}

/* The full symbol table, or where that was stripped, the one for the loader; and its strings. */
static int find_table(const struct file *file, ElfW(Shdr) *ret_table, ElfW(Shdr) *ret_strings)
{
    bool found = false;
    uint64_t sections = file->header.e_shoff;
    for (unsigned i = 0; i < file->header.e_shnum && i < SECTIONS_MAX; i++) {
        ElfW(Shdr) section;
        int rc = read_at(file, sections + i * sizeof section, &section, sizeof section);
        if (rc < 0) return rc;
        bool wanted = section.sh_type == SHT_SYMTAB || (section.sh_type == SHT_DYNSYM && !found);
        if (!wanted || section.sh_entsize != sizeof(ElfW(Sym))) continue;
        *ret_table = section;
        found = true;
        if (section.sh_type == SHT_SYMTAB) break;
    }
    if (!found || ret_table->sh_link >= file->header.e_shnum) return -ENOEXEC;
    if (ret_table->sh_offset > file->size || ret_table->sh_size > file->size - ret_table->sh_offset) return -ENOEXEC;
    return read_at(file, sections + ret_table->sh_link * sizeof *ret_strings, ret_strings, sizeof *ret_strings);
}

/* What is known of one address so far. */
struct best {
    uint64_t start, name;
    bool inside; /* the function says that it reaches that far */
};

/* Of two functions that may hold the address: one that says so, and of such the one that begins later. */
static void consider(const ElfW(Sym) *symbol, uint64_t address, struct best *best)
{
    if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF || !symbol->st_name) return;
    if (symbol->st_value > address) return;
    bool inside = address - symbol->st_value < symbol->st_size;
    if (!inside && (symbol->st_size || address - symbol->st_value >= UNSIZED_MAX)) return;
    if (inside < best->inside) return;
    if (inside == best->inside && best->name && symbol->st_value <= best->start) return;
    *best = (struct best){symbol->st_value, symbol->st_name, inside};
}

static int read_table(const struct file *file, const ElfW(Shdr) *table, const struct pb_symbol *symbols,
                      struct best *bests, size_t count)
{
    ElfW(Sym) *batch = malloc(BATCH * sizeof *batch);
    if (!batch) return -ENOMEM;
    int rc = 0;
    uint64_t left = table->sh_size / sizeof *batch, offset = table->sh_offset;
    while (left && rc == 0) {
        size_t n = left < BATCH ? (size_t)left : BATCH;
        rc = read_at(file, offset, batch, n * sizeof *batch);
        for (size_t i = 0; i < n && rc == 0; i++)
            for (size_t k = 0; k < count; k++)
                consider(&batch[i], symbols[k].address, &bests[k]);
        offset += n * sizeof *batch;
        left -= n;
    }
    free(batch);
    return rc;
}

/* The string at that place of the table of strings; NULL: there is none of a sensible length, or no memory. */
static char *read_name(const struct file *file, const ElfW(Shdr) *strings, uint64_t at)
{
    char name[NAME_MAX_SIZE];
    if (at >= strings->sh_size || strings->sh_offset > file->size) return NULL;
    uint64_t size = strings->sh_size - at;
    uint64_t rest = file->size - strings->sh_offset;
    if (at >= rest) return NULL;
    if (size > rest - at) size = rest - at;
    if (size > sizeof name) size = sizeof name;
    if (read_at(file, strings->sh_offset + at, name, size) < 0 || !memchr(name, '\0', size)) return NULL;
    return strdup(name);
}

int pb_symbols_find(const char *path, const struct pb_image_id *id, struct pb_symbol *symbols, size_t count)
{
    struct file file;
    ElfW(Shdr) table, strings;
    for (size_t k = 0; k < count; k++)
        symbols[k].name = NULL;
    struct best *bests = calloc(count ? count : 1, sizeof *bests);
    if (!bests) return -ENOMEM;
    int rc = open_file(path, &file);
    if (rc < 0) goto out;
    if ((rc = check_id(&file, id)) < 0 || (rc = find_table(&file, &table, &strings)) < 0 ||
        (rc = read_table(&file, &table, symbols, bests, count)) < 0)
        goto close;
    for (size_t k = 0; k < count; k++) {
        symbols[k].start = bests[k].start;
        if (bests[k].name) symbols[k].name = read_name(&file, &strings, bests[k].name);
    }
close:
    pb_close(&file.fd);
out:
    free(bests);
    return rc;
}
