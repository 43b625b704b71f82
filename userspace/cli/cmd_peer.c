// SPDX-License-Identifier: GPL-2.0-or-later
/* esptun peer */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

const char usage_peer[] =
	"Usage: esptun peer add  dev NAME id N [remote ADDR|any] [port P] [local ADDR|any]\n"
	"                        [encap udp|esp] [keepalive SECS] [roam on|off] [on-demand on|off]\n"
	"                        [tos TOS|inherit|link] [ttl TTL|auto|inherit|link]\n"
	"                        [df inherit|set|unset|link] [flowlabel sa|inner|link]\n"
	"                        [udp6zerocsumtx on|off] [udp6zerocsumrx on|off]\n"
	"       esptun peer set  dev NAME id N [remote ADDR|any] [port P] ...\n"
	"       esptun peer del  dev NAME id N\n"
	"       esptun peer show [dev NAME] [id N]\n"
	"A peer is the other end of a tunnel: its outer address and UDP port (4500).\n"
	"Its packets travel in UDP, or with encap esp as plain ESP.\n"
	"keepalive 0 sends no NAT keepalives; default 20. With roam on the peer is followed\n"
	"to a new outer address once an authenticated packet came from there. With on-demand on an\n"
	"agent is asked for an SA by packets that fit none of those there are.\n"
	"tos, ttl, df and flowlabel are those of outer packets: the link's, unless said otherwise.\n"
	"udp6zerocsumtx and rx send and take UDP over IPv6 without checksums (RFC 6935).\n";

enum {
	K_DEV,
	K_ID,
	K_REMOTE,
	K_PORT,
	K_LOCAL,
	K_ENCAP,
	K_KEEPALIVE,
	K_ROAM,
	K_ON_DEMAND,
	K_TOS,
	K_TTL,
	K_DF,
	K_FLOW_LABEL,
	K_ZERO_TX,
	K_ZERO_RX
};

const struct keyword peer_keywords[] = {
	{ "dev", K_DEV, false, "@dev" },
	{ "id", K_ID, false, NULL },
	{ "remote", K_REMOTE, false, "any" },
	{ "port", K_PORT, false, NULL },
	{ "local", K_LOCAL, false, "any" },
	{ "encap", K_ENCAP, false, "udp esp" },
	{ "keepalive", K_KEEPALIVE, false, NULL },
	{ "roam", K_ROAM, false, "on off" },
	{ "on-demand", K_ON_DEMAND, false, "on off" },
	{ "tos", K_TOS, false, "inherit link" },
	{ "ttl", K_TTL, false, "auto inherit link" },
	{ "df", K_DF, false, "inherit set unset link" },
	{ "flowlabel", K_FLOW_LABEL, false, "sa inner link" },
	{ "udp6zerocsumtx", K_ZERO_TX, false, "on off" },
	{ "udp6zerocsumrx", K_ZERO_RX, false, "on off" },
	{ NULL, 0, false, NULL },
};

static int parse_encap(struct args *a, struct esptun_peer *peer)
{
	const char *s;

	if (args_value(a, "encap", &s))
		return -EINVAL;
	if (!strcmp(s, "udp"))
		peer->encap = ESPTUN_ENCAP_UDP;
	else if (!strcmp(s, "esp"))
		peer->encap = ESPTUN_ENCAP_ESP;
	else
		return args_fail(a, "\"encap\" is %.40s, but must be udp or esp", s);
	peer->has |= ESPTUN_PEER_HAS_ENCAP;
	return 0;
}

/* One of @words, or if @max is not 0, a number up to it; else @expected is what it must be. */
static int parse_header(struct args *a, const char *kw, const struct header_word *words,
			uint32_t max, const char *expected, uint16_t *value)
{
	const struct header_word *w;
	uint32_t v = 0;

	for (w = words; w->name; w++) {
		if (a->argc > 0 && !strcmp(a->argv[0], w->name)) {
			args_next(a);
			*value = w->value;
			return 0;
		}
	}
	if (max || a->argc < 1) {
		if (args_u32(a, kw, 0, max, &v))
			return -EINVAL;
		*value = (uint16_t)v;
		return 0;
	}
	return args_fail(a, "\"%s\" is %.40s, but must be %s", kw, a->argv[0], expected);
}

