// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EAP-TLS in IKE_AUTH, two cores against each other: a is a user with a certificate, b the server. What the certificates within TLS
 * are worth, with each refusal's sentence. What packets say test_eap_tls.c has.
 */
#include "cert_maker.h"
#include "core_auth.h"

#include <openssl/pem.h>

#include "ike/auth/cred.h"
#include "ike/auth/job_tls.h"
#include "ike/eap/eap.h"

enum { TLS = 1 << EAP_TLS, MSCHAPV2 = 1 << EAP_MSCHAPV2, SETTLED_MS = 600 };

static struct made root, middle, other, server_cert, alice;

static int make_certs(void **state)
{
	(void)state;
	root = maker_ca("O=Example, CN=root", NULL);
	middle = maker_ca("O=Example, CN=middle", &root);
	other = maker_ca("O=Example, CN=other", NULL);
	server_cert = maker_leaf("CN=b", &root, "DNS:node1.example");
	alice = maker_leaf("O=Example, CN=Alice", &root, "email:alice@example.org");
	return 0;
}

static int free_certs(void **state)
{
	(void)state;
	maker_free(&root);
	maker_free(&middle);
	maker_free(&other);
	maker_free(&server_cert);
	maker_free(&alice);
	return 0;
}

static void set_own(struct node *n, const struct made *leaf)
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
	node_set_key(n, 0, pem, NULL);
	node_add_cert(n, 0, IKE_CRED_OWN_CERT, &leaf->der);
}

/* a says by EAP that it is @name (NULL: nothing but a realm), and has @cert; each end trusts the root. */
static struct pair *pair_tls(const char *name, const struct made *cert)
{
	const struct ike_iov eap_name = { name ? name : "@example.org",
					  strlen(name ? name : "@example.org") };
	struct pair *p = pair_new();
	struct ike_tunnel_conf *a, *b;

	p->w.utc = MAKER_NOW;
	set_own(p->a, cert);
	set_own(p->b, &server_cert);
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	node_add_cert(p->b, 0, IKE_CRED_CA, &root.der);
	node_add_cert(p->a, 0, IKE_CRED_EAP_NAME, &eap_name);
	a = &p->a->conf[0];
	b = &p->b->conf[0];
	a->local_auth.method = b->remote_auth.method = IKE_METHOD_EAP;
	a->eap_methods = b->eap_methods = TLS;
	b->remote_id.type = 0;
	return p;
}

static struct pair *pair_alice(void)
{
	return pair_tls("alice@example.org", &alice);
}

static void run(struct pair *p)
{
	pair_start(p, false);
	pair_run(p, SETTLED_MS);
}

static void is_known_as(struct pair *p, const char *text)
{
	char id[IKE_MAX_ID + 16];

	run(p);
	pair_is_up(p);
	assert_string_equal(ike_id_print(id, sizeof(id), &node_sa(p->b)->remote_id), text);
	pair_free(p);
}

static void refused(struct pair *p, const char *b_says, const char *a_says)
{
	run(p);
	assert_int_equal(p->a->installs, 0);
	assert_int_equal(p->b->installs, 0);
	if (b_says)
		node_says(p->b, b_says);
	if (a_says)
		node_says(p->a, a_says);
	pair_free(p);
}

/* ---- what works ------------------------------------------------------------------------------------ */

static void a_user_proves_itself_by_its_certificate(void **state)
{
	(void)state;
	is_known_as(pair_alice(), "alice@example.org");
}

/* A name is one of the certificate's: also its DN, or its CN where it has no host name. */
static void names_are_of_the_certificate(void **state)
{
	struct made cn = maker_cert(&(struct recipe){ .subject = "CN=carol", .issuer = &root });
	struct made zero = maker_cert(&(struct recipe){ .subject = "CN=0carol", .issuer = &root });

	(void)state;
	is_known_as(pair_tls(NULL, &alice), "alice@example.org");
	is_known_as(pair_tls("O=Example, CN=Alice", &alice), "O=Example, CN=Alice");
	is_known_as(pair_tls("carol", &cn), "carol");
	is_known_as(pair_tls("0carol", &zero), "0carol");
	is_known_as(pair_tls("0\x10"
			     "1\x0e"
			     "0\x0c\x06\x03U\x04\x03\x0c\x05"
			     "carol",
			     &cn),
		    "CN=carol");
	is_known_as(pair_tls(NULL, &cn), "CN=carol");
	maker_free(&cn);
	maker_free(&zero);
}

