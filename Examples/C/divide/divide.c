/* SPDX-License-Identifier: Apache-2.0
 *
 * divide: a function over all lines of the standard input, however many, some
 * of which it fails for, and some of which it does not survive.
 *
 * The lines are taken a window ahead of what is printed, and go to the workers
 * in chunks. Still each has a result of its own, in its place.
 *
 *   cc -o divide divide.c $(pkg-config --cflags --libs cpebble)
 *   printf '84/2\n1/0\nhello\n81/3\n' | ./divide */
#define _GNU_SOURCE
#include <errno.h>
#include <pebble.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int must(const char *what, int rc)
{
    if (rc >= 0) return rc;
    fprintf(stderr, "divide: %s: %s\n", what, strerror(-rc));
    exit(EXIT_FAILURE);
}

/* ---- In a worker, for one line ---- */

static int divide(pebble_call *call)
{
    size_t length;
    const char *line = pebble_call_input(call, &length);
    const char *slash = strchr(line, '/'); /* and if there is none, this is the end of the worker */
    long divisor = strtol(slash + 1, NULL, 10);
    if (divisor == 0) {
        static const char reason[] = "division by zero";
        pebble_call_write(call, reason, sizeof reason - 1);
        return EDOM;
    }
    long quotient = strtol(line, NULL, 10) / divisor;
    return -pebble_call_write(call, &quotient, sizeof quotient);
}

/* ---- In the host ---- */

struct lines {
    char *line; /* the last one */
    size_t size;
};

/* The source of the map: a line, as a string. */
static int next_line(void *arg, const void **ret_data, size_t *ret_length)
{
    struct lines *lines = arg;
    ssize_t length = getline(&lines->line, &lines->size, stdin);
    if (length < 0) return ferror(stdin) ? -EIO : 0;
    lines->line[strcspn(lines->line, "\n")] = '\0';
    *ret_data = lines->line;
    *ret_length = strlen(lines->line) + 1;
    return 1;
}

static void print(const struct pebble_map_result *result)
{
    const struct pebble_outcome *outcome = &result->outcome;
    printf("line %llu: ", (unsigned long long)result->index + 1);
    if (outcome->status == PEBBLE_SUCCESS) {
        long quotient;
        memcpy(&quotient, outcome->data, sizeof quotient);
        printf("%ld\n", quotient);
    } else if (outcome->status == PEBBLE_FAILURE) {
        printf("%.*s\n", (int)outcome->length, (const char *)outcome->data);
    } else if (outcome->status == PEBBLE_EXPIRED) {
        printf("its worker ended with %s\n", pebble_signal_name(outcome->exit_signal));
    } else {
        printf("%s\n", pebble_status_string(outcome->status));
    }
}

int main(void)
{
    pebble_pool *pool;
    pebble_map *map;
    struct lines lines = {0};
    struct pebble_map_result result;
    const struct pebble_map_options options = {.chunk_size = 4, .job.name = "divide"};
    must("pool", pebble_pool_new(&(struct pebble_pool_config){.name = "divide"}, &pool));
    must("map", pebble_map_new(pool, divide, next_line, &lines, &options, &map));
    while (must("lines", pebble_map_next(map, PEBBLE_FOREVER, &result)) > 0)
        print(&result);

    pebble_map_free(map);
    pebble_pool_close(pool);
    must("join", pebble_pool_join(pool, PEBBLE_FOREVER));
    pebble_pool_unref(pool);
    free(lines.line);
    return EXIT_SUCCESS;
}
