// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether certificates of a path that is trusted otherwise were revoked: by OCSP responses (RFC 6960) and
 * by CRLs (RFC 5280 6.3), which libcrypto verifies. Called by pki_verify() as its last question.
 *
 * Each certificate below the anchor gets one of three states. A single valid answer that says "revoked"
 * decides, whatever others say. A single valid one that says "good" suffices. Without one it depends on
 * Revocation= and on the certificate whether that is refused, and then what has to be fetched is listed.
 * A CRL or response that is not valid (stale, not signed by the right CA, for something else) says
 * nothing at all, but is remembered as the reason; a CRL of the trust store also tells that its CA has some.
 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "ike/pki/pki_int.h"

enum {
	MAX_PATH = PKI_MAX_BETWEEN + 2, /* leaf and anchor, too */
	REASON_TEXT = 400, /* bytes of a reason for a missing answer */
};

struct state {
	X509 *cert, *issuer;
	bool ocsp_good;
	bool crl_good;
	bool crl_void; /* the CRL that libcrypto chose may say anything: that it revokes says nothing */
	bool crl_known; /* there is a CRL of its issuer among those of the trust store */
	bool revoked;
	bool stapled; /* it was revoked by a response that came with the query */
	bool unknown; /* a responder says that it does not know the certificate */
	int64_t good_at, revoked_at; /* as in struct pki_serial, and struct pki_result */
	int64_t ocsp_until; /* when the next response is due, after one that says something; else 0 */
	const char *from; /* the address that what is looked at came from; NULL: it was not fetched */
	char why[REASON_TEXT]; /* revoked; or why the last answer was none */
};

struct review {
	const struct pki_query *q;
	X509_STORE *store;
	STACK_OF(X509) *path, *untrusted;
	STACK_OF(X509_CRL) *crls; /* of CAs of the path, with good signatures; NULL at first */
	int n; /* certificates below the anchor */
	unsigned int cost; /* as of struct pki_result */
	struct state states[MAX_PATH];
	struct pki_result *r;
	struct ike_iov fetched[PKI_MAX_NEEDS]; /* of each of r->needs; base NULL: nothing */
};

enum { DIGESTED_PER_US = 200 }; /* bytes, by a processor without instructions for SHA-2 */

__attribute__((format(printf, 2, 3))) static void note(struct state *s, const char *fmt, ...)
{
	va_list ap;
	int at = 0;

	if (s->revoked)
		return;
	if (s->from)
		at = snprintf(s->why, sizeof(s->why), "%s: ", s->from);
	va_start(ap, fmt);
	vsnprintf(s->why + at, sizeof(s->why) - (size_t)at, fmt, ap);
	va_end(ap);
}

/* Beside what was noted of other addresses. */
static void note_failure(struct state *s, const char *uri, const char *fault)
{
	size_t len = strlen(s->why);

	if (!s->revoked)
		snprintf(s->why + len, sizeof(s->why) - len, "%s%s: %s", len ? "; " : "", uri,
			 fault);
}

enum { SERIAL_BYTES = 20, SERIAL_TEXT = 2 * SERIAL_BYTES + 8 }; /* RFC 5280 4.1.2.2 */

/* In hexadecimal, as openssl x509 shows it; @buf has SERIAL_TEXT bytes. */
static const char *serial_text(char *buf, const X509 *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	const uint8_t *bytes = ASN1_STRING_get0_data(serial);
	int len = ASN1_STRING_length(serial);
	struct text out = text_init(buf, SERIAL_TEXT);

	text_add(&out, "%s", ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? "-" : "");
	for (int i = 0; i < len && i < SERIAL_BYTES; i++)
		text_add(&out, "%02X", bytes[i]);
	text_add(&out, "%s", len > SERIAL_BYTES ? "..." : "");
	return buf;
}

