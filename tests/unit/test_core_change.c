// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration of a tunnel changes while it runs. In every situation packets flow all the time in
 * both directions (world.h, watch), unless it says otherwise.
 */
#include "core_util.h"
#include "ike/core/core.h"

#include <errno.h>

static struct pair *up(void)
{
	struct pair *p = pair_new();

	pair_start(p, true);
	p->w.link[0].watch = true;
	pair_run(p, 2000);
	return p;
}

static bool other_key[WORLD_NODES]; /* nodes whose keys are others since the last change */

/* The core of @n gets what is in n->conf[0] now. */
static void change(struct node *n, bool renew)
{
	renew |= other_key[n->index];
	other_key[n->index] = false;
	assert_int_equal(ike_core_tunnel_change(n->core, &n->conf[0], renew, n->w->now), 0);
}

static const struct ike_sa *only_sa(const struct node *n)
{
	assert_int_equal(node_stats(n).ike_sas, 1);
	return node_sa(n);
}

static uint32_t spi_in(const struct node *n)
{
	return node_status(n, 0).spi_in;
}

/* Both ends have one IKE SA with one pair, another than @ike and @esp. */
static void is_renewed(const struct pair *p, const uint8_t *ike, uint32_t esp)
{
	assert_memory_not_equal(only_sa(p->a)->spi_i, ike, IKE_SPI_LEN);
	assert_memory_equal(only_sa(p->b)->spi_i, only_sa(p->a)->spi_i, IKE_SPI_LEN);
	assert_int_not_equal(spi_in(p->a), esp);
	assert_int_equal(node_count(p->a, 0, true), 1);
	assert_int_equal(node_count(p->b, 0, true), 1);
	assert_string_equal(node_error(p->a), "");
}

static void set_psk(struct node *n, const char *psk)
{
	node_set_psk(n, 0, psk);
	other_key[n->index] = true;
}

/* ---- in place ---------------------------------------------------------------- */

static void times_change_in_place(void **state)
{
	struct pair *p = up();
	uint32_t esp = spi_in(p->a);
	struct ike_sa *sa = node_sa(p->a);
	unsigned int sent = p->n_sent;

	(void)state;
	p->a->conf[0].rekey_ike = 1000;
	p->a->conf[0].rekey_child = 500;
	p->a->conf[0].reauth = 5000;
	p->a->conf[0].liveness = 7;
	change(p->a, false);
	pair_run(p, 1000);
	assert_ptr_equal(node_sa(p->a), sa);
	assert_int_equal(spi_in(p->a), esp);
	assert_int_equal(p->n_sent, sent);
	assert_in_range(sa->rekey_at, p->w.now + 880000, p->w.now + 1000000);
	assert_in_range(TAILQ_FIRST(&sa->children)->next_at, p->w.now + 440000, p->w.now + 500000);
	assert_in_range(sa->reauth_at, p->w.now + 4400000, p->w.now + 5000000);

	/* Off again. */
	p->a->conf[0].rekey_ike = p->a->conf[0].rekey_child = p->a->conf[0].reauth = 0;
	change(p->a, false);
	assert_true(sa->rekey_at == TIMER_NEVER);
	assert_true(sa->reauth_at == TIMER_NEVER);
	assert_true(TAILQ_FIRST(&sa->children)->next_at == TIMER_NEVER);
	pair_free(p);
}

static void a_shorter_liveness_holds_at_once(void **state)
{
	struct pair *p = up();

	(void)state;
	p->w.link[0].watch = false;
	p->a->conf[0].liveness = p->b->conf[0].liveness = 3600;
	change(p->a, false);
	change(p->b, false);
	p->drop_all = true;
	pair_run(p, 20000);
	assert_int_equal(node_status(p->a, 0).state, IKE_TUNNEL_UP);
	p->a->conf[0].liveness = 5;
	change(p->a, false);
	pair_run(p, 1);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_true(node_sa(p->a)->out != NULL); /* it asks */
	pair_free(p);
}

