// SPDX-License-Identifier: GPL-2.0-or-later
/* Changes of address (RFC 4555), both roles: a began, so a decides. */
#include "core_util.h"
#include "ike/proto/addr.h"

static const struct ike_addr elsewhere = { 4, { 192, 0, 2, 77 } };
static const struct ike_addr farther = { 4, { 192, 0, 2, 78 } };
static const struct ike_addr behind = { 4, { 10, 9, 9, 2 } };
static const struct ike_addr nat = { 4, { 198, 51, 100, 99 } };
static const struct ike_addr stranger = { 4, { 203, 0, 113, 66 } };

/* ---- pieces ---------------------------------------------------------------------------- */

static struct pair *up(void)
{
	struct pair *p = pair_new();

	pair_start(p, true);
	pair_run(p, 2000);
	p->n_sent = 0;
	return p;
}

/* The node knows of its address and of @more. */
static void has_more(struct pair *p, struct node *n, const struct ike_addr *more)
{
	const struct ike_addr both[] = { n->addr, *more };

	ike_core_addresses(n->core, "t0", both, 2, p->w.now);
}

static bool kernel_at(const struct node *n, const struct ike_addr *addr)
{
	return ike_addr_eq(&n->remote[0].addr, addr);
}

/* Authenticated ESP comes from @port at @addr: the kernel of the node follows it if it may. */
static void esp_comes_from(struct pair *p, struct node *n, const struct ike_addr *addr,
			   uint16_t port)
{
	if (n->stays[0])
		return;
	n->remote[0] = (struct ike_endpoint){ *addr, port };
	ike_core_peer_moved(n->core, "t0", IKE_PEER_FIRST, &n->remote[0], p->w.now);
}

static bool ike_at(const struct node *n, const struct ike_addr *addr)
{
	return ike_addr_eq(&node_sa(n)->remote.addr, addr);
}

/* Both ends know where the other is, and nothing is left to ask. */
static void at_rest(struct pair *p)
{
	const struct node *n[2] = { p->a, p->b };
	char why[200];
	unsigned int i;

	if (!link_at_rest(&p->w, 0, 1, why, sizeof(why)))
		fail_msg("%s", why);
	for (i = 0; i < 2; i++) {
		assert_true(address_is_proven(node_sa(n[i])));
		assert_false(node_sa(n[i])->mobike.update);
		assert_false(node_sa(n[i])->mobike.tell);
	}
	assert_true(ike_addr_eq(&node_sa(p->a)->local.addr, &p->a->addr));
}

static void drop(struct pair *p, const struct node *from, bool requests, bool responses)
{
	p->drop_from = 1 << from->index;
	p->drop_exchange = IKE_INFORMATIONAL;
	p->drop_requests = requests;
	p->drop_responses = responses;
}

static unsigned int requests(const struct pair *p, const struct node *n)
{
	return pair_count(p, n, IKE_INFORMATIONAL, false);
}

/* What the response to ask() had. */
static struct {
	bool came;
	uint16_t error;
	uint8_t cookie[64];
	size_t cookie_len;
	bool nat_hashes;
} answer;

static void (*build_asked)(struct ike_builder *b);

static enum exchange_build build_question(struct ike_core *core, struct ike_sa *sa,
					  struct exchange *x, struct ike_builder *b)
{
	(void)core;
	(void)sa;
	(void)x;
	build_asked(b);
	return EXCHANGE_SEND;
}

static void take_answer(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			struct x_msg *m)
{
	struct ike_notify n;

	(void)core;
	(void)sa;
	(void)x;
	answer.came = true;
	answer.error = ike_notify_first_error(m->in);
	answer.nat_hashes = natd_is_in(m->in);
	if (ike_notify_find(m->in, IKE_N_COOKIE2, &n) && n.len <= sizeof(answer.cookie)) {
		memcpy(answer.cookie, n.data, n.len);
		answer.cookie_len = n.len;
	}
}

/* An INFORMATIONAL request of the node with what @build appends. */
static void ask(struct pair *p, struct node *n, void (*build)(struct ike_builder *b))
{
	static const struct exchange_ops ops = {
		.name = "test",
		.exchange = IKE_INFORMATIONAL,
		.build = build_question,
		.response = take_answer,
	};

	memset(&answer, 0, sizeof(answer));
	build_asked = build;
	n->core->now = p->w.now;
	request_queue(n->core, node_sa(n), exchange_new(&ops, 0));
	pair_run(p, 100);
	assert_true(answer.came);
}

/* ---- agreeing on it ------------------------------------------------------------------- */

static void both_take_it(void **state)
{
	struct pair *p = up();

	(void)state;
	assert_true(node_status(p->a, 0).mobike);
	assert_true(node_status(p->b, 0).mobike);
	assert_true(node_status(p->a, 0).mobike_decides);
	assert_false(node_status(p->b, 0).mobike_decides);
	pair_free(p);
}

/* Up to the moment when b knows of IKE_SA_INIT, as if that had come from elsewhere. */
static struct pair *begun_elsewhere(void)
{
	struct pair *p = pair_new();
	struct ike_sa *half_open = NULL;

	node_start(p->b, false);
	node_start(p->a, false);
	while (!half_open) {
		pair_run(p, 1);
		half_open = ikesa_find(&p->b->core->sas, node_sa(p->a)->spi_r, false);
	}
	assert_int_equal(half_open->state, IKESA_HALF_OPEN);
	half_open->remote.addr = stranger;
	return p;
}

/* IKE_AUTH comes from another address than IKE_SA_INIT: the peer proves that it is there … */
static void auth_from_elsewhere(void **state)
{
	struct pair *p = begun_elsewhere();

	(void)state;
	pair_run(p, 2000);
	assert_int_equal(node_stats(p->b).updates, 1);
	assert_int_equal(requests(p, p->b), 1);
	assert_true(kernel_at(p->b, &p->a->addr));
	at_rest(p);
	pair_free(p);
	p = up(); /* else nothing is asked */
	assert_int_equal(node_stats(p->b).updates, 0);
	pair_free(p);
}

/* … or gets traffic for 7.5 s only, and no second time. */
static void auth_from_a_victim(void **state)
{
	struct pair *p = begun_elsewhere();

	(void)state;
	drop(p, p->a, false, true);
	pair_run(p, 7000);
	assert_int_equal(node_stats(p->b).children, 1);
	pair_run(p, 1500);
	assert_null(node_out(p->b, 0));
	pair_free(p);
}

/* One of both does not: a new IKE SA from the new address, at once, and the old one goes. */
static void without(void **state)
{
	struct ike_status before, a;
	struct pair *p;
	int which;

	(void)state;
	for (which = 0; which < 2; which++) {
		p = pair_new();
		(which ? p->b : p->a)->conf[0].mobike = false;
		pair_start(p, true);
		pair_run(p, 2000);
		assert_false(node_status(p->a, 0).mobike);
		assert_false(node_status(p->b, 0).mobike);
		before = node_status(p->a, 0);
		node_move(p->a, &elsewhere, NULL);
		pair_run(p, 500);
		a = node_status(p->a, 0);
		assert_memory_not_equal(a.spi_i, before.spi_i, IKE_SPI_LEN);
		assert_true(kernel_at(p->b, &elsewhere));
		pair_run(p, 20000);
		assert_int_equal(node_stats(p->a).ike_sas, 1);
		assert_int_equal(node_stats(p->b).ike_sas, 1);
		assert_int_equal(node_stats(p->b).updates, 0);
		pair_free(p);
	}
}

/* The end that did not begin moves, without MOBIKE. */
static void listener_without(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->a->conf[0].mobike = false;
	pair_start(p, true);
	pair_run(p, 2000);
	node_move(p->b, &elsewhere, NULL);
	pair_run(p, 500);
	assert_true(kernel_at(p->a, &elsewhere));
	pair_run(p, 20000);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	pair_free(p);
}

