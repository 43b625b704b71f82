// SPDX-License-Identifier: GPL-2.0-or-later
/* IKE_AUTH as RFC 7296 1.2, 2.4, 2.9, 2.15, 2.21.2 want it. */
#include "core_util.h"
#include "psk_auth.h"

#include <errno.h>

#include "ike/core/core.h"

static void selectors(struct ike_ts_list *l, const char *text)
{
	char err[128];

	l->n = 0;
	if (ike_ts_from_text(text, l, err, sizeof(err)))
		fail_msg("%s", err);
}

static void says(const struct node *n, const char *words)
{
	if (!strstr(node_error(n), words))
		fail_msg("\"%s\" is not in: %s", words, node_error(n));
}

static void nothing_installed(struct pair *p)
{
	assert_int_equal(p->a->installs, 0);
	assert_int_equal(p->b->installs, 0);
	assert_int_equal(p->a->n_sa, 0);
	assert_int_equal(p->b->n_sa, 0);
}

static void wrong_psk(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->b->psk[0][3] ^= 1;
	pair_start(p, false);
	pair_run(p, 200);
	says(p->b, "peer 'node0.example' does not hold our pre-shared key");
	says(p->b, "PSK=");
	says(p->a, "AUTHENTICATION_FAILED");
	says(p->a, "'node0.example'");
	says(p->a, "PSK=");
	nothing_installed(p);
	assert_int_equal(node_stats(p->a).ike_sas, 0);
	assert_int_equal(node_stats(p->b).ike_sas, 0);
	assert_int_equal(node_status(p->a, 0).state, IKE_TUNNEL_CONNECTING);
	assert_in_range(node_status(p->a, 0).next_try, p->w.now, p->w.now + 2000);
	pair_free(p);
}

/* The responder proves itself too: a wrong IDr makes the initiator disown the IKE SA. */
static void responder_has_wrong_id(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->a->conf[0].remote_id.data[4] = '7';
	/* without IDr in the request the responder cannot know */
	p->b->conf[0].local_id.data[4] = '1';
	pair_start(p, false);
	pair_run(p, 200);
	says(p->b, "wants to reach 'node7.example', but we are 'node1.example'");
	says(p->b, "LocalID=node7.example");
	nothing_installed(p);
	pair_free(p);
}

static void disowned(void **state)
{
	struct pair *p = pair_new();
	struct tunnel_conf *conf;

	(void)state;
	pair_start(p, false);
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_AUTH;
	p->drop_responses = true;
	pair_run(p, 100);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	/* the initiator changes its mind about whom it wants while IKE_AUTH is on its way */
	conf = own_conf(p->a);
	conf->remote_id.data[4] = '7';
	p->drop_responses = false;
	pair_run(p, 600);
	says(p->a, "peer identifies as 'node1.example', but RemoteID= expects 'node7.example'");
	says(p->a, "RemoteID=node1.example");
	/* and the responder learns it, so that neither keeps half a tunnel */
	assert_int_equal(pair_count(p, p->a, IKE_INFORMATIONAL, false), 1);
	assert_int_equal(node_stats(p->b).ike_sas, 0);
	assert_int_equal(p->b->n_sa, 0);
	assert_int_equal(p->a->n_sa, 0);
	pair_free(p);
}

static void initiator_has_wrong_id(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->a->conf[0].local_id.data[4] = '9';
	pair_start(p, false);
	pair_run(p, 200);
	says(p->b, "peer identifies as 'node9.example', but RemoteID= expects 'node0.example'");
	says(p->b, "RemoteID=node9.example");
	nothing_installed(p);
	pair_free(p);
}

static void silent_about(const struct node *n, const char *words)
{
	if (strstr(node_error(n), words) || strstr(n->log, words))
		fail_msg("\"%s\" is in: %s or %s", words, node_error(n), n->log);
}

/* Nobody is to be trusted by name because he asked: without the key the advice is the key. */
static void no_advice_to_trust_without_the_key(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->a->conf[0].local_id.data[4] = '9';
	p->a->psk[0][3] ^= 1;
	pair_start(p, false);
	pair_run(p, 200);
	says(p->b, "node9.example");
	says(p->b, "PSK=");
	silent_about(p->b, "set RemoteID=");
	nothing_installed(p);
	pair_free(p);

	p = pair_new(); /* nor what he calls us */
	p->a->conf[0].remote_id.data[4] = '7';
	p->a->psk[0][3] ^= 1;
	pair_start(p, false);
	pair_run(p, 200);
	says(p->b, "PSK=");
	silent_about(p->b, "set LocalID=");
	nothing_installed(p);
	pair_free(p);
}

/* The same for who answers instead of the peer. */
static void no_advice_to_trust_a_false_responder(void **state)
{
	struct pair *p = pair_new();
	struct tunnel_conf *conf;

	(void)state;
	pair_start(p, false);
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_AUTH;
	p->drop_responses = true;
	pair_run(p, 100);
	conf = own_conf(p->a);
	conf->remote_id.data[4] = '7';
	p->a->psk[0][3] ^= 1;
	p->drop_responses = false;
	pair_run(p, 600);
	says(p->a, "does not hold our pre-shared key");
	silent_about(p->a, "set RemoteID=");
	assert_int_equal(p->a->installs, 0);
	pair_free(p);
}

