// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose selectors are whose, against a plain list of them: ranges that come and go in any order, and a
 * tree that stays flat though they come in ascending order.
 */
#include "core_util.h"
#include "ike/core/layer_ikesa.h"

#include <stdlib.h>
#include <string.h>

enum { OWNERS = 8, MOST = 400, STEPS = 20000 };

static struct ike_core core;
static struct ike_tunnel tunnel;
static struct ike_peer owner[OWNERS + 1]; /* the last one is no client */
static struct rnd rnd;

static void fill(void *ctx, void *buf, size_t len)
{
	rnd_fill(ctx, buf, len);
}

static void reset(void)
{
	unsigned int i;

	rnd.s = 5;
	memset(&tunnel, 0, sizeof(tunnel));
	core.env.rng = (struct ike_rng){ fill, &rnd };
	for (i = 0; i <= OWNERS; i++) {
		owner[i].tunnel = &tunnel;
		owner[i].is_client = i < OWNERS;
		LIST_INIT(&owner[i].adopted_claims);
	}
}

static struct ike_ts any_range(void)
{
	struct ike_ts ts = { .family = rnd_chance(&rnd, 20) ? 6 : 4, .port_end = 65535 };
	unsigned int size = rnd_chance(&rnd, 10) ? 60 : 3;
	uint64_t first = rnd_below(&rnd, 250 - size);

	ts.start[3] = (uint8_t)first;
	ts.end[3] = (uint8_t)(first + rnd_below(&rnd, size));
	if (rnd_chance(&rnd, 30))
		ts.protocol = rnd_chance(&rnd, 50) ? 6 : 17;
	if (ts.protocol && rnd_chance(&rnd, 50))
		ts.port_start = ts.port_end = (uint16_t)rnd_below(&rnd, 3);
	return ts;
}

/* The tree is in order, a heap, and reaches where it says. Its depth. */
static unsigned int check_tree(const struct claim *c)
{
	unsigned int l, r;

	if (!c)
		return 0;
	assert_true(memcmp(c->reach, c->ts.end, 16) >= 0);
	if (c->left) {
		assert_true(memcmp(c->left->ts.start, c->ts.start, 16) <= 0);
		assert_true(c->left->priority <= c->priority);
		assert_true(memcmp(c->left->reach, c->reach, 16) <= 0);
	}
	if (c->right) {
		assert_true(memcmp(c->right->ts.start, c->ts.start, 16) >= 0);
		assert_true(c->right->priority <= c->priority);
		assert_true(memcmp(c->right->reach, c->reach, 16) <= 0);
	}
	if (c->sole) {
		assert_ptr_equal(c->sole, c->owner);
		assert_true(!c->left || c->left->sole == c->sole);
		assert_true(!c->right || c->right->sole == c->sole);
	} else {
		assert_true((c->left && c->left->sole != c->owner) ||
			    (c->right && c->right->sole != c->owner));
	}
	l = check_tree(c->left);
	r = check_tree(c->right);
	return 1 + (l > r ? l : r);
}

static bool has_rival(struct claims *const *all, const struct ike_peer *p, const struct ike_ts *ts)
{
	unsigned int i, j;

	for (i = 0; i < MOST; i++) {
		for (j = 0; all[i] && j < all[i]->n; j++) {
			if (all[i]->v[j].owner != p && ike_ts_overlap(&all[i]->v[j].ts, ts))
				return true;
		}
	}
	return false;
}

static void as_a_plain_list(void **state)
{
	struct claims *all[MOST] = { NULL };
	struct ike_ts_list l = { .n = 1 };
	unsigned int i, step, found = 0;

	(void)state;
	reset();
	for (step = 0; step < STEPS; step++) {
		struct claims **at = &all[rnd_below(&rnd, 1 + step * MOST / STEPS)];
		struct ike_peer *p = &owner[rnd_below(&rnd, OWNERS)];
		const struct ike_peer *rival;
		struct ike_ts ts[3];

		if (*at) {
			claim_leave(*at);
			*at = NULL;
			continue;
		}
		for (i = 0; i < 3; i++)
			ts[i] = any_range();
		l.ts[0] = ts[0];
		rival = claim_rival(p, &l);
		assert_int_equal(rival != NULL, has_rival(all, p, &ts[0]));
		assert_true(rival != p);
		found += rival != NULL;
		if (!rival || rnd_chance(&rnd, 3)) /* overlapping ones, too */
			assert_true(claim_enter(&core, p, ts, 1 + (unsigned int)rnd_below(&rnd, 3),
						at));
		if (step % 100 == 0) {
			check_tree(tunnel.claims[0]);
			check_tree(tunnel.claims[1]);
		}
	}
	assert_in_range(found, STEPS / 10, STEPS);
	for (i = 0; i < MOST; i++)
		claim_leave(all[i]);
	assert_null(tunnel.claims[0]);
	assert_null(tunnel.claims[1]);
}

