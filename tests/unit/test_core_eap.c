// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EAP in IKE_AUTH (RFC 7296 2.16), two cores against each other: a is a user, b the server, which signs. Each
 * refusal with its sentence. What methods say to each other test_eap.c has.
 */
#include "core_auth.h"
#include "core_hub.h"

#include "ike/eap/eap.h"

enum { MSCHAPV2 = 1 << EAP_MSCHAPV2, MD5 = 1 << EAP_MD5, SETTLED_MS = 400 };

/* b has the user alice with the password "clue", and a says that it is @name with @password. */
static struct pair *pair_eap(const char *name, const char *password, unsigned int methods)
{
	struct pair *p = pair_new();

	world_eap(&p->w, 0, world_keys[0], name, password, methods);
	node_add_user(p->b, "alice", "clue");
	return p;
}

static struct pair *pair_alice(void)
{
	return pair_eap("alice", "clue", MSCHAPV2);
}

static void run(struct pair *p)
{
	pair_start(p, false);
	pair_run(p, SETTLED_MS);
}

static void nothing_installed(const struct pair *p)
{
	assert_int_equal(p->a->installs, 0);
	assert_int_equal(p->b->installs, 0);
}

static bool proves(const char *name, const char *password, unsigned int methods)
{
	struct pair *p = pair_eap(name, password, methods);
	bool works;

	run(p);
	works = direction_works(p->a, p->b, 0) && direction_works(p->b, p->a, 0);
	if (!works)
		nothing_installed(p);
	pair_free(p);
	return works;
}

/* ---- what works ------------------------------------------------------------------------------------ */

static void a_user_proves_itself(void **state)
{
	struct pair *p = pair_alice();
	char id[IKE_MAX_ID];

	(void)state;
	run(p);
	pair_is_up(p);
	/* Not IDi: what EAP proved. */
	assert_string_equal(ike_id_print(id, sizeof(id), &node_sa(p->b)->remote_id), "alice");
	/* IDi, Identity, response, acknowledgement, AUTH. */
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 5);
	assert_null(node_sa(p->a)->setup);
	assert_null(node_sa(p->b)->setup);
	pair_free(p);
}

static void md5_has_no_key_and_ends_with_ours(void **state)
{
	(void)state;
	assert_true(proves("alice", "clue", MD5));
	assert_false(proves("alice", "no clue", MD5));
}

static void names_are_users_with_or_without_domain(void **state)
{
	(void)state;
	assert_true(proves("ALICE", "clue", MSCHAPV2));
	assert_true(proves("CORP\\alice", "clue", MSCHAPV2));
	assert_false(proves("alice\\", "clue", MSCHAPV2));
}

static bool is_client(const struct hub *h, const char *name)
{
	const struct ike_id *id;

	for (unsigned int i = 0; i < NODE_CLIENTS; i++) {
		id = &h->hub->peer_id[i];
		if (h->hub->has_peer[i] && id->len == strlen(name) &&
		    !memcmp(id->data, name, id->len))
			return true;
	}
	return false;
}

/*
 * As Windows does it: IDi is the client's address, by chance the same for all of them, and no IDr. They come at the
 * same time, and each is who it proved to be, gets an address of the pool, and has what is its alone.
 */
static void clients_of_a_hub_are_users(void **state)
{
	static const char *const names[CLIENTS] = { "alice", "CORP\\bob", "carol@corp.example" };
	struct hub *h = hub_new(8, 16);

	(void)state;
	node_add_user(h->hub, "alice", "pa");
	node_add_user(h->hub, "bob", "pb");
	node_add_user(h->hub, "carol@corp.example", "pc");
	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct ike_tunnel_conf *c = &h->client[i]->conf[h->link[i]];

		world_eap(&h->w, h->link[i], world_keys[0], names[i],
			  (const char *[]){ "pa", "pb", "pc" }[i], MSCHAPV2);
		c->local_id = (struct ike_id){ .type = IKE_ID_IPV4,
					       .len = 4,
					       .data = { 192, 168, 1, 10 } };
		c->remote_id.type = 0;
	}
	node_start(h->hub, false);
	for (unsigned int i = 0; i < CLIENTS; i++)
		node_start(h->client[i], false);
	hub_run(h, SETTLED_MS);
	for (unsigned int i = 0; i < CLIENTS; i++)
		assert_true(hub_works(h, i));
	assert_true(is_client(h, "alice"));
	assert_true(is_client(h, "bob"));
	assert_true(is_client(h, "carol@corp.example"));
	hub_free(h);
}

static void lost_and_repeated_messages_do_no_harm(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 8; seed++)
		pair_survives(pair_alice(), seed, 20);
}

/* Every message of the first attempt once more, after all: the window's answers, and nothing else. */
static void copies_are_answered_once(void **state)
{
	struct pair *p = pair_alice();
	unsigned int n, installs;

	(void)state;
	run(p);
	n = p->n_sent;
	installs = p->b->installs;
	for (unsigned int i = 0; i < n; i++)
		pair_replay(p, &p->sent[i]);
	pair_run(p, SETTLED_MS);
	assert_int_equal(p->b->installs, installs);
	pair_is_up(p);
	pair_free(p);
}

