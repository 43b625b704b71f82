// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Post-quantum preshared keys (RFC 8784), between two cores: who has one, who requires it, what each end says
 * if it is missing, wrong or unknown, and what an attacker between both can do about it.
 */
#include "core_util.h"

#include <errno.h>

#include "ike/core/core.h"

static const char key[] = "a key of 256 bits, as far as this test is concerned";

static void set_both(struct pair *p, bool a_requires, bool b_requires)
{
	node_set_ppk(p->a, 0, "site-1", key, a_requires);
	node_set_ppk(p->b, 0, "site-1", key, b_requires);
}

static void nothing_came_of_it(struct pair *p)
{
	pair_run(p, 300);
	assert_int_equal(p->a->installs + p->b->installs, 0);
	assert_int_equal(node_stats(p->a).ike_sas + node_stats(p->b).ike_sas, 0);
	pair_free(p);
}

static void ends_are(struct pair *p, enum ike_ppk a, enum ike_ppk b)
{
	assert_int_equal(node_status(p->a, 0).ppk, a);
	assert_int_equal(node_status(p->b, 0).ppk, b);
	assert_memory_equal(node_sa(p->a)->keys.d, node_sa(p->b)->keys.d, IKE_MAX_PRF);
}

/* The first notify of this type in the first IKE_AUTH message of an end; false if there is none. */
static bool auth_has(struct pair *p, const struct node *from, uint16_t type, struct ike_notify *n)
{
	static struct ike_payloads in;

	in = sent_open(pair_sent(p, from, IKE_AUTH, from == p->b, 0), node_sa(p->b));
	return ike_notify_find(&in, type, n);
}

/* ---- what works --------------------------------------------------------------------- */

/* RFC 8784 3: SK_d = prf(PPK, SK_d' | 1), of which SK_d' is what the keys are without. */
static struct ike_keys before_mixing;

static const uint8_t *note_keys(void *ctx, const struct ike_job *job, unsigned int at, size_t *len)
{
	const struct node *n = ctx;

	(void)at;
	if (job->kind != IKE_JOB_PPK) {
		*len = n->psk_len[0];
		return n->psk[0];
	}
	memcpy(before_mixing.d, job->octets[0].base, job->octets[0].len);
	memcpy(before_mixing.pi, job->octets[1].base, job->octets[1].len);
	*len = sizeof(key) - 1;
	return (const uint8_t *)key;
}

static void both_mix_their_keys(void **state)
{
	struct pair *p = pair_new();
	struct ike_notify n;
	uint8_t d[IKE_MAX_PRF];
	struct ike_iov in[2] = { { before_mixing.d, 32 }, { "\1", 1 } };

	(void)state;
	set_both(p, true, true);
	p->a->find_key = note_keys;
	pair_start(p, true);
	ends_are(p, IKE_PPK_USED, IKE_PPK_USED);
	assert_true(sent_notify(pair_sent(p, p->a, IKE_SA_INIT, false, 0), IKE_N_USE_PPK, &n));
	assert_int_equal(n.len, 0);
	assert_true(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0), IKE_N_USE_PPK, &n));
	assert_true(auth_has(p, p->a, IKE_N_PPK_IDENTITY, &n));
	assert_int_equal(n.len, 7);
	assert_memory_equal(n.data, "\2site-1", 7);
	assert_false(auth_has(p, p->a, IKE_N_NO_PPK_AUTH, &n));
	assert_true(auth_has(p, p->b, IKE_N_PPK_IDENTITY, &n));
	assert_int_equal(n.len, 0);
	assert_int_equal(node_sa(p->a)->keys.d_len, 32);
	assert_int_equal(
		ike_prf(IKE_PRF_HMAC_SHA2_256, (const uint8_t *)key, sizeof(key) - 1, in, 2, d), 0);
	assert_memory_equal(node_sa(p->a)->keys.d, d, 32);
	pair_free(p);
}

