/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which program holds a UDP port that we want. */
#ifndef ESPTUN_IKE_HOLDER_H
#define ESPTUN_IKE_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * "NAME (process PID)" of one that has an IPv4 UDP socket with this local port, in our network
 * namespace. False if it cannot be told: no rights to look, or a socket of the kernel's.
 */
bool holder_of_port(uint16_t port, char *text, size_t size);

#endif
