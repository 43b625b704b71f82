// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Our configuration turned round. It is read by the agent's own parser; nothing here knows the grammar of
 * esptun.conf(5). What a target cannot express is decided here, by the bits of its row, so that generators write what
 * they can and need not ask.
 */
#include "cli/far/far.h"

#include <stdlib.h>
#include <string.h>

#include "ike/auth/job.h"
#include "ike/child/ts.h"
#include "ike/eap/eap.h"
#include "ike/proto/names.h"

/* What is said of a need that a target has not. Without a way to prove identities there is no configuration. */
static const struct {
	uint32_t need;
	bool vital;
	const char *sentence; /* behind "%s " */
} lacks[] = {
	/* Before all others: half of how an end proves itself would be another configuration. */
	{ FAR_ROUNDS, true,
	  "is configured here with one round of authentication at either end, not with two (LocalAuth, RemoteAuth): write its configuration by hand" },
	{ FAR_TLS, true,
	  "is not configured here with EAP-TLS (EAPMethods = tls): write its configuration by hand" },
	{ FAR_PSK, true, "has no pre-shared keys (PSK)" },
	{ FAR_CERT, true, "is not configured with certificates here (Cert, CA)" },
	{ FAR_RAW, true,
	  "has no raw public keys (Key without Cert, PublicKey): certificates or a PSK take their place" },
	{ FAR_USER, true, "is no user that proves itself by EAP (Users, Radius)" },
	{ FAR_SERVER, true, "does not ask us for a user's name and password (EAP, Password)" },
	{ FAR_POOL, false, "is not configured here to give us an address (Address = request)" },
	{ FAR_SITE, true,
	  "connects a single device, not networks: our side needs Clients and [Pool]" },
	{ FAR_CLIENT, true, "connects networks, and asks for no address: our side has [Pool]" },
	{ FAR_PSK_CLIENT, true,
	  "has no PSK for clients with IKEv2: certificates of esptun ca, or Users, take its place in our configuration" },
	{ FAR_TRANSPORT, true, "has no transport mode (Mode = transport) in this form" },
	{ FAR_PPK, false,
	  "has no post-quantum preshared keys: with PPKRequired = yes there is no IKE SA (PPK)" },
	{ FAR_PORTS, false,
	  "has no protocols and ports in selectors: they are left out, and our end narrows them (Selectors)" },
	{ FAR_RANGES, false,
	  "has prefixes in place of ranges of addresses: the smallest one that holds the range stands here (Selectors)" },
	{ FAR_CHILDREN, false, "has one child SA here: only the first of ours is written (Child)" },
	{ FAR_PORT, false, "sends to port 4500 alone: take Port out of our [Tunnel]" },
	{ FAR_KEYID, true, "has no identities of type keyid: (LocalID, RemoteID)" },
	{ FAR_KEYID_BYTES, true, "has key IDs of printable text alone (LocalID, RemoteID)" },
	{ FAR_DN, true, "has no distinguished names as identities here (LocalID, RemoteID)" },
	{ FAR_ODD_ID, true,
	  "has no identities with characters like \\, \" and $ here (LocalID, RemoteID): write its configuration by hand" },
	{ FAR_BINARY, true,
	  "takes no PSK but of printable text without blanks and quotation marks: make another one with esptun keygen" },
	{ FAR_IPV6, false, "has IPv4 alone inside here: IPv6 networks are left out" },
};

/* ---- facts --------------------------------------------------------------------------------------- */

/* Text that needs no escapes between quotation marks of any language. */
static bool is_quotable(const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' || s[i] == '\'')
			return false;
	}
	return len;
}

/* The same, where there may be no quotation marks around it. */
static bool is_word(const uint8_t *s, size_t len)
{
	/* 0x and 0s begin bytes in hexadecimal or base64 in other programs' files. */
	return is_quotable(s, len) && !memchr(s, ' ', len) &&
	       !(len > 1 && s[0] == '0' && strchr("xXsS", s[1]));
}

/* The key that the far end has: its own one, or that of all. */
static void take_psk(struct far *f)
{
	const struct config *c = f->c;
	const struct client_key *own =
		f->its_ike_id.type ? client_keys_find(c->keys.v, c->keys.n, &f->its_ike_id) : NULL;
	const uint8_t *key = own ? own->key : c->psk;
	size_t len = own ? own->len : c->psk_len;
	struct text hex;

	if (!(f->needs & FAR_PSK))
		return;
	snprintf(f->secret, sizeof(f->secret), "THE-PSK-OF-%s", far_name(f));
	if (!len) {
		far_note(f, "no key is known for this peer: name it with --id");
		return;
	}
	f->secret_hex = !is_word(key, len);
	if (f->secret_hex)
		f->needs |= FAR_BINARY;
	if (!f->o->secrets) {
		far_note(f, "put our PSK in place of %s, or add --secrets", f->secret);
		f->secret_hex = false;
		return;
	}
	f->secret_shown = true;
	if (f->secret_hex) {
		hex = text_init(f->secret, sizeof(f->secret));
		text_add_hex(&hex, key, len);
	} else {
		snprintf(f->secret, sizeof(f->secret), "%.*s", (int)len, (const char *)key);
	}
}

