// SPDX-License-Identifier: GPL-2.0
/*
 * Algorithms against published vectors (tests/data) and other implementations
 * (gen-vectors), through the functions the data path calls.
 */
#include <kunit/test.h>
#include <linux/bottom_half.h>
#include <linux/netlink.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <crypto/aead.h>
#include <linux/esptun.h>
#include "alg/alg.h"
#include "alg/chachapoly.h"

/* A whole ESP packet. @key: key and salt. @text: decrypted, with trailer. */
struct packet_vector {
	const char *id;
	u16 encr;
	u16 integ;
	bool esn;
	u64 seq;
	const u8 *key;
	unsigned int key_len;
	const u8 *integ_key;
	unsigned int integ_key_len;
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

/* Of the combined modes that Wycheproof has. */
#define HEAD (ESPTUN_ESP_HLEN + 8)
#define ICV_MAX 16
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
	b->packet += ESPTUN_ALG_HEADROOM;
	b->text += ESPTUN_ALG_HEADROOM;
}

static void alg_get(struct kunit *test, struct esptun_alg *alg, u16 encr,
		    u16 integ, const struct esptun_keys *keys)
{
	memset(alg, 0, sizeof(*alg));
	KUNIT_ASSERT_EQ(test, 0, esptun_alg_init(alg, encr, integ, keys, NULL));
	KUNIT_ASSERT_TRUE(test, esptun_alg_ready(alg));
}

static unsigned int head_len(const struct esptun_alg *alg)
{
	return ESPTUN_ESP_HLEN + alg->sizes.iv;
}

/* The text is to be at @out: if that is not where it lies, in a copy. */
static int do_open(const struct esptun_alg *alg, const u8 *esp,
		   unsigned int len, u64 seq, bool esn, u8 *out)
{
	unsigned int head = head_len(alg);
	int err;

	if (out != esp + head)
		memcpy(out - head, esp, len);
	local_bh_disable();
	err = esptun_alg_open(alg, out - head, len, seq, esn);
	local_bh_enable();
	return err;
}

static int do_seal(const struct esptun_alg *alg, u8 *esp, unsigned int len,
		   u64 seq, bool esn)
{
	int err;

	local_bh_disable();
	err = esptun_alg_seal(alg, esp, len, seq, esn);
	local_bh_enable();
	return err;
}

/* ---- whole ESP packets --------------------------------------------------- */

static void packet_alg(struct kunit *test, struct esptun_alg *alg,
		       const struct packet_vector *v)
{
	const struct esptun_keys keys = {
		.encr = v->key,
		.encr_len = v->key_len,
		.integ = v->integ_key,
		.integ_len = v->integ_key_len,
	};

	alg_get(test, alg, v->encr, v->integ, &keys);
	KUNIT_ASSERT_EQ_MSG(test, v->packet_len,
			    head_len(alg) + v->text_len + alg->sizes.icv, "%s",
			    v->id);
}

static void open_packet(struct kunit *test, const struct packet_vector *v,
			const struct buffers *b)
{
	struct esptun_alg alg;

	packet_alg(test, &alg, v);
	memcpy(b->packet, v->packet, v->packet_len);
	KUNIT_EXPECT_EQ_MSG(test,
			    do_open(&alg, b->packet, v->packet_len, v->seq,
				    v->esn, b->text),
			    0, "%s", v->id);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(b->text, v->text, v->text_len), 0,
			    "%s", v->id);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(b->packet, v->packet, v->packet_len),
			    0, "%s: the packet was written to", v->id);

	KUNIT_EXPECT_EQ_MSG(test,
			    do_open(&alg, b->packet, v->packet_len, v->seq,
				    v->esn, b->packet + head_len(&alg)),
			    0, "%s in place", v->id);
	KUNIT_EXPECT_EQ_MSG(
		test, memcmp(b->packet + head_len(&alg), v->text, v->text_len),
		0, "%s in place", v->id);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(b->packet, v->packet, ESPTUN_ESP_HLEN),
			    0, "%s: header", v->id);
	esptun_alg_free(&alg);
}

