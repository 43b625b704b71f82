// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rekeying of pairs and of IKE SAs by their age: who keeps what, and that no moment is without a
 * pair. Crossing requests in every order are in the simulation.
 */
#include "core_util.h"

#include <errno.h>

#include "ike/core/core.h"
#include "ike/child/layer_child.h"
#include "ike/child/proposal.h"

/* One end rekeys (or both) after so many seconds; 0: never. */
static struct pair *up(uint32_t ike_a, uint32_t ike_b, uint32_t child_a, uint32_t child_b)
{
	struct pair *p = pair_new();

	p->a->conf[0].rekey_ike = ike_a;
	p->b->conf[0].rekey_ike = ike_b;
	p->a->conf[0].rekey_child = child_a;
	p->b->conf[0].rekey_child = child_b;
	p->a->conf[0].liveness = p->b->conf[0].liveness = 0;
	pair_start(p, true);
	p->w.link[0].watch = true;
	return p;
}

static void rekey_no_more(struct node *n)
{
	struct tunnel_conf *conf = own_conf(n);

	conf->rekey_ike = conf->rekey_child = 0;
}

/* One pair and one IKE SA at each end; nothing went wrong, and no IKE SA was begun but the first. */
static void at_rest(struct pair *p)
{
	char why[200] = "";

	if (!link_at_rest(&p->w, 0, 1, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	assert_int_equal(node_stats(p->a).children, 1);
	assert_int_equal(node_stats(p->b).children, 1);
	assert_string_equal(node_error(p->a), "");
	assert_string_equal(node_error(p->b), "");
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	assert_int_equal(pair_count(p, p->b, IKE_SA_INIT, false), 0);
}

/* Both ends count a renewal once, whoever began. */
static void has_rekeyed(const struct pair *p, uint64_t ike, uint64_t child)
{
	const struct node *const ends[] = { p->a, p->b };

	for (unsigned int i = 0; i < 2; i++) {
		struct ike_status s = node_status(ends[i], 0);

		assert_int_equal(s.rekeys.ike, ike);
		assert_int_equal(s.rekeys.child, child);
	}
}

static void ike_by(bool responder)
{
	struct pair *p = up(responder ? 0 : 20, responder ? 20 : 0, 0, 0);
	struct node *n = responder ? p->b : p->a;
	uint8_t spi[IKE_SPI_LEN];
	uint32_t esp = node_out(p->a, 0)->spi;

	memcpy(spi, node_sa(n)->spi_i, sizeof(spi));
	pair_run(p, 25000);
	rekey_no_more(n);
	assert_memory_not_equal(spi, node_sa(p->a)->spi_i, sizeof(spi));
	assert_memory_equal(node_sa(p->a)->spi_i, node_sa(p->b)->spi_i, sizeof(spi));
	assert_int_equal(pair_count(p, n, IKE_CREATE_CHILD_SA, false), 1);
	assert_int_equal(pair_count(p, n, IKE_INFORMATIONAL, false), 1); /* DELETE of the old one */
	/* Who rekeyed is the initiator of the new one, whose message IDs begin at 0. */
	assert_true(node_sa(n)->initiator);
	assert_int_equal(node_sa(n)->tx.next, 0);
	assert_int_equal(node_sa(n)->rx.next, 0);
	assert_int_equal(node_out(p->a, 0)->spi, esp); /* the pair went with it */
	has_rekeyed(p, 1, 0);
	at_rest(p);
	pair_free(p);
}

static void ike_by_initiator(void **state)
{
	(void)state;
	ike_by(false);
}

static void ike_by_responder(void **state)
{
	(void)state;
	ike_by(true);
}

/* Again and again, by both, together with their pair, for ten minutes. */
static void everything_by_both(void **state)
{
	struct pair *p = up(11, 13, 5, 6);

	(void)state;
	p->w.filter = NULL; /* more messages than a pair records */
	pair_run(p, 600000);
	assert_true(p->a->installs > 100);
	rekey_no_more(p->a);
	rekey_no_more(p->b);
	pair_run(p, 80000);
	at_rest(p);
	pair_free(p);
}

/* Both ask in the same moment: two new IKE SAs, of which both keep the same. */
static void ike_by_both_at_once(void **state)
{
	struct pair *p = up(0, 0, 0, 0);

	(void)state;
	node_sa(p->a)->rekey_at = node_sa(p->b)->rekey_at = p->w.now + 1000;
	sa_touch(p->a->core, node_sa(p->a));
	sa_touch(p->b->core, node_sa(p->b));
	pair_run(p, 5000);
	assert_int_equal(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false), 1);
	assert_int_equal(pair_count(p, p->b, IKE_CREATE_CHILD_SA, false), 1);
	assert_memory_equal(node_sa(p->a)->spi_i, node_sa(p->b)->spi_i, IKE_SPI_LEN);
	has_rekeyed(p, 1, 0);
	at_rest(p);
	pair_free(p);
}

static void child_by_both_at_once(void **state)
{
	struct pair *p = up(0, 0, 0, 0);
	uint64_t at = p->w.now + 1000;

	(void)state;
	TAILQ_FIRST(&node_sa(p->a)->children)->next_at = at;
	TAILQ_FIRST(&node_sa(p->b)->children)->next_at = at;
	sa_touch(p->a->core, node_sa(p->a));
	sa_touch(p->b->core, node_sa(p->b));
	pair_run(p, 10000);
	assert_int_equal(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false), 1);
	assert_int_equal(pair_count(p, p->b, IKE_CREATE_CHILD_SA, false), 1);
	has_rekeyed(p, 0, 1);
	at_rest(p);
	pair_free(p);
}

