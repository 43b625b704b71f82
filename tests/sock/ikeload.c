// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Load for an IKE responder: one core with many tunnels to it, each from an address and with an
 * identity of its own. Commands come in lines on standard input; each is answered with one JSON
 * line when it is done:
 *
 *	up COUNT RATE WINDOW	the next COUNT tunnels, RATE of them a second (0: no limit), at most
 *				WINDOW at a time: {"up", "failed", "s", "retransmits"}
 *	repeat COUNT RATE	COUNT copies of the last requests of all tunnels that were brought up,
 *				by turns: {"sent", "answered", "s"}
 *	rekey COUNT RATE	the first COUNT tunnels get a new pair of SAs: {"rekeyed", "failed", "s"}
 *	flood COUNT RATE	COUNT IKE_SA_INIT requests, each from another address and with another
 *				SPI, as if from peers that do not exist: {"sent", "answered", "s"}
 *	status			asks for the status of every tunnel: {"tunnels", "up", "ms"}
 *	mark			remembers the SAs of all tunnels that were brought up: {"marked"}
 *	renew			the same, and their IKE SAs and pairs get new keys, all at once: {"marked"}
 *	back SECONDS		when all have others than those, or it is too late: {"back", "missing", "s",
 *				"first", "most", "retransmits"}; most: of those in one second
 *
 * "up" may run beside one of the next three.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "ike/io/loop.h"

enum {
	TICK_MS = 1,
	BURST = 64, /* at most so many of a job in a tick */
	PATIENCE_MS = 20000, /* without a tunnel that comes up, before the rest has failed */
	ANSWERS_MS = 500, /* how long the last answers may take */
	LOOK_MS = 100, /* between two looks at who is back */
	BACK_SECONDS = 600, /* that may be waited for them */
	FLAGS_AT = 19, /* in the IKE header */
	EXCHANGE_AT = 18,
	INNER_BIT = 0x80, /* of the second byte: 10.64.0.1 has 10.192.0.1 inside */
	FLAG_RESPONSE = 0x20,
};

struct tunnel {
	char name[16];
	struct ike_datagram request; /* the last one behind IKE_SA_INIT; ours to free */
	uint32_t spi; /* inbound, before it is rekeyed, or was marked */
	uint8_t ike_spi[IKE_SPI_LEN]; /* the initiator's, when it was marked */
	bool back; /* it has others since */
};

/* Tunnels that have other SAs than those that were marked. */
struct comeback {
	bool awaited;
	uint64_t began, until, look; /* ms */
	uint64_t first, last;
	unsigned int n, seconds[BACK_SECONDS + 1]; /* all; in each second */
	struct ike_core_stats before;
};

/* Something that is done so many times. */
struct job {
	const char *command; /* NULL: none */
	unsigned int count, rate, window;
	unsigned int done; /* begun, for "up" */
	uint64_t began, last; /* ms; last: a tunnel came up, or the last one was sent */
	struct ike_core_stats before;
};

struct load {
	struct host *host;
	struct event *tick, *input;
	struct tunnel *tunnels;
	unsigned int n, next; /* tunnels; of these the first one that was never brought up */
	unsigned int at_work, up; /* of the job at hand */
	struct job ups, sends;
	struct comeback back;
	struct ike_addr base; /* the first tunnel's address; flooding begins behind the last one's */
	struct ike_datagram init; /* an IKE_SA_INIT request to copy */
	unsigned int flooded;
	char line[128];
	size_t line_len;
};

static void die(const char *text)
{
	fprintf(stderr, "ikeload: %s\n", text);
	exit(1);
}

static struct ike_addr nth_addr(const struct load *l, unsigned int n)
{
	struct ike_addr a = l->base;
	uint32_t word;

	memcpy(&word, a.b, sizeof(word));
	word = htonl(ntohl(word) + n);
	memcpy(a.b, &word, sizeof(word));
	return a;
}

/* ---- what the core does ------------------------------------------------------------ */

static void on_state(void *ctx, const char *name, enum ike_tunnel_state state)
{
	struct load *l = ctx;

	(void)name;
	if (state != IKE_TUNNEL_UP || !l->ups.command)
		return;
	l->at_work--;
	l->up++;
	l->ups.last = loop_now();
}

static void keep(struct ike_datagram *copy, const struct ike_datagram *d)
{
	uint8_t *data = malloc(d->len);

	if (!data)
		die("out of memory");
	memcpy(data, d->data, d->len);
	free((void *)copy->data);
	*copy = *d;
	copy->data = data;
}

static void on_send(void *ctx, const char *name, const struct ike_datagram *d)
{
	struct load *l = ctx;

	if (!name || d->data[FLAGS_AT] & FLAG_RESPONSE)
		return;
	if (d->data[EXCHANGE_AT] != IKE_SA_INIT)
		keep(&l->tunnels[strtoul(name + 1, NULL, 10)].request, d);
	else if (!l->init.data)
		keep(&l->init, d);
}

