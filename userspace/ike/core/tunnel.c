// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tunnel and its peers as objects: its configuration as it is kept, which all peers of the tunnel
 * share, and their making and freeing. core.c makes the tunnel with its first peer, client.c the
 * others. The tunnel goes with the last of them.
 */
#include "ike/core/layer_ikesa.h"

#include <errno.h>
#include <stdlib.h>

#include "ike/pki/trust_share.h"

/* ---- the configuration ------------------------------------------------------- */

static bool children_sane(const struct ike_tunnel_conf *c)
{
	unsigned int i;

	for (i = 0; i < c->n_child && i < IKE_MAX_CHILD; i++) {
		const struct ike_child_conf *k = &c->child[i];

		if (!memchr(k->name, 0, sizeof(k->name)) || !k->local_ts.n ||
		    k->local_ts.n > IKE_MAX_TS || !k->remote_ts.n || k->remote_ts.n > IKE_MAX_TS)
			return false;
		if (k->mode == IKE_MODE_TRANSPORT &&
		    (c->mobike || !ike_ts_of_any_address(&k->local_ts) ||
		     !ike_ts_of_any_address(&k->remote_ts)))
			return false;
	}
	return c->n_child && c->n_child <= IKE_MAX_CHILD;
}

static enum ike_key_kind find_own_kind(const struct ike_tunnel_conf *c)
{
	struct ike_iov key;
	char why[128];

	return ike_cred_find(&c->creds, IKE_CRED_OWN_KEY, &key)
		       ? ike_key_kind(key.base, key.len, why, sizeof(why))
		       : IKE_KEY_NONE;
}

static bool proposals_sane(const struct ike_proposals *l)
{
	unsigned int i;

	for (i = 0; i < l->n && i < IKE_MAX_PROPOSALS; i++) {
		if (l->p[i].n > IKE_MAX_TRANSFORMS)
			return false;
	}
	return l->n && l->n <= IKE_MAX_PROPOSALS;
}

/* A user answers one server alone: of a CA's certificates, that with one name. */
static bool knows_server(const struct ike_tunnel_conf *c)
{
	struct ike_iov ca;

	return c->remote_auth.method == IKE_METHOD_SIGNATURE &&
	       (!ike_cred_find(&c->creds, IKE_CRED_CA, &ca) ||
		(c->remote_id.type && !ike_id_is_wildcard(&c->remote_id)));
}

/* Who proves itself by EAP alone does so to a user, and by a method that proves both ends. */
static bool alone_is_sane(const struct ike_tunnel_conf *c)
{
	struct ike_iov name;

	if (!c->local_auth.eap_only && !c->remote_auth.eap_only)
		return true;
	if (!eap_proving_both(c->eap_methods) || c->local_auth.then_user ||
	    c->remote_auth.then_user || ike_cred_find(&c->creds, IKE_CRED_EAP_SERVER, &name))
		return false;
	return c->local_auth.eap_only ? c->remote_auth.method == IKE_METHOD_EAP
				      : c->local_auth.method == IKE_METHOD_EAP;
}

/* EAP is for one end, and the other one has proven itself by a signature before it begins, or does so by EAP, too. */
static bool eap_is_sane(const struct ike_tunnel_conf *c)
{
	bool ours = ike_auth_is_user(&c->local_auth), theirs = ike_auth_is_user(&c->remote_auth);
	struct ike_iov name;

	if (c->eap_methods >> EAP_METHODS || !c->eap_methods == (ours || theirs) ||
	    (ours && theirs) || !alone_is_sane(c))
		return false;
	if (ours)
		return knows_server(c) && c->clients <= 1 &&
		       ike_cred_find(&c->creds, IKE_CRED_EAP_NAME, &name) &&
		       name.len <= EAP_MAX_NAME;
	return !theirs || c->local_auth.method == IKE_METHOD_SIGNATURE;
}

/* Each method has what it needs, but for secrets, which the core has not. */
static bool methods_sane(const struct ike_tunnel_conf *c)
{
	struct ike_iov key;

	return ike_auth_is_sane(&c->local_auth) && ike_auth_is_sane(&c->remote_auth) &&
	       c->revocation <= PKI_REVOCATION_OFF && ike_creds_are_sane(&c->creds) &&
	       eap_is_sane(c) &&
	       (c->local_auth.method != IKE_METHOD_SIGNATURE || find_own_kind(c) != IKE_KEY_NONE) &&
	       (c->remote_auth.method != IKE_METHOD_SIGNATURE ||
		ike_cred_find(&c->creds, IKE_CRED_PEER_KEY, &key) ||
		ike_cred_find(&c->creds, IKE_CRED_CA, &key));
}

static bool pool_is_sane(const struct ike_tunnel_conf *c)
{
	unsigned int i;

	for (i = 0; c->pool.on && i < c->n_child; i++) {
		if (c->child[i].mode == IKE_MODE_TRANSPORT)
			return false;
	}
	return !c->pool.on || (c->clients > 1 && c->pool.n_servers <= IKE_CP_SERVERS &&
			       c->pool.n_routes <= IKE_CP_SUBNETS &&
			       memchr(c->pool.domains, 0, sizeof(c->pool.domains)));
}

