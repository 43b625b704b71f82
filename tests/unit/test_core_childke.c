// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Additional key exchanges for pairs of ESP SAs (RFC 9370 2.2.4), between two cores: new ones and rekeyed ones,
 * what is lost, late or forgotten, both ends at once, and peers that do it wrongly.
 */
#include "core_util.h"
#include "ike/core/core.h"

static const char further[] = "aes256gcm16-x25519-ke1_ecp256-ke2_ecp384-noesn";

static void set_esp(struct node *n, const char *words)
{
	char err[256];

	if (ike_proposals_from_text(words, IKE_PROTO_ESP, &n->conf[0].esp, err, sizeof(err)))
		fail_msg("%s", err);
}

static struct pair *new_pair(const char *a, const char *b)
{
	struct pair *p = pair_new();

	set_esp(p->a, a);
	set_esp(p->b, b);
	p->a->conf[0].liveness = p->b->conf[0].liveness = 0;
	return p;
}

static struct pair *ready(void)
{
	struct pair *p = new_pair(further, further);

	pair_start(p, true);
	p->n_sent = 0;
	return p;
}

static const struct child_sa *child_of(const struct node *n)
{
	return TAILQ_LAST(&node_sa(n)->children, child_sas);
}

/* Both ends are at rest with one pair, and hold nothing that waits. */
static void is_at_rest(struct pair *p)
{
	char why[200] = "";

	if (!link_at_rest(&p->w, 0, 1, why, sizeof(why)))
		fail_msg("%s", why);
	assert_true(direction_works(p->a, p->b, 0));
	assert_true(direction_works(p->b, p->a, 0));
	assert_null(node_sa(p->a)->agreed);
	assert_null(node_sa(p->b)->agreed);
}

/* … which is another one than @former, and has keys of three exchanges. */
static void is_renewed(struct pair *p, uint32_t former)
{
	is_at_rest(p);
	assert_int_not_equal(node_out(p->a, 0)->spi, former);
	assert_int_equal(child_of(p->a)->suite.addke.n, 2);
	assert_int_equal(child_of(p->b)->suite.addke.n, 2);
}

/* ---- what works ---------------------------------------------------------------------- */

/* IKE_AUTH has no key exchange for the first pair, so that it offers each proposal once. */
static void the_first_pair_has_none(void **state)
{
	struct pair *p = new_pair(further, further);
	struct ike_sa_payload offer;
	struct ike_payloads in;

	(void)state;
	assert_int_equal(p->a->conf[0].esp.n, 2);
	pair_start(p, true);
	in = sent_open(pair_sent(p, p->a, IKE_AUTH, false, 0), node_sa(p->b));
	assert_int_equal(ike_sa_parse(ike_payload_find(&in, IKE_PL_SA), &offer), 0);
	assert_int_equal(offer.n, 1);
	assert_int_equal(child_of(p->a)->suite.addke.n, 0);
	is_at_rest(p);
	pair_free(p);
}

static void each_end_rekeys(void **state)
{
	struct pair *p = ready();
	struct node *n[] = { p->a, p->b };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t former = node_out(p->a, 0)->spi;

		p->n_sent = 0;
		node_rekey_child(n[i]);
		pair_run(p, 10000);
		is_renewed(p, former);
		assert_int_equal(pair_count(p, n[i], IKE_CREATE_CHILD_SA, false), 1);
		assert_int_equal(pair_count(p, n[i], IKE_FOLLOWUP_KE, false), 2);
		assert_int_equal(pair_count(p, n[!i], IKE_FOLLOWUP_KE, true), 2);
	}
	pair_free(p);
}

/* A pair that is asked for where there is none. */
static void a_new_pair_has_them(void **state)
{
	struct pair *p = ready();
	uint32_t former = node_out(p->a, 0)->spi;

	(void)state;
	request_delete_child(p->b->core, node_sa(p->b), TAILQ_FIRST(&node_sa(p->b)->children));
	ike_core_timer(p->b->core, p->w.now);
	pair_run(p, 20000);
	is_renewed(p, former);
	assert_int_equal(pair_count(p, p->a, IKE_FOLLOWUP_KE, false), 2);
	pair_free(p);
}

