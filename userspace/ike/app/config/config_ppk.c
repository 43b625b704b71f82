// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Post-quantum preshared keys (RFC 8784): that of one peer, which [Peer] has with its name, and those of clients, which are in
 * sections [Client ID] and in the file of ClientPPKs. Which client has to have which is in ->ppks.of, by identities; the keys are
 * in ->ppks.keys, by their names. Called by config_auth.c when all lines were read.
 */
#include <stdio.h>
#include <string.h>

#include "ike/app/config/config_int.h"
#include "ike/app/secret.h"
#include "ike/crypto/crypto.h"

static struct client_key *of_line(const struct client_keys *l, unsigned int line)
{
	for (unsigned int i = 0; i < l->n; i++) {
		if (l->v[i].line == line)
			return &l->v[i];
	}
	return NULL;
}

/* The PPK of a section [Client ID] gets its name. */
static void name_ppk(struct parse *p, struct client_key *ppk)
{
	const struct client_key *of = of_line(&p->c->ppks.of, ppk->line);
	char why[160];

	if (of)
		client_ppk_name(&ppk->id, of->key, of->len);
	else
		config_say(
			p, true, ppk->line,
			"[Client ID] has PPK: expected PPKID, too, the name that both ends know it by");
	if (ppk->len && !secret_strong_ppk(ppk->key, ppk->len, why, sizeof(why)))
		config_say(p, false, ppk->line, "[Client ID]: PPK: the key %s", why);
}

/* The PPK that a client has to have is somewhere. What the file of ClientPPKs has is not known yet. */
static void find_ppk(struct parse *p, const struct client_key *of)
{
	char id[IKE_MAX_ID + 16];

	if (of_line(&p->c->ppks.keys, of->line) || config_given(p, "ClientPPKs"))
		return;
	config_say(
		p, true, of->line,
		"[Client %s] has PPKID, and no PPK: expected that, too, or ClientPPKs in [Peer], the file with all of them",
		ike_id_print(id, sizeof(id), &of->id));
}

/* A section without PSK is for the PPK alone. */
static void drop_sections(struct client_keys *keys, const struct client_keys *of)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < keys->n; i++) {
		struct client_key *k = &keys->v[i];

		if (k->len || k->named || !of_line(of, k->line))
			keys->v[n++] = *k;
	}
	if (n < keys->n)
		ike_wipe(&keys->v[n], (keys->n - n) * sizeof(*keys->v));
	keys->n = n;
}

void config_ppk_sections(struct parse *p)
{
	struct config *c = p->c;
	const struct client_key *twice;
	char id[IKE_MAX_ID + 16];

	for (unsigned int i = 0; i < c->ppks.keys.n; i++)
		name_ppk(p, &c->ppks.keys.v[i]);
	for (unsigned int i = 0; i < c->ppks.of.n; i++)
		find_ppk(p, &c->ppks.of.v[i]);
	drop_sections(&c->keys, &c->ppks.of);
	twice = client_keys_sort(&c->ppks.of);
	if (twice)
		config_say(p, true, twice->line, "[Client %s] is there twice, with a PPK each",
			   ike_id_print(id, sizeof(id), &twice->id));
	if (c->ppks.keys.n + c->ppks.of.n && !config_need_ppk(c))
		config_say(p, true, 0, "no memory");
}

static void warn_ppk(struct parse *p, const struct config_ppk *ppk)
{
	char why[160];

	if (ppk->len && !secret_strong_ppk(ppk->key, ppk->len, why, sizeof(why)))
		config_say(p, false, config_line_of(p, "PPK"), "PPK: the key %s", why);
	if (p->c->clients > 1)
		config_say(
			p, false, config_line_of(p, "PPK"),
			"PPK is one key for all clients: each of them could read what others sent once it has a quantum computer; expected %s",
			p->c->remote_auth.then_user
				? "one round in RemoteAuth, with ClientPPKs, if they should not"
				: "ClientPPKs, or PPK and PPKID in [Client ID]");
}

/* A PPK and its name come together. */
static void check_of_peer(struct parse *p, const struct config_ppk *ppk)
{
	if (!config_given(p, "PPK"))
		config_say(p, true,
			   config_line_of(p, config_given(p, "PPKID") ? "PPKID" : "PPKRequired"),
			   "[Peer] lacks PPK, the post-quantum preshared key");
	else if (!config_given(p, "PPKID"))
		config_say(
			p, true, config_line_of(p, "PPK"),
			"PPK: expected PPKID in [Peer], too, the name that both ends know it by");
	if (ppk->len && ppk->len == p->c->psk_len && ike_equal(ppk->key, p->c->psk, ppk->len))
		config_say(p, true, config_line_of(p, "PPK"),
			   "PPK and PSK are the same key: expected a key of its own for each");
	warn_ppk(p, ppk);
}

static void check_of_clients(struct parse *p)
{
	const char *common = config_given(p, "PPK") ? "PPK" : "PPKID";

	if (p->c->clients <= 1)
		config_say(
			p, true, config_line_of(p, "ClientPPKs"),
			"ClientPPKs is for clients: expected Clients of 2 or more in [Peer], too, or PPK and PPKID");
	if (config_given(p, common))
		config_say(
			p, true, config_line_of(p, common),
			"%s is of all clients, and there are PPKs of single ones: expected one or the other; a common one can stand in the file of ClientPPKs",
			common);
}

/* Who gives a PPK means it to be used. */
void config_ppk_check(struct parse *p)
{
	const struct config *c = p->c;
	struct config_ppk *ppk = c->ppk;

	if (!ppk)
		return;
	ppk->name.of_clients = config_given(p, "ClientPPKs") || c->ppks.keys.n || c->ppks.of.n;
	if (!config_given(p, "PPKRequired"))
		ppk->name.required = true;
	if (ppk->name.of_clients)
		check_of_clients(p);
	else
		check_of_peer(p, ppk);
	if (ppk->name.of_clients && c->remote_auth.then_user)
		config_say(
			p, true, config_line_of(p, "ClientPPKs"),
			"a PPK of each client cannot be had with two rounds of authentication, as the client names it in the first one, and only the last one says which client it is: expected PPK and PPKID in [Peer], for all clients, or one round in RemoteAuth");
}