/* A pair and its IKE SA at the same time, one by each end: both are put off, neither for good. */
static void child_and_ike_at_once(void **state)
{
	struct pair *p = up(0, 0, 0, 0);
	uint32_t old = node_out(p->a, 0)->spi;
	uint8_t spi[IKE_SPI_LEN];

	(void)state;
	memcpy(spi, node_sa(p->a)->spi_i, sizeof(spi));
	TAILQ_FIRST(&node_sa(p->a)->children)->next_at = p->w.now + 1000;
	node_sa(p->b)->rekey_at = p->w.now + 1000;
	sa_touch(p->a->core, node_sa(p->a));
	sa_touch(p->b->core, node_sa(p->b));
	pair_run(p, 30000);
	assert_memory_not_equal(spi, node_sa(p->a)->spi_i, sizeof(spi));
	assert_int_not_equal(node_out(p->a, 0)->spi, old);
	at_rest(p);
	pair_free(p);
}

/* A peer that rekeys and never deletes what it replaced does not get one IKE SA after the other. */
static void old_ones_are_not_deleted(void **state)
{
	struct pair *p = up(0, 0, 0, 0);
	const struct ike_sa *sa;
	unsigned int i, n = 0;

	(void)state;
	p->drop_from = 1 << 0;
	p->drop_exchange = IKE_INFORMATIONAL;
	p->drop_requests = true;
	for (i = 0; i < 10; i++) {
		node_sa(p->a)->rekey_at = p->w.now;
		sa_touch(p->a->core, node_sa(p->a));
		pair_run(p, 100);
	}
	TAILQ_FOREACH(sa, &TAILQ_FIRST(&p->b->core->peers)->sas, of_peer)
	n++;
	assert_int_equal(n, 5); /* four old ones, and the one that works */
	assert_true(direction_works(p->a, p->b, 0));
	p->drop_requests = false;
	pair_run(p, 20000);
	pair_free(p);
}

