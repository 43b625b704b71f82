// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fetching of CRLs and OCSP responses, a job of the core (IKE_JOB_FETCH). The core, which parses what the network
 * sends, says what is to be fetched: here it is decided where that leads. A name is resolved, its addresses are
 * looked at, and the fetch process (fetch_serve.h) gets those that are allowed, never the name. Redirects come back
 * here, for the same questions. What is fetched by several jobs at once is fetched once.
 *
 * Nobody should make this machine speak with itself, or with what is behind a tunnel, by a certificate: addresses of
 * this machine, of a link, and those that a tunnel leads to are refused, unless FetchFrom= names them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ike/app/agent_int.h"
#include "ike/app/crl_file.h"
#include "ike/app/fetch_serve.h"
#include "ike/app/kept.h"
#include "ike/app/revival.h"
#include "ike/io/dns.h"
#include "ike/proto/addr.h"

enum {
	FETCHES_MOST = 64, /* that are under way, or wait, … */
	FETCHES_OF_ONE = 48, /* … those of one tunnel, … */
	ORDERS_OF_ONE = FETCH_AT_ONCE / 2, /* … and of these in the process */
	FETCH_MS = 5000, /* for each, with name servers and redirects */
	ANSWER_MS = 500, /* of that, for the process to say that the time is over */
	REDIRECTS = 3,
	FAULT = 256,
	/* Of one tunnel: a hub's clients may come all at once, with a responder to ask about each. */
	FETCHES_AT_ONCE = 256,
	FETCH_EVERY_MS = 100,
};

struct fetch {
	TAILQ_ENTRY(fetch) link;
	struct fetches *all;
	char uri[PKI_MAX_URI], at[PKI_MAX_URI]; /* what was asked for, and where that has led */
	uint8_t request[PKI_MAX_OCSP_REQUEST];
	size_t request_len;
	char tunnel[IKE_JOB_NAME];
	uint64_t *jobs; /* of the core, that wait for it */
	unsigned int n_jobs, redirects;
	uint64_t until; /* ms */
	struct event *limit; /* then, or when there is a fault */
	struct dns *dns;
	struct http_place place;
	struct ike_addr addrs[FETCH_ADDRESSES];
	unsigned int n_addrs; /* 0: they are not known yet */
	uint32_t number; /* of its order; 0: there is none yet */
	char fault[FAULT]; /* "": all is well yet */
	bool refused; /* that is of its tunnel, which may not ask there */
};

struct fetches {
	struct agent *agent;
	TAILQ_HEAD(, fetch) list; /* oldest first */
	unsigned int n, n_orders;
	uint32_t last; /* number of an order */
	struct revival revival;
	int fd; /* to the process; -1: there is none */
	struct event *event;
	struct crl_file *crls; /* that were of use: they stand in for servers that do not answer */
	uint8_t message[FETCH_LONGEST] __attribute__((aligned(16)));
};

/* ---- the end of one ------------------------------------------------------------------------- */

static void drop_process(struct fetches *all)
{
	if (all->event)
		event_free(all->event);
	all->event = NULL;
	if (all->fd < 0)
		return;
	close(all->fd);
	all->fd = -1;
	spawn_kill(all->agent->helpers->fetch_spawn);
}

static void free_fetch(struct fetch *f)
{
	struct fetches *all = f->all;

	TAILQ_REMOVE(&all->list, f, link);
	all->n--;
	if (f->number)
		all->n_orders--;
	dns_cancel(f->dns);
	if (f->limit)
		event_free(f->limit);
	free(f->jobs);
	free(f);
}

static void say_end(const struct fetch *f, size_t len, bool old)
{
	const char *what = f->request_len ? "OCSP response" : "CRL";
	char text[PKI_MAX_URI + FAULT + 128];

	if (*f->fault)
		snprintf(text, sizeof(text), "cannot fetch the %s at %s: %s%s", what, f->uri,
			 f->fault, old ? "; the one that came from there before stands in" : "");
	else
		snprintf(text, sizeof(text), "fetched the %s at %s: %zu bytes", what, f->uri, len);
	log_core(*f->fault ? IKE_LOG_WARN : IKE_LOG_INFO, f->tunnel, NULL, NULL, text, loop_now());
}

