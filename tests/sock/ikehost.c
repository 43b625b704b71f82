// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The IKE core on real sockets, with tunnels as configuration files of esptund describe
 * them (host.h tells what it prints). SIGUSR1: say what there is. SIGTERM: end all tunnels,
 * say what there was, exit.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "ike/io/loop.h"

enum { LOOK_MS = 20 }; /* between two looks whether the tunnels have ended */

static const char usage[] = "Usage: ikehost [OPTION]... FILE.conf...\n"
			    "  --quiet          print totals only\n"
			    "  --debug          print the core's debug lines, too\n"
			    "  --loss PERCENT   of the IKE datagrams, either way, get lost\n"
			    "  --seed N         of the loss (default 1)\n"
			    "  --delay MS       until an IKE message of ours leaves\n";

static unsigned int number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n > 1000000) {
		fprintf(stderr, "ikehost: '%s' is no number\n%s", text, usage);
		exit(2);
	}
	return (unsigned int)n;
}

static void read_options(int argc, char **argv, struct host_options *o)
{
	static const struct option options[] = {
		{ "quiet", no_argument, NULL, 'q' },	   { "debug", no_argument, NULL, 'd' },
		{ "loss", required_argument, NULL, 'l' },  { "seed", required_argument, NULL, 's' },
		{ "delay", required_argument, NULL, 'y' }, { 0 },
	};
	int c;

	*o = (struct host_options){ .level = IKE_LOG_INFO, .seed = 1 };
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'q': o->quiet = true; break;
		case 'd': o->level = IKE_LOG_DEBUG; break;
		case 'l': o->loss = number(optarg); break;
		case 'y': o->delay = number(optarg); break;
		case 's': o->seed = number(optarg); break;
		default: fputs(usage, stderr); exit(2);
		}
	}
	if (optind == argc) {
		fputs(usage, stderr);
		exit(2);
	}
}

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	fprintf(stderr, "%s:%u: %s: %s\n", (const char *)ctx, line, error ? "error" : "warning",
		text);
}

static bool add_file(struct host *h, char *path)
{
	struct config_report report = { .fn = on_report, .ctx = path };
	struct ike_tunnel_conf conf;
	struct config c;
	int err;

	if (config_load(path, &c, &report))
		return false;
	config_tunnel(&c, &conf);
	err = host_add(h, &conf, c.psk, c.psk_len);
	if (!err && c.n_private)
		host_set_key(h, conf.name, c.private_key, c.n_private);
	if (!err && c.ppk)
		host_set_ppk(h, conf.name, c.ppk->key, c.ppk->len);
	if (!err)
		host_set_ppks(h, conf.name, &c.ppks);
	if (!err && c.password)
		host_set_password(h, conf.name, c.password->key, c.password->len);
	if (!err && ike_auth_is_user(&c.remote_auth))
		host_set_users(h, conf.name, &c.keys);
	if (!err && c.n_ranges)
		host_set_pool(h, c.name, pool_new(c.ranges, c.n_ranges, c.fixed, c.n_fixed));
	config_clear(&c);
	if (err)
		fprintf(stderr, "%s: %s\n", path, strerror(-err));
	return !err;
}

static void on_usr1(evutil_socket_t signal_number, short what, void *ctx)
{
	(void)signal_number;
	(void)what;
	host_report(ctx);
}

static void look_idle(evutil_socket_t fd, short what, void *ctx)
{
	struct timeval again = { .tv_usec = LOOK_MS * 1000 };
	struct host *h = ctx;

	(void)fd;
	(void)what;
	if (ike_core_idle(host_core(h)))
		loop_stop(host_loop(h));
	else
		event_base_once(loop_base(host_loop(h)), -1, EV_TIMEOUT, look_idle, h, &again);
}

static void on_term(evutil_socket_t signal_number, short what, void *ctx)
{
	struct host *h = ctx;

	(void)signal_number;
	host_report(h);
	ike_core_shutdown(host_core(h), loop_now());
	host_settle(h);
	look_idle(-1, what, h);
}

int main(int argc, char **argv)
{
	struct host_options options;
	struct event *usr1, *term;
	struct host *h;
	int err = 1;

	read_options(argc, argv, &options);
	h = host_open(&options);
	if (!h) {
		fprintf(stderr, "ikehost: ports 500 and 4500: %s\n", strerror(errno));
		return 1;
	}
	usr1 = evsignal_new(loop_base(host_loop(h)), SIGUSR1, on_usr1, h);
	term = evsignal_new(loop_base(host_loop(h)), SIGTERM, on_term, h);
	while (optind < argc && add_file(h, argv[optind]))
		optind++;
	if (optind == argc && usr1 && term && !event_add(usr1, NULL) && !event_add(term, NULL)) {
		puts("{\"event\":\"ready\"}");
		fflush(stdout);
		host_start(h);
		err = loop_run(host_loop(h)) ? 1 : 0;
	}
	if (usr1)
		event_free(usr1);
	if (term)
		event_free(term);
	host_close(h);
	return err;
}