/* A CREATE_CHILD_SA request of @n; REKEY_SA for @rekeyed of this protocol, if that is not 0. */
static void ask(struct node *n, uint8_t protocol, uint32_t rekeyed, const void *ke, size_t ke_len)
{
	struct ike_proposals offer = n->conf[0].esp;
	uint8_t buf[1024], spi[4], nonce[32] = { 1 }, first;
	struct writer w = writer_init(spi, sizeof(spi));
	struct ike_builder b;

	writer_be32(&w, rekeyed);
	offer.p[0].protocol = IKE_PROTO_ESP;
	offer.p[0].spi_len = 4;
	memset(offer.p[0].spi, 5, 4);
	request_begin(&b, buf, sizeof(buf), &first);
	if (protocol)
		ike_build_notify_spi(&b, IKE_N_REKEY_SA, protocol, spi, sizeof(spi), NULL, 0);
	ike_build_sa(&b, IKE_OFFER(&offer));
	ike_build_nonce(&b, nonce, sizeof(nonce));
	if (ke_len)
		ike_build_payload(&b, IKE_PL_KE, ke, ke_len);
	ike_build_ts(&b, IKE_PL_TSI, IKE_TS_OFFER(&n->conf[0].child[0].local_ts));
	ike_build_ts(&b, IKE_PL_TSR, IKE_TS_OFFER(&n->conf[0].child[0].remote_ts));
	assert_true(node_request(n, IKE_CREATE_CHILD_SA, &b, first));
}

/* INVALID_SYNTAX ends the IKE SA at both ends, so at ours (2.21.3). */
static void malformed_request_ends_it(void **state)
{
	struct pair *p = up(0, 0, 0, 0);

	(void)state;
	p->w.link[0].watch = false;
	ask(p->a, 0, 0, "\0\37", 2);
	pair_run(p, 15);
	assert_int_equal(node_stats(p->b).ike_sas, 0);
	pair_free(p);
}

/* The SPI is that of a pair, but of ESP: nothing is rekeyed, and nothing made. */
static void rekeying_of_another_protocol(void **state)
{
	enum { AH = 2 };
	struct pair *p = up(0, 0, 0, 0);

	(void)state;
	ask(p->a, AH, node_out(p->b, 0)->spi, NULL, 0);
	pair_run(p, 100);
	assert_int_equal(node_stats(p->b).children, 1);
	ask(p->a, IKE_PROTO_ESP, node_out(p->b, 0)->spi, NULL, 0);
	pair_run(p, 100);
	assert_int_equal(node_stats(p->b).children, 2);
	pair_free(p);
}

/*
 * libreswan 4 answers a KE payload with one of its own even if it chose no key exchange: of group
 * NONE, and empty.
 */
static void empty_ke_beside_no_group(void **state)
{
	struct pair *p = up(0, 0, 0, 0);
	struct ike_sa *sa = node_sa(p->a);
	const uint8_t nonce[32] = { 1 };
	struct negotiation n = {
		.own_exchange = true,
		.ours = true,
		.nonces = { .i = nonce, .i_len = sizeof(nonce), .r = nonce, .r_len = sizeof(nonce) },
		.spi_in = install_reserve_spi(p->a->core, sa),
	};
	struct ike_proposals offer;
	struct ike_proposal chosen;
	struct ike_payloads in;
	uint8_t buf[1024], first, offender;
	struct ike_builder b;

	(void)state;
	p->w.link[0].watch = false;
	negotiate_begin(&n, sa, 0, NULL);
	n.esp.n = 1;
	ike_proposals_drop_dh(&n.esp);
	n.esp.p[0].t[n.esp.p[0].n++] = (struct ike_transform){ IKE_T_DH, IKE_DH_NONE, 0 };
	n.esp.p[0].protocol = IKE_PROTO_ESP;
	n.esp.p[0].spi_len = 4;
	memset(n.esp.p[0].spi, 5, 4);
	offer = n.esp;
	n.esp.p[0].t[n.esp.p[0].n++] = (struct ike_transform){ IKE_T_DH, IKE_DH_CURVE25519, 0 };
	assert_true(ike_proposal_choose(&n.esp, IKE_OFFER(&offer), IKE_DH_NONE, &chosen));
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_sa(&b, (struct ike_offer){ 1, &chosen });
	ike_build_payload(&b, IKE_PL_KE, "\0\0\0", 4);
	ike_build_ts(&b, IKE_PL_TSI, IKE_TS_OFFER(&n.local));
	ike_build_ts(&b, IKE_PL_TSR, IKE_TS_OFFER(&n.remote));
	assert_int_equal(ike_payloads_parse(first, buf, b.w.len, &in, &offender), 0);
	assert_non_null(negotiate_take(p->a->core, sa, &n, &in));
	assert_int_equal(n.suite.dh, IKE_DH_NONE);
	pair_free(p);
}

