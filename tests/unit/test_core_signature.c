// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IKE_AUTH by signatures with raw public keys: RFC 7296 2.15, RFC 4754, RFC 7427, RFC 7670, RFC 8420. Keys of
 * each kind are made here, by the library.
 */
#include "core_util.h"

#include <errno.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "ike/auth/sigalg.h"

/* ---- keys ------------------------------------------------------------------------------------- */

enum { PEM_MAX = 8192 };

static char pem[IKE_KEY_KINDS][2][PEM_MAX]; /* two of each kind */

static void write_pem(EVP_PKEY *key, char *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	assert_non_null(key);
	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	n = BIO_read(bio, out, PEM_MAX - 1);
	assert_in_range(n, 50, PEM_MAX - 1);
	out[n] = 0;
	BIO_free(bio);
	EVP_PKEY_free(key);
}

static int make_keys(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		write_pem(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048), pem[IKE_KEY_RSA][i]);
		write_pem(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), pem[IKE_KEY_P256][i]);
		write_pem(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"), pem[IKE_KEY_P384][i]);
		write_pem(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521"), pem[IKE_KEY_P521][i]);
		write_pem(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), pem[IKE_KEY_ED25519][i]);
		write_pem(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), pem[IKE_KEY_ED448][i]);
	}
	return 0;
}

/* ---- the peers ---------------------------------------------------------------------------------- */

static struct pair *pair_signs(enum ike_key_kind kind)
{
	struct pair *p = pair_new();

	world_sign(&p->w, 0, pem[kind][0], pem[kind][1]);
	return p;
}

static void is_up(struct pair *p)
{
	pair_start(p, true);
	pair_free(p);
}

static void nothing_installed(struct pair *p)
{
	pair_start(p, false);
	pair_run(p, 200);
	assert_int_equal(p->a->installs, 0);
	assert_int_equal(p->b->installs, 0);
	assert_int_equal(p->a->n_sa, 0);
	assert_int_equal(p->b->n_sa, 0);
}

/* The AUTH payload of an end's IKE_AUTH message, as the other end saw it. */
static struct ike_auth sent_auth(struct pair *p, const struct node *from)
{
	struct ike_payloads in =
		sent_open(pair_sent(p, from, IKE_AUTH, from == p->b, 0), node_sa(p->b));
	struct ike_auth auth;

	assert_int_equal(ike_auth_parse(ike_payload_find(&in, IKE_PL_AUTH), &auth), 0);
	return auth;
}

/* ---- what works ------------------------------------------------------------------------------------ */

static void every_kind_of_key_proves(void **state)
{
	(void)state;
	for (unsigned int kind = IKE_KEY_RSA; kind < IKE_KEY_KINDS; kind++)
		is_up(pair_signs((enum ike_key_kind)kind));
}

static void each_end_has_its_own_kind(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	world_sign(&p->w, 0, pem[IKE_KEY_P384][0], pem[IKE_KEY_RSA][0]);
	is_up(p);
}

static void one_end_signs_and_the_other_has_the_psk(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	world_sign(&p->w, 0, pem[IKE_KEY_ED25519][0], NULL);
	is_up(p);
	p = pair_new();
	world_sign(&p->w, 0, NULL, pem[IKE_KEY_P256][0]);
	is_up(p);
}

static void rsa_signs_by_pss_where_that_is_wanted(void **state)
{
	static const uint8_t pss[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
				       0xf7, 0x0d, 0x01, 0x01, 0x0a };
	struct pair *p = pair_signs(IKE_KEY_RSA);
	struct ike_auth auth;

	(void)state;
	p->a->conf[0].signatures = p->b->conf[0].signatures = IKE_SIG_PSS;
	pair_start(p, true);
	auth = sent_auth(p, p->a);
	assert_int_equal(auth.method, IKE_AUTH_SIGNATURE);
	assert_memory_equal(auth.data + 3, pss, sizeof(pss));
	pair_free(p);
}

/* RFC 7427 4: both ends say which hashes they take, in IKE_SA_INIT. */
static void both_ends_tell_their_hashes(void **state)
{
	static const uint8_t want[] = { 0, 2, 0, 3, 0, 4, 0, 5 };
	struct pair *p = pair_signs(IKE_KEY_P256);
	const struct node *node[2] = { p->a, p->b };
	struct ike_notify n;
	unsigned int i;

	(void)state;
	pair_start(p, true);
	for (i = 0; i < 2; i++) {
		assert_true(sent_notify(pair_sent(p, node[i], IKE_SA_INIT, i, 0),
					IKE_N_SIGNATURE_HASH_ALGORITHMS, &n));
		assert_int_equal(n.len, sizeof(want));
		assert_memory_equal(n.data, want, sizeof(want));
	}
	pair_free(p);
}

