// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Additional key exchanges in IKE_INTERMEDIATE (RFC 9242, 9370), between two cores: what is lost, late
 * or comes twice, peers that leave them out or do them wrongly, and that AUTH covers them.
 */
#include "core_util.h"
#include "ike/core/core.h"
#include "kem.h"

enum { SMALL = 576 - 32 }; /* bytes of IKE in a small IPv4 packet */

static const uint16_t all_methods[] = { IKE_DH_CURVE25519, IKE_DH_ECP256,
					IKE_DH_ECP384,	   IKE_DH_ECP521,
					IKE_DH_MODP2048,   IKE_DH_MODP3072,
					IKE_DH_MODP1536,   KEM };

/* Proposal @i of @l is for x25519 and as many additional key exchanges as there are in @methods. */
static void set_methods(struct ike_proposals *l, unsigned int i, const uint16_t *methods,
			unsigned int n)
{
	struct ike_proposal *p = &l->p[i];
	unsigned int kept = 0;

	if (i)
		*p = l->p[0];
	p->num = (uint8_t)(i + 1);
	for (unsigned int k = 0; k < p->n; k++)
		if (p->t[k].type != IKE_T_DH && p->t[k].type < IKE_T_ADDKE1)
			p->t[kept++] = p->t[k];
	p->n = kept;
	p->t[p->n++] = (struct ike_transform){ IKE_T_DH, IKE_DH_CURVE25519, 0 };
	for (unsigned int k = 0; k < n; k++)
		p->t[p->n++] =
			(struct ike_transform){ (uint16_t)(IKE_T_ADDKE1 + k), methods[k], 0 };
	l->n = i + 1;
}

static struct pair *new_pair(const uint16_t *methods, unsigned int n)
{
	struct pair *p = pair_new();

	set_methods(&p->a->conf[0].ike, 0, methods, n);
	set_methods(&p->b->conf[0].ike, 0, methods, n);
	p->a->conf[0].liveness = p->b->conf[0].liveness = 0;
	return p;
}

static struct pair *with_kem(void)
{
	static const uint16_t kem = KEM;

	return new_pair(&kem, 1);
}

static void is_up(struct pair *p)
{
	char why[200] = "";

	if (!link_at_rest(&p->w, 0, 1, why, sizeof(why)))
		fail_msg("%s", why);
	assert_true(direction_works(p->a, p->b, 0));
	assert_true(direction_works(p->b, p->a, 0));
	assert_string_equal(node_error(p->a), "");
	assert_string_equal(node_error(p->b), "");
}

static const char *algorithms(const struct node *n)
{
	static char text[256];

	return ike_proposal_print(text, sizeof(text), &node_sa(n)->proposal);
}

static void nothing_came_of_it(const struct pair *p)
{
	assert_int_equal(node_count(p->a, 0, true) + node_count(p->a, 0, false), 0);
	assert_int_equal(node_count(p->b, 0, true) + node_count(p->b, 0, false), 0);
}

/* ---- exchanges that work ---------------------------------------------------------- */

/* The request is longer than a packet should be. */
static void a_kem_comes_in_fragments(void **state)
{
	struct pair *p = with_kem();
	struct ike_notify n;

	(void)state;
	pair_start(p, true);
	assert_true(sent_notify(pair_sent(p, p->a, IKE_SA_INIT, false, 0),
				IKE_N_INTERMEDIATE_EXCHANGE_SUPPORTED, &n));
	assert_true(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0),
				IKE_N_INTERMEDIATE_EXCHANGE_SUPPORTED, &n));
	assert_int_equal(pair_count(p, p->a, IKE_INTERMEDIATE, false), 2);
	assert_int_equal(pair_sent(p, p->a, IKE_INTERMEDIATE, false, 0)->h.next, IKE_PL_SKF);
	assert_int_equal(pair_sent(p, p->a, IKE_INTERMEDIATE, false, 0)->h.id, 1);
	assert_int_equal(pair_sent(p, p->a, IKE_AUTH, false, 0)->h.id, 2);
	assert_non_null(strstr(algorithms(p->a), "x25519-ke1_mlkem768"));
	assert_string_equal(algorithms(p->b), algorithms(p->a));
	is_up(p);
	pair_free(p);
}

/* Each of the seven changes the keys, and is in the order of its type. */
static void seven_follow_one_another(void **state)
{
	struct pair *p = new_pair(all_methods + 1, 7);
	unsigned int id = 0;

	(void)state;
	pair_start(p, false);
	pair_run(p, 500);
	is_up(p);
	for (unsigned int i = 0; pair_sent(p, p->b, IKE_INTERMEDIATE, true, i); i++)
		id = pair_sent(p, p->b, IKE_INTERMEDIATE, true, i)->h.id;
	assert_int_equal(id, 7);
	assert_int_equal(pair_sent(p, p->a, IKE_AUTH, false, 0)->h.id, 8);
	assert_int_equal(node_stats(p->b).key_exchanges, 8);
	assert_memory_equal(&node_sa(p->a)->keys.d, &node_sa(p->b)->keys.d, IKE_MAX_PRF);
	pair_free(p);
}

/* A peer that knows nothing of them takes the proposal without. */
static void a_peer_may_do_without(void **state)
{
	struct pair *p = with_kem();
	struct ike_notify n;

	(void)state;
	set_methods(&p->a->conf[0].ike, 1, NULL, 0);
	set_methods(&p->b->conf[0].ike, 0, NULL, 0);
	pair_start(p, true);
	is_up(p);
	assert_false(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0),
				 IKE_N_INTERMEDIATE_EXCHANGE_SUPPORTED, &n));
	assert_int_equal(pair_count(p, p->a, IKE_INTERMEDIATE, false), 0);
	assert_null(strstr(algorithms(p->a), "ke1_"));
	pair_free(p);
}

