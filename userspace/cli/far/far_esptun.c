// SPDX-License-Identifier: GPL-2.0-or-later
/* esptun.conf(5) of another machine with esptun. What has its default there is left out. */
#include <stdlib.h>
#include <string.h>

#include "cli/base64.h"
#include "cli/far/far.h"
#include "ike/child/proposal.h"
#include "ike/proto/names.h"

static void put_proof(struct far *f, const char *key, enum ike_method method)
{
	static const char *const methods[IKE_METHODS] = { "psk", "pubkey", "eap" };

	far_put(f, "%s = %s\n", key, methods[method]);
}

/* Our public key, which is in our configuration; its own one, the far end's, only it has. */
static void put_public_key(struct far *f)
{
	const struct ike_creds creds = { f->c->creds, f->c->n_creds };
	char text[BASE64_SIZE(IKE_MAX_SPKI)];
	struct ike_iov spki;

	if (!ike_cred_find(&creds, IKE_CRED_OWN_KEY, &spki) || spki.len > IKE_MAX_SPKI) {
		far_put(f, "PublicKey = /etc/esptun/%s.pub\n", far_name(f));
		return;
	}
	base64(text, spki.base, spki.len);
	far_put(f, "PublicKey = base64:%s\n", text);
}

static bool is_default(const struct ike_proposals *own, uint8_t protocol)
{
	struct ike_proposals *usual = malloc(sizeof(*usual));
	char why[256];
	bool is;

	if (!usual)
		return false;
	memset(usual, 0, sizeof(*usual));
	is = !ike_proposals_from_text("modern", protocol, usual, why, sizeof(why)) &&
	     usual->n == own->n;
	for (unsigned int i = 0; is && i < own->n; i++) {
		const struct ike_proposal *a = &own->p[i], *b = &usual->p[i];

		is = a->n == b->n && !memcmp(a->t, b->t, a->n * sizeof(a->t[0]));
	}
	free(usual);
	return is;
}

/* For ESP, "none" beside groups is what is there without a word, and no group is "nopfs". */
static void put_esp_proposal(struct far *f, const struct ike_proposal *p)
{
	bool group = false, none = false, esn = false, noesn = false;
	const char *between = "";
	char word[64];

	far_put(f, "esp:");
	for (unsigned int i = 0; i < p->n; i++) {
		const struct ike_transform *t = &p->t[i];

		group |= t->type == IKE_T_DH && t->id;
		none |= t->type == IKE_T_DH && !t->id;
		esn |= t->type == IKE_T_ESN && t->id;
		noesn |= t->type == IKE_T_ESN && !t->id;
		if (t->type == IKE_T_ESN || (t->type == IKE_T_DH && !t->id))
			continue;
		far_put(f, "%s%s", between, ike_transform_print(word, sizeof(word), t));
		between = "-";
	}
	far_put(f, "%s%s",
		!group ? "-nopfs"
		: none ? ""
		       : "-pfs",
		esn && !noesn	? "-esn"
		: noesn && !esn ? "-noesn"
				: "");
}

static void put_crypto(struct far *f)
{
	char text[2048];
	const char *between = "Crypto = ";

	if (is_default(f->c->ike, IKE_PROTO_IKE) && is_default(f->c->esp, IKE_PROTO_ESP))
		return;
	for (unsigned int i = 0; i < f->c->ike->n; i++, between = "\n\t") {
		far_put(f, "%sike:%s", between,
			ike_proposal_print(text, sizeof(text), &f->c->ike->p[i]));
	}
	for (unsigned int i = 0; i < f->c->esp->n; i++, between = "\n\t") {
		far_put(f, "%s", between);
		put_esp_proposal(f, &f->c->esp->p[i]);
	}
	far_put(f, "\n");
}

static bool has_family(const struct ike_ts_list *l, uint8_t family)
{
	for (unsigned int i = 0; i < l->n; i++) {
		if (l->ts[i].family == family)
			return true;
	}
	return false;
}

/* Each local selector with each remote one, of its family if there is one. */
static void put_selectors(struct far *f, const struct ike_child_conf *c)
{
	const char *between = "Selectors = ";
	char a[128], b[128];

	for (unsigned int i = 0; i < c->local_ts.n; i++) {
		for (unsigned int k = 0; k < c->remote_ts.n; k++) {
			const struct ike_ts *l = &c->local_ts.ts[i], *r = &c->remote_ts.ts[k];

			if (l->family != r->family && has_family(&c->remote_ts, l->family) &&
			    has_family(&c->local_ts, r->family))
				continue;
			far_put(f, "%s%s = %s", between, ike_ts_print(a, sizeof(a), l),
				ike_ts_print(b, sizeof(b), r));
			between = ",\n\t";
		}
	}
	far_put(f, "\n");
}

static void put_routes(struct far *f)
{
	const char *between = "Routes = ";
	char net[64];

	if (f->needs & FAR_CLIENT) {
		far_put(f, "Routes = request\n");
		return;
	}
	for (unsigned int i = 0; i < f->n_child; i++) {
		const struct ike_ts_list *l = &f->child[i].remote_ts;

		for (unsigned int k = 0; k < l->n; k++) {
			/* What is everything would take the way to this machine, too. */
			if (far_is_any(&l->ts[k]) || f->child[i].mode == IKE_MODE_TRANSPORT)
				continue;
			far_put(f, "%s%s", between, far_prefix(net, &l->ts[k]));
			between = ", ";
		}
	}
	far_put(f, "%s", *between == ',' ? "\n" : "");
}

