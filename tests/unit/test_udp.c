// SPDX-License-Identifier: GPL-2.0-or-later
/* The socket of port 500, on another port. */
#include <arpa/inet.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ike/io/udp.h"

struct bench {
	struct event_base *base;
	struct udp *udp;
	uint16_t port;
	int sender; /* a connected socket */
	unsigned int n, wrong; /* datagrams received, those of them out of order */
	size_t len; /* of the last one */
	struct ike_endpoint local, remote;
};

static void on_datagram(void *ctx, const struct ike_datagram *d)
{
	struct bench *b = ctx;
	uint32_t serial;

	memcpy(&serial, d->data, sizeof(serial));
	b->wrong += serial != b->n;
	b->n++;
	b->len = d->len;
	b->local = d->local;
	b->remote = d->remote;
}

static int bench_open(void **state)
{
	static struct bench b;
	struct sockaddr_in to = { .sin_family = AF_INET };

	memset(&b, 0, sizeof(b));
	b.base = event_base_new();
	for (b.port = (uint16_t)(20000 + getpid() % 20000); !b.udp && b.port < 60000; b.port++)
		b.udp = udp_open(b.base, b.port, on_datagram, &b);
	b.port--;
	to.sin_port = htons(b.port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	b.sender = socket(AF_INET, SOCK_DGRAM, 0);
	*state = &b;
	return !b.udp || connect(b.sender, (struct sockaddr *)&to, sizeof(to)) ? -1 : 0;
}

static int bench_close(void **state)
{
	struct bench *b = *state;

	close(b->sender);
	udp_close(b->udp);
	event_base_free(b->base);
	return 0;
}

static void put(struct bench *b, uint32_t serial, size_t len)
{
	static uint8_t buf[65507];

	memcpy(buf, &serial, sizeof(serial));
	assert_int_equal(send(b->sender, buf, len, 0), len);
}

static void take(struct bench *b, unsigned int wakes)
{
	while (wakes--)
		event_base_loop(b->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void tells_addresses_and_length(void **state)
{
	struct bench *b = *state;

	put(b, 0, 300);
	take(b, 1);
	assert_int_equal(b->n, 1);
	assert_int_equal(b->len, 300);
	assert_int_equal(b->local.port, b->port);
	assert_int_equal(b->local.addr.family, 4);
	assert_memory_equal(b->local.addr.b, ((uint8_t[]){ 127, 0, 0, 1 }), 4);
	assert_memory_equal(b->remote.addr.b, ((uint8_t[]){ 127, 0, 0, 1 }), 4);
	assert_int_not_equal(b->remote.port, 0);
}

/* IPv6 comes to a socket of its own; answers leave from the address that was written to. */
static void speaks_ipv6(void **state)
{
	struct bench *b = *state;
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(b->port) };
	struct ike_datagram d = { .data = (const uint8_t *)"answer", .len = 6 };
	uint8_t buf[16];
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	to.sin6_addr = in6addr_loopback;
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		print_message("this machine has no IPv6\n");
		skip();
	}
	assert_int_equal(send(fd, "\0\0\0\0", 4, 0), 4);
	take(b, 1);
	assert_int_equal(b->n, 1);
	assert_int_equal(b->local.port, b->port);
	assert_int_equal(b->local.addr.family, 6);
	assert_memory_equal(b->local.addr.b, &in6addr_loopback, 16);
	assert_int_equal(b->remote.addr.family, 6);
	assert_memory_equal(b->remote.addr.b, &in6addr_loopback, 16);
	d.local = b->local;
	d.remote = b->remote;
	assert_int_equal(udp_send(b->udp, &d, 0), 0);
	assert_int_equal(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), 6);
	assert_memory_equal(buf, "answer", 6);
	d.local.addr.b[0] = 0x20; /* not ours: routing chooses */
	assert_int_equal(udp_send(b->udp, &d, 0), 0);
	assert_int_equal(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), 6);
	close(fd);
}

/* Many at once come in order, and not so many for one wake-up that nothing else is done. */
static void many_at_once(void **state)
{
	struct bench *b = *state;
	uint32_t i;

	for (i = 0; i < 100; i++)
		put(b, i, 4 + i);
	take(b, 1);
	assert_in_range(b->n, 16, 99);
	take(b, 10);
	assert_int_equal(b->n, 100);
	assert_int_equal(b->wrong, 0);
	assert_int_equal(b->len, 103);
}

/* What is longer than any IKE message is dropped, and does no harm to its neighbours. */
static void too_long(void **state)
{
	struct bench *b = *state;

	put(b, 0, IKE_MAX_MSG);
	put(b, 99, IKE_MAX_MSG + 1);
	put(b, 1, 8);
	take(b, 4);
	assert_int_equal(b->n, 2);
	assert_int_equal(b->wrong, 0);
	assert_int_equal(b->len, 8);
}

/* A burst that comes while something else is done; as root, who may have such a buffer. */
static void a_burst_fits(void **state)
{
	struct bench *b = *state;
	uint32_t i, burst = geteuid() ? 100 : 3000;

	for (i = 0; i < burst; i++)
		put(b, i, 400);
	take(b, burst);
	assert_int_equal(b->n, burst);
	assert_int_equal(b->wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tells_addresses_and_length, bench_open,
						bench_close),
		cmocka_unit_test_setup_teardown(speaks_ipv6, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(many_at_once, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(too_long, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(a_burst_fits, bench_open, bench_close),
	};

	return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
