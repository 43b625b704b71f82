// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The checks of esptun why, with answers made up for what they ask: each fault is found by its check and by no
 * other; and what a packet socket counts, also of packets that are cut or lie about their lengths.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/why.h"
#include "cli/why_watch.h"

/* What the world answers. */
struct world {
	int module;
	const char *holder; /* of a UDP port */
	uint16_t held;
	const char *status; /* the tunnel, JSON; NULL: no agent */
	bool refuses; /* the agent knows no such tunnel */
	struct why_probe probe[2]; /* on the port of Endpoint, on 4500 */
	unsigned int probes;
	/* Echo requests: of so many bytes, at most, one is answered. */
	uint32_t df, no_df; /* with DF, without */
	uint32_t told; /* longer ones are told to be too long, with this; 0: nobody tells */
	struct why_pong pong; /* what comes of one that has no answer */
	uint32_t pinged_peer;
	struct why_paused paused;
	unsigned int pauses;
	struct esptun_addr pinged;
	unsigned int pings;
};

static int ask_module(void *ctx, char *said, size_t size)
{
	struct world *w = ctx;

	snprintf(said, size, "kernel module not loaded; run: modprobe esptun");
	return w->module;
}

static bool ask_holder(void *ctx, uint16_t port, char *name, size_t size)
{
	struct world *w = ctx;

	snprintf(name, size, "%s", w->holder ? w->holder : "");
	return w->holder && w->held == port;
}

static json_t *ask_agent(void *ctx, json_t *request, char *said, size_t size)
{
	struct world *w = ctx;
	json_t *t = w->status ? json_loads(w->status, 0, NULL) : NULL;

	assert_string_equal(json_string_value(json_object_get(request, "cmd")), "status");
	json_decref(request);
	snprintf(said, size, "the agent is not running");
	if (!w->status)
		return NULL;
	if (w->refuses)
		return json_pack("{s:b,s:s,s:o}", "ok", 0, "error", "no tunnel hq", "x", t);
	assert_non_null(t);
	return json_pack("{s:b,s:s,s:[{s:s,s:s}],s:[o]}", "ok", 1, "folder", "/etc/esptun", "files",
			 "name", "hq", "state", "changed", "tunnels", t);
}

static void ask_probe(void *ctx, const char *tunnel, uint16_t port, struct why_probe *out)
{
	struct world *w = ctx;

	assert_string_equal(tunnel, "hq");
	assert_true(port == 0 || port == 4500);
	w->probes++;
	*out = w->probe[port == 4500];
}

static void ask_ping(void *ctx, const struct why_ping *what, struct why_pong *out)
{
	struct world *w = ctx;
	uint32_t most = what->df ? w->df : w->no_df;

	w->pings++;
	w->pinged = what->to;
	w->pinged_peer = what->peer_id;
	*out = w->pong;
	out->answered = what->size <= most;
	out->too_big = what->df && !out->answered && what->size > w->told ? w->told : 0;
}

static void ask_pause(void *ctx, const struct why_pause *what, struct why_paused *out)
{
	struct world *w = ctx;

	assert_string_equal(what->dev, "hq");
	assert_int_equal(what->to.bytes[3], 2);
	assert_int_equal(what->peer.bytes[3], 2);
	w->pauses++;
	*out = w->paused;
}

#define UP                                                                                        \
	"{\"name\":\"hq\",\"state\":\"up\",\"endpoint\":\"vpn\",\"addresses\":[\"10.9.0.1/30\"]," \
	"\"link\":{\"mtu\":1400},\"ike\":{\"remote\":\"192.0.2.2:4500\"},"                        \
	"\"children\":[{\"name\":\"hq\",\"state\":\"up\"}],\"peer\":{\"rx_packets\":7}}"
