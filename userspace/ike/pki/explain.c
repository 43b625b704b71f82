// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why a peer's certificates are no path to an anchor: what libcrypto found, as a verdict and a sentence.
 */
#include "ike/pki/pki_int.h"

enum { NAMED_ANCHORS = 3 /* in a sentence */ };

enum pki_verdict refuse(struct pki_result *r, enum pki_verdict verdict, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	return verdict;
}

/* "'CN=a', 'CN=b' and 7 others" */
static void add_anchors(struct text *out, const struct pki_trust *trust)
{
	int n = sk_X509_num(trust->anchors);
	char name[NAME_TEXT];

	for (int i = 0; i < n && i < NAMED_ANCHORS; i++)
		text_add(out, "%s'%s'", i ? ", " : "",
			 subject_text(name, sk_X509_value(trust->anchors, i)));
	if (n > NAMED_ANCHORS)
		text_add(out, " and %d others", n - NAMED_ANCHORS);
}

/* A certificate of @certs with the name of @cert's issuer, but @cert itself. */
static X509 *find_namesake(STACK_OF(X509) *certs, const X509 *cert)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *c = sk_X509_value(certs, i);

		if (X509_cmp(c, cert) &&
		    !X509_NAME_cmp(X509_get_subject_name(c), X509_get_issuer_name(cert)))
			return c;
	}
	return NULL;
}

/* No issuer was found for @cert, which may be self-signed. */
static enum pki_verdict explain_no_issuer(struct pki_job *j, X509 *cert)
{
	X509 *anchor = find_namesake(j->q->trust->anchors, cert),
	     *sent = find_namesake(j->sent, cert);
	struct text out = text_init(j->r->text, sizeof(j->r->text));
	char subject[NAME_TEXT], issuer[NAME_TEXT];

	subject_text(subject, cert);
	issuer_text(issuer, cert);
	if (X509_self_signed(cert, 0) == 1)
		text_add(&out, "the %s '%s' is self-signed, and CA= does not name it",
			 cert == j->leaf ? "certificate" : "CA", subject);
	else
		text_add(&out, "the certificate '%s' is issued by '%s', which CA= does not name%s",
			 subject, issuer,
			 sent ? "" : ", and the peer sent no certificate of that issuer");
	if (anchor)
		text_add(&out, ": CA= names a CA of that name, but with another key");
	text_add(&out, "; CA= names ");
	add_anchors(&out, j->q->trust);
	return PKI_UNKNOWN_CA;
}

static enum pki_verdict explain_time(struct pki_job *j, const X509 *cert, bool expired)
{
	char name[NAME_TEXT], when[TIME_TEXT], now[TIME_TEXT];
	const ASN1_TIME *t = expired ? X509_get0_notAfter(cert) : X509_get0_notBefore(cert);

	time_text(now, j->q->now);
	time_text(when, time_value(t));
	subject_text(name, cert);
	if (expired)
		return refuse(
			j->r, PKI_EXPIRED,
			"the certificate '%s' expired on %s, and this machine's clock says %s: it has "
			"to be renewed, unless the clock is wrong",
			name, when, now);
	return refuse(
		j->r, PKI_NOT_YET_VALID,
		"the certificate '%s' is valid from %s on, and this machine's clock says %s: the clock "
		"has to be set, unless the certificate is for later",
		name, when, now);
}

static enum pki_verdict explain_critical(struct pki_job *j, X509 *cert)
{
	char name[NAME_TEXT], oid[80] = "?";

	for (int i = 0; i < X509_get_ext_count(cert); i++) {
		X509_EXTENSION *e = X509_get_ext(cert, i);

		if (!X509_EXTENSION_get_critical(e) || X509_supported_extension(e))
			continue;
		OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(e), 1);
		break;
	}
	return refuse(j->r, PKI_CRITICAL_EXTENSION,
		      "the certificate '%s' has the critical extension %s, which is not known here",
		      subject_text(name, cert), oid);
}

static enum pki_verdict explain_constraint(struct pki_job *j, const X509 *cert)
{
	struct text out = text_init(j->r->text, sizeof(j->r->text));
	char name[NAME_TEXT];

	text_add(&out, "the certificate '%s' is for ", subject_text(name, cert));
	add_cert_ids(&out, cert);
	text_add(&out, ", and a CA above it must not issue for that (name constraints)");
	return PKI_NAME_CONSTRAINT;
}

static enum pki_verdict explain_pathlen(struct pki_job *j, const X509 *cert)
{
	char name[NAME_TEXT];

