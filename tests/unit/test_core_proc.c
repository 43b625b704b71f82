// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The core in a process of its own: two of them agree on keys through their agents, and one
 * that is killed is started again. And what the agent takes of an ike process that has turned
 * hostile: wire.c's checks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../sock/job_results.h"
#include "common/hash.h"
#include "ike/app/agent_int.h"
#include "ike/app/core_proc.h"
#include "ike/app/log.h"
#include "ike/app/wire.h"
#include "ike/auth/mschapv2.h"
#include "ike/auth/psk.h"
#include "ike/eap/eap.h"
#include "ike/io/loop.h"
#include "ike/proto/addr.h"
#include "ike/proto/ts_text.h"
#include "ike/child/proposal.h"
#include "ike/child/proposal_share.h"

/* ---- messages that make no sense ---------------------------------------------------------- */

static struct wire w;

static size_t install_message(void)
{
	struct wire_child *body = (struct wire_child *)w.body;

	memset(&w, 0, sizeof(w.h) + sizeof(*body));
	w.h.type = WIRE_ENV_SA_INSTALL;
	w.h.len = sizeof(*body);
	strcpy(w.h.tunnel, "vpn0");
	body->child.local.addr.family = body->child.remote.addr.family = 4;
	body->child.key_len = 36;
	body->local_ts.n = 1;
	body->local_ts.ts[0].family = 4;
	return sizeof(w.h) + sizeof(*body);
}

static void lengths_are_checked(void **state)
{
	size_t len = install_message();

	(void)state;
	assert_true(wire_is_good(&w, len, true));
	for (size_t shorter = 0; shorter < len; shorter++)
		assert_false(wire_is_good(&w, shorter, true));
	assert_false(wire_is_good(&w, len + 1, true));
	w.h.len--;
	assert_false(wire_is_good(&w, len, true));
	assert_false(wire_is_good(&w, len - 1, true)); /* consistent, but no struct wire_child */
	w.h.len += 2;
	assert_false(wire_is_good(&w, len + 1, true));
	w.h.len = UINT32_MAX;
	assert_false(wire_is_good(&w, len, true));
}

/* What the peer told becomes addresses, routes and arguments of programs. */
static void settings_are_checked(void **state)
{
	const size_t len = sizeof(w.h) + sizeof(struct ike_cp);
	struct ike_cp *cp = (struct ike_cp *)w.body;
	const struct ike_cp good = {
		.type = IKE_CP_REPLY,
		.address = { { 4, { 10, 9, 0, 2 } }, { 6, { 0xfd, [15] = 2 } } },
		.n_servers = 1,
		.server = { { 4, { 10, 0, 0, 53 } } },
		.n_subnets = 2,
		.subnet = { { { 4, { 10 } }, 8 }, { { 6, { 0xfd } }, 48 } },
		.domains = "corp.example lab.example",
	};

	(void)state;
	memset(&w, 0, sizeof(w));
	w.h.type = WIRE_ENV_SETTINGS;
	w.h.len = sizeof(*cp);
	strcpy(w.h.tunnel, "vpn0");
	*cp = good;
	assert_true(wire_is_good(&w, len, true));
#define IS_BAD(change)                                     \
	do {                                               \
		change;                                    \
		assert_false(wire_is_good(&w, len, true)); \
		*cp = good;                                \
	} while (0)
	IS_BAD(cp->n_subnets = IKE_CP_SUBNETS + 1);
	IS_BAD(cp->n_servers = IKE_CP_SERVERS + 1);
	IS_BAD(cp->subnet[0].addr.family = 7);
	IS_BAD(cp->subnet[0].addr.family = 0);
	IS_BAD(cp->subnet[0].len = 33);
	IS_BAD(cp->subnet[1].len = 129);
	IS_BAD(cp->subnet[1].len = 200);
	IS_BAD(cp->subnet[0].addr.b[1] = 1); /* a host bit */
	IS_BAD(cp->subnet[1].addr.b[15] = 1);
	IS_BAD(cp->subnet[0].addr.b[15] = 1); /* behind an IPv4 address */
	IS_BAD(cp->n_subnets = 3); /* one of family 0 */
	IS_BAD(cp->server[0].b[0] = 127);
	IS_BAD(cp->n_servers = 2);
	IS_BAD(cp->address[0] = cp->address[1]);
	IS_BAD(cp->domains[4] = ';');
	IS_BAD(cp->domains[0] = ' ');
	IS_BAD(memset(cp->domains, 'a', sizeof(cp->domains)));
	IS_BAD(memset(cp->version, 'a', sizeof(cp->version)));
	IS_BAD(cp->version[0] = '\n');
#undef IS_BAD
}

static void types_are_checked(void **state)
{
	size_t len = install_message();

	(void)state;
	assert_false(wire_is_good(&w, len, false)); /* the agent asks no such thing */
	memset(&w.h, 0, sizeof(w.h));
	for (uint32_t type = 0; type < WIRE_TYPES + 3; type++) {
		bool of_ike = type >= WIRE_FIRST_OF_IKE && type < WIRE_TYPES;

		w.h.type = type;
		if (!of_ike)
			assert_false(wire_is_good(&w, sizeof(w.h), true));
		else
			assert_false(wire_is_good(&w, sizeof(w.h), false));
	}
	w.h.type = UINT32_MAX;
	assert_false(wire_is_good(&w, sizeof(w.h), true));
}

