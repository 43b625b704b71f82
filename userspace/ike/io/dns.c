// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "ike/io/dns.h"

/*
 * Each has a socket for each name server, until its time is over, also if it is given up before. Of one use, however
 * many of its servers are dead, it takes no place of another one.
 */
static const unsigned int most[DNS_USES] = { [DNS_OF_PEERS] = 96, [DNS_OF_FETCHING] = 32 };
static unsigned int lookups[DNS_USES];

struct dns {
	enum dns_use use;
	struct evdns_base *base;
	struct event *later; /* reports outside of evdns, so that the base may be freed */
	struct ike_addr addrs[DNS_ADDRESSES];
	unsigned int n;
	const char *err;
	bool answered, cancelled;
	dns_fn fn;
	void *ctx;
};

static void destroy(struct dns *d)
{
	if (d->base)
		evdns_base_free(d->base, 0);
	event_free(d->later);
	lookups[d->use]--;
	free(d);
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	struct dns *d = arg;

	(void)fd;
	(void)what;
	if (d->cancelled)
		destroy(d);
	else
		d->fn(d->ctx, d->addrs, d->n, d->err);
}

static void report(struct dns *d, const char *err)
{
	d->answered = true;
	d->err = err;
	event_active(d->later, EV_TIMEOUT, 1);
}

static const char *reason(int result)
{
	switch (result) {
	case 0: return "the name has no address";
	case EVUTIL_EAI_NONAME: return "there is no such name";
	case EVUTIL_EAI_FAIL:
		/* libevent does not tell which: no answer, an error, or no such record. */
		return "no name server answered with an address";
	default: return evutil_gai_strerror(result);
	}
}

static void take(struct dns *d, const struct evutil_addrinfo *list, int family)
{
	for (; list && d->n < DNS_ADDRESSES; list = list->ai_next) {
		struct ike_addr *a = &d->addrs[d->n];

		if (list->ai_family != family)
			continue;
		a->family = family == AF_INET ? 4 : 6;
		if (family == AF_INET)
			memcpy(a->b, &((struct sockaddr_in *)list->ai_addr)->sin_addr, 4);
		else
			memcpy(a->b, &((struct sockaddr_in6 *)list->ai_addr)->sin6_addr, 16);
		d->n++;
	}
}

static void on_answer(int result, struct evutil_addrinfo *list, void *arg)
{
	struct dns *d = arg;

	take(d, list, AF_INET6);
	take(d, list, AF_INET);
	if (list)
		evutil_freeaddrinfo(list);
	report(d, reason(result));
}

static void ask(struct dns *d, struct event_base *base, const char *name)
{
	struct evutil_addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_protocol = IPPROTO_UDP,
	};

	/* With the other flag it hears no answers of a server that took over two questions of another one. */
	d->base = evdns_base_new(base, 0);
	if (!d->base) {
		report(d, "out of memory");
		return;
	}
	evdns_base_load_hosts(d->base, "/etc/hosts");
	evdns_base_resolv_conf_parse(d->base, DNS_OPTIONS_ALL & ~DNS_OPTION_HOSTSFILE,
				     "/etc/resolv.conf");
	/*
	 * Servers are asked by turns, also for the other family: of three, two of which are dead,
	 * the fourth question goes to the third. For that, the family answered first has to wait.
	 */
	evdns_base_set_option(d->base, "timeout", "2");
	evdns_base_set_option(d->base, "attempts", "4");
	evdns_base_set_option(d->base, "getaddrinfo-allow-skew", "8");
	/* May call on_answer() at once. */
	evdns_getaddrinfo(d->base, name, NULL, &hints, on_answer, d);
}

struct dns *dns_lookup(struct event_base *base, enum dns_use use, const char *name, dns_fn fn,
		       void *ctx)
{
	struct dns *d = lookups[use] < most[use] ? calloc(1, sizeof(*d)) : NULL;

	if (!d)
		return NULL;
	d->use = use;
	d->fn = fn;
	d->ctx = ctx;
	d->later = evtimer_new(base, on_later, d);
	if (!d->later) {
		free(d);
		return NULL;
	}
	lookups[use]++;
	ask(d, base, name);
	return d;
}

void dns_cancel(struct dns *d)
{
	if (!d)
		return;
	/* evdns still holds on to an unanswered one: it goes when the answer or its timeout comes. */
	d->cancelled = true;
	if (d->answered)
		destroy(d);
}
