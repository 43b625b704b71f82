// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The fake kernel of a node: its SAs, its peers' outer addresses, and the ESP packets that
 * it sends over the network of world.c.
 *
 * ESP is sparse while nothing happens. For a while after each IKE message and each change of
 * SAs it is dense. And around each change there are the packets that suffer most from a wrong
 * order: just before it both ends send one that takes as long as the network allows, just
 * after it the changed end sends one that is as fast as the network allows. Without jitter no
 * ESP packet is overtaken by an IKE message that was sent later.
 */

#include "world_int.h"

#include <errno.h>

#include "ike/child/ts.h"
#include "ike/proto/addr.h"

enum {
	ESP_SPARSE_MS = 1000,
	ESP_DENSE_MIN_MS = 20,
	ESP_DENSE_MAX_MS = 50,
	ESP_WAKE_MS = 1000, /* dense for so long, and twice the slowest packet's way */
};

/* Purposes of hashes. */
enum { HASH_SPI = 1, HASH_KEY_IN, HASH_KEY_OUT, HASH_KEY_SPI, HASH_SA };

/* ---- SAs ----------------------------------------------------------------- */

/* Which link the node's peer with this number is on. */
static unsigned int link_at(const struct node *n, const char *tunnel, uint32_t peer)
{
	if (peer == IKE_PEER_FIRST)
		return link_of(tunnel);
	if (peer >= NODE_CLIENTS || !n->has_peer[peer]) {
		world_fail(n->w, "node %u: %s has no peer %u", n->index, tunnel, peer);
		return link_of(tunnel);
	}
	return n->peer_link[peer];
}

uint32_t client_number(const struct world *w, unsigned int link)
{
	const struct node *hub = &w->node[w->link[link].b];
	uint32_t i;

	for (i = 0; i < NODE_CLIENTS; i++) {
		if (hub->has_peer[i] && hub->peer_link[i] == link)
			return i;
	}
	return 0;
}

static struct ksa *ksa_find(struct node *n, const char *tunnel, bool in, uint32_t spi)
{
	unsigned int i;

	for (i = 0; i < n->n_sa; i++) {
		if (n->sa[i].in == in && n->sa[i].spi == spi && !strcmp(n->sa[i].tunnel, tunnel))
			return &n->sa[i];
	}
	return NULL;
}

static struct ksa *ksa_add(struct node *n, const char *tunnel, uint32_t peer, bool in, uint32_t spi)
{
	struct ksa *s;

	if (n->n_sa == NODE_SAS) {
		world_fail(n->w, "node %u: more than %u kernel SAs", n->index, NODE_SAS);
		return NULL;
	}
	s = &n->sa[n->n_sa++];
	*s = (struct ksa){
		.link = link_at(n, tunnel, peer),
		.peer = peer,
		.in = in,
		.spi = spi,
		.order = ++n->order,
	};
	snprintf(s->tunnel, sizeof(s->tunnel), "%s", tunnel);
	return s;
}

static void ksa_del(struct node *n, struct ksa *s)
{
	if (!s)
		return;
	if (n->w->verbose > 1)
		printf("# %10.3f node %u %s: kernel: %s SA %08x is gone\n",
		       (double)n->w->now / 1000, n->index, s->tunnel,
		       s->larval ? "larval"
		       : s->in	 ? "inbound"
				 : "outbound",
		       s->spi);
	if (s->in && !s->larval)
		n->freed_spi = s->spi;
	*s = n->sa[--n->n_sa];
}

void kernel_drop_larval(struct node *n)
{
	unsigned int i;

	for (i = n->n_sa; i-- > 0;) {
		if (n->sa[i].larval)
			ksa_del(n, &n->sa[i]);
	}
}

unsigned int node_count(const struct node *n, unsigned int link, bool in)
{
	unsigned int i, count = 0;

	for (i = 0; i < n->n_sa; i++)
		count += n->sa[i].in == in && n->sa[i].link == link;
	return count;
}

const struct ksa *node_out(const struct node *n, unsigned int link)
{
	const struct ksa *best = NULL;
	unsigned int i;

	for (i = 0; i < n->n_sa; i++) {
		const struct ksa *s = &n->sa[i];

		if (!s->in && s->link == link && (!best || s->order > best->order))
			best = s;
	}
	return best;
}