static void note_revoked(struct state *s, const ASN1_TIME *when, long reason, const char *by)
{
	char date[TIME_TEXT], issuer[NAME_TEXT], serial[SERIAL_TEXT];
	/* RFC 5280 5.3.1 */
	static const char *const reasons[] = {
		"unspecified",	 "keyCompromise",	 "cACompromise",    "affiliationChanged",
		"superseded",	 "cessationOfOperation", "certificateHold", "?",
		"removeFromCRL", "privilegeWithdrawn",	 "aACompromise",
	};
	bool known = reason >= 0 && reason < (long)(sizeof(reasons) / sizeof(reasons[0]));

	time_text(date, time_value(when));
	note(s, "(serial number %s) was revoked%s%s%s%s, says %s of '%s'",
	     serial_text(serial, s->cert), when ? " on " : "", when ? date : "",
	     known ? ", reason " : "", known ? reasons[reason] : "", by,
	     issuer_text(issuer, s->cert));
	s->revoked = true;
}

/* ---- OCSP ------------------------------------------------------------------------ */

static void note_time(int64_t *latest, const ASN1_TIME *at)
{
	int64_t made = time_value(at);

	if (made > *latest)
		*latest = made;
}

/* The response is of now: it is not of the future, and the next one is not due. */
static bool is_fresh(struct state *s, int64_t now, const ASN1_TIME *from, const ASN1_TIME *until)
{
	int64_t begin = time_value(from), end = until ? time_value(until) : begin + PKI_OCSP_AGE;
	char a[TIME_TEXT], b[TIME_TEXT], c[TIME_TEXT];

	if (begin != -1 && end != -1 && begin <= now + PKI_OCSP_SKEW && end >= now - PKI_OCSP_SKEW)
		return true;
	note(s, "the OCSP response is for %s to %s, and this machine's clock says %s",
	     time_text(a, begin), time_text(b, end), time_text(c, now));
	return false;
}

static void take_single(struct review *v, struct state *s, OCSP_SINGLERESP *single)
{
	ASN1_GENERALIZEDTIME *when = NULL, *from = NULL, *until = NULL;
	int reason = -1, status = OCSP_single_get0_status(single, &reason, &when, &from, &until);

	if (!is_fresh(s, v->q->now, from, until))
		return;
	if (status == V_OCSP_CERTSTATUS_GOOD || status == V_OCSP_CERTSTATUS_REVOKED)
		s->ocsp_until = until ? time_value(until) : time_value(from) + PKI_OCSP_AGE;
	switch (status) {
	case V_OCSP_CERTSTATUS_GOOD:
		s->ocsp_good = true;
		note_time(&s->good_at, from);
		break;
	case V_OCSP_CERTSTATUS_REVOKED:
		s->stapled |= !s->from;
		note_time(&s->revoked_at, from);
		note_revoked(s, when, reason, "the OCSP responder");
		break;
	default: s->unknown = true; note(s, "the OCSP responder does not know it");
	}
}

/* What the verified response says about one certificate, named with either of the usual hashes. */
static void take_answer(struct review *v, struct state *s, OCSP_BASICRESP *basic)
{
	const EVP_MD *const hashes[] = { EVP_sha1(), EVP_sha256() };

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		OCSP_CERTID *id = OCSP_cert_to_id(hashes[i], s->cert, s->issuer);
		int at = id ? OCSP_resp_find(basic, id, -1) : -1;

		for (; at >= 0; at = OCSP_resp_find(basic, id, at))
			take_single(v, s, OCSP_resp_get0(basic, at));
		OCSP_CERTID_free(id);
	}
}

static bool mentions(const struct state *s, OCSP_BASICRESP *basic)
{
	bool found = false;

	for (int i = 0; !found && i < OCSP_resp_count(basic); i++) {
		const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(OCSP_resp_get0(basic, i));
		ASN1_INTEGER *serial = NULL;

		OCSP_id_get0_info(NULL, NULL, NULL, &serial, (OCSP_CERTID *)id);
		found = !ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(s->cert));
	}
	return found;
}

/*
 * Is the response signed by the CA that issued what it is about, or by a certificate of that CA for
 * OCSPSigning (RFC 6960 4.2.2.2)? Then NULL, else why not. NOEXPLICIT: there are no responders beside.
 */
