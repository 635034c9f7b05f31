/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "image.h"

#include <dlfcn.h>
#include <elf.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In a program linked statically there may be none. */
#pragma weak dlopen

/* The executable segments looked up so far; only ever grows, at its head. */
static _Atomic(struct pb_image *) known;

static uint64_t mixed(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(0x100000001b3); /* FNV-1a, a word at a time */
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void fingerprint(const struct dl_phdr_info *info, struct pb_image_id *ret_id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *next = base_name(info->dlpi_name); *next; next++)
        hash = mixed(hash, (unsigned char)*next);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        const uint64_t values[] = {header->p_type,   header->p_flags, header->p_vaddr,
                                   header->p_filesz, header->p_memsz, header->p_offset};
        for (size_t k = 0; k < PB_COUNT(values); k++)
            hash = mixed(hash, values[k]);
    }
    memset(ret_id->bytes, 0, sizeof ret_id->bytes);
    memcpy(ret_id->bytes, &hash, sizeof hash);
}

bool pb_image_id_in_notes(const char *notes, size_t size, struct pb_image_id *ret_id)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, notes, sizeof note);
        size_t name = sizeof note, data = name + (((size_t)note.n_namesz + 3) & ~(size_t)3);
        size_t end = data + (((size_t)note.n_descsz + 3) & ~(size_t)3);
        if (end > size) return false;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(notes + name, "GNU", 4) == 0) {
            size_t length = note.n_descsz < PB_IMAGE_ID_SIZE ? note.n_descsz : PB_IMAGE_ID_SIZE;
            memset(ret_id->bytes, 0, sizeof ret_id->bytes);
            memcpy(ret_id->bytes, notes + data, length);
            return true;
        }
        notes += end;
        size -= end;
    }
    return false;
}

static void image_id(const struct dl_phdr_info *info, struct pb_image_id *ret_id)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_NOTE &&
            pb_image_id_in_notes((const char *)(info->dlpi_addr + header->p_vaddr), header->p_memsz, ret_id))
            return;
    }
    fingerprint(info, ret_id);
}

/* The executable segment of the image that holds the address, or NULL. */
static const ElfW(Phdr) *segment_of(const struct dl_phdr_info *info, uintptr_t address)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_X)) continue;
        uintptr_t low = info->dlpi_addr + header->p_vaddr;
        if (address >= low && address - low < header->p_memsz) return header;
    }
    return NULL;
}

/* A path that means the image in other processes too, to be freed; NULL: no
 * memory. The loader knows it by the one that it was loaded by, which may be
 * relative to a directory that we have left since. */
static char *absolute_path(const struct dl_phdr_info *info, uintptr_t address)
{
    const char *name = info->dlpi_name;
    if (!strchr(name, '/') || name[0] == '/') return strdup(name);
    Dl_info unused;
    struct link_map *map;
    char directory[PATH_MAX], *path;
    if (!dladdr1((void *)address, &unused, (void **)&map, RTLD_DL_LINKMAP)) return strdup(name);
    if (dlinfo(map, RTLD_DI_ORIGIN, directory) < 0) return strdup(name);
    return asprintf(&path, "%s/%s", directory, base_name(name)) < 0 ? NULL : path;
}

struct lookup {
    uintptr_t address;
    struct pb_image *image;
    int error;
};

static int look_up_address(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct lookup *lookup = arg;
    const ElfW(Phdr) *segment = segment_of(info, lookup->address);
    if (!segment) return 0;
    char *path = absolute_path(info, lookup->address);
    size_t path_size = path ? strlen(path) + 1 : 0;
    struct pb_image *image = path ? malloc(sizeof *image + path_size) : NULL;
    if (image) {
        image->base = info->dlpi_addr;
        image->low = info->dlpi_addr + segment->p_vaddr;
        image->high = image->low + segment->p_memsz;
        image_id(info, &image->id);
        memcpy(image->path, path, path_size);
    }
    free(path);
    lookup->image = image;
    lookup->error = image ? 0 : -ENOMEM;
    return 1;
}

int pb_image_locate(pebble_function function, struct pb_function_ref *ret_ref)
{
    uintptr_t address = (uintptr_t)function;
    struct pb_image *head = atomic_load_explicit(&known, memory_order_acquire);
    for (const struct pb_image *image = head; image; image = image->next)
        if (address >= image->low && address < image->high) {
            *ret_ref = (struct pb_function_ref){image, address - image->base};
            return 0;
        }
    struct lookup lookup = {.address = address, .error = -EFAULT};
    dl_iterate_phdr(look_up_address, &lookup);
    if (!lookup.image) return lookup.error;
    lookup.image->next = head;
    /* Two threads may add the same segment: harmless, and rare. */
    while (!atomic_compare_exchange_weak(&known, &lookup.image->next, lookup.image))
        continue;
    *ret_ref = (struct pb_function_ref){lookup.image, address - lookup.image->base};
    return 0;
}

