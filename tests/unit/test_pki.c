// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Certificates that prove an identity, and those that must not: each case is made by libcrypto
 * (cert_maker.c), and both the verdict and the sentence are compared. CRLs and OCSP: test_pki_status.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cert_maker.h"
#include "ike/pki/pki.h"
#include "ike/proto/id.h"

#define CA_EXTS "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"
#define NOW_TEXT "this machine's clock says 2026-01-01 00:00:00 UTC"

static struct made root, middle, lower, leaf, other_root;
static struct pki_trust *trust;

static struct pki_trust *trust_in(const struct made *ca)
{
	char err[512];
	struct pki_trust *t = pki_trust_new(&ca->der, 1, NULL, 0, err, sizeof(err));

	if (!t)
		fail_msg("%s", err);
	return t;
}

static int make_fixtures(void **state)
{
	(void)state;
	root = maker_ca("C=CH, O=Example, CN=Root", NULL);
	other_root = maker_ca("C=CH, O=Other, CN=Root", NULL);
	middle = maker_ca("C=CH, O=Example, CN=Middle", &root);
	lower = maker_ca("C=CH, O=Example, CN=Lower", &middle);
	leaf = maker_leaf("C=CH, O=Example, CN=west", &root, "DNS:west.example.org");
	trust = trust_in(&root);
	return 0;
}

static int free_fixtures(void **state)
{
	(void)state;
	pki_trust_free(trust);
	maker_free(&root);
	maker_free(&other_root);
	maker_free(&middle);
	maker_free(&lower);
	maker_free(&leaf);
	return 0;
}

static struct ike_id id_of(const char *text)
{
	struct ike_id id;
	char err[512];

	if (ike_id_from_text(text, &id, err, sizeof(err)))
		fail_msg("%s: %s", text, err);
	return id;
}

/* A question about what the peer sent; @certs ends with NULL. */
static struct pki_query ask_of(const struct pki_trust *t, const struct made *const *certs)
{
	static struct ike_iov sent[16];
	unsigned int n = 0;

	for (; certs[n]; n++)
		sent[n] = certs[n]->der;
	return (struct pki_query){ .trust = t, .certs = sent, .n_certs = n, .now = MAKER_NOW };
}

#define ASK(t, ...) ask_of(t, (const struct made *const[]){ __VA_ARGS__, NULL })

static struct pki_result result;

/* The verdict, and that the sentence has @said in it and is one printable line. */
static void expect(struct pki_query q, enum pki_verdict verdict, const char *said)
{
	pki_verify(&q, &result);
	if (result.verdict != verdict || !strstr(result.text, said))
		fail_msg("verdict %d: %s", result.verdict, result.text);
	for (const char *s = result.text; *s; s++)
		assert_true(*s >= ' ' && *s <= '~');
	if (verdict != PKI_TRUSTED)
		assert_int_equal(result.spki_len, 0);
	if (verdict != PKI_STATUS_MISSING)
		assert_int_equal(result.n_needs, 0);
}

static void expect_id(struct pki_query q, const char *id, enum pki_verdict verdict,
		      const char *said)
{
	struct ike_id claimed = id_of(id);

	q.id = &claimed;
	expect(q, verdict, said);
}

/* ---- good paths ------------------------------------------------------------------ */

static void good_paths(void **state)
{
	struct made under = maker_leaf("CN=a", &lower, "DNS:a.example");
	struct ike_iov spki = maker_spki(&under);

	(void)state;
	expect(ASK(trust, &leaf), PKI_TRUSTED,
	       "'C=CH, O=Example, CN=west', issued by 'C=CH, O=Example, CN=Root', which CA= names");
	expect(ASK(trust, &under, &lower, &middle), PKI_TRUSTED,
	       "'CN=a', issued by 'C=CH, O=Example, CN=Lower', issued by 'C=CH, O=Example, CN=Middle', "
	       "issued by 'C=CH, O=Example, CN=Root', which CA= names");
	assert_int_equal(result.spki_len, spki.len);
	assert_memory_equal(result.spki, spki.base, spki.len);
	/* The root as well; out of order; each one twice; what does not belong there. */
	expect(ASK(trust, &under, &lower, &middle, &root), PKI_TRUSTED, "which CA= names");
	expect(ASK(trust, &under, &middle, &root, &lower), PKI_TRUSTED, "which CA= names");
	expect(ASK(trust, &under, &under, &lower, &lower, &middle, &middle), PKI_TRUSTED,
	       "CA= names");
	expect(ASK(trust, &under, &other_root, &leaf, &lower, &middle), PKI_TRUSTED, "CA= names");
	maker_free_der(&spki);
	maker_free(&under);
}

/* CA= may name an intermediate CA: what that one issued is trusted, not what its issuer did. */
static void an_intermediate_ca_may_be_the_anchor(void **state)
{
	struct pki_trust *t = trust_in(&middle);
	struct made under = maker_leaf("CN=a", &middle, "DNS:a.example");

	(void)state;
	expect(ASK(t, &under), PKI_TRUSTED,
	       "issued by 'C=CH, O=Example, CN=Middle', which CA= names");
	expect(ASK(t, &under, &middle, &root), PKI_TRUSTED, "CN=Middle', which CA= names");
	expect(ASK(t, &leaf, &root), PKI_UNKNOWN_CA,
	       "the CA 'C=CH, O=Example, CN=Root' is self-signed, and CA= does not name it; CA= names "
	       "'C=CH, O=Example, CN=Middle'");
	maker_free(&under);
	pki_trust_free(t);
}

/* What "openssl req -x509" makes is a CA; named with CA=, it may be the peer's own certificate, too. */
static void a_self_signed_certificate_may_be_named(void **state)
{
	struct made self = maker_cert(&(struct recipe){
		.subject = "CN=self", .ext = { "basicConstraints=critical,CA:TRUE" } });
	struct pki_trust *t = trust_in(&self);

	(void)state;
	expect(ASK(t, &self), PKI_TRUSTED, "'CN=self', which CA= names");
	expect(ASK(trust, &self), PKI_UNKNOWN_CA,
	       "the certificate 'CN=self' is self-signed, and CA= does not name it; CA= names "
	       "'C=CH, O=Example, CN=Root'");
	maker_free(&self);
	pki_trust_free(t);
}

