// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Metrics in the formats of OpenMetrics 1.0 and Prometheus 0.0.4, as metrics.def lists them. Each metric's samples have
 * to stand together, so one walk over the tunnels, in parts of METRICS_SLICE, appends to one text for each metric.
 * Both formats have these texts in common; only the lines before them differ. All who ask while they are collected,
 * and within METRICS_FRESH thereafter, are answered with the same ones, so that asking often costs no more walks.
 * The bytes are not copied for each: a text becomes one piece of a libevent buffer, which all answers refer to. Texts
 * are not printed into such buffers at once, as these would be chains of a kilobyte, of which each costs in each answer.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ike/app/agent_int.h"
#include "ike/app/ctl/scrape.h"
#include "ike/io/listen.h"
#include "ike/proto/addr.h"

enum {
	METRICS_SLICE = 10, /* ms, then other events have their turn */
	METRICS_FRESH = 1000, /* ms */
	TEXT_FIRST = 1024, /* bytes; also the longest line */
};

enum metric {
#define METRIC(id, ...) METRIC_##id,
#include "ike/app/ctl/metrics.def"
#undef METRIC
	METRICS,
};

enum metric_type { GAUGE, COUNTER, INFO, STATESET };

/* A type's name in both formats, and what is behind the name of its samples. */
static const struct {
	const char *open, *classic, *suffix;
} types[] = {
	[GAUGE] = { "gauge", "gauge", "" },
	[COUNTER] = { "counter", "counter", "_total" },
	[INFO] = { "info", "gauge", "_info" },
	[STATESET] = { "stateset", "gauge", "" },
};

static const struct {
	const char *name;
	enum metric_type type;
	const char *unit, *help; /* without what the formats escape */
} rows[] = {
#define METRIC(id, name, type, unit, help) [METRIC_##id] = { "esptun_" name, type, unit, help },
#include "ike/app/ctl/metrics.def"
#undef METRIC
};

/* Samples of a metric, while they are collected. */
struct text {
	char *v;
	size_t len, size;
};

struct asker {
	TAILQ_ENTRY(asker) link;
	struct scrape *scrape;
};

struct metrics {
	struct agent *agent;
	struct scrapes *scrapes;
	TAILQ_HEAD(, asker) askers; /* that wait until all is collected */
	struct text texts[METRICS];
	struct evbuffer *samples[METRICS]; /* what became of the texts; NULL: nothing yet */
	bool collecting, failed; /* failed: memory was out */
	struct tunnel *next; /* to be looked at; NULL: all were */
	uint64_t made_at; /* ms; when all was collected last, 0: never */
};

/* ---- samples ----------------------------------------------------------------------- */

struct labels {
	char text[512];
	size_t len;
};

static void put_char(struct labels *l, char c)
{
	if (l->len < sizeof(l->text) - 1)
		l->text[l->len++] = c;
}

/* Both formats escape the same bytes of a value, and want UTF-8. */
static void add_label(struct labels *l, const char *name, const char *value)
{
	json_t *utf8 = ctl_text(value);

	if (l->len)
		put_char(l, ',');
	while (*name)
		put_char(l, *name++);
	put_char(l, '=');
	put_char(l, '"');
	for (const char *s = json_string_value(utf8); s && *s; s++) {
		if (strchr("\"\\\n", *s))
			put_char(l, '\\');
		put_char(l, *s == '\n' ? 'n' : *s);
	}
	put_char(l, '"');
	json_decref(utf8);
}

static struct labels label(const char *name, const char *value)
{
	struct labels l = { .len = 0 };

	add_label(&l, name, value);
	return l;
}

static bool append(struct text *t, const char *from, size_t len)
{
	if (t->size - t->len < len) {
		size_t size = 2 * t->size + TEXT_FIRST;
		char *v = realloc(t->v, size);

		if (!v)
			return false;
		t->v = v;
		t->size = size;
	}
	memcpy(t->v + t->len, from, len);
	t->len += len;
	return true;
}

static void put_text(struct metrics *m, enum metric i, const struct labels *l, const char *value)
{
	const char *suffix = types[rows[i].type].suffix;
	bool bare = !l || !l->len;
	char line[TEXT_FIRST];
	int n = snprintf(line, sizeof(line), "%s%s%s%s%s %s\n", rows[i].name, suffix,
			 bare ? "" : "{", bare ? "" : l->text, bare ? "" : "}", value);

	if (n < 0 || (size_t)n >= sizeof(line) || !append(&m->texts[i], line, (size_t)n))
		m->failed = true;
}

