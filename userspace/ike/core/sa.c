// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The life of an IKE SA, from its SPI to its end. An SA that ends takes its pairs of ESP SAs out
 * of the kernel, leaves every list, and is freed when the event at hand is over (core.c).
 */
#include "ike/core/layer_ikesa.h"

#include <stdlib.h>

static void choose_spi(struct ike_core *core, struct ike_sa *sa)
{
	static const uint8_t zero[IKE_SPI_LEN];
	uint8_t *spi = sa->initiator ? sa->spi_i : sa->spi_r;

	do {
		core->env.rng.fill(core->env.rng.ctx, spi, IKE_SPI_LEN);
	} while (!memcmp(spi, zero, IKE_SPI_LEN) || ikesa_find(&core->sas, spi, sa->initiator));
}

/* In table and timers, with an SPI of ours. */
static struct ike_sa *enter_sa(struct ike_core *core, bool initiator, const uint8_t *digest)
{
	struct ike_sa *sa;

	if (core->sas.n >= IKESA_MAX || timers_reserve(&core->sa_timers))
		return NULL;
	sa = ikesa_new(initiator, core->now);
	if (!sa) {
		core->sa_timers.owners--;
		return NULL;
	}
	sa->has_digest = digest;
	if (digest)
		memcpy(sa->digest, digest, sizeof(sa->digest));
	choose_spi(core, sa);
	ikesa_table_add(&core->sas, sa);
	return sa;
}

struct ike_sa *sa_new(struct ike_core *core, bool initiator, const struct ike_endpoint *local,
		      const struct ike_endpoint *remote, const uint8_t *digest)
{
	struct ike_sa *sa = enter_sa(core, initiator, digest);

	if (!sa)
		return NULL;
	sa->local = *local;
	sa->remote = *remote;
	if (!initiator) {
		admit_enter(core, sa);
		sa->expire_at = core->now + IKESA_HALF_OPEN_MS;
		sa_touch(core, sa);
	}
	return sa;
}

struct ike_sa *sa_new_successor(struct ike_core *core, const struct ike_sa *old, bool initiator)
{
	struct ike_sa *sa = enter_sa(core, initiator, NULL);

	if (!sa)
		return NULL;
	ikesa_setup_free(sa);
	sa->began = old->began;
	sa->state = IKESA_PREPARED;
	address_copy(sa, old);
	sa->natd = old->natd;
	sa->fragments = old->fragments;
	sa->small_packets = old->small_packets;
	sa->mobike.on = old->mobike.on;
	sa->local_id = old->local_id;
	sa->remote_id = old->remote_id;
	sa->local_auth = old->local_auth;
	sa->remote_auth = old->remote_auth;
	sa->confirmed = sa->acked = true;
	return sa;
}

void sa_plan_rekey(struct ike_core *core, struct ike_sa *sa)
{
	uint64_t period = 1000ULL * sa->peer->conf->rekey_ike;

	sa->rekey_at = period ? core->now + sa_jitter(core, period) : TIMER_NEVER;
}

/* EAP-TLS leaves a connection with the keys process. Should this job get lost, that forgets it later. */
static void leave_eap(struct ike_core *core, struct ike_sa *sa)
{
	struct ikesa_eap *e = sa->setup ? sa->setup->eap : NULL;
	char tunnel[1][IKE_JOB_NAME];
	struct ike_job job;

	if (!e || !eap_leave(&e->run, &job))
		return;
	memcpy(tunnel[0], sa->peer ? sa->peer->conf->name : e->tunnel, sizeof(tunnel[0]));
	job.id = ++core->last_job;
	job.n_tunnels = 1;
	job.tunnels = tunnel;
	job.peer = &sa->remote_id;
	job.prf = sa->keys.suite.prf;
	core->env.job_start(core->env.ctx, &job);
}

void sa_end_setup(struct ike_core *core, struct ike_sa *sa)
{
	leave_eap(core, sa);
	ikesa_setup_free(sa);
}