/* Either end may want new proofs: another IKE SA comes, then the old one goes. */
static void reauthenticated_by(bool responder)
{
	struct pair *p = pair_new();
	struct node *n = responder ? p->b : p->a;
	unsigned int begun;

	p->a->conf[0].liveness = p->b->conf[0].liveness = 0;
	p->a->conf[0].rekey_ike = 25;
	n->conf[0].reauth = 60;
	pair_start(p, true);
	p->w.link[0].watch = true;
	begun = pair_count(p, n, IKE_SA_INIT, false);
	pair_run(p, 50000);
	assert_int_equal(pair_count(p, n, IKE_SA_INIT, false), begun);
	pair_run(p, 25000);
	assert_int_equal(pair_count(p, n, IKE_SA_INIT, false), begun + 1);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_free(p);
}

/* By the nonces the newest IKE SA of the node stays, whatever other there is. */
static void win_by_nonce(const struct node *n)
{
	struct ike_sa *sa = TAILQ_LAST(&TAILQ_FIRST(&n->core->peers)->sas, ike_sas);

	memset(sa->low_nonce, 0xff, sizeof(sa->low_nonce));
}

static void reauthenticate(const struct node *n)
{
	struct ike_sa *sa = node_sa(n);

	sa->reauth_at = n->w->now;
	sa_touch(n->core, sa);
}

/* One IKE SA is left, the same at both ends, which stays by its nonces or does not; traffic never stopped. */
static void assert_one_stays(struct pair *p, bool by_nonce)
{
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	assert_memory_equal(node_sa(p->a)->spi_i, node_sa(p->b)->spi_i, IKE_SPI_LEN);
	assert_int_equal(node_sa(p->a)->low_nonce[0] == 0xff, by_nonce);
	assert_true(direction_works(p->a, p->b, 0) && direction_works(p->b, p->a, 0));
}

/* When the IKE SA is rekeyed that is replaced: the other end does before the new one is established, or we after. */
enum rekeying { NEVER, BEFORE, AFTER };

/*
 * The end that replaces an IKE SA alone knows that it does. However late it hears that the new one is
 * established, the other end closes the old one too, and not the new one as the nonces would have it.
 */
static void replaced_late(bool responder, enum rekeying rekeying)
{
	struct pair *p = pair_new();
	struct node *n = responder ? p->b : p->a, *other = responder ? p->a : p->b;
	struct hold *request, *answer, *rekeys = NULL;

	p->a->conf[0].liveness = p->b->conf[0].liveness = 0;
	pair_start(p, true);
	p->w.traffic = p->w.link[0].watch = true;
	win_by_nonce(p->a);
	win_by_nonce(p->b);
	request = world_hold(&p->w, n, IKE_AUTH, false, 0);
	answer = world_hold(&p->w, other, IKE_AUTH, true, 0);
	if (rekeying == AFTER) {
		rekeys = world_hold(&p->w, n, IKE_CREATE_CHILD_SA, false, 0);
		node_rekey_ike(n);
	}
	reauthenticate(n);
	assert_true(world_await(&p->w, request, 5000));
	if (rekeying == BEFORE) {
		node_rekey_ike(other);
		pair_run(p, 2000);
	}
	world_release(&p->w, request);
	assert_true(world_await(&p->w, answer, 5000));
	pair_run(p, 1000);
	if (rekeys)
		world_release(&p->w, rekeys);
	pair_run(p, IKESA_REDUNDANT_OTHER_MS + 2000);
	world_release(&p->w, answer);
	pair_run(p, 20000);
	assert_one_stays(p, false);
	pair_free(p);
}

static void replaced_late_by_initiator(void **state)
{
	(void)state;
	replaced_late(false, NEVER);
}

