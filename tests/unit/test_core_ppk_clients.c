// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Post-quantum preshared keys (RFC 8784) with EAP, where their part is in the last messages of IKE_AUTH, and one for each
 * client of a hub, which knows it by the name that the client says. What both have in common with others test_core_ppk.c has.
 */
#include "core_hub.h"
#include "core_util.h"

#include <errno.h>

#include "ike/core/core.h"
#include "ike/eap/eap.h"

enum { MSCHAPV2 = 1 << EAP_MSCHAPV2, MD5 = 1 << EAP_MD5, SETTLED_MS = 400 };

static const char key[] = "a key of 256 bits, as far as this test is concerned";
static const char another[] = "another key of 256 bits, as far as this test goes";

/* The first notify of this type in IKE_AUTH message number @n of an end; false if there is none. */
static bool auth_has(struct pair *p, const struct node *from, unsigned int at, uint16_t type,
		     struct ike_notify *n)
{
	static struct ike_payloads in;

	in = sent_open(pair_sent(p, from, IKE_AUTH, from == p->b, at), node_sa(p->b));
	return ike_notify_find(&in, type, n);
}

/* ---- with EAP ------------------------------------------------------------------------- */

enum { LAST = 4 /* IKE_AUTH message, from 0: IDi, Identity, response, acknowledgement, AUTH */ };

/* a is the user alice of b. What each has: NULL for none, the PPK's name, or, with a ! before it, one that it requires. */
static struct pair *pair_user(const char *a, const char *b)
{
	struct pair *p = pair_new();

	world_eap(&p->w, 0, world_keys[0], "alice", "clue", MSCHAPV2);
	node_add_user(p->b, "alice", "clue");
	if (a)
		node_set_ppk(p->a, 0, a + (*a == '!'), key, *a == '!');
	if (b)
		node_set_ppk(p->b, 0, b + (*b == '!'), key, *b == '!');
	return p;
}

static void run(struct pair *p)
{
	pair_start(p, false);
	pair_run(p, SETTLED_MS);
}

static void ends_are(struct pair *p, enum ike_ppk a, enum ike_ppk b)
{
	assert_true(direction_works(p->a, p->b, 0) && direction_works(p->b, p->a, 0));
	assert_int_equal(node_status(p->a, 0).ppk, a);
	assert_int_equal(node_status(p->b, 0).ppk, b);
	assert_memory_equal(node_sa(p->a)->keys.d, node_sa(p->b)->keys.d, IKE_MAX_PRF);
}

/* Each end says @a_says and @b_says; NULL: whatever. */
static void refused(struct pair *p, const char *a_says, const char *b_says)
{
	run(p);
	assert_int_equal(p->a->installs + p->b->installs, 0);
	assert_int_equal(node_stats(p->a).ike_sas + node_stats(p->b).ike_sas, 0);
	if (a_says)
		node_says(p->a, a_says);
	if (b_says)
		node_says(p->b, b_says);
	pair_free(p);
}

/* RFC 8784 3: in the request with AUTH, which is the last one, and in no other message. */
static void it_comes_with_the_last_messages(void **state)
{
	static const char *const has[2] = { "site-1", "!site-1" };

	for (unsigned int i = 0; i < 4; i++) {
		struct pair *p = pair_user(has[i & 1], has[i >> 1]);
		struct ike_notify n;

		(void)state;
		run(p);
		ends_are(p, IKE_PPK_USED, IKE_PPK_USED);
		for (unsigned int at = 0; at < LAST; at++) {
			assert_false(auth_has(p, p->a, at, IKE_N_PPK_IDENTITY, &n));
			assert_false(auth_has(p, p->a, at, IKE_N_NO_PPK_AUTH, &n));
			assert_false(auth_has(p, p->b, at, IKE_N_PPK_IDENTITY, &n));
		}
		assert_true(auth_has(p, p->a, LAST, IKE_N_PPK_IDENTITY, &n));
		assert_int_equal(n.len, 7);
		assert_memory_equal(n.data, "\2site-1", 7);
		assert_int_equal(auth_has(p, p->a, LAST, IKE_N_NO_PPK_AUTH, &n), !(i & 1));
		assert_true(auth_has(p, p->b, LAST, IKE_N_PPK_IDENTITY, &n));
		assert_int_equal(n.len, 0);
		pair_free(p);
	}
}

/* Without a key of EAP that is SK_pi or SK_pr (RFC 7296 2.16), which the PPK is mixed into. */
static void methods_without_key_have_it_twice(void **state)
{
	struct pair *p = pair_user("site-1", "!site-1");

	(void)state;
	p->a->conf[0].eap_methods = p->b->conf[0].eap_methods = MD5;
	run(p);
	ends_are(p, IKE_PPK_USED, IKE_PPK_USED);
	pair_free(p);

	p = pair_user("!site-1", "!site-1");
	p->a->conf[0].eap_methods = p->b->conf[0].eap_methods = MD5;
	p->b->ppk[0] = another;
	refused(p, NULL, "does not prove that it has the PPK 'site-1', or not its key");
}

