/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void report_print(const struct report *reports, size_t count)
{
    static const char *const names[VERDICTS] = {"parsed", "invalid", "timed out", "crashed"};
    size_t counts[VERDICTS] = {0};
    struct summary total = {0};
    int width = 0;

    for (size_t i = 0; i < count; i++) {
        const struct report *report = &reports[i];
        counts[report->verdict]++;
        if (report->verdict == PARSED) {
            total.lines += report->summary.lines;
            total.checksum += report->summary.checksum;
        } else if ((int)strlen(report->file) > width) {
            width = (int)strlen(report->file);
        }
    }

    for (int verdict = 0; verdict < VERDICTS; verdict++)
        printf("%-9s  %7zu\n", names[verdict], counts[verdict]);
    printf("\n%" PRId64 " lines in the parsed ones, checksum %" PRId64 "\n", total.lines, total.checksum);
    if (counts[PARSED] < count) printf("\n");
    for (size_t i = 0; i < count; i++)
        if (reports[i].verdict != PARSED)
            printf("%-9s  %-*s  %s\n", names[reports[i].verdict], width, reports[i].file, reports[i].reason);
}