static void eap_waits_for_jobs_that_come_late(void **state)
{
	struct pair *p = pair_alice();

	(void)state;
	p->b->holds_jobs = p->a->holds_jobs = true;
	pair_start(p, false);
	for (unsigned int i = 0; i < 60; i++) {
		pair_run(p, 100);
		node_finish_job(p->a);
		node_finish_job(p->b);
	}
	pair_is_up(p);
	pair_free(p);
}

/* ---- who is refused ------------------------------------------------------------------------------------ */

static void refused(struct pair *p, const char *b_says, const char *a_says)
{
	run(p);
	nothing_installed(p);
	if (b_says)
		node_says(p->b, b_says);
	if (a_says)
		node_says(p->a, a_says);
	pair_free(p);
}

/* b's IKE SA only repeats its last answer. */
static void is_closed(const struct pair *p)
{
	const struct sent *init = pair_sent(p, p->b, IKE_SA_INIT, true, 0);

	assert_int_equal(ikesa_find(&p->b->core->sas, init->h.spi_r, false)->state, IKESA_CLOSED);
}

static void a_wrong_password_is_refused(void **state)
{
	(void)state;
	struct pair *p = pair_eap("alice", "no clue", MSCHAPV2);

	run(p);
	nothing_installed(p);
	is_closed(p);
	node_says(
		p->b,
		"'alice': peer does not have the password that we have for it: set the same at its end and in the file of Users=");
	node_says(p->a, "error 691");
	node_says(p->a, "compare EAP= and Password= with its list of users");
	pair_free(p);
}

/* Some servers lock the account after a few of these: whatever asks for an attempt, they are rare. */
static void a_rejected_password_is_tried_rarely(void **state)
{
	struct pair *p = pair_eap("alice", "no clue", MSCHAPV2);
	struct ike_addr own = p->a->addr;
	unsigned int tries = 1;

	(void)state;
	p->a->conf[0].child[0].start = IKE_START_TRAFFIC;
	pair_start(p, false);
	for (unsigned int s = 0; s < 3 * 3600; s += 20) {
		/* Traffic, and a path that opens, ask for one all the time. */
		ike_core_acquire(p->a->core, "t0", NULL, p->w.now);
		ike_core_path(p->a->core, "t0", IKE_PEER_FIRST, &own, p->w.now);
		pair_run(p, 20000);
		if (s == 200 || s == 620 || s == 1540)
			assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), tries++);
	}
	/* After 5, 10, 20, 40 minutes and an hour. */
	assert_in_range(pair_count(p, p->a, IKE_SA_INIT, false), 5, 7);
	node_says(p->a, "minutes, as some servers lock an account after a few wrong passwords");
	/* The next one is at once if the user says so, … */
	tries = pair_count(p, p->a, IKE_SA_INIT, false);
	assert_int_equal(ike_core_up(p->a->core, "t0", p->w.now), 0);
	pair_run(p, 1000);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), tries + 1);
	/* … or configures it anew. */
	node_set_password(p->a, 0, "clue");
	assert_int_equal(ike_core_tunnel_change(p->a->core, &p->a->conf[0], false, p->w.now), 0);
	ike_core_acquire(p->a->core, "t0", NULL, p->w.now);
	pair_run(p, 1000);
	pair_is_up(p);
	/* What was taken is no wrong password any more. */
	assert_int_equal(p->a->core->peers.tqh_first->rejections, 0);
	pair_free(p);
	p = pair_eap("alice", "no clue", MD5);
	run(p);
	pair_run(p, 200000);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	pair_free(p);
}

/* Nor is one that a server refuses by AUTHENTICATION_FAILED alone, once EAP has begun. */
static void so_is_one_without_eap_failure(void **state)
{
	(void)state;
	for (unsigned int n = 2; n <= 3; n++) {
		struct pair *p = pair_alice();
		struct auth_message m;

		auth_stop_before(p, n);
		auth_begin(&m);
		ike_build_notify(&m.b, IKE_N_AUTHENTICATION_FAILED, NULL, 0);
		auth_answer(p, &m);
		p->drop_all = true;
		pair_run(p, 40000);
		/* Before a method began no password was shown. */
		assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false) > 1, n == 2);
		pair_free(p);
	}
}

static void an_unknown_user_is_refused(void **state)
{
	struct pair *p = pair_eap("mallory", "clue", MSCHAPV2);

	(void)state;
	run(p);
	nothing_installed(p);
	node_says(p->b, "'mallory': peer is no user here: add a line for it to the file of Users=");
	node_says(p->a, "error 691");
	pair_free(p);
	p = pair_eap("mallory", "clue", MD5);
	refused(p, "'mallory': peer is no user here with a password in clear", "EAP-Failure");
}

static void methods_without_one_in_common_are_named(void **state)
{
	struct pair *p = pair_alice();

	(void)state;
	p->b->conf[0].eap_methods = MD5;
	refused(p,
		"'alice': peer takes no method of EAP that is configured here: it wants type 26 (EAP-MSCHAPv2), and EAPMethods= has md5",
		"peer wants type 4 (EAP-MD5) of EAP, and EAPMethods= has mschapv2");
}

