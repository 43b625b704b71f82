// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a tunnel and an IKE SA take of memory, counted where it is allocated, and that equal lists of
 * proposals are kept once.
 */
#include <malloc.h>

#include "core_util.h"
#include "ike/app/agent_int.h"
#include "ike/child/proposal.h"
#include "ike/child/proposal_share.h"

enum {
	TUNNELS = 500,
	MAX_TUNNEL = 8192, /* bytes */
	MAX_SA = 8192,
};

#ifdef __SANITIZE_ADDRESS__
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

/* Bytes that are allocated, with what the allocator itself needs for them. */
static size_t allocated(void)
{
#ifdef __SANITIZE_ADDRESS__
	return __sanitizer_get_current_allocated_bytes();
#else
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
#endif
}

/* The allocator keeps a few freed pieces of each size, and counts them as allocated: it has them now. */
static void fill_caches(void)
{
	enum { PIECES = 8, SIZE = 1040, STEP = 16 };
	void *p[SIZE / STEP][PIECES];

	for (size_t i = 0; i < SIZE / STEP; i++) {
		for (unsigned int k = 0; k < PIECES; k++)
			p[i][k] = malloc(i * STEP + 1);
	}
	for (size_t i = 0; i < SIZE / STEP; i++) {
		for (unsigned int k = 0; k < PIECES; k++)
			free(p[i][k]);
	}
}

/* ---- proposals --------------------------------------------------------------- */

static void read_crypto(struct ike_proposals *l, const char *text)
{
	char err[256];

	assert_int_equal(ike_proposals_from_text(text, IKE_PROTO_IKE, l, err, sizeof(err)), 0);
}

static void equal_proposals_are_kept_once(void **state)
{
	const struct ike_proposals *a, *b, *c;
	struct ike_proposals l;

	(void)state;
	memset(&l, 0x55, sizeof(l)); /* what is behind the last one does not count */
	read_crypto(&l, "modern");
	a = ike_proposals_get(&l);
	memset(&l, 0, sizeof(l));
	read_crypto(&l, "modern");
	b = ike_proposals_get(&l);
	assert_ptr_equal(a, b);
	assert_ptr_equal(ike_proposals_get(a), a);
	l.p[1].t[l.p[1].n - 1].id ^= 1;
	c = ike_proposals_get(&l);
	assert_ptr_not_equal(c, a);
	assert_int_equal(ike_proposals_held(), 2);
	ike_proposals_put(a);
	ike_proposals_put(c);
	ike_proposals_put(NULL);
	ike_proposals_put(b);
	assert_int_equal(ike_proposals_held(), 1);
	assert_int_equal(a->n, l.n);
	ike_proposals_put(a);
	assert_int_equal(ike_proposals_held(), 0);
}

/* Each has the list of its own numbers, and another one of fewer proposals. */
static void different_proposals_are_different(void **state)
{
	const struct ike_proposals *kept[IKE_MAX_PROPOSALS];
	struct ike_proposals l = { .n = 0 };
	unsigned int i;

	(void)state;
	read_crypto(&l, "modern");
	l.n = IKE_MAX_PROPOSALS;
	for (i = 0; i < IKE_MAX_PROPOSALS; i++) {
		kept[i] = ike_proposals_get(&l);
		assert_non_null(kept[i]);
		assert_int_equal(ike_proposals_held(), i + 1);
		l.n--;
	}
	for (i = 0; i < IKE_MAX_PROPOSALS; i++)
		ike_proposals_put(kept[i]);
	read_crypto(&l, "modern");
	kept[0] = ike_proposals_get(&l);
	l.p[0].num++;
	kept[1] = ike_proposals_get(&l);
	assert_ptr_not_equal(kept[0], kept[1]);
	ike_proposals_put(kept[0]);
	ike_proposals_put(kept[1]);
	assert_int_equal(ike_proposals_held(), 0);
}

/* ---- tunnels ----------------------------------------------------------------- */

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	(void)ctx;
	fail_msg("line %u: %s%s", line, error ? "" : "warning: ", text);
}

/* As agent.c keeps it. */
static struct tunnel *agent_tunnel(unsigned int n)
{
	static const struct config_report report = { .fn = on_report };
	struct tunnel *t = calloc(1, sizeof(*t));
	char name[16], text[512];
	int len;

	assert_non_null(t);
	snprintf(name, sizeof(name), "site%u", n);
	len = snprintf(text, sizeof(text),
		       "[Tunnel]\nAddress = 10.0.%u.1/30\nLocalID = hub.example\n"
		       "[Peer]\nEndpoint = 192.0.2.%u\nRemoteID = site%u.example\n"
		       "PSK = 5dtRc2sPqYb8Wm1xVn7uKz4L\nRoutes = 10.1.%u.0/24\n"
		       "Selectors = 10.0.0.0/16 = 10.1.%u.0/24\n",
		       n % 256, n % 256, n, n % 256, n % 256);
	assert_int_equal(config_parse(name, text, (size_t)len, &t->conf, &report), 0);
	return t;
}

static void a_tunnel_is_small(void **state)
{
	struct pair *p = pair_new();
	struct tunnel *t[TUNNELS];
	struct ike_tunnel_conf conf;
	size_t before, agent, both;
	unsigned int i;

	(void)state;
	node_start(p->a, false);
	before = allocated();
	for (i = 0; i < TUNNELS; i++)
		t[i] = agent_tunnel(i);
	agent = (allocated() - before) / TUNNELS;
	for (i = 0; i < TUNNELS; i++) {
		config_tunnel(&t[i]->conf, &conf);
		assert_int_equal(ike_core_tunnel_add(p->a->core, &conf), 0);
	}
	both = (allocated() - before) / TUNNELS;
	print_message("# bytes of a tunnel: %zu, of these %zu in the core\n", both, both - agent);
	assert_in_range(both, agent + 1, MAX_TUNNEL);
	for (i = 0; i < TUNNELS; i++) {
		config_clear(&t[i]->conf);
		free(t[i]);
	}
	pair_free(p);
	assert_int_equal(ike_proposals_held(), 0);
}

/* ---- IKE SAs ----------------------------------------------------------------- */

/* What the core gives back of a tunnel, with an IKE SA and a child SA if it is @up. */
static size_t bytes_of_tunnel(bool up)
{
	struct pair *p = pair_new();
	size_t before;

	p->drop_all = !up;
	pair_start(p, up);
	pair_run(p, 5000);
	assert_int_equal(node_stats(p->b).ike_sas, up);
	assert_int_equal(node_stats(p->b).children, up);
	fill_caches();
	before = allocated();
	assert_int_equal(ike_core_tunnel_del(p->b->core, p->b->conf[0].name), 0);
	before -= allocated();
	pair_free(p);
	return before;
}

static void an_ike_sa_is_small(void **state)
{
	size_t each;

	(void)state;
	each = bytes_of_tunnel(true) - bytes_of_tunnel(false);
	print_message("# bytes of an IKE SA with its child SA: %zu\n", each);
	assert_in_range(each, sizeof(struct ike_sa), MAX_SA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_proposals_are_kept_once),
		cmocka_unit_test(different_proposals_are_different),
		cmocka_unit_test(a_tunnel_is_small),
		cmocka_unit_test(an_ike_sa_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