static const char *judge_response(struct review *v, OCSP_BASICRESP *basic)
{
	const char *fault = signature_fault(OCSP_resp_get0_tbs_sigalg(basic), v->q->flags);
	const STACK_OF(X509) *certs = OCSP_resp_get0_certs(basic);
	char what[NAME_TEXT];

	if (fault)
		return fault;
	/* libcrypto verifies the response before the responder's certificate, by the key of one or the other. */
	for (int i = 0; i < v->n; i++)
		v->cost += key_cost(X509_get0_pubkey(v->states[i].issuer));
	for (int i = 0; i < sk_X509_num(certs); i++)
		v->cost += key_cost(X509_get0_pubkey(sk_X509_value(certs, i)));
	for (int i = 0; i < sk_X509_num(certs); i++)
		if (key_judge(X509_get0_pubkey(sk_X509_value(certs, i)), v->q->flags, what) !=
		    KEY_FINE)
			return "a key of a kind that is not used here";
	if (OCSP_basic_verify(basic, v->path, v->store, OCSP_NOEXPLICIT) == 1)
		return NULL;
	return "a key that may not answer for the CA";
}

static void take_response(struct review *v, const struct ike_iov *der)
{
	const uint8_t *p = der->base;
	OCSP_RESPONSE *response =
		der->len <= PKI_MAX_CERT ? d2i_OCSP_RESPONSE(NULL, &p, (long)der->len) : NULL;
	int status = response ? OCSP_response_status(response) : -1;
	OCSP_BASICRESP *basic = status == OCSP_RESPONSE_STATUS_SUCCESSFUL
					? OCSP_response_get1_basic(response)
					: NULL;
	const char *fault = basic ? judge_response(v, basic) : NULL;

	for (int i = 0; i < v->n; i++) {
		struct state *s = &v->states[i];

		if (!response || (!basic && status == OCSP_RESPONSE_STATUS_SUCCESSFUL))
			note(s, "an OCSP response is malformed");
		else if (!basic)
			note(s, "the OCSP responder says: %s", OCSP_response_status_str(status));
		else if (!fault)
			take_answer(v, s, basic);
		else if (mentions(s, basic))
			note(s, "the OCSP response about it is signed with %s", fault);
	}
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
}

/* ---- CRLs ------------------------------------------------------------------------ */

/*
 * Is the CRL one of a CA of the path, and signed by it? Only such ones are given to libcrypto, which
 * takes the newest of a name: so a forged one cannot hide a true one. One that is @ours tells that its CA
 * has CRLs, whether or not it can be used.
 */
static bool crl_is_of_path(struct review *v, X509_CRL *crl, bool ours)
{
	const X509_ALGOR *algorithm;
	const char *fault;
	bool is = false;

	X509_CRL_get0_signature(crl, NULL, &algorithm);
	fault = signature_fault(algorithm, v->q->flags);
	for (int i = 0; i < v->n; i++) {
		struct state *s = &v->states[i];
		char issuer[NAME_TEXT];

		if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(s->issuer)))
			continue;
		issuer_text(issuer, s->cert);
		s->crl_known |= ours;
		/* Here, and by libcrypto once more. */
		v->cost += 2 * (key_cost(X509_get0_pubkey(s->issuer)) +
				(unsigned int)i2d_X509_CRL(crl, NULL) / DIGESTED_PER_US);
		if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
			note(s,
			     "the CRL of '%s' is a delta CRL, which is not used: a whole one is wanted",
			     issuer);
		else if (fault)
			note(s, "the CRL of '%s' is signed with %s", issuer, fault);
		else if (X509_CRL_verify(crl, X509_get0_pubkey(s->issuer)) != 1)
			note(s, "the CRL of '%s' is not signed with that CA's key", issuer);
		else
			is = true;
	}
	return is;
}

/* What was noted last is why what was fetched for the need is of no use. */
static void keep_reason(struct pki_need *need, const struct state *s)
{
	size_t len = strlen(need->uri);
	bool named = !strncmp(s->why, need->uri, len) && !strncmp(s->why + len, ": ", 2);

	need->state = PKI_NEED_USELESS;
	snprintf(need->why, sizeof(need->why), "%.*s", PKI_MAX_WHY - 1,
		 s->why + (named ? len + 2 : 0));
}

