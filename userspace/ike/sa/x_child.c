// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CREATE_CHILD_SA (RFC 7296 1.3): not taken yet, an IKE SA has the child SA of its IKE_AUTH.
 * The answer says so in the RFC's words, and whatever the peer wanted to keep alive by it is
 * renewed by a new IKE SA that we begin.
 */
#include "ike/sa/layer_exchange.h"

#include <stdio.h>

/* The peer asks for a pair that the tunnel lacks: the next IKE SA brings it. */
static void renew_pair(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	report_line(core, IKE_LOG_INFO, NULL, sa,
		    "peer asks for its child SA by CREATE_CHILD_SA; a new IKE SA brings it");
	ike_build_notify(m->reply, IKE_N_TEMPORARY_FAILURE, NULL, 0);
	event_note(core, sa->tunnel, EVENT_PAIR_ASKED);
}

/*
 * The peer rekeys. If the IKE SA is ours to begin, a new one replaces it before the peer asks
 * again (2.25); else, or if that failed, it is the peer that has to authenticate anew.
 */
static void replace_sa(struct ike_core *core, struct ike_sa *sa, struct x_msg *m, const char *what)
{
	bool ours = sa->initiator && !sa->tunnel->failures;

	report_line(core, IKE_LOG_INFO, NULL, sa, "peer wants to rekey the %s SA: %s", what,
		    ours ? "a new IKE SA replaces it" : "answered with NO_ADDITIONAL_SAS");
	sa->replaced |= ours;
	ike_build_notify(m->reply, ours ? IKE_N_TEMPORARY_FAILURE : IKE_N_NO_ADDITIONAL_SAS, NULL,
			 0);
	event_note(core, sa->tunnel, EVENT_CHANGED);
}

/* The peer wants a child SA beside the one there is. It asks again and again, we tell once. */
static void explain_second(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m)
{
	const struct ike_payload *p_i = ike_payload_find(m->in, IKE_PL_TSI);
	const struct ike_payload *p_r = ike_payload_find(m->in, IKE_PL_TSR);
	struct ike_tunnel *t = sa->tunnel;
	struct ike_ts_payload tsi, tsr;
	char text[CORE_TEXT_MAX], i[200] = "?", r[200] = "?";

	if (p_i && !ike_ts_parse(p_i, &tsi))
		ike_ts_list_print(i, sizeof(i), IKE_TS_OFFER(&tsi));
	if (p_r && !ike_ts_parse(p_r, &tsr))
		ike_ts_list_print(r, sizeof(r), IKE_TS_OFFER(&tsr));
	snprintf(
		text, sizeof(text),
		"peer asks for a second child SA, %s = %s (ours = its), but a tunnel has one: have it ask for all networks in one child SA, and allow them in Selectors=, or make another tunnel for these",
		r, i);
	if (strcmp(text, t->last_error))
		report_error(core, t, sa, "%s", text);
}

enum x_verdict x_child_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct ike_sa_payload offer;
	struct ike_notify n;
	bool ike, child;

	if (!ikesa_authenticated(sa)) {
		ike_build_notify(m->reply, IKE_N_TEMPORARY_FAILURE, NULL, 0);
		return X_DONE;
	}
	ike = !ike_sa_parse(ike_payload_find(m->in, IKE_PL_SA), &offer) &&
	      offer.p[0].protocol == IKE_PROTO_IKE;
	child = ike_notify_find(m->in, IKE_N_REKEY_SA, &n);
	if (ike || (child && !TAILQ_EMPTY(&sa->children))) {
		replace_sa(core, sa, m, ike ? "IKE" : "child");
	} else if (!query_has_pair(sa->tunnel)) {
		renew_pair(core, sa, m);
	} else {
		explain_second(core, sa, m);
		ike_build_notify(m->reply, IKE_N_NO_ADDITIONAL_SAS, NULL, 0);
	}
	return X_DONE;
}
