/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "chunk.h"
#include "clock.h"
#include "poolstate.h"
#include "pebble/map.h"

#include <stdlib.h>
#include <string.h>

#define FEW 16 /* futures that can be waited for without memory */

#define AHEAD_TIME (200 * 1000) /* ns of work to have with each worker, of short jobs */
#define AHEAD_MOST 64           /* jobs for each worker */

/* Elements that one job computes. */
struct part {
    STAILQ_ENTRY(part) link;
    struct pb_chunk chunk;
    uint64_t first; /* the index of the first of them */
    pebble_future *future;
    /* as its results are handed out */
    size_t given;
    struct pb_pieces results;
};

STAILQ_HEAD(parts, part);

struct pebble_map {
    pebble_pool *pool;
    pebble_function function;
    struct pb_function_ref place; /* where it is, for processes */
    pebble_source source;
    void *arg;
    struct pebble_map_options options;
    char *name;
    size_t window;   /* 0: by the workers that there may be, and the time that jobs take */
    int64_t average; /* ns that one took of late; 0: none yet */
    uint64_t next; /* the index of the next element to be taken */
    bool ended;    /* no more elements are taken */
    int error;     /* why; 0: there are none, or the map was cancelled */
    struct part *waiting; /* the pool had no room for it */
    struct parts under_way;
    size_t parts;
    struct part *current; /* whose results are handed out */
    bool cancelled;       /* nothing is run any more */
    pebble_future *died;  /* that a worker died in, and not all of it is scheduled again; NULL: none */
};

/* --- parts --- */

static void free_part(struct part *part)
{
    if (!part) return;
    pebble_future_unref(part->future);
    pb_chunk_done(&part->chunk);
    free(part);
}

static struct part *new_part(struct pebble_map *map, uint64_t first)
{
    struct part *part = calloc(1, sizeof *part);
    const struct pb_function_ref *place = map->pool->engine->here ? NULL : &map->place;
    if (part && pb_chunk_begin(&part->chunk, place, map->function) == 0) {
        part->first = first;
        return part;
    }
    free(part);
    return NULL;
}

static int schedule(struct pebble_map *map, struct part *part)
{
    return pebble_pool_schedule(map->pool, pb_chunk_run, part->chunk.bytes, part->chunk.length, &map->options.job,
                                &part->future);
}

/* The next elements of the source: NULL, with map->ended, when there are none. */
static struct part *gather(struct pebble_map *map)
{
    struct part *part = new_part(map, map->next);
    int rc = part ? 1 : -ENOMEM;
    while (rc > 0 && part->chunk.count < map->options.chunk_size) {
        const void *data;
        size_t length;
        rc = map->source(map->arg, &data, &length);
        if (rc > 0 && pb_chunk_add(&part->chunk, data, length) < 0) rc = -ENOMEM;
    }
    if (rc <= 0) {
        map->ended = true;
        map->error = rc;
    }
    if (!part || part->chunk.count == 0) {
        free_part(part);
        return NULL;
    }
    map->next += part->chunk.count;
    return part;
}

/* A part of those elements of another that are [from, to); with `outcome`, which
 * is borrowed, it is one that is done. NULL: no memory. */
static struct part *some_of(struct pebble_map *map, const struct part *whole, size_t from, size_t to,
                            pebble_future *outcome)
{
    struct part *part = new_part(map, whole->first + from);
    struct pb_pieces elements = pb_chunk_elements(&whole->chunk);
    struct pb_piece element;
    for (size_t i = 0; part && i < to && pb_pieces_next(&elements, &element); i++) {
        if (i < from || pb_chunk_add(&part->chunk, element.data, element.length) == 0) continue;
        free_part(part);
        part = NULL;
    }
    if (part && outcome) part->future = pebble_future_ref(outcome);
    return part;
}

/* Its worker died in it. In its place come the elements before the guilty one,
 * the guilty one, and those behind it. False: there is no memory for that. */
static bool split(struct pebble_map *map, struct part *whole)
{
    size_t count = whole->chunk.count, guilty = whole->future->progress < count ? whole->future->progress : count - 1;
    struct part *before = some_of(map, whole, 0, guilty, NULL);
    struct part *it = some_of(map, whole, guilty, guilty + 1, whole->future);
    struct part *behind = some_of(map, whole, guilty + 1, count, NULL);
    if (!before || !it || !behind) {
        free_part(before);
        free_part(it);
        free_part(behind);
        return false;
    }
    struct part *parts[] = {behind, it, before};
    for (size_t i = 0; i < PB_COUNT(parts); i++) {
        if (parts[i]->chunk.count == 0) {
            free_part(parts[i]);
            continue;
        }
        STAILQ_INSERT_AFTER(&map->under_way, whole, parts[i], link);
        map->parts++;
    }
    return true;
}