/* The CRL that was fetched for a need, if it can be used; else that is noted. */
static X509_CRL *open_fetched(struct review *v, unsigned int i)
{
	struct pki_need *need = &v->r->needs[i];
	struct state *s = &v->states[need->cert];
	const uint8_t *p = v->fetched[i].base;
	X509_CRL *crl = p ? d2i_X509_CRL(NULL, &p, (long)v->fetched[i].len) : NULL;

	for (int k = 0; k < v->n; k++)
		v->states[k].from = need->uri;
	if (!crl)
		note(s, "what comes from there is no CRL in DER");
	else if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(s->cert)))
		note(s, "what comes from there is the CRL of another CA");
	else if (crl_is_of_path(v, crl, false))
		need->state = PKI_NEED_USED; /* as far as can be told yet */
	for (int k = 0; k < v->n; k++)
		v->states[k].from = NULL;
	if (need->state == PKI_NEED_USED)
		return crl;
	keep_reason(need, s);
	X509_CRL_free(crl);
	return NULL;
}

static bool add_fetched(struct review *v, STACK_OF(X509_CRL) *all)
{
	bool good = true;

	for (unsigned int i = 0; good && i < v->r->n_needs; i++) {
		struct pki_need *need = &v->r->needs[i];
		X509_CRL *crl = need->ocsp || need->state != PKI_NEED_USELESS ? NULL
									      : open_fetched(v, i);

		if (!crl)
			continue;
		need->until = X509_CRL_get0_nextUpdate(crl)
				      ? time_value(X509_CRL_get0_nextUpdate(crl))
				      : INT64_MAX;
		good = sk_X509_CRL_push(all, crl) > 0;
		if (!good)
			X509_CRL_free(crl);
	}
	return good;
}

/* Those of @trust, those that came with the query, and fetched ones; NULL if memory is short. */
static STACK_OF(X509_CRL) *select_crls(struct review *v)
{
	STACK_OF(X509_CRL) *all = sk_X509_CRL_new_null(), *known = v->q->trust->crls;
	bool good = all;

	for (int i = 0; good && i < sk_X509_CRL_num(known); i++) {
		X509_CRL *crl = sk_X509_CRL_value(known, i);

		if (crl_is_of_path(v, crl, true))
			good = X509_CRL_up_ref(crl) && sk_X509_CRL_push(all, crl) > 0;
	}
	for (unsigned int i = 0; good && i < v->q->n_crls && i < PKI_MAX_CRLS; i++) {
		const struct ike_iov *der = &v->q->crls[i];
		const uint8_t *p = der->base;
		X509_CRL *crl = der->len <= PKI_MAX_FILE ? d2i_X509_CRL(NULL, &p, (long)der->len)
							 : NULL;

		if (crl && crl_is_of_path(v, crl, false))
			good = sk_X509_CRL_push(all, crl) > 0;
		else
			X509_CRL_free(crl);
	}
	if (good && add_fetched(v, all))
		return all;
	sk_X509_CRL_pop_free(all, X509_CRL_free);
	return NULL;
}

/* libcrypto found the certificate in one of @crls, and does not always say in which. */
static void take_revoked(struct state *s, STACK_OF(X509_CRL) *crls)
{
	X509_REVOKED *entry = NULL;
	ASN1_ENUMERATED *code;
	long reason = -1;

	for (int i = 0; !entry && i < sk_X509_CRL_num(crls); i++)
		X509_CRL_get0_by_cert(sk_X509_CRL_value(crls, i), &entry, s->cert);
	code = entry ? X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL) : NULL;
	if (code)
		reason = ASN1_ENUMERATED_get(code);
	ASN1_ENUMERATED_free(code);
	s->revoked_at = INT64_MAX;
	note_revoked(s, entry ? X509_REVOKED_get0_revocationDate(entry) : NULL, reason, "the CRL");
}