/* Who may do without says so by NO_PPK_AUTH, and does not if it need not. */
static void it_is_used_where_both_have_it(void **state)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct pair *p = pair_new();
		struct ike_notify n;

		(void)state;
		set_both(p, i & 1, i & 2);
		pair_start(p, true);
		ends_are(p, IKE_PPK_USED, IKE_PPK_USED);
		assert_int_equal(auth_has(p, p->a, IKE_N_NO_PPK_AUTH, &n), !(i & 1));
		pair_free(p);
	}
}

static void signatures_cover_it_too(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct pair *p = pair_new();

		(void)state;
		world_sign(&p->w, 0, world_keys[0], world_keys[1]);
		set_both(p, i, i);
		pair_start(p, true);
		ends_are(p, IKE_PPK_USED, IKE_PPK_USED);
		pair_free(p);
	}
}

static void keys_that_follow_depend_on_it(void **state)
{
	struct pair *p = pair_new();
	struct ike_keys first;

	(void)state;
	set_both(p, true, true);
	pair_start(p, true);
	first = node_sa(p->a)->keys;
	node_rekey_ike(p->a);
	pair_run(p, 2000);
	assert_int_not_equal(memcmp(first.d, node_sa(p->a)->keys.d, 32), 0);
	ends_are(p, IKE_PPK_USED, IKE_PPK_USED);
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
}

/* ---- one end has none ------------------------------------------------------------------ */

static void a_peer_without_is_told(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	node_set_ppk(p->a, 0, "site-1", key, false);
	pair_start(p, true);
	ends_are(p, IKE_PPK_NOT_OFFERED, IKE_PPK_NONE);
	node_says(
		p->a,
		"the PPK 'site-1' is not used, as PPKRequired = no and the peer does not use PPKs");
	pair_free(p);

	p = pair_new();
	node_set_ppk(p->b, 0, "site-1", key, false);
	pair_start(p, true);
	ends_are(p, IKE_PPK_NONE, IKE_PPK_NOT_OFFERED);
	node_says(
		p->b,
		"the PPK 'site-1' is not used, as PPKRequired = no and the peer does not use PPKs");
	pair_free(p);
}

static void the_initiator_insists(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	node_set_ppk(p->a, 0, "site-1", key, true);
	pair_start(p, false);
	pair_run(p, 300);
	node_says(
		p->a,
		"peer does not use PPKs, but PPKRequired = yes: configure the PPK 'site-1' at its side, or set PPKRequired = no in [Peer]");
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 0);
	nothing_came_of_it(p);
}

static void the_responder_insists(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	node_set_ppk(p->b, 0, "site-1", key, true);
	pair_start(p, false);
	pair_run(p, 300);
	node_says(
		p->b,
		"peer 'node0.example' does not use PPKs, but PPKRequired = yes: configure the PPK 'site-1' at its side, or set PPKRequired = no in [Peer]");
	node_says(p->a, "AUTHENTICATION_FAILED");
	nothing_came_of_it(p);
}

/* ---- they have different ones ------------------------------------------------------------ */

static void an_unknown_name_falls_back(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct pair *p = pair_new();
		struct ike_notify n;

		(void)state;
		if (i)
			world_sign(&p->w, 0, world_keys[0], world_keys[1]);
		node_set_ppk(p->a, 0, "site-1", key, false);
		node_set_ppk(p->b, 0, "site-2", key, false);
		pair_start(p, true);
		ends_are(p, IKE_PPK_UNKNOWN, IKE_PPK_UNKNOWN);
		assert_true(auth_has(p, p->a, IKE_N_NO_PPK_AUTH, &n));
		assert_false(auth_has(p, p->b, IKE_N_PPK_IDENTITY, &n));
		node_says(p->a, "the peer does not have it: its keys are not safe");
		node_says(p->b, "the peer does not have it: its keys are not safe");
		pair_free(p);
	}
}