/* What one end must have and the other has not is told in words that Crypto= takes. */
static void a_peer_may_not_do_without(void **state)
{
	struct pair *p = with_kem();

	(void)state;
	set_methods(&p->b->conf[0].ike, 0, NULL, 0);
	pair_start(p, false);
	pair_run(p, 1000);
	nothing_came_of_it(p);
	node_says(
		p->b,
		"no common additional key exchange 1 for IKE: the peer offers ke1_mlkem768, we allow none");
	node_says(p->a, "peer answered NO_PROPOSAL_CHOSEN");
	pair_free(p);
}

/* Of what may be agreed on, what has a post-quantum key exchange in any case. */
static void less_than_required_is_left_out(void **state)
{
	static const uint16_t curve = IKE_DH_ECP256;
	struct ike_proposals l = { .n = 1, .p = { { .n = 1, .t = { { IKE_T_ENCR, 20, 256 } } } } };
	char text[256];

	(void)state;
	set_methods(&l, 0, &curve, 1);
	assert_false(ike_proposals_require_pq(&l));
	l.p[0].t[l.p[0].n++] = (struct ike_transform){ IKE_T_ADDKE2, KEM, 0 };
	l.p[0].t[l.p[0].n++] = (struct ike_transform){ IKE_T_ADDKE2, IKE_DH_NONE, 0 };
	set_methods(&l, 1, &curve, 1);
	assert_true(ike_proposals_require_pq(&l));
	assert_int_equal(l.n, 1);
	ike_proposal_print(text, sizeof(text), &l.p[0]);
	assert_string_equal(text, "aes256gcm16-x25519-ke1_ecp256-ke2_mlkem768");
	/* as the only key exchange */
	l.p[0].t[1].id = KEM;
	l.p[0].t[3] = (struct ike_transform){ IKE_T_DH, IKE_DH_CURVE25519, 0 };
	assert_true(ike_proposals_require_pq(&l));
	ike_proposal_print(text, sizeof(text), &l.p[0]);
	assert_string_equal(text, "aes256gcm16-mlkem768-ke1_ecp256");
}

/* ---- lost, late, twice ------------------------------------------------------------- */

/* Message @nth of the requests or responses is lost once, with all its fragments. */
static void lose_one(bool response, unsigned int nth)
{
	static const uint16_t methods[] = { KEM, IKE_DH_ECP256 };
	struct pair *p = new_pair(methods, 2);
	struct hold *h = world_hold(&p->w, response ? p->b : p->a, IKE_INTERMEDIATE, response, nth);

	pair_start(p, false);
	assert_true(world_await(&p->w, h, 1000));
	world_drop(h);
	pair_run(p, 3000);
	is_up(p);
	assert_int_equal(node_stats(p->b).key_exchanges, 3);
	pair_free(p);
}

static void a_lost_one_is_sent_again(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		lose_one(false, i);
		lose_one(true, i);
	}
}

/* Fragments for large packets never come: both ends split theirs anew, the responder with its former keys. */
static void small_packets_get_through(void **state)
{
	static const uint16_t methods[] = { KEM, IKE_DH_ECP256 };
	struct pair *p = new_pair(methods, 2);

	(void)state;
	p->drop_longer = SMALL;
	pair_start(p, false);
	pair_run(p, 20000);
	is_up(p);
	assert_true(node_sa(p->a)->small_packets);
	assert_true(node_sa(p->b)->small_packets);
	pair_free(p);
}

/* The request arrives whole, the answer does not: it is split anew for the copy, though the keys changed. */
static void an_answer_is_split_anew(void **state)
{
	struct pair *p = with_kem();
	unsigned int before;

	(void)state;
	p->drop_from = 1 << p->b->index;
	p->drop_exchange = IKE_INTERMEDIATE;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 100);
	before = pair_count(p, p->b, IKE_INTERMEDIATE, true);
	assert_int_equal(before, 1);
	pair_run(p, 500);
	assert_int_equal(pair_count(p, p->b, IKE_INTERMEDIATE, true), before + 3);
	p->drop_from = 0;
	pair_run(p, 3000);
	is_up(p);
	pair_free(p);
}

/* Copies of earlier messages, and of the last ones when all is done, change nothing. */
static void late_copies_change_nothing(void **state)
{
	static const uint16_t methods[] = { KEM, IKE_DH_ECP256 };
	struct pair *p = new_pair(methods, 2);
	struct hold *h = world_hold(&p->w, p->a, IKE_INTERMEDIATE, false, 2);
	unsigned int n, before;

	(void)state;
	pair_start(p, false);
	assert_true(world_await(&p->w, h, 1000));
	before = node_stats(p->b).tx;
	pair_replay(p, pair_sent(p, p->a, IKE_SA_INIT, false, 0));
	pair_run(p, 10);
	assert_int_equal(node_stats(p->b).tx, before);
	n = p->n_sent;
	for (unsigned int i = 0; i < n; i++)
		pair_replay(p, &p->sent[i]);
	pair_run(p, 100);
	world_release(&p->w, h);
	pair_run(p, 1000);
	is_up(p);
	n = p->n_sent;
	for (unsigned int i = 0; i < n; i++)
		pair_replay(p, &p->sent[i]);
	pair_run(p, 1000);
	is_up(p);
	assert_int_equal(node_stats(p->b).key_exchanges, 3);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_free(p);
}

