// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Peers that hold the key and do not keep to RFC 7296, or make use of what it allows: refusals,
 * answers to what nobody asked for, and any number of IKE SAs.
 */
#include "core_util.h"
#include "ike/exch/layer_exchange.h"

enum { CREATE = IKE_CREATE_CHILD_SA, INFORM = IKE_INFORMATIONAL };

static struct ike_peer *peer_of(const struct node *n)
{
	return TAILQ_FIRST(&n->core->peers);
}

/* For calls that are no event, and so do not say what time it is. */
static struct ike_core *core_now(const struct node *n)
{
	n->core->now = n->w->now;
	return n->core;
}

static void set_esp(struct node *n, const char *text)
{
	struct ike_proposals *esp = &n->conf[0].esp;
	char err[128];

	esp->n = 1;
	assert_int_equal(ike_proposal_from_text(text, IKE_PROTO_ESP, &esp->p[0], err, sizeof(err)),
			 0);
	esp->p[0].num = 1;
}

static void set_selectors(struct ike_ts_list *l, const char *text)
{
	char err[128];

	l->n = 0;
	assert_int_equal(ike_ts_from_text(text, l, err, sizeof(err)), 0);
}

/* Up, without anything that happens by itself. */
static struct pair *up(const char *esp)
{
	struct pair *p = pair_new();

	p->a->conf[0].liveness = p->b->conf[0].liveness = 0;
	if (esp) {
		set_esp(p->a, esp);
		set_esp(p->b, esp);
	}
	pair_start(p, true);
	pair_run(p, 20000);
	return p;
}

/* Without MOBIKE an end is where its last message came from (2.23). */
static struct pair *up_without_mobike(void)
{
	struct pair *p = pair_new();

	p->a->conf[0].liveness = p->b->conf[0].liveness = 0;
	p->a->conf[0].mobike = false;
	pair_start(p, true);
	pair_run(p, 20000);
	return p;
}

static void delete_pair(struct node *n)
{
	ike_core_expire(n->core, "t0", IKE_PEER_FIRST, node_out(n, 0)->spi, false, IKE_EXPIRE_HARD,
			n->w->now);
}

/* @n asks for a successor by @act, which never arrives. */
static void ask_in_vain(struct pair *p, struct node *n, void (*act)(struct node *n))
{
	struct hold *h = world_hold(&p->w, n, CREATE, false, 0);

	act(n);
	assert_true(world_await(&p->w, h, 1000));
}

static void answer_notify(struct pair *p, struct node *n, uint16_t type, const void *data,
			  size_t len)
{
	uint8_t buf[512], first;
	struct ike_builder b;

	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_notify(&b, type, data, len);
	node_answer(n, CREATE, &b, first);
	pair_run(p, 5);
}

/* ---- more than was asked for ---------------------------------------------- */

/* The answer to IKE_AUTH comes when a's configuration is no longer the one that it offered. */
static void answered_with_more(void (*change)(struct node *n), const char *words)
{
	struct pair *p = pair_new();
	struct hold *h = world_hold(&p->w, p->b, IKE_AUTH, true, 0);

	pair_start(p, false);
	assert_true(world_await(&p->w, h, 1000));
	change(p->a);
	own_conf_replace(p->a);
	world_release(&p->w, h);
	pair_run(p, 500);
	node_says(p->a, words);
	assert_int_equal(p->a->installs, 0);
	assert_int_equal(p->a->n_sa, 0);
	assert_int_equal(p->b->n_sa, 0); /* it was told */
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_free(p);
}

static void narrow_here(struct node *n)
{
	set_selectors(&n->conf[0].child[0].local_ts, "10.1.0.0/16");
}

static void narrow_there(struct node *n)
{
	set_selectors(&n->conf[0].child[0].remote_ts, "10.1.0.0/16");
}

static void wider_selectors(void **state)
{
	(void)state;
	answered_with_more(narrow_here, "wider than Selectors=");
	answered_with_more(narrow_there, "wider than Selectors=");
}

static void only_chacha(struct node *n)
{
	set_esp(n, "chacha20poly1305");
}

static void algorithms_not_offered(void **state)
{
	(void)state;
	answered_with_more(only_chacha, "algorithms we did not offer");
}

