/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "messages.h"

#include <limits.h>
#include <string.h>

/* --- values: each is read only if it is one of its type --- */

static void put_time(struct pb_wire_out *out, int64_t time)
{
    pb_wire_put(out, (uint64_t)time);
}

/* From `least` to `most`. */
static uint64_t take_upto(struct pb_wire_body *body, uint64_t least, uint64_t most)
{
    uint64_t number = pb_wire_take(body);
    if (number < least || number > most) body->bad = true;
    return body->bad ? 0 : number;
}

static int64_t take_time(struct pb_wire_body *body)
{
    return (int64_t)take_upto(body, 0, INT64_MAX);
}

static bool take_bool(struct pb_wire_body *body)
{
    return take_upto(body, 0, 1);
}

static int take_int(struct pb_wire_body *body)
{
    int64_t number = (int64_t)pb_wire_take(body);
    if (number < INT_MIN || number > INT_MAX) body->bad = true;
    return body->bad ? 0 : (int)number;
}

static void put_int(struct pb_wire_out *out, int number)
{
    pb_wire_put(out, (uint64_t)(int64_t)number);
}

static void put_string(struct pb_wire_out *out, const char *string)
{
    pb_wire_put_bytes(out, string, strlen(string) + 1);
}

static const char *take_string(struct pb_wire_body *body)
{
    size_t length;
    const char *string = pb_wire_take_bytes(body, &length);
    if (!length || memchr(string, '\0', length) != string + length - 1) body->bad = true;
    return body->bad ? "" : string;
}

static void put_id(struct pb_wire_out *out, const struct pb_image_id *id)
{
    pb_wire_put_bytes(out, id->bytes, sizeof id->bytes);
}

static void take_id(struct pb_wire_body *body, struct pb_image_id *ret_id)
{
    size_t length;
    const void *bytes = pb_wire_take_bytes(body, &length);
    if (length != sizeof ret_id->bytes) body->bad = true;
    if (!body->bad) memcpy(ret_id->bytes, bytes, sizeof ret_id->bytes);
}

static void put_place(struct pb_wire_out *out, const struct pb_wire_function *place)
{
    put_id(out, &place->id);
    pb_wire_put(out, place->offset);
    put_string(out, place->path);
}

static void take_place(struct pb_wire_body *body, struct pb_wire_function *ret_place)
{
    take_id(body, &ret_place->id);
    ret_place->offset = pb_wire_take(body);
    ret_place->path = take_string(body);
}

/* --- HELLO --- */

void pb_hello_write(struct pb_wire_out *out, const struct pb_hello *hello)
{
    pb_wire_begin(out, PB_WIRE_HELLO, 0);
    pb_wire_put(out, hello->version);
    put_id(out, &hello->program);
    put_int(out, hello->pid);
    pb_wire_put(out, hello->slots);
    put_string(out, hello->host);
    pb_wire_end(out);
}

/* What another version says behind its number is not looked at. */
bool pb_hello_read(const struct pb_wire_frame *frame, struct pb_hello *ret_hello)
{
    struct pb_wire_body body = pb_wire_body_of(frame);
    *ret_hello = (struct pb_hello){.version = pb_wire_take(&body), .host = ""};
    if (frame->job || body.bad) return false;
    if (ret_hello->version != PB_WIRE_VERSION) return true;
    take_id(&body, &ret_hello->program);
    ret_hello->pid = take_int(&body);
    ret_hello->slots = (unsigned)take_upto(&body, 1, PB_SLOTS_MAX);
    ret_hello->host = take_string(&body);
    return pb_wire_body_is_read(&body);
}

/* --- SETUP --- */

static void put_procedure(struct pb_wire_out *out, const struct pb_setup_procedure *procedure)
{
    pb_wire_put(out, procedure->given);
    if (!procedure->given) return;
    put_place(out, &procedure->place);
    pb_wire_put_bytes(out, procedure->input, procedure->length);
}