static void put_int(struct metrics *m, enum metric i, const struct labels *l, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	put_text(m, i, l, text);
}

/* Unix time of what was @ms ago. */
static void put_ago(struct metrics *m, enum metric i, const struct labels *l, uint64_t ms)
{
	struct timespec now;
	uint64_t at;
	char text[40];

	clock_gettime(CLOCK_REALTIME, &now);
	at = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	at = at > ms ? at - ms : 0;
	snprintf(text, sizeof(text), "%" PRIu64 ".%03u", at / 1000, (unsigned int)(at % 1000));
	put_text(m, i, l, text);
}

/* ---- a tunnel ---------------------------------------------------------------------- */

static void add_states(struct metrics *m, const struct tunnel *t)
{
	static const char *const all[] = { "down", "connecting", "up", "closing", "failed" };
	const char *state = status_state(t);

	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct labels l = label("tunnel", t->conf.name);

		/* By the rules for a StateSet the label is called as the metric. */
		add_label(&l, rows[METRIC_TUNNEL_STATE].name, all[i]);
		put_int(m, METRIC_TUNNEL_STATE, &l, !strcmp(all[i], state));
	}
}

static void add_traffic(struct metrics *m, const struct tunnel *t, const struct labels *l)
{
	struct esptun_peer peer;
	struct net_traffic f;

	if (t->mtu)
		put_int(m, METRIC_MTU, l, t->mtu);
	if (!net_traffic(m->agent->net, t->ifindex, &f)) {
		put_int(m, METRIC_RX_BYTES, l, f.rx_bytes);
		put_int(m, METRIC_TX_BYTES, l, f.tx_bytes);
		put_int(m, METRIC_RX_PACKETS, l, f.rx_packets);
		put_int(m, METRIC_TX_PACKETS, l, f.tx_packets);
	}
	if (t->conf.clients <= 1 &&
	    !esptun_peer_get(kernel_handle(m->agent->kernel), t->ifindex, IKE_PEER_FIRST, &peer) &&
	    peer.has & ESPTUN_PEER_HAS_LAST_RX)
		put_ago(m, METRIC_LAST_RX, l, peer.last_rx);
}

/* Sums are always there, so that rates can be made of them from the first drop on; reasons only once they occurred. */
static void put_drops(struct metrics *m, const struct tunnel *t, const struct esptun_stats *s)
{
	uint64_t rx = 0, tx = 0;
	struct labels l;

	for (unsigned int i = 0; i <= ESPTUN_STATS_A_MAX; i++) {
		char key[ESPTUN_STATS_KEYLEN];

		if (!esptun_stats_key(i, key) || !esptun_stats_is_drop(i) || !s->v[i])
			continue;
		*(*key == 'r' ? &rx : &tx) += s->v[i];
		l = label("tunnel", t->conf.name);
		add_label(&l, "reason", key);
		put_int(m, METRIC_DROPS, &l, s->v[i]);
	}
	l = label("tunnel", t->conf.name);
	add_label(&l, "direction", "received");
	put_int(m, METRIC_DROPPED, &l, rx);
	l = label("tunnel", t->conf.name);
	add_label(&l, "direction", "sent");
	put_int(m, METRIC_DROPPED, &l, tx);
}

static void add_drops(struct metrics *m, const struct tunnel *t)
{
	struct esptun_link_stats *stats;
	size_t n;

	if (esptun_stats_dump(kernel_handle(m->agent->kernel), t->ifindex, &stats, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		if (stats[i].ifindex == t->ifindex)
			put_drops(m, t, &stats[i].stats);
	}
	free(stats);
}

static void add_ike(struct metrics *m, const struct tunnel *t, const struct ike_status *s,
		    const struct labels *l)
{
	put_int(m, METRIC_ATTEMPTS, l, s->state == IKE_TUNNEL_CONNECTING ? s->attempt : 0);
	if (s->have_ike && s->established)
		put_ago(m, METRIC_ESTABLISHED, l, loop_now() - s->established_at);
	put_int(m, METRIC_IKE_REKEYS, l, s->rekeys.ike);
	put_int(m, METRIC_CHILD_REKEYS, l, s->rekeys.child);
	if (t->conf.clients <= 1)
		return;
	put_int(m, METRIC_CLIENTS, l, s->clients);
	put_int(m, METRIC_CLIENTS_LIMIT, l, t->conf.clients);
}

static void add_pool(struct metrics *m, const struct tunnel *t)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct labels l = label("tunnel", t->conf.name);
		struct pool_count c;

		pool_count(t->pool, i ? 6 : 4, &c);
		if (!c.size && !c.leased)
			continue;
		add_label(&l, "family", i ? "ipv6" : "ipv4");
		put_int(m, METRIC_POOL, &l, c.size);
		put_int(m, METRIC_POOL_LEASED, &l, c.leased);
		put_int(m, METRIC_POOL_HELD, &l, c.held);
	}
}