static void alg_packets_open(struct kunit *test)
{
	struct buffers b;
	unsigned int i;

	buffers_get(test, &b);
	for (i = 0; i < ARRAY_SIZE(packet_vectors); i++)
		open_packet(test, &packet_vectors[i], &b);
}

/* Header, IV and ICV bit by bit, of what is between a part. */
static unsigned int next_forged(const struct packet_vector *v, unsigned int i)
{
	return i < 24 || i + 37 > v->packet_len ? i + 1 : i + 13;
}

static void forge_packet(struct kunit *test, const struct packet_vector *v,
			 const struct buffers *b)
{
	struct esptun_alg alg;
	unsigned int i;

	packet_alg(test, &alg, v);
	memcpy(b->packet, v->packet, v->packet_len);
	for (i = 0; i < v->packet_len; i = next_forged(v, i)) {
		b->packet[i] ^= 1 << (i % 8);
		KUNIT_EXPECT_EQ_MSG(test,
				    do_open(&alg, b->packet, v->packet_len,
					    v->seq, v->esn, b->text),
				    -EBADMSG, "%s octet %u", v->id, i);
		b->packet[i] ^= 1 << (i % 8);
	}
	if (v->esn)
		KUNIT_EXPECT_EQ_MSG(test,
				    do_open(&alg, b->packet, v->packet_len,
					    v->seq + (1ULL << 32), true,
					    b->text),
				    -EBADMSG, "%s high half", v->id);
	KUNIT_EXPECT_EQ_MSG(test,
			    do_open(&alg, b->packet, v->packet_len, v->seq,
				    !v->esn, b->text),
			    -EBADMSG, "%s other kind of numbers", v->id);
	KUNIT_EXPECT_EQ_MSG(test,
			    do_open(&alg, b->packet,
				    v->packet_len - alg.sizes.align, v->seq,
				    v->esn, b->text),
			    -EBADMSG, "%s shortened", v->id);
	esptun_alg_free(&alg);
}

/* One wrong bit anywhere, in the part not sent too, and nothing opens. */
static void alg_packets_forged(struct kunit *test)
{
	struct buffers b;
	unsigned int i;

	buffers_get(test, &b);
	for (i = 0; i < ARRAY_SIZE(packet_vectors); i++)
		if (packet_vectors[i].text_len)
			forge_packet(test, &packet_vectors[i], &b);
}

/* With an ICV that is wrong, ciphertext stays ciphertext. */
static void alg_authenticates_first(struct kunit *test)
{
	const struct packet_vector *v;
	struct esptun_alg alg;
	struct buffers b;

	buffers_get(test, &b);
	for (v = packet_vectors;
	     v < packet_vectors + ARRAY_SIZE(packet_vectors); v++) {
		if (!v->integ)
			continue;
		packet_alg(test, &alg, v);
		memcpy(b.packet, v->packet, v->packet_len);
		b.packet[v->packet_len - 1] ^= 1;
		KUNIT_EXPECT_EQ_MSG(test,
				    do_open(&alg, b.packet, v->packet_len,
					    v->seq, v->esn,
					    b.packet + head_len(&alg)),
				    -EBADMSG, "%s", v->id);
		KUNIT_EXPECT_EQ_MSG(
			test, memcmp(b.packet, v->packet, v->packet_len - 1), 0,
			"%s", v->id);
		esptun_alg_free(&alg);
	}
}

/*
 * An IV that is the sequence number: with the vector's IV for a number the
 * ciphertext is the vector's; the ICV differs with the number, so what was
 * sealed is opened again.
 */