/* What b might answer to a's request for a successor, with a group of b's choice. */
static void answer_pair(struct pair *p, uint16_t group, uint16_t notify)
{
	struct ike_proposal chosen = p->b->conf[0].esp.p[0];
	uint8_t buf[512], nonce[32] = { 7 }, pub[32] = { 9 }, first;
	struct ike_builder b;
	unsigned int i, n = 0;

	for (i = 0; i < chosen.n; i++) {
		if (chosen.t[i].type != IKE_T_DH || chosen.t[i].id == group)
			chosen.t[n++] = chosen.t[i];
	}
	chosen.n = n;
	chosen.spi_len = 4;
	memset(chosen.spi, 5, 4);
	request_begin(&b, buf, sizeof(buf), &first);
	if (notify)
		ike_build_notify(&b, notify, NULL, 0);
	ike_build_sa(&b, (struct ike_offer){ 1, &chosen });
	ike_build_nonce(&b, nonce, sizeof(nonce));
	ike_build_ke(&b, IKE_DH_CURVE25519, pub, sizeof(pub));
	ike_build_ts(&b, IKE_PL_TSI, IKE_TS_OFFER(&p->a->conf[0].child[0].local_ts));
	ike_build_ts(&b, IKE_PL_TSR, IKE_TS_OFFER(&p->a->conf[0].child[0].remote_ts));
	node_answer(p->b, CREATE, &b, first);
	pair_run(p, 5);
}

/* The chosen group is one that was offered, but the value is of another. */
static void value_of_another_group(void **state)
{
	struct pair *p = up("aes256gcm16-esn-x25519-ecp256");

	(void)state;
	ask_in_vain(p, p->a, node_rekey_child);
	answer_pair(p, IKE_DH_ECP256, 0);
	node_says(p->a, "no valid key exchange value");
	assert_int_equal(p->a->installs, 1);
	pair_free(p);
}

/* Whoever names a group decides how strong it is: only ours will do (2.7). */
static void groups_not_offered(void **state)
{
	struct ike_header h = { .version = 0x20,
				.exchange = IKE_SA_INIT,
				.flags = IKE_FLAG_RESPONSE };
	const uint8_t group[2] = { 0, IKE_DH_ECP256 };
	struct pair *p = pair_new();
	struct ike_endpoint at;
	const struct sent *s;
	struct ike_builder b;
	uint8_t buf[256];

	(void)state;
	p->b->reachable = false;
	pair_start(p, false);
	pair_run(p, 10);
	s = pair_sent(p, p->a, IKE_SA_INIT, false, 0);
	memcpy(h.spi_i, s->h.spi_i, IKE_SPI_LEN);
	ike_build_init(&b, buf, sizeof(buf), &h);
	ike_build_invalid_ke(&b, IKE_DH_ECP256);
	at.addr = p->a->addr;
	at.port = s->local.port;
	world_inject(&p->w, &s->remote, &at, buf, ike_build_end(&b), 0);
	pair_run(p, 100);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	node_says(p->a, "which Crypto= does not offer");
	pair_free(p);

	p = up("aes256gcm16-esn-x25519");
	ask_in_vain(p, p->a, node_rekey_child);
	answer_notify(p, p->b, IKE_N_INVALID_KE_PAYLOAD, group, sizeof(group));
	pair_run(p, 400);
	assert_int_equal(pair_count(p, p->a, CREATE, false), 1);
	pair_free(p);
}

/* ---- whose keys ------------------------------------------------------------- */

static uint8_t sent_with[64]; /* the key of the newest outbound SA of a */
static int (*install)(void *ctx, const struct ike_child *c);

static int note_key(void *ctx, const struct ike_child *c)
{
	memcpy(sent_with, c->key_out, c->key_len);
	return install(ctx, c);
}

/* Are the keys of a successor those that follow from the nonces alone? */
static bool keys_are_of_nonces_alone(const char *esp)
{
	struct pair *p = up(esp);
	struct ike_payloads in;
	struct ike_nonces n;
	uint8_t ni[256];
	struct esp_keys k;
	bool equal;

	install = p->a->core->env.sa_install;
	p->a->core->env.sa_install = note_key;
	node_rekey_child(p->a);
	pair_run(p, 500);
	in = sent_open(pair_sent(p, p->a, CREATE, false, 0), node_sa(p->a));
	ike_nonce_parse(ike_payload_find(&in, IKE_PL_NONCE), &n.i, &n.i_len);
	memcpy(ni, n.i, n.i_len);
	n.i = ni;
	in = sent_open(pair_sent(p, p->b, CREATE, true, 0), node_sa(p->a));
	ike_nonce_parse(ike_payload_find(&in, IKE_PL_NONCE), &n.r, &n.r_len);
	assert_int_equal(esp_keys_derive(&k, &TAILQ_FIRST(&node_sa(p->a)->children)->suite.cipher,
					 &node_sa(p->a)->keys, &n, NULL, 0, NULL, 0),
			 0);
	equal = !memcmp(k.ei, sent_with, k.e_len);
	pair_free(p);
	return equal;
}

static void perfect_forward_secrecy(void **state)
{
	(void)state;
	assert_true(keys_are_of_nonces_alone("aes256gcm16-esn"));
	assert_false(keys_are_of_nonces_alone("aes256gcm16-esn-x25519"));
}

