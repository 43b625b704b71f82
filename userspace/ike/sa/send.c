// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Datagrams out: ready messages, sealed ones, and answers without any state.
 */
#include "ike/sa/layer_ikesa.h"

void send_datagram(struct ike_core *core, const struct ike_tunnel *t,
		   const struct ike_endpoint *local, const struct ike_endpoint *remote,
		   const uint8_t *msg, size_t len)
{
	const struct ike_datagram d = {
		.local = *local, .remote = *remote, .data = msg, .len = len
	};

	core->stats.tx++;
	core->env.send(core->env.ctx, t ? t->conf.name : NULL, &d);
}

void send_answer(struct ike_core *core, const struct ike_datagram *d, const struct ike_tunnel *t,
		 const uint8_t *msg, size_t len)
{
	send_datagram(core, t, &d->local, &d->remote, msg, len);
}

void send_notify(struct ike_core *core, const struct ike_datagram *d, const struct ike_header *h,
		 uint16_t notify, const void *data, size_t len)
{
	uint8_t buf[256];
	struct ike_builder b;
	struct ike_header out = *h;
	size_t n;

	/* SPIs, exchange and message ID are those of the request (1.5); we are not its initiator. */
	out.version = 0x20;
	out.flags = IKE_FLAG_RESPONSE | (~h->flags & IKE_FLAG_INITIATOR);
	ike_build_init(&b, buf, sizeof(buf), &out);
	ike_build_notify(&b, notify, data, len);
	n = ike_build_end(&b);
	if (n)
		send_answer(core, d, NULL, buf, n);
}

void send_error(struct ike_core *core, const struct ike_datagram *d, const struct ike_header *h,
		uint16_t notify, const void *data, size_t len)
{
	if (admit_reply(core, &d->remote.addr))
		send_notify(core, d, h, notify, data, len);
}

size_t send_seal(struct ike_core *core, struct ike_sa *sa, uint8_t exchange, uint8_t flags,
		 uint32_t id, struct ike_builder *b, uint8_t first, uint8_t *out, size_t cap)
{
	struct ike_header h = {
		.version = 0x20,
		.exchange = exchange,
		.flags = flags | (sa->initiator ? IKE_FLAG_INITIATOR : 0),
		.id = id,
	};
	size_t len = ike_build_end(b);

	if (b->w.bad)
		return 0;
	memcpy(h.spi_i, sa->spi_i, IKE_SPI_LEN);
	memcpy(h.spi_r, sa->spi_r, IKE_SPI_LEN);
	return ike_sk_seal(&sa->keys, &core->env.rng, &h, len ? first : IKE_PL_NONE, b->w.buf, len,
			   out, cap);
}
