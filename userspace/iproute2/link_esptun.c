// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plugin of ip(8) for links of kind esptun:
 *	ip link add vpn0 type esptun local 192.0.2.1 port 4500
 *	ip -d link show vpn0
 * ip loads it as link_esptun.so from its plugin folder, or from $IP_LIB_DIR.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/esptun.h>

#include "iproute2/ip_abi.h"

#define TOS_INHERIT 1

static void print_help(struct link_util *lu, int argc, char **argv, FILE *f)
{
	(void)lu;
	(void)argc;
	(void)argv;
	fputs("Usage: ... esptun [ local ADDR ] [ port PORT ] [ dev DEVICE ] [ fwmark MARK ]\n"
	      "                  [ tos { inherit | TOS } ] [ ttl { auto | inherit | TTL } ]\n"
	      "                  [ df { inherit | set | unset } ] [ flowlabel { sa | inner } ]\n"
	      "                  [ udpcsum { auto | on | off } ]\n"
	      "\n"
	      "Where: ADDR := IPv4 or IPv6 address that outer packets to peers of its family\n"
	      "               come from; \"any\" (default) lets routing choose\n"
	      "       PORT := UDP port of the encapsulation socket, 4500 by default\n"
	      "       DEVICE := device, or VRF, that outer packets leave by and UDP is received\n"
	      "               from; \"any\" (default) lets routing choose\n"
	      "       MARK := 0 to 0xffffffff, on outer packets\n"
	      "       TOS  := 0 to 0xff, of outer packets; inherit (default) copies the DSCP\n"
	      "       TTL  := 1 to 255, of outer packets; auto (default) is the system's, inherit\n"
	      "               the inner packet's\n"
	      "       df: may outer packets be fragmented; inherit (default) those whose inner\n"
	      "               packet may be, set none, unset all\n"
	      "       flowlabel: what shares an IPv6 flow label; sa (default) all packets of an\n"
	      "               SA, inner those of one flow inside\n"
	      "       udpcsum: checksums of outer UDP over IPv4; auto (default) where they come\n"
	      "               for free with batches, off sends packets one by one\n"
	      "Peers and keys are added with esptun(8).\n",
	      f);
}

/* One option's value, decimal or 0x; does not return if it is no number. */
static unsigned long number(const char *key, const char *s, unsigned long max)
{
	char msg[64];
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(s, &end, s[0] == '0' && (s[1] | 0x20) == 'x' ? 16 : 10);
	if (*s >= '0' && *s <= '9' && !errno && !*end && v <= max)
		return v;
	snprintf(msg, sizeof(msg), "%s must be a number from 0 to %lu", key, max);
	invarg(msg, s);
}

static void put(struct nlmsghdr *n, int type, const void *data, int len)
{
	if (addattr_l(n, LINK_REQUEST_SIZE, type, data, len))
		exit(1); /* ip has said why */
}

static void parse_local(struct nlmsghdr *n, const char *s)
{
	struct in_addr ip4 = { .s_addr = INADDR_ANY };
	struct in6_addr ip6;

	if (!strcmp(s, "any") || inet_pton(AF_INET, s, &ip4) == 1)
		put(n, IFLA_ESPTUN_LOCAL, &ip4, sizeof(ip4));
	else if (inet_pton(AF_INET6, s, &ip6) == 1)
		put(n, IFLA_ESPTUN_LOCAL, &ip6, sizeof(ip6));
	else
		invarg("local must be a numeric address, IPv4 or IPv6", s);
}

static void parse_port(struct nlmsghdr *n, const char *s)
{
	uint16_t port = htons((uint16_t)number("port", s, UINT16_MAX));

	if (!port)
		invarg("port must not be 0", s);
	put(n, IFLA_ESPTUN_PORT, &port, sizeof(port));
}

static void parse_dev(struct nlmsghdr *n, const char *s)
{
	uint32_t ifindex = strcmp(s, "any") ? ll_name_to_index(s) : 0;

	if (!ifindex && strcmp(s, "any"))
		invarg("dev must be a device that is there, or any", s);
	put(n, IFLA_ESPTUN_DEV, &ifindex, sizeof(ifindex));
}