/* What another one is asked for is a name. */
static void a_radius_server_is_not_asked_for_nobody(void **state)
{
	struct pair *p = pair_eap("corp\\", "clue", MSCHAPV2);

	(void)state;
	p->b->conf[0].eap_methods = 1 << EAP_RADIUS;
	refused(p, "gave no name in EAP-Identity", "AUTHENTICATION_FAILED");
}

static void remote_id_is_about_the_user(void **state)
{
	struct pair *p = pair_alice();
	struct ike_id *want = &p->b->conf[0].remote_id;

	(void)state;
	*want = (struct ike_id){ .type = IKE_ID_FQDN, .len = 3, .data = "bob" };
	refused(p, "peer identifies as 'alice', but RemoteID= expects 'bob'",
		"AUTHENTICATION_FAILED");
	p = pair_alice();
	p->b->conf[0].remote_id = (struct ike_id){ .type = IKE_ID_FQDN, .len = 5, .data = "alice" };
	run(p);
	pair_is_up(p);
	pair_free(p);
}

static void who_wants_eap_where_there_is_none_is_told(void **state)
{
	struct pair *p = pair_alice();

	(void)state;
	node_set_key(p->b, 0, world_keys[0], world_keys[1]);
	p->b->conf[0].eap_methods = 0;
	refused(p,
		"wants EAP, which this tunnel does not offer: set its side to a public key, or RemoteAuth= here to eap",
		"AUTHENTICATION_FAILED");
	/* And one that shows a key where it is to be a user. */
	p = pair_alice();
	node_set_key(p->a, 0, world_keys[1], world_keys[0]);
	p->a->conf[0].eap_methods = 0;
	refused(p, "not with EAP: set its side to EAP", "AUTHENTICATION_FAILED");
}

/* b has its pairs of before, and waits for the user all the same. */
static void a_server_never_begins(void **state)
{
	struct pair *p = pair_alice();
	unsigned int inits;

	(void)state;
	run(p);
	pair_is_up(p);
	inits = pair_count(p, p->b, IKE_SA_INIT, false);
	node_kill(p->b);
	p->drop_all = true;
	node_start(p->b, true);
	pair_run(p, 30000);
	assert_int_equal(pair_count(p, p->b, IKE_SA_INIT, false), inits);
	p->drop_all = false;
	pair_run(p, 300000);
	pair_is_up(p);
	pair_free(p);
}

static void a_user_is_never_begun_to(void **state)
{
	struct pair *p = pair_alice();
	struct ike_tunnel_conf *b = &p->b->conf[0];

	(void)state;
	p->a->conf[0].child[0].start = IKE_START_LISTEN;
	b->remote = p->a->conf[0].remote;
	b->remote.addr = p->a->addr;
	b->child[0].start = IKE_START_NOW;
	node_set_key(p->b, 0, world_keys[0], world_keys[1]);
	b->eap_methods = 0;
	run(p);
	nothing_installed(p);
	node_says(p->a, "begins, but LocalAuth= is eap, and only who begins can be a user");
	pair_free(p);
}

static void the_server_proves_itself_first(void **state)
{
	struct pair *p = pair_alice();

	(void)state;
	node_set_key(p->b, 0, world_keys[1], NULL);
	p->b->conf[0].remote_auth.method = IKE_METHOD_EAP;
	run(p);
	nothing_installed(p);
	node_says(p->a, "shows the public key");
	/* It heard no name, and no response. */
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 1);
	pair_free(p);
}

/* ---- messages that are not as they should be -------------------------------------------------------------- */

static void add_eap(struct auth_message *m, const void *packet, size_t len)
{
	ike_build_payload(&m->b, IKE_PL_EAP, packet, len);
}

/* Success comes instead of the question for the name, the challenge, the server's proof. */
static void early_success_is_nothing(void **state)
{
	static const uint8_t success[] = { EAP_SUCCESS, 1, 0, 4 };

	(void)state;
	for (unsigned int n = 2; n <= 4; n++) {
		struct pair *p = pair_alice();
		struct auth_message m;

		auth_stop_before(p, n);
		auth_begin(&m);
		add_eap(&m, success, sizeof(success));
		auth_answer(p, &m);
		/* At the last one of these the method was completed, and AUTH has to be made with its key. */
		nothing_installed(p);
		if (n < 4)
			node_says(
				p->a,
				"peer sent EAP-Success before any method of EAP was completed, which proves nothing");
		pair_free(p);
	}
}

static void a_method_is_not_swapped(void **state)
{
	static const uint8_t md5[] = { EAP_REQUEST, 250, 0, 8, EAP_TYPE_MD5, 2, 1, 2 };
	struct pair *p = pair_eap("alice", "clue", MSCHAPV2 | MD5);
	struct auth_message m;

	(void)state;
	auth_stop_before(p, 3);
	auth_begin(&m);
	add_eap(&m, md5, sizeof(md5));
	auth_answer(p, &m);
	nothing_installed(p);
	node_says(p->a, "peer left EAP-MSCHAPv2 in the middle of it for type 4 (EAP-MD5)");
	pair_free(p);
}