static void send_orders(struct fetches *all);

/* The CRL that came from there before stands in if the server fails, not if the tunnel may not ask it. */
static struct ike_iov find_kept(const struct fetch *f)
{
	if (!*f->fault || f->refused || f->request_len)
		return (struct ike_iov){ 0 };
	return kept_find(crl_file_kept(f->all->crls), f->uri);
}

/* From the event loop only, never from within a call of the core's. */
static void finish(struct fetch *f, const struct ike_iov *data)
{
	struct fetches *all = f->all;
	struct agent *a = all->agent;
	const struct ike_iov old = find_kept(f);
	const struct ike_fetched told = {
		.uri = f->uri,
		.request = { f->request, f->request_len },
		.data = *f->fault ? old : *data,
		.fault = *f->fault && !old.len ? f->fault : NULL,
		.tunnel = f->tunnel,
		.refused = f->refused,
		.kept = old.len,
	};
	uint64_t *jobs = f->jobs;
	unsigned int n = f->n_jobs;

	say_end(f, data->len, old.len);
	if (!*f->fault && !f->request_len)
		kept_add(crl_file_kept(all->crls), f->uri, data);
	f->jobs = NULL; /* a job that is begun meanwhile is another fetch's */
	core_fetched(a->core, &told, loop_now());
	free_fetch(f);
	for (unsigned int i = 0; i < n; i++) {
		const struct ike_job_result r = { .id = jobs[i] };

		core_job_done(a->core, &r, loop_now());
	}
	free(jobs);
	send_orders(all);
	/* While nothing is fetched nobody has sockets for that. */
	if (!all->n)
		drop_process(all);
	agent_wake(a);
}

__attribute__((format(printf, 2, 3))) static void fail(struct fetch *f, const char *fmt, ...)
{
	va_list ap;

	if (*f->fault)
		return;
	va_start(ap, fmt);
	vsnprintf(f->fault, sizeof(f->fault), fmt, ap);
	va_end(ap);
	for (char *s = f->fault; *s; s++) {
		if (*s < ' ' || *s > '~')
			*s = '?';
	}
	event_active(f->limit, EV_TIMEOUT, 1);
}

static void lose_process(struct fetches *all, const char *what);

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	const struct ike_iov nothing = { 0 };
	struct fetch *f = arg;

	(void)fd;
	(void)what;
	if (!*f->fault && f->number) /* its own limit is over before */
		lose_process(f->all, "does not answer");
	if (!*f->fault)
		snprintf(f->fault, sizeof(f->fault), "there was no whole answer within %d seconds",
			 FETCH_MS / 1000);
	finish(f, &nothing);
}

/* ---- where it leads -------------------------------------------------------------------------- */

static bool is_named(const struct tunnel *t, const struct ike_addr *a)
{
	for (unsigned int i = 0; i < t->conf.n_fetch_from; i++) {
		const struct net_prefix *p = &t->conf.fetch_from[i];

		if (ike_addr_in_net(a, &p->addr, p->len))
			return true;
	}
	return false;
}

/* Why nothing is fetched from there; false: it may be. */
static bool is_forbidden(struct agent *a, const struct tunnel *t, const struct ike_addr *addr,
			 char *why, size_t size)
{
	const struct net_prefix alone = { .addr = *addr, .len = addr->family == 4 ? 32 : 128 };
	static const struct ike_addr any;
	const struct tunnel *through;
	struct net_path path;

	if (is_named(t, addr))
		return false;
	net_find_path(a->net, addr, &any, 0, &path);
	through = path.err ? NULL : tunnel_by_index(a, path.oif);
	if (path.own || net_is_own(a->net, addr))
		snprintf(why, size, "is an address of this machine");
	else if (given_has_no_hosts(&alone))
		snprintf(why, size, "is an address that no host beyond a router has");
	else if (through)
		snprintf(why, size, "is reached through the tunnel %s", through->conf.name);
	else
		return false;
	return true;
}