/* A failed IKE_AUTH from elsewhere is not the affair of a tunnel that is up. */
static void strangers_fail_without_a_trace(void **state)
{
	struct pair *p = pair_new();
	struct node *c = world_node(&p->w);
	unsigned int link = world_link(&p->w, c, p->b, false);

	(void)state;
	c->psk[link][3] ^= 1;
	c->conf[link].local_id = p->a->conf[0].local_id; /* public, to who listens to b's peer */
	p->b->conf[link].name[0] = '\0'; /* b knows a only */
	pair_start(p, true);
	p->b->log_len = 0;
	node_start(c, false);
	pair_run(p, 100);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 2);
	assert_string_equal(node_error(p->b), "");
	assert_int_equal(p->b->log_len, 0);
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
}

/* The signer's ID payload counts as it came, RESERVED octets too (2.15). */
static void id_hashed_as_received(void **state)
{
	struct pair *p = pair_new();
	uint8_t buf[512], body[4 + IKE_MAX_ID], auth[IKE_MAX_PRF], first;
	const struct ike_id *id = &p->a->conf[0].local_id;
	struct ike_iov message, nonce, signed_id;
	struct ike_builder b;
	struct ike_sa *sa;

	(void)state;
	p->drop_from = 1 << 0;
	p->drop_exchange = IKE_AUTH;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 100);
	sa = node_sa(p->a);
	sa->tx.next = 1;
	p->drop_requests = false;
	memcpy(body, (const uint8_t[]){ id->type, 1, 2, 3 }, 4);
	memcpy(body + 4, id->data, id->len);
	message = (struct ike_iov){ sa->setup->init_i.data, sa->setup->init_i.len };
	nonce = (struct ike_iov){ sa->setup->nr, sa->setup->nr_len };
	signed_id = (struct ike_iov){ body, 4u + id->len };
	assert_int_equal(psk_auth(sa->keys.suite.prf, p->a->psk[0], p->a->psk_len[0], &message,
				  &nonce, sa->keys.pi, &signed_id, auth),
			 0);
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_payload(&b, IKE_PL_IDI, body, signed_id.len);
	ike_build_auth(&b, IKE_AUTH_PSK, auth, ike_prf_len(sa->keys.suite.prf));
	free(p->w.messages.v);
	memset(&p->w.messages, 0, sizeof(p->w.messages));
	assert_true(node_request(p->a, IKE_AUTH, &b, first));
	pair_run(p, 50);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_free(p);
}

static void ids_default_to_addresses(void **state)
{
	struct pair *p = pair_new();
	struct ike_id want = { .type = IKE_ID_IPV4, .len = 4, .data = { 192, 0, 2, 1 } }, got;

	(void)state;
	p->a->conf[0].local_id.type = 0;
	p->b->conf[0].remote_id = want;
	pair_start(p, true);
	got = node_status(p->b, 0).remote_id;
	assert_true(ike_id_eq(&got, &want));
	pair_free(p);
}

static void any_identity_with_the_key(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->b->conf[0].remote_id.type = 0;
	p->a->conf[0].remote_id.type = 0;
	pair_start(p, true);
	pair_free(p);
}

/* Of several tunnels the identity picks one, and its own key must prove it. */
static void identity_picks_the_tunnel(void **state)
{
	struct pair *p = pair_new();
	struct node *c = world_node(&p->w);
	unsigned int second = world_link(&p->w, c, p->b, false);

	(void)state;
	pair_start(p, true);
	node_start(c, false);
	pair_run(p, 100);
	assert_true(direction_works(c, p->b, second));
	assert_true(direction_works(p->a, p->b, 0));
	assert_int_equal(node_count(p->b, 0, true), 1);
	assert_int_equal(node_count(p->b, second, true), 1);
	pair_free(p);
}

/* Where identities say nothing, the key does. */
static void key_picks_the_tunnel(void **state)
{
	struct pair *p = pair_new();
	struct node *c = world_node(&p->w);
	unsigned int second = world_link(&p->w, c, p->b, false);

	(void)state;
	p->b->conf[0].remote_id.type = p->b->conf[second].remote_id.type = 0;
	c->conf[second].remote_id.type = p->a->conf[0].remote_id.type = 0;
	node_start(p->b, false);
	node_start(c, false);
	pair_run(p, 100);
	node_start(p->a, false);
	pair_run(p, 100);
	assert_true(direction_works(c, p->b, second));
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
}

/* Another site that takes node b's only tunnel for its own. */
static struct node *second_site(struct pair *p)
{
	struct node *c = world_node(&p->w);
	unsigned int link = world_link(&p->w, c, p->b, false);

	c->conf[0] = c->conf[link];
	c->conf[link].name[0] = p->b->conf[link].name[0] = '\0';
	memcpy(c->conf[0].name, p->a->conf[0].name, sizeof(c->conf[0].name));
	memcpy(c->psk[0], p->a->psk[0], sizeof(c->psk[0]));
	c->psk_len[0] = p->a->psk_len[0];
	return c;
}

static void first_site_works(struct pair *p)
{
	assert_true(direction_works(p->a, p->b, 0));
	assert_true(direction_works(p->b, p->a, 0));
}

