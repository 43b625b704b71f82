// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The checks of esptun why. They ask through struct why_asks, and judge the answers; nothing here opens a
 * socket or a file, and nothing is printed. What the peer's side said has been put into sentences by the agent
 * when it happened: its "fault" says which check the sentence belongs to.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/reply.h"
#include "cli/why.h"

enum {
	PING_SMALL = 84, /* bytes of an IP packet that passes wherever anything does */
	PING_TRIES = 3,
	IKE_PORT = 500,
	NATT_PORT = 4500,
	IKE_AUTH_PATIENCE = 3, /* copies of a request, from which on it counts as not answered */
};

struct why {
	const struct why_asks *asks;
	const char *tunnel;
	struct esptun_addr to; /* as asked for; AF_UNSPEC: not */
	json_t *reply; /* of the agent's status */
	json_t *t; /* the tunnel, in it */
	json_t *p; /* whose packets are looked at: the tunnel itself, or a client of it */
	struct why_probe probe; /* of the port of Endpoint; sent is 0 until it was made */
	struct esptun_addr target; /* inside, that answered; AF_UNSPEC: none did */
	uint32_t passes, told; /* bytes that pass with DF; that somebody said fit */
	char *said;
	size_t size;
	char *note;
	size_t note_size;
};

/* ---- words ---------------------------------------------------------------------------- */

const char *why_word(enum why_verdict v)
{
	static const char *const words[] = { "ok", "fault", "unknown" };

	return words[v];
}

static enum why_verdict say(struct why *w, enum why_verdict v, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static enum why_verdict say(struct why *w, enum why_verdict v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->said, w->size, fmt, ap);
	va_end(ap);
	return v;
}

static bool is(json_t *o, const char *key, const char *value)
{
	return !strcmp(reply_text(o, key), value);
}

/* ---- what a check needs ---------------------------------------------------------------- */

enum {
	NEEDS_PENDING = 1, /* a tunnel that is not up */
	NEEDS_UP = 2,
	NEEDS_ENDPOINT = 4, /* somewhere to look for its peer */
	NEEDS_ONE_PEER = 8, /* no hub */
};

static unsigned int find_needs(const struct why *w)
{
	unsigned int has = 0;

	if (!w->t)
		return 0;
	has |= is(w->t, "state", "up") ? NEEDS_UP : NEEDS_PENDING;
	if (*reply_text(w->t, "endpoint"))
		has |= NEEDS_ENDPOINT;
	if (!json_object_get(w->t, "n_clients"))
		has |= NEEDS_ONE_PEER;
	return has;
}

/* ---- this machine ---------------------------------------------------------------------- */

static enum why_verdict check_module(struct why *w)
{
	int err = w->asks->module(w->asks->ctx, w->said, w->size);

	if (err)
		return err == -ENOENT ? WHY_FAULT : WHY_UNKNOWN;
	return say(w, WHY_OK, "the kernel module is loaded");
}

static enum why_verdict judge_port(struct why *w, uint16_t port)
{
	char name[128];

	if (w->asks->holder(w->asks->ctx, port, name, sizeof(name)))
		return say(
			w, WHY_FAULT,
			"UDP port %u is taken by %s: stop that IKE daemon, and disable it; then run systemctl restart esptund",
			port, name);
	return say(w, WHY_OK, "no other program has UDP port %u", port);
}

static enum why_verdict check_port_500(struct why *w)
{
	return judge_port(w, IKE_PORT);
}

static enum why_verdict check_agent(struct why *w)
{
	json_t *request = json_pack("{ssss}", "cmd", "status", "tunnel", w->tunnel);

	w->reply = w->asks->agent(w->asks->ctx, request, w->said, w->size);
	return w->reply ? say(w, WHY_OK, "the agent runs") : WHY_FAULT;
}

static enum why_verdict check_configuration(struct why *w)
{
	json_t *file, *t = json_array_get(json_object_get(w->reply, "tunnels"), 0);
	size_t i;

