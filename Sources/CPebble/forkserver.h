/* SPDX-License-Identifier: Apache-2.0
 * The host's side of the fork server: one server for all pools of a process,
 * started when first needed. serve.c is the other side. */
#ifndef PB_FORKSERVER_H
#define PB_FORKSERVER_H

#include "compat.h"

PB_HIDDEN_BEGIN

/* A new channel of one's own to the server: PB_CONTROL_START goes in, STARTED
 * and EXITED come out, and every worker started through it dies when it is
 * closed. *ret_fresh tells that the server was started for this, and so has
 * not shown yet that it reaches its entry point. *ret_server names it, for
 * pb_forkserver_kill.
 *   -ELOOP  nested too deep
 *   -EPERM  this is a confined worker
 *   -EAGAIN, -ENOMEM, -EMFILE, ...  it could not be started */
int pb_forkserver_connect(int *ret_channel, bool *ret_fresh, unsigned *ret_server);

/* Kills that server, and with it its workers, unless it was replaced before or
 * is our own parent. */
void pb_forkserver_kill(unsigned server);

/* In a worker: pools of this process are served by the server that forked it,
 * through `channel`. */
void pb_forkserver_inherit(int channel);

/* In a worker that is to be confined: takes that away again, which would start
 * others that are not. 0, or -EBUSY: pools of this process were served already. */
int pb_forkserver_disinherit(void);

/* Changes in every fork of this process that did not exec. */
unsigned pb_forkserver_generation(void);

PB_HIDDEN_END
#endif