static void chains_and_long_certificates_pass(void **state)
{
	char comment[7000];
	struct made cert;
	struct pair *p;

	(void)state;
	snprintf(comment, sizeof(comment), "nsComment=%02600d", 7);
	cert = maker_cert(
		&(struct recipe){ .subject = "CN=carol", .issuer = &middle, .ext = { comment } });
	p = pair_tls("carol", &cert);
	node_add_cert(p->a, 0, IKE_CRED_OWN_CERT, &middle.der);
	is_known_as(p, "carol");
	maker_free(&cert);
	/* More than half of all that certificates may have: seven parts. */
	snprintf(comment, sizeof(comment), "nsComment=%06600d", 7);
	cert = maker_cert(
		&(struct recipe){ .subject = "CN=carol", .issuer = &root, .ext = { comment } });
	is_known_as(pair_tls("carol", &cert), "carol");
	maker_free(&cert);
}

static void lost_and_repeated_messages_do_no_harm(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 6; seed++)
		pair_survives(pair_alice(), seed, 15);
}

/* Who has no certificate, or not that method, takes another one. */
static void other_methods_are_there_still(void **state)
{
	struct pair *p = pair_alice();

	(void)state;
	p->b->conf[0].eap_methods = TLS | MSCHAPV2;
	p->a->conf[0].eap_methods = MSCHAPV2;
	node_add_user(p->b, "alice@example.org", "clue");
	node_set_password(p->a, 0, "clue");
	is_known_as(p, "alice@example.org");
}

/* A machine's certificate in the first round, a user's in the second one (RFC 4739); either ends what is proven. */
static void the_second_round_of_two(void **state)
{
	struct made both = maker_leaf("CN=a", &root, "DNS:node0.example,email:alice@example.org");
	struct pair *p = pair_tls("alice@example.org", &both);
	struct ike_tunnel_conf *a = &p->a->conf[0], *b = &p->b->conf[0];

	(void)state;
	a->local_auth = (struct ike_auth_conf){ IKE_METHOD_SIGNATURE, .then_user = true };
	b->remote_auth = a->local_auth;
	b->first_id = a->local_id;
	run(p);
	pair_is_up(p);
	assert_int_equal(node_sa(p->b)->shown->n, 2);
	assert_int_equal(node_sa(p->b)->remote_id.type, IKE_ID_RFC822);
	pair_free(p);
	maker_free(&both);
}

/* With either end, be the IKE SA up or not: places for connections are few. */
static void nothing_is_left_with_keys_processes(void **state)
{
	struct pair *p = pair_alice();

	(void)state;
	run(p);
	pair_is_up(p);
	assert_int_equal(job_tls_count(p->a->tls), 0);
	assert_int_equal(job_tls_count(p->b->tls), 0);
	pair_free(p);

	p = pair_tls("mallory@example.org", &alice);
	run(p);
	assert_int_equal(p->b->installs, 0);
	assert_int_equal(job_tls_count(p->a->tls), 0);
	assert_int_equal(job_tls_count(p->b->tls), 0);
	pair_free(p);

	/* A peer that says nothing more. */
	p = pair_alice();
	p->b->holds_jobs = true;
	pair_start(p, false);
	for (unsigned int i = 0; i < 100 && (!p->b->tls || !job_tls_count(p->b->tls)); i++) {
		pair_run(p, 5);
		node_finish_job(p->b);
	}
	assert_int_equal(job_tls_count(p->b->tls), 1);
	node_crash(p->a);
	pair_run(p, IKESA_EAP_MS);
	assert_int_equal(job_tls_count(p->b->tls), 0);
	pair_free(p);
}

/* ---- who is refused ---------------------------------------------------------------------------------- */

static void the_name_is_the_certificates(void **state)
{
	(void)state;
	refused(pair_tls("mallory@example.org", &alice),
		"the peer claims to be 'mallory@example.org', and its certificate 'O=Example, CN=Alice' is for 'alice@example.org'",
		"EAP-Failure: compare EAP=, Cert= and Key=");
}

