// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Algorithms: what they are called, and which of them module and kernel have. The
 * names are a table here, too, so that a command line is read without a kernel;
 * tests/vm/t_algos.sh compares it with the module's.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/internal.h"

/* Of those with the same alias, the longest ICV first. */
static const struct esptun_alg algs[] = {
	{ "aes-gcm-128", "rfc4106(gcm(aes))", "ENCR_AES_GCM_16", ESPTUN_ENCR_AES_GCM_16, 20, 4,
	  16 },
	{ "aes-gcm-192", "rfc4106(gcm(aes))", "ENCR_AES_GCM_16", ESPTUN_ENCR_AES_GCM_16, 28, 4,
	  16 },
	{ "aes-gcm-256", "rfc4106(gcm(aes))", "ENCR_AES_GCM_16", ESPTUN_ENCR_AES_GCM_16, 36, 4,
	  16 },
	{ "chacha20-poly1305", "rfc7539esp(chacha20,poly1305)", "ENCR_CHACHA20_POLY1305",
	  ESPTUN_ENCR_CHACHA20_POLY1305, 36, 4, 16 },
	{ "aes-gcm12-128", "rfc4106(gcm(aes))", "ENCR_AES_GCM_12", ESPTUN_ENCR_AES_GCM_12, 20, 4,
	  12 },
	{ "aes-gcm12-192", "rfc4106(gcm(aes))", "ENCR_AES_GCM_12", ESPTUN_ENCR_AES_GCM_12, 28, 4,
	  12 },
	{ "aes-gcm12-256", "rfc4106(gcm(aes))", "ENCR_AES_GCM_12", ESPTUN_ENCR_AES_GCM_12, 36, 4,
	  12 },
	{ "aes-gcm8-128", "rfc4106(gcm(aes))", "ENCR_AES_GCM_8", ESPTUN_ENCR_AES_GCM_8, 20, 4, 8 },
	{ "aes-gcm8-192", "rfc4106(gcm(aes))", "ENCR_AES_GCM_8", ESPTUN_ENCR_AES_GCM_8, 28, 4, 8 },
	{ "aes-gcm8-256", "rfc4106(gcm(aes))", "ENCR_AES_GCM_8", ESPTUN_ENCR_AES_GCM_8, 36, 4, 8 },
	{ "aes-ccm-128", "rfc4309(ccm(aes))", "ENCR_AES_CCM_16", ESPTUN_ENCR_AES_CCM_16, 19, 3,
	  16 },
	{ "aes-ccm-192", "rfc4309(ccm(aes))", "ENCR_AES_CCM_16", ESPTUN_ENCR_AES_CCM_16, 27, 3,
	  16 },
	{ "aes-ccm-256", "rfc4309(ccm(aes))", "ENCR_AES_CCM_16", ESPTUN_ENCR_AES_CCM_16, 35, 3,
	  16 },
	{ "aes-ccm12-128", "rfc4309(ccm(aes))", "ENCR_AES_CCM_12", ESPTUN_ENCR_AES_CCM_12, 19, 3,
	  12 },
	{ "aes-ccm12-192", "rfc4309(ccm(aes))", "ENCR_AES_CCM_12", ESPTUN_ENCR_AES_CCM_12, 27, 3,
	  12 },
	{ "aes-ccm12-256", "rfc4309(ccm(aes))", "ENCR_AES_CCM_12", ESPTUN_ENCR_AES_CCM_12, 35, 3,
	  12 },
	{ "aes-ccm8-128", "rfc4309(ccm(aes))", "ENCR_AES_CCM_8", ESPTUN_ENCR_AES_CCM_8, 19, 3, 8 },
	{ "aes-ccm8-192", "rfc4309(ccm(aes))", "ENCR_AES_CCM_8", ESPTUN_ENCR_AES_CCM_8, 27, 3, 8 },
	{ "aes-ccm8-256", "rfc4309(ccm(aes))", "ENCR_AES_CCM_8", ESPTUN_ENCR_AES_CCM_8, 35, 3, 8 },
	{ "aes-gmac-128", "rfc4543(gcm(aes))", "ENCR_NULL_AUTH_AES_GMAC",
	  ESPTUN_ENCR_NULL_AUTH_AES_GMAC, 20, 4, 16 },
	{ "aes-gmac-192", "rfc4543(gcm(aes))", "ENCR_NULL_AUTH_AES_GMAC",
	  ESPTUN_ENCR_NULL_AUTH_AES_GMAC, 28, 4, 16 },
	{ "aes-gmac-256", "rfc4543(gcm(aes))", "ENCR_NULL_AUTH_AES_GMAC",
	  ESPTUN_ENCR_NULL_AUTH_AES_GMAC, 36, 4, 16 },
	{ "aes-gcm-iiv-128", NULL, "ENCR_AES_GCM_16_IIV", ESPTUN_ENCR_AES_GCM_16_IIV, 20, 4, 16 },
	{ "aes-gcm-iiv-192", NULL, "ENCR_AES_GCM_16_IIV", ESPTUN_ENCR_AES_GCM_16_IIV, 28, 4, 16 },
	{ "aes-gcm-iiv-256", NULL, "ENCR_AES_GCM_16_IIV", ESPTUN_ENCR_AES_GCM_16_IIV, 36, 4, 16 },
	{ "aes-ccm8-iiv-128", NULL, "ENCR_AES_CCM_8_IIV", ESPTUN_ENCR_AES_CCM_8_IIV, 19, 3, 8 },
	{ "aes-ccm8-iiv-192", NULL, "ENCR_AES_CCM_8_IIV", ESPTUN_ENCR_AES_CCM_8_IIV, 27, 3, 8 },
	{ "aes-ccm8-iiv-256", NULL, "ENCR_AES_CCM_8_IIV", ESPTUN_ENCR_AES_CCM_8_IIV, 35, 3, 8 },
	{ "chacha20-poly1305-iiv", NULL, "ENCR_CHACHA20_POLY1305_IIV",
	  ESPTUN_ENCR_CHACHA20_POLY1305_IIV, 36, 4, 16 },
	{ "aes-cbc-128", "cbc(aes)", "ENCR_AES_CBC", ESPTUN_ENCR_AES_CBC, 16, 0, 0 },
	{ "aes-cbc-192", "cbc(aes)", "ENCR_AES_CBC", ESPTUN_ENCR_AES_CBC, 24, 0, 0 },
	{ "aes-cbc-256", "cbc(aes)", "ENCR_AES_CBC", ESPTUN_ENCR_AES_CBC, 32, 0, 0 },
	{ "aes-ctr-128", "rfc3686(ctr(aes))", "ENCR_AES_CTR", ESPTUN_ENCR_AES_CTR, 20, 4, 0 },
	{ "aes-ctr-192", "rfc3686(ctr(aes))", "ENCR_AES_CTR", ESPTUN_ENCR_AES_CTR, 28, 4, 0 },
	{ "aes-ctr-256", "rfc3686(ctr(aes))", "ENCR_AES_CTR", ESPTUN_ENCR_AES_CTR, 36, 4, 0 },
	{ "null", "ecb(cipher_null)", "ENCR_NULL", ESPTUN_ENCR_NULL, 0, 0, 0 },
	{ "3des", "cbc(des3_ede)", "ENCR_3DES", ESPTUN_ENCR_3DES, 24, 0, 0 },
	{ "des", "cbc(des)", "ENCR_DES", ESPTUN_ENCR_DES, 8, 0, 0 },
	{ "sm4-cbc", "cbc(sm4)", "ENCR_SM4_CBC", ESPTUN_ENCR_SM4_CBC, 16, 0, 0 },
	{ "sm4-gcm", NULL, "ENCR_SM4_GCM_16", ESPTUN_ENCR_SM4_GCM_16, 20, 4, 16 },
	{ "sm4-ccm", NULL, "ENCR_SM4_CCM_16", ESPTUN_ENCR_SM4_CCM_16, 19, 3, 16 },
	{ 0 },
};