static void start_changes_in_place(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->a->conf[0].child[0].start = IKE_START_LISTEN;
	pair_start(p, false);
	pair_run(p, 5000);
	assert_int_equal(node_status(p->a, 0).state, IKE_TUNNEL_DOWN);
	p->a->conf[0].child[0].start = IKE_START_NOW;
	change(p->a, false);
	pair_run(p, 5000);
	assert_int_equal(node_status(p->a, 0).state, IKE_TUNNEL_UP);
	pair_free(p);
}

/* ---- child SAs --------------------------------------------------------------- */

/* Child SA number @i of @n is called @name and carries 10.1.@net.0/24 to 10.2.@net.0/24. */
static void set_child(const struct pair *p, struct node *n, unsigned int i, const char *name,
		      uint8_t net)
{
	struct ike_child_conf *c = &n->conf[0].child[i];
	unsigned int side;

	*c = n->conf[0].child[0];
	memset(c->name, 0, sizeof(c->name));
	snprintf(c->name, sizeof(c->name), "%s", name);
	for (side = 1; side <= 2; side++) {
		struct ike_ts_list *l = (side == 1) == (n == p->a) ? &c->local_ts : &c->remote_ts;
		const uint8_t start[4] = { 10, (uint8_t)side, net, 0 };
		const uint8_t end[4] = { 10, (uint8_t)side, net, 255 };

		memset(l, 0, sizeof(*l));
		l->n = 1;
		l->ts[0].family = 4;
		l->ts[0].port_end = 65535;
		memcpy(l->ts[0].start, start, sizeof(start));
		memcpy(l->ts[0].end, end, sizeof(end));
	}
}

static void name_children(const struct pair *p, struct node *n, const char *names)
{
	unsigned int i;

	n->conf[0].n_child = (unsigned int)strlen(names);
	for (i = 0; names[i]; i++)
		set_child(p, n, i, (const char[]){ names[i], 0 }, (uint8_t)names[i]);
}

/* The names of the child SAs that carry traffic, in the order of the configuration. */
static void carries(const struct node *n, const char *names)
{
	const struct ike_peer *peer = TAILQ_FIRST(&n->core->peers);
	char have[IKE_MAX_CHILD + 1] = "";
	unsigned int i;

	for (i = 0; i < peer->conf->n_child; i++) {
		if (query_has_outbound(peer, i))
			strcat(have, peer->conf->child[i].name);
	}
	assert_string_equal(have, names);
}

static struct pair *up_with(const char *names)
{
	struct pair *p = pair_new();

	name_children(p, p->a, names);
	name_children(p, p->b, names);
	pair_start(p, true);
	pair_run(p, 2000);
	carries(p->a, names);
	return p;
}

static void children_come_and_go(void **state)
{
	struct pair *p = up_with("abc");
	const struct ike_sa *sa = node_sa(p->a);

	(void)state;
	/* The other end first, so that it can grant the new one. */
	name_children(p, p->b, "dca");
	change(p->b, false);
	pair_run(p, 3000);
	carries(p->b, "ca");
	carries(p->a, "ac"); /* it was told that b is gone */
	name_children(p, p->a, "cad");
	change(p->a, false);
	pair_run(p, 5000);
	carries(p->a, "cad");
	carries(p->b, "dca");
	assert_ptr_equal(only_sa(p->a), sa);
	assert_int_equal(node_stats(p->a).children, 3);
	assert_int_equal(node_stats(p->b).children, 3);
	/* What is rekeyed later is what it was. */
	node_rekey_child(p->a);
	pair_run(p, 5000);
	carries(p->a, "cad");
	carries(p->b, "dca");
	pair_free(p);
}

static void one_is_left_of_many(void **state)
{
	struct pair *p = up_with("abcdefgh");

	(void)state;
	name_children(p, p->a, "h");
	change(p->a, false);
	pair_run(p, 5000);
	carries(p->a, "h");
	assert_int_equal(node_stats(p->a).children, 1);
	assert_int_equal(node_stats(p->b).children, 1);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	pair_free(p);
}

