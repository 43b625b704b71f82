// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two rounds of authentication in IKE_AUTH (RFC 4739), two cores against each other: a proves itself by a key, then as a user by
 * EAP, and b by a key. Who leaves a round out, adds one, or takes another one's place; each refusal with its sentence.
 */
#include "core_auth.h"
#include "core_hub.h"

#include "ike/eap/eap.h"

enum { SETTLED_MS = 400 };

/* b has the user alice with the password "clue"; a has the first key of its link, and is @name with @password. */
static struct pair *pair_rounds(const char *a, const char *name, const char *password)
{
	struct pair *p = pair_new();

	world_rounds(&p->w, 0, a, world_keys[1], name, password);
	node_add_user(p->b, "alice", "clue");
	return p;
}

static struct pair *pair_alice(void)
{
	return pair_rounds(world_keys[0], "alice", "clue");
}

static void run(struct pair *p)
{
	pair_start(p, false);
	pair_run(p, SETTLED_MS);
}

static void refused(struct pair *p, const char *b_says, const char *a_says)
{
	run(p);
	assert_int_equal(p->a->installs, 0);
	assert_int_equal(p->b->installs, 0);
	if (b_says)
		node_says(p->b, b_says);
	if (a_says)
		node_says(p->a, a_says);
	pair_free(p);
}

/* ---- what works ------------------------------------------------------------------------------------ */

static void both_rounds_prove_a_user_with_a_key(void **state)
{
	struct pair *p = pair_alice();
	struct ike_payloads in;
	struct ike_status s;
	struct ike_notify n;
	char text[IKE_MAX_ID + 16];

	(void)state;
	run(p);
	pair_is_up(p);
	/* The key; IDi of the user; Identity, response, acknowledgement; AUTH. */
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 6);
	assert_true(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0),
				IKE_N_MULTIPLE_AUTH_SUPPORTED, &n));
	in = sent_open(pair_sent(p, p->a, IKE_AUTH, false, 0), node_sa(p->a));
	assert_true(ike_notify_find(&in, IKE_N_MULTIPLE_AUTH_SUPPORTED, &n));
	assert_true(ike_notify_find(&in, IKE_N_ANOTHER_AUTH_FOLLOWS, &n));
	assert_non_null(ike_payload_find(&in, IKE_PL_AUTH));
	assert_non_null(ike_payload_find(&in, IKE_PL_SA));
	/* b's proof, and no child SA before the last one. */
	for (unsigned int i = 0; i < 5; i++) {
		in = sent_open(pair_sent(p, p->b, IKE_AUTH, true, i), node_sa(p->a));
		assert_int_equal(!ike_payload_find(&in, IKE_PL_AUTH), i > 0);
		assert_int_equal(!ike_payload_find(&in, IKE_PL_EAP), i == 0);
		assert_null(ike_payload_find(&in, IKE_PL_SA));
	}
	in = sent_open(pair_sent(p, p->a, IKE_AUTH, false, 1), node_sa(p->a));
	assert_int_equal(in.n, 1);
	assert_int_equal(in.p[0].type, IKE_PL_IDI);
	/* The last round says who the peer is. */
	s = node_status(p->b, 0);
	assert_string_equal(ike_id_print(text, sizeof(text), &s.remote_id), "alice");
	assert_string_equal(ike_id_print(text, sizeof(text), &s.first_id), "node0.example");
	assert_string_equal(ike_auth_print(text, sizeof(text), &s.remote_auth), "pubkey, eap");
	assert_string_equal(ike_auth_print(text, sizeof(text), &s.local_auth), "pubkey");
	s = node_status(p->a, 0);
	assert_string_equal(ike_id_print(text, sizeof(text), &s.local_id), "alice");
	assert_string_equal(ike_auth_print(text, sizeof(text), &s.local_auth), "pubkey, eap");
	assert_int_equal(s.first_id.type, 0);
	/* That outlives the rekeying of the IKE SA. */
	node_rekey_ike(p->b);
	pair_run(p, 5000);
	pair_is_up(p);
	s = node_status(p->b, 0);
	assert_string_equal(ike_id_print(text, sizeof(text), &s.first_id), "node0.example");
	assert_string_equal(ike_auth_print(text, sizeof(text), &s.remote_auth), "pubkey, eap");
	pair_free(p);
}