/* What follows may be more members. */
#define DOWN(more)                                                                          \
	"{\"name\":\"hq\",\"state\":\"connecting\",\"start\":\"now\",\"endpoint\":\"vpn\"," \
	"\"link\":{\"mtu\":1400},\"children\":[{\"name\":\"hq\",\"state\":\"down\"}]" more "}"

static struct world working(const char *status)
{
	struct world w = { .status = status, .df = 1400, .no_df = 1400, .pong = { .tx = 3 } };

	for (unsigned int i = 0; i < 2; i++) {
		w.probe[i].answered = true;
		w.probe[i].sent = 1;
		snprintf(w.probe[i].local, sizeof(w.probe[i].local), "192.0.2.1:%d",
			 i ? 4500 : 500);
		snprintf(w.probe[i].remote, sizeof(w.probe[i].remote), "192.0.2.2:%d",
			 i ? 4500 : 500);
	}
	return w;
}

/* Datagrams to that port leave, and that is all. */
static void be_silent(struct world *w, unsigned int i)
{
	w->probe[i].answered = false;
	w->probe[i].sent = 3;
	w->probe[i].seen = (struct why_seen){ .watched = true, .ike_left = 3, .device = "w0" };
}

struct steps {
	unsigned int n, faults;
	char last[32];
};

static void count_step(void *ctx, const char *check, enum why_verdict v, const char *said)
{
	struct steps *s = ctx;

	assert_true(*said);
	s->n++;
	s->faults += v == WHY_FAULT;
	snprintf(s->last, sizeof(s->last), "%s", check);
}

static void ask(struct world *w, const char *to, struct why_result *r)
{
	const struct why_asks asks = { w,	  ask_module, ask_holder, ask_agent,
				       ask_probe, ask_ping,   ask_pause };
	struct esptun_addr a = { .family = AF_UNSPEC };
	struct steps steps = { 0 };

	if (to)
		assert_int_equal(esptun_addr_parse(to, &a), 0);
	why_run(&asks, "hq", to ? &a : NULL, count_step, &steps, r);
	assert_int_equal(steps.faults, r->verdict == WHY_FAULT);
	if (r->verdict == WHY_FAULT)
		assert_string_equal(steps.last, r->check);
	else
		assert_true(steps.n > 5);
}

/* @check finds it, and says @words. */
static void finds(struct world *w, const char *check, const char *words)
{
	struct why_result r;

	ask(w, NULL, &r);
	assert_int_equal(r.verdict, WHY_FAULT);
	assert_string_equal(r.check, check);
	if (!strstr(r.said, words))
		fail_msg("\"%s\" is not in: %s", words, r.said);
}

static void all_is_well(void **state)
{
	struct world w = working(UP);
	struct why_result r;

	(void)state;
	ask(&w, NULL, &r);
	assert_int_equal(r.verdict, WHY_OK);
	assert_null(r.check);
	assert_non_null(strstr(r.note, "/etc/esptun/hq.conf has changed since it was read"));
	assert_int_equal(w.probes, 0);
	assert_int_equal(w.pings, 2);
	assert_int_equal(w.pinged.bytes[3], 2); /* the other host of the network */
}

static void this_machine(void **state)
{
	struct world w = working(UP);
	struct why_result r;

	(void)state;
	w.module = -ENOENT;
	finds(&w, "module", "modprobe esptun");
	w.module = -EPERM; /* which says nothing about the module */
	ask(&w, NULL, &r);
	assert_int_equal(r.verdict, WHY_UNKNOWN);
	assert_string_equal(r.check, "module");
	w = working(UP);
	w.holder = "charon (process 12)";
	w.held = 500;
	finds(&w, "port 500", "UDP port 500 is taken by charon (process 12)");
	w.held = 4500; /* nobody misses it */
	ask(&w, NULL, &r);
	assert_int_equal(r.verdict, WHY_OK);
	w = working(NULL);
	finds(&w, "agent", "not running");
	w = working(UP);
	w.refuses = true;
	finds(&w, "configuration", "no tunnel hq");
}