/* The numbers of child SAs change, what is known of them by number goes along. */
static void one_comes_between(void **state)
{
	struct pair *p = up_with("ab");
	uint32_t spi = TAILQ_FIRST(&node_sa(p->a)->children)->spi_in;

	(void)state;
	name_children(p, p->b, "acb");
	name_children(p, p->a, "acb");
	change(p->b, false);
	change(p->a, false);
	/* The order of nonces must not matter: nothing collides. */
	pair_run(p, 60000);
	carries(p->a, "acb");
	carries(p->b, "acb");
	assert_int_equal(node_stats(p->a).children, 3);
	assert_int_equal(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false),
			 2); /* b and c, once each */
	assert_int_equal(TAILQ_FIRST(&node_sa(p->a)->children)->spi_in, spi);
	pair_free(p);
}

static void one_goes_while_all_begins(void **state)
{
	unsigned int at;

	(void)state;
	for (at = 1; at < 100; at += 3) {
		struct pair *p = pair_new();

		name_children(p, p->a, "hgfedcba");
		name_children(p, p->b, "hgfedcba");
		pair_start(p, false);
		pair_run(p, at);
		name_children(p, p->a, at % 2 ? "a" : "dh");
		change(p->a, false);
		pair_run(p, 60000);
		carries(p->a, at % 2 ? "a" : "dh");
		assert_int_equal(node_stats(p->a).children, at % 2 ? 1 : 2);
		pair_free(p);
	}
}

/* Another name for the same is no loss, also if the other end does not know the new key yet. */
static void another_name(void **state)
{
	struct pair *p = up_with("a");
	unsigned int with_key;

	(void)state;
	p->w.link[0].watch = true;
	for (with_key = 0; with_key < 2; with_key++) {
		set_child(p, p->a, 0, with_key ? "y" : "z", 'a');
		if (with_key)
			set_psk(p->a, "a key that the other end has not");
		change(p->a, false);
		pair_run(p, 30000);
		carries(p->a, with_key ? "y" : "z");
		assert_int_equal(node_count(p->a, 0, true), 1);
	}
	pair_free(p);
}

/* With a key that the peer has not yet, one that the file lost goes with the IKE SA, not before. */
static void one_goes_with_the_old_terms(void **state)
{
	struct pair *p = up_with("ab");

	(void)state;
	name_children(p, p->a, "a");
	set_psk(p->a, "a key that the other end has not");
	change(p->a, false);
	pair_run(p, 10000);
	assert_int_equal(node_stats(p->a).children, 2);
	set_psk(p->b, "a key that the other end has not");
	change(p->b, false);
	pair_run(p, 120000);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->a).children, 1);
	carries(p->a, "a");
	pair_free(p);
}

/* The attempt is for the last of eight, which becomes the only one. */
static void the_one_that_begins_is_left(void **state)
{
	unsigned int at, i;

	(void)state;
	for (at = 1; at < 50; at += 3) {
		struct pair *p = pair_new();

		name_children(p, p->a, "hgfedcba");
		name_children(p, p->b, "hgfedcba");
		for (i = 0; i < 7; i++)
			p->a->conf[0].child[i].start = IKE_START_LISTEN;
		pair_start(p, false);
		pair_run(p, at);
		p->a->conf[0].child[0].start = IKE_START_NOW;
		name_children(p, p->a, "a");
		change(p->a, false);
		pair_run(p, 500);
		carries(p->a, "a");
		pair_free(p);
	}
}

/* An exchange is out about a child SA that the configuration loses meanwhile. */
static void one_goes_while_it_is_asked_for(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	name_children(p, p->a, "ab");
	name_children(p, p->b, "ab");
	p->drop_exchange = IKE_CREATE_CHILD_SA;
	p->drop_responses = true;
	p->drop_from = 2;
	pair_start(p, false);
	pair_run(p, 500);
	carries(p->a, "a");
	name_children(p, p->a, "a");
	change(p->a, false);
	p->drop_responses = false;
	pair_run(p, 60000);
	carries(p->a, "a");
	assert_int_equal(node_stats(p->a).children, 1);
	assert_int_equal(node_stats(p->b).children, 1);
	pair_free(p);
}

static void other_selectors_renew(void **state)
{
	struct pair *p = up_with("a");
	uint8_t ike[IKE_SPI_LEN];
	uint32_t esp = spi_in(p->a);

	(void)state;
	p->w.link[0].watch = true;
	memcpy(ike, node_sa(p->a)->spi_i, sizeof(ike));
	set_child(p, p->a, 0, "a", 'x');
	set_child(p, p->b, 0, "a", 'x');
	change(p->b, false);
	change(p->a, false);
	pair_run(p, 30000);
	is_renewed(p, ike, esp);
	assert_int_equal(node_status(p->a, 0).local_ts.ts[0].start[2], 'x');
	pair_free(p);
}

