// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * swanctl.conf(5) of strongSwan 5.9 and later, from whose manual the keys are; and OPNsense, which has strongSwan and
 * reads such files from /usr/local/etc/swanctl/conf.d (docs.opnsense.org, manual/vpnet).
 */
#include <string.h>

#include "cli/far/far.h"
#include "ike/proto/ts_text.h"

/* "[tcp/80-90]" behind an address. */
static void put_ports(struct far *f, const struct ike_ts *ts)
{
	if (!ts->protocol)
		return;
	far_put(f, "[%u", ts->protocol);
	if (ts->port_start == ts->port_end)
		far_put(f, "/%u", ts->port_start);
	else if (ts->port_start || ts->port_end != 65535)
		far_put(f, "/%u-%u", ts->port_start, ts->port_end);
	far_put(f, "]");
}

static void put_selectors(struct far *f, const char *key, const struct ike_ts_list *l,
			  enum ike_mode mode)
{
	char text[64];

	far_put(f, "        %s = ", key);
	for (unsigned int i = 0; i < l->n; i++) {
		struct ike_ts plain = l->ts[i];

		/* Of transport mode the addresses are those of the IKE SA, whatever the family. */
		if (mode == IKE_MODE_TRANSPORT && i && l->ts[i].family != l->ts[0].family)
			continue;
		plain.protocol = 0;
		plain.port_start = 0;
		plain.port_end = 65535;
		far_put(f, "%s%s", i ? ", " : "",
			mode == IKE_MODE_TRANSPORT ? "dynamic"
						   : ike_ts_print(text, sizeof(text), &plain));
		put_ports(f, &l->ts[i]);
	}
	far_put(f, "\n");
}

static void put_proposals(struct far *f, const char *key, uint8_t protocol)
{
	struct far_proposal p[FAR_PROPOSALS];
	unsigned int n = far_proposals(f, protocol, NULL, p);

	far_put(f, "%s = ", key);
	for (unsigned int i = 0; i < n; i++) {
		const struct far_set *sets[] = { &p[i].encr, &p[i].integ, &p[i].prf, &p[i].dh };

		for (unsigned int k = 0; k < 4; k++) {
			far_put(f, "%s", sets[k]->n ? k ? "-" : i ? ", " : "" : "");
			far_put_set(f, sets[k], "-");
		}
	}
	far_put(f, "\n");
}

/* keyid:0x7f is keyid:#7f there. */
static void put_id(struct far *f, const char *key, const char *id)
{
	bool hex = !strncmp(id, "keyid:0x", 8);

	far_put(f, "%s = \"%s%s\"\n", key, hex ? "keyid:#" : id, hex ? id + 8 : "");
}

/* How one end proves itself, in local or remote. */
static void put_auth(struct far *f, const char *end, enum ike_method method)
{
	bool far_end = !strcmp(end, "local");

	far_put(f, "    %s {\n", end);
	if (method == IKE_METHOD_PSK)
		far_put(f, "      auth = psk\n");
	else if (method == IKE_METHOD_EAP)
		far_put(f, "      auth = %s\n", far_end ? "eap" : "eap-mschapv2");
	else if (f->needs & FAR_RAW)
		far_put(f, "      auth = pubkey\n      pubkeys = %s.pub\n",
			far_end ? far_name(f) : "esptun");
	else
		far_put(f, "      auth = pubkey\n      %s = %s.crt\n",
			far_end ? "certs" : "cacerts", far_end ? far_name(f) : "ca");
	if (far_end && method == IKE_METHOD_EAP)
		far_put(f, "      eap_id = \"%s\"\n", f->its_id);
	else
		put_id(f, "      id", far_end ? f->its_id : f->our_id);
	far_put(f, "    }\n");
}

static void put_child(struct far *f, const struct ike_child_conf *c)
{
	char time[16];

	far_put(f, "      ");
	/* A dot in the name of a section would begin another one. */
	for (const char *s = c->name; *s; s++)
		far_put(f, "%c", *s == '.' ? '-' : *s);
	far_put(f, " {\n");
	if (!(f->needs & FAR_CLIENT))
		put_selectors(f, "local_ts", &c->local_ts, c->mode);
	put_selectors(f, "remote_ts", &c->remote_ts, c->mode);
	put_proposals(f, "        esp_proposals", IKE_PROTO_ESP);
	if (c->mode == IKE_MODE_TRANSPORT)
		far_put(f, "        mode = transport\n");
	far_put(f, "        rekey_time = %s\n", far_time(time, f->c->rekey_child));
	far_put(f, "        start_action = %s\n",
		c->mode == IKE_MODE_TRANSPORT || !f->initiates ? "none" : "start");
	far_put(f, "      }\n");
}