static void certificates_of_others_are_refused(void **state)
{
	struct made cert = maker_leaf("CN=x", &other, "email:alice@example.org");

	(void)state;
	refused(pair_tls("alice@example.org", &cert),
		"is issued by 'O=Example, CN=other', which CA= does not name", "EAP-Failure");
	maker_free(&cert);
	cert = maker_cert(&(struct recipe){ .subject = "CN=x",
					    .issuer = &root,
					    .from = MAKER_NOW - 3 * MAKER_DAY,
					    .until = MAKER_NOW - MAKER_DAY,
					    .ext = { "subjectAltName=email:alice@example.org" } });
	refused(pair_tls("alice@example.org", &cert),
		"'alice@example.org': the certificate 'CN=x' expired", "EAP-Failure");
	maker_free(&cert);
	cert = maker_cert(&(struct recipe){ .subject = "CN=x",
					    .issuer = &root,
					    .ext = { "subjectAltName=email:alice@example.org",
						     "extendedKeyUsage=codeSigning" } });
	refused(pair_tls("alice@example.org", &cert), "(extendedKeyUsage), and it has to be for",
		"EAP-Failure");
	maker_free(&cert);
}

static void revoked_certificates_are_refused(void **state)
{
	struct ike_iov crl = maker_crl(&(struct crl_recipe){ .issuer = &root, .revoked = &alice });
	struct pair *p = pair_alice();

	(void)state;
	p->b->conf[0].revocation = PKI_REVOCATION_IFURI;
	node_add_cert(p->b, 0, IKE_CRED_CRL, &crl);
	refused(p, "revoked", "EAP-Failure");
	maker_free_der(&crl);
}

/* ---- what is fetched ------------------------------------------------------------------------------------ */

#define POINT "crlDistributionPoints=URI:http://crl.example/root.crl"

static struct ike_iov at_crl; /* what is there; of base NULL: nobody is */

static void bring(struct node *n, struct ike_fetched *f)
{
	(void)n;
	f->data = at_crl;
	if (!f->data.base)
		f->fault = "connection refused";
}

static struct ike_iov at_other_crl;

/* No responder answers. */
static void bring_crls(struct node *n, struct ike_fetched *f)
{
	if (f->request.len)
		f->fault = "connection refused";
	else if (!strcmp(f->uri, "http://crl.example/x"))
		f->data = at_other_crl;
	else
		bring(n, f);
}

static struct pair *pair_asking(const struct made *cert)
{
	struct pair *p = pair_tls("carol@example.org", cert);

	p->b->conf[0].revocation = PKI_REVOCATION_IFURI;
	p->b->conf[0].fetch = true;
	p->b->fetch = bring;
	return p;
}

/* The administrator has to hear why who is here does not come back. */
static void a_refusal_beside_an_old_sa_is_told(void **state)
{
	struct made cert = maker_cert(
		&(struct recipe){ .subject = "CN=x",
				  .issuer = &root,
				  .ext = { "subjectAltName=email:carol@example.org", POINT } });
	struct pair *p = pair_asking(&cert);

	(void)state;
	at_crl = maker_crl(&(struct crl_recipe){ .issuer = &root });
	pair_start(p, false);
	pair_run(p, 1000);
	assert_int_equal(p->b->installs, 1);
	p->w.filter = NULL;
	pair_run(p, 2000 * (uint64_t)MAKER_DAY); /* it is too old */
	maker_free_der(&at_crl);
	assert_int_equal(p->b->log_len, 0);
	node_crash(p->a);
	node_start(p->a, false);
	pair_run(p, 500);
	assert_non_null(node_sa(p->b));
	node_says(p->b, "whether the certificate 'CN=x' was revoked is not known");
	assert_null(strstr(p->b->log, "stranger"));
	pair_free(p);
	maker_free(&cert);
}

