// SPDX-License-Identifier: GPL-2.0-or-later
/* What the checks of why.c ask, asked of the kernel, the agent, and the network. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/reply.h"
#include "cli/why_ask.h"
#include "cli/why_pause.h"
#include "cli/why_ping.h"
#include "cli/why_watch.h"
#include "common/holder.h"

enum {
	PROBE_SECONDS = 3,
	IKE_PORT = 500,
	ONE_PEER = 1, /* the number of a tunnel's peer that has no other */
};

static int ask_module(void *ctx, char *said, size_t size)
{
	struct cli *cli = ctx;
	struct esptun_link_stats *stats;
	size_t n;
	int err;

	if (!cli->h)
		cli->h = esptun_open();
	if (!cli->h) {
		snprintf(said, size, "cannot open netlink sockets: %s", strerror(errno));
		return -EIO;
	}
	err = esptun_stats_dump(cli->h, 0, &stats, &n);
	if (err)
		snprintf(said, size, "%s", esptun_error(cli->h));
	else
		free(stats);
	return err;
}

static bool ask_holder(void *ctx, uint16_t port, char *name, size_t size)
{
	(void)ctx;
	return holder_of_port(port, name, size) && strncmp(name, "esptund", 7) != 0;
}

static json_t *ask_agent(void *ctx, json_t *request, char *said, size_t size)
{
	return control_exchange(ctx, request, PROBE_SECONDS, NULL, said, size);
}

static void copy_text(json_t *o, const char *key, char *to, size_t size)
{
	snprintf(to, size, "%s", reply_text(o, key));
}

/* "192.0.2.1:4500", "[2001:db8::1]:500" */
static bool parse_endpoint(const char *s, struct esptun_addr *a, uint16_t *port)
{
	const char *colon = strrchr(s, ':');
	char host[ESPTUN_ADDR_STRLEN];
	bool v6 = *s == '[';

	if (!colon || colon - s - 2 * v6 >= (ptrdiff_t)sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - s - 2 * v6), s + v6);
	*port = (uint16_t)strtoul(colon + 1, NULL, 10);
	return !esptun_addr_parse(host, a);
}

static json_t *probe_request(const char *tunnel, uint16_t port)
{
	return json_pack("{ss ss si}", "cmd", "probe", "tunnel", tunnel, "port", port);
}

static void read_probe(json_t *reply, struct why_probe *out)
{
	json_t *p = json_object_get(reply, "probe");

	copy_text(reply, "error", out->refused, sizeof(out->refused));
	copy_text(p, "local", out->local, sizeof(out->local));
	copy_text(p, "remote", out->remote, sizeof(out->remote));
	copy_text(p, "send_error", out->send_error, sizeof(out->send_error));
	out->sent = (unsigned int)json_integer_value(json_object_get(p, "sent"));
	out->answered = json_is_true(json_object_get(p, "answered"));
	if (!p && !*out->refused)
		snprintf(out->refused, sizeof(out->refused),
			 "the agent does not know the command probe: it is older than this one");
}

static void probe_once(struct cli *cli, const char *tunnel, uint16_t port, struct why_probe *out)
{
	json_t *reply =
		ask_agent(cli, probe_request(tunnel, port), out->refused, sizeof(out->refused));

	if (reply)
		read_probe(reply, out);
	json_decref(reply);
}

/* Where it went is known afterwards: what got no answer is sent once more, and watched. */
static void ask_probe(void *ctx, const char *tunnel, uint16_t port, struct why_probe *out)
{
	struct esptun_addr peer;
	struct why_watch watch;
	struct why_seen seen;
	uint16_t remote_port;

	probe_once(ctx, tunnel, port, out);
	if (out->answered || *out->refused || !parse_endpoint(out->remote, &peer, &remote_port))
		return;
	why_watch_begin(&watch, &peer, remote_port, 0);
	probe_once(ctx, tunnel, port, out);
	why_watch_end(&watch, &seen);
	out->seen = seen;
}

