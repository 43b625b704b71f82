// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CRLs and OCSP responses that the core has fetched while a peer waits in IKE_AUTH: for whom, how often, and what
 * comes of what is brought. Two cores against each other; a function is the network.
 */
#include "core_auth.h"
#include "cert_maker.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>

#include "ike/auth/cred.h"
#include "ike/eap/eap.h"

#define CRL_URI "http://crl.example/root.crl"
#define OCSP_URI "http://ocsp.example/"
#define POINT "crlDistributionPoints=URI:" CRL_URI
#define RESPONDER "authorityInfoAccess=OCSP;URI:" OCSP_URI

/* ---- certificates, and the network ------------------------------------------------------------------ */

static struct made root, other, signer, with_crl, with_ocsp, with_both;

static int make_certificates(void **state)
{
	(void)state;
	root = maker_ca("O=Example, CN=root", NULL);
	other = maker_ca("O=Example, CN=other", NULL);
	signer = maker_leaf("CN=b", &root, "DNS:node1.example");
	with_crl = maker_cert(
		&(struct recipe){ .subject = "CN=a",
				  .issuer = &root,
				  .ext = { "subjectAltName=DNS:node0.example", POINT } });
	with_ocsp = maker_cert(
		&(struct recipe){ .subject = "CN=a",
				  .issuer = &root,
				  .ext = { "subjectAltName=DNS:node0.example", RESPONDER } });
	with_both = maker_cert(&(struct recipe){
		.subject = "CN=a",
		.issuer = &root,
		.ext = { "subjectAltName=DNS:node0.example", POINT, RESPONDER } });
	return 0;
}

static int free_certificates(void **state)
{
	struct made *all[] = { &root, &other, &signer, &with_crl, &with_ocsp, &with_both };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		maker_free(all[i]);
	return 0;
}

/* What is at each address; of base NULL: nobody. */
static struct ike_iov at_crl, at_ocsp;

static void bring(struct node *n, struct ike_fetched *f)
{
	(void)n;
	f->data = f->request.len ? at_ocsp : at_crl;
	if (!f->data.base)
		f->fault = "connection refused";
}

static void put_crl(struct crl_recipe r)
{
	maker_free_der(&at_crl);
	at_crl = maker_crl(&r);
}

static void put_ocsp(struct ocsp_recipe r)
{
	maker_free_der(&at_ocsp);
	at_ocsp = maker_ocsp(&r);
}

static int clear_network(void **state)
{
	(void)state;
	maker_free_der(&at_crl);
	maker_free_der(&at_ocsp);
	return 0;
}

static void set_own_of(struct node *n, unsigned int tunnel, const struct made *leaf,
		       const struct made *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, pem[4096];
	long len;

	assert_int_equal(PEM_write_bio_PrivateKey(bio, key->key, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &text);
	assert_in_range(len, 1, sizeof(pem) - 1);
	memcpy(pem, text, (size_t)len);
	pem[len] = 0;
	BIO_free(bio);
	node_set_key(n, tunnel, pem, NULL);
	node_add_cert(n, tunnel, IKE_CRED_OWN_CERT, &leaf->der);
}

static void set_own(struct node *n, const struct made *leaf, const struct made *key)
{
	set_own_of(n, 0, leaf, key);
}

/* Node a has @leaf; b, the responder, asks whether it was revoked. */
static struct pair *pair_asking(const struct made *leaf)
{
	struct pair *p = pair_new();
	struct node *n = p->a, *asks = p->b;

	p->w.utc = MAKER_NOW;
	set_own(n, leaf, leaf);
	set_own(asks, &signer, &signer);
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	node_add_cert(p->b, 0, IKE_CRED_CA, &root.der);
	p->a->conf[0].revocation = PKI_REVOCATION_OFF;
	asks->conf[0].revocation = PKI_REVOCATION_IFURI;
	asks->conf[0].fetch = true;
	asks->fetch = bring;
	return p;
}

/* Nothing is recorded of it. */
static void let_pass(struct pair *p, uint64_t seconds)
{
	p->w.filter = NULL;
	pair_run(p, 1000 * seconds);
}

/* The server does not answer, and the agent has what came from there before. */
static void bring_kept(struct node *n, struct ike_fetched *f)
{
	bring(n, f);
	f->kept = f->data.base;
}

/* a begins anew, as after a loss of power. */
static void come_again(struct pair *p)
{
	node_crash(p->a);
	node_start(p->a, false);
}

static void refused(struct pair *p)
{
	pair_start(p, false);
	pair_run(p, 300);
	assert_int_equal(p->b->installs, 0);
	assert_null(node_sa(p->b));
}

/* a comes again, and is let in at once, for something new is fetched. */
static void expect_another_fetch(struct pair *p)
{
	unsigned int installs = p->b->installs, n = p->b->n_fetches;

	come_again(p);
	pair_run(p, 300);
	assert_int_equal(p->b->n_fetches, n + 1);
	assert_true(p->b->installs > installs);
	assert_null(strstr(p->b->log, "is not known"));
}

/* a comes anew while b has the former IKE SA, and is refused. */
static void come_in_vain(struct pair *p)
{
	unsigned int installs = p->b->installs;

	come_again(p);
	pair_run(p, 300);
	assert_int_equal(p->b->installs, installs);
	assert_non_null(node_sa(p->b));
}

/* ---- what lets in ------------------------------------------------------------------------------------- */

static void a_crl_is_fetched_once(void **state)
{
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root, .until = MAKER_NOW + 7 * MAKER_DAY });
	pair_start(p, true);
	assert_int_equal(p->b->n_fetches, 1);
	assert_int_equal(p->b->n_crls_used, 1);
	come_again(p);
	pair_run(p, 5000);
	assert_non_null(node_sa(p->b));
	assert_int_equal(p->b->n_fetches, 1); /* it is known yet */
	assert_int_equal(p->b->n_crls_used, 1);
	/* A day later it is fetched anew; and as that fails, it counts until the next one is due. */
	clear_network(NULL);
	let_pass(p, MAKER_DAY);
	come_again(p);
	pair_run(p, 5000);
	assert_non_null(node_sa(p->b));
	assert_int_equal(p->b->n_fetches, 2);
	pair_free(p);
}

