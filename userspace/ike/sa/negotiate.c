// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Agreeing on a child SA (RFC 7296 2.7, 2.9): our offer, judging the answer to it, and answering
 * the offer of the peer. x_auth.c calls it for the child SA that comes with IKE_AUTH.
 *
 * The IKE SA stays when only the child fails. How it ended is noted for the tunnel (event.c), why
 * it failed is the error of the tunnel.
 */
#include "ike/sa/layer_child.h"

/* The first proposal's SPI, if it is an ESP SPI that may be used (RFC 4303 2.1). */
static uint32_t offered_spi(const struct ike_proposal *p)
{
	uint32_t spi;

	if (p->protocol != IKE_PROTO_ESP || p->spi_len != 4)
		return 0;
	spi = (uint32_t)p->spi[0] << 24 | (uint32_t)p->spi[1] << 16 | (uint32_t)p->spi[2] << 8 |
	      p->spi[3];
	return spi > 255 ? spi : 0;
}

static void put_spi(struct ike_proposal *p, uint32_t spi)
{
	struct writer w = writer_init(p->spi, 4);

	p->spi_len = 4;
	writer_be32(&w, spi);
}

/* ---- initiator --------------------------------------------------------------- */

void negotiate_offer(struct ike_builder *b, const struct ike_tunnel *t, uint32_t spi)
{
	struct ike_proposals offer = t->conf.esp;
	unsigned int i;

	for (i = 0; i < offer.n; i++)
		put_spi(&offer.p[i], spi);
	ike_build_sa(b, IKE_OFFER(&offer));
	ike_build_ts(b, IKE_PL_TSI, IKE_TS_OFFER(&t->conf.local_ts));
	ike_build_ts(b, IKE_PL_TSR, IKE_TS_OFFER(&t->conf.remote_ts));
}

bool negotiate_explain(struct ike_core *core, struct ike_sa *sa, uint16_t error)
{
	struct ike_tunnel *t = sa->tunnel;
	char why[CORE_TEXT_MAX - 128];

	if (error == IKE_N_INVALID_SYNTAX && sa->setup->peer_childless) {
		report_error(
			core, t, sa,
			"peer answered INVALID_SYNTAX to IKE_AUTH: it may demand an IKE SA without child SA first (RFC 6023), which esptun does not do: let it allow the usual way (strongSwan: childless = allow)");
		return true;
	}
	if (error == IKE_N_NO_PROPOSAL_CHOSEN)
		ike_proposal_explain(why, sizeof(why), &t->conf.esp, (struct ike_offer){ 0 });
	else if (error == IKE_N_TS_UNACCEPTABLE)
		ike_ts_explain(why, sizeof(why), &t->conf.local_ts, &t->conf.remote_ts,
			       (struct ike_ts_offer){ 0 }, (struct ike_ts_offer){ 0 });
	else
		return false;
	report_error(core, t, sa, "peer refused the child SA (%s): %s", ike_notify_name(error),
		     why);
	return true;
}

/* Undo a child SA that the peer believes in and we cannot have. */
static void reject_child(struct ike_core *core, struct ike_sa *sa, uint32_t spi)
{
	static const struct ike_ts_list none;
	struct child_sa *c = child_new(&none, &none);

	if (!c) {
		request_close(core, sa, IKESA_CLOSE_MS);
		return;
	}
	c->spi_in = spi;
	TAILQ_INSERT_TAIL(&sa->children, c, link);
	request_delete_child(core, sa, c);
}

static bool child_answer_ok(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in,
			    struct ike_proposal *chosen, struct ike_ts_list *tsi,
			    struct ike_ts_list *tsr)
{
	const struct ike_payload *p_i = ike_payload_find(in, IKE_PL_TSI);
	const struct ike_payload *p_r = ike_payload_find(in, IKE_PL_TSR);
	struct ike_tunnel *t = sa->tunnel;
	struct ike_ts_payload ours, theirs;
	struct ike_sa_payload answer;
	char err[256];

	if (ike_sa_parse(ike_payload_find(in, IKE_PL_SA), &answer) || !p_i || !p_r ||
	    ike_ts_parse(p_i, &ours) || ike_ts_parse(p_r, &theirs)) {
		report_error(core, t, sa, "peer's answer about the child SA is malformed");
		return false;
	}
	if (!ike_proposal_verify(IKE_OFFER(&t->conf.esp), IKE_OFFER(&answer), chosen, err,
				 sizeof(err)) ||
	    !offered_spi(chosen)) {
		report_error(core, t, sa, "peer chose child SA algorithms we did not offer: %s",
			     offered_spi(&answer.p[0]) ? err : "and no usable SPI");
		return false;
	}
	if (!ike_ts_within(IKE_TS_OFFER(&ours), &t->conf.local_ts) ||
	    !ike_ts_within(IKE_TS_OFFER(&theirs), &t->conf.remote_ts)) {
		char a[200], b[200];

		report_error(
			core, t, sa,
			"peer answered with selectors %s = %s, wider than Selectors=: correct its policy",
			ike_ts_list_print(a, sizeof(a), IKE_TS_OFFER(&ours)),
			ike_ts_list_print(b, sizeof(b), IKE_TS_OFFER(&theirs)));
		return false;
	}
	if (!ike_ts_take(IKE_TS_OFFER(&ours), tsi) || !ike_ts_take(IKE_TS_OFFER(&theirs), tsr)) {
		report_error(
			core, t, sa,
			"peer answered with more than %d traffic selectors: ask for fewer in Selectors=",
			IKE_MAX_TS);
		return false;
	}
	return true;
}

