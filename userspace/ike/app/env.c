// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the core wants done, done. No function here may call into the core. It runs in a process
 * that parses what the network sends (core_proc.h): each effect is for a tunnel there is, for peers
 * and SAs that are the core's (owned.h), and for traffic that the configuration allows.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/app/terms.h"
#include "ike/auth/job_tls.h"
#include "ike/proto/addr.h"
#include "ike/proto/msg.h"
#include "ike/child/proposal.h"
#include "ike/child/ts.h"
#include "ike/eap/eap.h"

enum {
	TLS_STEP = 2000
}; /* microseconds of a step of TLS at most, but for an RSA key's signature */

/* ---- what is the core's -------------------------------------------------------------------- */

bool env_own_spi(struct tunnel *t, uint32_t peer, uint32_t spi, bool inbound)
{
	struct owned_spi old;
	bool added = owned_add_spi(&t->owned, peer, spi, inbound, &old);

	if (old.spi)
		kernel_sa_remove(t->agent->kernel, t->ifindex, peer, old.inbound ? old.spi : 0,
				 old.inbound ? 0 : old.spi);
	return added;
}

/* The tunnel, if it is open and the peer is the core's. */
static struct tunnel *tunnel_of(struct agent *a, const char *name, uint32_t peer)
{
	struct tunnel *t = tunnel_by_name(a, name);

	return t && t->ifindex && owned_has_peer(&t->owned, peer) ? t : NULL;
}

unsigned int env_max_peers(const struct tunnel *t)
{
	return t->conf.clients > 1 ? 1 + t->conf.clients : 1;
}

/* Where clients come, each gets a peer of its own, and the one that every tunnel has carries nothing. */
static bool may_have_sas(const struct tunnel *t, uint32_t peer)
{
	return peer != IKE_PEER_FIRST || t->conf.clients <= 1;
}

/* Is all that @child would carry allowed by the configuration? Transport mode is for its endpoints. */
static bool may_carry(const struct tunnel *t, const struct ike_child *child)
{
	if (child->mode == IKE_MODE_TRANSPORT &&
	    (!ike_ts_of_address(child->local_ts, &child->local.addr) ||
	     !ike_ts_of_address(child->remote_ts, &child->remote.addr)))
		return false;
	return lease_allows(t, child->peer, IKE_TS_OFFER(child->remote_ts)) &&
	       kernel_may_carry(t->conf.child, t->conf.n_child, child->mode,
				IKE_TS_OFFER(child->local_ts), IKE_TS_OFFER(child->remote_ts));
}

