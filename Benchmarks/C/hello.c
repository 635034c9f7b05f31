/* SPDX-License-Identifier: Apache-2.0
 *
 * What start.c starts: a program that does nothing, with and without Pebble in it. */
#ifdef WITH_PEBBLE
#include <pebble.h>

/* Never called: it is there so that the library is linked. */
static int use(void)
{
    pebble_pool *pool;
    return pebble_pool_new(0, &pool);
}
#else
static int use(void)
{
    return 0;
}
#endif

int main(int argc, char **argv)
{
    (void)argv;
    return argc > 1 ? use() : 0;
}
