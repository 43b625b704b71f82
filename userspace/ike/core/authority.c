// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which CAs a responder names in CERTREQ (RFC 7296 3.7). It answers IKE_SA_INIT before it knows which tunnel
 * is meant, so it names those of all tunnels, or if they are too many none, which asks for any. The set is
 * made anew when the tunnels have changed. That it asks matters more than for what: many peers send a
 * certificate only if they are asked. Where it is asked whether certificates were revoked, OCSP responses are
 * asked for as well (RFC 4806).
 */
#include "ike/core/layer_ikesa.h"

static void add_hash(struct authorities *a, const uint8_t *hash)
{
	unsigned int i;

	for (i = 0; i < a->n && i < CORE_AUTHORITIES; i++) {
		if (!memcmp(a->hash[i], hash, PKI_HASH_LEN))
			return;
	}
	if (a->n < CORE_AUTHORITIES)
		memcpy(a->hash[a->n], hash, PKI_HASH_LEN);
	if (a->n <= CORE_AUTHORITIES)
		a->n++;
}

static void make_authorities(struct ike_core *core)
{
	struct authorities *a = &core->authorities;
	const struct ike_peer *p;
	unsigned int n, i;

	memset(a, 0, sizeof(*a));
	a->of = core->changes + 1;
	TAILQ_FOREACH(p, &core->peers, link)
	{
		const uint8_t *hashes = p->conf->trust ? pki_trust_hashes(p->conf->trust, &n)
						       : NULL;

		for (i = 0; hashes && i < n; i++)
			add_hash(a, hashes + i * PKI_HASH_LEN);
		a->wanted |= p->conf->trust != NULL;
		a->wants_status |= p->conf->trust && p->conf->revocation != PKI_REVOCATION_OFF;
	}
	if (a->n > CORE_AUTHORITIES)
		a->n = 0;
}

/*
 * No OCSP responder is named, as those are trusted whom the CAs have appointed (RFC 4806 3.1). The CAs have to be asked
 * for after this: OpenIKED without a certificate of theirs shows another one only if it knows the encoding of the last
 * CERTREQ, and it does not know OCSP; it does not answer then.
 */
static void ask_for_status(struct ike_builder *b)
{
	ike_build_certreq(b, IKE_CERT_OCSP, NULL, 0);
}

void authority_build_any(struct ike_core *core, struct ike_builder *b)
{
	if (core->authorities.of != core->changes + 1)
		make_authorities(core);
	if (core->authorities.wants_status)
		ask_for_status(b);
	if (core->authorities.wanted)
		ike_build_certreq(b, IKE_CERT_X509, core->authorities.hash,
				  core->authorities.n * PKI_HASH_LEN);
}

void authority_build(struct ike_builder *b, const struct tunnel_conf *c)
{
	unsigned int n;
	const uint8_t *hashes = c->trust ? pki_trust_hashes(c->trust, &n) : NULL;

	if (hashes && c->revocation != PKI_REVOCATION_OFF)
		ask_for_status(b);
	if (hashes)
		ike_build_certreq(b, IKE_CERT_X509, hashes,
				  n <= CORE_AUTHORITIES ? n * PKI_HASH_LEN : 0);
}

static bool asks_for(const struct ike_payloads *in, uint8_t encoding)
{
	struct ike_cert request;
	unsigned int i;

	for (i = 0; i < in->n; i++) {
		if (in->p[i].type == IKE_PL_CERTREQ && !ike_cert_parse(&in->p[i], &request) &&
		    request.encoding == encoding)
			return true;
	}
	return false;
}

bool authority_asks_status(const struct ike_payloads *in)
{
	return asks_for(in, IKE_CERT_OCSP);
}

bool authority_takes_raw_key(const struct ike_payloads *in)
{
	return !ike_payload_find(in, IKE_PL_CERTREQ) || asks_for(in, IKE_CERT_RAW_KEY);
}
