/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "node.h"
#include "autopsy.h"
#include "clock.h"
#include "queue.h"
#include "updates.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

/* --- places --- */

static void release(struct pb_node *node, struct pb_node_place *place)
{
    struct pebble_future *job = place->job;
    place->number = 0;
    place->job = NULL;
    place->next = node->first_free;
    node->first_free = (unsigned)(place - node->places);
    if (place->let_go)
        node->spare++;
    else
        pb_node_count(node, node->state == PB_NODE_UP, -1);
    if (job) pb_queue_release(node->pool, job);
}

/* Its slot can have another job, while the process of this one is got rid of. */
static void let_go(struct pb_node *node, struct pb_node_place *place)
{
    if (node->state != PB_NODE_UP || !node->spare) return;
    node->spare--;
    place->let_go = true;
    pb_node_count(node, 1, -1);
}

/* The place of a job that the node has; NULL: it has none with that number. */
static struct pb_node_place *place_of(struct pb_node *node, uint64_t number)
{
    uint64_t index = PB_PLACE_OF(number);
    return number && index < node->place_count && node->places[index].number == number ? &node->places[index] : NULL;
}

static struct pb_node_place *place_with(const struct pb_node *node, const struct pebble_future *job)
{
    return &node->places[job->place];
}

/* --- there --- */

/* What is left of the time in which it may wait and run; 0: there is no limit. */
static int64_t deadline_left(const struct pebble_future *job, int64_t now)
{
    if (!job->deadline) return 0;
    int64_t left = pb_after(job->scheduled, job->deadline) - now;
    return left > 0 ? left : 1;
}

static void submit(struct pb_node *node, uint64_t number, const struct pebble_future *job, int64_t now)
{
    const struct pb_submit words = {
        .place = {.id = job->function.image->id, .offset = job->function.offset, .path = job->function.image->path},
        .name = job->name ? job->name : "",
        .timeout = job->timeout,
        .deadline = deadline_left(job, now),
        .updates = job->updates != NULL,
        .input = job->input,
        .length = job->input_length,
    };
    pb_submit_write(&node->out, number, &words);
    pb_node_send(node);
}

/* The node sees to the limits. In case that it does not, so does the pool, later. */
static void arm_limit(struct pb_node *node, struct pebble_future *job, int64_t now)
{
    enum pebble_limit limit;
    int64_t at = pb_job_limit(job, now, &limit);
    pb_watch_arm(node->pool, &job->alarm, pb_after(at, node->pool->cluster->lost_after));
}

void pb_node_assign(struct pb_node *node, struct pebble_future *job, int64_t now)
{
    unsigned index = node->first_free;
    struct pb_node_place *place = &node->places[index];
    node->first_free = place->next;
    node->last_number += PB_SLOTS_MAX;
    *place = (struct pb_node_place){.number = node->last_number + index, .job = job};
    place->sent = now > job->scheduled ? now : job->scheduled;
    job->node = node;
    job->place = index;
    pb_node_count(node, -1, 1);
    pb_queue_give_place(node->pool, job);
    arm_limit(node, job, place->sent);
    submit(node, place->number, job, now);
}

void pb_node_cancel(struct pb_node *node, const struct pebble_future *job)
{
    pb_wire_say(&node->out, PB_WIRE_CANCEL, place_with(node, job)->number);
    pb_node_send(node);
}

int64_t pb_node_began(const struct pb_node *node, const struct pebble_future *job)
{
    return place_with(node, job)->sent;
}

/* --- and back --- */

static void *copy_of(const void *data, size_t length)
{
    char *copy = malloc(length + 1);
    if (!copy) return NULL;
    if (length) memcpy(copy, data, length);
    copy[length] = '\0';
    return copy;
}

static void tell_reply(struct pebble_outcome *outcome, const struct pebble_outcome *told)
{
    outcome->code = told->code;
    if (!told->length) return;
    outcome->data = copy_of(told->data, told->length);
    outcome->length = outcome->data ? told->length : 0;
    if (outcome->data || outcome->status == PEBBLE_NOT_RUN) return;
    outcome->status = PEBBLE_FAILURE;
    outcome->code = -ENOMEM;
}

static void tell_death(struct pb_node *node, struct pebble_future *job, const struct pb_result *result)
{
    struct pebble_outcome *outcome = &job->outcome;
    const struct pebble_outcome *told = &result->outcome;
    outcome->poisonous = job->retries && job->deaths >= node->pool->config.max_deaths;
    outcome->exit_code = told->exit_code;
    outcome->exit_signal = told->exit_signal;
    outcome->cpu_time = told->cpu_time;
    outcome->peak_memory = told->peak_memory;
    outcome->likely_oom = told->likely_oom;
    if (!result->crash) return;
    struct pb_crash_record record;
    memcpy(&record, result->crash, sizeof record);
    outcome->crash = pb_autopsy_of(&record, told->exit_signal);
}

