// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * INFORMATIONAL requests of the peer (RFC 7296 1.4, 1.4.1, 2.4, 2.21): deletes, liveness, notifies.
 * Ours are in inform.c.
 */
#include "ike/exch/layer_exchange.h"

/*
 * The peer closes pairs: ours of each goes too, and the answer lists it (1.4.1). @waiting: those
 * whose outbound half waits; else the others.
 */
static void delete_children(struct ike_core *core, struct ike_sa *sa, const struct ike_delete *del,
			    struct x_msg *m, bool waiting)
{
	uint32_t ours[2 * IKE_MAX_CHILD + 16];
	uint16_t n = 0, i;

	for (i = 0; i < del->n; i++) {
		struct cursor c = cursor_init(del->spis + 4 * (size_t)i, 4);
		uint32_t spi = cursor_be32(&c);
		struct child_sa *child = child_find(sa, 0, spi);

		/* The pair of a response that is still on its way? */
		if (!child && sa->out)
			sa->out->deleted = spi;
		if (!child || waiting != (child->state == CHILD_IN))
			continue;
		/* Crossing deletes: not listed, and the answer to ours ends the pair (1.4.1). */
		if (child->state == CHILD_DELETING)
			continue;
		report_line(core, IKE_LOG_INFO, NULL, sa,
			    "peer deleted child SA in 0x%08x out 0x%08x", child->spi_in,
			    child->spi_out);
		if (n < sizeof(ours) / sizeof(ours[0]))
			ours[n++] = child->spi_in;
		collide_replaced(core, sa, child);
		collide_undone(core, sa, child);
		child_retire(core, sa, child);
	}
	if (n)
		ike_build_delete(m->reply, IKE_PROTO_ESP, ours, n);
}

/* The peer takes its inbound halves away when it has our answer, so nothing is sent after that. */
static void stop_sending(struct ike_core *core, struct ike_sa *sa)
{
	struct child_sa *c;

	TAILQ_FOREACH(c, &sa->children, link)
	child_stop_sending(core, sa, c);
}

/* Errors the peer found in our IKE_AUTH answer end the IKE SA without a Delete (2.21.2). */
static bool is_fatal(uint16_t notify)
{
	return notify == IKE_N_AUTHENTICATION_FAILED || notify == IKE_N_INVALID_SYNTAX ||
	       notify == IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD;
}

static bool note_notify(struct ike_core *core, struct ike_sa *sa, const struct ike_notify *n)
{
	const char *name = ike_notify_name(n->type);
	char id[IKE_MAX_ID + 16];

	if (n->type == IKE_N_AUTHENTICATION_FAILED && sa->state == IKESA_ESTABLISHED)
		report_error(
			core, sa->peer, sa,
			"peer '%s' does not accept our identity or key (AUTHENTICATION_FAILED): compare %s, LocalID= and RemoteID= with its configuration",
			ike_id_print(id, sizeof(id), &sa->remote_id),
			x_proof_method(sa->peer->conf->local_auth.method)->compare);
	else
		report_line(core, n->type <= IKE_N_ERROR_MAX ? IKE_LOG_WARN : IKE_LOG_DEBUG, NULL,
			    sa, "peer notifies %s (%u)", name ? name : "something", n->type);
	return is_fatal(n->type);
}

/*
 * The peer's request proves that it has our answers, and the pairs they were about: but not those
 * that it deletes because it could not install them. Then the new pairs take the traffic before
 * old ones go.
 */
static void take_proof(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct ike_delete del;
	unsigned int i;

	for (i = 0; i < m->in->n; i++) {
		const struct ike_payload *p = &m->in->p[i];

		if (p->type == IKE_PL_DELETE && !ike_delete_parse(p, &del) &&
		    del.protocol == IKE_PROTO_ESP && del.spi_len == 4)
			delete_children(core, sa, &del, m, true);
	}
	if (sa->state == IKESA_ESTABLISHED)
		collide_proven(core, sa, CHILD_ANY);
}

/* Is it about the end of pairs? */
static bool deletes_pairs(const struct ike_payloads *in)
{
	struct ike_delete del;
	unsigned int i;

	for (i = 0; i < in->n; i++) {
		if (in->p[i].type == IKE_PL_DELETE && !ike_delete_parse(&in->p[i], &del) &&
		    del.protocol == IKE_PROTO_ESP)
			return true;
	}
	return false;
}

enum x_verdict x_info_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct ike_delete del;
	struct ike_notify n;
	bool over = false;
	unsigned int i;

	/*
	 * The peer counts it as the heir, so the pairs are under it there. Here they are when its exchange is
	 * seen to have won: until then an answer could not list them, and would confirm their end.
	 */
	if (sa->state == IKESA_PREPARED && deletes_pairs(m->in))
		return X_DROP;
	take_proof(core, sa, m);
	for (i = 0; i < m->in->n; i++) {
		const struct ike_payload *p = &m->in->p[i];

		if (p->type == IKE_PL_DELETE) {
			if (ike_delete_parse(p, &del)) {
				ike_build_notify(m->reply, IKE_N_INVALID_SYNTAX, NULL, 0);
				return X_CLOSE;
			}
			if (del.protocol == IKE_PROTO_IKE) {
				report_line(core, IKE_LOG_INFO, NULL, sa,
					    "peer deleted the IKE SA");
				x_rekey_settle(core, sa);
				stop_sending(core, sa);
				over = true;
			} else if (del.protocol == IKE_PROTO_ESP && del.spi_len == 4) {
				delete_children(core, sa, &del, m, false);
			}
		} else if (p->type == IKE_PL_NOTIFY && !ike_notify_parse(p, &n)) {
			over |= note_notify(core, sa, &n);
		}
	}
	x_config_request(core, sa, m);
	x_mobike_request(core, sa, m);
	if (!over)
		event_note(core, sa->peer, EVENT_CHANGED);
	return over ? X_CLOSE : X_DONE;
}
