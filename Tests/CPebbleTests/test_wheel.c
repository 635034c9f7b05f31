/* SPDX-License-Identifier: Apache-2.0 */
#include "wheel.h"
#include "chance.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))

#define SECOND INT64_C(1000000000)
#define YEAR (365 * 24 * 3600 * SECOND)

static struct pb_wheel wheel;

static void advance_expect(int64_t now, size_t fired)
{
    size_t count = pb_wheel_count(&wheel);
    pb_wheel_advance(&wheel, now);
    for (struct pb_timer *timer; (timer = pb_wheel_expired(&wheel));) {
        must(pb_timer_deadline(timer) <= now);
        must(!pb_timer_armed(timer));
    }
    must(count - pb_wheel_count(&wheel) == fired);
    must(pb_wheel_check(&wheel));
}

/* Advances at next until the wheel is empty; returns how often nothing was due. */
static size_t run_dry(void)
{
    size_t in_vain = 0;
    while (pb_wheel_count(&wheel)) {
        int64_t now = pb_wheel_next(&wheel);
        pb_wheel_advance(&wheel, now);
        struct pb_timer *timer = pb_wheel_expired(&wheel);
        if (!timer) in_vain++;
        for (; timer; timer = pb_wheel_expired(&wheel))
            must(pb_timer_deadline(timer) == now);
        must(pb_wheel_check(&wheel));
    }
    return in_vain;
}

START_TEST(a_timer_is_at_most_40_bytes)
{
    ck_assert_uint_le(sizeof(struct pb_timer), 40);
}
END_TEST

START_TEST(a_zeroed_timer_is_not_armed)
{
    struct pb_timer timer = {0};
    ck_assert(!pb_timer_armed(&timer));
}
END_TEST

START_TEST(an_empty_wheel_asks_for_nothing)
{
    pb_wheel_init(&wheel, 7);
    ck_assert_int_eq(pb_wheel_next(&wheel), INT64_MAX);
    ck_assert_uint_eq(pb_wheel_count(&wheel), 0);
    ck_assert_ptr_null(pb_wheel_expired(&wheel));
    advance_expect(YEAR, 0);
}
END_TEST

START_TEST(a_timer_never_fires_early_at_any_distance)
{
    for (int shift = 0; shift < 62; shift++) {
        struct pb_timer timer = {0};
        int64_t start = 123456789, deadline = start + (INT64_C(1) << shift);
        pb_wheel_init(&wheel, start);
        pb_wheel_arm(&wheel, &timer, deadline);
        advance_expect(start, 0);
        advance_expect(deadline - 1, 0);
        ck_assert(pb_timer_armed(&timer));
        advance_expect(deadline, 1);
    }
}
END_TEST

START_TEST(a_timer_never_fires_early_when_time_creeps)
{
    struct pb_timer timer = {0};
    int64_t deadline = 3 * SECOND + 12345, now = 0;
    pb_wheel_init(&wheel, 0);
    pb_wheel_arm(&wheel, &timer, deadline);
    for (; now < deadline; now += 77777)
        advance_expect(now, 0);
    advance_expect(now, 1);
}
END_TEST

START_TEST(a_late_advance_fires_what_was_due)
{
    struct pb_timer timer = {0};
    pb_wheel_init(&wheel, 0);
    pb_wheel_arm(&wheel, &timer, 5 * SECOND);
    advance_expect(9 * SECOND, 1);
}
END_TEST

START_TEST(an_armed_timer_can_be_moved_later)
{
    struct pb_timer timer = {0};
    pb_wheel_init(&wheel, 0);
    pb_wheel_arm(&wheel, &timer, SECOND);
    pb_wheel_arm(&wheel, &timer, 2 * SECOND);
    ck_assert_uint_eq(pb_wheel_count(&wheel), 1);
    ck_assert_int_eq(pb_timer_deadline(&timer), 2 * SECOND);
    advance_expect(SECOND, 0);
    advance_expect(2 * SECOND, 1);
}
END_TEST

