// SPDX-License-Identifier: GPL-2.0-or-later
/* esptund: options, signals, rights; the rest is the agent's. */
#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ike/app/agent.h"
#include "ike/app/config/check.h"
#include "ike/app/config/config.h"
#include "ike/app/ctl/ctl.h"
#include "ike/app/link_dns.h"
#include "ike/app/log.h"
#include "ike/app/reader.h"
#include "ike/app/rights.h"
#include "ike/app/spawn.h"
#include "ike/app/store.h"
#include "ike/app/terms.h"

#define STATE_DIR "/var/lib/esptun"

static const char usage[] =
	"Usage: esptund [OPTION]...\n"
	"       esptund --check [FILE|DIR]...\n"
	"Negotiates IPsec keys (IKEv2) for the esptun netdevices described in " CONFIG_DIR ".\n"
	"\n"
	"  -c, --config DIR      read DIR/NAME.conf instead of " CONFIG_DIR "\n"
	"  -s, --socket PATH     control socket, by default " CTL_SOCKET "\n"
	"      --state DIR       keep leases and CRLs in DIR, by default " STATE_DIR ",\n"
	"                        or with --socket the folder of that\n"
	"      --metrics ADDRESS answer readers of metrics (OpenMetrics) there: 127.0.0.1:PORT, [::1]:PORT\n"
	"                        or unix:/PATH\n"
	"  -b, --background      go to the background once running, log to syslog\n"
	"  -f, --foreground      stay (default)\n"
	"  -d, --debug           log more\n"
	"      --check           read the files (all of DIR if none is named), say what is wrong with\n"
	"                        each and with all of them together, end\n"
	"      --debug-keys DIR  write Wireshark's key tables to DIR: gives all traffic away\n"
	"      --no-seccomp      do without the system call filter\n"
	"  -V, --version         version\n"
	"  -h, --help            this\n"
	"\n"
	"SIGHUP reads the configuration again. SIGTERM and SIGINT end the agent, not the tunnels: that\n"
	"does esptun down --all.\n";

/* Not worth a restart: somebody has to do something first (see esptund.service). */
enum { EXIT_CANNOT_START = 3 };

struct options {
	struct agent_options agent;
	bool background, debug, check, no_seccomp;
};

/* ---- starting ----------------------------------------------------------------------- */

/* systemd's socket, connected while that is allowed; -1 without one. */
static int notify_fd = -1;

static void connect_notify(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;

	if (!len || len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = 0; /* abstract */
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify_fd < 0 || !connect(notify_fd, (struct sockaddr *)&to,
				      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)))
		return;
	log_say(IKE_LOG_WARN, NULL, "cannot notify systemd: %s", strerror(errno));
	close(notify_fd);
	notify_fd = -1;
}