static void take_addresses(struct fetch *f, const struct ike_addr *addrs, unsigned int n)
{
	struct agent *a = f->all->agent;
	const struct tunnel *t = tunnel_by_name(a, f->tunnel);
	char why[128] = "", addr[64] = "";

	if (!t || !t->conf.fetch) {
		f->refused = !*f->fault;
		fail(f, "its tunnel does not fetch any more");
		return;
	}
	for (unsigned int i = 0; i < n && f->n_addrs < FETCH_ADDRESSES; i++) {
		if (!is_forbidden(a, t, &addrs[i], why, sizeof(why)))
			f->addrs[f->n_addrs++] = addrs[i];
		else
			ike_addr_print(addr, sizeof(addr), &addrs[i]);
	}
	if (f->n_addrs) {
		send_orders(f->all);
		return;
	}
	f->refused = !*f->fault;
	fail(f, "%s %s, and nothing is fetched from there without FetchFrom = %s in [Peer]", addr,
	     why, addr);
}

static void on_addresses(void *ctx, const struct ike_addr *addrs, unsigned int n, const char *err)
{
	struct fetch *f = ctx;

	if (n)
		take_addresses(f, addrs, n);
	else
		fail(f, "the address of %.100s is not known: %s", f->place.host, err);
}

static bool read_address(const char *text, struct ike_addr *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, out->b) == 1)
		out->family = 4;
	else if (inet_pton(AF_INET6, text, out->b) == 1)
		out->family = 6;
	return out->family;
}

/* Go on at ->at. */
static void resolve(struct fetch *f)
{
	struct ike_addr addr;

	dns_cancel(f->dns);
	f->dns = NULL;
	f->n_addrs = 0;
	if (!http_place_of(f->at, &f->place)) {
		fail(f, "it is no http:// address that can be used");
	} else if (read_address(f->place.host, &addr)) {
		take_addresses(f, &addr, 1);
	} else {
		f->dns = dns_lookup(loop_base(f->all->agent->loop), DNS_OF_FETCHING, f->place.host,
				    on_addresses, f);
		if (!f->dns)
			fail(f, "too many names are looked up");
	}
}

/* ---- the process ------------------------------------------------------------------------------ */

static void redirect(struct fetch *f, const char *location)
{
	char next[PKI_MAX_URI];

	if (f->redirects++ == REDIRECTS) {
		fail(f, "there are more than %d redirects", REDIRECTS);
	} else if (!*location || !http_follow(f->at, location, next, sizeof(next))) {
		fail(f, "it redirects to '%.100s', and only http:// is followed", location);
	} else {
		memcpy(f->at, next, sizeof(f->at));
		resolve(f);
	}
}

static void take_outcome(struct fetch *f, const struct fetch_outcome *o, const struct ike_iov *data)
{
	f->all->n_orders--;
	f->number = 0;
	switch ((enum http_end)o->end) {
	case HTTP_DONE:
		if (data->len)
			finish(f, data);
		else
			fail(f, "nothing is there");
		return;
	case HTTP_MOVED: redirect(f, o->location); break;
	case HTTP_STATUS: fail(f, "the server says: HTTP status %u", o->status); break;
	case HTTP_UNREACHED:
		fail(f, "no connection to %.100s, port %u", f->place.host, f->place.port);
		break;
	case HTTP_SLOW:
		fail(f, "there was no whole answer within %d seconds", FETCH_MS / 1000);
		break;
	case HTTP_LARGE:
		fail(f, "it is larger than %d bytes",
		     f->request_len ? PKI_MAX_CERT : IKE_MAX_FETCHED);
		break;
	default: fail(f, "what the server says is no answer of HTTP, or is cut off");
	}
	send_orders(f->all);
}

static struct fetch *find_order(const struct fetches *all, uint32_t number)
{
	struct fetch *f;

	TAILQ_FOREACH(f, &all->list, link)
	{
		if (number && f->number == number)
			return f;
	}
	return NULL;
}