	if (!json_is_true(json_object_get(w->reply, "ok")))
		return say(w, WHY_FAULT, "%s", reply_text(w->reply, "error"));
	if (!t)
		return say(w, WHY_FAULT, "the agent knows no tunnel %s", w->tunnel);
	w->t = t;
	json_array_foreach(json_object_get(w->reply, "files"), i, file) {
		if (is(file, "name", w->tunnel))
			snprintf(w->note, w->note_size, "%s/%s.conf %s: esptun reload",
				 reply_text(w->reply, "folder"), w->tunnel,
				 is(file, "state", "gone") ? "is gone, but not its tunnel"
							   : "has changed since it was read");
	}
	return say(w, WHY_OK, "the agent knows the tunnel");
}

/* The agent's own sentence, if it is about this. */
static enum why_verdict judge_fault(struct why *w, const char *fault, const char *well)
{
	if (is(w->t, "fault", fault))
		return say(w, WHY_FAULT, "%s", reply_text(w->t, "error"));
	return say(w, WHY_OK, "%s", well);
}

/* The netdevice is the one to need it. */
static enum why_verdict check_port_4500(struct why *w)
{
	if (!is(w->t, "fault", "netdevice"))
		return say(w, WHY_OK, "the netdevice has its UDP port");
	return judge_port(w, NATT_PORT);
}

static enum why_verdict check_netdevice(struct why *w)
{
	enum why_verdict v = judge_fault(w, "netdevice", "the netdevice is there");

	if (v == WHY_OK && !json_object_get(w->t, "link") && !*reply_text(w->t, "error"))
		return say(w, WHY_FAULT, "it was taken down: esptun up %s", w->tunnel);
	return v;
}

/* ---- the way to the peer ---------------------------------------------------------------- */

static enum why_verdict check_name(struct why *w)
{
	return judge_fault(w, "name", "the address of Endpoint is known");
}

static enum why_verdict check_route(struct why *w)
{
	return judge_fault(w, "path", "there is a route to the peer");
}

static bool has_answered_auth(const struct why *w)
{
	return is(w->t, "fault", "IKE_AUTH") || is(w->t, "fault", "clock") ||
	       is(w->t, "fault", "child SA");
}

/* It answered this attempt, or the one before. */
static bool has_answered(const struct why *w)
{
	return is(w->t, "step", "IKE_AUTH") || is(w->t, "fault", "IKE_SA_INIT") ||
	       has_answered_auth(w);
}

/* Does what is sent leave this machine? */
static enum why_verdict judge_leaving(struct why *w, const struct why_probe *p)
{
	if (*p->send_error)
		return say(
			w, WHY_FAULT,
			"nothing can be sent from %s to %s: %s: does a firewall of this machine drop it? See nft list ruleset, chains of the hook output",
			p->local, p->remote, p->send_error);
	if (p->seen.watched && p->sent && !p->seen.ike_left && !p->answered)
		return say(
			w, WHY_FAULT,
			"datagrams from %s to %s are sent, and none leaves this machine: a firewall or a queue discipline of its own drops them; see nft list ruleset and tc -s qdisc",
			p->local, p->remote);
	return say(w, WHY_OK, "datagrams to %s leave this machine", p->remote);
}

/* Does it answer? @silence: what to think if nobody said why not. */
static enum why_verdict judge_answer(struct why *w, const struct why_probe *p, const char *silence)
{
	const struct why_seen *s = &p->seen;

	if (p->answered)
		return say(w, WHY_OK, "%s answers", p->remote);
	if (s->ike_arrived)
		return say(
			w, WHY_FAULT,
			"%s answers, and a firewall of this machine drops it: let UDP to %s in; see nft list ruleset, chains of the hooks prerouting and input",
			p->remote, p->local);
	if (s->icmp == WHY_ICMP_CLOSED)
		return say(
			w, WHY_FAULT,
			"%s says that nothing listens at %s: start the IKE daemon there, or correct Endpoint",
			s->icmp_from, p->remote);
	if (s->icmp != WHY_ICMP_NONE)
		return say(w, WHY_FAULT, "%s says that %s %s: see its firewall or its routes",
			   s->icmp_from, p->remote,
			   s->icmp == WHY_ICMP_PROHIBITED ? "may not be reached"
							  : "cannot be reached");
	return say(w, WHY_FAULT, "no answer from %s to %u datagrams%s%s: %s", p->remote, p->sent,
		   s->watched ? ", which left this machine by " : "", s->watched ? s->device : "",
		   silence);
}

