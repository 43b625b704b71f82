// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/app/children.h"
#include "ike/app/config/ini.h"
#include "ike/proto/ts_text.h"
#include "ike/child/ts.h"

enum { MAX_PAIRS = IKE_MAX_TS * IKE_MAX_TS };

static int complain(char *err, size_t size, const char *text)
{
	snprintf(err, size, "%s", text);
	return -1;
}

/* ---- pairs ------------------------------------------------------------------------- */

/* No packet is of two families or protocols. */
static bool exclude_each_other(const struct ike_ts *a, const struct ike_ts *b)
{
	return a->family != b->family || (a->protocol && b->protocol && a->protocol != b->protocol);
}

static int append_pair(struct children_section *s, const struct ike_ts *local,
		       const struct ike_ts *remote, char *err, size_t size)
{
	struct children_pair *more;

	if (s->n_pairs == MAX_PAIRS)
		return complain(err, size, "expected fewer pairs");
	more = realloc(s->pairs, (s->n_pairs + 1) * sizeof(*more));
	if (!more)
		return complain(err, size, "no memory");
	s->pairs = more;
	s->pairs[s->n_pairs++] = (struct children_pair){ s->n_numbers, *local, *remote };
	return 0;
}

int children_add_pair(struct children_section *s, char *text, char *err, size_t size)
{
	struct ike_ts_list l = { .n = 0 }, r = { .n = 0 };
	char *eq = strchr(text, '=');
	unsigned int i, k;

	if (eq)
		*eq = 0;
	text = ini_trim(text);
	if (!eq && strcasecmp(text, "any"))
		return complain(
			err, size,
			"expected \"any\", or LOCAL = REMOTE such as 10.1.0.0/16 = 10.2.0.0/16");
	if (ike_ts_from_text(text, &l, err, size) ||
	    ike_ts_from_text(eq ? ini_trim(eq + 1) : "any", &r, err, size))
		return -1;
	for (i = 0; i < l.n; i++) {
		for (k = 0; k < r.n; k++) {
			if (append_pair(s, &l.ts[i], &r.ts[k], err, size))
				return -1;
		}
	}
	s->n_numbers++;
	return 0;
}

void children_clear(struct children_section *s)
{
	free(s->pairs);
	memset(s, 0, sizeof(*s));
}

/* ---- child SAs ---------------------------------------------------------------------- */

/* Append @ts unless the list has it; false if it is full. */
static bool place(struct ike_ts_list *l, const struct ike_ts *ts)
{
	for (unsigned int i = 0; i < l->n; i++) {
		if (!memcmp(&l->ts[i], ts, sizeof(*ts)))
			return true;
	}
	if (l->n == IKE_MAX_TS)
		return false;
	l->ts[l->n++] = *ts;
	return true;
}

/* The selectors of pair @number, or with @all of every one. */
static int collect(const struct children_section *s, unsigned int number, bool all,
		   struct ike_child_conf *c, char *err, size_t size)
{
	for (unsigned int i = 0; i < s->n_pairs; i++) {
		const struct children_pair *p = &s->pairs[i];

		if (!all && p->number != number)
			continue;
		if (place(&c->local_ts, &p->local) && place(&c->remote_ts, &p->remote))
			continue;
		snprintf(err, size, "expected at most %d networks on each side", IKE_MAX_TS);
		return -1;
	}
	return 0;
}

static bool has_pair(const struct children_section *s, const struct ike_ts *local,
		     const struct ike_ts *remote)
{
	for (unsigned int i = 0; i < s->n_pairs; i++) {
		if (!memcmp(&s->pairs[i].local, local, sizeof(*local)) &&
		    !memcmp(&s->pairs[i].remote, remote, sizeof(*remote)))
			return true;
	}
	return false;
}