/* All that it was doing has failed. */
static void lose_process(struct fetches *all, const char *what)
{
	struct fetch *f;

	log_say(IKE_LOG_ERROR, NULL, "the process that fetches CRLs %s", what);
	drop_process(all);
	revival_note(&all->revival, loop_now());
	TAILQ_FOREACH(f, &all->list, link)
	{
		if (!f->number)
			continue;
		f->number = 0;
		all->n_orders--;
		fail(f, "the process that fetches %s", what);
	}
}

static void on_outcome(evutil_socket_t fd, short what, void *arg)
{
	struct fetches *all = arg;
	const struct fetch_outcome *o = (const struct fetch_outcome *)all->message;
	ssize_t n = recv(fd, all->message, sizeof(all->message), MSG_DONTWAIT);
	struct ike_iov data = { o + 1, 0 };
	struct fetch *f;

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		lose_process(all, "has ended");
		return;
	}
	f = n >= (ssize_t)sizeof(*o) ? find_order(all, o->number) : NULL;
	if (!f || o->end >= HTTP_ENDS || o->len != (size_t)n - sizeof(*o) ||
	    o->len > (f->request_len ? PKI_MAX_CERT : IKE_MAX_FETCHED) ||
	    !memchr(o->location, 0, sizeof(o->location))) {
		lose_process(all, "sends what it may not send");
		return;
	}
	data.len = o->len;
	take_outcome(f, o, &data);
}

/* False: there is none, and none may be started now. */
static bool have_process(struct fetches *all)
{
	struct spawn *spawn = all->agent->helpers->fetch_spawn;

	if (all->fd >= 0)
		return true;
	if (!spawn || loop_now() < all->revival.at)
		return false;
	all->fd = spawn_begin(spawn);
	if (all->fd < 0) {
		all->fd = -1;
		return false;
	}
	all->event = event_new(loop_base(all->agent->loop), all->fd, EV_READ | EV_PERSIST,
			       on_outcome, all);
	if (all->event && !event_add(all->event, NULL))
		return true;
	drop_process(all);
	return false;
}