/* A forged message under the next ID takes no keys away from the one that is to come. */
static void forged_ones_change_nothing(void **state)
{
	struct pair *p = with_kem();
	struct hold *h = world_hold(&p->w, p->a, IKE_AUTH, false, 0);
	struct sent forged;

	(void)state;
	pair_start(p, false);
	assert_true(world_await(&p->w, h, 1000));
	forged = *pair_sent(p, p->a, IKE_AUTH, false, 0);
	forged.data[forged.len - 1] ^= 1;
	pair_replay(p, &forged);
	pair_run(p, 10);
	assert_non_null(ikesa_find(&p->b->core->sas, forged.h.spi_r, false)->setup->next_keys);
	forged = *pair_sent(p, p->a, IKE_INTERMEDIATE, false, 0);
	pair_replay(p, &forged); /* its answer is still to be had */
	pair_run(p, 10);
	assert_int_equal(pair_count(p, p->b, IKE_INTERMEDIATE, true), 4);
	world_release(&p->w, h);
	pair_run(p, 100);
	is_up(p);
	pair_free(p);
}

static void no_answer_ends_the_attempt(void **state)
{
	struct pair *p = with_kem();

	(void)state;
	p->drop_from = 1 << p->b->index;
	p->drop_exchange = IKE_INTERMEDIATE;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 65000);
	node_says(p->a, "no answer from 192.0.2.2:4500 to IKE_INTERMEDIATE");
	assert_true(pair_count(p, p->a, IKE_SA_INIT, false) > 1);
	nothing_came_of_it(p);
	pair_free(p);
}

/* ---- wrong ones ---------------------------------------------------------------------- */

/* Until @a's first request of @exchange, which is lost. */
static struct pair *run_until(struct pair *p, uint8_t exchange)
{
	p->drop_from = 1 << p->a->index;
	p->drop_exchange = exchange;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 100);
	p->drop_from = 0;
	return p;
}

static struct pair *until(uint8_t exchange)
{
	return run_until(with_kem(), exchange);
}

static void is_refused(struct pair *p, uint8_t exchange, const char *words)
{
	pair_run(p, 100);
	assert_int_equal(pair_sent(p, p->b, exchange, true, 0)->h.next, IKE_PL_SK);
	if (*words)
		node_says(p->b, words);
	assert_int_equal(node_count(p->b, 0, true) + node_count(p->b, 0, false), 0);
	pair_free(p);
}

/* The payloads of @b reach the other end as a message of @from, whatever that does itself. */
static void say_as(struct pair *p, const struct node *from, struct ike_sa *sa, uint8_t exchange,
		   uint8_t flags, uint32_t id, struct ike_builder *b, uint8_t first)
{
	struct ike_endpoint source = sa->local;
	struct ikesa_message m = { 0 };
	size_t at;

	p->w.any_nonces = true;
	source.addr = from->addr;
	assert_true(message_seal(from->core, sa, exchange, flags, id, b, first, &m));
	for (at = 0; at < m.len; at += m.each)
		world_inject(&p->w, &source, &sa->remote, m.data + at,
			     m.len - at < m.each ? m.len - at : m.each, 0);
	ikesa_message_free(&m);
}

static void say(struct pair *p, const struct node *from, struct ike_sa *sa, uint8_t flags,
		uint32_t id, struct ike_builder *b, uint8_t first)
{
	say_as(p, from, sa, IKE_INTERMEDIATE, flags, id, b, first);
}

/* A request with a KE payload of @method and a value of @len bytes, in place of the right one. */
static void ask_with(uint16_t method, size_t len)
{
	struct pair *p = until(IKE_INTERMEDIATE);
	uint8_t buf[2048], value[IKE_MAX_KE] = { 1 }, first;
	struct ike_builder b;

	request_begin(&b, buf, sizeof(buf), &first);
	if (len)
		ike_build_ke(&b, method, value, len);
	kem_responses = 0;
	say(p, p->a, node_sa(p->a), 0, 1, &b, first);
	is_refused(p, IKE_INTERMEDIATE, "it has no valid value for the key exchange mlkem768");
	assert_int_equal(kem_responses, 0);
}

static void wrong_values_are_refused(void **state)
{
	(void)state;
	ask_with(KEM, KEM_EK_LEN); /* which is no encapsulation key */
	ask_with(KEM, KEM_CT_LEN);
	ask_with(IKE_DH_CURVE25519, 32);
	ask_with(KEM, 0);
}

/* An additional key exchange of X25519, behind one of another group. */
static struct pair *with_x25519(void)
{
	static const uint16_t method = IKE_DH_CURVE25519;
	struct pair *p = new_pair(&method, 1);

	for (unsigned int i = 0; i < 2; i++) {
		struct ike_proposal *own = &(i ? p->b : p->a)->conf[0].ike.p[0];

		own->t[own->n - 2].id = IKE_DH_ECP256;
	}
	return p;
}

/* That a value of X25519 is none is found only by the work: it is done once, and the IKE SA ends. */
static void a_bad_value_costs_one_key(void **state)
{
	struct pair *p = run_until(with_x25519(), IKE_INTERMEDIATE);
	uint8_t buf[128], zero[32] = { 0 }, first;
	struct ike_builder b;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		request_begin(&b, buf, sizeof(buf), &first);
		ike_build_ke(&b, IKE_DH_CURVE25519, zero, sizeof(zero));
		say(p, p->a, node_sa(p->a), 0, 1, &b, first);
	}
	pair_run(p, 20);
	assert_int_equal(node_stats(p->b).key_exchanges, 2);
	is_refused(p, IKE_INTERMEDIATE, "it has no valid value for the key exchange x25519");
}

/* With as much spent on unknown peers as may be, their key exchanges wait; those of known peers do not. */
static void unknown_peers_wait(void **state)
{
	(void)state;
	for (unsigned int known = 0; known < 2; known++) {
		struct pair *p = with_kem();
		struct hold *h = world_hold(&p->w, p->a, IKE_INTERMEDIATE, false, 0);
		struct ike_endpoint at = { p->a->addr, IKE_PORT };
		struct ike_core *core;

		node_start(p->b, false);
		core = p->b->core;
		if (known)
			assert_int_equal(ike_core_tunnel_remote(core, "t0", &at), 0);
		node_start(p->a, false);
		assert_true(world_await(&p->w, h, 1000));
		core->admit.work = 3 * ADMIT_WORK_MAX;
		core->admit.work_at = p->w.now;
		world_release(&p->w, h);
		pair_run(p, 100);
		assert_int_equal(node_stats(p->b).key_exchanges, 1 + known);
		pair_run(p, 10000);
		is_up(p);
		pair_free(p);
	}
}

