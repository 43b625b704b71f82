// SPDX-License-Identifier: GPL-2.0-or-later
/* esptun sa */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

const char usage_sa[] =
	"Usage: esptun sa add   dev NAME dir in|out spi SPI peer N CRYPTO\n"
	"                       [mode tunnel|transport] [esn on|off] [replay-window PACKETS]\n"
	"                       [seq LAST] [cpu N] [tfc SIZE|mtu] [dummy RATE]\n"
	"                       [nat-oa-local ADDRESS nat-oa-remote ADDRESS]\n"
	"                       [local-ts TS...] [remote-ts TS...] [limit LIMIT SIZE]...\n"
	"       esptun sa set   dev NAME dir in|out spi SPI [peer N]\n"
	"                       [local-ts TS...] [remote-ts TS...] [limit LIMIT SIZE]...\n"
	"                       [tfc SIZE|mtu] [dummy RATE]\n"
	"       esptun sa del   dev NAME dir in|out spi SPI [peer N]\n"
	"       esptun sa show  [dev NAME] [dir in|out] [spi SPI] [peer N]\n"
	"       esptun sa flush dev NAME [peer N]\n"
	"CRYPTO := algo ALGO key KEY [auth AUTH KEY] | aead ALGO KEY ICV-BITS |\n"
	"          enc ALGO KEY { auth AUTH KEY | auth-trunc AUTH KEY ICV-BITS }\n"
	"ALGO  := aes-gcm-128 | aes-gcm-192 | aes-gcm-256 | chacha20-poly1305 |\n"
	"         aes-cbc-128 ... | aes-ctr-128 ... | aes-ccm-128 ... | null | ...\n"
	"AUTH  := hmac-sha256 | hmac-sha384 | hmac-sha512 | hmac-sha1 | aes-cmac | ...\n"
	"         Both also as ip xfrm and IANA call them: \"esptun algo show\" lists all\n"
	"KEY   := 0xHEX | file PATH | stdin    bytes of salt or nonce follow the key; of two keys on\n"
	"         standard input each has a line\n"
	"TS    := PREFIX[:PROTO[:PORT[-PORT]]] | any    as in 10.1.0.0/16:tcp:443\n"
	"LIMIT := soft-bytes | hard-bytes | soft-packets | hard-packets\n"
	"       | soft-time | hard-time | soft-use-time | hard-use-time    in seconds\n"
	"An SA in transport mode carries packets between the outer addresses, without their IP header.\n"
	"Behind a NAT checksums of the peer's packets cover the addresses that the peer knows, nat-oa-...\n"
	"Packets of an outbound SA are padded to SIZE bytes (tunnel mode), or to what fits; RATE dummy\n"
	"packets a second hide how many there are.\n"
	"LAST is the last sequence number sent by an outbound SA with the same key.\n"
	"With \"cpu\" an outbound SA carries what this CPU sends, instead of the peer's SA with the same\n"
	"selectors that has none, and carries the rest.\n"
	"SPI is 0x100 to 0xffffffff. A key on the command line can be seen in ps and in the\n"
	"shell's history: prefer a file or stdin. \"esptun keygen sa ALGO\" makes keys.\n"
	"Keys are shown only with the option -show-keys.\n";

enum {
	K_DEV,
	K_DIR,
	K_SPI,
	K_PEER,
	K_ALGO,
	K_KEY,
	K_MODE,
	K_ESN,
	K_REPLAY,
	K_LOCAL,
	K_REMOTE,
	K_LIMIT,
	K_SEQ,
	K_ENC,
	K_AUTH,
	K_AUTH_TRUNC,
	K_AEAD,
	K_CPU,
	K_TFC,
	K_DUMMY,
	K_NAT_OA_LOCAL,
	K_NAT_OA_REMOTE
};

#define MAX_LIMITS 8

