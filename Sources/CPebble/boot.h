/* SPDX-License-Identifier: Apache-2.0
 * The marker in the environment that makes a fresh exec of the program a
 * server, a worker or the agent of a node, and the environment it is put in.
 *
 *   PEBBLE_BOOT=s<pid>                    a fork server
 *   PEBBLE_BOOT=w<pid>:<number>:<pool>    a worker of the spawn method
 *   PEBBLE_BOOT=a<slots>                  an agent; 0: as many as it may use CPUs
 *   PEBBLE_DEPTH=<n>                      how many pools deep this process is
 *
 * The pid is the process's own, so that a marker that was passed on by mistake
 * means nothing; that of an agent, which comes from another machine, has none.
 * An agent's link are its stdin and stdout. Of the others descriptor 3 is the channel to the host (server) or the link
 * (worker); 4 is a pidfd of the host (server) or the channel for pools inside
 * jobs (worker). */
#ifndef PB_BOOT_H
#define PB_BOOT_H

#include "compat.h"

#define PB_BOOT_CHANNEL_FD 3
#define PB_BOOT_EXTRA_FD 4
#define PB_BOOT_FDS_END 5

#define PB_DEPTH_MAX 8

/* What a marked process that cannot become what it should exits with. */
#define PB_EXIT_NO_ENTRY 97

/* The same for want of something that there may be at another time. */
#define PB_EXIT_NO_MEANS 98

enum pb_boot_role { PB_BOOT_NONE, PB_BOOT_SERVER, PB_BOOT_WORKER, PB_BOOT_AGENT };

struct pb_boot {
    enum pb_boot_role role;
    unsigned number; /* of a worker; slots of an agent */
    char pool[32];
    bool backtracer; /* in an environment to be made: leave Swift's crash reporter as it is */
};

/* An environment block for an exec; one allocation, to be freed. */
struct pb_boot_env {
    char **variables;
    char *pid; /* where the new process writes its pid, 10 digits wide */
};

PB_HIDDEN_BEGIN

/* Reads the marker of this process and removes it. The role is PB_BOOT_NONE
 * for every ordinary process, and for a marker that is not meant for this one. */
void pb_boot_take(struct pb_boot *ret_boot);

/* How many pools deep this process is: 0 in an ordinary one. */
unsigned pb_boot_depth(void);

/* The environment for a server or worker: this process's own, with the marker.
 * 0 or -ENOMEM. */
int pb_boot_env(const struct pb_boot *boot, unsigned depth, struct pb_boot_env *ret_env);
void pb_boot_env_done(struct pb_boot_env *env);

/* The words for a command that makes a program an agent: env(1) and what it is
 * to set. One allocation, a string after the other, to be freed; NULL: no memory. */
#define PB_BOOT_AGENT_WORDS 3
char *pb_boot_agent_words(unsigned slots, unsigned depth);

/* Writes this process's pid into the marker. Async-signal-safe. */
void pb_boot_env_stamp(struct pb_boot_env *env);

PB_HIDDEN_END
#endif
