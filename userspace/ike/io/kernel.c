// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ike/io/algos.h"
#include "ike/io/kernel.h"
#include "ike/proto/id.h"
#include "ike/child/ts.h"

/* Without ESN, ask for a new pair well before 2^32 packets (RFC 4303 3.3.3). */
#define SOFT_PACKETS_32 0xc0000000ULL

struct kernel {
	struct esptun *h;
	struct kernel_events events;
	struct event *on_events, *on_ike;
	struct algos algos;
	char error[512]; /* ours, if not libesptun's */
};

static void addr_to_ike(struct ike_addr *to, const struct esptun_addr *from)
{
	memset(to, 0, sizeof(*to));
	to->family = from->family == AF_INET ? 4 : from->family == AF_INET6 ? 6 : 0;
	memcpy(to->b, from->bytes, esptun_addr_len(from));
}

static void addr_from_ike(struct esptun_addr *to, const struct ike_addr *from)
{
	memset(to, 0, sizeof(*to));
	to->family = from->family == 4 ? AF_INET : from->family == 6 ? AF_INET6 : AF_UNSPEC;
	memcpy(to->bytes, from->b, esptun_addr_len(to));
}

static void endpoint_to_ike(struct ike_endpoint *to, const struct esptun_endpoint *from)
{
	addr_to_ike(&to->addr, &from->addr);
	to->port = from->port;
}

static void addr_to_selector(struct ike_ts *to, const struct esptun_addr *from, uint8_t protocol,
			     uint16_t port)
{
	struct ike_addr a;

	addr_to_ike(&a, from);
	*to = (struct ike_ts){
		.family = a.family, .protocol = protocol, .port_start = port, .port_end = port
	};
	memcpy(to->start, a.b, sizeof(to->start));
	memcpy(to->end, a.b, sizeof(to->end));
}

static void flow_to_ike(struct ike_flow *to, const struct esptun_flow *from)
{
	addr_to_selector(&to->local, &from->source, from->protocol, from->source_port);
	addr_to_selector(&to->remote, &from->destination, from->protocol, from->destination_port);
}

/* ---- events ---------------------------------------------------------------------- */

static void on_datagram(struct kernel *k, const struct esptun_ike *ike)
{
	struct ike_datagram d = { .data = ike->data, .len = ike->len };

	endpoint_to_ike(&d.local, &ike->local);
	endpoint_to_ike(&d.remote, &ike->remote);
	k->events.datagram(k->events.ctx, &d);
}

static void on_event(const struct esptun_event *ev, void *arg)
{
	struct kernel *k = arg;
	const struct kernel_events *to = &k->events;
	struct ike_endpoint remote;
	struct ike_flow flow;

	switch (ev->type) {
	case ESPTUN_EVENT_IKE: on_datagram(k, &ev->u.ike); break;
	case ESPTUN_EVENT_ACQUIRE:
		/* Another SA carries what the CPU sends, and SAs of CPUs are not negotiated. */
		if (ev->u.acquire.has_cpu)
			break;
		flow_to_ike(&flow, &ev->u.acquire);
		to->acquire(to->ctx, ev->ifindex, &flow);
		break;
	case ESPTUN_EVENT_EXPIRE:
		to->expire(to->ctx, ev->ifindex, ev->u.expire.peer, ev->u.expire.spi,
			   ev->u.expire.dir == ESPTUN_SA_DIR_IN,
			   ev->u.expire.reason != ESPTUN_EXPIRE_REASON_SOFT);
		break;
	case ESPTUN_EVENT_PEER_MOVED:
		endpoint_to_ike(&remote, &ev->u.peer.remote);
		to->peer_moved(to->ctx, ev->ifindex, ev->u.peer.id, &remote);
		break;
	case ESPTUN_EVENT_PEER_DEL: to->peer_gone(to->ctx, ev->ifindex, ev->u.peer.id); break;
	case ESPTUN_EVENT_SA_DEL:
		to->sa_gone(to->ctx, ev->ifindex, ev->u.sa.peer, ev->u.sa.spi,
			    ev->u.sa.dir == ESPTUN_SA_DIR_IN);
		break;
	case ESPTUN_EVENT_OVERRUN: to->overrun(to->ctx); break;
	default: break;
	}
}

static void on_events_readable(evutil_socket_t fd, short what, void *arg)
{
	struct kernel *k = arg;

	(void)fd;
	(void)what;
	esptun_events_read(k->h, on_event, k);
}

