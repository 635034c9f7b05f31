/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "agent.h"
#include "clock.h"
#include "cpus.h"
#include "entry.h"
#include "fd.h"
#include "image.h"
#include "sig.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#define FIRST_WORD (60 * PB_SECOND) /* that the other side may take to say it */

/* The server sees it, and kills what is left. */
void pb_agent_leave(void)
{
    _exit(0);
}

/* --- sending --- */

static void ring(struct pb_agent *agent)
{
    uint64_t one = 1;
    while (write(agent->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

/* As much as can be, with the lock. Whether that was all. */
static bool send_some(struct pb_agent *agent)
{
    size_t length;
    const void *bytes;
    if (agent->outgoing.failed) pb_agent_leave();
    while ((bytes = pb_wire_out_bytes(&agent->outgoing, &length))) {
        ssize_t n = write(agent->out, bytes, length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) pb_agent_leave();
        if (n <= 0) return false;
        pb_wire_out_sent(&agent->outgoing, (size_t)n);
        agent->said = pb_now();
        pthread_cond_broadcast(&agent->sent);
    }
    return true;
}

void pb_agent_flush(struct pb_agent *agent)
{
    if (!send_some(agent) || agent->done) ring(agent);
}

/* --- what the other side says --- */

static bool resolve(const struct pb_setup_procedure *given, struct pebble_procedure *ret_procedure)
{
    if (!given->given) return true;
    ret_procedure->function = pb_image_resolve(&given->place.id, given->place.offset, given->place.path);
    ret_procedure->input = given->input;
    ret_procedure->length = given->length;
    return ret_procedure->function != NULL;
}

static bool set_up(struct pb_agent *agent, const struct pb_wire_frame *frame)
{
    struct pb_setup setup;
    if (agent->pool || !pb_setup_read(frame, &setup)) return false;
    struct pebble_pool_config *config = &setup.config;
    if (!resolve(&setup.initializer, &config->initializer) || !resolve(&setup.finalizer, &config->finalizer)) return false;
    config->max_workers = agent->slots;
    if (setup.lines) config->on_output = pb_agent_on_output;
    config->output_arg = agent;
    agent->beat = setup.beat;
    agent->lost_after = setup.lost_after;
    return pebble_pool_new(config, &agent->pool) == 0;
}

static void *see_it_out(void *arg)
{
    struct pb_agent *agent = arg;
    pebble_pool_join(agent->pool, PEBBLE_FOREVER);
    pthread_mutex_lock(&agent->lock);
    pb_wire_say(&agent->outgoing, PB_WIRE_BYE, 0);
    agent->done = true;
    pb_agent_flush(agent);
    pthread_mutex_unlock(&agent->lock);
    return NULL;
}

static bool end_pool(struct pb_agent *agent, void (*end)(pebble_pool *pool))
{
    pthread_t thread;
    if (!agent->pool) return false;
    end(agent->pool);
    if (agent->ending) return true;
    agent->ending = true;
    return pthread_create(&thread, NULL, see_it_out, agent) == 0;
}

static bool obey(struct pb_agent *agent, const struct pb_wire_frame *frame)
{
    switch (frame->kind) {
    case PB_WIRE_BEAT: return true;
    case PB_WIRE_SETUP: return set_up(agent, frame);
    case PB_WIRE_SUBMIT: return pb_agent_submit(agent, frame);
    case PB_WIRE_CANCEL: return pb_agent_cancel(agent, frame);
    case PB_WIRE_CLOSE: return end_pool(agent, pebble_pool_close);
    case PB_WIRE_STOP: return end_pool(agent, pebble_pool_stop);
    default: return false;
    }
}

/* Without the other side there is nothing to do; nor with one that is not what it should be. */
static void receive(struct pb_agent *agent)
{
    size_t room;
    void *place = pb_wire_in_room(&agent->incoming, &room);
    ssize_t n = place ? read(agent->in, place, room) : 0;
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n <= 0) pb_agent_leave();
    agent->heard = pb_now();
    pb_wire_in_filled(&agent->incoming, (size_t)n);
    struct pb_wire_frame frame;
    int rc;
    while ((rc = pb_wire_in_next(&agent->incoming, &frame)) > 0)
        if (!obey(agent, &frame)) pb_agent_leave();
    if (rc < 0) pb_agent_leave();
}

/* --- its life --- */

/* As many as Slurm grants on this node, where it was Slurm who started us. */
static unsigned default_slots(void)
{
    const char *granted = getenv("SLURM_CPUS_ON_NODE");
    unsigned long number = granted ? strtoul(granted, NULL, 10) : 0;
    unsigned cpus = pb_cpus();
    return number > 0 && number < cpus ? (unsigned)number : cpus;
}

static void say_hello(struct pb_agent *agent)
{
    char host[HOST_NAME_MAX + 1] = "";
    gethostname(host, sizeof host - 1);
    const char *slurms = getenv("SLURMD_NODENAME"); /* what Slurm calls it */
    struct pb_hello hello = {
        .version = PB_WIRE_VERSION, .pid = getpid(), .slots = agent->slots, .host = slurms ? slurms : host};
    pb_image_program(&hello.program);
    pb_wire_greet(&agent->outgoing);
    pb_hello_write(&agent->outgoing, &hello);
    pb_agent_flush(agent);
}

/* Until what is polled, and until when. With the lock. */
static nfds_t prepare(struct pb_agent *agent, int64_t *ret_until)
{
    size_t waiting;
    pb_wire_out_bytes(&agent->outgoing, &waiting);
    if (agent->done && waiting == 0) pb_agent_leave();
    nfds_t count = 0;
    agent->polled[count++] = (struct pollfd){.fd = agent->in, .events = POLLIN};
    agent->polled[count++] = (struct pollfd){.fd = agent->wake, .events = POLLIN};
    if (waiting) agent->polled[count++] = (struct pollfd){.fd = agent->out, .events = POLLOUT};
    for (unsigned i = 0; i < agent->places; i++)
        if (agent->jobs[i].updates)
            agent->polled[count++] = (struct pollfd){.fd = pebble_queue_fd(agent->jobs[i].updates), .events = POLLIN};
    int64_t lost = pb_after(agent->heard, agent->lost_after);
    int64_t beat = agent->beat ? pb_after(agent->said, agent->beat) : INT64_MAX;
    *ret_until = lost < beat ? lost : beat;
    return count;
}

/* With the lock: what is due. */
static void tend(struct pb_agent *agent)
{
    int64_t now = pb_now();
    if (now >= pb_after(agent->heard, agent->lost_after)) pb_agent_leave();
    for (unsigned i = 0; i < agent->places; i++)
        pb_agent_forward(&agent->jobs[i]);
    if (agent->beat && now >= pb_after(agent->said, agent->beat) && !agent->done) {
        agent->said = now;
        pb_wire_say(&agent->outgoing, PB_WIRE_BEAT, 0);
    }
    send_some(agent);
}

static void wait_for_events(struct pb_agent *agent)
{
    int64_t until;
    pthread_mutex_lock(&agent->lock);
    nfds_t count = prepare(agent, &until);
    pthread_mutex_unlock(&agent->lock);
    int64_t left = until - pb_now();
    const struct timespec timeout = pb_timespec(left > 0 ? left : 0);
    if (ppoll(agent->polled, count, &timeout, NULL) < 0 && errno != EINTR) pb_agent_leave();
}

static bool make(struct pb_agent *agent)
{
    agent->jobs = calloc(agent->places, sizeof *agent->jobs);
    agent->polled = calloc((size_t)agent->places + 3, sizeof *agent->polled);
    agent->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (unsigned i = 0; agent->jobs && i < agent->places; i++)
        agent->jobs[i].agent = agent;
    return agent->jobs && agent->polled && agent->wake >= 0 && pb_set_nonblocking(agent->in, true) == 0 &&
           pb_set_nonblocking(agent->out, true) == 0;
}

void pb_agent_main(int in, int out, unsigned slots)
{
    static struct pb_agent agent = {.lock = PTHREAD_MUTEX_INITIALIZER, .sent = PTHREAD_COND_INITIALIZER};
    if (slots > PB_SLOTS_MAX) pb_agent_leave();
    agent.in = in;
    agent.out = out;
    agent.slots = slots ? slots : default_slots();
    agent.places = PB_PLACES(agent.slots);
    agent.incoming = (struct pb_wire_in){.max_body = SIZE_MAX / 4, .greeted = true};
    agent.lost_after = FIRST_WORD;
    agent.heard = agent.said = pb_now();
    pb_sig_ignore(SIGPIPE);
    prctl(PR_SET_NAME, "pebble-agent");
    setproctitle("-pebble: agent");
    if (!make(&agent)) pb_agent_leave();
    pthread_mutex_lock(&agent.lock);
    say_hello(&agent);
    pthread_mutex_unlock(&agent.lock);
    for (;;) {
        wait_for_events(&agent);
        uint64_t rung;
        while (read(agent.wake, &rung, sizeof rung) < 0 && errno == EINTR)
            continue;
        receive(&agent);
        pthread_mutex_lock(&agent.lock);
        tend(&agent);
        pthread_mutex_unlock(&agent.lock);
    }
}