static void the_revoked_are_refused(void **state)
{
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root, .revoked = &with_crl, .reason = 1 });
	refused(p);
	node_says(p->b, "reason keyCompromise, says the CRL of 'O=Example, CN=root'");
	assert_int_equal(p->b->n_fetches, 1);
	pair_free(p);
}

static void responders_are_asked_first(void **state)
{
	struct pair *p = pair_asking(&with_both);

	(void)state;
	put_ocsp((struct ocsp_recipe){ .issuer = &root, .cert = &with_both, .status = 0 });
	pair_start(p, true);
	assert_int_equal(p->b->n_fetches, 1);
	assert_int_equal(p->b->n_crls_used, 0); /* it is none */
	pair_free(p);

	p = pair_asking(&with_both);
	put_ocsp((struct ocsp_recipe){ .issuer = &root, .cert = &with_both, .status = 1 });
	refused(p);
	node_says(p->b, "says the OCSP responder of 'O=Example, CN=root'");
	pair_free(p);

	/* It says nothing that counts: the CRL does. */
	p = pair_asking(&with_both);
	put_ocsp((struct ocsp_recipe){
		.issuer = &root, .signer = &other, .cert = &with_both, .status = 0 });
	put_crl((struct crl_recipe){ .issuer = &root });
	pair_start(p, true);
	assert_int_equal(p->b->n_fetches, 2);
	pair_free(p);
}

/* b, which found a's certificate good. */
static struct pair *pair_trusting(void)
{
	struct pair *p = pair_asking(&with_crl);

	put_crl((struct crl_recipe){ .issuer = &root, .until = MAKER_NOW + 7 * MAKER_DAY });
	pair_start(p, true);
	return p;
}

/* b is told by a reload that a's certificate was revoked. */
static void learn_revocation(struct pair *p)
{
	struct ike_iov crl = maker_crl(
		&(struct crl_recipe){ .issuer = &root, .revoked = &with_crl, .reason = 1 });

	node_add_cert(p->b, 0, IKE_CRED_CRL, &crl);
	assert_int_equal(ike_core_tunnel_change(p->b->core, &p->b->conf[0], false, p->w.now), 0);
	maker_free_der(&crl);
}

/* Who is to prove itself anew stays for @first s more, and not for @then s after that. */
static void stays_and_goes(struct pair *p, unsigned int first, unsigned int then)
{
	let_pass(p, first);
	assert_true(p->b->n_sa > 0);
	let_pass(p, then);
	assert_int_equal(p->b->n_sa, 0);
	pair_free(p);
}

/* Not longer for a new IKE SA that a rekey makes of the old one. */
static void the_revoked_gain_nothing_by_rekeying(void **state)
{
	struct pair *p = pair_trusting();

	(void)state;
	node_rekey_ike(p->b);
	pair_run(p, 5); /* its request is under way */
	learn_revocation(p);
	pair_run(p, 100);
	assert_int_equal(node_status(p->b, 0).rekeys.ike, 1);
	node_says(p->b, "was revoked since: it has to prove itself anew");
	stays_and_goes(p, 50, 30);
}

/* Nor for a reload that plans the rekeying anew. */
static void the_revoked_gain_nothing_by_a_reload(void **state)
{
	struct pair *p = pair_trusting();

	(void)state;
	learn_revocation(p);
	let_pass(p, 30);
	p->b->conf[0].rekey_ike = 7200;
	assert_int_equal(ike_core_tunnel_change(p->b->core, &p->b->conf[0], false, p->w.now), 0);
	stays_and_goes(p, 20, 30);
}

