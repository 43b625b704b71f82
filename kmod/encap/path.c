// SPDX-License-Identifier: GPL-2.0
#include <linux/netlink.h>
#include <net/dst.h>
#include <net/dst_cache.h>
#include "dev.h"
#include "encap/encap.h"
#include "limits.h"
#include "link.h"
#include "encap/path.h"
#include "sa/peer.h"

/* To somebody who did not ask for it no UDP over IPv6 goes without a checksum. */
static u8 udpcsum_of(const struct esptun_link *link,
		     const struct esptun_family *family, bool zero_csum6)
{
	if (family->zero_csum)
		return READ_ONCE(link->udpcsum);
	return zero_csum6 ? ESPTUN_UDPCSUM_OFF : ESPTUN_UDPCSUM_ON;
}

/*
 * What ICMP taught about the path to a peer, UINT_MAX if it did not lately. What is
 * over is cleared, as it would come back when jiffies turn round.
 */
static unsigned int learned_mtu(struct esptun_peer *peer)
{
	unsigned int mtu = READ_ONCE(peer->pmtu);

	if (likely(!mtu))
		return UINT_MAX;
	if (time_before_eq(jiffies, READ_ONCE(peer->pmtu_when) +
					    msecs_to_jiffies(ESPTUN_PMTU_MS)))
		return mtu;
	WRITE_ONCE(peer->pmtu, 0);
	return UINT_MAX;
}

void esptun_path_learn(struct esptun_peer *peer, unsigned int mtu)
{
	mtu = max(mtu, ESPTUN_PMTU_MIN);
	if (mtu > learned_mtu(peer))
		return;
	WRITE_ONCE(peer->pmtu_when, jiffies);
	WRITE_ONCE(peer->pmtu, mtu);
}

void esptun_path_forget(struct esptun_peer *peer)
{
	WRITE_ONCE(peer->pmtu, 0);
	dst_cache_reset(&peer->dst);
}

/* @header: the peer's, or the link's */
static void path_set(struct esptun_path *path, struct dst_entry *dst,
		     const struct esptun_header *header, u8 udpcsum)
{
	path->udpcsum = udpcsum;
	path->dst = dst;
	path->header = esptun_header_read(header);
	path->mtu = path->family->own_pmtu ? path->family->hop_mtu(dst) :
					     dst_mtu(dst);
	path->hlen = path->family->hlen + path->encap->hlen;
}

static struct esptun_addr if_family(const struct esptun_addr *addr, u32 family)
{
	return addr->family == family ? *addr : (struct esptun_addr){};
}

/* @addr is one of those that @peer->ep_lock protects. */
static struct esptun_addr read_addr(const struct esptun_peer *peer,
				    const struct esptun_addr *addr)
{
	struct esptun_addr copy;
	unsigned int seq;

	do {
		seq = read_seqbegin(&peer->ep_lock);
		copy = *addr;
	} while (read_seqretry(&peer->ep_lock, seq));
	return copy;
}

/* The configured source for remote addresses of a family. */
static struct esptun_addr configured_source(const struct esptun_peer *peer,
					    u32 family)
{
	struct esptun_addr local = read_addr(peer, &peer->local);

	if (local.family != family)
		local = esptun_link_local(peer->link);
	return if_family(&local, family);
}

static struct esptun_addr learned_source(const struct esptun_peer *peer,
					 u32 family)
{
	struct esptun_addr learned = read_addr(peer, &peer->learned);

	return if_family(&learned, family);
}

/* The link's MTU follows the first hop. */
static void note_hop(struct esptun_peer *peer, unsigned int room)
{
	if (READ_ONCE(peer->hop_room) == room)
		return;
	WRITE_ONCE(peer->hop_room, room);
	WRITE_ONCE(peer->pmtu, 0);
	esptun_link_update(peer->link);
}

/* A route that is in no cache yet. */
static struct dst_entry *find_route(struct esptun_peer *peer,
				    struct esptun_path *path)
{
	const struct esptun_family *family = path->family;
	struct esptun_addr learned = {};
	struct dst_entry *dst;

