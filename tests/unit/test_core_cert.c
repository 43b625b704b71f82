// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IKE_AUTH with X.509 certificates, two cores against each other: what is sent, what is taken, what is refused and
 * what is said of it. What a chain is worth, test_pki.c has.
 */
#include "core_util.h"
#include "cert_maker.h"

#include <errno.h>

#include <openssl/pem.h>

#include "ike/auth/cred.h"

/* ---- certificates ------------------------------------------------------------------------------- */

static struct made root, middle, other;

static int make_authorities(void **state)
{
	(void)state;
	root = maker_ca("O=Example, CN=root", NULL);
	middle = maker_ca("O=Example, CN=middle", &root);
	other = maker_ca("O=Example, CN=other", NULL);
	return 0;
}

static int free_authorities(void **state)
{
	(void)state;
	maker_free(&root);
	maker_free(&middle);
	maker_free(&other);
	return 0;
}

static void set_own_of(struct node *n, unsigned int link, const struct made *leaf)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, pem[4096];
	long len;

	assert_int_equal(PEM_write_bio_PrivateKey(bio, leaf->key, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &text);
	assert_in_range(len, 1, sizeof(pem) - 1);
	memcpy(pem, text, (size_t)len);
	pem[len] = 0;
	BIO_free(bio);
	node_set_key(n, link, pem, NULL);
	node_add_cert(n, link, IKE_CRED_OWN_CERT, &leaf->der);
}

static void set_own(struct node *n, const struct made *leaf)
{
	set_own_of(n, 0, leaf);
}

/* Both ends have a certificate below @issuer for their names, and trust the root. */
static struct pair *pair_certified(const struct made *issuer)
{
	struct made a = maker_leaf("CN=a", issuer, "DNS:node0.example");
	struct made b = maker_leaf("CN=b", issuer, "DNS:node1.example");
	struct pair *p = pair_new();

	p->w.utc = MAKER_NOW;
	set_own(p->a, &a);
	set_own(p->b, &b);
	if (issuer != &root) {
		node_add_cert(p->a, 0, IKE_CRED_OWN_CERT, &issuer->der);
		node_add_cert(p->b, 0, IKE_CRED_OWN_CERT, &issuer->der);
	}
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	node_add_cert(p->b, 0, IKE_CRED_CA, &root.der);
	maker_free(&a);
	maker_free(&b);
	return p;
}

/* The end has another certificate than pair_certified() gave it. */
static void certify_anew(struct node *n, const struct made *leaf, const struct made *ca)
{
	set_own(n, leaf);
	node_add_cert(n, 0, IKE_CRED_CA, &ca->der);
}

static void nothing_installed(struct pair *p)
{
	pair_start(p, false);
	pair_run(p, 300);
	assert_int_equal(p->a->installs, 0);
	assert_int_equal(p->a->n_sa, 0);
	assert_int_equal(p->b->n_sa, 0);
}

/* ---- what works ------------------------------------------------------------------------------------ */

static void chains_prove(void **state)
{
	struct pair *p = pair_certified(&root);

	(void)state;
	pair_start(p, true);
	pair_free(p);
	p = pair_certified(&middle);
	pair_start(p, true);
	assert_true(pair_count(p, p->a, IKE_AUTH, false) >= 1);
	pair_free(p);
}

/* Certificates are sent though nobody asks for them: the leaf first. */
static void certificates_are_sent_unasked(void **state)
{
	struct pair *p = pair_certified(&middle);
	struct ike_payloads in;
	struct ike_cert cert;
	unsigned int i, n = 0;

	(void)state;
	pair_start(p, false);
	p->w.job_delay = 0;
	pair_run(p, 100);
	/* One message is enough for two certificates of P-256, or it would be in fragments. */
	p->drop_all = false;
	in = sent_open(pair_sent(p, p->b, IKE_AUTH, true, 0), node_sa(p->a));
	for (i = 0; i < in.n; i++) {
		if (in.p[i].type != IKE_PL_CERT)
			continue;
		assert_int_equal(ike_cert_parse(&in.p[i], &cert), 0);
		assert_int_equal(cert.encoding, IKE_CERT_X509);
		if (n++ == 1)
			assert_memory_equal(cert.data, middle.der.base, middle.der.len);
	}
	assert_int_equal(n, 2);
	pair_free(p);
}

