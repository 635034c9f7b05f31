/* SPDX-License-Identifier: Apache-2.0
 *
 * Two bounds. While more than LIMIT of a worker's bytes wait for the pool's
 * function, its pipes are not read, so it blocks when they are full. What a job
 * has left in them is taken at its end all the same, since it is that job's; so
 * no job begins and no worker starts while more than LIMIT for each worker that
 * there may be waits in all. */
#include "compat.h"
#include "output.h"
#include "fd.h"
#include "lines.h"
#include "watch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define LIMIT ((size_t)1 << 20)
#define BLOCK ((size_t)64 << 10) /* bytes to read at once */
#define LINE_MAX_LENGTH ((size_t)64 << 10)
#define PIPE_MAX ((size_t)1 << 20) /* what a pipe holds, unless its worker has made it larger */
#define EVENTS 64

struct stream {
    struct pb_output *output;
    int fd;                /* -1: not captured, or at its end */
    bool watched, ignored; /* watched, but for nothing for now */
    bool begun;            /* what was read last does not end a line */
    struct pb_lines lines; /* the courier's */
};

/* Of one worker; of it, and of its blocks on their way. */
struct pb_output {
    atomic_uint refs;
    atomic_size_t waiting; /* bytes of its blocks */
    atomic_bool stopped;   /* not read, until fewer wait */
    struct pebble_pool *pool;
    struct pb_worker *worker;
    int pid;
    struct stream streams[2];
    char *tail; /* the last bytes of its stderr, in a ring; NULL: not captured */
    uint64_t tailed; /* bytes that went into it since the job began */
};

/* Bytes on their way to the function. */
struct block {
    struct pb_errand errand;
    struct stream *stream;
    size_t cost, length;
    bool last; /* a line that is begun ends here */
    char *bytes;
    char job[]; /* the name, then the bytes */
};

/* --- the pool's part --- */

int pb_output_init(struct pebble_pool *pool)
{
    pool->output.epoll = -1;
    return pb_courier_init(&pool->output.lines, pool, "pebble-lines");
}

void pb_output_done(struct pebble_pool *pool)
{
    pb_courier_done(&pool->output.lines);
}

int pb_output_open(struct pebble_pool *pool)
{
    const struct pebble_pool_config *config = &pool->config;
    if (config->stdout_to != PEBBLE_CAPTURE && config->stderr_to != PEBBLE_CAPTURE) return 0;
    if ((pool->output.epoll = epoll_create1(EPOLL_CLOEXEC)) < 0) return -errno;
    int rc = pb_watch_add(pool, pool->output.epoll, &pool->output);
    if (rc < 0) pb_output_close(pool);
    return rc;
}

void pb_output_close(struct pebble_pool *pool)
{
    pb_close(&pool->output.epoll);
}

static size_t most_waiting(const struct pebble_pool *pool)
{
    return LIMIT * atomic_load(&pool->max_workers);
}

/* Said first, and then looked at once more: whoever makes it less rings. */
bool pb_output_is_clogged(struct pebble_pool *pool)
{
    if (atomic_load(&pool->output.waiting) <= most_waiting(pool)) {
        atomic_store(&pool->output.clogged, false);
        return false;
    }
    atomic_store(&pool->output.clogged, true);
    return atomic_load(&pool->output.waiting) > most_waiting(pool);
}

bool pb_output_less_waits(struct pebble_pool *pool, size_t count)
{
    size_t all = atomic_fetch_sub(&pool->output.waiting, count) - count;
    return all <= most_waiting(pool) && atomic_load(&pool->output.clogged);
}

/* --- on the courier --- */

static void unref(struct pb_output *output)
{
    if (atomic_fetch_sub(&output->refs, 1) != 1) return;
    for (size_t i = 0; i < PB_COUNT(output->streams); i++)
        pb_lines_done(&output->streams[i].lines);
    free(output->tail);
    free(output);
}

static void call(const struct block *block, const struct pb_line *line)
{
    const struct pb_output *output = block->stream->output;
    const struct pebble_pool_config *config = &output->pool->config;
    const struct pebble_output_line told = {
        .stream = block->stream == &output->streams[0] ? STDOUT_FILENO : STDERR_FILENO,
        .pid = output->pid,
        .job = block->job,
        .text = line->text,
        .length = line->length,
        .partial = line->partial,
    };
    config->on_output(&told, config->output_arg);
}

static void run(struct pb_errand *errand)
{
    struct block *block = (struct block *)errand;
    struct pb_output *output = block->stream->output;
    struct pebble_pool *pool = output->pool;
    struct pb_lines *lines = &block->stream->lines;
    struct pb_line line;
    pb_lines_give(lines, block->bytes, block->length);
    while (pb_lines_next(lines, &line))
        call(block, &line);
    if (block->last && pb_lines_rest(lines, &line)) call(block, &line);

    size_t own = atomic_fetch_sub(&output->waiting, block->cost) - block->cost;
    bool resume = own <= LIMIT / 2 && atomic_load(&output->stopped);
    bool unclogged = pb_output_less_waits(pool, block->cost);
    if (resume || unclogged) pb_inbox_ring(&pool->inbox);
    free(block);
    unref(output);
}