/* Schedules what a split has left to be run. -EAGAIN: the pool has no room for all of it. */
static int schedule_again(struct pebble_map *map)
{
    struct part *part;
    STAILQ_FOREACH(part, &map->under_way, link) {
        int rc = part->future ? 0 : schedule(map, part);
        if (rc == -EAGAIN || rc == -ETIMEDOUT) return -EAGAIN;
        if (rc < 0) part->future = pebble_future_ref(map->died); /* the pool is closed: what there is to say of it */
    }
    pebble_future_unref(map->died);
    map->died = NULL;
    return 0;
}

/* How many parts to have in the pool; and how few are too few. One that is refilled
 * for each result wakes a worker for each, so where many short ones are ahead, those come in batches. */
static size_t window_of(const struct pebble_map *map, size_t *ret_few)
{
    size_t workers = pebble_pool_max_workers(map->pool), least = 2 * workers + 1;
    *ret_few = map->window ? map->window : least;
    if (map->window || !map->average) return *ret_few;
    int64_t ahead = AHEAD_TIME / map->average;
    size_t window = workers * (size_t)(ahead < 2 ? 2 : ahead < AHEAD_MOST ? ahead : AHEAD_MOST) + 1;
    size_t places = map->pool->config.max_queued, room = places ? places / 2 : SIZE_MAX; /* the rest is for others */
    if (window > room) window = room > least ? room : least;
    *ret_few += (window - least) / 2;
    return window;
}

/* Schedules as many parts as the window, and the pool, have room for. */
static int fill(struct pebble_map *map)
{
    if (map->died && schedule_again(map) < 0) return 0; /* these come first */
    size_t few, window = window_of(map, &few);
    if (map->parts >= few) return 0;
    while (map->parts < window) {
        struct part *part = map->waiting;
        map->waiting = NULL;
        if (!part && (map->ended || !(part = gather(map)))) return 0;
        int rc = schedule(map, part);
        if (rc == -EAGAIN || rc == -ETIMEDOUT) {
            map->waiting = part;
            return map->parts ? 0 : -EAGAIN;
        }
        if (rc < 0) {
            free_part(part);
            map->ended = true;
            map->error = rc;
            return 0;
        }
        STAILQ_INSERT_TAIL(&map->under_way, part, link);
        map->parts++;
    }
    return 0;
}

/* --- results --- */

static bool is_done(const struct part *part)
{
    return part->future && pebble_future_outcome(part->future);
}

static struct part *first_done(struct pebble_map *map)
{
    struct part *part;
    STAILQ_FOREACH(part, &map->under_way, link)
        if (is_done(part)) return part;
    return NULL;
}

/* Waits until one more of the scheduled parts is done; for want of memory, of some of them. -EAGAIN: all are. */
static int wait_for_any(struct pebble_map *map, int64_t timeout)
{
    pebble_future *few[FEW], **more = map->parts > FEW ? reallocarray(NULL, map->parts, sizeof *more) : NULL;
    pebble_future **futures = more ? more : few;
    size_t count = 0, room = more ? map->parts : FEW;
    struct part *part;
    STAILQ_FOREACH(part, &map->under_way, link)
        if (part->future && !is_done(part) && count < room) futures[count++] = part->future;
    int rc = count ? pebble_wait_futures(futures, count, 1, timeout, NULL) : -EAGAIN;
    if (rc == -ENOMEM) rc = pebble_wait_futures(futures, FEW, 1, timeout, NULL);
    free(more);
    return rc > 0 ? 0 : rc == 0 ? -ETIMEDOUT : rc;
}

/* The part whose results are next, once it is done; NULL: there may be room now for one that was not scheduled. */
static int await_part(struct pebble_map *map, int64_t timeout, struct part **ret_part)
{
    struct part *part = STAILQ_FIRST(&map->under_way);
    if (!map->options.as_completed && part->future) {
        *ret_part = part;
        return pebble_future_wait(part->future, timeout);
    }
    *ret_part = map->options.as_completed ? first_done(map) : NULL;
    if (*ret_part) return 0;
    int rc = wait_for_any(map, timeout);
    if (map->options.as_completed) *ret_part = first_done(map); /* it may have become that since it was looked for */
    return *ret_part ? 0 : rc;
}

