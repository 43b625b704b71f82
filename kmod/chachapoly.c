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
#include "chachapoly.h"

#define BLOCK CHACHA_BLOCK_SIZE

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