/* By a peer that did not prove itself, that it is a method's turn says nothing. */
static void eap_without_auth_is_refused(void **state)
{
	static const uint8_t identity[] = { EAP_REQUEST, 1, 0, 5, EAP_TYPE_IDENTITY };
	struct pair *p = pair_alice();
	struct auth_message m;

	(void)state;
	auth_stop_before(p, 1);
	auth_begin(&m);
	ike_build_id(&m.b, IKE_PL_IDR, &p->b->conf[0].local_id);
	add_eap(&m, identity, sizeof(identity));
	auth_answer(p, &m);
	nothing_installed(p);
	node_says(p->a, "peer asks for EAP without an AUTH payload of its own");
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 1);
	pair_free(p);
}

/* Of RFC 5998 we are the responder that proves itself all the same. */
static void eap_only_is_ignored(void **state)
{
	struct pair *p = pair_alice();
	struct ike_payloads in;
	struct auth_message m;

	(void)state;
	auth_stop_before(p, 1);
	auth_half_open(p)->rx.next++; /* the one that did not arrive is none */
	auth_begin(&m);
	ike_build_id(&m.b, IKE_PL_IDI, &p->a->conf[0].local_id);
	ike_build_notify(&m.b, IKE_N_EAP_ONLY_AUTHENTICATION, NULL, 0);
	assert_true(node_request(p->a, IKE_AUTH, &m.b, m.first));
	pair_run(p, 30);
	in = sent_open(pair_sent(p, p->b, IKE_AUTH, true, 0), node_sa(p->a));
	assert_non_null(ike_payload_find(&in, IKE_PL_AUTH));
	assert_non_null(ike_payload_find(&in, IKE_PL_EAP));
	nothing_installed(p);
	pair_free(p);
}

/* What a says in place of its request number @n, once it has gone so far. */
static struct pair *request_in_place(unsigned int n, struct auth_message *m)
{
	struct pair *p = pair_alice();

	auth_replace(p, n, m);
	return p;
}

static void is_refused(struct pair *p, uint16_t notify, const char *words)
{
	struct ike_payloads in;
	struct ike_notify n;
	unsigned int last = pair_count(p, p->b, IKE_AUTH, true) - 1;

	nothing_installed(p);
	in = sent_open(pair_sent(p, p->b, IKE_AUTH, true, last), node_sa(p->a));
	assert_true(ike_notify_find(&in, notify, &n));
	assert_int_equal(auth_half_open(p)->state, IKESA_CLOSED);
	if (words)
		node_says(p->b, words);
	pair_free(p);
}

static const uint8_t identity_answer[] = { EAP_RESPONSE, 1,   0,   10,	EAP_TYPE_IDENTITY,
					   'a',		 'l', 'i', 'c', 'e' };

static void payloads_missing_repeated_or_out_of_place_are_refused(void **state)
{
	static const uint8_t auth[32] = { 0 };
	struct auth_message m;
	struct pair *p;

	(void)state;
	for (unsigned int n = 2; n <= 4; n++) {
		p = request_in_place(n, &m); /* none */
		auth_send(p, &m);
		is_refused(p, IKE_N_INVALID_SYNTAX, "not one EAP payload");
		p = request_in_place(n, &m); /* twice */
		add_eap(&m, identity_answer, sizeof(identity_answer));
		add_eap(&m, identity_answer, sizeof(identity_answer));
		auth_send(p, &m);
		is_refused(p, IKE_N_INVALID_SYNTAX, "not one EAP payload");
		p = request_in_place(n, &m); /* AUTH before its time, alone or not */
		ike_build_auth(&m.b, IKE_AUTH_PSK, auth, sizeof(auth));
		auth_send(p, &m);
		is_refused(p, IKE_N_INVALID_SYNTAX, "not one EAP payload");
		p = request_in_place(n, &m);
		add_eap(&m, identity_answer, sizeof(identity_answer));
		ike_build_auth(&m.b, IKE_AUTH_PSK, auth, sizeof(auth));
		auth_send(p, &m);
		is_refused(p, IKE_N_INVALID_SYNTAX, "not one EAP payload");
		p = request_in_place(n, &m); /* the first request again */
		ike_build_id(&m.b, IKE_PL_IDI, &p->a->conf[0].local_id);
		auth_send(p, &m);
		is_refused(p, IKE_N_INVALID_SYNTAX, "not one EAP payload");
	}
	p = request_in_place(5, &m); /* AUTH is due */
	add_eap(&m, identity_answer, sizeof(identity_answer));
	auth_send(p, &m);
	is_refused(p, IKE_N_AUTHENTICATION_FAILED, "without one AUTH payload");
	p = request_in_place(5, &m);
	ike_build_auth(&m.b, IKE_AUTH_PSK, auth, sizeof(auth));
	ike_build_auth(&m.b, IKE_AUTH_PSK, auth, sizeof(auth));
	auth_send(p, &m);
	is_refused(p, IKE_N_AUTHENTICATION_FAILED, "without one AUTH payload");
	p = request_in_place(5, &m);
	ike_build_auth(&m.b, IKE_AUTH_PSK, auth, sizeof(auth));
	auth_send(p, &m);
	is_refused(
		p, IKE_N_AUTHENTICATION_FAILED,
		"peer 'alice' went through EAP, but its AUTH payload is not made with the key of that");
	/* Another method's AUTH in place of that of EAP. */
	p = request_in_place(5, &m);
	ike_build_auth(&m.b, IKE_AUTH_SIGNATURE, auth, sizeof(auth));
	auth_send(p, &m);
	is_refused(p, IKE_N_AUTHENTICATION_FAILED, "not made with the key of that");
}

