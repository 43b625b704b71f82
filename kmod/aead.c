// SPDX-License-Identifier: GPL-2.0
/*
 * ChaCha20-Poly1305 comes from the kernel's library (chachapoly.c), the others
 * from its crypto API. Only synchronous transforms. Up to Linux 6.12, x86
 * offers AES-GCM in two forms: a wrapper that goes asynchronous when SIMD is
 * taken, and the synchronous driver inside it ("__" in front of the name, flag
 * INTERNAL), to be used only while may_use_simd(). We take the inner one and
 * let the caller put packets off in the rare other case: no second transform
 * per SA, whose software GHASH alone would need a 4 KB table. Kernels without
 * the inner form have a synchronous driver under the plain name.
 */
#include <linux/kmod.h>
#include <linux/local_lock.h>
#include <linux/netlink.h>
#include <linux/percpu.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <crypto/aead.h>
#include <asm/simd.h>
#include <linux/esptun.h>
#include "aead.h"
#include "limits.h"

/* Additional data: SPI, high half with ESN, sequence number. */
#define ESN_LEN 4u
#define IV_MAX 8u
#define ASSOC_MAX (ESPTUN_ESP_HLEN + ESN_LEN)

struct scratch {
	struct scatterlist sg[1];
	u8 iv[IV_MAX];
	struct aead_request req;
	u8 req_ctx[ESPTUN_AEAD_REQ_MAX] CRYPTO_MINALIGN_ATTR;
};

/* Bottom halves off keep other users of a CPU's scratch away, on PREEMPT_RT this. */
static DEFINE_PER_CPU(local_lock_t,
		      scratch_lock) = INIT_LOCAL_LOCK(scratch_lock);
static DEFINE_PER_CPU(struct scratch *, scratches);

static const struct esptun_alg algs[] = {
	{
		.encr = ESPTUN_ENCR_AES_GCM_16,
		.crypto = "rfc4106(gcm(aes))",
		.crypto_internal = "__rfc4106(gcm(aes))",
		.key_lens = { 20, 28, 36 },
		.key_help =
			"encr-key: AES-GCM takes 20, 28 or 36 octets, the key and 4 of salt",
		.sizes = { .iv = 8, .icv = 16, .align = 4 },
	},
	{
		.encr = ESPTUN_ENCR_CHACHA20_POLY1305,
		.key_lens = { 36 },
		.key_help =
			"encr-key: ChaCha20-Poly1305 takes 36 octets, the key and 4 of salt",
		.sizes = { .iv = 8, .icv = 16, .align = 4 },
	},
};

const struct esptun_alg *esptun_aead_find(u16 encr, u16 integ,
					  struct netlink_ext_ack *extack)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(algs); i++) {
		if (algs[i].encr != encr)
			continue;
		if (!integ)
			return &algs[i];
		NL_SET_ERR_MSG(
			extack,
			"integ: a combined-mode cipher takes no integrity algorithm");
		return NULL;
	}
	NL_SET_ERR_MSG(
		extack,
		"encr: unknown algorithm; AES-GCM-16 (20) and ChaCha20-Poly1305 (28) are supported");
	return NULL;
}

static bool key_len_ok(const struct esptun_alg *alg, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(alg->key_lens) && alg->key_lens[i]; i++)
		if (alg->key_lens[i] == len)
			return true;
	return false;
}

static bool is_library(const struct esptun_alg *alg)
{
	return alg->encr == ESPTUN_ENCR_CHACHA20_POLY1305;
}

/*
 * Of each in algs: there is an inner form here. Decided when the module is
 * loaded, because the crypto API starts modprobe for what it has not got.
 */
static bool inner[ARRAY_SIZE(algs)] __ro_after_init;

static struct crypto_aead *alloc_tfm(const struct esptun_alg *alg, bool simd)
{
	if (simd)
		return crypto_alloc_aead(
			alg->crypto_internal, CRYPTO_ALG_INTERNAL,
			CRYPTO_ALG_INTERNAL | CRYPTO_ALG_ASYNC);
	return crypto_alloc_aead(alg->crypto, 0, CRYPTO_ALG_ASYNC);
}

