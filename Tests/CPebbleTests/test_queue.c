/* SPDX-License-Identifier: Apache-2.0
 * Queues between threads. */
#include "support.h"
#include "chance.h"
#include "clock.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define NUMBER(n) ((void *)(uintptr_t)(n))

static pebble_queue *queue_of(size_t capacity)
{
    pebble_queue *queue;
    ck_assert_int_eq(pebble_queue_new(capacity, NULL, &queue), 0);
    return queue;
}

static void put(pebble_queue *queue, uintptr_t number)
{
    must(pebble_queue_put(queue, NUMBER(number), 0) == 0);
}

static uintptr_t get(pebble_queue *queue)
{
    void *item;
    must(pebble_queue_get(queue, 0, &item) == 0);
    return (uintptr_t)item;
}

static int error_of_get(pebble_queue *queue, int64_t timeout)
{
    void *item = &item;
    int rc = pebble_queue_get(queue, timeout, &item);
    ck_assert(rc == 0 || item == &item); /* not touched */
    return rc;
}

static bool readable(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return poll(&polled, 1, 0) == 1;
}

/* --- one thread --- */

START_TEST(items_are_got_in_the_order_in_which_they_were_put)
{
    pebble_queue *queue = queue_of(0);
    uintptr_t in = 0, out = 0;
    for (int round = 1; round <= 200; round++) { /* it wraps, and grows in the middle */
        for (int i = 0; i < round; i++)
            put(queue, in++);
        for (int i = 0; i < round - 1; i++)
            ck_assert_uint_eq(get(queue), out++);
        ck_assert_uint_eq(pebble_queue_size(queue), in - out);
    }
    while (out < in)
        ck_assert_uint_eq(get(queue), out++);
    pebble_queue_unref(queue);
}
END_TEST

START_TEST(a_queue_that_held_much_works_after_it_ran_empty)
{
    pebble_queue *queue = queue_of(0);
    for (int round = 0; round < 3; round++) {
        for (uintptr_t i = 0; i < chance_steps() / 10; i++)
            put(queue, i);
        for (uintptr_t i = 0; i < chance_steps() / 10; i++)
            must(get(queue) == i);
    }
    pebble_queue_unref(queue);
}
END_TEST

START_TEST(null_is_an_item)
{
    void *item = &item;
    pebble_queue *queue = queue_of(1);
    put(queue, 0);
    ck_assert_int_eq(pebble_queue_get(queue, 0, &item), 0);
    ck_assert_ptr_null(item);
    pebble_queue_unref(queue);
}
END_TEST

START_TEST(a_poll_says_that_a_queue_is_empty_or_full)
{
    pebble_queue *queue = queue_of(3);
    ck_assert_int_eq(error_of_get(queue, 0), -EAGAIN);
    for (uintptr_t i = 0; i < 3; i++)
        put(queue, i);
    ck_assert_int_eq(pebble_queue_put(queue, NULL, 0), -EAGAIN);
    ck_assert_uint_eq(pebble_queue_size(queue), 3);
    get(queue);
    put(queue, 3);
    ck_assert_int_eq(pebble_queue_put(queue, NULL, 0), -EAGAIN);
    pebble_queue_unref(queue);
}
END_TEST

START_TEST(a_wait_ends_with_its_time)
{
    pebble_queue *queue = queue_of(1);
    int64_t start = pb_now();
    ck_assert_int_eq(error_of_get(queue, 5 * MILLISECOND), -ETIMEDOUT);
    put(queue, 1);
    ck_assert_int_eq(pebble_queue_put(queue, NULL, 5 * MILLISECOND), -ETIMEDOUT);
    ck_assert_int_ge(pb_now() - start, 10 * MILLISECOND);
    ck_assert_uint_eq(get(queue), 1); /* and leaves nothing behind */
    ck_assert_int_eq(error_of_get(queue, 0), -EAGAIN);
    put(queue, 2);
    ck_assert_uint_eq(pebble_queue_size(queue), 1);
    pebble_queue_unref(queue);
}
END_TEST

START_TEST(a_negative_time_is_refused)
{
    pebble_queue *queue = queue_of(0);
    ck_assert_int_eq(pebble_queue_put(queue, NULL, -1), -EINVAL);
    ck_assert_int_eq(error_of_get(queue, -1), -EINVAL);
    pebble_queue_unref(queue);
}
END_TEST