/* One tunnel, any identity with its key: the second one is refused, not half accepted. */
static void second_identity_is_refused(void **state)
{
	struct pair *p = pair_new();
	struct node *c = second_site(p);

	(void)state;
	p->b->conf[0].remote_id.type = 0;
	pair_start(p, true);
	pair_run(p, 1000);
	p->w.link[0].watch = true;
	node_start(c, false);
	pair_run(p, 1000);
	assert_int_equal(c->installs, 0);
	assert_int_not_equal(c->state[0], IKE_TUNNEL_UP);
	says(c, "AUTHENTICATION_FAILED");
	says(p->b, "refused 'node2.example'");
	says(p->b, "in use by 'node0.example'");
	says(p->b, "RemoteID=");
	first_site_works(p);
	/* once the first has gone, it is welcome */
	p->w.link[0].watch = false;
	ike_core_down(p->a->core, "t0", p->w.now);
	pair_run(p, 40000);
	assert_true(direction_works(c, p->b, 0));
	pair_free(p);
}

/* The first may have died without a word: it is asked, and the second need not wait for liveness. */
static void dead_holder_makes_room(void **state)
{
	struct pair *p = pair_new();
	struct node *c = second_site(p);

	(void)state;
	p->b->conf[0].remote_id.type = 0;
	p->b->conf[0].liveness = 0;
	pair_start(p, true);
	pair_run(p, 1000);
	node_crash(p->a);
	node_start(c, false);
	pair_run(p, IKESA_DEAD_MS + 80000);
	assert_true(direction_works(c, p->b, 0));
	pair_free(p);
}

/* Two sites with one identity: the first keeps the tunnel, also against attempt after attempt. */
static void shared_identity_is_refused(void **state)
{
	struct pair *p = pair_new();
	struct node *c = second_site(p);
	uint32_t spi;

	(void)state;
	c->conf[0].local_id = p->a->conf[0].local_id;
	pair_start(p, true);
	pair_run(p, 1000);
	spi = node_out(p->a, 0)->spi;
	node_start(c, false);
	pair_run(p, 1000);
	assert_non_null(strstr(
		p->b->log, "two peers show the identity 'node0.example': one at 192.0.2.1:4500, "
			   "which stays, and one at 192.0.2.3:4500"));
	says(p->b, "refused 'node0.example' at 192.0.2.3:4500");
	first_site_works(p);
	p->w.link[0].watch = true;
	pair_run(p, 200000);
	first_site_works(p);
	assert_int_equal(node_out(p->a, 0)->spi, spi);
	assert_int_equal(node_count(p->b, 0, true), 1);
	assert_in_range(c->installs, 0, 1);
	pair_free(p);
}

/* It is one peer that came back at another place, as long as the old one does not answer. */
static void peer_comes_back_elsewhere(void **state)
{
	struct pair *p = pair_new();
	struct node *c = second_site(p);

	(void)state;
	c->conf[0].local_id = p->a->conf[0].local_id;
	pair_start(p, true);
	pair_run(p, 1000);
	node_crash(p->a);
	node_start(c, false);
	pair_run(p, 200);
	assert_true(direction_works(c, p->b, 0));
	assert_true(direction_works(p->b, c, 0));
	pair_run(p, 20000);
	assert_string_equal(node_error(p->b), "");
	assert_int_equal(node_count(p->b, 0, true), 1);
	pair_free(p);
}

/* Two tunnels with one key and nothing else to tell their peers apart. */
static void shared_key_is_refused(void **state)
{
	struct pair *p = pair_new();
	struct node *c = world_node(&p->w);
	unsigned int second = world_link(&p->w, c, p->b, false);

	(void)state;
	memcpy(p->b->psk[second], p->b->psk[0], sizeof(p->b->psk[0]));
	p->b->conf[0].remote_id.type = p->b->conf[second].remote_id.type = 0;
	pair_start(p, false);
	pair_run(p, 100);
	nothing_installed(p);
	says(p->b, "proved the key that t1 has, too");
	says(p->b, "RemoteID=");
	pair_free(p);

	p = pair_new(); /* with identities they are told apart */
	c = world_node(&p->w);
	second = world_link(&p->w, c, p->b, false);
	memcpy(p->b->psk[second], p->b->psk[0], sizeof(p->b->psk[0]));
	memcpy(c->psk[second], p->b->psk[0], sizeof(p->b->psk[0]));
	pair_start(p, true);
	node_start(c, false);
	pair_run(p, 100);
	first_site_works(p);
	assert_true(direction_works(c, p->b, second));
	pair_free(p);
}

static const uint8_t *key_of_some(void *ctx, const struct ike_job *job, unsigned int i, size_t *len)
{
	const char *tunnel = job->tunnels[i];
	static const char others[] = "the key of all the others";
	const struct node *n = ctx;

	*len = sizeof(others) - 1;
	if (strcmp(tunnel, "t0") != 0 && strcmp(tunnel, n->shares_key) != 0)
		return (const uint8_t *)others;
	*len = n->psk_len[0];
	return n->psk[0];
}

