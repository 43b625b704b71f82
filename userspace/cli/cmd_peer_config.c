// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun peer-config: the configuration of the far end of a tunnel, from ours. The agent's parser reads our file, and
 * far/ turns it round.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/far/far.h"
#include "common/keyfile.h"
#include "ike/proto/id.h"
#include "ike/proto/ts_text.h"

const char usage_peer_config[] =
	"Usage: esptun peer-config NAME --for TARGET [--address HOST] [--id ID]\n"
	"                          [--net PREFIX]... [--p12 FILE] [--secrets]\n"
	"TARGET := swanctl | ipsec.conf | iked | esptun | windows | apple | android |\n"
	"          cisco | juniper | mikrotik | opnsense | aws | azure | gcp\n"
	"Prints the configuration of the far end of the tunnel of /etc/esptun/NAME.conf (or of\n"
	"the file NAME, if it has a slash). Keys and passwords are left out without --secrets.\n"
	"--address: where the far end reaches this machine; --id: which of several peers it is;\n"
	"--net: networks here; --p12: its certificate, of esptun ca issue --p12, for apple, android.\n";

enum { K_FOR, K_ADDRESS, K_ID, K_NET, K_P12, K_SECRETS };

enum { MAX_P12 = 65536 };

const struct keyword peer_config_keywords[] = {
	{ "--for", K_FOR, false,
	  "swanctl ipsec.conf iked esptun windows apple android cisco juniper mikrotik opnsense aws azure gcp" },
	{ "--address", K_ADDRESS, false, NULL },
	{ "--id", K_ID, false, NULL },
	{ "--net", K_NET, true, NULL },
	{ "--p12", K_P12, false, "@file" },
	{ "--secrets", K_SECRETS, false, "" },
	{ NULL, 0, false, NULL },
};

struct peer_config_args {
	const struct far_target *target;
	struct far_options o;
	const char *p12;
};

static int parse_target(struct args *a, struct peer_config_args *p)
{
	const char *word;

	if (args_value(a, "--for", &word))
		return -EINVAL;
	p->target = far_target_find(word);
	if (p->target)
		return 0;
	return args_fail(a, "--for is %.40s, but must be one of: %s", word,
			 peer_config_keywords[K_FOR].values);
}

/* It stands in files and commands of others: no character that means something there. */
static int parse_address(struct args *a, struct peer_config_args *p)
{
	const char *s;

	if (args_value(a, "--address", &s))
		return -EINVAL;
	p->o.address = s;
	if (*s && *s != '-' && strlen(s) < 254 &&
	    !s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:-")])
		return 0;
	return args_fail(a, "--address is %.60s, but must be a host name or an IP address", s);
}

static int parse_id(struct args *a, struct peer_config_args *p)
{
	char why[256];
	const char *s;

	if (args_value(a, "--id", &s))
		return -EINVAL;
	if (ike_id_from_text(s, &p->o.id, why, sizeof(why)))
		return args_fail(a, "--id %.60s: %s", s, why);
	if (ike_id_is_wildcard(&p->o.id))
		return args_fail(a, "--id is %.60s, but must be one peer's identity", s);
	return 0;
}

/* A network, as a selector without protocol and ports that is a prefix. */
static int parse_net(struct args *a, struct peer_config_args *p)
{
	struct net_prefix *net = &p->o.net[p->o.n_net];
	struct ike_ts_list l = { 0 };
	const char *s, *slash;
	char why[256];

	if (args_value(a, "--net", &s))
		return -EINVAL;
	if (p->o.n_net == FAR_NETS)
		return args_fail(a, "at most %d networks can be named", FAR_NETS);
	slash = strchr(s, '/');
	if (!slash || slash[strspn(slash, "/0123456789")] ||
	    ike_ts_from_text(s, &l, why, sizeof(why)))
		return args_fail(
			a,
			"--net is %.60s, but must be a network without host bits, as 10.1.0.0/16",
			s);
	net->addr.family = l.ts[0].family;
	memcpy(net->addr.b, l.ts[0].start, sizeof(net->addr.b));
	net->len = (uint8_t)atoi(slash + 1);
	p->o.n_net++;
	return 0;
}

static int parse_keyword(struct args *a, int id, struct peer_config_args *p)
{
	switch (id) {
	case K_FOR: return parse_target(a, p);
	case K_ADDRESS: return parse_address(a, p);
	case K_ID: return parse_id(a, p);
	case K_NET: return parse_net(a, p);
	case K_P12: return args_value(a, "--p12", &p->p12);
	default: p->o.secrets = true; return 0;
	}
}

static int parse_args(struct args *a, struct peer_config_args *p)
{
	int id;

	*p = (struct peer_config_args){ 0 };
	a->seen = 0;
	while (a->argc) {
		if (args_keyword(a, peer_config_keywords, &id) || parse_keyword(a, id, p))
			return -EINVAL;
	}
	return p->target ? 0 : args_fail(a, "esptun peer-config NAME needs --for TARGET");
}

/* The PKCS#12 file, in @data. 0, or an exit code with an error printed. */
static int read_p12(struct peer_config_args *p, uint8_t data[MAX_P12])
{
	int fd = open(p->p12, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char why[PATH_MAX + 256];
	struct stat st;
	ssize_t n = -1;

	if (fd < 0 || fstat(fd, &st)) {
		cli_error("cannot read %s: %s", p->p12, strerror(errno));
	} else if (!key_file_ok(p->p12, &st, why, sizeof(why))) {
		cli_error("%s", why);
	} else if (!S_ISREG(st.st_mode) || st.st_size >= MAX_P12 ||
		   (n = read(fd, data, MAX_P12)) < 1 || data[0] != 0x30) {
		cli_error("%s is no PKCS#12 file", p->p12);
		n = -1;
	}
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return EXIT_KERNEL;
	p->o.p12 = data;
	p->o.p12_len = (size_t)n;
	return 0;
}

struct faults {
	const char *path;
	unsigned int n;
};

static void tell_fault(void *ctx, bool error, unsigned int line, const char *text)
{
	struct faults *f = ctx;

	if (!error)
		return; /* esptund --check tells warnings */
	f->n++;
	if (line)
		cli_error("%s:%u: %s", f->path, line, text);
	else
		cli_error("%s: %s", f->path, text);
}

static int print_config(const char *path, const struct peer_config_args *p)
{
	struct faults faults = { .path = path };
	const struct config_report report = { tell_fault, &faults };
	struct config c;
	char why[600];
	int err = 0;

	if (config_load(path, &c, &report))
		return EXIT_KERNEL;
	if (far_write(&c, p->target, &p->o, stdout, why, sizeof(why))) {
		cli_error("%s", why);
		err = EXIT_KERNEL;
	}
	config_clear(&c);
	return err;
}

int cmd_peer_config(struct cli *cli, struct args *a)
{
	static uint8_t p12[MAX_P12];
	struct peer_config_args p;
	const char *name = args_next(a);
	char path[PATH_MAX];
	int err = 0;

	(void)cli;
	if (name && args_abbrev(name, "help")) {
		fputs(usage_peer_config, stdout);
		return 0;
	}
	if (!name)
		args_fail(a, "esptun peer-config needs the name of a tunnel");
	if (!name || parse_args(a, &p))
		return cli_usage_error(a);
	snprintf(path, sizeof(path), strchr(name, '/') ? "%s" : CONFIG_PATH "/%s.conf", name);
	if (p.p12)
		err = read_p12(&p, p12);
	if (p.o.secrets)
		cli_warn_readable();
	if (!err)
		err = print_config(path, &p);
	explicit_bzero(p12, sizeof(p12));
	return err;
}