/* A listener that does not know where to begin keeps what it has, also if it rekeyed that itself. */
static void listener_keeps_its_sa(void **state)
{
	struct ike_status before;
	struct pair *p;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		p = pair_new();
		p->a->conf[0].mobike = false;
		pair_start(p, true);
		pair_run(p, 2000);
		if (i)
			node_rekey_ike(i == 1 ? p->a : p->b);
		pair_run(p, 2000);
		before = node_status(p->b, 0);
		assert_int_equal(node_sa(p->b)->initiator, i == 2);
		assert_false(before.initiator);
		node_move(p->b, &elsewhere, NULL);
		pair_run(p, 20000);
		assert_false(node_sa(p->b)->replaced);
		assert_memory_equal(node_status(p->b, 0).spi_i, before.spi_i, IKE_SPI_LEN);
		assert_int_equal(pair_count(p, p->b, IKE_SA_INIT, false), 0);
		assert_true(kernel_at(p->a, &elsewhere));
		pair_free(p);
	}
}

/* ---- one end moves ---------------------------------------------------------------------- */

static void initiator_moves(void **state)
{
	struct pair *p = up();
	struct ike_status before = node_status(p->a, 0), a;

	(void)state;
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 15); /* the update has arrived, the answer to COOKIE2 has not */
	assert_true(ike_at(p->b, &elsewhere));
	assert_false(kernel_at(p->b, &elsewhere));
	pair_run(p, 100);
	assert_true(kernel_at(p->b, &elsewhere));
	at_rest(p);
	a = node_status(p->a, 0);
	assert_memory_equal(a.spi_i, before.spi_i, IKE_SPI_LEN);
	assert_int_equal(a.spi_in, before.spi_in);
	assert_int_equal(requests(p, p->a), 1);
	assert_int_equal(requests(p, p->b), 1);
	assert_int_equal(node_stats(p->b).updates, 1);
	pair_free(p);
}

static void responder_moves(void **state)
{
	struct pair *p = up();
	struct ike_status before = node_status(p->b, 0);

	(void)state;
	node_move(p->b, &elsewhere, NULL);
	pair_run(p, 15); /* a has heard of it, and asks there */
	assert_true(ike_at(p->a, &elsewhere));
	assert_false(kernel_at(p->a, &elsewhere));
	pair_run(p, 200);
	assert_true(kernel_at(p->a, &elsewhere));
	at_rest(p);
	assert_memory_equal(node_status(p->b, 0).spi_i, before.spi_i, IKE_SPI_LEN);
	pair_free(p);
}

static void both_move_in_turn(void **state)
{
	struct pair *p = up();

	(void)state;
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 500);
	node_move(p->b, &farther, NULL);
	pair_run(p, 500);
	at_rest(p);
	pair_free(p);
}

/* Away and back, before the first update is answered. */
static void back_again(void **state)
{
	struct pair *p = up();
	struct ike_addr old = p->a->addr;

	(void)state;
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 5);
	node_move(p->a, &old, NULL);
	pair_run(p, 1000);
	assert_true(kernel_at(p->b, &old));
	at_rest(p);
	/* … and after it was. */
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 1000);
	node_move(p->a, &old, NULL);
	pair_run(p, 1000);
	assert_true(kernel_at(p->b, &old));
	at_rest(p);
	pair_free(p);
}

/* The answer to an update is about addresses that are no longer in use. */
static void newer_update_counts(void **state)
{
	struct pair *p = up();
	struct hold *h = world_hold(&p->w, p->b, IKE_INFORMATIONAL, true, 0);

	(void)state;
	node_move(p->a, &elsewhere, NULL);
	assert_true(world_await(&p->w, h, 1000));
	p->n_sent = 0;
	node_move(p->a, &farther, NULL);
	pair_run(p, 50);
	/* The window is closed: what is out leaves from the new address, the same as it was. */
	assert_int_equal(requests(p, p->a), 1);
	assert_true(ike_addr_eq(&pair_sent(p, p->a, IKE_INFORMATIONAL, false, 0)->local.addr,
				&farther));
	world_release(&p->w, h);
	pair_run(p, 10);
	assert_true(node_sa(p->a)->mobike.update);
	pair_run(p, 1000);
	assert_true(kernel_at(p->b, &farther));
	at_rest(p);
	pair_free(p);
}

/* Three changes while another request is out: one update, about the last one. */
static void update_waits_for_the_window(void **state)
{
	struct pair *p = up();
	struct hold *h = world_hold(&p->w, p->b, IKE_CREATE_CHILD_SA, true, 0);

	(void)state;
	ike_core_expire(p->a->core, "t0", IKE_PEER_FIRST, node_out(p->a, 0)->spi, false,
			IKE_EXPIRE_SOFT, p->w.now);
	assert_true(world_await(&p->w, h, 1000));
	node_move(p->a, &elsewhere, NULL);
	node_move(p->a, &farther, NULL);
	node_move(p->a, &elsewhere, NULL);
	assert_int_equal(requests(p, p->a), 0);
	assert_true(ike_addr_eq(&p->sent[p->n_sent - 1].local.addr, &elsewhere));
	world_release(&p->w, h);
	pair_run(p, 500);
	assert_int_equal(requests(p, p->a), 1);
	pair_run(p, 10000);
	assert_true(kernel_at(p->b, &elsewhere));
	at_rest(p);
	pair_free(p);
}

/* No packet comes before the peer knows: what waited already, a rekeying, can wait longer. */
static void update_goes_before_rekeying(void **state)
{
	struct pair *p = up();
	struct hold *h = world_hold(&p->w, p->b, IKE_CREATE_CHILD_SA, true, 0);

	(void)state;
	ike_core_expire(p->a->core, "t0", IKE_PEER_FIRST, node_out(p->a, 0)->spi, false,
			IKE_EXPIRE_SOFT, p->w.now);
	assert_true(world_await(&p->w, h, 1000));
	node_rekey_ike(p->a);
	node_move(p->a, &elsewhere, NULL);
	world_release(&p->w, h);
	h = world_hold(&p->w, p->a, IKE_CREATE_CHILD_SA, false, 0);
	assert_true(world_await(&p->w, h, 1000));
	assert_true(ike_at(p->b, &elsewhere));
	world_release(&p->w, h);
	pair_run(p, 10000);
	at_rest(p);
	pair_free(p);
}

static void lost_messages(void **state)
{
	struct pair *p;
	int which;

	(void)state;
	for (which = 0; which < 4; which++) {
		p = up();
		drop(p, which & 1 ? p->a : p->b, which & 2, !(which & 2));
		node_move(p->a, &elsewhere, NULL);
		pair_run(p, 3000);
		assert_false(kernel_at(p->b, &elsewhere) && !node_sa(p->a)->mobike.update);
		p->drop_from = 0;
		pair_run(p, 10000);
		assert_true(kernel_at(p->b, &elsewhere));
		at_rest(p);
		assert_int_equal(node_stats(p->a).ike_sas, 1);
		pair_free(p);
	}
}

/* ---- lies --------------------------------------------------------------------------------- */

/* The peer claims an address at which it does not answer. */
static void peer_lies(void **state)
{
	struct pair *p = up();
	struct ike_addr old = p->a->addr;

	(void)state;
	drop(p, p->a, false, true);
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 5000);
	assert_true(ike_at(p->b, &elsewhere));
	assert_true(kernel_at(p->b, &old));
	pair_run(p, 5000);
	assert_true(ike_at(p->b, &old));
	assert_true(kernel_at(p->b, &old));
	assert_int_equal(node_stats(p->b).unproven, 1);
	assert_non_null(strstr(p->b->log, "peer does not answer at 192.0.2.77"));
	pair_free(p);
}