static void what_the_agent_says(void **state)
{
	static const struct {
		const char *fault, *check;
	} rows[] = {
		{ "netdevice", "netdevice" }, { "name", "name" },
		{ "path", "route" },	      { "IKE_SA_INIT", "algorithms" },
		{ "IKE_AUTH", "identities" }, { "child SA", "child SAs" },
		{ "clock", "clock" },
	};
	char status[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct world w = working(status);

		snprintf(status, sizeof(status), DOWN(",\"fault\":\"%s\",\"error\":\"said so\""),
			 rows[i].fault);
		finds(&w, rows[i].check, "said so");
	}
	struct world w = working(
		"{\"name\":\"hq\",\"state\":\"failed\",\"fault\":\"netdevice\",\"error\":\"x\"}");
	w.holder = "charon (process 12)";
	w.held = 4500;
	finds(&w, "port 4500", "charon");
	w = working("{\"name\":\"hq\",\"state\":\"down\",\"endpoint\":\"vpn\"}");
	finds(&w, "netdevice", "it was taken down: esptun up hq");
}

/* Some child SA of several. */
static void one_child(void **state)
{
	struct world w = working(
		"{\"name\":\"hq\",\"state\":\"up\",\"fault\":\"child SA\",\"error\":\"said so\","
		"\"link\":{\"mtu\":1400},\"children\":[{\"name\":\"a\",\"state\":\"up\"},"
		"{\"name\":\"b\",\"state\":\"down\"}]}");

	(void)state;
	finds(&w, "child SAs", "said so");
}

static void the_way(void **state)
{
	struct world w = working(DOWN(""));

	(void)state;
	snprintf(w.probe[0].send_error, sizeof(w.probe[0].send_error), "Operation not permitted");
	w.probe[0].answered = false;
	finds(&w, "sending", "from 192.0.2.1:500 to 192.0.2.2:500: Operation not permitted");
	w = working(DOWN(""));
	be_silent(&w, 0);
	w.probe[0].seen.ike_left = 0;
	finds(&w, "sending", "none leaves this machine");
	be_silent(&w, 0);
	finds(&w, "peer", "to 3 datagrams, which left this machine by w0: the peer does not run");
	w.probe[0].seen.watched = false; /* no rights: less is said */
	finds(&w, "peer", "to 3 datagrams: the peer does not run");
	be_silent(&w, 0);
	w.probe[0].seen.ike_arrived = 1;
	finds(&w, "peer", "a firewall of this machine drops it");
	be_silent(&w, 0);
	w.probe[0].seen.icmp = WHY_ICMP_CLOSED;
	snprintf(w.probe[0].seen.icmp_from, sizeof(w.probe[0].seen.icmp_from), "192.0.2.2");
	finds(&w, "peer", "192.0.2.2 says that nothing listens at 192.0.2.2:500");
	w.probe[0].seen.icmp = WHY_ICMP_PROHIBITED;
	finds(&w, "peer", "may not be reached");
	w.probe[0].seen.icmp = WHY_ICMP_UNREACHABLE;
	finds(&w, "peer", "cannot be reached");
	w = working(DOWN(""));
	be_silent(&w, 1);
	finds(&w, "peer's port 4500", "answers on port 500 alone");
	snprintf(w.probe[1].send_error, sizeof(w.probe[1].send_error), "Operation not permitted");
	finds(&w, "peer's port 4500", "nothing can be sent");
	/* It has answered IKE_SA_INIT: nothing is asked on port 500. */
	w = working(DOWN(",\"step\":\"IKE_AUTH\",\"tries\":5"));
	be_silent(&w, 0);
	finds(&w, "progress", "and not IKE_AUTH, which was sent 5 times: fragments");
	assert_int_equal(w.probes, 1);
}