static enum why_verdict check_sending(struct why *w)
{
	if (has_answered(w))
		return say(w, WHY_OK, "the peer has answered");
	w->asks->probe(w->asks->ctx, w->tunnel, 0, &w->probe);
	if (*w->probe.refused)
		return say(w, WHY_UNKNOWN, "%s", w->probe.refused);
	return judge_leaving(w, &w->probe);
}

static enum why_verdict check_peer(struct why *w)
{
	if (has_answered(w))
		return say(w, WHY_OK, "the peer has answered");
	if (*w->probe.refused)
		return say(w, WHY_UNKNOWN, "%s", w->probe.refused);
	return judge_answer(
		w, &w->probe,
		"the peer does not run, is at another address than Endpoint, or a firewall on the way drops UDP to that port");
}

static enum why_verdict check_peer_4500(struct why *w)
{
	struct why_probe p = { .refused = "" };

	if (has_answered_auth(w))
		return say(w, WHY_OK, "the peer has answered IKE_AUTH");
	w->asks->probe(w->asks->ctx, w->tunnel, NATT_PORT, &p);
	if (*p.refused)
		return say(w, WHY_UNKNOWN, "%s", p.refused);
	if (judge_leaving(w, &p) == WHY_FAULT)
		return WHY_FAULT;
	return judge_answer(
		w, &p,
		"the peer answers on port 500 alone; let UDP port 4500 pass at its side and on the way, for IKE goes on there, and ESP");
}

/* ---- what the ends agree on --------------------------------------------------------------- */

static enum why_verdict check_algorithms(struct why *w)
{
	return judge_fault(w, "IKE_SA_INIT", "nothing is wrong with IKE_SA_INIT");
}

/* The agent judges certificates by this machine's clock, and tells when that is what they fail by. */
static enum why_verdict check_clock(struct why *w)
{
	return judge_fault(w, "clock", "the peer's certificates are valid by this machine's clock");
}

static enum why_verdict check_identity(struct why *w)
{
	return judge_fault(w, "IKE_AUTH", "nothing is wrong with identities and keys");
}

static bool lacks_child(json_t *t)
{
	json_t *child;
	size_t i;

	json_array_foreach(json_object_get(t, "children"), i, child) {
		if (!is(child, "state", "up"))
			return true;
	}
	return !is(t, "state", "up");
}

static enum why_verdict check_child(struct why *w)
{
	if (lacks_child(w->t))
		return judge_fault(w, "child SA", "nothing is wrong with child SAs");
	return say(w, WHY_OK, "all child SAs are up");
}

/* Nothing is wrong so far, and it is not up. */
static enum why_verdict check_progress(struct why *w)
{
	json_int_t tries = reply_number(w->t, "tries");
	const char *step = reply_text(w->t, "step");

	if (json_object_get(w->t, "n_clients") && !reply_number(w->t, "n_clients"))
		return say(
			w, WHY_UNKNOWN,
			"it waits for clients, and there are none: run esptun why at their ends");
	if (!*reply_text(w->t, "endpoint") || is(w->t, "start", "listen"))
		return say(w, WHY_UNKNOWN,
			   "it waits for its peer, which begins: run esptun why at that end");
	if (is(w->t, "state", "down"))
		return say(w, WHY_UNKNOWN, "it waits for traffic: esptun up %s", w->tunnel);
	if (!strcmp(step, "IKE_AUTH") && tries >= IKE_AUTH_PATIENCE)
		return say(
			w, WHY_FAULT,
			"the peer answers short datagrams on port 4500, and not IKE_AUTH, which was sent %d times: fragments of it are dropped on the way, or the peer ignores it; see its log",
			(int)tries);
	if (*step && tries >= IKE_AUTH_PATIENCE)
		return say(
			w, WHY_UNKNOWN,
			"the peer answers a probe, and not %s, which was sent %d times: see its log",
			step, (int)tries);
	if (*step)
		return say(w, WHY_UNKNOWN, "%s was sent, and the answer is awaited: ask again",
			   step);
	return say(w, WHY_UNKNOWN, "the next attempt begins soon: ask again%s%s",
		   *reply_text(w->t, "error") ? "; the last error: " : "",
		   reply_text(w->t, "error"));
}