/* Two that have one key, with more between them than one job tries. */
static void shared_key_is_refused_among_many(void **state)
{
	struct ike_tunnel_conf decoy;
	struct pair *p = pair_new();
	unsigned int i;

	(void)state;
	p->b->conf[0].remote_id.type = 0;
	p->b->find_key = key_of_some;
	p->b->shares_key = "t1-1500";
	node_start(p->b, false);
	decoy = p->b->conf[0];
	for (i = 0; i < IKE_JOB_TUNNELS + 1000; i++) {
		snprintf(decoy.name, sizeof(decoy.name), "t1-%u", i);
		assert_int_equal(ike_core_tunnel_add(p->b->core, &decoy), 0);
		ike_core_start(p->b->core, decoy.name, p->w.now);
	}
	node_start(p->a, false);
	pair_run(p, 100);
	assert_int_equal(p->b->installs, 0);
	says(p->b, "proved the key that t1-1500 has, too");
	pair_free(p);
}

/* The key is found among as many tunnels as there are. */
static void key_picks_one_of_many(void **state)
{
	struct ike_tunnel_conf decoy;
	struct pair *p = pair_new();
	unsigned int i;

	(void)state;
	p->b->conf[0].remote_id.type = 0;
	node_start(p->b, false);
	assert_int_equal(ike_core_tunnel_del(p->b->core, "t0"), 0);
	decoy = p->b->conf[0];
	node_set_psk(p->b, 1, "the key of all the others");
	for (i = 0; i < 2 * IKE_JOB_TUNNELS + 10; i++) {
		snprintf(decoy.name, sizeof(decoy.name), "t1-%u", i);
		assert_int_equal(ike_core_tunnel_add(p->b->core, &decoy), 0);
		ike_core_start(p->b->core, decoy.name, p->w.now);
	}
	assert_int_equal(ike_core_tunnel_add(p->b->core, &p->b->conf[0]), 0);
	ike_core_start(p->b->core, "t0", p->w.now);
	node_start(p->a, false);
	pair_run(p, 100);
	first_site_works(p);
	pair_free(p);
}

static void child_proposals_differ(void **state)
{
	struct pair *p = pair_new();
	char err[128];

	(void)state;
	p->b->conf[0].esp.n = 1;
	assert_int_equal(ike_proposal_from_text("chacha20poly1305", IKE_PROTO_ESP,
						&p->b->conf[0].esp.p[0], err, sizeof(err)),
			 0);
	pair_start(p, false);
	pair_run(p, 200);
	/* the IKE SA stays at both ends (2.21.2), nothing of the child does */
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	nothing_installed(p);
	says(p->a, "NO_PROPOSAL_CHOSEN");
	says(p->b, "chacha20poly1305");
	says(p->b, "Crypto=");
	assert_false(node_status(p->a, 0).have_child);
	assert_true(node_status(p->a, 0).established);
	assert_int_equal(node_status(p->a, 0).state, IKE_TUNNEL_CONNECTING);
	pair_free(p);
}

static void selectors_differ(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	selectors(&p->a->conf[0].child[0].local_ts, "10.1.0.0/16");
	selectors(&p->b->conf[0].child[0].remote_ts, "10.2.0.0/16");
	pair_start(p, false);
	pair_run(p, 200);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	nothing_installed(p);
	says(p->a, "TS_UNACCEPTABLE");
	says(p->b, "10.1.0.0/16");
	says(p->b, "10.2.0.0/16");
	says(p->b, "Selectors=");
	pair_free(p);
}

static void selectors_narrow(void **state)
{
	struct pair *p = pair_new();
	struct ike_status a, b;
	char text[64], other[64];

	(void)state;
	selectors(&p->a->conf[0].child[0].local_ts, "10.0.0.0/8");
	selectors(&p->b->conf[0].child[0].remote_ts, "10.2.0.0/16");
	pair_start(p, true);
	a = node_status(p->a, 0);
	b = node_status(p->b, 0);
	assert_string_equal(ike_ts_list_print(text, sizeof(text), IKE_TS_OFFER(&a.local_ts)),
			    "10.2.0.0/16");
	assert_string_equal(ike_ts_list_print(text, sizeof(text), IKE_TS_OFFER(&b.remote_ts)),
			    "10.2.0.0/16");
	ike_ts_list_print(text, sizeof(text), IKE_TS_OFFER(&a.remote_ts));
	assert_string_equal(ike_ts_list_print(other, sizeof(other), IKE_TS_OFFER(&b.local_ts)),
			    text);
	pair_free(p);
}

/* The initiator's kernel refuses: the responder's half goes by a DELETE, the IKE SA stays. */
static void install_fails_at_initiator(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->a->fail_installs = 1;
	pair_start(p, false);
	pair_run(p, 300);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	assert_int_equal(p->b->installs, 1);
	assert_int_equal(p->b->n_sa, 0);
	assert_int_equal(p->a->n_sa, 0);
	says(p->a, "the kernel refused");
	pair_free(p);
}

/* The kernel tells of the SA that went when we rejected a pair; nobody else took it. */
static void a_pair_we_reject_is_ours(void **state)
{
	struct pair *p = pair_new();
	const struct child_sa *c;

	(void)state;
	p->a->fail_installs = 1;
	p->drop_from = 1 << 0; /* the DELETE stays on its way */
	p->drop_exchange = IKE_INFORMATIONAL;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 300);
	says(p->a, "the kernel refused");
	c = TAILQ_FIRST(&node_sa(p->a)->children);
	assert_non_null(c);
	ike_core_expire(p->a->core, "t0", IKE_PEER_FIRST, c->spi_in, true, IKE_EXPIRE_REMOVED,
			p->w.now);
	assert_null(strstr(p->a->log, "another program"));
	pair_free(p);
}