/* Inbound packets find their SA by SPI alone. */
static const struct ksa *find_inbound(const struct node *n, uint32_t spi)
{
	unsigned int i;

	for (i = 0; i < n->n_sa; i++) {
		if (n->sa[i].in && !n->sa[i].larval && n->sa[i].spi == spi)
			return &n->sa[i];
	}
	return NULL;
}

/* ---- ESP ----------------------------------------------------------------- */

static struct node *link_peer(const struct node *n, unsigned int link)
{
	const struct sim_link *l = &n->w->link[link];

	return &n->w->node[l->a == n->index ? l->b : l->a];
}

static uint64_t some_esp_delay(struct world *w)
{
	return w->delay_min + rnd_below(&w->esp_rnd, w->esp_jitter + 1);
}

/*
 * Traffic goes nowhere but to where the peer is, or was when it was asked last. The first IKE_AUTH
 * request is believed, wherever an attacker may have sent it on from.
 */
static void check_place(struct node *n, unsigned int link)
{
	const struct node *peer = link_peer(n, link);
	const struct ike_endpoint *to = &n->remote[link];
	unsigned int i;
	char text[64];
	uint16_t port;

	if (n->w->attack || route_packet(n->w, to, &port) == peer ||
	    ike_addr_eq(&to->addr, &peer->nat))
		return;
	for (i = 0; i < NODE_HAD && i < peer->n_had; i++) {
		if (ike_addr_eq(&peer->had[i], &to->addr))
			return;
	}
	world_fail(n->w, "node %u sends ESP to %s, where node %u never was", n->index,
		   ike_endpoint_print(text, sizeof(text), to), peer->index);
}

/* One ESP packet of @n to its peer on @link, on the SA that takes the traffic. */
static void send_esp(struct node *n, unsigned int link, uint64_t delay)
{
	const struct ksa *out = node_out(n, link);
	struct world *w = n->w;
	struct ike_endpoint from;
	struct packet *p;
	unsigned int copies;

	if (!out || !n->reachable)
		return;
	w->link[link].esp_sent++;
	if (rnd_chance(&w->esp_rnd, w->loss))
		return;
	from = outer_endpoint(n, &n->local[link], IKE_NATT_PORT);
	check_place(n, link);
	if (node_is_dark(n, &from.addr))
		return;
	for (copies = 1 + rnd_chance(&w->esp_rnd, w->duplicate); copies; copies--) {
		p = enqueue_packet(w, &from, &n->remote[link], true, 0, delay);
		p->link = link;
		p->sent_at = w->now;
		p->spi = out->spi;
		p->sa = out->id;
		p->owed = w->link[link].watch && direction_works(n, link_peer(n, link), link);
		delay = some_esp_delay(w);
	}
}

static void send_both_ways(struct world *w, unsigned int link, uint64_t delay)
{
	send_esp(&w->node[w->link[link].a], link, delay);
	send_esp(&w->node[w->link[link].b], link, delay);
}

void kernel_wake_traffic(struct world *w, unsigned int link)
{
	struct sim_link *l = &w->link[link];
	uint64_t soon = w->now + ESP_DENSE_MIN_MS;

	l->dense_until = w->now + ESP_WAKE_MS + 2 * (uint64_t)(w->delay_min + w->esp_jitter);
	if (l->esp_at > soon)
		l->esp_at = soon;
}

/* The SAs of @n are about to change. */
static void before_change(struct node *n, unsigned int link)
{
	if (!n->w->traffic)
		return;
	send_both_ways(n->w, link, n->w->delay_min + n->w->esp_jitter);
}

static void after_change(struct node *n, unsigned int link)
{
	if (!n->w->traffic)
		return;
	send_esp(n, link, n->w->delay_min);
	kernel_wake_traffic(n->w, link);
}

uint64_t kernel_next_traffic(const struct world *w)
{
	uint64_t at = UINT64_MAX;
	unsigned int i;

	for (i = 0; w->traffic && i < w->n_links; i++) {
		if (w->link[i].esp_at < at)
			at = w->link[i].esp_at;
	}
	return at;
}