/* Nobody gets in without the key exchanges that were agreed on. */
static void auth_may_not_come_before(void **state)
{
	struct pair *p = until(IKE_INTERMEDIATE);

	(void)state;
	exchange_end(p->a->core, node_sa(p->a), ikesa_take_out(node_sa(p->a)));
	node_sa(p->a)->setup->addke = 1;
	node_sa(p->a)->tx.next--;
	p->a->core->now = p->w.now;
	x_intermediate_start(p->a->core, node_sa(p->a));
	is_refused(p, IKE_AUTH, "");
}

/* Nor is there more to be had than was agreed on. */
static void more_than_agreed_is_refused(void **state)
{
	struct pair *p = until(IKE_AUTH);
	uint8_t buf[256], value[32] = { 9 }, first;
	struct ike_builder b;

	(void)state;
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_ke(&b, IKE_DH_CURVE25519, value, sizeof(value));
	say(p, p->a, node_sa(p->a), 0, 2, &b, first);
	is_refused(p, IKE_INTERMEDIATE, "nothing was agreed on to come in it");
}

/* The responder refuses: that is what the user reads. */
static void a_refusal_is_told(void **state)
{
	struct pair *p = with_kem();
	struct hold *h = world_hold(&p->w, p->b, IKE_INTERMEDIATE, true, 0);
	uint8_t buf[256], first;
	struct ike_builder b;
	struct ike_sa *sa;

	(void)state;
	pair_start(p, false);
	assert_true(world_await(&p->w, h, 1000));
	sa = ikesa_find(&p->b->core->sas, pair_sent(p, p->b, IKE_SA_INIT, true, 0)->h.spi_r, false);
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_notify(&b, IKE_N_INVALID_SYNTAX, NULL, 0);
	say(p, p->b, sa, IKE_FLAG_RESPONSE, 1, &b, first);
	pair_run(p, 50);
	node_says(
		p->a,
		"peer agreed on the additional key exchange mlkem768, and refused it (INVALID_SYNTAX, 7)");
	pair_free(p);
}

/* Where the notify is lost on the way, there is no IKE_INTERMEDIATE: nothing to choose is left. */
static void it_takes_the_notify(void **state)
{
	struct pair *p = until(IKE_SA_INIT);
	struct sent bare = *pair_sent(p, p->a, IKE_SA_INIT, false, 0);
	struct ike_notify n;

	(void)state;
	assert_true(sent_notify(&bare, IKE_N_INTERMEDIATE_EXCHANGE_SUPPORTED, &n));
	bare.data[n.data - bare.data - 1]++; /* its type */
	pair_replay(p, &bare);
	pair_run(p, 30);
	assert_true(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0), IKE_N_NO_PROPOSAL_CHOSEN,
				&n));
	pair_free(p);
}

/* An answer that chose them, but has no notify, is not taken. */
static void the_answer_takes_it_too(void **state)
{
	struct pair *p = with_kem();
	struct hold *h = world_hold(&p->w, p->b, IKE_SA_INIT, true, 0);
	struct ike_notify n;
	struct sent bare;

	(void)state;
	pair_start(p, false);
	assert_true(world_await(&p->w, h, 1000));
	bare = *pair_sent(p, p->b, IKE_SA_INIT, true, 0);
	assert_true(sent_notify(&bare, IKE_N_INTERMEDIATE_EXCHANGE_SUPPORTED, &n));
	bare.data[n.data - bare.data - 1]++;
	pair_replay(p, &bare);
	pair_run(p, 30);
	node_says(p->a, "it chose additional key exchanges, but no IKE_INTERMEDIATE");
	assert_int_equal(pair_count(p, p->a, IKE_INTERMEDIATE, false), 0);
	pair_free(p);
}

/* ---- rekeying of the IKE SA ------------------------------------------------------------ */

static const uint16_t two[] = { KEM, IKE_DH_ECP256 };

static void ike_sa_is_another(struct pair *p, const uint8_t *former)
{
	assert_memory_not_equal(node_sa(p->a)->spi_i, former, IKE_SPI_LEN);
	assert_memory_equal(node_sa(p->a)->spi_i, node_sa(p->b)->spi_i, IKE_SPI_LEN);
	assert_memory_equal(node_sa(p->a)->keys.d, node_sa(p->b)->keys.d, IKE_MAX_PRF);
	assert_int_equal(node_sa(p->a)->keys.suite.addke.n, 2);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	is_up(p);
}

static struct pair *to_rekey(uint8_t spi[IKE_SPI_LEN])
{
	struct pair *p = new_pair(two, 2);

	pair_start(p, false);
	pair_run(p, 300);
	is_up(p);
	memcpy(spi, node_sa(p->a)->spi_i, IKE_SPI_LEN);
	p->n_sent = 0;
	return p;
}

/* Each end in turn: CREATE_CHILD_SA, then one IKE_FOLLOWUP_KE for each additional key exchange. */
static void each_end_rekeys(void **state)
{
	uint8_t spi[IKE_SPI_LEN];
	struct pair *p = to_rekey(spi);
	struct node *n[] = { p->a, p->b };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		p->n_sent = 0;
		memcpy(spi, node_sa(p->a)->spi_i, IKE_SPI_LEN);
		node_rekey_ike(n[i]);
		pair_run(p, 10000);
		ike_sa_is_another(p, spi);
		assert_true(node_sa(n[i])->initiator);
		assert_int_equal(pair_count(p, n[i], IKE_FOLLOWUP_KE, false),
				 3); /* one in fragments */
		assert_int_equal(pair_count(p, n[!i], IKE_FOLLOWUP_KE, true), 2);
	}
	pair_free(p);
}