/* An initiator that wants no signature of the responder, but a PSK, need not tell its hashes, and signs with the responder's. */
static void a_responder_tells_its_hashes_unasked(void **state)
{
	struct pair *p = pair_signs(IKE_KEY_P256);
	struct sent request;
	struct ike_notify n;

	(void)state;
	p->drop_from = 1 << p->a->index;
	p->drop_exchange = IKE_SA_INIT;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 1);
	request = *pair_sent(p, p->a, IKE_SA_INIT, false, 0);
	assert_true(sent_notify(&request, IKE_N_SIGNATURE_HASH_ALGORITHMS, &n));
	/* Its type, before its data, becomes one that means nothing. */
	request.data[n.data - 2 - request.data] = 0x9f;
	assert_false(sent_notify(&request, IKE_N_SIGNATURE_HASH_ALGORITHMS, &n));
	p->drop_requests = false;
	pair_replay(p, &request);
	pair_run(p, 1);
	assert_true(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0),
				IKE_N_SIGNATURE_HASH_ALGORITHMS, &n));
	pair_free(p);
}

/* RFC 7670: the public key is shown to who asks for nothing. */
static void the_public_key_is_shown(void **state)
{
	struct pair *p = pair_signs(IKE_KEY_ED25519);
	struct ike_payloads in;
	struct ike_cert cert;
	struct ike_iov key;

	(void)state;
	pair_start(p, true);
	in = sent_open(pair_sent(p, p->a, IKE_AUTH, false, 0), node_sa(p->b));
	assert_int_equal(ike_cert_parse(ike_payload_find(&in, IKE_PL_CERT), &cert), 0);
	assert_int_equal(cert.encoding, IKE_CERT_RAW_KEY);
	assert_true(ike_cred_find(&p->a->conf[0].creds, IKE_CRED_OWN_KEY, &key));
	assert_int_equal(cert.len, key.len);
	assert_memory_equal(cert.data, key.base, key.len);
	pair_free(p);
}

/* ---- what is refused ------------------------------------------------------------------------------- */

static void another_public_key_is_refused(void **state)
{
	struct pair *p = pair_signs(IKE_KEY_P256);
	char text[IKE_FINGERPRINT];
	struct ike_iov key;

	(void)state;
	node_set_key(p->b, 0, pem[IKE_KEY_P256][1], pem[IKE_KEY_P256][1]);
	nothing_installed(p);
	node_says(p->b, "peer 'node0.example' shows the public key SHA256:");
	node_says(p->b, "but PublicKey= in [Peer] is SHA256:");
	assert_true(ike_cred_find(&p->a->conf[0].creds, IKE_CRED_OWN_KEY, &key));
	node_says(p->b, ike_key_fingerprint(text, key.base, key.len));
	node_says(p->a, "AUTHENTICATION_FAILED");
	node_says(p->a, "compare Key=");
	pair_free(p);
}

/* It shows the right one, and does not have the private key. */
static void a_key_that_is_shown_and_not_held_is_refused(void **state)
{
	struct pair *p = pair_signs(IKE_KEY_P256);
	struct ike_public_key public;
	char why[128];

	(void)state;
	assert_int_equal(ike_private_read(pem[IKE_KEY_P256][1], strlen(pem[IKE_KEY_P256][1]),
					  &p->a->private_key[0], &public, why, sizeof(why)),
			 0);
	nothing_installed(p);
	node_says(p->b,
		  "peer 'node0.example' does not hold the private key that belongs to PublicKey=");
	pair_free(p);
}

static void a_responder_without_the_key_is_refused(void **state)
{
	struct pair *p = pair_signs(IKE_KEY_ED25519);
	struct ike_public_key public;
	char why[128];

	(void)state;
	assert_int_equal(ike_private_read(pem[IKE_KEY_ED25519][0], strlen(pem[IKE_KEY_ED25519][0]),
					  &p->b->private_key[0], &public, why, sizeof(why)),
			 0);
	pair_start(p, false);
	pair_run(p, 300);
	assert_int_equal(p->a->installs, 0);
	node_says(p->a, "peer 'node1.example' does not hold the private key");
	assert_int_equal(node_stats(p->b).ike_sas, 0);
	assert_int_equal(p->b->n_sa, 0);
	pair_free(p);
}

