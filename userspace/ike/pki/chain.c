// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether a peer's certificates lead to an anchor, and prove its identity. libcrypto builds the path and
 * verifies it (RFC 5280 6); what IKE asks beyond that is asked here, and why not is put into a sentence.
 *
 * The order is that of cost and of trust. Counts and sizes come before any parsing. Keys that are costly
 * to verify with are refused before any signature is verified. Usage, identity and algorithms are looked
 * at when the path is trusted, revocation last of all: only then are CRLs and responses looked at.
 */
#include <string.h>

#include <openssl/err.h>

#include "ike/pki/pki_int.h"
#include "ike/proto/id.h"

enum {
	SECURITY_LEVEL = 2, /* of libcrypto: 112 bits */
	BYTES_PER_US = 50, /* that are parsed, about */
};

/* ---- taking what was sent -------------------------------------------------------- */

static enum pki_verdict check_limits(const struct ike_iov *certs, unsigned int n,
				     struct pki_result *r)
{
	size_t all = 0;

	if (!n)
		return refuse(
			r, PKI_NO_CERT,
			"the peer sent no certificate: it needs one, or its key has to be named "
			"with PublicKey=");
	if (n > PKI_MAX_CERTS)
		return refuse(r, PKI_TOO_MUCH, "the peer sent %u certificates, and %d may be sent",
			      n, PKI_MAX_CERTS);
	for (unsigned int i = 0; i < n; i++) {
		if (certs[i].len > PKI_MAX_CERT)
			return refuse(r, PKI_TOO_MUCH,
				      "certificate %u of %u has %zu bytes, and %d are taken", i + 1,
				      n, certs[i].len, PKI_MAX_CERT);
		all += certs[i].len;
	}
	r->cost = (unsigned int)(all / BYTES_PER_US);
	if (all > PKI_MAX_ALL)
		return refuse(r, PKI_TOO_MUCH, "the certificates have %zu bytes, and %d are taken",
			      all, PKI_MAX_ALL);
	return PKI_TRUSTED;
}

static bool is_among(STACK_OF(X509) *certs, const X509 *cert)
{
	for (int i = 0; i < sk_X509_num(certs); i++)
		if (!X509_cmp(sk_X509_value(certs, i), cert))
			return true;
	return false;
}

/* Parses and keeps all; a key that is costly to verify with ends it. */
static enum pki_verdict take_certs(struct pki_job *j)
{
	char name[NAME_TEXT], what[NAME_TEXT];

	j->sent = sk_X509_new_null();
	if (!j->sent)
		return refuse(j->r, PKI_FAILED, "not enough memory");
	for (unsigned int i = 0; i < j->q->n_certs; i++) {
		X509 *cert = cert_parse(&j->q->certs[i]);

		if (!cert)
			return refuse(j->r, PKI_MALFORMED,
				      "certificate %u of %u that the peer sent is malformed", i + 1,
				      j->q->n_certs);
		if (is_among(j->sent, cert)) {
			X509_free(cert);
			continue;
		}
		if (sk_X509_push(j->sent, cert) <= 0) {
			X509_free(cert);
			return refuse(j->r, PKI_FAILED, "not enough memory");
		}
		if (key_judge(X509_get0_pubkey(cert), j->q->flags, what) == KEY_COSTLY)
			return refuse(j->r, PKI_WEAK, "the key of the certificate '%s' is %s",
				      subject_text(name, cert), what);
		j->r->cost += key_cost(X509_get0_pubkey(cert));
	}
	j->leaf = sk_X509_value(j->sent, 0);
	return PKI_TRUSTED;
}

/* Is @anchor one of @certs, or the issuer of one, by its name? To add others to a store costs too much. */
static bool is_related(STACK_OF(X509) *certs, const X509 *anchor)
{
	const X509_NAME *name = X509_get_subject_name(anchor);

	for (int i = 0; i < sk_X509_num(certs); i++) {
		const X509 *cert = sk_X509_value(certs, i);

		if (!X509_NAME_cmp(name, X509_get_issuer_name(cert)) ||
		    !X509_NAME_cmp(name, X509_get_subject_name(cert)))
			return true;
	}
	return false;
}

