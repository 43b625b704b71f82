// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/distance.h"
#include "common/keyfile.h"
#include "ike/app/children.h"
#include "ike/app/config.h"
#include "ike/app/foreign.h"
#include "ike/app/ini.h"
#include "ike/app/secret.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"
#include "ike/proto/ts_text.h"
#include "ike/sa/proposal.h"

enum { MIN_MTU = 576, MAX_MTU = 65535, IPV6_MIN_MTU = 1280 };

struct parse {
	struct config *c;
	const struct config_report *report;
	unsigned int line;
	const char *section; /* "" before the first; NULL: its keys are not reported */
	const struct key *key; /* the one whose value an indented line continues */
	bool skipping; /* that key is none of ours */
	bool continued; /* the line does */
	unsigned int errors;
	uint64_t seen; /* bit per row of keys[] */
	unsigned int line_of[64];
	char crypto[2][1024]; /* IKE, ESP: items of Crypto, with commas between */
	bool crypto_given[2];
	struct children_section sections[1 + IKE_MAX_CHILD]; /* [Peer], then each [Child NAME] */
	unsigned int n_sections;
	struct children_section *at; /* that of the section at hand */
	struct client_key *client; /* that of [Client ID], if it is the one at hand */
	char err[512];
};

static void vsay(const struct config_report *rep, bool error, unsigned int line, const char *fmt,
		 va_list ap)
{
	char text[1024];

	if (!rep)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	/* For logs, terminals and JSON: plain ASCII, whatever stands in the file. */
	for (char *s = text; *s; s++) {
		if (*s < ' ' || *s > '~')
			*s = '?';
	}
	rep->fn(rep->ctx, error, line, text);
}

static void report(struct parse *p, bool error, unsigned int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void report(struct parse *p, bool error, unsigned int line, const char *fmt, ...)
{
	va_list ap;

	if (error)
		p->errors++;
	va_start(ap, fmt);
	vsay(p->report, error, line, fmt, ap);
	va_end(ap);
}

/* Copies a string that fits; false if it does not. */
static bool copy(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size)
		return false;
	memcpy(to, from, len + 1);
	return true;
}

/* ---- values ------------------------------------------------------------------ */

/* Decimal or 0x, as everywhere in esptun: no octal. */
static int number(const char *s, uint64_t min, uint64_t max, uint32_t *out)
{
	char *end;
	uint64_t v;

	if (!isdigit((unsigned char)*s))
		return -1;
	errno = 0;
	v = strtoull(s, &end, s[0] == '0' && (s[1] | 0x20) == 'x' ? 16 : 10);
	if (*end || errno || v < min || v > max)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

static int set_mtu(struct parse *p, char *s)
{
	if (!strcasecmp(s, "auto")) {
		p->c->mtu = 0;
		return 0;
	}
	return number(s, MIN_MTU, MAX_MTU, &p->c->mtu);
}

static int set_port(struct parse *p, char *s)
{
	uint32_t v;

	/* 500 carries IKE without the marker that tells it from ESP (RFC 3948). */
	if (number(s, 1, 65535, &v) || v == IKE_PORT)
		return -1;
	p->c->port = (uint16_t)v;
	return 0;
}

static int set_fwmark(struct parse *p, char *s)
{
	return number(s, 0, UINT32_MAX, &p->c->fwmark);
}

static int set_table(struct parse *p, char *s)
{
	if (!strcasecmp(s, "main")) {
		p->c->table = 0;
		return 0;
	}
	return number(s, 1, UINT32_MAX, &p->c->table);
}

static int set_metric(struct parse *p, char *s)
{
	return number(s, 0, UINT32_MAX, &p->c->metric);
}

static int set_keepalive(struct parse *p, char *s)
{
	return number(s, 0, 3600, &p->c->keepalive);
}

static int set_liveness(struct parse *p, char *s)
{
	return number(s, 0, 86400, &p->c->liveness);
}

static int set_replay(struct parse *p, char *s)
{
	return number(s, 0, 65536, &p->c->replay_window);
}

struct unit {
	char letter; /* small; 0 ends a list */
	uint64_t factor;
};

static const struct unit seconds[] = {
	{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 0 },
};
/* As with esptun sa ... limit. */
static const struct unit sizes[] = {
	{ 'k', 1ULL << 10 }, { 'm', 1ULL << 20 }, { 'g', 1ULL << 30 }, { 't', 1ULL << 40 }, { 0 },
};

/*
 * A decimal number, alone or with the letter of one of @units behind it: from @min to @max, or
 * 0, which is also "off".
 */
static int amount(const char *s, const struct unit *units, uint64_t min, uint64_t max,
		  uint64_t *out)
{
	uint64_t factor = 1;
	char *end;

	*out = 0;
	if (!strcasecmp(s, "off"))
		return 0;
	if (!isdigit((unsigned char)*s))
		return -1;
	errno = 0;
	*out = strtoull(s, &end, 10);
	for (; *end && units->letter; units++) {
		if (tolower((unsigned char)*end) != units->letter)
			continue;
		factor = units->factor;
		end++;
		break;
	}
	if (*end || errno || *out > max / factor)
		return -1;
	*out *= factor;
	return *out && *out < min ? -1 : 0;
}

/* One of the two of Rekey. */
static int lifetime(char *s, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t v;

	if (amount(ini_trim(s), seconds, min, max, &v))
		return -1;
	*out = (uint32_t)v;
	return 0;
}

static int set_rekey(struct parse *p, char *s)
{
	char *child = strchr(s, ',');

	if (!child) {
		snprintf(p->err, sizeof(p->err),
			 "expected two times, the IKE SA's and the child SA's, such as 4h, 1h");
		return -1;
	}
	*child++ = 0;
	if (lifetime(s, 10, 30 * 86400, &p->c->rekey_ike)) {
		snprintf(p->err, sizeof(p->err),
			 "expected for the IKE SA a time from 10s to 30d, or off");
		return -1;
	}
	if (lifetime(child, 5, 7 * 86400, &p->c->rekey_child)) {
		snprintf(p->err, sizeof(p->err),
			 "expected for the child SA a time from 5s to 7d, or off");
		return -1;
	}
	return 0;
}

static int set_reauth(struct parse *p, char *s)
{
	return lifetime(s, 60, 30 * 86400, &p->c->reauth);
}

static int set_mobike(struct parse *p, char *s)
{
	p->c->mobike = !strcasecmp(s, "yes");
	return p->c->mobike || !strcasecmp(s, "no") ? 0 : -1;
}

static int set_rekey_bytes(struct parse *p, char *s)
{
	return amount(s, sizes, 1 << 20, UINT64_MAX, &p->c->rekey_bytes);
}

static int set_rekey_packets(struct parse *p, char *s)
{
	return amount(s, sizes, 1000, UINT64_MAX, &p->c->rekey_packets);
}

static int set_local(struct parse *p, char *s)
{
	if (!strcasecmp(s, "any") || !strcasecmp(s, "auto")) {
		p->c->local.family = 0;
		return 0;
	}
	return ike_addr_from_text(s, &p->c->local) || p->c->local.family != 4 ? -1 : 0;
}

static int set_local_id(struct parse *p, char *s)
{
	if (ike_id_from_text(s, &p->c->local_id, p->err, sizeof(p->err)))
		return -1;
	return ike_id_is_wildcard(&p->c->local_id) ? -1 : 0;
}

static int set_remote_id(struct parse *p, char *s)
{
	if (!strcasecmp(s, "any")) {
		p->c->remote_id.type = 0;
		return 0;
	}
	return ike_id_from_text(s, &p->c->remote_id, p->err, sizeof(p->err));
}

static int set_clients(struct parse *p, char *s)
{
	return number(s, 1, IKE_MAX_CLIENTS, &p->c->clients);
}

/* The index of the word, or -1. */
static int find_word(const char *s, const char *const *words, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!strcasecmp(s, words[i]))
			return (int)i;
	}
	return -1;
}