/* ---- jobs -------------------------------------------------------------------------- */

static void answer(json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(line);
}

static bool may_begin(const struct job *j)
{
	return j->done < j->count &&
	       (!j->rate || j->done < (loop_now() - j->began) * j->rate / 1000);
}

static void begin_tunnels(struct load *l)
{
	for (unsigned int i = 0; i < BURST && l->at_work < l->ups.window && may_begin(&l->ups);
	     i++) {
		l->ups.done++;
		l->at_work++;
		ike_core_up(host_core(l->host), l->tunnels[l->next++].name, loop_now());
	}
	host_settle(l->host);
}

static void send_repeat(struct load *l)
{
	const struct ike_datagram *d = &l->tunnels[l->sends.done % l->next].request;

	if (d->data)
		host_send(l->host, d);
}

static void rekey_one(struct load *l)
{
	struct tunnel *t = &l->tunnels[l->sends.done];
	struct ike_status s;

	if (ike_core_tunnel_status(host_core(l->host), t->name, &s) || !s.have_child)
		return;
	t->spi = s.spi_in;
	ike_core_expire(host_core(l->host), t->name, IKE_PEER_FIRST, s.spi_out, false,
			IKE_EXPIRE_SOFT, loop_now());
	host_settle(l->host);
}

static unsigned int count_rekeyed(const struct load *l)
{
	unsigned int n = 0;
	struct ike_status s;

	for (unsigned int i = 0; i < l->sends.count; i++)
		n += !ike_core_tunnel_status(host_core(l->host), l->tunnels[i].name, &s) &&
		     s.have_child && s.spi_in != l->tunnels[i].spi;
	return n;
}

static void send_flood(struct load *l)
{
	struct ike_datagram d = l->init;

	if (!d.data)
		return;
	ike_crypto_random(NULL, (void *)d.data, IKE_SPI_LEN);
	d.local.addr = nth_addr(l, l->n + l->flooded++);
	host_send(l->host, &d);
}

static void send_some(struct load *l)
{
	struct job *j = &l->sends;

	for (unsigned int i = 0; i < BURST && may_begin(j); i++) {
		if (*j->command == 'f')
			send_flood(l);
		else if (!strcmp(j->command, "rekey"))
			rekey_one(l);
		else
			send_repeat(l);
		j->done++;
		j->last = loop_now();
	}
}

static void end_ups(struct load *l)
{
	struct job *j = &l->ups;
	struct ike_core_stats now;

	if (!j->command ||
	    ((j->done < j->count || l->at_work) && loop_now() - j->last < PATIENCE_MS))
		return;
	ike_core_stats(host_core(l->host), &now);
	answer(json_pack("{s:i, s:i, s:f, s:I}", "up", (int)l->up, "failed",
			 (int)(j->count - l->up), "s", (double)(j->last - j->began) / 1000,
			 "retransmits", (json_int_t)(now.retransmits - j->before.retransmits)));
	j->command = NULL;
}

static void end_sends(struct load *l)
{
	struct job *j = &l->sends;
	struct ike_core_stats now;
	unsigned int rekeyed;

	if (!j->command || j->done < j->count || loop_now() - j->last < ANSWERS_MS)
		return;
	if (!strcmp(j->command, "rekey")) {
		rekeyed = count_rekeyed(l);
		answer(json_pack("{s:i, s:i, s:f}", "rekeyed", (int)rekeyed, "failed",
				 (int)(j->count - rekeyed), "s",
				 (double)(j->last - j->began) / 1000));
		j->command = NULL;
		return;
	}
	ike_core_stats(host_core(l->host), &now);
	answer(json_pack("{s:i, s:I, s:f}", "sent", (int)j->done, "answered",
			 (json_int_t)(now.rx - j->before.rx), "s",
			 (double)(j->last - j->began) / 1000));
	j->command = NULL;
}

/* ---- coming back --------------------------------------------------------------------- */

static bool has_sas(const struct load *l, const struct tunnel *t, struct ike_status *s)
{
	return !ike_core_tunnel_status(host_core(l->host), t->name, s) &&
	       s->state == IKE_TUNNEL_UP && s->have_ike && s->established && s->have_child;
}

static void mark_tunnels(struct load *l)
{
	struct ike_status s;
	unsigned int n = 0;

	for (unsigned int i = 0; i < l->next; i++) {
		struct tunnel *t = &l->tunnels[i];

		t->back = false;
		t->spi = 0;
		memset(t->ike_spi, 0, sizeof(t->ike_spi));
		if (!has_sas(l, t, &s))
			continue;
		t->spi = s.spi_in;
		memcpy(t->ike_spi, s.spi_i, sizeof(t->ike_spi));
		n++;
	}
	l->back = (struct comeback){ .began = loop_now() };
	ike_core_stats(host_core(l->host), &l->back.before);
	answer(json_pack("{s:i}", "marked", (int)n));
}

