// SPDX-License-Identifier: GPL-2.0
/*
 * Combined-mode ciphers against published vectors (tests/data), through the
 * functions the data path calls.
 */
#include <kunit/test.h>
#include <linux/bottom_half.h>
#include <linux/netlink.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <crypto/aead.h>
#include <linux/esptun.h>
#include "aead.h"

/* A whole ESP packet. @key: key and salt. @text: decrypted, with trailer. */
struct packet_vector {
	const char *id;
	u16 encr;
	bool esn;
	u64 seq;
	const u8 *key;
	unsigned int key_len;
	const u8 *text;
	unsigned int text_len;
	const u8 *packet;
	unsigned int packet_len;
};

struct aead_vector {
	unsigned int id;
	u16 encr;
	bool valid;
	const u8 *key;
	unsigned int key_len;
	const u8 *iv;
	unsigned int iv_len;
	const u8 *aad;
	unsigned int aad_len;
	const u8 *msg;
	unsigned int msg_len;
	const u8 *ct;
	unsigned int ct_len;
	const u8 *tag;
	unsigned int tag_len;
};

#include "vectors.h"

#define HEAD (ESPTUN_ESP_HLEN + 8)
#define ICV 16
#define ROOM 4096

/* Linear memory, as the data path's, the clobbered octets in front. */
struct buffers {
	u8 *packet;
	u8 *text;
};

static void buffers_get(struct kunit *test, struct buffers *b)
{
	b->packet = kunit_kzalloc(test, ROOM, GFP_KERNEL);
	b->text = kunit_kzalloc(test, ROOM, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b->packet);
	KUNIT_ASSERT_NOT_NULL(test, b->text);
	b->packet += ESPTUN_AEAD_HEADROOM;
	b->text += ESPTUN_AEAD_HEADROOM;
}

static void aead_get(struct kunit *test, struct esptun_aead *a, u16 encr,
		     const u8 *key, unsigned int len)
{
	const struct esptun_alg *alg = esptun_aead_find(encr, 0, NULL);

	KUNIT_ASSERT_NOT_NULL(test, alg);
	KUNIT_ASSERT_EQ(test, 0, esptun_aead_init(a, alg, key, len, NULL));
	KUNIT_ASSERT_TRUE(test, esptun_aead_ready(a));
}

/* The text is to be at @out: if that is not where it lies, in a copy. */
static int do_open(const struct esptun_aead *a, const u8 *esp, unsigned int len,
		   u64 seq, bool esn, u8 *out)
{
	int err;

	if (out != esp + HEAD)
		memcpy(out - HEAD, esp, len);
	local_bh_disable();
	err = esptun_aead_open(a, out - HEAD, len, seq, esn);
	local_bh_enable();
	return err;
}

static int do_seal(const struct esptun_aead *a, u8 *esp, unsigned int len,
		   u64 seq, bool esn)
{
	int err;

	local_bh_disable();
	err = esptun_aead_seal(a, esp, len, seq, esn);
	local_bh_enable();
	return err;
}

/* ---- whole ESP packets --------------------------------------------------- */

static void open_packet(struct kunit *test, const struct packet_vector *v,
			const struct buffers *b)
{
	struct esptun_aead a;

	aead_get(test, &a, v->encr, v->key, v->key_len);
	KUNIT_ASSERT_EQ(test, v->packet_len, HEAD + v->text_len + ICV);

	memcpy(b->packet, v->packet, v->packet_len);
	KUNIT_EXPECT_EQ_MSG(test,
			    do_open(&a, b->packet, v->packet_len, v->seq,
				    v->esn, b->text),
			    0, "%s", v->id);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(b->text, v->text, v->text_len), 0,
			    "%s", v->id);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(b->packet, v->packet, v->packet_len),
			    0, "%s: the packet was written to", v->id);

	KUNIT_EXPECT_EQ_MSG(test,
			    do_open(&a, b->packet, v->packet_len, v->seq,
				    v->esn, b->packet + HEAD),
			    0, "%s in place", v->id);
	KUNIT_EXPECT_EQ_MSG(test,
			    memcmp(b->packet + HEAD, v->text, v->text_len), 0,
			    "%s in place", v->id);
	esptun_aead_free(&a);
}

static void aead_packets_open(struct kunit *test)
{
	struct buffers b;
	unsigned int i;

	buffers_get(test, &b);
	for (i = 0; i < ARRAY_SIZE(packet_vectors); i++)
		open_packet(test, &packet_vectors[i], &b);
}