/* RFC 7296 3.7: the responder in IKE_SA_INIT, for all its tunnels; the initiator in IKE_AUTH. */
static void both_ends_ask_by_authority(void **state)
{
	struct pair *p = pair_certified(&root);
	const struct sent *init;
	struct ike_payloads in;
	struct ike_cert req;
	uint8_t offender;
	unsigned int n;

	(void)state;
	pair_start(p, true);
	init = pair_sent(p, p->b, IKE_SA_INIT, true, 0);
	assert_int_equal(ike_payloads_parse(init->h.next, init->data + IKE_HDR_LEN,
					    init->len - IKE_HDR_LEN, &in, &offender),
			 0);
	assert_int_equal(ike_cert_parse(ike_payload_find(&in, IKE_PL_CERTREQ), &req), 0);
	assert_int_equal(req.encoding, IKE_CERT_X509);
	assert_int_equal(req.len, PKI_HASH_LEN);
	assert_memory_equal(req.data, pki_trust_hashes(own_conf(p->b)->trust, &n), PKI_HASH_LEN);
	in = sent_open(pair_sent(p, p->a, IKE_AUTH, false, 0), node_sa(p->b));
	assert_int_equal(ike_cert_parse(ike_payload_find(&in, IKE_PL_CERTREQ), &req), 0);
	assert_int_equal(req.len, PKI_HASH_LEN);
	pair_free(p);
	/* Who has no CAs asks for nothing. */
	p = pair_new();
	pair_start(p, true);
	init = pair_sent(p, p->b, IKE_SA_INIT, true, 0);
	assert_int_equal(ike_payloads_parse(init->h.next, init->data + IKE_HDR_LEN,
					    init->len - IKE_HDR_LEN, &in, &offender),
			 0);
	assert_null(ike_payload_find(&in, IKE_PL_CERTREQ));
	pair_free(p);
}

/* Many clients of one tunnel, each with a certificate of its own; one shows another's name. */
static void clients_have_certificates(void **state)
{
	static const char *const san[] = { "DNS:node1.example", "DNS:node2.example",
					   "DNS:node9.example" };
	struct made hub_leaf = maker_leaf("CN=hub", &root, "DNS:node0.example"), leaf;
	struct world *w = calloc(1, sizeof(*w));
	struct node *hub, *client[3];
	unsigned int tunnel, link[3], i;

	(void)state;
	world_init(w, 7);
	w->utc = MAKER_NOW;
	hub = world_node(w);
	tunnel = world_hub(w, hub, 3);
	set_own_of(hub, tunnel, &hub_leaf);
	node_add_cert(hub, tunnel, IKE_CRED_CA, &root.der);
	for (i = 0; i < 3; i++) {
		client[i] = world_node(w);
		link[i] = world_client(w, client[i], tunnel);
		leaf = maker_leaf("CN=client", &root, san[i]);
		set_own_of(client[i], link[i], &leaf);
		node_add_cert(client[i], link[i], IKE_CRED_CA, &root.der);
		maker_free(&leaf);
	}
	node_start(hub, false);
	for (i = 0; i < 3; i++)
		node_start(client[i], false);
	world_run(w, w->now + 500);
	assert_string_equal(w->failed, "");
	assert_true(direction_works(client[0], hub, link[0]));
	assert_true(direction_works(client[1], hub, link[1]));
	assert_int_equal(client[2]->installs, 0);
	assert_non_null(strstr(client[2]->log, "it rejects our identity 'node3.example'"));
	world_free(w);
	free(w);
	maker_free(&hub_leaf);
}