/* Of two rounds the PPK is named in the first one, and which client the peer is the last one says. */
static bool ppk_is_sane(const struct ike_tunnel_conf *c)
{
	const struct ike_ppk_conf *ppk = &c->ppk;
	bool any = ppk->id_len || ppk->of_clients;

	return ppk->id_len <= IKE_MAX_PPK_ID && !(ppk->id_len && ppk->of_clients) &&
	       (any || !ppk->required) && (c->clients > 1 || !ppk->of_clients) &&
	       !(ppk->of_clients && c->remote_auth.then_user);
}

bool tunnel_conf_is_sane(const struct ike_tunnel_conf *c)
{
	return c->name[0] && memchr(c->name, 0, sizeof(c->name)) && proposals_sane(&c->ike) &&
	       proposals_sane(&c->esp) && c->local_id.len <= IKE_MAX_ID &&
	       c->remote_id.len <= IKE_MAX_ID && c->first_id.len <= IKE_MAX_ID &&
	       children_sane(c) && methods_sane(c) &&
	       (c->clients <= 1 || (c->clients <= IKE_MAX_CLIENTS && !c->remote.addr.family)) &&
	       ppk_is_sane(c) && pool_is_sane(c) && (!c->asks_address || c->clients <= 1);
}

/* As they are offered: with numbers, and without SPIs. */
static const struct ike_proposals *number_proposals(const struct ike_proposals *from,
						    uint8_t protocol)
{
	struct ike_proposals l = *from;
	unsigned int i;

	for (i = 0; i < l.n; i++) {
		l.p[i].num = (uint8_t)(i + 1);
		l.p[i].protocol = protocol;
		l.p[i].spi_len = 0;
	}
	return ike_proposals_get(&l);
}

static size_t count_selectors(const struct ike_tunnel_conf *c)
{
	unsigned int i;
	size_t n = 0;

	for (i = 0; i < c->n_child; i++)
		n += c->child[i].local_ts.n + c->child[i].remote_ts.n;
	return n;
}

/* A copy of @size bytes in *@to; true also if there is nothing to copy. */
static bool keep_copy(const void **to, bool have, const void *from, size_t size)
{
	void *copy = have ? malloc(size) : NULL;

	if (copy)
		memcpy(copy, from, size);
	*to = copy;
	return copy || !have;
}

/* Keeps the selectors at @ts. Returns what comes behind them. */
static struct ike_ts *keep_child(struct child_conf *to, const struct ike_child_conf *from,
				 struct ike_ts *ts)
{
	memcpy(to->name, from->name, sizeof(to->name));
	to->start = from->start;
	to->mode = from->mode;
	to->n_local = (uint16_t)from->local_ts.n;
	to->n_remote = (uint16_t)from->remote_ts.n;
	to->ts = ts;
	memcpy(ts, from->local_ts.ts, to->n_local * sizeof(*ts));
	memcpy(ts + to->n_local, from->remote_ts.ts, to->n_remote * sizeof(*ts));
	return ts + to->n_local + to->n_remote;
}

/* The CAs that the peer's certificate may be of, and CRLs; without any CA there is no trust. */
static bool make_trust(struct tunnel_conf *c)
{
	unsigned int n, n_crls;
	struct ike_iov *cas = ike_cred_collect(&c->creds, IKE_CRED_CA, &n);
	struct ike_iov *crls = ike_cred_collect(&c->creds, IKE_CRED_CRL, &n_crls);
	bool made = cas && crls;
	char why[PKI_MAX_TEXT];

	if (made && n) {
		c->trust = pki_trust_get(cas, n, crls, n_crls, why, sizeof(why));
		made = c->trust;
	}
	free(cas);
	free(crls);
	return made;
}