#define BAD(member, bad)                                             \
	do {                                                         \
		size_t len_ = install_message();                     \
                                                                     \
		(member) = (bad);                                    \
		if (wire_is_good(&w, len_, true))                    \
			fail_msg("%s = %s is taken", #member, #bad); \
	} while (0)

static void fields_are_checked(void **state)
{
	struct wire_child *body = (struct wire_child *)w.body;
	uint8_t *esn = w.body + offsetof(struct wire_child, child.esn);

	(void)state;
	BAD(w.h.tunnel[0], 0);
	BAD(w.h.result, 1);
	BAD(w.h.result, INT32_MIN);
	BAD(w.h.value, 1);
	BAD(w.h.have_spis, 2);
	BAD(w.h.local.addr.family, 5);
	BAD(w.h.remote.addr.family, 255);
	BAD(body->child.part, (enum ike_child_part)3);
	BAD(*esn, 2);
	BAD(body->child.key_len, IKE_MAX_KEY + 1);
	BAD(body->child.key_len, SIZE_MAX);
	BAD(body->child.integ_len, IKE_MAX_KEY + 1);
	BAD(body->child.remote.addr.family, 7);
	BAD(body->local_ts.n, IKE_MAX_TS + 1);
	BAD(body->remote_ts.n, UINT32_MAX);
	BAD(body->local_ts.ts[0].family, 0);
	BAD(body->local_ts.ts[0].start[0], 1); /* begins after its end */
	/* another form of one address: a second lease of it, or SAs for who holds the first */
	BAD(body->child.remote.addr.b[15], 1);
	BAD(body->local_ts.ts[0].end[4], 1);
	BAD(w.h.remote.addr, ((struct ike_addr){ 4, { 10, 9, 0, 2, [15] = 1 } }));
	install_message();
	memset(w.h.tunnel, 'a', sizeof(w.h.tunnel));
	assert_false(wire_is_good(&w, sizeof(w.h) + sizeof(*body), true));
}

static void texts_end(void **state)
{
	struct wire_status *body = (struct wire_status *)w.body;
	size_t len = sizeof(w.h) + sizeof(*body);

	(void)state;
	memset(&w, 0, len);
	w.h.type = WIRE_RETURN_STATUS;
	w.h.len = sizeof(*body);
	assert_true(wire_is_good(&w, len, true));
	memset(body->step, 'a', sizeof(body->step));
	assert_false(wire_is_good(&w, len, true));
	strcpy(body->step, "a\nb");
	assert_false(wire_is_good(&w, len, true));
	memset(body->step, 0, sizeof(body->step));
	body->status.local_id.len = IKE_MAX_ID + 1;
	assert_false(wire_is_good(&w, len, true));
	body->status.local_id.len = 0;
	body->status.esp.n = IKE_MAX_TRANSFORMS + 1;
	assert_false(wire_is_good(&w, len, true));
	for (unsigned int i = 0; i < 2; i++) {
		memset(&w, 0, len);
		w.h.type = i ? WIRE_ENV_LOG : WIRE_ENV_CRL_USED;
		w.h.len = 3;
		memcpy(w.body, "ab", 3);
		assert_true(wire_is_good(&w, sizeof(w.h) + 3, true));
		w.body[2] = 'c';
		assert_false(wire_is_good(&w, sizeof(w.h) + 3, true));
		memcpy(w.body, "\033b", 3);
		assert_false(wire_is_good(&w, sizeof(w.h) + 3, true));
	}
	w.h.type = WIRE_ENV_CRL_USED;
	w.h.len = PKI_MAX_URI + 1;
	memset(w.body, 'a', PKI_MAX_URI);
	w.body[PKI_MAX_URI] = 0;
	assert_false(wire_is_good(&w, sizeof(w.h) + w.h.len, true));
}

static void texts_are_made_good(void **state)
{
	char text[5];

	(void)state;
	wire_copy_text(text, sizeof(text), "a\n\177def");
	assert_string_equal(text, "a??d");
	wire_copy_text(text, sizeof(text), NULL);
	assert_string_equal(text, "");
}

/* Each of several rows is looked at. */
static void lists_are_checked(void **state)
{
	struct wire_status *rows = (struct wire_status *)w.body;
	size_t len = sizeof(w.h) + 3 * sizeof(*rows);

	(void)state;
	memset(&w, 0, len);
	w.h.type = WIRE_RETURN_STATUS;
	w.h.len = 3 * sizeof(*rows);
	assert_true(wire_is_good(&w, len, true));
	rows[2].status.remote_ts.n = IKE_MAX_TS + 1;
	assert_false(wire_is_good(&w, len, true));
	rows[2].status.remote_ts.n = 0;
	rows[1].child = IKE_MAX_CHILD + 1;
	assert_false(wire_is_good(&w, len, true));
	rows[1].child = 0;
	w.h.len--;
	assert_false(wire_is_good(&w, len - 1, true));
	w.h.type = WIRE_RETURN_CLIENTS;
	w.h.len = sizeof(uint32_t) * WIRE_CLIENTS_MAX;
	assert_true(wire_is_good(&w, sizeof(w.h) + w.h.len, true));
	w.h.len += sizeof(uint32_t);
	assert_false(wire_is_good(&w, sizeof(w.h) + w.h.len, true));
}

/* The agent is not hostile, but wrong it may be. */
static void configurations_are_checked(void **state)
{
	struct ike_tunnel_conf *conf = (struct ike_tunnel_conf *)w.body;

	(void)state;
	memset(&w, 0, sizeof(w));
	w.h.type = WIRE_TUNNEL_ADD;
	w.h.len = offsetof(struct ike_tunnel_conf, child) + 2 * sizeof(conf->child[0]);
	conf->n_child = 2;
	assert_true(wire_is_good(&w, sizeof(w.h) + w.h.len, false));
	conf->n_child = 3;
	assert_false(wire_is_good(&w, sizeof(w.h) + w.h.len, false));
	conf->n_child = UINT32_MAX;
	assert_false(wire_is_good(&w, sizeof(w.h) + w.h.len, false));
	/* Credentials are behind the child SAs. */
	conf->n_child = 2;
	conf->creds.len = 50;
	assert_false(wire_is_good(&w, sizeof(w.h) + w.h.len, false));
	w.h.len += 50;
	assert_true(wire_is_good(&w, sizeof(w.h) + w.h.len, false));
	conf->creds.len = UINT32_MAX;
	assert_false(wire_is_good(&w, sizeof(w.h) + w.h.len, false));
}

static struct ike_ts_list ts_list(const char *text)
{
	struct ike_ts_list l = { .n = 0 };
	char err[512];

	assert_int_equal(ike_ts_from_text(text, &l, err, sizeof(err)), 0);
	return l;
}

/* To be given back. */
static const struct ike_proposals *proposals(const char *text, uint8_t protocol)
{
	struct ike_proposals list;
	char err[512];

	assert_int_equal(ike_proposals_from_text(text, protocol, &list, err, sizeof(err)), 0);
	return ike_proposals_get(&list);
}

/* An open tunnel, an SA that is right for it, and what the core asks by. */
struct reach {
	struct agent a;
	struct tunnel t;
	struct ike_ts_list narrow, wide;
	struct ike_child_conf conf;
	struct ike_child child;
	struct ike_env env;
};

static const struct ike_endpoint reach_peer = { { 4, { 192, 0, 2, 1 } }, IKE_PORT };

static struct reach *reach_new(void)
{
	static const struct agent_helpers helpers; /* leases are not kept */
	struct reach *r = calloc(1, sizeof(*r));

	r->narrow = ts_list("10.1.0.0/24");
	r->wide = ts_list("10.0.0.0/8");
	r->conf.local_ts = r->conf.remote_ts = ts_list("10.1.0.0/16");
	r->child = (struct ike_child){ .tunnel = "vpn0",
				       .peer = 1,
				       .spi_in = 4097,
				       .spi_out = 4098,
				       .remote = reach_peer,
				       .cipher = { IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE },
				       .key_len = 36,
				       .local_ts = &r->narrow,
				       .remote_ts = &r->narrow };
	r->t.ifindex = 5;
	r->a.helpers = &helpers;
	r->t.agent = &r->a;
	strcpy(r->t.conf.name, "vpn0");
	r->t.conf.n_child = 1;
	r->t.conf.child = &r->conf;
	r->t.conf.endpoint_addr = reach_peer.addr;
	r->t.conf.esp = proposals("aes256gcm16", IKE_PROTO_ESP);
	r->a.remotes = remotes_new();
	LIST_INSERT_HEAD(&r->a.by_name[hash_lower("vpn0", 4) % TUNNEL_BUCKETS], &r->t, by_name);
	agent_env(&r->a, &r->env);
	return r;
}

static void reach_free(struct reach *r)
{
	remotes_free(r->a.remotes);
	owned_free(&r->t.owned);
	ike_proposals_put(r->t.conf.esp);
	free(r);
}

static int install(struct reach *r)
{
	return r->env.sa_install(&r->a, &r->child);
}

/*
 * What a core asks for that is not its own never gets to the kernel: there is none here, to ask
 * it would be a crash.
 */
static void others_are_out_of_reach(void **state)
{
	struct reach *r = reach_new();
	const struct ike_id id = { .type = 0 };
	uint32_t spi;

	(void)state;
	r->child.tunnel = "vpn1";
	assert_int_equal(install(r), -ENODEV);
	assert_int_equal(r->env.spi_alloc(&r->a, "vpn1", 1, &spi), -ENODEV);
	r->env.sa_remove(&r->a, "vpn1", 1, 4096, 4097);
	assert_true(r->env.last_rx(&r->a, "vpn1", 1) == UINT64_MAX);
	/* No peer is its own yet. */
	r->child.tunnel = "vpn0";
	assert_int_equal(install(r), -ENODEV);
	assert_int_equal(r->env.peer_make(&r->a, "vpn0", 2, &reach_peer, &id), -ENODEV);
	assert_int_equal(r->env.spi_alloc(&r->a, "vpn0", 2, &spi), -ENODEV);
	r->env.peer_moved(&r->a, "vpn0", 2, NULL, &reach_peer, false);
	r->env.peer_remove(&r->a, "vpn0", 2);
	/* Nor may it have clients, or remove what every tunnel has. */
	assert_true(owned_add_peer(&r->t.owned, IKE_PEER_FIRST, 1));
	assert_int_equal(r->env.peer_make(&r->a, "vpn0", 2, &reach_peer, &id), -EPERM);
	r->env.peer_remove(&r->a, "vpn0", IKE_PEER_FIRST);
	assert_true(owned_has_peer(&r->t.owned, IKE_PEER_FIRST));
	/* That one has no SAs where clients come. */
	r->t.conf.clients = 2;
	assert_int_equal(r->env.spi_alloc(&r->a, "vpn0", IKE_PEER_FIRST, &spi), -EPERM);
	/* Nobody is a user who is not in the file. */
	r->t.conf.remote_auth.method = IKE_METHOD_EAP;
	r->t.conf.eap_methods = 1 << EAP_MSCHAPV2;
	assert_int_equal(r->env.peer_make(&r->a, "vpn0", 2, &reach_peer, &id), -EACCES);
	/* A closed tunnel has no state. */
	r->t.ifindex = 0;
	r->env.state(&r->a, "vpn0", 1, IKE_TUNNEL_UP);
	assert_int_equal(r->t.state, IKE_TUNNEL_DOWN);
	reach_free(r);
}

/* Whatever it says, a client has SAs for the address that it holds, and no two hold one. */
static void others_leases_are_out_of_reach(void **state)
{
	const struct pool_range range = { { 4, { 10, 1, 0, 2 } }, { 4, { 10, 1, 0, 9 } } };
	const struct ike_id alice = { IKE_ID_FQDN, 1, "a" }, bob = { IKE_ID_FQDN, 1, "b" };
	const struct ike_addr any = { 0 };
	struct reach *r = reach_new();
	struct ike_ts_list own = ts_list("10.1.0.2"), others = ts_list("10.1.0.3");
	struct ike_addr got;

	(void)state;
	r->t.conf.clients = 4;
	assert_int_equal(r->env.lease(&r->a, "vpn0", 2, &alice, 4, &any, &got), -ENODEV);
	assert_true(owned_add_peer(&r->t.owned, 2, 9));
	assert_true(owned_add_peer(&r->t.owned, 3, 9));
	assert_int_equal(r->env.lease(&r->a, "vpn0", 2, &alice, 4, &any, &got), -EAFNOSUPPORT);
	r->t.pool = pool_new(&range, 1, NULL, 0);
	assert_int_equal(r->env.lease(&r->a, "vpn0", 2, &alice, 4, &any, &got), 0);
	assert_int_equal(got.b[3], 2);
	assert_int_equal(r->env.lease(&r->a, "vpn0", 3, &alice, 4, &any, &got), -EBUSY);
	assert_int_equal(r->env.lease(&r->a, "vpn0", 3, &bob, 4, &got, &got), 0);
	assert_int_equal(got.b[3], 3);
	assert_int_equal(r->env.lease(&r->a, "vpn0", 3, &bob, 5, &any, &got), -EAFNOSUPPORT);
	assert_true(lease_allows(&r->t, 2, IKE_TS_OFFER(&own)));
	assert_false(lease_allows(&r->t, 2, IKE_TS_OFFER(&others)));
	assert_false(lease_allows(&r->t, 2, IKE_TS_OFFER(&r->narrow)));
	assert_false(lease_allows(&r->t, 4, IKE_TS_OFFER(&own)));
	/* what sa_install goes by */
	r->child.peer = 2;
	r->child.remote_ts = &others;
	assert_true(owned_add_spi(&r->t.owned, 2, r->child.spi_in, true, &(struct owned_spi){ 0 }));
	assert_int_equal(install(r), -EPERM);
	pool_free(r->t.pool);
	reach_free(r);
}

static bool is_given(struct reach *r, const char *address)
{
	struct ike_cp cp = { .type = IKE_CP_REPLY };

	assert_int_equal(ike_addr_from_text(address, &cp.address[0]), 0);
	r->t.restore_at = UINT64_MAX;
	/* the core hears of it */
	assert_true(!r->env.settings(&r->a, "vpn0", &cp) == (r->t.given != NULL));
	assert_true((r->t.restore_at == UINT64_MAX) == !r->t.given);
	if (!r->t.given)
		return false;
	given_forget(&r->t);
	return true;
}

/* The peer gives us our address, but none that others around us have. */
static void others_addresses_are_not_given(void **state)
{
	const struct ike_addr heard = { 4, { 198, 51, 100, 7 } };
	struct net_address own[AGENT_MAX_OWN];
	struct reach *r = reach_new();
	char text[64];
	int n;

	(void)state;
	TAILQ_INIT(&r->a.dirty);
	r->a.tunnels = &r->t;
	r->a.net = net_open(NULL);
	assert_non_null(r->a.net);
	assert_false(is_given(r, "10.9.0.2"));
	assert_true(owned_add_peer(&r->t.owned, IKE_PEER_FIRST, 1));
	assert_false(is_given(r, "10.9.0.2")); /* nobody asks for one */
	r->t.conf.asks_address = true;
	assert_true(is_given(r, "10.9.0.2"));
	assert_false(is_given(r, "127.0.0.1"));
	assert_false(is_given(r, "224.0.0.1"));
	assert_false(is_given(r, "192.0.2.1")); /* the peer's own */
	assert_true(is_given(r, "198.51.100.7"));
	assert_true(owned_set_remote(&r->t.owned, IKE_PEER_FIRST, &heard));
	assert_false(is_given(r, "198.51.100.7"));
	r->t.path.gateway = (struct ike_addr){ 4, { 10, 9, 0, 1 } };
	assert_false(is_given(r, "10.9.0.1"));
	n = net_addresses(r->a.net, own, AGENT_MAX_OWN);
	for (int i = 0; i < n; i++) {
		ike_addr_print(text, sizeof(text), &own[i].addr);
		if (own[i].addr.family == 4)
			assert_false(is_given(r, text));
	}
	net_close(r->a.net);
	reach_free(r);
}

/* What is its own in one direction is not in the other. */
static void others_sas_are_out_of_reach(void **state)
{
	struct reach *r = reach_new();

	(void)state;
	assert_true(owned_add_peer(&r->t.owned, IKE_PEER_FIRST, 1));
	r->child.spi_in = 4096;
	r->child.spi_out = 4097;
	assert_int_equal(install(r), -EPERM);
	r->env.sa_remove(&r->a, "vpn0", 1, 4096, 4097);
	assert_true(env_own_spi(&r->t, 1, 4096, false));
	assert_true(env_own_spi(&r->t, 1, 4097, true));
	assert_int_equal(install(r), -EPERM);
	r->env.sa_remove(&r->a, "vpn0", 1, 4096, 4097);
	assert_true(owned_has_spi(&r->t.owned, 1, 4096, false));
	assert_true(owned_has_spi(&r->t.owned, 1, 4097, true));
	r->child.spi_in = 4097;
	r->child.spi_out = 0;
	assert_int_equal(install(r), -EPERM);
	reach_free(r);
}

/* SAs carry what is configured and nothing else, with its algorithms, to where something came from. */
static void sas_are_as_configured(void **state)
{
	const struct ike_endpoint stranger = { { 4, { 192, 0, 2, 66 } }, IKE_PORT };
	struct reach *r = reach_new();
	struct ike_child *child = &r->child;

	(void)state;
	assert_true(owned_add_peer(&r->t.owned, IKE_PEER_FIRST, 1));
	assert_true(env_own_spi(&r->t, 1, child->spi_in, true));
	child->remote_ts = &r->wide;
	assert_int_equal(install(r), -EPERM);
	child->remote_ts = &r->narrow;
	child->local_ts = &r->wide;
	assert_int_equal(install(r), -EPERM);
	child->local_ts = &r->narrow;
	child->cipher.key_bits = 128;
	child->key_len = 20;
	assert_int_equal(install(r), -EPERM);
	child->cipher = (struct ike_cipher){ IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_256_128 };
	child->key_len = child->integ_len = 32;
	assert_int_equal(install(r), -EPERM);
	child->cipher = (struct ike_cipher){ IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE };
	assert_int_equal(install(r), -EPERM); /* keys of others */
	child->key_len = 36;
	assert_int_equal(install(r), -EPERM);
	child->key_len = 32;
	child->integ_len = 0;
	assert_int_equal(install(r), -EPERM);
	child->key_len = 36;
	child->remote = stranger;
	assert_int_equal(install(r), -EPERM);
	r->env.peer_moved(&r->a, "vpn0", 1, NULL, &stranger, false);
	reach_free(r);
}

static size_t job_message(void)
{
	struct wire_job *body = (struct wire_job *)w.body;

	memset(&w, 0, sizeof(w.h) + sizeof(*body));
	w.h.type = WIRE_ENV_JOB_START;
	w.h.len = sizeof(*body) + 5;
	body->n_tunnels = 2;
	body->kind = IKE_JOB_PSK_VERIFY;
	body->octets_len[0] = 2;
	body->auth_len = 3;
	return sizeof(w.h) + w.h.len;
}

#define BAD_JOB(member, bad)                                         \
	do {                                                         \
		size_t len_ = job_message();                         \
                                                                     \
		(member) = (bad);                                    \
		if (wire_is_good(&w, len_, true))                    \
			fail_msg("%s = %s is taken", #member, #bad); \
	} while (0)

static void jobs_are_checked(void **state)
{
	struct wire_job *body = (struct wire_job *)w.body;
	size_t len = job_message();

	(void)state;
	assert_true(wire_is_good(&w, len, true));
	/* Of the agent's own jobs none. */
	body->n_tunnels = 1;
	body->kind = IKE_JOB_RADIUS;
	assert_true(wire_is_good(&w, len, true));
	body->kind = IKE_JOB_RADIUS_SIGN;
	assert_false(wire_is_good(&w, len, true));
	body->kind = IKE_JOB_RADIUS_CHECK;
	assert_false(wire_is_good(&w, len, true));
	BAD_JOB(body->kind, 2);
	BAD_JOB(body->kind, IKE_JOB_PSK_SIGN); /* for two tunnels */
	BAD_JOB(body->n_tunnels, 0);
	BAD_JOB(body->n_tunnels, IKE_JOB_TUNNELS + 1);
	BAD_JOB(body->n_tunnels, UINT32_MAX);
	BAD_JOB(body->prf, 65536);
	BAD_JOB(body->octets_len[0], 3);
	BAD_JOB(body->octets_len[1], 1);
	BAD_JOB(body->octets_len[2], UINT32_MAX);
	BAD_JOB(body->auth_len, 2);
	BAD_JOB(body->auth_len, WIRE_AUTH + 1);
	BAD_JOB(body->peer.len, IKE_MAX_ID + 1);
	BAD_JOB(body->tunnels[1][3],
		'\n' + 0 * (body->tunnels[1][0] = body->tunnels[1][1] = body->tunnels[1][2] = 'a'));
	job_message();
	memset(body->tunnels[1], 'a', sizeof(body->tunnels[1]));
	assert_false(wire_is_good(&w, len, true));
}

/* Sanitizers read files and map code. */
#ifdef __SANITIZE_ADDRESS__
enum { SECCOMP = false };
#else
enum { SECCOMP = true };
#endif

static int start_job(struct agent *a, const struct ike_env *env, uint16_t prf, const void *auth)
{
	static const char names[2][IKE_JOB_NAME] = { "vpn1", "vpn0" };
	static const struct ike_id id = { .type = IKE_ID_FQDN };
	const struct ike_job job = {
		.id = 7,
		.kind = IKE_JOB_PSK_VERIFY,
		.n_tunnels = 2,
		.tunnels = names,
		.peer = &id,
		.prf = prf,
		.octets = { { "abc", 3 } },
		.auth = { auth, 32 },
	};

	return env->job_start(a, &job);
}

static void on_key_proc(void *ctx)
{
	(void)ctx;
}

/* What verdict a job about the tunnel gets; -1: none. */
static int verdict_of(struct agent *a, struct event_base *base, const struct ike_env *env,
		      uint16_t prf, const void *auth)
{
	struct ike_job_result r;

	if (start_job(a, env, prf, auth))
		return -1;
	while (!key_proc_take(a->key_proc, &r))
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(r.id, 7);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.verdict[0], IKE_JOB_NO_KEY); /* there is no such tunnel */
	return r.verdict[1];
}

/* Private keys of each kind that signs in a way of its own. */
static const char *const private_keys[] = {
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEICXzGVl+RYWSFKB5/Wj2WSgNMhEgDGOitYeqB6maK/WA\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDmc+WVICuCkZAW\n"
	"yX/PNXd58XdqRwchUuqF6WInfMHc+uomdXxjEXoP4t4MIVMknqw5gzlUU5ZqhGF1\n"
	"0YzEb2rMXekBT866BxCqv1PwvLFbNgWcLAHdlROnTooHRTJHtLGbORMrvVOR61IF\n"
	"qFD+EYDO7DLgVgaFx+HzSEptCgnXUsyFBSBWo9JvIE3KCef7mtRCT5X+UHQXDKSL\n"
	"6ej5jRIRTNXc70+ciCYPY5QtdrrHLlAps3OOCA999isKXcTTfGCbeShkEhSZqgac\n"
	"eUiqBKGjwx938JkPEWJ66GZrYGOIkZ3MFgv/5nAuplXdIQCQARl1T5Ef+y4EQCEy\n"
	"CiOvBNkrAgMBAAECggEAFYUtI0flyEOfmQEoFkl/5rtN03bei5YaoHay280irWgh\n"
	"BYZjHz06kNE2uxtBkGHg414FtII5wairET2IT6+34W3DnIO/Yk/WlptXU1vLlCDv\n"
	"VS4m3nJVa4JCEXu8vkV5cG1cBPGhJDc9aZnWNmOcC7ay6ZAe+882omlVyejuElVT\n"
	"rtK1+h/uAY7LnfNptHQiJ2zI9/otMG9MPC5y572a7TznW9PqMADawwbns21OX10s\n"
	"Zi6tah/E+MLN4M8njKTr+XK1u4MbWLCrbtffFTLaTCmL25JeVoDl19t0LpYKOXLo\n"
	"kX9uzELlQ3GhT0PdCHnRIiVtpdA8QJ4f9BVEoDBGQQKBgQD8CXtVNFZdS7OpBvZy\n"
	"CguieC2TX18EFQ/ZR3DlkQMjo5IL2AKQOn/zvTUsW0uK8HDmO6YQRCcHWeR12f2I\n"
	"VthvYJwiZvM3W7jQExrlTIdPUkA3A/Ryup74Alprl7LZqxfZ1JFko2VYaN51cd2E\n"
	"qyMTw938t81tgxcra88H0O8bvQKBgQDqE4hBD1DMatYsbXLZALVm2TxuLQilcOaD\n"
	"LJnYpm0Ka2Tty5B4RnbYz0RgsisckafW4eBlQ03T6i+MNjBeIG1eub9GUGkzwUm4\n"
	"ZcIyoVcxkJj+U0Ou06RuHtES1e1rxNUJuPC681s29q8/wQzB/KzDRL7j6nFDUDP6\n"
	"s5t0p1VjBwKBgB5zTtFWh3CyKryrOK9Cg3FXr7n0ddhaaxXHSd6SjJyLsKN5r6WZ\n"
	"S8g4/emkBhZ9QkauwjuI4GZE+BM9CSKly3R5aaPGaHAxxrxs8nztqBNvTo7XDXun\n"
	"DHnOXvpM07D0uOb6ha5xB1eNJANwhGD5BD3pFjLoSguHIQ9/8P1ywtDJAoGAfUiJ\n"
	"A/FzmIWSLmNCNh1n+i1JZ9rYptv/tLO5gDjLYelLMu9iWs20LKT6/xo9cuQOxjdN\n"
	"SEW2sTbFzjDuwGJwx2N5mePN+vJ4R6bHQxwRtCilinH8ZuVGO95onsE7exP1xmdj\n"
	"CVzZNFjiQahM8MMRoM35sbk4eAPEXmmlSdGKJR8CgYEAim/joVxJmJ/YDq3Edg7s\n"
	"xO6N0pzD0baqdF6Kte1wlqJGart5vGsbDiAx3dr9BoHro6qM9YSnLNFTUNLAUIu6\n"
	"uVVR7bBsHiJaCxh7T12y3DI/YSldSelHhoP3Ro0IOTzhg62PuZv/bFV7SFRVs8Lo\n"
	"cBZjTJWJLI/ciHwoPItI3Ps=\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBhb355h+FPio+6A1Qh\n"
	"OS2FfNwvJl8XTSJOTnSPKS29ZvSIbeGVP7oowEEUdeMcH7OhZANiAAR1wNyPEeCR\n"
	"pOXUm1M+HzJamozbuoAiXVz88UyEKJCbsrl7zoGUrtoR576JgKYtRGe5R/rPTD4F\n"
	"+flXv7iTPpl37bLAoraKkCjliDxBe9e5xriQbYvArHAauylUncsr8MA=\n"
	"-----END PRIVATE KEY-----\n",
};

static struct ike_public_key public_key;

static void give_private_key(struct tunnel *t, const char *pem, const struct seal *seal)
{
	struct ike_private_key key;
	char why[256];

	assert_int_equal(ike_private_read(pem, strlen(pem), &key, &public_key, why, sizeof(why)),
			 0);
	free(t->conf.private_key);
	t->conf.private_key = malloc(key.len);
	memcpy(t->conf.private_key, key.der, t->conf.n_private = (unsigned int)key.len);
	t->conf.local_auth.method = IKE_METHOD_SIGNATURE;
	t->conf.psk_len = 0; /* or it would be sealed again */
	assert_int_equal(seal_config(seal, &t->conf), 0);
	t->conf.psk_len = 16;
}

/* An IKE_SA_INIT message, as far as it is looked at. */
static const uint8_t init[28] = { 0xa1, [17] = 0x20, [18] = 34, [27] = 28 };
static const uint8_t nonce_and_id[32 + 32];

static uint64_t signing_cost; /* of the last one, in octets */

/* Does the keys process sign for the tunnel by the algorithm? A negative errno if not. */
static int sign_for(struct agent *a, struct event_base *base, const struct ike_env *env,
		    unsigned int alg)
{
	static const char names[1][IKE_JOB_NAME] = { "vpn0" };
	static const struct ike_id id = { .type = IKE_ID_FQDN };
	const struct ike_job job = {
		.id = 8,
		.kind = IKE_JOB_SIGN,
		.n_tunnels = 1,
		.tunnels = names,
		.peer = &id,
		.prf = IKE_PRF_HMAC_SHA2_256,
		.alg = (uint16_t)alg,
		.octets = { { init, sizeof(init) }, { nonce_and_id, 32 }, { nonce_and_id, 32 } },
	};
	struct ike_job_result r;

	a->job_bytes = (struct bucket){ 0 };
	assert_int_equal(env->job_start(a, &job), 0);
	signing_cost = a->job_bytes.used;
	while (!key_proc_take(a->key_proc, &r))
		event_base_loop(base, EVLOOP_ONCE);
	if (r.error)
		return r.error;
	assert_true(ike_signature_holds(&sigalg_get(alg)->scheme, public_key.spki, public_key.len,
					job.octets, IKE_JOB_OCTETS, r.auth, r.auth_len));
	return 0;
}

/* In a process that is confined as it is in the service; and SHA-1 only where that is allowed. */
static void signs_confined(struct agent *a, struct tunnel *t, struct event_base *base,
			   const struct ike_env *env, const struct seal *seal)
{
	const struct sigalg *alg;

	for (unsigned int i = 0; i < sizeof(private_keys) / sizeof(private_keys[0]); i++) {
		unsigned int signs = 0;

		give_private_key(t, private_keys[i], seal);
		for (unsigned int k = 0; (alg = sigalg_get(k)); k++) {
			int err = sign_for(a, base, env, k);

			assert_true(!err ||
				    err == (alg->hash == IKE_HASH_SHA1 ? -ENOENT : -EINVAL));
			signs += !err;
		}
		assert_true(signs);
	}
	/* Each takes its own time: 100 microseconds by Ed25519, 700 by RSA of 2,048 bits, 5,000 by one of 4,096. */
	give_private_key(t, private_keys[0], seal);
	for (unsigned int k = 0; (alg = sigalg_get(k)); k++) {
		if (alg->scheme.key != IKE_KEY_ED25519)
			continue;
		assert_int_equal(sign_for(a, base, env, k), 0);
		assert_in_range(signing_cost, 100 * JOB_BYTES_PER_MS / 1000, 10000);
	}
	give_private_key(t, private_keys[1], seal);
	assert_int_equal(sign_for(a, base, env, 0), 0);
	assert_in_range(signing_cost, 700 * JOB_BYTES_PER_MS / 1000, 45000);
	assert_in_range(sigalg_sign_cost(sigalg_get(0), 2376), 5000, 6000);
	assert_in_range(sigalg_sign_cost(sigalg_get(0), 4732), 40000, 50000);
	/* RSA as the tunnel wants it, and no other. */
	give_private_key(t, private_keys[1], seal);
	t->conf.signatures = IKE_SIG_PSS;
	for (unsigned int k = 0; (alg = sigalg_get(k)) && alg->scheme.key == IKE_KEY_RSA; k++)
		assert_int_equal(sign_for(a, base, env, k), alg->scheme.pss ? 0 : -ENOENT);
	t->conf.signatures = 0;
	t->conf.local_auth.method = IKE_METHOD_PSK;
	assert_int_equal(sign_for(a, base, env, 0), -ENOENT);
}

/* A PSK that is there serves only where it is the tunnel's method, at each end. */
static void methods_are_kept(struct agent *a, struct tunnel *t)
{
	struct config_password own = { .key = "ppassword", .len = 9 };
	static const char names[1][IKE_JOB_NAME] = { "vpn0" };
	static const struct ike_id id = { .type = IKE_ID_FQDN };
	struct client_key theirs = { .id = id, .key = "panother", .len = 8 };
	struct ike_job job = {
		.n_tunnels = 1, .tunnels = names, .peer = &id, .prf = IKE_PRF_HMAC_SHA2_256
	};
	size_t len;

	for (unsigned int i = 0; i < 4; i++) {
		enum ike_method local = i & 1 ? IKE_METHOD_SIGNATURE : IKE_METHOD_PSK;
		enum ike_method remote = i & 2 ? IKE_METHOD_SIGNATURE : IKE_METHOD_PSK;

		t->conf.local_auth.method = local;
		t->conf.remote_auth.method = remote;
		job.kind = IKE_JOB_PSK_SIGN;
		assert_int_equal(env_find_key(a, &job, 0, &len) != NULL, local == IKE_METHOD_PSK);
		job.kind = IKE_JOB_PSK_VERIFY;
		assert_int_equal(env_find_key(a, &job, 0, &len) != NULL, remote == IKE_METHOD_PSK);
		job.kind = IKE_JOB_SIGN;
		assert_int_equal(env_find_key(a, &job, 0, &len) != NULL,
				 local == IKE_METHOD_SIGNATURE);
	}
	for (unsigned int kind = IKE_JOB_MSCHAPV2_VERIFY; kind < IKE_JOB_RADIUS; kind++) {
		bool md5 = kind == IKE_JOB_MD5_VERIFY || kind == IKE_JOB_MD5_RESPOND;
		bool serves = kind == IKE_JOB_MD5_VERIFY || kind == IKE_JOB_MSCHAPV2_VERIFY;

		job.kind = (enum ike_job_kind)kind;
		t->conf.password = NULL;
		assert_null(env_find_key(a, &job, 0, &len));
		t->conf.password = &own;
		for (unsigned int i = 0; i < 8; i++) {
			t->conf.local_auth.method = i & 1 ? IKE_METHOD_EAP : IKE_METHOD_PSK;
			t->conf.remote_auth.method = i & 2 ? IKE_METHOD_EAP : IKE_METHOD_SIGNATURE;
			t->conf.eap_methods = i & 4 ? 1 << EAP_MD5 : 1 << EAP_MSCHAPV2;
			/* The PSK, or our password, is no user's, and the PSK no password. */
			assert_ptr_equal(env_find_key(a, &job, 0, &len),
					 !serves && i & 1 && md5 == !!(i & 4) ? own.key : NULL);
		}
	}
	/* In two rounds each job has its own: a user's password is no PSK, and the PSK no password. */
	t->conf.local_auth = (struct ike_auth_conf){ .method = IKE_METHOD_PSK, .then_user = true };
	t->conf.remote_auth = t->conf.local_auth;
	t->conf.eap_methods = 1 << EAP_MSCHAPV2;
	t->conf.keys = (struct client_keys){ .v = &theirs, .n = 1 };
	job.kind = IKE_JOB_PSK_VERIFY;
	assert_ptr_equal(env_find_key(a, &job, 0, &len), t->conf.psk);
	job.kind = IKE_JOB_MSCHAPV2_VERIFY;
	assert_ptr_equal(env_find_key(a, &job, 0, &len), theirs.key);
	job.kind = IKE_JOB_MSCHAPV2_RESPOND;
	assert_ptr_equal(env_find_key(a, &job, 0, &len), own.key);
	job.kind = IKE_JOB_SIGN;
	assert_null(env_find_key(a, &job, 0, &len));
	t->conf.keys = (struct client_keys){ 0 };
	t->conf.password = NULL;
	t->conf.local_auth = t->conf.remote_auth = (struct ike_auth_conf){ IKE_METHOD_PSK };
	t->conf.eap_methods = 0;
	/* RADIUS: by number of a job the agent's own, the others have no key at all. */
	for (unsigned int kind = IKE_JOB_RADIUS; kind < IKE_JOB_KINDS; kind++) {
		job.kind = (enum ike_job_kind)kind;
		assert_null(env_find_key(a, &job, 0, &len));
	}
}

/* MD4, DES and MD5 are there in a confined process, too. */
static void users_are_judged_confined(struct agent *a, struct tunnel *t, struct event_base *base,
				      const struct ike_env *env, const struct seal *seal)
{
	static const char names[1][IKE_JOB_NAME] = { "vpn0" };
	static const uint8_t zeros[MSCHAPV2_RESPONSE];
	struct config users = { 0 };
	struct client_key *k = client_keys_add(&users.keys);
	struct ike_id bob;
	struct ike_job job = {
		.id = 9, .n_tunnels = 1, .tunnels = names, .prf = IKE_PRF_HMAC_SHA2_256
	};
	struct ike_job_result r;

	assert_true(eap_identity((const uint8_t *)"alice", 5, &k->id));
	assert_true(eap_identity((const uint8_t *)"bob", 3, &bob));
	memcpy(k->key, "pclue", k->len = 5);
	assert_int_equal(seal_config(seal, &users), 0);
	t->conf.keys = users.keys;
	t->conf.remote_auth.method = IKE_METHOD_EAP;
	t->conf.eap_methods = 1 << EAP_MSCHAPV2 | 1 << EAP_MD5;
	for (unsigned int i = 0; i < 4; i++) {
		bool md5 = i & 1;

		job.kind = md5 ? IKE_JOB_MD5_VERIFY : IKE_JOB_MSCHAPV2_VERIFY;
		job.peer = i & 2 ? &bob : &k->id;
		job.octets[0] = (struct ike_iov){ zeros, md5 ? 1 : 16 };
		job.octets[1] = (struct ike_iov){ zeros, 16 };
		job.octets[2] = (struct ike_iov){ "alice", 5 };
		job.auth = (struct ike_iov){ zeros, md5 ? 16 : 24 };
		a->job_bytes = (struct bucket){ 0 };
		assert_int_equal(env->job_start(a, &job), 0);
		while (!key_proc_take(a->key_proc, &r))
			event_base_loop(base, EVLOOP_ONCE);
		assert_int_equal(r.error, 0);
		assert_int_equal(r.verdict[0], i & 2 ? IKE_JOB_NO_KEY : IKE_JOB_REFUTED);
	}
	client_keys_clear(&t->conf.keys);
	t->conf.remote_auth.method = IKE_METHOD_PSK;
	t->conf.eap_methods = 0;
}

/* By its name, and that of another client is none. */
static void a_client_has_its_ppk(struct agent *a, struct tunnel *t)
{
	static const char names[1][IKE_JOB_NAME] = { "vpn0" };
	static const struct ike_id alice = { .type = IKE_ID_FQDN, .len = 5, .data = "alice" };
	static const struct ike_id bob = { .type = IKE_ID_FQDN, .len = 3, .data = "bob" };
	struct client_key keys[1] = { { .key = "sealed", .len = 6 } };
	struct client_key of[1] = { { .id = bob, .key = "other", .len = 5 } };
	struct ike_job job = { .kind = IKE_JOB_PPK,
			       .n_tunnels = 1,
			       .tunnels = names,
			       .peer = &alice,
			       .prf = IKE_PRF_HMAC_SHA2_256,
			       .auth = { "site-1", 6 } };
	size_t len;

	client_ppk_name(&keys[0].id, "site-1", 6);
	t->conf.ppks = (struct client_ppks){ { keys, 1 }, { of, 1 } };
	assert_ptr_equal(env_find_key(a, &job, 0, &len), keys[0].key);
	assert_int_equal(len, 6);
	job.peer = &bob;
	assert_null(env_find_key(a, &job, 0, &len));
	job.peer = &alice;
	job.auth = (struct ike_iov){ "site-2", 6 };
	assert_null(env_find_key(a, &job, 0, &len));
	job.auth = (struct ike_iov){ names, IKE_MAX_PPK_ID + 1 };
	assert_null(env_find_key(a, &job, 0, &len));
	t->conf.ppks = (struct client_ppks){ 0 };
}

/* A PPK is of no method, and never in the place of another key. */
static void a_ppk_is_for_mixing_alone(struct agent *a, struct tunnel *t)
{
	static const char names[1][IKE_JOB_NAME] = { "vpn0" };
	static const struct ike_id id = { .type = IKE_ID_FQDN };
	static struct config_ppk ppk = { .key = "sealed", .len = 6 };
	struct ike_job job = { .kind = IKE_JOB_PPK,
			       .n_tunnels = 1,
			       .tunnels = names,
			       .peer = &id,
			       .prf = IKE_PRF_HMAC_SHA2_256 };
	size_t len;

	assert_null(env_find_key(a, &job, 0, &len));
	t->conf.ppk = &ppk;
	assert_ptr_equal(env_find_key(a, &job, 0, &len), ppk.key);
	assert_int_equal(len, 6);
	job.kind = IKE_JOB_PSK_VERIFY;
	assert_ptr_not_equal(env_find_key(a, &job, 0, &len), ppk.key);
	t->conf.ppk = NULL;
	a_client_has_its_ppk(a, t);
}

/* An open tunnel vpn0 of the agent, with a key that is sealed. */
static void give_tunnel(struct agent *a, struct tunnel *t, const struct seal *seal)
{
	t->agent = a;
	t->ifindex = 5;
	strcpy(t->conf.name, "vpn0");
	memcpy(t->conf.psk, "secret", t->conf.psk_len = 6);
	assert_int_equal(seal_config(seal, &t->conf), 0);
	t->conf.ike = proposals("aes256gcm16-prfsha256-x25519", IKE_PROTO_IKE);
	LIST_INSERT_HEAD(&a->by_name[hash_lower("vpn0", 4) % TUNNEL_BUCKETS], t, by_name);
}

/* Keys are those of open tunnels of the core's, for PRFs that these may have. */
static void keys_are_looked_after(void **state)
{
	const struct seal seal = { { 1 }, { 2 } };
	const struct spawn_options o = { .kind = SPAWN_KEYS,
					 .wrapping = seal.wrapping,
					 .seccomp = SECCOMP };
	const struct ike_iov octets = { "abc", 3 };
	struct agent *a = calloc(1, sizeof(*a));
	struct tunnel *t = calloc(1, sizeof(*t));
	const struct key_proc_events events = { env_find_key, on_key_proc, a };
	struct event_base *base = event_base_new();
	uint8_t good[IKE_MAX_PRF] = { 0 }, bad[IKE_MAX_PRF] = { 0 };
	const uint16_t sha256 = IKE_PRF_HMAC_SHA2_256, sha512 = IKE_PRF_HMAC_SHA2_512;
	unsigned int done = 0;
	struct spawn *spawn;
	struct ike_env env;
	char err[512] = "";

	(void)state;
	spawn = spawn_start(&o, err, sizeof(err));
	if (!spawn)
		fail_msg("%s", err);
	a->key_proc = key_proc_new(base, spawn, &events);
	assert_non_null(a->key_proc);
	give_tunnel(a, t, &seal);
	agent_env(a, &env);
	assert_int_equal(ike_psk_sign(sha256, (const uint8_t *)"secret", 6, &octets, 1, good), 0);
	assert_int_equal(verdict_of(a, base, &env, sha256, good), IKE_JOB_NO_KEY);
	assert_true(owned_add_peer(&t->owned, IKE_PEER_FIRST, 1));
	assert_int_equal(verdict_of(a, base, &env, sha256, good), IKE_JOB_PROVEN);
	assert_int_equal(verdict_of(a, base, &env, sha256, bad), IKE_JOB_REFUTED);
	assert_int_equal(verdict_of(a, base, &env, sha512, bad), IKE_JOB_NO_KEY);
	signs_confined(a, t, base, &env, &seal);
	methods_are_kept(a, t);
	a_ppk_is_for_mixing_alone(a, t);
	users_are_judged_confined(a, t, base, &env, &seal);
	t->ifindex = 0;
	assert_int_equal(verdict_of(a, base, &env, sha256, good), IKE_JOB_NO_KEY);
	/* Nor without end: neither results that wait, nor time. */
	for (unsigned int i = 0; i < IKE_JOBS; i++)
		assert_int_equal(start_job(a, &env, sha256, bad), 0);
	assert_int_equal(start_job(a, &env, sha256, bad), -EBUSY);
	log_open(IKE_LOG_ERROR, false);
	do
		key_proc_drop(a->key_proc);
	while (!start_job(a, &env, sha256, bad) && ++done < 1000000);
	assert_in_range(done, 1000, 999999);
	key_proc_free(a->key_proc);
	spawn_free(spawn);
	event_base_free(base);
	owned_free(&t->owned);
	ike_proposals_put(t->conf.ike);
	free(t->conf.private_key);
	free(t);
	free(a);
	while (wait(NULL) > 0)
		;
}

/* An IKE message and nothing else, to a peer or in reply: there is no socket here, either. */
static void sends_are_looked_at(void **state)
{
	struct agent *a = calloc(1, sizeof(*a));
	struct tunnel *t = calloc(1, sizeof(*t));
	uint8_t data[28] = { [0] = 1, [17] = 0x20, [18] = 34, [27] = 28 };
	struct ike_datagram d = { .local = { .port = IKE_PORT },
				  .remote = { { 4, { 192, 0, 2, 66 } }, IKE_PORT },
				  .data = data,
				  .len = sizeof(data) };
	struct ike_env env;

	(void)state;
	t->agent = a;
	strcpy(t->conf.name, "vpn0");
	t->conf.port = IKE_NATT_PORT;
	a->tunnels = t;
	LIST_INSERT_HEAD(&a->by_name[hash_lower("vpn0", 4) % TUNNEL_BUCKETS], t, by_name);
	a->remotes = remotes_new();
	agent_env(a, &env);
	env.send(a, NULL, &d);
	env.send(a, "vpn1", &d);
	env.send(a, "vpn0", &d); /* closed */
	t->ifindex = 5;
	env.send(a, "vpn0", &d);
	d.local.port = IKE_NATT_PORT;
	env.send(a, "vpn0", &d);
	remotes_heard(a->remotes, &d.remote.addr, 100, loop_now());
	env.send(a, "vpn1", &d);
	d.local.port = 53;
	env.send(a, "vpn0", &d);
	d.local.port = IKE_PORT;
	d.len--;
	env.send(a, "vpn0", &d);
	d.len++;
	data[17] = 0x10;
	env.send(a, "vpn0", &d);
	data[17] = 0x20;
	d.remote.port = 0;
	env.send(a, "vpn0", &d);
	assert_true(env_may_reach(a, NULL, &d.remote.addr));
	/* What a peer claims is no place for it before something came from there. */
	assert_true(owned_add_peer(&t->owned, IKE_PEER_FIRST, 1));
	d.remote.addr.b[3] = 67;
	assert_true(remotes_claim(a->remotes, &d.remote.addr, loop_now()));
	assert_true(env_may_reach(a, t, &d.remote.addr));
	d.remote.port = IKE_NATT_PORT;
	env.peer_moved(a, "vpn0", IKE_PEER_FIRST, NULL, &d.remote, false);
	assert_false(owned_has_remote(&t->owned, &d.remote.addr));
	owned_free(&t->owned);
	remotes_free(a->remotes);
	free(t);
	free(a);
}

/* ---- an agent of a few lines ---------------------------------------------------------------- */

struct side {
	struct core *core;
	struct spawn *spawn;
	struct side *peer;
	struct ike_tunnel_conf conf;
	struct ike_addr addr;
	uint32_t next_spi;
	unsigned int installed, removed, lost, jobs;
	struct job_results results;
	uint32_t made; /* number of the client */
	enum ike_tunnel_state state;
	/* what it has sent and the other has not got */
	struct mail {
		struct ike_datagram d;
		uint8_t data[4096];
	} mail[64];
	unsigned int n_mail, taken;
	bool is_busy; /* it begins no job */
};

static void side_send(void *ctx, const char *tunnel, const struct ike_datagram *d)
{
	struct side *s = ctx;
	struct mail *m = &s->mail[s->n_mail++ % 64];

	(void)tunnel;
	assert_true(d->len <= sizeof(m->data));
	memcpy(m->data, d->data, d->len);
	m->d = (struct ike_datagram){ d->remote, d->local, m->data, d->len };
	m->d.remote.addr = s->addr; /* its own address is for routing to find */
}

static int side_peer_make(void *ctx, const char *tunnel, uint32_t peer,
			  const struct ike_endpoint *remote, const struct ike_id *id)
{
	struct side *s = ctx;

	assert_int_equal(id->data[0], 'a');
	assert_string_equal(tunnel, s->conf.name);
	assert_int_equal(remote->addr.family, 4);
	s->made = peer;
	return 0;
}

static void side_peer_remove(void *ctx, const char *tunnel, uint32_t peer)
{
	struct side *s = ctx;

	assert_string_equal(tunnel, s->conf.name);
	assert_int_equal(peer, s->made);
	s->made = 0;
}

static int side_spi_alloc(void *ctx, const char *tunnel, uint32_t peer, uint32_t *spi)
{
	(void)peer;
	(void)tunnel;
	*spi = 4096 + ++((struct side *)ctx)->next_spi;
	return 0;
}

static int side_install(void *ctx, const struct ike_child *child)
{
	struct side *s = ctx;

	assert_string_equal(child->tunnel, s->conf.name);
	assert_int_equal(child->key_len, 36);
	s->installed++;
	return 0;
}

static void side_remove(void *ctx, const char *tunnel, uint32_t peer, uint32_t in, uint32_t out)
{
	(void)peer;
	(void)tunnel;
	(void)in;
	(void)out;
	((struct side *)ctx)->removed++;
}

static uint64_t side_last_rx(void *ctx, const char *tunnel, uint32_t peer)
{
	(void)peer;
	(void)ctx;
	(void)tunnel;
	return 5;
}

static bool side_is_outside(void *ctx, const char *tunnel, const struct ike_addr *remote)
{
	(void)ctx;
	(void)tunnel;
	(void)remote;
	return true;
}

static void side_moved(void *ctx, const char *tunnel, uint32_t peer, const struct ike_addr *local,
		       const struct ike_endpoint *remote, bool plain)
{
	(void)plain;
	(void)local;
	(void)peer;
	(void)ctx;
	(void)tunnel;
	(void)remote;
}

static void side_follow(void *ctx, const char *tunnel, uint32_t peer, bool may)
{
	(void)ctx;
	(void)tunnel;
	(void)peer;
	(void)may;
}

static void side_state(void *ctx, const char *tunnel, uint32_t peer, enum ike_tunnel_state state)
{
	(void)peer;
	(void)tunnel;
	((struct side *)ctx)->state = state;
}

static void side_log(void *ctx, enum ike_log_level level, const char *tunnel, const uint8_t *spi_i,
		     const uint8_t *spi_r, const char *text)
{
	(void)ctx;
	(void)level;
	(void)tunnel;
	(void)spi_i;
	(void)spi_r;
	assert_true(*text);
}

/* Both have one key, which no core is told. */
static const uint8_t *side_key(void *ctx, const struct ike_job *job, unsigned int i, size_t *len)
{
	(void)ctx;
	assert_non_null(job->peer);
	assert_string_equal(job->tunnels[i], "vpn0");
	*len = 6;
	return (const uint8_t *)"secret";
}

static int side_job_start(void *ctx, const struct ike_job *job)
{
	struct side *s = ctx;

	if (s->is_busy)
		return -EBUSY;
	s->jobs++;
	return job_results_do(&s->results, NULL, job, side_key, s);
}

static void on_lost(void *ctx)
{
	((struct side *)ctx)->lost++;
}

static void side_init(struct side *s, struct event_base *base, uint8_t index)
{
	const struct ike_env env = {
		.ctx = s,
		.rng = { .fill = ike_crypto_random },
		.send = side_send,
		.peer_make = side_peer_make,
		.peer_remove = side_peer_remove,
		.spi_alloc = side_spi_alloc,
		.sa_install = side_install,
		.sa_remove = side_remove,
		.last_rx = side_last_rx,
		.peer_moved = side_moved,
		.peer_follow = side_follow,
		.is_outside = side_is_outside,
		.state = side_state,
		.log = side_log,
		.job_start = side_job_start,
	};
	const struct spawn_options o = { .seccomp = SECCOMP };
	struct ike_tunnel_conf *c = &s->conf;
	char err[512] = "";

	s->addr = (struct ike_addr){ 4, { 192, 0, 2, index } };
	strcpy(c->name, "vpn0");
	c->local.port = IKE_NATT_PORT;
	c->remote = (struct ike_endpoint){ { 4, { 192, 0, 2, (uint8_t)(3 - index) } }, IKE_PORT };
	assert_int_equal(
		ike_proposals_from_text("modern", IKE_PROTO_IKE, &c->ike, err, sizeof(err)), 0);
	assert_int_equal(
		ike_proposals_from_text("modern", IKE_PROTO_ESP, &c->esp, err, sizeof(err)), 0);
	c->liveness = 20;
	c->n_child = 1;
	assert_int_equal(ike_ts_from_text("0.0.0.0/0", &c->child[0].local_ts, err, sizeof(err)), 0);
	c->child[0].remote_ts = c->child[0].local_ts;
	c->child[0].start = index == 1 ? IKE_START_NOW : IKE_START_LISTEN;
	STAILQ_INIT(&s->results);
	s->spawn = spawn_start(&o, err, sizeof(err));
	if (!s->spawn)
		fail_msg("%s", err);
	s->core = core_new(base, s->spawn, &env, on_lost, s);
	assert_non_null(s->core);
}

struct two {
	struct event_base *base;
	struct side side[2];
};

static void deliver(struct two *t)
{
	for (bool more = true; more;) {
		more = false;
		for (int i = 0; i < 2; i++) {
			struct side *s = &t->side[i];
			struct ike_job_result r;

			if (job_results_take(&s->results, &r)) {
				core_job_done(s->core, &r, loop_now());
				more = true;
			}
			if (s->taken == s->n_mail)
				continue;
			core_datagram(s->peer->core, &s->mail[s->taken++ % 64].d, loop_now());
			more = true;
		}
	}
}

/* The listener first. */
static void open_cores(struct two *t)
{
	for (int i = 1; i >= 0; i--) {
		assert_int_equal(core_tunnel_add(t->side[i].core, &t->side[i].conf), 0);
		core_start(t->side[i].core, "vpn0", loop_now());
	}
	core_timer(t->side[0].core, loop_now());
	deliver(t);
}

/* Two sides that have not begun. */
static struct two *two_prepare(void)
{
	struct two *t = calloc(1, sizeof(*t));

	log_open(IKE_LOG_WARN, false);
	t->base = event_base_new();
	for (uint8_t i = 0; i < 2; i++) {
		t->side[i].peer = &t->side[!i];
		side_init(&t->side[i], t->base, i + 1);
	}
	return t;
}

static struct two *two_new(void)
{
	struct two *t = two_prepare();

	open_cores(t);
	return t;
}

static void two_free(struct two *t)
{
	for (int i = 0; i < 2; i++) {
		core_free(t->side[i].core);
		spawn_free(t->side[i].spawn);
	}
	while (wait(NULL) > 0) /* they end with their agent */
		;
	event_base_free(t->base);
	free(t);
}

/* A job that there is no time for: the core hears of it at once, and does not wait for its result. */
static void a_job_that_is_refused_is_not_waited_for(void **state)
{
	struct two *t = two_prepare();
	struct ike_status status;

	(void)state;
	t->side[0].is_busy = true;
	open_cores(t);
	assert_int_equal(core_tunnel_status(t->side[0].core, "vpn0", &status), 0);
	assert_non_null(strstr(status.last_error, "too many peers prove who they are"));
	two_free(t);
}

static void cores_agree(void **state)
{
	struct two *t = two_new();
	struct ike_core_stats stats;
	struct ike_status status;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct side *s = &t->side[i];

		assert_int_equal(core_tunnel_status(s->core, "vpn0", &status), 0);
		assert_string_equal(status.last_error, "");
		assert_int_equal(s->state, IKE_TUNNEL_UP);
		assert_true(s->installed >= 1);
		assert_int_equal(s->jobs, 2); /* our AUTH value, and the peer's */
		assert_int_equal(status.state, IKE_TUNNEL_UP);
		assert_string_equal(status.tunnel, "vpn0");
		assert_int_equal(status.initiator, i == 0);
		core_stats(s->core, &stats);
		assert_int_equal(stats.children, 1);
		assert_in_range(core_next(s->core), loop_now(), UINT64_MAX - 1);
	}
	assert_int_equal(core_tunnel_status(t->side[0].core, "vpn1", &status), -ENOENT);
	assert_int_equal(core_down(t->side[0].core, "vpn0", loop_now()), 0);
	deliver(t);
	assert_true(t->side[1].removed);
	two_free(t);
}