/* That of all peers, or of the client that the far end is. */
static void take_ppk(struct far *f)
{
	const struct config *c = f->c;
	const struct client_key *own =
		f->its_ike_id.type ? client_ppks_own(&c->ppks, &f->its_ike_id) : NULL;

	if (!c->n_ppk)
		return;
	f->ppk.required = c->ppk->name.required;
	if (own) {
		snprintf(f->ppk.id, sizeof(f->ppk.id), "%.*s", own->id.len,
			 (const char *)own->id.data);
	} else if (!c->ppk->name.of_clients) {
		snprintf(f->ppk.id, sizeof(f->ppk.id), "%.*s", c->ppk->name.id_len,
			 (const char *)c->ppk->name.id);
	} else {
		snprintf(f->ppk.id, sizeof(f->ppk.id), "ITS-PPKID");
		far_note(
			f,
			"no section [Client ID] says which PPK this peer has: put the name of one in place of %s, and its key",
			f->ppk.id);
	}
	if (!f->o->secrets || (c->ppk->name.of_clients && !own))
		return;
	f->ppk.key = own ? own->key : c->ppk->key;
	f->ppk.len = own ? own->len : c->ppk->len;
}

/* The password of the user that the far end is, or that we are. */
static void take_password(struct far *f)
{
	const struct config *c = f->c;
	const struct client_key *own =
		f->its_ike_id.type ? client_keys_find(c->keys.v, c->keys.n, &f->its_ike_id) : NULL;
	const struct config_password *ours = f->needs & FAR_SERVER ? c->password : NULL;
	const uint8_t *key = ours ? ours->key : own ? own->key : NULL;
	size_t len = ours ? ours->len : own ? own->len : 0;

	if (!(f->needs & (FAR_USER | FAR_SERVER)))
		return;
	snprintf(f->secret, sizeof(f->secret), "THE-PASSWORD-OF-%s", far_name(f));
	if (f->needs & FAR_SERVER)
		snprintf(f->secret, sizeof(f->secret), "OUR-PASSWORD");
	/* The first byte says what it is, enum ike_job_secret; a hash is no password. */
	if (f->o->secrets && len > 1 && key[0] == IKE_SECRET_PASSWORD &&
	    is_quotable(key + 1, len - 1)) {
		snprintf(f->secret, sizeof(f->secret), "%.*s", (int)len - 1, (const char *)key + 1);
		f->secret_shown = true;
		return;
	}
	far_note(f,
		 f->o->secrets
			 ? "the password is not known here in printable text: put it in place of %s"
			 : "put the password in place of %s, or add --secrets",
		 f->secret);
}

static void take_identities(struct far *f)
{
	const struct config *c = f->c;
	const struct ike_id *its = f->o->id.type ? &f->o->id : &c->remote_id;

	f->our_ike_id = c->local_id;
	if (!c->local_id.type && c->local.family) {
		f->our_ike_id.type = c->local.family == 4 ? IKE_ID_IPV4 : IKE_ID_IPV6;
		f->our_ike_id.len = c->local.family == 4 ? 4 : 16;
		memcpy(f->our_ike_id.data, c->local.b, f->our_ike_id.len);
	}
	if (its->type && !ike_id_is_wildcard(its))
		f->its_ike_id = *its;
	if (f->our_ike_id.type)
		ike_id_print(f->our_id, sizeof(f->our_id), &f->our_ike_id);
	else
		snprintf(f->our_id, sizeof(f->our_id), "%s", f->ours);
	if (f->its_ike_id.type) {
		ike_id_print(f->its_id, sizeof(f->its_id), &f->its_ike_id);
		return;
	}
	snprintf(f->its_id, sizeof(f->its_id), "ITS-IDENTITY");
	far_note(
		f,
		"our RemoteID names no single peer: put its identity in place of %s, or name it with --id ID",
		f->its_id);
}

