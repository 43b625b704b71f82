// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Traffic selectors as text. A selector is an address, a prefix or a range, and behind it
 * perhaps a protocol and ports; what is printed can be read again.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/proto/addr.h"
#include "ike/proto/text.h"
#include "ike/proto/ts_text.h"

static const struct protocol {
	uint8_t number;
	const char *text;
} ip_protocols[] = {
	{ IPPROTO_ICMP, "icmp" }, { IPPROTO_ICMPV6, "icmp6" }, { IPPROTO_TCP, "tcp" },
	{ IPPROTO_UDP, "udp" },	  { IPPROTO_SCTP, "sctp" },    { IPPROTO_GRE, "gre" },
	{ IPPROTO_ESP, "esp" },	  { IPPROTO_IPIP, "ipip" },
};

#define NPROTOCOLS (sizeof(ip_protocols) / sizeof(ip_protocols[0]))

static const char *protocol_name(uint8_t number)
{
	for (size_t i = 0; i < NPROTOCOLS; i++)
		if (ip_protocols[i].number == number)
			return ip_protocols[i].text;
	return NULL;
}

static bool is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* Bits of the prefix that start..end is, or -1 if it is none. */
static int ts_prefix_len(const struct ike_ts *ts)
{
	int bits = ts->family == 4 ? 32 : 128, len = 0;

	while (len < bits && !((ts->start[len / 8] ^ ts->end[len / 8]) & (0x80 >> len % 8)))
		len++;
	for (int i = len; i < bits; i++)
		if ((ts->start[i / 8] & (0x80 >> i % 8)) || !(ts->end[i / 8] & (0x80 >> i % 8)))
			return -1;
	return len;
}

/* ICMP: type in the high octet of a port, code in the low one (RFC 7296 3.13.1). */
static void icmp_add(struct text *out, const struct ike_ts *ts)
{
	uint16_t a = ts->port_start, b = ts->port_end;

	if (a >> 8 == b >> 8 && !(a & 255) && (b & 255) == 255)
		text_add(out, ":%u", a >> 8);
	else if (a == b)
		text_add(out, ":%u/%u", a >> 8, a & 255);
	else
		text_add(out, ":%u/%u-%u/%u", a >> 8, a & 255, b >> 8, b & 255);
}

static void ts_add(struct text *out, const struct ike_ts *ts)
{
	int af = ts->family == 4 ? AF_INET : AF_INET6, len = ts_prefix_len(ts);
	const char *name = protocol_name(ts->protocol);
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];
	bool ports = ts->port_start != 0 || ts->port_end != 65535;

	inet_ntop(af, ts->start, a, sizeof(a));
	inet_ntop(af, ts->end, b, sizeof(b));
	if (len >= 0)
		text_add(out, "%s/%d", a, len);
	else
		text_add(out, "%s-%s", a, b);
	if (!ts->protocol && !ports)
		return;
	if (name)
		text_add(out, ":%s", name);
	else
		text_add(out, ":proto%u", ts->protocol);
	if (!ports)
		return;
	if (ts->port_start == 65535 && ts->port_end == 0)
		text_add(out, ":opaque");
	else if (is_icmp(ts->protocol))
		icmp_add(out, ts);
	else if (ts->port_start == ts->port_end)
		text_add(out, ":%u", ts->port_start);
	else
		text_add(out, ":%u-%u", ts->port_start, ts->port_end);
}

char *ike_ts_print(char *buf, size_t size, const struct ike_ts *ts)
{
	struct text out = text_init(buf, size);

	ts_add(&out, ts);
	return buf;
}

char *ike_ts_list_print(char *buf, size_t size, struct ike_ts_offer o)
{
	struct text out = text_init(buf, size);

	for (unsigned int i = 0; i < o.n; i++) {
		text_add(&out, "%s", i ? ", " : "");
		ts_add(&out, &o.ts[i]);
	}
	if (!o.n)
		text_add(&out, "nothing");
	return buf;
}

/* A decimal number up to @max at *@s, which moves behind it; -1 if there is none. */
static long number(const char **s, long max)
{
	char *end;
	long v;

	if (!isdigit((unsigned char)**s))
		return -1;
	v = strtol(*s, &end, 10);
	*s = end;
	return v <= max ? v : -1;
}

/* "8", "8/0": an ICMP type, perhaps with code, as a range of ports. */
static int icmp_from_text(const char **s, long *start, long *end)
{
	long type = number(s, 255), code;

	if (type < 0)
		return -1;
	*start = type << 8;
	*end = type << 8 | 255;
	if (**s != '/')
		return 0;
	(*s)++;
	code = number(s, 255);
	*start = *end = type << 8 | code;
	return code < 0 ? -1 : 0;
}

