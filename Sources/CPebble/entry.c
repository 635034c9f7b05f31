/* SPDX-License-Identifier: Apache-2.0
 *
 * A constructor that acts only in a process with our marker. Where this library
 * is part of the executable, initialisers of the executable are still to come
 * (those of Swift's runtime among them when it is linked statically): it runs
 * them itself and then never returns. Where it is a shared library, even the
 * executable's first initialiser is still to come: it takes main's place, by
 * changing what the executable's startup code will call. */
#include "compat.h"
#include "entry.h"
#include "boot.h"
#include "child.h"
#include "fd.h"
#include "image.h"
#include "serve.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef int main_function(int, char **, char **);
typedef int start_main_function(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void),
                                void *);
typedef void initialiser(int, char **, char **);

/* Made by the linker in an executable; absent in a shared library. */
extern __attribute__((weak, visibility("hidden"))) initialiser *__init_array_start[], *__init_array_end[];

static struct pb_boot boot;
static bool looked;  /* for the marker */
static bool pending; /* marked, and not entered */
static int agent_in, agent_out; /* what were an agent's stdin and stdout */
static start_main_function *real_start_main;

static void look(void)
{
    if (looked) return;
    looked = true;
    pb_boot_take(&boot);
    pending = boot.role != PB_BOOT_NONE;
}

void pb_entry_refuse_unless_entered(void)
{
    look(); /* an initialiser that comes before ours may want a pool */
    if (pending) _exit(PB_EXIT_NO_ENTRY);
}

bool pb_entry_is_marked(void)
{
    look();
    return boot.role != PB_BOOT_NONE;
}

static _Noreturn void enter(void)
{
    pending = false;
    __fpurge(stdout); /* what initialisers have printed, those of the host have printed too */
    if (boot.role == PB_BOOT_SERVER) pb_serve();
    if (boot.role == PB_BOOT_AGENT) pb_agent_main(agent_in, agent_out, boot.number);
    pb_child_main(&boot, pb_boot_depth());
}

static int main_in_its_place(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    enter();
}

static int start_main_in_its_place(main_function *program, int argc, char **argv, void (*init)(void),
                                   void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    (void)program;
    return real_start_main(main_in_its_place, argc, argv, init, fini, rtld_fini, stack_end);
}

struct relocations {
    const ElfW(Rela) *table;
    size_t count;
};

static const ElfW(Dyn) *dynamic_section(const struct dl_phdr_info *info)
{
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            return (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    return NULL;
}

/* The slot through which the image calls the function of that name, or NULL. */
static void **import_slot(const struct dl_phdr_info *info, const char *name)
{
    const ElfW(Sym) *symbols = NULL;
    const char *strings = NULL;
    struct relocations tables[2] = {0};
    const ElfW(Dyn) *entry = dynamic_section(info);
    for (; entry && entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_SYMTAB: symbols = (const void *)entry->d_un.d_ptr; break;
        case DT_STRTAB: strings = (const void *)entry->d_un.d_ptr; break;
        case DT_RELA: tables[0].table = (const void *)entry->d_un.d_ptr; break;
        case DT_RELASZ: tables[0].count = entry->d_un.d_val / sizeof(ElfW(Rela)); break;
        case DT_JMPREL: tables[1].table = (const void *)entry->d_un.d_ptr; break;
        case DT_PLTRELSZ: tables[1].count = entry->d_un.d_val / sizeof(ElfW(Rela)); break;
        default: break;
        }
    }
    if (!symbols || !strings) return NULL;
    for (size_t t = 0; t < PB_COUNT(tables); t++)
        for (size_t i = 0; tables[t].table && i < tables[t].count; i++) {
            const ElfW(Rela) *relocation = &tables[t].table[i];
            const ElfW(Sym) *symbol = &symbols[ELF64_R_SYM(relocation->r_info)];
            if (symbol->st_name && strcmp(strings + symbol->st_name, name) == 0)
                return (void **)(info->dlpi_addr + relocation->r_offset);
        }
    return NULL;
}

static int redirect_start_main(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    bool *ret_redirected = arg;
    void **slot = import_slot(info, "__libc_start_main");
    void *real = dlsym(RTLD_DEFAULT, "__libc_start_main");
    if (!slot || !real) return 1;
    uintptr_t page = (uintptr_t)slot & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
    size_t span = (uintptr_t)(slot + 1) - page;
    if (mprotect((void *)page, span, PROT_READ | PROT_WRITE) < 0) return 1;
    memcpy(&real_start_main, &real, sizeof real);
    start_main_function *ours = start_main_in_its_place;
    memcpy(slot, &ours, sizeof ours);
    *ret_redirected = true;
    return 1; /* the first image is the executable */
}

/* A pipe, a socket, or a terminal: Slurm gives a job a raw one for stdout, where nothing is to be held back. */
static bool is_stream(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0) return false;
    return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || isatty(fd);
}

/* An agent's link is moved away from stdin and stdout before anything of the
 * program runs: what that reads is nothing, what it prints goes to stderr. */
static bool move_agents_stdio(void)
{
    if (!is_stream(STDIN_FILENO) || !is_stream(STDOUT_FILENO)) return false;
    agent_in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    agent_out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (agent_in < 0 || agent_out < 0 || nothing < 0) return false;
    if (nothing == STDERR_FILENO && pb_set_cloexec(nothing, false) < 0) return false; /* it was closed */
    if (dup2(nothing, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return false;
    if (nothing > STDERR_FILENO) close(nothing);
    return true;
}

/* A socket of the right kind where our parent puts it? Else the marker lies. As
 * who holds its other end decides what we run, a program with more rights than
 * who started it (setuid) never believes the marker. */
static bool descriptors_are_ours(void)
{
    if (getauxval(AT_SECURE)) return false;
    if (boot.role == PB_BOOT_AGENT) return move_agents_stdio();
    int type = boot.role == PB_BOOT_SERVER ? SOCK_SEQPACKET : SOCK_STREAM;
    return pb_is_unix_socket(PB_BOOT_CHANNEL_FD, type) && pb_set_cloexec(PB_BOOT_CHANNEL_FD, true) == 0 &&
           pb_set_cloexec(PB_BOOT_EXTRA_FD, true) == 0;
}

__attribute__((constructor)) static void constructor(int argc, char **argv, char **envp)
{
    look();
    if (boot.role == PB_BOOT_NONE) return;
    if (!descriptors_are_ours()) _exit(PB_EXIT_NO_ENTRY);
    setproctitle_init(argc, argv, envp);
    program_invocation_name = program_invocation_short_name; /* a copy: the title takes the place of argv */

    if (pb_image_is_main(&boot)) {
        bool seen = false;
        for (initialiser **next = __init_array_start; next < __init_array_end; next++) {
            if (*next == constructor)
                seen = true;
            else if (seen)
                (*next)(argc, argv, envp);
        }
        enter();
    }
    bool redirected = false;
    dl_iterate_phdr(redirect_start_main, &redirected);
    if (!redirected) _exit(PB_EXIT_NO_ENTRY);
}