START_TEST(a_closed_queue_takes_nothing_and_gives_what_is_left)
{
    pebble_queue *queue = queue_of(2);
    put(queue, 1);
    put(queue, 2);
    pebble_queue_close(queue);
    pebble_queue_close(queue);
    ck_assert_int_eq(pebble_queue_put(queue, NULL, PEBBLE_FOREVER), -ESHUTDOWN);
    ck_assert_uint_eq(get(queue), 1);
    ck_assert_int_eq(pebble_queue_put(queue, NULL, 0), -ESHUTDOWN);
    ck_assert_uint_eq(get(queue), 2);
    ck_assert_int_eq(error_of_get(queue, 0), -EPIPE);
    ck_assert_int_eq(error_of_get(queue, PEBBLE_FOREVER), -EPIPE);
    pebble_queue_unref(queue);
}
END_TEST

static uintptr_t freed[4];
static size_t freed_count;

static void note_free(void *item)
{
    freed[freed_count++] = (uintptr_t)item;
}

START_TEST(the_last_reference_frees_what_nobody_got)
{
    pebble_queue *queue;
    ck_assert_int_eq(pebble_queue_new(0, note_free, &queue), 0);
    for (uintptr_t i = 1; i <= 4; i++)
        put(queue, i);
    ck_assert_uint_eq(get(queue), 1);
    ck_assert_ptr_eq(pebble_queue_ref(queue), queue);
    pebble_queue_unref(queue);
    ck_assert_uint_eq(freed_count, 0);
    pebble_queue_unref(queue);
    pebble_queue_unref(NULL);
    ck_assert_uint_eq(freed_count, 3);
    for (uintptr_t i = 0; i < 3; i++)
        ck_assert_uint_eq(freed[i], i + 2);
}
END_TEST

/* --- the descriptor --- */

START_TEST(the_descriptor_is_readable_exactly_while_there_is_an_item_or_it_is_closed)
{
    pebble_queue *queue = queue_of(2);
    int fd = pebble_queue_fd(queue);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pebble_queue_fd(queue), fd);
    for (int round = 0; round < 3; round++) {
        ck_assert(!readable(fd));
        put(queue, 1);
        ck_assert(readable(fd));
        put(queue, 2);
        ck_assert_int_eq(pebble_queue_put(queue, NULL, 0), -EAGAIN);
        ck_assert(readable(fd));
        get(queue);
        ck_assert(readable(fd));
        get(queue);
        ck_assert(!readable(fd));
        ck_assert_int_eq(error_of_get(queue, 0), -EAGAIN);
    }
    put(queue, 3);
    pebble_queue_close(queue);
    ck_assert(readable(fd));
    get(queue);
    ck_assert(readable(fd));
    ck_assert_int_eq(error_of_get(queue, 0), -EPIPE);
    ck_assert(readable(fd));
    pebble_queue_unref(queue);
}
END_TEST

START_TEST(the_descriptor_of_an_empty_queue_becomes_readable_when_it_is_closed)
{
    pebble_queue *queue = queue_of(0);
    int fd = pebble_queue_fd(queue);
    pebble_queue_close(queue);
    pebble_queue_close(queue);
    ck_assert(readable(fd));
    pebble_queue_unref(queue);
}
END_TEST

START_TEST(the_descriptor_can_be_asked_for_at_any_time)
{
    pebble_queue *queue = queue_of(0);
    put(queue, 1);
    put(queue, 2);
    int fd = pebble_queue_fd(queue);
    ck_assert(readable(fd));
    get(queue);
    ck_assert(readable(fd));
    get(queue);
    ck_assert(!readable(fd));
    pebble_queue_unref(queue);

    queue = queue_of(0);
    pebble_queue_close(queue);
    ck_assert(readable(pebble_queue_fd(queue)));
    pebble_queue_unref(queue);
}
END_TEST

