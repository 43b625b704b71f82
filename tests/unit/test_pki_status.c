// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Revocation: what CRLs and OCSP responses say about certificates that are good otherwise, what is asked
 * for if they say nothing, and which of them are not believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ocsp.h>

#include "cert_maker.h"
#include "ike/pki/pki.h"
#include "ike/proto/id.h"

#define POINT "crlDistributionPoints=URI:http://crl.example/r.crl"
#define RESPONDER "authorityInfoAccess=OCSP;URI:http://ocsp.example/"

static struct made root, twin, middle, plain, named, below, signer, no_signer;
static struct pki_trust *trust;
static struct pki_result result;

static int make_fixtures(void **state)
{
	char err[512];

	(void)state;
	root = maker_ca("CN=Root", NULL);
	twin = maker_cert(&(struct recipe){ .subject = "CN=Root",
					    .ext = { "basicConstraints=critical,CA:TRUE",
						     "keyUsage=critical,keyCertSign,cRLSign" } });
	middle = maker_ca("CN=Middle", &root);
	plain = maker_leaf("CN=plain", &root, "DNS:plain.example");
	named = maker_cert(&(struct recipe){
		.subject = "CN=named", .issuer = &root, .ext = { POINT, RESPONDER } });
	below = maker_leaf("CN=below", &middle, "DNS:below.example");
	signer = maker_cert(&(struct recipe){ .subject = "CN=signer",
					      .issuer = &root,
					      .ext = { "extendedKeyUsage=OCSPSigning" } });
	no_signer = maker_cert(&(struct recipe){ .subject = "CN=nosigner",
						 .issuer = &root,
						 .ext = { "extendedKeyUsage=serverAuth" } });
	trust = pki_trust_new(&root.der, 1, NULL, 0, err, sizeof(err));
	return trust ? 0 : -1;
}

static int free_fixtures(void **state)
{
	struct made *all[] = { &root, &twin, &middle, &plain, &named, &below, &signer, &no_signer };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		maker_free(all[i]);
	pki_trust_free(trust);
	return 0;
}

/* A question about @cert, and about its issuer if that is not the anchor. */
static struct pki_query ask(const struct made *cert, enum pki_revocation revocation)
{
	static struct ike_iov sent[2];

	sent[0] = cert->der;
	sent[1] = middle.der;
	return (struct pki_query){ .trust = trust,
				   .certs = sent,
				   .n_certs = cert == &below ? 2 : 1,
				   .now = MAKER_NOW,
				   .revocation = revocation };
}

static void expect(struct pki_query q, enum pki_verdict verdict, const char *said)
{
	pki_verify(&q, &result);
	if (result.verdict != verdict || !strstr(result.text, said))
		fail_msg("verdict %d: %s", result.verdict, result.text);
	for (const char *s = result.text; *s; s++)
		assert_true(*s >= ' ' && *s <= '~');
	assert_int_equal(result.spki_len > 0, verdict == PKI_TRUSTED ||
						      verdict == PKI_STATUS_MISSING ||
						      verdict == PKI_REVOKED);
	assert_true(verdict == PKI_STATUS_MISSING || !result.n_needs);
}

static void expect_with_crl(struct pki_query q, struct crl_recipe r, enum pki_verdict verdict,
			    const char *said)
{
	struct ike_iov crl = maker_crl(&r);

	q.crls = &crl;
	q.n_crls = 1;
	expect(q, verdict, said);
	maker_free_der(&crl);
}

static void expect_with_ocsp(struct pki_query q, struct ocsp_recipe r, enum pki_verdict verdict,
			     const char *said)
{
	struct ike_iov response = maker_ocsp(&r);

	q.ocsp = &response;
	q.n_ocsp = 1;
	expect(q, verdict, said);
	maker_free_der(&response);
}

/* ---- what is asked for ------------------------------------------------------------ */