/* SKEYSEED is of the old IKE SA's PRF and SK_d, all that follows of the new one's PRF (2.18). */
static void keys_of_a_rekeyed_ike_sa(void **state)
{
	struct ike_suite old_suite = {
		{ IKE_ENCR_AES_GCM_16, 256, 0 }, IKE_PRF_HMAC_SHA2_256, IKE_DH_CURVE25519, { 0 }
	};
	struct ike_suite new_suite = old_suite;
	uint8_t ni[32] = { 1 }, nr[32] = { 2 }, i[8] = { 3 }, r[8] = { 4 }, shared[32] = { 5 };
	const struct ike_nonces n = { .i = ni, .r = nr, .i_len = 32, .r_len = 32 };
	const struct ike_iov seed[] = { { shared, 32 }, { ni, 32 }, { nr, 32 } };
	const struct ike_iov rest[] = { { ni, 32 }, { nr, 32 }, { i, 8 }, { r, 8 } };
	uint8_t skeyseed[64], d[64];
	struct ike_keys old, k;

	(void)state;
	new_suite.prf = IKE_PRF_HMAC_SHA2_512;
	assert_int_equal(ike_keys_derive(&old, &old_suite, &n, i, r, shared, 32), 0);
	assert_int_equal(ike_keys_rekey(&k, &new_suite, &old, &n, i, r, shared, 32, NULL, 0), 0);
	assert_int_equal(ike_prf(IKE_PRF_HMAC_SHA2_256, old.d, 32, seed, 3, skeyseed), 0);
	assert_int_equal(ike_prf_plus(IKE_PRF_HMAC_SHA2_512, skeyseed, 32, rest, 4, d, 64), 0);
	assert_int_equal(k.d_len, 64);
	assert_memory_equal(k.d, d, 64);
}

/* ---- refusals ----------------------------------------------------------------- */

/* One who always says TEMPORARY_FAILURE is asked later and later, and not for ever (2.25). */
static void busy_peer(void (*act)(struct node *n))
{
	struct pair *p = up(NULL);
	unsigned int asked;

	peer_of(p->b)->enabled = false; /* as one that is being taken down */
	act(p->a);
	pair_run(p, 990);
	assert_int_equal(pair_count(p, p->a, CREATE, false), 1);
	pair_run(p, 1100); /* the first wait is 1 to 2 s */
	assert_int_equal(pair_count(p, p->a, CREATE, false), 2);
	pair_run(p, 150000);
	asked = pair_count(p, p->a, CREATE, false);
	assert_in_range(asked, 8, 10);
	assert_true(pair_count(p, p->a, IKE_SA_INIT, false) > 1);
	pair_free(p);

	p = up(NULL);
	peer_of(p->b)->enabled = false;
	act(p->a);
	pair_run(p, 500);
	peer_of(p->b)->enabled = true;
	pair_run(p, 3000);
	assert_int_equal(pair_count(p, p->a, CREATE, false), 2);
	assert_int_equal(pair_count(p, p->a, INFORM, false),
			 1); /* the DELETE of what is replaced */
	pair_free(p);
}

static void busy_peers(void **state)
{
	(void)state;
	busy_peer(node_rekey_child);
	busy_peer(node_rekey_ike);
}

/* What we do at the moment is no moment for what the peer asks for (2.25.1, 2.25.2). */
static void we_are_busy(void **state)
{
	static const struct {
		void (*ours)(struct node *n), (*theirs)(struct node *n);
		uint8_t exchange;
	} cases[] = {
		{ delete_pair, node_rekey_child, INFORM },
		{ node_rekey_ike, node_rekey_child, CREATE },
		{ node_rekey_child, node_rekey_ike, CREATE },
	};
	struct ike_payloads in;
	struct ike_notify n;
	struct pair *p;
	struct hold *h;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		p = up(NULL);
		h = world_hold(&p->w, p->a, cases[i].exchange, false, 0);
		cases[i].ours(p->a);
		assert_true(world_await(&p->w, h, 1000));
		cases[i].theirs(p->b);
		pair_run(p, 100);
		in = sent_open(pair_sent(p, p->a, CREATE, true, 0), node_sa(p->b));
		assert_true(ike_notify_find(&in, IKE_N_TEMPORARY_FAILURE, &n));
		pair_free(p);
	}
}

/* An IKE SA that we are about to delete gets no more pairs. */
static void closing_makes_no_pairs(void **state)
{
	struct pair *p = up(NULL);
	struct ike_payloads in;
	struct ike_notify n;
	struct ike_sa *sa;
	struct hold *h;

	(void)state;
	h = world_hold(&p->w, p->a, INFORM, false, 0);
	sa = node_sa(p->b);
	request_close(core_now(p->a), node_sa(p->a), IKESA_CLOSE_MS);
	assert_true(world_await(&p->w, h, 1000));
	node_rekey_child(p->b);
	pair_run(p, 100);
	in = sent_open(pair_sent(p, p->a, CREATE, true, 0), sa);
	assert_true(ike_notify_find(&in, IKE_N_TEMPORARY_FAILURE, &n));
	pair_free(p);
}