/*
 * A store of our own for each call, for the time is one of its parameters, and OCSP takes it from there.
 *
 * Of libcrypto's flags: PARTIAL_CHAIN lets a path end at an anchor that is not self-signed. With
 * TRUSTED_FIRST it ends at the first one, whatever the peer sent beyond. POLICY_CHECK has certificate
 * policies processed (RFC 5280 6.1.5), which matters where a CA constrains them; any policy will do. Not set are X509_STRICT,
 * which refuses what CAs in use do, such as basicConstraints that are not critical; CHECK_SS_SIGNATURE,
 * for nothing hangs on the signature that an anchor made of itself; ALLOW_PROXY_CERTS; NO_CHECK_TIME.
 */
static bool make_store(struct pki_job *j)
{
	bool weak = j->q->flags & (PKI_ALLOW_SHA1 | PKI_ALLOW_SHORT_RSA);
	X509_VERIFY_PARAM *param;
	bool good = true;

	j->store = X509_STORE_new();
	if (!j->store)
		return false;
	for (int i = 0; good && i < sk_X509_num(j->q->trust->anchors); i++) {
		X509 *anchor = sk_X509_value(j->q->trust->anchors, i);

		if (!is_related(j->sent, anchor))
			continue;
		j->r->cost += key_cost(X509_get0_pubkey(anchor));
		good = X509_STORE_add_cert(j->store, anchor);
	}
	param = X509_STORE_get0_param(j->store);
	X509_VERIFY_PARAM_set_time(param, (time_t)j->q->now);
	X509_VERIFY_PARAM_set_depth(param, PKI_MAX_BETWEEN);
	/* The exact limits are ours, see judge_algorithms(). */
	X509_VERIFY_PARAM_set_auth_level(param, weak ? 0 : SECURITY_LEVEL);
	good = good && X509_VERIFY_PARAM_add0_policy(param, OBJ_nid2obj(NID_any_policy));
	return good && X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN |
								  X509_V_FLAG_TRUSTED_FIRST |
								  X509_V_FLAG_POLICY_CHECK);
}

/* ---- the path -------------------------------------------------------------------- */

static enum pki_verdict build_path(struct pki_job *j)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	enum pki_verdict verdict = refuse(j->r, PKI_FAILED, "not enough memory");

	if (ctx && X509_STORE_CTX_init(ctx, j->store, j->leaf, j->sent)) {
		if (X509_verify_cert(ctx) != 1)
			verdict = explain_fault(j, ctx);
		else if ((j->path = X509_STORE_CTX_get1_chain(ctx)))
			verdict = PKI_TRUSTED;
	}
	X509_STORE_CTX_free(ctx);
	return verdict;
}

/* ---- what IKE asks of a path ----------------------------------------------------- */

static enum pki_verdict check_algorithms(struct pki_job *j)
{
	int n = sk_X509_num(j->path);
	enum pki_verdict verdict = PKI_TRUSTED;

	for (int i = 0; verdict == PKI_TRUSTED && i < n; i++)
		verdict = judge_algorithms(j, sk_X509_value(j->path, i), i == n - 1);
	return verdict;
}

