// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Certificates for simulated runs, made by the maker of the unit tests; sim.c has them made before its first run, and
 * certified.c gives them to the ends. libcrypto's randomness is ours here: signatures of ECDSA, whose length varies, and
 * handshakes of TLS are the same whenever a seed is run.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* a provider of randomness would be a hundred lines */
#include "certs.h"

#include <openssl/pem.h>
#include <openssl/rand.h>

#define POINT "crlDistributionPoints=URI:http://crl.example/leaves.crl"

struct cert_family cert_families[CERT_FAMILIES];

/* The kinds of keys, and what makes the leaves longer, by so many digits. */
static const struct {
	const char *key;
	int comment;
} kinds[CERT_FAMILIES] = {
	{ "P-256", 0 },
	{ "ED25519", 0 },
	{ "P-256", 1200 },
	{ "ED25519", 2400 },
};

/* ---- randomness ---------------------------------------------------------- */

static struct rnd rnd;

static int fill_bytes(unsigned char *buf, int len)
{
	rnd_fill(&rnd, buf, (size_t)len);
	return 1;
}

static int is_seeded(void)
{
	return 1;
}

void randomness_from(uint64_t seed)
{
	static const RAND_METHOD method = { .bytes = fill_bytes,
					    .pseudorand = fill_bytes,
					    .status = is_seeded };

	rnd.s = seed;
	RAND_set_rand_method(&method);
}

/* ---- making -------------------------------------------------------------- */

static struct made make_ca(const char *key, const char *subject, const struct made *issuer)
{
	return maker_cert(&(struct recipe){ .subject = subject,
					    .key = key,
					    .issuer = issuer,
					    .ext = { "basicConstraints=critical,CA:TRUE",
						     "keyUsage=critical,keyCertSign,cRLSign" } });
}

static struct made make_leaf(unsigned int kind, const char *subject, const struct made *issuer,
			     const char *names)
{
	char comment[4096], san[256];

	snprintf(comment, sizeof(comment), "nsComment=%0*d", kinds[kind].comment + 1, 7);
	snprintf(san, sizeof(san), "subjectAltName=%s", names);
	return maker_cert(&(struct recipe){
		.subject = subject,
		.key = kinds[kind].key,
		.issuer = issuer,
		.ext = { "keyUsage=critical,digitalSignature", san, POINT, comment } });
}

static void make_family(struct cert_family *f, unsigned int kind)
{
	static const char *const names[CERT_ENDS] = { "DNS:node0.example,email:alice@example.org",
						      "DNS:node1.example" };
	const char *key = kinds[kind].key;
	char root[64];

	snprintf(root, sizeof(root), "O=Example, CN=root %u", kind);
	f->root = make_ca(key, root, NULL);
	f->twin = make_ca(key, root, NULL);
	f->middle = make_ca(key, "O=Example, CN=middle", &f->root);
	f->stranger = make_leaf(kind, "CN=stranger", &f->middle, "DNS:stranger.example");
	f->good = maker_crl(&(struct crl_recipe){ .issuer = &f->middle });
	for (unsigned int i = 0; i < CERT_ENDS; i++) {
		f->leaf[i] = make_leaf(kind, "CN=leaf", &f->middle, names[i]);
		f->renewed[i] = make_leaf(kind, "CN=leaf", &f->middle, names[i]);
		f->forged[i] = make_leaf(kind, "CN=leaf", &f->twin, names[i]);
		f->revoked[i] = maker_crl(&(struct crl_recipe){
			.issuer = &f->middle, .revoked = &f->leaf[i], .reason = 1 });
	}
}

void certs_make(void)
{
	randomness_from(1);
	for (unsigned int i = 0; i < CERT_FAMILIES; i++)
		make_family(&cert_families[i], i);
}

void certs_free(void)
{
	for (unsigned int i = 0; i < CERT_FAMILIES; i++) {
		struct cert_family *f = &cert_families[i];

		maker_free(&f->root);
		maker_free(&f->twin);
		maker_free(&f->middle);
		maker_free(&f->stranger);
		maker_free_der(&f->good);
		for (unsigned int k = 0; k < CERT_ENDS; k++) {
			maker_free(&f->leaf[k]);
			maker_free(&f->renewed[k]);
			maker_free(&f->forged[k]);
			maker_free_der(&f->revoked[k]);
		}
	}
}

void node_certify(struct node *n, unsigned int link, const struct made *own, const struct made *key,
		  const struct made *middle)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, pem[4096];
	long len;

	if (PEM_write_bio_PrivateKey(bio, key->key, NULL, NULL, 0, NULL, NULL) != 1)
		abort();
	len = BIO_get_mem_data(bio, &text);
	if (len <= 0 || (size_t)len >= sizeof(pem))
		abort();
	memcpy(pem, text, (size_t)len);
	pem[len] = 0;
	BIO_free(bio);
	node_set_key(n, link, pem, NULL);
	node_add_cert(n, link, IKE_CRED_OWN_CERT, &own->der);
	if (middle)
		node_add_cert(n, link, IKE_CRED_OWN_CERT, &middle->der);
}
