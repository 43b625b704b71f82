// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The end of IKE_AUTH (RFC 7296 1.2), alike at both ends once each knows who the other is: the IKE SA is
 * established, and the child SA that came with the messages is made of them (negotiate.c). What comes before is in
 * x_auth_initiator.c and x_auth_responder.c.
 */
#include "ike/exch/layer_exchange.h"

/* ---- both ends are authenticated --------------------------------------------- */

/* No peer gets more than its share: the oldest of too many goes. */
static void limit_per_peer(struct ike_core *core, struct ike_sa *newest)
{
	struct ike_sa *sa, *oldest = NULL;
	unsigned int n = 0;

	TAILQ_FOREACH(sa, &newest->peer->sas, of_peer)
	{
		if (sa == newest || sa->established_at == TIMER_NEVER ||
		    !ike_id_eq(&sa->remote_id, &newest->remote_id))
			continue;
		if (!oldest)
			oldest = sa;
		n++;
	}
	if (n >= IKESA_MAX_PER_PEER)
		sa_end(core, oldest, false);
}

void x_auth_establish(struct ike_core *core, struct ike_sa *sa)
{
	char id[IKE_MAX_ID + 16], ep[64], prop[256];

	sa_not_half_open(core, sa);
	if (!sa->strayed)
		admit_proven(core, &sa->remote.addr);
	if (!sa->initiator) {
		admit_pay_back(core, sa);
		sa_join(core, sa);
	} else {
		sa_forget_rejections(sa->peer);
	}
	x_ppk_finish(core, sa);
	sa->local_auth = sa->peer->conf->local_auth;
	sa->remote_auth = sa->peer->conf->remote_auth;
	sa->local_auth.eap_only &= sa->setup->eap && sa->setup->eap->only;
	sa->remote_auth.eap_only &= sa->setup->eap && sa->setup->eap->only;
	sa->state = IKESA_ESTABLISHED;
	sa->expire_at = TIMER_NEVER; /* a tunnel taken down and up again may have set it */
	sa->established_at = sa->first_established_at = core->now;
	sa->confirmed = sa->initiator;
	report_line(core, IKE_LOG_INFO, NULL, sa, "IKE SA with %s at %s established: %s%s",
		    ike_id_print(id, sizeof(id), &sa->remote_id),
		    ike_endpoint_print(ep, sizeof(ep), &sa->remote),
		    ike_proposal_print(prop, sizeof(prop), &sa->proposal),
		    sa->ppk == IKE_PPK_USED ? ", with a PPK" : "");
	limit_per_peer(core, sa);
	sa_plan_rekey(core, sa);
	sa_plan_reauth(core, sa);
	liveness_check(core, sa);
}

/* ---- the child SA that comes with IKE_AUTH ------------------------------------- */

/* The nonces of IKE_SA_INIT serve the first child, too (2.17). */
static struct ike_nonces setup_nonces(const struct ikesa_setup *s)
{
	return (struct ike_nonces){ .i = s->ni, .r = s->nr, .i_len = s->ni_len, .r_len = s->nr_len };
}

void x_auth_take_child(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in)
{
	struct ike_peer *p = sa->peer;
	uint16_t error = ike_notify_first_error(in);
	const char *name = ike_notify_name(error);
	struct negotiation n = {
		.ours = true,
		.nonces = setup_nonces(sa->setup),
		.spi_in = sa->setup->spi_in,
	};

	negotiate_begin(&n, sa, sa->setup->child, NULL);
	sa->setup->spi_in = 0;
	if (sa->setup->childless) { /* peer.c asks for the child, whatever is said of one here */
		bool refused = x_config_explain(core, sa, error);

		if (refused || !x_config_take(core, sa, in)) {
			event_note_child(core, p, n.conf,
					 refused ? EVENT_PEER_REFUSED : EVENT_CHILD_UNUSABLE);
			request_close(core, sa, IKESA_CLOSE_MS);
		}
		return;
	}
	if (ike_offer_accepted(in)) {
		if (!x_config_take(core, sa, in)) {
			child_spi_release(core, sa, n.spi_in);
			event_note_child(core, p, n.conf, EVENT_CHILD_UNUSABLE);
			request_close(core, sa, IKESA_CLOSE_MS);
		} else if (!negotiate_take(core, sa, &n, in))
			event_note_child(core, p, n.conf, EVENT_CHILD_UNUSABLE);
		return;
	}
	child_spi_release(core, sa, n.spi_in);
	event_note_child(core, p, n.conf,
			 error == IKE_N_TEMPORARY_FAILURE ? EVENT_PEER_BUSY : EVENT_PEER_REFUSED);
	if (x_config_explain(core, sa, error)) /* the IKE_AUTH of another IKE SA asks again */
		request_close(core, sa, IKESA_CLOSE_MS);
	else if (!negotiate_explain(core, sa, &n, error))
		report_error(core, p, sa, "peer refused the child SA (%s, %u); see its log",
			     name ? name : "unknown error", error);
}

void x_auth_give_child(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct negotiation n = {
		.inbound_first = query_has_outbound(sa->peer, CHILD_ANY),
		.nonces = setup_nonces(sa->setup),
	};
	const char *refusal;

	if (!ike_payload_find(m->in, IKE_PL_SA) || !ike_payload_find(m->in, IKE_PL_TSI) ||
	    !ike_payload_find(m->in, IKE_PL_TSR)) {
		report_line(core, IKE_LOG_INFO, NULL, sa, "peer asks for no child SA");
		return;
	}
	negotiate_begin(&n, sa, CHILD_ANY, NULL);
	refusal = natd_refusal(sa, &sa->natd);
	if (refusal) {
		report_error(core, sa->peer, sa, "child SA refused: %s", refusal);
		ike_build_notify(m->reply, IKE_N_NO_PROPOSAL_CHOSEN, NULL, 0);
		event_note_child(core, sa->peer, CHILD_ANY, EVENT_CHILD_REFUSED);
	} else {
		negotiate_give(core, sa, &n, m);
	}
}
