// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/auth/sigalg.h"

#include <stdio.h>
#include <string.h>

/* ---- AlgorithmIdentifiers (RFC 7427 appendix A, RFC 4055, RFC 8410) --------------------------- */

/* sha256WithRSAEncryption 11 and so on; the parameters are NULL. */
#define RSA_OID(last) \
	0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last, 0x05, 0x00
/* ecdsa-with-SHA256 2 and so on; there are no parameters. */
#define ECDSA_OID(last) 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, last
/* id-sha256 1 and so on, as an AlgorithmIdentifier with NULL parameters, and without any. */
#define HASH_NULL(last) \
	0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last, 0x05, 0x00
#define HASH_BARE(last) 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last
#define OID_PSS 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a
#define OID_MGF1 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08
#define SALT(bytes) 0xa2, 0x03, 0x02, 0x01, bytes
#define TRAILER 0xa3, 0x03, 0x02, 0x01, 0x01

/*
 * Four ways to write the same parameters: the hashes' NULL may be left out (RFC 4055 2.1), and the
 * trailer field, which has its default (DER: is to be), is often written all the same.
 */
#define PSS(hash, salt)                                                                       \
	0x30, 0x41, OID_PSS, 0x30, 0x34, 0xa0, 0x0f, HASH_NULL(hash), 0xa1, 0x1c, 0x30, 0x1a, \
		OID_MGF1, HASH_NULL(hash), SALT(salt)
#define PSS_TRAILER(hash, salt)                                                               \
	0x30, 0x46, OID_PSS, 0x30, 0x39, 0xa0, 0x0f, HASH_NULL(hash), 0xa1, 0x1c, 0x30, 0x1a, \
		OID_MGF1, HASH_NULL(hash), SALT(salt), TRAILER
#define PSS_BARE(hash, salt)                                                                  \
	0x30, 0x3d, OID_PSS, 0x30, 0x30, 0xa0, 0x0d, HASH_BARE(hash), 0xa1, 0x1a, 0x30, 0x18, \
		OID_MGF1, HASH_BARE(hash), SALT(salt)
#define PSS_BARE_TRAILER(hash, salt)                                                          \
	0x30, 0x42, OID_PSS, 0x30, 0x35, 0xa0, 0x0d, HASH_BARE(hash), 0xa1, 0x1a, 0x30, 0x18, \
		OID_MGF1, HASH_BARE(hash), SALT(salt), TRAILER

#define DER(...) \
	.der = (const uint8_t[]){ __VA_ARGS__ }, .der_len = sizeof((const uint8_t[]){ __VA_ARGS__ })

/* ---- the table ---------------------------------------------------------------------------------- */