/* Has the configuration a proposal with the algorithms of @child, and are its keys for these? */
static bool may_use(const struct tunnel *t, const struct ike_child *child)
{
	const struct ike_cipher *c = &child->cipher;
	const struct ike_transform wanted[] = {
		{ IKE_T_ENCR, c->encr, c->key_bits },
		{ IKE_T_INTEG, c->integ, 0 },
		{ IKE_T_ESN, child->esn, 0 },
	};

	return ike_cipher_known(c) && child->key_len == ike_cipher_key_len(c) &&
	       child->integ_len == ike_integ_key_len(c->integ) &&
	       ike_proposals_allow(t->conf.esp, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

/* ---- where the core may send to ------------------------------------------------------------ */

/* By configuration or name server. */
static bool is_peers(const struct tunnel *t, const struct ike_addr *addr)
{
	return ike_addr_eq(addr, &t->conf.endpoint_addr) || ike_addr_eq(addr, &t->resolved);
}

/* Something came from there, which the agent, or a former one, may have forgotten. */
static bool was_heard(const struct tunnel *t, const struct ike_addr *addr)
{
	return ike_addr_eq(addr, &t->adopted_remote) || owned_has_remote(&t->owned, addr);
}

bool env_may_reach(struct agent *a, const struct tunnel *t, const struct ike_addr *addr)
{
	if (!addr->family)
		return false;
	if (t && is_peers(t, addr))
		remotes_vouch(a->remotes, addr, loop_now());
	else if (t && was_heard(t, addr))
		remotes_heard(a->remotes, addr, 0, loop_now());
	return remotes_know(a->remotes, addr, loop_now());
}

/* Says what the kernel, or we, refused; the core may have asked for it again and again. */
static void complain(const char *tunnel, enum ike_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void complain(const char *tunnel, enum ike_log_level level, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_core(level, tunnel, NULL, NULL, text, loop_now());
}

/* ESP travels as configured. */
static bool may_travel(const struct tunnel *t, bool plain)
{
	if (t->conf.encap != (plain ? IKE_ENCAP_UDP : IKE_ENCAP_ESP))
		return true;
	complain(t->conf.name, IKE_LOG_WARN,
		 "the process that speaks IKE has ESP %s UDP, which Encap forbids: refused",
		 plain ? "without" : "in");
	return false;
}

static bool may_move(struct agent *a, struct tunnel *t, uint32_t peer, const struct ike_addr *addr)
{
	char text[64];

	if (env_may_reach(a, t, addr) && remotes_trust(a->remotes, addr))
		return owned_set_remote(&t->owned, peer, addr);
	complain(t->conf.name, IKE_LOG_WARN,
		 "the process that speaks IKE has a peer at %s, which we never heard from: refused",
		 ike_addr_print(text, sizeof(text), addr));
	return false;
}

/* ---- effects --------------------------------------------------------------------------------- */

/* The open tunnel whose link can send from @port for @name, or for anybody if that is NULL. */
static struct tunnel *sender(struct agent *a, const char *name, uint16_t port)
{
	struct tunnel *named = name ? tunnel_by_name(a, name) : NULL;

	if (named && named->ifindex && (port == named->conf.port || port == IKE_PORT))
		return named;
	if (name)
		return NULL;
	for (struct tunnel *t = a->tunnels; t; t = t->next) {
		if (t->ifindex && t->conf.port == port)
			return t;
	}
	return NULL;
}

/* A whole IKE message, to where it may go. */
static bool may_send(struct agent *a, const struct tunnel *t, const struct ike_datagram *d)
{
	struct ike_header h;

	return !ike_header_parse(d->data, d->len, &h) && d->remote.port &&
	       env_may_reach(a, t, &d->remote.addr) &&
	       remotes_admit(a->remotes, &d->remote.addr, d->len, loop_now());
}

static void env_send(void *ctx, const char *name, const struct ike_datagram *d)
{
	struct agent *a = ctx;
	struct tunnel *t = sender(a, name, d->local.port);
	char text[80];
	int err;

	if ((name && !t) || !may_send(a, t, d)) {
		complain(t ? t->conf.name : NULL, IKE_LOG_WARN, "a datagram to %s is not sent",
			 ike_endpoint_print(text, sizeof(text), &d->remote));
		return;
	}
	if (d->local.port == IKE_PORT)
		err = udp_send(a->udp, d, t ? t->conf.fwmark : 0);
	else if (t)
		err = kernel_ike_send(a->kernel, t->ifindex, d);
	else
		return;
	if (name)
		t->send_error = -err;
	/* Lost like any datagram: the core retransmits. */
	if (err)
		complain(name, IKE_LOG_DEBUG, "%s",
			 d->local.port == IKE_PORT ? strerror(-err) : kernel_error(a->kernel));
}

/*
 * Whatever a user proved before the file of Users= changed: it needs a line there now. Where a user may take a method without a
 * password it needs none, and which one it took only the process that speaks IKE knows, which this is not to trust.
 */
static bool has_line(const struct tunnel *t, const struct ike_id *id)
{
	char text[IKE_MAX_ID + 16];

	if (!ike_auth_is_user(&t->conf.remote_auth) ||
	    !eap_all_need(t->conf.eap_methods, EAP_NEEDS_PASSWORD) ||
	    client_keys_find(t->conf.keys.v, t->conf.keys.n, id))
		return true;
	complain(t->conf.name, IKE_LOG_WARN,
		 "'%s' logged in, and has no line in the file of Users= any more: refused",
		 ike_id_print(text, sizeof(text), id));
	return false;
}

static int env_peer_make(void *ctx, const char *name, uint32_t peer,
			 const struct ike_endpoint *remote, const struct ike_id *id)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_of(a, name, IKE_PEER_FIRST);
	struct kernel_peer_conf conf = { .remote = *remote, .follow = true, .id = id };
	uint8_t terms[TERMS_LEN];
	bool added;
	int err;

	if (!t)
		return -ENODEV;
	if (!has_line(t, id))
		return -EACCES;
	if (!session_admits(t, peer, id)) {
		complain(
			name, IKE_LOG_WARN,
			"the process that speaks IKE has a client that no RADIUS server let in: refused");
		return -EPERM;
	}
	added = owned_add_peer(&t->owned, peer, env_max_peers(t));
	if (!added && (peer == IKE_PEER_FIRST || !owned_has_peer(&t->owned, peer)))
		return -EPERM;
	conf.keepalive = t->conf.keepalive;
	conf.ends = session_ends(t, peer, id);
	if (!terms_make(&t->conf, a->terms_secret, id, terms))
		conf.terms = terms;
	err = may_move(a, t, peer, &remote->addr) ? 0 : -EPERM;
	if (!err) {
		err = kernel_peer_make(a->kernel, t->ifindex, peer, &conf);
		if (err)
			complain(name, IKE_LOG_ERROR, "the kernel makes no peer for a client: %s",
				 kernel_error(a->kernel));
	}
	if (err && added)
		owned_remove_peer(&t->owned, peer);
	else if (!err)
		session_bind(t, peer, id, remote);
	return err;
}

static void env_peer_remove(void *ctx, const char *name, uint32_t peer)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_name(a, name);

	if (!t || !t->ifindex || peer == IKE_PEER_FIRST || !owned_remove_peer(&t->owned, peer))
		return;
	session_stop(t, peer);
	if (kernel_peer_remove(a->kernel, t->ifindex, peer)) /* its SAs may be there */
		complain(name, IKE_LOG_ERROR, "the kernel does not remove the peer of a client: %s",
			 kernel_error(a->kernel));
	else
		lease_release(t, peer);
}

static int env_lease(void *ctx, const char *name, uint32_t peer, const struct ike_id *id,
		     uint8_t family, const struct ike_addr *wanted, struct ike_addr *out)
{
	struct tunnel *t = tunnel_of(ctx, name, peer);

	return t ? lease_take(t, peer, id, family, wanted, out) : -ENODEV;
}

static int env_settings(void *ctx, const char *name, const struct ike_cp *cp)
{
	struct tunnel *t = tunnel_of(ctx, name, IKE_PEER_FIRST);

	return t ? given_take(t, cp) : -ENODEV;
}

static int env_spi_alloc(void *ctx, const char *name, uint32_t peer, uint32_t *spi)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_of(a, name, peer);
	int err;

	if (!t)
		return -ENODEV;
	if (!may_have_sas(t, peer))
		return -EPERM;
	err = kernel_spi_alloc(a->kernel, t->ifindex, peer, spi);
	if (!err && !env_own_spi(t, peer, *spi, true)) {
		kernel_sa_remove(a->kernel, t->ifindex, peer, *spi, 0);
		return -ENOMEM;
	}
	if (err)
		complain(name, IKE_LOG_ERROR, "the kernel gives no SPI: %s",
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

	if (t->terms_kept || terms_make(&t->conf, a->terms_secret, &of_one_peer, terms))
		return;
	conf.id = &of_one_peer;
	conf.terms = terms;
	t->terms_kept = !kernel_peer_make(a->kernel, t->ifindex, IKE_PEER_FIRST, &conf);
}

/* Nobody would remove it. */
static int undo_install(struct agent *a, struct tunnel *t, const struct ike_child *child)
{
	kernel_sa_remove(a->kernel, t->ifindex, child->peer,
			 child->part == IKE_CHILD_OUT ? 0 : child->spi_in,
			 child->part == IKE_CHILD_IN ? 0 : child->spi_out);
	return -ENOMEM;
}

static int env_sa_install(void *ctx, const struct ike_child *child)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_of(a, child->tunnel, child->peer);
	struct ike_child ours = *child;
	int err;

	if (!t)
		return -ENODEV;
	if (!child->spi_out || !may_have_sas(t, child->peer) ||
	    !owned_has_spi(&t->owned, child->peer, child->spi_in, true) || !may_carry(t, child) ||
	    !may_use(t, child) || !may_travel(t, child->plain) ||
	    !may_move(a, t, child->peer, &child->remote.addr))
		return -EPERM;
	if (!net_is_own(a->net, &child->local.addr))
		memset(&ours.local.addr, 0, sizeof(ours.local.addr)); /* routing chooses */
	err = kernel_sa_install(a->kernel, t->ifindex, &ours, t->conf.replay_window);
	if (err)
		complain(child->tunnel, IKE_LOG_ERROR, "the kernel does not take the SA: %s",
			 kernel_error(a->kernel));
	else if (!env_own_spi(t, child->peer, child->spi_out, false))
		err = undo_install(a, t, child);
	else if (child->peer == IKE_PEER_FIRST && child->part != IKE_CHILD_OUT)
		keep_terms(a, t); /* the other half may come when the terms are others already */
	if (!err && child->peer == IKE_PEER_FIRST)
		given_take_selectors(t, child->remote_ts);
	else if (!err)
		session_start(t, child->peer);
	return err;
}