void kernel_send_traffic(struct world *w)
{
	unsigned int i;

	for (i = 0; w->traffic && i < w->n_links; i++) {
		struct sim_link *l = &w->link[i];

		if (l->esp_at > w->now)
			continue;
		l->esp_at = w->now + ESP_SPARSE_MS;
		if (w->now < l->dense_until)
			l->esp_at = w->now + ESP_DENSE_MIN_MS +
				    rnd_below(&w->esp_rnd, ESP_DENSE_MAX_MS - ESP_DENSE_MIN_MS);
		send_esp(&w->node[l->a], i, some_esp_delay(w));
		send_esp(&w->node[l->b], i, some_esp_delay(w));
	}
}

/* Is what happens on the link under watch no fault? */
static bool is_excused(const struct world *w, const struct sim_link *l)
{
	return !l->watch ||
	       (l->may_lose_peer && (w->node[l->a].lost_peers || w->node[l->b].lost_peers));
}

/* No SA of @n takes the packet. */
static void lose_esp(struct node *n, const struct packet *p)
{
	struct world *w = n->w;
	struct sim_link *l = &w->link[p->link];

	l->esp_unknown++;
	if (w->verbose)
		printf("# %10.3f node %u t%u: kernel: ESP on %08x, %llu ms old, finds no SA%s\n",
		       (double)w->now / 1000, n->index, p->link, p->spi,
		       (unsigned long long)(w->now - p->sent_at), p->owed ? "" : " (not owed)");
	if (p->owed && !is_excused(w, l))
		world_fail(w,
			   "link %u: ESP sent %llu ms ago on %08x is lost for want of its "
			   "inbound SA at node %u",
			   p->link, (unsigned long long)(w->now - p->sent_at), p->spi, n->index);
}

static void tell_moved(struct node *n, unsigned int link, const struct ike_endpoint *to)
{
	const struct sim_link *l = &n->w->link[link];

	if (l->of_hub && l->b == n->index)
		ike_core_peer_moved(n->core, n->conf[l->hub].name, client_number(n->w, link), to,
				    n->w->now);
	else
		ike_core_peer_moved(n->core, n->conf[link].name, IKE_PEER_FIRST, to, n->w->now);
}

/* The peer is where its newest packet came from (may-roam). */
static void follow_peer(struct node *n, const struct packet *p)
{
	if (p->seq < n->newest_esp[p->link])
		return;
	n->newest_esp[p->link] = p->seq;
	if (n->stays[p->link] || ike_endpoint_eq(&n->remote[p->link], &p->from))
		return;
	n->remote[p->link] = p->from;
	if (n->core)
		tell_moved(n, p->link, &p->from);
}

void kernel_receive_esp(struct world *w, struct node *n, const struct packet *p)
{
	const struct ksa *s = find_inbound(n, p->spi);

	if (!s || s->id != p->sa || s->link != p->link) {
		lose_esp(n, p);
		return;
	}
	w->link[p->link].esp_arrived++;
	n->last_rx[p->link] = w->now;
	follow_peer(n, p);
}

/* ---- effects ------------------------------------------------------------- */

static int env_spi_alloc(void *ctx, const char *tunnel, uint32_t peer, uint32_t *spi)
{
	struct node *n = ctx;
	struct ksa *s;
	uint64_t id;

	*spi = n->freed_spi;
	n->freed_spi = 0;
	if (!*spi || !rnd_chance(&n->rnd, n->w->reuse)) {
		do {
			*spi = (uint32_t)rnd_next(&n->rnd);
			id = (uint64_t)n->index << 32 | *spi;
		} while (*spi < 256 ||
			 seen_find(&n->w->spis, hash_bytes(&id, sizeof(id), HASH_SPI))->value);
		seen_once(&n->w->spis, hash_bytes(&id, sizeof(id), HASH_SPI), 1);
	}
	s = ksa_add(n, tunnel, peer, true, *spi);
	if (!s)
		return -ENOSPC;
	s->larval = true;
	return 0;
}

/* Both keys of one direction. NULL has none for encryption. */
static uint64_t hash_keys(const struct ike_child *c, bool in, uint64_t h)
{
	if (c->key_len)
		h = hash_bytes(in ? c->key_in : c->key_out, c->key_len, h);
	if (c->integ_len)
		h = hash_bytes(in ? c->integ_in : c->integ_out, c->integ_len, h);
	return h;
}