static void is_unknown(const char *status, const char *words)
{
	struct world w = working(status);
	struct why_result r;

	ask(&w, NULL, &r);
	assert_int_equal(r.verdict, WHY_UNKNOWN);
	assert_string_equal(r.check, "progress");
	if (!strstr(r.said, words))
		fail_msg("\"%s\" is not in: %s", words, r.said);
}

static void waiting(void **state)
{
	(void)state;
	is_unknown("{\"name\":\"hq\",\"state\":\"down\",\"start\":\"listen\",\"link\":{}}",
		   "it waits for its peer, which begins");
	is_unknown(
		"{\"name\":\"hq\",\"state\":\"down\",\"start\":\"traffic\",\"link\":{},\"endpoint\":\"vpn\"}",
		"it waits for traffic: esptun up hq");
	is_unknown("{\"name\":\"hq\",\"state\":\"down\",\"link\":{},\"n_clients\":0}",
		   "it waits for clients");
	is_unknown(DOWN(",\"step\":\"IKE_SA_INIT\",\"tries\":1"), "the answer is awaited");
	is_unknown(DOWN(",\"step\":\"IKE_SA_INIT\",\"tries\":4"), "see its log");
	is_unknown(DOWN(",\"fault\":\"silence\",\"error\":\"no answer\""),
		   "begins soon: ask again; the last error: no answer");
}

static void esp(void **state)
{
	struct world w = working(UP);

	(void)state;
	w.df = w.no_df = 0;
	w.pong = (struct why_pong){ .drop = "tx-no-sa", .drop_text = "no SA", .error = "said so" };
	finds(&w, "ESP", "to 10.9.0.2 enters no SA: said so; the counter tx-no-sa rose: no SA");
	w.pong = (struct why_pong){ .tx = 3, .seen = { .watched = true } };
	finds(&w, "ESP", "ESP is sent, and none leaves this machine");
	w.pong.seen.esp_left = 3;
	snprintf(w.pong.seen.device, sizeof(w.pong.seen.device), "w0");
	finds(&w, "ESP", "by w0 (3 packets), and none of the peer comes back, 7 in all so far");
	w.pong.seen.esp_arrived = 3;
	finds(&w, "ESP", "reaches this machine, and is not taken: a firewall");
	snprintf(w.pong.drop, sizeof(w.pong.drop), "rx-auth");
	finds(&w, "ESP", "and is not taken; the counter rx-auth rose: : the ends have different");
	w.pong.rx = 2;
	finds(&w, "ESP", "ESP of the peer comes in (2 packets), and nothing answers 3 packets");
}

static void whom_to_ask(void **state)
{
	static const struct {
		const char *members, *to, *asked;
	} rows[] = {
		{ "", "10.1.2.3", "10.1.2.3" },
		{ "\"addresses\":[\"10.9.0.1/24\",\"10.9.0.2/30\"]", NULL, "10.9.0.1" },
		{ "\"addresses\":[\"fd00::1/127\"]", NULL, "fd00::" },
		{ "\"routes\":[\"10.0.0.0/8\",\"10.5.5.5/32\"]", NULL, "10.5.5.5" },
		{ "\"child\":{\"remote_ts\":[\"10.6.0.0/16\",\"10.6.6.6/32\"]}", NULL, "10.6.6.6" },
		{ "\"routes\":[\"x/32\",7,\"10.0.0.0/8\"],\"addresses\":[\"/30\",\"10.0.0.1/x\"]",
		  NULL, NULL },
	};
	char status[512], got[ESPTUN_ADDR_STRLEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct world w = working(status);
		struct why_result r;

		snprintf(status, sizeof(status),
			 "{\"name\":\"hq\",\"state\":\"up\",\"link\":{\"mtu\":1400}%s%s}",
			 *rows[i].members ? "," : "", rows[i].members);
		ask(&w, rows[i].to, &r);
		assert_int_equal(r.verdict, rows[i].asked ? WHY_OK : WHY_UNKNOWN);
		if (rows[i].asked)
			assert_string_equal(esptun_addr_format(&w.pinged, got), rows[i].asked);
		else
			assert_non_null(strstr(r.said, "esptun why hq to ADDRESS"));
	}
}

