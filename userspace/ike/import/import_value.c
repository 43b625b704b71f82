// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Values of other programs in our words. What would make the tunnel let more in than there was (selectors, identities) has the
 * whole connection left out if it cannot be read; other values are left out alone.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/import/import_int.h"
#include "ike/proto/addr.h"
#include "ike/proto/crypto_word.h"
#include "ike/proto/id.h"
#include "ike/proto/proposal_text.h"
#include "ike/proto/text.h"
#include "ike/proto/ts_text.h"

/* ---- small ones -------------------------------------------------------------------------- */

char *import_item(char **at, bool blanks)
{
	const char *ends = blanks ? ", \t\n" : ",\n";
	char *s, *end;

	do {
		s = strsep(at, ends);
		while (s && isspace((unsigned char)*s))
			s++;
	} while (s && !*s);
	for (end = s ? s + strlen(s) : NULL; s && end > s && isspace((unsigned char)end[-1]);)
		*--end = 0;
	return s;
}

bool import_is_yes(const char *s)
{
	return !strcasecmp(s, "yes") || !strcasecmp(s, "true") || !strcasecmp(s, "1") ||
	       !strcasecmp(s, "enabled") || !strcasecmp(s, "force");
}

bool import_seconds(const char *s, uint32_t *out)
{
	static const char units[] = "smhd";
	static const uint64_t factors[] = { 1, 60, 3600, 86400 };
	const char *unit;
	uint64_t v;
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	v = strtoull(s, &end, 10);
	unit = *end ? strchr(units, *end) : units;
	if (errno || !unit || (*end && end[1]) || v > 10 * 366 * 86400 / factors[unit - units])
		return false;
	*out = (uint32_t)(v * factors[unit - units]);
	return true;
}

static bool number(const char *s, uint64_t max, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*out = strtoull(s, &end, 10);
	return !errno && !*end && *out <= max;
}

void import_take_mobike(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	if (!import_is_yes(n->value))
		import_set(c, OUT_MOBIKE, n, "no");
}

void import_take_encap(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	import_set(c, OUT_ENCAP, n, "%s", import_is_yes(n->value) ? "udp" : "auto");
}

static void take_time(struct import_conn *c, const struct import_node *n, int which)
{
	uint32_t s;

	if (!import_seconds(n->value, &s)) {
		import_say_of(c->im, n, "%s is left out: %.40s is no time", n->name, n->value);
		return;
	}
	if (c->rekey[which] >= 0 && c->rekey[which] != s)
		import_say_of(c->im, n,
			      "%s: Rekey is one for all child SAs here, the shortest of these",
			      n->name);
	if (c->rekey[which] < 0 || (s && (s < c->rekey[which] || !c->rekey[which])))
		c->rekey[which] = s;
}

void import_take_ike_time(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	take_time(c, n, 0);
}

void import_take_child_time(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	take_time(c, n, 1);
}

void import_take_liveness(struct import_conn *c, const struct import_node *n, int end)
{
	uint32_t s;

	(void)end;
	if (import_seconds(n->value, &s) && s <= 86400)
		import_set(c, OUT_LIVENESS, n, "%u", s);
	else
		import_say_of(c->im, n, "%s is left out: expected a time of up to 1d for Liveness",
			      n->name);
}

void import_take_replay(struct import_conn *c, const struct import_node *n, int end)
{
	uint64_t packets;

	(void)end;
	if (number(n->value, 65536, &packets))
		import_set(c, OUT_REPLAY_WINDOW, n, "%u", (unsigned int)packets);
	else
		import_say_of(c->im, n,
			      "%s is left out: expected 0 to 65536 packets for ReplayWindow",
			      n->name);
}

void import_take_version(struct import_conn *c, const struct import_node *n, int end)
{
	static const char *const v1[] = { "1", "ikev1", "no", "never" };

	(void)end;
	for (unsigned int i = 0; i < sizeof(v1) / sizeof(v1[0]); i++) {
		if (strcasecmp(n->value, v1[i]) != 0)
			continue;
		import_say_of(c->im, n,
			      "%s: there is no IKEv1: have both ends use IKEv2, then import again",
			      n->name);
		c->refused = true;
	}
}

void import_take_nothing(struct import_conn *c, const struct import_node *n, int end)
{
	(void)c;
	(void)n;
	(void)end;
}

/* ---- hosts --------------------------------------------------------------------------------- */