/* ---- packets in the tunnel ----------------------------------------------------------------- */

/* The address in "192.0.2.1:4500" or "[2001:db8::1]:4500". */
static struct esptun_addr outer_address(const char *endpoint)
{
	struct esptun_addr a = { .family = AF_UNSPEC };
	char copy[80];
	char *end;

	snprintf(copy, sizeof(copy), "%s", *endpoint == '[' ? endpoint + 1 : endpoint);
	end = *endpoint == '[' ? strchr(copy, ']') : strrchr(copy, ':');
	if (end)
		*end = 0;
	if (!end || esptun_addr_parse(copy, &a))
		a.family = AF_UNSPEC;
	return a;
}

/* The one host of "10.9.0.2/32". */
static bool take_host(const char *prefix, struct esptun_addr *a)
{
	struct esptun_ts ts;

	if (esptun_ts_parse(prefix, &ts) || ts.prefix_len != 8 * esptun_addr_len(&ts.addr))
		return false;
	*a = ts.addr;
	return true;
}

/* The other host of "10.9.0.1/30", or of a network of two addresses. */
static bool take_neighbour(const char *prefix, struct esptun_addr *a)
{
	const char *slash = strchr(prefix, '/');
	char host[64];
	size_t len;
	unsigned int bits = 0;

	if (!slash || (size_t)(slash - prefix) >= sizeof(host) || sscanf(slash, "/%u", &bits) != 1)
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(slash - prefix), prefix);
	if (esptun_addr_parse(host, a))
		return false;
	len = esptun_addr_len(a);
	if (bits == 8 * len - 1)
		a->bytes[len - 1] ^= 1;
	else if (bits == 30 && len == 4)
		a->bytes[len - 1] ^= 3;
	else
		return false;
	return true;
}

static bool find_in(json_t *list, bool (*take)(const char *, struct esptun_addr *),
		    struct esptun_addr *a)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const char *s = json_string_value(item);

		if (s && take(s, a))
			return true;
	}
	return false;
}

bool why_find_target(json_t *t, const struct esptun_addr *to, struct esptun_addr *a)
{
	json_t *child = json_object_get(t, "child");
	bool found;

	*a = *to;
	found = a->family != AF_UNSPEC ||
		find_in(json_object_get(t, "addresses"), take_neighbour, a) ||
		find_in(json_object_get(t, "routes"), take_host, a) ||
		find_in(json_object_get(child, "remote_ts"), take_host, a);
	if (!found)
		a->family = AF_UNSPEC;
	return found;
}

/* ---- clients of a hub ---------------------------------------------------------------------- */

static bool is_within(const char *prefix, const struct esptun_addr *a)
{
	struct esptun_ts ts;

	if (esptun_ts_parse(prefix, &ts) || ts.addr.family != a->family)
		return false;
	for (unsigned int bit = 0; bit < ts.prefix_len; bit++) {
		if ((ts.addr.bytes[bit / 8] ^ a->bytes[bit / 8]) & 0x80 >> bit % 8)
			return false;
	}
	return true;
}

/* Is @a behind this client, by the selectors of its child SAs? */
static bool has_address(json_t *client, const struct esptun_addr *a)
{
	json_t *child, *ts;
	size_t i, j;

	json_array_foreach(json_object_get(client, "children"), i, child) {
		json_array_foreach(json_object_get(child, "remote_ts"), j, ts) {
			if (json_is_string(ts) && is_within(json_string_value(ts), a))
				return true;
		}
	}
	return false;
}

static json_t *find_client(json_t *t, const struct esptun_addr *a)
{
	json_t *client;
	size_t i;

	json_array_foreach(json_object_get(t, "clients"), i, client) {
		if (has_address(client, a))
			return client;
	}
	return NULL;
}

/* How many packets a client was sent that has sent none itself; 0 if it has. */
static json_int_t count_unanswered(json_t *client)
{
	json_t *peer = json_object_get(client, "peer");

	return reply_number(peer, "rx_packets") ? 0 : reply_number(peer, "tx_packets");
}