START_TEST(an_armed_timer_can_be_moved_earlier)
{
    struct pb_timer timer = {0};
    pb_wheel_init(&wheel, 0);
    pb_wheel_arm(&wheel, &timer, YEAR);
    pb_wheel_arm(&wheel, &timer, SECOND);
    ck_assert_int_eq(pb_wheel_next(&wheel), SECOND);
    advance_expect(SECOND, 1);
    advance_expect(2 * YEAR, 0);
}
END_TEST

START_TEST(an_expired_timer_can_be_armed_again)
{
    struct pb_timer timer = {0};
    pb_wheel_init(&wheel, 0);
    pb_wheel_arm(&wheel, &timer, SECOND);
    pb_wheel_advance(&wheel, SECOND);
    pb_wheel_arm(&wheel, &timer, 2 * SECOND);
    ck_assert_ptr_null(pb_wheel_expired(&wheel));
    advance_expect(2 * SECOND, 1);
}
END_TEST

START_TEST(a_timer_can_be_armed_again_as_it_fires)
{
    struct pb_timer timer = {0};
    pb_wheel_init(&wheel, 0);
    pb_wheel_arm(&wheel, &timer, 0);
    for (int64_t now = 0; now < 100 * SECOND; now += SECOND) {
        pb_wheel_advance(&wheel, now);
        ck_assert_ptr_eq(pb_wheel_expired(&wheel), &timer);
        pb_wheel_arm(&wheel, &timer, now + SECOND);
        ck_assert_ptr_null(pb_wheel_expired(&wheel));
    }
}
END_TEST

START_TEST(disarming_what_is_not_armed_does_nothing)
{
    struct pb_timer timer = {0}, other = {0};
    pb_wheel_init(&wheel, 0);
    pb_wheel_arm(&wheel, &other, SECOND);
    pb_wheel_disarm(&wheel, &timer);
    ck_assert_uint_eq(pb_wheel_count(&wheel), 1);
    pb_wheel_disarm(&wheel, &other);
    pb_wheel_disarm(&wheel, &other);
    ck_assert_uint_eq(pb_wheel_count(&wheel), 0);
}
END_TEST

START_TEST(a_disarmed_timer_does_not_fire)
{
    struct pb_timer timer = {0};
    pb_wheel_init(&wheel, 0);
    pb_wheel_arm(&wheel, &timer, SECOND);
    pb_wheel_disarm(&wheel, &timer);
    ck_assert(!pb_timer_armed(&timer));
    ck_assert_int_eq(pb_wheel_next(&wheel), INT64_MAX);
    advance_expect(YEAR, 0);
}
END_TEST

START_TEST(an_expired_timer_can_be_disarmed)
{
    struct pb_timer timers[3] = {0};
    pb_wheel_init(&wheel, 0);
    for (size_t i = 0; i < LENGTH_OF(timers); i++)
        pb_wheel_arm(&wheel, &timers[i], SECOND);
    pb_wheel_advance(&wheel, SECOND);
    pb_wheel_disarm(&wheel, &timers[1]);
    ck_assert(pb_wheel_check(&wheel));
    ck_assert_ptr_eq(pb_wheel_expired(&wheel), &timers[0]);
    pb_wheel_disarm(&wheel, &timers[2]);
    ck_assert_ptr_null(pb_wheel_expired(&wheel));
    ck_assert_uint_eq(pb_wheel_count(&wheel), 0);
}
END_TEST

START_TEST(an_expired_timer_is_armed_until_taken)
{
    struct pb_timer timer = {0};
    pb_wheel_init(&wheel, 0);
    pb_wheel_arm(&wheel, &timer, SECOND);
    pb_wheel_advance(&wheel, 2 * SECOND);
    ck_assert(pb_timer_armed(&timer));
    ck_assert_uint_eq(pb_wheel_count(&wheel), 1);
    ck_assert_int_eq(pb_wheel_next(&wheel), SECOND);
    advance_expect(3 * SECOND, 1);
    ck_assert_int_eq(pb_timer_deadline(&timer), SECOND);
}
END_TEST