/* Of each certificate below the anchor, one after the other. */
static void all_of_a_chain_are_asked_about(void **state)
{
	struct made middle = maker_cert(
		&(struct recipe){ .subject = "O=Example, CN=middle",
				  .issuer = &root,
				  .ext = { "basicConstraints=critical,CA:TRUE",
					   "keyUsage=critical,keyCertSign,cRLSign", POINT } });
	struct made leaf = maker_cert(
		&(struct recipe){ .subject = "CN=a",
				  .issuer = &middle,
				  .ext = { "subjectAltName=DNS:node0.example", RESPONDER } });
	struct pair *p = pair_asking(&leaf);

	(void)state;
	node_add_cert(p->a, 0, IKE_CRED_OWN_CERT, &middle.der);
	put_crl((struct crl_recipe){ .issuer = &root });
	put_ocsp((struct ocsp_recipe){ .issuer = &middle, .cert = &leaf, .status = 0 });
	pair_start(p, true);
	assert_int_equal(p->b->n_fetches, 2);
	pair_free(p);

	p = pair_asking(&leaf);
	node_add_cert(p->a, 0, IKE_CRED_OWN_CERT, &middle.der);
	put_crl((struct crl_recipe){ .issuer = &root, .revoked = &middle });
	refused(p);
	node_says(p->b, "the certificate 'O=Example, CN=middle' (serial number");
	pair_free(p);
	maker_free(&middle);
	maker_free(&leaf);
}

/* ---- what does not -------------------------------------------------------------------------------------- */

static void expect_fault(const char *words)
{
	struct pair *p = pair_asking(&with_crl);

	refused(p);
	node_says(p->b, "whether the certificate 'CN=a' was revoked is not known: " CRL_URI ": ");
	node_says(p->b, words);
	node_says(p->b, "put the CRL of 'O=Example, CN=root' from " CRL_URI " into what CRL=");
	assert_int_equal(p->b->n_fetches, 1);
	assert_int_equal(p->b->n_crls_used, 0);
	/* a tries again and again: no more often than each minute is it fetched, and the reason stays. */
	p->b->log_len = 0;
	p->b->log[0] = 0;
	pair_run(p, 50000);
	node_says(p->b, words);
	assert_int_equal(p->b->n_fetches, 1);
	pair_run(p, 120000);
	assert_in_range(p->b->n_fetches, 2, 4);
	assert_int_equal(p->b->installs, 0);
	pair_free(p);
}

static void what_cannot_be_had_is_said(void **state)
{
	static const char junk[] = "<html>Not Found</html>";

	(void)state;
	expect_fault("connection refused; Revocation = ifuri (the default, unless Fetch = no;");
	at_crl = (struct ike_iov){ memcpy(OPENSSL_malloc(sizeof(junk)), junk, sizeof(junk)),
				   sizeof(junk) };
	expect_fault("what comes from there is no CRL in DER");
	put_crl((struct crl_recipe){ .issuer = &other });
	expect_fault("what comes from there is the CRL of another CA");
	put_crl((struct crl_recipe){ .issuer = &root, .ext = "2.5.29.27=critical,DER:020101" });
	expect_fault("is a delta CRL, which is not used");
}

static void a_crl_that_is_too_old_is_said(void **state)
{
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root, .until = MAKER_NOW - 60 });
	refused(p);
	node_says(p->b, "is too old: the next one was due on 2025-12-31 23:59:00 UTC");
	pair_free(p);
}

/* Of the same name, and signed by somebody else. */
static void a_forged_crl_is_nothing(void **state)
{
	struct made twin = maker_ca("O=Example, CN=root", NULL);

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &twin });
	expect_fault("is not signed with that CA's key");
	maker_free(&twin);
}

/* Too much is fetched for 10 s, as when all clients of a hub come at once: a copy of the request comes then. */
static void who_comes_in_a_crowd_waits(void **state)
{
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root });
	p->b->busy_fetches = 7;
	pair_start(p, false);
	pair_run(p, 20000);
	assert_int_equal(p->b->busy_fetches, 0);
	assert_null(strstr(p->a->log, "AUTHENTICATION_FAILED"));
	assert_int_equal(p->b->installs, 1);
	assert_int_equal(p->b->n_fetches, 1);
	pair_free(p);
}

/* Nothing ever comes of the job. */
static void silence_ends(void **state)
{
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	p->b->holds_jobs = true;
	pair_start(p, false);
	while (p->b->n_fetches == 0) { /* the jobs that come before */
		pair_run(p, 20);
		if (p->b->n_fetches == 0)
			node_finish_job(p->b);
	}
	pair_run(p, 10500);
	assert_int_equal(p->b->installs, 0);
	node_says(p->b, CRL_URI ": fetching it takes too long");
	pair_free(p);
}

/* ---- who may not ask -------------------------------------------------------------------------------------- */

/* The first tunnel may not ask there. */
static void bring_to_others(struct node *n, struct ike_fetched *f)
{
	if (strcmp(f->tunnel, "t0") != 0) {
		bring(n, f);
		return;
	}
	f->fault = "10.0.0.9 is an address of this machine, and nothing is fetched from there";
	f->refused = true;
}

static void come_as(struct pair *p, const char *name)
{
	struct ike_id *id = &p->a->conf[0].local_id;

	id->len = (uint16_t)strlen(name);
	memcpy(id->data, name, id->len);
	come_again(p);
	pair_run(p, 300);
}