/* "%any", "0.0.0.0", "192.0.2.0/24": not one host. */
static bool is_any_host(const char *s)
{
	static const char *const any[] = { "0.0.0.0", "::", "any" };
	struct ike_addr a;
	const char *dash = strchr(s, '-');
	char first[64];

	for (unsigned int i = 0; i < sizeof(any) / sizeof(any[0]); i++) {
		if (!strcasecmp(s, any[i]))
			return true;
	}
	snprintf(first, sizeof(first), "%.*s", dash ? (int)(dash - s) : 0, s);
	return *s == '%' || strchr(s, '/') || !ike_addr_from_text(first, &a);
}

void import_take_remote_host(struct import_conn *c, const struct import_node *n, int end)
{
	char *copy = strdup(n->value), *at = copy, *item;

	(void)end;
	while (copy && (item = import_item(&at, false))) {
		if (is_any_host(item))
			c->clients |= !c->value[OUT_ENDPOINT];
		else if (!c->value[OUT_ENDPOINT])
			import_set(c, OUT_ENDPOINT, n, "%s", item);
		else
			import_say_of(
				c->im, n,
				"%.100s is left out: Endpoint is one host; a name may have several addresses",
				item);
	}
	free(copy);
}

void import_take_local_host(struct import_conn *c, const struct import_node *n, int end)
{
	char *copy = strdup(n->value), *at = copy, *item;
	struct ike_addr a;

	(void)end;
	while (copy && (item = import_item(&at, false))) {
		if (is_any_host(item))
			continue;
		if (!c->value[OUT_LOCAL] && !ike_addr_from_text(item, &a))
			import_set(c, OUT_LOCAL, n, "%s", item);
		else
			import_say_of(
				c->im, n,
				"%.100s is left out: Local is one address of this machine; routing chooses without it",
				item);
	}
	free(copy);
}

/* ---- identities ------------------------------------------------------------------------------ */

static const struct {
	const char *theirs, *ours;
} id_forms[] = {
	{ "@#", "keyid:0x" },	 { "@@", "email:" },	    { "@", "fqdn:" },
	{ "fqdn:", "fqdn:" },	 { "dns:", "fqdn:" },	    { "email:", "email:" },
	{ "rfc822:", "email:" }, { "userfqdn:", "email:" }, { "keyid:0x", "keyid:0x" },
	{ "keyid:", "keyid:" },	 { "ipv4:", "ipv4:" },	    { "ipv6:", "ipv6:" },
	{ "asn1dn:#", "dn:0x" }, { "asn1dn:", "dn:" },	    { "dn:", "dn:" },
};

/* As ours writes it; false if it is none. */
static bool translate_id(const char *text, char *out, size_t size)
{
	const char *prefix = "", *rest = text;
	struct ike_id id;
	char word[600], err[256];

	for (unsigned int i = 0; i < sizeof(id_forms) / sizeof(id_forms[0]); i++) {
		size_t len = strlen(id_forms[i].theirs);

		if (strncasecmp(text, id_forms[i].theirs, len))
			continue;
		prefix = id_forms[i].ours;
		rest = text + len;
		break;
	}
	if ((size_t)snprintf(word, sizeof(word), "%s%s", prefix, rest) >= sizeof(word) ||
	    ike_id_from_text(word, &id, err, sizeof(err)))
		return false;
	ike_id_print(out, size, &id);
	return strlen(out) + 1 < size;
}

char *import_identity(struct import_conn *c, const struct import_node *n, const char *text)
{
	char out[IMPORT_MAX_TEXT];

	if (!strcasecmp(text, "%any") || !strcmp(text, "*") || !strcasecmp(text, "%fromcert"))
		return strdup("");
	if (translate_id(text, out, sizeof(out)))
		return strdup(out);
	if (n)
		import_say_of(
			c->im, n,
			"%s: \"%.200s\" is no identity: expected a name, address, e-mail address, C=CH, CN=NAME or keyid:TEXT",
			n->name, text);
	return NULL;
}

/* ---- proposals --------------------------------------------------------------------------------- */

enum { MAX_WORDS = 32 };

struct proposal {
	const struct ike_word *word[MAX_WORDS];
	unsigned int n;
	bool aead, group;
};

/* Without a length it is 128 bits with strongSwan, and libreswan takes them, too; we would recommend 256. */
static const char *our_word(const char *theirs, size_t len)
{
	return len == 3 && !strncasecmp(theirs, "aes", len) ? "aes128"
							    : ike_word_translate(theirs, len);
}