static void an_unknown_name_is_refused(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	node_set_ppk(p->a, 0, "site-1", key, true);
	node_set_ppk(p->b, 0, "site-2", key, false);
	pair_start(p, false);
	pair_run(p, 300);
	node_says(
		p->b,
		"peer 'node0.example' names the PPK 'site-1', but PPKID = site-2, and it requires one: set the same PPKID= and PPK= at both ends");
	node_says(p->a, "compare PPK=, PPKID=, PSK=");
	nothing_came_of_it(p);

	p = pair_new();
	node_set_ppk(p->a, 0, "site-1", key, false);
	node_set_ppk(p->b, 0, "site-2", key, true);
	pair_start(p, false);
	pair_run(p, 300);
	node_says(p->b, "but PPKID = site-2, and PPKRequired = yes requires one");
	nothing_came_of_it(p);
}

/* The responder has PPKs, but none for this tunnel. */
static void a_ppk_of_another_tunnel_is_not_taken(void **state)
{
	for (unsigned int required = 0; required < 2; required++) {
		struct pair *p = pair_new();
		struct ike_tunnel_conf other;

		(void)state;
		node_set_ppk(p->a, 0, "site-1", key, required);
		other = p->b->conf[0];
		memcpy(other.name, "t1", 3);
		memcpy(other.remote_id.data, "nobody", 6);
		other.ppk = p->a->conf[0].ppk;
		node_start(p->b, false);
		assert_int_equal(ike_core_tunnel_add(p->b->core, &other), 0);
		ike_core_start(p->b->core, "t1", p->w.now);
		node_start(p->a, false);
		pair_run(p, 300);
		if (required) {
			node_says(
				p->b,
				"peer 'node0.example' requires the PPK 'site-1', and there is none here: set PPKID= and PPK= in [Peer], or have it do without");
			nothing_came_of_it(p);
			continue;
		}
		ends_are(p, IKE_PPK_UNKNOWN, IKE_PPK_NONE);
		assert_true(direction_works(p->a, p->b, 0));
		pair_free(p);
	}
}

/* With the same name there is no way back: the keys differ, and so does AUTH. */
static void a_wrong_key_proves_nothing(void **state)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct pair *p = pair_new();

		(void)state;
		set_both(p, i & 1, i & 2);
		p->b->ppk[0] = "another key of 256 bits";
		pair_start(p, false);
		pair_run(p, 300);
		node_says(
			p->b,
			"peer 'node0.example' does not prove that it has the PPK 'site-1', or not its key: set the same PPK= at both ends, then compare PSK=");
		node_says(p->a, "AUTHENTICATION_FAILED");
		node_says(p->a, "compare PPK=, PPKID=, PSK=");
		nothing_came_of_it(p);
	}
}

/* A tunnel whose key the holder of keys does not have counts as one without. */
static void a_ppk_that_is_gone_is_unknown(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	set_both(p, true, true);
	p->b->ppk[0] = "";
	pair_start(p, false);
	pair_run(p, 300);
	node_says(p->b, "does not prove that it has the PPK 'site-1'");
	nothing_came_of_it(p);

	p = pair_new();
	set_both(p, true, true);
	p->a->ppk[0] = "";
	pair_start(p, false);
	pair_run(p, 300);
	node_says(p->a, "could not make an IKE_AUTH request: check PPK=, PSK=");
	nothing_came_of_it(p);
}

/* ---- whose PPK it is --------------------------------------------------------------------- */

/* Tunnels that nothing but the PPK's name tells apart. */
static void the_name_chooses_the_tunnel(void **state)
{
	struct pair *p = pair_new();
	struct ike_tunnel_conf other;

	(void)state;
	set_both(p, true, true);
	p->b->conf[0].remote_id.type = 0;
	other = p->b->conf[0];
	memcpy(other.name, "t1", 3);
	other.ppk.id[5] = '2';
	p->b->ppk[1] = "another key of 256 bits";
	memcpy(p->b->psk[1], p->b->psk[0], sizeof(p->b->psk[1]));
	p->b->psk_len[1] = p->b->psk_len[0];
	node_start(p->b, false);
	assert_int_equal(ike_core_tunnel_add(p->b->core, &other), 0);
	ike_core_start(p->b->core, "t1", p->w.now);
	node_start(p->a, false);
	pair_run(p, 300);
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
}

