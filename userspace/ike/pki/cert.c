// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One certificate: what it says, for which identities it is, and whether its key and its signature are
 * of kinds that we take. Nothing here trusts it.
 */
#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "ike/crypto/evp_key.h"
#include "ike/pki/pki_int.h"
#include "ike/proto/dn.h"
#include "ike/proto/id.h"

enum {
	MIN_SHORT_RSA = 1024, /* bits, with PKI_ALLOW_SHORT_RSA */
	NAMED_IDS = 4, /* in a sentence */
};

X509 *cert_parse(const struct ike_iov *der)
{
	const uint8_t *p = der->base;
	X509 *cert = der->len && der->len <= LONG_MAX ? d2i_X509(NULL, &p, (long)der->len) : NULL;

	if (cert && p == (const uint8_t *)der->base + der->len &&
	    !(X509_get_extension_flags(cert) & EXFLAG_INVALID))
		return cert;
	X509_free(cert);
	return NULL;
}

/* ---- text ------------------------------------------------------------------------ */

char *name_text(char *buf, const X509_NAME *name)
{
	struct text out = text_init(buf, NAME_TEXT);
	const uint8_t *der;
	size_t len;

	if (!X509_NAME_get0_der(name, &der, &len) || !ike_dn_add(&out, der, len))
		snprintf(buf, NAME_TEXT, "(a name that is none)");
	else if (!out.len)
		snprintf(buf, NAME_TEXT, "(no name)");
	return buf;
}

char *subject_text(char *buf, const X509 *cert)
{
	return name_text(buf, X509_get_subject_name(cert));
}

char *issuer_text(char *buf, const X509 *cert)
{
	return name_text(buf, X509_get_issuer_name(cert));
}

char *time_text(char *buf, int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(buf, TIME_TEXT, "%Y-%m-%d %H:%M:%S UTC", &tm))
		snprintf(buf, TIME_TEXT, "%lld s", (long long)seconds);
	return buf;
}

int64_t time_value(const ASN1_TIME *t)
{
	struct tm tm;

	return t && ASN1_TIME_to_tm(t, &tm) ? timegm(&tm) : -1;
}

/* ---- identities ------------------------------------------------------------------ */

static bool set_id(struct ike_id *id, uint8_t type, const uint8_t *data, size_t len)
{
	memset(id, 0, sizeof(*id));
	if (!len || len > sizeof(id->data))
		return false;
	id->type = type;
	id->len = (uint16_t)len;
	memcpy(id->data, data, len);
	return true;
}

/* A host name or an e-mail address: visible ASCII. What a CA let pass beside that is no name. */
static bool set_name(struct ike_id *id, uint8_t type, const ASN1_STRING *s)
{
	const uint8_t *p = ASN1_STRING_get0_data(s);
	int len = ASN1_STRING_length(s);

	for (int i = 0; i < len; i++)
		if (p[i] <= ' ' || p[i] > '~')
			return false;
	return set_id(id, type, p, (size_t)len);
}

/* RFC 4945 5.1.3.6: which entry of subjectAltName is which type of identity. */
static bool set_general(struct ike_id *id, const GENERAL_NAME *name)
{
	switch (name->type) {
	case GEN_DNS: return set_name(id, IKE_ID_FQDN, name->d.dNSName);
	case GEN_EMAIL: return set_name(id, IKE_ID_RFC822, name->d.rfc822Name);
	case GEN_IPADD:
		switch (ASN1_STRING_length(name->d.iPAddress)) {
		case 4: return set_id(id, IKE_ID_IPV4, ASN1_STRING_get0_data(name->d.iPAddress), 4);
		case 16:
			return set_id(id, IKE_ID_IPV6, ASN1_STRING_get0_data(name->d.iPAddress),
				      16);
		}
	}
	return false;
}

/* An empty subject is no identity, or all such certificates had the same. */
static bool set_subject(struct ike_id *id, const X509 *cert)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	const uint8_t *der;
	size_t len;

	memset(id, 0, sizeof(*id));
	return X509_NAME_entry_count(name) > 0 && X509_NAME_get0_der(name, &der, &len) &&
	       set_id(id, IKE_ID_DER_DN, der, len);
}