static void add_word(struct import_conn *c, const struct import_node *n, const char *theirs,
		     struct proposal *p)
{
	size_t len = strlen(theirs);
	const char *ours = our_word(theirs, len);
	const struct ike_word *w;
	char err[256];

	if (!strcasecmp(theirs, "none") || !len)
		return;
	w = ike_word_find(ours ? ours : theirs, ours ? strlen(ours) : len, theirs, err,
			  sizeof(err));
	if (!w || p->n == MAX_WORDS) {
		import_say_of(c->im, n, "%s: %.40s is left out: %s", n->name, theirs,
			      w ? "the proposal has too many words" : err);
		return;
	}
	p->word[p->n++] = w;
	p->aead |= w->t.type == IKE_T_ENCR && ike_encr_is_aead(w->t.id);
	p->group |= w->t.type == IKE_T_DH;
}

/* With an AEAD an integrity algorithm names the PRF of the same hash, or for ESP nothing. */
static void print_proposal(const struct proposal *p, uint8_t protocol, char *out, size_t size)
{
	struct text t = text_init(out, size);

	for (unsigned int i = 0; i < p->n; i++) {
		const char *prf = "";

		if (p->aead && p->word[i]->t.type == IKE_T_INTEG) {
			if (protocol == IKE_PROTO_ESP)
				continue;
			prf = "prf";
		}
		text_add(&t, "%s%s%s", t.len ? "-" : "", prf, p->word[i]->text);
	}
	if (protocol == IKE_PROTO_ESP && p->group)
		text_add(&t, "-pfs");
}

/* Proposal @item, or what of it we have; it is cut into words. */
static void take_proposal(struct import_conn *c, const struct import_node *n, char *item,
			  uint8_t protocol, char *out, size_t size)
{
	struct ike_proposal parsed;
	struct proposal p = { 0 };
	char err[256] = "", *word;

	*out = 0;
	if (!strcasecmp(item, "default")) {
		snprintf(out, size, "modern");
		return;
	}
	while ((word = strsep(&item, "-+;")))
		add_word(c, n, word, &p);
	print_proposal(&p, protocol, out, size);
	if (ike_proposal_from_text(out, protocol, &parsed, err, sizeof(err)) || !parsed.n) {
		import_say_of(c->im, n,
			      "%s: a proposal is left out, as what remains of it is %s%s%s",
			      n->name, *out ? out : "nothing", *err ? ": " : "", err);
		*out = 0;
	}
}

/* "ike:A, ike:B" in *@list, each once. */
static void add_proposal(char **list, const char *kind, const char *words)
{
	char *item, *all;

	if (asprintf(&item, "%s:%s", kind, words) < 0)
		return;
	for (const char *at = *list; at && (at = strstr(at, item)); at++) {
		if (!at[strlen(item)] || at[strlen(item)] == ',') {
			free(item);
			return;
		}
	}
	if (asprintf(&all, "%s%s%s", *list ? *list : "", *list ? ", " : "", item) >= 0) {
		free(*list);
		*list = all;
	}
	free(item);
}

static void take_proposals(struct import_conn *c, const struct import_node *n, int protocol)
{
	bool esp = protocol == IKE_PROTO_ESP;
	char *copy = strdup(n->value), *at = copy, *item, words[1024];

	while (copy && (item = import_item(&at, false))) {
		if (strchr(item, '!'))
			*strchr(item, '!') = 0; /* nothing else is taken here in any case */
		take_proposal(c, n, item, (uint8_t)protocol, words, sizeof(words));
		if (*words)
			add_proposal(&c->crypto[esp], esp ? "esp" : "ike", words);
	}
	free(copy);
	if (!c->crypto[esp]) {
		import_say_of(
			c->im, n,
			"%s: nothing of it is there: name in Crypto what both ends have, then import again",
			n->name);
		c->refused = true;
	}
}

void import_take_ike_proposals(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	take_proposals(c, n, IKE_PROTO_IKE);
}

void import_take_esp_proposals(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	take_proposals(c, n, IKE_PROTO_ESP);
}

/* ---- selectors and ranges ------------------------------------------------------------------------ */

