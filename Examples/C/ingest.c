/* SPDX-License-Identifier: Apache-2.0
 *
 * ingest: reads a folder of JSON documents in a pool of worker processes.
 *
 * The parser, the checks and the checksum are plain code that trusts its input,
 * and some of the documents end it or keep it busy for ever: nested too deep,
 * a number far outside a table, a text on which the regular expression runs for
 * minutes. In a worker that costs one document. With --in-process it costs the
 * program.
 *
 * With --confined a worker can compute and read the folder, and nothing else:
 * a document that is a link to another file, or whose text takes the parser over,
 * gets no further. With --slurm 4 the workers are on four nodes of a Slurm cluster.
 *
 *   cc -o ingest *.c $(pkg-config --cflags --libs cpebble)
 *   ./ingest ../documents */
#include "document.h"
#include "progress.h"
#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <pebble.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAILED = 1, USAGE = 2 }; /* exit codes */

struct options {
    const char *folder;
    struct pebble_pool_config pool;
    unsigned nodes;  /* of a cluster; 0: on this machine */
    int64_t timeout; /* ns for each document */
    bool in_process, confined;
};

/* ---- The job: runs in a worker ---- */

static int ingest(pebble_call *call)
{
    size_t length;
    const char *path = pebble_call_input(call, &length);
    struct summary summary;
    char reason[160];
    if (document_ingest(path, &summary, reason, sizeof reason))
        return pebble_call_write(call, &summary, sizeof summary);
    pebble_call_write(call, reason, strlen(reason));
    return 1;
}

/* ---- The host ---- */

static _Noreturn void give_up(const char *what, int error)
{
    fprintf(stderr, "ingest: %s: %s\n", what, strerror(error));
    exit(FAILED);
}

static void *allocated(void *memory)
{
    if (!memory) give_up("memory", ENOMEM);
    return memory;
}

static char *path_in(const char *folder, const char *file)
{
    size_t size = strlen(folder) + strlen(file) + 2;
    char *path = allocated(malloc(size));
    snprintf(path, size, "%s/%s", folder, file);
    return path;
}

static void ingest_in_process(const struct options *options, struct report *reports, size_t count)
{
    struct progress progress;
    progress_start(&progress, count);
    for (size_t i = 0; i < count; i++) {
        struct report *report = &reports[i];
        char *path = path_in(options->folder, report->file);
        bool parsed = document_ingest(path, &report->summary, report->reason, sizeof report->reason);
        report->verdict = parsed ? PARSED : INVALID;
        free(path);
        progress_show(&progress, i + 1);
    }
}

static pebble_future *schedule(pebble_pool *pool, const struct options *options, const char *file)
{
    char *path = path_in(options->folder, file);
    struct pebble_job_options job = {.timeout = options->timeout, .name = file};
    pebble_future *future;
    int error = pebble_pool_schedule(pool, ingest, path, strlen(path) + 1, &job, &future);
    if (error < 0) give_up(file, -error);
    free(path);
    return future;
}

static void take_outcome(const struct pebble_outcome *outcome, struct report *report)
{
    pebble_outcome_describe(outcome, report->reason, sizeof report->reason);
    switch (outcome->status) {
    case PEBBLE_SUCCESS:
        report->verdict = PARSED;
        memcpy(&report->summary, outcome->data, sizeof report->summary);
        break;
    case PEBBLE_FAILURE:
        report->verdict = INVALID;
        snprintf(report->reason, sizeof report->reason, "%.*s", (int)outcome->length,
                 (const char *)outcome->data);
        break;
    case PEBBLE_TIMEOUT:
        report->verdict = TIMED_OUT;
        break;
    case PEBBLE_EXPIRED:
        report->verdict = CRASHED;
        break;
    case PEBBLE_CANCELLED:
    case PEBBLE_NOT_RUN:
    case PEBBLE_NODE_LOST: /* not the document's doing */
        fprintf(stderr, "ingest: %s: %s\n", report->file, report->reason);
        exit(FAILED);
    }
}

