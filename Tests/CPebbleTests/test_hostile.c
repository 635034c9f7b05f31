/* SPDX-License-Identifier: Apache-2.0
 * Workers that do at random whatever they can to their host and the fork
 * server: only their own jobs fail, and the host uses no more memory than before. */
#include "support.h"
#include "boot.h"
#include "control.h"
#include "crashrecord.h"
#include "fd.h"
#include "frame.h"
#include "shared.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned seed;

static unsigned up_to(unsigned end)
{
    return (unsigned)rand_r(&seed) % end;
}

/* Any number, those near the ends of what fits above all. */
static uint64_t odd(void)
{
    static const uint64_t ends[] = {0, PB_SLOTS, PB_ARENA_SIZE, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, 1 << 20};
    if (up_to(2)) return ends[up_to(PB_COUNT(ends))] + up_to(3) - 1;
    return ((uint64_t)rand_r(&seed) << 32 | (unsigned)rand_r(&seed)) >> up_to(64);
}

static struct pb_shared *shared_memory(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    void *start = NULL;
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "memfd:pebble-link")) sscanf(line, "%p", &start);
    if (!start) _exit(95);
    fclose(maps);
    return start;
}

static void send_some(int fd, const void *bytes, size_t length)
{
    send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT); /* which may be closed, full or shut by now */
}

static void send_frame(void)
{
    static char payload[4096];
    struct pb_frame frame = {.magic = PB_FRAME_MAGIC, .kind = up_to(5), .job = up_to(3), .length = odd()};
    if (up_to(2)) frame.length = up_to(sizeof payload);
    if (up_to(8) == 0) frame.magic++;
    send_some(PB_BOOT_CHANNEL_FD, &frame, up_to(8) ? sizeof frame : up_to(sizeof frame));
    send_some(PB_BOOT_CHANNEL_FD, payload, up_to(2) ? (size_t)frame.length % sizeof payload : up_to(sizeof payload));
}

static void send_packet(void)
{
    int ends[2], fds[PB_CONTROL_FDS] = {STDIN_FILENO, STDERR_FILENO, PB_BOOT_EXTRA_FD};
    struct pb_control packet = {.kind = up_to(PB_CONTROL_KINDS + 1), .worker = odd(), .capture = (uint16_t)up_to(8)};
    if (up_to(2) && socketpair(AF_UNIX, up_to(2) ? SOCK_SEQPACKET : SOCK_DGRAM, 0, ends) == 0) {
        fds[0] = ends[0];
        if (up_to(2)) packet.kind = PB_CONTROL_CONNECT;
    }
    pb_control_send_all(PB_BOOT_EXTRA_FD, &packet, fds, up_to(PB_CONTROL_FDS + 1));
    if (up_to(4) == 0) send_some(PB_BOOT_EXTRA_FD, &packet, up_to(sizeof packet));
}

static void damage_slot(struct pb_shared *shared)
{
    struct pb_slot *slot = &shared->slots[(atomic_load(&shared->completed) + up_to(2)) % PB_SLOTS];
    switch (up_to(8)) {
    case 0: slot->answer = up_to(8); break;
    case 1: slot->output_at = (uint32_t)odd(); break;
    case 2: slot->output_length = odd(); break;
    case 3: slot->updates = (uint32_t)odd(); break;
    case 4: atomic_store(&slot->claim, up_to(6)); break;
    case 5: atomic_store(&slot->started, (int64_t)odd()); break;
    case 6: slot->finished = (int64_t)odd(); break;
    case 7: slot->code = (int32_t)odd(); break;
    }
}

static void damage_record(struct pb_crash_record *record)
{
    volatile unsigned char *bytes = (unsigned char *)record;
    for (unsigned n = up_to(200); n > 0; n--)
        bytes[up_to(sizeof *record)] = (unsigned char)rand_r(&seed);
    atomic_store(&record->written, 1);
    record->signal = (int32_t)(1 + up_to(31));
    record->trace.frame_count = (uint32_t)(up_to(2) ? up_to(PB_TRACE_FRAMES + 2) : odd());
    record->trace.image_count = (uint32_t)(up_to(2) ? up_to(PB_TRACE_IMAGES + 2) : odd());
    for (unsigned n = 0; n < PB_TRACE_FRAMES; n++)
        record->trace.frames[n].image = up_to(PB_TRACE_IMAGES);
}

/* It opens its own pipe once more, and takes out what the host has been told is there. */
static void steal_output(void)
{
    char bytes[8192];
    memset(bytes, 'x', sizeof bytes);
    int fd = open("/proc/self/fd/1", O_RDONLY | O_NONBLOCK);
    for (unsigned n = up_to(50); fd >= 0 && n > 0; n--)
        if (write(STDOUT_FILENO, bytes, up_to(sizeof bytes)) < 0 || read(fd, bytes, sizeof bytes) < 0) break;
    pb_close(&fd);
}

static void misbehave(struct pb_shared *shared)
{
    volatile unsigned char *bytes = (unsigned char *)shared;
    switch (up_to(10)) {
    case 0: bytes[up_to(sizeof *shared)] = (unsigned char)rand_r(&seed); break;
    case 1: bytes[up_to(offsetof(struct pb_shared, slots))] = (unsigned char)rand_r(&seed); break;
    case 2: atomic_store(&shared->completed, atomic_load(&shared->completed) + up_to(3)); break;
    case 3: damage_slot(shared); break;
    case 4: send_frame(); break;
    case 5: send_packet(); break;
    case 6: damage_record(&shared->crash); break;
    case 7: steal_output(); break;
    case 8: close((int)up_to(8)); break;
    case 9: atomic_store(&shared->resident, odd()); break;
    }
}

