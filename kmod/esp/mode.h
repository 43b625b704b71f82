/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How inner packets and ESP payloads become one another: one row for each mode
 * of an SA. A dummy packet (RFC 4303 2.6) has no inner packet in any mode.
 */
#ifndef ESPTUN_MODE_H
#define ESPTUN_MODE_H

#include <linux/types.h>
#include <linux/esptun.h>

struct esptun_arrival;
struct esptun_path;
struct sk_buff;

/**
 * struct esptun_inner - the packet in an ESP payload
 * @at: its IP header
 * @len: its octets, as the header says
 * @ip4: IPv4, else IPv6
 */
struct esptun_inner {
	u8 *at;
	unsigned int len;
	bool ip4;
};

/**
 * struct esptun_frame - what of a packet, or of each segment of it, is sealed
 * @strip: octets that it begins with and that are not: at most an IPv6 header
 * @next: ESP's next header
 * @ttl: outer TTL or hop limit, 0 for any
 */
struct esptun_frame {
	unsigned int strip;
	u8 next;
	u8 ttl;
};

/* In front of a payload @unwrap may write so many octets. */
#define ESPTUN_UNWRAP_HEADROOM 40u

/**
 * struct esptun_mode_ops - a mode
 * @of_endpoints: inner addresses are the outer ones: a packet is one of the SA's
 *	only as long as the peer is where it came from
 * @wrap: for a packet that goes out on a path, whose IP header is linear and
 *	correct. Return: true, or false if it is none for SAs of this mode
 * @unwrap: the packet in the @len octets of a payload at @text, which are
 *	authentic, in memory of our own with ESPTUN_UNWRAP_HEADROOM, with @next as
 *	ESP's next header, never that of a dummy. Return: 0, or the counter of why
 *	it is dropped
 */
struct esptun_mode_ops {
	bool of_endpoints;
	bool (*wrap)(const struct sk_buff *skb, const struct esptun_path *path,
		     struct esptun_frame *frame);
	unsigned int (*unwrap)(u8 *text, unsigned int len, u8 next,
			       const struct esptun_arrival *arrival,
			       struct esptun_inner *inner);
};

extern const struct esptun_mode_ops esptun_modes[ESPTUN_SA_MODE_TRANSPORT + 1];

/* The row of an enum esptun_sa_mode. */
static inline const struct esptun_mode_ops *esptun_mode_of(u8 mode)
{
	return &esptun_modes[mode];
}

/**
 * esptun_mode_open - what is in a decrypted packet
 * @ops: mode of its SA
 * @text: payload, padding, pad length and next header, all authentic, in memory
 *	of our own with ESPTUN_UNWRAP_HEADROOM
 * @len: octets of all of it
 * @arrival: what the outer headers say
 * @inner: result
 *
 * Any context. Return: 0, or the counter of why nothing is delivered.
 */
unsigned int esptun_mode_open(const struct esptun_mode_ops *ops, u8 *text,
			      unsigned int len,
			      const struct esptun_arrival *arrival,
			      struct esptun_inner *inner);

#endif /* ESPTUN_MODE_H */
