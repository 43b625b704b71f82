// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Datagrams out: ready ones, and answers without any state.
 */
#include "ike/core/layer_ikesa.h"

void send_datagram(struct ike_core *core, const struct ike_peer *p,
		   const struct ike_endpoint *local, const struct ike_endpoint *remote,
		   const uint8_t *msg, size_t len)
{
	const struct ike_datagram d = {
		.local = *local, .remote = *remote, .data = msg, .len = len
	};

	core->stats.tx++;
	core->env.send(core->env.ctx, p ? p->conf->name : NULL, &d);
}

void send_answer(struct ike_core *core, const struct ike_datagram *d, const struct ike_peer *p,
		 const uint8_t *msg, size_t len)
{
	send_datagram(core, p, &d->local, &d->remote, msg, len);
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