/* Somebody in the middle runs EAP with both, and has no key in common with either. */
static void another_key_is_refused_by_both(void **state)
{
	struct pair *p = pair_alice();
	struct auth_message m;

	(void)state;
	auth_stop_before(p, 4);
	auth_half_open(p)->setup->eap->run.method->server_take(
		&auth_half_open(p)->setup->eap->run,
		&(struct eap_step){ .rng = &p->b->core->env.rng },
		&(struct eap_packet){ .code = EAP_RESPONSE,
				      .type = EAP_TYPE_MSCHAPV2,
				      .data = (const uint8_t *)"\x03",
				      .len = 1 });
	auth_half_open(p)->setup->eap->proven = true;
	auth_half_open(p)->setup->eap->run.msk[0] ^= 1;
	auth_begin(&m);
	add_eap(&m, (const uint8_t[]){ EAP_SUCCESS, auth_half_open(p)->setup->eap->run.id, 0, 4 },
		4);
	auth_answer(p, &m);
	nothing_installed(p);
	node_says(p->b, "went through EAP, but its AUTH payload is not made with the key of that");
	node_says(p->a, "AUTHENTICATION_FAILED");
	pair_free(p);
	/* The other way round: the client finds it out. */
	p = pair_alice();
	auth_stop_before(p, 5);
	auth_begin(&m);
	ike_build_auth(&m.b, IKE_AUTH_PSK, (const uint8_t[32]){ 1 }, 32);
	auth_answer(p, &m);
	nothing_installed(p);
	node_says(
		p->a,
		"peer 'node1.example' went through EAP, but its AUTH payload is not made with the key of that");
	pair_free(p);
}

/* ---- what it may cost ---------------------------------------------------------------------------------------- */

static void it_is_half_open_until_the_end(void **state)
{
	for (unsigned int n = 2; n <= 5; n++) {
		struct pair *p = pair_alice();

		(void)state;
		auth_stop_before(p, n);
		p->drop_all = true;
		assert_int_equal(node_stats(p->b).half_open, 1);
		assert_null(auth_half_open(p)->peer);
		pair_run(p, IKESA_HALF_OPEN_MS - 5000);
		assert_int_equal(node_stats(p->b).half_open, 1);
		pair_run(p, 6000);
		assert_int_equal(node_stats(p->b).half_open, 0);
		nothing_installed(p);
		pair_free(p);
	}
}

/* Who asks for EAP has us sign before it has proven anything. */
static void our_signature_is_metered(void **state)
{
	struct pair *p = pair_alice();
	struct ike_core *b;

	(void)state;
	pair_start(p, false);
	while (!pair_count(p, p->a, IKE_AUTH, false))
		pair_run(p, 1);
	b = p->b->core;
	b->admit.work = 3 * ADMIT_WORK_MAX;
	b->admit.work_at = p->w.now;
	pair_run(p, 600);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 0);
	pair_run(p, 8000);
	pair_is_up(p);
	pair_free(p);
	p = pair_alice();
	auth_stop_before(p, 2);
	assert_true(auth_half_open(p)->setup->work > 0);
	assert_true(p->b->core->admit.work >= auth_half_open(p)->setup->work / 2);
	pair_free(p);
}

/* That we cannot sign for somebody who proved nothing is no more than a hint, and not one for each who asks. */
/* The first answer has our certificates, and goes to who proved nothing. */
static void copies_get_few_answers_and_at_one_place(void **state)
{
	const struct sent *request;
	struct ike_endpoint elsewhere;
	struct pair *p = pair_alice();
	uint64_t work;

	(void)state;
	auth_stop_before(p, 2);
	p->drop_requests = true;
	request = pair_sent(p, p->a, IKE_AUTH, false, 0);
	elsewhere = auth_half_open(p)->remote;
	elsewhere.addr.b[3] ^= 1;
	work = p->b->core->admit.work;
	for (unsigned int i = 0; i < 3; i++)
		world_inject(&p->w, &elsewhere, &request->remote, request->data, request->len, 0);
	pair_run(p, 1);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 1);
	assert_true(p->b->core->admit.work > work);
	for (unsigned int i = 0; i < 300; i++)
		pair_replay(p, request);
	pair_run(p, 1);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 1 + 8);
	/* The next answer has its own copies. */
	p->drop_requests = false;
	pair_run(p, 3000);
	pair_is_up(p);
	pair_free(p);
}