static void the_first_round_may_be_a_psk(void **state)
{
	struct pair *p = pair_rounds(NULL, "alice", "clue");

	(void)state;
	run(p);
	pair_is_up(p);
	pair_free(p);
	p = pair_rounds(NULL, "alice", "clue");
	node_set_psk(p->a, 0, "another one");
	refused(p, "peer 'node0.example' does not hold our pre-shared key",
		"AUTHENTICATION_FAILED");
}

/* a has the PPK of this name and key, and so has b. */
static struct pair *pair_ppk(const char *a_name, const char *b_key, bool a_requires,
			     bool b_requires)
{
	struct pair *p = pair_alice();

	node_set_ppk(p->a, 0, a_name, "a PPK of 256 bits, of both ends", a_requires);
	node_set_ppk(p->b, 0, "site-1", b_key ? b_key : p->a->ppk[0], b_requires);
	return p;
}

static bool has_ppk(struct pair *p, const struct node *from, bool response, unsigned int i)
{
	struct ike_payloads in =
		sent_open(pair_sent(p, from, IKE_AUTH, response, i), node_sa(p->a));
	struct ike_notify n;

	return ike_notify_find(&in, IKE_N_PPK_IDENTITY, &n);
}

/* RFC 8784 3: it is in the request with an AUTH payload. Of two rounds that is the first one, and it makes both. */
static void a_ppk_is_named_in_the_first_round(void **state)
{
	struct pair *p = pair_ppk("site-1", NULL, true, true);

	(void)state;
	run(p);
	pair_is_up(p);
	assert_int_equal(node_status(p->a, 0).ppk, IKE_PPK_USED);
	assert_int_equal(node_status(p->b, 0).ppk, IKE_PPK_USED);
	for (unsigned int i = 0; i < 6; i++) {
		assert_int_equal(has_ppk(p, p->a, false, i), i == 0);
		assert_int_equal(has_ppk(p, p->b, true, i), i == 0);
	}
	node_rekey_ike(p->a);
	pair_run(p, 5000);
	pair_is_up(p);
	pair_free(p);
	/* Another key, … */
	refused(pair_ppk("site-1", "another PPK", false, false),
		"does not prove that it has the PPK 'site-1', or not its key",
		"compare PPK=, PPKID=");
	/* … or a wrong password after the right one. */
	p = pair_ppk("site-1", NULL, true, true);
	node_set_password(p->a, 0, "no clue");
	refused(p, "'alice': peer does not have the password that we have for it", "error 691");
	/* Another name, where one end or none has to have it. */
	refused(pair_ppk("site-2", NULL, true, false), "names the PPK 'site-2'", "PPKID=");
	refused(pair_ppk("site-2", NULL, false, true), "names the PPK 'site-2'", "PPKID=");
	p = pair_ppk("site-2", NULL, false, false);
	run(p);
	pair_is_up(p);
	assert_int_equal(node_status(p->a, 0).ppk, IKE_PPK_UNKNOWN);
	assert_int_equal(node_status(p->b, 0).ppk, IKE_PPK_UNKNOWN);
	assert_false(has_ppk(p, p->b, true, 0));
	pair_free(p);
}

static void lost_and_repeated_messages_do_no_harm(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 8; seed++)
		pair_survives(seed % 2 ? pair_alice() : pair_ppk("site-1", NULL, true, true), seed,
			      20);
}

/* Each with a key of its own, which all fit "*.example", is the user that it proves to be. */
static void clients_of_a_hub_have_two_rounds(void **state)
{
	static const char *const names[CLIENTS] = { "alice", "bob", "carol" };
	struct hub *h = hub_new(8, 16);
	struct ike_tunnel_conf *c = &h->hub->conf[h->tunnel];

	(void)state;
	for (unsigned int i = 0; i < CLIENTS; i++) {
		node_add_user(h->hub, names[i], "clue");
		world_rounds(&h->w, h->link[i], NULL, world_keys[1], names[i], "clue");
	}
	c->first_id = (struct ike_id){ .type = IKE_ID_FQDN, .len = 9, .data = "*.example" };
	node_start(h->hub, false);
	for (unsigned int i = 0; i < CLIENTS; i++)
		node_start(h->client[i], false);
	hub_run(h, SETTLED_MS);
	for (unsigned int i = 0; i < CLIENTS; i++)
		assert_true(hub_works(h, i));
	hub_free(h);
}

