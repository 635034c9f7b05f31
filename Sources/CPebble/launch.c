/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "launch.h"
#include "boot.h"
#include "control.h"
#include "fd.h"
#include "spawn.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PLACE "%n" /* of a node's name */

/* A word with the node's name in its places, to be freed. NULL: no memory. */
static char *filled_in(const char *word, const char *node)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream) return NULL;
    const char *place;
    for (; (place = strstr(word, PLACE)); word = place + strlen(PLACE)) {
        fwrite(word, 1, (size_t)(place - word), stream);
        fputs(node, stream);
    }
    fputs(word, stream);
    bool written = !ferror(stream);
    if (fclose(stream) == 0 && written) return text;
    free(text);
    return NULL;
}

static void free_words(char **words)
{
    for (char **word = words; word && *word; word++)
        free(*word);
    free(words);
}

static char **make_words(const char *const *command, const char *node, const char *program, unsigned slots)
{
    size_t count = 0, n = 0;
    while (command[count])
        count++;
    char **words = calloc(count + PB_BOOT_AGENT_WORDS + 2, sizeof *words);
    char *ours = words ? pb_boot_agent_words(slots, pb_boot_depth()) : NULL;
    bool complete = ours != NULL;
    for (; complete && n < count; n++)
        complete = (words[n] = filled_in(command[n], node)) != NULL;
    const char *word = ours;
    for (size_t i = 0; complete && i < PB_BOOT_AGENT_WORDS; i++, word += strlen(word) + 1)
        complete = (words[n++] = strdup(word)) != NULL;
    if (complete) complete = (words[n] = strdup(program)) != NULL;
    free(ours);
    if (complete) return words;
    free_words(words);
    return NULL;
}

/* A pair of connected sockets, the far one above stderr. 0 or -errno. */
static int make_ends(int ret_ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_ends) < 0) return -errno;
    int far = fcntl(ret_ends[1], F_DUPFD_CLOEXEC, 3), rc = far < 0 ? -errno : 0;
    pb_close(&ret_ends[1]);
    ret_ends[1] = far;
    return rc < 0 ? rc : pb_set_nonblocking(ret_ends[0], true);
}

int pb_launch(const char *const *command, const char *node, const char *program, unsigned slots,
              struct pb_launched *ret_launched)
{
    struct pb_proc proc = PB_PROC_NONE;
    int ends[2] = {-1, -1}, reports[2] = {-1, -1};
    char **words = make_words(command, node, program, slots);
    int rc = words ? make_ends(ends) : -ENOMEM;
    if (rc == 0) rc = pb_control_pair(reports);
    if (rc == 0) rc = pb_spawn_command(words, ends[1], reports[1]);
    if (rc == 0) rc = pb_spawn_report(reports[0], &proc);
    if (rc == 0) {
        *ret_launched = (struct pb_launched){.proc = proc, .socket = ends[0]};
        ends[0] = -1;
    }
    for (size_t i = 0; i < 2; i++) {
        pb_close(&ends[i]);
        pb_close(&reports[i]);
    }
    free_words(words);
    return rc;
}