static void take_procedure(struct pb_wire_body *body, struct pb_setup_procedure *ret_procedure)
{
    *ret_procedure = (struct pb_setup_procedure){.given = take_bool(body)};
    if (!ret_procedure->given) return;
    take_place(body, &ret_procedure->place);
    ret_procedure->input = pb_wire_take_bytes(body, &ret_procedure->length);
}

static void put_limits(struct pb_wire_out *out, const struct pebble_worker_limits *limits)
{
    pb_wire_put(out, limits->address_space);
    pb_wire_put(out, limits->cpu_time);
    pb_wire_put(out, limits->open_files);
    pb_wire_put(out, limits->core_size);
    put_int(out, limits->nice);
    pb_wire_put(out, limits->no_new_privileges);
}

static void take_limits(struct pb_wire_body *body, struct pebble_worker_limits *ret_limits)
{
    ret_limits->address_space = pb_wire_take(body);
    ret_limits->cpu_time = pb_wire_take(body);
    ret_limits->open_files = pb_wire_take(body);
    ret_limits->core_size = pb_wire_take(body);
    ret_limits->nice = take_int(body);
    ret_limits->no_new_privileges = take_bool(body);
}

static void put_confinement(struct pb_wire_out *out, const struct pebble_pool_config *config)
{
    size_t count = 0;
    while (config->readable_paths && config->readable_paths[count])
        count++;
    pb_wire_put(out, config->confined);
    pb_wire_put(out, count);
    for (size_t i = 0; i < count; i++)
        put_string(out, config->readable_paths[i]);
}

static void take_confinement(struct pb_wire_body *body, struct pb_setup *ret_setup)
{
    ret_setup->config.confined = take_bool(body);
    size_t count = (size_t)take_upto(body, 0, PB_READABLE_COUNT);
    for (size_t i = 0; i < count; i++)
        ret_setup->readable_paths[i] = take_string(body);
    ret_setup->config.readable_paths = ret_setup->readable_paths;
}

static void put_config(struct pb_wire_out *out, const struct pebble_pool_config *config)
{
    pb_wire_put(out, config->max_tasks);
    put_time(out, config->max_age);
    pb_wire_put(out, config->max_memory);
    put_time(out, config->idle_timeout);
    put_string(out, config->name);
    pb_wire_put(out, config->start_method);
    pb_wire_put(out, config->max_payload);
    put_time(out, config->start_timeout);
    put_time(out, config->grace);
    pb_wire_put(out, config->stdout_to);
    pb_wire_put(out, config->stderr_to);
    pb_wire_put(out, config->output_tail);
    put_int(out, config->spare_workers);
    pb_wire_put(out, config->no_throw_backtraces);
    pb_wire_put(out, config->swift_backtrace);
    put_limits(out, &config->limits);
    put_confinement(out, config);
}

static void take_config(struct pb_wire_body *body, struct pebble_pool_config *ret_config)
{
    ret_config->max_tasks = pb_wire_take(body);
    ret_config->max_age = take_time(body);
    ret_config->max_memory = pb_wire_take(body);
    ret_config->idle_timeout = take_time(body);
    ret_config->name = take_string(body);
    ret_config->start_method = (enum pebble_start_method)take_upto(body, PEBBLE_FORK_SERVER, PEBBLE_SPAWN);
    ret_config->max_payload = pb_wire_take(body);
    ret_config->start_timeout = take_time(body);
    ret_config->grace = take_time(body);
    ret_config->stdout_to = (enum pebble_output)take_upto(body, PEBBLE_INHERIT, PEBBLE_CAPTURE);
    ret_config->stderr_to = (enum pebble_output)take_upto(body, PEBBLE_INHERIT, PEBBLE_CAPTURE);
    ret_config->output_tail = (size_t)take_upto(body, 0, SIZE_MAX);
    ret_config->spare_workers = take_int(body);
    ret_config->no_throw_backtraces = take_bool(body);
    ret_config->swift_backtrace = take_bool(body);
    take_limits(body, &ret_config->limits);
}