static int parse_one(struct args *a, int id, struct peer_args *p)
{
	struct esptun_peer *peer = &p->peer;
	uint32_t v = 0;
	int err;

	switch (id) {
	case K_DEV: return args_value(a, "dev", &p->dev);
	case K_ID: return args_u32(a, "id", 1, UINT32_MAX, &peer->id);
	case K_REMOTE:
		peer->has |= ESPTUN_PEER_HAS_REMOTE;
		return args_addr_or_any(a, "remote", &peer->remote.addr);
	case K_PORT:
		peer->has |= ESPTUN_PEER_HAS_PORT;
		err = args_u32(a, "port", 1, UINT16_MAX, &v);
		peer->remote.port = (uint16_t)v;
		return err;
	case K_LOCAL:
		peer->has |= ESPTUN_PEER_HAS_LOCAL;
		return args_addr_or_any(a, "local", &peer->local);
	case K_ENCAP: return parse_encap(a, peer);
	case K_KEEPALIVE:
		peer->has |= ESPTUN_PEER_HAS_KEEPALIVE;
		return args_u32(a, "keepalive", 0, 3600, &peer->keepalive);
	case K_ROAM:
		peer->has |= ESPTUN_PEER_HAS_MAY_ROAM;
		return args_bool(a, "roam", &peer->may_roam);
	case K_TOS:
		peer->has |= ESPTUN_PEER_HAS_TOS;
		return parse_header(a, "tos", tos_words, UINT8_MAX, NULL, &peer->tos);
	case K_TTL:
		peer->has |= ESPTUN_PEER_HAS_TTL;
		return parse_header(a, "ttl", ttl_words, UINT8_MAX, NULL, &peer->ttl);
	case K_DF:
		peer->has |= ESPTUN_PEER_HAS_DF;
		return parse_header(a, "df", df_words, 0, "inherit, set, unset or link", &peer->df);
	case K_FLOW_LABEL:
		peer->has |= ESPTUN_PEER_HAS_FLOW_LABEL;
		return parse_header(a, "flowlabel", flow_label_words, 0, "sa, inner or link",
				    &peer->flow_label);
	case K_ZERO_TX:
		peer->has |= ESPTUN_PEER_HAS_ZERO_CSUM6_TX;
		return args_bool(a, "udp6zerocsumtx", &peer->zero_csum6_tx);
	case K_ZERO_RX:
		peer->has |= ESPTUN_PEER_HAS_ZERO_CSUM6_RX;
		return args_bool(a, "udp6zerocsumrx", &peer->zero_csum6_rx);
	default:
		peer->has |= ESPTUN_PEER_HAS_ON_DEMAND;
		return args_bool(a, "on-demand", &peer->on_demand);
	}
}

int peer_args_parse(struct args *a, const char *verb, struct peer_args *p)
{
	bool show = !strcmp(verb, "show"), changes = !strcmp(verb, "add") || !strcmp(verb, "set");
	int id;

	memset(p, 0, sizeof(*p));
	a->seen = 0;
	while (a->argc > 0)
		if (args_keyword(a, peer_keywords, &id) || parse_one(a, id, p))
			return -EINVAL;
	if (!p->dev && !show)
		return args_fail(a, "peer %s needs a device: dev NAME", verb);
	if (!p->peer.id && !show)
		return args_fail(a, "peer %s needs an id: id N", verb);
	if (p->peer.has && !changes)
		return args_fail(a, "peer %s takes only dev and id", verb);
	if (!p->peer.has && !strcmp(verb, "set"))
		return args_fail(a, "peer set needs something to change, such as remote ADDR");
	return 0;
}

/* What add, set and del have in common; @call is the library's function. */
static int change(struct cli *cli, struct args *a, const char *verb,
		  int (*call)(struct esptun *h, const struct esptun_peer *peer))
{
	struct peer_args p;
	int err;

	if (peer_args_parse(a, verb, &p))
		return cli_usage_error(a);
	err = cli_ifindex(cli, p.dev, &p.peer.ifindex);
	if (err)
		return err;
	return call(cli->h, &p.peer) ? cli_kernel_error(cli) : 0;
}

static int peer_add(struct cli *cli, struct args *a)
{
	return change(cli, a, "add", esptun_peer_add);
}

static int peer_set(struct cli *cli, struct args *a)
{
	return change(cli, a, "set", esptun_peer_set);
}

static int del_call(struct esptun *h, const struct esptun_peer *peer)
{
	return esptun_peer_del(h, peer->ifindex, peer->id);
}

static int peer_del(struct cli *cli, struct args *a)
{
	return change(cli, a, "del", del_call);
}

static int peer_show(struct cli *cli, struct args *a)
{
	struct esptun_peer *peers;
	json_t *list = NULL;
	struct peer_args p;
	size_t i, n, shown = 0;
	int err;

	if (peer_args_parse(a, "show", &p))
		return cli_usage_error(a);
	err = p.dev ? cli_ifindex(cli, p.dev, &p.peer.ifindex) : cli_open(cli);
	if (err)
		return err;
	if (esptun_peer_dump(cli->h, p.peer.ifindex, &peers, &n))
		return cli_kernel_error(cli);
	if (cli->json)
		list = json_array();
	for (i = 0; i < n; i++) {
		if (p.peer.id && peers[i].id != p.peer.id)
			continue;
		shown++;
		if (list)
			json_array_append_new(list, json_peer(&peers[i]));
		else
			print_peer(cli, &peers[i]);
	}
	free(peers);
	if (list)
		print_json(cli, list);
	if (p.peer.id && !shown) {
		cli_error("no peer with id %u", p.peer.id);
		return EXIT_KERNEL;
	}
	return 0;
}

#define NAME (1 << K_DEV | 1 << K_ID)
#define SETTINGS                                                                        \
	(1 << K_REMOTE | 1 << K_PORT | 1 << K_LOCAL | 1 << K_ENCAP | 1 << K_KEEPALIVE | \
	 1 << K_ROAM | 1 << K_ON_DEMAND | 1 << K_TOS | 1 << K_TTL | 1 << K_DF |         \
	 1 << K_FLOW_LABEL | 1 << K_ZERO_TX | 1 << K_ZERO_RX)

const struct subcommand peer_commands[] = {
	{ "add", peer_add, NAME, SETTINGS }, { "set", peer_set, NAME, SETTINGS },
	{ "del", peer_del, NAME, 0 },	     { "delete", peer_del, NAME, 0 },
	{ "show", peer_show, 0, NAME },	     { "list", peer_show, 0, NAME },
	{ "lst", peer_show, 0, NAME },	     { NULL, NULL, 0, 0 },
};

int cmd_peer(struct cli *cli, struct args *a)
{
	return cli_subcommand(cli, a, peer_commands, peer_show, usage_peer);
}
