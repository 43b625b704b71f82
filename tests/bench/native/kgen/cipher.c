// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a seal and an open take alone, by the kernel's fastest code for it: the least that any
 * tunnel can take for a packet. Both are in place, with what ESP authenticates beside them.
 */
#include <crypto/aead.h>
#include <crypto/chacha20poly1305.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "kgen.h"

#define TIMES 2000
#define OCTETS_MAX 2048
#define IV_SIZE 8
#define AD_SIZE (12 + IV_SIZE) /* SPI and 64-bit sequence number */
#define TAG_SIZE 16

static u8 key[36] = { 1, 2, 3 };

static int both_gcm(struct aead_request *req, struct scatterlist *sg, unsigned int octets)
{
	u8 iv[IV_SIZE] = {};
	int err;

	aead_request_set_crypt(req, sg, sg, octets, iv);
	err = crypto_aead_encrypt(req);
	if (err)
		return err;
	aead_request_set_crypt(req, sg, sg, octets + TAG_SIZE, iv);
	return crypto_aead_decrypt(req);
}

static s64 run_gcm(struct crypto_aead *tfm, u8 *packet, unsigned int octets)
{
	struct aead_request *req;
	struct scatterlist sg;
	int i, err;
	u64 begun;

	err = crypto_aead_setauthsize(tfm, TAG_SIZE) ?: crypto_aead_setkey(tfm, key, sizeof(key));
	if (err)
		return err;
	req = aead_request_alloc(tfm, GFP_KERNEL);
	if (!req)
		return -ENOMEM;
	sg_init_one(&sg, packet, AD_SIZE + octets + TAG_SIZE);
	aead_request_set_callback(req, 0, NULL, NULL);
	aead_request_set_ad(req, AD_SIZE);
	begun = host_clock(HOST_CPU);
	for (i = 0; i < TIMES && !err; i++)
		err = both_gcm(req, &sg, octets);
	begun = host_clock(HOST_CPU) - begun;
	aead_request_free(req);
	return err ?: begun / TIMES;
}

static s64 time_gcm(u8 *packet, unsigned int octets)
{
	struct crypto_aead *tfm = crypto_alloc_aead("rfc4106(gcm(aes))", 0, CRYPTO_ALG_ASYNC);
	s64 ns;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	ns = run_gcm(tfm, packet, octets);
	crypto_free_aead(tfm);
	return ns;
}

static s64 time_chachapoly(u8 *packet, unsigned int octets)
{
	u8 *text = packet + AD_SIZE;
	bool good = true;
	u64 begun;
	int i;

	begun = host_clock(HOST_CPU);
	for (i = 0; i < TIMES && good; i++) {
		chacha20poly1305_encrypt(text, text, octets, packet, AD_SIZE - IV_SIZE, i, key);
		good = chacha20poly1305_decrypt(text, text, octets + TAG_SIZE, packet,
						AD_SIZE - IV_SIZE, i, key);
	}
	begun = host_clock(HOST_CPU) - begun;
	return good ? begun / TIMES : -EBADMSG;
}

static const struct {
	const char *aead;
	s64 (*time)(u8 *packet, unsigned int octets);
} timers[] = {
	{ "aes-gcm-256", time_gcm },
	{ "chacha20-poly1305", time_chachapoly },
};

s64 time_cipher(const char *aead, unsigned int octets)
{
	s64 ns = -ENOENT;
	u8 *packet;
	int i;

	if (octets > OCTETS_MAX)
		return -EINVAL;
	packet = kzalloc(AD_SIZE + OCTETS_MAX + TAG_SIZE, GFP_KERNEL);
	if (!packet)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(timers); i++)
		if (!strcmp(timers[i].aead, aead))
			ns = timers[i].time(packet, octets);
	kfree(packet);
	return ns;
}