static void crls_are_fetched(void **state)
{
	struct made cert = maker_cert(
		&(struct recipe){ .subject = "CN=x",
				  .issuer = &root,
				  .ext = { "subjectAltName=email:carol@example.org", POINT } });
	struct pair *p;

	(void)state;
	at_crl = maker_crl(&(struct crl_recipe){ .issuer = &root, .revoked = &alice });
	is_known_as(pair_asking(&cert), "carol@example.org");
	maker_free_der(&at_crl);
	at_crl = maker_crl(&(struct crl_recipe){ .issuer = &root, .revoked = &cert });
	refused(pair_asking(&cert), "revoked", "EAP-Failure");
	maker_free_der(&at_crl);
	refused(pair_asking(&cert), "connection refused", "EAP-Failure");
	p = pair_asking(&cert);
	p->b->conf[0].fetch = false;
	refused(p, "'carol@example.org': ", "EAP-Failure");
	maker_free(&cert);
}

/* What the first of two rounds took leaves as much for the second one. */
static void each_round_has_its_fetches(void **state)
{
	struct made first = maker_cert(&(struct recipe){
		.subject = "CN=a",
		.issuer = &root,
		.ext = {
			"subjectAltName=DNS:node0.example", POINT,
			"authorityInfoAccess=OCSP;URI:http://1.example/,OCSP;URI:http://2.example/,OCSP;URI:http://3.example/,OCSP;URI:http://4.example/,OCSP;URI:http://5.example/,OCSP;URI:http://6.example/,OCSP;URI:http://7.example/" } });
	struct made second = maker_cert(
		&(struct recipe){ .subject = "CN=x",
				  .issuer = &middle,
				  .ext = { "subjectAltName=email:carol@example.org",
					   "crlDistributionPoints=URI:http://crl.example/x" } });
	const struct ike_iov name = { "carol@example.org", 17 };
	struct pair *p = pair_asking(&first);
	struct ike_tunnel_conf *a = &p->a->conf[0], *b = &p->b->conf[0];

	(void)state;
	node_add_cert(p->b, 0, IKE_CRED_CA, &middle.der);
	a->local_auth = (struct ike_auth_conf){ IKE_METHOD_SIGNATURE, .then_user = true };
	b->remote_auth = a->local_auth;
	b->first_id = a->local_id;
	p->b->fetch = bring_crls;
	at_crl = maker_crl(&(struct crl_recipe){ .issuer = &root });
	at_other_crl = maker_crl(&(struct crl_recipe){ .issuer = &middle });
	pair_start(p, false);
	for (unsigned int i = 0; i < 500 && !pair_count(p, p->b, IKE_AUTH, true); i++)
		pair_run(p, 1);
	assert_int_equal(p->b->n_fetches, 8);
	set_own(p->a, &second);
	node_add_cert(p->a, 0, IKE_CRED_CA, &root.der);
	node_add_cert(p->a, 0, IKE_CRED_EAP_NAME, &name);
	own_conf_replace(p->a);
	pair_run(p, SETTLED_MS);
	pair_is_up(p);
	assert_int_equal(p->b->n_fetches, 9);
	pair_free(p);
	maker_free_der(&at_crl);
	maker_free_der(&at_other_crl);
	maker_free(&first);
	maker_free(&second);
}

/* The same for a user, whose server's certificate names one. */
static void a_user_has_them_fetched(void **state)
{
	struct made cert = maker_cert(
		&(struct recipe){ .subject = "CN=b",
				  .issuer = &root,
				  .ext = { "subjectAltName=DNS:node1.example", POINT } });

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct pair *p = pair_alice();

		at_crl = maker_crl(
			&(struct crl_recipe){ .issuer = &root, .revoked = i ? &cert : &alice });
		p->b->conf[0].creds = (struct ike_creds){ 0 };
		set_own(p->b, &cert);
		node_add_cert(p->b, 0, IKE_CRED_CA, &root.der);
		p->b->conf[0].remote_auth.method = IKE_METHOD_EAP;
		p->a->conf[0].revocation = PKI_REVOCATION_IFURI;
		p->a->conf[0].fetch = true;
		p->a->fetch = bring;
		if (i)
			refused(p, NULL, "revoked");
		else
			is_known_as(p, "alice@example.org");
		maker_free_der(&at_crl);
	}
	maker_free(&cert);
}

/* ---- servers -------------------------------------------------------------------------------------------- */

/* Within TLS the server shows another certificate than in IKE: its job makes it so. */
static const uint8_t *no_key(void *ctx, const struct ike_job *job, unsigned int i, size_t *len)
{
	const struct node *n = ctx;

	(void)i;
	*len = job->kind == IKE_JOB_TLS ? 0 : n->private_key[0].len;
	return n->private_key[0].der;
}