/* What one tunnel may not ask is asked for another one, at once; the first one may use what that brings. */
static void a_refusal_is_of_one_tunnel(void **state)
{
	struct made cert = maker_cert(&(struct recipe){
		.subject = "CN=a",
		.issuer = &root,
		.ext = { "subjectAltName=DNS:node0.example,DNS:other.example", POINT } });
	struct pair *p = pair_asking(&cert);
	struct ike_tunnel_conf *second = &p->b->conf[1];

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root });
	p->b->fetch = bring_to_others;
	*second = p->b->conf[0];
	second->creds = (struct ike_creds){ 0 };
	memcpy(second->name, "t1", 3);
	second->remote_id = (struct ike_id){ IKE_ID_FQDN, 13, "other.example" };
	set_own_of(p->b, 1, &signer, &signer);
	node_add_cert(p->b, 1, IKE_CRED_CA, &root.der);
	refused(p);
	node_says(p->b, CRL_URI ": 10.0.0.9 is an address of this machine");
	come_as(p, "node0.example");
	assert_int_equal(p->b->n_fetches, 1); /* its own is remembered */
	come_as(p, "other.example");
	assert_int_equal(p->b->n_fetches, 2);
	assert_int_equal(p->b->installs, 1);
	come_as(p, "node0.example");
	assert_int_equal(p->b->n_fetches, 2);
	assert_int_equal(p->b->installs, 2);
	pair_free(p);
	maker_free(&cert);
}

/* ---- for whom nothing is fetched -------------------------------------------------------------------------- */

static void expect_no_fetch(struct pair *p, const char *words)
{
	put_crl((struct crl_recipe){ .issuer = &root });
	refused(p);
	pair_run(p, 20000);
	node_says(p->b, words);
	assert_int_equal(p->b->n_fetches, 0);
	pair_free(p);
}

static void nothing_is_fetched_for_strangers(void **state)
{
	struct made self = maker_cert(
		&(struct recipe){ .subject = "CN=a",
				  .issuer = &other,
				  .ext = { "subjectAltName=DNS:node0.example", POINT } });
	struct made late = maker_cert(
		&(struct recipe){ .subject = "CN=a",
				  .issuer = &root,
				  .until = MAKER_NOW - 60,
				  .ext = { "subjectAltName=DNS:node0.example", POINT } });
	struct pair *p = pair_asking(&self);

	(void)state;
	expect_no_fetch(p, "'CN=a'");
	expect_no_fetch(pair_asking(&late), "'CN=a'");
	/* The certificate of another, which is no secret, without its key. */
	p = pair_asking(&with_crl);
	set_own(p->a, &with_crl, &signer);
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	expect_no_fetch(p, "peer 'node0.example'");
	p = pair_asking(&with_crl);
	p->b->conf[0].fetch = false;
	expect_no_fetch(p, "there is no CRL of 'O=Example, CN=root'; Revocation = ifuri");
	maker_free(&self);
	maker_free(&late);
}

static void off_is_off(void **state)
{
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	p->b->conf[0].revocation = PKI_REVOCATION_OFF;
	pair_start(p, true);
	assert_int_equal(p->b->n_fetches, 0);
	pair_free(p);
}

/* ---- the initiator, and time --------------------------------------------------------------------------------- */

static void initiators_fetch_likewise(void **state)
{
	struct made hub = maker_cert(
		&(struct recipe){ .subject = "CN=b",
				  .issuer = &root,
				  .ext = { "subjectAltName=DNS:node1.example", POINT } });
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	p->b->conf[0].revocation = PKI_REVOCATION_OFF;
	set_own(p->b, &hub, &hub);
	node_add_cert(p->b, 0, IKE_CRED_CA, &root.der);
	p->a->conf[0].revocation = PKI_REVOCATION_STRICT;
	p->a->conf[0].fetch = true;
	p->a->fetch = bring;
	put_crl((struct crl_recipe){ .issuer = &root });
	pair_start(p, true);
	assert_int_equal(p->a->n_fetches, 1);
	put_crl((struct crl_recipe){ .issuer = &root, .revoked = &hub });
	pair_free(p);

	p = pair_asking(&with_crl);
	p->b->conf[0].revocation = PKI_REVOCATION_OFF;
	set_own(p->b, &hub, &hub);
	node_add_cert(p->b, 0, IKE_CRED_CA, &root.der);
	p->a->conf[0].revocation = PKI_REVOCATION_IFURI;
	p->a->conf[0].fetch = true;
	p->a->fetch = bring;
	pair_start(p, false);
	pair_run(p, 300);
	assert_int_equal(p->a->installs, 0);
	node_says(p->a, "says the CRL of 'O=Example, CN=root'");
	pair_free(p);
	maker_free(&hub);
}

static unsigned int count_words(const char *text, const char *words)
{
	unsigned int n = 0;

	while ((text = strstr(text, words))) {
		text += strlen(words);
		n++;
	}
	return n;
}

/* What a CRL says that is fetched later counts for who is here; an older one is not taken back. */
static void later_crls_put_out(void **state)
{
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root });
	pair_start(p, true);
	let_pass(p, 2 * MAKER_DAY); /* it is too old */
	put_crl((struct crl_recipe){ .issuer = &root,
				     .revoked = &with_crl,
				     .from = MAKER_NOW + MAKER_DAY,
				     .until = MAKER_NOW + 9 * MAKER_DAY });
	come_again(p);
	pair_run(p, 5000);
	assert_int_equal(p->b->n_fetches, 2);
	node_says(p->b, "was revoked since: it has to prove itself anew");
	let_pass(p, 200); /* and the former IKE SA ends */
	node_says(p->b, "says the CRL of");
	assert_null(node_sa(p->b));
	pair_free(p);
}