static void on_ike_readable(evutil_socket_t fd, short what, void *arg)
{
	struct kernel *k = arg;

	(void)fd;
	(void)what;
	esptun_ike_read(k->h, on_event, k);
}

static struct event *watch(struct event_base *base, int fd, event_callback_fn fn, struct kernel *k)
{
	struct event *ev = event_new(base, fd, EV_READ | EV_PERSIST, fn, k);

	if (ev && event_add(ev, NULL)) {
		event_free(ev);
		ev = NULL;
	}
	return ev;
}

struct kernel *kernel_open(struct event_base *base, const struct kernel_events *events, char *err,
			   size_t err_size)
{
	struct kernel *k = calloc(1, sizeof(*k));
	int fd, ike_fd;

	snprintf(err, err_size, "out of memory");
	if (!k)
		return NULL;
	k->events = *events;
	k->h = esptun_open();
	if (!k->h) {
		snprintf(err, err_size, "cannot open a netlink socket: %s", strerror(errno));
		goto fail;
	}
	fd = esptun_events_open(k->h);
	ike_fd = fd < 0 ? fd : esptun_ike_open(k->h);
	if (ike_fd == -EBUSY)
		snprintf(
			err, err_size,
			"another esptund runs in this network namespace and holds the IKE channel: stop it first");
	else if (ike_fd == -EPERM)
		snprintf(err, err_size,
			 "esptund needs root rights (CAP_NET_ADMIN): run it as root");
	else if (ike_fd < 0)
		snprintf(err, err_size, "%s", esptun_error(k->h));
	if (ike_fd < 0)
		goto fail;
	if (algos_read(&k->algos, k->h)) {
		snprintf(err, err_size, "cannot ask the kernel module which algorithms it has: %s",
			 esptun_error(k->h));
		goto fail;
	}
	k->on_events = watch(base, fd, on_events_readable, k);
	k->on_ike = watch(base, ike_fd, on_ike_readable, k);
	if (k->on_events && k->on_ike)
		return k;
fail:
	kernel_close(k);
	return NULL;
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	if (k->on_events)
		event_free(k->on_events);
	if (k->on_ike)
		event_free(k->on_ike);
	esptun_close(k->h);
	algos_free(&k->algos);
	free(k);
}

const char *kernel_error(const struct kernel *k)
{
	return *k->error ? k->error : esptun_error(k->h);
}

struct esptun *kernel_handle(struct kernel *k)
{
	return k->h;
}

static int fail(struct kernel *k, int err, const char *text)
{
	snprintf(k->error, sizeof(k->error), "%s", text);
	return err;
}

/* ---- peers ----------------------------------------------------------------------- */

static void set_remote(struct esptun_peer *p, const struct ike_endpoint *remote)
{
	if (!remote->addr.family)
		return;
	p->has |= ESPTUN_PEER_HAS_REMOTE | ESPTUN_PEER_HAS_PORT;
	addr_from_ike(&p->remote.addr, &remote->addr);
	/* ESP goes to 4500, wherever IKE began (RFC 3948 3.1). */
	p->remote.port = remote->port == IKE_PORT ? IKE_NATT_PORT : remote->port;
}

/*
 * What the kernel keeps with a peer: the identity's text for people, as much as fits, a NUL; its type,
 * length (two octets) and octets as in an ID payload; then the terms, if they are known, and behind them
 * when the peer's time is over, if it is some day.
 */
enum { IDENTITY_TEXT = 64, IDENTITY_HEAD = 3, IDENTITY_ENDS = 8 };
_Static_assert(IDENTITY_TEXT + IDENTITY_HEAD + IKE_MAX_ID + KERNEL_TERMS + IDENTITY_ENDS <=
		       ESPTUN_PEER_IDENTITY_MAX,
	       "the kernel keeps every identity");

static void set_identity(struct esptun_peer *p, const struct kernel_peer_conf *conf)
{
	const struct ike_id *id = conf->id;
	const uint64_t ends = htobe64(conf->ends);
	char text[IDENTITY_TEXT] = "";
	uint8_t *at = p->identity;

	if (id->type)
		ike_id_print(text, sizeof(text), id);
	at = mempcpy(at, text, strlen(text) + 1);
	*at++ = id->type;
	*at++ = (uint8_t)(id->len >> 8);
	*at++ = (uint8_t)id->len;
	at = mempcpy(at, id->data, id->len);
	if (conf->terms)
		at = mempcpy(at, conf->terms, KERNEL_TERMS);
	if (conf->terms && conf->ends)
		at = mempcpy(at, &ends, IDENTITY_ENDS);
	p->identity_len = (size_t)(at - p->identity);
}