/* One wrong bit anywhere, in the part not sent too, and nothing opens. */
static void aead_packets_forged(struct kunit *test)
{
	const struct packet_vector *v;
	struct esptun_aead a;
	struct buffers b;
	unsigned int i;

	buffers_get(test, &b);
	for (v = packet_vectors;
	     v < packet_vectors + ARRAY_SIZE(packet_vectors); v++) {
		aead_get(test, &a, v->encr, v->key, v->key_len);
		memcpy(b.packet, v->packet, v->packet_len);
		for (i = 0; i < v->packet_len; i++) {
			b.packet[i] ^= 1 << (i % 8);
			KUNIT_EXPECT_EQ_MSG(test,
					    do_open(&a, b.packet, v->packet_len,
						    v->seq, v->esn, b.text),
					    -EBADMSG, "%s octet %u", v->id, i);
			b.packet[i] ^= 1 << (i % 8);
		}
		if (v->esn)
			KUNIT_EXPECT_EQ_MSG(test,
					    do_open(&a, b.packet, v->packet_len,
						    v->seq + (1ULL << 32), true,
						    b.text),
					    -EBADMSG, "%s high half", v->id);
		KUNIT_EXPECT_EQ_MSG(test,
				    do_open(&a, b.packet, v->packet_len, v->seq,
					    !v->esn, b.text),
				    -EBADMSG, "%s other kind of numbers",
				    v->id);
		KUNIT_EXPECT_EQ_MSG(test,
				    do_open(&a, b.packet, v->packet_len - 4,
					    v->seq, v->esn, b.text),
				    -EBADMSG, "%s shortened", v->id);
		esptun_aead_free(&a);
	}
}

/*
 * The IV we send is the sequence number, so with the vector's IV for a number
 * the ciphertext is the vector's; the ICV differs with the number, so what was
 * sealed is opened again.
 */
static void seal_packet(struct kunit *test, const struct packet_vector *v,
			const struct buffers *b, bool esn)
{
	u64 seq = get_unaligned_be64(v->packet + ESPTUN_ESP_HLEN);
	unsigned int len = v->text_len;
	struct esptun_aead a;
	u8 header[ESPTUN_ESP_HLEN];

	aead_get(test, &a, v->encr, v->key, v->key_len);
	memcpy(header, v->packet, 4);
	put_unaligned_be32(lower_32_bits(seq), header + 4);
	memset(b->packet, 0, ROOM - ESPTUN_AEAD_HEADROOM);
	memcpy(b->packet, header, sizeof(header));
	memcpy(b->packet + HEAD, v->text, len);

	KUNIT_EXPECT_EQ_MSG(test, do_seal(&a, b->packet, len, seq, esn), 0,
			    "%s", v->id);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(b->packet, header, sizeof(header)), 0,
			    "%s: header", v->id);
	KUNIT_EXPECT_EQ_MSG(test,
			    memcmp(b->packet + ESPTUN_ESP_HLEN,
				   v->packet + ESPTUN_ESP_HLEN, 8 + len),
			    0, "%s: IV and ciphertext", v->id);
	KUNIT_EXPECT_EQ_MSG(test, b->packet[HEAD + len + ICV], (u8)0,
			    "%s: written past the ICV", v->id);

	KUNIT_EXPECT_EQ_MSG(test,
			    do_open(&a, b->packet, HEAD + len + ICV, seq, esn,
				    b->text),
			    0, "%s", v->id);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(b->text, v->text, len), 0, "%s",
			    v->id);
	KUNIT_EXPECT_EQ_MSG(test,
			    do_open(&a, b->packet, HEAD + len + ICV, seq, !esn,
				    b->text),
			    -EBADMSG, "%s: ESN is not authenticated", v->id);
	esptun_aead_free(&a);
}

static void aead_packets_seal(struct kunit *test)
{
	struct buffers b;
	unsigned int i;

	buffers_get(test, &b);
	for (i = 0; i < ARRAY_SIZE(packet_vectors); i++) {
		seal_packet(test, &packet_vectors[i], &b, false);
		seal_packet(test, &packet_vectors[i], &b, true);
	}
}

/* ---- Wycheproof ---------------------------------------------------------- */

static void wycheproof_aead(struct kunit *test, const struct aead_vector *v,
			    struct esptun_aead *a)
{
	u8 key[36];

	KUNIT_ASSERT_LE(test, v->key_len + 4, (unsigned int)sizeof(key));
	KUNIT_ASSERT_EQ(test, v->iv_len, 12u);
	KUNIT_ASSERT_EQ(test, v->tag_len, (unsigned int)ICV);
	memcpy(key, v->key, v->key_len);
	memcpy(key + v->key_len, v->iv, 4);
	aead_get(test, a, v->encr, key, v->key_len + 4);
}