/* Its former IKE SA ends, too. */
static void is_put_out(struct pair *p)
{
	come_again(p);
	pair_run(p, 5000);
	assert_int_equal(count_words(p->b->log, "was revoked since: it has to prove itself anew"),
			 1);
	let_pass(p, 200);
	node_says(p->b, "says the OCSP responder of");
	assert_null(node_sa(p->b));
}

static void later_responses_put_out(void **state)
{
	struct pair *p = pair_asking(&with_ocsp);

	(void)state;
	put_ocsp((struct ocsp_recipe){ .issuer = &root, .cert = &with_ocsp });
	pair_start(p, true);
	let_pass(p, 2 * MAKER_DAY); /* it is too old */
	put_ocsp((struct ocsp_recipe){ .issuer = &root,
				       .cert = &with_ocsp,
				       .status = 1,
				       .from = MAKER_NOW + MAKER_DAY,
				       .until = MAKER_NOW + 9 * MAKER_DAY });
	is_put_out(p);
	pair_free(p);
}

/* One that the peer itself sends says it as well, and where nothing is fetched. */
static void responses_of_the_peer_put_out(void **state)
{
	struct made plain = maker_leaf("CN=a", &root, "DNS:node0.example");
	struct pair *p = pair_asking(&plain);

	(void)state;
	p->b->conf[0].fetch = false;
	pair_start(p, true);
	put_ocsp((struct ocsp_recipe){ .issuer = &root, .cert = &plain, .status = 1 });
	node_add_cert(p->a, 0, IKE_CRED_OWN_OCSP, &at_ocsp);
	is_put_out(p);
	pair_free(p);
	maker_free(&plain);
}

/*
 * Certificates are no secret: a stranger may show that of a peer, with a response from before a hold was lifted. The latest
 * answer counts.
 */
static void former_responses_put_nobody_out(void **state)
{
	struct ocsp_recipe r = { .issuer = &root, .cert = &with_ocsp, .from = MAKER_NOW - 1000 };
	struct pair *p = pair_asking(&with_ocsp);

	(void)state;
	put_ocsp(r);
	pair_start(p, true);
	set_own(p->a, &with_ocsp, &signer);
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	r.status = 1;
	r.from = MAKER_NOW - 2000;
	put_ocsp(r);
	node_add_cert(p->a, 0, IKE_CRED_OWN_OCSP, &at_ocsp);
	come_in_vain(p);
	assert_null(strstr(p->b->log, "was revoked since"));
	set_own(p->a, &with_ocsp, &signer);
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	r.from = MAKER_NOW - 500;
	put_ocsp(r);
	node_add_cert(p->a, 0, IKE_CRED_OWN_OCSP, &at_ocsp);
	come_in_vain(p);
	node_says(p->b, "was revoked since: it has to prove itself anew");
	pair_free(p);
}

/* One that was let in by a CRL, likewise. */
static void responses_from_before_a_crl_put_nobody_out(void **state)
{
	struct ocsp_recipe r = { .issuer = &root, .cert = &with_crl, .status = 1 };
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root, .from = MAKER_NOW - 1000 });
	pair_start(p, true);
	for (unsigned int i = 0; i < 2; i++) {
		set_own(p->a, &with_crl, &signer);
		node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
		r.from = MAKER_NOW - (i ? 500 : 2000);
		put_ocsp(r);
		node_add_cert(p->a, 0, IKE_CRED_OWN_OCSP, &at_ocsp);
		come_in_vain(p);
		assert_int_equal(count_words(p->b->log, "was revoked since"), i);
	}
	pair_free(p);
}

/* It has proven itself by its certificate, and goes on as a user by EAP: it is no safer than who is connected. */
static void who_is_in_eap_is_put_out(void **state)
{
	const struct ike_iov name = { "alice", 5 };
	struct pair *p = pair_asking(&with_crl);
	struct ike_tunnel_conf *a = &p->a->conf[0], *b = &p->b->conf[0];
	struct pki_result r = { .verdict = PKI_REVOKED,
				.revoked_by_fetched = true,
				.revoked_at = INT64_MAX };

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root });
	node_add_cert(p->a, 0, IKE_CRED_EAP_NAME, &name);
	node_set_password(p->a, 0, "clue");
	node_add_user(p->b, "alice", "clue");
	a->local_auth.then_user = b->remote_auth.then_user = true;
	a->eap_methods = b->eap_methods = 1 << EAP_MSCHAPV2;
	b->first_id = b->remote_id;
	b->remote_id.type = 0;
	auth_stop_before(p, 4);
	assert_non_null(auth_half_open(p)->shown);
	r.revoked = auth_half_open(p)->shown->v[0];
	fetched_judge(p->b->core, &r);
	node_says(
		p->b,
		"that 'node0.example' proved itself by was revoked since: it has to prove itself anew");
	pair_run(p, 3000);
	assert_non_null(node_sa(p->b));
	assert_true(node_sa(p->b)->proof_until < node_sa(p->b)->established_at);
	assert_int_equal(count_words(p->b->log, "was revoked since"), 1);
	pair_free(p);
}