/* A key may be installed twice only as the two ends of one SA. */
static void check_key(struct node *n, const uint8_t *key, size_t len, uint32_t spi, bool in)
{
	uint64_t at = hash_bytes(key, len, in ? HASH_KEY_IN : HASH_KEY_OUT);

	if (!len) /* NULL has none for encryption, an AEAD none for integrity */
		return;
	if (seen_find(&n->w->keys, at)->value)
		world_fail(n->w, "node %u: key of SPI %08x was used before", n->index, spi);
	seen_once(&n->w->keys, at, spi);
	if (!seen_once(&n->w->keys, hash_bytes(key, len, HASH_KEY_SPI), spi))
		world_fail(n->w, "key of SPI %08x belongs to another SPI", spi);
}

static bool has_transform(const struct ike_proposal *p, uint8_t type, uint16_t id, uint16_t bits)
{
	unsigned int i;
	bool any = false;

	for (i = 0; i < p->n; i++) {
		any |= p->t[i].type == type;
		if (p->t[i].type == type && p->t[i].id == id && p->t[i].key_bits == bits)
			return true;
	}
	return !any && !id; /* a type that is not listed is "none" */
}

/* Are the selectors those of one configured child SA, or a part of them? */
static bool is_configured(const struct ike_tunnel_conf *conf, const struct ike_child *c)
{
	unsigned int i;

	for (i = 0; i < conf->n_child; i++) {
		if (conf->child[i].mode == c->mode &&
		    ike_ts_within(IKE_TS_OFFER(c->local_ts), &conf->child[i].local_ts) &&
		    ike_ts_within(IKE_TS_OFFER(c->remote_ts), &conf->child[i].remote_ts))
			return true;
	}
	return false;
}

/* Whatever the peer says, a pair is within what the configuration allows. */
static void check_policy(struct node *n, const struct ike_child *c)
{
	const struct ike_tunnel_conf *conf = &n->conf[link_of(c->tunnel)];
	unsigned int i;

	if (!is_configured(conf, c))
		world_fail(n->w, "node %u installs selectors beyond its configuration", n->index);
	for (i = 0; i < conf->esp.n; i++) {
		const struct ike_proposal *p = &conf->esp.p[i];

		if (has_transform(p, IKE_T_ENCR, c->cipher.encr, c->cipher.key_bits) &&
		    has_transform(p, IKE_T_INTEG, c->cipher.integ, 0) &&
		    has_transform(p, IKE_T_ESN, c->esn, 0))
			return;
	}
	world_fail(n->w, "node %u installs algorithms beyond its configuration", n->index);
}

/* In transport mode the ends may see other addresses than one another, see check_endpoints(). */
static uint64_t hash_selectors(const struct ike_child *c, bool local, uint64_t h)
{
	struct ike_ts_list l = local ? *c->local_ts : *c->remote_ts;
	unsigned int i;

	for (i = 0; i < l.n && c->mode == IKE_MODE_TRANSPORT; i++) {
		memset(l.ts[i].start, 0, sizeof(l.ts[i].start));
		memset(l.ts[i].end, 0, sizeof(l.ts[i].end));
	}
	return hash_bytes(l.ts, l.n * sizeof(l.ts[0]), h);
}

static bool is_of_address(const struct ike_ts_list *l, const struct ike_addr *a)
{
	unsigned int i;

	for (i = 0; i < l->n; i++) {
		if (l->ts[i].family != a->family ||
		    memcmp(l->ts[i].start, a->b, sizeof(a->b)) != 0 ||
		    memcmp(l->ts[i].end, a->b, sizeof(a->b)) != 0)
			return false;
	}
	return true;
}

