// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sa_load: adds and removes many peers and SAs, and tells how long the kernel
 * took and how much memory they hold. Messages are made beforehand and handed
 * over many at a time, each of them acknowledged; only that is timed.
 *
 * Peer i (from 1) has the remote prefix 10.0.0.0 + i / 32, in both directions.
 * SPIs and keys follow from i, so that side a of one link and side b of another
 * fit together. SPIs are spread like random ones.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <linux/esptun.h>

/* Messages in one sendmsg(); their acks must fit the receive buffer. */
#define BATCH 64
#define ACK_MAX 512
#define KEY_LEN_AES 36

static const char *device = "vpn0";
static uint32_t first = 1, count = 10000;
static bool side_b, any_ts;
static in_addr_t remote; /* 0: one of its own for each peer */
static uint16_t encr = ESPTUN_ENCR_AES_GCM_16;

static struct nl_sock *sock;
static int family;
static uint32_t ifindex;

/* Messages of one step, one behind the other. */
static char *messages;
static size_t used, room;
static size_t *ends;

static void append(const struct nlmsghdr *h)
{
	size_t len = NLMSG_ALIGN(h->nlmsg_len);

	if (used + len > room) {
		room = (used + len) * 2;
		messages = realloc(messages, room);
		if (!messages)
			err(1, NULL);
	}
	memset(messages + used, 0, len);
	memcpy(messages + used, h, h->nlmsg_len);
	used += len;
}

/* A bijection that looks random: the last steps of MurmurHash3. */
static uint32_t mix(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x85ebca6b;
	x ^= x >> 13;
	x *= 0xc2b2ae35;
	return x ^ x >> 16;
}

static uint32_t spi_of(uint32_t i, bool to_b)
{
	uint32_t spi = mix(2 * i + to_b);

	if (spi < 256)
		errx(1, "peer %" PRIu32 " has an unusable SPI: choose another --first", i);
	return spi;
}

static void key_of(uint32_t i, bool to_b, uint8_t key[KEY_LEN_AES])
{
	for (int n = 0; n < KEY_LEN_AES; n++)
		key[n] = mix((2 * i + to_b) * 64 + n + 1);
}

static int put_ts(struct nl_msg *msg, int type, uint32_t i)
{
	in_addr_t addr = htonl(0x0a000000 + i);
	struct nlattr *nest = nla_nest_start(msg, type);

	if (!nest || nla_put(msg, ESPTUN_TS_A_ADDRESS, sizeof(addr), &addr) ||
	    nla_put_u8(msg, ESPTUN_TS_A_PREFIX_LEN, 32))
		return -1;
	return nla_nest_end(msg, nest);
}

static int put_sa(struct nl_msg *msg, uint32_t i, bool out, bool name_only)
{
	bool to_b = out != side_b;
	uint8_t key[KEY_LEN_AES];

	key_of(i, to_b, key);
	if (nla_put_u32(msg, ESPTUN_SA_A_SPI, htonl(spi_of(i, to_b))) ||
	    nla_put_u8(msg, ESPTUN_SA_A_DIR, out ? ESPTUN_SA_DIR_OUT : ESPTUN_SA_DIR_IN) ||
	    nla_put_u32(msg, ESPTUN_SA_A_PEER, i))
		return -1;
	if (name_only)
		return 0;
	if (nla_put_u16(msg, ESPTUN_SA_A_ENCR, encr) ||
	    nla_put(msg, ESPTUN_SA_A_ENCR_KEY, sizeof(key), key) ||
	    nla_put_u8(msg, ESPTUN_SA_A_ESN, 1))
		return -1;
	return any_ts ? 0 : put_ts(msg, ESPTUN_SA_A_TS_REMOTE, i);
}