static const struct esptun_integ_alg integs[] = {
	{ "hmac-sha256", "hmac(sha256)", "AUTH_HMAC_SHA2_256_128", ESPTUN_INTEG_HMAC_SHA2_256_128,
	  32, 16 },
	{ "hmac-sha384", "hmac(sha384)", "AUTH_HMAC_SHA2_384_192", ESPTUN_INTEG_HMAC_SHA2_384_192,
	  48, 24 },
	{ "hmac-sha512", "hmac(sha512)", "AUTH_HMAC_SHA2_512_256", ESPTUN_INTEG_HMAC_SHA2_512_256,
	  64, 32 },
	{ "hmac-sha1", "hmac(sha1)", "AUTH_HMAC_SHA1_96", ESPTUN_INTEG_HMAC_SHA1_96, 20, 12 },
	{ "aes-cmac", "cmac(aes)", "AUTH_AES_CMAC_96", ESPTUN_INTEG_AES_CMAC_96, 16, 12 },
	{ "aes-xcbc", "xcbc(aes)", "AUTH_AES_XCBC_96", ESPTUN_INTEG_AES_XCBC_96, 16, 12 },
	{ "hmac-md5", "hmac(md5)", "AUTH_HMAC_MD5_96", ESPTUN_INTEG_HMAC_MD5_96, 16, 12 },
	{ "hmac-sm3", "hmac(sm3)", "AUTH_HMAC_SM3_128", ESPTUN_INTEG_HMAC_SM3_128, 32, 16 },
	{ 0 },
};