static void env_sa_remove(void *ctx, const char *name, uint32_t peer, uint32_t spi_in,
			  uint32_t spi_out)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_name(a, name);

	if (!t || !t->ifindex)
		return;
	if (!owned_remove_spi(&t->owned, peer, spi_in, true))
		spi_in = 0;
	if (!owned_remove_spi(&t->owned, peer, spi_out, false))
		spi_out = 0;
	if (spi_in || spi_out)
		kernel_sa_remove(a->kernel, t->ifindex, peer, spi_in, spi_out);
}

static uint64_t env_last_rx(void *ctx, const char *name, uint32_t peer)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_of(a, name, peer);

	return t ? kernel_peer_last_rx(a->kernel, t->ifindex, peer) : UINT64_MAX;
}

static void env_peer_moved(void *ctx, const char *name, uint32_t peer, const struct ike_addr *local,
			   const struct ike_endpoint *remote, bool plain)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_of(a, name, peer);

	if (local && !net_is_own(a->net, local))
		local = NULL; /* nothing leaves from another one */
	if (t && may_travel(t, plain) && may_move(a, t, peer, &remote->addr) &&
	    kernel_peer_move(a->kernel, t->ifindex, peer, remote, local, plain))
		complain(name, IKE_LOG_WARN, "the kernel does not move the peer: %s",
			 kernel_error(a->kernel));
}