static int send_order(struct fetches *all, struct fetch *f)
{
	uint64_t now = loop_now();
	struct fetch_order o = {
		.number = ++all->last ? all->last : ++all->last,
		.n_addrs = f->n_addrs,
		.port = f->place.port,
		.max = f->request_len ? PKI_MAX_CERT : IKE_MAX_FETCHED,
		.ms = now + ANSWER_MS < f->until ? (uint32_t)(f->until - now - ANSWER_MS) : 1,
		.request_len = (uint32_t)f->request_len,
	};

	memcpy(o.addr, f->addrs, sizeof(o.addr));
	memcpy(o.request, f->request, sizeof(o.request));
	if (strlen(f->place.header) >= sizeof(o.host))
		return -EMSGSIZE;
	memcpy(o.host, f->place.header, strlen(f->place.header));
	memcpy(o.path, f->place.path, sizeof(o.path));
	return send(all->fd, &o, sizeof(o), MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(o) ? 0 : -errno;
}

/* Of this tunnel; with @ordered, in the process. */
static unsigned int count_of(const struct fetches *all, const char *tunnel, bool ordered)
{
	const struct fetch *f;
	unsigned int n = 0;

	TAILQ_FOREACH(f, &all->list, link)
	{
		n += !strcmp(f->tunnel, tunnel) && (f->number || !ordered);
	}
	return n;
}

static void send_orders(struct fetches *all)
{
	struct fetch *f;

	TAILQ_FOREACH(f, &all->list, link)
	{
		if (!f->n_addrs || f->number || *f->fault ||
		    count_of(all, f->tunnel, true) == ORDERS_OF_ONE)
			continue;
		if (all->n_orders == FETCH_AT_ONCE)
			return;
		if (!have_process(all) || send_order(all, f)) {
			fail(f, "the process that fetches cannot be started, or has ended");
			continue;
		}
		f->number = all->last;
		f->n_addrs = 0; /* they are asked once */
		all->n_orders++;
	}
}

/* ---- jobs --------------------------------------------------------------------------------------- */

void fetch_keep(struct agent *a, const char *uri)
{
	if (!a->fetches)
		return;
	kept_use(crl_file_kept(a->fetches->crls), uri);
	crl_file_plan(a->fetches->crls);
}

static struct fetches *fetches_of(struct agent *a)
{
	struct fetches *all = a->fetches;

	if (all)
		return all;
	all = calloc(1, sizeof(*all));
	if (!all)
		return NULL;
	TAILQ_INIT(&all->list);
	all->agent = a;
	all->fd = -1;
	all->crls = crl_file_open(a);
	if (!all->crls) {
		free(all);
		return NULL;
	}
	a->fetches = all;
	return all;
}

/* The job comes from the process that parses what the network sends. */
static bool is_good(const struct ike_job *job)
{
	const struct ike_iov *uri = &job->octets[0], *request = &job->octets[1];
	const char *text = uri->base;

	if (!uri->len || uri->len >= PKI_MAX_URI || request->len > PKI_MAX_OCSP_REQUEST)
		return false;
	for (size_t i = 0; i < uri->len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	}
	return true;
}

static struct fetch *find_same(const struct fetches *all, const struct ike_job *job)
{
	const struct ike_iov *uri = &job->octets[0], *request = &job->octets[1];
	struct fetch *f;

	TAILQ_FOREACH(f, &all->list, link)
	{
		if (!*f->fault && strlen(f->uri) == uri->len &&
		    !memcmp(f->uri, uri->base, uri->len) && f->request_len == request->len &&
		    (!request->len || !memcmp(f->request, request->base, request->len)))
			return f;
	}
	return NULL;
}

static int add_job(struct fetch *f, uint64_t id)
{
	uint64_t *grown = f->n_jobs < IKE_JOBS ? realloc(f->jobs, (f->n_jobs + 1) * sizeof(*grown))
					       : NULL;

	if (!grown)
		return -ENOMEM;
	f->jobs = grown;
	grown[f->n_jobs++] = id;
	return 0;
}

static struct fetch *make_fetch(struct fetches *all, const struct tunnel *t,
				const struct ike_job *job)
{
	const struct timeval limit = { .tv_sec = FETCH_MS / 1000 };
	struct fetch *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->all = all;
	memcpy(f->uri, job->octets[0].base, job->octets[0].len);
	memcpy(f->at, f->uri, sizeof(f->at));
	f->request_len = job->octets[1].len;
	if (f->request_len)
		memcpy(f->request, job->octets[1].base, f->request_len);
	memcpy(f->tunnel, t->conf.name, sizeof(f->tunnel));
	f->until = loop_now() + FETCH_MS;
	TAILQ_INSERT_TAIL(&all->list, f, link);
	all->n++;
	f->limit = evtimer_new(loop_base(all->agent->loop), on_limit, f);
	if (f->limit && !event_add(f->limit, &limit) && !add_job(f, job->id))
		return f;
	free_fetch(f);
	return NULL;
}

int fetch_begin(struct tunnel *t, const struct ike_job *job)
{
	static const struct rate rate = { FETCHES_AT_ONCE * FETCH_EVERY_MS, 1 };
	struct fetches *all = fetches_of(t->agent);
	struct fetch *f;

	if (!all)
		return -ENOMEM;
	if (!t->conf.fetch || !is_good(job))
		return -EINVAL;
	f = find_same(all, job);
	if (f)
		return add_job(f, job->id);
	if (all->n == FETCHES_MOST || count_of(all, t->conf.name, false) == FETCHES_OF_ONE ||
	    !bucket_take(&t->fetches, &rate, FETCH_EVERY_MS, loop_now()))
		return -EBUSY;
	f = make_fetch(all, t, job);
	if (!f)
		return -ENOMEM;
	resolve(f);
	return 0;
}

void fetch_drop(struct agent *a)
{
	while (a->fetches && !TAILQ_EMPTY(&a->fetches->list))
		free_fetch(TAILQ_FIRST(&a->fetches->list));
	if (a->fetches)
		drop_process(a->fetches);
}

void fetch_free(struct agent *a)
{
	fetch_drop(a);
	if (a->fetches)
		crl_file_close(a->fetches->crls);
	free(a->fetches);
	a->fetches = NULL;
}
