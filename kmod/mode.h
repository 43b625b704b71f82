/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How inner packets and ESP payloads become one another: one row for each mode
 * of an SA. A dummy packet (RFC 4303 2.6) has no inner packet in any mode.
 */
#ifndef ESPTUN_MODE_H
#define ESPTUN_MODE_H

#include <linux/types.h>

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
 * struct esptun_mode_ops - a mode
 * @wrap: ESP's next header for a packet that goes out, whose IP header is linear
 *	and correct, or for all segments of a super-packet
 * @unwrap: the packet in the @len octets of a payload at @text, which are
 *	authentic, in memory of our own, with @next as ESP's next header, never
 *	that of a dummy. Return: 0, or the counter of why it is dropped
 */
struct esptun_mode_ops {
	u8 (*wrap)(const struct sk_buff *skb);
	unsigned int (*unwrap)(u8 *text, unsigned int len, u8 next,
			       struct esptun_inner *inner);
};

/* The row of an enum esptun_sa_mode that esptun_mode_is_known(). */
const struct esptun_mode_ops *esptun_mode_of(u8 mode);

bool esptun_mode_is_known(u8 mode);

/**
 * esptun_mode_open - what is in a decrypted packet
 * @ops: mode of its SA
 * @text: payload, padding, pad length and next header, all authentic, in memory
 *	of our own
 * @len: octets of all of it
 * @inner: result
 *
 * Any context. Return: 0, or the counter of why nothing is delivered.
 */
unsigned int esptun_mode_open(const struct esptun_mode_ops *ops, u8 *text,
			      unsigned int len, struct esptun_inner *inner);

#endif /* ESPTUN_MODE_H */