/* "10.1.2.3/16" as the network it is in; other texts stay. False: it is no network. */
static bool mask_network(char *s, size_t size)
{
	char *slash = strchr(s, '/');
	struct ike_addr a;
	uint64_t len;

	if (!slash)
		return false;
	*slash = 0;
	if (ike_addr_from_text(s, &a) || !number(slash + 1, a.family == 4 ? 32 : 128, &len)) {
		*slash = '/';
		return false;
	}
	ike_addr_to_net(&a, (unsigned int)len);
	ike_addr_print(s, size, &a);
	snprintf(s + strlen(s), size - strlen(s), "/%u", (unsigned int)len);
	return true;
}

/* "[tcp/80]" as ":tcp:80"; false if it is too strange. */
static bool translate_narrowing(const char *theirs, char *out, size_t size)
{
	size_t len = strcspn(theirs, "/]");
	const char *ports = theirs[len] == '/' ? theirs + len + 1 : "any";
	bool all = !strncasecmp(ports, "any", 3);
	uint64_t protocol;
	char word[16];

	if (!len || (size_t)snprintf(word, sizeof(word), "%.*s", (int)len, theirs) >= sizeof(word))
		return false;
	if (number(word, 255, &protocol))
		snprintf(word, sizeof(word), "proto%u", (unsigned int)protocol);
	else if (!strcasecmp(word, "ipv6-icmp"))
		snprintf(word, sizeof(word), "icmp6");
	return (size_t)snprintf(out, size, ":%s%s%.*s", word, all ? "" : ":",
				all ? 0 : (int)strcspn(ports, "]"), ports) < size;
}

/* One selector in the words of ours. */
static bool translate_ts(const char *item, char *out, size_t size)
{
	const char *bracket = strchr(item, '[');
	size_t len = bracket ? (size_t)(bracket - item) : strlen(item);
	char narrowing[64] = "", err[256], net[128];
	struct ike_ts_list l = { 0 };
	bool dynamic;

	if (len >= sizeof(net))
		return false;
	snprintf(net, sizeof(net), "%.*s", (int)len, item);
	dynamic = !strcasecmp(net, "dynamic") || !strcasecmp(net, "%dynamic") || !*net;
	if (dynamic)
		snprintf(net, sizeof(net), "any");
	mask_network(net, sizeof(net));
	if (bracket && !translate_narrowing(bracket + 1, narrowing, sizeof(narrowing)))
		return false;
	if ((size_t)snprintf(out, size, "%s%s", net, narrowing) >= size ||
	    ike_ts_from_text(out, &l, err, sizeof(err)) || !l.n)
		return false;
	if (!dynamic)
		ike_ts_print(out, size, &l.ts[0]);
	return strlen(out) + 32 < size; /* room for what may narrow it further */
}

void import_take_selectors(struct import_conn *c, const struct import_node *n, int end)
{
	struct import_child *child = c->in;
	char *copy = strdup(n->value), *at = copy, *item;

	for (char *s = copy; s && *s; s++) {
		if (*s == '{' || *s == '}')
			*s = ' ';
	}
	while (copy && (item = import_item(&at, true))) {
		char ts[IMPORT_TS_TEXT];

		if (child->n_ts[end] < IMPORT_MAX_TS && translate_ts(item, ts, sizeof(ts))) {
			strcpy(child->ts[end][child->n_ts[end]++], ts);
			continue;
		}
		import_say_of(
			c->im, n,
			"%s: %.100s is no selector that there is here: expected at most %d such as 10.1.0.0/16 or 10.1.0.5[tcp/80]",
			n->name, item, IMPORT_MAX_TS);
		c->refused = true;
	}
	free(copy);
	c->refused |= !child->n_ts[end];
}

/* Clients' addresses lead into the tunnel. */
static void add_range(struct import_conn *c, const struct import_node *n, const char *item)
{
	char net[128];

	import_append(c, OUT_RANGE, n, "%s", item);
	snprintf(net, sizeof(net), "%.100s", item);
	if (mask_network(net, sizeof(net)))
		import_append(c, OUT_ROUTES, n, "%s", net);
}

void import_take_range(struct import_conn *c, const struct import_node *n, int end)
{
	char *copy = strdup(n->value), *at = copy, *item;

	(void)end;
	while (copy && (item = import_item(&at, true))) {
		if (*item == '%' || !strcasecmp(item, "dhcp") || !strcasecmp(item, "radius"))
			import_say_of(
				c->im, n,
				"%.60s is left out: the addresses of clients are ranges in [Pool], or a RADIUS server's in [Radius]",
				item);
		else
			add_range(c, n, item);
	}
	c->clients = true;
	free(copy);
}