static void kinds_of_keys(void **state)
{
	static const struct {
		const char *key, *hash;
	} rows[] = {
		{ "P-256", "SHA256" },	  { "P-384", "SHA384" },    { "P-521", "SHA512" },
		{ "ED25519", NULL },	  { "ED448", NULL },	    { "RSA-2048", "SHA256" },
		{ "PSS-2048", "SHA384" }, { "RSA-3072", "SHA512" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made ca = maker_cert(&(struct recipe){ .subject = "CN=ca",
							      .key = rows[i].key,
							      .hash = rows[i].hash,
							      .ext = { CA_EXTS } });
		struct made a =
			maker_cert(&(struct recipe){ .subject = "CN=a",
						     .issuer = &ca,
						     .same_key = true,
						     .hash = rows[i].hash,
						     .ext = { "keyUsage=digitalSignature" } });
		struct pki_trust *t = trust_in(&ca);
		struct ike_iov spki = maker_spki(&a);

		expect(ASK(t, &a), PKI_TRUSTED, "'CN=a', issued by 'CN=ca', which CA= names");
		assert_int_equal(result.spki_len, spki.len);
		assert_memory_equal(result.spki, spki.base, spki.len);
		maker_free_der(&spki);
		pki_trust_free(t);
		maker_free(&a);
		maker_free(&ca);
	}
}

/* ---- no path --------------------------------------------------------------------- */

static void paths_that_are_none(void **state)
{
	struct made under = maker_leaf("CN=a", &lower, "DNS:a.example");
	struct made stranger = maker_leaf("CN=b", &other_root, "DNS:b.example");

	(void)state;
	expect(ASK(trust, &under), PKI_UNKNOWN_CA,
	       "the certificate 'CN=a' is issued by 'C=CH, O=Example, CN=Lower', which CA= does not name, and "
	       "the peer sent no certificate of that issuer; CA= names 'C=CH, O=Example, CN=Root'");
	expect(ASK(trust, &under, &lower), PKI_UNKNOWN_CA,
	       "the certificate 'C=CH, O=Example, CN=Lower' is issued by 'C=CH, O=Example, CN=Middle'");
	expect(ASK(trust, &stranger), PKI_UNKNOWN_CA,
	       "issued by 'C=CH, O=Other, CN=Root', which CA= does not name");
	expect(ASK(trust, &stranger, &other_root), PKI_UNKNOWN_CA,
	       "the CA 'C=CH, O=Other, CN=Root' is self-signed, and CA= does not name it");
	expect(ASK(NULL, &leaf), PKI_UNKNOWN_CA,
	       "the peer sent a certificate, and there is no CA= to trust it by");
	maker_free(&under);
	maker_free(&stranger);
}

/* A CA that anybody made, of the name of ours: with and without the key identifiers that tell them apart. */
static void a_self_made_ca_of_the_same_name(void **state)
{
	struct made with = maker_ca("C=CH, O=Example, CN=Root", NULL);
	struct made without = maker_cert(
		&(struct recipe){ .subject = "C=CH, O=Example, CN=Root", .ext = { CA_EXTS } });
	struct made a = maker_leaf("CN=a", &with, "DNS:a.example");
	struct made b = maker_cert(&(struct recipe){
		.subject = "CN=b", .issuer = &without, .ext = { "subjectAltName=DNS:a.example" } });

	(void)state;
	expect(ASK(trust, &a), PKI_UNKNOWN_CA,
	       "CA= names a CA of that name, but with another key; CA= names 'C=CH, O=Example, CN=Root'");
	expect(ASK(trust, &a, &with), PKI_UNKNOWN_CA,
	       "the CA 'C=CH, O=Example, CN=Root' is self-signed, and CA= does not name it: CA= names a CA of "
	       "that name, but with another key");
	expect(ASK(trust, &b), PKI_BAD_SIGNATURE,
	       "the certificate 'CN=b' names 'C=CH, O=Example, CN=Root' as its issuer, but was not signed with "
	       "that CA's key: it was changed, or another CA has the same name");
	expect(ASK(trust, &b, &without), PKI_BAD_SIGNATURE, "not signed with that CA's key");
	maker_free(&a);
	maker_free(&b);
	maker_free(&with);
	maker_free(&without);
}

/* A CA gets a new key and keeps its name: both may be named for a time. */
static void a_ca_with_a_new_key(void **state)
{
	struct made old = maker_ca("CN=Root", NULL), new = maker_ca("CN=Root", NULL);
	struct made a = maker_leaf("CN=a", &old, "DNS:a.example");
	struct made b = maker_leaf("CN=b", &new, "DNS:b.example");
	struct ike_iov cas[2] = { old.der, new.der };
	char err[200];
	struct pki_trust *both = pki_trust_new(cas, 2, NULL, 0, err, sizeof(err));

	(void)state;
	expect(ASK(both, &a), PKI_TRUSTED, "");
	expect(ASK(both, &b), PKI_TRUSTED, "");
	expect(ASK(both, &a, &new, &old), PKI_TRUSTED, "");
	pki_trust_free(both);
	maker_free(&a);
	maker_free(&b);
	maker_free(&old);
	maker_free(&new);
}

/* Each byte of a certificate is vouched for: if one is changed, it is not trusted. */
static void changed_certificates(void **state)
{
	uint8_t *copy = calloc(1, leaf.der.len + 1);
	struct ike_iov sent = { copy, leaf.der.len };
	struct pki_query q = { .trust = trust, .certs = &sent, .n_certs = 1, .now = MAKER_NOW };

	(void)state;
	for (size_t at = 0; at < leaf.der.len; at++) {
		memcpy(copy, leaf.der.base, leaf.der.len);
		copy[at] ^= 0x01;
		if (pki_verify(&q, &result) == PKI_TRUSTED)
			fail_msg("byte %zu", at);
		assert_true(*result.text);
	}
	for (size_t cut = 0; cut < leaf.der.len; cut++) {
		memcpy(copy, leaf.der.base, leaf.der.len);
		sent.len = cut;
		assert_int_equal(pki_verify(&q, &result), PKI_MALFORMED);
		assert_string_equal(result.text,
				    "certificate 1 of 1 that the peer sent is malformed");
	}
	memcpy(copy, leaf.der.base, leaf.der.len);
	sent.len = leaf.der.len + 1; /* a byte behind it */
	assert_int_equal(pki_verify(&q, &result), PKI_MALFORMED);
	free(copy);
}

/* Two CAs that issued each other's certificates: the path ends, and finds the anchor if there is one. */
static void cross_signed_loops(void **state)
{
	struct made a = maker_ca("CN=A", NULL), b = maker_ca("CN=B", &a);
	struct made a_of_b = maker_cert(&(struct recipe){
		.subject = "CN=A", .issuer = &b, .ext = { CA_EXTS, "subjectKeyIdentifier=hash" } });
	struct made b_of_a = maker_ca("CN=B", &a_of_b);
	struct made end = maker_leaf("CN=end", &b_of_a, "DNS:end.example");
	struct pki_trust *t = trust_in(&b);

	(void)state;
	expect(ASK(trust, &end, &b_of_a, &a_of_b, &b, &a), PKI_UNKNOWN_CA, "CA= does not name");
	expect(ASK(t, &end, &b_of_a, &a_of_b, &b, &a), PKI_TRUSTED,
	       "issued by 'CN=B', which CA= names");
	maker_free(&end);
	maker_free(&b_of_a);
	maker_free(&a_of_b);
	maker_free(&b);
	maker_free(&a);
	pki_trust_free(t);
}

/* ---- time ------------------------------------------------------------------------ */

static void times(void **state)
{
	struct made old = maker_cert(
		&(struct recipe){ .subject = "CN=old", .issuer = &root, .until = MAKER_NOW - 1 });
	struct made early = maker_cert(
		&(struct recipe){ .subject = "CN=early", .issuer = &root, .from = MAKER_NOW + 1 });
	struct made ca = maker_cert(&(struct recipe){ .subject = "CN=oldCA",
						      .issuer = &root,
						      .until = MAKER_NOW - MAKER_DAY,
						      .ext = { CA_EXTS } });
	struct made under = maker_leaf("CN=a", &ca, "DNS:a.example");
	struct pki_query q = ASK(trust, &old);

	(void)state;
	expect(q, PKI_EXPIRED,
	       "the certificate 'CN=old' expired on 2025-12-31 23:59:59 UTC, and " NOW_TEXT
	       ": it has to be renewed, unless the clock is wrong");
	q.now -= 2; /* libcrypto ends it with its last second's beginning */
	expect(q, PKI_TRUSTED, "");
	q = ASK(trust, &early);
	expect(q, PKI_NOT_YET_VALID,
	       "the certificate 'CN=early' is valid from 2026-01-01 00:00:01 UTC on, and " NOW_TEXT
	       ": the clock has to be set, unless the certificate is for later");
	q.now++;
	expect(q, PKI_TRUSTED, "");
	expect(ASK(trust, &under, &ca), PKI_EXPIRED,
	       "the certificate 'CN=oldCA' expired on 2025-12-31 00:00:00 UTC");
	q = ASK(trust, &leaf); /* the anchor's end counts, too; and a clock that was never set */
	q.now = MAKER_NOW + 400 * (int64_t)MAKER_DAY;
	expect(q, PKI_EXPIRED, "the certificate 'C=CH, O=Example, CN=");
	q.now = 0;
	expect(q, PKI_NOT_YET_VALID, "this machine's clock says 1970-01-01 00:00:00 UTC");
	maker_free(&old);
	maker_free(&early);
	maker_free(&under);
	maker_free(&ca);
}

/* ---- what a CA may ---------------------------------------------------------------- */

static void issuers_that_must_not_issue(void **state)
{
	struct made no_ca = maker_leaf("CN=user", &root, "DNS:user.example");
	struct made a = maker_leaf("CN=a", &no_ca, "DNS:a.example");
	struct made no_sign = maker_cert(&(struct recipe){
		.subject = "CN=nosign",
		.issuer = &root,
		.ext = { "basicConstraints=critical,CA:TRUE", "keyUsage=critical,cRLSign" } });
	struct made b = maker_leaf("CN=b", &no_sign, "DNS:b.example");
	struct made v1 = maker_cert(&(struct recipe){ .subject = "CN=v1", .issuer = &root });
	struct made c = maker_leaf("CN=c", &v1, "DNS:c.example");
	struct made plain = maker_cert(&(struct recipe){
		.subject = "CN=plain", .issuer = &root, .ext = { "subjectKeyIdentifier=hash" } });
	struct made d = maker_leaf("CN=d", &plain, "DNS:d.example");

	(void)state;
	expect(ASK(trust, &no_ca), PKI_TRUSTED, "");
	expect(ASK(trust, &a, &no_ca), PKI_NOT_A_CA, "'CN=user'");
	expect(ASK(trust, &b, &no_sign), PKI_NOT_A_CA,
	       "the certificate 'CN=nosign' issued another one, and must not: its keyUsage has no keyCertSign");
	expect(ASK(trust, &c, &v1), PKI_NOT_A_CA,
	       "the certificate 'CN=v1' issued another one, and must not: it is not that of a CA (basicConstraints)");
	expect(ASK(trust, &d, &plain), PKI_NOT_A_CA,
	       "the certificate 'CN=plain' issued another one");
	maker_free(&a);
	maker_free(&b);
	maker_free(&c);
	maker_free(&d);
	maker_free(&no_ca);
	maker_free(&no_sign);
	maker_free(&v1);
	maker_free(&plain);
}

static void path_lengths(void **state)
{
	struct made zero = maker_cert(&(struct recipe){
		.subject = "CN=zero",
		.issuer = &root,
		.ext = { "basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=keyCertSign" } });
	struct made below = maker_ca("CN=below", &zero);
	struct made near = maker_leaf("CN=near", &zero, "DNS:a.example");
	struct made far = maker_leaf("CN=far", &below, "DNS:a.example");
	struct made ca[7], long_way;
	const struct made *issuer = &root;

	(void)state;
	expect(ASK(trust, &near, &zero), PKI_TRUSTED, "");
	expect(ASK(trust, &far, &below, &zero), PKI_PATH_TOO_LONG,
	       "the CA 'CN=zero' may have 0 other CAs between itself and the leaf (pathLenConstraint), and "
	       "there are more");
	for (unsigned int i = 0; i < 7; i++) {
		char name[16];

		snprintf(name, sizeof(name), "CN=ca%u", i);
		ca[i] = maker_ca(name, issuer);
		issuer = &ca[i];
	}
	long_way = maker_leaf("CN=a", &ca[4], "DNS:a.example");
	expect(ASK(trust, &long_way, &ca[4], &ca[3], &ca[2], &ca[1], &ca[0]), PKI_TRUSTED, "");
	maker_free(&long_way);
	long_way = maker_leaf("CN=a", &ca[5], "DNS:a.example");
	expect(ASK(trust, &long_way, &ca[5], &ca[4], &ca[3], &ca[2], &ca[1], &ca[0]),
	       PKI_PATH_TOO_LONG,
	       "there are more than 5 CAs between the leaf and one that CA= names");
	maker_free(&long_way);
	for (unsigned int i = 0; i < 7; i++)
		maker_free(&ca[i]);
	maker_free(&near);
	maker_free(&far);
	maker_free(&below);
	maker_free(&zero);
}

static void name_constraints(void **state)
{
	struct made ca = maker_cert(&(struct recipe){
		.subject = "CN=dept",
		.issuer = &root,
		.ext = { CA_EXTS,
			 "nameConstraints=critical,permitted;DNS:dept.example.org,"
			 "permitted;IP:10.0.0.0/255.0.0.0,excluded;DNS:bad.dept.example.org" } });
	static const struct {
		const char *san;
		enum pki_verdict verdict;
		const char *said;
	} rows[] = {
		{ "DNS:a.dept.example.org", PKI_TRUSTED, "" },
		{ "IP:10.1.2.3", PKI_TRUSTED, "" },
		{ "email:a@elsewhere.example", PKI_TRUSTED,
		  "" }, /* of a kind that nothing is said about */
		{ "DNS:a.example.org", PKI_NAME_CONSTRAINT,
		  "the certificate 'OU=x' is for 'a.example.org', 'OU=x', and a CA above it must not issue for "
		  "that (name constraints)" },
		{ "DNS:x.bad.dept.example.org", PKI_NAME_CONSTRAINT, "must not issue for that" },
		{ "IP:192.0.2.1", PKI_NAME_CONSTRAINT,
		  "is for '192.0.2.1', 'OU=x', and a CA above it" },
		{ "DNS:a.dept.example.org,DNS:b.example.org", PKI_NAME_CONSTRAINT,
		  "'b.example.org'" },
	};
	struct made cn =
		maker_cert(&(struct recipe){ .subject = "CN=evil.example.org", .issuer = &ca });

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made a = maker_leaf("OU=x", &ca, rows[i].san);

		expect(ASK(trust, &a, &ca), rows[i].verdict, rows[i].said);
		maker_free(&a);
	}
	/* A CN that could be a name counts as one here. */
	expect(ASK(trust, &cn, &ca), PKI_NAME_CONSTRAINT, "must not issue for that");
	maker_free(&cn);
	maker_free(&ca);
}