static void install_fails_at_responder(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->b->fail_installs = 1;
	pair_start(p, false);
	pair_run(p, 300);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	nothing_installed(p);
	says(p->a, "TEMPORARY_FAILURE");
	pair_free(p);
}

/* Inbound is there before the answer leaves (2.8). */
static bool answer_after_install;

static bool watch_answer(struct world *w, struct node *from, const struct ike_datagram *d)
{
	struct ike_header h;

	ike_header_parse(d->data, d->len, &h);
	if (from->index == 1 && h.exchange == IKE_AUTH && h.flags & IKE_FLAG_RESPONSE)
		answer_after_install = w->node[1].installs == 1;
	return true;
}

static void inbound_before_answer(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	answer_after_install = false;
	p->w.filter = watch_answer;
	pair_start(p, true);
	assert_true(answer_after_install);
	pair_free(p);
}

/*
 * CVE-2026-78135's class: whoever did Diffie-Hellman but proved nothing asks for a child
 * SA, deletes, or anything else.
 */
static void nothing_before_authentication(void **state)
{
	struct pair *p = pair_new();
	struct ike_sa *sa;
	uint8_t buf[512], nonce[32] = { 1 }, first, exchange;
	struct ike_builder b;

	(void)state;
	p->drop_from = 1 << 0;
	p->drop_exchange = IKE_AUTH;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 100);
	sa = node_sa(p->a);
	assert_int_equal(sa->state, IKESA_AUTH_SENT);
	for (exchange = IKE_CREATE_CHILD_SA; exchange <= IKE_INFORMATIONAL + 1; exchange++) {
		struct ike_proposals offer = p->a->conf[0].esp;

		offer.p[0].spi_len = 4;
		memset(offer.p[0].spi, 5, 4);
		sa->tx.next = 1; /* the ID the responder expects of IKE_AUTH */
		request_begin(&b, buf, sizeof(buf), &first);
		ike_build_sa(&b, IKE_OFFER(&offer));
		ike_build_nonce(&b, nonce, sizeof(nonce));
		ike_build_ts(&b, IKE_PL_TSI, IKE_TS_OFFER(&p->a->conf[0].child[0].local_ts));
		ike_build_ts(&b, IKE_PL_TSR, IKE_TS_OFFER(&p->a->conf[0].child[0].remote_ts));
		p->w.messages.n = p->w.messages.cap = 0; /* this node breaks the rules on purpose */
		free(p->w.messages.v);
		p->w.messages.v = NULL;
		assert_true(node_request(p->a, exchange, &b, first));
		pair_run(p, 50);
	}
	assert_int_equal(pair_count(p, p->b, IKE_CREATE_CHILD_SA, true), 0);
	assert_int_equal(pair_count(p, p->b, IKE_INFORMATIONAL, true), 0);
	assert_int_equal(p->b->installs, 0);
	assert_int_equal(p->b->n_sa, 0);
	assert_int_equal(node_stats(p->b).half_open, 1);
	pair_free(p);
}

/* The same for IKE_AUTH without AUTH, and without IDi. */
static void auth_payloads_missing(void **state)
{
	struct pair *p;
	struct ike_sa *sa;
	uint8_t buf[512], first;
	struct ike_builder b;
	int with_id;

	(void)state;
	for (with_id = 0; with_id < 2; with_id++) {
		p = pair_new();
		p->drop_from = 1 << 0;
		p->drop_exchange = IKE_AUTH;
		p->drop_requests = true;
		pair_start(p, false);
		pair_run(p, 100);
		sa = node_sa(p->a);
		sa->tx.next = 1;
		p->drop_requests = false;
		request_begin(&b, buf, sizeof(buf), &first);
		if (with_id)
			ike_build_id(&b, IKE_PL_IDI, &p->a->conf[0].local_id);
		ike_build_ts(&b, IKE_PL_TSI, IKE_TS_OFFER(&p->a->conf[0].child[0].local_ts));
		free(p->w.messages.v);
		memset(&p->w.messages, 0, sizeof(p->w.messages));
		assert_true(node_request(p->a, IKE_AUTH, &b, first));
		pair_run(p, 50);
		assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 1);
		assert_int_equal(node_stats(p->b).ike_sas, 0);
		assert_int_equal(p->b->installs, 0);
		if (with_id)
			assert_non_null(strstr(p->b->log, "EAP"));
		else
			assert_non_null(strstr(p->b->log, "INVALID_SYNTAX"));
		pair_free(p);
	}
}

/* A lost answer to a failed IKE_AUTH is repeated: the initiator gets its reason. */
static void refusal_survives_loss(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->b->psk[0][3] ^= 1;
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_AUTH;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 100);
	p->drop_responses = false;
	pair_run(p, 1000);
	says(p->a, "AUTHENTICATION_FAILED");
	assert_memory_equal(pair_sent(p, p->b, IKE_AUTH, true, 0)->data,
			    pair_sent(p, p->b, IKE_AUTH, true, 1)->data,
			    pair_sent(p, p->b, IKE_AUTH, true, 0)->len);
	pair_free(p);
}

