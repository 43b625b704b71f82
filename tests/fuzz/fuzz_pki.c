// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as what a peer sends to prove its identity, and as files with certificates. The first two bytes
 * are flags; then come parts: what it is, a length in two bytes, the part. Parts that are CAs make the trust
 * store, so that seeds are whole and lead to each end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/pki/pki.h"
#include "ike/proto/cursor.h"
#include "ike/proto/id.h"

enum { CA, CERT, CRL, OCSP, FILE_BYTES, KEY, ID, KINDS, PARTS = 12, NOW = 1767225600 };

struct parts {
	struct ike_iov of[KINDS][PARTS];
	unsigned int n[KINDS];
};

/* Each part is copied, so that a read behind its end is found. */
static void take_parts(struct cursor *c, struct parts *p)
{
	while (c->left && !c->bad) {
		uint8_t kind = cursor_u8(c) % KINDS;
		uint16_t len = cursor_be16(c);
		const uint8_t *bytes = cursor_bytes(c, len < c->left ? len : c->left);
		uint8_t *copy;

		len = (uint16_t)(c->p - bytes);
		if (c->bad || p->n[kind] == PARTS)
			continue;
		copy = malloc(len ? len : 1);
		memcpy(copy, bytes, len);
		p->of[kind][p->n[kind]++] = (struct ike_iov){ copy, len };
	}
}

static void assert_printable(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			abort();
}

static void check(enum pki_verdict verdict, const struct pki_result *r)
{
	bool has_key = verdict == PKI_TRUSTED || verdict == PKI_STATUS_MISSING ||
		       verdict == PKI_REVOKED;

	assert_printable(r->text);
	if (verdict != r->verdict || verdict >= PKI_N_VERDICTS || !*r->text ||
	    has_key != (r->spki_len > 0) || r->n_path > PKI_MAX_BETWEEN + 1 ||
	    (r->n_path && verdict != PKI_TRUSTED) || r->spki_len > IKE_MAX_SPKI ||
	    (r->n_needs && verdict != PKI_STATUS_MISSING) || r->n_needs > PKI_MAX_NEEDS)
		abort();
	for (unsigned int i = 0; i < r->n_needs; i++)
		if (strncasecmp(r->needs[i].uri, "http://", 7) ||
		    r->needs[i].ocsp != (r->needs[i].request_len > 0))
			abort();
}

/* An identity that can be printed is read again as an equal one. */
static void try_id(const struct ike_iov *part, struct ike_id *id)
{
	struct ike_id again = *id;
	char text[4 * IKE_MAX_ID + 16], err[512];
	const uint8_t *p = part->base;

	memset(id, 0, sizeof(*id));
	if (part->len < 2 || part->len > IKE_MAX_ID)
		return;
	id->type = p[0] & 1 ? IKE_ID_DER_DN : IKE_ID_FQDN;
	id->len = (uint16_t)(part->len - 1);
	memcpy(id->data, p + 1, id->len);
	assert_printable(ike_id_print(text, sizeof(text), id));
	if (!ike_id_eq(id, id) || (ike_id_cmp(id, &again) > 0) != (ike_id_cmp(&again, id) < 0))
		abort();
	if (id->type == IKE_ID_DER_DN &&
	    (ike_id_from_text(text, &again, err, sizeof(err)) || !ike_id_eq(id, &again)))
		abort();
}

static void try_file(const struct ike_iov *file)
{
	for (enum pki_kind kind = PKI_CERTS; kind <= PKI_RESPONSES; kind++) {
		struct pki_items items;
		char err[512] = "";

		if (pki_read(kind, file->base, file->len, &items, err, sizeof(err)) !=
		    (items.n ? 0 : -1))
			abort();
		if (!items.n)
			assert_printable(err);
		pki_items_free(&items);
	}
}

static void try_cert(const struct ike_iov *cert)
{
	struct ike_id ids[2], id = { 0 };

	if (pki_cert_choose_id(cert, &id) && !pki_cert_ids(cert, ids, 2))
		abort();
}

static void try_path(const struct parts *p, uint8_t flags, uint8_t more, const struct ike_id *id)
{
	struct pki_result r;
	struct pki_query q;
	char err[1024];

	q = (struct pki_query){
		.trust = pki_trust_new(p->of[CA], p->n[CA], NULL, 0, err, sizeof(err)),
		.certs = p->of[CERT],
		.n_certs = p->n[CERT],
		.id = p->n[ID] ? id : NULL,
		.now = NOW,
		.flags = flags & (PKI_ALLOW_SHA1 | PKI_ALLOW_SHORT_RSA | PKI_CN_IS_NAME),
		.usage = more % 3,
		.revocation = more / 3 % 3,
		.crls = p->of[CRL],
		.n_crls = p->n[CRL],
		.ocsp = p->of[OCSP],
		.n_ocsp = p->n[OCSP],
	};
	if (q.trust)
		check(pki_verify(&q, &r), &r);
	else
		assert_printable(err);
	pki_trust_free((struct pki_trust *)q.trust);
}

/* All that is not a path. */
static void try_others(const struct parts *p)
{
	char err[1024], why[256];

	for (unsigned int i = 0; i < p->n[FILE_BYTES]; i++)
		try_file(&p->of[FILE_BYTES][i]);
	for (unsigned int i = 0; i < p->n[CERT]; i++)
		try_cert(&p->of[CERT][i]);
	for (unsigned int i = 0; i < p->n[KEY]; i++)
		ike_key_kind(p->of[KEY][i].base, p->of[KEY][i].len, why, sizeof(why));
	for (unsigned int i = 0; i < p->n[CRL]; i++) {
		pki_crl_check(&p->of[CRL][i], NOW, err, sizeof(err));
		assert_printable(err);
	}
	for (unsigned int i = 0; i < p->n[OCSP] && p->n[CERT]; i++) {
		pki_own_response_check(&p->of[OCSP][i], p->of[CERT], NOW, err, sizeof(err));
		assert_printable(err);
	}
	if (p->n[CERT] && pki_own_check(p->of[CERT], p->n[CERT], p->n[KEY] ? p->of[KEY] : NULL, NOW,
					err, sizeof(err)))
		assert_printable(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_init(data, size);
	uint8_t flags = cursor_u8(&c), more = cursor_u8(&c);
	struct parts p = { 0 };
	struct ike_id id = { 0 };

	if (c.bad)
		return 0;
	take_parts(&c, &p);
	for (unsigned int i = 0; i < p.n[ID]; i++)
		try_id(&p.of[ID][i], &id);
	if (more / 9 % 2)
		try_others(&p);
	else
		try_path(&p, flags, more, &id);
	for (unsigned int kind = 0; kind < KINDS; kind++)
		for (unsigned int i = 0; i < p.n[kind]; i++)
			free((void *)p.of[kind][i].base);
	return 0;
}