static void note_crl(struct state *s, int error, X509_CRL *crl, int64_t now)
{
	char issuer[NAME_TEXT], when[TIME_TEXT], clock[TIME_TEXT];

	issuer_text(issuer, s->cert);
	time_text(clock, now);
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		if (!*s->why)
			note(s, "there is no CRL of '%s'", issuer);
		break;
	case X509_V_ERR_CRL_HAS_EXPIRED:
		note(s,
		     "the CRL of '%s' is too old: the next one was due on %s, and this machine's "
		     "clock says %s",
		     issuer, time_text(when, time_value(X509_CRL_get0_nextUpdate(crl))), clock);
		break;
	case X509_V_ERR_CRL_NOT_YET_VALID:
		note(s,
		     "the CRL of '%s' is from the future: it is valid from %s on, and this "
		     "machine's clock says %s",
		     issuer, time_text(when, time_value(X509_CRL_get0_lastUpdate(crl))), clock);
		break;
	default:
		note(s, "the CRL of '%s' cannot be used: %s", issuer,
		     X509_verify_cert_error_string(error));
	}
}

/* libcrypto asks what to do about each fault: those of CRLs are noted, and it goes on. */
static int on_fault(int good, X509_STORE_CTX *ctx)
{
	struct review *v = X509_STORE_CTX_get_app_data(ctx);
	int error = X509_STORE_CTX_get_error(ctx), depth = X509_STORE_CTX_get_error_depth(ctx);
	X509_CRL *crl = X509_STORE_CTX_get0_current_crl(ctx);
	struct state *s;

	/* Nothing above it can revoke the anchor. */
	if (good || depth >= v->n)
		return 1;
	s = &v->states[depth];
	switch (error) {
	case X509_V_ERR_CERT_REVOKED:
		if (!s->crl_void)
			take_revoked(s, v->crls);
		break;
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID: note_crl(s, error, crl, v->q->now); break;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
	case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
	case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
	case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
	case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
	case X509_V_ERR_INVALID_EXTENSION:
		s->crl_void = true;
		note_crl(s, error, crl, v->q->now);
		break;
	default: return 0;
	}
	s->crl_good = false;
	return 1;
}

static bool is_path(struct review *v, STACK_OF(X509) *path)
{
	if (sk_X509_num(path) != v->n + 1)
		return false;
	for (int i = 0; i <= v->n; i++)
		if (X509_cmp(sk_X509_value(path, i), sk_X509_value(v->path, i)))
			return false;
	return true;
}

/* The path is verified once more, now with CRLs, of which there are some. */
static bool verify_with_crls(struct review *v)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool done = false;

	if (ctx && X509_STORE_CTX_init(ctx, v->store, sk_X509_value(v->path, 0), v->untrusted)) {
		for (int i = 0; i < v->n; i++)
			v->states[i].crl_good = true;
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
		X509_STORE_CTX_set0_crls(ctx, v->crls);
		X509_STORE_CTX_set_verify_cb(ctx, on_fault);
		X509_STORE_CTX_set_app_data(ctx, v);
		done = X509_verify_cert(ctx) == 1 && is_path(v, X509_STORE_CTX_get0_chain(ctx));
	}
	X509_STORE_CTX_free(ctx);
	return done;
}

/* The CRL that is good for @s is the latest one of its issuer. */
static void note_crl_times(struct review *v, struct state *s)
{
	for (int i = 0; s->crl_good && i < sk_X509_CRL_num(v->crls); i++) {
		X509_CRL *crl = sk_X509_CRL_value(v->crls, i);

		if (!X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(s->cert)))
			note_time(&s->good_at, X509_CRL_get0_lastUpdate(crl));
	}
}