static void add_service(struct metrics *m, const struct tunnel *t, const struct ike_endpoint *at,
			const struct radius_service_status *s)
{
	struct labels l = label("tunnel", t->conf.name);
	char text[80];

	add_label(&l, "server", ike_endpoint_print(text, sizeof(text), at));
	put_int(m, METRIC_RADIUS_UP, &l, !s->dead);
	put_int(m, METRIC_RADIUS_REQUESTS, &l, s->requests);
	put_int(m, METRIC_RADIUS_ANSWERS, &l, s->answers);
}

static void add_servers(struct metrics *m, const struct tunnel *t)
{
	for (unsigned int i = 0; i < t->conf.n_radius; i++) {
		const struct radius_server *server = &t->conf.radius[i].server;
		struct radius_status s;

		radius_status(t, i, &s);
		add_service(m, t, &server->access, &s.access);
		if (server->accounting.port)
			add_service(m, t, &server->accounting, &s.accounting);
	}
}

static bool add_tunnel(void *ctx, const struct tunnel *t, const struct peer_rows *r)
{
	const struct labels l = label("tunnel", t->conf.name);
	struct metrics *m = ctx;

	put_int(m, METRIC_TUNNEL_UP, &l, !strcmp(status_state(t), "up"));
	add_states(m, t);
	put_int(m, METRIC_PERMANENT, &l, t->conf.start == IKE_START_NOW);
	if (t->ifindex) {
		add_traffic(m, t, &l);
		add_drops(m, t);
	}
	if (t->ifindex && r->peer)
		add_ike(m, t, r->peer, &l);
	if (t->ifindex && t->pool)
		add_pool(m, t);
	add_servers(m, t);
	return true;
}

/* ---- the agent ----------------------------------------------------------------------- */

static void add_core(struct metrics *m)
{
	struct ike_core_stats s;

	core_stats(m->agent->core, &s);
	put_int(m, METRIC_IKE_SAS, NULL, s.ike_sas);
	put_int(m, METRIC_HALF_OPEN, NULL, s.half_open);
	put_int(m, METRIC_CHILDREN, NULL, s.children);
	put_int(m, METRIC_IKE_RX, NULL, s.rx);
	put_int(m, METRIC_IKE_BAD, NULL, s.rx_bad);
	put_int(m, METRIC_IKE_UNAUTHENTICATED, NULL, s.rx_unauthenticated);
	put_int(m, METRIC_IKE_TX, NULL, s.tx);
	put_int(m, METRIC_IKE_RETRANSMITS, NULL, s.retransmits);
	put_int(m, METRIC_COOKIES_SENT, NULL, s.cookies_sent);
	put_int(m, METRIC_COOKIES_BAD, NULL, s.cookies_bad);
	put_int(m, METRIC_REFUSED, NULL, s.refused);
	put_int(m, METRIC_EVICTED, NULL, s.evicted);
}

static void add_agent(struct metrics *m)
{
	const struct labels l = label("version", ESPTUN_VERSION);

	put_int(m, METRIC_AGENT, &l, 1);
	put_int(m, METRIC_IKE_RUNS, NULL, core_runs(m->agent->core));
	if (core_runs(m->agent->core))
		add_core(m);
}

/* ---- answers ------------------------------------------------------------------------- */

static void put_head(struct evbuffer *to, enum metric i, bool open)
{
	/* The classic format names samples, OpenMetrics the metric. */
	const char *suffix = open ? "" : types[rows[i].type].suffix;

	evbuffer_add_printf(to, "# HELP %s%s %s\n# TYPE %s%s %s\n", rows[i].name, suffix,
			    rows[i].help, rows[i].name, suffix,
			    open ? types[rows[i].type].open : types[rows[i].type].classic);
	if (open && *rows[i].unit)
		evbuffer_add_printf(to, "# UNIT %s %s\n", rows[i].name, rows[i].unit);
}