static void what_must_be_fetched(void **state)
{
	struct made ldap = maker_cert(&(struct recipe){
		.subject = "CN=ldap",
		.issuer = &root,
		.ext = { "crlDistributionPoints=URI:ldap://crl.example/r,URI:https://crl.example/r",
			 "authorityInfoAccess=caIssuers;URI:http://ca.example/" } });
	OCSP_REQUEST *request;
	OCSP_CERTID *id;
	const uint8_t *p;

	(void)state;
	expect(ask(&plain, PKI_REVOCATION_IFURI), PKI_TRUSTED, "");
	expect(ask(&named, PKI_REVOCATION_OFF), PKI_TRUSTED, "");
	expect(ask(&named, PKI_REVOCATION_IFURI), PKI_STATUS_MISSING,
	       "whether the certificate 'CN=named' was revoked is not known: there is no CRL of 'CN=Root'; "
	       "Revocation = ifuri wants a CRL or an OCSP response: put the CRL of 'CN=Root' from "
	       "http://crl.example/r.crl into what CRL= in [Peer] names");
	assert_int_equal(result.n_needs, 2);
	assert_true(result.needs[0].ocsp);
	assert_string_equal(result.needs[0].uri, "http://ocsp.example/");
	assert_false(result.needs[1].ocsp);
	assert_string_equal(result.needs[1].uri, "http://crl.example/r.crl");
	p = result.needs[0].request;
	request = d2i_OCSP_REQUEST(NULL, &p, (long)result.needs[0].request_len);
	id = OCSP_cert_to_id(EVP_sha1(), named.cert, root.cert);
	assert_int_equal(OCSP_request_onereq_count(request), 1);
	assert_int_equal(OCSP_id_cmp(OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)), id),
			 0);
	OCSP_REQUEST_free(request);
	OCSP_CERTID_free(id);
	expect(ask(&plain, PKI_REVOCATION_STRICT), PKI_STATUS_MISSING,
	       "Revocation = strict wants a CRL or an OCSP response: put the CRL of 'CN=Root' into what CRL= in "
	       "[Peer] names");
	assert_int_equal(result.n_needs, 0);
	/* What is not fetched is required nonetheless. */
	expect(ask(&ldap, PKI_REVOCATION_IFURI), PKI_STATUS_MISSING,
	       "put the CRL of 'CN=Root' from ldap://crl.example/r into what");
	maker_free(&ldap);
}

static struct pki_fetched find_nothing(void *ctx, const struct pki_need *need)
{
	(void)ctx;
	(void)need;
	return (struct pki_fetched){ 0 };
}

/* Whoever never wrote Revocation= hears that it has a default, and what to do where nothing can be fetched. */
static void refusals_say_what_is_the_default(void **state)
{
	struct made ad = maker_cert(&(struct recipe){
		.subject = "CN=ad",
		.issuer = &root,
		.ext = {
			"crlDistributionPoints=URI:ldap:///CN=Root%20CA?certificateRevocationList" } });
	struct crl_recipe old = { .issuer = &root, .until = MAKER_NOW - 60 };
	struct pki_query q = ask(&named, PKI_REVOCATION_IFURI);
	struct ike_iov der = maker_crl(&old);
	char err[512];
	struct pki_trust *with_crl = pki_trust_new(&root.der, 1, &der, 1, err, sizeof(err));

	(void)state;
	q.fetched = find_nothing;
	expect(q, PKI_STATUS_MISSING,
	       "Revocation = ifuri (the default, unless Fetch = no; Revocation = off asks nothing) wants a CRL");
	q.revocation = PKI_REVOCATION_STRICT;
	expect(q, PKI_STATUS_MISSING, "Revocation = strict wants a CRL");
	q = ask(&named, PKI_REVOCATION_IFURI);
	q.trust = with_crl;
	expect(q, PKI_STATUS_MISSING,
	       "Revocation = ifuri (the default with CRL; Revocation = off asks nothing) wants a CRL");
	q = ask(&ad, PKI_REVOCATION_IFURI);
	q.fetched = find_nothing;
	expect(q, PKI_STATUS_MISSING,
	       "put the CRL of 'CN=Root' from ldap:///CN=Root%20CA?certificateRevocationList, as only "
	       "http:// is fetched, into what CRL= in [Peer] names");
	assert_int_equal(result.n_needs, 0);
	pki_trust_free(with_crl);
	maker_free_der(&der);
	maker_free(&ad);
}

/* Addresses that could be more than an address to what fetches them. */
static void odd_addresses_are_left_out(void **state)
{
	char long_one[400] = "crlDistributionPoints=URI:http://a.example/";
	const char *const points[] = {
		"crlDistributionPoints=URI:http://a.example/a b",
		"crlDistributionPoints=URI:file:///etc/shadow",
		/* "http://a\r\nX: b" */
		"crlDistributionPoints=DER:30163014a012a010860e687474703a2f2f610d0a583a2062",
		long_one,
	};

	(void)state;
	memset(long_one + strlen(long_one), 'a', 250);
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		struct made a = maker_cert(&(struct recipe){
			.subject = "CN=a", .issuer = &root, .ext = { points[i] } });

		expect(ask(&a, PKI_REVOCATION_IFURI), PKI_STATUS_MISSING,
		       i == 1 ? "put the CRL of 'CN=Root' from file:///etc/shadow into what"
			      : "put the CRL of 'CN=Root' into what");
		assert_int_equal(result.n_needs, 0);
		maker_free(&a);
	}
}