static void renew_tunnels(struct load *l)
{
	mark_tunnels(l);
	for (unsigned int i = 0; i < l->next; i++)
		ike_core_rekey(host_core(l->host), l->tunnels[i].name, loop_now());
	host_settle(l->host);
}

static void look_for_tunnels(struct load *l)
{
	struct comeback *b = &l->back;
	struct ike_status s;

	for (unsigned int i = 0; i < l->next; i++) {
		struct tunnel *t = &l->tunnels[i];

		if (t->back || !has_sas(l, t, &s) || s.spi_in == t->spi ||
		    !memcmp(s.spi_i, t->ike_spi, sizeof(t->ike_spi)))
			continue;
		t->back = true;
		b->last = loop_now() - b->began;
		if (!b->n++)
			b->first = b->last;
		if (b->last / 1000 <= BACK_SECONDS)
			b->seconds[b->last / 1000]++;
	}
	b->look = loop_now() + LOOK_MS;
}

static void end_back(struct load *l)
{
	struct comeback *b = &l->back;
	struct ike_core_stats now;
	unsigned int most = 0;

	if (!b->awaited || loop_now() < b->look)
		return;
	look_for_tunnels(l);
	if (b->n < l->next && loop_now() < b->until)
		return;
	for (unsigned int i = 0; i <= BACK_SECONDS; i++)
		most = b->seconds[i] > most ? b->seconds[i] : most;
	ike_core_stats(host_core(l->host), &now);
	answer(json_pack("{s:i, s:i, s:f, s:f, s:i, s:I}", "back", (int)b->n, "missing",
			 (int)(l->next - b->n), "s", (double)b->last / 1000, "first",
			 (double)b->first / 1000, "most", (int)most, "retransmits",
			 (json_int_t)(now.retransmits - b->before.retransmits)));
	b->awaited = false;
}

static void begin_ticks(struct load *l)
{
	struct timeval every = { .tv_usec = TICK_MS * 1000 };

	event_add(l->tick, &every);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct load *l = ctx;

	(void)fd;
	(void)what;
	if (l->ups.command)
		begin_tunnels(l);
	if (l->sends.command)
		send_some(l);
	end_ups(l);
	end_sends(l);
	end_back(l);
	if (!l->ups.command && !l->sends.command && !l->back.awaited)
		event_del(l->tick);
}

/* ---- commands ---------------------------------------------------------------------- */

static void ask_status(struct load *l)
{
	struct timespec from, to;
	struct ike_status s;
	int up = 0;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (unsigned int i = 0; i < l->n; i++)
		up += !ike_core_tunnel_status(host_core(l->host), l->tunnels[i].name, &s) &&
		      s.state == IKE_TUNNEL_UP;
	clock_gettime(CLOCK_MONOTONIC, &to);
	answer(json_pack("{s:i, s:i, s:f}", "tunnels", (int)l->n, "up", up, "ms",
			 (double)(to.tv_sec - from.tv_sec) * 1000 +
				 (double)(to.tv_nsec - from.tv_nsec) / 1000000));
}

static void begin_job(struct load *l, struct job *j, const char *command, unsigned int count,
		      unsigned int rate, unsigned int window)
{
	if (j->command)
		die("a command of that kind is not done yet");
	*j = (struct job){ .command = command, .count = count, .rate = rate, .window = window };
	j->began = j->last = loop_now();
	ike_core_stats(host_core(l->host), &j->before);
	begin_ticks(l);
}

static void await_tunnels(struct load *l, unsigned int seconds)
{
	l->back.awaited = true;
	l->back.until = loop_now() + 1000ULL * (seconds < BACK_SECONDS ? seconds : BACK_SECONDS);
	begin_ticks(l);
}

static void run_command(struct load *l, const char *line)
{
	unsigned int count = 0, rate = 0, window = 0;
	char word[16] = "";
	int n = sscanf(line, "%15s %u %u %u", word, &count, &rate, &window);

	if (!strcmp(word, "up") && n == 4 && window && count <= l->n - l->next) {
		l->at_work = l->up = 0;
		begin_job(l, &l->ups, "up", count, rate, window);
	} else if (!strcmp(word, "repeat") && n == 3 && l->next) {
		begin_job(l, &l->sends, "repeat", count, rate, 0);
	} else if (!strcmp(word, "rekey") && n == 3 && count <= l->next) {
		begin_job(l, &l->sends, "rekey", count, rate, 0);
	} else if (!strcmp(word, "flood") && n == 3) {
		begin_job(l, &l->sends, "flood", count, rate, 0);
	} else if (!strcmp(word, "status")) {
		ask_status(l);
	} else if (!strcmp(word, "mark")) {
		mark_tunnels(l);
	} else if (!strcmp(word, "renew")) {
		renew_tunnels(l);
	} else if (!strcmp(word, "back") && n == 2 && l->next) {
		await_tunnels(l, count);
	} else {
		die(line);
	}
}

