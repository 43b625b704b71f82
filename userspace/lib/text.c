// SPDX-License-Identifier: LGPL-2.1-or-later
/* Addresses, selectors and counters as text. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <stddef.h>
#include <string.h>

#include "lib/esptun.h"

/* ---------------------------------------------------------------- addresses */

int esptun_addr_parse(const char *s, struct esptun_addr *a)
{
	struct esptun_addr out = { 0 };

	if (inet_pton(AF_INET, s, out.bytes) == 1)
		out.family = AF_INET;
	else if (inet_pton(AF_INET6, s, out.bytes) == 1)
		out.family = AF_INET6;
	else
		return -EINVAL;
	*a = out;
	return 0;
}

size_t esptun_addr_len(const struct esptun_addr *a)
{
	switch (a->family) {
	case AF_INET: return 4;
	case AF_INET6: return 16;
	default: return 0;
	}
}

bool esptun_addr_equal(const struct esptun_addr *a, const struct esptun_addr *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, esptun_addr_len(a));
}

const char *esptun_addr_format(const struct esptun_addr *a, char buf[ESPTUN_ADDR_STRLEN])
{
	if (!esptun_addr_len(a) || !inet_ntop(a->family, a->bytes, buf, ESPTUN_ADDR_STRLEN))
		strcpy(buf, "any");
	return buf;
}

/* ---------------------------------------------------------------- selectors */

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = {
	{ "any", 0 },  { "icmp", 1 }, { "tcp", 6 },	{ "udp", 17 },
	{ "gre", 47 }, { "esp", 50 }, { "icmpv6", 58 }, { "sctp", 132 },
};

#define N_PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))

/* Decimal number of at most @max, nothing before or after it. */
static int parse_number(const char *s, unsigned long max, unsigned long *v)
{
	char *end;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	*v = strtoul(s, &end, 10);
	return errno || *end || *v > max ? -EINVAL : 0;
}

static int parse_protocol(const char *s, uint8_t *protocol)
{
	unsigned long v;
	size_t i;

	for (i = 0; i < N_PROTOCOLS; i++) {
		if (!strcmp(s, protocols[i].name)) {
			*protocol = protocols[i].number;
			return 0;
		}
	}
	if (parse_number(s, UINT8_MAX, &v))
		return -EINVAL;
	*protocol = (uint8_t)v;
	return 0;
}

static int parse_ports(char *s, struct esptun_ts *ts)
{
	char *dash = strchr(s, '-');
	unsigned long start, end;

	if (!strcmp(s, "any"))
		return 0;
	if (dash)
		*dash++ = '\0';
	if (parse_number(s, UINT16_MAX, &start) ||
	    parse_number(dash ? dash : s, UINT16_MAX, &end) || end < start)
		return -EINVAL;
	/* a port without a protocol selects nothing in particular */
	if (!ts->protocol)
		return -EINVAL;
	ts->port_start = (uint16_t)start;
	ts->port_end = (uint16_t)end;
	return 0;
}

static bool host_bits_zero(const struct esptun_addr *a, unsigned int prefix_len)
{
	unsigned int bit, bits = 8 * (unsigned int)esptun_addr_len(a);

	for (bit = prefix_len; bit < bits; bit++)
		if (a->bytes[bit / 8] & (0x80 >> (bit % 8)))
			return false;
	return true;
}

static int parse_prefix(char *s, struct esptun_ts *ts)
{
	char *slash = strchr(s, '/');
	unsigned long len;

	if (slash)
		*slash++ = '\0';
	if (esptun_addr_parse(s, &ts->addr))
		return -EINVAL;
	len = 8 * esptun_addr_len(&ts->addr);
	if (slash && parse_number(slash, len, &len))
		return -EINVAL;
	ts->prefix_len = (uint8_t)len;
	return host_bits_zero(&ts->addr, ts->prefix_len) ? 0 : -EDOM;
}

/* Cut the prefix off @s; returns what follows its colon, NULL if nothing. */
static char *cut_prefix(char **s)
{
	char *end = *s + strlen(*s), *colon;

	if (**s == '[') {
		char *bracket = strchr(*s, ']');

		if (!bracket)
			return end;
		*bracket = '\0';
		++*s;
		if (!bracket[1])
			return NULL;
		/* leave text that parses as nothing if no colon follows */
		return bracket[1] == ':' ? bracket + 2 : bracket;
	}
	colon = strchr(*s, ':');
	if (!colon || strchr(colon + 1, ':')) {
		/* none, or IPv6; but IPv4:proto:port has two colons as well */
		if (!colon || !memchr(*s, '.', (size_t)(colon - *s)))
			return NULL;
	}
	/* "ff02:1" and the like are no IPv6 addresses and fail later */
	*colon = '\0';
	return colon + 1;
}