/* Nothing is asked for on behalf of a peer whose certificate is not good in all other respects. */
static void strangers_have_nothing_fetched(void **state)
{
	struct made old = maker_cert(&(struct recipe){ .subject = "CN=old",
						       .issuer = &root,
						       .until = MAKER_NOW - MAKER_DAY,
						       .ext = { POINT, RESPONDER } });
	struct made forged = maker_cert(&(struct recipe){
		.subject = "CN=forged", .issuer = &twin, .ext = { POINT, RESPONDER } });
	struct ike_id id;
	struct pki_query q = ask(&named, PKI_REVOCATION_IFURI);
	char err[200];

	(void)state;
	assert_int_equal(ike_id_from_text("a.example", &id, err, sizeof(err)), 0);
	q.id = &id;
	expect(q, PKI_WRONG_IDENTITY, "");
	expect(ask(&old, PKI_REVOCATION_IFURI), PKI_EXPIRED, "");
	expect(ask(&forged, PKI_REVOCATION_IFURI), PKI_BAD_SIGNATURE, "");
	maker_free(&old);
	maker_free(&forged);
}

static void each_certificate_below_the_anchor(void **state)
{
	struct crl_recipe of_root = { .issuer = &root }, of_middle = { .issuer = &middle };
	struct ike_iov crls[2] = { maker_crl(&of_root), maker_crl(&of_middle) };
	struct pki_query q = ask(&below, PKI_REVOCATION_STRICT);
	struct pki_trust *t;
	char err[200];

	(void)state;
	expect(q, PKI_STATUS_MISSING, "the certificate 'CN=below' was revoked is not known");
	q.crls = crls;
	q.n_crls = 2;
	expect(q, PKI_TRUSTED, "");
	q.n_crls = 1;
	expect(q, PKI_STATUS_MISSING,
	       "'CN=below' was revoked is not known: there is no CRL of 'CN=Middle'");
	q.crls = crls + 1;
	expect(q, PKI_STATUS_MISSING,
	       "'CN=Middle' was revoked is not known: there is no CRL of 'CN=Root'");
	/* Local CRLs do as well. */
	t = pki_trust_new(&root.der, 1, crls, 1, err, sizeof(err));
	q.trust = t;
	expect(q, PKI_TRUSTED, "");
	q.n_crls = 0;
	expect(q, PKI_STATUS_MISSING, "no CRL of 'CN=Middle'");
	pki_trust_free(t);
	maker_free_der(&crls[0]);
	maker_free_der(&crls[1]);
}

/* ---- CRLs ------------------------------------------------------------------------ */

static void revoked_by_a_crl(void **state)
{
	struct crl_recipe of_plain = { .issuer = &root, .revoked = &plain, .reason = 1 };
	struct crl_recipe of_middle = { .issuer = &root, .revoked = &middle, .reason = -1 };
	struct crl_recipe stale = { .issuer = &root,
				    .revoked = &plain,
				    .reason = -1,
				    .from = MAKER_NOW - 9 * MAKER_DAY,
				    .until = MAKER_NOW - 8 * MAKER_DAY };
	struct ike_iov crl = maker_crl(&of_plain);
	struct pki_trust *t;
	struct pki_query q;
	char err[200];

	(void)state;
	expect_with_crl(
		ask(&plain, PKI_REVOCATION_IFURI), of_plain, PKI_REVOKED,
		") was revoked on 2025-12-30 00:00:00 UTC, reason keyCompromise, says the CRL of 'CN=Root'");
	expect_with_crl(ask(&plain, PKI_REVOCATION_STRICT), of_plain, PKI_REVOKED,
			"was revoked on");
	expect_with_crl(ask(&plain, PKI_REVOCATION_OFF), of_plain, PKI_TRUSTED, "");
	expect_with_crl(ask(&named, PKI_REVOCATION_STRICT), of_plain, PKI_TRUSTED, "");
	expect_with_crl(ask(&below, PKI_REVOCATION_IFURI), of_middle, PKI_REVOKED,
			") was revoked on 2025-12-30 00:00:00 UTC, says the CRL");
	/* An old CRL is no proof that a certificate is good, but that it was revoked. */
	q = ask(&plain, PKI_REVOCATION_IFURI);
	expect_with_crl(q, stale, PKI_REVOKED, "was revoked on");
	t = pki_trust_new(&root.der, 1, &crl, 1, err, sizeof(err));
	q.trust = t;
	expect(q, PKI_REVOKED, "was revoked on");
	pki_trust_free(t);
	maker_free_der(&crl);
}

