// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Traffic selectors (RFC 7296 2.9, 3.13).
 */
#include <string.h>

#include "ike/proto/addr.h"
#include "ike/proto/ts_text.h"
#include "ike/proto/text.h"
#include "ike/child/ts.h"

enum { ADDR_LEN = 16 };

/* OPAQUE: packets whose ports cannot be seen, fragments for one (RFC 4301 4.4.1.1). */
static bool opaque(const struct ike_ts *ts)
{
	return ts->port_start == 65535 && ts->port_end == 0;
}

static bool any_port(const struct ike_ts *ts)
{
	return ts->port_start == 0 && ts->port_end == 65535;
}

/* Ports in common; "any" holds OPAQUE too, no other range does. */
static bool ports_meet(const struct ike_ts *a, const struct ike_ts *b, struct ike_ts *out)
{
	if (opaque(a) || opaque(b)) {
		out->port_start = 65535;
		out->port_end = 0;
		return (opaque(a) || any_port(a)) && (opaque(b) || any_port(b));
	}
	out->port_start = a->port_start > b->port_start ? a->port_start : b->port_start;
	out->port_end = a->port_end < b->port_end ? a->port_end : b->port_end;
	return out->port_start <= out->port_end;
}

/* Addresses are in network order, so comparing octets compares numbers. */
static bool meet(const struct ike_ts *a, const struct ike_ts *b, struct ike_ts *out)
{
	if (a->family != b->family || (a->protocol && b->protocol && a->protocol != b->protocol))
		return false;
	memset(out, 0, sizeof(*out));
	out->family = a->family;
	out->protocol = a->protocol ? a->protocol : b->protocol;
	memcpy(out->start, memcmp(a->start, b->start, ADDR_LEN) > 0 ? a->start : b->start,
	       ADDR_LEN);
	memcpy(out->end, memcmp(a->end, b->end, ADDR_LEN) < 0 ? a->end : b->end, ADDR_LEN);
	return memcmp(out->start, out->end, ADDR_LEN) <= 0 && ports_meet(a, b, out);
}

static bool equal(const struct ike_ts *a, const struct ike_ts *b)
{
	return a->family == b->family && a->protocol == b->protocol &&
	       a->port_start == b->port_start && a->port_end == b->port_end &&
	       !memcmp(a->start, b->start, ADDR_LEN) && !memcmp(a->end, b->end, ADDR_LEN);
}

/* Is all of @a in @b? */
static bool within(const struct ike_ts *a, const struct ike_ts *b)
{
	struct ike_ts both;

	return meet(a, b, &both) && equal(&both, a);
}

/* Append @ts unless it is there already; what lies within it gives way, in its place. */
static void append(struct ike_ts_list *l, const struct ike_ts *ts)
{
	unsigned int n = 0, at = IKE_MAX_TS;

	for (unsigned int i = 0; i < l->n; i++)
		if (within(ts, &l->ts[i]))
			return;
	for (unsigned int i = 0; i < l->n; i++) {
		if (!within(&l->ts[i], ts)) {
			l->ts[n++] = l->ts[i];
		} else if (at == IKE_MAX_TS) {
			at = n;
			l->ts[n++] = *ts;
		}
	}
	if (at == IKE_MAX_TS && n < IKE_MAX_TS)
		l->ts[n++] = *ts;
	l->n = n;
}

bool ike_ts_overlap(const struct ike_ts *a, const struct ike_ts *b)
{
	struct ike_ts both;

	return meet(a, b, &both);
}

bool ike_ts_narrow(struct ike_ts_offer offer, const struct ike_ts_list *policy,
		   struct ike_ts_list *out)
{
	struct ike_ts both;

	out->n = 0;
	for (unsigned int i = 0; i < offer.n; i++)
		for (unsigned int j = 0; j < policy->n; j++)
			if (meet(&offer.ts[i], &policy->ts[j], &both))
				append(out, &both);
	return out->n > 0;
}

static bool within_list(const struct ike_ts *ts, const struct ike_ts_list *l)
{
	for (unsigned int i = 0; i < l->n; i++)
		if (within(ts, &l->ts[i]))
			return true;
	return false;
}

bool ike_ts_within(struct ike_ts_offer answer, const struct ike_ts_list *offer)
{
	for (unsigned int i = 0; i < answer.n; i++)
		if (!within_list(&answer.ts[i], offer))
			return false;
	return answer.n > 0;
}

bool ike_ts_take(struct ike_ts_offer from, struct ike_ts_list *out)
{
	out->n = 0;
	for (unsigned int i = 0; i < from.n; i++) {
		append(out, &from.ts[i]);
		if (!within_list(&from.ts[i], out))
			return false;
	}
	return true;
}

bool ike_ts_is_any(const struct ike_ts *ts)
{
	static const uint8_t zero[ADDR_LEN];
	size_t len = ts->family == 4 ? 4 : ADDR_LEN;
	uint8_t ones[ADDR_LEN];

	memset(ones, 0xff, sizeof(ones));
	return !ts->protocol && any_port(ts) && !memcmp(ts->start, zero, len) &&
	       !memcmp(ts->end, ones, len);
}

bool ike_ts_of_any_address(const struct ike_ts_list *l)
{
	bool v4 = false, v6 = false;

	for (unsigned int i = 0; i < l->n; i++) {
		struct ike_ts any = l->ts[i];

		any.protocol = 0;
		any.port_start = 0;
		any.port_end = 65535;
		if (!ike_ts_is_any(&any))
			return false;
		v4 |= any.family == 4;
		v6 |= any.family == 6;
	}
	return v4 && v6;
}