/* Type 0 if it has none, or one that is not of this form. Returns the terms, NULL without; *@ends as in kernel_peer_ends(). */
static const uint8_t *get_kept(struct ike_id *id, uint64_t *ends, const struct esptun_peer *p)
{
	const uint8_t *end = p->identity + p->identity_len;
	const uint8_t *nul = memchr(p->identity, 0, p->identity_len), *at = nul ? nul + 1 : end;
	size_t len, rest;

	memset(id, 0, sizeof(*id));
	*ends = 0;
	if (end - at < IDENTITY_HEAD)
		return NULL;
	len = (size_t)at[1] << 8 | at[2];
	rest = (size_t)(end - at) - IDENTITY_HEAD;
	if (len > sizeof(id->data) || (rest != len && rest != len + KERNEL_TERMS &&
				       rest != len + KERNEL_TERMS + IDENTITY_ENDS))
		return NULL;
	id->type = at[0];
	id->len = (uint16_t)len;
	memcpy(id->data, at + IDENTITY_HEAD, len);
	at += IDENTITY_HEAD + len;
	if (rest == len + KERNEL_TERMS + IDENTITY_ENDS) {
		memcpy(ends, at + KERNEL_TERMS, IDENTITY_ENDS);
		*ends = be64toh(*ends);
	}
	return rest == len ? NULL : at;
}

/* A module that is older than this program keeps no identity, and is not asked to. */
static int write_peer(struct kernel *k, struct esptun_peer *p,
		      int (*write)(struct esptun *h, const struct esptun_peer *peer))
{
	int err = write(k->h, p);

	if (err != -EINVAL || !p->identity_len)
		return err;
	p->identity_len = 0;
	return write(k->h, p);
}

int kernel_peer_make(struct kernel *k, uint32_t ifindex, uint32_t id,
		     const struct kernel_peer_conf *conf)
{
	struct esptun_peer p = {
		.has = ESPTUN_PEER_HAS_KEEPALIVE | (conf->follow ? ESPTUN_PEER_HAS_MAY_ROAM : 0) |
		       (conf->on_demand ? ESPTUN_PEER_HAS_ON_DEMAND : 0),
		.ifindex = ifindex,
		.id = id,
		.keepalive = conf->keepalive,
		.may_roam = true,
		.on_demand = conf->on_demand,
	};
	struct esptun_peer old;
	int err;

	k->error[0] = 0;
	if (conf->id)
		set_identity(&p, conf);
	err = esptun_peer_get(k->h, ifindex, id, &old);
	/* A module that is older than this program and was never asked for it does without. */
	if (!err)
		p.has |= old.has & ESPTUN_PEER_HAS_ON_DEMAND;
	if (!err)
		return write_peer(k, &p, esptun_peer_set);
	if (err != -ENOENT)
		return err;
	p.has |= ESPTUN_PEER_HAS_MAY_ROAM;
	set_remote(&p, &conf->remote);
	return write_peer(k, &p, esptun_peer_add);
}

bool kernel_peer_exists(struct kernel *k, uint32_t ifindex, uint32_t id)
{
	struct esptun_peer p;

	k->error[0] = 0;
	return !esptun_peer_get(k->h, ifindex, id, &p);
}

int kernel_peer_remove(struct kernel *k, uint32_t ifindex, uint32_t id)
{
	int err;

	k->error[0] = 0;
	err = esptun_sa_flush(k->h, ifindex, id);
	if (!err)
		err = esptun_peer_del(k->h, ifindex, id);
	return err == -ENOENT || err == -ENODEV ? 0 : err;
}

static void set_local(struct esptun_peer *p, const struct ike_addr *local)
{
	if (!local || !local->family)
		return;
	p->has |= ESPTUN_PEER_HAS_LOCAL;
	addr_from_ike(&p->local, local);
}

static int move(struct kernel *k, uint32_t ifindex, uint32_t id, const struct ike_endpoint *remote,
		const struct ike_addr *local, bool plain)
{
	struct esptun_peer p = {
		.has = ESPTUN_PEER_HAS_ENCAP,
		.ifindex = ifindex,
		.id = id,
		.encap = plain ? ESPTUN_ENCAP_ESP : ESPTUN_ENCAP_UDP,
	};

	set_remote(&p, remote);
	set_local(&p, local);
	return esptun_peer_set(k->h, &p);
}

