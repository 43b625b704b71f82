// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sections [Radius], one for each server, in the order in which they are asked. A section's secret is read like a
 * PSK, from its value or a file, and is sealed like one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/app/config/config_int.h"
#include "ike/app/config/ini.h"
#include "ike/proto/addr.h"

enum {
	ACCESS_PORT = 1812, /* RFC 2865 3; accounting has the next one, RFC 2866 3 */
	TIMEOUT = 1, /* s */
	RETRIES = 1,
	DEAD_TIME = 60, /* s */
	PATIENCE =
		9000, /* ms: the core has none after 10 s; no attempt takes longer than its timeouts */
};

bool config_radius_section(struct parse *p, const char *name)
{
	struct config *c = p->c;
	struct config_radius *r;

	if (strcasecmp(name, "Radius"))
		return false;
	if (!c->radius) /* all at once: realloc() would leave secrets behind */
		c->radius = calloc(RADIUS_SERVERS, sizeof(*c->radius));
	if (!c->radius) {
		config_say(p, true, p->line, "[Radius]: out of memory");
		return true;
	}
	if (c->n_radius == RADIUS_SERVERS) {
		config_say(p, true, p->line, "expected at most %d sections [Radius]",
			   RADIUS_SERVERS);
		return true;
	}
	r = &c->radius[c->n_radius++];
	*r = (struct config_radius){
		.line = p->line,
		.server = { .timeout = TIMEOUT * 1000,
			    .retries = RETRIES,
			    .dead_time = DEAD_TIME * 1000 },
	};
	p->radius = r;
	return true;
}

int config_radius_server(struct parse *p, char *s)
{
	struct radius_server *r = &p->radius->server;
	uint32_t port = ACCESS_PORT;

	s = config_split_port(s, 65534, &port);
	if (!s)
		return -1;
	if (ike_addr_from_text(s, &r->access.addr))
		return -1;
	r->accounting.addr = r->access.addr;
	r->access.port = (uint16_t)port;
	return 0;
}

int config_radius_accounting(struct parse *p, char *s)
{
	uint32_t port = 0;

	if (strcasecmp(s, "off") && config_number(s, 1, 65535, &port))
		return -1;
	p->radius->server.accounting.port = (uint16_t)port;
	p->radius->accounting_given = true;
	return 0;
}

int config_radius_secret(struct parse *p, char *s)
{
	struct config_radius *r = p->radius;
	char why[512];

	if (!strncmp(s, "file:/", 6))
		return config_copy(r->secret_file, sizeof(r->secret_file), s + 5) ? 0 : -1;
	if (secret_from_value(s, r->secret, &r->secret_len, why, sizeof(why))) {
		snprintf(p->err, sizeof(p->err), "%s", why);
		return -1;
	}
	if (*why || !secret_strong(r->secret, r->secret_len, why, sizeof(why)))
		config_say(p, false, p->line, "the secret of a RADIUS server %s", why);
	return 0;
}

int config_radius_timeout(struct parse *p, char *s)
{
	uint32_t seconds;

	if (config_number(s, 1, 5, &seconds))
		return -1;
	p->radius->server.timeout = seconds * 1000;
	return 0;
}

int config_radius_retries(struct parse *p, char *s)
{
	return config_number(s, 0, 3, &p->radius->server.retries);
}

int config_radius_dead_time(struct parse *p, char *s)
{
	uint32_t seconds;

	if (config_number(s, 1, 3600, &seconds))
		return -1;
	p->radius->server.dead_time = seconds * 1000;
	return 0;
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* All of an attempt: each timeout is twice the one before it. */
static uint32_t most_time(const struct radius_server *s)
{
	return s->timeout * ((2U << s->retries) - 1);
}

static void check_server(struct parse *p, struct config_radius *r)
{
	struct radius_server *s = &r->server;

	if (!s->access.addr.family)
		config_say(p, true, r->line, "[Radius] lacks Server, the address of the server");
	if (!r->secret_len && !*r->secret_file)
		config_say(
			p, true, r->line,
			"[Radius] lacks Secret, which the server has for this host, too (FreeRADIUS: secret= of a client { } in clients.conf)");
	if (!r->accounting_given)
		s->accounting.port = (uint16_t)(s->access.port + 1);
	for (const struct config_radius *other = p->c->radius; other < r; other++) {
		if (s->access.addr.family && ike_endpoint_eq(&other->server.access, &s->access))
			config_say(p, true, r->line,
				   "[Radius] has the same Server as the one in line %u",
				   other->line);
	}
}

void config_radius_check(struct parse *p)
{
	uint32_t all = 0;

	for (unsigned int i = 0; i < p->c->n_radius; i++) {
		check_server(p, &p->c->radius[i]);
		all += most_time(&p->c->radius[i].server);
	}
	if (all > PATIENCE)
		config_say(
			p, true, p->c->radius[0].line,
			"[Radius]: if no server answers, that takes %u s to see, and clients wait for %d s: expected lower Timeout or Retries, or fewer servers",
			all / 1000, PATIENCE / 1000);
	for (unsigned int i = 0; i < p->c->n_radius; i++) {
		p->c->radius[i].line = 0; /* lists compare as bytes */
		p->c->radius[i].accounting_given = false;
	}
}