static int set_unique(struct parse *p, char *s)
{
	static const char *const words[] = {
		[IKE_UNIQUE_REPLACE] = "replace",
		[IKE_UNIQUE_KEEP] = "keep",
		[IKE_UNIQUE_REFUSE] = "refuse",
	};
	int i = find_word(s, words, sizeof(words) / sizeof(words[0]));

	p->c->unique = i < 0 ? IKE_UNIQUE_REPLACE : (enum ike_unique)i;
	return i < 0 ? -1 : 0;
}

static int set_start(struct parse *p, char *s)
{
	static const char *const words[] = {
		[IKE_START_NOW] = "now",
		[IKE_START_TRAFFIC] = "traffic",
		[IKE_START_LISTEN] = "listen",
	};

	int i = find_word(s, words, sizeof(words) / sizeof(words[0]));

	if (i < 0)
		return -1;
	p->at->start = (enum ike_start)i;
	p->at->start_given = true;
	return 0;
}

/* A DNS name: letters, digits, hyphens and dots (underscores are seen in the wild). */
static bool host_ok(const char *s)
{
	size_t len = strlen(s);

	if (!len || len > 253 || s[0] == '.' || s[0] == '-')
		return false;
	for (; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("-._", *s))
			return false;
	}
	return true;
}

/* Not 0.0.0.0/8, loopback, multicast or what is above (RFC 6890). */
static bool can_be_peer(const struct ike_addr *a)
{
	return a->b[0] && a->b[0] != 127 && a->b[0] < 224;
}

/* HOST, HOST:PORT, ADDRESS, ADDRESS:PORT; IPv6 in brackets if a port follows. */
static int set_endpoint(struct parse *p, char *s)
{
	struct config *c = p->c;
	uint32_t port = IKE_PORT;
	char *colon = strrchr(s, ':');

	if (*s == '[') {
		char *close = strchr(s, ']');

		if (!close || (close[1] && close[1] != ':'))
			return -1;
		colon = close[1] ? close + 1 : NULL;
		*close = 0;
		s++;
	} else if (colon && strchr(s, ':') != colon) {
		colon = NULL; /* a bare IPv6 address */
	}
	if (colon) {
		*colon = 0;
		if (number(colon + 1, 1, 65535, &port))
			return -1;
	}
	c->endpoint_port = (uint16_t)port;
	if (!strcasecmp(s, "any") || !strcasecmp(s, "%any")) {
		snprintf(
			p->err, sizeof(p->err),
			"expected a host name or address; a tunnel that waits for its peer goes without Endpoint");
		return -1;
	}
	if (!ike_addr_from_text(s, &c->endpoint_addr)) {
		if (c->endpoint_addr.family == 4 && !can_be_peer(&c->endpoint_addr)) {
			snprintf(p->err, sizeof(p->err),
				 "expected an address of one other machine");
			return -1;
		}
		if (c->endpoint_addr.family == 4)
			return copy(c->endpoint, sizeof(c->endpoint), s) ? 0 : -1;
		snprintf(p->err, sizeof(p->err),
			 "IPv6 outside is not supported yet; expected an IPv4 address or a name");
		return -1;
	}
	/* Digits and dots alone are a mistyped address, not a name. */
	c->endpoint_addr.family = 0;
	if (!host_ok(s) || strspn(s, "0123456789.") == strlen(s))
		return -1;
	return copy(c->endpoint, sizeof(c->endpoint), s) ? 0 : -1;
}

static int set_psk(struct parse *p, char *s)
{
	struct config *c = p->c;
	struct client_key *k = p->client;
	char why[512];

	if (!strncmp(s, "file:/", 6) && k) {
		k->named = true;
		return copy((char *)k->key, sizeof(k->key), s + 5) ? 0 : -1;
	}
	if (!strncmp(s, "file:/", 6))
		return copy(c->psk_file, sizeof(c->psk_file), s + 5) ? 0 : -1;
	if (secret_from_value(s, k ? k->key : c->psk, k ? &k->len : &c->psk_len, why,
			      sizeof(why))) {
		snprintf(p->err, sizeof(p->err), "%s", why);
		return -1;
	}
	if (*why)
		report(p, false, p->line, "the key %s", why);
	return 0;
}

static int set_secrets(struct parse *p, char *s)
{
	if (!strncmp(s, "file:/", 6))
		s += 5;
	return *s == '/' && copy(p->c->secrets_file, sizeof(p->c->secrets_file), s) ? 0 : -1;
}

/* Make the prefix a network; true if that changed it. */
static bool clear_host_bits(struct net_prefix *x)
{
	unsigned int bits = x->addr.family == 4 ? 32 : 128;
	bool any = false;

	for (unsigned int i = x->len; i < bits; i++) {
		uint8_t bit = 0x80 >> i % 8;

		any |= (x->addr.b[i / 8] & bit) != 0;
		x->addr.b[i / 8] &= (uint8_t)~bit;
	}
	return any;
}

/* ADDRESS or ADDRESS/LEN. */
static int prefix(char *s, struct net_prefix *out)
{
	char *slash = strchr(s, '/');
	uint32_t len, max;

	memset(out, 0, sizeof(*out));
	if (slash)
		*slash = 0;
	if (ike_addr_from_text(s, &out->addr))
		return -1;
	max = out->addr.family == 4 ? 32 : 128;
	len = max;
	if (slash && number(slash + 1, 0, max, &len))
		return -1;
	out->len = (uint8_t)len;
	return 0;
}