/* A peer that knows nothing of them takes the proposal without; so does one that has its own way. */
static void a_peer_may_do_without(void **state)
{
	static const char *const theirs[] = { "aes256gcm16-x25519-noesn",
					      "aes256gcm16-nopfs-noesn" };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct pair *p = i & 2 ? new_pair(theirs[i & 1], further)
				       : new_pair(further, theirs[i & 1]);
		uint32_t former;

		pair_start(p, true);
		former = node_out(p->a, 0)->spi;
		p->n_sent = 0;
		node_rekey_child(p->a);
		pair_run(p, 10000);
		is_at_rest(p);
		assert_int_not_equal(node_out(p->a, 0)->spi, former);
		assert_int_equal(pair_count(p, p->a, IKE_FOLLOWUP_KE, false), 0);
		pair_free(p);
	}
}

/* Who requires them gets no other successor; the pair goes on, and another IKE SA brings one. */
static void a_peer_may_not_do_without(void **state)
{
	struct pair *p =
		new_pair("aes256gcm16-x25519-ke1_ecp256-pfs-noesn", "aes256gcm16-x25519-noesn");

	(void)state;
	assert_int_equal(p->a->conf[0].esp.n, 1);
	pair_start(p, true);
	node_rekey_child(p->a);
	pair_run(p, 200);
	node_says(p->b, "no common additional key exchange 1");
	pair_run(p, 20000);
	is_at_rest(p);
	pair_free(p);
}

/* ---- what is lost, late or forgotten ------------------------------------------------------ */

/* One message of @exchange, number @nth of its kind, is lost, or comes late and then once more. */
static void disturb(uint8_t exchange, bool response, unsigned int nth, bool late)
{
	struct pair *p = ready();
	uint32_t former = node_out(p->a, 0)->spi;
	struct hold *h = world_hold(&p->w, response ? p->b : p->a, exchange, response, nth);

	node_rekey_child(p->a);
	pair_disturb(p, h, late);
	is_renewed(p, former);
	pair_free(p);
}

static void each_message_may_be_lost_or_late(void **state)
{
	(void)state;
	for (unsigned int late = 0; late < 2; late++) {
		for (unsigned int nth = 0; nth < 2; nth++) {
			disturb(IKE_FOLLOWUP_KE, false, nth, late);
			disturb(IKE_FOLLOWUP_KE, true, nth, late);
		}
		disturb(IKE_CREATE_CHILD_SA, false, 0, late);
		disturb(IKE_CREATE_CHILD_SA, true, 0, late);
	}
}

/* The responder has forgotten the series: STATE_NOT_FOUND, and all begins anew. */
static void a_forgotten_series_begins_anew(void **state)
{
	for (unsigned int nth = 0; nth < 2; nth++) {
		struct pair *p = ready();
		uint32_t former = node_out(p->a, 0)->spi;
		struct hold *h = world_hold(&p->w, p->a, IKE_FOLLOWUP_KE, false, nth);
		struct ike_payloads in;
		struct ike_notify n;

		(void)state;
		node_rekey_child(p->a);
		assert_true(world_await(&p->w, h, 1000));
		assert_non_null(node_sa(p->b)->agreed);
		child_drop_agreed(p->b->core, node_sa(p->b));
		world_release(&p->w, h);
		pair_run(p, 30);
		in = sent_open(pair_sent(p, p->b, IKE_FOLLOWUP_KE, true, nth), node_sa(p->b));
		assert_true(ike_notify_find(&in, IKE_N_STATE_NOT_FOUND, &n));
		pair_run(p, 20000);
		is_renewed(p, former);
		pair_free(p);
	}
}

/* What an initiator leaves behind goes in time, and its SPI with it. */
static void an_abandoned_series_is_forgotten(void **state)
{
	struct pair *p = ready();

	(void)state;
	pair_begin_series(p, node_rekey_child);
	assert_non_null(node_sa(p->b)->agreed);
	pair_leave_series(p);
	pair_run(p, 65000);
	is_at_rest(p);
	pair_free(p);
}

/* One series of an IKE SA at a time: the one that began before is forgotten. */
static void the_peer_may_begin_anew(void **state)
{
	struct pair *p = ready();
	struct ike_sa *sa = node_sa(p->a);
	uint32_t former = node_out(p->a, 0)->spi;
	unsigned int sas;

	(void)state;
	pair_begin_series(p, node_rekey_child);
	sas = p->b->n_sa;
	exchange_end(p->a->core, sa, ikesa_take_out(sa));
	node_sa(p->b)->rx.next++; /* as if it had come, and been refused */
	p->w.any_nonces = true;
	node_rekey_child(p->a);
	pair_run(p, 100);
	assert_int_equal(p->b->n_sa, sas);
	p->drop_from = 0;
	pair_run(p, 20000);
	is_renewed(p, former);
	pair_free(p);
}