/* The subject's one CN as a host name. */
static bool set_common_name(struct ike_id *id, const X509 *cert)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

	if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
		return false;
	return set_name(id, IKE_ID_FQDN, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

/* Calls @fn for each identity until it says true, which is returned. */
static bool each_id(const X509 *cert, bool (*fn)(void *ctx, const struct ike_id *id), void *ctx)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	struct ike_id id;
	bool done = false;

	for (int i = 0; !done && i < sk_GENERAL_NAME_num(names); i++)
		done = set_general(&id, sk_GENERAL_NAME_value(names, i)) && fn(ctx, &id);
	GENERAL_NAMES_free(names);
	return done || (set_subject(&id, cert) && fn(ctx, &id));
}

struct id_list {
	struct ike_id *ids;
	unsigned int cap, n;
};

static bool list_id(void *ctx, const struct ike_id *id)
{
	struct id_list *l = ctx;

	if (l->n < l->cap)
		l->ids[l->n] = *id;
	l->n++;
	return false;
}

unsigned int pki_cert_ids(const struct ike_iov *der, struct ike_id *ids, unsigned int cap)
{
	struct id_list l = { .ids = ids, .cap = cap };
	X509 *cert = cert_parse(der);

	if (cert)
		each_id(cert, list_id, &l);
	X509_free(cert);
	return l.n;
}

void add_cert_ids(struct text *out, const X509 *cert)
{
	struct ike_id ids[NAMED_IDS];
	struct id_list l = { .ids = ids, .cap = NAMED_IDS };
	char id[NAME_TEXT];

	each_id(cert, list_id, &l);
	for (unsigned int i = 0; i < l.n && i < NAMED_IDS; i++)
		text_add(out, "%s'%s'", i ? ", " : "", ike_id_print(id, sizeof(id), &ids[i]));
	if (l.n > NAMED_IDS)
		text_add(out, " and %u others", l.n - NAMED_IDS);
	else if (!l.n)
		text_add(out, "no identity");
}

struct wanted {
	const struct ike_id *id;
	bool has_name; /* a dNSName */
};

static bool is_wanted(void *ctx, const struct ike_id *id)
{
	struct wanted *w = ctx;

	w->has_name |= id->type == IKE_ID_FQDN;
	return ike_id_eq(id, w->id);
}

bool cert_has_cn(const X509 *cert, const struct ike_id *id)
{
	struct ike_id cn;

	return set_common_name(&cn, cert) && ike_id_eq(&cn, id);
}

bool cert_is_for(const X509 *cert, const struct ike_id *id, unsigned int flags)
{
	struct wanted w = { .id = id };

	if (each_id(cert, is_wanted, &w))
		return true;
	return flags & PKI_CN_IS_NAME && !w.has_name && cert_has_cn(cert, id);
}

static bool choose_id(void *ctx, const struct ike_id *id)
{
	struct ike_id *wanted = ctx;

	if (wanted->type ? !ike_id_eq(id, wanted) : ike_id_is_wildcard(id))
		return false;
	*wanted = *id;
	return true;
}

bool pki_cert_choose_id(const struct ike_iov *der, struct ike_id *id)
{
	X509 *cert = cert_parse(der);
	bool chosen = cert && each_id(cert, choose_id, id);

	X509_free(cert);
	return chosen;
}

/* ---- keys and algorithms --------------------------------------------------------- */

static enum key_fault judge_rsa(EVP_PKEY *key, unsigned int flags, char *what)
{
	int least = flags & PKI_ALLOW_SHORT_RSA ? MIN_SHORT_RSA : IKE_MIN_RSA_BITS;
	int bits = EVP_PKEY_get_bits(key);

	snprintf(what, NAME_TEXT, "RSA with %d bits", bits);
	if (bits > IKE_MAX_RSA_BITS)
		return KEY_COSTLY;
	if (!evp_exponent_is_sane(key)) {
		snprintf(what, NAME_TEXT, "RSA with an unusual exponent");
		return KEY_COSTLY;
	}
	return bits >= least ? KEY_FINE : KEY_WEAK;
}

static enum key_fault judge_ec(EVP_PKEY *key, char *what)
{
	static const char *const curves[] = { "prime256v1", "secp384r1", "secp521r1" };
	char group[64] = "";

