// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Randomness, the network, the virtual clock, and how a world is built. The fake kernel is in
 * kernel.c, what must hold of single messages in message.c.
 */
#include "ike/core/state.h"
#include "world_int.h"

#include "ike/auth/job_tls.h"
#include "ike/core/layer_ikesa.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { LINK_DELAY_MIN = 5, LINK_DELAY_MAX = 60 };

/* ---- randomness and sets ------------------------------------------------- */

uint64_t rnd_next(struct rnd *r) /* splitmix64 */
{
	uint64_t z = (r->s += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint64_t rnd_below(struct rnd *r, uint64_t n)
{
	return n ? rnd_next(r) % n : 0;
}

bool rnd_chance(struct rnd *r, unsigned int percent)
{
	return rnd_below(r, 100) < percent;
}

void rnd_fill(void *ctx, void *buf, size_t len)
{
	uint8_t *p = buf;
	uint64_t v;
	size_t n;

	while (len) {
		v = rnd_next(ctx);
		n = len < sizeof(v) ? len : sizeof(v);
		memcpy(p, &v, n);
		p += n;
		len -= n;
	}
}

uint64_t hash_bytes(const void *data, size_t len, uint64_t h)
{
	const uint8_t *p = data;

	h ^= 0xcbf29ce484222325ULL;
	while (len--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h ^ (h >> 32);
}

/* The world's own memory, which is there whatever fails in a core (memory.c). */
static void *must_alloc(size_t size)
{
	unsigned int tries;
	void *p = NULL;

	for (tries = 0; !p && tries < 1000; tries++)
		p = calloc(1, size);
	if (!p)
		abort();
	return p;
}

static struct seen_entry *seen_slot(struct seen *s, uint64_t key)
{
	size_t i = key & (s->cap - 1);

	while (s->v[i].key && s->v[i].key != key)
		i = (i + 1) & (s->cap - 1);
	return &s->v[i];
}

struct seen_entry *seen_find(struct seen *s, uint64_t key)
{
	struct seen old = *s;
	struct seen_entry *e;
	size_t i;

	key |= 1;
	if (2 * (s->n + 1) > s->cap) {
		s->cap = s->cap ? 2 * s->cap : 256;
		s->v = must_alloc(s->cap * sizeof(*s->v));
		for (i = 0; i < old.cap; i++) {
			if (old.v[i].key)
				*seen_slot(s, old.v[i].key) = old.v[i];
		}
		free(old.v);
	}
	e = seen_slot(s, key);
	if (!e->key) {
		e->key = key;
		s->n++;
	}
	return e;
}

bool seen_once(struct seen *s, uint64_t key, uint64_t value)
{
	struct seen_entry *e = seen_find(s, key);

	value |= 1;
	if (!e->value)
		e->value = value;
	return e->value == value;
}

void world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (w->failed[0])
		return;
	n = snprintf(w->failed, sizeof(w->failed), "at %.3f s: ", (double)w->now / 1000);
	va_start(ap, fmt);
	vsnprintf(w->failed + n, sizeof(w->failed) - (size_t)n, fmt, ap);
	va_end(ap);
}

unsigned int link_of(const char *tunnel)
{
	return (unsigned int)(tunnel[1] - '0');
}

/* ---- what a core says ---------------------------------------------------- */

static void env_state(void *ctx, const char *tunnel, uint32_t peer, enum ike_tunnel_state state)
{
	static const char *const words[] = { "down", "connecting", "up", "closing" };
	struct node *n = ctx;

	if (peer == IKE_PEER_FIRST)
		n->state[link_of(tunnel)] = state;
	if (n->w->verbose)
		printf("# %10.3f node %u %s: state %s\n", (double)n->w->now / 1000, n->index,
		       tunnel, words[state]);
}

static void env_log(void *ctx, enum ike_log_level level, const char *tunnel, const uint8_t *spi_i,
		    const uint8_t *spi_r, const char *text)
{
	struct node *n = ctx;
	char spis[64] = "";
	int len;

	if (strchr(text, '\n'))
		world_fail(n->w, "node %u: log text with a newline", n->index);
	if (spi_i)
		ike_spis_print(spis, sizeof(spis), spi_i, spi_r);
	if (n->w->verbose)
		printf("# %10.3f node %u %s %s [%d] %s\n", (double)n->w->now / 1000, n->index,
		       tunnel ? tunnel : "-", spis, level, text);
	n->lost_peers += strstr(text, "no longer answers") || strstr(text, "no answer to our");
	if (level > IKE_LOG_WARN)
		return;
	len = snprintf(n->log + n->log_len, sizeof(n->log) - n->log_len, "%s\n", text);
	if (n->log_len + (size_t)len < sizeof(n->log))
		n->log_len += (size_t)len;
}

/* ---- network ------------------------------------------------------------- */

/* Of what arrives at one moment ESP is first, as if the IKE message had been sent last. */
static bool arrives_before(const struct packet *a, const struct packet *b)
{
	return a->at != b->at ? a->at < b->at : a->esp || !b->esp;
}

struct packet *enqueue_packet(struct world *w, const struct ike_endpoint *from,
			      const struct ike_endpoint *to, bool esp, size_t len, uint64_t delay)
{
	struct packet *p = must_alloc(sizeof(*p) + len), **at = &w->flight;

	*p = (struct packet){ .at = w->now + delay,
			      .seq = ++w->seq,
			      .from = *from,
			      .to = *to,
			      .esp = esp,
			      .len = len };
	while (*at && arrives_before(*at, p))
		at = &(*at)->next;
	p->next = *at;
	*at = p;
	return p;
}

static void enqueue(struct world *w, const struct ike_endpoint *from, const struct ike_endpoint *to,
		    bool marker, bool genuine, const uint8_t *data, size_t len, uint64_t delay)
{
	struct packet *p = enqueue_packet(w, from, to, false, len, delay);

	p->marker = marker;
	p->genuine = genuine;
	memcpy(p->data, data, len);
}

void world_inject(struct world *w, const struct ike_endpoint *from, const struct ike_endpoint *to,
		  const uint8_t *data, size_t len, uint64_t delay)
{
	enqueue(w, from, to, to->port != IKE_PORT, false, data, len, delay);
}

static uint64_t some_delay(struct world *w)
{
	return w->delay_min + rnd_below(&w->rnd, w->delay_max - w->delay_min + 1);
}

/* Flip, cut, lengthen or relabel: what an attacker without keys can do to a message. */
static size_t mutate(struct world *w, uint8_t *b, size_t len, size_t cap)
{
	unsigned int flips;
	size_t cut;

	switch (rnd_below(&w->rnd, 6)) {
	case 0:
		for (flips = 1 + (unsigned int)rnd_below(&w->rnd, 8); flips; flips--)
			b[rnd_below(&w->rnd, len)] ^= (uint8_t)(1 << rnd_below(&w->rnd, 8));
		break;
	case 1: len = rnd_below(&w->rnd, len); break;
	case 2: /* cut, with a length that says so */
		cut = 28 + rnd_below(&w->rnd, len - 27);
		len = cut < len ? cut : len;
		b[26] = (uint8_t)(len >> 8);
		b[27] = (uint8_t)len;
		break;
	case 3:
		cut = rnd_below(&w->rnd, cap - len + 1);
		rnd_fill(&w->rnd, b + len, cut);
		len += cut;
		b[26] = (uint8_t)(len >> 8);
		b[27] = (uint8_t)len;
		break;
	case 4: /* header fields: next payload, version, exchange, flags, ID */
		b[16 + rnd_below(&w->rnd, 8)] = (uint8_t)rnd_next(&w->rnd);
		break;
	default:
		if (len > IKE_HDR_LEN + 4) /* a payload header */
			b[28 + rnd_below(&w->rnd, 4)] = (uint8_t)rnd_next(&w->rnd);
		break;
	}
	return len;
}

/* An unprotected error answer to the message, with the right SPIs. */
static size_t forge_notify(struct world *w, const uint8_t *genuine, uint8_t *out, size_t cap)
{
	static const uint16_t types[] = {
		IKE_N_INVALID_IKE_SPI,
		IKE_N_AUTHENTICATION_FAILED,
		IKE_N_NO_PROPOSAL_CHOSEN,
		IKE_N_INVALID_KE_PAYLOAD,
		IKE_N_COOKIE,
		IKE_N_INVALID_SYNTAX,
		IKE_N_INVALID_MAJOR_VERSION,
	};
	uint16_t type = w->forges ? w->forges
				  : types[rnd_below(&w->rnd, sizeof(types) / sizeof(types[0]))];
	uint8_t data[33];
	struct ike_builder b;
	struct ike_header h;

	ike_header_parse(genuine, IKE_HDR_LEN, &h); /* fields are set whatever it returns */
	h.flags ^= IKE_FLAG_RESPONSE | IKE_FLAG_INITIATOR;
	rnd_fill(&w->rnd, data, sizeof(data));
	if (type == IKE_N_INVALID_KE_PAYLOAD) {
		data[0] = 0;
		data[1] = rnd_chance(&w->rnd, 50) ? IKE_DH_ECP256 : data[1];
	}
	ike_build_init(&b, out, cap, &h);
	ike_build_notify(&b, type, data, type == IKE_N_INVALID_KE_PAYLOAD ? 2 : sizeof(data));
	return ike_build_end(&b);
}

static void attack(struct world *w, const struct packet *seen_now)
{
	struct ike_endpoint from = seen_now->from, to = seen_now->to;
	const struct packet *p = seen_now;
	uint8_t buf[4096];
	size_t len;

	if (!w->forges && rnd_chance(&w->rnd, 30) && w->pool[w->seq % WORLD_POOL])
		p = w->pool[rnd_below(&w->rnd, WORLD_POOL)];
	if (!p || p->len > 2048 || p->len < IKE_HDR_LEN)
		return;
	from = p->from;
	to = p->to;
	len = p->len;
	memcpy(buf, p->data, len);
	switch (w->forges ? 1 : rnd_below(&w->rnd, 4)) {
	case 0: /* replay */ break;
	case 1:
		len = forge_notify(w, p->data, buf, sizeof(buf));
		from = p->to;
		to = p->from;
		break;
	default: len = mutate(w, buf, len, sizeof(buf)); break;
	}
	if (w->spoof && rnd_chance(&w->rnd, 10)) { /* from elsewhere */
		rnd_fill(&w->rnd, from.addr.b, 4);
		from.port = (uint16_t)rnd_next(&w->rnd);
	}
	enqueue(w, &from, &to, p->marker, false, buf, len, rnd_below(&w->rnd, 400));
}

static void remember(struct world *w, const struct packet *p)
{
	struct packet **slot = &w->pool[w->seq % WORLD_POOL];

	free(*slot);
	*slot = must_alloc(sizeof(*p) + p->len);
	memcpy(*slot, p, sizeof(*p) + p->len);
}

static void show(struct world *w, const struct node *n, const struct ike_datagram *d, bool lost)
{
	struct ike_header h;
	char to[64];

	if (w->verbose < 2 || ike_header_parse(d->data, d->len, &h))
		return;
	printf("# %10.3f node %u -> %s %s %s %u, %zu octets%s\n", (double)w->now / 1000, n->index,
	       ike_endpoint_print(to, sizeof(to), &d->remote), ike_exchange_name(h.exchange),
	       h.flags & IKE_FLAG_RESPONSE ? "response" : "request", h.id, d->len,
	       lost ? " LOST" : "");
}

bool node_has(const struct node *n, const struct ike_addr *addr)
{
	return ike_addr_eq(addr, &n->addr) || (n->more.family && ike_addr_eq(addr, &n->more));
}

struct ike_endpoint outer_endpoint(const struct node *n, const struct ike_addr *local,
				   uint16_t port)
{
	if (!n->nat.family)
		return (struct ike_endpoint){ node_has(n, local) ? *local : n->addr, port };
	return (struct ike_endpoint){ n->nat, n->nat_port[port == IKE_NATT_PORT] };
}

bool node_is_dark(const struct node *n, const struct ike_addr *addr)
{
	return ike_addr_eq(addr, &n->more) && n->more.family ? n->dark[1] : n->dark[0];
}

/* The attacker sees a datagram. */
static void show_attacker(struct world *w, const struct ike_endpoint *from,
			  const struct ike_datagram *d)
{
	struct packet *p = must_alloc(sizeof(*p) + d->len);

	*p = (struct packet){
		.from = *from, .to = d->remote, .marker = d->local.port != IKE_PORT, .len = d->len
	};
	memcpy(p->data, d->data, d->len);
	if (rnd_chance(&w->rnd, w->attack))
		attack(w, p);
	remember(w, p);
	free(p);
}

/* ---- holding back -------------------------------------------------------- */

static bool holds(const struct hold *h, const struct node *from, const struct ike_header *m)
{
	return h->from == from->index && h->exchange == m->exchange &&
	       h->response == !!(m->flags & IKE_FLAG_RESPONSE);
}

/* Is @d the message that @h is for? Messages are counted, their copies are not. */
static bool is_for_hold(struct hold *h, const struct ike_datagram *d)
{
	uint64_t digest = hash_bytes(d->data, d->len, 0) | 1;
	struct seen_entry *e;

	if (h->digest)
		return h->digest == digest;
	e = seen_find(&h->passed, digest);
	if (e->value)
		return false;
	e->value = 1;
	if (h->nth) {
		h->nth--;
		return false;
	}
	h->digest = digest;
	return true;
}

static void keep_message(struct hold *h, const struct ike_endpoint *from,
			 const struct ike_datagram *d)
{
	h->from_outside = *from;
	h->to = d->remote;
	h->marker = d->local.port != IKE_PORT;
	h->len = d->len;
	h->data = must_alloc(d->len);
	memcpy(h->data, d->data, d->len);
	h->caught = true;
}

/* True if a hold took the datagram away. */
static bool hold_back(struct node *from, const struct ike_endpoint *from_outside,
		      const struct ike_datagram *d)
{
	struct world *w = from->w;
	struct ike_header m;
	unsigned int i;

	ike_header_parse(d->data, d->len, &m); /* message_check() said if it is bad */
	for (i = 0; i < w->n_holds; i++) {
		struct hold *h = &w->hold[i];

		if (h->open || !holds(h, from, &m) || !is_for_hold(h, d))
			continue;
		if (!h->caught)
			keep_message(h, from_outside, d);
		if (w->verbose > 1)
			printf("# %10.3f node %u -> hold %u: %s %s %u\n", (double)w->now / 1000,
			       from->index, i, ike_exchange_name(m.exchange),
			       h->response ? "response" : "request", m.id);
		return true;
	}
	return false;
}

struct hold *world_hold(struct world *w, const struct node *from, uint8_t exchange, bool response,
			unsigned int nth)
{
	struct hold *h = &w->hold[w->n_holds];

	if (w->n_holds == WORLD_HOLDS)
		abort();
	w->n_holds++;
	*h = (struct hold){
		.from = from->index, .exchange = exchange, .response = response, .nth = nth
	};
	return h;
}

bool world_await(struct world *w, const struct hold *h, uint64_t ms)
{
	uint64_t end = w->now + ms;

	while (!h->caught && world_step(w, end))
		;
	return h->caught;
}

void world_release(struct world *w, struct hold *h)
{
	h->open = true;
	if (h->caught)
		enqueue(w, &h->from_outside, &h->to, h->marker, true, h->data, h->len, 0);
}

void world_drop(struct hold *h)
{
	h->open = true;
}

/* ---- sending and routing ------------------------------------------------- */

static void env_send(void *ctx, const char *tunnel, const struct ike_datagram *d)
{
	struct node *n = ctx;
	struct world *w = n->w;
	struct ike_endpoint from = outer_endpoint(n, &d->local.addr, d->local.port);
	unsigned int copies = 1;
	bool lost, taken;

	w->sent++;
	message_check(n, d);
	if (d->local.port != IKE_PORT && d->local.port != IKE_NATT_PORT)
		world_fail(w, "node %u sends from port %u", n->index, d->local.port);
	if (w->filter && !w->filter(w, n, d))
		return;
	if (hold_back(n, &from, d))
		return;
	if (tunnel)
		kernel_wake_traffic(w, link_of(tunnel));
	lost = !n->reachable || (d->local.addr.family && !node_has(n, &d->local.addr)) ||
	       node_is_dark(n, &from.addr);
	taken = !lost && rnd_chance(&w->rnd, w->loss);
	taken_note(n, d, !lost, taken);
	lost |= taken;
	show(w, n, d, lost);
	if (w->hostile)
		show_attacker(w, &from, d);
	if (lost)
		return;
	copies += rnd_chance(&w->rnd, w->duplicate);
	while (copies--)
		enqueue(w, &from, &d->remote, d->local.port != IKE_PORT, true, d->data, d->len,
			some_delay(w));
}

struct node *route_packet(struct world *w, const struct ike_endpoint *to, uint16_t *port)
{
	struct node *n;
	unsigned int i;

	for (i = 0; i < w->n_nodes; i++) {
		n = &w->node[i];
		*port = to->port;
		if (!n->nat.family && node_has(n, &to->addr))
			return to->port == IKE_PORT || to->port == IKE_NATT_PORT ? n : NULL;
		if (!n->nat.family || !ike_addr_eq(&n->nat, &to->addr))
			continue;
		if (to->port == n->nat_port[0])
			*port = IKE_PORT;
		else if (to->port == n->nat_port[1])
			*port = IKE_NATT_PORT;
		else
			continue; /* another one behind this address, perhaps */
		return n;
	}
	return NULL;
}

static void deliver(struct world *w, struct packet *p)
{
	struct ike_datagram d = { .remote = p->from, .data = p->data, .len = p->len };
	uint16_t port;
	struct node *n = route_packet(w, &p->to, &port);

	if (!n || !n->reachable || node_is_dark(n, &p->to.addr))
		return;
	if (p->esp) {
		if (port == IKE_NATT_PORT)
			kernel_receive_esp(w, n, p);
		return;
	}
	if (!n->core)
		return;
	if (p->genuine && p->marker != (port != IKE_PORT))
		world_fail(w, "node %u got a message %s non-ESP marker on port %u", n->index,
			   p->marker ? "with" : "without", port);
	d.local.addr = n->nat.family ? n->addr : p->to.addr;
	d.local.port = port;
	w->delivered++;
	proof_came(n, p->data, p->len);
	ike_core_datagram(n->core, &d, w->now);
}

struct ike_status node_status(const struct node *n, unsigned int link)
{
	struct ike_status s = { .tunnel = n->conf[link].name };

	if (n->core)
		ike_core_tunnel_status(n->core, n->conf[link].name, &s);
	return s;
}

/* ---- jobs ------------------------------------------------------------------- */

static const uint8_t *find_user(const struct node *n, const struct ike_id *id, size_t *len)
{
	for (unsigned int i = 0; i < n->n_users; i++) {
		if (!ike_id_eq(&n->user[i].id, id))
			continue;
		*len = n->user[i].len;
		return n->user[i].secret;
	}
	return NULL;
}

/* That of the link, or by its name that of the peer as its client. */
static const uint8_t *find_ppk(const struct node *n, unsigned int link, const struct ike_job *job,
			       size_t *len)
{
	const char *key = job->auth.len ? NULL : n->ppk[link];

	for (unsigned int i = 0; i < n->n_client_ppk && job->auth.len; i++) {
		const struct world_ppk *k = &n->client_ppk[i];

		if (strlen(k->id) == job->auth.len &&
		    !memcmp(k->id, job->auth.base, job->auth.len) &&
		    (!k->client || (strlen(k->client) == job->peer->len &&
				    !memcmp(k->client, job->peer->data, job->peer->len))))
			key = k->key;
	}
	*len = key ? strlen(key) : 0;
	return (const uint8_t *)key;
}

static const uint8_t *find_key(void *ctx, const struct ike_job *job, unsigned int at, size_t *len)
{
	struct node *n = ctx;
	unsigned int i = link_of(job->tunnels[at]);

	if (i >= WORLD_LINKS)
		return NULL;
	if (job->kind == IKE_JOB_SIGN || job->kind == IKE_JOB_TLS) {
		*len = n->private_key[i].len;
		return n->private_key[i].der;
	}
	if (job->kind == IKE_JOB_PPK)
		return find_ppk(n, i, job, len);
	if (job->kind == IKE_JOB_MSCHAPV2_VERIFY || job->kind == IKE_JOB_MD5_VERIFY)
		return find_user(n, job->peer, len);
	if (job->kind == IKE_JOB_MSCHAPV2_RESPOND || job->kind == IKE_JOB_MSCHAPV2_CONFIRM ||
	    job->kind == IKE_JOB_MD5_RESPOND) {
		*len = strlen(n->password[i]);
		return (const uint8_t *)n->password[i];
	}
	*len = n->psk_len[i];
	return n->psk[i];
}

static void keep_fetch(struct node *n, struct node_job *j, const struct ike_job *job)
{
	const struct ike_iov *uri = &job->octets[0], *request = &job->octets[1];

	n->n_fetches++;
	j->result.id = job->id;
	j->fetches = uri->len < sizeof(j->uri) && request->len <= sizeof(j->request);
	if (!j->fetches)
		return;
	memcpy(j->uri, uri->base, uri->len);
	memcpy(j->request, request->base, request->len);
	j->request_len = request->len;
	memcpy(j->tunnel, job->tunnels[0], sizeof(j->tunnel));
}

static void tell_fetched(struct node *n, const struct node_job *j)
{
	struct ike_fetched f = { .uri = j->uri,
				 .request = { j->request, j->request_len },
				 .tunnel = j->tunnel };

	if (n->fetch)
		n->fetch(n, &f);
	else
		f.fault = "there is no network";
	ike_core_fetched(n->core, &f, n->w->now);
}

static void env_crl_used(void *ctx, const char *uri)
{
	struct node *n = ctx;

	n->n_crls_used += *uri != 0;
}

static int env_job_start(void *ctx, const struct ike_job *job)
{
	struct node *n = ctx;
	struct world *w = n->w;
	struct node_job *j, **at = &n->jobs;

	if (w->job_loss && rnd_chance(&w->rnd, w->job_loss))
		return 0;
	if (job->kind == IKE_JOB_FETCH && n->busy_fetches) {
		n->busy_fetches--;
		return -EBUSY;
	}
	j = calloc(1, sizeof(*j));
	if (!j)
		return -ENOMEM;
	if (!n->tls)
		n->tls = job_tls_new();
	if (!n->tls) {
		free(j);
		return -ENOMEM;
	}
	if (job->kind == IKE_JOB_FETCH)
		keep_fetch(n, j, job);
	else
		job_do_any(n->tls, job, n->find_key ? n->find_key : find_key, n, w->now,
			   &j->result);
	j->at = n->holds_jobs ? UINT64_MAX : w->now + rnd_below(&w->rnd, w->job_delay + 1);
	if (w->late_jobs && rnd_chance(&w->rnd, w->late_jobs))
		j->at += rnd_below(&w->rnd, w->later);
	while (*at && (*at)->at <= j->at)
		at = &(*at)->next;
	j->next = *at;
	*at = j;
	return 0;
}

/* What must not change when a result comes that nobody waits for. */
struct effects {
	uint64_t sent, last_job;
	unsigned int installs, n_sa;
	size_t log_len;
	struct ike_core_stats stats;
};

static struct effects effects_of(const struct node *n)
{
	struct effects e;

	memset(&e, 0, sizeof(e)); /* it is compared as bytes */
	e.sent = n->w->sent;
	e.last_job = n->core->last_job;
	e.installs = n->installs;
	e.n_sa = n->n_sa;
	e.log_len = n->log_len;
	ike_core_stats(n->core, &e.stats);
	return e;
}

/* Is it an IKE SA that there is? */
static bool is_alive(const struct node *n, const struct ike_sa *wanted)
{
	const struct ike_sa *sa;

	for (size_t i = 0; i < n->core->sas.buckets; i++) {
		LIST_FOREACH(sa, &n->core->sas.by_spi[i], by_spi)
		{
			if (sa == wanted)
				return true;
		}
	}
	return false;
}

/* Tell the core of the result; one for an IKE SA that is gone, or that was given up, touches nothing. */
static void tell_result(struct node *n, const struct node_job *j)
{
	const struct waiting *waits = job_find(n->core, j->result.id);
	struct effects before, after;

	if (waits && !is_alive(n, waits->sa)) {
		world_fail(n->w, "node %u: an IKE SA that is gone waits for a job", n->index);
		return;
	}
	n->w->late_results += !waits;
	before = effects_of(n);
	if (j->fetches)
		tell_fetched(n, j);
	if (!waits)
		ike_core_job_done(n->core, &j->result, n->w->now);
	after = effects_of(n);
	if (memcmp(&before, &after, sizeof(before)))
		world_fail(n->w, "node %u: a result that nobody waits for has effects", n->index);
	if (waits)
		ike_core_job_done(n->core, &j->result, n->w->now);
}

bool node_finish_job(struct node *n)
{
	struct node_job *j = n->jobs;

	if (!j)
		return false;
	n->jobs = j->next;
	tell_result(n, j);
	free(j);
	return true;
}

unsigned int node_jobs_left(struct node *n)
{
	unsigned int left = n->core->n_waiting;

	for (const struct node_job *j = n->jobs; j; j = j->next)
		left++;
	if (n->tls)
		job_tls_expire(n->tls, n->w->now);
	return left + (n->tls ? job_tls_count(n->tls) : 0);
}

/* Whoever did them ended with the core. */
static void drop_jobs(struct node *n)
{
	struct node_job *j;

	while ((j = n->jobs)) {
		n->jobs = j->next;
		free(j);
	}
	job_tls_free(n->tls);
	n->tls = NULL;
}

/* ---- time ---------------------------------------------------------------- */

uint64_t world_next(struct world *w)
{
	uint64_t at = w->flight ? w->flight->at : UINT64_MAX, t;
	unsigned int i;

	for (i = 0; i < w->n_nodes; i++) {
		if (!w->node[i].core || w->node[i].asleep)
			continue;
		t = ike_core_next(w->node[i].core);
		if (t < at)
			at = t;
		if (w->node[i].jobs && w->node[i].jobs->at < at)
			at = w->node[i].jobs->at;
	}
	t = kernel_next_traffic(w);
	return t < at ? t : at;
}

/* It is @at. */
static void advance(struct world *w, uint64_t at)
{
	if (at <= w->now)
		return;
	if (taken_waits(w))
		w->taken_ms += at - w->now;
	w->now = at;
}

bool world_step(struct world *w, uint64_t until)
{
	uint64_t at = world_next(w);
	struct packet *p;
	unsigned int i;

	if (at > until || w->failed[0])
		return false;
	advance(w, at);
	kernel_send_traffic(w);
	p = w->flight;
	if (p && p->at <= w->now) {
		w->flight = p->next;
		deliver(w, p);
		free(p);
	} else {
		for (i = 0; i < w->n_nodes; i++) {
			struct node *n = &w->node[i];

			if (n->core && !n->asleep && n->jobs && n->jobs->at <= w->now)
				node_finish_job(n);
			if (n->core && !n->asleep && ike_core_next(n->core) <= w->now) {
				ike_core_timer(n->core, w->now);
				if (ike_core_next(n->core) <= w->now) /* what failed just then */
					ike_core_timer(n->core, w->now);
				if (ike_core_next(n->core) <= w->now)
					world_fail(w, "node %u: a timer does not move on", i);
			}
		}
	}
	kernel_check_links(w);
	w->events++;
	if (w->events > 2000000)
		world_fail(w, "more events than any run needs");
	return !w->failed[0];
}

void world_run(struct world *w, uint64_t until)
{
	while (world_step(w, until))
		;
	if (!w->failed[0])
		advance(w, until);
}

/* ---- building ------------------------------------------------------------ */

void *zero_pages(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

void world_init(struct world *w, uint64_t seed)
{
	w->rnd.s = seed;
	rnd_next(&w->rnd);
	w->esp_rnd.s = ~seed;
	w->delay_min = LINK_DELAY_MIN;
	w->delay_max = LINK_DELAY_MAX;
}

void world_free(struct world *w)
{
	struct packet *p;
	unsigned int i;

	for (i = 0; i < w->n_nodes; i++) {
		ike_core_free(w->node[i].core);
		drop_jobs(&w->node[i]);
		pool_free(w->node[i].pool);
	}
	while ((p = w->flight)) {
		w->flight = p->next;
		free(p);
	}
	for (i = 0; i < WORLD_POOL; i++)
		free(w->pool[i]);
	for (i = 0; i < w->n_holds; i++) {
		free(w->hold[i].data);
		free(w->hold[i].passed.v);
	}
	free(w->messages.v);
	free(w->nonces.v);
	free(w->keys.v);
	free(w->spis.v);
	free(w->ids.v);
	free(w->proofs.v);
}

struct node *world_node(struct world *w)
{
	struct node *n = &w->node[w->n_nodes];
	unsigned int i;

	n->w = w;
	n->index = w->n_nodes++;
	n->reachable = true;
	n->adopts_for = 3600000;
	n->rnd.s = rnd_next(&w->rnd);
	n->addr = (struct ike_addr){ .family = 4, .b = { 192, 0, 2, (uint8_t)(n->index + 1) } };
	for (i = 0; i < WORLD_LINKS; i++)
		n->last_rx[i] = UINT64_MAX;
	return n;
}

struct node *world_node_nat(struct world *w)
{
	struct node *n = world_node(w);

	n->addr = (struct ike_addr){ .family = 4, .b = { 10, 0, (uint8_t)n->index, 2 } };
	n->nat = (struct ike_addr){ .family = 4, .b = { 198, 51, 100, (uint8_t)(n->index + 1) } };
	node_rebind(n);
	return n;
}

void node_rebind(struct node *n)
{
	n->nat_port[0] = (uint16_t)(20000 + rnd_below(&n->w->rnd, 10000));
	n->nat_port[1] = (uint16_t)(40000 + rnd_below(&n->w->rnd, 10000));
}

/* As an agent does to have them in NAT detection. */
static void tell_addresses(struct node *n, unsigned int link)
{
	if (n->core && n->conf[link].encap != IKE_ENCAP_UDP)
		ike_core_addresses(n->core, n->conf[link].name, &n->addr, 1, n->w->now);
}

void node_move(struct node *n, const struct ike_addr *addr, const struct ike_addr *nat)
{
	unsigned int i;

	n->had[n->n_had++ % NODE_HAD] = n->nat.family ? n->nat : n->addr;
	n->addr = *addr;
	n->nat = nat ? *nat : (struct ike_addr){ 0 };
	if (nat)
		node_rebind(n);
	for (i = 0; i < WORLD_LINKS; i++) {
		if (n->conf[i].name[0])
			tell_addresses(n, i);
		if (n->conf[i].name[0] && n->core)
			ike_core_path(n->core, n->conf[i].name, IKE_PEER_FIRST, &n->addr,
				      n->w->now);
		if (n->conf[i].name[0] && n->remote[i].addr.family)
			n->local[i] = n->addr;
	}
	for (i = 0; i < NODE_CLIENTS; i++) {
		if (!n->has_peer[i])
			continue;
		n->local[n->peer_link[i]] = n->addr;
		if (n->core)
			ike_core_path(n->core, n->conf[n->w->link[n->peer_link[i]].hub].name, i,
				      &n->addr, n->w->now);
	}
}

static void add_transform(struct ike_proposal *p, uint8_t type, uint16_t id, uint16_t bits)
{
	p->t[p->n++] = (struct ike_transform){ .type = type, .id = id, .key_bits = bits };
}

static void any_selectors(struct ike_ts_list *l)
{
	l->n = 1;
	l->ts[0] = (struct ike_ts){ .family = 4, .port_end = 65535 };
	memset(l->ts[0].end, 0xff, 4);
}

static void link_conf(struct ike_tunnel_conf *c, unsigned int link, const struct node *self,
		      const struct node *peer, bool know)
{
	memset(c, 0, sizeof(*c));
	snprintf(c->name, sizeof(c->name), "t%u", link);
	c->local_id.type = IKE_ID_FQDN;
	c->local_id.len = (uint16_t)snprintf((char *)c->local_id.data, IKE_MAX_ID, "node%u.example",
					     self->index);
	c->remote_id.type = IKE_ID_FQDN;
	c->remote_id.len = (uint16_t)snprintf((char *)c->remote_id.data, IKE_MAX_ID,
					      "node%u.example", peer->index);
	c->local.port = IKE_NATT_PORT;
	if (know)
		c->remote = (struct ike_endpoint){ peer->addr, IKE_PORT };
	c->ike.n = 1;
	add_transform(&c->ike.p[0], IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256);
	add_transform(&c->ike.p[0], IKE_T_PRF, IKE_PRF_HMAC_SHA2_256, 0);
	add_transform(&c->ike.p[0], IKE_T_DH, IKE_DH_CURVE25519, 0);
	c->esp.n = 1;
	add_transform(&c->esp.p[0], IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256);
	add_transform(&c->esp.p[0], IKE_T_ESN, IKE_ESN_YES, 0);
	add_transform(&c->esp.p[0], IKE_T_ESN, IKE_ESN_NO, 0);
	c->n_child = 1;
	any_selectors(&c->child[0].local_ts);
	any_selectors(&c->child[0].remote_ts);
	c->child[0].start = know ? IKE_START_NOW : IKE_START_LISTEN;
	c->liveness = 20;
	c->mobike = true;
}

void node_set_psk(struct node *n, unsigned int link, const char *psk)
{
	memset(n->psk[link], 0, sizeof(n->psk[link]));
	n->psk_len[link] = strlen(psk);
	memcpy(n->psk[link], psk, n->psk_len[link]);
}

void node_set_password(struct node *n, unsigned int link, const char *password)
{
	snprintf(n->password[link], sizeof(n->password[link]), "%c%s", IKE_SECRET_PASSWORD,
		 password);
}

void node_set_ppk(struct node *n, unsigned int link, const char *id, const char *ppk, bool required)
{
	struct ike_ppk_conf *c = &n->conf[link].ppk;

	*c = (struct ike_ppk_conf){ .id_len = (uint8_t)strlen(id), .required = required };
	memcpy(c->id, id, c->id_len);
	n->ppk[link] = ppk;
}

void node_add_ppk(struct node *n, unsigned int link, const char *id, const char *ppk,
		  const char *client, bool required)
{
	n->conf[link].ppk = (struct ike_ppk_conf){ .of_clients = true, .required = required };
	n->client_ppk[n->n_client_ppk++] = (struct world_ppk){ id, ppk, client };
}

const char *const world_keys[2] = {
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEICXzGVl+RYWSFKB5/Wj2WSgNMhEgDGOitYeqB6maK/WA\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIDRuEaHuy6GQ4A0XSHHudZLNGc7jeoDcn9LsvBKu1cww\n"
	"-----END PRIVATE KEY-----\n",
};

/* The public key of @pem, and its private one in @key. */
static void read_key(const char *pem, struct ike_private_key *key, struct ike_public_key *public)
{
	char why[256];

	if (ike_private_read(pem, strlen(pem), key, public, why, sizeof(why)))
		abort();
}

static void add_cred(struct ike_creds *c, uint8_t *at, enum ike_cred_kind kind, const void *der,
		     size_t len)
{
	if (c->len + IKE_CRED_HEAD + len > NODE_CREDS)
		abort();
	ike_cred_head(at + c->len, kind, len);
	memcpy(at + c->len + IKE_CRED_HEAD, der, len);
	c->data = at;
	c->len += (uint32_t)(IKE_CRED_HEAD + len);
}

void node_add_cert(struct node *n, unsigned int link, enum ike_cred_kind kind,
		   const struct ike_iov *der)
{
	struct ike_tunnel_conf *c = &n->conf[link];

	add_cred(&c->creds, n->creds[link], kind, der->base, der->len);
	if (kind == IKE_CRED_CA)
		c->remote_auth.method = IKE_METHOD_SIGNATURE;
}

void node_set_key(struct node *n, unsigned int link, const char *own, const char *peer)
{
	struct ike_tunnel_conf *c = &n->conf[link];
	struct ike_private_key theirs;
	struct ike_public_key public;

	c->creds = (struct ike_creds){ 0 };
	c->local_auth.method = own ? IKE_METHOD_SIGNATURE : IKE_METHOD_PSK;
	c->remote_auth.method = peer ? IKE_METHOD_SIGNATURE : IKE_METHOD_PSK;
	if (own) {
		read_key(own, &n->private_key[link], &public);
		add_cred(&c->creds, n->creds[link], IKE_CRED_OWN_KEY, public.spki, public.len);
	}
	if (peer) {
		read_key(peer, &theirs, &public);
		add_cred(&c->creds, n->creds[link], IKE_CRED_PEER_KEY, public.spki, public.len);
	}
}

void node_add_user(struct node *n, const char *name, const char *secret)
{
	struct world_user *u = &n->user[n->n_users++];
	bool hash = !strncmp(secret, "nt:", 3);

	if (n->n_users > NODE_USERS || strlen(secret) >= sizeof(u->secret) ||
	    !eap_identity((const uint8_t *)name, strlen(name), &u->id))
		abort();
	u->secret[0] = hash ? IKE_SECRET_NT_HASH : IKE_SECRET_PASSWORD;
	u->len = 1 + (hash ? 16 : strlen(secret));
	memcpy(u->secret + 1, secret + (hash ? 3 : 0), u->len - 1);
}

void world_eap(struct world *w, unsigned int link, const char *b, const char *name,
	       const char *password, unsigned int methods)
{
	struct node *client = &w->node[w->link[link].a], *server = &w->node[w->link[link].b];
	unsigned int at = w->link[link].of_hub ? w->link[link].hub : link;
	struct ike_tunnel_conf *c = &client->conf[link], *s = &server->conf[at];

	node_set_key(client, link, NULL, b);
	node_set_key(server, at, b, NULL);
	add_cred(&c->creds, client->creds[link], IKE_CRED_EAP_NAME, name, strlen(name));
	c->local_auth.method = s->remote_auth.method = IKE_METHOD_EAP;
	c->eap_methods = s->eap_methods = methods;
	s->remote_id.type = 0;
	node_set_password(client, link, password);
}

void world_rounds(struct world *w, unsigned int link, const char *a, const char *b,
		  const char *name, const char *password)
{
	struct node *client = &w->node[w->link[link].a], *server = &w->node[w->link[link].b];
	unsigned int at = w->link[link].of_hub ? w->link[link].hub : link;
	struct ike_tunnel_conf *c = &client->conf[link], *s = &server->conf[at];

	node_set_key(client, link, a, b);
	node_set_key(server, at, b, a);
	add_cred(&c->creds, client->creds[link], IKE_CRED_EAP_NAME, name, strlen(name));
	c->local_auth.then_user = s->remote_auth.then_user = true;
	c->eap_methods = s->eap_methods = 1 << EAP_MSCHAPV2;
	s->first_id = s->remote_id;
	s->remote_id.type = 0;
	node_set_password(client, link, password);
}

void world_sign(struct world *w, unsigned int link, const char *a, const char *b)
{
	node_set_key(&w->node[w->link[link].a], link, a, b);
	node_set_key(&w->node[w->link[link].b], link, b, a);
}

unsigned int world_link(struct world *w, struct node *a, struct node *b, bool both)
{
	unsigned int i = w->n_links++;
	char text[64];

	snprintf(text, sizeof(text), "a long shared secret of link %u", i);
	w->link[i] = (struct sim_link){ .a = a->index, .b = b->index };
	link_conf(&a->conf[i], i, a, b, true);
	link_conf(&b->conf[i], i, b, a, both);
	node_set_psk(a, i, text);
	node_set_psk(b, i, text);
	return i;
}

unsigned int world_hub(struct world *w, struct node *hub, unsigned int clients)
{
	unsigned int i = world_link(w, hub, hub, false);
	struct ike_tunnel_conf *c = &hub->conf[i];

	c->remote = (struct ike_endpoint){ .port = 0 };
	c->child[0].start = IKE_START_LISTEN;
	c->clients = clients;
	c->remote_id.len = (uint16_t)snprintf((char *)c->remote_id.data, IKE_MAX_ID, "*.example");
	return i;
}

unsigned int world_client(struct world *w, struct node *n, unsigned int hub)
{
	struct node *h = &w->node[w->link[hub].b];
	struct ike_tunnel_conf kept = h->conf[w->n_links];
	unsigned int i = world_link(w, n, h, false);
	struct ike_ts *ts = &n->conf[i].child[0].local_ts.ts[0];

	h->conf[i] = kept; /* the hub's tunnel serves it */
	w->link[i].of_hub = true;
	w->link[i].hub = hub;
	memcpy(n->psk[i], h->psk[hub], sizeof(n->psk[i]));
	n->psk_len[i] = h->psk_len[hub];
	memcpy(ts->start, (uint8_t[]){ 10, 8, (uint8_t)i, 1 }, 4);
	memcpy(ts->end, ts->start, 4);
	return i;
}

static void make_pool(struct node *h, unsigned int size)
{
	const struct pool_range r[2] = {
		{ { 4, { 10, 9, 0, 1 } }, { 4, { 10, 9, 0, (uint8_t)size } } },
		{ { 6, { 0xfd, 9, [15] = 1 } }, { 6, { 0xfd, 9, [15] = (uint8_t)size } } },
	};

	h->pool = pool_new(r, 2, NULL, 0);
	if (!h->pool)
		abort();
}

void world_hub_pool(struct world *w, unsigned int hub, unsigned int size)
{
	struct node *h = &w->node[w->link[hub].b];
	struct ike_pool_conf *c = &h->conf[hub].pool;
	struct ike_ts_list *all = &h->conf[hub].child[0].remote_ts;

	make_pool(h, size);
	*all = (struct ike_ts_list){
		.n = 2,
		.ts = { { .family = 4, .port_end = 65535 }, { .family = 6, .port_end = 65535 } },
	};
	memset(all->ts[0].end, 255, 4);
	memset(all->ts[1].end, 255, 16);
	c->on = true;
	c->n_servers = 1;
	c->server[0] = (struct ike_addr){ 4, { 10, 0, 0, 53 } };
	ike_cp_add_domain(c->domains, "corp.example", 12);
}

unsigned int world_client_asking(struct world *w, struct node *n, unsigned int hub)
{
	unsigned int i = world_client(w, n, hub);

	n->conf[i].child[0].local_ts = w->node[w->link[hub].b].conf[hub].child[0].remote_ts;
	n->conf[i].asks_address = true;
	return i;
}

struct known {
	struct pool *pool;
	unsigned int left_out;
};

static void know_lease(void *ctx, const struct pool_lease *l)
{
	struct known *k = ctx;

	if (l->id.type)
		k->left_out += pool_restore(k->pool, 0, &l->id, &l->addr) != 0;
}

/* Another agent has read of whom each lease is, and not yet who is connected. */
static void restart_pool(struct node *n, unsigned int link)
{
	struct known k = { .left_out = 0 };
	struct pool *former = n->pool;
	struct pool_count count;

	if (!former || n->conf[link].clients <= 1)
		return;
	pool_count(former, 4, &count);
	make_pool(n, count.size);
	k.pool = n->pool;
	pool_each(former, know_lease, &k);
	pool_free(former);
	if (k.left_out)
		world_fail(n->w, "node %u: %u leases are lost", n->index, k.left_out);
}

/* The client's SAs say which address it holds. */
static void adopt_leases(struct node *n, uint32_t peer, const struct ike_adopted *pair)
{
	unsigned int i;

	for (i = 0; n->pool && i < pair->remote_ts.n; i++) {
		struct ike_addr a = { .family = pair->remote_ts.ts[i].family };

		memcpy(a.b, pair->remote_ts.ts[i].start, sizeof(a.b));
		pool_restore(n->pool, peer, &pair->id, &a);
	}
}

/* What the fake kernel holds of number @peer of @tunnel, which is on @link; false: nothing. */
static bool adopt_peer(struct node *n, unsigned int link, const char *tunnel, uint32_t peer)
{
	const struct ike_ts_list *ts[NODE_SAS];
	uint32_t in[NODE_SAS], out[NODE_SAS];
	unsigned int i, ins = 0, outs = 0;

	for (i = 0; i < n->n_sa; i++) {
		if (n->sa[i].peer != peer || strcmp(n->sa[i].tunnel, tunnel) != 0 ||
		    n->sa[i].larval)
			continue;
		if (n->sa[i].in)
			in[ins++] = n->sa[i].spi;
		else
			ts[outs] = &n->sa[i].remote_ts, out[outs++] = n->sa[i].spi;
	}
	for (i = 0; i < ins || i < outs; i++) {
		struct ike_adopted pair = {
			.peer = peer,
			.remote = n->remote[link],
			.spi_in = i < ins ? in[i] : 0,
			.spi_out = i < outs ? out[i] : 0,
			.until = n->w->now + n->adopts_for,
		};

		if (i < outs)
			pair.remote_ts = IKE_TS_OFFER(ts[i]);
		if (peer != IKE_PEER_FIRST) {
			pair.id = n->peer_id[peer];
			adopt_leases(n, peer, &pair);
		}
		ike_core_adopt(n->core, tunnel, &pair);
	}
	return ins || outs;
}

static void adopt_all(struct node *n, unsigned int link)
{
	uint32_t i;

	adopt_peer(n, link, n->conf[link].name, IKE_PEER_FIRST);
	for (i = 0; n->conf[link].clients > 1 && i < NODE_CLIENTS; i++) {
		if (!n->has_peer[i] || adopt_peer(n, n->peer_link[i], n->conf[link].name, i))
			continue;
		n->has_peer[i] = false; /* one without SAs is removed */
		n->n_peers--;
	}
}

static int64_t env_utc(void *ctx)
{
	const struct world *w = ((struct node *)ctx)->w;

	return w->utc + (int64_t)(w->now / 1000);
}

/* Randomness of the node. Nonces are recognized by their length. */
static void fill_random(void *ctx, void *buf, size_t len)
{
	struct node *n = ctx;

	rnd_fill(&n->rnd, buf, len);
	if (n->nonces_begin && len == IKE_OUR_NONCE)
		*(uint8_t *)buf = n->nonces_begin;
}

void node_start(struct node *n, bool adopt)
{
	struct ike_env env = {
		.ctx = n,
		.rng = { fill_random, n },
		.send = env_send,
		.state = env_state,
		.log = env_log,
		.utc = env_utc,
		.job_start = env_job_start,
		.crl_used = env_crl_used,
	};
	unsigned int i;

	kernel_env(&env);
	n->reachable = true;
	n->core = ike_core_new(&env);
	if (!n->core)
		abort();
	memset(n->state, 0, sizeof(n->state));
	kernel_drop_larval(n); /* reservations die with the agent that made them */
	for (i = 0; i < WORLD_LINKS; i++) {
		if (!n->conf[i].name[0])
			continue;
		if (ike_core_tunnel_add(n->core, &n->conf[i]))
			world_fail(n->w, "node %u: tunnel %u refused", n->index, i);
		restart_pool(n, i);
		if (adopt)
			adopt_all(n, i);
		tell_addresses(n, i);
		ike_core_start(n->core, n->conf[i].name, n->w->now);
	}
}

void node_stop_rekeying(struct node *n)
{
	struct ike_peer *t;

	if (!n->core)
		return;
	TAILQ_FOREACH(t, &n->core->peers, link)
	{
		struct tunnel_conf *conf = (struct tunnel_conf *)t->conf;

		conf->rekey_ike = conf->rekey_child = conf->reauth = 0;
	}
}

void node_sleep(struct node *n)
{
	n->asleep = true;
	n->reachable = false;
}

void node_wake(struct node *n)
{
	n->asleep = false;
	n->reachable = true;
}

void node_kill(struct node *n)
{
	ike_core_free(n->core);
	n->core = NULL;
	drop_jobs(n);
}

void node_crash(struct node *n)
{
	unsigned int i;

	node_kill(n);
	memset(n->stays, 0, sizeof(n->stays));
	n->reachable = false;
	n->n_sa = 0;
	memset(n->has_peer, 0, sizeof(n->has_peer));
	n->n_peers = 0;
	memset(n->remote, 0, sizeof(n->remote));
	for (i = 0; i < WORLD_LINKS; i++)
		n->last_rx[i] = UINT64_MAX;
}