/* Additional data as long as ESP's is an ESP header, with ESN or without. */
static void aead_wycheproof_open(struct kunit *test)
{
	const struct aead_vector *v;
	struct esptun_aead a;
	struct buffers b;
	int done = 0;

	buffers_get(test, &b);
	for (v = aead_vectors; v < aead_vectors + ARRAY_SIZE(aead_vectors);
	     v++) {
		bool esn = v->aad_len == 12;
		u64 seq = 0;
		int err;

		if (v->aad_len != 8 && !esn)
			continue;
		wycheproof_aead(test, v, &a);
		memcpy(b.packet, v->aad, 4);
		memcpy(b.packet + 4, v->aad + v->aad_len - 4, 4);
		if (esn)
			seq = get_unaligned_be64(v->aad + 4);
		memcpy(b.packet + ESPTUN_ESP_HLEN, v->iv + 4, 8);
		memcpy(b.packet + HEAD, v->ct, v->ct_len);
		memcpy(b.packet + HEAD + v->ct_len, v->tag, ICV);
		err = do_open(&a, b.packet, HEAD + v->ct_len + ICV, seq, esn,
			      b.text);
		KUNIT_EXPECT_EQ_MSG(test, err, v->valid ? 0 : -EBADMSG,
				    "encr %u test %u", v->encr, v->id);
		if (v->valid)
			KUNIT_EXPECT_EQ_MSG(test,
					    memcmp(b.text, v->msg, v->msg_len),
					    0, "encr %u test %u", v->encr,
					    v->id);
		esptun_aead_free(&a);
		done++;
	}
	KUNIT_EXPECT_GT(test, done, 40);
}

/* The ciphertext does not depend on the additional data. */
static void aead_wycheproof_seal(struct kunit *test)
{
	const struct aead_vector *v;
	struct esptun_aead a;
	struct buffers b;
	int done = 0;

	buffers_get(test, &b);
	for (v = aead_vectors; v < aead_vectors + ARRAY_SIZE(aead_vectors);
	     v++) {
		u64 seq = get_unaligned_be64(v->iv + 4);

		if (!v->valid)
			continue;
		wycheproof_aead(test, v, &a);
		memset(b.packet, 0x5a, ESPTUN_ESP_HLEN);
		memcpy(b.packet + HEAD, v->msg, v->msg_len);
		KUNIT_EXPECT_EQ(test, 0,
				do_seal(&a, b.packet, v->msg_len, seq,
					v->id & 1));
		KUNIT_EXPECT_EQ_MSG(test,
				    memcmp(b.packet + HEAD, v->ct, v->ct_len),
				    0, "encr %u test %u", v->encr, v->id);
		KUNIT_EXPECT_EQ_MSG(test,
				    do_open(&a, b.packet,
					    HEAD + v->msg_len + ICV, seq,
					    v->id & 1, b.text),
				    0, "encr %u test %u", v->encr, v->id);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(b.text, v->msg, v->msg_len), 0,
				    "encr %u test %u", v->encr, v->id);
		esptun_aead_free(&a);
		done++;
	}
	KUNIT_EXPECT_GT(test, done, 300);
}

/*
 * Additional data no ESP packet can have: ask the cipher below the ESP form,
 * which shares the authenticator with it.
 */
static int open_chachapoly(const struct aead_vector *v, u8 *buf)
{
	struct esptun_chachapoly k;
	u8 key[36], *text = buf + v->aad_len;

	memcpy(key, v->key, 32);
	memcpy(key + 32, v->iv, 4);
	memcpy(text, v->ct, v->ct_len);
	memcpy(text + v->ct_len, v->tag, ICV);
	esptun_chachapoly_init(&k, key);
	if (!esptun_chachapoly_open(&k, v->iv + 4, v->aad, v->aad_len, text,
				    v->ct_len))
		return -EBADMSG;
	return 0;
}