static void crls_that_say_nothing(void **state)
{
	const struct {
		struct crl_recipe r;
		const char *said;
	} rows[] = {
		{ { .issuer = &root, .until = MAKER_NOW - 1 },
		  "the CRL of 'CN=Root' is too old: the next one was due on 2025-12-31 23:59:59 UTC, and this machine's clock "
		  "says 2026-01-01 00:00:00 UTC; Revocation = ifuri" },
		{ { .issuer = &root, .from = MAKER_NOW + 9 },
		  "the CRL of 'CN=Root' is from the future: it is valid from 2026-01-01 00:00:09 UTC on, and this "
		  "machine's clock says 2026-01-01 00:00:00 UTC" },
		{ { .issuer = &middle }, "there is no CRL of 'CN=Root'" },
		{ { .issuer = &twin }, "the CRL of 'CN=Root' is not signed with that CA's key" },
		{ { .issuer = &twin, .revoked = &named },
		  "the CRL of 'CN=Root' is not signed with that CA's key" },
		{ { .issuer = &root, .hash = "SHA1" },
		  "the CRL of 'CN=Root' is signed with SHA-1" },
		{ { .issuer = &root, .ext = "1.2.3.4=critical,DER:0500" },
		  "the CRL of 'CN=Root' cannot be used: unhandled critical CRL extension" },
		{ { .issuer = &root, .revoked = &named, .ext = "1.2.3.4=critical,DER:0500" },
		  "the CRL of 'CN=Root' cannot be used" },
		/* onlyContainsCACerts */
		{ { .issuer = &root, .ext = "issuingDistributionPoint=critical,DER:30038201ff" },
		  "the CRL of 'CN=Root' cannot be used: different CRL scope" },
	};
	struct pki_query q = ask(&named, PKI_REVOCATION_IFURI);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		expect_with_crl(q, rows[i].r, PKI_STATUS_MISSING, rows[i].said);
		assert_int_equal(result.n_needs, 2);
	}
	q.flags = PKI_ALLOW_SHA1;
	expect_with_crl(q, rows[5].r, PKI_TRUSTED, "");
}

/* A CA whose keyUsage lacks cRLSign signs no CRLs, whatever they say. */
static void a_ca_that_may_not_sign_crls(void **state)
{
	struct made ca = maker_cert(&(struct recipe){
		.subject = "CN=ca",
		.issuer = &root,
		.ext = { "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign" } });
	struct made a =
		maker_cert(&(struct recipe){ .subject = "CN=a", .issuer = &ca, .ext = { POINT } });
	struct ike_iov sent[2] = { a.der, ca.der };
	struct pki_query q = { .trust = trust, .certs = sent, .n_certs = 2, .now = MAKER_NOW };

	(void)state;
	expect_with_crl(q, (struct crl_recipe){ .issuer = &ca }, PKI_STATUS_MISSING,
			"the CRL of 'CN=ca' cannot be used");
	expect_with_crl(q, (struct crl_recipe){ .issuer = &ca, .revoked = &a }, PKI_STATUS_MISSING,
			"the CRL of 'CN=ca' cannot be used");
	maker_free(&a);
	maker_free(&ca);
}

/* A newer CRL that another CA of the name made neither hides the true one nor revokes anything. */
static void forged_crls_hide_nothing(void **state)
{
	struct crl_recipe good = { .issuer = &root };
	struct crl_recipe bad = { .issuer = &root, .revoked = &named, .reason = -1 };
	struct crl_recipe forged = { .issuer = &twin, .from = MAKER_NOW - 9, .revoked = &named };
	struct crl_recipe empty = { .issuer = &twin, .from = MAKER_NOW - 9 };
	struct ike_iov crls[3] = { maker_crl(&forged), maker_crl(&good), { "x", 1 } };
	struct pki_query q = ask(&named, PKI_REVOCATION_IFURI);

	(void)state;
	q.crls = crls;
	q.n_crls = 3;
	expect(q, PKI_TRUSTED, "");
	maker_free_der(&crls[0]);
	maker_free_der(&crls[1]);
	crls[0] = maker_crl(&empty);
	crls[1] = maker_crl(&bad);
	expect(q, PKI_REVOKED, "");
	maker_free_der(&crls[0]);
	maker_free_der(&crls[1]);
}

