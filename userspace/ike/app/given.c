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

/* No name server is set: what to do is said once for each list of them. */
static void say_servers(const struct tunnel *t, const struct ike_cp *cp)
{
	char addr[64], list[IKE_CP_SERVERS * 64] = "", text[1280];
	size_t len = 0;

	for (unsigned int i = 0; i < cp->n_servers; i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, " %s",
					ike_addr_print(addr, sizeof(addr), &cp->server[i]));
	if (!*list)
		return;
	snprintf(
		text, sizeof(text),
		"the peer's name servers are%s, for the domains: %s; to use them: resolvectl dns %s%s",
		list, *cp->domains ? cp->domains : "all", t->conf.name, list);
	log_core(IKE_LOG_INFO, t->conf.name, NULL, NULL, text, loop_now());
}

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
	say_servers(t, cp);
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
	free(t->given);
	t->given = NULL;
	t->given_is_new = false;
}