/* The peer has lost the pair: it says so, and gets another (2.25). */
static void lost_pair(void **state)
{
	struct pair *p = up(NULL);
	struct ike_sa *sa = node_sa(p->b);
	uint32_t lost = node_out(p->a, 0)->spi;
	struct ike_payloads in;
	struct ike_notify n;

	(void)state;
	child_remove(core_now(p->b), sa, TAILQ_FIRST(&sa->children));
	node_rekey_child(p->a);
	pair_run(p, 100);
	in = sent_open(pair_sent(p, p->b, CREATE, true, 0), sa);
	assert_true(ike_notify_find(&in, IKE_N_CHILD_SA_NOT_FOUND, &n));
	pair_run(p, 3000);
	assert_true(direction_works(p->a, p->b, 0) && direction_works(p->b, p->a, 0));
	assert_int_not_equal(node_out(p->a, 0)->spi, lost);
	assert_int_equal(node_count(p->a, 0, true), 1);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	pair_free(p);
}

/* Who gives no more pairs gets another IKE SA (4); so does one with an error that nobody knows. */
static void replaced_after(uint16_t notify)
{
	struct pair *p = up(NULL);

	ask_in_vain(p, p->a, node_rekey_child);
	answer_notify(p, p->b, notify, NULL, 0);
	pair_run(p, 30000);
	assert_int_equal(pair_count(p, p->a, CREATE, false), 1);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 2);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	assert_int_equal(node_count(p->a, 0, true), 1);
	assert_true(direction_works(p->a, p->b, 0) && direction_works(p->b, p->a, 0));
	pair_free(p);
}

static void no_additional_sas_makes_a_new_ike_sa(void **state)
{
	(void)state;
	replaced_after(IKE_N_NO_ADDITIONAL_SAS);
}

/* … whatever else the answer has (3.10.1); status types and errors that we know say nothing of it. */
static void an_unknown_error_is_a_refusal(void **state)
{
	static const uint16_t notify[] = { 8191, 50000, IKE_N_CHILD_SA_NOT_FOUND };
	struct pair *p;
	unsigned int i;

	(void)state;
	replaced_after(8191);
	for (i = 0; i < 3; i++) {
		p = up("aes256gcm16-esn-x25519");
		ask_in_vain(p, p->a, node_rekey_child);
		answer_pair(p, IKE_DH_CURVE25519, notify[i]);
		assert_int_equal(p->a->installs, i ? 2 : 1);
		pair_free(p);
	}
}

/* ---- groups ------------------------------------------------------------------- */

/* We want another group than the one of the value: the answer names it (1.3). */
static void another_group_is_asked_for(void **state)
{
	struct pair *p = pair_new();
	struct ike_payloads in;
	struct ike_notify n;

	(void)state;
	set_esp(p->a, "aes256gcm16-esn-x25519-ecp256");
	set_esp(p->b, "aes256gcm16-esn-ecp256");
	pair_start(p, true);
	node_rekey_child(p->a);
	pair_run(p, 500);
	in = sent_open(pair_sent(p, p->b, CREATE, true, 0), node_sa(p->b));
	assert_true(ike_notify_find(&in, IKE_N_INVALID_KE_PAYLOAD, &n));
	assert_int_equal(n.len, 2);
	assert_int_equal(n.data[1], IKE_DH_ECP256);
	assert_int_equal(pair_count(p, p->a, CREATE, false), 2);
	assert_int_equal(p->a->installs, 2);
	pair_free(p);
}

/* A request of @n for a pair, or for an IKE SA, with a value of X25519 that is none it needs. */
static void ask_with_value(struct node *n, struct ike_proposal offer, uint8_t spi_len)
{
	uint8_t buf[1024], nonce[32] = { 1 }, pub[32] = { 9 }, first;
	struct ike_builder b;

	offer.num = 1;
	offer.spi_len = spi_len;
	memset(offer.spi, 5, spi_len);
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_sa(&b, (struct ike_offer){ 1, &offer });
	ike_build_nonce(&b, nonce, sizeof(nonce));
	ike_build_ke(&b, IKE_DH_CURVE25519, pub, sizeof(pub));
	if (spi_len == 4) {
		ike_build_ts(&b, IKE_PL_TSI, IKE_TS_OFFER(&n->conf[0].child[0].local_ts));
		ike_build_ts(&b, IKE_PL_TSR, IKE_TS_OFFER(&n->conf[0].child[0].remote_ts));
	}
	assert_true(node_request(n, CREATE, &b, first));
}