static void the_method_is_the_one_that_is_configured(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	/* a has the PSK that b has, too, but b wants a signature */
	node_set_key(p->b, 0, NULL, pem[IKE_KEY_P256][0]);
	nothing_installed(p);
	node_says(
		p->b,
		"peer 'node0.example' proves itself with authentication method 2, not with a signature: set its side to a public key");
	pair_free(p);

	p = pair_new();
	node_set_key(p->a, 0, pem[IKE_KEY_P256][0], NULL);
	nothing_installed(p);
	node_says(
		p->b,
		"peer 'node0.example' proves itself with authentication method 14, not with a pre-shared key: set its side to PSK");
	pair_free(p);

	p = pair_new(); /* and so for the responder */
	node_set_key(p->a, 0, NULL, pem[IKE_KEY_P256][0]);
	pair_start(p, false);
	pair_run(p, 300);
	assert_int_equal(p->a->installs, 0);
	node_says(
		p->a,
		"peer 'node1.example' proves itself with authentication method 2, not with a signature");
	assert_int_equal(p->b->n_sa, 0);
	pair_free(p);
}

/*
 * Tunnels at b for the one identity that a shows, each with another key; the last one with that of a, if
 * @last. Nothing but the signature tells which is meant.
 */
static struct pair *pair_with_tunnels(unsigned int n, bool last)
{
	struct pair *p = pair_signs(IKE_KEY_P256);
	struct ike_tunnel_conf decoy;

	node_start(p->b, false);
	assert_int_equal(ike_core_tunnel_del(p->b->core, "t0"), 0);
	for (unsigned int i = 1; i <= n; i++) {
		unsigned int kind = IKE_KEY_RSA + i / 2, which = i % 2;

		if (kind == IKE_KEY_P256 && !which) /* that of a */
			kind = IKE_KEY_ED448;
		if (last && i == n)
			kind = IKE_KEY_P256, which = 0;
		node_set_key(p->b, 0, pem[IKE_KEY_P256][1], pem[kind][which]);
		decoy = p->b->conf[0];
		snprintf(decoy.name, sizeof(decoy.name), i == n ? "t0" : "t1-%u", i);
		assert_int_equal(ike_core_tunnel_add(p->b->core, &decoy), 0);
		ike_core_start(p->b->core, decoy.name, p->w.now);
	}
	node_start(p->a, false);
	/* No key is shown. */
	((uint8_t *)own_conf(p->a)->creds.data)[0] = IKE_CRED_CA;
	pair_run(p, 200);
	return p;
}

/* So many keys are tried and no more, of which the owner of the tunnel that is left out is told. */
static void tunnels_that_are_not_tried_are_named(void **state)
{
	static const char words[] =
		"more than 8 tunnels with different keys or CAs fit 'node0.example', and those of this one were not tried";
	struct pair *p = pair_with_tunnels(8, true);

	(void)state;
	assert_true(p->b->installs > 0);
	assert_null(strstr(p->b->log, words));
	pair_free(p);
	p = pair_with_tunnels(9, true);
	assert_int_equal(p->b->installs, 0);
	node_says(p->b, words);
	pair_free(p);
	p = pair_with_tunnels(8, false);
	assert_int_equal(p->b->installs, 0);
	assert_null(strstr(p->b->log, words));
	pair_free(p);
}

static void pkcs1_is_refused_where_pss_is_wanted(void **state)
{
	struct pair *p = pair_signs(IKE_KEY_RSA);

	(void)state;
	p->b->conf[0].signatures = IKE_SIG_PSS;
	nothing_installed(p);
	node_says(p->b,
		  "signs with RSA with SHA2-256, but Signatures = pss in [Peer] wants RSASSA-PSS");
	pair_free(p);
}

/* ---- peers that do not know RFC 7427 ------------------------------------------------------------------ */

/* What an end signs with for a peer that did not tell its hashes. */
static const struct sigalg *choose(enum ike_key_kind kind, unsigned int hashes, unsigned int policy,
				   const char *words)
{
	char why[256] = "";
	const struct sigalg *s = sigalg_choose(kind, hashes, policy, why, sizeof(why));

	if (words && !strstr(why, words))
		fail_msg("\"%s\" is not in: %s", words, why);
	return s;
}

