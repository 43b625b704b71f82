// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Key schedule of IKEv2 (RFC 7296 2.13, 2.14, 2.17, 2.18).
 */
#include <string.h>

#include "ike/core/keys.h"

/* Where to cut KEYMAT: keys in the order they are taken. */
struct cut {
	uint8_t *to;
	size_t len;
};

/* prf+ over @seed, cut into the @n pieces. */
static int keymat(uint16_t prf, const uint8_t *key, size_t key_len, const struct ike_iov *seed,
		  unsigned int seeds, const struct cut *cuts, unsigned int n)
{
	uint8_t mat[3 * IKE_MAX_PRF + 4 * IKE_MAX_KEY];
	size_t total = 0, at = 0;
	int ret = -1;

	for (unsigned int i = 0; i < n; i++)
		total += cuts[i].len;
	if (total <= sizeof(mat))
		ret = ike_prf_plus(prf, key, key_len, seed, seeds, mat, total);
	for (unsigned int i = 0; !ret && i < n; i++) {
		memcpy(cuts[i].to, mat + at, cuts[i].len);
		at += cuts[i].len;
	}
	ike_wipe(mat, sizeof(mat));
	return ret;
}

/* All SK_* from SKEYSEED: {SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr} (2.14). */
static int expand(struct ike_keys *k, const struct ike_nonces *n, const uint8_t *spi_i,
		  const uint8_t *spi_r, const uint8_t *skeyseed, size_t skeyseed_len)
{
	const struct ike_iov seed[] = {
		{ n->i, n->i_len },
		{ n->r, n->r_len },
		{ spi_i, IKE_SPI_LEN },
		{ spi_r, IKE_SPI_LEN },
	};
	const struct cut cuts[] = {
		{ k->d, k->d_len },  { k->ai, k->a_len }, { k->ar, k->a_len }, { k->ei, k->e_len },
		{ k->er, k->e_len }, { k->pi, k->d_len }, { k->pr, k->d_len },
	};

	return keymat(k->suite.prf, skeyseed, skeyseed_len, seed, 4, cuts, 7);
}

/* An empty set of keys with the suite's lengths; -1 if we do not know its algorithms. */
static int keys_init(struct ike_keys *k, const struct ike_suite *suite)
{
	memset(k, 0, sizeof(*k));
	if (!ike_cipher_known(&suite->cipher) || !ike_prf_len(suite->prf))
		return -1;
	k->suite = *suite;
	k->d_len = (uint8_t)ike_prf_len(suite->prf);
	k->a_len = (uint8_t)ike_integ_key_len(suite->cipher.integ);
	k->e_len = (uint8_t)ike_cipher_key_len(&suite->cipher);
	return 0;
}

static bool nonces_fit(const struct ike_nonces *n)
{
	return n->i_len && n->r_len && n->i_len <= IKE_MAX_NONCE && n->r_len <= IKE_MAX_NONCE;
}

bool ike_secret_agree(struct ike_secret *out, struct ike_kex *kex, const struct ike_ke *ke)
{
	out->len = 0;
	return kex && ke->group == ike_kex_method(kex) &&
	       !ike_kex_finish(kex, ke->data, ke->len, out);
}

void ike_secret_build(struct ike_builder *b, const struct ike_kex *kex)
{
	size_t len;
	const uint8_t *public = ike_kex_public(kex, &len);

	ike_build_ke(b, ike_kex_method(kex), public, len);
}

void ike_nonces_lower(const struct ike_nonces *n, uint8_t out[IKE_OUR_NONCE])
{
	uint8_t i[IKE_OUR_NONCE] = { 0 }, r[IKE_OUR_NONCE] = { 0 };

	memcpy(i, n->i, n->i_len < sizeof(i) ? n->i_len : sizeof(i));
	memcpy(r, n->r, n->r_len < sizeof(r) ? n->r_len : sizeof(r));
	memcpy(out, memcmp(i, r, sizeof(i)) < 0 ? i : r, IKE_OUR_NONCE);
}