int kernel_peer_move(struct kernel *k, uint32_t ifindex, uint32_t id,
		     const struct ike_endpoint *remote, const struct ike_addr *local, bool plain)
{
	k->error[0] = 0;
	return move(k, ifindex, id, remote, local, plain);
}

int kernel_peer_local(struct kernel *k, uint32_t ifindex, uint32_t id, const struct ike_addr *local)
{
	struct esptun_peer p = { .ifindex = ifindex, .id = id };

	k->error[0] = 0;
	set_local(&p, local);
	return p.has ? esptun_peer_set(k->h, &p) : 0;
}

int kernel_peer_follow(struct kernel *k, uint32_t ifindex, uint32_t id, bool may)
{
	struct esptun_peer p = {
		.has = ESPTUN_PEER_HAS_MAY_ROAM,
		.ifindex = ifindex,
		.id = id,
		.may_roam = may,
	};

	k->error[0] = 0;
	return esptun_peer_set(k->h, &p);
}

uint64_t kernel_peer_last_rx(struct kernel *k, uint32_t ifindex, uint32_t id)
{
	struct esptun_peer p;

	k->error[0] = 0;
	if (esptun_peer_get(k->h, ifindex, id, &p) || !(p.has & ESPTUN_PEER_HAS_LAST_RX))
		return UINT64_MAX;
	return p.last_rx;
}

bool kernel_peer_traffic(struct kernel *k, uint32_t ifindex, uint32_t id,
			 struct kernel_traffic *out)
{
	struct esptun_peer p;

	k->error[0] = 0;
	*out = (struct kernel_traffic){ .last_rx = UINT64_MAX };
	if (esptun_peer_get(k->h, ifindex, id, &p))
		return false;
	out->rx_bytes = p.rx_bytes;
	out->rx_packets = p.rx_packets;
	out->tx_bytes = p.tx_bytes;
	out->tx_packets = p.tx_packets;
	if (p.has & ESPTUN_PEER_HAS_LAST_RX)
		out->last_rx = p.last_rx;
	return true;
}

/* ---- SAs ------------------------------------------------------------------------- */

/* Those of a link, in order: peers by number, SAs by peer and, of one, the oldest first. */
struct kernel_view {
	uint32_t ifindex;
	struct esptun_peer *peers;
	const struct esptun_peer **by_heard; /* the same, those heard last first */
	struct esptun_sa *sas;
	size_t n_peers, n_sas;
};

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_number(const void *a, const void *b)
{
	return compare(((const struct esptun_peer *)a)->id, ((const struct esptun_peer *)b)->id);
}

static int by_peer_and_age(const void *a, const void *b)
{
	const struct esptun_sa *x = a, *y = b;
	int order = compare(x->peer, y->peer);

	return order ? order : compare(y->age, x->age);
}

static uint64_t unheard_for(const struct esptun_peer *p)
{
	return p->has & ESPTUN_PEER_HAS_LAST_RX ? p->last_rx : UINT64_MAX;
}

static int by_silence(const void *a, const void *b)
{
	const struct esptun_peer *const *x = a, *const *y = b;

	return compare(unheard_for(*x), unheard_for(*y));
}

/* 0, or -ENOMEM. */
static int order_view(struct kernel_view *v)
{
	v->by_heard = calloc(v->n_peers + 1, sizeof(struct esptun_peer *));
	if (!v->by_heard)
		return -ENOMEM;
	if (v->n_peers)
		qsort(v->peers, v->n_peers, sizeof(*v->peers), by_number);
	for (size_t i = 0; i < v->n_peers; i++)
		v->by_heard[i] = &v->peers[i];
	qsort(v->by_heard, v->n_peers, sizeof(struct esptun_peer *), by_silence);
	if (v->n_sas)
		qsort(v->sas, v->n_sas, sizeof(*v->sas), by_peer_and_age);
	return 0;
}

struct kernel_view *kernel_view(struct kernel *k, uint32_t ifindex)
{
	struct kernel_view *v = calloc(1, sizeof(*v));
	int err;