static void env_peer_follow(void *ctx, const char *name, uint32_t peer, bool may)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_of(a, name, peer);

	if (t && kernel_peer_follow(a->kernel, t->ifindex, peer, may))
		complain(name, IKE_LOG_WARN,
			 "the kernel does not take whether it follows the peer: %s",
			 kernel_error(a->kernel));
}

/* So that a peer's address in its own network, which leads into a tunnel here, makes no loop. */
static bool env_is_outside(void *ctx, const char *name, const struct ike_addr *remote)
{
	static const struct ike_addr any;
	struct agent *a = ctx;
	struct tunnel *t = tunnel_of(a, name, IKE_PEER_FIRST);
	struct net_path p;

	if (!t)
		return false;
	net_find_path(a->net, remote, &any, t->conf.fwmark, &p);
	if (p.err || p.own || p.oif == t->ifindex)
		return false;
	if (tunnel_by_index(a, p.oif) && p.oif != t->path.oif)
		return false;
	/* The core will send there. */
	return env_may_reach(a, t, remote) ||
	       (t->conf.mobike && remotes_claim(a->remotes, remote, loop_now()));
}

static void env_state(void *ctx, const char *name, uint32_t peer, enum ike_tunnel_state state)
{
	struct tunnel *t = tunnel_of(ctx, name, peer);

	if (!t || peer != IKE_PEER_FIRST)
		return;
	t->state = state; /* agent_settle() acts on it */
	given_follow_state(t);
	tunnel_dirty(t);
	if (state == IKE_TUNNEL_UP)
		tunnel_well(t, TROUBLE_NAME);
}