static void a_server_without_key_is_told_of(void **state)
{
	struct pair *p = pair_alice();

	(void)state;
	p->b->find_key = no_key;
	refused(p, "EAP-TLS could not be done here", "EAP-Failure");
}

static void the_server_is_who_it_was_in_ike(void **state)
{
	struct made cert = maker_leaf("CN=c", &root, "DNS:elsewhere.example");
	struct pair *p = pair_alice();

	(void)state;
	/* In IKE it is trusted by a raw key, so that its certificate counts within TLS alone. */
	p->b->conf[0].creds = (struct ike_creds){ 0 };
	set_own(p->b, &cert);
	node_add_cert(p->b, 0, IKE_CRED_CA, &root.der);
	p->b->conf[0].remote_auth.method = IKE_METHOD_EAP;
	p->b->conf[0].eap_methods = TLS;
	p->b->conf[0].local_id = p->a->conf[0].remote_id;
	refused(p, NULL, "the peer claims to be 'node1.example', and its certificate");
	maker_free(&cert);
}

/* Another end of TLS than that of IKE, and it alone. */
static void the_server_of_eap_may_be_another(void **state)
{
	static const char name[] = "\x02radius.example";
	const struct ike_iov id = { name, sizeof(name) - 1 };
	struct made cert = maker_leaf("CN=c", &root, "DNS:node1.example,DNS:radius.example");
	struct pair *p = pair_alice();

	(void)state;
	node_add_cert(p->a, 0, IKE_CRED_EAP_SERVER, &id);
	refused(p, NULL, "the peer claims to be 'radius.example', and its certificate 'CN=b'");
	p = pair_alice();
	node_add_cert(p->a, 0, IKE_CRED_EAP_SERVER, &id);
	p->b->conf[0].creds = (struct ike_creds){ 0 };
	set_own(p->b, &cert);
	node_add_cert(p->b, 0, IKE_CRED_CA, &root.der);
	p->b->conf[0].remote_auth.method = IKE_METHOD_EAP;
	is_known_as(p, "alice@example.org");
	maker_free(&cert);
}

/* Another one from now on: what the former one proved counts no more, and the one that we reach is not it. */
static void a_change_of_the_server_of_eap(void **state)
{
	static const char name[] = "\x02radius.example";
	const struct ike_iov id = { name, sizeof(name) - 1 };
	struct pair *p = pair_alice();

	(void)state;
	run(p);
	pair_is_up(p);
	node_add_cert(p->a, 0, IKE_CRED_EAP_SERVER, &id);
	assert_int_equal(ike_core_tunnel_change(p->a->core, &p->a->conf[0], false, p->w.now), 0);
	pair_run(p, 10000);
	node_says(p->a, "the peer claims to be 'radius.example', and its certificate 'CN=b'");
	pair_free(p);
}

static void remote_id_says_who_may(void **state)
{
	struct pair *p = pair_alice();
	struct ike_id *want = &p->b->conf[0].remote_id;
	char err[200];

	(void)state;
	assert_int_equal(ike_id_from_text("*@other.example", want, err, sizeof(err)), 0);
	refused(p,
		"peer identifies as 'alice@example.org', but RemoteID= expects '*@other.example'",
		"AUTHENTICATION_FAILED");
	p = pair_alice();
	assert_int_equal(
		ike_id_from_text("*@example.org", &p->b->conf[0].remote_id, err, sizeof(err)), 0);
	is_known_as(p, "alice@example.org");
}

/* ---- what follows from a certificate ------------------------------------------------------------------- */

static void what_is_proven_ends_with_the_certificate(void **state)
{
	struct made cert =
		maker_cert(&(struct recipe){ .subject = "CN=x",
					     .issuer = &root,
					     .until = MAKER_NOW + 120,
					     .ext = { "subjectAltName=email:alice@example.org" } });
	struct pair *p = pair_tls("alice@example.org", &cert);

	(void)state;
	run(p);
	pair_is_up(p);
	assert_in_range(node_sa(p->b)->proof_until, p->w.now, p->w.now + 122000);
	assert_non_null(node_sa(p->b)->shown);
	pair_run(p, 130000);
	assert_true(direction_works(p->a, p->b, 0)); /* there is time for a new one … */
	pair_run(p, 70000);
	node_says(p->b, "expired");
	assert_false(direction_works(p->a, p->b, 0)); /* … that has passed */
	pair_free(p);
	maker_free(&cert);
}