static void seal_packet(struct kunit *test, const struct packet_vector *v,
			const struct buffers *b, bool esn)
{
	unsigned int head, len = v->text_len;
	u8 header[ESPTUN_ESP_HLEN];
	struct esptun_alg alg;
	u64 seq = v->seq;

	packet_alg(test, &alg, v);
	head = head_len(&alg);
	if (alg.encr->iv == ESPTUN_IV_COUNTER)
		seq = get_unaligned_be64(v->packet + ESPTUN_ESP_HLEN);
	memcpy(header, v->packet, 4);
	put_unaligned_be32(lower_32_bits(seq), header + 4);
	memset(b->packet, 0, ROOM - ESPTUN_ALG_HEADROOM);
	memcpy(b->packet, header, sizeof(header));
	memcpy(b->packet + head, v->text, len);

	KUNIT_EXPECT_EQ_MSG(test, do_seal(&alg, b->packet, len, seq, esn), 0,
			    "%s", v->id);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(b->packet, header, sizeof(header)), 0,
			    "%s: header", v->id);
	if (alg.encr->iv != ESPTUN_IV_UNPREDICTABLE)
		KUNIT_EXPECT_EQ_MSG(test,
				    memcmp(b->packet + ESPTUN_ESP_HLEN,
					   v->packet + ESPTUN_ESP_HLEN,
					   alg.sizes.iv + len),
				    0, "%s: IV and ciphertext", v->id);
	if (alg.encr->iv != ESPTUN_IV_UNPREDICTABLE && seq == v->seq &&
	    esn == v->esn)
		KUNIT_EXPECT_EQ_MSG(test,
				    memcmp(b->packet, v->packet, v->packet_len),
				    0, "%s: ICV", v->id);
	KUNIT_EXPECT_EQ_MSG(test, b->packet[v->packet_len], (u8)0,
			    "%s: written past the ICV", v->id);

	KUNIT_EXPECT_EQ_MSG(test,
			    do_open(&alg, b->packet, v->packet_len, seq, esn,
				    b->text),
			    0, "%s", v->id);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(b->text, v->text, len), 0, "%s",
			    v->id);
	KUNIT_EXPECT_EQ_MSG(test,
			    do_open(&alg, b->packet, v->packet_len, seq, !esn,
				    b->text),
			    -EBADMSG, "%s: ESN is not authenticated", v->id);
	esptun_alg_free(&alg);
}

static void alg_packets_seal(struct kunit *test)
{
	struct buffers b;
	unsigned int i;

	buffers_get(test, &b);
	for (i = 0; i < ARRAY_SIZE(packet_vectors); i++) {
		seal_packet(test, &packet_vectors[i], &b, false);
		seal_packet(test, &packet_vectors[i], &b, true);
	}
}

/*
 * IVs of a chained mode: those of one SA all differ, those of another SA with the
 * same key and numbers too, and none is the number or a neighbour's successor.
 */
