/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving up what the agent does not need, before it reads the first packet.
 */
#ifndef ESPTUN_IKE_RIGHTS_H
#define ESPTUN_IKE_RIGHTS_H

#include <stddef.h>

/*
 * No core dumps, no ptrace, no swap; capabilities only to change the network
 * (CAP_NET_ADMIN) and bind port 500 (CAP_NET_BIND_SERVICE). 0, or -1 with a sentence
 * in @err: not root, or the kernel refused.
 */
int rights_drop(char *err, size_t err_size);

/*
 * Allow only the system calls an agent that is set up needs; any other one ends the
 * process with a line on standard error that names it. Call it last. 0, or -1 with a
 * sentence.
 */
int rights_confine(char *err, size_t err_size);

#endif
