// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Android: with certificates or as a user, a profile of the app strongSwan VPN Client (.sswan), whose members are those of
 * docs.strongswan.org, os/androidVpnClientProfiles; with a PSK, which the app does not have, the fields of Android's own
 * client.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/base64.h"
#include "cli/far/far.h"
#include "cli/plist.h"
#include "ike/proto/text.h"

/* Android's own client: Settings, Network & internet, VPN, +. */
static void write_fields(struct far *f)
{
	far_put(f, "Type: IKEv2/IPSec PSK\n");
	far_put(f, "Server address: %s\n", f->ours);
	far_put(f, "IPSec identifier: %s\n", f->its_id);
	far_put(f, "IPSec pre-shared key: %s\n", f->secret);
	if (strcmp(f->ours, f->our_id) != 0)
		far_note(
			f,
			"Android takes no other identity than the server address: %s, but our LocalID is %s",
			f->ours, f->our_id);
	for (unsigned int i = 0; i < f->n_notes; i++)
		far_put(f, "# %s\n", f->note[i]);
}

static void set_bytes(json_t *o, const char *key, const uint8_t *data, size_t len)
{
	char *text = malloc(BASE64_SIZE(len));

	if (text) {
		base64(text, data, len);
		json_object_set_new(o, key, json_string(text));
		explicit_bzero(text, BASE64_SIZE(len));
	}
	free(text);
}

static void set_proposal(struct far *f, json_t *o, const char *key, uint8_t protocol)
{
	struct far_proposal p[FAR_PROPOSALS];
	char text[512] = "";
	struct text t = text_init(text, sizeof(text));

	if (!far_proposals(f, protocol, NULL, p))
		return;
	for (unsigned int k = 0; k < 4; k++) {
		const struct far_set *sets[] = { &p->encr, &p->integ, &p->prf, &p->dh };

		for (unsigned int i = 0; i < sets[k]->n; i++)
			text_add(&t, "%s%s", t.len ? "-" : "", sets[k]->word[i]);
	}
	json_object_set_new(o, key, json_string(text));
}

/* Networks that go through the tunnel, if not all do. */
static void set_networks(struct far *f, json_t *o)
{
	json_t *nets = json_array();
	char net[64];

	for (unsigned int i = 0; i < f->child->remote_ts.n; i++)
		json_array_append_new(nets,
				      json_string(far_prefix(net, &f->child->remote_ts.ts[i])));
	json_object_set_new(o, "split-tunneling", json_pack("{s:o}", "subnets", nets));
}

static json_t *make_remote(struct far *f)
{
	json_t *o = json_pack("{s:s,s:s}", "addr", f->ours, "id", f->our_id);

	if (f->ca.base)
		set_bytes(o, "cert", f->ca.base, f->ca.len);
	else
		far_note(
			f,
			"the CA that issued our certificate is not known here: import it into the app, unless the system trusts it");
	return o;
}

static json_t *make_local(struct far *f)
{
	bool user = f->needs & FAR_USER;
	json_t *o = json_pack("{s:s}", user ? "eap_id" : "id", f->its_id);

	if (user)
		return o;
	if (f->o->p12)
		set_bytes(o, "p12", f->o->p12, f->o->p12_len);
	else
		far_note(
			f,
			"its certificate and key are missing: make them with esptun ca issue --client --p12 FILE, and add --p12 FILE here");
	return o;
}

static void write_profile(struct far *f)
{
	char uuid[PLIST_UUID], id[128];
	json_t *o, *notes = json_array();

	snprintf(id, sizeof(id), "org.esptun.sswan.%s", far_name(f));
	o = json_pack("{s:s,s:s,s:s}", "uuid", plist_uuid(uuid, id), "name", f->c->name, "type",
		      f->needs & FAR_USER ? "ikev2-eap" : "ikev2-cert");
	json_object_set_new(o, "remote", make_remote(f));
	json_object_set_new(o, "local", make_local(f));
	set_proposal(f, o, "ike-proposal", IKE_PROTO_IKE);
	set_proposal(f, o, "esp-proposal", IKE_PROTO_ESP);
	if (!far_list_is_any(&f->child->remote_ts))
		set_networks(f, o);
	/* The app ignores members that it does not know; JSON has no comments. */
	for (unsigned int i = 0; i < f->n_notes; i++)
		json_array_append_new(notes, json_string(f->note[i]));
	json_object_set_new(o, "notes", notes);
	json_dumpf(o, f->out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	far_put(f, "\n");
	json_decref(o);
}

void far_write_android(struct far *f)
{
	if (f->needs & FAR_PSK)
		write_fields(f);
	else
		write_profile(f);
}
