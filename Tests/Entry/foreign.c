/* SPDX-License-Identifier: Apache-2.0
 * foreign ok: a program that Pebble comes to only while main runs. A process
 * started from it never reaches Pebble's entry point, but enters main again: it
 * must end there (with ENTRY_HANGS: it waits there, and must be ended), and the
 * job must be refused with that cause. */
#include "entry.h"

#include <dlfcn.h>

static int square(pebble_call *call)
{
    (void)call;
    return 0;
}

static void *library;

/* Casts of object pointers to functions, in the form that ISO C leaves. */
#define LOAD(function)                                        \
    __typeof__(function) *load_##function = NULL;             \
    do {                                                      \
        void *symbol = dlsym(library, #function);             \
        memcpy(&load_##function, &symbol, sizeof symbol);     \
        EXPECT(load_##function);                              \
    } while (0)

static int expect_no_entry(enum pebble_start_method method)
{
    LOAD(pebble_pool_new);
    LOAD(pebble_pool_schedule);
    LOAD(pebble_future_wait);
    LOAD(pebble_future_outcome);
    LOAD(pebble_future_unref);
    LOAD(pebble_pool_stop);
    LOAD(pebble_pool_join);
    LOAD(pebble_pool_unref);
    const struct pebble_pool_config config = {
        .max_workers = 4, .start_method = method, .start_timeout = SECONDS(1)};
    pebble_pool *pool;
    pebble_future *futures[20];
    int scheduled = 0;
    EXPECT(load_pebble_pool_new(&config, &pool) == 0);
    for (int i = 0; i < 20; i++) {
        int rc = load_pebble_pool_schedule(pool, square, NULL, 0, NULL, &futures[scheduled]);
        EXPECT(rc == 0 || rc == -ENOEXEC);
        if (rc == 0) scheduled++;
    }
    EXPECT(scheduled > 0);
    for (int i = 0; i < scheduled; i++) {
        EXPECT(load_pebble_future_wait(futures[i], SECONDS(10)) == 0);
        EXPECT(load_pebble_future_outcome(futures[i])->status == PEBBLE_NOT_RUN);
        EXPECT(load_pebble_future_outcome(futures[i])->cause == PEBBLE_CAUSE_NO_ENTRY);
        load_pebble_future_unref(futures[i]);
    }
    EXPECT(load_pebble_pool_schedule(pool, square, NULL, 0, NULL, futures) == -ENOEXEC);
    load_pebble_pool_stop(pool);
    EXPECT(load_pebble_pool_join(pool, SECONDS(10)) == 0);
    load_pebble_pool_unref(pool);
    return entry_expect_no_child();
}

int main(int argc, char **argv)
{
    entry_main_entered();
    /* A process started from this one is given its environment, not its arguments. */
    bool again = argc < 2 || strcmp(argv[1], "ok") != 0;
    const char *path = getenv("ENTRY_LIBRARY");
    if (again && getenv("ENTRY_HANGS")) pause();
    library = path ? dlopen(path, RTLD_NOW) : NULL;
    if (!library) fprintf(stderr, "%s\n", dlerror());
    EXPECT(library);
    if (expect_no_entry(PEBBLE_FORK_SERVER)) return 1;
    if (expect_no_entry(PEBBLE_SPAWN)) return 1;
    fprintf(stderr, "entry %s\n", argv[1]);
    return 0;
}
