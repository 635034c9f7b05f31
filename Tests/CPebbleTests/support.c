/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

TCase *group(Suite *suite, const char *name, int seconds)
{
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, seconds);
    suite_add_tcase(suite, tcase);
    return tcase;
}

TCase *group_without(Suite *suite, const char *tools, const char *name, int seconds)
{
    TCase *tcase = group(suite, name, seconds);
    tcase_set_tags(tcase, tools);
    return tcase;
}

/* --- pools --- */

pebble_pool *pool_of(const struct pebble_pool_config *config)
{
    pebble_pool *pool;
    ck_assert_int_eq(pebble_pool_new(config, &pool), 0);
    return pool;
}

pebble_pool *pool_with(int method, unsigned workers)
{
    return pool_of(&(struct pebble_pool_config){.max_workers = workers,
                                                .start_method = (enum pebble_start_method)method});
}

void close_pool(pebble_pool *pool)
{
    pebble_pool_close(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    pebble_pool_unref(pool);
}

void stop_pool(pebble_pool *pool)
{
    pebble_pool_stop(pool);
    ck_assert_int_eq(pebble_pool_join(pool, PATIENCE), 0);
    pebble_pool_unref(pool);
}

struct pebble_pool_statistics statistics_of(pebble_pool *pool)
{
    struct pebble_pool_statistics statistics;
    pebble_pool_get_statistics(pool, &statistics);
    return statistics;
}

/* --- jobs --- */

static pebble_future *schedule_with(pebble_pool *pool, pebble_function function, const void *input,
                                    size_t length, const struct pebble_job_options *options)
{
    pebble_future *future;
    ck_assert_int_eq(pebble_pool_schedule(pool, function, input, length, options, &future), 0);
    return future;
}

pebble_future *schedule(pebble_pool *pool, pebble_function function)
{
    return schedule_with(pool, function, NULL, 0, NULL);
}

pebble_future *schedule_bytes(pebble_pool *pool, pebble_function function, const void *input, size_t length)
{
    return schedule_with(pool, function, input, length, NULL);
}

pebble_future *schedule_order(pebble_pool *pool, pebble_function function, struct order order)
{
    return schedule_with(pool, function, &order, sizeof order, NULL);
}

pebble_future *schedule_limited(pebble_pool *pool, pebble_function function, struct order order,
                                struct pebble_job_options options)
{
    return schedule_with(pool, function, &order, sizeof order, &options);
}

const struct pebble_outcome *outcome_of(pebble_future *future)
{
    ck_assert_int_eq(pebble_future_wait(future, PATIENCE), 0);
    const struct pebble_outcome *outcome = pebble_future_outcome(future);
    ck_assert_ptr_nonnull(outcome);
    return outcome;
}

const struct pebble_outcome *expect(pebble_future *future, enum pebble_status status)
{
    const struct pebble_outcome *outcome = outcome_of(future);
    char text[128];
    pebble_outcome_describe(outcome, text, sizeof text);
    ck_assert_msg(outcome->status == status, "%s, instead of %s", text, pebble_status_string(status));
    return outcome;
}

void expect_and_drop(pebble_future *future, enum pebble_status status)
{
    expect(future, status);
    pebble_future_unref(future);
}

int64_t number_from(pebble_future *future)
{
    const struct pebble_outcome *outcome = expect(future, PEBBLE_SUCCESS);
    int64_t number;
    ck_assert_uint_eq(outcome->length, sizeof number);
    memcpy(&number, outcome->data, sizeof number);
    pebble_future_unref(future);
    return number;
}

int64_t run(pebble_pool *pool, pebble_function function)
{
    return number_from(schedule(pool, function));
}

void wait_gone(pebble_future *future)
{
    ck_assert_int_eq(pebble_future_wait_gone(future, PATIENCE), 0);
}

/* --- between a test and its jobs --- */

void scene_open(struct scene *scene)
{
    ck_assert_int_eq(pipe2(scene->told, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(scene->go, O_CLOEXEC), 0);
    scene->memory = memfd_create("board", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(scene->memory, sizeof *scene->board), 0);
    scene->board = mmap(NULL, sizeof *scene->board, PROT_READ | PROT_WRITE, MAP_SHARED, scene->memory, 0);
    ck_assert_ptr_ne(scene->board, MAP_FAILED);
}

void scene_close(struct scene *scene)
{
    const int descriptors[] = {scene->told[0], scene->told[1], scene->go[0], scene->go[1], scene->memory};
    for (size_t i = 0; i < PB_COUNT(descriptors); i++)
        close(descriptors[i]);
    munmap(scene->board, sizeof *scene->board);
}

struct order order_in(const struct scene *scene, int64_t number)
{
    return (struct order){getpid(), scene->told[1], scene->go[0], scene->memory, number};
}

void wait_readable(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    int rc;
    do
        rc = poll(&polled, 1, (int)(PATIENCE / MILLISECOND));
    while (rc < 0 && errno == EINTR);
    ck_assert_int_eq(rc, 1);
}

int64_t hear(const struct scene *scene)
{
    int64_t number;
    wait_readable(scene->told[0]);
    ck_assert_int_eq(read(scene->told[0], &number, sizeof number), sizeof number);
    return number;
}

bool silent(const struct scene *scene)
{
    struct pollfd polled = {.fd = scene->told[0], .events = POLLIN};
    return poll(&polled, 1, 0) == 0;
}

void let_go(const struct scene *scene, int64_t number)
{
    ck_assert_int_eq(write(scene->go[1], &number, sizeof number), sizeof number);
}

/* --- processes, descriptors, threads --- */

int watch_process(pid_t pid)
{
    long fd = syscall(SYS_pidfd_open, pid, 0);
    ck_assert_int_ge(fd, 0);
    return (int)fd;
}

void expect_dead(int pidfd)
{
    wait_readable(pidfd);
    close(pidfd);
}

bool alive(int pidfd)
{
    struct pollfd polled = {.fd = pidfd, .events = POLLIN};
    return poll(&polled, 1, 0) == 0;
}

void expect_ended(pid_t pid)
{
    long fd = syscall(SYS_pidfd_open, pid, 0);
    if (fd >= 0) expect_dead((int)fd);
    else ck_assert_int_eq(errno, ESRCH);
}

int children_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "r");
    int child, count = 0;
    if (!file) return 0;
    while (fscanf(file, "%d", &child) == 1)
        count++;
    fclose(file);
    return count;
}