static void sizes(void **state)
{
	struct world w = working(UP);
	struct why_result r;

	(void)state;
	w.df = 1290;
	finds(&w, "MTU", "packets of 1400 bytes are lost in the tunnel, and nobody says so");
	finds(&w, "MTU", "let ICMP of type 3 code 4");
	ask(&w, NULL, &r);
	assert_non_null(strstr(r.said, "set MTU = 128")); /* 1,283 to 1,290 */
	assert_true(w.pings < 60);
	w.told = 1290; /* somebody says so */
	ask(&w, NULL, &r);
	assert_int_equal(r.verdict, WHY_OK);
	w.no_df = 1290;
	finds(&w, "fragments", "and its fragments do not: packets of up to 1290 bytes pass");
	w.told = 1350; /* somebody who is wrong */
	finds(&w, "MTU", "packets of 1350 bytes are lost");
}

/* @check cannot tell, and says @words. */
static void cannot_tell(struct world *w, const char *to, const char *check, const char *words)
{
	struct why_result r;

	ask(w, to, &r);
	assert_int_equal(r.verdict, WHY_UNKNOWN);
	assert_string_equal(r.check, check);
	if (!strstr(r.said, words))
		fail_msg("\"%s\" is not in: %s", words, r.said);
}

static void nat(void **state)
{
	struct world w = working(
		"{\"name\":\"hq\",\"state\":\"up\",\"addresses\":[\"10.9.0.1/30\"],"
		"\"link\":{\"mtu\":1400},\"ike\":{\"remote\":\"192.0.2.2:4500\",\"nat_local\":true}}");
	struct why_result r;

	(void)state;
	w.paused = (struct why_paused){ .keepalive = 20, .pause = 17, .afterwards = 9 };
	finds(&w, "NAT", "forgets within 17 s, and Keepalive = 20 comes too late");
	finds(&w, "NAT", "set Keepalive = 8 in [Peer]");
	w.paused.pause = 3;
	finds(&w, "NAT", "set Keepalive = 5 in [Peer]");
	w.paused.busy = true; /* and yet nothing came */
	finds(&w, "NAT", "forgets within 3 s");
	w.paused.afterwards = 0; /* the host never says that */
	cannot_tell(&w, NULL, "NAT", "was not tried");
	w.paused.late = 1;
	ask(&w, NULL, &r);
	assert_int_equal(r.verdict, WHY_OK);
	w.paused = (struct why_paused){ .keepalive = 20, .busy = true, .late = 1 };
	ask(&w, NULL, &r);
	assert_int_equal(r.verdict, WHY_OK);
	w.paused = (struct why_paused){ .failed = "cannot send fragments" };
	cannot_tell(&w, NULL, "NAT", "cannot send fragments");
	assert_int_equal(w.pauses, 8);
	w = working(UP); /* no NAT: no pause */
	ask(&w, NULL, &r);
	assert_int_equal(w.pauses, 0);
}

/* Two clients; the second one has sent nothing. */
#define HUB                                                                                         \
	"{\"name\":\"hq\",\"state\":\"up\",\"link\":{\"mtu\":1400},\"n_clients\":2,\"clients\":["   \
	"{\"peer_id\":7,\"id\":\"a.example\",\"ike\":{\"remote\":\"192.0.2.2:4500\"},"              \
	"\"peer\":{\"tx_packets\":9,\"rx_packets\":1},"                                             \
	"\"children\":[{\"state\":\"up\",\"remote_ts\":[3,\"fd00::/64\",\"10.9.0.2/32\"]}]},"       \
	"{\"peer_id\":8,\"id\":\"b.example\",\"ike\":{\"remote\":\"192.0.2.3:4500\"},"              \
	"\"peer\":{\"tx_packets\":4,\"rx_packets\":0},"                                             \
	"\"children\":[{\"state\":\"down\"},{\"state\":\"up\",\"remote_ts\":[\"10.8.128.0/17\"]}]}" \
	"]}"