static const uint8_t *key_of_last(void *ctx, const struct ike_job *job, unsigned int at,
				  size_t *len)
{
	static const uint8_t wrong[] = "not the one";
	const struct node *n = ctx;
	bool right = job->kind != IKE_JOB_PPK || !strcmp(job->tunnels[at], n->shares_key);

	if (job->kind != IKE_JOB_PPK) {
		*len = n->psk_len[0];
		return n->psk[0];
	}
	*len = right ? sizeof(key) - 1 : sizeof(wrong);
	return right ? (const uint8_t *)key : wrong;
}

/* Of several with one name, some are tried: what that costs is bounded. */
static void tunnels_with_one_name_are_tried(void **state)
{
	static const char *const last[2] = { "t1-6", "t1-7" };

	for (unsigned int i = 0; i < 2; i++) {
		struct pair *p = pair_new();
		struct ike_tunnel_conf other;

		(void)state;
		set_both(p, true, true);
		p->b->conf[0].remote_id.type = 0;
		p->b->find_key = key_of_last;
		p->b->shares_key = last[i];
		node_start(p->b, false);
		p->b->conf[1] = other = p->b->conf[0];
		for (unsigned int k = 0; k < 8; k++) {
			snprintf(other.name, sizeof(other.name), "t1-%u", k);
			assert_int_equal(ike_core_tunnel_add(p->b->core, &other), 0);
			ike_core_start(p->b->core, other.name, p->w.now);
		}
		node_start(p->a, false);
		pair_run(p, 100);
		assert_int_equal(node_stats(p->b).ike_sas, i == 0);
		pair_free(p);
	}
}

/* ---- an attacker between both ------------------------------------------------------------- */

/* Make USE_PPK a notify that nobody knows, in a message that @from sends. */
static void hide_use_ppk(struct pair *p, const struct node *from, bool response)
{
	static const uint8_t use_ppk[2] = { IKE_N_USE_PPK >> 8, IKE_N_USE_PPK & 255 };
	struct hold *h = world_hold(&p->w, from, IKE_SA_INIT, response, 0);
	bool found = false;

	node_start(p->b, false);
	node_start(p->a, false);
	assert_true(world_await(&p->w, h, 1000));
	for (size_t i = IKE_HDR_LEN; i + 6 <= h->len && !found; i++) {
		found = !memcmp(h->data + i, (uint8_t[]){ 0, 8, 0, 0, use_ppk[0], use_ppk[1] }, 6);
		if (found)
			h->data[i + 4] = 0xa0;
	}
	assert_true(found);
	world_release(&p->w, h);
}

/* It changes what AUTH covers, so that neither end takes the other for who it is. */
static void nobody_takes_it_out(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	set_both(p, false, false);
	hide_use_ppk(p, p->a, false);
	pair_run(p, 400);
	node_says(p->a, "AUTHENTICATION_FAILED");
	assert_int_equal(p->a->installs + p->b->installs, 0);
	pair_free(p);

	p = pair_new();
	set_both(p, false, false);
	hide_use_ppk(p, p->b, true);
	pair_run(p, 400);
	assert_int_equal(p->a->installs + p->b->installs, 0);
	pair_free(p);
}

/* The answer with it, which may come yet, is what counts. */
static void who_insists_waits_for_the_right_answer(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	set_both(p, true, true);
	hide_use_ppk(p, p->b, true);
	pair_run(p, 100);
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 0);
	pair_run(p, 1000);
	ends_are(p, IKE_PPK_USED, IKE_PPK_USED);
	pair_free(p);
}