/* The one to ask about first. */
static json_t *find_silent_client(json_t *t)
{
	json_t *client, *worst = NULL;
	size_t i;

	json_array_foreach(json_object_get(t, "clients"), i, client) {
		if (!worst || count_unanswered(client) > count_unanswered(worst))
			worst = client;
	}
	return worst;
}

static bool is_hub(const struct why *w)
{
	return json_object_get(w->t, "n_clients");
}

/* Nobody said whom to ask: which clients answer echo requests is not known, and there may be thousands. */
static enum why_verdict suggest_client(struct why *w)
{
	json_t *client = find_silent_client(w->t);
	json_int_t unanswered = count_unanswered(client);

	if (unanswered)
		return say(
			w, WHY_UNKNOWN,
			"client '%s' was sent %ld packets, and has sent none: esptun why %s to ADDRESS, one behind it that answers echo requests",
			reply_text(client, "id"), (long)unanswered, w->tunnel);
	return say(
		w, WHY_UNKNOWN,
		"clients that are connected: %ld; whether packets pass can be told of one at a time: esptun why %s to ADDRESS, one behind it that answers echo requests",
		(long)reply_number(w->t, "n_clients"), w->tunnel);
}

/* ---- echo requests ------------------------------------------------------------------------- */

static void ping(const struct why *w, const struct esptun_addr *to, uint32_t size, bool df,
		 struct why_pong *out)
{
	json_t *ike = json_object_get(w->p, "ike");
	const struct why_ping what = {
		.dev = w->tunnel,
		.to = *to,
		.peer_id = (uint32_t)reply_number(w->p, "peer_id"),
		.peer = outer_address(reply_text(ike, "remote")),
		.size = size,
		.df = df,
		.tries = PING_TRIES,
	};

	memset(out, 0, sizeof(*out));
	w->asks->ping(w->asks->ctx, &what, out);
}

/* "; the counter NAME rose: TEXT", or nothing. */
static const char *drops(const struct why_pong *p, char *buf, size_t size)
{
	*buf = 0;
	if (*p->drop)
		snprintf(buf, size, "; the counter %s rose: %s", p->drop,
			 p->drop_text ? p->drop_text : "");
	return buf;
}

/* Nothing left for the peer, or it did not get out. */
static enum why_verdict judge_outbound(struct why *w, const struct why_pong *p, const char *to)
{
	char buf[256];

	if (!p->tx)
		return say(
			w, WHY_FAULT,
			"what is sent to %s enters no SA%s%s%s: compare Selectors= with the source and destination of packets",
			to, *p->error ? ": " : "", p->error, drops(p, buf, sizeof(buf)));
	if (p->seen.watched && !p->seen.esp_left)
		return say(
			w, WHY_FAULT,
			"ESP is sent, and none leaves this machine: a firewall of its own drops it; see nft list ruleset, chains of the hooks output and postrouting");
	return WHY_OK;
}

/* ESP leaves, and no answer came: by which way was it lost? */
static enum why_verdict judge_silence(struct why *w, const struct why_pong *p, const char *to)
{
	json_t *peer = json_object_get(w->p, "peer");
	char buf[256];

	if (p->rx)
		return say(
			w, WHY_FAULT,
			"ESP of the peer comes in (%u packets), and nothing answers %u packets of ours to %s: what is sent there does not reach the peer, or %s answers no echo requests; rx packets of esptun status at the other end tell",
			(unsigned int)p->rx, (unsigned int)p->tx, to, to);
	if (p->seen.esp_arrived)
		return say(
			w, WHY_FAULT,
			"ESP of the peer reaches this machine, and is not taken%s: %s",
			drops(p, buf, sizeof(buf)),
			*p->drop
				? "the ends have different keys, or something on the way changes packets"
				: "a firewall of this machine drops it; see nft list ruleset");
	return say(
		w, WHY_FAULT,
		"ESP leaves this machine%s%s (%u packets), and none of the peer comes back, %ld in all so far: ESP is dropped on the way, or %s answers no echo requests; if rx packets of esptun status at the other end rise, it is lost on the way back, else on the way there",
		p->seen.watched ? " by " : "", p->seen.device, (unsigned int)p->tx,
		(long)reply_number(peer, "rx_packets"), to);
}

static enum why_verdict check_esp(struct why *w)
{
	char to[ESPTUN_ADDR_STRLEN];
	struct esptun_addr a;
	struct why_pong p;