START_TEST(a_deadline_in_the_past_fires_at_the_next_advance)
{
    static const int64_t deadlines[] = {INT64_MIN, -SECOND, 0, YEAR - 1, YEAR};
    for (size_t i = 0; i < LENGTH_OF(deadlines); i++) {
        struct pb_timer timer = {0};
        pb_wheel_init(&wheel, YEAR);
        pb_wheel_arm(&wheel, &timer, deadlines[i]);
        ck_assert_ptr_null(pb_wheel_expired(&wheel));
        ck_assert_int_eq(pb_wheel_next(&wheel), deadlines[i]);
        advance_expect(YEAR, 1);
    }
}
END_TEST

START_TEST(the_last_moment_is_a_deadline_too)
{
    struct pb_timer timer = {0};
    pb_wheel_init(&wheel, 0);
    pb_wheel_arm(&wheel, &timer, INT64_MAX);
    ck_assert_int_eq(pb_wheel_next(&wheel), INT64_MAX);
    advance_expect(YEAR, 0);
    advance_expect(INT64_MAX - 1, 0);
    advance_expect(INT64_MAX, 1);
}
END_TEST

START_TEST(all_of_time_can_pass_at_once)
{
    static struct pb_timer timers[1000];
    pb_wheel_init(&wheel, INT64_MIN);
    for (size_t i = 0; i < LENGTH_OF(timers); i++)
        pb_wheel_arm(&wheel, &timers[i], (int64_t)(i * (UINT64_MAX / 1000) - INT64_MAX - 1));
    advance_expect(-1, 501);
    advance_expect(INT64_MAX, 499);
}
END_TEST

START_TEST(time_may_start_below_zero)
{
    struct pb_timer before = {0}, after = {0};
    pb_wheel_init(&wheel, -SECOND);
    pb_wheel_arm(&wheel, &after, 1);
    pb_wheel_arm(&wheel, &before, -1);
    ck_assert_int_eq(pb_wheel_next(&wheel), -1);
    advance_expect(-2, 0);
    advance_expect(0, 1);
    advance_expect(1, 1);
}
END_TEST

/* Were it a loop over ticks, the time limit of the test would end it. */
START_TEST(a_jump_of_years_fires_everything)
{
    static struct pb_timer timers[10000];
    for (int round = 0; round < 20; round++) {
        int64_t now = round * YEAR;
        pb_wheel_init(&wheel, now);
        for (size_t i = 0; i < LENGTH_OF(timers); i++)
            pb_wheel_arm(&wheel, &timers[i], now + (int64_t)i * (YEAR / 10000));
        advance_expect(now + YEAR / 2, 5001);
        advance_expect(now + 200 * YEAR, 4999);
    }
}
END_TEST

START_TEST(time_going_back_is_ignored)
{
    struct pb_timer timer = {0}, past = {0};
    pb_wheel_init(&wheel, YEAR);
    pb_wheel_arm(&wheel, &timer, YEAR + SECOND);
    pb_wheel_arm(&wheel, &past, YEAR - SECOND);
    advance_expect(YEAR - 1, 0);
    advance_expect(INT64_MIN, 0);
    advance_expect(YEAR, 1);
    advance_expect(YEAR + SECOND, 1);
}
END_TEST

START_TEST(next_is_the_earliest_deadline)
{
    static const int64_t deadlines[] = {YEAR, SECOND + 2, SECOND + 1, 3, 70000, 2};
    struct pb_timer timers[LENGTH_OF(deadlines)] = {0};
    int64_t earliest = INT64_MAX;
    pb_wheel_init(&wheel, 1);
    for (size_t i = 0; i < LENGTH_OF(deadlines); i++) {
        pb_wheel_arm(&wheel, &timers[i], deadlines[i]);
        if (deadlines[i] < earliest) earliest = deadlines[i];
        ck_assert_int_eq(pb_wheel_next(&wheel), earliest);
    }
}
END_TEST

START_TEST(no_wake_up_is_in_vain_when_nothing_is_disarmed)
{
    static struct pb_timer timers[2000];
    pb_wheel_init(&wheel, 999);
    uint64_t stretch = 1;
    for (size_t i = 0; i < LENGTH_OF(timers); i++) {
        stretch = stretch * 6364136223846793005u + 1442695040888963407u;
        pb_wheel_arm(&wheel, &timers[i], 999 + (int64_t)(stretch >> (1 + i % 60)));
    }
    ck_assert_uint_eq(run_dry(), 0);
}
END_TEST

