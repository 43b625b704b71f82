// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Protected messages: one datagram with an SK payload, or several with a fragment each (RFC 7383).
 *
 * A message is split if its IP packet is longer than 1,280 octets and the peer takes fragments.
 * One that may not have arrived so is split anew for packets of 576 octets, as all later ones are.
 * Of the peer's fragments those of the one message that is expected next are kept, each way.
 */
#include "ike/core/layer_ikesa.h"

#include <stdlib.h>

enum {
	PACKET_MAX = 1280, /* every IPv6 path carries it (RFC 8200 5), most IPv4 paths do … */
	PACKET_SMALL = 576, /* … and this is for the others (RFC 7383 2.5.1) */
	IPV4_HDR_LEN = 20,
	IPV6_HDR_LEN = 40,
	UDP_HDR_LEN = 8,
	MARKER_LEN = 4, /* RFC 3948 2.2; counted on port 500, too, where there is none */
};

/* Octets of a message, or a fragment, in an IP packet of @packet octets. */
static size_t datagram_max(const struct ike_sa *sa, size_t packet)
{
	size_t ip = sa->remote.addr.family == 6 ? IPV6_HDR_LEN : IPV4_HDR_LEN;

	return packet - ip - UDP_HDR_LEN - MARKER_LEN;
}

/* ---- out ----------------------------------------------------------------------- */

/* Append the fragments of @inner, @room octets in each; @m has room for them. */
static bool seal_fragments(struct ike_core *core, struct ike_sa *sa, const struct ike_header *h,
			   const struct ike_skf *inner, size_t room, struct ikesa_message *m,
			   size_t cap)
{
	uint16_t total = (uint16_t)((inner->len + room - 1) / room), number;
	struct ike_skf f = { .total = total, .first = inner->first };
	size_t at, n;

	for (number = 1; number <= total; number++) {
		at = (number - 1) * room;
		f.number = number;
		f.data = inner->data + at;
		f.len = inner->len - at < room ? inner->len - at : room;
		n = ike_skf_seal(&sa->keys, &core->env.rng, h, &f, m->data + m->len, cap - m->len);
		if (!n)
			return false;
		if (number == 1)
			m->each = n;
		m->len += n;
		f.first = IKE_PL_NONE;
	}
	return true;
}

/* A message of @h around @inner replaces @m; false if that failed, and @m is empty. */
static bool seal(struct ike_core *core, struct ike_sa *sa, const struct ike_header *h,
		 const struct ike_skf *inner, struct ikesa_message *m)
{
	size_t most = datagram_max(sa, sa->small_packets ? PACKET_SMALL : PACKET_MAX);
	size_t cap = ike_sk_sealed_len(&sa->keys, inner->len), room;
	bool split = sa->fragments && cap > most, ok;

	ikesa_message_free(m);
	room = ike_skf_room(&sa->keys, most);
	if (split)
		cap = (inner->len + room - 1) / room * most;
	m->data = malloc(cap);
	if (!m->data)
		return false;
	if (split) {
		ok = seal_fragments(core, sa, h, inner, room, m, cap);
	} else {
		m->len = m->each = ike_sk_seal(&sa->keys, &core->env.rng, h, inner->first,
					       inner->data, inner->len, m->data, cap);
		ok = m->len;
	}
	if (!ok)
		ikesa_message_free(m);
	return ok;
}

/* AUTH is to cover what is inside the message (RFC 9242). */
static bool cover(struct ike_sa *sa, const struct ike_header *h, const struct ike_skf *inner)
{
	const struct intauth_message m = { .first = inner->first,
					   .data = inner->data,
					   .len = inner->len };

	return intauth_add(sa, h, &m);
}

