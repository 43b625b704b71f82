// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ike/io/algos.h"
#include "ike/core/core.h"
#include "lib/esptun.h"

/* What a module has that cannot be asked yet. One stays loaded while its links are there. */
static const struct esptun_algo older_algos[] = {
	{ .type = ESPTUN_ALGO_ENCR,
	  .id = IKE_ENCR_AES_GCM_16,
	  .state = ESPTUN_ALGO_STATE_AVAILABLE,
	  .key_lens = { 20, 28, 36 },
	  .n_key_lens = 3,
	  .salt_len = 4 },
	{ .type = ESPTUN_ALGO_ENCR,
	  .id = IKE_ENCR_CHACHA20_POLY1305,
	  .state = ESPTUN_ALGO_STATE_AVAILABLE,
	  .key_lens = { 36 },
	  .n_key_lens = 1,
	  .salt_len = 4 },
};

int algos_read(struct algos *a, struct esptun *h)
{
	int err = esptun_algo_dump(h, &a->v, &a->n);

	if (err != -EOPNOTSUPP)
		return err;
	a->v = malloc(sizeof(older_algos));
	if (!a->v)
		return -ENOMEM;
	memcpy(a->v, older_algos, sizeof(older_algos));
	a->n = sizeof(older_algos) / sizeof(older_algos[0]);
	return 0;
}

void algos_free(struct algos *a)
{
	free(a->v);
	*a = (struct algos){ 0 };
}

/* Is it here, with a key of @bits? 0: with the only length there is. */
static bool has(const struct algos *a, uint8_t type, uint16_t id, uint16_t bits)
{
	const struct esptun_algo *algo, *end = a->v + a->n;

	for (algo = a->v; algo < end; algo++) {
		if (algo->type != type || algo->id != id ||
		    algo->state != ESPTUN_ALGO_STATE_AVAILABLE)
			continue;
		if (!bits)
			return true;
		for (size_t i = 0; i < algo->n_key_lens; i++)
			if (algo->key_lens[i] - algo->salt_len == bits / 8)
				return true;
	}
	return false;
}

bool algos_have(const struct algos *a, const struct ike_cipher *cipher)
{
	return has(a, ESPTUN_ALGO_ENCR, cipher->encr, cipher->key_bits) &&
	       (cipher->integ == IKE_INTEG_NONE || has(a, ESPTUN_ALGO_INTEG, cipher->integ, 0));
}