const struct tunnel_conf *tunnel_keep_conf(const struct ike_tunnel_conf *conf)
{
	size_t size = sizeof(struct tunnel_conf) + conf->n_child * sizeof(struct child_conf);
	size_t selectors = count_selectors(conf) * sizeof(struct ike_ts);
	struct tunnel_conf *c = malloc(size + selectors + conf->creds.len);
	struct ike_ts *ts;
	unsigned int i;

	if (!c)
		return NULL;
	*c = (struct tunnel_conf){
		.local_id = conf->local_id,
		.remote_id = conf->remote_id,
		.local_auth = conf->local_auth,
		.remote_auth = conf->remote_auth,
		.signatures = conf->signatures,
		.revocation = conf->revocation,
		.fetch = conf->fetch,
		.eap_methods = conf->eap_methods,
		.own_key = find_own_kind(conf),
		.clients = conf->clients,
		.unique = conf->unique,
		.asks_address = conf->asks_address,
		.local = conf->local,
		.remote = conf->remote,
		.ike = number_proposals(&conf->ike, IKE_PROTO_IKE),
		.esp = number_proposals(&conf->esp, IKE_PROTO_ESP),
		.liveness = conf->liveness,
		.mobike = conf->mobike,
		.encap = conf->encap,
		.reauth = conf->reauth,
		.rekey_ike = conf->rekey_ike,
		.rekey_child = conf->rekey_child,
		.rekey_bytes = conf->rekey_bytes,
		.rekey_packets = conf->rekey_packets,
		.n_child = conf->n_child,
	};
	memcpy(c->name, conf->name, sizeof(c->name));
	if (!c->local.port)
		c->local.port = IKE_NATT_PORT;
	ts = (struct ike_ts *)(c->child + c->n_child);
	for (i = 0; i < c->n_child; i++)
		ts = keep_child(&c->child[i], &conf->child[i], ts);
	c->creds = (struct ike_creds){ (const uint8_t *)ts, conf->creds.len };
	if (conf->creds.len)
		memcpy(ts, conf->creds.data, conf->creds.len);
	if (c->ike && c->esp && make_trust(c) &&
	    keep_copy((const void **)&c->pool, conf->pool.on, &conf->pool, sizeof(*c->pool)) &&
	    keep_copy((const void **)&c->ppk, conf->ppk.id_len || conf->ppk.of_clients, &conf->ppk,
		      sizeof(*c->ppk)) &&
	    keep_copy((const void **)&c->first_id, conf->remote_auth.then_user, &conf->first_id,
		      sizeof(*c->first_id)))
		return c;
	tunnel_free_conf(c);
	return NULL;
}

void tunnel_free_conf(const struct tunnel_conf *c)
{
	if (!c)
		return;
	ike_proposals_put(c->ike);
	ike_proposals_put(c->esp);
	pki_trust_put(c->trust);
	free((void *)c->pool);
	free((void *)c->ppk);
	free((void *)c->first_id);
	free((void *)c);
}

void tunnel_selectors(const struct tunnel_conf *c, unsigned int i, struct ike_ts_list *local,
		      struct ike_ts_list *remote)
{
	const struct child_conf *k = &c->child[i];

	local->n = k->n_local;
	memcpy(local->ts, k->ts, k->n_local * sizeof(k->ts[0]));
	remote->n = k->n_remote;
	memcpy(remote->ts, k->ts + k->n_local, k->n_remote * sizeof(k->ts[0]));
}

/* ---- objects ----------------------------------------------------------------- */

/* One member less; the tunnel is wiped and freed with the last. */
static void put_tunnel(struct ike_tunnel *t)
{
	if (--t->members)
		return;
	tunnel_free_conf(t->conf);
	free(t->ours);
	free(t);
}

struct ike_peer *tunnel_new_peer(struct ike_core *core, struct ike_tunnel *t)
{
	struct ike_peer *p = calloc(1, sizeof(*p));
	unsigned int i;

	if (!p)
		return NULL;
	p->want = calloc(t->conf->n_child, sizeof(*p->want));
	if (!p->want || timers_reserve(&core->peer_timers)) {
		free(p->want);
		free(p);
		return NULL;
	}
	p->tunnel = t;
	p->conf = t->conf;
	t->members++;
	p->listed = GROUP_LISTS;
	p->adopted_end = p->adopted_until = p->follow.until = TIMER_NEVER;
	for (i = 0; i < t->conf->n_child; i++)
		p->want[i].next_try = TIMER_NEVER;
	TAILQ_INIT(&p->sas);
	TAILQ_INIT(&p->closed);
	TAILQ_INIT(&p->lingering);
	LIST_INIT(&p->adopted_claims);
	return p;
}

void tunnel_free_peer(struct ike_core *core, struct ike_peer *p)
{
	struct ike_tunnel *t = p->tunnel;

	claim_disown(p);
	timers_unreserve(&core->peer_timers, &p->timer);
	free(p->want);
	free(p->adopted);
	free(p->last_error);
	ike_wipe(p, sizeof(*p));
	free(p);
	put_tunnel(t);
}

static int grow_wants(struct ike_peer *p, unsigned int n)
{
	struct child_want *want;

	if (n <= p->conf->n_child)
		return 0;
	want = realloc(p->want, n * sizeof(*want));
	if (!want)
		return -ENOMEM;
	p->want = want;
	return 0;
}

int tunnel_grow_wants(struct ike_tunnel *t, unsigned int n)
{
	struct ike_peer *p;

	if (grow_wants(t->first, n))
		return -ENOMEM;
	TAILQ_FOREACH(p, &t->clients, of_tunnel)
	{
		if (grow_wants(p, n))
			return -ENOMEM;
	}
	return 0;
}

struct ike_peer *tunnel_new(struct ike_core *core, const struct ike_tunnel_conf *conf)
{
	struct ike_tunnel *t = calloc(1, sizeof(*t));
	struct ike_peer *p = NULL;

	if (!t)
		return NULL;
	TAILQ_INIT(&t->clients);
	t->last_id = IKE_PEER_FIRST;
	t->conf = tunnel_keep_conf(conf);
	t->members = 1; /* us */
	if (t->conf)
		p = tunnel_new_peer(core, t);
	t->first = p;
	put_tunnel(t);
	return p;
}