static int add_prefix(struct parse *p, struct net_prefix **list, unsigned int *n, char *item,
		      bool route)
{
	char word[64];
	struct net_prefix x, *grown;

	if (!copy(word, sizeof(word), item) || prefix(word, &x)) {
		snprintf(p->err, sizeof(p->err),
			 "\"%.60s\" is no prefix; expected prefixes like %s", item,
			 route ? "10.0.0.0/8 or fd00::/8" : "192.0.2.1/24 or fd00::1/64");
		return -1;
	}
	if (route && clear_host_bits(&x)) {
		snprintf(p->err, sizeof(p->err),
			 "%.60s has bits set beyond /%u; the network is %s/%u", item, x.len,
			 ike_addr_print(word, sizeof(word), &x.addr), x.len);
		return -1;
	}
	if (*n >= CONFIG_MAX_PREFIXES) {
		snprintf(p->err, sizeof(p->err), "expected at most %d prefixes",
			 CONFIG_MAX_PREFIXES);
		return -1;
	}
	grown = realloc(*list, (*n + 1) * sizeof(x));
	if (!grown)
		return -1;
	*list = grown;
	grown[(*n)++] = x;
	return 0;
}

static int set_prefixes(struct parse *p, struct net_prefix **list, unsigned int *n, char *s,
			bool route)
{
	char *save;

	for (char *item = strtok_r(s, ", \t", &save); item; item = strtok_r(NULL, ", \t", &save)) {
		if (add_prefix(p, list, n, item, route))
			return -1;
	}
	return 0;
}

static int set_address(struct parse *p, char *s)
{
	return set_prefixes(p, &p->c->address, &p->c->n_address, s, false);
}

static int set_routes(struct parse *p, char *s)
{
	if (!strcasecmp(s, "none"))
		return 0;
	return set_prefixes(p, &p->c->routes, &p->c->n_routes, s, true);
}