/* A pair that comes under a claim has its traffic go where the peer answered. */
static void a_pair_comes_before_the_proof(void **state)
{
	struct pair *p = up();
	struct ike_addr old = p->a->addr;
	unsigned int installs;

	(void)state;
	drop(p, p->a, false, true);
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 1000);
	assert_true(ike_at(p->b, &elsewhere));
	installs = p->b->installs;
	node_rekey_child(p->a);
	pair_run(p, 1000);
	assert_true(p->b->installs > installs);
	assert_true(ike_at(p->b, &elsewhere));
	assert_true(kernel_at(p->b, &old));
	pair_free(p);
}

/* The peer is where it claims to be, but its answers were lost for long: it is found there. */
static void peer_is_believed_late(void **state)
{
	struct pair *p = up();

	(void)state;
	drop(p, p->a, false, true);
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 10000);
	assert_false(ike_at(p->b, &elsewhere));
	p->drop_from = 0;
	pair_run(p, 10000);
	assert_true(kernel_at(p->b, &elsewhere));
	at_rest(p);
	pair_free(p);
}

/* Somebody on the path sends the update on from another address. */
static void source_is_changed(void **state)
{
	struct pair *p = up();
	struct ike_endpoint from = { stranger, IKE_NATT_PORT };
	struct ike_addr old = p->a->addr;
	const struct sent *s;

	(void)state;
	drop(p, p->a, true, false);
	node_move(p->a, &elsewhere, NULL);
	s = pair_sent(p, p->a, IKE_INFORMATIONAL, false, 0);
	world_inject(&p->w, &from, &s->remote, s->data, s->len, 0);
	pair_run(p, 50);
	assert_true(ike_at(p->b, &stranger));
	assert_true(kernel_at(p->b, &old));
	p->drop_from = 0;
	pair_run(p, 20000);
	assert_true(ike_at(p->b, &old)); /* for want of an answer */
	pair_run(p, 40000);
	assert_false(kernel_at(p->b, &stranger));
	pair_free(p);
}

/* … and to another address of ours: that is left, too. */
static void both_addresses_return(void **state)
{
	struct pair *p = pair_new();
	struct ike_endpoint from = { stranger, IKE_NATT_PORT }, to = { farther, IKE_NATT_PORT };
	struct ike_addr old = p->a->addr;
	const struct sent *s;

	(void)state;
	p->b->more = farther;
	pair_start(p, true);
	p->n_sent = 0;
	drop(p, p->a, true, false);
	node_move(p->a, &elsewhere, NULL);
	s = pair_sent(p, p->a, IKE_INFORMATIONAL, false, 0);
	world_inject(&p->w, &from, &to, s->data, s->len, 0);
	pair_run(p, 50);
	assert_true(ike_at(p->b, &stranger));
	assert_true(ike_addr_eq(&node_sa(p->b)->local.addr, &farther));
	pair_run(p, 10000);
	assert_true(ike_at(p->b, &old));
	assert_true(ike_addr_eq(&node_sa(p->b)->local.addr, &p->b->addr));
	assert_true(ike_addr_eq(&p->b->local[0], &p->b->addr));
	pair_free(p);
}

static void update_is_replayed(void **state)
{
	struct ike_endpoint from = { stranger, IKE_NATT_PORT };
	struct pair *p = up();
	struct sent s;

	(void)state;
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 500);
	s = *pair_sent(p, p->a, IKE_INFORMATIONAL, false, 0);
	node_move(p->a, &farther, NULL);
	pair_run(p, 500);
	world_inject(&p->w, &from, &s.remote, s.data, s.len, 0);
	s = *pair_sent(p, p->a, IKE_INFORMATIONAL, false, 1);
	world_inject(&p->w, &from, &s.remote, s.data, s.len, 0);
	pair_run(p, 500);
	assert_true(ike_at(p->b, &farther));
	assert_true(kernel_at(p->b, &farther));
	at_rest(p);
	pair_free(p);
}

/* The kernel followed ESP to an address at which the peer does not answer: it is moved back. */
static void esp_from_elsewhere(void **state)
{
	struct pair *p = up();
	struct ike_addr old = p->a->addr;

	(void)state;
	p->b->remote[0].addr = stranger;
	ike_core_peer_moved(p->b->core, "t0", IKE_PEER_FIRST, &p->b->remote[0], p->w.now);
	pair_run(p, 50);
	assert_true(ike_addr_eq(&pair_sent(p, p->b, IKE_INFORMATIONAL, false, 0)->remote.addr,
				&stranger));
	pair_run(p, 10000);
	assert_true(kernel_at(p->b, &old));
	assert_true(ike_at(p->b, &old));
	pair_run(p, 30000);
	at_rest(p);
	pair_free(p);
}

/* The peer goes on and on, so that none of our questions is the last one. */
static void esp_from_many_places(void **state)
{
	struct pair *p = up();
	struct ike_addr old = p->a->addr;
	unsigned int i;

	(void)state;
	for (i = 0; i < 30; i++) {
		esp_comes_from(p, p->b, &stranger, (uint16_t)(5000 + i));
		pair_run(p, 500);
		assert_int_equal(kernel_at(p->b, &old), i >= 14); /* 7.5 s after the first */
	}
	node_says(p->b, "ours no longer follows it");
	pair_run(p, 20000);
	assert_true(ike_at(p->b, &old));
	at_rest(p);
	pair_free(p);
}

/* It proves where it is before the time is over, and then leads ESP to the same place again. */
static void esp_again_and_again(void **state)
{
	struct pair *p;
	int which;

	(void)state;
	for (which = 0; which < 3; which++) {
		p = up();
		esp_comes_from(p, p->b, &stranger, 5000);
		pair_run(p, 5000);
		assert_true(kernel_at(p->b, &stranger));
		if (which == 0) {
			node_move(p->a, &elsewhere, NULL);
		} else if (which == 1) { /* ESP leads there, too */
			p->a->addr = elsewhere;
			esp_comes_from(p, p->b, &elsewhere, IKE_NATT_PORT);
		} else { /* a new IKE SA */
			p->a->addr = elsewhere;
			ike_core_down(p->a->core, "t0", p->w.now);
			ike_core_up(p->a->core, "t0", p->w.now);
		}
		pair_run(p, 1000);
		assert_true(kernel_at(p->b, &elsewhere));
		esp_comes_from(p, p->b, &stranger, 5000);
		assert_true(kernel_at(p->b, &elsewhere));
		/* It may have done so before it was told not to. */
		p->b->stays[0] = false;
		esp_comes_from(p, p->b, &stranger, 5000);
		assert_true(kernel_at(p->b, &elsewhere));
		pair_free(p);
	}
}

/* The IKE SA under which it was led astray is over, and memory, too. */
static void esp_outlives_its_ike_sa(void **state)
{
	struct pair *p = up();
	struct ike_addr old = p->a->addr;

	(void)state;
	esp_comes_from(p, p->b, &stranger, 5000);
	node_rekey_ike(p->a);
	pair_run(p, 8000);
	assert_true(kernel_at(p->b, &old));
	pair_free(p);
}

/* An answer that shows that the question was not seen: there is nothing to wait for. */
static void esp_from_who_answers_blindly(void **state)
{
	struct pair *p = up();
	struct ike_addr old = p->a->addr;

	(void)state;
	p->a->more = elsewhere;
	node_sa(p->a)->mobike.on = false; /* it does not copy COOKIE2 */
	esp_comes_from(p, p->b, &elsewhere, IKE_NATT_PORT);
	pair_run(p, 100);
	assert_true(kernel_at(p->b, &old));
	assert_true(ike_at(p->b, &old));
	esp_comes_from(p, p->b, &elsewhere, IKE_NATT_PORT);
	assert_true(kernel_at(p->b, &old));
	pair_free(p);
}