static void policies(void **state)
{
	struct made ca = maker_cert(&(struct recipe){
		.subject = "CN=policy",
		.issuer = &root,
		.ext = { CA_EXTS, "certificatePolicies=1.2.3.4",
			 "policyConstraints=critical,requireExplicitPolicy:0" } });
	struct made good = maker_cert(&(struct recipe){
		.subject = "CN=good", .issuer = &ca, .ext = { "certificatePolicies=1.2.3.4" } });
	struct made bad = maker_cert(&(struct recipe){
		.subject = "CN=bad", .issuer = &ca, .ext = { "certificatePolicies=1.2.3.5" } });

	(void)state;
	expect(ASK(trust, &good, &ca), PKI_TRUSTED, "");
	expect(ASK(trust, &bad, &ca), PKI_FAILED, "a CA of the path wants certificatePolicies");
	maker_free(&good);
	maker_free(&bad);
	maker_free(&ca);
}

static void critical_extensions(void **state)
{
	struct made a = maker_cert(&(struct recipe){
		.subject = "CN=a", .issuer = &root, .ext = { "1.2.3.4.5=critical,DER:0500" } });
	struct made b = maker_cert(&(struct recipe){
		.subject = "CN=b", .issuer = &root, .ext = { "1.2.3.4.5=DER:0500" } });
	struct made ca =
		maker_cert(&(struct recipe){ .subject = "CN=ca",
					     .issuer = &root,
					     .ext = { CA_EXTS, "1.2.3.6=critical,DER:0500" } });
	struct made c = maker_leaf("CN=c", &ca, "DNS:c.example");

	(void)state;
	expect(ASK(trust, &a), PKI_CRITICAL_EXTENSION,
	       "the certificate 'CN=a' has the critical extension 1.2.3.4.5, which is not known here");
	expect(ASK(trust, &b), PKI_TRUSTED, "");
	expect(ASK(trust, &c, &ca), PKI_CRITICAL_EXTENSION,
	       "the certificate 'CN=ca' has the critical extension 1.2.3.6");
	maker_free(&a);
	maker_free(&b);
	maker_free(&c);
	maker_free(&ca);
}