static int ports_from_text(const char *s, struct ike_ts *ts)
{
	bool icmp = is_icmp(ts->protocol);
	long start, end, unused;

	if (!strcasecmp(s, "opaque")) {
		ts->port_start = 65535;
		ts->port_end = 0;
		return 0;
	}
	if (icmp) {
		if (icmp_from_text(&s, &start, &end))
			return -1;
	} else {
		start = end = number(&s, 65535);
	}
	if (*s == '-') {
		s++;
		if (icmp) {
			if (icmp_from_text(&s, &unused, &end))
				return -1;
		} else {
			end = number(&s, 65535);
		}
	}
	if (*s || start < 0 || end < start)
		return -1;
	ts->port_start = (uint16_t)start;
	ts->port_end = (uint16_t)end;
	return 0;
}

/* "udp" or "proto47" at @s, @len characters; -1 if it is no protocol. */
static int protocol_from_text(const char *s, size_t len)
{
	for (size_t i = 0; i < NPROTOCOLS; i++)
		if (strlen(ip_protocols[i].text) == len &&
		    !strncasecmp(ip_protocols[i].text, s, len))
			return ip_protocols[i].number;
	if (len > 5 && !strncasecmp(s, "proto", 5)) {
		const char *n = s + 5;
		long v = number(&n, 255);

		return n == s + len ? (int)v : -1;
	}
	return -1;
}

/*
 * The ":udp:53" behind an address. IPv6 addresses have colons too, but no group of
 * theirs reads like a protocol. Cuts @s there; -1 if the ports make no sense.
 */
static int ts_suffix(char *s, struct ike_ts *ts)
{
	ts->port_end = 65535;
	for (char *at = strchr(s, ':'); at; at = strchr(at + 1, ':')) {
		size_t len = strcspn(at + 1, ":");
		int protocol = protocol_from_text(at + 1, len);

		if (protocol < 0)
			continue;
		ts->protocol = (uint8_t)protocol;
		*at = '\0';
		return at[len + 1] ? ports_from_text(at + len + 2, ts) : 0;
	}
	return 0;
}

static int ts_prefix(const struct ike_addr *a, const char *len_text, struct ike_ts *ts)
{
	int bits = a->family == 4 ? 32 : 128;
	long len = number(&len_text, bits);

	if (len < 0 || *len_text)
		return -1;
	memcpy(ts->start, a->b, sizeof(ts->start));
	memcpy(ts->end, a->b, sizeof(ts->end));
	for (int i = (int)len; i < bits; i++) {
		if (ts->start[i / 8] & (0x80 >> i % 8))
			return -2;
		ts->end[i / 8] |= (uint8_t)(0x80 >> i % 8);
	}
	return 0;
}

/* Address, prefix or range; 0, -1, or -2 for host bits behind a prefix. */
static int ts_range(char *s, struct ike_ts *ts)
{
	char *cut = strpbrk(s, "/-"), sep = cut ? *cut : '\0';
	struct ike_addr a, b;

	if (cut)
		*cut++ = '\0';
	if (ike_addr_from_text(s, &a))
		return -1;
	ts->family = a.family;
	if (sep == '/')
		return ts_prefix(&a, cut, ts);
	b = a;
	if (sep == '-' && (ike_addr_from_text(cut, &b) || b.family != a.family))
		return -1;
	memcpy(ts->start, a.b, sizeof(ts->start));
	memcpy(ts->end, b.b, sizeof(ts->end));
	return memcmp(a.b, b.b, sizeof(a.b)) <= 0 ? 0 : -1;
}

static int ts_append(struct ike_ts_list *l, const struct ike_ts *ts, char *err, size_t err_size)
{
	if (l->n == IKE_MAX_TS) {
		snprintf(err, err_size, "more than %d traffic selectors", IKE_MAX_TS);
		return -1;
	}
	l->ts[l->n++] = *ts;
	return 0;
}

/* All addresses of both families, with @suffix: "", or ":udp:53". */
static int any_from_text(const char *suffix, struct ike_ts_list *l, char *err, size_t err_size)
{
	static const char *const families[] = { "0.0.0.0/0", "::/0" };
	char text[128];

	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "%s%s", families[i], suffix);
		if (ike_ts_from_text(text, l, err, err_size))
			return -1;
	}
	return 0;
}

int ike_ts_from_text(const char *text, struct ike_ts_list *l, char *err, size_t err_size)
{
	struct ike_ts ts = { 0 };
	char s[128];
	int ret;

	if (!strncasecmp(text, "any", 3) && (!text[3] || text[3] == ':'))
		return any_from_text(text + 3, l, err, err_size);
	ret = snprintf(s, sizeof(s), "%s", text) < (int)sizeof(s) ? 0 : -1;
	if (!ret)
		ret = ts_suffix(s, &ts);
	if (!ret)
		ret = ts_range(s, &ts);
	if (!ret)
		return ts_append(l, &ts, err, err_size);
	if (ret == -2)
		snprintf(err, err_size, "\"%s\" has bits set behind its prefix length", text);
	else
		snprintf(err, err_size,
			 "\"%s\" is no traffic selector; expected any, 10.1.0.0/16, "
			 "10.1.0.5-10.1.0.9 or fd00::/8, perhaps with :udp:53",
			 text);
	return -1;
}