static int set_selectors(struct parse *p, char *s)
{
	bool any = false;
	char *save;

	for (char *item = strtok_r(s, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		item = ini_trim(item);
		if (*item && children_add_pair(p->at, item, p->err, sizeof(p->err)))
			return -1;
		any |= *item;
	}
	return any ? 0 : -1;
}

static int set_per_child(struct parse *p, char *s)
{
	if (!strcasecmp(s, "one"))
		p->at->per = CHILDREN_ONE;
	else if (!strcasecmp(s, "all"))
		p->at->per = CHILDREN_ALL;
	else
		return -1;
	return 0;
}

static int set_mode(struct parse *p, char *s)
{
	if (!strcasecmp(s, "tunnel"))
		return 0;
	if (!strcasecmp(s, "transport"))
		snprintf(p->err, sizeof(p->err),
			 "esptun has no transport mode; expected tunnel, and the same at the peer");
	return -1;
}

static int add_crypto(struct parse *p, unsigned int which, const char *item)
{
	char *to = p->crypto[which];
	size_t len = strlen(to), size = sizeof(p->crypto[which]);

	p->crypto_given[which] = true;
	if (len + strlen(item) + 3 > size) {
		snprintf(p->err, sizeof(p->err), "expected a shorter list of proposals");
		return -1;
	}
	snprintf(to + len, size - len, "%s%s", len ? ", " : "", item);
	return 0;
}

/* Items for both IKE and ESP, or for the one that "ike:" or "esp:" in front names. */
static int set_crypto(struct parse *p, char *s)
{
	char *save;

	for (char *item = strtok_r(s, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		bool ike, esp;

		item = ini_trim(item);
		ike = !strncasecmp(item, "ike:", 4);
		esp = !strncasecmp(item, "esp:", 4);
		if (ike || esp)
			item = ini_trim(item + 4);
		if (!*item)
			continue;
		if (strpbrk(item, "=:")) {
			snprintf(p->err, sizeof(p->err),
				 "a proposal holds no = and no :; put commas between proposals");
			return -1;
		}
		if ((!esp && add_crypto(p, 0, item)) || (!ike && add_crypto(p, 1, item)))
			return -1;
	}
	return 0;
}

/* ---- keys ---------------------------------------------------------------------- */

static const struct key {
	const char *section, *name;
	int (*set)(struct parse *p, char *value); /* may leave what is wrong in p->err */
	bool list; /* may be given again */
	const char *expected;
} keys[] = {
	{ "Tunnel", "Address", set_address, true, "one or more prefixes, such as 169.254.10.2/30" },
	{ "Tunnel", "MTU", set_mtu, false, "auto, or bytes from 576 to 65535" },
	{ "Tunnel", "LocalID", set_local_id, false,
	  "an identity: a name, address, e-mail address or keyid:TEXT" },
	{ "Tunnel", "Local", set_local, false, "an IPv4 address of this machine, or any" },
	{ "Tunnel", "Port", set_port, false, "a UDP port from 1 to 65535, but not 500" },
	{ "Tunnel", "FwMark", set_fwmark, false, "a number from 0 (off) to 0xffffffff" },
	{ "Tunnel", "Table", set_table, false, "main, or a routing table number from 1" },
	{ "Tunnel", "Metric", set_metric, false, "a number from 0" },
	{ "Peer", "Endpoint", set_endpoint, false,
	  "a host name or address, with :PORT if it is not 500" },
	{ "Peer", "RemoteID", set_remote_id, false,
	  "an identity: a name, address, e-mail address or keyid:TEXT; or any" },
	{ "Peer", "PSK", set_psk, false,
	  "the key as text (at most 256 bytes), hex:DIGITS, base64:TEXT or file:/PATH" },
	{ "Peer", "Routes", set_routes, true,
	  "one or more networks, such as 10.0.0.0/8, fd00::/8" },
	{ "Peer", "Selectors", set_selectors, true,
	  "any, or LOCAL = REMOTE, such as 10.1.0.0/16 = 10.2.0.0/16" },
	{ "Peer", "Crypto", set_crypto, true,
	  "modern, or proposals such as aes256gcm16-prfsha384-ecp384" },
	{ "Peer", "Mobike", set_mobike, false, "yes or no" },
	{ "Peer", "Keepalive", set_keepalive, false, "seconds from 0 (off) to 3600" },
	{ "Peer", "Liveness", set_liveness, false, "seconds from 0 (off) to 86400" },
	{ "Peer", "Rekey", set_rekey, false,
	  "the times of the IKE SA and of the child SA, such as 4h, 1h (s, m, h or d; off: never)" },
	{ "Peer", "Reauth", set_reauth, false, "off, or a time from 60s to 30d (s, m, h or d)" },
	{ "Peer", "RekeyBytes", set_rekey_bytes, false,
	  "off, or bytes from 1M on, such as 64G (K, M, G or T)" },
	{ "Peer", "RekeyPackets", set_rekey_packets, false,
	  "off, or packets from 1000 on, such as 2G (K, M, G or T)" },
	{ "Peer", "ReplayWindow", set_replay, false, "packets from 0 (off) to 65536" },
	{ "Peer", "Start", set_start, false, "now, traffic or listen" },
	{ "Peer", "SelectorsPerChild", set_per_child, false, "one or all" },
	{ "Peer", "Clients", set_clients, false,
	  "how many peers may be connected, from 1 to 1000" },
	{ "Peer", "Unique", set_unique, false, "replace, keep or refuse" },
	{ "Peer", "Secrets", set_secrets, false,
	  "the /PATH of a file with a line IDENTITY = KEY for each client" },
	/* Those of [Child NAME] and [Client ID] stand last: by name alone, the key of [Peer] is found. */
	{ "Child", "Selectors", set_selectors, true,
	  "any, or LOCAL = REMOTE, such as 10.1.0.0/16 = 10.2.0.0/16" },
	{ "Child", "SelectorsPerChild", set_per_child, false, "one or all" },
	{ "Child", "Start", set_start, false, "now, traffic or listen" },
	{ "Child", "Mode", set_mode, false, "tunnel" },
	{ "Client", "PSK", set_psk, false,
	  "the key as text (at most 256 bytes), hex:DIGITS, base64:TEXT or file:/PATH" },
};

enum { N_KEYS = sizeof(keys) / sizeof(keys[0]) };
_Static_assert(N_KEYS <= 64, "line_of and seen are too short");

static const struct key *find_key(const char *name)
{
	for (unsigned int i = 0; i < N_KEYS; i++) {
		if (!strcasecmp(keys[i].name, name))
			return &keys[i];
	}
	return NULL;
}

static const struct key *find_key_of(const char *section, const char *name)
{
	for (unsigned int i = 0; i < N_KEYS; i++) {
		if (!strcmp(keys[i].section, section) && !strcasecmp(keys[i].name, name))
			return &keys[i];
	}
	return NULL;
}

/* The key that @name is, or that it may have been meant to be; NULL if none is like it. */
static const struct key *nearest_key(const char *section, const char *name)
{
	const struct key *near = NULL;
	unsigned int best = 4;

	for (unsigned int i = 0; i < N_KEYS; i++) {
		unsigned int d;

		if (!strcasecmp(keys[i].name, name))
			return &keys[i];
		d = edit_distance(name, keys[i].name) + (strcasecmp(section, keys[i].section) != 0);
		if (d < best && d < strlen(keys[i].name)) {
			best = d;
			near = &keys[i];
		}
	}
	return near;
}

/* Letters alone, and few: all else may be a part of a pre-shared key that got there. */
static bool key_like(const char *name)
{
	size_t len = strlen(name);

	for (; isalpha((unsigned char)*name); name++)
		;
	return !*name && len <= 16;
}

/* [Section] has no key WORD; it is OURS in [Section] here, NOTE. */
static void report_foreign(struct parse *p, const struct foreign_word *f)
{
	const struct key *ours = f->ours ? find_key_of(p->section, f->ours) : NULL;

	if (f->ours && !ours)
		ours = find_key(f->ours);
	if (ours)
		report(p, true, p->line, "[%s] has no key %s; it is %s in [%s] here%s%s",
		       p->section, f->theirs, ours->name, ours->section, f->note ? ", " : "",
		       f->note ? f->note : "");
	else
		report(p, true, p->line, "[%s] has no key %s: %s", p->section, f->theirs, f->note);
}

static void unknown_key(struct parse *p, const char *name)
{
	const struct foreign_word *f = foreign_key(name);
	const struct key *near = nearest_key(p->section, name);

	if (near && !strcasecmp(near->name, name))
		report(p, true, p->line, "%s belongs into section [%s], not [%s]", near->name,
		       near->section, p->section);
	else if (f)
		report_foreign(p, f);
	else if (near)
		report(p, true, p->line, "[%s] has no key %.60s; did you mean %s?", p->section,
		       name, near->name);
	else
		report(p, true, p->line, "[%s] has no %s%s; esptun.conf(5) lists the keys",
		       p->section, key_like(name) ? "key " : "such key",
		       key_like(name) ? name : "");
}

/* @knows: p->err says what is wrong; else k->expected has to do. */
static void report_value(struct parse *p, const struct key *k, const char *shown, bool knows)
{
	report(p, true, p->line, "%s%s: %s%s", k->name, shown, knows ? "" : "expected ",
	       knows ? p->err : k->expected);
}

/*
 * Is the value ASCII? Text pasted from elsewhere may hold blanks and dashes that only look
 * like ours. Double quotes around it are no part of it.
 */
static bool plain_value(struct parse *p, char **value)
{
	char *s = *value;
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++) {
		if (isprint((unsigned char)s[i]) || s[i] == '\t')
			continue;
		snprintf(p->err, sizeof(p->err),
			 "expected ASCII, but character %zu is the byte 0x%02x", i + 1,
			 (unsigned char)s[i]);
		return false;
	}
	if (len > 1 && s[0] == '"' && s[len - 1] == '"') {
		s[len - 1] = 0;
		*value = s + 1;
	}
	return true;
}

static void set_key(struct parse *p, const struct key *k, const char *text)
{
	unsigned int i = (unsigned int)(k - keys);
	char value[INI_MAX_LINE + 1], shown[81], *s;
	bool secret;

	if (p->continued && !k->list) {
		report(p, true, p->line, "%s takes one value, which this line cannot continue",
		       k->name);
		return;
	}
	if ((p->seen >> i & 1) && !k->list) {
		report(p, true, p->line, "%s is given again; the first one is in line %u", k->name,
		       p->line_of[i]);
		return;
	}
	if (!(p->seen >> i & 1))
		p->line_of[i] = p->line;
	p->seen |= 1ULL << i;
	snprintf(value, sizeof(value), "%s", text);
	if (k->set != set_psk)
		ini_strip_comment(value);
	s = ini_trim(value);
	p->err[0] = 0;
	if (!*s && p->continued && k->list)
		return; /* a comment in a list that goes on */
	/* Not a pre-shared key, nor what on a line that goes on may be one gone astray. */
	secret = k->set == set_psk ||
		 (p->continued && s[strspn(s, "0123456789abcdefABCDEF.:/-=, \t")]);
	*shown = 0;
	if (!secret)
		snprintf(shown, sizeof(shown), " = %.75s", s);
	if (!*s || (k->set != set_psk && !plain_value(p, &s)) || k->set(p, s))
		report_value(p, k, shown, *p->err && (!secret || k->set == set_psk));
	ike_wipe(value, sizeof(value));
}

static void report_line(struct parse *p, const char *text)
{
	const char *known = foreign_line(text);

	report(p, true, p->line, "%s", known ? known : "expected [Section] or KEY = VALUE");
}

/* [Child NAME] or [Client ID] begins, of which there may be several: its keys are not given yet. */
static void begin_section(struct parse *p, const char *section)
{
	p->section = section;
	for (unsigned int i = 0; i < N_KEYS; i++) {
		if (!strcmp(keys[i].section, section))
			p->seen &= ~(1ULL << i);
	}
}

/* "Child NAME": a section for each name. */
static void take_child_section(struct parse *p, const char *name)
{
	struct children_section *s;

	for (unsigned int i = 1; i < p->n_sections; i++) {
		if (strcasecmp(p->sections[i].name, name))
			continue;
		report(p, true, p->line, "[Child %s] is there already, in line %u", name,
		       p->sections[i].line);
		return;
	}
	if (p->n_sections == sizeof(p->sections) / sizeof(p->sections[0])) {
		report(p, true, p->line, "expected at most %d sections [Child NAME]",
		       IKE_MAX_CHILD);
		return;
	}
	s = &p->sections[p->n_sections++];
	copy(s->name, sizeof(s->name), name);
	s->line = p->line;
	p->at = s;
	begin_section(p, "Child");
}

static bool is_child_name(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || (n && s[n] && strchr("._-", s[n])))
		n++;
	return n && !s[n] && n < IKE_CHILD_NAME;
}

