// SPDX-License-Identifier: GPL-2.0
/*
 * Encrypt, then authenticate (RFC 4303 3.3.2): a cipher of the crypto API, or
 * none, and a keyed hash; alg.c calls this. Opening verifies the ICV first, and
 * only then decrypts. With bottom halves off the request of this CPU is ours.
 *
 * The crypto API's own combination is authencesn(), whose synchronous form on
 * x86 is made of the cipher for single blocks, as its SIMD form for whole
 * packets is hidden (aead.c); and which moves ICV and sequence number about in
 * the packet by scatterlists, which one piece of memory does not need.
 */
#include <linux/netlink.h>
#include <linux/random.h>
#include <linux/string.h>
#include <crypto/algapi.h>
#include "alg/authenc.h"
#include "alg/scratch.h"

/* ---- drivers and keys ---------------------------------------------------- */

static struct crypto_skcipher *alloc_cipher(const struct esptun_encr *encr,
					    bool simd, u32 mask)
{
	struct crypto_skcipher *tfm;

	if (simd)
		tfm = crypto_alloc_skcipher(
			encr->crypto_simd, CRYPTO_ALG_INTERNAL,
			CRYPTO_ALG_INTERNAL | CRYPTO_ALG_ASYNC | mask);
	else
		tfm = crypto_alloc_skcipher(encr->crypto, 0,
					    CRYPTO_ALG_ASYNC | mask);
	if (IS_ERR(tfm))
		return tfm;
	if (crypto_skcipher_reqsize(tfm) <= ESPTUN_CRYPTO_REQ_MAX &&
	    crypto_skcipher_ivsize(tfm) <= ESPTUN_IV_MAX)
		return tfm;
	crypto_free_skcipher(tfm);
	return ERR_PTR(-EOPNOTSUPP);
}

static struct crypto_shash *alloc_hash(const struct esptun_integ *integ,
				       u32 mask)
{
	struct crypto_shash *tfm = crypto_alloc_shash(integ->crypto, 0, mask);

	if (IS_ERR(tfm))
		return tfm;
	if (crypto_shash_descsize(tfm) <= ESPTUN_CRYPTO_REQ_MAX &&
	    crypto_shash_digestsize(tfm) >= integ->icv)
		return tfm;
	crypto_free_shash(tfm);
	return ERR_PTR(-EOPNOTSUPP);
}

static int authenc_probe(const struct esptun_encr *encr,
			 struct esptun_found *found)
{
	struct crypto_skcipher *tfm = ERR_PTR(-ENOENT);

	if (!encr->crypto) {
		strscpy(found->driver, "none", sizeof(found->driver));
		return 0;
	}
	if (encr->crypto_simd)
		tfm = alloc_cipher(encr, true, 0);
	found->simd = !IS_ERR(tfm);
	if (IS_ERR(tfm) && PTR_ERR(tfm) != -ENOMEM)
		tfm = alloc_cipher(encr, false, 0);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	strscpy(found->driver, crypto_skcipher_driver_name(tfm),
		sizeof(found->driver));
	crypto_free_skcipher(tfm);
	return 0;
}

int esptun_authenc_probe_integ(const struct esptun_integ *integ,
			       struct esptun_found *found)
{
	struct crypto_shash *tfm = alloc_hash(integ, 0);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	strscpy(found->driver, crypto_shash_driver_name(tfm),
		sizeof(found->driver));
	crypto_free_shash(tfm);
	return 0;
}

static int init_cipher(struct esptun_alg *alg, const struct esptun_keys *keys,
		       struct netlink_ext_ack *extack)
{
	unsigned int len = keys->encr_len - alg->encr->salt;
	struct esptun_authenc *a = &alg->authenc;
	struct crypto_skcipher *tfm;
	int err;

	tfm = alloc_cipher(alg->encr, alg->simd, CRYPTO_NOLOAD);
	if (IS_ERR(tfm)) {
		NL_SET_ERR_MSG(extack,
			       "encr: the driver that was here is gone");
		return PTR_ERR(tfm);
	}
	err = crypto_skcipher_setkey(tfm, keys->encr, len);
	if (err) {
		NL_SET_ERR_MSG(
			extack,
			"encr-key: the kernel's crypto driver refused the key");
		crypto_free_skcipher(tfm);
		return err;
	}
	if (alg->encr->iv == ESPTUN_IV_UNPREDICTABLE)
		get_random_bytes(a->secret, sizeof(a->secret));
	else
		memcpy(a->salt, keys->encr + len, alg->encr->salt);
	a->cipher = tfm;
	return 0;
}