static int open_gcm(struct kunit *test, const struct aead_vector *v, u8 *buf)
{
	struct crypto_aead *tfm =
		crypto_alloc_aead("gcm(aes)", 0, CRYPTO_ALG_ASYNC);
	struct aead_request *req;
	struct scatterlist sg;
	u8 iv[12];
	int err;

	KUNIT_ASSERT_FALSE(test, IS_ERR(tfm));
	KUNIT_ASSERT_EQ(test, 0, crypto_aead_setkey(tfm, v->key, v->key_len));
	KUNIT_ASSERT_EQ(test, 0, crypto_aead_setauthsize(tfm, ICV));
	req = aead_request_alloc(tfm, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, req);
	memcpy(iv, v->iv, sizeof(iv));
	memcpy(buf, v->aad, v->aad_len);
	memcpy(buf + v->aad_len, v->ct, v->ct_len);
	memcpy(buf + v->aad_len + v->ct_len, v->tag, ICV);
	sg_init_one(&sg, buf, v->aad_len + v->ct_len + ICV);
	aead_request_set_callback(req, 0, NULL, NULL);
	aead_request_set_crypt(req, &sg, &sg, v->ct_len + ICV, iv);
	aead_request_set_ad(req, v->aad_len);
	err = crypto_aead_decrypt(req);
	aead_request_free(req);
	crypto_free_aead(tfm);
	return err;
}

static void aead_wycheproof_cipher(struct kunit *test)
{
	const struct aead_vector *v;
	int done = 0, chachapoly = 0;
	struct buffers b;

	buffers_get(test, &b);
	for (v = aead_vectors; v < aead_vectors + ARRAY_SIZE(aead_vectors);
	     v++) {
		bool gcm = v->encr == ESPTUN_ENCR_AES_GCM_16;

		KUNIT_ASSERT_LE(test, v->aad_len + v->ct_len + ICV, 4000u);
		if (!gcm && v->aad_len > ESPTUN_CHACHAPOLY_AAD_MAX)
			continue;
		KUNIT_EXPECT_EQ_MSG(test,
				    gcm ? open_gcm(test, v, b.text) :
					  open_chachapoly(v, b.text),
				    v->valid ? 0 : -EBADMSG, "encr %u test %u",
				    v->encr, v->id);
		done++;
		chachapoly += !gcm;
		if (v->valid)
			KUNIT_EXPECT_EQ_MSG(
				test,
				memcmp(b.text + v->aad_len, v->msg, v->msg_len),
				0, "encr %u test %u", v->encr, v->id);
	}
	KUNIT_EXPECT_GT(test, done, 300);
	KUNIT_EXPECT_GT(test, chachapoly, 200);
}

/* ---- refusals ------------------------------------------------------------ */

static void aead_key_lengths(struct kunit *test)
{
	static const u16 encrs[] = {
		ESPTUN_ENCR_AES_GCM_16,
		ESPTUN_ENCR_CHACHA20_POLY1305,
	};
	static const u8 key[ESPTUN_KEY_MAX];
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(encrs); i++) {
		const struct esptun_alg *alg =
			esptun_aead_find(encrs[i], 0, NULL);

		KUNIT_ASSERT_NOT_NULL(test, alg);
		for (len = 0; len <= ESPTUN_KEY_MAX; len++) {
			bool gcm = encrs[i] == ESPTUN_ENCR_AES_GCM_16;
			bool want = len == 36 ||
				    (gcm && (len == 20 || len == 28));
			struct netlink_ext_ack extack = {};
			struct esptun_aead a = {};
			int err = esptun_aead_init(&a, alg, key, len, &extack);

			KUNIT_EXPECT_EQ_MSG(test, err, want ? 0 : -EINVAL,
					    "encr %u key %u", encrs[i], len);
			if (!want)
				KUNIT_EXPECT_NOT_NULL(test, extack._msg);
			if (!err)
				esptun_aead_free(&a);
		}
	}
}

static void aead_unknown(struct kunit *test)
{
	struct netlink_ext_ack extack = {};

	KUNIT_EXPECT_NULL(test, esptun_aead_find(0, 0, &extack));
	KUNIT_EXPECT_NOT_NULL(test, extack._msg);
	KUNIT_EXPECT_NULL(test, esptun_aead_find(3, 2, NULL));
	extack._msg = NULL;
	/* An integrity algorithm beside a combined mode. */
	KUNIT_EXPECT_NULL(test, esptun_aead_find(ESPTUN_ENCR_AES_GCM_16, 12,
						 &extack));
	KUNIT_EXPECT_NOT_NULL(test, extack._msg);
}

static struct kunit_case aead_cases[] = { KUNIT_CASE(aead_packets_open),
					  KUNIT_CASE(aead_packets_forged),
					  KUNIT_CASE(aead_packets_seal),
					  KUNIT_CASE(aead_wycheproof_open),
					  KUNIT_CASE(aead_wycheproof_seal),
					  KUNIT_CASE(aead_wycheproof_cipher),
					  KUNIT_CASE(aead_key_lengths),
					  KUNIT_CASE(aead_unknown),
					  {} };

static struct kunit_suite aead_suite = {
	.name = "esptun_aead",
	.test_cases = aead_cases,
};

kunit_test_suite(aead_suite);