/* "O=Example, CN=VALUE", whose CN is of the string type @tag, @len bytes. */
static struct ike_id name_of(uint8_t tag, const void *value, uint8_t len)
{
	static const uint8_t o[] = "\x31\x10\x30\x0e\x06\x03\x55\x04\x0a\x13\x07"
				   "Example";
	const uint8_t cn[] = { 0x31, len + 9, 0x30, len + 7, 6, 3, 0x55, 4, 3, tag, len };
	struct ike_id id = { .type = IKE_ID_DER_DN };
	uint8_t *at = id.data;

	*at++ = 0x30;
	*at++ = (uint8_t)(sizeof(o) - 1 + sizeof(cn) + len);
	at = mempcpy(at, o, sizeof(o) - 1);
	at = mempcpy(at, cn, sizeof(cn));
	at = mempcpy(at, value, len);
	id.len = (uint16_t)(at - id.data);
	return id;
}

/* RFC 5280 7.1: a name is the same whatever its strings' types and spaces, so one certificate makes one client. */
static void a_client_is_one_by_any_encoding(void **state)
{
	const struct ike_id shown[] = { name_of(0x13, "bob", 3), name_of(0x0c, " bob  ", 6),
					name_of(0x1e, "\0B\0o\0b", 6) };
	struct made hub_leaf = maker_leaf("CN=hub", &root, "DNS:node0.example");
	struct made leaf = maker_leaf("O=Example, CN=bob", &root, "DNS:bob.example");
	struct world *w = calloc(1, sizeof(*w));
	struct node *hub, *client[3];
	unsigned int tunnel, link, i;

	(void)state;
	world_init(w, 7);
	w->utc = MAKER_NOW;
	hub = world_node(w);
	tunnel = world_hub(w, hub, 3);
	hub->conf[tunnel].remote_id = name_of(0x13, "*", 1);
	set_own_of(hub, tunnel, &hub_leaf);
	node_add_cert(hub, tunnel, IKE_CRED_CA, &root.der);
	for (i = 0; i < 3; i++) {
		client[i] = world_node(w);
		link = world_client(w, client[i], tunnel);
		client[i]->conf[link].local_id = shown[i];
		set_own_of(client[i], link, &leaf);
		node_add_cert(client[i], link, IKE_CRED_CA, &root.der);
	}
	node_start(hub, false);
	for (i = 0; i < 3; i++) {
		node_start(client[i], false);
		world_run(w, w->now + 300);
		assert_true(client[i]->installs > 0);
		assert_int_equal(node_status(hub, tunnel).clients, 1);
	}
	world_free(w);
	free(w);
	maker_free(&hub_leaf);
	maker_free(&leaf);
}

/* What is configured as text, and what a certificate has, need not be of one string type. */
static void a_peer_is_found_by_any_encoding(void **state)
{
	struct made a = maker_leaf("O=Example, CN=bob", &root, "DNS:bob.example");
	struct made b = maker_leaf("O=Example, CN=eve", &root, "DNS:eve.example");
	struct pair *p = pair_certified(&root);

	(void)state;
	set_own(p->a, &a);
	set_own(p->b, &b);
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	node_add_cert(p->b, 0, IKE_CRED_CA, &root.der);
	p->a->conf[0].local_id = name_of(0x0c, "bob", 3);
	p->b->conf[0].remote_id = name_of(0x13, "bob", 3);
	p->a->conf[0].remote_id = name_of(0x13, "eve", 3);
	p->b->conf[0].local_id = name_of(0x0c, "eve", 3);
	pair_start(p, true);
	pair_free(p);
	maker_free(&a);
	maker_free(&b);
}

/* ---- what is refused ----------------------------------------------------------------------------------- */

static void an_unknown_ca_is_named(void **state)
{
	struct pair *p = pair_certified(&root);
	struct made leaf = maker_leaf("CN=a", &other, "DNS:node0.example");

	(void)state;
	certify_anew(p->a, &leaf, &root);
	nothing_installed(p);
	node_says(p->b, "peer 'node0.example': ");
	node_says(p->b, "is issued by 'O=Example, CN=other', which CA= does not name");
	node_says(p->a, "AUTHENTICATION_FAILED");
	pair_free(p);
	maker_free(&leaf);
}