	return refuse(
		j->r, PKI_PATH_TOO_LONG,
		"the CA '%s' may have %ld other CAs between itself and the leaf (pathLenConstraint), "
		"and there are more",
		subject_text(name, cert), X509_get_pathlen((X509 *)cert));
}

enum pki_verdict judge_algorithms(struct pki_job *j, X509 *cert, bool anchor)
{
	const X509_ALGOR *algorithm = X509_get0_tbs_sigalg(cert);
	char name[NAME_TEXT], issuer[NAME_TEXT], what[NAME_TEXT];
	const char *fault = anchor ? NULL : signature_fault(algorithm, j->q->flags);

	if (key_judge(X509_get0_pubkey(cert), j->q->flags, what) != KEY_FINE)
		return refuse(
			j->r, PKI_WEAK,
			"the key of the certificate '%s' is %s; RSA with 2048 to 8192 bits, ECDSA on "
			"P-256, P-384 or P-521, Ed25519 and Ed448 are taken",
			subject_text(name, cert), what);
	if (fault)
		return refuse(
			j->r, PKI_WEAK,
			"the certificate '%s' is signed by '%s' with %s; SHA-256, SHA-384, SHA-512, "
			"Ed25519 and Ed448 are taken",
			subject_text(name, cert), issuer_text(issuer, cert), fault);
	return PKI_TRUSTED;
}

static enum pki_verdict explain_other(struct pki_job *j, const X509 *cert, int error)
{
	char name[NAME_TEXT];

	if (error == X509_V_ERR_NO_EXPLICIT_POLICY)
		return refuse(
			j->r, PKI_FAILED,
			"a CA of the path wants certificatePolicies (policyConstraints) that the "
			"certificates below it do not have");
	if (!cert)
		return refuse(j->r, PKI_FAILED, "the certificates cannot be verified: %s",
			      X509_verify_cert_error_string(error));
	return refuse(j->r, PKI_FAILED, "the certificate '%s' cannot be verified: %s",
		      subject_text(name, cert), X509_verify_cert_error_string(error));
}

static enum pki_verdict explain_weak(struct pki_job *j, X509 *cert, int error)
{
	enum pki_verdict verdict = judge_algorithms(j, cert, false);

	return verdict != PKI_TRUSTED ? verdict : explain_other(j, cert, error);
}

static enum pki_verdict explain_signature(struct pki_job *j, const X509 *cert)
{
	char name[NAME_TEXT], issuer[NAME_TEXT];

	return refuse(
		j->r, PKI_BAD_SIGNATURE,
		"the certificate '%s' names '%s' as its issuer, but was not signed with that CA's key: "
		"it was changed, or another CA has the same name",
		subject_text(name, cert), issuer_text(issuer, cert));
}

static enum pki_verdict explain_no_ca(struct pki_job *j, X509 *cert)
{
	char name[NAME_TEXT];

	return refuse(j->r, PKI_NOT_A_CA,
		      "the certificate '%s' issued another one, and must not: %s",
		      subject_text(name, cert),
		      X509_get_extension_flags(cert) & EXFLAG_CA
			      ? "its keyUsage has no keyCertSign"
			      : "it is not that of a CA (basicConstraints)");
}

enum pki_verdict explain_fault(struct pki_job *j, X509_STORE_CTX *ctx)
{
	X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	int error = X509_STORE_CTX_get_error(ctx);

	switch (cert ? error : X509_V_ERR_UNSPECIFIED) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return explain_no_issuer(j, cert);
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE: return explain_signature(j, cert);
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return explain_time(j, cert, error == X509_V_ERR_CERT_HAS_EXPIRED);
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN: return explain_no_ca(j, cert);
	case X509_V_ERR_PATH_LENGTH_EXCEEDED: return explain_pathlen(j, cert);
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
		return refuse(j->r, PKI_PATH_TOO_LONG,
			      "there are more than %d CAs between the leaf and one that CA= names",
			      PKI_MAX_BETWEEN);
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION:
	case X509_V_ERR_SUBTREE_MINMAX:
	case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
	case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
	case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX: return explain_constraint(j, cert);
	case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION: return explain_critical(j, cert);
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
	case X509_V_ERR_CA_MD_TOO_WEAK:
	case X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM:
	case X509_V_ERR_EC_KEY_EXPLICIT_PARAMS:
	case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: return explain_weak(j, cert, error);
	}
	return explain_other(j, cert, error);
}