/* After a reboot INITIAL_CONTACT ends the former SA, some seconds later (2.4). */
static void initial_contact(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	pair_start(p, true);
	pair_run(p, 1000);
	node_crash(p->a);
	node_start(p->a, false);
	pair_run(p, 200);
	assert_int_equal(node_stats(p->b).ike_sas, 2);
	assert_true(direction_works(p->a, p->b, 0));
	assert_true(direction_works(p->b, p->a, 0));
	assert_int_equal(node_count(p->b, 0, true), 2);
	pair_run(p, IKESA_SUPERSEDED_MS);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	assert_int_equal(node_count(p->b, 0, true), 1);
	assert_true(direction_works(p->b, p->a, 0));
	pair_free(p);
}

/* What an agent takes over must not be disowned. */
static void no_initial_contact_when_adopting(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	pair_start(p, true);
	p->w.link[0].watch = true;
	node_kill(p->a);
	pair_run(p, 5000);
	node_start(p->a, true);
	assert_int_equal(node_status(p->a, 0).adopted, 1);
	pair_run(p, 1000);
	assert_int_equal(node_count(p->a, 0, true), 2);
	assert_int_equal(node_count(p->b, 0, true), 2);
	pair_run(p, PEER_ADOPTED_MS + 1000);
	assert_int_equal(node_status(p->a, 0).adopted, 0);
	assert_int_equal(node_count(p->a, 0, true), 1);
	pair_run(p, 120000); /* until the other end found its old IKE SA dead */
	assert_int_equal(node_count(p->b, 0, true), 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_free(p);
}

/* The IKE SA that was to stay beside another one is dead: that one stays, and nothing begins anew. */
static void the_twin_of_a_dead_ike_sa_stays(void **state)
{
	struct pair *p = pair_new();
	struct ike_sa *dead;

	(void)state;
	pair_start(p, true);
	dead = node_sa(p->b);
	/* It wins against any other, as if both ends had begun at once. */
	memset(dead->low_nonce, 0xff, sizeof(dead->low_nonce));
	dead->first_established_at = UINT64_MAX;
	node_kill(p->a);
	pair_run(p, 5000);
	node_start(p->a, true);
	pair_run(p, 180000);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	assert_int_equal(node_count(p->b, 0, true), 1);
	assert_true(direction_works(p->b, p->a, 0));
	assert_int_equal(pair_count(p, p->b, IKE_SA_INIT, false), 0);
	pair_free(p);
}

/* The responder sends on the old pair until it heard of us again: so long it must stay. */
static void adopted_stay_until_the_peer_moved(void **state)
{
	struct pair *p = pair_new();
	unsigned int i;

	(void)state;
	p->a->conf[0].liveness = p->b->conf[0].liveness = 0;
	pair_start(p, true);
	p->w.link[0].watch = true;
	node_kill(p->a);
	pair_run(p, 1000);
	p->drop_exchange = IKE_INFORMATIONAL;
	p->drop_requests = true;
	p->drop_from = 3;
	node_start(p->a, true);
	pair_run(p, 30000);
	assert_int_equal(node_status(p->a, 0).adopted, 1);
	assert_int_equal(node_count(p->b, 0, true), 2); /* inbound of the new one is there … */
	assert_int_equal(node_count(p->b, 0, false), 1); /* … outbound is not */
	p->drop_requests = false;
	for (i = 0; i < 40 && node_status(p->a, 0).adopted; i++)
		pair_run(p, 1000);
	assert_int_equal(node_status(p->a, 0).adopted, 0);
	assert_true(i > 4);
	assert_true(direction_works(p->b, p->a, 0));
	pair_free(p);
}

/* Node b's IKE SA that waits for node a's IKE_AUTH. */
static struct ike_sa *half_open_of(const struct pair *p)
{
	struct ike_sa *sa = ikesa_find(&p->b->core->sas, node_sa(p->a)->spi_r, false);

	assert_non_null(sa);
	assert_int_equal(sa->state, IKESA_HALF_OPEN);
	return sa;
}

/*
 * A responder that refuses the child with nothing but a notify, as OpenIKED does: the IKE SA
 * is not authenticated, and the user reads what was offered and which line to change.
 */
static void lone_refusal_names_the_offer(void **state)
{
	static const struct {
		uint16_t notify;
		const char *words[3];
	} t[] = {
		{ IKE_N_NO_PROPOSAL_CHOSEN, { "NO_PROPOSAL_CHOSEN", "aes256gcm16", "Crypto=" } },
		{ IKE_N_TS_UNACCEPTABLE, { "TS_UNACCEPTABLE", "10.1.0.0/16", "Selectors=" } },
	};
	uint8_t inner[64], out[256], first;
	struct ike_header h;
	struct ike_builder b;
	struct ike_sa *sa;
	struct pair *p;
	size_t i, k, len;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		p = pair_new();
		selectors(&p->a->conf[0].child[0].local_ts, "10.1.0.0/16");
		p->drop_from = 1 << 0;
		p->drop_exchange = IKE_AUTH;
		p->drop_requests = true;
		pair_start(p, false);
		pair_run(p, 100);
		sa = half_open_of(p);
		h = (struct ike_header){
			.version = 0x20, .exchange = IKE_AUTH, .flags = IKE_FLAG_RESPONSE, .id = 1
		};
		memcpy(h.spi_i, sa->spi_i, IKE_SPI_LEN);
		memcpy(h.spi_r, sa->spi_r, IKE_SPI_LEN);
		request_begin(&b, inner, sizeof(inner), &first);
		ike_build_notify(&b, t[i].notify, NULL, 0);
		len = ike_build_end(&b);
		len = ike_sk_seal(&sa->keys, &p->b->core->env.rng, &h, first, inner, len, out,
				  sizeof(out));
		assert_true(len > 0);
		world_inject(&p->w, &(struct ike_endpoint){ p->b->addr, IKE_NATT_PORT },
			     &(struct ike_endpoint){ p->a->addr, IKE_NATT_PORT }, out, len, 0);
		pair_run(p, 50);
		for (k = 0; k < 3; k++)
			says(p->a, t[i].words[k]);
		nothing_installed(p);
		assert_int_equal(node_stats(p->a).ike_sas, 0);
		pair_free(p);
	}
}