const struct keyword sa_keywords[] = {
	{ "dev", K_DEV, false, "@dev" },
	{ "dir", K_DIR, false, "in out" },
	{ "spi", K_SPI, false, NULL },
	{ "peer", K_PEER, false, NULL },
	{ "algo", K_ALGO, false, "@algo" },
	{ "key", K_KEY, false, "file: stdin" },
	{ "mode", K_MODE, false, "tunnel transport" },
	{ "esn", K_ESN, false, "on off" },
	{ "replay-window", K_REPLAY, false, NULL },
	{ "local-ts", K_LOCAL, true, "any" },
	{ "remote-ts", K_REMOTE, true, "any" },
	{ "limit", K_LIMIT, true,
	  "soft-bytes: hard-bytes: soft-packets: hard-packets: "
	  "soft-time: hard-time: soft-use-time: hard-use-time:" },
	{ "seq", K_SEQ, false, NULL },
	{ "enc", K_ENC, false, "@algo" },
	{ "auth", K_AUTH, false, "@auth" },
	{ "auth-trunc", K_AUTH_TRUNC, false, "@auth" },
	{ "aead", K_AEAD, false, "@algo" },
	{ "cpu", K_CPU, false, NULL },
	{ "tfc", K_TFC, false, "mtu" },
	{ "dummy", K_DUMMY, false, NULL },
	{ "nat-oa-local", K_NAT_OA_LOCAL, false, NULL },
	{ "nat-oa-remote", K_NAT_OA_REMOTE, false, NULL },
	{ NULL, 0, false, NULL },
};

static int parse_dir(struct args *a, struct sa_args *s)
{
	const char *v;

	if (args_value(a, "dir", &v))
		return -EINVAL;
	if (strcmp(v, "in") && strcmp(v, "out"))
		return args_fail(a, "\"dir\" is %.40s, but must be in or out", v);
	s->sa.dir = strcmp(v, "in") ? ESPTUN_SA_DIR_OUT : ESPTUN_SA_DIR_IN;
	s->has_dir = true;
	return 0;
}

static int parse_mode(struct args *a, struct esptun_sa *sa)
{
	const char *v;

	if (args_value(a, "mode", &v))
		return -EINVAL;
	if (strcmp(v, "tunnel") && strcmp(v, "transport"))
		return args_fail(a, "\"mode\" is %.40s, but must be tunnel or transport", v);
	sa->mode = strcmp(v, "tunnel") ? ESPTUN_SA_MODE_TRANSPORT : ESPTUN_SA_MODE_TUNNEL;
	return 0;
}

/* The words of "ip xfrm" are understood, too. */
static int parse_limit(struct args *a, struct esptun_sa *sa)
{
	const struct esptun_limit *l = esptun_limits();
	struct keyword table[2 * MAX_LIMITS + 1] = { 0 };
	unsigned int seen = a->seen;
	uint64_t value;
	int which, n;

	for (n = 0; l[n].name; n++) {
		table[n] = (struct keyword){ l[n].name, n, true, NULL };
		table[n + MAX_LIMITS] = (struct keyword){ l[n].xfrm, n, true, NULL };
	}
	if (args_keyword(a, table, &which))
		return -EINVAL;
	a->seen = seen; /* these ids are another table's */
	l += which;
	if (l->max == UINT64_MAX ? args_size(a, l->name, &value)
				 : args_number(a, l->name, 0, l->max, &value))
		return -EINVAL;
	esptun_limit_set(sa, l, value);
	return 0;
}

/* What the command line calls the algorithms, until the keys are known, too. */
struct crypto_args {
	const char *encr; /* of algo, enc or aead; NULL: none was given */
	const char *integ; /* of auth or auth-trunc; NULL: none was given */
	uint32_t encr_icv; /* bits, 0: as the algorithm has it */
	uint32_t integ_icv; /* the same */
};

/* The key of what encrypts nothing is empty. */
static int parse_encr_key(struct args *a, const char *kw, struct esptun_sa *sa)
{
	if (a->argc > 0 && (!*a->argv[0] || !strcmp(a->argv[0], "0x"))) {
		args_next(a);
		return 0;
	}
	return args_key(a, kw, sa->key, &sa->key_len);
}

/* "NAME KEY" */
static int parse_enc(struct args *a, const char *kw, struct esptun_sa *sa, const char **name)
{
	return args_value(a, kw, name) ? -EINVAL : parse_encr_key(a, kw, sa);
}