static void a_user_without_is_let_in_if_it_may(void **state)
{
	struct pair *p = pair_user("site-1", NULL);

	(void)state;
	run(p);
	ends_are(p, IKE_PPK_NOT_OFFERED, IKE_PPK_NONE);
	pair_free(p);

	p = pair_user(NULL, "site-1");
	run(p);
	ends_are(p, IKE_PPK_NONE, IKE_PPK_NOT_OFFERED);
	pair_free(p);

	p = pair_user("site-1", "site-2");
	run(p);
	ends_are(p, IKE_PPK_UNKNOWN, IKE_PPK_UNKNOWN);
	node_says(
		p->a,
		"the PPK 'site-1' is not used, as PPKRequired = no and the peer does not have it");
	node_says(
		p->b,
		"the PPK 'site-2' is not used, as PPKRequired = no and the peer does not have it");
	pair_free(p);
}

static void who_requires_it_goes_without_nobody(void **state)
{
	(void)state;
	refused(pair_user("!site-1", NULL),
		"peer does not use PPKs, but PPKRequired = yes: configure the PPK 'site-1' at its side",
		NULL);
	/* It is known from IKE_SA_INIT on, so that no EAP is begun. */
	refused(pair_user(NULL, "!site-1"), "AUTHENTICATION_FAILED",
		"does not use PPKs, but PPKRequired = yes: configure the PPK 'site-1' at its side, or set PPKRequired = no in [Peer]");
	refused(pair_user("site-1", "!site-2"),
		"compare PPK=, PPKID=, EAP= and Password= (or Cert=), LocalID=",
		"peer 'alice' names the PPK 'site-1', but PPKID = site-2, and PPKRequired = yes requires one");
	refused(pair_user("!site-1", "site-2"), "AUTHENTICATION_FAILED",
		"peer 'alice' names the PPK 'site-1', but PPKID = site-2, and it requires one");
}

/* Whoever names the right PPK cannot go without, or a wrong key would be no more than a missing one. */
static void a_wrong_key_proves_nothing(void **state)
{
	static const char *const has[2] = { "site-1", "!site-1" };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct pair *p = pair_user(has[i & 1], has[i >> 1]);

		p->b->ppk[0] = another;
		refused(p, "compare PPK=, PPKID=",
			"peer 'alice' does not prove that it has the PPK 'site-1', or not its key: set the same PPK= at both ends");
	}
}

/* The other end goes on without, though we require it: the child SA of its answer is not for us. */
static void a_server_that_leaves_it_out_is_left(void **state)
{
	struct pair *p = pair_user("site-1", "site-2");
	struct tunnel_conf *conf;
	struct hold *h;

	(void)state;
	h = world_hold(&p->w, p->b, IKE_AUTH, true, LAST);
	pair_start(p, false);
	assert_true(world_await(&p->w, h, 1000));
	conf = own_conf(p->a);
	((struct ike_ppk_conf *)conf->ppk)->required = true;
	world_release(&p->w, h);
	pair_run(p, 300);
	node_says(p->a, "peer goes on without the PPK 'site-1', but PPKRequired = yes");
	assert_int_equal(p->a->n_sa + p->b->n_sa, 0);
	pair_free(p);
}

static void rekeyed_keys_follow_from_it(void **state)
{
	struct pair *p = pair_user("!site-1", "!site-1");
	struct ike_keys first;

	(void)state;
	run(p);
	first = node_sa(p->a)->keys;
	node_rekey_ike(p->a);
	pair_run(p, 2000);
	assert_memory_not_equal(first.d, node_sa(p->a)->keys.d, 32);
	ends_are(p, IKE_PPK_USED, IKE_PPK_USED);
	pair_free(p);
}

static void lost_messages_and_late_jobs_do_no_harm(void **state)
{
	struct pair *p;

	(void)state;
	for (unsigned int seed = 1; seed <= 6; seed++)
		pair_survives(pair_user("site-1", "!site-1"), seed, 20);
	p = pair_user("site-1", "!site-1");
	p->a->holds_jobs = p->b->holds_jobs = true;
	pair_start(p, false);
	for (unsigned int i = 0; i < 60; i++) {
		pair_run(p, 100);
		node_finish_job(p->a);
		node_finish_job(p->b);
	}
	ends_are(p, IKE_PPK_USED, IKE_PPK_USED);
	pair_free(p);
}