int ike_keys_derive(struct ike_keys *k, const struct ike_suite *suite, const struct ike_nonces *n,
		    const uint8_t spi_i[IKE_SPI_LEN], const uint8_t spi_r[IKE_SPI_LEN],
		    const uint8_t *shared, size_t shared_len)
{
	const struct ike_iov in = { shared, shared_len };
	uint8_t both[2 * IKE_MAX_NONCE], skeyseed[IKE_MAX_PRF];
	int ret = -1;

	if (keys_init(k, suite) || !nonces_fit(n))
		goto out;
	memcpy(both, n->i, n->i_len);
	memcpy(both + n->i_len, n->r, n->r_len);
	ret = ike_prf(suite->prf, both, n->i_len + n->r_len, &in, 1, skeyseed);
	if (!ret)
		ret = expand(k, n, spi_i, spi_r, skeyseed, k->d_len);
	ike_wipe(skeyseed, sizeof(skeyseed));
out:
	if (ret)
		ike_wipe(k, sizeof(*k));
	return ret;
}

int ike_keys_rekey(struct ike_keys *k, const struct ike_suite *suite, const struct ike_keys *old,
		   const struct ike_nonces *n, const uint8_t spi_i[IKE_SPI_LEN],
		   const uint8_t spi_r[IKE_SPI_LEN], const uint8_t *shared, size_t shared_len,
		   const struct ike_secret *more, unsigned int n_more)
{
	struct ike_iov in[3 + IKE_MAX_ADDKE] = {
		{ shared, shared_len },
		{ n->i, n->i_len },
		{ n->r, n->r_len },
	};
	uint8_t skeyseed[IKE_MAX_PRF];
	int ret = -1;

	if (n_more > IKE_MAX_ADDKE || keys_init(k, suite) || !nonces_fit(n))
		goto out;
	for (unsigned int i = 0; i < n_more; i++)
		in[3 + i] = (struct ike_iov){ more[i].data, more[i].len };
	ret = ike_prf(old->suite.prf, old->d, old->d_len, in, 3 + n_more, skeyseed);
	if (!ret)
		ret = expand(k, n, spi_i, spi_r, skeyseed, old->d_len);
	ike_wipe(skeyseed, sizeof(skeyseed));
out:
	if (ret)
		ike_wipe(k, sizeof(*k));
	return ret;
}

int esp_keys_derive(struct esp_keys *out, const struct ike_cipher *cipher, const struct ike_keys *k,
		    const struct ike_nonces *n, const uint8_t *shared, size_t shared_len,
		    const struct ike_secret *more, unsigned int n_more)
{
	struct ike_iov seed[3 + IKE_MAX_ADDKE] = {
		{ shared, shared ? shared_len : 0 },
		{ n->i, n->i_len },
		{ n->r, n->r_len },
	};
	/* Initiator's keys first, within each direction encryption first (2.17). */
	const struct cut cuts[] = {
		{ out->ei, ike_cipher_key_len(cipher) },
		{ out->ai, ike_integ_key_len(cipher->integ) },
		{ out->er, ike_cipher_key_len(cipher) },
		{ out->ar, ike_integ_key_len(cipher->integ) },
	};
	int ret = -1;

	memset(out, 0, sizeof(*out));
	for (unsigned int i = 0; i < n_more && i < IKE_MAX_ADDKE; i++)
		seed[3 + i] = (struct ike_iov){ more[i].data, more[i].len };
	if (ike_cipher_known(cipher) && nonces_fit(n) && n_more <= IKE_MAX_ADDKE) {
		out->e_len = (uint8_t)cuts[0].len;
		out->a_len = (uint8_t)cuts[1].len;
		ret = keymat(k->suite.prf, k->d, k->d_len, seed, 3 + n_more, cuts, 4);
	}
	if (ret)
		ike_wipe(out, sizeof(*out));
	return ret;
}