/* A successor is within the old pair, also if the peer took that away before it answered. */
static void answered_with_more_than_the_old_pair(void **state)
{
	struct pair *p = pair_new();
	unsigned int installs;
	uint32_t old;

	(void)state;
	p->a->conf[0].liveness = p->b->conf[0].liveness = 0;
	set_esp(p->a, "aes256gcm16-esn");
	set_esp(p->b, "aes256gcm16-esn");
	set_selectors(&p->b->conf[0].child[0].local_ts, "10.2.0.0/24");
	pair_start(p, true);
	pair_run(p, 20000);
	old = node_out(p->a, 0)->spi;
	ask_in_vain(p, p->a, node_rekey_child);
	request_delete_child(core_now(p->b), node_sa(p->b), TAILQ_FIRST(&node_sa(p->b)->children));
	pair_run(p, 100);
	assert_null(child_find(node_sa(p->a), 0, old));
	installs = p->a->installs;
	answer_pair(p, IKE_DH_NONE, 0);
	assert_int_equal(p->a->installs, installs);
	node_says(p->a, "wider than Selectors=");
	pair_free(p);
}

/*
 * A successor has the SPI of the pair that it replaces: the peer can no longer have that one, whether or
 * not the kernel takes the successor.
 */
static void answered_with_the_spi_of_the_old_pair(void **state)
{
	unsigned int refused;
	struct child_sa *old;
	struct pair *p;

	(void)state;
	for (refused = 0; refused < 2; refused++) {
		p = up("aes256gcm16-esn");
		ask_in_vain(p, p->a, node_rekey_child);
		old = TAILQ_FIRST(&node_sa(p->a)->children);
		old->spi_out = 0x05050505; /* that of answer_pair() */
		p->a->fail_installs = refused;
		answer_pair(p, IKE_DH_NONE, 0);
		old = child_find(node_sa(p->a), 0, 0x05050505);
		assert_true(refused ? !old : old && old->state == CHILD_UP);
		pair_free(p);
	}
}

/* If NONE is chosen, the value is passed over, and the answer has none (3.3.6). */
static void a_group_of_none_ignores_ke(void **state)
{
	struct pair *p = up(NULL);
	struct ike_proposal esp = p->a->conf[0].esp.p[0];
	struct ike_payloads in;

	(void)state;
	esp.protocol = IKE_PROTO_ESP;
	ask_with_value(p->a, esp, 4);
	pair_run(p, 50);
	in = sent_open(pair_sent(p, p->b, CREATE, true, 0), node_sa(p->b));
	assert_non_null(ike_payload_find(&in, IKE_PL_SA));
	assert_null(ike_payload_find(&in, IKE_PL_KE));
	pair_free(p);
}

/* An IKE SA always has a key exchange (2.18). */
static void an_ike_sa_without_a_group_is_refused(void **state)
{
	struct pair *p = up(NULL);
	struct ike_proposal ike = p->a->conf[0].ike.p[0];
	struct ike_payloads in;
	struct ike_notify n;

	(void)state;
	ike.protocol = IKE_PROTO_IKE;
	ike_proposal_drop_dh(&ike);
	ask_with_value(p->a, ike, IKE_SPI_LEN);
	pair_run(p, 50);
	in = sent_open(pair_sent(p, p->b, CREATE, true, 0), node_sa(p->b));
	assert_true(ike_notify_find(&in, IKE_N_NO_PROPOSAL_CHOSEN, &n));
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_free(p);
}

/* ---- deletes -------------------------------------------------------------------- */

static struct ike_delete delete_in(const struct ike_payloads *in)
{
	const struct ike_payload *d = ike_payload_find(in, IKE_PL_DELETE);
	struct ike_delete del;

	assert_non_null(d);
	assert_int_equal(ike_delete_parse(d, &del), 0);
	return del;
}

static uint32_t spi_in(const struct ike_payloads *in)
{
	struct ike_delete del = delete_in(in);
	struct cursor c = cursor_init(del.spis, 4);

	assert_int_equal(del.n, 1);
	return cursor_be32(&c);
}

/* Each end names the SPI under which it receives (1.4.1). */
static void deletes_name_inbound_spis(void **state)
{
	struct pair *p = up(NULL);
	struct ike_sa *sa = node_sa(p->a);
	uint32_t a = node_out(p->b, 0)->spi, b = node_out(p->a, 0)->spi;
	struct ike_payloads in;

	(void)state;
	delete_pair(p->a);
	pair_run(p, 100);
	in = sent_open(pair_sent(p, p->a, INFORM, false, 0), sa);
	assert_int_equal(spi_in(&in), a);
	in = sent_open(pair_sent(p, p->b, INFORM, true, 0), sa);
	assert_int_equal(spi_in(&in), b);
	pair_free(p);
}