const struct esptun_alg *esptun_algs(void)
{
	return algs;
}

const struct esptun_integ_alg *esptun_integ_algs(void)
{
	return integs;
}

static bool is_called(const char *name, const char *own, const char *alias, const char *iana)
{
	return !strcmp(name, own) || (alias && !strcmp(name, alias)) || !strcasecmp(name, iana);
}

const struct esptun_alg *esptun_alg_by_name(const char *name, size_t key_len)
{
	const struct esptun_alg *a, *found = NULL;

	for (a = algs; a->name; a++) {
		if (!strcmp(name, a->name))
			return a;
		/* of several key sizes the fitting one, or else the longest */
		if (is_called(name, a->name, a->alias, a->iana) &&
		    (!found || (found->key_len != key_len && found->encr == a->encr)))
			found = a;
	}
	return found;
}

const struct esptun_alg *esptun_alg_by_icv(const char *name, size_t key_len, size_t icv_len)
{
	const struct esptun_alg *a;

	for (a = algs; a->name; a++)
		if (a->key_len == key_len && a->icv_len == icv_len &&
		    is_called(name, a->name, a->alias, a->iana))
			return a;
	return NULL;
}

const struct esptun_alg *esptun_alg_by_id(uint16_t encr, size_t key_len)
{
	const struct esptun_alg *a;

	for (a = algs; a->name; a++)
		if (a->encr == encr && a->key_len == key_len)
			return a;
	return NULL;
}

const struct esptun_integ_alg *esptun_integ_by_name(const char *name)
{
	const struct esptun_integ_alg *a;

	for (a = integs; a->name; a++)
		if (is_called(name, a->name, a->alias, a->iana))
			return a;
	return NULL;
}

const struct esptun_integ_alg *esptun_integ_by_id(uint16_t integ)
{
	const struct esptun_integ_alg *a;

	for (a = integs; a->name; a++)
		if (a->integ == integ)
			return a;
	return NULL;
}

static int reply_algo(const struct nlmsghdr *nlh, size_t len, void *arg)
{
	struct esptun_algo *algo = esptun_list_add(arg);

	return algo ? esptun_algo_decode(nlh, len, algo) : -ENOMEM;
}

int esptun_algo_dump(struct esptun *h, struct esptun_algo **algos, size_t *n)
{
	struct list l = { .item_size = sizeof(struct esptun_algo), .reply = reply_algo };
	int err = esptun_dump_genl(h, &l, ESPTUN_CMD_ALGO_GET, 0, 0, "cannot list algorithms");

	*algos = l.items;
	*n = l.n;
	return err;
}
