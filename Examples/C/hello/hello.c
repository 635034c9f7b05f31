/* SPDX-License-Identifier: Apache-2.0 */
#include <pebble.h>
#include <stdio.h>

static int divide(pebble_call *call) {
    size_t length;
    int *n = pebble_call_input(call, &length), quotient = n[0] / n[1];
    return pebble_call_write(call, &quotient, sizeof quotient);
}
int main(void) {
    pebble_pool *pool; pebble_future *job; char text[100];
    if (pebble_pool_new(NULL, &pool) < 0) return 1;
    if (pebble_pool_schedule(pool, divide, (int[]){1, 0}, 2 * sizeof(int), NULL, &job) < 0) return 1;
    pebble_future_wait(job, PEBBLE_FOREVER);
    pebble_outcome_describe(pebble_future_outcome(job), text, sizeof text);
    puts(text); /* worker 4711 crashed: SIGFPE after 212 us: integer division by zero */
}