/* Deletes that cross are answered with nothing in it (1.4.1, 2.25.1). */
static void crossing_deletes_are_not_listed(void **state)
{
	struct pair *p = up(NULL);
	struct ike_sa *sa = node_sa(p->a);
	struct ike_payloads in;

	(void)state;
	delete_pair(p->a);
	delete_pair(p->b);
	pair_run(p, 100);
	in = sent_open(pair_sent(p, p->a, INFORM, true, 0), sa);
	assert_int_equal(in.n, 0);
	in = sent_open(pair_sent(p, p->b, INFORM, true, 0), sa);
	assert_int_equal(in.n, 0);
	pair_free(p);
}

static void an_unknown_pair_is_not_listed(void **state)
{
	struct pair *p = up(NULL);
	const uint32_t spi = 0x11223344;
	struct ike_payloads in;
	struct ike_builder b;
	uint8_t buf[256], first;

	(void)state;
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_delete(&b, IKE_PROTO_ESP, &spi, 1);
	assert_true(node_request(p->a, INFORM, &b, first));
	pair_run(p, 50);
	in = sent_open(pair_sent(p, p->b, INFORM, true, 0), node_sa(p->b));
	assert_int_equal(in.n, 0);
	assert_int_equal(node_count(p->b, 0, true), 1);
	pair_free(p);
}

/* Each answers as usual, and both are done (2.25.2). */
static void crossing_deletes_of_an_ike_sa(void **state)
{
	struct pair *p = up(NULL);

	(void)state;
	ike_core_down(p->a->core, "t0", p->w.now);
	ike_core_down(p->b->core, "t0", p->w.now);
	pair_run(p, 100);
	assert_int_equal(pair_count(p, p->a, INFORM, true), 1);
	assert_int_equal(pair_count(p, p->b, INFORM, true), 1);
	assert_true(ike_core_idle(p->a->core) && ike_core_idle(p->b->core));
	assert_int_equal(p->a->n_sa + p->b->n_sa, 0);
	pair_free(p);
}

/* Who rekeyed deletes the old pair, the other end does not (2.8). */
static void who_rekeyed_deletes(void **state)
{
	struct pair *p = up(NULL);
	struct ike_sa *sa = node_sa(p->a);
	uint32_t old = node_out(p->b, 0)->spi;
	struct ike_payloads in;
	struct ike_notify n;
	struct cursor c;

	(void)state;
	node_rekey_child(p->a);
	pair_run(p, 20000);
	assert_int_equal(pair_count(p, p->a, INFORM, false), 1);
	assert_int_equal(pair_count(p, p->b, INFORM, false), 0);
	in = sent_open(pair_sent(p, p->a, INFORM, false, 0), sa);
	assert_int_equal(spi_in(&in), old);
	/* The request said which one it replaces (1.3.3). */
	in = sent_open(pair_sent(p, p->a, CREATE, false, 0), sa);
	assert_true(ike_notify_find(&in, IKE_N_REKEY_SA, &n));
	assert_int_equal(n.protocol, IKE_PROTO_ESP);
	c = cursor_init(n.spi, n.spi_len);
	assert_int_equal(cursor_be32(&c), old);
	pair_free(p);
}

/* ---- who is where, and how many -------------------------------------------------- */

/* In IKE_AUTH, too, Local= counts: the suite was agreed on for another tunnel. */
static void local_counts_in_ike_auth(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	assert_int_equal(world_link(&p->w, p->a, p->b, false), 1);
	p->a->conf[1].child[0].start = IKE_START_LISTEN;
	p->b->conf[1].remote_id.data[0] = 'x';
	p->b->conf[0].local.addr = (struct ike_addr){ 4, { 192, 0, 2, 99 } };
	pair_start(p, false);
	pair_run(p, 300);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 1);
	assert_int_equal(p->b->installs, 0);
	pair_free(p);
}

/* INITIAL_CONTACT is about IKE SAs of the same identity, no others (2.4). */
static void initial_contact_is_of_one_identity(void **state)
{
	struct pair *p = up(NULL);
	struct ike_peer *peer = peer_of(p->b);
	struct ike_sa *old = TAILQ_FIRST(&peer->sas), *new;

	(void)state;
	x_init_start(core_now(p->a), peer_of(p->a), 0);
	pair_run(p, 100);
	new = TAILQ_LAST(&peer->sas, ike_sas);
	assert_ptr_not_equal(new, old);
	old->remote_id.data[0] ^= 1;
	x_contact_initial(core_now(p->b), new);
	assert_false(old->superseded);
	old->remote_id.data[0] ^= 1;
	x_contact_initial(core_now(p->b), new);
	assert_true(old->superseded);
	pair_free(p);
}