/* Transport mode is for packets between the endpoints. */
static void check_endpoints(struct node *n, const struct ike_child *c)
{
	if (c->mode == IKE_MODE_TRANSPORT && (!is_of_address(c->local_ts, &c->local.addr) ||
					      !is_of_address(c->remote_ts, &c->remote.addr)))
		world_fail(n->w, "node %u: selectors in transport mode are not the endpoints",
			   n->index);
	if (!c->nat_oa_local.family && !c->nat_oa_remote.family)
		return;
	if (c->mode != IKE_MODE_TRANSPORT || c->plain)
		world_fail(n->w, "node %u: addresses from before a NAT where there is none",
			   n->index);
	if (!ike_addr_is_host(&c->nat_oa_local) || !ike_addr_is_host(&c->nat_oa_remote) ||
	    c->nat_oa_local.family != c->remote.addr.family ||
	    c->nat_oa_remote.family != c->remote.addr.family)
		world_fail(n->w, "node %u: addresses from before a NAT that no hosts have",
			   n->index);
}

/*
 * With a pool, a client's selectors are of the addresses it holds, and no other one has SAs for them: what
 * was agreed with another one before may still be there, for as long as that lives.
 */
static void check_lease(struct node *n, const struct ike_child *c)
{
	struct ike_addr held[2] = { 0 };
	unsigned int i, k;

	if (!n->conf[link_of(c->tunnel)].pool.on || c->peer == IKE_PEER_FIRST)
		return;
	pool_held(n->pool, c->peer, 4, &held[0]);
	pool_held(n->pool, c->peer, 6, &held[1]);
	for (i = 0; i < c->remote_ts->n; i++) {
		const struct ike_ts *ts = &c->remote_ts->ts[i];
		const struct ike_ts_list one = { .n = 1, .ts = { *ts } };

		if (!is_of_address(&one, &held[ts->family == 6]))
			world_fail(n->w, "node %u: client %u gets selectors beyond its lease",
				   n->index, c->peer);
		for (k = 0; k < n->n_sa; k++) {
			const struct ksa *s = &n->sa[k];

			if (!s->in && !strcmp(s->tunnel, c->tunnel) &&
			    s->link != link_at(n, c->tunnel, c->peer) &&
			    ike_ts_within(IKE_TS_OFFER(&one), &s->remote_ts))
				world_fail(
					n->w,
					"node %u: two clients have one address: SA %08x of link %u, client %u of link %u",
					n->index, s->spi, s->link, c->peer,
					link_at(n, c->tunnel, c->peer));
		}
	}
}

/* What both ends of an SA must agree on. */
static uint64_t sa_id(const struct ike_child *c, bool in)
{
	uint64_t h = hash_keys(c, in, HASH_SA);

	h = hash_bytes(&c->cipher, sizeof(c->cipher), h);
	h = hash_bytes(&c->esn, sizeof(c->esn), h);
	h = hash_bytes(&c->mode, sizeof(c->mode), h);
	h = hash_selectors(c, !in, h);
	return hash_selectors(c, in, h);
}

static void set_remote(struct node *n, unsigned int link, const struct ike_endpoint *remote)
{
	n->remote[link] = *remote;
	if (remote->port == IKE_PORT) /* ESP goes to 4500, wherever IKE began (RFC 3948 3.1) */
		n->remote[link].port = IKE_NATT_PORT;
}

static void show_install(const struct node *n, const struct ike_child *c)
{
	static const char *const parts[] = { "pair", "inbound half", "outbound half" };

	if (n->w->verbose > 1)
		printf("# %10.3f node %u %s: kernel: %s in %08x out %08x\n",
		       (double)n->w->now / 1000, n->index, c->tunnel, parts[c->part], c->spi_in,
		       c->spi_out);
}

static int install_in(struct node *n, const struct ike_child *c, struct ksa *s)
{
	if (!s || !s->larval) {
		world_fail(n->w, "node %u: inbound SPI %08x was not reserved", n->index, c->spi_in);
		return -ENOENT;
	}
	check_key(n, c->key_in, c->key_len, c->spi_in, true);
	check_key(n, c->integ_in, c->integ_len, c->spi_in, true);
	s->larval = false;
	s->id = sa_id(c, true);
	return 0;
}

/* What is sent to one client must not be what is sent to another. */
static void check_rivals(struct node *n, const struct ksa *s)
{
	struct ike_ts_list common;
	unsigned int i;

	for (i = 0; i < n->n_sa; i++) {
		const struct ksa *o = &n->sa[i];

		if (!o->in && o->link != s->link && !strcmp(o->tunnel, s->tunnel) &&
		    ike_ts_narrow(IKE_TS_OFFER(&s->remote_ts), &o->remote_ts, &common))
			world_fail(n->w, "node %u: links %u and %u get the same traffic", n->index,
				   s->link, o->link);
	}
}