static int put_peer(struct nl_msg *msg, uint32_t i, bool name_only)
{
	in_addr_t addr = remote ? remote : htonl(0xc6120000 + i);

	if (nla_put_u32(msg, ESPTUN_PEER_A_ID, i))
		return -1;
	if (name_only)
		return 0;
	if (nla_put(msg, ESPTUN_PEER_A_REMOTE_ADDRESS, sizeof(addr), &addr) ||
	    nla_put_u32(msg, ESPTUN_PEER_A_KEEPALIVE, 0))
		return -1;
	return 0;
}

enum what { PEER, SA_IN, SA_OUT };

static void make_message(int cmd, enum what what, uint32_t i)
{
	bool name_only = cmd == ESPTUN_CMD_PEER_DEL || cmd == ESPTUN_CMD_SA_DEL;
	struct nl_msg *msg = nlmsg_alloc();
	struct nlattr *nest;
	int bad;

	if (!msg || !genlmsg_put(msg, 0, i, family, 0, NLM_F_REQUEST | NLM_F_ACK, cmd, 1) ||
	    nla_put_u32(msg, ESPTUN_A_IFINDEX, ifindex))
		errx(1, "out of memory");
	nest = nla_nest_start(msg, what == PEER ? ESPTUN_A_PEER : ESPTUN_A_SA);
	bad = what == PEER ? put_peer(msg, i, name_only)
			   : put_sa(msg, i, what == SA_OUT, name_only);
	if (!nest || bad)
		errx(1, "out of memory");
	nla_nest_end(msg, nest);
	append(nlmsg_hdr(msg));
	nlmsg_free(msg);
}

static void take_acks(uint32_t n)
{
	static char buf[BATCH][ACK_MAX];
	struct iovec iov[BATCH];
	struct mmsghdr in[BATCH];
	int got;

	for (uint32_t k = 0; k < n; k++) {
		iov[k] = (struct iovec){ buf[k], ACK_MAX };
		in[k] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[k], .msg_iovlen = 1 } };
	}
	for (; n; n -= got) {
		got = recvmmsg(nl_socket_get_fd(sock), in, n, MSG_WAITFORONE, NULL);
		if (got <= 0)
			err(1, "receiving acknowledgements");
		for (int k = 0; k < got; k++) {
			const struct nlmsghdr *h = (const void *)buf[k];
			const struct nlmsgerr *e = nlmsg_data(h);

			if (in[k].msg_len < NLMSG_LENGTH(sizeof(*e)) ||
			    h->nlmsg_type != NLMSG_ERROR)
				errx(1, "the kernel answers with something else");
			if (e->error)
				errx(1, "number %" PRIu32 ": %s", h->nlmsg_seq,
				     strerror(-e->error));
		}
	}
}

/* What was freed comes back after a grace period, a bit later. */
static void settle(void)
{
	sleep(1);
}

/* Octets of kernel memory that SAs and peers may be made of. */
static long long kernel_memory(void)
{
	long long sum = 0, kib;
	char line[128];
	FILE *f;

	f = fopen("/proc/meminfo", "r");
	if (!f)
		err(1, "/proc/meminfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Slab: %lld kB", &kib) == 1 ||
		    sscanf(line, "Percpu: %lld kB", &kib) == 1 ||
		    sscanf(line, "VmallocUsed: %lld kB", &kib) == 1)
			sum += kib * 1024;
	fclose(f);
	return sum;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Return: seconds it took. */
static double hand_over(uint32_t n)
{
	size_t start = 0;
	double begin = now();

	for (uint32_t i = 0, k; i < n; i += k) {
		k = n - i < BATCH ? n - i : BATCH;
		if (send(nl_socket_get_fd(sock), messages + start, ends[i + k - 1] - start, 0) < 0)
			err(1, "sending");
		start = ends[i + k - 1];
		take_acks(k);
	}
	return now() - begin;
}