static void parse_fwmark(struct nlmsghdr *n, const char *s)
{
	uint32_t mark = (uint32_t)number("fwmark", s, UINT32_MAX);

	put(n, IFLA_ESPTUN_FWMARK, &mark, sizeof(mark));
}

static void parse_tos(struct nlmsghdr *n, const char *s)
{
	uint8_t tos = TOS_INHERIT;

	if (strcmp(s, "inherit"))
		tos = (uint8_t)number("tos", s, UINT8_MAX);
	put(n, IFLA_ESPTUN_TOS, &tos, sizeof(tos));
}

static void parse_ttl(struct nlmsghdr *n, const char *s)
{
	uint8_t ttl = 0, inherit = 1;

	if (!strcmp(s, "inherit")) {
		put(n, IFLA_ESPTUN_TTL_INHERIT, &inherit, sizeof(inherit));
		return;
	}
	if (strcmp(s, "auto"))
		ttl = (uint8_t)number("ttl", s, UINT8_MAX);
	put(n, IFLA_ESPTUN_TTL, &ttl, sizeof(ttl));
}

static const char *const udpcsums[] = {
	[ESPTUN_UDPCSUM_AUTO] = "auto",
	[ESPTUN_UDPCSUM_ON] = "on",
	[ESPTUN_UDPCSUM_OFF] = "off",
	NULL,
};

static const char *const dfs[] = {
	[ESPTUN_DF_INHERIT] = "inherit",
	[ESPTUN_DF_SET] = "set",
	[ESPTUN_DF_UNSET] = "unset",
	NULL,
};

static const char *const flow_labels[] = {
	[ESPTUN_FLOW_LABEL_SA] = "sa",
	[ESPTUN_FLOW_LABEL_INNER] = "inner",
	NULL,
};

/* The number of one of @words is the attribute's value; @wrong is said of others. */
static void parse_word(struct nlmsghdr *n, int type, const char *const words[], const char *s,
		       const char *wrong)
{
	uint8_t i;

	for (i = 0; words[i] && strcmp(s, words[i]); i++)
		;
	if (!words[i])
		invarg(wrong, s);
	put(n, type, &i, sizeof(i));
}

static void parse_udpcsum(struct nlmsghdr *n, const char *s)
{
	parse_word(n, IFLA_ESPTUN_UDPCSUM, udpcsums, s, "udpcsum must be auto, on or off");
}

static void parse_df(struct nlmsghdr *n, const char *s)
{
	parse_word(n, IFLA_ESPTUN_DF, dfs, s, "df must be inherit, set or unset");
}

static void parse_flow_label(struct nlmsghdr *n, const char *s)
{
	parse_word(n, IFLA_ESPTUN_FLOW_LABEL, flow_labels, s, "flowlabel must be sa or inner");
}