/* A CA of the right name, made by somebody else. */
static void a_namesake_of_the_ca_is_refused(void **state)
{
	struct pair *p = pair_certified(&root);
	struct made false_root = maker_ca("O=Example, CN=root", NULL);
	struct made leaf = maker_leaf("CN=a", &false_root, "DNS:node0.example");

	(void)state;
	certify_anew(p->a, &leaf, &root);
	nothing_installed(p);
	node_says(p->b, "peer 'node0.example': ");
	pair_free(p);
	maker_free(&leaf);
	maker_free(&false_root);
}

/* Its own certificate, and another's name. */
static void the_identity_is_the_certificates(void **state)
{
	struct pair *p = pair_certified(&root);
	struct made leaf = maker_leaf("CN=mallory", &root, "DNS:mallory.example");

	(void)state;
	certify_anew(p->a, &leaf, &root);
	nothing_installed(p);
	node_says(p->b, "the peer claims to be 'node0.example'");
	node_says(p->b, "'mallory.example'");
	pair_free(p);

	p = pair_certified(&root); /* and so for the responder */
	certify_anew(p->b, &leaf, &root);
	nothing_installed(p);
	node_says(p->a, "the peer claims to be 'node1.example'");
	pair_free(p);
	maker_free(&leaf);
}

/* An initiator that shows a certificate which it saw elsewhere, and does not have the key. */
static struct pair *pair_with_a_thief(void)
{
	struct pair *p = pair_certified(&root);
	struct made mallory = maker_leaf("CN=m", &root, "DNS:mallory.example");
	struct ike_creds kept = p->a->conf[0].creds;
	uint8_t copy[NODE_CREDS];

	memcpy(copy, p->a->creds[0], sizeof(copy));
	set_own(p->a, &mallory); /* her private key … */
	memcpy(p->a->creds[0], copy, sizeof(copy));
	p->a->conf[0].creds = kept; /* … and the other's certificate */
	p->a->conf[0].remote_method = IKE_METHOD_SIGNATURE;
	maker_free(&mallory);
	return p;
}

static void a_certificate_without_its_key_is_refused(void **state)
{
	struct pair *p = pair_with_a_thief();

	(void)state;
	nothing_installed(p);
	node_says(
		p->b,
		"peer 'node0.example' does not hold the private key of the certificate that it shows");
	pair_free(p);
}

/* The microseconds that the thief costs where so many tunnels would be open to him. */
static uint64_t work_with_tunnels(unsigned int n, bool with_other_cas)
{
	struct pair *p = pair_with_a_thief();
	struct ike_tunnel_conf decoy;
	struct made ca;
	uint64_t work;

	node_start(p->b, false);
	for (unsigned int i = 1; i < n; i++) {
		ca = maker_ca("O=Example, CN=root", NULL);
		decoy = p->b->conf[0];
		if (with_other_cas)
			node_add_cert(p->b, 0, IKE_CRED_CA, &ca.der);
		decoy.creds = p->b->conf[0].creds;
		snprintf(decoy.name, sizeof(decoy.name), "t1-%u", i);
		assert_int_equal(ike_core_tunnel_add(p->b->core, &decoy), 0);
		ike_core_start(p->b->core, decoy.name, p->w.now);
		maker_free(&ca);
	}
	node_start(p->a, false);
	pair_run(p, 300);
	assert_int_equal(p->a->installs, 0);
	work = p->b->core->admit.work;
	pair_free(p);
	return work;
}

/* Once for all tunnels with the same CAs, and for the sentence about it; what cannot be shared is counted each time. */
static void a_thief_costs_what_he_is_worth(void **state)
{
	uint64_t one = work_with_tunnels(1, false);

	(void)state;
	assert_in_range(work_with_tunnels(30, false), one, one + 600); /* 5 for each */
	assert_true(work_with_tunnels(5, true) > one + 900);
}

/* What the certificates of an honest peer cost is not held against others. */
static void honest_certificates_are_paid_back(void **state)
{
	struct pair *p = pair_certified(&middle);

	(void)state;
	pair_start(p, true);
	assert_in_range(p->b->core->admit.work, 0, 200);
	pair_free(p);
}

