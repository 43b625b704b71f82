/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The algorithms of ESP: one row for each encryption algorithm and one for each
 * integrity algorithm, and what an SA has of them once they have keys. What a
 * row needs done for a packet, its backend does (struct esptun_alg_ops): aead.c,
 * authenc.c and chachapoly.c.
 */
#ifndef ESPTUN_ALG_H
#define ESPTUN_ALG_H

#include <linux/crypto.h>
#include <linux/types.h>
#include <asm/simd.h>
#include "alg/chachapoly.h"
#include "esp/esp.h"

struct crypto_aead;
struct crypto_shash;
struct crypto_skcipher;
struct esptun_alg;
struct esptun_encr;
struct netlink_ext_ack;

/* Longest driver name of an SA, two of the crypto API's, and the final NUL. */
#define ESPTUN_DRIVER_MAX (2 * CRYPTO_MAX_ALG_NAME + 16)

/* Bytes of salt that follow a cipher's key: at most so many, if any. */
#define ESPTUN_SALT_MAX 4u

/* Longest IV, a block of the cipher's in CBC mode. */
#define ESPTUN_IV_MAX 16u

/**
 * enum esptun_iv - where the IV of a packet comes from
 * @ESPTUN_IV_NONE: there is none
 * @ESPTUN_IV_COUNTER: it is the sequence number, so it never repeats
 * @ESPTUN_IV_UNPREDICTABLE: it is the sequence number and a secret, encrypted
 * @ESPTUN_IV_IMPLICIT: it is the sequence number and is not sent (RFC 8750)
 */
enum esptun_iv {
	ESPTUN_IV_NONE,
	ESPTUN_IV_COUNTER,
	ESPTUN_IV_UNPREDICTABLE,
	ESPTUN_IV_IMPLICIT,
};

/**
 * struct esptun_keys - the keys of an SA, its caller's, who wipes them
 * @encr: key of the encryption algorithm, then its salt, in the order of KEYMAT
 * @encr_len: bytes
 * @integ: key of the integrity algorithm
 * @integ_len: bytes
 */
struct esptun_keys {
	const u8 *encr;
	unsigned int encr_len;
	const u8 *integ;
	unsigned int integ_len;
};

/**
 * struct esptun_found - what this kernel has for a row
 * @simd: the driver works only while the CPU's SIMD registers are free
 * @driver: its name, "" if there is none
 */
struct esptun_found {
	bool simd;
	char driver[CRYPTO_MAX_ALG_NAME];
};

/**
 * struct esptun_alg_ops - a backend: how rows of one kind are done
 * @probe: look for the row's driver when the module is loaded. The crypto API
 *	starts modprobe for what it has not got: only here, later CRYPTO_NOLOAD.
 *	Return: 0; what the crypto layer said. Process context
 * @init: take the keys, whose lengths were checked; rows, sizes and simd are
 *	there. Return: 0; what the crypto layer said, then nothing is left
 *	behind, and @extack was told. May sleep
 * @free: give back what @init took. Process context
 * @seal: see esptun_alg_seal()
 * @open: see esptun_alg_open()
 * @driver: name of the driver in use, into ESPTUN_DRIVER_MAX bytes
 */
struct esptun_alg_ops {
	int (*probe)(const struct esptun_encr *encr,
		     struct esptun_found *found);
	int (*init)(struct esptun_alg *alg, const struct esptun_keys *keys,
		    struct netlink_ext_ack *extack);
	void (*free)(struct esptun_alg *alg);
	int (*seal)(const struct esptun_alg *alg, u8 *esp, unsigned int len,
		    u64 seq, bool esn);
	int (*open)(const struct esptun_alg *alg, u8 *esp, unsigned int len,
		    u64 seq, bool esn);
	void (*driver)(const struct esptun_alg *alg, char *name);
};

/**
 * struct esptun_encr - an encryption algorithm, or a combined mode
 * @id: IANA IKEv2 transform ID of type 1
 * @legacy: only with the module parameter of this name
 * @salt: bytes of salt behind the key
 * @iv: how the IV is made
 * @key_bytes: an SA ends after so many, unless a request says otherwise; 0 for never
 * @sizes: packet layout; an ICV of 0 bytes needs an integrity algorithm
 * @key_lens: accepted bytes of key and salt, 0 ends the list
 * @name: IANA's name
 * @xfrm: name that "ip xfrm" has for it, or NULL
 * @crypto: what the crypto API is asked for, NULL if it is not
 * @crypto_simd: name of the form that needs the SIMD registers, or NULL;
 *	see aead.c
 * @key_help: the lengths in words, for a refusal
 * @ops: backend
 */
struct esptun_encr {
	u16 id;
	bool legacy;
	u8 salt;
	enum esptun_iv iv;
	u32 key_bytes;
	struct esptun_esp_sizes sizes;
	u8 key_lens[4];
	const char *name;
	const char *xfrm;
	const char *crypto;
	const char *crypto_simd;
	const char *key_help;
	const struct esptun_alg_ops *ops;
};

/**
 * struct esptun_integ - an integrity algorithm
 * @id: IANA IKEv2 transform ID of type 3
 * @legacy: only with the module parameter of this name
 * @icv: bytes of it that are sent
 * @key_len: bytes of key
 * @name: IANA's name
 * @crypto: name of the crypto API and of "ip xfrm"
 * @key_help: the length in words, for a refusal
 */