static void alg_unpredictable_ivs(struct kunit *test)
{
	enum { SAS = 2, PACKETS = 200 };
	static const u8 key[16], integ_key[20];
	const struct esptun_keys keys = { key, sizeof(key), integ_key,
					  sizeof(integ_key) };
	unsigned int i, j, n = 0;
	struct esptun_alg alg;
	struct buffers b;
	u64(*ivs)[2];

	buffers_get(test, &b);
	ivs = kunit_kcalloc(test, SAS * PACKETS, sizeof(*ivs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ivs);
	for (i = 0; i < SAS; i++) {
		alg_get(test, &alg, ESPTUN_ENCR_AES_CBC,
			ESPTUN_INTEG_HMAC_SHA1_96, &keys);
		for (j = 0; j < PACKETS; j++) {
			memset(b.packet, 0, 64);
			KUNIT_EXPECT_EQ(test, 0,
					do_seal(&alg, b.packet, 32, j + 1,
						false));
			memcpy(ivs[n++], b.packet + ESPTUN_ESP_HLEN, 16);
		}
		esptun_alg_free(&alg);
	}
	for (i = 0; i < n; i++)
		for (j = 0; j < i; j++) {
			u64 low = be64_to_cpu((__force __be64)ivs[i][1]);
			u64 other = be64_to_cpu((__force __be64)ivs[j][1]);

			KUNIT_EXPECT_NE(test, ivs[i][0], ivs[j][0]);
			KUNIT_EXPECT_GT(test,
					low > other ? low - other : other - low,
					(u64)PACKETS);
		}
}

/* ---- Wycheproof ---------------------------------------------------------- */

/* The nonce is salt and IV. */
static const u8 *iv_of(const struct aead_vector *v)
{
	return v->iv + v->iv_len - 8;
}

static void wycheproof_alg(struct kunit *test, const struct aead_vector *v,
			   struct esptun_alg *alg)
{
	unsigned int salt = v->iv_len - 8;
	struct esptun_keys keys = { .encr_len = v->key_len + salt };
	u8 key[36];

	KUNIT_ASSERT_LE(test, keys.encr_len, (unsigned int)sizeof(key));
	memcpy(key, v->key, v->key_len);
	memcpy(key + v->key_len, v->iv, salt);
	keys.encr = key;
	alg_get(test, alg, v->encr, 0, &keys);
	KUNIT_ASSERT_EQ(test, v->tag_len, (unsigned int)alg->sizes.icv);
	KUNIT_ASSERT_EQ(test, salt, (unsigned int)alg->encr->salt);
}

/* Additional data as long as ESP's is an ESP header, with ESN or without. */
static void alg_wycheproof_open(struct kunit *test)
{
	const struct aead_vector *v;
	struct esptun_alg a;
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
		wycheproof_alg(test, v, &a);
		memcpy(b.packet, v->aad, 4);
		memcpy(b.packet + 4, v->aad + v->aad_len - 4, 4);
		if (esn)
			seq = get_unaligned_be64(v->aad + 4);
		memcpy(b.packet + ESPTUN_ESP_HLEN, iv_of(v), 8);
		memcpy(b.packet + HEAD, v->ct, v->ct_len);
		memcpy(b.packet + HEAD + v->ct_len, v->tag, v->tag_len);
		err = do_open(&a, b.packet, HEAD + v->ct_len + v->tag_len, seq,
			      esn, b.text);
		KUNIT_EXPECT_EQ_MSG(test, err, v->valid ? 0 : -EBADMSG,
				    "encr %u test %u", v->encr, v->id);
		if (v->valid)
			KUNIT_EXPECT_EQ_MSG(test,
					    memcmp(b.text, v->msg, v->msg_len),
					    0, "encr %u test %u", v->encr,
					    v->id);
		esptun_alg_free(&a);
		done++;
	}
	KUNIT_EXPECT_GT(test, done, 40);
}

/* The ciphertext does not depend on the additional data. */
static void alg_wycheproof_seal(struct kunit *test)
{
	const struct aead_vector *v;
	struct esptun_alg a;
	struct buffers b;
	int done = 0;

	buffers_get(test, &b);
	for (v = aead_vectors; v < aead_vectors + ARRAY_SIZE(aead_vectors);
	     v++) {
		u64 seq = get_unaligned_be64(iv_of(v));

		if (!v->valid)
			continue;
		wycheproof_alg(test, v, &a);
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
					    HEAD + v->msg_len + v->tag_len, seq,
					    v->id & 1, b.text),
				    0, "encr %u test %u", v->encr, v->id);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(b.text, v->msg, v->msg_len), 0,
				    "encr %u test %u", v->encr, v->id);
		esptun_alg_free(&a);
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
	memcpy(text + v->ct_len, v->tag, ICV_MAX);
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
	KUNIT_ASSERT_EQ(test, 0, crypto_aead_setauthsize(tfm, ICV_MAX));
	req = aead_request_alloc(tfm, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, req);
	memcpy(iv, v->iv, sizeof(iv));
	memcpy(buf, v->aad, v->aad_len);
	memcpy(buf + v->aad_len, v->ct, v->ct_len);
	memcpy(buf + v->aad_len + v->ct_len, v->tag, ICV_MAX);
	sg_init_one(&sg, buf, v->aad_len + v->ct_len + ICV_MAX);
	aead_request_set_callback(req, 0, NULL, NULL);
	aead_request_set_crypt(req, &sg, &sg, v->ct_len + ICV_MAX, iv);
	aead_request_set_ad(req, v->aad_len);
	err = crypto_aead_decrypt(req);
	aead_request_free(req);
	crypto_free_aead(tfm);
	return err;
}