void pb_setup_write(struct pb_wire_out *out, const struct pb_setup *setup)
{
    pb_wire_begin(out, PB_WIRE_SETUP, 0);
    put_config(out, &setup->config);
    pb_wire_put(out, setup->lines);
    put_time(out, setup->beat);
    put_time(out, setup->lost_after);
    put_procedure(out, &setup->initializer);
    put_procedure(out, &setup->finalizer);
    pb_wire_end(out);
}

bool pb_setup_read(const struct pb_wire_frame *frame, struct pb_setup *ret_setup)
{
    struct pb_wire_body body = pb_wire_body_of(frame);
    *ret_setup = (struct pb_setup){0};
    take_config(&body, &ret_setup->config);
    take_confinement(&body, ret_setup);
    ret_setup->lines = take_bool(&body);
    ret_setup->beat = (int64_t)take_upto(&body, 1, INT64_MAX);
    ret_setup->lost_after = (int64_t)take_upto(&body, 1, INT64_MAX);
    take_procedure(&body, &ret_setup->initializer);
    take_procedure(&body, &ret_setup->finalizer);
    return !frame->job && pb_wire_body_is_read(&body);
}

/* --- SUBMIT --- */

void pb_submit_write(struct pb_wire_out *out, uint64_t job, const struct pb_submit *submit)
{
    pb_wire_begin(out, PB_WIRE_SUBMIT, job);
    put_place(out, &submit->place);
    put_string(out, submit->name);
    put_time(out, submit->timeout);
    put_time(out, submit->deadline);
    pb_wire_put(out, submit->updates);
    pb_wire_put_bytes(out, submit->input, submit->length);
    pb_wire_end(out);
}

bool pb_submit_read(const struct pb_wire_frame *frame, struct pb_submit *ret_submit)
{
    struct pb_wire_body body = pb_wire_body_of(frame);
    *ret_submit = (struct pb_submit){0};
    take_place(&body, &ret_submit->place);
    ret_submit->name = take_string(&body);
    ret_submit->timeout = take_time(&body);
    ret_submit->deadline = take_time(&body);
    ret_submit->updates = take_bool(&body);
    ret_submit->input = pb_wire_take_bytes(&body, &ret_submit->length);
    return pb_wire_body_is_read(&body);
}

/* --- UPDATE, OUTPUT --- */

void pb_update_write(struct pb_wire_out *out, uint64_t job, const void *data, size_t length)
{
    pb_wire_begin(out, PB_WIRE_UPDATE, job);
    pb_wire_put_bytes(out, data, length);
    pb_wire_end(out);
}

bool pb_update_read(const struct pb_wire_frame *frame, const void **ret_data, size_t *ret_length)
{
    struct pb_wire_body body = pb_wire_body_of(frame);
    *ret_data = pb_wire_take_bytes(&body, ret_length);
    return pb_wire_body_is_read(&body);
}

void pb_line_write(struct pb_wire_out *out, const struct pebble_output_line *line)
{
    pb_wire_begin(out, PB_WIRE_OUTPUT, 0);
    put_int(out, line->stream);
    put_int(out, line->pid);
    pb_wire_put(out, line->partial);
    put_string(out, line->job);
    pb_wire_put_bytes(out, line->text, line->length + 1);
    pb_wire_end(out);
}

bool pb_line_read(const struct pb_wire_frame *frame, struct pebble_output_line *ret_line)
{
    struct pb_wire_body body = pb_wire_body_of(frame);
    size_t size;
    ret_line->stream = (int)take_upto(&body, 1, 2);
    ret_line->pid = take_int(&body);
    ret_line->partial = take_bool(&body);
    ret_line->job = take_string(&body);
    ret_line->text = pb_wire_take_bytes(&body, &size);
    if (frame->job || !pb_wire_body_is_read(&body) || !size || ret_line->text[size - 1]) return false;
    ret_line->length = size - 1;
    return true;
}