static void tell(struct pb_node *node, struct pebble_future *job, const struct pb_result *result)
{
    struct pebble_outcome *outcome = &job->outcome;
    const struct pebble_outcome *told = &result->outcome;
    outcome->node = node->host;
    outcome->lost_updates += told->lost_updates;
    switch (told->status) {
    case PEBBLE_TIMEOUT:
        outcome->limit = told->limit;
        outcome->limit_length = told->limit == PEBBLE_LIMIT_DEADLINE ? job->deadline : job->timeout;
        break;
    case PEBBLE_EXPIRED: tell_death(node, job, result); break;
    case PEBBLE_NOT_RUN:
        outcome->cause = told->cause;
        outcome->error = told->error;
        outcome->pid = told->pid;
        tell_death(node, job, result);
        tell_reply(outcome, told);
        break;
    default: tell_reply(outcome, told); break;
    }
    if (!told->output_tail || (told->status != PEBBLE_TIMEOUT && told->status != PEBBLE_EXPIRED)) return;
    outcome->output_tail = copy_of(told->output_tail, told->output_tail_length);
    outcome->output_tail_length = outcome->output_tail ? told->output_tail_length : 0;
}

/* It died there, or with its node. True: it will run once more, and its place has it no longer. */
static bool runs_again(struct pb_node *node, struct pb_node_place *place)
{
    struct pebble_pool *pool = node->pool;
    struct pebble_future *job = place->job;
    job->deaths++;
    if (!job->retries || job->deaths >= pool->config.max_deaths) return false;
    if (atomic_load(&pool->phase) == PB_POOL_STOPPED) return false;
    job->retries--;
    pb_wheel_disarm(&pool->wheel, &job->alarm.timer);
    place->job = NULL;
    pb_queue_put_again(pool, job, pb_now());
    return true;
}

/* The end of a job that has no outcome yet. */
static void settle(struct pb_node *node, struct pb_node_place *place, const struct pb_result *result)
{
    struct pebble_pool *pool = node->pool;
    const struct pebble_outcome *told = &result->outcome;
    struct pebble_future *job = place->job;
    job->progress = result->progress;
    if (told->status == PEBBLE_EXPIRED) {
        atomic_fetch_add(&pool->count.expired, 1);
        if (runs_again(node, place)) return;
    }
    int64_t now = pb_now(), began = now - told->run_time;
    if (began < place->sent) began = place->sent; /* it cannot have been before */
    if (pb_queue_settle(pool, job, told->status, told->started ? began : 0, told->pid)) tell(node, job, result);
}

bool pb_node_on_result(struct pb_node *node, const struct pb_wire_frame *frame)
{
    struct pb_node_place *place = place_of(node, frame->job);
    struct pb_result result;
    if (!place || place->answered || !pb_result_read(frame, &result)) return false;
    place->answered = true;
    node->done++;
    bool killed = result.outcome.status == PEBBLE_TIMEOUT || result.outcome.status == PEBBLE_CANCELLED;
    if (killed && result.outcome.started) atomic_fetch_add(&node->pool->count.killed, 1);
    if (place->job && !place->job->settled) settle(node, place, &result);
    if (result.gone)
        release(node, place);
    else
        let_go(node, place);
    return true;
}

bool pb_node_on_gone(struct pb_node *node, const struct pb_wire_frame *frame)
{
    struct pb_node_place *place = place_of(node, frame->job);
    if (!place || !place->answered || frame->length) return false;
    release(node, place);
    return true;
}

bool pb_node_on_update(struct pb_node *node, const struct pb_wire_frame *frame)
{
    struct pb_node_place *place = place_of(node, frame->job);
    const void *data;
    size_t length;
    if (!place || place->answered || !pb_update_read(frame, &data, &length)) return false;
    if (!place->job || place->job->settled || !place->job->updates) return true;
    void *copy = length ? copy_of(data, length) : NULL;
    if (length && !copy)
        place->job->lost_updates++;
    else
        pb_updates_put(place->job, copy, length);
    return true;
}

/* --- all of them --- */

void pb_node_cancel_jobs(struct pb_node *node)
{
    for (unsigned i = 0; i < node->place_count; i++) {
        struct pb_node_place *place = &node->places[i];
        if (place->job && pb_queue_settle(node->pool, place->job, PEBBLE_CANCELLED, place->sent, 0))
            place->job->outcome.node = node->host;
    }
}

void pb_node_lose_jobs(struct pb_node *node)
{
    for (unsigned i = 0; i < node->place_count; i++) {
        struct pb_node_place *place = &node->places[i];
        if (!place->number) continue;
        struct pebble_future *job = place->job;
        node->lost_jobs += job && !job->settled;
        if (job && !job->settled && !runs_again(node, place) &&
            pb_queue_settle(node->pool, job, PEBBLE_NODE_LOST, place->sent, 0)) {
            job->outcome.node = node->host;
            job->outcome.poisonous = job->retries && job->deaths >= node->pool->config.max_deaths;
        }
        release(node, place);
    }
}

bool pb_node_owes(const struct pb_node *node)
{
    for (unsigned i = 0; i < node->place_count; i++)
        if (node->places[i].job && !node->places[i].job->settled) return true;
    return false;
}