static void put_ppk(struct far *f)
{
	if (*f->ppk.id)
		far_put(f, "    ppk_id = \"%s\"\n    ppk_required = %s\n", f->ppk.id,
			f->ppk.required ? "yes" : "no");
}

static void put_connection(struct far *f)
{
	const struct config *c = f->c;
	char time[16];

	far_put(f, "connections {\n  %s {\n    version = 2\n", far_name(f));
	if (*f->its && !f->initiates)
		far_put(f, "    remote_addrs = %%any\n");
	else
		far_put(f, "    remote_addrs = %s\n", f->ours);
	if (c->port != IKE_NATT_PORT)
		far_put(f, "    remote_port = %u\n", c->port);
	if (f->needs & FAR_CLIENT)
		far_put(f, "    vips = 0.0.0.0, ::\n");
	if (f->needs & FAR_POOL)
		far_put(f, "    pools = %s\n", far_name(f));
	put_proposals(f, "    proposals", IKE_PROTO_IKE);
	far_put(f, "    rekey_time = %s\n", far_time(time, c->rekey_ike));
	far_put(f, "    dpd_delay = %s\n", far_time(time, c->liveness));
	far_put(f, "    mobike = %s\n", c->mobike ? "yes" : "no");
	if (f->needs & FAR_USER)
		far_put(f, "    send_certreq = yes\n");
	put_ppk(f);
	put_auth(f, "local", f->its_method);
	put_auth(f, "remote", f->our_method);
	far_put(f, "    children {\n");
	for (unsigned int i = 0; i < f->n_child; i++)
		put_child(f, &f->child[i]);
	far_put(f, "    }\n  }\n}\n");
}

static void put_ppk_secret(struct far *f)
{
	if (!*f->ppk.id)
		return;
	far_put(f, "  ppk-%s {\n    id = \"%s\"\n    secret = ", far_name(f), f->ppk.id);
	if (f->ppk.key) {
		far_put(f, "0x");
		for (size_t i = 0; i < f->ppk.len; i++)
			far_put(f, "%02x", f->ppk.key[i]);
	} else {
		far_put(f, "\"THE-PPK-OF-%s\"", far_name(f));
	}
	far_put(f, "\n  }\n");
}

static void put_secrets(struct far *f)
{
	bool psk = f->needs & FAR_PSK, eap = f->needs & (FAR_USER | FAR_SERVER);

	if (!psk && !eap && !*f->ppk.id)
		return;
	far_put(f, "secrets {\n");
	if (psk) {
		far_put(f, "  ike-%s {\n", far_name(f));
		put_id(f, "    id-1", f->our_id);
		put_id(f, "    id-2", f->its_id);
		far_put(f,
			f->secret_hex ? "    secret = 0x%s\n  }\n" : "    secret = \"%s\"\n  }\n",
			f->secret);
	}
	if (eap) {
		far_put(f, "  eap-%s {\n", far_name(f));
		put_id(f, "    id", f->needs & FAR_USER ? f->its_id : f->our_id);
		far_put(f, "    secret = \"%s\"\n  }\n", f->secret);
	}
	put_ppk_secret(f);
	far_put(f, "}\n");
}

static void note_files(struct far *f, const char *folder)
{
	if (f->needs & FAR_CERT && f->its_method == IKE_METHOD_SIGNATURE)
		far_note(
			f,
			"its certificate goes to %s/x509/%s.crt and its key to %s/private/%s.key: esptun ca issue makes them",
			folder, far_name(f), folder, far_name(f));
	if (f->needs & FAR_CERT && f->our_method == IKE_METHOD_SIGNATURE)
		far_note(f, "the certificate of the CA that issued ours goes to %s/x509ca/ca.crt",
			 folder);
	if (f->needs & FAR_RAW)
		far_note(
			f,
			"our public key goes to %s/pubkey/esptun.pub and its own to %s/pubkey/%s.pub, as openssl pkey -pubout writes them",
			folder, folder, far_name(f));
	if (f->needs & FAR_POOL)
		far_note(f, "put the network that we get an address of in place of 10.99.0.0/24");
}

static void write_all(struct far *f, const char *folder)
{
	note_files(f, folder);
	put_connection(f);
	if (f->needs & FAR_POOL)
		far_put(f, "pools {\n  %s {\n    addrs = 10.99.0.0/24\n  }\n}\n", far_name(f));
	put_secrets(f);
}

void far_write_swanctl(struct far *f)
{
	write_all(f, "/etc/swanctl");
}

void far_write_opnsense(struct far *f)
{
	far_note(f,
		 "this file is /usr/local/etc/swanctl/conf.d/%s.conf, read by: swanctl --load-all",
		 far_name(f));
	far_note(
		f,
		"Firewall, Rules, WAN has to let UDP 500 and 4500 in, and Firewall, Rules, IPsec what comes out of the tunnel");
	write_all(f, "/usr/local/etc/swanctl");
}