static void set_address(struct ike_ts *ts, const struct ike_addr *a)
{
	ts->family = a->family;
	memcpy(ts->start, a->b, sizeof(ts->start));
	memcpy(ts->end, a->b, sizeof(ts->end));
}

struct ike_ts ike_ts_of_net(const struct ike_addr *a, unsigned int len)
{
	struct ike_ts ts = { .port_end = 65535 };
	struct ike_addr net = *a;

	ike_addr_to_net(&net, len);
	set_address(&ts, &net);
	for (unsigned int i = len; i < (a->family == 4 ? 32 : 128); i++)
		ts.end[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return ts;
}

void ike_ts_add_address(struct ike_ts_list *l, const struct ike_addr *a)
{
	struct ike_ts *ts = &l->ts[l->n++];

	*ts = (struct ike_ts){ .port_end = 65535 };
	set_address(ts, a);
}

void ike_ts_pin(struct ike_ts_list *l, const struct ike_addr *a)
{
	struct ike_ts_list host = { .n = 0 };
	struct ike_ts_list any = *l;

	ike_ts_add_address(&host, a);
	ike_ts_narrow(IKE_TS_OFFER(&any), &host, l);
}

bool ike_ts_of_address(const struct ike_ts_list *l, const struct ike_addr *a)
{
	for (unsigned int i = 0; i < l->n; i++) {
		const struct ike_ts *ts = &l->ts[i];

		if (ts->family != a->family || memcmp(ts->start, a->b, sizeof(a->b)) != 0 ||
		    memcmp(ts->end, a->b, sizeof(a->b)) != 0)
			return false;
	}
	return true;
}

void ike_ts_substitute(struct ike_ts_payload *p, const struct ike_addr *a, struct ike_addr *was)
{
	bool several = false;

	memset(was, 0, sizeof(*was));
	for (unsigned int i = 0; i < p->n; i++) {
		struct ike_ts *ts = &p->ts[i];

		if (memcmp(ts->start, ts->end, sizeof(ts->start)) != 0)
			continue;
		several |= ts->family != a->family ||
			   (was->family && memcmp(was->b, ts->start, sizeof(was->b)) != 0);
		was->family = ts->family;
		memcpy(was->b, ts->start, sizeof(was->b));
		set_address(ts, a);
	}
	if (several || !ike_addr_is_host(was))
		memset(was, 0, sizeof(*was));
}

typedef unsigned __int128 u128;

static u128 load(const uint8_t *p, unsigned int bits)
{
	u128 v = 0;

	for (unsigned int i = 0; i < bits / 8; i++)
		v = v << 8 | p[i];
	return v;
}

static void store(uint8_t *p, u128 v, unsigned int bits)
{
	for (unsigned int i = bits / 8; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
}

/* The @n lowest bits set, @n up to 128. */
static u128 mask(unsigned int n)
{
	return n < 128 ? ((u128)1 << n) - 1 : ~(u128)0;
}

/* One prefix of @host host bits at @at. */
static void prefix_make(struct ike_prefix *p, const struct ike_ts *ts, u128 at, unsigned int host)
{
	unsigned int bits = ts->family == 4 ? 32 : 128;

	memset(p, 0, sizeof(*p));
	p->family = ts->family;
	p->len = (uint8_t)(bits - host);
	p->protocol = ts->protocol;
	p->port_start = ts->port_start;
	p->port_end = ts->port_end;
	store(p->addr, at, bits);
}

/* Prefixes of one selector: again and again the largest that begins where the last ended. */
static int prefixes_of(const struct ike_ts *ts, struct ike_prefix *out, unsigned int max)
{
	unsigned int bits = ts->family == 4 ? 32 : 128, n = 0;
	u128 at = load(ts->start, bits), end = load(ts->end, bits);

	for (;;) {
		unsigned int host = 0;

		while (host < bits && !(at & mask(host + 1)) && (at | mask(host + 1)) <= end)
			host++;
		if (n == max)
			return -1;
		prefix_make(&out[n++], ts, at, host);
		at |= mask(host);
		if (at >= end)
			return (int)n;
		at++;
	}
}

int ike_ts_prefixes(const struct ike_ts_list *l, struct ike_prefix *out, unsigned int max)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < l->n; i++) {
		int more = prefixes_of(&l->ts[i], out + n, max - n);

		if (more < 0)
			return -1;
		n += (unsigned int)more;
	}
	return (int)n;
}

char *ike_ts_explain(char *buf, size_t size, const struct ike_ts_list *local,
		     const struct ike_ts_list *remote, struct ike_ts_offer offer_local,
		     struct ike_ts_offer offer_remote)
{
	struct text out = text_init(buf, size);
	char a[256], b[256];
	struct ike_ts_list common;
	bool here;

	if (!offer_local.n || !offer_remote.n) {
		text_add(&out,
			 "the peer allows no part of our traffic selectors %s = %s; "
			 "write what it has configured, ours = its, into Selectors=",
			 ike_ts_list_print(a, sizeof(a), IKE_TS_OFFER(local)),
			 ike_ts_list_print(b, sizeof(b), IKE_TS_OFFER(remote)));
		return buf;
	}
	here = !ike_ts_narrow(offer_local, local, &common);
	if (!here && ike_ts_narrow(offer_remote, remote, &common)) {
		text_add(&out, "the traffic selectors have a part in common");
		return buf;
	}
	text_add(&out,
		 "no common traffic selector for %s side: the peer asks for %s, "
		 "our Selectors= allow %s; change one of the two",
		 here ? "our" : "its",
		 ike_ts_list_print(a, sizeof(a), here ? offer_local : offer_remote),
		 ike_ts_list_print(b, sizeof(b), IKE_TS_OFFER(here ? local : remote)));
	return buf;
}