/* Is it "Child" with, or without, a name? Then the section is dealt with. */
static bool is_child_section(struct parse *p, char *name)
{
	char *own;

	if (strncasecmp(name, "Child", 5) || (name[5] && name[5] != ' ' && name[5] != '\t'))
		return false;
	own = ini_trim(name + 5);
	if (is_child_name(own))
		take_child_section(p, own);
	else
		report(p, true, p->line,
		       "expected [Child NAME], a name of at most %d letters, digits and . _ -",
		       IKE_CHILD_NAME - 1);
	return true;
}

/* Is it "Client" with, or without, an identity? Then the section is dealt with. */
static bool is_client_section(struct parse *p, char *name)
{
	struct client_key *k;
	struct ike_id id;

	if (strncasecmp(name, "Client", 6) || (name[6] && name[6] != ' ' && name[6] != '\t'))
		return false;
	if (ike_id_from_text(ini_trim(name + 6), &id, p->err, sizeof(p->err))) {
		report(p, true, p->line, "expected [Client ID]: %s", p->err);
		return true;
	}
	k = client_keys_add(&p->c->keys);
	if (!k) {
		report(p, true, p->line, "expected at most %d sections [Client ID]",
		       CLIENT_KEYS_MAX);
		return true;
	}
	k->id = id;
	k->line = p->line;
	p->client = k;
	begin_section(p, "Client");
	return true;
}

static void take_section(struct parse *p, char *text)
{
	static const char *const sections[] = { "Tunnel", "Peer" };
	char *name = ini_section(text);
	const char *theirs;

	p->section = NULL;
	p->at = &p->sections[0];
	p->client = NULL;
	if (!name) {
		report_line(p, text);
		return;
	}
	for (unsigned int i = 0; i < 2; i++) {
		if (!strcasecmp(name, sections[i]))
			p->section = sections[i];
	}
	if (p->section || is_child_section(p, name) || is_client_section(p, name))
		return;
	theirs = foreign_section(name);
	p->section = theirs;
	if (theirs)
		report(p, true, p->line, "[%.40s] is written [%s] here", name, theirs);
	else
		report(p, true, p->line,
		       "unknown section [%.40s]; expected [Tunnel], [Peer], [Child NAME] or [Client ID]",
		       name);
}

static void take_pair(struct parse *p, char *text)
{
	char *value, *name = ini_pair(text, &value);
	const struct key *k;

	if (!name) {
		report_line(p, text);
		return;
	}
	if (p->section && !*p->section) {
		report(p, true, p->line, "a key before any section; expected [Tunnel] first");
		p->section = NULL;
	}
	if (!p->section)
		return;
	k = find_key_of(p->section, name);
	if (k) {
		set_key(p, k, value);
		p->key = k;
		return;
	}
	unknown_key(p, name);
	p->skipping = true;
}

/*
 * Does an indented line begin a section, or a key: one of ours, another program's, or what
 * seems a slip of ours? Not "esp: ..." of Crypto, and not "any = ..." of Selectors.
 */
static bool begins_anew(const char *text)
{
	const struct key *near;
	char word[32];
	size_t n = 0;

	if (*text == '[')
		return !strncasecmp(text, "[Peer]", 6) || !strncasecmp(text, "[Tunnel]", 8) ||
		       !strncasecmp(text, "[Child", 6) || !strncasecmp(text, "[Client", 7);
	while (n < sizeof(word) - 1 && (isalpha((unsigned char)text[n]) || text[n] == '_'))
		n++;
	memcpy(word, text, n);
	word[n] = 0;
	text += n + strspn(text + n, " \t");
	if (!n || (*text != '=' && *text != ':'))
		return false;
	near = nearest_key("Peer", word);
	if (*text == '=')
		return near || foreign_key(word);
	return near && !strcasecmp(near->name, word);
}

static void take_line(struct parse *p, struct ini_line *l)
{
	p->line = l->number;
	if (l->fault) {
		report(p, true, p->line, "%s", l->fault);
		return;
	}
	p->continued = l->indented && (p->key || p->skipping) && !begins_anew(l->text);
	if (p->continued) {
		if (p->key)
			set_key(p, p->key, l->text);
		return;
	}
	p->key = NULL;
	p->skipping = false;
	if (l->text[0] == '[')
		take_section(p, l->text);
	else
		take_pair(p, l->text);
}

static void read_lines(struct parse *p, const char *text, size_t len)
{
	struct ini_line l;
	struct ini r;

	p->section = "";
	if (ini_open(&r, text, len)) {
		while (ini_next(&r, &l))
			take_line(p, &l);
	} else {
		report(p, true, 1, "the file is UTF-16; save it as UTF-8");
	}
	ike_wipe(&l, sizeof(l));
}

/* ---- the whole file --------------------------------------------------------------- */

static bool given(const struct parse *p, const char *name)
{
	return p->seen >> (find_key(name) - keys) & 1;
}