/* Where the far end reaches us. */
static void take_addresses(struct far *f)
{
	const struct config *c = f->c;
	const struct ike_id *id = &c->local_id;

	snprintf(f->its, sizeof(f->its), "%s", c->endpoint);
	if (f->o->address)
		snprintf(f->ours, sizeof(f->ours), "%s", f->o->address);
	else if (c->local.family)
		ike_addr_print(f->ours, sizeof(f->ours), &c->local);
	else if (id->type == IKE_ID_FQDN || id->type == IKE_ID_IPV4 || id->type == IKE_ID_IPV6)
		ike_id_print(f->ours, sizeof(f->ours), id);
	if (*f->ours)
		return;
	snprintf(f->ours, sizeof(f->ours), "OUR-ADDRESS");
	far_note(
		f,
		"put the address or the name of this machine in place of %s, or name it with --address HOST",
		f->ours);
}

static void add_net(struct ike_ts_list *l, const struct ike_addr *a, unsigned int len)
{
	struct ike_addr net = *a;

	ike_addr_to_net(&net, len);
	if (l->n < IKE_MAX_TS)
		l->ts[l->n++] = ike_ts_of_net(&net, len);
}

/* Networks at our end that selectors do not tell: those of the command line, else those of Address. */
static void name_our_nets(struct far *f, struct ike_ts_list *l)
{
	const struct net_prefix *p = f->o->n_net ? f->o->net : f->c->address;
	unsigned int n = f->o->n_net ? f->o->n_net : f->c->n_address;

	if (!n) {
		far_note(
			f,
			"our Selectors do not say which networks are here, so that all traffic comes here: name them with --net PREFIX");
		return;
	}
	l->n = 0;
	for (unsigned int i = 0; i < n; i++)
		add_net(l, &p[i].addr, p[i].len);
}

/* Networks at its end: those that we route there. */
static void name_its_nets(struct far *f, struct ike_ts_list *l)
{
	if (!f->c->n_routes) {
		far_note(f, "our configuration has no Routes, so that the far end has any network");
		return;
	}
	l->n = 0;
	for (unsigned int i = 0; i < f->c->n_routes; i++)
		add_net(l, &f->c->routes[i].addr, f->c->routes[i].len);
}

static uint32_t needs_of_list(const struct ike_ts_list *l)
{
	uint32_t needs = 0;

	for (unsigned int i = 0; i < l->n; i++) {
		const struct ike_ts *ts = &l->ts[i];

		if (ts->protocol)
			needs |= FAR_PORTS;
		if (!far_is_prefix(ts))
			needs |= FAR_RANGES;
		if (ts->family == 6 && !far_is_any(ts))
			needs |= FAR_IPV6;
	}
	return needs;
}

static int take_children(struct far *f)
{
	const struct config *c = f->c;

	f->child = calloc(c->n_child, sizeof(*f->child));
	if (!f->child)
		return -1;
	f->n_child = c->n_child;
	for (unsigned int i = 0; i < c->n_child; i++) {
		struct ike_child_conf *to = &f->child[i];

		*to = c->child[i];
		to->local_ts = c->child[i].remote_ts;
		to->remote_ts = c->child[i].local_ts;
		if (to->mode == IKE_MODE_TRANSPORT) {
			f->needs |= FAR_TRANSPORT;
		} else if (!(f->needs & FAR_CLIENT)) {
			if (far_list_is_any(&to->local_ts) && !(f->needs & FAR_POOL))
				name_its_nets(f, &to->local_ts);
			if (far_list_is_any(&to->remote_ts) && !(f->needs & FAR_POOL))
				name_our_nets(f, &to->remote_ts);
		}
		f->needs |= needs_of_list(&to->local_ts) | needs_of_list(&to->remote_ts);
	}
	if (f->n_child > 1)
		f->needs |= FAR_CHILDREN;
	return 0;
}

/* How both ends prove themselves. */
static void take_methods(struct far *f)
{
	bool certs = *f->c->cert_file || *f->c->ca_path;

	f->our_method = f->c->local_auth.method;
	f->its_method = f->c->remote_auth.method;
	if (f->c->local_auth.then_user || f->c->remote_auth.then_user)
		f->needs |= FAR_ROUNDS;
	if (f->c->eap_methods == 1U << EAP_TLS)
		f->needs |= FAR_TLS;
	if (f->our_method == IKE_METHOD_PSK || f->its_method == IKE_METHOD_PSK)
		f->needs |= FAR_PSK;
	if (f->our_method == IKE_METHOD_SIGNATURE || f->its_method == IKE_METHOD_SIGNATURE)
		f->needs |= certs ? FAR_CERT : FAR_RAW;
	if (f->its_method == IKE_METHOD_EAP)
		f->needs |= FAR_USER;
	if (f->our_method == IKE_METHOD_EAP)
		f->needs |= FAR_SERVER;
}

