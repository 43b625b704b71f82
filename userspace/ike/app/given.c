// SPDX-License-Identifier: GPL-2.0-or-later
/* The addresses that a tunnel's peer gives us, its client (Address = request), on the netdevice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/proto/addr.h"

/* Addresses of the link become as tunnel_net_conf() has them. */
static void apply_given(struct tunnel *t)
{
	struct net_did did;
	struct net_conf net;
	char text[512];

	tunnel_net_conf(t, &net);
	if (net_restore(t->agent->net, &net, t->ifindex, &did, text, sizeof(text)))
		tunnel_fail(t, TROUBLE_DEVICE, text);
	else if (*did.text)
		log_say(IKE_LOG_INFO, t->conf.name, "added %s, which the peer gives us", did.text);
}

/* No name server is set: what to do is said once for each list of them. */
static void say_servers(const struct tunnel *t, const struct ike_cp *cp)
{
	char addr[64], list[IKE_CP_SERVERS * 64] = "";
	size_t len = 0;

	for (unsigned int i = 0; i < cp->n_servers; i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, " %s",
					ike_addr_print(addr, sizeof(addr), &cp->server[i]));
	if (*list)
		log_say(IKE_LOG_INFO, t->conf.name,
			"the peer's name servers are%s, for the domains: %s; to use them: resolvectl dns %s%s",
			list, *cp->domains ? cp->domains : "all", t->conf.name, list);
}

void given_take(struct tunnel *t, const struct ike_cp *cp)
{
	bool is_news = !t->given || memcmp(t->given, cp, sizeof(*cp)) != 0;

	if (!t->conf.asks_address || !is_news)
		return;
	for (unsigned int i = 0; i < 2; i++) {
		if (cp->address[i].family && !ike_addr_is_host(&cp->address[i]))
			return; /* the core lets none such pass */
	}
	if (!t->given)
		t->given = malloc(sizeof(*t->given));
	if (!t->given)
		return;
	*t->given = *cp;
	apply_given(t);
	say_servers(t, cp);
}

void given_forget(struct tunnel *t)
{
	free(t->given);
	t->given = NULL;
}