static void old_peers_get_what_they_know(void **state)
{
	(void)state;
	assert_int_equal(choose(IKE_KEY_P256, 0, 0, NULL)->method, IKE_AUTH_ECDSA_256);
	assert_int_equal(choose(IKE_KEY_P384, 0, 0, NULL)->method, IKE_AUTH_ECDSA_384);
	assert_int_equal(choose(IKE_KEY_P521, 0, 0, NULL)->method, IKE_AUTH_ECDSA_521);
	assert_int_equal(choose(IKE_KEY_RSA, 0, IKE_SIG_SHA1, NULL)->method, IKE_AUTH_RSA);
	assert_null(choose(IKE_KEY_RSA, 0, 0, "Signatures = sha1 at both ends"));
	assert_null(choose(IKE_KEY_RSA, 0, IKE_SIG_PSS, "does not know RFC 7427"));
	assert_null(choose(IKE_KEY_ED25519, 0, IKE_SIG_SHA1, "our key (Ed25519) needs"));
	/* SHA-1 is never for a peer that knows better. */
	assert_null(choose(IKE_KEY_RSA, 1 << IKE_HASH_SHA1, IKE_SIG_SHA1, "SHA2-256"));
	assert_null(choose(IKE_KEY_ED448, IKE_HASHES & ~(1 << IKE_HASH_IDENTITY), 0,
			   "identity (RFC 8420)"));
	/* The curve's own hash, else another one that the peer takes. */
	assert_int_equal(choose(IKE_KEY_P384, IKE_HASHES, 0, NULL)->hash, IKE_HASH_SHA2_384);
	assert_int_equal(choose(IKE_KEY_P384, 1 << IKE_HASH_SHA2_256, 0, NULL)->hash,
			 IKE_HASH_SHA2_256);
}