static unsigned int line_of(const struct parse *p, const char *name)
{
	return p->line_of[find_key(name) - keys];
}

static void finish_crypto(struct parse *p)
{
	static const uint8_t protocol[2] = { IKE_PROTO_IKE, IKE_PROTO_ESP };
	struct ike_proposals *const out[2] = { &p->c->ike, &p->c->esp };

	for (unsigned int i = 0; i < 2; i++) {
		const char *text = p->crypto_given[i] ? p->crypto[i] : "modern";

		if (ike_proposals_from_text(text, protocol[i], out[i], p->err, sizeof(p->err))) {
			report(p, true, line_of(p, "Crypto"), "Crypto = %.100s: %s", text, p->err);
			return;
		}
	}
}

/* Without an endpoint we cannot begin. */
static void check_start(struct parse *p, struct children_section *s)
{
	bool begins = s->start_given && s->start != IKE_START_LISTEN;

	if (given(p, "Endpoint"))
		return;
	if (begins && s != p->sections)
		report(p, true, s->line,
		       "[Child %s]: without Endpoint only Start = listen is possible", s->name);
	else if (begins)
		report(p, true, line_of(p, "Start"),
		       "without Endpoint only Start = listen is possible");
	s->start = IKE_START_LISTEN;
}

/* What [Peer] says of Start and SelectorsPerChild holds where [Child NAME] does not say it. */
static void finish_section(struct parse *p, struct children_section *s, struct children *out)
{
	char any[] = "any";

	if (!s->start_given)
		s->start = p->sections[0].start;
	if (s->per == CHILDREN_AUTO)
		s->per = p->sections[0].per;
	check_start(p, s);
	if ((s->n_pairs || !children_add_pair(s, any, p->err, sizeof(p->err))) &&
	    !children_make(out, s, p->err, sizeof(p->err)))
		*p->err = 0;
	else if (s->line)
		report(p, true, s->line, "[Child %s] Selectors: %s", s->name, p->err);
	else
		report(p, true, line_of(p, "Selectors"), "Selectors: %s", p->err);
	if (s->start < p->c->start)
		p->c->start = s->start;
}

static void finish_children(struct parse *p)
{
	unsigned int first = p->n_sections > 1 ? 1 : 0;
	struct children made = { .n = 0 };

	if (first && p->sections[0].n_pairs)
		report(p, true, line_of(p, "Selectors"),
		       "Selectors belong into the sections [Child NAME], as there are some");
	if (first)
		check_start(p, &p->sections[0]);
	p->c->start = IKE_START_LISTEN;
	for (unsigned int i = first; i < p->n_sections; i++)
		finish_section(p, &p->sections[i], &made);
	p->c->child = made.list;
	p->c->n_child = made.n;
}

static void warn_psk(struct parse *p)
{
	char why[128];

	if (!secret_strong(p->c->psk, p->c->psk_len, why, sizeof(why)))
		report(p, false, line_of(p, "PSK"), "the key %s", why);
}

static bool has_ipv6(const struct net_prefix *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (p[i].addr.family == 6)
			return true;
	}
	return false;
}

static void check_mtu(struct parse *p)
{
	struct config *c = p->c;

	if (!c->mtu || c->mtu >= IPV6_MIN_MTU)
		return;
	if (has_ipv6(c->address, c->n_address) || has_ipv6(c->routes, c->n_routes))
		report(p, true, line_of(p, "MTU"),
		       "MTU = %u: IPv6, of which Address or Routes has prefixes, needs %d", c->mtu,
		       IPV6_MIN_MTU);
}

/* A prefix that stands in @key again does no harm, but was meant to be another one. */
static void warn_of_twice(struct parse *p, const char *key, const struct net_prefix *v,
			  unsigned int n)
{
	char addr[64];

	for (unsigned int i = 1; i < n; i++) {
		for (unsigned int k = 0; k < i; k++) {
			if (memcmp(&v[i], &v[k], sizeof(v[i])))
				continue;
			report(p, false, line_of(p, key), "%s: %s/%u is given twice", key,
			       ike_addr_print(addr, sizeof(addr), &v[i].addr), v[i].len);
			break;
		}
	}
}

static void check_client_key(struct parse *p, const struct client_key *k)
{
	const struct ike_id *of_all = &p->c->remote_id;
	char id[IKE_MAX_ID + 16], all[IKE_MAX_ID + 16], why[128];

	ike_id_print(id, sizeof(id), &k->id);
	if (!ike_id_matches(&k->id, of_all) && !ike_id_matches(of_all, &k->id))
		report(p, true, k->line, "[Client %s] can never come: RemoteID is %s", id,
		       ike_id_print(all, sizeof(all), of_all));
	else if (!k->len && !k->named)
		report(p, true, k->line, "[Client %s] lacks PSK, the key shared with it", id);
	else if (k->len && !secret_strong(k->key, k->len, why, sizeof(why)))
		report(p, false, k->line, "[Client %s]: the key %s", id, why);
}

/* The sections [Client ID]; what comes from the file of Secrets= is not there yet. */
static void check_client_keys(struct parse *p)
{
	struct client_keys *l = &p->c->keys;
	const struct client_key *twice = client_keys_sort(l);
	char id[IKE_MAX_ID + 16];

	if (twice)
		report(p, true, twice->line > twice[-1].line ? twice->line : twice[-1].line,
		       "[Client %s] is there already, in line %u",
		       ike_id_print(id, sizeof(id), &twice->id),
		       twice->line > twice[-1].line ? twice[-1].line : twice->line);
	for (unsigned int i = 0; i < l->n; i++)
		check_client_key(p, &l->v[i]);
}

static void refuse_client_keys(struct parse *p)
{
	if (p->c->keys.n)
		report(p, true, p->c->keys.v[0].line,
		       "[Client ID] is for clients: expected Clients of 2 or more in [Peer], too");
	if (given(p, "Secrets"))
		report(p, true, line_of(p, "Secrets"),
		       "Secrets is for clients: expected Clients of 2 or more in [Peer], too");
}

/* Keys that say something about one peer whose place is known, and what to do with many. */
static void check_clients(struct parse *p)
{
	const struct config *c = p->c;

	if (c->clients <= 1) {
		refuse_client_keys(p);
		if (given(p, "Unique"))
			report(p, true, line_of(p, "Unique"),
			       "Unique is for clients: expected Clients of 2 or more in [Peer], too");
		if (ike_id_is_wildcard(&c->remote_id))
			report(p, true, line_of(p, "RemoteID"),
			       "RemoteID with * is for clients: expected Clients of 2 or more in [Peer], or one identity");
		return;
	}
	if (given(p, "Endpoint"))
		report(p, true, line_of(p, "Clients"),
		       "Clients = %u: clients come from anywhere, but Endpoint in line %u names one: expected one or the other",
		       c->clients, line_of(p, "Endpoint"));
	if (c->reauth)
		report(p, true, line_of(p, "Reauth"),
		       "Reauth: only clients can authenticate again: expected off, and a time at their ends");
	check_client_keys(p);
}