static void ingest_in_pool(const struct options *options, struct report *reports, size_t count)
{
    const int64_t tick = 100 * 1000 * 1000; /* ns between looks at the progress */
    struct pebble_pool_statistics statistics;
    struct progress progress;
    pebble_pool *pool;

    struct pebble_pool_config config = options->pool;
    char *readable[] = {options->confined ? allocated(realpath(options->folder, NULL)) : NULL, NULL};
    config.confined = options->confined;
    config.readable_paths = (const char *const *)readable;

    struct pebble_slurm slurm = {.nodes = options->nodes};
    int error = options->nodes ? pebble_slurm_pool_new(&config, &slurm, &pool) : pebble_pool_new(&config, &pool);
    if (error < 0) give_up("pool", -error);
    free(readable[0]);
    pebble_future **futures = allocated(calloc(count + 1, sizeof(pebble_future *)));
    for (size_t i = 0; i < count; i++)
        futures[i] = schedule(pool, options, reports[i].file);
    pebble_pool_close(pool);

    progress_start(&progress, count);
    for (size_t i = 0; i < count; i++) {
        while (pebble_future_wait(futures[i], tick) == -ETIMEDOUT) {
            pebble_pool_get_statistics(pool, &statistics);
            progress_show(&progress, statistics.done);
        }
        take_outcome(pebble_future_outcome(futures[i]), &reports[i]);
        pebble_future_unref(futures[i]);
    }
    progress_show(&progress, count);
    free(futures);

    pebble_pool_join(pool, PEBBLE_FOREVER);
    pebble_pool_unref(pool);
}

/* ---- The command line ---- */

static int is_json(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static _Noreturn void usage(FILE *stream, int status)
{
    fprintf(stream, "usage: ingest [--timeout SECONDS] [--workers N] [--slurm NODES] [--spawn] [--confined]\n"
                    "              [--in-process] FOLDER\n");
    exit(status);
}

static int64_t parse_timeout(const char *text)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end != text && *end == '\0' && seconds >= 1e-9 && seconds <= 1e9) return (int64_t)(seconds * 1e9);
    fprintf(stderr, "ingest: --timeout wants a number of seconds above 0\n");
    usage(stderr, USAGE);
}

static unsigned parse_number(const char *option, const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (end != text && *end == '\0' && number >= 1 && number <= 65536) return (unsigned)number;
    fprintf(stderr, "ingest: --%s wants a number from 1 to 65536\n", option);
    usage(stderr, USAGE);
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"timeout", required_argument, NULL, 't'}, {"workers", required_argument, NULL, 'w'},
        {"slurm", required_argument, NULL, 'n'},   {"spawn", no_argument, NULL, 's'},
        {"confined", no_argument, NULL, 'c'},
        {"in-process", no_argument, NULL, 'i'},    {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct options options = {.timeout = 2 * INT64_C(1000000000), .pool.name = "ingest"};
    for (int option; (option = getopt_long(argc, argv, "h", names, NULL)) != -1;) {
        switch (option) {
        case 't':
            options.timeout = parse_timeout(optarg);
            break;
        case 'w':
            options.pool.max_workers = parse_number("workers", optarg);
            break;
        case 'n':
            options.nodes = parse_number("slurm", optarg);
            break;
        case 's':
            options.pool.start_method = PEBBLE_SPAWN;
            break;
        case 'c':
            options.confined = true;
            break;
        case 'i':
            options.in_process = true;
            break;
        case 'h':
            usage(stdout, EXIT_SUCCESS);
        default:
            usage(stderr, USAGE);
        }
    }
    if (optind != argc - 1) usage(stderr, USAGE);
    options.folder = argv[optind];
    return options;
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    struct dirent **entries;
    int found = scandir(options.folder, &entries, is_json, alphasort);
    if (found < 0) {
        fprintf(stderr, "ingest: %s: %s\n", options.folder, strerror(errno));
        return USAGE;
    }
    size_t count = (size_t)found;
    struct report *reports = allocated(calloc(count + 1, sizeof *reports));
    for (size_t i = 0; i < count; i++)
        reports[i].file = entries[i]->d_name;

    if (options.in_process)
        ingest_in_process(&options, reports, count);
    else
        ingest_in_pool(&options, reports, count);
    report_print(reports, count);

    for (size_t i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    free(reports);
    return EXIT_SUCCESS;
}