/*
 * The peer takes no child SA in IKE_AUTH (RFC 6023): after one refusal the IKE SA begins without, and
 * the pair follows at once. One that does not say that it can do so is asked as usual.
 */
static void a_peer_may_want_no_child_first(void **state)
{
	struct pair *p = pair_new();
	struct ike_notify n;

	(void)state;
	pair_start(p, false);
	pair_run(p, 5);
	TAILQ_FIRST(&p->a->core->peers)->childless = true;
	pair_run(p, 75);
	assert_true(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0),
				IKE_N_CHILDLESS_IKEV2_SUPPORTED, &n));
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 1);
	assert_int_equal(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false), 1);
	assert_true(direction_works(p->a, p->b, 0));
	assert_true(direction_works(p->b, p->a, 0));
	assert_string_equal(node_error(p->a), "");
	assert_string_equal(node_error(p->b), "");
	pair_free(p);
}

/* What asks for a childless IKE SA is not proven: when that comes to nothing, the next attempt has a child. */
static void a_lost_childless_attempt_is_the_last(void **state)
{
	struct pair *p = pair_new();
	const struct ike_peer *peer;

	(void)state;
	pair_start(p, false);
	pair_run(p, 5);
	TAILQ_FIRST(&p->a->core->peers)->childless = true;
	peer = TAILQ_FIRST(&p->a->core->peers);
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_AUTH;
	p->drop_responses = true;
	pair_run(p, 65000);
	assert_false(peer->childless);
	pair_free(p);
}

/* A pair that was not asked for is none, whatever the answer has of one. */
static void a_childless_answer_has_no_pair(void **state)
{
	struct pair *p = pair_new();
	struct hold *h = world_hold(&p->w, p->b, IKE_AUTH, true, 0);
	struct ike_proposals offer = p->b->conf[0].esp;
	struct ike_payloads in;
	uint8_t inner[1024], first;
	struct ikesa_message m = { 0 };
	struct ike_builder b;
	struct ike_sa *sa;
	unsigned int i;

	(void)state;
	pair_start(p, false);
	pair_run(p, 5);
	TAILQ_FIRST(&p->a->core->peers)->childless = true;
	assert_true(world_await(&p->w, h, 1000));
	sa = node_sa(p->b);
	in = sent_open(pair_sent(p, p->b, IKE_AUTH, true, 0), sa);
	request_begin(&b, inner, sizeof(inner), &first);
	for (i = 0; i < in.n; i++)
		ike_build_payload(&b, in.p[i].type, in.p[i].body, in.p[i].len);
	ike_build_notify(&b, IKE_N_TEMPORARY_FAILURE, NULL, 0);
	offer.p[0].spi_len = 4;
	memset(offer.p[0].spi, 1, 4);
	ike_build_sa(&b, (struct ike_offer){ 1, &offer.p[0] });
	ike_build_ts(&b, IKE_PL_TSI, IKE_TS_OFFER(&p->b->conf[0].child[0].remote_ts));
	ike_build_ts(&b, IKE_PL_TSR, IKE_TS_OFFER(&p->b->conf[0].child[0].local_ts));
	assert_true(message_seal(p->b->core, sa, IKE_AUTH, IKE_FLAG_RESPONSE, 1, &b, first, &m));
	p->w.any_nonces = true;
	world_inject(&p->w, &sa->local, &sa->remote, m.data, m.len, 0);
	ikesa_message_free(&m);
	pair_run(p, 500);
	assert_int_equal(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false), 1);
	assert_true(direction_works(p->a, p->b, 0));
	assert_true(direction_works(p->b, p->a, 0));
	assert_string_equal(node_error(p->a), "");
	pair_free(p);
}

/* What makes it known: INVALID_SYNTAX of a responder that can do without. */
static void invalid_syntax_may_mean_childless(void **state)
{
	uint8_t inner[64], first;
	struct ikesa_message m = { 0 };
	struct ike_builder b;
	struct ike_sa *sa;
	struct pair *p;

	(void)state;
	for (unsigned int can = 0; can < 2; can++) {
		p = pair_new();
		p->drop_from = 1 << 0;
		p->drop_exchange = IKE_AUTH;
		p->drop_requests = true;
		pair_start(p, false);
		pair_run(p, 100);
		node_sa(p->a)->setup->peer_childless = can;
		sa = half_open_of(p);
		request_begin(&b, inner, sizeof(inner), &first);
		ike_build_notify(&b, IKE_N_INVALID_SYNTAX, NULL, 0);
		assert_true(message_seal(p->b->core, sa, IKE_AUTH, IKE_FLAG_RESPONSE, 1, &b, first,
					 &m));
		world_inject(&p->w, &(struct ike_endpoint){ p->b->addr, IKE_NATT_PORT },
			     &(struct ike_endpoint){ p->a->addr, IKE_NATT_PORT }, m.data, m.len, 0);
		ikesa_message_free(&m);
		p->drop_from = 0;
		p->w.any_nonces = true;
		pair_run(p, 3000);
		assert_int_equal(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false), can);
		node_says(p->a, can ? "demand an IKE SA without child SA first (RFC 6023)"
				    : "INVALID_SYNTAX");
		assert_true(direction_works(p->a, p->b, 0));
		pair_free(p);
	}
}

