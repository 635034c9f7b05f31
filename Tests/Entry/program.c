/* SPDX-License-Identifier: Apache-2.0
 * An ordinary program, started in ordinary and in odd situations:
 *   program                  nothing special
 *   program ignoring         SIGCHLD is ignored
 *   program replaced FILE    FILE is moved over the program's own file first
 *   program named NAME       the pool has that name
 *   program title            a job is seen in the title of its worker
 *   program variable         SWIFT_BACKTRACE is $ENTRY_VALUE, here and in jobs
 *   program descriptors      jobs have no descriptors that they do not need
 *   program invocation       the program's name in a job's messages is $ENTRY_VALUE */
#include "entry.h"

#ifdef ENTRY_TASKS_ELSEWHERE
int square(pebble_call *call);
int crash(pebble_call *call);
#else
static int square(pebble_call *call)
{
    return entry_square(call);
}

static int crash(pebble_call *call)
{
    return entry_crash(call);
}
#endif

/* --- jobs that look at their surroundings, and reply 1 when all is well --- */

static int answer(pebble_call *call, long fine, const char *found)
{
    if (!fine) fprintf(stderr, "found in a job: %s\n", found);
    return pebble_call_write(call, &fine, sizeof fine);
}

static int title(pebble_call *call)
{
    static const char expected[] = "pebble: entry worker 1: titled";
    char shown[sizeof expected + 1] = {0};
    FILE *file = fopen("/proc/self/cmdline", "r");
    size_t length = file ? fread(shown, 1, sizeof expected, file) : 0;
    if (file) fclose(file);
    return answer(call, length == sizeof expected && strcmp(shown, expected) == 0, shown);
}

static bool is_expected(const char *value)
{
    const char *expected = getenv("ENTRY_VALUE");
    return value && expected && strcmp(value, expected) == 0;
}

static int variable(pebble_call *call)
{
    const char *value = getenv("SWIFT_BACKTRACE");
    return answer(call, is_expected(value) && !getenv("PEBBLE_BOOT"), value ? value : "no value");
}

static int invocation(pebble_call *call)
{
    bool fine = is_expected(program_invocation_name) && is_expected(program_invocation_short_name);
    return answer(call, fine, program_invocation_name);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Of the first three none is of Pebble's making, of the others none is the server's. */
static int descriptors(pebble_call *call)
{
    static const char *const of_server[] = {"socket:", "anon_inode:[eventpoll]", "anon_inode:[signalfd]",
                                            "anon_inode:[pidfd]"};
    for (int fd = 0; fd < 64; fd++) {
        char path[32], target[64] = {0};
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (fd == 3 || fd == 4 || readlink(path, target, sizeof target - 1) < 0) continue;
        if (fd <= 2 && begins(target, "anon_inode:")) return answer(call, 0, target);
        for (size_t i = 0; i < sizeof of_server / sizeof *of_server; i++)
            if (begins(target, of_server[i])) return answer(call, 0, target);
    }
    return answer(call, 1, "");
}

static const struct {
    const char *situation;
    pebble_function job;
} observers[] = {
    {"title", title}, {"variable", variable}, {"descriptors", descriptors}, {"invocation", invocation}};

static int observe(enum pebble_start_method method, pebble_function job)
{
    const struct pebble_job_options options = {.name = "titled"};
    pebble_pool *pool = entry_pool(method);
    pebble_future *future;
    EXPECT(pool);
    EXPECT(pebble_pool_schedule(pool, job, NULL, 0, &options, &future) == 0);
    EXPECT(pebble_future_wait(future, SECONDS(20)) == 0);
    EXPECT(pebble_future_outcome(future)->status == PEBBLE_SUCCESS);
    EXPECT(*(const long *)pebble_future_outcome(future)->data == 1);
    pebble_future_unref(future);
    return entry_finish(pool);
}

/* --- situations of the host --- */

static int expect_named(enum pebble_start_method method, const char *name)
{
    const struct pebble_pool_config config = {.max_workers = 1, .start_method = method, .name = name};
    pebble_pool *pool;
    EXPECT(pebble_pool_new(&config, &pool) == 0);
    if (entry_expect_value(pool, square, 3, 9)) return 1;
    return entry_finish(pool);
}

static int replace_self(const char *file)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    EXPECT(length > 0);
    self[length] = '\0';
    EXPECT(rename(file, self) == 0);
    return 0;
}

int main(int argc, char **argv)
{
    entry_main_entered();
    const char *situation = argc > 1 ? argv[1] : "", *argument = argc > 2 ? argv[2] : "";
    if (strcmp(situation, "ignoring") == 0) signal(SIGCHLD, SIG_IGN);
    if (strcmp(situation, "variable") == 0) EXPECT(is_expected(getenv("SWIFT_BACKTRACE")));
    for (int method = PEBBLE_FORK_SERVER; method <= PEBBLE_SPAWN; method++) {
        if (strcmp(situation, "named") == 0 && expect_named(method, argument)) return 1;
        for (size_t i = 0; i < sizeof observers / sizeof *observers; i++)
            if (strcmp(situation, observers[i].situation) == 0 && observe(method, observers[i].job)) return 1;
    }
    if (strcmp(situation, "replaced") == 0 && replace_self(argument)) return 1;
    return entry_check(square, crash);
}