struct esptun_integ {
	u16 id;
	bool legacy;
	u8 icv;
	u8 key_len;
	const char *name;
	const char *crypto;
	const char *key_help;
};

/**
 * struct esptun_authenc - keys of an encryption and an integrity algorithm
 * @cipher: NULL without encryption
 * @hash: keyed hash
 * @secret: of ESPTUN_IV_UNPREDICTABLE, random
 * @salt: of ESPTUN_IV_COUNTER
 */
struct esptun_authenc {
	struct crypto_skcipher *cipher;
	struct crypto_shash *hash;
	union {
		u8 secret[ESPTUN_IV_MAX];
		u8 salt[ESPTUN_SALT_MAX];
	};
};

/**
 * struct esptun_alg - the algorithms of an SA, with their keys
 * @ops: backend, NULL without keys
 * @encr: row
 * @integ: row, NULL with a combined mode
 * @sizes: packet layout
 * @simd: works only while the CPU's SIMD registers are free
 * @aead: of aead.c
 * @chachapoly: of chachapoly.c
 * @authenc: of authenc.c
 */
struct esptun_alg {
	const struct esptun_alg_ops *ops;
	const struct esptun_encr *encr;
	const struct esptun_integ *integ;
	struct esptun_esp_sizes sizes;
	bool simd;
	union {
		struct crypto_aead *aead;
		struct esptun_chachapoly chachapoly;
		struct esptun_authenc authenc;
	};
};

/* Bytes of nobody else's in front of an ESP packet being sealed or opened. */
#define ESPTUN_ALG_HEADROOM 64u

/*
 * Once per module: look for every row's driver, make the per-CPU requests.
 * Process context.
 */
int esptun_alg_module_init(void);
void esptun_alg_module_exit(void);

/**
 * esptun_alg_init - find two algorithms by their numbers and give them keys
 * @alg: to fill
 * @encr: IANA transform ID, encryption
 * @integ: IANA transform ID, integrity; 0 for a combined mode
 * @keys: stay the caller's, who wipes them
 * @extack: told why not
 *
 * May sleep; starts no modprobe. Return: 0; -EINVAL for numbers that do not go
 * together and keys of a wrong length; -EOPNOTSUPP if this kernel has no driver;
 * -EPERM for a legacy algorithm; what the crypto layer said. On failure nothing
 * is left behind.
 */
int esptun_alg_init(struct esptun_alg *alg, u16 encr, u16 integ,
		    const struct esptun_keys *keys,
		    struct netlink_ext_ack *extack);

/* Free what it has; keys are wiped. Process context. */
void esptun_alg_free(struct esptun_alg *alg);

/* Name of the driver in use, into ESPTUN_DRIVER_MAX bytes. */
void esptun_alg_driver(const struct esptun_alg *alg, char *name);

/**
 * esptun_alg_ready - can @alg be used on this CPU just now
 * @alg: algorithms with keys
 *
 * False only when the code interrupted someone else's SIMD section; the
 * caller leaves the packets to process context (spread.h). Bottom halves off.
 */
static inline bool esptun_alg_ready(const struct esptun_alg *alg)
{
	return !alg->simd || may_use_simd();
}

/**
 * esptun_alg_seal - encrypt an ESP packet where it lies, and append the ICV
 * @alg: algorithms with keys
 * @esp: ESP header, the IV (filled in by this function from @seq), then
 *	@len bytes of plaintext, then room for the ICV. One piece of memory
 *	of our own, with ESPTUN_ALG_HEADROOM bytes in front of @esp, which
 *	are overwritten.
 * @len: bytes of plaintext, trailer included
 * @seq: 64-bit sequence number, which the IV is made of: unique for the key
 *	(RFC 4106 3.1)
 * @esn: the ICV covers the number's high half (RFC 4303 2.2.1)
 *
 * Bottom halves off, esptun_alg_ready() true.
 *
 * Return: 0 or what the crypto layer said; then @esp holds rubbish.
 */
int esptun_alg_seal(const struct esptun_alg *alg, u8 *esp, unsigned int len,
		    u64 seq, bool esn);

/**
 * esptun_alg_open - authenticate and then decrypt an ESP packet where it lies
 * @alg: algorithms with keys
 * @esp: ESP header, IV, ciphertext, ICV in one piece of memory of our own, with
 *	headroom as for esptun_alg_seal(). Nobody else can write there: a change
 *	between authentication and decryption would be a forgery
 * @len: all bytes of it; esptun_esp_valid_len() was true
 * @seq: inferred 64-bit sequence number
 * @esn: as for esptun_alg_seal()
 *
 * Bottom halves off, esptun_alg_ready() true.
 *
 * Return: 0, the plaintext is where the ciphertext was; -EBADMSG if the ICV is
 * wrong, then it must not be used.
 */
int esptun_alg_open(const struct esptun_alg *alg, u8 *esp, unsigned int len,
		    u64 seq, bool esn);

/**
 * esptun_alg_encr - the rows of encryption algorithms
 * @i: which, from 0
 * @found: result, what this kernel has for it; may be NULL
 *
 * Return: NULL after the last one.
 */
const struct esptun_encr *esptun_alg_encr(unsigned int i,
					  const struct esptun_found **found);

/* As esptun_alg_encr(), the rows of integrity algorithms. */
const struct esptun_integ *esptun_alg_integ(unsigned int i,
					    const struct esptun_found **found);

/* May legacy algorithms be used? */
bool esptun_alg_legacy(void);

#endif /* ESPTUN_ALG_H */