/* --- a worker's pipes --- */

static int open_stream(struct stream *stream, int *ret_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    stream->fd = ends[0];
    *ret_end = ends[1];
    return pb_set_nonblocking(ends[0], true);
}

static int open_streams(struct pebble_pool *pool, struct pb_output *output, int ret_ends[2])
{
    const struct pebble_pool_config *config = &pool->config;
    const enum pebble_output kinds[2] = {config->stdout_to, config->stderr_to};
    int count = 0, rc = 0;
    for (size_t i = 0; i < 2 && rc == 0; i++)
        if (kinds[i] == PEBBLE_CAPTURE) rc = open_stream(&output->streams[i], &ret_ends[count++]);
    if (rc == 0 && config->stderr_to == PEBBLE_CAPTURE && !(output->tail = malloc(config->output_tail))) rc = -ENOMEM;
    if (rc == 0 && config->on_output) rc = pb_courier_prepare(&pool->output.lines);
    return rc < 0 ? rc : count;
}

int pb_output_attach(struct pebble_pool *pool, struct pb_worker *worker, int ret_ends[2])
{
    if (pool->output.epoll < 0) return 0;
    struct pb_output *output = calloc(1, sizeof *output);
    if (!output) return -ENOMEM;
    atomic_init(&output->refs, 1);
    output->pool = pool;
    output->worker = worker;
    for (size_t i = 0; i < PB_COUNT(output->streams); i++)
        output->streams[i] = (struct stream){.output = output, .fd = -1, .lines.max = LINE_MAX_LENGTH};
    worker->output = output;
    int rc = open_streams(pool, output, ret_ends);
    if (rc >= 0) return rc;
    pb_close(&ret_ends[0]);
    pb_close(&ret_ends[1]);
    pb_output_detach(worker);
    return rc;
}

static int watch(struct pebble_pool *pool, struct stream *stream)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = stream};
    if (stream->fd < 0 || stream->watched) return 0;
    stream->watched = epoll_ctl(pool->output.epoll, EPOLL_CTL_ADD, stream->fd, &event) == 0;
    return stream->watched ? 0 : -errno;
}

/* Edge-triggered meanwhile, for the hang-up is told even if nothing is asked for. It cannot fail. */
static void ignore(struct pebble_pool *pool, struct stream *stream, bool ignored)
{
    struct epoll_event event = {.events = ignored ? EPOLLET : EPOLLIN, .data.ptr = stream};
    if (!stream->watched || stream->ignored == ignored) return;
    epoll_ctl(pool->output.epoll, EPOLL_CTL_MOD, stream->fd, &event);
    stream->ignored = ignored;
}

static void close_stream(struct pebble_pool *pool, struct stream *stream)
{
    if (stream->watched) epoll_ctl(pool->output.epoll, EPOLL_CTL_DEL, stream->fd, NULL);
    stream->watched = false;
    pb_close(&stream->fd);
}

void pb_output_detach(struct pb_worker *worker)
{
    if (!worker->output) return;
    for (size_t i = 0; i < PB_COUNT(worker->output->streams); i++)
        close_stream(worker->output->pool, &worker->output->streams[i]);
    unref(worker->output);
    worker->output = NULL;
}

int pb_output_watch(struct pebble_pool *pool, struct pb_worker *worker)
{
    struct pb_output *output = worker->output;
    if (!output) return 0;
    output->pid = worker->proc.pid;
    int rc = watch(pool, &output->streams[0]);
    return rc < 0 ? rc : watch(pool, &output->streams[1]);
}

/* --- reading --- */

static void remember(struct pb_output *output, const char *bytes, size_t length)
{
    size_t size = output->pool->config.output_tail, over = length > size ? length - size : 0;
    output->tailed += over;
    bytes += over;
    length -= over;
    size_t place = output->tailed % size, first = length < size - place ? length : size - place;
    memcpy(output->tail + place, bytes, first);
    memcpy(output->tail, bytes + first, length - first);
    output->tailed += length;
}

static struct block *new_block(struct stream *stream, const struct pebble_future *job, size_t room)
{
    const char *name = job && job->name ? job->name : "";
    size_t named = strlen(name) + 1;
    struct block *block = malloc(sizeof *block + named + room + 1);
    if (!block) return NULL;
    *block = (struct block){.errand.run = run, .stream = stream, .cost = sizeof *block + named + room + 1};
    memcpy(block->job, name, named);
    block->bytes = block->job + named;
    return block;
}

static void post(struct pebble_pool *pool, struct block *block)
{
    struct pb_output *output = block->stream->output;
    atomic_fetch_add(&output->refs, 1);
    atomic_fetch_add(&output->waiting, block->cost);
    atomic_fetch_add(&pool->output.waiting, block->cost);
    pb_courier_post(&pool->output.lines, &block->errand); /* the thread exists: it was prepared */
}

