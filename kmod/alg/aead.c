// SPDX-License-Identifier: GPL-2.0
/*
 * Combined modes of the crypto API; alg.c calls this. One transform per SA, one
 * request per CPU (scratch.h). Only synchronous transforms. Up to Linux 6.12, x86
 * offers AES-GCM in two forms: a wrapper that goes asynchronous when SIMD is
 * taken, and the synchronous driver inside it ("__" in front of the name, flag
 * INTERNAL), to be used only while may_use_simd(). We take the inner one and
 * let the caller put packets off in the rare other case: no second transform
 * per SA, whose software GHASH alone would need a 4 KB table. Kernels without
 * the inner form have a synchronous driver under the plain name.
 */
#include <linux/netlink.h>
#include <linux/string.h>
#include "alg/aead.h"
#include "alg/scratch.h"

/* Additional data: SPI, high half with ESN, sequence number. */
#define ESN_LEN 4u

/* What rfc4106() and its like want in front of the text, sent or not. */
#define IV_LEN 8u

static struct crypto_aead *alloc_tfm(const struct esptun_encr *encr, bool simd,
				     u32 mask)
{
	struct crypto_aead *tfm;

	if (simd)
		tfm = crypto_alloc_aead(encr->crypto_simd, CRYPTO_ALG_INTERNAL,
					CRYPTO_ALG_INTERNAL | CRYPTO_ALG_ASYNC |
						mask);
	else
		tfm = crypto_alloc_aead(encr->crypto, 0,
					CRYPTO_ALG_ASYNC | mask);
	if (IS_ERR(tfm))
		return tfm;
	if (crypto_aead_reqsize(tfm) <= ESPTUN_CRYPTO_REQ_MAX &&
	    crypto_aead_ivsize(tfm) == IV_LEN)
		return tfm;
	crypto_free_aead(tfm);
	return ERR_PTR(-EOPNOTSUPP);
}

static int aead_probe(const struct esptun_encr *encr,
		      struct esptun_found *found)
{
	struct crypto_aead *tfm = ERR_PTR(-ENOENT);

	if (encr->crypto_simd)
		tfm = alloc_tfm(encr, true, 0);
	found->simd = !IS_ERR(tfm);
	if (IS_ERR(tfm) && PTR_ERR(tfm) != -ENOMEM)
		tfm = alloc_tfm(encr, false, 0);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	strscpy(found->driver, crypto_aead_driver_name(tfm),
		sizeof(found->driver));
	crypto_free_aead(tfm);
	return 0;
}

static int aead_init(struct esptun_alg *alg, const struct esptun_keys *keys,
		     struct netlink_ext_ack *extack)
{
	struct crypto_aead *tfm;
	int err;

	tfm = alloc_tfm(alg->encr, alg->simd, CRYPTO_NOLOAD);
	if (IS_ERR(tfm)) {
		NL_SET_ERR_MSG(extack,
			       "encr: the driver that was here is gone");
		return PTR_ERR(tfm);
	}
	err = crypto_aead_setauthsize(tfm, alg->sizes.icv);
	if (!err)
		err = crypto_aead_setkey(tfm, keys->encr, keys->encr_len);
	if (err) {
		NL_SET_ERR_MSG(
			extack,
			"encr-key: the kernel's crypto driver refused the key");
		crypto_free_aead(tfm);
		return err;
	}
	alg->aead = tfm;
	return 0;
}

static void aead_free(struct esptun_alg *alg)
{
	crypto_free_aead(alg->aead);
}

static void aead_driver(const struct esptun_alg *alg, char *name)
{
	strscpy(name, crypto_aead_driver_name(alg->aead), ESPTUN_DRIVER_MAX);
}

/*
 * The crypto API wants SPI, with ESN the high half, the low half and the IV in
 * one piece in front of the text. What is not sent of it takes the place of the
 * header, which moves to the front for as long as it takes. Return: where it
 * begins.
 */
static u8 *make_room(u8 *esp, unsigned int iv, u64 seq, bool esn)
{
	u8 *start = esp - (esn ? ESN_LEN : 0) - (IV_LEN - iv);

	memcpy(start, esp, sizeof(__be32));
	if (esn)
		put_unaligned_be32(upper_32_bits(seq), start + sizeof(__be32));
	if (iv == IV_LEN)
		return start;
	/* The IV's place is the header's, RFC 8750 3. */
	memcpy(esp - sizeof(__be32), esp + sizeof(__be32), sizeof(__be32));
	put_unaligned_be64(seq, esp);
	return start;
}

/*
 * Behind header and IV is room for @room bytes; @len is what the crypto API
 * calls cryptlen, with the ICV or without.
 */
static int crypt(const struct esptun_alg *alg, u8 *esp, unsigned int room,
		 unsigned int len, u64 seq, bool esn,
		 int (*op)(struct aead_request *req))
{
	u8 *text = esp + ESPTUN_ESP_HLEN + alg->sizes.iv;
	bool moved = esn || alg->sizes.iv != IV_LEN;
	u8 header[ESPTUN_ESP_HLEN];
	struct esptun_scratch *s;
	u8 *start = esp;
	int err;

	if (moved) {
		memcpy(header, esp, sizeof(header));
		start = make_room(esp, alg->sizes.iv, seq, esn);
	}
	s = esptun_scratch_begin();
	memcpy(s->iv, text - IV_LEN, IV_LEN);
	sg_set_buf(s->sg, start, text - start + room);
	aead_request_set_tfm(&s->aead, alg->aead);
	aead_request_set_callback(&s->aead, 0, NULL, NULL);
	aead_request_set_ad(&s->aead, text - start);
	aead_request_set_crypt(&s->aead, s->sg, s->sg, len, s->iv);
	err = op(&s->aead);
	esptun_scratch_end();
	if (moved)
		memcpy(esp, header, sizeof(header));
	return err;
}

int esptun_aead_seal(const struct esptun_alg *alg, u8 *esp, unsigned int len,
		     u64 seq, bool esn)
{
	if (alg->sizes.iv)
		put_unaligned_be64(seq, esp + ESPTUN_ESP_HLEN);
	return crypt(alg, esp, len + alg->sizes.icv, len, seq, esn,
		     crypto_aead_encrypt);
}

/* The IV is what the packet says, whatever its sender derives it from. */
int esptun_aead_open(const struct esptun_alg *alg, u8 *esp, unsigned int len,
		     u64 seq, bool esn)
{
	len -= ESPTUN_ESP_HLEN + alg->sizes.iv;
	return crypt(alg, esp, len, len, seq, esn, crypto_aead_decrypt);
}

const struct esptun_alg_ops esptun_aead_ops = {
	.probe = aead_probe,
	.init = aead_init,
	.free = aead_free,
	.seal = esptun_aead_seal,
	.open = esptun_aead_open,
	.driver = aead_driver,
};