static void time_counts(void **state)
{
	struct pair *p = pair_certified(&root);

	(void)state;
	p->w.utc = MAKER_NOW + 2 * 365 * MAKER_DAY;
	nothing_installed(p);
	node_says(p->b, "peer 'node0.example': ");
	node_says(p->b, "expired");
	pair_free(p);
}

/* A peer proves who it is anew when its certificate ends, after rekeyings, too, and needs another one for that. */
static void what_is_proven_ends_with_the_certificate(void **state)
{
	struct pair *p = pair_certified(&root);
	struct made leaf =
		maker_cert(&(struct recipe){ .subject = "CN=a",
					     .issuer = &root,
					     .until = MAKER_NOW + 100,
					     .ext = { "subjectAltName=DNS:node0.example" } });

	(void)state;
	certify_anew(p->a, &leaf, &root);
	pair_start(p, true);
	assert_in_range(node_sa(p->b)->reauth_at, p->w.now + 99000, p->w.now + 102000);
	assert_true(node_sa(p->a)->reauth_at >
		    p->w.now + 86400000); /* that of b is good for a year */
	own_conf(p->b)->reauth = 50;
	sa_plan_reauth(p->b->core, node_sa(p->b));
	assert_in_range(node_sa(p->b)->reauth_at, p->w.now + 30000, p->w.now + 60000);
	own_conf(p->b)->reauth = 0;
	sa_plan_reauth(p->b->core, node_sa(p->b));
	node_rekey_ike(p->a);
	pair_run(p, 90000);
	assert_null(strstr(p->b->log, "expired"));
	assert_in_range(node_sa(p->b)->reauth_at, p->w.now, p->w.now + 12000);
	assert_true(node_sa(p->b)->proof_until == node_sa(p->b)->reauth_at);
	pair_run(p, 15000);
	node_says(p->b, "expired");
	assert_true(direction_works(p->a, p->b, 0)); /* there is time for a new one … */
	pair_run(p, 70000);
	assert_false(direction_works(p->a, p->b, 0)); /* … that has passed */
	pair_free(p);
	maker_free(&leaf);
}

/* Nothing is lost if there is a new one in time. */
static void a_renewed_certificate_takes_over(void **state)
{
	struct pair *p = pair_certified(&root);
	struct recipe r = { .subject = "CN=a",
			    .issuer = &root,
			    .until = MAKER_NOW + 100,
			    .ext = { "subjectAltName=DNS:node0.example" } };
	struct made leaf = maker_cert(&r), renewed;

	(void)state;
	certify_anew(p->a, &leaf, &root);
	pair_start(p, true);
	pair_run(p, 50000);
	r.until = MAKER_NOW + 1000;
	renewed = maker_cert(&r);
	certify_anew(p->a, &renewed, &root);
	assert_int_equal(ike_core_tunnel_change(p->a->core, &p->a->conf[0], false, p->w.now), 0);
	for (unsigned int i = 0; i < 300; i++) {
		pair_run(p, 1000);
		assert_true(direction_works(p->a, p->b, 0));
	}
	assert_null(strstr(p->b->log, "expired"));
	assert_in_range(node_sa(p->b)->reauth_at, p->w.now + 600000, p->w.now + 700000);
	pair_free(p);
	maker_free(&leaf);
	maker_free(&renewed);
}

static void what_is_no_certificate_is_refused(void **state)
{
	struct pair *p = pair_certified(&root);
	struct made leaf = maker_leaf("CN=a", &root, "DNS:node0.example");

	(void)state;
	/* a raw public key where a certificate is wanted */
	set_own(p->a, &leaf);
	p->a->conf[0].creds.len = 0;
	{
		struct ike_iov spki = maker_spki(&leaf);

		node_add_cert(p->a, 0, IKE_CRED_OWN_KEY, &spki);
		maker_free_der(&spki);
	}
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	nothing_installed(p);
	node_says(
		p->b,
		"peer 'node0.example' shows a raw public key, but CA= in [Peer] wants a certificate");
	pair_free(p);
	maker_free(&leaf);
}

