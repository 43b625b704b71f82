// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * load: traffic for the benchmark, and proof that it arrived as it was sent.
 *
 *	load serve tcp|udp|rr ADDR PORT STREAMS		prints one line of JSON
 *	load send  tcp ADDR PORT STREAMS SECONDS	the same
 *	load send  udp ADDR PORT SIZE SECONDS [ADDRESSES]
 *	load send  rr  ADDR PORT - SECONDS
 *
 * TCP: every 4,096 octets there is a word that follows from stream and position;
 * looking at those only keeps the cost of looking small. UDP: a number and its
 * complement in each datagram, to as many addresses by turns, from ADDR up; the
 * server's ADDR is then 0.0.0.0. rr: one octet there and the same one back.
 * SECONDS may have a fraction.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STREAMS_MAX 64
#define CHUNK (128 * 1024)
#define EVERY 4096
#define UDP_END UINT64_MAX

static uint8_t buf[CHUNK];

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static struct sockaddr_in address(char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, argv[0], &a.sin_addr) != 1)
		errx(2, "%s: not an IPv4 address", argv[0]);
	a.sin_port = htons((uint16_t)atoi(argv[1]));
	return a;
}

static int open_socket(int type, const struct sockaddr_in *a, bool server)
{
	int fd = socket(AF_INET, type, 0), one = 1, size = 32 << 20;

	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (server && type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (server ? bind(fd, (const void *)a, sizeof(*a))
		   : connect(fd, (const void *)a, sizeof(*a)))
		err(1, "%s", server ? "bind" : "connect");
	if (server && type == SOCK_STREAM && listen(fd, STREAMS_MAX))
		err(1, "listen");
	return fd;
}

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

/* ---- TCP ---- */

struct stream {
	int fd;
	uint64_t at; /* octets so far */
};

static uint64_t word_at(uint64_t stream, uint64_t at)
{
	return (at / EVERY + 1) * 0x9e3779b97f4a7c15ULL ^ stream;
}

/* Words at multiples of EVERY in the @n octets at position @s->at. */
static unsigned int check_words(const struct stream *s, uint64_t stream, size_t n)
{
	uint64_t first = (s->at + EVERY - 1) / EVERY * EVERY, word;
	unsigned int wrong = 0;

	for (uint64_t at = first; at + sizeof(word) <= s->at + n; at += EVERY) {
		memcpy(&word, buf + (at - s->at), sizeof(word));
		wrong += word != word_at(stream, at);
	}
	return wrong;
}

static int serve_tcp(const struct sockaddr_in *a, unsigned int n)
{
	struct pollfd fds[STREAMS_MAX];
	struct stream streams[STREAMS_MAX] = { 0 };
	int listener = open_socket(SOCK_STREAM, a, true);
	uint64_t begin = 0, total = 0, id[STREAMS_MAX];
	unsigned int wrong = 0, open = n;

	ready();
	for (unsigned int i = 0; i < n; i++) {
		fds[i].fd = streams[i].fd = accept(listener, NULL, NULL);
		fds[i].events = POLLIN;
		if (fds[i].fd < 0)
			err(1, "accept");
		/* The first word is the stream's. */
		if (recv(fds[i].fd, &id[i], sizeof(id[i]), MSG_WAITALL) != sizeof(id[i]))
			errx(1, "no stream number");
	}
	while (open) {
		if (poll(fds, n, -1) < 0)
			err(1, "poll");
		begin = begin ? begin : now();
		for (unsigned int i = 0; i < n; i++) {
			ssize_t got;

			if (!fds[i].revents)
				continue;
			got = recv(fds[i].fd, buf, sizeof(buf), 0);
			if (got < 0)
				err(1, "recv");
			if (!got) {
				fds[i].fd = -1;
				open--;
				continue;
			}
			wrong += check_words(&streams[i], id[i], (size_t)got);
			streams[i].at += (uint64_t)got;
			total += (uint64_t)got;
		}
	}
	printf("{\"bytes\": %" PRIu64 ", \"ns\": %" PRIu64 ", \"wrong\": %u}\n", total,
	       now() - begin, wrong);
	return wrong != 0;
}

static void fill(const struct stream *s, uint64_t stream)
{
	for (size_t i = 0; i < sizeof(buf); i += EVERY) {
		uint64_t word = word_at(stream, s->at + i);

		memcpy(buf + i, &word, sizeof(word));
	}
}

/* Streams send whole buffers, so words are always at multiples of EVERY of them. */
static void send_buffer(struct stream *s, uint64_t stream)
{
	size_t done = 0;

	fill(s, stream);
	while (done < sizeof(buf)) {
		ssize_t n = send(s->fd, buf + done, sizeof(buf) - done, MSG_NOSIGNAL);

		if (n < 0)
			err(1, "send");
		done += (size_t)n;
	}
	s->at += sizeof(buf);
}

static int send_tcp(const struct sockaddr_in *a, unsigned int n, double seconds)
{
	struct stream streams[STREAMS_MAX] = { 0 };
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	uint64_t begin, end, total = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint64_t id = i;

		streams[i].fd = open_socket(SOCK_STREAM, a, false);
		if (send(streams[i].fd, &id, sizeof(id), 0) != sizeof(id))
			err(1, "send");
	}
	memset(buf, 0x5a, sizeof(buf));
	begin = now();
	end = begin + (uint64_t)(seconds * 1e9);
	while (now() < end)
		for (unsigned int i = 0; i < n; i++)
			send_buffer(&streams[i], i);
	getsockopt(streams[0].fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	for (unsigned int i = 0; i < n; i++) {
		total += streams[i].at;
		close(streams[i].fd);
	}
	printf("{\"bytes\": %" PRIu64 ", \"ns\": %" PRIu64 ", \"payload\": %u}\n", total,
	       now() - begin, info.tcpi_snd_mss);
	return 0;
}

/* ---- UDP ---- */

static int serve_udp(const struct sockaddr_in *a)
{
	int fd = open_socket(SOCK_DGRAM, a, true);
	uint64_t begin = 0, last = 0, packets = 0, bytes = 0, next = 0, word[2];
	unsigned int wrong = 0;

	ready();
	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n < (ssize_t)sizeof(word))
			err(1, "recv");
		memcpy(word, buf, sizeof(word));
		if (word[0] == UDP_END)
			break;
		wrong += word[1] != ~word[0] || word[0] < next || buf[n - 1] != 0x5a;
		next = word[0] + 1;
		last = now();
		begin = begin ? begin : last;
		packets++;
		bytes += (uint64_t)n;
	}
	printf("{\"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"ns\": %" PRIu64
	       ", \"lost\": %" PRIu64 ", \"wrong\": %u}\n",
	       packets, bytes, last - begin, next - packets, wrong);
	return wrong != 0;
}