static void check_whole(struct parse *p)
{
	struct config *c = p->c;

	check_mtu(p);
	warn_of_twice(p, "Address", c->address, c->n_address);
	warn_of_twice(p, "Routes", c->routes, c->n_routes);
	if (!given(p, "PSK") && (c->clients <= 1 || (!c->keys.n && !given(p, "Secrets"))))
		report(p, true, 0, "[Peer] lacks PSK, the key shared with the peer");
	else if (c->psk_len)
		warn_psk(p);
	check_clients(p);
	finish_children(p);
	finish_crypto(p);
}

int config_parse(const char *name, const char *text, size_t len, struct config *out,
		 const struct config_report *rep)
{
	struct parse p = { .c = out, .report = rep, .n_sections = 1 };

	memset(out, 0, sizeof(*out));
	out->port = IKE_NATT_PORT;
	out->endpoint_port = IKE_PORT;
	out->keepalive = 20;
	out->liveness = 30;
	out->mobike = true;
	out->rekey_ike = CONFIG_REKEY_IKE;
	out->rekey_child = CONFIG_REKEY_CHILD;
	out->replay_window = 1024;
	p.at = p.sections;
	out->clients = 1;
	if (!config_name_ok(name))
		report(&p, true, 0,
		       "\"%.40s\" cannot name a netdevice: 1 to 15 characters, without blanks, slashes and colons",
		       name);
	else
		copy(out->name, sizeof(out->name), name);
	copy(p.sections[0].name, sizeof(p.sections[0].name), out->name);
	if (len > CONFIG_MAX_FILE)
		report(&p, true, 0, "the file is longer than %d bytes", CONFIG_MAX_FILE);
	else
		read_lines(&p, text, len);
	if (!p.errors)
		check_whole(&p);
	for (unsigned int i = 0; i < p.n_sections; i++)
		children_clear(&p.sections[i]);
	if (p.errors)
		config_clear(out);
	return p.errors ? -1 : 0;
}

/* ---- files --------------------------------------------------------------------------- */