/* After a while the peer is asked, and followed again. */
static void esp_is_followed_again(void **state)
{
	struct pair *p = up();
	struct ike_addr old = p->a->addr;

	(void)state;
	esp_comes_from(p, p->b, &stranger, 5000);
	pair_run(p, 60000);
	assert_true(kernel_at(p->b, &old));
	at_rest(p);
	/* That the peer proves a place meanwhile is not enough. */
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 1000);
	assert_true(kernel_at(p->b, &elsewhere));
	assert_true(p->b->stays[0]);
	pair_run(p, MOBIKE_HOLD_MS - 60000);
	assert_true(p->b->stays[0]);
	pair_run(p, 10000);
	assert_false(p->b->stays[0]);
	assert_true(kernel_at(p->b, &elsewhere));
	at_rest(p);
	pair_free(p);
}

/* Each end receives the other's ESP, wherever that comes from. */
static void hear_esp(struct pair *p, unsigned int seconds)
{
	while (seconds--) {
		p->a->last_rx[0] = p->b->last_rx[0] = p->w.now;
		pair_run(p, 1000);
	}
}

/* ESP that is not followed may come from elsewhere than where ours goes: the peer is asked (3.12). */
static void held_esp_is_no_sign_of_life(void **state)
{
	struct pair *p = up();

	(void)state;
	hear_esp(p, 50);
	assert_int_equal(requests(p, p->b), 0);
	esp_comes_from(p, p->b, &stranger, 5000);
	hear_esp(p, 10);
	assert_true(p->b->stays[0]);
	p->n_sent = 0;
	hear_esp(p, 50);
	assert_true(requests(p, p->b) > 0);
	assert_int_equal(requests(p, p->a), 0);
	pair_free(p);
}

/* The end that decides is led: it asks other paths when the peer refuses, but ESP goes back in time. */
static void esp_from_who_refuses(void **state)
{
	struct pair *p = up();
	struct ike_addr old = p->b->addr;

	(void)state;
	p->b->more = elsewhere;
	node_sa(p->b)->began = true; /* so it refuses */
	esp_comes_from(p, p->a, &elsewhere, 5000);
	pair_run(p, 8000);
	assert_true(kernel_at(p->a, &old));
	pair_free(p);
}

/* … and if it does, that is proven. */
static void esp_from_there(void **state)
{
	struct pair *p = up();
	struct ike_endpoint there = { elsewhere, IKE_NATT_PORT };

	(void)state;
	p->a->addr = elsewhere; /* its agent does not know yet */
	p->b->remote[0] = there;
	ike_core_peer_moved(p->b->core, "t0", IKE_PEER_FIRST, &there, p->w.now);
	pair_run(p, 100);
	assert_true(address_is_proven(node_sa(p->b)));
	assert_int_equal(node_stats(p->b).updates, 1);
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 1000);
	at_rest(p);
	pair_free(p);
}

/* A late packet from where the peer was says nothing about where it claims to be. */
static void late_esp(void **state)
{
	struct pair *p = up();
	struct ike_endpoint old = p->b->remote[0];

	(void)state;
	drop(p, p->a, false, true);
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 15);
	assert_true(ike_at(p->b, &elsewhere));
	ike_core_peer_moved(p->b->core, "t0", IKE_PEER_FIRST, &old, p->w.now);
	assert_true(ike_at(p->b, &elsewhere));
	p->drop_from = 0;
	pair_run(p, 2000);
	assert_true(kernel_at(p->b, &elsewhere));
	at_rest(p);
	pair_free(p);
}

/* Only who began may say what is used. */
static void build_plain_update(struct ike_builder *b)
{
	ike_build_notify(b, IKE_N_UPDATE_SA_ADDRESSES, NULL, 0);
}

static void peer_may_not_decide(void **state)
{
	struct pair *p = up();
	struct ike_addr old = p->b->addr;

	(void)state;
	p->b->addr = elsewhere;
	node_sa(p->b)->local.addr = elsewhere;
	ask(p, p->b, build_plain_update);
	assert_int_equal(answer.error, IKE_N_UNACCEPTABLE_ADDRESSES);
	assert_true(ike_at(p->a, &old));
	assert_true(kernel_at(p->a, &old));
	pair_free(p);
}

/* With Local= there is one address of ours. */
static void local_is_fixed(void **state)
{
	struct pair *p = pair_new();
	struct ike_addr old = p->b->addr;

	(void)state;
	p->b->conf[0].local.addr = p->b->addr;
	p->b->more = elsewhere;
	pair_start(p, true);
	node_sa(p->a)->remote.addr = elsewhere;
	ask(p, p->a, build_plain_update);
	assert_int_equal(answer.error, IKE_N_UNACCEPTABLE_ADDRESSES);
	assert_true(ike_addr_eq(&node_sa(p->b)->local.addr, &old));
	pair_free(p);
}

/* ---- COOKIE2 ------------------------------------------------------------------------------ */

static void cookie_is_wrong(void **state)
{
	struct pair *p = up();
	struct ike_status before = node_status(p->a, 0);

	(void)state;
	node_move(p->a, &elsewhere, NULL);
	node_sa(p->a)->mobike.cookie[3] ^= 1;
	pair_run(p, 30);
	node_says(p->a, "peer did not return COOKIE2");
	pair_run(p, 10000); /* its IKE SA is gone, so there is another one */
	assert_memory_not_equal(node_status(p->a, 0).spi_i, before.spi_i, IKE_SPI_LEN);
	assert_true(kernel_at(p->b, &elsewhere));
	pair_free(p);
}

/* … be it together with an error. */
static void cookie_is_wrong_in_a_refusal(void **state)
{
	struct pair *p = up();

	(void)state;
	node_sa(p->b)->began = true; /* so it refuses */
	node_move(p->a, &elsewhere, NULL);
	node_sa(p->a)->mobike.cookie[3] ^= 1;
	pair_run(p, 30);
	node_says(p->a, "peer did not return COOKIE2");
	pair_free(p);
}

/* The peer took our change of address, but does not copy COOKIE2: the IKE SA goes on. */
static void cookie_is_absent(void **state)
{
	struct pair *p = up();
	struct ike_status before = node_status(p->a, 0);

	(void)state;
	node_move(p->a, &elsewhere, NULL);
	node_sa(p->b)->mobike.on = false;
	pair_run(p, 10000);
	node_says(p->a, "without COOKIE2");
	assert_memory_equal(node_status(p->a, 0).spi_i, before.spi_i, IKE_SPI_LEN);
	assert_false(node_sa(p->a)->mobike.update);
	assert_true(ike_addr_eq(&p->a->local[0], &elsewhere));
	pair_free(p);
}

/*
 * It claims an address, and does not copy COOKIE2: it counts as being where it was. An end that
 * knows where to begin does that; the other one has nothing better than the IKE SA there is.
 */
static void cookie_is_absent_elsewhere(void **state)
{
	struct ike_addr old;
	struct pair *p;
	int knows;

	(void)state;
	for (knows = 0; knows < 2; knows++) {
		p = up();
		old = p->a->addr;
		if (knows)
			node_sa(p->b)->peer->remote = (struct ike_endpoint){ old, IKE_PORT };
		node_move(p->a, &elsewhere, NULL);
		node_sa(p->a)->mobike.on = false;
		pair_run(p, 30);
		node_says(p->b, "without COOKIE2");
		assert_int_equal(node_sa(p->b)->state, IKESA_ESTABLISHED);
		assert_int_equal(node_sa(p->b)->replaced, knows);
		assert_true(ike_at(p->b, &old));
		assert_true(kernel_at(p->b, &old));
		pair_free(p);
	}
}