	if (is_hub(w) && w->to.family == AF_UNSPEC)
		return suggest_client(w);
	if (!why_find_target(w->t, &w->to, &a))
		return say(
			w, WHY_UNKNOWN,
			"the tunnel is up; whether packets pass can be told with an address behind it that answers echo requests: esptun why %s to ADDRESS",
			w->tunnel);
	esptun_addr_format(&a, to);
	w->p = is_hub(w) ? find_client(w->t, &a) : w->t;
	if (!w->p)
		return say(
			w, WHY_FAULT,
			"%s is behind no client that is connected: see esptun status %s for the remote selectors of each, and run esptun why at its end",
			to, w->tunnel);
	ping(w, &a, PING_SMALL, false, &p);
	if (*p.failed)
		return say(w, WHY_UNKNOWN, "%s", p.failed);
	if (p.answered) {
		w->target = a;
		return say(w, WHY_OK, "%s answers through the tunnel", to);
	}
	if (judge_outbound(w, &p, to) == WHY_FAULT)
		return WHY_FAULT;
	return judge_silence(w, &p, to);
}

/* The most bytes that pass with DF, of which so many do. */
static uint32_t find_most(const struct why *w, uint32_t passes, uint32_t lost)
{
	struct why_pong p;

	while (lost - passes > 8) {
		uint32_t half = passes + (lost - passes) / 2;

		ping(w, &w->target, half, true, &p);
		if (p.answered)
			passes = half;
		else
			lost = half;
	}
	return passes;
}

static enum why_verdict check_mtu(struct why *w)
{
	uint32_t mtu = (uint32_t)reply_number(json_object_get(w->t, "link"), "mtu"), size = mtu;
	struct why_pong p = { .answered = false };

	if (w->target.family == AF_UNSPEC || mtu <= PING_SMALL)
		return say(w, WHY_UNKNOWN,
			   "how large packets may be was not tried: nothing answers behind it");
	/* Each who tells what fits may be followed by a narrower one. */
	for (unsigned int i = 0; i < 4; i++) {
		ping(w, &w->target, size, true, &p);
		if (p.answered || *p.failed || p.too_big <= PING_SMALL || p.too_big >= size)
			break;
		w->told = size = p.too_big;
	}
	if (*p.failed)
		return say(w, WHY_UNKNOWN, "%s", p.failed);
	w->passes = p.answered ? size : find_most(w, PING_SMALL, size);
	if (!p.answered)
		return say(
			w, WHY_FAULT,
			"packets of %u bytes are lost in the tunnel, and nobody says so (a black hole of path MTU discovery): those of %u pass; let ICMP of type 3 code 4, and of ICMPv6 type 2, pass on the way, or set MTU = %u in [Tunnel]",
			size, w->passes, w->passes);
	return say(w, WHY_OK, "packets of %u bytes pass; the MTU is %u", w->passes, mtu);
}

/* Those that may be fragmented, and have to be on the way. */
static enum why_verdict check_fragments(struct why *w)
{
	uint32_t mtu = (uint32_t)reply_number(json_object_get(w->t, "link"), "mtu");
	struct why_pong p;

	if (w->target.family != AF_INET || !w->told || w->told >= mtu)
		return say(w, WHY_OK, "nothing has to be fragmented on the way");
	ping(w, &w->target, mtu, false, &p);
	if (*p.failed)
		return say(w, WHY_UNKNOWN, "%s", p.failed);
	if (!p.answered)
		return say(
			w, WHY_FAULT,
			"ESP passes, and its fragments do not: packets of up to %u bytes pass, and one of %u without DF, which has to be fragmented on the way, does not; set MTU = %u in [Tunnel], or let fragments pass",
			w->passes, mtu, w->passes);
	return say(w, WHY_OK, "fragments of ESP pass");
}

/* What the peer sends after a pause has to find the NAT's mapping; a keepalive comes in time, or it does not. */
static enum why_verdict check_nat(struct why *w)
{
	json_t *ike = json_object_get(w->t, "ike");
	const struct why_pause what = {
		.dev = w->tunnel,
		.to = w->target,
		.peer = outer_address(reply_text(ike, "remote")),
	};
	struct why_paused p = { .failed = "" };