/* ---- both ends -------------------------------------------------------------------------- */

static void both_rekey_at_once(void **state)
{
	struct pair *p = ready();
	uint32_t former = node_out(p->a, 0)->spi;

	(void)state;
	node_rekey_child(p->a);
	node_rekey_child(p->b);
	pair_run(p, 90000);
	is_renewed(p, former);
	pair_free(p);
}

/* Both begin, and a message of @exchange from one of them comes late or never. */
static void cross(unsigned int from, uint8_t exchange, bool response, bool lost, unsigned int late,
		  unsigned int nth, uint8_t nonces)
{
	struct pair *p = ready();
	uint32_t former = node_out(p->a, 0)->spi;
	struct hold *h = world_hold(&p->w, from ? p->b : p->a, exchange, response, nth);

	p->a->nonces_begin = nonces;
	p->b->nonces_begin = nonces ? (uint8_t)(0x90 - nonces) : 0;
	node_rekey_child(p->a);
	node_rekey_child(p->b);
	if (world_await(&p->w, h, 1000)) {
		pair_run(p, late);
		if (lost)
			world_drop(h);
		else
			world_release(&p->w, h);
	}
	pair_run(p, 150000);
	is_at_rest(p);
	assert_int_not_equal(node_out(p->a, 0)->spi, former);
	pair_free(p);
}

static void crossing_ones_end_alike(void **state)
{
	static const unsigned int late[] = { 15, 45, 300, 3000 };

	(void)state;
	for (unsigned int i = 0; i < 64; i++)
		for (unsigned int k = 0; k < 4; k++)
			cross(i & 1, i & 2 ? IKE_FOLLOWUP_KE : IKE_CREATE_CHILD_SA, i & 4, i & 8,
			      late[k], i & 16 ? 1 : 0, i & 32 ? 0x20 : 0x70);
}

/* One end rekeys the pair, the other the IKE SA. */
static void an_ike_sa_is_rekeyed_meanwhile(void **state)
{
	for (unsigned int i = 0; i < 6; i++) {
		struct pair *p = ready();
		uint32_t former = node_out(p->a, 0)->spi;
		struct hold *h = world_hold(&p->w, i & 1 ? p->a : p->b, IKE_FOLLOWUP_KE, !(i & 1),
					    i >> 1 & 1);

		(void)state;
		node_rekey_child(p->a);
		assert_true(world_await(&p->w, h, 1000));
		node_rekey_ike(i < 4 ? p->b : p->a);
		pair_run(p, 1000);
		world_release(&p->w, h);
		pair_run(p, 90000);
		is_renewed(p, former);
		assert_int_equal(node_stats(p->a).ike_sas, 1);
		pair_free(p);
	}
}

static void it_ends_with_the_tunnel(void **state)
{
	for (unsigned int i = 0; i < 8; i++) {
		struct pair *p = ready();
		struct hold *h = world_hold(&p->w, i & 1 ? p->a : p->b, IKE_FOLLOWUP_KE, !(i & 1),
					    i >> 1 & 1);

		(void)state;
		node_rekey_child(p->a);
		assert_true(world_await(&p->w, h, 1000));
		ike_core_down(i & 4 ? p->a->core : p->b->core, "t0", p->w.now);
		if (i & 4)
			ike_core_down(p->b->core, "t0", p->w.now);
		world_release(&p->w, h);
		pair_run(p, i & 4 ? 70000 : 200);
		assert_int_equal(node_count(p->b, 0, true) + node_count(p->b, 0, false), 0);
		assert_int_equal(p->b->n_sa, 0);
		if (i & 4)
			assert_int_equal(p->a->n_sa, 0);
		pair_free(p);
	}
}