/* That one of our CAs which issued the last of our certificates. */
static void take_ca(struct far *f)
{
	const struct ike_creds creds = { f->c->creds, f->c->n_creds };
	struct ike_iov chain[PKI_MAX_CERTS + 1], ca;
	unsigned int n = 0;
	size_t at = 0;
	char why[PKI_MAX_TEXT];

	while (n < PKI_MAX_CERTS && ike_cred_next(&creds, &at, IKE_CRED_OWN_CERT, &chain[n]))
		n++;
	at = 0;
	while (n && !f->ca.base && ike_cred_next(&creds, &at, IKE_CRED_CA, &ca)) {
		chain[n] = ca;
		if (!pki_own_check(chain, n + 1, NULL, time(NULL), why, sizeof(why)))
			f->ca = ca;
	}
}

static void take_needs(struct far *f)
{
	const struct config *c = f->c;

	take_methods(f);
	f->needs |= c->n_ranges ? FAR_CLIENT : FAR_SITE;
	f->initiates = !*c->endpoint || c->start == IKE_START_LISTEN;
	if (c->asks_address)
		f->needs |= FAR_POOL;
	if (f->needs & FAR_CLIENT && f->needs & FAR_PSK)
		f->needs |= FAR_PSK_CLIENT;
	if (c->n_ppk)
		f->needs |= FAR_PPK;
	if (c->port != IKE_NATT_PORT)
		f->needs |= FAR_PORT;
}

/* Could the identity end the word, or the string of a distinguished name, that it stands in? */
static bool is_odd(const struct ike_id *id, const char *text)
{
	return strpbrk(text, id->type == IKE_ID_DER_DN ? "\"\\$" : "\"\\$'`;&|<>(){}[]#?!");
}

static void take_kinds_of_id(struct far *f)
{
	const struct ike_id *ids[] = { &f->our_ike_id, &f->its_ike_id };
	const char *text[] = { f->our_id, f->its_id };

	for (int i = 0; i < 2; i++) {
		if (ids[i]->type == IKE_ID_KEY_ID)
			f->needs |= FAR_KEYID;
		if (!strncmp(text[i], "keyid:0x", 8))
			f->needs |= FAR_KEYID_BYTES;
		if (ids[i]->type == IKE_ID_DER_DN)
			f->needs |= FAR_DN;
		if (is_odd(ids[i], text[i]))
			f->needs |= FAR_ODD_ID;
	}
}

/* 0, or -1 with the sentence about what the target cannot do without. */
static int judge(struct far *f, char *err, size_t size)
{
	const struct far_target *t = f->target;

	for (size_t i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
		if (!(f->needs & ~t->can & lacks[i].need))
			continue;
		if (lacks[i].vital) {
			snprintf(err, size, "%s %s", t->title, lacks[i].sentence);
			return -1;
		}
		far_note(f, "%s %s", t->title, lacks[i].sentence);
	}
	if (!(t->can & FAR_CHILDREN) && f->n_child > 1)
		f->n_child = 1;
	return 0;
}

/* The notes as comments, then the body. */
static int put_together(struct far *f, FILE *out, const char *body)
{
	const char *mark = f->target->comment;

	if (mark)
		fprintf(out, "%s%s: the far end of the tunnel %s, made by esptun peer-config\n",
			mark, f->target->title, f->c->name);
	for (unsigned int i = 0; i < f->n_notes; i++) {
		if (mark)
			fprintf(out, "%sNote: %s\n", mark, f->note[i]);
		fprintf(stderr, "Note: %s\n", f->note[i]);
	}
	fputs(body, out);
	return ferror(out) ? -1 : 0;
}

static int write_body(struct far *f, FILE *out, char *err, size_t size)
{
	char *body = NULL;
	size_t len = 0;
	int rc = -1;

	f->out = open_memstream(&body, &len);
	if (f->out) {
		f->target->write(f);
		rc = fclose(f->out) || *f->why_not ? -1 : put_together(f, out, body);
	}
	if (*f->why_not)
		snprintf(err, size, "%s", f->why_not);
	else if (rc)
		snprintf(err, size, "cannot write the configuration");
	if (body)
		ike_wipe(body, len);
	free(body);
	return rc;
}

int far_write(const struct config *c, const struct far_target *target, const struct far_options *o,
	      FILE *out, char *err, size_t size)
{
	struct far *f = calloc(1, sizeof(*f));
	int rc = -1;

	if (!f) {
		snprintf(err, size, "no memory");
		return -1;
	}
	f->c = c;
	f->o = o;
	f->target = target;
	take_needs(f);
	take_addresses(f);
	take_identities(f);
	take_kinds_of_id(f);
	take_psk(f);
	take_password(f);
	take_ppk(f);
	take_ca(f);
	if (take_children(f))
		snprintf(err, size, "no memory");
	else if (!judge(f, err, size))
		rc = write_body(f, out, err, size);
	free(f->child);
	ike_wipe(f, sizeof(*f));
	free(f);
	return rc;
}