	k->error[0] = 0;
	if (!v)
		return NULL;
	v->ifindex = ifindex;
	err = esptun_peer_dump(k->h, ifindex, &v->peers, &v->n_peers);
	if (!err)
		err = esptun_sa_dump(k->h, ifindex, 0, &v->sas, &v->n_sas);
	if ((err && err != -ENODEV && err != -ENOENT) || order_view(v)) {
		kernel_view_free(v);
		return NULL;
	}
	return v;
}

void kernel_view_free(struct kernel_view *v)
{
	if (!v)
		return;
	free(v->by_heard);
	free(v->peers);
	esptun_sas_free(v->sas, v->n_sas);
	free(v);
}

void kernel_each_peer(const struct kernel_view *v, void (*fn)(void *ctx, uint32_t id), void *ctx)
{
	for (size_t i = 0; i < v->n_peers; i++)
		fn(ctx, v->by_heard[i]->id);
}

static const struct esptun_peer *find_peer(const struct kernel_view *v, uint32_t id)
{
	const struct esptun_peer key = { .id = id };

	return v->n_peers ? bsearch(&key, v->peers, v->n_peers, sizeof(key), by_number) : NULL;
}

const uint8_t *kernel_peer_terms(const struct kernel_view *v, uint32_t peer, struct ike_id *id)
{
	const struct esptun_peer *p = find_peer(v, peer);
	uint64_t ends;

	return p ? get_kept(id, &ends, p) : NULL;
}

uint64_t kernel_peer_ends(const struct kernel_view *v, uint32_t peer)
{
	const struct esptun_peer *p = find_peer(v, peer);
	uint64_t ends = 0;
	struct ike_id id;

	if (p)
		get_kept(&id, &ends, p);
	return ends;
}

/* The SAs of one peer. */
struct of_peer {
	const struct esptun_sa *sas;
	size_t n;
};

static struct of_peer sas_of(const struct kernel_view *v, uint32_t peer)
{
	size_t low = 0, high = v->n_sas, n = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v->sas[mid].peer < peer)
			low = mid + 1;
		else
			high = mid;
	}
	while (low + n < v->n_sas && v->sas[low + n].peer == peer)
		n++;
	return (struct of_peer){ v->sas + low, n };
}

/* The next mature SA in direction @dir, from *@i on, or NULL. */
static const struct esptun_sa *next_sa(const struct of_peer *p, size_t *i, enum esptun_sa_dir dir)
{
	while (*i < p->n) {
		const struct esptun_sa *sa = &p->sas[(*i)++];

		if (sa->dir == dir && sa->state != ESPTUN_SA_STATE_LARVAL)
			return sa;
	}
	return NULL;
}

static uint64_t age_of(const struct esptun_sa *sa)
{
	return sa ? sa->age : 0;
}

/* The selector that is the prefix @from, of the host's bits and those after. */
static void prefix_to_ike(struct ike_ts *to, const struct esptun_ts *from)
{
	struct ike_addr a;

	addr_to_ike(&a, &from->addr);
	*to = (struct ike_ts){ .family = a.family,
			       .protocol = from->protocol,
			       .port_start = from->port_start,
			       .port_end = from->port_end };
	memcpy(to->start, a.b, sizeof(to->start));
	memcpy(to->end, a.b, sizeof(to->end));
	for (unsigned int bit = from->prefix_len; bit < (a.family == 4 ? 32 : 128); bit++)
		to->end[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

/* Written to @to; none means any, of both families. */
static struct ike_ts_offer selectors_to_ike(struct ike_ts to[ESPTUN_TS_MAX],
					    const struct esptun_ts *from, size_t n)
{
	static const struct esptun_ts any[2] = {
		{ .addr = { .family = AF_INET }, .port_end = 65535 },
		{ .addr = { .family = AF_INET6 }, .port_end = 65535 },
	};

	if (!n) {
		from = any;
		n = 2;
	}
	for (size_t i = 0; i < n; i++)
		prefix_to_ike(&to[i], &from[i]);
	return (struct ike_ts_offer){ (unsigned int)n, to };
}

static enum ike_mode mode_to_ike(enum esptun_sa_mode mode)
{
	return mode == ESPTUN_SA_MODE_TRANSPORT ? IKE_MODE_TRANSPORT : IKE_MODE_TUNNEL;
}

static void remove_larval(struct kernel *k, const struct kernel_view *v, const struct of_peer *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->sas[i].state == ESPTUN_SA_STATE_LARVAL)
			esptun_sa_del(k->h, v->ifindex, p->sas[i].dir, p->sas[i].spi, 0);
	}
}