/* A responder that goes on without, though the initiator requires it. */
static void who_insists_gives_nothing_in(void **state)
{
	struct pair *p = pair_new();
	struct tunnel_conf *conf;

	(void)state;
	set_both(p, false, false);
	p->b->conf[0].ppk.id[5] = '2';
	pair_start(p, false);
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_AUTH;
	p->drop_responses = true;
	pair_run(p, 100);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	/* it requires the PPK from now on, while the answer is on its way */
	conf = own_conf(p->a);
	((struct ike_ppk_conf *)conf->ppk)->required = true;
	p->drop_responses = false;
	pair_run(p, 600);
	node_says(p->a, "peer goes on without the PPK 'site-1', but PPKRequired = yes");
	assert_int_equal(pair_count(p, p->a, IKE_INFORMATIONAL, false), 1);
	assert_int_equal(p->a->n_sa + p->b->n_sa, 0);
	assert_int_equal(node_stats(p->a).ike_sas + node_stats(p->b).ike_sas, 0);
	pair_free(p);
}

/* What a request says, and which tunnels are for it (RFC 8784, table 1). */
static void what_is_said_decides(void **state)
{
	struct ikesa_setup setup = { .ppk_agreed = true };
	struct ike_sa sa = { .setup = &setup };
	struct tunnel_conf conf = { 0 };
	struct ike_ppk_conf ppk = { .id_len = 6, .id = "site-1" };
	struct ike_peer peer = { .conf = &conf };
	struct x_claim nothing = { 0 }, other = { .ppk_id = { "\2site-2", 7 } };
	struct x_claim named = { .ppk_id = { "\2site-1", 7 } };
	struct x_claim opaque = { .ppk_id = { "\1site-1", 7 } };
	struct x_claim longer = { .ppk_id = { "\2site-10", 8 } };

	(void)state;
	for (unsigned int has = 0; has < 3; has++) {
		conf.ppk = has ? &ppk : NULL;
		ppk.required = has == 2;
		assert_int_equal(x_ppk_fit(&peer, &sa, &nothing), X_PPK_NOT);
		assert_int_equal(x_ppk_fit(&peer, &sa, &other), X_PPK_NOT);
		assert_int_equal(x_ppk_fit(&peer, &sa, &opaque), X_PPK_NOT);
		assert_int_equal(x_ppk_fit(&peer, &sa, &longer), X_PPK_NOT);
		assert_int_equal(x_ppk_fit(&peer, &sa, &named), has ? X_PPK_WITH : X_PPK_NOT);
		other.no_ppk_auth = (struct ike_iov){ "auth", 4 };
		assert_int_equal(x_ppk_fit(&peer, &sa, &other),
				 has == 2 ? X_PPK_NOT : X_PPK_WITHOUT);
		other.no_ppk_auth = (struct ike_iov){ 0 };
		setup.ppk_agreed = false;
		assert_int_equal(x_ppk_fit(&peer, &sa, &nothing),
				 has == 2 ? X_PPK_NOT : X_PPK_WITHOUT);
		setup.ppk_agreed = true;
	}
}

/* ---- the configuration changes -------------------------------------------------------------- */

static void another_ppk_makes_another_ike_sa(void **state)
{
	struct pair *p = pair_new();
	uint8_t spi[IKE_SPI_LEN];

	(void)state;
	set_both(p, false, false);
	pair_start(p, true);
	memcpy(spi, node_sa(p->a)->spi_i, sizeof(spi));
	p->a->conf[0].ppk.id[5] = '2';
	assert_int_equal(ike_core_tunnel_change(p->a->core, &p->a->conf[0], false, p->w.now), 0);
	pair_run(p, 10000);
	assert_memory_not_equal(node_sa(p->a)->spi_i, spi, sizeof(spi));
	assert_int_equal(node_status(p->a, 0).ppk, IKE_PPK_UNKNOWN);
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
}