/* Kills the children of @parent that are called @name; how many. */
static unsigned int kill_children(pid_t parent, const char *name)
{
	unsigned int killed = 0;
	struct dirent *d;
	DIR *proc = opendir("/proc");

	while ((d = readdir(proc))) {
		char path[300], comm[32] = "";
		int pid = 0, of = 0;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%s/stat", d->d_name);
		f = atoi(d->d_name) ? fopen(path, "r") : NULL;
		if (!f)
			continue;
		if (fscanf(f, "%d (%31[^)]) %*c %d", &pid, comm, &of) == 3 && of == parent) {
			if (!strcmp(comm, name))
				killed += !kill(pid, SIGKILL);
			else if (!strcmp(comm, "esptund-spawn"))
				killed += kill_children(pid, name);
		}
		fclose(f);
	}
	closedir(proc);
	return killed;
}

static void killed_one_starts_again(void **state)
{
	struct two *t = two_new();
	struct ike_status status;

	(void)state;
	assert_int_equal(t->side[0].state, IKE_TUNNEL_UP);
	assert_int_equal(kill_children(getpid(), "esptund-ike"), 2);
	while (!t->side[0].lost || !t->side[1].lost)
		event_base_loop(t->base, EVLOOP_ONCE);
	for (int i = 0; i < 2; i++) {
		struct side *s = &t->side[i];

		assert_false(core_runs(s->core));
		assert_int_equal(core_tunnel_status(s->core, "vpn0", &status), -EPIPE);
		assert_int_equal(core_up(s->core, "vpn0", 1), -EPIPE);
		core_timer(s->core, 1);
		assert_true(core_next(s->core) == UINT64_MAX);
		assert_int_equal(core_restart(s->core), 0);
		assert_int_equal(core_tunnel_status(s->core, "vpn0", &status), -ENOENT);
		s->installed = 0;
		s->state = IKE_TUNNEL_DOWN;
	}
	open_cores(t);
	assert_int_equal(t->side[0].state, IKE_TUNNEL_UP);
	assert_true(t->side[0].installed >= 1);
	two_free(t);
}