/* ---- what one end has and the other one has not ------------------------------------------------------ */

static void each_round_has_to_be_proven(void **state)
{
	struct pair *p = pair_rounds(world_keys[0], "alice", "no clue");

	(void)state;
	refused(p, "'alice': peer does not have the password that we have for it", "error 691");
	p = pair_rounds(world_keys[0], "mallory", "clue");
	refused(p, "'mallory': peer is no user here", "error 691");
	p = pair_alice();
	node_set_key(p->b, 0, world_keys[1], world_keys[1]);
	p->b->conf[0].remote_auth.then_user = true;
	refused(p, "shows the public key", "AUTHENTICATION_FAILED");
	p = pair_alice();
	p->b->conf[0].first_id.data[0] = 'x';
	refused(p,
		"peer identifies as 'node0.example', but FirstID= expects 'xode0.example': set FirstID=node0.example",
		"AUTHENTICATION_FAILED");
	p = pair_alice();
	p->b->conf[0].remote_id = (struct ike_id){ .type = IKE_ID_FQDN, .len = 3, .data = "bob" };
	refused(p, "peer identifies as 'alice', but RemoteID= expects 'bob'",
		"AUTHENTICATION_FAILED");
}

static void both_ends_have_as_many_rounds(void **state)
{
	struct pair *p = pair_alice();

	(void)state;
	/* a has one of two: the first one, … */
	p->a->conf[0].local_auth.then_user = false;
	p->a->conf[0].eap_methods = 0;
	refused(p,
		"peer 'node0.example' proves itself in one round, but RemoteAuth= is pubkey, eap: add a second round, by EAP",
		"AUTHENTICATION_FAILED");
	/* … or the last one. */
	p = pair_alice();
	p->a->conf[0].local_auth = (struct ike_auth_conf){ .method = IKE_METHOD_EAP };
	refused(p,
		"peer 'node0.example' wants EAP at once, but has to prove itself by a public key before, as RemoteAuth= is pubkey, eap",
		"AUTHENTICATION_FAILED");
	/* a has two, b wants the first one, … */
	p = pair_alice();
	p->b->conf[0].remote_auth.then_user = false;
	p->b->conf[0].remote_id = p->b->conf[0].first_id;
	p->b->conf[0].eap_methods = 0;
	refused(p,
		"peer 'node0.example' announces another round of authentication (ANOTHER_AUTH_FOLLOWS), but RemoteAuth= is pubkey",
		"AUTHENTICATION_FAILED");
	/* … or the last one. */
	p = pair_alice();
	p->b->conf[0].remote_auth = (struct ike_auth_conf){ .method = IKE_METHOD_EAP };
	refused(p, "not with EAP: set its side to EAP", "AUTHENTICATION_FAILED");
}

/* Of two tunnels the one that has as many rounds is meant. */
static void rounds_tell_tunnels_apart(void **state)
{
	struct pair *p = pair_alice();
	unsigned int other = world_link(&p->w, p->a, p->b, false);
	struct ike_tunnel_conf *c = &p->b->conf[other];

	(void)state;
	node_set_key(p->b, other, world_keys[1], world_keys[0]);
	c->local_id = p->b->conf[0].local_id;
	c->remote_id = p->b->conf[0].first_id;
	p->a->conf[other].name[0] = 0;
	run(p);
	pair_is_up(p);
	pair_free(p);
}

/* ---- messages that are not as they should be -------------------------------------------------------------- */

