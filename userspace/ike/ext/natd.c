// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NAT detection (RFC 7296 2.23, RFC 4555 3.8).
 */
#include "ike/core/layer_ikesa.h"

static void natd_hash(const uint8_t *spi_i, const uint8_t *spi_r, const struct ike_endpoint *e,
		      uint8_t out[NATD_LEN])
{
	const uint8_t port[2] = { (uint8_t)(e->port >> 8), (uint8_t)e->port };
	const struct ike_iov in[] = {
		{ spi_i, IKE_SPI_LEN },
		{ spi_r, IKE_SPI_LEN },
		{ e->addr.b, e->addr.family == 6 ? 16 : 4 },
		{ port, sizeof(port) },
	};

	if (ike_sha1(in, 4, out))
		memset(out, 0, NATD_LEN);
}

/* Addresses of ours that the first message names: it must not get long, for it is not fragmented. */
enum { NATD_SOURCES = 8 };

/*
 * The source of an end that wants ESP in UDP, whether there is a NAT or not: nobody has it, so the
 * peer sees a NAT, and two esptuns know better.
 */
static const struct ike_endpoint nowhere = { .addr.family = 4 };

static void build_hash(struct ike_builder *b, const struct ike_sa *sa, uint16_t notify,
		       const struct ike_endpoint *e)
{
	uint8_t hash[NATD_LEN];

	natd_hash(sa->spi_i, sa->spi_r, e, hash);
	ike_build_notify(b, notify, hash, sizeof(hash));
}

/* Which of our addresses the message leaves from is not known yet: it is one of all (2.23). */
static void build_sources(struct ike_builder *b, const struct ike_sa *sa, uint16_t port)
{
	const struct ike_tunnel *t = sa->peer->tunnel;
	unsigned int i;

	for (i = 0; i < t->n_ours; i++)
		build_hash(b, sa, IKE_N_NAT_DETECTION_SOURCE_IP,
			   &(struct ike_endpoint){ t->ours[i], port });
}

void natd_build(struct ike_builder *b, const struct ike_sa *sa, const struct ike_endpoint *local,
		const struct ike_endpoint *remote)
{
	if (sa->natd.claims)
		build_hash(b, sa, IKE_N_NAT_DETECTION_SOURCE_IP, &nowhere);
	else if (local->addr.family)
		build_hash(b, sa, IKE_N_NAT_DETECTION_SOURCE_IP, local);
	else
		build_sources(b, sa, local->port);
	build_hash(b, sa, IKE_N_NAT_DETECTION_DESTINATION_IP, remote);
}

bool natd_must_claim(const struct ike_peer *p, const struct ike_endpoint *local)
{
	unsigned int n = p->tunnel->n_ours;

	return p->conf->encap == IKE_ENCAP_UDP || (!local->addr.family && (!n || n > NATD_SOURCES));
}

bool natd_is_plain(const struct natd *n)
{
	return n->peer_knows && !n->claims && !n->peer_claims && !n->local && !n->remote;
}

static const char *refuse_plain(const struct ike_sa *sa)
{
	if (sa->began)
		return "Encap=udp, but neither end claimed a NAT: a new IKE SA is to";
	return "Encap=udp, but the peer may have meant another tunnel, and has plain ESP as that does: tell them apart by Endpoint or Local, or set the same Encap in both";
}

static const char *refuse_udp(const struct ike_sa *sa, const struct natd *n)
{
	if (n->claims && sa->began)
		return "Encap=esp, but this machine has no address, or too many, to tell the peer where its packets come from: set Local";
	if (n->claims)
		return "Encap=esp, but another tunnel that the peer may have meant has Encap=udp: tell them apart by Endpoint or Local, or set Encap=auto here";
	if (n->peer_claims)
		return "Encap=esp, but the peer wants ESP in UDP: set Encap=esp at its side, or Encap=auto here";
	return "Encap=esp, but there is a NAT on the path, or the peer claims one: have it claim none (strongSwan: encap = no), or set Encap=auto";
}

const char *natd_refusal(const struct ike_sa *sa, const struct natd *n)
{
	enum ike_encap encap = sa->peer->conf->encap;

	if (!n->peer_knows)
		return "peer does not know NAT traversal, so that nobody sees whether there is a NAT, or has ESP in UDP: turn on NAT-T at its side";
	if (encap == IKE_ENCAP_UDP && natd_is_plain(n))
		return refuse_plain(sa);
	if (encap == IKE_ENCAP_ESP && !natd_is_plain(n))
		return refuse_udp(sa, n);
	return NULL;
}

void natd_judge(struct natd *out, const struct ike_header *h, const struct ike_payloads *in,
		const struct ike_datagram *d)
{
	uint8_t source[NATD_LEN], destination[NATD_LEN], forced[NATD_LEN];
	bool saw_source = false, source_ok = false;
	struct ike_notify n;
	unsigned int i;

	natd_hash(h->spi_i, h->spi_r, &d->remote, source);
	natd_hash(h->spi_i, h->spi_r, &d->local, destination);
	natd_hash(h->spi_i, h->spi_r, &nowhere, forced);
	out->peer_claims = false;
	for (i = 0; i < in->n; i++) {
		if (in->p[i].type != IKE_PL_NOTIFY || ike_notify_parse(&in->p[i], &n) ||
		    n.len != NATD_LEN)
			continue;
		if (n.type == IKE_N_NAT_DETECTION_SOURCE_IP) { /* there may be several (2.23) */
			saw_source = true;
			source_ok |= !memcmp(n.data, source, NATD_LEN);
			out->peer_claims |= !memcmp(n.data, forced, NATD_LEN);
		} else if (n.type == IKE_N_NAT_DETECTION_DESTINATION_IP) {
			out->local = memcmp(n.data, destination, NATD_LEN) != 0;
		}
	}
	out->remote = saw_source && !source_ok && !out->peer_claims;
	out->peer_knows = saw_source;
}

static bool find_seen(const struct ike_payloads *in, struct ike_notify *n)
{
	return ike_notify_find(in, IKE_N_NAT_DETECTION_DESTINATION_IP, n) && n->len == NATD_LEN;
}

bool natd_is_in(const struct ike_payloads *in)
{
	struct ike_notify n;

	return find_seen(in, &n) && ike_notify_find(in, IKE_N_NAT_DETECTION_SOURCE_IP, &n);
}

bool natd_note_seen(struct ike_sa *sa, const struct ike_payloads *in)
{
	uint8_t here[NATD_LEN];
	struct ike_notify n;
	bool moved;

	if (!find_seen(in, &n))
		return false;
	natd_hash(sa->spi_i, sa->spi_r, &sa->local, here);
	moved = memcmp(n.data, sa->mobike.have_seen ? sa->mobike.seen : here, NATD_LEN) != 0;
	memcpy(sa->mobike.seen, n.data, NATD_LEN);
	sa->mobike.have_seen = true;
	return moved;
}