/* Reads up to so many bytes, which are there. How many it were. */
static size_t read_some(struct pebble_pool *pool, struct stream *stream, const struct pebble_future *job, size_t most)
{
    struct block *block = new_block(stream, job, most);
    ssize_t n = block ? read(stream->fd, block->bytes, most) : -1;
    if (n <= 0) {
        free(block);
        return 0;
    }
    block->length = (size_t)n;
    stream->begun = block->bytes[n - 1] != '\n';
    if (stream == &stream->output->streams[1]) remember(stream->output, block->bytes, block->length);
    if (pool->config.on_output)
        post(pool, block);
    else
        free(block);
    return (size_t)n;
}

static const struct pebble_future *job_of(const struct pb_worker *worker)
{
    return pb_hostlink_tag(&worker->link, 0);
}

static void take(struct pebble_pool *pool, struct pb_worker *worker, const struct pebble_future *job)
{
    for (size_t i = 0; i < PB_COUNT(worker->output->streams); i++) {
        struct stream *stream = &worker->output->streams[i];
        size_t there = stream->fd >= 0 ? pb_fd_bytes_there(stream->fd) : 0, n = 1;
        for (size_t left = there < PIPE_MAX ? there : PIPE_MAX; left && n; left -= n)
            n = read_some(pool, stream, job, left < BLOCK ? left : BLOCK);
    }
}

void pb_output_take(struct pebble_pool *pool, struct pb_worker *worker)
{
    if (worker->output) take(pool, worker, job_of(worker));
}

void pb_output_end_job(struct pebble_pool *pool, struct pb_worker *worker, const struct pebble_future *job)
{
    if (!worker->output) return;
    take(pool, worker, job);
    for (size_t i = 0; i < PB_COUNT(worker->output->streams); i++) {
        struct stream *stream = &worker->output->streams[i];
        struct block *block = stream->begun && pool->config.on_output ? new_block(stream, job, 0) : NULL;
        stream->begun = false;
        if (!block) continue;
        block->last = true;
        post(pool, block);
    }
}

void pb_output_begin_job(struct pebble_pool *pool, struct pb_worker *worker)
{
    if (!worker->output) return;
    pb_output_end_job(pool, worker, NULL);
    worker->output->tailed = 0;
}

void pb_output_end(struct pebble_pool *pool, struct pb_worker *worker)
{
    if (!worker->output) return;
    pb_output_end_job(pool, worker, job_of(worker));
    pool->output.stopped -= atomic_exchange(&worker->output->stopped, false);
    for (size_t i = 0; i < PB_COUNT(worker->output->streams); i++)
        close_stream(pool, &worker->output->streams[i]);
}

void pb_output_tell(const struct pb_worker *worker, struct pebble_outcome *outcome)
{
    const struct pb_output *output = worker->output;
    if (!output || !output->tail || outcome->output_tail) return;
    size_t size = output->pool->config.output_tail;
    size_t length = output->tailed < size ? (size_t)output->tailed : size;
    size_t place = (output->tailed - length) % size, first = length < size - place ? length : size - place;
    char *tail = malloc(length + 1);
    if (!tail) return;
    memcpy(tail, output->tail + place, first);
    memcpy(tail + first, output->tail, length - first);
    tail[length] = '\0';
    outcome->output_tail = tail;
    outcome->output_tail_length = length;
}

/* --- events --- */

/* Said first, and then looked at once more, as above. */
static bool is_behind(struct pebble_pool *pool, struct pb_output *output)
{
    if (atomic_load(&output->waiting) < LIMIT) return false;
    if (!atomic_exchange(&output->stopped, true)) pool->output.stopped++;
    for (size_t i = 0; i < PB_COUNT(output->streams); i++)
        ignore(pool, &output->streams[i], true);
    if (atomic_load(&output->waiting) <= LIMIT / 2) pb_inbox_ring(&pool->inbox);
    return true;
}

void pb_output_on_ready(struct pebble_pool *pool)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(pool->output.epoll, events, EVENTS, 0);
    for (int i = 0; i < count; i++) {
        struct stream *stream = events[i].data.ptr;
        if (!stream->watched || is_behind(pool, stream->output)) continue;
        size_t there = pb_fd_bytes_there(stream->fd);
        if (there)
            read_some(pool, stream, job_of(stream->output->worker), there < BLOCK ? there : BLOCK);
        else if (events[i].events & EPOLLHUP)
            close_stream(pool, stream); /* nobody can write any more */
    }
}

void pb_output_resume(struct pebble_pool *pool)
{
    if (!pool->output.stopped) return;
    struct pb_worker *worker;
    TAILQ_FOREACH(worker, &pool->workers, link_in_pool) {
        struct pb_output *output = worker->output;
        if (!output || !atomic_load(&output->stopped) || atomic_load(&output->waiting) > LIMIT / 2) continue;
        atomic_store(&output->stopped, false);
        pool->output.stopped--;
        for (size_t i = 0; i < PB_COUNT(output->streams); i++)
            ignore(pool, &output->streams[i], false);
    }
}