static int install_out(struct node *n, const struct ike_child *c)
{
	struct ksa *s = ksa_find(n, c->tunnel, false, c->spi_out);

	if (s)
		world_fail(n->w, "node %u: outbound SPI %08x is in use", n->index, c->spi_out);
	check_key(n, c->key_out, c->key_len, c->spi_out, false);
	check_key(n, c->integ_out, c->integ_len, c->spi_out, false);
	s = ksa_add(n, c->tunnel, c->peer, false, c->spi_out);
	if (!s)
		return -ENOSPC;
	s->id = sa_id(c, false);
	s->remote_ts = *c->remote_ts;
	check_rivals(n, s);
	return 0;
}

static int env_sa_install(void *ctx, const struct ike_child *c)
{
	struct node *n = ctx;
	struct ksa *s = ksa_find(n, c->tunnel, true, c->spi_in);
	int err = 0;

	/* An outbound half alone comes too late to keep what it replaces: traffic would stop. */
	if (n->fail_installs &&
	    (c->part != IKE_CHILD_OUT || !n->w->link[link_at(n, c->tunnel, c->peer)].watch)) {
		n->fail_installs--;
		return -ENOMEM;
	}
	if (c->key_len + c->integ_len == 0 || !c->local_ts->n || !c->remote_ts->n ||
	    !c->remote.addr.family || c->spi_out < 256)
		world_fail(n->w, "node %u: incomplete pair to install", n->index);
	if (n->w->no_installs || n->no_installs)
		world_fail(n->w, "node %u installs an SA with a peer that proved nothing",
			   n->index);
	if (c->part == IKE_CHILD_OUT && (!s || s->larval))
		world_fail(n->w, "node %u: outbound half before inbound one", n->index);
	proof_check(n, c);
	check_policy(n, c);
	check_endpoints(n, c);
	check_lease(n, c);
	n->installs++;
	show_install(n, c);
	before_change(n, link_at(n, c->tunnel, c->peer));
	set_remote(n, link_at(n, c->tunnel, c->peer), &c->remote);
	n->local[link_at(n, c->tunnel, c->peer)] = c->local.addr;
	n->plain[link_at(n, c->tunnel, c->peer)] = c->plain;
	if (c->part != IKE_CHILD_OUT) {
		n->nat_oa_local[link_at(n, c->tunnel, c->peer)] = c->nat_oa_local;
		n->nat_oa_remote[link_at(n, c->tunnel, c->peer)] = c->nat_oa_remote;
		err = install_in(n, c, s);
	}
	if (!err && c->part != IKE_CHILD_IN)
		err = install_out(n, c);
	after_change(n, link_at(n, c->tunnel, c->peer));
	return err;
}

static void env_sa_remove(void *ctx, const char *tunnel, uint32_t peer, uint32_t spi_in,
			  uint32_t spi_out)
{
	struct node *n = ctx;

	before_change(n, link_at(n, tunnel, peer));
	if (spi_in)
		ksa_del(n, ksa_find(n, tunnel, true, spi_in));
	if (spi_out)
		ksa_del(n, ksa_find(n, tunnel, false, spi_out));
	after_change(n, link_at(n, tunnel, peer));
}

static uint64_t env_last_rx(void *ctx, const char *tunnel, uint32_t peer)
{
	struct node *n = ctx;
	uint64_t at = n->last_rx[link_at(n, tunnel, peer)];

	return at == UINT64_MAX ? UINT64_MAX : n->w->now - at;
}

static void env_peer_moved(void *ctx, const char *tunnel, uint32_t peer,
			   const struct ike_addr *local, const struct ike_endpoint *remote,
			   bool plain)
{
	struct node *n = ctx;

	n->plain[link_at(n, tunnel, peer)] = plain;
	if (local)
		n->local[link_at(n, tunnel, peer)] = *local;
	if (!remote->addr.family)
		world_fail(n->w, "node %u: peer moved to nowhere", n->index);
	set_remote(n, link_at(n, tunnel, peer), remote);
}