START_TEST(a_disarmed_timer_costs_at_most_one_wake_up)
{
    static struct pb_timer timers[1000];
    pb_wheel_init(&wheel, 0);
    for (size_t i = 0; i < LENGTH_OF(timers); i++)
        pb_wheel_arm(&wheel, &timers[i], SECOND + (int64_t)i * 1000000);
    for (size_t i = 0; i < 900; i++)
        pb_wheel_disarm(&wheel, &timers[i]);
    ck_assert_int_le(pb_wheel_next(&wheel), SECOND + 900 * INT64_C(1000000));
    ck_assert_uint_le(run_dry(), 900);
}
END_TEST

START_TEST(equal_deadlines_fire_in_the_order_of_arming)
{
    struct pb_timer timers[30] = {0};
    int64_t deadline = 3600 * SECOND + 4321, now = 0;
    pb_wheel_init(&wheel, now);
    for (size_t i = 0; i < LENGTH_OF(timers); i++) {
        pb_wheel_arm(&wheel, &timers[i], deadline);
        pb_wheel_advance(&wheel, now = deadline - (deadline - now) / 2);
    }
    pb_wheel_advance(&wheel, deadline);
    for (size_t i = 0; i < LENGTH_OF(timers); i++)
        ck_assert_ptr_eq(pb_wheel_expired(&wheel), &timers[i]);
}
END_TEST

/* Half of them in the tick we stay in, half in a later slot of its row; again the time limit decides. */
START_TEST(an_advance_does_not_touch_timers_it_does_not_reach)
{
    static struct pb_timer timers[500000];
    pb_wheel_init(&wheel, 0);
    for (size_t i = 0; i < LENGTH_OF(timers); i++)
        pb_wheel_arm(&wheel, &timers[i], i % 2 ? 65535 : 4000000);
    for (int64_t now = 0; now < 65535; now++)
        pb_wheel_advance(&wheel, now);
    ck_assert_uint_eq(pb_wheel_count(&wheel), LENGTH_OF(timers));
    ck_assert_uint_eq(run_dry(), 0);
}
END_TEST

START_TEST(check_finds_damage)
{
    struct pb_timer timers[2] = {0};
    pb_wheel_init(&wheel, 0);
    pb_wheel_arm(&wheel, &timers[0], SECOND);
    pb_wheel_arm(&wheel, &timers[1], SECOND);
    ck_assert(pb_wheel_check(&wheel));
    timers[1].deadline = 2 * SECOND;
    ck_assert(!pb_wheel_check(&wheel));
    timers[1].deadline = SECOND;
    timers[1].next = &timers[0];
    ck_assert(!pb_wheel_check(&wheel));
    timers[1].next = NULL;
    wheel.count++;
    ck_assert(!pb_wheel_check(&wheel));
}
END_TEST

/* The model: an array, searched. Every answer of the wheel is compared with it. */

#define MODEL_TIMERS 96
#define MODEL_LIFE 4000 /* steps until time starts anew */

struct model {
    uint64_t seed, random;
    size_t step;
    int64_t now;
    uint64_t armings;
    size_t removed, in_vain; /* timers disarmed or moved; advances at next with nothing due */
    struct model_timer {
        bool armed, due;
        uint64_t arming;
    } timers[MODEL_TIMERS];
};

static struct pb_timer nodes[MODEL_TIMERS];