void sa_revoked(struct ike_core *core, struct ike_sa *sa)
{
	const struct ike_id *who = &sa->remote_id;
	char id[IKE_MAX_ID + 16];

	if (!who->type && sa->first_id) /* EAP is yet to say who it is */
		who = sa->first_id;
	report_line(
		core, IKE_LOG_WARN, sa->peer, sa,
		"a certificate that '%s' proved itself by was revoked since: it has to prove itself anew",
		ike_id_print(id, sizeof(id), who));
	sa->proof_until = core->now;
	if (sa->state == IKESA_ESTABLISHED) /* else it is planned when it is */
		sa_plan_reauth(core, sa);
	free(sa->shown);
	sa->shown = NULL;
}

void sa_plan_reauth(struct ike_core *core, struct ike_sa *sa)
{
	uint64_t period = 1000ULL * sa->peer->conf->reauth;

	sa->reauth_at = period ? core->now + sa_jitter(core, period) : TIMER_NEVER;
	if (sa->proof_until < sa->reauth_at)
		sa->reauth_at = sa->proof_until;
}

static bool plan_replacement(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_peer *p = sa->peer;
	unsigned int i;

	if (!query_can_replace(sa))
		return false;
	for (i = 0; i < p->conf->n_child; i++)
		p->want[i].next_try = core->now; /* if it is wanted, see review_attempts() */
	event_note(core, p, EVENT_CHANGED);
	return true;
}

bool sa_replace(struct ike_core *core, struct ike_sa *sa)
{
	if (!plan_replacement(core, sa))
		return false;
	sa->replaced = true;
	return true;
}

bool sa_doubt(struct ike_core *core, struct ike_sa *sa)
{
	if (!plan_replacement(core, sa))
		return false;
	sa->doubted = true;
	return true;
}

void sa_touch(struct ike_core *core, struct ike_sa *sa)
{
	if (sa->state != IKESA_DEAD)
		timer_set(&core->sa_timers, &sa->timer, ikesa_deadline(sa));
}

void sa_not_half_open(struct ike_core *core, struct ike_sa *sa)
{
	if (!sa->counted_half_open)
		return;
	admit_leave(core, sa);
	sa->expire_at = TIMER_NEVER;
}

/* The old IKE SA of @sa, which was prepared, waits for it no longer. */
static void forget_heir(struct ike_core *core, const struct ike_sa *sa)
{
	struct ike_sa *old = ikesa_find(&core->sas, sa->old_spi, sa->old_is_ours);

	if (old && sa_prepared(core, old) == sa)
		old->have_heir = false;
}

static void destroy_sa(struct ike_core *core, struct ike_sa *sa)
{
	if (sa->state == IKESA_PREPARED)
		forget_heir(core, sa);
	sa_not_half_open(core, sa);
	if (sa->state == IKESA_CLOSED && sa->peer)
		TAILQ_REMOVE(&sa->peer->closed, sa, of_peer);
	event_note(core, sa->peer, EVENT_CHANGED);
	ikesa_table_del(&core->sas, sa);
	timers_unreserve(&core->sa_timers, &sa->timer);
	sa->state = IKESA_DEAD;
	LIST_INSERT_HEAD(&core->dead, sa, dead);
}

struct ike_sa *sa_prepared(const struct ike_core *core, const struct ike_sa *sa)
{
	struct ike_sa *heir = sa->have_heir ? ikesa_find(&core->sas, sa->heir_spi, false) : NULL;

	/* The peer deletes it if it lost, which we may not know yet. */
	return heir && heir->state == IKESA_PREPARED ? heir : NULL;
}

void sa_drop_unfinished(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_sa *heir = sa_prepared(core, sa);

	if (heir && !heir->have_keys)
		sa_drop(core, heir);
}