/* Whoever has a CRL of a CA wants to know, even if certificates do not say where it is: once it is too old, too. */
static void our_own_crl_is_required_to_be_good(void **state)
{
	struct crl_recipe old = { .issuer = &root, .until = MAKER_NOW - 1 };
	struct ike_iov crl = maker_crl(&old);
	struct pki_query q = ask(&plain, PKI_REVOCATION_IFURI);
	struct pki_trust *t;
	char err[200];

	(void)state;
	t = pki_trust_new(&root.der, 1, &crl, 1, err, sizeof(err));
	q.trust = t;
	expect(q, PKI_STATUS_MISSING, "the CRL of 'CN=Root' is too old");
	q.revocation = PKI_REVOCATION_OFF;
	expect(q, PKI_TRUSTED, "");
	pki_trust_free(t);
	/* One that came with the question says nothing about what is ours. */
	expect_with_crl(ask(&plain, PKI_REVOCATION_IFURI), old, PKI_TRUSTED, "");
	maker_free_der(&crl);
}

/* What a copy of somebody's certificates has us do for a stranger is counted. */
static void work_is_counted(void **state)
{
	struct crl_recipe r = { .issuer = &root };
	struct pki_query q = ask(&plain, PKI_REVOCATION_OFF);
	unsigned int off, without;

	(void)state;
	expect(q, PKI_TRUSTED, "");
	off = result.cost;
	q.revocation = PKI_REVOCATION_IFURI;
	expect(q, PKI_TRUSTED, "");
	without = result.cost;
	assert_int_equal(without, off);
	expect_with_crl(q, r, PKI_TRUSTED, "");
	assert_true(result.cost > without + 100);
	expect_with_ocsp(q,
			 (struct ocsp_recipe){ .issuer = &root, .cert = &plain, .signer = &signer },
			 PKI_TRUSTED, "");
	assert_true(result.cost > without + 100);
}