/* ---- other terms ------------------------------------------------------------- */

static void another_id(struct node *n, struct ike_id *id)
{
	(void)n;
	id->type = IKE_ID_FQDN;
	id->len = 5;
	memcpy(id->data, "other", 5);
}

static void another_key(struct pair *p)
{
	set_psk(p->a, "another key for both of them");
	set_psk(p->b, "another key for both of them");
}

static void another_identity(struct pair *p)
{
	another_id(p->a, &p->a->conf[0].local_id);
	another_id(p->b, &p->b->conf[0].remote_id);
}

static void other_algorithms(struct pair *p)
{
	struct ike_proposals *of[] = { &p->a->conf[0].esp, &p->b->conf[0].esp, &p->a->conf[0].ike,
				       &p->b->conf[0].ike };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		assert_int_equal(of[i]->p[0].t[0].type, IKE_T_ENCR);
		assert_int_equal(of[i]->p[0].t[0].id, IKE_ENCR_AES_GCM_16);
		of[i]->p[0].t[0].key_bits = of[i]->p[0].t[0].key_bits == 256 ? 128 : 256;
	}
}

static void (*const terms[])(struct pair *p) = { another_key, another_identity, other_algorithms };

static void other_terms_renew(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		struct pair *p = up();
		uint8_t ike[IKE_SPI_LEN];
		uint32_t esp = spi_in(p->a);

		memcpy(ike, node_sa(p->a)->spi_i, sizeof(ike));
		terms[i](p);
		change(p->b, false);
		change(p->a, false);
		pair_run(p, 40000);
		is_renewed(p, ike, esp);
		pair_free(p);
	}
}

/* So long that the record would be full. */
static void run_quietly(struct pair *p, unsigned int seconds)
{
	while (seconds--) {
		pair_run(p, 1000);
		p->n_sent = 0;
	}
}

/* One administrator comes ten minutes after the other. */
static void one_end_changes_later(void **state)
{
	unsigned int i, first;

	(void)state;
	for (i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		for (first = 0; first < 2; first++) {
			struct pair *p = up();
			uint8_t ike[IKE_SPI_LEN];
			uint32_t esp = spi_in(p->a);

			memcpy(ike, node_sa(p->a)->spi_i, sizeof(ike));
			terms[i](p);
			change(first ? p->a : p->b, false);
			run_quietly(p, 600);
			change(first ? p->b : p->a, false);
			run_quietly(p, 600);
			is_renewed(p, ike, esp);
			pair_free(p);
		}
	}
}

static void renewed_on_demand(void **state)
{
	struct pair *p = up();
	uint8_t ike[IKE_SPI_LEN];
	uint32_t esp = spi_in(p->a);

	(void)state;
	memcpy(ike, node_sa(p->a)->spi_i, sizeof(ike));
	change(p->a, true);
	pair_run(p, 40000);
	is_renewed(p, ike, esp);
	pair_free(p);
}

static void changed_while_it_begins(void **state)
{
	unsigned int at;

	(void)state;
	for (at = 0; at < 100; at += 7) {
		struct pair *p = pair_new();

		pair_start(p, false);
		pair_run(p, at);
		another_key(p);
		change(p->b, false);
		change(p->a, false);
		pair_run(p, 60000);
		assert_int_equal(node_status(p->a, 0).state, IKE_TUNNEL_UP);
		assert_int_equal(node_stats(p->a).ike_sas, 1);
		assert_int_equal(node_stats(p->b).ike_sas, 1);
		pair_free(p);
	}
}

static void changed_while_it_rekeys(void **state)
{
	unsigned int at, kind;

	(void)state;
	for (kind = 0; kind < 2; kind++) {
		for (at = 0; at < 100; at += 7) {
			struct pair *p = up();

			if (kind)
				node_rekey_ike(p->a);
			else
				node_rekey_child(p->b);
			pair_run(p, at);
			another_key(p);
			change(p->b, false);
			change(p->a, false);
			pair_run(p, 300000);
			only_sa(p->a);
			only_sa(p->b);
			assert_int_equal(node_count(p->a, 0, true), 1);
			assert_int_equal(node_count(p->b, 0, true), 1);
			pair_free(p);
		}
	}
}