static void env_peer_follow(void *ctx, const char *tunnel, uint32_t peer, bool may)
{
	struct node *n = ctx;

	n->stays[link_at(n, tunnel, peer)] = !may;
}

/*
 * The link of the client that showed @id, the one at @remote if there are several; else of whoever is
 * there. The hub's own if that is nobody.
 */
static unsigned int find_link(struct node *n, const char *tunnel, const struct ike_endpoint *remote,
			      const struct ike_id *id)
{
	uint16_t port;
	const struct node *there = route_packet(n->w, remote, &port);
	unsigned int i, best = link_of(tunnel), fit, most = 0;

	for (i = 0; i < n->w->n_links; i++) {
		const struct sim_link *l = &n->w->link[i];
		const struct node *client = &n->w->node[l->a];

		if (!l->of_hub || l->hub != link_of(tunnel))
			continue;
		fit = 2 * ike_id_eq(&client->conf[i].local_id, id) + (client == there);
		if (fit > most) {
			most = fit;
			best = i;
		}
	}
	return best;
}

static int env_peer_make(void *ctx, const char *tunnel, uint32_t peer,
			 const struct ike_endpoint *remote, const struct ike_id *id)
{
	struct node *n = ctx;
	unsigned int link = find_link(n, tunnel, remote, id);

	if (n->fail_peers) {
		n->fail_peers--;
		return -ENOMEM;
	}
	if (peer <= IKE_PEER_FIRST || peer >= NODE_CLIENTS) {
		world_fail(n->w, "node %u: peer %u is made, which cannot be", n->index, peer);
		return -EEXIST;
	}
	if (!n->keeps_no_ids)
		n->peer_id[peer] = *id;
	n->stays[link] = false;
	if (n->has_peer[peer] && n->peer_link[peer] == link)
		return 0;
	n->n_peers += !n->has_peer[peer];
	n->has_peer[peer] = true;
	n->peer_link[peer] = link;
	n->remote[link] = *remote;
	n->last_rx[link] = UINT64_MAX;
	return 0;
}

static void env_peer_remove(void *ctx, const char *tunnel, uint32_t peer)
{
	struct node *n = ctx;
	unsigned int i;

	for (i = 0; i < n->n_sa; i++) {
		if (n->sa[i].peer == peer && !strcmp(n->sa[i].tunnel, tunnel))
			world_fail(n->w, "node %u: peer %u goes before its SAs", n->index, peer);
	}
	if (peer >= NODE_CLIENTS || !n->has_peer[peer])
		return;
	n->has_peer[peer] = false;
	n->n_peers--;
	if (n->pool)
		pool_release(n->pool, peer);
}

static int env_lease(void *ctx, const char *tunnel, uint32_t peer, const struct ike_id *id,
		     uint8_t family, const struct ike_addr *wanted, struct ike_addr *out)
{
	struct node *n = ctx;

	if (peer >= NODE_CLIENTS || !n->has_peer[peer])
		world_fail(n->w, "node %u: a lease for client %u of %s, which is none", n->index,
			   peer, tunnel);
	return n->pool ? pool_take(n->pool, peer, id, family, wanted, out) : -EAFNOSUPPORT;
}

static int env_settings(void *ctx, const char *tunnel, const struct ike_cp *cp)
{
	struct node *n = ctx;

	if (!n->conf[link_of(tunnel)].asks_address ||
	    (!cp->address[0].family && !cp->address[1].family))
		world_fail(n->w, "node %u is given what it did not ask for", n->index);
	if (n->refuses_settings)
		return -EADDRNOTAVAIL;
	n->settings[link_of(tunnel)] = *cp;
	return 0;
}

static bool env_is_outside(void *ctx, const char *tunnel, const struct ike_addr *remote)
{
	const struct node *n = ctx;

	(void)tunnel;
	return !ike_addr_eq(remote, &n->inside);
}

void kernel_env(struct ike_env *env)
{
	env->peer_make = env_peer_make;
	env->peer_remove = env_peer_remove;
	env->lease = env_lease;
	env->settings = env_settings;
	env->spi_alloc = env_spi_alloc;
	env->sa_install = env_sa_install;
	env->sa_remove = env_sa_remove;
	env->last_rx = env_last_rx;
	env->peer_moved = env_peer_moved;
	env->peer_follow = env_peer_follow;
	env->is_outside = env_is_outside;
}