static void finds_of(struct world *w, const char *to, const char *check, const char *words)
{
	struct why_result r;

	ask(w, to, &r);
	assert_int_equal(r.verdict, WHY_FAULT);
	assert_string_equal(r.check, check);
	if (!strstr(r.said, words))
		fail_msg("\"%s\" is not in: %s", words, r.said);
}

static void clients(void **state)
{
	struct world w = working(HUB);
	struct why_result r;

	(void)state;
	cannot_tell(&w, NULL, "ESP", "client 'b.example' was sent 4 packets, and has sent none");
	assert_int_equal(w.pings, 0);
	ask(&w, "10.8.200.1", &r);
	assert_int_equal(r.verdict, WHY_OK);
	assert_int_equal(w.pinged_peer, 8);
	ask(&w, "10.9.0.2", &r);
	assert_int_equal(r.verdict, WHY_OK);
	assert_int_equal(w.pinged_peer, 7);
	ask(&w, "fd00::9", &r);
	assert_int_equal(w.pinged_peer, 7);
	finds_of(&w, "10.8.127.1", "ESP", "10.8.127.1 is behind no client that is connected");
	finds_of(&w, "fd00:0:0:1::9", "ESP", "is behind no client");
	w.df = 1290;
	finds_of(&w, "10.8.200.1", "MTU", "packets of 1400 bytes are lost");
	w.df = w.no_df = 0;
	finds_of(&w, "10.9.0.2", "ESP", "none of the peer comes back, 1 in all so far");
	w = working("{\"name\":\"hq\",\"state\":\"up\",\"link\":{\"mtu\":1400},\"n_clients\":1,"
		    "\"clients\":[{\"peer_id\":7,\"id\":\"a.example\"}]}");
	cannot_tell(&w, NULL, "ESP", "clients that are connected: 1; ");
}

/* ---- packets --------------------------------------------------------------------------- */

static const uint8_t ipv4_udp[] = {
	0x45, 0,    0,	  36,	0, 0,  0,   0, 64, 17,
	0,    0,    192,  0,	2, 1,  192, 0, 2,  2, /* to the peer */
	0x01, 0xf4, 0x01, 0xf4, 0, 16, 0,   0, /* port 500 */
	1,    2,    3,	  4,	5, 6,  7,   8,
};

static void count(uint16_t port, const uint8_t *packet, size_t len, bool outgoing,
		  struct why_seen *seen)
{
	struct why_watch w = { .fd = -1, .port = port };

	assert_int_equal(esptun_addr_parse("192.0.2.2", &w.peer), 0);
	memset(seen, 0, sizeof(*seen));
	why_watch_count(&w, packet, len, outgoing, "w0", seen);
}

