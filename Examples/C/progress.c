/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { REDRAW_INTERVAL = 100 * 1000 * 1000 }; /* ns */

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static size_t terminal_width(void)
{
    struct winsize window;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_col == 0) return 80;
    return window.ws_col;
}

static void draw_bar(const struct progress *progress)
{
    char bar[61], numbers[64];
    size_t room = terminal_width();
    int length = snprintf(numbers, sizeof numbers, " %3zu %%  %zu of %zu",
                          progress->done * 100 / progress->total, progress->done, progress->total);
    size_t taken = (size_t)length + 3; /* brackets, and the last column stays free */
    size_t width = room > taken ? room - taken : 0;
    if (width > sizeof bar - 1) width = sizeof bar - 1;
    size_t filled = width * progress->done / progress->total;
    memset(bar, '#', filled);
    memset(bar + filled, '-', width - filled);
    bar[width] = '\0';
    fprintf(stderr, "\r\033[K[%s]%s%s", bar, numbers, progress->done == progress->total ? "\n" : "");
    fflush(stderr);
}

void progress_start(struct progress *progress, size_t total)
{
    *progress = (struct progress){.total = total, .terminal = isatty(STDERR_FILENO)};
}

void progress_show(struct progress *progress, size_t done)
{
    size_t before = progress->done;
    if (done == before) return;
    progress->done = done;
    if (progress->terminal) {
        if (done < progress->total && now() - progress->drawn_at < REDRAW_INTERVAL) return;
        progress->drawn_at = now();
        draw_bar(progress);
    } else if (done * 10 / progress->total > before * 10 / progress->total) {
        fprintf(stderr, "%3zu %%  %zu of %zu\n", done * 100 / progress->total, done, progress->total);
    }
}
