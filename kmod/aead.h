/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Combined-mode ciphers. One row per algorithm; one transform per SA; one
 * request per CPU, so nothing is allocated per packet.
 */
#ifndef ESPTUN_AEAD_H
#define ESPTUN_AEAD_H

#include <linux/types.h>
#include "chachapoly.h"
#include "esp.h"

struct crypto_aead;
struct netlink_ext_ack;

/**
 * struct esptun_alg - one algorithm
 * @encr: IANA IKEv2 encryption transform ID
 * @crypto: kernel name of the ESP form (key followed by salt), NULL if the
 *	algorithm is the library's
 * @crypto_internal: kernel name of the form that needs the SIMD registers,
 *	or NULL; see aead.c
 * @key_lens: accepted octets of key and salt, 0 ends the list
 * @key_help: the same in words
 * @sizes: packet layout
 */
struct esptun_alg {
	u16 encr;
	const char *crypto;
	const char *crypto_internal;
	u8 key_lens[4];
	const char *key_help;
	struct esptun_esp_sizes sizes;
};

/**
 * struct esptun_aead - a keyed algorithm
 * @alg: row, NULL without a key
 * @tfm: transform
 * @chachapoly: key of ChaCha20-Poly1305, which needs no transform
 * @simd: @tfm works only while the CPU's SIMD registers are free
 */
struct esptun_aead {
	const struct esptun_alg *alg;
	union {
		struct crypto_aead *tfm;
		struct esptun_chachapoly chachapoly;
	};
	bool simd;
};

/* Octets of nobody else's in front of an ESP packet being sealed or opened. */
#define ESPTUN_AEAD_HEADROOM 64u

/* Once per module: per-CPU requests. Process context. */
int esptun_aead_module_init(void);
void esptun_aead_module_exit(void);

/**
 * esptun_aead_find - the row for a pair of transform IDs
 * @encr: encryption
 * @integ: integrity, 0 for a combined mode
 * @extack: told why not
 *
 * Return: NULL if there is none.
 */
const struct esptun_alg *esptun_aead_find(u16 encr, u16 integ,
					  struct netlink_ext_ack *extack);

/**
 * esptun_aead_init - allocate and key a transform
 * @a: to fill
 * @alg: row
 * @key: key and salt, KEYMAT order; stays the caller's, who wipes it
 * @len: octets in @key
 * @extack: told why not
 *
 * May sleep. Return: 0; -EINVAL for a wrong length; what the crypto layer
 * said. On failure nothing is left behind.
 */
int esptun_aead_init(struct esptun_aead *a, const struct esptun_alg *alg,
		     const u8 *key, unsigned int len,
		     struct netlink_ext_ack *extack);

/* Free the transform; the crypto layer wipes the key. Process context. */
void esptun_aead_free(struct esptun_aead *a);

/* Name of the driver in use, valid as long as @a. */
const char *esptun_aead_driver(const struct esptun_aead *a);

/**
 * esptun_aead_ready - can @a be used on this CPU just now
 * @a: keyed algorithm
 *
 * False only when the code interrupted someone else's SIMD section; the
 * caller leaves the packets to process context (spread.h). Bottom halves off.
 */
bool esptun_aead_ready(const struct esptun_aead *a);

/**
 * esptun_aead_seal - encrypt an ESP packet where it lies
 * @a: keyed algorithm
 * @esp: ESP header, the IV (filled in by this function from @seq), then
 *	@len octets of plaintext, then room for the ICV. One piece of memory
 *	of our own, with ESPTUN_AEAD_HEADROOM octets in front of @esp, which
 *	are overwritten.
 * @len: octets of plaintext, trailer included
 * @seq: 64-bit sequence number, also the IV: unique for the key (RFC 4106 3.1)
 * @esn: put the number's high half into the additional data (RFC 4303 2.2.1)
 *
 * Bottom halves off, esptun_aead_ready() true.
 *
 * Return: 0 or what the crypto layer said; then @esp holds rubbish.
 */
int esptun_aead_seal(const struct esptun_aead *a, u8 *esp, unsigned int len,
		     u64 seq, bool esn);

/**
 * esptun_aead_open - authenticate and decrypt an ESP packet where it lies
 * @a: keyed algorithm
 * @esp: ESP header, IV, ciphertext, ICV in one piece of memory of our own, with
 *	headroom as for esptun_aead_seal(). Nobody else can write there: who
 *	changed it between authentication and decryption would forge
 * @len: all octets of it; esptun_esp_valid_len() was true
 * @seq: inferred 64-bit sequence number
 * @esn: as for esptun_aead_seal()
 *
 * Bottom halves off, esptun_aead_ready() true.
 *
 * Return: 0, the plaintext is where the ciphertext was; -EBADMSG if the ICV is
 * wrong, then it must not be used.
 */
int esptun_aead_open(const struct esptun_aead *a, u8 *esp, unsigned int len,
		     u64 seq, bool esn);

#endif /* ESPTUN_AEAD_H */
