/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one call of the crypto API needs: one for each CPU, so that nothing is
 * allocated for a packet.
 */
#ifndef ESPTUN_SCRATCH_H
#define ESPTUN_SCRATCH_H

#include <linux/local_lock.h>
#include <linux/percpu.h>
#include <linux/scatterlist.h>
#include <crypto/aead.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include "alg/alg.h"
#include "limits.h"

/**
 * struct esptun_scratch - of one CPU, between begin and end
 * @sg: the packet
 * @iv: initialisation vector, which the crypto API writes to
 * @digest: what a keyed hash gave
 * @aead: request of a combined mode
 * @cipher: request of a cipher
 * @hash: state of a keyed hash
 * @ctx: what follows each of the three
 */
struct esptun_scratch {
	struct scatterlist sg[1];
	u8 iv[ESPTUN_IV_MAX];
	u8 digest[HASH_MAX_DIGESTSIZE];
	union {
		struct aead_request aead;
		struct skcipher_request cipher;
		struct shash_desc hash;
	};
	u8 ctx[ESPTUN_CRYPTO_REQ_MAX] CRYPTO_MINALIGN_ATTR;
};

/* Bottom halves off keep other users of a CPU's scratch away, on PREEMPT_RT this. */
DECLARE_PER_CPU(local_lock_t, esptun_scratch_lock);
DECLARE_PER_CPU(struct esptun_scratch *, esptun_scratches);

/* This CPU's, until esptun_scratch_end(). Bottom halves off. */
static inline struct esptun_scratch *esptun_scratch_begin(void)
{
	local_lock_nested_bh(&esptun_scratch_lock);
	return this_cpu_read(esptun_scratches);
}

static inline void esptun_scratch_end(void)
{
	local_unlock_nested_bh(&esptun_scratch_lock);
}

/* Once per module. Process context. */
int esptun_scratch_module_init(void);
void esptun_scratch_module_exit(void);

#endif /* ESPTUN_SCRATCH_H */