	if (!json_is_true(json_object_get(ike, "nat_local")))
		return say(w, WHY_OK, "no NAT is in front of this machine");
	if (w->target.family != AF_INET)
		return say(
			w, WHY_UNKNOWN,
			"how long the NAT in front of this machine remembers can be told with an IPv4 address behind the tunnel: esptun why %s to ADDRESS",
			w->tunnel);
	w->asks->pause(w->asks->ctx, &what, &p);
	if (*p.failed)
		return say(w, WHY_UNKNOWN, "%s", p.failed);
	if (p.late && p.busy)
		return say(w, WHY_OK,
			   "other packets keep the NAT in front of this machine reminded");
	if (p.late)
		return say(w, WHY_OK,
			   "the NAT in front of this machine remembers for %u s; Keepalive is %u s",
			   p.pause, p.keepalive);
	if (!p.afterwards)
		return say(
			w, WHY_UNKNOWN,
			"how long the NAT in front of this machine remembers was not tried: the host that answers echo requests does not tell of fragments that it lacks the rest of (ICMP type 11 code 1)");
	return say(
		w, WHY_FAULT,
		"the NAT in front of this machine, or a firewall on the way, forgets within %u s, and Keepalive = %u comes too late: what the other end sends after a pause is lost until this end sends something; set Keepalive = %u in [Peer]",
		p.pause, p.keepalive, p.pause / 2 > 5 ? p.pause / 2 : 5);
}

/* ---- the table --------------------------------------------------------------------------- */

static const struct check {
	const char *name;
	enum why_verdict (*run)(struct why *w);
	unsigned int needs; /* else it is left out */
} checks[] = {
	{ "module", check_module, 0 },
	{ "port 500", check_port_500, 0 },
	{ "agent", check_agent, 0 },
	{ "configuration", check_configuration, 0 },
	{ "port 4500", check_port_4500, 0 },
	{ "netdevice", check_netdevice, 0 },
	{ "name", check_name, NEEDS_PENDING },
	{ "route", check_route, NEEDS_PENDING },
	{ "sending", check_sending, NEEDS_PENDING | NEEDS_ENDPOINT },
	{ "peer", check_peer, NEEDS_PENDING | NEEDS_ENDPOINT },
	{ "peer's port 4500", check_peer_4500, NEEDS_PENDING | NEEDS_ENDPOINT },
	{ "algorithms", check_algorithms, NEEDS_PENDING },
	{ "clock", check_clock, NEEDS_PENDING },
	{ "identities", check_identity, NEEDS_PENDING },
	{ "child SAs", check_child, NEEDS_ONE_PEER },
	{ "progress", check_progress, NEEDS_PENDING },
	{ "ESP", check_esp, NEEDS_UP },
	{ "MTU", check_mtu, NEEDS_UP },
	{ "fragments", check_fragments, NEEDS_UP },
	{ "NAT", check_nat, NEEDS_UP | NEEDS_ONE_PEER },
};

static void note_verdict(struct why_result *r, const struct check *c, enum why_verdict v,
			 const char *said)
{
	if (v == WHY_OK || (v == WHY_UNKNOWN && r->verdict == WHY_UNKNOWN))
		return;
	r->verdict = v;
	r->check = c->name;
	snprintf(r->said, sizeof(r->said), "%s", said);
}

void why_run(const struct why_asks *asks, const char *tunnel, const struct esptun_addr *to,
	     why_step_fn step, void *ctx, struct why_result *r)
{
	char said[sizeof(r->said)];
	struct why w = {
		.asks = asks,
		.tunnel = tunnel,
		.said = said,
		.size = sizeof(said),
		.note = r->note,
		.note_size = sizeof(r->note),
	};

	memset(r, 0, sizeof(*r));
	if (to)
		w.to = *to;
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks) && r->verdict != WHY_FAULT; i++) {
		const struct check *c = &checks[i];
		enum why_verdict v;

		if (c->needs & ~find_needs(&w))
			continue;
		said[0] = 0;
		v = c->run(&w);
		if (step)
			step(ctx, c->name, v, said);
		note_verdict(r, c, v, said);
	}
	json_decref(w.reply);
}