static void what_strangers_lack_fills_no_log(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct pair *p = pair_alice();
		struct ike_sa *sa;

		auth_stop_before(p, 1);
		sa = auth_half_open(p);
		sa->setup->peer_hashes = 0;
		for (unsigned int kind = 0; i && kind < ADMIT_KINDS; kind++)
			p->b->core->admit.reply_spent[kind] = TIMER_NEVER;
		pair_run(p, 600);
		nothing_installed(p);
		node_says(p->a, "AUTHENTICATION_FAILED");
		if (i)
			assert_string_equal(node_error(p->b), "");
		else
			node_says(p->b, "could not prove to the peer who we are: ");
		pair_free(p);
	}
}

/* A peer that goes on with EAP, however slowly, has its place for a minute in all, and keeps it before one that is silent. */
static void a_conversation_has_a_minute(void **state)
{
	struct pair *p = pair_alice();
	struct ike_sa *silent, *sa;
	unsigned int s;

	(void)state;
	auth_stop_before(p, 2);
	sa = auth_half_open(p);
	silent = ikesa_new(false, p->w.now);
	silent->remote = sa->remote;
	admit_enter(p->b->core, silent);
	assert_ptr_equal(TAILQ_FIRST(&p->b->core->admit.half_open[sa->admit_kind]), sa);
	for (s = 0; s < 100; s++) {
		struct auth_message m;

		eap_end(&sa->setup->eap->run);
		sa->setup->eap->run = (struct eap){ .server = true, .allowed = MSCHAPV2, .id = 1 };
		sa->rx.next = node_sa(p->a)->tx.next;
		auth_begin(&m);
		add_eap(&m, identity_answer, sizeof(identity_answer));
		assert_true(node_request(p->a, IKE_AUTH, &m.b, m.first));
		pair_run(p, 100);
		assert_ptr_equal(TAILQ_FIRST(&p->b->core->admit.half_open[sa->admit_kind]), silent);
		p->drop_all = true;
		pair_run(p, 1000);
		p->drop_all = false;
		if (node_stats(p->b).half_open == 1) /* the silent one's */
			break;
	}
	assert_in_range(s, 40, 60);
	admit_leave(p->b->core, silent);
	ikesa_free(silent);
	pair_free(p);
}

/* a tries @password now; true: b looked at it. */
static bool looks_at(struct pair *p, const char *password)
{
	uint64_t before = p->b->core->last_job;

	node_set_password(p->a, 0, password);
	assert_int_equal(ike_core_up(p->a->core, "t0", p->w.now), 0);
	pair_run(p, PEER_HINT_MS + 100);
	return p->b->core->last_job - before == 2; /* our signature, and that */
}

static void few_wrong_passwords_are_looked_at(void **state)
{
	struct pair *p = pair_alice();

	(void)state;
	pair_start(p, false);
	assert_int_equal(ike_core_down(p->a->core, "t0", p->w.now), 0);
	for (unsigned int i = 0; i < 5; i++)
		assert_true(looks_at(p, "no clue"));
	assert_false(looks_at(p, "clue"));
	node_says(
		p->b,
		"'alice': too many wrong passwords for this user from this address: this one was not looked at, and none is for");
	node_says(p->a, "AUTHENTICATION_FAILED");
	assert_int_equal(p->b->installs, 0);
	/* One a minute from then on. */
	assert_int_equal(ike_core_down(p->a->core, "t0", p->w.now), 0);
	pair_run(p, 61000);
	assert_true(looks_at(p, "no clue"));
	assert_false(looks_at(p, "no clue"));
	assert_int_equal(ike_core_down(p->a->core, "t0", p->w.now), 0);
	pair_run(p, 61000);
	assert_true(looks_at(p, "clue"));
	pair_is_up(p);
	pair_free(p);
}

static struct ike_sa *from(struct ike_core *core, struct ike_sa *sa, uint8_t subnet, uint8_t host)
{
	sa->remote.addr = (struct ike_addr){ 4, { 203, 0, subnet, host } };
	sa->source = digest_source(core, &sa->remote.addr);
	sa->admit_kind = admit_kind(core, &sa->remote.addr);
	return sa;
}

