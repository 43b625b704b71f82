// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/auth/mschapv2.h"

#include <string.h>

#include "ike/crypto/legacy.h"
#include "ike/proto/cursor.h"

enum {
	MAX_UTF16 = 1024, /* bytes */
	SHA1_LEN = 20,
	KEY_LEN = 16, /* of RFC 3079 */
	PAD_LEN = 40,
	CHALLENGE_HASH = 8,
};

/* ---- UTF-16 ------------------------------------------------------------------------------- */

/* The next character of UTF-8 (RFC 3629); UINT32_MAX: there is none. */
static uint32_t take_character(struct cursor *c)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint8_t first = cursor_u8(c), n = first < 0x80	 ? 0
					  : first < 0xe0 ? 1
					  : first < 0xf0 ? 2
							 : 3;
	uint32_t v = n ? first & (0x3fu >> n) : first;

	if ((first >= 0x80 && first < 0xc2) || first > 0xf4)
		return UINT32_MAX;
	for (uint8_t i = 0; i < n; i++) {
		uint8_t next = cursor_u8(c);

		if ((next & 0xc0) != 0x80)
			return UINT32_MAX;
		v = v << 6 | (next & 0x3f);
	}
	return c->bad || v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? UINT32_MAX
										     : v;
}

static void put_unit(struct writer *w, uint32_t unit)
{
	writer_u8(w, (uint8_t)unit);
	writer_u8(w, (uint8_t)(unit >> 8));
}

static bool put_utf16(struct writer *w, const uint8_t *text, size_t len)
{
	struct cursor c = cursor_init(text, len);

	while (c.left) {
		uint32_t v = take_character(&c);

		if (v == UINT32_MAX)
			return false;
		if (v >= 0x10000) {
			put_unit(w, 0xd800 + ((v - 0x10000) >> 10));
			v = 0xdc00 + ((v - 0x10000) & 0x3ff);
		}
		put_unit(w, v);
	}
	return !w->bad;
}

int mschapv2_hash(const uint8_t *password, size_t len, uint8_t out[MSCHAPV2_HASH])
{
	uint8_t utf16[MAX_UTF16];
	struct writer w = writer_init(utf16, sizeof(utf16));
	int err = put_utf16(&w, password, len) ? ike_md4(utf16, w.len, out) : -1;

	ike_wipe(utf16, sizeof(utf16));
	return err;
}

/* ---- RFC 2759 8 ----------------------------------------------------------------------------- */

/* ChallengeHash(). */
static int hash_challenge(const struct mschapv2_run *run, uint8_t out[CHALLENGE_HASH])
{
	const struct ike_iov in[] = { { run->client, MSCHAPV2_CHALLENGE },
				      { run->server, MSCHAPV2_CHALLENGE },
				      run->name };
	uint8_t digest[SHA1_LEN];

	if (ike_sha1(in, 3, digest))
		return -1;
	memcpy(out, digest, CHALLENGE_HASH);
	return 0;
}

int mschapv2_respond(const uint8_t hash[MSCHAPV2_HASH], const struct mschapv2_run *run,
		     uint8_t out[MSCHAPV2_RESPONSE])
{
	uint8_t challenge[CHALLENGE_HASH], keys[3 * IKE_DES_KEY] = { 0 };
	int err = hash_challenge(run, challenge);

	memcpy(keys, hash, MSCHAPV2_HASH);
	for (unsigned int i = 0; i < 3 && !err; i++)
		err = ike_des(keys + i * IKE_DES_KEY, challenge, out + i * IKE_DES_BLOCK);
	ike_wipe(keys, sizeof(keys));
	return err;
}

int mschapv2_authenticate(const uint8_t hash[MSCHAPV2_HASH], const struct mschapv2_run *run,
			  const uint8_t response[MSCHAPV2_RESPONSE],
			  uint8_t out[MSCHAPV2_AUTHENTICATOR])
{
	static const char magic1[] = "Magic server to client signing constant";
	static const char magic2[] = "Pad to make it do more than one iteration";
	uint8_t challenge[CHALLENGE_HASH], twice[MSCHAPV2_HASH], digest[SHA1_LEN];
	const struct ike_iov first[] = { { twice, sizeof(twice) },
					 { response, MSCHAPV2_RESPONSE },
					 { magic1, sizeof(magic1) - 1 } };
	const struct ike_iov second[] = { { digest, sizeof(digest) },
					  { challenge, sizeof(challenge) },
					  { magic2, sizeof(magic2) - 1 } };
	int err = ike_md4(hash, MSCHAPV2_HASH, twice);

	if (!err)
		err = hash_challenge(run, challenge);
	if (!err)
		err = ike_sha1(first, 3, digest);
	if (!err)
		err = ike_sha1(second, 3, out);
	ike_wipe(twice, sizeof(twice));
	ike_wipe(digest, sizeof(digest));
	return err;
}

/* ---- RFC 3079 3 ------------------------------------------------------------------------------- */

/* GetAsymmetricStartKey(), of 128 bits. */
static int start_key(const uint8_t master[KEY_LEN], const char *magic, uint8_t out[KEY_LEN])
{
	static const uint8_t pad1[PAD_LEN];
	uint8_t pad2[PAD_LEN], digest[SHA1_LEN];
	const struct ike_iov in[] = { { master, KEY_LEN },
				      { pad1, sizeof(pad1) },
				      { magic, strlen(magic) },
				      { pad2, sizeof(pad2) } };
	int err;

	memset(pad2, 0xf2, sizeof(pad2));
	err = ike_sha1(in, 4, digest);
	memcpy(out, digest, KEY_LEN);
	ike_wipe(digest, sizeof(digest));
	return err;
}

int mschapv2_msk(const uint8_t hash[MSCHAPV2_HASH], const uint8_t response[MSCHAPV2_RESPONSE],
		 uint8_t out[MSCHAPV2_MSK])
{
	static const char magic1[] = "This is the MPPE Master Key";
	static const char magic2[] =
		"On the client side, this is the send key; on the server side, it is the receive key.";
	static const char magic3[] =
		"On the client side, this is the receive key; on the server side, it is the send key.";
	uint8_t twice[MSCHAPV2_HASH], master[SHA1_LEN] = { 0 };
	const struct ike_iov in[] = { { twice, sizeof(twice) },
				      { response, MSCHAPV2_RESPONSE },
				      { magic1, sizeof(magic1) - 1 } };
	int err = ike_md4(hash, MSCHAPV2_HASH, twice);

	memset(out, 0, MSCHAPV2_MSK);
	if (!err)
		err = ike_sha1(in, 3, master);
	if (!err)
		err = start_key(master, magic2, out);
	if (!err)
		err = start_key(master, magic3, out + KEY_LEN);
	if (err)
		ike_wipe(out, MSCHAPV2_MSK);
	ike_wipe(twice, sizeof(twice));
	ike_wipe(master, sizeof(master));
	return err;
}