struct resolution {
    const struct pb_image_id *id;
    uint64_t offset;
    uintptr_t address;
};

static int look_up_id(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct resolution *resolution = arg;
    struct pb_image_id id;
    image_id(info, &id);
    if (memcmp(&id, resolution->id, sizeof id) != 0) return 0;
    uintptr_t address = info->dlpi_addr + resolution->offset;
    if (segment_of(info, address)) resolution->address = address;
    return 1;
}

pebble_function pb_image_resolve(const struct pb_image_id *id, uint64_t offset, const char *path)
{
    struct resolution resolution = {.id = id, .offset = offset};
    dl_iterate_phdr(look_up_id, &resolution);
    /* Local: two plugins may have names in common. Lazy: as undemanding as dlopen can be. */
    if (!resolution.address && *path && dlopen && dlopen(path, RTLD_LAZY | RTLD_LOCAL))
        dl_iterate_phdr(look_up_id, &resolution);
    return (pebble_function)resolution.address;
}

/* --- images by address and by id --- */

static void spot_of(const struct dl_phdr_info *info, struct pb_image_spot *ret_spot)
{
    ret_spot->base = info->dlpi_addr;
    ret_spot->name = info->dlpi_name;
    image_id(info, &ret_spot->id);
}

#ifdef DLFO_STRUCT_HAS_EH_DBASE /* there is _dl_find_object, which takes no lock */

bool pb_image_at(uintptr_t address, struct pb_image_spot *ret_spot)
{
    struct dl_find_object object;
    if (_dl_find_object((void *)address, &object) != 0) return false;
    const ElfW(Ehdr) *header = object.dlfo_map_start;
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return false;
    const struct dl_phdr_info info = {
        .dlpi_addr = object.dlfo_link_map->l_addr,
        .dlpi_name = object.dlfo_link_map->l_name,
        .dlpi_phdr = (const ElfW(Phdr) *)((const char *)header + header->e_phoff),
        .dlpi_phnum = header->e_phnum,
    };
    spot_of(&info, ret_spot);
    return true;
}

#else

struct spotting {
    uintptr_t address;
    struct pb_image_spot *spot;
};

static int look_up_spot(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    const struct spotting *spotting = arg;
    if (!segment_of(info, spotting->address)) return 0;
    spot_of(info, spotting->spot);
    return 1;
}

bool pb_image_at(uintptr_t address, struct pb_image_spot *ret_spot)
{
    struct spotting spotting = {address, ret_spot};
    return dl_iterate_phdr(look_up_spot, &spotting) == 1;
}

#endif

struct search {
    const struct pb_image_id *id;
    uintptr_t base;
    char *path;
};

static char *path_of_executable(void)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    return strndup(path, length > 0 ? (size_t)length : 0);
}

static int look_up_file(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct search *search = arg;
    struct pb_image_id id;
    image_id(info, &id);
    if (memcmp(&id, search->id, sizeof id) != 0) return 0;
    search->base = info->dlpi_addr;
    search->path = *info->dlpi_name ? absolute_path(info, info->dlpi_addr + info->dlpi_phdr[0].p_vaddr)
                                    : path_of_executable();
    return 1;
}

int pb_image_find(const struct pb_image_id *id, uintptr_t *ret_base, char **ret_path)
{
    struct search search = {.id = id};
    if (!dl_iterate_phdr(look_up_file, &search)) return -ENOENT;
    if (!search.path) return -ENOMEM;
    *ret_base = search.base;
    *ret_path = search.path;
    return 0;
}

static int first_image(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    *(struct dl_phdr_info *)arg = *info;
    return 1; /* the first image is the executable */
}

void pb_image_program(struct pb_image_id *ret_id)
{
    struct dl_phdr_info info = {0};
    dl_iterate_phdr(first_image, &info);
    image_id(&info, ret_id);
}

bool pb_image_is_main(const void *address)
{
    struct dl_phdr_info info = {0};
    dl_iterate_phdr(first_image, &info);
    for (int i = 0; i < info.dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info.dlpi_phdr[i];
        uintptr_t low = info.dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && (uintptr_t)address >= low && (uintptr_t)address - low < header->p_memsz)
            return true;
    }
    return false;
}