bool kernel_may_carry(const struct ike_child_conf *child, unsigned int n, enum ike_mode mode,
		      struct ike_ts_offer local, struct ike_ts_offer remote)
{
	for (unsigned int i = 0; i < n; i++) {
		if (child[i].mode == mode && ike_ts_within(local, &child[i].local_ts) &&
		    ike_ts_within(remote, &child[i].remote_ts))
			return true;
	}
	return false;
}

/* Also one that is not there. */
static bool is_fit(const struct esptun_sa *sa, const struct kernel_fit *fit)
{
	struct ike_ts to[ESPTUN_TS_MAX], from[ESPTUN_TS_MAX];

	return !sa || (sa->age <= fit->max_age &&
		       kernel_may_carry(fit->child, fit->n_child, mode_to_ike(sa->mode),
					selectors_to_ike(to, sa->ts_local, sa->n_ts_local),
					selectors_to_ike(from, sa->ts_remote, sa->n_ts_remote)));
}

bool kernel_peer_misfits(const struct kernel_view *v, uint32_t peer, const struct kernel_fit *fit)
{
	struct of_peer p = sas_of(v, peer);

	for (size_t i = 0; i < p.n; i++) {
		if (p.sas[i].state != ESPTUN_SA_STATE_LARVAL && !is_fit(&p.sas[i], fit))
			return true;
	}
	return false;
}

/* Pairs were made one after the other, so age tells which belong together. */
struct pairs {
	struct of_peer of;
	size_t at_in, at_out;
	const struct esptun_sa *in, *out; /* the one at hand; one of both may be missing */
};

static bool next_pair(struct pairs *p)
{
	p->in = next_sa(&p->of, &p->at_in, ESPTUN_SA_DIR_IN);
	p->out = next_sa(&p->of, &p->at_out, ESPTUN_SA_DIR_OUT);
	return p->in || p->out;
}

static void tell_pair(const struct pairs *p, const struct esptun_peer *of,
		      const struct kernel_fit *fit,
		      void (*fn)(void *ctx, const struct ike_adopted *pair), void *ctx)
{
	uint64_t age = age_of(p->in) > age_of(p->out) ? age_of(p->in) : age_of(p->out);
	const struct esptun_sa *one = p->out ? p->out : p->in;
	struct ike_ts remote_ts[ESPTUN_TS_MAX];
	struct ike_adopted pair = {
		.peer = of->id,
		.spi_in = p->in ? p->in->spi : 0,
		.spi_out = p->out ? p->out->spi : 0,
		.until = fit->until - age,
	};

	uint64_t ends;

	endpoint_to_ike(&pair.remote, &of->remote);
	get_kept(&pair.id, &ends, of);
	pair.remote_ts = selectors_to_ike(remote_ts, one->ts_remote, one->n_ts_remote);
	fn(ctx, &pair);
}

void kernel_adopt(struct kernel *k, const struct kernel_view *v, uint32_t peer,
		  const struct kernel_fit *fit,
		  void (*fn)(void *ctx, const struct ike_adopted *pair), void *ctx,
		  struct kernel_adopted *count)
{
	const struct esptun_peer *known = find_peer(v, peer);
	struct pairs p = { .of = sas_of(v, peer) };
	struct pairs ahead = p;

	k->error[0] = 0;
	if (!known)
		return;
	remove_larval(k, v, &p.of);
	for (unsigned int i = 0; i < IKE_MAX_ADOPTED; i++)
		next_pair(&ahead);
	while (next_pair(&p)) {
		bool excess = next_pair(&ahead); /* so many newer ones follow */

		if (!excess && is_fit(p.in, fit) && is_fit(p.out, fit)) {
			count->kept++;
			tell_pair(&p, known, fit, fn, ctx);
			continue;
		}
		kernel_sa_remove(k, v->ifindex, peer, p.in ? p.in->spi : 0, p.out ? p.out->spi : 0);
		if (excess)
			count->excess++;
		else
			count->misfits++;
	}
}