/* ---- algorithms ------------------------------------------------------------------ */

static void weak_signatures(void **state)
{
	struct made sha1 = maker_cert(
		&(struct recipe){ .subject = "CN=sha1", .issuer = &root, .hash = "SHA1" });
	struct made ca = maker_cert(&(struct recipe){
		.subject = "CN=ca", .issuer = &root, .hash = "SHA1", .ext = { CA_EXTS } });
	struct made under = maker_leaf("CN=under", &ca, "DNS:a.example");
	struct made rsa = maker_cert(&(struct recipe){
		.subject = "CN=rsa", .key = "RSA-2048", .hash = "MD5", .ext = { CA_EXTS } });
	struct made md5 =
		maker_cert(&(struct recipe){ .subject = "CN=md5", .issuer = &rsa, .hash = "MD5" });
	struct made sha224 = maker_cert(
		&(struct recipe){ .subject = "CN=sha224", .issuer = &root, .hash = "SHA224" });
	struct made fine = maker_leaf("CN=fine", &rsa, "DNS:a.example");
	struct pki_trust *t = trust_in(&rsa);
	struct pki_query q = ASK(trust, &sha1);

	(void)state;
	expect(q, PKI_WEAK,
	       "the certificate 'CN=sha1' is signed by 'C=CH, O=Example, CN=Root' with SHA-1; SHA-256, "
	       "SHA-384, SHA-512, Ed25519 and Ed448 are taken");
	q.flags = PKI_ALLOW_SHORT_RSA;
	expect(q, PKI_WEAK, "with SHA-1");
	q.flags = PKI_ALLOW_SHA1;
	expect(q, PKI_TRUSTED, "");
	expect(ASK(trust, &under, &ca), PKI_WEAK, "the certificate 'CN=ca' is signed by");
	q = ASK(t, &md5);
	expect(q, PKI_WEAK, "the certificate 'CN=md5' is signed by 'CN=rsa' with MD5");
	q.flags = PKI_ALLOW_SHA1;
	expect(q, PKI_WEAK, "with MD5");
	expect(ASK(trust, &sha224), PKI_WEAK, "with SHA224");
	expect(ASK(t, &fine), PKI_TRUSTED, ""); /* how the anchor signed itself does not matter */
	maker_free(&sha1);
	maker_free(&under);
	maker_free(&ca);
	maker_free(&md5);
	maker_free(&fine);
	maker_free(&sha224);
	maker_free(&rsa);
	pki_trust_free(t);
}

static void weak_keys(void **state)
{
	static const struct {
		const char *key;
		unsigned int flags;
		enum pki_verdict verdict;
		const char *said;
	} rows[] = {
		{ "RSA-1024", 0, PKI_WEAK,
		  "the key of the certificate 'CN=a' is RSA with 1024 bits; RSA with 2048 to 8192 bits" },
		{ "RSA-1024", PKI_ALLOW_SHA1, PKI_WEAK, "is RSA with 1024 bits" },
		{ "RSA-1024", PKI_ALLOW_SHORT_RSA, PKI_TRUSTED, "" },
		{ "RSA-768", PKI_ALLOW_SHORT_RSA, PKI_WEAK, "is RSA with 768 bits" },
		/* What would be costly to verify with, were it that of a CA. */
		{ "FAKE-8193-17", PKI_ALLOW_SHORT_RSA, PKI_WEAK, "is RSA with 8193 bits" },
		{ "FAKE-8192-17", 0, PKI_TRUSTED, "" },
		{ "FAKE-2048-65", 0, PKI_WEAK, "is RSA with an unusual exponent" },
		{ "FAKE-2048-1", 0, PKI_WEAK, "is RSA with an unusual exponent" },
		/* A curve that is spelled out may be another than it looks like (CVE-2020-0601). */
		{ "EXPLICIT-P-256", 0, PKI_WEAK, "is ECDSA on a curve without a name" },
		{ "P-192", 0, PKI_WEAK, "is ECDSA on the curve prime192v1" },
		{ "P-224", 0, PKI_WEAK, "is ECDSA on the curve secp224r1" },
		{ "brainpoolP256r1", 0, PKI_WEAK, "is ECDSA on the curve brainpoolP256r1" },
	};
	struct made ca = maker_cert(&(struct recipe){
		.subject = "CN=ca", .issuer = &root, .key = "RSA-1024", .ext = { CA_EXTS } });
	struct made under = maker_leaf("CN=under", &ca, "DNS:a.example");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made a = maker_cert(
			&(struct recipe){ .subject = "CN=a", .issuer = &root, .key = rows[i].key });
		struct pki_query q = ASK(trust, &a);

		q.flags = rows[i].flags;
		expect(q, rows[i].verdict, rows[i].said);
		maker_free(&a);
	}
	expect(ASK(trust, &under, &ca), PKI_WEAK,
	       "the key of the certificate 'CN=ca' is RSA with 1024 bits");
	maker_free(&under);
	maker_free(&ca);
}

/* ---- usage ----------------------------------------------------------------------- */