/* Too many of them, and bytes that are none. */
static void hostile_certificates_are_refused(void **state)
{
	struct pair *p = pair_certified(&root);
	const struct ike_iov junk = { "\x30\x82\xff\xff junk", 9 };
	unsigned int i;

	(void)state;
	for (i = 0; i < 2 * PKI_MAX_CERTS; i++)
		node_add_cert(p->a, 0, IKE_CRED_OWN_CERT, &junk);
	nothing_installed(p);
	node_says(p->b, "peer 'node0.example': ");
	pair_free(p);

	p = pair_certified(&root);
	node_add_cert(p->a, 0, IKE_CRED_OWN_CERT, &junk);
	nothing_installed(p);
	node_says(p->b, "peer 'node0.example': ");
	pair_free(p);
}

/* ---- changes ------------------------------------------------------------------------------------------------ */

/* A CA that is no longer there takes its peers away; a new certificate of ours waits for the next IKE SA. */
static void authorities_change(void **state)
{
	struct pair *p = pair_certified(&root);
	struct made leaf = maker_leaf("CN=new", &root, "DNS:node0.example");
	uint8_t spi[IKE_SPI_LEN];

	(void)state;
	pair_start(p, true);
	memcpy(spi, node_sa(p->a)->spi_i, sizeof(spi));
	certify_anew(p->a, &leaf, &root);
	assert_int_equal(ike_core_tunnel_change(p->a->core, &p->a->conf[0], false, p->w.now), 0);
	pair_run(p, 1000);
	assert_memory_equal(node_sa(p->a)->spi_i, spi, sizeof(spi));
	set_own(p->a, &leaf); /* one CA more, before that which is used */
	node_add_cert(p->a, 0, IKE_CRED_CA, &other.der);
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	assert_int_equal(ike_core_tunnel_change(p->a->core, &p->a->conf[0], false, p->w.now), 0);
	pair_run(p, 1000);
	assert_memory_equal(node_sa(p->a)->spi_i, spi, sizeof(spi));
	certify_anew(p->a, &leaf, &other);
	assert_int_equal(ike_core_tunnel_change(p->a->core, &p->a->conf[0], false, p->w.now), 0);
	pair_run(p, 1000);
	node_says(p->a, "which CA= does not name");
	pair_free(p);
	maker_free(&leaf);
}

static void a_ca_that_is_none_is_no_configuration(void **state)
{
	struct pair *p = pair_certified(&root);
	struct made leaf = maker_leaf("CN=a", &root, "DNS:node0.example");

	(void)state;
	pair_start(p, true);
	certify_anew(p->a, &leaf, &leaf);
	assert_true(ike_core_tunnel_change(p->a->core, &p->a->conf[0], false, p->w.now) < 0);
	pair_free(p);
	maker_free(&leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_prove),
		cmocka_unit_test(certificates_are_sent_unasked),
		cmocka_unit_test(both_ends_ask_by_authority),
		cmocka_unit_test(clients_have_certificates),
		cmocka_unit_test(a_client_is_one_by_any_encoding),
		cmocka_unit_test(a_peer_is_found_by_any_encoding),
		cmocka_unit_test(an_unknown_ca_is_named),
		cmocka_unit_test(a_namesake_of_the_ca_is_refused),
		cmocka_unit_test(the_identity_is_the_certificates),
		cmocka_unit_test(a_certificate_without_its_key_is_refused),
		cmocka_unit_test(a_thief_costs_what_he_is_worth),
		cmocka_unit_test(honest_certificates_are_paid_back),
		cmocka_unit_test(time_counts),
		cmocka_unit_test(what_is_proven_ends_with_the_certificate),
		cmocka_unit_test(a_renewed_certificate_takes_over),
		cmocka_unit_test(what_is_no_certificate_is_refused),
		cmocka_unit_test(hostile_certificates_are_refused),
		cmocka_unit_test(authorities_change),
		cmocka_unit_test(a_ca_that_is_none_is_no_configuration),
	};

	return cmocka_run_group_tests(tests, make_authorities, free_authorities);
}