/* ---- both ends ----------------------------------------------------------- */

bool direction_works(const struct node *from, const struct node *to, unsigned int link)
{
	const struct ksa *out = node_out(from, link), *in;

	if (!out || !from->reachable || !to->reachable)
		return false;
	in = find_inbound(to, out->spi);
	return in && in->id == out->id && in->link == link;
}

void kernel_check_links(struct world *w)
{
	unsigned int i, dir;

	for (i = 0; i < w->n_links; i++) {
		struct sim_link *l = &w->link[i];
		struct node *end[2] = { &w->node[l->a], &w->node[l->b] };

		for (dir = 0; dir < 2; dir++) {
			bool works = direction_works(end[dir], end[!dir], i);

			if (l->works[dir] && !works && !is_excused(w, l))
				world_fail(w, "link %u: node %u's traffic no longer arrives", i,
					   end[dir]->index);
			l->works[dir] = works;
		}
	}
}

static bool set_matches(const struct node *a, const struct node *b, unsigned int link, char *why,
			size_t size)
{
	unsigned int i;

	for (i = 0; i < a->n_sa; i++) {
		const struct ksa *s = &a->sa[i], *o;

		if (s->link != link || s->in)
			continue;
		o = find_inbound(b, s->spi);
		if (o && o->id == s->id && o->link == link)
			continue;
		snprintf(why, size, "node %u's outbound %08x has no counterpart at node %u",
			 a->index, s->spi, b->index);
		return false;
	}
	return true;
}

bool encap_leads(const struct node *from, const struct node *to, unsigned int link)
{
	return !from->plain[link] || (!from->nat.family && !to->nat.family && to->plain[link]);
}

static bool encap_is_right(const struct node *a, const struct node *b, unsigned int link, char *why,
			   size_t size)
{
	if (encap_leads(a, b, link))
		return true;
	snprintf(why, size, "node %u's ESP has no UDP around it, which node %u does not get",
		 a->index, b->index);
	return false;
}

bool esp_leads(const struct node *from, const struct node *to, unsigned int link)
{
	uint16_t port;

	return route_packet(from->w, &from->remote[link], &port) == to && port == IKE_NATT_PORT;
}

/* Does @a's kernel know where @b is? */
static bool remote_is_right(const struct node *a, const struct node *b, unsigned int link,
			    char *why, size_t size)
{
	char text[64];

	if (esp_leads(a, b, link))
		return true;
	snprintf(why, size, "node %u's kernel believes node %u to be at %s", a->index, b->index,
		 ike_endpoint_print(text, sizeof(text), &a->remote[link]));
	return false;
}

/* Reservations do not count where attempts go on for ever. */
static unsigned int mature(const struct node *n, unsigned int link)
{
	unsigned int i, count = 0;

	for (i = 0; i < n->n_sa; i++)
		count += n->sa[i].in && !n->sa[i].larval && n->sa[i].link == link;
	return count;
}

bool link_at_rest(const struct world *w, unsigned int link, unsigned int pairs, char *why,
		  size_t size)
{
	const struct node *a = &w->node[w->link[link].a], *b = &w->node[w->link[link].b];

	unsigned int in_a = pairs ? node_count(a, link, true) : mature(a, link);
	unsigned int in_b = pairs ? node_count(b, link, true) : mature(b, link);

	if (in_a != pairs || node_count(a, link, false) != pairs || in_b != pairs ||
	    node_count(b, link, false) != pairs) {
		snprintf(why, size,
			 "link %u: %u/%u SAs at node %u, %u/%u at node %u, wanted %u of each", link,
			 node_count(a, link, true), node_count(a, link, false), a->index,
			 node_count(b, link, true), node_count(b, link, false), b->index, pairs);
		return false;
	}
	if (!set_matches(a, b, link, why, size) || !set_matches(b, a, link, why, size))
		return false;
	return !pairs ||
	       (remote_is_right(a, b, link, why, size) && remote_is_right(b, a, link, why, size) &&
		encap_is_right(a, b, link, why, size) && encap_is_right(b, a, link, why, size));
}