/* The number is that of the certificate, as openssl x509 shows it, whatever its length. */
static void the_serial_number_is_told(void **state)
{
	static const char *const serials[][2] = {
		{ "0A", "'CN=a' (serial number 0A) was revoked" },
		{ "112233445566778899AABBCCDDEEFF0011223344",
		  "(serial number 112233445566778899AABBCCDDEEFF0011223344) was" },
		{ "112233445566778899AABBCCDDEEFF001122334455",
		  "(serial number 112233445566778899AABBCCDDEEFF0011223344...) was" },
		{ "-05", "(serial number -05) was revoked" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		struct made a = maker_cert(&(struct recipe){
			.subject = "CN=a", .issuer = &root, .serial = serials[i][0] });

		expect_with_crl(ask(&a, PKI_REVOCATION_IFURI),
				(struct crl_recipe){ .issuer = &root, .revoked = &a }, PKI_REVOKED,
				serials[i][1]);
		maker_free(&a);
	}
}

/* ---- OCSP ------------------------------------------------------------------------ */

static void ocsp_responses(void **state)
{
	enum { GOOD = V_OCSP_CERTSTATUS_GOOD, BAD = V_OCSP_CERTSTATUS_REVOKED };
	const struct ocsp_recipe base = { .issuer = &root, .cert = &named, .status = GOOD };
	struct ocsp_recipe r = base;
	struct pki_query q = ask(&named, PKI_REVOCATION_IFURI);

	(void)state;
	expect_with_ocsp(q, r, PKI_TRUSTED, "");
	expect_with_ocsp(ask(&named, PKI_REVOCATION_STRICT), r, PKI_TRUSTED, "");
	r.id_hash = "SHA256";
	expect_with_ocsp(q, r, PKI_TRUSTED, "");
	r = base;
	r.signer = &signer;
	expect_with_ocsp(q, r, PKI_TRUSTED, "");
	r.status = BAD;
	expect_with_ocsp(
		q, r, PKI_REVOKED,
		") was revoked on 2025-12-30 00:00:00 UTC, reason keyCompromise, says the OCSP responder of 'CN=Root'");
	expect_with_ocsp(ask(&named, PKI_REVOCATION_OFF), r, PKI_TRUSTED, "");
	/* No date of the next one: a day is what it counts for. */
	r = base;
	r.until = -1;
	expect_with_ocsp(q, r, PKI_TRUSTED, "");
	r.from = MAKER_NOW - MAKER_DAY - PKI_OCSP_SKEW - 1;
	expect_with_ocsp(q, r, PKI_STATUS_MISSING,
			 "and this machine's clock says 2026-01-01 00:00:00 UTC");
	/* Clocks may differ a little. */
	r = base;
	r.from = MAKER_NOW + PKI_OCSP_SKEW;
	expect_with_ocsp(q, r, PKI_TRUSTED, "");
	r = base;
	r.until = MAKER_NOW - PKI_OCSP_SKEW;
	expect_with_ocsp(q, r, PKI_TRUSTED, "");
}

static void ocsp_responses_that_say_nothing(void **state)
{
	const struct {
		struct ocsp_recipe r;
		const char *said;
	} rows[] = {
		{ { .issuer = &root, .cert = &named, .status = V_OCSP_CERTSTATUS_UNKNOWN },
		  "the OCSP responder does not know it" },
		{ { .issuer = &root, .cert = &named, .until = MAKER_NOW - PKI_OCSP_SKEW - 1 },
		  "the OCSP response is for 2025-12-31 00:00:00 UTC to 2025-12-31 23:54:59 UTC, and this "
		  "machine's clock says 2026-01-01 00:00:00 UTC" },
		{ { .issuer = &root, .cert = &named, .from = MAKER_NOW + PKI_OCSP_SKEW + 1 },
		  "and this machine's clock says 2026-01-01 00:00:00 UTC" },
		{ { .issuer = &root, .cert = &named, .signer = &twin },
		  "the OCSP response about it is signed with a key that may not answer for the CA" },
		{ { .issuer = &root, .cert = &named, .signer = &no_signer },
		  "may not answer for the CA" },
		{ { .issuer = &root, .cert = &named, .signer = &named },
		  "may not answer for the CA" },
		{ { .issuer = &root, .cert = &named, .signer = &middle },
		  "may not answer for the CA" },
		{ { .issuer = &root, .cert = &named, .hash = "SHA1" },
		  "the OCSP response about it is signed with SHA-1" },
		{ { .issuer = &root, .cert = &plain }, "there is no CRL of 'CN=Root'" },
		/* The same serial number, of another CA that the anchor vouches for. */
		{ { .issuer = &middle, .cert = &named }, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ocsp_recipe r = rows[i].r;

		expect_with_ocsp(ask(&named, PKI_REVOCATION_IFURI), r, PKI_STATUS_MISSING,
				 rows[i].said);
		assert_int_equal(result.n_needs, 2);
		if (r.status == V_OCSP_CERTSTATUS_UNKNOWN)
			continue;
		r.status = V_OCSP_CERTSTATUS_REVOKED;
		expect_with_ocsp(ask(&named, PKI_REVOCATION_IFURI), r, PKI_STATUS_MISSING,
				 rows[i].said);
	}
	/* A CA that does not know a certificate of its name did not issue it: that is not let pass. */
	expect_with_ocsp(ask(&plain, PKI_REVOCATION_IFURI),
			 (struct ocsp_recipe){ .issuer = &root,
					       .cert = &plain,
					       .status = V_OCSP_CERTSTATUS_UNKNOWN },
			 PKI_STATUS_MISSING, "the OCSP responder does not know it");
}

/* Below an intermediate CA: that CA answers, or its responder; not the anchor, nor what another CA appointed. */
static void ocsp_below_an_intermediate_ca(void **state)
{
	struct made of_middle =
		maker_cert(&(struct recipe){ .subject = "CN=signer2",
					     .issuer = &middle,
					     .ext = { "extendedKeyUsage=OCSPSigning" } });
	struct crl_recipe of_root = { .issuer = &root };
	struct ike_iov crl = maker_crl(&of_root);
	const struct {
		const struct made *signer;
		enum pki_verdict verdict;
	} rows[] = {
		{ &middle, PKI_TRUSTED },
		{ &of_middle, PKI_TRUSTED },
		{ &root, PKI_STATUS_MISSING },
		{ &signer, PKI_STATUS_MISSING },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pki_query q = ask(&below, PKI_REVOCATION_STRICT);
		struct ocsp_recipe r = { .issuer = &middle,
					 .cert = &below,
					 .signer = rows[i].signer };

		q.crls = &crl;
		q.n_crls = 1;
		expect_with_ocsp(q, r, rows[i].verdict, "");
	}
	maker_free_der(&crl);
	maker_free(&of_middle);
}

static void one_that_says_revoked_decides(void **state)
{
	struct crl_recipe crl_bad = { .issuer = &root, .revoked = &named },
			  crl_good = { .issuer = &root };
	struct ocsp_recipe good = { .issuer = &root, .cert = &named }, bad = good;
	struct ike_iov responses[2], crl = maker_crl(&crl_bad);
	struct pki_query q = ask(&named, PKI_REVOCATION_IFURI);

	(void)state;
	bad.status = V_OCSP_CERTSTATUS_REVOKED;
	responses[0] = maker_ocsp(&good);
	responses[1] = maker_ocsp(&bad);
	q.ocsp = responses;
	q.n_ocsp = 1;
	q.crls = &crl;
	q.n_crls = 1;
	expect(q, PKI_REVOKED, "says the CRL");
	q.n_crls = 0;
	q.n_ocsp = 2;
	expect(q, PKI_REVOKED, "says the OCSP responder");
	maker_free_der(&crl);
	crl = maker_crl(&crl_good);
	q.n_crls = 1;
	expect(q, PKI_REVOKED, "says the OCSP responder");
	maker_free_der(&crl);
	maker_free_der(&responses[0]);
	maker_free_der(&responses[1]);
}

/* Each byte of a response is vouched for, by its signature or as it is compared. */
static void changed_responses(void **state)
{
	struct ocsp_recipe r = { .issuer = &root, .cert = &named, .signer = &signer };
	struct ike_iov good = maker_ocsp(&r);
	uint8_t *copy = malloc(good.len);
	struct ike_iov sent = { copy, good.len };
	struct pki_query q = ask(&named, PKI_REVOCATION_IFURI);
	static const uint8_t try_later[] = { 0x30, 3, 0x0a, 1, 3 };

	(void)state;
	q.ocsp = &sent;
	q.n_ocsp = 1;
	memcpy(copy, good.base, good.len);
	expect(q, PKI_TRUSTED, "");
	for (size_t at = 0; at < good.len; at++) {
		memcpy(copy, good.base, good.len);
		copy[at] ^= 0x01;
		if (pki_verify(&q, &result) != PKI_STATUS_MISSING)
			fail_msg("byte %zu: %s", at, result.text);
	}
	for (size_t cut = 0; cut < good.len; cut++) {
		memcpy(copy, good.base, good.len);
		sent.len = cut;
		expect(q, PKI_STATUS_MISSING, "");
	}
	expect(q, PKI_STATUS_MISSING, "an OCSP response is malformed");
	sent = (struct ike_iov){ try_later, sizeof(try_later) };
	expect(q, PKI_STATUS_MISSING, "the OCSP responder says: trylater");
	sent.len = PKI_MAX_CERT + 1;
	expect(q, PKI_STATUS_MISSING, "an OCSP response is malformed");
	free(copy);
	maker_free_der(&good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_must_be_fetched),
		cmocka_unit_test(refusals_say_what_is_the_default),
		cmocka_unit_test(odd_addresses_are_left_out),
		cmocka_unit_test(strangers_have_nothing_fetched),
		cmocka_unit_test(each_certificate_below_the_anchor),
		cmocka_unit_test(revoked_by_a_crl),
		cmocka_unit_test(crls_that_say_nothing),
		cmocka_unit_test(a_ca_that_may_not_sign_crls),
		cmocka_unit_test(forged_crls_hide_nothing),
		cmocka_unit_test(our_own_crl_is_required_to_be_good),
		cmocka_unit_test(work_is_counted),
		cmocka_unit_test(the_serial_number_is_told),
		cmocka_unit_test(ocsp_responses),
		cmocka_unit_test(ocsp_responses_that_say_nothing),
		cmocka_unit_test(ocsp_below_an_intermediate_ca),
		cmocka_unit_test(one_that_says_revoked_decides),
		cmocka_unit_test(changed_responses),
	};

	return cmocka_run_group_tests(tests, make_fixtures, free_fixtures);
}