static int init_hash(struct esptun_alg *alg, const struct esptun_keys *keys,
		     struct netlink_ext_ack *extack)
{
	struct crypto_shash *tfm = alloc_hash(alg->integ, CRYPTO_NOLOAD);
	int err;

	if (IS_ERR(tfm)) {
		NL_SET_ERR_MSG(extack,
			       "integ: the driver that was here is gone");
		return PTR_ERR(tfm);
	}
	err = crypto_shash_setkey(tfm, keys->integ, keys->integ_len);
	if (err) {
		NL_SET_ERR_MSG(
			extack,
			"integ-key: the kernel's crypto driver refused the key");
		crypto_free_shash(tfm);
		return err;
	}
	alg->authenc.hash = tfm;
	return 0;
}

static int authenc_init(struct esptun_alg *alg, const struct esptun_keys *keys,
			struct netlink_ext_ack *extack)
{
	int err = init_hash(alg, keys, extack);

	if (err || !alg->encr->crypto)
		return err;
	err = init_cipher(alg, keys, extack);
	if (err)
		crypto_free_shash(alg->authenc.hash);
	return err;
}

static void authenc_free(struct esptun_alg *alg)
{
	crypto_free_shash(alg->authenc.hash);
	crypto_free_skcipher(alg->authenc.cipher);
}

static void authenc_driver(const struct esptun_alg *alg, char *name)
{
	const struct esptun_authenc *a = &alg->authenc;

	snprintf(name, ESPTUN_DRIVER_MAX, "%s%s%s",
		 a->cipher ? crypto_skcipher_driver_name(a->cipher) : "",
		 a->cipher ? "+" : "", crypto_shash_driver_name(a->hash));
}

/* ---- packets ------------------------------------------------------------- */

/*
 * The first block of the key stream's counter: nonce, IV and 1 (RFC 3686 4).
 * Bytes in counter mode are encrypted and decrypted alike.
 */
static int crypt_counter(const struct esptun_authenc *a, const u8 *iv, u8 *text,
			 unsigned int len)
{
	struct esptun_scratch *s = esptun_scratch_begin();
	int err;

	memcpy(s->iv, a->salt, ESPTUN_SALT_MAX);
	memcpy(s->iv + ESPTUN_SALT_MAX, iv, sizeof(u64));
	put_unaligned_be32(1, s->iv + ESPTUN_SALT_MAX + sizeof(u64));
	sg_set_buf(s->sg, text, len);
	skcipher_request_set_tfm(&s->cipher, a->cipher);
	skcipher_request_set_callback(&s->cipher, 0, NULL, NULL);
	skcipher_request_set_crypt(&s->cipher, s->sg, s->sg, len, s->iv);
	err = crypto_skcipher_encrypt(&s->cipher);
	esptun_scratch_end();
	return err;
}

/*
 * The IV is a block in front of the text, encrypted with it: the sequence number,
 * which no other packet with this key has, and a secret of this SA, without which
 * the block that is encrypted could be asked for as text. So the IV never repeats
 * and cannot be foretold (RFC 3602 3, NIST SP 800-38A appendix C).
 */
static int encrypt_chained(const struct esptun_authenc *a, u8 *iv,
			   unsigned int iv_len, unsigned int len, u64 seq)
{
	u8 *low = iv + iv_len - sizeof(seq);
	struct esptun_scratch *s;
	int err;

	memcpy(iv, a->secret, iv_len);
	put_unaligned_be64(get_unaligned_be64(low) ^ seq, low);
	s = esptun_scratch_begin();
	memset(s->iv, 0, iv_len);
	sg_set_buf(s->sg, iv, iv_len + len);
	skcipher_request_set_tfm(&s->cipher, a->cipher);
	skcipher_request_set_callback(&s->cipher, 0, NULL, NULL);
	skcipher_request_set_crypt(&s->cipher, s->sg, s->sg, iv_len + len,
				   s->iv);
	err = crypto_skcipher_encrypt(&s->cipher);
	esptun_scratch_end();
	return err;
}

