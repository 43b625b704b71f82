// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptund --check. Errors are what makes a tunnel fail when it is brought up, warnings
 * what may be meant so.
 */
#include <glob.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "ike/app/config/check.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"

static void say(const struct check_report *r, const struct check_file *f, bool error,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void say(const struct check_report *r, const struct check_file *f, bool error,
		const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->fn(r->ctx, f->path, error, text);
}

/* ---- pairs ------------------------------------------------------------------------- */

/* Do the networks of two prefixes have an address in common? */
static bool overlap(const struct net_prefix *a, const struct net_prefix *b)
{
	unsigned int len = a->len < b->len ? a->len : b->len;

	if (a->addr.family != b->addr.family)
		return false;
	for (unsigned int i = 0; i < len; i++) {
		if ((a->addr.b[i / 8] ^ b->addr.b[i / 8]) & 0x80 >> i % 8)
			return false;
	}
	return true;
}

static bool same(const struct net_prefix *a, const struct net_prefix *b)
{
	return a->len == b->len && ike_addr_eq(&a->addr, &b->addr);
}

static void check_routes(const struct check_file *a, const struct check_file *b,
			 const struct check_report *r)
{
	char addr[64];

	if (a->conf.table != b->conf.table || a->conf.metric != b->conf.metric)
		return;
	for (unsigned int i = 0; i < b->conf.n_routes; i++) {
		for (unsigned int k = 0; k < a->conf.n_routes; k++) {
			const struct net_prefix *p = &b->conf.routes[i];

			if (!same(&a->conf.routes[k], p))
				continue;
			say(r, b, true,
			    "Routes: %s/%u is also in %s; set Metric or Table in one of them",
			    ike_addr_print(addr, sizeof(addr), &p->addr), p->len, a->path);
			break;
		}
	}
}

static void check_addresses(const struct check_file *a, const struct check_file *b,
			    const struct check_report *r)
{
	char addr[64];

	for (unsigned int i = 0; i < b->conf.n_address; i++) {
		for (unsigned int k = 0; k < a->conf.n_address; k++) {
			const struct net_prefix *p = &b->conf.address[i];

			if (!overlap(&a->conf.address[k], p))
				continue;
			say(r, b, false, "Address: %s/%u %s %s",
			    ike_addr_print(addr, sizeof(addr), &p->addr), p->len,
			    ike_addr_eq(&a->conf.address[k].addr, &p->addr) ? "is also in"
									    : "is in a network of",
			    a->path);
			break;
		}
	}
}

/* Links with one port share its socket, which has one mark. */
static void check_port(const struct check_file *a, const struct check_file *b,
		       const struct check_report *r)
{
	if (a->conf.port == b->conf.port && a->conf.fwmark != b->conf.fwmark)
		say(r, b, true,
		    "FwMark: %s has another one on the same port; set Port in one of them",
		    a->path);
}

/* Without an endpoint it could be any, and any identity could be the other's. */
static bool same_endpoint(const struct config *a, const struct config *b)
{
	return !*a->endpoint || !*b->endpoint ||
	       (!strcasecmp(a->endpoint, b->endpoint) && a->endpoint_port == b->endpoint_port);
}

static bool same_id(const struct ike_id *a, const struct ike_id *b)
{
	return !a->type || !b->type || ike_id_eq(a, b);
}

static bool same_key(const struct config *a, const struct config *b)
{
	return a->psk_len && a->psk_len == b->psk_len && !memcmp(a->psk, b->psk, a->psk_len);
}

/* A peer is known by its identity, and if it may have any, by its key. */
static void check_peer(const struct check_file *a, const struct check_file *b,
		       const struct check_report *r)
{
	bool any = !a->conf.remote_id.type || !b->conf.remote_id.type;
	char id[600];

	if (!same_endpoint(&a->conf, &b->conf) || !same_id(&a->conf.local_id, &b->conf.local_id) ||
	    !same_id(&a->conf.remote_id, &b->conf.remote_id))
		return;
	if (!any)
		say(r, b, false, "RemoteID: the peer %s is also that of %s; only one can be up",
		    ike_id_print(id, sizeof(id), &b->conf.remote_id), a->path);
	else if (same_key(&a->conf, &b->conf))
		say(r, b, false,
		    "PSK: %s has the same key, and nothing else tells the peers apart: give each a RemoteID",
		    a->path);
}

/* ---- on this machine ----------------------------------------------------------------- */

static void check_own(const struct check_file *f, const struct ike_addr *own, unsigned int n,
		      const struct check_report *r)
{
	bool local = !f->conf.local.family;
	char addr[64];

	for (unsigned int i = 0; i < n; i++) {
		if (f->conf.endpoint_addr.family && ike_addr_eq(&f->conf.endpoint_addr, &own[i]))
			say(r, f, true, "Endpoint: %s is an address of this machine",
			    f->conf.endpoint);
		local |= ike_addr_eq(&f->conf.local, &own[i]);
	}
	if (!local)
		say(r, f, false, "Local: %s is no address of this machine now",
		    ike_addr_print(addr, sizeof(addr), &f->conf.local));
}

/* The file @name that @key names; "": none. */
static void check_key_file(const struct check_file *f, const char *key, const char *name,
			   const struct check_report *r)
{
	char *path = *name ? realpath(name, NULL) : NULL;
	const char *hidden = path ? secret_hidden(path) : NULL;

	if (hidden)
		say(r, f, false,
		    "%s: the service cannot read %s, because its unit has %s; move it to %s", key,
		    path, hidden, CONFIG_DIR);
	free(path);
}

void check_together(const struct check_file *files, unsigned int n, const struct ike_addr *own,
		    unsigned int n_own, const struct check_report *r)
{
	for (unsigned int i = 0; i < n; i++) {
		const struct config_paths *paths = config_paths(&files[i].conf);

		check_own(&files[i], own, n_own, r);
		check_key_file(&files[i], "PSK", files[i].conf.psk_file, r);
		check_key_file(&files[i], "Password",
			       files[i].conf.password ? files[i].conf.password->file : "", r);
		check_key_file(&files[i], "PPK", files[i].conf.ppk ? files[i].conf.ppk->file : "",
			       r);
		check_key_file(&files[i], "ClientPPKs",
			       files[i].conf.ppk ? files[i].conf.ppk->clients_file : "", r);
		check_key_file(&files[i], "Secrets", files[i].conf.secrets_file, r);
		check_key_file(&files[i], "Key", files[i].conf.key_file, r);
		if (paths->passphrase[0] == '/')
			check_key_file(&files[i], "KeyPassphrase", paths->passphrase, r);
		check_key_file(&files[i], "PublicKey", files[i].conf.public_file, r);
		check_key_file(&files[i], "Cert", files[i].conf.cert_file, r);
		check_key_file(&files[i], "CA", files[i].conf.ca_path, r);
		check_key_file(&files[i], "CRL", paths->crl, r);
		check_key_file(&files[i], "OCSP", paths->ocsp, r);
		for (unsigned int k = 0; k < i; k++) {
			check_routes(&files[k], &files[i], r);
			check_addresses(&files[k], &files[i], r);
			check_port(&files[k], &files[i], r);
			check_peer(&files[k], &files[i], r);
		}
	}
}

/* ---- the command ---------------------------------------------------------------------- */

struct check {
	struct check_file *files; /* the good ones */
	unsigned int n;
	const char *path; /* of the file being read */
	bool bad;
};

static void print_fault(void *ctx, bool error, unsigned int line, const char *text)
{
	const struct check *c = ctx;

	if (line)
		printf("%s:%u: %s%s\n", c->path, line, error ? "" : "warning: ", text);
	else
		printf("%s: %s%s\n", c->path, error ? "" : "warning: ", text);
}

static void print_common_fault(void *ctx, const char *path, bool error, const char *text)
{
	struct check *c = ctx;

	c->path = path;
	c->bad |= error;
	print_fault(c, error, 0, text);
}

static void check_file(struct check *c, const char *path)
{
	struct config_report report = { print_fault, c };
	struct check_file f = { .path = strdup(path) }, *grown;

	c->path = path;
	if (!f.path || config_load(path, &f.conf, &report)) {
		c->bad = true;
		free((char *)f.path);
		return;
	}
	printf("%s: ok\n", path);
	grown = realloc(c->files, (c->n + 1) * sizeof(f));
	if (grown) {
		c->files = grown;
		grown[c->n++] = f;
	}
	ike_wipe(&f, sizeof(f));
}

static void check_folder(struct check *c, const char *path)
{
	char pattern[4096];
	glob_t g = { 0 };

	snprintf(pattern, sizeof(pattern), "%s/*.conf", path);
	if (glob(pattern, 0, NULL, &g)) {
		printf("%s: no NAME.conf there\n", path);
		c->bad = true;
		return;
	}
	for (size_t i = 0; i < g.gl_pathc; i++)
		check_file(c, g.gl_pathv[i]);
	globfree(&g);
}

static void read_addr(struct ike_addr *a, const struct sockaddr *sa)
{
	memset(a, 0, sizeof(*a));
	a->family = sa->sa_family == AF_INET ? 4 : 6;
	if (a->family == 4)
		memcpy(a->b, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	else
		memcpy(a->b, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
}

/* The machine's addresses; to free. */
static struct ike_addr *own_addresses(unsigned int *n)
{
	struct ike_addr *own = NULL, *grown;
	struct ifaddrs *all;

	*n = 0;
	if (getifaddrs(&all))
		return NULL;
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (!i->ifa_addr ||
		    (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
			continue;
		grown = realloc(own, (*n + 1) * sizeof(*own));
		if (!grown)
			break;
		own = grown;
		read_addr(&own[(*n)++], i->ifa_addr);
	}
	freeifaddrs(all);
	return own;
}

int check_configs(char *const *paths, unsigned int n)
{
	struct check c = { 0 };
	struct check_report report = { print_common_fault, &c };
	unsigned int n_own;
	struct ike_addr *own = own_addresses(&n_own);
	struct stat st;

	for (unsigned int i = 0; i < n; i++) {
		if (!stat(paths[i], &st) && S_ISDIR(st.st_mode))
			check_folder(&c, paths[i]);
		else
			check_file(&c, paths[i]);
	}
	check_together(c.files, c.n, own, n_own, &report);
	for (unsigned int i = 0; i < c.n; i++) {
		free((char *)c.files[i].path);
		config_clear(&c.files[i].conf);
	}
	free(c.files);
	free(own);
	return c.bad;
}