static const struct {
	const char *name;
	void (*parse)(struct nlmsghdr *n, const char *value);
} options[] = {
	{ "local", parse_local },     { "port", parse_port }, { "dev", parse_dev },
	{ "fwmark", parse_fwmark },   { "tos", parse_tos },   { "ttl", parse_ttl },
	{ "udpcsum", parse_udpcsum }, { "df", parse_df },     { "flowlabel", parse_flow_label },
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

static int parse_opt(struct link_util *lu, int argc, char **argv, struct nlmsghdr *n)
{
	unsigned int seen = 0;
	size_t i;

	for (; argc > 0; argc -= 2, argv += 2) {
		if (!strcmp(*argv, "help")) {
			print_help(lu, argc, argv, stdout);
			return -1;
		}
		for (i = 0; i < N_OPTIONS && matches(*argv, options[i].name); i++)
			;
		if (i == N_OPTIONS) {
			fprintf(stderr, "esptun: unknown option \"%s\"?\n", *argv);
			print_help(lu, argc, argv, stderr);
			return -1;
		}
		if (argc < 2)
			incomplete_command();
		if (seen & (1U << i))
			duparg(options[i].name, argv[1]);
		seen |= 1U << i;
		options[i].parse(n, argv[1]);
	}
	return 0;
}

static const void *data(struct rtattr *tb[], int type, size_t len)
{
	return tb[type] && RTA_PAYLOAD(tb[type]) >= len ? RTA_DATA(tb[type]) : NULL;
}

static void print_text(FILE *f, const char *key, const char *value)
{
	if (is_json_context())
		jsonw_string_field(get_json_writer(), key, value);
	else
		fprintf(f, "%s %s ", key, value);
}

static void print_number(FILE *f, const char *key, const char *format, unsigned int value)
{
	if (is_json_context()) {
		jsonw_uint_field(get_json_writer(), key, value);
		return;
	}
	fprintf(f, "%s ", key);
	fprintf(f, format, value);
	fputc(' ', f);
}

/* Four zero octets for none. */
static void print_local(FILE *f, struct rtattr *tb[])
{
	static const struct in_addr any;
	const void *ip4 = data(tb, IFLA_ESPTUN_LOCAL, sizeof(struct in_addr));
	const void *ip6 = data(tb, IFLA_ESPTUN_LOCAL, sizeof(struct in6_addr));
	char addr[INET6_ADDRSTRLEN];

	if (ip6)
		print_text(f, "local", inet_ntop(AF_INET6, ip6, addr, sizeof(addr)));
	else if (ip4 && memcmp(ip4, &any, sizeof(any)))
		print_text(f, "local", inet_ntop(AF_INET, ip4, addr, sizeof(addr)));
	else
		print_text(f, "local", "any");
}

/* A newer module may know more of @words. */
static void print_word(FILE *f, struct rtattr *tb[], int type, const char *key,
		       const char *const words[])
{
	const uint8_t *value = data(tb, type, sizeof(*value));
	uint8_t i;

	for (i = 0; value && i < *value && words[i]; i++)
		;
	if (value && words[i])
		print_text(f, key, words[i]);
}

static void print_ttl(FILE *f, struct rtattr *tb[])
{
	const uint8_t *inherit = data(tb, IFLA_ESPTUN_TTL_INHERIT, sizeof(*inherit));
	const uint8_t *ttl = data(tb, IFLA_ESPTUN_TTL, sizeof(*ttl));

	if (inherit && *inherit)
		print_text(f, "ttl", "inherit");
	else if (ttl && !*ttl)
		print_text(f, "ttl", "auto");
	else if (ttl)
		print_number(f, "ttl", "%u", *ttl);
}

static void print_opt(struct link_util *lu, FILE *f, struct rtattr *tb[])
{
	const uint16_t *port;
	const uint32_t *u32;
	const uint8_t *u8;

	(void)lu;
	if (!tb)
		return;
	print_local(f, tb);
	port = data(tb, IFLA_ESPTUN_PORT, sizeof(*port));
	if (port)
		print_number(f, "port", "%u", ntohs(*port));
	u32 = data(tb, IFLA_ESPTUN_DEV, sizeof(*u32));
	if (u32 && *u32)
		print_text(f, "dev", ll_index_to_name(*u32));
	u32 = data(tb, IFLA_ESPTUN_FWMARK, sizeof(*u32));
	if (u32 && *u32)
		print_number(f, "fwmark", "0x%x", *u32);
	u8 = data(tb, IFLA_ESPTUN_TOS, sizeof(*u8));
	if (u8 && *u8 == TOS_INHERIT)
		print_text(f, "tos", "inherit");
	else if (u8)
		print_number(f, "tos", "0x%x", *u8);
	print_ttl(f, tb);
	print_word(f, tb, IFLA_ESPTUN_DF, "df", dfs);
	print_word(f, tb, IFLA_ESPTUN_FLOW_LABEL, "flowlabel", flow_labels);
	print_word(f, tb, IFLA_ESPTUN_UDPCSUM, "udpcsum", udpcsums);
}

/* ip looks this symbol up by name. */
extern struct link_util esptun_link_util;

struct link_util esptun_link_util = {
	.id = "esptun",
	.maxattr = IFLA_ESPTUN_MAX,
	.parse_opt = parse_opt,
	.print_opt = print_opt,
	.print_help = print_help,
};