/* Tell systemd (Type=notify), by the protocol of sd_notify(3). */
static void notify(const char *text)
{
	if (notify_fd >= 0 && send(notify_fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		log_say(IKE_LOG_WARN, NULL, "cannot notify systemd: %s", strerror(errno));
}

/* The folder of the socket. */
static void print_socket_dir(char *dir, size_t size, const char *socket_path)
{
	char *slash;

	snprintf(dir, size, "%s", socket_path);
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = 0;
	else
		snprintf(dir, size, ".");
}

/* It is for root only. Only the last component is made. */
static void make_socket_dir(const char *socket_path)
{
	char dir[4096];

	print_socket_dir(dir, sizeof(dir), socket_path);
	mkdir(dir, 0700); /* if it fails, making the socket says so */
}

/* An agent beside another one has its socket elsewhere, and its leases, too. */
static void choose_state_dir(struct agent_options *o)
{
	static char dir[4096];

	if (o->state_dir)
		return;
	o->state_dir = STATE_DIR;
	if (!strcmp(o->socket, CTL_SOCKET))
		return;
	print_socket_dir(dir, sizeof(dir), o->socket);
	o->state_dir = dir;
}

/* The way out of the terminal, opened while that is allowed. */
struct background {
	int ready; /* tells the starting process */
	int null;
};

/*
 * Fork; the parent ends when the child runs (a byte on the pipe) or has failed. In the
 * child: 0, or -1 with the cause in errno.
 */
static int go_background(struct background *b)
{
	int fds[2];
	char ready;
	pid_t pid;

	b->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (b->null < 0 || pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid) {
		close(fds[1]);
		_exit(read(fds[0], &ready, 1) == 1 ? 0 : EXIT_CANNOT_START);
	}
	close(fds[0]);
	setsid();
	b->ready = fds[1];
	return 0;
}

static void leave_terminal(const struct background *b, bool debug)
{
	log_open(debug ? IKE_LOG_DEBUG : IKE_LOG_INFO, true);
	dup2(b->null, STDIN_FILENO);
	dup2(b->null, STDOUT_FILENO);
	dup2(b->null, STDERR_FILENO);
	if (write(b->ready, "", 1) < 0)
		log_say(IKE_LOG_WARN, NULL, "the starting process is gone");
	close(b->ready);
	close(b->null);
}

static void on_end_signal(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	notify("STOPPING=1");
	agent_stop(arg);
}

static void on_hup(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	notify("RELOADING=1");
	agent_reload(arg);
	notify("READY=1");
}

static bool watch_signals(struct agent *a)
{
	static const struct {
		int sig;
		event_callback_fn fn;
	} signals[] = { { SIGTERM, on_end_signal }, { SIGINT, on_end_signal }, { SIGHUP, on_hup } };

	signal(SIGPIPE, SIG_IGN);
	for (unsigned int i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct event *ev = evsignal_new(agent_base(a), signals[i].sig, signals[i].fn, a);

		if (!ev || event_add(ev, NULL))
			return false;
	}
	return true;
}

/* libevent's own remarks, such as on name servers that do not answer. */
static void on_libevent(int severity, const char *text)
{
	log_say(severity >= EVENT_LOG_ERR ? IKE_LOG_WARN : IKE_LOG_DEBUG, NULL, "%s", text);
}

/* Whatever opens files on first use must do so before the rights are gone, in each process. */
static void warm_up(void)
{
	uint8_t byte;

	ike_crypto_random(NULL, &byte, 1);
	ike_kex_known(IKE_DH_MLKEM768);
	evutil_secure_rng_init();
	tzset();
}

/*
 * Open what takes rights, give them up, read the configuration. NULL, and the reason is
 * logged.
 */
static struct agent *start(const struct options *o, const struct agent_helpers *helpers)
{
	char err[1024] = "out of memory";
	struct agent *a;

	a = agent_new(&o->agent, helpers, err, sizeof(err));
	if (a && !rights_drop(err, sizeof(err)) && watch_signals(a) &&
	    !rights_confine(o->background, !o->no_seccomp, err, sizeof(err)) && !agent_start(a))
		return a;
	if (*err)
		log_say(IKE_LOG_ERROR, NULL, "%s", err);
	agent_free(a);
	return NULL;
}

static void end_helpers(struct agent_helpers *h)
{
	spawn_free(h->spawn);
	spawn_free(h->key_spawn);
	spawn_free(h->fetch_spawn);
	reader_free(h->reader);
	store_free(h->store);
	link_dns_free(h->link_dns);
}

/* The secret of terms.h, in a folder that may have to be made. */
static void read_terms_secret(struct options *o)
{
	static uint8_t secret[TERMS_SECRET];
	static char err[512];

	make_socket_dir(o->agent.socket);
	if (terms_secret_read(o->agent.socket, secret, err, sizeof(err)))
		o->agent.terms_fault = err;
	o->agent.terms_secret = secret;
}

/* The kernel's, for the state of the library's generator is also in the process that was forked last. */
static void make_wrapping_key(uint8_t key[SEAL_WRAPPING])
{
	if (getrandom(key, SEAL_WRAPPING, 0) != SEAL_WRAPPING)
		abort();
}

/*
 * None of them has a secret that it does not need, and the agent forgets the one that keys are wrapped with.
 * 0, or -1 with a sentence.
 */
static int start_helpers(struct options *o, struct agent_helpers *h, char *err, size_t err_size)
{
	struct seal seal;
	const struct reader_options reading = {
		.seal = &seal,
		.config_dir = o->agent.config_dir,
		.socket = o->agent.socket,
		.quiet = o->background,
		.seccomp = !o->no_seccomp,
	};
	const struct store_options keeping = {
		.dir = o->agent.state_dir,
		.quiet = o->background,
		.seccomp = !o->no_seccomp,
	};
	const struct link_dns_options naming = {
		.program = LINK_DNS_PROGRAM,
		.patience = LINK_DNS_PATIENCE,
		.at_home = link_dns_at_home(),
		.quiet = o->background,
		.seccomp = !o->no_seccomp,
	};
	struct spawn_options spawning = {
		.kind = SPAWN_IKE,
		.quiet = o->background,
		.seccomp = !o->no_seccomp,
		.keylog = o->agent.key_dir != NULL,
	};

	h->store = store_start(&keeping, err, err_size);
	if (h->store)
		h->link_dns = link_dns_start(&naming, err, err_size);
	if (h->link_dns)
		h->spawn = spawn_start(&spawning, err, err_size);
	spawning.kind = SPAWN_FETCH;
	if (h->spawn)
		h->fetch_spawn = spawn_start(&spawning, err, err_size);
	make_wrapping_key(seal.wrapping);
	spawning.kind = SPAWN_KEYS;
	spawning.wrapping = seal.wrapping;
	if (h->fetch_spawn)
		h->key_spawn = spawn_start(&spawning, err, err_size);
	read_terms_secret(o);
	memcpy(seal.secret, o->agent.terms_secret, sizeof(seal.secret));
	if (h->key_spawn)
		h->reader = reader_start(&reading, err, err_size);
	ike_wipe(&seal, sizeof(seal));
	if (h->reader)
		return 0;
	end_helpers(h);
	return -1;
}

static int serve(struct options *o)
{
	struct background background = { -1, -1 };
	struct agent_helpers helpers = { 0 };
	char err[512];
	struct agent *a;
	int rc;

	if (o->background && go_background(&background)) {
		fprintf(stderr, "esptund: cannot go to the background: %s\n", strerror(errno));
		return 1;
	}
	log_open(o->debug ? IKE_LOG_DEBUG : IKE_LOG_INFO, false);
	event_set_log_callback(on_libevent);
	warm_up();
	if (start_helpers(o, &helpers, err, sizeof(err))) {
		log_say(IKE_LOG_ERROR, NULL, "%s", err);
		return 1;
	}
	connect_notify();
	a = start(o, &helpers);
	if (!a) {
		end_helpers(&helpers);
		return EXIT_CANNOT_START;
	}
	if (o->background)
		leave_terminal(&background, o->debug);
	log_say(IKE_LOG_INFO, NULL, "version " ESPTUN_VERSION ", ready");
	notify("READY=1");
	rc = agent_run(a);
	agent_free(a);
	reader_remove_socket(helpers.reader);
	end_helpers(&helpers);
	log_say(IKE_LOG_INFO, NULL, "ended");
	return rc ? 1 : 0;
}

enum { OPT_CHECK = 256, OPT_KEYS, OPT_NO_SECCOMP, OPT_STATE, OPT_METRICS };

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "background", no_argument, NULL, 'b' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "debug", no_argument, NULL, 'd' },
		{ "check", no_argument, NULL, OPT_CHECK },
		{ "debug-keys", required_argument, NULL, OPT_KEYS },
		{ "no-seccomp", no_argument, NULL, OPT_NO_SECCOMP },
		{ "state", required_argument, NULL, OPT_STATE },
		{ "metrics", required_argument, NULL, OPT_METRICS },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:s:bfdVh", longs, NULL)) >= 0) {
		switch (c) {
		case 'c': o->agent.config_dir = optarg; break;
		case 's': o->agent.socket = optarg; break;
		case 'b': o->background = true; break;
		case 'f': o->background = false; break;
		case 'd': o->debug = true; break;
		case OPT_CHECK: o->check = true; break;
		case OPT_KEYS: o->agent.key_dir = optarg; break;
		case OPT_NO_SECCOMP: o->no_seccomp = true; break;
		case OPT_STATE: o->agent.state_dir = optarg; break;
		case OPT_METRICS: o->agent.metrics = optarg; break;
		case 'V': puts("esptund " ESPTUN_VERSION); exit(0);
		case 'h': fputs(usage, stdout); exit(0);
		default: return -1;
		}
	}
	choose_state_dir(&o->agent);
	if (optind < argc && !o->check) {
		fprintf(stderr,
			"esptund: unexpected \"%s\"; a tunnel is brought up with: esptun up %s\n",
			argv[optind], argv[optind]);
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { .agent = { .config_dir = CONFIG_DIR, .socket = CTL_SOCKET } };

	if (parse(argc, argv, &o)) {
		fputs("Try esptund --help.\n", stderr);
		return 2;
	}
	if (!o.check)
		return serve(&o);
	if (optind == argc)
		return check_configs((char *[]){ (char *)o.agent.config_dir }, 1);
	return check_configs(argv + optind, (unsigned int)(argc - optind));
}