/* One message of @exchange, number @nth of its kind, is lost, or comes late and then once more. */
static void disturb(uint8_t exchange, bool response, unsigned int nth, bool late)
{
	uint8_t spi[IKE_SPI_LEN];
	struct pair *p = to_rekey(spi);
	struct hold *h = world_hold(&p->w, response ? p->b : p->a, exchange, response, nth);

	node_rekey_ike(p->a);
	pair_disturb(p, h, late);
	ike_sa_is_another(p, spi);
	pair_free(p);
}

static void each_message_may_be_lost_or_late(void **state)
{
	(void)state;
	for (unsigned int late = 0; late < 2; late++) {
		for (unsigned int nth = 0; nth < 3; nth++) /* the first one has two fragments */
			disturb(IKE_FOLLOWUP_KE, false, nth, late);
		for (unsigned int nth = 0; nth < 2; nth++)
			disturb(IKE_FOLLOWUP_KE, true, nth, late);
		disturb(IKE_CREATE_CHILD_SA, false, 0, late);
		disturb(IKE_CREATE_CHILD_SA, true, 0, late);
	}
}

/* The responder has forgotten the series: STATE_NOT_FOUND, and all begins anew. */
static void a_forgotten_series_begins_anew(void **state)
{
	uint8_t spi[IKE_SPI_LEN];
	struct pair *p = to_rekey(spi);
	struct hold *h = world_hold(&p->w, p->a, IKE_FOLLOWUP_KE, false, 2);
	struct ike_sa *old = node_sa(p->b), *next;
	struct ike_payloads in;
	struct ike_notify n;

	(void)state;
	node_rekey_ike(p->a);
	assert_true(world_await(&p->w, h, 1000));
	next = ikesa_find(&p->b->core->sas, old->heir_spi, false);
	assert_non_null(next);
	assert_false(next->have_keys);
	sa_drop(p->b->core, next);
	world_release(&p->w, h);
	pair_run(p, 30);
	in = sent_open(pair_sent(p, p->b, IKE_FOLLOWUP_KE, true, 1), old);
	assert_true(ike_notify_find(&in, IKE_N_STATE_NOT_FOUND, &n));
	pair_run(p, 10000);
	ike_sa_is_another(p, spi);
	pair_free(p);
}

/* What an initiator that comes back late finds is gone; the old IKE SA goes on meanwhile. */
static void an_abandoned_series_is_forgotten(void **state)
{
	uint8_t spi[IKE_SPI_LEN];
	struct pair *p = to_rekey(spi);
	struct ike_sa *old = node_sa(p->b);

	(void)state;
	pair_begin_series(p, node_rekey_ike);
	assert_int_equal(p->b->core->sas.n, 2);
	pair_leave_series(p);
	pair_run(p, 65000);
	assert_int_equal(p->b->core->sas.n, 1);
	assert_ptr_equal(node_sa(p->b), old);
	assert_false(old->have_heir);
	is_up(p);
	pair_free(p);
}

/* An unfinished series does not outlive the IKE SA, or a peer could have as many as it likes. */
static void a_series_ends_with_the_ike_sa(void **state)
{
	uint8_t spi[IKE_SPI_LEN], heir[IKE_SPI_LEN];
	struct pair *p = to_rekey(spi);

	(void)state;
	pair_begin_series(p, node_rekey_ike);
	memcpy(heir, node_sa(p->b)->heir_spi, IKE_SPI_LEN);
	assert_non_null(ikesa_find(&p->b->core->sas, heir, false));
	ike_core_down(p->b->core, "t0", p->w.now);
	pair_leave_series(p);
	pair_run(p, 100);
	assert_int_equal(node_count(p->b, 0, false), 0);
	assert_null(ikesa_find(&p->b->core->sas, heir, false));
	pair_free(p);
}

/* Both rekey, and only the peer's own needs additional key exchanges: ours takes over, and that one is forgotten. */
static void a_series_ends_with_ours(void **state)
{
	struct pair *p = new_pair(two, 2);
	struct ike_proposals *first = &p->a->conf[0].ike, *second = &p->b->conf[0].ike;
	uint8_t heir[IKE_SPI_LEN];
	struct hold *h;

	(void)state;
	set_methods(second, 1, NULL, 0);
	set_methods(first, 0, NULL, 0);
	set_methods(first, 1, two, 2);
	pair_start(p, false);
	pair_run(p, 300);
	is_up(p);
	h = world_hold(&p->w, p->a, IKE_CREATE_CHILD_SA, true, 0);
	node_rekey_ike(p->a);
	node_rekey_ike(p->b);
	assert_true(world_await(&p->w, h, 1000));
	pair_run(p, 5);
	memcpy(heir, node_sa(p->b)->heir_spi, IKE_SPI_LEN);
	assert_non_null(ikesa_find(&p->b->core->sas, heir, false));
	world_release(&p->w, h);
	pair_run(p, 100);
	assert_null(ikesa_find(&p->b->core->sas, heir, false));
	pair_run(p, 10000);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	is_up(p);
	pair_free(p);
}

/* A peer that begins anew without having come to an end: what was prepared first goes at once. */
static void the_peer_may_begin_anew(void **state)
{
	uint8_t spi[IKE_SPI_LEN];
	struct pair *p = to_rekey(spi);

	(void)state;
	pair_begin_series(p, node_rekey_ike);
	pair_leave_series(p);
	p->w.any_nonces = true;
	node_rekey_ike(p->a);
	pair_run(p, 100);
	assert_int_equal(p->b->core->sas.n, 2);
	p->drop_from = 0;
	pair_run(p, 10000);
	ike_sa_is_another(p, spi);
	pair_free(p);
}

