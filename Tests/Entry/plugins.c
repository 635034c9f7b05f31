/* SPDX-License-Identifier: Apache-2.0
 * plugins ONE TWO: tasks of plugins that only the host has loaded, by the paths
 * given, which may be relative. The plugins are told apart although the names
 * of their functions are the same. A plugin whose file is gone is a clear error. */
#include "entry.h"

#include <dlfcn.h>

static pebble_function function_of(void *plugin, const char *name)
{
    pebble_function function = NULL;
    void *symbol = plugin ? dlsym(plugin, name) : NULL;
    memcpy(&function, &symbol, sizeof function);
    return function;
}

static int expect_both(enum pebble_start_method method, pebble_function one, pebble_function two)
{
    pebble_pool *pool = entry_pool(method);
    EXPECT(pool);
    if (entry_expect_value(pool, one, 7, 50)) return 1;
    if (entry_expect_value(pool, two, 7, 51)) return 1;
    return entry_finish(pool);
}

static int expect_no_function(enum pebble_start_method method, pebble_function function)
{
    pebble_pool *pool = entry_pool(method);
    pebble_future *future;
    EXPECT(pool);
    if (entry_call(pool, function, 7, &future)) return 1;
    EXPECT(pebble_future_outcome(future)->status == PEBBLE_NOT_RUN);
    EXPECT(pebble_future_outcome(future)->cause == PEBBLE_CAUSE_NO_FUNCTION);
    pebble_future_unref(future);
    return entry_finish(pool);
}

int main(int argc, char **argv)
{
    entry_main_entered();
    EXPECT(argc == 3);
    void *one = dlopen(argv[1], RTLD_NOW), *two = dlopen(argv[2], RTLD_NOW);
    if (!one || !two) fprintf(stderr, "%s\n", dlerror());
    pebble_function square_plus_one = function_of(one, "square_plus"), crash = function_of(one, "crash");
    pebble_function square_plus_two = function_of(two, "square_plus"), square = function_of(two, "square");
    EXPECT(square_plus_one && square_plus_two && crash && square);
    char *directory = getcwd(NULL, 0);
    EXPECT(directory && chdir("/") == 0); /* a server inherits this directory, not the one of dlopen */
    if (expect_both(PEBBLE_FORK_SERVER, square_plus_one, square_plus_two)) return 1;
    if (expect_both(PEBBLE_SPAWN, square_plus_one, square_plus_two)) return 1;
    if (entry_check(square, crash)) return 1;
    EXPECT(chdir(directory) == 0 && unlink(argv[1]) == 0);
    free(directory);
    if (expect_no_function(PEBBLE_FORK_SERVER, square_plus_one)) return 1;
    return expect_no_function(PEBBLE_SPAWN, square_plus_one);
}