static void alg_wycheproof_cipher(struct kunit *test)
{
	const struct aead_vector *v;
	int done = 0, chachapoly = 0;
	struct buffers b;

	buffers_get(test, &b);
	for (v = aead_vectors; v < aead_vectors + ARRAY_SIZE(aead_vectors);
	     v++) {
		bool gcm = v->encr == ESPTUN_ENCR_AES_GCM_16;

		if (!gcm && v->encr != ESPTUN_ENCR_CHACHA20_POLY1305)
			continue;
		KUNIT_ASSERT_LE(test, v->aad_len + v->ct_len + ICV_MAX, 4000u);
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

/* Every row, with every length that it could be given. */
static void alg_encr_key_lengths(struct kunit *test)
{
	static const u8 key[ESPTUN_KEY_MAX] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	const struct esptun_found *found;
	const struct esptun_encr *encr;
	unsigned int i, k, len;

	for (i = 0; (encr = esptun_alg_encr(i, &found)); i++) {
		u16 integ = encr->sizes.icv ? 0 : ESPTUN_INTEG_HMAC_SHA1_96;

		KUNIT_EXPECT_NE_MSG(test, found->driver[0], (char)0, "%s",
				    encr->name);
		for (len = 0; len <= ESPTUN_KEY_MAX; len++) {
			const struct esptun_keys keys = { key, len, key,
							  integ ? 20 : 0 };
			struct netlink_ext_ack extack = {};
			struct esptun_alg alg = {};
			bool want = !len && !encr->key_lens[0];
			int err = esptun_alg_init(&alg, encr->id, integ, &keys,
						  &extack);

			for (k = 0; k < ARRAY_SIZE(encr->key_lens); k++)
				want |= len && encr->key_lens[k] == len;
			KUNIT_EXPECT_EQ_MSG(test, err, want ? 0 : -EINVAL,
					    "%s key %u", encr->name, len);
			if (!want)
				KUNIT_EXPECT_PTR_EQ(test, extack._msg,
						    encr->key_help);
			KUNIT_EXPECT_EQ(test, !err, !!alg.ops);
			esptun_alg_free(&alg);
		}
	}
}

static void alg_integ_key_lengths(struct kunit *test)
{
	static const u8 key[ESPTUN_KEY_MAX] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	const struct esptun_found *found;
	const struct esptun_integ *integ;
	unsigned int i, len;

	for (i = 0; (integ = esptun_alg_integ(i, &found)); i++) {
		KUNIT_EXPECT_NE_MSG(test, found->driver[0], (char)0, "%s",
				    integ->name);
		for (len = 0; len <= ESPTUN_KEY_MAX; len++) {
			const struct esptun_keys keys = { key, 16, key, len };
			struct netlink_ext_ack extack = {};
			struct esptun_alg alg = {};
			bool want = len == integ->key_len;
			int err = esptun_alg_init(&alg, ESPTUN_ENCR_AES_CBC,
						  integ->id, &keys, &extack);

			KUNIT_EXPECT_EQ_MSG(test, err, want ? 0 : -EINVAL,
					    "%s key %u", integ->name, len);
			if (!want)
				KUNIT_EXPECT_PTR_EQ(test, extack._msg,
						    integ->key_help);
			esptun_alg_free(&alg);
		}
	}
}

static void refused(struct kunit *test, u16 encr, u16 integ,
		    unsigned int encr_len, unsigned int integ_len,
		    const char *why)
{
	static const u8 key[ESPTUN_KEY_MAX];
	const struct esptun_keys keys = { key, encr_len, key, integ_len };
	struct netlink_ext_ack extack = {};
	struct esptun_alg alg = {};

	KUNIT_EXPECT_EQ(test, -EINVAL,
			esptun_alg_init(&alg, encr, integ, &keys, &extack));
	KUNIT_EXPECT_STREQ(test, extack._msg ?: "", why);
	KUNIT_EXPECT_PTR_EQ(test, alg.ops, NULL);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			esptun_alg_init(&alg, encr, integ, &keys, NULL));
}

static void alg_refused(struct kunit *test)
{
	static const char unauthentic[] =
		"integ: missing; encryption without authentication is refused";
	const struct esptun_encr *encr;
	unsigned int i;

	refused(test, 0, 0, 16, 0,
		"encr: unknown algorithm; \"esptun algo show\" lists those there are");
	refused(test, ESPTUN_ENCR_AES_CBC, 99, 16, 16,
		"integ: unknown algorithm; \"esptun algo show\" lists those there are");
	for (i = 0; (encr = esptun_alg_encr(i, NULL)); i++) {
		if (!encr->sizes.icv) {
			refused(test, encr->id, 0, encr->key_lens[0], 0,
				unauthentic);
			continue;
		}
		refused(test, encr->id, ESPTUN_INTEG_HMAC_SHA2_256_128,
			encr->key_lens[0], 32,
			"integ: a combined-mode cipher takes no integrity algorithm");
		refused(test, encr->id, 0, encr->key_lens[0], 32,
			"integ-key: a combined-mode cipher takes no integrity key");
	}
}

/* What the rest of the module relies on. */
static void alg_rows(struct kunit *test)
{
	const struct esptun_integ *integ;
	const struct esptun_encr *encr, *other;
	unsigned int i, j;

	for (i = 0; (encr = esptun_alg_encr(i, NULL)); i++) {
		KUNIT_EXPECT_GE(test, encr->sizes.align, 4);
		KUNIT_EXPECT_TRUE(test, is_power_of_2(encr->sizes.align));
		KUNIT_EXPECT_LE(test, (unsigned int)encr->sizes.iv,
				ESPTUN_IV_MAX);
		KUNIT_EXPECT_LE(test, (unsigned int)encr->salt,
				ESPTUN_SALT_MAX);
		for (j = 0; j < ARRAY_SIZE(encr->key_lens); j++)
			KUNIT_EXPECT_LE(test, encr->key_lens[j],
					ESPTUN_KEY_MAX);
		for (j = 0; j < i; j++) {
			other = esptun_alg_encr(j, NULL);
			KUNIT_EXPECT_NE(test, encr->id, other->id);
		}
	}
	for (i = 0; (integ = esptun_alg_integ(i, NULL)); i++) {
		KUNIT_EXPECT_GE(test, integ->icv, 12);
		KUNIT_EXPECT_LE(test, integ->key_len, ESPTUN_KEY_MAX);
	}
}

static struct kunit_case alg_cases[] = { KUNIT_CASE(alg_packets_open),
					 KUNIT_CASE(alg_packets_forged),
					 KUNIT_CASE(alg_authenticates_first),
					 KUNIT_CASE(alg_packets_seal),
					 KUNIT_CASE(alg_unpredictable_ivs),
					 KUNIT_CASE(alg_wycheproof_open),
					 KUNIT_CASE(alg_wycheproof_seal),
					 KUNIT_CASE(alg_wycheproof_cipher),
					 KUNIT_CASE(alg_encr_key_lengths),
					 KUNIT_CASE(alg_integ_key_lengths),
					 KUNIT_CASE(alg_refused),
					 KUNIT_CASE(alg_rows),
					 {} };

static struct kunit_suite alg_suite = {
	.name = "esptun_alg",
	.test_cases = alg_cases,
};

kunit_test_suite(alg_suite);
