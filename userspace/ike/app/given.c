// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The addresses that a tunnel's peer gives us, its client (Address = request). What the core says of them
 * is noted, and follow_restore() has the netdevice follow: no core may wait for that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/proto/addr.h"

/* ---- name servers ------------------------------------------------------------------ */

/* " ADDRESS ADDRESS" */
static void print_servers(char list[static IKE_CP_SERVERS * 64], const struct ike_cp *cp)
{
	char addr[64];
	size_t len = 0;

	*list = 0;
	for (unsigned int i = 0; i < cp->n_servers; i++)
		len += (size_t)snprintf(list + len, IKE_CP_SERVERS * 64 - len, " %s",
					ike_addr_print(addr, sizeof(addr), &cp->server[i]));
}

/* What there is, and @rest. */
static void say_servers(const struct tunnel *t, enum ike_log_level level, const char *rest)
{
	char list[IKE_CP_SERVERS * 64], text[1536];

	print_servers(list, t->given);
	snprintf(text, sizeof(text), "the peer's name servers are%s, for %s%s: %s", list,
		 *t->given->domains ? "the domains " : "all names", t->given->domains, rest);
	log_core(level, t->conf.name, NULL, NULL, text, loop_now());
}

/* Who has them used instead is told how. */
static void say_how(const struct tunnel *t, enum ike_log_level level, const char *why)
{
	char list[IKE_CP_SERVERS * 64], text[1024];

	print_servers(list, t->given);
	snprintf(
		text, sizeof(text),
		"not used, %s; with systemd-resolved it is: resolvectl dns %s%s, else a line of each in /etc/resolv.conf",
		why, t->device, list);
	say_servers(t, level, text);
}

void given_use_names(struct tunnel *t)
{
	struct link_dns *dns = t->agent->helpers->link_dns;
	int err;

	if (t->conf.leaves_dns) {
		if (t->given->n_servers)
			say_servers(t, IKE_LOG_INFO, "not used, by DNS = no");
		return;
	}
	if (!dns || (!t->given->n_servers && !t->names_set))
		return;
	err = link_dns_set(dns, t->device, t->given);
	t->names_set = !err && t->given->n_servers;
	if (err)
		say_how(t, IKE_LOG_WARN,
			err == -EPIPE ? "for the process that sets them has ended"
				      : strerror(-err));
}

void given_on_names(void *ctx, const struct link_dns_outcome *o)
{
	char why[400];

	for (struct tunnel *t = ((struct agent *)ctx)->tunnels; t; t = t->next) {
		if (strcmp(t->device, o->name) != 0 || !t->given || !t->given->n_servers)
			continue;
		snprintf(why, sizeof(why), "for resolvectl says: %s",
			 o->err == -ETIMEDOUT ? "nothing, for 10 seconds" : o->text);
		if (!o->err)
			say_servers(t, IKE_LOG_INFO, "used, by systemd-resolved");
		else if (o->err == -ENOENT)
			say_how(t, IKE_LOG_INFO, "for there is no systemd-resolved");
		else if (o->err == -EXDEV)
			say_how(t, IKE_LOG_INFO,
				"for esptund is in another network namespace than systemd-resolved");
		else
			say_how(t, IKE_LOG_WARN, why);
	}
}

/* ---- addresses --------------------------------------------------------------------- */

/* False without memory. */
static bool keep_given(struct tunnel *t, const struct ike_cp *cp)
{
	if (!t->given)
		t->given = malloc(sizeof(*t->given));
	if (t->given)
		*t->given = *cp;
	return t->given;
}

int given_take(struct tunnel *t, const struct ike_cp *cp)
{
	bool is_news = !t->given || memcmp(t->given, cp, sizeof(*cp)) != 0;

	if (!t->conf.asks_address)
		return -EADDRNOTAVAIL;
	if (!is_news)
		return 0;
	if (!keep_given(t, cp))
		return -ENOMEM;
	t->given_is_new = true;
	t->restore_at = loop_now();
	tunnel_dirty(t);
	return 0;
}

void given_find(struct tunnel *t)
{
	struct ike_cp cp = { .type = IKE_CP_REPLY };

	if (!t->conf.asks_address || t->given)
		return;
	net_given(t->agent->net, t->conf.name, cp.address);
	if (cp.address[0].family || cp.address[1].family)
		keep_given(t, &cp);
}

void given_forget(struct tunnel *t)
{
	/* A netdevice that is ours is gone, and with it what was set. */
	if (t->names_set)
		link_dns_clear(t->agent->helpers->link_dns, t->device);
	t->names_set = false;
	free(t->given);
	t->given = NULL;
	t->given_is_new = false;
}
