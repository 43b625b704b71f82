// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every object as text, in words the command line takes back, and as JSON with
 * the underscores ip -j uses.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const char *const dir_names[] = { "in", "out" };
static const char *const mode_names[] = { "tunnel", "transport" };
static const char *const encap_names[] = { "udp", "esp" };
static const char *const state_names[] = { "larval", "mature", "dying", "dead" };
static const char *const reason_names[] = { "soft", "hard", "sequence" };

void print_json(const struct cli *cli, json_t *json)
{
	json_dumpf(json, stdout,
		   JSON_REAL_PRECISION(12) | (cli->pretty ? JSON_INDENT(4) : JSON_COMPACT));
	putchar('\n');
	fflush(stdout);
	json_decref(json);
}

/* --------------------------------------------------------------------- text */

void print_color(const struct cli *cli, enum color color, const char *fmt, ...)
{
	static const char *const starts[] = {
		[COLOR_LINK] = "\033[36m", /* cyan */
		[COLOR_ADDR] = "\033[35m", /* magenta */
		[COLOR_UP] = "\033[32m", /* green */
		[COLOR_DOWN] = "\033[31m", /* red */
	};
	va_list ap;

	if (cli->color)
		fputs(starts[color], stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	if (cli->color)
		fputs("\033[0m", stdout);
}

/* The object's text, until end_object() prints it. */
static struct {
	FILE *out; /* the true standard output; NULL outside of an object */
	char *text;
	size_t len;
} object;

void begin_object(const struct cli *cli)
{
	FILE *f = cli->oneline ? open_memstream(&object.text, &object.len) : NULL;

	if (!f)
		return;
	object.out = stdout;
	stdout = f;
}

/* As ip -o: a backslash in place of line breaks but the last. */
void end_object(const struct cli *cli)
{
	(void)cli;
	if (!object.out)
		return;
	fclose(stdout);
	stdout = object.out;
	object.out = NULL;
	for (size_t i = 0; i + 1 < object.len; i++) {
		if (object.text[i] == '\n')
			object.text[i] = '\\';
	}
	fputs(object.text, stdout);
	explicit_bzero(object.text, object.len); /* it may show keys */
	free(object.text);
}

/* ------------------------------------------------------------- JSON members */

static void set_number(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void set_string(json_t *o, const char *key, const char *v)
{
	json_object_set_new(o, key, json_string(v));
}

static void set_bool(json_t *o, const char *key, bool v)
{
	json_object_set_new(o, key, json_boolean(v));
}

static void set_addr(json_t *o, const char *key, const struct esptun_addr *a)
{
	char buf[ESPTUN_ADDR_STRLEN];

	if (a->family)
		set_string(o, key, esptun_addr_format(a, buf));
}

static void set_spi(json_t *o, uint32_t spi)
{
	char buf[16];

	snprintf(buf, sizeof(buf), "0x%08" PRIx32, spi);
	set_string(o, "spi", buf);
}

static void set_seconds(json_t *o, const char *key, uint64_t ms)
{
	json_object_set_new(o, key, json_real((double)ms / 1000));
}

/* Octets as hexadecimal digits; buf needs 2 * len + 1. */
static void hex(char *buf, const uint8_t *octets, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sprintf(buf + 2 * i, "%02x", octets[i]);
	buf[2 * len] = '\0';
}

static void set_key(json_t *o, const char *key, const uint8_t *octets, size_t len)
{
	char buf[2 + 2 * ESPTUN_KEY_MAX + 1] = "0x";

	if (len) {
		hex(buf + 2, octets, len);
		set_string(o, key, buf);
	}
	explicit_bzero(buf, sizeof(buf));
}

/* -------------------------------------------------------------------- links */

static void set_dev(json_t *o, uint32_t ifindex, const struct esptun_where *where)
{
	set_string(o, "dev", cli_dev(ifindex, where));
	if (where->elsewhere)
		json_object_set_new(o, "netnsid", json_integer(where->netnsid));
}

static void text_dev(const struct cli *cli, uint32_t ifindex, const struct esptun_where *where)
{
	printf(" dev ");
	print_color(cli, COLOR_LINK, "%s", cli_dev(ifindex, where));
	if (where->elsewhere)
		printf(" netnsid %" PRId32, where->netnsid);
}

/* -------------------------------------------------------------------- peers */

enum { IDENTITY_STRLEN = 65 };

/* What of an identity is for people: all before a NUL, if it can be printed in a line; else "". */
static const char *identity_text(const struct esptun_peer *p, char buf[IDENTITY_STRLEN])
{
	size_t i;

	for (i = 0; i < p->identity_len && p->identity[i]; i++) {
		if (i + 1 == IDENTITY_STRLEN || p->identity[i] <= ' ' || p->identity[i] >= 0x7f) {
			i = 0;
			break;
		}
		buf[i] = (char)p->identity[i];
	}
	buf[i] = '\0';
	return buf;
}

/* A newer kernel may know more of them. */
static const char *encap_name(uint8_t encap)
{
	return encap < sizeof(encap_names) / sizeof(encap_names[0]) ? encap_names[encap] : "?";
}

const struct header_word tos_words[] = {
	{ "inherit", 1 },
	{ "link", ESPTUN_HEADER_OF_LINK },
	{ NULL, 0 },
};
const struct header_word ttl_words[] = {
	{ "auto", 0 },
	{ "inherit", ESPTUN_TTL_INHERIT },
	{ "link", ESPTUN_HEADER_OF_LINK },
	{ NULL, 0 },
};
const struct header_word df_words[] = {
	{ "inherit", ESPTUN_DF_INHERIT },
	{ "set", ESPTUN_DF_SET },
	{ "unset", ESPTUN_DF_UNSET },
	{ "link", ESPTUN_HEADER_OF_LINK },
	{ NULL, 0 },
};

const struct header_word flow_label_words[] = {
	{ "sa", ESPTUN_FLOW_LABEL_SA },
	{ "inner", ESPTUN_FLOW_LABEL_INNER },
	{ "link", ESPTUN_HEADER_OF_LINK },
	{ NULL, 0 },
};

/* What a peer has otherwise than its link. */
static const struct {
	unsigned int has;
	const char *name;
	size_t at;
	const struct header_word *words;
} header_rows[] = {
	{ ESPTUN_PEER_HAS_TOS, "tos", offsetof(struct esptun_peer, tos), tos_words },
	{ ESPTUN_PEER_HAS_TTL, "ttl", offsetof(struct esptun_peer, ttl), ttl_words },
	{ ESPTUN_PEER_HAS_DF, "df", offsetof(struct esptun_peer, df), df_words },
	{ ESPTUN_PEER_HAS_FLOW_LABEL, "flowlabel", offsetof(struct esptun_peer, flow_label),
	  flow_label_words },
};

#define N_HEADER_ROWS (sizeof(header_rows) / sizeof(header_rows[0]))

/* The text of setting @i, NULL if it is the link's. A word, or a number. */
static const char *header_text(const struct esptun_peer *p, size_t i, char buf[8])
{
	const struct header_word *w;
	uint16_t v;

	memcpy(&v, (const char *)p + header_rows[i].at, sizeof(v));
	if (!(p->has & header_rows[i].has) || v == ESPTUN_HEADER_OF_LINK)
		return NULL;
	for (w = header_rows[i].words; w->name; w++)
		if (w->value == v)
			return w->name;
	snprintf(buf, 8, header_rows[i].words == tos_words ? "0x%x" : "%u", v);
	return buf;
}

json_t *json_peer(const struct esptun_peer *p)
{
	char text[8];
	size_t i;
	char identity[IDENTITY_STRLEN];
	json_t *o = json_object();

	set_number(o, "id", p->id);
	set_dev(o, p->ifindex, &p->where);
	if (p->has & ESPTUN_PEER_HAS_REMOTE)
		set_addr(o, "remote", &p->remote.addr);
	if (p->has & ESPTUN_PEER_HAS_PORT)
		set_number(o, "port", p->remote.port);
	if (p->has & ESPTUN_PEER_HAS_LOCAL)
		set_addr(o, "local", &p->local);
	if (p->has & ESPTUN_PEER_HAS_ENCAP)
		set_string(o, "encap", encap_name(p->encap));
	for (i = 0; i < N_HEADER_ROWS; i++)
		if (header_text(p, i, text))
			set_string(o, header_rows[i].name, header_text(p, i, text));
	if (p->has & ESPTUN_PEER_HAS_ZERO_CSUM6_TX)
		set_bool(o, "udp6zerocsumtx", p->zero_csum6_tx);
	if (p->has & ESPTUN_PEER_HAS_ZERO_CSUM6_RX)
		set_bool(o, "udp6zerocsumrx", p->zero_csum6_rx);
	if (p->has & ESPTUN_PEER_HAS_KEEPALIVE)
		set_number(o, "keepalive", p->keepalive);
	if (p->has & ESPTUN_PEER_HAS_MAY_ROAM)
		set_bool(o, "roam", p->may_roam);
	if (p->has & ESPTUN_PEER_HAS_ON_DEMAND)
		set_bool(o, "on_demand", p->on_demand);
	if (*identity_text(p, identity))
		set_string(o, "identity", identity);
	if (p->has & ESPTUN_PEER_HAS_MTU)
		set_number(o, "mtu", p->mtu);
	if (p->has & ESPTUN_PEER_HAS_LEARNED)
		set_addr(o, "learned_local", &p->learned);
	set_number(o, "rx_packets", p->rx_packets);
	set_number(o, "rx_bytes", p->rx_bytes);
	set_number(o, "tx_packets", p->tx_packets);
	set_number(o, "tx_bytes", p->tx_bytes);
	set_number(o, "keepalives", p->keepalives);
	if (p->has & ESPTUN_PEER_HAS_LAST_RX)
		set_seconds(o, "last_rx", p->last_rx);
	if (p->has & ESPTUN_PEER_HAS_LAST_TX)
		set_seconds(o, "last_tx", p->last_tx);
	return o;
}

static void text_traffic(const char *name, uint64_t packets, uint64_t bytes, bool has_last,
			 uint64_t last)
{
	printf("\n    %s: packets %" PRIu64 " bytes %" PRIu64, name, packets, bytes);
	if (has_last)
		printf(" last %.1fs ago", (double)last / 1000);
	else
		printf(" last never");
}

static void text_peer(const struct cli *cli, const struct esptun_peer *p)
{
	char buf[ESPTUN_ADDR_STRLEN], identity[IDENTITY_STRLEN], text[8];
	size_t i;

	printf("peer id %" PRIu32, p->id);
	text_dev(cli, p->ifindex, &p->where);
	if (p->has & ESPTUN_PEER_HAS_REMOTE) {
		printf(" remote ");
		print_color(cli, COLOR_ADDR, "%s", esptun_addr_format(&p->remote.addr, buf));
	}
	if (p->has & ESPTUN_PEER_HAS_PORT)
		printf(" port %u", p->remote.port);
	if ((p->has & ESPTUN_PEER_HAS_LOCAL) && p->local.family)
		printf(" local %s", esptun_addr_format(&p->local, buf));
	if (p->has & ESPTUN_PEER_HAS_ENCAP)
		printf(" encap %s", encap_name(p->encap));
	for (i = 0; i < N_HEADER_ROWS; i++)
		if (header_text(p, i, text))
			printf(" %s %s", header_rows[i].name, header_text(p, i, text));
	if (p->zero_csum6_tx)
		printf(" udp6zerocsumtx on");
	if (p->zero_csum6_rx)
		printf(" udp6zerocsumrx on");
	if (p->has & ESPTUN_PEER_HAS_KEEPALIVE)
		printf(" keepalive %" PRIu32, p->keepalive);
	if (p->has & ESPTUN_PEER_HAS_MAY_ROAM)
		printf(" roam %s", p->may_roam ? "on" : "off");
	if (p->has & ESPTUN_PEER_HAS_ON_DEMAND && p->on_demand)
		printf(" on-demand on");
	if (*identity_text(p, identity))
		printf(" identity %s", identity);
	if (cli->details && (p->has & ESPTUN_PEER_HAS_MTU))
		printf(" mtu %" PRIu32, p->mtu);
	if (cli->details && (p->has & ESPTUN_PEER_HAS_LEARNED))
		printf(" learned-local %s", esptun_addr_format(&p->learned, buf));
	if (cli->statistics) {
		text_traffic("rx", p->rx_packets, p->rx_bytes, p->has & ESPTUN_PEER_HAS_LAST_RX,
			     p->last_rx);
		text_traffic("tx", p->tx_packets, p->tx_bytes, p->has & ESPTUN_PEER_HAS_LAST_TX,
			     p->last_tx);
		printf(" keepalives %" PRIu64, p->keepalives);
	}
	putchar('\n');
}

/* "vpn0             1        198.51.100.2:4500      rx 12 tx 34" */
static void brief_peer(const struct cli *cli, const struct esptun_peer *p)
{
	char buf[ESPTUN_ADDR_STRLEN] = "-", end[ESPTUN_ADDR_STRLEN + 10];

	if (p->has & ESPTUN_PEER_HAS_REMOTE)
		esptun_addr_format(&p->remote.addr, buf);
	snprintf(end, sizeof(end), p->remote.addr.family == AF_INET6 ? "[%s]:%u" : "%s:%u", buf,
		 p->remote.port);
	print_color(cli, COLOR_LINK, "%-16s", cli_dev(p->ifindex, &p->where));
	printf(" %-8" PRIu32 " ", p->id);
	print_color(cli, COLOR_ADDR, "%-22s", p->has & ESPTUN_PEER_HAS_REMOTE ? end : "-");
	printf(" rx %" PRIu64 " tx %" PRIu64 "\n", p->rx_bytes, p->tx_bytes);
}

void print_peer(const struct cli *cli, const struct esptun_peer *p)
{
	begin_object(cli);
	if (cli->brief)
		brief_peer(cli, p);
	else
		text_peer(cli, p);
	end_object(cli);
}

/* ----------------------------------------------------------------- counters */

json_t *json_stats(const struct esptun_stats *st)
{
	char key[ESPTUN_STATS_KEYLEN];
	json_t *o = json_object();
	unsigned int i;

	for (i = 1; i <= ESPTUN_STATS_A_MAX; i++) {
		if (esptun_stats_key(i, key) && (st->told & (1ULL << i)))
			set_number(o, key, st->v[i]);
	}
	return o;
}

/* All counters with -d, else those that moved. */
static void text_stats(const struct cli *cli, const char *name, const struct esptun_stats *st)
{
	bool any = false;
	unsigned int i;

	print_color(cli, COLOR_LINK, "%s", name);
	printf(":\n");
	for (i = 1; i <= ESPTUN_STATS_A_MAX; i++) {
		if (!esptun_stats_name(i) || (!st->v[i] && !cli->details))
			continue;
		printf("    %-16s %12" PRIu64 "  %s: %s\n", esptun_stats_name(i), st->v[i],
		       esptun_stats_is_drop(i) ? "dropped" : "counted", esptun_stats_text(i));
		any = true;
	}
	if (!any)
		printf("    nothing dropped\n");
}

/* "vpn0             rx-replay        3", a line each. */
static void brief_stats(const struct cli *cli, const char *name, const struct esptun_stats *st)
{
	for (unsigned int i = 1; i <= ESPTUN_STATS_A_MAX; i++) {
		if (!esptun_stats_name(i) || (!st->v[i] && !cli->details))
			continue;
		print_color(cli, COLOR_LINK, "%-16s", name);
		printf(" %-16s %" PRIu64 "\n", esptun_stats_name(i), st->v[i]);
	}
}

void print_stats(const struct cli *cli, const char *name, const struct esptun_stats *st)
{
	if (cli->brief) {
		brief_stats(cli, name, st);
		return;
	}
	begin_object(cli);
	text_stats(cli, name, st);
	end_object(cli);
}

/* ---------------------------------------------------------------------- SAs */

static const char *alg_name(const struct esptun_sa *sa)
{
	const struct esptun_alg *alg = esptun_alg_by_id(sa->encr, sa->key_len);
	static char buf[16];

	if (alg)
		return alg->name;
	snprintf(buf, sizeof(buf), "encr-%u", sa->encr);
	return buf;
}

static const char *integ_name(const struct esptun_sa *sa)
{
	const struct esptun_integ_alg *alg = esptun_integ_by_id(sa->integ);
	static char buf[16];

	if (alg)
		return alg->name;
	snprintf(buf, sizeof(buf), "integ-%u", sa->integ);
	return buf;
}

static json_t *json_ts(const struct esptun_ts *ts, size_t n)
{
	json_t *list = json_array();
	char buf[ESPTUN_TS_STRLEN];
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(list, json_string(esptun_ts_format(&ts[i], buf)));
	return list;
}

/* "soft-bytes" is "soft_bytes", as ip -j has its keys. */
static void set_limits(json_t *o, const struct esptun_sa *sa)
{
	const struct esptun_limit *l;
	char key[32], *c;

	for (l = esptun_limits(); l->name; l++) {
		if (!esptun_limit_get(sa, l))
			continue;
		snprintf(key, sizeof(key), "%s", l->name);
		for (c = key; *c; c++)
			if (*c == '-')
				*c = '_';
		set_number(o, key, esptun_limit_get(sa, l));
	}
}

json_t *json_sa(const struct esptun_sa *sa)
{
	json_t *o = json_object();

	set_spi(o, sa->spi);
	set_string(o, "dir", dir_names[sa->dir]);
	set_dev(o, sa->ifindex, &sa->where);
	set_number(o, "peer", sa->peer);
	set_string(o, "state", state_names[sa->state]);
	if (sa->encr)
		set_string(o, "algo", alg_name(sa));
	if (sa->integ)
		set_string(o, "auth", integ_name(sa));
	if (sa->driver[0])
		set_string(o, "driver", sa->driver);
	if (sa->has & ESPTUN_SA_HAS_KEY) {
		set_key(o, "key", sa->key, sa->key_len);
		set_key(o, "integ_key", sa->integ_key, sa->integ_key_len);
	}
	set_string(o, "mode", mode_names[sa->mode]);
	set_bool(o, "esn", sa->esn);
	if (sa->has & ESPTUN_SA_HAS_REPLAY_WINDOW)
		set_number(o, "replay_window", sa->replay_window);
	if (sa->has & ESPTUN_SA_HAS_CPU)
		set_number(o, "cpu", sa->cpu);
	if (sa->has & ESPTUN_SA_HAS_NAT_OA) {
		set_addr(o, "nat_oa_local", &sa->nat_oa_local);
		set_addr(o, "nat_oa_remote", &sa->nat_oa_remote);
	}
	json_object_set_new(o, "local_ts", json_ts(sa->ts_local, sa->n_ts_local));
	json_object_set_new(o, "remote_ts", json_ts(sa->ts_remote, sa->n_ts_remote));
	set_limits(o, sa);
	if (sa->has & ESPTUN_SA_HAS_TFC && sa->tfc == ESPTUN_TFC_MTU)
		set_string(o, "tfc", "mtu");
	else if (sa->has & ESPTUN_SA_HAS_TFC)
		set_number(o, "tfc", sa->tfc);
	if (sa->has & ESPTUN_SA_HAS_DUMMY)
		set_number(o, "dummy", sa->dummy);
	set_number(o, "seq", sa->seq);
	set_number(o, "packets", sa->packets);
	set_number(o, "bytes", sa->bytes);
	set_seconds(o, "age", sa->age);
	if (sa->has & ESPTUN_SA_HAS_LAST_USED)
		set_seconds(o, "last_used", sa->last_used);
	if (sa->has & ESPTUN_SA_HAS_STATS)
		json_object_set_new(o, "drops", json_stats(&sa->stats));
	return o;
}

static void text_ts(const char *name, const struct esptun_ts *ts, size_t n)
{
	char buf[ESPTUN_TS_STRLEN];
	size_t i;

	printf(" %s%s", name, n ? "" : " any");
	for (i = 0; i < n; i++)
		printf(" %s", esptun_ts_format(&ts[i], buf));
}

static void text_sa_statistics(const struct esptun_sa *sa)
{
	unsigned int i;

	printf("    seq %" PRIu64 " packets %" PRIu64 " bytes %" PRIu64 " age %.1fs", sa->seq,
	       sa->packets, sa->bytes, (double)sa->age / 1000);
	if (sa->has & ESPTUN_SA_HAS_LAST_USED)
		printf(" last-used %.1fs ago\n", (double)sa->last_used / 1000);
	else
		printf(" last-used never\n");
	for (i = 1; i <= ESPTUN_STATS_A_MAX; i++)
		if (sa->stats.v[i])
			printf("    %s %s %" PRIu64 "  %s\n",
			       esptun_stats_is_drop(i) ? "dropped" : "counted",
			       esptun_stats_name(i), sa->stats.v[i], esptun_stats_text(i));
}

static void text_sa_key(const char *name, const uint8_t *key, size_t len)
{
	char buf[2 * ESPTUN_KEY_MAX + 1];

	hex(buf, key, len);
	printf(" %s 0x%s", name, buf);
	explicit_bzero(buf, sizeof(buf));
}

static void text_tfc(const struct esptun_sa *sa)
{
	if ((sa->has & ESPTUN_SA_HAS_TFC) && sa->tfc == ESPTUN_TFC_MTU)
		printf(" tfc mtu");
	else if (sa->has & ESPTUN_SA_HAS_TFC)
		printf(" tfc %" PRIu32, sa->tfc);
	if (sa->has & ESPTUN_SA_HAS_DUMMY)
		printf(" dummy %" PRIu32, sa->dummy);
}

static void text_nat_oa(const struct esptun_sa *sa)
{
	char local[ESPTUN_ADDR_STRLEN], remote[ESPTUN_ADDR_STRLEN];

	if (sa->has & ESPTUN_SA_HAS_NAT_OA)
		printf(" nat-oa-local %s nat-oa-remote %s",
		       esptun_addr_format(&sa->nat_oa_local, local),
		       esptun_addr_format(&sa->nat_oa_remote, remote));
}

static enum color state_color(const struct esptun_sa *sa)
{
	return sa->state == ESPTUN_SA_STATE_MATURE ? COLOR_UP : COLOR_DOWN;
}

static void text_sa(const struct cli *cli, const struct esptun_sa *sa)
{
	const struct esptun_limit *l;
	bool any_limit = false;

	printf("sa");
	text_dev(cli, sa->ifindex, &sa->where);
	printf(" dir %s spi 0x%08" PRIx32 " peer %" PRIu32 " state ", dir_names[sa->dir], sa->spi,
	       sa->peer);
	print_color(cli, state_color(sa), "%s", state_names[sa->state]);
	putchar('\n');
	if (sa->state != ESPTUN_SA_STATE_LARVAL) {
		printf("    algo %s", alg_name(sa));
		if (sa->has & ESPTUN_SA_HAS_KEY)
			text_sa_key("key", sa->key, sa->key_len);
		if (sa->integ)
			printf(" auth %s", integ_name(sa));
		if (sa->integ && (sa->has & ESPTUN_SA_HAS_KEY))
			text_sa_key("auth-key", sa->integ_key, sa->integ_key_len);
		if (sa->driver[0])
			printf(" driver %s", sa->driver);
		printf(" esn %s", sa->esn ? "on" : "off");
		if (sa->dir == ESPTUN_SA_DIR_IN && (sa->has & ESPTUN_SA_HAS_REPLAY_WINDOW))
			printf(" replay-window %" PRIu32, sa->replay_window);
		if (sa->has & ESPTUN_SA_HAS_CPU)
			printf(" cpu %" PRIu32, sa->cpu);
		if (cli->details || sa->mode != ESPTUN_SA_MODE_TUNNEL)
			printf(" mode %s", mode_names[sa->mode]);
		text_nat_oa(sa);
		text_tfc(sa);
		printf("\n   ");
		text_ts("local-ts", sa->ts_local, sa->n_ts_local);
		text_ts("remote-ts", sa->ts_remote, sa->n_ts_remote);
		putchar('\n');
	}
	for (l = esptun_limits(); l->name; l++) {
		if (!esptun_limit_get(sa, l))
			continue;
		printf("%s %s %" PRIu64, any_limit ? "" : "    limit", l->name,
		       esptun_limit_get(sa, l));
		any_limit = true;
	}
	if (any_limit)
		putchar('\n');
	if (cli->statistics)
		text_sa_statistics(sa);
}

/* "vpn0             out  0x00003001 1        mature  aes-gcm-256" */
static void brief_sa(const struct cli *cli, const struct esptun_sa *sa)
{
	print_color(cli, COLOR_LINK, "%-16s", cli_dev(sa->ifindex, &sa->where));
	printf(" %-4s 0x%08" PRIx32 " %-8" PRIu32 " ", dir_names[sa->dir], sa->spi, sa->peer);
	print_color(cli, state_color(sa), "%-7s", state_names[sa->state]);
	printf(" %s%s%s\n", sa->encr ? alg_name(sa) : "-", sa->integ ? "+" : "",
	       sa->integ ? integ_name(sa) : "");
}

void print_sa(const struct cli *cli, const struct esptun_sa *sa)
{
	begin_object(cli);
	if (cli->brief)
		brief_sa(cli, sa);
	else
		text_sa(cli, sa);
	end_object(cli);
}

/* ------------------------------------------------------------------- events */

static void json_flow(json_t *o, const struct esptun_flow *f)
{
	if (f->peer)
		set_number(o, "peer", f->peer);
	set_addr(o, "source", &f->source);
	set_addr(o, "destination", &f->destination);
	set_number(o, "protocol", f->protocol);
	if (f->source_port || f->destination_port) {
		set_number(o, "source_port", f->source_port);
		set_number(o, "destination_port", f->destination_port);
	}
	if (f->has_cpu)
		set_number(o, "cpu", f->cpu);
}

static bool is_peer_event(const struct esptun_event *ev)
{
	return ev->type == ESPTUN_EVENT_PEER_ADD || ev->type == ESPTUN_EVENT_PEER_CHANGE ||
	       ev->type == ESPTUN_EVENT_PEER_DEL || ev->type == ESPTUN_EVENT_PEER_MOVED;
}

static bool is_sa_event(const struct esptun_event *ev)
{
	return ev->type == ESPTUN_EVENT_SA_ADD || ev->type == ESPTUN_EVENT_SA_CHANGE ||
	       ev->type == ESPTUN_EVENT_SA_DEL || ev->type == ESPTUN_EVENT_SA_FLUSH;
}

json_t *json_event(const struct esptun_event *ev)
{
	json_t *o = json_object();

	set_string(o, "event", esptun_event_name(ev->type));
	if (ev->ifindex)
		set_dev(o, ev->ifindex, &ev->where);
	if (is_peer_event(ev)) {
		struct esptun_peer p = ev->u.peer;

		p.ifindex = ev->ifindex;
		p.where = ev->where;
		json_object_set_new(o, "peer", json_peer(&p));
	} else if (is_sa_event(ev)) {
		struct esptun_sa sa = ev->u.sa;

		sa.ifindex = ev->ifindex;
		sa.where = ev->where;
		json_object_set_new(o, "sa", json_sa(&sa));
	} else if (ev->type == ESPTUN_EVENT_ACQUIRE) {
		json_flow(o, &ev->u.acquire);
	} else if (ev->type == ESPTUN_EVENT_EXPIRE) {
		set_spi(o, ev->u.expire.spi);
		set_string(o, "dir", dir_names[ev->u.expire.dir]);
		set_number(o, "peer", ev->u.expire.peer);
		set_string(o, "reason", reason_names[ev->u.expire.reason]);
	}
	return o;
}

static void text_flow(const struct esptun_flow *f)
{
	char buf[ESPTUN_ADDR_STRLEN];

	printf(" from %s", esptun_addr_format(&f->source, buf));
	printf(" to %s protocol %u", esptun_addr_format(&f->destination, buf), f->protocol);
	if (f->source_port || f->destination_port)
		printf(" ports %u-%u", f->source_port, f->destination_port);
	if (f->peer)
		printf(" peer %" PRIu32, f->peer);
	if (f->has_cpu)
		printf(" cpu %" PRIu32, f->cpu);
}

static void text_event(const struct cli *cli, const struct esptun_event *ev)
{
	const char *name = esptun_event_name(ev->type);

	if (is_peer_event(ev)) {
		struct esptun_peer p = ev->u.peer;

		p.ifindex = ev->ifindex;
		p.where = ev->where;
		printf("%s: ", name);
		text_peer(cli, &p);
		return;
	}
	if (is_sa_event(ev) && ev->type != ESPTUN_EVENT_SA_ADD) {
		printf("%s:", name);
		text_dev(cli, ev->ifindex, &ev->where);
		if (ev->u.sa.spi)
			printf(" dir %s spi 0x%08" PRIx32, dir_names[ev->u.sa.dir], ev->u.sa.spi);
		if (ev->u.sa.peer)
			printf(" peer %" PRIu32, ev->u.sa.peer);
	} else if (ev->type == ESPTUN_EVENT_SA_ADD) {
		struct esptun_sa sa = ev->u.sa;

		sa.ifindex = ev->ifindex;
		sa.where = ev->where;
		printf("%s: ", name);
		text_sa(cli, &sa);
		return;
	} else if (ev->type == ESPTUN_EVENT_ACQUIRE) {
		printf("%s:", name);
		text_dev(cli, ev->ifindex, &ev->where);
		text_flow(&ev->u.acquire);
	} else if (ev->type == ESPTUN_EVENT_EXPIRE) {
		printf("%s:", name);
		text_dev(cli, ev->ifindex, &ev->where);
		printf(" dir %s spi 0x%08" PRIx32 " peer %" PRIu32 " reason %s",
		       dir_names[ev->u.expire.dir], ev->u.expire.spi, ev->u.expire.peer,
		       reason_names[ev->u.expire.reason]);
	} else if (ev->type == ESPTUN_EVENT_OVERRUN) {
		printf("%s: events were lost; read the state again", name);
	} else {
		printf("%s:", name);
	}
	putchar('\n');
}

/* Always a line for each with -br, too. */
void print_event(const struct cli *cli, const struct esptun_event *ev)
{
	struct cli line = *cli;

	line.oneline |= cli->brief;
	begin_object(&line);
	text_event(&line, ev);
	end_object(&line);
}
