// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NAT detection (RFC 7296 2.23, RFC 4555 3.8).
 */
#include "ike/sa/layer_ikesa.h"

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

/*
 * We take ESP in UDP only, so the peer must always see a NAT between us: our source hash is
 * that of 0.0.0.0:0, which is nobody's, and which lets two esptuns know better.
 */
void natd_build(struct ike_builder *b, const uint8_t *spi_i, const uint8_t *spi_r,
		const struct ike_endpoint *remote)
{
	static const struct ike_endpoint nowhere = { .addr.family = 4 };
	uint8_t hash[NATD_LEN];

	natd_hash(spi_i, spi_r, &nowhere, hash);
	ike_build_notify(b, IKE_N_NAT_DETECTION_SOURCE_IP, hash, sizeof(hash));
	natd_hash(spi_i, spi_r, remote, hash);
	ike_build_notify(b, IKE_N_NAT_DETECTION_DESTINATION_IP, hash, sizeof(hash));
}

void natd_judge(struct ike_sa *sa, const struct ike_header *h, const struct ike_payloads *in,
		const struct ike_datagram *d)
{
	static const struct ike_endpoint nowhere = { .addr.family = 4 };
	uint8_t source[NATD_LEN], destination[NATD_LEN], forced[NATD_LEN];
	bool saw_source = false, source_ok = false;
	struct ike_notify n;
	unsigned int i;

	natd_hash(h->spi_i, h->spi_r, &d->remote, source);
	natd_hash(h->spi_i, h->spi_r, &d->local, destination);
	natd_hash(h->spi_i, h->spi_r, &nowhere, forced);
	for (i = 0; i < in->n; i++) {
		if (in->p[i].type != IKE_PL_NOTIFY || ike_notify_parse(&in->p[i], &n) ||
		    n.len != NATD_LEN)
			continue;
		if (n.type == IKE_N_NAT_DETECTION_SOURCE_IP) { /* there may be several (2.23) */
			saw_source = true;
			source_ok |= !memcmp(n.data, source, NATD_LEN) ||
				     !memcmp(n.data, forced, NATD_LEN);
		} else if (n.type == IKE_N_NAT_DETECTION_DESTINATION_IP) {
			sa->nat_local = memcmp(n.data, destination, NATD_LEN) != 0;
		}
	}
	sa->nat_remote = saw_source && !source_ok;
	sa->peer_natt = saw_source;
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