static int decrypt_chained(const struct esptun_authenc *a, const u8 *iv,
			   unsigned int iv_len, u8 *text, unsigned int len)
{
	struct esptun_scratch *s = esptun_scratch_begin();
	int err;

	memcpy(s->iv, iv, iv_len);
	sg_set_buf(s->sg, text, len);
	skcipher_request_set_tfm(&s->cipher, a->cipher);
	skcipher_request_set_callback(&s->cipher, 0, NULL, NULL);
	skcipher_request_set_crypt(&s->cipher, s->sg, s->sg, len, s->iv);
	err = crypto_skcipher_decrypt(&s->cipher);
	esptun_scratch_end();
	return err;
}

/* Of @len bytes from the ESP header on, and the high half (RFC 4303 2.2.1). */
static int make_digest(const struct esptun_authenc *a, struct esptun_scratch *s,
		       const u8 *esp, unsigned int len, u64 seq, bool esn)
{
	__be32 high = cpu_to_be32(upper_32_bits(seq));
	int err;

	s->hash.tfm = a->hash;
	if (!esn)
		return crypto_shash_digest(&s->hash, esp, len, s->digest);
	err = crypto_shash_init(&s->hash);
	if (!err)
		err = crypto_shash_update(&s->hash, esp, len);
	if (!err)
		err = crypto_shash_finup(&s->hash, (const u8 *)&high,
					 sizeof(high), s->digest);
	return err;
}

static int put_icv(const struct esptun_alg *alg, u8 *esp, unsigned int len,
		   u64 seq, bool esn)
{
	struct esptun_scratch *s = esptun_scratch_begin();
	int err = make_digest(&alg->authenc, s, esp, len, seq, esn);

	if (!err)
		memcpy(esp + len, s->digest, alg->sizes.icv);
	esptun_scratch_end();
	return err;
}

static int check_icv(const struct esptun_alg *alg, const u8 *esp,
		     unsigned int len, u64 seq, bool esn)
{
	struct esptun_scratch *s = esptun_scratch_begin();
	int err = make_digest(&alg->authenc, s, esp, len, seq, esn);

	if (!err && crypto_memneq(s->digest, esp + len, alg->sizes.icv))
		err = -EBADMSG;
	/* It is what would have passed. */
	memzero_explicit(s->digest, sizeof(s->digest));
	esptun_scratch_end();
	return err;
}

static int authenc_seal(const struct esptun_alg *alg, u8 *esp, unsigned int len,
			u64 seq, bool esn)
{
	const struct esptun_authenc *a = &alg->authenc;
	u8 *iv = esp + ESPTUN_ESP_HLEN;
	u8 *text = iv + alg->sizes.iv;
	int err = 0;

	switch (alg->encr->iv) {
	case ESPTUN_IV_COUNTER:
		put_unaligned_be64(seq, iv);
		err = crypt_counter(a, iv, text, len);
		break;
	case ESPTUN_IV_UNPREDICTABLE:
		err = encrypt_chained(a, iv, alg->sizes.iv, len, seq);
		break;
	default:
		break;
	}
	return err ?: put_icv(alg, esp, text - esp + len, seq, esn);
}

static int authenc_open(const struct esptun_alg *alg, u8 *esp, unsigned int len,
			u64 seq, bool esn)
{
	const struct esptun_authenc *a = &alg->authenc;
	u8 *iv = esp + ESPTUN_ESP_HLEN;
	u8 *text = iv + alg->sizes.iv;
	int err;

	len -= alg->sizes.icv;
	err = check_icv(alg, esp, len, seq, esn);
	if (err)
		return err;
	len -= text - esp;
	switch (alg->encr->iv) {
	case ESPTUN_IV_COUNTER:
		return crypt_counter(a, iv, text, len);
	case ESPTUN_IV_UNPREDICTABLE:
		return decrypt_chained(a, iv, alg->sizes.iv, text, len);
	default:
		return 0;
	}
}

const struct esptun_alg_ops esptun_authenc_ops = {
	.probe = authenc_probe,
	.init = authenc_init,
	.free = authenc_free,
	.seal = authenc_seal,
	.open = authenc_open,
	.driver = authenc_driver,
};