static void learn(struct pebble_map *map, int64_t ran)
{
    map->average = map->average ? map->average + (ran - map->average) / 8 : ran + 1;
}

/* Takes the part out, and puts others in its place when its worker died in it. */
static void take(struct pebble_map *map, struct part *part)
{
    const struct pebble_outcome *outcome = pebble_future_outcome(part->future);
    bool died = outcome->status == PEBBLE_EXPIRED && part->chunk.count > 1;
    if (outcome->started) learn(map, outcome->run_time);
    bool was_split = died && !map->cancelled && split(map, part);
    STAILQ_REMOVE(&map->under_way, part, part, link);
    map->parts--;
    if (was_split) {
        pebble_future_unref(map->died);
        map->died = pebble_future_ref(part->future);
        free_part(part);
    } else {
        map->current = part;
    }
}

/* The next result of the current part. False: it has no more. */
static bool give(struct pebble_map *map, struct pebble_map_result *ret_result)
{
    struct part *part = map->current;
    if (!part || part->given == part->chunk.count) return false;
    const struct pebble_outcome *whole = pebble_future_outcome(part->future);
    struct pebble_outcome *outcome = &ret_result->outcome;
    struct pb_piece result;
    if (part->given == 0) part->results = pb_chunk_results(whole->data, whole->length);
    ret_result->index = part->first + part->given++;
    *outcome = *whole;
    if (whole->status != PEBBLE_SUCCESS) return true;
    if (!pb_pieces_next(&part->results, &result)) result = (struct pb_piece){.code = -EPROTO};
    outcome->status = result.code == 0 ? PEBBLE_SUCCESS : PEBBLE_FAILURE;
    outcome->code = result.code;
    outcome->data = result.data;
    outcome->length = result.length;
    return true;
}

int pebble_map_next(pebble_map *map, int64_t timeout, struct pebble_map_result *ret_result)
{
    if (timeout < 0) return -EINVAL;
    int64_t deadline = timeout == PEBBLE_FOREVER ? INT64_MAX : pb_after(pb_now(), timeout);
    while (!give(map, ret_result)) {
        free_part(map->current);
        map->current = NULL;
        int rc = fill(map);
        if (rc < 0) return rc;
        if (STAILQ_EMPTY(&map->under_way)) return map->error;
        int64_t left = deadline == INT64_MAX ? PEBBLE_FOREVER : deadline - pb_now();
        struct part *part;
        if ((rc = await_part(map, left > 0 ? left : 0, &part)) < 0) return rc;
        if (part) take(map, part);
    }
    return 1;
}

/* --- its life --- */

int pebble_map_new(pebble_pool *pool, pebble_function function, pebble_source source, void *arg,
                   const struct pebble_map_options *options, pebble_map **ret_map)
{
    static const struct pebble_map_options none;
    if (!options) options = &none;
    const struct pebble_job_options *job = &options->job;
    if (job->timeout < 0 || job->queue_timeout < 0 || job->deadline < 0) return -EINVAL;
    if (job->priority < PEBBLE_PRIORITY_MIN || job->priority > PEBBLE_PRIORITY_MAX) return -EINVAL;
    struct pebble_map *map = calloc(1, sizeof *map);
    int rc = !map ? -ENOMEM : pool->engine->here ? 0 : pb_image_locate(function, &map->place);
    if (rc == 0 && job->name && !(map->name = strdup(job->name))) rc = -ENOMEM;
    if (rc < 0) {
        free(map);
        return rc;
    }
    map->pool = pebble_pool_ref(pool);
    map->function = function;
    map->source = source;
    map->arg = arg;
    map->options = *options;
    map->options.job.name = map->name;
    if (!options->chunk_size) map->options.chunk_size = 1;
    map->window = options->window;
    STAILQ_INIT(&map->under_way);
    *ret_map = map;
    return 0;
}

void pebble_map_cancel(pebble_map *map)
{
    struct part *part;
    map->ended = map->cancelled = true;
    map->error = 0;
    free_part(map->waiting);
    map->waiting = NULL;
    STAILQ_FOREACH(part, &map->under_way, link)
        if (part->future) pebble_future_cancel(part->future);
}

void pebble_map_free(pebble_map *map)
{
    if (!map) return;
    pebble_map_cancel(map);
    struct part *part, *next;
    STAILQ_FOREACH_SAFE(part, &map->under_way, link, next) free_part(part);
    free_part(map->current);
    pebble_future_unref(map->died);
    pebble_pool_unref(map->pool);
    free(map->name);
    free(map);
}