static void flat_in_any_order(void **state)
{
	enum { MANY = 4000 };
	struct claims **all = calloc(MANY, sizeof(struct claims *));
	struct ike_ts ts = { .family = 4, .port_end = 65535 };
	unsigned int i;

	(void)state;
	assert_non_null(all);
	reset();
	for (i = 0; i < MANY; i++) {
		ts.start[2] = ts.end[2] = (uint8_t)(i >> 8);
		ts.start[3] = ts.end[3] = (uint8_t)i;
		assert_true(claim_enter(&core, &owner[0], &ts, 1, &all[i]));
	}
	assert_in_range(check_tree(tunnel.claims[0]), 12, 60);
	for (i = 0; i < MANY; i++)
		claim_leave(all[i]);
	assert_null(tunnel.claims[0]);
	free(all);
}

/*
 * Claims to one address that differ in ports only are all in the way of a search. Those of others are
 * looked at up to a bound, and beyond it the address counts as taken; one's own never are.
 */
static void bounded_by_ports(void **state)
{
	static struct claims *all[CLAIM_LOOKS];
	struct ike_ts_list l = { .n = 1 };
	struct ike_ts *ts = &l.ts[0];
	unsigned int i;

	(void)state;
	reset();
	*ts = (struct ike_ts){ .family = 4, .protocol = 17 };
	for (i = 0; i < CLAIM_LOOKS; i++) {
		ts->port_start = ts->port_end = (uint16_t)i;
		assert_null(claim_rival(&owner[1], &l));
		assert_null(claim_rival(&owner[0], &l));
		assert_true(claim_enter(&core, &owner[0], ts, 1, &all[i]));
	}
	ts->port_start = ts->port_end = (uint16_t)i;
	assert_ptr_equal(claim_rival(&owner[1], &l), &owner[0]);
	assert_null(claim_rival(&owner[0], &l));
	for (i = 0; i < CLAIM_LOOKS; i++)
		claim_leave(all[i]);
}

static void one_peer_has_no_rivals(void **state)
{
	struct ike_ts_list l = { .n = 1 };
	struct claims *c;

	(void)state;
	reset();
	l.ts[0] = (struct ike_ts){ .family = 4, .port_end = 65535 };
	assert_true(claim_enter(&core, &owner[OWNERS], l.ts, 1, &c));
	assert_null(c);
	claim_leave(c);
	claim_adopt(&core, &owner[OWNERS], IKE_TS_OFFER(&l));
	assert_true(LIST_EMPTY(&owner[OWNERS].adopted_claims));
	claim_adopt(&core, &owner[0], IKE_TS_OFFER(&l));
	claim_adopt(&core, &owner[0], IKE_TS_OFFER(&l));
	assert_ptr_equal(claim_rival(&owner[1], &l), &owner[0]);
	assert_null(claim_rival(&owner[0], &l));
	l.ts[1] = l.ts[0]; /* behind another one, too */
	l.ts[0].family = 6;
	l.n = 2;
	assert_ptr_equal(claim_rival(&owner[1], &l), &owner[0]);
	claim_disown(&owner[0]);
	assert_null(claim_rival(&owner[1], &l));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_a_plain_list),
		cmocka_unit_test(flat_in_any_order),
		cmocka_unit_test(bounded_by_ports),
		cmocka_unit_test(one_peer_has_no_rivals),
	};

	return cmocka_run_group_tests_name("claim", tests, NULL, NULL);
}