/* A CRL of another CA with the same name says nothing about certificates of the first one. */
static void crls_of_a_namesake_put_nobody_out(void **state)
{
	struct made twin = maker_ca("O=Example, CN=root", NULL);
	struct made leaf = maker_cert(&(struct recipe){
		.subject = "CN=a",
		.issuer = &twin,
		.ext = { "authorityKeyIdentifier=keyid", "subjectAltName=DNS:node0.example",
			 "crlDistributionPoints=URI:http://crl.example/twin.crl" } });
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	node_add_cert(p->b, 0, IKE_CRED_CA, &twin.der);
	put_crl((struct crl_recipe){ .issuer = &root });
	pair_start(p, true);
	set_own(p->a, &leaf, &leaf);
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	put_crl((struct crl_recipe){ .issuer = &twin, .revoked = &with_crl });
	come_again(p);
	pair_run(p, 5000);
	assert_int_equal(p->b->n_fetches, 2);
	assert_null(strstr(p->b->log, "is not known"));
	assert_null(strstr(p->b->log, "was revoked since"));
	pair_free(p);
	maker_free(&leaf);
	maker_free(&twin);
}

/* What is up is not disturbed, but the administrator has to hear why its peer does not come back. */
static void a_refusal_beside_an_old_sa_is_told(void **state)
{
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root });
	pair_start(p, true);
	let_pass(p, 2 * MAKER_DAY); /* it is too old, … */
	clear_network(NULL); /* … and nobody has another one */
	set_own(p->a, &with_crl, &signer); /* whose is a stranger */
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	come_in_vain(p);
	assert_int_equal(p->b->log_len, 0);
	set_own(p->a, &with_crl, &with_crl);
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	come_in_vain(p);
	assert_int_equal(count_words(p->b->log, "was revoked is not known"), 1);
	assert_int_equal(count_words(p->b->log, "stranger"), 0);
	come_in_vain(p); /* in less than a second */
	assert_int_equal(count_words(p->b->log, "was revoked is not known"), 1);
	let_pass(p, 60); /* the address is not asked more often */
	put_crl((struct crl_recipe){
		.issuer = &root, .revoked = &with_crl, .until = MAKER_NOW + 9 * MAKER_DAY });
	come_in_vain(p);
	node_says(p->b, "says the CRL of 'O=Example, CN=root'");
	pair_free(p);
}

static void no_older_crl_is_taken(void **state)
{
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	put_crl((struct crl_recipe){
		.issuer = &root, .from = MAKER_NOW - 100, .until = MAKER_NOW + 100 });
	pair_start(p, true);
	let_pass(p, 200);
	put_crl((struct crl_recipe){ .issuer = &root, .until = MAKER_NOW + 9 * MAKER_DAY });
	come_again(p);
	let_pass(p, 200); /* until the former IKE SA ends, too */
	assert_null(node_sa(p->b));
	node_says(p->b,
		  CRL_URI ": the CRL from there is of 2025-12-31 00:00:00 UTC, and the one from "
			  "before of 2025-12-31 23:58:20 UTC: it is an older one");
	pair_free(p);
}

/* ---- what the agent kept, as nothing comes now --------------------------------------------------------------- */

/* It lets in, and its server is asked again a minute later, not after a day. */
static void a_kept_crl_stands_in(void **state)
{
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root });
	p->b->fetch = bring_kept;
	pair_start(p, true);
	assert_int_equal(p->b->n_fetches, 1);
	assert_int_equal(p->b->n_crls_used, 0); /* the agent has it */
	come_again(p);
	pair_run(p, 5000);
	assert_int_equal(p->b->n_fetches, 1);
	let_pass(p, 60);
	expect_another_fetch(p);
	p->b->fetch = bring;
	let_pass(p, 60);
	expect_another_fetch(p);
	assert_int_equal(p->b->n_crls_used, 1);
	let_pass(p, 600);
	come_again(p);
	pair_run(p, 300);
	assert_int_equal(p->b->n_fetches, 3);
	pair_free(p);
}

static void expect_kept_fault(const char *words)
{
	struct pair *p = pair_asking(&with_crl);

	p->b->fetch = bring_kept;
	refused(p);
	node_says(p->b, words);
	assert_int_equal(p->b->n_crls_used, 0);
	pair_free(p);
}