/* The kernel may send to where @gone had followed the peer: another one knows better now. */
static void correct_remote(struct ike_core *core, const struct ike_peer *p,
			   const struct ike_sa *gone)
{
	const struct ike_sa *sa = query_primary(p);

	if (sa && query_sa_has_outbound(sa, CHILD_ANY) &&
	    !ike_endpoint_eq(address_of_esp(sa), address_of_esp(gone)))
		core->env.peer_moved(core->env.ctx, p->conf->name, p->id, NULL, address_of_esp(sa),
				     natd_is_plain(&sa->natd));
}

void sa_end(struct ike_core *core, struct ike_sa *sa, bool linger)
{
	struct ike_peer *p = sa->peer;
	struct child_sa *c;

	if (sa->state == IKESA_CLOSED || sa->state == IKESA_DEAD)
		return;
	if (p) {
		TAILQ_REMOVE(&p->sas, sa, of_peer);
		core->n_of_peers--;
		if (sa->established_at != TIMER_NEVER)
			correct_remote(core, p, sa);
	}
	while ((c = TAILQ_FIRST(&sa->children))) {
		if (sa->superseded) /* the peer has long forgotten it */
			child_remove(core, sa, c);
		else
			child_retire(core, sa, c);
	}
	if (sa->setup && sa->setup->spi_in)
		child_spi_release(core, sa, sa->setup->spi_in);
	sa_end_setup(core, sa);
	ikesa_frags_free(sa);
	job_end(core, sa->rx.wait);
	job_end(core, sa->tx.wait);
	exchange_end_all(core, sa);
	child_drop_agreed(core, sa);
	sa_drop_unfinished(core, sa);
	sa->liveness_at = sa->close_at = sa->rekey_at = TIMER_NEVER;
	sa->reauth_at = sa->replace_by = TIMER_NEVER;
	/* An SA that never was established goes on counting against its sender. */
	if (linger && sa->rx.answer.len) {
		sa->state = IKESA_CLOSED;
		if (p)
			TAILQ_INSERT_TAIL(&p->closed, sa, of_peer);
		/* The answer it keeps is sealed; one at hand is yet to be. */
		if (sa != core->answering) {
			ike_wipe(&sa->keys, sizeof(sa->keys));
			sa->have_keys = false;
		}
		sa->expire_at = core->now + IKESA_LINGER_MS;
		sa_touch(core, sa);
	} else {
		destroy_sa(core, sa);
	}
	event_note(core, p, EVENT_CHANGED);
}

void sa_forget_rejections(struct ike_peer *p)
{
	p->rejections = 0;
	p->rejected_until = 0;
}

void sa_attempt_failed(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_peer *p = sa->peer;

	/* That the peer wants no child SA was not proven: the next attempt begins with one again. */
	if (sa->setup->childless)
		p->childless = false;
	if (sa->setup->eap && sa->setup->eap->run.rejected)
		p->rejected = PEER_REJECTED_MS;
	else if (sa->setup->eap && sa->setup->eap->refused)
		p->rejected = PEER_RETRY_CAP_MS;
	sa_end(core, sa, false);
	event_note(core, p, EVENT_ATTEMPT_FAILED);
}

void sa_fail(struct ike_core *core, struct ike_sa *sa)
{
	sa->expire_at = core->now;
	sa_touch(core, sa);
}

uint64_t sa_jitter(struct ike_core *core, uint64_t limit)
{
	uint64_t r;

	core->env.rng.fill(core->env.rng.ctx, &r, sizeof(r));
	return limit - r % (limit / 10 + 1);
}

void sa_join(struct ike_core *core, struct ike_sa *sa)
{
	TAILQ_INSERT_TAIL(&sa->peer->sas, sa, of_peer);
	core->n_of_peers++;
}

void sa_drop(struct ike_core *core, struct ike_sa *sa)
{
	if (sa->state == IKESA_CLOSED || sa->state == IKESA_PREPARED)
		destroy_sa(core, sa);
	else
		sa_end(core, sa, false);
}