static int count_entries(const char *path)
{
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

int count_descriptors(void)
{
    return count_entries("/proc/self/fd") - 1; /* without that of the folder itself */
}

int count_threads(void)
{
    return count_entries("/proc/self/task");
}

static bool is_of_a_pool(int folder, const char *thread)
{
    char path[300], name[16] = "";
    snprintf(path, sizeof path, "%s/comm", thread);
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, name, sizeof name - 1);
    if (fd >= 0) close(fd);
    return length > 0 && strncmp(name, "pebble-", 7) == 0;
}

int count_pool_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(folder);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += is_of_a_pool(dirfd(folder), entry->d_name);
    closedir(folder);
    return count;
}

/* --- misbehaviour --- */

void fails_alone(int method, pebble_function function)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(method, 2);
    pebble_future *steady = schedule_order(pool, job_meet, order_in(&scene, 0));
    int64_t keeper = hear(&scene);
    for (int i = 0; i < 3; i++) {
        pebble_future *future = schedule(pool, function);
        const struct pebble_outcome *outcome = expect(future, PEBBLE_EXPIRED);
        ck_assert_int_eq(outcome->exit_signal, SIGKILL);
        wait_gone(future);
        pebble_future_unref(future);
        ck_assert_int_gt(run(pool, job_pid), 0);
    }
    let_go(&scene, 0);
    ck_assert_int_eq(number_from(steady), keeper);
    close_pool(pool);
}