/* ---- one for each client ----------------------------------------------------------------- */

static const char *const client_id[CLIENTS] = { "node1.example", "node2.example", "node3.example" };
static const char *const ppk_id[CLIENTS] = { "first", "second", "third" };
static const char *const ppk_key[CLIENTS] = { "the first key, of 256 bits or so, as it should be",
					      "the second key, of 256 bits or so, as it should be",
					      "the third key, of 256 bits or so, as it should be" };

/* Each client has a PPK of its own; who requires it, the hub or they. */
static struct hub *hub_ppk(bool hub_requires, bool they_require)
{
	struct hub *h = hub_new(8, 16);

	for (unsigned int i = 0; i < CLIENTS; i++) {
		node_add_ppk(h->hub, h->tunnel, ppk_id[i], ppk_key[i], client_id[i], hub_requires);
		node_set_ppk(h->client[i], h->link[i], ppk_id[i], ppk_key[i], they_require);
	}
	return h;
}

static void all_come(struct hub *h)
{
	node_start(h->hub, false);
	for (unsigned int i = 0; i < CLIENTS; i++)
		node_start(h->client[i], false);
	hub_run(h, SETTLED_MS);
}

/* Each client but the first one works, with its PPK; what came of the first one's, if it works at all? */
static void others_work(const struct hub *h)
{
	for (unsigned int i = 1; i < CLIENTS; i++) {
		assert_true(hub_works(h, i));
		assert_int_equal(node_status(h->client[i], h->link[i]).ppk, IKE_PPK_USED);
	}
}

static void each_client_has_its_own(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct hub *h = hub_ppk(i & 1, i & 2);

		all_come(h);
		assert_true(hub_works(h, 0));
		assert_int_equal(node_status(h->client[0], h->link[0]).ppk, IKE_PPK_USED);
		others_work(h);
		hub_free(h);
	}
}

static void each_user_has_its_own(void **state)
{
	static const char *const names[CLIENTS] = { "alice", "bob", "carol@corp.example" };
	struct hub *h = hub_new(8, 16);

	(void)state;
	for (unsigned int i = 0; i < CLIENTS; i++) {
		node_add_user(h->hub, names[i], "p");
		world_eap(&h->w, h->link[i], world_keys[0], names[i], "p", MSCHAPV2);
		node_add_ppk(h->hub, h->tunnel, ppk_id[i], ppk_key[i], names[i], true);
		node_set_ppk(h->client[i], h->link[i], ppk_id[i], ppk_key[i], i & 1);
	}
	h->client[0]->conf[h->link[0]].ppk.id[0] = 's'; /* another name, and none */
	all_come(h);
	others_work(h);
	assert_false(hub_works(h, 0));
	node_says(
		h->hub,
		"peer 'alice' names the PPK 'sirst', which it does not have here, and PPKRequired = yes requires one: add that to the file of ClientPPKs=, and set PPKID= to it in [Client alice] if there is that section, or another one that names it");
	hub_free(h);
}

/* That of another client is none, for which identity it is. */
static void only_its_own_will_do(void **state)
{
	for (unsigned int i = 0; i < 4; i++) {
		bool hub_requires = i & 1, it_requires = i & 2;
		struct hub *h = hub_ppk(hub_requires, it_requires);

		(void)state;
		node_set_ppk(h->client[0], h->link[0], ppk_id[1], ppk_key[1], it_requires);
		all_come(h);
		others_work(h);
		assert_int_equal(hub_works(h, 0), !hub_requires && !it_requires);
		if (hub_requires)
			node_says(
				h->hub,
				"peer 'node1.example' names the PPK 'second', which it does not have here, and PPKRequired = yes requires one");
		else if (it_requires)
			node_says(
				h->hub,
				"peer 'node1.example' names the PPK 'second', which it does not have here, and it requires one");
		else
			node_says(
				h->hub,
				"the client's PPK is not used, as PPKRequired = no and the peer does not have it");
		hub_free(h);
	}
}

static void a_client_with_another_key_is_refused(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct hub *h = hub_ppk(i & 1, i & 2);

		h->client[0]->ppk[h->link[0]] = another;
		all_come(h);
		others_work(h);
		assert_false(hub_works(h, 0));
		node_says(
			h->hub,
			"peer 'node1.example' does not prove that it has the PPK 'first', or not its key: set the same PPK= at both ends, then compare PSK=");
		hub_free(h);
	}
}

static void a_client_without_is_refused_or_told(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct hub *h = hub_ppk(i, true);

		h->client[0]->conf[h->link[0]].ppk = (struct ike_ppk_conf){ 0 };
		all_come(h);
		others_work(h);
		assert_int_equal(hub_works(h, 0), !i);
		node_says(
			h->hub,
			i ? "peer 'node1.example' does not use PPKs, but PPKRequired = yes: configure the client's PPK at its side"
			  : "the client's PPK is not used, as PPKRequired = no and the peer does not use PPKs");
		hub_free(h);
	}
}