static int setup_tfm(struct crypto_aead *tfm, const struct esptun_alg *alg,
		     const u8 *key, unsigned int len)
{
	int err;

	if (crypto_aead_reqsize(tfm) > ESPTUN_AEAD_REQ_MAX ||
	    crypto_aead_ivsize(tfm) != alg->sizes.iv)
		return -EOPNOTSUPP;
	err = crypto_aead_setauthsize(tfm, alg->sizes.icv);
	if (err)
		return err;
	return crypto_aead_setkey(tfm, key, len);
}

static int init_tfm(struct esptun_aead *a, const struct esptun_alg *alg,
		    const u8 *key, unsigned int len,
		    struct netlink_ext_ack *extack)
{
	bool simd = inner[alg - algs];
	struct crypto_aead *tfm;
	int err;

	tfm = alloc_tfm(alg, simd);
	if (IS_ERR(tfm)) {
		NL_SET_ERR_MSG(
			extack,
			"encr: this kernel has no driver for the algorithm");
		return PTR_ERR(tfm);
	}
	err = setup_tfm(tfm, alg, key, len);
	if (err) {
		NL_SET_ERR_MSG(
			extack,
			"encr-key: the kernel's crypto driver refused the key");
		crypto_free_aead(tfm);
		return err;
	}
	a->tfm = tfm;
	a->simd = simd;
	return 0;
}

int esptun_aead_init(struct esptun_aead *a, const struct esptun_alg *alg,
		     const u8 *key, unsigned int len,
		     struct netlink_ext_ack *extack)
{
	int err = 0;

	if (!key_len_ok(alg, len)) {
		if (extack)
			extack->_msg = alg->key_help;
		return -EINVAL;
	}
	if (is_library(alg))
		esptun_chachapoly_init(&a->chachapoly, key);
	else
		err = init_tfm(a, alg, key, len, extack);
	if (!err)
		a->alg = alg;
	return err;
}

void esptun_aead_free(struct esptun_aead *a)
{
	if (a->alg && !is_library(a->alg))
		crypto_free_aead(a->tfm);
	memzero_explicit(a, sizeof(*a));
}

const char *esptun_aead_driver(const struct esptun_aead *a)
{
	if (is_library(a->alg))
		return "lib(chacha20,poly1305)";
	return crypto_tfm_alg_driver_name(crypto_aead_tfm(a->tfm));
}

bool esptun_aead_ready(const struct esptun_aead *a)
{
	return !a->simd || may_use_simd();
}

/*
 * Additional data (RFC 4106 5, RFC 7634 2.1): SPI, with ESN the high half of
 * the number, which is not sent, and the low half. Return: octets.
 */
static unsigned int make_assoc(u8 *assoc, const u8 *esp, u64 seq, bool esn)
{
	if (!esn) {
		memcpy(assoc, esp, ESPTUN_ESP_HLEN);
		return ESPTUN_ESP_HLEN;
	}
	memcpy(assoc, esp, sizeof(__be32));
	put_unaligned_be32(upper_32_bits(seq), assoc + sizeof(__be32));
	memcpy(assoc + 2 * sizeof(__be32), esp + sizeof(__be32),
	       sizeof(__be32));
	return ESPTUN_ESP_HLEN + ESN_LEN;
}

static void seal_library(const struct esptun_aead *a, u8 *esp, unsigned int len,
			 u64 seq, bool esn)
{
	u8 *iv = esp + ESPTUN_ESP_HLEN;
	u8 assoc[ASSOC_MAX];
	unsigned int n = make_assoc(assoc, esp, seq, esn);

	esptun_chachapoly_seal(&a->chachapoly, iv, assoc, n,
			       iv + ESPTUN_CHACHAPOLY_IV, len);
}

static int open_library(const struct esptun_aead *a, u8 *esp, unsigned int len,
			u64 seq, bool esn)
{
	u8 *iv = esp + ESPTUN_ESP_HLEN;
	u8 *text = iv + ESPTUN_CHACHAPOLY_IV;
	u8 assoc[ASSOC_MAX];
	unsigned int n = make_assoc(assoc, esp, seq, esn);

	len -= text - esp + ESPTUN_CHACHAPOLY_ICV;
	if (!esptun_chachapoly_open(&a->chachapoly, iv, assoc, n, text, len))
		return -EBADMSG;
	return 0;
}