/* libreswan copies COOKIE2 only if the request has the hashes. */
static void cookie_comes_with_hashes(void **state)
{
	struct ike_payloads in;
	struct ike_notify n;
	struct pair *p = up();
	unsigned int i;

	(void)state;
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 1000);
	for (i = 0; i < 2; i++) {
		in = sent_open(pair_sent(p, i ? p->b : p->a, IKE_INFORMATIONAL, false, 0),
			       node_sa(p->a));
		assert_true(ike_notify_find(&in, IKE_N_COOKIE2, &n));
		assert_true(natd_is_in(&in));
	}
	/* A list asks for nothing of that. */
	p->n_sent = 0;
	ike_core_addresses(p->a->core, "t0", &elsewhere, 1, p->w.now);
	in = sent_open(pair_sent(p, p->a, IKE_INFORMATIONAL, false, 0), node_sa(p->a));
	assert_false(ike_notify_find(&in, IKE_N_COOKIE2, &n));
	pair_run(p, 1000);
	at_rest(p);
	pair_free(p);
}

static size_t cookie_len;

static void build_cookie(struct ike_builder *b)
{
	static const uint8_t octets[65] = { [0 ... 64] = 0x5a };

	ike_build_notify(b, IKE_N_COOKIE2, octets, cookie_len);
}

static void cookie_is_copied(void **state)
{
	static const size_t lens[] = { 0, 7, 8, 64, 65 };
	struct pair *p = up();
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		cookie_len = lens[i];
		ask(p, i % 2 ? p->a : p->b, build_cookie);
		assert_int_equal(answer.cookie_len, lens[i] < 8 || lens[i] > 64 ? 0 : lens[i]);
	}
	pair_free(p);
}

/* ---- refusals ----------------------------------------------------------------------------- */

/* The peer accepts none: a new IKE SA from the new address. */
static void unacceptable(void **state)
{
	struct pair *p = up();
	struct ike_status before = node_status(p->a, 0);

	(void)state;
	node_sa(p->b)->began = true; /* so it refuses */
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 100);
	assert_non_null(strstr(p->a->log, "UNACCEPTABLE_ADDRESSES"));
	pair_run(p, 5000);
	assert_memory_not_equal(node_status(p->a, 0).spi_i, before.spi_i, IKE_SPI_LEN);
	assert_true(kernel_at(p->b, &elsewhere));
	pair_run(p, 20000);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	at_rest(p);
	pair_free(p);
}

/* It accepts another one of ours. */
static void another_is_acceptable(void **state)
{
	const struct ike_addr ours[] = { elsewhere, farther };
	struct pair *p = up();
	struct ike_status before = node_status(p->a, 0);

	(void)state;
	p->a->more = farther;
	node_sa(p->b)->began = true;
	ike_core_addresses(p->a->core, "t0", ours, 2, p->w.now);
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 25);
	node_sa(p->b)->began = false;
	pair_run(p, 1000);
	assert_true(kernel_at(p->b, &farther));
	assert_true(ike_addr_eq(&p->a->local[0], &farther));
	assert_memory_equal(node_status(p->a, 0).spi_i, before.spi_i, IKE_SPI_LEN);
	pair_free(p);
}

static struct {
	struct ike_addr from, to;
	uint16_t from_port;
	size_t len;
} no_nats;

static void build_no_nats(struct ike_builder *b)
{
	uint8_t d[12];

	memcpy(d, no_nats.from.b, 4);
	memcpy(d + 4, no_nats.to.b, 4);
	d[8] = (uint8_t)(no_nats.from_port >> 8);
	d[9] = (uint8_t)no_nats.from_port;
	d[10] = IKE_NATT_PORT >> 8;
	d[11] = IKE_NATT_PORT & 255;
	ike_build_notify(b, IKE_N_UPDATE_SA_ADDRESSES, NULL, 0);
	ike_build_notify(b, IKE_N_NO_NATS_ALLOWED, d, no_nats.len);
}

static void nats_forbidden(void **state)
{
	struct pair *p = up();
	int how;

	(void)state;
	for (how = 0; how < 5; how++) {
		no_nats.from = how == 1 ? stranger : elsewhere;
		no_nats.to = how == 2 ? stranger : p->b->addr;
		no_nats.from_port = how == 3 ? 4501 : IKE_NATT_PORT;
		no_nats.len = how == 4 ? 11 : 12;
		p->a->addr = elsewhere;
		node_sa(p->a)->local.addr = elsewhere;
		node_sa(p->b)->remote.addr = node_sa(p->b)->mobike.proven.addr = farther;
		ask(p, p->a, build_no_nats);
		assert_int_equal(answer.error, how ? IKE_N_UNEXPECTED_NAT_DETECTED : 0);
		assert_int_equal(ike_at(p->b, &elsewhere), !how);
	}
	pair_free(p);
}

/* ---- rekeying ----------------------------------------------------------------------------- */

static void successor_knows(void **state)
{
	struct pair *p;
	struct node *n;
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		p = up();
		node_rekey_ike(i & 1 ? p->a : p->b);
		pair_run(p, 1000);
		assert_int_equal(node_sa(p->a)->initiator, i & 1);
		assert_true(node_status(p->a, 0).mobike_decides);
		assert_false(node_status(p->b, 0).mobike_decides);
		n = i & 2 ? p->a : p->b;
		node_move(n, &elsewhere, NULL);
		pair_run(p, 1000);
		at_rest(p);
		assert_int_equal(node_stats(p->a).ike_sas, 1);
		pair_free(p);
	}
}

/* Either end moves while either end rekeys, at every moment of that. */
static void update_crosses_rekeying(void **state)
{
	struct pair *p;
	unsigned int i, ms;

	(void)state;
	for (i = 0; i < 8; i++) {
		for (ms = 0; ms < 60; ms += 5) {
			p = up();
			if (i & 4)
				node_move(i & 2 ? p->a : p->b, &elsewhere, NULL);
			else
				node_rekey_ike(i & 1 ? p->a : p->b);
			pair_run(p, ms);
			if (i & 4)
				node_rekey_ike(i & 1 ? p->a : p->b);
			else
				node_move(i & 2 ? p->a : p->b, &elsewhere, NULL);
			pair_run(p, 20000);
			at_rest(p);
			assert_int_equal(node_stats(p->a).ike_sas, 1);
			pair_free(p);
		}
	}
}

/* What waited for the window while the IKE SA was rekeyed leaves from where the old one was last. */
static void successor_begins_there(void **state)
{
	struct pair *p = up();
	struct hold *h = world_hold(&p->w, p->b, IKE_CREATE_CHILD_SA, true, 0);
	unsigned int i;

	(void)state;
	node_rekey_ike(p->a);
	assert_true(world_await(&p->w, h, 1000));
	node_rekey_child(p->a);
	node_move(p->a, &elsewhere, NULL);
	p->n_sent = 0;
	world_release(&p->w, h);
	pair_run(p, 20000);
	assert_true(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false) > 0);
	for (i = 0; i < p->n_sent; i++) {
		if (p->sent[i].from == p->a->index)
			assert_true(ike_addr_eq(&p->sent[i].local.addr, &elsewhere));
	}
	at_rest(p);
	pair_free(p);
}

/* Of two successors the one that lost is deleted at the peer's address, however long that takes. */
static void loser_knows_the_peer(void **state)
{
	struct pair *p = up();
	unsigned int i;

	(void)state;
	node_rekey_ike(p->a);
	node_rekey_ike(p->b);
	p->n_sent = 0;
	p->drop_from = 1 << p->a->index | 1 << p->b->index;
	p->drop_exchange = IKE_INFORMATIONAL;
	p->drop_requests = true;
	pair_run(p, 20000);
	for (i = 0; i < p->n_sent; i++)
		assert_true(p->sent[i].remote.addr.family == 4);
	assert_int_equal(node_stats(p->a).unproven + node_stats(p->b).unproven, 0);
	p->drop_from = 0;
	pair_run(p, 60000);
	at_rest(p);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	pair_free(p);
}

/*
 * The update arrives after the response to our rekeying, under the IKE SA that is no longer in use. The
 * peer does not repeat it under the other one; or it did and is elsewhere now.
 */