/* More rows than a message holds; keys without a peer have none. */
static void rows_of_many(void **state)
{
	enum { MANY = 40 };
	struct two *t = two_new();
	struct side *s = &t->side[0];
	struct wire_key keys[2 * MANY] = { 0 };
	struct core_rows rows;

	(void)state;
	for (unsigned int i = 0; i < 2 * MANY; i++)
		strcpy(keys[i].tunnel, i % 2 ? "vpn1" : "vpn0");
	assert_int_equal(core_status_rows(s->core, keys, 2 * MANY, &rows), 0);
	assert_int_equal(rows.n, 2 * MANY); /* a peer and its child SA */
	for (unsigned int i = 0; i < rows.n; i++) {
		const struct wire_status *r = &rows.v[i];

		assert_int_equal(r->key, i / 2 * 2);
		assert_int_equal(r->child, i % 2);
		if (r->child)
			assert_true(r->status.have_child && r->status.spi_in);
		else
			assert_string_equal(r->status.tunnel, "vpn0");
	}
	free(rows.v);
	kill_children(getpid(), "esptund-ike");
	assert_int_equal(core_status_rows(s->core, keys, 2, &rows), -EPIPE);
	assert_null(rows.v);
	two_free(t);
}

/* For as long as the agent says, though the machine runs for months. */
static void pairs_are_adopted(void **state)
{
	struct two *t = two_prepare();
	struct side *s = &t->side[1];
	const struct ike_ts_list all = ts_list("0.0.0.0/0");
	const struct ike_adopted pair = { .peer = IKE_PEER_FIRST,
					  .remote = s->conf.remote,
					  .remote_ts = IKE_TS_OFFER(&all),
					  .spi_in = 4711,
					  .spi_out = 4712,
					  .until = loop_now() + (UINT64_C(1) << 33) };
	struct ike_status status;

	(void)state;
	assert_int_equal(core_tunnel_add(s->core, &s->conf), 0);
	core_adopt(s->core, "vpn0", &pair);
	assert_true(core_runs(s->core));
	core_start(s->core, "vpn0", loop_now());
	core_timer(s->core, loop_now() + 1000);
	assert_int_equal(core_tunnel_status(s->core, "vpn0", &status), 0);
	assert_int_equal(status.adopted, 1);
	assert_int_equal(s->removed, 0);
	two_free(t);
}