/* One peer has eight IKE SAs at most; the oldest goes. */
static void a_peer_has_few_ike_sas(void **state)
{
	struct pair *p = up(NULL);
	struct ike_sa *sa;
	unsigned int i, n = 0;

	(void)state;
	for (i = 0; i < IKESA_MAX_PER_PEER + 2; i++) {
		x_init_start(core_now(p->a), peer_of(p->a), 0);
		pair_run(p, 60);
	}
	TAILQ_FOREACH(sa, &peer_of(p->b)->sas, of_peer)
	n += sa->state == IKESA_ESTABLISHED;
	assert_int_equal(n, IKESA_MAX_PER_PEER);
	pair_run(p, 30000);
	assert_true(direction_works(p->a, p->b, 0) && direction_works(p->b, p->a, 0));
	pair_free(p);
}

/* No core has more IKE SAs than IKESA_MAX, whoever begins. */
static void ike_sas_have_a_limit(void **state)
{
	struct pair *p = pair_new();
	size_t real;

	(void)state;
	node_start(p->b, false);
	real = p->b->core->sas.n;
	p->b->core->sas.n = IKESA_MAX;
	node_start(p->a, false);
	pair_run(p, 100);
	assert_int_equal(pair_count(p, p->b, IKE_SA_INIT, true), 0);
	p->b->core->sas.n = real;
	pair_free(p);

	p = pair_new();
	node_start(p->b, false);
	p->a->conf[0].child[0].start = IKE_START_LISTEN;
	node_start(p->a, false);
	real = p->a->core->sas.n;
	p->a->core->sas.n = IKESA_MAX;
	x_init_start(core_now(p->a), peer_of(p->a), 0);
	pair_run(p, 10);
	node_says(p->a, "no room");
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 0);
	p->a->core->sas.n = real;
	pair_free(p);
}

/* ESP from elsewhere moves IKE, and IKE from elsewhere moves ESP (2.23). */
static void the_peer_moves_both_ways(void **state)
{
	const struct ike_endpoint there = { { 4, { 198, 51, 100, 77 } }, 4711 };
	struct pair *p = up_without_mobike();
	struct hold *h;

	(void)state;
	ike_core_peer_moved(p->a->core, "t0", IKE_PEER_FIRST, &there, p->w.now);
	request_probe(core_now(p->a), node_sa(p->a));
	assert_true(ike_endpoint_eq(&pair_sent(p, p->a, INFORM, false, 0)->remote, &there));
	pair_free(p);

	p = up_without_mobike();
	h = world_hold(&p->w, p->a, INFORM, false, 0);
	request_probe(core_now(p->a), node_sa(p->a));
	assert_true(world_await(&p->w, h, 10));
	h->from_outside = there;
	world_release(&p->w, h);
	pair_run(p, 5);
	assert_true(ike_endpoint_eq(&p->b->remote[0], &there));
	assert_true(ike_endpoint_eq(&node_sa(p->b)->remote, &there));
	pair_free(p);
}

/* Once the IKE SA that followed a false message is gone, ESP goes to where another one knows the peer. */
static void an_ike_sa_led_astray(void **state)
{
	const struct ike_endpoint there = { { 4, { 198, 51, 100, 77 } }, 4711 };
	struct pair *p = up_without_mobike();
	struct hold *h;

	(void)state;
	x_init_start(core_now(p->a), peer_of(p->a), 0);
	pair_run(p, 100);
	h = world_hold(&p->w, p->a, INFORM, false, 0);
	request_probe(core_now(p->a), node_sa(p->a));
	assert_true(world_await(&p->w, h, 10));
	h->from_outside = there;
	world_release(&p->w, h);
	pair_run(p, 5);
	assert_true(ike_endpoint_eq(&p->b->remote[0], &there));
	sa_drop(core_now(p->b), node_sa(p->b));
	assert_non_null(node_out(p->b, 0));
	assert_true(ike_endpoint_eq(&p->b->remote[0], &node_sa(p->b)->remote));
	assert_false(ike_endpoint_eq(&p->b->remote[0], &there));
	pair_free(p);
}

/* Behind a NAT we are reached where we sent from; whoever copies a message must not move us. */
static void behind_a_nat_nobody_moves_us(void **state)
{
	const struct ike_endpoint there = { { 4, { 198, 51, 100, 77 } }, 4711 };
	struct pair *p = pair_new();
	struct ike_endpoint before;
	struct hold *h;

	(void)state;
	p->a->conf[0].mobike = false;
	p->a->nat = (struct ike_addr){ 4, { 198, 51, 100, 7 } };
	node_rebind(p->a);
	pair_start(p, true);
	before = node_sa(p->a)->remote;
	h = world_hold(&p->w, p->b, INFORM, true, 0);
	request_probe(core_now(p->a), node_sa(p->a));
	assert_true(world_await(&p->w, h, 1000));
	h->from_outside = there;
	world_release(&p->w, h);
	pair_run(p, 50);
	assert_null(node_sa(p->a)->out); /* it counted */
	assert_true(ike_endpoint_eq(&node_sa(p->a)->remote, &before));
	pair_free(p);
}