/* An unknown algorithm is another mistake. */
static bool needs_key(const char *name)
{
	const struct esptun_alg *alg = esptun_alg_by_name(name, 0);

	return !alg || alg->key_len;
}

static int parse_aead(struct args *a, struct esptun_sa *sa, struct crypto_args *c)
{
	if (parse_enc(a, "aead", sa, &c->encr))
		return -EINVAL;
	return args_u32(a, "aead", 1, UINT8_MAX, &c->encr_icv);
}

static int parse_auth(struct args *a, const char *kw, struct esptun_sa *sa, struct crypto_args *c)
{
	if (c->integ)
		return args_fail(a, "\"auth\" and \"auth-trunc\" exclude each other");
	if (args_value(a, kw, &c->integ))
		return -EINVAL;
	return args_key(a, kw, sa->integ_key, &sa->integ_key_len);
}

static int parse_auth_trunc(struct args *a, struct esptun_sa *sa, struct crypto_args *c)
{
	if (parse_auth(a, "auth-trunc", sa, c))
		return -EINVAL;
	return args_u32(a, "auth-trunc", 1, UINT16_MAX, &c->integ_icv);
}

static int parse_tfc(struct args *a, struct esptun_sa *sa)
{
	sa->has |= ESPTUN_SA_HAS_TFC;
	if (a->argc > 0 && !strcmp(a->argv[0], "mtu")) {
		args_next(a);
		sa->tfc = ESPTUN_TFC_MTU;
		return 0;
	}
	return args_u32(a, "tfc", 0, UINT16_MAX, &sa->tfc);
}

static int parse_one(struct args *a, int id, struct sa_args *s, struct crypto_args *c)
{
	struct esptun_sa *sa = &s->sa;

	switch (id) {
	case K_DEV: return args_value(a, "dev", &s->dev);
	case K_DIR: return parse_dir(a, s);
	case K_SPI: s->has_spi = true; return args_spi(a, "spi", &sa->spi);
	case K_PEER: return args_u32(a, "peer", 1, UINT32_MAX, &sa->peer);
	case K_ALGO: return args_value(a, "algo", &c->encr);
	case K_KEY: return parse_encr_key(a, "key", sa);
	case K_MODE: return parse_mode(a, sa);
	case K_ESN: return args_bool(a, "esn", &sa->esn);
	case K_REPLAY:
		sa->has |= ESPTUN_SA_HAS_REPLAY_WINDOW;
		return args_u32(a, "replay-window", 0, ESPTUN_REPLAY_WINDOW_MAX,
				&sa->replay_window);
	case K_LOCAL: return args_ts(a, "local-ts", &sa->ts_local, &sa->n_ts_local);
	case K_REMOTE: return args_ts(a, "remote-ts", &sa->ts_remote, &sa->n_ts_remote);
	case K_SEQ: sa->has |= ESPTUN_SA_HAS_SEQ; return args_size(a, "seq", &sa->seq);
	case K_ENC: return parse_enc(a, "enc", sa, &c->encr);
	case K_AUTH: return parse_auth(a, "auth", sa, c);
	case K_AUTH_TRUNC: return parse_auth_trunc(a, sa, c);
	case K_AEAD: return parse_aead(a, sa, c);
	case K_CPU:
		sa->has |= ESPTUN_SA_HAS_CPU;
		return args_u32(a, "cpu", 0, UINT32_MAX, &sa->cpu);
	case K_TFC: return parse_tfc(a, sa);
	case K_DUMMY:
		sa->has |= ESPTUN_SA_HAS_DUMMY;
		return args_u32(a, "dummy", 0, ESPTUN_DUMMY_MAX, &sa->dummy);
	case K_NAT_OA_LOCAL:
		sa->has |= ESPTUN_SA_HAS_NAT_OA;
		return args_addr(a, "nat-oa-local", &sa->nat_oa_local);
	case K_NAT_OA_REMOTE: return args_addr(a, "nat-oa-remote", &sa->nat_oa_remote);
	default: return parse_limit(a, sa);
	}
}