void negotiate_take(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in)
{
	struct ike_tunnel *t = sa->tunnel;
	uint32_t spi = sa->setup->spi_in;
	uint16_t error = ike_notify_first_error(in);
	struct ike_ts_list tsi, tsr;
	struct ike_proposal chosen;
	const char *name;

	sa->setup->spi_in = 0;
	if (ike_payload_find(in, IKE_PL_SA)) {
		if (!child_answer_ok(core, sa, in, &chosen, &tsi, &tsr)) {
			child_spi_release(core, sa, spi);
			reject_child(core, sa, spi);
		} else if (install_pair(core, sa, spi, offered_spi(&chosen), &chosen, &tsi, &tsr,
					false)) {
			return;
		} else {
			reject_child(core, sa, spi);
		}
		event_note(core, t, EVENT_CHILD_UNUSABLE);
		return;
	}
	child_spi_release(core, sa, spi);
	event_note(core, t,
		   error == IKE_N_TEMPORARY_FAILURE ? EVENT_PEER_BUSY : EVENT_PEER_REFUSED);
	if (negotiate_explain(core, sa, error))
		return;
	name = ike_notify_name(error);
	report_error(core, t, sa, "peer refused the child SA (%s, %u); see its log",
		     name ? name : "unknown error", error);
}

/* ---- responder --------------------------------------------------------------- */

static void refuse_child(struct ike_core *core, struct ike_sa *sa, struct x_msg *m, uint16_t notify,
			 const char *what, const char *why)
{
	event_note(core, sa->tunnel, EVENT_CHILD_REFUSED);
	report_error(core, sa->tunnel, sa, "child SA refused: %s%s%s", what, *why ? ": " : "", why);
	ike_build_notify(m->reply, notify, NULL, 0);
}

void negotiate_give(struct ike_core *core, struct ike_sa *sa, struct x_msg *m, bool inbound_first)
{
	const struct ike_payload *p_sa = ike_payload_find(m->in, IKE_PL_SA);
	const struct ike_payload *p_i = ike_payload_find(m->in, IKE_PL_TSI);
	const struct ike_payload *p_r = ike_payload_find(m->in, IKE_PL_TSR);
	const struct ike_tunnel_conf *conf = &sa->tunnel->conf;
	struct ike_ts_list local, remote;
	struct ike_ts_payload tsi, tsr;
	struct ike_sa_payload offer;
	struct ike_proposal chosen;
	char why[CORE_TEXT_MAX - 128];
	uint32_t spi, peer_spi;
	unsigned int i;

	if (!p_sa || !p_i || !p_r) {
		report_line(core, IKE_LOG_INFO, NULL, sa, "peer asks for no child SA");
		return;
	}
	if (!sa->setup->peer_natt) {
		refuse_child(core, sa, m, IKE_N_NO_PROPOSAL_CHOSEN, NEGOTIATE_NO_NATT, "");
		return;
	}
	if (ike_sa_parse(p_sa, &offer) || ike_ts_parse(p_i, &tsi) || ike_ts_parse(p_r, &tsr)) {
		refuse_child(core, sa, m, IKE_N_INVALID_SYNTAX, "the offer is malformed", "");
		return;
	}
	for (i = 0; i < offer.n; i++)
		ike_proposal_drop_dh(&offer.p[i]);
	if (!ike_proposal_choose(&conf->esp, IKE_OFFER(&offer), IKE_DH_NONE, &chosen) ||
	    !(peer_spi = offered_spi(&chosen))) {
		refuse_child(core, sa, m, IKE_N_NO_PROPOSAL_CHOSEN, "no common proposal",
			     ike_proposal_explain(why, sizeof(why), &conf->esp, IKE_OFFER(&offer)));
		return;
	}
	if (!ike_ts_narrow(IKE_TS_OFFER(&tsr), &conf->local_ts, &local) ||
	    !ike_ts_narrow(IKE_TS_OFFER(&tsi), &conf->remote_ts, &remote)) {
		refuse_child(core, sa, m, IKE_N_TS_UNACCEPTABLE, "no common selectors",
			     ike_ts_explain(why, sizeof(why), &conf->local_ts, &conf->remote_ts,
					    IKE_TS_OFFER(&tsr), IKE_TS_OFFER(&tsi)));
		return;
	}
	spi = install_reserve_spi(core, sa);
	if (!spi ||
	    !install_pair(core, sa, spi, peer_spi, &chosen, &local, &remote, inbound_first)) {
		/* The reason is logged already; the peer may try again (2.25). */
		ike_build_notify(m->reply, IKE_N_TEMPORARY_FAILURE, NULL, 0);
		return;
	}
	put_spi(&chosen, spi);
	ike_build_sa(m->reply, (struct ike_offer){ 1, &chosen });
	ike_build_ts(m->reply, IKE_PL_TSI, IKE_TS_OFFER(&remote));
	ike_build_ts(m->reply, IKE_PL_TSR, IKE_TS_OFFER(&local));
}