/* Its ESP would come without UDP, which is not received: no child, and the reason is told. */
static void peer_without_nat_traversal_gets_no_child(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->drop_from = 1 << 0;
	p->drop_exchange = IKE_AUTH;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 100);
	half_open_of(p)->natd.peer_knows = false;
	p->drop_requests = false;
	pair_run(p, 600);
	says(p->b, "NAT traversal");
	says(p->a, "NO_PROPOSAL_CHOSEN");
	nothing_installed(p);
	assert_int_not_equal(p->b->state[0], IKE_TUNNEL_UP);
	pair_free(p);
}

/* No child SA without an authenticated IKE SA; the text is that of the error. */
static void install_needs_authentication(void **state)
{
	struct pair *p = pair_new();
	struct negotiation n = { .ours = true, .spi_out = 0x12345 };
	struct ike_sa *sa;

	(void)state;
	p->drop_from = 1 << 0;
	p->drop_exchange = IKE_AUTH;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 100);
	sa = node_sa(p->a);
	assert_int_equal(sa->state, IKESA_AUTH_SENT);
	negotiate_begin(&n, sa, 0, NULL);
	n.spi_in = sa->setup->spi_in;
	n.nonces = (struct ike_nonces){ sa->setup->ni, sa->setup->nr, 32, 32 };
	n.chosen = n.esp.p[0];
	n.chosen.n = 2; /* AES-GCM and one of both ESNs */
	assert_int_equal(esp_suite_from_proposal(&n.chosen, &n.suite), 0);
	assert_null(install_pair(p->a->core, sa, &n));
	sa->setup->spi_in = 0;
	says(p->a, strerror(EACCES));
	assert_int_equal(p->a->installs, 0);
	pair_free(p);
}

/* What was decrypted, IKE_AUTH's identities for one, does not stay behind. */
static void nothing_decrypted_is_kept(void **state)
{
	static const uint8_t zero[2048];
	struct pair *p = pair_new();

	(void)state;
	pair_start(p, true);
	assert_memory_equal(p->a->core->plain, zero, sizeof(zero));
	assert_memory_equal(p->b->core->plain, zero, sizeof(zero));
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_psk),
		cmocka_unit_test(responder_has_wrong_id),
		cmocka_unit_test(disowned),
		cmocka_unit_test(initiator_has_wrong_id),
		cmocka_unit_test(no_advice_to_trust_without_the_key),
		cmocka_unit_test(no_advice_to_trust_a_false_responder),
		cmocka_unit_test(strangers_fail_without_a_trace),
		cmocka_unit_test(id_hashed_as_received),
		cmocka_unit_test(ids_default_to_addresses),
		cmocka_unit_test(any_identity_with_the_key),
		cmocka_unit_test(identity_picks_the_tunnel),
		cmocka_unit_test(key_picks_the_tunnel),
		cmocka_unit_test(second_identity_is_refused),
		cmocka_unit_test(dead_holder_makes_room),
		cmocka_unit_test(shared_identity_is_refused),
		cmocka_unit_test(peer_comes_back_elsewhere),
		cmocka_unit_test(shared_key_is_refused),
		cmocka_unit_test(shared_key_is_refused_among_many),
		cmocka_unit_test(key_picks_one_of_many),
		cmocka_unit_test(child_proposals_differ),
		cmocka_unit_test(selectors_differ),
		cmocka_unit_test(selectors_narrow),
		cmocka_unit_test(install_fails_at_initiator),
		cmocka_unit_test(a_pair_we_reject_is_ours),
		cmocka_unit_test(install_fails_at_responder),
		cmocka_unit_test(inbound_before_answer),
		cmocka_unit_test(nothing_before_authentication),
		cmocka_unit_test(auth_payloads_missing),
		cmocka_unit_test(refusal_survives_loss),
		cmocka_unit_test(initial_contact),
		cmocka_unit_test(no_initial_contact_when_adopting),
		cmocka_unit_test(the_twin_of_a_dead_ike_sa_stays),
		cmocka_unit_test(adopted_stay_until_the_peer_moved),
		cmocka_unit_test(lone_refusal_names_the_offer),
		cmocka_unit_test(a_peer_may_want_no_child_first),
		cmocka_unit_test(a_lost_childless_attempt_is_the_last),
		cmocka_unit_test(a_childless_answer_has_no_pair),
		cmocka_unit_test(invalid_syntax_may_mean_childless),
		cmocka_unit_test(peer_without_nat_traversal_gets_no_child),
		cmocka_unit_test(install_needs_authentication),
		cmocka_unit_test(nothing_decrypted_is_kept),
	};

	return cmocka_run_group_tests_name("core_auth", tests, NULL, NULL);
}
