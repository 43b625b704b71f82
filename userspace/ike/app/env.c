// SPDX-License-Identifier: GPL-2.0-or-later
/* What the core wants done, done. No function here may call into the core. */
#include <errno.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/app/terms.h"

/* The tunnel whose link can send from @port for @name, or for anybody if that is NULL. */
static struct tunnel *sender(struct agent *a, const char *name, uint16_t port)
{
	if (name)
		return tunnel_by_name(a, name);
	for (struct tunnel *t = a->tunnels; t; t = t->next) {
		if (t->ifindex && t->conf.port == port)
			return t;
	}
	return NULL;
}

static void env_send(void *ctx, const char *name, const struct ike_datagram *d)
{
	struct agent *a = ctx;
	struct tunnel *t = sender(a, name, d->local.port);
	int err;

	if (d->local.port == IKE_PORT)
		err = udp_send(a->udp, d, t ? t->conf.fwmark : 0);
	else if (t && t->ifindex)
		err = kernel_ike_send(a->kernel, t->ifindex, d);
	else
		return;
	if (name && t)
		t->send_error = -err;
	/* Lost like any datagram: the core retransmits. */
	if (err)
		log_core(IKE_LOG_DEBUG, name, NULL, NULL,
			 d->local.port == IKE_PORT ? strerror(-err) : kernel_error(a->kernel),
			 loop_now());
}

static int env_peer_make(void *ctx, const char *name, uint32_t peer,
			 const struct ike_endpoint *remote, const struct ike_id *id)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_name(a, name);
	struct kernel_peer_conf conf = { .remote = *remote, .follow = true, .id = id };
	uint8_t terms[TERMS_LEN];
	int err;

	if (!t || !t->ifindex)
		return -ENODEV;
	conf.keepalive = t->conf.keepalive;
	if (!terms_make(&t->conf, id, terms))
		conf.terms = terms;
	err = kernel_peer_make(a->kernel, t->ifindex, peer, &conf);
	if (err)
		log_say(IKE_LOG_ERROR, name, "the kernel makes no peer for a client: %s",
			kernel_error(a->kernel));
	return err;
}

static void env_peer_remove(void *ctx, const char *name, uint32_t peer)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_name(a, name);

	if (t && t->ifindex)
		kernel_peer_remove(a->kernel, t->ifindex, peer);
}

static int env_spi_alloc(void *ctx, const char *name, uint32_t peer, uint32_t *spi)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_name(a, name);
	int err;

	if (!t || !t->ifindex)
		return -ENODEV;
	err = kernel_spi_alloc(a->kernel, t->ifindex, peer, spi);
	if (err)
		log_say(IKE_LOG_ERROR, name, "the kernel gives no SPI: %s",
			kernel_error(a->kernel));
	return err;
}

_Static_assert((int)TERMS_LEN == (int)KERNEL_TERMS, "the kernel keeps what terms.h makes");

/* The one peer's SAs are made on the configuration's terms: the next agent is to know. */
static void keep_terms(struct agent *a, struct tunnel *t)
{
	static const struct ike_id of_one_peer;
	uint8_t terms[TERMS_LEN];
	struct kernel_peer_conf conf = tunnel_peer_conf(t);

	if (t->terms_kept || terms_make(&t->conf, &of_one_peer, terms))
		return;
	conf.id = &of_one_peer;
	conf.terms = terms;
	t->terms_kept = !kernel_peer_make(a->kernel, t->ifindex, IKE_PEER_FIRST, &conf);
}

static int env_sa_install(void *ctx, const struct ike_child *child)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_name(a, child->tunnel);
	int err;

	if (!t || !t->ifindex)
		return -ENODEV;
	err = kernel_sa_install(a->kernel, t->ifindex, child, t->conf.replay_window);
	if (err)
		log_say(IKE_LOG_ERROR, child->tunnel, "the kernel does not take the SA: %s",
			kernel_error(a->kernel));
	else if (child->peer == IKE_PEER_FIRST && child->part != IKE_CHILD_OUT)
		keep_terms(a, t); /* the other half may come when the terms are others already */
	return err;
}