/* Not ck_assert, which writes to a file whenever it passes. */
#define model_assert(model, claim)                                                                           \
    do {                                                                                                     \
        if (!(claim))                                                                                        \
            ck_abort_msg("step %zu: %s (PEBBLE_SEED=%" PRIu64 ")", (model)->step, #claim, (model)->seed);    \
    } while (0)

static uint64_t model_random(struct model *model)
{
    uint64_t z = model->random += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static int64_t saturating_add(int64_t a, int64_t b)
{
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b < 0 ? INT64_MIN : INT64_MAX;
}

/* Some nanoseconds, of any order of magnitude below 2^bits. */
static int64_t model_duration(struct model *model, unsigned bits)
{
    unsigned magnitude = (unsigned)(model_random(model) % (bits + 1));
    return (int64_t)(model_random(model) & ((UINT64_C(1) << magnitude) - 1));
}

static int64_t model_deadline(struct model *model)
{
    switch (model_random(model) % 16) {
    case 0: return model_random(model) % 2 ? INT64_MAX : INT64_MIN;
    case 1: return (int64_t)model_random(model);
    case 2: return saturating_add(model->now, -model_duration(model, 63));
    case 3:
    case 4: return nodes[model_random(model) % MODEL_TIMERS].deadline;
    case 5: return saturating_add(model->now, model_duration(model, 63));
    case 6:
    case 7: return saturating_add(model->now, model_duration(model, 17));
    default: return saturating_add(model->now, model_duration(model, 42));
    }
}

static size_t model_count(const struct model *model, bool only_due)
{
    size_t count = 0;
    for (size_t i = 0; i < MODEL_TIMERS; i++)
        count += only_due ? model->timers[i].due : model->timers[i].armed;
    return count;
}

static int64_t model_earliest(const struct model *model)
{
    int64_t earliest = INT64_MAX;
    for (size_t i = 0; i < MODEL_TIMERS; i++)
        if (model->timers[i].armed && nodes[i].deadline < earliest) earliest = nodes[i].deadline;
    return earliest;
}

static void model_arm(struct model *model, size_t i)
{
    int64_t deadline = model_deadline(model);
    model->removed += model->timers[i].armed;
    pb_wheel_arm(&wheel, &nodes[i], deadline);
    model->timers[i] = (struct model_timer){.armed = true, .arming = ++model->armings};
    model_assert(model, pb_timer_armed(&nodes[i]));
    model_assert(model, pb_timer_deadline(&nodes[i]) == deadline);
}

static void model_disarm(struct model *model, size_t i)
{
    model->removed += model->timers[i].armed;
    pb_wheel_disarm(&wheel, &nodes[i]);
    model->timers[i] = (struct model_timer){0};
    model_assert(model, !pb_timer_armed(&nodes[i]));
}

static void model_advance(struct model *model, int64_t now)
{
    pb_wheel_advance(&wheel, now);
    if (now < model->now) return;
    model->now = now;
    for (size_t i = 0; i < MODEL_TIMERS; i++)
        model->timers[i].due |= model->timers[i].armed && nodes[i].deadline <= now;
}

static void model_advance_at_next(struct model *model)
{
    int64_t next = pb_wheel_next(&wheel);
    if (!model_count(model, false)) return;
    model_advance(model, next > model->now ? next : model->now);
    if (!model_count(model, true)) model->in_vain++;
    model_assert(model, model->in_vain <= model->removed);
}

static void model_advance_somewhere(struct model *model)
{
    switch (model_random(model) % 32) {
    case 0: model_advance(model, saturating_add(model->now, -model_duration(model, 63))); break;
    case 1: model_advance(model, saturating_add(model->now, model_duration(model, 60))); break;
    case 2:
    case 3: model_advance(model, model->now); break;
    case 4:
    case 5:
    case 6: model_advance(model, saturating_add(pb_wheel_next(&wheel), -1)); break;
    case 7:
    case 8:
    case 9:
    case 10: model_advance(model, saturating_add(model->now, model_duration(model, 40))); break;
    default: model_advance_at_next(model);
    }
}

static bool model_take(struct model *model)
{
    struct pb_timer *timer = pb_wheel_expired(&wheel);
    if (!timer) {
        model_assert(model, model_count(model, true) == 0);
        return false;
    }
    struct model_timer *taken = &model->timers[timer - nodes];
    model_assert(model, taken->due);
    model_assert(model, timer->deadline <= model->now);
    model_assert(model, !pb_timer_armed(timer));
    for (size_t i = 0; i < MODEL_TIMERS; i++)
        if (model->timers[i].due && nodes[i].deadline == timer->deadline)
            model_assert(model, taken->arming <= model->timers[i].arming);
    *taken = (struct model_timer){0};
    return true;
}

static void model_restart(struct model *model)
{
    static const int64_t starts[] = {0, YEAR, -SECOND, INT64_MIN, INT64_MAX - SECOND};
    uint64_t pick = model_random(model) % (LENGTH_OF(starts) + 2);
    model->now = pick < LENGTH_OF(starts) ? starts[pick] : (int64_t)model_random(model);
    for (size_t i = 0; i < MODEL_TIMERS; i++) {
        nodes[i] = (struct pb_timer){0};
        model->timers[i] = (struct model_timer){0};
    }
    pb_wheel_init(&wheel, model->now);
}

static void model_step(struct model *model)
{
    /* Few timers now and then, so that slots and the wheel run empty too. */
    size_t reach = model->step / 256 % 4 ? MODEL_TIMERS : 4;
    size_t i = model_random(model) % reach;
    switch (model_random(model) % 8) {
    case 0:
    case 1:
    case 2: model_arm(model, i); break;
    case 3: model_disarm(model, i); break;
    case 4: model_take(model); break;
    case 5:
    case 6: model_advance_somewhere(model); break;
    default:
        while (model_take(model))
            ;
    }
}

static void model_compare(const struct model *model)
{
    size_t count = model_count(model, false);
    int64_t next = pb_wheel_next(&wheel);
    model_assert(model, pb_wheel_count(&wheel) == count);
    model_assert(model, count ? next <= model_earliest(model) : next == INT64_MAX);
    if (model->step % 61 == 0) model_assert(model, pb_wheel_check(&wheel));
}

START_TEST(two_million_random_steps_agree_with_the_model)
{
    static struct model model;
    const char *seed = getenv("PEBBLE_SEED");
    model.seed = model.random = seed ? strtoull(seed, NULL, 0) : 20240229;
    for (size_t steps = 2 * chance_steps(); model.step < steps; model.step++) {
        if (model.step % MODEL_LIFE == 0) model_restart(&model);
        model_step(&model);
        model_compare(&model);
    }
}
END_TEST

static TCase *randomized(void)
{
    TCase *tcase = tcase_create("model");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, two_million_random_steps_agree_with_the_model);
    return tcase;
}

Suite *wheel_suite(void)
{
    Suite *suite = suite_create("wheel");
    TCase *tcase = tcase_create("claims");
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, a_timer_is_at_most_40_bytes);
    tcase_add_test(tcase, a_zeroed_timer_is_not_armed);
    tcase_add_test(tcase, an_empty_wheel_asks_for_nothing);
    tcase_add_test(tcase, a_timer_never_fires_early_at_any_distance);
    tcase_add_test(tcase, a_timer_never_fires_early_when_time_creeps);
    tcase_add_test(tcase, a_late_advance_fires_what_was_due);
    tcase_add_test(tcase, an_armed_timer_can_be_moved_later);
    tcase_add_test(tcase, an_armed_timer_can_be_moved_earlier);
    tcase_add_test(tcase, an_expired_timer_can_be_armed_again);
    tcase_add_test(tcase, a_timer_can_be_armed_again_as_it_fires);
    tcase_add_test(tcase, disarming_what_is_not_armed_does_nothing);
    tcase_add_test(tcase, a_disarmed_timer_does_not_fire);
    tcase_add_test(tcase, an_expired_timer_can_be_disarmed);
    tcase_add_test(tcase, an_expired_timer_is_armed_until_taken);
    tcase_add_test(tcase, a_deadline_in_the_past_fires_at_the_next_advance);
    tcase_add_test(tcase, the_last_moment_is_a_deadline_too);
    tcase_add_test(tcase, all_of_time_can_pass_at_once);
    tcase_add_test(tcase, time_may_start_below_zero);
    tcase_add_test(tcase, a_jump_of_years_fires_everything);
    tcase_add_test(tcase, time_going_back_is_ignored);
    tcase_add_test(tcase, next_is_the_earliest_deadline);
    tcase_add_test(tcase, no_wake_up_is_in_vain_when_nothing_is_disarmed);
    tcase_add_test(tcase, a_disarmed_timer_costs_at_most_one_wake_up);
    tcase_add_test(tcase, equal_deadlines_fire_in_the_order_of_arming);
    tcase_add_test(tcase, an_advance_does_not_touch_timers_it_does_not_reach);
    tcase_add_test(tcase, check_finds_damage);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, randomized());
    return suite;
}