static bool has_begun(struct pair *p)
{
	const struct ike_sa *sa = TAILQ_FIRST(&p->b->core->admit.half_open[ADMIT_KNOWN]);

	if (!sa)
		sa = TAILQ_FIRST(&p->b->core->admit.half_open[ADMIT_UNKNOWN]);
	return sa && sa->setup->eap && sa->setup->eap->run.method;
}

/* A handshake of TLS waits where there is much to do for unknown peers, … */
static void handshakes_wait_for_better_times(void **state)
{
	struct pair *p = pair_alice();

	(void)state;
	pair_start(p, false);
	for (unsigned int i = 0; i < 500 && !has_begun(p); i++)
		pair_run(p, 1);
	assert_true(has_begun(p));
	assert_int_equal(job_tls_count(p->b->tls), 0);
	p->b->core->admit.work = 4 * ADMIT_WORK_MAX;
	p->b->core->admit.work_at = p->w.now;
	pair_run(p, 800);
	assert_int_equal(job_tls_count(p->b->tls), 0);
	pair_run(p, 8000);
	pair_is_up(p);
	pair_free(p);
}

/* … and what it took is not held against others once the peer proved itself. */
static void honest_handshakes_are_paid_back(void **state)
{
	struct pair *p = pair_alice();

	(void)state;
	run(p);
	pair_is_up(p);
	assert_in_range(p->b->core->admit.work, 0, 500);
	pair_free(p);
}

/* ---- a server that proves who it is by EAP alone (RFC 5998) -------------------------------------------- */

static struct pair *pair_only(bool user, bool server)
{
	struct pair *p = pair_alice();

	p->a->conf[0].remote_auth.eap_only = user;
	p->b->conf[0].local_auth.eap_only = server;
	return p;
}

/* The server has another certificate, @cert. */
static void replace_servers(struct pair *p, const struct made *cert)
{
	const struct ike_auth_conf theirs = p->b->conf[0].remote_auth;
	const struct ike_auth_conf ours = p->b->conf[0].local_auth;

	p->b->conf[0].creds = (struct ike_creds){ 0 };
	set_own(p->b, cert);
	node_add_cert(p->b, 0, IKE_CRED_CA, &root.der);
	p->b->conf[0].remote_auth = theirs;
	p->b->conf[0].local_auth = ours;
}

/* Has message @n (from 0) of @from a payload of @type, or a notify of @notify? */
static bool has(struct pair *p, struct node *from, unsigned int n, uint8_t type, uint16_t notify)
{
	struct node *to = from == p->a ? p->b : p->a;
	struct ike_payloads in =
		sent_open(pair_sent(p, from, IKE_AUTH, from == p->b, n), node_sa(to));
	struct ike_notify found;

	return notify ? ike_notify_find(&in, notify, &found) : ike_payload_find(&in, type) != NULL;
}

/* It is left out where both ends say so, and by nothing else. */
static void both_have_to_take_eap_alone(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		bool user = i & 1, server = i & 2;
		struct pair *p = pair_only(user, server);

		run(p);
		pair_is_up(p);
		assert_int_equal(has(p, p->a, 0, 0, IKE_N_EAP_ONLY_AUTHENTICATION), user);
		assert_int_equal(has(p, p->b, 0, IKE_PL_AUTH, 0), !(user && server));
		assert_int_equal(has(p, p->b, 0, IKE_PL_CERT, 0), !(user && server));
		assert_true(has(p, p->b, 0, IKE_PL_IDR, 0));
		assert_int_equal(node_sa(p->a)->remote_auth.eap_only, user && server);
		assert_int_equal(node_sa(p->b)->local_auth.eap_only, user && server);
		/* What proved who the server is has an end, wherever it was shown. */
		assert_non_null(node_sa(p->a)->shown);
		assert_int_equal(node_sa(p->a)->remote_id.type, IKE_ID_FQDN);
		pair_free(p);
	}
}

