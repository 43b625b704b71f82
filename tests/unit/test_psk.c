// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ike/proto/msg.h"
#include "ike/core/sk.h"
#include "vectors.h"
#include "psk_auth.h"

/* A strongSwan 6.1.0 session whose PSK is known: 0/1 IKE_SA_INIT, 2/3 IKE_AUTH. */
struct session {
	struct capture c;
	struct ike_keys k;
	char psk[64];
	uint8_t copy[2][1024];
	struct ike_payloads init[2], auth[2];
};

static void keys_load(const json_t *root, struct ike_keys *k)
{
	memset(k, 0, sizeof(*k));
	k->suite.cipher = (struct ike_cipher){ IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_256_128 };
	k->suite.prf = IKE_PRF_HMAC_SHA2_256;
	k->d_len = k->a_len = k->e_len = 32;
	strongswan_secret(root, "Sk_ai secret", 0, k->ai, 32);
	strongswan_secret(root, "Sk_ar secret", 0, k->ar, 32);
	strongswan_secret(root, "Sk_ei secret", 0, k->ei, 32);
	strongswan_secret(root, "Sk_er secret", 0, k->er, 32);
	strongswan_secret(root, "Sk_pi secret", 0, k->pi, 32);
	strongswan_secret(root, "Sk_pr secret", 0, k->pr, 32);
}

static int session_load(void **state)
{
	json_t *root = vectors_load("ike-captures/strongswan-6.1.0-aescbc.keys.json");
	static struct session s;
	uint8_t offender;

	keys_load(root, &s.k);
	snprintf(s.psk, sizeof(s.psk), "%s", vectors_text(root, "psk"));
	json_decref(root);
	capture_load("ike-captures/strongswan-6.1.0-aescbc.pcapng", &s.c);
	capture_ike(&s.c);
	for (unsigned int i = 0; i < 2; i++) {
		const struct datagram *d = &s.c.d[i], *a = &s.c.d[2 + i];

		assert_int_equal(ike_payloads_parse(IKE_PL_SA, d->data + IKE_HDR_LEN,
						    d->len - IKE_HDR_LEN, &s.init[i], &offender),
				 0);
		assert_int_equal(ike_sk_open(&s.k, a->data, a->len, s.copy[i], sizeof(s.copy[i]),
					     &s.auth[i], &offender),
				 0);
	}
	*state = &s;
	return 0;
}

static int session_free(void **state)
{
	struct session *s = *state;

	capture_free(&s->c);
	return 0;
}

static struct ike_iov body_of(const struct ike_payloads *p, uint8_t type)
{
	const struct ike_payload *found = ike_payload_find(p, type);

	assert_non_null(found);
	return (struct ike_iov){ found->body, found->len };
}

/* Is @auth, of @len octets, the AUTH value? */
static bool verifies(uint16_t prf, const uint8_t *psk, size_t psk_len,
		     const struct ike_iov *message, const struct ike_iov *nonce,
		     const uint8_t *sk_p, const struct ike_iov *id_body, const uint8_t *auth,
		     size_t len)
{
	uint8_t expected[IKE_MAX_PRF];
	bool ok;

	ok = !psk_auth(prf, psk, psk_len, message, nonce, sk_p, id_body, expected) &&
	     len == ike_prf_len(prf) && ike_equal(expected, auth, len);
	ike_wipe(expected, sizeof(expected));
	return ok;
}

/* Does the AUTH of side @who hold for @psk? */
static bool holds(const struct session *s, unsigned int who, const char *psk)
{
	struct ike_iov message = { s->c.d[who].data, s->c.d[who].len };
	struct ike_iov nonce = body_of(&s->init[!who], IKE_PL_NONCE);
	struct ike_iov id = body_of(&s->auth[who], who ? IKE_PL_IDR : IKE_PL_IDI);
	const struct ike_payload *p = ike_payload_find(&s->auth[who], IKE_PL_AUTH);
	struct ike_auth auth;

	assert_int_equal(ike_auth_parse(p, &auth), 0);
	assert_int_equal(auth.method, IKE_AUTH_PSK);
	return verifies(s->k.suite.prf, (const uint8_t *)psk, strlen(psk), &message, &nonce,
			who ? s->k.pr : s->k.pi, &id, auth.data, auth.len);
}

static void auth_of_another_daemon_verifies(void **state)
{
	const struct session *s = *state;

	assert_true(holds(s, 0, s->psk));
	assert_true(holds(s, 1, s->psk));
}

static void any_other_key_does_not(void **state)
{
	const struct session *s = *state;

	assert_false(holds(s, 0, "correct horse battery stapl"));
	assert_false(holds(s, 1, "Correct horse battery staple"));
	assert_false(holds(s, 1, ""));
}

static void every_part_counts(void **state)
{
	uint8_t out[4][32], sk_p[32] = { 1 }, other[32] = { 2 };
	const struct ike_iov m = { "message", 7 }, n = { "nonce", 5 }, id = { "\2\0\0\0a", 5 };
	const struct ike_iov m2 = { "messagf", 7 }, id2 = { "\3\0\0\0a", 5 };
	const uint8_t *psk = (const uint8_t *)"psk";

	(void)state;
	assert_int_equal(psk_auth(IKE_PRF_HMAC_SHA2_256, psk, 3, &m, &n, sk_p, &id, out[0]), 0);
	assert_true(verifies(IKE_PRF_HMAC_SHA2_256, psk, 3, &m, &n, sk_p, &id, out[0], 32));
	assert_int_equal(psk_auth(IKE_PRF_HMAC_SHA2_256, psk, 3, &m2, &n, sk_p, &id, out[1]), 0);
	assert_int_equal(psk_auth(IKE_PRF_HMAC_SHA2_256, psk, 3, &m, &n, other, &id, out[2]), 0);
	assert_int_equal(psk_auth(IKE_PRF_HMAC_SHA2_256, psk, 3, &m, &n, sk_p, &id2, out[3]), 0);
	for (unsigned int i = 1; i < 4; i++)
		assert_memory_not_equal(out[0], out[i], 32);
	/* too short, too long, a prefix; an empty PSK; an unknown PRF */
	assert_false(verifies(IKE_PRF_HMAC_SHA2_256, psk, 3, &m, &n, sk_p, &id, out[0], 31));
	assert_false(verifies(IKE_PRF_HMAC_SHA2_256, psk, 3, &m, &n, sk_p, &id, out[0], 0));
	assert_int_equal(psk_auth(IKE_PRF_HMAC_SHA2_256, psk, 0, &m, &n, sk_p, &id, out[0]), -1);
	assert_int_equal(psk_auth(1, psk, 3, &m, &n, sk_p, &id, out[0]), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auth_of_another_daemon_verifies),
		cmocka_unit_test(any_other_key_does_not),
		cmocka_unit_test(every_part_counts),
	};

	return cmocka_run_group_tests(tests, session_load, session_free);
}