START_TEST(a_queue_has_no_descriptor_until_it_is_asked_for_and_closes_it)
{
    int before = count_descriptors();
    pebble_queue *queue = queue_of(0);
    put(queue, 1);
    ck_assert_int_eq(count_descriptors(), before);
    pebble_queue_fd(queue);
    ck_assert_int_eq(count_descriptors(), before + 1);
    pebble_queue_unref(queue);
    ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

/* --- threads --- */

/* A thread that does one thing with a queue, and what it found. */
struct actor {
    pebble_queue *queue;
    pthread_t thread;
    atomic_bool *allowed; /* what it waits for has happened */
    bool was_allowed;
    int answer;
    void *item;
};

static void *putting(void *arg)
{
    struct actor *actor = arg;
    actor->answer = pebble_queue_put(actor->queue, actor->item, PEBBLE_FOREVER);
    if (actor->allowed) actor->was_allowed = *actor->allowed;
    return NULL;
}

static void *getting(void *arg)
{
    struct actor *actor = arg;
    actor->answer = pebble_queue_get(actor->queue, PEBBLE_FOREVER, &actor->item);
    if (actor->allowed) actor->was_allowed = *actor->allowed;
    return NULL;
}

static void act(struct actor *actor, void *(*action)(void *))
{
    ck_assert_int_eq(pthread_create(&actor->thread, NULL, action, actor), 0);
}

START_TEST(a_put_into_a_full_queue_waits_for_room)
{
    pebble_queue *queue = queue_of(1);
    for (uintptr_t i = 1; i < 500; i++) {
        atomic_bool room = false;
        struct actor putter = {.queue = queue, .allowed = &room, .item = NUMBER(i + 1)};
        if (i == 1) put(queue, i);
        act(&putter, putting);
        if (i % 2) sched_yield();
        room = true;
        ck_assert_uint_eq(get(queue), i);
        pthread_join(putter.thread, NULL);
        ck_assert_int_eq(putter.answer, 0);
        ck_assert(putter.was_allowed);
        ck_assert_uint_eq(pebble_queue_size(queue), 1);
    }
    pebble_queue_unref(queue);
}
END_TEST

START_TEST(a_get_from_an_empty_queue_waits_for_an_item)
{
    pebble_queue *queue = queue_of(0);
    for (uintptr_t i = 1; i < 500; i++) {
        atomic_bool there = false;
        struct actor getter = {.queue = queue, .allowed = &there};
        act(&getter, getting);
        if (i % 2) sched_yield();
        there = true;
        put(queue, i);
        pthread_join(getter.thread, NULL);
        ck_assert_int_eq(getter.answer, 0);
        ck_assert(getter.was_allowed);
        ck_assert_ptr_eq(getter.item, NUMBER(i));
    }
    pebble_queue_unref(queue);
}
END_TEST

#define ACTORS 8

START_TEST(close_wakes_all_who_wait)
{
    for (int round = 0; round < 100; round++) {
        pebble_queue *empty = queue_of(0), *full = queue_of(1);
        struct actor getters[ACTORS], putters[ACTORS];
        put(full, 1);
        for (int i = 0; i < ACTORS; i++) {
            getters[i] = (struct actor){.queue = empty};
            putters[i] = (struct actor){.queue = full, .item = NUMBER(2)};
            act(&getters[i], getting);
            act(&putters[i], putting);
        }
        pebble_queue_close(empty);
        pebble_queue_close(full);
        for (int i = 0; i < ACTORS; i++) {
            pthread_join(getters[i].thread, NULL);
            pthread_join(putters[i].thread, NULL);
            ck_assert_int_eq(getters[i].answer, -EPIPE);
            ck_assert_int_eq(putters[i].answer, -ESHUTDOWN);
        }
        ck_assert_uint_eq(get(full), 1);
        ck_assert_int_eq(error_of_get(full, 0), -EPIPE);
        pebble_queue_unref(empty);
        pebble_queue_unref(full);
    }
}
END_TEST

/* Many threads, each of which knows what it has to find. */
#define THREADS 4
#define EACH 250000 /* items of a producer, or fewer */

static struct crowd {
    pebble_queue *queue;
    atomic_uchar got[THREADS * EACH];
    atomic_uint next_producer;
    uintptr_t each;
    int64_t timeout;
} crowd;

static uintptr_t items_each(void)
{
    size_t items = chance_steps() / THREADS;
    return items < EACH ? items : EACH;
}

static void *produce(void *arg)
{
    uintptr_t producer = atomic_fetch_add(&crowd.next_producer, 1);
    for (uintptr_t i = 0; i < crowd.each; i++) {
        int rc;
        while ((rc = pebble_queue_put(crowd.queue, NUMBER(producer * EACH + i), crowd.timeout)) == -ETIMEDOUT)
            continue;
        if (rc != 0) return "a put failed";
    }
    return arg;
}

static void *consume(void *arg)
{
    uintptr_t next[THREADS] = {0};
    void *item;
    int rc;
    while ((rc = pebble_queue_get(crowd.queue, crowd.timeout, &item)) == 0 || rc == -ETIMEDOUT) {
        if (rc == -ETIMEDOUT) continue;
        uintptr_t number = (uintptr_t)item, producer = number / EACH;
        if (number % EACH < next[producer]) return "two items of a producer were exchanged";
        next[producer] = number % EACH + 1;
        if (atomic_fetch_add(&crowd.got[number], 1)) return "an item came twice";
    }
    return rc == -EPIPE ? arg : "a get failed";
}

static void nothing_is_lost(size_t capacity, int64_t timeout)
{
    pthread_t producers[THREADS], consumers[THREADS];
    void *failure;
    crowd.queue = queue_of(capacity);
    crowd.timeout = timeout;
    crowd.each = items_each();
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&consumers[i], NULL, consume, NULL);
        pthread_create(&producers[i], NULL, produce, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(producers[i], &failure);
        ck_assert_msg(!failure, "%s", (const char *)failure);
    }
    pebble_queue_close(crowd.queue);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(consumers[i], &failure);
        ck_assert_msg(!failure, "%s", (const char *)failure);
    }
    for (size_t i = 0; i < PB_COUNT(crowd.got); i++)
        must(crowd.got[i] == (i % EACH < crowd.each));
    pebble_queue_unref(crowd.queue);
}