static void eap_alone_survives_loss(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 6; seed++)
		pair_survives(pair_only(true, true), seed, 15);
}

/* The certificate in TLS is what says who the server is: it alone is looked at, as that of IKE would be. */
static void the_certificate_in_eap_is_the_servers(void **state)
{
	struct made cert = maker_leaf("CN=c", &other, "DNS:node1.example");
	struct pair *p = pair_only(true, true);

	(void)state;
	replace_servers(p, &cert);
	refused(p, NULL, "is issued by 'O=Example, CN=other', which CA= does not name");
	maker_free(&cert);
	cert = maker_leaf("CN=c", &root, "DNS:elsewhere.example");
	p = pair_only(true, true);
	replace_servers(p, &cert);
	p->b->conf[0].local_id = p->a->conf[0].remote_id;
	refused(p, NULL, "the peer claims to be 'node1.example', and its certificate");
	maker_free(&cert);
}

static void the_user_ends_with_the_servers_certificate(void **state)
{
	struct made cert =
		maker_cert(&(struct recipe){ .subject = "CN=b",
					     .issuer = &root,
					     .until = MAKER_NOW + 120,
					     .ext = { "subjectAltName=DNS:node1.example" } });
	struct pair *p = pair_only(true, true);

	(void)state;
	replace_servers(p, &cert);
	run(p);
	pair_is_up(p);
	assert_in_range(node_sa(p->a)->proof_until, p->w.now, p->w.now + 122000);
	pair_free(p);
	maker_free(&cert);
}

/* b, which has passwords, too, says in place of its first answer that it is @who, and @packet of EAP. */
static struct pair *answered(const struct ike_id *who, const uint8_t *packet, size_t len)
{
	struct pair *p = pair_only(true, true);
	struct auth_message m;

	p->a->conf[0].eap_methods = TLS | MSCHAPV2;
	node_set_password(p->a, 0, "clue");
	auth_stop_before(p, 1);
	auth_begin(&m);
	if (who)
		ike_build_id(&m.b, IKE_PL_IDR, who);
	ike_build_payload(&m.b, IKE_PL_EAP, packet, len);
	auth_answer(p, &m);
	pair_run(p, 100);
	assert_int_equal(p->a->installs, 0);
	return p;
}

/* No packet follows, as the password could be guessed by what it says. */
static void a_user_tells_a_stranger_nothing_of_passwords(void **state)
{
	static const uint8_t challenge[] = { EAP_REQUEST, 1,  0,  26, EAP_TYPE_MSCHAPV2,
					     1,		  1,  0,  21, 16,
					     1,		  2,  3,  4,  5,
					     6,		  7,  8,  9,  10,
					     11,	  12, 13, 14, 15,
					     16 };
	struct pair *p = pair_new();
	struct ike_id server = p->a->conf[0].remote_id;

	(void)state;
	pair_free(p);
	p = answered(&server, challenge, sizeof(challenge));
	node_says(
		p->a,
		"peer leaves out its AUTH payload (RFC 5998) and wants type 26 (EAP-MSCHAPv2) of EAP, which does not prove who it is: let the server take tls");
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 1);
	pair_free(p);
}

static void the_server_says_who_it_is(void **state)
{
	static const uint8_t identity[] = { EAP_REQUEST, 1, 0, 5, EAP_TYPE_IDENTITY };
	static const struct ike_id wrong = { IKE_ID_FQDN, 9, "x.example" };
	struct pair *p = answered(NULL, identity, sizeof(identity));

	(void)state;
	node_says(p->a, "peer's IKE_AUTH response has no identity");
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 1);
	pair_free(p);
	p = answered(&wrong, identity, sizeof(identity));
	node_says(p->a, "peer identifies as 'x.example', but RemoteID= expects 'node1.example'");
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 1);
	pair_free(p);
}