static int fail_key(struct args *a, const struct esptun_alg *alg, size_t len)
{
	if (!alg->salt_len)
		return args_fail(
			a,
			"%s needs a key of %d bytes, not %zu; make one with: esptun keygen sa %s",
			alg->name, alg->key_len, len, alg->name);
	return args_fail(
		a,
		"%s needs a key of %d bytes (%d of key, then %d of salt), not %zu; make one with: esptun keygen sa %s",
		alg->name, alg->key_len, alg->key_len - alg->salt_len, alg->salt_len, len,
		alg->name);
}

static int check_encr(struct args *a, const struct crypto_args *c, struct esptun_sa *sa)
{
	const struct esptun_alg *alg = esptun_alg_by_name(c->encr, sa->key_len);

	if (!alg)
		return args_fail(
			a,
			"unknown algorithm \"%.40s\"; \"esptun algo show\" lists those there are",
			c->encr);
	if (sa->key_len != alg->key_len)
		return fail_key(a, alg, sa->key_len);
	if (c->encr_icv && c->encr_icv != 8U * alg->icv_len) {
		alg = c->encr_icv % 8 ? NULL
				      : esptun_alg_by_icv(c->encr, sa->key_len, c->encr_icv / 8);
		if (!alg)
			return args_fail(a, "\"%.40s\" has no ICV of %u bits", c->encr,
					 c->encr_icv);
	}
	if (!alg->icv_len && !c->integ)
		return args_fail(
			a,
			"%s needs an integrity algorithm, too: auth NAME KEY; encryption without authentication is refused",
			alg->name);
	if (alg->icv_len && c->integ)
		return args_fail(a, "%s authenticates by itself: leave \"auth\" away", alg->name);
	sa->encr = alg->encr;
	return 0;
}

static int check_integ(struct args *a, const struct crypto_args *c, struct esptun_sa *sa)
{
	const struct esptun_integ_alg *alg = esptun_integ_by_name(c->integ);

	if (!alg)
		return args_fail(
			a,
			"unknown integrity algorithm \"%.40s\"; \"esptun algo show\" lists those there are",
			c->integ);
	if (sa->integ_key_len != alg->key_len)
		return args_fail(
			a,
			"%s needs a key of %d bytes, not %zu; make one with: esptun keygen sa %s",
			alg->name, alg->key_len, sa->integ_key_len, alg->name);
	if (c->integ_icv && c->integ_icv != 8U * alg->icv_len)
		return args_fail(a, "%s has an ICV of %d bits in ESP, not %u", alg->name,
				 8 * alg->icv_len, c->integ_icv);
	sa->integ = alg->integ;
	return 0;
}

/* "sa add": one way to say it, and all of it. */
static int check_crypto(struct args *a, const struct crypto_args *c, struct esptun_sa *sa)
{
	int ways = args_has(a, K_ALGO) + args_has(a, K_ENC) + args_has(a, K_AEAD);

	if (!ways)
		return args_fail(a, "sa add needs \"algo\" (or \"enc\", or \"aead\")");
	if (ways > 1)
		return args_fail(a, "\"algo\", \"enc\" and \"aead\" exclude each other");
	if (args_has(a, K_KEY) && !args_has(a, K_ALGO))
		return args_fail(
			a,
			"\"key\" goes with \"algo\"; of \"enc\" and \"aead\" it is the second word");
	if (args_has(a, K_ALGO) && !args_has(a, K_KEY) && needs_key(c->encr))
		return args_fail(a, "sa add needs \"key\"");
	if (check_encr(a, c, sa))
		return -EINVAL;
	return c->integ ? check_integ(a, c, sa) : 0;
}

static const struct subcommand *find_subcommand(const char *verb)
{
	const struct subcommand *c = sa_commands;

	while (strcmp(c->name, verb))
		c++;
	return c;
}