/* Without keys the last answer is a refusal, and all begins anew. */
static void keys_that_fail_are_refused(void **state)
{
	uint8_t spi[IKE_SPI_LEN];
	struct pair *p = to_rekey(spi);
	struct hold *h = world_hold(&p->w, p->a, IKE_FOLLOWUP_KE, false, 2);
	struct ike_payloads in;
	struct ike_notify n;
	struct ike_sa *old = node_sa(p->b);

	(void)state;
	node_rekey_ike(p->a);
	assert_true(world_await(&p->w, h, 1000));
	ikesa_find(&p->b->core->sas, old->heir_spi, false)->proposal.n = 0;
	world_release(&p->w, h);
	pair_run(p, 30);
	in = sent_open(pair_sent(p, p->b, IKE_FOLLOWUP_KE, true, 1), old);
	assert_true(ike_notify_find(&in, IKE_N_TEMPORARY_FAILURE, &n));
	assert_null(ike_payload_find(&in, IKE_PL_KE));
	pair_run(p, 10000);
	ike_sa_is_another(p, spi);
	pair_free(p);
}

/* Both ends begin in the same moment: the one with the lowest nonce does not go on. */
static void both_rekey_at_once(void **state)
{
	uint8_t spi[IKE_SPI_LEN];
	struct pair *p = to_rekey(spi);
	const struct node *winner, *loser;

	(void)state;
	node_rekey_ike(p->a);
	node_rekey_ike(p->b);
	pair_run(p, 300);
	winner = node_sa(p->a)->initiator ? p->a : p->b;
	loser = winner == p->a ? p->b : p->a;
	assert_int_equal(pair_count(p, winner, IKE_CREATE_CHILD_SA, false), 1);
	assert_int_equal(pair_count(p, loser, IKE_CREATE_CHILD_SA, false), 1);
	assert_int_equal(pair_count(p, winner, IKE_FOLLOWUP_KE, false), 3);
	assert_int_equal(pair_count(p, loser, IKE_FOLLOWUP_KE, false), 0);
	pair_run(p, 20000);
	ike_sa_is_another(p, spi);
	pair_free(p);
}

/* Both begin, and message @nth of @exchange from one of them comes late or never. */
static void cross(unsigned int from, uint8_t exchange, bool response, bool lost, unsigned int late)
{
	uint8_t spi[IKE_SPI_LEN];
	struct pair *p = to_rekey(spi);
	struct hold *h = world_hold(&p->w, from ? p->b : p->a, exchange, response, 0);

	node_rekey_ike(p->a);
	node_rekey_ike(p->b);
	if (world_await(&p->w, h, 1000)) {
		pair_run(p, late);
		if (lost)
			world_drop(h);
		else
			world_release(&p->w, h);
	}
	pair_run(p, 90000);
	ike_sa_is_another(p, spi);
	pair_free(p);
}

static void crossing_ones_end_alike(void **state)
{
	static const unsigned int late[] = { 15, 45, 300, 3000 };

	(void)state;
	for (unsigned int i = 0; i < 16; i++)
		for (unsigned int k = 0; k < 4; k++)
			cross(i & 1, i & 2 ? IKE_FOLLOWUP_KE : IKE_CREATE_CHILD_SA, i & 4, i & 8,
			      late[k]);
}

/* The peer's request comes when ours has its response already (RFC 9370 2.2.4). */
static void a_late_rekeying_is_put_off(void **state)
{
	uint8_t spi[IKE_SPI_LEN];
	struct pair *p = to_rekey(spi);
	struct hold *theirs = world_hold(&p->w, p->b, IKE_CREATE_CHILD_SA, false, 0);
	struct hold *ours = world_hold(&p->w, p->a, IKE_FOLLOWUP_KE, false, 0);
	struct ike_payloads in;
	struct ike_notify n;

	(void)state;
	node_rekey_ike(p->b);
	node_rekey_ike(p->a);
	assert_true(world_await(&p->w, ours, 1000));
	world_release(&p->w, theirs);
	pair_run(p, 30);
	in = sent_open(pair_sent(p, p->a, IKE_CREATE_CHILD_SA, true, 0), node_sa(p->a));
	assert_true(ike_notify_find(&in, IKE_N_TEMPORARY_FAILURE, &n));
	world_release(&p->w, ours);
	pair_run(p, 20000);
	ike_sa_is_another(p, spi);
	pair_free(p);
}

/*
 * The responder asks for no pair meanwhile: it would be refused, and each request of ours keeps us from
 * answering the one that comes then. The pair is rekeyed behind.
 */
static void pairs_wait_for_it(void **state)
{
	uint8_t spi[IKE_SPI_LEN];
	struct pair *p = to_rekey(spi);
	struct hold *h = world_hold(&p->w, p->a, IKE_FOLLOWUP_KE, false, 2);
	uint32_t esp = node_out(p->b, 0)->spi;

	(void)state;
	node_rekey_ike(p->a);
	assert_true(world_await(&p->w, h, 1000));
	node_rekey_child(p->b);
	world_release(&p->w, h);
	pair_run(p, 15);
	assert_int_equal(pair_count(p, p->b, IKE_CREATE_CHILD_SA, false), 0);
	assert_int_equal(pair_count(p, p->b, IKE_FOLLOWUP_KE, true), 2);
	pair_run(p, 30000);
	ike_sa_is_another(p, spi);
	assert_int_not_equal(node_out(p->b, 0)->spi, esp);
	pair_free(p);
}