/* Tell what was true of one of the two SAs, whatever was told of it before. */
static void retell_sa(struct kernel *k, const struct kernel_view *v, uint32_t peer, uint32_t spi,
		      bool in)
{
	const struct kernel_events *to = &k->events;
	struct of_peer p = sas_of(v, peer);

	for (size_t i = 0; i < p.n; i++) {
		enum esptun_sa_state state = p.sas[i].state;

		if (p.sas[i].spi != spi || (p.sas[i].dir == ESPTUN_SA_DIR_IN) != in)
			continue;
		if (state == ESPTUN_SA_STATE_DYING || state == ESPTUN_SA_STATE_DEAD)
			to->expire(to->ctx, v->ifindex, peer, spi, in,
				   state == ESPTUN_SA_STATE_DEAD);
		return;
	}
	to->sa_gone(to->ctx, v->ifindex, peer, spi, in);
}

void kernel_retell(struct kernel *k, const struct kernel_view *v, uint32_t peer, uint32_t spi_in,
		   uint32_t spi_out)
{
	const struct esptun_peer *known = find_peer(v, peer);
	const struct kernel_events *to = &k->events;
	struct ike_endpoint remote;

	k->error[0] = 0;
	if (!known) {
		to->peer_gone(to->ctx, v->ifindex, peer);
		return;
	}
	endpoint_to_ike(&remote, &known->remote);
	if (remote.addr.family)
		to->peer_moved(to->ctx, v->ifindex, peer, &remote);
	if (spi_in)
		retell_sa(k, v, peer, spi_in, true);
	if (spi_out)
		retell_sa(k, v, peer, spi_out, false);
}

bool kernel_has_cipher(const struct kernel *k, const struct ike_cipher *cipher)
{
	return algos_have(&k->algos, cipher);
}

int kernel_spi_alloc(struct kernel *k, uint32_t ifindex, uint32_t peer, uint32_t *spi)
{
	k->error[0] = 0;
	return esptun_spi_alloc(k->h, ifindex, peer, spi);
}

/* Both families whole: the kernel's "any", its fast path. */
static bool is_any(const struct ike_ts_list *l)
{
	bool v4 = false, v6 = false;

	for (unsigned int i = 0; i < l->n; i++) {
		if (ike_ts_is_any(&l->ts[i])) {
			v4 |= l->ts[i].family == 4;
			v6 |= l->ts[i].family == 6;
		}
	}
	return v4 && v6;
}

static int selectors(const struct ike_ts_list *l, struct esptun_ts out[ESPTUN_TS_MAX], size_t *n)
{
	struct ike_prefix prefix[ESPTUN_TS_MAX];
	int count;

	*n = 0;
	if (is_any(l))
		return 0;
	count = ike_ts_prefixes(l, prefix, ESPTUN_TS_MAX);
	if (count < 0)
		return -E2BIG;
	for (int i = 0; i < count; i++) {
		struct esptun_ts *ts = &out[i];

		memset(ts, 0, sizeof(*ts));
		ts->addr.family = prefix[i].family == 4 ? AF_INET : AF_INET6;
		memcpy(ts->addr.bytes, prefix[i].addr, sizeof(prefix[i].addr));
		ts->prefix_len = prefix[i].len;
		ts->protocol = prefix[i].protocol;
		ts->port_start = prefix[i].port_start;
		ts->port_end = prefix[i].port_end;
	}
	*n = (size_t)count;
	return 0;
}

/* The kernel repairs checksums of packets that it receives, if they cover other addresses. */
static void set_nat_oa(struct esptun_sa *sa, const struct ike_child *c)
{
	if (sa->dir != ESPTUN_SA_DIR_IN || !c->nat_oa_local.family)
		return;
	sa->has |= ESPTUN_SA_HAS_NAT_OA;
	addr_from_ike(&sa->nat_oa_local, &c->nat_oa_local);
	addr_from_ike(&sa->nat_oa_remote, &c->nat_oa_remote);
}

/* What the core asks for; but an outbound SA without ESN is replaced before its numbers end. */
static void set_limits(struct esptun_sa *sa, const struct ike_child *c)
{
	sa->soft_bytes = c->soft_bytes;
	sa->soft_packets = c->soft_packets;
	if (sa->dir == ESPTUN_SA_DIR_OUT && !c->esn &&
	    (!sa->soft_packets || sa->soft_packets > SOFT_PACKETS_32))
		sa->soft_packets = SOFT_PACKETS_32;
	sa->hard_bytes = c->hard_bytes;
	if (sa->hard_bytes)
		sa->has |= ESPTUN_SA_HAS_HARD_BYTES;
	if (sa->soft_bytes)
		sa->has |= ESPTUN_SA_HAS_SOFT_BYTES;
	if (sa->soft_packets)
		sa->has |= ESPTUN_SA_HAS_SOFT_PACKETS;
}