START_TEST(of_a_million_items_each_is_got_once_and_those_of_a_producer_in_order)
{
    nothing_is_lost(0, PEBBLE_FOREVER);
}
END_TEST

START_TEST(nor_is_one_lost_in_a_small_queue)
{
    nothing_is_lost(16, PEBBLE_FOREVER);
}
END_TEST

/* Times that end just when an item or room comes. */
START_TEST(nor_is_one_lost_to_a_wait_that_ends)
{
    nothing_is_lost(4, 20000);
}
END_TEST

/* An event loop that would hang if it were not told of an item. */
START_TEST(an_event_loop_gets_all)
{
    pebble_queue *queue = crowd.queue = queue_of(3);
    crowd.timeout = PEBBLE_FOREVER;
    crowd.each = items_each();
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC), rc = 0;
    ck_assert_int_eq(epoll_ctl(epoll, EPOLL_CTL_ADD, pebble_queue_fd(queue), &event), 0);
    pthread_t producer;
    pthread_create(&producer, NULL, produce, NULL);
    for (uintptr_t count = 0; count < crowd.each; rc = 0) {
        must(epoll_wait(epoll, &event, 1, -1) == 1);
        for (void *item; (rc = pebble_queue_get(queue, 0, &item)) == 0; count++)
            must(item == NUMBER(count));
        must(rc == -EAGAIN);
    }
    pthread_join(producer, NULL);
    ck_assert(!readable(pebble_queue_fd(queue)));
    close(epoll);
    pebble_queue_unref(queue);
}
END_TEST

Suite *queue_suite(void)
{
    Suite *suite = suite_create("queue");
    TCase *tests = group(suite, "queue", 120);
    tcase_add_test(tests, items_are_got_in_the_order_in_which_they_were_put);
    tcase_add_test(tests, a_queue_that_held_much_works_after_it_ran_empty);
    tcase_add_test(tests, null_is_an_item);
    tcase_add_test(tests, a_poll_says_that_a_queue_is_empty_or_full);
    tcase_add_test(tests, a_wait_ends_with_its_time);
    tcase_add_test(tests, a_negative_time_is_refused);
    tcase_add_test(tests, a_closed_queue_takes_nothing_and_gives_what_is_left);
    tcase_add_test(tests, the_last_reference_frees_what_nobody_got);
    tcase_add_test(tests, the_descriptor_is_readable_exactly_while_there_is_an_item_or_it_is_closed);
    tcase_add_test(tests, the_descriptor_of_an_empty_queue_becomes_readable_when_it_is_closed);
    tcase_add_test(tests, the_descriptor_can_be_asked_for_at_any_time);
    tcase_add_test(tests, a_queue_has_no_descriptor_until_it_is_asked_for_and_closes_it);
    tcase_add_test(tests, a_put_into_a_full_queue_waits_for_room);
    tcase_add_test(tests, a_get_from_an_empty_queue_waits_for_an_item);
    tcase_add_test(tests, close_wakes_all_who_wait);
    tcase_add_test(tests, of_a_million_items_each_is_got_once_and_those_of_a_producer_in_order);
    tcase_add_test(tests, nor_is_one_lost_in_a_small_queue);
    tcase_add_test(tests, nor_is_one_lost_to_a_wait_that_ends);
    tcase_add_test(tests, an_event_loop_gets_all);
    return suite;
}