static void env_sa_remove(void *ctx, const char *name, uint32_t peer, uint32_t spi_in,
			  uint32_t spi_out)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_name(a, name);

	if (t && t->ifindex)
		kernel_sa_remove(a->kernel, t->ifindex, peer, spi_in, spi_out);
}

static uint64_t env_last_rx(void *ctx, const char *name, uint32_t peer)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_name(a, name);

	return t && t->ifindex ? kernel_peer_last_rx(a->kernel, t->ifindex, peer) : UINT64_MAX;
}

static void env_peer_moved(void *ctx, const char *name, uint32_t peer, const struct ike_addr *local,
			   const struct ike_endpoint *remote)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_name(a, name);

	if (t && t->ifindex && kernel_peer_move(a->kernel, t->ifindex, peer, remote, local))
		log_say(IKE_LOG_WARN, name, "the kernel does not move the peer: %s",
			kernel_error(a->kernel));
}

static void env_peer_follow(void *ctx, const char *name, uint32_t peer, bool may)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_name(a, name);

	if (t && t->ifindex && kernel_peer_follow(a->kernel, t->ifindex, peer, may))
		log_say(IKE_LOG_WARN, name,
			"the kernel does not take whether it follows the peer: %s",
			kernel_error(a->kernel));
}

/* So that a peer's address in its own network, which leads into a tunnel here, makes no loop. */
static bool env_is_outside(void *ctx, const char *name, const struct ike_addr *remote)
{
	static const struct ike_addr any;
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_name(a, name);
	struct net_path p;

	if (!t)
		return false;
	net_find_path(a->net, remote, &any, t->conf.fwmark, &p);
	if (p.err || p.own || p.oif == t->ifindex)
		return false;
	return !tunnel_by_index(a, p.oif) || p.oif == t->path.oif;
}

static void env_state(void *ctx, const char *name, uint32_t peer, enum ike_tunnel_state state)
{
	struct tunnel *t = tunnel_by_name(ctx, name);

	if (!t || peer != IKE_PEER_FIRST)
		return;
	t->state = state; /* agent_settle() acts on it */
	tunnel_dirty(t);
	if (state == IKE_TUNNEL_UP)
		tunnel_well(t, TROUBLE_NAME);
}

static void env_log(void *ctx, enum ike_log_level level, const char *name, const uint8_t *spi_i,
		    const uint8_t *spi_r, const char *text)
{
	(void)ctx;
	log_core(level, name, spi_i, spi_r, text, loop_now());
}

static const uint8_t *find_key(void *ctx, const char *name, const struct ike_id *id, size_t *len)
{
	const struct tunnel *t = tunnel_by_name(ctx, name);
	const struct client_key *own;

	if (!t)
		return NULL;
	own = client_keys_find(t->conf.keys.v, t->conf.keys.n, id);
	*len = own ? own->len : t->conf.psk_len;
	return own ? own->key : t->conf.psk;
}

/* It is done at once; agent_settle() hands the result to the core. */
static int env_job_start(void *ctx, const struct ike_job *job)
{
	return ike_job_results_do(&((struct agent *)ctx)->jobs, job, find_key, ctx);
}

static void env_keylog(void *ctx, const struct ike_keylog *k)
{
	keytable_add(((struct agent *)ctx)->keys, k);
}

void agent_env(struct agent *a, struct ike_env *env)
{
	*env = (struct ike_env){
		.ctx = a,
		.rng = { .fill = ike_crypto_random },
		.send = env_send,
		.peer_make = env_peer_make,
		.peer_remove = env_peer_remove,
		.spi_alloc = env_spi_alloc,
		.sa_install = env_sa_install,
		.sa_remove = env_sa_remove,
		.last_rx = env_last_rx,
		.peer_moved = env_peer_moved,
		.peer_follow = env_peer_follow,
		.is_outside = env_is_outside,
		.state = env_state,
		.log = env_log,
		.job_start = env_job_start,
		.keylog = a->keys ? env_keylog : NULL,
	};
}