static void replaced_late_by_responder(void **state)
{
	(void)state;
	replaced_late(true, NEVER);
}

/* It is the first IKE SA of a line that counts, whatever rekeyed it before or after the new one came. */
static void replaced_late_and_rekeyed(void **state)
{
	(void)state;
	replaced_late(false, BEFORE);
	replaced_late(false, AFTER);
}

/*
 * Both ends replace an IKE SA. An attempt that the peer has not answered when its own one is established
 * ends, as to the peer, which answers it afterwards, it would be the later one, and to us the earlier.
 */
static void replaced_by_both(void **state)
{
	struct pair *p = pair_new();
	struct hold *begins, *asks, *confirms, *closes;

	(void)state;
	p->b->conf[0].remote = (struct ike_endpoint){ p->a->addr, IKE_PORT };
	p->a->conf[0].liveness = p->b->conf[0].liveness = 0;
	pair_start(p, true);
	p->w.traffic = p->w.link[0].watch = true;
	begins = world_hold(&p->w, p->b, IKE_SA_INIT, false, 0);
	asks = world_hold(&p->w, p->b, IKE_INFORMATIONAL, false, 0);
	confirms = world_hold(&p->w, p->a, IKE_INFORMATIONAL, false, 0);
	reauthenticate(p->b);
	assert_true(world_await(&p->w, begins, 5000));
	reauthenticate(p->a);
	assert_true(world_await(&p->w, confirms, 5000));
	win_by_nonce(p->a);
	win_by_nonce(p->b);
	pair_run(p, 100);
	world_release(&p->w, begins);
	pair_run(p, 1000);
	world_release(&p->w, asks);
	world_release(&p->w, confirms);
	pair_run(p, 1000);
	closes = world_hold(&p->w, p->a, IKE_INFORMATIONAL, false, 0);
	pair_run(p, 6000);
	world_release(&p->w, closes);
	pair_run(p, 20000);
	assert_one_stays(p, true);
	pair_free(p);
}

/* Limits that are alike at both ends must not make them collide each time (2.8). */
static void each_end_chooses_its_moment(void **state)
{
	struct pair *p = up(1000, 1000, 500, 500);
	struct ike_status a = node_status(p->a, 0), b = node_status(p->b, 0);

	(void)state;
	assert_in_range(a.rekey_at, 900000, 1001000);
	assert_in_range(b.rekey_at, 900000, 1001000);
	assert_in_range(a.child_rekey_at, 450000, 501000);
	assert_in_range(b.child_rekey_at, 450000, 501000);
	/* one has it some ms before the other: that is not what keeps them apart */
	assert_true(a.rekey_at + 100 < b.rekey_at || b.rekey_at + 100 < a.rekey_at);
	assert_true(a.child_rekey_at + 100 < b.child_rekey_at ||
		    b.child_rekey_at + 100 < a.child_rekey_at);
	pair_free(p);
}

static struct ike_child installed;
static int (*install)(void *ctx, const struct ike_child *c);

static int note_install(void *ctx, const struct ike_child *c)
{
	installed = *c;
	return install(ctx, c);
}

/* The limits of pairs with @words for ESP, where RekeyBytes is @bytes. */
static void limits_of(const char *words, uint64_t bytes)
{
	struct pair *p = pair_new();
	struct node *end[2] = { p->a, p->b };
	char err[128];

	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(ike_proposals_from_text(words, IKE_PROTO_ESP, &end[i]->conf[0].esp,
							 err, sizeof(err)),
				 0);
	p->a->conf[0].rekey_bytes = bytes;
	pair_start(p, true);
	install = p->a->core->env.sa_install;
	p->a->core->env.sa_install = note_install;
	memset(&installed, 0, sizeof(installed));
	node_rekey_child(p->a);
	pair_run(p, 10000);
	assert_int_not_equal(installed.spi_in, 0);
	pair_free(p);
}