/* Neither CRLs of other issuers nor delta CRLs are used. */
static bool check_crls(struct review *v, struct pki_result *r)
{
	bool done;

	v->crls = select_crls(v);
	done = v->crls;
	if (sk_X509_CRL_num(v->crls) > 0) {
		done = verify_with_crls(v);
		r->cost *= 2; /* for that */
	}
	for (int i = 0; i < v->n; i++)
		note_crl_times(v, &v->states[i]);
	for (int i = 0; i < v->n && !sk_X509_CRL_num(v->crls); i++)
		note_crl(&v->states[i], X509_V_ERR_UNABLE_TO_GET_CRL, NULL, v->q->now);
	r->cost += v->cost;
	for (unsigned int i = 0; i < r->n_needs; i++) {
		const struct state *s = &v->states[r->needs[i].cert];

		if (!r->needs[i].ocsp && r->needs[i].state == PKI_NEED_USED && !s->crl_good &&
		    !s->revoked)
			keep_reason(&r->needs[i], s);
	}
	sk_X509_CRL_pop_free(v->crls, X509_CRL_free);
	return done;
}

/* ---- what is missing ------------------------------------------------------------- */

/* Plain enough for a request line, and a sentence. */
static bool is_plain(const uint8_t *uri, int len)
{
	if (len < 8 || len >= PKI_MAX_URI)
		return false;
	for (int i = 0; i < len; i++)
		if (uri[i] <= ' ' || uri[i] > '~' || uri[i] == '"' || uri[i] == '\\')
			return false;
	return true;
}

/* http alone, for what is signed needs no more. */
static bool is_fetchable(const uint8_t *uri, int len)
{
	return is_plain(uri, len) && !strncasecmp((const char *)uri, "http://", 7);
}

/* The need of this address and request, be it a new one; NULL if there is no room, or it is not fetched from. */
static struct pki_need *add_need(struct review *v, unsigned int cert, const ASN1_STRING *uri,
				 const uint8_t *request, size_t request_len)
{
	const uint8_t *text = ASN1_STRING_get0_data(uri);
	struct pki_result *r = v->r;
	int len = ASN1_STRING_length(uri);
	struct pki_need *need;

	if (!is_fetchable(text, len))
		return NULL;
	for (unsigned int i = 0; i < r->n_needs; i++) {
		need = &r->needs[i];
		if (need->request_len == request_len && strlen(need->uri) == (size_t)len &&
		    !memcmp(need->uri, text, (size_t)len) &&
		    !memcmp(need->request, request, request_len))
			return need;
	}
	if (r->n_needs == PKI_MAX_NEEDS)
		return NULL;
	need = &r->needs[r->n_needs++];
	need->ocsp = request_len;
	need->cert = cert;
	X509_pubkey_digest(v->states[cert].issuer, EVP_sha1(), need->issuer, NULL);
	memcpy(need->uri, text, (size_t)len);
	memcpy(need->request, request, request_len);
	need->request_len = request_len;
	return need;
}

static size_t make_request(const struct state *s, uint8_t *out)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), s->cert, s->issuer);
	int len = 0;

	if (request && id && OCSP_request_add0_id(request, id)) {
		id = NULL; /* the request's now */
		len = i2d_OCSP_REQUEST(request, NULL);
		if (len > 0 && len <= PKI_MAX_OCSP_REQUEST)
			len = i2d_OCSP_REQUEST(request, &out);
		else
			len = 0;
	}
	OCSP_CERTID_free(id);
	OCSP_REQUEST_free(request);
	return len > 0 ? (size_t)len : 0;
}

/* Those that the certificate names; @wanted: it lacks an answer. */
static void add_responders(struct review *v, unsigned int cert, bool wanted)
{
	const struct state *s = &v->states[cert];
	AUTHORITY_INFO_ACCESS *aia = X509_get_ext_d2i(s->cert, NID_info_access, NULL, NULL);
	uint8_t request[PKI_MAX_OCSP_REQUEST];
	/* 0: a serial number longer than anybody's */
	size_t len = sk_ACCESS_DESCRIPTION_num(aia) > 0 ? make_request(s, request) : 0;

	for (int i = 0; len && i < sk_ACCESS_DESCRIPTION_num(aia); i++) {
		const ACCESS_DESCRIPTION *a = sk_ACCESS_DESCRIPTION_value(aia, i);
		struct pki_need *need;

		if (OBJ_obj2nid(a->method) != NID_ad_OCSP || a->location->type != GEN_URI)
			continue;
		need = add_need(v, cert, a->location->d.uniformResourceIdentifier, request, len);
		if (need)
			need->wanted |= wanted;
	}
	AUTHORITY_INFO_ACCESS_free(aia);
}