/* The purposes of an extended key usage that allow IKE, and for which usages. */
static unsigned int usages_of(const ASN1_OBJECT *purpose)
{
	static const struct {
		const char *oid;
		unsigned int usages;
	} rows[] = {
		{ "2.5.29.37.0", ~0u }, /* anyExtendedKeyUsage */
		{ "1.3.6.1.5.5.7.3.17", ~0u }, /* ipsecIKE */
		{ "1.3.6.1.5.5.7.3.1",
		  1u << PKI_USAGE_ANY | 1u << PKI_USAGE_SERVER }, /* serverAuth */
		{ "1.3.6.1.5.5.7.3.2",
		  1u << PKI_USAGE_ANY | 1u << PKI_USAGE_CLIENT }, /* clientAuth */
		{ "1.3.6.1.5.5.8.2.2",
		  1u << PKI_USAGE_ANY }, /* iKEIntermediate, of old Apple and Windows */
		{ "1.3.6.1.5.5.7.3.5", 1u << PKI_USAGE_ANY }, /* ipsecEndSystem, of RFC 2459 */
		{ "1.3.6.1.5.5.7.3.6", 1u << PKI_USAGE_ANY }, /* ipsecTunnel */
		{ "1.3.6.1.5.5.7.3.7", 1u << PKI_USAGE_ANY }, /* ipsecUser */
	};
	char oid[80];

	OBJ_obj2txt(oid, sizeof(oid), purpose, 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].oid, oid))
			return rows[i].usages;
	return 0;
}

static void add_purposes(struct text *out, const EXTENDED_KEY_USAGE *eku)
{
	char name[80];

	for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
		const ASN1_OBJECT *o = sk_ASN1_OBJECT_value(eku, i);

		if (OBJ_obj2nid(o) != NID_undef)
			snprintf(name, sizeof(name), "%s", OBJ_nid2sn(OBJ_obj2nid(o)));
		else
			OBJ_obj2txt(name, sizeof(name), o, 1);
		text_add(out, "%s%s", i ? ", " : "", name);
	}
}

/* A CA below the anchor that has the extension passes on no more than it has. */
static enum pki_verdict check_purposes(struct pki_job *j, const X509 *cert)
{
	static const char *const wanted[] = {
		[PKI_USAGE_ANY] = "serverAuth, clientAuth or ipsecIKE",
		[PKI_USAGE_SERVER] = "serverAuth or ipsecIKE",
		[PKI_USAGE_CLIENT] = "clientAuth or ipsecIKE",
	};
	EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	bool needed = cert == j->leaf && j->q->usage != PKI_USAGE_ANY;
	struct text out = text_init(j->r->text, sizeof(j->r->text));
	unsigned int usages = eku || needed ? 0 : ~0u;
	char name[NAME_TEXT];

	for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++)
		usages |= usages_of(sk_ASN1_OBJECT_value(eku, i));
	if (!(usages >> j->q->usage & 1)) {
		text_add(&out, "the certificate '%s' is for ", subject_text(name, cert));
		if (eku)
			add_purposes(&out, eku);
		else
			text_add(&out, "no purpose that it says");
		text_add(&out, " (extendedKeyUsage), and it has to be for %s", wanted[j->q->usage]);
	}
	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	return usages >> j->q->usage & 1 ? PKI_TRUSTED : PKI_WRONG_USAGE;
}

static enum pki_verdict check_usage(struct pki_job *j)
{
	enum pki_verdict verdict = PKI_TRUSTED;
	char name[NAME_TEXT];

	if (!cert_may_sign(j->leaf))
		return refuse(
			j->r, PKI_WRONG_USAGE,
			"the key of the certificate '%s' is not for signing (its keyUsage has neither "
			"digitalSignature nor nonRepudiation)",
			subject_text(name, j->leaf));
	for (int i = 0; verdict == PKI_TRUSTED && (!i || i < sk_X509_num(j->path) - 1); i++)
		verdict = check_purposes(j, sk_X509_value(j->path, i));
	return verdict;
}

static enum pki_verdict check_identity(struct pki_job *j)
{
	struct text out = text_init(j->r->text, sizeof(j->r->text));
	char name[NAME_TEXT], id[NAME_TEXT];