static int add_sa(struct kernel *k, struct esptun_sa *sa, const struct ike_child *c,
		  enum esptun_sa_dir dir, uint32_t window)
{
	bool in = dir == ESPTUN_SA_DIR_IN;
	int err;

	if (c->key_len > sizeof(sa->key) || c->integ_len > sizeof(sa->integ_key))
		return fail(k, -EINVAL, "the key is too long for the kernel");
	sa->dir = dir;
	sa->spi = in ? c->spi_in : c->spi_out;
	sa->has = in ? ESPTUN_SA_HAS_REPLAY_WINDOW : 0;
	sa->replay_window = window;
	set_nat_oa(sa, c);
	set_limits(sa, c);
	memcpy(sa->key, in ? c->key_in : c->key_out, c->key_len);
	sa->key_len = c->key_len;
	if (c->integ_len)
		memcpy(sa->integ_key, in ? c->integ_in : c->integ_out, c->integ_len);
	sa->integ_key_len = c->integ_len;
	err = esptun_sa_add(k->h, sa);
	ike_wipe(sa->key, sizeof(sa->key));
	ike_wipe(sa->integ_key, sizeof(sa->integ_key));
	return err;
}

/* The sentence has to outlive the calls that tidy up. */
static int keep_error(struct kernel *k, int err)
{
	if (!*k->error)
		snprintf(k->error, sizeof(k->error), "%s", esptun_error(k->h));
	return err;
}

int kernel_sa_install(struct kernel *k, uint32_t ifindex, const struct ike_child *c,
		      uint32_t window)
{
	struct esptun_ts local[ESPTUN_TS_MAX], remote[ESPTUN_TS_MAX];
	struct esptun_sa sa = {
		.ifindex = ifindex,
		.peer = c->peer,
		.mode = c->mode == IKE_MODE_TRANSPORT ? ESPTUN_SA_MODE_TRANSPORT
						      : ESPTUN_SA_MODE_TUNNEL,
		.encr = c->cipher.encr,
		.integ = c->cipher.integ,
		.esn = c->esn,
		.ts_local = local,
		.ts_remote = remote,
	};
	int err;

	k->error[0] = 0;
	if (selectors(c->local_ts, local, &sa.n_ts_local) ||
	    selectors(c->remote_ts, remote, &sa.n_ts_remote)) {
		err = fail(k, -E2BIG,
			   "the selectors need too many prefixes: ask for plain networks");
		goto out;
	}
	err = move(k, ifindex, c->peer, &c->remote, &c->local.addr, c->plain);
	if (!err && c->part != IKE_CHILD_OUT)
		err = add_sa(k, &sa, c, ESPTUN_SA_DIR_IN, window);
	if (!err && c->part != IKE_CHILD_IN)
		err = add_sa(k, &sa, c, ESPTUN_SA_DIR_OUT, window);
out:
	if (err && c->part != IKE_CHILD_OUT) {
		keep_error(k, err);
		esptun_sa_del(k->h, ifindex, ESPTUN_SA_DIR_IN, c->spi_in, 0);
	}
	return err;
}

void kernel_sa_remove(struct kernel *k, uint32_t ifindex, uint32_t peer, uint32_t spi_in,
		      uint32_t spi_out)
{
	k->error[0] = 0;
	if (spi_out)
		esptun_sa_del(k->h, ifindex, ESPTUN_SA_DIR_OUT, spi_out, peer);
	if (spi_in)
		esptun_sa_del(k->h, ifindex, ESPTUN_SA_DIR_IN, spi_in, 0);
}

int kernel_ike_send(struct kernel *k, uint32_t ifindex, const struct ike_datagram *d)
{
	struct esptun_ike ike = { .data = d->data, .len = d->len };
	int err;

	k->error[0] = 0;
	addr_from_ike(&ike.local.addr, &d->local.addr);
	addr_from_ike(&ike.remote.addr, &d->remote.addr);
	ike.local.port = d->local.port;
	ike.remote.port = d->remote.port;
	err = esptun_ike_send(k->h, ifindex, &ike);
	/* The address we had is gone (DHCP, roaming): let routing choose a new one. */
	if (err == -EINVAL || err == -EADDRNOTAVAIL || err == -ENETUNREACH) {
		ike.local.addr.family = AF_UNSPEC;
		err = esptun_ike_send(k->h, ifindex, &ike);
	}
	return err;
}
