// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which of several pairs stays (RFC 7296 2.8, 2.8.1, 2.25.1).
 *
 * When both ends rekey a pair at once, each answers the other, and there are two new pairs. The one
 * whose exchange had the lowest of the four nonces loses, and is deleted by the end that began its
 * exchange; the old pair is deleted by the end that began the other. No end stops sending on the
 * old pair before a new one carries its traffic, and none deletes a pair that the peer may need:
 *
 *	we began the exchange	both halves are installed when the response came. The old pair is
 *				deleted CHILD_REKEYED_MS later.
 *	the peer did		the inbound half is installed with our answer, the outbound half when
 *				the peer is known to have that answer: when its next request comes,
 *				which is its DELETE of the old pair mostly.
 */
#include "ike/child/layer_child.h"

bool collide_loses(const struct ike_sa *sa, uint32_t replaces, const uint8_t *low_nonce)
{
	const struct child_sa *c;

	TAILQ_FOREACH(c, &sa->children, link)
	{
		if (replaces && c->replaces == replaces && c->state <= CHILD_UP &&
		    memcmp(low_nonce, c->low_nonce, sizeof(c->low_nonce)) < 0)
			return true;
	}
	return false;
}

bool collide_is_open(const struct ike_sa *sa, const struct child_sa *c)
{
	const struct child_sa *o;

	TAILQ_FOREACH(o, &sa->children, link)
	{
		if (o == c)
			continue;
		if (o->replaces == c->spi_in ||
		    (c->replaces && (o->spi_in == c->replaces || o->replaces == c->replaces)))
			return true;
	}
	return false;
}

bool collide_is_leaving(const struct ike_sa *sa, const struct child_sa *c)
{
	const struct child_sa *o;

	if (c->state != CHILD_REKEYED)
		return c->state >= CHILD_DELETING;
	TAILQ_FOREACH(o, &sa->children, link)
	{
		if (o->replaces == c->spi_in)
			return false;
	}
	return true;
}

/* @old has a successor that stays. */
static void count_rekeyed(const struct ike_sa *sa, const struct child_sa *old)
{
	if (old->state >= CHILD_REKEYED)
		return; /* it was counted when a former one won */
	sa->peer->rekeys.child++;
	sa->peer->tunnel->rekeys.child++;
}

/* @c carries our traffic and stays: what it replaces, and what it won against, goes. */
static void retire_others(struct ike_core *core, struct ike_sa *sa, const struct child_sa *c)
{
	uint64_t until = core->now + (c->ours ? CHILD_REKEYED_MS : CHILD_REKEYED_OTHER_MS);
	struct child_sa *o;

	if (!c->replaces)
		return;
	TAILQ_FOREACH(o, &sa->children, link)
	{
		if (o == c)
			continue;
		if (o->spi_in == c->replaces) {
			count_rekeyed(sa, o);
			child_rekeyed(core, sa, o, until);
		} else if (o->replaces == c->replaces && o->ours) {
			request_delete_child(core, sa, o);
		} else if (o->replaces == c->replaces) {
			child_rekeyed(core, sa, o, core->now + CHILD_REKEYED_OTHER_MS);
			/* Any request of ours tells the peer that it lost, and may delete it. */
			request_probe(core, sa);
		}
	}
	sa_touch(core, sa);
}

void collide_up(struct ike_core *core, struct ike_sa *sa, struct child_sa *c)
{
	if (c->state == CHILD_IN && !install_outbound(core, sa, c))
		return;
	if (!collide_loses(sa, c->replaces, c->low_nonce))
		retire_others(core, sa, c);
}

/* We asked for a successor of the same pair and do not know yet whose wins; the old one works. */
static bool is_undecided(const struct ike_sa *sa, const struct child_sa *c)
{
	const struct child_sa *old = child_find(sa, c->replaces, 0);

	return old && old->out && sa->out &&
	       (sa->out->ops->exchange == IKE_CREATE_CHILD_SA ||
		sa->out->ops->exchange == IKE_FOLLOWUP_KE) &&
	       sa->out->spi == c->replaces;
}

void collide_proven(struct ike_core *core, struct ike_sa *sa, unsigned int conf)
{
	struct child_sa *c;

	TAILQ_FOREACH(c, &sa->children, link)
	{
		if (c->state == CHILD_IN && !c->ours && !is_undecided(sa, c) &&
		    (conf == CHILD_ANY || c->conf == conf))
			collide_up(core, sa, c);
	}
}

void collide_replaced(struct ike_core *core, struct ike_sa *sa, const struct child_sa *old)
{
	struct child_sa *c;

	TAILQ_FOREACH(c, &sa->children, link)
	{
		if (c->state == CHILD_IN && !c->ours && c->replaces == old->spi_in)
			collide_up(core, sa, c);
	}
}

void collide_undone(struct ike_core *core, struct ike_sa *sa, const struct child_sa *c)
{
	struct child_sa *o;

	if (!c->replaces)
		return;
	TAILQ_FOREACH(o, &sa->children, link)
	{
		if (o != c && o->replaces == c->replaces && o->state == CHILD_REKEYED)
			o->next_at = core->now + CHILD_REKEYED_MS;
	}
	sa_touch(core, sa);
}