static int check_keywords(struct args *a, const char *verb)
{
	const struct subcommand *c = find_subcommand(verb);
	const struct keyword *k;
	unsigned int bit;

	for (k = sa_keywords; k->name; k++) {
		bit = 1U << k->id;
		if ((c->needs & bit) && !(a->seen & bit))
			return args_fail(a, "sa %s needs \"%s\"", verb, k->name);
		if ((a->seen & bit) && !((c->needs | c->takes) & bit))
			return args_fail(a, "sa %s does not take \"%s\"", verb, k->name);
	}
	return 0;
}

/* For the kernel, a side of a "set" without selectors keeps its own. */
static int any_ts(struct args *a, const char *kw, struct esptun_ts **list, size_t *n)
{
	return args_ts_text(a, kw, "0.0.0.0/0", list, n) || args_ts_text(a, kw, "::/0", list, n)
		       ? -EINVAL
		       : 0;
}

static int check_changes(struct args *a, struct sa_args *s)
{
	struct esptun_sa *sa = &s->sa;

	if (!args_has(a, K_LOCAL) && !args_has(a, K_REMOTE) && !args_has(a, K_LIMIT) &&
	    !args_has(a, K_TFC) && !args_has(a, K_DUMMY))
		return args_fail(
			a,
			"sa set needs something to change: local-ts, remote-ts, limit, tfc or dummy");
	if (args_has(a, K_LOCAL) && !sa->n_ts_local &&
	    any_ts(a, "local-ts", &sa->ts_local, &sa->n_ts_local))
		return -EINVAL;
	if (args_has(a, K_REMOTE) && !sa->n_ts_remote &&
	    any_ts(a, "remote-ts", &sa->ts_remote, &sa->n_ts_remote))
		return -EINVAL;
	return 0;
}

/* Options that only SAs of the other direction have are refused. */
static int check_dir(struct args *a, const struct esptun_sa *sa)
{
	bool out = sa->dir == ESPTUN_SA_DIR_OUT;

	if (args_has(a, K_REPLAY) && out)
		return args_fail(a, "\"replay-window\" belongs to an inbound SA: dir in");
	if (args_has(a, K_NAT_OA_LOCAL) && out)
		return args_fail(a, "\"nat-oa-local\" belongs to an inbound SA: dir in");
	if (args_has(a, K_SEQ) && !out)
		return args_fail(a, "\"seq\" belongs to an outbound SA: dir out");
	if (args_has(a, K_CPU) && !out)
		return args_fail(a, "\"cpu\" belongs to an outbound SA: dir out");
	if ((args_has(a, K_TFC) || args_has(a, K_DUMMY)) && !out)
		return args_fail(a, "\"tfc\" and \"dummy\" belong to an outbound SA: dir out");
	return 0;
}

static int parse_all(struct args *a, const char *verb, struct sa_args *s)
{
	struct crypto_args c = { 0 };
	int id;

	while (a->argc > 0)
		if (args_keyword(a, sa_keywords, &id) || parse_one(a, id, s, &c))
			return -EINVAL;
	if (check_keywords(a, verb))
		return -EINVAL;
	if (args_has(a, K_NAT_OA_LOCAL) != args_has(a, K_NAT_OA_REMOTE))
		return args_fail(a, "\"nat-oa-local\" and \"nat-oa-remote\" go together");
	if (check_dir(a, &s->sa))
		return -EINVAL;
	if (!strcmp(verb, "set") && check_changes(a, s))
		return -EINVAL;
	return strcmp(verb, "add") ? 0 : check_crypto(a, &c, &s->sa);
}

int sa_args_parse(struct args *a, const char *verb, struct sa_args *s)
{
	int err;

	memset(s, 0, sizeof(*s));
	a->seen = 0;
	err = parse_all(a, verb, s);
	if (err)
		esptun_sa_clear(&s->sa);
	return err;
}

static int change(struct cli *cli, struct args *a, const char *verb,
		  int (*call)(struct esptun *h, const struct esptun_sa *sa))
{
	struct sa_args s;
	int err;

	if (sa_args_parse(a, verb, &s))
		return cli_usage_error(a);
	err = cli_ifindex(cli, s.dev, &s.sa.ifindex);
	if (!err && call(cli->h, &s.sa))
		err = cli_kernel_error(cli);
	esptun_sa_clear(&s.sa);
	return err;
}