static void guesses_are_counted_for_users_and_sources(void **state)
{
	const struct ike_id alice = { IKE_ID_FQDN, 5, "alice" },
			    carol = { IKE_ID_FQDN, 5, "carol" };
	struct pair *p = pair_alice();
	struct ike_sa sa = { 0 };
	struct ike_core *b;
	unsigned int seconds;

	(void)state;
	pair_start(p, false);
	b = p->b->core;
	/* Many users from one source. */
	for (uint8_t i = 0; i < 20; i++) {
		const struct ike_id id = { IKE_ID_FQDN, 2, { 'u', i } };

		assert_null(guess_bars(b, from(b, &sa, 1, 1), &id, &seconds));
		guess_wrong(b, &sa, &id);
	}
	assert_string_equal(guess_bars(b, &sa, &carol, &seconds), "from this address");
	assert_in_range(seconds, 59, 60);
	assert_null(guess_bars(b, from(b, &sa, 1, 2), &carol, &seconds));
	/* One user from many; but where it came from before it is let in. */
	admit_proven(b, &from(b, &sa, 3, 3)->remote.addr);
	for (uint8_t i = 0; i < 50; i++) {
		assert_null(guess_bars(b, from(b, &sa, 2, i), &alice, &seconds));
		guess_wrong(b, &sa, &alice);
	}
	assert_string_equal(guess_bars(b, from(b, &sa, 2, 99), &alice, &seconds),
			    "for this user from addresses that nobody logged in from");
	assert_null(guess_bars(b, from(b, &sa, 3, 3), &alice, &seconds));
	assert_null(guess_bars(b, from(b, &sa, 2, 99), &carol, &seconds));
	/* Of a known source each user counts alone, … */
	for (uint8_t i = 0; i < 60; i++) {
		const struct ike_id id = { IKE_ID_FQDN, 2, { 'v', i } };

		guess_wrong(b, from(b, &sa, 3, 3), &id);
	}
	assert_null(guess_bars(b, &sa, &carol, &seconds));
	for (uint8_t i = 0; i < 5; i++)
		guess_wrong(b, &sa, &carol);
	assert_non_null(guess_bars(b, &sa, &carol, &seconds));
	/* … and a right one takes back what was a slip. */
	guess_right(b, &sa, &carol);
	assert_null(guess_bars(b, &sa, &carol, &seconds));
	/* What has few is pushed out before what has many. */
	for (unsigned int i = 0; i < 20000; i++) {
		struct ike_id id = { IKE_ID_FQDN, 4, { 'w' } };

		memcpy(id.data, &i, sizeof(i));
		guess_wrong(b, from(b, &sa, (uint8_t)(8 + i % 240), (uint8_t)(i / 240)), &id);
	}
	assert_non_null(guess_bars(b, from(b, &sa, 2, 99), &alice, &seconds));
	pair_free(p);
}

/* An answer needs no address that is the peer's: it could be wrong in the name of another one. */
static void guesses_from_forged_addresses(void **state)
{
	const struct ike_id dave = { IKE_ID_FQDN, 4, "dave" };
	struct pair *p = pair_alice();
	struct ike_sa sa = { 0 };
	struct ike_core *b;
	unsigned int seconds;

	(void)state;
	pair_start(p, false);
	b = p->b->core;
	admit_proven(b, &from(b, &sa, 3, 3)->remote.addr);
	for (uint8_t i = 0; i < 5; i++) {
		from(b, &sa, 4, 4)->remote.addr.b[2] = 3;
		guess_wrong(b, &sa, &dave);
	}
	assert_string_equal(guess_bars(b, &sa, &dave, &seconds), "for this user from this address");
	assert_non_null(guess_bars(b, from(b, &sa, 4, 4), &dave, &seconds));
	assert_null(guess_bars(b, from(b, &sa, 3, 4), &dave, &seconds));
	assert_null(guess_bars(b, from(b, &sa, 3, 3), &dave, &seconds));
	pair_free(p);
}

static void guesses_are_metered(void **state)
{
	struct pair *p = pair_eap("alice", "no clue", MSCHAPV2);
	uint64_t before;

	(void)state;
	auth_stop_before(p, 3);
	before = p->b->core->admit.work;
	p->drop_requests = false;
	pair_run(p, 1000);
	node_says(p->b, "does not have the password");
	assert_true(p->b->core->admit.work > before);
	pair_free(p);
}

/* ---- the configuration changes meanwhile ------------------------------------------------------------------------ */

static void a_tunnel_that_goes_takes_its_eap_along(void **state)
{
	(void)state;
	for (unsigned int n = 2; n <= 5; n++) {
		struct pair *p = pair_alice();

		auth_stop_before(p, n);
		ike_core_tunnel_del(p->b->core, "t0");
		pair_run(p, 2000);
		nothing_installed(p);
		node_says(p->a, "AUTHENTICATION_FAILED");
		pair_free(p);
	}
}

/* What the file of Users= says now goes, even if the password of before was proven already. */
static void a_change_has_a_user_begin_anew(void **state)
{
	(void)state;
	for (unsigned int n = 2; n <= 5; n++) {
		struct pair *p = pair_alice();

		auth_stop_before(p, n);
		assert_int_equal(
			ike_core_tunnel_change(p->b->core, &p->b->conf[0], false, p->w.now), 0);
		while (pair_count(p, p->b, IKE_AUTH, true) < n)
			pair_run(p, 1);
		pair_run(p, 30);
		nothing_installed(p);
		node_says(p->a, "AUTHENTICATION_FAILED");
		pair_run(p, 100000);
		pair_is_up(p);
		pair_free(p);
	}
}

/* Whoever changes the terms of a tunnel ends what the one peer has by the former ones: it has to log in again. */
static void renewed_terms_end_what_a_user_has(void **state)
{
	struct pair *p = pair_alice();

	(void)state;
	run(p);
	pair_is_up(p);
	p->b->n_users = 0;
	assert_int_equal(ike_core_tunnel_change(p->b->core, &p->b->conf[0], true, p->w.now), 0);
	pair_run(p, SETTLED_MS);
	assert_false(direction_works(p->b, p->a, 0));
	node_says(p->b, "'alice': peer is no user here");
	node_add_user(p->b, "alice", "clue");
	pair_run(p, 400000);
	pair_is_up(p);
	pair_free(p);
}