static void update_under_a_rekeyed_one(void **state)
{
	struct pair *p;
	struct hold *h;
	int told;

	(void)state;
	for (told = 0; told < 2; told++) {
		p = up();
		h = world_hold(&p->w, p->a, IKE_INFORMATIONAL, false, 0);
		node_move(p->a, &elsewhere, NULL);
		assert_true(world_await(&p->w, h, 1000));
		node_sa(p->a)->mobike.update = false; /* it counts it as told */
		node_rekey_ike(p->b);
		pair_run(p, 15);
		if (told)
			node_move(p->a, &farther, NULL);
		pair_run(p, 100);
		world_release(&p->w, h);
		pair_run(p, 2000);
		assert_true(kernel_at(p->b, told ? &farther : &elsewhere));
		assert_true(ike_at(p->b, told ? &farther : &elsewhere));
		pair_free(p);
	}
}

/* Both rekey, and the update is on the IKE SA of which one end does not yet know that it stays. */
static void update_under_a_prepared_one(void **state)
{
	struct pair *p;
	unsigned int ms;

	(void)state;
	for (ms = 0; ms < 60; ms += 5) {
		p = up();
		node_rekey_ike(p->a);
		node_rekey_ike(p->b);
		pair_run(p, ms);
		node_move(p->a, &elsewhere, NULL);
		pair_run(p, 20000);
		at_rest(p);
		pair_free(p);
	}
}

/*
 * The peer rekeys, our answer is lost, and we are somewhere else: the peer repeats its request to where we
 * were, and has no keys for what we say under the new IKE SA. Under the former one it hears us.
 */
static void answer_is_lost_before_the_move(void **state)
{
	struct pair *p;
	struct hold *h;
	struct node *n;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		p = up();
		n = i ? p->a : p->b;
		h = world_hold(&p->w, n, IKE_CREATE_CHILD_SA, true, 0);
		node_rekey_ike(i ? p->b : p->a);
		assert_true(world_await(&p->w, h, 1000));
		node_move(n, &elsewhere, NULL);
		world_drop(h);
		pair_run(p, 5000);
		at_rest(p);
		assert_int_equal(node_stats(p->a).ike_sas, 1);
		pair_free(p);
	}
}

/* … and again somewhere else, before the peer's answer came. */
static void former_update_is_asked_again(void **state)
{
	struct pair *p = up();
	struct hold *h = world_hold(&p->w, p->a, IKE_CREATE_CHILD_SA, true, 0);

	(void)state;
	node_rekey_ike(p->b);
	assert_true(world_await(&p->w, h, 1000));
	drop(p, p->b, false, true);
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 1000);
	p->drop_from = 0;
	node_move(p->a, &farther, NULL);
	world_drop(h);
	pair_run(p, 10000);
	at_rest(p);
	pair_free(p);
}

/*
 * The peer, which lacks our answer, is followed to where it proves to be under the former IKE SA; not if
 * it does not copy COOKIE2.
 */
static void peer_is_proven_without_our_answer(void **state)
{
	struct pair *p;
	int proves;

	(void)state;
	for (proves = 0; proves < 2; proves++) {
		p = up();
		world_hold(&p->w, p->a, IKE_CREATE_CHILD_SA, true, 0);
		node_rekey_ike(p->b);
		pair_run(p, 1000);
		node_move(p->b, &elsewhere, NULL);
		node_sa(p->b)->mobike.on = proves;
		esp_comes_from(p, p->a, &elsewhere, IKE_NATT_PORT);
		pair_run(p, 20000);
		assert_int_equal(kernel_at(p->a, &elsewhere), proves);
		assert_int_equal(p->a->stays[0], !proves);
		pair_free(p);
	}
}

/* … also if copies of the question went on other paths before it answered: then it is asked once more. */
static void peer_is_slow_under_the_former_one(void **state)
{
	struct pair *p = up();
	struct hold *h;
	uint64_t proven;

	(void)state;
	world_hold(&p->w, p->a, IKE_CREATE_CHILD_SA, true, 0);
	node_rekey_ike(p->b);
	pair_run(p, 1000);
	node_move(p->b, &elsewhere, NULL);
	h = world_hold(&p->w, p->b, IKE_INFORMATIONAL, true, 0);
	esp_comes_from(p, p->a, &elsewhere, IKE_NATT_PORT);
	assert_true(world_await(&p->w, h, 1000));
	pair_run(p, 2000);
	proven = node_stats(p->a).updates;
	world_release(&p->w, h);
	pair_run(p, 1);
	assert_int_equal(node_stats(p->a).updates, proven);
	pair_run(p, 20000);
	assert_int_equal(node_stats(p->a).updates, proven + 1);
	assert_true(kernel_at(p->a, &elsewhere));
	assert_false(p->a->stays[0]);
	pair_free(p);
}

/* Another COOKIE2 comes back under the former one: the IKE SA there is ends. */
static void former_cookie_is_wrong(void **state)
{
	struct ike_sa *former, *sa;
	struct pair *p = up();

	(void)state;
	former = node_sa(p->a);
	world_hold(&p->w, p->a, IKE_CREATE_CHILD_SA, true, 0);
	node_rekey_ike(p->b);
	pair_run(p, 1000);
	TAILQ_FOREACH(sa, &former->peer->sas, of_peer)
	assert_true(sa->state == (sa == former ? IKESA_REKEYED : IKESA_ESTABLISHED));
	node_move(p->b, &elsewhere, NULL);
	esp_comes_from(p, p->a, &elsewhere, IKE_NATT_PORT);
	former->mobike.cookie[3] ^= 1;
	pair_run(p, 30);
	node_says(p->a, "peer did not return COOKIE2");
	TAILQ_FOREACH(sa, &former->peer->sas, of_peer)
	assert_int_not_equal(sa->state, IKESA_ESTABLISHED);
	pair_free(p);
}

/* ---- NAT ---------------------------------------------------------------------------------- */

static void nat_comes_and_goes(void **state)
{
	struct pair *p = up();

	(void)state;
	assert_false(node_status(p->a, 0).nat_local);
	node_move(p->a, &behind, &nat);
	pair_run(p, 1000);
	assert_true(node_status(p->a, 0).nat_local);
	assert_true(kernel_at(p->b, &nat));
	at_rest(p);
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 1000);
	assert_false(node_status(p->a, 0).nat_local);
	assert_true(kernel_at(p->b, &elsewhere));
	at_rest(p);
	pair_free(p);
}

/* The mapping changes: the next sign of life tells (3.8). */
static void mapping_changes(void **state)
{
	struct pair *p = up();

	(void)state;
	node_move(p->a, &behind, &nat);
	pair_run(p, 1000);
	node_rebind(p->a);
	pair_run(p, 1000);
	assert_false(direction_works(p->b, p->a, 0) &&
		     node_status(p->b, 0).remote.port == p->a->nat_port[1]);
	pair_run(p, 30000);
	assert_int_equal(node_status(p->b, 0).remote.port, p->a->nat_port[1]);
	at_rest(p);
	pair_free(p);
}

/* The same while ESP is not followed: the peer's next request tells, and it is asked there first. */
static void mapping_changes_of_who_is_not_followed(void **state)
{
	struct pair *p = up();
	uint16_t former;

	(void)state;
	node_move(p->a, &behind, &nat);
	pair_run(p, 1000);
	esp_comes_from(p, p->b, &stranger, 5000);
	pair_run(p, 10000);
	assert_true(p->b->stays[0]);
	former = p->a->nat_port[1];
	node_rebind(p->a);
	assert_int_not_equal(p->a->nat_port[1], former);
	node_rekey_child(p->a);
	pair_run(p, 5);
	assert_int_equal(p->b->remote[0].port, former); /* not before it answered */
	pair_run(p, 3000);
	assert_int_equal(p->b->remote[0].port, p->a->nat_port[1]);
	assert_true(kernel_at(p->b, &nat));
	pair_run(p, 10000);
	at_rest(p);
	pair_free(p);
}