bool message_seal(struct ike_core *core, struct ike_sa *sa, uint8_t exchange, uint8_t flags,
		  uint32_t id, struct ike_builder *b, uint8_t first, struct ikesa_message *m)
{
	struct ike_header h = {
		.version = 0x20,
		.exchange = exchange,
		.flags = flags | (sa->initiator ? IKE_FLAG_INITIATOR : 0),
		.id = id,
	};
	struct ike_skf inner = { .data = b->w.buf, .len = ike_build_end(b) };

	if (b->w.bad)
		return false;
	inner.first = inner.len ? first : IKE_PL_NONE;
	memcpy(h.spi_i, sa->spi_i, IKE_SPI_LEN);
	memcpy(h.spi_r, sa->spi_r, IKE_SPI_LEN);
	if (exchange == IKE_INTERMEDIATE && sa->setup && !cover(sa, &h, &inner))
		return false;
	return seal(core, sa, &h, &inner, m);
}

/* Octets of the datagram of @m that begins at @at. */
static size_t datagram_len(const struct ikesa_message *m, size_t at)
{
	return m->len - at < m->each ? m->len - at : m->each;
}

void message_send(struct ike_core *core, const struct ikesa_message *m, const struct ike_peer *p,
		  const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	size_t at;

	for (at = 0; at < m->len; at += m->each)
		send_datagram(core, p, local, remote, m->data + at, datagram_len(m, at));
}

/* What @m, which we sealed, has inside goes to @inner and, @cap octets at most, to @buf. */
static bool unseal(struct ike_core *core, const struct ike_sa *sa, const struct ikesa_message *m,
		   struct ike_skf *inner, uint8_t *buf, size_t cap)
{
	struct writer w = writer_init(buf, cap);
	struct ike_skf f;
	size_t at;

	*inner = (struct ike_skf){ .data = buf };
	for (at = 0; at < m->len; at += m->each) {
		if (ike_skf_open(&sa->keys, m->data + at, datagram_len(m, at), core->plain,
				 sizeof(core->plain), &f))
			return false;
		if (!at)
			inner->first = f.first;
		writer_bytes(&w, f.data, f.len);
	}
	inner->len = w.len;
	return !w.bad;
}

bool message_shrink(struct ike_core *core, struct ike_sa *sa, struct ikesa_message *m)
{
	uint8_t buf[CORE_MSG_MAX];
	struct ike_header h;
	struct ike_skf inner;
	bool ok;

	if (!sa->fragments || !sa->have_keys || m->each <= datagram_max(sa, PACKET_SMALL))
		return false;
	ok = !ike_header_parse(m->data, datagram_len(m, 0), &h) &&
	     unseal(core, sa, m, &inner, buf, sizeof(buf));
	if (ok) {
		sa->small_packets = true;
		ok = seal(core, sa, &h, &inner, m);
	}
	ike_wipe(buf, sizeof(buf));
	ike_wipe(core->plain, sizeof(core->plain));
	return ok;
}

/* ---- in ------------------------------------------------------------------------ */

/* What fragment 1 tells: how to know it again, and what packets seem to get through. */
static void note_first(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
		       const struct ike_skf *f, bool request)
{
	if (request)
		digest_datagram(core, d, sa->rx.request);
	if (f->total > 1 && d->len <= datagram_max(sa, PACKET_SMALL))
		sa->small_packets = true;
}

/* Keep a fragment; with the last one that was missing, it is as if the whole message had come. */
static int open_fragment(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
			 bool request, struct ike_payloads *in, uint8_t *offender)
{
	struct frags **all = request ? &sa->rx.frags : &sa->tx.frags;
	enum frags_verdict verdict;
	struct ike_skf f;
	uint8_t first, flags;
	size_t len;
	int rc;

	if (!sa->fragments ||
	    ike_skf_open(&sa->keys, d->data, d->len, core->plain, sizeof(core->plain), &f))
		return IKE_SK_FORGED;
	if (sa->state == IKESA_HALF_OPEN) {
		admit_work(core, ADMIT_WORK_FRAGMENT);
		if (frags_len(*all) + f.len > ADMIT_FRAGMENTS_LEN)
			return MESSAGE_INCOMPLETE;
	}
	verdict = frags_add(all, &f);
	if (sa->rx.frags && sa->rx.frags_until == TIMER_NEVER)
		sa->rx.frags_until = core->now + IKESA_RETRANSMIT_ALL_MS;
	if (verdict != FRAGS_DROPPED && f.number == 1)
		note_first(core, sa, d, &f, request);
	if (verdict != FRAGS_COMPLETE)
		return MESSAGE_INCOMPLETE;
	len = frags_join(all, core->plain, &first, &flags);
	if (len > core->plain_len)
		core->plain_len = len;
	rc = ike_payloads_parse(first, core->plain, len, in, offender);
	in->outer_flags = flags;
	return rc;
}