static void env_log(void *ctx, enum ike_log_level level, const char *name, const uint8_t *spi_i,
		    const uint8_t *spi_r, const char *text)
{
	if (name && !tunnel_by_name(ctx, name))
		name = NULL; /* invented */
	log_core(level, name, spi_i, spi_r, text, loop_now());
}

/* ---- jobs ------------------------------------------------------------------------------------- */

/* That of @c, for an algorithm that it may sign with. */
static const uint8_t *private_key(const struct config *c, const struct ike_job *job, size_t *len)
{
	const struct sigalg *alg = sigalg_get(job->alg);

	*len = c->n_private;
	return alg && sigalg_allows(alg, 0, c->signatures) ? c->private_key : NULL;
}

/* The same for TLS, which has algorithms of its own. */
static const uint8_t *tls_key(const struct config *c, const struct ike_job *job, size_t *len)
{
	(void)job;
	*len = c->n_private;
	return c->private_key;
}

static const uint8_t *psk(const struct config *c, const struct ike_job *job, size_t *len)
{
	const struct client_key *own = ike_auth_is_user(&c->remote_auth)
					       ? NULL /* they are passwords of users */
					       : client_keys_find(c->keys.v, c->keys.n, job->peer);

	*len = own ? own->len : c->psk_len;
	return own ? own->key : c->psk;
}

/* That of the tunnel, or of its client by the name that it says. */
static const uint8_t *ppk(const struct config *c, const struct ike_job *job, size_t *len)
{
	const struct client_key *own =
		job->auth.len ? client_ppks_find(&c->ppks, job->peer, job->auth.base, job->auth.len)
			      : NULL;

	if (job->auth.len) {
		*len = own ? own->len : 0;
		return own ? own->key : NULL;
	}
	*len = c->ppk ? c->ppk->len : 0;
	return c->ppk ? c->ppk->key : NULL;
}

/* The peer's as a user; none of another kind takes its place. */
static const uint8_t *user(const struct config *c, const struct ike_job *job, size_t *len)
{
	const struct client_key *own = client_keys_find(c->keys.v, c->keys.n, job->peer);

	*len = own ? own->len : 0;
	return own ? own->key : NULL;
}

static const uint8_t *password(const struct config *c, const struct ike_job *job, size_t *len)
{
	(void)job;
	*len = c->password ? c->password->len : 0;
	return c->password ? c->password->key : NULL;
}

/* Which key a job needs; keys of another method than the tunnel's may be there, and serve in no job. */
static const struct job_key {
	bool of_peer; /* it is about the peer's method, else about ours */
	enum ike_method method; /* IKE_METHODS: of any */
	unsigned int eap; /* and this one of EAP */
	const uint8_t *(*find)(const struct config *c, const struct ike_job *job, size_t *len);
} job_keys[IKE_JOB_KINDS] = {
	[IKE_JOB_PSK_SIGN] = { false, IKE_METHOD_PSK, 0, psk },
	[IKE_JOB_PSK_VERIFY] = { true, IKE_METHOD_PSK, 0, psk },
	[IKE_JOB_SIGN] = { false, IKE_METHOD_SIGNATURE, 0, private_key },
	[IKE_JOB_PPK] = { false, IKE_METHODS, 0, ppk },
	[IKE_JOB_TLS] = { false, IKE_METHODS, 1 << EAP_TLS, tls_key },
	[IKE_JOB_MSCHAPV2_VERIFY] = { true, IKE_METHOD_EAP, 1 << EAP_MSCHAPV2, user },
	[IKE_JOB_MSCHAPV2_RESPOND] = { false, IKE_METHOD_EAP, 1 << EAP_MSCHAPV2, password },
	[IKE_JOB_MSCHAPV2_CONFIRM] = { false, IKE_METHOD_EAP, 1 << EAP_MSCHAPV2, password },
	[IKE_JOB_MD5_VERIFY] = { true, IKE_METHOD_EAP, 1 << EAP_MD5, user },
	[IKE_JOB_MD5_RESPOND] = { false, IKE_METHOD_EAP, 1 << EAP_MD5, password },
};