/* It is judged as if it came from the network. */
static void what_is_kept_has_to_be_good(void **state)
{
	struct made twin = maker_ca("O=Example, CN=root", NULL);

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root, .until = MAKER_NOW - 60 });
	expect_kept_fault("is too old: the next one was due on 2025-12-31 23:59:00 UTC");
	put_crl((struct crl_recipe){ .issuer = &other });
	expect_kept_fault("what comes from there is the CRL of another CA");
	put_crl((struct crl_recipe){ .issuer = &twin });
	expect_kept_fault("is not signed with that CA's key");
	put_crl((struct crl_recipe){ .issuer = &root, .revoked = &with_crl, .reason = 1 });
	expect_kept_fault("reason keyCompromise, says the CRL of 'O=Example, CN=root'");
	/* That says so though it is too old. */
	put_crl((struct crl_recipe){
		.issuer = &root, .revoked = &with_crl, .reason = 1, .until = MAKER_NOW - 60 });
	expect_kept_fault("reason keyCompromise, says the CRL of 'O=Example, CN=root'");
	maker_free(&twin);
}

static void no_older_crl_that_was_kept_is_taken(void **state)
{
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	put_crl((struct crl_recipe){
		.issuer = &root, .from = MAKER_NOW - 100, .until = MAKER_NOW + 100 });
	pair_start(p, true);
	let_pass(p, 200);
	put_crl((struct crl_recipe){ .issuer = &root, .until = MAKER_NOW + 9 * MAKER_DAY });
	p->b->fetch = bring_kept;
	come_in_vain(p);
	node_says(p->b, "it is an older one");
	pair_free(p);
}

/* ---- what is held ------------------------------------------------------------------------------------------- */

/* A response that does not say when the next one is due counts for a day from when it was made. */
static void responses_without_an_end_get_old(void **state)
{
	struct pair *p = pair_asking(&with_ocsp);
	const int64_t hour = 3600;

	(void)state;
	put_ocsp((struct ocsp_recipe){
		.issuer = &root, .cert = &with_ocsp, .from = MAKER_NOW - 20 * hour, .until = -1 });
	pair_start(p, true);
	let_pass(p, 5 * hour);
	put_ocsp((struct ocsp_recipe){
		.issuer = &root, .cert = &with_ocsp, .from = MAKER_NOW + 4 * hour, .until = -1 });
	expect_another_fetch(p);
	pair_free(p);
}

/* What is held may lose its worth before the next one is due: then it is fetched at once, too. */
static void what_is_of_no_use_any_more_is_fetched(void **state)
{
	const int64_t hour = 3600;
	struct made brief = maker_cert(&(struct recipe){
		.subject = "CN=responder",
		.issuer = &root,
		.until = MAKER_NOW + hour,
		.ext = { "keyUsage=critical,digitalSignature", "extendedKeyUsage=OCSPSigning" } });
	struct ocsp_recipe r = { .issuer = &root, .signer = &brief, .cert = &with_ocsp };
	struct pair *p = pair_asking(&with_ocsp);

	(void)state;
	put_ocsp(r);
	pair_start(p, true);
	let_pass(p, 2 * hour);
	r.signer = &root;
	put_ocsp(r);
	expect_another_fetch(p);
	pair_free(p);
	maker_free(&brief);
}

/* What came when nobody waited for it any more may have become too old before somebody asks. */
static void what_came_for_nobody_gets_old(void **state)
{
	struct pair *p = pair_asking(&with_crl);

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root });
	p->b->holds_jobs = true;
	pair_start(p, false);
	while (p->b->n_fetches == 0) { /* the jobs that come before */
		pair_run(p, 20);
		if (p->b->n_fetches == 0)
			node_finish_job(p->b);
	}
	ike_core_down(p->b->core, "t0", p->w.now);
	p->b->holds_jobs = false;
	assert_true(node_finish_job(p->b));
	let_pass(p, 2 * MAKER_DAY); /* it is too old */
	put_crl((struct crl_recipe){ .issuer = &root, .until = MAKER_NOW + 9 * MAKER_DAY });
	ike_core_up(p->b->core, "t0", p->w.now);
	expect_another_fetch(p);
	pair_free(p);
}

/* What is fetched about @leaf comes when b waits for nothing any more: nobody looks at it. */
static void leave_unverified(struct pair *p, const struct made *leaf)
{
	unsigned int n = p->b->n_fetches;

	set_own(p->a, leaf, leaf);
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	p->b->holds_jobs = true;
	come_again(p);
	while (p->b->n_fetches == n) { /* the jobs that come before */
		pair_run(p, 20);
		if (p->b->n_fetches == n)
			node_finish_job(p->b);
	}
	ike_core_down(p->b->core, "t0", p->w.now);
	p->b->holds_jobs = false;
	assert_true(node_finish_job(p->b));
	let_pass(p, 1);
	ike_core_up(p->b->core, "t0", p->w.now);
}

/* 24 times the largest thing there may be: more than all room. */
static void what_is_not_verified_puts_nothing_out(void **state)
{
	struct pair *p = pair_asking(&with_crl);
	char point[64];
	struct made leaf;
	unsigned int n;

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root });
	pair_start(p, true);
	p->w.filter = NULL;
	maker_free_der(&at_crl);
	at_crl = (struct ike_iov){ OPENSSL_zalloc(IKE_MAX_FETCHED), IKE_MAX_FETCHED };
	for (unsigned int i = 0; i < 24; i++) {
		snprintf(point, sizeof(point), "crlDistributionPoints=URI:http://crl.example/%u",
			 i);
		leaf = maker_cert(
			&(struct recipe){ .subject = "CN=a",
					  .issuer = &root,
					  .ext = { "subjectAltName=DNS:node0.example", point } });
		leave_unverified(p, &leaf);
		maker_free(&leaf);
	}
	set_own(p->a, &with_crl, &with_crl);
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	clear_network(NULL);
	n = p->b->n_fetches;
	assert_int_equal(n, 1 + 24);
	come_again(p);
	pair_run(p, 1000);
	assert_non_null(node_sa(p->b));
	assert_int_equal(p->b->n_fetches, n); /* the first one is held yet */
	pair_free(p);
}