/* One child SA carries every local network to every remote one, pairs or not (RFC 7296 2.9). */
static bool grants_more(const struct children_section *s, const struct ike_child_conf *c, char *err,
			size_t size)
{
	const struct ike_ts_list *l = &c->local_ts, *r = &c->remote_ts;
	char a[160], b[160];

	for (unsigned int i = 0; i < l->n; i++) {
		for (unsigned int k = 0; k < r->n; k++) {
			if (exclude_each_other(&l->ts[i], &r->ts[k]) ||
			    has_pair(s, &l->ts[i], &r->ts[k]))
				continue;
			snprintf(
				err, size,
				"one child SA carries all pairs, and would allow %s = %s, too: add this pair if that is meant, else set SelectorsPerChild = one",
				ike_ts_print(a, sizeof(a), &l->ts[i]),
				ike_ts_print(b, sizeof(b), &r->ts[k]));
			return true;
		}
	}
	return false;
}

static bool overlap(const struct ike_child_conf *a, const struct ike_child_conf *b)
{
	struct ike_ts_list common;

	return ike_ts_narrow(IKE_TS_OFFER(&a->local_ts), &b->local_ts, &common) &&
	       ike_ts_narrow(IKE_TS_OFFER(&a->remote_ts), &b->remote_ts, &common);
}

/* Transport mode is for packets between the endpoints, wherever these are. */
static int check_mode(const struct ike_child_conf *c, char *err, size_t size)
{
	if (c->mode == IKE_MODE_TUNNEL ||
	    (ike_ts_of_any_address(&c->local_ts) && ike_ts_of_any_address(&c->remote_ts)))
		return 0;
	return complain(
		err, size,
		"Mode = transport carries packets between the endpoints: expected any, or any with a protocol, such as any:gre = any:gre");
}

/*
 * Append @c, which no other overlaps: else the order of the file would decide what carries a packet.
 * Of packets between the endpoints, what is in transport mode takes precedence (longest prefix).
 */
static int append(struct children *to, struct ike_child_conf *c, char *err, size_t size)
{
	struct ike_child_conf *more;
	char a[160], b[160];

	if (check_mode(c, err, size))
		return -1;
	if (to->n == IKE_MAX_CHILD) {
		snprintf(err, size, "expected at most %d child SAs in all", IKE_MAX_CHILD);
		return -1;
	}
	for (unsigned int i = 0; i < to->n; i++) {
		const struct ike_child_conf *o = &to->list[i];

		if (!strcasecmp(o->name, c->name)) {
			snprintf(err, size, "two child SAs would have the name %s", o->name);
			return -1;
		}
		if (o->mode != c->mode || !overlap(o, c))
			continue;
		snprintf(err, size,
			 "%s = %s overlaps a pair of child SA %s; let each packet fit one",
			 ike_ts_list_print(a, sizeof(a), IKE_TS_OFFER(&c->local_ts)),
			 ike_ts_list_print(b, sizeof(b), IKE_TS_OFFER(&c->remote_ts)), o->name);
		return -1;
	}
	more = realloc(to->list, (to->n + 1) * sizeof(*more));
	if (!more)
		return complain(err, size, "no memory");
	to->list = more;
	to->list[to->n++] = *c;
	return 0;
}

static int make_each(struct children *to, const struct children_section *s,
		     struct ike_child_conf *c, char *err, size_t size)
{
	for (unsigned int i = 0; i < s->n_numbers; i++) {
		int len = (int)sizeof(c->name) - 5; /* room for the number */

		memset(c, 0, sizeof(*c));
		c->start = s->start;
		c->mode = s->mode;
		if (i)
			snprintf(c->name, sizeof(c->name), "%.*s.%u", len, s->name, (i + 1) % 1000);
		else
			snprintf(c->name, sizeof(c->name), "%s", s->name);
		if (collect(s, i, false, c, err, size) || append(to, c, err, size))
			return -1;
	}
	return 0;
}

int children_make(struct children *to, const struct children_section *s, char *err, size_t size)
{
	struct ike_child_conf c;
	bool refused;

	memset(&c, 0, sizeof(c)); /* config_equal() compares bytes */
	c.start = s->start;
	c.mode = s->mode;
	memcpy(c.name, s->name, sizeof(c.name));
	if (s->per == CHILDREN_ONE)
		return make_each(to, s, &c, err, size);
	refused = collect(s, 0, true, &c, err, size) || grants_more(s, &c, err, size);
	if (refused && s->per == CHILDREN_AUTO)
		return make_each(to, s, &c, err, size);
	return refused ? -1 : append(to, &c, err, size);
}