/* … and for no further one. */
static void a_further_pair_waits_for_it(void **state)
{
	struct pair *p = new_pair(two, 2);
	struct ike_tunnel_conf *c = &p->b->conf[0];
	struct hold *h;

	(void)state;
	c->child[1] = c->child[0];
	c->n_child = 2;
	pair_start(p, false);
	pair_run(p, 300);
	is_up(p);
	p->n_sent = 0;
	h = world_hold(&p->w, p->a, IKE_FOLLOWUP_KE, false, 2);
	node_rekey_ike(p->a);
	assert_true(world_await(&p->w, h, 1000));
	x_create_pair(p->b->core, node_sa(p->b), 1);
	world_release(&p->w, h);
	pair_run(p, 15);
	assert_int_equal(pair_count(p, p->b, IKE_CREATE_CHILD_SA, false), 0);
	assert_int_equal(pair_count(p, p->b, IKE_FOLLOWUP_KE, true), 2);
	pair_free(p);
}

/* Pairs move with the last answer, so that waits until what we asked about one is settled. */
static void it_waits_for_a_delete(void **state)
{
	uint8_t spi[IKE_SPI_LEN];
	struct pair *p = to_rekey(spi);
	struct hold *h = world_hold(&p->w, p->a, IKE_FOLLOWUP_KE, false, 2);
	struct hold *del = world_hold(&p->w, p->b, IKE_INFORMATIONAL, false, 0);

	(void)state;
	node_rekey_child(p->b);
	pair_run(p, 500);
	node_rekey_ike(p->a);
	assert_true(world_await(&p->w, h, 1000));
	assert_true(world_await(&p->w, del, 2000));
	world_release(&p->w, h);
	pair_run(p, 15);
	assert_int_equal(pair_count(p, p->b, IKE_FOLLOWUP_KE, true), 1);
	world_release(&p->w, del);
	pair_run(p, 30000);
	ike_sa_is_another(p, spi);
	pair_free(p);
}

static void it_ends_with_the_tunnel(void **state)
{
	uint8_t spi[IKE_SPI_LEN];

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct pair *p = to_rekey(spi);
		struct hold *h =
			world_hold(&p->w, i & 1 ? p->a : p->b, IKE_FOLLOWUP_KE, !(i & 1), i >> 1);

		node_rekey_ike(p->a);
		assert_true(world_await(&p->w, h, 1000));
		ike_core_down(i & 2 ? p->a->core : p->b->core, "t0", p->w.now);
		world_release(&p->w, h);
		pair_run(p, 70000);
		nothing_came_of_it(p);
		assert_int_equal(node_stats(i & 2 ? p->a : p->b).ike_sas, 0);
		pair_free(p);
	}
}

/* A value that is none, in a series: the peer is authentic and wrong, so the IKE SA ends (2.21.3). */
static void wrong_values_end_it(void **state)
{
	uint8_t spi[IKE_SPI_LEN], buf[2048], value[KEM_EK_LEN] = { 1 }, link[IKE_SPI_LEN + 1],
					     first;
	struct pair *p = to_rekey(spi);
	struct hold *h = world_hold(&p->w, p->a, IKE_FOLLOWUP_KE, false, 0);
	struct ike_builder b;

	(void)state;
	node_rekey_ike(p->a);
	assert_true(world_await(&p->w, h, 1000));
	memcpy(link, node_sa(p->b)->heir_spi, IKE_SPI_LEN);
	link[IKE_SPI_LEN] = 0;
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_ke(&b, KEM, value, sizeof(value));
	ike_build_notify(&b, IKE_N_ADDITIONAL_KEY_EXCHANGE, link, sizeof(link));
	say_as(p, p->a, node_sa(p->a), IKE_FOLLOWUP_KE, 0, node_sa(p->a)->tx.next - 1, &b, first);
	pair_run(p, 30);
	assert_int_equal(node_count(p->b, 0, false), 0);
	pair_free(p);
}

/* SKEYSEED of an IKE SA that replaces another, with two more key exchanges, by hand (RFC 9370 2.2.4). */
static void keys_are_those_of_the_rfc(void **state)
{
	static const struct ike_suite suite = { .cipher = { IKE_ENCR_AES_GCM_16, 256, 0 },
						.prf = IKE_PRF_HMAC_SHA2_256,
						.dh = IKE_DH_CURVE25519 };
	static const uint8_t ni[16] = { 1 }, nr[16] = { 2 }, i[8] = { 3 }, r[8] = { 4 };
	const struct ike_nonces n = { .i = ni, .r = nr, .i_len = 16, .r_len = 16 };
	const struct ike_secret s[] = { { { 5 }, 32 }, { { 6 }, 32 }, { { 7 }, 66 } };
	const struct ike_iov in[] = {
		{ s[0].data, 32 }, { ni, 16 }, { nr, 16 }, { s[1].data, 32 }, { s[2].data, 66 }
	};
	const struct ike_iov seed[] = { { ni, 16 }, { nr, 16 }, { i, 8 }, { r, 8 } };
	struct ike_keys old = { .suite = suite, .d_len = 32, .d = { 9 } }, k;
	uint8_t skeyseed[32], d[32];

	(void)state;
	assert_int_equal(ike_prf(suite.prf, old.d, 32, in, 5, skeyseed), 0);
	assert_int_equal(ike_prf_plus(suite.prf, skeyseed, 32, seed, 4, d, 32), 0);
	assert_int_equal(ike_keys_rekey(&k, &suite, &old, &n, i, r, s[0].data, 32, s + 1, 2), 0);
	assert_memory_equal(k.d, d, 32);
}

/* ---- what AUTH covers ---------------------------------------------------------------- */