static void hashes_are_read_with_care(void **state)
{
	static const struct {
		uint8_t data[12];
		size_t len;
		unsigned int set;
	} t[] = {
		{ { 0 }, 0, 0 },
		{ { 0, 2 }, 2, 1 << 2 },
		{ { 0, 2, 0 }, 3, 0 }, /* half a number */
		{ { 0, 0, 0, 6, 1, 2, 0xff, 0xff }, 8, 0 },
		{ { 0, 1, 0, 5, 0, 5 }, 6, 1 << 1 | 1 << 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct ike_notify n = { .data = t[i].data, .len = t[i].len };

		assert_int_equal(sigalg_hashes(&n), t[i].set);
	}
}

/* ---- AUTH payloads ---------------------------------------------------------------------------------------- */

static const char *read_fault(uint8_t method, const void *data, size_t len, enum ike_key_kind kind,
			      unsigned int hashes, unsigned int policy)
{
	static char why[256];
	const struct ike_auth auth = { .method = method, .data = data, .len = len };
	struct ike_iov signature;

	*why = 0;
	if (sigalg_read(&auth, kind, hashes, policy, &signature, why, sizeof(why)))
		return NULL;
	return why;
}

static void auth_payloads_are_read_with_care(void **state)
{
	struct sigalg_text {
		uint8_t data[256];
	} t;
	const struct sigalg *s;
	struct ike_iov signature;
	char why[256];

	(void)state;
	for (unsigned int i = 0; (s = sigalg_get(i)); i++) {
		struct ike_auth auth = { .method = s->method, .data = t.data };

		memset(&t, 0x77, sizeof(t));
		t.data[0] = s->der_len;
		if (s->der_len)
			memcpy(t.data + 1, s->der, s->der_len);
		auth.len = 200;
		assert_ptr_equal(sigalg_read(&auth, s->scheme.key,
					     s->method == IKE_AUTH_RSA ? 0 : IKE_HASHES,
					     s->method == IKE_AUTH_RSA ? IKE_SIG_SHA1 : 0,
					     &signature, why, sizeof(why)),
				 s);
		assert_int_equal(signature.len, s->der_len ? 199 - s->der_len : 200);
		if (!s->der_len)
			continue;
		/* No bit of the identifier may differ, and none of another key's is taken. */
		for (unsigned int k = 0; k < s->der_len; k++) {
			t.data[1 + k] ^= 1;
			signature.len = 0;
			if (sigalg_read(&auth, s->scheme.key, IKE_HASHES, 0, &signature, why,
					sizeof(why)))
				assert_true(k + 1 == s->der_len || s->scheme.key == IKE_KEY_RSA ||
					    k == 11);
			t.data[1 + k] ^= 1;
		}
		for (unsigned int kind = 0; kind < IKE_KEY_KINDS; kind++) {
			if (kind != s->scheme.key && s->hash == IKE_HASH_IDENTITY)
				assert_non_null(read_fault(s->method, t.data, auth.len,
							   (enum ike_key_kind)kind, IKE_HASHES, 0));
		}
		/* The identifier is all there is, or longer than that. */
		assert_non_null(
			read_fault(s->method, t.data, s->der_len, s->scheme.key, IKE_HASHES, 0));
	}
	assert_non_null(read_fault(IKE_AUTH_SIGNATURE, "", 0, IKE_KEY_RSA, IKE_HASHES, 0));
	assert_non_null(read_fault(IKE_AUTH_SIGNATURE, "\xff\x30", 2, IKE_KEY_RSA, IKE_HASHES, 0));
	/* DSA, ECDSA with SHA-1: none of ours. */
	assert_non_null(strstr(read_fault(IKE_AUTH_SIGNATURE,
					  "\x0b\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01xxxx",
					  16, IKE_KEY_P256, IKE_HASHES, 0),
			       "is not known here"));
}

static void sha1_is_for_old_peers_that_may(void **state)
{
	(void)state;
	assert_null(read_fault(IKE_AUTH_RSA, "x", 1, IKE_KEY_RSA, 0, IKE_SIG_SHA1));
	assert_non_null(strstr(read_fault(IKE_AUTH_RSA, "x", 1, IKE_KEY_RSA, 0, 0),
			       "only Signatures = sha1 in [Peer] allows"));
	assert_non_null(
		strstr(read_fault(IKE_AUTH_RSA, "x", 1, IKE_KEY_RSA, IKE_HASHES, IKE_SIG_SHA1),
		       "is not for a peer that knows RFC 7427"));
}

/* ---- changes ------------------------------------------------------------------------------------------------ */

static int change(struct node *n)
{
	return ike_core_tunnel_change(n->core, &n->conf[0], false, n->w->now);
}

/* A peer's key that is no longer the configured one loses what it has; new IKE SAs use our new key. */
static void keys_change_while_the_tunnel_is_up(void **state)
{
	struct pair *p = pair_signs(IKE_KEY_P256);
	uint8_t spi[IKE_SPI_LEN];

	(void)state;
	pair_start(p, true);
	memcpy(spi, node_sa(p->a)->spi_i, sizeof(spi));
	node_set_key(p->a, 0, pem[IKE_KEY_ED25519][0], pem[IKE_KEY_P256][1]);
	node_set_key(p->b, 0, pem[IKE_KEY_P256][1], pem[IKE_KEY_ED25519][0]);
	assert_int_equal(change(p->a), 0);
	pair_run(p, 500);
	assert_memory_equal(node_sa(p->a)->spi_i, spi, sizeof(spi)); /* it is our own key alone */
	assert_int_equal(change(p->b), 0);
	pair_run(p, 20000);
	assert_memory_not_equal(node_sa(p->a)->spi_i, spi, sizeof(spi));
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
}

static void what_lacks_its_key_is_no_configuration(void **state)
{
	struct pair *p = pair_signs(IKE_KEY_P256);
	struct ike_tunnel_conf c;

	(void)state;
	pair_start(p, true);
	c = p->a->conf[0];
	c.creds.len--;
	assert_int_equal(ike_core_tunnel_change(p->a->core, &c, false, p->w.now), -EINVAL);
	c.creds.len = 0;
	assert_int_equal(ike_core_tunnel_change(p->a->core, &c, false, p->w.now), -EINVAL);
	c = p->a->conf[0];
	c.local_auth.method = IKE_METHODS;
	assert_int_equal(ike_core_tunnel_change(p->a->core, &c, false, p->w.now), -EINVAL);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_key_proves),
		cmocka_unit_test(each_end_has_its_own_kind),
		cmocka_unit_test(one_end_signs_and_the_other_has_the_psk),
		cmocka_unit_test(rsa_signs_by_pss_where_that_is_wanted),
		cmocka_unit_test(both_ends_tell_their_hashes),
		cmocka_unit_test(a_responder_tells_its_hashes_unasked),
		cmocka_unit_test(the_public_key_is_shown),
		cmocka_unit_test(another_public_key_is_refused),
		cmocka_unit_test(a_key_that_is_shown_and_not_held_is_refused),
		cmocka_unit_test(a_responder_without_the_key_is_refused),
		cmocka_unit_test(the_method_is_the_one_that_is_configured),
		cmocka_unit_test(tunnels_that_are_not_tried_are_named),
		cmocka_unit_test(pkcs1_is_refused_where_pss_is_wanted),
		cmocka_unit_test(old_peers_get_what_they_know),
		cmocka_unit_test(hashes_are_read_with_care),
		cmocka_unit_test(auth_payloads_are_read_with_care),
		cmocka_unit_test(sha1_is_for_old_peers_that_may),
		cmocka_unit_test(keys_change_while_the_tunnel_is_up),
		cmocka_unit_test(what_lacks_its_key_is_no_configuration),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