static void add_points(struct review *v, unsigned int cert, bool wanted)
{
	CRL_DIST_POINTS *points =
		X509_get_ext_d2i(v->states[cert].cert, NID_crl_distribution_points, NULL, NULL);

	for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT_NAME *at = sk_DIST_POINT_value(points, i)->distpoint;

		for (int k = 0; at && !at->type && k < sk_GENERAL_NAME_num(at->name.fullname);
		     k++) {
			const GENERAL_NAME *n = sk_GENERAL_NAME_value(at->name.fullname, k);
			struct pki_need *need = n->type == GEN_URI
							? add_need(v, cert,
								   n->d.uniformResourceIdentifier,
								   (const uint8_t *)"", 0)
							: NULL;

			if (need)
				need->wanted |= wanted;
		}
	}
	CRL_DIST_POINTS_free(points);
}

static void use_response(struct review *v, struct pki_need *need, const struct ike_iov *der)
{
	struct state *s = &v->states[need->cert];

	s->from = need->uri;
	s->ocsp_until = 0;
	take_response(v, der);
	s->from = NULL;
	if (!s->ocsp_until) {
		keep_reason(need, s);
		return;
	}
	need->state = PKI_NEED_USED;
	need->until = s->ocsp_until;
}

/* What was fetched from the addresses that the certificates name. CRLs are looked at with the others. */
static void take_fetched(struct review *v)
{
	for (unsigned int i = 0; i < (unsigned int)v->n; i++) {
		if (v->states[i].ocsp_good)
			continue;
		add_responders(v, i, false);
		add_points(v, i, false);
	}
	for (unsigned int i = 0; i < v->r->n_needs; i++) {
		struct pki_need *need = &v->r->needs[i];
		const struct pki_fetched had = v->q->fetched(v->q->fetched_ctx, need);

		v->fetched[i] = had.der;
		if (had.der.base)
			need->state = PKI_NEED_USELESS; /* until it proves to be of use */
		else if (had.fault)
			need->state = PKI_NEED_FAILED;
		if (need->state == PKI_NEED_FAILED)
			note_failure(&v->states[need->cert], need->uri, had.fault);
		else if (had.der.base && need->ocsp)
			use_response(v, need, &had.der);
	}
}

/* Does the certificate say where to ask, whether or not we would? */
static bool names_source(const struct state *s)
{
	STACK_OF(OPENSSL_STRING) *responders = X509_get1_ocsp(s->cert);
	bool any = sk_OPENSSL_STRING_num(responders) > 0 ||
		   X509_get_ext_by_NID(s->cert, NID_crl_distribution_points, -1) >= 0;

	X509_email_free(responders);
	return any;
}

static bool needs_answer(const struct review *v, const struct state *s)
{
	if (s->ocsp_good || s->crl_good)
		return false;
	return v->q->revocation == PKI_REVOCATION_STRICT || s->unknown || s->crl_known ||
	       names_source(s);
}

/* The first address of a CRL that is @good; NULL: there is none. */
static const ASN1_STRING *find_point(const CRL_DIST_POINTS *points,
				     bool (*good)(const uint8_t *uri, int len))
{
	for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT_NAME *at = sk_DIST_POINT_value(points, i)->distpoint;

		for (int k = 0; at && !at->type && k < sk_GENERAL_NAME_num(at->name.fullname);
		     k++) {
			const GENERAL_NAME *n = sk_GENERAL_NAME_value(at->name.fullname, k);
			const ASN1_STRING *uri = n->d.uniformResourceIdentifier;

			if (n->type == GEN_URI &&
			    good(ASN1_STRING_get0_data(uri), ASN1_STRING_length(uri)))
				return uri;
		}
	}
	return NULL;
}