/* Keys of ciphers whose blocks have 64 bits last for 1 GiB, whatever is configured; others as that says. */
static void small_blocks_have_limits(void **state)
{
	const uint64_t mib = 1 << 20, gib = 1 << 30;

	(void)state;
	limits_of("3des-sha1", 0);
	assert_in_range(installed.soft_bytes, gib - gib / 10, gib);
	assert_true(installed.hard_bytes == 4 * gib);
	limits_of("des-sha256", 64 * gib);
	assert_in_range(installed.soft_bytes, gib - gib / 10, gib);
	limits_of("3des-md5", 64 * mib);
	assert_in_range(installed.soft_bytes, 57 * mib, 64 * mib);
	assert_true(installed.hard_bytes == 4 * gib);
	limits_of("aes128-sha1", 64 * gib);
	assert_in_range(installed.soft_bytes, 57 * gib, 64 * gib);
	assert_true(installed.hard_bytes == 0);
	limits_of("aes256gcm16", 0);
	assert_true(installed.soft_bytes == 0 && installed.hard_bytes == 0);
}

static void reauthenticated_by_initiator(void **state)
{
	(void)state;
	reauthenticated_by(false);
}

static void reauthenticated_by_responder(void **state)
{
	(void)state;
	reauthenticated_by(true);
}

/* A command, as of esptun check: everything gets new keys at once, at whichever end it was given. */
static void on_command(void **state)
{
	(void)state;
	for (unsigned int end = 0; end < 2; end++) {
		struct pair *p = pair_new();
		struct node *n;
		struct ike_status before, after;

		pair_start(p, true);
		n = end ? p->b : p->a;
		before = node_status(n, 0);
		assert_int_equal(ike_core_rekey(n->core, "nosuch", p->w.now), -ENOENT);
		assert_int_equal(ike_core_rekey(n->core, "t0", p->w.now), 0);
		assert_int_equal(ike_core_rekey(n->core, "t0", p->w.now), 0); /* it is under way */
		pair_run(p, 2000);
		after = node_status(n, 0);
		assert_int_equal(after.state, IKE_TUNNEL_UP);
		assert_true(memcmp(before.spi_i, after.spi_i, IKE_SPI_LEN));
		assert_int_not_equal(before.spi_in, after.spi_in);
		assert_int_not_equal(before.spi_out, after.spi_out);
		pair_run(p, 120 * 1000);
		assert_int_equal(node_stats(n).ike_sas, 1);
		assert_int_equal(node_stats(n).children, 1);
		pair_free(p);
	}
}

/* Without an IKE SA there is nothing to do. */
static void on_command_too_early(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->drop_all = true;
	pair_start(p, false);
	assert_int_equal(ike_core_rekey(p->a->core, "t0", p->w.now), 0);
	p->drop_all = false;
	pair_run(p, 20 * 1000);
	assert_int_equal(node_status(p->a, 0).state, IKE_TUNNEL_UP);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_command),
		cmocka_unit_test(on_command_too_early),
		cmocka_unit_test(ike_by_initiator),
		cmocka_unit_test(ike_by_responder),
		cmocka_unit_test(everything_by_both),
		cmocka_unit_test(each_end_chooses_its_moment),
		cmocka_unit_test(replaced_late_by_initiator),
		cmocka_unit_test(replaced_late_by_responder),
		cmocka_unit_test(replaced_late_and_rekeyed),
		cmocka_unit_test(replaced_by_both),
		cmocka_unit_test(small_blocks_have_limits),
		cmocka_unit_test(ike_by_both_at_once),
		cmocka_unit_test(child_by_both_at_once),
		cmocka_unit_test(child_and_ike_at_once),
		cmocka_unit_test(old_ones_are_not_deleted),
		cmocka_unit_test(malformed_request_ends_it),
		cmocka_unit_test(rekeying_of_another_protocol),
		cmocka_unit_test(empty_ke_beside_no_group),
		cmocka_unit_test(reauthenticated_by_initiator),
		cmocka_unit_test(reauthenticated_by_responder),
	};

	return cmocka_run_group_tests_name("core_rekey", tests, NULL, NULL);
}