	if (!evp_curve_name(key, group, sizeof(group))) {
		snprintf(what, NAME_TEXT, "ECDSA on a curve without a name");
		return KEY_WEAK;
	}
	snprintf(what, NAME_TEXT, "ECDSA on the curve %s", group);
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (!strcmp(group, curves[i]))
			return KEY_FINE;
	return KEY_WEAK;
}

enum key_fault key_judge(EVP_PKEY *key, unsigned int flags, char *what)
{
	int kind = key ? EVP_PKEY_get_base_id(key) : NID_undef;

	switch (kind) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS: return judge_rsa(key, flags, what);
	case EVP_PKEY_EC: return judge_ec(key, what);
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448: snprintf(what, NAME_TEXT, "%s", OBJ_nid2sn(kind)); return KEY_FINE;
	}
	snprintf(what, NAME_TEXT, "of a kind that is not used here");
	return KEY_WEAK;
}

unsigned int key_cost(const EVP_PKEY *key)
{
	unsigned int bits = key ? (unsigned int)EVP_PKEY_get_bits(key) : 0;

	switch (key ? EVP_PKEY_get_base_id(key) : NID_undef) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS: return bits / 128 * (bits / 128) / 10; /* 100 of 4,096 bits */
	case EVP_PKEY_EC: return bits <= 256 ? 150 : bits <= 384 ? 1500 : 700;
	case EVP_PKEY_ED25519: return 150;
	case EVP_PKEY_ED448: return 700;
	default: return 0;
	}
}

/* The hash of a PSS signature (RFC 4055 3.1: SHA-1 unless it says another); NID_undef if it is malformed. */
static int pss_hash(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *object;
	RSA_PSS_PARAMS *pss;
	const void *value;
	int type, hash;

	X509_ALGOR_get0(&object, &type, &value, algorithm);
	pss = type == V_ASN1_SEQUENCE ? ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS))
				      : NULL;
	if (!pss)
		return NID_undef;
	hash = pss->hashAlgorithm ? OBJ_obj2nid(pss->hashAlgorithm->algorithm) : NID_sha1;
	RSA_PSS_PARAMS_free(pss);
	return hash;
}

const char *signature_fault(const X509_ALGOR *algorithm, unsigned int flags)
{
	const ASN1_OBJECT *object;
	int kind, hash = NID_undef, key = NID_undef;

	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	kind = OBJ_obj2nid(object);
	if (kind == NID_ED25519 || kind == NID_ED448)
		return NULL;
	if (kind == NID_rsassaPss)
		hash = pss_hash(algorithm);
	else if (!OBJ_find_sigid_algs(kind, &hash, &key) ||
		 (key != NID_rsaEncryption && key != NID_X9_62_id_ecPublicKey))
		hash = NID_undef;
	switch (hash) {
	case NID_sha256:
	case NID_sha384:
	case NID_sha512: return NULL;
	case NID_sha1:
		if (flags & PKI_ALLOW_SHA1)
			return NULL;
		return "SHA-1";
	case NID_md5: return "MD5";
	case NID_undef: return "an algorithm that is not used here";
	default: return OBJ_nid2sn(hash);
	}
}

bool cert_may_sign(X509 *cert)
{
	/* All bits are set if there is no such extension. */
	return X509_get_key_usage(cert) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION);
}

struct pki_serial cert_serial(const X509 *cert, const X509 *issuer)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	int len = i2d_ASN1_INTEGER(serial, NULL);
	struct pki_serial s = {
		.issuer = (uint32_t)X509_NAME_hash_ex(X509_get_issuer_name(cert), NULL, NULL, NULL),
	};
	uint8_t *at = s.der;

	if (len > 0 && len <= PKI_MAX_SERIAL)
		s.len = (uint8_t)i2d_ASN1_INTEGER(serial, &at);
	X509_pubkey_digest(issuer, EVP_sha1(), s.key, NULL);
	return s;
}

bool pki_serial_equals(const struct pki_serial *a, const struct pki_serial *b)
{
	return a->len && a->len == b->len && a->issuer == b->issuer &&
	       !memcmp(a->key, b->key, sizeof(a->key)) && !memcmp(a->der, b->der, a->len);
}
