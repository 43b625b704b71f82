// SPDX-License-Identifier: GPL-2.0
/*
 * Block 0 of the key stream is the key of Poly1305, the text begins with block
 * 1 (RFC 8439 2.8). A call for one block costs as much as eight in a row, so 64
 * zeros in front of the text are encrypted with it in one go.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <crypto/algapi.h>
#include <crypto/chacha.h>
#include <crypto/poly1305.h>
#include "alg/alg.h"
#include "alg/chachapoly.h"

#define BLOCK CHACHA_BLOCK_SIZE
#define DRIVER "lib(chacha20,poly1305)"

void esptun_chachapoly_init(struct esptun_chachapoly *k, const u8 *key)
{
	unsigned int i;

	BUILD_BUG_ON(ESPTUN_CHACHAPOLY_HEADROOM != BLOCK);
	BUILD_BUG_ON(ESPTUN_CHACHAPOLY_AAD_MAX != POLY1305_BLOCK_SIZE);
	for (i = 0; i < ARRAY_SIZE(k->key); i++)
		k->key[i] = get_unaligned_le32(key + i * sizeof(u32));
	memcpy(k->salt, key + CHACHA_KEY_SIZE, sizeof(k->salt));
}

/* At block 0, for the nonce of salt and IV. */
static void begin(struct chacha_state *state, const struct esptun_chachapoly *k,
		  const u8 *iv)
{
	u8 nonce[CHACHA_IV_SIZE] = {};

	memcpy(nonce + 4, k->salt, ESPTUN_CHACHAPOLY_SALT);
	memcpy(nonce + 8, iv, ESPTUN_CHACHAPOLY_IV);
	chacha_init(state, k->key, nonce);
}

/* RFC 8439 2.8: each part padded to 16 octets, then both lengths. */
static void make_tag(const u8 *key, const u8 *aad, unsigned int aad_len,
		     const u8 *text, unsigned int len, u8 *tag)
{
	unsigned int whole = round_down(len, POLY1305_BLOCK_SIZE);
	unsigned int rest = len - whole;
	unsigned int end = rest ? POLY1305_BLOCK_SIZE : 0;
	u8 head[ESPTUN_CHACHAPOLY_AAD_MAX] = {};
	u8 tail[2 * POLY1305_BLOCK_SIZE] = {};
	struct poly1305_desc_ctx ctx __uninitialized;

	memcpy(head, aad, min(aad_len, ESPTUN_CHACHAPOLY_AAD_MAX));
	memcpy(tail, text + whole, rest);
	put_unaligned_le64(aad_len, tail + end);
	put_unaligned_le64(len, tail + end + 8);
	poly1305_init(&ctx, key);
	poly1305_update(&ctx, head, aad_len ? sizeof(head) : 0);
	poly1305_update(&ctx, text, whole);
	poly1305_update(&ctx, tail, end + POLY1305_BLOCK_SIZE);
	poly1305_final(&ctx, tag);
}

void esptun_chachapoly_seal(const struct esptun_chachapoly *k, const u8 *iv,
			    const u8 *aad, unsigned int aad_len, u8 *text,
			    unsigned int len)
{
	u8 *front = text - BLOCK;
	struct chacha_state state __uninitialized;
	u8 was[BLOCK] __uninitialized;

	begin(&state, k, iv); /* which may lie there */
	memcpy(was, front, BLOCK);
	memset(front, 0, BLOCK);
	chacha20_crypt(&state, front, front, BLOCK + len);
	make_tag(front, aad, aad_len, text, len, text + len);
	memcpy(front, was, BLOCK);
	memzero_explicit(&state, sizeof(state));
}

/*
 * The key stream's blocks 0 and 1 in one call, for a call with one block takes
 * the slow code. Block 1 is for the first octets of the text, used only after
 * the tag, which is made of the ciphertext, is right.
 */