/* ---- what ends nothing -------------------------------------------------------------- */

/* An answer without protection to our IKE_AUTH, with the right numbers. */
static void an_attempt_goes_on(void **state)
{
	struct pair *p = pair_new();
	struct hold *h = world_hold(&p->w, p->a, IKE_AUTH, false, 0);
	struct ike_header forged;
	struct ike_builder b;
	const struct ike_sa *sa;
	uint8_t buf[256];

	(void)state;
	pair_start(p, false);
	assert_true(world_await(&p->w, h, 1000));
	sa = node_sa(p->a);
	ike_header_parse(h->data, h->len, &forged);
	forged.flags = IKE_FLAG_RESPONSE;
	ike_build_init(&b, buf, sizeof(buf), &forged);
	ike_build_notify(&b, IKE_N_AUTHENTICATION_FAILED, NULL, 0);
	world_inject(&p->w, &sa->remote, &sa->local, buf, ike_build_end(&b), 0);
	pair_run(p, 5);
	world_release(&p->w, h);
	pair_run(p, 100);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
}

static void unknown_notifies_end_nothing(void **state)
{
	struct pair *p = up(NULL);
	struct ike_payloads in;
	struct ike_builder b;
	uint8_t buf[256], first;

	(void)state;
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_notify(&b, 8191, "error", 5);
	ike_build_notify(&b, 50000, "status", 6);
	assert_true(node_request(p->a, INFORM, &b, first));
	pair_run(p, 50);
	in = sent_open(pair_sent(p, p->b, INFORM, true, 0), node_sa(p->b));
	assert_int_equal(in.n, 0);
	assert_true(direction_works(p->a, p->b, 0) && direction_works(p->b, p->a, 0));
	pair_free(p);
}

/* Errors of a response are not told to who sent it (2.21.3). */
static void a_malformed_response_is_not_answered(void **state)
{
	struct pair *p = up(NULL);
	struct hold *h = world_hold(&p->w, p->a, INFORM, false, 0);
	uint8_t buf[64], first;
	struct ike_builder b;

	(void)state;
	request_probe(core_now(p->a), node_sa(p->a));
	assert_true(world_await(&p->w, h, 1000));
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_payload(&b, IKE_PL_NOTIFY, "123456", 6);
	b.w.buf[2] = 9; /* a length beyond the end */
	node_answer(p->b, INFORM, &b, first);
	pair_run(p, 400);
	assert_int_equal(pair_count(p, p->a, INFORM, false), 1);
	assert_null(node_sa(p->a)->out);
	assert_true(direction_works(p->a, p->b, 0) && direction_works(p->b, p->a, 0));
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wider_selectors),
		cmocka_unit_test(algorithms_not_offered),
		cmocka_unit_test(answered_with_more_than_the_old_pair),
		cmocka_unit_test(answered_with_the_spi_of_the_old_pair),
		cmocka_unit_test(value_of_another_group),
		cmocka_unit_test(groups_not_offered),
		cmocka_unit_test(perfect_forward_secrecy),
		cmocka_unit_test(keys_of_a_rekeyed_ike_sa),
		cmocka_unit_test(busy_peers),
		cmocka_unit_test(we_are_busy),
		cmocka_unit_test(closing_makes_no_pairs),
		cmocka_unit_test(lost_pair),
		cmocka_unit_test(no_additional_sas_makes_a_new_ike_sa),
		cmocka_unit_test(an_unknown_error_is_a_refusal),
		cmocka_unit_test(another_group_is_asked_for),
		cmocka_unit_test(a_group_of_none_ignores_ke),
		cmocka_unit_test(an_ike_sa_without_a_group_is_refused),
		cmocka_unit_test(deletes_name_inbound_spis),
		cmocka_unit_test(crossing_deletes_are_not_listed),
		cmocka_unit_test(an_unknown_pair_is_not_listed),
		cmocka_unit_test(crossing_deletes_of_an_ike_sa),
		cmocka_unit_test(who_rekeyed_deletes),
		cmocka_unit_test(local_counts_in_ike_auth),
		cmocka_unit_test(initial_contact_is_of_one_identity),
		cmocka_unit_test(a_peer_has_few_ike_sas),
		cmocka_unit_test(ike_sas_have_a_limit),
		cmocka_unit_test(the_peer_moves_both_ways),
		cmocka_unit_test(an_ike_sa_led_astray),
		cmocka_unit_test(behind_a_nat_nobody_moves_us),
		cmocka_unit_test(an_attempt_goes_on),
		cmocka_unit_test(unknown_notifies_end_nothing),
		cmocka_unit_test(a_malformed_response_is_not_answered),
	};

	return cmocka_run_group_tests_name("core_wrong", tests, NULL, NULL);
}