static void tell(const struct config_report *rep, bool error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void tell(const struct config_report *rep, bool error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(rep, error, 0, fmt, ap);
	va_end(ap);
}

static const char *why_unread(void)
{
	return errno == EINVAL ? "it is no regular file" : strerror(errno);
}

static bool closed_to_others(const char *path, const struct stat *st,
			     const struct config_report *rep)
{
	char why[1024];
	bool ok = key_file_ok(path, st, why, sizeof(why));

	if (!ok)
		tell(rep, true, "%s", why);
	return ok;
}

/* The @n bytes of the key file @path in @buf, which has room for one more. */
static int take_key(const char *path, char *buf, size_t n, uint8_t key[static SECRET_MAX],
		    size_t *len, const struct config_report *rep)
{
	char why[160];

	if (secret_from_file(buf, n, key, len, why, sizeof(why))) {
		tell(rep, true, "the first line of %s is no key: it %s", path, why);
		return -1;
	}
	if (*why)
		tell(rep, false, "the key in %s %s", path, why);
	if (!secret_strong(key, *len, why, sizeof(why)))
		tell(rep, false, "the key in %s %s", path, why);
	return 0;
}

static void report_unread(const char *path, const struct config_report *rep)
{
	const char *why = why_unread(), *hidden = secret_hidden(path);

	if (hidden)
		tell(rep, true,
		     "cannot read the key file %s: %s (%s in esptund.service hides it: move it to %s)",
		     path, why, hidden, CONFIG_DIR);
	else
		tell(rep, true, "cannot read the key file %s: %s", path, why);
}

static bool later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* The key in the file @path, and when that was changed last. */
static int load_key(const char *path, uint8_t key[static SECRET_MAX], size_t *len,
		    struct timespec *changed, const struct config_report *rep)
{
	char buf[1024];
	struct stat st;
	ssize_t n = secret_read(path, buf, sizeof(buf) - 1, &st);
	int err = -1;

	if (n < 0)
		report_unread(path, rep);
	else if (closed_to_others(path, &st, rep))
		err = take_key(path, buf, (size_t)n, key, len, rep);
	if (!err)
		*changed = st.st_ctim;
	ike_wipe(buf, sizeof(buf));
	return err;
}

static int load_psk(struct config *c, const struct config_report *rep)
{
	struct timespec changed;

	if (load_key(c->psk_file, c->psk, &c->psk_len, &changed, rep))
		return -1;
	if (later(&changed, &c->changed))
		c->changed = changed;
	return 0;
}

/* The keys of clients whose sections name a file. SAs made with another key stay: they are no secret. */
static int load_client_keys(struct config *c, const struct config_report *rep)
{
	struct timespec changed;
	int err = 0;

	for (unsigned int i = 0; i < c->keys.n; i++) {
		struct client_key *k = &c->keys.v[i];
		char path[SECRET_MAX];

		if (!k->named)
			continue;
		memcpy(path, k->key, sizeof(path));
		memset(k->key, 0, sizeof(k->key));
		err |= load_key(path, k->key, &k->len, &changed, rep);
	}
	return err;
}

struct secrets {
	const struct config *c;
	const struct config_report *rep;
};

static void tell_of_line(void *ctx, bool error, unsigned int line, const char *text)
{
	const struct secrets *s = ctx;

	tell(s->rep, error, "%s:%u: %s", s->c->secrets_file, line, text);
}

static int load_secrets(struct config *c, const struct config_report *rep)
{
	struct secrets ctx = { c, rep };
	char *text = malloc(CONFIG_MAX_SECRETS + 1);
	struct stat st;
	ssize_t len = text ? secret_read(c->secrets_file, text, CONFIG_MAX_SECRETS + 1, &st) : -1;
	int err = -1;

	if (len < 0)
		report_unread(c->secrets_file, rep);
	else if (len > CONFIG_MAX_SECRETS)
		tell(rep, true, "%s is longer than %d bytes", c->secrets_file, CONFIG_MAX_SECRETS);
	else if (closed_to_others(c->secrets_file, &st, rep))
		err = client_keys_parse(&c->keys, text, (size_t)len, tell_of_line, &ctx);
	if (text)
		ike_wipe(text, CONFIG_MAX_SECRETS + 1);
	free(text);
	return err;
}

/* No identity has two keys; then all are in order. */
static int join_client_keys(struct config *c, const struct config_report *rep)
{
	const struct client_key *b = client_keys_sort(&c->keys), *a = b ? b - 1 : NULL;
	char id[IKE_MAX_ID + 16];

	for (unsigned int i = 0; !b && i < c->keys.n; i++) {
		c->keys.v[i].line = 0;
		c->keys.v[i].named = c->keys.v[i].of_secrets = false;
	}
	if (!b)
		return 0;
	/* Within the sections it was looked for already, so one at least is of the file. */
	if (!b->of_secrets || (a->of_secrets && a->line > b->line)) {
		const struct client_key *x = a;

		a = b;
		b = x;
	}
	tell(rep, true, "%s:%u: %s has a key already, in line %u of %s", c->secrets_file, b->line,
	     ike_id_print(id, sizeof(id), &b->id), a->line,
	     a->of_secrets ? "this file" : "the configuration");
	return -1;
}

/* Does the configuration file itself hold a key? */
static bool holds_key(const struct config *c)
{
	for (unsigned int i = 0; i < c->keys.n; i++) {
		if (!c->keys.v[i].named)
			return true;
	}
	return c->psk_len;
}

/* All keys that are in files, that of the configuration, @st of @path, among them. */
static int load_keys(const char *path, const struct stat *st, struct config *c,
		     const struct config_report *rep)
{
	if (holds_key(c) && !closed_to_others(path, st, rep))
		return -1;
	if ((*c->psk_file && load_psk(c, rep)) || load_client_keys(c, rep) ||
	    (*c->secrets_file && load_secrets(c, rep)))
		return -1;
	return join_client_keys(c, rep);
}

/* "hq" of "/etc/esptun/hq.conf". */
static void name_of(const char *path, char *name, size_t size)
{
	const char *base = strrchr(path, '/');
	size_t len;

	base = base ? base + 1 : path;
	len = strlen(base);
	if (len > 5 && !strcmp(base + len - 5, ".conf"))
		len -= 5;
	snprintf(name, size, "%.*s", (int)len, base);
}

int config_load(const char *path, struct config *out, const struct config_report *rep)
{
	char name[256], *text = malloc(CONFIG_MAX_FILE + 1);
	struct stat st;
	ssize_t len;
	int err = -1;

	memset(out, 0, sizeof(*out));
	len = text ? secret_read(path, text, CONFIG_MAX_FILE + 1, &st) : -1;
	if (len < 0) {
		tell(rep, true, "cannot be read: %s", why_unread());
	} else {
		name_of(path, name, sizeof(name));
		err = config_parse(name, text, (size_t)len, out, rep);
		out->file_time = st.st_mtim;
		/* An older file that was put in its place has an older st_mtim. */
		out->changed = st.st_ctim;
	}
	if (text)
		ike_wipe(text, CONFIG_MAX_FILE + 1);
	free(text);
	if (!err)
		err = load_keys(path, &st, out, rep);
	if (err)
		config_clear(out);
	return err;
}

void config_lists(struct config *c, struct config_list out[CONFIG_LISTS])
{
	out[0] = (struct config_list){ (void **)&c->address, c->n_address, sizeof(*c->address) };
	out[1] = (struct config_list){ (void **)&c->routes, c->n_routes, sizeof(*c->routes) };
	out[2] = (struct config_list){ (void **)&c->child, c->n_child, sizeof(*c->child) };
	out[3] = (struct config_list){ (void **)&c->keys.v, c->keys.n, sizeof(*c->keys.v) };
}

void config_clear(struct config *c)
{
	struct config_list lists[CONFIG_LISTS];

	client_keys_clear(&c->keys);
	config_lists(c, lists);
	for (unsigned int i = 0; i < CONFIG_LISTS; i++)
		free(*lists[i].items);
	ike_wipe(c, sizeof(*c));
}

static bool lists_equal(const struct config_list *a, const struct config_list *b)
{
	return a->n == b->n && (!a->n || !memcmp(*a->items, *b->items, a->n * a->size));
}

bool config_equal(const struct config *a, const struct config *b)
{
	struct config_list of_x[CONFIG_LISTS], of_y[CONFIG_LISTS];
	struct config x = *a, y = *b;
	bool same = true;

	config_lists(&x, of_x);
	config_lists(&y, of_y);
	for (unsigned int i = 0; i < CONFIG_LISTS; i++) {
		same &= lists_equal(&of_x[i], &of_y[i]);
		*of_x[i].items = *of_y[i].items = NULL;
	}
	x.file_time = y.file_time;
	x.changed = y.changed;
	/* Everything was zeroed before it was filled, so that bytes compare. */
	same &= !memcmp(&x, &y, sizeof(x));
	ike_wipe(&x, sizeof(x));
	ike_wipe(&y, sizeof(y));
	return same;
}

bool config_equal_but_keys(const struct config *a, const struct config *b)
{
	struct config x = *a;
	bool same;

	x.keys = b->keys;
	memcpy(x.secrets_file, b->secrets_file, sizeof(x.secrets_file));
	same = config_equal(&x, b);
	ike_wipe(&x, sizeof(x));
	return same;
}

void config_tunnel(const struct config *c, struct ike_tunnel_conf *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->name, c->name, sizeof(out->name));
	out->local_id = c->local_id;
	out->remote_id = c->remote_id;
	out->local.addr = c->local;
	out->local.port = c->port;
	out->remote.addr = c->endpoint_addr;
	out->remote.port = c->endpoint_port;
	out->ike = c->ike;
	out->esp = c->esp;
	out->n_child = c->n_child;
	memcpy(out->child, c->child, c->n_child * sizeof(*c->child));
	out->clients = c->clients;
	out->unique = c->unique;
	out->liveness = c->liveness;
	out->mobike = c->mobike;
	out->reauth = c->reauth;
	out->rekey_ike = c->rekey_ike;
	out->rekey_child = c->rekey_child;
	out->rekey_bytes = c->rekey_bytes;
	out->rekey_packets = c->rekey_packets;
}

bool config_adds_by_traffic(const struct config *c)
{
	for (unsigned int i = 0; c->n_child > 1 && i < c->n_child; i++) {
		if (c->child[i].start == IKE_START_TRAFFIC)
			return true;
	}
	return false;
}

bool config_name_ok(const char *name)
{
	size_t len = strlen(name);

	/* What dev_valid_name() of the kernel says, and no name that hides a file. */
	if (!len || len > 15 || name[0] == '.')
		return false;
	for (; *name; name++) {
		if (!isgraph((unsigned char)*name) || strchr("/:%", *name))
			return false;
	}
	return true;
}