/* A message without UPDATE_SA_ADDRESSES moves nothing. */
static void other_messages_move_nothing(void **state)
{
	struct pair *p = up();
	struct ike_addr old = p->a->addr;

	(void)state;
	p->a->addr = elsewhere;
	node_sa(p->a)->local.addr = elsewhere;
	cookie_len = 8;
	ask(p, p->a, build_cookie);
	assert_true(ike_at(p->b, &old));
	assert_true(kernel_at(p->b, &old));
	pair_free(p);
}

/* ---- several addresses ------------------------------------------------------------------- */

static void lists_are_told(void **state)
{
	const struct ike_addr many[] = { elsewhere, farther, { 4, { 192, 0, 2, 2 } } };
	struct pair *p = pair_new();

	(void)state;
	node_start(p->b, false);
	ike_core_addresses(p->b->core, "t0", many, 3, p->w.now);
	node_start(p->a, false);
	pair_run(p, 2000);
	/* 192.0.2.2 is the one in use */
	assert_int_equal(node_sa(p->a)->mobike.n_theirs, 2);
	assert_true(ike_addr_eq(&node_sa(p->a)->mobike.theirs[1], &farther));
	assert_int_equal(node_sa(p->b)->mobike.n_theirs, 0);
	has_more(p, p->a, &farther);
	ike_core_addresses(p->b->core, "t0", NULL, 0, p->w.now);
	pair_run(p, 1000);
	assert_int_equal(node_sa(p->a)->mobike.n_theirs, 0);
	assert_int_equal(node_sa(p->b)->mobike.n_theirs, 1);
	at_rest(p);
	p->n_sent = 0;
	has_more(p, p->a, &farther); /* no news */
	pair_run(p, 1000);
	assert_int_equal(p->n_sent, 0);
	pair_free(p);
}

/* Addresses of a private network are told to who is in one, too. */
static void private_ones_are_not_told(void **state)
{
	struct pair *p = up();

	(void)state;
	has_more(p, p->b, &behind);
	pair_run(p, 1000);
	assert_int_equal(node_sa(p->b)->mobike.n_theirs + node_sa(p->a)->mobike.n_theirs, 0);
	at_rest(p);
	node_sa(p->b)->remote.addr = behind;
	node_sa(p->b)->mobike.proven.addr = behind;
	ike_core_addresses(p->b->core, "t0", &elsewhere, 1, p->w.now);
	has_more(p, p->b, &behind);
	node_sa(p->b)->remote.addr = p->a->addr;
	node_sa(p->b)->mobike.proven.addr = p->a->addr;
	request_again(p->b->core, node_sa(p->b));
	pair_run(p, 1000);
	assert_int_equal(node_sa(p->a)->mobike.n_theirs, 1);
	pair_free(p);
}

/* The one in use may be the last of many. */
static void many_addresses(void **state)
{
	struct ike_addr many[2 * MOBIKE_MAX_ADDRESSES];
	struct pair *p = up();
	unsigned int i;

	(void)state;
	for (i = 0; i < 2 * MOBIKE_MAX_ADDRESSES; i++)
		many[i] = (struct ike_addr){ 4, { 192, 0, 1, (uint8_t)i } };
	many[i - 1] = p->b->addr;
	ike_core_addresses(p->b->core, "t0", many, i, p->w.now);
	assert_true(address_is_ours(node_sa(p->b)));
	pair_run(p, 1000);
	assert_int_equal(node_sa(p->a)->mobike.n_theirs, MOBIKE_MAX_ADDRESSES);
	at_rest(p);
	pair_free(p);
}

static void build_odd_list(struct ike_builder *b)
{
	uint8_t addr[16] = { 192, 0, 2, 100 };
	unsigned int i;

	ike_build_notify(b, IKE_N_ADDITIONAL_IP4_ADDRESS, addr, 3);
	ike_build_notify(b, IKE_N_ADDITIONAL_IP4_ADDRESS, addr, 16);
	ike_build_notify(b, IKE_N_ADDITIONAL_IP6_ADDRESS, addr, 4);
	ike_build_notify(b, IKE_N_ADDITIONAL_IP4_ADDRESS, "\xe0\0\0\5", 4);
	ike_build_notify(b, IKE_N_ADDITIONAL_IP4_ADDRESS, "\x7f\0\0\1", 4);
	ike_build_notify(b, IKE_N_ADDITIONAL_IP4_ADDRESS, "\0\0\0\0", 4);
	for (i = 0; i < 2 * MOBIKE_MAX_ADDRESSES; i++) {
		addr[3] = (uint8_t)(100 + i);
		ike_build_notify(b, IKE_N_ADDITIONAL_IP4_ADDRESS, addr, 4);
	}
}

static void odd_lists(void **state)
{
	struct pair *p = up();

	(void)state;
	ask(p, p->b, build_odd_list);
	assert_int_equal(answer.error, 0);
	assert_int_equal(node_sa(p->a)->mobike.n_theirs, MOBIKE_MAX_ADDRESSES);
	assert_int_equal(node_sa(p->a)->mobike.theirs[0].b[3], 100);
	pair_free(p);
}

/* The path in use fails, of either end: the request that has no answer finds another one. */
static void path_fails(void **state)
{
	struct pair *p;
	struct node *n;
	int which;

	(void)state;
	for (which = 0; which < 2; which++) {
		p = pair_new();
		n = which ? p->b : p->a;
		n->more = elsewhere;
		pair_start(p, true);
		has_more(p, n, &elsewhere);
		pair_run(p, 1000);
		n->dark[0] = true;
		pair_run(p, 30000); /* liveness is 20 s */
		assert_true(kernel_at(which ? p->a : p->b, &elsewhere));
		assert_true(ike_at(which ? p->a : p->b, &elsewhere));
		assert_true(ike_addr_eq(&n->local[0], &elsewhere));
		assert_int_equal(node_stats(p->a).ike_sas, 1);
		assert_true(address_is_proven(node_sa(p->a)));
		/* and back, when that one fails */
		n->dark[0] = false;
		n->dark[1] = true;
		pair_run(p, 40000);
		assert_true(kernel_at(which ? p->a : p->b, &n->addr));
		assert_int_equal(node_stats(p->a).ike_sas, 1);
		pair_free(p);
	}
}

/* The peer moves while copies are out on several paths: an answer from before says nothing. */
static void answer_from_before(void **state)
{
	struct pair *p = pair_new();
	struct hold *h;

	(void)state;
	p->b->more = farther;
	pair_start(p, true);
	has_more(p, p->b, &farther);
	pair_run(p, 1000);
	h = world_hold(&p->w, p->b, IKE_INFORMATIONAL, true, 0);
	request_probe(p->a->core, node_sa(p->a));
	pair_run(p, 3000);
	assert_true(node_sa(p->a)->mobike.spread);
	p->b->addr = elsewhere;
	esp_comes_from(p, p->a, &elsewhere, IKE_NATT_PORT);
	world_release(&p->w, h);
	pair_run(p, 1);
	assert_true(node_sa(p->a)->mobike.verifying);
	assert_true(ike_at(p->a, &elsewhere));
	pair_run(p, 1000);
	assert_true(kernel_at(p->a, &elsewhere));
	pair_free(p);
}

/* A path on which an answer takes longer than other ones wait to be tried: the update is done once. */
static void slow_path(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->b->more = farther;
	pair_start(p, true);
	has_more(p, p->b, &farther);
	pair_run(p, 1000);
	p->w.delay_min = p->w.delay_max = 1000;
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 15000);
	assert_false(node_sa(p->a)->mobike.update);
	at_rest(p);
	pair_free(p);
}

