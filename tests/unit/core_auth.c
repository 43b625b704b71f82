// SPDX-License-Identifier: GPL-2.0-or-later
#include "core_auth.h"

void auth_stop_before(struct pair *p, unsigned int n)
{
	pair_start(p, false);
	while (pair_count(p, p->a, IKE_AUTH, false) < n - 1)
		pair_run(p, 1);
	if (n == 1)
		pair_run(p, 15);
	p->drop_from = 1u << p->a->index;
	p->drop_exchange = IKE_AUTH;
	p->drop_requests = true;
	pair_run(p, 30);
	assert_true(pair_count(p, p->a, IKE_AUTH, false) >= n);
	p->drop_requests = false;
}

struct ike_sa *auth_half_open(struct pair *p)
{
	const struct sent *init = pair_sent(p, p->b, IKE_SA_INIT, true, 0);
	struct ike_sa *sa = ikesa_find(&p->b->core->sas, init->h.spi_r, false);

	assert_non_null(sa);
	return sa;
}

void auth_begin(struct auth_message *m)
{
	request_begin(&m->b, m->buf, sizeof(m->buf), &m->first);
}

void auth_answer(struct pair *p, struct auth_message *m)
{
	struct ike_sa *sa = auth_half_open(p);
	struct ikesa_message msg = { 0 };

	assert_true(message_seal(p->b->core, sa, IKE_AUTH, IKE_FLAG_RESPONSE, sa->rx.next++, &m->b,
				 m->first, &msg));
	world_inject(&p->w, &sa->local, &sa->remote, msg.data, msg.len, 0);
	ikesa_message_free(&msg);
	pair_run(p, 100);
}

void auth_replace(struct pair *p, unsigned int n, struct auth_message *m)
{
	auth_stop_before(p, n);
	auth_half_open(p)->rx.next++; /* the one that did not arrive is none */
	auth_begin(m);
}

void auth_send(struct pair *p, struct auth_message *m)
{
	assert_true(node_request(p->a, IKE_AUTH, &m->b, m->first));
	pair_run(p, 60);
}

void auth_copy(struct auth_message *m, struct pair *p, const struct sent *s, uint16_t without)
{
	struct ike_payloads in = sent_open(s, node_sa(p->a));

	for (unsigned int i = 0; i < in.n; i++) {
		const uint8_t *body = in.p[i].body;

		/* Protocol, length of an SPI, type (RFC 7296 3.10). */
		if (in.p[i].type == IKE_PL_NOTIFY && (body[2] << 8 | body[3]) == without)
			continue;
		ike_build_payload(&m->b, in.p[i].type, body, in.p[i].len);
	}
}