	if (!j->q->id || cert_is_for(j->leaf, j->q->id, j->q->flags))
		return PKI_TRUSTED;
	text_add(&out, "the peer claims to be '%s', and its certificate '%s' is for ",
		 ike_id_print(id, sizeof(id), j->q->id), subject_text(name, j->leaf));
	add_cert_ids(&out, j->leaf);
	text_add(&out,
		 ": it has to claim one of these, or to have a certificate for what it claims");
	if (cert_has_cn(j->leaf, j->q->id))
		text_add(&out, " as dNSName of its subjectAltName (the CN is no identity)");
	return PKI_WRONG_IDENTITY;
}

static int64_t path_end(STACK_OF(X509) *path)
{
	int64_t end = INT64_MAX;

	for (int i = 0; i < sk_X509_num(path); i++) {
		int64_t its = time_value(X509_get0_notAfter(sk_X509_value(path, i)));

		if (its < end)
			end = its;
	}
	return end;
}

static enum pki_verdict copy_key(struct pki_job *j)
{
	X509_PUBKEY *spki = X509_get_X509_PUBKEY(j->leaf);
	int len = i2d_X509_PUBKEY(spki, NULL);
	uint8_t *p = j->r->spki;

	if (len <= 0 || len > IKE_MAX_SPKI)
		return refuse(j->r, PKI_FAILED, "the certificate's key has %d bytes", len);
	j->r->spki_len = (size_t)i2d_X509_PUBKEY(spki, &p);
	return PKI_TRUSTED;
}

/* The verdict is PKI_TRUSTED: the path as a sentence, and when it ends. */
static enum pki_verdict give_path(struct pki_job *j)
{
	struct text out = text_init(j->r->text, sizeof(j->r->text));
	char name[NAME_TEXT];

	j->r->not_after = path_end(j->path);
	for (int i = 0; i < sk_X509_num(j->path) - 1 && i <= PKI_MAX_BETWEEN; i++) {
		int64_t good_at = j->r->path[i].good_at; /* check_revocation() has found that */

		j->r->path[i] =
			cert_serial(sk_X509_value(j->path, i), sk_X509_value(j->path, i + 1));
		j->r->path[i].good_at = good_at;
		j->r->n_path++;
	}
	for (int i = 0; i < sk_X509_num(j->path); i++)
		text_add(&out, "%s'%s'", i ? ", issued by " : "",
			 subject_text(name, sk_X509_value(j->path, i)));
	text_add(&out, ", which CA= names");
	return PKI_TRUSTED;
}

static enum pki_verdict check_status(struct pki_job *j)
{
	if (j->q->revocation == PKI_REVOCATION_OFF)
		return PKI_TRUSTED;
	return check_revocation(j->q, j->store, j->path, j->sent, j->r);
}

static enum pki_verdict make_store_or_say(struct pki_job *j)
{
	if (!j->q->trust)
		return refuse(j->r, PKI_UNKNOWN_CA,
			      "the peer sent a certificate, and there is no CA= to trust it by");
	return make_store(j) ? PKI_TRUSTED : refuse(j->r, PKI_FAILED, "not enough memory");
}

enum pki_verdict pki_verify(const struct pki_query *query, struct pki_result *result)
{
	static enum pki_verdict (*const steps[])(struct pki_job *) = {
		take_certs,	make_store_or_say, build_path,	 check_algorithms, check_usage,
		check_identity, copy_key,	   check_status, give_path,
	};
	struct pki_job j = { .q = query, .r = result };

	memset(result, 0, sizeof(*result));
	result->verdict = check_limits(query->certs, query->n_certs, result);
	for (size_t i = 0; result->verdict == PKI_TRUSTED && i < sizeof(steps) / sizeof(steps[0]);
	     i++)
		result->verdict = steps[i](&j);
	if (result->verdict != PKI_TRUSTED && result->verdict != PKI_STATUS_MISSING &&
	    result->verdict != PKI_REVOKED)
		result->spki_len = 0;
	sk_X509_pop_free(j.path, X509_free);
	sk_X509_pop_free(j.sent, X509_free);
	X509_STORE_free(j.store);
	ERR_clear_error();
	return result->verdict;
}