/* b has no say in that: what it would take is known before the first AUTH payload. */
static void a_responder_without_rounds_is_told_nothing(void **state)
{
	struct pair *p = pair_alice();
	const struct sent *s;
	uint8_t data[2048];
	size_t at = 0;

	(void)state;
	p->drop_from = 1u << p->b->index;
	p->drop_exchange = IKE_SA_INIT;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 30);
	s = pair_sent(p, p->b, IKE_SA_INIT, true, 0);
	memcpy(data, s->data, s->len);
	while (data[at] != IKE_N_MULTIPLE_AUTH_SUPPORTED >> 8 ||
	       data[at + 1] != (IKE_N_MULTIPLE_AUTH_SUPPORTED & 0xff))
		at++;
	data[at] = 0xff; /* a notify of private use */
	world_inject(&p->w, &s->local, &s->remote, data, s->len, 0);
	pair_run(p, 60);
	node_says(
		p->a,
		"peer takes one round of authentication alone (no MULTIPLE_AUTH_SUPPORTED, RFC 4739), but LocalAuth= is pubkey, eap");
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 0);
	pair_free(p);
}

/* b takes a's first proof for all: it did not hear of another round. */
static void a_responder_that_hears_of_no_other_round(void **state)
{
	struct pair *p = pair_alice();

	(void)state;
	p->a->conf[0].local_auth.then_user = false;
	p->a->conf[0].eap_methods = 0;
	p->b->conf[0].remote_auth.then_user = false;
	p->b->conf[0].eap_methods = 0;
	p->b->conf[0].remote_id = p->b->conf[0].first_id;
	pair_start(p, false);
	while (!pair_count(p, p->a, IKE_AUTH, false))
		pair_run(p, 1);
	own_conf(p->a)->local_auth.then_user = true;
	pair_run(p, SETTLED_MS);
	assert_int_equal(p->a->installs, 0);
	node_says(p->a, "peer takes our first proof for all, though we announced another round");
	/* It is told, so that nothing is left there. */
	assert_int_equal(node_stats(p->b).ike_sas, 0);
	assert_int_equal(node_stats(p->b).children, 0);
	pair_free(p);
}

/* b's answer to the first request, or to the last one, with @type in it, too. */
static void answer_with(unsigned int n, uint16_t type, const char *a_says)
{
	struct pair *p = pair_alice();
	struct auth_message m;

	pair_start(p, false);
	while (pair_count(p, p->a, IKE_AUTH, false) < n)
		pair_run(p, 1);
	p->drop_from = 1u << p->b->index;
	p->drop_exchange = IKE_AUTH;
	p->drop_responses = true;
	pair_run(p, 30);
	auth_begin(&m);
	auth_copy(&m, p, pair_sent(p, p->b, IKE_AUTH, true, n - 1), 0);
	ike_build_notify(&m.b, type, NULL, 0);
	if (n == 1)
		auth_half_open(p)->rx.next--;
	else
		node_sa(p->b)->rx.next--;
	auth_answer(p, &m);
	assert_int_equal(p->a->installs, 0);
	node_says(p->a, a_says);
	pair_free(p);
}

static void the_responder_has_one_round(void **state)
{
	(void)state;
	answer_with(1, IKE_N_ANOTHER_AUTH_FOLLOWS,
		    "peer announces another round of authentication of its own");
	answer_with(6, IKE_N_ANOTHER_AUTH_FOLLOWS,
		    "peer announces another round of authentication of its own");
	answer_with(1, IKE_N_TS_UNACCEPTABLE, "peer takes our first proof for all");
}

/* The answer to IDi is no EAP, or with more than that. */
static void the_second_round_is_eap(void **state)
{
	struct pair *p = pair_alice();
	struct auth_message m;

	(void)state;
	auth_stop_before(p, 2);
	auth_begin(&m);
	ike_build_notify(&m.b, IKE_N_AUTHENTICATION_FAILED, NULL, 0);
	auth_answer(p, &m);
	node_says(
		p->a,
		"peer took our first proof, and does not ask us for EAP in the second round (AUTHENTICATION_FAILED, 24)");
	assert_int_equal(p->a->installs, 0);
	pair_free(p);
	p = pair_alice();
	auth_stop_before(p, 2);
	auth_begin(&m);
	auth_answer(p, &m);
	node_says(p->a, "does not ask us for EAP in the second round (no error, 0)");
	pair_free(p);
}