/* A list that comes while our own address in use is gone is told together with its successor. */
static void list_waits_for_the_path(void **state)
{
	struct pair *p = up();

	(void)state;
	ike_core_addresses(p->a->core, "t0", &elsewhere, 1, p->w.now);
	assert_int_equal(requests(p, p->a), 0);
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, 1000);
	assert_int_equal(requests(p, p->a), 1);
	assert_true(kernel_at(p->b, &elsewhere));
	at_rest(p);
	pair_free(p);
}

/* What the peer says of addresses in its own network leads into a tunnel here: it is not tried. */
static void not_into_a_tunnel(void **state)
{
	struct pair *p = up();
	struct ike_addr old = p->b->addr;
	unsigned int i;

	(void)state;
	p->a->inside = farther;
	p->b->more = farther;
	has_more(p, p->b, &farther);
	pair_run(p, 1000);
	assert_int_equal(node_sa(p->a)->mobike.n_theirs, 1);
	p->n_sent = 0;
	p->b->dark[0] = true;
	request_probe(p->a->core, node_sa(p->a));
	pair_run(p, 20000);
	assert_true(requests(p, p->a) > MOBIKE_SPREAD_SENDS);
	for (i = 0; i < p->n_sent; i++)
		assert_false(ike_addr_eq(&p->sent[i].remote.addr, &farther));
	assert_true(ike_at(p->a, &old));
	pair_free(p);
	/* Nor does an update from there move anything. */
	p = up();
	old = p->a->addr;
	p->b->inside = elsewhere;
	p->a->addr = elsewhere;
	node_sa(p->a)->local.addr = elsewhere;
	ask(p, p->a, build_plain_update);
	assert_int_equal(answer.error, IKE_N_UNACCEPTABLE_ADDRESSES);
	assert_true(ike_at(p->b, &old));
	pair_free(p);
}

/* Nor does a request of who is not followed. */
static void not_followed_into_a_tunnel(void **state)
{
	struct pair *p = up();
	struct ike_addr old = p->a->addr;

	(void)state;
	esp_comes_from(p, p->b, &stranger, 5000);
	pair_run(p, 10000);
	assert_true(p->b->stays[0]);
	p->b->inside = elsewhere;
	p->a->addr = elsewhere;
	node_sa(p->a)->local.addr = elsewhere;
	cookie_len = 8;
	ask(p, p->a, build_cookie);
	assert_true(ike_at(p->b, &old));
	assert_false(ike_addr_eq(&node_sa(p->b)->mobike.heard.addr, &elsewhere));
	pair_run(p, 3000);
	assert_true(kernel_at(p->b, &old));
	pair_free(p);
}

/* The path is dark for a minute; the peer is heard before its time is over, and then has time to answer. */
static void dark_for_a_minute(void **state)
{
	struct pair *p = up();
	struct ike_status before = node_status(p->b, 0);

	(void)state;
	p->drop_all = true;
	request_probe(p->b->core, node_sa(p->b));
	pair_run(p, 61000);
	p->drop_all = false;
	assert_non_null(node_sa(p->a)->out);
	request_again(p->a->core, node_sa(p->a));
	pair_run(p, 10000);
	assert_memory_equal(node_status(p->b, 0).spi_i, before.spi_i, IKE_SPI_LEN);
	at_rest(p);
	pair_free(p);
}

/* … but not for ever. */
static void heard_but_no_answer(void **state)
{
	struct pair *p = up();

	(void)state;
	drop(p, p->a, false, true);
	request_probe(p->b->core, node_sa(p->b));
	pair_run(p, IKESA_UNANSWERED_MS - 5000);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_run(p, 5000);
	node_says(p->b, "no longer answers");
	pair_free(p);
}

/* A responder whose own address went tells that, wherever the peer may be. */
static void dead_peer_ends(void **state)
{
	struct pair *p = up();

	(void)state;
	p->drop_all = true;
	node_move(p->a, &elsewhere, NULL);
	pair_run(p, IKESA_DEAD_MS + 1000);
	assert_int_equal(node_stats(p->a).ike_sas, 0);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_take_it),
		cmocka_unit_test(auth_from_elsewhere),
		cmocka_unit_test(auth_from_a_victim),
		cmocka_unit_test(without),
		cmocka_unit_test(listener_without),
		cmocka_unit_test(listener_keeps_its_sa),
		cmocka_unit_test(initiator_moves),
		cmocka_unit_test(responder_moves),
		cmocka_unit_test(both_move_in_turn),
		cmocka_unit_test(back_again),
		cmocka_unit_test(newer_update_counts),
		cmocka_unit_test(update_waits_for_the_window),
		cmocka_unit_test(update_goes_before_rekeying),
		cmocka_unit_test(lost_messages),
		cmocka_unit_test(peer_lies),
		cmocka_unit_test(a_pair_comes_before_the_proof),
		cmocka_unit_test(peer_is_believed_late),
		cmocka_unit_test(source_is_changed),
		cmocka_unit_test(both_addresses_return),
		cmocka_unit_test(update_is_replayed),
		cmocka_unit_test(esp_from_elsewhere),
		cmocka_unit_test(esp_from_many_places),
		cmocka_unit_test(esp_again_and_again),
		cmocka_unit_test(esp_outlives_its_ike_sa),
		cmocka_unit_test(esp_from_who_answers_blindly),
		cmocka_unit_test(esp_from_who_refuses),
		cmocka_unit_test(esp_is_followed_again),
		cmocka_unit_test(held_esp_is_no_sign_of_life),
		cmocka_unit_test(esp_from_there),
		cmocka_unit_test(late_esp),
		cmocka_unit_test(peer_may_not_decide),
		cmocka_unit_test(local_is_fixed),
		cmocka_unit_test(cookie_is_wrong),
		cmocka_unit_test(cookie_is_wrong_in_a_refusal),
		cmocka_unit_test(cookie_is_absent),
		cmocka_unit_test(cookie_is_absent_elsewhere),
		cmocka_unit_test(cookie_comes_with_hashes),
		cmocka_unit_test(cookie_is_copied),
		cmocka_unit_test(unacceptable),
		cmocka_unit_test(another_is_acceptable),
		cmocka_unit_test(nats_forbidden),
		cmocka_unit_test(successor_knows),
		cmocka_unit_test(update_crosses_rekeying),
		cmocka_unit_test(successor_begins_there),
		cmocka_unit_test(loser_knows_the_peer),
		cmocka_unit_test(update_under_a_rekeyed_one),
		cmocka_unit_test(answer_is_lost_before_the_move),
		cmocka_unit_test(former_update_is_asked_again),
		cmocka_unit_test(peer_is_proven_without_our_answer),
		cmocka_unit_test(peer_is_slow_under_the_former_one),
		cmocka_unit_test(former_cookie_is_wrong),
		cmocka_unit_test(update_under_a_prepared_one),
		cmocka_unit_test(nat_comes_and_goes),
		cmocka_unit_test(mapping_changes),
		cmocka_unit_test(mapping_changes_of_who_is_not_followed),
		cmocka_unit_test(other_messages_move_nothing),
		cmocka_unit_test(lists_are_told),
		cmocka_unit_test(private_ones_are_not_told),
		cmocka_unit_test(many_addresses),
		cmocka_unit_test(odd_lists),
		cmocka_unit_test(path_fails),
		cmocka_unit_test(answer_from_before),
		cmocka_unit_test(slow_path),
		cmocka_unit_test(list_waits_for_the_path),
		cmocka_unit_test(not_into_a_tunnel),
		cmocka_unit_test(not_followed_into_a_tunnel),
		cmocka_unit_test(dark_for_a_minute),
		cmocka_unit_test(heard_but_no_answer),
		cmocka_unit_test(dead_peer_ends),
	};

	return cmocka_run_group_tests_name("core_mobike", tests, NULL, NULL);
}
