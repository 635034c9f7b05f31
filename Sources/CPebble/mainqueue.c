/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "mainqueue.h"

#include <poll.h>
#include <unistd.h>

/* The hooks that CoreFoundation uses for its run loop; the handle is an eventfd. */
extern __attribute__((weak)) int _dispatch_get_main_queue_handle_4CF(void);
extern __attribute__((weak)) void _dispatch_main_queue_callback_4CF(void *);

bool pb_mainqueue_exists(void)
{
    return _dispatch_get_main_queue_handle_4CF && _dispatch_main_queue_callback_4CF;
}

int pb_mainqueue_serve_until(int fd, short events, int other)
{
    int handle = pb_mainqueue_exists() ? _dispatch_get_main_queue_handle_4CF() : -1;
    struct pollfd polled[] = {
        {.fd = fd, .events = events}, {.fd = handle, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    for (;;) {
        if (poll(polled, PB_COUNT(polled), -1) < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        if (polled[1].revents & POLLIN) {
            uint64_t count;
            if (read(polled[1].fd, &count, sizeof count) > 0 || errno == EAGAIN)
                _dispatch_main_queue_callback_4CF(NULL);
        }
        if (polled[0].revents) return 0;
        if (polled[2].revents) return 1;
    }
}