static int job_rampage(pebble_call *call)
{
    static const int signals[] = {SIGSEGV, SIGABRT, SIGKILL, SIGFPE, SIGBUS, SIGSTOP};
    seed = (unsigned)order_of(call)->number;
    struct pb_shared *shared = shared_memory();
    const struct pb_frame bell = {.magic = PB_FRAME_MAGIC, .kind = PB_FRAME_BELL};
    for (unsigned n = up_to(40); n > 0; n--) {
        misbehave(shared);
        if (up_to(4) == 0) send_some(PB_BOOT_CHANNEL_FD, &bell, sizeof bell);
        if (up_to(4) == 0) pebble_call_update(call, shared, up_to(100000));
    }
    if (up_to(3) == 0) return reply_number(call, (int64_t)odd());
    if (up_to(2)) signal(signals[up_to(6)], SIG_DFL); /* so that the record is our own */
    raise(signals[up_to(6)]);
    for (;;)
        pause();
}

/* What is there to be read of an outcome is sound. */
static void look_at(const struct pebble_outcome *outcome)
{
    char text[2000];
    ck_assert_int_gt(pebble_outcome_report(outcome, text, sizeof text), 0);
    if (outcome->length) ck_assert_mem_eq(outcome->data, outcome->data, outcome->length);
    if (outcome->output_tail) ck_assert_uint_eq(strnlen(outcome->output_tail, outcome->output_tail_length + 1), outcome->output_tail_length);
    ck_assert_int_ge(outcome->run_time, 0);
    ck_assert_int_ge(outcome->wait_time, 0);
}

static void ignore_line(const struct pebble_output_line *line, void *arg)
{
    (void)arg;
    must(line->text[line->length] == '\0');
}

static long peak_kilobytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

START_TEST(no_rampage_reaches_the_host)
{
    const char *given = getenv("PEBBLE_SEED");
    unsigned first = given ? (unsigned)strtoul(given, NULL, 10) : 1;
    struct scene scene;
    scene_open(&scene);
    pebble_queue *updates;
    ck_assert_int_eq(pebble_queue_new(10, pebble_update_free, &updates), 0);
    pebble_pool *steady = pool_with(_i, 1);
    pebble_pool *pool = pool_of(&(struct pebble_pool_config){.max_workers = 2,
                                                             .start_method = (enum pebble_start_method)_i,
                                                             .max_memory = 64 << 20,
                                                             .max_payload = 1 << 20,
                                                             .stdout_to = PEBBLE_CAPTURE,
                                                             .stderr_to = PEBBLE_DISCARD,
                                                             .on_output = ignore_line});
    pebble_future *neighbour = schedule_order(steady, job_meet, order_in(&scene, 0));
    int64_t keeper = hear(&scene);
    long before = peak_kilobytes();
    for (unsigned round = 0; round < (given ? 1 : 150); round++) {
        pebble_future *future = schedule_limited(pool, job_rampage, (struct order){.number = first + round},
                                                 (struct pebble_job_options){.timeout = 50 * MILLISECOND, .updates = updates});
        if (pebble_future_wait(future, PATIENCE) < 0) ck_abort_msg("PEBBLE_SEED=%u: no outcome", first + round);
        look_at(outcome_of(future));
        if (pebble_future_wait_gone(future, PATIENCE) < 0) ck_abort_msg("PEBBLE_SEED=%u: not gone", first + round);
        pebble_future_unref(future);
    }
    ck_assert_int_lt(peak_kilobytes() - before, 64 << 10);
    let_go(&scene, 0);
    ck_assert_int_eq(number_from(neighbour), keeper);
    stop_pool(pool);
    close_pool(steady);
    pebble_queue_unref(updates);
}
END_TEST

static int job_flood_the_server(pebble_call *call)
{
    int rc;
    bool first = true;
    for (int n = 0; n < 3 && first; n++)
        first = fork() != 0;
    if (first) tell(order_of(call), getpid());
    do
        rc = pb_control_send(PB_BOOT_EXTRA_FD, &(struct pb_control){.kind = PB_CONTROL_CONNECT}, -1);
    while (rc == 0 || rc == -EAGAIN);
    return rc;
}

START_TEST(who_floods_the_server_does_not_keep_it_from_others)
{
    struct scene scene;
    scene_open(&scene);
    pebble_pool *pool = pool_with(_i, 3), *other = pool_with(_i, 1);
    pebble_future *floods[2];
    for (int i = 0; i < 2; i++)
        floods[i] = schedule_order(pool, job_flood_the_server, order_in(&scene, 0));
    pid_t worker = (pid_t)hear(&scene);
    hear(&scene);
    for (int i = 0; i < 5; i++)
        expect_and_drop(schedule_order(other, job_exit, (struct order){.number = 1}), PEBBLE_EXPIRED);
    int process = watch_process(worker);
    ck_assert(alive(process));
    for (int i = 0; i < 2; i++) {
        pebble_future_cancel(floods[i]);
        expect(floods[i], PEBBLE_CANCELLED);
        wait_gone(floods[i]);
        pebble_future_unref(floods[i]);
    }
    expect_dead(process);
    close_pool(pool);
    close_pool(other);
}
END_TEST

Suite *hostile_suite(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tests = group(suite, "hostile", 120);
    both(tests, no_rampage_reaches_the_host);
    both(tests, who_floods_the_server_does_not_keep_it_from_others);
    return suite;
}