#define RSA_ROW(bits, last)                                                              \
	{                                                                                \
		"RSA with SHA2-" #bits, IKE_AUTH_SIGNATURE, IKE_HASH_SHA2_##bits, false, \
			{ IKE_KEY_RSA, "SHA" #bits, false, false }, DER(RSA_OID(last)),  \
			.cost = 100, .sign_cost = 700                                    \
	}
#define PSS_ROW(bits, how, spare, hash)                                                         \
	{                                                                                       \
		"RSASSA-PSS with SHA2-" #bits, IKE_AUTH_SIGNATURE, IKE_HASH_SHA2_##bits, spare, \
			{ IKE_KEY_RSA, "SHA" #bits, true, false }, DER(how(hash, bits / 8)),    \
			.cost = 100, .sign_cost = 700                                           \
	}
#define ECDSA_ROW(curve, bits, last, us)                                                         \
	{                                                                                        \
		"ECDSA P-" #curve " with SHA2-" #bits, IKE_AUTH_SIGNATURE, IKE_HASH_SHA2_##bits, \
			false, { IKE_KEY_P##curve, "SHA" #bits, false, false },                  \
			DER(ECDSA_OID(last)), .cost = us, .sign_cost = us                        \
	}
#define PLAIN_ROW(curve, bits, us)                                                      \
	{                                                                               \
		"ECDSA P-" #curve " with SHA2-" #bits, IKE_AUTH_ECDSA_##curve,          \
			IKE_HASH_SHA2_##bits, false,                                    \
			{ IKE_KEY_P##curve, "SHA" #bits, false, true }, .cost = us,     \
									.sign_cost = us \
	}

/* Of those that do, the first one is ours to sign with: that of a curve's own hash, and of the shortest. */
static const struct sigalg rows[] = {
	RSA_ROW(256, 0x0b),
	RSA_ROW(384, 0x0c),
	RSA_ROW(512, 0x0d),
	PSS_ROW(256, PSS, false, 0x01),
	PSS_ROW(384, PSS, false, 0x02),
	PSS_ROW(512, PSS, false, 0x03),
	PSS_ROW(256, PSS_TRAILER, true, 0x01),
	PSS_ROW(384, PSS_TRAILER, true, 0x02),
	PSS_ROW(512, PSS_TRAILER, true, 0x03),
	PSS_ROW(256, PSS_BARE, true, 0x01),
	PSS_ROW(384, PSS_BARE, true, 0x02),
	PSS_ROW(512, PSS_BARE, true, 0x03),
	PSS_ROW(256, PSS_BARE_TRAILER, true, 0x01),
	PSS_ROW(384, PSS_BARE_TRAILER, true, 0x02),
	PSS_ROW(512, PSS_BARE_TRAILER, true, 0x03),
	ECDSA_ROW(256, 256, 0x02, 150),
	ECDSA_ROW(256, 384, 0x03, 150),
	ECDSA_ROW(256, 512, 0x04, 150),
	ECDSA_ROW(384, 384, 0x03, 1500),
	ECDSA_ROW(384, 512, 0x04, 1500),
	ECDSA_ROW(384, 256, 0x02, 1500),
	ECDSA_ROW(521, 512, 0x04, 700),
	ECDSA_ROW(521, 384, 0x03, 700),
	ECDSA_ROW(521, 256, 0x02, 700),
	{ "Ed25519",
	  IKE_AUTH_SIGNATURE,
	  IKE_HASH_IDENTITY,
	  false,
	  { IKE_KEY_ED25519, NULL, false, false },
	  DER(0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70),
	  .cost = 150,
	  .sign_cost = 100 },
	{ "Ed448",
	  IKE_AUTH_SIGNATURE,
	  IKE_HASH_IDENTITY,
	  false,
	  { IKE_KEY_ED448, NULL, false, false },
	  DER(0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x71),
	  .cost = 700,
	  .sign_cost = 500 },
	PLAIN_ROW(256, 256, 150),
	PLAIN_ROW(384, 384, 1500),
	PLAIN_ROW(521, 512, 700),
	{ "RSA with SHA-1",
	  IKE_AUTH_RSA,
	  IKE_HASH_SHA1,
	  false,
	  { IKE_KEY_RSA, "SHA1", false, false },
	  .cost = 100,
	  .sign_cost = 700 },
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

const struct sigalg *sigalg_get(unsigned int i)
{
	return i < N_ROWS ? &rows[i] : NULL;
}

unsigned int sigalg_number(const struct sigalg *s)
{
	return (unsigned int)(s - rows);
}

uint64_t sigalg_sign_cost(const struct sigalg *s, size_t private_len)
{
	const uint64_t len = private_len, of_2048 = 1216;

	if (s->scheme.key != IKE_KEY_RSA)
		return s->sign_cost;
	return s->sign_cost * len * len * len / (of_2048 * of_2048 * of_2048);
}

/* ---- SIGNATURE_HASH_ALGORITHMS -------------------------------------------------------------------- */

unsigned int sigalg_hashes(const struct ike_notify *n)
{
	unsigned int set = 0;

	if (n->len % 2)
		return 0;
	for (size_t i = 0; i < n->len; i += 2) {
		unsigned int hash = (unsigned int)(n->data[i] << 8 | n->data[i + 1]);

		if (hash && hash <= IKE_HASH_IDENTITY)
			set |= 1u << hash;
	}
	return set;
}

void sigalg_build_hashes(struct ike_builder *b)
{
	uint8_t data[2 * IKE_N_HASHES], *at = data;

	for (unsigned int hash = 1; hash <= IKE_HASH_IDENTITY; hash++) {
		if (!(IKE_HASHES >> hash & 1))
			continue;
		*at++ = 0;
		*at++ = (uint8_t)hash;
	}
	ike_build_notify(b, IKE_N_SIGNATURE_HASH_ALGORITHMS, data, sizeof(data));
}

/* ---- choosing --------------------------------------------------------------------------------------- */

bool sigalg_allows(const struct sigalg *s, unsigned int hashes, unsigned int policy)
{
	if (s->method == IKE_AUTH_RSA) /* only for peers that know no other hash */
		return !hashes && (policy & IKE_SIG_SHA1) && !(policy & IKE_SIG_PSS);
	if (s->scheme.key == IKE_KEY_RSA && (policy & IKE_SIG_PSS) && !s->scheme.pss)
		return false;
	return true;
}

const struct sigalg *sigalg_choose(enum ike_key_kind key, unsigned int hashes, unsigned int policy,
				   char *why, size_t size)
{
	bool named = false;

	for (unsigned int i = 0; i < N_ROWS; i++) {
		const struct sigalg *s = &rows[i];
		bool taken = s->method != IKE_AUTH_SIGNATURE || (hashes >> s->hash & 1);

		if (s->scheme.key != key || s->also)
			continue;
		named |= taken;
		if (taken && sigalg_allows(s, hashes, policy))
			return s;
	}
	if (hashes)
		snprintf(
			why, size,
			"the peer takes none of the hashes that our key (%s) signs with: let it take SHA2-256%s",
			ike_key_name(key),
			key == IKE_KEY_ED25519 || key == IKE_KEY_ED448 ? " and identity (RFC 8420)"
								       : "");
	else
		snprintf(
			why, size,
			"the peer does not know RFC 7427, which our key (%s) needs: update it, or set %s",
			ike_key_name(key),
			named && key == IKE_KEY_RSA ? "Signatures = sha1 at both ends"
						    : "Key= to an ECDSA key");
	return NULL;
}

/* The row that the AUTH payload names, and what comes behind that. */
static const struct sigalg *find_named(const struct ike_auth *auth, enum ike_key_kind key,
				       struct ike_iov *signature)
{
	const uint8_t *data = auth->data;
	size_t len = auth->len, der_len = 0;

	if (auth->method == IKE_AUTH_SIGNATURE) {
		if (!len || data[0] >= len)
			return NULL;
		der_len = data[0];
		data++;
		len--;
	}
	*signature = (struct ike_iov){ data + der_len, len - der_len };
	for (unsigned int i = 0; i < N_ROWS; i++) {
		const struct sigalg *s = &rows[i];

		if (s->method == auth->method && s->scheme.key == key && s->der_len == der_len &&
		    (!der_len || !memcmp(s->der, data, der_len)))
			return s;
	}
	return NULL;
}

const struct sigalg *sigalg_read(const struct ike_auth *auth, enum ike_key_kind key,
				 unsigned int hashes, unsigned int policy,
				 struct ike_iov *signature, char *why, size_t size)
{
	const struct sigalg *s = find_named(auth, key, signature);

	if (!s)
		snprintf(
			why, size,
			"signs with an algorithm that is not known here, or not one of its key (%s)",
			ike_key_name(key));
	else if (sigalg_allows(s, hashes, policy))
		return s;
	else if (s->method == IKE_AUTH_RSA)
		snprintf(why, size, "signs with %s, which %s", s->name,
			 hashes ? "is not for a peer that knows RFC 7427"
				: "only Signatures = sha1 in [Peer] allows: update the peer");
	else
		snprintf(why, size,
			 "signs with %s, but Signatures = pss in [Peer] wants RSASSA-PSS", s->name);
	return NULL;
}

size_t sigalg_auth_data(const struct sigalg *s, const uint8_t *signature, size_t len,
			uint8_t data[SIGALG_MAX_AUTH])
{
	uint8_t *at = data;

	if (s->method == IKE_AUTH_SIGNATURE) {
		*at++ = s->der_len;
		memcpy(at, s->der, s->der_len);
		at += s->der_len;
	}
	memcpy(at, signature, len);
	return (size_t)(at - data) + len;
}

void sigalg_build_auth(struct ike_builder *b, const struct sigalg *s, const uint8_t *signature,
		       size_t len)
{
	uint8_t data[SIGALG_MAX_AUTH];
	size_t n = sigalg_auth_data(s, signature, len, data);

	ike_build_auth(b, s->method, data, n);
}