/*
 * One piece of memory for the crypto API: with ESN the SPI moves 4 octets to
 * the front for as long as it takes, and the high half goes in its place.
 */
static u8 *shift(u8 *esp, u64 seq)
{
	memcpy(esp - ESN_LEN, esp, sizeof(__be32));
	put_unaligned_be32(upper_32_bits(seq), esp);
	return esp - ESN_LEN;
}

static void unshift(u8 *esp)
{
	memcpy(esp, esp - ESN_LEN, sizeof(__be32));
}

/*
 * Behind header and IV is room for @room octets; @len is what the crypto API
 * calls cryptlen, with the ICV or without.
 */
static int crypt(const struct esptun_aead *a, u8 *esp, unsigned int room,
		 unsigned int len, u64 seq, bool esn,
		 int (*op)(struct aead_request *req))
{
	unsigned int assoc = ESPTUN_ESP_HLEN + a->alg->sizes.iv;
	u8 *start = esn ? shift(esp, seq) : esp;
	struct scratch *s;
	int err;

	local_lock_nested_bh(&scratch_lock);
	s = this_cpu_read(scratches);
	memcpy(s->iv, esp + ESPTUN_ESP_HLEN, sizeof(s->iv));
	assoc += esp - start;
	sg_set_buf(s->sg, start, assoc + room);
	aead_request_set_tfm(&s->req, a->tfm);
	aead_request_set_ad(&s->req, assoc);
	aead_request_set_crypt(&s->req, s->sg, s->sg, len, s->iv);
	err = op(&s->req);
	local_unlock_nested_bh(&scratch_lock);
	if (esn)
		unshift(esp);
	return err;
}

int esptun_aead_seal(const struct esptun_aead *a, u8 *esp, unsigned int len,
		     u64 seq, bool esn)
{
	put_unaligned_be64(seq, esp + ESPTUN_ESP_HLEN);
	if (is_library(a->alg)) {
		seal_library(a, esp, len, seq, esn);
		return 0;
	}
	return crypt(a, esp, len + a->alg->sizes.icv, len, seq, esn,
		     crypto_aead_encrypt);
}

int esptun_aead_open(const struct esptun_aead *a, u8 *esp, unsigned int len,
		     u64 seq, bool esn)
{
	/* The IV is what the packet says, whatever its sender derives it from. */
	if (is_library(a->alg))
		return open_library(a, esp, len, seq, esn);
	len -= ESPTUN_ESP_HLEN + a->alg->sizes.iv;
	return crypt(a, esp, len, len, seq, esn, crypto_aead_decrypt);
}

/*
 * Later allocations happen under the configuration lock, which a slow modprobe
 * should not hold up. What is missing then is reported then.
 */
static int __init preload(void)
{
	struct crypto_aead *tfm;
	unsigned int i;

	/* Other modules' faster AES, which nothing else would pull in. */
	request_module("crypto-aes");
	for (i = 0; i < ARRAY_SIZE(algs); i++) {
		if (is_library(&algs[i]))
			continue;
		tfm = alloc_tfm(&algs[i], true);
		if (PTR_ERR_OR_ZERO(tfm) == -ENOMEM)
			return -ENOMEM;
		inner[i] = !IS_ERR(tfm);
		if (IS_ERR(tfm))
			tfm = alloc_tfm(&algs[i], false);
		if (!IS_ERR(tfm))
			crypto_free_aead(tfm);
	}
	return 0;
}

int __init esptun_aead_module_init(void)
{
	int cpu, err;

	err = preload();
	if (err)
		return err;
	for_each_possible_cpu(cpu) {
		struct scratch *s =
			kzalloc_node(sizeof(*s), GFP_KERNEL, cpu_to_node(cpu));

		if (!s) {
			esptun_aead_module_exit();
			return -ENOMEM;
		}
		sg_init_table(s->sg, ARRAY_SIZE(s->sg));
		aead_request_set_callback(&s->req, 0, NULL, NULL);
		per_cpu(scratches, cpu) = s;
	}
	return 0;
}

void esptun_aead_module_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		kfree_sensitive(per_cpu(scratches, cpu));
		per_cpu(scratches, cpu) = NULL;
	}
}