static void swap_keys(struct ike_sa *sa)
{
	struct ike_keys former = sa->keys;

	sa->keys = *sa->setup->next_keys;
	sa->keys.sent = former.sent;
	*sa->setup->next_keys = former;
	ike_wipe(&former, sizeof(former));
}

/*
 * A request that is authentic with the keys that came with the one before shows that the peer has its
 * answer, so the former keys are not needed any more: not even to split that answer anew.
 */
static void settle_keys(struct ike_sa *sa, int rc)
{
	if (rc == IKE_SK_FORGED) {
		swap_keys(sa);
		return;
	}
	ike_wipe(sa->setup->next_keys, sizeof(*sa->setup->next_keys));
	free(sa->setup->next_keys);
	sa->setup->next_keys = NULL;
}

/* More than is kept of who proved nothing is not looked at, either: it would be parsed for each copy. */
static bool is_too_long(struct ike_core *core, const struct ike_sa *sa,
			const struct ike_datagram *d)
{
	if (sa->state != IKESA_HALF_OPEN || d->len <= ADMIT_FRAGMENTS_LEN)
		return false;
	if (admit_reply_to(core, sa)) /* or our log could be filled at will */
		report_line(core, IKE_LOG_WARN, NULL, sa,
			    "IKE_AUTH request of %zu octets ignored: let the peer send fewer "
			    "certificates, for %d octets are taken of one that proved nothing yet",
			    d->len, ADMIT_FRAGMENTS_LEN);
	return true;
}

int message_open(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
		 const struct ike_header *h, struct ike_payloads *in, uint8_t *offender)
{
	bool request = !(h->flags & IKE_FLAG_RESPONSE);
	bool renewed = request && sa->setup && sa->setup->next_keys;
	int rc;

	in->n = 0;
	*offender = 0;
	if (is_too_long(core, sa, d))
		return MESSAGE_INCOMPLETE;
	core->plain_len = d->len;
	if (renewed)
		swap_keys(sa);
	if (h->next == IKE_PL_SKF) {
		rc = open_fragment(core, sa, d, request, in, offender);
	} else {
		rc = ike_sk_open(&sa->keys, d->data, d->len, core->plain, sizeof(core->plain), in,
				 offender);
		if (rc != IKE_SK_FORGED && request)
			digest_datagram(core, d, sa->rx.request);
	}
	if (renewed)
		settle_keys(sa, rc);
	if (rc == IKE_SK_FORGED)
		core->stats.rx_unauthenticated++;
	else if (rc != MESSAGE_INCOMPLETE && request)
		ikesa_frags_free(sa);
	return rc;
}

bool message_is_repeated(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
			 const struct ike_header *h)
{
	uint8_t digest[IKESA_DIGEST_LEN];
	struct ike_skf f;

	digest_datagram(core, d, digest);
	if (!memcmp(digest, sa->rx.request, sizeof(digest)))
		return true;
	/* Any other octets are of another message, or fragments for smaller packets. */
	if (h->next != IKE_PL_SKF || !sa->fragments || !sa->have_keys)
		return false;
	core->plain_len = d->len;
	if (ike_skf_open(&sa->keys, d->data, d->len, core->plain, sizeof(core->plain), &f)) {
		core->stats.rx_unauthenticated++;
		return false;
	}
	return f.number == 1;
}
