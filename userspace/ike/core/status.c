// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `esptun status` shows of a tunnel, and the counters for tests and metrics.
 */
#include "ike/core/layer_core.h"

#include <errno.h>

/* The newest one of configuration @conf, or CHILD_ANY, that works, or is about to. */
static void status_child(const struct ike_sa *sa, unsigned int conf, struct ike_status *s)
{
	const struct child_sa *c;

	TAILQ_FOREACH_REVERSE(c, &sa->children, child_sas, link)
	{
		if (c->state <= CHILD_UP && (conf == CHILD_ANY || c->conf == conf))
			break;
	}
	if (!c)
		return;
	s->have_child = true;
	s->child_name = sa->peer->conf->child[c->conf].name;
	s->spi_in = c->spi_in;
	s->spi_out = c->spi_out;
	s->esp = c->proposal;
	s->mode = c->mode;
	s->child_at = c->at;
	if (c->state == CHILD_UP && c->next_at != TIMER_NEVER)
		s->child_rekey_at = c->next_at;
	child_selectors(c, &s->local_ts, &s->remote_ts);
}

static void status_attempt(const struct ike_peer *p, struct ike_status *s)
{
	const struct ike_sa *sa;

	s->attempt = query_failures(p) + 1;
	s->next_try = query_next_try(p) == TIMER_NEVER ? 0 : query_next_try(p);
	s->step = "";
	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (sa->state != IKESA_INIT_SENT && sa->state != IKESA_AUTH_SENT)
			continue;
		s->step = sa->state == IKESA_INIT_SENT ? "IKE_SA_INIT" : "IKE_AUTH";
		s->tries = sa->tx.sends;
		s->next_try = sa->tx.at;
		return;
	}
}

static void status_of(const struct ike_peer *p, struct ike_status *s)
{
	const struct ike_sa *sa = query_primary(p);

	memset(s, 0, sizeof(*s));
	s->tunnel = p->conf->name;
	s->peer = p->id;
	s->clients = p->tunnel->n_clients;
	s->state = p->state;
	s->adopted = p->n_adopted;
	s->rekeys = p == p->tunnel->first ? p->tunnel->rekeys : p->rekeys;
	s->last_error = p->last_error ? p->last_error : "";
	s->last_error_at = p->last_error_at;
	s->fault = p->fault;
	status_attempt(p, s);
	memcpy(s->lease, p->lease, sizeof(s->lease));
	if (p->is_client)
		s->remote_id = p->proven;
	if (!sa)
		return;
	s->have_ike = true;
	s->initiator = sa->began;
	s->established = sa->established_at != TIMER_NEVER;
	memcpy(s->spi_i, sa->spi_i, IKE_SPI_LEN);
	memcpy(s->spi_r, sa->spi_r, IKE_SPI_LEN);
	s->local = sa->local;
	s->remote = sa->remote;
	s->esp_remote = *address_of_esp(sa);
	s->local_id = sa->local_id;
	s->remote_id = sa->remote_id;
	if (sa->first_id)
		s->first_id = *sa->first_id;
	s->local_auth = sa->local_auth;
	s->remote_auth = sa->remote_auth;
	s->ike = sa->proposal;
	s->ppk = sa->ppk;
	s->established_at = s->established ? sa->established_at : 0;
	s->rekey_at = sa->rekey_at == TIMER_NEVER ? 0 : sa->rekey_at;
	s->nat_local = sa->natd.local;
	s->nat_remote = sa->natd.remote;
	s->plain = natd_is_plain(&sa->natd);
	s->mobike = sa->mobike.on;
	s->mobike_decides = sa->mobike.on && sa->began;
	status_child(sa, CHILD_ANY, s);
}

int ike_core_tunnel_status(const struct ike_core *core, const char *tunnel, struct ike_status *out)
{
	const struct ike_peer *p = lookup_name(core, tunnel);

	if (!p)
		return -ENOENT;
	status_of(p, out);
	return 0;
}

int ike_core_child_status(const struct ike_core *core, const char *tunnel, uint32_t peer,
			  unsigned int i, struct ike_status *out)
{
	const struct ike_peer *p = lookup_peer(core, tunnel, peer);
	const struct ike_sa *sa;

	if (!p || i >= p->conf->n_child)
		return -ENOENT;
	memset(out, 0, sizeof(*out));
	out->child_name = p->conf->child[i].name;
	sa = query_primary(p);
	if (sa)
		status_child(sa, i, out);
	return 0;
}

int ike_core_peer_status(const struct ike_core *core, const char *tunnel, uint32_t peer,
			 struct ike_status *out)
{
	const struct ike_peer *p = lookup_peer(core, tunnel, peer);

	if (!p)
		return -ENOENT;
	status_of(p, out);
	if (!out->have_ike)
		out->remote_id = p->proven;
	return 0;
}

uint32_t ike_core_client_next(const struct ike_core *core, const char *tunnel, uint32_t after)
{
	const struct ike_peer *p = lookup_peer(core, tunnel, after ? after : IKE_PEER_FIRST);

	if (p)
		p = after ? TAILQ_NEXT(p, of_tunnel) : TAILQ_FIRST(&p->tunnel->clients);
	return p ? p->id : 0;
}

static void count_sas(const struct ike_peer *p, struct ike_core_stats *out)
{
	const struct ike_sa *sa;
	const struct child_sa *c;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		out->ike_sas += sa->established_at != TIMER_NEVER;
		TAILQ_FOREACH(c, &sa->children, link)
		out->children++;
	}
}

void ike_core_stats(const struct ike_core *core, struct ike_core_stats *out)
{
	const struct ike_peer *p, *client;

	*out = core->stats;
	out->ike_sas = 0;
	out->children = 0;
	TAILQ_FOREACH(p, &core->peers, link)
	{
		count_sas(p, out);
		TAILQ_FOREACH(client, &p->tunnel->clients, of_tunnel)
		count_sas(client, out);
	}
}