static void step(const char *name, int cmd, enum what what)
{
	long long before;
	double seconds;

	used = 0;
	for (uint32_t i = 0; i < count; i++) {
		make_message(cmd, what, first + i);
		ends[i] = used;
	}
	before = kernel_memory();
	seconds = hand_over(count);
	if (cmd == ESPTUN_CMD_PEER_DEL || cmd == ESPTUN_CMD_SA_DEL)
		settle();
	printf("{\"step\":\"%s\",\"count\":%" PRIu32
	       ",\"seconds\":%.6f,\"per_second\":%.0f,\"bytes_each\":%.0f}\n",
	       name, count, seconds, count / seconds, (double)(kernel_memory() - before) / count);
	fflush(stdout);
}

static const struct {
	const char *name;
	int cmd;
	enum what what;
} steps[] = {
	{ "peers", ESPTUN_CMD_PEER_NEW, PEER },	      { "sas-in", ESPTUN_CMD_SA_NEW, SA_IN },
	{ "sas-out", ESPTUN_CMD_SA_NEW, SA_OUT },     { "del-sas-in", ESPTUN_CMD_SA_DEL, SA_IN },
	{ "del-sas-out", ESPTUN_CMD_SA_DEL, SA_OUT }, { "del-peers", ESPTUN_CMD_PEER_DEL, PEER },
};

#define N_STEPS (sizeof(steps) / sizeof(steps[0]))

static void usage(FILE *to)
{
	fprintf(to, "Usage: sa_load [OPTION]... STEP...\n"
		    "  --dev NAME      link (vpn0)\n"
		    "  --first N       first peer's number (1)\n"
		    "  --count N       how many of each (10000)\n"
		    "  --remote ADDR   of all peers; else one of 198.18.0.0/15 for each\n"
		    "  --side a|b      which end of the tunnels (a)\n"
		    "  --any           SAs without traffic selectors\n"
		    "  --chacha        ChaCha20-Poly1305 instead of AES-GCM-256\n"
		    "Steps, one line of JSON for each:");
	for (size_t i = 0; i < N_STEPS; i++)
		fprintf(to, " %s", steps[i].name);
	fputc('\n', to);
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dev", required_argument, NULL, 'd' },
		{ "first", required_argument, NULL, 'f' },
		{ "count", required_argument, NULL, 'n' },
		{ "remote", required_argument, NULL, 'r' },
		{ "side", required_argument, NULL, 's' },
		{ "any", no_argument, NULL, 'a' },
		{ "chacha", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'd': device = optarg; break;
		case 'f': first = strtoul(optarg, NULL, 0); break;
		case 'n': count = strtoul(optarg, NULL, 0); break;
		case 'r':
			if (inet_pton(AF_INET, optarg, &remote) != 1)
				errx(2, "--remote: %s is no IPv4 address", optarg);
			break;
		case 's': side_b = *optarg == 'b'; break;
		case 'a': any_ts = true; break;
		case 'c': encr = ESPTUN_ENCR_CHACHA20_POLY1305; break;
		case 'h': usage(stdout); exit(0);
		default: usage(stderr); exit(2);
		}
	}
	if (optind == argc || !first || !count || count > 60000) {
		usage(stderr);
		exit(2);
	}
}

static void open_socket(void)
{
	int size = 1 << 20;

	ifindex = if_nametoindex(device);
	if (!ifindex)
		err(1, "%s", device);
	sock = nl_socket_alloc();
	if (!sock || genl_connect(sock))
		errx(1, "netlink is not to be had");
	family = genl_ctrl_resolve(sock, ESPTUN_GENL_NAME);
	if (family < 0)
		errx(1, "no family esptun: is the module loaded?");
	/* All acks of a batch wait here; an ack need not carry its request. */
	setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	size = 1;
	setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_CAP_ACK, &size, sizeof(size));
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	open_socket();
	ends = calloc(count, sizeof(*ends));
	if (!ends)
		err(1, NULL);
	settle();
	for (; optind < argc; optind++) {
		size_t i = 0;

		while (i < N_STEPS && strcmp(argv[optind], steps[i].name))
			i++;
		if (i == N_STEPS)
			errx(2, "%s: no such step", argv[optind]);
		step(steps[i].name, steps[i].cmd, steps[i].what);
	}
	return 0;
}