static void read_counts(struct cli *cli, uint32_t ifindex, uint32_t peer, struct why_counts *c)
{
	struct esptun_link_stats *all;
	size_t n;

	memset(c, 0, sizeof(*c));
	esptun_peer_get(cli->h, ifindex, peer, &c->peer);
	if (esptun_stats_dump(cli->h, ifindex, &all, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		if (all[i].ifindex == ifindex)
			c->stats = all[i].stats;
	}
	free(all);
}

static void compare_counts(const struct why_counts *before, const struct why_counts *after,
			   struct why_pong *p)
{
	uint64_t most = 0;

	p->tx = after->peer.tx_packets - before->peer.tx_packets;
	p->rx = after->peer.rx_packets - before->peer.rx_packets;
	for (unsigned int i = 0; i <= ESPTUN_STATS_A_MAX; i++) {
		uint64_t rose = after->stats.v[i] - before->stats.v[i];

		if (!esptun_stats_is_drop(i) || rose <= most)
			continue;
		most = rose;
		snprintf(p->drop, sizeof(p->drop), "%s", esptun_stats_name(i));
		p->drop_text = esptun_stats_text(i);
	}
}

static void ask_ping(void *ctx, const struct why_ping *what, struct why_pong *p)
{
	const uint32_t peer = what->peer_id ? what->peer_id : ONE_PEER;
	struct cli *cli = ctx;
	struct why_counts before, after;
	struct esptun_link link;
	struct why_watch watch;

	if (esptun_link_get(cli->h, what->dev, &link)) {
		snprintf(p->failed, sizeof(p->failed), "%s", esptun_error(cli->h));
		return;
	}
	why_watch_begin(&watch, &what->peer, IKE_PORT, link.ifindex);
	read_counts(cli, link.ifindex, peer, &before);
	why_ping(what, p);
	read_counts(cli, link.ifindex, peer, &after);
	why_watch_end(&watch, &p->seen);
	compare_counts(&before, &after, p);
}

static void ask_pause(void *ctx, const struct why_pause *what, struct why_paused *out)
{
	struct cli *cli = ctx;
	struct esptun_link link;
	struct esptun_peer peer;

	if (esptun_link_get(cli->h, what->dev, &link) ||
	    esptun_peer_get(cli->h, link.ifindex, ONE_PEER, &peer)) {
		snprintf(out->failed, sizeof(out->failed), "%s", esptun_error(cli->h));
		return;
	}
	if (isatty(STDERR_FILENO) && !cli->json)
		fprintf(stderr, "%s: does the NAT forget before the keepalive? That takes %u s.\n",
			what->dev, WHY_PAUSE_SECONDS);
	out->keepalive = peer.keepalive;
	why_pause(what, link.ifindex, out);
}

void why_asks_of(struct cli *cli, struct why_asks *asks)
{
	*asks = (struct why_asks){ cli,	      ask_module, ask_holder, ask_agent,
				   ask_probe, ask_ping,	  ask_pause };
}

void why_drops_begin(struct cli *cli, const char *dev, struct why_drops *d)
{
	struct esptun_link link;

	memset(d, 0, sizeof(*d));
	if (!esptun_link_get(cli->h, dev, &link))
		read_counts(cli, d->ifindex = link.ifindex, ONE_PEER, &d->before);
}

void why_drops_end(struct cli *cli, const struct why_drops *d, char *text, size_t size)
{
	struct why_counts after;
	size_t len = 0;

	*text = 0;
	read_counts(cli, d->ifindex, ONE_PEER, &after);
	for (unsigned int i = 0; i <= ESPTUN_STATS_A_MAX && len < size; i++) {
		uint64_t rose = after.stats.v[i] - d->before.stats.v[i];

		if (esptun_stats_is_drop(i) && rose)
			len += (size_t)snprintf(text + len, size - len, "%s%s %llu (%s)",
						len ? ", " : "", esptun_stats_name(i),
						(unsigned long long)rose, esptun_stats_text(i));
	}
}
