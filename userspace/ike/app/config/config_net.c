// SPDX-License-Identifier: GPL-2.0-or-later
/* The keys of a configuration that are addresses and networks: prefixes, and section [Pool]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/app/config/config_int.h"
#include "ike/app/config/ini.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"

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
	if (slash && config_number(slash + 1, 0, max, &len))
		return -1;
	out->len = (uint8_t)len;
	return 0;
}

static int add_prefix(struct parse *p, struct net_prefix **list, unsigned int *n, char *item,
		      bool route)
{
	char word[64];
	struct net_prefix x, *grown;

	if (!config_copy(word, sizeof(word), item) || prefix(word, &x)) {
		snprintf(p->err, sizeof(p->err),
			 "\"%.60s\" is no prefix; expected prefixes like %s", item,
			 route ? "10.0.0.0/8 or fd00::/8" : "192.0.2.1/24 or fd00::1/64");
		return -1;
	}
	if (route && ike_addr_to_net(&x.addr, x.len)) {
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

int config_net_address(struct parse *p, char *s)
{
	if (!strcasecmp(s, "request")) {
		p->c->asks_address = true;
		return 0;
	}
	return set_prefixes(p, &p->c->address, &p->c->n_address, s, false);
}

int config_net_routes(struct parse *p, char *s)
{
	if (!strcasecmp(s, "none"))
		return 0;
	if (!strcasecmp(s, "request")) {
		p->c->asks_routes = true;
		return 0;
	}
	return set_prefixes(p, &p->c->routes, &p->c->n_routes, s, true);
}

int config_net_fetch_from(struct parse *p, char *s)
{
	return set_prefixes(p, &p->c->fetch_from, &p->c->n_fetch_from, s, true);
}

/* ---- [Pool] -------------------------------------------------------------------- */

/*
 * A network, without the addresses of it that are no host's: its own, and with IPv4 that of all its hosts.
 */
static void range_of_network(struct net_prefix *net, struct pool_range *out)
{
	unsigned int bits = net->addr.family == 4 ? 32 : 128;

	ike_addr_to_net(&net->addr, net->len);
	out->first = out->last = net->addr;
	for (unsigned int i = net->len; i < bits; i++)
		out->last.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
	if (bits - net->len < 2)
		return;
	ike_addr_step(&out->first, 1);
	if (net->addr.family == 4)
		ike_addr_step(&out->last, -1);
}

/* FIRST-LAST, NETWORK/LEN or ADDRESS. */
static int parse_range(char *word, struct pool_range *out)
{
	char *dash = strchr(word, '-');
	struct net_prefix net;

	memset(out, 0, sizeof(*out));
	if (!dash) {
		if (prefix(word, &net))
			return -1;
		range_of_network(&net, out);
		return 0;
	}
	*dash = 0;
	if (ike_addr_from_text(ini_trim(word), &out->first) ||
	    ike_addr_from_text(ini_trim(dash + 1), &out->last))
		return -1;
	return out->first.family == out->last.family &&
			       memcmp(out->first.b, out->last.b, sizeof(out->first.b)) <= 0
		       ? 0
		       : -1;
}

static bool has_common(const struct pool_range *a, const struct pool_range *b)
{
	return a->first.family == b->first.family &&
	       memcmp(a->first.b, b->last.b, sizeof(a->first.b)) <= 0 &&
	       memcmp(b->first.b, a->last.b, sizeof(a->first.b)) <= 0;
}

/* What no host can have is at both ends of all addresses, which a range does not get beyond, or begins here. */
static bool has_hosts_only(const struct pool_range *r)
{
	static const struct ike_addr begins[] = { { 4, { 127 } },
						  { 6, { [10] = 255, 255 } },
						  { 6, { 0xfe, 0x80 } } };

	for (unsigned int i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		const struct pool_range one = { begins[i], begins[i] };

		if (has_common(r, &one))
			return false;
	}
	return ike_addr_is_host(&r->first) && ike_addr_is_host(&r->last);
}