static void two_tunnels_that_fit_alike_are_named(void **state)
{
	struct pair *p = pair_alice();
	unsigned int other = world_link(&p->w, p->a, p->b, false);

	(void)state;
	world_eap(&p->w, other, world_keys[0], "alice", "clue", MSCHAPV2);
	p->a->conf[other].name[0] = 0;
	run(p);
	nothing_installed(p);
	node_says(
		p->b,
		"nothing tells which of the two tunnels it means: set LocalID= in [Tunnel] to another one in each");
	pair_free(p);
	/* With another identity in each it is told by IDr. */
	p = pair_alice();
	other = world_link(&p->w, p->a, p->b, false);
	world_eap(&p->w, other, world_keys[0], "alice", "clue", MSCHAPV2);
	p->a->conf[other].name[0] = 0;
	p->b->conf[other].local_id.data[0] = 'x';
	run(p);
	pair_is_up(p);
	pair_free(p);
}

static void senseless_configurations_are_refused(void **state)
{
	struct pair *p = pair_alice();
	struct ike_tunnel_conf good = p->a->conf[0], bad;

	(void)state;
	assert_true(tunnel_conf_is_sane(&good));
	bad = good, bad.eap_methods = 0;
	assert_false(tunnel_conf_is_sane(&bad));
	bad = good, bad.eap_methods = 1 << EAP_METHODS;
	assert_false(tunnel_conf_is_sane(&bad));
	bad = good, bad.remote_auth.method = IKE_METHOD_PSK;
	assert_false(tunnel_conf_is_sane(&bad));
	bad = good, bad.remote_auth.method = IKE_METHOD_EAP;
	assert_false(tunnel_conf_is_sane(&bad));
	bad = good;
	node_add_cert(p->a, 0, IKE_CRED_CA, &(struct ike_iov){ "a CA", 4 });
	bad.creds = p->a->conf[0].creds;
	assert_true(tunnel_conf_is_sane(&bad));
	bad.remote_id.type = 0;
	assert_false(tunnel_conf_is_sane(&bad));
	bad.remote_id = (struct ike_id){ IKE_ID_FQDN, 9, "*.example" };
	assert_false(tunnel_conf_is_sane(&bad));
	bad = good, bad.creds.len = 0;
	assert_false(tunnel_conf_is_sane(&bad));
	bad = p->b->conf[0];
	assert_true(tunnel_conf_is_sane(&bad));
	bad.local_auth.method = IKE_METHOD_PSK;
	assert_false(tunnel_conf_is_sane(&bad));
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_proves_itself),
		cmocka_unit_test(md5_has_no_key_and_ends_with_ours),
		cmocka_unit_test(names_are_users_with_or_without_domain),
		cmocka_unit_test(clients_of_a_hub_are_users),
		cmocka_unit_test(lost_and_repeated_messages_do_no_harm),
		cmocka_unit_test(copies_are_answered_once),
		cmocka_unit_test(eap_waits_for_jobs_that_come_late),
		cmocka_unit_test(a_wrong_password_is_refused),
		cmocka_unit_test(a_rejected_password_is_tried_rarely),
		cmocka_unit_test(so_is_one_without_eap_failure),
		cmocka_unit_test(an_unknown_user_is_refused),
		cmocka_unit_test(methods_without_one_in_common_are_named),
		cmocka_unit_test(a_radius_server_is_not_asked_for_nobody),
		cmocka_unit_test(remote_id_is_about_the_user),
		cmocka_unit_test(who_wants_eap_where_there_is_none_is_told),
		cmocka_unit_test(a_server_never_begins),
		cmocka_unit_test(a_user_is_never_begun_to),
		cmocka_unit_test(the_server_proves_itself_first),
		cmocka_unit_test(early_success_is_nothing),
		cmocka_unit_test(a_method_is_not_swapped),
		cmocka_unit_test(eap_without_auth_is_refused),
		cmocka_unit_test(eap_only_is_ignored),
		cmocka_unit_test(payloads_missing_repeated_or_out_of_place_are_refused),
		cmocka_unit_test(another_key_is_refused_by_both),
		cmocka_unit_test(it_is_half_open_until_the_end),
		cmocka_unit_test(our_signature_is_metered),
		cmocka_unit_test(copies_get_few_answers_and_at_one_place),
		cmocka_unit_test(what_strangers_lack_fills_no_log),
		cmocka_unit_test(a_conversation_has_a_minute),
		cmocka_unit_test(few_wrong_passwords_are_looked_at),
		cmocka_unit_test(guesses_are_counted_for_users_and_sources),
		cmocka_unit_test(guesses_from_forged_addresses),
		cmocka_unit_test(guesses_are_metered),
		cmocka_unit_test(a_tunnel_that_goes_takes_its_eap_along),
		cmocka_unit_test(a_change_has_a_user_begin_anew),
		cmocka_unit_test(renewed_terms_end_what_a_user_has),
		cmocka_unit_test(two_tunnels_that_fit_alike_are_named),
		cmocka_unit_test(senseless_configurations_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