static void key_usage(void **state)
{
	static const struct {
		const char *usage;
		enum pki_verdict verdict;
	} rows[] = {
		{ "keyUsage=digitalSignature", PKI_TRUSTED },
		{ "keyUsage=critical,nonRepudiation,keyEncipherment", PKI_TRUSTED },
		{ "keyUsage=critical,keyEncipherment", PKI_WRONG_USAGE },
		{ "keyUsage=critical,keyAgreement", PKI_WRONG_USAGE },
		{ "keyUsage=keyCertSign,cRLSign", PKI_WRONG_USAGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made a = maker_cert(&(struct recipe){
			.subject = "CN=a", .issuer = &root, .ext = { rows[i].usage } });

		expect(ASK(trust, &a), rows[i].verdict,
		       rows[i].verdict == PKI_TRUSTED
			       ? ""
			       : "the key of the certificate 'CN=a' is not for signing (its keyUsage has neither "
				 "digitalSignature nor nonRepudiation)");
		maker_free(&a);
	}
}

static void extended_key_usage(void **state)
{
	enum { ANY = 1, SERVER = 2, CLIENT = 4 }; /* as 1 << enum pki_usage */
	static const struct {
		const char *usage; /* NULL: no extension */
		unsigned int right;
		const char *said;
	} rows[] = {
		{ NULL, ANY,
		  "is for no purpose that it says (extendedKeyUsage), and it has to be for" },
		{ "serverAuth", ANY | SERVER,
		  "is for serverAuth (extendedKeyUsage), and it has to be for "
		  "clientAuth or ipsecIKE" },
		{ "clientAuth", ANY | CLIENT,
		  "is for clientAuth (extendedKeyUsage), and it has to be for "
		  "serverAuth or ipsecIKE" },
		{ "serverAuth,clientAuth", ANY | SERVER | CLIENT, "" },
		{ "1.3.6.1.5.5.7.3.17", ANY | SERVER | CLIENT, "" },
		{ "anyExtendedKeyUsage", ANY | SERVER | CLIENT, "" },
		{ "1.3.6.1.5.5.8.2.2", ANY, "1.3.6.1.5.5.8.2.2 (extendedKeyUsage)" },
		{ "emailProtection,codeSigning", 0,
		  "is for emailProtection, codeSigning (extendedKeyUsage)" },
		{ "1.2.3.4.5", 0, "is for 1.2.3.4.5 (extendedKeyUsage)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[100];
		struct made a;

		snprintf(text, sizeof(text), "extendedKeyUsage=%s",
			 rows[i].usage ? rows[i].usage : "");
		a = maker_cert(&(struct recipe){
			.subject = "CN=a",
			.issuer = &root,
			.ext = { rows[i].usage ? text : "subjectAltName=DNS:a.example" } });
		for (enum pki_usage u = PKI_USAGE_ANY; u <= PKI_USAGE_CLIENT; u++) {
			struct pki_query q = ASK(trust, &a);
			bool right = rows[i].right >> u & 1;

			q.usage = u;
			expect(q, right ? PKI_TRUSTED : PKI_WRONG_USAGE, right ? "" : rows[i].said);
		}
		maker_free(&a);
	}
}

/* A CA for e-mail alone does not issue certificates for IKE. */
static void extended_key_usage_of_a_ca(void **state)
{
	struct made mail = maker_cert(
		&(struct recipe){ .subject = "CN=mail",
				  .issuer = &root,
				  .ext = { CA_EXTS, "extendedKeyUsage=emailProtection" } });
	struct made tls =
		maker_cert(&(struct recipe){ .subject = "CN=tls",
					     .issuer = &root,
					     .ext = { CA_EXTS, "extendedKeyUsage=clientAuth" } });
	struct made a = maker_leaf("CN=a", &mail, "DNS:a.example");
	struct made b = maker_cert(&(struct recipe){
		.subject = "CN=b", .issuer = &tls, .ext = { "extendedKeyUsage=serverAuth" } });
	struct pki_query q;

	(void)state;
	expect(ASK(trust, &a, &mail), PKI_WRONG_USAGE,
	       "the certificate 'CN=mail' is for emailProtection (extendedKeyUsage), and it has to be for "
	       "serverAuth, clientAuth or ipsecIKE");
	q = ASK(trust, &b, &tls);
	expect(q, PKI_TRUSTED, "");
	q.usage = PKI_USAGE_SERVER;
	expect(q, PKI_WRONG_USAGE, "the certificate 'CN=tls' is for clientAuth");
	maker_free(&a);
	maker_free(&b);
	maker_free(&mail);
	maker_free(&tls);
}

/* ---- identities ------------------------------------------------------------------ */

static void identities(void **state)
{
	struct made a =
		maker_leaf("C=CH, O=Example, CN=cn.example.org", &root,
			   "DNS:a.example.org,DNS:*.wild.example.org,email:Alice@example.org,"
			   "IP:192.0.2.1,IP:2001:db8::1,URI:http://a.example/");
	static const struct {
		const char *id;
		bool right;
	} rows[] = {
		{ "a.example.org", true },
		{ "A.Example.ORG", true },
		{ "Alice@EXAMPLE.org", true },
		{ "192.0.2.1", true },
		{ "2001:db8::1", true },
		{ "C=CH, O=Example, CN=cn.example.org", true },
		{ "C=ch, O=EXAMPLE,  CN=CN.example.org", true },
		{ "alice@example.org", false },
		{ "b.example.org", false },
		{ "xa.example.org", false },
		{ "a.example.org.", false },
		{ "example.org", false },
		{ "cn.example.org", false },
		{ "192.0.2.2", false },
		{ "fqdn:192.0.2.1", false },
		{ "email:a.example.org@x", false },
		{ "keyid:a.example.org", false },
		{ "C=CH, O=Example", false },
		{ "C=CH, O=Example, CN=cn.example.org, OU=x", false },
		{ "O=Example, C=CH, CN=cn.example.org", false },
		/* A "*" stands for nothing, neither what a peer claims nor what a certificate has. */
		{ "*.example.org", false },
		{ "*@example.org", false },
		{ "C=CH, O=Example, CN=*", false },
		{ "x.wild.example.org", false },
	};
	struct ike_id ids[3], id;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		expect_id(ASK(trust, &a), rows[i].id,
			  rows[i].right ? PKI_TRUSTED : PKI_WRONG_IDENTITY,
			  rows[i].right ? "" : "the peer claims to be '");
		id = id_of(rows[i].id);
		assert_int_equal(pki_cert_choose_id(&a.der, &id), rows[i].right);
	}
	expect_id(
		ASK(trust, &a), "b.example.org", PKI_WRONG_IDENTITY,
		"the peer claims to be 'b.example.org', and its certificate 'C=CH, O=Example, "
		"CN=cn.example.org' is for 'a.example.org', '*.wild.example.org', 'Alice@example.org', "
		"'192.0.2.1' and 2 others: it has to claim one of these, or to have a certificate for what "
		"it claims");
	expect_id(ASK(trust, &a), "cn.example.org", PKI_WRONG_IDENTITY,
		  "as dNSName of its subjectAltName (the CN is no identity)");
	memset(ids, 0, sizeof(ids));
	assert_int_equal(pki_cert_ids(&a.der, ids, 3), 6);
	id = id_of("Alice@example.org");
	assert_true(ike_id_eq(&ids[2], &id));
	/* Of two that are equal, the certificate's is chosen; without a wish, the first. */
	id = id_of("Alice@EXAMPLE.org");
	assert_true(pki_cert_choose_id(&a.der, &id));
	assert_memory_equal(id.data, ids[2].data, id.len);
	id = (struct ike_id){ 0 };
	assert_true(pki_cert_choose_id(&a.der, &id));
	assert_true(ike_id_eq(&id, &ids[0]));
	maker_free(&a);
}

static void the_cn_is_a_name_only_if_asked(void **state)
{
	struct made cn = maker_cert(
		&(struct recipe){ .subject = "O=x, CN=cn.example.org", .issuer = &root });
	struct made both = maker_leaf("CN=cn.example.org", &root, "DNS:a.example.org");
	struct made two = maker_cert(&(struct recipe){
		.subject = "CN=cn.example.org, CN=b.example.org", .issuer = &root });
	struct pki_query q = ASK(trust, &cn);

	(void)state;
	expect_id(q, "cn.example.org", PKI_WRONG_IDENTITY, "the CN is no identity");
	q.flags = PKI_CN_IS_NAME;
	expect_id(q, "CN.example.org", PKI_TRUSTED, "");
	expect_id(q, "b.example.org", PKI_WRONG_IDENTITY, "is for 'O=x, CN=cn.example.org'");
	expect_id(q, "*.example.org", PKI_WRONG_IDENTITY, "");
	q = ASK(trust, &both);
	q.flags = PKI_CN_IS_NAME;
	expect_id(q, "cn.example.org", PKI_WRONG_IDENTITY, "");
	q = ASK(trust, &two);
	q.flags = PKI_CN_IS_NAME;
	expect_id(q, "cn.example.org", PKI_WRONG_IDENTITY, "");
	maker_free(&cn);
	maker_free(&both);
	maker_free(&two);
}

/* "a.example\0.evil.org" as dNSName and rfc822Name, and as CN; letters beyond ASCII; a space. */
static void names_that_are_none(void **state)
{
	struct made nul =
		maker_cert(&(struct recipe){ .subject = "CN=x",
					     .issuer = &root,
					     .ext = { "subjectAltName=DER:302e"
						      "8213612e6578616d706c65002e6576696c2e6f7267"
						      "810e6140622e6578616d706c65002e78"
						      "820761206220632e64" } });
	struct made idn = maker_cert(&(struct recipe){
		.subject = "CN=x",
		.issuer = &root,
		.ext = { "subjectAltName=DER:3026820f7ac3bc726963682e6578616d706c65"
			 "8213786e2d2d7a7269636834732e6578616d706c65" } });
	struct made cn = maker_cert(&(struct recipe){
		.subject =
			"dn:0x3020311e301c06035504030c15612e6578616d706c652e6f7267002e6576696c2e78",
		.issuer = &root });
	struct ike_id claim = id_of("a.example"), ids[4];
	const struct ike_iov nothing = { "", 0 };
	struct pki_query q = ASK(trust, &nul);

	(void)state;
	q.id = &claim;
	expect(q, PKI_WRONG_IDENTITY, "is for 'CN=x': it has to claim");
	claim.len = 0x13;
	memcpy(claim.data, "a.example\0.evil.org", 0x13);
	expect(q, PKI_WRONG_IDENTITY, "claims to be 'fqdn:a.example\\x00.evil.org', and");
	assert_int_equal(pki_cert_ids(&nul.der, ids, 4), 1);
	assert_int_equal(pki_cert_ids(&nothing, ids, 4), 0);
	/* Of an IDN only the ASCII form is a name. */
	expect_id(ASK(trust, &idn), "xn--zrich4s.example", PKI_TRUSTED, "");
	assert_int_equal(pki_cert_ids(&idn.der, ids, 4), 2);
	claim = id_of("a.example");
	claim.len = 15;
	memcpy(claim.data, "z\xc3\xbcrich.example", 15);
	q = ASK(trust, &idn);
	q.id = &claim;
	expect(q, PKI_WRONG_IDENTITY, "claims to be 'fqdn:z\\xc3\\xbcrich.example'");
	q = ASK(trust, &cn);
	q.flags = PKI_CN_IS_NAME;
	expect_id(q, "a.example.org", PKI_WRONG_IDENTITY, "CN=a.example.org\\00.evil.x");
	maker_free(&nul);
	maker_free(&idn);
	maker_free(&cn);
}

/* All certificates with an empty subject would have one identity. */
static void an_empty_subject_is_no_identity(void **state)
{
	struct made a = maker_leaf("", &root, "DNS:a.example");
	struct ike_id empty = { .type = IKE_ID_DER_DN, .len = 2, .data = { 0x30, 0 } };
	struct pki_query q = ASK(trust, &a);

	(void)state;
	q.id = &empty;
	expect(q, PKI_WRONG_IDENTITY, "its certificate '(no name)' is for 'a.example': it");
	expect_id(ASK(trust, &a), "a.example", PKI_TRUSTED, "'(no name)', issued by");
	maker_free(&a);
}

static void trust_compares(void **state)
{
	const struct ike_iov both[] = { root.der, other_root.der };
	struct ike_iov crl = maker_crl(&(struct crl_recipe){ .issuer = &root });
	char err[512];
	struct pki_trust *again = trust_in(&root), *other = trust_in(&other_root);
	struct pki_trust *two = pki_trust_new(both, 2, NULL, 0, err, sizeof(err));
	struct pki_trust *listed = pki_trust_new(both, 1, &crl, 1, err, sizeof(err));

	(void)state;
	assert_true(pki_trust_same(trust, trust));
	assert_true(pki_trust_same(trust, again));
	assert_false(pki_trust_same(trust, other));
	assert_false(pki_trust_same(trust, two));
	assert_false(pki_trust_same(two, trust));
	assert_false(pki_trust_same(trust, listed));
	assert_true(pki_trust_same(listed, listed));
	pki_trust_free(again);
	pki_trust_free(other);
	pki_trust_free(two);
	pki_trust_free(listed);
	maker_free_der(&crl);
}

/* By the keys and the bytes, also of what is refused; and the time is that of the certificate that ends first. */
static void cost_and_end(void **state)
{
	struct made slow = maker_cert(&(struct recipe){
		.subject = "CN=slow", .issuer = &root, .key = "P-384", .ext = { CA_EXTS } });
	struct made short_ca = maker_cert(&(struct recipe){ .subject = "CN=short",
							    .issuer = &root,
							    .until = MAKER_NOW + 2 * MAKER_DAY,
							    .ext = { CA_EXTS } });
	struct made of_slow = maker_leaf("CN=a", &slow, "DNS:a.example");
	struct made of_short = maker_leaf("CN=b", &short_ca, "DNS:a.example");
	struct made stranger = maker_leaf("CN=c", &slow, "DNS:a.example");
	unsigned int one;

	(void)state;
	expect(ASK(trust, &leaf), PKI_TRUSTED, "");
	one = result.cost; /* P-256 twice */
	assert_in_range(one, 300, 350);
	assert_true(result.not_after > MAKER_NOW + 300LL * MAKER_DAY);
	expect(ASK(trust, &of_slow, &slow), PKI_TRUSTED, "");
	assert_in_range(result.cost, one + 1500, one + 1600);
	expect(ASK(trust, &stranger), PKI_UNKNOWN_CA, "");
	assert_in_range(result.cost, 150, 200);
	expect(ASK(trust, &of_short, &short_ca), PKI_TRUSTED, "");
	assert_int_equal(result.not_after, MAKER_NOW + 2 * MAKER_DAY);
	maker_free(&stranger);
	maker_free(&of_short);
	maker_free(&of_slow);
	maker_free(&short_ca);
	maker_free(&slow);
}

/* ---- much ------------------------------------------------------------------------ */

static void too_many_and_too_long(void **state)
{
	static struct ike_iov many[1000];
	static uint8_t long_one[1 << 20];
	struct pki_query q = { .trust = trust, .certs = many, .now = MAKER_NOW };

	(void)state;
	expect(q, PKI_NO_CERT,
	       "the peer sent no certificate: it needs one, or its key has to be named with "
	       "PublicKey=");
	for (unsigned int i = 0; i < 1000; i++)
		many[i] = leaf.der;
	q.n_certs = 1000;
	expect(q, PKI_TOO_MUCH, "the peer sent 1000 certificates, and 8 may be sent");
	q.n_certs = PKI_MAX_CERTS + 1;
	expect(q, PKI_TOO_MUCH, "the peer sent 9 certificates");
	q.n_certs = PKI_MAX_CERTS;
	expect(q, PKI_TRUSTED, "");
	many[1] = (struct ike_iov){ long_one, sizeof(long_one) };
	expect(q, PKI_TOO_MUCH, "certificate 2 of 8 has 1048576 bytes, and 12288 are taken");
	for (unsigned int i = 0; i < PKI_MAX_CERTS; i++)
		many[i] = (struct ike_iov){ long_one, 2 * 1024 };
	expect(q, PKI_TOO_MUCH, "the certificates have 16384 bytes, and 12288 are taken");
}

/* A certificate of 11 KB, of names or of a serial number. */
static void large_but_within_the_limits(void **state)
{
	char *names = malloc(32768), serial[8001];
	size_t len = (size_t)sprintf(names, "subjectAltName=DNS:a0.example");
	struct made a, b;

	(void)state;
	for (unsigned int i = 1; i < 700; i++)
		len += (size_t)sprintf(names + len, ",DNS:a%u.example", i);
	a = maker_cert(&(struct recipe){ .subject = "CN=many", .issuer = &root, .ext = { names } });
	assert_in_range(a.der.len, 10000, PKI_MAX_CERT);
	expect_id(ASK(trust, &a), "a699.example", PKI_TRUSTED, "");
	expect_id(ASK(trust, &a), "a700.example", PKI_WRONG_IDENTITY,
		  "'a3.example' and 697 others");
	memset(serial, '7', 8000);
	serial[8000] = '\0';
	b = maker_cert(
		&(struct recipe){ .subject = "CN=serial", .issuer = &root, .serial = serial });
	expect(ASK(trust, &b), PKI_TRUSTED, "");
	maker_free(&a);
	maker_free(&b);
	free(names);
}

/* Many names against many constraints is a product, which libcrypto bounds. */
static void names_times_constraints(void **state)
{
	char *names = malloc(65536), *rules = malloc(65536);
	size_t n = (size_t)sprintf(names, "subjectAltName=DNS:aa"), r;
	struct made ca, a;

	(void)state;
	r = (size_t)sprintf(rules, "nameConstraints=permitted;DNS:b");
	for (unsigned int i = 0; i < 1030; i++) {
		n += (size_t)sprintf(names + n, ",DNS:%c%c", 'a' + i % 26, 'a' + i / 26 % 26);
		r += (size_t)sprintf(rules + r, ",excluded;DNS:%c%c", 'a' + i % 26,
				     'a' + i / 26 % 26);
	}
	ca = maker_cert(
		&(struct recipe){ .subject = "CN=ca", .issuer = &root, .ext = { CA_EXTS, rules } });
	a = maker_cert(&(struct recipe){ .subject = "CN=a", .issuer = &ca, .ext = { names } });
	assert_in_range(a.der.len + ca.der.len, 0, PKI_MAX_ALL);
	expect(ASK(trust, &a, &ca), PKI_FAILED, "the certificate 'CN=a' cannot be verified");
	maker_free(&a);
	maker_free(&ca);
	free(names);
	free(rules);
}

/* ---- trust, files, keys ---------------------------------------------------------- */

static void trust_stores(void **state)
{
	struct ike_iov cas[3] = { root.der, middle.der, root.der };
	struct made v1 = maker_cert(&(struct recipe){ .subject = "CN=v1" });
	struct made short_rsa = maker_cert(
		&(struct recipe){ .subject = "CN=short", .key = "RSA-768", .ext = { CA_EXTS } });
	struct pki_trust *t;
	struct ike_iov spki = maker_spki(&middle);
	uint8_t hash[PKI_HASH_LEN];
	char err[512];
	const uint8_t *hashes;
	unsigned int n;

	(void)state;
	t = pki_trust_new(cas, 3, NULL, 0, err, sizeof(err));
	assert_non_null(t);
	hashes = pki_trust_hashes(t, &n);
	assert_int_equal(n, 2);
	assert_int_equal(ike_sha1(&spki, 1, hash), 0);
	assert_memory_equal(hashes + PKI_HASH_LEN, hash, PKI_HASH_LEN);
	maker_free_der(&spki);
	pki_trust_free(t);
	pki_trust_free(NULL);
	assert_null(pki_trust_new(cas, 0, NULL, 0, err, sizeof(err)));
	assert_string_equal(err, "expected 1 to 2000 certificates of CAs, and there are 0");
	assert_null(pki_trust_new(&leaf.der, 1, NULL, 0, err, sizeof(err)));
	assert_non_null(
		strstr(err, "the certificate 'C=CH, O=Example, CN=west' is not that of a CA"));
	assert_null(pki_trust_new(&v1.der, 1, NULL, 0, err, sizeof(err)));
	assert_non_null(strstr(err, "'CN=v1' is not that of a CA"));
	assert_null(pki_trust_new(&short_rsa.der, 1, NULL, 0, err, sizeof(err)));
	assert_string_equal(err, "the key of the CA 'CN=short' is RSA with 768 bits");
	cas[1] = (struct ike_iov){ "x", 1 };
	assert_null(pki_trust_new(cas, 2, NULL, 0, err, sizeof(err)));
	assert_string_equal(err, "certificate 2 is none");
	assert_null(pki_trust_new(cas, 1, &cas[1], 1, err, sizeof(err)));
	assert_string_equal(err, "CRL 1 is none");
	maker_free(&v1);
	maker_free(&short_rsa);
}

static void files(void **state)
{
	struct ike_iov pem[2] = { maker_pem(&root), maker_pem(&middle) };
	char *text = malloc(65536), err[512];
	size_t len = (size_t)sprintf(text, "# a CA\n%.*s\nand one more\n%.*s", (int)pem[0].len,
				     (const char *)pem[0].base, (int)pem[1].len,
				     (const char *)pem[1].base);
	static const char key[] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
	static const char damaged[] =
		"-----BEGIN CERTIFICATE-----\nAA!A\n-----END CERTIFICATE-----\n";
	static const char none[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	struct pki_items items;

	(void)state;
	assert_int_equal(pki_read(PKI_CERTS, text, len, &items, err, sizeof(err)), 0);
	assert_int_equal(items.n, 2);
	assert_int_equal(items.item[1].len, middle.der.len);
	assert_memory_equal(items.item[1].base, middle.der.base, middle.der.len);
	pki_items_free(&items);
	pki_items_free(&items);
	assert_int_equal(pki_read(PKI_CERTS, leaf.der.base, leaf.der.len, &items, err, sizeof(err)),
			 0);
	assert_int_equal(items.n, 1);
	pki_items_free(&items);
	assert_int_equal(
		pki_read(PKI_CERTS, leaf.der.base, leaf.der.len - 1, &items, err, sizeof(err)), -1);
	assert_string_equal(err, "expected a certificate, PEM or DER");
	assert_int_equal(pki_read(PKI_CERTS, "", 0, &items, err, sizeof(err)), -1);
	assert_int_equal(pki_read(PKI_CRLS, text, len, &items, err, sizeof(err)), -1);
	assert_string_equal(err, "expected a block BEGIN X509 CRL, and there is BEGIN CERTIFICATE");
	assert_int_equal(pki_read(PKI_CERTS, key, sizeof(key) - 1, &items, err, sizeof(err)), -1);
	assert_string_equal(err,
			    "expected a block BEGIN CERTIFICATE, and there is BEGIN PRIVATE KEY");
	assert_int_equal(pki_read(PKI_CERTS, none, sizeof(none) - 1, &items, err, sizeof(err)), -1);
	assert_string_equal(err, "block 1 is no certificate");
	sprintf(text + len, "%s", damaged);
	assert_int_equal(pki_read(PKI_CERTS, text, strlen(text), &items, err, sizeof(err)), -1);
	assert_string_equal(err, "block 3 is damaged");
	assert_int_equal(items.n, 0);
	text[len] = '\0';
	text[len - 20] = '\0'; /* cut within the last line */
	assert_int_equal(pki_read(PKI_CERTS, text, strlen(text), &items, err, sizeof(err)), -1);
	assert_string_equal(err, "block 2 is damaged");
	for (len = 0; len < 60000; len += pem[0].len)
		memcpy(text + len, pem[0].base, pem[0].len);
	assert_int_equal(pki_read(PKI_CERTS, text, len, &items, err, sizeof(err)), 0);
	pki_items_free(&items);
	maker_free_der(&pem[0]);
	maker_free_der(&pem[1]);
	free(text);
}

static void own_certificates(void **state)
{
	struct made under = maker_leaf("CN=a", &lower, "DNS:a.example");
	struct made cipher = maker_cert(&(struct recipe){
		.subject = "CN=cipher", .issuer = &root, .ext = { "keyUsage=keyEncipherment" } });
	struct ike_iov certs[3] = { under.der, lower.der, middle.der }, spki = maker_spki(&under);
	struct ike_iov wrong = maker_spki(&root);
	const int64_t now = MAKER_NOW, day = MAKER_DAY;
	char err[512];

	(void)state;
	assert_int_equal(pki_own_check(certs, 3, &spki, now, err, sizeof(err)), 0);
	assert_string_equal(err, "");
	assert_int_equal(pki_own_check(certs, 1, NULL, now, err, sizeof(err)), 0);
	assert_int_equal(pki_own_check(certs, 3, &wrong, now, err, sizeof(err)), -1);
	assert_string_equal(err, "the private key is not that of the certificate 'CN=a'");
	assert_int_equal(pki_own_check(certs, 3, &spki, now + 340 * day, err, sizeof(err)), 0);
	assert_string_equal(err, "the certificate 'CN=a' expires on 2027-01-01 00:00:00 UTC");
	assert_int_equal(pki_own_check(certs, 3, &spki, now + 366 * day, err, sizeof(err)), -1);
	assert_string_equal(
		err,
		"the certificate 'CN=a' expired on 2027-01-01 00:00:00 UTC, and the clock says "
		"2027-01-02 00:00:00 UTC");
	assert_int_equal(pki_own_check(certs, 3, &spki, 0, err, sizeof(err)), -1);
	assert_non_null(
		strstr(err, "is valid from 2025-01-01 00:00:00 UTC on, and the clock says 1970"));
	certs[1] = middle.der;
	assert_int_equal(pki_own_check(certs, 2, &spki, now, err, sizeof(err)), -1);
	assert_string_equal(
		err, "the certificate 'CN=a' is not issued by 'C=CH, O=Example, CN=Middle', which "
		     "comes behind it: expected the own certificate first, then each CA's in turn");
	assert_int_equal(pki_own_check(&cipher.der, 1, NULL, now, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "is not for signing"));
	assert_int_equal(pki_own_check(certs, 0, NULL, now, err, sizeof(err)), -1);
	assert_string_equal(err, "expected 1 to 8 certificates, and there are 0");
	certs[0] = (struct ike_iov){ "x", 1 };
	assert_int_equal(pki_own_check(certs, 1, NULL, now, err, sizeof(err)), -1);
	assert_string_equal(err, "certificate 1 is none");
	maker_free(&under);
	maker_free(&cipher);
	maker_free_der(&spki);
	maker_free_der(&wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_paths),
		cmocka_unit_test(an_intermediate_ca_may_be_the_anchor),
		cmocka_unit_test(a_self_signed_certificate_may_be_named),
		cmocka_unit_test(kinds_of_keys),
		cmocka_unit_test(paths_that_are_none),
		cmocka_unit_test(a_self_made_ca_of_the_same_name),
		cmocka_unit_test(a_ca_with_a_new_key),
		cmocka_unit_test(changed_certificates),
		cmocka_unit_test(cross_signed_loops),
		cmocka_unit_test(times),
		cmocka_unit_test(issuers_that_must_not_issue),
		cmocka_unit_test(path_lengths),
		cmocka_unit_test(name_constraints),
		cmocka_unit_test(policies),
		cmocka_unit_test(critical_extensions),
		cmocka_unit_test(weak_signatures),
		cmocka_unit_test(weak_keys),
		cmocka_unit_test(key_usage),
		cmocka_unit_test(extended_key_usage),
		cmocka_unit_test(extended_key_usage_of_a_ca),
		cmocka_unit_test(identities),
		cmocka_unit_test(the_cn_is_a_name_only_if_asked),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(an_empty_subject_is_no_identity),
		cmocka_unit_test(trust_compares),
		cmocka_unit_test(cost_and_end),
		cmocka_unit_test(too_many_and_too_long),
		cmocka_unit_test(large_but_within_the_limits),
		cmocka_unit_test(names_times_constraints),
		cmocka_unit_test(trust_stores),
		cmocka_unit_test(files),
		cmocka_unit_test(own_certificates),
	};

	return cmocka_run_group_tests(tests, make_fixtures, free_fixtures);
}
