// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libesptun against the module, through the public header and the shared library
 * only: objects, dumps under change, events and their loss, the IKE channel.
 * Speaks TAP; t_lib.sh builds and runs it in a fresh network namespace.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/esptun.h"

#define STABLE_SAS 600
#define FIRST_SPI 0x10000

static unsigned int count, failed;

static void ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void ok(bool good, const char *fmt, ...)
{
	va_list ap;

	failed += !good;
	printf("%sok %u - ", good ? "" : "not ", ++count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* A call returned @want; on failure its text helps. */
static void is(struct esptun *h, int got, int want, const char *what)
{
	ok(got == want, "%s", what);
	if (got != want)
		printf("# returned %d (%s), not %d: %s\n", got, strerror(abs(got)), want,
		       esptun_error(h));
}

static void says(struct esptun *h, const char *part)
{
	ok(strstr(esptun_error(h), part) != NULL, "and says \"%s\"", part);
	if (!strstr(esptun_error(h), part))
		printf("# said: %s\n", esptun_error(h));
}

static struct esptun_addr addr(const char *s)
{
	struct esptun_addr a = { 0 };

	esptun_addr_parse(s, &a);
	return a;
}

/* ------------------------------------------------------------------- objects */

static uint32_t check_links(struct esptun *h)
{
	struct esptun_link link = { .name = "lib0" }, got, *all;
	uint32_t ifindex = 0, second = 0;
	size_t n;

	is(h, esptun_link_add(h, &link, &ifindex), 0, "link add with defaults");
	is(h, esptun_link_add(h, &link, NULL), -EEXIST, "its name is taken");
	is(h, esptun_link_get(h, "lib0", &got), 0, "link get");
	ok(got.ifindex == ifindex && got.port == 4500 && got.tos == 1 && !got.up,
	   "index, port 4500, tos inherit, down");
	is(h, esptun_link_get(h, "lo", &got), -EMEDIUMTYPE, "lo is no esptun link");
	is(h, esptun_link_get(h, "nope", &got), -ENODEV, "no such device");
	says(h, "no device \"nope\"");
	is(h, esptun_link_get(h, "a-name-that-is-too-long", &got), -ENODEV, "no such name");

	link = (struct esptun_link){
		.has = ESPTUN_LINK_HAS_PORT | ESPTUN_LINK_HAS_FWMARK | ESPTUN_LINK_HAS_TTL |
		       ESPTUN_LINK_HAS_MTU | ESPTUN_LINK_HAS_UP | ESPTUN_LINK_HAS_DEV,
		.name = "lib1",
		.port = 4501,
		.fwmark = 7,
		.ttl = 9,
		.mtu = 1300,
		.up = true,
		.dev = 1,
	};
	is(h, esptun_link_add(h, &link, &second), 0, "second link with everything");
	is(h, esptun_link_dump(h, &all, &n), 0, "link dump");
	ok(n == 2 && all[1].port == 4501 && all[1].fwmark == 7 && all[1].ttl == 9 &&
		   all[1].mtu == 1300 && all[1].up && all[1].dev == 1 && all[0].dev == 0,
	   "has both, as made");
	free(all);
	link = (struct esptun_link){ .has = ESPTUN_LINK_HAS_FWMARK | ESPTUN_LINK_HAS_UP,
				     .ifindex = ifindex,
				     .fwmark = 5,
				     .up = true };
	is(h, esptun_link_set(h, &link), 0, "link set");
	is(h, esptun_link_get(h, "lib0", &got), 0, "still there under its name");
	ok(got.fwmark == 5 && got.up && got.port == 4500, "changed as asked, no more");
	link.has = ESPTUN_LINK_HAS_PORT;
	link.port = 4777;
	is(h, esptun_link_set(h, &link), 0, "another port");
	link.has = ESPTUN_LINK_HAS_DEV;
	link.dev = 7777;
	is(h, esptun_link_set(h, &link), -ENODEV, "a dev that is not there");
	says(h, "dev: no such device");
	is(h, esptun_link_get(h, "lib0", &got), 0, "link get after that");
	ok(got.port == 4777 && got.dev == 0, "has the port, no dev");
	link.has = ESPTUN_LINK_HAS_PORT;
	link.port = 4500;
	is(h, esptun_link_set(h, &link), 0, "and the first port again");
	is(h, esptun_link_del(h, second), 0, "link del");
	is(h, esptun_link_del(h, second), -ENODEV, "only once");
	return ifindex;
}

static void check_peers(struct esptun *h, uint32_t ifindex)
{
	struct esptun_peer peer = {
		.has = ESPTUN_PEER_HAS_REMOTE | ESPTUN_PEER_HAS_KEEPALIVE,
		.ifindex = ifindex, .id = 1, .remote.addr = addr("127.0.0.9"), .keepalive = 0,
	}, got, *all;
	size_t n;

	is(h, esptun_peer_add(h, &peer), 0, "peer add");
	is(h, esptun_peer_add(h, &peer), -EEXIST, "its id is taken");
	is(h, esptun_peer_get(h, ifindex, 1, &got), 0, "peer get");
	ok(got.id == 1 && got.remote.port == 4500 && got.keepalive == 0 && got.may_roam &&
		   esptun_addr_equal(&got.remote.addr, &peer.remote.addr),
	   "as made, port 4500, roaming");
	is(h, esptun_peer_get(h, ifindex, 2, &got), -ENOENT, "no such peer");
	peer.has = ESPTUN_PEER_HAS_KEEPALIVE;
	peer.keepalive = 3601;
	ok(esptun_peer_set(h, &peer) < 0, "keepalive 3601 refused");
	says(h, "keepalive");
	is(h, esptun_peer_add(h, &(struct esptun_peer){ .ifindex = 99999, .id = 1 }), -ENODEV,
	   "no such link");
	is(h, esptun_peer_dump(h, 0, &all, &n), 0, "peer dump");
	ok(n == 1 && all[0].ifindex == ifindex, "one");
	free(all);
}

static struct esptun_sa an_sa(uint32_t ifindex, uint32_t spi)
{
	struct esptun_sa sa = {
		.ifindex = ifindex,
		.spi = spi,
		.peer = 1,
		.dir = ESPTUN_SA_DIR_IN,
		.encr = ESPTUN_ENCR_AES_GCM_16,
		.key_len = 20,
	};

	memset(sa.key, 0x5a, sa.key_len);
	memcpy(sa.key, &spi, sizeof(spi));
	return sa;
}

static void check_sas(struct esptun *h, uint32_t ifindex)
{
	struct esptun_ts ts[2];
	struct esptun_sa sa, got;
	uint32_t spi;

	is(h, esptun_spi_alloc(h, ifindex, 1, &spi), 0, "spi alloc");
	ok(spi >= ESPTUN_SPI_MIN, "0x%x is at least 256", spi);
	is(h, esptun_sa_get(h, ifindex, ESPTUN_SA_DIR_IN, spi, 0, 0, &got), 0, "sa get");
	ok(got.state == ESPTUN_SA_STATE_LARVAL && !got.key_len, "larval, without key");
	esptun_sa_clear(&got);

	sa = an_sa(ifindex, spi);
	esptun_ts_parse("10.1.0.0/16:tcp:443-444", &ts[0]);
	esptun_ts_parse("2001:db8::/32", &ts[1]);
	sa.ts_local = ts;
	sa.n_ts_local = 2;
	sa.key_len = 19;
	ok(esptun_sa_add(h, &sa) < 0, "19 octets of key refused");
	says(h, "key");
	sa.key_len = 20;
	is(h, esptun_sa_add(h, &sa), 0, "the larval SA gets its key");
	is(h, esptun_sa_add(h, &sa), -EEXIST, "but once");
	is(h, esptun_sa_get(h, ifindex, ESPTUN_SA_DIR_IN, spi, 0, 0, &got), 0, "sa get");
	ok(got.state == ESPTUN_SA_STATE_MATURE && got.n_ts_local == 2 &&
		   got.ts_local[0].port_end == 444 && got.ts_local[1].prefix_len == 32,
	   "as made");
	ok(!(got.has & ESPTUN_SA_HAS_KEY) && got.key_len == 20 && !got.key[0],
	   "its key length is told, its key is not");
	ok(esptun_alg_by_id(got.encr, got.key_len) == esptun_alg_by_name("aes-gcm-128", 0),
	   "so it is aes-gcm-128");
	esptun_sa_clear(&got);
	is(h, esptun_sa_get(h, ifindex, ESPTUN_SA_DIR_IN, spi, 0, ESPTUN_SHOW_KEYS, &got), 0,
	   "sa get with keys");
	ok((got.has & ESPTUN_SA_HAS_KEY) && !memcmp(got.key, sa.key, 20), "has the key");
	esptun_sa_clear(&got);
	is(h, esptun_sa_del(h, ifindex, ESPTUN_SA_DIR_IN, spi, 0), 0, "sa del");
	is(h, esptun_sa_del(h, ifindex, ESPTUN_SA_DIR_IN, spi, 0), -ENOENT, "only once");
	is(h, esptun_peer_del(h, ifindex, 1), 0, "peer del without SAs");
}

/* --------------------------------------------------------------------- dumps */

/* Add and delete SAs beside the stable ones until killed. */
static void churn(uint32_t ifindex)
{
	struct esptun *h = esptun_open();
	uint32_t i, spi;

	for (i = 0;; i++) {
		spi = FIRST_SPI + STABLE_SAS + i % 16;
		struct esptun_sa sa = an_sa(ifindex, spi);

		esptun_sa_add(h, &sa);
		esptun_sa_del(h, ifindex, ESPTUN_SA_DIR_IN, spi, 0);
	}
}

/* Each stable SA exactly once. */
static bool complete(const struct esptun_sa *sas, size_t n)
{
	static unsigned char seen[STABLE_SAS];
	size_t i, stable = 0;

	memset(seen, 0, sizeof(seen));
	for (i = 0; i < n; i++) {
		if (sas[i].spi < FIRST_SPI || sas[i].spi >= FIRST_SPI + STABLE_SAS)
			continue;
		if (seen[sas[i].spi - FIRST_SPI]++)
			return false;
		stable++;
	}
	return stable == STABLE_SAS;
}

static void check_dumps(struct esptun *h, uint32_t ifindex)
{
	unsigned int i, whole = 0, busy = 0, bad = 0;
	struct esptun_sa *sas;
	size_t n;
	pid_t pid;

	esptun_peer_add(h, &(struct esptun_peer){ .ifindex = ifindex, .id = 1 });
	for (i = 0; i < STABLE_SAS; i++) {
		struct esptun_sa sa = an_sa(ifindex, FIRST_SPI + i);

		if (esptun_sa_add(h, &sa)) {
			ok(false, "SA %u: %s", i, esptun_error(h));
			return;
		}
	}
	is(h, esptun_sa_dump(h, ifindex, 0, &sas, &n), 0, "dump of many SAs");
	ok(n == STABLE_SAS && complete(sas, n), "all %d are there, once", STABLE_SAS);
	esptun_sas_free(sas, n);

	pid = fork();
	if (!pid)
		churn(ifindex);
	for (i = 0; i < 20; i++) {
		int err = esptun_sa_dump(h, ifindex, 0, &sas, &n);

		if (err == -EAGAIN)
			busy++;
		else if (err || !complete(sas, n))
			bad++;
		else
			whole++;
		esptun_sas_free(sas, n);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(!bad, "dumps beside changes are whole or refused (%u, %u)", whole, busy);
	is(h, esptun_sa_dump(h, 0, 0, &sas, &n), 0, "and whole afterwards");
	ok(complete(sas, n), "with all of them");
	esptun_sas_free(sas, n);
	is(h, esptun_sa_flush(h, ifindex, 2), -ENOENT, "flush of an unknown peer");
	is(h, esptun_sa_flush(h, ifindex, 1), 0, "flush of the peer");
	is(h, esptun_sa_dump(h, ifindex, 0, &sas, &n), 0, "dump of none");
	ok(n == 0, "is empty");
	esptun_sas_free(sas, n);
}

/* -------------------------------------------------------------------- events */

struct seen {
	unsigned int of[ESPTUN_EVENT_OVERRUN + 1];
	uint32_t last_spi;
	uint16_t remote_port;
	size_t ike_len;
	bool ike_same;
};

static uint8_t ike_data[ESPTUN_IKE_MAX];

static void on_event(const struct esptun_event *ev, void *arg)
{
	struct seen *s = arg;

	s->of[ev->type]++;
	if (ev->type == ESPTUN_EVENT_SA_ADD || ev->type == ESPTUN_EVENT_SA_DEL)
		s->last_spi = ev->u.sa.spi;
	if (ev->type == ESPTUN_EVENT_IKE) {
		s->remote_port = ev->u.ike.remote.port;
		s->ike_len = ev->u.ike.len;
		s->ike_same = !memcmp(ev->u.ike.data, ike_data, ev->u.ike.len);
	}
}

static void drain(struct esptun *h, int fd,
		  int (*read_fn)(struct esptun *, esptun_event_fn, void *), struct seen *s)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (poll(&p, 1, 300) > 0 && read_fn(h, on_event, s) > 0)
		;
}

static void check_events(struct esptun *h, uint32_t ifindex)
{
	struct esptun_sa sa = an_sa(ifindex, 0x5000);
	struct seen s = { 0 };
	int fd, i, small = 1;

	fd = esptun_events_open(h);
	ok(fd >= 0, "events open: %s", esptun_error(h));
	ok(esptun_events_open(h) == fd, "the same descriptor again");
	ok(esptun_events_read(h, on_event, &s) == 0, "reading does not block");
	esptun_sa_add(h, &sa);
	esptun_sa_del(h, ifindex, ESPTUN_SA_DIR_IN, 0x5000, 0);
	esptun_peer_set(h, &(struct esptun_peer){ .has = ESPTUN_PEER_HAS_KEEPALIVE,
						  .ifindex = ifindex,
						  .id = 1,
						  .keepalive = 9 });
	drain(h, fd, esptun_events_read, &s);
	ok(s.of[ESPTUN_EVENT_SA_ADD] == 1 && s.of[ESPTUN_EVENT_SA_DEL] == 1 &&
		   s.of[ESPTUN_EVENT_PEER_CHANGE] == 1 && s.last_spi == 0x5000,
	   "sa-add, sa-delete and peer-change arrive");

	memset(&s, 0, sizeof(s));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (i = 0; i < 200; i++) {
		esptun_sa_add(h, &sa);
		esptun_sa_del(h, ifindex, ESPTUN_SA_DIR_IN, 0x5000, 0);
	}
	drain(h, fd, esptun_events_read, &s);
	ok(s.of[ESPTUN_EVENT_OVERRUN] >= 1 && s.of[ESPTUN_EVENT_SA_ADD] < 200,
	   "too many unread: overrun is told (%u of 200 sa-add)", s.of[ESPTUN_EVENT_SA_ADD]);
	memset(&s, 0, sizeof(s));
	esptun_sa_add(h, &sa);
	drain(h, fd, esptun_events_read, &s);
	ok(s.of[ESPTUN_EVENT_SA_ADD] == 1 && !s.of[ESPTUN_EVENT_OVERRUN],
	   "and later events arrive again");
	esptun_sa_del(h, ifindex, ESPTUN_SA_DIR_IN, 0x5000, 0);
}

/* --------------------------------------------------------------- IKE channel */

static void send_and_expect(struct esptun *h, struct esptun *agent, int fd, uint32_t ifindex,
			    size_t len)
{
	struct esptun_ike ike = { .remote = { addr("127.0.0.1"), 4501 },
				  .data = ike_data,
				  .len = len };
	struct seen s = { 0 };

	is(h, esptun_ike_send(h, ifindex, &ike), 0, "ike send");
	drain(agent, fd, esptun_ike_read, &s);
	ok(s.of[ESPTUN_EVENT_IKE] == 1 && s.ike_len == len && s.ike_same && s.remote_port == 4500,
	   "%zu octets arrive as sent, from port 4500", len);
}

static void check_ike(struct esptun *h, uint32_t ifindex)
{
	struct esptun *agent = esptun_open(), *other = esptun_open();
	struct esptun_link link = { .has = ESPTUN_LINK_HAS_PORT | ESPTUN_LINK_HAS_UP,
				    .name = "lib1",
				    .port = 4501,
				    .up = true };
	struct esptun_ike ike = { .remote = { addr("127.0.0.1"), 4501 }, .data = ike_data };
	uint32_t second;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(ike_data); i++)
		ike_data[i] = (uint8_t)(i * 7 + 1);
	esptun_link_add(h, &link, &second);
	fd = esptun_ike_open(agent);
	ok(fd >= 0, "ike open: %s", esptun_error(agent));
	ok(esptun_ike_open(agent) == fd, "the same descriptor again");
	is(other, esptun_ike_open(other), -EBUSY, "the channel has one holder");
	says(other, "another agent");
	send_and_expect(h, agent, fd, ifindex, 28);
	send_and_expect(h, agent, fd, ifindex, 1400);
	/* Only a peer's may be longer than 32,768. */
	send_and_expect(h, agent, fd, ifindex, 32768);
	is(h,
	   esptun_peer_add(h, &(struct esptun_peer){ .has = ESPTUN_PEER_HAS_REMOTE,
						     .ifindex = second,
						     .id = 1,
						     .remote = { addr("127.0.0.1"), 4500 } }),
	   0, "the sender is a peer");
	send_and_expect(h, agent, fd, ifindex, 60000);
	ike.len = 0;
	is(h, esptun_ike_send(h, ifindex, &ike), -EMSGSIZE, "empty message refused");
	ike.len = ESPTUN_IKE_MAX + 1;
	is(h, esptun_ike_send(h, ifindex, &ike), -EMSGSIZE, "longer than the longest refused");
	ike.len = 100;
	ike.remote.addr = addr("203.0.113.1");
	ok(esptun_ike_send(h, ifindex, &ike) < 0, "without a route refused");
	says(h, "cannot send an IKE message");
	esptun_close(agent);
	ok(esptun_ike_open(other) >= 0, "closing gives the channel back");
	esptun_close(other);
	esptun_link_del(h, second);
}

static void check_stats(struct esptun *h, uint32_t ifindex)
{
	struct esptun_link_stats *stats;
	size_t i, n, links = 0, rest = 0;

	is(h, esptun_stats_dump(h, 0, &stats, &n), 0, "stats dump");
	for (i = 0; i < n; i++) {
		links += stats[i].ifindex == ifindex;
		rest += stats[i].ifindex == 0 && stats[i].stats.v[ESPTUN_STATS_A_RX_IKE] >= 3;
	}
	ok(links == 1 && rest == 1, "the link's, and IKE datagrams that belong to no link");
	free(stats);
	is(h, esptun_stats_dump(h, ifindex, &stats, &n), 0, "stats of one link");
	ok(n == 1 && stats[0].ifindex == ifindex, "are its own");
	free(stats);
}

int main(void)
{
	struct esptun *h = esptun_open();
	uint32_t ifindex;

	if (!h) {
		printf("Bail out! cannot open: %s\n", strerror(errno));
		return 1;
	}
	ifindex = check_links(h);
	check_peers(h, ifindex);
	check_sas(h, ifindex);
	check_dumps(h, ifindex);
	check_events(h, ifindex);
	check_ike(h, ifindex);
	check_stats(h, ifindex);
	is(h, esptun_link_del(h, ifindex), 0, "the link goes with all it has");
	esptun_close(h);
	printf("1..%u\n", count);
	return failed != 0;
}