static void on_input(evutil_socket_t fd, short what, void *ctx)
{
	struct load *l = ctx;
	ssize_t n = read(fd, l->line + l->line_len, sizeof(l->line) - 1 - l->line_len);
	char *end;

	(void)what;
	if (n <= 0) {
		loop_stop(host_loop(l->host));
		return;
	}
	l->line_len += (size_t)n;
	l->line[l->line_len] = 0;
	while ((end = strchr(l->line, '\n'))) {
		*end++ = 0;
		run_command(l, l->line);
		l->line_len -= (size_t)(end - l->line);
		memmove(l->line, end, l->line_len + 1);
	}
}

/* ---- life -------------------------------------------------------------------------- */

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	(void)ctx;
	fprintf(stderr, "ikeload: line %u: %s: %s\n", line, error ? "error" : "warning", text);
}

/* An address of its own, as far behind its outer one for all: a hub gives an address to one client only. */
static void set_selector(struct ike_ts_list *l, struct ike_addr a)
{
	a.b[1] |= INNER_BIT;
	l->n = 1;
	l->ts[0] = (struct ike_ts){ .family = a.family, .port_end = UINT16_MAX };
	memcpy(l->ts[0].start, a.b, sizeof(a.b));
	memcpy(l->ts[0].end, a.b, sizeof(a.b));
}

/* The configuration is that of the file, but for what makes the tunnel the i-th one. */
static void add_tunnel(struct load *l, unsigned int i, const char *path)
{
	struct config_report report = { .fn = on_report };
	struct ike_tunnel_conf conf;
	struct config c;
	char id[32];
	int len = snprintf(id, sizeof(id), "i%u.example", i);

	if (config_load(path, &c, &report))
		die(path);
	config_tunnel(&c, &conf);
	conf.child[0].start = IKE_START_NOW; /* once it is brought up, and when it was lost */
	if (!i)
		l->base = conf.local.addr;
	snprintf(l->tunnels[i].name, sizeof(l->tunnels[i].name), "t%u", i);
	memcpy(conf.name, l->tunnels[i].name, sizeof(conf.name));
	conf.local_id = (struct ike_id){ .type = IKE_ID_FQDN, .len = (uint16_t)len };
	memcpy(conf.local_id.data, id, (size_t)len);
	conf.local.addr = nth_addr(l, i);
	set_selector(&conf.child[0].local_ts, conf.local.addr);
	if (host_add(l->host, &conf, c.psk, c.psk_len))
		die("a tunnel cannot be added");
	if (c.n_private)
		host_set_key(l->host, conf.name, c.private_key, c.n_private);
	if (c.password)
		host_set_password(l->host, conf.name, c.password->key, c.password->len);
	config_clear(&c);
}

static void add_tunnels(struct load *l, const char *path)
{
	char own[256];

	for (unsigned int i = 0; i < l->n; i++) {
		snprintf(own, sizeof(own), "%s/i%u.conf", path, i);
		add_tunnel(l, i, access(own, R_OK) ? path : own);
	}
}

int main(int argc, char **argv)
{
	static struct load l;
	struct host_options options = {
		.quiet = true, .state = on_state, .send = on_send, .ctx = &l
	};
	int err;

	l.n = argc == 3 ? (unsigned int)strtoul(argv[2], NULL, 10) : 0;
	if (!l.n || l.n > 16384)
		die("usage: ikeload TEMPLATE.conf|FOLDER TUNNELS\n"
		    "Tunnel N is t<N>, has i<N>.example for LocalID and the N-th address behind Local.\n"
		    "With a folder, its configuration is i<N>.conf there.");
	l.tunnels = calloc(l.n, sizeof(*l.tunnels));
	l.host = l.tunnels ? host_open(&options) : NULL;
	if (!l.host)
		die(strerror(errno));
	add_tunnels(&l, argv[1]);
	l.tick = event_new(loop_base(host_loop(l.host)), -1, EV_PERSIST, on_tick, &l);
	l.input = event_new(loop_base(host_loop(l.host)), 0, EV_READ | EV_PERSIST, on_input, &l);
	if (!l.tick || !l.input || event_add(l.input, NULL))
		die("out of memory");
	err = loop_run(host_loop(l.host)) ? 1 : 0;
	event_free(l.tick);
	event_free(l.input);
	host_close(l.host);
	for (unsigned int i = 0; i < l.n; i++)
		free((void *)l.tunnels[i].request.data);
	free((void *)l.init.data);
	free(l.tunnels);
	return err;
}