/* --- RESULT --- */

static void put_tail(struct pb_wire_out *out, const struct pebble_outcome *outcome)
{
    pb_wire_put(out, outcome->output_tail != NULL);
    if (outcome->output_tail) pb_wire_put_bytes(out, outcome->output_tail, outcome->output_tail_length);
}

void pb_result_write(struct pb_wire_out *out, uint64_t job, const struct pb_result *result)
{
    const struct pebble_outcome *outcome = &result->outcome;
    pb_wire_begin(out, PB_WIRE_RESULT, job);
    pb_wire_put(out, outcome->status);
    put_int(out, outcome->code);
    pb_wire_put(out, outcome->started);
    put_time(out, outcome->run_time);
    put_int(out, outcome->pid);
    pb_wire_put(out, outcome->limit);
    put_time(out, outcome->limit_length);
    pb_wire_put(out, outcome->cause);
    put_int(out, outcome->error);
    put_int(out, outcome->exit_code);
    put_int(out, outcome->exit_signal);
    put_time(out, outcome->cpu_time);
    put_time(out, outcome->peak_memory);
    pb_wire_put(out, outcome->lost_updates);
    pb_wire_put(out, outcome->likely_oom);
    pb_wire_put(out, result->progress);
    pb_wire_put(out, result->gone);
    put_tail(out, outcome);
    pb_wire_put_bytes(out, result->crash, result->crash ? sizeof(struct pb_crash_record) : 0);
    pb_wire_put_bytes(out, outcome->data, outcome->length);
    pb_wire_end(out);
}

static void take_outcome(struct pb_wire_body *body, struct pebble_outcome *ret_outcome)
{
    *ret_outcome = (struct pebble_outcome){0};
    ret_outcome->status = (enum pebble_status)take_upto(body, PEBBLE_SUCCESS, PEBBLE_NOT_RUN);
    ret_outcome->code = take_int(body);
    ret_outcome->started = take_bool(body);
    ret_outcome->run_time = take_time(body);
    ret_outcome->pid = take_int(body);
    ret_outcome->limit = (enum pebble_limit)take_upto(body, PEBBLE_LIMIT_NONE, PEBBLE_LIMIT_DEADLINE);
    ret_outcome->limit_length = take_time(body);
    ret_outcome->cause = (enum pebble_cause)take_upto(body, PEBBLE_CAUSE_NONE, PEBBLE_CAUSE_NO_FUNCTION);
    ret_outcome->error = take_int(body);
    ret_outcome->exit_code = take_int(body);
    ret_outcome->exit_signal = take_int(body);
    ret_outcome->cpu_time = take_time(body);
    ret_outcome->peak_memory = take_time(body);
    ret_outcome->lost_updates = pb_wire_take(body);
    ret_outcome->likely_oom = take_bool(body);
}

bool pb_result_read(const struct pb_wire_frame *frame, struct pb_result *ret_result)
{
    struct pb_wire_body body = pb_wire_body_of(frame);
    struct pebble_outcome *outcome = &ret_result->outcome;
    size_t crash_length;
    take_outcome(&body, outcome);
    ret_result->progress = (uint32_t)take_upto(&body, 0, UINT32_MAX);
    ret_result->gone = take_bool(&body);
    if (take_bool(&body)) outcome->output_tail = pb_wire_take_bytes(&body, &outcome->output_tail_length);
    ret_result->crash = pb_wire_take_bytes(&body, &crash_length);
    outcome->data = pb_wire_take_bytes(&body, &outcome->length);
    if (crash_length == 0) ret_result->crash = NULL;
    if (outcome->length == 0) outcome->data = NULL;
    return (crash_length == 0 || crash_length == sizeof(struct pb_crash_record)) && pb_wire_body_is_read(&body);
}
