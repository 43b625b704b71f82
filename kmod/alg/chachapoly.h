/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ChaCha20-Poly1305 as ESP uses it (RFC 7634), on the kernel's library
 * functions, which take the SIMD code when they may and are synchronous always.
 * The crypto API's template of the two costs as much again in glue.
 */
#ifndef ESPTUN_CHACHAPOLY_H
#define ESPTUN_CHACHAPOLY_H

#include <linux/types.h>

#define ESPTUN_CHACHAPOLY_SALT 4u
#define ESPTUN_CHACHAPOLY_IV 8u
#define ESPTUN_CHACHAPOLY_ICV 16u
#define ESPTUN_CHACHAPOLY_AAD_MAX 16u

/* Octets in front of the text that are used, and given back as they were. */
#define ESPTUN_CHACHAPOLY_HEADROOM 64u

/**
 * struct esptun_chachapoly - a key
 * @key: as the cipher wants it
 * @salt: first octets of the nonce (RFC 7634 2)
 */
struct esptun_chachapoly {
	u32 key[8];
	u8 salt[ESPTUN_CHACHAPOLY_SALT];
};

/**
 * esptun_chachapoly_init - take over a key
 * @k: to fill; the owner wipes it
 * @key: 32 octets of key and 4 of salt
 */
void esptun_chachapoly_init(struct esptun_chachapoly *k, const u8 *key);

/**
 * esptun_chachapoly_seal - encrypt where it lies, and append the ICV
 * @k: key
 * @iv: 8 octets, unique for the key
 * @aad: additional data
 * @aad_len: up to ESPTUN_CHACHAPOLY_AAD_MAX octets
 * @text: @len octets of plaintext and room for the ICV, memory of our own with
 *	ESPTUN_CHACHAPOLY_HEADROOM octets in front that nobody else reads now
 * @len: any
 */
void esptun_chachapoly_seal(const struct esptun_chachapoly *k, const u8 *iv,
			    const u8 *aad, unsigned int aad_len, u8 *text,
			    unsigned int len);

/**
 * esptun_chachapoly_open - authenticate and decrypt where it lies
 * @k: key
 * @iv: 8 octets from the packet
 * @aad: additional data
 * @aad_len: up to ESPTUN_CHACHAPOLY_AAD_MAX octets
 * @text: @len octets of ciphertext and the ICV, memory that nobody else writes
 * @len: any
 *
 * Return: false if the ICV is wrong: then @text is as it was.
 */
bool esptun_chachapoly_open(const struct esptun_chachapoly *k, const u8 *iv,
			    const u8 *aad, unsigned int aad_len, u8 *text,
			    unsigned int len);

struct esptun_alg;

/* The rows of it, see alg.h. */
extern const struct esptun_alg_ops esptun_chachapoly_ops;

/* The operations of that name in esptun_chachapoly_ops, for direct calls. */
int esptun_chachapoly_seal_esp(const struct esptun_alg *alg, u8 *esp,
			       unsigned int len, u64 seq, bool esn);
int esptun_chachapoly_open_esp(const struct esptun_alg *alg, u8 *esp,
			       unsigned int len, u64 seq, bool esn);

#endif /* ESPTUN_CHACHAPOLY_H */