static void put_children(struct far *f)
{
	if (f->needs & FAR_CLIENT)
		return;
	for (unsigned int i = 0; i < f->n_child; i++) {
		const struct ike_child_conf *c = &f->child[i];
		/* A child SA for each pair says nothing beyond it; one of all pairs is what "all" asks for. */
		const char *per = c->local_ts.n * c->remote_ts.n > 1 ? "SelectorsPerChild = all\n"
								     : "";

		if (f->n_child > 1)
			far_put(f, "\n[Child %s]\n", c->name);
		else if (c->mode == IKE_MODE_TUNNEL && far_list_is_any(&f->c->child[i].local_ts) &&
			 far_list_is_any(&f->c->child[i].remote_ts))
			return; /* the default at both ends, where routes say what goes */
		if (c->mode == IKE_MODE_TRANSPORT)
			far_put(f, "Mode = transport\n");
		put_selectors(f, c);
		far_put(f, "%s", per);
	}
}

static void put_tunnel(struct far *f)
{
	bool key = f->its_method == IKE_METHOD_SIGNATURE || f->our_method == IKE_METHOD_EAP;

	far_put(f, "[Tunnel]\n");
	if (f->needs & FAR_CLIENT)
		far_put(f, "Address = request\n");
	if (f->needs & FAR_USER)
		far_put(f, "EAP = %s\nPassword = \"%s\"\n", f->its_id, f->secret);
	else
		far_put(f, "LocalID = %s\n", f->its_id);
	if (key)
		far_put(f, "Key = /etc/esptun/%s.key\n", far_name(f));
	if (key && f->needs & FAR_CERT)
		far_put(f, "Cert = /etc/esptun/%s.crt\n", far_name(f));
}

/* What could be read as hex:, base64: or file: is written in hexadecimal. */
static void put_psk(struct far *f)
{
	bool text = !f->secret_hex && !strchr(f->secret, ':');

	far_put(f, "PSK = %s", text ? "" : "hex:");
	for (const char *s = f->secret; *s; s++)
		far_put(f, text || f->secret_hex ? "%c" : "%02x", (unsigned char)*s);
	far_put(f, "\n");
}

static void put_keys(struct far *f)
{
	if (f->needs & FAR_PSK)
		put_psk(f);
	if (f->our_method == IKE_METHOD_SIGNATURE && f->needs & FAR_CERT)
		far_put(f, "CA = /etc/esptun/ca.crt\n");
	else if (f->our_method == IKE_METHOD_SIGNATURE)
		put_public_key(f);
	if (f->our_method != f->its_method && f->its_method != IKE_METHOD_EAP &&
	    f->our_method != IKE_METHOD_EAP) {
		put_proof(f, "LocalAuth", f->its_method);
		put_proof(f, "RemoteAuth", f->our_method);
	}
	if (!*f->ppk.id)
		return;
	far_put(f, "PPK = ");
	if (f->ppk.key) {
		far_put(f, "hex:");
		for (size_t i = 0; i < f->ppk.len; i++)
			far_put(f, "%02x", f->ppk.key[i]);
	} else {
		far_put(f, "THE-PPK-OF-%s", far_name(f));
	}
	far_put(f, "\nPPKID = %s\n", f->ppk.id);
	if (!f->ppk.required)
		far_put(f, "PPKRequired = no\n");
}

static void put_peer(struct far *f)
{
	const struct config *c = f->c;
	char ike[16], child[16];

	far_put(f, "\n[Peer]\n");
	/* Both ends may begin, if each knows where the other one is. */
	if (c->port != IKE_NATT_PORT)
		far_put(f, "Endpoint = %s:%u\n", f->ours, c->port);
	else
		far_put(f, "Endpoint = %s\n", f->ours);
	far_put(f, "RemoteID = %s\n", f->our_id);
	put_keys(f);
	put_routes(f);
	put_crypto(f);
	if (c->rekey_ike != CONFIG_REKEY_IKE || c->rekey_child != CONFIG_REKEY_CHILD)
		far_put(f, "Rekey = %s, %s\n", c->rekey_ike ? far_time(ike, c->rekey_ike) : "off",
			c->rekey_child ? far_time(child, c->rekey_child) : "off");
	if (c->encap != IKE_ENCAP_UDP)
		far_put(f, "Encap = %s\n", c->encap == IKE_ENCAP_ESP ? "esp" : "auto");
	if (!f->initiates)
		far_put(f, "Start = listen\n");
	put_children(f);
}

void far_write_esptun(struct far *f)
{
	if (f->needs & FAR_SERVER)
		far_note(
			f,
			"our user stands in the file that Users of the far end names, which has to be written by hand, with Clients and [Pool]");
	if (f->needs & FAR_POOL)
		far_note(
			f,
			"the far end is a hub for us: it needs Clients, and [Pool] with a Range, which have to be written by hand");
	if (f->needs & FAR_CERT)
		far_note(
			f,
			"its key and certificate are %s.key and %s.crt, which esptun ca issue makes; ca.crt is the certificate of the CA that issued ours",
			far_name(f), far_name(f));
	else if (f->its_method == IKE_METHOD_SIGNATURE)
		far_note(f, "its private key goes to /etc/esptun/%s.key there", far_name(f));
	if (f->secret_shown)
		far_note(f, "the file holds a key: mode 0600");
	put_tunnel(f);
	put_peer(f);
}