static int sa_add(struct cli *cli, struct args *a)
{
	return change(cli, a, "add", esptun_sa_add);
}

static int sa_set(struct cli *cli, struct args *a)
{
	return change(cli, a, "set", esptun_sa_set);
}

static int del_call(struct esptun *h, const struct esptun_sa *sa)
{
	return esptun_sa_del(h, sa->ifindex, sa->dir, sa->spi, sa->peer);
}

static int sa_del(struct cli *cli, struct args *a)
{
	return change(cli, a, "del", del_call);
}

static int flush_call(struct esptun *h, const struct esptun_sa *sa)
{
	return esptun_sa_flush(h, sa->ifindex, sa->peer);
}

static int sa_flush(struct cli *cli, struct args *a)
{
	return change(cli, a, "flush", flush_call);
}

static bool wanted(const struct sa_args *s, const struct esptun_sa *sa)
{
	return (!s->has_dir || sa->dir == s->sa.dir) && (!s->has_spi || sa->spi == s->sa.spi) &&
	       (!s->sa.peer || sa->peer == s->sa.peer);
}

static int sa_show(struct cli *cli, struct args *a)
{
	size_t i, n, shown = 0;
	struct esptun_sa *sas;
	json_t *list = NULL;
	struct sa_args s;
	int err;

	if (sa_args_parse(a, "show", &s))
		return cli_usage_error(a);
	err = s.dev ? cli_ifindex(cli, s.dev, &s.sa.ifindex) : cli_open(cli);
	if (err)
		return err;
	if (esptun_sa_dump(cli->h, s.sa.ifindex, cli->show_keys ? ESPTUN_SHOW_KEYS : 0, &sas, &n))
		return cli_kernel_error(cli);
	if (cli->json)
		list = json_array();
	for (i = 0; i < n; i++) {
		if (!wanted(&s, &sas[i]))
			continue;
		shown++;
		if (list)
			json_array_append_new(list, json_sa(&sas[i]));
		else
			print_sa(cli, &sas[i]);
	}
	esptun_sas_free(sas, n);
	if (list)
		print_json(cli, list);
	if (s.has_spi && !shown) {
		cli_error("no SA with SPI 0x%08x", s.sa.spi);
		return EXIT_KERNEL;
	}
	return 0;
}

#define NAME (1 << K_DEV | 1 << K_DIR | 1 << K_SPI)
#define CRYPTO \
	(1 << K_ALGO | 1 << K_KEY | 1 << K_ENC | 1 << K_AUTH | 1 << K_AUTH_TRUNC | 1 << K_AEAD)

const struct subcommand sa_commands[] = {
	{ "add", sa_add, NAME | 1 << K_PEER,
	  CRYPTO | 1 << K_MODE | 1 << K_ESN | 1 << K_REPLAY | 1 << K_LOCAL | 1 << K_REMOTE |
		  1 << K_LIMIT | 1 << K_SEQ | 1 << K_CPU | 1 << K_TFC | 1 << K_DUMMY |
		  1 << K_NAT_OA_LOCAL | 1 << K_NAT_OA_REMOTE },
	{ "set", sa_set, NAME,
	  1 << K_PEER | 1 << K_LOCAL | 1 << K_REMOTE | 1 << K_LIMIT | 1 << K_TFC | 1 << K_DUMMY },
	{ "del", sa_del, NAME, 1 << K_PEER },
	{ "delete", sa_del, NAME, 1 << K_PEER },
	{ "show", sa_show, 0, NAME | 1 << K_PEER },
	{ "list", sa_show, 0, NAME | 1 << K_PEER },
	{ "lst", sa_show, 0, NAME | 1 << K_PEER },
	{ "flush", sa_flush, 1 << K_DEV, 1 << K_PEER },
	{ NULL, NULL, 0, 0 },
};

int cmd_sa(struct cli *cli, struct args *a)
{
	return cli_subcommand(cli, a, sa_commands, sa_show, usage_sa);
}
