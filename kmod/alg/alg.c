// SPDX-License-Identifier: GPL-2.0
/*
 * The table of algorithms, and from two numbers and two keys to what an SA has.
 * sa.c calls init and free under the configuration lock, tx.c and rx.c seal and
 * open with bottom halves off; nothing here is locked, as rows are constant and
 * what was found for them does not change after the module is loaded.
 *
 * A row's driver is looked for when the module is loaded and never again: the
 * crypto API starts modprobe for what it has not got, which takes long, and which
 * a user of some network namespace should not be able to ask for.
 */
#include <linux/indirect_call_wrapper.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/netlink.h>
#include <linux/string.h>
#include <linux/esptun.h>
#include "alg/aead.h"
#include "alg/alg.h"
#include "alg/authenc.h"
#include "alg/chachapoly.h"
#include "alg/scratch.h"
#include "limits.h"

static bool legacy;
module_param(legacy, bool, 0444);
MODULE_PARM_DESC(legacy, "accept algorithms that nobody should use any more");

#define AES_KEYS(salt)                                \
	{                                             \
		16 + (salt), 24 + (salt), 32 + (salt) \
	}

static const struct esptun_encr encrs[] = {
	{
		.id = ESPTUN_ENCR_DES,
		.name = "ENCR_DES",
		.xfrm = "cbc(des)",
		.crypto = "cbc(des)",
		.ops = &esptun_authenc_ops,
		.legacy = true,
		.key_lens = { 8 },
		.key_help = "encr-key: DES takes 8 octets",
		.iv = ESPTUN_IV_UNPREDICTABLE,
		.key_bytes = ESPTUN_BLOCK64_BYTES,
		.sizes = { .iv = 8, .align = 8 },
	},
	{
		.id = ESPTUN_ENCR_3DES,
		.name = "ENCR_3DES",
		.xfrm = "cbc(des3_ede)",
		.crypto = "cbc(des3_ede)",
		.ops = &esptun_authenc_ops,
		.legacy = true,
		.key_lens = { 24 },
		.key_help = "encr-key: 3DES takes 24 octets",
		.iv = ESPTUN_IV_UNPREDICTABLE,
		.key_bytes = ESPTUN_BLOCK64_BYTES,
		.sizes = { .iv = 8, .align = 8 },
	},
	{
		.id = ESPTUN_ENCR_NULL,
		.name = "ENCR_NULL",
		.xfrm = "ecb(cipher_null)",
		.ops = &esptun_authenc_ops,
		.key_help = "encr-key: without encryption there is none",
		.iv = ESPTUN_IV_NONE,
		.sizes = { .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_AES_CBC,
		.name = "ENCR_AES_CBC",
		.xfrm = "cbc(aes)",
		.crypto = "cbc(aes)",
		.crypto_simd = "__cbc(aes)",
		.ops = &esptun_authenc_ops,
		.key_lens = AES_KEYS(0),
		.key_help = "encr-key: AES-CBC takes 16, 24 or 32 octets",
		.iv = ESPTUN_IV_UNPREDICTABLE,
		.sizes = { .iv = 16, .align = 16 },
	},
	{
		.id = ESPTUN_ENCR_AES_CTR,
		.name = "ENCR_AES_CTR",
		.xfrm = "rfc3686(ctr(aes))",
		.crypto = "ctr(aes)",
		.crypto_simd = "__ctr(aes)",
		.ops = &esptun_authenc_ops,
		.salt = 4,
		.key_lens = AES_KEYS(4),
		.key_help =
			"encr-key: AES-CTR takes 20, 28 or 36 octets, the key and 4 of nonce",
		.iv = ESPTUN_IV_COUNTER,
		.sizes = { .iv = 8, .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_AES_CCM_8,
		.name = "ENCR_AES_CCM_8",
		.xfrm = "rfc4309(ccm(aes))",
		.crypto = "rfc4309(ccm(aes))",
		.ops = &esptun_aead_ops,
		.salt = 3,
		.key_lens = AES_KEYS(3),
		.key_help =
			"encr-key: AES-CCM takes 19, 27 or 35 octets, the key and 3 of salt",
		.iv = ESPTUN_IV_COUNTER,
		.sizes = { .iv = 8, .icv = 8, .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_AES_CCM_12,
		.name = "ENCR_AES_CCM_12",
		.xfrm = "rfc4309(ccm(aes))",
		.crypto = "rfc4309(ccm(aes))",
		.ops = &esptun_aead_ops,
		.salt = 3,
		.key_lens = AES_KEYS(3),
		.key_help =
			"encr-key: AES-CCM takes 19, 27 or 35 octets, the key and 3 of salt",
		.iv = ESPTUN_IV_COUNTER,
		.sizes = { .iv = 8, .icv = 12, .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_AES_CCM_16,
		.name = "ENCR_AES_CCM_16",
		.xfrm = "rfc4309(ccm(aes))",
		.crypto = "rfc4309(ccm(aes))",
		.ops = &esptun_aead_ops,
		.salt = 3,
		.key_lens = AES_KEYS(3),
		.key_help =
			"encr-key: AES-CCM takes 19, 27 or 35 octets, the key and 3 of salt",
		.iv = ESPTUN_IV_COUNTER,
		.sizes = { .iv = 8, .icv = 16, .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_AES_GCM_8,
		.name = "ENCR_AES_GCM_8",
		.xfrm = "rfc4106(gcm(aes))",
		.crypto = "rfc4106(gcm(aes))",
		.crypto_simd = "__rfc4106(gcm(aes))",
		.ops = &esptun_aead_ops,
		.salt = 4,
		.key_lens = AES_KEYS(4),
		.key_help =
			"encr-key: AES-GCM takes 20, 28 or 36 octets, the key and 4 of salt",
		.iv = ESPTUN_IV_COUNTER,
		.sizes = { .iv = 8, .icv = 8, .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_AES_GCM_12,
		.name = "ENCR_AES_GCM_12",
		.xfrm = "rfc4106(gcm(aes))",
		.crypto = "rfc4106(gcm(aes))",
		.crypto_simd = "__rfc4106(gcm(aes))",
		.ops = &esptun_aead_ops,
		.salt = 4,
		.key_lens = AES_KEYS(4),
		.key_help =
			"encr-key: AES-GCM takes 20, 28 or 36 octets, the key and 4 of salt",
		.iv = ESPTUN_IV_COUNTER,
		.sizes = { .iv = 8, .icv = 12, .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_AES_GCM_16,
		.name = "ENCR_AES_GCM_16",
		.xfrm = "rfc4106(gcm(aes))",
		.crypto = "rfc4106(gcm(aes))",
		.crypto_simd = "__rfc4106(gcm(aes))",
		.ops = &esptun_aead_ops,
		.salt = 4,
		.key_lens = AES_KEYS(4),
		.key_help =
			"encr-key: AES-GCM takes 20, 28 or 36 octets, the key and 4 of salt",
		.iv = ESPTUN_IV_COUNTER,
		.sizes = { .iv = 8, .icv = 16, .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_NULL_AUTH_AES_GMAC,
		.name = "ENCR_NULL_AUTH_AES_GMAC",
		.xfrm = "rfc4543(gcm(aes))",
		.crypto = "rfc4543(gcm(aes))",
		.ops = &esptun_aead_ops,
		.salt = 4,
		.key_lens = AES_KEYS(4),
		.key_help =
			"encr-key: AES-GMAC takes 20, 28 or 36 octets, the key and 4 of salt",
		.iv = ESPTUN_IV_COUNTER,
		.sizes = { .iv = 8, .icv = 16, .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_CHACHA20_POLY1305,
		.name = "ENCR_CHACHA20_POLY1305",
		.xfrm = "rfc7539esp(chacha20,poly1305)",
		.ops = &esptun_chachapoly_ops,
		.salt = 4,
		.key_lens = { 36 },
		.key_help =
			"encr-key: ChaCha20-Poly1305 takes 36 octets, the key and 4 of salt",
		.iv = ESPTUN_IV_COUNTER,
		.sizes = { .iv = 8, .icv = 16, .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_AES_CCM_8_IIV,
		.name = "ENCR_AES_CCM_8_IIV",
		.crypto = "rfc4309(ccm(aes))",
		.ops = &esptun_aead_ops,
		.salt = 3,
		.key_lens = AES_KEYS(3),
		.key_help =
			"encr-key: AES-CCM takes 19, 27 or 35 octets, the key and 3 of salt",
		.iv = ESPTUN_IV_IMPLICIT,
		.sizes = { .icv = 8, .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_AES_GCM_16_IIV,
		.name = "ENCR_AES_GCM_16_IIV",
		.crypto = "rfc4106(gcm(aes))",
		.crypto_simd = "__rfc4106(gcm(aes))",
		.ops = &esptun_aead_ops,
		.salt = 4,
		.key_lens = AES_KEYS(4),
		.key_help =
			"encr-key: AES-GCM takes 20, 28 or 36 octets, the key and 4 of salt",
		.iv = ESPTUN_IV_IMPLICIT,
		.sizes = { .icv = 16, .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_CHACHA20_POLY1305_IIV,
		.name = "ENCR_CHACHA20_POLY1305_IIV",
		.ops = &esptun_chachapoly_ops,
		.salt = 4,
		.key_lens = { 36 },
		.key_help =
			"encr-key: ChaCha20-Poly1305 takes 36 octets, the key and 4 of salt",
		.iv = ESPTUN_IV_IMPLICIT,
		.sizes = { .icv = 16, .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_SM4_CBC,
		.name = "ENCR_SM4_CBC",
		.xfrm = "cbc(sm4)",
		.crypto = "cbc(sm4)",
		.ops = &esptun_authenc_ops,
		.legacy = true,
		.key_lens = { 16 },
		.key_help = "encr-key: SM4-CBC takes 16 octets",
		.iv = ESPTUN_IV_UNPREDICTABLE,
		.sizes = { .iv = 16, .align = 16 },
	},
	{
		.id = ESPTUN_ENCR_SM4_GCM_16,
		.name = "ENCR_SM4_GCM_16",
		.crypto = "rfc4106(gcm(sm4))",
		.ops = &esptun_aead_ops,
		.legacy = true,
		.salt = 4,
		.key_lens = { 20 },
		.key_help =
			"encr-key: SM4-GCM takes 20 octets, the key and 4 of salt",
		.iv = ESPTUN_IV_COUNTER,
		.sizes = { .iv = 8, .icv = 16, .align = 4 },
	},
	{
		.id = ESPTUN_ENCR_SM4_CCM_16,
		.name = "ENCR_SM4_CCM_16",
		.crypto = "rfc4309(ccm(sm4))",
		.ops = &esptun_aead_ops,
		.legacy = true,
		.salt = 3,
		.key_lens = { 19 },
		.key_help =
			"encr-key: SM4-CCM takes 19 octets, the key and 3 of salt",
		.iv = ESPTUN_IV_COUNTER,
		.sizes = { .iv = 8, .icv = 16, .align = 4 },
	},
};

static const struct esptun_integ integs[] = {
	{
		.id = ESPTUN_INTEG_HMAC_MD5_96,
		.name = "AUTH_HMAC_MD5_96",
		.crypto = "hmac(md5)",
		.legacy = true,
		.key_len = 16,
		.key_help = "integ-key: HMAC-MD5-96 takes 16 octets",
		.icv = 12,
	},
	{
		.id = ESPTUN_INTEG_HMAC_SHA1_96,
		.name = "AUTH_HMAC_SHA1_96",
		.crypto = "hmac(sha1)",
		.key_len = 20,
		.key_help = "integ-key: HMAC-SHA1-96 takes 20 octets",
		.icv = 12,
	},
	{
		.id = ESPTUN_INTEG_AES_XCBC_96,
		.name = "AUTH_AES_XCBC_96",
		.crypto = "xcbc(aes)",
		.key_len = 16,
		.key_help = "integ-key: AES-XCBC-96 takes 16 octets",
		.icv = 12,
	},
	{
		.id = ESPTUN_INTEG_AES_CMAC_96,
		.name = "AUTH_AES_CMAC_96",
		.crypto = "cmac(aes)",
		.key_len = 16,
		.key_help = "integ-key: AES-CMAC-96 takes 16 octets",
		.icv = 12,
	},
	{
		.id = ESPTUN_INTEG_HMAC_SHA2_256_128,
		.name = "AUTH_HMAC_SHA2_256_128",
		.crypto = "hmac(sha256)",
		.key_len = 32,
		.key_help = "integ-key: HMAC-SHA2-256-128 takes 32 octets",
		.icv = 16,
	},
	{
		.id = ESPTUN_INTEG_HMAC_SHA2_384_192,
		.name = "AUTH_HMAC_SHA2_384_192",
		.crypto = "hmac(sha384)",
		.key_len = 48,
		.key_help = "integ-key: HMAC-SHA2-384-192 takes 48 octets",
		.icv = 24,
	},
	{
		.id = ESPTUN_INTEG_HMAC_SHA2_512_256,
		.name = "AUTH_HMAC_SHA2_512_256",
		.crypto = "hmac(sha512)",
		.key_len = 64,
		.key_help = "integ-key: HMAC-SHA2-512-256 takes 64 octets",
		.icv = 32,
	},
	{
		.id = ESPTUN_INTEG_HMAC_SM3_128,
		.name = "AUTH_HMAC_SM3_128",
		.crypto = "hmac(sm3)",
		.legacy = true,
		.key_len = 32,
		.key_help = "integ-key: HMAC-SM3-128 takes 32 octets",
		.icv = 16,
	},
};

static struct esptun_found encrs_found[ARRAY_SIZE(encrs)] __ro_after_init;
static struct esptun_found integs_found[ARRAY_SIZE(integs)] __ro_after_init;

/* ---- the rows ------------------------------------------------------------ */

const struct esptun_encr *esptun_alg_encr(unsigned int i,
					  const struct esptun_found **found)
{
	if (i >= ARRAY_SIZE(encrs))
		return NULL;
	if (found)
		*found = &encrs_found[i];
	return &encrs[i];
}

const struct esptun_integ *esptun_alg_integ(unsigned int i,
					    const struct esptun_found **found)
{
	if (i >= ARRAY_SIZE(integs))
		return NULL;
	if (found)
		*found = &integs_found[i];
	return &integs[i];
}

bool esptun_alg_legacy(void)
{
	return legacy;
}

static const struct esptun_encr *find_encr(u16 id,
					   const struct esptun_found **found)
{
	const struct esptun_encr *encr;
	unsigned int i;

	for (i = 0; (encr = esptun_alg_encr(i, found)); i++)
		if (encr->id == id)
			return encr;
	return NULL;
}

static const struct esptun_integ *find_integ(u16 id,
					     const struct esptun_found **found)
{
	const struct esptun_integ *integ;
	unsigned int i;

	for (i = 0; (integ = esptun_alg_integ(i, found)); i++)
		if (integ->id == id)
			return integ;
	return NULL;
}

/* ---- what a request asks for --------------------------------------------- */

static int check_encr(const struct esptun_encr *encr,
		      const struct esptun_found *found,
		      struct netlink_ext_ack *extack)
{
	if (!encr) {
		NL_SET_ERR_MSG(
			extack,
			"encr: unknown algorithm; \"esptun algo show\" lists those there are");
		return -EINVAL;
	}
	if (encr->legacy && !legacy) {
		NL_SET_ERR_MSG(
			extack,
			"encr: a legacy algorithm, taken only if the module is loaded with legacy=1");
		return -EPERM;
	}
	if (!found->driver[0]) {
		NL_SET_ERR_MSG(
			extack,
			"encr: this kernel has no driver for the algorithm");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int check_integ(const struct esptun_integ *integ,
		       const struct esptun_found *found,
		       struct netlink_ext_ack *extack)
{
	if (!integ) {
		NL_SET_ERR_MSG(
			extack,
			"integ: unknown algorithm; \"esptun algo show\" lists those there are");
		return -EINVAL;
	}
	if (integ->legacy && !legacy) {
		NL_SET_ERR_MSG(
			extack,
			"integ: a legacy algorithm, taken only if the module is loaded with legacy=1");
		return -EPERM;
	}
	if (!found->driver[0]) {
		NL_SET_ERR_MSG(
			extack,
			"integ: this kernel has no driver for the algorithm");
		return -EOPNOTSUPP;
	}
	return 0;
}

/* A combined mode stands alone, all else is never without integrity. */
static int check_pair(const struct esptun_encr *encr, u16 integ,
		      const struct esptun_keys *keys,
		      struct netlink_ext_ack *extack)
{
	if (!encr->sizes.icv && !integ) {
		NL_SET_ERR_MSG(
			extack,
			"integ: missing; encryption without authentication is refused");
		return -EINVAL;
	}
	if (encr->sizes.icv && integ) {
		NL_SET_ERR_MSG(
			extack,
			"integ: a combined-mode cipher takes no integrity algorithm");
		return -EINVAL;
	}
	if (encr->sizes.icv && keys->integ_len) {
		NL_SET_ERR_MSG(
			extack,
			"integ-key: a combined-mode cipher takes no integrity key");
		return -EINVAL;
	}
	return 0;
}

static bool encr_key_ok(const struct esptun_encr *encr, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(encr->key_lens) && encr->key_lens[i]; i++)
		if (encr->key_lens[i] == len)
			return true;
	return !i && !len;
}

static int check_keys(const struct esptun_encr *encr,
		      const struct esptun_integ *integ,
		      const struct esptun_keys *keys,
		      struct netlink_ext_ack *extack)
{
	const char *help = NULL;

	if (!encr_key_ok(encr, keys->encr_len))
		help = encr->key_help;
	else if (integ && keys->integ_len != integ->key_len)
		help = integ->key_help;
	if (!help)
		return 0;
	if (extack)
		extack->_msg = help;
	return -EINVAL;
}

/* ---- an SA's ------------------------------------------------------------- */

int esptun_alg_init(struct esptun_alg *alg, u16 encr_id, u16 integ_id,
		    const struct esptun_keys *keys,
		    struct netlink_ext_ack *extack)
{
	const struct esptun_found *found = NULL, *integ_found = NULL;
	const struct esptun_encr *encr = find_encr(encr_id, &found);
	const struct esptun_integ *integ = NULL;
	int err;

	err = check_encr(encr, found, extack);
	if (!err)
		err = check_pair(encr, integ_id, keys, extack);
	if (!err && integ_id) {
		integ = find_integ(integ_id, &integ_found);
		err = check_integ(integ, integ_found, extack);
	}
	if (!err)
		err = check_keys(encr, integ, keys, extack);
	if (err)
		return err;
	alg->encr = encr;
	alg->integ = integ;
	alg->sizes = encr->sizes;
	if (integ)
		alg->sizes.icv = integ->icv;
	alg->simd = found->simd;
	err = encr->ops->init(alg, keys, extack);
	if (err)
		memzero_explicit(alg, sizeof(*alg));
	else
		alg->ops = encr->ops;
	return err;
}

void esptun_alg_free(struct esptun_alg *alg)
{
	if (alg->ops)
		alg->ops->free(alg);
	memzero_explicit(alg, sizeof(*alg));
}

void esptun_alg_driver(const struct esptun_alg *alg, char *name)
{
	alg->ops->driver(alg, name);
}

/* The usual backends without an indirect call, which retpolines make slow. */
int esptun_alg_seal(const struct esptun_alg *alg, u8 *esp, unsigned int len,
		    u64 seq, bool esn)
{
	return INDIRECT_CALL_2(alg->ops->seal, esptun_aead_seal,
			       esptun_chachapoly_seal_esp, alg, esp, len, seq,
			       esn);
}

int esptun_alg_open(const struct esptun_alg *alg, u8 *esp, unsigned int len,
		    u64 seq, bool esn)
{
	return INDIRECT_CALL_2(alg->ops->open, esptun_aead_open,
			       esptun_chachapoly_open_esp, alg, esp, len, seq,
			       esn);
}

/* ---- the module's -------------------------------------------------------- */

/* Rows that differ in sizes alone have one driver, looked for once. */
static int __init probe_encr(unsigned int i)
{
	const char *crypto = encrs[i].crypto;
	unsigned int j;

	for (j = 0; j < i; j++) {
		if (!crypto || !encrs[j].crypto ||
		    strcmp(crypto, encrs[j].crypto))
			continue;
		encrs_found[i] = encrs_found[j];
		return 0;
	}
	return encrs[i].ops->probe(&encrs[i], &encrs_found[i]);
}

/* What is missing is told to those who ask for it. */
static int __init probe_all(void)
{
	/* Built in, so nothing else would pull in modules' faster forms. */
	static const char *const faster[] = { "aes", "sha1", "sha256" };
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(faster); i++)
		request_module("crypto-%s", faster[i]);
	for (i = 0; i < ARRAY_SIZE(encrs); i++) {
		if (encrs[i].legacy && !legacy)
			continue;
		err = probe_encr(i);
		if (err == -ENOMEM)
			return err;
	}
	for (i = 0; i < ARRAY_SIZE(integs); i++) {
		if (integs[i].legacy && !legacy)
			continue;
		err = esptun_authenc_probe_integ(&integs[i], &integs_found[i]);
		if (err == -ENOMEM)
			return err;
	}
	return 0;
}

int __init esptun_alg_module_init(void)
{
	int err;

	if (legacy)
		pr_warn(KBUILD_MODNAME
			": legacy=1: algorithms that do not protect any more are accepted\n");
	err = probe_all();
	if (err)
		return err;
	return esptun_scratch_module_init();
}

void esptun_alg_module_exit(void)
{
	esptun_scratch_module_exit();
}