static int add_range(struct parse *p, char *item)
{
	struct config *c = p->c;
	struct pool_range r, *grown;
	char word[128];

	if (!config_copy(word, sizeof(word), item) || parse_range(word, &r) ||
	    !has_hosts_only(&r)) {
		snprintf(
			p->err, sizeof(p->err),
			"\"%.60s\" is no range; expected such as 10.9.0.0/24 or 10.9.0.10-10.9.0.99",
			item);
		return -1;
	}
	for (unsigned int i = 0; i < c->n_ranges; i++) {
		if (!has_common(&r, &c->ranges[i]))
			continue;
		snprintf(p->err, sizeof(p->err), "%.60s has addresses that another range has, too",
			 item);
		return -1;
	}
	if (c->n_ranges == CONFIG_MAX_RANGES) {
		snprintf(p->err, sizeof(p->err), "expected at most %d ranges", CONFIG_MAX_RANGES);
		return -1;
	}
	grown = realloc(c->ranges, (c->n_ranges + 1) * sizeof(r));
	if (!grown)
		return -1;
	c->ranges = grown;
	grown[c->n_ranges++] = r;
	return 0;
}

int config_pool_range(struct parse *p, char *s)
{
	char *save;

	for (char *item = strtok_r(s, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		item = ini_trim(item);
		if (*item && add_range(p, item))
			return -1;
	}
	return 0;
}

int config_pool_dns(struct parse *p, char *s)
{
	struct config *c = p->c;
	char *save;

	for (char *item = strtok_r(s, ", \t", &save); item; item = strtok_r(NULL, ", \t", &save)) {
		struct ike_addr a = { 0 };

		if (c->n_servers == IKE_CP_SERVERS || ike_addr_from_text(item, &a) ||
		    !ike_addr_is_host(&a))
			return -1;
		c->server[c->n_servers++] = a;
	}
	return 0;
}

int config_pool_domains(struct parse *p, char *s)
{
	struct config *c = p->c;
	char *save;

	if (!c->domains)
		c->domains = calloc(1, IKE_CP_DOMAINS);
	if (!c->domains)
		return -1;
	c->n_domains = IKE_CP_DOMAINS;
	for (char *item = strtok_r(s, ", \t", &save); item; item = strtok_r(NULL, ", \t", &save)) {
		if (!ike_cp_add_domain(c->domains, item, strlen(item)))
			return -1;
	}
	return 0;
}

int config_add_fixed(struct config *c, const struct pool_fixed *f)
{
	struct pool_fixed *grown = realloc(c->fixed, (c->n_fixed + 1) * sizeof(*f));

	if (!grown)
		return -1;
	c->fixed = grown;
	grown[c->n_fixed++] = *f;
	return 0;
}

/* IDENTITY = ADDRESS. */
static int add_static(struct parse *p, char *item)
{
	char *address = strchr(item, '=');
	struct pool_fixed f;

	memset(&f, 0, sizeof(f));
	if (!address)
		return -1;
	*address++ = 0;
	if (ike_addr_from_text(ini_trim(address), &f.addr) || !ike_addr_is_host(&f.addr) ||
	    ike_id_from_text(ini_trim(item), &f.id, p->err, sizeof(p->err)))
		return -1;
	if (ike_id_is_wildcard(&f.id) || p->c->n_fixed == CONFIG_MAX_FIXED)
		return -1;
	for (unsigned int i = 0; i < p->c->n_fixed; i++) {
		const struct pool_fixed *o = &p->c->fixed[i];

		if (!ike_addr_eq(&o->addr, &f.addr) &&
		    (o->addr.family != f.addr.family || !ike_id_eq(&o->id, &f.id)))
			continue;
		snprintf(p->err, sizeof(p->err),
			 "the address, or the identity's of this family, is given already");
		return -1;
	}
	return config_add_fixed(p->c, &f);
}

int config_pool_static(struct parse *p, char *s)
{
	char *save;

	for (char *item = strtok_r(s, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		item = ini_trim(item);
		if (*item && add_static(p, item))
			return -1;
	}
	return 0;
}

/* What clients are told to send here. */
int config_pool_routes(struct parse *p, char *s)
{
	struct config *c = p->c;

	c->tells_routes = true;
	if (!strcasecmp(s, "any"))
		return 0;
	if (set_prefixes(p, &c->told, &c->n_told, s, true))
		return -1;
	if (c->n_told <= IKE_CP_SUBNETS)
		return 0;
	snprintf(p->err, sizeof(p->err), "expected at most %d networks", IKE_CP_SUBNETS);
	return -1;
}

int config_pool_client_to_client(struct parse *p, char *s)
{
	bool yes = true;
	int err = config_yes_no(s, &yes);

	p->clients_apart = !yes;
	return err;
}
