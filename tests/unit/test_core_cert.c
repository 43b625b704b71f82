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
#include "ike/pki/trust_share.h"

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

static void put_pem(const struct made *leaf, char pem[4096])
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	assert_int_equal(PEM_write_bio_PrivateKey(bio, leaf->key, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &text);
	assert_in_range(len, 1, 4095);
	memcpy(pem, text, (size_t)len);
	pem[len] = 0;
	BIO_free(bio);
}

static void set_own_of(struct node *n, unsigned int link, const struct made *leaf)
{
	char pem[4096];

	put_pem(leaf, pem);
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
	assert_int_equal(pki_trusts_held(),
			 1); /* of tunnels that trust the same, here of two cores */
	pair_free(p);
	assert_int_equal(pki_trusts_held(), 0);
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
	p->a->conf[0].revocation = p->b->conf[0].revocation = PKI_REVOCATION_OFF;
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

/*
 * RFC 7296 3.7: who asks for other things does not get the raw public key that it has anyway. OpenIKED 7.2 takes an
 * encoding that it does not know for a failure.
 */
static void a_raw_key_is_not_for_who_asks_for_certificates(void **state)
{
	struct made a = maker_leaf("CN=a", &root, "DNS:node0.example");
	struct made b = maker_leaf("CN=b", &root, "DNS:node1.example");
	struct pair *p = pair_new();
	struct ike_payloads in;
	char key[2][4096];

	(void)state;
	put_pem(&a, key[0]);
	put_pem(&b, key[1]);
	world_sign(&p->w, 0, key[0], key[1]);
	/* Another tunnel of the responder's, which has a CA. */
	world_link(&p->w, p->a, p->b, false);
	node_add_cert(p->b, 1, IKE_CRED_CA, &root.der);
	p->w.utc = MAKER_NOW;
	pair_start(p, true);
	in = sent_open(pair_sent(p, p->a, IKE_AUTH, false, 0), node_sa(p->b));
	assert_null(ike_payload_find(&in, IKE_PL_CERT));
	pair_free(p);
	maker_free(&a);
	maker_free(&b);
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
	p->a->conf[0].remote_auth.method = IKE_METHOD_SIGNATURE;
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
	assert_int_equal(node_status(p->b, 0).fault, IKE_FAULT_CLOCK);
	pair_free(p);
	p = pair_certified(&root);
	p->w.utc = MAKER_NOW - 2 * 365 * MAKER_DAY;
	nothing_installed(p);
	node_says(p->b, "is valid from ");
	assert_int_equal(node_status(p->b, 0).fault, IKE_FAULT_CLOCK);
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

/* As if it had none: its CERTREQ payloads become ones that mean nothing. */
static void hide_requests(struct sent *s)
{
	uint8_t *next = &s->data[16]; /* the Next Payload field of the IKE header */

	for (size_t at = IKE_HDR_LEN; *next;
	     at += (size_t)(s->data[at + 2] << 8 | s->data[at + 3])) {
		assert_in_range(at, IKE_HDR_LEN, s->len - 4);
		if (*next == IKE_PL_CERTREQ)
			*next = IKE_PL_VENDOR;
		next = &s->data[at];
	}
}

static void what_is_no_certificate_is_refused(void **state)
{
	struct sent response;
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
	/* Of ours only who was not asked for a certificate shows it. */
	p->drop_from = 1 << p->b->index;
	p->drop_exchange = IKE_SA_INIT;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 30);
	response = *pair_sent(p, p->b, IKE_SA_INIT, true, 0);
	hide_requests(&response);
	pair_replay(p, &response);
	pair_run(p, 300);
	assert_int_equal(p->a->n_sa + p->b->n_sa, 0);
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

/* ---- revocation --------------------------------------------------------------------------------------------- */

/* The end has a CRL of the root that revokes @revoked (NULL: nobody; it is older then), and asks as @level says. */
static void set_crl(struct node *n, const struct made *revoked, int64_t until,
		    enum pki_revocation level)
{
	struct ike_iov crl =
		maker_crl(&(struct crl_recipe){ .issuer = &root,
						.revoked = revoked,
						.reason = 1,
						.from = revoked ? 0 : MAKER_NOW - 2 * MAKER_DAY,
						.until = until });

	node_add_cert(n, 0, IKE_CRED_CRL, &crl);
	n->conf[0].revocation = level;
	maker_free_der(&crl);
}

static struct made leaf_with_point(void)
{
	return maker_cert(&(struct recipe){
		.subject = "CN=a",
		.issuer = &root,
		.ext = { "subjectAltName=DNS:node0.example",
			 "crlDistributionPoints=URI:http://crl.example/root.crl" } });
}

static void a_revoked_certificate_is_refused(void **state)
{
	struct pair *p = pair_certified(&root);
	struct made leaf = maker_leaf("CN=a", &root, "DNS:node0.example");

	(void)state;
	certify_anew(p->a, &leaf, &root);
	set_crl(p->b, &leaf, 0, PKI_REVOCATION_IFURI);
	nothing_installed(p);
	node_says(p->b, "peer 'node0.example': the certificate 'CN=a' (serial number ");
	node_says(
		p->b,
		") was revoked on 2025-12-30 00:00:00 UTC, reason keyCompromise, says the CRL of 'O=Example, CN=root'");
	node_says(p->a, "AUTHENTICATION_FAILED");
	pair_free(p);

	p = pair_certified(&root); /* off is off */
	certify_anew(p->a, &leaf, &root);
	set_crl(p->b, &leaf, 0, PKI_REVOCATION_OFF);
	pair_start(p, true);
	pair_free(p);

	p = pair_certified(&root); /* another one was revoked */
	certify_anew(p->a, &leaf, &root);
	set_crl(p->b, &root, 0, PKI_REVOCATION_STRICT);
	pair_start(p, true);
	pair_free(p);
	maker_free(&leaf);
}

/* Without a CRL of now nobody is let in whose certificate says that there is one, nor with strict anybody. */
static void what_is_not_known_is_refused(void **state)
{
	struct pair *p = pair_certified(&root);
	struct made leaf = leaf_with_point();

	(void)state;
	certify_anew(p->a, &leaf, &root);
	set_crl(p->b, NULL, MAKER_NOW - 60, PKI_REVOCATION_IFURI);
	nothing_installed(p);
	node_says(p->b, "whether the certificate 'CN=a' was revoked is not known: ");
	node_says(
		p->b,
		"is too old: the next one was due on 2025-12-31 23:59:00 UTC, and this machine's clock says 2026-01-01 00:00:");
	node_says(
		p->b,
		"put the CRL of 'O=Example, CN=root' from http://crl.example/root.crl into what CRL= in [Peer] names");
	pair_free(p);

	p = pair_certified(&root);
	certify_anew(p->a, &leaf, &root);
	p->b->conf[0].revocation = PKI_REVOCATION_IFURI;
	nothing_installed(p);
	node_says(p->b, "there is no CRL of 'O=Example, CN=root'; Revocation = ifuri wants");
	pair_free(p);

	p = pair_certified(&root); /* a certificate that names none */
	p->b->conf[0].revocation = PKI_REVOCATION_IFURI;
	pair_start(p, true);
	pair_free(p);

	p = pair_certified(&root);
	p->b->conf[0].revocation = PKI_REVOCATION_STRICT;
	nothing_installed(p);
	node_says(p->b, "Revocation = strict wants");
	pair_free(p);
	maker_free(&leaf);
}

/* What one tunnel was content with is not what another one with the same CAs and CRLs is. */
static void each_tunnel_asks_as_it_says(void **state)
{
	struct pair *p = pair_certified(&root);
	struct ike_tunnel_conf lax;
	struct made leaf = leaf_with_point();

	(void)state;
	certify_anew(p->a, &leaf, &root);
	p->b->conf[0].revocation = PKI_REVOCATION_OFF;
	lax = p->b->conf[0];
	snprintf(lax.name, sizeof(lax.name), "lax");
	snprintf((char *)lax.remote_id.data, sizeof(lax.remote_id.data), "*.example");
	lax.remote_id.len = 9; /* fits worse, so that it is judged last */
	p->b->conf[0].revocation = PKI_REVOCATION_IFURI;
	node_start(p->b, false);
	assert_int_equal(ike_core_tunnel_add(p->b->core, &lax), 0);
	ike_core_start(p->b->core, lax.name, p->w.now);
	node_start(p->a, false);
	pair_run(p, 300);
	/* It was taken by the tunnel that does not ask, for which the world has no key of ours. */
	assert_null(node_sa(p->b));
	node_says(p->b, "could not prove to the peer who we are");
	pair_free(p);
	maker_free(&leaf);
}

/* The initiator's message with an OCSP response that it was asked for, or none; it has a certificate @leaf. */
static struct pair *pair_stapled(const struct made *leaf, const struct ocsp_recipe *r,
				 enum pki_revocation level)
{
	struct pair *p = pair_certified(&root);
	struct ike_iov response = maker_ocsp(r);

	certify_anew(p->a, leaf, &root);
	node_add_cert(p->a, 0, IKE_CRED_OWN_OCSP, &response);
	p->a->conf[0].revocation = PKI_REVOCATION_OFF;
	p->b->conf[0].revocation = level;
	maker_free_der(&response);
	return p;
}

/* Encodings of the CERT payloads, or CERTREQ, of a message. */
static unsigned int count_encoding(const struct ike_payloads *in, uint8_t payload, uint8_t encoding)
{
	struct ike_cert cert;
	unsigned int i, n = 0;

	for (i = 0; i < in->n; i++) {
		if (in->p[i].type == payload && !ike_cert_parse(&in->p[i], &cert))
			n += cert.encoding == encoding;
	}
	return n;
}

static unsigned int asked_for_status(const struct pair *p)
{
	const struct sent *init = pair_sent(p, p->b, IKE_SA_INIT, true, 0);
	struct ike_payloads in;
	uint8_t offender;

	assert_int_equal(ike_payloads_parse(init->h.next, init->data + IKE_HDR_LEN,
					    init->len - IKE_HDR_LEN, &in, &offender),
			 0);
	return count_encoding(&in, IKE_PL_CERTREQ, IKE_CERT_OCSP);
}

/* RFC 4806: asked for where revocation matters, and sent then only. */
static void a_response_comes_with_the_certificate(void **state)
{
	struct made leaf = leaf_with_point();
	const struct ocsp_recipe good = { .issuer = &root, .cert = &leaf };
	struct pair *p = pair_stapled(&leaf, &good, PKI_REVOCATION_STRICT);
	struct ike_payloads in;

	(void)state;
	pair_start(p, true);
	assert_int_equal(asked_for_status(p), 1);
	pair_free(p);

	p = pair_stapled(&leaf, &good, PKI_REVOCATION_OFF);
	pair_start(p, true);
	assert_int_equal(asked_for_status(p), 0);
	in = sent_open(pair_sent(p, p->a, IKE_AUTH, false, 0), node_sa(p->b));
	assert_int_equal(count_encoding(&in, IKE_PL_CERT, IKE_CERT_OCSP), 0);
	assert_int_equal(count_encoding(&in, IKE_PL_CERTREQ, IKE_CERT_OCSP), 0);
	pair_free(p);
	maker_free(&leaf);
}

/* OpenIKED looks for a certificate of another CA than those that it was asked for, at the last request alone. */
static void status_is_asked_for_before_certificates(void **state)
{
	struct pair *p = pair_certified(&root);
	const struct sent *init;
	struct ike_payloads in[2];
	struct ike_cert request;
	uint8_t offender;

	(void)state;
	p->a->conf[0].revocation = p->b->conf[0].revocation = PKI_REVOCATION_IFURI;
	pair_start(p, true);
	init = pair_sent(p, p->b, IKE_SA_INIT, true, 0);
	assert_int_equal(ike_payloads_parse(init->h.next, init->data + IKE_HDR_LEN,
					    init->len - IKE_HDR_LEN, &in[0], &offender),
			 0);
	in[1] = sent_open(pair_sent(p, p->a, IKE_AUTH, false, 0), node_sa(p->b));
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(count_encoding(&in[i], IKE_PL_CERTREQ, IKE_CERT_OCSP), 1);
		assert_int_equal(ike_cert_parse(ike_payload_find(&in[i], IKE_PL_CERTREQ), &request),
				 0);
		assert_int_equal(request.encoding, IKE_CERT_OCSP);
	}
	pair_free(p);
}

/* And of the responder, which the initiator asks in IKE_AUTH. */
static void the_responder_has_one_too(void **state)
{
	struct made leaf = maker_leaf("CN=b", &root, "DNS:node1.example");
	struct ike_iov response =
		maker_ocsp(&(struct ocsp_recipe){ .issuer = &root, .cert = &leaf });
	struct pair *p = pair_certified(&root);

	(void)state;
	certify_anew(p->b, &leaf, &root);
	node_add_cert(p->b, 0, IKE_CRED_OWN_OCSP, &response);
	p->b->conf[0].revocation = PKI_REVOCATION_OFF;
	p->a->conf[0].revocation = PKI_REVOCATION_STRICT;
	pair_start(p, true);
	pair_free(p);
	maker_free_der(&response);
	maker_free(&leaf);
}

static void responses_that_do_not_help(void **state)
{
	struct made leaf = leaf_with_point();
	struct made twin = maker_leaf("CN=a2", &root, "DNS:node0.example");
	const struct {
		struct ocsp_recipe r;
		const char *said;
	} rows[] = {
		{ { .issuer = &root, .cert = &leaf, .status = 1 /* revoked */ },
		  ") was revoked on 2025-12-30 00:00:00 UTC, reason keyCompromise, says the OCSP responder of" },
		{ { .issuer = &root, .cert = &leaf, .until = MAKER_NOW - 3600 },
		  "the OCSP response is for 2025-12-31 00:00:00 UTC to 2025-12-31 23:00:00 UTC, and this machine's clock says 2026-01-01 00:00:" },
		{ { .issuer = &root, .cert = &twin }, "there is no CRL of" },
		{ { .issuer = &root, .cert = &leaf, .signer = &other },
		  "is signed with a key that may not answer for the CA" },
		{ { .issuer = &root, .cert = &leaf, .signer = &leaf },
		  "is signed with a key that may not answer for the CA" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair *p = pair_stapled(&leaf, &rows[i].r, PKI_REVOCATION_IFURI);

		nothing_installed(p);
		node_says(p->b, rows[i].said);
		pair_free(p);
	}
	maker_free(&leaf);
	maker_free(&twin);
}

/* What was found out about certificates without a response is not taken for what they are worth with one. */
static void a_response_is_judged_anew(void **state)
{
	struct made leaf = leaf_with_point();
	const struct ocsp_recipe stale = { .issuer = &root,
					   .cert = &leaf,
					   .until = MAKER_NOW - 3600 };
	struct pair *p = pair_stapled(&leaf, &stale, PKI_REVOCATION_IFURI);
	struct ike_iov response =
		maker_ocsp(&(struct ocsp_recipe){ .issuer = &root, .cert = &leaf });

	(void)state;
	nothing_installed(p);
	certify_anew(p->a, &leaf, &root);
	node_add_cert(p->a, 0, IKE_CRED_OWN_OCSP, &response);
	assert_int_equal(ike_core_tunnel_change(p->a->core, &p->a->conf[0], false, p->w.now), 0);
	pair_run(p, 5000);
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
	maker_free_der(&response);
	maker_free(&leaf);
}

/* Bytes that are none say nothing, and harm nothing. */
static void hostile_responses_are_ignored(void **state)
{
	struct made leaf = maker_leaf("CN=a", &root, "DNS:node0.example");
	const struct ike_iov junk = { "\x30\x82\xff\xff junk", 9 };
	struct pair *p = pair_certified(&root);

	(void)state;
	certify_anew(p->a, &leaf, &root);
	node_add_cert(p->a, 0, IKE_CRED_OWN_OCSP, &junk);
	p->b->conf[0].revocation = PKI_REVOCATION_IFURI;
	pair_start(p, true);
	pair_free(p);
	maker_free(&leaf);
}

/* Of a revoked peer it is told that it was revoked, not that it should be another tunnel's, which has no CRL. */
static void the_tunnel_that_was_meant_says_why(void **state)
{
	struct pair *p = pair_certified(&root);
	struct made leaf = maker_leaf("CN=a", &root, "DNS:node0.example");
	struct ike_tunnel_conf lax;

	(void)state;
	certify_anew(p->a, &leaf, &root);
	lax = p->b->conf[0];
	snprintf(lax.name, sizeof(lax.name), "lax");
	memcpy(lax.remote_id.data, "nodeX.example", lax.remote_id.len);
	lax.revocation = PKI_REVOCATION_OFF;
	set_crl(p->b, &leaf, 0, PKI_REVOCATION_IFURI);
	node_start(p->b, false);
	assert_int_equal(ike_core_tunnel_add(p->b->core, &lax), 0);
	ike_core_start(p->b->core, lax.name, p->w.now);
	node_start(p->a, false);
	pair_run(p, 300);
	assert_null(node_sa(p->b));
	node_says(p->b, "reason keyCompromise");
	pair_free(p);
	/* Of one that no tunnel is for it is told whom the nearest one expects. */
	p = pair_certified(&root);
	memcpy(p->b->conf[0].remote_id.data, "nodeX.example", p->b->conf[0].remote_id.len);
	nothing_installed(p);
	node_says(p->b, "RemoteID= expects 'nodeX.example'");
	pair_free(p);
	maker_free(&leaf);
}

/* A CRL that comes later ends nothing if it has nothing to say; to ask for more is another matter. */
static void crls_change(void **state)
{
	struct pair *p = pair_certified(&root);
	uint8_t spi[IKE_SPI_LEN];

	(void)state;
	set_crl(p->a, NULL, 0, PKI_REVOCATION_IFURI);
	pair_start(p, true);
	memcpy(spi, node_sa(p->a)->spi_i, sizeof(spi));
	set_crl(p->a, &middle, 0, PKI_REVOCATION_IFURI);
	assert_int_equal(ike_core_tunnel_change(p->a->core, &p->a->conf[0], false, p->w.now), 0);
	pair_run(p, 1000);
	assert_memory_equal(node_sa(p->a)->spi_i, spi, sizeof(spi));
	p->a->conf[0].revocation = PKI_REVOCATION_STRICT;
	assert_int_equal(ike_core_tunnel_change(p->a->core, &p->a->conf[0], false, p->w.now), 0);
	pair_run(p, 1000);
	assert_memory_not_equal(node_sa(p->a)->spi_i, spi, sizeof(spi));
	pair_free(p);
}

/* Who is revoked while connected, after rekeyings, too, and be it by a CA between, is out within minutes. */
static void the_revoked_are_put_out(void **state)
{
	const struct made *const revoked[] = { NULL, &middle };
	struct made leaf = maker_leaf("CN=a", &middle, "DNS:node0.example");

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct pair *p = pair_certified(&middle);

		certify_anew(p->a, &leaf, &root);
		node_add_cert(p->a, 0, IKE_CRED_OWN_CERT, &middle.der);
		p->b->conf[0].revocation = PKI_REVOCATION_IFURI;
		pair_start(p, true);
		node_rekey_ike(p->a);
		pair_run(p, 10000);
		assert_non_null(node_sa(p->b)->shown);
		if (revoked[i]) {
			set_crl(p->b, revoked[i], 0, PKI_REVOCATION_IFURI);
		} else {
			struct ike_iov crl = maker_crl(
				&(struct crl_recipe){ .issuer = &middle, .revoked = &leaf });

			node_add_cert(p->b, 0, IKE_CRED_CRL, &crl);
			maker_free_der(&crl);
		}
		assert_int_equal(
			ike_core_tunnel_change(p->b->core, &p->b->conf[0], false, p->w.now), 0);
		pair_run(p, 5000);
		assert_true(direction_works(p->a, p->b, 0)); /* it has a minute … */
		pair_run(p, 120000);
		assert_false(direction_works(p->a, p->b, 0)); /* … that did not help */
		assert_null(node_sa(p->b));
		pair_free(p);
	}
	maker_free(&leaf);
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
		cmocka_unit_test(a_raw_key_is_not_for_who_asks_for_certificates),
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
		cmocka_unit_test(a_revoked_certificate_is_refused),
		cmocka_unit_test(what_is_not_known_is_refused),
		cmocka_unit_test(each_tunnel_asks_as_it_says),
		cmocka_unit_test(a_response_comes_with_the_certificate),
		cmocka_unit_test(status_is_asked_for_before_certificates),
		cmocka_unit_test(the_responder_has_one_too),
		cmocka_unit_test(responses_that_do_not_help),
		cmocka_unit_test(a_response_is_judged_anew),
		cmocka_unit_test(hostile_responses_are_ignored),
		cmocka_unit_test(the_tunnel_that_was_meant_says_why),
		cmocka_unit_test(crls_change),
		cmocka_unit_test(the_revoked_are_put_out),
		cmocka_unit_test(authorities_change),
		cmocka_unit_test(a_ca_that_is_none_is_no_configuration),
	};

	return cmocka_run_group_tests(tests, make_authorities, free_authorities);
}