/* A name that is too long, or a requirement of nothing, is none. */
static void impossible_ones_are_refused(void **state)
{
	struct pair *p = pair_new();
	struct ike_tunnel_conf c;

	(void)state;
	pair_start(p, true);
	c = p->a->conf[0];
	memcpy(c.name, "t9", 3);
	c.ppk.required = true;
	assert_int_equal(ike_core_tunnel_add(p->a->core, &c), -EINVAL);
	c.ppk.id_len = IKE_MAX_PPK_ID + 1;
	assert_int_equal(ike_core_tunnel_add(p->a->core, &c), -EINVAL);
	c.ppk.id_len = IKE_MAX_PPK_ID;
	assert_int_equal(ike_core_tunnel_add(p->a->core, &c), 0);
	pair_free(p);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static const uint8_t *give_key(void *ctx, const struct ike_job *job, unsigned int at, size_t *len)
{
	(void)job;
	(void)at;
	*len = ctx ? sizeof(key) - 1 : 0;
	return ctx ? (const uint8_t *)key : NULL;
}

/* The one who has the PPK does nothing with it but this. */
static void the_job_takes_keys_alone(void **state)
{
	static const char name[1][IKE_JOB_NAME] = { "t0" };
	uint8_t k[3][32] = { { 1 }, { 2 }, { 3 } };
	struct ike_job_result r;
	struct ike_job job = {
		.kind = IKE_JOB_PPK,
		.n_tunnels = 1,
		.tunnels = name,
		.prf = IKE_PRF_HMAC_SHA2_256,
		.octets = { { k[0], 32 }, { k[1], 32 }, { k[2], 32 } },
	};

	(void)state;
	ike_job_do(&job, give_key, &job, &r);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.auth_len, 96);
	assert_memory_not_equal(r.auth, r.auth + 32, 32);
	ike_job_do(&job, give_key, NULL, &r);
	assert_int_equal(r.error, -ENOENT);
	job.octets[2].len = 31;
	ike_job_do(&job, give_key, &job, &r);
	assert_int_equal(r.error, -EPERM);
	assert_int_equal(r.auth_len, 0);
	for (unsigned int i = 0; i < 96; i++)
		assert_int_equal(r.auth[i], 0);
	job.octets[2].len = 32;
	job.prf = 999;
	ike_job_do(&job, give_key, &job, &r);
	assert_int_equal(r.error, -EPERM);
}

/* Every job's result late, and every one lost once. */
static void late_results_do(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	set_both(p, false, false);
	p->a->holds_jobs = p->b->holds_jobs = true;
	pair_start(p, false);
	pair_run(p, 300);
	for (unsigned int i = 0; i < 7; i++) {
		if (!node_finish_job(p->a))
			node_finish_job(p->b);
		pair_run(p, 100);
	}
	ends_are(p, IKE_PPK_USED, IKE_PPK_USED);
	assert_true(direction_works(p->b, p->a, 0));
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_mix_their_keys),
		cmocka_unit_test(it_is_used_where_both_have_it),
		cmocka_unit_test(signatures_cover_it_too),
		cmocka_unit_test(keys_that_follow_depend_on_it),
		cmocka_unit_test(a_peer_without_is_told),
		cmocka_unit_test(the_initiator_insists),
		cmocka_unit_test(the_responder_insists),
		cmocka_unit_test(an_unknown_name_falls_back),
		cmocka_unit_test(an_unknown_name_is_refused),
		cmocka_unit_test(a_ppk_of_another_tunnel_is_not_taken),
		cmocka_unit_test(a_wrong_key_proves_nothing),
		cmocka_unit_test(a_ppk_that_is_gone_is_unknown),
		cmocka_unit_test(the_name_chooses_the_tunnel),
		cmocka_unit_test(tunnels_with_one_name_are_tried),
		cmocka_unit_test(nobody_takes_it_out),
		cmocka_unit_test(who_insists_waits_for_the_right_answer),
		cmocka_unit_test(who_insists_gives_nothing_in),
		cmocka_unit_test(what_is_said_decides),
		cmocka_unit_test(another_ppk_makes_another_ike_sa),
		cmocka_unit_test(impossible_ones_are_refused),
		cmocka_unit_test(the_job_takes_keys_alone),
		cmocka_unit_test(late_results_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