static void packets(void **state)
{
	uint8_t p[sizeof(ipv4_udp) + 28], turned[sizeof(ipv4_udp)];
	struct why_seen seen;

	(void)state;
	count(500, ipv4_udp, sizeof(ipv4_udp), true, &seen);
	assert_int_equal(seen.ike_left, 1);
	assert_string_equal(seen.device, "w0");
	count(4500, ipv4_udp, sizeof(ipv4_udp), true, &seen); /* another port's */
	assert_int_equal(seen.ike_left, 0);
	count(500, ipv4_udp, sizeof(ipv4_udp), false, &seen); /* it is not from the peer */
	assert_int_equal(seen.ike_arrived, 0);
	memcpy(turned, ipv4_udp, sizeof(turned));
	memcpy(turned + 12, ipv4_udp + 16, 4);
	memcpy(turned + 16, ipv4_udp + 12, 4);
	count(500, turned, sizeof(turned), false, &seen);
	assert_int_equal(seen.ike_arrived, 1);

	/* On port 4500 the first four bytes tell ESP from IKE; a keepalive is neither. */
	memcpy(p, ipv4_udp, sizeof(ipv4_udp));
	p[22] = 0x11;
	p[23] = 0x94;
	count(4500, p, sizeof(ipv4_udp), true, &seen);
	assert_int_equal(seen.esp_left, 1);
	assert_int_equal(seen.ike_left, 0);
	memset(p + 28, 0, 4);
	count(4500, p, sizeof(ipv4_udp), true, &seen);
	assert_int_equal(seen.esp_left, 0);
	assert_int_equal(seen.ike_left, 1);
	count(4500, p, 29, true, &seen);
	assert_int_equal(seen.esp_left + seen.ike_left, 0);
	p[9] = IPPROTO_ESP;
	count(4500, p, sizeof(ipv4_udp), true, &seen);
	assert_int_equal(seen.esp_left, 1);

	/* An error about our datagram, of a router. */
	static const uint8_t head[] = { 0x45, 0, 0,   64, 0, 0, 0, 0,  64, 1, 0, 0, 10, 0,
					0,    9, 192, 0,  2, 1, 3, 13, 0,  0, 0, 0, 0,	0 };
	memcpy(p, head, sizeof(head));
	memcpy(p + sizeof(head), ipv4_udp, sizeof(ipv4_udp));
	count(500, p, sizeof(p), false, &seen);
	assert_int_equal(seen.icmp, WHY_ICMP_PROHIBITED);
	assert_string_equal(seen.icmp_from, "10.0.0.9");
	count(4500, p, sizeof(p), false, &seen); /* about another port */
	assert_int_equal(seen.icmp, WHY_ICMP_NONE);
	p[21] = 3;
	count(500, p, sizeof(p), false, &seen);
	assert_int_equal(seen.icmp, WHY_ICMP_CLOSED);
	p[21] = 4; /* it did not fit */
	count(500, p, sizeof(p), false, &seen);
	assert_int_equal(seen.icmp, WHY_ICMP_NONE);
	count(500, p, sizeof(p), true, &seen); /* ours */
	assert_int_equal(seen.icmp, WHY_ICMP_NONE);
}

/* Each cut, and each byte of the headers with each value: nothing is read beyond the end. */
static void hostile_packets(void **state)
{
	struct why_seen seen;

	(void)state;
	for (size_t len = 0; len <= sizeof(ipv4_udp); len++) {
		for (size_t i = 0; i < len; i++) {
			for (unsigned int v = 0; v < 256; v++) {
				uint8_t *p = test_malloc(len);

				memcpy(p, ipv4_udp, len);
				p[i] = (uint8_t)v;
				count(500, p, len, v % 2, &seen);
				test_free(p);
			}
		}
	}
}

static void ipv6(void **state)
{
	uint8_t p[40 + 8 + 4] = { 0x60, [6] = IPPROTO_UDP, [24] = 0x20, 0x01, 0x0d, 0xb8 };
	struct why_watch w = { .fd = -1, .port = 4500 };
	struct why_seen seen = { .watched = true };

	(void)state;
	p[39] = 2;
	p[42] = 0x11;
	p[43] = 0x94;
	assert_int_equal(esptun_addr_parse("2001:db8::2", &w.peer), 0);
	why_watch_count(&w, p, sizeof(p), true, "w0", &seen);
	assert_int_equal(seen.ike_left, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(this_machine),
		cmocka_unit_test(what_the_agent_says),
		cmocka_unit_test(one_child),
		cmocka_unit_test(the_way),
		cmocka_unit_test(waiting),
		cmocka_unit_test(esp),
		cmocka_unit_test(whom_to_ask),
		cmocka_unit_test(sizes),
		cmocka_unit_test(nat),
		cmocka_unit_test(clients),
		cmocka_unit_test(packets),
		cmocka_unit_test(hostile_packets),
		cmocka_unit_test(ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