static struct evbuffer *make_body(const struct metrics *m, bool open)
{
	struct evbuffer *body = m->failed || m->collecting ? NULL : evbuffer_new();

	for (unsigned int i = 0; i < METRICS && body; i++) {
		if (!evbuffer_get_length(m->samples[i]))
			continue;
		put_head(body, i, open);
		evbuffer_add_buffer_reference(body, m->samples[i]);
	}
	if (body && open)
		evbuffer_add_printf(body, "# EOF\n");
	return body;
}

static void answer(const struct metrics *m, struct scrape *s)
{
	bool open = scrape_wants_openmetrics(s);
	struct evbuffer *body = make_body(m, open);

	scrape_answer(s,
		      open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
			   : "text/plain; version=0.0.4; charset=utf-8",
		      body);
	if (body)
		evbuffer_free(body);
}

static void answer_all(struct metrics *m)
{
	struct asker *w;

	while ((w = TAILQ_FIRST(&m->askers))) {
		TAILQ_REMOVE(&m->askers, w, link);
		answer(m, w->scrape);
		free(w);
	}
}

/* ---- collecting ------------------------------------------------------------------------ */

/* Whoever still reads the former ones keeps them. */
static void drop_samples(struct metrics *m)
{
	for (unsigned int i = 0; i < METRICS; i++) {
		if (m->samples[i])
			evbuffer_free(m->samples[i]);
		m->samples[i] = NULL;
		free(m->texts[i].v);
		m->texts[i] = (struct text){ NULL };
	}
}

static void free_text(const void *data, size_t len, void *v)
{
	(void)data;
	(void)len;
	free(v);
}

/* A text becomes the one piece of a buffer, which has it then. */
static bool seal(struct text *t, struct evbuffer **out)
{
	*out = evbuffer_new();
	if (!*out || (t->len && evbuffer_add_reference(*out, t->v, t->len, free_text, t->v)))
		return false;
	if (!t->len)
		free(t->v);
	*t = (struct text){ NULL };
	return true;
}

static void begin(struct metrics *m)
{
	drop_samples(m);
	m->failed = false;
	m->collecting = true;
	m->next = m->agent->tunnels;
}

static void end(struct metrics *m)
{
	add_agent(m);
	for (unsigned int i = 0; i < METRICS && !m->failed; i++)
		m->failed = !seal(&m->texts[i], &m->samples[i]);
	m->collecting = false;
	m->made_at = m->failed ? 0 : loop_now();
	answer_all(m);
}

void metrics_tell(struct metrics *m)
{
	uint64_t until = loop_now() + METRICS_SLICE;

	while (metrics_is_busy(m) && loop_now() < until) {
		if (m->next && !m->failed)
			m->next = status_walk(m->agent, m->next, add_tunnel, m);
		else
			end(m);
	}
}

bool metrics_is_busy(const struct metrics *m)
{
	return m && m->collecting;
}

static void on_scrape(void *ctx, struct scrape *s)
{
	struct metrics *m = ctx;
	struct asker *w;

	if (!m->collecting && m->made_at && loop_now() - m->made_at < METRICS_FRESH) {
		answer(m, s);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w) {
		scrape_answer(s, "", NULL);
		return;
	}
	w->scrape = s;
	TAILQ_INSERT_TAIL(&m->askers, w, link);
	if (!m->collecting)
		begin(m);
	agent_wake(m->agent);
}

void metrics_tunnel_ends(struct metrics *m, const struct tunnel *t)
{
	if (m && m->next == t)
		m->next = t->next;
}

int metrics_open(struct agent *a, const char *where, char *err, size_t err_size)
{
	int fd = listen_local(where, "metrics", "--metrics", err, err_size);
	struct metrics *m = fd < 0 ? NULL : calloc(1, sizeof(*m));

	if (fd < 0)
		return fd;
	if (m) {
		m->agent = a;
		TAILQ_INIT(&m->askers);
		m->scrapes = scrapes_new(loop_base(a->loop), fd, on_scrape, m);
	} else {
		close(fd);
	}
	if (m && m->scrapes) {
		a->metrics = m;
		return 0;
	}
	snprintf(err, err_size, "out of memory for metrics");
	free(m);
	return -ENOMEM;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	scrapes_free(m->scrapes); /* answers go nowhere now */
	answer_all(m);
	drop_samples(m);
	free(m);
}
