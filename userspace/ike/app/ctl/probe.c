// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Does the peer answer on a UDP port? An IKE_SA_INIT request that no responder can agree to, for its key
 * exchange value is of a group that is not offered: it is answered with INVALID_KE_PAYLOAD, or refused in
 * another way (RFC 7296 1.2, 2.7), and no IKE SA comes of it. It leaves from the very sockets that IKE
 * uses, with the tunnel's mark and address, so that it has the fate of all others. Of the answer nothing is
 * read but the header, and nothing of it is believed but that it came.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/proto/addr.h"
#include "ike/proto/msg.h"

enum {
	PROBES = 8, /* at once */
	PROBE_SENDS = 3,
	PROBE_EVERY = 700, /* ms between two of them, and from the last one to the end */
	PROBE_GROUP = 1, /* 768-bit MODP, which nobody offers (RFC 8247 2.4) … */
	PROBE_VALUE = 96, /* … and the bytes of its values */
	PROBE_MAX = 4096, /* bytes of a message */
};

struct probe {
	TAILQ_ENTRY(probe) link;
	struct ctl_request *request;
	char tunnel[16];
	struct ike_endpoint local, remote;
	uint8_t spi[IKE_SPI_LEN];
	unsigned int sends;
	int error; /* errno of the last one that could not be sent; 0: it left */
	uint64_t began, next;
	size_t len;
	uint8_t message[PROBE_MAX];
};

/* ---- the message --------------------------------------------------------------------- */

static bool build_message(struct probe *p, struct ike_offer offer)
{
	struct ike_header h = {
		.version = 0x20,
		.exchange = IKE_SA_INIT,
		.flags = IKE_FLAG_INITIATOR,
	};
	uint8_t value[PROBE_VALUE], nonce[IKE_OUR_NONCE];
	struct ike_builder b;

	ike_crypto_random(NULL, p->spi, sizeof(p->spi));
	ike_crypto_random(NULL, value, sizeof(value));
	ike_crypto_random(NULL, nonce, sizeof(nonce));
	memcpy(h.spi_i, p->spi, sizeof(h.spi_i));
	ike_build_init(&b, p->message, sizeof(p->message), &h);
	ike_build_sa(&b, offer);
	ike_build_ke(&b, PROBE_GROUP, value, sizeof(value));
	ike_build_nonce(&b, nonce, sizeof(nonce));
	p->len = ike_build_end(&b);
	return p->len;
}

static void send_once(struct agent *a, struct probe *p, const struct tunnel *t, uint64_t now)
{
	const struct ike_datagram d = { p->local, p->remote, p->message, p->len };
	int err;

	if (p->local.port == IKE_PORT)
		err = udp_send(a->udp, &d, t->conf.fwmark);
	else
		err = kernel_ike_send(a->kernel, t->ifindex, &d);
	p->error = -err;
	p->sends++;
	p->next = now + PROBE_EVERY;
}

/* ---- the answer ---------------------------------------------------------------------- */

static void end_probe(struct agent *a, struct probe *p, json_t *answer)
{
	TAILQ_REMOVE(&a->probes, p, link);
	a->n_probes--;
	ctl_answer(p->request, answer);
	free(p);
}

static json_t *outcome(const struct probe *p, bool answered, uint64_t now)
{
	char local[80], remote[80];
	json_t *o = json_pack("{s:s,s:s,s:i,s:b}", "local",
			      ike_endpoint_print(local, sizeof(local), &p->local), "remote",
			      ike_endpoint_print(remote, sizeof(remote), &p->remote), "sent",
			      (int)p->sends, "answered", answered);

	if (answered)
		json_object_set_new(o, "after", json_real((double)(now - p->began) / 1000));
	if (p->error)
		json_object_set_new(o, "send_error", ctl_text(strerror(p->error)));
	return json_pack("{s:b,s:o}", "ok", 1, "probe", o);
}

bool probe_heard(struct agent *a, const struct ike_datagram *d)
{
	struct ike_header h;
	struct probe *p;

	if (TAILQ_EMPTY(&a->probes) || ike_header_parse(d->data, d->len, &h) ||
	    !(h.flags & IKE_FLAG_RESPONSE))
		return false;
	TAILQ_FOREACH(p, &a->probes, link)
	{
		if (memcmp(h.spi_i, p->spi, IKE_SPI_LEN) ||
		    !ike_endpoint_eq(&d->remote, &p->remote))
			continue;
		end_probe(a, p, outcome(p, true, loop_now()));
		return true;
	}
	return false;
}

void probe_review(struct agent *a, uint64_t now)
{
	struct probe *p, *next;

	for (p = TAILQ_FIRST(&a->probes); p; p = next) {
		const struct tunnel *t = tunnel_by_name(a, p->tunnel);

		next = TAILQ_NEXT(p, link);
		if (p->next > now)
			continue;
		if (p->sends < PROBE_SENDS && t && t->ifindex)
			send_once(a, p, t, now);
		else
			end_probe(a, p, outcome(p, false, now));
	}
}

uint64_t probe_next(const struct agent *a)
{
	uint64_t when = UINT64_MAX;
	const struct probe *p;

	TAILQ_FOREACH(p, &a->probes, link)
	{
		if (p->next < when)
			when = p->next;
	}
	return when;
}

void probe_free(struct agent *a)
{
	while (!TAILQ_EMPTY(&a->probes))
		end_probe(a, TAILQ_FIRST(&a->probes), json_object());
}

/* ---- beginning ----------------------------------------------------------------------- */

/* Where the peer is, or should be, and what of ours faces it. False: nobody knows. */
static bool find_ends(struct agent *a, const struct tunnel *t, uint16_t port, struct probe *p)
{
	struct ike_status s;

	p->remote.addr = t->conf.endpoint_addr.family ? t->conf.endpoint_addr : t->resolved;
	p->remote.port = port ? port : t->conf.endpoint_port;
	if (!core_tunnel_status(a->core, t->conf.name, &s) && s.have_ike && s.established)
		p->remote.addr = s.remote.addr;
	p->local.addr = t->path.local;
	p->local.port = p->remote.port == IKE_PORT ? IKE_PORT : t->conf.port;
	return p->remote.addr.family && p->remote.port;
}

const char *probe_begin(struct agent *a, struct ctl_request *q, const struct tunnel *t,
			uint16_t port)
{
	struct probe *p;

	if (!t->ifindex || t->after)
		return "it is down";
	if (a->n_probes >= PROBES)
		return "there are as many probes as there may be";
	p = calloc(1, sizeof(*p));
	if (!p)
		return "out of memory";
	memcpy(p->tunnel, t->conf.name, sizeof(p->tunnel));
	p->request = q;
	p->began = p->next = loop_now();
	if (find_ends(a, t, port, p) && build_message(p, IKE_OFFER(t->conf.ike))) {
		TAILQ_INSERT_TAIL(&a->probes, p, link);
		a->n_probes++;
		return NULL;
	}
	free(p);
	return "it is not known where its peer is";
}