/* An open tunnel of the core's own, and a PRF that this may have agreed on. */
const uint8_t *env_find_key(void *ctx, const struct ike_job *job, unsigned int i, size_t *len)
{
	const struct ike_transform prf = { .type = IKE_T_PRF, .id = job->prf };
	const struct tunnel *t = tunnel_of(ctx, job->tunnels[i], IKE_PEER_FIRST);
	const struct job_key *k = &job_keys[job->kind];

	if (radius_owns_job(job->id)) {
		t = tunnel_by_name(ctx, job->tunnels[i]);
		return t ? radius_secret(t, job, len) : NULL;
	}
	if (!t || !k->find || !ike_proposals_allow(t->conf.ike, &prf, 1) ||
	    (k->method != IKE_METHODS &&
	     !ike_auth_has(k->of_peer ? &t->conf.remote_auth : &t->conf.local_auth, k->method)) ||
	    (k->eap & t->conf.eap_methods) != k->eap)
		return NULL;
	return k->find(&t->conf, job, len);
}

/* Microseconds for a step of TLS, whatever kind of key signs in it. */
static uint64_t tls_cost(const struct tunnel *t, const struct ike_job *job)
{
	const struct sigalg *rsa = sigalg_get(0);

	return job_tls_is_costly(job) ? TLS_STEP + sigalg_sign_cost(rsa, t->conf.n_private) : 0;
}

/* Octets that a PSK signs in the time which the one tunnel's private key needs. */
static uint64_t sign_cost(struct agent *a, const struct ike_job *job)
{
	const struct tunnel *t = tunnel_of(a, job->tunnels[0], IKE_PEER_FIRST);
	const struct sigalg *alg = sigalg_get(job->alg);

	if (t && job->kind == IKE_JOB_TLS)
		return tls_cost(t, job) * JOB_BYTES_PER_MS / 1000;
	return t && alg ? sigalg_sign_cost(alg, t->conf.n_private) * JOB_BYTES_PER_MS / 1000 : 0;
}

/* The time that jobs take is bounded by the octets that all keys together sign. */
static bool admit_job(struct agent *a, const struct ike_job *job)
{
	static const struct rate rate = { JOB_BYTES_AT_ONCE, JOB_BYTES_PER_MS };
	uint64_t cost = JOB_BYTES_LEAST;

	for (unsigned int i = 0; i < IKE_JOB_OCTETS; i++)
		cost += job->octets[i].len;
	if (job->kind == IKE_JOB_SIGN || job->kind == IKE_JOB_TLS)
		cost += sign_cost(a, job);
	return bucket_take(&a->job_bytes, &rate, cost * job->n_tunnels, loop_now());
}

/* agent_take_jobs() hands the result to the core. */
static int env_job_start(void *ctx, const struct ike_job *job)
{
	struct agent *a = ctx;

	if (radius_owns_job(job->id))
		return -EINVAL;
	if (!admit_job(a, job)) {
		complain(NULL, IKE_LOG_WARN, "more has to be signed than there is time for");
		return -EBUSY;
	}
	if (job->kind == IKE_JOB_RADIUS) {
		struct tunnel *t = tunnel_of(a, job->tunnels[0], IKE_PEER_FIRST);

		return t ? backend_begin(t, job) : -ENODEV;
	}
	if (job->kind == IKE_JOB_FETCH) {
		struct tunnel *t = tunnel_of(a, job->tunnels[0], IKE_PEER_FIRST);

		return t ? fetch_begin(t, job) : -ENODEV;
	}
	return key_proc_begin(a->key_proc, job);
}

static void env_keylog(void *ctx, const struct ike_keylog *k)
{
	keytable_add(((struct agent *)ctx)->keys, k);
}

static void env_crl_used(void *ctx, const char *uri)
{
	fetch_keep(ctx, uri);
}

void agent_env(struct agent *a, struct ike_env *env)
{
	*env = (struct ike_env){
		.ctx = a,
		.rng = { .fill = ike_crypto_random },
		.send = env_send,
		.peer_make = env_peer_make,
		.peer_remove = env_peer_remove,
		.lease = env_lease,
		.settings = env_settings,
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
		.crl_used = env_crl_used,
		.keylog = a->keys ? env_keylog : NULL,
	};
}
