/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which algorithms of ESP kernel and module have here. */
#ifndef ESPTUN_IKE_IO_ALGOS_H
#define ESPTUN_IKE_IO_ALGOS_H

#include <stdbool.h>
#include <stddef.h>

struct esptun;
struct esptun_algo;
struct ike_cipher;

/* Zeroed at first; its owner frees it with algos_free(). */
struct algos {
	struct esptun_algo *v;
	size_t n;
};

/**
 * algos_read() - ask the module
 * @a: to fill, empty
 * @h: libesptun's handle, which has the text of an error
 * Return: 0, also if the module is too old to tell; what esptun_algo_dump() returned; -ENOMEM.
 */
int algos_read(struct algos *a, struct esptun *h);

/* Can an SA have @cipher: encryption with a key of its length, and integrity? */
bool algos_have(const struct algos *a, const struct ike_cipher *cipher);

void algos_free(struct algos *a);

#endif
