// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A pair of ESP SAs: the object, and its way out of the kernel, which the end of its IKE SA
 * needs. Its way in is in install.c.
 */
#include "ike/core/layer_ikesa.h"

#include <stdlib.h>

struct child_sa *child_new(const struct ike_ts_list *local, const struct ike_ts_list *remote)
{
	unsigned int n = local->n + remote->n;
	struct child_sa *c = calloc(1, sizeof(*c) + n * sizeof(c->ts[0]));

	if (!c)
		return NULL;
	c->next_at = TIMER_NEVER;
	c->n_local = (uint16_t)local->n;
	c->n_remote = (uint16_t)remote->n;
	memcpy(c->ts, local->ts, local->n * sizeof(c->ts[0]));
	memcpy(c->ts + local->n, remote->ts, remote->n * sizeof(c->ts[0]));
	return c;
}

void child_wipe_keys(struct child_sa *c)
{
	if (!c->keys)
		return;
	ike_wipe(c->keys, sizeof(*c->keys));
	free(c->keys);
	c->keys = NULL;
}

void child_free(struct child_sa *c)
{
	child_wipe_keys(c);
	claim_leave(c->claims);
	free(c);
}

void child_selectors(const struct child_sa *c, struct ike_ts_list *local,
		     struct ike_ts_list *remote)
{
	local->n = c->n_local;
	memcpy(local->ts, c->ts, c->n_local * sizeof(c->ts[0]));
	remote->n = c->n_remote;
	memcpy(remote->ts, c->ts + c->n_local, c->n_remote * sizeof(c->ts[0]));
}

struct child_sa *child_find(const struct ike_sa *sa, uint32_t spi_in, uint32_t spi_out)
{
	struct child_sa *c;

	TAILQ_FOREACH(c, &sa->children, link)
	{
		if ((spi_in && c->spi_in == spi_in) || (spi_out && c->spi_out == spi_out))
			return c;
	}
	return NULL;
}

void child_spi_release(struct ike_core *core, struct ike_sa *sa, uint32_t spi)
{
	if (spi)
		core->env.sa_remove(core->env.ctx, sa->peer->conf->name, sa->peer->id, spi, 0);
}

void child_drop_agreed(struct ike_core *core, struct ike_sa *sa)
{
	struct agreed_pair *a = sa->agreed;

	if (!a)
		return;
	if (sa->peer)
		child_spi_release(core, sa, a->spi_in);
	followup_free(a->further);
	free(a->n);
	free(a);
	sa->agreed = NULL;
}

void child_stop_sending(struct ike_core *core, struct ike_sa *sa, struct child_sa *c)
{
	child_wipe_keys(c);
	if (!c->out)
		return;
	c->out = false;
	core->env.sa_remove(core->env.ctx, sa->peer->conf->name, sa->peer->id, 0, c->spi_out);
}

void child_rekeyed(struct ike_core *core, struct ike_sa *sa, struct child_sa *c, uint64_t until)
{
	if (c->state >= CHILD_DELETING)
		return;
	child_stop_sending(core, sa, c);
	c->state = CHILD_REKEYED;
	c->next_at = until;
}

/* Is there a pair besides @c that is to stay? */
static bool has_other_pair(const struct ike_peer *p, const struct child_sa *c)
{
	const struct ike_sa *sa;
	const struct child_sa *o;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		TAILQ_FOREACH(o, &sa->children, link)
		{
			if (o != c && o->state <= CHILD_UP)
				return true;
		}
	}
	return false;
}

void child_retire(struct ike_core *core, struct ike_sa *sa, struct child_sa *c)
{
	struct ike_peer *p = sa->peer;

	if (!p->enabled || !has_other_pair(p, c)) {
		child_remove(core, sa, c);
		return;
	}
	child_stop_sending(core, sa, c);
	TAILQ_REMOVE(&sa->children, c, link);
	claim_leave(c->claims);
	c->claims = NULL;
	c->state = CHILD_LINGERING;
	c->next_at = core->now + CHILD_LINGER_MS;
	TAILQ_INSERT_TAIL(&p->lingering, c, link);
	event_note(core, p, EVENT_CHANGED);
}

void child_linger_end(struct ike_core *core, struct ike_peer *p, uint64_t until)
{
	struct child_sa *c;

	/* They came in the order of their deadlines. */
	while ((c = TAILQ_FIRST(&p->lingering)) && c->next_at <= until) {
		TAILQ_REMOVE(&p->lingering, c, link);
		core->env.sa_remove(core->env.ctx, p->conf->name, p->id, c->spi_in, 0);
		child_free(c);
	}
}

void child_remove(struct ike_core *core, struct ike_sa *sa, struct child_sa *c)
{
	TAILQ_REMOVE(&sa->children, c, link);
	core->env.sa_remove(core->env.ctx, sa->peer->conf->name, sa->peer->id, c->spi_in,
			    c->out ? c->spi_out : 0);
	child_free(c);
}