static void clients_get_peers(void **state)
{
	struct two *t = two_prepare();
	struct side *hub = &t->side[1];
	uint32_t ids[WIRE_CLIENTS_MAX];
	struct ike_status status;

	(void)state;
	hub->conf.clients = 3;
	memset(&hub->conf.remote, 0, sizeof(hub->conf.remote));
	hub->conf.remote_id = (struct ike_id){ IKE_ID_FQDN, 3, { '*', '.', 'c' } };
	hub->peer->conf.local_id = (struct ike_id){ IKE_ID_FQDN, 3, { 'a', '.', 'c' } };
	open_cores(t);
	assert_int_equal(t->side[0].state, IKE_TUNNEL_UP);
	assert_int_equal(core_clients(hub->core, "vpn0", ids, WIRE_CLIENTS_MAX), 1);
	assert_int_equal(ids[0], hub->made);
	assert_true(hub->made > IKE_PEER_FIRST);
	assert_int_equal(core_peer_status(hub->core, "vpn0", hub->made, &status), 0);
	assert_int_equal(status.remote_id.data[0], 'a');
	assert_int_equal(core_peer_status(hub->core, "vpn0", hub->made + 1, &status), -ENOENT);
	assert_int_equal(core_tunnel_del(hub->core, "vpn0"), 0);
	assert_int_equal(hub->made, 0);
	two_free(t);
}