/* ---- several hubs that the client could mean ------------------------------------------------- */

static unsigned int ppk_jobs; /* that the hub began */

/* None has the client's PPK but the tunnel ->shares_key. */
static const uint8_t *key_of_one(void *ctx, const struct ike_job *job, unsigned int at, size_t *len)
{
	const struct node *n = ctx;
	bool right = n->shares_key && !strcmp(job->tunnels[at], n->shares_key);

	if (job->kind != IKE_JOB_PPK) {
		*len = n->psk_len[0];
		return n->psk[0];
	}
	ppk_jobs++;
	assert_int_equal(job->auth.len, 5);
	assert_memory_equal(job->auth.base, "first", 5);
	*len = right ? strlen(ppk_key[0]) : 0;
	return right ? (const uint8_t *)ppk_key[0] : NULL;
}

/* @n hubs more; that with the PPK is @has. Does the client come, with its PPK? */
static bool finds_hub(unsigned int n, const char *has, bool requires)
{
	struct pair *p = pair_new();
	struct ike_tunnel_conf other;
	bool works;

	node_set_ppk(p->a, 0, "first", ppk_key[0], requires);
	p->b->conf[0].remote_id.type = 0;
	p->b->conf[0].clients = 2;
	p->b->conf[0].ppk = (struct ike_ppk_conf){ .of_clients = true };
	p->b->find_key = key_of_one;
	p->b->shares_key = has;
	ppk_jobs = 0;
	node_start(p->b, false);
	p->b->conf[1] = other = p->b->conf[0];
	for (unsigned int k = 0; k < n; k++) {
		snprintf(other.name, sizeof(other.name), "t1-%u", k);
		assert_int_equal(ike_core_tunnel_add(p->b->core, &other), 0);
		ike_core_start(p->b->core, other.name, p->w.now);
	}
	node_start(p->a, false);
	pair_run(p, 100);
	works = node_status(p->a, 0).ppk == IKE_PPK_USED;
	pair_free(p);
	return works;
}

/* Of several the one is found that has the PPK; how many are asked is bounded. */
static void the_hub_that_has_it_is_found(void **state)
{
	(void)state;
	assert_true(finds_hub(4, "t1-3", true));
	assert_int_equal(ppk_jobs, 5);
	assert_true(finds_hub(7, "t1-6", false));
	assert_false(finds_hub(8, "t1-7", false));
	assert_int_equal(ppk_jobs, 8);
	assert_false(finds_hub(20, NULL, true));
	assert_int_equal(ppk_jobs, 8);
}

/* One name for the tunnel and one for each client; none of many; and one for each client with two rounds, of which the last one says which client it is. */
static void impossible_ones_are_refused(void **state)
{
	struct pair *p = pair_new();
	struct ike_tunnel_conf c;

	(void)state;
	pair_start(p, true);
	c = p->a->conf[0];
	memcpy(c.name, "t9", 3);
	c.ppk.of_clients = true;
	assert_int_equal(ike_core_tunnel_add(p->a->core, &c), -EINVAL);
	c.clients = 2;
	c.remote.addr.family = 0;
	c.ppk.id_len = 1;
	assert_int_equal(ike_core_tunnel_add(p->a->core, &c), -EINVAL);
	c.ppk.id_len = 0;
	c.remote_auth.then_user = true;
	assert_int_equal(ike_core_tunnel_add(p->a->core, &c), -EINVAL);
	c.remote_auth.then_user = false;
	assert_int_equal(ike_core_tunnel_add(p->a->core, &c), 0);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_with_the_last_messages),
		cmocka_unit_test(methods_without_key_have_it_twice),
		cmocka_unit_test(a_user_without_is_let_in_if_it_may),
		cmocka_unit_test(who_requires_it_goes_without_nobody),
		cmocka_unit_test(a_wrong_key_proves_nothing),
		cmocka_unit_test(a_server_that_leaves_it_out_is_left),
		cmocka_unit_test(rekeyed_keys_follow_from_it),
		cmocka_unit_test(lost_messages_and_late_jobs_do_no_harm),
		cmocka_unit_test(each_client_has_its_own),
		cmocka_unit_test(each_user_has_its_own),
		cmocka_unit_test(only_its_own_will_do),
		cmocka_unit_test(a_client_with_another_key_is_refused),
		cmocka_unit_test(a_client_without_is_refused_or_told),
		cmocka_unit_test(the_hub_that_has_it_is_found),
		cmocka_unit_test(impossible_ones_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