/* Who is not meant any more gets nothing new, and what it has ends in its time. */
static void nothing_new_under_old_terms(void **state)
{
	struct pair *p = up();

	(void)state;
	p->w.link[0].watch = false;
	p->b->conf[0].rekey_ike = 600;
	change(p->b, false);
	set_psk(p->b, "a key that the other end has not");
	change(p->b, false);
	pair_run(p, 1000);
	assert_int_equal(node_count(p->b, 0, true), 1);
	node_rekey_child(p->a);
	pair_run(p, 5000);
	assert_int_equal(node_count(p->b, 0, true), 1);
	node_rekey_ike(p->a);
	pair_run(p, 5000);
	assert_int_equal(node_count(p->b, 0, true), 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	while (p->w.now < 620000) {
		pair_run(p, 1000);
		p->n_sent = 0;
	}
	assert_int_equal(node_count(p->b, 0, true), 0);
	pair_free(p);
}

/* ---- what cannot be changed -------------------------------------------------- */

static void refused(void **state)
{
	struct pair *p = up();
	struct ike_tunnel_conf conf = p->a->conf[0];
	const struct tunnel_conf *now = own_conf(p->a);

	(void)state;
	conf.esp.n = 0;
	assert_int_equal(ike_core_tunnel_change(p->a->core, &conf, false, p->w.now), -EINVAL);
	conf = p->a->conf[0];
	conf.n_child = 0;
	assert_int_equal(ike_core_tunnel_change(p->a->core, &conf, false, p->w.now), -EINVAL);
	conf = p->b->conf[0];
	conf.clients = 5;
	assert_int_equal(ike_core_tunnel_change(p->b->core, &conf, false, p->w.now), -EINVAL);
	conf = p->a->conf[0];
	snprintf(conf.name, sizeof(conf.name), "other");
	assert_int_equal(ike_core_tunnel_change(p->a->core, &conf, false, p->w.now), -ENOENT);
	assert_ptr_equal(own_conf(p->a), now);
	pair_free(p);
}

/*
 * SAs of a former agent, whose peer is not reached by IKE, outlive a change of the key as long as they
 * would have been adopted, and no longer, however much comes by them.
 */
static void adopted_ones_end(void **state)
{
	struct pair *p = pair_new();
	unsigned int i;

	(void)state;
	pair_start(p, true);
	node_kill(p->a);
	node_kill(p->b);
	p->a->adopts_for = 200000;
	node_start(p->a, true);
	set_psk(p->a, "another key");
	change(p->a, true);
	for (i = 0; i < 19; i++) {
		p->a->last_rx[0] = p->w.now;
		pair_run(p, 10000);
		assert_int_equal(node_count(p->a, 0, true), 1);
	}
	p->a->last_rx[0] = p->w.now;
	pair_run(p, 11000);
	assert_int_equal(node_count(p->a, 0, true), 0);
	assert_int_equal(node_status(p->a, 0).adopted, 0);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adopted_ones_end),
		cmocka_unit_test(times_change_in_place),
		cmocka_unit_test(a_shorter_liveness_holds_at_once),
		cmocka_unit_test(start_changes_in_place),
		cmocka_unit_test(children_come_and_go),
		cmocka_unit_test(one_is_left_of_many),
		cmocka_unit_test(one_comes_between),
		cmocka_unit_test(one_goes_while_all_begins),
		cmocka_unit_test(the_one_that_begins_is_left),
		cmocka_unit_test(another_name),
		cmocka_unit_test(one_goes_with_the_old_terms),
		cmocka_unit_test(one_goes_while_it_is_asked_for),
		cmocka_unit_test(other_selectors_renew),
		cmocka_unit_test(other_terms_renew),
		cmocka_unit_test(one_end_changes_later),
		cmocka_unit_test(renewed_on_demand),
		cmocka_unit_test(changed_while_it_begins),
		cmocka_unit_test(changed_while_it_rekeys),
		cmocka_unit_test(nothing_new_under_old_terms),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