	path->source = configured_source(peer, family->family);
	if (!esptun_addr_is_set(&path->source))
		path->source = learned = learned_source(peer, family->family);
	dst = family->route(peer->link, path);
	/* The host may have lost the address, or its uplink. */
	if (IS_ERR(dst) && esptun_addr_is_set(&learned)) {
		esptun_peer_forget(peer, &learned);
		path->source = (struct esptun_addr){};
		dst = family->route(peer->link, path);
	}
	if (IS_ERR(dst))
		return dst;
	family->cache(&peer->dst, dst, &path->source);
	note_hop(peer, family->hop_mtu(dst) - family->hlen);
	return dst;
}

int esptun_path_find(struct esptun_peer *peer, struct esptun_path *path)
{
	struct dst_entry *dst;
	unsigned int seq;

	do {
		seq = read_seqbegin(&peer->ep_lock);
		path->remote = peer->remote;
	} while (read_seqretry(&peer->ep_lock, seq));
	path->dst = NULL;
	path->encap = READ_ONCE(peer->encap);
	path->family = esptun_family_of(path->remote.addr.family);
	if (!path->family)
		return -EDESTADDRREQ;
	/* With a cached route comes the source it was looked up for. */
	dst = INDIRECT_CALL_1(path->family->cached, esptun_ip4_cached,
			      &peer->dst, &path->source);
	if (!dst)
		dst = find_route(peer, path);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	path_set(path, dst, &peer->header,
		 udpcsum_of(peer->link, path->family,
			    READ_ONCE(peer->zero_csum6_tx)));
	if (path->family->own_pmtu)
		path->mtu = min(path->mtu, learned_mtu(peer));
	return 0;
}

int esptun_path_to(struct esptun_link *link,
		   const struct esptun_encap_ops *encap,
		   const struct esptun_addr *source,
		   const struct esptun_endpoint *remote,
		   struct esptun_path *path, struct netlink_ext_ack *extack)
{
	struct dst_entry *dst;

	path->family = esptun_family_of(remote->addr.family);
	path->encap = encap;
	path->remote = *remote;
	path->source = *source;
	if (!esptun_addr_is_set(&path->source))
		path->source = esptun_link_local(link);
	path->source = if_family(&path->source, path->family->family);
	dst = path->family->route(link, path);
	if (IS_ERR(dst)) {
		if (PTR_ERR(dst) == -ELOOP)
			NL_SET_ERR_MSG(
				extack,
				"remote-address: the route leads into the link itself");
		else
			NL_SET_ERR_MSG(
				extack,
				"remote-address: no route from this source address");
		return PTR_ERR(dst);
	}
	path_set(path, dst, &link->header,
		 udpcsum_of(link, path->family, false));
	return 0;
}

bool esptun_path_into_link(const struct esptun_peer *peer,
			   const struct esptun_endpoint *remote,
			   const struct esptun_addr *learned)
{
	const struct esptun_family *family =
		esptun_family_of(remote->addr.family);
	struct esptun_path path = {
		.encap = READ_ONCE(peer->encap),
		.remote = *remote,
	};
	struct dst_entry *dst;
	bool into;

	if (!family)
		return false;
	path.source = configured_source(peer, family->family);
	if (!esptun_addr_is_set(&path.source))
		path.source = *learned;
	dst = family->route(peer->link, &path);
	/* As find_route() does. */
	if (IS_ERR(dst) && PTR_ERR(dst) != -ELOOP) {
		path.source = (struct esptun_addr){};
		dst = family->route(peer->link, &path);
	}
	if (IS_ERR(dst))
		return PTR_ERR(dst) == -ELOOP;
	into = esptun_dev_is_link(dst->dev);
	dst_release(dst);
	return into;
}

void esptun_path_put(struct esptun_path *path)
{
	dst_release(path->dst);
	path->dst = NULL;
}

unsigned int esptun_path_hop_mtu(const struct esptun_path *path)
{
	return path->family->hop_mtu(path->dst);
}