bool esptun_chachapoly_open(const struct esptun_chachapoly *k, const u8 *iv,
			    const u8 *aad, unsigned int aad_len, u8 *text,
			    unsigned int len)
{
	unsigned int first = min_t(unsigned int, len, BLOCK);
	u8 tag[POLY1305_DIGEST_SIZE];
	struct chacha_state state __uninitialized;
	u8 stream[2 * BLOCK] = {};
	bool good;

	begin(&state, k, iv);
	chacha20_crypt(&state, stream, stream, sizeof(stream));
	make_tag(stream, aad, aad_len, text, len, tag);
	good = !crypto_memneq(tag, text + len, sizeof(tag));
	if (good) {
		crypto_xor(text, stream + BLOCK, first);
		chacha20_crypt(&state, text + first, text + first, len - first);
	}
	memzero_explicit(stream, sizeof(stream));
	memzero_explicit(&state, sizeof(state));
	return good;
}

/* ---- packets ------------------------------------------------------------- */

/*
 * Additional data (RFC 7634 2.1): SPI, with ESN the high half of the number,
 * which is not sent, and the low half. Return: bytes.
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
	return ESPTUN_ESP_HLEN + sizeof(__be32);
}

int esptun_chachapoly_seal_esp(const struct esptun_alg *alg, u8 *esp,
			       unsigned int len, u64 seq, bool esn)
{
	u8 *text = esp + ESPTUN_ESP_HLEN + alg->sizes.iv;
	u8 assoc[ESPTUN_CHACHAPOLY_AAD_MAX];
	unsigned int n = make_assoc(assoc, esp, seq, esn);
	u8 iv[ESPTUN_CHACHAPOLY_IV];

	put_unaligned_be64(seq, iv);
	if (alg->sizes.iv)
		memcpy(esp + ESPTUN_ESP_HLEN, iv, sizeof(iv));
	esptun_chachapoly_seal(&alg->chachapoly, iv, assoc, n, text, len);
	return 0;
}

/* An IV that was sent is what the packet says, however its sender made it. */
int esptun_chachapoly_open_esp(const struct esptun_alg *alg, u8 *esp,
			       unsigned int len, u64 seq, bool esn)
{
	u8 *text = esp + ESPTUN_ESP_HLEN + alg->sizes.iv;
	u8 assoc[ESPTUN_CHACHAPOLY_AAD_MAX];
	unsigned int n = make_assoc(assoc, esp, seq, esn);
	u8 iv[ESPTUN_CHACHAPOLY_IV];

	put_unaligned_be64(seq, iv);
	if (alg->sizes.iv)
		memcpy(iv, esp + ESPTUN_ESP_HLEN, sizeof(iv));
	len -= text - esp + ESPTUN_CHACHAPOLY_ICV;
	if (!esptun_chachapoly_open(&alg->chachapoly, iv, assoc, n, text, len))
		return -EBADMSG;
	return 0;
}

static int chachapoly_probe(const struct esptun_encr *encr,
			    struct esptun_found *found)
{
	strscpy(found->driver, DRIVER, sizeof(found->driver));
	return 0;
}

static int chachapoly_init(struct esptun_alg *alg,
			   const struct esptun_keys *keys,
			   struct netlink_ext_ack *extack)
{
	esptun_chachapoly_init(&alg->chachapoly, keys->encr);
	return 0;
}

/* Its memory is the SA's, and wiped with it. */
static void chachapoly_free(struct esptun_alg *alg)
{
}

static void chachapoly_driver(const struct esptun_alg *alg, char *name)
{
	strscpy(name, DRIVER, ESPTUN_DRIVER_MAX);
}

const struct esptun_alg_ops esptun_chachapoly_ops = {
	.probe = chachapoly_probe,
	.init = chachapoly_init,
	.free = chachapoly_free,
	.seal = esptun_chachapoly_seal_esp,
	.open = esptun_chachapoly_open_esp,
	.driver = chachapoly_driver,
};