/* Each fetch at b takes 5 s. */
static void run_slowly(struct pair *p, uint64_t ms)
{
	unsigned int seen = p->b->n_fetches;
	uint64_t until = p->w.now + ms;

	p->b->holds_jobs = true;
	while (p->w.now < until) {
		pair_run(p, 20);
		if (p->b->n_fetches > seen)
			pair_run(p, 5000);
		seen = p->b->n_fetches;
		node_finish_job(p->b);
	}
	p->b->holds_jobs = false;
}

/* Servers that are slow to fail take the time for others, but not what is held and counts. */
static void what_counts_is_used_when_time_is_over(void **state)
{
	struct made leaf = maker_cert(&(struct recipe){
		.subject = "CN=a",
		.issuer = &root,
		.ext = {
			"subjectAltName=DNS:node0.example", POINT,
			"authorityInfoAccess=OCSP;URI:http://a.example/,OCSP;URI:http://b.example/" } });
	struct pair *p = pair_asking(&leaf);
	unsigned int installs;

	(void)state;
	put_crl((struct crl_recipe){ .issuer = &root, .until = MAKER_NOW + 9 * MAKER_DAY });
	pair_start(p, true);
	assert_int_equal(p->b->n_fetches, 3);
	let_pass(p, MAKER_DAY);
	clear_network(NULL);
	installs = p->b->installs;
	come_again(p);
	run_slowly(p, 12000);
	assert_null(strstr(p->b->log, "is not known"));
	assert_null(strstr(p->a->log, "AUTHENTICATION_FAILED"));
	assert_int_equal(p->b->n_fetches, 3 + 2);
	assert_true(p->b->installs > installs);
	pair_free(p);
	maker_free(&leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_kept_crl_stands_in, clear_network),
		cmocka_unit_test_teardown(what_is_kept_has_to_be_good, clear_network),
		cmocka_unit_test_teardown(no_older_crl_that_was_kept_is_taken, clear_network),
		cmocka_unit_test_teardown(responses_without_an_end_get_old, clear_network),
		cmocka_unit_test_teardown(what_is_of_no_use_any_more_is_fetched, clear_network),
		cmocka_unit_test_teardown(what_came_for_nobody_gets_old, clear_network),
		cmocka_unit_test_teardown(what_is_not_verified_puts_nothing_out, clear_network),
		cmocka_unit_test_teardown(what_counts_is_used_when_time_is_over, clear_network),
		cmocka_unit_test_teardown(a_crl_is_fetched_once, clear_network),
		cmocka_unit_test_teardown(the_revoked_are_refused, clear_network),
		cmocka_unit_test_teardown(the_revoked_gain_nothing_by_rekeying, clear_network),
		cmocka_unit_test_teardown(the_revoked_gain_nothing_by_a_reload, clear_network),
		cmocka_unit_test_teardown(responders_are_asked_first, clear_network),
		cmocka_unit_test_teardown(all_of_a_chain_are_asked_about, clear_network),
		cmocka_unit_test_teardown(what_cannot_be_had_is_said, clear_network),
		cmocka_unit_test_teardown(a_crl_that_is_too_old_is_said, clear_network),
		cmocka_unit_test_teardown(a_forged_crl_is_nothing, clear_network),
		cmocka_unit_test_teardown(who_comes_in_a_crowd_waits, clear_network),
		cmocka_unit_test_teardown(silence_ends, clear_network),
		cmocka_unit_test_teardown(a_refusal_is_of_one_tunnel, clear_network),
		cmocka_unit_test_teardown(nothing_is_fetched_for_strangers, clear_network),
		cmocka_unit_test_teardown(off_is_off, clear_network),
		cmocka_unit_test_teardown(initiators_fetch_likewise, clear_network),
		cmocka_unit_test_teardown(later_crls_put_out, clear_network),
		cmocka_unit_test_teardown(later_responses_put_out, clear_network),
		cmocka_unit_test_teardown(responses_of_the_peer_put_out, clear_network),
		cmocka_unit_test_teardown(former_responses_put_nobody_out, clear_network),
		cmocka_unit_test_teardown(responses_from_before_a_crl_put_nobody_out,
					  clear_network),
		cmocka_unit_test_teardown(who_is_in_eap_is_put_out, clear_network),
		cmocka_unit_test_teardown(a_refusal_beside_an_old_sa_is_told, clear_network),
		cmocka_unit_test_teardown(no_older_crl_is_taken, clear_network),
		cmocka_unit_test_teardown(crls_of_a_namesake_put_nobody_out, clear_network),
	};

	return cmocka_run_group_tests(tests, make_certificates, free_certificates);
}