/* A server that has passwords, too, gives no user of these the chance to do without its certificate. */
static void a_server_takes_no_password_alone(void **state)
{
	struct pair *p = pair_only(true, true);

	(void)state;
	p->b->conf[0].eap_methods = TLS | MSCHAPV2;
	p->a->conf[0].eap_methods = TLS | MSCHAPV2;
	node_add_user(p->b, "alice@example.org", "clue");
	node_set_password(p->a, 0, "clue");
	pair_start(p, false);
	for (unsigned int i = 0; i < 500 && !has_begun(p); i++)
		pair_run(p, 1);
	assert_true(has_begun(p));
	node_sa(p->a)->setup->eap->run.allowed = MSCHAPV2; /* a that does not keep to the rule */
	node_sa(p->a)->setup->eap->run.alone = false;
	pair_run(p, SETTLED_MS);
	assert_int_equal(p->b->installs, 0);
	node_says(
		p->b,
		"peer has us prove who we are by EAP alone (RFC 5998), and takes no method that does: it wants type 26 (EAP-MSCHAPv2), and of EAPMethods= that is tls");
	pair_free(p);
}

static void senseless_configurations_are_refused(void **state)
{
	struct pair *p = pair_only(true, true);
	struct ike_tunnel_conf a = p->a->conf[0], b = p->b->conf[0], bad;

	(void)state;
	assert_true(tunnel_conf_is_sane(&a));
	assert_true(tunnel_conf_is_sane(&b));
	bad = a, bad.eap_methods = MSCHAPV2;
	assert_false(tunnel_conf_is_sane(&bad));
	bad = b, bad.eap_methods = MSCHAPV2;
	assert_false(tunnel_conf_is_sane(&bad));
	bad = b, bad.eap_methods = 1 << EAP_RADIUS;
	assert_false(tunnel_conf_is_sane(&bad));
	bad = b, bad.local_auth.method = IKE_METHOD_PSK;
	assert_false(tunnel_conf_is_sane(&bad));
	bad = b, bad.remote_auth.method = IKE_METHOD_SIGNATURE;
	bad.eap_methods = 0;
	assert_false(tunnel_conf_is_sane(&bad));
	bad = a, bad.local_auth = (struct ike_auth_conf){ IKE_METHOD_SIGNATURE, .then_user = true };
	assert_false(tunnel_conf_is_sane(&bad));
	node_add_cert(p->a, 0, IKE_CRED_EAP_SERVER, &(struct ike_iov){ "\x02radius.example", 15 });
	assert_false(tunnel_conf_is_sane(&p->a->conf[0]));
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_proves_itself_by_its_certificate),
		cmocka_unit_test(names_are_of_the_certificate),
		cmocka_unit_test(chains_and_long_certificates_pass),
		cmocka_unit_test(lost_and_repeated_messages_do_no_harm),
		cmocka_unit_test(other_methods_are_there_still),
		cmocka_unit_test(the_second_round_of_two),
		cmocka_unit_test(the_name_is_the_certificates),
		cmocka_unit_test(certificates_of_others_are_refused),
		cmocka_unit_test(revoked_certificates_are_refused),
		cmocka_unit_test(a_refusal_beside_an_old_sa_is_told),
		cmocka_unit_test(nothing_is_left_with_keys_processes),
		cmocka_unit_test(crls_are_fetched),
		cmocka_unit_test(each_round_has_its_fetches),
		cmocka_unit_test(a_user_has_them_fetched),
		cmocka_unit_test(a_server_without_key_is_told_of),
		cmocka_unit_test(the_server_is_who_it_was_in_ike),
		cmocka_unit_test(the_server_of_eap_may_be_another),
		cmocka_unit_test(a_change_of_the_server_of_eap),
		cmocka_unit_test(remote_id_says_who_may),
		cmocka_unit_test(what_is_proven_ends_with_the_certificate),
		cmocka_unit_test(handshakes_wait_for_better_times),
		cmocka_unit_test(honest_handshakes_are_paid_back),
		cmocka_unit_test(both_have_to_take_eap_alone),
		cmocka_unit_test(eap_alone_survives_loss),
		cmocka_unit_test(the_certificate_in_eap_is_the_servers),
		cmocka_unit_test(the_user_ends_with_the_servers_certificate),
		cmocka_unit_test(a_user_tells_a_stranger_nothing_of_passwords),
		cmocka_unit_test(the_server_says_who_it_is),
		cmocka_unit_test(a_server_takes_no_password_alone),
		cmocka_unit_test(senseless_configurations_are_refused),
	};

	return cmocka_run_group_tests(tests, make_certs, free_certs);
}