static void is_refused(struct pair *p, const char *b_says)
{
	unsigned int last = pair_count(p, p->b, IKE_AUTH, true) - 1;
	struct ike_payloads in;
	struct ike_notify n;

	assert_int_equal(p->b->installs, 0);
	in = sent_open(pair_sent(p, p->b, IKE_AUTH, true, last), node_sa(p->a));
	assert_true(ike_notify_find(&in, IKE_N_AUTHENTICATION_FAILED, &n));
	assert_null(ike_payload_find(&in, IKE_PL_EAP));
	assert_int_equal(auth_half_open(p)->state, IKESA_CLOSED);
	node_says(p->b, b_says);
	pair_free(p);
}

static void another_round_is_announced_with_auth_and_support(void **state)
{
	struct pair *p = pair_alice();
	struct auth_message m;

	(void)state;
	auth_replace(p, 1, &m);
	auth_copy(&m, p, pair_sent(p, p->a, IKE_AUTH, false, 0), IKE_N_MULTIPLE_AUTH_SUPPORTED);
	auth_send(p, &m);
	is_refused(
		p,
		"it announces another round of authentication (ANOTHER_AUTH_FOLLOWS) without MULTIPLE_AUTH_SUPPORTED");
	p = pair_alice();
	auth_replace(p, 1, &m);
	ike_build_id(&m.b, IKE_PL_IDI, &p->a->conf[0].local_id);
	ike_build_notify(&m.b, IKE_N_MULTIPLE_AUTH_SUPPORTED, NULL, 0);
	ike_build_notify(&m.b, IKE_N_ANOTHER_AUTH_FOLLOWS, NULL, 0);
	auth_send(p, &m);
	is_refused(p, "(ANOTHER_AUTH_FOLLOWS) without an AUTH payload");
	/* One who said that it takes several, and has one, has one. */
	p = pair_alice();
	auth_replace(p, 1, &m);
	auth_copy(&m, p, pair_sent(p, p->a, IKE_AUTH, false, 0), IKE_N_ANOTHER_AUTH_FOLLOWS);
	auth_send(p, &m);
	is_refused(
		p,
		"peer 'node0.example' proves itself in one round, but RemoteAuth= is pubkey, eap");
}

/* In place of IDi that begins the second round: nothing, two of them, other parts, or the first request again. */
static void the_second_round_begins_with_idi(void **state)
{
	static const char words[] =
		"its second round of authentication does not begin with IDi alone";
	static const uint8_t eap[] = { EAP_RESPONSE, 1, 0, 6, EAP_TYPE_IDENTITY, 'a' };
	static const uint8_t bad[] = { IKE_ID_IPV4, 0, 0, 0, 1 };

	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		struct pair *p = pair_alice();
		struct auth_message m;

		auth_replace(p, 2, &m);
		if (i == 1 || i == 2)
			ike_build_id(&m.b, IKE_PL_IDI, &p->a->conf[0].local_id);
		if (i == 1)
			ike_build_id(&m.b, IKE_PL_IDI, &p->a->conf[0].local_id);
		if (i == 2)
			ike_build_auth(&m.b, IKE_AUTH_PSK, bad, sizeof(bad));
		if (i == 3)
			auth_copy(&m, p, pair_sent(p, p->a, IKE_AUTH, false, 0), 0);
		if (i == 4)
			ike_build_payload(&m.b, IKE_PL_EAP, eap, sizeof(eap));
		if (i == 5)
			ike_build_payload(&m.b, IKE_PL_IDI, bad, sizeof(bad));
		auth_send(p, &m);
		is_refused(p, words);
	}
}

static void no_third_round_follows(void **state)
{
	struct pair *p = pair_alice();
	struct auth_message m;

	(void)state;
	auth_replace(p, 6, &m);
	auth_copy(&m, p, pair_sent(p, p->a, IKE_AUTH, false, 5), 0);
	ike_build_notify(&m.b, IKE_N_ANOTHER_AUTH_FOLLOWS, NULL, 0);
	auth_send(p, &m);
	is_refused(
		p,
		"after EAP it announces another round of authentication, but RemoteAuth= has none: set its side to pubkey, eap");
}