int esptun_ts_parse(const char *text, struct esptun_ts *ts)
{
	struct esptun_ts out = { .port_end = UINT16_MAX };
	char copy[ESPTUN_TS_STRLEN], *s = copy, *proto, *ports = NULL;
	int err;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	proto = cut_prefix(&s);
	if (proto) {
		ports = strchr(proto, ':');
		if (ports)
			*ports++ = '\0';
	}
	if (proto && parse_protocol(proto, &out.protocol))
		return -EINVAL;
	if (ports && parse_ports(ports, &out))
		return -EINVAL;
	err = parse_prefix(s, &out);
	if (err)
		return err;
	*ts = out;
	return 0;
}

const char *esptun_ts_format(const struct esptun_ts *ts, char buf[ESPTUN_TS_STRLEN])
{
	bool any_port = !ts->port_start && ts->port_end == UINT16_MAX;
	bool brackets = ts->addr.family == AF_INET6 && (ts->protocol || !any_port);
	char addr[ESPTUN_ADDR_STRLEN], proto[8] = "";
	size_t i;
	int n;

	snprintf(proto, sizeof(proto), "%u", ts->protocol);
	for (i = 0; i < N_PROTOCOLS; i++)
		if (protocols[i].number == ts->protocol)
			snprintf(proto, sizeof(proto), "%s", protocols[i].name);
	n = snprintf(buf, ESPTUN_TS_STRLEN, "%s%s/%u%s", brackets ? "[" : "",
		     esptun_addr_format(&ts->addr, addr), ts->prefix_len, brackets ? "]" : "");
	if (ts->protocol || !any_port)
		n += snprintf(buf + n, ESPTUN_TS_STRLEN - (size_t)n, ":%s", proto);
	if (!any_port)
		n += snprintf(buf + n, ESPTUN_TS_STRLEN - (size_t)n, ":%u", ts->port_start);
	if (!any_port && ts->port_end != ts->port_start)
		snprintf(buf + n, ESPTUN_TS_STRLEN - (size_t)n, "-%u", ts->port_end);
	return buf;
}

/* ----------------------------------------------------------------- counters */

static const struct {
	const char *name;
	const char *text;
	bool drop;
} counters[ESPTUN_STATS_A_MAX + 1] = {
#include "counters-gen.h"
};

const char *esptun_stats_name(unsigned int i)
{
	return i <= ESPTUN_STATS_A_MAX ? counters[i].name : NULL;
}

const char *esptun_stats_key(unsigned int i, char key[ESPTUN_STATS_KEYLEN])
{
	const char *name = esptun_stats_name(i);
	size_t n = 0;

	if (!name)
		return NULL;
	for (; name[n] && n < ESPTUN_STATS_KEYLEN - 1; n++)
		key[n] = name[n] == '-' ? '_' : name[n];
	key[n] = '\0';
	return key;
}

const char *esptun_stats_text(unsigned int i)
{
	return i <= ESPTUN_STATS_A_MAX ? counters[i].text : NULL;
}

bool esptun_stats_is_drop(unsigned int i)
{
	return i <= ESPTUN_STATS_A_MAX && counters[i].drop;
}

/* ------------------------------------------------------------------- limits */

#define LIMIT(NAME, name, xfrm, member, max)                          \
	{                                                             \
		name, xfrm, ESPTUN_SA_HAS_##NAME, ESPTUN_SA_A_##NAME, \
			offsetof(struct esptun_sa, member), max       \
	}

static const struct esptun_limit limits[] = {
	LIMIT(SOFT_BYTES, "soft-bytes", "byte-soft", soft_bytes, UINT64_MAX),
	LIMIT(HARD_BYTES, "hard-bytes", "byte-hard", hard_bytes, UINT64_MAX),
	LIMIT(SOFT_PACKETS, "soft-packets", "packet-soft", soft_packets, UINT64_MAX),
	LIMIT(HARD_PACKETS, "hard-packets", "packet-hard", hard_packets, UINT64_MAX),
	LIMIT(SOFT_TIME, "soft-time", "time-soft", soft_time, UINT32_MAX),
	LIMIT(HARD_TIME, "hard-time", "time-hard", hard_time, UINT32_MAX),
	LIMIT(SOFT_USE_TIME, "soft-use-time", "time-use-soft", soft_use_time, UINT32_MAX),
	LIMIT(HARD_USE_TIME, "hard-use-time", "time-use-hard", hard_use_time, UINT32_MAX),
	{ 0 },
};

const struct esptun_limit *esptun_limits(void)
{
	return limits;
}

uint64_t esptun_limit_get(const struct esptun_sa *sa, const struct esptun_limit *l)
{
	uint64_t value;

	memcpy(&value, (const char *)sa + l->offset, sizeof(value));
	return sa->has & l->has ? value : 0;
}

void esptun_limit_set(struct esptun_sa *sa, const struct esptun_limit *l, uint64_t value)
{
	memcpy((char *)sa + l->offset, &value, sizeof(value));
	sa->has |= l->has;
}