/* @to: NULL for a connected socket. */
static ssize_t send_datagram(int fd, const struct sockaddr_in *to, size_t size, uint64_t number)
{
	uint64_t word[2] = { number, ~number };

	memcpy(buf, word, sizeof(word));
	return sendto(fd, buf, size, 0, (const void *)to, to ? sizeof(*to) : 0);
}

/* To @a, or by turns to as many @addresses from there up. */
static int send_udp(const struct sockaddr_in *a, size_t size, double seconds, uint32_t addresses)
{
	int fd = addresses ? socket(AF_INET, SOCK_DGRAM, 0) : open_socket(SOCK_DGRAM, a, false);
	uint64_t begin = now(), end = begin + (uint64_t)(seconds * 1e9), i;
	uint32_t first = ntohl(a->sin_addr.s_addr);
	struct sockaddr_in next = *a;
	const struct sockaddr_in *to = addresses ? &next : NULL;

	if (fd < 0)
		err(1, "socket");
	if (size < 2 * sizeof(i) + 1 || size > sizeof(buf))
		errx(2, "datagrams have %zu octets or more", 2 * sizeof(i) + 1);
	memset(buf, 0x5a, size);
	for (i = 0; now() < end; i++) {
		if (addresses)
			next.sin_addr.s_addr = htonl(first + (uint32_t)(i % addresses));
		if (send_datagram(fd, to, size, i) < 0 && errno != ENOBUFS)
			err(1, "send");
	}
	printf("{\"packets\": %" PRIu64 ", \"ns\": %" PRIu64 "}\n", i, now() - begin);
	for (int tries = 0; tries < 5; tries++) {
		usleep(50000);
		send_datagram(fd, to, size, UDP_END);
	}
	return 0;
}

/* ---- request and response ---- */

static int serve_rr(const struct sockaddr_in *a)
{
	int listener = open_socket(SOCK_STREAM, a, true), fd, one = 1;

	ready();
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (recv(fd, buf, 1, 0) == 1)
		if (send(fd, buf, 1, MSG_NOSIGNAL) != 1)
			err(1, "send");
	puts("{\"wrong\": 0}");
	return 0;
}

static int send_rr(const struct sockaddr_in *a, double seconds)
{
	int fd = open_socket(SOCK_STREAM, a, false), one = 1;
	uint64_t begin, end, count = 0;
	unsigned int wrong = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	begin = now();
	end = begin + (uint64_t)(seconds * 1e9);
	while (now() < end) {
		uint8_t sent = (uint8_t)count, got = 0;

		if (send(fd, &sent, 1, 0) != 1 || recv(fd, &got, 1, 0) != 1)
			err(1, "transaction");
		wrong += got != sent;
		count++;
	}
	printf("{\"transactions\": %" PRIu64 ", \"ns\": %" PRIu64 ", \"wrong\": %u}\n", count,
	       now() - begin, wrong);
	return wrong != 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in a;
	double seconds = 0;
	unsigned int number;
	bool serve;

	serve = argc == 6 && !strcmp(argv[1], "serve");
	if (!serve && (argc < 7 || argc > 8 || strcmp(argv[1], "send")))
		errx(2, "usage: see the top of load.c");
	a = address(argv + 3);
	number = (unsigned int)atoi(argv[5]);
	if (!serve)
		seconds = strtod(argv[6], NULL);
	if (!strcmp(argv[2], "tcp") && number >= 1 && number <= STREAMS_MAX)
		return serve ? serve_tcp(&a, number) : send_tcp(&a, number, seconds);
	if (!strcmp(argv[2], "udp"))
		return serve ? serve_udp(&a)
			     : send_udp(&a, number, seconds,
					argc == 8 ? (uint32_t)atoi(argv[7]) : 0);
	if (!strcmp(argv[2], "rr"))
		return serve ? serve_rr(&a) : send_rr(&a, seconds);
	errx(2, "%s: not tcp, udp or rr, or too many streams", argv[2]);
}