static void without_its_parent(void **state)
{
	struct two *t = two_new();

	(void)state;
	assert_int_equal(kill_children(getpid(), "esptund-spawn"), 2);
	while (wait(NULL) > 0)
		;
	assert_int_equal(core_restart(t->side[0].core), -EPIPE);
	assert_false(core_runs(t->side[0].core));
	two_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_are_checked),
		cmocka_unit_test(settings_are_checked),
		cmocka_unit_test(types_are_checked),
		cmocka_unit_test(fields_are_checked),
		cmocka_unit_test(texts_end),
		cmocka_unit_test(others_are_out_of_reach),
		cmocka_unit_test(others_leases_are_out_of_reach),
		cmocka_unit_test(others_addresses_are_not_given),
		cmocka_unit_test(others_sas_are_out_of_reach),
		cmocka_unit_test(sas_are_as_configured),
		cmocka_unit_test(a_job_that_is_refused_is_not_waited_for),
		cmocka_unit_test(cores_agree),
		cmocka_unit_test(killed_one_starts_again),
		cmocka_unit_test(without_its_parent),
		cmocka_unit_test(texts_are_made_good),
		cmocka_unit_test(lists_are_checked),
		cmocka_unit_test(configurations_are_checked),
		cmocka_unit_test(rows_of_many),
		cmocka_unit_test(clients_get_peers),
		cmocka_unit_test(pairs_are_adopted),
		cmocka_unit_test(sends_are_looked_at),
		cmocka_unit_test(jobs_are_checked),
		cmocka_unit_test(keys_are_looked_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