/* IntAuth of one exchange and of two, from RFC 9242 3.3.2 by hand. */
static void intauth_is_that_of_the_rfc(void **state)
{
	static const uint8_t inner[] = { 0, 0, 0, 9, 'h', 'e', 'l', 'l', 'o' };
	static const uint8_t head[32] = {
		1,
		1,
		1,
		1,
		1,
		1,
		1,
		1,
		2,
		2,
		2,
		2,
		2,
		2,
		2,
		2, /* SPIs */
		46,
		0x20,
		43,
		0x08,
		0,
		0,
		0,
		1, /* SK, version, IKE_INTERMEDIATE, flag, message ID */
		0,
		0,
		0,
		28 + 4 + 9, /* adjusted length */
		IKE_PL_VENDOR,
		0x05,
		0,
		4 + 9, /* first, reserved bits, adjusted payload length */
	};
	struct ike_header h = { .spi_i = { 1, 1, 1, 1, 1, 1, 1, 1 },
				.spi_r = { 2, 2, 2, 2, 2, 2, 2, 2 },
				.next = IKE_PL_SKF,
				.version = 0x20,
				.exchange = IKE_INTERMEDIATE,
				.flags = IKE_FLAG_INITIATOR,
				.id = 1,
				.length = 4711 };
	struct ike_payloads in = { .outer_flags = 5,
				   .n = 1,
				   .p = { { .type = IKE_PL_VENDOR, .body = inner + 4, .len = 5 } } };
	struct ike_sa *sa = ikesa_new(true, 0);
	const struct ike_iov once[] = { { head, 32 }, { inner, 9 } };
	uint8_t i1[32], i2[32], out[INTAUTH_MAX];
	const struct ike_iov twice[] = { { i1, 32 }, { head, 32 }, { inner, 9 } };
	static const uint8_t mid[] = { 0, 0, 0, 3 };

	(void)state;
	assert_int_equal(intauth_octets(sa, out), 0);
	sa->keys.suite.prf = IKE_PRF_HMAC_SHA2_256;
	memset(sa->keys.pi, 'i', 32);
	memset(sa->keys.pr, 'r', 32);
	assert_true(intauth_add_received(sa, &h, &in));
	assert_int_equal(ike_prf(IKE_PRF_HMAC_SHA2_256, sa->keys.pi, 32, once, 2, i1), 0);
	assert_memory_equal(sa->setup->intauth.i, i1, 32);
	assert_true(intauth_add_received(sa, &h, &in));
	assert_int_equal(ike_prf(IKE_PRF_HMAC_SHA2_256, sa->keys.pi, 32, twice, 3, i2), 0);
	h.flags = IKE_FLAG_RESPONSE;
	in.n = 0;
	assert_true(intauth_add_received(sa, &h, &in));
	sa->setup->intauth.n = 2;
	assert_int_equal(intauth_octets(sa, out), 2 * 32 + 4);
	assert_memory_equal(out, i2, 32);
	assert_memory_equal(out + 32, sa->setup->intauth.r, 32);
	assert_memory_equal(out + 64, mid, 4);
	ikesa_free(sa);
}

static size_t tail_len; /* of what is signed, behind message and nonce */

static const uint8_t *note_tail(void *ctx, const struct ike_job *job, unsigned int at, size_t *len)
{
	static const uint8_t key[] = "a key of both ends, for this test";

	(void)ctx;
	(void)at;
	tail_len = job->octets[2].len;
	*len = sizeof(key);
	return key;
}

static void auth_covers_it(void **state)
{
	struct pair *p = with_kem();

	(void)state;
	p->a->find_key = p->b->find_key = note_tail;
	pair_start(p, true);
	is_up(p);
	assert_int_equal(tail_len, 3 * ike_prf_len(node_sa(p->a)->keys.suite.prf) + 4);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kem_comes_in_fragments),
		cmocka_unit_test(seven_follow_one_another),
		cmocka_unit_test(a_peer_may_do_without),
		cmocka_unit_test(a_peer_may_not_do_without),
		cmocka_unit_test(less_than_required_is_left_out),
		cmocka_unit_test(a_lost_one_is_sent_again),
		cmocka_unit_test(small_packets_get_through),
		cmocka_unit_test(an_answer_is_split_anew),
		cmocka_unit_test(late_copies_change_nothing),
		cmocka_unit_test(forged_ones_change_nothing),
		cmocka_unit_test(no_answer_ends_the_attempt),
		cmocka_unit_test(wrong_values_are_refused),
		cmocka_unit_test(a_bad_value_costs_one_key),
		cmocka_unit_test(unknown_peers_wait),
		cmocka_unit_test(auth_may_not_come_before),
		cmocka_unit_test(more_than_agreed_is_refused),
		cmocka_unit_test(a_refusal_is_told),
		cmocka_unit_test(it_takes_the_notify),
		cmocka_unit_test(the_answer_takes_it_too),
		cmocka_unit_test(each_end_rekeys),
		cmocka_unit_test(each_message_may_be_lost_or_late),
		cmocka_unit_test(a_forgotten_series_begins_anew),
		cmocka_unit_test(an_abandoned_series_is_forgotten),
		cmocka_unit_test(a_series_ends_with_the_ike_sa),
		cmocka_unit_test(a_series_ends_with_ours),
		cmocka_unit_test(the_peer_may_begin_anew),
		cmocka_unit_test(keys_that_fail_are_refused),
		cmocka_unit_test(both_rekey_at_once),
		cmocka_unit_test(crossing_ones_end_alike),
		cmocka_unit_test(a_late_rekeying_is_put_off),
		cmocka_unit_test(pairs_wait_for_it),
		cmocka_unit_test(a_further_pair_waits_for_it),
		cmocka_unit_test(it_waits_for_a_delete),
		cmocka_unit_test(it_ends_with_the_tunnel),
		cmocka_unit_test(wrong_values_end_it),
		cmocka_unit_test(keys_are_those_of_the_rfc),
		cmocka_unit_test(intauth_is_that_of_the_rfc),
		cmocka_unit_test(auth_covers_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
