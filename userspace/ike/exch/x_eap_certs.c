// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Certificates that an end shows by EAP-TLS, within TLS: pki/ judges them by the CAs, the CRLs and the rules of the tunnel, as it
 * does those of IKE_AUTH (x_signature.c). That the end has the key of the first one TLS finds out.
 *
 * The server's certificate is for the identity that it has in IKE, or for that of EAPServerID=. A client's is for the name that it gave in EAP, which has
 * to be one of its names; who gives none, or a realm alone (RFC 9190 2.1.8), is who its certificate says.
 */
#include "ike/exch/layer_exchange.h"

#include <stdlib.h>

enum { DER_SEQUENCE = 0x30 };

struct shown_certs {
	struct ike_iov cert[PKI_MAX_CERTS];
	unsigned int n; /* PKI_MAX_CERTS + 1: there were more */
};

/* As ike_tls_certs() in crypto/tls.h has them; what is malformed ends the list. */
static struct shown_certs read_certs(const struct ike_iov *all)
{
	struct cursor c = cursor_init(all->base, all->len);
	struct shown_certs out = { .n = 0 };

	while (c.left && !c.bad && out.n <= PKI_MAX_CERTS) {
		size_t len = (size_t)cursor_u8(&c) << 16;
		const uint8_t *der;

		len |= cursor_be16(&c);
		der = cursor_bytes(&c, len);
		if (der && out.n < PKI_MAX_CERTS)
			out.cert[out.n] = (struct ike_iov){ der, len };
		out.n += der != NULL;
	}
	return out;
}

/* A name of 2 to 255 bytes that may as well begin with a zero. */
static bool is_der(const uint8_t *name, size_t len)
{
	if (len < 2 || name[0] != DER_SEQUENCE)
		return false;
	return name[1] == len - 2 || (len > 0x82 && name[1] == 0x81 && name[2] == len - 3);
}

/* A DN, in its DER or as people write it. */
static bool find_dn(const struct eap *e, struct ike_id *id)
{
	char text[EAP_MAX_NAME + 1], why[256];

	if (is_der(e->name, e->name_len)) {
		*id = (struct ike_id){ .type = IKE_ID_DER_DN, .len = (uint16_t)e->name_len };
		memcpy(id->data, e->name, e->name_len);
		return true;
	}
	memcpy(text, e->name, e->name_len);
	text[e->name_len] = 0;
	return memchr(text, '=', e->name_len) && !ike_id_from_text(text, id, why, sizeof(why)) &&
	       id->type == IKE_ID_DER_DN;
}

/* Who the client says that it is, or without a word of that its certificate. False: nobody. */
static bool find_client(const struct eap *e, const struct shown_certs *certs, struct ike_id *id)
{
	*id = (struct ike_id){ 0 };
	if (!e->name_len || e->name[0] == '@')
		return certs->n && pki_cert_choose_id(&certs->cert[0], id);
	return find_dn(e, id) || eap_identity(e->name, e->name_len, id);
}

/* Who the server has to be: it may have another certificate in EAP than in IKE, as that of a RADIUS server is. */
static struct ike_id find_server(const struct ike_sa *sa, const struct ike_peer *p)
{
	struct ike_iov item = { 0 };
	struct ike_id id = { 0 };

	if (!ike_cred_find(&p->conf->creds, IKE_CRED_EAP_SERVER, &item) ||
	    item.len - 1 > sizeof(id.data))
		return sa->remote_id;
	id.type = *(const uint8_t *)item.base;
	id.len = (uint16_t)(item.len - 1);
	memcpy(id.data, (const uint8_t *)item.base + 1, id.len);
	return id;
}

/*
 * The IKE SA lasts no longer than the certificates that prove who the other end is, and ends when one of the path is revoked, or one of
 * those that were shown in a round before. False without memory.
 */
static bool note_path(struct ike_core *core, struct ike_sa *sa, const struct pki_result *r)
{
	uint64_t until = x_signature_until(core, r);
	unsigned int before = sa->shown ? sa->shown->n : 0;
	struct shown_path *shown =
		malloc(sizeof(*shown) + ((size_t)before + r->n_path) * sizeof(shown->v[0]));

	if (!shown)
		return false;
	shown->n = before + r->n_path;
	if (before)
		memcpy(shown->v, sa->shown->v, before * sizeof(shown->v[0]));
	memcpy(shown->v + before, r->path, r->n_path * sizeof(shown->v[0]));
	free(sa->shown);
	sa->shown = shown;
	if (until < sa->proof_until)
		sa->proof_until = until;
	return true;
}

static void verify(struct ike_core *core, struct ike_sa *sa, const struct ike_peer *p,
		   const struct shown_certs *certs, const struct ike_id *id, struct pki_result *r)
{
	struct fetched_asker asker = { core, sa, p->conf->name };
	const struct pki_query q = {
		.trust = p->conf->trust,
		.certs = certs->cert,
		.n_certs = certs->n,
		.id = id->type ? id : NULL,
		.now = core->env.utc(core->env.ctx),
		.flags = sa->setup->eap->run.server ? PKI_CN_IS_NAME : 0,
		.usage = PKI_USAGE_ANY,
		.revocation = p->conf->revocation,
		.fetched = p->conf->fetch ? fetched_find : NULL,
		.fetched_ctx = &asker,
	};

	pki_verify(&q, r);
	fetched_judge(core, r);
	if (sa->initiator)
		return;
	admit_work(core, r->cost);
	sa->setup->work += r->cost;
}

/* They were judged, and stand for @id if @r says so. */
static enum eap_verdict conclude(struct ike_core *core, struct ike_sa *sa, struct eap_step *step,
				 const struct ike_id *id, const struct pki_result *r)
{
	struct eap *e = &sa->setup->eap->run;

	sa->setup->has_cert_key = r->verdict == PKI_STATUS_MISSING || r->verdict == PKI_REVOKED;
	sa->setup->out_of_time = pki_is_about_time(r->verdict);
	if (r->verdict != PKI_TRUSTED)
		return eap_judged(e, step, NULL, r->text);
	if (!id->type)
		return eap_judged(
			e, step, NULL,
			"peer gave no name in EAP-Identity, and its certificate has none: give it one with its name");
	if ((e->server || e->alone) && !note_path(core, sa, r))
		return eap_judged(e, step, NULL, "no memory for the certificates of the peer");
	return eap_judged(e, step, id, NULL);
}

/* By then the other end has shown that it has the key of its certificate, or in IKE who it is: what is fetched is for no stranger. */
enum x_verdict x_eap_judge(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
			   const struct ike_peer *p, struct eap_step *step, job_done_fn again,
			   enum eap_verdict *verdict)
{
	struct eap *e = &sa->setup->eap->run;
	struct shown_certs certs = read_certs(&e->certs);
	struct ike_id id = find_server(sa, p);
	enum x_verdict fetch = X_DONE;
	struct pki_result r;

	if (!sa->setup->eap->shows_certs)
		fetched_begin_path(sa);
	sa->setup->eap->shows_certs = true;
	if (e->server && !find_client(e, &certs, &id))
		id.type = 0;
	verify(core, sa, p, &certs, &id, &r);
	if (r.verdict == PKI_STATUS_MISSING && x_signature_need(&r))
		fetch = fetched_begin(core, sa, m, p->conf->name, &id, x_signature_need(&r), again,
				      NULL);
	if (fetch == X_DONE)
		*verdict = conclude(core, sa, step, &id, &r);
	return fetch;
}