/* The configuration has other terms by the time the last answer is there. */
static void a_change_ends_it(void **state)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct pair *p = ready();
		struct node *n = i & 1 ? p->a : p->b;
		struct hold *h = world_hold(&p->w, p->b, IKE_FOLLOWUP_KE, true, i >> 1);

		(void)state;
		node_rekey_child(p->a);
		assert_true(world_await(&p->w, h, 1000));
		n->conf[0].esp.p[0].t[0].key_bits = 256;
		set_esp(n, "aes256gcm16-x25519-ke1_ecp256-noesn, aes128gcm16-x25519-noesn");
		assert_int_equal(ike_core_tunnel_change(n->core, &n->conf[0], false, p->w.now), 0);
		world_release(&p->w, h);
		pair_run(p, 120000);
		is_at_rest(p);
		pair_free(p);
	}
}

/* ---- peers that do it wrongly ---------------------------------------------------------------- */

/* The last answer has no usable value: the peer, which has made the pair, deletes it again. */
static void a_wrong_last_value_undoes_it(void **state)
{
	for (unsigned int nth = 0; nth < 2; nth++) {
		struct pair *p = ready();
		struct hold *h = world_hold(&p->w, p->b, IKE_FOLLOWUP_KE, true, nth);
		uint8_t buf[512], value[64] = { 1 }, first;
		struct ike_endpoint source;
		struct ikesa_message m = { 0 };
		struct ike_builder b;

		(void)state;
		node_rekey_child(p->a);
		assert_true(world_await(&p->w, h, 1000));
		p->w.any_nonces = true;
		request_begin(&b, buf, sizeof(buf), &first);
		ike_build_ke(&b, nth ? IKE_DH_ECP384 : IKE_DH_ECP256, value, sizeof(value));
		source = node_sa(p->b)->local;
		assert_true(message_seal(p->b->core, node_sa(p->b), IKE_FOLLOWUP_KE,
					 IKE_FLAG_RESPONSE, node_sa(p->b)->rx.next - 1, &b, first,
					 &m));
		world_inject(&p->w, &source, &node_sa(p->b)->remote, m.data, m.len, 0);
		ikesa_message_free(&m);
		pair_run(p, 200);
		world_drop(h);
		pair_run(p, 90000);
		is_at_rest(p);
		pair_free(p);
	}
}

/* A request that names a series, and has no value for it: the peer is authentic and wrong (RFC 7296 2.21.3). */
static void wrong_values_end_it(void **state)
{
	struct pair *p = ready();
	struct hold *h = world_hold(&p->w, p->a, IKE_FOLLOWUP_KE, false, 0);
	uint8_t buf[512], value[64] = { 1 }, link[5], first;
	struct ike_endpoint source;
	struct ikesa_message m = { 0 };
	struct ike_builder b;
	struct writer w = writer_init(link, sizeof(link));

	(void)state;
	node_rekey_child(p->a);
	assert_true(world_await(&p->w, h, 1000));
	writer_be32(&w, node_sa(p->b)->agreed->spi_in);
	writer_u8(&w, 0);
	p->w.any_nonces = true;
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_ke(&b, IKE_DH_ECP256, value, sizeof(value));
	ike_build_notify(&b, IKE_N_ADDITIONAL_KEY_EXCHANGE, link, sizeof(link));
	source = node_sa(p->a)->local;
	assert_true(message_seal(p->a->core, node_sa(p->a), IKE_FOLLOWUP_KE, IKE_FLAG_INITIATOR,
				 node_sa(p->a)->tx.next - 1, &b, first, &m));
	world_inject(&p->w, &source, &node_sa(p->a)->remote, m.data, m.len, 0);
	ikesa_message_free(&m);
	pair_run(p, 30);
	assert_int_equal(node_count(p->b, 0, false), 0);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_pair_has_none),
		cmocka_unit_test(each_end_rekeys),
		cmocka_unit_test(a_new_pair_has_them),
		cmocka_unit_test(a_peer_may_do_without),
		cmocka_unit_test(a_peer_may_not_do_without),
		cmocka_unit_test(each_message_may_be_lost_or_late),
		cmocka_unit_test(a_forgotten_series_begins_anew),
		cmocka_unit_test(an_abandoned_series_is_forgotten),
		cmocka_unit_test(the_peer_may_begin_anew),
		cmocka_unit_test(both_rekey_at_once),
		cmocka_unit_test(crossing_ones_end_alike),
		cmocka_unit_test(an_ike_sa_is_rekeyed_meanwhile),
		cmocka_unit_test(it_ends_with_the_tunnel),
		cmocka_unit_test(a_change_ends_it),
		cmocka_unit_test(a_wrong_last_value_undoes_it),
		cmocka_unit_test(wrong_values_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