/* The AUTH payload of the second round is over its own IDi: not over another one, nor over that of the first round. */
static void each_auth_is_over_its_own_idi(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct pair *p = pair_alice();

		auth_stop_before(p, 6);
		if (i) /* what b keeps of the second round's IDi */
			auth_half_open(p)->setup->eap->peer_id.data[4] ^= 1;
		while (pair_count(p, p->b, IKE_AUTH, true) < 6)
			pair_run(p, 1);
		if (i) {
			is_refused(p, "its AUTH payload is not made with the key of that");
			continue;
		}
		pair_run(p, 100);
		pair_is_up(p);
		pair_free(p);
	}
}

/* ---- what it may cost ---------------------------------------------------------------------------------------- */

static void it_is_half_open_until_the_end(void **state)
{
	for (unsigned int n = 2; n <= 6; n++) {
		struct pair *p = pair_alice();

		(void)state;
		auth_stop_before(p, n);
		p->drop_all = true;
		assert_int_equal(node_stats(p->b).half_open, 1);
		assert_null(auth_half_open(p)->peer);
		pair_run(p, IKESA_HALF_OPEN_MS + 1000);
		assert_int_equal(node_stats(p->b).half_open, 0);
		assert_int_equal(p->b->installs, 0);
		pair_free(p);
	}
}

/* Whatever is configured anew in between, the peer proves both rounds by that. */
static void a_change_has_the_peer_begin_anew(void **state)
{
	(void)state;
	for (unsigned int n = 2; n <= 6; n++) {
		struct pair *p = pair_alice();

		auth_stop_before(p, n);
		assert_int_equal(
			ike_core_tunnel_change(p->b->core, &p->b->conf[0], false, p->w.now), 0);
		while (pair_count(p, p->b, IKE_AUTH, true) < n)
			pair_run(p, 1);
		pair_run(p, 30);
		assert_int_equal(p->b->installs, 0);
		pair_run(p, 100000);
		pair_is_up(p);
		pair_free(p);
	}
}

static void senseless_configurations_are_refused(void **state)
{
	struct pair *p = pair_alice();
	struct ike_tunnel_conf bad;

	(void)state;
	assert_true(tunnel_conf_is_sane(&p->a->conf[0]));
	assert_true(tunnel_conf_is_sane(&p->b->conf[0]));
	bad = p->a->conf[0];
	bad.local_auth.method = IKE_METHOD_EAP;
	assert_false(tunnel_conf_is_sane(&bad));
	bad = p->a->conf[0];
	bad.remote_auth.then_user = true;
	assert_false(tunnel_conf_is_sane(&bad));
	bad = p->b->conf[0];
	bad.first_id.len = IKE_MAX_ID + 1;
	assert_false(tunnel_conf_is_sane(&bad));
	bad = p->b->conf[0];
	bad.eap_methods = 0;
	assert_false(tunnel_conf_is_sane(&bad));
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_rounds_prove_a_user_with_a_key),
		cmocka_unit_test(the_first_round_may_be_a_psk),
		cmocka_unit_test(a_ppk_is_named_in_the_first_round),
		cmocka_unit_test(lost_and_repeated_messages_do_no_harm),
		cmocka_unit_test(clients_of_a_hub_have_two_rounds),
		cmocka_unit_test(each_round_has_to_be_proven),
		cmocka_unit_test(both_ends_have_as_many_rounds),
		cmocka_unit_test(rounds_tell_tunnels_apart),
		cmocka_unit_test(a_responder_without_rounds_is_told_nothing),
		cmocka_unit_test(a_responder_that_hears_of_no_other_round),
		cmocka_unit_test(the_responder_has_one_round),
		cmocka_unit_test(the_second_round_is_eap),
		cmocka_unit_test(another_round_is_announced_with_auth_and_support),
		cmocka_unit_test(the_second_round_begins_with_idi),
		cmocka_unit_test(no_third_round_follows),
		cmocka_unit_test(each_auth_is_over_its_own_idi),
		cmocka_unit_test(it_is_half_open_until_the_end),
		cmocka_unit_test(a_change_has_the_peer_begin_anew),
		cmocka_unit_test(senseless_configurations_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
