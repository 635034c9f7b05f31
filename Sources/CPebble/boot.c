/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* The Swift runtime's own crash reporter takes 10 to 30 ms a crash, and can
 * turn a crash on a second thread into exit 0: off in servers and workers. What
 * the user had set is kept under the second name and put back for the job's
 * children. */
#define BACKTRACE "SWIFT_BACKTRACE"
#define KEPT_BACKTRACE "PEBBLE_SWIFT_BACKTRACE"

#define PID_DIGITS 10

static void restore_backtrace(void)
{
    const char *kept = getenv(KEPT_BACKTRACE);
    if (kept)
        setenv(BACKTRACE, kept, 1);
    else
        unsetenv(BACKTRACE);
    unsetenv(KEPT_BACKTRACE);
}

void pb_boot_take(struct pb_boot *ret_boot)
{
    *ret_boot = (struct pb_boot){0};
    const char *marker = getenv("PEBBLE_BOOT");
    if (!marker) return;

    char role = 0;
    int pid = 0, end = 0;
    if (sscanf(marker, "%c%d%n", &role, &pid, &end) == 2 && pid == getpid()) {
        if (role == 's' && marker[end] == '\0') ret_boot->role = PB_BOOT_SERVER;
        int name = 0;
        if (role == 'w' && sscanf(marker + end, ":%u:%n", &ret_boot->number, &name) == 1 && name > 0) {
            strlcpy(ret_boot->pool, marker + end + name, sizeof ret_boot->pool);
            ret_boot->role = PB_BOOT_WORKER;
        }
    }
    if (sscanf(marker, "a%u%n", &ret_boot->number, &end) == 1 && marker[end] == '\0') ret_boot->role = PB_BOOT_AGENT;
    unsetenv("PEBBLE_BOOT");
    if (ret_boot->role == PB_BOOT_SERVER || ret_boot->role == PB_BOOT_WORKER) restore_backtrace();
}

unsigned pb_boot_depth(void)
{
    const char *depth = getenv("PEBBLE_DEPTH");
    return depth ? (unsigned)strtoul(depth, NULL, 10) : 0;
}

static bool is_variable(const char *entry, const char *name)
{
    size_t length = strlen(name);
    return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

static bool is_ours(const char *entry)
{
    return is_variable(entry, "PEBBLE_BOOT") || is_variable(entry, "PEBBLE_DEPTH") ||
           is_variable(entry, KEPT_BACKTRACE) || is_variable(entry, BACKTRACE);
}

int pb_boot_env(const struct pb_boot *boot, unsigned depth, struct pb_boot_env *ret_env)
{
    enum { TEXT = 512, OURS = 4 };
    const char *kept = getenv(BACKTRACE);
    size_t kept_size = kept ? 2 * (sizeof KEPT_BACKTRACE "=" + strlen(kept)) : 0;
    size_t count = 0;
    while (environ && environ[count])
        count++;

    char **variables = malloc((count + OURS + 1) * sizeof *variables + TEXT + kept_size);
    if (!variables) return -ENOMEM;
    char *text = (char *)(variables + count + OURS + 1), *end = text + TEXT + kept_size;
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_ours(environ[i])) variables[n++] = environ[i];

    ret_env->pid = text + strlen("PEBBLE_BOOT=s");
    variables[n++] = text;
    if (boot->role == PB_BOOT_SERVER)
        text += snprintf(text, (size_t)(end - text), "PEBBLE_BOOT=s%0*d", PID_DIGITS, 0) + 1;
    else
        text += snprintf(text, (size_t)(end - text), "PEBBLE_BOOT=w%0*d:%u:%s", PID_DIGITS, 0, boot->number,
                         boot->pool) + 1;
    variables[n++] = text;
    text += snprintf(text, (size_t)(end - text), "PEBBLE_DEPTH=%u", depth) + 1;
    if (kept || !boot->backtracer) {
        variables[n++] = text;
        text += snprintf(text, (size_t)(end - text), BACKTRACE "=%s", boot->backtracer ? kept : "enable=no") + 1;
    }
    if (kept) {
        variables[n++] = text;
        snprintf(text, (size_t)(end - text), KEPT_BACKTRACE "=%s", kept);
    }
    variables[n] = NULL;
    ret_env->variables = variables;
    return 0;
}

char *pb_boot_agent_words(unsigned slots, unsigned depth)
{
    char *words;
    return asprintf(&words, "env%cPEBBLE_BOOT=a%u%cPEBBLE_DEPTH=%u", 0, slots, 0, depth) < 0 ? NULL : words;
}

void pb_boot_env_done(struct pb_boot_env *env)
{
    free(env->variables);
    env->variables = NULL;
}

void pb_boot_env_stamp(struct pb_boot_env *env)
{
    int pid = getpid();
    for (int i = PID_DIGITS - 1; i >= 0; i--, pid /= 10)
        env->pid[i] = (char)('0' + pid % 10);
}
