// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the AUTH payloads cover of the IKE_INTERMEDIATE exchanges (RFC 9242 3.3.2): for each end a
 * chain of PRFs over its messages, whole and decrypted, whatever fragments they left in.
 */
#include "ike/core/layer_ikesa.h"

enum { GENERIC_LEN = 4 };

/* Everything before the encrypted part, with lengths that count only what is covered. */
static void write_head(struct writer *w, const struct ike_header *h,
		       const struct intauth_message *m)
{
	struct ike_header head = *h;

	head.next = IKE_PL_SK;
	head.length = (uint32_t)(IKE_HDR_LEN + GENERIC_LEN + m->len);
	ike_header_write(w, &head);
	writer_u8(w, m->first);
	writer_u8(w, m->flags);
	writer_be16(w, (uint16_t)(GENERIC_LEN + m->len));
}

bool intauth_add(struct ike_sa *sa, const struct ike_header *h, const struct intauth_message *m)
{
	bool initiators = h->flags & IKE_FLAG_INITIATOR;
	struct intauth *a = &sa->setup->intauth;
	uint8_t *value = initiators ? a->i : a->r, former[IKE_MAX_PRF],
		head[IKE_HDR_LEN + GENERIC_LEN];
	bool *begun = initiators ? &a->begun_i : &a->begun_r;
	size_t len = ike_prf_len(sa->keys.suite.prf);
	struct writer w = writer_init(head, sizeof(head));
	const struct ike_iov in[] = {
		{ former, *begun ? len : 0 },
		{ head, sizeof(head) },
		{ m->data, m->len },
	};

	write_head(&w, h, m);
	memcpy(former, value, sizeof(former));
	if (ike_prf(sa->keys.suite.prf, initiators ? sa->keys.pi : sa->keys.pr, len, in, 3, value))
		return false;
	*begun = true;
	return true;
}

bool intauth_add_received(struct ike_sa *sa, const struct ike_header *h,
			  const struct ike_payloads *in)
{
	struct intauth_message m = { .flags = in->outer_flags };
	const struct ike_payload *last;

	/* Parsed payloads lie one behind the other, and nothing is between or behind them. */
	if (in->n) {
		last = &in->p[in->n - 1];
		m.first = in->p[0].type;
		m.data = in->p[0].body - GENERIC_LEN;
		m.len = (size_t)(last->body + last->len - m.data);
	}
	return intauth_add(sa, h, &m);
}

size_t intauth_octets(const struct ike_sa *sa, uint8_t out[INTAUTH_MAX])
{
	const struct intauth *a = &sa->setup->intauth;
	size_t len = ike_prf_len(sa->keys.suite.prf);
	struct writer w = writer_init(out, INTAUTH_MAX);

	if (!a->n)
		return 0;
	writer_bytes(&w, a->i, len);
	writer_bytes(&w, a->r, len);
	writer_be32(&w, 1 + a->n); /* IKE_AUTH_MID: IDs count from IKE_SA_INIT, which had 0 */
	return w.len;
}