/* Where its CRL is; CAs of Active Directory may have it where nothing is fetched from. */
static void add_place(const struct review *v, const struct state *s, struct text *out)
{
	CRL_DIST_POINTS *points =
		X509_get_ext_d2i(s->cert, NID_crl_distribution_points, NULL, NULL);
	const ASN1_STRING *http = find_point(points, is_fetchable);
	const ASN1_STRING *uri = http ? http : find_point(points, is_plain);

	if (uri)
		text_add(out, " from %.*s", ASN1_STRING_length(uri),
			 (const char *)ASN1_STRING_get0_data(uri));
	if (uri && !http && v->q->fetched)
		text_add(out, ", as only http:// is fetched,");
	CRL_DIST_POINTS_free(points);
}

/* It comes before what may be long, and cut off. */
static const char *default_text(const struct review *v)
{
	if (v->q->revocation != PKI_REVOCATION_IFURI)
		return "";
	if (v->q->fetched)
		return " (the default, unless Fetch = no; Revocation = off asks nothing)";
	return sk_X509_CRL_num(v->q->trust->crls) > 0
		       ? " (the default with CRL; Revocation = off asks nothing)"
		       : "";
}

/* Of the first certificate that lacks an answer. */
static enum pki_verdict say_missing(const struct review *v, const struct state *s,
				    struct pki_result *r)
{
	struct text out = text_init(r->text, sizeof(r->text));
	char name[NAME_TEXT], issuer[NAME_TEXT];

	text_add(&out,
		 "whether the certificate '%s' was revoked is not known: %s; Revocation = %s%s "
		 "wants a CRL or an OCSP response: put the CRL of '%s'",
		 subject_text(name, s->cert), *s->why ? s->why : "nothing says so",
		 v->q->revocation == PKI_REVOCATION_STRICT ? "strict" : "ifuri", default_text(v),
		 issuer_text(issuer, s->cert));
	add_place(v, s, &out);
	text_add(&out, " into what CRL= in [Peer] names");
	return PKI_STATUS_MISSING;
}

static enum pki_verdict judge(struct review *v, struct pki_result *r)
{
	int missing = -1;
	char name[NAME_TEXT];

	for (int i = 0; i < v->n && i <= PKI_MAX_BETWEEN; i++)
		r->path[i].good_at = v->states[i].good_at;

	for (int i = 0; i < v->n; i++) {
		const struct state *s = &v->states[i];

		if (s->revoked) {
			snprintf(r->text, sizeof(r->text), "the certificate '%s' %s",
				 subject_text(name, s->cert), s->why);
			r->revoked = cert_serial(s->cert, s->issuer);
			r->revoked_by_fetched = !s->stapled;
			r->revoked_at = s->revoked_at;
			return PKI_REVOKED;
		}
	}
	for (int i = 0; i < v->n; i++) {
		const struct state *s = &v->states[i];

		if (!needs_answer(v, s))
			continue;
		add_responders(v, (unsigned int)i, true);
		add_points(v, (unsigned int)i, true);
		if (missing < 0)
			missing = i;
	}
	return missing >= 0 ? say_missing(v, &v->states[missing], r) : PKI_TRUSTED;
}

enum pki_verdict check_revocation(const struct pki_query *q, X509_STORE *store,
				  STACK_OF(X509) *path, STACK_OF(X509) *untrusted,
				  struct pki_result *r)
{
	struct review v = { .q = q, .store = store, .path = path, .untrusted = untrusted, .r = r };

	v.n = sk_X509_num(path) - 1;
	snprintf(r->text, sizeof(r->text), "the CRLs cannot be looked at");
	if (v.n >= MAX_PATH)
		return PKI_FAILED;
	for (int i = 0; i < v.n; i++) {
		v.states[i].cert = sk_X509_value(path, i);
		v.states[i].issuer = sk_X509_value(path, i + 1);
	}
	for (unsigned int i = 0; i < q->n_ocsp && i < PKI_MAX_CERTS; i++)
		take_response(&v, &q->ocsp[i]);
	if (q->fetched)
		take_fetched(&v);
	return check_crls(&v, r) ? judge(&v, r) : PKI_FAILED;
}
